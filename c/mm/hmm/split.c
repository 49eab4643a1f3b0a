// SPDX-License-Identifier: GPL-2.0
/*
 * Migration: splitting large folios.
 */
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/rmap.h>

#include "../internal.h"
#include "migrate.h"

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
/*
 * Split a folio that is locked, referenced and mapped nowhere into single pages,
 * which are locked and referenced then. The reference of the fault handler would
 * prevent the split; it is dropped meanwhile, and is one to the faulting page
 * afterwards.
 */
static bool hmm_split_unmapped(const struct migrate_vma *args,
			       struct folio *folio)
{
	bool faulting = hmm_is_fault_folio(args, folio);
	int ret;

	if (faulting)
		folio_put(folio);
	ret = folio_split_unmapped_to_pages(folio);
	if (faulting)
		folio_get(page_folio(args->fault_page));
	return !ret;
}

/**
 * hmm_migration_split() - split an unmapped src folio
 * @m: the migration
 * @i: index of its mpfn
 *
 * Also split the huge migration entries of the folio, in each process that maps it,
 * as none may be left once the folio is split. Each piece gets an mpfn.
 *
 * Return: whether it was split.
 */
bool hmm_migration_split(struct hmm_migration *m, unsigned long i)
{
	struct folio *folio = hmm_mpfn_head(m->src[i]);
	unsigned long pfn = folio_pfn(folio), nr = folio_nr_pages(folio), j;
	unsigned long flags = m->src[i] & (BIT(MIGRATE_PFN_SHIFT) - 1);
	bool singly_mapped = hmm_migration_singly_mapped(folio);

	if (i + nr > m->npages || !folio_test_anon(folio))
		return false;
	split_migration_pmds(folio);
	if (!hmm_split_unmapped(m->args, folio))
		return false;

	flags &= ~MIGRATE_PFN_COMPOUND;
	for (j = 0; j < nr; j++) {
		m->src[i + j] = migrate_pfn(pfn + j) | flags;
		folio = hmm_mpfn_head(m->src[i + j]);
		if (singly_mapped)
			hmm_migration_set_singly_mapped(folio);
		/* Each piece is released separately. */
		if (!m->args && j)
			get_anon_vma(folio_anon_vma(folio));
	}
	return true;
}

/*
 * Split a mapped folio of coherent memory. split_huge_page() would put the pieces on
 * an LRU list. The piece with @page stays locked and referenced.
 */
static bool hmm_split_coherent(const struct migrate_vma *args,
			       struct folio *folio, struct page *page)
{
	unsigned long nr = folio_nr_pages(folio), i;
	struct page *head = &folio->page;
	bool split;

	try_to_migrate(folio, TTU_SPLIT_HUGE_PMD);
	split = !folio_mapped(folio) && hmm_split_unmapped(args, folio);
	if (!split)
		nr = 1;

	for (i = 0; i < nr; i++) {
		folio = page_folio(head + i);
		remove_migration_ptes(folio, folio, 0);
		if (split && head + i != page) {
			folio_unlock(folio);
			folio_put(folio);
		}
	}
	return split;
}

/**
 * hmm_migration_split_mapped() - split a mapped folio
 * @args: the request
 * @folio: a large folio, locked and referenced
 *
 * Afterwards @folio, whether split or not, is locked and referenced as before. If
 * it is the folio of the CPU fault, the piece with the faulting page is instead.
 *
 * Context: process context; may sleep.
 * Return: whether it was split.
 */
bool hmm_migration_split_mapped(const struct migrate_vma *args,
				struct folio *folio)
{
	struct page *page = &folio->page;
	bool split;

	if (folio_is_device_coherent(folio))
		return hmm_split_coherent(args, folio, page);
	if (!hmm_is_fault_folio(args, folio))
		return !split_huge_page(page);

	/* One reference is the migration's, and one the fault handler's. */
	page = args->fault_page;
	folio_put(folio);
	split = !split_huge_page(page);
	folio_get(page_folio(page));
	return split;
}
#else
bool hmm_migration_split(struct hmm_migration *m, unsigned long i)
{
	return false;
}

bool hmm_migration_split_mapped(const struct migrate_vma *args,
				struct folio *folio)
{
	return false;
}
#endif
