/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _LENT_TYPED_H
#define _LENT_TYPED_H

#include <linux/cleanup.h>
#include <lent.h>

/* struct host *x __free(host_exit): ended when @x goes out of scope. */
DEFINE_FREE(host_exit, struct host *, if (!IS_ERR_OR_NULL(_T)) host_exit(_T))

/* guard(host)(x), scoped_guard(host, x) { } */
DEFINE_GUARD(host, struct host *, host_lock(_T), host_unlock(_T))

/* struct bell *x __free(bell_exit): ended when @x goes out of scope. */
DEFINE_FREE(bell_exit, struct bell *, if (!IS_ERR_OR_NULL(_T)) bell_exit(_T))

/*
 * DEFINE_HOST_OPS(name, type, member, callbacks...): a struct host_ops whose callbacks
 * take the @type that has the struct host as its @member.
 */
#define DEFINE_HOST_OPS(_name, _type, _member, _welcome, _woken)           \
	static int _name##_welcome(struct host *host, struct guest *guest, \
				   const struct ghost *same)               \
	{                                                                  \
		return _welcome(container_of(host, _type, _member), guest, \
				same);                                     \
	}                                                                  \
	static void _name##_woken(struct host *host)                       \
	{                                                                  \
		_woken(container_of(host, _type, _member));                \
	}                                                                  \
	static const struct host_ops _name = {                             \
		.welcome = _name##_welcome,                                \
		.woken = _name##_woken,                                    \
	}

#endif /* _LENT_TYPED_H */
