/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>
struct a { int x; } __contract(object("A"), pinned);
void a_init(struct a *a) __contract(constructor);
void all_lock(void) __contract(lock("AllGuard"));
void all_unlock(void) __contract(unlock("AllGuard"));
struct b;
struct __contract(object("B"), send) b;
struct b *b_open(struct a *a __contract(outlives)) __contract(constructor, nullable);
void b_close(struct b *b) __contract(destructor);
struct count { int x; } __contract(object("Count"), send);
void count_get(struct count *count) __contract(get);
int count_put(struct count *count, void (*release)(struct count *count)) __contract(put);
