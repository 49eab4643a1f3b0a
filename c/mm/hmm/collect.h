/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Collecting by address, inside: ranges and huge pages (collect.c), page tables
 * (collect_pte.c), one folio (collect_folio.c) and absent pages (collect_fault.c).
 */
#ifndef _MM_HMM_COLLECT_H
#define _MM_HMM_COLLECT_H

#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>

#include "../internal.h"
#include "migrate.h"
#include "migrate_policy.h"

/**
 * struct hmm_collect - state of the walk over a range
 * @args: the request. Its npages is the position: mpfns are written in address
 *	order only, so that a page table that is walked again is continued at
 *	the position.
 * @source: device memory to collect from, besides what @args selects; %NULL for none
 * @migrating: what to do about pages that are migrating; %NULL to wait for them under
 *	the caller's lock
 * @notification: the invalidation of secondary MMUs, for the whole range
 * @notified: secondary MMUs were notified. No page is faulted in any more.
 * @faulted: absent pages were faulted in up to this address
 * @flush_start: lowest address unmapped since the last TLB flush
 * @flush_end: end of the highest page unmapped since then; 0 if none was
 * @rmap: mappings removed since the last TLB flush
 * @to_split: a locked and referenced folio, to be split before the walk goes on
 * @unsplittable: the last folio that could not be split. Never dereferenced.
 */
struct hmm_collect {
	struct migrate_vma *args;
	const struct hmm_migrate_source *source;
	struct hmm_migrating *migrating;
	struct mmu_notifier_range notification;
	bool notified;
	unsigned long faulted;
	unsigned long flush_start;
	unsigned long flush_end;
	struct anon_rmap_batch rmap;
	struct folio *to_split;
	struct folio *unsplittable;
};

/* The position: the address of the page whose mpfn is stored next. */
static inline unsigned long hmm_collect_pos(const struct hmm_collect *c)
{
	return c->args->start + (c->args->npages << PAGE_SHIFT);
}

/* Store the mpfn of the page at the position, and step over it. */
static inline void hmm_collect_put(struct hmm_collect *c, unsigned long mpfn)
{
	struct migrate_vma *args = c->args;

	if (mpfn & MIGRATE_PFN_MIGRATE)
		args->cpages++;
	args->dst[args->npages] = 0;
	args->src[args->npages++] = mpfn;
}

/* Store the same mpfn for each page from the position to @end. */
static inline void hmm_collect_put_until(struct hmm_collect *c,
					 unsigned long end, unsigned long mpfn)
{
	while (hmm_collect_pos(c) < end)
		hmm_collect_put(c, mpfn);
}

/* The mpfn of a large folio or hole of @nr pages; 0 for its other pages. */
static inline void hmm_collect_put_large(struct hmm_collect *c,
					 unsigned long nr, unsigned long mpfn)
{
	struct migrate_vma *args = c->args;

	hmm_collect_put(c, mpfn | MIGRATE_PFN_COMPOUND);
	nr--;
	memset(args->src + args->npages, 0, nr * sizeof(*args->src));
	memset(args->dst + args->npages, 0, nr * sizeof(*args->dst));
	args->npages += nr;
}

/* Whether the flags of a request select a folio of device memory, by kind and owner. */
static inline bool hmm_collect_selects_device(const struct migrate_vma *args,
					      const struct folio *folio)
{
	unsigned long kind;

	if (folio_is_device_private(folio))
		kind = MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
	else if (folio_is_device_coherent(folio))
		kind = MIGRATE_VMA_SELECT_DEVICE_COHERENT;
	else
		return false;

	return (args->flags & kind) && folio->pgmap->owner == args->pgmap_owner;
}

/* Whether the request selects folios of this memory and this owner. */
static __always_inline bool hmm_collect_selects(const struct hmm_collect *c,
						struct folio *folio)
{
	if (!folio->mapping)
		return false;
	if (!folio_is_zone_device(folio))
		return (c->args->flags & MIGRATE_VMA_SELECT_SYSTEM) &&
		       folio_test_anon(folio);
	return hmm_collect_selects_device(c->args, folio) ||
	       (c->source && c->source->selects(c->source, folio));
}

/*
 * Lock a mapped folio, unless it must not migrate. No reference is taken: the
 * migration takes over the reference of the mapping. The page table lock is held.
 */
static __always_inline bool hmm_collect_trylock(const struct hmm_collect *c,
						struct folio *folio)
{
	if (!hmm_is_fault_folio(c->args, folio) && !folio_trylock(folio))
		return false;
	if (folio_is_zone_device(folio) || hmm_folio_may_migrate(folio))
		return true;
	hmm_migration_unlock(c->args, folio);
	return false;
}

/* collect_folio.c */
int hmm_collect_split(struct hmm_collect *c, struct mm_walk *walk);

/* collect_pte.c */
int hmm_collect_pte_table(pmd_t *pmdp, unsigned long end, struct mm_walk *walk);

/* collect_fault.c */
bool hmm_collect_fault_in(struct hmm_collect *c, pmd_t *pmdp,
			  unsigned long end);

#endif /* _MM_HMM_COLLECT_H */
