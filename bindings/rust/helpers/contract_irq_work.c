// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/irq_work.h>

__rust_helper void rust_helper_init_irq_work(struct irq_work *work,
					     void (*func)(struct irq_work *))
{
	init_irq_work(work, func);
}

__rust_helper bool rust_helper_irq_work_is_busy(struct irq_work *work)
{
	return irq_work_is_busy(work);
}
