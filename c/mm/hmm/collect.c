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

#include "../internal.h"
#include "collect.h"
#include "migrate_policy.h"

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
			put_large_word(c, HPAGE_PMD_NR, MIGRATE_PFN_MIGRATE);
		else
			put_words(c, next, MIGRATE_PFN_MIGRATE);
	}
	return 0;
}

/* Is this folio of a kind, and of an owner, that the driver asked for? */
bool collect_selects(const struct migrate_vma *args, struct folio *folio)
{
	unsigned long kind;

	if (!folio->mapping)
		return false;
	if (!folio_is_zone_device(folio))
		return (args->flags & MIGRATE_VMA_SELECT_SYSTEM) &&
		       folio_test_anon(folio);

	if (folio_is_device_private(folio))
		kind = MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
	else if (folio_is_device_coherent(folio))
		kind = MIGRATE_VMA_SELECT_DEVICE_COHERENT;
	else
		return false;

	return (args->flags & kind) &&
	       folio->pgmap->owner == args->pgmap_owner;
}

/*
 * Lock a mapped folio, unless it must not move. Takes no reference: that of a
 * mapping becomes the migration's. The page table lock is held.
 */
bool collect_lock(const struct collector *c, struct folio *folio)
{
	if (!faulting_folio(c->args, folio) && !folio_trylock(folio))
		return false;
	if (folio_is_zone_device(folio) || hmm_folio_may_migrate(folio))
		return true;
	migration_unlock(c->args, folio);
	return false;
}

/*
 * Splits the folio that was grabbed, and lets go of it. Sleeps; no page table
 * lock is held. The pieces are found again by reading the table again.
 */
int collect_split(struct collector *c, struct mm_walk *walk)
{
	bool faulting = faulting_folio(c->args, c->large);
	struct folio *folio = c->large;

	if (!hmm_migration_split_mapped(c->args, folio))
		c->whole = folio;
	if (faulting)
		folio = page_folio(c->args->fault_page);
	migration_release(c->args, folio);

	c->large = NULL;
	walk->action = ACTION_AGAIN;
	return 0;
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

	if (!folio || folio == c->whole || !collect_selects(c->args, folio) ||
	    !collect_lock(c, folio)) {
		put_words(c, end, 0);
		return;
	}

	/* Both ways of unmapping a huge page drop the mapping's reference. */
	folio_get(folio);
	if (!may_move_huge(c, end)) {
		c->large = folio;
		return;
	}

	if (unmap_huge(c, pmdp, ptl, folio)) {
		put_large_word(c, HPAGE_PMD_NR, word);
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
	return c->large ? collect_split(c, walk) : 0;
}

/* Tells secondary MMUs, once and of the whole range. May sleep. */
static void notify(struct collector *c)
{
	struct migrate_vma *args = c->args;

	if (c->notified)
		return;
	c->notified = true;
	mmu_notifier_range_init_owner(&c->notification, MMU_NOTIFY_MIGRATE, 0,
				      args->vma->vm_mm, args->start, args->end,
				      args->pgmap_owner);
	mmu_notifier_invalidate_range_start(&c->notification);
}

/* What collect_pmd() answers when collection has to end at the position. */
#define COLLECT_STOP	1

static int collect_pmd(pmd_t *pmdp, unsigned long addr, unsigned long end,
		       struct mm_walk *walk)
{
	struct collector *c = walk->private;
	pmd_t pmd;

	if (!collect_fault_in(c, pmdp, end))
		return COLLECT_STOP;
	notify(c);

	pmd = pmdp_get_lockless(pmdp);
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
 * Secondary MMUs are told when there is something that may be unmapped. A driver
 * that finds its own mark in the notification knows that the device's own pages
 * stay mapped there, and leaves them alone.
 */
static void collect_range(struct migrate_vma *args)
{
	struct collector c = { .args = args };

	/* Neither fault in nor notify where nothing can move. */
	if (!hmm_vma_may_have_anon(args->vma)) {
		put_words(&c, args->end, 0);
		return;
	}
	if (walk_page_range_vma(args->vma, args->start, args->end, &collect_ops,
				&c) == COLLECT_STOP)
		args->end = position(&c);
	if (c.notified)
		mmu_notifier_invalidate_range_end(&c.notification);

	/* Every page of the range has its word, whatever the walk came to. */
	put_words(&c, args->end, 0);
}

static bool request_is_sound(const struct migrate_vma *args)
{
	if (!args->vma || !args->src || !args->dst)
		return false;
	if (!hmm_vma_may_migrate(args->vma,
				 args->flags & MIGRATE_VMA_SELECT_SYSTEM))
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
 * * 0: this page does not move; so for all but anonymous memory, and for KSM,
 *   poisoned memory and the like: see docs/mirrorable.md;
 * * %MIGRATE_PFN_MIGRATE with %MIGRATE_PFN_VALID: a page that is locked and
 *   mapped nowhere, so that its content holds still. %MIGRATE_PFN_WRITE says
 *   that it was mapped writable; %MIGRATE_PFN_COMPOUND that it is the head of
 *   a large folio, whose other words are 0;
 * * %MIGRATE_PFN_MIGRATE alone: nothing was there, or zeros. The driver may
 *   put a page of its own there, which must be cleared. With
 *   %MIGRATE_PFN_COMPOUND it may be a huge one.
 *
 * For each of these that it wants to move, the driver puts a new page that it
 * has locked and filled into the same place of @args->dst, with
 * migrate_pfn(); for a large one with %MIGRATE_PFN_COMPOUND, or else one small
 * page for each page of it, and the source is split. It then calls
 * migrate_vma_pages() and migrate_vma_finalize(); the latter in any case.
 * Moving is never certain: %MIGRATE_PFN_MIGRATE is taken away from the words
 * of @args->src that did not move.
 *
 * Large folios that are not huge pages are split, and absent pages that are no
 * holes do not move, unless @args->flags has %HMM_MIGRATE_ANY_ORDER and
 * %HMM_MIGRATE_FAULT.
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
	migration_assert_locked(args);

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
 *
 * Nor does a folio move that is mapped nowhere. Another migration may just have
 * unlocked it and be about to drop the last reference: what it held lives
 * elsewhere, and so does its memcg charge, without which the LRU lists would
 * not take what replaced it. Its anon_vma may be gone, too.
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
	if (nr > left || !migration_hold_anon_vma(folio)) {
		folio_unlock(folio);
		folio_put(folio);
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
