/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors, internal interface.
 *
 *   mirror.c		mirrors: begin and end
 *   mirror_range.c	ranges: add and remove
 *   interval.c		invalidations, and what sections need of a range
 *   update_lock.h	the update lock
 *   section.c		sections
 *   section_exclusive.c	sections that take pages from the CPU
 *   mirror_dma.c	device addresses
 *   mirror_peer.c	device addresses of pages in the memory of other devices
 *   stats.c		statistics
 */
#ifndef _MM_HMM_MIRROR_H
#define _MM_HMM_MIRROR_H

#include <linux/completion.h>
#include <linux/hmm_mirror.h>
#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>

#include "lifetime.h"
#include "mmu_interval.h"
#include "stats.h"

/*
 * Protocol
 *
 * Each &struct hmm_mirror_range has an *interval* behind it: an
 * &struct mmu_interval_notifier with a reference count of its own. A section
 * holds a reference to the interval, never a lock, while it faults, so that no
 * one waits behind a section that waits for user space.
 *
 * A section goes round the following steps for each batch of pages:
 *
 * 1. *look up*: find the interval of the address under RCU and take a
 *    reference. No interval: -%ENOENT.
 * 2. *begin*: mmu_interval_read_begin() returns the sequence, after the
 *    invalidations that are under way.
 * 3. *fault*: walk and fault under the VMA's or the mmap lock. -%EBUSY: go to 2
 *    until the timeout. -%EAGAIN, a fault handler dropped its lock: go to 2. If
 *    no handler did so at this page or behind it before, the timeout starts anew;
 *    so it does after a wait for a page that migrated or was locked.
 * 4. *lock*: take the update lock (killable). If the interval is *dead*, drop
 *    it: -%ENOENT.
 * 5. *check*: if the sequence moved since 2, drop the lock and go to 2.
 * 6. *inside*: the driver maps the pages.
 * 7. *unlock*.
 *
 * An invalidation: take the update lock, move the sequence, invalidate the
 * device, unmap its DMA addresses, drop the lock. If the driver has
 * &hmm_mirror_ops.invalidate_finish, an invalidation that may block is two
 * *passes*, the second of which begins when each notifier of the process had its
 * first. First: take the update lock, move the sequence, call
 * &hmm_mirror_ops.invalidate, drop the lock. Second: take the lock, call
 * &hmm_mirror_ops.invalidate_finish, unmap the DMA addresses, drop the lock.
 * Sections do not enter meanwhile: steps 2 and 5 wait for, or see, the
 * invalidation until its second pass is over. The end of the process has one
 * pass, so that &hmm_mirror_ops.release is called after all ranges.
 *
 * A section that migrates its pages moves the sequence itself. For these, 2
 * *registers a mover* at the interval under the update lock, 3 migrates, and 5
 * checks &hmm_mover.changed instead, which every invalidation sets in all
 * movers but those of its own task. A section that makes a page exclusive
 * registers a mover around make_device_exclusive() likewise; the
 * %MMU_NOTIFY_EXCLUSIVE event of its own task is ignored, by that interval
 * only.
 *
 * The end of a range, hmm_mirror_range_remove():
 *
 * 1. *claim*: of all that may end the interval, one does.
 * 2. *kill*, under the update lock: mark the interval dead, so that no section
 *    finds or enters it, and invalidate all of it on the device
 *    (%MMU_NOTIFY_RELEASE). From here on the device reaches nothing of the range.
 * 3. *drain*: wait for sections that are at 4 to 7, not for those at 2 and 3.
 * 4. *unsubscribe*: invalidations are reported until mmu_interval_notifier_remove()
 *    returns.
 * 5. *unlist*: the end of the mirror does not wait for the interval any more.
 *
 * *detach*, between 4 and 5: unlink the range; the driver may free it. A callback
 * that ends its own range or mirror *abandons* intervals: kill under the lock that
 * it holds, detach, and leave 3 to 5 to the work item.
 *
 * hmm_mirror_range_remove_deferred() claims the interval, marks it dead and has a
 * work item do the rest.
 *
 * The end of the process, %MMU_NOTIFY_RELEASE: for each interval as any
 * invalidation, and the interval is dead and *released*: later invalidations
 * are not reported. The mirror's own interval, at the last page of the address
 * space and so behind all ranges, calls &hmm_mirror_ops.release. No callback
 * of the mirror runs after that one.
 */

