/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a_ops {
	void (*both)(int x) __contract(required, optional);
	void (*neither)(int x) __contract(may_sleep);
	int number __contract(required);
} __contract(ops("Operations"));
struct b_ops {
	void (*none)(int x);
} __contract(ops("Others"));
