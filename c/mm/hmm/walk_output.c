// SPDX-License-Identifier: GPL-2.0
/*
 * How results are written: as hmm pfns, as entries in a driver's format, or as
 * extents.
 */
#include <linux/memremap.h>
#include <linux/mmzone.h>

#include "walk.h"
#include "walk_output.h"

void hmm_write_each(unsigned long *at, unsigned long nr, unsigned long hmm_pfn,
		    unsigned long step)
{
	for (; nr; nr--, at++, hmm_pfn += step)
		hmm_write_pfn(at, hmm_pfn);
}

static noinline void hmm_write_consecutive_pfns(unsigned long *at, unsigned long nr,
						unsigned long hmm_pfn)
{
	hmm_write_consecutive(at, nr, hmm_pfn, HMM_WRITE_UNROLL);
}

static noinline void hmm_write_repeated_pfns(unsigned long *at, unsigned long nr,
					     unsigned long hmm_pfn)
{
	hmm_write_repeated(at, nr, hmm_pfn);
}

/* Entries in a driver's format have no flags of the caller to keep. */
static noinline void hmm_write_entries(unsigned long *at, unsigned long nr,
				       unsigned long entry, unsigned long step)
{
	for (; nr; nr--, at++, entry += step)
		WRITE_ONCE(*at, entry);
}

#ifdef CONFIG_ZONE_DEVICE
/* Whether all of a section of memory is system memory. */
static bool hmm_is_ram_section(unsigned long pfn)
{
	const struct mem_section *section = __pfn_to_section(pfn);

	return section && online_section(section) && !online_device_section(section);
}

/* The pgmap of a page, to be compared only; NULL for system memory. */
static const struct dev_pagemap *hmm_pagemap_of(unsigned long pfn)
{
	struct dev_pagemap *pgmap = get_dev_pagemap(pfn);

	if (pgmap)
		put_dev_pagemap(pgmap);
	return pgmap;
}

/**
 * hmm_pagemap_border() - whether the memory before a page is of another kind
 * @pfn: the page
 *
 * System memory and each &struct dev_pagemap are mapped for DMA in ways of their
 * own, so pages on the two sides of a border are not reported as one, even if
 * their pfns follow each other. Borders are where subsections of memory begin,
 * and so never inside a naturally aligned subsection.
 *
 * Context: any. No struct page is accessed.
 * Return: true if @pfn and the pfn before it are not of the same pagemap.
 */
bool hmm_pagemap_border(unsigned long pfn)
{
	if (!IS_ALIGNED(pfn, PAGES_PER_SUBSECTION))
		return false;
	if (hmm_is_ram_section(pfn) && hmm_is_ram_section(pfn - 1))
		return false;
	return hmm_pagemap_of(pfn) != hmm_pagemap_of(pfn - 1);
}

/*
 * Whether there can be a border before a page. A walk remembers the last section
 * of system memory, without its first page: most extents never leave it
 * (benchmark: extents-2m).
 */
static __always_inline bool hmm_may_be_border(const struct hmm_walk *w,
					      unsigned long hmm_pfn)
{
	return hmm_pfn - w->ram_section >= PAGES_PER_SECTION - 1 &&
	       IS_ALIGNED(hmm_pfn, PAGES_PER_SUBSECTION);
}

/* Remember the section of a page of system memory, for hmm_may_be_border(). */
static void hmm_remember_ram(struct hmm_walk *w, unsigned long hmm_pfn)
{
	if (hmm_is_ram_section(hmm_pfn & ~HMM_PFN_FLAGS))
		w->ram_section = round_down(hmm_pfn, PAGES_PER_SECTION) + 1;
}

/* How many of @nr pages can join an extent at once: a leaf has one pagemap. */
static __always_inline unsigned long hmm_extent_part(unsigned long nr,
						     unsigned long hmm_pfn)
{
	unsigned long room = PAGES_PER_SUBSECTION - (hmm_pfn & (PAGES_PER_SUBSECTION - 1));

	if (likely(nr <= room) || hmm_pfn_to_map_order(hmm_pfn) >= PFN_SUBSECTION_SHIFT)
		return nr;
	return room;
}
#else
bool hmm_pagemap_border(unsigned long pfn)
{
	return false;
}

