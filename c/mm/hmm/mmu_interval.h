/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Killable functions of mm/mmu_notifier.c.
 */
#ifndef _MM_HMM_MMU_INTERVAL_H
#define _MM_HMM_MMU_INTERVAL_H

#include <linux/mmu_notifier.h>

int mmu_interval_read_begin_killable(struct mmu_interval_notifier *notifier,
				     unsigned long *seq);
int mmu_interval_notifier_insert_killable(struct mmu_interval_notifier *notifier,
					  struct mm_struct *mm,
					  unsigned long start,
					  unsigned long length,
					  const struct mmu_interval_notifier_ops *ops);

#endif /* _MM_HMM_MMU_INTERVAL_H */
