// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: a batch is collected, with room made for its pages, together with
 * those that another device's memory has. Devices that request the same pages take
 * turns: a page stays in a device's memory for a time slice (devmem_alloc.c) before
 * another gets it.
 *
 * Pages that the requesting device's driver can copy from the other memory are collected
 * with the rest of the batch. Others migrate to system memory first.
 */
#include <linux/cleanup.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "../internal.h"
#include "compat-kernel.h"
#include "devmem_transfer.h"
#include "migration_wait.h"

/*
 * How often to wait for, and collect, the pages of a batch that are in other memory.
 * Once is enough unless yet another device gets them, or they are in use.
 */
#define HMM_DEVMEM_FETCH_ROUNDS	4

/*
 * How often the mmap lock is taken to collect a batch. After each try but the last, wait
 * for the copies from one other memory, or for one migrating page. Pages that are migrating
 * at the last try stay.
 */
#define HMM_DEVMEM_FETCH_TRIES	16

/*
 * Requests for pages of one batch take turns, in the order of arrival: one that fetches
 * pages from other device memory alone, until it has collected them; others, and this one
 * from then on, together, until their pages have migrated. Otherwise two devices that each
 * have a part of a batch could take each other's part for ever, and the device that pages
 * are fetched from could get them back from system memory before they are collected.
 *
 * A turn is taken before the mmap lock. Only requests for the same PMD range of the same
 * process wait for it; they can be killed, and hold no lock of the process.
 */
struct hmm_devmem_fetch_bucket {
	spinlock_t lock; /* of @turns */
	struct list_head turns;
	wait_queue_head_t wait;
};

#define HMM_DEVMEM_FETCH_BUCKET_BITS	6
static struct hmm_devmem_fetch_bucket hmm_devmem_fetch_buckets[1 << HMM_DEVMEM_FETCH_BUCKET_BITS];

/* A turn, for lockdep. */
#ifdef CONFIG_LOCKDEP
static struct lockdep_map hmm_devmem_fetch_map =
	STATIC_LOCKDEP_MAP_INIT("hmm_devmem_fetch", &hmm_devmem_fetch_map);
#endif

static int __init hmm_devmem_fetch_setup(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hmm_devmem_fetch_buckets); i++) {
		struct hmm_devmem_fetch_bucket *bucket = &hmm_devmem_fetch_buckets[i];

		spin_lock_init(&bucket->lock);
		INIT_LIST_HEAD(&bucket->turns);
		init_waitqueue_head(&bucket->wait);
	}
	return 0;
}
core_initcall(hmm_devmem_fetch_setup);

/* The bucket of the batches at @addr. A batch is within one PMD. */
static struct hmm_devmem_fetch_bucket *
hmm_devmem_fetch_bucket(const struct mm_struct *mm, unsigned long addr)
{
	return &hmm_devmem_fetch_buckets[hash_long((unsigned long)mm ^ (addr & PMD_MASK),
						   HMM_DEVMEM_FETCH_BUCKET_BITS)];
}

/* Whether @turn need not wait for one before it. Takes the lock of the bucket. */
static bool hmm_devmem_turn_is_first(const struct hmm_devmem_turn *turn)
{
	const struct hmm_devmem_turn *other;

	guard(spinlock)(&turn->bucket->lock);
	list_for_each_entry(other, &turn->bucket->turns, list) {
		if (other == turn)
			break;
		if (other->mm == turn->mm && other->start == turn->start &&
		    !(other->shared && turn->shared))
			return false;
	}
	return true;
}

/* Wake the requests that wait for a turn, after the turns of the bucket have changed. */
static void hmm_devmem_turn_wake(struct hmm_devmem_fetch_bucket *bucket)
{
	/* Has the barrier between the change of the list and the look for sleepers. */
	if (wq_has_sleeper(&bucket->wait))
		wake_up_all(&bucket->wait);
}

/**
 * hmm_devmem_turn_end() - let the next request for the batch go on
 * @turn: the turn; nothing happens if it is none
 */
void hmm_devmem_turn_end(struct hmm_devmem_turn *turn)
{
	struct hmm_devmem_fetch_bucket *bucket = turn->bucket;

	if (!bucket)
		return;
	lock_map_release(&hmm_devmem_fetch_map);
	scoped_guard(spinlock, &bucket->lock)
		list_del(&turn->list);
	turn->bucket = NULL;
	hmm_devmem_turn_wake(bucket);
}

/* Let other requests that can share the turn go on, from here on. */
static void hmm_devmem_turn_share(struct hmm_devmem_turn *turn)
{
	scoped_guard(spinlock, &turn->bucket->lock)
		turn->shared = true;
	hmm_devmem_turn_wake(turn->bucket);
}

