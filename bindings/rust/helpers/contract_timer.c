// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/timer.h>

__rust_helper void
rust_helper_timer_setup(struct timer_list *timer,
			void (*callback)(struct timer_list *),
			unsigned int flags)
{
	timer_setup(timer, callback, flags);
}

__rust_helper int rust_helper_timer_pending(const struct timer_list *timer)
{
	return timer_pending(timer);
}
