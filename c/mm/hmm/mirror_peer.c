// SPDX-License-Identifier: GPL-2.0
/*
 * Peer access: device addresses of pages that are in the private memory of another
 * device. <linux/hmm_mirror.h> has the documentation for drivers.
 *
 * Three things are kept apart, and no flag makes one of another: the hmm pfns that a
 * section reports, the pfns of the peer's pages, and the addresses by which the device accesses
 * these. A walk writes the second to an array of the section. Inside the section, where
 * the page table still maps these pages, their driver is called for the third, which goes
 * to an array of the map.
 *
 * Nothing but the mapping in the process's page table keeps a page of a peer. The address
 * is given back in the invalidation of that mapping, before the page can be freed, as
 * those of the DMA API are. So the entry of a page that has an address refers to a page
 * that is in use, and to a &struct hmm_devmem that has not ended.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/hmm_devmem.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "mirror.h"
#include "mirror_dma.h"
#include "trace.h"
#include "update_lock.h"
#include "walk.h"

/* How many memories there are that peers can reach. */
static atomic_t hmm_mirror_peer_memories = ATOMIC_INIT(0);

/* Count such a memory that begins, or ends with @nr -1. */
void hmm_mirror_peers_count_memory(int nr)
{
	atomic_add(nr, &hmm_mirror_peer_memories);
}

/**
 * hmm_mirror_peers_exist() - whether some device's memory can be reached by peers
 *
 * For a driver that makes room for addresses only where there can be some. Memory that
 * begins or ends at the same time may be counted or not.
 *
 * Context: any.
 * Return: true if there is a &struct hmm_devmem with &hmm_devmem_ops.peer_dma_map.
 */
bool hmm_mirror_peers_exist(void)
{
	return atomic_read(&hmm_mirror_peer_memories) > 0;
}
EXPORT_SYMBOL_GPL(hmm_mirror_peers_exist);

/**
 * hmm_mirror_dma_accept_peers() - let a device access the memory of other devices
 * @dma: a map
 *
 * In sections with @dma that begin later, a page in the private memory of another
 * device stays there if that one's driver gives an address for it; see "Memory of other
 * devices". Needs 16 bytes for each page of the map's span.
 *
 * Context: holds no update lock and no mmap lock. May sleep; may be called again.
 * Return: 0; -%ENOMEM; -%EDEADLK if the caller holds the update lock, is in a section of the
 * mirror or in its callback; -%EOPNOTSUPP in a kernel without &struct hmm_devmem.
 */
int hmm_mirror_dma_accept_peers(struct hmm_mirror_dma *dma)
{
	struct hmm_mirror_peer *peers __free(kvfree) = NULL;
	struct hmm_update_lock held;

	if (!IS_ENABLED(CONFIG_HMM_DEVMEM))
		return -EOPNOTSUPP;
	/* The allocation could wait for an invalidation, and that for the lock. */
	if (hmm_update_lock_is_mine(dma->mirror->update) ||
	    hmm_mirror_state_is_calling(dma->mirror->state, &held))
		return -EDEADLK;
	peers = kvcalloc(hmm_span_pages(dma->span), sizeof(*peers), GFP_KERNEL | __GFP_NOWARN);
	if (!peers)
		return -ENOMEM;
	guard(mutex)(&dma->lock);
	if (!dma->peers)
		WRITE_ONCE(dma->peers, no_free_ptr(peers));
	return 0;
}
EXPORT_SYMBOL_GPL(hmm_mirror_dma_accept_peers);

/* Notify the driver of a memory that a device does not access a page of it any more. */
static void hmm_mirror_peer_give_back(struct hmm_devmem *devmem,
				      struct hmm_peer_access *access)
{
	if (!devmem->ops->peer_dma_unmap)
		return;
	non_block_start();
	devmem->ops->peer_dma_unmap(devmem, access);
	non_block_end();
}

/*
 * Whether a driver has set what the device of an access can use. A driver that does not
 * look for whom it is may have set the other: it gets that back.
 */
