/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _COUNTED_TYPED_H
#define _COUNTED_TYPED_H

#include <linux/cleanup.h>
#include <counted.h>

/* An integer with a type of its own. */
struct dial_state_val {
	unsigned int raw;
};

static inline struct dial_state_val dial_state_of(unsigned int bits)
{
	return (struct dial_state_val){ bits };
}

static inline bool dial_state_has(struct dial_state_val val,
				  enum dial_state bits)
{
	return (val.raw & bits) == bits;
}

/* struct meter *x __free(meter_exit): ended when @x goes out of scope. */
DEFINE_FREE(meter_exit, struct meter *, if (!IS_ERR_OR_NULL(_T)) meter_exit(_T))

/*
 * DEFINE_METER_OPS(name, type, member, callbacks...): a struct meter_ops whose callbacks
 * take the @type that has the struct meter as its @member.
 */
#define DEFINE_METER_OPS(_name, _type, _member, _report)                       \
	static void _name##_report(struct meter *meter, const struct log *log) \
	{                                                                      \
		_report(container_of(meter, _type, _member), log);             \
	}                                                                      \
	static const struct meter_ops _name = {                                \
		.report = _name##_report,                                      \
	}

#endif /* _COUNTED_TYPED_H */
