/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Heterogeneous memory management: report a process's mappings to a device.
 */
#ifndef _LINUX_HMM_H
#define _LINUX_HMM_H

#include <linux/contract.h>
#include <linux/mm.h>

struct mmu_interval_notifier;

/**
 * DOC: hmm pfns
 *
 * The walker reports one hmm pfn, an unsigned long, for each page. It holds a
 * page frame number in its low bits and, above %HMM_PFN_ORDER_SHIFT, the order
 * with which the CPU maps the page (five bits) and the flags below. What the
 * flags mean depends on the direction:
 *
 * ======================  ================================  ==================
 * bit                     from the caller                   to the caller
 * ======================  ================================  ==================
 * HMM_PFN_VALID           (HMM_PFN_REQ_FAULT) must become   the page can be
 *                         readable                          read
 * HMM_PFN_WRITE           (HMM_PFN_REQ_WRITE) must become   the page can be
 *                         writable                          written
 * HMM_PFN_ERROR           none                              no page can be had
 * HMM_PFN_DMA_MAPPED,     the caller's own                  as they were
 * HMM_PFN_P2PDMA,
 * HMM_PFN_P2PDMA_BUS
 * ======================  ================================  ==================
 *
 * An hmm pfn without %HMM_PFN_VALID and %HMM_PFN_ERROR means that no page is
 * there now and that a request could bring one. %HMM_PFN_REQ_WRITE counts only
 * together with %HMM_PFN_REQ_FAULT.
 *
 * The caller's own flags are changed under the update lock, and only of pages that
 * were reported. Walks of several threads can share an array if the flags are those
 * of hmm_dma_map_pfn(), or if no two of them report a page for the first time.
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
 * hmm_pfn_to_page() - the page of an hmm pfn
 * @hmm_pfn: an hmm pfn with %HMM_PFN_VALID set
 *
 * Context: under the update lock, after the range's sequence was checked.
 * Return: the &struct page. No reference is taken on it.
 */
static inline struct page *hmm_pfn_to_page(unsigned long hmm_pfn)
{
	return pfn_to_page(hmm_pfn & ~HMM_PFN_FLAGS);
}

/**
 * hmm_pfn_to_phys() - the physical address of an hmm pfn
 * @hmm_pfn: an hmm pfn with %HMM_PFN_VALID set
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
 * @hmm_pfn: an hmm pfn with %HMM_PFN_VALID set
 *
 * The page is one of 2^order contiguous pages, naturally aligned both in virtual
 * and in physical addresses, all mapped with the same access rights. For
 * huge page table entries these can extend beyond the range that was walked; for
 * PTEs, all of them were seen. They need not be one folio: an
 * invalidation can hit a part of it.
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
 * @end: end address, in bytes, page aligned
 * @hmm_pfns: one hmm pfn a page
 * @default_flags: request flags for every page
 * @pfn_flags_mask: which flags of each page's own hmm pfn count as a request
 * @dev_private_owner: &dev_pagemap.owner of the device memory that is to be
 *	reported where it is; other devices' pages are migrated back on request
 *
 * This is the kernel's structure, byte for byte.
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

/**
 * DOC: A driver's own format
 *
 * hmm_range_fault_format() writes entries of the device's page table in place of
 * hmm pfns, in the same pass. The entry of a page that can be read is its pfn,
 * shifted left by &hmm_format.pfn_shift, with the flag &hmm_format.valid, and
 * with &hmm_format.write if it can be written; the others are one of three fixed
 * values. Requests are made in the same flags::
 *
 *	static const struct hmm_format dm_format = {
 *		.valid = DM_PTE_VALID,
 *		.write = DM_PTE_WRITE,
 *		.error = DM_PTE_ERROR,
 *		.pfn_shift = PAGE_SHIFT,
 *	};
 *	struct hmm_range range = {
 *		.notifier = &dm->notifier,
 *		.start = span.start,
 *		.end = span.end,
 *		.hmm_pfns = dm_table_entries(&dm->table, span.start),
 *		.default_flags = DM_PTE_VALID | DM_PTE_WRITE,
 *	};
 *
 *	ret = hmm_range_fault_format(&range, &dm_format);
 *
 * An entry has no order, and is overwritten: no bits of the old value are kept.
 */

/**
 * struct hmm_format - how a device writes its page table entries
 * @valid: the flag for a page that can be read; not 0. In a request: must
 *	become readable
 * @write: the flag for a page that can be written. In a request, together with
 *	@valid: must become writable
 * @device_private: the flag for the caller's device-private memory. In a
 *	request, together with @valid: must migrate to system memory
 * @error: the entry where no page can be mapped
 * @none: the entry where no page is there now, but a request could bring one
 * @special: the entry where the CPU reaches memory without a struct page; 0:
 *	@error
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
 * hmm_range_fault_extents() writes one record for pages that follow each other
 * and are mapped alike, in place of an hmm pfn for each. Extents come in the
 * order of their addresses and leave nothing out; each lies in one pagemap, or
 * in system memory. Where there is no room for the next one the walk ends with
 * -%ENOSPC. The extents that it wrote are valid, and another walk can continue at
 * the end of the last.
 */

/**
 * struct hmm_extent - pages that are mapped alike, one after the other
 * @start: the address of the first, in bytes
 * @npages: number of pages
 * @hmm_pfn: the first one's; see "hmm pfns". With %HMM_PFN_VALID the next page's
 *	is one more, and so on; otherwise all have the same
 */
struct hmm_extent {
	unsigned long	start;
	unsigned long	npages;
	unsigned long	hmm_pfn;
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

int hmm_range_fault(struct hmm_range *range);
int hmm_range_fault_unlocked_timeout(struct hmm_range *range,
				     unsigned long timeout);
int hmm_range_fault_vma(struct hmm_range *range);

int hmm_range_fault_format(struct hmm_range *range, const struct hmm_format *format);
int hmm_range_fault_format_unlocked_timeout(struct hmm_range *range,
					    const struct hmm_format *format,
					    unsigned long timeout);
int hmm_range_fault_extents(struct hmm_range *range, struct hmm_extents *extents);
int hmm_range_fault_extents_unlocked_timeout(struct hmm_range *range,
					     struct hmm_extents *extents,
					     unsigned long timeout);

/* How long a driver retries, in milliseconds, if it has no limit of its own. */
#define HMM_RANGE_DEFAULT_TIMEOUT 1000

#endif /* _LINUX_HMM_H */
