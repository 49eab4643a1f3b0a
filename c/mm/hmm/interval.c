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
	hmm_state_put(interval->state);
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
	/* Most likely that of the section before (benchmark: populate-one-page). */
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

void hmm_interval_active_put(struct hmm_interval *interval)
{
	if (atomic_dec_and_test(&interval->active))
		complete(&interval->idle);
}

/**
 * hmm_interval_enter() - take the update lock for a section
 * @interval: an interval that a reference is held to
 *
 * The lock may be in memory of the driver's that goes when the range was
 * removed. &hmm_interval.active keeps the removal from returning meanwhile.
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
 * hmm_interval_del_mover() - take a registration back
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
 * Whether a section of this interval is making a page exclusive: the event is
 * of its own task. The page frame stays the same, so the device loses nothing;
 * and were the sequence to move, that section would never end. Other mirrors of
 * the owner, and other intervals, must forget the page: it is one device's.
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

/* Make every mover repeat its walk, except the one that invalidates. */
static void hmm_interval_change_movers(struct hmm_interval *interval)
{
	struct hmm_mover *mover;

	/* None is added while the update lock is held for writing. */
	if (list_empty_careful(&interval->movers))
		return;
	guard(spinlock)(&interval->movers_lock);
	list_for_each_entry(mover, &interval->movers, list)
		if (mover->task != current)
			mover->changed = true;
}

/* Call the driver, again if it refused without being allowed to. */
static bool hmm_interval_call(struct hmm_interval *interval,
			      const struct hmm_invalidation *inv)
{
	struct hmm_mirror *mirror = interval->state->mirror;
	const struct hmm_mirror_ops *ops = mirror->ops;
	struct task_struct *caller = READ_ONCE(*interval->caller);
	bool own = hmm_interval_has_own_lock(interval);
	int tries = 0;
	bool gone;

	WRITE_ONCE(*interval->caller, current);
	if (own)
		atomic_inc(&interval->state->own_calls);
	do {
		if (!inv->may_block)
			non_block_start();
		gone = ops->invalidate(mirror, inv);
		if (!inv->may_block)
			non_block_end();
		/* The callback may have ended the range, and all that it forgets. */
		if (gone || !inv->may_block || interval->released)
			break;
		WARN_ONCE(1, "%ps: invalidate returned false although it may block\n",
			  ops->invalidate);
		cond_resched();
	} while (++tries < HMM_INVALIDATE_TRIES);
	if (own)
		atomic_dec(&interval->state->own_calls);
	/* NULL, but in a callback that ended its own range. */
	WRITE_ONCE(*interval->caller, caller);
	return gone;
}

/*
 * Have the device forget a span, and then take its DMA addresses away. Those go
 * too if the driver refuses although it may block: an IOMMU then stops
 * accesses to memory that the process no longer has. Returns false only if
 * @inv->may_block is false; the caller holds the update lock.
 */
bool hmm_interval_forget(struct hmm_interval *interval,
				const struct hmm_invalidation *inv)
{
	struct hmm_mirror *mirror = interval->state->mirror;

	/*
	 * An interval that was added during an invalidation is in no list that
	 * the end of the process walks, so the mirror's flag is checked too.
	 * Nothing of it was ever mapped: sections wait until it is listed.
	 */
	if (interval->released ||
	    test_bit(HMM_STATE_RELEASED, &interval->state->flags))
		return true;
	if (!hmm_interval_call(interval, inv) && !inv->may_block)
		return false;
	/* The callback ended the range; see hmm_interval_abandon(). */
	if (interval->released)
		return true;
	/* Few mirrors have any (benchmark: the curve of mirrors). */
	if (RB_EMPTY_ROOT(&mirror->dmas.rb_root))
		return true;
	return hmm_mirror_dma_forget(mirror, inv->span, inv->may_block);
}

/* As an mmu_notifier callback: lock, move the sequence, forget, unlock. */
static bool hmm_interval_invalidate(struct mmu_interval_notifier *notifier,
				    const struct mmu_notifier_range *event,
				    unsigned long seq)
{
	struct hmm_interval *interval =
		container_of(notifier, struct hmm_interval, notifier);
	struct hmm_invalidation inv = {
		.span = hmm_span_clip(interval->span, (struct hmm_span){
					      event->start, event->end }),
		.event = event->event,
		.may_block = mmu_notifier_range_blockable(event),
	};
	struct hmm_update_lock lock = interval->lock;
	struct hmm_mirror *mirror;
	bool gone;
	u64 began;

	if (!hmm_update_lock(lock, inv.may_block))
		return false;
	began = hmm_trace_begin(hmm_invalidate);
	/* Not afterwards: the callback may end the mirror. */
	mirror = interval->state->mirror;
	/* Not before: a caller that removes the range under the lock may free it. */
	inv.range = READ_ONCE(interval->range);
	gone = hmm_interval_is_own_exclusive(interval, event);
	if (!gone) {
		mmu_interval_set_seq(notifier, seq);
		hmm_interval_change_movers(interval);
		gone = hmm_interval_forget(interval, &inv);
		/* The process has ended: no mapping and no section will follow. */
		if (event->event == MMU_NOTIFY_RELEASE) {
			WRITE_ONCE(interval->dead, true);
			WRITE_ONCE(interval->released, true);
		}
	}
	trace_hmm_invalidate(mirror, inv.span, event->event, inv.may_block, gone,
			     hmm_trace_ns(began));
	hmm_update_unlock(lock);
	return gone;
}

const struct mmu_interval_notifier_ops hmm_interval_ops = {
	.invalidate = hmm_interval_invalidate,
};
