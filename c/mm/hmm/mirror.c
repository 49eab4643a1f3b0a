// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrors: one device's view of one process, and the protocol that keeps it
 * true. See <linux/hmm_mirror.h> for what a driver needs to know.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/hmm_mirror.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "devmem.h"
#include "mirror_dma.h"
#include "pfn.h"

static void hmm_mirror_tell_release(struct hmm_mirror *mirror)
{
	/*
	 * The end of the process and hmm_mirror_exit() can meet here. The one
	 * that comes second need not wait: mmu_notifier_unregister() does.
	 */
	if (!test_and_set_bit(0, &mirror->released) && mirror->ops->release)
		mirror->ops->release(mirror);
}

static void hmm_mirror_mm_release(struct mmu_notifier *notifier,
				  struct mm_struct *mm)
{
	hmm_mirror_tell_release(container_of(notifier, struct hmm_mirror, notifier));
}

static const struct mmu_notifier_ops hmm_mirror_mm_ops = {
	.release = hmm_mirror_mm_release,
};

/*
 * Whether it is a driver taking a page from the CPU for its own device. The
 * page's frame stays the same, so the device loses nothing; and were the
 * sequence to move, the section that takes the page would never end.
 */
static bool hmm_mirror_takes(const struct hmm_mirror *mirror,
			     const struct mmu_notifier_range *event)
{
	return mirror->owner && event->owner == mirror->owner &&
	       event->event == MMU_NOTIFY_EXCLUSIVE;
}

/*
 * Whether it comes from a section's moving pages. The device forgets them as it
 * does all others, and other sections begin again; only that section itself,
 * which knows where the pages are, has lost nothing.
 */
static bool hmm_mirror_moves(const struct hmm_mirror *mirror)
{
	const struct hmm_mover *mover;

	list_for_each_entry(mover, &mirror->movers, list)
		if (mover->task == current)
			return true;
	return false;
}

/* Have the device let go of what then loses its device addresses. */
static bool hmm_mirror_forget(struct hmm_mirror *mirror,
			      const struct hmm_invalidation *inv)
{
	if (!mirror->ops->invalidate(mirror, inv))
		return false;
	/* Few mirrors have any (benchmark: the curve of mirrors). */
	if (!list_empty(&mirror->dmas))
		hmm_mirror_dma_forget(mirror, inv->span);
	return true;
}

static bool hmm_mirror_invalidate(struct mmu_interval_notifier *notifier,
				  const struct mmu_notifier_range *event,
				  unsigned long seq)
{
	struct hmm_mirror_range *range =
		container_of(notifier, struct hmm_mirror_range, notifier);
	struct hmm_mirror *mirror = range->mirror;
	const struct hmm_invalidation inv = {
		.span = {
			.start = max(event->start, range->span.start),
			.end = min(event->end, range->span.end),
		},
		.range = range,
		.event = event->event,
		.may_block = mmu_notifier_range_blockable(event),
	};
	bool gone;

	if (hmm_mirror_takes(mirror, event))
		return true;
	if (inv.may_block)
		mutex_lock(&mirror->lock);
	else if (!mutex_trylock(&mirror->lock))
		return false;

	mmu_interval_set_seq(notifier, seq);
	if (!hmm_mirror_moves(mirror))
		range->changes++;
	gone = hmm_mirror_forget(mirror, &inv);
	mutex_unlock(&mirror->lock);
	return gone;
}

static const struct mmu_interval_notifier_ops hmm_mirror_range_ops = {
	.invalidate = hmm_mirror_invalidate,
};

/**
 * hmm_mirror_init() - begin to mirror an address space
 * @mirror: storage for the mirror; must stay where it is
 * @mm: the address space, of a process that is alive
 * @ops: the driver's callbacks
 * @owner: the &dev_pagemap.owner of the device's private memory, or NULL. Such
 *	pages are reported where they are; others' are brought home.
 *
 * The mirror is told of nothing until it has a range.
 *
 * Context: holds no mmap lock; @mm is current's or kept alive by mmget(). May
 * sleep. On success a reference to @mm is held, which does not keep the
 * process's memory, until hmm_mirror_exit().
 * Return: 0; -%EINVAL without &hmm_mirror_ops.invalidate; -%ENOMEM; -%EINTR on
 * a signal.
 */
