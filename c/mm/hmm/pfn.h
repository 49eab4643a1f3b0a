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

/* Write one word. */
static inline void hmm_pfn_put(unsigned long *at, unsigned long word)
{
	*at = (*at & HMM_PFN_STICKY) | word;
}

#endif /* MM_HMM_PFN_H */
