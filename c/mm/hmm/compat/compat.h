/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the shims for earlier API years.
 */
#ifndef _MM_HMM_COMPAT_H
#define _MM_HMM_COMPAT_H

#include <linux/hmm_compat.h>

/* process.c */
struct hmm *hmm_process_get_locked(struct mm_struct *mm);
void hmm_process_put(struct hmm *process);
bool hmm_process_exists(const struct mm_struct *mm);
void hmm_process_reaping(struct hmm *process);
bool hmm_process_is_quiet(const struct hmm *process, unsigned long start,
			  unsigned long end);

#ifdef CONFIG_HMM_COMPAT_2019
/* Whether a range is not empty, not reversed, and of whole pages. */
static inline bool hmm_range_is_aligned(const struct hmm2019_range *range)
{
	return range->start < range->end &&
	       PAGE_ALIGNED(range->start | range->end);
}

/* How many pages, and entries, a range has. */
static inline unsigned long hmm_range_pages(const struct hmm2019_range *range)
{
	return (range->end - range->start) >> PAGE_SHIFT;
}
#endif

/* memremap_2018.c */
extern int hmm_compat_owner;
struct page *hmm_compat_fault_page(void);
void hmm_compat_poison(struct vm_area_struct *vma, unsigned long addr,
		       struct page *page);

#endif /* _MM_HMM_COMPAT_H */
