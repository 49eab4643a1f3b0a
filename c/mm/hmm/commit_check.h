/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Migration, commit stage: validation of the driver's pages. Inlined, as it is done
 * for each page (benchmark: touch-512, out-absent).
 */
#ifndef _MM_HMM_COMMIT_CHECK_H
#define _MM_HMM_COMMIT_CHECK_H

#include <linux/memremap.h>
#include <linux/migrate.h>

#include "migrate.h"

/* Whether the memory can have pages of a process, and is of the right owner. */
static inline bool hmm_dst_device_valid(const struct hmm_migration *m,
					const struct dev_pagemap *pgmap)
{
	if (pgmap->type != MEMORY_DEVICE_PRIVATE &&
	    pgmap->type != MEMORY_DEVICE_COHERENT)
		return false;
	return !m->args || !m->args->pgmap_owner ||
	       pgmap->owner == m->args->pgmap_owner;
}

/**
 * hmm_migration_dst_valid() - whether the driver's page can be used
 * @m: the migration
 * @i: index of the mpfn
 *
 * Return: true if the page in @m->dst is locked, new, as large as the page or hole
 * in @m->src, and of system memory or of the device that the request names. If not,
 * or if it is not used for another reason, hmm_migration_dst_unused() has to be called.
 */
static __always_inline bool hmm_migration_dst_valid(struct hmm_migration *m,
						    unsigned long i)
{
	struct page *page = migrate_pfn_to_page(m->dst[i]);
	struct folio *folio;

	if (!page)
		return false;
	folio = page_folio(page);
	if (page != &folio->page || !folio_test_locked(folio) ||
	    folio_nr_pages(folio) != hmm_mpfn_nr_pages(m->src[i]))
		return false;

	/* Given before, or in use elsewhere. The caller has to cancel. */
	if (folio->mapping || folio_test_private_2(folio))
		return false;

	return !folio_is_zone_device(folio) ||
	       hmm_dst_device_valid(m, folio->pgmap);
}

#endif /* _MM_HMM_COMMIT_CHECK_H */
