/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>
typedef _Bool bool;
struct tree { int lock; } __contract(object("Tree"), pinned, send, sync, data(ReadGuard = shared));
void tree_init(struct tree *tree) __contract(constructor, leaked);
void tree_read(struct tree *tree) __contract(lock("ReadGuard"));
void tree_unread(struct tree *tree) __contract(unlock("ReadGuard"));
struct walk { struct tree *tree __contract(given); }
	__contract(section("Walk", of(tree), holds(ReadGuard), method(walk)));
bool walk_next(struct walk *walk) __contract(enter);
void walk_end(struct walk *walk) __contract(leave);
int walk_error(const struct walk *walk) __contract(outcome, errno);
