/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"));
struct a *a_new(int x __contract(outlives)) __contract(constructor, nullable);
void a_end(struct a *a) __contract(destructor);
