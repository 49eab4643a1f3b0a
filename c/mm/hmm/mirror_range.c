// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges of mirrors: add and remove. The steps are those of "Protocol" in mirror.h.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "mirror.h"
#include "update_lock.h"

/*
 * Claim the right to end an interval. The end of the mirror, the removal of the
 * range and a callback that drops it can come together; one of them ends it.
 */
bool hmm_interval_claim(struct hmm_interval *interval)
{
	return !test_and_set_bit(HMM_INTERVAL_ENDING, &interval->flags);
}

/*
 * unlist: the addresses can be added again, and the end of the mirror no longer waits for
 * the interval.
 */
static void hmm_interval_unlist(struct hmm_interval *interval)
{
	struct hmm_mirror_state *state = interval->state;

	mtree_erase(&state->ranges, interval->span.start);
	set_bit(HMM_INTERVAL_UNLISTED, &interval->flags);
	/* Pairs with the barrier in wait_var_event_killable(). */
	smp_mb();
	wake_up_var(&interval->flags);
	if (atomic_dec_and_test(&state->intervals))
		wake_up_var(&state->intervals);
}

/* Allocate an interval, with the reference of the range. May sleep. */
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

/*
 * Let the addresses be found: 0; -EEXIST if others are listed there; -ENOMEM. May sleep.
 */
static int hmm_interval_list(struct hmm_interval *interval)
{
	struct hmm_span span = interval->span;

	return mtree_insert_range(&interval->state->ranges, span.start,
				  span.end - 1, interval, GFP_KERNEL);
}

/* The first listed interval with an address in @span; the caller puts it. Or NULL. */
static struct hmm_interval *hmm_interval_overlapping(struct hmm_mirror_state *state,
						     struct hmm_span span)
{
	unsigned long index = span.start;
	struct hmm_interval *interval;

	guard(rcu)();
	interval = mt_find(&state->ranges, &index, span.end - 1);
	if (!interval || !refcount_inc_not_zero(&interval->ref))
		return NULL;
	return interval;
}

/*
 * Reserve the addresses. If a deferred removal has not ended yet, wait for its work item.
 * The caller may hold the mmap lock: the work item waits for update locks, for sections
 * that are inside and for invalidations that are under way, and none of these waits for
 * the mmap lock, which is taken before them. Sections that fault are not waited for.
 */
static int hmm_interval_reserve(struct hmm_interval *interval)
{
	struct hmm_interval *other;
	int ret;

	while ((ret = hmm_interval_list(interval)) == -EEXIST) {
		other = hmm_interval_overlapping(interval->state, interval->span);
		/* It was unlisted meanwhile. */
		if (!other)
			continue;
		if (test_bit(HMM_INTERVAL_DEFERRED, &other->flags))
			ret = wait_var_event_killable(&other->flags,
						      test_bit(HMM_INTERVAL_UNLISTED,
							       &other->flags));
		hmm_interval_put(other);
		if (ret)
			return ret == -EEXIST ? ret : -EINTR;
	}
	return ret;
}

