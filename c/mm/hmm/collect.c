// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, first stage: finding the pages that are to move.
 *
 * By address, one walk of the page tables finds the pages of a range of one
 * VMA, and unmaps from that range whatever it could lock. A page with no other
 * mapping, which is nearly every one, then needs no reverse mapping walk.
 *
 * By device pfn there is nothing to walk: pages that are in use are locked,
 * and the unmap stage finds their mappings.
 *
 * Both are best effort. A folio that somebody else has locked is passed over,
 * never waited for: two migrations, each holding what the other wants, would
 * wait for ever.
 */
#include <linux/export.h>
#include <linux/hugetlb_inline.h>
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "migrate.h"

/**
 * struct collector - where a walk over a range stands
 * @args: the request. Its npages is the position: words are written strictly
 *	in address order, so a table that changes in the middle of being read
 *	is taken up again where it was left.
 * @flush_start: lowest address unmapped since the last TLB flush
 * @flush_end: end of the highest page unmapped since then; 0 if none was
 * @large: locked and referenced; to be split before the walk can go on
 * @whole: last folio that would not be split. Never dereferenced.
 */
struct collector {
	struct migrate_vma *args;
	unsigned long flush_start;
	unsigned long flush_end;
	struct folio *large;
	struct folio *whole;
};

static unsigned long position(const struct collector *c)
{
	return c->args->start + (c->args->npages << PAGE_SHIFT);
}

static void put_word(struct collector *c, unsigned long word)
{
	struct migrate_vma *args = c->args;

	if (word & MIGRATE_PFN_MIGRATE)
		args->cpages++;
	args->dst[args->npages] = 0;
	args->src[args->npages++] = word;
}

static void put_words(struct collector *c, unsigned long end,
		      unsigned long word)
{
	while (position(c) < end)
		put_word(c, word);
}

/* One word for the huge page or hole at hand, none for the rest of it. */
static void put_huge_word(struct collector *c, unsigned long end,
			  unsigned long word)
{
	put_word(c, word | MIGRATE_PFN_COMPOUND);
	put_words(c, end, 0);
}

/* May [position, end) move as one huge page? */
static bool may_move_huge(const struct collector *c, unsigned long end)
{
	return thp_migration_supported() &&
	       (c->args->flags & MIGRATE_VMA_SELECT_COMPOUND) &&
	       IS_ALIGNED(position(c), HPAGE_PMD_SIZE) &&
	       end - position(c) == HPAGE_PMD_SIZE;
}

/*
 * Nothing is mapped in [addr, end), or zeros are. The driver may put memory of
 * its own there, which only an anonymous VMA can take.
 */
static int collect_hole(unsigned long addr, unsigned long end, int depth,
			struct mm_walk *walk)
{
	struct collector *c = walk->private;

	if (!vma_is_anonymous(walk->vma)) {
		put_words(c, end, 0);
		return 0;
	}

	while (position(c) < end) {
		unsigned long next = pmd_addr_end(position(c), end);

		if (may_move_huge(c, next))
			put_huge_word(c, next, MIGRATE_PFN_MIGRATE);
		else
			put_words(c, next, MIGRATE_PFN_MIGRATE);
	}
	return 0;
}

/* Is this folio of a kind, and of an owner, that the driver asked for? */
static bool folio_selected(const struct migrate_vma *args, struct folio *folio)
{
	unsigned long kind;

	if (!folio->mapping)
		return false;
	if (!folio_is_zone_device(folio))
		return args->flags & MIGRATE_VMA_SELECT_SYSTEM;

	if (folio_is_device_private(folio))
		kind = MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
	else if (folio_is_device_coherent(folio))
		kind = MIGRATE_VMA_SELECT_DEVICE_COHERENT;
	else
		return false;

	return (args->flags & kind) &&
	       page_pgmap(&folio->page)->owner == args->pgmap_owner;
}

/* Takes a reference and the lock, or neither. The page table lock is held. */
static bool grab(const struct collector *c, struct folio *folio)
{
	if (!faulting_folio(c->args, folio) && !folio_trylock(folio))
		return false;
	folio_get(folio);
	return true;
}

/*
 * Splits a folio that was grabbed, and lets go of it. Sleeps; no page table
 * lock is held. The pieces are found again by reading the table again.
 *
 * The piece that holds the page given to split_huge_page() stays locked and
 * referenced, which is what the fault handler relies on for the page that it
 * is working on.
 */
static void split_grabbed(struct collector *c, struct folio *folio)
{
	struct page *page = &folio->page;
	bool faulting = faulting_folio(c->args, folio);

	if (faulting) {
		page = c->args->fault_page;
		folio_put(folio);
	}

	if (split_huge_page(page))
		c->whole = folio;

	if (!faulting)
		migration_release(c->args, folio);
}

