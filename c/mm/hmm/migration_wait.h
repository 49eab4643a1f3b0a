/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of mm/migrate.c and mm/filemap.c that a fatal signal ends.
 */
#ifndef _MM_HMM_MIGRATION_WAIT_H
#define _MM_HMM_MIGRATION_WAIT_H

#include <linux/mm_types.h>
#include <linux/pgtable.h>
#include <linux/spinlock.h>

#include "compat-kernel.h"

struct wait_page_queue;

#ifdef CONFIG_MIGRATION
void softleaf_entry_wait_begin(struct wait_page_queue *waiter, softleaf_t entry,
			       spinlock_t *ptl)
	__releases(ptl);
void softleaf_entry_wait_end(struct wait_page_queue *waiter);
bool migration_entry_wait_begin(struct wait_page_queue *waiter, struct mm_struct *mm,
				pmd_t *pmdp, unsigned long addr);
bool pmd_migration_entry_wait_begin(struct wait_page_queue *waiter, struct mm_struct *mm,
				    pmd_t *pmdp);
void softleaf_entry_wait_killable(softleaf_t entry, spinlock_t *ptl)
	__releases(ptl);
void migration_entry_wait_killable(struct mm_struct *mm, pmd_t *pmdp,
				   unsigned long addr);
void pmd_migration_entry_wait_killable(struct mm_struct *mm, pmd_t *pmdp);
bool fault_wait_killable(struct vm_area_struct *vma, unsigned long addr);

/**
 * hmm_migration_wait_begin() - begin to wait until a page that migrates has arrived
 * @waiter: for softleaf_entry_wait_end(), which waits
 * @mm: the process; its mmap lock or the VMA's is held
 * @pmdp: the PMD of the address
 * @addr: the address
 *
 * A fault would wait, too, but then bring the page to system memory if it has arrived in
 * a device's.
 *
 * Return: false if no page migrates there, and there is nothing to wait for.
 */
static inline bool hmm_migration_wait_begin(struct wait_page_queue *waiter,
					    struct mm_struct *mm, pmd_t *pmdp,
					    unsigned long addr)
{
	if (HMM_PMD_SOFTLEAVES && pmd_is_migration_entry(pmdp_get_lockless(pmdp)))
		return pmd_migration_entry_wait_begin(waiter, mm, pmdp);
	return migration_entry_wait_begin(waiter, mm, pmdp, addr);
}
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

static inline bool fault_wait_killable(struct vm_area_struct *vma, unsigned long addr)
{
	return false;
}
#endif

#ifdef CONFIG_HMM_DEVMEM
extern struct list_head hmm_devmem_stepping;
bool hmm_devmem_current_steps(void);

/**
 * hmm_devmem_is_stepping() - whether current has begun a migration in steps
 *
 * It has collected pages, and holds the mmap lock. If it waited for a page that migrates,
 * or for that lock, it could wait for itself. Inlined, as every fault of a section takes
 * a look (benchmark: populate-one-page).
 *
 * Context: any. Only current adds and removes its own migrations.
 * Return: true from hmm_devmem_collect() to hmm_devmem_migration_end().
 */
static inline bool hmm_devmem_is_stepping(void)
{
	return unlikely(!list_empty(&hmm_devmem_stepping)) && hmm_devmem_current_steps();
}
#else
static inline bool hmm_devmem_is_stepping(void)
{
	return false;
}
#endif

#endif /* _MM_HMM_MIGRATION_WAIT_H */
