/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>
#include "elsewhere/module.h"

struct field {
	unsigned long size;
} __contract(object("Field"));

/* The record is used; it is in the module of the header that has it. */
int field_plough(struct field *field, struct area area) __contract(method, errno);