/* Bits of &hmm_interval.flags */
#define HMM_INTERVAL_ENDING	0
#define HMM_INTERVAL_DEFERRED	1
#define HMM_INTERVAL_UNLISTED	2

/* Bits of &hmm_mirror_state.flags */
#define HMM_MIRROR_STATE_RELEASED	0
#define HMM_MIRROR_STATE_DEFERRED	1
#define HMM_MIRROR_STATE_ABANDONED	2

/**
 * struct hmm_mirror_state - the part of a mirror that sections may outlive
 * @ref: one for the mirror, one for each interval, one for @work while it is queued
 * @mirror: the driver's structure; valid under the update lock of an interval
 *	that is not dead, and in callbacks
 * @mm: the address space; pinned by @notifier, and by the section that uses it
 * @owner: &hmm_mirror.owner
 * @update: &hmm_mirror.update
 * @ranges: the intervals by address, until they have ended; looked up under RCU
 * @intervals: how many intervals have not ended
 * @own_lock_calls: how many callbacks run under an update lock that is not the mirror's
 * @recent: the interval that a section entered last, or NULL. RCU protects its
 *	readers. A section sets it while it is counted in &hmm_interval.active;
 *	the end of the range clears it after that count is 0, before it drops
 *	the interval
 * @notifier: a subscription to the last page of the address space, to which
 *	nothing is ever mapped: only %MMU_NOTIFY_RELEASE is reported to it, and after
 *	all ranges, as notifiers are called by address
 * @flags: %HMM_MIRROR_STATE_RELEASED when &hmm_mirror_ops.release was or is being
 *	called; when @work is to end the mirror, %HMM_MIRROR_STATE_DEFERRED, or
 *	%HMM_MIRROR_STATE_ABANDONED if a callback has begun to, or it was not begun
 * @caller: the task that is in a callback under the mirror's update lock, or
 *	NULL. Other tasks compare it with themselves only
 * @releaser: the task that is in &hmm_mirror_ops.release, or NULL
 * @removed: intervals that @work is to end
 * @ended_dmas: maps that @work is to end, after those
 * @lock: guards @removed, @ended_dmas, and the link between a range and its interval
 * @module_object: registration with the driver's module (lifetime.h)
 * @work: ends intervals and the mirror later
 * @done: called when @work has ended the mirror, or NULL
 * @stats: what debugfs shows
 */
struct hmm_mirror_state {
	refcount_t ref;
	struct hmm_mirror *mirror;
	struct mm_struct *mm;
	void *owner;
	struct hmm_update_lock update;
	struct maple_tree ranges;
	atomic_t intervals;
	atomic_t own_lock_calls;
	struct hmm_interval __rcu *recent;
	struct mmu_interval_notifier notifier;
	unsigned long flags;
	struct task_struct *caller;
	struct task_struct *releaser;
	struct hmm_interval *removed;
	struct hmm_mirror_dma *ended_dmas;
	spinlock_t lock; /* see above */
	struct hmm_module_object module_object;
	struct work_struct work;
	void (*done)(struct hmm_mirror *mirror);
	struct hmm_mirror_stats stats;
};

/**
 * struct hmm_interval_second_pass - an invalidation between its two passes
 * @finish: the kernel's list entry
 * @inv: the invalidation
 * @began: when it began, for the trace event
 * @used: there is one. Another invalidation that begins meanwhile has one pass
 *
 * The update lock guards all but @finish.
 */
struct hmm_interval_second_pass {
	struct mmu_interval_notifier_finish finish;
	struct hmm_invalidation inv;
	u64 began;
	bool used;
};

