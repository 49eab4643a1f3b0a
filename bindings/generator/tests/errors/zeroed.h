/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), zeroed);
struct a *a_open(void) __contract(constructor, nullable);
void a_close(struct a *a) __contract(destructor);