/* The folio that a huge leaf maps, and whether writably; else NULL. */
static struct folio *huge_leaf_folio(pmd_t pmd, unsigned long *word)
{
	struct folio *folio;
	bool writable;

	if (pmd_present(pmd)) {
		folio = pmd_folio(pmd);
		writable = pmd_write(pmd);
	} else if (pmd_is_device_private_entry(pmd)) {
		softleaf_t entry = softleaf_from_pmd(pmd);

		folio = softleaf_to_folio(entry);
		writable = softleaf_is_device_private_write(entry);
	} else {
		return NULL;
	}

	*word = migrate_pfn(folio_pfn(folio)) | MIGRATE_PFN_MIGRATE;
	if (writable)
		*word |= MIGRATE_PFN_WRITE;
	return folio;
}

/*
 * Puts a migration entry in place of the huge leaf at the position, whose
 * folio is grabbed. The PMD lock is held. Fails if the folio is pinned.
 */
static bool unmap_huge(struct collector *c, pmd_t *pmdp, spinlock_t *ptl,
		       struct folio *folio)
{
	struct page_vma_mapped_walk pvmw = {
		.vma = c->args->vma,
		.address = position(c),
		.pmd = pmdp,
		.ptl = ptl,
	};

	return !set_pmd_migration_entry(&pvmw, &folio->page);
}

/* What to do with a huge leaf. The PMD lock is held. */
static void collect_huge_locked(struct collector *c, pmd_t *pmdp,
				spinlock_t *ptl, unsigned long end)
{
	unsigned long word = 0;
	struct folio *folio = huge_leaf_folio(*pmdp, &word);

	if (!folio || folio == c->whole || !folio_selected(c->args, folio) ||
	    !grab(c, folio)) {
		put_words(c, end, 0);
		return;
	}

	if (!may_move_huge(c, end)) {
		c->large = folio;
		return;
	}

	if (unmap_huge(c, pmdp, ptl, folio)) {
		put_huge_word(c, end, word);
	} else {
		migration_release(c->args, folio);
		put_words(c, end, 0);
	}
}

/*
 * A PMD that is no table: a huge page, the huge zero page, or an entry that
 * stands for one. Where the driver cannot have all of it as one, the folio is
 * split, and what is then a table is read as one.
 */
static int collect_huge(pmd_t *pmdp, unsigned long addr, unsigned long end,
			struct mm_walk *walk)
{
	struct collector *c = walk->private;
	spinlock_t *ptl = pmd_trans_huge_lock(pmdp, walk->vma);
	bool zero;

	if (!ptl) {
		walk->action = ACTION_AGAIN;
		return 0;
	}

	zero = is_huge_zero_pmd(*pmdp) &&
	       (c->args->flags & MIGRATE_VMA_SELECT_SYSTEM);
	if (!zero)
		collect_huge_locked(c, pmdp, ptl, end);
	spin_unlock(ptl);

	if (zero)
		return collect_hole(addr, end, 0, walk);
	if (c->large) {
		split_grabbed(c, c->large);
		c->large = NULL;
		walk->action = ACTION_AGAIN;
	}
	return 0;
}

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

/*
 * The migration entry that takes the place of @pte. All that the page table
 * knows of the page, and that the new mapping must have, is in it.
 */
static pte_t migration_pte(struct page *page, pte_t pte, bool exclusive)
{
	unsigned long pfn = page_to_pfn(page);
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
 * Puts a migration entry in place of a PTE whose page's folio is grabbed. The
 * page table lock is held. Fails if the folio is pinned.
 *
 * The TLB flush is left to the end of the table. Until then a CPU may go on
 * writing to the page; nobody copies it before that. A pin cannot be missed
 * for it: GUP-fast reads page tables, not TLBs.
 */
static bool unmap_pte(struct collector *c, unsigned long addr, pte_t *ptep,
		      struct page *page)
{
	struct vm_area_struct *vma = c->args->vma;
	struct folio *folio = page_folio(page);
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
		if (pte_may_be_dirty(pte))
			folio_mark_dirty(folio);
		c->flush_start = min(c->flush_start, addr);
		c->flush_end = addr + PAGE_SIZE;
	}
	set_pte_at(vma->vm_mm, addr, ptep, migration_pte(page, pte, exclusive));

	/* The mapping is gone, and with it its count and its reference. */
	folio_remove_rmap_pte(folio, page, vma);
	folio_put(folio);
	return true;
}

/*
 * The word for one PTE. The page table lock is held. A large folio is grabbed
 * and left in @c->large; the word is then for the caller to ignore.
 */
