/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example of what is refused: a notifier of an atomic chain. Called by the callback, the end can return while that still runs
 * (without preemptible RCU), so it is none that `waits`, and there is no function that ends it later.
 */
#include <linux/contract.h>
#include <linux/kdebug.h>
#include <linux/notifier.h>

/**
 * struct notifier_block - is notified of events
 * @notifier_call: Something has happened.
 * @priority: Those with more are notified first.
 */
struct __contract(object("DieNotifier"), pinned, send, sync, zeroed,
		  field(notifier_call, given, callback("Notified", notified, plain, atomic, param(3, identity))),
		  field(priority, given)) notifier_block;

/**
 * register_die_notifier() - have faults reported of the kernel
 * @nb: room for it
 *
 * Return: 0, or -EEXIST.
 */
int register_die_notifier(struct notifier_block *nb) __contract(constructor, errno, may_sleep);

/**
 * unregister_die_notifier() - stop it, and wait for callbacks that run
 * @nb: the notifier
 */
int unregister_die_notifier(struct notifier_block *nb) __contract(destructor, plain, may_sleep);
