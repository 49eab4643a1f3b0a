// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, finalize stage: replace migration entries by mappings.
 *
 * A folio that had a single mapping is mapped by address, which its index in the
 * request gives: a run of such folios below one page table takes the lock once, and
 * needs no rmap walk. The mmap lock has been held since collect, so the migration
 * entry is still there, or was zapped and there is nothing to map. If it is not
 * there, and for all other folios, rmap is walked, one folio at a time: a migration
 * entry that is missed would refer to a folio that is freed.
 */
#include <linux/swap.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/pgtable.h>
#include <linux/rmap.h>
#include <linux/swapops.h>
#include <trace/events/migrate.h>

#include "../internal.h"
#include "migrate.h"

/**
 * struct hmm_remap - mpfns whose mappings lie in one page table
 * @m: the migration
 * @vma: the VMA
 * @pmdp: the PMD above the page table
 * @table: the PTE of the first mpfn
 * @addr: address of the first mpfn
 * @first: index of the first mpfn
 * @end: index after the last mpfn that can be in this page table
 * @result: the folio to be mapped for the current mpfn
 * @missing: a migration entry of the current mpfn was not found by address
 * @rmap: the mappings added so far
 * @last_pte: the last PTE that was created
 * @pfn: the pfn in @last_pte
 * @attr_key: hmm_remap_pte_attr_key() of @last_pte; 0 if none was created, or it is a
 *	device private entry
 * @step: pte_swp_offset_step() for all pfns; 0 if there is no such step, or only one
 *	mpfn
 * @last_step: @step once @last_old is set; otherwise 0
 * @last_old: a migration entry, of a single page, with the attributes of @last_pte
 * @last_old_pfn: the pfn in @last_old
 */
struct hmm_remap {
	struct hmm_migration *m;
	struct vm_area_struct *vma;
	pmd_t *pmdp;
	pte_t *table;
	unsigned long addr;
	unsigned long first;
	unsigned long end;
	struct folio *result;
	bool missing;
	struct anon_rmap_batch rmap;
	pte_t last_pte;
	unsigned long pfn;
	unsigned long attr_key;
	unsigned long step;
	unsigned long last_step;
	pte_t last_old;
	unsigned long last_old_pfn;
};

/*
 * All that the attributes of a present PTE depend on, as one number. The bits that
 * are not in the softleaf itself take the place of its pfn.
 */
static unsigned long hmm_remap_pte_attr_key(struct folio *result, pte_t old)
{
	unsigned long attr_key = softleaf_from_pte(old).val & ~SWP_PFN_MASK;

	BUILD_BUG_ON(SWP_PFN_BITS < 4);
	return attr_key | folio_test_dirty(result) |
	       !!pte_swp_soft_dirty(old) << 1 | !!pte_swp_uffd(old) << 2 |
	       BIT(3);
}

/* The PTE that differs from the previous one in the pfn only. */
static __always_inline pte_t hmm_remap_advance_pte(struct hmm_remap *r, unsigned long pfn)
{
	if (r->attr_key)
		r->last_pte = pte_advance_pfn(r->last_pte, pfn - r->pfn);
	else
		r->last_pte = pte_swp_advance(r->last_pte, pfn - r->pfn, r->step);
	r->pfn = pfn;
	return r->last_pte;
}

/*
 * The PTE for @page of the folio @result that replaces the migration entry @old.
 * Most present PTEs of a page table differ in the pfn only, so that the previous
 * one is used again (benchmark: to-ram-4k).
 */
static __always_inline pte_t hmm_remap_new_pte(struct hmm_remap *r,
					       struct folio *result,
					       struct page *page, pte_t old)
{
	unsigned long pfn = page_to_pfn(page), attr_key;

	attr_key = folio_is_device_private(result) ? 0 : hmm_remap_pte_attr_key(result, old);
	if (attr_key && attr_key == r->attr_key)
		return hmm_remap_advance_pte(r, pfn);
	r->last_pte = migration_entry_to_pte(r->vma, result, page, old);
	r->attr_key = attr_key;
	r->pfn = pfn;
	/* Until hmm_remap_page() sets a migration entry with these attributes. */
	r->last_step = 0;
	return r->last_pte;
}

/* Whether @pte is the migration entry of the page @pfn. */
static bool hmm_remap_is_migration_entry_of(pte_t pte, unsigned long pfn)
{
	softleaf_t entry;

	if (pte_none(pte) || pte_present(pte))
		return false;
	entry = softleaf_from_pte(pte);
	return softleaf_is_migration(entry) && softleaf_to_pfn(entry) == pfn;
}

