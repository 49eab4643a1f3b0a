/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _DELAYED_WORK_TYPED_H
#define _DELAYED_WORK_TYPED_H

#include <linux/cleanup.h>
#include <linux/workqueue.h>

/* struct delayed_work *x __free(cancel_delayed_work_sync): ended when @x goes out of scope. */
DEFINE_FREE(cancel_delayed_work_sync, struct delayed_work *,
	    if (!IS_ERR_OR_NULL(_T)) cancel_delayed_work_sync(_T))

#endif /* _DELAYED_WORK_TYPED_H */
