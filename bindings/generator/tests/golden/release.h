/* SPDX-License-Identifier: GPL-2.0 */
/* Objects in storage of their own, whose data may be dropped later, or with the last reference to them. */
#include <linux/contract.h>

/**
 * struct share - data with a count of references
 */
struct share {
	int count;
} __contract(object("Share"), pinned, send, sync, data);

void share_init(struct share *share) __contract(constructor);
void share_get(struct share *share) __contract(get);
int share_put(struct share *share, void (*release)(struct share *share)) __contract(put);

/**
 * struct local - the same, of one thread
 */
struct local {
	int count;
} __contract(object("Local"), pinned);

int local_init(struct local *local) __contract(constructor, errno);
void local_get(struct local *local) __contract(get);
void local_put(struct local *local, void (*release)(struct local *local)) __contract(put);

/**
 * struct crate - data that a thread of C's may drop, when the object has ended
 */
struct crate {
	int lock;
} __contract(object("Crate"), pinned, send, sync, data(CrateGuard = exclusive));

void crate_init(struct crate *crate) __contract(constructor);
void crate_exit(struct crate *crate) __contract(destructor, deferred(crate_end), leaked);
void crate_end(struct crate *crate, void (*done)(struct crate *crate));
void crate_lock(struct crate *crate) __contract(lock("CrateGuard"));
void crate_unlock(struct crate *crate) __contract(unlock("CrateGuard"));

/**
 * struct note - data that is only ever shared, without callbacks
 */
struct note {
	int page;
} __contract(object("Note"), pinned, send, sync, data);

void note_init(struct note *note) __contract(constructor);
