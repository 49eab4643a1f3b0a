// SPDX-License-Identifier: GPL-2.0
/*
 * Device addresses for mirrored pages.
 *
 * A page is mapped for the device once and keeps its device address
 * (HMM_PFN_DMA_MAPPED) until it is unmapped. There are three ways to remember the
 * address: an IOVA space with an offset for every entry; an array of addresses; or
 * none, if the address follows from the physical one.
 *
 * The flags in &hmm_dma_map.pfn_list do not decide how an entry is mapped. Walks
 * write the hmm pfns without the update lock, and one that has loaded an hmm pfn
 * before the page was mapped can store it afterwards (see walk_output.h). The
 * state of each entry is therefore kept in a byte as well, which only the
 * functions below change it, under the update lock. The flags are set again when
 * the page is mapped the next time.
 *
 * These bytes are an allocation of their own: kvzalloc() refuses more than INT_MAX
 * bytes, and with both in one the largest map would be an eighth smaller than the
 * kernel's. As it is, it has one entry less, for the pointer to the bytes.
 */
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/hmm-dma.h>
#include <linux/hmm.h>
#include <linux/pci-p2pdma.h>
#include <linux/slab.h>

/* How a page is mapped; cleared when it is unmapped. */
#define HMM_PFN_DMA_STATE \
	(HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS)

/* From the flags of an hmm pfn to a byte. */
#define HMM_DMA_STATE_SHIFT (BITS_PER_LONG - BITS_PER_BYTE)

/**
 * struct hmm_dma_pfns - the allocation of hmm_dma_map_alloc() for the pfns
 * @state: for each entry %HMM_PFN_DMA_STATE, shifted right by %HMM_DMA_STATE_SHIFT
 * @pfn: &hmm_dma_map.pfn_list
 */
struct hmm_dma_pfns {
	u8 *state;
	unsigned long pfn[];
};

/* Free the hmm pfns of a map, with the state of each. */
static void hmm_dma_pfns_free(struct hmm_dma_pfns *pfns)
{
	if (pfns)
		kvfree(pfns->state);
	kvfree(pfns);
}

/* Allocate @nr hmm pfns with the state of each; NULL if there is no memory. May sleep. */
static struct hmm_dma_pfns *hmm_dma_pfns_alloc(size_t nr)
{
	struct hmm_dma_pfns *pfns;

	pfns = kvzalloc(struct_size(pfns, pfn, nr), GFP_KERNEL | __GFP_NOWARN);
	if (!pfns)
		return NULL;
	pfns->state = kvzalloc(nr, GFP_KERNEL | __GFP_NOWARN);
	if (pfns->state)
		return pfns;
	hmm_dma_pfns_free(pfns);
	return NULL;
}

/* The allocation of which a map's pfn_list is a part. */
static struct hmm_dma_pfns *hmm_dma_pfns_of(const struct hmm_dma_map *map)
{
	return container_of((void *)map->pfn_list, struct hmm_dma_pfns, pfn);
}

/* Free the hmm pfns of a map that hmm_dma_map_alloc() has made. */
static void hmm_dma_map_free_pfns(struct hmm_dma_map *map)
{
	if (map->pfn_list)
		hmm_dma_pfns_free(hmm_dma_pfns_of(map));
	map->pfn_list = NULL;
}

/* Where the state of an entry is, in a map with hmm_dma_has_states(). */
static u8 *hmm_dma_state_byte(const struct hmm_dma_map *map, size_t idx)
{
	return hmm_dma_pfns_of(map)->state + idx;
}

/*
 * Whether a map came from hmm_dma_map_alloc(). umem_odp has others, with a
 * pfn_list of its own: for these the flags are all that there is.
 */
static bool hmm_dma_has_states(const struct hmm_dma_map *map)
{
	return map->dma_entry_size;
}

/* How an entry is mapped: flags of %HMM_PFN_DMA_STATE. */
static unsigned long hmm_dma_state(const struct hmm_dma_map *map, size_t idx)
{
	unsigned long hmm_pfn = READ_ONCE(map->pfn_list[idx]);

	if (!hmm_dma_has_states(map))
		return hmm_pfn & HMM_PFN_VALID ? hmm_pfn & HMM_PFN_DMA_STATE : 0;
	return (unsigned long)*hmm_dma_state_byte(map, idx) << HMM_DMA_STATE_SHIFT;
}

