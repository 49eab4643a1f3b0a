// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, first stage: tables of small entries.
 *
 * A page, or a large folio that the entries map as a whole, is grabbed and
 * unmapped at once; the TLB is flushed once for all of a table.
 */
#include <linux/bitmap.h>
#include <linux/memremap.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "collect.h"

static bool pte_is_hole(const struct migrate_vma *args, pte_t pte)
{
	if (pte_none(pte))
		return vma_is_anonymous(args->vma);
	return pte_present(pte) && is_zero_pfn(pte_pfn(pte)) &&
	       (args->flags & MIGRATE_VMA_SELECT_SYSTEM);
}

static bool pte_maps_writable(pte_t pte)
{
	if (pte_present(pte))
		return pte_write(pte);
	return softleaf_is_device_private_write(softleaf_from_pte(pte));
}

/* The page that an entry maps, for the CPU or for a device; else NULL. */
static struct page *pte_maps_page(struct vm_area_struct *vma,
				  unsigned long addr, pte_t pte)
{
	softleaf_t entry;

	if (pte_present(pte))
		return vm_normal_page(vma, addr, pte);

	entry = softleaf_from_pte(pte);
	return softleaf_is_device_private(entry) ? softleaf_to_page(entry) : NULL;
}

/* Does an entry map, for the CPU or for a device, the page with this number? */
static bool pte_maps_pfn(pte_t pte, unsigned long pfn)
{
	softleaf_t entry;

	if (pte_present(pte))
		return pte_pfn(pte) == pfn;
	if (pte_none(pte))
		return false;
	entry = softleaf_from_pte(pte);
	return softleaf_is_device_private(entry) &&
	       softleaf_to_pfn(entry) == pfn;
}

/*
 * The migration entry that takes the place of @pte. All that the page table
 * knows of the page, and that the new mapping must have, is in it.
 */
static pte_t migration_pte(unsigned long pfn, pte_t pte, bool exclusive)
{
	softleaf_t entry;
	pte_t new;

	if (pte_maps_writable(pte))
		entry = make_writable_migration_entry(pfn);
	else if (exclusive)
		entry = make_readable_exclusive_migration_entry(pfn);
	else
		entry = make_readable_migration_entry(pfn);

	if (!pte_present(pte)) {
		new = softleaf_to_pte(entry);
		if (pte_swp_soft_dirty(pte))
			new = pte_swp_mksoft_dirty(new);
		return pte_swp_uffd(pte) ? pte_swp_mkuffd(new) : new;
	}

	if (pte_young(pte))
		entry = make_migration_entry_young(entry);
	if (pte_dirty(pte))
		entry = make_migration_entry_dirty(entry);
	new = softleaf_to_pte(entry);
	if (pte_soft_dirty(pte))
		new = pte_swp_mksoft_dirty(new);
	return pte_uffd(pte) ? pte_swp_mkuffd(new) : new;
}

/*
 * Whether the page was written to. A CPU that has the page in its TLB as
 * writable and clean may write until the flush, which comes later; only where
 * the architecture batches flushes in reclaim too does it promise that such a
 * write finds the entry gone.
 */
static bool pte_may_be_dirty(pte_t pte)
{
	if (IS_ENABLED(CONFIG_ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH))
		return pte_dirty(pte);
	return pte_dirty(pte) || pte_write(pte);
}

/*
 * Puts a migration entry in place of a PTE that maps a page of a folio that is
 * grabbed. The page table lock is held. Fails if the folio is pinned.
 *
 * The TLB flush is left to the end of the table. Until then a CPU may go on
 * writing to the page; nobody copies it before that. A pin cannot be missed
 * for it: GUP-fast reads page tables, not TLBs.
 */
static bool unmap_pte(struct collector *c, unsigned long addr, pte_t *ptep,
		      struct folio *folio, struct page *page)
{
	struct vm_area_struct *vma = c->args->vma;
	bool exclusive = folio_test_anon(folio) && PageAnonExclusive(page);
	pte_t pte = ptep_get(ptep);

	if (pte_present(pte))
		flush_cache_page(vma, addr, pte_pfn(pte));
	pte = ptep_get_and_clear(vma->vm_mm, addr, ptep);

	if (exclusive && folio_try_share_anon_rmap_pte(folio, page)) {
		set_pte_at(vma->vm_mm, addr, ptep, pte);
		return false;
	}

	if (pte_present(pte)) {
		if (pte_may_be_dirty(pte) && !folio_test_dirty(folio))
			folio_mark_dirty(folio);
		c->flush_start = min(c->flush_start, addr);
		c->flush_end = addr + PAGE_SIZE;
	}
	set_pte_at(vma->vm_mm, addr, ptep,
		   migration_pte(page_to_pfn(page), pte, exclusive));
	return true;
}

