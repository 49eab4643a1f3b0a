/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _FOREIGN_TYPED_H
#define _FOREIGN_TYPED_H

#include <linux/cleanup.h>
#include <foreign.h>

/* struct lamp *x __free(lamp_exit): ended when @x goes out of scope. */
DEFINE_FREE(lamp_exit, struct lamp *, if (!IS_ERR_OR_NULL(_T)) lamp_exit(_T))

__must_check int survey_init(struct survey *survey, struct space *space);

__must_check int lamp_init(struct lamp *lamp, struct pit *pit,
			   unsigned long oil);

#endif /* _FOREIGN_TYPED_H */
