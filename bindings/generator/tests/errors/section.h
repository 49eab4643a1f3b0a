/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a) __contract(constructor);
struct s { struct a *a __contract(given); } __contract(section("Sa", of(a), holds(Nothing)));
struct t { int x; } __contract(section("Ta", of(nothing)));
