/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _ALONE_TYPED_H
#define _ALONE_TYPED_H

#include <linux/cleanup.h>
#include <alone.h>

/* guard(shelf_reading)(x), scoped_guard(shelf_reading, x) { } */
DEFINE_GUARD(shelf_reading, struct shelf *, shelf_read(_T), shelf_read_end(_T))

/* guard(shelf_writing)(x), scoped_guard(shelf_writing, x) { } */
DEFINE_GUARD(shelf_writing, struct shelf *, shelf_write(_T),
	     shelf_write_end(_T))

void shelf_wait(struct shelf *shelf) __must_hold(shelf);

void shelf_yield(struct shelf *shelf) __must_hold(shelf);

int shelf_count(const struct shelf *shelf) __must_hold(shelf);

#endif /* _ALONE_TYPED_H */
