/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct table {
	int lock;
} __contract(object("Table"), pinned, send, sync, data(TableGuard = exclusive));

void table_init(struct table *table) __contract(constructor, leaked);
void table_lock(struct table *table) __contract(lock("TableGuard"));
void table_unlock(struct table *table) __contract(unlock("TableGuard"));

/**
 * table_begin() - run on what a table holds, once it holds still
 * @table: the table
 */
unsigned long table_begin(struct table *table)
	__contract(begin("Stable", holds(TableGuard), method(when_stable)));
_Bool table_retry(struct table *table, unsigned long seq) __contract(check("Stable"));

struct clock {
	unsigned int seq;
} __contract(object("Clock"), pinned, send, sync);

void clock_init(struct clock *clock) __contract(constructor, leaked);
unsigned int clock_begin(const struct clock *clock) __contract(begin("Moment", method(consistently)));
int clock_retry(const struct clock *clock, unsigned int seq) __contract(check("Moment"));
unsigned int clock_seconds(const struct clock *clock) __contract(method, atomic);
