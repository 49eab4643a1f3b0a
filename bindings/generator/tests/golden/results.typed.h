/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _RESULTS_TYPED_H
#define _RESULTS_TYPED_H

#include <linux/cleanup.h>
#include <results.h>

/* struct hatch *x __free(hatch_exit): ended when @x goes out of scope. */
DEFINE_FREE(hatch_exit, struct hatch *, if (!IS_ERR_OR_NULL(_T)) hatch_exit(_T))

/* guard(hatch)(x), scoped_guard(hatch, x) { } */
DEFINE_GUARD(hatch, struct hatch *, hatch_enter(_T), hatch_leave(_T))
DEFINE_GUARD_COND(hatch, _try, hatch_try(_T))
DEFINE_GUARD_COND(hatch, _killable, hatch_enter_killable(_T), _RET == 0)

/* guard(hatch_lock)(x), scoped_guard(hatch_lock, x) { } */
DEFINE_GUARD(hatch_lock, struct hatch *, hatch_lock(_T), hatch_unlock(_T))
DEFINE_GUARD_COND(hatch_lock, _nonzero, hatch_lock_nonzero(_T))
DEFINE_GUARD_COND(hatch_lock, _zero, hatch_lock_zero(_T), _RET == 0)

__must_check int hatch_enter_killable(struct hatch *hatch);

__must_check int hatch_lock_zero(struct hatch *hatch);

void hatch_pause(struct hatch *hatch) __must_hold(&hatch->lock);

#endif /* _RESULTS_TYPED_H */
