// SPDX-License-Identifier: GPL-2.0
/*
 * PTE tables: where a walk spends most of its time.
 *
 * PTEs are read in windows of 16, each PTE once, into an array on the stack;
 * everything else works on that array (see "Lockless reads" in walk.c). If all
 * PTEs of a window are of one class (pte_class.h) they are reported together:
 *
 * - if they map one page after the other, from the first one's value;
 * - else each from its own.
 *
 * A window that is of several classes is reported PTE by PTE.
 *
 * Orders follow from the values alone: pages that follow each other, are mapped
 * alike, and whose addresses and pfns are aligned alike. No struct page is
 * accessed. Nothing would keep it there: memory can be unmapped, taken offline
 * and removed while a walk that has read its PTE is preempted, and RCU, which
 * the walk holds, delays none of that.
 */
#include <linux/log2.h>

#include "compat-kernel.h"
#include "pte_class.h"
#include "walk.h"
#include "walk_output.h"

/* PTEs of a window: as many as a folio of 64 KiB has. */
#define HMM_WINDOW 16

/*
 * The orders that PTEs are reported with: up to that of a PMD, and none less than
 * the smallest anonymous folio's. To look for pairs would cost more than they are
 * worth to a device.
 */
#define HMM_PTE_MAX_ORDER (PMD_SHIFT - PAGE_SHIFT)
#define HMM_PTE_MIN_ORDER 2

/**
 * struct hmm_pte_run - pages that follow each other, read and not yet reported
 * @class: the class of their PTEs
 * @first: the PTE of the first
 * @addr: its address
 * @nr: number of pages; 0: none
 */
struct hmm_pte_run {
	struct hmm_pte_class class;
	pte_t first;
	unsigned long addr;
	unsigned long nr;
};

/* Read @nr PTEs, each once. */
static __always_inline void hmm_read_ptes(pte_t *pte, const pte_t *ptep,
					  const unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		pte[i] = hmm_read_pte(ptep + i);
}

/*
 * Have the compiler take a window from the stack again: it would rather keep all
 * of it in registers that it does not have (benchmark: snapshot-4k).
 */
static __always_inline const pte_t *hmm_window(const pte_t *pte)
{
	OPTIMIZER_HIDE_VAR(pte);
	return pte;
}

/* How many PTEs from @addr on to read: up to the next border of windows. */
static __always_inline unsigned long hmm_window_size(unsigned long addr,
						     unsigned long end)
{
	unsigned long offset = (addr >> PAGE_SHIFT) & (HMM_WINDOW - 1);

	return min((end - addr) >> PAGE_SHIFT, HMM_WINDOW - offset);
}

/* The order up to which a page's address and pfn are aligned alike. */
static __always_inline unsigned int hmm_alike_order(unsigned long addr,
						    unsigned long pfn)
{
	return __ffs(((addr >> PAGE_SHIFT) ^ pfn) | (1UL << HMM_PTE_MAX_ORDER));
}

/* An order as it is reported. */
static __always_inline unsigned int hmm_pte_order(unsigned int order)
{
	return order < HMM_PTE_MIN_ORDER ? 0 : order;
}

/**
 * hmm_report_run() - report pages that follow each other, with their orders
 * @w: the walk
 * @run: the pages
 *
 * Return: %HMM_WALK_DONE, or -%ENOSPC.
 */
static noinline int hmm_report_run(struct hmm_walk *w, const struct hmm_pte_run *run)
{
	unsigned long pfn = hmm_class_pfn(run->first);
	unsigned long index = run->addr >> PAGE_SHIFT;
	unsigned int largest = hmm_alike_order(run->addr, pfn), order;
	unsigned long i, nr;
	int stop = 0;

	for (i = 0; i < run->nr && !stop; i += nr) {
		order = __ffs((index + i) | (1UL << largest));
		order = min_t(unsigned int, order, ilog2(run->nr - i));
		nr = 1UL << order;
		/* As many blocks of the largest order as there are. */
		if (order == largest)
			nr = round_down(run->nr - i, nr);
		stop = hmm_report(w, run->addr + (i << PAGE_SHIFT), nr,
				  (pfn + i) | run->class.access |
				  hmm_pfn_order(hmm_pte_order(order)));
	}
	return stop;
}

