// SPDX-License-Identifier: GPL-2.0
/*
 * Faulting in: walk, fault the pages that need it with no page table lock held,
 * walk on from there.
 *
 * A range can be protected in three ways while that goes on:
 *
 * - by the caller's mmap lock, which is held throughout (hmm_range_fault());
 * - by the lock of one VMA after another, so that nobody who maps or unmaps
 *   elsewhere in the process waits (hmm_range_fault_vma(); mirrors use it);
 * - by the mmap lock taken here, which a fault handler may drop for as long as
 *   it likes (hmm_range_fault_unlocked_timeout()).
 *
 * With any of them the result may be stale on return. The sequence of the range's
 * notifier shows whether it is.
 */
#include <linux/export.h>
#include <linux/mmap_lock.h>
#include <linux/mmu_notifier.h>
#include <linux/oom.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "migration_wait.h"
#include "mmu_interval.h"
#include "vma_policy.h"
#include "walk.h"
#include "walk_output.h"

/* A fault handler dropped the lock; entries already walked may have changed. */
#define HMM_FAULT_UNLOCKED 1

/* For callers that allow a fault handler to drop the mmap lock. */
#define HMM_FAULT_MAY_UNLOCK \
	(FAULT_FLAG_REMOTE | FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE)

/*
 * Record the fault whose handler dropped the lock. Like GUP and the fault handlers
 * of architectures, repeat it with FAULT_FLAG_TRIED, so that the second handler
 * waits with the lock held and two threads cannot make each other retry for ever.
 * Under the VMA's lock, only a major fault has waited. Others can return at once
 * because they need the mmap lock, and are tried first under that lock.
 */
static void hmm_fault_dropped(struct hmm_walk *w, unsigned long addr,
			      unsigned int flags, vm_fault_t fault)
{
	bool waited = !(flags & FAULT_FLAG_VMA_LOCK) || (fault & VM_FAULT_MAJOR);

	w->waits.dropped = addr;
	w->waits.flags = (fault & VM_FAULT_RETRY) && waited ? FAULT_FLAG_TRIED : 0;
}

/**
 * hmm_fault_page() - fault in one page
 * @w: the walk
 * @vma: its VMA
 * @addr: its address
 * @request: its request
 * @flags: %FAULT_FLAG_*
 *
 * Before the fault, wait for a page that migrates, or that is locked in device-private
 * memory, as by the body of another device's section. A fatal signal ends this wait,
 * but not the same one in the fault handler. The entry may have changed since the walk
 * and is looked at again here; between this and the fault it can still change.
 *
 * Context: the mmap lock, or with %FAULT_FLAG_VMA_LOCK the VMA's lock, is held; dropped if
 * the result is %HMM_FAULT_UNLOCKED.
 * Return: 0, %HMM_FAULT_UNLOCKED, %HMM_WALK_AGAIN after a wait, without a fault;
 * -%EPERM to write where the VMA forbids it, -%ENOMEM, or -%EFAULT.
 */
static int hmm_fault_page(struct hmm_walk *w, struct vm_area_struct *vma,
			  unsigned long addr, unsigned long request,
			  unsigned int flags)
{
	vm_fault_t fault;

	if (request & HMM_PFN_REQ_WRITE) {
		if (!hmm_vma_may_write(vma))
			return -EPERM;
		flags |= FAULT_FLAG_WRITE;
	}
	if (fault_wait_killable(vma, addr))
		return hmm_walk_waited(w, addr);
	if (addr == w->waits.dropped) {
		flags |= w->waits.flags;
		w->waits.flags = 0;
	}
	fault = handle_mm_fault(vma, addr, flags, NULL);
	if (fault & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)) {
		hmm_fault_dropped(w, addr, flags, fault);
		return HMM_FAULT_UNLOCKED;
	}
	if (fault & VM_FAULT_ERROR)
		return vm_fault_to_errno(fault, 0) ?: -EFAULT;
	return 0;
}

/*
 * Fault in the pages that a walk has recorded, if their own requests need it. The mmap
 * lock or the VMA's lock is held, as @flags has it, and no page table lock. There can be
 * as many as a page table has, so check for fatal signals between any two.
 */
