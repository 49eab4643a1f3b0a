/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lifetime of mirrors and device memory: locks under which functions may be
 * called, and objects that a module leaves behind.
 */
#ifndef _MM_HMM_LIFETIME_H
#define _MM_HMM_LIFETIME_H

#include <linux/lockdep.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/types.h>

/**
 * struct hmm_module_object - an object that calls back into a driver
 * @list: in the list of all
 * @callback: one of the driver's callbacks
 * @end: ends it; called in process context, with no lock held
 * @ending: a task has claimed it; see hmm_module_object_claim()
 * @leaked: it was ended when its module was unloaded, and is never freed
 * @held: how many ends are deferred that call back into the module, and may then drop
 *	the last reference to the object
 */
struct hmm_module_object {
	struct list_head list;
	void *callback;
	void (*end)(struct hmm_module_object *object);
	bool ending;
	bool leaked;
	unsigned int held;
};

void hmm_module_object_add(struct hmm_module_object *object, void *callback,
			   void (*end)(struct hmm_module_object *object));
bool hmm_module_object_claim(struct hmm_module_object *object);
void hmm_module_object_hold(struct hmm_module_object *object);
void hmm_module_object_release(struct hmm_module_object *object);
void hmm_module_object_del(struct hmm_module_object *object);

/* For lockdep: the caller may wait for invalidations, as if it took a lock. */
static inline void hmm_invalidation_acquire(void)
{
#ifdef CONFIG_LOCKDEP
	lock_map_acquire(&__mmu_notifier_invalidate_range_start_map);
#endif
}

static inline void hmm_invalidation_release(void)
{
#ifdef CONFIG_LOCKDEP
	lock_map_release(&__mmu_notifier_invalidate_range_start_map);
#endif
}

/**
 * hmm_waits_for_update_locks() - report to lockdep that an update lock may be taken
 *
 * For functions that fault, migrate, or wait for invalidations that are under way.
 * Lockdep has recorded that invalidations take update locks inside of this map. So it
 * reports a caller that holds an update lock, or is in an invalidate callback, even
 * if nothing is invalidated at this moment.
 */
static inline void hmm_waits_for_update_locks(void)
{
	hmm_invalidation_acquire();
	hmm_invalidation_release();
}

/**
 * hmm_mutex_is_mine() - whether current holds a mutex
 * @lock: the mutex
 *
 * Always false with PREEMPT_RT, whose mutexes detect and report a task that waits
 * for itself.
 *
 * Return: true if current holds it.
 */
static inline bool hmm_mutex_is_mine(struct mutex *lock)
{
#ifdef CONFIG_PREEMPT_RT
	return false;
#else
	return mutex_get_owner(lock) == (unsigned long)current;
#endif
}

#endif /* _MM_HMM_LIFETIME_H */