/*
 * Unmaps the @nr pages of a folio from the position on. The page table lock is
 * held. Fails if none could be unmapped. If not all could, the folio has been
 * pinned meanwhile, and the unmap stage puts it back.
 */
static bool unmap_ptes(struct collector *c, pte_t *ptep, struct folio *folio,
		       struct page *page, unsigned long nr)
{
	unsigned long addr = position(c), i;

	for (i = 0; i < nr; i++, addr += PAGE_SIZE)
		if (!unmap_pte(c, addr, ptep + i, folio, page + i))
			break;
	if (!i)
		return false;

	/* The mappings are gone, and with them their counts and references. */
	folio_remove_rmap_ptes(folio, page, i, c->args->vma);
	folio_put_refs(folio, i);
	return true;
}

/*
 * Are all pages of a large folio mapped in a row from @ptep on, within the
 * @left entries that there are? Notes whether all of them are writable.
 */
static bool maps_whole(pte_t *ptep, struct folio *folio, unsigned long left,
		       bool *writable)
{
	unsigned long pfn = folio_pfn(folio), nr = folio_nr_pages(folio), i;

	if (nr > left || folio_test_has_hwpoisoned(folio))
		return false;
	for (i = 0; i < nr; i++) {
		pte_t pte = ptep_get(ptep + i);

		if (!pte_maps_pfn(pte, pfn + i))
			return false;
		*writable &= pte_maps_writable(pte);
	}
	return true;
}

/*
 * The words for a page that an entry maps. The page table lock is held.
 * Returns the number of entries dealt with; 0 if it belongs to a large folio,
 * which is then in @c->large, and has to be split first.
 */
static unsigned long collect_page(struct collector *c, pte_t *ptep,
				  unsigned long left, struct page *page)
{
	struct folio *folio = page_folio(page);
	unsigned long word = migrate_pfn(page_to_pfn(page)) | MIGRATE_PFN_MIGRATE;
	bool writable = pte_maps_writable(ptep_get(ptep));
	unsigned long nr = 1, end;

	if (folio == c->whole || !collect_selects(c->args, folio) ||
	    !collect_grab(c, folio)) {
		put_word(c, 0);
		return 1;
	}
	if (folio_test_large(folio)) {
		if (!(c->args->flags & HMM_MIGRATE_ANY_ORDER) ||
		    !(c->args->flags & MIGRATE_VMA_SELECT_COMPOUND) ||
		    !maps_whole(ptep, folio, left, &writable)) {
			c->large = folio;
			return 0;
		}
		nr = folio_nr_pages(folio);
	}

	if (writable)
		word |= MIGRATE_PFN_WRITE;
	end = position(c) + (nr << PAGE_SHIFT);
	if (!unmap_ptes(c, ptep, folio, page, nr)) {
		migration_release(c->args, folio);
		put_words(c, end, 0);
	} else if (nr > 1) {
		put_large_word(c, end, word);
	} else {
		put_word(c, word);
	}
	return nr;
}

/* As collect_page(), for whatever stands at the position. */
static unsigned long collect_pte(struct collector *c, pte_t *ptep,
				 unsigned long left)
{
	pte_t pte = ptep_get(ptep);
	struct page *page = NULL;

	if (pte_is_hole(c->args, pte)) {
		put_word(c, MIGRATE_PFN_MIGRATE);
		return 1;
	}
	if (!pte_none(pte))
		page = pte_maps_page(c->args->vma, position(c), pte);
	if (page && !PageHWPoison(page))
		return collect_page(c, ptep, left, page);

	put_word(c, 0);
	return 1;
}

/* The one TLB flush of a table. Its lock is held. */
static void flush_table(struct collector *c)
{
	if (c->flush_end)
		flush_tlb_range(c->args->vma, c->flush_start, c->flush_end);
	c->flush_start = ULONG_MAX;
	c->flush_end = 0;
}

/**
 * collect_table() - collect what a page table maps
 * @pmdp: the PMD above it
 * @end: end of the part of it that is asked for; the position is its start
 * @walk: the walk, which may be told to come again
 */
