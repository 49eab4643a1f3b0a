/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _MODULE_TYPED_H
#define _MODULE_TYPED_H

#include <linux/cleanup.h>
#include <module.h>

__must_check int field_plough(struct field *field, struct area area);

#endif /* _MODULE_TYPED_H */
