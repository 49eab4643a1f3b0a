// SPDX-License-Identifier: GPL-2.0
/*
 * Compiled at the end of mm/mmu_notifier.c, whose structures it needs.
 */
#ifdef CONFIG_HMM_MIRROR
#include "../mirror.h"

/**
 * mmu_interval_read_begin_killable() - mmu_interval_read_begin() that a fatal
 *	signal ends
 * @notifier: the subscription
 * @seq: where the sequence goes
 *
 * An invalidation of the interval lasts until all its subscribers have returned,
 * those of other drivers included, and what they wait for is theirs to choose.
 *
 * Context: as mmu_interval_read_begin().
 * Return: 0; -%EINTR on a fatal signal, with @seq not written.
 */
int mmu_interval_read_begin_killable(struct mmu_interval_notifier *notifier,
				     unsigned long *seq)
{
	struct mmu_notifier_subscriptions *subscriptions =
		notifier->mm->notifier_subscriptions;
	unsigned long begun;
	bool busy;

	scoped_guard(spinlock, &subscriptions->lock) {
		begun = READ_ONCE(notifier->invalidate_seq);
		busy = begun == subscriptions->invalidate_seq;
	}

	/* It waits for what holds this. */
	lock_map_acquire(&__mmu_notifier_invalidate_range_start_map);
	lock_map_release(&__mmu_notifier_invalidate_range_start_map);
	if (busy && wait_event_killable(subscriptions->wq,
					READ_ONCE(subscriptions->invalidate_seq) != begun))
		return -EINTR;
	*seq = begun;
	return 0;
}

/**
 * mmu_interval_notifier_insert_killable() - mmu_interval_notifier_insert() that
 *	takes a lock only for the first interval notifier of a process
 * @notifier: storage for the subscription
 * @mm: the process; its users are counted
 * @start: the first address
 * @length: how many bytes
 * @ops: what is called
 *
 * Context: process context. If @mm has no interval notifier, holds no mmap lock;
 * otherwise any lock that allows an allocation.
 * Return: as mmu_interval_notifier_insert(); -%EINTR on a fatal signal.
 */
int mmu_interval_notifier_insert_killable(struct mmu_interval_notifier *notifier,
					  struct mm_struct *mm,
					  unsigned long start,
					  unsigned long length,
					  const struct mmu_interval_notifier_ops *ops)
{
	/* Pairs with the release in __mmu_notifier_register(). */
	struct mmu_notifier_subscriptions *subscriptions =
		smp_load_acquire(&mm->notifier_subscriptions);
	int ret;

	if (subscriptions && subscriptions->has_itree)
		return __mmu_interval_notifier_insert(notifier, mm, subscriptions,
						      start, length, ops);
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	ret = mmu_interval_notifier_insert_locked(notifier, mm, start, length, ops);
	mmap_write_unlock(mm);
	return ret;
}
#endif
