// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: chunks are added and removed.
 */
#include <linux/bitmap.h>
#include <linux/device.h>
#include <linux/error-injection.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/numa.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/workqueue.h>

#include "../internal.h"
#include "devmem.h"
#include "lifetime.h"
#include "mirror_dma.h"
#include "walk.h"

/* Separate from that of mirrors: hmm_devmem_exit() may wait long for a pinned page. */
static struct workqueue_struct *hmm_devmem_wq;

static int __init hmm_devmem_setup(void)
{
	hmm_devmem_wq = alloc_workqueue("hmm_devmem", WQ_UNBOUND, 0);
	return hmm_devmem_wq ? 0 : -ENOMEM;
}
core_initcall(hmm_devmem_setup);

static const struct dev_pagemap_ops hmm_devmem_pagemap_ops = {
	.folio_free	= hmm_devmem_free,
	.migrate_to_ram	= hmm_devmem_fault,
};

/**
 * hmm_devmem_reaches_peers() - whether other devices may access a pagemap's memory
 * @pgmap: any pagemap
 *
 * Context: RCU read-side section, in which @pgmap was found; or a page of it is in use.
 * Return: true if it is of device memory whose driver has &hmm_devmem_ops.peer_dma_map.
 */
bool hmm_devmem_reaches_peers(const struct dev_pagemap *pgmap)
{
	const struct hmm_devmem_chunk *chunk;

	if (pgmap->ops != &hmm_devmem_pagemap_ops)
		return false;
	chunk = container_of(pgmap, struct hmm_devmem_chunk, pagemap);
	return chunk->devmem->ops->peer_dma_map;
}

/**
 * hmm_devmem_label() - what a memory is called in messages
 * @devmem: the device memory
 *
 * Return: the name of its device, or else its own.
 */
const char *hmm_devmem_label(const struct hmm_devmem *devmem)
{
	if (devmem->dev)
		return dev_name(devmem->dev);
	return devmem->name ?: "hmm_devmem";
}

/*
 * Serialises the check of the addresses of coherent memory with the addition of it.
 * memremap_pages() looks at the ends of a range only, and a memory within the range of
 * another one could be added at the same time. The addresses cannot be reserved in
 * /proc/iomem, where they often are the driver's already.
 */
static DEFINE_MUTEX(hmm_devmem_ranges_lock);

/* Set the physical addresses: the driver's for coherent memory, else unused ones. */
static int hmm_devmem_reserve_range(struct hmm_devmem_chunk *chunk,
				    phys_addr_t start, unsigned long size)
{
	struct hmm_devmem *devmem = chunk->devmem;
	struct range *range = &chunk->pagemap.range;
	struct resource *res;

	if (devmem->type == MEMORY_DEVICE_PRIVATE) {
		res = request_free_mem_region(&iomem_resource, size,
					      devmem->name ?: hmm_devmem_label(devmem));
		if (IS_ERR(res))
			return PTR_ERR(res);
		*range = (struct range){ res->start, res->end };
		return 0;
	}

	*range = (struct range){ start, start + size - 1 };
	return 0;
}

/* Undo hmm_devmem_reserve_range(). */
static void hmm_devmem_release_range(struct hmm_devmem_chunk *chunk)
{
	struct range *range = &chunk->pagemap.range;

	if (chunk->devmem->type == MEMORY_DEVICE_PRIVATE)
		release_mem_region(range->start, range_len(range));
}

/*
 * The NUMA node of a chunk: that of the device, else that which the firmware
 * reports for the addresses of coherent memory; the nearest node that is online, as one
 * that has neither CPUs nor system memory may not be.
 */
static int hmm_devmem_nid(const struct hmm_devmem *devmem,
			  const struct range *range)
{
	int nid = devmem->dev ? dev_to_node(devmem->dev) : NUMA_NO_NODE;

	if (nid == NUMA_NO_NODE && devmem->type == MEMORY_DEVICE_COHERENT)
		nid = phys_to_target_node(range->start);
	return nid != NUMA_NO_NODE && node_possible(nid) ? numa_map_to_online_node(nid) :
							  NUMA_NO_NODE;
}

static noinline int hmm_devmem_memremap(struct hmm_devmem_chunk *chunk)
{
	struct dev_pagemap *pgmap = &chunk->pagemap;
	int nid = hmm_devmem_nid(chunk->devmem, &pgmap->range);

	pgmap->type = chunk->devmem->type;
	pgmap->nr_range = 1;
	pgmap->ops = &hmm_devmem_pagemap_ops;
	pgmap->owner = chunk->devmem->owner;
	return PTR_ERR_OR_ZERO(memremap_pages(pgmap, nid));
}
ALLOW_ERROR_INJECTION(hmm_devmem_memremap, ERRNO);

