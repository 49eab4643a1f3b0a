/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writing hmm pfns.
 *
 * The caller's flags in an hmm pfn (HMM_PFN_INOUT_FLAGS) are kept. They can
 * change during a walk: a driver sets and clears them under its update lock,
 * which a walk does not hold, and several walks can share an array. A flag that
 * is set between a walk's load of an hmm pfn and its store would be lost.
 * Therefore
 *
 * - an hmm pfn that already has the right value is not written, so that walks that
 *   find the same pages do not disturb each other;
 * - one that has been reported before is changed by cmpxchg;
 * - one that is zero or a request, which no walk has reported, is loaded and, a few
 *   instructions later, stored, up to four together. A locked instruction for each
 *   page would take longer than all the rest of the walk. Here a flag can be lost if
 *   another walk reports the page in between, and its driver takes the update lock,
 *   checks the sequence and sets the flag. The kernel's own core can lose a flag of
 *   any hmm pfn so.
 *
 * A flag lost in the last case does no harm to DMA mappings: hmm_dma_map_pfn() and
 * hmm_dma_unmap_pfn() do not rely on these flags (dma.c), and mirrors do not share
 * arrays between sections. A driver that sets the flags itself must not let two
 * walks write entries of one array that none has reported.
 */
#ifndef _MM_HMM_WALK_OUTPUT_H
#define _MM_HMM_WALK_OUTPUT_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/unroll.h>

#include "pfn.h"
#include "walk.h"

/* How many hmm pfns a loop writes at a time. */
#define HMM_WRITE_UNROLL 32

/* Write an hmm pfn where one was reported, so that the caller can have flags there. */
static noinline void hmm_rewrite_pfn(unsigned long *at, unsigned long hmm_pfn)
{
	unsigned long old = READ_ONCE(*at), new;

	do {
		new = (old & HMM_PFN_INOUT_FLAGS) | hmm_pfn;
		if (new == old)
			return;
	} while (!try_cmpxchg_relaxed(at, &old, new));
}

/**
 * hmm_write_pfn() - write the hmm pfn of a page
 * @at: the entry of the array
 * @hmm_pfn: the hmm pfn, without any of %HMM_PFN_INOUT_FLAGS
 */
static __always_inline void hmm_write_pfn(unsigned long *at, unsigned long hmm_pfn)
{
	unsigned long old = READ_ONCE(*at);

	if (old == hmm_pfn)
		return;
	if (old & ~HMM_PFN_REQUEST)
		hmm_rewrite_pfn(at, hmm_pfn);
	else
		WRITE_ONCE(*at, hmm_pfn);
}

/* The bits that an hmm pfn can have before a walk has reported it: none, or requests. */
#define HMM_UNREPORTED_ZERO	0UL
#define HMM_UNREPORTED_REQUEST	HMM_PFN_REQUEST

/* How many hmm pfns share a branch. */
#define HMM_WRITE_GROUP 4

/**
 * hmm_is_unreported() - whether no walk has reported some pages yet
 * @at: their hmm pfns, %HMM_WRITE_GROUP of them
 * @old: the bits that they can have; a constant
 *
 * Most arrays are zero before a walk, or hold requests. More than one branch for
 * four hmm pfns would slow the loops of a walk down (benchmark: snapshot-2m).
 *
 * Return: true if they can be written as they are; false if one by one.
 */
static __always_inline bool hmm_is_unreported(const unsigned long *at, const unsigned long old)
{
	unsigned long sum = READ_ONCE(at[0]) | READ_ONCE(at[1]) |
			    READ_ONCE(at[2]) | READ_ONCE(at[3]);

	return likely(!(sum & ~old));
}

/* Write the hmm pfns of pages one by one, whether they were reported or not. */
void hmm_write_each(unsigned long *at, unsigned long nr, unsigned long hmm_pfn,
		    unsigned long step);

/**
 * hmm_write_consecutive() - write the hmm pfns of pages that follow each other
 * @at: where to
 * @nr: number of pages
 * @hmm_pfn: the first one's
 * @unroll: how many to write at a time; a constant, a multiple of %HMM_WRITE_GROUP
 */
static __always_inline void hmm_write_consecutive(unsigned long *at, unsigned long nr,
						  unsigned long hmm_pfn,
						  const unsigned long unroll)
{
	unsigned long i;

	for (; nr >= unroll; nr -= unroll, at += unroll, hmm_pfn += unroll) {
		/* Keep hmm_pfn in a register of its own: one addition less for each page. */
		OPTIMIZER_HIDE_VAR(hmm_pfn);
		unrolled_full
		for (i = 0; i < unroll; i++) {
			if (!(i % HMM_WRITE_GROUP) &&
			    !hmm_is_unreported(at + i, HMM_UNREPORTED_ZERO))
				return hmm_write_each(at, nr, hmm_pfn, 1);
			WRITE_ONCE(at[i], hmm_pfn + i);
		}
	}
	if (nr)
		hmm_write_each(at, nr, hmm_pfn, 1);
}

/**
 * hmm_write_repeated() - write the same hmm pfn for many pages
 * @at: the first entry of the array
 * @nr: number of pages
 * @hmm_pfn: the hmm pfn
 */
static __always_inline void hmm_write_repeated(unsigned long *at, unsigned long nr,
					       unsigned long hmm_pfn)
{
	unsigned long i;

	for (; hmm_pfn && nr >= HMM_WRITE_UNROLL; nr -= HMM_WRITE_UNROLL, at += HMM_WRITE_UNROLL) {
		unrolled_full
		for (i = 0; i < HMM_WRITE_UNROLL; i++) {
			if (!(i % HMM_WRITE_GROUP) &&
			    !hmm_is_unreported(at + i, HMM_UNREPORTED_ZERO))
				return hmm_write_each(at, nr, hmm_pfn, 0);
			WRITE_ONCE(at[i], hmm_pfn);
		}
	}
	/* Skip hmm pfns that are 0 already. */
	for (; !hmm_pfn && nr >= HMM_WRITE_UNROLL; nr -= HMM_WRITE_UNROLL, at += HMM_WRITE_UNROLL) {
		unrolled_full
		for (i = 0; i < HMM_WRITE_UNROLL; i += HMM_WRITE_GROUP)
			if (!hmm_is_unreported(at + i, HMM_UNREPORTED_ZERO))
				return hmm_write_each(at, nr, hmm_pfn, 0);
	}
	if (nr)
		hmm_write_each(at, nr, hmm_pfn, 0);
}

/* Whether a page has the access and order of the last extent, and follows it. */
static __always_inline bool hmm_extent_continues(const struct hmm_walk *w,
						 unsigned long hmm_pfn)
{
	return w->next == hmm_pfn;
}

/**
 * hmm_new_extent() - begin an extent
 * @w: the walk, whose output are extents
 * @addr: address of the first page
 * @nr: number of pages, which are of one pagemap
 * @hmm_pfn: the first one's
 *
 * Return: %HMM_WALK_DONE, or -%ENOSPC.
 */
static __always_inline int hmm_new_extent(struct hmm_walk *w, unsigned long addr,
					  unsigned long nr, unsigned long hmm_pfn)
{
	struct hmm_extents *extents = w->extents;

	if (extents->nr == extents->room)
		return -ENOSPC;
	w->last = &extents->at[extents->nr++];
	*w->last = (struct hmm_extent){
		.start = addr,
		.npages = nr,
		.hmm_pfn = hmm_pfn,
	};
	w->next = hmm_pfn + (nr & -hmm_pfn_step(hmm_pfn));
	return HMM_WALK_DONE;
}

#endif /* _MM_HMM_WALK_OUTPUT_H */
