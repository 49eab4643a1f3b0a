/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned, send);
void a_init(struct a *a) __contract(constructor);
void a_use(struct a *a, struct a *other __contract(nullable)) __attribute__((nonnull))
	__contract(method);
struct a *a_find(struct a *a) __attribute__((returns_nonnull)) __contract(method, borrowed, nullable);
struct a *a_found(struct a *a) __contract(method, borrowed(a), nonnull, nullable);
int a_number(struct a *a) __contract(method, plain, nonnull);
