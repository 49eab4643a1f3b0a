/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a) __contract(constructor, stage("Begun"));
void a_exit(struct a *a) __contract(destructor);
struct b { int x; } __contract(object("B"));
struct b *b_new(void) __contract(constructor, nullable);
struct b *b_other(void) __contract(constructor, nullable, stage("One", "Two"));
void b_step(struct b *b) __contract(method, stage("Three", "Four"));
long b_tell(struct b *b) __contract(method, plain, stage("Four", "Five"));
void b_end(struct b *b) __contract(destructor, stage("Four"));
