// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, collect stage: find the pages of a range of one VMA.
 *
 * One walk of the page tables locks each folio that can move, and replaces its
 * PTE by a migration entry. A folio with no other mapping, as most are, then
 * needs no rmap walk.
 *
 * Collection is best effort. A folio that is locked is skipped, never waited
 * for: two migrations, each with a folio locked that the other one waits for,
 * would deadlock.
 */
#include <linux/error-injection.h>
#include <linux/export.h>
#include <linux/hugetlb_inline.h>
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>

#include "../internal.h"
#include "collect.h"
#include "migrate_policy.h"

/* Whether the range from the position to @end can move as one huge page. */
static bool hmm_collect_huge_allowed(const struct hmm_collect *c,
				     unsigned long end)
{
	return thp_migration_supported() &&
	       (c->args->flags & MIGRATE_VMA_SELECT_COMPOUND) &&
	       IS_ALIGNED(hmm_collect_pos(c), HPAGE_PMD_SIZE) &&
	       end - hmm_collect_pos(c) == HPAGE_PMD_SIZE;
}

/*
 * Page walker callback: nothing is mapped in [addr, end), or zero pages are. The driver
 * may insert pages there, but in an anonymous VMA only.
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

/*
 * The folio that a huge PMD maps, for the CPU or for a device, and its mpfn in
 * @mpfn; NULL if it maps none.
 */
static struct folio *hmm_collect_pmd_folio(pmd_t pmd, unsigned long *mpfn)
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

	*mpfn = migrate_pfn(folio_pfn(folio)) | MIGRATE_PFN_MIGRATE;
	if (writable)
		*mpfn |= MIGRATE_PFN_WRITE;
	return folio;
}

/*
 * Replace the huge PMD at the position by a migration entry. Its folio is locked
 * and referenced, and the PMD lock is held. Return false if the folio is pinned.
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

/*
 * Collect the huge PMD at the position, of value @pmd, or note that its folio has to
 * be split. PMD lock held.
 */
static void hmm_collect_pmd_locked(struct hmm_collect *c, pmd_t *pmdp, pmd_t pmd,
				   spinlock_t *ptl, unsigned long end)
{
	unsigned long mpfn = 0;
	struct folio *folio = hmm_collect_pmd_folio(pmd, &mpfn);

	if (!folio || folio == c->unsplittable ||
	    !hmm_collect_selects(c, folio) ||
	    !hmm_collect_trylock(c, folio)) {
		hmm_collect_put_until(c, end, 0);
		return;
	}

	/* Splitting and unmapping each drop the reference of the mapping. */
	folio_get(folio);
	if (!hmm_collect_huge_allowed(c, end)) {
		c->to_split = folio;
		return;
	}

	if (hmm_collect_unmap_pmd(c, pmdp, ptl, folio)) {
		hmm_collect_put_large(c, HPAGE_PMD_NR, mpfn);
	} else {
		hmm_migration_release(c->args, folio);
		hmm_collect_put_until(c, end, 0);
	}
}

/*
 * Collect a PMD that is not a page table: a huge page, the huge zero page, or a
 * non-present entry. If the huge page cannot move as a whole, its folio is split and the
 * PMD is walked again, as a page table.
 */
static int hmm_collect_huge_pmd(pmd_t *pmdp, unsigned long addr,
				unsigned long end, struct mm_walk *walk)
{
	struct hmm_collect *c = walk->private;
	spinlock_t *ptl = pmd_trans_huge_lock(pmdp, walk->vma);
	pmd_t pmd;
	bool zero;

	if (!ptl) {
		walk->action = ACTION_AGAIN;
		return 0;
	}

	pmd = pmdp_get(pmdp);
	zero = is_huge_zero_pmd(pmd) &&
	       (c->args->flags & MIGRATE_VMA_SELECT_SYSTEM);
	if (!zero)
		hmm_collect_pmd_locked(c, pmdp, pmd, ptl, end);
	spin_unlock(ptl);

	if (zero)
		return hmm_collect_hole(addr, end, 0, walk);
	return c->to_split ? hmm_collect_split(c, walk) : 0;
}

