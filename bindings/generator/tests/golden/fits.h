/* SPDX-License-Identifier: GPL-2.0 */
/* Clauses that do not go with a role or with the way an object is held: each function is left out, with the reason. */
#include <linux/contract.h>

typedef _Bool bool;

struct yard { int gate; } __contract(object("Yard"), pinned, send, sync);
void yard_init(struct yard *yard) __contract(constructor);
void yard_exit(struct yard *yard) __contract(destructor, leaked);
void yard_enter(struct yard *yard) __contract(lock("YardGuard"));
void yard_leave(struct yard *yard) __contract(unlock("YardGuard"));
/* A constructor in place that reports something, but not what. */
bool yard_try_init(struct yard *yard) __contract(constructor, name("tried"));
/* A second destructor, and a second function of one name. */
void yard_raze(struct yard *yard) __contract(destructor);
int yard_size(struct yard *yard) __contract(method, plain);
int old_yard_size(struct yard *yard) __contract(method, plain, name("size"));
/* A result that C gives and no enumeration lists. */
enum paint { PAINT_RED, PAINT_GREEN } __contract(choice("Paint"));
enum paint yard_paint(struct yard *yard) __contract(method);
/* Called again, and gives a number too. */
int yard_claim(struct yard *yard) __contract(method, plain, errno(retry(-EBUSY)));
/* A lock whose result nobody looks at. */
int yard_climb(struct yard *yard) __contract(lock("WallGuard"));
void yard_climb_down(struct yard *yard) __contract(unlock("WallGuard"));

/* Written, but C's guard() cannot give it the key. */
void yard_unlock_with(struct yard *yard, int key) __contract(lock("KeyGuard"));
bool yard_try_with(struct yard *yard, int key) __contract(trylock("YardGuard"));
void yard_lock_up(struct yard *yard) __contract(unlock("KeyGuard"));
/* Checks a section that nothing begins. */
unsigned int yard_look(struct yard *yard) __contract(begin("Look", method(look)));
bool yard_looked(struct yard *yard, unsigned int sequence) __contract(check("Look"));
bool yard_heard(struct yard *yard, unsigned int sequence) __contract(check("Listen"));

/* The guard of another object. */
struct shed { int door; } __contract(object("Shed"), pinned);
void shed_init(struct shed *shed) __contract(constructor);
void shed_paint(struct shed *shed, struct yard *yard __contract(borrows))
	__contract(method, requires(YardGuard));

/* Ended by a function that wants to know more: the object is left out with all that it has. */
struct kiln { int heat; } __contract(object("Kiln"), pinned);
void kiln_init(struct kiln *kiln) __contract(constructor);
void kiln_exit(struct kiln *kiln, int force) __contract(destructor);
int kiln_heat(struct kiln *kiln) __contract(method, plain);

/* A guard that cannot be left again. */
struct well { int depth; } __contract(object("Well"), pinned);
void well_init(struct well *well) __contract(constructor);
void well_open(struct well *well) __contract(lock("WellGuard"));
void well_close(struct well *well, int force) __contract(unlock("WellGuard"));
int well_depth(struct well *well) __contract(method, plain, requires(WellGuard));

/* Callbacks find the object around the structure that C has; one that is returned has none around it. */
struct bell { int rung; } __contract(object("Bell"));
struct bell *bell_cast(void (*ring)(struct bell *) __contract(callback("Ringing", ring)))
	__contract(constructor, nullable);
void bell_melt(struct bell *bell) __contract(destructor);

/* Counted, and may fail to be. */
struct oak { int rings; } __contract(object("Oak"), send, sync);
bool oak_get(struct oak *oak) __contract(get);
void oak_put(struct oak *oak) __contract(put);

/* A member that nothing stands for. */
struct map { int scale; struct yard *yard; } __contract(record("Map"));
