/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct horn { int blown; } __contract(object("Horn"), pinned);
void horn_init(struct horn *horn) __contract(constructor);
void horn_exit(struct horn *horn) __contract(destructor, reaped(sometimes));
