/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: waiting for an event, with timeouts and for killable tasks. It has no destructor: the task that waits borrows it.
 */
#include <linux/completion.h>
#include <linux/contract.h>

/**
 * struct completion - an event that is waited for
 */
struct __contract(object("Completion"), pinned, send, sync) completion;

/**
 * init_completion() - make one whose event has not happened
 * @x: room for it
 */
static inline void init_completion(struct completion *x) __contract(constructor);

/**
 * complete() - let one waiter continue, now or later
 * @x: the completion
 */
void complete(struct completion *x) __contract(method, atomic);

/**
 * complete_all() - let all waiters continue, now and later
 * @x: the completion
 */
void complete_all(struct completion *x) __contract(method, atomic);

/**
 * wait_for_completion() - wait for the event, however long it takes
 * @x: the completion
 */
void wait_for_completion(struct completion *x) __contract(method, name("wait"), may_sleep);

/**
 * wait_for_completion_timeout() - wait for the event or for the end of a time
 * @x: the completion
 * @timeout: the time
 *
 * Return: 0 when the time has ended, otherwise how many jiffies were left, at least 1.
 */
unsigned long wait_for_completion_timeout(struct completion *x,
					  unsigned long timeout __contract(jiffies))
	__contract(method, plain, name("wait_timeout"), may_sleep);

/**
 * wait_for_completion_killable() - wait for the event, or until the task is killed
 * @x: the completion
 *
 * Return: 0, or -ERESTARTSYS when the task is being killed.
 */
int wait_for_completion_killable(struct completion *x)
	__contract(method, errno, name("wait_killable"), may_sleep);

/**
 * wait_for_completion_killable_timeout() - wait for the event, the end of a time, or until the task is killed
 * @x: the completion
 * @timeout: the time
 *
 * Return: 0 when the time has ended, -ERESTARTSYS when the task is being killed, otherwise how many jiffies were left, at
 * least 1.
 */
long wait_for_completion_killable_timeout(struct completion *x,
					  unsigned long timeout __contract(jiffies))
	__contract(method, errno, plain, name("wait_killable_timeout"), may_sleep);

/**
 * try_wait_for_completion() - take the event if it has happened
 * @x: the completion
 *
 * Return: whether it had.
 */
bool try_wait_for_completion(struct completion *x) __contract(method, name("try_wait"), atomic);

/**
 * completion_done() - ask whether a wait would end at once
 * @x: the completion
 *
 * Return: whether it would.
 */
bool completion_done(struct completion *x) __contract(method, name("is_done"), atomic);
