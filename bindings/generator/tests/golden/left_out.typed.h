/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _LEFT_OUT_TYPED_H
#define _LEFT_OUT_TYPED_H

#include <linux/cleanup.h>
#include <left_out.h>

#endif /* _LEFT_OUT_TYPED_H */
