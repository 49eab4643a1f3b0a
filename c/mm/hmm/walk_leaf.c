// SPDX-License-Identifier: GPL-2.0
/*
 * Page table leaves that are handled one by one: PTEs that are not plain
 * (pte_class.h), and PMD entries that are not present.
 *
 * Each function here is passed the value of an entry and never reads it again;
 * see "Lockless reads" in walk.c.
 */
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>

#include "compat-kernel.h"
#include "migration_wait.h"
#include "walk.h"

/**
 * hmm_first_needing_fault() - find a page whose request is not satisfied
 * @w: the walk
 * @addr: address of the first of pages that all have the same access
 * @nr: number of pages
 * @access: their access; 0 when they are absent
 *
 * Reads per-page requests only if they can change the result: not if no
 * possible request needs a fault, and not if the default request already does.
 *
 * Return: the index of the first page that needs a fault, or @nr.
 */
unsigned long hmm_first_needing_fault(const struct hmm_walk *w, unsigned long addr,
				      unsigned long nr, unsigned long access)
{
	unsigned long i;

	if (!hmm_may_need_fault(w, access))
		return nr;
	if (hmm_needs_fault(w->default_req, access))
		return 0;
	for (i = 0; i < nr; i++, addr += PAGE_SIZE)
		if (hmm_needs_fault(hmm_walk_request(w, addr), access))
			break;
	return i;
}

/**
 * hmm_report_error() - report pages that cannot be mapped
 * @w: the walk
 * @addr: first address
 * @end: end address
 * @mark: 0, or %HMM_MARK_SPECIAL
 *
 * Return: %HMM_WALK_DONE; -%EFAULT if one of them was requested, with
 * &hmm_walk.resume at @addr; -%ENOSPC.
 */
int hmm_report_error(struct hmm_walk *w, unsigned long addr, unsigned long end,
		     unsigned long mark)
{
	unsigned long nr = (end - addr) >> PAGE_SHIFT;

	if (hmm_first_needing_fault(w, addr, nr, 0) < nr) {
		w->resume = addr;
		return -EFAULT;
	}
	return hmm_report(w, addr, nr, HMM_PFN_ERROR | mark);
}

/**
 * hmm_find_pagemap() - find out whose device-private memory an entry is for
 * @w: the walk
 * @pfn: the pfn of a device-private entry, as it was read
 *
 * The page of a device-private entry is alive only while the entry is in the
 * page table, which nothing holds there: another CPU may have migrated the page
 * and removed the chunk of device memory that it belongs to. So its struct page
 * is not looked up. RCU would not keep it: once memunmap_pages() has killed the
 * pgmap's reference count, the last put leads to the removal of the struct pages
 * with no grace period in between.
 *
 * The pgmap is looked up by pfn instead. memunmap_pages() takes it out of the
 * kernel's index last and waits for a grace period then, so a pgmap that was
 * found can be read until rcu_read_unlock(), and so can the &struct hmm_devmem that
 * it may be a part of: its driver frees that later. Only the owner of the memory, and
 * whether peers can reach it, is read; if the entry has changed since, the caller's
 * sequence has moved. A chunk that is being removed has no owner any more; its pages
 * are faulted in like another device's.
 *
 * The result holds for all pages of a pgmap and is remembered in &hmm_walk.pgmap
 * until the end of the RCU read-side section.
 *
 * Context: RCU read-side section, at whose beginning &hmm_walk.pgmap was reset.
 * Return: true if &hmm_walk.pgmap is set for @pfn.
 */
static bool hmm_find_pagemap(struct hmm_walk *w, unsigned long pfn)
{
	struct dev_pagemap *pgmap;
	int i;

	if (pfn >= w->pgmap.first && pfn <= w->pgmap.last)
		return true;
	pgmap = get_dev_pagemap(pfn);
	if (!pgmap)
		return false;
	for (i = 0; i < pgmap->nr_range; i++) {
		const struct range *range = &pgmap->ranges[i];

		if (pfn < PHYS_PFN(range->start) || pfn > PHYS_PFN(range->end))
			continue;
		w->pgmap.first = PHYS_PFN(range->start);
		w->pgmap.last = PHYS_PFN(range->end);
		break;
	}
	w->pgmap.own = w->range->dev_private_owner &&
		       pgmap->owner == w->range->dev_private_owner;
	w->pgmap.peer = w->waits.peer_pfns && !w->pgmap.own &&
			hmm_devmem_reaches_peers(pgmap);
	put_dev_pagemap(pgmap);
	return i < pgmap->nr_range;
}

