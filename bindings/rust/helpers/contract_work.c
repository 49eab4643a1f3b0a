// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/workqueue.h>

__rust_helper void rust_helper_INIT_WORK(struct work_struct *work,
					 void (*func)(struct work_struct *))
{
	INIT_WORK(work, func);
}

__rust_helper bool rust_helper_schedule_work(struct work_struct *work)
{
	return schedule_work(work);
}

__rust_helper bool rust_helper_work_pending(struct work_struct *work)
{
	return work_pending(work);
}
