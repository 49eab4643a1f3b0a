/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

typedef _Bool bool;

/**
 * struct area - a rectangle
 * @width: in millimetres
 * @height: in millimetres
 */
struct area {
	unsigned int width;
	unsigned int height;
} __contract(record("Area"));

unsigned long area_size(const struct area *area) __contract(method, name("size"));

struct sheet {
	struct area area;
	bool white;
	void *cookie __contract(hidden);
} __contract(record("Sheet"));

struct press {
	int id;
} __contract(object("Press"), pinned);

void press_init(struct press *press) __contract(constructor);
int press_print(struct press *press, const struct area *where __contract(borrows),
		struct area margin)
	__contract(method, errno);
