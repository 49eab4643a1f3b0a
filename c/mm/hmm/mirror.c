// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrors: begin and end. The steps are those of "Protocol" in mirror.h.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "migration_wait.h"
#include "mirror.h"
#include "update_lock.h"

/* The only user of the last page of the address space: no span reaches it. */
#define HMM_RELEASE_ADDRESS (ULONG_MAX & PAGE_MASK)

static struct workqueue_struct *hmm_mirror_wq;

/*
 * Readers end mirrors or ranges in their own thread: ranges whose removal was deferred, too,
 * or ranges that they have claimed when somebody defers the removal.
 */
DEFINE_SRCU(hmm_mirror_ends);

static int __init hmm_mirror_setup(void)
{
	hmm_mirror_wq = alloc_workqueue("hmm_mirror", WQ_UNBOUND, 0);
	return hmm_mirror_wq ? 0 : -ENOMEM;
}
core_initcall(hmm_mirror_setup);

/* Drop a reference to the state; see &hmm_mirror_state.ref. */
void hmm_mirror_state_put(struct hmm_mirror_state *state)
{
	if (!refcount_dec_and_test(&state->ref))
		return;
	hmm_mirror_stats_free(state);
	kfree(state);
}

/* Call ->release, unless it was called at the end of the process. No lock is held. */
static void hmm_mirror_state_release(struct hmm_mirror_state *state)
{
	struct hmm_mirror *mirror = state->mirror;

	if (test_and_set_bit(HMM_MIRROR_STATE_RELEASED, &state->flags) || !mirror->ops->release)
		return;
	WRITE_ONCE(state->releaser, current);
	mirror->ops->release(mirror);
	WRITE_ONCE(state->releaser, NULL);
}

/*
 * Notifier callback of the last page of the address space. At MMU_NOTIFY_RELEASE all
 * intervals of the mirror, which are below it, were notified.
 */
static bool hmm_mirror_state_mm_release(struct mmu_interval_notifier *notifier,
					const struct mmu_notifier_range *event,
					unsigned long seq)
{
	if (event->event == MMU_NOTIFY_RELEASE)
		hmm_mirror_state_release(container_of(notifier, struct hmm_mirror_state,
						      notifier));
	return true;
}

static const struct mmu_interval_notifier_ops hmm_mirror_state_ops = {
	.invalidate = hmm_mirror_state_mm_release,
};

/*
 * End the intervals of hmm_interval_end_deferred(), and all of them before those removed
 * later: hmm_mirror_range_add() may be waiting for their addresses. Takes update locks.
 */
static void hmm_mirror_state_end_removed(struct hmm_mirror_state *state)
{
	struct hmm_interval *interval, *next;

	do {
		scoped_guard(spinlock_irqsave, &state->lock) {
			interval = state->removed;
			WRITE_ONCE(state->removed, NULL);
		}
		next = interval;
		while ((interval = next)) {
			/* The interval may be freed when it has ended. */
			next = interval->next_removed;
			hmm_interval_end(interval);
		}
	} while (READ_ONCE(state->removed));
}

/**
 * hmm_mirror_state_defer_dma() - have the work item end a map
 * @state: of the map's mirror, which is not ended before that, unless it was leaked
 * @dma: the map; hmm_mirror_dma_end_deferred() is called with it
 *
 * Context: process or softirq context.
 */
void hmm_mirror_state_defer_dma(struct hmm_mirror_state *state, struct hmm_mirror_dma *dma)
{
	hmm_module_object_hold(&state->module_object);
	refcount_inc(&state->ref);
	scoped_guard(spinlock_irqsave, &state->lock) {
		dma->next_ended = state->ended_dmas;
		state->ended_dmas = dma;
	}
	hmm_mirror_state_queue(state);
}

/*
 * End the maps of hmm_mirror_state_defer_dma(), after the ranges that were removed before.
 * A driver may end the mirror when the last of its maps has ended: it is listed until the
 * caller sees to that.
 */
static void hmm_mirror_state_end_dmas(struct hmm_mirror_state *state)
{
	struct hmm_mirror_dma *dma, *next;

	scoped_guard(spinlock_irqsave, &state->lock) {
		next = state->ended_dmas;
		state->ended_dmas = NULL;
	}
	while ((dma = next)) {
		/* The map may be freed when it has ended. */
		next = dma->next_ended;
		hmm_mirror_dma_end_deferred(dma);
		hmm_module_object_release(&state->module_object);
	}
}