/* Create the struct pages of a chunk; -EBUSY if other memory has its addresses. */
static int hmm_devmem_map_pages(struct hmm_devmem_chunk *chunk)
{
	int err;

	if (chunk->devmem->type == MEMORY_DEVICE_PRIVATE)
		return hmm_devmem_memremap(chunk);
	err = mutex_lock_killable(&hmm_devmem_ranges_lock);
	if (err)
		return err;
	err = hmm_devmem_range_busy(&chunk->pagemap.range) ? -EBUSY :
							     hmm_devmem_memremap(chunk);
	mutex_unlock(&hmm_devmem_ranges_lock);
	return err;
}

/* Free a chunk and its bitmaps. It has no struct pages, and RCU readers are gone. */
static void hmm_devmem_free_chunk(struct hmm_devmem_chunk *chunk)
{
	hmm_devmem_cgroup_del_chunk(chunk);
	kvfree(chunk->arrived);
	kvfree(chunk->retired);
	kvfree(chunk->bad);
	kvfree(chunk->requested);
	kvfree(chunk->accessed);
	kvfree(chunk->used);
	kfree(chunk);
}

/*
 * bitmap_zalloc() needs contiguous memory, and has none for more than 128 GiB of pages.
 * The size is the driver's: what is too large is an error, and no reason for a warning.
 */
static unsigned long *hmm_devmem_alloc_bitmap(unsigned long pages)
{
	return kvcalloc(BITS_TO_LONGS(pages), sizeof(long), GFP_KERNEL | __GFP_NOWARN);
}

/* Allocate a chunk with the bitmaps of its pages, all of which are free. May sleep. */
static struct hmm_devmem_chunk *
hmm_devmem_alloc_chunk(struct hmm_devmem *devmem, unsigned long pages)
{
	struct hmm_devmem_chunk *chunk = kzalloc(sizeof(*chunk), GFP_KERNEL);

	if (!chunk)
		return NULL;
	chunk->devmem = devmem;
	chunk->pages = pages;
	chunk->free = pages;
	chunk->used = hmm_devmem_alloc_bitmap(pages);
	chunk->accessed = hmm_devmem_alloc_bitmap(pages);
	chunk->requested = hmm_devmem_alloc_bitmap(pages);
	chunk->bad = hmm_devmem_alloc_bitmap(pages);
	chunk->retired = hmm_devmem_alloc_bitmap(pages);
	chunk->arrived = kvcalloc(pages, sizeof(*chunk->arrived),
				  GFP_KERNEL | __GFP_NOWARN);
	if (!chunk->used || !chunk->accessed || !chunk->requested ||
	    !chunk->bad || !chunk->retired || !chunk->arrived) {
		hmm_devmem_free_chunk(chunk);
		return NULL;
	}
	return chunk;
}

/* Whether a chunk can have this address and size. */
static bool hmm_devmem_range_valid(const struct hmm_devmem *devmem,
				   phys_addr_t start, unsigned long size)
{
	if (!size || !IS_ALIGNED(size, HPAGE_PMD_SIZE))
		return false;
	if (devmem->type == MEMORY_DEVICE_PRIVATE)
		return !start;
	return start && IS_ALIGNED(start, HPAGE_PMD_SIZE) &&
	       start + size > start;
}

/**
 * hmm_devmem_set_device() - name the device that has the memory
 * @devmem: the device memory, to which none was added yet
 * @dev: the device, for &hmm_devmem.dev
 *
 * For a driver that does not set &hmm_devmem.dev before hmm_devmem_init().
 *
 * Context: Process context; may sleep.
 *
 * Return: 0; -%EBUSY if @devmem has a device or memory; -%EDEADLK in a callback that
 * hmm_devmem_evict(), hmm_devmem_remove() or making room waits for.
 */
int hmm_devmem_set_device(struct hmm_devmem *devmem, struct device *dev)
{
	if (hmm_devmem_is_evicting(devmem))
		return -EDEADLK;
	guard(mutex)(&devmem->chunks_lock);
	if (devmem->dev || !list_empty(&devmem->chunks))
		return -EBUSY;
	devmem->dev = get_device(dev);
	return 0;
}
EXPORT_SYMBOL_GPL(hmm_devmem_set_device);

