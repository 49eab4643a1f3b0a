// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: pages are charged to the dmem cgroup controller.
 *
 * A page is charged when it is allocated for a process, to the cgroup of the task that
 * owns the process's mm, whichever thread handles the device's fault. It is uncharged when
 * it is freed: after it has migrated, was unmapped by all processes, or was retired. As in
 * the memory controller, the charge stays where it is if the process moves to another
 * cgroup, and a page that is shared after fork() stays charged to the process that it was
 * allocated for.
 *
 * A transfer charges all pages of a batch at once, when they are collected, and uncharges
 * in the end those that it has not allocated. If a limit is hit, pages that are charged
 * below it migrate to system memory first. What cannot be charged then has no dst, and
 * stays where it is.
 */
#include <linux/cgroup_dmem.h>
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/page_counter.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/version.h>

#include "compat-kernel.h"
#include "devmem_transfer.h"

#ifdef CONFIG_CGROUP_DMEM
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
/*
 * A limit was lowered below the usage. The controller retries a bounded number of times.
 * Wait for one time slice if no page can be evicted, as pages in their time slice stay;
 * the controller checks for fatal signals.
 */
static int hmm_devmem_dmem_reclaim(struct dmem_cgroup_pool_state *pool, u64 bytes,
				   void *priv)
{
	/* One batch in each call, so that others get the lock of the memory in between. */
	unsigned long pages = min_t(u64, DIV_ROUND_UP_ULL(bytes, PAGE_SIZE),
				    HMM_DEVMEM_BATCH);

	if (hmm_devmem_reclaim_pool(priv, pool, pages, jiffies))
		return 0;
	schedule_timeout_killable(msecs_to_jiffies(HMM_DEVMEM_SLICE_MS));
	return -ENOSPC;
}

static const struct dmem_cgroup_ops hmm_devmem_dmem_ops = {
	.reclaim = hmm_devmem_dmem_reclaim,
};

/* Register the region in which the controller counts @devmem. May sleep. */
static struct dmem_cgroup_region *hmm_devmem_register(struct hmm_devmem *devmem,
						      u64 capacity)
{
	struct dmem_cgroup_init init = {
		.size = capacity,
		.ops = &hmm_devmem_dmem_ops,
		.reclaim_priv = devmem,
	};

	return dmem_cgroup_register_region(&init, "hmm/%s", hmm_devmem_label(devmem));
}
#else
/* The controller of 7.2 does not report that a limit was lowered. */
static struct dmem_cgroup_region *hmm_devmem_register(struct hmm_devmem *devmem,
						      u64 capacity)
{
	return dmem_cgroup_register_region(capacity, "hmm/%s", hmm_devmem_label(devmem));
}
#endif

/* Initialise @devmem as not accounted. */
void hmm_devmem_cgroup_init(struct hmm_devmem *devmem)
{
	devmem->region = NULL;
	memset(devmem->limit_pauses, 0, sizeof(devmem->limit_pauses));
}

/**
 * hmm_devmem_cgroup_exit() - unregister the region of a memory that has no chunk any more
 * @devmem: the device memory
 *
 * All pages are free, so no pool of the region has a charge, pools of removed cgroups
 * included.
 *
 * Context: Process context; may sleep, until no limit is being lowered.
 * &hmm_devmem.chunks_lock is not held, as reclaim takes it.
 */
void hmm_devmem_cgroup_exit(struct hmm_devmem *devmem)
{
	dmem_cgroup_unregister_region(devmem->region);
	devmem->region = NULL;
}

/* Allocate room for the pools of a chunk that is being added. chunks_lock is held. */
int hmm_devmem_cgroup_add_chunk(struct hmm_devmem_chunk *chunk)
{
	if (!chunk->devmem->region)
		return 0;
	chunk->pools = kvcalloc(chunk->pages, sizeof(*chunk->pools),
				GFP_KERNEL | __GFP_NOWARN);
	return chunk->pools ? 0 : -ENOMEM;
}

