/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/**
 * enum lamp_color - what a lamp shows
 * @LAMP_RED: stop
 * @LAMP_GREEN: go
 */
enum lamp_color {
	LAMP_RED,
	LAMP_GREEN,
} __contract(choice("Color"));

enum lamp_event {
	LAMP_BROKEN,
	LAMP_MENDED,
} __contract(choice("Event"), open);

struct lamp {
	enum lamp_color color;
} __contract(object("Lamp"), pinned);

void lamp_init(struct lamp *lamp, enum lamp_color color) __contract(constructor);
void lamp_show(struct lamp *lamp, enum lamp_color color) __contract(method, atomic);
enum lamp_event lamp_event(struct lamp *lamp) __contract(method, name("last_event"));
