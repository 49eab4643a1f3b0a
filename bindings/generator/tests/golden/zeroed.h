/* SPDX-License-Identifier: GPL-2.0 */
/* A constructor that expects zeros, and a lock whose class is the caller's. */
#include <linux/contract.h>

/* The kernel crate has the type for it. */
struct lock_class_key;

/**
 * struct kettle - boils water
 */
struct kettle {
	int degrees;
	int *private;
} __contract(object("Kettle"), pinned, zeroed);

int kettle_init(struct kettle *kettle) __contract(constructor, errno);
void kettle_exit(struct kettle *kettle) __contract(destructor);

/**
 * struct tap - one at a time
 */
struct tap {
	int held;
} __contract(object("Tap"), pinned, send, sync);

/**
 * tap_init() - make one that nobody holds
 * @tap: room for it
 * @name: the name that lockdep reports
 * @key: the class that lockdep knows it by
 */
void tap_init(struct tap *tap, const char *name __contract(keeps),
	      struct lock_class_key *key __contract(keeps)) __contract(constructor, leaked);
void tap_turn(struct tap *tap) __contract(lock("TapGuard"));
void tap_close(struct tap *tap) __contract(unlock("TapGuard"));

/* Left out: whether it is stored is not stated, or not true. */
void tap_rename(struct tap *tap, struct lock_class_key *key) __contract(method);
void tap_use(struct tap *tap, struct lock_class_key *key __contract(borrows)) __contract(method);
