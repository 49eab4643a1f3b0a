// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: device faults and invalidations.
 */
#include "dmirror.h"

#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

/**
 * DOC: Faults and invalidations
 *
 * This file keeps the device's page table consistent with the process's, in two
 * directions.
 *
 * *From the process to the device*: dm_invalidate(). Before the CPU's page table
 * changes, the callback removes the affected span from the device's page table.
 * It is the only callback that a driver must have.
 *
 * *From the device to the process*: dm_populate(). The device accessed an
 * address that its page table does not map. A section faults in the pages and
 * shows their pfns to the driver under the update lock, which invalidations
 * take too. Inside the loop's body the pfns are valid: the driver need not check
 * the interval's sequence or retry.
 *
 * dm_snapshot() shows a section that reports what is mapped and faults nothing
 * in.
 */

/*
 * &hmm_mirror_ops.invalidate: the device must not access @inv->span any more. The update
 * lock is held.
 */
static bool dm_invalidate(struct dm_mirror *dm,
			  const struct hmm_invalidation *inv)
{
	/* Never sleeps, so inv->may_block makes no difference. */
	dm_table_unmap(&dm->table, inv->span);
	hmm_attributes_invalidate(&dm->attributes, inv->span);
	return true;
}

DEFINE_HMM_MIRROR_OPS(dm_mirror_ops, struct dm_mirror, mirror, dm_invalidate);

/**
 * dm_mirror_start() - mirror the memory of the current process
 * @dm: an open file with its unit set
 *
 * Return: 0, or the errors of hmm_mirror_init() and hmm_mirror_range_add().
 */
int dm_mirror_start(struct dm_mirror *dm)
{
	int ret;

	hmm_attributes_init(&dm->attributes);
	dm_table_init(&dm->table, &dm->attributes);
	ret = hmm_mirror_init(&dm->mirror, current->mm, &dm_mirror_ops,
			      dm->unit);
	if (ret)
		return ret;

	ret = hmm_mirror_range_add(&dm->mirror, &dm->everything, HMM_SPAN_ALL);
	if (ret)
		hmm_mirror_exit(&dm->mirror);
	return ret;
}

/**
 * dm_mirror_stop() - stop mirroring, when the file is closed
 * @dm: an open file, for which dm_mirror_start() succeeded
 */
void dm_mirror_stop(struct dm_mirror *dm)
{
	hmm_mirror_range_remove(&dm->everything);
	if (dm->window)
		hmm_mirror_dma_exit(dm->window);
	kfree(dm->window);
	hmm_mirror_exit(&dm->mirror);
	dm_table_destroy(&dm->table);
	hmm_attributes_exit(&dm->attributes);
}

static bool dm_run_has(const struct hmm_run *run, enum hmm_pfn_flags flags)
{
	return hmm_pfn_flags_has(hmm_run_flags(run), flags);
}

/**
 * dm_map_run() - map a run for the device, with the access that the section reports
 * @dm: the mirror, whose update lock is held
 * @run: the run; nothing is done if no page is present
 *
 * Return: 0, or -ENOMEM.
 */
int dm_map_run(struct dm_mirror *dm, const struct hmm_run *run)
{
	unsigned int rights = DM_MAY_READ;

	if (!dm_run_has(run, HMM_PFN_VALID))
		return 0;
	if (dm_run_has(run, HMM_PFN_WRITE))
		rights |= DM_MAY_WRITE;
	return dm_table_map(&dm->table, run->span, run->pfn, rights);
}

/* Only runs of an exclusive section have this type. */
static int dm_map_exclusive(struct dm_mirror *dm,
			    const struct hmm_section_exclusive_run *alone)
{
	return dm_table_map(&dm->table, alone->run.span, alone->run.pfn,
			    DM_MAY_READ | DM_MAY_WRITE | DM_EXCLUSIVE);
}

/* Map all runs of a section batch. The update lock is held. */
static int dm_map_pages(struct dm_mirror *dm, const struct hmm_section *pages)
{
	hmm_section_runs(run, pages) {
		int ret = dm_map_run(dm, &run);

		if (ret)
			return ret;
	}
	return 0;
}

/* Map the pages of a batch that are in the memory of other units. The update lock is held. */
static int dm_map_peers(struct dm_mirror *dm, const struct hmm_section_dma_pages *pages)
{
	hmm_section_dma_pages_addresses(run, pages) {
		unsigned int rights = DM_MAY_READ;
		int ret;

		/* The unit accesses system memory by pfn, as its memory is the CPU's. */
		if (!run.dma_run.peer)
			continue;
		if (hmm_pfn_flags_has(hmm_dma_run_flags(&run.dma_run), HMM_PFN_WRITE))
			rights |= DM_MAY_WRITE;
		ret = dm_table_map_peer(&dm->table, run.dma_run.span, run.dma_run.address,
					rights);
		if (ret)
			return ret;
	}
	return 0;
}

