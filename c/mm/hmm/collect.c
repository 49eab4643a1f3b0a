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
static bool hmm_collect_huge_allowed(const struct hmm_collect *c,
				     unsigned long end)
{
	return thp_migration_supported() &&
	       (c->args->flags & MIGRATE_VMA_SELECT_COMPOUND) &&
	       IS_ALIGNED(hmm_collect_pos(c), HPAGE_PMD_SIZE) &&
	       end - hmm_collect_pos(c) == HPAGE_PMD_SIZE;
}

/*
 * Nothing is mapped in [addr, end), or zeros are. The driver may put memory of
 * its own there, which only an anonymous VMA can take.
 */
static int hmm_collect_hole(unsigned long addr, unsigned long end, int depth,
			    struct mm_walk *walk)
{
	struct hmm_collect *c = walk->private;

	if (!vma_is_anonymous(walk->vma)) {
		hmm_collect_put_until(c, end, 0);
		return 0;
	}

	while (hmm_collect_pos(c) < end) {
		unsigned long next = pmd_addr_end(hmm_collect_pos(c), end);

		if (hmm_collect_huge_allowed(c, next))
			hmm_collect_put_large(c, HPAGE_PMD_NR,
					      MIGRATE_PFN_MIGRATE);
		else
			hmm_collect_put_until(c, next, MIGRATE_PFN_MIGRATE);
	}
	return 0;
}

/* The folio that a huge leaf maps, and whether writably; else NULL. */
static struct folio *hmm_collect_pmd_folio(pmd_t pmd, unsigned long *word)
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
static bool hmm_collect_unmap_pmd(struct hmm_collect *c, pmd_t *pmdp,
				  spinlock_t *ptl, struct folio *folio)
{
	struct page_vma_mapped_walk pvmw = {
		.vma = c->args->vma,
		.address = hmm_collect_pos(c),
		.pmd = pmdp,
		.ptl = ptl,
	};

	return !set_pmd_migration_entry(&pvmw, &folio->page);
}

/* What to do with a huge leaf. The PMD lock is held. */
static void hmm_collect_pmd_locked(struct hmm_collect *c, pmd_t *pmdp,
				   spinlock_t *ptl, unsigned long end)
{
	unsigned long word = 0;
	struct folio *folio = hmm_collect_pmd_folio(*pmdp, &word);

	if (!folio || folio == c->unsplittable ||
	    !hmm_collect_selects(c->args, folio) ||
	    !hmm_collect_trylock(c, folio)) {
		hmm_collect_put_until(c, end, 0);
		return;
	}

	/* Both ways of unmapping a huge page drop the mapping's reference. */
	folio_get(folio);
	if (!hmm_collect_huge_allowed(c, end)) {
		c->to_split = folio;
		return;
	}

	if (hmm_collect_unmap_pmd(c, pmdp, ptl, folio)) {
		hmm_collect_put_large(c, HPAGE_PMD_NR, word);
	} else {
		hmm_migration_release(c->args, folio);
		hmm_collect_put_until(c, end, 0);
	}
}

/*
 * A PMD that is no table: a huge page, the huge zero page, or an entry that
 * stands for one. Where the driver cannot have all of it as one, the folio is
 * split, and what is then a table is read as one.
 */
static int hmm_collect_huge_pmd(pmd_t *pmdp, unsigned long addr,
				unsigned long end, struct mm_walk *walk)
{
	struct hmm_collect *c = walk->private;
	spinlock_t *ptl = pmd_trans_huge_lock(pmdp, walk->vma);
	bool zero;

	if (!ptl) {
		walk->action = ACTION_AGAIN;
		return 0;
	}

	zero = is_huge_zero_pmd(*pmdp) &&
	       (c->args->flags & MIGRATE_VMA_SELECT_SYSTEM);
	if (!zero)
		hmm_collect_pmd_locked(c, pmdp, ptl, end);
	spin_unlock(ptl);

	if (zero)
		return hmm_collect_hole(addr, end, 0, walk);
	return c->to_split ? hmm_collect_split(c, walk) : 0;
}

/* Tells secondary MMUs, once and of the whole range. May sleep. */
static void hmm_collect_notify(struct hmm_collect *c)
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

/* What hmm_collect_pmd() answers when collection has to end at the position. */
#define HMM_COLLECT_STOP	1

static int hmm_collect_pmd(pmd_t *pmdp, unsigned long addr, unsigned long end,
			   struct mm_walk *walk)
{
	struct hmm_collect *c = walk->private;
	pmd_t pmd;

	if (!hmm_collect_fault_in(c, pmdp, end))
		return HMM_COLLECT_STOP;
	hmm_collect_notify(c);

	pmd = pmdp_get_lockless(pmdp);
	if (pmd_trans_huge(pmd) || !pmd_present(pmd))
		return hmm_collect_huge_pmd(pmdp, addr, end, walk);
	return hmm_collect_pte_table(pmdp, end, walk);
}

static const struct mm_walk_ops hmm_collect_ops = {
	.pmd_entry	= hmm_collect_pmd,
	.pte_hole	= hmm_collect_hole,
	.walk_lock	= PGWALK_RDLOCK,
};

/*
 * Secondary MMUs are told when there is something that may be unmapped. A driver
 * that finds its own mark in the notification knows that the device's own pages
 * stay mapped there, and leaves them alone.
 */
static void hmm_collect_range(struct migrate_vma *args)
{
	struct hmm_collect c = { .args = args, .rmap.vma = args->vma };

	/* Neither fault in nor notify where nothing can move. */
	if (!hmm_vma_may_have_anon(args->vma)) {
		hmm_collect_put_until(&c, args->end, 0);
		return;
	}
	if (walk_page_range_vma(args->vma, args->start, args->end,
				&hmm_collect_ops, &c) == HMM_COLLECT_STOP)
		args->end = hmm_collect_pos(&c);
	if (c.notified)
		mmu_notifier_invalidate_range_end(&c.notification);

	/* Every page of the range has its word, whatever the walk came to. */
	hmm_collect_put_until(&c, args->end, 0);
}

static bool hmm_migrate_vma_valid(const struct migrate_vma *args)
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

	if (!hmm_migrate_vma_valid(args))
		return -EINVAL;
	hmm_migration_assert_locked(args);

	args->cpages = 0;
	args->npages = 0;
	hmm_collect_range(args);
	if (!args->cpages)
		return 0;

	m.src = args->src;
	m.dst = args->dst;
	m.npages = args->npages;
	args->cpages = hmm_migration_unmap(&m);
	return 0;
}
EXPORT_SYMBOL(migrate_vma_setup);
