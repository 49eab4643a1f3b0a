/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct b { int x; } __contract(object("B"), pinned);
void b_init(struct b *b, int data __contract(closure)) __contract(constructor);
