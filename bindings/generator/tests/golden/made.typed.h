/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _MADE_TYPED_H
#define _MADE_TYPED_H

#include <linux/cleanup.h>
#include <made.h>

/* struct image *x __free(image_free): ended when @x goes out of scope. */
DEFINE_FREE(image_free, struct image *, if (!IS_ERR_OR_NULL(_T)) image_free(_T))

/* struct chain *x __free(chain_exit): ended when @x goes out of scope. */
DEFINE_FREE(chain_exit, struct chain *, if (!IS_ERR_OR_NULL(_T)) chain_exit(_T))

__must_check int image_load(const struct image **image, const char *name);

__must_check int link_add(struct chain *chain, struct link *link);

#endif /* _MADE_TYPED_H */