/*
 * Map @nr pages of the resulting folio, from @page on, with @new and the PTEs that
 * follow it, in place of @nr migration entries from @ptep on, which differ from @old in
 * the pfn only. The page table lock is held.
 */
static __always_inline void hmm_remap_ptes(struct hmm_remap *r, pte_t *ptep,
					   pte_t old, pte_t new, struct page *page,
					   unsigned long nr)
{
	unsigned long addr = r->addr + (ptep - r->table) * PAGE_SIZE;
	rmap_t flags = softleaf_is_migration_read(softleaf_from_pte(old)) ?
		       RMAP_NONE : RMAP_EXCLUSIVE;
	struct folio *result = r->result;

	folio_ref_add(result, nr);
	if (!folio_test_anon(result))
		folio_add_file_rmap_ptes(result, page, nr, r->vma);
	else if (folio_test_large(result))
		folio_add_anon_rmap_ptes(result, page, nr, r->vma, addr, flags);
	else
		anon_rmap_batch_add(&r->rmap, result, addr, flags);

	if (pte_present(new))
		set_ptes(r->vma->vm_mm, addr, ptep, new, nr);
	else
		set_softleaf_ptes(r->vma->vm_mm, addr, ptep, new, nr);
	trace_remove_migration_pte(addr, pte_val(new), folio_order(result));
	update_mmu_cache_range(NULL, r->vma, addr, ptep, nr);
}

/*
 * Map the @nr pages of the folio that results from @src. The page table lock is
 * held. Some entries of a large folio may have been zapped meanwhile.
 */
static __always_inline void hmm_remap_folio(struct hmm_remap *r,
					    struct folio *src, pte_t *ptep,
					    unsigned long nr)
{
	struct page *page;
	unsigned long j, n;

	for (j = 0; j < nr; j += n) {
		pte_t old = ptep_get(ptep + j);

		n = 1;
		if (!hmm_remap_is_migration_entry_of(old, folio_pfn(src) + j)) {
			r->missing = true;
			continue;
		}
		n = softleaf_pte_batch(ptep + j, old, nr - j);
		page = folio_page(r->result, j);
		hmm_remap_ptes(r, ptep + j, old,
			       hmm_remap_new_pte(r, r->result, page, old), page, n);
	}
}

/*
 * Whether @old is the migration entry of the page @pfn and has the attributes of the
 * last one, and the resulting folio gets a PTE with the attributes of the last PTE.
 */
static __always_inline bool hmm_remap_is_alike(const struct hmm_remap *r, pte_t old,
					       unsigned long pfn)
{
	if (!r->last_step ||
	    !pte_same(old, pte_swp_advance(r->last_old, pfn - r->last_old_pfn, r->last_step)))
		return false;
	if (folio_is_device_private(r->result))
		return !r->attr_key;
	return r->attr_key && folio_test_dirty(r->result) == (r->attr_key & 1);
}

/* As hmm_remap_folio(), for a folio of one page (benchmarks: to-ram-4k, touch-512). */
static __always_inline void hmm_remap_page(struct hmm_remap *r, struct folio *src,
					   pte_t *ptep)
{
	struct page *page = &r->result->page;
	pte_t old = ptep_get(ptep), new;

	if (hmm_remap_is_alike(r, old, folio_pfn(src))) {
		new = hmm_remap_advance_pte(r, page_to_pfn(page));
	} else if (hmm_remap_is_migration_entry_of(old, folio_pfn(src))) {
		new = hmm_remap_new_pte(r, r->result, page, old);
		r->last_old = old;
		r->last_old_pfn = folio_pfn(src);
		r->last_step = r->step;
	} else {
		r->missing = true;
		return;
	}
	hmm_remap_ptes(r, ptep, old, new, page, 1);
}

/* Map the folio of one mpfn. Return the number of PTEs. */
static unsigned long hmm_remap_mpfn(struct hmm_remap *r, unsigned long i,
				    pte_t *ptep)
{
	struct folio *src = hmm_mpfn_head(r->m->src[i]);
	unsigned long nr = folio_nr_pages(src);

	r->result = hmm_migration_resulting_folio(r->m, i);
	if (nr == 1)
		hmm_remap_page(r, src, ptep);
	else
		hmm_remap_folio(r, src, ptep, nr);
	return nr;
}

