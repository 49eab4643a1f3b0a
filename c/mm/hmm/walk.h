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

/* What is written of each page. */
enum hmm_output {
	HMM_WORDS,	/* a word */
	HMM_ENTRIES,	/* an entry in the driver's format */
	HMM_EXTENTS,	/* nothing but a record for many of them */
};

/**
 * struct hmm_walk - a walk in progress
 * @range: what the caller asked for
 * @vma: the VMA of the table whose entries are being looked at
 * @output: what is written
 * @asked: request bits that hold for every page
 * @askable: which request bits of a page's own word count
 * @resume: the first address whose word is not written yet
 * @missing_end: where the stretch from @resume ends that must be faulted in
 * @stalled_at: @resume of the last walk that stopped for a fault or a wait
 * @stalled_since: when that was first so at this address, in jiffies; 0: never
 */
struct hmm_walk {
	struct hmm_range *range;
	struct vm_area_struct *vma;
	enum hmm_output output;
	unsigned long asked;
	unsigned long askable;
	unsigned long resume;
	unsigned long missing_end;
	unsigned long stalled_at;
	unsigned long stalled_since;
};

/* The word, or entry, of a page; there is none with extents. */
static inline unsigned long *hmm_walk_words(const struct hmm_walk *w,
					    unsigned long addr)
{
	return &w->range->hmm_pfns[(addr - w->range->start) >> PAGE_SHIFT];
}

/* What is asked of the page at @addr, whose word is as it came. */
static inline unsigned long hmm_walk_request(const struct hmm_walk *w,
					     unsigned long addr)
{
	unsigned long word;

	if (!w->askable)
		return w->asked;
	word = *hmm_walk_words(w, addr);
	if (w->output == HMM_ENTRIES)
		word = hmm_format_request(w->range->format, word);
	return w->asked | (word & w->askable);
}

/* Note that a fault is needed; the value makes the walk unwind. */
static inline int hmm_missing(struct hmm_walk *w, unsigned long addr,
			      unsigned long end)
{
	w->resume = addr;
	w->missing_end = end;
	return HMM_WALK_MISSING;
}

/* A page is being migrated: to be waited for once the table is unmapped. */
#define HMM_LEAF_MIGRATING (HMM_WALK_AGAIN + 1)
/* A table has just become something else: the PMD is to be read once more. */
#define HMM_TABLE_GONE (HMM_WALK_AGAIN + 2)

int __must_check hmm_walk_init(struct hmm_walk *w, struct hmm_range *range);
int hmm_walk_mmap(struct hmm_walk *w);
int hmm_walk_vma(struct hmm_walk *w, struct vm_area_struct *vma);

/* walk.c */
unsigned long hmm_first_lacking(const struct hmm_walk *w, unsigned long addr,
				unsigned long nr, unsigned long access);
int hmm_leaf_pte(struct hmm_walk *w, unsigned long addr, pte_t pte);

/* table.c */
int hmm_table(struct hmm_walk *w, unsigned long end, pte_t *ptep);

/* report.c */
int hmm_report(struct hmm_walk *w, unsigned long addr, unsigned long nr,
	       unsigned long word);

/* fault.c, for the earlier generations */
int hmm_range_fault_may_unlock(struct hmm_range *range);

#endif /* MM_HMM_WALK_H */
