/* SPDX-License-Identifier: GPL-2.0 */
/* A lock or an object that a closure is given, and that nobody can leak. */
#include <linux/contract.h>

typedef _Bool bool_t;

/**
 * struct tank - something that must not stay locked
 */
struct tank {
	int lock;
} __contract(object("Tank"), pinned, send, sync, data(TankGuard = exclusive));

/* No `leaked` is needed: there is nothing to leak. */
void tank_init(struct tank *tank) __contract(constructor);
void tank_exit(struct tank *tank) __contract(destructor);

/**
 * tank_open() - open the tank
 * @tank: the tank
 */
void tank_open(struct tank *tank) __contract(lock("TankGuard"), scoped, may_sleep);
/**
 * tank_open_killable() - open the tank, if nobody kills the caller
 * @tank: the tank
 *
 * Return: 0, or -%EINTR.
 */
int tank_open_killable(struct tank *tank)
	__contract(trylock("TankGuard"), scoped, errno);
bool_t tank_try_open(struct tank *tank) __contract(trylock("TankGuard"), scoped);
int tank_poll_open(struct tank *tank) __contract(trylock("TankGuard"), scoped, plain);
void tank_close(struct tank *tank) __contract(unlock("TankGuard"));
unsigned int tank_level(const struct tank *tank) __contract(method, requires(TankGuard));

/* A lock inside the lock, with what was saved when it was taken. */
unsigned long tank_quiet(struct tank *tank, int line)
	__contract(lock("Quiet"), scoped, requires(TankGuard));
void tank_loud(struct tank *tank, unsigned long flags __contract(cookie))
	__contract(unlock("Quiet"));

/* Left out: the other function that takes this lends it. */
struct cask {
	int lock;
} __contract(object("Cask"), pinned, send, sync);
void cask_init(struct cask *cask) __contract(constructor);
void cask_exit(struct cask *cask) __contract(destructor, leaked);
void cask_open(struct cask *cask) __contract(lock("CaskGuard"), scoped);
bool_t cask_try_open(struct cask *cask) __contract(trylock("CaskGuard"));
void cask_close(struct cask *cask) __contract(unlock("CaskGuard"));

/* Left out: released when a closure returns, or later? */
struct vat {
	int lock;
} __contract(object("Vat"), pinned, send, sync);
void vat_init(struct vat *vat) __contract(constructor);
void vat_exit(struct vat *vat) __contract(destructor, leaked);
void vat_open(struct vat *vat) __contract(lock("VatGuard"), scoped, unbound);
void vat_close(struct vat *vat) __contract(unlock("VatGuard"));

/**
 * struct dive - something that must not go on for ever
 *
 * Others wait for its end.
 */
struct dive {
	int depth;
} __contract(object("Dive"));

/**
 * dive_begin() - begin a dive
 * @tank: what is dived in
 * @body: who dives
 *
 * Return: the dive, or -%EAGAIN.
 */
struct dive *dive_begin(struct tank *tank __contract(outlives), unsigned int body)
	__contract(constructor, scoped, name("begin"), errno, nonnull, may_sleep, stage("Surface"));
/**
 * dive_down() - dive
 * @dive: a dive
 * @metres: how deep
 *
 * Return: 0, or -%EDOM.
 */
int dive_down(struct dive *dive, unsigned int metres)
	__contract(method, errno, stage("Surface", "Deep"));
void dive_up(struct dive *dive) __contract(method, stage("Deep", "Surface"));
unsigned int dive_depth(const struct dive *dive) __contract(method, stage("Deep"));
unsigned int dive_air(const struct dive *dive) __contract(method);
/* Its number is of no use here. */
int dive_end(struct dive *dive) __contract(destructor, plain);

/* The same without stages, and each way in which a constructor can fail. */
struct look {
	int at;
} __contract(object("Look"));
struct look *look_in(struct tank *tank __contract(outlives))
	__contract(constructor, scoped, nullable);
struct look *look_again(void) __contract(constructor, scoped, name("again"), errno, nullable);
struct look *look_surely(void) __contract(constructor, scoped, name("surely"), nonnull);
int look_into(struct look **look __contract(out)) __contract(constructor, scoped, name("into"), errno);
struct look *look_blindly(int at)
	__contract(constructor, scoped, name("blindly"), nonnull, unsafe("there is something at `at`"));
unsigned int look_at(const struct look *look) __contract(method);
void look_end(struct look *look) __contract(destructor);

/* Given to another object, for the call. */
void tank_show(struct tank *tank, struct look *look __contract(borrows)) __contract(method);

/* Left out: a guard has one type. */
void look_hold(struct look *look) __contract(lock("LookGuard"));
void look_release(struct look *look) __contract(unlock("LookGuard"));

/* Left out: no closure runs for which it would exist. */
struct look *tank_look(struct tank *tank) __contract(method, owned, nonnull);

/* Left out: it would be kept beyond the closure. */
struct album {
	int pages;
} __contract(object("Album"));
struct album *album_new(struct look *look __contract(keeps)) __contract(constructor, nullable);
void album_free(struct album *album) __contract(destructor);

/* Left out: a reference is good for as long as the closure runs, so nothing need be kept. */
struct space;
struct __contract(object("Space"), send, sync) space;
void space_get(struct space *space) __contract(get);
void space_put(struct space *space) __contract(put);
struct walk {
	int steps;
} __contract(object("Walk"));
struct walk *walk_begin(struct space *space __contract(keeps)) __contract(constructor, scoped, nullable);
void walk_end(struct walk *walk) __contract(destructor);