/* Free what hmm_devmem_cgroup_add_chunk() allocated. No page is charged any more. */
void hmm_devmem_cgroup_del_chunk(struct hmm_devmem_chunk *chunk)
{
	kvfree(chunk->pools);
}

/**
 * hmm_devmem_set_pool() - record what pages are charged to
 * @chunk: their chunk
 * @at: index of the first page
 * @nr: number of pages
 * @pool: the pool, of which each page gets a reference; %NULL if they are not charged
 *
 * Each page records it, as the folio may be split.
 *
 * Context: &hmm_devmem.lock is held, under which the pages were allocated.
 */
void hmm_devmem_set_pool(struct hmm_devmem_chunk *chunk, unsigned long at,
			 unsigned long nr, struct dmem_cgroup_pool_state *pool)
{
	if (!pool)
		return;
	while (nr--)
		WRITE_ONCE(chunk->pools[at + nr], pool);
}

/*
 * Clear the pool of each page. The charge and the references pass to the caller, who
 * alone uses the pages.
 */
static struct dmem_cgroup_pool_state *
hmm_devmem_clear_pool(struct hmm_devmem_chunk *chunk, unsigned long at, unsigned long nr)
{
	struct dmem_cgroup_pool_state *pool = chunk->pools ? chunk->pools[at] : NULL;

	while (pool && nr--)
		WRITE_ONCE(chunk->pools[at + nr], NULL);
	return pool;
}

/**
 * hmm_devmem_uncharge() - uncharge a folio that is being freed
 * @chunk: its chunk
 * @at: index of its first page
 * @nr: number of its pages, which are charged to one pool: pieces of a folio that was
 *	split are freed one by one
 *
 * Context: any. The pages are still marked as used, so no other task changes their pools.
 */
void hmm_devmem_uncharge(struct hmm_devmem_chunk *chunk, unsigned long at,
			 unsigned long nr)
{
	struct dmem_cgroup_pool_state *pool = hmm_devmem_clear_pool(chunk, at, nr);

	if (pool)
		dmem_cgroup_uncharge_many(pool, nr, PAGE_SIZE);
}

/* For so many pools a pass remembers what was decided. */
#define HMM_SCAN_POOLS	32

/**
 * struct hmm_devmem_scan_pool - a pool that pages are charged to, in a pass
 * @pool: the pool, referenced
 * @evictable: how many more of its pages may migrate; %ULONG_MAX for all
 * @decided: @evictable is known
 */
struct hmm_devmem_scan_pool {
	struct dmem_cgroup_pool_state *pool;
	unsigned long evictable;
	bool decided;
};

/* Begin a pass over a memory; return 0 or -ENOMEM. */
int hmm_devmem_scan_begin(struct hmm_devmem_scan_limit *limit,
			  const struct hmm_devmem *devmem)
{
	if (!READ_ONCE(devmem->region))
		return 0;
	limit->pools = kcalloc(HMM_SCAN_POOLS, sizeof(*limit->pools), GFP_KERNEL);
	return limit->pools ? 0 : -ENOMEM;
}

/* Drop the references to the pools of a pass, and what was decided for them. */
void hmm_devmem_scan_reset(struct hmm_devmem_scan_limit *limit)
{
	while (limit->nr)
		dmem_cgroup_pool_state_put(limit->pools[--limit->nr].pool);
	limit->full = false;
}

/* End a pass that hmm_devmem_scan_begin() began. */
void hmm_devmem_scan_end(struct hmm_devmem_scan_limit *limit)
{
	hmm_devmem_scan_reset(limit);
	kfree(limit->pools);
}

