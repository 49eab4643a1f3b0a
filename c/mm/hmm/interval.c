// SPDX-License-Identifier: GPL-2.0
/*
 * Intervals: look them up and take their update lock for sections; report
 * invalidations to drivers. The steps are those of "Protocol" in mirror.h.
 */
#include <linux/cleanup.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "mirror.h"
#include "mirror_dma.h"
#include "trace.h"
#include "update_lock.h"

/* How often invalidate is called for an event that it must not refuse. */
#define HMM_INVALIDATE_TRIES 4

/**
 * hmm_interval_put() - drop a reference
 * @interval: an interval
 */
void hmm_interval_put(struct hmm_interval *interval)
{
	if (!refcount_dec_and_test(&interval->ref))
		return;
	hmm_mirror_state_put(interval->state);
	kfree_rcu(interval, rcu);
}

/**
 * hmm_interval_find() - look up the interval of an address
 * @state: of the mirror
 * @addr: the address
 *
 * Return: the interval, with a reference that the caller puts; or NULL.
 */
struct hmm_interval *hmm_interval_find(struct hmm_mirror_state *state,
				       unsigned long addr)
{
	struct hmm_interval *interval;

	guard(rcu)();
	/* Mostly the interval of the previous section (benchmark: populate-one-page). */
	interval = rcu_dereference(state->recent);
	if (!interval || !hmm_span_has(interval->span, addr) ||
	    READ_ONCE(interval->dead)) {
		interval = mtree_load(&state->ranges, addr);
		/* See hmm_mirror_range_remove_deferred(). */
		if (interval && READ_ONCE(interval->dead))
			interval = NULL;
	}
	/* Pairs with the release in hmm_interval_subscribe(). */
	if (!interval || !smp_load_acquire(&interval->added) ||
	    !refcount_inc_not_zero(&interval->ref))
		return NULL;
	return interval;
}

/* Drop a count of &hmm_interval.active. The last one completes &hmm_interval.idle. */
void hmm_interval_active_put(struct hmm_interval *interval)
{
	if (atomic_dec_and_test(&interval->active))
		complete(&interval->idle);
}

/**
 * hmm_interval_enter() - take the update lock for a section
 * @interval: an interval that a reference is held to
 *
 * The driver may free the lock once the range is removed; &hmm_interval.active delays
 * the removal until the lock is released.
 *
 * Return: 0 with the lock held; -%ENOENT if the range was removed; -%EINTR.
 */
int hmm_interval_enter(struct hmm_interval *interval)
{
	int ret;

	if (!atomic_inc_not_zero(&interval->active))
		return -ENOENT;
	ret = hmm_update_lock_shared(interval->lock);
	if (ret) {
		hmm_interval_active_put(interval);
		return -EINTR;
	}
	if (READ_ONCE(interval->dead)) {
		hmm_interval_leave(interval);
		return -ENOENT;
	}
	if (rcu_access_pointer(interval->state->recent) != interval)
		rcu_assign_pointer(interval->state->recent, interval);
	return 0;
}

/**
 * hmm_interval_leave() - drop the update lock
 * @interval: of hmm_interval_enter()
 */
void hmm_interval_leave(struct hmm_interval *interval)
{
	hmm_update_unlock_shared(interval->lock);
	hmm_interval_active_put(interval);
}

/**
 * hmm_interval_add_mover() - register a section that invalidates the interval
 * @interval: an interval that a reference is held to
 * @mover: storage for the registration
 *
 * Every invalidation that begins later, and is not of the caller's task, sets
 * &hmm_mover.changed. mmu_interval_read_begin() waits for those that began
 * before: they have moved the sequence, as adding under the update lock orders
 * the two.
 *
 * Return: as hmm_interval_enter(), with the lock not held.
 */
int hmm_interval_add_mover(struct hmm_interval *interval,
			   struct hmm_mover *mover)
{
	int ret = hmm_interval_enter(interval);

