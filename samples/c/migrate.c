// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: pages on their way to the device and home.
 */
#include "dmirror.h"

#include <linux/huge_mm.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

/**
 * DOC: Migration
 *
 * Pages move in three steps, and the driver has the one in the middle.
 *
 * First the kernel collects the pages of a stretch of addresses, locks them and
 * takes them out of every page table: the CPUs' and, through invalidation, the
 * devices'. From then on nobody reaches them; whoever tries, waits. For each
 * page there is a word, the *source*, that says which page it is and whether it
 * can be moved.
 *
 * Then the driver finds a new page for each one it wants to move, copies, and
 * notes it in a second array, the *destination*. What it leaves out stays where
 * it is: that is all the error handling there is. When it has no room for a
 * large folio it gives single pages, and the kernel takes the large one apart.
 *
 * Last the kernel puts the new pages in the old ones' place, or the old ones
 * back, and lets everybody go on. The device's page table needs nothing: the
 * device faults and finds the pages, its own included.
 *
 * There are four ways to come here: to the device and home because the program
 * says so (dm_migrate_to_device(), dm_migrate_to_system()), home because the CPU
 * touched a page that it cannot reach (dm_migrate_to_ram()), and home because
 * the unit gives up its memory (dm_evict()), when pages are named by where they
 * are and not by whose they are. The step in the middle, dm_move_pages(), is
 * the same for all of them.
 */

/* How many pages are moved at a time: as many as go into a large page. */
#define DM_BATCH	HPAGE_PMD_NR

/* How many neighbours come along when the CPU faults on a single page. */
#define DM_FAULT_AROUND	16UL

/**
 * struct dm_move - a batch of pages on the move
 * @src: what is moved, a word for each page
 * @dst: where to
 * @nr: how many words there are
 * @unit: the unit to whose memory pages go, or NULL on the way home
 * @vma: where they are mapped, or NULL when that is not known
 * @start: the address of the first in @vma
 * @fail_once: the allocation that is to fail, for tests; may be NULL
 * @short_of_room: set when there was no room for one of them
 */
struct dm_move {
	unsigned long *src;
	unsigned long *dst;
	unsigned long nr;
	struct dm_unit *unit;
	struct vm_area_struct *vma;
	unsigned long start;
	unsigned long *fail_once;
	bool short_of_room;
};

/* A new home for the pages at @i. Returns a locked folio, or NULL. */
static struct folio *dm_move_alloc(struct dm_move *move, unsigned long i,
				   unsigned int order)
{
	const gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_NOWARN;
	struct folio *folio;

	if (move->fail_once && test_and_clear_bit(DM_FAIL_ALLOC, move->fail_once))
		return NULL;
	if (move->unit)
		return dm_folio_alloc(&move->unit->memory, order);

	if (move->vma)
		folio = vma_alloc_folio(gfp, order, move->vma,
					move->start + (i << PAGE_SHIFT));
	else
		folio = folio_alloc(gfp, order);
	if (folio)
		folio_lock(folio);
	return folio;
}

/* Copy a page, or clear the new one when there is nothing to copy. */
static void dm_copy_page(struct page *to, struct page *from)
{
	void *dst = dm_page_map(to), *src;

	if (from) {
		src = dm_page_map(from);
		memcpy(dst, src, PAGE_SIZE);
		dm_page_unmap(from, src);
	} else {
		memset(dst, 0, PAGE_SIZE);
	}
	dm_page_unmap(to, dst);
}

/* Give the page or pages at @i, @from of them on, a folio of that size. */
static bool dm_move_folio(struct dm_move *move, unsigned long i,
			  struct page *from, unsigned int order)
{
	struct folio *folio = dm_move_alloc(move, i, order);

	if (!folio)
		return false;
	for (unsigned long j = 0; j < 1UL << order; j++)
		dm_copy_page(folio_page(folio, j), from ? from + j : NULL);
	move->dst[i] = migrate_pfn(folio_pfn(folio));
	if (order)
		move->dst[i] |= MIGRATE_PFN_COMPOUND;
	return true;
}

