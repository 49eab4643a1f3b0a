/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct pump {
	unsigned int rate __contract(given(1));
	unsigned int level __contract(given, required);
	unsigned long both __contract(given, jiffies, flags(pump_flags));
} __contract(object("Pump"), pinned);

void pump_init(struct pump *pump) __contract(constructor);
void pump_exit(struct pump *pump) __contract(destructor);
