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
#include <linux/userfaultfd_k.h>
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

/**
 * struct leaf - an entry of a table
 * @ptep: where it is
 * @pte: what it is. Only what is present can change: a CPU notes its accesses.
 * @page: the page that it maps, for the CPU or for a device; else NULL
 * @writable: whether that may be written to
 */
struct leaf {
	pte_t *ptep;
	pte_t pte;
	struct page *page;
	bool writable;
};

static struct leaf read_leaf(struct vm_area_struct *vma, unsigned long addr,
			     pte_t *ptep)
{
	struct leaf leaf = { .ptep = ptep, .pte = ptep_get(ptep) };
	softleaf_t entry;

	if (pte_none(leaf.pte))
		return leaf;
	if (pte_present(leaf.pte)) {
		leaf.page = vm_normal_page(vma, addr, leaf.pte);
		leaf.writable = pte_write(leaf.pte);
		return leaf;
	}
	entry = softleaf_from_pte(leaf.pte);
	if (softleaf_is_device_private(entry)) {
		leaf.page = softleaf_to_page(entry);
		leaf.writable = softleaf_is_device_private_write(entry);
	}
	return leaf;
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
 * The migration entry that takes the place of a leaf, which is @pte by now. All
 * that the page table knows of the page, and that the new mapping must have, is
 * in it.
 */
static pte_t migration_pte(const struct leaf *leaf, pte_t pte, bool exclusive)
{
	unsigned long pfn = page_to_pfn(leaf->page);
	softleaf_t entry;
	pte_t new;

	if (leaf->writable)
		entry = make_writable_migration_entry(pfn);
	else if (exclusive)
		entry = make_readable_exclusive_migration_entry(pfn);
	else
		entry = make_readable_migration_entry(pfn);

	if (!pte_present(leaf->pte)) {
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

/* The process has written to it. Only files count dirty pages. */
static void mark_dirty(struct folio *folio)
{
	if (folio_test_dirty(folio))
		return;
	if (folio_test_anon(folio))
		folio_set_dirty(folio);
	else
		folio_mark_dirty(folio);
}

/*
 * Puts a migration entry in place of a leaf that maps a page of a folio that is
 * locked. The page table lock is held. Fails if the folio is pinned.
 *
 * The TLB flush is left to the end of the table. Until then a CPU may go on
 * writing to the page; nobody copies it before that. A pin cannot be missed
 * for it: GUP-fast reads page tables, not TLBs.
 */
static __always_inline bool unmap_leaf(struct collector *c, unsigned long addr,
				       const struct leaf *leaf,
				       struct folio *folio)
{
	struct vm_area_struct *vma = c->args->vma;
	bool exclusive = folio_test_anon(folio) && PageAnonExclusive(leaf->page);
	bool present = pte_present(leaf->pte);
	pte_t pte = leaf->pte;

	if (present) {
		flush_cache_page(vma, addr, pte_pfn(pte));
		pte = ptep_get_and_clear(vma->vm_mm, addr, leaf->ptep);
	}
	if (exclusive && folio_try_share_anon_rmap_pte(folio, leaf->page)) {
		set_pte_at(vma->vm_mm, addr, leaf->ptep, pte);
		return false;
	}
	if (present) {
		if (pte_may_be_dirty(pte))
			mark_dirty(folio);
		if (!c->flush_end)
			c->flush_start = addr;
		c->flush_end = addr + PAGE_SIZE;
	}
	set_pte_at(vma->vm_mm, addr, leaf->ptep,
		   migration_pte(leaf, pte, exclusive));
	return true;
}

/*
 * Unmaps @nr pages of a folio, the first of which @leaf maps at the position.
 * The page table lock is held. Fails if none could be unmapped. If not all
 * could, the folio has been pinned meanwhile, and the unmap stage puts it back.
 * Each mapping had counts and a reference, of which one becomes the
 * migration's. @writable says that all of them are known to be writable.
 */
static __always_inline bool unmap_leaves(struct collector *c, struct leaf leaf,
					 struct folio *folio, unsigned long nr,
					 bool writable)
{
	unsigned long addr = position(c), i = 0;
	struct page *page = leaf.page;

	while (unmap_leaf(c, addr, &leaf, folio) && ++i < nr) {
		addr += PAGE_SIZE;
		leaf.page++;
		leaf.pte = ptep_get(++leaf.ptep);
		leaf.writable = writable || pte_maps_writable(leaf.pte);
	}
	if (!i)
		return false;

	if (mapped_is_simple(folio)) {
		mapped_remove(&c->unmapped, folio, c->args->vma);
		return true;
	}
	folio_remove_rmap_ptes(folio, page, i, c->args->vma);
	folio_put_refs(folio, i - 1);
	return true;
}

/*
 * As unmap_leaves(), for all of a folio of private memory that may be written
 * to. It cannot be pinned, its pages are exclusive and no CPU changes the
 * entries; so what takes their place differs in the page only, by @step
 * (benchmark: home-64k).
 */
static void unmap_private(struct collector *c, struct leaf leaf,
			  struct folio *folio, unsigned long step)
{
	unsigned long addr = position(c), nr = folio_nr_pages(folio), i;
	pte_t new = migration_pte(&leaf, leaf.pte, true);

	for (i = 0; i < nr; i++, addr += PAGE_SIZE) {
		ClearPageAnonExclusive(leaf.page + i);
		set_pte_at(c->args->vma->vm_mm, addr, leaf.ptep + i, new);
		new = __pte(pte_val(new) + step);
	}
	folio_remove_rmap_ptes(folio, leaf.page, nr, c->args->vma);
	folio_put_refs(folio, nr - 1);
}

/**
 * struct whole - what is known of the entries that map all of a large folio
 * @writable: all of its pages may be written to
 * @step: by how much each entry is larger than the one before; 0 if they differ
 *	in more than the page
 */
struct whole {
	bool writable;
	unsigned long step;
};

/*
 * Are all pages of a large folio mapped in a row from @ptep on, within the
 * @left entries that there are?
 */
static bool maps_whole(pte_t *ptep, struct folio *folio, unsigned long left,
		       struct whole *whole)
{
	unsigned long pfn = folio_pfn(folio), nr = folio_nr_pages(folio), i;
	pte_t first = ptep_get(ptep);
	unsigned long step;

	if (nr > left || folio_test_has_hwpoisoned(folio) ||
	    !pte_maps_pfn(first, pfn))
		return false;
	step = pte_step(first, nr);
	whole->step = step;
	for (i = 1; i < nr; i++) {
		pte_t pte = ptep_get(ptep + i);

		if (pte_val(pte) == pte_val(first) + i * step)
			continue;
		if (!pte_maps_pfn(pte, pfn + i))
			return false;
		whole->writable &= pte_maps_writable(pte);
		whole->step = 0;
	}
	return true;
}

/* The word for the page that a leaf maps. */
static unsigned long leaf_word(const struct leaf *leaf, bool writable)
{
	return migrate_pfn(page_to_pfn(leaf->page)) | MIGRATE_PFN_MIGRATE |
	       (writable ? MIGRATE_PFN_WRITE : 0);
}

/*
 * As collect_page(), for a page of a large folio, which is locked. A function
 * of its own leaves small ones more registers (benchmark: out-4k, home-4k).
 */
static noinline unsigned long collect_large(struct collector *c,
					    struct leaf leaf,
					    struct folio *folio,
					    unsigned long left)
{
	struct whole whole = { .writable = leaf.writable };
	unsigned long nr = folio_nr_pages(folio);

	if (!(c->args->flags & HMM_MIGRATE_ANY_ORDER) ||
	    !(c->args->flags & MIGRATE_VMA_SELECT_COMPOUND) ||
	    !maps_whole(leaf.ptep, folio, left, &whole)) {
		folio_get(folio);
		c->large = folio;
		return 0;
	}

	if (whole.writable && whole.step && !pte_present(leaf.pte)) {
		unmap_private(c, leaf, folio, whole.step);
	} else if (!unmap_leaves(c, leaf, folio, nr, whole.writable)) {
		migration_unlock(c->args, folio);
		put_words(c, position(c) + (nr << PAGE_SHIFT), 0);
		return nr;
	}
	put_large_word(c, nr, leaf_word(&leaf, whole.writable));
	return nr;
}

/*
 * The words for the page that a leaf maps. The page table lock is held. Returns
 * the number of entries dealt with; 0 if it belongs to a large folio, which is
 * then in @c->large, and has to be split first.
 */
static unsigned long collect_page(struct collector *c, struct leaf leaf,
				  unsigned long left)
{
	struct folio *folio = page_folio(leaf.page);
	unsigned long word = 0;

	if (folio != c->whole && collect_selects(c->args, folio) &&
	    collect_lock(c, folio)) {
		if (folio_test_large(folio))
			return collect_large(c, leaf, folio, left);
		if (unmap_leaves(c, leaf, folio, 1, leaf.writable))
			word = leaf_word(&leaf, leaf.writable);
		else
			migration_unlock(c->args, folio);
	}
	put_word(c, word);
	return 1;
}

/* As collect_page(), for whatever stands at the position. */
static unsigned long collect_pte(struct collector *c, pte_t *ptep,
				 unsigned long left)
{
	struct leaf leaf = read_leaf(c->args->vma, position(c), ptep);

	if (leaf.page && !PageHWPoison(leaf.page))
		return collect_page(c, leaf, left);

	put_word(c, !leaf.page && pte_is_hole(c->args, leaf.pte) ?
		    MIGRATE_PFN_MIGRATE : 0);
	return 1;
}

/* The one TLB flush of a table, and the one count. Its lock is held. */
static void flush_table(struct collector *c)
{
	mapped_tell(&c->unmapped);
	if (c->flush_end)
		flush_tlb_range(c->args->vma, c->flush_start, c->flush_end);
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

/*
 * Must pages that the process may write to be writable before they move? Not
 * where a userfaultfd protects them: that would have to be waited for, which
 * takes a fault that may drop the mmap lock.
 */
static bool wants_write(const struct migrate_vma *args)
{
	return (args->flags & HMM_MIGRATE_FAULT_WRITE) &&
	       (args->vma->vm_flags & VM_WRITE) && !userfaultfd_protected(args->vma);
}

/*
 * Would a fault bring what the driver wants, and if it wants to @write? Zeros
 * are as good as a hole.
 */
static bool pte_wants_fault(pte_t pte, bool write)
{
	if (pte_none(pte))
		return false;
	if (!pte_present(pte))
		return is_absent(softleaf_from_pte(pte));
	return write && !pte_write(pte) && !is_zero_pfn(pte_pfn(pte));
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
	const bool write = wants_write(c->args);
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
		if (pte_wants_fault(ptep_get_lockless(table + i), write))
			__set_bit(i, absent);
	pte_unmap(table);
}

/*
 * Faults for the pages in @absent, one by one; no lock but the mmap lock. When
 * there is no memory for one of them there is none for the others. Other errors
 * are of one page, which then stays absent.
 */
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
		vm_fault_t ret;

		if (fatal_signal_pending(current))
			break;
		ret = handle_mm_fault(vma, position(c) + (i << PAGE_SHIFT),
				      flags, NULL);
		if (ret & VM_FAULT_OOM)
			break;
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
 * MMUs wait for the end of this migration. At the start of the request it always
 * goes on, so that each request gets somewhere: what became absent since the
 * notification, because a folio was split or another migration began, then gets
 * the word 0.
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
			return position(c) == c->args->start;
		c->faulted = end;
		fault_in(c, absent);
	}
	return true;
}
