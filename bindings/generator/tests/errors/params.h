/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
void a_one(struct a *a, int x __contract(keeps)) __contract(method);
void a_two(struct a *a, int *x __contract(slice)) __contract(method);
void a_three(struct a *a, int *x __contract(slice(n))) __contract(method);
void a_four(struct a *a, int *x __contract(slice(y)), int *y) __contract(method);
