/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: work for a thread of the kernel, which finds the data around its work item.
 */
#include <linux/contract.h>
#include <linux/workqueue.h>

/**
 * struct work_struct - something to be done soon, by a thread of the kernel
 */
struct __contract(object("Work"), pinned, send, sync) work_struct;

/**
 * INIT_WORK() - make one that is not queued
 * @work: room for it
 * @func: Do the work.
 */
void (INIT_WORK)(struct work_struct *work,
		 void (*func)(struct work_struct *work)
		 __contract(callback("WorkOperations", run, may_sleep)))
	__contract(macro, constructor,
		   unsafe("it is dropped before the module of its callback is unloaded"));

/**
 * cancel_work_sync() - wait until it is neither queued nor running
 * @work: the work. It must not be called by its own callback, which would wait for itself.
 */
bool cancel_work_sync(struct work_struct *work) __contract(destructor, waits, reaped(unsafe), may_sleep);

/**
 * schedule_work() - have it done
 * @work: the work
 *
 * Return: false when it was queued already.
 */
static inline bool schedule_work(struct work_struct *work) __contract(method, name("schedule"), atomic);

/**
 * flush_work() - wait until it was done
 * @work: the work
 *
 * Return: whether there was something to wait for.
 */
bool flush_work(struct work_struct *work) __contract(method, name("flush"), may_sleep);

/**
 * work_pending() - ask whether it is queued
 * @work: the work
 *
 * Return: whether it is.
 */
bool (work_pending)(struct work_struct *work) __contract(macro, method, name("is_pending"), atomic);
