/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The migration engine, internal interface.
 *
 * A migration moves pages of running processes between system and device memory,
 * in five stages:
 *
 *   collect	find the pages, lock them		collect.c, collect_*.c
 *   unmap	unmap them from all page tables	unmap.c
 *   copy	by the driver: allocate and copy	-
 *   commit	transfer identity from src to dst	commit.c, commit_*.c
 *   finalize	map the resulting folio, release	finalize.c, finalize_pte.c
 *
 * Drivers give the pages by address or by device pfn. Only collect depends on that;
 * all later stages work on an array of mpfns, one for each page.
 * docs/migration.md describes the stages.
 */
#ifndef _MM_HMM_MIGRATE_H
#define _MM_HMM_MIGRATE_H

#include <linux/hmm_migrate.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/rmap.h>

#include "../internal.h"
#include "compat-kernel.h"
#include "trace.h"

/**
 * struct hmm_migration - a migration, for the stages after collect
 * @src: an mpfn (MIGRATE_PFN_* and pfn) for each page. One with
 *	%MIGRATE_PFN_VALID owns a reference and the lock of its folio, and by pfn
 *	also a reference to its anon_vma; one with %MIGRATE_PFN_MIGRATE alone is
 *	a hole, with nothing to copy. A large folio has one mpfn, at its head,
 *	with %MIGRATE_PFN_COMPOUND; those of its tail pages are 0.
 * @dst: the mpfns of the driver's pages. May be %NULL until the commit stage.
 * @npages: length of both arrays
 * @args: the request of a migration by address, with the mmap lock held for
 *	reading; %NULL in a migration by pfn, which has no addresses and no holes
 * @vma: the VMA of the request. %NULL by pfn, and if the driver has changed the
 *	request since setup: no address is known then, holes get no page, and rmap
 *	finds the mappings of the others
 * @start: the address of the first mpfn
 * @drained: the LRU folio batches of all CPUs were drained in this migration
 * @dst_unused: a folio of @dst is not used, and marked: hmm_migration_dst_unused()
 */
struct hmm_migration {
	unsigned long *src;
	unsigned long *dst;
	unsigned long npages;
	struct migrate_vma *args;
	struct vm_area_struct *vma;
	unsigned long start;
	bool drained;
	bool dst_unused;
};

/* The address of an mpfn of @src; @m->vma is not %NULL. */
static inline unsigned long hmm_migration_addr(const struct hmm_migration *m,
					       unsigned long i)
{
	return m->start + (i << PAGE_SHIFT);
}

/*
 * Mark a src folio whose only mapping was the one at its address in the request.
 * The mark is a flag of the folio, which is locked and isolated, and not in @src,
 * which drivers write to. File systems use PG_private_2, so that only anonymous
 * folios can have the mark.
 */
static inline void hmm_migration_set_singly_mapped(struct folio *folio)
{
	if (folio_test_anon(folio))
		folio_set_private_2(folio);
}

/* Whether a folio has the mark of hmm_migration_set_singly_mapped(). */
static inline bool hmm_migration_singly_mapped(const struct folio *folio)
{
	return folio_test_anon(folio) && folio_test_private_2(folio);
}

/* Remove the mark, before the folio is unlocked. */
static inline void hmm_migration_clear_singly_mapped(struct folio *folio)
{
	if (hmm_migration_singly_mapped(folio))
		folio_clear_private_2(folio);
}

/*
 * The mmap lock is held from migrate_vma_setup() until migrate_vma_finalize(), or
 * migration entries could be moved, by mremap(), and copied, by fork(), meanwhile; or
 * until hmm_migration_detach(), from which on they are found by rmap.
 */
static inline void hmm_migration_assert_locked(const struct migrate_vma *args)
{
	if (args->vma)
		mmap_assert_locked(args->vma->vm_mm);
}

/* The folio of an mpfn that has MIGRATE_PFN_VALID. */
static inline struct folio *hmm_mpfn_folio(unsigned long mpfn)
{
	return page_folio(pfn_to_page(mpfn >> MIGRATE_PFN_SHIFT));
}