/* The entry of the pool that a page is charged to; NULL if the pass has none yet. */
static struct hmm_devmem_scan_pool *
hmm_devmem_scan_find(struct hmm_devmem_scan_limit *limit,
		     const struct dmem_cgroup_pool_state *pool)
{
	unsigned int i;

	/* Adjacent pages mostly have one pool. */
	if (limit->last < limit->nr && limit->pools[limit->last].pool == pool)
		return &limit->pools[limit->last];
	for (i = 0; i < limit->nr; i++) {
		if (limit->pools[i].pool == pool) {
			limit->last = i;
			return &limit->pools[i];
		}
	}
	return NULL;
}

/*
 * Note the pool of a page, to be decided later. The page may be freed concurrently and
 * drop the last reference to its pool, which RCU keeps readable. Return false if there is
 * no room for it.
 */
static bool hmm_devmem_scan_note(struct hmm_devmem_scan_limit *limit,
				 struct dmem_cgroup_pool_state *pool)
{
	if (!pool || hmm_devmem_scan_find(limit, pool))
		return true;
	if (limit->nr == HMM_SCAN_POOLS)
		return false;
	if (dmem_cgroup_pool_tryget(pool))
		limit->pools[limit->nr++] = (struct hmm_devmem_scan_pool){ .pool = pool };
	return true;
}

/* Note the pools of pages that are in use. Return the index after the last page. */
static unsigned long hmm_devmem_scan_note_all(struct hmm_devmem_scan_limit *limit,
					      struct hmm_devmem_chunk *chunk,
					      unsigned long at, unsigned long end)
{
	guard(spinlock_irqsave)(&chunk->devmem->lock);
	for_each_set_bit_from(at, chunk->used, end) {
		if (!hmm_devmem_scan_note(limit, READ_ONCE(chunk->pools[at]))) {
			limit->full = true;
			return at;
		}
	}
	return end;
}

/* Walks the cgroups below the limit, however many there are. */
static void hmm_devmem_scan_decide(struct hmm_devmem_scan_limit *limit,
				   struct hmm_devmem_scan_pool *entry)
{
	u64 bytes = dmem_cgroup_pool_evictable(limit->pool, entry->pool, limit->ignore_low,
					       &limit->hit_low);

	entry->evictable = bytes == U64_MAX ? ULONG_MAX : bytes >> PAGE_SHIFT;
	entry->decided = true;
}

/**
 * hmm_devmem_scan_prepare() - decide for each pool how many of its pages may migrate
 * @limit: which pages this pass may evict
 * @chunk: a chunk
 * @at: index of the first page that is scanned next
 * @end: index after the last
 *
 * For hmm_devmem_scan_allows(), which is called with interrupts off: once in a pass for
 * each pool, and again when as many pages were taken as were allowed.
 *
 * Context: Process context; may sleep. chunks_lock is held, and not &hmm_devmem.lock.
 * Return: @end, or less, but more than @at, if the pages have too many pools.
 */
unsigned long hmm_devmem_scan_prepare(struct hmm_devmem_scan_limit *limit,
				      struct hmm_devmem_chunk *chunk,
				      unsigned long at, unsigned long end)
{
	unsigned int i;

	if (!chunk->pools)
		return end;
	if (limit->full)
		hmm_devmem_scan_reset(limit);
	end = hmm_devmem_scan_note_all(limit, chunk, at, end);
	for (i = 0; i < limit->nr; i++) {
		if (!limit->pools[i].decided)
			hmm_devmem_scan_decide(limit, &limit->pools[i]);
		cond_resched();
	}
	return end;
}

/**
 * hmm_devmem_scan_allows() - whether the charge of a page allows to migrate it
 * @limit: which pages this pass may evict
 * @chunk: the page's chunk
 * @i: index of the page, which is in use
 *
 * Context: &hmm_devmem.lock is held, after hmm_devmem_scan_prepare().
 * Return: true if the page is charged below the limit, and not protected by dmem.min, or
 * by dmem.low.
 */
