/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SPACE_TYPED_H
#define _SPACE_TYPED_H

#include <linux/cleanup.h>
#include <space.h>

/* struct tuner *x __free(tuner_exit): ended when @x goes out of scope. */
DEFINE_FREE(tuner_exit, struct tuner *, if (!IS_ERR_OR_NULL(_T)) tuner_exit(_T))

/*
 * DEFINE_TUNER_OPS(name, type, member, callbacks...): a struct tuner_ops whose callbacks
 * take the @type that has the struct tuner as its @member.
 */
#define DEFINE_TUNER_OPS(_name, _type, _member, _tune)                 \
	static int _name##_tune(struct tuner *tuner, unsigned int to)  \
	{                                                              \
		return _tune(container_of(tuner, _type, _member), to); \
	}                                                              \
	static const struct tuner_ops _name = {                        \
		.tune = _name##_tune,                                  \
	}

/* The same, with the optional callbacks. */
#define DEFINE_TUNER_OPS_ALL(_name, _type, _member, _tune, _named)       \
	static int _name##_tune(struct tuner *tuner, unsigned int to)    \
	{                                                                \
		return _tune(container_of(tuner, _type, _member), to);   \
	}                                                                \
	static void _name##_named(struct tuner *tuner, const char *name) \
	{                                                                \
		_named(container_of(tuner, _type, _member), name);       \
	}                                                                \
	static const struct tuner_ops _name = {                          \
		.tune = _name##_tune,                                    \
		.named = _name##_named,                                  \
	}

__must_check int radio_send(struct radio *radio, const void *bytes,
			    unsigned long size);

#endif /* _SPACE_TYPED_H */
