/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _ADDRESS_TYPED_H
#define _ADDRESS_TYPED_H

#include <linux/cleanup.h>
#include <address.h>

/* struct engine *x __free(engine_exit): ended when @x goes out of scope. */
DEFINE_FREE(engine_exit, struct engine *,
	    if (!IS_ERR_OR_NULL(_T)) engine_exit(_T))

/*
 * DEFINE_ENGINE_OPS(name, type, member, callbacks...): a struct engine_ops whose callbacks
 * take the @type that has the struct engine as its @member.
 */
#define DEFINE_ENGINE_OPS(_name, _type, _member, _idle)      \
	static void _name##_idle(struct engine *engine)      \
	{                                                    \
		_idle(container_of(engine, _type, _member)); \
	}                                                    \
	static const struct engine_ops _name = {             \
		.idle = _name##_idle,                        \
	}

__must_check int engine_position(struct engine *engine, dma_addr_t *at);

#endif /* _ADDRESS_TYPED_H */
