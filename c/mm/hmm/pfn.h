/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of <linux/hmm.h>, and a driver's own entries: what was asked, what
 * is said.
 *
 * Inside the walker everything is a word, whatever is written in the end
 * (report.c).
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

/*
 * Marks, which only a driver's own entries can show. The walker has two of the
 * caller's bits for them until it writes a word.
 */
#define HMM_MARK_PRIVATE	HMM_PFN_DMA_MAPPED /* memory of the device's own */
#define HMM_MARK_SPECIAL	HMM_PFN_P2PDMA	   /* no struct page */
/* In a request: memory of the device's own must come back. */
#define HMM_REQ_HOME		HMM_MARK_PRIVATE

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

/* By how much a word grows from one page to the next in a stretch of them. */
static inline unsigned long hmm_pfn_step(unsigned long word)
{
	return !!(word & HMM_PFN_VALID);
}

/**
 * hmm_format_request() - what a driver's entry asks for
 * @format: the driver's format
 * @entry: an entry, or flags
 *
 * Return: request bits, among them %HMM_REQ_HOME.
 */
static inline unsigned long hmm_format_request(const struct hmm_format *format,
					       unsigned long entry)
{
	return (entry & format->valid ? HMM_PFN_REQ_FAULT : 0) |
	       (entry & format->write ? HMM_PFN_REQ_WRITE : 0) |
	       (entry & format->device_private ? HMM_REQ_HOME : 0);
}

/**
 * hmm_format_flags() - a driver's entry, less its pfn
 * @format: the driver's format
 * @word: the word of a page, with marks
 */
static inline unsigned long hmm_format_flags(const struct hmm_format *format,
					     unsigned long word)
{
	if (word & HMM_PFN_VALID)
		return format->valid |
		       (word & HMM_PFN_WRITE ? format->write : 0) |
		       (word & HMM_MARK_PRIVATE ? format->device_private : 0);
	if (word & HMM_MARK_SPECIAL)
		return format->special;
	return word & HMM_PFN_ERROR ? format->error : format->none;
}

/* The whole of it. */
static inline unsigned long hmm_format_entry(const struct hmm_format *format,
					     unsigned long word)
{
	unsigned long entry = hmm_format_flags(format, word);

	if (word & HMM_PFN_VALID)
		entry |= (word & ~HMM_PFN_FLAGS) << format->pfn_shift;
	return entry;
}

#endif /* MM_HMM_PFN_H */