/* Whether a device-private entry is for the caller's device. As hmm_find_pagemap(). */
static bool hmm_is_own_device_private(struct hmm_walk *w, softleaf_t entry)
{
	return w->range->dev_private_owner &&
	       hmm_find_pagemap(w, softleaf_to_pfn(entry)) && w->pgmap.own;
}

/*
 * Whether it is for the memory of another device that peers can reach, which the caller
 * wants to know. As hmm_find_pagemap().
 */
static bool hmm_is_peer_device_private(struct hmm_walk *w, softleaf_t entry)
{
	return w->waits.peer_pfns &&
	       hmm_find_pagemap(w, softleaf_to_pfn(entry)) && w->pgmap.peer;
}

/**
 * struct hmm_leaf - a page table entry, decoded
 * @hmm_pfn: the hmm pfn, with marks, to report if the request is satisfied
 * @access: the access that the entry allows
 * @unsatisfied: the result if the request is not satisfied: an &enum hmm_walk_stop,
 *	%HMM_WALK_MIGRATION or an error
 */
struct hmm_leaf {
	unsigned long hmm_pfn;
	unsigned long access;
	int unsatisfied;
};

/* hmm_leaf_of(), for a device-private entry whose page is reached where it is. */
static struct hmm_leaf hmm_leaf_private(const struct hmm_walk *w, softleaf_t entry,
					unsigned long mark)
{
	unsigned long access = hmm_walk_access(w, softleaf_is_device_private_write(entry));

	return (struct hmm_leaf){
		.hmm_pfn = softleaf_to_pfn(entry) | access | mark,
		.access = access,
		.unsatisfied = HMM_WALK_FAULT,
	};
}

/* hmm_leaf_of(), for a PTE that is neither empty nor present. Under RCU. */
static struct hmm_leaf hmm_leaf_softleaf(struct hmm_walk *w, unsigned long addr,
					 softleaf_t entry)
{
	if (softleaf_is_device_private(entry) && hmm_is_own_device_private(w, entry))
		return hmm_leaf_private(w, entry, HMM_MARK_PRIVATE);
	if (softleaf_is_device_private(entry) && hmm_is_peer_device_private(w, entry) &&
	    *hmm_walk_peer_pfns(w, addr) != HMM_PEER_REFUSED)
		return hmm_leaf_private(w, entry, HMM_MARK_PEER);
	if (softleaf_is_migration(entry))
		return (struct hmm_leaf){ .unsatisfied = HMM_WALK_MIGRATION };
	if (softleaf_is_swap(entry) || softleaf_is_device_private(entry) ||
	    softleaf_is_device_exclusive(entry))
		return (struct hmm_leaf){ .unsatisfied = HMM_WALK_FAULT };
	/* Poisoned, a guard region, or unknown: a fault brings no page. */
	return (struct hmm_leaf){ .hmm_pfn = HMM_PFN_ERROR, .unsatisfied = -EFAULT };
}

/* What is reported of a PTE of any kind, and what its page would need. Under RCU. */
static struct hmm_leaf hmm_leaf_of(struct hmm_walk *w, unsigned long addr, pte_t pte)
{
	struct hmm_leaf leaf = { .unsatisfied = HMM_WALK_FAULT };

	if (pte_none(pte) || (!pte_present(pte) && pte_is_uffd_wp_marker(pte)))
		return leaf;
	if (!pte_present(pte))
		return hmm_leaf_softleaf(w, addr, softleaf_from_pte(pte));
	if (!pte_protnone(pte))
		leaf.access = hmm_walk_access(w, pte_write(pte));
	/*
	 * The zero page can be read like any other. vm_normal_page() computes
	 * the address of a struct page and does not access it.
	 */
	if (!is_zero_pfn(pte_pfn(pte)) && !vm_normal_page(w->vma, addr, pte))
		leaf.hmm_pfn = HMM_PFN_ERROR | HMM_MARK_SPECIAL;
	else if (leaf.access)
		leaf.hmm_pfn = pte_pfn(pte) | leaf.access;
	return leaf;
}

