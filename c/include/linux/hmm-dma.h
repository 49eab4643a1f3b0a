/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device addresses for the pages of an hmm_range.
 */
#ifndef _LINUX_HMM_DMA_H
#define _LINUX_HMM_DMA_H

#include <linux/dma-mapping.h>

struct dma_iova_state;
struct pci_p2pdma_map_state;

/**
 * struct hmm_dma_map - pages and the device addresses they were given
 * @state: the IOVA space, where the device has one
 * @pfn_list: one hmm pfn for each entry; &hmm_range.hmm_pfns of walks
 * @dma_list: one device address for each entry, or NULL if addresses follow from
 *	@state or from physical addresses
 * @dma_entry_size: number of bytes of each entry. hmm_dma_map_alloc() sets it; it
 *	is 0 in a map with a @pfn_list of the driver's own, which is zeroed otherwise
 */
struct hmm_dma_map {
	struct dma_iova_state state;
	unsigned long *pfn_list;
	dma_addr_t *dma_list;
	size_t dma_entry_size;
};

int hmm_dma_map_alloc(struct device *dev, struct hmm_dma_map *map,
		      size_t nr_entries, size_t dma_entry_size);
void hmm_dma_map_free(struct device *dev, struct hmm_dma_map *map);
dma_addr_t hmm_dma_map_pfn(struct device *dev, struct hmm_dma_map *map,
			   size_t idx,
			   struct pci_p2pdma_map_state *p2pdma_state);
bool hmm_dma_unmap_pfn(struct device *dev, struct hmm_dma_map *map, size_t idx);
#endif /* _LINUX_HMM_DMA_H */
