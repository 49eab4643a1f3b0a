/* SPDX-License-Identifier: GPL-2.0 */
/* Locks that are held while a closure runs: nobody has a guard that could be leaked. */
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
