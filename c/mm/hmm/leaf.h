/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page table entries, many at a time.
 *
 * An entry is *plain* when it is empty, or present, accessible and maps memory
 * that has a struct page. All that is reported of a plain entry is its pfn and
 * whether it is writable, so a stretch of them needs one decision if they have
 * the same *kind*: the bits that make an entry plain and writable.
 */
#ifndef MM_HMM_LEAF_H
#define MM_HMM_LEAF_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "pfn.h"

/**
 * struct hmm_kind - what the entries of a batch have in common
 * @bits: the value of the bits in @mask
 * @mask: which bits of an entry decide; 0 for entries that are not plain
 * @access: %HMM_PFN_READABLE or %HMM_PFN_WRITABLE; 0 for empty entries
 */
struct hmm_kind {
	unsigned long bits;
	unsigned long mask;
	unsigned long access;
};

#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)

/*
 * A present entry is never prot-none here, whatever its global bit says. Where
 * an entry is not writable by its own bit, dirty can stand for a shadow stack,
 * which is; so it counts for those.
 *
 * Special entries have no struct page, but for the zero page, which is as good
 * as any other to read from. Its entries are a kind of their own.
 */
static __always_inline struct hmm_kind
hmm_kind_of(const struct vm_area_struct *vma, pte_t pte)
{
	unsigned long val = pte_val(pte);
	struct hmm_kind kind = {};

	if (pte_none(pte)) {
		kind.mask = ~_PAGE_KNL_ERRATUM_MASK;
		return kind;
	}
	if (!(val & _PAGE_PRESENT))
		return kind;
	kind.mask = _PAGE_PRESENT | _PAGE_RW | _PAGE_SPECIAL;
	if (!(val & _PAGE_RW))
		kind.mask |= _PAGE_DIRTY;
	if (unlikely(val & _PAGE_SPECIAL)) {
		if (!is_zero_pfn(pte_pfn(pte)))
			return (struct hmm_kind){};
		kind.mask |= PTE_PFN_MASK;
	}
	kind.bits = val & kind.mask;
	kind.access = hmm_pfn_access(pte_write(pte));
	return kind;
}

/* The bits of @pte that tell it from an entry of @kind; 0 if none. */
static __always_inline unsigned long hmm_kind_differs(struct hmm_kind kind,
						      pte_t pte)
{
	return (pte_val(pte) ^ kind.bits) & kind.mask;
}

/* pte_pfn(), for plain entries; 0 for empty ones. */
static __always_inline unsigned long hmm_plain_pfn(pte_t pte)
{
	return (pte_val(pte) & PTE_PFN_MASK) >> PAGE_SHIFT;
}

/* ptep_get(), less a round trip through the stack for the struct. */
static __always_inline pte_t hmm_read_pte(const pte_t *ptep)
{
	return (pte_t){ .pte = READ_ONCE(ptep->pte) };
}

/* By which bits @pte differs from the entry @nr pages after @first. */
static __always_inline unsigned long hmm_pte_strays(pte_t first, pte_t pte,
						    unsigned long nr)
{
	return pte_val(pte) ^ (pte_val(first) + (nr << PAGE_SHIFT));
}

/* Those of some bits of an entry that tell which page it maps. */
static __always_inline unsigned long hmm_pfn_bits(unsigned long bits)
{
	return bits & PTE_PFN_MASK;
}

#else /* no two entries are alike: each is reported by itself */

/* Might there be no struct page, or the zero page? */
static __always_inline bool hmm_pte_special(const struct vm_area_struct *vma,
					    pte_t pte)
{
	if (IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL))
		return pte_special(pte);
	return vma->vm_flags & (VM_PFNMAP | VM_MIXEDMAP);
}

/*
 * That an entry is plain saves it the long way through hmm_leaf_pte(), which
 * took twice the time (benchmark: uml-snapshot-4k).
 */
static __always_inline struct hmm_kind
hmm_kind_of(const struct vm_area_struct *vma, pte_t pte)
{
	struct hmm_kind kind = {};

	if (pte_none(pte)) {
		kind.mask = ~0UL;
	} else if (pte_present(pte) && !pte_protnone(pte) &&
		   !hmm_pte_special(vma, pte)) {
		kind.mask = ~0UL;
		kind.access = hmm_pfn_access(pte_write(pte));
	}
	return kind;
}

static __always_inline unsigned long hmm_kind_differs(struct hmm_kind kind,
						      pte_t pte)
{
	return 1;
}

static __always_inline unsigned long hmm_plain_pfn(pte_t pte)
{
	return pte_none(pte) ? 0 : pte_pfn(pte);
}

static __always_inline pte_t hmm_read_pte(const pte_t *ptep)
{
	return ptep_get((pte_t *)ptep);
}

static __always_inline unsigned long hmm_pte_strays(pte_t first, pte_t pte,
						    unsigned long nr)
{
	return ~0UL;
}

static __always_inline unsigned long hmm_pfn_bits(unsigned long bits)
{
	return bits;
}

#endif

/* The word of an entry of @kind, with order 0. */
static __always_inline unsigned long hmm_kind_word(struct hmm_kind kind,
						   pte_t pte)
{
	return hmm_plain_pfn(pte) | kind.access;
}

/* Whether @pte maps the page @nr after @first's, alike but for its use. */
static __always_inline bool hmm_pte_follows(struct hmm_kind kind, pte_t first,
					    pte_t pte, unsigned long nr)
{
	unsigned long strays = hmm_pte_strays(first, pte, nr);

	return !((strays & kind.mask) | hmm_pfn_bits(strays));
}

#endif /* MM_HMM_LEAF_H */