int hmm_mirror_init(struct hmm_mirror *mirror, struct mm_struct *mm,
		    const struct hmm_mirror_ops *ops, void *owner)
{
	if (!mm || !ops || !ops->invalidate)
		return -EINVAL;

	*mirror = (struct hmm_mirror){
		.mm = mm,
		.ops = ops,
		.owner = owner,
		.notifier.ops = &hmm_mirror_mm_ops,
	};
	mutex_init(&mirror->lock);
	init_rwsem(&mirror->cover);
	INIT_LIST_HEAD(&mirror->movers);
	INIT_LIST_HEAD(&mirror->dmas);
	mt_init(&mirror->ranges);
	return mmu_notifier_register(&mirror->notifier, mm);
}
EXPORT_SYMBOL_GPL(hmm_mirror_init);

/* Stop being told of a range that is in no table any more, and forget it. */
static void hmm_mirror_range_end(struct hmm_mirror_range *range)
{
	struct hmm_mirror *mirror = range->mirror;
	const struct hmm_invalidation inv = {
		.span = range->span,
		.range = range,
		.event = MMU_NOTIFY_RELEASE,
		.may_block = true,
	};

	mmu_interval_notifier_remove(&range->notifier);
	scoped_guard(mutex, &mirror->lock)
		hmm_mirror_forget(mirror, &inv);
	range->mirror = NULL;
}

/**
 * hmm_mirror_exit() - stop mirroring
 * @mirror: the mirror
 *
 * Removes what ranges are left, calls &hmm_mirror_ops.release unless the end
 * of the process did, and waits for callbacks that are running. Afterwards no
 * callback runs and @mirror and its ranges may be freed.
 *
 * Context: no section is open or will be; not from a callback of @mirror;
 * holds neither the update lock nor an mmap lock. May sleep.
 */
void hmm_mirror_exit(struct hmm_mirror *mirror)
{
	struct hmm_mirror_range *range;
	unsigned long index = 0;

	down_write(&mirror->cover);
	mt_for_each(&mirror->ranges, range, index, ULONG_MAX)
		hmm_mirror_range_end(range);
	mtree_destroy(&mirror->ranges);
	up_write(&mirror->cover);

	mmu_notifier_unregister(&mirror->notifier, mirror->mm);
}
EXPORT_SYMBOL_GPL(hmm_mirror_exit);

static bool hmm_span_valid(struct hmm_span span)
{
	return span.start < span.end && PAGE_ALIGNED(span.start | span.end);
}

/**
 * hmm_mirror_range_add() - have a mirror told of changes to some addresses
 * @mirror: the mirror
 * @range: storage for the subscription; must stay where it is
 * @span: the addresses; %HMM_SPAN_ALL for the whole process
 *
 * An invalidation anywhere in a range makes sections open on that range start
 * again, so several small ranges disturb each other less than a large one.
 * Invalidation finds ranges in logarithmic time.
 *
 * Context: holds neither the update lock nor an mmap lock. May sleep.
 * Return: 0; -%EINVAL for a span that is empty, reversed or not page aligned;
 * -%EEXIST when another range of @mirror overlaps; -%ESRCH when the process is
 * gone; -%ENOMEM; -%EINTR on a signal.
 */
int hmm_mirror_range_add(struct hmm_mirror *mirror,
			 struct hmm_mirror_range *range, struct hmm_span span)
{
	int ret;

	if (!hmm_span_valid(span))
		return -EINVAL;
	if (!mmget_not_zero(mirror->mm))
		return -ESRCH;

	range->mirror = mirror;
	range->span = span;
	range->changes = 0;
	down_write(&mirror->cover);
	ret = mtree_insert_range(&mirror->ranges, span.start, span.end - 1,
				 range, GFP_KERNEL);
	if (!ret) {
		ret = mmu_interval_notifier_insert(&range->notifier, mirror->mm,
						   span.start, span.end - span.start,
						   &hmm_mirror_range_ops);
		if (ret)
			mtree_erase(&mirror->ranges, span.start);
	}
	up_write(&mirror->cover);
	mmput(mirror->mm);
	if (ret)
		range->mirror = NULL;
	return ret;
}
EXPORT_SYMBOL_GPL(hmm_mirror_range_add);

/**
 * hmm_mirror_range_remove() - take a range from its mirror
 * @range: the range; nothing happens when it is not added
 *
 * Waits for sections that are open on the mirror. The driver's invalidate
 * callback is called for the whole range a last time (%MMU_NOTIFY_RELEASE),
 * since from then on nobody would tell it.
 *
 * Context: not from a callback of the mirror or inside a section; holds
 * neither the update lock nor an mmap lock. May sleep.
 */