/*
 * Wait until every interval has ended. Other tasks may be ending some: a thread that
 * removes a range, or a callback that defers its removal.
 */
static void hmm_mirror_state_wait(struct hmm_mirror_state *state)
{
	do {
		hmm_mirror_state_end_removed(state);
		wait_var_event(&state->intervals,
			       !atomic_read_acquire(&state->intervals) ||
			       READ_ONCE(state->removed));
	} while (atomic_read_acquire(&state->intervals));
}

/*
 * The last step of the end of a mirror. After @done has returned the driver's module
 * may be freed, unless another object of it is listed.
 */
static void hmm_mirror_state_finish(struct hmm_mirror_state *state,
				    struct hmm_mirror *mirror,
				    void (*done)(struct hmm_mirror *mirror))
{
	/* The notifier's reference to the mm is a reader's, until here. */
	hmm_mirror_stats_del(state);
	mmu_interval_notifier_remove(&state->notifier);
	mtree_destroy(&state->ranges);
	if (done)
		done(mirror);
	hmm_module_object_del(&state->module_object);
	hmm_mirror_state_put(state);
}

/*
 * The interval of a mirror at or after @index, with a reference that the caller
 * puts; or NULL. Moves @index behind it: no span reaches the last page, so that it
 * does not wrap.
 */
static struct hmm_interval *hmm_mirror_state_next_interval(struct hmm_mirror_state *state,
							   unsigned long *index)
{
	struct hmm_interval *interval;

	guard(rcu)();
	do
		interval = mt_find(&state->ranges, index, ULONG_MAX);
	while (interval && !refcount_inc_not_zero(&interval->ref));
	return interval;
}

/*
 * End a mirror whose end was claimed: its ranges first, then ->release. Takes update
 * locks; may sleep. @done is as of hmm_mirror_exit_deferred().
 */
static void hmm_mirror_end(struct hmm_mirror *mirror,
			   void (*done)(struct hmm_mirror *mirror))
{
	struct hmm_mirror_state *state = mirror->state;
	struct hmm_interval *interval;
	unsigned long index = 0;

	guard(srcu)(&hmm_mirror_ends);
	while ((interval = hmm_mirror_state_next_interval(state, &index))) {
		if (hmm_interval_claim(interval))
			hmm_interval_end(interval);
		hmm_interval_put(interval);
	}
	hmm_mirror_state_wait(state);
	hmm_mirror_state_release(state);
	hmm_mirror_state_finish(state, mirror, done);
}

/* The rest of hmm_mirror_state_abandon(). The mirror may be gone. */
static void hmm_mirror_state_end_abandoned(struct hmm_mirror_state *state)
{
	struct hmm_interval *interval;
	unsigned long index = 0;

	while ((interval = hmm_mirror_state_next_interval(state, &index))) {
		if (hmm_interval_claim(interval))
			hmm_interval_drain(interval);
		hmm_interval_put(interval);
	}
	hmm_mirror_state_wait(state);
	hmm_mirror_state_finish(state, NULL, NULL);
}

/*
 * The deferred part of removal: end ranges, then maps, and then the mirror. The work item can
 * be queued again after a run that did all of it, so it has a reference.
 */
static void hmm_mirror_state_work(struct work_struct *work)
{
	struct hmm_mirror_state *state =
		container_of(work, struct hmm_mirror_state, work);

	hmm_mirror_state_end_removed(state);
	hmm_mirror_state_end_dmas(state);
	if (test_and_clear_bit(HMM_MIRROR_STATE_ABANDONED, &state->flags))
		hmm_mirror_state_end_abandoned(state);
	if (test_and_clear_bit(HMM_MIRROR_STATE_DEFERRED, &state->flags))
		hmm_mirror_end(state->mirror, state->done);
	hmm_mirror_state_put(state);
}

/*
 * Queue the work item. The caller has taken a reference for it, before the work
 * item could find anything to do.
 */
void hmm_mirror_state_queue(struct hmm_mirror_state *state)
{
	if (!queue_work(hmm_mirror_wq, &state->work))
		hmm_mirror_state_put(state);
}

/*
 * The driver's module is unloaded with this mirror still registered. Other leaked
 * objects may still point to it, so leak the state and the reference to the mm too.
 */
