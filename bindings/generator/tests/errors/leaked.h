/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct hatch { int lock; } __contract(object("Hatch"), pinned);
void hatch_init(struct hatch *hatch) __contract(constructor);
void hatch_exit(struct hatch *hatch) __contract(destructor, leaked(sometimes));
