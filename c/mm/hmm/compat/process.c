// SPDX-License-Identifier: GPL-2.0
/*
 * What a process has of HMM in the earlier generations: made when its first
 * mirror is registered, gone with the address space.
 *
 * Invalidations are counted here, from their start to their end, so that one
 * can wait for a time without any, and give up. That is all that the count is
 * for. Whether a range is still as it was is never concluded from it: nothing
 * here ever makes a range valid, only who waits does.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"

static LIST_HEAD(hmm_processes);
static DEFINE_SPINLOCK(hmm_processes_lock); /* guards the list, and pinned */

static struct hmm *hmm_process_of(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct hmm, mmu_notifier);
}

/* Ranges that @update overlaps are not what they were. The lock is held. */
static void hmm_process_touch_ranges(struct hmm *process,
			 const struct mmu_notifier_range *update)
{
	struct hmm2019_range *range;

	list_for_each_entry(range, &process->ranges, list)
		if (range->start < update->end && update->start < range->end)
			WRITE_ONCE(range->valid, false);
}

/**
 * hmm_process_touch() - ranges are not what they were
 * @process: whose
 * @update: which
 *
 * To be called before a driver is told to synchronise: who then sees a valid
 * range under the driver's lock sees one that the driver is yet to be told of.
 */
void hmm_process_touch(struct hmm *process,
		       const struct mmu_notifier_range *update)
{
	spin_lock(&process->ranges_lock);
	hmm_process_touch_ranges(process, update);
	spin_unlock(&process->ranges_lock);
}

static int hmm_process_start(struct mmu_notifier *notifier,
			     const struct mmu_notifier_range *update)
{
	struct hmm *process = hmm_process_of(notifier);

	spin_lock(&process->ranges_lock);
	process->notifiers++;
	hmm_process_touch_ranges(process, update);
	spin_unlock(&process->ranges_lock);
	return 0;
}

static void hmm_process_end(struct mmu_notifier *notifier,
			    const struct mmu_notifier_range *update)
{
	struct hmm *process = hmm_process_of(notifier);

	spin_lock(&process->ranges_lock);
	process->notifiers--;
	spin_unlock(&process->ranges_lock);
	wake_up_all(&process->wq);
}

/* The address space's own hold, if it still has one. */
static bool hmm_process_unpin(struct hmm *process)
{
	bool pinned;

	spin_lock(&hmm_processes_lock);
	pinned = process->pinned;
	process->pinned = false;
	spin_unlock(&hmm_processes_lock);
	if (pinned)
		hmm_process_put(process);
	return pinned;
}

static void hmm_process_notify_release(struct hmm *process,
				 struct mm_struct *mm)
{
	struct hmm2019_mirror *mirror;
	struct mmu_notifier_range everything;

	mmu_notifier_range_init(&everything, MMU_NOTIFY_RELEASE,
				MMU_NOTIFIER_RANGE_BLOCKABLE, mm, 0, ULONG_MAX);
	down_read(&process->mirrors_sem);
	list_for_each_entry(mirror, &process->mirrors, list) {
		if (mirror->ops->release)
			mirror->ops->release(mirror);
		else
			mirror->ops->sync_cpu_device_pagetables(mirror, &everything);
	}
	up_read(&process->mirrors_sem);
}

static void hmm_process_release(struct mmu_notifier *notifier,
				struct mm_struct *mm)
{
	struct hmm *process = hmm_process_of(notifier);
	struct hmm2019_range *range;

	spin_lock(&process->ranges_lock);
	process->ended = true;
	list_for_each_entry(range, &process->ranges, list)
		WRITE_ONCE(range->valid, false);
	spin_unlock(&process->ranges_lock);
	wake_up_all(&process->wq);

	hmm_process_notify_release(process, mm);
	hmm_process_unpin(process);
}

static struct mmu_notifier *hmm_process_alloc(struct mm_struct *mm)
{
	struct hmm *process = kzalloc_obj(*process);

	if (!process)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&process->ranges_lock);
	INIT_LIST_HEAD(&process->ranges);
	init_rwsem(&process->mirrors_sem);
	INIT_LIST_HEAD(&process->mirrors);
	init_waitqueue_head(&process->wq);
	process->mmu_notifier.mm = mm;
	spin_lock(&hmm_processes_lock);
	list_add(&process->node, &hmm_processes);
	spin_unlock(&hmm_processes_lock);
	return &process->mmu_notifier;
}

static void hmm_process_free(struct mmu_notifier *notifier)
{
	struct hmm *process = hmm_process_of(notifier);

	spin_lock(&hmm_processes_lock);
	list_del(&process->node);
	spin_unlock(&hmm_processes_lock);
	kfree(process);
}

static const struct mmu_notifier_ops hmm_process_ops = {
	.invalidate_range_start	= hmm_process_start,
	.invalidate_range_end	= hmm_process_end,
	.release		= hmm_process_release,
	.alloc_notifier		= hmm_process_alloc,
	.free_notifier		= hmm_process_free,
};

/**
 * hmm_process_get_locked() - what a process has of HMM, made if it has nothing
 * @mm: the address space
 *
 * Context: holds the mmap lock for writing, and a reference that keeps the
 * address space alive (mmget()).
 * Return: the state, with a reference for hmm_process_put(); or an error
 * pointer, -%ENOMEM or -%EINTR.
 */
struct hmm *hmm_process_get_locked(struct mm_struct *mm)
{
	struct mmu_notifier *notifier;
	struct hmm *process;

	notifier = mmu_notifier_get_locked(&hmm_process_ops, mm);
	if (IS_ERR(notifier))
		return ERR_CAST(notifier);
	process = hmm_process_of(notifier);
	/* The mmap lock keeps others who make it pinned away. */
	if (!process->pinned &&
	    !IS_ERR(mmu_notifier_get_locked(&hmm_process_ops, mm))) {
		spin_lock(&hmm_processes_lock);
		process->pinned = true;
		spin_unlock(&hmm_processes_lock);
	}
	return process;
}

/**
 * hmm_process_put() - give a reference back
 * @process: the state
 */
void hmm_process_put(struct hmm *process)
{
	mmu_notifier_put(&process->mmu_notifier);
}

static struct hmm *hmm_process_find(const struct mm_struct *mm)
{
	struct hmm *process;

	list_for_each_entry(process, &hmm_processes, node)
		if (process->mmu_notifier.mm == mm && process->pinned)
			return process;
	return NULL;
}

/**
 * hmm_process_exists() - whether an address space has HMM state
 * @mm: the address space
 *
 * Return: whether it has; it can be gone when one looks.
 */
bool hmm_process_exists(const struct mm_struct *mm)
{
	bool exists;

	spin_lock(&hmm_processes_lock);
	exists = hmm_process_find(mm);
	spin_unlock(&hmm_processes_lock);
	return exists;
}

#ifdef CONFIG_HMM_COMPAT_2017
/**
 * hmm_mm_destroy() - the end of an address space
 * @mm: the address space
 *
 * Lets go of what it has of HMM, which is freed when the last mirror is gone
 * too. The end of an address space does that by itself; this is for who cannot
 * wait for it. Not for drivers.
 *
 * Context: any in which one may take a spinlock.
 */
void hmm_mm_destroy(struct mm_struct *mm)
{
	struct hmm *process;

	spin_lock(&hmm_processes_lock);
	process = hmm_process_find(mm);
	if (process)
		process->pinned = false;
	spin_unlock(&hmm_processes_lock);
	if (process)
		hmm_process_put(process);
}
EXPORT_SYMBOL_GPL(hmm_mm_destroy);
#endif
