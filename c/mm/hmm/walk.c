// SPDX-License-Identifier: GPL-2.0
/*
 * The walker: report mapped pages.
 *
 * The kernel's page walker descends; this file has its callbacks. A walk never
 * faults. Where a request is not satisfied it records the pages in struct
 * hmm_walk and unwinds, so that the fault runs with no page table lock held
 * (fault.c), and is then resumed there.
 *
 * Two decisions are made for many pages at once, since they would otherwise be
 * most of the work: whether a page needs a fault (hmm_first_needing_fault()),
 * and the class of a PTE (pte_class.h).
 *
 * Lockless reads
 * --------------
 * PTEs and PMD entries are read without the page table lock, while other CPUs
 * change them: reclaim, migration, khugepaged, another device, COW.
 *
 * The rule: an entry is read once in each visit, into a local. What it is, which
 * page it maps and what is written follow from that value alone. An address of a
 * struct page is computed only from a value that was found present and not
 * special, and no struct page is accessed: not to recognise large folios,
 * and not to find the owner of a device-private page.
 *
 * - The mmap lock, or the VMA's lock, keeps the VMA and its page tables: PTE
 *   tables of a locked VMA are freed only by collapsing to a huge page and by
 *   reclaim of empty tables.
 * - RCU, from pte_offset_map() to pte_unmap(), covers these two: the memory of a
 *   PTE table lasts that long, though it may no longer be in the page table.
 *   RCU keeps neither the entry nor the page.
 * - The sequence of the range's notifier shows the caller whether what was read
 *   still holds: all that makes an entry map another page, or less, moves it,
 *   but for events that the caller chose to ignore (a device's own). So a value
 *   may be stale, but has been true at some time during the walk.
 *
 * A PMD that points to a PTE table is read again by pte_offset_map(), which then
 * decides anew; the first value only shows that it is worth trying. Where a lock
 * is needed to wait for an entry to change (migration_entry_wait_killable()), it
 * is compared again under the page table lock. Above a locked VMA a table of PMDs or
 * PUDs does not change back into an entry, so reading its entry again on the way to the
 * table is safe. PUD and hugetlb entries are read once under their page table lock.
 *
 * Migration changes entries, and so reads them under the page table lock (collect*.c,
 * commit_insert.c, finalize_pte.c, devmem_fetch.c, and what is added to the kernel's
 * files), after a lockless look that only shows which lock to take, or which pages to
 * fault in first. This is the exception to the rule: under
 * one hold of that lock an entry may be read again, first to decide for a run of
 * entries and then to change each of them (hmm_collect_maps_folio() and
 * hmm_collect_unmap_ptes(); hmm_insert_clear_zero_ptes() and hmm_insert_pte()). Only
 * the CPU changes an entry meanwhile, by setting accessed and dirty bits. No decision
 * depends on these, and the bits that count are those that ptep_get_and_clear() returned.
 */
#include <linux/hugetlb.h>
#include <linux/log2.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>

#include "../internal.h"
#include "compat-kernel.h"
#include "migration_wait.h"
#include "pte_class.h"
#include "vma_policy.h"
#include "walk.h"
#include "walk_output.h"

/* hmm_report_leaf(), if a page might need a fault: check the request of each. */
static noinline int hmm_report_leaf_checked(struct hmm_walk *w, unsigned long addr,
					    unsigned long end, unsigned long hmm_pfn)
{
	unsigned long nr = (end - addr) >> PAGE_SHIFT;
	unsigned long access = hmm_pfn & HMM_PFN_WRITABLE;

	if (hmm_first_needing_fault(w, addr, nr, access) < nr)
		return hmm_record_fault(w, addr, end, access);
	return hmm_report(w, addr, nr, hmm_pfn);
}

/**
 * hmm_report_leaf() - report pages that one page table leaf, or none, maps
 * @w: the walk
 * @addr: first address
 * @end: end address
 * @hmm_pfn: the first page's; 0 where nothing is mapped
 *
 * If no page can need a fault, this function saves no registers (benchmark:
 * extents-2m).
 *
 * Return: %HMM_WALK_DONE; %HMM_WALK_FAULT; -%ENOSPC.
 */
