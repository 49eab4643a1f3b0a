// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: who has which page of the chunks that there are.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/mm.h>

#include "../internal.h"
#include "devmem.h"

static unsigned long hmm_devmem_first_pfn(const struct hmm_devmem_chunk *chunk)
{
	return PHYS_PFN(chunk->pagemap.range.start);
}

/*
 * The largest folio that this memory can have. Coherent memory has single pages
 * only: the kernel splits mapped folios for user space (UFFDIO_MOVE, partial
 * munmap), and knows of device private memory alone that its pieces have a
 * pagemap and are on no LRU list.
 */
static unsigned int hmm_devmem_max_order(const struct hmm_devmem *devmem)
{
	return devmem->type == MEMORY_DEVICE_PRIVATE ? HPAGE_PMD_ORDER : 0;
}

/*
 * Looks for @nr free pages in a row, without the lock: there are millions of
 * bits, and interrupts stay on. RCU keeps the chunk. What is found may be taken
 * meanwhile, and what is freed meanwhile may be missed.
 */
static bool hmm_devmem_find_free(struct hmm_devmem_chunk *chunk,
				 unsigned long nr, unsigned long *at)
{
	if (READ_ONCE(chunk->free) < nr)
		return false;
	*at = bitmap_find_next_zero_area(chunk->used, chunk->pages,
					 READ_ONCE(chunk->next), nr, nr - 1);
	if (*at >= chunk->pages)
		*at = bitmap_find_next_zero_area(chunk->used, chunk->pages, 0,
						 nr, nr - 1);
	return *at < chunk->pages;
}

/* Takes the pages that were found, unless somebody else has been faster. */
static bool hmm_devmem_take(struct hmm_devmem_chunk *chunk, unsigned long nr,
			    unsigned long at)
{
	guard(spinlock_irqsave)(&chunk->devmem->lock);
	if (chunk->devmem->closed || chunk->removed ||
	    find_next_bit(chunk->used, at + nr, at) < at + nr)
		return false;

	bitmap_set(chunk->used, at, nr);
	WRITE_ONCE(chunk->free, chunk->free - nr);
	WRITE_ONCE(chunk->next, at + nr);
	return true;
}

/* The chunk in which a block could be taken; NULL if there is none. */
static struct hmm_devmem_chunk *hmm_devmem_take_pages(struct hmm_devmem *devmem,
						      unsigned long nr,
						      unsigned long *at)
{
	struct hmm_devmem_chunk *chunk;

	guard(rcu)();
	list_for_each_entry_rcu(chunk, &devmem->chunks, list) {
		while (!READ_ONCE(devmem->closed) &&
		       !READ_ONCE(chunk->removed) &&
		       hmm_devmem_find_free(chunk, nr, at))
			if (hmm_devmem_take(chunk, nr, *at))
				return chunk;
	}
	return NULL;
}

/**
 * hmm_devmem_alloc() - take pages of device memory
 * @devmem: the device memory
 * @order: of the folio, at most that of a huge page; 0 for coherent memory
 *
 * The folio is aligned to its size, locked, has one reference and holds
 * whatever its last user left. It goes back when its last reference does.
 *
 * Context: Process context; may sleep, as the folio is locked.
 *
 * Return: the folio; NULL if there is no such block, if the memory has no folios
 * of this order, or @devmem is closed.
 */
struct folio *hmm_devmem_alloc(struct hmm_devmem *devmem, unsigned int order)
{
	struct hmm_devmem_chunk *chunk;
	struct folio *folio;
	unsigned long at;

	might_sleep();
	if (order > hmm_devmem_max_order(devmem))
		return NULL;
	chunk = hmm_devmem_take_pages(devmem, 1UL << order, &at);
	if (!chunk)
		return NULL;

	folio = (struct folio *)pfn_to_page(hmm_devmem_first_pfn(chunk) + at);
	zone_device_folio_init(folio, &chunk->pagemap, order);
	return folio;
}
EXPORT_SYMBOL_GPL(hmm_devmem_alloc);

/*
 * Makes single pages of a large folio that nobody uses any more: its pages may
 * be handed out in another size next, and a tail must not lead to a head that
 * is somebody else's by then.
 */
static void hmm_devmem_split_free_folio(struct folio *folio,
					struct dev_pagemap *pgmap)
{
	unsigned long nr = folio_nr_pages(folio), i;

	folio_reset_order(folio);
	ClearPageCompound(&folio->page);
	for (i = 1; i < nr; i++)
		((struct folio *)(&folio->page + i))->pgmap = pgmap;
}

