/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What PTE classes have in common on architectures whose PTEs have the pfn in the bits from
 * PAGE_SHIFT on; ARCH_HMM_PFN_MASK has these bits. mm/hmm/pte_class.h documents the functions.
 */
#ifndef _ASM_GENERIC_HMM_H
#define _ASM_GENERIC_HMM_H

/* pte_pfn() without its handling of entries that are not present. */
static __always_inline unsigned long arch_hmm_class_pfn(pte_t pte)
{
	return (pte_val(pte) & ARCH_HMM_PFN_MASK) >> PAGE_SHIFT;
}

static __always_inline bool arch_hmm_pte_in_class(struct hmm_pte_class class,
						  pte_t pte)
{
	return !((pte_val(pte) ^ class.bits) & class.mask);
}

/* The bits in which @pte differs from the PTE that maps the page @nr after @first's. */
static __always_inline pteval_t arch_hmm_pte_diff(pte_t first, pte_t pte,
						  unsigned long nr)
{
	return pte_val(pte) ^ (pte_val(first) + (nr << PAGE_SHIFT));
}

static __always_inline bool arch_hmm_pfn_follows(pte_t first, pte_t pte,
						 unsigned long nr)
{
	return !(arch_hmm_pte_diff(first, pte, nr) & ARCH_HMM_PFN_MASK);
}

static __always_inline bool arch_hmm_ptes_follow(struct hmm_pte_class class,
						 const pte_t *pte,
						 const unsigned long nr)
{
	pteval_t diff = 0;
	unsigned long i;

	for (i = 1; i < nr; i++)
		diff |= arch_hmm_pte_diff(pte[0], pte[i], i);
	return !(diff & (class.mask | ARCH_HMM_PFN_MASK));
}

#endif /* _ASM_GENERIC_HMM_H */
