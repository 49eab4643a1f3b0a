// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, collect stage: page tables.
 *
 * A small page, or a large folio that consecutive PTEs map as a whole, is locked
 * and unmapped at once. The TLB is flushed once for a page table.
 */
#include <linux/bitmap.h>
#include <linux/memremap.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/userfaultfd_k.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "collect.h"

/* Whether the driver may insert a page here: nothing is mapped, or the zero page. */
static bool hmm_collect_is_hole(const struct migrate_vma *args, pte_t pte)
{
	if (pte_none(pte))
		return vma_is_anonymous(args->vma);
	return pte_present(pte) && is_zero_pfn(pte_pfn(pte)) &&
	       (args->flags & MIGRATE_VMA_SELECT_SYSTEM);
}

/* Whether a PTE, for the CPU or for a device, maps its page writable. */
static bool hmm_collect_pte_writable(pte_t pte)
{
	if (pte_present(pte))
		return pte_write(pte);
	return softleaf_is_device_private_write(softleaf_from_pte(pte));
}

/**
 * struct hmm_collect_leaf - a PTE, read once
 * @ptep: pointer to the PTE
 * @pte: its value. Under the page table lock, only the accessed and dirty bits of
 *	a present PTE can change.
 * @page: the page that it maps, for the CPU or for a device; else NULL
 * @writable: whether it maps the page writable
 */
struct hmm_collect_leaf {
	pte_t *ptep;
	pte_t pte;
	struct page *page;
	bool writable;
};

/* Read a PTE once, and decide what it maps. The page table lock is held. */
static struct hmm_collect_leaf hmm_collect_read_pte(struct vm_area_struct *vma,
						    unsigned long addr,
						    pte_t *ptep)
{
	struct hmm_collect_leaf leaf = { .ptep = ptep, .pte = ptep_get(ptep) };
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

/* Whether a PTE maps this pfn, for the CPU or for a device. */
static bool hmm_collect_pte_maps_pfn(pte_t pte, unsigned long pfn)
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
 * The migration entry that replaces a PTE, whose latest value is @pte. It has all
 * bits that the new mapping must have: writable, exclusive, young, dirty, soft-dirty
 * and uffd.
 */
static pte_t hmm_collect_migration_pte(const struct hmm_collect_leaf *leaf,
				       pte_t pte, bool exclusive)
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
 * Whether the page may be dirty. The TLB is flushed later; until then a CPU may
 * write through a TLB entry that is writable and clean. On architectures that batch
 * TLB flushes in reclaim such a write faults if the PTE was cleared; on others a
 * writable page counts as dirty.
 */
static bool hmm_collect_pte_dirty(pte_t pte)
{
	if (IS_ENABLED(CONFIG_ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH))
		return pte_dirty(pte);
	return pte_dirty(pte) || pte_write(pte);
}

/* Mark the folio of a dirty PTE. Only the page cache accounts dirty pages. */
static void hmm_collect_mark_dirty(struct folio *folio)
{
	if (folio_test_dirty(folio))
		return;
	if (folio_test_anon(folio))
		folio_set_dirty(folio);
	else
		folio_mark_dirty(folio);
}

/*
 * Replace the PTE of a page by a migration entry. The folio and the page table are
 * locked. Return false if the folio is pinned.
 *
 * The TLB is flushed at the end of the page table. Until then a CPU may write to
 * the page, which is not copied before. A pin cannot be missed: GUP-fast reads page
 * tables, not TLBs.
 */
static __always_inline bool
hmm_collect_unmap_pte(struct hmm_collect *c, unsigned long addr,
		      const struct hmm_collect_leaf *leaf, struct folio *folio)
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
		if (hmm_collect_pte_dirty(pte))
			hmm_collect_mark_dirty(folio);
		if (!c->flush_end)
			c->flush_start = addr;
		c->flush_end = addr + PAGE_SIZE;
	}
	set_pte_at(vma->vm_mm, addr, leaf->ptep,
		   hmm_collect_migration_pte(leaf, pte, exclusive));
	return true;
}

/*
 * Unmap @nr pages of a folio, of which @leaf maps the first at the position. The
 * page table lock is held. @writable: all PTEs are known to be writable.
 *
 * Each mapping had a reference; the migration takes over one of them.
 *
 * Return false if no page could be unmapped. If only some could, the folio was
 * pinned meanwhile, and the unmap stage maps it again.
 */
