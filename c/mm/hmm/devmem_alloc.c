// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: allocation of pages.
 */
#include <kunit/visibility.h>
#include <linux/bitmap.h>
#include <linux/error-injection.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/mm.h>

#include "../internal.h"
#include "devmem.h"

/*
 * The largest order of a folio. Coherent memory has single pages only: the kernel
 * splits mapped folios for user space (UFFDIO_MOVE, partial munmap), and only of
 * device private memory does it keep the pieces off the LRU lists and give them
 * their pagemap.
 */
static unsigned int hmm_devmem_max_order(const struct hmm_devmem *devmem)
{
	return devmem->type == MEMORY_DEVICE_PRIVATE ? HPAGE_PMD_ORDER : 0;
}

/* Search the bitmap from @from on. Return the number of pages, or more, if all are used. */
static unsigned long hmm_devmem_search(const struct hmm_devmem_chunk *chunk,
				       unsigned long from, unsigned long nr)
{
	/*
	 * Bits may change meanwhile, and be read more than once: a result that is below the
	 * number of pages is a position in the bitmap, but what it claims may be wrong.
	 */
	return data_race(bitmap_find_next_zero_area(chunk->used, chunk->pages,
						    from, nr, nr - 1));
}

/*
 * Search for @nr consecutive free pages, without the lock: a chunk can have millions
 * of pages, and interrupts must not be off for so long. RCU keeps the chunk alive.
 * The result may be stale, or wrong: hmm_devmem_take() checks it under the lock.
 */
static bool hmm_devmem_find_free(struct hmm_devmem_chunk *chunk,
				 unsigned long nr, unsigned long *at)
{
	if (READ_ONCE(chunk->free) < nr)
		return false;
	*at = hmm_devmem_search(chunk, READ_ONCE(chunk->next), nr);
	if (*at >= chunk->pages)
		*at = hmm_devmem_search(chunk, 0, nr);
	return *at < chunk->pages;
}

/*
 * Take the pages that were found, unless they were taken meanwhile; they are charged to
 * @pool.
 */
static bool hmm_devmem_take(struct hmm_devmem_chunk *chunk, unsigned long nr,
			    unsigned long at, struct dmem_cgroup_pool_state *pool)
{
	guard(spinlock_irqsave)(&chunk->devmem->lock);
	if (chunk->devmem->alloc_stopped || chunk->removed ||
	    find_next_bit(chunk->used, at + nr, at) < at + nr)
		return false;

	bitmap_set(chunk->used, at, nr);
	clear_bit(at, chunk->accessed);
	clear_bit(at, chunk->requested);
	WRITE_ONCE(chunk->arrived[at], jiffies);
	WRITE_ONCE(chunk->free, chunk->free - nr);
	WRITE_ONCE(chunk->next, at + nr);
	hmm_devmem_stats_alloc(chunk->devmem, nr);
	hmm_devmem_set_pool(chunk, at, nr, pool);
	return true;
}

/* Take @nr pages of a chunk, which is returned; NULL if no chunk has them. */
static struct hmm_devmem_chunk *
hmm_devmem_take_pages(struct hmm_devmem *devmem, unsigned long nr, unsigned long *at,
		      struct dmem_cgroup_pool_state *pool)
{
	struct hmm_devmem_chunk *chunk;

	guard(rcu)();
	list_for_each_entry_rcu(chunk, &devmem->chunks, list) {
		while (!READ_ONCE(devmem->alloc_stopped) &&
		       !READ_ONCE(chunk->removed) &&
		       hmm_devmem_find_free(chunk, nr, at))
			if (hmm_devmem_take(chunk, nr, *at, pool))
				return chunk;
	}
	return NULL;
}

/**
 * hmm_devmem_alloc_from() - allocate a folio that is charged already
 * @devmem: the device memory
 * @order: order of the folio
 * @pool: what it is charged to; the folio takes over the charge and the references of
 *	its pages. %NULL if @devmem is not accounted
 *
 * Context: as hmm_devmem_alloc().
 * Return: as hmm_devmem_alloc(); on %NULL the charge stays the caller's.
 */