static int hmm_fault_pages(struct hmm_walk *w, struct vm_area_struct *vma,
			   unsigned int flags)
{
	unsigned long addr = w->resume;
	int ret = 0;

	for (; addr < w->fault_end && !ret; addr += PAGE_SIZE) {
		unsigned long request = hmm_walk_request(w, addr);

		if (!hmm_needs_fault(request, w->fault_access))
			continue;
		ret = hmm_fault_page(w, vma, addr, request, flags);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
	}
	return ret;
}

static bool hmm_fault_collided(const struct hmm_range *range)
{
	return mmu_interval_check_retry(range->notifier, range->notifier_seq);
}

/**
 * hmm_fault_again() - decide whether to walk again after a fault or a wait
 * @w: the walk; &hmm_walk.resume is where it stopped
 *
 * A fault can return 0 although the page is absent: another thread has unmapped it
 * again, or has it locked. Such rounds may neither sleep nor move the sequence, so
 * they are bounded in time, killable, and yield the CPU. The time of the first wait
 * for a page that migrates or is locked does not count (hmm_walk_waited()).
 *
 * Return: 0 to walk again; -%EINTR on a fatal signal; -%EBUSY when the walk has
 * been at one address for %HMM_RANGE_DEFAULT_TIMEOUT milliseconds.
 */
static int hmm_fault_again(struct hmm_walk *w)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	if (!w->stalled_since || w->stalled_at != w->resume) {
		w->stalled_at = w->resume;
		w->stalled_since = jiffies ?: 1;
	} else if (time_after(jiffies, w->stalled_since +
			      msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT))) {
		return -EBUSY;
	}
	cond_resched();
	return 0;
}

/**
 * hmm_fault_mmap() - walk and fault under the mmap lock
 * @w: the walk
 * @flags: %FAULT_FLAG_*; %FAULT_FLAG_ALLOW_RETRY if the lock may be dropped
 *
 * Context: the mmap lock is held for reading.
 * Return: 0; %HMM_FAULT_UNLOCKED with the lock dropped; or an error of
 * hmm_range_fault() with the lock held.
 */
static int hmm_fault_mmap(struct hmm_walk *w, unsigned int flags)
{
	struct mm_struct *mm = w->range->notifier->mm;
	struct vm_area_struct *vma;
	int ret;

	do {
		if (hmm_fault_collided(w->range))
			return -EBUSY;
		ret = hmm_walk_mmap(w);
		if (ret == HMM_WALK_FAULT) {
			vma = vma_lookup(mm, w->resume);
			if (!vma)
				return -EFAULT;
			ret = hmm_fault_pages(w, vma, flags) ?: HMM_WALK_AGAIN;
		}
		if (ret == HMM_WALK_AGAIN)
			ret = hmm_fault_again(w) ?: HMM_WALK_AGAIN;
	} while (ret == HMM_WALK_AGAIN);
	return ret;
}

/**
 * hmm_fault_lock_mmap() - walk and fault, taking the mmap lock for it
 * @w: the walk
 *
 * Context: holds no mmap lock.
 * Return: as hmm_fault_mmap(), or -%EINTR; the lock is dropped in any case. -%EDEADLK if
 * the caller has begun a migration, and so holds that lock.
 */
static int hmm_fault_lock_mmap(struct hmm_walk *w)
{
	struct mm_struct *mm = w->range->notifier->mm;
	int ret = hmm_devmem_is_stepping() ? -EDEADLK : mmap_read_lock_killable(mm);

	if (ret)
		return ret;
	/* After the OOM reaper, absent pages may have had data. */
	ret = check_stable_address_space(mm) ? -EFAULT :
					       hmm_fault_mmap(w, HMM_FAULT_MAY_UNLOCK);
	if (ret != HMM_FAULT_UNLOCKED)
		mmap_read_unlock(mm);
	return ret;
}

/**
 * hmm_fault_locked_vma() - fault and walk in one VMA, under its own lock
 * @w: the walk
 * @vma: the VMA; locked for reading
 * @ret: result of the first walk
 *
 * Return: as hmm_fault_vma(). The lock is dropped in any case.
 */
