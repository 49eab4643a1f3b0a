/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: a callback, and an object that must not end while it runs.
 */
#include <linux/contract.h>
#include <linux/irq_work.h>

/**
 * struct irq_work - something to be done soon, in interrupt context
 */
struct __contract(object("IrqWork"), pinned, send, sync) irq_work;

/**
 * init_irq_work() - make one that is not queued
 * @work: room for it
 * @func: Do the work.
 */
static inline void init_irq_work(struct irq_work *work,
				 void (*func)(struct irq_work *)
				 __contract(callback("Operations", run, atomic)))
	__contract(constructor,
		   unsafe("it is dropped before the module of its callback is unloaded"));

/**
 * irq_work_sync() - wait until it is neither queued nor running
 * @work: the work
 */
void irq_work_sync(struct irq_work *work) __contract(destructor, waits, reaped(unsafe), may_sleep);

/**
 * irq_work_queue() - have it done
 * @work: the work
 *
 * Return: false when it was queued already.
 */
bool irq_work_queue(struct irq_work *work) __contract(method, atomic);

/**
 * irq_work_is_busy() - ask whether it is queued or running
 * @work: the work
 *
 * Return: whether it is.
 */
static inline bool irq_work_is_busy(struct irq_work *work)
	__contract(method, atomic, name("is_busy"));
