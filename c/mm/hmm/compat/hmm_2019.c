// SPDX-License-Identifier: GPL-2.0
/*
 * HMM as it was in 2019: mirrors, and ranges in the driver's own format.
 *
 * Three things happen in an invalidation, in this order: ranges that it
 * overlaps lose their validity, drivers are told to synchronise, the CPU's
 * page table changes. A fault does not begin while one is under way. So what a
 * fault reports is good until its range loses its validity, and who looks for
 * that under the lock that the driver synchronises under cannot miss it, even
 * when the invalidation has come and gone meanwhile.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "walk.h"

static bool hmm_mirror_synchronise(struct mmu_interval_notifier *notifier,
				   const struct mmu_notifier_range *update,
				   unsigned long seq)
{
	struct hmm2019_mirror *mirror =
		container_of(notifier, struct hmm2019_mirror, notifier);
	int ret;

	hmm_process_touch(mirror->hmm, update);
	mmu_interval_set_seq(notifier, seq);
	/* The end of the process is told by release. */
	if (update->event == MMU_NOTIFY_RELEASE)
		return true;
	ret = mirror->ops->sync_cpu_device_pagetables(mirror, update);
	return !ret || WARN_ON_ONCE(mmu_notifier_range_blockable(update));
}

static const struct mmu_interval_notifier_ops hmm_mirror_synchronise_ops = {
	.invalidate = hmm_mirror_synchronise,
};

/**
 * hmm_mirror_register() - begin to mirror an address space
 * @mirror: storage for the mirror, with its ops filled in
 * @mm: the address space
 *
 * A process can have any number of mirrors, of one driver or of several.
 *
 * Context: holds the mmap lock of @mm for writing, and a reference that keeps
 * @mm alive (mmget()). May sleep.
 * Return: 0; -%EINVAL when something is missing; -%ENOMEM; -%EINTR on a signal.
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
						  &hmm_mirror_synchronise_ops);
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
 * @mirror: the mirror; nothing happens when it is not registered
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

/* When nothing is under way. The caller holds the lock. */
static void hmm_range_settle(struct hmm2019_range *range)
{
	if (!range->hmm->notifiers && !range->hmm->ended)
		WRITE_ONCE(range->valid, true);
}

/**
 * hmm_range_register() - have the validity of a range tracked
 * @range: storage for the range, with the driver's fields filled in
 * @mirror: a registered mirror
 *
 * Holds on to the process's memory until hmm_range_unregister(), which must
 * therefore not be long in coming. When no invalidation is under way, the
 * range is valid.
 *
 * Context: any that may take a spinlock.
 * Return: 0; -%EINVAL for a range that is empty, reversed or not page aligned;
 * -%EFAULT when the process is gone.
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
	range->mirror = mirror;
	range->notifier = NULL;
	spin_lock(&process->ranges_lock);
	list_add(&range->list, &process->ranges);
	hmm_range_settle(range);
	spin_unlock(&process->ranges_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(hmm_range_register);

/**
 * hmm_range_unregister() - end what hmm_range_register() began
 * @range: the range; nothing happens when it is not registered
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
	range->mirror = NULL;
	/* It can be the end of the process, and call release; not from here. */
	mmput_async(process->mmu_notifier.mm);
}
EXPORT_SYMBOL_GPL(hmm_range_unregister);

static bool hmm_range_settled(struct hmm2019_range *range)
{
	bool settled;

	spin_lock(&range->hmm->ranges_lock);
	hmm_range_settle(range);
	settled = range->valid || range->hmm->ended;
	spin_unlock(&range->hmm->ranges_lock);
	return settled;
}

/**
 * hmm_range_wait_until_valid() - wait for invalidations to end
 * @range: a range that is registered or has a notifier
 * @timeout: how long, in milliseconds
 *
 * A range that is valid stays so until an invalidation overlaps it. With a
 * notifier this is mmu_interval_read_begin(), which knows no timeout.
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
 * hmm_range_valid() - whether nothing has changed
 * @range: the range
 *
 * Context: under the lock that sync_cpu_device_pagetables() takes to change
 * the device's page table. As long as that is held, true stays true.
 * Return: whether no invalidation overlapped the range since
 * hmm_range_wait_until_valid() said that it is valid, or since it was
 * registered.
 */
