/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* Invalid names, and clauses with missing or extra arguments. */
struct thing {
	int x;
} __contract(object("Thing"), pinned, sync("yes"), send);
struct part;
struct __contract(object("Part"), foreign("not a path")) part;
enum level { LEVEL_A, LEVEL_B } __contract(choice("a level"));
enum mode { MODE_A, MODE_B } __contract(open);
enum pace { PACE_A, PACE_B } __contract(choice("Pace"), open("yes"));

void thing_init(struct thing *thing) __contract(constructor);
void thing_named(struct thing *thing) __contract(method, name("not a name"));
void thing_unnamed(struct thing *thing) __contract(method, name);
int (thing_macro)(struct thing *thing) __contract(macro("yes"), plain, method);
void thing_leave(struct thing *thing) __contract(leave, leave);
void thing_where(struct thing *thing, int x __contract(identity)) __contract(method);
void thing_two(struct thing *thing, struct thing *other __contract(borrows, keeps))
	__contract(method);
struct whole;
struct __contract(object("Whole"), foreign("crate::Whole", kept())) whole;
