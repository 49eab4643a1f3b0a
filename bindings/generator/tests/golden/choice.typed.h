/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _CHOICE_TYPED_H
#define _CHOICE_TYPED_H

#include <linux/cleanup.h>
#include <choice.h>

#endif /* _CHOICE_TYPED_H */
