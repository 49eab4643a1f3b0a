// SPDX-License-Identifier: GPL-2.0
/*
 * How what was found is written: as words, as a driver's own entries, or as
 * extents.
 */
#include "report.h"
#include "walk.h"

/* Words of pages that follow each other. */
static noinline void hmm_put_run(unsigned long *words, unsigned long nr,
				 unsigned long word)
{
	hmm_put(words, nr, word, 1, HMM_PFN_STICKY);
}

/* One word for all. */
static noinline void hmm_put_same(unsigned long *words, unsigned long nr,
				  unsigned long word)
{
	hmm_put(words, nr, word, 0, HMM_PFN_STICKY);
}

static noinline void hmm_put_entries(unsigned long *entries, unsigned long nr,
				     unsigned long entry, unsigned long step)
{
	hmm_put(entries, nr, entry, step, 0);
}

/* Make the last extent longer, or begin another. */
static noinline int hmm_extend(struct hmm_extents *extents, unsigned long addr,
			       unsigned long nr, unsigned long word)
{
	struct hmm_extent *last;

	if (extents->nr) {
		last = &extents->at[extents->nr - 1];
		if (last->word + last->npages * hmm_pfn_step(last->word) == word) {
			last->npages += nr;
			return HMM_WALK_DONE;
		}
	}
	if (extents->nr == extents->room)
		return -ENOSPC;
	extents->at[extents->nr++] = (struct hmm_extent){
		.start = addr,
		.npages = nr,
		.word = word,
	};
	return HMM_WALK_DONE;
}

/**
 * hmm_report() - write what is known of pages
 * @w: the walk
 * @addr: the first one's address
 * @nr: how many
 * @word: the first one's word, with marks; the others follow each other from
 *	there if it has %HMM_PFN_VALID, and else have the same
 *
 * Return: %HMM_WALK_DONE, or -%ENOSPC.
 */
int hmm_report(struct hmm_walk *w, unsigned long addr, unsigned long nr,
	       unsigned long word)
{
	const struct hmm_format *format = w->range->format;
	unsigned long step = hmm_pfn_step(word);

	switch (w->output) {
	case HMM_WORDS:
		word &= ~HMM_PFN_STICKY;
		if (step)
			hmm_put_run(hmm_walk_words(w, addr), nr, word);
		else
			hmm_put_same(hmm_walk_words(w, addr), nr, word);
		break;
	case HMM_ENTRIES:
		hmm_put_entries(hmm_walk_words(w, addr), nr,
				hmm_format_entry(format, word),
				step << format->pfn_shift);
		break;
	case HMM_EXTENTS:
		return hmm_extend(w->range->extents, addr, nr,
				  word & ~HMM_PFN_STICKY);
	}
	return HMM_WALK_DONE;
}
