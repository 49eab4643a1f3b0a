// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: pages that are not in use migrate to system memory to make room.
 *
 * A clock: a hand goes round all pages of a memory. A folio that was reported as
 * accessed since the hand was there last stays for another round; one that has just
 * arrived stays for its time slice.
 */
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "../internal.h"
#include "devmem_transfer.h"

/* After a pass that migrated nothing, none is made for this long. */
#define HMM_RECLAIM_PAUSE	msecs_to_jiffies(10)

/* Background reclaim runs for this long after a request was short of memory. */
#define HMM_RECLAIM_AHEAD	HZ

/**
 * struct hmm_reclaim - a pass over device memory
 * @devmem: the device memory
 * @goal: the number of pages to be free; with @limit.pool, how many are to migrate
 * @before: folios that arrived at this time or later stay, in jiffies; not in the
 *	future
 * @limit: whose pages
 * @moved: how many pages have migrated
 * @transfer: of the pages that are migrated together
 */
struct hmm_reclaim {
	struct hmm_devmem *devmem;
	unsigned long goal;
	u32 before;
	struct hmm_devmem_scan_limit limit;
	unsigned long moved;
	struct hmm_devmem_transfer transfer;
};

/* How many pages can be allocated. */
static unsigned long hmm_reclaim_free(const struct hmm_reclaim *r)
{
	return hmm_devmem_available(r->devmem) >> PAGE_SHIFT;
}

/*
 * Whether the folio that begins at index @i arrived when the pass's request had begun,
 * or later. Ages are compared, not times: a folio may have been here for half the
 * range of u32, which is weeks.
 */
static bool hmm_reclaim_is_later(const struct hmm_reclaim *r,
				 const struct hmm_devmem_chunk *chunk,
				 unsigned long i)
{
	u32 arrived = READ_ONCE(chunk->arrived[i]), now = jiffies;

	return now - arrived <= now - r->before;
}

/*
 * Whether the hand of the clock selects the folio that begins at index @i. Only if it is
 * old enough is its accessed bit cleared. The lock of the memory is held.
 */
static bool hmm_reclaim_selects(struct hmm_reclaim *r,
				struct hmm_devmem_chunk *chunk, unsigned long i,
				struct folio *folio)
{
	if (hmm_reclaim_is_later(r, chunk, i) || hmm_devmem_slice_left(folio) ||
	    !hmm_devmem_scan_allows(&r->limit, chunk, i))
		return false;
	if (test_and_clear_bit(i, chunk->accessed) &&
	    !folio_maybe_partly_unmapped(folio))
		return false;
	hmm_devmem_scan_take(&r->limit, chunk, i, folio_nr_pages(folio));
	return true;
}

/**
 * hmm_reclaim_pfns() - move the hand over a part of a chunk
 * @r: the pass
 * @chunk: the chunk
 * @hand: index of the first page; on return, of the first that was not looked at
 * @pfns: room for %HMM_DEVMEM_BATCH pfns
 * @max: stop once this many pages were selected
 *
 * Stops at a multiple of %HMM_DEVMEM_BATCH, or earlier if the pages are charged to too
 * many pools: the lock is held with interrupts off.
 *
 * Return: how many pfns were written, of whole folios.
 */
static unsigned long hmm_reclaim_pfns(struct hmm_reclaim *r,
				      struct hmm_devmem_chunk *chunk,
				      unsigned long *hand, unsigned long *pfns,
				      unsigned long max)
{
	unsigned long first = hmm_devmem_first_pfn(chunk), i = *hand, nr = 0;
	unsigned long end = hmm_devmem_scan_prepare(&r->limit, chunk, i,
						    ALIGN(i + 1, HMM_DEVMEM_BATCH));
	struct folio *folio = NULL;
	bool selected = false;

	guard(spinlock_irqsave)(&chunk->devmem->lock);
	*hand = end;
	for_each_set_bit_from(i, chunk->used, end) {
		struct page *page = pfn_to_page(first + i);

		if (page_folio(page) != folio) {
			folio = page_folio(page);
			if (nr >= max) {
				*hand = i;
				break;
			}
			selected = &folio->page == page &&
				!test_bit(i, chunk->retired) &&
				hmm_reclaim_selects(r, chunk, i, folio);
		}
		if (selected)
			pfns[nr++] = first + i;
	}
	return nr;
}

/*
 * Find the chunk that the hand is in. The hand counts the pages of all chunks, so
 * that it stays valid when a chunk goes away. chunks_lock is held.
 */
static struct hmm_devmem_chunk *hmm_reclaim_chunk(struct hmm_devmem *devmem,
						  unsigned long *hand)
{
	struct hmm_devmem_chunk *chunk;

	*hand = devmem->hand;
	list_for_each_entry(chunk, &devmem->chunks, list) {
		if (*hand < chunk->pages)
			return chunk;
		*hand -= chunk->pages;
	}
	devmem->hand = 0;
	*hand = 0;
	return list_first_entry_or_null(&devmem->chunks,
					struct hmm_devmem_chunk, list);
}