static bool hmm_mirror_peer_is_set(struct hmm_devmem *devmem, struct hmm_peer_access *access)
{
	bool has_address = access->address != DMA_MAPPING_ERROR;

	if (access->by_cpu ? !!access->pointer : has_address)
		return true;
	if (access->pointer || has_address)
		hmm_mirror_peer_give_back(devmem, access);
	return false;
}

/**
 * hmm_mirror_peer_map() - have a peer's driver give the address of a page
 * @dma: the map of the device that accesses the page
 * @idx: the entry
 * @hmm_pfn: of the page, in the private memory of a peer
 * @given: incremented if the page had no address before
 *
 * A page that has an address keeps it.
 *
 * Context: under the update lock, after the sequence was checked; hmm_mirror_dma.lock
 * is held.
 * Return: whether the page has an address.
 */
bool hmm_mirror_peer_map(struct hmm_mirror_dma *dma, size_t idx, unsigned long hmm_pfn,
			 unsigned long *given)
{
	struct hmm_peer_access access = {
		.page = hmm_pfn_to_page(hmm_pfn),
		.dev = dma->dev,
		.by_cpu = dma->by_cpu,
		.address = DMA_MAPPING_ERROR,
	};
	struct hmm_devmem *devmem;

	lockdep_assert_held(&dma->lock);
	if (!IS_ENABLED(CONFIG_HMM_DEVMEM) || !dma->peers)
		return false;
	if (dma->peers[idx].page)
		return !WARN_ON_ONCE(dma->peers[idx].page != access.page);
	devmem = hmm_devmem_of(access.page);
	non_block_start();
	devmem->ops->peer_dma_map(devmem, &access);
	non_block_end();
	if (!hmm_mirror_peer_is_set(devmem, &access))
		return false;
	dma->peers[idx].page = access.page;
	if (dma->by_cpu)
		dma->peers[idx].pointer = access.pointer;
	else
		dma->peers[idx].address = access.address;
	hmm_devmem_mark_accessed(devmem, access.page);
	++*given;
	return true;
}

/**
 * hmm_mirror_peer_unmap() - give the address of a page back to its driver
 * @dma: the map
 * @idx: an entry with hmm_mirror_peer_mapped()
 *
 * Context: the device does not use the address any more; hmm_mirror_dma.lock is held.
 * May not sleep, as the invalidation may not.
 */
void hmm_mirror_peer_unmap(struct hmm_mirror_dma *dma, size_t idx)
{
	struct hmm_peer_access access = {
		.page = dma->peers[idx].page,
		.dev = dma->dev,
		.by_cpu = dma->by_cpu,
		.address = dma->by_cpu ? DMA_MAPPING_ERROR : dma->peers[idx].address,
		.pointer = dma->by_cpu ? dma->peers[idx].pointer : NULL,
	};

	lockdep_assert_held(&dma->lock);
	dma->peers[idx] = (struct hmm_mirror_peer){};
	hmm_mirror_peer_give_back(hmm_devmem_of(access.page), &access);
}

/**
 * hmm_section_peers_count() - count the pages of peers in a part of a section's batch
 * @section: the section, inside
 * @part: the part, whose pages were mapped
 * @given: how many pages got an address
 * @refused: how many got none
 */
void hmm_section_peers_count(const struct hmm_section *section, struct hmm_span part,
			     unsigned long given, unsigned long refused)
{
	hmm_mirror_count(section->interval->state, HMM_COUNT_PEERS, given);
	trace_hmm_peer_map(section->mirror, &part, given, refused);
}

/* For how many pages a section has entries in its arrays. */
static unsigned long hmm_section_peers_room(const struct hmm_section *section)
{
	return min_t(unsigned long, hmm_span_pages(section->span), section->nr_pfns);
}

/**
 * hmm_section_peers_begin() - make room for the pages that walks find in peers' memory
 * @section: a section that begins, with a map
 *
 * Nothing is done if its map does not accept them. An exclusive page is in system memory.
 *
 * Return: 0; -%ENOMEM.
 */
