/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct area {
	unsigned long start;
	unsigned long end;
} __contract(record("Area"));

unsigned long area_pages(struct area area) __contract(method, name("pages"));