/* Whether the folio of an mpfn can be mapped by address. */
static bool hmm_remap_by_address(const struct hmm_migration *m, unsigned long i)
{
	return m->vma && hmm_migration_singly_mapped(hmm_mpfn_head(m->src[i]));
}

/* Whether an mpfn has no folio to be mapped. */
static bool hmm_remap_has_no_folio(const struct hmm_migration *m, unsigned long i)
{
	return !(m->src[i] & MIGRATE_PFN_VALID);
}

/*
 * Map the folios of one page table. Return the index of the first mpfn that cannot
 * be mapped by address, or of which a migration entry is missing.
 */
static unsigned long hmm_remap_pte_table(struct hmm_remap *r)
{
	unsigned long i = r->first, n;
	spinlock_t *ptl;	/* of the table */
	pte_t *ptep;

	r->table = pte_offset_map_lock(r->vma->vm_mm, r->pmdp, r->addr, &ptl);
	if (!r->table) {
		r->missing = true;
		return i;
	}

	if (r->end - i > 1)
		r->step = pte_swp_offset_step(softleaf_to_pte(make_readable_migration_entry(0)),
					      BIT(SWP_PFN_BITS));
	lazy_mmu_mode_enable();
	for (ptep = r->table; i < r->end; i += n, ptep += n) {
		n = 1;
		if (hmm_remap_has_no_folio(r->m, i))
			continue;
		if (!hmm_remap_by_address(r->m, i))
			break;
		n = hmm_remap_mpfn(r, i, ptep);
		if (r->missing)
			break;
	}
	lazy_mmu_mode_disable();
	anon_rmap_batch_flush(&r->rmap);
	/* Before the task can go to another CPU: see hmm_collect_flush(). */
	if (READ_ONCE(r->vma->vm_flags) & VM_LOCKED)
		mlock_drain_local();
	pte_unmap_unlock(r->table, ptl);

	return i;
}

/**
 * hmm_migration_map() - replace all migration entries of a folio, by rmap
 * @src: the folio of the migration entries
 * @result: the folio to be mapped instead, @src or the one it has migrated to
 *
 * Context: Process context; may sleep. Both folios are locked.
 */
void hmm_migration_map(struct folio *src, struct folio *result)
{
	replace_migration_pmds(src, result);
	remove_migration_ptes(src, result, 0);
	/* A part may have been unmapped while the folio was on a device. */
	deferred_split_partly_unmapped(result);
}

/**
 * hmm_migration_remap() - replace the migration entries of a run of mpfns
 * @m: the migration
 * @i: index of the first mpfn
 *
 * Map the hmm_migration_resulting_folio() of each mpfn in place of its migration
 * entries.
 *
 * Context: Process context; may sleep. The mmap lock is held if @m->args is not
 * %NULL. Both folios of each mpfn are locked.
 *
 * Return: the number of mpfns handled.
 */
unsigned long hmm_migration_remap(struct hmm_migration *m, unsigned long i)
{
	struct hmm_remap r = { .m = m, .first = i, .end = m->npages };
	unsigned long nr = hmm_mpfn_nr_pages(m->src[i]);
	struct folio *src;

	if (hmm_remap_has_no_folio(m, i)) {
		while (++i < m->npages && hmm_remap_has_no_folio(m, i))
			;
		return i - r.first;
	}

	src = hmm_mpfn_head(m->src[i]);
	if (hmm_remap_by_address(m, i)) {
		r.vma = m->vma;
		r.rmap.vma = r.vma;
		r.addr = hmm_migration_addr(m, i);
		r.pmdp = mm_find_pmd(r.vma->vm_mm, r.addr);
	}
	if (!r.pmdp) {
		hmm_migration_map(src, hmm_migration_resulting_folio(m, i));
		return nr;
	}
	if (folio_test_pmd_mappable(src) &&
	    replace_migration_pmd(r.vma, r.addr, r.pmdp, src,
				  hmm_migration_resulting_folio(m, i)))
		return nr;

	r.end = i + ((pmd_addr_end(r.addr, r.addr + ((r.end - i) << PAGE_SHIFT)) -
		      r.addr) >> PAGE_SHIFT);
	i = hmm_remap_pte_table(&r);
	if (r.missing) {
		hmm_migration_map(hmm_mpfn_head(m->src[i]),
				  hmm_migration_resulting_folio(m, i));
		i += hmm_mpfn_nr_pages(m->src[i]);
	}
	return i - r.first;
}
