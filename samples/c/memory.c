// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: the memory of a unit.
 */
#include "dmirror.h"

#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

/**
 * DOC: Device memory
 *
 * A unit has memory of its own, in chunks that are added when needed. Its pages
 * have a &struct page, and pages of processes can be migrated to it. There are
 * two kinds:
 *
 * *Device-private* memory cannot be accessed by the CPU. Its physical addresses
 * are unused ones, reserved only for their page frame numbers. A CPU access to
 * such a page faults, and the page is migrated to system memory. A real device
 * keeps the data in its own memory; this simulated one keeps the data of each
 * chunk in an allocation of system memory.
 *
 * *Device-coherent* memory can be accessed by CPU and device, at physical
 * addresses that the firmware reports or, here, the module's parameters set.
 *
 * &struct hmm_devmem allocates and migrates the pages, and handles the CPU's
 * faults. This file has what is left to the driver: copying and clearing pages,
 * and adding chunks. ioctl.c has the commands that migrate pages.
 */

#define DM_PRIVATE_CHUNK	SZ_128M
#define DM_COHERENT_CHUNK	SZ_256M

/* The size of a unit's private memory in dmem.capacity. More may be added. */
#define DM_PRIVATE_CAPACITY	SZ_8G

/* What memory contains before it is cleared. */
#define DM_JUNK			0xa5

/* Pages to migrate to system memory when the CPU faults on one of them. */
#define DM_FAULT_AROUND		16

/*
 * Whether the caller is in a migration whose first large folio is to fail, for a
 * test: its pages then migrate one by one. Coherent memory has no large folios.
 * Other users of the unit do not notice.
 */
static bool dm_fail_once(struct dm_unit *unit, unsigned int order)
{
	if (likely(READ_ONCE(unit->fail_for) != current) || !order)
		return false;
	WRITE_ONCE(unit->fail_for, NULL);
	return true;
}

/* Whether the contents of a page are lost: only memory of a unit can be bad. */
static bool dm_page_is_lost(struct dm_unit *unit, struct page *page)
{
	struct hmm_devmem_position position;

	if (likely(READ_ONCE(unit->lost) == ULONG_MAX))
		return false;
	position = hmm_devmem_page_position(&unit->memory, page);
	return position.found && position.chunk == (unsigned long)unit->first &&
	       position.offset == READ_ONCE(unit->lost);
}

/*
 * All units can read each other's memory: dm_page_map() is the same for all. The driver
 * of a real device calls pci_p2pdma_distance(), or knows of a link between the two.
 */
static bool dm_can_copy_from(struct dm_unit *unit,
			     const struct hmm_devmem_peer *peer)
{
	return peer->same_driver;
}

/**
 * dm_peer_at() - access the bus to the memory of another unit
 * @address: of dm_peer_map()
 *
 * Return: where the CPU, which simulates the device, accesses it.
 */
void *dm_peer_at(dma_addr_t address)
{
	return (void *)(unsigned long)address;
}

/*
 * Set the address by which another device accesses a page of ours. The simulated bus between
 * the units has the addresses of the kernel; a real device has a window in a BAR, or a link.
 * As the memory of a unit is simulated, too, the CPU can access it for any device that is
 * software: soft-RoCE, for example.
 * Memory is removed only when no page of it is in use, and then nothing has an address of
 * it: the mirror of the other unit sees to that.
 */
static void dm_peer_map(struct dm_unit *unit, struct hmm_peer_access *access)
{
	void *at = hmm_devmem_data(access->page) + hmm_devmem_offset(access->page);

	if (READ_ONCE(unit->refuse_peers))
		return;
	if (hmm_peer_access_is_by_cpu(access))
		hmm_peer_access_set_pointer(access, at);
	else if (dm_is_unit(hmm_peer_access_device(access)))
		hmm_peer_access_set_address(access, (unsigned long)at);
	else
		return;
	atomic_long_inc(&unit->peers);
}

/* Another device does not access a page of ours any more. */
static void dm_peer_unmap(struct dm_unit *unit, struct hmm_peer_access *access)
{
	atomic_long_dec(&unit->peers);
}

/*
 * Copy one page. Fails if the contents of @src are lost, or the CPU cannot access a page.
 */
static int dm_copy_page(struct dm_unit *unit, struct page *dst,
			struct page *src)
{
	void *to = dm_page_map(dst), *from = dm_page_map(src);
	int ret = to && from && !dm_page_is_lost(unit, src) ? 0 : -EIO;

	if (!ret)
		copy_page(to, from);
	dm_page_unmap(src, from);
	dm_page_unmap(dst, to);
	return ret;
}

