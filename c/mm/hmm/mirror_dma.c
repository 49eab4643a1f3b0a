// SPDX-License-Identifier: GPL-2.0
/*
 * Device addresses for the pages of a mirror. <linux/hmm_mirror.h> has the
 * documentation for drivers.
 *
 * A walk does not write into the map's entries: it holds no lock, and an
 * invalidation that unmaps an address changes the same entry. Sections have an array
 * of their own, and copy it into the map under hmm_mirror_dma.lock. So an entry with
 * an address always has the pfn of the page at that address.
 *
 * The update lock does not suffice: ranges with different update locks share a
 * map, and so do sections that take a rw_semaphore for reading. It does keep
 * the entries of a section's own batch from losing their addresses.
 *
 * An invalidation looks up the maps of its addresses in a tree, whose lock is a
 * spinlock, and counts itself as a user of each in turn. So it waits for what maps
 * or unmaps the same map, not for other maps of the mirror. However long its span, it
 * holds the map's lock for few entries at a time, and so does a section, however many
 * pages its batch has.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/hmm_mirror.h>
#include <linux/pci-p2pdma.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "mirror.h"
#include "mirror_dma.h"
#include "pfn.h"
#include "update_lock.h"

/* Call cond_resched(), and let others have the map's lock, after so many entries. */
#define HMM_MIRROR_DMA_YIELD 1024

/* The entry of an address in the map's span. */
static size_t hmm_mirror_dma_index(const struct hmm_mirror_dma *dma, unsigned long addr)
{
	return (addr - dma->span.start) >> PAGE_SHIFT;
}

/* Unmap the device address of a page, in the way in which it was mapped. */
static void hmm_mirror_dma_unmap_entry(struct hmm_mirror_dma *dma, size_t idx)
{
	if (hmm_mirror_peer_mapped(dma, idx))
		hmm_mirror_peer_unmap(dma, idx);
	else if (!dma->by_cpu)
		hmm_dma_unmap_pfn(dma->dev, &dma->map, idx);
}

/* Unmap the device addresses of a part of the map. The caller holds hmm_mirror_dma.lock. */
static void hmm_mirror_dma_unmap(struct hmm_mirror_dma *dma, struct hmm_span span)
{
	unsigned long addr;

	for (addr = span.start; addr < span.end; addr += PAGE_SIZE)
		hmm_mirror_dma_unmap_entry(dma, hmm_mirror_dma_index(dma, addr));
}

/* The caller holds hmm_mirror.dma_lock. */
static void hmm_mirror_dma_put_locked(struct hmm_mirror_dma *dma)
{
	if (--dma->users)
		return;
	/* Pairs with the barrier in wait_var_event(). */
	smp_mb();
	wake_up_var(&dma->users);
}

/* Stop using a map. Takes hmm_mirror.dma_lock. */
static void hmm_mirror_dma_put(struct hmm_mirror_dma *dma)
{
	guard(spinlock)(&dma->mirror->dma_lock);
	hmm_mirror_dma_put_locked(dma);
}

/*
 * Count the caller as a user of the next map after @dma, or of the first, that
 * overlaps @span and is not ending; and no longer as one of @dma, which was in the
 * tree until now.
 */
static struct hmm_mirror_dma *hmm_mirror_dma_next(struct hmm_mirror *mirror,
						  struct hmm_span span,
						  struct hmm_mirror_dma *dma)
{
	unsigned long last = span.end - 1;
	struct interval_tree_node *node;
	struct hmm_mirror_dma *next = NULL;

	guard(spinlock)(&mirror->dma_lock);
	node = dma ? interval_tree_iter_next(&dma->node, span.start, last) :
		     interval_tree_iter_first(&mirror->dmas, span.start, last);
	for (; node; node = interval_tree_iter_next(node, span.start, last)) {
		next = container_of(node, struct hmm_mirror_dma, node);
		if (!next->ending)
			break;
	}
	if (node)
		next->users++;
	if (dma)
		hmm_mirror_dma_put_locked(dma);
	return node ? next : NULL;
}

/* Whether an invalidation uses a map. Takes hmm_mirror.dma_lock. */
static bool hmm_mirror_dma_is_used(struct hmm_mirror_dma *dma)
{
	guard(spinlock)(&dma->mirror->dma_lock);
	return dma->users;
}

/*
 * Unmap the device addresses of a span. Nothing maps any of the span's again meanwhile,
 * as its update lock is held, so the map's lock may be dropped in between.
 * Returns false only if @may_block is false.
 */
