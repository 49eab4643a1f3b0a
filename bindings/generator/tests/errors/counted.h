/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct a {
	unsigned int *x __contract(slice(n));
	unsigned int y __contract(slice(z));
	unsigned int z;
	unsigned int *w __contract(slice);
	unsigned int v __contract(flags(a), tagged(b));
} __contract(record("A"));