/*
 * Notify secondary MMUs, once and for the whole range. The mmap lock is held, and no page
 * table lock. May sleep.
 *
 * A driver may ignore notifications with its own owner. The driver whose device's memory
 * is collected for another device must not, even if both devices have one owner: its
 * device has to forget the pages before they are copied. So there is no owner then.
 */
static void hmm_collect_notify(struct hmm_collect *c)
{
	struct migrate_vma *args = c->args;

	if (c->notified)
		return;
	c->notified = true;
	mmu_notifier_range_init_owner(&c->notification, MMU_NOTIFY_MIGRATE, 0,
				      args->vma->vm_mm, args->start, args->end,
				      c->source ? NULL : args->pgmap_owner);
	mmu_notifier_invalidate_range_start(&c->notification);
}

/* hmm_collect_pmd() returns this to end the collection at the position. */
#define HMM_COLLECT_STOP	1

/* Page walker callback: collect what a PMD maps. The mmap lock is held. */
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
 * Collect the range of a request. The mmap lock is held. Secondary MMUs are notified once
 * there is a PMD from which something may be unmapped. A driver that finds its own
 * &mmu_notifier_range.owner may keep its mappings of its own device's pages.
 *
 * Return -EAGAIN, with nothing collected, if a page at the start of it is migrating that
 * the caller waits for.
 */
static int hmm_collect_range(struct migrate_vma *args,
			     const struct hmm_migrate_source *source,
			     struct hmm_migrating *migrating)
{
	struct hmm_collect c = {
		.args = args,
		.source = source,
		.migrating = migrating,
		.rmap.vma = args->vma,
	};

	/* Neither fault in nor notify where nothing can move. */
	if (!hmm_vma_may_have_anon(args->vma)) {
		hmm_collect_put_until(&c, args->end, 0);
		return 0;
	}
	if (walk_page_range_vma(args->vma, args->start, args->end,
				&hmm_collect_ops, &c) == HMM_COLLECT_STOP) {
		if (!args->npages)
			return -EAGAIN;
		args->end = hmm_collect_pos(&c);
	}
	if (c.notified)
		mmu_notifier_invalidate_range_end(&c.notification);

	/* Each page of the range has an mpfn, even if the walk ended early. */
	hmm_collect_put_until(&c, args->end, 0);
	return 0;
}

/* Whether the range is one of a VMA whose pages may migrate. The mmap lock is held. */
static bool hmm_migrate_range_valid(const struct migrate_vma *args)
{
	if (!args->vma ||
	    !hmm_vma_may_migrate(args->vma,
				 args->flags & MIGRATE_VMA_SELECT_SYSTEM))
		return false;
	if (!PAGE_ALIGNED(args->start) || !PAGE_ALIGNED(args->end))
		return false;
	return args->start < args->end && args->start >= args->vma->vm_start &&
	       args->end <= args->vma->vm_end;
}

/**
 * hmm_migration_by_address() - the migration of a request, after setup
 * @args: the request
 *
 * The addresses of a request are the driver's, which may have changed them: stages
 * after collect use those in the migration, which were checked once. A change of one
 * end of the range is noticed, and any by which it is not a valid range any more. If
 * both ends have moved, holes are filled where the request is now.
 *
 * Return: the migration.
 */
struct hmm_migration hmm_migration_by_address(struct migrate_vma *args)
{
	struct migrate_vma now = *args;

	return (struct hmm_migration){
		.src = now.src,
		.dst = now.dst,
		.npages = now.npages,
		.args = args,
		.vma = hmm_migrate_range_valid(&now) &&
		       (now.end - now.start) >> PAGE_SHIFT == now.npages ?
			       now.vma : NULL,
		.start = now.start,
	};
}

/* Whether a driver's request is complete and valid. The mmap lock is held. */
static bool hmm_migrate_vma_valid(const struct migrate_vma *args)
{
	if (!args->src || !args->dst || !hmm_migrate_range_valid(args))
		return false;
	return !args->fault_page ||
	       (is_device_private_page(args->fault_page) &&
		PageLocked(args->fault_page));
}