/* How many pages of the goal of the pass are reached. */
static unsigned long hmm_reclaim_done(const struct hmm_reclaim *r)
{
	return r->limit.pool ? r->moved : hmm_reclaim_free(r);
}

/*
 * Scan at most one batch of pages and migrate those selected. Return how far the hand
 * moved; 0 if the goal is met, or if the caller is being killed.
 */
static unsigned long hmm_reclaim_step(struct hmm_reclaim *r)
{
	struct hmm_devmem *devmem = r->devmem;
	unsigned long hand, at, nr, done = hmm_reclaim_done(r);
	struct hmm_devmem_chunk *chunk = hmm_reclaim_chunk(devmem, &hand);

	if (!chunk || done >= r->goal || devmem->alloc_stopped || fatal_signal_pending(current))
		return 0;
	at = hand;
	nr = hmm_reclaim_pfns(r, chunk, &hand, r->transfer.args.src,
			      r->goal - done);
	devmem->hand += hand - at;
	r->moved += hmm_devmem_evict_pfns(&r->transfer, nr);
	cond_resched();
	return hand - at;
}

/*
 * Move the hand until the goal is met, two rounds at most: the first clears the accessed
 * bits. chunks_lock is held.
 */
static void hmm_reclaim_rounds(struct hmm_reclaim *r)
{
	unsigned long way = 2 * (hmm_devmem_size(r->devmem) >> PAGE_SHIFT), nr;

	do {
		nr = hmm_reclaim_step(r);
		way -= min(way, nr);
	} while (nr && way);
}

/*
 * Evict until the goal is met. Pages that dmem.low protects are evicted only if the
 * others are not enough. chunks_lock is held. Remember when nothing was found.
 */
static void hmm_reclaim_pass(struct hmm_reclaim *r)
{
	struct hmm_devmem *devmem = r->devmem;

	lockdep_assert_held(&devmem->chunks_lock);
	if (hmm_devmem_alloc_mpfns(&r->transfer, HMM_DEVMEM_BATCH))
		return;
	if (hmm_devmem_scan_begin(&r->limit, devmem))
		goto free;
	hmm_reclaim_rounds(r);
	if (r->limit.hit_low && hmm_reclaim_done(r) < r->goal) {
		hmm_devmem_scan_reset(&r->limit);
		r->limit.ignore_low = true;
		hmm_reclaim_rounds(r);
	}
	hmm_devmem_scan_end(&r->limit);
free:
	hmm_devmem_free_mpfns(&r->transfer);
	/* What was freed may be allocated again by now. One who was killed has not looked. */
	if (!r->moved && !r->limit.pool && !fatal_signal_pending(current))
		WRITE_ONCE(devmem->reclaim_paused_until, jiffies + HMM_RECLAIM_PAUSE);
}

/* How many pages are kept free for the next requests. */
static unsigned long hmm_reclaim_reserve(struct hmm_devmem *devmem)
{
	return min(HMM_DEVMEM_BATCH, hmm_devmem_size(devmem) >> PAGE_SHIFT >> 4);
}

/**
 * hmm_devmem_reclaim_work() - reclaim in the background
 * @work: &hmm_devmem.reclaim_work
 */
void hmm_devmem_reclaim_work(struct work_struct *work)
{
	struct hmm_reclaim r = {
		.devmem = container_of(work, struct hmm_devmem, reclaim_work),
	};

	guard(mutex)(&r.devmem->chunks_lock);
	r.before = READ_ONCE(r.devmem->reclaim_before);
	r.goal = hmm_reclaim_reserve(r.devmem);
	if (!r.devmem->alloc_stopped && hmm_reclaim_free(&r) < r.goal)
		hmm_reclaim_pass(&r);
}

/* Start background reclaim, for the next requests. */
static void hmm_reclaim_start(struct hmm_devmem *devmem, unsigned long before)
{
	WRITE_ONCE(devmem->reclaim_before, before);
	queue_work(system_dfl_wq, &devmem->reclaim_work);
}

/**
 * hmm_devmem_reclaim() - make room for a request
 * @devmem: the device memory
 * @pages: how many pages the request needs
 * @before: when the request began, in jiffies: pages that arrived later stay, so that
 *	no request takes the pages that it, or one after it, has just migrated
 *
 * Context: Process context; may sleep. Neither the mmap lock nor a folio lock is
 * held: all of chunks_lock, rmap locks and mirrors' update locks are taken.
 */
void hmm_devmem_reclaim(struct hmm_devmem *devmem, unsigned long pages,
			unsigned long before)
{
	struct hmm_reclaim r = {
		.devmem = devmem,
		.goal = pages,
		.before = before,
	};

	if (time_before(jiffies, READ_ONCE(devmem->reclaim_paused_until)) ||
	    mutex_lock_killable(&devmem->chunks_lock))
		return;
	if (!devmem->alloc_stopped && hmm_reclaim_free(&r) < pages)
		hmm_reclaim_pass(&r);
	mutex_unlock(&devmem->chunks_lock);

	WRITE_ONCE(devmem->last_short, jiffies);
	hmm_reclaim_start(devmem, before);
}

