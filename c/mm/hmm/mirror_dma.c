// SPDX-License-Identifier: GPL-2.0
/*
 * Device addresses for the pages of a mirror. <linux/hmm_mirror.h> has the
 * documentation for drivers.
 *
 * A walk does not write into the map's entries: it holds no lock, and an
 * invalidation that unmaps an address changes the same entry. Sections have an array
 * of their own, and copy it into the map under hmm_mirror.dma_lock. So an entry with
 * an address always has the pfn of the page at that address.
 *
 * The update lock does not suffice: ranges with different update locks share a
 * map, and so do sections that take a rw_semaphore for reading. It does keep
 * the entries of a section's own batch from losing their addresses.
 */
#include <linux/export.h>
#include <linux/hmm_mirror.h>
#include <linux/pci-p2pdma.h>

#include "mirror.h"
#include "mirror_dma.h"
#include "pfn.h"

/* Call cond_resched() after so many entries. */
#define HMM_MIRROR_DMA_YIELD 1024

/* The entry of an address in the map's span. */
static size_t hmm_mirror_dma_index(const struct hmm_mirror_dma *dma, unsigned long addr)
{
	return (addr - dma->span.start) >> PAGE_SHIFT;
}

/*
 * Unmap the device addresses of a span; the caller holds hmm_mirror.dma_lock. At
 * the end of a process the span can be as long as the map.
 */
static void hmm_mirror_dma_unmap(struct hmm_mirror_dma *dma, struct hmm_span span,
				 bool may_block)
{
	unsigned long addr;

	span = hmm_span_clip(span, dma->span);
	for (addr = span.start; addr < span.end; addr += PAGE_SIZE) {
		size_t idx = hmm_mirror_dma_index(dma, addr);

		hmm_dma_unmap_pfn(dma->dev, &dma->map, idx);
		if (may_block && !(idx % HMM_MIRROR_DMA_YIELD))
			cond_resched();
	}
}

/*
 * Unmap the device addresses of a span, which is invalidated on the device already.
 * Returns false only if @may_block is false.
 */
bool hmm_mirror_dma_forget(struct hmm_mirror *mirror, struct hmm_span span,
			   bool may_block)
{
	struct hmm_mirror_dma *dma;

	if (may_block)
		mutex_lock(&mirror->dma_lock);
	else if (!mutex_trylock(&mirror->dma_lock))
		return false;
	list_for_each_entry(dma, &mirror->dmas, list)
		hmm_mirror_dma_unmap(dma, span, may_block);
	mutex_unlock(&mirror->dma_lock);
	return true;
}

/**
 * hmm_mirror_dma_init() - make room for device addresses
 * @dma: storage for the map, which must not be moved
 * @mirror: the mirror, which must outlive the map
 * @dev: the device, which stays bound to its driver until hmm_mirror_dma_exit()
 * @span: the addresses whose pages need room
 *
 * Context: holds neither the update lock nor an mmap lock. May sleep.
 * Return: 0; -%EINVAL for a span that is empty, reversed or not page aligned;
 * -%EOPNOTSUPP for a device that cannot share memory; -%ENOMEM.
 */
int hmm_mirror_dma_init(struct hmm_mirror_dma *dma, struct hmm_mirror *mirror,
			struct device *dev, struct hmm_span span)
{
	int ret;

	if (!hmm_span_valid(span))
		return -EINVAL;
	*dma = (struct hmm_mirror_dma){ .mirror = mirror, .dev = dev, .span = span };
	ret = hmm_dma_map_alloc(dev, &dma->map, hmm_span_pages(span), PAGE_SIZE);
	if (ret)
		return ret;
	scoped_guard(mutex, &mirror->dma_lock)
		list_add(&dma->list, &mirror->dmas);
	return 0;
}
EXPORT_SYMBOL_GPL(hmm_mirror_dma_init);

/**
 * hmm_mirror_dma_exit() - unmap all device addresses and free the map
 * @dma: the map
 *
 * First the map's span is invalidated on the device, also in ranges whose removal was
 * deferred: an address that is unmapped may be reused for another buffer.
 *
 * Context: no section with @dma is open or will be; not in a callback of a mirror;
 * holds neither an update lock nor an mmap lock. May sleep.
 */
void hmm_mirror_dma_exit(struct hmm_mirror_dma *dma)
{
	/* It would wait for itself. */
	if (!WARN_ONCE(hmm_update_lock_is_mine(dma->mirror->update),
		       "device addresses end under the update lock\n"))
		hmm_mirror_forget(dma->mirror, dma->span);
	scoped_guard(mutex, &dma->mirror->dma_lock) {
		list_del(&dma->list);
		hmm_mirror_dma_unmap(dma, dma->span, true);
	}
	hmm_dma_map_free(dma->dev, &dma->map);
}
EXPORT_SYMBOL_GPL(hmm_mirror_dma_exit);

