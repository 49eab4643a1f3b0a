/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the parts of the walker: walk.c (descent), walk_leaf.c (single
 * entries), walk_pte.c (PTE tables), walk_output.c (results), fault.c (faults).
 */
#ifndef _MM_HMM_WALK_H
#define _MM_HMM_WALK_H

#include <linux/hmm.h>

#include "pfn.h"

struct dev_pagemap;
struct mm_struct;
struct vm_area_struct;

/**
 * enum hmm_walk_stop - why a walk returned, when not for an error
 * @HMM_WALK_DONE: every page is reported
 * @HMM_WALK_FAULT: pages from &hmm_walk.resume on must be faulted in first
 * @HMM_WALK_AGAIN: the walk waited for a page, or its PTE table vanished; walk on
 *
 * All but the first leave the hmm pfns from &hmm_walk.resume on as they came.
 */
enum hmm_walk_stop {
	HMM_WALK_DONE,
	HMM_WALK_FAULT,
	HMM_WALK_AGAIN,
};

/* The output format. */
enum hmm_output {
	HMM_OUTPUT_PFNS,	/* an hmm pfn for each page */
	HMM_OUTPUT_FORMAT,	/* an entry in the driver's format for each page */
	HMM_OUTPUT_EXTENTS,	/* a record for pages that follow each other */
};

/**
 * struct hmm_fault_waits - what the walks of a range have waited for
 * @dropped: address of the last fault whose handler dropped the lock;
 *	%HMM_FAULT_NOT_DROPPED: there was none
 * @flags: %FAULT_FLAG_TRIED if the next fault at @dropped must set it, or 0
 * @end: end of the pages that walks have waited for with the lock held
 * @progress: one of these waits was at a higher address than all before it; cleared
 *	when a timeout was restarted for it
 * @for_migrations: wait for pages that migrate, even if nothing is requested of them;
 *	set by the caller
 * @peer_pfns: NULL, or where to record pages in the private memory of other devices that
 *	peers can reach, an hmm pfn for each page of the range; set by the caller. They
 *	satisfy requests, and the hmm pfn that is reported is 0. They are not recorded
 *	where the caller has set %HMM_PEER_REFUSED. For hmm pfns only
 */
struct hmm_fault_waits {
	unsigned long dropped;
	unsigned long end;
	unsigned long *peer_pfns;
	unsigned int flags;
	bool progress;
	bool for_migrations;
};

#define HMM_FAULT_NOT_DROPPED ULONG_MAX
/* In &hmm_fault_waits.peer_pfns: the page is not reached where it is. */
#define HMM_PEER_REFUSED HMM_PFN_ERROR

/**
 * struct hmm_walk - a walk in progress
 * @range: the range that the caller passed
 * @format: the driver's format; NULL if @output is not %HMM_OUTPUT_FORMAT
 * @extents: where extents go; NULL if @output is not %HMM_OUTPUT_EXTENTS
 * @vma: the VMA that is being walked
 * @vma_access: hmm_vma_access() of it
 * @output: the output format
 * @default_req: request flags for every page
 * @per_pfn_req: which request flags of a page's own hmm pfn count
 * @resume: the first address that is not reported yet
 * @fault_end: end of the pages from @resume on that must be faulted in
 * @fault_access: access that all of these pages have already
 * @stalled_at: @resume of the last walk that returned %HMM_WALK_FAULT or %HMM_WALK_AGAIN
 * @stalled_since: when that was first so at this address, in jiffies; 0: never
 * @waits: what this walk, and those before it, have waited for
 * @pgmap: see hmm_find_pagemap()
 * @last: the last extent, if there is one
 * @next: the hmm pfn that extends it
 * @ram_section: see hmm_may_be_border()
 */
struct hmm_walk {
	struct hmm_range *range;
	const struct hmm_format *format;
	struct hmm_extents *extents;
	struct vm_area_struct *vma;
	unsigned long vma_access;
	enum hmm_output output;
	unsigned long default_req;
	unsigned long per_pfn_req;
	unsigned long resume;
	unsigned long fault_end;
	unsigned long fault_access;
	unsigned long stalled_at;
	unsigned long stalled_since;
	struct hmm_fault_waits waits;
	struct {
		unsigned long first;
		unsigned long last;
		bool own;
		bool peer;
	} pgmap;
	struct hmm_extent *last;
	unsigned long next;
	unsigned long ram_section;
};

/* The address of the hmm pfn, or entry, of a page; not with extents. */
static inline unsigned long *hmm_walk_pfns(const struct hmm_walk *w,
					   unsigned long addr)
{
	return &w->range->hmm_pfns[(addr - w->range->start) >> PAGE_SHIFT];
}

/* Where to record the page at @addr if it is in a peer's memory. */
static inline unsigned long *hmm_walk_peer_pfns(const struct hmm_walk *w,
						unsigned long addr)
{
	return &w->waits.peer_pfns[(addr - w->range->start) >> PAGE_SHIFT];
}