static bool hmm_mirror_dma_unmap_one(struct hmm_mirror_dma *dma, struct hmm_span span,
				     bool may_block)
{
	struct hmm_span part = hmm_span_clip(span, dma->span);
	const unsigned long end = part.end;

	for (; part.start < end; part.start = part.end) {
		part.end = part.start +
			   min(end - part.start, HMM_MIRROR_DMA_YIELD * PAGE_SIZE);
		if (may_block)
			mutex_lock(&dma->lock);
		else if (!mutex_trylock(&dma->lock))
			return false;
		hmm_mirror_dma_unmap(dma, part);
		mutex_unlock(&dma->lock);
		if (may_block)
			cond_resched();
	}
	return true;
}

/*
 * Unmap the device addresses of a span, which is invalidated on the device already.
 * Returns false only if @may_block is false.
 */
bool hmm_mirror_dma_unmap_span(struct hmm_mirror *mirror, struct hmm_span span,
			       bool may_block)
{
	struct hmm_mirror_dma *dma = NULL;

	while ((dma = hmm_mirror_dma_next(mirror, span, dma))) {
		if (!hmm_mirror_dma_unmap_one(dma, span, may_block)) {
			hmm_mirror_dma_put(dma);
			return false;
		}
	}
	return true;
}

/* Let invalidations find a map. */
static void hmm_mirror_dma_begin(struct hmm_mirror_dma *dma)
{
	dma->node.start = dma->span.start;
	dma->node.last = dma->span.end - 1;
	guard(spinlock)(&dma->mirror->dma_lock);
	interval_tree_insert(&dma->node, &dma->mirror->dmas);
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
	mutex_init(&dma->lock);
	hmm_mirror_dma_begin(dma);
	return 0;
}
EXPORT_SYMBOL_GPL(hmm_mirror_dma_init);

/**
 * hmm_mirror_dma_init_by_cpu() - make room for pointers to pages in peers' memory
 * @dma: storage for the map, which must not be moved
 * @mirror: the mirror, which must outlive the map
 * @dev: the device, for the drivers of the memory; see hmm_peer_access_device()
 * @span: the addresses whose pages need room
 *
 * For a device whose accesses the CPU makes, such as one that is software. It needs no
 * device addresses, and accesses pages in system memory by the pfns that a section
 * reports. In the map are only pages in the private memory of other devices, for which it
 * accepts peers from the beginning; hmm_section_peer_pointer() shows where they are.
 *
 * Context: holds neither the update lock nor an mmap lock. May sleep.
 * Return: 0; -%EINVAL for a span that is empty, reversed or not page aligned; or an error
 * of hmm_mirror_dma_accept_peers().
 */
int hmm_mirror_dma_init_by_cpu(struct hmm_mirror_dma *dma, struct hmm_mirror *mirror,
			       struct device *dev, struct hmm_span span)
{
	int ret;

	if (!hmm_span_valid(span))
		return -EINVAL;
	*dma = (struct hmm_mirror_dma){
		.mirror = mirror, .dev = dev, .span = span, .by_cpu = true,
	};
	mutex_init(&dma->lock);
	ret = hmm_mirror_dma_accept_peers(dma);
	if (ret)
		return ret;
	hmm_mirror_dma_begin(dma);
	return 0;
}
EXPORT_SYMBOL_GPL(hmm_mirror_dma_init_by_cpu);

/* Unmap what is mapped, and free the map. The device uses none of its addresses. */
static void hmm_mirror_dma_end(struct hmm_mirror_dma *dma)
{
	/* Here too if it was not invalidated: from here on invalidations skip the map. */
	hmm_mirror_dma_unmap_one(dma, dma->span, true);
	scoped_guard(spinlock, &dma->mirror->dma_lock)
		dma->ending = true;
	wait_var_event(&dma->users, !hmm_mirror_dma_is_used(dma));
	scoped_guard(spinlock, &dma->mirror->dma_lock)
		interval_tree_remove(&dma->node, &dma->mirror->dmas);
	if (!dma->by_cpu)
		hmm_dma_map_free(dma->dev, &dma->map);
	kvfree(dma->peers);
}

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
		hmm_mirror_invalidate_span(dma->mirror, dma->span);
	hmm_mirror_dma_end(dma);
}
EXPORT_SYMBOL_GPL(hmm_mirror_dma_exit);

/**
 * hmm_mirror_dma_exit_deferred() - unmap all device addresses and free the map, later
 * @dma: the map
 * @done: called when the map has ended and may be freed, in process context with no lock
 *	held; or NULL
 *
 * For a last reference that may be dropped in a callback, in a section or under an update
 * lock: a work item does the work of hmm_mirror_dma_exit(). The mirror must not end, and
 * the device must stay bound to its driver, until @done was called or
 * hmm_mirror_synchronize() has returned. The module that &hmm_mirror_ops.invalidate is in,
 * whose code @done must be too, is not freed before that.
 *
 * Context: process or softirq context; no section with @dma begins any more. Once for a
 * map, and in place of hmm_mirror_dma_exit().
 */