/* Copy a folio's pages; a real device would use its copy engine. */
static int dm_copy(struct dm_unit *unit, struct page *dst, struct page *src,
		   unsigned int order)
{
	int ret = dm_fail_once(unit, order) ? -ENOMEM : 0;

	for (unsigned long i = 0; !ret && i < 1UL << order; i++)
		ret = dm_copy_page(unit, dst + i, src + i);
	return ret;
}

/*
 * Clear a folio's pages, for holes: the device's memory has the contents of its last
 * user.
 */
static int dm_clear(struct dm_unit *unit, struct page *page,
		    unsigned int order)
{
	if (dm_fail_once(unit, order))
		return -ENOMEM;
	for (unsigned long i = 0; i < 1UL << order; i++) {
		void *at = dm_page_map(page + i);

		if (!at)
			return -EIO;
		clear_page(at);
		dm_page_unmap(page + i, at);
	}
	return 0;
}

/*
 * The copy engine. The thread that requests the copies allocates the pages of the next
 * batch meanwhile. A real device has hardware for it, whose interrupt handler completes
 * the batches; this one has a work item.
 */

/* Batches of fewer pages are copied at once: waking the engine takes longer. */
#define DM_COPIER_LEAST	32

/* Copy or clear one block of a batch. */
static void dm_copy_block(struct dm_unit *unit, struct hmm_devmem_block *block)
{
	unsigned int order = block->order;

	block->error = block->src ?
			       dm_copy(unit, block->dst, block->src, order) :
			       dm_clear(unit, block->dst, order);
}

/* Copy the blocks of a batch, but those that have failed already. */
static void dm_copy_blocks(struct dm_unit *unit, struct hmm_devmem_batch *batch)
{
	for (unsigned int i = 0; i < batch->nr; i++)
		if (!batch->blocks[i].error)
			dm_copy_block(unit, &batch->blocks[i]);
}

/* The batch to be copied next; it stays in the queue until dm_copier_done(). */
static struct hmm_devmem_batch *dm_copier_first(struct dm_copier *copier)
{
	guard(spinlock)(&copier->lock);
	return list_first_entry_or_null(&copier->queue, struct hmm_devmem_batch,
					list);
}

/* Remove a batch from the queue and complete it. Its folios are unlocked next. */
static void dm_copier_done(struct dm_copier *copier,
			   struct hmm_devmem_batch *batch)
{
	scoped_guard(spinlock, &copier->lock) {
		list_del(&batch->list);
		copier->nr--;
	}
	hmm_devmem_batch_complete(batch, 0);
}

/* Copy batches, one after the other, until the queue is empty. */
static void dm_copier_work(struct work_struct *work)
{
	struct dm_copier *copier = container_of(work, struct dm_copier, work);
	struct dm_unit *unit = container_of(copier, struct dm_unit, copier);
	struct hmm_devmem_batch *batch;

	/* Folios are locked until the copies are done: wait for no lock of theirs. */
	hmm_devmem_completing_begin();
	while ((batch = dm_copier_first(copier))) {
		if (READ_ONCE(copier->delay))
			msleep(READ_ONCE(copier->delay));
		dm_copy_blocks(unit, batch);
		dm_copier_done(copier, batch);
	}
	hmm_devmem_completing_end();
}

static unsigned long dm_batch_pages(const struct hmm_devmem_batch *batch)
{
	unsigned long pages = 0;

	for (unsigned int i = 0; i < batch->nr; i++)
		pages += 1UL << batch->blocks[i].order;
	return pages;
}

/* Runs in the thread that requests the copies: what is to fail for it is found here. */
static void dm_copy_batch(struct dm_unit *unit, struct hmm_devmem_batch *batch)
{
	struct dm_copier *copier = &unit->copier;

	for (unsigned int i = 0; i < batch->nr; i++)
		if (dm_fail_once(unit, batch->blocks[i].order))
			batch->blocks[i].error = -ENOMEM;
	if (!READ_ONCE(copier->delay) && dm_batch_pages(batch) < DM_COPIER_LEAST) {
		dm_copy_blocks(unit, batch);
		hmm_devmem_batch_complete(batch, 0);
		return;
	}

	scoped_guard(spinlock, &copier->lock) {
		list_add_tail(&batch->list, &copier->queue);
		copier->nr++;
		copier->most = max(copier->most, copier->nr);
	}
	queue_work(copier->wq, &copier->work);
}

/**
 * dm_copier_set_delay() - have the copy engine of a unit wait before each batch
 * @unit: the unit
 * @delay: for how long, in milliseconds
 *
 * Return: the most batches that the engine has had at once since the last call.
 */
unsigned int dm_copier_set_delay(struct dm_unit *unit, unsigned int delay)
{
	struct dm_copier *copier = &unit->copier;
	unsigned int most;

	guard(spinlock)(&copier->lock);
	WRITE_ONCE(copier->delay, delay);
	most = copier->most;
	copier->most = copier->nr;
	return most;
}

