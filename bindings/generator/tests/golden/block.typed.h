/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _BLOCK_TYPED_H
#define _BLOCK_TYPED_H

#include <linux/cleanup.h>
#include <block.h>

/* struct store *x __free(store_exit): ended when @x goes out of scope. */
DEFINE_FREE(store_exit, struct store *, if (!IS_ERR_OR_NULL(_T)) store_exit(_T))

/*
 * DEFINE_STORE_OPS(name, type, member, callbacks...): a struct store_ops whose callbacks
 * take the @type that has the struct store as its @member.
 */
#define DEFINE_STORE_OPS(_name, _type, _member, _copy, _look)                 \
	static int _name##_copy(struct store *store, struct frame *to,        \
				struct frame *from, unsigned int order)       \
	{                                                                     \
		return _copy(container_of(store, _type, _member), to, from,   \
			     order);                                          \
	}                                                                     \
	static int _name##_look(struct store *store, const struct frame *at,  \
				unsigned int order)                           \
	{                                                                     \
		return _look(container_of(store, _type, _member), at, order); \
	}                                                                     \
	static const struct store_ops _name = {                               \
		.copy = _name##_copy,                                         \
		.look = _name##_look,                                         \
	}

/* The same, with the optional callbacks. */
#define DEFINE_STORE_OPS_ALL(_name, _type, _member, _copy, _look, _queue,     \
			     _gone)                                           \
	static int _name##_copy(struct store *store, struct frame *to,        \
				struct frame *from, unsigned int order)       \
	{                                                                     \
		return _copy(container_of(store, _type, _member), to, from,   \
			     order);                                          \
	}                                                                     \
	static int _name##_look(struct store *store, const struct frame *at,  \
				unsigned int order)                           \
	{                                                                     \
		return _look(container_of(store, _type, _member), at, order); \
	}                                                                     \
	static void _name##_queue(struct store *store, struct order *order)   \
	{                                                                     \
		_queue(container_of(store, _type, _member), order);           \
	}                                                                     \
	static void _name##_gone(struct store *store, void *cookie)           \
	{                                                                     \
		_gone(container_of(store, _type, _member), cookie);           \
	}                                                                     \
	static const struct store_ops _name = {                               \
		.copy = _name##_copy,                                         \
		.look = _name##_look,                                         \
		.queue = _name##_queue,                                       \
		.gone = _name##_gone,                                         \
	}

#endif /* _BLOCK_TYPED_H */