static __always_inline unsigned long hmm_extent_part(unsigned long nr,
						     unsigned long hmm_pfn)
{
	return nr;
}

static __always_inline bool hmm_may_be_border(const struct hmm_walk *w,
					      unsigned long hmm_pfn)
{
	return false;
}

static void hmm_remember_ram(struct hmm_walk *w, unsigned long hmm_pfn)
{
}
#endif

/* Make the last extent longer by pages that follow it. */
static __always_inline int hmm_extent_append(struct hmm_walk *w, unsigned long nr,
					     unsigned long hmm_pfn)
{
	w->last->npages += nr;
	w->next += nr & -hmm_pfn_step(hmm_pfn);
	return HMM_WALK_DONE;
}

/* hmm_extend(), for pages that extend the last extent unless there is a border. */
static noinline int hmm_extend_border(struct hmm_walk *w, unsigned long addr,
				      unsigned long nr, unsigned long hmm_pfn)
{
	hmm_remember_ram(w, hmm_pfn);
	if (hmm_pagemap_border(hmm_pfn & ~HMM_PFN_FLAGS))
		return hmm_new_extent(w, addr, nr, hmm_pfn);
	return hmm_extent_append(w, nr, hmm_pfn);
}

/* Make the last extent longer, or begin another. */
static noinline int hmm_extend(struct hmm_walk *w, unsigned long addr,
			       unsigned long nr, unsigned long hmm_pfn)
{
	if (!hmm_extent_continues(w, hmm_pfn))
		return hmm_new_extent(w, addr, nr, hmm_pfn);
	if (hmm_pfn_step(hmm_pfn) && hmm_may_be_border(w, hmm_pfn))
		return hmm_extend_border(w, addr, nr, hmm_pfn);
	return hmm_extent_append(w, nr, hmm_pfn);
}

/* Report consecutive pages as extents; they may lie in more than one pagemap. */
static noinline int hmm_write_extents(struct hmm_walk *w, unsigned long addr,
				      unsigned long nr, unsigned long hmm_pfn)
{
	unsigned long part;
	int stop;

	for (; nr; nr -= part, hmm_pfn += part, addr += part << PAGE_SHIFT) {
		part = hmm_extent_part(nr, hmm_pfn);
		stop = hmm_extend(w, addr, part, hmm_pfn);
		if (stop)
			return stop;
	}
	return HMM_WALK_DONE;
}

/**
 * hmm_report() - write the result for some pages
 * @w: the walk
 * @addr: address of the first page
 * @nr: number of pages
 * @hmm_pfn: the first page's hmm pfn, with marks; with %HMM_PFN_VALID the pfns
 *	of the others follow it, otherwise all are the same
 *
 * Return: %HMM_WALK_DONE, or -%ENOSPC.
 */
int hmm_report(struct hmm_walk *w, unsigned long addr, unsigned long nr,
	       unsigned long hmm_pfn)
{
	unsigned long step = hmm_pfn_step(hmm_pfn);

	switch (w->output) {
	case HMM_OUTPUT_PFNS:
		hmm_pfn &= ~HMM_PFN_INOUT_FLAGS;
		if (step)
			hmm_write_consecutive_pfns(hmm_walk_pfns(w, addr), nr, hmm_pfn);
		else
			hmm_write_repeated_pfns(hmm_walk_pfns(w, addr), nr, hmm_pfn);
		break;
	case HMM_OUTPUT_FORMAT:
		hmm_write_entries(hmm_walk_pfns(w, addr), nr,
				  hmm_format_entry(w->format, hmm_pfn),
				  step << w->format->pfn_shift);
		break;
	case HMM_OUTPUT_EXTENTS:
		hmm_pfn &= ~HMM_PFN_INOUT_FLAGS;
		if (hmm_extent_part(nr, hmm_pfn) == nr || !step)
			return hmm_extend(w, addr, nr, hmm_pfn);
		return hmm_write_extents(w, addr, nr, hmm_pfn);
	}
	return HMM_WALK_DONE;
}