/* The request for the page at @addr, which is not reported yet. */
static inline unsigned long hmm_walk_request(const struct hmm_walk *w,
					     unsigned long addr)
{
	unsigned long entry;

	if (!w->per_pfn_req)
		return w->default_req;
	entry = READ_ONCE(*hmm_walk_pfns(w, addr));
	if (w->output == HMM_OUTPUT_FORMAT)
		entry = hmm_format_request(w->format, entry);
	return w->default_req | (entry & w->per_pfn_req);
}

/* The access that an entry gives, as far as a device may have it. */
static inline unsigned long hmm_walk_access(const struct hmm_walk *w, bool writable)
{
	return hmm_pfn_access(writable) & w->vma_access;
}

/* Whether any page with @access might need a fault. */
static inline bool hmm_may_need_fault(const struct hmm_walk *w,
				      unsigned long access)
{
	return hmm_needs_fault(w->default_req | w->per_pfn_req, access);
}

/*
 * Record the pages that need a fault, as far as the PMD range of the first; the
 * return value makes the walk unwind. A hole can be much larger. The sequence is
 * checked before each walk, so that no more than a PMD range is faulted in for a
 * range that was invalidated.
 */
static inline int hmm_record_fault(struct hmm_walk *w, unsigned long addr,
				   unsigned long end, unsigned long access)
{
	w->resume = addr;
	w->fault_end = min(end, (addr & PMD_MASK) + PMD_SIZE);
	w->fault_access = access;
	return HMM_WALK_FAULT;
}

/**
 * hmm_waited() - record that a walk has waited for a page
 * @waits: the waits
 * @addr: the address of the page, which was migrating, or locked in device memory
 *
 * Such a wait is progress, and not time lost to invalidations, so it restarts timeouts.
 * It does so only if it is at a higher address than all before it: pages that are
 * migrated again and again cannot keep a walk running.
 *
 * Return: whether it restarts them.
 */
static inline bool hmm_waited(struct hmm_fault_waits *waits, unsigned long addr)
{
	if (addr < waits->end)
		return false;
	waits->end = addr + PAGE_SIZE;
	waits->progress = true;
	return true;
}

/* The same, of a walk that goes on: the time at its address starts anew, too. */
static inline int hmm_walk_waited(struct hmm_walk *w, unsigned long addr)
{
	if (hmm_waited(&w->waits, addr))
		w->stalled_since = 0;
	return HMM_WALK_AGAIN;
}

/* Wait for a migration entry, once the PTE table is unmapped. */
#define HMM_WALK_MIGRATION (HMM_WALK_AGAIN + 1)

int __must_check hmm_walk_init(struct hmm_walk *w, struct hmm_range *range,
			       const struct hmm_format *format,
			       struct hmm_extents *extents);
void hmm_walk_init_pfns(struct hmm_walk *w, struct hmm_range *range,
			const struct hmm_fault_waits *waits);
void hmm_walk_restart(struct hmm_walk *w);
int hmm_walk_mmap(struct hmm_walk *w);
int hmm_walk_vma(struct hmm_walk *w, struct vm_area_struct *vma);
int hmm_walk_page(struct hmm_walk *w, struct hmm_range *range,
		  struct vm_area_struct *vma, const struct hmm_fault_waits *waits);

/* walk_leaf.c */
unsigned long hmm_first_needing_fault(const struct hmm_walk *w, unsigned long addr,
				      unsigned long nr, unsigned long access);
int hmm_report_error(struct hmm_walk *w, unsigned long addr, unsigned long end,
		     unsigned long mark);
int hmm_walk_leaf_pte(struct hmm_walk *w, unsigned long addr, pte_t pte);
bool hmm_leaf_needs_fault(struct hmm_walk *w, unsigned long addr, pte_t pte);
int hmm_walk_leaf_pmd(struct hmm_walk *w, pmd_t *pmdp, pmd_t pmd,
		      unsigned long addr, unsigned long end);

/* walk_pte.c */
int hmm_walk_one_pte(struct hmm_walk *w, pte_t pte);
int hmm_walk_ptes(struct hmm_walk *w, unsigned long end, const pte_t *ptep);

/* walk_output.c */
int hmm_report(struct hmm_walk *w, unsigned long addr, unsigned long nr,
	       unsigned long hmm_pfn);
bool hmm_pagemap_border(unsigned long pfn);

/* devmem.c */
#ifdef CONFIG_HMM_DEVMEM
bool hmm_devmem_reaches_peers(const struct dev_pagemap *pgmap);
#else
static inline bool hmm_devmem_reaches_peers(const struct dev_pagemap *pgmap)
{
	return false;
}
#endif

/* fault.c, for the shims of earlier API years */
int hmm_range_fault_step(struct hmm_range *range, const struct hmm_format *format,
			 bool may_unlock);
/* fault.c, for sections */
int hmm_range_fault_vma_retry(struct hmm_range *range, struct hmm_fault_waits *waits);

#endif /* _MM_HMM_WALK_H */
