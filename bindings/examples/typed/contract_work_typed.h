/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _WORK_TYPED_H
#define _WORK_TYPED_H

#include <linux/cleanup.h>
#include <linux/workqueue.h>

/* struct work_struct *x __free(cancel_work_sync): ended when @x goes out of scope. */
DEFINE_FREE(cancel_work_sync, struct work_struct *,
	    if (!IS_ERR_OR_NULL(_T)) cancel_work_sync(_T))

#endif /* _WORK_TYPED_H */
