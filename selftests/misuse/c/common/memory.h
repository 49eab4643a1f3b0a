/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the drivers here have in common that have device memory.
 */
#include <linux/hmm_typed.h>

/**
 * struct dm_unit - a device that cannot be reached
 * @memory: its memory
 */
struct dm_unit {
	struct hmm_devmem memory;
};

static inline int dm_copy(struct dm_unit *unit, struct page *dst,
			  struct page *src, unsigned int order)
{
	return -EIO;
}

static inline int dm_clear(struct dm_unit *unit, struct page *page,
			   unsigned int order)
{
	return -EIO;
}
