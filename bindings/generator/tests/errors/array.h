/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>
struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a) __contract(constructor);
void a_state(struct a *a, unsigned char state[16] __contract(out)) __contract(method);
