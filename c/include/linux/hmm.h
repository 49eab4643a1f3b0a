/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Heterogeneous memory management: what a process has mapped, for a device.
 */
#ifndef LINUX_HMM_H
#define LINUX_HMM_H

#include <linux/contract.h>
#include <linux/mm.h>

struct mmu_interval_notifier;

/**
 * DOC: Words
 *
 * The walker reports one word a page. A word holds a page frame number in its
 * low bits and, above %HMM_PFN_ORDER_SHIFT, the order with which the CPU maps
 * the page (five bits) and the flags below. What a word means depends on the
 * way it travels:
 *
 * ======================  ================================  =================
 * bit                     from the caller                   to the caller
 * ======================  ================================  =================
 * %HMM_PFN_VALID          (%HMM_PFN_REQ_FAULT) must become  the page can be
 *                         readable                          read
 * %HMM_PFN_WRITE          (%HMM_PFN_REQ_WRITE) must become  the page can be
 *                         writable                          written
 * %HMM_PFN_ERROR          none                              no page can be had
 * %HMM_PFN_DMA_MAPPED,    the caller's own                  as they were
 * %HMM_PFN_P2PDMA,
 * %HMM_PFN_P2PDMA_BUS
 * ======================  ================================  =================
 *
 * A word without %HMM_PFN_VALID and %HMM_PFN_ERROR means that nothing is there
 * now and that asking for it could bring something. %HMM_PFN_REQ_WRITE counts
 * only together with %HMM_PFN_REQ_FAULT.
 */
enum hmm_pfn_flags {
	HMM_PFN_VALID		= 1UL << (BITS_PER_LONG - 1),
	HMM_PFN_WRITE		= 1UL << (BITS_PER_LONG - 2),
	HMM_PFN_ERROR		= 1UL << (BITS_PER_LONG - 3),

	/* Belong to the caller; the walker leaves them alone. */
	HMM_PFN_DMA_MAPPED	= 1UL << (BITS_PER_LONG - 4),
	HMM_PFN_P2PDMA		= 1UL << (BITS_PER_LONG - 5),
	HMM_PFN_P2PDMA_BUS	= 1UL << (BITS_PER_LONG - 6),

	HMM_PFN_ORDER_SHIFT	= (BITS_PER_LONG - 11),

	/* What the first two mean on the way in. */
	HMM_PFN_REQ_FAULT	= HMM_PFN_VALID,
	HMM_PFN_REQ_WRITE	= HMM_PFN_WRITE,

	/* Everything that is not page frame number. */
	HMM_PFN_FLAGS		= ~((1UL << HMM_PFN_ORDER_SHIFT) - 1),
} __contract(tagged("PfnFlags"));

/**
 * hmm_pfn_to_page() - the page a word tells of
 * @hmm_pfn: a word with %HMM_PFN_VALID set
 *
 * Context: under the update lock, after the range's sequence was checked.
 * Return: the &struct page. No reference is taken on it.
 */
static inline struct page *hmm_pfn_to_page(unsigned long hmm_pfn)
{
	return pfn_to_page(hmm_pfn & ~HMM_PFN_FLAGS);
}

/**
 * hmm_pfn_to_phys() - the physical address a word tells of
 * @hmm_pfn: a word with %HMM_PFN_VALID set
 *
 * Context: under the update lock, after the range's sequence was checked.
 * Return: the address of the page's first byte.
 */
static inline phys_addr_t hmm_pfn_to_phys(unsigned long hmm_pfn)
{
	return __pfn_to_phys(hmm_pfn & ~HMM_PFN_FLAGS);
}

/**
 * hmm_pfn_to_map_order() - how large the CPU's mapping around a page is
 * @hmm_pfn: a word with %HMM_PFN_VALID set
 *
 * The page lies in a naturally aligned block of 2^order pages, aligned both in
 * virtual and in physical addresses, all mapped with the same rights. For huge
 * page table entries the block can reach past the range that was walked; a
 * block of smaller entries was seen whole.
 *
 * Context: under the update lock, after the range's sequence was checked.
 * Return: the order; 0 for a single page.
 */
static inline unsigned int hmm_pfn_to_map_order(unsigned long hmm_pfn)
{
	return (hmm_pfn >> HMM_PFN_ORDER_SHIFT) & 0x1F;
}

/**
 * struct hmm_range - a walk over part of an address space
 * @notifier: a subscription that covers the addresses; names the mm
 * @notifier_seq: what mmu_interval_read_begin() returned for it
 * @start: first address, in bytes, page aligned
 * @end: address after the last, in bytes, page aligned
 * @hmm_pfns: one word a page; see "Words"
 * @default_flags: request bits that hold for every page
 * @pfn_flags_mask: which bits of each page's own word count as a request
 * @dev_private_owner: &dev_pagemap.owner of the device memory that is to be
 *	reported where it is; other devices' pages are asked back
 */
struct hmm_range {
	struct mmu_interval_notifier *notifier;
	unsigned long		notifier_seq;
	unsigned long		start;
	unsigned long		end;
	unsigned long		*hmm_pfns;
	unsigned long		default_flags;
	unsigned long		pfn_flags_mask;
	void			*dev_private_owner;
};

int hmm_range_fault(struct hmm_range *range);
int hmm_range_fault_unlocked_timeout(struct hmm_range *range,
				     unsigned long timeout);
int hmm_range_fault_vma(struct hmm_range *range);

/* How long a driver goes on retrying, in milliseconds, unless it knows better. */
#define HMM_RANGE_DEFAULT_TIMEOUT 1000

#endif /* LINUX_HMM_H */
