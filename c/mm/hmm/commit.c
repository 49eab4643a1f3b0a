// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, last two stages: commit and finalize.
 *
 * Commit is where a migration can no longer be told from one that did not
 * happen: the new folio takes over the old one's place in its mapping, its
 * charge and its flags. The page tables still hold migration entries, so
 * whoever touches the address waits.
 *
 * Finalize replaces the entries by mappings of the new folio, or of the old
 * one where there is no new one or commit refused it, and lets go of both.
 */
#include <linux/export.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mmu_notifier.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include "../internal.h"
#include "lru.h"
#include "migrate.h"

/*
 * Device memory holds anonymous pages only. A page that is in the swap cache
 * too must leave it first; it cannot while others hold its swap slot.
 */
static bool leaves_swap(struct folio *folio)
{
	return folio_test_anon(folio) && folio_free_swap(folio);
}

/* As folio_mapping(), which most folios that migrate have no need to ask. */
static struct address_space *cache_of(struct folio *folio)
{
	if (folio_test_anon(folio) && !folio_test_swapcache(folio))
		return NULL;
	return folio_mapping(folio);
}

/*
 * The device writes to its memory, and no page table entry of the CPU's notes
 * it. So what goes there or comes from there counts as written to: a clean page
 * that MADV_FREE has made lazily freeable would be discarded by reclaim, with
 * what the device wrote. The pages of VM_DROPPABLE may be lost at any time, and
 * are not to be swapped out.
 *
 * Other pages have no need of it. A page leaves the swap cache before it moves
 * to a device, which marks it dirty, and what reclaim adds to the swap cache it
 * writes out in any case.
 */
static void mark_written(struct hmm_migration *m, struct folio *dst)
{
	folio_set_dirty(dst);
	/* The address, and so the VMA, is known at least on the way there. */
	if (m->args && !folio_test_swapbacked(dst) &&
	    !(m->args->vma->vm_flags & VM_DROPPABLE))
		folio_set_swapbacked(dst);
}

/* Gives @dst the place of @src, both locked, the latter mapped nowhere. */
static bool take_over(struct hmm_migration *m, struct folio *src,
		      struct folio *dst)
{
	struct address_space *mapping = cache_of(src);
	int extra = faulting_folio(m->args, src) ? 1 : 0;

	if (mapping && folio_is_zone_device(dst)) {
		if (!leaves_swap(src))
			return false;
		mapping = NULL;
	}
	if (folio_test_writeback(src) || folio_test_private(src))
		return false;
	if (folio_migrate_mapping(mapping, dst, src, extra))
		return false;

	folio_migrate_flags(dst, src);
	if (folio_is_zone_device(src) || folio_is_zone_device(dst))
		mark_written(m, dst);
	return true;
}

static bool commit_folio(struct hmm_migration *m, unsigned long i)
{
	return hmm_migration_dst_fits(m, i) &&
	       take_over(m, mpfn_head(m->src[i]), mpfn_head(m->dst[i]));
}

/* Has the driver single pages for a large folio or hole, or for a part of it? */
static bool wants_split(const struct hmm_migration *m, unsigned long i)
{
	unsigned long end;

	if (!(m->src[i] & MIGRATE_PFN_MIGRATE) ||
	    !(m->src[i] & MIGRATE_PFN_COMPOUND) ||
	    (m->dst[i] & MIGRATE_PFN_COMPOUND))
		return false;
	for (end = min(i + mpfn_pages(m->src[i]), m->npages); i < end; i++)
		if (m->dst[i] & MIGRATE_PFN_VALID)
			return true;
	return false;
}

/* Gives each page of a large folio or hole a word of its own. */
static bool split_word(struct hmm_migration *m, unsigned long i)
{
	if (m->src[i] & MIGRATE_PFN_VALID)
		return hmm_migration_split(m, i);
	hmm_migration_split_hole(m, i);
	return true;
}

/*
 * A word moves only to a page, and by pfn only a page does. A driver's page at
 * a place that has no word to move is finalize's to free.
 */
static bool may_commit(const struct hmm_migration *m, unsigned long i)
{
	return (m->src[i] & MIGRATE_PFN_MIGRATE) &&
	       (m->dst[i] & MIGRATE_PFN_VALID) &&
	       (m->args || (m->src[i] & MIGRATE_PFN_VALID));
}

