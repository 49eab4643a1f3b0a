// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: the memory of a unit.
 */
#include "dmirror.h"

#include <linux/genalloc.h>
#include <linux/highmem.h>
#include <linux/ioport.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

/**
 * DOC: Device memory
 *
 * A unit has memory of its own, in chunks that are added as they are needed.
 * The kernel has a &struct page for each page of it, and a process's page can
 * live there. There are two kinds:
 *
 * *Private* memory cannot be reached by the CPU. Its physical addresses are
 * made up; they only serve to have page frame numbers. When the CPU touches
 * a page that lives there it faults, and the driver has to bring the page home
 * (migrate.c). What is behind the numbers is the device's business; here, where
 * there is no device, it is a block of ordinary memory, &dm_chunk.ram.
 *
 * *Coherent* memory can be reached by both, at real addresses that the firmware
 * reports or, here, the module's parameters give.
 *
 * Who has which page is kept by a gen_pool for each chunk. Whatever was handed
 * out as a large folio may come back in parts, because the kernel split it in
 * between, and the other way round two free neighbours may go out as one: the
 * pool is a bitmap and does not care. The pages' own state has to be taken
 * apart by the driver, though; see dm_folio_free().
 */

#define DM_PRIVATE_CHUNK	SZ_128M
#define DM_COHERENT_CHUNK	SZ_256M

static struct dm_chunk *dm_page_chunk(struct page *page)
{
	return container_of(page_pgmap(page), struct dm_chunk, pagemap);
}

/**
 * dm_page_map() - get at what is in a page, wherever it is
 * @page: a page of the system or of a unit
 *
 * Return: its address, until dm_page_unmap(); in the reverse order for several.
 */
void *dm_page_map(struct page *page)
{
	struct dm_chunk *chunk;

	if (!is_device_private_page(page))
		return kmap_local_page(page);
	chunk = dm_page_chunk(page);
	return chunk->ram + (page_to_phys(page) - chunk->pagemap.range.start);
}

/**
 * dm_page_unmap() - be done with what dm_page_map() gave
 * @page: the page
 * @at: an address in it
 */
void dm_page_unmap(struct page *page, const void *at)
{
	if (!is_device_private_page(page))
		kunmap_local(at);
}

/*
 * Nobody uses a folio any more. If it is a large one, make single pages of it,
 * as they were at first: the next user may want another size, and dm_evict()
 * looks at each page to see where the next one begins.
 */
static void dm_folio_free(struct folio *folio)
{
	struct dm_chunk *chunk = dm_page_chunk(&folio->page);
	unsigned long nr = folio_nr_pages(folio);

	if (nr > 1) {
		folio_reset_order(folio);
		ClearPageCompound(&folio->page);
		for (unsigned long i = 1; i < nr; i++)
			((struct folio *)(&folio->page + i))->pgmap = &chunk->pagemap;
	}
	gen_pool_free(chunk->pool, PFN_PHYS(folio_pfn(folio)), nr << PAGE_SHIFT);
}

static const struct dev_pagemap_ops dm_private_ops = {
	.folio_free = dm_folio_free,
	.migrate_to_ram = dm_migrate_to_ram,
};

static const struct dev_pagemap_ops dm_coherent_ops = {
	.folio_free = dm_folio_free,
};

static void dm_chunk_free(struct dm_chunk *chunk)
{
	if (!chunk)
		return;
	if (chunk->pool)
		gen_pool_destroy(chunk->pool);
	vfree(chunk->ram);
	if (chunk->region)
		release_mem_region(chunk->region->start,
				   resource_size(chunk->region));
	kfree(chunk);
}

DEFINE_FREE(dm_chunk, struct dm_chunk *, dm_chunk_free(_T))

/* Find addresses for a chunk, and what is behind them. */
static int dm_chunk_place(struct dm_chunk *chunk, const struct dm_memory *memory)
{
	struct dev_pagemap *pagemap = &chunk->pagemap;
	struct resource *region;

	pagemap->nr_range = 1;
	if (memory->coherent_base) {
		pagemap->type = MEMORY_DEVICE_COHERENT;
		pagemap->ops = &dm_coherent_ops;
		pagemap->range.start = memory->coherent_base;
		pagemap->range.end = memory->coherent_base + DM_COHERENT_CHUNK - 1;
		return 0;
	}

	chunk->ram = vmalloc_huge(DM_PRIVATE_CHUNK, GFP_KERNEL | __GFP_NOWARN);
	if (!chunk->ram)
		return -ENOMEM;
	region = request_free_mem_region(&iomem_resource, DM_PRIVATE_CHUNK,
					 "hmm_dmirror");
	if (IS_ERR(region))
		return PTR_ERR(region);
	chunk->region = region;
	pagemap->type = MEMORY_DEVICE_PRIVATE;
	pagemap->ops = &dm_private_ops;
	pagemap->range.start = region->start;
	pagemap->range.end = region->end;
	return 0;
}