/*
 * The same for the mpfn of a folio's head: one of @src, or one of @dst that is
 * valid.
 */
static inline struct folio *hmm_mpfn_head(unsigned long mpfn)
{
	return (struct folio *)pfn_to_page(mpfn >> MIGRATE_PFN_SHIFT);
}

/* How many pages, and mpfns, an mpfn of @src is for. */
static inline unsigned long hmm_mpfn_nr_pages(unsigned long mpfn)
{
	if (!(mpfn & MIGRATE_PFN_COMPOUND))
		return 1;
	if (mpfn & MIGRATE_PFN_VALID)
		return folio_nr_pages(hmm_mpfn_head(mpfn));
	return thp_migration_supported() ? HPAGE_PMD_NR : 1;
}

/*
 * The index of the first mpfn from @i on that is not 0; @end if there is none. Of four
 * at a time, for the tail pages of large folios (benchmark: out-2m, to-ram-2m).
 */
static inline unsigned long hmm_mpfns_next(const unsigned long *mpfns,
					   unsigned long i, unsigned long end)
{
	while (i + 4 <= end &&
	       !(mpfns[i] | mpfns[i + 1] | mpfns[i + 2] | mpfns[i + 3]))
		i += 4;
	while (i < end && !mpfns[i])
		i++;
	return i;
}

/* How many pages have %MIGRATE_PFN_MIGRATE. Their src folios are locked. */
static inline unsigned long hmm_migration_pages(const struct hmm_migration *m)
{
	unsigned long i, nr, pages = 0;

	for (i = 0; i < m->npages; i += nr) {
		nr = hmm_mpfn_nr_pages(m->src[i]);
		if (m->src[i] & MIGRATE_PFN_MIGRATE)
			pages += nr;
	}
	return pages;
}

/* Whether pages migrate to a device, for events. By pfn they migrate to system memory. */
static inline bool hmm_migration_to_device(const struct hmm_migration *m)
{
	return m->args && m->args->flags & MIGRATE_VMA_SELECT_SYSTEM;
}

/* For the event of a stage that has ended. */
#define hmm_trace_stage(event, m, pages, began)					\
	trace_##event((m)->start, (m)->npages, pages,				\
		      hmm_migration_to_device(m), hmm_trace_ns(began))

/**
 * hmm_is_fault_folio() - whether the CPU fault is on a page of this folio
 * @args: the request, or %NULL in a migration by pfn
 * @folio: the folio
 *
 * The fault handler holds the lock of this folio and one more reference, from
 * before the migration until after it.
 *
 * Return: true if it is.
 */
static inline bool hmm_is_fault_folio(const struct migrate_vma *args,
				      const struct folio *folio)
{
	if (!args || !args->fault_page)
		return false;
	/* A small folio needs no look at the other page (benchmark: touch-512). */
	if (!folio_test_large(folio))
		return args->fault_page == &folio->page;
	return page_folio(args->fault_page) == folio;
}

/**
 * hmm_migration_has_poisoned() - whether any page of a folio is poisoned
 * @folio: the folio, referenced
 *
 * PG_has_hwpoisoned is not set for device memory: a driver sets PG_hwpoison alone.
 *
 * Return: true if any is.
 */
static inline bool hmm_migration_has_poisoned(struct folio *folio)
{
	unsigned long nr = folio_nr_pages(folio), i;

	for (i = 0; i < nr; i++)
		if (PageHWPoison(folio_page(folio, i)))
			return true;
	return false;
}

static inline void hmm_migration_unlock(const struct migrate_vma *args,
					struct folio *folio)
{
	if (!hmm_is_fault_folio(args, folio))
		folio_unlock(folio);
}