/**
 * hmm_devmem_turn_begin() - wait for the turn at a batch
 * @turn: the turn
 * @mm: the process
 * @addr: an address of the batch
 * @shared: others may have the turn too, if they share it
 *
 * Context: Process context; may sleep. No mmap lock is held.
 * Return: 0; -%EINTR, without a turn, if the caller was killed.
 */
int hmm_devmem_turn_begin(struct hmm_devmem_turn *turn, const struct mm_struct *mm,
			  unsigned long addr, bool shared)
{
	turn->bucket = hmm_devmem_fetch_bucket(mm, addr);
	turn->mm = mm;
	turn->start = addr & PMD_MASK;
	turn->shared = shared;
	lock_map_acquire(&hmm_devmem_fetch_map);
	scoped_guard(spinlock, &turn->bucket->lock)
		list_add_tail(&turn->list, &turn->bucket->turns);
	if (!wait_event_killable(turn->bucket->wait, hmm_devmem_turn_is_first(turn)))
		return 0;
	hmm_devmem_turn_end(turn);
	return -EINTR;
}

/**
 * struct hmm_devmem_fetch - the pages of a batch that are in other device memory
 * @to: the device memory that requests them
 * @always: also for pages that have not been requested before
 * @fetches: how often the batch may still be collected again to fetch pages
 * @reclaims: how often it may still be collected again after making room
 * @fetch: fetch pages from other device memory
 * @missing: how many pages to make room for
 * @direct: there are pages that can migrate now, and be copied from device to device
 * @from: the memory of the first of the others that can migrate now; %NULL if none can.
 *	Only compared: it may go away with its last page
 * @owner: its &hmm_devmem.owner
 * @select: the flag of &migrate_vma.flags that selects it
 * @start: address of that page
 * @end: end of the last page of @from that can migrate now
 * @pages: how many pages can migrate now, or are waited for
 * @left: until the time slice of each of the others is over, in jiffies
 * @migrating: address of a page that is migrating; 0 if none is
 */
struct hmm_devmem_fetch {
	struct hmm_devmem *to;
	bool always;
	unsigned int fetches;
	unsigned int reclaims;
	bool fetch;
	unsigned long missing;
	bool direct;
	struct hmm_devmem *from;
	void *owner;
	unsigned long select;
	unsigned long start;
	unsigned long end;
	unsigned long pages;
	unsigned long left;
	unsigned long migrating;
};

/* Record a page that can migrate to system memory now. */
static void hmm_devmem_fetch_record_ready(struct hmm_devmem_fetch *f,
					  struct hmm_devmem *devmem,
					  unsigned long addr, unsigned long end)
{
	if (!f->from) {
		f->from = devmem;
		f->owner = devmem->owner;
		f->select = hmm_devmem_select_flag(devmem);
		f->start = addr;
	}
	if (f->from == devmem)
		f->end = end;
}

/* Record a page that is mapped from @addr to @end. Its page table is locked. */
static void hmm_devmem_fetch_record(struct hmm_devmem_fetch *f, struct page *page,
				    unsigned long addr, unsigned long end)
{
	struct hmm_devmem *devmem;
	unsigned long left;

	if (!is_zone_device_page(page) || !hmm_devmem_owns_page(page))
		return;
	devmem = hmm_devmem_of(page);
	if (devmem == f->to)
		return;
	if (!f->always && !hmm_devmem_request_folio(page_folio(page)))
		return;
	f->pages += (end - addr) >> PAGE_SHIFT;
	left = hmm_devmem_slice_left(page_folio(page));
	f->left = max(f->left, left);
	if (left)
		return;
	if (hmm_devmem_can_copy_folio(f->to, page_folio(page)))
		f->direct = true;
	else
		hmm_devmem_fetch_record_ready(f, devmem, addr, end);
}

/*
 * The page that a PTE maps, for the CPU or for a device; NULL if there is none. Record a
 * page that migrates. The page table lock is held.
 */
static struct page *hmm_devmem_fetch_pte_page(struct hmm_devmem_fetch *f,
					      struct vm_area_struct *vma,
					      unsigned long addr, pte_t pte)
{
	softleaf_t entry;

	if (pte_none(pte))
		return NULL;
	if (pte_present(pte))
		return vm_normal_page(vma, addr, pte);
	entry = softleaf_from_pte(pte);
	if (softleaf_is_migration(entry))
		f->migrating = addr;
	return softleaf_is_device_private(entry) ? softleaf_to_page(entry) : NULL;
}

