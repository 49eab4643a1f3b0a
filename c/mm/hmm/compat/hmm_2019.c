// SPDX-License-Identifier: GPL-2.0
/*
 * API year 2019: mirrors, the validity of ranges, and faults with results in the
 * driver's format.
 *
 * The comment at the head of process.c explains why a range that is valid under the
 * driver's lock is up to date.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "walk.h"

/*
 * Only for invalidations that must not block, as hmm_process_start() cannot
 * refuse one; it calls the driver for all others.
 */
static bool hmm_mirror_invalidate(struct mmu_interval_notifier *notifier,
				  const struct mmu_notifier_range *update,
				  unsigned long seq)
{
	struct hmm2019_mirror *mirror =
		container_of(notifier, struct hmm2019_mirror, notifier);

	mmu_interval_set_seq(notifier, seq);
	if (mmu_notifier_range_blockable(update))
		return true;
	hmm_process_reaping(mirror->hmm);
	return !mirror->ops->sync_cpu_device_pagetables(mirror, update);
}

static const struct mmu_interval_notifier_ops hmm_mirror_invalidate_ops = {
	.invalidate = hmm_mirror_invalidate,
};

/**
 * hmm_mirror_register() - start to mirror an address space
 * @mirror: storage for the mirror, with its ops set
 * @mm: the address space
 *
 * A process can have any number of mirrors, of one driver or of several.
 *
 * Context: holds the mmap lock of @mm for writing, and a reference that keeps
 * @mm alive (mmget()). May sleep.
 * Return: 0; -%EINVAL if an argument or a callback is missing; -%ENOMEM;
 * -%EINTR on a signal.
 */
int hmm_mirror_register(struct hmm2019_mirror *mirror, struct mm_struct *mm)
{
	struct hmm *process;
	int ret;

	if (!mirror || !mm || !mirror->ops ||
	    !mirror->ops->sync_cpu_device_pagetables)
		return -EINVAL;
	mmap_assert_write_locked(mm);

	process = hmm_process_get_locked(mm);
	if (IS_ERR(process))
		return PTR_ERR(process);
	mirror->hmm = process;
	ret = mmu_interval_notifier_insert_locked(&mirror->notifier, mm, 0, ULONG_MAX,
						  &hmm_mirror_invalidate_ops);
	if (ret) {
		mirror->hmm = NULL;
		hmm_process_put(process);
		return ret;
	}
	down_write(&process->mirrors_sem);
	list_add_tail(&mirror->list, &process->mirrors);
	up_write(&process->mirrors_sem);
	return 0;
}
EXPORT_SYMBOL_GPL(hmm_mirror_register);

/**
 * hmm_mirror_unregister() - stop mirroring
 * @mirror: the mirror; nothing happens if it is not registered
 *
 * Afterwards no callback runs and @mirror may be freed. Its ranges must have
 * been unregistered.
 *
 * Context: not from a callback of the mirror; holds no mmap lock and no lock
 * that its callbacks take. May sleep.
 */
void hmm_mirror_unregister(struct hmm2019_mirror *mirror)
{
	struct hmm *process = mirror->hmm;

	if (!process)
		return;
	mmu_interval_notifier_remove(&mirror->notifier);
	down_write(&process->mirrors_sem);
	list_del(&mirror->list);
	up_write(&process->mirrors_sem);
	mirror->hmm = NULL;
	hmm_process_put(process);
}
EXPORT_SYMBOL_GPL(hmm_mirror_unregister);

/**
 * hmm_range_settle() - make a range valid unless an invalidation overlaps it
 * @range: the range
 *
 * Context: the caller holds ranges_lock.
 * Return: whether the range is valid.
 */
static bool hmm_range_settle(struct hmm2019_range *range)
{
	if (range->valid)
		return true;
	if (!hmm_process_is_quiet(range->hmm, range->start, range->end))
		return false;
	WRITE_ONCE(range->valid, true);
	return true;
}

/**
 * hmm_range_register() - start to track the validity of a range
 * @range: storage for the range, with the driver's members set
 * @mirror: a registered mirror
 *
 * Keeps the process's memory alive until hmm_range_unregister(), which must
 * therefore follow soon. The range is valid at once unless an invalidation that
 * overlaps it is under way.
 *
 * Context: any that may take a spinlock.
 * Return: 0; -%EINVAL for a range that is empty, reversed or not page aligned;
 * -%EFAULT if the address space has ended.
 */
