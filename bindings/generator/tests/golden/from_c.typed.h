/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _FROM_C_TYPED_H
#define _FROM_C_TYPED_H

#include <linux/cleanup.h>
#include <from_c.h>

/* struct till *x __free(till_exit): ended when @x goes out of scope. */
DEFINE_FREE(till_exit, struct till *, if (!IS_ERR_OR_NULL(_T)) till_exit(_T))

/* guard(till_lock)(x), scoped_guard(till_lock, x) { } */
DEFINE_GUARD(till_lock, struct till *, till_lock(_T), till_unlock(_T))
DEFINE_GUARD_COND(till_lock, _try, till_try(_T))

/* guard(till_lock_shared)(x), scoped_guard(till_lock_shared, x) { } */
DEFINE_GUARD(till_lock_shared, struct till *, till_look(_T), till_unlook(_T))

/*
 * DEFINE_TILL_OPS(name, type, member, callbacks...): a struct till_ops whose callbacks
 * take the @type that has the struct till as its @member.
 */
#define DEFINE_TILL_OPS(_name, _type, _member, _closed)      \
	static void _name##_closed(struct till *till)        \
	{                                                    \
		_closed(container_of(till, _type, _member)); \
	}                                                    \
	static const struct till_ops _name = {               \
		.closed = _name##_closed,                    \
	}

/* The same, with the optional callbacks. */
#define DEFINE_TILL_OPS_ALL(_name, _type, _member, _opened, _closed) \
	static void _name##_opened(struct till *till)                \
	{                                                            \
		_opened(container_of(till, _type, _member));         \
	}                                                            \
	static void _name##_closed(struct till *till)                \
	{                                                            \
		_closed(container_of(till, _type, _member));         \
	}                                                            \
	static const struct till_ops _name = {                       \
		.opened = _name##_opened,                            \
		.closed = _name##_closed,                            \
	}

void till_put(struct till *till, unsigned int coins) __must_hold(&till->lock);

unsigned int till_sum(struct till *till) __must_hold_shared(&till->lock);

__must_check struct ticket *ticket_new(void);

__must_check int gate_enter_killable(struct gate *gate);

#endif /* _FROM_C_TYPED_H */
