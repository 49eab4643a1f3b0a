// SPDX-License-Identifier: GPL-2.0
/* Define device memory without a clear callback. */
#include "fixture/devmem_driver.h"

#ifdef MISUSE
DEFINE_HMM_DEVMEM_OPS(dm_memory_ops, struct dm_unit, memory, dm_copy);
//~^ - too few arguments provided to function-like macro
#else
DEFINE_HMM_DEVMEM_OPS(dm_memory_ops, struct dm_unit, memory, dm_copy, dm_clear);
#endif

int dm_unit_start(struct dm_unit *unit)
{
	unit->memory.ops = &dm_memory_ops;
	//~^ - use of undeclared identifier 'dm_memory_ops'
	return hmm_devmem_init(&unit->memory);
}