/*
 * Record the folio that a huge PMD maps. Of device memory only private memory has huge
 * pages. The PMD lock is held.
 */
static void hmm_devmem_fetch_huge_pmd(struct hmm_devmem_fetch *f, pmd_t pmd,
				      unsigned long addr, unsigned long end)
{
	if (pmd_present(pmd))
		return;
	if (HMM_PMD_SOFTLEAVES && pmd_is_migration_entry(pmd))
		f->migrating = addr;
	if (pmd_is_device_private_entry(pmd))
		hmm_devmem_fetch_record(f, softleaf_to_page(softleaf_from_pmd(pmd)),
					addr, end);
}

/* Page walker callback: record the pages of other device memory that a PMD maps. */
static int hmm_devmem_fetch_pmd(pmd_t *pmdp, unsigned long addr, unsigned long end,
				struct mm_walk *walk)
{
	spinlock_t *ptl = pmd_trans_huge_lock(pmdp, walk->vma);
	struct hmm_devmem_fetch *f = walk->private;
	pte_t *table, *ptep;

	if (ptl) {
		hmm_devmem_fetch_huge_pmd(f, pmdp_get(pmdp), addr, end);
		spin_unlock(ptl);
		return 0;
	}

	table = pte_offset_map_lock(walk->mm, pmdp, addr, &ptl);
	if (!table)
		return 0;
	for (ptep = table; addr < end; ptep++, addr += PAGE_SIZE) {
		struct page *page =
			hmm_devmem_fetch_pte_page(f, walk->vma, addr, ptep_get(ptep));

		if (page)
			hmm_devmem_fetch_record(f, page, addr, addr + PAGE_SIZE);
	}
	pte_unmap_unlock(table, ptl);
	return 0;
}

static const struct mm_walk_ops hmm_devmem_fetch_ops = {
	.pmd_entry	= hmm_devmem_fetch_pmd,
	.walk_lock	= PGWALK_RDLOCK,
};

/*
 * Find the pages of a batch that are in other device memory. Return whether there
 * are any that can migrate now, or that the caller waits for.
 */
static bool hmm_devmem_fetch_find(struct hmm_devmem_fetch *f,
				  const struct hmm_devmem_transfer *t)
{
	f->direct = false;
	f->from = NULL;
	f->pages = 0;
	f->left = 0;
	f->migrating = 0;
	walk_page_range_vma(t->args.vma, t->args.start, t->args.end,
			    &hmm_devmem_fetch_ops, f);
	return f->direct || f->from || f->left;
}

/* Whether some page of the batch was not collected. */
static bool hmm_devmem_fetch_incomplete(const struct hmm_devmem_transfer *t)
{
	unsigned long i;

	if (t->args.cpages == t->args.npages)
		return false;
	for (i = 0; i < t->args.npages; i += 1UL << hmm_devmem_mpfn_order(t, i))
		if (!(t->args.src[i] & MIGRATE_PFN_MIGRATE))
			return true;
	return false;
}

/*
 * Migrate the pages of the chosen batch that are in @f->from to system memory. Uses
 * the arrays of @t, which are free until the batch is collected. The mmap lock is held for
 * reading, and released before anything is copied. Return how many pages have migrated, or
 * an error.
 */
static long hmm_devmem_fetch_to_ram(const struct hmm_devmem_fetch *f,
				    const struct hmm_devmem_transfer *t,
				    struct mm_struct *mm)
{
	struct hmm_devmem_transfer back = {
		.from = f->from,
		.args = {
			.vma = t->args.vma,
			.start = f->start,
			.end = f->end,
			.src = t->args.src,
			.dst = t->args.dst,
			.pgmap_owner = f->owner,
			.flags = f->select | HMM_DEVMEM_ANY_ORDER,
		},
	};
	long ret = hmm_devmem_transfer_copy_policy(&back) ?: migrate_vma_setup(&back.args);

	if (!ret && back.args.cpages)
		hmm_devmem_transfer_detach(&back);
	mmap_read_unlock(mm);
	if (!ret && back.args.cpages)
		ret = hmm_devmem_transfer_detached(&back);
	mpol_put(back.policy);
	return ret;
}

/*
 * Release the mmap lock, which is held for reading, and wait until the page at @addr has
 * arrived, or for a fatal signal. Its page table can change or go away meanwhile.
 */