static int hmm_fault_locked_vma(struct hmm_walk *w, struct vm_area_struct *vma, int ret)
{
	for (;;) {
		if (ret == HMM_WALK_FAULT && hmm_devmem_is_stepping())
			ret = -EDEADLK;
		if (ret == HMM_WALK_FAULT)
			ret = hmm_fault_pages(w, vma, HMM_FAULT_MAY_UNLOCK |
							FAULT_FLAG_VMA_LOCK) ?: HMM_WALK_AGAIN;
		if (ret == HMM_WALK_AGAIN)
			ret = hmm_fault_again(w) ?: HMM_WALK_AGAIN;
		if (ret != HMM_WALK_AGAIN)
			break;
		ret = hmm_fault_collided(w->range) ? -EBUSY : hmm_walk_vma(w, vma);
	}
	if (ret != HMM_FAULT_UNLOCKED)
		vma_end_read(vma);
	return ret;
}

/**
 * hmm_fault_vma() - walk and fault in one VMA, under its own lock
 * @w: the walk
 *
 * Moves &hmm_walk.resume to the end of the VMA, or to where the VMA's lock did
 * not suffice.
 *
 * Context: holds no mmap lock.
 * Return: 0 to continue with the next VMA; %HMM_FAULT_UNLOCKED where there is no
 * VMA, its lock cannot be taken at once, or a fault needs the mmap lock; or
 * an error of hmm_range_fault().
 */
static int hmm_fault_vma(struct hmm_walk *w)
{
	struct vm_area_struct *vma =
		lock_vma_under_rcu(w->range->notifier->mm, w->resume);

	if (!vma)
		return HMM_FAULT_UNLOCKED;
	return hmm_fault_locked_vma(w, vma, hmm_fault_collided(w->range) ?
					    -EBUSY : hmm_walk_vma(w, vma));
}

/* hmm_range_fault(), for any output. */
static int hmm_fault_range(struct hmm_range *range, const struct hmm_format *format,
			   struct hmm_extents *extents)
{
	struct hmm_walk w __uninitialized;
	int ret;

	mmap_assert_locked(range->notifier->mm);
	ret = hmm_walk_init(&w, range, format, extents);
	if (ret)
		return ret;
	ret = hmm_fault_mmap(&w, FAULT_FLAG_REMOTE);
	/* The handler dropped a lock that it must not drop. */
	return WARN_ON_ONCE(ret == HMM_FAULT_UNLOCKED) ? -EBUSY : ret;
}

/**
 * hmm_range_fault() - report the mapped pages, and fault in requested ones
 * @range: the addresses to walk, and the array for the hmm pfns
 *
 * Goes through the range once, fault by fault; on success every hmm pfn is
 * written. On an error the hmm pfns up to some page, at or before the one that
 * failed, are written, and those behind it are as they came. Pages without a
 * request are not faulted in.
 *
 * Context: the caller holds the mmap lock, for reading at least, and holds it
 * on return, so that VMAs whose fault handler must drop it cannot be faulted
 * in; has called mmu_interval_read_begin() for @range->notifier_seq. May sleep.
 *
 * Return:
 * * 0 - every page that was requested is there
 * * -%EBUSY - the range was invalidated meanwhile, or a page was unmapped
 *   repeatedly as soon as it had been faulted in: begin again
 * * -%EINTR - a fatal signal ended it between two faults
 * * -%EFAULT - a page was requested that cannot be mapped: no VMA, no struct
 *   page, no right to read, poisoned memory, past the end of a file
 * * -%EPERM - a page was requested writable in a VMA that is not
 * * -%ENOMEM - no memory for a page
 * * -%EINVAL - the range is empty or reversed
 */
int hmm_range_fault(struct hmm_range *range)
{
	return hmm_fault_range(range, NULL, NULL);
}
EXPORT_SYMBOL(hmm_range_fault);

/**
 * hmm_range_fault_format() - hmm_range_fault() in a driver's own format
 * @range: the range; its hmm_pfns, default_flags and pfn_flags_mask are
 *	entries and flags of @format
 * @format: the format
 *
 * Context: as hmm_range_fault().
 * Return: as hmm_range_fault(); -%EINVAL also if @format has no valid flag or
 * shifts too far.
 */
int hmm_range_fault_format(struct hmm_range *range, const struct hmm_format *format)
{
	return hmm_fault_range(range, format, NULL);
}
EXPORT_SYMBOL_GPL(hmm_range_fault_format);

