/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a) __contract(constructor);
void a_take(struct a *a) __contract(lock("Taken"), scoped(thread));
void a_give(struct a *a) __contract(unlock("Taken"));
