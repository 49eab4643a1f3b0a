// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrors and their ranges: report invalidations to drivers, set up and tear down.
 * The steps are those of "Protocol" in mirror.h.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "mirror.h"
#include "mirror_dma.h"
#include "trace.h"

/* How often invalidate is called for an event that it must not refuse. */
#define HMM_INVALIDATE_TRIES 4

/* The only user of the last page of the address space: no span reaches it. */
#define HMM_RELEASE_ADDRESS (ULONG_MAX & PAGE_MASK)

static struct workqueue_struct *hmm_mirror_wq;

static int __init hmm_mirror_setup(void)
{
	hmm_mirror_wq = alloc_workqueue("hmm_mirror", WQ_UNBOUND, 0);
	return hmm_mirror_wq ? 0 : -ENOMEM;
}
core_initcall(hmm_mirror_setup);

/* The update lock, for invalidations. Returns false only if it may not block. */
static __no_context_analysis bool hmm_update_lock(struct hmm_update_lock lock,
						  bool may_block)
{
	if (!may_block)
		return lock.rwsem ? down_write_trylock(lock.rwsem) :
				    mutex_trylock(lock.mutex);
	if (lock.rwsem)
		down_write(lock.rwsem);
	else
		mutex_lock(lock.mutex);
	return true;
}

static __no_context_analysis void hmm_update_unlock(struct hmm_update_lock lock)
{
	if (lock.rwsem)
		up_write(lock.rwsem);
	else
		mutex_unlock(lock.mutex);
}

/* The update lock, for sections. */
static __no_context_analysis int hmm_update_lock_shared(struct hmm_update_lock lock)
{
	return lock.rwsem ? down_read_killable(lock.rwsem) :
			    mutex_lock_killable(lock.mutex);
}

static __no_context_analysis void
hmm_update_unlock_shared(struct hmm_update_lock lock)
{
	if (lock.rwsem)
		up_read(lock.rwsem);
	else
		mutex_unlock(lock.mutex);
}

/* Notify lockdep that reclaim takes the lock: invalidations do. */
static void hmm_update_lock_prime(struct hmm_update_lock lock)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	fs_reclaim_acquire(GFP_KERNEL);
	hmm_invalidation_acquire();
	if (lock.rwsem)
		might_lock(lock.rwsem);
	else
		might_lock(lock.mutex);
	hmm_invalidation_release();
	fs_reclaim_release(GFP_KERNEL);
}

static bool hmm_update_lock_valid(struct hmm_update_lock lock)
{
	return !lock.mutex != !lock.rwsem;
}

static void hmm_state_put(struct hmm_mirror_state *state)
{
	if (refcount_dec_and_test(&state->ref))
		kfree(state);
}

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

