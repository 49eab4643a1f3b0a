// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, commit stage: insert the driver's pages into holes.
 *
 * For an empty PTE, or the zero page, the driver may provide a page. It becomes an
 * anonymous page of the process, as after a page fault.
 *
 * Small pages are inserted in runs, one for each page table: first each page is
 * prepared, which can sleep or fail, then the page table is locked once.
 */
#include <linux/ksm.h>
#include <linux/memcontrol.h>
#include <linux/memremap.h>
#include <linux/mm_inline.h>
#include <linux/oom.h>
#include <linux/pgalloc.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/userfaultfd_k.h>
#include <linux/vmstat.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "commit_check.h"
#include "migrate.h"

/**
 * struct hmm_insert - a run of holes below one PMD
 * @m: the migration
 * @vma: the VMA of the holes
 * @pmdp: the PMD above them
 * @addr: address of the first hole
 * @first: index of the first hole
 * @end: index after the last hole
 * @failed: memory for one of the pages could not be allocated or charged
 * @rmap: the mappings added so far
 */
struct hmm_insert {
	struct hmm_migration *m;
	struct vm_area_struct *vma;
	pmd_t *pmdp;
	unsigned long addr;
	unsigned long first;
	unsigned long end;
	bool failed;
	struct anon_rmap_batch rmap;
};

/* Whether an mpfn is a hole into which a page may still be inserted. */
static bool hmm_mpfn_is_hole(unsigned long mpfn)
{
	return (mpfn & MIGRATE_PFN_MIGRATE) && !(mpfn & MIGRATE_PFN_VALID);
}

/* Leave all holes of the run empty. Their folios are not prepared. */
static void hmm_insert_cancel_holes(struct hmm_insert *f)
{
	unsigned long i;

	for (i = f->first; i < f->end; i++) {
		f->m->src[i] &= ~MIGRATE_PFN_MIGRATE;
		hmm_migration_dst_unused(f->m, i);
	}
}

/*
 * Whether a folio is prepared for a hole of this page table. One that is charged is,
 * as a new folio is not. Without memory cgroups it is marked, until it is inserted.
 */
static bool hmm_insert_is_prepared(struct folio *folio)
{
	return mem_cgroup_disabled() ? folio_test_private_2(folio) :
				       folio_memcg_charged(folio);
}

/* Mark a folio as prepared, where no charge shows it. */
static void hmm_insert_mark_prepared(struct folio *folio)
{
	if (mem_cgroup_disabled())
		folio_set_private_2(folio);
}

/* Remove the mark of hmm_insert_mark_prepared(). */
static void hmm_insert_unmark_prepared(struct folio *folio)
{
	if (mem_cgroup_disabled())
		folio_clear_private_2(folio);
}

/*
 * As hmm_insert_cancel_holes(), for a hole whose folio is prepared. The folio is
 * uncharged, as it was when the driver handed it in, so that it can be handed in
 * again.
 */
static void hmm_insert_cancel(struct hmm_insert *f, unsigned long i)
{
	struct folio *folio = hmm_mpfn_folio(f->m->dst[i]);

	mem_cgroup_uncharge(folio);
	hmm_insert_unmark_prepared(folio);
	f->m->src[i] &= ~MIGRATE_PFN_MIGRATE;
	hmm_migration_dst_unused(f->m, i);
}

/* Cancel each hole of the run whose folio is prepared. */
static void hmm_insert_cancel_all(struct hmm_insert *f)
{
	unsigned long i;

	for (i = f->first; i < f->end; i++)
		if (hmm_mpfn_is_hole(f->m->src[i]))
			hmm_insert_cancel(f, i);
}

/* Whether a PTE maps the zero page. */
static bool hmm_insert_pte_is_zero_page(pte_t pte)
{
	return pte_present(pte) && is_zero_pfn(pte_pfn(pte));
}

/* The PMD of @addr, allocated if need be; NULL if there is no memory. */
static pmd_t *hmm_insert_alloc_pmd(struct mm_struct *mm, unsigned long addr)
{
	p4d_t *p4d = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	pud_t *pud = p4d ? pud_alloc(mm, p4d, addr) : NULL;

	return pud ? pmd_alloc(mm, pud, addr) : NULL;
}

