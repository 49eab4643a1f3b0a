/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: a callback that is given a member of its object.
 */
#include <linux/contract.h>
#include <linux/workqueue.h>

/**
 * struct delayed_work - something to be done later, by a thread of the kernel
 */
struct __contract(object("DelayedWork"), pinned, send, sync) delayed_work;

/**
 * INIT_DELAYED_WORK() - make one that is not queued
 * @dwork: room for it
 * @func: Do the work.
 */
void (INIT_DELAYED_WORK)(struct delayed_work *dwork,
			 void (*func)(struct work_struct *work)
			 __contract(callback("DelayedOperations", run, member(work), may_sleep)))
	__contract(macro, constructor,
		   unsafe("it is dropped before the module of its callback is unloaded"));

/**
 * cancel_delayed_work_sync() - wait until it is neither queued nor running
 * @dwork: the work
 */
bool cancel_delayed_work_sync(struct delayed_work *dwork) __contract(destructor, waits, reaped(unsafe), may_sleep);

/**
 * schedule_delayed_work() - have it done after some time
 * @dwork: the work
 * @delay: the time
 *
 * Return: false when it was queued already.
 */
static inline bool schedule_delayed_work(struct delayed_work *dwork,
					 unsigned long delay __contract(jiffies))
	__contract(method, name("schedule"), atomic);

/**
 * flush_delayed_work() - have it done now, and wait for it
 * @dwork: the work
 *
 * Return: whether there was something to wait for.
 */
bool flush_delayed_work(struct delayed_work *dwork) __contract(method, name("flush"), may_sleep);