#ifdef CONFIG_CGROUP_DMEM
/*
 * Whether the last pass below this limit found nothing, and was a short time ago. Without
 * a lock: a limit and the end of another's pause may be read, which is a matter of one
 * pass, or of one pause, more or less.
 */
static bool hmm_reclaim_is_paused(struct hmm_devmem *devmem,
				  const struct dmem_cgroup_pool_state *limit)
{
	const struct hmm_devmem_limit_pause *pause = devmem->limit_pauses;
	int i;

	for (i = 0; i < ARRAY_SIZE(devmem->limit_pauses); i++)
		if (READ_ONCE(pause[i].limit) == limit &&
		    time_before(jiffies, READ_ONCE(pause[i].until)))
			return true;
	return false;
}

/* Begin the pause of a limit, in place of the pause that ends first. chunks_lock is held. */
static void hmm_reclaim_pause(struct hmm_devmem *devmem,
			      const struct dmem_cgroup_pool_state *limit)
{
	struct hmm_devmem_limit_pause *pause = devmem->limit_pauses, *first = pause;
	int i;

	for (i = 0; i < ARRAY_SIZE(devmem->limit_pauses); i++) {
		if (!pause[i].limit || pause[i].limit == limit) {
			first = &pause[i];
			break;
		}
		if (time_before(pause[i].until, first->until))
			first = &pause[i];
	}
	WRITE_ONCE(first->until, jiffies + HMM_RECLAIM_PAUSE);
	WRITE_ONCE(first->limit, limit);
}

/**
 * hmm_devmem_reclaim_pool() - make room below a limit of a cgroup
 * @devmem: the device memory
 * @limit: the pool whose limit was hit, referenced
 * @pages: how many pages that are charged below it are to migrate to system memory
 * @before: as for hmm_devmem_reclaim()
 *
 * After a pass that finds nothing there is none for a while, so that a cgroup at its
 * limit does not keep others from the lock; other limits are not concerned.
 *
 * Context: as hmm_devmem_reclaim().
 * Return: whether any page has migrated.
 */
bool hmm_devmem_reclaim_pool(struct hmm_devmem *devmem,
			     struct dmem_cgroup_pool_state *limit,
			     unsigned long pages, unsigned long before)
{
	struct hmm_reclaim r = {
		.devmem = devmem,
		.goal = pages,
		.before = before,
		.limit.pool = limit,
	};

	if (hmm_reclaim_is_paused(devmem, limit) ||
	    mutex_lock_killable(&devmem->chunks_lock))
		return false;
	if (!devmem->alloc_stopped)
		hmm_reclaim_pass(&r);
	if (!r.moved && !fatal_signal_pending(current))
		hmm_reclaim_pause(devmem, limit);
	mutex_unlock(&devmem->chunks_lock);
	return r.moved;
}
#endif

/**
 * hmm_devmem_is_short() - whether room has to be made for a request
 * @devmem: the device memory
 * @pages: how many pages the request needs
 * @before: as for hmm_devmem_reclaim()
 *
 * If there is room, but little remains after the request, more is made in the
 * background. Not if no request was short of memory lately: what is requested may
 * just fill the memory.
 *
 * Context: any that may take &hmm_devmem.lock.
 * Return: whether there is too little, and it makes sense to call
 * hmm_devmem_reclaim().
 */
bool hmm_devmem_is_short(struct hmm_devmem *devmem, unsigned long pages,
			 unsigned long before)
{
	unsigned long free = hmm_devmem_available(devmem) >> PAGE_SHIFT;

	if (free >= pages + HMM_DEVMEM_BATCH || READ_ONCE(devmem->alloc_stopped) ||
	    time_before(jiffies, READ_ONCE(devmem->reclaim_paused_until)))
		return false;
	if (free < pages)
		return true;
	if (free < pages + hmm_reclaim_reserve(devmem) &&
	    time_before(jiffies, READ_ONCE(devmem->last_short) + HMM_RECLAIM_AHEAD))
		hmm_reclaim_start(devmem, before);
	return false;
}

/**
 * hmm_devmem_mark_accessed() - report that the device has accessed a page
 * @devmem: the device memory
 * @page: a page of any kind; nothing happens if it is not of @devmem
 *
 * When the memory is full, pages whose folios were not reported migrate to system
 * memory first. A driver reports the pages that its device's access counters or
 * accessed bits name, or each page that it maps for its device. Without reports the
 * pages that arrived first migrate first.
 *
 * Context: any; the caller holds a reference to @page, or a lock that keeps it from
 * being freed.
 */
void hmm_devmem_mark_accessed(struct hmm_devmem *devmem, struct page *page)
{
	struct hmm_devmem_chunk *chunk;
	unsigned long i;

	if (!is_zone_device_page(page) || !hmm_devmem_owns_page(page))
		return;
	chunk = hmm_devmem_chunk_of(page);
	if (chunk->devmem != devmem)
		return;
	i = hmm_devmem_folio_index(chunk, page_folio(page));
	if (!test_bit(i, chunk->accessed))
		set_bit(i, chunk->accessed);
}
EXPORT_SYMBOL_GPL(hmm_devmem_mark_accessed);