bool hmm_devmem_scan_allows(struct hmm_devmem_scan_limit *limit,
			    const struct hmm_devmem_chunk *chunk,
			    unsigned long i)
{
	struct dmem_cgroup_pool_state *pool =
		chunk->pools ? READ_ONCE(chunk->pools[i]) : NULL;
	struct hmm_devmem_scan_pool *entry;

	if (!pool)
		return !limit->pool;
	entry = hmm_devmem_scan_find(limit, pool);
	return entry && entry->decided && entry->evictable;
}

/**
 * hmm_devmem_scan_take() - count a folio that was allowed, and is taken
 * @limit: which pages this pass may evict
 * @chunk: the folio's chunk
 * @i: index of its first page
 * @nr: number of its pages
 *
 * Context: as hmm_devmem_scan_allows().
 */
void hmm_devmem_scan_take(struct hmm_devmem_scan_limit *limit,
			  const struct hmm_devmem_chunk *chunk,
			  unsigned long i, unsigned long nr)
{
	struct dmem_cgroup_pool_state *pool =
		chunk->pools ? READ_ONCE(chunk->pools[i]) : NULL;
	struct hmm_devmem_scan_pool *entry = pool ? hmm_devmem_scan_find(limit, pool) : NULL;

	if (!entry || entry->evictable == ULONG_MAX)
		return;
	entry->evictable -= min(entry->evictable, nr);
	/* Some may fail to migrate, or be freed: ask again. */
	if (!entry->evictable)
		entry->decided = false;
}

/**
 * hmm_devmem_charge_current() - charge pages to the cgroup of current
 * @devmem: the device memory
 * @nr: number of pages
 * @pool: the pool that is charged; %NULL if @devmem is not accounted
 *
 * Context: Process context; may sleep.
 * Return: false if they cannot be charged.
 */
bool hmm_devmem_charge_current(struct hmm_devmem *devmem, unsigned int nr,
			       struct dmem_cgroup_pool_state **pool)
{
	struct dmem_cgroup_region *region = READ_ONCE(devmem->region);
	struct dmem_cgroup_pool_state *limit;

	*pool = NULL;
	if (!region)
		return true;
	if (!dmem_cgroup_try_charge_mm(region, NULL, nr, PAGE_SIZE, pool, &limit))
		return true;
	dmem_cgroup_pool_state_put(limit);
	return false;
}

/* Uncharge pages that were charged, and are not used. */
void hmm_devmem_cancel_charge(struct dmem_cgroup_pool_state *pool, unsigned int nr)
{
	if (pool)
		dmem_cgroup_uncharge_many(pool, nr, PAGE_SIZE);
}

/**
 * hmm_devmem_may_charge() - whether any page of a transfer's memory can be charged
 * @t: a transfer to device memory, for which nothing is charged yet
 * @mm: the process
 *
 * Context: Process context; may sleep, as hmm_devmem_transfer_charge().
 * Return: false if a limit is hit, or if there is no memory for a pool.
 */
bool hmm_devmem_may_charge(const struct hmm_devmem_transfer *t, struct mm_struct *mm)
{
	struct dmem_cgroup_region *region = READ_ONCE(t->to->region);
	struct dmem_cgroup_pool_state *pool, *limit = NULL;

	if (!region)
		return true;
	if (dmem_cgroup_try_charge_mm(region, mm, 1, PAGE_SIZE, &pool, &limit)) {
		dmem_cgroup_pool_state_put(limit);
		return false;
	}
	dmem_cgroup_uncharge_many(pool, 1, PAGE_SIZE);
	return true;
}

/* How many pages a transfer has collected, or would fetch if a limit allowed it. */
static unsigned long hmm_devmem_transfer_wanted(const struct hmm_devmem_transfer *t)
{
	return hmm_devmem_count_pages(t) + t->unfetched;
}

/*
 * Charge the pages that a transfer has collected. Return false if a limit was hit, by them
 * or by pages that were not fetched for that reason. Nothing is charged then, and *limit
 * is the pool that has it; %NULL if there is room below it by now. If there is no memory
 * for a pool, nothing is charged either, and no page migrates.
 *
 * May sleep, to allocate a pool, under the mmap lock and folio locks, as the allocation of
 * pages in the copy stage does.
 */