void hmm_mirror_dma_exit_deferred(struct hmm_mirror_dma *dma,
				  void (*done)(struct hmm_mirror_dma *dma))
{
	dma->done = done;
	hmm_mirror_state_defer_dma(dma->mirror->state, dma);
}
EXPORT_SYMBOL_GPL(hmm_mirror_dma_exit_deferred);

/* The deferred part of hmm_mirror_dma_exit_deferred(). The map may be freed by it. */
void hmm_mirror_dma_end_deferred(struct hmm_mirror_dma *dma)
{
	hmm_mirror_state_invalidate_span(dma->mirror->state, dma->span);
	hmm_mirror_dma_end(dma);
	if (dma->done)
		dma->done(dma);
}

/* Whether the section's map is of its mirror and covers its span. */
bool hmm_mirror_dma_fits(const struct hmm_section *section)
{
	const struct hmm_mirror_dma *dma = section->dma;

	return dma->mirror == section->mirror &&
	       dma->span.start <= section->span.start &&
	       section->span.end <= dma->span.end;
}

/*
 * Map a page of a section. Device-private memory gets no address from the DMA API, which
 * does not know it: that of the mirror's own device gets none, that of a peer gets one
 * from its driver. For a device whose accesses the CPU makes, only the last is mapped.
 * Returns 0; -%EIO; -%EOPNOTSUPP if the driver has refused.
 */
static int hmm_mirror_dma_map_page(const struct hmm_section *section, size_t idx,
				   unsigned long i, struct pci_p2pdma_map_state *p2pdma,
				   unsigned long *given)
{
	unsigned long hmm_pfn = section->pfns[i] & ~HMM_PFN_INOUT_FLAGS;
	struct hmm_mirror_dma *dma = section->dma;
	struct hmm_dma_map *map = &dma->map;

	if (!(hmm_pfn & HMM_PFN_VALID)) {
		hmm_pfn = section->peer_pfns ? section->peer_pfns[i] : 0;
		if (!(hmm_pfn & HMM_PFN_VALID) ||
		    hmm_mirror_peer_map(dma, idx, hmm_pfn, given))
			return 0;
		return -EOPNOTSUPP;
	}
	if (dma->by_cpu || is_device_private_page(hmm_pfn_to_page(hmm_pfn)))
		return 0;
	map->pfn_list[idx] = (map->pfn_list[idx] & HMM_PFN_INOUT_FLAGS) | hmm_pfn;
	if (hmm_dma_map_pfn(dma->dev, map, idx, p2pdma) == DMA_MAPPING_ERROR)
		return -EIO;
	return 0;
}

/*
 * Map the pages of a part of a section's batch, all but those that a peer has refused.
 * Returns 0; -%EINTR; -%EIO; -%EOPNOTSUPP if there are such.
 */
static int hmm_mirror_dma_map_part(const struct hmm_section *section, struct hmm_span part)
{
	unsigned long i = (part.start - section->batch.start) >> PAGE_SHIFT;
	size_t idx = hmm_mirror_dma_index(section->dma, part.start);
	size_t end = hmm_mirror_dma_index(section->dma, part.end);
	struct pci_p2pdma_map_state p2pdma = {};
	unsigned long given = 0, refused = 0;
	int ret = 0;

	if (mutex_lock_killable(&section->dma->lock))
		return -EINTR;
	for (; idx < end && !ret; idx++, i++) {
		ret = hmm_mirror_dma_map_page(section, idx, i, &p2pdma, &given);
		if (ret == -EOPNOTSUPP) {
			refused++;
			ret = 0;
		}
	}
	mutex_unlock(&section->dma->lock);
	if (given || refused)
		hmm_section_peers_count(section, part, given, refused);
	if (ret)
		return ret;
	return refused ? -EOPNOTSUPP : 0;
}

/*
 * Map the pages of a section's batch for the device. The update lock is held, so that
 * none of them loses its address while the map's lock is dropped in between. Returns as
 * hmm_mirror_dma_map_part().
 */
int hmm_mirror_dma_map(const struct hmm_section *section)
{
	struct hmm_span rest = section->batch;
	int refused = 0;

	for (;;) {
		struct hmm_span part = hmm_span_first(rest, HMM_MIRROR_DMA_YIELD);
		int ret = hmm_mirror_dma_map_part(section, part);

		if (ret == -EOPNOTSUPP)
			refused = ret;
		else if (ret)
			return ret;
		if (part.end == rest.end)
			return refused;
		/* A lock that is free is taken without a look at signals. */
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		rest.start = part.end;
	}
}

