/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hmm pfns of <linux/hmm.h>, and the entries of a driver's format: requests
 * on the way in, results on the way out.
 *
 * Inside the walker every result is an hmm pfn; walk_output.c converts it.
 */
#ifndef _MM_HMM_PFN_H
#define _MM_HMM_PFN_H

#include <linux/hmm.h>

/* The caller's own flags, which a walk leaves as they are. */
#define HMM_PFN_INOUT_FLAGS \
	(HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS)

/* The requests that can be made for a page. */
#define HMM_PFN_REQUEST (HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE)

/* The access of a PTE that is readable, and of one that is also writable. */
#define HMM_PFN_READABLE HMM_PFN_VALID
#define HMM_PFN_WRITABLE (HMM_PFN_VALID | HMM_PFN_WRITE)

/*
 * Marks, which only entries of a driver's format can report. Inside the walker they
 * use the bits of two of the caller's flags; they are never written to hmm pfns.
 */
#define HMM_MARK_PRIVATE	HMM_PFN_DMA_MAPPED /* the caller's device-private memory */
#define HMM_MARK_SPECIAL	HMM_PFN_P2PDMA	   /* no struct page */
/* Memory of another device that can be reached: for &hmm_fault_waits.peer_pfns only. */
#define HMM_MARK_PEER		HMM_PFN_P2PDMA_BUS
/* In a request: migrate the caller's device-private memory to system memory. */
#define HMM_REQ_SYSTEM		HMM_MARK_PRIVATE

static inline unsigned long hmm_pfn_order(unsigned int order)
{
	return (unsigned long)order << HMM_PFN_ORDER_SHIFT;
}

/**
 * hmm_pfn_access() - the access flags of an hmm pfn
 * @writable: whether the page table entry is writable
 *
 * Return: %HMM_PFN_WRITABLE or %HMM_PFN_READABLE.
 */
static inline unsigned long hmm_pfn_access(bool writable)
{
	return writable ? HMM_PFN_WRITABLE : HMM_PFN_READABLE;
}

/**
 * hmm_needs_fault() - whether a page table entry does not satisfy a request
 * @request: request flags
 * @access: the access that the entry allows; 0 if it is not present
 *
 * Return: true if @request includes a fault and @access does not satisfy it.
 */
static inline bool hmm_needs_fault(unsigned long request, unsigned long access)
{
	if (!(request & HMM_PFN_REQ_FAULT))
		return false;
	return request & HMM_PFN_REQUEST & ~access;
}

/* The difference from an hmm pfn to that of the next page of a span. */
static inline unsigned long hmm_pfn_step(unsigned long hmm_pfn)
{
	return !!(hmm_pfn & HMM_PFN_VALID);
}

/**
 * hmm_format_request() - the request that a driver's entry makes
 * @format: the driver's format
 * @entry: an entry, or flags
 *
 * Return: request flags, among them %HMM_REQ_SYSTEM.
 */
static inline unsigned long hmm_format_request(const struct hmm_format *format,
					       unsigned long entry)
{
	return (entry & format->valid ? HMM_PFN_REQ_FAULT : 0) |
	       (entry & format->write ? HMM_PFN_REQ_WRITE : 0) |
	       (entry & format->device_private ? HMM_REQ_SYSTEM : 0);
}

/**
 * hmm_format_flags() - a driver's entry without its pfn
 * @format: the driver's format
 * @hmm_pfn: the hmm pfn, with marks
 *
 * Return: the flags, or one of the three fixed entries.
 */
static inline unsigned long hmm_format_flags(const struct hmm_format *format,
					     unsigned long hmm_pfn)
{
	if (hmm_pfn & HMM_PFN_VALID)
		return format->valid |
		       (hmm_pfn & HMM_PFN_WRITE ? format->write : 0) |
		       (hmm_pfn & HMM_MARK_PRIVATE ? format->device_private : 0);
	if (!(hmm_pfn & HMM_PFN_ERROR))
		return format->none;
	/* A special entry of 0 would be equal to "none" and be faulted for ever. */
	if ((hmm_pfn & HMM_MARK_SPECIAL) && format->special)
		return format->special;
	return format->error;
}

/* A driver's entry. */
static inline unsigned long hmm_format_entry(const struct hmm_format *format,
					     unsigned long hmm_pfn)
{
	unsigned long entry = hmm_format_flags(format, hmm_pfn);

	if (hmm_pfn & HMM_PFN_VALID)
		entry |= (hmm_pfn & ~HMM_PFN_FLAGS) << format->pfn_shift;
	return entry;
}

#endif /* _MM_HMM_PFN_H */