/**
 * hmm_devmem_add() - add a chunk of device memory
 * @devmem: the device memory
 * @start: where coherent memory is, aligned to a huge page; 0 for private
 *	memory
 * @size: how much, in bytes, a multiple of the size of a huge page
 * @data: the driver's, for hmm_devmem_data()
 *
 * Context: Process context; may sleep. No mmap lock is held.
 *
 * Return: 0; -%EINVAL for an invalid size or address; -%EBUSY if there is other
 * memory at @start; -%EDEADLK in a callback that hmm_devmem_evict(),
 * hmm_devmem_remove() or making room waits for; -%ENODEV if the device memory is
 * ending; -%EINTR if the caller was killed; -%ENOMEM; or an error of
 * memremap_pages(). On an error @data stays the
 * caller's.
 */
int hmm_devmem_add(struct hmm_devmem *devmem, phys_addr_t start,
		   unsigned long size, void *data)
{
	struct hmm_devmem_chunk *chunk;
	int err;

	if (!hmm_devmem_range_valid(devmem, start, size))
		return -EINVAL;
	if (hmm_devmem_is_evicting(devmem))
		return -EDEADLK;
	if (READ_ONCE(devmem->state->module_object.ending))
		return -ENODEV;
	chunk = hmm_devmem_alloc_chunk(devmem, size >> PAGE_SHIFT);
	if (!chunk)
		return -ENOMEM;
	chunk->data = data;

	/* Held while pages are evicted. A section may wait here, to grow the memory. */
	err = mutex_lock_killable(&devmem->chunks_lock);
	if (err)
		goto free;
	/* hmm_devmem_exit() may have made its last pass: do not add a chunk then. */
	err = READ_ONCE(devmem->state->module_object.ending) ? -ENODEV : 0;
	if (err)
		goto unlock;
	err = hmm_devmem_cgroup_add_chunk(chunk);
	if (err)
		goto unlock;
	err = hmm_devmem_reserve_range(chunk, start, size);
	if (err)
		goto unlock;
	err = hmm_devmem_map_pages(chunk);
	if (err)
		goto release;

	scoped_guard(spinlock_irqsave, &devmem->lock)
		list_add_tail_rcu(&chunk->list, &devmem->chunks);
	mutex_unlock(&devmem->chunks_lock);
	return 0;

release:
	hmm_devmem_release_range(chunk);
unlock:
	mutex_unlock(&devmem->chunks_lock);
free:
	hmm_devmem_free_chunk(chunk);
	return err;
}
EXPORT_SYMBOL_GPL(hmm_devmem_add);

/**
 * hmm_devmem_add_private() - add a chunk of private device memory
 * @devmem: the device memory, which is private
 * @size: how much, in bytes, a multiple of the size of a huge page
 * @data: as for hmm_devmem_add()
 *
 * The addresses are unused ones that the kernel chooses.
 *
 * Context: Process context; may sleep. No mmap lock is held.
 *
 * Return: as hmm_devmem_add(); -%EINVAL for coherent memory.
 */
int hmm_devmem_add_private(struct hmm_devmem *devmem, unsigned long size,
			   void *data)
{
	return hmm_devmem_add(devmem, 0, size, data);
}
EXPORT_SYMBOL_GPL(hmm_devmem_add_private);

/*
 * Remove a chunk that has no page in use, and from which none is allocated, and
 * add it to @removed.
 */
static void hmm_devmem_remove_chunk(struct hmm_devmem_chunk *chunk,
				    struct list_head *removed)
{
	struct hmm_devmem *devmem = chunk->devmem;

	scoped_guard(spinlock_irqsave, &devmem->lock) {
		list_del_rcu(&chunk->list);
		/* hmm_devmem_take_pages() reads it without the lock. */
		WRITE_ONCE(chunk->removed, true);
	}
	/* hmm_devmem_alloc() may still search it. */
	synchronize_rcu();
	memunmap_pages(&chunk->pagemap);
	hmm_devmem_release_range(chunk);
	list_add_tail(&chunk->list, removed);
}

/**
 * struct hmm_devmem_releasing - a task that calls ->release
 * @list: in &hmm_devmem_state.releasing
 * @task: the task
 */
struct hmm_devmem_releasing {
	struct list_head list;
	struct task_struct *task;
};

