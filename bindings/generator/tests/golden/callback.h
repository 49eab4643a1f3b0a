/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct alarm {
	void (*ring)(struct alarm *alarm);
} __contract(object("Alarm"), pinned, send, sync);

void alarm_init(struct alarm *alarm, unsigned int at,
		void (*ring)(struct alarm *alarm) __contract(callback("Ring", ring, atomic)))
	__contract(constructor);
void alarm_cancel(struct alarm *alarm) __contract(destructor, waits, reaped, may_sleep);