static bool hmm_devmem_transfer_charge(struct hmm_devmem_transfer *t,
				       struct mm_struct *mm,
				       struct dmem_cgroup_pool_state **limit)
{
	struct dmem_cgroup_region *region = t->to ? READ_ONCE(t->to->region) : NULL;
	unsigned int nr;

	*limit = NULL;
	if (!region)
		return true;
	nr = hmm_devmem_transfer_wanted(t);
	if (nr && !dmem_cgroup_try_charge_mm(region, mm, nr, PAGE_SIZE, &t->pool, limit))
		t->charged = nr;
	if (!t->unfetched)
		return !*limit;
	hmm_devmem_transfer_uncharge(t);
	return false;
}

/*
 * Charge as many of the collected pages as the limit allows. Stop if the process has
 * moved to another cgroup: a transfer has one pool.
 */
static void hmm_devmem_transfer_charge_some(struct hmm_devmem_transfer *t,
					    struct mm_struct *mm)
{
	unsigned int nr = hmm_devmem_count_pages(t), step = nr;
	struct dmem_cgroup_pool_state *pool, *limit;

	while (step && t->charged < nr) {
		step = min(step, nr - t->charged);
		if (dmem_cgroup_try_charge_mm(t->to->region, mm, step, PAGE_SIZE, &pool,
					      &limit)) {
			dmem_cgroup_pool_state_put(limit);
			step /= 2;
			continue;
		}
		if (t->charged && pool != t->pool) {
			dmem_cgroup_uncharge_many(pool, step, PAGE_SIZE);
			break;
		}
		t->pool = pool;
		t->charged += step;
	}
}

/*
 * Release the collected pages and the mmap lock, evict pages that are charged below
 * @limit, and put @limit, if there is one.
 */
static void hmm_devmem_reclaim_below(struct hmm_devmem_transfer *t, struct mm_struct *mm,
				     struct dmem_cgroup_pool_state *limit)
{
	u64 bytes = (u64)hmm_devmem_transfer_wanted(t) << PAGE_SHIFT;
	u64 excess = limit ? dmem_cgroup_pool_excess(limit, bytes) : 0;

	/* Eviction takes folio and rmap locks, so hold neither folio locks nor the mmap lock. */
	hmm_devmem_transfer_end(t);
	mmap_read_unlock(mm);
	if (excess)
		hmm_devmem_reclaim_pool(t->to, limit, DIV_ROUND_UP_ULL(excess, PAGE_SIZE),
					t->started);
	dmem_cgroup_pool_state_put(limit);
}

/**
 * hmm_devmem_collect_charged() - choose, collect and charge the first batch of a span
 * @t: the transfer
 * @mm: the process
 * @span: the span
 * @always: as for hmm_devmem_collect_batch()
 *
 * As hmm_devmem_collect_batch(). If the pages hit a limit, those of other device memory
 * included, room is made below it, and they are collected again. Those that cannot be
 * charged then will stay. Without
 * @always, the second collection is a second request for pages of other device memory.
 *
 * Context: as hmm_devmem_collect_batch().
 * Return: as hmm_devmem_collect_batch(). A limit that is hit is no error.
 */
int hmm_devmem_collect_charged(struct hmm_devmem_transfer *t, struct mm_struct *mm,
			       struct hmm_span span, bool always)
{
	struct dmem_cgroup_pool_state *limit;
	int err = hmm_devmem_collect_batch(t, mm, span, always);

	if (err || hmm_devmem_transfer_charge(t, mm, &limit))
		return err;
	hmm_devmem_reclaim_below(t, mm, limit);
	err = hmm_devmem_collect_batch(t, mm, span, always);
	if (!err)
		hmm_devmem_transfer_charge_some(t, mm);
	return err;
}

