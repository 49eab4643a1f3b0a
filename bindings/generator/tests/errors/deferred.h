/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct bell {
	unsigned long rung;
} __contract(object("Bell"), pinned);

void bell_init(struct bell *bell) __contract(constructor);
void bell_exit(struct bell *bell) __contract(destructor, deferred(bell_free), reaped);
void bell_free(struct bell *bell, void (*done)(void));
