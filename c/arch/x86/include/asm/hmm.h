/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PTE classes of x86-64, for mm/hmm/pte_class.h, which documents what each function
 * here has to do and has the generic versions.
 */
#ifndef _ASM_X86_HMM_H
#define _ASM_X86_HMM_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#define ARCH_HMM_PFN_MASK PTE_PFN_MASK
#include <asm-generic/hmm.h>

/* ptep_get_lockless(), less a round trip of the structure through the stack. */
static __always_inline pte_t arch_hmm_read_pte(const pte_t *ptep)
{
	return (pte_t){ .pte = READ_ONCE(ptep->pte) };
}

/*
 * The present bit is not set in prot-none entries, so that one bit shows that
 * the page can be accessed. An entry without the write bit that is dirty can be
 * a shadow stack entry, which is writable: there, dirty counts.
 *
 * A special entry has no struct page, except for the zero page's. Its class
 * includes the pfn, so that it holds entries of the zero page only.
 */
static __always_inline bool arch_hmm_pte_class(struct hmm_pte_class *class,
					       const struct vm_area_struct *vma,
					       pte_t pte)
{
	pteval_t val = pte_val(pte);

	if (pte_none(pte)) {
		class->mask = ~_PAGE_KNL_ERRATUM_MASK;
		class->bits = 0;
		return true;
	}
	if (!(val & _PAGE_PRESENT))
		return false;
	class->mask = _PAGE_PRESENT | _PAGE_RW | _PAGE_SPECIAL;
	if (!(val & _PAGE_RW))
		class->mask |= _PAGE_DIRTY;
	if (unlikely(val & _PAGE_SPECIAL)) {
		if (!is_zero_pfn(pte_pfn(pte)))
			return false;
		class->mask |= PTE_PFN_MASK;
	}
	class->bits = val & class->mask;
	return true;
}

/*
 * The bits that are set in some entry and those that are set in every entry take
 * an instruction less for each entry than its difference from the class. Each
 * needs one for an entry if the compiler neither loads entries into registers for
 * both nor makes a tree of the sums (benchmark: snapshot-4k-shuffled).
 *
 * The bits above the pfn, protection key and no-execute, are the same in all of a
 * VMA, so that one exclusive or clears them and sets the flags.
 */
static __always_inline bool arch_hmm_ptes_alike(struct hmm_pte_class class,
						const pte_t *pte,
						const unsigned long nr,
						unsigned long *key)
{
	const pteval_t above = ~PTE_PFN_MASK & PAGE_MASK;
	pteval_t some = 0, every = ~(pteval_t)0;
	unsigned long i;

	for (i = 0; i < nr; i++) {
		some |= pte_val(pte[i]);
		OPTIMIZER_HIDE_VAR(some);
	}
	OPTIMIZER_HIDE_VAR(pte);
	for (i = 0; i < nr; i++) {
		every &= pte_val(pte[i]);
		OPTIMIZER_HIDE_VAR(every);
	}
	*key = ((every & above) >> PAGE_SHIFT) ^ class.access;
	return !(((every ^ class.bits) & class.mask) |
		 ((some ^ every) & (class.mask | above)));
}

static __always_inline unsigned long arch_hmm_pfn_by_key(pte_t pte, unsigned long key)
{
	return (pte_val(pte) >> PAGE_SHIFT) ^ key;
}

#endif /* _ASM_X86_HMM_H */
