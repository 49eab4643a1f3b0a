/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SOUND_TYPED_H
#define _SOUND_TYPED_H

#include <linux/cleanup.h>
#include <sound.h>

/* struct space *x __free(space_put): its reference is given back when @x goes out of scope. */
DEFINE_FREE(space_put, struct space *, if (!IS_ERR_OR_NULL(_T)) space_put(_T))

/* CLASS(space_ref, x)(y): another reference to the object of @y. */
DEFINE_CLASS(space_ref, struct space *, space_put(_T), ({
		     space_get(from);
		     from;
	     }),
	     struct space *from)

/* struct view *x __free(view_close): ended when @x goes out of scope. */
DEFINE_FREE(view_close, struct view *, if (!IS_ERR_OR_NULL(_T)) view_close(_T))

/* struct door *x __free(door_exit): ended when @x goes out of scope. */
DEFINE_FREE(door_exit, struct door *, if (!IS_ERR_OR_NULL(_T)) door_exit(_T))

/* guard(door_outer)(x), scoped_guard(door_outer, x) { } */
DEFINE_GUARD(door_outer, struct door *, door_lock(_T), door_unlock(_T))

/* guard(door_inner)(x), scoped_guard(door_inner, x) { } */
DEFINE_GUARD(door_inner, struct door *, door_inner(_T), door_outer(_T))

__must_check struct view *view_open(struct space *space);

void door_inner(struct door *door) __must_hold(door);

int door_count(struct door *door) __must_hold(door);

__must_check s64 door_seek(struct door *door, s64 to);

#endif /* _SOUND_TYPED_H */
