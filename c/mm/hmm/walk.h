/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the walker and those who drive it.
 */
#ifndef MM_HMM_WALK_H
#define MM_HMM_WALK_H

#include <linux/hmm.h>

#include "pfn.h"

struct mm_struct;
struct vm_area_struct;

/**
 * enum hmm_walk_stop - why a walk came back, when not for an error
 * @HMM_WALK_DONE: every word is written
 * @HMM_WALK_MISSING: &hmm_walk.missing must be faulted in first
 * @HMM_WALK_AGAIN: what was in the way has gone; walk on
 *
 * All but the first leave the words from &hmm_walk.resume on as they came.
 */
enum hmm_walk_stop {
	HMM_WALK_DONE,
	HMM_WALK_MISSING,
	HMM_WALK_AGAIN,
};

/**
 * struct hmm_walk - a walk in progress
 * @range: what the caller asked for
 * @asked: request bits that hold for every page
 * @askable: which request bits of a page's own word count
 * @resume: the first address whose word is not written yet
 * @missing_end: where the stretch from @resume ends that must be faulted in
 */
struct hmm_walk {
	struct hmm_range *range;
	unsigned long asked;
	unsigned long askable;
	unsigned long resume;
	unsigned long missing_end;
};

static inline unsigned long *hmm_walk_words(const struct hmm_walk *w,
					    unsigned long addr)
{
	return &w->range->hmm_pfns[(addr - w->range->start) >> PAGE_SHIFT];
}

/* What is asked of the page whose incoming word is @word. */
static inline unsigned long hmm_walk_request(const struct hmm_walk *w,
					     unsigned long word)
{
	return w->asked | (word & w->askable);
}

void hmm_walk_init(struct hmm_walk *w, struct hmm_range *range);
int hmm_walk_mmap(struct hmm_walk *w);
int hmm_walk_vma(struct hmm_walk *w, struct vm_area_struct *vma);

#endif /* MM_HMM_WALK_H */