static __always_inline int hmm_report_leaf(struct hmm_walk *w, unsigned long addr,
					   unsigned long end, unsigned long hmm_pfn)
{
	if (hmm_may_need_fault(w, hmm_pfn & HMM_PFN_WRITABLE))
		return hmm_report_leaf_checked(w, addr, end, hmm_pfn);
	return hmm_report(w, addr, (end - addr) >> PAGE_SHIFT, hmm_pfn);
}

/* The hmm pfn of @addr in a leaf of @size bytes that maps @pfn at its start. */
static unsigned long hmm_leaf_pfn(const struct hmm_walk *w, unsigned long addr,
				  unsigned long pfn, unsigned long size,
				  bool writable)
{
	return (pfn + ((addr & (size - 1)) >> PAGE_SHIFT)) |
	       hmm_walk_access(w, writable) |
	       hmm_pfn_order(ilog2(size) - PAGE_SHIFT);
}

/* A huge page without struct pages, or the huge zero page. */
static noinline int hmm_walk_special_pmd(struct hmm_walk *w, pmd_t pmd,
					 unsigned long addr, unsigned long end)
{
	if (!is_huge_zero_pmd(pmd))
		return hmm_report_error(w, addr, end, HMM_MARK_SPECIAL);
	return hmm_report_leaf(w, addr, end, pmd_protnone(pmd) ? 0 :
			       hmm_leaf_pfn(w, addr, pmd_pfn(pmd), PMD_SIZE, false));
}

/* A PMD entry that maps a huge page. */
static __always_inline int hmm_walk_huge_pmd(struct hmm_walk *w, pmd_t pmd,
					     unsigned long addr, unsigned long end)
{
	if (unlikely(pmd_special(pmd)))
		return hmm_walk_special_pmd(w, pmd, addr, end);
	return hmm_report_leaf(w, addr, end, pmd_protnone(pmd) ? 0 :
			       hmm_leaf_pfn(w, addr, pmd_pfn(pmd), PMD_SIZE, pmd_write(pmd)));
}

/* Unmap a PTE table; if the walk of it stopped at a migration entry, wait. */
static int hmm_walk_unmap(struct hmm_walk *w, pmd_t *pmdp, pte_t *ptep, int stop)
{
	pte_unmap(ptep);
	if (stop == HMM_WALK_MIGRATION) {
		if (hmm_devmem_is_stepping())
			return -EDEADLK;
		migration_entry_wait_killable(w->vma->vm_mm, pmdp, w->resume);
		stop = hmm_walk_waited(w, w->resume);
	}
	return stop;
}

/* A PMD entry that is not a huge page: empty, not present, bad, or a PTE table. */
static noinline int hmm_walk_pte_table(struct hmm_walk *w, pmd_t *pmdp, pmd_t pmd,
				       unsigned long addr, unsigned long end)
{
	pte_t *ptep;

	if (pmd_none(pmd))
		return hmm_report_leaf(w, addr, end, 0);
	if (!pmd_present(pmd))
		return hmm_walk_leaf_pmd(w, pmdp, pmd, addr, end);
	if (pmd_bad(pmd))
		return hmm_report_error(w, addr, end, 0);

	ptep = pte_offset_map(pmdp, addr);
	w->resume = addr;
	/* The PMD has changed. The walk unwinds, so that fault.c bounds the repetition. */
	if (!ptep)
		return HMM_WALK_AGAIN;
	memset(&w->pgmap, 0, sizeof(w->pgmap));
	return hmm_walk_unmap(w, pmdp, ptep, hmm_walk_ptes(w, end, ptep));
}

static bool hmm_pmd_is_huge(pmd_t pmd)
{
	return pmd_present(pmd) && pmd_trans_huge(pmd);
}

/*
 * Page walker callback: report what a PMD maps. The mmap lock or the VMA's lock is held.
 * Huge pages are handled without saving the registers that everything else needs
 * (benchmark: extents-2m).
 */
static int hmm_walk_pmd(pmd_t *pmdp, unsigned long addr, unsigned long end,
			struct mm_walk *walk)
{
	struct hmm_walk *w = walk->private;
	pmd_t pmd = pmdp_get_lockless(pmdp);

	if (hmm_pmd_is_huge(pmd))
		return hmm_walk_huge_pmd(w, pmd, addr, end);
	return hmm_walk_pte_table(w, pmdp, pmd, addr, end);
}

