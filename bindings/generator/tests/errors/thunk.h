/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a;
struct a_ops {
	void (*wrong)(int x) __contract(required);
} __contract(ops("Operations"));
struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a, const struct a_ops *ops) __contract(constructor);
void a_exit(struct a *a) __contract(destructor, waits, reaped);