/**
 * hmm_migration_get_anon_vma() - take a reference to a folio's anon_vma
 * @folio: the folio; locked, and the caller has a reference
 *
 * For a migration by pfn, which holds no mmap lock: the processes that map the
 * folio can exit while it is copied. The last one would free the anon_vma, which
 * folio->mapping still refers to and rmap walks start from. The reference, which is
 * taken while the folio is mapped, prevents that until hmm_migration_release();
 * folio->mapping does not change, as the folio stays locked.
 *
 * A migration by address needs none: under the mmap lock the VMA, and its link to
 * the anon_vma of each page that it maps, cannot go away.
 *
 * Return: false if the folio is mapped nowhere, or has no anon_vma; it must not
 * migrate then.
 */
static inline bool hmm_migration_get_anon_vma(struct folio *folio)
{
	if (!folio_mapped(folio))
		return false;
	return !folio_test_anon(folio) || folio_get_anon_vma(folio);
}

/* Drop the reference of hmm_migration_get_anon_vma(). */
static inline void hmm_migration_put_anon_vma(struct folio *folio)
{
	struct anon_vma *anon_vma = folio_anon_vma(folio);

	if (anon_vma)
		put_anon_vma(anon_vma);
}

/*
 * Release the lock and reference that collect holds on a folio, and by pfn (@args
 * is NULL) the reference to its anon_vma.
 */
static inline void hmm_migration_release(const struct migrate_vma *args,
					 struct folio *folio)
{
	if (!args)
		hmm_migration_put_anon_vma(folio);
	hmm_migration_unlock(args, folio);
	folio_put(folio);
}

/**
 * hmm_migration_resulting_folio() - the folio to be mapped for an mpfn
 * @m: the migration, after commit or without it
 * @i: index of the mpfn, which has a src folio
 *
 * Return: dst if the page has migrated, else src. A driver that cancels the
 * migration, and calls finalize without commit, may have a folio in @dst, whose
 * mapping is %NULL then.
 */
static inline struct folio *
hmm_migration_resulting_folio(const struct hmm_migration *m, unsigned long i)
{
	unsigned long src = m->src[i], dst = m->dst[i];
	struct folio *folio;

	if ((src & MIGRATE_PFN_MIGRATE) && (dst & MIGRATE_PFN_VALID)) {
		folio = hmm_mpfn_folio(dst);
		if (folio->mapping)
			return folio;
	}
	return hmm_mpfn_head(src);
}

/**
 * struct hmm_migrate_source - device memory to collect from, besides what the flags of
 *	a request select
 * @selects: whether a folio of device memory migrates too. It is mapped, and the page
 *	table lock is held
 */
struct hmm_migrate_source {
	bool (*selects)(const struct hmm_migrate_source *source,
			struct folio *folio);
};

/**
 * struct hmm_migrating - what setup does about pages that are migrating already
 * @skip: they stay; else setup returns -%EAGAIN, before anything is collected
 * @addr: address of such a page; 0 if there is none
 *
 * For a caller that can wait without the mmap lock. With %HMM_MIGRATE_FAULT only.
 */
struct hmm_migrating {
	bool skip;
	unsigned long addr;
};

struct hmm_migration hmm_migration_by_address(struct migrate_vma *args);
int hmm_migration_setup(struct migrate_vma *args,
			const struct hmm_migrate_source *source,
			struct hmm_migrating *migrating);

void hmm_migration_detach(const struct migrate_vma *args);
unsigned long hmm_migration_unmap(struct hmm_migration *m);
void hmm_migration_commit(struct hmm_migration *m);
void hmm_migration_finalize(struct hmm_migration *m);
void hmm_migration_dst_unused(struct hmm_migration *m, unsigned long i);
void hmm_migration_unmark_dst(struct hmm_migration *m);
void hmm_migration_restore(struct hmm_migration *m, struct folio *folio);

bool hmm_migration_split(struct hmm_migration *m, unsigned long i);
bool hmm_migration_split_mapped(const struct migrate_vma *args,
				struct folio *folio);

void hmm_migration_split_hole(struct hmm_migration *m, unsigned long i);
unsigned long hmm_migration_insert(struct hmm_migration *m, unsigned long i);
void hmm_migration_map(struct folio *src, struct folio *result);
unsigned long hmm_migration_remap(struct hmm_migration *m, unsigned long i);

#endif /* _MM_HMM_MIGRATE_H */
