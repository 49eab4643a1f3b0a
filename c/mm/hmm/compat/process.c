// SPDX-License-Identifier: GPL-2.0
/*
 * The state that a process has for API years 2017 and 2019: allocated when its
 * first mirror is registered, freed with the address space.
 *
 * An invalidation goes through these steps, in this order:
 *
 * 1. hmm_process_start() records its addresses and makes the ranges that it
 *    overlaps invalid, under ranges_lock;
 * 2. each mirror's sync_cpu_device_pagetables() is called;
 * 3. the CPU's page table changes;
 * 4. hmm_process_end() removes the record.
 *
 * A range becomes valid only in hmm_range_register(), hmm_range_wait_until_valid()
 * and hmm_range_fault(), under the same lock, and only while no record overlaps
 * it. So a range that is valid under the driver's lock has seen no invalidation
 * since before its pages were walked, and one that begins afterwards reaches the
 * driver's callback, which waits for that lock.
 *
 * The order of steps 1 and 2 is what makes this right. An interval notifier would
 * call the driver before the mm's own notifiers, among them hmm_process_start(),
 * so that a range could become valid in between and the driver would not be
 * called again. Interval notifiers are used only where a callback may refuse,
 * which invalidate_range_start() must not: see hmm_process_reaping().
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"

static LIST_HEAD(hmm_processes);
static DEFINE_SPINLOCK(hmm_processes_lock); /* protects the list, and pinned */

/* The state whose notifier this is. */
static struct hmm *hmm_process_of(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct hmm, mmu_notifier);
}

/* Invalidate ranges that @update overlaps. The caller holds ranges_lock. */
static void hmm_process_touch_ranges(struct hmm *process,
				     const struct mmu_notifier_range *update)
{
	struct hmm2019_range *range;

	list_for_each_entry(range, &process->ranges, list) {
		if (range->start >= update->end || update->start >= range->end)
			continue;
		WRITE_ONCE(range->valid, false);
		range->touched = min(range->touched, max(update->start, range->start));
		/* The walk compares it, see hmm_range_fault_step(). */
		WRITE_ONCE(range->sequence.invalidate_seq, range->sequence.invalidate_seq + 1);
	}
}

/**
 * hmm_process_is_quiet() - whether no invalidation of some addresses is under way
 * @process: the state
 * @start: first address
 * @end: address after the last
 *
 * Invalidations without a record, of which there are some only while more than
 * %HMM_PROCESS_ACTIVE are under way, count as invalidations of everything.
 *
 * Context: the caller holds ranges_lock.
 * Return: whether none is under way, and the address space is usable.
 */
bool hmm_process_is_quiet(const struct hmm *process, unsigned long start,
			  unsigned long end)
{
	int i;

	if (process->ended || process->reaping ||
	    process->notifiers > process->nr_active)
		return false;
	for (i = 0; i < process->nr_active; i++)
		if (process->active[i].start < end && start < process->active[i].end)
			return false;
	return true;
}

/*
 * Record an invalidation that begins, if there is room. The caller holds ranges_lock.
 */
static void hmm_process_record(struct hmm *process,
			       const struct mmu_notifier_range *update)
{
	process->notifiers++;
	if (process->nr_active == HMM_PROCESS_ACTIVE)
		return;
	process->active[process->nr_active].start = update->start;
	process->active[process->nr_active].end = update->end;
	process->nr_active++;
}

/* Of several records of the same addresses any will do. */
static void hmm_process_forget(struct hmm *process,
			       const struct mmu_notifier_range *update)
{
	int i;

	process->notifiers--;
	for (i = 0; i < process->nr_active; i++) {
		if (process->active[i].start != update->start ||
		    process->active[i].end != update->end)
			continue;
		process->active[i] = process->active[--process->nr_active];
		break;
	}
	if (!process->notifiers)
		process->nr_active = 0;
}

/* Call each mirror. Takes mirrors_sem for reading; may sleep. */
static void hmm_process_sync_mirrors(struct hmm *process,
				     const struct mmu_notifier_range *update)
{
	struct hmm2019_mirror *mirror;

	down_read(&process->mirrors_sem);
	list_for_each_entry(mirror, &process->mirrors, list)
		WARN_ON_ONCE(mirror->ops->sync_cpu_device_pagetables(mirror, update));
	up_read(&process->mirrors_sem);
}

