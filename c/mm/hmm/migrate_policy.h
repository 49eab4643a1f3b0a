/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which memory may migrate to a device.
 *
 * The selftest vma_kinds has a test of most kinds of memory, and vma_policy.h lists
 * the locks under which decisions about a VMA stay valid.
 */
#ifndef _MM_HMM_MIGRATE_POLICY_H
#define _MM_HMM_MIGRATE_POLICY_H

#include <linux/fs.h>
#include <linux/mm.h>

#include "compat-kernel.h"
#include "vma_policy.h"

/*
 * VMAs whose pages never migrate here: those of drivers and of the kernel, which
 * rely on the pages they have mapped, and hugetlb.
 */
#define HMM_VM_UNMOVABLE	(VM_SPECIAL | VM_HUGETLB)

/*
 * VMAs whose pages must not move to a device. A page that moved there before the VMA
 * became one of these (PROT_MTE can be set at any time) must still be able to return,
 * as a CPU fault cannot make progress otherwise.
 *
 * - shadow stacks: a device could write to a page in its memory;
 * - VM_DROPPABLE: pages that reclaim may discard and never swaps out. It does
 *   neither to a device's memory, and a page that was there is swap-backed;
 * - VM_MTE: the pages have tags besides their bytes, and no copy engine of a
 *   device copies these.
 */
#define HMM_VM_NOT_TO_DEVICE	(VM_SHADOW_STACK | VM_DROPPABLE | VM_MTE)

/**
 * hmm_vma_may_migrate() - whether pages of a VMA may migrate
 * @vma: the VMA
 * @to_device: whether pages of system memory are selected
 *
 * Context: the mmap lock is held.
 * Return: true if they may.
 */
static inline bool hmm_vma_may_migrate(const struct vm_area_struct *vma,
				       bool to_device)
{
	if ((vma->vm_flags & HMM_VM_UNMOVABLE) || vma_is_dax(vma))
		return false;
	return !to_device || (!(vma->vm_flags & HMM_VM_NOT_TO_DEVICE) &&
			      !hmm_vma_is_secret(vma));
}

/*
 * Whether a VMA can map anonymous folios. Others are in the page cache, where a
 * device's page cannot take their place.
 */
static inline bool hmm_vma_may_have_anon(const struct vm_area_struct *vma)
{
	return vma_is_anonymous(vma) || vma_is_cow_mapping(vma);
}

/**
 * hmm_folio_may_migrate() - whether a folio of system memory may move to a device
 * @folio: the folio, mapped and locked
 *
 * Invariant: a folio for which this is false is not unmapped, and never passed to
 * a driver to be copied.
 *
 * Only anonymous folios move, and of these only the ones that nothing but page
 * tables refers to by content or by pfn:
 *
 * - not the page cache, which readers and file systems access by index;
 * - not KSM: ksmd compares such folios by content, at any time and without their
 *   lock, and the CPU cannot read a device's memory;
 * - not a folio that is being written to swap, and not one whose swap entry other
 *   page tables hold: they will look for it in the swap cache. One that the swap
 *   cache alone holds is taken out of it here;
 * - not poisoned memory, not even in part: to copy it is a machine check.
 *
 * Context: the folio's lock is held, without which the result may change: KSM turns
 * a mapped anonymous folio into one of its own with only that lock held. Does not
 * sleep; a page table lock may be held.
 * Return: true if it may.
 */
static inline bool hmm_folio_may_migrate(struct folio *folio)
{
	if (!folio_test_anon(folio) || folio_test_ksm(folio) ||
	    folio_test_private(folio) || folio_test_writeback(folio) ||
	    folio_contain_hwpoisoned_page(folio))
		return false;
	return !folio_test_swapcache(folio) || folio_free_swap(folio);
}

#endif /* _MM_HMM_MIGRATE_POLICY_H */