/*
 * Whether a page fault would not insert a page here now: the OOM reaper has run, or
 * userfaultfd is to handle missing pages. Both take the page table lock, which the
 * caller holds.
 */
static bool hmm_insert_vma_unstable(struct vm_area_struct *vma)
{
	return check_stable_address_space(vma->vm_mm) ||
	       userfaultfd_missing(vma);
}

/* Add the new folio to the LRU (system memory only); take a reference for its mapping. */
static void hmm_insert_account_new_folio(struct vm_area_struct *vma,
					 struct folio *folio)
{
	if (!folio_is_zone_device(folio))
		folio_add_lru_vma(folio, vma);
	folio_get(folio);
}

/* The device private entry of a new page. Not writable if userfaultfd protects it. */
static softleaf_t hmm_insert_private_entry(struct vm_area_struct *vma,
					   struct folio *folio, bool guarded)
{
	if ((vma->vm_flags & VM_WRITE) && !guarded)
		return make_writable_device_private_entry(folio_pfn(folio));
	return make_readable_device_private_entry(folio_pfn(folio));
}

/*
 * The PTE for a new page. It is dirty, like that of a page that the process has
 * faulted in by a write. If userfaultfd protects the zero page that was mapped
 * there, it protects the new page in the same way: from writes, or from all
 * accesses (RWP), for which the PTE is PROT_NONE.
 */
static pte_t hmm_insert_new_pte(struct vm_area_struct *vma, struct folio *folio,
				pte_t old)
{
	bool guarded = pte_present(old) && pte_uffd(old);
	pte_t pte;

	if (folio_is_device_private(folio)) {
		pte = softleaf_to_pte(hmm_insert_private_entry(vma, folio,
							       guarded));
		if (vma->vm_flags & VM_WRITE)
			pte = pte_swp_mksoft_dirty(pte);
		return guarded ? pte_swp_mkuffd(pte) : pte;
	}

	pte = mk_pte(&folio->page, vma->vm_page_prot);
	if (vma->vm_flags & VM_WRITE)
		pte = pte_mkwrite(pte_mkdirty(pte), vma);
	if (!guarded)
		return pte;
	pte = pte_mkuffd(pte_wrprotect(pte));
	return userfaultfd_rwp(vma) ? pte_modify(pte, PAGE_NONE) : pte;
}

/*
 * Clear the PTEs of zero pages in a run, with one TLB flush. The page table lock is
 * held until the new pages are inserted. PTEs that userfaultfd protects are left,
 * for their uffd bit; they are rare.
 */
static void hmm_insert_clear_zero_ptes(struct hmm_insert *f, pte_t *ptep)
{
	unsigned long addr = f->addr, flush_start = ULONG_MAX, flush_end = 0, i;

	for (i = f->first; i < f->end; i++, ptep++, addr += PAGE_SIZE) {
		pte_t pte = ptep_get(ptep);

		if (!hmm_insert_pte_is_zero_page(pte) ||
		    !hmm_mpfn_is_hole(f->m->src[i]) || pte_uffd(pte))
			continue;
		flush_cache_page(f->vma, addr, pte_pfn(pte));
		ptep_get_and_clear(f->vma->vm_mm, addr, ptep);
		ksm_might_unmap_zero_page(f->vma->vm_mm, pte);
		flush_start = min(flush_start, addr);
		flush_end = addr + PAGE_SIZE;
	}

	if (flush_end)
		flush_tlb_range(f->vma, flush_start, flush_end);
}

/* Insert one page. The page table lock is held. */
static bool hmm_insert_pte(struct hmm_insert *f, unsigned long addr,
			   pte_t *ptep, struct folio *folio)
{
	pte_t old = ptep_get(ptep);

	if (!pte_none(old) && !hmm_insert_pte_is_zero_page(old))
		return false;

	hmm_insert_unmark_prepared(folio);
	anon_rmap_batch_add_new(&f->rmap, folio, addr);
	hmm_insert_account_new_folio(f->vma, folio);
	if (pte_present(old)) {
		flush_cache_page(f->vma, addr, pte_pfn(old));
		ptep_clear_flush(f->vma, addr, ptep);
		ksm_might_unmap_zero_page(f->vma->vm_mm, old);
	}
	set_pte_at(f->vma->vm_mm, addr, ptep,
		   hmm_insert_new_pte(f->vma, folio, old));
	update_mmu_cache(f->vma, addr, ptep);
	return true;
}

