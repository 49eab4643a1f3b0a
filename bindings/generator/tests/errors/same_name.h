/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/* Names that are one on the typed side, or that it has itself; and what Rust has no type for. */
enum way { WAY_IN, WAY__IN } __contract(choice("Way"));
enum bits { BITS_low = 1, BITS_LOW = 2 } __contract(flags("Bits"));
enum gone { GONE_A } __contract(choice("Gone"), hidden(GONE_A));
struct thing;
struct thing_ops {
	void (*print)(struct thing *thing, const char *format, ...) __contract(optional);
	void (*log)(struct thing *thing, ...);
	void (*stop)(struct thing *thing) __contract(required);
} __contract(ops("ThingOps"));
struct thing { int x; } __contract(object("Thing"), pinned);
void thing_init(struct thing *thing, const struct thing_ops *ops) __contract(constructor);
void thing_exit(struct thing *thing) __contract(destructor, waits, reaped);
void thing_kind(struct thing *thing) __contract(method, name("type"));
void thing_log(struct thing *thing, void (*print)(struct thing *thing, ...) __contract(callback("Print", print)))
	__contract(constructor, name("logged"));
