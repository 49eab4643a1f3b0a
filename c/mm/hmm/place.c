// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, commit stage: is what the driver handed in fit to be used?
 */
#include <linux/memremap.h>
#include <linux/migrate.h>

#include "../internal.h"
#include "migrate.h"

/**
 * hmm_migration_dst_fits() - can the driver's page take this place?
 * @m: the migration
 * @i: index of the word
 *
 * Return: true if the page in @m->dst is locked, new, as large as its word in
 * @m->src says, and of system memory or of the device that the request names.
 */
bool hmm_migration_dst_fits(struct hmm_migration *m, unsigned long i)
{
	struct page *page = migrate_pfn_to_page(m->dst[i]);
	struct folio *folio;

	if (!page)
		return false;
	folio = page_folio(page);
	if (page != &folio->page || !folio_test_locked(folio) ||
	    folio_nr_pages(folio) != mpfn_pages(m->src[i]))
		return false;

	/* Handed in twice, or in use elsewhere: not the engine's to free. */
	if (folio->mapping) {
		m->dst[i] = 0;
		return false;
	}

	if (!folio_is_zone_device(folio))
		return true;
	if (!folio_is_device_private(folio) && !folio_is_device_coherent(folio))
		return false;
	return !m->args || !m->args->pgmap_owner ||
	       page_pgmap(page)->owner == m->args->pgmap_owner;
}
