/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SRCU_TYPED_H
#define _SRCU_TYPED_H

#include <linux/cleanup.h>
#include <linux/srcu.h>

/* struct srcu_struct *x __free(cleanup_srcu_struct): ended when @x goes out of scope. */
DEFINE_FREE(cleanup_srcu_struct, struct srcu_struct *,
	    if (!IS_ERR_OR_NULL(_T)) cleanup_srcu_struct(_T))

/* guard(srcu_struct_srcu_reader)(x), scoped_guard(srcu_struct_srcu_reader, x) { } */
DEFINE_LOCK_GUARD_1(srcu_struct_srcu_reader, struct srcu_struct,
		    _T->cookie = srcu_read_lock(_T->lock),
		    srcu_read_unlock(_T->lock, _T->cookie), int cookie)

#endif /* _SRCU_TYPED_H */
