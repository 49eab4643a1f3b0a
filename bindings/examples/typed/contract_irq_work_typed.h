/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _IRQ_WORK_TYPED_H
#define _IRQ_WORK_TYPED_H

#include <linux/cleanup.h>
#include <linux/irq_work.h>

/* struct irq_work *x __free(irq_work_sync): ended when @x goes out of scope. */
DEFINE_FREE(irq_work_sync, struct irq_work *,
	    if (!IS_ERR_OR_NULL(_T)) irq_work_sync(_T))

#endif /* _IRQ_WORK_TYPED_H */