static __always_inline bool
hmm_collect_unmap_ptes(struct hmm_collect *c, struct hmm_collect_leaf leaf,
		       struct folio *folio, unsigned long nr, bool writable)
{
	unsigned long addr = hmm_collect_pos(c), i = 0;
	struct page *page = leaf.page;

	while (hmm_collect_unmap_pte(c, addr, &leaf, folio) && ++i < nr) {
		addr += PAGE_SIZE;
		leaf.page++;
		leaf.pte = ptep_get(++leaf.ptep);
		leaf.writable = writable || hmm_collect_pte_writable(leaf.pte);
	}
	if (!i)
		return false;

	if (!folio_test_large(folio) && folio_test_anon(folio)) {
		anon_rmap_batch_remove(&c->rmap, folio);
		return true;
	}
	folio_remove_rmap_ptes(folio, page, i, c->args->vma);
	folio_put_refs(folio, i - 1);
	return true;
}

/*
 * As hmm_collect_unmap_ptes(), for all of a folio of device private memory whose
 * PTEs differ in the pfn only, and are writable. The folio cannot be pinned, its
 * pages are exclusive and no CPU changes the PTEs, so that the migration entries
 * differ in the pfn only, too (benchmark: to-ram-64k).
 */
static void hmm_collect_unmap_private(struct hmm_collect *c,
				      struct hmm_collect_leaf leaf,
				      struct folio *folio)
{
	unsigned long nr = folio_nr_pages(folio);

	folio_share_private_rmap_ptes(folio, leaf.page, nr);
	set_softleaf_ptes(c->args->vma->vm_mm, hmm_collect_pos(c), leaf.ptep,
			  hmm_collect_migration_pte(&leaf, leaf.pte, true), nr);
	folio_remove_rmap_ptes(folio, leaf.page, nr, c->args->vma);
	folio_put_refs(folio, nr - 1);
}

/**
 * struct hmm_collect_run - the PTEs that map all of a large folio
 * @writable: all of them are writable
 * @uniform: they are device private entries that differ in the pfn only
 */
struct hmm_collect_run {
	bool writable;
	bool uniform;
};

/*
 * Whether the @left PTEs from @ptep on map all pages of a large folio in a row.
 * Most present PTEs are equal to their predecessor with the next pfn, which is
 * cheaper to test than the pfn of each one.
 */
static bool hmm_collect_maps_folio(pte_t *ptep, struct folio *folio,
				   unsigned long left,
				   struct hmm_collect_run *run)
{
	unsigned long pfn = folio_pfn(folio), nr = folio_nr_pages(folio), i;
	pte_t expected = ptep_get(ptep);
	bool present = pte_present(expected);

	if (nr > left || folio_test_has_hwpoisoned(folio) ||
	    !hmm_collect_pte_maps_pfn(expected, pfn))
		return false;
	i = present ? 1 : softleaf_pte_batch(ptep, expected, nr);
	run->uniform = !present && i == nr;
	for (; i < nr; i++) {
		pte_t pte = ptep_get(ptep + i);

		if (present) {
			expected = pte_next_pfn(expected);
			if (pte_same(pte, expected))
				continue;
		}
		if (!hmm_collect_pte_maps_pfn(pte, pfn + i))
			return false;
		run->writable &= hmm_collect_pte_writable(pte);
	}
	return true;
}

/* The mpfn of the page that a PTE maps. */
static unsigned long hmm_collect_mpfn(const struct hmm_collect_leaf *leaf,
				      bool writable)
{
	return migrate_pfn(page_to_pfn(leaf->page)) | MIGRATE_PFN_MIGRATE |
	       (writable ? MIGRATE_PFN_WRITE : 0);
}

/*
 * As hmm_collect_page(), for a page of a large folio, which is locked. Not inlined,
 * to leave more registers for small folios (benchmark: out-4k, to-ram-4k).
 */
static noinline unsigned long
hmm_collect_large_folio(struct hmm_collect *c, struct hmm_collect_leaf leaf,
			struct folio *folio, unsigned long left)
{
	struct hmm_collect_run run = { .writable = leaf.writable };
	unsigned long nr = folio_nr_pages(folio);

