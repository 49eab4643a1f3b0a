// SPDX-License-Identifier: GPL-2.0
/*
 * Sections that make a page exclusive to the device: HMM_ACCESS_EXCLUSIVE.
 */
#include <linux/hmm_mirror.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>

#include "migration_wait.h"
#include "mirror.h"
#include "pfn.h"
#include "walk.h"

/*
 * Replace the PTE by a device-exclusive entry. The section is registered as a mover,
 * so that the event invalidates all mirrors of the process except in this interval.
 */
static struct page *hmm_section_make_exclusive(struct hmm_section *section,
					       unsigned long addr,
					       struct hmm_fault_waits *waits)
{
	struct mm_struct *mm = section->mm_ref;
	struct vm_area_struct *vma;
	struct hmm_mover mover;
	struct page *page;
	int ret;

	ret = hmm_interval_add_mover(section->interval, &mover);
	if (ret)
		return ERR_PTR(ret);
	page = ERR_PTR(-EINTR);
	if (!mmap_read_lock_killable(mm)) {
		vma = vma_lookup(mm, addr);
		/* GUP would wait, too, but not killably. */
		if (vma && fault_wait_killable(vma, addr)) {
			hmm_waited(waits, addr);
			page = ERR_PTR(-EBUSY);
		} else {
			page = make_device_exclusive(mm, addr,
						     section->interval->state->owner,
						     &section->exclusive_folio);
		}
		mmap_read_unlock(mm);
	}
	hmm_interval_del_mover(section->interval, &mover);
	return page;
}

/**
 * hmm_section_exclusive_begin() - give the device exclusive access to a page
 * @section: the section
 * @walk: a walk of one page; its hmm pfn is set
 * @waits: as of hmm_range_fault_vma_retry()
 *
 * A CPU that accesses the page waits for the folio lock; all other changes move the
 * sequence. make_device_exclusive() itself would move it if the page were absent,
 * shared or exclusive already, so the page is faulted in for write beforehand.
 *
 * Return: 0, with the folio locked until hmm_section_exclusive_end(); -%EDEADLK if the
 * caller has begun a migration, and so holds the mmap lock; errors of
 * hmm_range_fault_vma_retry(), hmm_interval_enter() and make_device_exclusive().
 */
int hmm_section_exclusive_begin(struct hmm_section *section, struct hmm_range *walk,
				struct hmm_fault_waits *waits)
{
	const unsigned long began = walk->notifier_seq;
	struct page *page;
	int ret;

	if (!IS_ENABLED(CONFIG_DEVICE_PRIVATE))
		return -EOPNOTSUPP;
	if (hmm_devmem_is_stepping())
		return -EDEADLK;
	ret = hmm_range_fault_vma_retry(walk, waits);
	if (ret)
		return ret;

	ret = mmu_interval_read_begin_killable(walk->notifier,
					       &walk->notifier_seq);
	if (ret)
		return ret;
	page = hmm_section_make_exclusive(section, walk->start, waits);
	if (IS_ERR(page)) {
		section->exclusive_folio = NULL;
		/*
		 * GUP cannot wait for userfaultfd here, and fails where the page was
		 * zapped or protected after it had been faulted in: fault it in again.
		 */
		if (PTR_ERR(page) == -EFAULT &&
		    mmu_interval_read_retry(walk->notifier, began))
			return -EBUSY;
		return PTR_ERR(page);
	}
	walk->hmm_pfns[0] = (walk->hmm_pfns[0] & HMM_PFN_INOUT_FLAGS) |
			    page_to_pfn(page) | HMM_PFN_WRITABLE;
	return 0;
}

/**
 * hmm_section_exclusive_end() - unlock and put the exclusive folio
 * @section: the section; nothing happens if it has none
 */
void hmm_section_exclusive_end(struct hmm_section *section)
{
	if (!section->exclusive_folio)
		return;
	folio_unlock(section->exclusive_folio);
	folio_put(section->exclusive_folio);
	section->exclusive_folio = NULL;
}