/* The part of a window whose first PTE is of @class that follows it. */
static __always_inline unsigned long hmm_run_length(struct hmm_pte_class class,
						    const pte_t *pte,
						    unsigned long nr)
{
	unsigned long i = 1;

	if (!class.access)
		while (i < nr && pte_none(pte[i]))
			i++;
	else
		while (i < nr && hmm_pte_follows(class, pte[0], pte[i], i))
			i++;
	return i;
}

/* Report one page whose request is satisfied; @hmm_pfn has no order and no marks. */
static __always_inline int hmm_report_one(struct hmm_walk *w, unsigned long addr,
					  unsigned long hmm_pfn)
{
	if (w->output != HMM_OUTPUT_PFNS)
		return hmm_report(w, addr, 1, hmm_pfn);
	hmm_put_one(hmm_walk_pfns(w, addr), hmm_pfn);
	return HMM_WALK_DONE;
}

/* The hmm pfn of a PTE of a class, without an order. */
static __always_inline unsigned long hmm_class_hmm_pfn(struct hmm_pte_class class,
						       pte_t pte)
{
	return class.access ? hmm_class_pfn(pte) | class.access : 0;
}

/* Report pages that follow each other, as many as need no fault; how many, or an error. */
static noinline long hmm_report_plain(struct hmm_walk *w, struct hmm_pte_class class,
				      unsigned long addr, pte_t first, unsigned long nr)
{
	struct hmm_pte_run run = { class, first, addr, 0 };
	int stop;

	run.nr = hmm_first_needing_fault(w, addr, nr, class.access);
	if (!run.nr)
		return 0;
	if (class.access)
		stop = hmm_report_run(w, &run);
	else
		stop = hmm_report(w, addr, run.nr, 0);
	return stop ?: run.nr;
}

/**
 * hmm_walk_mixed() - report PTEs of any kind
 * @w: the walk
 * @addr: address of the first
 * @pte: the PTEs
 * @nr: number of PTEs
 * @done: set to how many are reported
 *
 * Return: as hmm_walk_leaf_pte(), for the PTE at @done.
 */
static noinline int hmm_walk_mixed(struct hmm_walk *w, unsigned long addr,
				   const pte_t *pte, unsigned long nr,
				   unsigned long *done)
{
	unsigned long i, at = addr;
	int stop = HMM_WALK_DONE;
	long part = 1;

	for (i = 0; i < nr; i += part, at += part << PAGE_SHIFT) {
		struct hmm_pte_class class = hmm_pte_class_of(w->vma, pte[i]);

		part = 1;
		if (!class.mask)
			stop = hmm_walk_leaf_pte(w, at, pte[i]);
		else if (hmm_run_length(class, pte + i, min(nr - i, 2UL)) == 1 &&
			 !hmm_may_need_fault(w, class.access))
			stop = hmm_report_one(w, at, hmm_class_hmm_pfn(class, pte[i]));
		else
			part = hmm_report_plain(w, class, at, pte[i],
						hmm_run_length(class, pte + i, nr - i));
		if (part <= 0)
			stop = part ?: HMM_WALK_FAULT;
		if (stop)
			break;
	}
	*done = i;
	return stop;
}

/* A walk of one page, as most device faults make it (benchmark: populate-one-page). */
static int hmm_walk_one_pte(struct hmm_walk *w, pte_t pte)
{
	struct hmm_pte_class class = hmm_pte_class_of(w->vma, pte);
	int stop;

	if (class.mask && !hmm_may_need_fault(w, class.access))
		return hmm_report_one(w, w->resume, hmm_class_hmm_pfn(class, pte));
	stop = hmm_walk_leaf_pte(w, w->resume, pte);
	if (stop == HMM_WALK_FAULT)
		return hmm_record_fault(w, w->resume, w->resume + PAGE_SIZE, 0);
	return stop;
}