/* Reserve the addresses, subscribe, and let sections find the interval. */
static int hmm_interval_subscribe(struct hmm_interval *interval)
{
	struct hmm_mirror_state *state = interval->state;
	struct hmm_span span = interval->span;
	int ret;

	ret = hmm_interval_reserve(interval);
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

/*
 * hmm_mirror_range_add() and hmm_mirror_range_add_lock(): @lock is NULL for the mirror's
 * lock.
 */
static int hmm_mirror_range_begin(struct hmm_mirror *mirror,
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
	/* See hmm_interval_reserve(). The mmap lock may be held: it is taken before those. */
	hmm_waits_for_update_locks();
	/* Once the mirror is ending, nothing would end the range. */
	if (READ_ONCE(mirror->state->module_object.ending) || !mmget_not_zero(mirror->mm))
		return -ESRCH;
	interval = hmm_interval_alloc(mirror, range, span, lock);
	ret = interval ? 0 : -ENOMEM;
	if (!ret) {
		/* Set before subscribing: a callback may see the range at once. */
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
	/* The last reference ends the address space, which must not happen here. */
	mmput_async(mirror->mm);
	return ret;
}

/**
 * hmm_mirror_range_add() - report changes of a span of addresses to a mirror
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
 * lock and that is a mutex; -%EINTR on a fatal signal; -%ENOMEM.
 */
int hmm_mirror_range_add(struct hmm_mirror *mirror,
			 struct hmm_mirror_range *range, struct hmm_span span)
{
	return hmm_mirror_range_begin(mirror, range, span, NULL);
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
	return hmm_mirror_range_begin(mirror, range, span, &lock);
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
 * gone, or the mirror is ending; -%EDEADLK when the caller holds the update lock and
 * that is a mutex; -%EINTR on a fatal signal; -%ENOMEM.
 */
int hmm_mirror_range_init(struct hmm_mirror *mirror,
			  struct hmm_mirror_range *range, struct hmm_span span)
{
	*range = (struct hmm_mirror_range){};
	return hmm_mirror_range_begin(mirror, range, span, NULL);
}
EXPORT_SYMBOL_GPL(hmm_mirror_range_init);

/*
 * Unlink range and interval; then the driver may free the range. If two tasks do this,
 * neither uses the range when the second returns.
 */
static void hmm_interval_detach(struct hmm_interval *interval)
{
	scoped_guard(spinlock_irqsave, &interval->state->lock) {
		struct hmm_mirror_range *range = interval->range;

		if (!range)
			return;
		range->mirror = NULL;
		/* Pairs with the acquire in hmm_mirror_range_interval(). */
		smp_store_release(&range->interval, NULL);
		WRITE_ONCE(interval->range, NULL);
	}
	/* Pairs with the barrier in wait_var_event(). */
	smp_mb();
	wake_up_var(&interval->range);
}

/*
 * The interval of a range, with a reference that the caller puts; or NULL if the
 * range is not added, or has been detached.
 */
static struct hmm_interval *hmm_mirror_range_interval(struct hmm_mirror_range *range)
{
	struct hmm_interval *interval;

	guard(rcu)();
	/* Pairs with the release in hmm_interval_detach(). */
	interval = smp_load_acquire(&range->interval);
	if (!interval || !refcount_inc_not_zero(&interval->ref))
		return NULL;
	return interval;
}

/*
 * kill: mark the interval dead, so that no section enters, and invalidate all of it
 * on the device. The caller holds the update lock.
 */
static void hmm_interval_kill_locked(struct hmm_interval *interval)
{
	const struct hmm_invalidation inv = {
		.span = interval->span,
		.range = READ_ONCE(interval->range),
		.event = MMU_NOTIFY_RELEASE,
		.may_block = true,
	};

	WRITE_ONCE(interval->dead, true);
	hmm_interval_invalidate_device(interval, &inv);
}

/* As hmm_interval_kill_locked(). Takes the update lock. */
static void hmm_interval_kill(struct hmm_interval *interval)
{
	hmm_update_lock(interval->lock, true);
	hmm_interval_kill_locked(interval);
	hmm_update_unlock(interval->lock);
}

/*
 * drain, unsubscribe and unlist. Does not wait for sections that fault. Unlist last:
 * the end of the mirror, and of its device addresses, finds intervals only there.
 */
void hmm_interval_drain(struct hmm_interval *interval)
{
	struct hmm_mirror_state *state = interval->state;

	hmm_interval_active_put(interval);
	wait_for_completion(&interval->idle);
	/* No section can enter, so ->recent is not set to this interval again. */
	cmpxchg((struct hmm_interval __force **)&state->recent, interval, NULL);
	mmu_interval_notifier_remove(&interval->notifier);
	hmm_interval_detach(interval);
	hmm_interval_unlist(interval);
	hmm_interval_put(interval);
}

/* End an interval that the caller has claimed. */
void hmm_interval_end(struct hmm_interval *interval)
{
	hmm_interval_kill(interval);
	hmm_interval_drain(interval);
}

/*
 * Have a work item end an interval that the caller has claimed and detached; it is
 * dead from here on. Sections that hold the update lock are not interrupted. The tree is
 * left as it is: changing it can need memory, and reclaim may wait for an update lock that
 * the caller holds.
 */
void hmm_interval_end_deferred(struct hmm_interval *interval)
{
	struct hmm_mirror_state *state = interval->state;

	refcount_inc(&state->ref);
	set_bit(HMM_INTERVAL_DEFERRED, &interval->flags);
	WRITE_ONCE(interval->dead, true);
	scoped_guard(spinlock_irqsave, &state->lock) {
		interval->next_removed = state->removed;
		WRITE_ONCE(state->removed, interval);
	}
	/* Pairs with the barrier in wait_var_event(). */
	smp_mb();
	wake_up_var(&state->intervals);
	hmm_mirror_state_queue(state);
}

/*
 * End an interval in a callback, which must not wait for itself: kill it under the
 * lock that the callback holds, and report nothing from then on, so that neither the
 * range nor the mirror is used any more. A work item drains and unsubscribes it, which
 * must wait. Until then invalidations and sections still take the update lock, and
 * find the interval dead.
 */
void hmm_interval_abandon(struct hmm_interval *interval,
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

/**
 * hmm_mirror_range_remove() - remove a range from its mirror
 * @range: the range; nothing happens when it is not added
 *
 * First the whole range is invalidated on the device: ->invalidate is called for it
 * (%MMU_NOTIFY_RELEASE), after which no section enters the range. Until the function
 * returns, invalidations are still reported. It does not wait for sections that fault
 * in other threads; they end with -%ENOENT.
 *
 * A callback of the mirror must not call it. If one does, it warns, and the range
 * ends in two steps. When it returns, the whole range is invalidated on the device,
 * and @range is not used any more. The update lock must last until
 * hmm_mirror_synchronize() has returned.
 *
 * hmm_mirror_exit() may run at the same time; whichever ends the range, nothing uses
 * @range when this returns.
 *
 * Context: not from a callback of any mirror of the process, nor inside a
 * section; holds neither an update lock nor an mmap lock. May sleep.
 */
void hmm_mirror_range_remove(struct hmm_mirror_range *range)
{
	struct hmm_interval *interval = hmm_mirror_range_interval(range);
	struct hmm_update_lock held;

	if (!interval)
		return;
	if (WARN_ONCE(hmm_mirror_state_is_calling(interval->state, &held),
		      "%ps: a callback removes a range of its mirror\n",
		      interval->state->module_object.callback)) {
		/* The callback is called again, and may remove it again. */
		scoped_guard(spinlock_irqsave, &interval->state->lock) {
			range->mirror = NULL;
			WRITE_ONCE(range->interval, NULL);
		}
		hmm_interval_abandon(interval, held);
		if (hmm_interval_claim(interval))
			hmm_interval_end_deferred(interval);
	} else {
		hmm_waits_for_update_locks();
		guard(srcu)(&hmm_mirror_ends);
		if (hmm_interval_claim(interval))
			hmm_interval_end(interval);
		else
			/* hmm_mirror_exit() ends the interval, and still uses the range. */
			wait_var_event(&interval->range, !READ_ONCE(interval->range));
	}
	hmm_interval_put(interval);
}
EXPORT_SYMBOL_GPL(hmm_mirror_range_remove);

/**
 * hmm_mirror_range_remove_deferred() - remove a range from its mirror, without waiting
 * @range: the range; nothing happens when it is not added
 *
 * For a range that may be removed in a callback, inside a section or under an update
 * lock. No section enters it from here on. Its storage may be freed at once if the
 * caller holds its update lock or is inside a section on it, otherwise after
 * hmm_mirror_synchronize(): a callback that is running may use it. Invalidations are
 * reported, without &hmm_invalidation.range, until a work item has invalidated the whole
 * range on the device. The end of the mirror waits for that; so do
 * hmm_mirror_synchronize(), and hmm_mirror_range_add() of the same addresses.
 *
 * Context: process or softirq context; calls for one range are serialised by the caller.
 * May be called in callbacks that the end of the range or mirror makes.
 */
void hmm_mirror_range_remove_deferred(struct hmm_mirror_range *range)
{
	struct hmm_interval *interval = hmm_mirror_range_interval(range);

	if (!interval)
		return;
	hmm_interval_detach(interval);
	if (hmm_interval_claim(interval))
		hmm_interval_end_deferred(interval);
	hmm_interval_put(interval);
}
EXPORT_SYMBOL_GPL(hmm_mirror_range_remove_deferred);