/**
 * hmm_range_fault_extents() - hmm_range_fault() with a record for many pages
 * @range: the range; its hmm_pfns are not used
 * @extents: where the extents go
 *
 * Context: as hmm_range_fault().
 * Return: as hmm_range_fault(); -%ENOSPC when there is no room for another
 * extent; -%EINVAL also for requests of single pages.
 */
int hmm_range_fault_extents(struct hmm_range *range, struct hmm_extents *extents)
{
	return hmm_fault_range(range, NULL, extents);
}
EXPORT_SYMBOL_GPL(hmm_range_fault_extents);

/**
 * hmm_range_fault_step() - hmm_range_fault() that returns how far it got
 * @range: the addresses to walk, and the array for the results; on return its start and
 *	hmm_pfns are those of the first page that is not reported
 * @format: the driver's format, or NULL
 * @may_unlock: whether a fault handler may drop the mmap lock
 *
 * For the shims of earlier API years, which go on after an invalidation.
 *
 * Context: as hmm_range_fault(), but for the lock on return.
 * Return: as hmm_range_fault_format(), with the lock held; or -%EAGAIN without,
 * when a fault handler has dropped it.
 */
int hmm_range_fault_step(struct hmm_range *range, const struct hmm_format *format,
			 bool may_unlock)
{
	unsigned long start = range->start;
	struct hmm_walk w __uninitialized;
	int ret;

	mmap_assert_locked(range->notifier->mm);
	ret = hmm_walk_init(&w, range, format, NULL);
	if (ret)
		return ret;
	ret = hmm_fault_mmap(&w, may_unlock ? HMM_FAULT_MAY_UNLOCK : FAULT_FLAG_REMOTE);
	range->start = ret ? w.resume : range->end;
	range->hmm_pfns += (range->start - start) >> PAGE_SHIFT;
	if (ret != HMM_FAULT_UNLOCKED)
		return ret;
	/* The caller did not allow dropping the lock: the handler is broken. */
	return WARN_ON_ONCE(!may_unlock) ? -EINVAL : -EAGAIN;
}

/**
 * hmm_fault_vmas() - walk and fault in one VMA after another
 * @w: the walk
 * @vma: the first VMA, locked, if it was walked; or NULL
 * @ret: result of that walk; %HMM_FAULT_UNLOCKED if its lock could not be taken; or 0
 *
 * Return: as hmm_range_fault_vma_retry().
 */
static noinline int hmm_fault_vmas(struct hmm_walk *w, struct vm_area_struct *vma, int ret)
{
	unsigned long begun = jiffies;
	bool waited;

	if (vma)
		ret = hmm_fault_locked_vma(w, vma, ret);
	while (!ret && w->resume < w->range->end) {
		begun = jiffies;
		ret = hmm_fault_vma(w);
	}
	/*
	 * A handler that waited for the page dropped the VMA's lock. One that
	 * only requires the mmap lock returns the same, but at once.
	 */
	waited = ret == HMM_FAULT_UNLOCKED && jiffies != begun;
	if (ret == HMM_FAULT_UNLOCKED)
		ret = hmm_fault_lock_mmap(w);
	/* The fault may have moved the sequence itself, by breaking COW for example. */
	if (ret == -EBUSY && waited)
		ret = HMM_FAULT_UNLOCKED;
	if (ret == HMM_FAULT_UNLOCKED)
		ret = fatal_signal_pending(current) ? -EINTR : -EAGAIN;
	return ret;
}

/**
 * hmm_range_fault_vma_retry() - hmm_range_fault_vma() of a caller that retries
 * @range: the range; its notifier_seq is fresh
 * @waits: what this call has waited for and, as the caller passes it, those before
 *
 * Context: as hmm_range_fault_vma().
 * Return: as hmm_range_fault_vma().
 */
