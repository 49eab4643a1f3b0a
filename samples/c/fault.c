// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: between the process's page table and the
 * device's.
 */
#include "dmirror.h"

#include <linux/memremap.h>
#include <linux/mm.h>

/**
 * DOC: Faults and invalidations
 *
 * Everything that connects the device's page table to the process's is in this
 * file, and it goes two ways.
 *
 * *From the process to the device*: dm_invalidate(). The CPU's page table
 * changes; before it does, the device has to forget what it knows of those
 * addresses. A driver needs no more than that one callback, and no driver can
 * do with less.
 *
 * *From the device to the process*: dm_populate(). The device touched an
 * address it knows nothing of. A section has the CPU's page table filled in,
 * and hands over what is there, under the lock that invalidations take. Inside
 * the braces the pages are what the process sees. There is nothing to check and
 * nothing to retry.
 *
 * A section can also leave everything as it is and only report: dm_snapshot().
 */

static bool dm_invalidate(struct dm_mirror *dm,
			  const struct hmm_invalidation *inv)
{
	/* Never sleeps, so that it can be done whether inv->may_block or not. */
	dm_table_unmap(&dm->table, inv->span);
	return true;
}

DEFINE_HMM_MIRROR_OPS(dm_mirror_ops, struct dm_mirror, mirror, dm_invalidate);

/**
 * dm_mirror_start() - mirror the memory of the process that asks for it
 * @dm: an open file with its unit set
 *
 * Return: 0, or the errors of hmm_mirror_init() and hmm_mirror_range_add().
 */
int dm_mirror_start(struct dm_mirror *dm)
{
	int ret;

	dm_table_init(&dm->table);
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
 * dm_mirror_stop() - the file is closed: let go of the process
 * @dm: an open file that was started
 */
void dm_mirror_stop(struct dm_mirror *dm)
{
	hmm_mirror_range_remove(&dm->everything);
	hmm_mirror_exit(&dm->mirror);
	dm_table_destroy(&dm->table);
}

static bool dm_run_has(const struct hmm_run *run, enum hmm_pfn_flags flags)
{
	return hmm_pfn_flags_has(hmm_run_flags(run), flags);
}

static int dm_map_run(struct dm_mirror *dm, const struct hmm_run *run)
{
	unsigned int rights = DM_MAY_READ;

	if (dm_run_has(run, HMM_PFN_WRITE))
		rights |= DM_MAY_WRITE;
	return dm_table_map(&dm->table, run->span, run->pfn, rights);
}

/* Only of what a section shows in which the pages are the device's alone. */
static int dm_map_exclusive(struct dm_mirror *dm,
			    const struct hmm_section_exclusive_run *alone)
{
	return dm_table_map(&dm->table, alone->run.span, alone->run.pfn,
			    DM_MAY_READ | DM_MAY_WRITE | DM_EXCLUSIVE);
}

static int dm_map_pages(struct dm_mirror *dm, const struct hmm_section *pages)
{
	hmm_section_runs(run, pages) {
		int ret = dm_map_run(dm, &run);

		if (ret)
			return ret;
	}
	return 0;
}

/**
 * dm_populate() - handle a fault of the device
 * @dm: the mirror
 * @work: the job that the device was doing
 * @missing: its operand that is not mapped
 * @span: the addresses that the device is going to touch
 *
 * The engine uses each batch of pages while the section is inside: there they
 * stay, while outside of it what was mapped may be invalidated again at once.
 * Stops where the engine needs something else than the next batch.
 *
 * Return: 0; -EFAULT or -EPERM when the process itself could not access @span
 * that way; -ENOMEM; other errors of hmm_section_next().
 */
int dm_populate(struct dm_mirror *dm, struct dm_work *work,
		struct dm_operand *missing, struct hmm_span span)
{
	enum hmm_access access = missing->rights & DM_MAY_WRITE ?
				 HMM_ACCESS_WRITE : HMM_ACCESS_READ;
	struct dm_operand *next;
	int ret;

	hmm_mirror_populate(pages, ret, &dm->mirror, span, access,
			    .timeout = work->timeout) {
		ret = dm_map_pages(dm, &pages);
		if (ret)
			return ret;
		next = dm_run(work, &dm->table);
		if ((next && next != missing) ||
		    missing->now != pages.batch.end)
			return 0;
	}
	return ret;
}

/**
 * dm_populate_exclusive() - map pages that the device is to have to itself
 * @dm: the mirror
 * @span: the addresses on which it is going to use atomic operations
 *
 * It has them until the CPU touches them, and that may be before this returns.
 *
 * Return: 0 when all of @span was mapped; -EOPNOTSUPP for memory that is not
 * private and anonymous; and as dm_populate().
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

/* Whose memory a page is, as a snapshot tells it. */
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

/* What a snapshot says of each page of a run, but for whose memory it is. */
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
 * @span: the addresses to look at
 * @prot: where to put one byte for each page, HMM_DMIRROR_PROT_*
 *
 * Each batch of pages is as it was at one moment. Not so the whole of @span:
 * while one batch is being reported another may change.
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
 * dm_map_local() - map what lives in the unit's own memory, and nothing else
 * @dm: the mirror
 * @span: the addresses
 *
 * Return: 0; -ENOENT when a page of @span is elsewhere; -ENOMEM; other errors
 * of hmm_section_next().
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
