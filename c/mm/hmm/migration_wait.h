/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of mm/migrate.c and mm/filemap.c that a fatal signal ends.
 */
#ifndef _MM_HMM_MIGRATION_WAIT_H
#define _MM_HMM_MIGRATION_WAIT_H

#include <linux/leafops.h>
#include <linux/mm_types.h>
#include <linux/spinlock.h>

#ifdef CONFIG_MIGRATION
void softleaf_entry_wait_killable(softleaf_t entry, spinlock_t *ptl)
	__releases(ptl);
void migration_entry_wait_killable(struct mm_struct *mm, pmd_t *pmdp,
				   unsigned long addr);
void pmd_migration_entry_wait_killable(struct mm_struct *mm, pmd_t *pmdp);
#else
static inline void softleaf_entry_wait_killable(softleaf_t entry, spinlock_t *ptl)
	__releases(ptl)
{
	spin_unlock(ptl);
}

static inline void migration_entry_wait_killable(struct mm_struct *mm, pmd_t *pmdp,
						 unsigned long addr)
{
}

static inline void pmd_migration_entry_wait_killable(struct mm_struct *mm, pmd_t *pmdp)
{
}
#endif

#endif /* _MM_HMM_MIGRATION_WAIT_H */
