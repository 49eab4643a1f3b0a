/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: the side of a wait queue that wakes. The other side, wait_event(), takes an
 * expression, which no declaration can state.
 */
#include <linux/contract.h>
#include <linux/wait.h>

/**
 * struct wait_queue_head - tasks that wait for a condition
 */
struct __contract(object("WaitQueue"), pinned, send, sync) wait_queue_head;

/**
 * init_waitqueue_head() - make one that nobody waits in
 * @wq_head: room for it
 */
void (init_waitqueue_head)(struct wait_queue_head *wq_head) __contract(macro, constructor);

/**
 * wake_up() - wake all, but of those who wait exclusively only one
 * @wq_head: the queue
 */
void (wake_up)(struct wait_queue_head *wq_head) __contract(macro, method, name("wake_up"), atomic);

/**
 * wake_up_all() - wake all
 * @wq_head: the queue
 */
void (wake_up_all)(struct wait_queue_head *wq_head) __contract(macro, method, atomic);

/**
 * wq_has_sleeper() - ask whether somebody waits
 * @wq_head: the queue
 *
 * Return: whether somebody does.
 */
static inline bool wq_has_sleeper(struct wait_queue_head *wq_head)
	__contract(method, name("has_sleeper"), atomic);
