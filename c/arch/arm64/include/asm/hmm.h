/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PTE classes of arm64, for mm/hmm/pte_class.h, which documents what each function
 * here has to do and has the generic versions.
 */
#ifndef _ASM_ARM64_HMM_H
#define _ASM_ARM64_HMM_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#define ARCH_HMM_PFN_MASK PTE_ADDR_LOW
#include <asm-generic/hmm.h>

/*
 * Where physical addresses of 52 bits have those above PTE_ADDR_LOW. On CPUs without such
 * addresses these bits have another meaning.
 */
#ifdef CONFIG_ARM64_PA_BITS_52
#define HMM_PTE_ADDR_HIGH PTE_ADDR_HIGH
#else
#define HMM_PTE_ADDR_HIGH 0
#endif

/*
 * ptep_get_lockless(), less the accessed and dirty bits of the other entries of a contiguous
 * block: they are not reported.
 */
static __always_inline pte_t arch_hmm_read_pte(const pte_t *ptep)
{
	return (pte_t){ .pte = READ_ONCE(ptep->pte) };
}

/*
 * Prot-none entries are present and not valid. A special entry has no struct page, except for
 * the zero page's. Its class includes the pfn, so that it holds entries of the zero page only.
 */
static __always_inline bool arch_hmm_pte_class(struct hmm_pte_class *class,
					       const struct vm_area_struct *vma,
					       pte_t pte)
{
	pteval_t val = pte_val(pte);

	if (pte_none(pte)) {
		class->mask = ~(pteval_t)0;
		class->bits = 0;
		return true;
	}
	if (!(val & PTE_VALID))
		return false;
	/* Pages whose address has high bits are in no class. */
	if (HMM_PTE_ADDR_HIGH && unlikely(__pte_to_phys(pte) & ~PTE_ADDR_LOW))
		return false;
	class->mask = PTE_VALID | PTE_WRITE | PTE_SPECIAL | HMM_PTE_ADDR_HIGH;
	if (unlikely(val & PTE_SPECIAL)) {
		if (!is_zero_pfn(pte_pfn(pte)))
			return false;
		class->mask |= PTE_ADDR_LOW;
	}
	class->bits = val & class->mask;
	return true;
}

/*
 * Two instructions for an entry. Its pfn and the flags of the class take two more
 * (arch_hmm_pfn_by_key()): what is above the pfn, the dirty bit among it, differs.
 */
static __always_inline bool arch_hmm_ptes_alike(struct hmm_pte_class class,
						const pte_t *pte,
						const unsigned long nr,
						unsigned long *key)
{
	pteval_t some = 0, every = ~(pteval_t)0;
	unsigned long i;

	for (i = 0; i < nr; i++) {
		some |= pte_val(pte[i]);
		every &= pte_val(pte[i]);
	}
	*key = class.access;
	return !(((every ^ class.bits) | (some ^ every)) & class.mask);
}

static __always_inline unsigned long arch_hmm_pfn_by_key(pte_t pte, unsigned long key)
{
	return ((pte_val(pte) & PTE_ADDR_LOW) >> PAGE_SHIFT) | key;
}

#endif /* _ASM_ARM64_HMM_H */
