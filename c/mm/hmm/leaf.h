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
 * @delta: what makes a word of an entry that was shifted down
 */
struct hmm_kind {
	unsigned long bits;
	unsigned long mask;
	unsigned long access;
	unsigned long delta;
};

#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)

/*
 * A present entry is never prot-none here, whatever its global bit says. Where
 * an entry is not writable by its own bit, dirty can stand for a shadow stack,
 * which is; so it counts for those.
 *
 * The bits above the pfn (no-execute, protection key) count too, though they
 * are not reported: they are the same all through a VMA, and with them known a
 * shift and an add turn an entry into a word. An empty entry becomes 0 that
 * way, which is its word.
 */
static __always_inline struct hmm_kind hmm_kind_of(pte_t pte)
{
	unsigned long val = pte_val(pte), high = PAGE_MASK & ~PTE_PFN_MASK;
	struct hmm_kind kind = {};

	if (pte_none(pte)) {
		kind.mask = ~_PAGE_KNL_ERRATUM_MASK;
	} else if ((val & (_PAGE_PRESENT | _PAGE_SPECIAL)) == _PAGE_PRESENT) {
		kind.mask = _PAGE_PRESENT | _PAGE_RW | _PAGE_SPECIAL | high;
		if (!(val & _PAGE_RW))
			kind.mask |= _PAGE_DIRTY;
		kind.bits = val & kind.mask;
		kind.access = hmm_pfn_access(pte_write(pte));
		kind.delta = kind.access - ((val & high) >> PAGE_SHIFT);
	}
	return kind;
}

/* The bits of @pte that tell it from an entry of @kind; 0 if none. */
static __always_inline unsigned long hmm_kind_differs(struct hmm_kind kind,
						      pte_t pte)
{
	return (pte_val(pte) ^ kind.bits) & kind.mask;
}

/* The word of an entry of @kind, with order 0. */
static __always_inline unsigned long hmm_kind_word(struct hmm_kind kind,
						   pte_t pte)
{
	return (pte_val(pte) >> PAGE_SHIFT) + kind.delta;
}

/* The same, but for the entry @nr pages after @first of a contiguous folio. */
static __always_inline unsigned long hmm_kind_strays(struct hmm_kind kind,
						     pte_t first, pte_t pte,
						     unsigned long nr)
{
	return (pte_val(pte) ^ (pte_val(first) + (nr << PAGE_SHIFT))) &
	       (kind.mask | PTE_PFN_MASK);
}

/* ptep_get(), less a round trip through the stack for the struct. */
static __always_inline pte_t hmm_read_pte(const pte_t *ptep)
{
	return (pte_t){ .pte = READ_ONCE(ptep->pte) };
}

#else /* every entry is looked at alone */

static __always_inline struct hmm_kind hmm_kind_of(pte_t pte)
{
	return (struct hmm_kind){};
}

static __always_inline unsigned long hmm_kind_differs(struct hmm_kind kind,
						      pte_t pte)
{
	return 1;
}

static __always_inline unsigned long hmm_kind_word(struct hmm_kind kind,
						   pte_t pte)
{
	return 0;
}

static __always_inline unsigned long hmm_kind_strays(struct hmm_kind kind,
						     pte_t first, pte_t pte,
						     unsigned long nr)
{
	return 1;
}

static __always_inline pte_t hmm_read_pte(pte_t *ptep)
{
	return ptep_get(ptep);
}

#endif

#endif /* MM_HMM_LEAF_H */
