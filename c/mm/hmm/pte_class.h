/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PTE classes: the properties of a page table entry that the walker reports, decided
 * once for many entries.
 *
 * A PTE is *plain* when it is empty, or present, accessible and maps memory
 * that has a struct page. All that is reported of a plain PTE is its pfn and
 * whether it is writable. Plain PTEs that agree on everything but the pfn, and
 * but for bits that are not reported (accessed, dirty, soft dirty, protection
 * keys), form a class.
 *
 * Everything here works on PTEs that were read already (hmm_read_pte()); none of
 * it touches a page table.
 *
 * An architecture that can compare many entries cheaply selects
 * ARCH_HAS_HMM_PTE_CLASS and has the arch_hmm_*() functions in <asm/hmm.h>; those
 * of <asm-generic/hmm.h> serve where a pfn is in one place of the entry. For the
 * others no two PTEs are of a class, so that each is handled by itself, with
 * the same result.
 */
#ifndef _MM_HMM_PTE_CLASS_H
#define _MM_HMM_PTE_CLASS_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "pfn.h"

/**
 * struct hmm_pte_class - a class of plain PTEs
 * @bits: for the architecture: the value of the bits in @mask
 * @mask: for the architecture: the bits that decide; 0: no class
 * @access: %HMM_PFN_READABLE or %HMM_PFN_WRITABLE; 0 for empty PTEs
 */
struct hmm_pte_class {
	unsigned long bits;
	unsigned long mask;
	unsigned long access;
};

#ifdef CONFIG_ARCH_HAS_HMM_PTE_CLASS
#include <asm/hmm.h>
#else

static __always_inline pte_t arch_hmm_read_pte(const pte_t *ptep)
{
	return ptep_get_lockless((pte_t *)ptep);
}

/* Might there be no struct page, or the zero page? */
static __always_inline bool hmm_pte_special(const struct vm_area_struct *vma,
					    pte_t pte)
{
	if (IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL))
		return pte_special(pte);
	return vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP);
}

static __always_inline bool arch_hmm_pte_class(struct hmm_pte_class *class,
					       const struct vm_area_struct *vma,
					       pte_t pte)
{
	class->bits = 0;
	class->mask = ~0UL;
	return pte_none(pte) || (pte_present(pte) && !pte_protnone(pte) &&
				 !hmm_pte_special(vma, pte));
}

static __always_inline bool arch_hmm_pte_in_class(struct hmm_pte_class class,
						  pte_t pte)
{
	return false;
}

static __always_inline unsigned long arch_hmm_class_pfn(pte_t pte)
{
	return pte_pfn(pte);
}

static __always_inline bool arch_hmm_pfn_follows(pte_t first, pte_t pte,
						 unsigned long nr)
{
	return false;
}

static __always_inline bool arch_hmm_ptes_follow(struct hmm_pte_class class,
						 const pte_t *pte,
						 const unsigned long nr)
{
	return false;
}

static __always_inline bool arch_hmm_ptes_alike(struct hmm_pte_class class,
						const pte_t *pte,
						const unsigned long nr,
						unsigned long *key)
{
	*key = class.access;
	return false;
}

static __always_inline unsigned long arch_hmm_pfn_by_key(pte_t pte, unsigned long key)
{
	return pte_pfn(pte) | key;
}

#endif /* CONFIG_ARCH_HAS_HMM_PTE_CLASS */

/**
 * hmm_read_pte() - read a PTE that other CPUs may be changing
 * @ptep: where it is; the table is mapped
 *
 * Return: its value, not torn.
 */
static __always_inline pte_t hmm_read_pte(const pte_t *ptep)
{
	return arch_hmm_read_pte(ptep);
}

/**
 * hmm_pte_class_of() - the class of a PTE
 * @vma: its VMA
 * @pte: the PTE
 *
 * Return: the class, with &hmm_pte_class.mask 0 if @pte is not plain.
 */
static __always_inline struct hmm_pte_class
hmm_pte_class_of(const struct vm_area_struct *vma, pte_t pte)
{
	struct hmm_pte_class class = {};

	if (!arch_hmm_pte_class(&class, vma, pte))
		return (struct hmm_pte_class){};
	if (!pte_none(pte))
		class.access = hmm_pfn_access(pte_write(pte));
	return class;
}

/* Whether @pte is of @class; false for all where there are no classes. */
static __always_inline bool hmm_pte_in_class(struct hmm_pte_class class, pte_t pte)
{
	return arch_hmm_pte_in_class(class, pte);
}

/* pte_pfn(), for PTEs of a class that are not empty. */
static __always_inline unsigned long hmm_class_pfn(pte_t pte)
{
	return arch_hmm_class_pfn(pte);
}

/* The hmm pfn of a PTE of a class, without an order. */
static __always_inline unsigned long hmm_class_hmm_pfn(struct hmm_pte_class class,
						       pte_t pte)
{
	return class.access ? hmm_class_pfn(pte) | class.access : 0;
}

/* Whether @pte maps the page @nr after @first's, with the access of @class. */
static __always_inline bool hmm_pte_follows(struct hmm_pte_class class, pte_t first,
					    pte_t pte, unsigned long nr)
{
	return hmm_pte_in_class(class, pte) && arch_hmm_pfn_follows(first, pte, nr);
}

/* Whether @pte maps the page @nr after @first's, where both are of one class. */
static __always_inline bool hmm_pfn_follows(pte_t first, pte_t pte, unsigned long nr)
{
	return arch_hmm_pfn_follows(first, pte, nr);
}

/* Whether @nr PTEs are of @class and map one page after the other. */
static __always_inline bool hmm_ptes_follow(struct hmm_pte_class class,
					    const pte_t *pte, const unsigned long nr)
{
	return arch_hmm_pfn_follows(pte[0], pte[nr - 1], nr - 1) &&
	       hmm_pte_in_class(class, pte[0]) && arch_hmm_ptes_follow(class, pte, nr);
}

/**
 * hmm_ptes_alike() - whether PTEs are of one class
 * @class: the class
 * @pte: the PTEs
 * @nr: number of PTEs
 * @key: set for hmm_pfn_by_key(), if they are
 *
 * Return: true if all are of @class.
 */
static __always_inline bool hmm_ptes_alike(struct hmm_pte_class class, const pte_t *pte,
					   const unsigned long nr, unsigned long *key)
{
	return arch_hmm_ptes_alike(class, pte, nr, key);
}

/* The hmm pfn, without order, of one of the PTEs that were passed to hmm_ptes_alike(). */
static __always_inline unsigned long hmm_pfn_by_key(pte_t pte, unsigned long key)
{
	return arch_hmm_pfn_by_key(pte, key);
}

/**
 * hmm_ptes_have_order() - whether 4 PTEs of a class map naturally aligned pages
 * @pte: the PTEs, of which the first is that of an aligned address
 *
 * Only the ends are compared: this is a hint.
 *
 * Return: true if they might have an order.
 */
static __always_inline bool hmm_ptes_have_order(const pte_t *pte)
{
	if (likely(!arch_hmm_pfn_follows(pte[0], pte[3], 3)))
		return false;
	return !(hmm_class_pfn(pte[0]) & 3);
}

#endif /* _MM_HMM_PTE_CLASS_H */
