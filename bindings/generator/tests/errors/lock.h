/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned, data(Nothing = exclusive));
void a_init(struct a *a) __contract(constructor);
void a_lock(struct a *a) __contract(lock("Guard"));
struct b { int x; } __contract(object("B"), pinned);
void b_init(struct b *b) __contract(constructor);
void b_unlock(struct b *b) __contract(unlock("Other"));
int b_use(struct b *b) __contract(requires(Gard), errno);
