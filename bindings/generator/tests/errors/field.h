/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { unsigned int x; };
struct __contract(record("A"), field(y, hidden)) a;
struct b { unsigned int x; };
struct __contract(record("B"), field, field(x, required)) b;
struct c;
struct __contract(object("C"), field(x, hidden)) c;
struct d { unsigned int x; union { unsigned int y; struct { unsigned int z; }; }; };
struct __contract(record("D"), field(y, hidden), field(z, hidden)) d;
