/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* What C passes to a callback may be NULL. */
struct pump;
struct level { int depth; } __contract(record("Level"));
struct pump_ops {
	void (*fell)(struct pump *pump, const struct level *level) __contract(required);
	void (*named)(struct pump *pump, const char *name __contract(borrows)) __contract(required);
} __contract(ops("PumpOperations"));
struct pump {
	const struct pump_ops *ops __contract(given);
} __contract(object("Pump"), pinned);
void pump_init(struct pump *pump) __contract(constructor);
void pump_exit(struct pump *pump) __contract(destructor, waits, reaped);