/*
 * Whether current is in ->release. A driver that adds memory there and removes it again
 * would be called again for that, and again, until its stack overflows.
 */
static bool hmm_devmem_is_releasing(struct hmm_devmem *devmem)
{
	struct hmm_devmem_releasing *releasing;

	guard(spinlock_irqsave)(&devmem->lock);
	list_for_each_entry(releasing, &devmem->state->releasing, list)
		if (releasing->task == current)
			return true;
	return false;
}

/* Give chunks back to the driver, which may add others: no lock is held. */
static void hmm_devmem_release_chunks(struct hmm_devmem *devmem,
				      struct list_head *removed)
{
	struct hmm_devmem_releasing releasing = { .task = current };
	struct hmm_devmem_chunk *chunk, *next;

	scoped_guard(spinlock_irqsave, &devmem->lock)
		list_add(&releasing.list, &devmem->state->releasing);
	list_for_each_entry_safe(chunk, next, removed, list) {
		if (devmem->ops->release)
			devmem->ops->release(devmem, chunk->data);
		hmm_devmem_free_chunk(chunk);
	}
	scoped_guard(spinlock_irqsave, &devmem->lock)
		list_del(&releasing.list);
}

/* Stop, or allow, allocation. Takes the lock of the memory. */
static void hmm_devmem_set_alloc_stopped(struct hmm_devmem *devmem, bool alloc_stopped)
{
	guard(spinlock_irqsave)(&devmem->lock);
	WRITE_ONCE(devmem->alloc_stopped, alloc_stopped);
}

/* How many pages of a chunk are in use. Takes the lock of the memory. */
static unsigned long hmm_devmem_chunk_in_use(struct hmm_devmem_chunk *chunk)
{
	guard(spinlock_irqsave)(&chunk->devmem->lock);
	return chunk->pages - chunk->free - chunk->nr_retired;
}

/*
 * Evict a chunk. Return how many of its pages are still in use. The mlock batch of each
 * CPU may have references to pages that were munlocked there when their process unmapped
 * them; nothing else drains that of an idle CPU.
 */
static unsigned long hmm_devmem_empty_chunk(struct hmm_devmem_chunk *chunk)
{
	lru_add_drain_all();
	hmm_devmem_evict_chunk(chunk);
	return hmm_devmem_chunk_in_use(chunk);
}

/* How many pages of all chunks are in use. chunks_lock is held. */
static unsigned long hmm_devmem_count_in_use(struct hmm_devmem *devmem)
{
	struct hmm_devmem_chunk *chunk;
	unsigned long used = 0;

	list_for_each_entry(chunk, &devmem->chunks, list)
		used += hmm_devmem_chunk_in_use(chunk);
	return used;
}

/**
 * hmm_devmem_evict() - migrate all pages to system memory
 * @devmem: the device memory
 *
 * For suspend, or before a device is removed, with processes running. No page is
 * allocated until hmm_devmem_resume(). One pass over the memory: pages that are
 * pinned or busy stay. In a callback that this function, hmm_devmem_remove() or
 * making room waits for, pages are only counted.
 *
 * Context: Process context; may sleep. No mmap lock is held.
 *
 * Return: the number of pages that are still in use.
 */
unsigned long hmm_devmem_evict(struct hmm_devmem *devmem)
{
	struct hmm_devmem_chunk *chunk;
	unsigned long left = 0;

	if (hmm_devmem_is_evicting(devmem))
		return hmm_devmem_count_in_use(devmem);
	hmm_waits_for_update_locks();
	guard(mutex)(&devmem->chunks_lock);
	hmm_devmem_set_alloc_stopped(devmem, true);
	list_for_each_entry(chunk, &devmem->chunks, list)
		left += hmm_devmem_empty_chunk(chunk);
	return left;
}
EXPORT_SYMBOL_GPL(hmm_devmem_evict);

/**
 * hmm_devmem_resume() - allow allocation again
 * @devmem: the device memory, after hmm_devmem_evict()
 *
 * Does nothing in a callback that hmm_devmem_evict(), hmm_devmem_remove() or making
 * room waits for: that goes on.
 *
 * Context: Process context; may sleep.
 */
void hmm_devmem_resume(struct hmm_devmem *devmem)
{
	if (hmm_devmem_is_evicting(devmem))
		return;
	guard(mutex)(&devmem->chunks_lock);
	if (!READ_ONCE(devmem->state->module_object.ending))
		hmm_devmem_set_alloc_stopped(devmem, false);
}
EXPORT_SYMBOL_GPL(hmm_devmem_resume);

