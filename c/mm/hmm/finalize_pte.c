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
#include <trace/events/thp.h>

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

/* The device private entry that replaces a migration entry. */
static pte_t hmm_remap_private_pte(struct page *page, softleaf_t entry,
				   pte_t old)
{
	unsigned long pfn = page_to_pfn(page);
	pte_t pte = softleaf_to_pte(softleaf_is_migration_write(entry) ?
				    make_writable_device_private_entry(pfn) :
				    make_readable_device_private_entry(pfn));

	if (pte_swp_soft_dirty(old))
		pte = pte_swp_mksoft_dirty(pte);
	return pte_swp_uffd(old) ? pte_swp_mkuffd(pte) : pte;
}

/* The present PTE that replaces a migration entry; see hmm_remap_new_pte(). */
static noinline pte_t hmm_remap_present_pte(struct vm_area_struct *vma,
					    struct folio *result,
					    struct page *page, pte_t old)
{
	softleaf_t entry = softleaf_from_pte(old);
	pte_t pte = mk_pte(page, READ_ONCE(vma->vm_page_prot));

	if (!softleaf_is_migration_young(entry))
		pte = pte_mkold(pte);
	if (softleaf_is_migration_dirty(entry) && folio_test_dirty(result))
		pte = pte_mkdirty(pte);
	pte = pte_swp_soft_dirty(old) ? pte_mksoft_dirty(pte) :
					pte_clear_soft_dirty(pte);

	if (softleaf_is_migration_write(entry))
		pte = pte_mkwrite(pte, vma);
	else if (pte_swp_uffd(old))
		pte = pte_mkuffd(pte);
	if (pte_swp_uffd(old) && userfaultfd_rwp(vma))
		pte = pte_modify(pte, PAGE_NONE);
	return pte;
}

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

	if (folio_is_device_private(result)) {
		attr_key = 0;
		r->last_pte = hmm_remap_private_pte(page, softleaf_from_pte(old), old);
	} else {
		attr_key = hmm_remap_pte_attr_key(result, old);
		if (attr_key == r->attr_key)
			return hmm_remap_advance_pte(r, pfn);
		r->last_pte = hmm_remap_present_pte(r->vma, result, page, old);
	}
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

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
/* As hmm_remap_private_pte(), for a huge page. */
static pmd_t hmm_remap_private_pmd(struct folio *folio, pmd_t pmd, pmd_t old)
{
	unsigned long pfn = folio_pfn(folio);

	pmd = softleaf_to_pmd(pmd_write(pmd) ?
			      make_writable_device_private_entry(pfn) :
			      make_readable_device_private_entry(pfn));
	if (pmd_swp_soft_dirty(old))
		pmd = pmd_swp_mksoft_dirty(pmd);
	return pmd_swp_uffd(old) ? pmd_swp_mkuffd(pmd) : pmd;
}

/* The PMD for @folio that replaces the migration entry @old. */
static pmd_t hmm_remap_new_pmd(struct vm_area_struct *vma, struct folio *folio,
			       pmd_t old)
{
	softleaf_t entry = softleaf_from_pmd(old);
	pmd_t pmd = folio_mk_pmd(folio, READ_ONCE(vma->vm_page_prot));

	if (!softleaf_is_migration_young(entry))
		pmd = pmd_mkold(pmd);
	if (softleaf_is_migration_dirty(entry) && folio_test_dirty(folio))
		pmd = pmd_mkdirty(pmd);
	pmd = pmd_swp_soft_dirty(old) ? pmd_mksoft_dirty(pmd) :
					pmd_clear_soft_dirty(pmd);

	if (softleaf_is_migration_write(entry))
		pmd = pmd_mkwrite(pmd, vma);
	if (pmd_swp_uffd(old)) {
		pmd = pmd_mkuffd(pmd);
		if (userfaultfd_rwp(vma))
			pmd = pmd_modify(pmd, PAGE_NONE);
	}
	return folio_is_device_private(folio) ?
		       hmm_remap_private_pmd(folio, pmd, old) :
		       pmd;
}

/*
 * Map a huge page in place of a migration entry of @src. The PMD lock is held.
 * Return false if there is no such entry.
 *
 * remove_migration_pmd() is not used: it takes the soft-dirty bit of a device
 * private entry for the write bit of a present PMD, and warns.
 */
static bool hmm_remap_pmd(struct vm_area_struct *vma, unsigned long addr,
			  pmd_t *pmdp, struct folio *src, struct folio *result)
{
	pmd_t old = pmdp_get(pmdp), new;
	softleaf_t entry;

	if (!pmd_is_migration_entry(old))
		return false;
	entry = softleaf_from_pmd(old);
	if (softleaf_to_pfn(entry) != folio_pfn(src))
		return false;

	new = hmm_remap_new_pmd(vma, result, old);
	folio_get(result);
	if (folio_test_anon(result))
		folio_add_anon_rmap_pmd(result, &result->page, vma, addr,
					softleaf_is_migration_read(entry) ?
						RMAP_NONE :
						RMAP_EXCLUSIVE);
	else
		folio_add_file_rmap_pmd(result, &result->page, vma);
	set_pmd_at(vma->vm_mm, addr, pmdp, new);
	update_mmu_cache_pmd(vma, addr, pmdp);
	trace_remove_migration_pmd(addr, pmd_val(new));
	return true;
}

static bool hmm_remap_huge(struct hmm_remap *r)
{
	struct folio *src = hmm_mpfn_head(r->m->src[r->first]);
	spinlock_t *ptl = pmd_lock(r->vma->vm_mm, r->pmdp);
	bool huge = hmm_remap_pmd(r->vma, r->addr, r->pmdp, src,
				  hmm_migration_resulting_folio(r->m, r->first));

	spin_unlock(ptl);
	return huge;
}

/* rmap walk callback: map a huge page in one VMA. */
static bool hmm_remap_huge_one(struct folio *result, struct vm_area_struct *vma,
			       unsigned long addr, void *arg)
{
	struct folio *src = arg;
	DEFINE_FOLIO_VMA_WALK(pvmw, src, vma, addr, PVMW_SYNC | PVMW_MIGRATION);

	if (page_vma_mapped_walk(&pvmw)) {
		if (!pvmw.pte)
			hmm_remap_pmd(vma, pvmw.address, pvmw.pmd, src, result);
		page_vma_mapped_walk_done(&pvmw);
	}
	return true;
}

static void hmm_remap_huge_by_rmap(struct folio *src, struct folio *result)
{
	struct rmap_walk_control rwc = {
		.rmap_one = hmm_remap_huge_one,
		.arg = src,
	};

	if (folio_test_pmd_mappable(src))
		rmap_walk(result, &rwc);
}
#else
static bool hmm_remap_huge(struct hmm_remap *r)
{
	return false;
}

static void hmm_remap_huge_by_rmap(struct folio *src, struct folio *result)
{
}
#endif

/*
 * A part of the folio was unmapped while it was on a device, where no flag records it:
 * have it split in system memory, or the unmapped part is lost until the rest is freed.
 */
static void hmm_remap_queue_split(struct folio *result)
{
	int mapped;

	if (folio_order(result) < 2 || !folio_test_anon(result) ||
	    folio_is_zone_device(result) || folio_entire_mapcount(result))
		return;
	mapped = folio_mapcount(result);
	if (mapped && mapped < folio_nr_pages(result))
		deferred_split_folio(result, true);
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
	hmm_remap_huge_by_rmap(src, result);
	remove_migration_ptes(src, result, 0);
	hmm_remap_queue_split(result);
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
	if (folio_test_pmd_mappable(src) && hmm_remap_huge(&r))
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
