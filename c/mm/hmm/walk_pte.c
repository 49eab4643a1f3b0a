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
 * A window that is of several classes is reported in groups of four PTEs if no page needs a
 * fault, and else PTE by PTE.
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

/* PTEs that are reported together where they are of several classes. */
#define HMM_PTE_GROUP BIT(HMM_PTE_MIN_ORDER)

/**
 * struct hmm_pte_run - pages that follow each other, read and not yet reported
 * @hmm_pfn: the first one's, without an order
 * @addr: the address of the first
 * @nr: number of pages; 0: none
 * @most: report them when there are so many; not used for extents
 */
struct hmm_pte_run {
	unsigned long hmm_pfn;
	unsigned long addr;
	unsigned long nr;
	unsigned long most;
};

/* Read @nr PTEs, each once. */
static __always_inline void hmm_read_ptes(pte_t *pte, const pte_t *ptep,
					  const unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		pte[i] = hmm_read_pte(ptep + i);
}

/* The class of a PTE, with no more access than the VMA allows a device. */
static __always_inline struct hmm_pte_class hmm_walk_class(const struct hmm_walk *w,
							   pte_t pte)
{
	struct hmm_pte_class class = hmm_pte_class_of(w->vma, pte);

	class.access &= w->vma_access;
	return class;
}

/*
 * Make the compiler read a window from the stack again. Otherwise it keeps all PTEs
 * in registers and spills them (benchmark: snapshot-4k).
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

/* An order as it is reported: 0 if it is too small to matter. */
static __always_inline unsigned int hmm_pte_order(unsigned int order)
{
	return order < HMM_PTE_MIN_ORDER ? 0 : order;
}

/**
 * hmm_report_run() - report pages that follow each other, with their orders
 * @w: the walk
 * @run: the pages
 * @pages: how many of them
 *
 * Return: %HMM_WALK_DONE, or -%ENOSPC.
 */
static noinline int hmm_report_run(struct hmm_walk *w, const struct hmm_pte_run *run,
				   unsigned long pages)
{
	unsigned long index = run->addr >> PAGE_SHIFT;
	unsigned int largest = hmm_alike_order(run->addr, run->hmm_pfn), order;
	unsigned long i, nr;
	int stop = 0;

	for (i = 0; i < pages && !stop; i += nr) {
		order = __ffs((index + i) | (1UL << largest));
		order = min_t(unsigned int, order, ilog2(pages - i));
		nr = 1UL << order;
		/* Report all pages of the largest order at once. */
		if (order == largest)
			nr = round_down(pages - i, nr);
		stop = hmm_report(w, run->addr + (i << PAGE_SHIFT), nr,
				  (run->hmm_pfn + i) |
				  hmm_pfn_order(hmm_pte_order(order)));
	}
	return stop;
}

/* The number of PTEs from the first of a window on that map consecutive pages of @class. */
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
	hmm_write_pfn(hmm_walk_pfns(w, addr), hmm_pfn);
	return HMM_WALK_DONE;
}

/*
 * Report consecutive pages of one class, up to the first that needs a fault. Returns
 * how many, or an error. Pfn and access are computed again, which is cheaper than to
 * pass them (benchmark: snapshot-mixed).
 */
static noinline long hmm_report_plain(struct hmm_walk *w, unsigned long addr,
				      const pte_t *pte, unsigned long nr)
{
	struct hmm_pte_class class = hmm_walk_class(w, pte[0]);
	struct hmm_pte_run run = {
		.hmm_pfn = hmm_class_hmm_pfn(class, pte[0]),
		.addr = addr,
	};
	int stop;

	nr = hmm_run_length(class, pte, nr);

	run.nr = hmm_first_needing_fault(w, addr, nr, class.access);
	if (!run.nr)
		return 0;
	if (class.access)
		stop = hmm_report_run(w, &run, run.nr);
	else
		stop = hmm_report(w, addr, run.nr, 0);
	return stop ?: run.nr;
}

/*
 * Whether a run of a PTE might be long enough to be reported as one: pages without
 * an order are faster one by one (benchmark: snapshot-mixed).
 */
