// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, commit stage.
 *
 * Commit is the point of no return: dst takes over src's place in its mapping, its
 * memcg charge and its flags. The page tables still have migration entries, so that
 * a CPU that accesses one of the addresses waits for finalize.
 */
#include <linux/export.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mmu_notifier.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include "../internal.h"
#include "commit_check.h"
#include "migrate.h"

/*
 * Device memory has anonymous pages only, which are not in the swap cache. A folio
 * cannot be removed from the swap cache while its swap entry has other users.
 */
static bool hmm_commit_drop_swapcache(struct folio *folio)
{
	return folio_test_anon(folio) && folio_free_swap(folio);
}

/* As folio_mapping(), with a shortcut for most folios that migrate. */
static struct address_space *hmm_commit_mapping(struct folio *folio)
{
	if (folio_test_anon(folio) && !folio_test_swapcache(folio))
		return NULL;
	return folio_mapping(folio);
}

/*
 * A device writes to its memory without setting the dirty bit of a PTE. So a page
 * that goes to a device, or returns from it, counts as dirty and swap-backed:
 * reclaim would discard a clean page that MADV_FREE has made lazyfree, with what
 * the device wrote. VM_DROPPABLE pages may be discarded at any time, and must not
 * be swapped out.
 *
 * Other clean pages are safe: removal from the swap cache, which precedes a
 * migration to a device, marks a folio dirty, and reclaim writes out each folio
 * that it adds to the swap cache.
 */
static void hmm_commit_mark_written(struct hmm_migration *m, struct folio *dst)
{
	folio_set_dirty(dst);
	/* The VMA is known at least in a migration to the device. */
	if (m->vma && !folio_test_swapbacked(dst) &&
	    !(m->vma->vm_flags & VM_DROPPABLE))
		folio_set_swapbacked(dst);
}

/* Transfer the identity of @src, which is mapped nowhere, to @dst. Both locked. */
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

/* Transfer the identity of the src folio at @i to the driver's page, if that is valid. */
static bool hmm_commit_folio(struct hmm_migration *m, unsigned long i)
{
	return hmm_migration_dst_valid(m, i) &&
	       hmm_commit_migrate_identity(m, hmm_mpfn_head(m->src[i]),
					   hmm_mpfn_head(m->dst[i]));
}

/**
 * hmm_migration_dst_unused() - note that finalize is to free a dst folio
 * @m: the migration, before finalize
 * @i: index of an mpfn whose dst, if it has one, is not used
 *
 * The driver may have given the folio for several mpfns, with one reference. If one of
 * them uses it, or did not before this one, the mpfn at @i is cleared. The first that
 * does not use the folio keeps it, for finalize, and marks it, so that none does later.
 * hmm_migration_unmark_dst() removes the mark. It is PG_private_2, which no new folio
 * has, and no freed one may have.
 */
void hmm_migration_dst_unused(struct hmm_migration *m, unsigned long i)
{
	struct folio *folio;

	if (!(m->dst[i] & MIGRATE_PFN_VALID))
		return;
	folio = hmm_mpfn_folio(m->dst[i]);
	if (folio->mapping || folio_test_private_2(folio)) {
		m->dst[i] = 0;
		return;
	}
	folio_set_private_2(folio);
	m->dst_unused = true;
}

/* Remove the marks of hmm_migration_dst_unused(). */
void hmm_migration_unmark_dst(struct hmm_migration *m)
{
	struct folio *folio;
	unsigned long i;

	for (i = 0; m->dst_unused && i < m->npages; i++) {
		if (!(m->dst[i] & MIGRATE_PFN_VALID))
			continue;
		folio = hmm_mpfn_folio(m->dst[i]);
		if (!folio->mapping)
			folio_clear_private_2(folio);
	}
	m->dst_unused = false;
}

/* Cancel the mpfn at @i: its page stays, and its dst is not used. */
static void hmm_commit_cancel(struct hmm_migration *m, unsigned long i)
{
	m->src[i] &= ~MIGRATE_PFN_MIGRATE;
	hmm_migration_dst_unused(m, i);
}

/* Record that the tail mpfns of a large folio or hole use no dst; the first has it. */
static void hmm_commit_tails_unused(struct hmm_migration *m, unsigned long i,
				    unsigned long nr)
{
	unsigned long end = min(i + nr, m->npages);

	while ((i = hmm_mpfns_next(m->dst, i + 1, end)) < end)
		hmm_migration_dst_unused(m, i);
}