int hmm_range_register(struct hmm2019_range *range,
		       struct hmm2019_mirror *mirror)
{
	struct hmm *process = mirror->hmm;

	range->valid = false;
	range->hmm = NULL;
	if (!hmm_range_is_aligned(range))
		return -EINVAL;
	if (!process || !mmget_not_zero(process->mmu_notifier.mm))
		return -EFAULT;

	range->hmm = process;
	range->notifier = NULL;
	range->sequence.mm = process->mmu_notifier.mm;
	range->sequence.invalidate_seq = 0;
	range->touched = ULONG_MAX;
	spin_lock(&process->ranges_lock);
	list_add(&range->list, &process->ranges);
	hmm_range_settle(range);
	spin_unlock(&process->ranges_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(hmm_range_register);

/**
 * hmm_range_unregister() - undo hmm_range_register()
 * @range: the range; nothing happens if it is not registered
 *
 * Context: any that may take a spinlock; locks that the mirror's callbacks
 * take, and the mmap lock, may be held.
 */
void hmm_range_unregister(struct hmm2019_range *range)
{
	struct hmm *process = range->hmm;

	if (!process)
		return;
	spin_lock(&process->ranges_lock);
	list_del(&range->list);
	range->valid = false;
	spin_unlock(&process->ranges_lock);
	range->hmm = NULL;
	/* The last reference would end the process here, and call release. */
	mmput_async(process->mmu_notifier.mm);
}
EXPORT_SYMBOL_GPL(hmm_range_unregister);

/* Whether there is nothing to wait for. */
static bool hmm_range_settled(struct hmm2019_range *range)
{
	bool settled;

	spin_lock(&range->hmm->ranges_lock);
	settled = hmm_range_settle(range) || range->hmm->ended || range->hmm->reaping;
	spin_unlock(&range->hmm->ranges_lock);
	return settled;
}

/**
 * hmm_range_wait_until_valid() - wait for invalidations of a range to end
 * @range: a range that is registered or has a notifier
 * @timeout: for how long, in milliseconds
 *
 * Invalidations of other addresses are not waited for. A range that is valid
 * stays valid until an invalidation overlaps it. With a notifier this is
 * mmu_interval_read_begin(), which has no timeout.
 *
 * Context: holds no lock that the mirror's callbacks take. May sleep.
 * Return: whether the range is valid.
 */
bool hmm_range_wait_until_valid(struct hmm2019_range *range,
				unsigned long timeout)
{
	if (range->notifier) {
		range->notifier_seq = mmu_interval_read_begin(range->notifier);
		return true;
	}
	if (!range->hmm)
		return false;
	wait_event_timeout(range->hmm->wq, hmm_range_settled(range),
			   msecs_to_jiffies(timeout));
	return hmm_range_valid(range);
}
EXPORT_SYMBOL_GPL(hmm_range_wait_until_valid);

/**
 * hmm_range_valid() - whether no invalidation has overlapped a range
 * @range: the range
 *
 * Context: holds the lock under which sync_cpu_device_pagetables() changes the
 * device's page table. While it is held, true stays true.
 * Return: whether no invalidation overlapped the range since
 * hmm_range_wait_until_valid() or hmm_range_register() made it valid.
 */
bool hmm_range_valid(struct hmm2019_range *range)
{
	if (range->notifier)
		return !mmu_interval_check_retry(range->notifier,
						 range->notifier_seq);
	return READ_ONCE(range->valid);
}
EXPORT_SYMBOL_GPL(hmm_range_valid);

/**
 * struct hmm2019_walk - an hmm_range_fault() in progress
 * @range: the caller's range
 * @format: the format of its entries
 * @step: the part that is walked next; its start is the first address that is
 *	not reported
 * @requests: a copy of the entries as they came, if they are requests; otherwise
 *	NULL
 * @nr_pages: number of pages of @range
 * @snapshot: %HMM_FAULT_SNAPSHOT
 * @may_unlock: %HMM_FAULT_ALLOW_RETRY
 * @farthest: the highest address that @step has started at
 * @deadline: when to stop without further progress, in jiffies
 */
struct hmm2019_walk {
	struct hmm2019_range *range;
	struct hmm_format format;
	struct hmm_range step;
	u64 *requests;
	unsigned long nr_pages;
	bool snapshot;
	bool may_unlock;
	unsigned long farthest;
	unsigned long deadline;
};

/* The address space that is walked. */
static struct mm_struct *hmm2019_walk_mm(const struct hmm2019_walk *w)
{
	return w->step.notifier->mm;
}

/* Where the entry of @addr is. */
static u64 *hmm2019_walk_entry(const struct hmm2019_walk *w, unsigned long addr)
{
	return &w->range->pfns[(addr - w->range->start) >> PAGE_SHIFT];
}

/* Continue at @addr. */
static void hmm2019_walk_goto(struct hmm2019_walk *w, unsigned long addr)
{
	w->step.start = addr;
	w->step.hmm_pfns = (unsigned long *)hmm2019_walk_entry(w, addr);
}

/* Write %HMM_PFN_NONE from the first address that is not reported up to @end. */
static void hmm2019_walk_none(struct hmm2019_walk *w, unsigned long end)
{
	unsigned long addr;

	for (addr = w->step.start; addr < end; addr += PAGE_SIZE)
		*hmm2019_walk_entry(w, addr) = w->format.none;
	hmm2019_walk_goto(w, end);
}

/* Whether a page between the first that is not reported and @end is requested. */
static bool hmm2019_walk_requests(const struct hmm2019_walk *w, unsigned long end)
{
	unsigned long addr;

	if (w->snapshot)
		return false;
	if (w->range->default_flags & w->format.valid)
		return true;
	if (!(w->range->pfn_flags_mask & w->format.valid))
		return false;
	for (addr = w->step.start; addr < end; addr += PAGE_SIZE)
		if (*hmm2019_walk_entry(w, addr) & w->format.valid)
			return true;
	return false;
}

/* Whether pages of the VMA are reported as special, even those with a struct page. */
static bool hmm2019_vma_is_special(const struct vm_area_struct *vma)
{
	return vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP);
}

/* Replace the pages that were just reported, from @start on, by HMM_PFN_SPECIAL. */
static void hmm2019_walk_special(struct hmm2019_walk *w, unsigned long start)
{
	unsigned long addr;

	for (addr = start; addr < w->step.start; addr += PAGE_SIZE) {
		u64 *entry = hmm2019_walk_entry(w, addr);

		if (hmm_device_entry_to_pfn(w->range, *entry) != -1UL)
			*entry = w->format.special;
	}
}

/* Walk pages of one VMA, or of a hole in the address space, up to @end. */
static int hmm2019_walk_vma(struct hmm2019_walk *w, struct vm_area_struct *vma,
			    unsigned long end)
{
	bool special = hmm2019_vma_is_special(vma);
	unsigned long start = w->step.start;
	int ret;

	if (!(vma->vm_flags & VM_READ)) {
		hmm2019_walk_goto(w, w->range->start);
		return -EPERM;
	}
	if (special && hmm2019_walk_requests(w, end))
		return -EFAULT;
	w->step.end = end;
	ret = hmm_range_fault_step(&w->step, &w->format, w->may_unlock);
	if (special && !ret)
		hmm2019_walk_special(w, start);
	return ret;
}

/*
 * Walk on, to the end of the next VMA or hole. There is no entry of a page table
 * in a hole; above the last VMA Linux 5.4 returned an error even to a snapshot.
 */
static int hmm2019_walk_next(struct hmm2019_walk *w)
{
	struct vm_area_struct *vma = find_vma(hmm2019_walk_mm(w), w->step.start);
	unsigned long end = w->range->end;

	if (!vma)
		return -EFAULT;
	if (vma->vm_start <= w->step.start)
		return hmm2019_walk_vma(w, vma, min(end, vma->vm_end));
	end = min(end, vma->vm_start);
	if (hmm2019_walk_requests(w, end))
		return -EFAULT;
	hmm2019_walk_none(w, end);
	return 0;
}

/*
 * Take note of invalidations since the last time: entries from the lowest address
 * that was invalidated are walked again, and their requests are put back. The
 * invalidation may be this walk's own, as of a fault that breaks COW; then no
 * entry that is reported is concerned.
 *
 * Return: 0; -%EBUSY if the range is not valid, or requests are lost for want of
 * memory for the copy, in which case there is no time left to try again.
 */
static int hmm2019_walk_rewind(struct hmm2019_walk *w)
{
	struct hmm2019_range *range = w->range;
	unsigned long from, at = w->step.start;
	bool valid;

	if (range->notifier)
		return 0;
	spin_lock(&range->hmm->ranges_lock);
	valid = range->valid;
	from = range->touched & PAGE_MASK;
	range->touched = ULONG_MAX;
	w->step.notifier_seq = range->sequence.invalidate_seq;
	spin_unlock(&range->hmm->ranges_lock);

	if (from < at)
		hmm2019_walk_goto(w, from);
	if (from < at && w->step.pfn_flags_mask) {
		if (!w->requests) {
			w->deadline = jiffies - 1;
			return -EBUSY;
		}
		memcpy(hmm2019_walk_entry(w, from),
		       &w->requests[(from - range->start) >> PAGE_SHIFT],
		       (at - from) / PAGE_SIZE * sizeof(*w->requests));
	}
	return valid ? 0 : -EBUSY;
}

/* Wait for the range to be valid. Progress since the last wait restarts the timeout. */
static bool hmm2019_walk_wait(struct hmm2019_walk *w)
{
	struct hmm2019_range *range = w->range;
	long left;

	if (w->step.start > w->farthest) {
		w->farthest = w->step.start;
		w->deadline = jiffies + msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT);
	}
	left = w->deadline - jiffies;
	if (left <= 0)
		return false;
	wait_event_killable_timeout(range->hmm->wq, hmm_range_settled(range), left);
	cond_resched();
	return hmm_range_valid(range) && !fatal_signal_pending(current);
}

