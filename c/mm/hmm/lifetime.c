// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrors and device memory that a module leaves behind.
 *
 * A mirror or device memory that is still registered when its driver's module is
 * freed would call into freed text. A driver in safe Rust can leak either, and a
 * work item ends those that it drops, later. So all of them are in a list from
 * init to exit, each with one of its callbacks. When a module is unloaded, the
 * objects with a callback in it are ended, after its exit function has returned and
 * before its text is freed.
 *
 * The list, and its lock, are used only at init and exit of a mirror or device
 * memory.
 */
#include <linux/cleanup.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "lifetime.h"

static LIST_HEAD(hmm_module_objects);
static DEFINE_SPINLOCK(hmm_module_object_lock);
static DECLARE_WAIT_QUEUE_HEAD(hmm_module_object_wait);
/* Holds of objects that were leaked. Those may not be listed any more. */
static unsigned long hmm_module_leaked_held;

/**
 * hmm_module_object_add() - list an object that calls back into a driver
 * @object: embedded in it
 * @callback: one of the callbacks
 * @end: ends it, and calls hmm_module_object_del() in the end
 */
void hmm_module_object_add(struct hmm_module_object *object, void *callback,
			   void (*end)(struct hmm_module_object *object))
{
	object->callback = callback;
	object->end = end;
	object->ending = false;
	object->leaked = false;
	object->held = 0;
	guard(spinlock_irqsave)(&hmm_module_object_lock);
	list_add(&object->list, &hmm_module_objects);
}

/**
 * hmm_module_object_claim() - claim the right to end it
 * @object: of hmm_module_object_add()
 *
 * Return: true if the caller ends it; false if another task has claimed it.
 */
bool hmm_module_object_claim(struct hmm_module_object *object)
{
	guard(spinlock_irqsave)(&hmm_module_object_lock);
	if (object->ending)
		return false;
	object->ending = true;
	return true;
}

/**
 * hmm_module_object_hold() - keep the text of the module until another callback has returned
 * @object: of hmm_module_object_add(); nobody but the module's end may have claimed it
 *
 * The object is not taken for a leaked one meanwhile, and may be ended by the callback. One
 * that was leaked and has ended stays allocated: the end of another one may hold it.
 */
void hmm_module_object_hold(struct hmm_module_object *object)
{
	guard(spinlock_irqsave)(&hmm_module_object_lock);
	object->held++;
	if (object->leaked)
		hmm_module_leaked_held++;
}

/**
 * hmm_module_object_release() - the callback of hmm_module_object_hold() has returned
 * @object: listed until this returns, or leaked
 */
void hmm_module_object_release(struct hmm_module_object *object)
{
	scoped_guard(spinlock_irqsave, &hmm_module_object_lock) {
		object->held--;
		/* None is leaked while it is held. */
		if (object->leaked)
			hmm_module_leaked_held--;
	}
	wake_up_all(&hmm_module_object_wait);
}

/**
 * hmm_module_object_del() - remove it from the list, after its last callback
 * @object: of hmm_module_object_add()
 */
void hmm_module_object_del(struct hmm_module_object *object)
{
	scoped_guard(spinlock_irqsave, &hmm_module_object_lock)
		list_del(&object->list);
	wake_up_all(&hmm_module_object_wait);
}

#ifdef CONFIG_MODULES
/*
 * Claim one object that a module has leaked; set @leaked to NULL if there is none.
 * Returns false while another object of the module is ending, or its end is deferred: it
 * may hold the last reference to one that is still listed. And while one that was leaked,
 * of this module or another, calls back.
 */
static bool hmm_module_object_claim_leaked(const struct module *module,
					   struct hmm_module_object **leaked)
{
	struct hmm_module_object *object;

	*leaked = NULL;
	guard(spinlock_irqsave)(&hmm_module_object_lock);
	if (hmm_module_leaked_held)
		return false;
	list_for_each_entry(object, &hmm_module_objects, list) {
		if (!within_module((unsigned long)object->callback, module))
			continue;
		if (object->ending || object->held)
			return false;
		*leaked = object;
	}
	if (*leaked) {
		(*leaked)->ending = true;
		(*leaked)->leaked = true;
	}
	return true;
}

/*
 * The module's exit function has returned, or its init function has failed. Ending
 * an object can drop the last reference to another one of the module, so the list is
 * searched again after each.
 */
static int hmm_module_event(struct notifier_block *notifier, unsigned long event,
			    void *data)
{
	const struct module *module = data;
	struct hmm_module_object *object = NULL;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	do {
		wait_event(hmm_module_object_wait,
			   hmm_module_object_claim_leaked(module, &object));
		if (object) {
			pr_warn("hmm: module %s is unloaded with %ps still registered\n",
				module->name, object->callback);
			object->end(object);
		}
	} while (object);
	return NOTIFY_OK;
}

static struct notifier_block hmm_module_notifier = {
	.notifier_call = hmm_module_event,
};

static int __init hmm_lifetime_setup(void)
{
	return register_module_notifier(&hmm_module_notifier);
}
core_initcall(hmm_lifetime_setup);
#endif
