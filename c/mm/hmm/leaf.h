/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page table entries, many at a time.
 *
 * An entry is *ordinary* when it is present, accessible and maps memory that
 * has a struct page. All that is reported for an ordinary entry is its pfn and
 * whether it is writable, so a stretch of them needs one decision if they have
 * the same *kind*: the bits that make an entry ordinary and writable.
 */
#ifndef MM_HMM_LEAF_H
#define MM_HMM_LEAF_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "pfn.h"

/**
 * struct hmm_kind - what the entries of a batch have in common
 * @bits: the value of the bits in @mask; 0 for entries that are not ordinary
 * @mask: which bits of an entry decide
 * @access: the word for such an entry, less pfn and order
 */
struct hmm_kind {
	unsigned long bits;
	unsigned long mask;
	unsigned long access;
};

#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)

#define HMM_LEAF_BATCH 1

/*
 * A present entry is never prot-none here, whatever its global bit says. Where
 * an entry is not writable by its own bit, dirty can stand for a shadow stack,
 * which is; so it counts for those.
 */
static __always_inline struct hmm_kind hmm_kind_of(pte_t pte)
{
	unsigned long mask = _PAGE_PRESENT | _PAGE_RW | _PAGE_SPECIAL;

	if ((pte_val(pte) & (_PAGE_PRESENT | _PAGE_SPECIAL)) != _PAGE_PRESENT)
		return (struct hmm_kind){};
	if (!(pte_val(pte) & _PAGE_RW))
		mask |= _PAGE_DIRTY;
	return (struct hmm_kind){
		.bits = pte_val(pte) & mask,
		.mask = mask,
		.access = hmm_pfn_access(pte_write(pte)),
	};
}

/* The bits of @pte that tell it from an ordinary entry of @kind; 0 if none. */
static __always_inline unsigned long hmm_kind_differs(const struct hmm_kind *kind,
						      pte_t pte)
{
	return (pte_val(pte) ^ kind->bits) & kind->mask;
}

/* The pfn of an entry known to be present. */
static __always_inline unsigned long hmm_ordinary_pfn(pte_t pte)
{
	return (pte_val(pte) & PTE_PFN_MASK) >> PAGE_SHIFT;
}

#else /* every entry is looked at alone */

#define HMM_LEAF_BATCH 0

static __always_inline struct hmm_kind hmm_kind_of(pte_t pte)
{
	return (struct hmm_kind){};
}

static __always_inline unsigned long hmm_kind_differs(const struct hmm_kind *kind,
						      pte_t pte)
{
	return 1;
}

static __always_inline unsigned long hmm_ordinary_pfn(pte_t pte)
{
	return pte_pfn(pte);
}

#endif

#endif /* MM_HMM_LEAF_H */