/* Insert the prepared folio of one hole, or cancel it. Return whether it is mapped. */
static bool hmm_insert_one(struct hmm_insert *f, unsigned long i,
			   unsigned long addr, pte_t *ptep)
{
	struct folio *folio = hmm_mpfn_folio(f->m->dst[i]);

	if (hmm_insert_pte(f, addr, ptep, folio))
		return true;
	hmm_insert_cancel(f, i);
	return false;
}

/* Insert the prepared folios of the run, under one hold of the page table lock. */
static void hmm_insert_ptes(struct hmm_insert *f)
{
	unsigned long addr = f->addr, filled = 0, i;
	pte_t *table, *ptep;
	spinlock_t *ptl;	/* of @table */

	table = pte_offset_map_lock(f->vma->vm_mm, f->pmdp, addr, &ptl);
	if (!table) {
		hmm_insert_cancel_all(f);
		return;
	}

	if (hmm_insert_vma_unstable(f->vma)) {
		hmm_insert_cancel_all(f);
	} else {
		hmm_insert_clear_zero_ptes(f, table);
		for (i = f->first, ptep = table; i < f->end;
		     i++, ptep++, addr += PAGE_SIZE)
			if (hmm_mpfn_is_hole(f->m->src[i]))
				filled += hmm_insert_one(f, i, addr, ptep);
		add_mm_counter(f->vma->vm_mm, MM_ANONPAGES, filled);
		anon_rmap_batch_flush(&f->rmap);
	}
	pte_unmap_unlock(table, ptl);
}

/*
 * Charge a new folio, and take the other steps that may sleep or fail before it can
 * be mapped. Freeing the folio uncharges it.
 */
static bool hmm_insert_prepare_folio(struct hmm_insert *f, struct folio *folio,
				     gfp_t gfp)
{
	if (mem_cgroup_charge(folio, f->vma->vm_mm, gfp))
		return false;

	/* Orders the driver's writes before the PTE that makes them visible. */
	__folio_mark_uptodate(folio);
	return true;
}

/* Make sure that the VMA has an anon_vma, and the PMD a page table. */
static bool hmm_insert_prepare_table(struct hmm_insert *f)
{
	pmd_t pmd = pmdp_get_lockless(f->pmdp);

	if (pmd_trans_huge(pmd) && is_huge_zero_pmd(pmd))
		split_huge_pmd(f->vma, f->pmdp, f->addr);
	return !anon_vma_prepare(f->vma) && !pte_alloc(f->vma->vm_mm, f->pmdp);
}

/*
 * A hole that gets no page stays a hole, so that no process has to be killed if
 * there is no memory or the memcg is at its limit.
 */
#define HMM_INSERT_GFP (GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/*
 * Prepare the folio for one hole, unless preparing one has failed before. If the driver
 * has handed in a folio for two holes of this page table, the first one keeps it, also if
 * that is not empty any more.
 */
static bool hmm_insert_prepare_small(struct hmm_insert *f, unsigned long i)
{
	struct folio *folio;

	if (f->failed || !hmm_migration_dst_valid(f->m, i))
		return false;
	folio = hmm_mpfn_folio(f->m->dst[i]);
	if (hmm_insert_is_prepared(folio))
		return false;
	f->failed = !hmm_insert_prepare_folio(f, folio, HMM_INSERT_GFP);
	if (f->failed)
		return false;
	hmm_insert_mark_prepared(folio);
	return true;
}

/* The mpfn at @i uses no folio: neither its own, nor one that is prepared for another. */
static void hmm_insert_dst_unused(struct hmm_insert *f, unsigned long i)
{
	unsigned long dst = f->m->dst[i];

	if ((dst & MIGRATE_PFN_VALID) && hmm_insert_is_prepared(hmm_mpfn_folio(dst)))
		f->m->dst[i] = 0;
	else
		hmm_migration_dst_unused(f->m, i);
}