/* How many pages dm_accept_peers() accepts, with 32 bytes for each: 4 GiB. */
#define DM_WINDOW_PAGES		(SZ_4G >> PAGE_SHIFT)

/**
 * dm_accept_peers() - access pages in the memory of other units where they are
 * @dm: the mirror
 * @span: the addresses
 *
 * Return: 0; -EBUSY if there is a span already; -ENOMEM, also for more than
 * DM_WINDOW_PAGES; errors of
 * hmm_mirror_dma_init() and hmm_mirror_dma_accept_peers().
 */
int dm_accept_peers(struct dm_mirror *dm, struct hmm_span span)
{
	struct hmm_mirror_dma *window;
	int ret;

	if (READ_ONCE(dm->window))
		return -EBUSY;
	/* Each page takes memory of the kernel. */
	if (hmm_span_pages(span) > DM_WINDOW_PAGES)
		return -ENOMEM;
	window = kzalloc_obj(*window);
	if (!window)
		return -ENOMEM;
	ret = hmm_mirror_dma_init(window, &dm->mirror, &dm->unit->dev, span);
	if (ret)
		goto free;
	ret = hmm_mirror_dma_accept_peers(window);
	/* Pairs with the acquire in dm_window_at(). */
	if (!ret && !cmpxchg_release(&dm->window, NULL, window))
		return 0;
	hmm_mirror_dma_exit(window);
	ret = ret ?: -EBUSY;
free:
	kfree(window);
	return ret;
}

/*
 * The window that the start of a span is in, or NULL. The span is shortened to addresses
 * of which that is true.
 */
static struct hmm_mirror_dma *dm_window_at(struct dm_mirror *dm, struct hmm_span *span)
{
	/* Pairs with the release in dm_accept_peers(). */
	struct hmm_mirror_dma *window = smp_load_acquire(&dm->window);

	if (!window)
		return NULL;
	if (hmm_span_has(window->span, span->start)) {
		*span = hmm_span_clip(*span, window->span);
		return window;
	}
	if (span->start < window->span.start)
		span->end = min(span->end, window->span.start);
	return NULL;
}

/* Run the job on a batch up to @end. Returns whether it needs the next batch. */
static bool dm_run_batch(struct dm_mirror *dm, struct dm_work *work,
			 const struct dm_operand *missing, unsigned long end)
{
	const struct dm_operand *next = dm_run(work, &dm->table);

	return (!next || next == missing) && missing->now == end;
}

/* dm_populate(), for addresses at which the unit accesses other units' memory, too. */
static int dm_populate_window(struct dm_mirror *dm, struct dm_work *work,
			      const struct dm_operand *missing, struct hmm_span span,
			      enum hmm_access access, struct hmm_mirror_dma *window)
{
	int ret;

	hmm_mirror_populate_dma(pages, ret, &dm->mirror, span, access, window,
				.timeout = work->timeout) {
		ret = dm_map_pages(dm, &pages.state) ?: dm_map_peers(dm, &pages);
		if (ret)
			return ret;
		if (!dm_run_batch(dm, work, missing, pages.state.batch.end))
			return 0;
	}
	return ret;
}

/**
 * dm_populate() - handle a fault of the device
 * @dm: the mirror
 * @work: the job that the device was doing
 * @missing: the operand of the job that is not mapped
 * @span: the addresses that the device is about to access
 *
 * Run the job on each section batch inside the section, where no invalidation
 * can complete; after the section, the pages may be unmapped at any time. Stop
 * when the job needs pages other than the next batch. If the process prefers some of
 * them to be in the unit's memory, they migrate on the way. Pages in the memory of other
 * units stay there if the process wants that (dm_accept_peers()).
 *
 * Return: 0; -EFAULT or -EPERM if the process itself could not access @span
 * in this way; -ENOMEM; other errors of hmm_section_next().
 */
int dm_populate(struct dm_mirror *dm, struct dm_work *work,
		struct dm_operand *missing, struct hmm_span span)
{
	enum hmm_access access = missing->rights & DM_MAY_WRITE ?
				 HMM_ACCESS_WRITE : HMM_ACCESS_READ;
	/* Only the first addresses, which have the same; the job faults on the others. */
	struct hmm_attribute attribute = hmm_attributes_get(&dm->attributes, span);
	struct hmm_devmem *migrate_to = dm_migrate_to(dm, &attribute, access);
	struct hmm_mirror_dma *window = dm_window_at(dm, &attribute.span);
	int ret;

