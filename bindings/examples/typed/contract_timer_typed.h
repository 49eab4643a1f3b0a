/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _TIMER_TYPED_H
#define _TIMER_TYPED_H

#include <linux/cleanup.h>
#include <linux/timer.h>

/* struct timer_list *x __free(timer_shutdown_sync): ended when @x goes out of scope. */
DEFINE_FREE(timer_shutdown_sync, struct timer_list *,
	    if (!IS_ERR_OR_NULL(_T)) timer_shutdown_sync(_T))

#endif /* _TIMER_TYPED_H */