/**
 * migrate_vma_setup() - begin to migrate a range of a VMA
 * @args: the request. The caller sets all members but @cpages and @npages.
 *
 * Collect the pages of the range and unmap them. Afterwards @args->src has one
 * mpfn for each page:
 *
 * * 0: the page does not migrate. This holds for all memory that is not anonymous,
 *   for KSM pages, poisoned pages and others: see migrate_policy.h;
 * * %MIGRATE_PFN_MIGRATE with %MIGRATE_PFN_VALID: the page is locked and mapped
 *   nowhere, so that its contents do not change. %MIGRATE_PFN_WRITE: it was mapped
 *   writable. %MIGRATE_PFN_COMPOUND: it is the head of a large folio, and the
 *   mpfns of the tail pages are 0;
 * * %MIGRATE_PFN_MIGRATE alone: a hole, where nothing was mapped, or a zero page.
 *   The driver may insert a page, which it must clear. With
 *   %MIGRATE_PFN_COMPOUND it may be a huge page.
 *
 * To migrate a page the driver allocates a new page, locks it, copies, and stores
 * its migrate_pfn() at the same index of @args->dst; for a large folio with
 * %MIGRATE_PFN_COMPOUND, or one small page for each of its pages, upon which the
 * source is split. It then calls migrate_vma_pages() and, in any case,
 * migrate_vma_finalize(). A page may fail to migrate at every step;
 * %MIGRATE_PFN_MIGRATE is cleared in its mpfn of @args->src.
 *
 * Large folios other than huge pages are split unless @args->flags has
 * %HMM_MIGRATE_ANY_ORDER. Absent pages, such as swapped out ones, do not migrate
 * unless it has %HMM_MIGRATE_FAULT.
 *
 * Context: Process context; may sleep. The caller holds the mmap lock, at
 * least for reading, from here until migrate_vma_finalize() has returned.
 *
 * Return: 0, also if no page can migrate: @args->cpages is 0 then, and there is
 * nothing to finalize. -%EINVAL, with nothing changed, if the range is empty,
 * reversed, misaligned or not within @args->vma, if the VMA is one whose pages
 * cannot migrate, if an array is missing, or if @args->fault_page is not a locked
 * page of device private memory.
 */
int migrate_vma_setup(struct migrate_vma *args)
{
	return hmm_migration_setup(args, NULL, NULL);
}
EXPORT_SYMBOL(migrate_vma_setup);

/**
 * hmm_migration_setup() - begin to migrate a range of a VMA
 * @args: the request
 * @source: device memory to collect from as well; %NULL for none
 * @migrating: what to do about pages that are migrating already; %NULL to wait for them
 *	with the mmap lock held
 *
 * As migrate_vma_setup(). With @source, secondary MMUs are notified without an owner.
 *
 * Context: Process context; may sleep. The mmap lock is held.
 *
 * Return: as migrate_vma_setup(); -%EAGAIN with nothing collected, if the caller is to
 * wait for the page at @migrating->addr.
 */
noinline int hmm_migration_setup(struct migrate_vma *args,
				 const struct hmm_migrate_source *source,
				 struct hmm_migrating *migrating)
{
	u64 began = hmm_trace_begin(hmm_collect);
	struct hmm_migration m;
	int err;

	if (!hmm_migrate_vma_valid(args))
		return -EINVAL;
	hmm_migration_assert_locked(args);

	args->cpages = 0;
	args->npages = 0;
	err = hmm_collect_range(args, source, migrating);
	if (err)
		return err;
	m = hmm_migration_by_address(args);
	if (args->cpages)
		args->cpages = hmm_migration_unmap(&m);
	if (began)
		hmm_trace_stage(hmm_collect, &m, hmm_migration_pages(&m), began);
	return 0;
}
ALLOW_ERROR_INJECTION(hmm_migration_setup, ERRNO);