#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
/* Page walker callback: report a PUD leaf, and descend otherwise. Takes the PUD lock. */
static int hmm_walk_pud(pud_t *pudp, unsigned long addr, unsigned long end,
			struct mm_walk *walk)
{
	spinlock_t *ptl = pud_trans_huge_lock(pudp, walk->vma);
	unsigned long hmm_pfn = 0;
	pud_t pud;

	if (!ptl)
		return 0;
	pud = pudp_get(pudp);
	spin_unlock(ptl);

	/* Leaves are reported whole, never split. */
	if (pud_present(pud) && !pud_leaf(pud))
		return 0;
	walk->action = ACTION_CONTINUE;
	if (pud_present(pud) && pud_special(pud))
		return hmm_report_error(walk->private, addr, end, HMM_MARK_SPECIAL);
	if (pud_present(pud))
		hmm_pfn = hmm_leaf_pfn(walk->private, addr, pud_pfn(pud), PUD_SIZE,
				       pud_write(pud));
	return hmm_report_leaf(walk->private, addr, end, hmm_pfn);
}
#else
#define hmm_walk_pud NULL
#endif

#ifdef CONFIG_HUGETLB_PAGE
/* Whether a fault brings no page, because its memory is poisoned. */
static bool hmm_hugetlb_is_poisoned(pte_t pte)
{
	softleaf_t entry;

	if (huge_pte_none(pte) || pte_present(pte))
		return false;
	entry = softleaf_from_pte(pte);
	return softleaf_is_hwpoison(entry) || softleaf_is_poison_marker(entry);
}

/*
 * Page walker callback for hugetlb. A page that migrates is reported like an absent one.
 * It is waited for before its fault, as the kernel's walker holds the lock of the hugetlb
 * VMA here.
 */
static int hmm_walk_hugetlb(pte_t *ptep, unsigned long hmask,
			    unsigned long addr, unsigned long end,
			    struct mm_walk *walk)
{
	struct hstate *h = hstate_vma(walk->vma);
	spinlock_t *ptl = huge_pte_lock(h, walk->mm, ptep);
	pte_t pte = huge_ptep_get(walk->mm, addr, ptep);
	unsigned long hmm_pfn = 0;

	spin_unlock(ptl);
	if (hmm_hugetlb_is_poisoned(pte))
		return hmm_report_error(walk->private, addr, end, 0);
	if (pte_present(pte) && !pte_protnone(pte))
		hmm_pfn = hmm_leaf_pfn(walk->private, addr, pte_pfn(pte),
				       huge_page_size(h), pte_write(pte));
	return hmm_report_leaf(walk->private, addr, end, hmm_pfn);
}
#else
#define hmm_walk_hugetlb NULL
#endif

/* Page walker callback: nothing is mapped, or there is no VMA. */
static int hmm_walk_hole(unsigned long addr, unsigned long end, int depth,
			 struct mm_walk *walk)
{
	if (!walk->vma)
		return hmm_report_error(walk->private, addr, end, 0);
	return hmm_report_leaf(walk->private, addr, end, 0);
}

/*
 * Begin to walk a VMA, or part of one. Returns 0 to continue, 1 if an error was
 * reported for all of it; or as hmm_report_error().
 */
static int hmm_walk_begin_vma(struct hmm_walk *w, struct vm_area_struct *vma,
			      unsigned long addr, unsigned long end)
{
	w->vma = vma;
	w->vma_access = hmm_vma_access(vma);
	if (w->vma_access)
		return 0;
	return hmm_report_error(w, addr, end, hmm_vma_is_special(vma) ?
				HMM_MARK_SPECIAL : 0) ?: 1;
}

