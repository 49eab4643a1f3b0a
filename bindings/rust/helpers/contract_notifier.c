// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/notifier.h>

__rust_helper void
rust_helper_BLOCKING_INIT_NOTIFIER_HEAD(struct blocking_notifier_head *name)
{
	BLOCKING_INIT_NOTIFIER_HEAD(name);
}
