/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: a callback that is a member, whose type is a typedef, and a chain that it is in from its beginning to its end.
 * The end takes the chain's semaphore for writing and so waits for callbacks, which run with it taken for reading. That of an
 * atomic chain, as for kernel faults, does not wait for a callback that calls it, so such a notifier has no safe binding.
 */
#include <linux/contract.h>
#include <linux/notifier.h>

/**
 * struct blocking_notifier_head - those that are notified of an event
 */
struct __contract(object("Chain"), pinned, send, sync) blocking_notifier_head;

/**
 * BLOCKING_INIT_NOTIFIER_HEAD() - make one without notifiers
 * @name: room for it
 */
void (BLOCKING_INIT_NOTIFIER_HEAD)(struct blocking_notifier_head *name) __contract(macro, constructor);

/**
 * blocking_notifier_call_chain() - notify them, in the order of their priorities, until one stops it
 * @nh: the chain
 * @val: the event
 * @v: what it is about; compared only
 *
 * Return: what the last one returned.
 */
int blocking_notifier_call_chain(struct blocking_notifier_head *nh, unsigned long val,
				 void *v __contract(identity))
	__contract(method, plain, may_sleep, name("call"));

/**
 * struct notifier_block - is notified of events
 * @notifier_call: Something has happened.
 * @priority: Those with more are notified first.
 */
struct __contract(object("Notifier"), pinned, send, sync, zeroed,
		  field(notifier_call, given,
			callback("Notified", notified, plain, may_sleep, param(3, identity))),
		  field(priority, given)) notifier_block;

/**
 * blocking_notifier_chain_register() - add one to a chain
 * @nh: the chain
 * @nb: room for it
 *
 * Return: 0, or -EEXIST.
 */
int blocking_notifier_chain_register(struct blocking_notifier_head *nh __contract(keeps),
				     struct notifier_block *nb)
	__contract(constructor, errno, may_sleep,
		   unsafe("it is dropped before its module is unloaded, and not in its callback while the kernel boots"));

/**
 * blocking_notifier_chain_unregister() - remove it, and wait for callbacks that run
 * @nh: its chain
 * @nb: the notifier
 */
int blocking_notifier_chain_unregister(struct blocking_notifier_head *nh __contract(kept),
				       struct notifier_block *nb)
	__contract(destructor, waits, reaped(unsafe), plain, may_sleep);