/* There was no folio of that size: give single pages, or try once more. */
static void dm_move_singly(struct dm_move *move, unsigned long i,
			   struct page *from, unsigned long nr)
{
	for (unsigned long j = 0; j < nr; j++)
		if (!dm_move_folio(move, i + j, from ? from + j : NULL, 0))
			move->short_of_room = true;
}

/* The order of what stands at @i, which may be a hole. */
static unsigned int dm_move_order(const struct dm_move *move, unsigned long i)
{
	struct page *from = migrate_pfn_to_page(move->src[i]);

	if (!(move->src[i] & MIGRATE_PFN_COMPOUND))
		return 0;
	return from ? folio_order(page_folio(from)) : HPAGE_PMD_ORDER;
}

/*
 * Move the pages of a batch that can be moved. Without a VMA a large folio
 * cannot be taken apart; it moves as a whole or stays.
 */
static void dm_move_pages(struct dm_move *move)
{
	unsigned long nr;

	for (unsigned long i = 0; i < move->nr; i += nr) {
		struct page *from = migrate_pfn_to_page(move->src[i]);
		unsigned int order = dm_move_order(move, i);

		nr = 1UL << order;
		if (!(move->src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		/* Home from holes there is nothing to bring. */
		if (!from && !move->unit)
			continue;
		if (dm_move_folio(move, i, from, order))
			continue;
		if (!order || move->vma)
			dm_move_singly(move, i, from, nr);
		else
			move->short_of_room = true;
	}
}

/* How many pages of a batch were moved. */
static unsigned long dm_move_count(const struct dm_move *move)
{
	unsigned long count = 0, nr;

	for (unsigned long i = 0; i < move->nr; i += nr) {
		struct page *to = migrate_pfn_to_page(move->dst[i]);

		nr = to ? folio_nr_pages(page_folio(to)) : 1;
		if (to && move->src[i] & MIGRATE_PFN_MIGRATE)
			count += nr;
	}
	return count;
}

/* Which pages a unit may be asked to give back. */
static unsigned long dm_unit_select(const struct dm_unit *unit)
{
	return unit->memory.coherent_base ? MIGRATE_VMA_SELECT_DEVICE_COHERENT :
					    MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
}

/* Move what @args selects. Returns how many pages were moved, or an error. */
static long dm_move_vma(struct dm_move *move, struct migrate_vma *args)
{
	long ret;

	move->src = kcalloc(2 * DM_BATCH, sizeof(*move->src), GFP_KERNEL);
	if (!move->src)
		return -ENOMEM;
	move->dst = move->src + DM_BATCH;
	args->src = move->src;
	args->dst = move->dst;
	args->flags |= MIGRATE_VMA_SELECT_COMPOUND;

	ret = migrate_vma_setup(args);
	if (!ret) {
		move->vma = args->vma;
		move->start = args->start;
		move->nr = args->npages;
		dm_move_pages(move);
		migrate_vma_pages(args);
		ret = dm_move_count(move);
		migrate_vma_finalize(args);
	}
	kfree(move->src);
	return ret;
}

/* As much of @span as lies in one VMA and can be moved at once. */
static struct vm_area_struct *dm_batch(struct mm_struct *mm, struct hmm_span *span)
{
	struct vm_area_struct *vma = vma_lookup(mm, span->start);

	if (!vma || !(vma->vm_flags & VM_READ))
		return NULL;
	span->end = min3(span->end, vma->vm_end,
			 ALIGN(span->start + 1, DM_BATCH << PAGE_SHIFT));
	return vma;
}

/*
 * Move a span batch by batch. The mmap lock is held for one at a time: it would
 * keep the process waiting, and a chunk of memory cannot be added under it.
 */
static long dm_migrate(struct dm_mirror *dm, struct hmm_span span,
		       unsigned long select, struct dm_unit *to)
{
	struct mm_struct *mm = dm->mirror.mm;
	long moved = 0, ret;

	for (struct hmm_span now = span; now.start < span.end; now.start = now.end) {
		struct dm_move move = { .unit = to, .fail_once = &dm->flags };
		struct migrate_vma args = {
			.pgmap_owner = dm->unit,
			.flags = select,
		};

		if (to)
			dm_memory_reserve(&to->memory, to, DM_BATCH << PAGE_SHIFT);
		guard(rwsem_read)(&dm->unit->memory.lock);
		if (mmap_read_lock_killable(mm))
			return -EINTR;

		now.end = span.end;
		args.vma = dm_batch(mm, &now);
		args.start = now.start;
		args.end = now.end;
		ret = args.vma ? dm_move_vma(&move, &args) : -EINVAL;
		mmap_read_unlock(mm);
		if (ret < 0)
			return ret;
		moved += ret;
	}
	return moved;
}

/**
 * dm_migrate_to_device() - move pages into a unit's memory
 * @dm: the mirror of the process
 * @span: the addresses
 *
 * What cannot be moved stays where it is.
 *
 * Return: how many pages were moved; -EINVAL where nothing is mapped that could
 * be read, or a mapping of a kind that cannot be moved; -ENOMEM when there is
 * no memory to work with; -EINTR.
 */
long dm_migrate_to_device(struct dm_mirror *dm, struct hmm_span span)
{
	return dm_migrate(dm, span, MIGRATE_VMA_SELECT_SYSTEM, dm->unit);
}

/**
 * dm_migrate_to_system() - move pages home
 * @dm: the mirror of the process
 * @span: the addresses
 *
 * What cannot be moved stays where it is, here too.
 *
 * Return: as dm_migrate_to_device().
 */
long dm_migrate_to_system(struct dm_mirror *dm, struct hmm_span span)
{
	return dm_migrate(dm, span, dm_unit_select(dm->unit), NULL);
}

/* What to bring home when the CPU faults: the page and some neighbours. */
static struct hmm_span dm_fault_span(const struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	unsigned long size = DM_FAULT_AROUND << PAGE_SHIFT;

	/* A large folio comes as a whole, unless it is mapped in parts. */
	if (folio_test_large(folio))
		size = vmf->pte ? PAGE_SIZE : folio_size(folio);
	return (struct hmm_span) {
		.start = max(ALIGN_DOWN(vmf->address, size), vmf->vma->vm_start),
		.end = min(ALIGN_DOWN(vmf->address, size) + size, vmf->vma->vm_end),
	};
}

/**
 * dm_migrate_to_ram() - the CPU touched a page in private memory
 * @vmf: the fault; the page is locked, with a reference
 *
 * Return: 0 when it is to try again; VM_FAULT_OOM; VM_FAULT_SIGBUS.
 */
vm_fault_t dm_migrate_to_ram(struct vm_fault *vmf)
{
	struct hmm_span span = dm_fault_span(vmf);
	struct migrate_vma args = {
		.vma = vmf->vma,
		.start = span.start,
		.end = span.end,
		.pgmap_owner = page_pgmap(vmf->page)->owner,
		.flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
		.fault_page = vmf->page,
	};
	struct dm_move move = {};
	long ret = dm_move_vma(&move, &args);

	if (ret == -ENOMEM || move.short_of_room)
		return VM_FAULT_OOM;
	return ret < 0 ? VM_FAULT_SIGBUS : 0;
}

/**
 * dm_evict() - bring home whatever lives in some device memory
 * @range: the memory, by physical address
 *
 * Pages that are in use at the moment, and those for which there is no memory,
 * stay.
 */
void dm_evict(const struct range *range)
{
	unsigned long last = PHYS_PFN(range->end);
	struct dm_move move = {};

	move.src = kcalloc(2 * DM_BATCH, sizeof(*move.src), GFP_KERNEL);
	if (!move.src)
		return;
	move.dst = move.src + DM_BATCH;
	move.nr = DM_BATCH;
	for (unsigned long pfn = PHYS_PFN(range->start); pfn <= last; pfn += DM_BATCH) {
		memset(move.dst, 0, DM_BATCH * sizeof(*move.dst));
		migrate_device_range(move.src, pfn, DM_BATCH);
		dm_move_pages(&move);
		migrate_device_pages(move.src, move.dst, DM_BATCH);
		migrate_device_finalize(move.src, move.dst, DM_BATCH);
	}
	kfree(move.src);
}
