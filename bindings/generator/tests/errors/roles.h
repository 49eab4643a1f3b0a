/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
void a_both(struct a *a) __contract(constructor, destructor);
void a_where(struct a *a) __contract(constructor(b));
void a_sleep(struct a *a) __contract(method, may_sleep, atomic);
void a_named(struct a *a) __contract(lock);
