/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _KEEPS_TYPED_H
#define _KEEPS_TYPED_H

#include <linux/cleanup.h>
#include <keeps.h>

/* struct space *x __free(space_put): its reference is given back when @x goes out of scope. */
DEFINE_FREE(space_put, struct space *, if (!IS_ERR_OR_NULL(_T)) space_put(_T))

/* CLASS(space_ref, x)(y): another reference to the object of @y. */
DEFINE_CLASS(space_ref, struct space *, space_put(_T), ({
		     space_get(from);
		     from;
	     }),
	     struct space *from)

/* struct window *x __free(window_exit): ended when @x goes out of scope. */
DEFINE_FREE(window_exit, struct window *,
	    if (!IS_ERR_OR_NULL(_T)) window_exit(_T))

__must_check int window_init(struct window *window, struct space *space,
			     void *owner);

#endif /* _KEEPS_TYPED_H */
