// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, finalize stage: back into the page tables.
 *
 * A page that had one mapping is mapped again where that was, which its place
 * in the request says: a run of such pages below one page table takes its lock
 * once, and no reverse mapping walk. The mmap lock has been held since, so the
 * entry is still there, or has been zapped and there is nothing to map. All
 * other pages are looked up in the reverse mapping, one by one.
 */
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/pgtable.h>
#include <linux/rmap.h>
#include <linux/swapops.h>
#include <trace/events/migrate.h>

#include "../internal.h"
#include "migrate.h"

/**
 * struct remapping - a run of words whose mappings lie in one page table
 * @m: the migration
 * @vma: what they are in
 * @pmdp: the PMD above the table
 * @addr: address of the first
 * @first: index of the first
 * @end: index after the last
 */
struct remapping {
	struct hmm_migration *m;
	struct vm_area_struct *vma;
	pmd_t *pmdp;
	unsigned long addr;
	unsigned long first;
	unsigned long end;
};

/* The entry for a device private page, in place of @pte for a present one. */
static pte_t private_pte(struct page *page, pte_t pte, pte_t old)
{
	unsigned long pfn = page_to_pfn(page);

	pte = softleaf_to_pte(pte_write(pte) ?
			      make_writable_device_private_entry(pfn) :
			      make_readable_device_private_entry(pfn));
	if (pte_swp_soft_dirty(old))
		pte = pte_swp_mksoft_dirty(pte);
	return pte_swp_uffd(old) ? pte_swp_mkuffd(pte) : pte;
}

/* The mapping of @page that the migration entry @old asks for. */
static pte_t restored_pte(struct vm_area_struct *vma, struct page *page,
			  pte_t old)
{
	softleaf_t entry = softleaf_from_pte(old);
	pte_t pte = mk_pte(page, READ_ONCE(vma->vm_page_prot));

	if (!softleaf_is_migration_young(entry))
		pte = pte_mkold(pte);
	if (softleaf_is_migration_dirty(entry) && PageDirty(page))
		pte = pte_mkdirty(pte);
	pte = pte_swp_soft_dirty(old) ? pte_mksoft_dirty(pte) :
					pte_clear_soft_dirty(pte);

	if (softleaf_is_migration_write(entry))
		pte = pte_mkwrite(pte, vma);
	else if (pte_swp_uffd(old))
		pte = pte_mkuffd(pte);
	if (pte_swp_uffd(old) && userfaultfd_rwp(vma))
		pte = pte_modify(pte, PAGE_NONE);

	return is_device_private_page(page) ? private_pte(page, pte, old) : pte;
}

/* Does @pte stand for the page @pfn, which is being migrated? */
static bool stands_for(pte_t pte, unsigned long pfn)
{
	softleaf_t entry;

	if (pte_none(pte) || pte_present(pte))
		return false;
	entry = softleaf_from_pte(pte);
	return softleaf_is_migration(entry) && softleaf_to_pfn(entry) == pfn;
}

/* Maps the folio that is to stay, one page large. The table is locked. */
static void remap_pte(struct vm_area_struct *vma, unsigned long addr,
		      pte_t *ptep, struct folio *keeper)
{
	pte_t old = ptep_get(ptep), new;
	bool shared = softleaf_is_migration_read(softleaf_from_pte(old));

	folio_get(keeper);
	new = restored_pte(vma, &keeper->page, old);
	if (folio_test_anon(keeper))
		folio_add_anon_rmap_pte(keeper, &keeper->page, vma, addr,
					shared ? RMAP_NONE : RMAP_EXCLUSIVE);
	else
		folio_add_file_rmap_pte(keeper, &keeper->page, vma);
	set_pte_at(vma->vm_mm, addr, ptep, new);
	trace_remove_migration_pte(addr, pte_val(new), 0);
	update_mmu_cache(vma, addr, ptep);
}

static void remap_table(struct remapping *r)
{
	unsigned long addr = r->addr, i;
	pte_t *table, *ptep;
	spinlock_t *ptl;	/* of @table */

	table = pte_offset_map_lock(r->vma->vm_mm, r->pmdp, addr, &ptl);
	if (!table)
		return;

	lazy_mmu_mode_enable();
	for (i = r->first, ptep = table; i < r->end;
	     i++, ptep++, addr += PAGE_SIZE) {
		struct page *page = migrate_pfn_to_page(r->m->src[i]);

		if (page && stands_for(ptep_get(ptep), page_to_pfn(page)))
			remap_pte(r->vma, addr, ptep,
				  hmm_migration_keeper(r->m, i));
	}
	lazy_mmu_mode_disable();
	pte_unmap_unlock(table, ptl);

	if (READ_ONCE(r->vma->vm_flags) & VM_LOCKED)
		mlock_drain_local();
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
/* Fails if the huge entry has been zapped, or split to zap a part of it. */
static bool remap_huge(struct remapping *r)
{
	struct folio *src = mpfn_folio(r->m->src[r->first]);
	struct page_vma_mapped_walk pvmw = {
		.vma = r->vma,
		.address = r->addr,
		.pmd = r->pmdp,
	};
	bool huge;

	pvmw.ptl = pmd_lock(r->vma->vm_mm, r->pmdp);
	huge = pmd_is_migration_entry(*r->pmdp) &&
	       softleaf_to_pfn(softleaf_from_pmd(*r->pmdp)) == folio_pfn(src);
	if (huge)
		remove_migration_pmd(&pvmw,
				     hmm_migration_keeper(r->m, r->first));
	spin_unlock(pvmw.ptl);
	return huge;
}
#else
static bool remap_huge(struct remapping *r)
{
	return false;
}
#endif

/* May this word be mapped again by its place in the request? */
static bool has_place(const struct hmm_migration *m, unsigned long i)
{
	return m->args && (m->src[i] & MPFN_SOLE);
}

/**
 * hmm_migration_remap() - map what came of a run of words
 * @m: the migration
 * @i: index of the first word
 *
 * Replaces the migration entries of each word's page by mappings of what
 * hmm_migration_keeper() says.
 *
 * Context: Process context; may sleep. The mmap lock is held if @m->args is
 * not NULL. Both folios of each word are locked.
 *
 * Return: the number of words dealt with.
 */
unsigned long hmm_migration_remap(struct hmm_migration *m, unsigned long i)
{
	struct folio *src = mpfn_folio(m->src[i]);
	struct remapping r = { .m = m, .first = i, .end = i + 1 };
	unsigned long limit;

	if (!src)
		return 1;
	if (has_place(m, i)) {
		r.vma = m->args->vma;
		r.addr = m->args->start + (i << PAGE_SHIFT);
		r.pmdp = mm_find_pmd(r.vma->vm_mm, r.addr);
	}
	if (!r.pmdp || (folio_test_large(src) && !remap_huge(&r))) {
		remove_migration_ptes(src, hmm_migration_keeper(m, i), 0);
		return 1;
	}
	if (folio_test_large(src))
		return 1;

	limit = i + ((pmd_addr_end(r.addr, m->args->end) - r.addr) >> PAGE_SHIFT);
	while (r.end < limit && has_place(m, r.end) &&
	       !(m->src[r.end] & MIGRATE_PFN_COMPOUND))
		r.end++;
	remap_table(&r);
	return r.end - r.first;
}
