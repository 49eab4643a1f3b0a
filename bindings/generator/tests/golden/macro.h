/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>
#include "include/lid.h"

struct counter {
	int value;
} __contract(object("Counter"), pinned, send, sync);

#define counter_init(counter) ((counter)->value = 0)
#define counter_up(counter, by) ((counter)->value += (by))
void (counter_init)(struct counter *counter) __contract(macro, constructor);
void (counter_up)(struct counter *counter, int by) __contract(macro, method, atomic);

static inline int counter_value(const struct counter *counter) __contract(plain)
{
	return counter->value;
}

/* In this configuration lid_open() is a static inline: it needs a shim, and its prototype is not repeated. */
struct __contract(object("Lid"), send, sync) lid;
int lid_open(struct lid *lid) __contract(method, errno);
