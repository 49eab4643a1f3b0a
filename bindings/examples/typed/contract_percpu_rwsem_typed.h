/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _PERCPU_RWSEM_TYPED_H
#define _PERCPU_RWSEM_TYPED_H

#include <linux/cleanup.h>
#include <linux/percpu-rwsem.h>

/* struct percpu_rw_semaphore *x __free(percpu_free_rwsem): ended when @x goes out of scope. */
DEFINE_FREE(percpu_free_rwsem, struct percpu_rw_semaphore *,
	    if (!IS_ERR_OR_NULL(_T)) percpu_free_rwsem(_T))

/* guard(percpu_rw_semaphore_percpu_read)(x), scoped_guard(percpu_rw_semaphore_percpu_read, x) { } */
DEFINE_GUARD(percpu_rw_semaphore_percpu_read, struct percpu_rw_semaphore *,
	     percpu_down_read(_T), percpu_up_read(_T))
DEFINE_GUARD_COND(percpu_rw_semaphore_percpu_read, _try,
		  percpu_down_read_trylock(_T))

/* guard(percpu_rw_semaphore_percpu_write)(x), scoped_guard(percpu_rw_semaphore_percpu_write, x) { } */
DEFINE_GUARD(percpu_rw_semaphore_percpu_write, struct percpu_rw_semaphore *,
	     percpu_down_write(_T), percpu_up_write(_T))

#endif /* _PERCPU_RWSEM_TYPED_H */