/* Walk the whole range, and again where it was invalidated meanwhile. */
static int hmm2019_walk_range(struct hmm2019_walk *w)
{
	int ret;

	do {
		ret = hmm2019_walk_rewind(w);
		while (!ret && w->step.start < w->range->end)
			ret = hmm2019_walk_next(w);
	} while (ret == -EBUSY && !w->range->notifier && hmm2019_walk_wait(w));
	return ret;
}

/* Write the entry at which a walk ended, if it is why: an error, or special. */
static void hmm2019_walk_mark(struct hmm2019_walk *w, struct vm_area_struct *vma,
			      unsigned long addr)
{
	u64 entry = w->format.none;
	struct hmm_range one = w->step;

	one.start = addr;
	one.end = addr + PAGE_SIZE;
	one.hmm_pfns = (unsigned long *)&entry;
	one.default_flags = 0;
	one.pfn_flags_mask = 0;
	if (hmm_range_fault_step(&one, &w->format, false))
		return;
	if (hmm2019_vma_is_special(vma) && entry != w->format.none)
		entry = w->format.special;
	if (entry == w->format.error || entry == w->format.special)
		*hmm2019_walk_entry(w, addr) = entry;
}

/*
 * Leave no request behind that would read as an entry: after an error the rest
 * is HMM_PFN_NONE. If the caller is to try again, requests are as they came.
 */
