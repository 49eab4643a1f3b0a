/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a) __contract(constructor);
enum how { HOW_WELL, HOW_BADLY } __contract(choice("How"), hidden(HOW_ELSE));
enum why { WHY_NOT } __contract(choice("Why"), hidden());
struct s {
	struct a *a __contract(given);
	enum how how __contract(given);
	int number __contract(given);
	int other __contract(given("Nobody"));
} __contract(section("S", of(a)), section("T", of(a), method(t), set(how = HOW_EVER)),
	     section("U", of(a), method(u), set(number = 3)),
	     section("V", of(a), method(v), set(number = NUMBER, nothing = HOW_WELL)));
