/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The update lock, a mutex or a rw_semaphore, as the driver chose it.
 */
#ifndef _MM_HMM_UPDATE_LOCK_H
#define _MM_HMM_UPDATE_LOCK_H

#include <linux/hmm_mirror.h>
#include <linux/sched/mm.h>

#include "lifetime.h"

/* Take the update lock for an invalidation. Returns false only if @may_block is false. */
static inline __no_context_analysis bool hmm_update_lock(struct hmm_update_lock lock,
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

/* Drop the lock of hmm_update_lock(). */
static inline __no_context_analysis void hmm_update_unlock(struct hmm_update_lock lock)
{
	if (lock.rwsem)
		up_write(lock.rwsem);
	else
		mutex_unlock(lock.mutex);
}

/* Take the update lock for a section. */
static inline __no_context_analysis int hmm_update_lock_shared(struct hmm_update_lock lock)
{
	return lock.rwsem ? down_read_killable(lock.rwsem) :
			    mutex_lock_killable(lock.mutex);
}

/* Drop the lock of hmm_update_lock_shared(). */
static inline __no_context_analysis void
hmm_update_unlock_shared(struct hmm_update_lock lock)
{
	if (lock.rwsem)
		up_read(lock.rwsem);
	else
		mutex_unlock(lock.mutex);
}

/* Teach lockdep that reclaim takes the lock, as invalidations do. */
static inline void hmm_update_lock_prime(struct hmm_update_lock lock)
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

/* Whether a driver has given exactly one lock. */
static inline bool hmm_update_lock_valid(struct hmm_update_lock lock)
{
	return !lock.mutex != !lock.rwsem;
}

/* Whether two are the same lock. */
static inline bool hmm_update_lock_same(struct hmm_update_lock a, struct hmm_update_lock b)
{
	return a.mutex == b.mutex && a.rwsem == b.rwsem;
}

/* Whether current holds an update lock. The owner of a rw_semaphore is not known. */
static inline bool hmm_update_lock_is_mine(struct hmm_update_lock lock)
{
	return lock.mutex && hmm_mutex_is_mine(lock.mutex);
}

#endif /* _MM_HMM_UPDATE_LOCK_H */
