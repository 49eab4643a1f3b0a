/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of <linux/hmm.h>: what was asked, what is said.
 */
#ifndef MM_HMM_PFN_H
#define MM_HMM_PFN_H

#include <linux/hmm.h>

/* What a word carries through a walk untouched. */
#define HMM_PFN_STICKY \
	(HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS)

/* What a word can ask for. */
#define HMM_PFN_REQUEST (HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE)

/* A table entry that lets the CPU read, and one that lets it write too. */
#define HMM_PFN_READABLE HMM_PFN_VALID
#define HMM_PFN_WRITABLE (HMM_PFN_VALID | HMM_PFN_WRITE)

static inline unsigned long hmm_pfn_order(unsigned int order)
{
	return (unsigned long)order << HMM_PFN_ORDER_SHIFT;
}

/**
 * hmm_pfn_access() - the word of an entry, less its pfn and order
 * @writable: whether the CPU may write through the entry
 */
static inline unsigned long hmm_pfn_access(bool writable)
{
	return writable ? HMM_PFN_WRITABLE : HMM_PFN_READABLE;
}

/**
 * hmm_pfn_lacks() - whether an entry falls short of a request
 * @request: request bits
 * @access: what the entry gives; 0 when there is none
 */
static inline bool hmm_pfn_lacks(unsigned long request, unsigned long access)
{
	if (!(request & HMM_PFN_REQ_FAULT))
		return false;
	return request & HMM_PFN_REQUEST & ~access;
}

/**
 * hmm_pfn_say() - write the words of pages that have something in common
 * @words: where to
 * @nr: how many
 * @word: the first one's word
 * @step: 1 when the pages follow each other physically, 0 when all words are
 *	alike
 *
 * Eight words are looked at together: seldom does one of them carry a sticky
 * bit, and where none does the old words need not be merged in. That leaves a
 * load, an add and a store a page.
 */
static __always_inline void hmm_pfn_say(unsigned long *words, unsigned long nr,
					unsigned long word, unsigned long step)
{
	while (nr >= 8) {
		unsigned long old = words[0] | words[1] | words[2] | words[3] |
				    words[4] | words[5] | words[6] | words[7];

		if (unlikely(old & HMM_PFN_STICKY))
			break;
		words[0] = word;
		words[1] = word + step;
		words[2] = word + 2 * step;
		words[3] = word + 3 * step;
		words[4] = word + 4 * step;
		words[5] = word + 5 * step;
		words[6] = word + 6 * step;
		words[7] = word + 7 * step;
		word += 8 * step;
		words += 8;
		nr -= 8;
	}
	for (; nr; nr--, words++, word += step)
		*words = (*words & HMM_PFN_STICKY) | word;
}

#endif /* MM_HMM_PFN_H */
