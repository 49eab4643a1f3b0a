/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SCOPED_TYPED_H
#define _SCOPED_TYPED_H

#include <linux/cleanup.h>
#include <scoped.h>

/* struct tank *x __free(tank_exit): ended when @x goes out of scope. */
DEFINE_FREE(tank_exit, struct tank *, if (!IS_ERR_OR_NULL(_T)) tank_exit(_T))

/* guard(tank)(x), scoped_guard(tank, x) { } */
DEFINE_GUARD(tank, struct tank *, tank_open(_T), tank_close(_T))
DEFINE_GUARD_COND(tank, _killable, tank_open_killable(_T), _RET == 0)
DEFINE_GUARD_COND(tank, _try, tank_try_open(_T))
DEFINE_GUARD_COND(tank, _open, tank_poll_open(_T))

/* tank_quiet() takes more than the object, so there is no guard() for it. */

/* struct cask *x __free(cask_exit): ended when @x goes out of scope. */
DEFINE_FREE(cask_exit, struct cask *, if (!IS_ERR_OR_NULL(_T)) cask_exit(_T))

/* guard(cask)(x), scoped_guard(cask, x) { } */
DEFINE_GUARD(cask, struct cask *, cask_open(_T), cask_close(_T))

/* struct vat *x __free(vat_exit): ended when @x goes out of scope. */
DEFINE_FREE(vat_exit, struct vat *, if (!IS_ERR_OR_NULL(_T)) vat_exit(_T))

__must_check int tank_open_killable(struct tank *tank);

unsigned int tank_level(const struct tank *tank) __must_hold(tank);

unsigned long tank_quiet(struct tank *tank, int line) __must_hold(tank);

#endif /* _SCOPED_TYPED_H */