/* &mmu_notifier_ops.invalidate_range_start: steps 1 and 2. Takes ranges_lock. */
static int hmm_process_start(struct mmu_notifier *notifier,
			     const struct mmu_notifier_range *update)
{
	struct hmm *process = hmm_process_of(notifier);

	spin_lock(&process->ranges_lock);
	hmm_process_record(process, update);
	hmm_process_touch_ranges(process, update);
	spin_unlock(&process->ranges_lock);
	/* Otherwise the mirrors' interval notifiers have called them. */
	if (mmu_notifier_range_blockable(update))
		hmm_process_sync_mirrors(process, update);
	return 0;
}

/* &mmu_notifier_ops.invalidate_range_end: step 4. Takes ranges_lock. */
static void hmm_process_end(struct mmu_notifier *notifier,
			    const struct mmu_notifier_range *update)
{
	struct hmm *process = hmm_process_of(notifier);

	spin_lock(&process->ranges_lock);
	hmm_process_forget(process, update);
	spin_unlock(&process->ranges_lock);
	wake_up_all(&process->wq);
}

/* Make all ranges invalid. The caller holds ranges_lock. */
static void hmm_process_touch_all(struct hmm *process)
{
	const struct mmu_notifier_range everything = { .end = ULONG_MAX };

	hmm_process_touch_ranges(process, &everything);
}

/**
 * hmm_process_reaping() - the OOM reaper begins to empty an address space
 * @process: the state
 *
 * Only the reaper invalidates without blocking, and only that can be refused, by
 * an interval notifier, which is called before hmm_process_start(). So that no
 * range can become valid in between, none becomes valid any more. The process
 * is being killed, and what is read from its memory afterwards may be zeros in
 * place of data.
 */
void hmm_process_reaping(struct hmm *process)
{
	spin_lock(&process->ranges_lock);
	process->reaping = true;
	hmm_process_touch_all(process);
	spin_unlock(&process->ranges_lock);
	wake_up_all(&process->wq);
}

/* Drop the address space's own reference, if it still has one. */
static void hmm_process_unpin(struct hmm *process)
{
	bool pinned;

	spin_lock(&hmm_processes_lock);
	pinned = process->pinned;
	process->pinned = false;
	spin_unlock(&hmm_processes_lock);
	if (pinned)
		hmm_process_put(process);
}

/* Report the end of the address space to each mirror. Takes mirrors_sem; may sleep. */
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

/* &mmu_notifier_ops.release: the address space ends, and no range is valid any more. */
static void hmm_process_release(struct mmu_notifier *notifier,
				struct mm_struct *mm)
{
	struct hmm *process = hmm_process_of(notifier);

	spin_lock(&process->ranges_lock);
	process->ended = true;
	hmm_process_touch_all(process);
	spin_unlock(&process->ranges_lock);
	wake_up_all(&process->wq);

	hmm_process_notify_release(process, mm);
	hmm_process_unpin(process);
}

/* &mmu_notifier_ops.alloc_notifier, of the first mirror of a process. May sleep. */
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

/* &mmu_notifier_ops.free_notifier: no callback runs any more. */
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
 * hmm_process_get_locked() - look up the state of a process, or allocate it
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
	/* The mmap lock serializes with others that set pinned. */
	if (!process->pinned &&
	    !IS_ERR(mmu_notifier_get_locked(&hmm_process_ops, mm))) {
		spin_lock(&hmm_processes_lock);
		process->pinned = true;
		spin_unlock(&hmm_processes_lock);
	}
	return process;
}

/**
 * hmm_process_put() - drop a reference
 * @process: the state
 */
void hmm_process_put(struct hmm *process)
{
	mmu_notifier_put(&process->mmu_notifier);
}

/* The state of an address space, if it is pinned. The caller holds hmm_processes_lock. */
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
 * Return: whether it has at this moment.
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
 * hmm_mm_destroy() - drop the HMM state of an address space
 * @mm: the address space
 *
 * The state is freed when its last mirror is unregistered too. The end of an
 * address space does the same. Not for drivers.
 *
 * Context: any that may take a spinlock.
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
