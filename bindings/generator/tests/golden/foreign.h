/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct space;
struct __contract(object("Space"), foreign("crate::foreign::Space")) space;

struct survey {
	unsigned long pages;
} __contract(object("Survey"), pinned);

int survey_init(struct survey *survey, struct space *space __contract(borrows))
	__contract(constructor, errno);
unsigned long survey_of(struct survey *survey, struct space *space __contract(borrows, nullable))
	__contract(method, name("count"), may_sleep);
