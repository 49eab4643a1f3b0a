/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _MEMBER_TYPED_H
#define _MEMBER_TYPED_H

#include <linux/cleanup.h>
#include <member.h>

/* struct later *x __free(later_cancel): ended when @x goes out of scope. */
DEFINE_FREE(later_cancel, struct later *,
	    if (!IS_ERR_OR_NULL(_T)) later_cancel(_T))

/* struct deep *x __free(deep_exit): ended when @x goes out of scope. */
DEFINE_FREE(deep_exit, struct deep *, if (!IS_ERR_OR_NULL(_T)) deep_exit(_T))

/* struct line *x __free(line_free): ended when @x goes out of scope. */
DEFINE_FREE(line_free, struct line *, if (!IS_ERR_OR_NULL(_T)) line_free(_T))

/* struct listener *x __free(listener_unregister): ended when @x goes out of scope. */
DEFINE_FREE(listener_unregister, struct listener *,
	    if (!IS_ERR_OR_NULL(_T)) listener_unregister(_T))

/*
 * DEFINE_DEEP_OPS(name, type, member, callbacks...): a struct deep_ops whose callbacks
 * take the @type that has the struct deep as its @member.
 */
#define DEFINE_DEEP_OPS(_name, _type, _member, _poll)                       \
	static int _name##_poll(int budget, const struct task *task)        \
	{                                                                   \
		return _poll(container_of(task, _type, _member.inner.task), \
			     budget);                                       \
	}                                                                   \
	static const struct deep_ops _name = {                              \
		.poll = _name##_poll,                                       \
	}

/* The same, with the optional callbacks. */
#define DEFINE_DEEP_OPS_ALL(_name, _type, _member, _poll, _stop)            \
	static int _name##_poll(int budget, const struct task *task)        \
	{                                                                   \
		return _poll(container_of(task, _type, _member.inner.task), \
			     budget);                                       \
	}                                                                   \
	static void _name##_stop(struct deep *deep)                         \
	{                                                                   \
		_stop(container_of(deep, _type, _member));                  \
	}                                                                   \
	static const struct deep_ops _name = {                              \
		.poll = _name##_poll,                                       \
		.stop = _name##_stop,                                       \
	}

__must_check int line_request(struct line *line, unsigned int number,
			      int (*handler)(int, void *), void *data);

__must_check int listener_register(struct listener *listener);

#endif /* _MEMBER_TYPED_H */