static void hmm_interval_active_put(struct hmm_interval *interval)
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
static bool hmm_interval_forget(struct hmm_interval *interval,
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
	if (list_empty(&mirror->dmas))
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

static const struct mmu_interval_notifier_ops hmm_interval_ops = {
	.invalidate = hmm_interval_invalidate,
};

/* Call release, unless the end of the process or of the mirror did before. */
static void hmm_state_release(struct hmm_mirror_state *state)
{
	struct hmm_mirror *mirror = state->mirror;

	if (test_and_set_bit(HMM_STATE_RELEASED, &state->flags) || !mirror->ops->release)
		return;
	WRITE_ONCE(state->releaser, current);
	mirror->ops->release(mirror);
	WRITE_ONCE(state->releaser, NULL);
}

/* All intervals of the mirror have seen MMU_NOTIFY_RELEASE. */
static bool hmm_state_mm_release(struct mmu_interval_notifier *notifier,
				 const struct mmu_notifier_range *event,
				 unsigned long seq)
{
	if (event->event == MMU_NOTIFY_RELEASE)
		hmm_state_release(container_of(notifier, struct hmm_mirror_state,
					       notifier));
	return true;
}

static const struct mmu_interval_notifier_ops hmm_state_ops = {
	.invalidate = hmm_state_mm_release,
};

/*
 * Claim the right to end an interval. The end of the mirror, the removal of the
 * range and a callback that drops it can come together; one of them ends it.
 */
static bool hmm_interval_claim(struct hmm_interval *interval)
{
	return !test_and_set_bit(HMM_INTERVAL_ENDING, &interval->flags);
}

/* The range is not used any more, and the driver may free it. */
static void hmm_interval_detach(struct hmm_interval *interval)
{
	struct hmm_mirror_range *range = interval->range;

	if (!range)
		return;
	WRITE_ONCE(interval->range, NULL);
	WRITE_ONCE(range->interval, NULL);
	range->mirror = NULL;
}

/* unlist: its addresses can be added again, and the mirror does not wait for it. */
static void hmm_interval_unlist(struct hmm_interval *interval)
{
	struct hmm_mirror_state *state = interval->state;

	mtree_erase(&state->ranges, interval->span.start);
	if (atomic_dec_and_test(&state->intervals))
		wake_up_var(&state->intervals);
}

/*
 * kill: no section enters any more, and the device reaches nothing. The caller
 * holds the update lock.
 */
static void hmm_interval_kill_locked(struct hmm_interval *interval)
{
	const struct hmm_invalidation inv = {
		.span = interval->span,
		.range = interval->range,
		.event = MMU_NOTIFY_RELEASE,
		.may_block = true,
	};

	WRITE_ONCE(interval->dead, true);
	hmm_interval_forget(interval, &inv);
}

static void hmm_interval_kill(struct hmm_interval *interval)
{
	hmm_update_lock(interval->lock, true);
	hmm_interval_kill_locked(interval);
	hmm_update_unlock(interval->lock);
}

/*
 * drain, unsubscribe and unlist. No section that faults is waited for. Not before:
 * what ends the mirror, or its device addresses, finds intervals by that list only.
 */
static void hmm_interval_finish(struct hmm_interval *interval)
{
	struct hmm_mirror_state *state = interval->state;

	hmm_interval_active_put(interval);
	wait_for_completion(&interval->idle);
	/* Nobody enters it any more, and so nobody makes it the recent one. */
	cmpxchg((struct hmm_interval __force **)&state->recent, interval, NULL);
	mmu_interval_notifier_remove(&interval->notifier);
	hmm_interval_detach(interval);
	hmm_interval_unlist(interval);
	hmm_interval_put(interval);
}

/* End an interval that the caller has claimed. */
static void hmm_interval_end(struct hmm_interval *interval)
{
	hmm_interval_kill(interval);
	hmm_interval_finish(interval);
}

/* Intervals of hmm_interval_end_later(). */
static void hmm_state_end_removed(struct hmm_mirror_state *state)
{
	struct hmm_interval *interval;

	for (;;) {
		scoped_guard(spinlock_irqsave, &state->removed_lock) {
			interval = state->removed;
			if (interval)
				WRITE_ONCE(state->removed, interval->next_removed);
		}
		if (!interval)
			return;
		hmm_interval_end(interval);
	}
}

/*
 * Wait until every interval has ended. Others may be ending some: a thread that
 * removes a range, or a callback that does so later.
 */
static void hmm_state_wait_for_intervals(struct hmm_mirror_state *state)
{
	do {
		hmm_state_end_removed(state);
		wait_var_event(&state->intervals,
			       !atomic_read_acquire(&state->intervals) ||
			       READ_ONCE(state->removed));
	} while (atomic_read_acquire(&state->intervals));
}

/*
 * The last step of the end of a mirror. When @done returns the driver's module may
 * go, unless something else of it is listed.
 */
static void hmm_state_finish(struct hmm_mirror_state *state,
			     struct hmm_mirror *mirror,
			     void (*done)(struct hmm_mirror *mirror))
{
	mmu_interval_notifier_remove(&state->notifier);
	mtree_destroy(&state->ranges);
	if (done)
		done(mirror);
	hmm_owned_del(&state->owned);
	hmm_state_put(state);
}

/*
 * The interval of a mirror at or after @index, with a reference that the caller
 * puts; or NULL. Moves @index behind it: no span reaches the last page, so that it
 * does not wrap.
 */
static struct hmm_interval *hmm_state_next_interval(struct hmm_mirror_state *state,
						    unsigned long *index)
{
	struct hmm_interval *interval;

	guard(rcu)();
	do
		interval = mt_find(&state->ranges, index, ULONG_MAX);
	while (interval && !refcount_inc_not_zero(&interval->ref));
	return interval;
}

static void hmm_mirror_end(struct hmm_mirror *mirror,
			   void (*done)(struct hmm_mirror *mirror))
{
	struct hmm_mirror_state *state = mirror->state;
	struct hmm_interval *interval;
	unsigned long index = 0;

	while ((interval = hmm_state_next_interval(state, &index))) {
		if (hmm_interval_claim(interval))
			hmm_interval_end(interval);
		hmm_interval_put(interval);
	}
	hmm_state_wait_for_intervals(state);
	hmm_state_release(state);
	hmm_state_finish(state, mirror, done);
}

/* The rest of hmm_state_abandon(). The mirror may be gone. */
static void hmm_state_end_abandoned(struct hmm_mirror_state *state)
{
	struct hmm_interval *interval;
	unsigned long index = 0;

	while ((interval = hmm_state_next_interval(state, &index))) {
		if (hmm_interval_claim(interval))
			hmm_interval_finish(interval);
		hmm_interval_put(interval);
	}
	hmm_state_wait_for_intervals(state);
	hmm_state_finish(state, NULL, NULL);
}

/*
 * The deferred part of removal: end ranges, and then the mirror. The work item can
 * be queued again after a run that did all of it, so it has a reference.
 */
static void hmm_state_work(struct work_struct *work)
{
	struct hmm_mirror_state *state =
		container_of(work, struct hmm_mirror_state, work);

	hmm_state_end_removed(state);
	if (test_and_clear_bit(HMM_STATE_ABANDONED, &state->flags))
		hmm_state_end_abandoned(state);
	if (test_and_clear_bit(HMM_STATE_DEFERRED, &state->flags))
		hmm_mirror_end(state->mirror, state->done);
	hmm_state_put(state);
}

/*
 * Queue the work item. The caller has taken a reference for it, before the work
 * item could find anything to do.
 */
static void hmm_state_queue(struct hmm_mirror_state *state)
{
	if (!queue_work(hmm_mirror_wq, &state->work))
		hmm_state_put(state);
}

/*
 * The driver's module is unloaded, and the mirror was left behind. Something else
 * that was may still refer to it, so the state and the mm are leaked with it.
 */
static void hmm_state_end_left(struct hmm_owned *owned)
{
	struct hmm_mirror_state *state =
		container_of(owned, struct hmm_mirror_state, owned);

	refcount_inc(&state->ref);
	mmgrab(state->mm);
	flush_work(&state->work);
	hmm_mirror_end(state->mirror, NULL);
}

static struct hmm_mirror_state *hmm_state_alloc(struct hmm_mirror *mirror)
{
	struct hmm_mirror_state *state = kzalloc(sizeof(*state), GFP_KERNEL);

	if (!state)
		return NULL;
	refcount_set(&state->ref, 1);
	state->mirror = mirror;
	state->mm = mirror->mm;
	state->owner = mirror->owner;
	state->update = mirror->update;
	spin_lock_init(&state->removed_lock);
	INIT_WORK(&state->work, hmm_state_work);
	mt_init_flags(&state->ranges, MT_FLAGS_USE_RCU);
	return state;
}

static int hmm_mirror_begin(struct hmm_mirror *mirror, struct mm_struct *mm,
			    const struct hmm_mirror_ops *ops, void *owner,
			    const struct hmm_update_lock *lock)
{
	unsigned long seq;
	int ret;

	if (!mm || !ops || !ops->invalidate)
		return -EINVAL;
	if (lock && !hmm_update_lock_valid(*lock))
		return -EINVAL;
	hmm_waits_for_update_locks();
	*mirror = (struct hmm_mirror){
		.mm = mm,
		.ops = ops,
		.owner = owner,
		.update = lock ? *lock : HMM_UPDATE_MUTEX(&mirror->lock),
	};
	mutex_init(&mirror->lock);
	mutex_init(&mirror->dma_lock);
	INIT_LIST_HEAD(&mirror->dmas);
	hmm_update_lock_prime(mirror->update);
	mirror->state = hmm_state_alloc(mirror);
	if (!mirror->state)
		return -ENOMEM;
	/* From here on, ranges can be added under the mmap lock. */
	ret = mmu_interval_notifier_insert_killable(&mirror->state->notifier, mm,
						    HMM_RELEASE_ADDRESS,
						    PAGE_SIZE, &hmm_state_ops);
	if (ret) {
		hmm_state_put(mirror->state);
		return ret;
	}
	/* Until it is listed, the end of the process would not find it. */
	ret = mmu_interval_read_begin_killable(&mirror->state->notifier, &seq);
	if (ret) {
		mmu_interval_notifier_remove(&mirror->state->notifier);
		hmm_state_put(mirror->state);
		return ret;
	}
	hmm_owned_add(&mirror->state->owned, ops->invalidate, hmm_state_end_left);
	return 0;
}

/**
 * hmm_mirror_init() - begin to mirror an address space
 * @mirror: storage for the mirror; must stay where it is
 * @mm: the address space, of a process that is alive
 * @ops: the driver's callbacks
 * @owner: the &dev_pagemap.owner of the device's private memory, or NULL. Such
 *	pages are reported where they are; others are migrated to system memory.
 *
 * Nothing is reported to the mirror until it has a range. The first mirror of a
 * process takes the mmap lock; others cost no more than a range.
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
	return hmm_mirror_begin(mirror, mm, ops, owner, NULL);
}
EXPORT_SYMBOL_GPL(hmm_mirror_init);

/**
 * hmm_mirror_init_lock() - begin to mirror with an update lock of the driver's
 * @mirror: storage for the mirror; must stay where it is
 * @mm: the address space, of a process that is alive
 * @ops: the driver's callbacks
 * @owner: as for hmm_mirror_init()
 * @lock: the update lock, initialised, which several mirrors may share
 *
 * Context: as hmm_mirror_init().
 * Return: as hmm_mirror_init(); -%EINVAL too if @lock is not exactly one lock.
 */
int hmm_mirror_init_lock(struct hmm_mirror *mirror, struct mm_struct *mm,
			 const struct hmm_mirror_ops *ops, void *owner,
			 struct hmm_update_lock lock)
{
	return hmm_mirror_begin(mirror, mm, ops, owner, &lock);
}
EXPORT_SYMBOL_GPL(hmm_mirror_init_lock);

/**
 * hmm_mirror_forget() - have the device forget a span
 * @mirror: the mirror
 * @span: the addresses
 *
 * Those of ranges that were removed, too. The process keeps its pages.
 *
 * Context: as hmm_mirror_synchronize().
 */
void hmm_mirror_forget(struct hmm_mirror *mirror, struct hmm_span span)
{
	struct hmm_mirror_state *state = mirror->state;
	struct hmm_invalidation inv = {
		.event = MMU_NOTIFY_CLEAR,
		.may_block = true,
	};
	struct hmm_interval *interval;
	unsigned long index = 0;

	hmm_waits_for_update_locks();
	flush_work(&state->work);
	while ((interval = hmm_state_next_interval(state, &index))) {
		inv.span = hmm_span_clip(interval->span, span);
		/* A range that is drained has been forgotten. */
		if (inv.span.start < inv.span.end &&
		    atomic_inc_not_zero(&interval->active)) {
			hmm_update_lock(interval->lock, true);
			inv.range = interval->range;
			hmm_interval_forget(interval, &inv);
			hmm_update_unlock(interval->lock);
			hmm_interval_active_put(interval);
		}
		hmm_interval_put(interval);
	}
}

/*
 * Whether the caller is in a callback of the mirror. If it is in invalidate, sets
 * @held to the update lock that is held. The end of a range waits for invalidations
 * anywhere in the process, so it matters not which range's callback it is.
 */
static bool hmm_state_is_calling(struct hmm_mirror_state *state,
				 struct hmm_update_lock *held)
{
	struct hmm_interval *interval;
	unsigned long index = 0;

	*held = (struct hmm_update_lock){};
	if (READ_ONCE(state->releaser) == current)
		return true;
	if (READ_ONCE(state->caller) == current) {
		*held = state->update;
		return true;
	}
	/* Ending thousands of ranges must not look at each for each. */
	if (!atomic_read(&state->own_calls))
		return false;
	/* Others may end and free intervals meanwhile. */
	guard(rcu)();
	mt_for_each(&state->ranges, interval, index, ULONG_MAX) {
		if (READ_ONCE(interval->own_caller) != current)
			continue;
		*held = interval->lock;
		return true;
	}
	return false;
}

static bool hmm_update_lock_same(struct hmm_update_lock a, struct hmm_update_lock b)
{
	return a.mutex == b.mutex && a.rwsem == b.rwsem;
}

/*
 * End an interval in a callback, which cannot wait for itself: kill it, under the
 * lock that the callback runs under, and have nothing reported any more, so that
 * neither the range nor the mirror is used from here on. What must wait, drain and
 * unsubscribe, is left to a work item. Until that is done the update lock is
 * taken by invalidations and sections, which then find the interval dead.
 */
static void hmm_interval_abandon(struct hmm_interval *interval,
				 struct hmm_update_lock held)
{
	bool locked = hmm_update_lock_same(interval->lock, held);

	if (!locked)
		hmm_update_lock(interval->lock, true);
	hmm_interval_kill_locked(interval);
	WRITE_ONCE(interval->released, true);
	hmm_interval_detach(interval);
	if (!locked)
		hmm_update_unlock(interval->lock);
}

/*
 * End a mirror in one of its callbacks, as hmm_interval_abandon() ends a range.
 * The release callback is not called in invalidate, where a lock is held.
 */
static void hmm_state_abandon(struct hmm_mirror_state *state,
			      struct hmm_update_lock held)
{
	struct hmm_interval *interval;
	unsigned long index = 0;

	while ((interval = hmm_state_next_interval(state, &index))) {
		hmm_interval_abandon(interval, held);
		hmm_interval_put(interval);
	}
	set_bit(HMM_STATE_RELEASED, &state->flags);
	refcount_inc(&state->ref);
	test_and_set_bit(HMM_STATE_ABANDONED, &state->flags);
	hmm_state_queue(state);
}

/**
 * hmm_mirror_exit() - stop mirroring
 * @mirror: the mirror
 *
 * Removes the remaining ranges, calls &hmm_mirror_ops.release unless the end
 * of the process did, and waits for callbacks that are running. Afterwards no
 * callback runs and @mirror and its ranges may be freed. Sections that are open
 * in other threads are not waited for while they fault; they end with -%ENOENT.
 *
 * A callback of the mirror must not call it (hmm_mirror_exit_deferred() is for
 * that). If one does, it warns, and the mirror ends in two steps. When it returns,
 * the device has forgotten all ranges, and neither their storage nor @mirror is
 * used any more; &hmm_mirror_ops.release is not called by it. Update locks that
 * callbacks run under, &hmm_mirror.lock if the driver brought none, must last
 * until hmm_mirror_synchronize() has returned.
 *
 * Context: no section begins any more; not from a callback of any mirror of the
 * process; holds neither an update lock nor an mmap lock. May sleep.
 */
void hmm_mirror_exit(struct hmm_mirror *mirror)
{
	struct hmm_mirror_state *state = mirror->state;
	struct hmm_update_lock held;
	bool calling = hmm_state_is_calling(state, &held);
	bool again = !hmm_owned_claim(&state->owned);

	if (WARN_ONCE(calling, "%ps: a callback ends its mirror; use hmm_mirror_exit_deferred()\n",
		      mirror->ops->invalidate)) {
		if (!again)
			hmm_state_abandon(state, held);
		return;
	}
	if (WARN_ONCE(again, "%ps: a mirror ends twice\n", mirror->ops->invalidate))
		return;
	hmm_waits_for_update_locks();
	flush_work(&state->work);
	hmm_mirror_end(mirror, NULL);
}
EXPORT_SYMBOL_GPL(hmm_mirror_exit);

/**
 * hmm_mirror_exit_deferred() - stop mirroring, later
 * @mirror: the mirror
 * @done: called when the mirror has ended and may be freed, in process context
 *	with no lock held; or NULL
 *
 * For a last reference that may be dropped in a callback, inside a section or under
 * an update lock: a work item does the work of hmm_mirror_exit(). The module that
 * &hmm_mirror_ops.invalidate is in, whose code @done must be too, is not freed before
 * that; its exit function is not held up.
 *
 * The mirror can be freed while the caller still uses it, for example to drop the
 * update lock that it holds. &hmm_mirror_ops.release is also
 * called by hmm_mirror_exit(), and must not call this then: a mirror that is
 * ending already is left alone, with a warning.
 *
 * Context: process or softirq context; once for a mirror, and in place of
 * hmm_mirror_exit().
 */
void hmm_mirror_exit_deferred(struct hmm_mirror *mirror,
			      void (*done)(struct hmm_mirror *mirror))
{
	struct hmm_mirror_state *state = mirror->state;

	if (!hmm_owned_claim(&state->owned)) {
		WARN_ONCE(!state->owned.left, "%ps: a mirror ends twice\n",
			  mirror->ops->invalidate);
		return;
	}
	refcount_inc(&state->ref);
	state->done = done;
	/* Orders @done, for a work item that runs already. */
	test_and_set_bit(HMM_STATE_DEFERRED, &state->flags);
	hmm_state_queue(state);
}
EXPORT_SYMBOL_GPL(hmm_mirror_exit_deferred);

/**
 * hmm_mirror_synchronize() - wait until all deferred ends have happened
 *
 * Those of mirrors and ranges that were deferred before the call.
 *
 * Context: not from a callback of a mirror; holds no update lock. May sleep.
 */
void hmm_mirror_synchronize(void)
{
	hmm_waits_for_update_locks();
	flush_workqueue(hmm_mirror_wq);
}
EXPORT_SYMBOL_GPL(hmm_mirror_synchronize);

static struct hmm_interval *hmm_interval_alloc(struct hmm_mirror *mirror,
					       struct hmm_mirror_range *range,
					       struct hmm_span span,
					       const struct hmm_update_lock *lock)
{
	struct hmm_interval *interval = kzalloc(sizeof(*interval), GFP_KERNEL);

	if (!interval)
		return NULL;
	refcount_set(&interval->ref, 1);
	atomic_set(&interval->active, 1);
	init_completion(&interval->idle);
	interval->state = mirror->state;
	refcount_inc(&mirror->state->ref);
	interval->range = range;
	interval->span = span;
	interval->lock = lock ? *lock : mirror->update;
	interval->caller = lock ? &interval->own_caller : &mirror->state->caller;
	INIT_LIST_HEAD(&interval->movers);
	spin_lock_init(&interval->movers_lock);
	if (lock)
		hmm_update_lock_prime(*lock);
	return interval;
}

/* Reserve the addresses, subscribe, and let sections find the interval. */
static int hmm_interval_subscribe(struct hmm_interval *interval)
{
	struct hmm_mirror_state *state = interval->state;
	struct hmm_span span = interval->span;
	int ret;

	ret = mtree_insert_range(&state->ranges, span.start, span.end - 1,
				 interval, GFP_KERNEL);
	if (ret == -EEXIST) {
		/* A range that was removed may have more to do. */
		flush_work(&state->work);
		ret = mtree_insert_range(&state->ranges, span.start,
					 span.end - 1, interval, GFP_KERNEL);
	}
	if (ret)
		return ret;
	atomic_inc(&state->intervals);
	ret = mmu_interval_notifier_insert_killable(&interval->notifier,
						    state->mm, span.start,
						    span.end - span.start,
						    &hmm_interval_ops);
	if (ret) {
		hmm_interval_unlist(interval);
		return ret;
	}
	/* Pairs with the acquire in hmm_interval_find(). */
	smp_store_release(&interval->added, true);
	return 0;
}

static int hmm_range_begin(struct hmm_mirror *mirror,
			   struct hmm_mirror_range *range,
			   struct hmm_span span,
			   const struct hmm_update_lock *lock)
{
	struct hmm_interval *interval;
	int ret;

	if (!hmm_span_valid(span) || (lock && !hmm_update_lock_valid(*lock)))
		return -EINVAL;
	if (range->mirror)
		return -EEXIST;
	if (hmm_update_lock_is_mine(mirror->update) ||
	    (lock && hmm_update_lock_is_mine(*lock)))
		return -EDEADLK;
	/* In release, nothing would end the range any more. */
	if (READ_ONCE(mirror->state->owned.ending) || !mmget_not_zero(mirror->mm))
		return -ESRCH;
	interval = hmm_interval_alloc(mirror, range, span, lock);
	ret = interval ? 0 : -ENOMEM;
	if (!ret) {
		/* Before a callback can have the range in its hands. */
		range->span = span;
		range->interval = interval;
		range->mirror = mirror;
		/* A callback may end the interval before it is subscribed here. */
		refcount_inc(&interval->ref);
		ret = hmm_interval_subscribe(interval);
		if (ret) {
			range->mirror = NULL;
			range->interval = NULL;
			hmm_interval_put(interval);
		}
		hmm_interval_put(interval);
	}
	/* If it is the last, the end of the process must not run in here. */
	mmput_async(mirror->mm);
	return ret;
}

/**
 * hmm_mirror_range_add() - have changes to some addresses reported to a mirror
 * @mirror: the mirror
 * @range: storage for the subscription; must stay where it is. All zeros, or
 *	removed before
 * @span: the addresses; %HMM_SPAN_ALL for the whole process
 *
 * An invalidation anywhere in a range makes sections open on that range start
 * again, so several small ranges disturb each other less than a large one.
 * Invalidation finds ranges in logarithmic time.
 *
 * Context: holds no update lock; may hold the mmap lock. May sleep.
 * Return: 0; -%EINVAL for a span that is not hmm_span_valid(); -%EEXIST if
 * @range is added already, or another range of @mirror overlaps; -%ESRCH if the
 * process is gone, or the mirror is ending; -%EDEADLK if the caller holds the update
 * lock and that is a mutex; -%ENOMEM.
 */
int hmm_mirror_range_add(struct hmm_mirror *mirror,
			 struct hmm_mirror_range *range, struct hmm_span span)
{
	return hmm_range_begin(mirror, range, span, NULL);
}
EXPORT_SYMBOL_GPL(hmm_mirror_range_add);

/**
 * hmm_mirror_range_add_lock() - add a range with an update lock of its own
 * @mirror: the mirror
 * @range: as for hmm_mirror_range_add()
 * @span: the addresses
 * @lock: the update lock of this range, initialised, which several ranges may
 *	share
 *
 * Faults and invalidations of ranges with different update locks do not wait for
 * each other. hmm_mirror_lock() does not lock such a range; the driver
 * takes @lock itself.
 *
 * Context: as hmm_mirror_range_add().
 * Return: as hmm_mirror_range_add(); -%EINVAL too if @lock is not exactly one
 * lock.
 */
int hmm_mirror_range_add_lock(struct hmm_mirror *mirror,
			      struct hmm_mirror_range *range,
			      struct hmm_span span, struct hmm_update_lock lock)
{
	return hmm_range_begin(mirror, range, span, &lock);
}
EXPORT_SYMBOL_GPL(hmm_mirror_range_add_lock);

/**
 * hmm_mirror_range_init() - hmm_mirror_range_add() for storage with any content
 * @mirror: the mirror
 * @range: storage for the subscription; must stay where it is
 * @span: the addresses; %HMM_SPAN_ALL for the whole process
 *
 * An invalidation anywhere in a range makes sections open on that range start
 * again, so several small ranges disturb each other less than a large one.
 * Invalidation finds ranges in logarithmic time.
 *
 * Context: as hmm_mirror_range_add().
 * Return: 0; -%EINVAL for a span that is empty, reversed or not page aligned;
 * -%EEXIST when another range of @mirror overlaps; -%ESRCH when the process is
 * gone, or the mirror is ending; -%EDEADLK when the caller holds the update lock, is
 * inside a section of the mirror or in its invalidate callback; -%ENOMEM.
 */
int hmm_mirror_range_init(struct hmm_mirror *mirror,
			  struct hmm_mirror_range *range, struct hmm_span span)
{
	*range = (struct hmm_mirror_range){};
	return hmm_range_begin(mirror, range, span, NULL);
}
EXPORT_SYMBOL_GPL(hmm_mirror_range_init);

/*
 * Have a work item end an interval that the caller has claimed and detached; it is
 * dead from here on. Sections that are inside stay until they leave. The tree is left as
 * it is: changing it can need memory, and reclaim may wait for an update lock that
 * the caller holds.
 */
static void hmm_interval_end_later(struct hmm_interval *interval)
{
	struct hmm_mirror_state *state = interval->state;

	refcount_inc(&state->ref);
	WRITE_ONCE(interval->dead, true);
	scoped_guard(spinlock_irqsave, &state->removed_lock) {
		interval->next_removed = state->removed;
		WRITE_ONCE(state->removed, interval);
	}
	/* Pairs with the barrier in wait_var_event(). */
	smp_mb();
	wake_up_var(&state->intervals);
	hmm_state_queue(state);
}

/**
 * hmm_mirror_range_remove() - take a range from its mirror
 * @range: the range; nothing happens when it is not added
 *
 * First the device forgets: the driver's invalidate callback is called for the
 * whole range (%MMU_NOTIFY_RELEASE), after which no section enters the range.
 * Until the function returns, invalidations are still reported. Sections that
 * are open on the range in other threads are not waited for while they fault;
 * they end with -%ENOENT.
 *
 * A callback of the mirror must not call it. If one does, it warns, and the range
 * ends in two steps. When it returns, the device has forgotten the whole range,
 * and @range is not used any more. The update lock must last until
 * hmm_mirror_synchronize() has returned.
 *
 * Context: not from a callback of any mirror of the process, nor inside a
 * section; holds neither an update lock nor an mmap lock. May sleep.
 */
void hmm_mirror_range_remove(struct hmm_mirror_range *range)
{
	struct hmm_interval *interval = range->interval;
	struct hmm_update_lock held;

	if (!range->mirror)
		return;
	if (WARN_ONCE(hmm_state_is_calling(interval->state, &held),
		      "%ps: a callback removes a range of its mirror\n",
		      range->mirror->ops->invalidate)) {
		/* The callback is called again, and may remove it again. */
		range->interval = NULL;
		range->mirror = NULL;
		hmm_interval_abandon(interval, held);
		if (hmm_interval_claim(interval))
			hmm_interval_end_later(interval);
		return;
	}
	hmm_waits_for_update_locks();
	if (hmm_interval_claim(interval))
		hmm_interval_end(interval);
}
EXPORT_SYMBOL_GPL(hmm_mirror_range_remove);

/**
 * hmm_mirror_range_remove_deferred() - take a range from its mirror, and never wait
 * @range: the range; nothing happens when it is not added
 *
 * For a range that may be removed in a callback, inside a section or under an update
 * lock. No section enters it from here on. Its storage may be freed at once if the
 * caller holds its update lock or is inside a section on it, otherwise after
 * hmm_mirror_synchronize(): a callback that is running may use it. Invalidations are
 * reported, without &hmm_invalidation.range, until a work item has had the device
 * forget the whole range. The end of the mirror waits for that; so do
 * hmm_mirror_synchronize(), and hmm_mirror_range_add() of the same addresses.
 *
 * Context: process or softirq context; not against other calls for the same range, but
 * also in a callback that the end of the range or of the mirror has made.
 */
void hmm_mirror_range_remove_deferred(struct hmm_mirror_range *range)
{
	struct hmm_interval *interval;

	/* What ends it already, and called back, may free it. */
	guard(rcu)();
	interval = READ_ONCE(range->interval);
	if (!interval)
		return;
	hmm_interval_detach(interval);
	if (hmm_interval_claim(interval))
		hmm_interval_end_later(interval);
}
EXPORT_SYMBOL_GPL(hmm_mirror_range_remove_deferred);
