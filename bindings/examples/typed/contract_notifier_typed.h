/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _NOTIFIER_TYPED_H
#define _NOTIFIER_TYPED_H

#include <linux/cleanup.h>
#include <linux/notifier.h>

__must_check int
blocking_notifier_chain_register(struct blocking_notifier_head *nh,
				 struct notifier_block *nb);

#endif /* _NOTIFIER_TYPED_H */
