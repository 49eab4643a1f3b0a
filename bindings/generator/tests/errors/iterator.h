/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a { int x; } __contract(object("A"), pinned);
_Bool a_next(struct a *a) __contract(iterator("As", start(x)));
