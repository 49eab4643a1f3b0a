/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the drivers here have in common: a device whose page table counts its
 * entries.
 */
#include <linux/hmm_typed.h>
#include <linux/slab.h>

/**
 * struct dm - one process as the device sees it
 * @mirror: keeps @pages in step with the process
 * @range: the addresses that are mirrored
 * @pages: how many pages the device maps; guarded by the update lock
 */
struct dm {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	unsigned long pages;
};

static inline void dm_map(struct dm *dm, struct hmm_span span)
	__must_hold(&dm->mirror.lock)
{
	dm->pages += hmm_span_pages(span);
}

static inline bool dm_invalidate(struct dm *dm,
				 const struct hmm_invalidation *inv)
{
	dm->pages = 0;
	return true;
}