/* Prepare and insert small pages. May sleep; the mmap lock is held. */
static void hmm_insert_small(struct hmm_insert *f)
{
	unsigned long i;

	if (!hmm_insert_prepare_table(f)) {
		hmm_insert_cancel_holes(f);
		return;
	}

	for (i = f->first; i < f->end; i++) {
		if (hmm_mpfn_is_hole(f->m->src[i]) && hmm_insert_prepare_small(f, i))
			continue;
		f->m->src[i] &= ~MIGRATE_PFN_MIGRATE;
		hmm_insert_dst_unused(f, i);
	}
	hmm_insert_ptes(f);
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
static bool hmm_insert_huge(struct hmm_insert *f)
{
	struct mm_struct *mm = f->vma->vm_mm;
	struct folio *folio;
	pgtable_t table;
	bool filled;

	if (!hmm_migration_dst_valid(f->m, f->first))
		return false;
	folio = hmm_mpfn_folio(f->m->dst[f->first]);
	if (anon_vma_prepare(f->vma))
		return false;
	if (!hmm_insert_prepare_folio(f, folio, vma_thp_gfp_mask(f->vma))) {
		count_vm_event(THP_FAULT_FALLBACK);
		count_mthp_stat(HPAGE_PMD_ORDER,
				MTHP_STAT_ANON_FAULT_FALLBACK_CHARGE);
		return false;
	}
	table = pte_alloc_one(mm);
	if (!table) {
		mem_cgroup_uncharge(folio);
		return false;
	}

	filled = map_new_anon_folio_pmd(f->vma, f->addr, f->pmdp, folio, &table);
	if (table)
		pte_free(mm, table);
	if (!filled)
		mem_cgroup_uncharge(folio);
	return filled;
}
#else
static bool hmm_insert_huge(struct hmm_insert *f)
{
	return false;
}
#endif

/**
 * hmm_migration_split_hole() - split a huge hole into small ones
 * @m: the migration
 * @i: index of its mpfn
 */
void hmm_migration_split_hole(struct hmm_migration *m, unsigned long i)
{
	unsigned long end = min(i + hmm_mpfn_nr_pages(m->src[i]), m->npages);

	for (m->src[i] &= ~MIGRATE_PFN_COMPOUND; ++i < end; )
		m->src[i] |= MIGRATE_PFN_MIGRATE;
}

/**
 * hmm_migration_insert() - insert the driver's pages into a run of holes
 * @m: the migration
 * @i: index of the first hole, which has a page in @dst
 *
 * Clear %MIGRATE_PFN_MIGRATE in the mpfns of holes that stay holes. A page that was
 * inserted is mapped; the migration keeps its reference and lock until finalize.
 *
 * Context: Process context; the mmap lock is held for reading, and secondary
 * MMUs were notified of the range.
 *
 * Return: the number of mpfns handled.
 */
unsigned long hmm_migration_insert(struct hmm_migration *m, unsigned long i)
{
	struct hmm_insert f = {
		.m = m,
		.vma = m->vma,
		.rmap.vma = m->vma,
		.addr = hmm_migration_addr(m, i),
		.first = i,
		.end = i + 1,
	};
	unsigned long limit;

	f.pmdp = vma_is_anonymous(f.vma) ?
			 hmm_insert_alloc_pmd(f.vma->vm_mm, f.addr) :
			 NULL;
	if (!f.pmdp) {
		hmm_insert_cancel_holes(&f);
		return 1;
	}

	if (m->src[i] & m->dst[i] & MIGRATE_PFN_COMPOUND) {
		/* As setup has found it, unless the driver has changed the request. */
		if (!IS_ALIGNED(f.addr, PMD_SIZE) || !hmm_insert_huge(&f))
			hmm_insert_cancel_holes(&f);
		return hmm_mpfn_nr_pages(m->src[i]);
	}
	limit = i + ((pmd_addr_end(f.addr, hmm_migration_addr(m, m->npages)) -
		      f.addr) >> PAGE_SHIFT);
	while (f.end < limit && !(m->src[f.end] & MIGRATE_PFN_VALID))
		f.end++;
	hmm_insert_small(&f);
	return f.end - f.first;
}