	if (window && !migrate_to)
		return dm_populate_window(dm, work, missing, attribute.span, access, window);
	hmm_mirror_populate(pages, ret, &dm->mirror, attribute.span, access,
			    .timeout = work->timeout, .migrate_to = migrate_to) {
		ret = dm_map_pages(dm, &pages);
		if (ret)
			return ret;
		if (!dm_run_batch(dm, work, missing, pages.batch.end))
			return 0;
	}
	return ret;
}

/**
 * dm_populate_exclusive() - give the device exclusive access to pages
 * @dm: the mirror
 * @span: the addresses on which the device will use atomic operations
 *
 * The next CPU access ends the exclusive access, possibly before this returns.
 *
 * Return: 0 if all of @span was mapped; -EOPNOTSUPP for memory that is not
 * private and anonymous; the errors of dm_populate().
 */
int dm_populate_exclusive(struct dm_mirror *dm, struct hmm_span span)
{
	int ret;

	hmm_mirror_exclusive(pages, ret, &dm->mirror, span) {
		hmm_section_exclusive_runs(run, &pages) {
			ret = dm_map_exclusive(dm, &run);
			if (ret)
				return ret;
		}
	}
	return ret;
}

/* Return the SNAPSHOT flags for the kind of memory that a page is in. */
static u8 dm_place(const struct dm_mirror *dm, struct page *page)
{
	if (is_device_private_page(page))
		return page_pgmap(page)->owner == dm->unit ?
			HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL :
			HMM_DMIRROR_PROT_DEV_PRIVATE_REMOTE;
	if (is_device_coherent_page(page))
		return page_pgmap(page)->owner == dm->unit ?
			HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL :
			HMM_DMIRROR_PROT_DEV_COHERENT_REMOTE;
	return is_zero_pfn(page_to_pfn(page)) ? HMM_DMIRROR_PROT_ZERO : 0;
}

/* Return the SNAPSHOT byte of a run's pages, without the kind of memory. */
static u8 dm_run_prot(const struct hmm_run *run)
{
	u8 prot;

	if (dm_run_has(run, HMM_PFN_ERROR))
		return HMM_DMIRROR_PROT_ERROR;
	if (!dm_run_has(run, HMM_PFN_VALID))
		return HMM_DMIRROR_PROT_NONE;

	prot = dm_run_has(run, HMM_PFN_WRITE) ? HMM_DMIRROR_PROT_WRITE :
						HMM_DMIRROR_PROT_READ;
	if (run->map_order == PMD_SHIFT - PAGE_SHIFT)
		prot |= HMM_DMIRROR_PROT_PMD;
	else if (run->map_order == PUD_SHIFT - PAGE_SHIFT)
		prot |= HMM_DMIRROR_PROT_PUD;
	return prot;
}

/**
 * dm_snapshot() - report what the CPU maps
 * @dm: the mirror
 * @span: the addresses to report
 * @prot: array of one byte per page, set to HMM_DMIRROR_PROT_*
 *
 * Each section batch is consistent in itself. The whole of @span is not: while
 * one batch is being reported, another may change.
 *
 * Return: 0, or the errors of hmm_section_next().
 */
int dm_snapshot(struct dm_mirror *dm, struct hmm_span span, u8 *prot)
{
	int ret;

	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_SNAPSHOT) {
		hmm_section_runs(run, &pages) {
			u8 all = dm_run_prot(&run);

			for (unsigned long i = 0; i < hmm_span_pages(run.span); i++) {
				*prot = all;
				if (dm_run_has(&run, HMM_PFN_VALID))
					*prot |= dm_place(dm, pfn_to_page(run.pfn + i));
				prot++;
			}
		}
	}
	return ret;
}

/*
 * Whether all pages of a run are in the unit's own memory. The update lock is held.
 */
static bool dm_run_is_local(const struct dm_mirror *dm, const struct hmm_run *run)
{
	if (!dm_run_has(run, HMM_PFN_VALID))
		return false;
	for (unsigned long i = 0; i < hmm_span_pages(run->span); i++) {
		struct page *page = pfn_to_page(run->pfn + i);

		if (!is_zone_device_page(page) || page_pgmap(page)->owner != dm->unit)
			return false;
	}
	return true;
}

/**
 * dm_map_local() - map a span that is entirely in the unit's own memory
 * @dm: the mirror
 * @span: the addresses
 *
 * Return: 0; -ENOENT if a page of @span is in other memory or absent; -ENOMEM;
 * other errors of hmm_section_next().
 */
int dm_map_local(struct dm_mirror *dm, struct hmm_span span)
{
	int ret;

	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_SNAPSHOT) {
		hmm_section_runs(run, &pages) {
			if (!dm_run_is_local(dm, &run))
				return -ENOENT;
			ret = dm_map_run(dm, &run);
			if (ret)
				return ret;
		}
	}
	return ret;
}
