/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _OWNED_TYPED_H
#define _OWNED_TYPED_H

#include <linux/cleanup.h>
#include <owned.h>

/* struct session *x __free(session_close): ended when @x goes out of scope. */
DEFINE_FREE(session_close, struct session *,
	    if (!IS_ERR_OR_NULL(_T)) session_close(_T))

__must_check struct session *session_open(int id);

#endif /* _OWNED_TYPED_H */
