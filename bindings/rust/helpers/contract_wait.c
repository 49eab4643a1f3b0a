// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/poll.h>

__rust_helper void
rust_helper_init_waitqueue_head(struct wait_queue_head *wq_head)
{
	init_waitqueue_head(wq_head);
}

__rust_helper void rust_helper_wake_up(struct wait_queue_head *wq_head)
{
	wake_up(wq_head);
}

__rust_helper void rust_helper_wake_up_all(struct wait_queue_head *wq_head)
{
	wake_up_all(wq_head);
}

__rust_helper bool rust_helper_wq_has_sleeper(struct wait_queue_head *wq_head)
{
	return wq_has_sleeper(wq_head);
}
