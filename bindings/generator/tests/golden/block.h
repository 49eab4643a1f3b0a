/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct __contract(object("Block"), foreign("super::Block<'_>")) frame;
struct __contract(object("Order"), foreign("super::Order")) order;
struct store;

/**
 * struct store_ops - what a store's driver knows
 * @copy: copy as many
 * @look: look at as many
 * @queue: fill an order, which is the driver's until then
 * @gone: @cookie is the driver's again
 */
struct store_ops {
	int (*copy)(struct store *store, struct frame *to __contract(nonnull),
		    struct frame *from __contract(nonnull), unsigned int order)
		__contract(required, object, errno, block(to, order),
			   block(from, order, reads));
	int (*look)(struct store *store, const struct frame *at __contract(nonnull),
		    unsigned int order)
		__contract(required, object, errno, block(at, order));
	void (*queue)(struct store *store, struct order *order __contract(owned, nonnull))
		__contract(optional, object);
	void (*gone)(struct store *store, void *cookie __contract(identity))
		__contract(optional, object);
} __contract(ops("StoreOperations"));

struct frame {
	unsigned long flags;
};

struct order {
	unsigned long frames;
};

struct store {
	unsigned long used;
} __contract(object("Store"), pinned, send, sync);

void store_init(struct store *store, const struct store_ops *ops)
	__contract(constructor);
void store_exit(struct store *store) __contract(destructor, waits, reaped);