/* Whether the driver has single pages for a large folio or hole, or for a part. */
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

/* Split a large folio or hole, so that each page has an mpfn of its own. */
static bool hmm_commit_split(struct hmm_migration *m, unsigned long i)
{
	if (m->src[i] & MIGRATE_PFN_VALID)
		return hmm_migration_split(m, i);
	hmm_migration_split_hole(m, i);
	return true;
}

/*
 * Whether there is a page or hole to migrate, and a dst for it. Without an address
 * there are no holes. A dst without a src is freed by finalize.
 */
static bool hmm_commit_allowed(const struct hmm_migration *m, unsigned long i)
{
	return (m->src[i] & MIGRATE_PFN_MIGRATE) &&
	       (m->dst[i] & MIGRATE_PFN_VALID) &&
	       (m->vma || (m->src[i] & MIGRATE_PFN_VALID));
}

/* Notify secondary MMUs that pages are inserted, from @i to the end. May sleep. */
static void hmm_commit_notify_insert(struct hmm_migration *m, unsigned long i,
				     struct mmu_notifier_range *range)
{
	mmu_notifier_range_init_owner(range, MMU_NOTIFY_MIGRATE, 0, m->vma->vm_mm,
				      hmm_migration_addr(m, i),
				      hmm_migration_addr(m, m->npages),
				      m->args->pgmap_owner);
	mmu_notifier_invalidate_range_start(range);
}

/**
 * hmm_migration_commit() - the commit stage
 * @m: the migration, with the driver's pages in @dst
 *
 * Clear %MIGRATE_PFN_MIGRATE in each mpfn of @src that does not migrate. A large src
 * with small dst pages is split, and each of its pages gets an mpfn: pages with a
 * dst migrate, the others stay, whichever these are.
 *
 * Inserting a page into a hole changes memory that secondary MMUs may have mapped
 * as the zero page. They are notified once, of the range from the first such hole
 * to the end.
 *
 * Context: Process context; may sleep. The mmap lock is held in a migration by address.
 */
void hmm_migration_commit(struct hmm_migration *m)
{
	struct mmu_notifier_range range;
	u64 began = hmm_trace_begin(hmm_commit);
	bool notified = false;
	unsigned long i, nr;

	for (i = 0; i < m->npages; i += nr) {
		if (hmm_commit_needs_split(m, i) && !hmm_commit_split(m, i)) {
			m->src[i] &= ~MIGRATE_PFN_COMPOUND;
			hmm_commit_cancel(m, i);
			nr = 1;
		} else if (!hmm_commit_allowed(m, i)) {
			hmm_commit_cancel(m, i);
			nr = hmm_mpfn_nr_pages(m->src[i]);
		} else if (m->src[i] & MIGRATE_PFN_VALID) {
			if (!hmm_commit_folio(m, i))
				hmm_commit_cancel(m, i);
			nr = hmm_mpfn_nr_pages(m->src[i]);
		} else {
			if (!notified)
				hmm_commit_notify_insert(m, i, &range);
			notified = true;
			nr = hmm_migration_insert(m, i);
		}
		if (m->src[i] & MIGRATE_PFN_COMPOUND)
			hmm_commit_tails_unused(m, i, nr);
	}

	if (notified)
		mmu_notifier_invalidate_range_end(&range);
	hmm_migration_unmark_dst(m);
	if (began)
		hmm_trace_stage(hmm_commit, m, hmm_migration_pages(m), began);
}

/**
 * migrate_vma_pages() - commit a migration by address
 * @args: the request, after migrate_vma_setup(), with the driver's pages in @dst
 *
 * Afterwards the pages whose mpfn in @args->src still has %MIGRATE_PFN_MIGRATE have
 * migrated. The driver may set up its device's page tables: src and dst are still
 * locked, and the CPU's page tables map neither. @args->dst must not change any
 * more.
 *
 * A dst page that is not valid, because it is not locked, not new, of another size
 * or of another owner, is ignored, and freed by migrate_vma_finalize().
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
 * migrate_device_pages() - commit a migration by pfn
 * @src: the mpfns, from migrate_device_range() or migrate_device_pfns()
 * @dst: the driver's pages, as in migrate_vma_pages()
 * @npages: length of both arrays
 *
 * Not for mpfns from migrate_vma_setup(): by pfn each one has one more reference,
 * to the anon_vma.
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
