/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: a lock whose unlock wants the number that the lock has returned. No type forbids to leak a guard: `unsafe`.
 */
#include <linux/contract.h>
#include <linux/srcu.h>

/**
 * struct srcu_struct - readers that others can wait for, and that may sleep
 */
struct __contract(object("Srcu"), pinned, send, sync) srcu_struct;

/**
 * init_srcu_struct() - make one without readers
 * @ssp: room for it
 *
 * Return: 0, or -ENOMEM.
 */
int (init_srcu_struct)(struct srcu_struct *ssp)
	__contract(macro, constructor, errno,
		   unsafe("no `SrcuReader` is leaked: C then does not wait for the work that still uses the structure"));

/**
 * cleanup_srcu_struct() - end it
 * @ssp: one without readers
 */
void cleanup_srcu_struct(struct srcu_struct *ssp) __contract(destructor, leaked(unsafe), may_sleep);

/**
 * srcu_read_lock() - become a reader
 * @ssp: whose
 */
static inline int srcu_read_lock(struct srcu_struct *ssp)
	__contract(lock("SrcuReader"), name("read"));
static inline void srcu_read_unlock(struct srcu_struct *ssp, int idx __contract(cookie))
	__contract(unlock("SrcuReader"));

/**
 * synchronize_srcu() - wait for all who are readers now
 * @ssp: whose readers. A reader that calls this waits for itself; lockdep reports it.
 */
void synchronize_srcu(struct srcu_struct *ssp) __contract(method, name("synchronize"), may_sleep);

/**
 * synchronize_srcu_expedited() - wait for all who are readers now, with haste
 * @ssp: whose readers
 */
void synchronize_srcu_expedited(struct srcu_struct *ssp)
	__contract(method, name("synchronize_expedited"), may_sleep);

/**
 * srcu_barrier() - wait for all callbacks of earlier calls
 * @ssp: whose callbacks
 */
void srcu_barrier(struct srcu_struct *ssp) __contract(method, name("barrier"), may_sleep);
