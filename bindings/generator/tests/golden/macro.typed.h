/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _MACRO_TYPED_H
#define _MACRO_TYPED_H

#include <linux/cleanup.h>
#include <macro.h>

#endif /* _MACRO_TYPED_H */
