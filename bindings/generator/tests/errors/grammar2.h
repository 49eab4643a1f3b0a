/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"),);
struct b { int x; } __contract(object("B") pinned);
struct c { int x; } __contract(+object("C"));
struct d { int x; } __contract(object("D"), errno(-1));
struct e { int x; } __contract(object("E"), data(99999999999999999999999));
