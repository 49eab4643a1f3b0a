/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* As another header has them, with no contract. */
struct pump;
struct pump_ops {
	int (*start)(struct pump *pump, unsigned int speed);
	void (*stop)(struct pump *pump);
};
struct reading {
	unsigned int litres;
	unsigned int state;
	unsigned long cookie;
};
enum pump_state {
	PUMP_HOT = 1,
	PUMP_DRY = 2,
};

/* And here is the contract. */
enum __contract(flags("State")) pump_state;
struct __contract(ops("Operations"), field(start, required, errno, may_sleep),
		  field(stop, optional)) pump_ops;
struct __contract(record("Reading"), field(state, flags(pump_state)),
		  field(cookie, hidden)) reading;
struct pump {
	const struct pump_ops *ops;
} __contract(object("Pump"), pinned);

int pump_init(struct pump *pump, const struct pump_ops *ops) __contract(constructor, errno);
void pump_exit(struct pump *pump) __contract(destructor, waits, reaped);
struct reading pump_read(struct pump *pump) __contract(method);
void pump_expect(struct pump *pump, unsigned int state __contract(flags(pump_state)))
	__contract(method);
