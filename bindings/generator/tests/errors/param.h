/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>
struct line { int x; } __contract(object("Line"), pinned, sync);
struct line_ops {
	void (*in)(struct line *line, char *text __contract(out)) __contract(optional);
	void (*out)(struct line *line, int a) __contract(optional, param(3, identity), param(identity));
} __contract(ops("LineOperations"));
void line_init(struct line *line, const struct line_ops *ops) __contract(constructor);
void line_exit(struct line *line) __contract(destructor, waits, reaped);
