/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _FIELD_TYPED_H
#define _FIELD_TYPED_H

#include <linux/cleanup.h>
#include <field.h>

/* An integer with a type of its own. */
struct pump_state_val {
	unsigned int raw;
};

static inline struct pump_state_val pump_state_of(unsigned int bits)
{
	return (struct pump_state_val){ bits };
}

static inline bool pump_state_has(struct pump_state_val val,
				  enum pump_state bits)
{
	return (val.raw & bits) == bits;
}

static inline struct pump_state_val reading_state(const struct reading *reading)
{
	return (struct pump_state_val){ reading->state };
}

/* struct pump *x __free(pump_exit): ended when @x goes out of scope. */
DEFINE_FREE(pump_exit, struct pump *, if (!IS_ERR_OR_NULL(_T)) pump_exit(_T))

/*
 * DEFINE_PUMP_OPS(name, type, member, callbacks...): a struct pump_ops whose callbacks
 * take the @type that has the struct pump as its @member.
 */
#define DEFINE_PUMP_OPS(_name, _type, _member, _start)                    \
	static int _name##_start(struct pump *pump, unsigned int speed)   \
	{                                                                 \
		return _start(container_of(pump, _type, _member), speed); \
	}                                                                 \
	static const struct pump_ops _name = {                            \
		.start = _name##_start,                                   \
	}

/* The same, with the optional callbacks. */
#define DEFINE_PUMP_OPS_ALL(_name, _type, _member, _start, _stop)         \
	static int _name##_start(struct pump *pump, unsigned int speed)   \
	{                                                                 \
		return _start(container_of(pump, _type, _member), speed); \
	}                                                                 \
	static void _name##_stop(struct pump *pump)                       \
	{                                                                 \
		_stop(container_of(pump, _type, _member));                \
	}                                                                 \
	static const struct pump_ops _name = {                            \
		.start = _name##_start,                                   \
		.stop = _name##_stop,                                     \
	}

__must_check int pump_init(struct pump *pump, const struct pump_ops *ops);

#endif /* _FIELD_TYPED_H */
