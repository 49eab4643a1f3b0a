/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _DEFERRED_TYPED_H
#define _DEFERRED_TYPED_H

#include <linux/cleanup.h>
#include <deferred.h>

/* struct bell *x __free(bell_exit): ended when @x goes out of scope. */
DEFINE_FREE(bell_exit, struct bell *, if (!IS_ERR_OR_NULL(_T)) bell_exit(_T))

/* guard(bell)(x), scoped_guard(bell, x) { } */
DEFINE_GUARD(bell, struct bell *, bell_lock(_T), bell_unlock(_T))

/* struct gong *x __free(gong_exit): ended when @x goes out of scope. */
DEFINE_FREE(gong_exit, struct gong *, if (!IS_ERR_OR_NULL(_T)) gong_exit(_T))

/*
 * DEFINE_BELL_OPS(name, type, member, callbacks...): a struct bell_ops whose callbacks
 * take the @type that has the struct bell as its @member.
 */
#define DEFINE_BELL_OPS(_name, _type, _member, _ring)      \
	static void _name##_ring(struct bell *bell)        \
	{                                                  \
		_ring(container_of(bell, _type, _member)); \
	}                                                  \
	static const struct bell_ops _name = {             \
		.ring = _name##_ring,                      \
	}

/* The same, with the optional callbacks. */
#define DEFINE_BELL_OPS_ALL(_name, _type, _member, _ring, _stop) \
	static void _name##_ring(struct bell *bell)              \
	{                                                        \
		_ring(container_of(bell, _type, _member));       \
	}                                                        \
	static void _name##_stop(struct bell *bell)              \
	{                                                        \
		_stop(container_of(bell, _type, _member));       \
	}                                                        \
	static const struct bell_ops _name = {                   \
		.ring = _name##_ring,                            \
		.stop = _name##_stop,                            \
	}

/*
 * DEFINE_GONG_OPS(name, type, member, callbacks...): a struct gong_ops whose callbacks
 * take the @type that has the struct gong as its @member.
 */
#define DEFINE_GONG_OPS(_name, _type, _member, _strike)             \
	static int _name##_strike(struct gong *gong)                \
	{                                                           \
		return _strike(container_of(gong, _type, _member)); \
	}                                                           \
	static const struct gong_ops _name = {                      \
		.strike = _name##_strike,                           \
	}

/* The same, with the optional callbacks. */
#define DEFINE_GONG_OPS_ALL(_name, _type, _member, _strike, _fade)  \
	static int _name##_strike(struct gong *gong)                \
	{                                                           \
		return _strike(container_of(gong, _type, _member)); \
	}                                                           \
	static void _name##_fade(struct gong *gong)                 \
	{                                                           \
		_fade(container_of(gong, _type, _member));          \
	}                                                           \
	static const struct gong_ops _name = {                      \
		.strike = _name##_strike,                           \
		.fade = _name##_fade,                               \
	}

__must_check int bell_init(struct bell *bell, const struct bell_ops *ops);

#endif /* _DEFERRED_TYPED_H */
