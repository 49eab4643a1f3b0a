// SPDX-License-Identifier: GPL-2.0
/*
 * The walker: what is mapped.
 *
 * The kernel's page walker descends; here is what happens at a leaf. A walk
 * never faults. Where something is missing that was asked for, it notes the
 * place in struct hmm_walk and unwinds, so that the fault runs with no page
 * table lock held (fault.c), and is then resumed at that place.
 *
 * Two things are decided as rarely as possible, since they would otherwise be
 * most of the work: whether a page falls short of what is asked (once for
 * pages with the same access, hmm_first_lacking()), and what an entry is (once
 * for entries of the same kind, table.c).
 */
#include <linux/hugetlb.h>
#include <linux/log2.h>
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>

#include "../internal.h"
#include "compat-kernel.h"
#include "leaf.h"
#include "walk.h"

/**
 * hmm_first_lacking() - find a page that needs more than it has
 * @w: the walk
 * @addr: the first of pages that all have the same access
 * @nr: how many
 * @access: what they have; 0 when they are absent
 *
 * The words are read only if they can make a difference: not when even the sum
 * of all possible requests is met, and not when what is asked of every page
 * already is not.
 *
 * Return: the index of the first page whose request is not met, or @nr.
 */
unsigned long hmm_first_lacking(const struct hmm_walk *w, unsigned long addr,
				unsigned long nr, unsigned long access)
{
	unsigned long i;

	if (!hmm_pfn_lacks(w->asked | w->askable, access))
		return nr;
	if (hmm_pfn_lacks(w->asked, access))
		return 0;
	for (i = 0; i < nr; i++, addr += PAGE_SIZE)
		if (hmm_pfn_lacks(hmm_walk_request(w, addr), access))
			break;
	return i;
}

static bool hmm_lacks(const struct hmm_walk *w, unsigned long addr,
		      unsigned long end, unsigned long access)
{
	unsigned long nr = (end - addr) >> PAGE_SHIFT;

	return hmm_first_lacking(w, addr, nr, access) < nr;
}

/* hmm_block(), where a page may lack something. */
static noinline int hmm_block_asked(struct hmm_walk *w, unsigned long addr,
				    unsigned long end, unsigned long word)
{
	if (hmm_lacks(w, addr, end, word & HMM_PFN_WRITABLE))
		return hmm_missing(w, addr, end);
	return hmm_report(w, addr, (end - addr) >> PAGE_SHIFT, word);
}

/**
 * hmm_block() - report a stretch that one table entry, or none, stands for
 * @w: the walk
 * @addr: first address
 * @end: address after the last
 * @word: the first page's word; 0 where nothing is mapped
 *
 * Where no request can be unmet this saves no registers (benchmark: extents-2m).
 *
 * Return: %HMM_WALK_DONE; %HMM_WALK_MISSING where a page lacks something;
 * -%ENOSPC.
 */
static __always_inline int hmm_block(struct hmm_walk *w, unsigned long addr,
				     unsigned long end, unsigned long word)
{
	if (hmm_pfn_lacks(w->asked | w->askable, word & HMM_PFN_WRITABLE))
		return hmm_block_asked(w, addr, end, word);
	return hmm_report(w, addr, (end - addr) >> PAGE_SHIFT, word);
}

/* Report a stretch where no page can be had; asking for one is an error. */
static int hmm_block_error(struct hmm_walk *w, unsigned long addr,
			   unsigned long end, unsigned long mark)
{
	if (hmm_lacks(w, addr, end, 0))
		return -EFAULT;
	return hmm_report(w, addr, (end - addr) >> PAGE_SHIFT,
			  HMM_PFN_ERROR | mark);
}

/* Report the caller's own private memory, unless it is to come back. */
static int hmm_block_private(struct hmm_walk *w, unsigned long addr,
			     unsigned long end, unsigned long word)
{
	const unsigned long home = HMM_PFN_REQ_FAULT | HMM_REQ_HOME;
	unsigned long at;

	if (((w->asked | w->askable) & home) == home)
		for (at = addr; at < end; at += PAGE_SIZE)
			if ((hmm_walk_request(w, at) & home) == home)
				return hmm_missing(w, addr, end);
	return hmm_report(w, addr, (end - addr) >> PAGE_SHIFT,
			  word | HMM_MARK_PRIVATE);
}

/* The word for @addr of a leaf of @size bytes that maps @pfn at its start. */
static unsigned long hmm_leaf_word(unsigned long addr, unsigned long pfn,
				   unsigned long size, bool writable)
{
	return (pfn + ((addr & (size - 1)) >> PAGE_SHIFT)) |
	       hmm_pfn_access(writable) |
	       hmm_pfn_order(ilog2(size) - PAGE_SHIFT);
}