void hmm_mirror_range_remove(struct hmm_mirror_range *range)
{
	struct hmm_mirror *mirror = range->mirror;

	if (!mirror)
		return;
	down_write(&mirror->cover);
	mtree_erase(&mirror->ranges, range->span.start);
	if (mirror->recent == range)
		mirror->recent = NULL;
	up_write(&mirror->cover);
	hmm_mirror_range_end(range);
}
EXPORT_SYMBOL_GPL(hmm_mirror_range_remove);

/*
 * The range that an address is in, or NULL; most likely that of the section
 * before (benchmark: populate-one-page). The caller holds hmm_mirror.cover.
 */
static struct hmm_mirror_range *hmm_mirror_range_of(struct hmm_mirror *mirror,
						    unsigned long addr)
{
	struct hmm_mirror_range *range = READ_ONCE(mirror->recent);

	if (range && addr >= range->span.start && addr < range->span.end)
		return range;
	range = mtree_load(&mirror->ranges, addr);
	if (range)
		WRITE_ONCE(mirror->recent, range);
	return range;
}

static unsigned long hmm_access_request(enum hmm_access access)
{
	switch (access) {
	case HMM_ACCESS_READ:
		return HMM_PFN_REQ_FAULT;
	case HMM_ACCESS_WRITE:
	case HMM_ACCESS_EXCLUSIVE:
		return HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE;
	default:
		return 0;
	}
}

/*
 * Where the words go, if the caller brings no array. They are cleared as far as
 * they are used, for a walk keeps what it finds of sticky bits.
 */
static void hmm_section_use_batch(struct hmm_section *section)
{
	unsigned long nr = min(hmm_span_pages(section->span), HMM_SECTION_BATCH);

	if (section->to) {
		section->pfns = devmem_move_pfns(section->move);
		section->nr_pfns = TRANSFER_PAGES;
		return;
	}
	/* For one word a call is not worth it (benchmark: populate-one-page). */
	section->batch[0] = 0;
	if (nr > 1)
		memset(section->batch, 0, nr * sizeof(*section->batch));
	section->pfns = section->batch;
	section->nr_pfns = HMM_SECTION_BATCH;
}

/* First call for a section: check it, and hold what must last to its end. */
static int hmm_section_begin(struct hmm_section *section)
{
	struct hmm_mirror *mirror = section->mirror;

	if (!hmm_span_valid(section->span))
		return -EINVAL;
	if (section->access == HMM_ACCESS_EXCLUSIVE && !mirror->owner)
		return -EINVAL;
	if (section->to && section->access != HMM_ACCESS_READ &&
	    section->access != HMM_ACCESS_WRITE)
		return -EINVAL;
	if (section->dma && !hmm_mirror_dma_fits(section))
		return -EINVAL;
	if (!mmget_not_zero(mirror->mm))
		return -ESRCH;
	down_read(&mirror->cover);
	section->held = true;
	section->now = (struct hmm_span){ section->span.start, section->span.start };
	if (section->to) {
		section->move = devmem_move_alloc(section->to,
						  section->access == HMM_ACCESS_WRITE);
		if (!section->move)
			return -ENOMEM;
	}
	if (!section->pfns || !section->nr_pfns)
		hmm_section_use_batch(section);
	if (section->access == HMM_ACCESS_EXCLUSIVE)
		section->nr_pfns = 1;
	if (!section->timeout)
		section->timeout = msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT);
	return 0;
}

/*
 * Take a page from the CPU. While its folio is locked the CPU cannot have it
 * back, and waits; other changes move the sequence. So would the taking itself,
 * were the page absent, shared or taken already: it is faulted in beforehand.
 */
static int hmm_section_take(struct hmm_section *section, struct hmm_range *walk)
{
	struct mm_struct *mm = section->mirror->mm;
	struct page *page;
	int ret;

	if (!IS_ENABLED(CONFIG_DEVICE_PRIVATE))
		return -EOPNOTSUPP;
	ret = hmm_range_fault_vma(walk);
	if (ret)
		return ret;

	walk->notifier_seq = mmu_interval_read_begin(walk->notifier);
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	page = make_device_exclusive(mm, walk->start, section->mirror->owner,
				     &section->taken);
	mmap_read_unlock(mm);
	if (IS_ERR(page)) {
		section->taken = NULL;
		return PTR_ERR(page);
	}
	walk->hmm_pfns[0] = page_to_pfn(page) | HMM_PFN_WRITABLE;
	return 0;
}

