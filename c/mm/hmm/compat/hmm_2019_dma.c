// SPDX-License-Identifier: GPL-2.0
/*
 * API year 2019: DMA addresses for the pages of a range.
 */
#include "compat.h"

/* The page of an entry; NULL if the device can have no DMA address for it. */
static struct page *hmm_range_dma_page(const struct hmm2019_range *range,
				       unsigned long i)
{
	u64 entry = range->pfns[i];

	if (entry & range->flags[HMM_PFN_DEVICE_PRIVATE])
		return NULL;
	return hmm_device_entry_to_page(range, entry);
}

/* The direction of transfers that the entry of a page allows. */
static enum dma_data_direction
hmm_range_dma_direction(const struct hmm2019_range *range, unsigned long i)
{
	return range->pfns[i] & range->flags[HMM2019_PFN_WRITE] ?
	       DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
}

/* Unmap the first @npages; returns how many of them had a DMA address. */
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
 * __hmm_range_dma_map() - hmm2019_range_fault(), and DMA addresses
 * @range: a range that is registered or has a notifier
 * @device: the device
 * @daddrs: a DMA address for each page; 0 for a page that is absent or is
 *	device-private memory
 * @flags: as for hmm2019_range_fault()
 *
 * Pages that are reported writable are mapped in both directions, others to the
 * device. The addresses are valid for as long as the entries are.
 *
 * Context: as hmm2019_range_fault().
 * Return: the number of pages that have an address; or an error of
 * hmm2019_range_fault(); -%EBUSY if the range was invalidated meanwhile;
 * -%EFAULT if a page cannot be mapped for the device. On the last two all
 * addresses are 0 and all entries are %HMM_PFN_NONE.
 */
long __hmm_range_dma_map(struct hmm2019_range *range, struct device *device,
			 dma_addr_t *daddrs, unsigned int flags)
{
	unsigned long i, npages;
	long mapped = 0, ret;

	ret = __hmm2019_range_fault(range, flags);
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
	for (; i < npages; i++) {
		daddrs[i] = 0;
		range->pfns[i] = range->values[HMM_PFN_NONE];
	}
	return ret;
}
EXPORT_SYMBOL_GPL(__hmm_range_dma_map);

/**
 * hmm_range_dma_unmap() - unmap what hmm_range_dma_map() mapped
 * @range: the range
 * @device: the device
 * @daddrs: the addresses
 * @dirty: the device has written: mark the pages that it could write to dirty
 *
 * Entries of pages that had an address become %HMM_PFN_NONE.
 *
 * Context: before the driver's sync_cpu_device_pagetables() returns, as nothing
 * else keeps the pages from being used otherwise.
 * Return: the number of pages that had an address; -%EINVAL for a range that is
 * empty, reversed, not page aligned or incomplete.
 */
long hmm_range_dma_unmap(struct hmm2019_range *range, struct device *device,
			 dma_addr_t *daddrs, bool dirty)
{
	if (!hmm_range_is_aligned(range) || !range->pfns || !daddrs)
		return -EINVAL;
	return hmm_range_dma_undo(range, device, daddrs, hmm_range_pages(range), dirty);
}
EXPORT_SYMBOL_GPL(hmm_range_dma_unmap);
