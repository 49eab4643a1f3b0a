/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _RECORD_TYPED_H
#define _RECORD_TYPED_H

#include <linux/cleanup.h>
#include <record.h>

__must_check int press_print(struct press *press, const struct area *where,
			     struct area margin);

#endif /* _RECORD_TYPED_H */
