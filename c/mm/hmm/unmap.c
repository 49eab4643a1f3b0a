// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, unmap stage.
 *
 * Isolate the collected folios from their LRU lists, and unmap them from the page
 * tables that collect did not walk. A folio with more references than its mappings
 * and the swap cache account for is in use, most likely pinned: it is mapped again
 * and does not migrate.
 */
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include "../internal.h"
#include "migrate.h"

/* How many folios are isolated together; as many as in reclaim. */
#define HMM_UNMAP_BATCH SWAP_CLUSTER_MAX

/**
 * struct hmm_unmap_batch - folios of system memory that are unmapped together
 * @nr: number of folios
 * @at: the index of each folio's mpfn
 * @folio: the folios
 * @isolated: a bit for each folio that was isolated from its LRU list
 */
struct hmm_unmap_batch {
	unsigned int nr;
	unsigned long at[HMM_UNMAP_BATCH];
	struct folio *folio[HMM_UNMAP_BATCH];
	unsigned long isolated;
};

/*
 * A folio that is on no LRU list is most likely in the folio batch of a CPU.
 * Draining those of all CPUs is expensive, and done once in a migration.
 */
static void hmm_unmap_drain_lru(struct hmm_migration *m, struct lru_batch *lru)
{
	if (m->drained)
		return;
	lru_batch_flush(lru);
	lru_add_drain_all();
	m->drained = true;
}

/* Isolate folios from their LRU lists, against reclaim and compaction. */
static void hmm_unmap_isolate(struct hmm_migration *m,
			      struct hmm_unmap_batch *b)
{
	struct lru_batch lru = {};
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		if (!folio_test_lru(b->folio[i]))
			hmm_unmap_drain_lru(m, &lru);
		if (lru_batch_isolate(&lru, b->folio[i]))
			__set_bit(i, &b->isolated);
	}
	lru_batch_flush(&lru);
}

/* Whether an unmapped folio has references besides those of the migration. */
static bool hmm_unmap_in_use(struct hmm_migration *m, struct folio *folio)
{
	int known;

	/* The reference of the migration, as nearly always. */
	if (folio_ref_count(folio) == 1)
		return false;
	known = folio_expected_ref_count(folio) + 1;
	if (hmm_is_fault_folio(m->args, folio))
		known++;
	return folio_ref_count(folio) > known;
}

/* Map a locked folio again where it was mapped, and release it. May sleep. */
void hmm_migration_restore(struct hmm_migration *m, struct folio *folio)
{
	hmm_migration_map(folio, folio);
	hmm_migration_release(m->args, folio);
}

/*
 * Unmap an isolated folio from all page tables. Return false if it is in use; it
 * is on an LRU list again then.
 */
static bool hmm_unmap_folio(struct hmm_migration *m, struct folio *folio,
			    bool mapped)
{
	if (mapped) {
		try_to_migrate(folio, TTU_BATCH_FLUSH);
		mapped = folio_mapped(folio);
	}
	if (!mapped && !hmm_unmap_in_use(m, folio))
		return true;
	if (!folio_is_zone_device(folio))
		folio_add_lru(folio);
	return false;
}

/*
 * Whether nothing is left to do, as for most folios: collect has removed the only
 * mapping, and the migration's reference is the only one. Mark the folio if so.
 */
static bool hmm_unmap_is_done(struct hmm_migration *m, struct folio *folio)
{
	if (!m->args || folio_mapped(folio) || folio_ref_count(folio) != 1)
		return false;
	hmm_migration_set_singly_mapped(folio);
	return true;
}

/* hmm_unmap_mpfn(), if there is something left to do, or to undo. */
static bool hmm_unmap_slow(struct hmm_migration *m, unsigned long i,
			   struct folio *folio, bool isolated)
{
	bool mapped = folio_mapped(folio);

	if (isolated && hmm_unmap_folio(m, folio, mapped)) {
		if (m->args && !mapped)
			hmm_migration_set_singly_mapped(folio);
		return true;
	}
	hmm_migration_restore(m, folio);
	m->src[i] = 0;
	return false;
}

/*
 * Make the folio of an mpfn ready for copying, or map it again and release it.
 * Return whether it is ready.
 */
static __always_inline bool hmm_unmap_mpfn(struct hmm_migration *m,
					   unsigned long i, struct folio *folio,
					   bool isolated)
{
	return (isolated && hmm_unmap_is_done(m, folio)) ||
	       hmm_unmap_slow(m, i, folio, isolated);
}

/* Unmap a batch of folios; return how many are ready for copying. */
static unsigned long hmm_unmap_folios(struct hmm_migration *m,
				      struct hmm_unmap_batch *b)
{
	unsigned long ready = 0;
	unsigned int i;

	hmm_unmap_isolate(m, b);
	for (i = 0; i < b->nr; i++)
		ready += hmm_unmap_mpfn(m, b->at[i], b->folio[i],
					test_bit(i, &b->isolated));
	b->nr = 0;
	b->isolated = 0;
	return ready;
}

/**
 * hmm_migration_unmap() - the unmap stage
 * @m: the migration, after collect
 *
 * Afterwards each mpfn with %MIGRATE_PFN_MIGRATE is a hole, or a folio that is
 * locked, isolated, mapped nowhere, and referenced by the migration only. All other
 * mpfns are 0 and own nothing.
 *
 * TLB flushes for mappings found by rmap are batched, and made once at the end. The
 * caller may copy when this has returned.
 *
 * Context: Process context; may sleep. The mmap lock is held in a migration by address,
 * and each folio is locked.
 * Return: the number of mpfns with %MIGRATE_PFN_MIGRATE.
 */
unsigned long hmm_migration_unmap(struct hmm_migration *m)
{
	struct hmm_unmap_batch batch = {};
	unsigned long i, ready = 0;
	struct folio *folio;

	lru_add_drain();

	for (i = 0; i < m->npages; i += hmm_mpfn_nr_pages(m->src[i])) {
		if (!(m->src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		if (!(m->src[i] & MIGRATE_PFN_VALID)) {
			ready++;
			continue;
		}
		folio = hmm_mpfn_head(m->src[i]);
		/* Device folios are on no LRU list. */
		if (folio_is_zone_device(folio)) {
			ready += hmm_unmap_mpfn(m, i, folio, true);
			continue;
		}
		batch.at[batch.nr] = i;
		batch.folio[batch.nr++] = folio;
		if (batch.nr == HMM_UNMAP_BATCH)
			ready += hmm_unmap_folios(m, &batch);
	}
	ready += hmm_unmap_folios(m, &batch);

	try_to_unmap_flush();
	return ready;
}
