// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics: how much of a process's memory is a device's. Found in the page tables when
 * somebody reads it, as for /proc/PID/smaps, so that nothing has to be counted when a page
 * is mapped, copied by fork(), or unmapped.
 */
#include <linux/cleanup.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "../internal.h"
#include "compat-kernel.h"
#include "stats.h"

/**
 * struct hmm_resident - pages of a device that a process has mapped
 * @owner: the &dev_pagemap.owner of the device's memory
 * @pages: how many were found
 */
struct hmm_resident {
	const void *owner;
	unsigned long pages;
};

/* Count a page that a page table maps, whose lock is held; @page may be %NULL. */
static void hmm_resident_count(struct hmm_resident *r, const struct page *page,
			       unsigned long nr)
{
	if (!page || !is_zone_device_page(page))
		return;
	if (!is_device_private_page(page) && !is_device_coherent_page(page))
		return;
	if (page_pgmap(page)->owner == r->owner)
		r->pages += nr;
}

/* Count the page of a PTE, whose page table is locked. */
static void hmm_resident_pte(struct hmm_resident *r, struct vm_area_struct *vma,
			     unsigned long addr, pte_t pte)
{
	softleaf_t entry;

	if (pte_none(pte))
		return;
	if (pte_present(pte)) {
		hmm_resident_count(r, vm_normal_page(vma, addr, pte), 1);
		return;
	}
	entry = softleaf_from_pte(pte);
	if (softleaf_is_device_private(entry))
		hmm_resident_count(r, softleaf_to_page(entry), 1);
}

/* Page walker callback: only private memory has huge pages. */
static int hmm_resident_pmd(pmd_t *pmdp, unsigned long addr, unsigned long end,
			    struct mm_walk *walk)
{
	spinlock_t *ptl = pmd_trans_huge_lock(pmdp, walk->vma);
	struct hmm_resident *r = walk->private;
	pte_t *table, *ptep;

	if (ptl) {
		pmd_t pmd = pmdp_get(pmdp);

		if (pmd_is_device_private_entry(pmd))
			hmm_resident_count(r, softleaf_to_page(softleaf_from_pmd(pmd)),
					   (end - addr) >> PAGE_SHIFT);
		spin_unlock(ptl);
		return 0;
	}
	table = pte_offset_map_lock(walk->mm, pmdp, addr, &ptl);
	if (table) {
		for (ptep = table; addr < end; ptep++, addr += PAGE_SIZE)
			hmm_resident_pte(r, walk->vma, addr, ptep_get(ptep));
		pte_unmap_unlock(table, ptl);
	}
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static const struct mm_walk_ops hmm_resident_ops = {
	.pmd_entry	= hmm_resident_pmd,
	.walk_lock	= PGWALK_RDLOCK,
};

/* Count one VMA, the first that ends above @addr; return its end, or 0 to stop. */
static unsigned long hmm_resident_vma(struct hmm_resident *r, struct mm_struct *mm,
				      unsigned long addr)
{
	struct vm_area_struct *vma;
	unsigned long end = 0;

	if (mmap_read_lock_killable(mm))
		return 0;
	vma = find_vma(mm, addr);
	if (vma && !walk_page_vma(vma, &hmm_resident_ops, r))
		end = vma->vm_end;
	mmap_read_unlock(mm);
	return end;
}

/**
 * hmm_resident_pages() - count the pages of a process that are in a device's memory
 * @mm: the process, pinned as by mmgrab()
 * @owner: the &dev_pagemap.owner of the memory; %NULL for none
 *
 * The mmap lock is taken for one VMA at a time.
 *
 * Context: process context, with no lock that is taken under the mmap lock; may sleep.
 * Return: the number of pages; 0 if the process has exited. Less than that if the caller
 * is killed.
 */
unsigned long hmm_resident_pages(struct mm_struct *mm, void *owner)
{
	struct hmm_resident r = { .owner = owner };
	unsigned long addr = 0;

	if (!owner || !mmget_not_zero(mm))
		return 0;
	do
		addr = hmm_resident_vma(&r, mm, addr);
	while (addr);
	/* The last reference ends the address space, which calls drivers. */
	mmput_async(mm);
	return r.pages;
}
