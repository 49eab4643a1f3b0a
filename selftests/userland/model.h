/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of an address space for the walker: VMAs, one level of PMD entries,
 * tables of PTEs, and the memmap behind them.
 */
#ifndef USERLAND_MODEL_H
#define USERLAND_MODEL_H

#include "kernel.h"

#define MODEL_BASE 0x7f0000000000UL
#define MODEL_MAX_PMD 32
#define MODEL_MAX_VMA 4
#define MODEL_MAX_PAGES (MODEL_MAX_PMD * PTRS_PER_PTE)

/*
 * Memory for faults: page i of the address space gets page i of this part of the
 * memmap, so that the oracle knows the pfn. The first half of the memmap is for
 * the tables that a test fills.
 */
#define MODEL_FAULT_PFN (MODEL_RAM_PFN + MODEL_NR_RAM / 2)

/* What the fault handler does for a page. */
enum model_answer {
	ANSWER_PAGE,
	ANSWER_OOM,
	ANSWER_SIGBUS,
	ANSWER_RETRY,	/* once, if the caller allows it: drop the lock, VM_FAULT_RETRY */
};

struct mm_struct {
	unsigned int nr_pmd;
	unsigned int nr_vma;
	bool upper_levels;	/* false: empty PMD entries have no table either */
	bool retried;
	unsigned int vanishing;	/* how often a PTE table is not found */
	unsigned int locked;	/* how often a page of device memory is found locked */
	unsigned int kill_at;	/* which of these times the task is killed; 0: none */
	unsigned long wait;	/* how long each wait for a page takes */
	void (*on_wait)(struct mm_struct *mm);
	void *on_wait_data;
	bool unstable;		/* the OOM reaper was here */
	unsigned long tried;	/* the next fault here must have FAULT_FLAG_TRIED */
	void (*on_retry)(struct mm_struct *mm);
	void *on_retry_data;
	struct vm_area_struct vma[MODEL_MAX_VMA];
	pmd_t pmd[MODEL_MAX_PMD];
	pte_t pte[MODEL_MAX_PMD][PTRS_PER_PTE] __aligned(4096);
	unsigned char answer[MODEL_MAX_PAGES];
};

extern struct dev_pagemap model_own, model_own_too, model_other, model_coherent;
extern void *const model_owner;

/* splitmix64: the next random number of a state. */
static inline unsigned long model_random(unsigned long *state)
{
	unsigned long z = *state += 0x9e3779b97f4a7c15UL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}

void model_reset_pages(void);
void model_folio(unsigned long pfn, unsigned int order);
void model_device_chunk(unsigned long pfn, unsigned long nr,
			struct dev_pagemap *pgmap);

static inline pmd_t model_table_pmd(void)
{
	return __pmd(_KERNPG_TABLE | _PAGE_USER);
}

static inline unsigned int model_pmd_index(unsigned long addr)
{
	return (addr - MODEL_BASE) >> PMD_SHIFT;
}

static inline unsigned int model_pte_index(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) % PTRS_PER_PTE;
}

static inline unsigned long model_page_index(unsigned long addr)
{
	return (addr - MODEL_BASE) >> PAGE_SHIFT;
}

static inline pte_t *model_ptep(struct mm_struct *mm, unsigned long addr)
{
	return &mm->pte[model_pmd_index(addr)][model_pte_index(addr)];
}

void model_init(struct mm_struct *mm, unsigned int nr_pmd);
void model_init_tables(struct mm_struct *mm, unsigned int nr_pmd);
void model_copy(struct mm_struct *to, const struct mm_struct *from);

/* The first rule that was broken since model_clear(), or NULL. */
extern const char *model_rule;
extern __thread unsigned int model_faults;	/* since then */
void model_clear(void);

/* Check that this thread holds no lock, table, reference or memory any more. */
void model_check_released(void);
/* Whether this thread has begun a migration in steps; no other thread may run then. */
void model_step(bool stepping);
/* Let allocations of this thread fail. */
extern __thread bool model_no_memory;
/* Whether peers reach the memory of a pagemap, if it is not the caller's. */
bool model_reaches_peers(const struct dev_pagemap *pgmap);
void model_end_migration(struct mm_struct *mm, unsigned long addr);
void model_lock_mmap(void);
void model_unlock_mmap(void);

/* Called when a visit of a PTE table or of a PMD entry begins. */
enum model_visit { VISIT_TABLE, VISIT_PMD };
extern void (*model_visit)(enum model_visit visit);

#endif /* USERLAND_MODEL_H */
