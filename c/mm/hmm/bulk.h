/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mappings of small pages, many at a time.
 *
 * A mapping that comes or goes changes how many pages of a node and of a memcg
 * are mapped. To tell them costs 130 instructions, as much as the rest of a
 * mapping, and pages of one table nearly always have the same ones to tell: so
 * they are told once for all of them (benchmark: out-4k, home-4k).
 */
#ifndef MM_HMM_BULK_H
#define MM_HMM_BULK_H

#include <linux/mm.h>
#include <linux/vmstat.h>

#include "../internal.h"

/**
 * struct mapped_stat - mappings that were made or taken away, and not yet told
 * @folio: one of the folios; all are of one node and one memcg
 * @nr: by how many the number of mapped pages has changed
 *
 * To be told, by mapped_stat_flush(), before the page table lock is dropped.
 */
struct mapped_stat {
	struct folio *folio;
	int nr;
};

static inline void mapped_stat_flush(struct mapped_stat *count)
{
	if (count->nr)
		lruvec_stat_mod_folio(count->folio, NR_ANON_MAPPED, count->nr);
	count->nr = 0;
}

static inline bool mapped_stat_same_counters(const struct folio *a,
					     const struct folio *b)
{
#ifdef CONFIG_MEMCG
	if (a->memcg_data != b->memcg_data)
		return false;
#endif
	return folio_pgdat(a) == folio_pgdat(b);
}

static inline void mapped_stat_add(struct mapped_stat *count,
				   struct folio *folio, int nr)
{
	if (count->nr && !mapped_stat_same_counters(count->folio, folio))
		mapped_stat_flush(count);
	count->folio = folio;
	count->nr += nr;
}

/* Whether a folio's mappings can be counted here: it is small, and anonymous. */
static inline bool mapped_stat_may_batch(const struct folio *folio)
{
	return !folio_test_large(folio) && folio_test_anon(folio);
}

/* As folio_remove_rmap_pte(), for a folio whose mapping is simple. */
static __always_inline void mapped_stat_remove_rmap(struct mapped_stat *count,
						    struct folio *folio,
						    struct vm_area_struct *vma)
{
	if (atomic_add_negative(-1, &folio->_mapcount))
		mapped_stat_add(count, folio, -1);
	munlock_vma_folio(folio, vma);
}

/* As folio_add_anon_rmap_pte(), for a folio whose mapping is simple. */
static inline void mapped_stat_add_rmap(struct mapped_stat *count,
					struct folio *folio,
					struct vm_area_struct *vma,
					bool exclusive)
{
	if (atomic_inc_and_test(&folio->_mapcount))
		mapped_stat_add(count, folio, 1);
	if (exclusive)
		SetPageAnonExclusive(&folio->page);
	mlock_vma_folio(folio, vma);
}

/* The entry that differs from @pte in the page only, which is the next one. */
static inline pte_t hmm_pte_next(pte_t pte)
{
	return pte_present(pte) ? pte_next_pfn(pte) : pte_next_swp_offset(pte);
}

/**
 * hmm_pte_step() - by how much entries grow that differ in the page only
 * @pte: the first of them
 * @nr: how many there can be
 *
 * To ask for the next entry each time is most of what a large folio costs; what
 * tells the page is a row of bits on all architectures that have device memory,
 * and then one addition does (benchmark: home-64k). Where it is not this says so:
 * as each bit of an offset has a place of its own, those of @nr pages are in a
 * row if every power of two is as far off as it should be.
 *
 * Return: the step, which may be negative; 0 if there is none.
 */
static inline unsigned long hmm_pte_step(pte_t pte, unsigned long nr)
{
	unsigned long step = pte_val(hmm_pte_next(pte)) - pte_val(pte), i;

	for (i = 2; i < nr && !pte_present(pte); i <<= 1)
		if (pte_val(pte_move_swp_offset(pte, i)) - pte_val(pte) != i * step)
			return 0;
	return step;
}

#endif /* MM_HMM_BULK_H */
