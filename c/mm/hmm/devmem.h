/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device memory, internal interface.
 *
 *   devmem.c		chunks are added and removed
 *   devmem_evict.c	eviction of a chunk
 *   devmem_reclaim.c	eviction of what is not in use, to make room
 *   devmem_migrate.c	migration by address
 *   devmem_steps.c	the same, step by step
 *   devmem_fault.c	CPU faults
 *   devmem_fetch.c	pages that another device's memory has
 *   section_migrate.c	sections of a mirror that migrate
 *   devmem_copy.c	the copy stage of all of these
 *   devmem_batch.c	copies in batches
 *   devmem_alloc.c	allocation of pages
 *   devmem_retire.c	bad pages
 *   devmem_cgroup.c	charges of the dmem cgroup controller
 *   devmem_stats.c	statistics
 */
#ifndef _MM_HMM_DEVMEM_H
#define _MM_HMM_DEVMEM_H

#include <linux/hmm_devmem.h>
#include <linux/ioport.h>
#include <linux/memremap.h>

#include "lifetime.h"
#include "stats.h"

/**
 * struct hmm_devmem_state - the part of device memory that the driver does not see
 * @devmem: the driver's structure
 * @module_object: registration with the driver's module (lifetime.h)
 * @work: ends it later
 * @done: called when @work has, or NULL
 * @releasing: the &struct hmm_devmem_releasing; hmm_devmem.lock
 * @stats: what debugfs shows
 */
struct hmm_devmem_state {
	struct hmm_devmem *devmem;
	struct hmm_module_object module_object;
	struct work_struct work;
	void (*done)(struct hmm_devmem *devmem);
	struct list_head releasing;
	struct hmm_devmem_stats stats;
};

/* The memory of its statistics. */
static inline struct hmm_devmem *hmm_devmem_stats_of(const struct hmm_devmem_stats *stats)
{
	return container_of(stats, struct hmm_devmem_state, stats)->devmem;
}

/*
 * Whether current is in a callback that hmm_devmem_evict(), hmm_devmem_remove() or
 * making room waits for.
 */
static inline bool hmm_devmem_is_evicting(struct hmm_devmem *devmem)
{
	return hmm_mutex_is_mine(&devmem->chunks_lock);
}

/*
 * Whether a pagemap covers a part of the range, also in its middle. Memory is added
 * in subsections, so that each pagemap covers at least one.
 */
#ifdef CONFIG_ZONE_DEVICE
static inline bool hmm_devmem_range_has_pagemap(const struct range *range)
{
	unsigned long pfn = ALIGN_DOWN(PHYS_PFN(range->start),
				       PAGES_PER_SUBSECTION);

	for (; pfn <= PHYS_PFN(range->end); pfn += PAGES_PER_SUBSECTION) {
		struct dev_pagemap *pgmap = get_dev_pagemap(pfn);

		put_dev_pagemap(pgmap);
		if (pgmap)
			return true;
	}
	return false;
}
#else
static inline bool hmm_devmem_range_has_pagemap(const struct range *range)
{
	return false;
}
#endif

/* Whether there is other memory in the range, the system's or a device's. */
static inline bool hmm_devmem_range_busy(const struct range *range)
{
	return hmm_devmem_range_has_pagemap(range) ||
	       region_intersects(range->start, range_len(range),
				 IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) != REGION_DISJOINT;
}

static inline unsigned long
hmm_devmem_first_pfn(const struct hmm_devmem_chunk *chunk)
{
	return PHYS_PFN(chunk->pagemap.range.start);
}

/* The index in its chunk of the first page of a folio. */
static inline unsigned long
hmm_devmem_folio_index(const struct hmm_devmem_chunk *chunk,
		       const struct folio *folio)
{
	return folio_pfn(folio) - hmm_devmem_first_pfn(chunk);
}

/*
 * Count a page that was reported as bad as not in use any more. hmm_devmem.lock is held,
 * and the page is not free.
 */
