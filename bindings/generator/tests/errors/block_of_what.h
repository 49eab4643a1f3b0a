/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct store;
struct __contract(object("Page")) page;

struct store_ops {
	int (*clear)(struct store *store, struct page *page __contract(nonnull), unsigned int order)
		__contract(required, object, errno, block(page, order));
	int (*move)(struct store *store, struct page *page __contract(nonnull))
		__contract(required, object, errno);
} __contract(ops("StoreOperations"));

struct store {
	const struct store_ops *ops __contract(given);
} __contract(object("Store"), pinned);

void store_init(struct store *store, const struct store_ops *ops)
	__contract(constructor);
void store_exit(struct store *store) __contract(destructor, waits, reaped);