noinline struct folio *hmm_devmem_alloc_from(struct hmm_devmem *devmem, unsigned int order,
					     struct dmem_cgroup_pool_state *pool)
{
	struct hmm_devmem_chunk *chunk;
	struct folio *folio;
	unsigned long at;

	if (order > hmm_devmem_max_order(devmem))
		return NULL;
	chunk = hmm_devmem_take_pages(devmem, 1UL << order, &at, pool);
	if (!chunk)
		return NULL;

	folio = (struct folio *)pfn_to_page(hmm_devmem_first_pfn(chunk) + at);
	zone_device_folio_init(folio, &chunk->pagemap, order);
	return folio;
}
ALLOW_ERROR_INJECTION(hmm_devmem_alloc_from, NULL);

/**
 * hmm_devmem_alloc() - allocate a folio of device memory
 * @devmem: the device memory
 * @order: order of the folio, at most that of a huge page; 0 for coherent memory
 *
 * The folio is aligned to its size, locked, and has one reference. Its contents
 * are those of its last user. It is freed when its last reference is dropped. After
 * hmm_devmem_account() it is charged to the cgroup of current; no room is made for it.
 *
 * Context: Process context; may sleep, as the folio is locked.
 *
 * Return: the folio; %NULL if there are not as many free pages in a row, if the
 * memory has no folios of this order, after hmm_devmem_evict(), or if the folio cannot be
 * charged.
 */
struct folio *hmm_devmem_alloc(struct hmm_devmem *devmem, unsigned int order)
{
	struct dmem_cgroup_pool_state *pool;
	struct folio *folio;

	might_sleep();
	if (order > hmm_devmem_max_order(devmem))
		return NULL;
	if (!hmm_devmem_charge_current(devmem, 1U << order, &pool))
		return NULL;
	folio = hmm_devmem_alloc_from(devmem, order, pool);
	if (!folio)
		hmm_devmem_cancel_charge(pool, 1U << order);
	return folio;
}
EXPORT_SYMBOL_GPL(hmm_devmem_alloc);

/*
 * Keep what was reported as bad, or poisoned by its driver, from being allocated; return how
 * many pages.
 */
static unsigned long hmm_devmem_keep_bad(struct hmm_devmem_chunk *chunk,
					 unsigned long at, unsigned long nr)
{
	const struct page *page = pfn_to_page(hmm_devmem_first_pfn(chunk) + at);
	unsigned long end = at + nr, bad = 0, i;

	for (i = 0; i < nr; i++)
		if (PageHWPoison(page + i))
			__set_bit(at + i, chunk->bad);
	for_each_set_bit_from(at, chunk->bad, end) {
		hmm_devmem_set_retired(chunk, at);
		bad++;
	}
	return bad;
}

/**
 * hmm_devmem_free() - free a folio of device memory
 * @folio: the folio, of any &struct hmm_devmem, without a reference
 *
 * Context: any.
 */
void hmm_devmem_free(struct folio *folio)
{
	struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of(&folio->page);
	unsigned long nr = folio_nr_pages(folio);
	unsigned long at = folio_pfn(folio) - hmm_devmem_first_pfn(chunk);

	zone_device_folio_reset(folio);
	hmm_devmem_uncharge(chunk, at, nr);

	guard(spinlock_irqsave)(&chunk->devmem->lock);
	bitmap_clear(chunk->used, at, nr);
	nr -= hmm_devmem_keep_bad(chunk, at, nr);
	WRITE_ONCE(chunk->free, chunk->free + nr);
}

/* Whether a pagemap is of a chunk of some struct hmm_devmem. */
static bool hmm_devmem_is_ours(const struct dev_pagemap *pgmap)
{
	return pgmap->ops && pgmap->ops->folio_free == hmm_devmem_free;
}

/**
 * hmm_devmem_owns_page() - whether a page is of a &struct hmm_devmem
 * @page: a page of private or coherent memory
 *
 * Return: true if it is of any &struct hmm_devmem; false if another driver's
 * pagemap has it.
 */
bool hmm_devmem_owns_page(const struct page *page)
{
	return hmm_devmem_is_ours(page_pgmap(page));
}

/**
 * hmm_devmem_start_slice() - begin the time slice of a folio
 * @folio: a folio of any &struct hmm_devmem
 *
 * Context: any; the caller keeps the folio from being freed.
 */