static int dm_copier_init(struct dm_copier *copier)
{
	INIT_WORK(&copier->work, dm_copier_work);
	INIT_LIST_HEAD(&copier->queue);
	spin_lock_init(&copier->lock);
	/* Copies may be needed to free memory. */
	copier->wq = alloc_workqueue("hmm_dmirror", WQ_UNBOUND | WQ_MEM_RECLAIM, 1);
	return copier->wq ? 0 : -ENOMEM;
}

/* The size of the next chunk: @most, or what remains of the limit. */
static unsigned long dm_chunk_size(struct dm_unit *unit, unsigned long most)
{
	unsigned long limit = READ_ONCE(unit->limit);
	unsigned long size = hmm_devmem_size(&unit->memory);

	return size < limit ? min(limit - size, most) : 0;
}

/* Add a chunk. Adding a second chunk of coherent memory fails: it is in use. */
static int dm_grow(struct dm_unit *unit)
{
	unsigned long size = dm_chunk_size(unit, unit->coherent_base ?
					   DM_COHERENT_CHUNK : DM_PRIVATE_CHUNK);
	void *ram;
	int ret;

	if (!size)
		return -ENOMEM;
	if (!hmm_devmem_size(&unit->memory))
		WRITE_ONCE(unit->lost, ULONG_MAX);
	if (unit->coherent_base)
		return hmm_devmem_add(&unit->memory, unit->coherent_base,
				      size, NULL);

	ram = vmalloc_huge(size, GFP_KERNEL | __GFP_NOWARN);
	if (!ram)
		return -ENOMEM;
	/* As on a device that others have used; for the sizes of tests, as it takes long. */
	if (size < DM_PRIVATE_CHUNK)
		memset(ram, DM_JUNK, size);
	if (!hmm_devmem_size(&unit->memory))
		unit->first = ram;
	ret = hmm_devmem_add(&unit->memory, 0, size, ram);
	if (ret)
		vfree(ram);
	return ret;
}

/* &hmm_devmem_ops.release: a chunk was removed; no page of it is in use. */
static void dm_release_chunk(struct dm_unit *unit, void *ram)
{
	vfree(ram);
}

DEFINE_HMM_DEVMEM_OPS_ALL(dm_memory_ops, struct dm_unit, memory,
			  dm_copy, dm_clear, dm_copy_batch, dm_can_copy_from,
			  dm_peer_map, dm_peer_unmap, dm_grow, dm_release_chunk);

/**
 * dm_memory_retire() - report a page as bad, as a device's error interrupt would
 * @unit: the unit
 * @offset: where the page is in the first chunk, in bytes
 * @lost: its contents are lost, too
 *
 * Return: as hmm_devmem_retire().
 */
int dm_memory_retire(struct dm_unit *unit, unsigned long offset, bool lost)
{
	if (lost)
		WRITE_ONCE(unit->lost, offset);
	return hmm_devmem_retire(&unit->memory, unit->first, offset);
}

/**
 * dm_memory_init() - initialise a unit's memory, without chunks
 * @unit: the unit; its address is the owner of the memory
 * @coherent_base: physical address of the one chunk of coherent memory, or 0
 *	for private memory
 *
 * Return: 0; -%ENOMEM; or another error of hmm_devmem_init() or hmm_devmem_account().
 */
int dm_memory_init(struct dm_unit *unit, unsigned long coherent_base)
{
	int ret = dm_copier_init(&unit->copier);

	if (ret)
		return ret;
	unit->coherent_base = coherent_base;
	unit->limit = ULONG_MAX;
	unit->lost = ULONG_MAX;
	unit->memory.type = coherent_base ? MEMORY_DEVICE_COHERENT :
					    MEMORY_DEVICE_PRIVATE;
	unit->memory.owner = unit;
	unit->memory.fault_pages = DM_FAULT_AROUND;
	unit->memory.dev = &unit->dev;
	unit->memory.ops = &dm_memory_ops;
	ret = hmm_devmem_init(&unit->memory);
	if (ret)
		goto destroy;
	ret = hmm_devmem_account(&unit->memory, coherent_base ? DM_COHERENT_CHUNK :
				 DM_PRIVATE_CAPACITY);
	if (!ret)
		return 0;
	hmm_devmem_exit(&unit->memory);
destroy:
	destroy_workqueue(unit->copier.wq);
	return ret;
}

/**
 * dm_memory_exit() - end a unit's memory; its pages migrate to system memory
 * @unit: the unit
 */
void dm_memory_exit(struct dm_unit *unit)
{
	hmm_devmem_exit(&unit->memory);
	/* No page is in use any more. */
	WARN_ON(atomic_long_read(&unit->peers));
	destroy_workqueue(unit->copier.wq);
}