static inline void hmm_devmem_set_retired(struct hmm_devmem_chunk *chunk,
					  unsigned long at)
{
	__set_bit(at, chunk->used);
	__set_bit(at, chunk->retired);
	chunk->nr_retired++;
}

const char *hmm_devmem_label(const struct hmm_devmem *devmem);
struct folio *hmm_devmem_alloc_from(struct hmm_devmem *devmem, unsigned int order,
				    struct dmem_cgroup_pool_state *pool);
void hmm_devmem_free(struct folio *folio);
unsigned long hmm_devmem_used_pfns(struct hmm_devmem_chunk *chunk,
				   unsigned long at, unsigned long *pfns);
bool hmm_devmem_owns_page(const struct page *page);
void hmm_devmem_start_slice(const struct folio *folio);
#if IS_ENABLED(CONFIG_KUNIT)
extern u32 hmm_devmem_slice;
#endif
unsigned long hmm_devmem_slice_left(const struct folio *folio);
bool hmm_devmem_request_folio(const struct folio *folio);
bool hmm_devmem_has_bad(const struct page *page, unsigned long nr);
bool hmm_devmem_can_copy_folio(struct hmm_devmem *to, const struct folio *folio);

vm_fault_t hmm_devmem_fault(struct vm_fault *vmf);
void hmm_devmem_evict_chunk(struct hmm_devmem_chunk *chunk);
void hmm_devmem_reclaim_work(struct work_struct *work);
void hmm_devmem_reclaim(struct hmm_devmem *devmem, unsigned long pages,
			unsigned long before);
bool hmm_devmem_is_short(struct hmm_devmem *devmem, unsigned long pages,
			 unsigned long before);

/**
 * struct hmm_devmem_scan_limit - which pages reclaim may evict
 * @pool: only pages charged to this pool or one below it; %NULL for all pages
 * @ignore_low: also pages that dmem.low protects
 * @hit_low: set if a page was left because of dmem.low
 * @pools: the pools of pages that were found, and what was decided for them; %NULL if
 *	the memory is not accounted
 * @nr: how many these are
 * @last: index of the pool that was looked up last
 * @full: a page was found whose pool has no room in @pools
 */
struct hmm_devmem_scan_limit {
	struct dmem_cgroup_pool_state *pool;
	bool ignore_low;
	bool hit_low;
	struct hmm_devmem_scan_pool *pools;
	unsigned int nr;
	unsigned int last;
	bool full;
};

#ifdef CONFIG_CGROUP_DMEM
int hmm_devmem_scan_begin(struct hmm_devmem_scan_limit *limit,
			  const struct hmm_devmem *devmem);
void hmm_devmem_scan_reset(struct hmm_devmem_scan_limit *limit);
void hmm_devmem_scan_end(struct hmm_devmem_scan_limit *limit);
unsigned long hmm_devmem_scan_prepare(struct hmm_devmem_scan_limit *limit,
				      struct hmm_devmem_chunk *chunk,
				      unsigned long at, unsigned long end);
bool hmm_devmem_scan_allows(struct hmm_devmem_scan_limit *limit,
			    const struct hmm_devmem_chunk *chunk,
			    unsigned long i);
void hmm_devmem_scan_take(struct hmm_devmem_scan_limit *limit,
			  const struct hmm_devmem_chunk *chunk,
			  unsigned long i, unsigned long nr);
void hmm_devmem_cgroup_init(struct hmm_devmem *devmem);
bool hmm_devmem_charge_current(struct hmm_devmem *devmem, unsigned int nr,
			       struct dmem_cgroup_pool_state **pool);
void hmm_devmem_cancel_charge(struct dmem_cgroup_pool_state *pool,
			      unsigned int nr);
bool hmm_devmem_reclaim_pool(struct hmm_devmem *devmem,
			     struct dmem_cgroup_pool_state *limit,
			     unsigned long pages, unsigned long before);