/**
 * struct hmm_interval - the subscription of a range
 * @ref: one for the range, one for each section that uses the interval
 * @active: one for the range until it is drained, one for each section that
 *	waits for or holds the update lock
 * @idle: completed when @active becomes 0
 * @state: of the mirror; a reference is held
 * @range: the driver's structure; NULL after hmm_mirror_range_remove_deferred(), or
 *	when nothing of the interval is reported any more. Cleared under
 *	&hmm_mirror_state.lock
 * @span: the addresses
 * @lock: the update lock
 * @caller: where to note which task is in the callback: in @own_caller, or in
 *	the mirror's state if the lock is the mirror's
 * @own_caller: see @caller
 * @notifier: the subscription
 * @second_pass: the invalidation whose second pass is to come
 * @movers: sections that migrate, or make exclusive, pages of @span. Added to
 *	under the update lock, removed from at any time
 * @movers_lock: guards @movers; nests in @lock
 * @flags: %HMM_INTERVAL_ENDING when something has claimed to end it;
 *	%HMM_INTERVAL_DEFERRED when it was left to the work item;
 *	%HMM_INTERVAL_UNLISTED when its addresses can be added again
 * @added: @notifier is subscribed; sections ignore the interval before
 * @next_removed: the next of &hmm_mirror_state.removed
 * @dead: no section may enter any more; read under @lock, and written under it
 *	before the device forgets
 * @released: invalidations are not reported any more; written under @lock
 * @rcu: frees the interval
 */
struct hmm_interval {
	refcount_t ref;
	atomic_t active;
	struct hmm_mirror_state *state;
	struct hmm_mirror_range *range;
	struct hmm_interval *next_removed;
	struct hmm_span span;
	struct hmm_update_lock lock;
	struct task_struct **caller;
	struct task_struct *own_caller;
	struct mmu_interval_notifier notifier;
	struct hmm_interval_second_pass second_pass;
	struct list_head movers;
	spinlock_t movers_lock; /* see above */
	unsigned long flags;
	bool added;
	bool dead;
	bool released;
	struct completion idle;
	struct rcu_head rcu;
};

/**
 * struct hmm_mover - a section whose own task changes the CPU's page table
 * @list: in the movers of the interval
 * @task: the task
 * @changed: whether another task invalidated the interval since the mover was
 *	registered; written and read under the update lock
 */
struct hmm_mover {
	struct list_head list;
	struct task_struct *task;
	bool changed;
};

/* Whether the update lock is the range's. */
static inline bool hmm_interval_has_own_lock(const struct hmm_interval *interval)
{
	return interval->caller == &interval->own_caller;
}

struct hmm_fault_waits;

extern const struct mmu_interval_notifier_ops hmm_interval_ops;
extern struct srcu_struct hmm_mirror_ends;

struct hmm_interval *hmm_interval_find(struct hmm_mirror_state *state,
				       unsigned long addr);
void hmm_interval_put(struct hmm_interval *interval);

void hmm_interval_active_put(struct hmm_interval *interval);
bool hmm_interval_invalidate_device(struct hmm_interval *interval,
				    const struct hmm_invalidation *inv);
bool hmm_interval_claim(struct hmm_interval *interval);
void hmm_interval_end(struct hmm_interval *interval);
void hmm_interval_end_deferred(struct hmm_interval *interval);
void hmm_interval_drain(struct hmm_interval *interval);
void hmm_interval_abandon(struct hmm_interval *interval,
			  struct hmm_update_lock held);

void hmm_mirror_state_put(struct hmm_mirror_state *state);
void hmm_mirror_state_queue(struct hmm_mirror_state *state);
bool hmm_mirror_state_is_calling(struct hmm_mirror_state *state,
				 struct hmm_update_lock *held);
void hmm_mirror_state_defer_dma(struct hmm_mirror_state *state, struct hmm_mirror_dma *dma);
void hmm_mirror_dma_end_deferred(struct hmm_mirror_dma *dma);
void hmm_mirror_state_invalidate_span(struct hmm_mirror_state *state, struct hmm_span span);
void hmm_mirror_invalidate_span(struct hmm_mirror *mirror, struct hmm_span span);

int hmm_interval_enter(struct hmm_interval *interval);
void hmm_interval_leave(struct hmm_interval *interval);

int hmm_interval_add_mover(struct hmm_interval *interval,
			   struct hmm_mover *mover);
void hmm_interval_del_mover(struct hmm_interval *interval,
			    struct hmm_mover *mover);

int hmm_section_exclusive_begin(struct hmm_section *section, struct hmm_range *walk,
				struct hmm_fault_waits *waits);
void hmm_section_exclusive_end(struct hmm_section *section);

int hmm_section_skip_absent(struct hmm_section *section, struct hmm_span *next);

#endif /* _MM_HMM_MIRROR_H */
