// SPDX-License-Identifier: GPL-2.0
/*
 * Migration of one folio of coherent memory, for GUP.
 */
#include <linux/gfp.h>
#include <linux/memremap.h>
#include <linux/mm.h>

#include "../internal.h"
#include "devmem.h"
#include "migrate.h"

/*
 * Whether the contents of a page may be lost: it is poisoned, or its driver has reported
 * it as bad, and only that driver knows.
 */
static bool hmm_migrate_has_bad(struct folio *folio)
{
	if (hmm_migration_has_poisoned(folio))
		return true;
	return IS_ENABLED(CONFIG_HMM_DEVMEM) && hmm_devmem_owns_page(&folio->page) &&
	       hmm_devmem_has_bad(&folio->page, folio_nr_pages(folio));
}

/* Allocate a locked folio of system memory, as large as @folio; return its mpfn. */
static unsigned long hmm_migrate_alloc_dst(struct folio *folio)
{
	unsigned int order = folio_order(folio);
	struct folio *dst = folio_alloc(GFP_USER | __GFP_NOWARN, order);

	if (!dst)
		return 0;
	folio_lock(dst);
	return migrate_pfn(folio_pfn(dst)) |
	       (order ? MIGRATE_PFN_COMPOUND : 0);
}

/*
 * Copy @folio to a new folio; return its mpfn, or 0 if that fails. A page may be reported
 * as bad while it is copied.
 */
static unsigned long hmm_migrate_copy(struct folio *folio)
{
	unsigned long mpfn = hmm_migrate_alloc_dst(folio);
	struct folio *dst;

	if (!mpfn)
		return 0;
	dst = hmm_mpfn_folio(mpfn);
	if (!folio_mc_copy(dst, folio) && !hmm_migrate_has_bad(folio))
		return mpfn;
	folio_unlock(dst);
	folio_put(dst);
	return 0;
}

/**
 * migrate_device_coherent_folio() - migrate a coherent folio to system memory
 * @folio: the folio; the caller's reference is consumed
 *
 * For GUP, which must not pin device memory long-term.
 *
 * Context: Process context; may sleep.
 *
 * Return: 0 if it has migrated, or is mapped nowhere any more; -%EBUSY, with
 * nothing changed, if it is pinned or has a bad page, or no memory could be allocated.
 */
int migrate_device_coherent_folio(struct folio *folio)
{
	unsigned long dst = 0,
		      src = migrate_pfn(folio_pfn(folio)) | MIGRATE_PFN_MIGRATE;
	struct hmm_migration m = { .src = &src, .dst = &dst, .npages = 1 };
	bool mapped;

	folio_lock(folio);
	if (hmm_migrate_has_bad(folio) || !hmm_migration_get_anon_vma(folio)) {
		mapped = folio_mapped(folio);
		folio_unlock(folio);
		folio_put(folio);
		return mapped ? -EBUSY : 0;
	}
	if (folio_test_large(folio))
		src |= MIGRATE_PFN_COMPOUND;
	if (!hmm_migration_unmap(&m))
		return -EBUSY;

	dst = hmm_migrate_copy(folio);
	hmm_migration_commit(&m);
	hmm_migration_finalize(&m);
	return src & MIGRATE_PFN_MIGRATE ? 0 : -EBUSY;
}
