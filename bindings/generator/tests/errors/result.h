/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* What contracts claim of a result, and what it is not. */
struct thing {
	int x;
} __contract(object("Thing"), pinned);

void thing_init(struct thing *thing) __contract(constructor);
int thing_owns(struct thing *thing) __contract(owned);
int thing_lends(struct thing *thing) __contract(borrowed);
struct thing *thing_both(struct thing *thing) __contract(owned, borrowed);
int thing_nulls(struct thing *thing) __contract(method, nullable, plain);
void thing_plain(struct thing *thing) __contract(method, plain);
void thing_lock(struct thing *thing) __contract(lock("ThingGuard"));
void thing_try(struct thing *thing) __contract(trylock("ThingGuard"));
void thing_unlock(struct thing *thing) __contract(unlock("ThingGuard"));
unsigned int thing_seq(struct thing *thing) __contract(begin("Read"));
void thing_check(struct thing *thing) __contract(check("Read"));

struct walk {
	struct thing *thing __contract(given);
} __contract(section("Walk", of(thing), holds(ThingGuard), method(walk)));
void walk_next(struct walk *walk) __contract(enter);
void walk_leave(struct walk *walk) __contract(leave);
struct thing *walk_error(struct walk *walk) __contract(outcome);
