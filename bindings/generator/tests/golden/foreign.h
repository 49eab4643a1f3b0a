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

struct pit;
struct __contract(object("Pit"), foreign("crate::foreign::Open<'_>", kept("crate::foreign::Pit"))) pit;

struct lamp {
	unsigned long oil;
} __contract(object("Lamp"), pinned, send, sync);

int lamp_init(struct lamp *lamp, struct pit *pit __contract(keeps), unsigned long oil)
	__contract(constructor, errno);
void lamp_exit(struct lamp *lamp) __contract(destructor);