/* Whether PTEs of a class contain a block that has an order. */
static __always_inline bool hmm_window_has_block(const pte_t *pte)
{
	unsigned long i;

	for (i = 0; i < HMM_WINDOW; i += 4)
		if (unlikely(hmm_ptes_block(pte + i)))
			return true;
	return false;
}

/* Write the hmm pfns of a window; @old as for hmm_put_pair(). */
static __always_inline void hmm_put_ptes(unsigned long *at, const pte_t *pte,
					 unsigned long access, const unsigned long old)
{
	unsigned long i;

	unrolled_full
	for (i = 0; i < HMM_WINDOW; i += 2)
		if (!hmm_put_pair(at + i, hmm_class_pfn(pte[i]) | access,
				  hmm_class_pfn(pte[i + 1]) | access, old))
			break;
	for (; i < HMM_WINDOW; i++)
		hmm_put_one(at + i, hmm_class_pfn(pte[i]) | access);
}

/* The PTEs of a window are not alike. */
#define HMM_WINDOW_MIXED (HMM_WALK_AGAIN + 3)

/**
 * hmm_put_scattered() - report the pages of a window whose PTEs are alike
 * @w: the walk
 * @addr: address of the first
 * @pte: the PTEs
 * @access: their access
 * @out: what is written; a constant
 *
 * Return: %HMM_WALK_DONE; -%ENOSPC; or %HMM_WINDOW_MIXED, with nothing reported, if
 * some of the pages have an order.
 */
static __always_inline int hmm_put_scattered(struct hmm_walk *w, unsigned long addr,
					     const pte_t *pte, unsigned long access,
					     const enum hmm_output out)
{
	unsigned int shift;
	unsigned long *at, flags, i;
	int stop = HMM_WALK_DONE;

	if (out == HMM_OUTPUT_FORMAT) {
		at = hmm_walk_pfns(w, addr);
		flags = hmm_format_flags(w->format, access);
		shift = w->format->pfn_shift;
		for (i = 0; i < HMM_WINDOW; i++)
			WRITE_ONCE(at[i], flags | hmm_class_pfn(pte[i]) << shift);
		return HMM_WALK_DONE;
	}
	pte = hmm_window(pte);
	if (hmm_window_has_block(pte))
		return HMM_WINDOW_MIXED;
	pte = hmm_window(pte);
	if (out == HMM_OUTPUT_EXTENTS) {
		for (i = 0; i < HMM_WINDOW && !stop; i++)
			stop = hmm_report(w, addr + (i << PAGE_SHIFT), 1,
					  hmm_class_pfn(pte[i]) | access);
		return stop;
	}
	at = hmm_walk_pfns(w, addr);
	if (!READ_ONCE(at[0]))
		hmm_put_ptes(at, pte, access, HMM_PUT_ZERO);
	else
		hmm_put_ptes(at, pte, access, HMM_PUT_REQUEST);
	return HMM_WALK_DONE;
}

/**
 * hmm_put_window() - report the pages of a window that follow each other
 * @w: the walk
 * @addr: address of the first
 * @pfn: pfn of the first
 * @access: their access
 * @out: what is written; a constant
 *
 * Here and not by hmm_report(), whose call would cost two instructions a page
 * (benchmark: snapshot-64k).
 *
 * Return: %HMM_WALK_DONE, or -%ENOSPC.
 */
static __always_inline int hmm_put_window(struct hmm_walk *w, unsigned long addr,
					  unsigned long pfn, unsigned long access,
					  const enum hmm_output out)
{
	unsigned int order = min(hmm_alike_order(addr, pfn), ilog2(HMM_WINDOW));
	unsigned long hmm_pfn = pfn | access | hmm_pfn_order(hmm_pte_order(order));

	if (out != HMM_OUTPUT_PFNS)
		return hmm_report(w, addr, HMM_WINDOW, hmm_pfn);
	hmm_put_run(hmm_walk_pfns(w, addr), HMM_WINDOW, hmm_pfn, HMM_WINDOW);
	return HMM_WALK_DONE;
}