/* Whether a request is for a page in system memory; see &hmm_format.device_private. */
static bool hmm_requests_system_memory(unsigned long request)
{
	const unsigned long system = HMM_PFN_REQ_FAULT | HMM_REQ_SYSTEM;

	return (request & system) == system;
}

/* Return 0 if a leaf satisfies a request, else &hmm_leaf.unsatisfied. Under RCU. */
static int hmm_leaf_check(const struct hmm_walk *w, struct hmm_leaf leaf,
			  unsigned long request)
{
	if (leaf.unsatisfied == HMM_WALK_MIGRATION && w->waits.for_migrations)
		return HMM_WALK_MIGRATION;
	if (hmm_needs_fault(request, leaf.access))
		return leaf.unsatisfied;
	if ((leaf.hmm_pfn & HMM_PFN_ERROR) && hmm_needs_fault(request, 0))
		return -EFAULT;
	if ((leaf.hmm_pfn & HMM_MARK_PRIVATE) && hmm_requests_system_memory(request))
		return HMM_WALK_FAULT;
	return 0;
}

/*
 * Record pages in a peer's memory, whose request is satisfied. The pfns of that memory
 * are not reported: a driver would take them for those of pages that it can access.
 */
static noinline int hmm_report_peer(struct hmm_walk *w, unsigned long addr,
				    unsigned long nr, unsigned long hmm_pfn)
{
	unsigned long *at = hmm_walk_peer_pfns(w, addr), i;

	for (i = 0; i < nr; i++)
		at[i] = (hmm_pfn & ~HMM_PFN_INOUT_FLAGS) + i;
	return hmm_report(w, addr, nr, 0);
}

/**
 * hmm_walk_leaf_pte() - report a page by its PTE, of any kind
 * @w: the walk
 * @addr: the address
 * @pte: the PTE, as it was read
 *
 * Context: RCU read-side section.
 * Return: an &enum hmm_walk_stop; %HMM_WALK_MIGRATION; or an error of
 * hmm_range_fault().
 */
int hmm_walk_leaf_pte(struct hmm_walk *w, unsigned long addr, pte_t pte)
{
	struct hmm_leaf leaf = hmm_leaf_of(w, addr, pte);
	int stop = hmm_leaf_check(w, leaf, hmm_walk_request(w, addr));

	if (stop)
		return stop;
	if (unlikely(leaf.hmm_pfn & HMM_MARK_PEER))
		return hmm_report_peer(w, addr, 1, leaf.hmm_pfn);
	return hmm_report(w, addr, 1, leaf.hmm_pfn);
}

/**
 * hmm_leaf_needs_fault() - whether a fault can satisfy the request of a page
 * @w: the walk
 * @addr: the address
 * @pte: the PTE, as it was read
 *
 * Context: RCU read-side section.
 * Return: true where hmm_walk_leaf_pte() returns %HMM_WALK_FAULT.
 */
bool hmm_leaf_needs_fault(struct hmm_walk *w, unsigned long addr, pte_t pte)
{
	return hmm_leaf_check(w, hmm_leaf_of(w, addr, pte),
			      hmm_walk_request(w, addr)) == HMM_WALK_FAULT;
}

/*
 * Report the caller's own device-private memory that one PMD entry maps, unless
 * a page of it needs a fault. Where one is to return to system memory, all that
 * are requested are faulted in: the fault migrates the folio, not the page.
 */
static int hmm_report_private(struct hmm_walk *w, unsigned long addr,
			      unsigned long end, unsigned long hmm_pfn)
{
	unsigned long nr = (end - addr) >> PAGE_SHIFT, at;
	unsigned long access = hmm_pfn & HMM_PFN_WRITABLE;

	if (hmm_first_needing_fault(w, addr, nr, access) < nr)
		return hmm_record_fault(w, addr, end, access);
	if (hmm_requests_system_memory(w->default_req | w->per_pfn_req))
		for (at = addr; at < end; at += PAGE_SIZE)
			if (hmm_requests_system_memory(hmm_walk_request(w, at)))
				return hmm_record_fault(w, addr, end, 0);
	return hmm_report(w, addr, nr, hmm_pfn | HMM_MARK_PRIVATE);
}

