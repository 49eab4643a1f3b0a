/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* Clauses on parameters that contradict others, or mean nothing on what C passes to a callback. */
struct level { int depth; } __contract(record("Level"));
struct pump;
struct pump_ops {
	void (*rose)(struct pump *pump, const struct level *level __contract(outlives)) __contract(required);
} __contract(ops("PumpOperations"));
struct pump {
	const struct pump_ops *ops __contract(given);
} __contract(object("Pump"), pinned);
void pump_init(struct pump *pump) __contract(constructor);
void pump_exit(struct pump *pump) __contract(destructor, waits, reaped);
void pump_named(struct pump *pump, const char *name __contract(borrows, nullable, nonnull)) __contract(method);
void pump_set(struct pump *pump, int depth __contract(nonnull)) __contract(method);
