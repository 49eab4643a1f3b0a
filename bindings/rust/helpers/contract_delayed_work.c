// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/workqueue.h>

__rust_helper void
rust_helper_INIT_DELAYED_WORK(struct delayed_work *dwork,
			      void (*func)(struct work_struct *))
{
	INIT_DELAYED_WORK(dwork, func);
}

__rust_helper bool rust_helper_schedule_delayed_work(struct delayed_work *dwork,
						     unsigned long delay)
{
	return schedule_delayed_work(dwork, delay);
}
