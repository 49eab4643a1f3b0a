/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"));
void a_get(struct a *a) __contract(get);
struct b { int x; } __contract(object("B"));
void b_put(struct b *b) __contract(put);