/* Give a unit one chunk more. */
static int dm_chunk_add(struct dm_memory *memory, void *owner)
{
	struct dm_chunk *chunk __free(dm_chunk) = kzalloc(sizeof(*chunk), GFP_KERNEL);
	struct range *range;
	void *mapped;
	int ret;

	if (!chunk)
		return -ENOMEM;
	ret = dm_chunk_place(chunk, memory);
	if (ret)
		return ret;

	range = &chunk->pagemap.range;
	chunk->pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!chunk->pool)
		return -ENOMEM;
	gen_pool_set_algo(chunk->pool, gen_pool_first_fit_order_align, NULL);
	ret = gen_pool_add(chunk->pool, range->start, range_len(range), NUMA_NO_NODE);
	if (ret)
		return ret;

	chunk->pagemap.owner = owner;
	mapped = memremap_pages(&chunk->pagemap, numa_node_id());
	if (IS_ERR(mapped))
		return PTR_ERR(mapped);
	list_add_tail(&no_free_ptr(chunk)->list, &memory->chunks);
	return 0;
}

/**
 * dm_memory_init() - a unit without memory as yet
 * @memory: the unit's memory
 * @coherent_base: physical address of the one chunk of coherent memory, or 0
 *	for private memory
 */
void dm_memory_init(struct dm_memory *memory, unsigned long coherent_base)
{
	init_rwsem(&memory->lock);
	INIT_LIST_HEAD(&memory->chunks);
	memory->coherent_base = coherent_base;
}

/**
 * dm_memory_reserve() - see to it that a unit has free memory
 * @memory: the unit's memory
 * @owner: the unit
 * @size: how much, in bytes
 *
 * To be called beforehand: a chunk cannot be added while pages are being moved,
 * under locks that the kernel may need to make memory.
 *
 * It is not for sure that the memory will be there, and where it is, it may be
 * in too many pieces.
 */
void dm_memory_reserve(struct dm_memory *memory, void *owner, size_t size)
{
	struct dm_chunk *chunk;
	size_t available = 0;

	guard(rwsem_write)(&memory->lock);
	list_for_each_entry(chunk, &memory->chunks, list)
		available += gen_pool_avail(chunk->pool);
	if (available >= size)
		return;
	if (memory->coherent_base && !list_empty(&memory->chunks))
		return;
	dm_chunk_add(memory, owner);
}

/**
 * dm_folio_alloc() - take a folio of a unit's memory
 * @memory: the unit's memory; the caller holds its lock for reading
 * @order: how large
 *
 * Coherent memory is handed out page by page. When a large folio of it is
 * unmapped in part, the kernel queues it to be split, as it does with folios of
 * the system's, but does not take it off that queue before it is freed.
 *
 * Return: the folio, locked, with one reference and whatever was in it before,
 * or NULL.
 */
struct folio *dm_folio_alloc(struct dm_memory *memory, unsigned int order)
{
	struct dm_chunk *chunk;

	if (order && memory->coherent_base)
		return NULL;
	list_for_each_entry(chunk, &memory->chunks, list) {
		unsigned long at = gen_pool_alloc(chunk->pool, PAGE_SIZE << order);
		struct folio *folio;

		if (!at)
			continue;
		folio = (struct folio *)pfn_to_page(PHYS_PFN(at));
		zone_device_folio_init(folio, &chunk->pagemap, order);
		return folio;
	}
	return NULL;
}

/* Bring home what lives in a chunk; false when something stayed behind. */
static bool dm_chunk_evict(struct dm_chunk *chunk)
{
	dm_evict(&chunk->pagemap.range);
	return gen_pool_avail(chunk->pool) == gen_pool_size(chunk->pool);
}

/**
 * dm_memory_release() - take a unit's memory away
 * @memory: the unit's memory
 * @patience: how often to try, with 10 ms in between; somebody may be using a
 *	page just now
 *
 * Pages that live there are brought home, and the processes do not notice. The
 * memory comes back when it is wanted again.
 *
 * Return: 0; -EBUSY when a page could not be brought home: its chunk and those
 * after it are still there.
 */
int dm_memory_release(struct dm_memory *memory, unsigned long patience)
{
	struct dm_chunk *chunk, *next;

	guard(rwsem_write)(&memory->lock);
	list_for_each_entry_safe(chunk, next, &memory->chunks, list) {
		while (!dm_chunk_evict(chunk)) {
			if (!patience--)
				return -EBUSY;
			schedule_timeout_uninterruptible(msecs_to_jiffies(10));
		}
		list_del(&chunk->list);
		memunmap_pages(&chunk->pagemap);
		dm_chunk_free(chunk);
	}
	return 0;
}