static void hmm_section_give_up_page(struct hmm_section *section)
{
	if (!section->taken)
		return;
	folio_unlock(section->taken);
	folio_put(section->taken);
	section->taken = NULL;
}

/*
 * Move the pages of a walk, and hold them, for the section to be entered with
 * what was moved. The sequence is of no use here, as moving pages changes it;
 * but it tells when nobody is in the middle of an invalidation. Those that come
 * later are counted.
 *
 * Returns 1 with the update lock held; 0 when that is to be had by a walk, with
 * the end of @walk at the end of what was dealt with; -EINTR.
 */
static int hmm_section_move(struct hmm_section *section,
			    struct hmm_mirror_range *range,
			    struct hmm_range *walk)
{
	struct hmm_span span = { walk->start, walk->end };
	struct hmm_mirror *mirror = section->mirror;
	unsigned long changes;
	int held;

	section->mover.task = current;
	scoped_guard(mutex, &mirror->lock) {
		list_add(&section->mover.list, &mirror->movers);
		changes = range->changes;
	}
	mmu_interval_read_begin(walk->notifier);
	held = devmem_move_begin(section->move, mirror->mm, &span,
				 section->pfns);
	walk->end = span.end;

	mutex_lock(&mirror->lock);
	list_del(&section->mover.list);
	if (held > 0 && range->changes == changes)
		return 1;
	mutex_unlock(&mirror->lock);
	devmem_move_end(section->move);
	return min(held, 0);
}

/**
 * hmm_section_enter() - fault, lock and check, until nothing came in between
 * @section: the section
 * @walk: the pages, with everything but the sequence filled in
 *
 * Return: 0 with the update lock held and the words of @walk good, or an error
 * of hmm_section_next().
 */
static int hmm_section_enter(struct hmm_section *section, struct hmm_range *walk)
{
	unsigned long deadline = jiffies + section->timeout;
	struct mutex *lock = &section->mirror->lock;
	int ret;

	do {
		walk->notifier_seq = mmu_interval_read_begin(walk->notifier);
		if (section->access == HMM_ACCESS_EXCLUSIVE)
			ret = hmm_section_take(section, walk);
		else
			ret = hmm_range_fault_vma(walk);
		if (!ret) {
			mutex_lock(lock);
			if (!mmu_interval_read_retry(walk->notifier, walk->notifier_seq))
				return 0;
			mutex_unlock(lock);
			hmm_section_give_up_page(section);
			ret = -EBUSY;
		}
		/* A fault handler waited for its page: that is progress. */
		if (ret == -EAGAIN) {
			deadline = jiffies + section->timeout;
			ret = -EBUSY;
		}
		if (ret == -EBUSY && fatal_signal_pending(current))
			ret = -EINTR;
	} while (ret == -EBUSY && time_before_eq(jiffies, deadline));
	return ret;
}

/* Go on to the batch of pages that follows section->now. */
static int hmm_section_advance(struct hmm_section *section)
{
	struct hmm_mirror *mirror = section->mirror;
	struct hmm_span next = { section->now.end, section->span.end };
	struct hmm_mirror_range *range = hmm_mirror_range_of(mirror, next.start);
	struct hmm_range walk = {
		.hmm_pfns = section->pfns,
		.default_flags = hmm_access_request(section->access),
		.dev_private_owner = mirror->owner,
	};
	int ret = 0;

	if (!range)
		return -ENOENT;
	next.end = min(next.end, range->span.end);
	if (hmm_span_pages(next) > section->nr_pfns)
		next.end = next.start + ((unsigned long)section->nr_pfns << PAGE_SHIFT);

	walk.notifier = &range->notifier;
	walk.start = next.start;
	walk.end = next.end;
	if (section->to)
		ret = hmm_section_move(section, range, &walk);
	if (!ret)
		ret = hmm_section_enter(section, &walk);
	if (ret < 0)
		return ret;
	section->now = (struct hmm_span){ walk.start, walk.end };
	section->inside = true;
	return section->dma ? hmm_mirror_dma_map(section) : 0;
}