static void hmm2019_walk_fail(struct hmm2019_walk *w, int error)
{
	unsigned long failed = w->step.start;
	struct vm_area_struct *vma;

	if ((error == -EBUSY || error == -EAGAIN) && w->requests) {
		memcpy(w->range->pfns, w->requests, w->nr_pages * sizeof(*w->requests));
		return;
	}
	hmm2019_walk_none(w, w->range->end);
	if (error != -EFAULT)
		return;
	vma = find_vma_intersection(hmm2019_walk_mm(w), failed, failed + PAGE_SIZE);
	if (vma)
		hmm2019_walk_mark(w, vma, failed);
}

/*
 * The entries that a driver has described in its range, as a format of today's walker.
 */
static struct hmm_format hmm2019_format(const struct hmm2019_range *range)
{
	return (struct hmm_format){
		.valid = range->flags[HMM2019_PFN_VALID],
		.write = range->flags[HMM2019_PFN_WRITE],
		.device_private = range->flags[HMM_PFN_DEVICE_PRIVATE],
		.error = range->values[HMM2019_PFN_ERROR],
		.none = range->values[HMM_PFN_NONE],
		.special = range->values[HMM_PFN_SPECIAL],
		.pfn_shift = range->pfn_shift,
	};
}

/* Prepare a walk, with a copy of the requests of single pages. May sleep. */
static void hmm2019_walk_init(struct hmm2019_walk *w, struct hmm2019_range *range,
			      unsigned int flags)
{
	*w = (struct hmm2019_walk){
		.range = range,
		.format = hmm2019_format(range),
		.nr_pages = hmm_range_pages(range),
		.snapshot = flags & HMM_FAULT_SNAPSHOT,
		.may_unlock = flags & HMM_FAULT_ALLOW_RETRY,
		.farthest = range->start,
		.deadline = jiffies + msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT),
	};
	w->step = (struct hmm_range){
		.notifier = range->notifier ?: &range->sequence,
		.notifier_seq = range->notifier_seq,
		.start = range->start,
		.end = range->end,
		.hmm_pfns = (unsigned long *)range->pfns,
		.default_flags = w->snapshot ? 0 : range->default_flags,
		.pfn_flags_mask = w->snapshot ? 0 : range->pfn_flags_mask,
		/* All device memory of these API years has one owner. */
		.dev_private_owner = IS_ENABLED(CONFIG_HMM_COMPAT_PAGEMAP) ?
				     &hmm_compat_owner : NULL,
	};
	/* Without a copy a walk that would need it ends with -EBUSY. */
	if (w->step.pfn_flags_mask)
		w->requests = kvmemdup(range->pfns, w->nr_pages * sizeof(*w->requests),
				       GFP_KERNEL | __GFP_NOWARN);
}

