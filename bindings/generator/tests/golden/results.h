/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>
/* Results that nobody sees on the typed side, or that can be read in two ways. */
#ifndef __acquires
#define __acquires(x)
#define __releases(x)
#define __cond_acquires(ret, x)
#endif
struct hatch {
	int lock;
} __contract(object("Hatch"), pinned, send, sync);

void hatch_init(struct hatch *hatch) __contract(constructor);
/* A number that reports no failure. */
int hatch_exit(struct hatch *hatch) __contract(destructor, plain, leaked);
void hatch_enter(struct hatch *hatch) __contract(lock("HatchGuard"));
void hatch_leave(struct hatch *hatch) __contract(unlock("HatchGuard"));
/* Not zero if it is held; zero if it is; and not stated. */
int hatch_try(struct hatch *hatch) __contract(trylock("HatchGuard"), plain);
int hatch_enter_killable(struct hatch *hatch) __contract(trylock("HatchGuard"), errno);
int hatch_either(struct hatch *hatch) __contract(trylock("HatchGuard"));
int hatch_both(struct hatch *hatch) __contract(trylock("HatchGuard"), errno, plain);

/* The same from C. */
void hatch_lock(struct hatch *hatch) __acquires(&hatch->lock) __contract(may_sleep);
void hatch_unlock(struct hatch *hatch) __releases(&hatch->lock) __contract(may_sleep);
int hatch_lock_nonzero(struct hatch *hatch) __cond_acquires(nonzero, &hatch->lock) __contract(atomic);
int hatch_lock_zero(struct hatch *hatch) __cond_acquires(0, &hatch->lock) __contract(atomic);
_Bool hatch_lock_false(struct hatch *hatch) __cond_acquires(false, &hatch->lock) __contract(atomic);

/* It releases the lock, with and without taking it again. */
void hatch_pause(struct hatch *hatch) __releases(&hatch->lock) __acquires(&hatch->lock)
	__contract(method, requires(LockGuard));
void hatch_rest(struct hatch *hatch) __releases(&hatch->lock) __acquires(&hatch->lock)
	__contract(method);
void hatch_open(struct hatch *hatch) __releases(&hatch->lock) __contract(method, requires(LockGuard));

struct shutter;
struct __contract(object("Shutter"), send, sync) shutter;
struct shutter *shutter_make(void) __contract(constructor, nullable);
/* They may fail, and nobody would know. */
int shutter_free(struct shutter *shutter) __contract(destructor);

struct grille;
struct __contract(object("Grille"), send, sync) grille;
struct grille *grille_make(void) __contract(constructor, nullable);
int grille_free(struct grille *grille) __contract(destructor, errno);

struct awning;
struct __contract(object("Awning"), send, sync) awning;
struct awning *awning_get(struct awning *awning) __contract(get);
void awning_put(struct awning *awning) __contract(put);

struct canopy;
struct __contract(object("Canopy"), send, sync) canopy;
struct canopy *canopy_get(struct canopy *canopy) __contract(get, nullable);
int canopy_put(struct canopy *canopy) __contract(put, errno);

/* Bit-fields that would have to be zeros; lengths that may be negative; names that are not lower case. */
struct shade {
	unsigned int level : 4;
	unsigned int rest : 28;
} __contract(record("Shade"));
void hatch_shade(struct hatch *hatch, struct shade *shade __contract(out)) __contract(method);
struct slats {
	int nr;
	const unsigned int *widths __contract(slice(nr));
} __contract(record("Slats"));
void hatch_Fit(struct hatch *hatch, const struct slats *slats __contract(borrows), int min_mV) __contract(method);
