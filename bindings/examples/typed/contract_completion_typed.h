/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _COMPLETION_TYPED_H
#define _COMPLETION_TYPED_H

#include <linux/cleanup.h>
#include <linux/completion.h>

__must_check int wait_for_completion_killable(struct completion *x);

__must_check long wait_for_completion_killable_timeout(struct completion *x,
						       unsigned long timeout);

#endif /* _COMPLETION_TYPED_H */
