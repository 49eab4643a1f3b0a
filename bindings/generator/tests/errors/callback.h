/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a, void (*f)(struct a *a) __contract(callback("F"))) __contract(constructor);
void a_init2(struct a *a, int *f __contract(callback("F", f))) __contract(constructor);
