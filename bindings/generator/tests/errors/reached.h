/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* Nothing states what the pointer is that the callback is given. */
struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a, void (*func)(void *data) __contract(callback("Calls", run)),
	    void *data __contract(identity)) __contract(constructor);

struct part { int x; };
struct b { struct part part; int x; } __contract(object("B"), pinned);
void b_init(struct b *b, void (*func)(struct part *part) __contract(callback("Other", run, member(whole))))
	__contract(constructor);

struct c { struct part part; int x; } __contract(object("C"), pinned);
void c_init(struct c *c, void (*func)(int x) __contract(callback("Third", run, member(part))))
	__contract(constructor);

struct d { struct part part; int x; } __contract(object("D"), pinned);
void d_init(struct d *d, void (*func)(int *x) __contract(callback("Fourth", run, member(x))))
	__contract(constructor);

void a_exit(struct a *a) __contract(destructor, waits, reaped);
void b_exit(struct b *b) __contract(destructor, waits, reaped);
void c_exit(struct c *c) __contract(destructor, waits, reaped);
void d_exit(struct d *d) __contract(destructor, waits, reaped);
