/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned, data(Guard));
struct b { int x; } __contract(object("B"), pinned, data());

struct c { unsigned long at __contract(confined("At")); } __contract(record("C"));
struct d { unsigned long at __contract(confined); } __contract(record("D"), confined);
struct e { void *at __contract(confined("At")); } __contract(record("E"), confined);
