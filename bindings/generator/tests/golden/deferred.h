/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct bell;

struct bell_ops {
	void (*ring)(struct bell *bell) __contract(required, requires(BellGuard));
	void (*stop)(struct bell *bell) __contract(optional);
} __contract(ops("BellOperations"));

/**
 * struct bell - something that rings by itself
 */
struct bell {
	unsigned long rung;
} __contract(object("Bell"), pinned, send, sync, data(BellGuard = exclusive));

int bell_init(struct bell *bell, const struct bell_ops *ops)
	__contract(constructor, errno);
void bell_exit(struct bell *bell)
	__contract(destructor, deferred(bell_exit_free), leaked, reaped);
/* From anywhere: it waits for nothing. */
void bell_exit_free(struct bell *bell, void (*done)(struct bell *bell));
void bell_lock(struct bell *bell) __contract(lock("BellGuard"));
void bell_unlock(struct bell *bell) __contract(unlock("BellGuard"));

/* Whose data is only ever shared, and whose constructor cannot fail. */
struct gong;

struct gong_ops {
	int (*strike)(struct gong *gong) __contract(required, object, errno);
	void (*fade)(struct gong *gong) __contract(optional);
} __contract(ops("GongOperations"));

struct gong {
	unsigned long struck;
} __contract(object("Gong"), pinned, send, sync);

void gong_init(struct gong *gong, const struct gong_ops *ops)
	__contract(constructor);
void gong_exit(struct gong *gong)
	__contract(destructor, deferred(gong_exit_free), reaped);
void gong_exit_free(struct gong *gong, void (*done)(struct gong *gong));