/**
 * hmm_devmem_alloc_charged() - allocate a folio for the process of a transfer
 * @t: a transfer to device memory
 * @order: order of the folio
 *
 * Return: as hmm_devmem_alloc(); %NULL also if too few pages were charged.
 */
struct folio *hmm_devmem_alloc_charged(struct hmm_devmem_transfer *t,
				       unsigned int order)
{
	struct folio *folio;

	if (!READ_ONCE(t->to->region))
		return hmm_devmem_alloc_from(t->to, order, NULL);
	if (t->charged < 1U << order)
		return NULL;
	folio = hmm_devmem_alloc_from(t->to, order, t->pool);
	if (folio)
		t->charged -= 1U << order;
	return folio;
}

/**
 * hmm_devmem_transfer_take_charge() - move a folio's charge back to the transfer
 * @t: the transfer that has allocated it
 * @folio: the folio, of any memory, which no page table maps and nobody else refers to
 *
 * The transfer can then allocate single pages for the same source, also at a limit. The
 * folio is freed next.
 */
void hmm_devmem_transfer_take_charge(struct hmm_devmem_transfer *t, struct folio *folio)
{
	unsigned long nr = folio_nr_pages(folio);
	struct hmm_devmem_chunk *chunk;

	if (!t->to)
		return;
	chunk = hmm_devmem_chunk_of(&folio->page);
	if (hmm_devmem_clear_pool(chunk, hmm_devmem_folio_index(chunk, folio), nr))
		t->charged += nr;
}

/* Uncharge what a transfer has charged and not allocated. */
void hmm_devmem_transfer_uncharge(struct hmm_devmem_transfer *t)
{
	if (!t->charged)
		return;
	dmem_cgroup_uncharge_many(t->pool, t->charged, PAGE_SIZE);
	t->charged = 0;
}

/* Register the region, once. */
static int hmm_devmem_account_region(struct hmm_devmem *devmem, u64 capacity)
{
	struct dmem_cgroup_region *region;

	if (devmem->region)
		return -EBUSY;
	region = hmm_devmem_register(devmem, capacity);
	if (IS_ERR(region))
		return PTR_ERR(region);
	WRITE_ONCE(devmem->region, region);
	return 0;
}
#else
static int hmm_devmem_account_region(struct hmm_devmem *devmem, u64 capacity)
{
	return 0;
}
#endif

/**
 * hmm_devmem_account() - charge the pages of a memory to the dmem cgroup controller
 * @devmem: the device memory, to which none was added yet
 * @capacity: how much memory the device has, in bytes; for dmem.capacity only
 *
 * The region is called "hmm/" and the name of the device, or else &hmm_devmem.name: of
 * several memories each needs a name of its own. Pages that migrate to the device are
 * charged to the cgroup of their process. At the limit of that cgroup, or of one above
 * it, pages charged there migrate to system memory first, as if the memory was full;
 * pages that still cannot be charged stay where they are, which is no error. Without
 * CONFIG_CGROUP_DMEM nothing is charged.
 *
 * Context: Process context; may sleep.
 *
 * Return: 0; -%EINVAL if @capacity is 0, or if the name has white space, by which the
 * files of the controller end it; -%EBUSY if @devmem has memory, or is accounted;
 * -%EDEADLK in a callback that hmm_devmem_evict(), hmm_devmem_remove() or making room
 * waits for; -%ENOMEM.
 */
int hmm_devmem_account(struct hmm_devmem *devmem, unsigned long capacity)
{
	if (hmm_devmem_is_evicting(devmem))
		return -EDEADLK;
	if (!capacity)
		return -EINVAL;
	guard(mutex)(&devmem->chunks_lock);
	if (!list_empty(&devmem->chunks))
		return -EBUSY;
	if (strpbrk(hmm_devmem_label(devmem), " \t\n"))
		return -EINVAL;
	return hmm_devmem_account_region(devmem, capacity);
}
EXPORT_SYMBOL_GPL(hmm_devmem_account);