static void hmm_mirror_state_end_leaked(struct hmm_module_object *module_object)
{
	struct hmm_mirror_state *state =
		container_of(module_object, struct hmm_mirror_state, module_object);

	refcount_inc(&state->ref);
	mmgrab(state->mm);
	flush_work(&state->work);
	hmm_mirror_end(state->mirror, NULL);
}

/* Allocate the state, with the reference of the mirror. May sleep. */
static struct hmm_mirror_state *hmm_mirror_state_alloc(struct hmm_mirror *mirror)
{
	struct hmm_mirror_state *state = kzalloc(sizeof(*state), GFP_KERNEL);

	if (!state)
		return NULL;
	refcount_set(&state->ref, 1);
	state->mirror = mirror;
	state->mm = mirror->mm;
	state->owner = mirror->owner;
	state->update = mirror->update;
	spin_lock_init(&state->lock);
	INIT_WORK(&state->work, hmm_mirror_state_work);
	mt_init_flags(&state->ranges, MT_FLAGS_USE_RCU);
	hmm_mirror_stats_init(state);
	return state;
}

/*
 * End a mirror in one of its callbacks, as hmm_interval_abandon() ends a range; or before
 * it has begun. The release callback is not called in invalidate, where a lock is held.
 */
static void hmm_mirror_state_abandon(struct hmm_mirror_state *state,
				     struct hmm_update_lock held)
{
	struct hmm_interval *interval;
	unsigned long index = 0;

	while ((interval = hmm_mirror_state_next_interval(state, &index))) {
		hmm_interval_abandon(interval, held);
		hmm_interval_put(interval);
	}
	set_bit(HMM_MIRROR_STATE_RELEASED, &state->flags);
	refcount_inc(&state->ref);
	test_and_set_bit(HMM_MIRROR_STATE_ABANDONED, &state->flags);
	hmm_mirror_state_queue(state);
}

/*
 * hmm_mirror_init() and hmm_mirror_init_lock(): @lock is NULL for the mirror's own lock.
 */
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
	/* It would wait for the mmap lock. */
	if (hmm_devmem_is_stepping())
		return -EDEADLK;
	hmm_waits_for_update_locks();
	*mirror = (struct hmm_mirror){
		.mm = mm,
		.ops = ops,
		.owner = owner,
		.update = lock ? *lock : HMM_UPDATE_MUTEX(&mirror->lock),
	};
	mutex_init(&mirror->lock);
	spin_lock_init(&mirror->dma_lock);
	mirror->dmas = RB_ROOT_CACHED;
	hmm_update_lock_prime(mirror->update);
	mirror->state = hmm_mirror_state_alloc(mirror);
	if (!mirror->state)
		return -ENOMEM;
	/* From here on, ranges can be added under the mmap lock. */
	ret = mmu_interval_notifier_insert_killable(&mirror->state->notifier, mm,
						    HMM_RELEASE_ADDRESS,
						    PAGE_SIZE, &hmm_mirror_state_ops);
	if (ret) {
		hmm_mirror_state_put(mirror->state);
		return ret;
	}
	/* Wait until it is listed, or the end of the process would not find it. */
	ret = mmu_interval_read_begin_killable(&mirror->state->notifier, &seq) ?:
	      hmm_mirror_stats_add(mirror->state);
	hmm_module_object_add(&mirror->state->module_object, ops->invalidate,
			      hmm_mirror_state_end_leaked);
	if (ret) {
		/* Unsubscribing waits for an invalidation, and is not killable. */
		hmm_module_object_claim(&mirror->state->module_object);
		hmm_mirror_state_abandon(mirror->state, (struct hmm_update_lock){});
	}
	return ret;
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
 * Return: 0; -%EINVAL without &hmm_mirror_ops.invalidate; -%EDEADLK if the caller has
 * begun a migration in steps; -%ENOMEM; -%EINTR on a signal.
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
 * hmm_mirror_state_invalidate_span() - as hmm_mirror_invalidate_span(), in the work item
 * @state: of the mirror
 * @span: the addresses
 *
 * Context: holds no lock. May sleep.
 */