	if (ret)
		return ret;
	mover->task = current;
	mover->changed = false;
	scoped_guard(spinlock, &interval->movers_lock)
		list_add(&mover->list, &interval->movers);
	hmm_interval_leave(interval);
	return 0;
}

/**
 * hmm_interval_del_mover() - unregister a mover
 * @interval: of hmm_interval_add_mover()
 * @mover: the registration. &hmm_mover.changed is final if the update lock is
 *	held
 */
void hmm_interval_del_mover(struct hmm_interval *interval,
			    struct hmm_mover *mover)
{
	guard(spinlock)(&interval->movers_lock);
	list_del(&mover->list);
}

/*
 * Whether the event is that of a section of this interval that makes a page
 * exclusive: it is of the section's task. The page frame stays mapped, so the device
 * need not be invalidated; and if the sequence moved, that section would retry for
 * ever. Other mirrors of the owner, and other intervals, are invalidated: the page is
 * exclusive to one device.
 */
static bool hmm_interval_is_own_exclusive(struct hmm_interval *interval,
					  const struct mmu_notifier_range *event)
{
	const struct hmm_mover *mover;

	if (event->event != MMU_NOTIFY_EXCLUSIVE ||
	    event->owner != interval->state->owner)
		return false;
	guard(spinlock)(&interval->movers_lock);
	list_for_each_entry(mover, &interval->movers, list)
		if (mover->task == current)
			return true;
	return false;
}

/*
 * Make every mover repeat its walk, except the one that invalidates. The update lock is
 * held for writing.
 */
static void hmm_interval_change_movers(struct hmm_interval *interval)
{
	struct hmm_mover *mover;

	/* None is added while the update lock is held for writing. */
	if (list_empty(&interval->movers))
		return;
	guard(spinlock)(&interval->movers_lock);
	list_for_each_entry(mover, &interval->movers, list)
		if (mover->task != current)
			mover->changed = true;
}

/*
 * Record that the caller enters a callback, under the update lock. Returns what
 * hmm_interval_leave_callback() takes.
 */
static __always_inline struct task_struct *
hmm_interval_enter_callback(struct hmm_interval *interval)
{
	struct task_struct **slot = interval->caller;
	struct task_struct *caller = READ_ONCE(*slot);

	WRITE_ONCE(*slot, current);
	if (unlikely(slot == &interval->own_caller))
		atomic_inc(&interval->state->own_lock_calls);
	return caller;
}

/*
 * @caller: result of hmm_interval_enter_callback(); not NULL only for a callback nested
 * in another one that ended its range.
 */
static __always_inline void hmm_interval_leave_callback(struct hmm_interval *interval,
							struct task_struct *caller)
{
	struct task_struct **slot = interval->caller;

	if (unlikely(slot == &interval->own_caller))
		atomic_dec(&interval->state->own_lock_calls);
	WRITE_ONCE(*slot, caller);
}

/*
 * Call ->invalidate once more, and again, if it returned false although @inv->may_block is
 * set. In the callback.
 */
static noinline bool hmm_interval_call_again(struct hmm_interval *interval,
					     struct hmm_mirror *mirror,
					     const struct hmm_invalidation *inv)
{
	int tries;

	for (tries = 1; inv->may_block && tries < HMM_INVALIDATE_TRIES; tries++) {
		/* The callback may have ended the range, which invalidates all of it. */
		if (interval->released)
			break;
		WARN_ONCE(1, "%ps: invalidate returned false although it may block\n",
			  mirror->ops->invalidate);
		cond_resched();
		if (mirror->ops->invalidate(mirror, inv))
			return true;
	}
	return false;
}