static void notify_fill(struct hmm_migration *m, unsigned long i,
			struct mmu_notifier_range *range)
{
	mmu_notifier_range_init_owner(range, MMU_NOTIFY_MIGRATE, 0,
				      m->args->vma->vm_mm,
				      m->args->start + (i << PAGE_SHIFT),
				      m->args->end, m->args->pgmap_owner);
	mmu_notifier_invalidate_range_start(range);
}

/**
 * hmm_migration_commit() - the commit stage
 * @m: the migration, with the driver's pages in @dst
 *
 * Takes MIGRATE_PFN_MIGRATE away from the words that did not move. A large
 * source whose destination is small pages is split here, and its words become
 * those of its pages; those that the driver has a page for move, the others
 * stay. The first page has no say in that: it may be the one that stays.
 *
 * Filling holes is a change that secondary MMUs must hear of: what they read
 * as zeros is a page now. They are told from the first such hole to the end.
 */
void hmm_migration_commit(struct hmm_migration *m)
{
	struct mmu_notifier_range range;
	bool notified = false;
	unsigned long i = 0;

	while (i < m->npages) {
		if (wants_split(m, i) && !split_word(m, i)) {
			m->src[i] &= ~(MIGRATE_PFN_MIGRATE |
				       MIGRATE_PFN_COMPOUND);
			i++;
		} else if (!may_commit(m, i)) {
			m->src[i] &= ~MIGRATE_PFN_MIGRATE;
			i += mpfn_pages(m->src[i]);
		} else if (m->src[i] & MIGRATE_PFN_VALID) {
			if (!commit_folio(m, i))
				m->src[i] &= ~MIGRATE_PFN_MIGRATE;
			i += mpfn_pages(m->src[i]);
		} else {
			if (!notified)
				notify_fill(m, i, &range);
			notified = true;
			i += hmm_migration_fill(m, i);
		}
	}

	if (notified)
		mmu_notifier_invalidate_range_end(&range);
}

/*
 * Reclaim may have them again, whichever stay. Before they are mapped: a folio
 * on a list counts who locks it in memory. Device folios are on no list.
 */
static void put_on_lru(struct hmm_migration *m)
{
	struct hmm_lru lru = {};
	bool unevictable = false;
	struct folio *keeper;
	unsigned long i;

	for (i = 0; i < m->npages; i += mpfn_pages(m->src[i])) {
		/* Not with interrupts off over words that have no such folio. */
		if (!(i % SWAP_CLUSTER_MAX))
			hmm_lru_end(&lru);
		if (!(m->src[i] & MIGRATE_PFN_VALID))
			continue;
		keeper = hmm_migration_keeper(m, i);
		if (folio_is_zone_device(keeper))
			continue;
		unevictable |= folio_test_unevictable(keeper);
		hmm_lru_give(&lru, keeper);
	}
	hmm_lru_end(&lru);
	/* Those wait in this CPU's batch, and in a batch nobody counts. */
	if (unevictable)
		lru_add_drain();
}

static void let_go(struct hmm_migration *m, unsigned long i)
{
	if (m->src[i] & MIGRATE_PFN_VALID) {
		migration_clear_singly_mapped(mpfn_head(m->src[i]));
		migration_release(m->args, mpfn_head(m->src[i]));
	}
	if (m->dst[i] & MIGRATE_PFN_VALID) {
		struct folio *dst = mpfn_folio(m->dst[i]);

		if (folio_test_locked(dst))
			folio_unlock(dst);
		folio_put(dst);
	}
}

/**
 * hmm_migration_finalize() - the last stage
 * @m: the migration, after commit or instead of it
 *
 * Afterwards no migration entry is left, and nothing is owned by any word.
 */
void hmm_migration_finalize(struct hmm_migration *m)
{
	unsigned long i, mapped;

	put_on_lru(m);
	for (i = 0; i < m->npages; ) {
		/* One word may stand for a folio that the array has no room for. */
		mapped = min(i + hmm_migration_remap(m, i), m->npages);
		for (; i < mapped; i++)
			if ((m->src[i] | m->dst[i]) & MIGRATE_PFN_VALID)
				let_go(m, i);
	}
}

static struct hmm_migration by_address(struct migrate_vma *args)
{
	return (struct hmm_migration) {
		.src = args->src,
		.dst = args->dst,
		.npages = args->npages,
		.args = args,
	};
}

