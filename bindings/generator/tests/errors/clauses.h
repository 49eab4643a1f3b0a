/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(objekt("A"), pinned);
struct b { int x; } __contract(object("B"), constructor);
int b_init(struct b *b) __contract(constructor, errno, errno);
struct c { int x; } __contract(object(lower));
struct d { int x; } __contract(object, pinned("yes"));
struct e { int x; } __contract(pinned);
enum f { F1, F2 } __contract(object("F"));
int g(struct b *b) __contract("text");
