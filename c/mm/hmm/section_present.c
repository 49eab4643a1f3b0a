// SPDX-License-Identifier: GPL-2.0
/*
 * Sections for mapping in advance: addresses without page tables are left out.
 *
 * A process may have its memory mapped in advance in any part of its address space, of
 * which nearly all may be empty. In batches of pages that would take minutes.
 */
#include <linux/mm.h>
#include <linux/pagewalk.h>

#include "migration_wait.h"
#include "mirror.h"

/* Stop at an entry of a PUD table that maps a page; descend to PMD tables. */
static int hmm_present_pud(pud_t *pudp, unsigned long addr, unsigned long next,
			   struct mm_walk *walk)
{
	pud_t pud = pudp_get(pudp);

	walk->action = ACTION_CONTINUE;
	if (pud_none(pud))
		return 0;
	if (pud_present(pud) && !pud_leaf(pud)) {
		walk->action = ACTION_SUBTREE;
		return 0;
	}
	*(unsigned long *)walk->private = addr;
	return 1;
}

/* Stop at a PMD that is not empty: a huge page, or a PTE table. */
static int hmm_present_pmd(pmd_t *pmdp, unsigned long addr, unsigned long next,
			   struct mm_walk *walk)
{
	*(unsigned long *)walk->private = addr;
	return 1;
}

static int hmm_present_hugetlb(pte_t *ptep, unsigned long hmask, unsigned long addr,
			       unsigned long next, struct mm_walk *walk)
{
	*(unsigned long *)walk->private = addr;
	return 1;
}

static const struct mm_walk_ops hmm_present_ops = {
	.pud_entry = hmm_present_pud,
	.pmd_entry = hmm_present_pmd,
	.hugetlb_entry = hmm_present_hugetlb,
	.walk_lock = PGWALK_RDLOCK,
};

/* Whether the section has reported a batch, in which no page was present. */
static bool hmm_section_was_empty(const struct hmm_section *section)
{
	unsigned long nr = hmm_span_pages(section->batch);

	for (unsigned long i = 0; i < nr; i++)
		if (section->pfns[i] & HMM_PFN_VALID)
			return false;
	return nr;
}

/**
 * hmm_section_skip_absent() - choose the next batch after addresses without page tables
 * @section: the section, outside of its batches; it holds the address space
 * @next: what is left of it in one interval. If no page of the batch before was present,
 *	its start is moved to the first address that may have a page, or to the last page
 *	if there is none. It is shortened to the room of the section
 *
 * A caller that has begun a migration holds the mmap lock, and does not take it again: its
 * batches leave nothing out.
 *
 * Context: process context; takes the mmap lock.
 * Return: 0, or -%EINTR.
 */
int hmm_section_skip_absent(struct hmm_section *section, struct hmm_span *next)
{
	unsigned long first = next->end - PAGE_SIZE;
	struct mm_struct *mm = section->mm_ref;

	if (hmm_section_was_empty(section) && !hmm_devmem_is_stepping()) {
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		walk_page_range(mm, next->start, next->end, &hmm_present_ops, &first);
		mmap_read_unlock(mm);
		next->start = first & PAGE_MASK;
	}
	*next = hmm_span_first(*next, section->nr_pfns);
	return 0;
}