/**
 * migrate_vma_pages() - let the driver's pages take over
 * @args: the request, as migrate_vma_setup() and the driver left it
 *
 * When this has returned, the words of @args->src that still have
 * %MIGRATE_PFN_MIGRATE have moved. The driver may then set up its own page
 * tables: old and new pages are still locked, and the CPU's page tables lead
 * to neither. @args->dst must not change any more.
 *
 * A page that does not fit its place stays the driver's to look at and is
 * freed by migrate_vma_finalize(): one that is not locked or not new, has
 * another size or another owner.
 *
 * Context: Process context; may sleep. The mmap lock is held.
 */
void migrate_vma_pages(struct migrate_vma *args)
{
	struct hmm_migration m = by_address(args);

	migration_assert_locked(args);
	hmm_migration_commit(&m);
}
EXPORT_SYMBOL(migrate_vma_pages);

/**
 * migrate_vma_finalize() - end a migration by address
 * @args: the request
 *
 * Maps the pages that moved where the old ones were, maps the others again as
 * they were, unlocks all, and drops the migration's references: of a page that
 * moved the old one is freed, of one that did not the driver's.
 *
 * Context: Process context; may sleep. The mmap lock is held.
 */
void migrate_vma_finalize(struct migrate_vma *args)
{
	struct hmm_migration m = by_address(args);

	migration_assert_locked(args);
	hmm_migration_finalize(&m);
}
EXPORT_SYMBOL(migrate_vma_finalize);

/**
 * migrate_device_pages() - let the driver's pages take over, by pfn
 * @src: the words, as migrate_device_range() or migrate_device_pfns() left them
 * @dst: the driver's pages, as in migrate_vma_pages()
 * @npages: length of both arrays
 *
 * Not for words from migrate_vma_setup(): by pfn each one holds a reference
 * more, see migration_hold_anon_vma().
 *
 * Context: Process context; may sleep. Needs no mmap lock.
 */
void migrate_device_pages(unsigned long *src, unsigned long *dst,
			  unsigned long npages)
{
	struct hmm_migration m = { .src = src, .dst = dst, .npages = npages };

	hmm_migration_commit(&m);
}
EXPORT_SYMBOL(migrate_device_pages);

/**
 * migrate_device_finalize() - end a migration by pfn
 * @src: the words
 * @dst: the driver's pages. The copies are complete and visible to the CPU.
 * @npages: length of both arrays
 *
 * As migrate_vma_finalize().
 *
 * Context: Process context; may sleep. Needs no mmap lock.
 */
void migrate_device_finalize(unsigned long *src, unsigned long *dst,
			     unsigned long npages)
{
	struct hmm_migration m = { .src = src, .dst = dst, .npages = npages };

	hmm_migration_finalize(&m);
}
EXPORT_SYMBOL(migrate_device_finalize);

/* A locked folio of system memory, for the contents of @folio. */
static unsigned long alloc_refuge(struct folio *folio)
{
	unsigned int order = folio_order(folio);
	struct folio *refuge = folio_alloc(GFP_USER | __GFP_NOWARN, order);

	if (!refuge)
		return 0;
	folio_lock(refuge);
	return migrate_pfn(folio_pfn(refuge)) |
	       (order ? MIGRATE_PFN_COMPOUND : 0);
}

/**
 * migrate_device_coherent_folio() - bring a folio of coherent memory home
 * @folio: the folio; the caller's reference to it is consumed
 *
 * For GUP, which cannot pin device memory for long.
 *
 * Context: Process context; may sleep.
 *
 * Return: 0 if its contents and mappings are in system memory now, or it is
 * mapped nowhere any more; -EBUSY if it is pinned, or memory ran out, and
 * everything is as it was.
 */
int migrate_device_coherent_folio(struct folio *folio)
{
	unsigned long dst = 0, src = migrate_pfn(folio_pfn(folio)) |
				     MIGRATE_PFN_MIGRATE;
	struct hmm_migration m = { .src = &src, .dst = &dst, .npages = 1 };
	bool mapped;

	folio_lock(folio);
	if (!migration_hold_anon_vma(folio)) {
		mapped = folio_mapped(folio);
		folio_unlock(folio);
		folio_put(folio);
		return mapped ? -EBUSY : 0;
	}
	if (folio_test_large(folio))
		src |= MIGRATE_PFN_COMPOUND;
	if (!hmm_migration_unmap(&m))
		return -EBUSY;

	dst = alloc_refuge(folio);
	hmm_migration_commit(&m);
	if (src & MIGRATE_PFN_MIGRATE)
		folio_copy(mpfn_folio(dst), folio);
	hmm_migration_finalize(&m);
	return src & MIGRATE_PFN_MIGRATE ? 0 : -EBUSY;
}