static __always_inline bool hmm_may_form_run(struct hmm_pte_class class, const pte_t *pte,
					     unsigned long nr)
{
	const unsigned long last = (1UL << HMM_PTE_MIN_ORDER) - 1;

	if (!class.access)
		return nr > 1 && pte_none(pte[1]);
	return nr > last && hmm_pfn_follows(pte[0], pte[last], last);
}

/*
 * Report the pages of a group of PTEs, which no request is for. Returns false, with nothing
 * reported, if one is not plain, or if they might form a run.
 *
 * @readable and @writable are what to report of a page that is one or the other. They are kept
 * in registers, as is what each PTE becomes (benchmark: snapshot-mixed).
 */
static __always_inline bool hmm_report_group(const struct vm_area_struct *vma, unsigned long *at,
					     const pte_t *pte, unsigned long readable,
					     unsigned long writable)
{
	unsigned long hmm_pfns[HMM_PTE_GROUP], i, some = 0;

	unrolled_full
	for (i = 0; i < HMM_PTE_GROUP; i++) {
		struct hmm_pte_class class = hmm_pte_class_of(vma, pte[i]);

		if (unlikely(!class.mask))
			return false;
		hmm_pfns[i] = 0;
		if (class.access)
			hmm_pfns[i] = hmm_class_pfn(pte[i]) |
				      (class.access & HMM_PFN_WRITE ? writable : readable);
		some |= hmm_pfns[i];
	}
	if (unlikely(!some) || hmm_pfn_follows(pte[0], pte[HMM_PTE_GROUP - 1], HMM_PTE_GROUP - 1))
		return false;
	if (!hmm_is_unreported(at, HMM_UNREPORTED_ZERO)) {
		for (i = 0; i < HMM_PTE_GROUP; i++)
			hmm_write_pfn(at + i, hmm_pfns[i]);
		return true;
	}
	unrolled_full
	for (i = 0; i < HMM_PTE_GROUP; i++)
		WRITE_ONCE(at[i], hmm_pfns[i]);
	return true;
}

/*
 * Report PTEs in groups, as far as hmm_report_group() does. The first has to begin where an
 * order can: pages before that have none. Returns how many.
 */
static noinline unsigned long hmm_report_groups(const struct hmm_walk *w, unsigned long addr,
						const pte_t *pte, unsigned long nr)
{
	unsigned long readable = HMM_PFN_READABLE & w->vma_access;
	unsigned long writable = HMM_PFN_WRITABLE & w->vma_access;
	const pte_t *first = pte, *last = pte + round_down(nr, HMM_PTE_GROUP);
	unsigned long *at = hmm_walk_pfns(w, addr);

	if ((addr >> PAGE_SHIFT) % HMM_PTE_GROUP || !readable)
		return 0;
	OPTIMIZER_HIDE_VAR(readable);
	OPTIMIZER_HIDE_VAR(writable);
	for (; pte < last; pte += HMM_PTE_GROUP, at += HMM_PTE_GROUP) {
		OPTIMIZER_HIDE_VAR(at);
		if (!hmm_report_group(w->vma, at, pte, readable, writable))
			break;
	}
	return pte - first;
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
	/* A snapshot: no page needs a fault (benchmark: snapshot-mixed). */
	const bool groups = w->output == HMM_OUTPUT_PFNS && !hmm_may_need_fault(w, 0);
	unsigned long i = 0, at = addr;
	int stop = HMM_WALK_DONE;
	long part;

	while (i < nr) {
		struct hmm_pte_class class;

		part = groups ? hmm_report_groups(w, at, pte + i, nr - i) : 0;
		if (part)
			goto next;
		class = hmm_walk_class(w, pte[i]);
		part = 1;
		if (!class.mask)
			stop = hmm_walk_leaf_pte(w, at, pte[i]);
		else if (!hmm_may_form_run(class, pte + i, nr - i) &&
			 !hmm_may_need_fault(w, class.access))
			stop = hmm_report_one(w, at, hmm_class_hmm_pfn(class, pte[i]));
		else
			part = hmm_report_plain(w, at, pte + i, nr - i);
		if (part <= 0)
			stop = part ?: HMM_WALK_FAULT;
		if (stop)
			break;
next:
		i += part;
		at += part << PAGE_SHIFT;
	}
	*done = i;
	return stop;
}

