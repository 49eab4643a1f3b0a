// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, collect stage: pages given by their device pfns. There is no page
 * table to walk. Folios that are in use are locked, and the unmap stage finds
 * their mappings by rmap.
 */
#include <linux/export.h>
#include <linux/memremap.h>
#include <linux/mm.h>

#include "migrate.h"

/*
 * A poisoned page does not migrate, or its contents would be copied. Unmap it, so that its
 * memory can be removed: try_to_migrate() replaces its PTEs by markers. The pages of a
 * large folio are needed one by one for that. Return whether the folio was split.
 */
static bool hmm_collect_unmap_poisoned(struct folio *folio)
{
	if (folio_test_large(folio))
		return hmm_migration_split_mapped(NULL, folio);
	try_to_migrate(folio, TTU_SYNC);
	return false;
}

/*
 * Lock the folio whose head is the pfn in @src, and replace this pfn and those of
 * its tail pages by mpfns. Return the number of pages handled; 0 if the folio had to be
 * split, and is to be looked at again.
 *
 * A folio that extends past the end of the array does not migrate. Tail pages
 * without their head, and free pages, have no reference to take; their mpfn is 0.
 *
 * A folio that is mapped nowhere does not migrate, either. Another migration may
 * just have unlocked it, and be about to drop the last reference: its contents and
 * its memcg charge are elsewhere by now, and its anon_vma may be freed.
 *
 * Nor does one of system memory: nothing here checks whether it may, and the driver would
 * copy pages of files.
 */
static unsigned long hmm_collect_pfn(unsigned long *src, unsigned long left)
{
	unsigned long pfn = *src, nr;
	struct folio *folio;
	bool split = false;

	*src = 0;
	folio = folio_get_nontail_page(pfn_to_page(pfn));
	if (!folio)
		return 1;
	if (!folio_trylock(folio)) {
		folio_put(folio);
		return 1;
	}

	nr = folio_nr_pages(folio);
	if (nr <= left && folio_is_zone_device(folio)) {
		if (hmm_migration_has_poisoned(folio)) {
			split = hmm_collect_unmap_poisoned(folio);
		} else if (hmm_migration_get_anon_vma(folio)) {
			memset(src, 0, nr * sizeof(*src));
			*src = migrate_pfn(pfn) | MIGRATE_PFN_MIGRATE;
			if (nr > 1)
				*src |= MIGRATE_PFN_COMPOUND;
			return nr;
		}
	}
	folio_unlock(folio);
	folio_put(folio);
	if (!split)
		return 1;
	*src = pfn;
	return 0;
}

/**
 * hmm_migration_detach() - go on without the mmap lock
 * @args: a request of which migrate_vma_setup() has collected device pages
 *
 * From here on it is a migration by pfn, which ends with migrate_device_pages() and
 * migrate_device_finalize(): take the references to anon_vmas. They exist, as the VMA
 * mapped the folios, and it cannot change under the mmap lock.
 *
 * Context: the mmap lock is held.
 */
void hmm_migration_detach(const struct migrate_vma *args)
{
	unsigned long i;

	hmm_migration_assert_locked(args);
	for (i = 0; i < args->npages; i += hmm_mpfn_nr_pages(args->src[i])) {
		struct folio *folio;

		if (!(args->src[i] & MIGRATE_PFN_VALID))
			continue;
		folio = hmm_mpfn_head(args->src[i]);
		hmm_migration_clear_singly_mapped(folio);
		if (folio_test_anon(folio))
			get_anon_vma(folio_anon_vma(folio));
	}
}

/**
 * migrate_device_pfns() - begin to migrate device pages, given by their pfns
 * @src: on entry the pfns, with those of a large folio one after the other; on
 *	return the mpfns, as from migrate_vma_setup(), but never with
 *	%MIGRATE_PFN_WRITE and never a hole
 * @npages: length of @src
 *
 * For a driver that needs its memory back and does not know which processes map
 * it. Pages that are free or locked do not migrate. Nor do poisoned ones, which are
 * unmapped: an access to them fails.
 *
 * Context: Process context; may sleep. Needs no mmap lock.
 *
 * Return: 0, also if no page can migrate; -%EINVAL, with nothing changed, if @src
 * is %NULL or has a pfn without a struct page.
 */
int migrate_device_pfns(unsigned long *src, unsigned long npages)
{
	struct hmm_migration m = { .src = src, .npages = npages };
	u64 began = hmm_trace_begin(hmm_collect);
	unsigned long i;

	if (!src)
		return -EINVAL;
	for (i = 0; i < npages; i++)
		if (!pfn_valid(src[i]))
			return -EINVAL;

	for (i = 0; i < npages; )
		i += hmm_collect_pfn(&src[i], npages - i);
	hmm_migration_unmap(&m);
	if (began)
		hmm_trace_stage(hmm_collect, &m, hmm_migration_pages(&m), began);
	return 0;
}
EXPORT_SYMBOL(migrate_device_pfns);

/**
 * migrate_device_range() - begin to migrate a range of device pages
 * @src: array for the mpfns
 * @start: first pfn
 * @npages: number of pages
 *
 * As migrate_device_pfns(), for consecutive pfns.
 *
 * Context: Process context; may sleep. Needs no mmap lock.
 *
 * Return: as migrate_device_pfns().
 */
int migrate_device_range(unsigned long *src, unsigned long start,
			 unsigned long npages)
{
	unsigned long i;

	if (!src)
		return -EINVAL;
	for (i = 0; i < npages; i++)
		src[i] = start + i;
	return migrate_device_pfns(src, npages);
}
EXPORT_SYMBOL(migrate_device_range);
