/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* Nothing states what a module may leave behind. */
struct alarm {
	unsigned long when;
} __contract(object("Alarm"), pinned);

void alarm_setup(struct alarm *alarm,
		 void (*fire)(struct alarm *alarm)
		 __contract(callback("Fire", fire, atomic)))
	__contract(constructor, unsafe("nobody sleeps"));
void alarm_cancel(struct alarm *alarm) __contract(destructor, waits);

/* The callers of its constructor promise nothing. */
struct bell {
	unsigned long rung;
} __contract(object("Bell"), pinned);

void bell_setup(struct bell *bell,
		void (*ring)(struct bell *bell)
		__contract(callback("Ring", ring, atomic)))
	__contract(constructor);
void bell_cancel(struct bell *bell) __contract(destructor, waits, reaped(unsafe));
