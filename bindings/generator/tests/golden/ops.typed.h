/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _OPS_TYPED_H
#define _OPS_TYPED_H

#include <linux/cleanup.h>
#include <ops.h>

/* struct engine *x __free(engine_exit): ended when @x goes out of scope. */
DEFINE_FREE(engine_exit, struct engine *,
	    if (!IS_ERR_OR_NULL(_T)) engine_exit(_T))

/* guard(engine)(x), scoped_guard(engine, x) { } */
DEFINE_GUARD(engine, struct engine *, engine_lock(_T), engine_unlock(_T))

/*
 * DEFINE_ENGINE_OPS(name, type, member, callbacks...): a struct engine_ops whose callbacks
 * take the @type that has the struct engine as its @member.
 */
#define DEFINE_ENGINE_OPS(_name, _type, _member, _start)                    \
	static int _name##_start(struct engine *engine, unsigned int speed) \
	{                                                                   \
		return _start(container_of(engine, _type, _member), speed); \
	}                                                                   \
	static const struct engine_ops _name = {                            \
		.start = _name##_start,                                     \
	}

/* The same, with the optional callbacks. */
#define DEFINE_ENGINE_OPS_ALL(_name, _type, _member, _start, _stop)         \
	static int _name##_start(struct engine *engine, unsigned int speed) \
	{                                                                   \
		return _start(container_of(engine, _type, _member), speed); \
	}                                                                   \
	static void _name##_stop(struct engine *engine)                     \
	{                                                                   \
		_stop(container_of(engine, _type, _member));                \
	}                                                                   \
	static const struct engine_ops _name = {                            \
		.start = _name##_start,                                     \
		.stop = _name##_stop,                                       \
	}

__must_check int engine_init(struct engine *engine,
			     const struct engine_ops *ops);

#endif /* _OPS_TYPED_H */