/* Whether the section's map is of its mirror and covers its span. */
bool hmm_mirror_dma_fits(const struct hmm_section *section)
{
	const struct hmm_mirror_dma *dma = section->dma;

	return dma->mirror == section->mirror &&
	       dma->span.start <= section->span.start &&
	       section->span.end <= dma->span.end;
}

/*
 * Map the pages of a section's batch for the device. Device-private memory gets no
 * address: the DMA API does not know it.
 */
int hmm_mirror_dma_map(const struct hmm_section *section)
{
	size_t idx = hmm_mirror_dma_index(section->dma, section->batch.start);
	unsigned long nr = hmm_span_pages(section->batch), i;
	struct hmm_dma_map *map = &section->dma->map;
	struct pci_p2pdma_map_state peer = {};

	guard(mutex)(&section->mirror->dma_lock);
	for (i = 0; i < nr; i++, idx++) {
		unsigned long hmm_pfn = section->pfns[i] & ~HMM_PFN_INOUT_FLAGS;

		if (!(hmm_pfn & HMM_PFN_VALID) ||
		    is_device_private_page(hmm_pfn_to_page(hmm_pfn)))
			continue;
		map->pfn_list[idx] = (map->pfn_list[idx] & HMM_PFN_INOUT_FLAGS) | hmm_pfn;
		if (hmm_dma_map_pfn(section->dma->dev, map, idx, &peer) ==
		    DMA_MAPPING_ERROR)
			return -EIO;
	}
	return 0;
}

/**
 * hmm_section_dma_map() - map the pages of a section's batch for another device
 * @section: a section for which hmm_section_next() returned true
 * @dma: the device's map; of the same mirror, with room for &hmm_section.span
 *
 * For a driver that maps memory on several devices: one walk serves them all. From
 * here on hmm_section_dma_run() reports the addresses of this device, and
 * hmm_section_next() maps for it. A page that has an address keeps it, so a driver
 * can map each batch for one device after the other.
 *
 * After an error &hmm_section.dma is unchanged.
 *
 * Context: inside the section. May sleep.
 * Return: 0; -%EINVAL for a map of another mirror or without room for the span, or
 * outside of the section; -%EIO if the DMA API had no address for a page.
 */
int hmm_section_dma_map(struct hmm_section *section, struct hmm_mirror_dma *dma)
{
	struct hmm_mirror_dma *before = section->dma;
	int ret = -EINVAL;

	section->dma = dma;
	if (section->locked && hmm_mirror_dma_fits(section))
		ret = hmm_mirror_dma_map(section);
	if (ret)
		section->dma = before;
	return ret;
}
EXPORT_SYMBOL_GPL(hmm_section_dma_map);

/* The device address of a page, or %DMA_MAPPING_ERROR if it has none. */
static dma_addr_t hmm_mirror_dma_address(struct hmm_mirror_dma *dma, size_t idx)
{
	struct pci_p2pdma_map_state peer = {};

	lockdep_assert_held(&dma->mirror->dma_lock);
	if (!(READ_ONCE(dma->map.pfn_list[idx]) & HMM_PFN_DMA_MAPPED))
		return DMA_MAPPING_ERROR;
	return hmm_dma_map_pfn(dma->dev, &dma->map, idx, &peer);
}

/**
 * hmm_section_dma_run() - find the next run of device addresses
 * @section: a section with &hmm_section.dma for which hmm_section_next() returned true
 * @run: the previous run; for the first, one whose end is the start of the batch
 *
 * Takes &hmm_mirror.dma_lock, as other sections map pages in the same entries.
 *
 * Context: inside the section. May sleep.
 * Return: true if there is another run.
 */
bool hmm_section_dma_run(const struct hmm_section *section,
			 struct hmm_dma_run *run)
{
	struct hmm_mirror_dma *dma = section->dma;
	size_t base = hmm_mirror_dma_index(dma, section->batch.start);
	size_t end = hmm_mirror_dma_index(dma, section->batch.end);
	size_t idx = hmm_mirror_dma_index(dma, run->span.end), from;
	unsigned long write;
	dma_addr_t addr = DMA_MAPPING_ERROR;

	guard(mutex)(&section->mirror->dma_lock);
	while (idx < end && (addr = hmm_mirror_dma_address(dma, idx)) == DMA_MAPPING_ERROR)
		idx++;
	if (idx >= end)
		return false;

	from = idx;
	/* The access is this section's: other sections overwrite the map's pfns. */
	write = section->pfns[idx - base] & HMM_PFN_WRITE;
	do
		idx++;
	while (idx < end && (section->pfns[idx - base] & HMM_PFN_WRITE) == write &&
	       hmm_mirror_dma_address(dma, idx) == addr + ((idx - from) << PAGE_SHIFT));
	*run = (struct hmm_dma_run){
		.span.start = dma->span.start + (from << PAGE_SHIFT),
		.span.end = dma->span.start + (idx << PAGE_SHIFT),
		.address = addr,
		.flags = HMM_PFN_VALID | write,
	};
	return true;
}
EXPORT_SYMBOL_GPL(hmm_section_dma_run);