/* A walk may write the hmm pfn at the same time, so change it by cmpxchg. */
static void hmm_dma_set_state(struct hmm_dma_map *map, size_t idx, unsigned long state)
{
	unsigned long *at = &map->pfn_list[idx], old = READ_ONCE(*at), new;

	if (hmm_dma_has_states(map))
		*hmm_dma_state_byte(map, idx) = state >> HMM_DMA_STATE_SHIFT;
	do
		new = (old & ~HMM_PFN_DMA_STATE) | state;
	while (new != old && !try_cmpxchg_relaxed(at, &old, new));
}

/*
 * A mirrored page belongs to the CPU and the device at once, so there is no
 * moment to copy it or to flush caches. A device that needs bounce buffers or
 * explicit synchronisation cannot be served.
 */
static bool hmm_dma_shares_memory(struct device *dev)
{
	if (IS_ENABLED(CONFIG_DMA_NEED_SYNC) && !dev_dma_skip_sync(dev))
		return false;
	return !dma_addressing_limited(dev);
}

/**
 * hmm_dma_map_alloc() - make room for mapping pages to a device
 * @dev: the device
 * @map: the map to set up
 * @nr_entries: how many entries
 * @dma_entry_size: bytes an entry stands for, at most %PAGE_SIZE times
 *	@nr_entries
 *
 * Context: may sleep.
 * Return: 0; -%EOPNOTSUPP for a device that cannot share memory; -%ENOMEM.
 */
int hmm_dma_map_alloc(struct device *dev, struct hmm_dma_map *map,
		      size_t nr_entries, size_t dma_entry_size)
{
	struct hmm_dma_pfns *pfns;

	WARN_ON_ONCE(dma_entry_size > nr_entries * PAGE_SIZE);
	if (!hmm_dma_shares_memory(dev))
		return -EOPNOTSUPP;

	map->dma_entry_size = dma_entry_size;
	pfns = hmm_dma_pfns_alloc(nr_entries);
	if (!pfns)
		return -ENOMEM;
	map->pfn_list = pfns->pfn;
	if (dma_iova_try_alloc(dev, &map->state, 0, nr_entries * PAGE_SIZE) ||
	    !dma_need_unmap(dev))
		return 0;

	map->dma_list = kvcalloc(nr_entries, sizeof(*map->dma_list),
				 GFP_KERNEL | __GFP_NOWARN);
	if (map->dma_list)
		return 0;
	hmm_dma_map_free_pfns(map);
	return -ENOMEM;
}
EXPORT_SYMBOL_GPL(hmm_dma_map_alloc);

/**
 * hmm_dma_map_free() - undo hmm_dma_map_alloc()
 * @dev: the device
 * @map: a map none of whose entries is mapped any more
 *
 * Context: may sleep.
 */
void hmm_dma_map_free(struct device *dev, struct hmm_dma_map *map)
{
	kvfree(map->dma_list);
	hmm_dma_map_free_pfns(map);
	if (dma_use_iova(&map->state))
		dma_iova_free(dev, &map->state);
}
EXPORT_SYMBOL_GPL(hmm_dma_map_free);

/**
 * struct hmm_dma_entry - an entry that is being mapped or unmapped
 * @dev: the device
 * @map: the map
 * @idx: which entry
 * @attrs: %DMA_ATTR_* for the page
 */
struct hmm_dma_entry {
	struct device *dev;
	struct hmm_dma_map *map;
	size_t idx;
	unsigned long attrs;
};

/* The device address that belongs to an entry, in a map with an IOVA space. */
static dma_addr_t hmm_dma_iova(const struct hmm_dma_entry *e)
{
	return e->map->state.addr + e->idx * e->map->dma_entry_size;
}

/* Map a page at its entry's offset in the IOVA space. */
static dma_addr_t hmm_dma_link(const struct hmm_dma_entry *e, phys_addr_t phys)
{
	struct dma_iova_state *state = &e->map->state;
	size_t size = e->map->dma_entry_size;
	size_t offset = e->idx * size;

	if (dma_iova_link(e->dev, state, phys, offset, size, DMA_BIDIRECTIONAL,
			  e->attrs))
		return DMA_MAPPING_ERROR;
	if (!dma_iova_sync(e->dev, state, offset, size))
		return hmm_dma_iova(e);
	dma_iova_unlink(e->dev, state, offset, size, DMA_BIDIRECTIONAL, e->attrs);
	return DMA_MAPPING_ERROR;
}

/* Map a page outside of an IOVA space; store the address if unmapping needs it. */
static dma_addr_t hmm_dma_map_alone(const struct hmm_dma_entry *e,
				    phys_addr_t phys)
{
	bool remember = dma_need_unmap(e->dev);
	dma_addr_t addr;

	if (WARN_ON_ONCE(remember && !e->map->dma_list))
		return DMA_MAPPING_ERROR;
	addr = dma_map_phys(e->dev, phys, e->map->dma_entry_size,
			    DMA_BIDIRECTIONAL, e->attrs);
	if (dma_mapping_error(e->dev, addr))
		return DMA_MAPPING_ERROR;
	if (remember)
		e->map->dma_list[e->idx] = addr;
	return addr;
}