/**
 * hmm_walk_one_pte() - report the one page of a walk
 * @w: the walk; at &hmm_walk.resume
 * @pte: the PTE, as it was read
 *
 * Context: RCU read-side section.
 * Return: as hmm_walk_ptes().
 */
int hmm_walk_one_pte(struct hmm_walk *w, pte_t pte)
{
	struct hmm_pte_class class = hmm_walk_class(w, pte);
	int stop;

	if (class.mask && !hmm_may_need_fault(w, class.access))
		return hmm_report_one(w, w->resume, hmm_class_hmm_pfn(class, pte));
	stop = hmm_walk_leaf_pte(w, w->resume, pte);
	if (stop == HMM_WALK_FAULT)
		return hmm_record_fault(w, w->resume, w->resume + PAGE_SIZE, 0);
	return stop;
}

/* Whether some of the PTEs of a window might have an order. */
static __always_inline bool hmm_window_has_order(const pte_t *pte)
{
	unsigned long i;

	for (i = 0; i < HMM_WINDOW; i += 4)
		if (unlikely(hmm_ptes_have_order(pte + i)))
			return true;
	return false;
}

static noinline void hmm_write_each_pte(unsigned long *at, const pte_t *pte,
					unsigned long key)
{
	unsigned long i;

	for (i = 0; i < HMM_WINDOW; i++)
		hmm_write_pfn(at + i, hmm_pfn_by_key(pte[i], key));
}

/* Write the hmm pfns of a window; @old as for hmm_is_unreported(). */
static __always_inline void hmm_write_ptes(unsigned long *at, const pte_t *pte,
					   unsigned long key, const unsigned long old)
{
	unsigned long i;

	unrolled_full
	for (i = 0; i < HMM_WINDOW; i++) {
		if (!(i % HMM_WRITE_GROUP) && !hmm_is_unreported(at + i, old))
			return hmm_write_each_pte(at, pte, key);
		WRITE_ONCE(at[i], hmm_pfn_by_key(pte[i], key));
	}
}

/* Report each page of a window as an extent, or as part of the last one. */
static noinline int hmm_write_ptes_extents(struct hmm_walk *w, unsigned long addr,
					   const pte_t *pte, unsigned long key)
{
	int stop = HMM_WALK_DONE;
	unsigned long i;

	for (i = 0; i < HMM_WINDOW && !stop; i++)
		stop = hmm_report(w, addr + (i << PAGE_SHIFT), 1,
				  hmm_pfn_by_key(pte[i], key));
	return stop;
}

/* The PTEs of a window are not alike. */
#define HMM_WINDOW_MIXED (HMM_WALK_AGAIN + 3)

/**
 * hmm_report_scattered_window() - report the pages of a window whose PTEs are alike
 * @w: the walk
 * @addr: address of the first
 * @at: where their hmm pfns, or entries, go
 * @pte: the PTEs
 * @access: their access
 * @key: of hmm_ptes_alike()
 * @old: as for hmm_is_unreported()
 * @out: the output format; a constant
 *
 * Return: %HMM_WALK_DONE; -%ENOSPC; or %HMM_WINDOW_MIXED, with nothing reported, if
 * some of the pages have an order.
 */
static __always_inline int hmm_report_scattered_window(struct hmm_walk *w, unsigned long addr,
						       unsigned long *at, const pte_t *pte,
						       unsigned long access,
						       unsigned long key, const unsigned long old,
						       const enum hmm_output out)
{
	unsigned long flags, i;
	unsigned int shift;

	if (out == HMM_OUTPUT_FORMAT) {
		flags = hmm_format_flags(w->format, access);
		shift = w->format->pfn_shift;
		for (i = 0; i < HMM_WINDOW; i++)
			WRITE_ONCE(at[i], flags | hmm_class_pfn(pte[i]) << shift);
		return HMM_WALK_DONE;
	}
	pte = hmm_window(pte);
	if (hmm_window_has_order(pte))
		return HMM_WINDOW_MIXED;
	pte = hmm_window(pte);
	if (out == HMM_OUTPUT_EXTENTS)
		return hmm_write_ptes_extents(w, addr, pte, key);
	hmm_write_ptes(at, pte, key, old);
	return HMM_WALK_DONE;
}

