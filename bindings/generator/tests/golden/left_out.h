/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct mystery;

struct thing {
	int id;
} __contract(object("Thing"), pinned);

void thing_init(struct thing *thing) __contract(constructor);
int thing_maybe(struct thing *thing) __contract(method);
void thing_uses(struct thing *thing, struct mystery *mystery) __contract(method);
void thing_void(struct thing *thing, void *cookie) __contract(method);
void thing_array(struct thing *thing, unsigned int *numbers) __contract(method);
struct thing *thing_other(struct thing *thing) __contract(method);
void thing_print(struct thing *thing, const char *format, ...) __contract(method);
void thing_plain(struct thing *thing);
unsigned int thing_free_standing(unsigned int x) __contract(method);