int hmm_section_peers_begin(struct hmm_section *section)
{
	if (!READ_ONCE(section->dma->peers) || section->access == HMM_ACCESS_EXCLUSIVE)
		return 0;
	section->peer_pfns = kvcalloc(hmm_section_peers_room(section),
				      sizeof(*section->peer_pfns),
				      GFP_KERNEL | __GFP_NOWARN);
	return section->peer_pfns ? 0 : -ENOMEM;
}

/**
 * hmm_section_peers_end() - have pages in peers' memory migrate to system memory
 * @section: a section; its walks record none from here on
 */
void hmm_section_peers_end(struct hmm_section *section)
{
	kvfree(section->peer_pfns);
	section->peer_pfns = NULL;
}

/* Forget what a walk has recorded, and which pages were refused: for another batch. */
void hmm_section_peers_reset(struct hmm_section *section)
{
	memset(section->peer_pfns, 0,
	       hmm_section_peers_room(section) * sizeof(*section->peer_pfns));
}

/* Forget what a walk has recorded, but not which pages were refused: for another walk. */
void hmm_section_peers_again(struct hmm_section *section)
{
	unsigned long i;

	for (i = 0; i < hmm_section_peers_room(section); i++)
		if (section->peer_pfns[i] != HMM_PEER_REFUSED)
			section->peer_pfns[i] = 0;
}

/* Whether an entry has the address of this very page. The caller holds hmm_mirror_dma.lock. */
static bool hmm_mirror_peer_has(const struct hmm_mirror_dma *dma, size_t idx,
				unsigned long hmm_pfn)
{
	return dma->peers && dma->peers[idx].page == hmm_pfn_to_page(hmm_pfn);
}

/*
 * Record which pages of a batch have no address, so that the next walk faults them in. The
 * update lock is held.
 */
void hmm_section_peers_refuse(struct hmm_section *section)
{
	struct hmm_mirror_dma *dma = section->dma;
	size_t idx = (section->batch.start - dma->span.start) >> PAGE_SHIFT;
	unsigned long i, nr = hmm_span_pages(section->batch);

	guard(mutex)(&dma->lock);
	for (i = 0; i < nr; i++) {
		hmm_mirror_dma_yield(dma, idx + i);
		if ((section->peer_pfns[i] & HMM_PFN_VALID) &&
		    !hmm_mirror_peer_has(dma, idx + i, section->peer_pfns[i]))
			section->peer_pfns[i] = HMM_PEER_REFUSED;
	}
}

/**
 * hmm_section_peer_pointer() - where the CPU accesses a page in the memory of a peer
 * @section: a section for which hmm_section_next() returned true, with a &hmm_section.dma
 *	of hmm_mirror_dma_init_by_cpu()
 * @addr: the address of a page of &hmm_section.batch
 * @write: set to whether the process may write to the page, if it is in a peer's memory
 *
 * As any address of a section, the pointer is valid until &hmm_mirror_ops.invalidate for
 * the page has returned.
 *
 * Context: inside the section. May sleep.
 * Return: the pointer; %NULL if the page is not in the memory of a peer.
 */
void *hmm_section_peer_pointer(const struct hmm_section *section, unsigned long addr,
			       bool *write)
{
	struct hmm_mirror_dma *dma = section->dma;
	size_t idx = (addr - dma->span.start) >> PAGE_SHIFT;
	unsigned long hmm_pfn;

	if (!dma->by_cpu || !section->peer_pfns)
		return NULL;
	hmm_pfn = section->peer_pfns[(addr - section->batch.start) >> PAGE_SHIFT];
	if (!(hmm_pfn & HMM_PFN_VALID))
		return NULL;
	guard(mutex)(&dma->lock);
	if (!hmm_mirror_peer_has(dma, idx, hmm_pfn))
		return NULL;
	*write = hmm_pfn & HMM_PFN_WRITE;
	return dma->peers[idx].pointer;
}
EXPORT_SYMBOL_GPL(hmm_section_peer_pointer);