	if (!(c->args->flags & HMM_MIGRATE_ANY_ORDER) ||
	    !(c->args->flags & MIGRATE_VMA_SELECT_COMPOUND) ||
	    !hmm_collect_maps_folio(leaf.ptep, folio, left, &run)) {
		folio_get(folio);
		c->to_split = folio;
		return 0;
	}

	if (run.writable && run.uniform) {
		hmm_collect_unmap_private(c, leaf, folio);
	} else if (!hmm_collect_unmap_ptes(c, leaf, folio, nr, run.writable)) {
		hmm_migration_unlock(c->args, folio);
		hmm_collect_put_until(c, hmm_collect_pos(c) + (nr << PAGE_SHIFT),
				      0);
		return nr;
	}
	hmm_collect_put_large(c, nr, hmm_collect_mpfn(&leaf, run.writable));
	return nr;
}

/*
 * Collect the page that a PTE maps. The page table lock is held. Return the number
 * of PTEs handled; 0 if the page is of a large folio that has to be split first,
 * which is @c->to_split then.
 */
static unsigned long hmm_collect_page(struct hmm_collect *c,
				      struct hmm_collect_leaf leaf,
				      unsigned long left)
{
	struct folio *folio = page_folio(leaf.page);
	unsigned long mpfn = 0;

	if (folio != c->unsplittable && hmm_collect_selects(c, folio) &&
	    hmm_collect_trylock(c, folio)) {
		if (folio_test_large(folio))
			return hmm_collect_large_folio(c, leaf, folio, left);
		if (hmm_collect_unmap_ptes(c, leaf, folio, 1, leaf.writable))
			mpfn = hmm_collect_mpfn(&leaf, leaf.writable);
		else
			hmm_migration_unlock(c->args, folio);
	}
	hmm_collect_put(c, mpfn);
	return 1;
}

/* As hmm_collect_page(), for any PTE at the position. */
static unsigned long hmm_collect_pte(struct hmm_collect *c, pte_t *ptep,
				     unsigned long left)
{
	struct hmm_collect_leaf leaf =
		hmm_collect_read_pte(c->args->vma, hmm_collect_pos(c), ptep);

	if (leaf.page && !PageHWPoison(leaf.page))
		return hmm_collect_page(c, leaf, left);

	if (!leaf.page && hmm_collect_is_hole(c->args, leaf.pte))
		hmm_collect_put(c, MIGRATE_PFN_MIGRATE);
	else
		hmm_collect_put(c, 0);
	return 1;
}

/*
 * Update statistics and flush the TLB, once for a page table. Its lock is held, which
 * keeps the task on its CPU: munlocked folios are referenced by the mlock batch of this
 * CPU, and the unmap stage, maybe on another one, would find them in use.
 */
static void hmm_collect_flush(struct hmm_collect *c)
{
	anon_rmap_batch_flush(&c->rmap);
	if (c->flush_end)
		flush_tlb_range(c->args->vma, c->flush_start, c->flush_end);
	c->flush_end = 0;
	if (READ_ONCE(c->args->vma->vm_flags) & VM_LOCKED)
		mlock_drain_local();
}

/**
 * hmm_collect_pte_table() - collect the pages that a page table maps
 * @pmdp: the PMD above the page table
 * @end: end of the requested part of its range; the position is the start
 * @walk: the walk
 *
 * Return: 0. &mm_walk.action is ACTION_AGAIN if the PMD is to be walked again,
 * because it has changed or because a folio was split.
 */
int hmm_collect_pte_table(pmd_t *pmdp, unsigned long end, struct mm_walk *walk)
{
	struct hmm_collect *c = walk->private;
	pte_t *table, *ptep;
	unsigned long done;
	spinlock_t *ptl;	/* of @table */

	table = pte_offset_map_lock(walk->mm, pmdp, hmm_collect_pos(c), &ptl);
	if (!table) {
		walk->action = ACTION_AGAIN;
		return 0;
	}

	lazy_mmu_mode_enable();
	for (ptep = table; hmm_collect_pos(c) < end; ptep += done) {
		done = hmm_collect_pte(c, ptep,
				       (end - hmm_collect_pos(c)) >> PAGE_SHIFT);
		if (!done)
			break;
	}
	lazy_mmu_mode_disable();
	hmm_collect_flush(c);
	pte_unmap_unlock(table, ptl);

	return c->to_split ? hmm_collect_split(c, walk) : 0;
}
