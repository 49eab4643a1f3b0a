/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* Contracts on what cannot have one. */
union either { int x; } __contract(record("Either"));
typedef struct { int x; } __contract(object("Nameless")) nameless_t;
enum { FIRST, SECOND } __contract(choice("Order"));
extern int number __contract(method);
struct outer {
	struct inner { int y; } __contract(record("Inner")) in;
	union { int z __contract(hidden); int w; };
} __contract(record("Outer"));
struct thing { int x; } __contract(object("Thing"), pinned);
void thing_init(struct thing *thing, void (*done)(struct thing *thing, void *who __contract(identity)) __contract(callback("Finish", done)))
	__contract(constructor);
void thing_take(struct thing *thing, struct thing *other __contract(owned)) __contract(method);