/*
 * The next user of the pages must not find flags of this one, which
 * zone_device_page_init() clears in part: active and unevictable at once, for
 * instance, is a bug to folio_migrate_flags(). Poison stays, and that the page is
 * reserved, as all of ZONE_DEVICE is. What the driver put
 * into zone_device_data and private was for this user.
 */
static void hmm_devmem_scrub(struct page *page, unsigned long nr)
{
	for (; nr--; page++) {
		page->flags.f &= ~(unsigned long)PAGE_FLAGS_CHECK_AT_PREP |
				 BIT(PG_reserved);
		page->zone_device_data = NULL;
		page->private = 0;
	}
}

/**
 * hmm_devmem_free() - take back what nobody uses any more
 * @folio: pages of some &struct hmm_devmem, without a reference
 */
void hmm_devmem_free(struct folio *folio)
{
	struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of(&folio->page);
	unsigned long nr = folio_nr_pages(folio);

	if (nr > 1)
		hmm_devmem_split_free_folio(folio, &chunk->pagemap);
	hmm_devmem_scrub(&folio->page, nr);

	guard(spinlock_irqsave)(&chunk->devmem->lock);
	bitmap_clear(chunk->used,
		     folio_pfn(folio) - hmm_devmem_first_pfn(chunk), nr);
	WRITE_ONCE(chunk->free, chunk->free + nr);
}

static bool hmm_devmem_is_ours(const struct dev_pagemap *pgmap)
{
	return pgmap->ops && pgmap->ops->folio_free == hmm_devmem_free;
}

/**
 * hmm_devmem_owns_page() - is a page of some &struct hmm_devmem?
 * @page: a page of private or coherent memory
 */
bool hmm_devmem_owns_page(const struct page *page)
{
	return hmm_devmem_is_ours(page_pgmap(page));
}

/**
 * hmm_devmem_place() - where a page is in some device memory, if it is
 * @devmem: the device memory
 * @page: a page of any kind
 *
 * For a driver that numbers its chunks: what it gives to hmm_devmem_add() as
 * data is the number.
 *
 * Context: Any context; somebody keeps @page.
 *
 * Return: the chunk and the place in it; neither if @page is not of @devmem.
 */
struct hmm_place hmm_devmem_place(struct hmm_devmem *devmem, struct page *page)
{
	struct hmm_devmem_chunk *chunk;
	struct dev_pagemap *pgmap;

	if (!is_zone_device_page(page))
		return (struct hmm_place){ };
	/* To find the head of a folio takes a while: once (benchmark: driver-home). */
	pgmap = page_pgmap(page);
	chunk = container_of(pgmap, struct hmm_devmem_chunk, pagemap);
	if (!hmm_devmem_is_ours(pgmap) || chunk->devmem != devmem)
		return (struct hmm_place){ };
	return (struct hmm_place){
		.here = true,
		.chunk = (unsigned long)chunk->data,
		.offset = (page_to_pfn(page) - hmm_devmem_first_pfn(chunk))
			  << PAGE_SHIFT,
	};
}
EXPORT_SYMBOL_GPL(hmm_devmem_place);

/**
 * hmm_devmem_used_pfns() - which pages of a part of a chunk are in use
 * @chunk: the chunk
 * @at: where the part begins, a multiple of HMM_DEVMEM_BATCH
 * @pfns: room for HMM_DEVMEM_BATCH page frame numbers
 *
 * Return: how many there are.
 */
unsigned long hmm_devmem_used_pfns(struct hmm_devmem_chunk *chunk,
				   unsigned long at, unsigned long *pfns)
{
	unsigned long end = at + HMM_DEVMEM_BATCH, nr = 0;

	guard(spinlock_irqsave)(&chunk->devmem->lock);
	for_each_set_bit_from(at, chunk->used, end)
		pfns[nr++] = hmm_devmem_first_pfn(chunk) + at;
	return nr;
}

/**
 * hmm_devmem_available() - how much is free
 * @devmem: the device memory
 *
 * Return: the bytes that could be handed out, page by page, at this moment.
 */
unsigned long hmm_devmem_available(struct hmm_devmem *devmem)
{
	struct hmm_devmem_chunk *chunk;
	unsigned long pages = 0;

	guard(spinlock_irqsave)(&devmem->lock);
	if (devmem->closed)
		return 0;
	list_for_each_entry(chunk, &devmem->chunks, list)
		pages += chunk->free;
	return pages << PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(hmm_devmem_available);
