// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, collect stage: absent pages are faulted in before the page table
 * is locked.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/userfaultfd_k.h>

#include "collect.h"

/*
 * Is there something that the process has, and that a fault would bring? Holes
 * are not: there the driver puts its own. What is in a device's memory stays.
 */
static bool hmm_collect_is_absent(softleaf_t entry)
{
	return softleaf_is_swap(entry) || softleaf_is_migration(entry) ||
	       softleaf_is_device_exclusive(entry);
}

/*
 * Must pages that the process may write to be writable before they move? Not
 * where a userfaultfd protects them: that would have to be waited for, which
 * takes a fault that may drop the mmap lock.
 */
static bool hmm_collect_fault_write(const struct migrate_vma *args)
{
	return (args->flags & HMM_MIGRATE_FAULT_WRITE) &&
	       (args->vma->vm_flags & VM_WRITE) &&
	       !userfaultfd_protected(args->vma);
}

/*
 * Would a fault bring what the driver wants, and if it wants to @write? Zeros
 * are as good as a hole.
 */
static bool hmm_collect_pte_needs_fault(pte_t pte, bool write)
{
	if (pte_none(pte))
		return false;
	if (!pte_present(pte))
		return hmm_collect_is_absent(softleaf_from_pte(pte));
	return write && !pte_write(pte) && !is_zero_pfn(pte_pfn(pte));
}

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
 * Notes in @absent which entries from the position to @end want a fault. A huge
 * one has the first bit.
 */
static void hmm_collect_find_absent(struct hmm_collect *c, pmd_t *pmdp,
				    unsigned long end, unsigned long *absent)
{
	unsigned long i, nr = (end - hmm_collect_pos(c)) >> PAGE_SHIFT;
	const bool write = hmm_collect_fault_write(c->args);
	pmd_t pmd = pmdp_get_lockless(pmdp);
	pte_t *table;

	bitmap_zero(absent, PTRS_PER_PTE);
	if (pmd_none(pmd))
		return;
	if (!pmd_present(pmd) || pmd_trans_huge(pmd)) {
		if (hmm_collect_pmd_needs_fault(c->args, pmd))
			__set_bit(0, absent);
		return;
	}

	table = pte_offset_map(pmdp, hmm_collect_pos(c));
	if (!table)
		return;
	for (i = 0; i < nr; i++)
		if (hmm_collect_pte_needs_fault(ptep_get_lockless(table + i),
						write))
			__set_bit(i, absent);
	pte_unmap(table);
}

/*
 * Faults for the pages in @absent, one by one; no lock but the mmap lock. When
 * there is no memory for one of them there is none for the others. Other errors
 * are of one page, which then stays absent.
 */
static void hmm_collect_fault_pages(struct hmm_collect *c,
				    const unsigned long *absent)
{
	struct vm_area_struct *vma = c->args->vma;
	unsigned int flags = 0;
	unsigned long i;

	if (vma->vm_mm != current->mm)
		flags |= FAULT_FLAG_REMOTE;
	if (hmm_collect_fault_write(c->args))
		flags |= FAULT_FLAG_WRITE;
	for_each_set_bit(i, absent, PTRS_PER_PTE) {
		vm_fault_t ret;

		if (fatal_signal_pending(current))
			break;
		ret = handle_mm_fault(vma,
				      hmm_collect_pos(c) + (i << PAGE_SHIFT),
				      flags, NULL);
		if (ret & VM_FAULT_OOM)
			break;
		cond_resched();
	}
}

/**
 * hmm_collect_fault_in() - fault in the absent pages below a PMD
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
bool hmm_collect_fault_in(struct hmm_collect *c, pmd_t *pmdp, unsigned long end)
{
	DECLARE_BITMAP(absent, PTRS_PER_PTE);
	int pass;

	if (!(c->args->flags & HMM_MIGRATE_FAULT) ||
	    hmm_collect_pos(c) < c->faulted)
		return true;

	for (pass = 0; pass < 2; pass++) {
		hmm_collect_find_absent(c, pmdp, end, absent);
		if (bitmap_empty(absent, PTRS_PER_PTE))
			break;
		if (c->notified)
			return hmm_collect_pos(c) == c->args->start;
		c->faulted = end;
		hmm_collect_fault_pages(c, absent);
	}
	return true;
}
