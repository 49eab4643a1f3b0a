/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

enum shade { SHADE_LIGHT, SHADE_DARK = 5 } __contract(choice("Shade"));

struct point {
	int x;
	short y;
	unsigned char tag[3];
};

union either {
	unsigned long value;
	struct point point;
};

struct slot {
	unsigned char id;
} __attribute__((aligned(16)));

struct figure {
	struct point *corners;
	void (*draw)(struct figure *figure);
	struct point origin;
	union either either;
	struct slot slot;
	_Bool filled;
	unsigned int visible : 1;
	enum shade shade;
	unsigned long tail[];
} __contract(record("Figure"));