static void hmm_devmem_fetch_wait_for_page(struct mm_struct *mm, unsigned long addr)
{
	struct wait_page_queue waiter;
	pmd_t *pmdp = mm_find_pmd(mm, addr);
	bool migrates = pmdp && hmm_migration_wait_begin(&waiter, mm, pmdp, addr);

	mmap_read_unlock(mm);
	if (migrates)
		softleaf_entry_wait_end(&waiter);
}

/*
 * Take the mmap lock for reading, for one batch: batch after batch is collected until the
 * end of what user space requested. The killable lock checks for signals only if it has
 * to wait.
 */
static int hmm_devmem_fetch_lock(struct mm_struct *mm)
{
	cond_resched();
	if (fatal_signal_pending(current) || mmap_read_lock_killable(mm))
		return -EINTR;
	return 0;
}

/*
 * Choose and collect a batch, of its pages in other device memory none. On success the
 * turn and the mmap lock are held, the latter for reading. Neither is held while a page is
 * waited for that is migrating already, nor the lock while another request fetches pages
 * of the batch.
 */
static int hmm_devmem_fetch_collect_rest(struct hmm_devmem_transfer *t,
					 struct mm_struct *mm, struct hmm_span span)
{
	struct hmm_migrating migrating = {};
	int tries, err;

	t->direct = false;
	for (tries = 1;; tries++) {
		if (t->to && hmm_devmem_turn_begin(&t->turn, mm, span.start, true))
			return -EINTR;
		if (hmm_devmem_fetch_lock(mm)) {
			hmm_devmem_turn_end(&t->turn);
			return -EINTR;
		}
		migrating.skip = tries == HMM_DEVMEM_FETCH_TRIES;
		err = hmm_devmem_choose_batch(t, mm, span.start, span.end) ?:
			      hmm_devmem_transfer_setup(t, &migrating);
		if (!err)
			return 0;
		hmm_devmem_turn_end(&t->turn);
		if (err != -EAGAIN)
			break;
		hmm_devmem_fetch_wait_for_page(mm, migrating.addr);
	}
	mmap_read_unlock(mm);
	return err;
}

/*
 * Fetch the pages of a batch, and collect it. On success the mmap lock is held for
 * reading.
 *
 * It is not held while pages are copied, nor while a page is waited for that is migrating:
 * other tasks can change mappings, and fault. A page that another device gets meanwhile
 * begins a time slice there, and is not fetched again. The caller alone has the turn, so
 * that no other request collects pages of the batch between the look at it and its
 * collection, nor has collected any that have not arrived yet.
 *
 * Return: 0; -%EAGAIN to wait until @f->left is over; the errors of
 * hmm_devmem_collect_batch().
 */
static int hmm_devmem_fetch_collect_in_turn(struct hmm_devmem_fetch *f,
					    struct hmm_devmem_transfer *t,
					    struct mm_struct *mm, struct hmm_span span)
{
	struct hmm_migrating migrating = {};
	bool fetched = false;
	long moved = 1;
	int tries, err;

	t->direct = true;
	for (tries = 1;; tries++) {
		if (hmm_devmem_fetch_lock(mm))
			return -EINTR;
		err = hmm_devmem_choose_batch(t, mm, span.start, span.end);
		if (err)
			break;
		hmm_devmem_fetch_find(f, t);
		if (f->left && f->fetches && !fetched) {
			f->fetches--;
			err = -EAGAIN;
			break;
		}
		migrating.skip = tries == HMM_DEVMEM_FETCH_TRIES;
		if (f->migrating && !migrating.skip) {
			hmm_devmem_fetch_wait_for_page(mm, f->migrating);
			continue;
		}
		if (f->from && moved > 0 && !migrating.skip) {
			moved = hmm_devmem_fetch_to_ram(f, t, mm);
			fetched |= moved > 0;
			continue;
		}
		err = hmm_devmem_transfer_setup(t, &migrating);
		if (err != -EAGAIN)
			break;
		hmm_devmem_fetch_wait_for_page(mm, migrating.addr);
	}
	if (err)
		mmap_read_unlock(mm);
	return err;
}

/*
 * Collect the batch, including its pages in other device memory, when all their time
 * slices have ended: another device could request a page that is fetched earlier. Pages
 * that were collected are not released because others are in use.
 */
static int hmm_devmem_fetch_collect(struct hmm_devmem_fetch *f,
				    struct hmm_devmem_transfer *t,
				    struct mm_struct *mm, struct hmm_span span)
{
	int err;

	do {
		if (f->left)
			schedule_timeout_killable(f->left);
		if (fatal_signal_pending(current) ||
		    hmm_devmem_turn_begin(&t->turn, mm, span.start, false))
			return -EINTR;
		err = hmm_devmem_fetch_collect_in_turn(f, t, mm, span);
		if (err)
			hmm_devmem_turn_end(&t->turn);
		else
			hmm_devmem_turn_share(&t->turn);
	} while (err == -EAGAIN);
	if (!err && t->args.cpages)
		f->fetches = 0;
	return err;
}