void hmm_devmem_cgroup_exit(struct hmm_devmem *devmem);
int hmm_devmem_cgroup_add_chunk(struct hmm_devmem_chunk *chunk);
void hmm_devmem_cgroup_del_chunk(struct hmm_devmem_chunk *chunk);
void hmm_devmem_set_pool(struct hmm_devmem_chunk *chunk, unsigned long at,
			 unsigned long nr, struct dmem_cgroup_pool_state *pool);
void hmm_devmem_uncharge(struct hmm_devmem_chunk *chunk, unsigned long at,
			 unsigned long nr);
#else
static inline int hmm_devmem_scan_begin(struct hmm_devmem_scan_limit *limit,
					const struct hmm_devmem *devmem)
{
	return 0;
}

static inline void hmm_devmem_scan_reset(struct hmm_devmem_scan_limit *limit)
{
}

static inline void hmm_devmem_scan_end(struct hmm_devmem_scan_limit *limit)
{
}

static inline unsigned long
hmm_devmem_scan_prepare(struct hmm_devmem_scan_limit *limit,
			struct hmm_devmem_chunk *chunk,
			unsigned long at, unsigned long end)
{
	return end;
}

static inline bool hmm_devmem_scan_allows(struct hmm_devmem_scan_limit *limit,
					  const struct hmm_devmem_chunk *chunk,
					  unsigned long i)
{
	return true;
}

static inline void hmm_devmem_scan_take(struct hmm_devmem_scan_limit *limit,
					const struct hmm_devmem_chunk *chunk,
					unsigned long i, unsigned long nr)
{
}

static inline void hmm_devmem_cgroup_init(struct hmm_devmem *devmem)
{
}

static inline bool hmm_devmem_charge_current(struct hmm_devmem *devmem,
					     unsigned int nr,
					     struct dmem_cgroup_pool_state **pool)
{
	*pool = NULL;
	return true;
}

static inline void hmm_devmem_cancel_charge(struct dmem_cgroup_pool_state *pool,
					    unsigned int nr)
{
}

static inline void hmm_devmem_cgroup_exit(struct hmm_devmem *devmem)
{
}

static inline int hmm_devmem_cgroup_add_chunk(struct hmm_devmem_chunk *chunk)
{
	return 0;
}

static inline void hmm_devmem_cgroup_del_chunk(struct hmm_devmem_chunk *chunk)
{
}

static inline void hmm_devmem_set_pool(struct hmm_devmem_chunk *chunk,
				       unsigned long at, unsigned long nr,
				       struct dmem_cgroup_pool_state *pool)
{
}

static inline void hmm_devmem_uncharge(struct hmm_devmem_chunk *chunk,
				       unsigned long at, unsigned long nr)
{
}
#endif

struct hmm_section_migration;

#ifdef CONFIG_HMM_DEVMEM
/* How many pages migrate at once, at most: the range of one PMD. */
#define HMM_DEVMEM_BATCH HPAGE_PMD_NR

struct hmm_section_migration *hmm_section_migration_alloc(struct hmm_devmem *to,
							  bool write);
void hmm_section_migration_free(struct hmm_section_migration *move);
unsigned long *hmm_section_migration_pfns(struct hmm_section_migration *move);
int hmm_section_migration_begin(struct hmm_section_migration *move,
				struct mm_struct *mm, struct hmm_span *span,
				unsigned long *pfns);
void hmm_section_migration_end(struct hmm_section_migration *move);
#else
#define HMM_DEVMEM_BATCH 1

static inline struct hmm_section_migration *
hmm_section_migration_alloc(struct hmm_devmem *to, bool write)
{
	return NULL;
}

static inline void
hmm_section_migration_free(struct hmm_section_migration *move)
{
}

static inline unsigned long *
hmm_section_migration_pfns(struct hmm_section_migration *move)
{
	return NULL;
}

static inline int
hmm_section_migration_begin(struct hmm_section_migration *move,
			    struct mm_struct *mm, struct hmm_span *span,
			    unsigned long *pfns)
{
	return 0;
}

static inline void hmm_section_migration_end(struct hmm_section_migration *move)
{
}
#endif

#endif /* _MM_HMM_DEVMEM_H */