/* Call ->invalidate. The update lock is held. */
static __always_inline bool hmm_interval_call(struct hmm_interval *interval,
					      struct hmm_mirror *mirror,
					      const struct hmm_invalidation *inv)
{
	struct task_struct *caller = hmm_interval_enter_callback(interval);
	bool invalidated;

	if (!inv->may_block)
		non_block_start();
	invalidated = mirror->ops->invalidate(mirror, inv);
	if (!inv->may_block)
		non_block_end();
	if (unlikely(!invalidated))
		invalidated = hmm_interval_call_again(interval, mirror, inv);
	hmm_interval_leave_callback(interval, caller);
	return invalidated;
}

/* Call ->invalidate_finish. The update lock is held. */
static void hmm_interval_call_finish(struct hmm_interval *interval,
				     const struct hmm_invalidation *inv)
{
	struct hmm_mirror *mirror = interval->state->mirror;
	struct task_struct *caller = hmm_interval_enter_callback(interval);

	if (!inv->may_block)
		non_block_start();
	mirror->ops->invalidate_finish(mirror, inv);
	if (!inv->may_block)
		non_block_end();
	hmm_interval_leave_callback(interval, caller);
}

/*
 * An interval that was added during an invalidation is not yet in the list that the
 * end of the process walks, so check the mirror's flag too. The device has mapped
 * nothing of it: sections wait until it is listed.
 */
static bool hmm_interval_is_released(const struct hmm_interval *interval)
{
	return interval->released ||
	       test_bit(HMM_MIRROR_STATE_RELEASED, &interval->state->flags);
}

/*
 * The part of an invalidation that follows ->invalidate, which returned @invalidated:
 * wait for the device, and unmap device addresses. Unmap them also if the driver returned
 * false although it may block: an IOMMU then stops accesses to memory that the
 * process no longer has. Returns false only if @inv->may_block is false.
 */
static noinline bool hmm_interval_last_pass(struct hmm_interval *interval,
					    const struct hmm_invalidation *inv,
					    bool invalidated)
{
	struct hmm_mirror *mirror = interval->state->mirror;

	/* A callback ended the range; see hmm_interval_abandon(). */
	if (interval->released)
		return true;
	if (invalidated && mirror->ops->invalidate_finish) {
		hmm_interval_call_finish(interval, inv);
		if (interval->released)
			return true;
	}
	if (RB_EMPTY_ROOT(&mirror->dmas.rb_root))
		return true;
	return hmm_mirror_dma_unmap_span(mirror, inv->span, inv->may_block);
}

/*
 * Whether an invalidation can have two passes: the driver has a second part, the caller
 * may sleep, and none of this interval is waiting for its second pass. The end of the
 * process has one: release follows it, and no callback follows release.
 */
static bool hmm_interval_has_two_passes(const struct hmm_interval *interval,
					const struct hmm_invalidation *inv)
{
	return interval->state->mirror->ops->invalidate_finish && inv->may_block &&
	       inv->event != MMU_NOTIFY_RELEASE && !interval->second_pass.used;
}

/*
 * Invalidate a span on the device. If @two_passes is not NULL, it is set to whether the rest
 * is left to a second pass.
 * Inlined, as every invalidation does this (benchmark: the curve of mirrors).
 */
static __always_inline bool
hmm_interval_first_pass(struct hmm_interval *interval, struct hmm_mirror *mirror,
			const struct hmm_invalidation *inv, bool *two_passes)
{
	if (unlikely(hmm_interval_is_released(interval)))
		return true;
	if (unlikely(!hmm_interval_call(interval, mirror, inv)))
		return inv->may_block && hmm_interval_last_pass(interval, inv, false);
	/* In the callback the driver may have ended the range; see hmm_interval_abandon(). */
	if (unlikely(interval->released))
		return true;
	/* Few mirrors have more to do (benchmark: the curve of mirrors). */
	if (likely(!mirror->ops->invalidate_finish && RB_EMPTY_ROOT(&mirror->dmas.rb_root)))
		return true;
	if (two_passes && hmm_interval_has_two_passes(interval, inv)) {
		*two_passes = true;
		return true;
	}
	return hmm_interval_last_pass(interval, inv, true);
}