/* Whether the pages of a window that follow each other have an order together. */
static __always_inline bool hmm_window_is_aligned(unsigned long addr,
						  unsigned long hmm_pfn)
{
	return !(((addr >> PAGE_SHIFT) ^ hmm_pfn) & (HMM_WINDOW - 1));
}

/**
 * hmm_report_consecutive_window() - report the pages of a window that follow each other
 * @w: the walk
 * @addr: address of the first
 * @at: where their hmm pfns go
 * @hmm_pfn: the first one's, without an order
 * @out: the output format; a constant
 *
 * Here and not by hmm_report(), whose call would cost two instructions a page
 * (benchmarks: snapshot-64k, extents-64k).
 *
 * Return: %HMM_WALK_DONE, or -%ENOSPC.
 */
static __always_inline int hmm_report_consecutive_window(struct hmm_walk *w, unsigned long addr,
							 unsigned long *at, unsigned long hmm_pfn,
							 const enum hmm_output out)
{
	if (likely(hmm_window_is_aligned(addr, hmm_pfn))) {
		hmm_pfn |= hmm_pfn_order(ilog2(HMM_WINDOW));
		/* No border between pagemaps is inside. */
		if (out == HMM_OUTPUT_EXTENTS && likely(!hmm_extent_continues(w, hmm_pfn)))
			return hmm_new_extent(w, addr, HMM_WINDOW, hmm_pfn);
	} else {
		hmm_pfn |= hmm_pfn_order(hmm_pte_order(hmm_alike_order(addr, hmm_pfn)));
	}
	if (out != HMM_OUTPUT_PFNS)
		return hmm_report(w, addr, HMM_WINDOW, hmm_pfn);
	hmm_write_consecutive(at, HMM_WINDOW, hmm_pfn, HMM_WINDOW);
	return HMM_WALK_DONE;
}

/*
 * Whether a window whose pages follow each other is best reported at once: no
 * order of two windows begins there. An extent can be longer than an order, but
 * a window of another order than those before begins one of its own.
 */
static __always_inline bool hmm_window_stands_alone(unsigned long addr,
						    unsigned long hmm_pfn,
						    const enum hmm_output out)
{
	if (!(((addr >> PAGE_SHIFT) | hmm_pfn) & (2 * HMM_WINDOW - 1)))
		return false;
	return out == HMM_OUTPUT_PFNS || hmm_window_is_aligned(addr, hmm_pfn);
}

/* The number of pages of the largest order that can begin at an address. */
static __always_inline unsigned long hmm_largest_order_pages(unsigned long addr,
							     unsigned long hmm_pfn)
{
	unsigned long bits = (addr >> PAGE_SHIFT) | hmm_pfn | (1UL << HMM_PTE_MAX_ORDER);

	return bits & -bits;
}

/* Write the hmm pfns of pages with one order, as many as some whole windows have. */
static noinline void hmm_write_windows(unsigned long *at, unsigned long nr,
				       unsigned long hmm_pfn)
{
	hmm_write_consecutive(at, nr, hmm_pfn, HMM_WINDOW);
}

/**
 * hmm_flush_run() - report the pages of a run that was not reported yet
 * @w: the walk
 * @run: the pages; there are some
 * @out: the output format; a constant
 *
 * Mostly it is one window that the next did not follow (benchmarks: snapshot-64k,
 * extents-64k).
 *
 * Return: %HMM_WALK_DONE, or -%ENOSPC.
 */
