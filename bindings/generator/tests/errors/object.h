/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"));
void a_init(struct a *a) __contract(constructor);
struct b { int x; } __contract(object("B"), pinned);
void b_exit(struct b *b) __contract(destructor);
struct c { int x; } __contract(object("C"));
struct c *c_new(void) __contract(constructor);
struct d { int x; } __contract(object("A"));
void nobody(int x) __contract(destructor);
