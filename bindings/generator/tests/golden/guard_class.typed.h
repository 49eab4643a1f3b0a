/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _GUARD_CLASS_TYPED_H
#define _GUARD_CLASS_TYPED_H

#include <linux/cleanup.h>
#include <guard_class.h>

/* guard(shelf_lock_shared)(x), scoped_guard(shelf_lock_shared, x) { } */
DEFINE_GUARD(shelf_lock_shared, struct shelf *, shelf_read(_T),
	     shelf_unread(_T))
DEFINE_GUARD_COND(shelf_lock_shared, _try, shelf_try_read(_T))

/* struct book *x __free(book_put): its reference is given back when @x goes out of scope. */
DEFINE_FREE(book_put, struct book *, if (!IS_ERR_OR_NULL(_T)) book_put(_T))

/* CLASS(book_ref, x)(y): another reference to the object of @y. */
DEFINE_CLASS(book_ref, struct book *, book_put(_T), ({
		     book_get(from);
		     from;
	     }),
	     struct book *from)

__must_check struct book *shelf_first(struct shelf *shelf);

#endif /* _GUARD_CLASS_TYPED_H */
