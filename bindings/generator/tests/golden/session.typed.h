/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SESSION_TYPED_H
#define _SESSION_TYPED_H

#include <linux/cleanup.h>
#include <session.h>

/* struct session *x __free(session_close): ended when @x goes out of scope. */
DEFINE_FREE(session_close, struct session *,
	    if (!IS_ERR_OR_NULL(_T)) session_close(_T))

/* guard(session)(x), scoped_guard(session, x) { } */
DEFINE_GUARD(session, struct session *, session_lock(_T), session_unlock(_T))

__must_check struct session *session_open(int id);

__must_check int session_write(struct session *session,
			       const unsigned char *data, unsigned long len);

unsigned long session_pending(const struct session *session)
	__must_hold(session);

#endif /* _SESSION_TYPED_H */