static __always_inline int hmm_flush_run(struct hmm_walk *w, struct hmm_pte_run *run,
					 const enum hmm_output out)
{
	unsigned long *at = out == HMM_OUTPUT_PFNS ? hmm_walk_pfns(w, run->addr) : NULL;
	unsigned long nr = run->nr;

	run->nr = 0;
	if (likely(nr == HMM_WINDOW))
		return hmm_report_consecutive_window(w, run->addr, at, run->hmm_pfn, out);
	/* An order of that many pages can begin here, as one of @most can. */
	if (out == HMM_OUTPUT_PFNS && is_power_of_2(nr)) {
		hmm_write_windows(at, nr, run->hmm_pfn | hmm_pfn_order(__ffs(nr)));
		return HMM_WALK_DONE;
	}
	return hmm_report_run(w, run, nr);
}

/**
 * hmm_extend_run() - add a window to the run that is not yet reported, if it follows
 * @w: the walk
 * @run: the run; not empty
 * @hmm_pfn: the window's first one, without an order
 * @out: the output format; a constant
 *
 * If the window does not follow, or the run is as long as it may be, report the run.
 *
 * Return: %HMM_WINDOW_MIXED if it does not follow; %HMM_WALK_DONE; or -%ENOSPC.
 */
static __always_inline int hmm_extend_run(struct hmm_walk *w, struct hmm_pte_run *run,
					  unsigned long hmm_pfn,
					  const enum hmm_output out)
{
	if (run->hmm_pfn + run->nr != hmm_pfn)
		return hmm_flush_run(w, run, out) ?: HMM_WINDOW_MIXED;
	run->nr += HMM_WINDOW;
	if (out == HMM_OUTPUT_EXTENTS || run->nr < run->most)
		return HMM_WALK_DONE;
	return hmm_flush_run(w, run, out);
}

/**
 * hmm_walk_contiguous() - report a window of consecutive pages, or add it to the run
 * @w: the walk
 * @run: pages that are put off, if any
 * @class: the class of the window's PTEs
 * @addr: address of the first
 * @at: where their hmm pfns, or entries, go
 * @pte: the PTEs
 * @out: the output format; a constant
 *
 * An order larger than a window is reported in every page, so where one can
 * begin, the pages are put off until its end has been seen. Pages for extents
 * are put off in any case.
 *
 * Return: %HMM_WALK_DONE, or -%ENOSPC.
 */
static __always_inline int hmm_walk_contiguous(struct hmm_walk *w,
					       struct hmm_pte_run *run,
					       const struct hmm_pte_class *class,
					       unsigned long addr, unsigned long *at,
					       const pte_t *pte,
					       const enum hmm_output out)
{
	unsigned long hmm_pfn = hmm_class_pfn(pte[0]) | class->access;
	int stop;

	if (out == HMM_OUTPUT_FORMAT)
		return hmm_report_consecutive_window(w, addr, at, hmm_pfn, out);
	if (unlikely(run->nr)) {
		stop = hmm_extend_run(w, run, hmm_pfn, out);
		if (stop != HMM_WINDOW_MIXED)
			return stop;
	}
	if (likely(hmm_window_stands_alone(addr, hmm_pfn, out)))
		return hmm_report_consecutive_window(w, addr, at, hmm_pfn, out);
	run->hmm_pfn = hmm_pfn;
	run->addr = addr;
	run->nr = HMM_WINDOW;
	if (out == HMM_OUTPUT_PFNS)
		run->most = hmm_largest_order_pages(addr, hmm_pfn);
	return HMM_WALK_DONE;
}

/**
 * hmm_fault_end() - find the end of the pages that need a fault
 * @w: the walk
 * @addr: address of a page that needs one
 * @end: end of the PTE table, or of the walk
 * @ptep: the PTE of @addr
 *
 * Only pages that need a fault are faulted in. A fault on a page of the caller's
 * device, for example, would migrate it to system memory. The PTEs are visited once
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
 * struct hmm_pte_state - a walk of one PTE table
 * @w: the walk
 * @addr: the next address
 * @end: end address
 * @ptep: the PTE of @addr
 * @class: the class of the last full window; most windows are of the same
 * @may_need_fault: whether any page of that class might need a fault
 * @run: pages that are put off
 * @pte: the window of PTEs at @addr, as they were read
 */
struct hmm_pte_state {
	struct hmm_walk *w;
	unsigned long addr;
	unsigned long end;
	const pte_t *ptep;
	struct hmm_pte_class class;
	bool may_need_fault;
	struct hmm_pte_run run;
	pte_t pte[HMM_WINDOW];
};