/* The number of pages of the largest block that can begin at an address. */
static __always_inline unsigned long hmm_largest_block(unsigned long addr,
						       unsigned long pfn)
{
	return 1UL << __ffs(((addr >> PAGE_SHIFT) | pfn) | (1UL << HMM_PTE_MAX_ORDER));
}

/* Whether a window that was seen to be a run goes on where a run ends. */
static __always_inline bool hmm_run_continues(const struct hmm_pte_run *run,
					      const pte_t *pte)
{
	return run->nr && hmm_pte_follows(run->class, run->first, pte[0], run->nr);
}

/* Report a run that has been put off, if there is one. */
static __always_inline int hmm_flush_run(struct hmm_walk *w, struct hmm_pte_run *run)
{
	int stop = HMM_WALK_DONE;

	if (unlikely(run->nr)) {
		stop = hmm_report_run(w, run);
		run->nr = 0;
	}
	return stop;
}

/**
 * hmm_walk_contiguous() - take in a window whose pages follow each other
 * @w: the walk
 * @run: pages that are put off, if any
 * @class: the class of the window's PTEs
 * @addr: address of the first
 * @pte: the PTEs
 * @out: what is written; a constant
 *
 * A block of more pages than a window has its order in every page, so where one
 * can begin, the pages are put off until its end has been seen.
 *
 * Return: %HMM_WALK_DONE, or -%ENOSPC.
 */
static __always_inline int hmm_walk_contiguous(struct hmm_walk *w,
					       struct hmm_pte_run *run,
					       struct hmm_pte_class class,
					       unsigned long addr, const pte_t *pte,
					       const enum hmm_output out)
{
	unsigned long pfn = hmm_class_pfn(pte[0]);
	int stop;

	if (out == HMM_OUTPUT_FORMAT)
		return hmm_put_window(w, addr, pfn, class.access, out);
	if (hmm_run_continues(run, pte)) {
		run->nr += HMM_WINDOW;
	} else {
		stop = hmm_flush_run(w, run);
		if (stop)
			return stop;
		if (likely(hmm_largest_block(addr, pfn) <= HMM_WINDOW))
			return hmm_put_window(w, addr, pfn, class.access, out);
		*run = (struct hmm_pte_run){ class, pte[0], addr, HMM_WINDOW };
	}
	if (run->nr < hmm_largest_block(run->addr, hmm_class_pfn(run->first)))
		return HMM_WALK_DONE;
	return hmm_flush_run(w, run);
}

/**
 * hmm_fault_end() - find the end of the pages that need a fault
 * @w: the walk
 * @addr: address of a page that needs one
 * @end: end of the PTE table, or of the walk
 * @ptep: the PTE of @addr
 *
 * Only those that need it are faulted in. A fault on a page of the caller's
 * device, for one, would migrate it to system memory. The PTEs are visited once
 * more, a visit that decides only which pages the faults begin with.
 *
 * Return: the end address.
 */
static noinline unsigned long hmm_fault_end(struct hmm_walk *w, unsigned long addr,
					    unsigned long end, const pte_t *ptep)
{
	do {
		addr += PAGE_SIZE;
		ptep++;
	} while (addr < end && hmm_leaf_needs_fault(w, addr, hmm_read_pte(ptep)));
	return addr;
}

/**
 * struct hmm_pte_state - what a walk carries from one window to the next
 * @run: pages that are put off
 * @class: the class of the last full window; most windows are of the same
 * @may_need_fault: whether any page of that class might need a fault
 */
struct hmm_pte_state {
	struct hmm_pte_run run;
	struct hmm_pte_class class;
	bool may_need_fault;
};

/**
 * hmm_walk_window() - report a full window whose PTEs are alike
 * @w: the walk
 * @state: carried from the window before
 * @addr: address of the first PTE
 * @pte: the PTEs
 * @out: what is written; a constant
 *
 * Return: %HMM_WALK_DONE; -%ENOSPC; or %HMM_WINDOW_MIXED with nothing reported.
 */
