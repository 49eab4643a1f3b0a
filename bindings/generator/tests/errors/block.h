/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct store;
struct frame;
struct __contract(object("Block"), foreign("crate::Block")) frame;
struct __contract(object("Page")) page;

struct store_ops {
	int (*copy)(struct store *store, struct frame *to, unsigned int order)
		__contract(required, object, errno, block(to, size));
	int (*fill)(struct store *store, struct frame *to, unsigned int order)
		__contract(required, object, errno, block(to));
	int (*peek)(struct store *store, struct frame *to, unsigned int order)
		__contract(required, object, errno, block(to, order, writes));
} __contract(ops("StoreOperations"));

struct store {
	unsigned long used;
} __contract(object("Store"), pinned);

void store_init(struct store *store, const struct store_ops *ops)
	__contract(constructor);
void store_exit(struct store *store) __contract(destructor, waits, reaped);
