/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x __contract(constant(now)); } __contract(object("A"), pinned);
void a_init(struct a *a, int count __contract(kept)) __contract(constructor);
