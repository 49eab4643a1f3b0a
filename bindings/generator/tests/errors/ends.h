/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* Its destructor states nothing about callbacks. */
struct alarm {
	unsigned long when;
} __contract(object("Alarm"), pinned);

void alarm_setup(struct alarm *alarm,
		 void (*fire)(struct alarm *alarm)
		 __contract(callback("Fire", fire, atomic)))
	__contract(constructor);
void alarm_cancel(struct alarm *alarm) __contract(destructor);

/* As before, with a table. That the constructor is unsafe states nothing either. */
struct bell;

struct bell_ops {
	void (*ring)(struct bell *bell) __contract(required);
} __contract(ops("BellOperations"));

struct bell {
	const struct bell_ops *ops __contract(given);
} __contract(object("Bell"), pinned);

void bell_init(struct bell *bell)
	__contract(constructor, unsafe("nobody sleeps"));
void bell_exit(struct bell *bell) __contract(destructor);

/* Nothing stops its callbacks. */
struct horn {
	unsigned long blown;
} __contract(object("Horn"), pinned);

void horn_init(struct horn *horn,
	       void (*blow)(struct horn *horn)
	       __contract(callback("Blow", blow)))
	__contract(constructor);

/* Both at once. */
struct gong {
	unsigned long struck;
} __contract(object("Gong"), pinned);

void gong_init(struct gong *gong) __contract(constructor);
void gong_exit(struct gong *gong)
	__contract(destructor, waits, deferred(gong_free));
void gong_free(struct gong *gong, void (*done)(struct gong *gong));