static unsigned long collect_pte(struct collector *c, pte_t *ptep)
{
	unsigned long addr = position(c), word;
	pte_t pte = ptep_get(ptep);
	struct folio *folio;
	struct page *page;

	if (pte_is_hole(c->args, pte))
		return MIGRATE_PFN_MIGRATE;

	page = pte_none(pte) ? NULL : pte_maps_page(c->args->vma, addr, pte);
	if (!page || PageHWPoison(page))
		return 0;

	folio = page_folio(page);
	if (folio == c->whole || !folio_selected(c->args, folio) ||
	    !grab(c, folio))
		return 0;

	if (folio_test_large(folio)) {
		c->large = folio;
		return 0;
	}

	word = migrate_pfn(page_to_pfn(page)) | MIGRATE_PFN_MIGRATE;
	if (pte_maps_writable(pte))
		word |= MIGRATE_PFN_WRITE;
	if (unmap_pte(c, addr, ptep, page))
		return word;

	migration_release(c->args, folio);
	return 0;
}

/* The one TLB flush of a table. Its lock is held. */
static void flush_table(struct collector *c)
{
	if (c->flush_end)
		flush_tlb_range(c->args->vma, c->flush_start, c->flush_end);
	c->flush_start = ULONG_MAX;
	c->flush_end = 0;
}

static int collect_table(pmd_t *pmdp, unsigned long end, struct mm_walk *walk)
{
	struct collector *c = walk->private;
	pte_t *table, *ptep;
	spinlock_t *ptl;	/* of @table */

	table = pte_offset_map_lock(walk->mm, pmdp, position(c), &ptl);
	if (!table) {
		walk->action = ACTION_AGAIN;
		return 0;
	}

	lazy_mmu_mode_enable();
	for (ptep = table; position(c) < end; ptep++) {
		unsigned long word = collect_pte(c, ptep);

		if (c->large)
			break;
		put_word(c, word);
	}
	lazy_mmu_mode_disable();
	flush_table(c);
	pte_unmap_unlock(table, ptl);

	if (c->large) {
		split_grabbed(c, c->large);
		c->large = NULL;
		walk->action = ACTION_AGAIN;
	}
	return 0;
}

static int collect_pmd(pmd_t *pmdp, unsigned long addr, unsigned long end,
		       struct mm_walk *walk)
{
	pmd_t pmd = pmdp_get_lockless(pmdp);

	if (pmd_trans_huge(pmd) || !pmd_present(pmd))
		return collect_huge(pmdp, addr, end, walk);
	return collect_table(pmdp, end, walk);
}

static const struct mm_walk_ops collect_ops = {
	.pmd_entry	= collect_pmd,
	.pte_hole	= collect_hole,
	.walk_lock	= PGWALK_RDLOCK,
};

/*
 * Secondary MMUs are told once, for the whole range. A driver that finds its
 * own mark in the notification knows that the device's own pages stay mapped
 * there, and leaves them alone.
 */
static void collect_range(struct migrate_vma *args)
{
	struct collector c = {
		.args = args,
		.flush_start = ULONG_MAX,
	};
	struct mmu_notifier_range range;

	mmu_notifier_range_init_owner(&range, MMU_NOTIFY_MIGRATE, 0,
				      args->vma->vm_mm, args->start, args->end,
				      args->pgmap_owner);
	mmu_notifier_invalidate_range_start(&range);
	walk_page_range_vma(args->vma, args->start, args->end, &collect_ops, &c);
	mmu_notifier_invalidate_range_end(&range);

	/* Every page of the range has its word, whatever the walk came to. */
	put_words(&c, args->end, 0);
}

static bool vma_can_migrate(struct vm_area_struct *vma)
{
	return vma && !is_vm_hugetlb_page(vma) && !vma_is_dax(vma) &&
	       !(vma->vm_flags & VM_SPECIAL);
}

static bool request_is_sound(const struct migrate_vma *args)
{
	if (!vma_can_migrate(args->vma) || !args->src || !args->dst)
		return false;
	if (!PAGE_ALIGNED(args->start) || !PAGE_ALIGNED(args->end))
		return false;
	if (args->start >= args->end || args->start < args->vma->vm_start ||
	    args->end > args->vma->vm_end)
		return false;
	return !args->fault_page ||
	       (is_device_private_page(args->fault_page) &&
		PageLocked(args->fault_page));
}

