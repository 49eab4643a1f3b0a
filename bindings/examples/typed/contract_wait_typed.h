/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _WAIT_TYPED_H
#define _WAIT_TYPED_H

#include <linux/cleanup.h>
#include <linux/poll.h>

#endif /* _WAIT_TYPED_H */
