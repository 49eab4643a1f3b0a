// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, last stage: replace the migration entries by mappings of the new
 * folio, or of the old one where there is no new one or commit refused it, and
 * release both.
 */
#include <linux/export.h>
#include <linux/memremap.h>
#include <linux/swap.h>

#include "../internal.h"
#include "migrate.h"

/* How many mpfns from @i on have no src folio, of which the first has none. */
static unsigned long hmm_finalize_holes(const struct hmm_migration *m, unsigned long i)
{
	const unsigned long *src = m->src;
	unsigned long nr = hmm_mpfn_nr_pages(src[i]);

	while (i + nr < m->npages &&
	       !(src[i + nr] & (MIGRATE_PFN_VALID | MIGRATE_PFN_COMPOUND)))
		nr++;
	return nr;
}

/*
 * Put the resulting folios back on the LRU before they are mapped: mlock accounting
 * needs a folio to be on a list. Device folios are on no LRU list. Interrupts are on
 * where there is nothing to put back.
 */
static void hmm_finalize_putback_lru(struct hmm_migration *m)
{
	struct lru_batch lru = {};
	bool unevictable = false;
	struct folio *result;
	unsigned long i, nr;

	for (i = 0; i < m->npages; i += nr) {
		if (!(m->src[i] & MIGRATE_PFN_VALID)) {
			lru_batch_flush(&lru);
			nr = hmm_finalize_holes(m, i);
			continue;
		}
		nr = hmm_mpfn_nr_pages(m->src[i]);
		result = hmm_migration_resulting_folio(m, i);
		if (folio_is_zone_device(result)) {
			if (lru.lruvec)
				lru_batch_flush(&lru);
			continue;
		}
		unevictable |= folio_test_unevictable(result);
		lru_batch_putback(&lru, result);
	}
	lru_batch_flush(&lru);
	/* Those are in the folio batch of this CPU, where mlock is not accounted. */
	if (unevictable)
		lru_add_drain();
}

/*
 * Unlock and put src and dst of the mpfn at @i, which are mapped where they have to be.
 * Inlined for small folios (benchmark: out-absent).
 */
static __always_inline void hmm_finalize_release(struct hmm_migration *m,
						 unsigned long i)
{
	if (m->src[i] & MIGRATE_PFN_VALID) {
		hmm_migration_clear_singly_mapped(hmm_mpfn_head(m->src[i]));
		hmm_migration_release(m->args, hmm_mpfn_head(m->src[i]));
	}
	if (m->dst[i] & MIGRATE_PFN_VALID) {
		struct folio *dst = hmm_mpfn_folio(m->dst[i]);

		if (folio_test_locked(dst))
			folio_unlock(dst);
		folio_put(dst);
	}
}

/*
 * Whether commit was not called: nothing has noted then which folios the driver has
 * given twice. After commit, the dst of a page that migrates is in use.
 */
static bool hmm_finalize_is_cancelled(const struct hmm_migration *m)
{
	unsigned long i;

	for (i = 0; i < m->npages; i++)
		if ((m->src[i] & MIGRATE_PFN_MIGRATE) &&
		    (m->dst[i] & MIGRATE_PFN_VALID))
			return !hmm_mpfn_folio(m->dst[i])->mapping;
	return false;
}

/* Record the dst folios of a cancelled migration, so that each is freed once. */
static void hmm_finalize_dst_unused(struct hmm_migration *m)
{
	unsigned long i;

	for (i = 0; i < m->npages; i++)
		hmm_migration_dst_unused(m, i);
	hmm_migration_unmark_dst(m);
}

/* Release a large folio; return the index of the next mpfn that owns anything. */
static noinline unsigned long
hmm_finalize_release_large(struct hmm_migration *m, unsigned long i,
			   unsigned long end)
{
	unsigned long nr = hmm_mpfn_nr_pages(m->src[i]);

	if ((m->src[i] | m->dst[i]) & MIGRATE_PFN_VALID)
		hmm_finalize_release(m, i);
	return hmm_mpfns_next(m->dst, i + 1, min(i + nr, end));
}

/**
 * hmm_migration_finalize() - the finalize stage
 * @m: the migration, after commit or without it
 *
 * Afterwards no migration entry is left, and no mpfn owns anything.
 *
 * Context: Process context; may sleep. The mmap lock is held in a migration by address.
 */
void hmm_migration_finalize(struct hmm_migration *m)
{
	u64 began = hmm_trace_begin(hmm_finalize);
	unsigned long pages = began ? hmm_migration_pages(m) : 0;
	unsigned long i, mapped;

	if (hmm_finalize_is_cancelled(m))
		hmm_finalize_dst_unused(m);
	hmm_finalize_putback_lru(m);
	for (i = 0; i < m->npages; ) {
		/* An mpfn may be of a folio that extends past the end of the array. */
		mapped = min(i + hmm_migration_remap(m, i), m->npages);
		if (m->src[i] & MIGRATE_PFN_COMPOUND)
			i = hmm_finalize_release_large(m, i, mapped);
		for (; i < mapped; i++)
			if ((m->src[i] | m->dst[i]) & MIGRATE_PFN_VALID)
				hmm_finalize_release(m, i);
	}
	if (began)
		hmm_trace_stage(hmm_finalize, m, pages, began);
}

/**
 * migrate_vma_finalize() - end a migration by address
 * @args: the request
 *
 * Map dst in place of each page that has migrated, map the others again, unlock all
 * pages and drop the migration's references. This frees src of a page that has
 * migrated, and dst of one that has not.
 *
 * Context: Process context; may sleep. The mmap lock is held.
 */
void migrate_vma_finalize(struct migrate_vma *args)
{
	struct hmm_migration m = hmm_migration_by_address(args);

	hmm_migration_assert_locked(args);
	hmm_migration_finalize(&m);
}
EXPORT_SYMBOL(migrate_vma_finalize);

/**
 * migrate_device_finalize() - end a migration by pfn
 * @src: the mpfns
 * @dst: the driver's pages. The copies are complete and visible to the CPU.
 * @npages: length of both arrays
 *
 * As migrate_vma_finalize().
 *
 * Context: Process context; may sleep. Needs no mmap lock.
 */
void migrate_device_finalize(unsigned long *src, unsigned long *dst,
			     unsigned long npages)
{
	struct hmm_migration m = { .src = src, .dst = dst, .npages = npages };

	hmm_migration_finalize(&m);
}
EXPORT_SYMBOL(migrate_device_finalize);
