// SPDX-License-Identifier: GPL-2.0
/* Copy a device's pages with the driver of another. */
#include "fixture/devmem_driver.h"

struct other;

static inline int other_copy(struct other *other, struct page *dst,
			     struct page *src, unsigned int order)
{
	return -EIO;
}

#ifdef MISUSE
DEFINE_HMM_DEVMEM_OPS(dm_memory_ops, struct dm_unit, memory, other_copy, dm_clear);
//~^ - incompatible pointer types passing 'struct dm_unit *' to parameter of type 'struct other *'
#else
DEFINE_HMM_DEVMEM_OPS(dm_memory_ops, struct dm_unit, memory, dm_copy, dm_clear);
#endif

int dm_unit_start(struct dm_unit *unit)
{
	unit->memory.ops = &dm_memory_ops;
	return hmm_devmem_init(&unit->memory);
}