static bool hmm_owns(const struct hmm_walk *w, softleaf_t entry)
{
	return softleaf_is_device_private(entry) &&
	       page_pgmap(softleaf_to_page(entry))->owner ==
		       w->range->dev_private_owner;
}

/* An entry with which the CPU cannot reach memory. */
static int hmm_leaf_softleaf(struct hmm_walk *w, unsigned long addr,
			     softleaf_t entry)
{
	if (hmm_owns(w, entry))
		return hmm_block_private(w, addr, addr + PAGE_SIZE,
					 softleaf_to_pfn(entry) |
					 hmm_pfn_access(softleaf_is_device_private_write(entry)));
	if (!hmm_pfn_lacks(hmm_walk_request(w, addr), 0))
		return hmm_report(w, addr, 1, 0);
	if (softleaf_is_migration(entry))
		return HMM_LEAF_MIGRATING;
	if (softleaf_is_swap(entry) || softleaf_is_device_private(entry) ||
	    softleaf_is_device_exclusive(entry))
		return HMM_WALK_MISSING;
	return -EFAULT;
}

/* An entry with which the CPU can, or will be able to, reach memory. */
static int hmm_leaf_present(struct hmm_walk *w, unsigned long addr, pte_t pte)
{
	unsigned long access = 0;

	if (!pte_protnone(pte))
		access = hmm_pfn_access(pte_write(pte));
	if (hmm_pfn_lacks(hmm_walk_request(w, addr), access))
		return HMM_WALK_MISSING;
	/* A zero page is as good as any other to read from. */
	if (!is_zero_pfn(pte_pfn(pte)) && !vm_normal_page(w->vma, addr, pte))
		return hmm_block_error(w, addr, addr + PAGE_SIZE,
				       HMM_MARK_SPECIAL);
	return hmm_report(w, addr, 1, access ? pte_pfn(pte) | access : 0);
}

/**
 * hmm_leaf_pte() - report any one entry, of whichever kind
 * @w: the walk
 * @addr: its address
 * @pte: the entry
 *
 * Return: an &enum hmm_walk_stop; %HMM_LEAF_MIGRATING; or an error of
 * hmm_range_fault().
 */
int hmm_leaf_pte(struct hmm_walk *w, unsigned long addr, pte_t pte)
{
	if (pte_present(pte))
		return hmm_leaf_present(w, addr, pte);
	if (!pte_none(pte) && !pte_is_uffd_wp_marker(pte))
		return hmm_leaf_softleaf(w, addr, softleaf_from_pte(pte));
	if (hmm_pfn_lacks(hmm_walk_request(w, addr), 0))
		return HMM_WALK_MISSING;
	return hmm_report(w, addr, 1, 0);
}

/* A PMD entry that is neither empty nor present. */
static int hmm_pmd_softleaf(struct hmm_walk *w, pmd_t *pmdp, pmd_t pmd,
			    unsigned long addr, unsigned long end)
{
	softleaf_t entry;

	if (thp_migration_supported() && pmd_is_migration_entry(pmd)) {
		if (!hmm_lacks(w, addr, end, 0))
			return hmm_report(w, addr, (end - addr) >> PAGE_SHIFT, 0);
		w->resume = addr;
		pmd_migration_entry_wait(w->range->notifier->mm, pmdp);
		return HMM_WALK_AGAIN;
	}
	if (HMM_PMD_SOFTLEAVES) {
		entry = softleaf_from_pmd(pmd);
		if (hmm_owns(w, entry))
			return hmm_block_private(w, addr, end,
				hmm_leaf_word(addr, softleaf_to_pfn(entry), PMD_SIZE,
					      softleaf_is_device_private_write(entry)));
		if (softleaf_is_device_private(entry) &&
		    hmm_lacks(w, addr, end, 0))
			return hmm_missing(w, addr, end);
	}
	return hmm_block_error(w, addr, end, 0);
}

/*
 * A PMD entry that maps a huge page. No lock: the entry was read once, and a
 * split or zap of it since shows in the caller's sequence.
 */
static __always_inline int hmm_pmd_huge(struct hmm_walk *w, pmd_t pmd,
					unsigned long addr, unsigned long end)
{
	return hmm_block(w, addr, end, pmd_protnone(pmd) ? 0 :
			 hmm_leaf_word(addr, pmd_pfn(pmd), PMD_SIZE, pmd_write(pmd)));
}

