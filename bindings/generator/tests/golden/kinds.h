/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

typedef _Bool bool;

struct garden {
	int gate;
} __contract(object("Garden"), pinned, send, sync, data(GateGuard = exclusive));

void garden_init(struct garden *garden) __contract(constructor);
void garden_exit(struct garden *garden) __contract(destructor, leaked);
void garden_lock(struct garden *garden) __contract(lock("GateGuard"));
void garden_unlock(struct garden *garden) __contract(unlock("GateGuard"));

/**
 * struct basket - what is picked goes in it
 */
struct basket {
	int room;
} __contract(object("Basket"), pinned, sync);

void basket_init(struct basket *basket) __contract(constructor);

/**
 * enum visit - what a visitor may do
 * @VISIT_LOOK: nothing
 * @VISIT_WATER: water the beds
 * @VISIT_ALONE: have a bed to oneself
 */
enum visit {
	VISIT_LOOK,
	VISIT_WATER,
	VISIT_ALONE,
} __contract(choice("Visit"), hidden(VISIT_ALONE));

/**
 * struct bed - one of the garden's beds
 * @number: counted from 1
 */
struct bed {
	unsigned int number;
} __contract(record("Bed"), confined);

/**
 * struct fruit - what grows in a bed
 * @weight: in grams
 */
struct fruit {
	unsigned int weight;
} __contract(record("Fruit"), confined);

/**
 * struct walk - a walk through the garden, whose gate is shut meanwhile
 * @basket: has to be empty
 */
struct walk {
	struct garden *garden __contract(given);
	enum visit visit __contract(given);
	unsigned int hours __contract(given, optional);
	struct basket *basket __contract(given("Harvest"));
	unsigned int now;
} __contract(section("Walk", of(garden), holds(GateGuard), method(walk)),
	     section("Retreat", of(garden), holds(GateGuard), method(retreat),
		     set(visit = VISIT_ALONE)),
	     section("Harvest", of(garden), holds(GateGuard), method(harvest)));

bool walk_next(struct walk *walk) __contract(enter, may_sleep);
void walk_leave(struct walk *walk) __contract(leave);
int walk_error(const struct walk *walk) __contract(outcome, errno);
bool walk_bed(const struct walk *walk, struct bed *bed)
	__contract(iterator("Beds", start(number = now)));
bool walk_fruit(const struct walk *walk, struct fruit *fruit)
	__contract(iterator("Fruits", of("Harvest")));
