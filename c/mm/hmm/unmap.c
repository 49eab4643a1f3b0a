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

/*
 * Takes a folio off its LRU list, so that reclaim and compaction leave it
 * alone. The list's reference stands in for collect's, which is dropped:
 * either way the migration owns one. Device folios are on no list.
 *
 * A folio that is on no list yet most likely waits in the batch of some CPU.
 * To empty all of them is expensive and done once in a migration.
 */
static bool isolate(struct hmm_migration *m, struct folio *folio)
{
	if (folio_is_zone_device(folio))
		return true;

	if (!folio_test_lru(folio) && !m->drained) {
		lru_add_drain_all();
		m->drained = true;
	}
	if (!folio_isolate_lru(folio))
		return false;

	folio_put(folio);
	return true;
}

/* Has an unmapped folio references besides the ones known to the engine? */
static bool in_use(struct hmm_migration *m, struct folio *folio)
{
	int known = folio_expected_ref_count(folio) + 1;

	if (faulting_folio(m->args, folio))
		known++;
	return folio_ref_count(folio) > known;
}

/* Puts a folio's mappings back as they were, and lets go of it. */
void hmm_migration_restore(struct hmm_migration *m, struct folio *folio)
{
	hmm_migration_map(folio, folio);
	migration_release(m->args, folio);
}

/*
 * Makes a folio ready for copying, or puts it back as it was before the
 * migration and lets go of it.
 */
static bool unmap_folio_everywhere(struct hmm_migration *m,
				   struct folio *folio)
{
	if (!isolate(m, folio)) {
		hmm_migration_restore(m, folio);
		return false;
	}

	if (folio_mapped(folio))
		try_to_migrate(folio, TTU_BATCH_FLUSH);
	if (!folio_mapped(folio) && !in_use(m, folio))
		return true;

	if (!folio_is_zone_device(folio))
		folio_add_lru(folio);
	hmm_migration_restore(m, folio);
	return false;
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
	unsigned long i, ready = 0;
	struct folio *folio;

	lru_add_drain();

	for (i = 0; i < m->npages; i++) {
		if (!(m->src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		folio = mpfn_folio(m->src[i]);
		if (folio && m->args && !folio_mapped(folio))
			m->src[i] |= MPFN_SOLE;
		if (!folio || unmap_folio_everywhere(m, folio))
			ready++;
		else
			m->src[i] = 0;
	}

	try_to_unmap_flush();
	return ready;
}
