/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
int a_one(struct a *a) __contract(method, errno(EINVAL));
int a_two(struct a *a) __contract(method, errno(retry()));
int a_three(struct a *a) __contract(method, errno(retry("soon")));