static __always_inline int hmm_walk_window(struct hmm_walk *w,
					   struct hmm_pte_state *state,
					   unsigned long addr, const pte_t *pte,
					   const enum hmm_output out)
{
	struct hmm_pte_class class = state->class;
	int stop;

	if (!class.mask || !hmm_pte_in_class(class, pte[0])) {
		class = hmm_pte_class_of(w->vma, pte[0]);
		state->class = class;
		state->may_need_fault = hmm_may_need_fault(w, class.access);
	}
	if (!class.mask ||
	    (state->may_need_fault &&
	     hmm_first_needing_fault(w, addr, HMM_WINDOW, class.access) < HMM_WINDOW))
		return HMM_WINDOW_MIXED;
	pte = hmm_window(pte);
	if (hmm_ptes_follow(class, pte, HMM_WINDOW))
		return hmm_walk_contiguous(w, &state->run, class, addr, pte, out);
	pte = hmm_window(pte);
	if (!hmm_ptes_alike(class, pte, HMM_WINDOW))
		return HMM_WINDOW_MIXED;
	stop = hmm_flush_run(w, &state->run);
	if (stop)
		return stop;
	if (!class.access)
		return hmm_report(w, addr, HMM_WINDOW, 0);
	return hmm_put_scattered(w, addr, pte, class.access, out);
}

/**
 * hmm_walk_ptes_to() - report the pages of one PTE table, or of part of one
 * @w: the walk; from &hmm_walk.resume on
 * @end: end address
 * @ptep: the first PTE
 * @out: what is written; a constant, and each has a function of its own
 *
 * Return: as hmm_walk_ptes().
 */
static __always_inline int hmm_walk_ptes_to(struct hmm_walk *w, unsigned long end,
					    const pte_t *ptep,
					    const enum hmm_output out)
{
	unsigned long addr = w->resume, nr, done;
	struct hmm_pte_state state = {};
	pte_t pte[HMM_WINDOW] __uninitialized;
	int stop = HMM_WALK_DONE;

	for (; addr < end && !stop; addr += done << PAGE_SHIFT, ptep += done) {
		nr = hmm_window_size(addr, end);
		done = nr;
		if (likely(nr == HMM_WINDOW)) {
			hmm_read_ptes(pte, ptep, HMM_WINDOW);
			stop = hmm_walk_window(w, &state, addr, pte, out);
		} else {
			hmm_read_ptes(pte, ptep, nr);
			stop = HMM_WINDOW_MIXED;
		}
		if (stop != HMM_WINDOW_MIXED)
			continue;
		done = 0;
		stop = hmm_flush_run(w, &state.run) ?:
		       hmm_walk_mixed(w, addr, pte, nr, &done);
	}
	if (!stop)
		return hmm_flush_run(w, &state.run);
	if (stop == HMM_WALK_FAULT)
		return hmm_record_fault(w, addr, hmm_fault_end(w, addr, end, ptep), 0);
	w->resume = addr;
	return stop;
}

/**
 * hmm_walk_ptes() - report the pages of one PTE table, or of part of one
 * @w: the walk; from &hmm_walk.resume on
 * @end: end address
 * @ptep: the first PTE; the table is mapped
 *
 * Context: RCU read-side section.
 * Return: an &enum hmm_walk_stop, with &hmm_walk.resume where it stopped;
 * %HMM_WALK_MIGRATION; or an error of hmm_range_fault().
 */
int hmm_walk_ptes(struct hmm_walk *w, unsigned long end, const pte_t *ptep)
{
	if (end - w->resume == PAGE_SIZE)
		return hmm_walk_one_pte(w, hmm_read_pte(ptep));
	switch (w->output) {
	case HMM_OUTPUT_PFNS:
		return hmm_walk_ptes_to(w, end, ptep, HMM_OUTPUT_PFNS);
	case HMM_OUTPUT_FORMAT:
		return hmm_walk_ptes_to(w, end, ptep, HMM_OUTPUT_FORMAT);
	default:
		return hmm_walk_ptes_to(w, end, ptep, HMM_OUTPUT_EXTENTS);
	}
}
