// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/rwsem.h>

__rust_helper void rust_helper_init_rwsem(struct rw_semaphore *sem)
{
	init_rwsem(sem);
}
