/* SPDX-License-Identifier: GPL-2.0 */
/* What would be unsound if the generator took the contract's silence for permission, and what is sound beside it. */
#include <linux/contract.h>

typedef long long s64;

struct space;
struct __contract(object("Space"), send, sync) space;
void space_get(struct space *space) __contract(get);
void space_put(struct space *space) __contract(put);

/* A constructor that returns the object, and keeps what it is given. */
struct view { struct space *space; } __contract(object("View"), send);
struct view *view_open(struct space *space __contract(keeps))
	__contract(constructor, errno, nonnull);
void view_close(struct view *view) __contract(destructor);

struct door { int lock; } __contract(object("Door"), pinned, send, sync);
void door_init(struct door *door) __contract(constructor);
void door_exit(struct door *door) __contract(destructor, leaked);
/* A lock inside of a lock: the inner one is taken from the guard of the outer one. */
void door_lock(struct door *door) __contract(lock("OuterGuard"));
void door_unlock(struct door *door) __contract(unlock("OuterGuard"));
void door_inner(struct door *door) __contract(lock("InnerGuard"), requires(OuterGuard));
void door_outer(struct door *door) __contract(unlock("InnerGuard"));
int door_count(struct door *door) __contract(method, plain, requires(InnerGuard));
/* 64 bits with an error in them. */
s64 door_seek(struct door *door, s64 to) __contract(method, errno, plain);
/* NULL stands for no string. */
void door_name(struct door *door, const char *name __contract(borrows, nullable)) __contract(method);

/* Left out, each for its reason. */
void door_key(struct door *door, const unsigned char *key) __contract(method);
void door_sums(struct door *door, const unsigned int *n __contract(slice(nr), nullable),
	       unsigned long nr) __contract(method);
void door_watch(struct door *door, struct space *space) __contract(method);
struct space *door_space(struct door *door) __contract(method, borrowed(door), nonnull);
void door_set_space(struct door *door, struct space *space __contract(borrows)) __contract(method);
int door_short(struct door *door, const unsigned int *values __contract(slice(nr)), unsigned char nr)
	__contract(method, plain);

/* Left out with all that it has: who would hold the guard when the object ends? */
struct lid { int lock; } __contract(object("Lid"), pinned);
void lid_init(struct lid *lid) __contract(constructor);
void lid_exit(struct lid *lid) __contract(destructor, requires(LidGuard));
void lid_lock(struct lid *lid) __contract(lock("LidGuard"));
void lid_unlock(struct lid *lid) __contract(unlock("LidGuard"));

/* A record with a pointer is shown by reference, and cannot be returned. */
struct note {
	int page;
	struct space *about __contract(hidden);
} __contract(record("Note"));
int note_page(const struct note *note) __contract(method, plain, name("number"));
struct note door_note(struct door *door) __contract(method);