/* The chunk to be removed next. chunks_lock is held. */
static struct hmm_devmem_chunk *
hmm_devmem_first_chunk(struct hmm_devmem *devmem)
{
	return list_first_entry_or_null(&devmem->chunks,
					struct hmm_devmem_chunk, list);
}

/* Empty and remove all chunks, with @patience waits of one jiffy. chunks_lock is held. */
static int hmm_devmem_remove_chunks(struct hmm_devmem *devmem,
				    unsigned long patience,
				    struct list_head *removed)
{
	struct hmm_devmem_chunk *chunk;

	while ((chunk = hmm_devmem_first_chunk(devmem))) {
		while (hmm_devmem_empty_chunk(chunk)) {
			if (!patience)
				return -EBUSY;
			patience--;
			schedule_timeout_uninterruptible(1);
		}
		hmm_devmem_remove_chunk(chunk, removed);
	}
	return 0;
}

/**
 * hmm_devmem_remove() - remove all chunks
 * @devmem: the device memory
 * @timeout: how long to wait for pages that are in use, in jiffies. The time of the
 *	passes over the memory is not counted; there is one after each jiffy
 *
 * All pages migrate to system memory first, which the processes do not notice.
 * Chunks can be added again.
 *
 * Context: Process context; may sleep. No mmap lock is held.
 *
 * Return: 0; -%EBUSY if a page could not migrate: its chunk, and those added after
 * it, remain, and can be allocated from again; -%EDEADLK in a callback that this
 * function, hmm_devmem_evict() or making room waits for, and in
 * &hmm_devmem_ops.release.
 */
int hmm_devmem_remove(struct hmm_devmem *devmem, unsigned long timeout)
{
	LIST_HEAD(removed);
	bool alloc_stopped;
	int err;

	if (hmm_devmem_is_evicting(devmem) || hmm_devmem_is_releasing(devmem))
		return -EDEADLK;
	hmm_waits_for_update_locks();
	scoped_guard(mutex, &devmem->chunks_lock) {
		alloc_stopped = devmem->alloc_stopped;
		hmm_devmem_set_alloc_stopped(devmem, true);
		err = hmm_devmem_remove_chunks(devmem, timeout, &removed);
		hmm_devmem_set_alloc_stopped(devmem, alloc_stopped);
	}
	hmm_devmem_release_chunks(devmem, &removed);
	return err;
}
EXPORT_SYMBOL_GPL(hmm_devmem_remove);

/* From here on the core calls no callback of @devmem. */
static void hmm_devmem_stop(struct hmm_devmem *devmem)
{
	/* Keep allocation stopped between attempts, or freed pages would be reused. */
	scoped_guard(mutex, &devmem->chunks_lock)
		hmm_devmem_set_alloc_stopped(devmem, true);
	while (hmm_devmem_remove(devmem, HZ))
		cond_resched();
	if (devmem->ops->peer_dma_map)
		hmm_mirror_peers_count_memory(-1);
	hmm_devmem_stats_del(devmem);
	/* It may be queued or run until here; it looks at @devmem, and calls back. */
	disable_work_sync(&devmem->reclaim_work);
	hmm_devmem_cgroup_exit(devmem);
	put_device(devmem->dev);
	devmem->dev = NULL;
}

/* End device memory whose end was claimed, and call ->done. May sleep. */
static void hmm_devmem_end(struct hmm_devmem_state *state)
{
	struct hmm_devmem *devmem = state->devmem;

	hmm_devmem_stop(devmem);
	mutex_destroy(&devmem->chunks_lock);
	mutex_destroy(&devmem->grow_lock);
	/* May free the device memory. */
	if (state->done)
		state->done(devmem);
	hmm_module_object_del(&state->module_object);
	kfree(state);
}

static void hmm_devmem_work(struct work_struct *work)
{
	hmm_devmem_end(container_of(work, struct hmm_devmem_state, work));
}

/*
 * The driver's module is unloaded with this memory still registered. Another leaked
 * object may refer to it, so the state is leaked with it.
 */
static void hmm_devmem_end_leaked(struct hmm_module_object *module_object)
{
	struct hmm_devmem_state *state =
		container_of(module_object, struct hmm_devmem_state, module_object);

	hmm_devmem_stop(state->devmem);
	hmm_module_object_del(module_object);
}