void hmm_mirror_state_invalidate_span(struct hmm_mirror_state *state, struct hmm_span span)
{
	struct hmm_invalidation inv = {
		.event = MMU_NOTIFY_CLEAR,
		.may_block = true,
	};
	struct hmm_interval *interval;
	unsigned long index = 0;

	while ((interval = hmm_mirror_state_next_interval(state, &index))) {
		inv.span = hmm_span_clip(interval->span, span);
		/* A range that is drained was invalidated on the device. */
		if (inv.span.start < inv.span.end &&
		    atomic_inc_not_zero(&interval->active)) {
			hmm_update_lock(interval->lock, true);
			inv.range = interval->range;
			hmm_interval_invalidate_device(interval, &inv);
			hmm_update_unlock(interval->lock);
			hmm_interval_active_put(interval);
		}
		hmm_interval_put(interval);
	}
}

/**
 * hmm_mirror_invalidate_span() - invalidate a span on the device
 * @mirror: the mirror
 * @span: the addresses
 *
 * Also in ranges whose removal was deferred. The CPU's page table does not change.
 *
 * Context: as hmm_mirror_synchronize().
 */
void hmm_mirror_invalidate_span(struct hmm_mirror *mirror, struct hmm_span span)
{
	hmm_waits_for_update_locks();
	flush_work(&mirror->state->work);
	hmm_mirror_state_invalidate_span(mirror->state, span);
}

/*
 * Whether the caller is in a callback of the mirror. If it is in invalidate, sets
 * @held to the update lock that is held. The end of a range waits for invalidations
 * anywhere in the process, so any range's callback counts.
 */
bool hmm_mirror_state_is_calling(struct hmm_mirror_state *state,
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
	/* Skip the scan if no callback runs; ending n ranges would be O(n^2). */
	if (!atomic_read(&state->own_lock_calls))
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
 * Context: no section begins and no range is added any more; not from a callback of
 * any mirror of the process; holds neither an update lock nor an mmap lock. May sleep.
 */
void hmm_mirror_exit(struct hmm_mirror *mirror)
{
	struct hmm_mirror_state *state = mirror->state;
	struct hmm_update_lock held;
	bool calling = hmm_mirror_state_is_calling(state, &held);
	bool again = !hmm_module_object_claim(&state->module_object);

	if (WARN_ONCE(calling, "%ps: a callback ends its mirror; use hmm_mirror_exit_deferred()\n",
		      mirror->ops->invalidate)) {
		if (!again)
			hmm_mirror_state_abandon(state, held);
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

	if (!hmm_module_object_claim(&state->module_object)) {
		WARN_ONCE(!state->module_object.leaked, "%ps: a mirror ends twice\n",
			  mirror->ops->invalidate);
		return;
	}
	refcount_inc(&state->ref);
	state->done = done;
	/* Publish @done before the flag: the work item may be running. */
	test_and_set_bit(HMM_MIRROR_STATE_DEFERRED, &state->flags);
	hmm_mirror_state_queue(state);
}
EXPORT_SYMBOL_GPL(hmm_mirror_exit_deferred);

/**
 * hmm_mirror_synchronize() - wait until all deferred ends have happened
 *
 * Those of mirrors and ranges that were deferred before the call, also if another
 * thread, in hmm_mirror_exit() or hmm_mirror_range_remove(), ends the range.
 *
 * Context: not from a callback of a mirror; holds no update lock. May sleep.
 */
void hmm_mirror_synchronize(void)
{
	hmm_waits_for_update_locks();
	flush_workqueue(hmm_mirror_wq);
	/* An end that took a range from the work item began before that was done. */
	synchronize_srcu(&hmm_mirror_ends);
}
EXPORT_SYMBOL_GPL(hmm_mirror_synchronize);

/**
 * hmm_mirror_lock_once() - take the update lock, unless the caller has it
 * @mirror: an initialised mirror
 *
 * As hmm_mirror_lock(), but a task does not wait for itself if the lock is a mutex: for
 * drivers that do not know what holds it around them. It does if the lock is a
 * &struct rw_semaphore, or with PREEMPT_RT. May sleep.
 *
 * Return: 0; -%EDEADLK if the caller holds it, or is inside a section of this mirror or
 * in its invalidate callback.
 */
int hmm_mirror_lock_once(struct hmm_mirror *mirror)
{
	if (hmm_update_lock_is_mine(mirror->update))
		return -EDEADLK;
	hmm_mirror_lock(mirror);
	return 0;
}
EXPORT_SYMBOL_GPL(hmm_mirror_lock_once);
