/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct part { int x; };
struct a { struct part part; int x; } __contract(object("A"), pinned);
void a_init(struct a *a, void (*func)(struct part *part) __contract(callback("Calls", run, member)))
	__contract(constructor);
