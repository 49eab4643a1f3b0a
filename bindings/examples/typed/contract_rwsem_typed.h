/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _RWSEM_TYPED_H
#define _RWSEM_TYPED_H

#include <linux/cleanup.h>
#include <linux/rwsem.h>

/* guard(rw_semaphore_read)(x), scoped_guard(rw_semaphore_read, x) { } */
DEFINE_GUARD(rw_semaphore_read, struct rw_semaphore *, down_read(_T),
	     up_read(_T))
DEFINE_GUARD_COND(rw_semaphore_read, _try, down_read_trylock(_T))

/* guard(rw_semaphore_write)(x), scoped_guard(rw_semaphore_write, x) { } */
DEFINE_GUARD(rw_semaphore_write, struct rw_semaphore *, down_write(_T),
	     up_write(_T))
DEFINE_GUARD_COND(rw_semaphore_write, _killable, down_write_killable(_T),
		  _RET == 0)
DEFINE_GUARD_COND(rw_semaphore_write, _try, down_write_trylock(_T))

__must_check int down_write_killable(struct rw_semaphore *sem);

#endif /* _RWSEM_TYPED_H */
