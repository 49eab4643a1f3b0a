/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words, many at a time.
 */
#ifndef MM_HMM_REPORT_H
#define MM_HMM_REPORT_H

#include "pfn.h"

/* How many words are written together where no table entry is looked at. */
#define HMM_PUT_BLOCK 16

/**
 * hmm_put() - write words
 * @words: where to
 * @nr: how many
 * @word: the first one
 * @step: by how much each is larger than the one before
 * @keep: bits that stay as they were; a constant
 *
 * Seldom does a word carry a bit to keep, and where none of a block does the
 * old words need not be merged in. That leaves a load, an add and a store a
 * page (benchmark: snapshot-2m).
 */
static __always_inline void hmm_put(unsigned long *words, unsigned long nr,
				    unsigned long word,
				    const unsigned long step,
				    const unsigned long keep)
{
	unsigned long i;

	for (; nr >= HMM_PUT_BLOCK; nr -= HMM_PUT_BLOCK) {
		unsigned long old = 0;

		for (i = 0; keep && i < HMM_PUT_BLOCK; i++)
			old |= words[i];
		if (unlikely(old & keep))
			break;
		for (i = 0; i < HMM_PUT_BLOCK; i++)
			words[i] = word + i * step;
		word += HMM_PUT_BLOCK * step;
		words += HMM_PUT_BLOCK;
	}
	for (; nr; nr--, words++, word += step)
		*words = (*words & keep) | word;
}

#endif /* MM_HMM_REPORT_H */
