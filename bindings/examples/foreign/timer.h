/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: a callback in interrupt context, at a time. No type states which bits of its flags are the caller's: `unsafe`.
 */
#include <linux/contract.h>
#include <linux/timer.h>

/**
 * struct timer_list - something to be done at a time
 */
struct __contract(object("Timer"), pinned, send, sync) timer_list;

/**
 * timer_setup() - make one that does not run
 * @timer: room for it
 * @callback: The time has come.
 * @flags: 0, or what the kernel knows as TIMER_...
 */
void (timer_setup)(struct timer_list *timer,
		   void (*callback)(struct timer_list *timer)
		   __contract(callback("TimerOperations", expired, atomic)),
		   unsigned int flags)
	__contract(macro, constructor,
		   unsafe("it is dropped before the module of its callback is unloaded, and has no `flags` but those of TIMER_INIT_FLAGS: C takes others as the number of a CPU"));

/**
 * timer_shutdown_sync() - stop it for ever, and wait for its callback
 * @timer: the timer
 */
int timer_shutdown_sync(struct timer_list *timer)
	__contract(destructor, plain, waits, reaped(unsafe));

/**
 * mod_timer() - have it expire at that time
 * @timer: the timer
 * @expires: the time, in jiffies since boot
 *
 * Return: 0 when it did not run before, 1 when it did.
 */
int mod_timer(struct timer_list *timer, unsigned long expires __contract(jiffies))
	__contract(method, plain, name("modify"), atomic);

/**
 * timer_delete() - do not have it expire
 * @timer: the timer. Its callback may run still.
 *
 * Return: 0 when it did not run, 1 when it did.
 */
int timer_delete(struct timer_list *timer) __contract(method, plain, name("delete"), atomic);

/**
 * timer_pending() - ask whether it will expire
 * @timer: the timer
 *
 * Return: 0 when it will not, 1 when it will.
 */
static inline int timer_pending(const struct timer_list *timer)
	__contract(method, plain, name("is_pending"), atomic);
