// SPDX-License-Identifier: GPL-2.0
/*
 * HMM as it was in 2019: device addresses for the pages of a range.
 */
#include "compat.h"

/* The page of an entry that a device can have an address for. */
static struct page *hmm_range_dma_page(const struct hmm2019_range *range,
				       unsigned long i)
{
	u64 entry = range->pfns[i];

	if (entry & range->flags[HMM_PFN_DEVICE_PRIVATE])
		return NULL;
	return hmm_device_entry_to_page(range, entry);
}

static enum dma_data_direction
hmm_range_dma_direction(const struct hmm2019_range *range, unsigned long i)
{
	return range->pfns[i] & range->flags[HMM2019_PFN_WRITE] ?
	       DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
}

/* Undo the first @npages; returns how many of them had an address. */
static long hmm_range_dma_undo(struct hmm2019_range *range,
			       struct device *device, dma_addr_t *daddrs,
			       unsigned long npages, bool dirty)
{
	long mapped = 0;
	unsigned long i;

	for (i = 0; i < npages; i++) {
		struct page *page = hmm_range_dma_page(range, i);
		enum dma_data_direction direction = hmm_range_dma_direction(range, i);

		if (!page)
			continue;
		dma_unmap_page(device, daddrs[i], PAGE_SIZE, direction);
		if (dirty && direction == DMA_BIDIRECTIONAL)
			set_page_dirty(page);
		daddrs[i] = 0;
		range->pfns[i] = range->values[HMM_PFN_NONE];
		mapped++;
	}
	return mapped;
}

/**
 * hmm_range_dma_map() - hmm2019_range_fault(), and addresses for a device
 * @range: a range that is registered or has a notifier
 * @device: the device
 * @daddrs: one address a page; 0 for a page that has none: one that is not
 *	there, or is private memory of a device
 * @flags: as for hmm2019_range_fault()
 *
 * A page that is to be written must be asked for so; others are mapped for
 * reading. The addresses are good for as long as the entries are.
 *
 * Context: as hmm2019_range_fault().
 * Return: how many pages have an address; or an error of
 * hmm2019_range_fault(), -%EFAULT also for a page that the device cannot be
 * given an address for. Then none has one.
 */
long hmm_range_dma_map(struct hmm2019_range *range, struct device *device,
		       dma_addr_t *daddrs, unsigned int flags)
{
	unsigned long i, npages;
	long mapped = 0, ret;

	ret = hmm2019_range_fault(range, flags);
	if (ret < 0)
		return ret;
	npages = ret;
	for (i = 0; i < npages; i++) {
		struct page *page = hmm_range_dma_page(range, i);

		daddrs[i] = 0;
		if (!page)
			continue;
		ret = -EBUSY;
		if (!hmm_range_valid(range))
			goto undo;
		daddrs[i] = dma_map_page(device, page, 0, PAGE_SIZE,
					 hmm_range_dma_direction(range, i));
		ret = -EFAULT;
		if (dma_mapping_error(device, daddrs[i]))
			goto undo;
		mapped++;
	}
	return mapped;
undo:
	hmm_range_dma_undo(range, device, daddrs, i, false);
	daddrs[i] = 0;
	return ret;
}
EXPORT_SYMBOL_GPL(hmm_range_dma_map);

/**
 * hmm_range_dma_unmap() - take the addresses back
 * @range: a range that hmm_range_dma_map() has filled
 * @device: the device
 * @daddrs: the addresses
 * @dirty: the device has written: mark the pages that it could write to dirty
 *
 * Entries of pages that had an address become %HMM_PFN_NONE.
 *
 * Context: before the driver's sync_cpu_device_pagetables() returns, since
 * nothing else keeps the pages from being used for something else. May not
 * sleep where that may not.
 * Return: how many pages had an address; -%EINVAL for a range that is empty,
 * reversed, not page aligned or incomplete.
 */
long hmm_range_dma_unmap(struct hmm2019_range *range, struct device *device,
			 dma_addr_t *daddrs, bool dirty)
{
	if (!hmm_range_is_aligned(range) || !range->pfns || !daddrs)
		return -EINVAL;
	return hmm_range_dma_undo(range, device, daddrs, hmm_range_pages(range), dirty);
}
EXPORT_SYMBOL_GPL(hmm_range_dma_unmap);