/*
 * Whether a window is not empty, its first two PTEs are of one class, and none of its pages
 * needs a fault. Sets the class, and &hmm_pte_state.may_need_fault if later windows of
 * this class must be checked for faults too.
 */
static noinline bool hmm_new_class(struct hmm_pte_state *state, unsigned long addr)
{
	struct hmm_walk *w = state->w;

	if (!state->class.mask || !hmm_pte_in_class(state->class, state->pte[0])) {
		state->class = hmm_walk_class(w, state->pte[0]);
		state->may_need_fault = !state->class.access ||
					hmm_may_need_fault(w, state->class.access);
	}
	/* Where windows are of several classes this shows most of them. */
	if (!hmm_pte_in_class(state->class, state->pte[1])) {
		state->may_need_fault = true;
		return false;
	}
	if (!state->class.access)
		return false;
	return !state->may_need_fault ||
	       hmm_first_needing_fault(w, addr, HMM_WINDOW,
				       state->class.access) == HMM_WINDOW;
}

/**
 * hmm_report_window() - report a window, if its PTEs are of the last one's class
 * @state: the walk, with the window in it
 * @addr: the window's address
 * @at: where its hmm pfns, or entries, go
 * @old: as for hmm_is_unreported(); a constant
 * @out: the output format; a constant
 *
 * Return: %HMM_WALK_DONE; -%ENOSPC; or %HMM_WINDOW_MIXED with nothing reported.
 */
static __always_inline int hmm_report_window(struct hmm_pte_state *state,
					     unsigned long addr, unsigned long *at,
					     const unsigned long old,
					     const enum hmm_output out)
{
	const pte_t *pte = hmm_window(state->pte);
	struct hmm_walk *w = state->w;
	unsigned long key;
	int stop;

	if (hmm_ptes_follow(state->class, pte, HMM_WINDOW))
		return hmm_walk_contiguous(w, &state->run, &state->class, addr, at,
					   pte, out);
	pte = hmm_window(pte);
	if (!hmm_ptes_alike(state->class, pte, HMM_WINDOW, &key))
		return HMM_WINDOW_MIXED;
	if (out != HMM_OUTPUT_FORMAT && unlikely(state->run.nr)) {
		stop = hmm_flush_run(w, &state->run, out);
		if (stop)
			return stop;
	}
	return hmm_report_scattered_window(w, addr, at, pte, state->class.access, key, old, out);
}

/*
 * Report a window of several classes, of which no page needs a fault; the next window's class
 * is looked at first. Returns false if more is to be done for some of its pages; what is
 * reported until then is written again.
 */
static noinline bool hmm_report_mixed_window(struct hmm_pte_state *state, unsigned long addr)
{
	struct hmm_walk *w = state->w;

	if (hmm_may_need_fault(w, 0))
		return false;
	/* There is always room for hmm pfns. */
	if (state->run.nr)
		hmm_flush_run(w, &state->run, HMM_OUTPUT_PFNS);
	state->may_need_fault = true;
	return hmm_report_groups(w, addr, state->pte, HMM_WINDOW) == HMM_WINDOW;
}

/*
 * Report windows for as long as each is full and its PTEs are alike, or plain where no page
 * needs a fault. One that is not of the last one's class is tried once more with its own.
 */
static __always_inline int hmm_walk_windows(struct hmm_pte_state *state,
					    const unsigned long old,
					    const enum hmm_output out)
{
	const unsigned long last = state->end - HMM_WINDOW * PAGE_SIZE;
	unsigned long addr = state->addr, *at = NULL;
	const pte_t *ptep = state->ptep;
	bool alike;
	int stop;

	if (out != HMM_OUTPUT_EXTENTS)
		at = hmm_walk_pfns(state->w, addr);
	do {
		stop = HMM_WINDOW_MIXED;
		hmm_read_ptes(state->pte, ptep, HMM_WINDOW);
		alike = likely(!state->may_need_fault) || hmm_new_class(state, addr);
		while (alike) {
			stop = hmm_report_window(state, addr, at, old, out);
			alike = unlikely(stop == HMM_WINDOW_MIXED) &&
				!hmm_pte_in_class(state->class, state->pte[0]) &&
				hmm_new_class(state, addr);
		}
		if (out == HMM_OUTPUT_PFNS && !old && unlikely(stop == HMM_WINDOW_MIXED) &&
		    hmm_report_mixed_window(state, addr))
			stop = HMM_WALK_DONE;
		if (unlikely(stop))
			break;
		addr += HMM_WINDOW * PAGE_SIZE;
		ptep += HMM_WINDOW;
		if (out != HMM_OUTPUT_EXTENTS)
			at += HMM_WINDOW;
	} while (addr <= last);
	state->addr = addr;
	state->ptep = ptep;
	return stop;
}