bool hmm_range_valid(struct hmm2019_range *range)
{
	if (range->notifier)
		return !mmu_interval_check_retry(range->notifier,
						 range->notifier_seq);
	return READ_ONCE(range->valid);
}
EXPORT_SYMBOL_GPL(hmm_range_valid);

/* The walk that a range asks for, less its sequence. */
static struct hmm_range hmm_range_walk(const struct hmm2019_range *range,
				       bool snapshot)
{
	return (struct hmm_range){
		.notifier = range->notifier ?: &range->mirror->notifier,
		.notifier_seq = range->notifier_seq,
		.start = range->start,
		.end = range->end,
		.hmm_pfns = (unsigned long *)range->pfns,
		.default_flags = snapshot ? 0 : range->default_flags,
		.pfn_flags_mask = snapshot ? 0 : range->pfn_flags_mask,
		/* All devices of that time have one owner. */
		.dev_private_owner = IS_ENABLED(CONFIG_HMM_COMPAT_PAGEMAP) ?
				     &hmm_compat_owner : NULL,
	};
}

/**
 * hmm2019_range_fault() - fill a range with entries
 * @range: a range that is registered or has a notifier
 * @flags: %HMM_FAULT_ALLOW_RETRY, %HMM_FAULT_SNAPSHOT
 *
 * What is asked of a page is in its entry, as far as
 * &hmm2019_range.pfn_flags_mask goes, and in &hmm2019_range.default_flags: the
 * valid bit to have it faulted in, the write bit besides to have it writable,
 * the bit for private memory besides to have it back from a device. A snapshot
 * asks for nothing.
 *
 * Context: holds the mmap lock. May sleep.
 * Return: how many pages were looked at, which is all of them; or
 *
 * * -%EAGAIN - a fault handler has dropped the mmap lock, as one may with
 *   %HMM_FAULT_ALLOW_RETRY: take it and try again
 * * -%EBUSY - the range is not valid, or was invalidated meanwhile, or nothing
 *   was quiet for %HMM_RANGE_DEFAULT_TIMEOUT milliseconds: wait
 * * -%EFAULT, -%EPERM, -%ENOMEM, -%EINTR - as hmm_range_fault()
 * * -%EINVAL - the range is empty, reversed, not page aligned or incomplete
 */
long hmm2019_range_fault(struct hmm2019_range *range, unsigned int flags)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT);
	struct hmm_format format;
	struct hmm_range walk;
	long ret;

	if (!hmm_range_is_aligned(range) || !range->pfns || !range->flags ||
	    !range->values || (!range->notifier && !range->hmm))
		return -EINVAL;
	format = (struct hmm_format){
		.valid = range->flags[HMM2019_PFN_VALID],
		.write = range->flags[HMM2019_PFN_WRITE],
		.device_private = range->flags[HMM_PFN_DEVICE_PRIVATE],
		.error = range->values[HMM2019_PFN_ERROR],
		.none = range->values[HMM_PFN_NONE],
		.special = range->values[HMM_PFN_SPECIAL],
		.pfn_shift = range->pfn_shift,
	};
	walk = hmm_range_walk(range, flags & HMM_FAULT_SNAPSHOT);
	do {
		if (!range->notifier) {
			if (!hmm_range_valid(range))
				return -EBUSY;
			walk.notifier_seq = mmu_interval_read_begin(walk.notifier);
		}
		if (flags & HMM_FAULT_ALLOW_RETRY)
			ret = hmm_range_fault_may_unlock(&walk, &format);
		else
			ret = hmm_range_fault_format(&walk, &format);
		/* A mirror hears of invalidations elsewhere in the process too. */
	} while (ret == -EBUSY && !range->notifier && time_before(jiffies, deadline) &&
		 !fatal_signal_pending(current));
	return ret ?: hmm_range_pages(range);
}
EXPORT_SYMBOL_GPL(hmm2019_range_fault);
