/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned, data(G = exclusive));
void a_init(struct a *a) __contract(constructor);
void a_lock(struct a *a) __contract(lock("G"));
void a_unlock(struct a *a) __contract(unlock("G"));
unsigned int a_begin(struct a *a) __contract(begin("Sa"));