/**
 * hmm_dma_map_pfn() - map a page for the device
 * @dev: the device
 * @map: the map; the entry's hmm pfn in &hmm_dma_map.pfn_list is valid
 * @idx: which entry
 * @p2pdma_state: peer-to-peer state, kept by the caller across pages
 *
 * A page that is mapped already keeps its address: mapping it again, to make
 * it writable for example, costs nothing. On success %HMM_PFN_DMA_MAPPED is set in
 * the hmm pfn, with %HMM_PFN_P2PDMA or %HMM_PFN_P2PDMA_BUS for the memory of a
 * peer device.
 *
 * Context: under the update lock, after the range's sequence was checked.
 * Return: the address, or %DMA_MAPPING_ERROR with nothing mapped.
 */
dma_addr_t hmm_dma_map_pfn(struct device *dev, struct hmm_dma_map *map,
			   size_t idx,
			   struct pci_p2pdma_map_state *p2pdma_state)
{
	struct hmm_dma_entry e = { dev, map, idx, DMA_ATTR_REQUIRE_COHERENT };
	unsigned long hmm_pfn = READ_ONCE(map->pfn_list[idx]);
	unsigned long state = hmm_dma_state(map, idx);
	phys_addr_t phys = hmm_pfn_to_phys(hmm_pfn);
	unsigned long p2p = 0;
	dma_addr_t addr;

	/* A walk that reports the page again may have lost the flags. */
	if ((hmm_pfn & HMM_PFN_DMA_STATE) != state)
		hmm_dma_set_state(map, idx, state);
	if ((state & (HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA_BUS)) == HMM_PFN_DMA_MAPPED) {
		if (dma_use_iova(&map->state))
			return hmm_dma_iova(&e);
		if (dma_need_unmap(dev))
			return map->dma_list[idx];
		/* No address was remembered: it is computed again. */
	}

	switch (pci_p2pdma_state(p2pdma_state, dev, hmm_pfn_to_page(hmm_pfn))) {
	case PCI_P2PDMA_MAP_NONE:
		break;
	case PCI_P2PDMA_MAP_THRU_HOST_BRIDGE:
		e.attrs |= DMA_ATTR_MMIO;
		p2p = HMM_PFN_P2PDMA;
		break;
	case PCI_P2PDMA_MAP_BUS_ADDR:
		hmm_dma_set_state(map, idx, HMM_PFN_P2PDMA_BUS | HMM_PFN_DMA_MAPPED);
		return pci_p2pdma_bus_addr_map(p2pdma_state->mem, phys);
	default:
		return DMA_MAPPING_ERROR;
	}

	addr = dma_use_iova(&map->state) ? hmm_dma_link(&e, phys) :
					   hmm_dma_map_alone(&e, phys);
	if (addr != DMA_MAPPING_ERROR)
		hmm_dma_set_state(map, idx, HMM_PFN_DMA_MAPPED | p2p);
	return addr;
}
EXPORT_SYMBOL_GPL(hmm_dma_map_pfn);

/**
 * hmm_dma_unmap_pfn() - unmap a page's device address
 * @dev: the device, which does not use the address any more
 * @map: the map
 * @idx: which entry
 *
 * Context: under the update lock.
 * Return: whether the entry was mapped.
 */
bool hmm_dma_unmap_pfn(struct device *dev, struct hmm_dma_map *map, size_t idx)
{
	struct hmm_dma_entry e = { dev, map, idx, DMA_ATTR_REQUIRE_COHERENT };
	size_t size = map->dma_entry_size;
	unsigned long state = hmm_dma_state(map, idx);

	if (!(state & HMM_PFN_DMA_MAPPED))
		return false;

	if (state & HMM_PFN_P2PDMA)
		e.attrs |= DMA_ATTR_MMIO;
	/* An address on the peer's bus was only computed, never mapped. */
	if (!(state & HMM_PFN_P2PDMA_BUS)) {
		if (dma_use_iova(&map->state))
			dma_iova_unlink(dev, &map->state, idx * size, size,
					DMA_BIDIRECTIONAL, e.attrs);
		else if (dma_need_unmap(dev))
			dma_unmap_phys(dev, map->dma_list[idx], size,
				       DMA_BIDIRECTIONAL, e.attrs);
	}
	hmm_dma_set_state(map, idx, 0);
	return true;
}
EXPORT_SYMBOL_GPL(hmm_dma_unmap_pfn);