/**
 * migrate_vma_setup() - begin to migrate a range of a VMA
 * @args: the request. The caller fills in everything but @cpages and @npages.
 *
 * Collects the pages of the range and unmaps them. Afterwards @args->src holds
 * one word for each page:
 *
 * * 0: this page does not move;
 * * %MIGRATE_PFN_MIGRATE with %MIGRATE_PFN_VALID: a page that is locked and
 *   mapped nowhere, so that its content holds still. %MIGRATE_PFN_WRITE says
 *   that it was mapped writable; %MIGRATE_PFN_COMPOUND that it is the head of
 *   a huge page, whose other words are 0;
 * * %MIGRATE_PFN_MIGRATE alone: nothing was there, or zeros. The driver may
 *   put a page of its own there, which must be cleared. With
 *   %MIGRATE_PFN_COMPOUND it may be a huge one.
 *
 * For each of these that it wants to move, the driver puts a new page that it
 * has locked and filled into the same place of @args->dst, with
 * migrate_pfn(); for a huge one with %MIGRATE_PFN_COMPOUND, or else one small
 * page for each page of it, and the source is split. It then calls
 * migrate_vma_pages() and migrate_vma_finalize(); the latter in any case.
 * Moving is never certain: %MIGRATE_PFN_MIGRATE is taken away from the words
 * of @args->src that did not move.
 *
 * Context: Process context; may sleep. The caller holds the mmap lock, at
 * least for reading, from here until migrate_vma_finalize() has returned.
 *
 * Return: 0, also if no page can move (@args->cpages is then 0, and there is
 * nothing to finalize); -EINVAL if the range is empty, reversed, misaligned or
 * not within @args->vma, if pages of such a VMA cannot be migrated, if an
 * array is missing, or if @args->fault_page is not a locked page of device
 * private memory. Nothing has then happened.
 */
int migrate_vma_setup(struct migrate_vma *args)
{
	struct hmm_migration m = { .args = args };

	if (!request_is_sound(args))
		return -EINVAL;

	args->cpages = 0;
	args->npages = 0;
	collect_range(args);
	if (!args->cpages)
		return 0;

	m.src = args->src;
	m.dst = args->dst;
	m.npages = args->npages;
	args->cpages = hmm_migration_unmap(&m);
	return 0;
}
EXPORT_SYMBOL(migrate_vma_setup);

/*
 * Locks the folio whose head is at the pfn that @src holds, and replaces that
 * and the following pfns by its words. Returns how many pages were dealt with.
 *
 * Of a folio that reaches past the end of the array nothing moves. Its tails,
 * and pages that are free, have no reference to take and get the word 0.
 */
static unsigned long collect_pfn(unsigned long *src, unsigned long left)
{
	unsigned long pfn = *src, nr;
	struct folio *folio;

	*src = 0;
	folio = folio_get_nontail_page(pfn_to_page(pfn));
	if (!folio)
		return 1;
	if (!folio_trylock(folio)) {
		folio_put(folio);
		return 1;
	}

	nr = folio_nr_pages(folio);
	if (nr > left) {
		migration_release(NULL, folio);
		return 1;
	}

	memset(src, 0, nr * sizeof(*src));
	*src = migrate_pfn(pfn) | MIGRATE_PFN_MIGRATE;
	if (nr > 1)
		*src |= MIGRATE_PFN_COMPOUND;
	return nr;
}

/**
 * migrate_device_pfns() - begin to migrate device pages, given by their pfns
 * @src: on entry the pfns, those of a large folio one after the other; on
 *	return a word for each, as migrate_vma_setup() leaves them, but never
 *	%MIGRATE_PFN_WRITE and never a hole
 * @npages: length of @src
 *
 * For a driver that needs its memory back and does not know who maps it. Pages
 * that are free, or locked by somebody else, do not move.
 *
 * Context: Process context; may sleep. Needs no mmap lock.
 *
 * Return: 0, also if no page can move; -EINVAL if @src is missing or holds a
 * pfn that no page has. Nothing has then happened.
 */
int migrate_device_pfns(unsigned long *src, unsigned long npages)
{
	struct hmm_migration m = { .src = src, .npages = npages };
	unsigned long i;

	if (!src)
		return -EINVAL;
	for (i = 0; i < npages; i++)
		if (!pfn_valid(src[i]))
			return -EINVAL;

	for (i = 0; i < npages; )
		i += collect_pfn(&src[i], npages - i);
	hmm_migration_unmap(&m);
	return 0;
}
EXPORT_SYMBOL(migrate_device_pfns);

/**
 * migrate_device_range() - begin to migrate a range of device pages
 * @src: array for the words
 * @start: first pfn
 * @npages: number of pages
 *
 * As migrate_device_pfns(), for pfns one after the other.
 *
 * Context: Process context; may sleep. Needs no mmap lock.
 *
 * Return: as migrate_device_pfns().
 */
int migrate_device_range(unsigned long *src, unsigned long start,
			 unsigned long npages)
{
	unsigned long i;

	if (!src)
		return -EINVAL;
	for (i = 0; i < npages; i++)
		src[i] = start + i;
	return migrate_device_pfns(src, npages);
}
EXPORT_SYMBOL(migrate_device_range);
