// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, collect stage: fault in absent pages, before the page table is
 * locked.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/userfaultfd_k.h>

#include "collect.h"
#include "migration_wait.h"

/*
 * Whether a non-present entry is for a page that a fault would bring to system
 * memory. Device private pages are not among them: they stay where they are.
 */
static bool hmm_collect_is_absent(softleaf_t entry)
{
	return softleaf_is_swap(entry) || softleaf_is_migration(entry) ||
	       softleaf_is_device_exclusive(entry);
}

/*
 * Whether pages are to be faulted in for write before they migrate. Not where
 * userfaultfd protects them: its handler can only be waited for in a fault that
 * may drop the mmap lock.
 */
static bool hmm_collect_fault_write(const struct migrate_vma *args)
{
	return (args->flags & HMM_MIGRATE_FAULT_WRITE) &&
	       (args->vma->vm_flags & VM_WRITE) &&
	       !userfaultfd_protected(args->vma);
}

/*
 * Whether a PTE needs a fault before its page can migrate, if @write for write.
 * Empty PTEs and zero pages are holes, which need none.
 */
static bool hmm_collect_pte_needs_fault(pte_t pte, bool write)
{
	if (pte_none(pte))
		return false;
	if (!pte_present(pte))
		return hmm_collect_is_absent(softleaf_from_pte(pte));
	return write && !pte_write(pte) && !is_zero_pfn(pte_pfn(pte));
}

/* Whether a PMD that is not a page table needs a fault before its pages can migrate. */
static bool hmm_collect_pmd_needs_fault(const struct migrate_vma *args,
					pmd_t pmd)
{
	if (pmd_present(pmd))
		return hmm_collect_fault_write(args) && !pmd_write(pmd) &&
		       !is_huge_zero_pmd(pmd);
	return HMM_PMD_SOFTLEAVES &&
	       hmm_collect_is_absent(softleaf_from_pmd(pmd));
}

/*
 * Whether a page is not waited for here because it is migrating: the caller waits for it
 * with no lock held, or the page stays. Record its address.
 */
static bool hmm_collect_defers(struct hmm_collect *c, softleaf_t entry, unsigned long addr)
{
	if (!c->migrating || !softleaf_is_migration(entry))
		return false;
	c->migrating->addr = addr;
	return true;
}

/*
 * Set a bit in @absent for each PTE from @addr to @end that needs a fault; the first
 * bit for a huge PMD. Return whether there are any.
 */
static bool hmm_collect_find_absent(struct hmm_collect *c, pmd_t *pmdp,
				    unsigned long addr, unsigned long end,
				    unsigned long *absent)
{
	unsigned long i, nr = (end - addr) >> PAGE_SHIFT;
	const bool write = hmm_collect_fault_write(c->args);
	pmd_t pmd = pmdp_get_lockless(pmdp);
	pte_t *table;

	bitmap_zero(absent, MAX_PTRS_PER_PTE);
	if (pmd_none(pmd))
		return false;
	if (!pmd_present(pmd) || pmd_trans_huge(pmd)) {
		if (hmm_collect_pmd_needs_fault(c->args, pmd) &&
		    (pmd_present(pmd) ||
		     !hmm_collect_defers(c, softleaf_from_pmd(pmd), addr)))
			__set_bit(0, absent);
		return test_bit(0, absent);
	}

	table = pte_offset_map(pmdp, addr);
	if (!table)
		return false;
	for (i = 0; i < nr; i++) {
		pte_t pte = ptep_get_lockless(table + i);

		if (hmm_collect_pte_needs_fault(pte, write) &&
		    (pte_present(pte) ||
		     !hmm_collect_defers(c, softleaf_from_pte(pte), addr + (i << PAGE_SHIFT))))
			__set_bit(i, absent);
	}
	pte_unmap(table);
	return !bitmap_empty(absent, MAX_PTRS_PER_PTE);
}

/*
 * Wait until a page that migrates has arrived, or for a fatal signal, with the mmap lock
 * of a caller who holds it. Device memory's own requests release it first.
 */
static void hmm_collect_wait_for_page(const struct hmm_collect *c, pmd_t *pmdp,
				      unsigned long addr)
{
	struct wait_page_queue waiter;

	if (!c->migrating &&
	    hmm_migration_wait_begin(&waiter, c->args->vma->vm_mm, pmdp, addr))
		softleaf_entry_wait_end(&waiter);
}

/*
 * Fault in the pages that have a bit in @absent, with no lock but the mmap lock, unless
 * they have gone to a device's memory meanwhile. Out of memory ends the loop, as the
 * next fault would fail likewise. Any other error is that of one page, which stays
 * absent.
 */
static void hmm_collect_fault_pages(struct hmm_collect *c, pmd_t *pmdp,
				    const unsigned long *absent)
{
	struct vm_area_struct *vma = c->args->vma;
	DECLARE_BITMAP(still, MAX_PTRS_PER_PTE);
	unsigned int flags = 0;
	unsigned long i;

	if (vma->vm_mm != current->mm)
		flags |= FAULT_FLAG_REMOTE;
	if (hmm_collect_fault_write(c->args))
		flags |= FAULT_FLAG_WRITE;
	for_each_set_bit(i, absent, MAX_PTRS_PER_PTE) {
		unsigned long addr = hmm_collect_pos(c) + (i << PAGE_SHIFT);

		hmm_collect_wait_for_page(c, pmdp, addr);
		/* Nor fault then: that would wait again, until the page has arrived. */
		if (fatal_signal_pending(current))
			break;
		if (hmm_collect_find_absent(c, pmdp, addr, addr + PAGE_SIZE, still) &&
		    handle_mm_fault(vma, addr, flags, NULL) & VM_FAULT_OOM)
			break;
		cond_resched();
	}
}

/**
 * hmm_collect_fault_in() - fault in the absent pages below a PMD
 * @c: the state of the walk
 * @pmdp: the PMD
 * @end: end of the requested part of its range; the position is the start
 *
 * Done once for each PMD. A page that cannot be faulted in does not migrate. A
 * write fault on a huge page may leave a page table with one writable page, so the
 * PTEs are read again after the first pass.
 *
 * Return: whether the walk can go on. It cannot if there are absent pages after
 * secondary MMUs were notified: a fault would notify them again, inside of this
 * invalidation. At the start of the request it goes on then, or a request might
 * make no progress: pages that became absent since the notification do not
 * migrate. Nor can it before that if a page is migrating that the caller waits for.
 */
bool hmm_collect_fault_in(struct hmm_collect *c, pmd_t *pmdp, unsigned long end)
{
	DECLARE_BITMAP(absent, MAX_PTRS_PER_PTE);
	int pass;

	if (!(c->args->flags & HMM_MIGRATE_FAULT) ||
	    hmm_collect_pos(c) < c->faulted)
		return true;

	for (pass = 0; pass < 2; pass++) {
		if (c->migrating)
			c->migrating->addr = 0;
		if (!hmm_collect_find_absent(c, pmdp, hmm_collect_pos(c), end, absent))
			break;
		if (c->notified)
			return hmm_collect_pos(c) == c->args->start;
		c->faulted = end;
		hmm_collect_fault_pages(c, pmdp, absent);
	}
	if (!c->migrating || !c->migrating->addr || c->migrating->skip)
		return true;
	return c->notified && hmm_collect_pos(c) == c->args->start;
}
