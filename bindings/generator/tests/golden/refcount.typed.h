/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _REFCOUNT_TYPED_H
#define _REFCOUNT_TYPED_H

#include <linux/cleanup.h>
#include <refcount.h>

/* struct node *x __free(node_put): its reference is given back when @x goes out of scope. */
DEFINE_FREE(node_put, struct node *, if (!IS_ERR_OR_NULL(_T)) node_put(_T))

/* CLASS(node_ref, x)(y): another reference to the object of @y. */
DEFINE_CLASS(node_ref, struct node *, node_put(_T), ({
		     node_get(from);
		     from;
	     }),
	     struct node *from)

__must_check struct node *node_find(unsigned long key);

#endif /* _REFCOUNT_TYPED_H */