/* One function for each output, so that its loop has all registers. */
static noinline int hmm_walk_windows_pfns(struct hmm_pte_state *state)
{
	return hmm_walk_windows(state, HMM_UNREPORTED_ZERO, HMM_OUTPUT_PFNS);
}

static noinline int hmm_walk_windows_requests(struct hmm_pte_state *state)
{
	return hmm_walk_windows(state, HMM_UNREPORTED_REQUEST, HMM_OUTPUT_PFNS);
}

static noinline int hmm_walk_windows_format(struct hmm_pte_state *state)
{
	return hmm_walk_windows(state, 0, HMM_OUTPUT_FORMAT);
}

static noinline int hmm_walk_windows_extents(struct hmm_pte_state *state)
{
	return hmm_walk_windows(state, 0, HMM_OUTPUT_EXTENTS);
}

/* hmm_walk_windows(), in the variant for the output of the walk. */
static int hmm_walk_full_windows(struct hmm_pte_state *state)
{
	switch (state->w->output) {
	case HMM_OUTPUT_PFNS:
		if (state->w->per_pfn_req)
			return hmm_walk_windows_requests(state);
		return hmm_walk_windows_pfns(state);
	case HMM_OUTPUT_FORMAT:
		return hmm_walk_windows_format(state);
	default:
		return hmm_walk_windows_extents(state);
	}
}

/* Report the run of pages that was put off, if there is one. */
static int hmm_flush(struct hmm_pte_state *state)
{
	unsigned long nr = state->run.nr;

	state->run.nr = 0;
	return nr ? hmm_report_run(state->w, &state->run, nr) : HMM_WALK_DONE;
}

/**
 * hmm_walk_table() - report the pages of one PTE table, or of part of one
 * @w: the walk; from &hmm_walk.resume on
 * @end: end address
 * @ptep: the first PTE
 *
 * Return: as hmm_walk_ptes().
 */
static noinline int hmm_walk_table(struct hmm_walk *w, unsigned long end,
				   const pte_t *ptep)
{
	struct hmm_pte_state state __uninitialized;
	unsigned long nr, done;
	int stop;

	state.w = w;
	state.addr = w->resume;
	state.end = end;
	state.ptep = ptep;
	state.class = (struct hmm_pte_class){};
	state.may_need_fault = true;
	state.run.nr = 0;
	do {
		/* Full windows can be read there; then this is the one it stopped at. */
		nr = hmm_window_size(state.addr, end);
		stop = HMM_WINDOW_MIXED;
		if (IS_ENABLED(CONFIG_ARCH_HAS_HMM_PTE_CLASS) && nr == HMM_WINDOW)
			stop = hmm_walk_full_windows(&state);
		else
			hmm_read_ptes(state.pte, state.ptep, nr);
		if (stop != HMM_WINDOW_MIXED)
			continue;
		done = 0;
		stop = hmm_flush(&state) ?:
		       hmm_walk_mixed(w, state.addr, state.pte, nr, &done);
		state.addr += done << PAGE_SHIFT;
		state.ptep += done;
	} while (state.addr < end && !stop);
	stop = stop ?: hmm_flush(&state);
	if (stop == HMM_WALK_FAULT)
		return hmm_record_fault(w, state.addr,
					hmm_fault_end(w, state.addr, end, state.ptep), 0);
	w->resume = state.addr;
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
	return hmm_walk_table(w, end, ptep);
}