/* Page walker callback: begin to walk a VMA. The mmap lock is held. */
static int hmm_walk_test(unsigned long addr, unsigned long end,
			 struct mm_walk *walk)
{
	return hmm_walk_begin_vma(walk->private, walk->vma, addr, end);
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
 * hmm_walk_restart() - go back to the start of the range
 * @w: the walk, which was prepared by hmm_walk_init()
 */
void hmm_walk_restart(struct hmm_walk *w)
{
	w->resume = w->range->start;
	w->stalled_since = 0;
	if (w->output != HMM_OUTPUT_EXTENTS)
		return;
	w->next = ~0UL; /* no page's */
	w->ram_section = 0;
	w->extents->nr = 0;
}

/* Set what the walk of a range has for hmm pfns. The rest is set before it is used. */
static __always_inline void hmm_walk_set_range(struct hmm_walk *w, struct hmm_range *range)
{
	w->range = range;
	w->format = NULL;
	w->extents = NULL;
	w->vma = NULL;
	w->output = HMM_OUTPUT_PFNS;
	w->default_req = range->default_flags & HMM_PFN_REQUEST;
	w->per_pfn_req = range->pfn_flags_mask & HMM_PFN_REQUEST;
}

/**
 * hmm_walk_init_pfns() - prepare a walk for hmm pfns
 * @w: the walk
 * @range: the range; not empty
 * @waits: what walks of the range have waited for
 */
noinline void hmm_walk_init_pfns(struct hmm_walk *w, struct hmm_range *range,
				 const struct hmm_fault_waits *waits)
{
	hmm_walk_set_range(w, range);
	w->waits = *waits;
	hmm_walk_restart(w);
}

/**
 * hmm_walk_init() - prepare a walk
 * @w: the walk
 * @range: the range
 * @format: the driver's format; NULL for hmm pfns
 * @extents: where extents go; NULL for an entry a page; not with @format
 *
 * Decides which requests are possible at all, once for the range.
 *
 * Return: 0; -%EINVAL for an empty or reversed range, for an invalid format, and
 * for requests of single pages with extents.
 */
int hmm_walk_init(struct hmm_walk *w, struct hmm_range *range,
		  const struct hmm_format *format, struct hmm_extents *extents)
{
	if (range->start >= range->end)
		return -EINVAL;
	hmm_walk_set_range(w, range);
	w->waits.dropped = HMM_FAULT_NOT_DROPPED;
	w->waits.end = 0;
	w->waits.progress = false;
	w->waits.for_migrations = false;
	w->waits.peer_pfns = NULL;
	w->format = format;
	w->extents = extents;
	if (format) {
		if (!format->valid || format->pfn_shift >= BITS_PER_LONG)
			return -EINVAL;
		w->output = HMM_OUTPUT_FORMAT;
		w->default_req = hmm_format_request(format, range->default_flags);
		w->per_pfn_req = hmm_format_request(format, range->pfn_flags_mask);
	}
	if (extents) {
		if (w->per_pfn_req)
			return -EINVAL;
		w->output = HMM_OUTPUT_EXTENTS;
	}
	hmm_walk_restart(w);
	return 0;
}

/*
 * Look up and read the PMD of all of [start, end), if it is one and no PUD leaf can be
 * above it, as in anonymous VMAs. NULL where the kernel's walker has to descend.
 */
static __always_inline pmd_t *hmm_single_pmd(const struct vm_area_struct *vma,
					     unsigned long start, unsigned long end,
					     pmd_t *pmd)
{
	pmd_t *pmdp;

	if (!vma_is_anonymous(vma) || ((start ^ (end - 1)) & PMD_MASK))
		return NULL;
	pmdp = mm_find_pmd(vma->vm_mm, start);
	if (pmdp)
		*pmd = pmdp_get_lockless(pmdp);
	return pmdp;
}

/**
 * hmm_walk_within() - walk pages of one VMA
 * @w: the walk; from &hmm_walk.resume on
 * @vma: the VMA
 * @end: end address
 * @pmdp: the PMD of all of them; NULL for the kernel's walker to descend. Faults mostly
 *	request one page, and the kernel's walker takes three times as long to get there
 *	(benchmarks: populate-one-page, snapshot-one-page)
 * @pmd: its value, as it was read
 *
 * Context: @vma is locked for reading; or, if @pmdp is not NULL, the mm is.
 * Return: as hmm_walk_mmap().
 */
static int hmm_walk_within(struct hmm_walk *w, struct vm_area_struct *vma,
			   unsigned long end, pmd_t *pmdp, pmd_t pmd)
{
	int stop = hmm_walk_begin_vma(w, vma, w->resume, end);

	if (stop)
		return stop == 1 ? HMM_WALK_DONE : stop;
	if (!pmdp)
		return walk_page_range_vma(vma, w->resume, end, &hmm_walk_vma_ops, w);
	if (hmm_pmd_is_huge(pmd))
		return hmm_walk_huge_pmd(w, pmd, w->resume, end);
	return hmm_walk_pte_table(w, pmdp, pmd, w->resume, end);
}

/* hmm_walk_mmap(), if no more is left than one PMD maps. */
static noinline int hmm_walk_mmap_pmd(struct hmm_walk *w)
{
	struct mm_struct *mm = w->range->notifier->mm;
	unsigned long start = w->resume, end = w->range->end;
	struct vm_area_struct *vma = vma_lookup(mm, start);
	pmd_t *pmdp = NULL, pmd;

	if (vma && end <= vma->vm_end)
		pmdp = hmm_single_pmd(vma, start, end, &pmd);
	if (!pmdp)
		return walk_page_range(mm, start, end, &hmm_walk_mmap_ops, w);
	return hmm_walk_within(w, vma, end, pmdp, pmd);
}

/**
 * hmm_walk_mmap() - walk on, to the end of the range
 * @w: the walk
 *
 * Context: the mmap lock is held.
 * Return: an &enum hmm_walk_stop; -%EFAULT where a page was requested that cannot
 * be mapped; -%ENOSPC.
 */
int hmm_walk_mmap(struct hmm_walk *w)
{
	unsigned long start = w->resume, end = w->range->end;

	if (!((start ^ (end - 1)) & PMD_MASK))
		return hmm_walk_mmap_pmd(w);
	return walk_page_range(w->range->notifier->mm, start, end,
			       &hmm_walk_mmap_ops, w);
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
	pmd_t *pmdp, pmd;
	int stop;

	pmdp = hmm_single_pmd(vma, w->resume, end, &pmd);
	stop = hmm_walk_within(w, vma, end, pmdp, pmd);
	if (stop == HMM_WALK_DONE)
		w->resume = end;
	return stop;
}

/* Report a page by its PTE, if that is plain and satisfies the request. */
static __always_inline bool hmm_report_plain_page(const struct hmm_range *range,
						  const struct vm_area_struct *vma,
						  pte_t pte)
{
	unsigned long vma_access = hmm_vma_access(vma);
	unsigned long request = range->default_flags | range->pfn_flags_mask;
	struct hmm_pte_class class = hmm_pte_class_of(vma, pte);

	class.access &= vma_access;
	if (!vma_access || !class.mask || hmm_needs_fault(request, class.access))
		return false;
	hmm_write_pfn(range->hmm_pfns, hmm_class_hmm_pfn(class, pte));
	return true;
}

/* Go on with a page that is not plain, or needs a fault. */
static noinline int hmm_walk_other_page(struct hmm_walk *w, struct vm_area_struct *vma,
					pte_t pte)
{
	int stop = hmm_walk_begin_vma(w, vma, w->resume, w->range->end);

	if (stop)
		return stop == 1 ? HMM_WALK_DONE : stop;
	memset(&w->pgmap, 0, sizeof(w->pgmap));
	return hmm_walk_one_pte(w, pte);
}

/**
 * hmm_walk_page() - walk a range of one page
 * @w: the walk; prepared here, but only if there is more to do than to report the page
 * @range: the range; for hmm pfns
 * @vma: its VMA
 * @waits: what walks of the range have waited for
 *
 * Most device faults request one page, and it is mapped. This needs no &struct hmm_walk
 * (benchmark: populate-one-page). Everything else is left to a walk, which goes on with
 * the entries as they were read here.
 *
 * Context: @vma is locked for reading.
 * Return: as hmm_walk_vma(). Unless it is %HMM_WALK_DONE, @w is prepared.
 */
int hmm_walk_page(struct hmm_walk *w, struct hmm_range *range,
		  struct vm_area_struct *vma, const struct hmm_fault_waits *waits)
{
	pmd_t *pmdp, pmd;
	pte_t *ptep, pte;

	pmdp = hmm_single_pmd(vma, range->start, range->end, &pmd);
	/* An entry that does not refer to a PTE table is bad, too. */
	if (!pmdp || pmd_bad(pmd)) {
		hmm_walk_init_pfns(w, range, waits);
		return hmm_walk_within(w, vma, range->end, pmdp, pmd);
	}
	ptep = pte_offset_map(pmdp, range->start);
	/* The PMD has changed. */
	if (!ptep) {
		hmm_walk_init_pfns(w, range, waits);
		return HMM_WALK_AGAIN;
	}
	pte = hmm_read_pte(ptep);
	if (likely(hmm_report_plain_page(range, vma, pte))) {
		pte_unmap(ptep);
		return HMM_WALK_DONE;
	}
	hmm_walk_init_pfns(w, range, waits);
	return hmm_walk_unmap(w, pmdp, ptep, hmm_walk_other_page(w, vma, pte));
}
