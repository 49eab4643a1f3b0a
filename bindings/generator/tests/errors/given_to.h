/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>
struct timer { int x; } __contract(object("Timer"), pinned);
void timer_init(struct timer *timer, void (*run)(struct timer *timer) __contract(callback("Run", run, object)))
	__contract(constructor);
void timer_exit(struct timer *timer) __contract(destructor, waits, reaped);
struct line { int x; } __contract(object("Line"), pinned, sync);
struct line_ops {
	void (*id)(struct line *line, unsigned int *a __contract(identity)) __contract(required);
} __contract(ops("LineOperations"));
void line_init(struct line *line, const struct line_ops *ops) __contract(constructor);
void line_exit(struct line *line) __contract(destructor, waits, reaped);