/* Any other. */
static noinline int hmm_pmd_other(struct hmm_walk *w, pmd_t *pmdp, pmd_t pmd,
				  unsigned long addr, unsigned long end)
{
	pte_t *ptep;
	int stop;

	if (pmd_none(pmd))
		return hmm_block(w, addr, end, 0);
	if (!pmd_present(pmd))
		return hmm_pmd_softleaf(w, pmdp, pmd, addr, end);
	if (pmd_bad(pmd))
		return hmm_block_error(w, addr, end, 0);

	ptep = pte_offset_map(pmdp, addr);
	if (!ptep)
		return HMM_TABLE_GONE;
	w->resume = addr;
	stop = hmm_table(w, end, ptep);
	pte_unmap(ptep);
	if (stop == HMM_LEAF_MIGRATING) {
		migration_entry_wait(w->vma->vm_mm, pmdp, w->resume);
		stop = HMM_WALK_AGAIN;
	}
	return stop;
}

static bool hmm_pmd_is_huge(pmd_t pmd)
{
	return pmd_present(pmd) && pmd_trans_huge(pmd);
}

/*
 * Huge pages are dealt with without the registers being saved that all else
 * needs (benchmark: extents-2m).
 */
static int hmm_walk_pmd(pmd_t *pmdp, unsigned long addr, unsigned long end,
			struct mm_walk *walk)
{
	struct hmm_walk *w = walk->private;
	pmd_t pmd = pmdp_get_lockless(pmdp);
	int stop;

	if (hmm_pmd_is_huge(pmd))
		return hmm_pmd_huge(w, pmd, addr, end);
	w->vma = walk->vma;
	stop = hmm_pmd_other(w, pmdp, pmd, addr, end);
	if (stop != HMM_TABLE_GONE)
		return stop;
	walk->action = ACTION_AGAIN;
	return HMM_WALK_DONE;
}

#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
static int hmm_walk_pud(pud_t *pudp, unsigned long addr, unsigned long end,
			struct mm_walk *walk)
{
	spinlock_t *ptl = pud_trans_huge_lock(pudp, walk->vma);
	unsigned long word = 0;
	pud_t pud;

	if (!ptl)
		return 0;
	pud = pudp_get(pudp);
	spin_unlock(ptl);

	/* Leaves are reported whole, never split. */
	if (pud_present(pud)) {
		if (!pud_leaf(pud))
			return 0;
		word = hmm_leaf_word(addr, pud_pfn(pud), PUD_SIZE, pud_write(pud));
	}
	walk->action = ACTION_CONTINUE;
	return hmm_block(walk->private, addr, end, word);
}
#else
#define hmm_walk_pud NULL
#endif

#ifdef CONFIG_HUGETLB_PAGE
static int hmm_walk_hugetlb(pte_t *ptep, unsigned long hmask,
			    unsigned long addr, unsigned long end,
			    struct mm_walk *walk)
{
	struct hstate *h = hstate_vma(walk->vma);
	spinlock_t *ptl = huge_pte_lock(h, walk->mm, ptep);
	pte_t pte = huge_ptep_get(walk->mm, addr, ptep);
	unsigned long word = 0;

	spin_unlock(ptl);
	if (pte_present(pte) && !pte_protnone(pte))
		word = hmm_leaf_word(addr, pte_pfn(pte), huge_page_size(h), pte_write(pte));
	return hmm_block(walk->private, addr, end, word);
}
#else
#define hmm_walk_hugetlb NULL
#endif

static int hmm_walk_hole(unsigned long addr, unsigned long end, int depth,
			 struct mm_walk *walk)
{
	if (!walk->vma)
		return hmm_block_error(walk->private, addr, end, 0);
	return hmm_block(walk->private, addr, end, 0);
}

/*
 * Memory without struct pages behind it cannot be mirrored. What cannot be
 * read cannot be written either, on any architecture that has HMM.
 */
static bool hmm_vma_unfit(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_IO | VM_PFNMAP)) ||
	       !(vma->vm_flags & VM_READ);
}

/* What there is to say of such memory. */
static int hmm_block_unfit(struct hmm_walk *w,
			   const struct vm_area_struct *vma,
			   unsigned long addr, unsigned long end)
{
	bool special = vma->vm_flags & (VM_IO | VM_PFNMAP);

	return hmm_block_error(w, addr, end, special ? HMM_MARK_SPECIAL : 0);
}

static int hmm_walk_test(unsigned long addr, unsigned long end,
			 struct mm_walk *walk)
{
	if (!hmm_vma_unfit(walk->vma))
		return 0;
	return hmm_block_unfit(walk->private, walk->vma, addr, end) ?: 1;
}