/**
 * hmm_section_dma_map() - map the pages of a section's batch for another device
 * @section: a section for which hmm_section_next() returned true
 * @dma: the device's map; of the same mirror, with room for &hmm_section.span
 *
 * For a driver that maps memory on several devices: one walk serves them all. From
 * here on hmm_section_dma_run() reports the addresses of this device, and
 * hmm_section_next() maps for it. A page that has an address keeps it, so a driver
 * can map each batch for one device after the other. If @dma does not accept peers, pages
 * of later batches that are in their memory migrate to system memory.
 *
 * After an error &hmm_section.dma is unchanged.
 *
 * Context: inside the section. May sleep.
 * Return: 0; -%EINVAL for a map of another mirror or without room for the span, or
 * outside of the section; -%EIO if the DMA API had no address for a page; -%EOPNOTSUPP
 * if a page is in the memory of a peer, and @dma has no room for its address, or the peer
 * refuses it: a section of its own brings the page to system memory; -%EINTR on a fatal
 * signal.
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
	else if (section->peer_pfns && !READ_ONCE(dma->peers))
		/* None is in this batch. */
		hmm_section_peers_end(section);
	return ret;
}
EXPORT_SYMBOL_GPL(hmm_section_dma_map);

/*
 * The device address of a page, or %DMA_MAPPING_ERROR if it has none. Sets @peer if the
 * page is in the memory of a peer.
 */
static dma_addr_t hmm_mirror_dma_address(struct hmm_mirror_dma *dma, size_t idx, bool *peer)
{
	struct pci_p2pdma_map_state p2pdma = {};

	lockdep_assert_held(&dma->lock);
	*peer = false;
	if (dma->by_cpu)
		return DMA_MAPPING_ERROR;
	*peer = hmm_mirror_peer_mapped(dma, idx);
	if (*peer)
		return dma->peers[idx].address;
	if (!(READ_ONCE(dma->map.pfn_list[idx]) & HMM_PFN_DMA_MAPPED))
		return DMA_MAPPING_ERROR;
	return hmm_dma_map_pfn(dma->dev, &dma->map, idx, &p2pdma);
}

/* Let others have the map's lock, which the caller holds, once in so many entries. */
void hmm_mirror_dma_yield(struct hmm_mirror_dma *dma, size_t idx)
	__must_hold(&dma->lock)
{
	if (idx % HMM_MIRROR_DMA_YIELD)
		return;
	mutex_unlock(&dma->lock);
	cond_resched();
	mutex_lock(&dma->lock);
}

/* %HMM_PFN_WRITE if the device may write to a page of the batch, or 0. */
static unsigned long hmm_section_dma_write(const struct hmm_section *section, size_t i)
{
	unsigned long hmm_pfn = section->pfns[i];

	if (!(hmm_pfn & HMM_PFN_VALID) && section->peer_pfns)
		hmm_pfn = section->peer_pfns[i];
	return hmm_pfn & HMM_PFN_WRITE;
}

/**
 * hmm_section_dma_run() - find the next run of device addresses
 * @section: a section with &hmm_section.dma for which hmm_section_next() returned true
 * @run: the previous run; for the first, one whose end is the start of the batch
 *
 * Takes &hmm_mirror_dma.lock, as other sections map pages in the same entries. The
 * wait for it is not killable, since an error could not be returned; others map or unmap
 * %HMM_MIRROR_DMA_YIELD pages at most while they hold it.
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
	bool peer, next;

	mutex_lock(&dma->lock);
	while (idx < end &&
	       (addr = hmm_mirror_dma_address(dma, idx, &peer)) == DMA_MAPPING_ERROR)
		hmm_mirror_dma_yield(dma, ++idx);
	if (idx >= end) {
		mutex_unlock(&dma->lock);
		return false;
	}

	from = idx;
	/* The access is this section's: other sections overwrite the map's pfns. */
	write = hmm_section_dma_write(section, idx - base);
	do
		hmm_mirror_dma_yield(dma, ++idx);
	while (idx < end && hmm_section_dma_write(section, idx - base) == write &&
	       hmm_mirror_dma_address(dma, idx, &next) == addr + ((idx - from) << PAGE_SHIFT) &&
	       next == peer);
	mutex_unlock(&dma->lock);
	*run = (struct hmm_dma_run){
		.span.start = dma->span.start + (from << PAGE_SHIFT),
		.span.end = dma->span.start + (idx << PAGE_SHIFT),
		.address = addr,
		.flags = HMM_PFN_VALID | write,
		.peer = peer,
	};
	return true;
}
EXPORT_SYMBOL_GPL(hmm_section_dma_run);
