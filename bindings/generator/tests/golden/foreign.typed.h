/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _FOREIGN_TYPED_H
#define _FOREIGN_TYPED_H

#include <linux/cleanup.h>
#include <foreign.h>

__must_check int survey_init(struct survey *survey, struct space *space);

#endif /* _FOREIGN_TYPED_H */