static const struct mm_walk_ops hmm_walk_mmap_ops = {
	.pud_entry	= hmm_walk_pud,
	.pmd_entry	= hmm_walk_pmd,
	.pte_hole	= hmm_walk_hole,
	.hugetlb_entry	= hmm_walk_hugetlb,
	.test_walk	= hmm_walk_test,
	.walk_lock	= PGWALK_RDLOCK,
};

static const struct mm_walk_ops hmm_walk_vma_ops = {
	.pud_entry	= hmm_walk_pud,
	.pmd_entry	= hmm_walk_pmd,
	.pte_hole	= hmm_walk_hole,
	.hugetlb_entry	= hmm_walk_hugetlb,
	.walk_lock	= PGWALK_VMA_RDLOCK_VERIFY,
};

/**
 * hmm_walk_init() - prepare a walk
 * @w: the walk
 * @range: what to walk
 *
 * Which requests are possible at all is settled here, once for the range.
 *
 * Return: 0; -%EINVAL for an empty or reversed range, for a format that cannot
 * be, and for what extents do not have.
 */
int hmm_walk_init(struct hmm_walk *w, struct hmm_range *range)
{
	const struct hmm_format *format = range->format;

	*w = (struct hmm_walk){
		.range = range,
		.asked = range->default_flags & HMM_PFN_REQUEST,
		.askable = range->pfn_flags_mask & HMM_PFN_REQUEST,
		.resume = range->start,
	};
	if (range->start >= range->end)
		return -EINVAL;
	if (format) {
		if (!format->valid || format->pfn_shift >= BITS_PER_LONG)
			return -EINVAL;
		w->output = HMM_ENTRIES;
		w->asked = hmm_format_request(format, range->default_flags);
		w->askable = hmm_format_request(format, range->pfn_flags_mask);
	}
	if (range->extents) {
		if (format || w->askable)
			return -EINVAL;
		w->output = HMM_EXTENTS;
		range->extents->nr = 0;
	}
	return 0;
}

/**
 * hmm_walk_mmap() - walk on, to the end of the range
 * @w: the walk
 *
 * Context: the mmap lock is held.
 * Return: an &enum hmm_walk_stop; -%EFAULT where something was asked for that
 * cannot be had; -%ENOSPC.
 */
int hmm_walk_mmap(struct hmm_walk *w)
{
	return walk_page_range(w->range->notifier->mm, w->resume, w->range->end,
			       &hmm_walk_mmap_ops, w);
}

/*
 * The PMD that all of [start, end) lies under, if there is nothing above it that
 * maps memory: in anonymous VMAs there is not. NULL where that is to be walked.
 */
static pmd_t *hmm_sole_pmd(const struct vm_area_struct *vma,
			   unsigned long start, unsigned long end)
{
	if (!vma_is_anonymous(vma) || ((start ^ (end - 1)) & PMD_MASK))
		return NULL;
	return mm_find_pmd(vma->vm_mm, start);
}

/*
 * Walk to a PMD that was found already. Device faults mostly ask for one page,
 * and to get there costs the kernel's walker three times as much as what is to
 * be done there (benchmark: populate-one-page).
 */
static int hmm_walk_sole_pmd(struct hmm_walk *w, pmd_t *pmdp, unsigned long end)
{
	pmd_t pmd;
	int stop;

	do {
		pmd = pmdp_get_lockless(pmdp);
		if (hmm_pmd_is_huge(pmd))
			return hmm_pmd_huge(w, pmd, w->resume, end);
		stop = hmm_pmd_other(w, pmdp, pmd, w->resume, end);
	} while (stop == HMM_TABLE_GONE);
	return stop;
}

/**
 * hmm_walk_vma() - walk on, to the end of a VMA or of the range
 * @w: the walk; &hmm_walk.resume lies in @vma, and is moved on
 * @vma: a VMA
 *
 * Context: @vma is locked for reading.
 * Return: as hmm_walk_mmap().
 */
int hmm_walk_vma(struct hmm_walk *w, struct vm_area_struct *vma)
{
	unsigned long end = min(w->range->end, vma->vm_end);
	pmd_t *pmdp = hmm_sole_pmd(vma, w->resume, end);
	int stop;

	w->vma = vma;
	if (hmm_vma_unfit(vma))
		stop = hmm_block_unfit(w, vma, w->resume, end);
	else if (pmdp)
		stop = hmm_walk_sole_pmd(w, pmdp, end);
	else
		stop = walk_page_range_vma(vma, w->resume, end,
					   &hmm_walk_vma_ops, w);
	if (stop == HMM_WALK_DONE)
		w->resume = end;
	return stop;
}