/**
 * __hmm2019_range_fault() - report the pages of a range, faulting in what is
 *	requested
 * @range: a range that is registered or has a notifier
 * @flags: %HMM_FAULT_ALLOW_RETRY, %HMM_FAULT_SNAPSHOT
 *
 * A page's requests are &hmm2019_range.default_flags and the bits of its own entry
 * that are in &hmm2019_range.pfn_flags_mask: the valid flag to fault it in, the
 * write flag as well to make it writable, the flag for device-private memory as
 * well to migrate it to system memory. A snapshot has no requests.
 *
 * An invalidation of the range during the call, as by a fault that breaks COW,
 * makes it walk again, until it has come no farther for
 * %HMM_RANGE_DEFAULT_TIMEOUT milliseconds. Invalidations of other addresses are
 * not waited for.
 *
 * Context: holds the mmap lock. May sleep.
 * Return: the number of pages, which is that of the range; or
 *
 * * -%EAGAIN - a fault handler dropped the mmap lock, as one may with
 *   %HMM_FAULT_ALLOW_RETRY: take it and try again
 * * -%EBUSY - the range is not valid, or was invalidated until the time was over:
 *   wait with hmm_range_wait_until_valid() and try again
 * * -%EPERM - write was requested in a VMA that forbids it, or a VMA cannot be
 *   read
 * * -%EFAULT - a page was requested that cannot be mapped; or there is no VMA at
 *   or above an address
 * * -%ENOMEM, -%EINTR - as hmm_range_fault()
 * * -%EINVAL - the range is empty, reversed, not page aligned or incomplete
 */
long __hmm2019_range_fault(struct hmm2019_range *range, unsigned int flags)
{
	struct hmm2019_walk w;
	int ret;

	if (!hmm_range_is_aligned(range) || !range->pfns || !range->flags ||
	    !range->values || (!range->notifier && !range->hmm))
		return -EINVAL;
	if (!hmm_range_valid(range))
		return -EBUSY;
	hmm2019_walk_init(&w, range, flags);
	ret = hmm2019_walk_range(&w);
	if (ret)
		hmm2019_walk_fail(&w, ret);
	kvfree(w.requests);
	return ret ?: w.nr_pages;
}
EXPORT_SYMBOL_GPL(__hmm2019_range_fault);
