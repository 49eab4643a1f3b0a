/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The migration engine, inside.
 *
 * A migration moves pages between system and device memory under the feet of
 * the processes that map them. It passes through five stages:
 *
 *   collect	find the pages, pin and lock them	collect.c, collect_*.c
 *   unmap	take them out of every page table	unmap.c
 *   copy	the driver's: allocate, copy the bytes	-
 *   commit	give the new page the old one's place	commit.c, commit_*.c
 *   finalize	map what came of it, let go		commit.c, finalize_pte.c
 *
 * Drivers name the pages by address or by device pfn. That differs in collect
 * only; from there on a migration is an array of words, one for each page, and
 * every stage reads and writes nothing but the words and what they point to.
 * docs/migration.md has the whole story.
 */
#ifndef MM_HMM_MIGRATE_H
#define MM_HMM_MIGRATE_H

#include <linux/hmm_migrate.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/rmap.h>

#include "../internal.h"
#include "compat-kernel.h"

/**
 * struct hmm_migration - a migration, as the stages after collect see it
 * @src: a MIGRATE_PFN_* word for each page that is to move. One with
 *	MIGRATE_PFN_VALID owns a reference and the lock of its folio, and in a
 *	migration by pfn a reference to its anon_vma; one with
 *	MIGRATE_PFN_MIGRATE alone is a hole, where there is nothing to copy.
 *	The word at a folio's head stands for all of a large folio and carries
 *	MIGRATE_PFN_COMPOUND; the words of its tails are zero.
 * @dst: where each is to go, in the same words, from the driver. May be NULL
 *	until the commit stage.
 * @npages: length of both arrays
 * @args: the request of a migration by address, whose mmap lock is held for
 *	reading; NULL in a migration by pfn, which has no address and no holes
 * @drained: this migration has already emptied every CPU's LRU batches
 */
struct hmm_migration {
	unsigned long *src;
	unsigned long *dst;
	unsigned long npages;
	struct migrate_vma *args;
	bool drained;
};

/* The migration of a request by address. */
static inline struct hmm_migration
hmm_migration_by_address(struct migrate_vma *args)
{
	return (struct hmm_migration){
		.src = args->src,
		.dst = args->dst,
		.npages = args->npages,
		.args = args,
	};
}

/*
 * A mark on a source folio: the only mapping it had is the one at its address
 * in the request. It is on the folio, which the engine has locked and isolated,
 * and not in @src, which drivers write to. PG_private_2 is free for it, as only
 * file systems use that; so only anonymous folios have the mark.
 */
static inline void hmm_migration_set_singly_mapped(struct folio *folio)
{
	if (folio_test_anon(folio))
		folio_set_private_2(folio);
}

static inline bool hmm_migration_singly_mapped(const struct folio *folio)
{
	return folio_test_anon(folio) && folio_test_private_2(folio);
}

static inline void hmm_migration_clear_singly_mapped(struct folio *folio)
{
	if (hmm_migration_singly_mapped(folio))
		folio_clear_private_2(folio);
}

/*
 * The mmap lock is held from migrate_vma_setup() until migrate_vma_finalize().
 * Without it VMAs and migration entries may be moved and copied meanwhile.
 */
static inline void hmm_migration_assert_locked(const struct migrate_vma *args)
{
	mmap_assert_locked(args->vma->vm_mm);
}

/* The folio of a word that has MIGRATE_PFN_VALID. */
static inline struct folio *hmm_mpfn_folio(unsigned long word)
{
	return page_folio(pfn_to_page(word >> MIGRATE_PFN_SHIFT));
}

/*
 * The same for a word that names a folio's head: one of @src, which the engine
 * wrote, or one of @dst that fits.
 */
static inline struct folio *hmm_mpfn_head(unsigned long word)
{
	return (struct folio *)pfn_to_page(word >> MIGRATE_PFN_SHIFT);
}

/* How many pages, and words, a word of @src stands for. */
static inline unsigned long hmm_mpfn_nr_pages(unsigned long word)
{
	if (!(word & MIGRATE_PFN_COMPOUND))
		return 1;
	if (word & MIGRATE_PFN_VALID)
		return folio_nr_pages(hmm_mpfn_head(word));
	return thp_migration_supported() ? HPAGE_PMD_NR : 1;
}

/**
 * hmm_is_fault_folio() - is this the folio whose CPU fault is being served?
 * @args: the request, or NULL in a migration by pfn
 * @folio: the folio in question
 *
 * The fault handler holds that folio's lock, and one reference that no other
 * folio has, from before the migration until after it.
 */
static inline bool hmm_is_fault_folio(const struct migrate_vma *args,
				      const struct folio *folio)
{
	return args && args->fault_page && page_folio(args->fault_page) == folio;
}

static inline void hmm_migration_unlock(const struct migrate_vma *args,
					struct folio *folio)
{
	if (!hmm_is_fault_folio(args, folio))
		folio_unlock(folio);
}

/**
 * hmm_migration_get_anon_vma() - prepare a folio for a migration by pfn
 * @folio: the folio; locked, and the caller has a reference
 *
 * By pfn no mmap lock is held, so the processes that map the folio can exit
 * while it is copied. The last of them would free the anon_vma, which every
 * rmap walk until finalize starts from: the folio's mapping keeps pointing to
 * it. A reference taken while the folio is mapped keeps it; folio->mapping
 * names it until hmm_migration_release(), as the folio stays locked.
 *
 * A migration by address needs none. The VMA is linked to the anon_vma of each
 * page that it maps, and cannot go away under the mmap lock.
 *
 * Return: false if the folio is mapped nowhere, or has no anon_vma that could
 * be kept; it must not move then.
 */
static inline bool hmm_migration_get_anon_vma(struct folio *folio)
{
	if (!folio_mapped(folio))
		return false;
	return !folio_test_anon(folio) || folio_get_anon_vma(folio);
}

static inline void hmm_migration_put_anon_vma(struct folio *folio)
{
	struct anon_vma *anon_vma = folio_anon_vma(folio);

	if (anon_vma)
		put_anon_vma(anon_vma);
}

/*
 * Releases what collect took for a folio: its lock, its reference, and by pfn
 * (@args is NULL) the reference to its anon_vma.
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
 * hmm_migration_resulting_folio() - which folio stays at a word's place?
 * @m: the migration, after commit or instead of it
 * @i: index of the word, which has a source folio
 *
 * Return: the driver's folio if the page moved, else the source. The folio of
 * a driver that gave up, and went to finalize without commit, has its word in
 * @dst but a place in no mapping.
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

unsigned long hmm_migration_unmap(struct hmm_migration *m);
void hmm_migration_commit(struct hmm_migration *m);
void hmm_migration_finalize(struct hmm_migration *m);
void hmm_migration_restore(struct hmm_migration *m, struct folio *folio);

bool hmm_migration_split(struct hmm_migration *m, unsigned long i);
bool hmm_migration_split_mapped(const struct migrate_vma *args,
				struct folio *folio);

bool hmm_migration_dst_valid(struct hmm_migration *m, unsigned long i);
void hmm_migration_split_hole(struct hmm_migration *m, unsigned long i);
unsigned long hmm_migration_insert(struct hmm_migration *m, unsigned long i);
void hmm_migration_map(struct folio *src, struct folio *result);
unsigned long hmm_migration_remap(struct hmm_migration *m, unsigned long i);

#endif /* MM_HMM_MIGRATE_H */