/**
 * hmm_interval_invalidate_device() - invalidate a span on the device, in one pass
 * @interval: an interval whose update lock is held
 * @inv: the invalidation
 *
 * Return: true; false if the driver cannot without sleeping, and
 * @inv->may_block is false.
 */
bool hmm_interval_invalidate_device(struct hmm_interval *interval,
				    const struct hmm_invalidation *inv)
{
	return hmm_interval_first_pass(interval, interval->state->mirror, inv, NULL);
}

/*
 * First pass of mmu_interval_notifier_ops: lock, move the sequence, invalidate the device,
 * unlock.
 */
static bool hmm_interval_invalidate(struct mmu_interval_notifier *notifier,
				    const struct mmu_notifier_range *event,
				    unsigned long seq,
				    struct mmu_interval_notifier_finish **finish)
{
	struct hmm_interval *interval =
		container_of(notifier, struct hmm_interval, notifier);
	struct hmm_invalidation inv = {
		.span = hmm_span_clip(interval->span, (struct hmm_span){
					      event->start, event->end }),
		.event = event->event,
		.may_block = mmu_notifier_range_blockable(event),
	};
	struct hmm_mirror *mirror;
	bool two_passes = false;
	bool invalidated;
	u64 began;

	if (!hmm_update_lock(interval->lock, inv.may_block))
		return false;
	began = hmm_trace_begin(hmm_invalidate);
	/* Read it now: the callback may end the mirror. */
	mirror = interval->state->mirror;
	/* Read it under the lock, under which the range may be removed and freed. */
	inv.range = READ_ONCE(interval->range);
	invalidated = hmm_interval_is_own_exclusive(interval, event);
	if (!invalidated) {
		hmm_mirror_count(interval->state, HMM_COUNT_INVALIDATIONS, 1);
		mmu_interval_set_seq(notifier, seq);
		hmm_interval_change_movers(interval);
		invalidated = hmm_interval_first_pass(interval, mirror, &inv, &two_passes);
		/* The process has ended: no mapping and no section will follow. */
		if (inv.event == MMU_NOTIFY_RELEASE) {
			WRITE_ONCE(interval->dead, true);
			WRITE_ONCE(interval->released, true);
		}
	}
	if (unlikely(two_passes)) {
		interval->second_pass.inv = inv;
		interval->second_pass.began = began;
		interval->second_pass.used = true;
		*finish = &interval->second_pass.finish;
	} else {
		trace_hmm_invalidate(mirror, &inv.span, inv.event, inv.may_block,
				     invalidated, hmm_trace_ns(began));
	}
	hmm_update_unlock(interval->lock);
	return invalidated;
}

/*
 * Second pass of mmu_interval_notifier_ops. Takes the update lock. The end of a range
 * waits for it in mmu_interval_notifier_remove().
 */
static void hmm_interval_invalidate_finish(struct mmu_interval_notifier_finish *finish)
{
	struct hmm_interval_second_pass *second =
		container_of(finish, struct hmm_interval_second_pass, finish);
	struct hmm_interval *interval =
		container_of(second, struct hmm_interval, second_pass);
	struct hmm_update_lock lock = interval->lock;
	struct hmm_mirror *mirror;

	hmm_update_lock(lock, true);
	mirror = interval->state->mirror;
	/* The range may have been removed, and freed, since the first pass. */
	second->inv.range = READ_ONCE(interval->range);
	hmm_interval_last_pass(interval, &second->inv, true);
	trace_hmm_invalidate(mirror, &second->inv.span, second->inv.event, true, true,
			     hmm_trace_ns(second->began));
	second->used = false;
	hmm_update_unlock(lock);
}

const struct mmu_interval_notifier_ops hmm_interval_ops = {
	.invalidate_start = hmm_interval_invalidate,
	.invalidate_finish = hmm_interval_invalidate_finish,
};
