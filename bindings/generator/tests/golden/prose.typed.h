/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _PROSE_TYPED_H
#define _PROSE_TYPED_H

#include <linux/cleanup.h>
#include <prose.h>

/* struct pond *x __free(pond_drain): ended when @x goes out of scope. */
DEFINE_FREE(pond_drain, struct pond *, if (!IS_ERR_OR_NULL(_T)) pond_drain(_T))

__must_check int pond_fill(struct pond *pond);

__must_check int pond_fish(struct pond *pond);

#endif /* _PROSE_TYPED_H */