/*
 * Return the number of pages, collected or to be fetched, for which @t->to is short of
 * memory; 0 if it is not.
 */
static unsigned long hmm_devmem_fetch_missing(const struct hmm_devmem_fetch *f,
					      const struct hmm_devmem_transfer *t)
{
	unsigned long most = t->args.npages + HMM_DEVMEM_BATCH, pages;

	if (hmm_devmem_available(t->to) >= most << PAGE_SHIFT)
		return 0;
	pages = hmm_devmem_count_pages(t) + (f->fetch ? f->pages : 0);
	return pages && hmm_devmem_is_short(t->to, pages, t->started) ? pages : 0;
}

/*
 * Decide why to collect the batch again, if at all. Pages stay in other device
 * memory while @t->to has no room for any, and while none can be charged.
 */
static bool hmm_devmem_fetch_plan(struct hmm_devmem_fetch *f,
				  struct hmm_devmem_transfer *t, struct mm_struct *mm)
{
	f->fetch = f->fetches && hmm_devmem_fetch_incomplete(t) &&
		   hmm_devmem_fetch_find(f, t);
	t->unfetched = 0;
	if (f->fetch && !hmm_devmem_may_charge(t, mm)) {
		t->unfetched = f->pages;
		f->fetch = false;
	}
	f->missing = f->reclaims ? hmm_devmem_fetch_missing(f, t) : 0;
	if (!f->missing && f->fetch && !hmm_devmem_available(t->to))
		f->fetch = false;
	return f->fetch || f->missing;
}

/*
 * Collect the batch again, as was decided. No mmap lock is held. If pages of other device
 * memory were collected, to be copied from there, they are collected in turn again.
 */
static int hmm_devmem_fetch_again(struct hmm_devmem_fetch *f,
				  struct hmm_devmem_transfer *t, struct mm_struct *mm,
				  struct hmm_span span)
{
	if (f->missing) {
		f->reclaims--;
		hmm_devmem_reclaim(t->to, f->missing, t->started);
	}
	if (!(f->fetch || t->direct) || !hmm_devmem_available(t->to))
		return hmm_devmem_fetch_collect_rest(t, mm, span);
	/*
	 * Some of the pages were requested before: wait for all. Those that the other
	 * device has got meanwhile would be left to it otherwise, and it would come for
	 * the part that is collected here.
	 */
	f->always = true;
	if (f->fetch)
		f->fetches--;
	else
		f->left = 0;
	return hmm_devmem_fetch_collect(f, t, mm, span);
}

/**
 * hmm_devmem_collect_batch() - choose and collect the first batch of a span
 * @t: the transfer
 * @mm: the process
 * @span: the span
 * @always: fetch pages from other device memory by the first request for any of
 *	the batch, too; else that request is only recorded
 *
 * Towards device memory, make room for the pages that were collected if there is
 * too little, and fetch those that are in other device memory. Neither can be done
 * while pages are locked, so the batch is collected again afterwards. Pages that the
 * driver can copy from other device memory are collected with it then.
 *
 * Context: Process context; may sleep. No mmap lock is held. On success it is held
 * for reading, until after hmm_devmem_transfer_end().
 *
 * Return: 0; -%EINTR if the caller was killed; -%EINVAL of
 * hmm_devmem_choose_batch() and migrate_vma_setup().
 */
int hmm_devmem_collect_batch(struct hmm_devmem_transfer *t,
			     struct mm_struct *mm, struct hmm_span span,
			     bool always)
{
	struct hmm_devmem_fetch f = {
		.to = t->to,
		.always = always,
		.fetches = HMM_DEVMEM_FETCH_ROUNDS,
		.reclaims = 1,
	};
	int err;

	/* In the order in which room may be made and the batch collected. */
	if (t->to) {
		might_lock(&t->to->chunks_lock);
		lock_map_acquire(&hmm_devmem_fetch_map);
		lock_map_release(&hmm_devmem_fetch_map);
	}
	might_lock(&mm->mmap_lock);

	err = hmm_devmem_fetch_collect_rest(t, mm, span);
	while (!err && t->to && hmm_devmem_fetch_plan(&f, t, mm)) {
		hmm_devmem_transfer_end(t);
		mmap_read_unlock(mm);
		err = hmm_devmem_fetch_again(&f, t, mm, span);
	}
	return err;
}
