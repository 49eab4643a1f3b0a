/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _OBJECT_TYPED_H
#define _OBJECT_TYPED_H

#include <linux/cleanup.h>
#include <object.h>

/* struct ring *x __free(ring_exit): ended when @x goes out of scope. */
DEFINE_FREE(ring_exit, struct ring *, if (!IS_ERR_OR_NULL(_T)) ring_exit(_T))

__must_check int ring_init(struct ring *ring, unsigned int slots);

#endif /* _OBJECT_TYPED_H */
