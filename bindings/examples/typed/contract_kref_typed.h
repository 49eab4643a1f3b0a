/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _KREF_TYPED_H
#define _KREF_TYPED_H

#include <linux/cleanup.h>
#include <linux/kref.h>

#endif /* _KREF_TYPED_H */
