/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _RELEASE_TYPED_H
#define _RELEASE_TYPED_H

#include <linux/cleanup.h>
#include <release.h>

/* struct crate *x __free(crate_exit): ended when @x goes out of scope. */
DEFINE_FREE(crate_exit, struct crate *, if (!IS_ERR_OR_NULL(_T)) crate_exit(_T))

/* guard(crate)(x), scoped_guard(crate, x) { } */
DEFINE_GUARD(crate, struct crate *, crate_lock(_T), crate_unlock(_T))

__must_check int local_init(struct local *local);

#endif /* _RELEASE_TYPED_H */
