/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _REQUIRES_TYPED_H
#define _REQUIRES_TYPED_H

#include <linux/cleanup.h>
#include <requires.h>

/* guard(door_read)(x), scoped_guard(door_read, x) { } */
DEFINE_GUARD(door_read, struct door *, door_read(_T), door_unread(_T))

/* guard(door_write)(x), scoped_guard(door_write, x) { } */
DEFINE_GUARD(door_write, struct door *, door_write_always(_T), door_unwrite(_T))
DEFINE_GUARD_COND(door_write, _try, door_write(_T), _RET == 0)

__must_check int door_write(struct door *door);

unsigned int door_width(struct door *door) __must_hold(door);

void door_widen(struct door *door, unsigned int by) __must_hold(door);

#endif /* _REQUIRES_TYPED_H */
