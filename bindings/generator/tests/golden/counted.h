/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

#ifndef __KERNEL__
#define __counted_by(member)
#define __counted_by_ptr(member)
#endif

enum dial_state {
	DIAL_LIVE = 1,
	DIAL_WARM = 2,
};
enum __contract(flags("State")) dial_state;

/**
 * struct log - what a meter has seen
 * @levels: in millivolts, the oldest first
 */
struct log {
	unsigned int nr;
	unsigned int nr_states;
	const unsigned int *states __contract(slice(nr_states), flags(dial_state));
	/* As many times, of which C knows the address. */
	const void *times __contract(slice(nr_states, u64));
	unsigned short levels[] __counted_by(nr);
} __contract(record("Log"));

struct meter;
struct meter_ops {
	void (*report)(struct meter *meter, const struct log *log __contract(nonnull))
		__contract(required);
} __contract(ops("Operations"));
struct meter {
	const struct meter_ops *ops;
} __contract(object("Meter"), pinned);

void meter_init(struct meter *meter, const struct meter_ops *ops) __contract(constructor);
void meter_exit(struct meter *meter) __contract(destructor, waits, reaped);
struct log meter_last(struct meter *meter) __contract(method);
