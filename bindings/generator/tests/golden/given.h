/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

typedef unsigned long long phys_addr_t;

struct pump;

struct pump_ops {
	int (*start)(struct pump *pump) __contract(required, errno);
} __contract(ops("PumpOperations"));

/**
 * struct pump - something that moves water
 * @ops: set by the driver
 * @name: what it is called
 * @type: how fast it may turn
 * @patience: how long it may take to start
 * @registers: where it is controlled
 * @turns: how often it has
 */
struct pump {
	const struct pump_ops *ops __contract(given);
	const char *name __contract(given);
	unsigned int type __contract(given, name("speed"));
	unsigned long patience __contract(given, jiffies);
	phys_addr_t registers __contract(given);
	/* private: */
	unsigned long turns;
} __contract(object("Pump"), pinned, send, sync);

/**
 * pump_init() - begin to pump
 * @pump: with the driver's fields filled in
 *
 * Return: 0, or -EINVAL without a name.
 */
int pump_init(struct pump *pump)
	__contract(constructor, errno, unsafe("the registers are the pump's alone"));

/**
 * pump_wait() - wait until it turns
 * @pump: the pump
 * @timeout: how long, at most
 */
void pump_wait(struct pump *pump, unsigned long timeout __contract(jiffies))
	__contract(method);
void pump_exit(struct pump *pump) __contract(destructor, waits, reaped);
