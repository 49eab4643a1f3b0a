/* SPDX-License-Identifier: GPL-2.0 */
/* What a callback is given beside its object: an object for the call, addresses; and clauses where the type is a typedef. */
#include <linux/contract.h>

struct guest;
struct __contract(object("Guest"), send, sync) guest;
unsigned long guest_age(const struct guest *guest) __contract(method, plain);

/* Of one thread. */
struct ghost;
struct __contract(object("Ghost")) ghost;
unsigned long ghost_age(const struct ghost *ghost) __contract(method, plain);

struct host;

struct host_ops {
	int (*welcome)(struct host *host, struct guest *guest __contract(borrows, nonnull),
		       const struct ghost *same __contract(identity)) __contract(required, errno);
	/* The object, whose data the callback reads with the lock, as other threads may do. */
	void (*woken)(struct host *host) __contract(required, object);
	/* Left out: several threads may use it, or it may be NULL, or nothing states how long it is valid. */
	void (*haunt)(struct host *host, struct ghost *ghost __contract(borrows, nonnull))
		__contract(optional);
	void (*part)(struct host *host, struct guest *guest __contract(borrows)) __contract(optional);
	void (*meet)(struct host *host, struct guest *guest) __contract(optional);
} __contract(ops("HostOperations"));

/**
 * struct host - has guests, and data that several threads may read
 */
struct host {
	int guests;
} __contract(object("Host"), pinned, send, sync, data(HostGuard = shared));

void host_init(struct host *host, const struct host_ops *ops) __contract(constructor);
void host_exit(struct host *host) __contract(destructor, waits, reaped, leaked);
void host_lock(struct host *host) __contract(lock("HostGuard"));
void host_unlock(struct host *host) __contract(unlock("HostGuard"));

struct bell;
typedef int (*bell_fn)(struct bell *, unsigned long, void *);

/**
 * struct bell - is rung by guests
 * @rung: a guest has rung
 */
struct bell {
	bell_fn rung __contract(given, callback("Rung", rung, plain, param(3, identity)));
} __contract(object("Bell"), pinned, send, sync);

void bell_init(struct bell *bell) __contract(constructor);
void bell_exit(struct bell *bell) __contract(destructor, waits, reaped);