int hmm_range_fault_vma_retry(struct hmm_range *range, struct hmm_fault_waits *waits)
{
	struct mm_struct *mm = range->notifier->mm;
	struct vm_area_struct *vma = NULL;
	struct hmm_walk w __uninitialized;
	int ret = 0;

	if (range->start >= range->end)
		return -EINVAL;
	if (check_stable_address_space(mm))
		return -EFAULT;
	if (hmm_fault_collided(range))
		return -EBUSY;
	if (range->end - range->start == PAGE_SIZE) {
		vma = lock_vma_under_rcu(mm, range->start);
		ret = vma ? hmm_walk_page(&w, range, vma, waits) : HMM_FAULT_UNLOCKED;
		if (ret == HMM_WALK_DONE) {
			vma_end_read(vma);
			return 0;
		}
	}
	if (!vma)
		hmm_walk_init_pfns(&w, range, waits);
	ret = hmm_fault_vmas(&w, vma, ret);
	*waits = w.waits;
	return ret;
}

/**
 * hmm_range_fault_vma() - hmm_range_fault() without the mmap lock
 * @range: the range; its notifier_seq is fresh
 *
 * Each VMA's own lock is taken while it is walked. Only where that is not
 * enough, for addresses without a VMA, while a VMA is being changed, and for
 * faults that require it, is the mmap lock taken, for the rest of the range.
 *
 * Context: holds no mmap lock; keeps the mm alive (mmget()). May sleep.
 * Return: as hmm_range_fault(); or -%EAGAIN when a fault handler dropped the
 * mmap lock, so that pages reported before may have changed, or instead of -%EBUSY
 * after a wait for a page that migrated or was locked. There was progress, so a caller
 * that bounds its retries in time walks again with a new deadline. On -%EBUSY the
 * deadline stands. A fatal signal is -%EINTR in either case.
 */
int hmm_range_fault_vma(struct hmm_range *range)
{
	struct hmm_fault_waits waits = { .dropped = HMM_FAULT_NOT_DROPPED };
	int ret = hmm_range_fault_vma_retry(range, &waits);

	return ret == -EBUSY && waits.progress ? -EAGAIN : ret;
}
EXPORT_SYMBOL_GPL(hmm_range_fault_vma);

/*
 * Copy the requests of single pages. Other walks and drivers can change the array
 * meanwhile: each entry is read once. Returns NULL without memory.
 */
static unsigned long *hmm_fault_copy_requests(const struct hmm_range *range)
{
	unsigned long i, nr = (range->end - range->start) >> PAGE_SHIFT;
	/* User space may choose the size of the range, so failure is no bug. */
	unsigned long *requests = kvmalloc_array(nr, sizeof(*requests),
						 GFP_KERNEL | __GFP_NOWARN);

	for (i = 0; requests && i < nr; i++)
		requests[i] = READ_ONCE(range->hmm_pfns[i]);
	return requests;
}

/*
 * Replace the results of an attempt, up to an address, by the pages' own requests,
 * or by 0 if they have none. The caller's flags may have changed since and are kept:
 * an invalidation clears them when it unmaps a page for DMA.
 */
static void hmm_fault_undo(const struct hmm_walk *w, const unsigned long *requests,
			   unsigned long end)
{
	unsigned long i = (w->resume - w->range->start) >> PAGE_SHIFT;
	unsigned long nr = (end - w->range->start) >> PAGE_SHIFT;
	unsigned long *pfns = w->range->hmm_pfns;

	if (w->output == HMM_OUTPUT_EXTENTS)
		return;
	for (; i < nr; i++) {
		if (w->output == HMM_OUTPUT_FORMAT)
			WRITE_ONCE(pfns[i], requests ? requests[i] : w->format->none);
		else
			hmm_write_pfn(pfns + i, requests ? requests[i] & HMM_PFN_REQUEST : 0);
	}
}

/**
 * hmm_fault_retry() - walk and fault until no invalidation comes in between
 * @w: the walk, prepared
 * @requests: the requests as they came, if pages have their own; or NULL
 * @timeout: as of hmm_range_fault_unlocked_timeout()
 *
 * Return: as hmm_range_fault_unlocked_timeout().
 */