/* Whether the entry of a PMD is for the caller's device, or else for a peer's memory. */
static void hmm_find_pmd_owner(struct hmm_walk *w, softleaf_t entry, bool *own, bool *peer)
{
	rcu_read_lock();
	memset(&w->pgmap, 0, sizeof(w->pgmap));
	*own = hmm_is_own_device_private(w, entry);
	*peer = !*own && hmm_is_peer_device_private(w, entry);
	rcu_read_unlock();
}

/* Whether some of the pages are not reached where they are. */
static bool hmm_peer_refused(const struct hmm_walk *w, unsigned long addr,
			     unsigned long end)
{
	for (; addr < end; addr += PAGE_SIZE)
		if (*hmm_walk_peer_pfns(w, addr) == HMM_PEER_REFUSED)
			return true;
	return false;
}

/* Record the pages of a peer that one PMD entry maps, unless one needs a fault. */
static int hmm_report_peer_pmd(struct hmm_walk *w, unsigned long addr,
			       unsigned long end, unsigned long hmm_pfn)
{
	unsigned long nr = (end - addr) >> PAGE_SHIFT;
	unsigned long access = hmm_pfn & HMM_PFN_WRITABLE;

	if (hmm_first_needing_fault(w, addr, nr, access) < nr)
		return hmm_record_fault(w, addr, end, access);
	return hmm_report_peer(w, addr, nr, hmm_pfn);
}

/**
 * hmm_walk_leaf_pmd() - report the pages of a PMD that is neither none nor present
 * @w: the walk
 * @pmdp: the PMD
 * @pmd: its value, as it was read
 * @addr: first address
 * @end: end address, within the PMD
 *
 * Context: the mmap lock or the VMA's lock is held, no page table lock. May sleep, to
 * wait for a page that migrates.
 * Return: an &enum hmm_walk_stop, or an error of hmm_range_fault().
 */
int hmm_walk_leaf_pmd(struct hmm_walk *w, pmd_t *pmdp, pmd_t pmd,
		      unsigned long addr, unsigned long end)
{
	unsigned long nr = (end - addr) >> PAGE_SHIFT, hmm_pfn;
	softleaf_t entry;
	bool own, peer;

	if (thp_migration_supported() && pmd_is_migration_entry(pmd)) {
		if (!w->waits.for_migrations &&
		    hmm_first_needing_fault(w, addr, nr, 0) == nr)
			return hmm_report(w, addr, nr, 0);
		if (hmm_devmem_is_stepping())
			return -EDEADLK;
		w->resume = addr;
		pmd_migration_entry_wait_killable(w->range->notifier->mm, pmdp);
		return hmm_walk_waited(w, addr);
	}
	if (!HMM_PMD_SOFTLEAVES)
		return hmm_report_error(w, addr, end, 0);

	entry = softleaf_from_pmd(pmd);
	if (!softleaf_is_device_private(entry))
		return hmm_report_error(w, addr, end, 0);
	hmm_pfn = (softleaf_to_pfn(entry) + ((addr & ~PMD_MASK) >> PAGE_SHIFT)) |
		  hmm_walk_access(w, softleaf_is_device_private_write(entry)) |
		  hmm_pfn_order(PMD_SHIFT - PAGE_SHIFT);
	hmm_find_pmd_owner(w, entry, &own, &peer);
	if (own)
		return hmm_report_private(w, addr, end, hmm_pfn);
	/* A fault of one of its pages migrates the folio. */
	if (peer && !hmm_peer_refused(w, addr, end))
		return hmm_report_peer_pmd(w, addr, end, hmm_pfn);
	if (hmm_first_needing_fault(w, addr, nr, 0) < nr)
		return hmm_record_fault(w, addr, end, 0);
	return hmm_report_error(w, addr, end, 0);
}