void hmm_devmem_start_slice(const struct folio *folio)
{
	struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of(&folio->page);

	WRITE_ONCE(chunk->arrived[hmm_devmem_folio_index(chunk, folio)], jiffies);
}

/* In jiffies. A variable, so that tests have the time to act within it. */
VISIBLE_IF_KUNIT u32 hmm_devmem_slice = DIV_ROUND_UP(HMM_DEVMEM_SLICE_MS * HZ, MSEC_PER_SEC);

/**
 * hmm_devmem_slice_left() - for how long a page is not to go to another device
 * @folio: a folio of any &struct hmm_devmem
 *
 * The pieces of a folio that was split may go at once. After 2^32 jiffies a page may
 * stay for one time slice more.
 *
 * Context: any; the caller keeps the folio from being freed.
 * Return: the rest of its time slice, in jiffies; 0 if it is over.
 */
unsigned long hmm_devmem_slice_left(const struct folio *folio)
{
	struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of(&folio->page);
	unsigned long i = hmm_devmem_folio_index(chunk, folio);
	u32 slice = READ_ONCE(hmm_devmem_slice);
	u32 age = (u32)jiffies - READ_ONCE(chunk->arrived[i]);

	return age < slice ? slice - age : 0;
}

/**
 * hmm_devmem_request_folio() - record that another device has requested a folio
 * @folio: a folio of any &struct hmm_devmem
 *
 * Context: any; the caller keeps the folio from being freed.
 * Return: whether it was requested before.
 */
bool hmm_devmem_request_folio(const struct folio *folio)
{
	struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of(&folio->page);

	return test_and_set_bit(hmm_devmem_folio_index(chunk, folio),
				chunk->requested);
}

/**
 * hmm_devmem_has_bad() - whether a page was reported as bad
 * @page: the first of the pages, of any &struct hmm_devmem
 * @nr: how many, all of one folio
 *
 * Without &hmm_devmem.lock, under which the bits are set: test_bit() reads each once, and
 * none is cleared before the chunk is freed, which the folio prevents. A page may be
 * reported at any time after this, so what was copied is checked again after the copy.
 *
 * Context: any; the caller keeps the folio from being freed, by its lock or that of a
 * page table that maps it.
 * Return: true if any was.
 */
bool hmm_devmem_has_bad(const struct page *page, unsigned long nr)
{
	const struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of(page);
	unsigned long i = page_to_pfn(page) - hmm_devmem_first_pfn(chunk);

	for (; nr; nr--, i++)
		if (test_bit(i, chunk->bad))
			return true;
	return false;
}

/**
 * hmm_devmem_can_copy_folio() - whether a folio can be copied from other device memory
 * @to: the memory that it is copied to
 * @folio: a folio of another &struct hmm_devmem, which is mapped or locked
 *
 * The driver of @to decides; without &hmm_devmem_ops.can_copy_from it cannot. A folio
 * with a bad page is refused: only the driver whose device has reported that page
 * knows whether its contents are lost.
 *
 * Context: any; a page table lock may be held.
 * Return: true if it can.
 */
bool hmm_devmem_can_copy_folio(struct hmm_devmem *to, const struct folio *folio)
{
	struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of(&folio->page);
	struct hmm_devmem_peer peer = {
		.devmem = chunk->devmem,
		.same_driver = chunk->devmem->ops == to->ops,
	};

	return to->ops->can_copy_from && to->ops->can_copy_from(to, &peer) &&
	       !hmm_devmem_has_bad(&folio->page, folio_nr_pages(folio));
}

/* The chunk of a page of any kind; NULL if it is of no &struct hmm_devmem. */
static struct hmm_devmem_chunk *hmm_devmem_chunk_of_any(const struct page *page)
{
	struct dev_pagemap *pgmap;

	if (!is_zone_device_page(page))
		return NULL;
	/* page_pgmap() looks up the head page: call it once (benchmark: driver-to-ram). */
	pgmap = page_pgmap(page);
	return hmm_devmem_is_ours(pgmap) ?
		       container_of(pgmap, struct hmm_devmem_chunk, pagemap) :
		       NULL;
}