static int hmm_fault_retry(struct hmm_walk *w, const unsigned long *requests,
			   unsigned long timeout)
{
	unsigned long deadline = jiffies + timeout;
	struct hmm_range *range = w->range;
	unsigned long reported = range->start;
	int ret;

	do {
		hmm_walk_restart(w);
		/* Results must not be taken for requests. */
		if (requests)
			hmm_fault_undo(w, requests, reported);
		ret = mmu_interval_read_begin_killable(range->notifier,
						       &range->notifier_seq);
		if (ret)
			break;
		ret = hmm_fault_lock_mmap(w);
		reported = max(reported, w->resume);
		if (ret == HMM_FAULT_UNLOCKED || w->waits.progress)
			deadline = jiffies + timeout;
		w->waits.progress = false;
		if (ret == HMM_FAULT_UNLOCKED)
			ret = -EBUSY;
		if (ret != -EBUSY)
			break;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	} while (!timeout || time_before_eq(jiffies, deadline));
	/* What an earlier attempt reported behind the page that failed is stale. */
	if (ret)
		hmm_fault_undo(w, requests, reported);
	return ret;
}

/* hmm_range_fault_unlocked_timeout(), for any output. */
static int hmm_fault_unlocked(struct hmm_range *range, const struct hmm_format *format,
			      struct hmm_extents *extents, unsigned long timeout)
{
	unsigned long *requests = NULL;
	struct hmm_walk w __uninitialized;
	int ret = hmm_walk_init(&w, range, format, extents);

	if (ret)
		return ret;
	/* A deadline further away would be before now. */
	timeout = min(timeout, MAX_JIFFY_OFFSET);
	if (w.per_pfn_req) {
		requests = hmm_fault_copy_requests(range);
		if (!requests)
			return -ENOMEM;
	}
	ret = hmm_fault_retry(&w, requests, timeout);
	kvfree(requests);
	return ret;
}

/**
 * hmm_range_fault_unlocked_timeout() - hmm_range_fault(), again and again
 * @range: the range; its notifier_seq is set here
 * @timeout: how long to retry after invalidations, in jiffies;
 *	0 for ever
 *
 * A fault handler may drop the mmap lock, as one for userfaultfd does while
 * user space makes the page. That is progress: the time starts anew after it. So it
 * does after the first wait for a page that migrates, or is locked in a device's
 * memory. A fault in progress is never cut short.
 *
 * On an error the hmm pfns up to some page, at or before the one that failed, are
 * written. Behind it no result is left: the hmm pfns are as they came, or 0 where
 * an earlier attempt had reported them and @range has no requests of single pages.
 *
 * Requests of single pages are kept in a copy meanwhile, 8 bytes a page.
 *
 * Context: holds no mmap lock; keeps the mm alive (mmget()). May sleep.
 * Return: as hmm_range_fault(), with the sequence still to be checked under
 * the update lock; -%EBUSY when @timeout is over; -%EINTR on a fatal signal;
 * -%ENOMEM also when there is no memory for the copy.
 */
int hmm_range_fault_unlocked_timeout(struct hmm_range *range,
				     unsigned long timeout)
{
	return hmm_fault_unlocked(range, NULL, NULL, timeout);
}
EXPORT_SYMBOL(hmm_range_fault_unlocked_timeout);

/**
 * hmm_range_fault_format_unlocked_timeout() - the same, in a driver's own format
 * @range: as for hmm_range_fault_format()
 * @format: the format
 * @timeout: as for hmm_range_fault_unlocked_timeout()
 *
 * Context: as hmm_range_fault_unlocked_timeout().
 * Return: as that and hmm_range_fault_format().
 */
int hmm_range_fault_format_unlocked_timeout(struct hmm_range *range,
					    const struct hmm_format *format,
					    unsigned long timeout)
{
	return hmm_fault_unlocked(range, format, NULL, timeout);
}
EXPORT_SYMBOL_GPL(hmm_range_fault_format_unlocked_timeout);

/**
 * hmm_range_fault_extents_unlocked_timeout() - the same, with extents
 * @range: as for hmm_range_fault_extents()
 * @extents: where the extents go
 * @timeout: as for hmm_range_fault_unlocked_timeout()
 *
 * Context: as hmm_range_fault_unlocked_timeout().
 * Return: as that and hmm_range_fault_extents().
 */
int hmm_range_fault_extents_unlocked_timeout(struct hmm_range *range,
					     struct hmm_extents *extents,
					     unsigned long timeout)
{
	return hmm_fault_unlocked(range, NULL, extents, timeout);
}
EXPORT_SYMBOL_GPL(hmm_range_fault_extents_unlocked_timeout);
