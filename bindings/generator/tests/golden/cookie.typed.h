/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _COOKIE_TYPED_H
#define _COOKIE_TYPED_H

#include <linux/cleanup.h>
#include <cookie.h>

/* guard(turnstile_inside)(x), scoped_guard(turnstile_inside, x) { } */
DEFINE_LOCK_GUARD_1(turnstile_inside, struct turnstile,
		    _T->cookie = turnstile_enter(_T->lock),
		    turnstile_leave(_T->lock, _T->cookie), int cookie)

#endif /* _COOKIE_TYPED_H */