int collect_table(pmd_t *pmdp, unsigned long end, struct mm_walk *walk)
{
	struct collector *c = walk->private;
	pte_t *table, *ptep;
	unsigned long done;
	spinlock_t *ptl;	/* of @table */

	table = pte_offset_map_lock(walk->mm, pmdp, position(c), &ptl);
	if (!table) {
		walk->action = ACTION_AGAIN;
		return 0;
	}

	lazy_mmu_mode_enable();
	for (ptep = table; position(c) < end; ptep += done) {
		done = collect_pte(c, ptep, (end - position(c)) >> PAGE_SHIFT);
		if (!done)
			break;
	}
	lazy_mmu_mode_disable();
	flush_table(c);
	pte_unmap_unlock(table, ptl);

	return c->large ? collect_split(c, walk) : 0;
}

/*
 * Is there something that the process has, and that a fault would bring? Holes
 * are not: there the driver puts its own. What is in a device's memory stays.
 */
static bool is_absent(softleaf_t entry)
{
	return softleaf_is_swap(entry) || softleaf_is_migration(entry) ||
	       softleaf_is_device_exclusive(entry);
}

/* Must pages that the process may write to be writable before they move? */
static bool wants_write(const struct migrate_vma *args)
{
	return (args->flags & HMM_MIGRATE_FAULT_WRITE) &&
	       (args->vma->vm_flags & VM_WRITE);
}

/* Would a fault bring what the driver wants? Zeros are as good as a hole. */
static bool pte_wants_fault(const struct migrate_vma *args, pte_t pte)
{
	if (pte_none(pte))
		return false;
	if (!pte_present(pte))
		return is_absent(softleaf_from_pte(pte));
	return wants_write(args) && !pte_write(pte) &&
	       !is_zero_pfn(pte_pfn(pte));
}

static bool pmd_wants_fault(const struct migrate_vma *args, pmd_t pmd)
{
	if (pmd_present(pmd))
		return wants_write(args) && !pmd_write(pmd) &&
		       !is_huge_zero_pmd(pmd);
	return HMM_PMD_SOFTLEAVES && is_absent(softleaf_from_pmd(pmd));
}

/*
 * Notes in @absent which entries from the position to @end want a fault. A huge
 * one has the first bit.
 */
static void find_absent(struct collector *c, pmd_t *pmdp, unsigned long end,
			unsigned long *absent)
{
	unsigned long i, nr = (end - position(c)) >> PAGE_SHIFT;
	pmd_t pmd = pmdp_get_lockless(pmdp);
	pte_t *table;

	bitmap_zero(absent, PTRS_PER_PTE);
	if (pmd_none(pmd))
		return;
	if (!pmd_present(pmd) || pmd_trans_huge(pmd)) {
		if (pmd_wants_fault(c->args, pmd))
			__set_bit(0, absent);
		return;
	}

	table = pte_offset_map(pmdp, position(c));
	if (!table)
		return;
	for (i = 0; i < nr; i++)
		if (pte_wants_fault(c->args, ptep_get_lockless(table + i)))
			__set_bit(i, absent);
	pte_unmap(table);
}

/* Faults for the pages in @absent, one by one; no lock but the mmap lock. */
static void fault_in(struct collector *c, const unsigned long *absent)
{
	struct vm_area_struct *vma = c->args->vma;
	unsigned int flags = 0;
	unsigned long i;

	if (vma->vm_mm != current->mm)
		flags |= FAULT_FLAG_REMOTE;
	if (wants_write(c->args))
		flags |= FAULT_FLAG_WRITE;
	for_each_set_bit(i, absent, PTRS_PER_PTE) {
		if (fatal_signal_pending(current))
			break;
		handle_mm_fault(vma, position(c) + (i << PAGE_SHIFT), flags,
				NULL);
		cond_resched();
	}
}

/**
 * collect_fault_in() - fault in the absent pages below a PMD
 * @c: the collector
 * @pmdp: the PMD
 * @end: end of the part that is asked for; the position is its start
 *
 * Done once for each PMD. What cannot be faulted in gets the word 0 later. A
 * huge page that is written to may come back as a table of small ones, of which
 * one is writable: so the table is looked at again.
 *
 * Return: whether the walk can go on; else there are absent pages, and secondary
 * MMUs wait for the end of this migration.
 */
bool collect_fault_in(struct collector *c, pmd_t *pmdp, unsigned long end)
{
	DECLARE_BITMAP(absent, PTRS_PER_PTE);
	int pass;

	if (!(c->args->flags & HMM_MIGRATE_FAULT) || position(c) < c->faulted)
		return true;

	for (pass = 0; pass < 2; pass++) {
		find_absent(c, pmdp, end, absent);
		if (bitmap_empty(absent, PTRS_PER_PTE))
			break;
		if (c->notified)
			return false;
		c->faulted = end;
		fault_in(c, absent);
	}
	return true;
}
