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
 * DOC: A driver's own entries
 *
 * With &hmm_range.format the walker writes entries of the device's page table
 * in place of words, in the same pass. The entry of a page that can be read is
 * its pfn, shifted left by &hmm_format.pfn_shift, with the flag
 * &hmm_format.valid, and with &hmm_format.write if it can be written; the
 * others are one of three fixed values. Requests are made in the same flags::
 *
 *	static const struct hmm_format dm_format = {
 *		.valid = DM_PTE_VALID,
 *		.write = DM_PTE_WRITE,
 *		.pfn_shift = PAGE_SHIFT,
 *	};
 *	struct hmm_range range = {
 *		.hmm_pfns = dm_table_entries(table, start),
 *		.default_flags = DM_PTE_VALID | DM_PTE_WRITE,
 *		.format = &dm_format,
 *		...
 *	};
 *
 * An entry has no order, and nothing of what was in it before is kept.
 */

/**
 * struct hmm_format - how a device writes its page table entries
 * @valid: the flag for a page that can be read; not 0. In a request: must
 *	become readable
 * @write: the flag for a page that can be written. In a request, together with
 *	@valid: must become writable
 * @device_private: the flag for private memory of the device's own. In a
 *	request, together with @valid: must come back to system memory
 * @error: the entry where no page can be had
 * @none: the entry where nothing is there now, but could be had
 * @special: the entry where the CPU reaches something without a struct page
 * @pfn_shift: how far a pfn is shifted left in an entry, in bits
 *
 * Flags that the device does not have are 0.
 */
struct hmm_format {
	unsigned long	valid;
	unsigned long	write;
	unsigned long	device_private;
	unsigned long	error;
	unsigned long	none;
	unsigned long	special;
	unsigned int	pfn_shift;
};

/**
 * DOC: Extents
 *
 * With &hmm_range.extents the walker writes one record for pages that follow
 * each other and are mapped alike, in place of a word for each. Extents come in
 * the order of their addresses and leave nothing out. Where there is no room
 * for the next one the walk ends with -%ENOSPC; what it wrote is good, and
 * another walk can go on from the end of the last.
 */

/**
 * struct hmm_extent - pages that are mapped alike, one after the other
 * @start: the address of the first, in bytes
 * @npages: how many there are, in pages
 * @word: the first one's word; see "Words". With %HMM_PFN_VALID the next
 *	page's is one more, and so on; else all have the same
 */
struct hmm_extent {
	unsigned long	start;
	unsigned long	npages;
	unsigned long	word;
};

/**
 * struct hmm_extents - room for extents
 * @at: the room
 * @room: how many extents it holds
 * @nr: how many were written; set by every walk
 */
struct hmm_extents {
	struct hmm_extent	*at;
	unsigned long		room;
	unsigned long		nr;
};

/**
 * struct hmm_range - a walk over part of an address space
 * @notifier: a subscription that covers the addresses; names the mm
 * @notifier_seq: what mmu_interval_read_begin() returned for it
 * @start: first address, in bytes, page aligned
 * @end: address after the last, in bytes, page aligned
 * @hmm_pfns: one word a page, see "Words", or one entry a page, in @format;
 *	not used with @extents
 * @default_flags: request bits that hold for every page; flags of @format
 *	where there is one
 * @pfn_flags_mask: which bits of each page's own word, or entry, count as a
 *	request; requests of single pages are not to be had with @extents
 * @dev_private_owner: &dev_pagemap.owner of the device memory that is to be
 *	reported where it is; other devices' pages are asked back
 * @format: the device's own entries; NULL for words
 * @extents: where extents go; NULL for a word a page
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
	const struct hmm_format	*format;
	struct hmm_extents	*extents;
};

int hmm_range_fault(struct hmm_range *range);
int hmm_range_fault_unlocked_timeout(struct hmm_range *range,
				     unsigned long timeout);
int hmm_range_fault_vma(struct hmm_range *range);

/* How long a driver goes on retrying, in milliseconds, unless it knows better. */
#define HMM_RANGE_DEFAULT_TIMEOUT 1000

#endif /* LINUX_HMM_H */