/* What a batch of pages holds, it holds from where one is inside. */
static void hmm_section_unlock(struct hmm_section *section)
{
	if (!section->inside)
		return;
	mutex_unlock(&section->mirror->lock);
	section->inside = false;
	hmm_section_give_up_page(section);
	devmem_move_end(section->move);
}

/**
 * hmm_section_next() - go to a section's next batch of pages
 * @section: the section, with its first members filled in
 *
 * On true the update lock is held and &hmm_section.pfns holds good words for
 * the pages of &hmm_section.now: what the CPU's page table says at this moment
 * is what they say, and stays so until the next call or hmm_section_leave().
 * Runs of pages are got from them with hmm_for_each_run().
 *
 * On false the section was left: its end was reached, or &hmm_section.error is
 * one of
 *
 * * -%EINVAL - the span is empty, reversed or not page aligned; the access is
 *   one that pages cannot move for; or &hmm_section.dma is of another mirror or
 *   has no room for the span
 * * -%ESRCH - the process is gone
 * * -%ENOENT - part of the span is in no range of the mirror
 * * -%EBUSY - other invalidations won every race until the timeout
 * * -%EINTR - a fatal signal
 * * -%EFAULT, -%EPERM, -%ENOMEM - as hmm_range_fault()
 * * -%EIO - the DMA API had no address for a page
 * * -%EOPNOTSUPP - for %HMM_ACCESS_EXCLUSIVE: memory that is not anonymous
 *
 * Batches before the one that failed were handled and stay so.
 *
 * Context: holds no update lock of its own making and no mmap lock. May sleep.
 * Return: whether one is inside.
 */
bool hmm_section_next(struct hmm_section *section)
{
	int ret = 0;

	hmm_section_unlock(section);
	if (!section->held)
		ret = hmm_section_begin(section);
	if (!ret && section->now.end < section->span.end)
		ret = hmm_section_advance(section);
	section->error = ret;
	if (ret || !section->inside)
		hmm_section_leave(section);
	return section->inside;
}
EXPORT_SYMBOL_GPL(hmm_section_next);

/**
 * hmm_section_leave() - leave a section before its end
 * @section: the section; nothing happens when it was left already
 *
 * Drops the update lock and everything else the section holds. The words are
 * gone with it.
 */
void hmm_section_leave(struct hmm_section *section)
{
	hmm_section_unlock(section);
	section->now = (struct hmm_span){};
	if (!section->held)
		return;
	section->held = false;
	if (section->move) {
		if (section->pfns == devmem_move_pfns(section->move))
			section->pfns = NULL;
		devmem_move_free(section->move);
		section->move = NULL;
	}
	up_read(&section->mirror->cover);
	/* Last: it can be the end of the process, and call release. */
	mmput(section->mirror->mm);
}
EXPORT_SYMBOL_GPL(hmm_section_leave);

/**
 * hmm_section_run() - find the next run of pages; use hmm_for_each_run()
 * @section: a section one is inside of
 * @run: the run before it; for the first, one that ends where the pages start
 *
 * Context: inside the section.
 * Return: whether there is one.
 */
bool hmm_section_run(const struct hmm_section *section, struct hmm_run *run)
{
	unsigned long i = (run->span.end - section->now.start) >> PAGE_SHIFT;
	unsigned long nr = hmm_span_pages(section->now);
	unsigned long word, step;

	if (i >= nr)
		return false;
	word = section->pfns[i] & ~HMM_PFN_STICKY;
	step = !!(word & HMM_PFN_VALID);
	*run = (struct hmm_run){
		.span.start = run->span.end,
		.pfn = word & ~HMM_PFN_FLAGS,
		.flags = word & (HMM_PFN_WRITABLE | HMM_PFN_ERROR),
		.order = hmm_pfn_to_map_order(word),
	};
	do
		word += step;
	while (++i < nr && (section->pfns[i] & ~HMM_PFN_STICKY) == word);
	run->span.end = section->now.start + (i << PAGE_SHIFT);
	return true;
}
EXPORT_SYMBOL_GPL(hmm_section_run);

/**
 * hmm_frame() - the page of a page frame number
 * @pfn: a number that a section shows, in a run of pages that are mapped
 *
 * Return: the page; good inside the section.
 */
struct page *hmm_frame(unsigned long pfn)
{
	return pfn_to_page(pfn);
}
EXPORT_SYMBOL_GPL(hmm_frame);
