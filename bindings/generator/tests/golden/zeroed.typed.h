/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _ZEROED_TYPED_H
#define _ZEROED_TYPED_H

#include <linux/cleanup.h>
#include <zeroed.h>

/* struct kettle *x __free(kettle_exit): ended when @x goes out of scope. */
DEFINE_FREE(kettle_exit, struct kettle *,
	    if (!IS_ERR_OR_NULL(_T)) kettle_exit(_T))

/* guard(tap)(x), scoped_guard(tap, x) { } */
DEFINE_GUARD(tap, struct tap *, tap_turn(_T), tap_close(_T))

__must_check int kettle_init(struct kettle *kettle);

#endif /* _ZEROED_TYPED_H */
