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
#include "migrate.h"

/*
 * Device memory holds anonymous pages only. A page that is in the swap cache
 * too must leave it first; it cannot while others hold its swap slot.
 */
static bool hmm_commit_drop_swapcache(struct folio *folio)
{
	return folio_test_anon(folio) && folio_free_swap(folio);
}

/* As folio_mapping(), which most folios that migrate have no need to ask. */
static struct address_space *hmm_commit_mapping(struct folio *folio)
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
static void hmm_commit_mark_written(struct hmm_migration *m, struct folio *dst)
{
	folio_set_dirty(dst);
	/* The address, and so the VMA, is known at least on the way there. */
	if (m->args && !folio_test_swapbacked(dst) &&
	    !(m->args->vma->vm_flags & VM_DROPPABLE))
		folio_set_swapbacked(dst);
}

/* Gives @dst the place of @src, both locked, the latter mapped nowhere. */
static bool hmm_commit_migrate_identity(struct hmm_migration *m,
					struct folio *src, struct folio *dst)
{
	struct address_space *mapping = hmm_commit_mapping(src);
	int extra = hmm_is_fault_folio(m->args, src) ? 1 : 0;

	if (mapping && folio_is_zone_device(dst)) {
		if (!hmm_commit_drop_swapcache(src))
			return false;
		mapping = NULL;
	}
	if (folio_test_writeback(src) || folio_test_private(src))
		return false;
	if (folio_migrate_mapping(mapping, dst, src, extra))
		return false;

	folio_migrate_flags(dst, src);
	if (folio_is_zone_device(src) || folio_is_zone_device(dst))
		hmm_commit_mark_written(m, dst);
	return true;
}

static bool hmm_commit_folio(struct hmm_migration *m, unsigned long i)
{
	return hmm_migration_dst_valid(m, i) &&
	       hmm_commit_migrate_identity(m, hmm_mpfn_head(m->src[i]),
					   hmm_mpfn_head(m->dst[i]));
}

/* Has the driver single pages for a large folio or hole, or for a part of it? */
static bool hmm_commit_needs_split(const struct hmm_migration *m,
				   unsigned long i)
{
	unsigned long end;

	if (!(m->src[i] & MIGRATE_PFN_MIGRATE) ||
	    !(m->src[i] & MIGRATE_PFN_COMPOUND) ||
	    (m->dst[i] & MIGRATE_PFN_COMPOUND))
		return false;
	end = min(i + hmm_mpfn_nr_pages(m->src[i]), m->npages);
	for (; i < end; i++)
		if (m->dst[i] & MIGRATE_PFN_VALID)
			return true;
	return false;
}

/* Gives each page of a large folio or hole a word of its own. */
static bool hmm_commit_split(struct hmm_migration *m, unsigned long i)
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
static bool hmm_commit_allowed(const struct hmm_migration *m, unsigned long i)
{
	return (m->src[i] & MIGRATE_PFN_MIGRATE) &&
	       (m->dst[i] & MIGRATE_PFN_VALID) &&
	       (m->args || (m->src[i] & MIGRATE_PFN_VALID));
}

static void hmm_commit_notify_insert(struct hmm_migration *m, unsigned long i,
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
		if (hmm_commit_needs_split(m, i) && !hmm_commit_split(m, i)) {
			m->src[i] &= ~(MIGRATE_PFN_MIGRATE |
				       MIGRATE_PFN_COMPOUND);
			i++;
		} else if (!hmm_commit_allowed(m, i)) {
			m->src[i] &= ~MIGRATE_PFN_MIGRATE;
			i += hmm_mpfn_nr_pages(m->src[i]);
		} else if (m->src[i] & MIGRATE_PFN_VALID) {
			if (!hmm_commit_folio(m, i))
				m->src[i] &= ~MIGRATE_PFN_MIGRATE;
			i += hmm_mpfn_nr_pages(m->src[i]);
		} else {
			if (!notified)
				hmm_commit_notify_insert(m, i, &range);
			notified = true;
			i += hmm_migration_insert(m, i);
		}
	}

	if (notified)
		mmu_notifier_invalidate_range_end(&range);
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
	struct hmm_migration m = hmm_migration_by_address(args);

	hmm_migration_assert_locked(args);
	hmm_migration_commit(&m);
}
EXPORT_SYMBOL(migrate_vma_pages);

/**
 * migrate_device_pages() - let the driver's pages take over, by pfn
 * @src: the words, as migrate_device_range() or migrate_device_pfns() left them
 * @dst: the driver's pages, as in migrate_vma_pages()
 * @npages: length of both arrays
 *
 * Not for words from migrate_vma_setup(): by pfn each one holds a reference
 * more, see hmm_migration_get_anon_vma().
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
