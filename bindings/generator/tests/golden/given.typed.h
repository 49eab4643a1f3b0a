/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _GIVEN_TYPED_H
#define _GIVEN_TYPED_H

#include <linux/cleanup.h>
#include <given.h>

/* struct pump *x __free(pump_exit): ended when @x goes out of scope. */
DEFINE_FREE(pump_exit, struct pump *, if (!IS_ERR_OR_NULL(_T)) pump_exit(_T))

/*
 * DEFINE_PUMP_OPS(name, type, member, callbacks...): a struct pump_ops whose callbacks
 * take the @type that has the struct pump as its @member.
 */
#define DEFINE_PUMP_OPS(_name, _type, _member, _start)             \
	static int _name##_start(struct pump *pump)                \
	{                                                          \
		return _start(container_of(pump, _type, _member)); \
	}                                                          \
	static const struct pump_ops _name = {                     \
		.start = _name##_start,                            \
	}

__must_check int pump_init(struct pump *pump);

#endif /* _GIVEN_TYPED_H */
