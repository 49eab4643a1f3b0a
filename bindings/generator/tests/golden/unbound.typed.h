/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _UNBOUND_TYPED_H
#define _UNBOUND_TYPED_H

#include <linux/cleanup.h>
#include <unbound.h>

/* struct clock *x __free(clock_exit): ended when @x goes out of scope. */
DEFINE_FREE(clock_exit, struct clock *, if (!IS_ERR_OR_NULL(_T)) clock_exit(_T))

/* guard(clock_running)(x), scoped_guard(clock_running, x) { } */
DEFINE_GUARD(clock_running, struct clock *, clock_hold(_T), clock_stop(_T))

__must_check int clock_prepare(struct clock *clock);

#endif /* _UNBOUND_TYPED_H */