static struct hmm_devmem_state *hmm_devmem_alloc_state(struct hmm_devmem *devmem)
{
	struct hmm_devmem_state *state = kzalloc(sizeof(*state), GFP_KERNEL);

	if (!state)
		return NULL;
	state->devmem = devmem;
	INIT_WORK(&state->work, hmm_devmem_work);
	INIT_LIST_HEAD(&state->releasing);
	return state;
}

/**
 * hmm_devmem_init() - initialise device memory, without a chunk
 * @devmem: the device memory, with the members set that the driver sets
 *
 * Context: Process context.
 *
 * Return: 0; -%EINVAL if a member is missing or invalid; -%ENOMEM.
 */
int hmm_devmem_init(struct hmm_devmem *devmem)
{
	unsigned long around = devmem->fault_pages ?: HMM_DEVMEM_BATCH;

	if (!devmem->ops || !devmem->ops->copy || !devmem->ops->clear)
		return -EINVAL;
	if (!is_power_of_2(around) || around > HMM_DEVMEM_BATCH)
		return -EINVAL;
	if (devmem->type != MEMORY_DEVICE_PRIVATE &&
	    devmem->type != MEMORY_DEVICE_COHERENT)
		return -EINVAL;

	devmem->state = hmm_devmem_alloc_state(devmem);
	if (!devmem->state)
		return -ENOMEM;
	devmem->fault_pages = around;
	get_device(devmem->dev);
	if (!devmem->owner)
		devmem->owner = devmem;
	mutex_init(&devmem->grow_lock);
	mutex_init(&devmem->chunks_lock);
	spin_lock_init(&devmem->lock);
	INIT_LIST_HEAD(&devmem->chunks);
	devmem->alloc_stopped = false;
	hmm_devmem_cgroup_init(devmem);
	devmem->hand = 0;
	devmem->reclaim_paused_until = jiffies;
	devmem->last_short = jiffies - 2 * HZ;
	INIT_WORK(&devmem->reclaim_work, hmm_devmem_reclaim_work);
	hmm_module_object_add(&devmem->state->module_object, devmem->ops->copy,
			      hmm_devmem_end_leaked);
	hmm_devmem_stats_add(devmem);
	if (devmem->ops->peer_dma_map)
		hmm_mirror_peers_count_memory(1);
	return 0;
}
EXPORT_SYMBOL_GPL(hmm_devmem_init);

/**
 * hmm_devmem_exit() - remove all chunks, however long it takes
 * @devmem: the device memory
 *
 * As hmm_devmem_remove(), but waits for pinned pages without a limit. From the start
 * no chunk can be added, and no page allocated. When it returns no other function
 * may be running on @devmem, or be called.
 *
 * Context: Process context, and no callback of @devmem; may sleep. No mmap lock is
 * held.
 */
void hmm_devmem_exit(struct hmm_devmem *devmem)
{
	/* It would wait for itself. */
	if (WARN_ONCE(hmm_devmem_is_evicting(devmem) || hmm_devmem_is_releasing(devmem),
		      "%s: %ps: a callback ends its device memory\n",
		      hmm_devmem_label(devmem), devmem->ops->copy))
		return;
	if (WARN_ONCE(!hmm_module_object_claim(&devmem->state->module_object),
		      "%ps: device memory ends twice\n", devmem->ops->copy))
		return;
	hmm_devmem_end(devmem->state);
}
EXPORT_SYMBOL_GPL(hmm_devmem_exit);

/**
 * hmm_devmem_exit_deferred() - hmm_devmem_exit(), later
 * @devmem: the device memory
 * @done: called when it has ended and may be freed, in process context with no lock
 *	held; or NULL
 *
 * For a last reference that may be dropped in a callback, inside a section or under
 * an update lock. The module that &hmm_devmem_ops.copy is in, whose code @done must
 * be too, is not freed before that; its exit function is not held up.
 *
 * Context: any but NMI; once, and in place of hmm_devmem_exit().
 */
void hmm_devmem_exit_deferred(struct hmm_devmem *devmem,
			      void (*done)(struct hmm_devmem *devmem))
{
	struct hmm_devmem_state *state = devmem->state;

	if (!hmm_module_object_claim(&state->module_object)) {
		WARN_ONCE(!state->module_object.leaked, "%ps: device memory ends twice\n",
			  devmem->ops->copy);
		return;
	}
	state->done = done;
	queue_work(hmm_devmem_wq, &state->work);
}
EXPORT_SYMBOL_GPL(hmm_devmem_exit_deferred);