static struct hmm_devmem_position hmm_devmem_position_in(const struct hmm_devmem_chunk *chunk,
							 const struct page *page)
{
	return (struct hmm_devmem_position){
		.found = true,
		.chunk = (unsigned long)chunk->data,
		.offset = (page_to_pfn(page) - hmm_devmem_first_pfn(chunk))
			  << PAGE_SHIFT,
	};
}

/**
 * hmm_devmem_page_position() - the position of a page in a device's memory
 * @devmem: the device memory
 * @page: a page of any kind
 *
 * For a driver that numbers its chunks, and gives the number to hmm_devmem_add() as
 * data.
 *
 * Context: any; the caller holds a reference to @page, or a lock that keeps it from
 * being freed.
 *
 * Return: the chunk, and the offset in it; &hmm_devmem_position.found is false if @page is not
 * of @devmem.
 */
struct hmm_devmem_position hmm_devmem_page_position(struct hmm_devmem *devmem, struct page *page)
{
	struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of_any(page);

	if (!chunk || chunk->devmem != devmem)
		return (struct hmm_devmem_position){ };
	return hmm_devmem_position_in(chunk, page);
}
EXPORT_SYMBOL_GPL(hmm_devmem_page_position);

/**
 * hmm_devmem_peer_position() - the position of a page in another device's memory
 * @devmem: a device memory
 * @page: a page of any kind
 *
 * As hmm_devmem_page_position(), for memory of the same driver: that has the same
 * &hmm_devmem.ops. It is for a driver that gives no number twice, for all of its devices.
 *
 * Context: any; the caller holds a reference to @page, or a lock that keeps it from
 * being freed.
 *
 * Return: the chunk, and the offset in it; &hmm_devmem_position.found is false if @page is of
 * @devmem, or not of memory of the same driver.
 */
struct hmm_devmem_position hmm_devmem_peer_position(struct hmm_devmem *devmem,
						    struct page *page)
{
	struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of_any(page);

	if (!chunk || chunk->devmem == devmem || chunk->devmem->ops != devmem->ops)
		return (struct hmm_devmem_position){ };
	return hmm_devmem_position_in(chunk, page);
}
EXPORT_SYMBOL_GPL(hmm_devmem_peer_position);

/**
 * hmm_devmem_used_pfns() - find the pages in use in a part of a chunk
 * @chunk: the chunk
 * @at: index of the first page, a multiple of %HMM_DEVMEM_BATCH
 * @pfns: room for %HMM_DEVMEM_BATCH pfns
 *
 * Return: the number of pfns written.
 */
unsigned long hmm_devmem_used_pfns(struct hmm_devmem_chunk *chunk,
				   unsigned long at, unsigned long *pfns)
{
	unsigned long end = at + HMM_DEVMEM_BATCH, nr = 0;

	guard(spinlock_irqsave)(&chunk->devmem->lock);
	for_each_set_bit_from(at, chunk->used, end)
		if (!test_bit(at, chunk->retired))
			pfns[nr++] = hmm_devmem_first_pfn(chunk) + at;
	return nr;
}

/**
 * hmm_devmem_available() - how much memory is free
 * @devmem: the device memory
 *
 * Context: any.
 * Return: the free pages of all chunks, in bytes; 0 after hmm_devmem_evict().
 */
unsigned long hmm_devmem_available(struct hmm_devmem *devmem)
{
	struct hmm_devmem_chunk *chunk;
	unsigned long pages = 0;

	guard(spinlock_irqsave)(&devmem->lock);
	if (devmem->alloc_stopped)
		return 0;
	list_for_each_entry(chunk, &devmem->chunks, list)
		pages += chunk->free;
	return pages << PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(hmm_devmem_available);

/**
 * hmm_devmem_size() - how much memory there is
 * @devmem: the device memory
 *
 * Context: any.
 * Return: the size of all chunks, in bytes.
 */
unsigned long hmm_devmem_size(struct hmm_devmem *devmem)
{
	struct hmm_devmem_chunk *chunk;
	unsigned long pages = 0;

	guard(spinlock_irqsave)(&devmem->lock);
	list_for_each_entry(chunk, &devmem->chunks, list)
		pages += chunk->pages;
	return pages << PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(hmm_devmem_size);
