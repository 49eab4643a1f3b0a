// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, second stage: out of every page table.
 *
 * What collect locked is taken off the LRU lists and out of the page tables
 * that collect did not see. A folio that has references left which no mapping
 * and no cache accounts for is in use by somebody, a pin most likely; its
 * mappings are put back, and it does not move.
 */
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include "../internal.h"
#include "migrate.h"

/* How many folios are dealt with together; as many as in reclaim. */
#define HMM_UNMAP_BATCH SWAP_CLUSTER_MAX

/**
 * struct hmm_unmap_batch - folios of system memory that are dealt with together
 * @nr: how many
 * @at: the index of each one's word
 * @folio: the folios
 * @isolated: a bit for each that is on no LRU list any more
 */
struct hmm_unmap_batch {
	unsigned int nr;
	unsigned long at[HMM_UNMAP_BATCH];
	struct folio *folio[HMM_UNMAP_BATCH];
	unsigned long isolated;
};

/*
 * A folio that is on no list yet most likely waits in the batch of some CPU.
 * To empty all of them is expensive and done once in a migration.
 */
static void hmm_unmap_drain_lru(struct hmm_migration *m, struct lru_batch *lru)
{
	if (m->drained)
		return;
	lru_batch_flush(lru);
	lru_add_drain_all();
	m->drained = true;
}

/* Takes folios off their LRU lists; reclaim and compaction leave them alone. */
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

/* Has an unmapped folio references besides the ones known to the engine? */
static bool hmm_unmap_in_use(struct hmm_migration *m, struct folio *folio)
{
	int known;

	/* Mostly there is the engine's own, and no need to know of others. */
	if (folio_ref_count(folio) == 1)
		return false;
	known = folio_expected_ref_count(folio) + 1;
	if (hmm_is_fault_folio(m->args, folio))
		known++;
	return folio_ref_count(folio) > known;
}

/* Puts a folio's mappings back as they were, and lets go of it. */
void hmm_migration_restore(struct hmm_migration *m, struct folio *folio)
{
	hmm_migration_map(folio, folio);
	hmm_migration_release(m->args, folio);
}

/*
 * Takes a folio that is isolated out of all page tables. Fails if it is in use;
 * it is on an LRU list again then.
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
 * Whether all is done already, as mostly it is: what collect took away was the
 * only mapping, and the engine's reference is the only one. Then that is noted.
 */
static bool hmm_unmap_is_done(struct hmm_migration *m, struct folio *folio)
{
	if (!m->args || folio_mapped(folio) || folio_ref_count(folio) != 1)
		return false;
	hmm_migration_set_singly_mapped(folio);
	return true;
}

/* hmm_unmap_mpfn(), where there is something left to do, or to undo. */
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
 * Makes the folio of a word ready for copying, or puts it back as it was before
 * the migration and lets go of it. Returns whether it is ready.
 */
static __always_inline bool hmm_unmap_mpfn(struct hmm_migration *m,
					   unsigned long i, struct folio *folio,
					   bool isolated)
{
	return (isolated && hmm_unmap_is_done(m, folio)) ||
	       hmm_unmap_slow(m, i, folio, isolated);
}

/* How many folios of a batch are ready. */
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
 * Afterwards each word that still has MIGRATE_PFN_MIGRATE is a hole, or a
 * folio that is locked, off the LRU, mapped nowhere, and referenced by the
 * engine and by its cache only. All other words are 0 and own nothing.
 *
 * The TLB flushes of mappings found by reverse mapping are collected, and made
 * here at the end, once. The caller may copy when this has returned.
 *
 * Return: the number of words that still have MIGRATE_PFN_MIGRATE.
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
		/* Device folios are on no list. */
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
