/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* In place: its owner drops it. */
struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a) __contract(constructor, scoped);

/* Counted: others may have it. */
struct b { int x; } __contract(object("B"));
struct b *b_new(void) __contract(constructor, scoped, nullable);
void b_get(struct b *b) __contract(get);
void b_put(struct b *b) __contract(put);

/* Owned by one caller, and not by the other. */
struct c { int x; } __contract(object("C"));
struct c *c_enter(void) __contract(constructor, scoped, name("enter"), nullable);
struct c *c_open(void) __contract(constructor, nullable);
void c_close(struct c *c) __contract(destructor);

/* On other threads. */
struct d { int x; } __contract(object("D"), send, sync);
struct d *d_enter(void) __contract(constructor, scoped, nullable);
void d_leave(struct d *d) __contract(destructor);

/* Nothing ends it when the closure returns. */
struct e { int x; } __contract(object("Ea"));
struct e *e_enter(void) __contract(constructor, scoped, nullable);
