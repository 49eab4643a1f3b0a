// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: the compute unit of the simulated device.
 */
#include "dmirror.h"

#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

/**
 * DOC: The compute unit
 *
 * The compute unit stands for the hardware. It accesses the process's memory
 * by virtual address, through the device's page table. If an address is not
 * mapped there, the unit stops, the driver handles the device fault
 * (dm_populate()), and the unit continues where it stopped.
 *
 * It runs under the update lock. Hardware takes no lock; there, unmapping
 * flushes the device's TLB and waits for accesses that use an old translation.
 * Here the lock gives the same guarantee: no invalidation completes while the
 * unit accesses a page.
 *
 * A device fault faults in the rest of the operand instead of one page, because
 * the driver knows what the unit will access. Other drivers know only the fault
 * address and must guess how much more to fault in. Pages that were faulted in
 * can be reclaimed again: if the process's memory limit is smaller than the
 * operand, the first pages are gone when the last ones arrive. Therefore the
 * unit works on each section batch inside the section (dm_populate()), and makes
 * progress with any memory limit.
 */

/* Pages to work on before the update lock is released. */
#define DM_STEPS 64

/* Return -EBUSY after this many device faults without progress. */
#define DM_LOST_ROUNDS 1000

/**
 * dm_page_map() - map a page's data, in system or device memory
 * @page: a page of system memory or of a unit
 *
 * A real device would access the page by DMA. This one is simulated by the CPU,
 * which needs an address.
 *
 * Unmap several pages in reverse order, as with kmap_local_page().
 *
 * Return: an address that is valid until dm_page_unmap(), or NULL for a page
 * that the CPU cannot access.
 */
void *dm_page_map(struct page *page)
{
	if (is_device_private_page(page))
		return hmm_devmem_data(page) + hmm_devmem_offset(page);
	return hmm_page_is_reachable(page) ? kmap_local_page(page) : NULL;
}

/**
 * dm_page_unmap() - unmap a page mapped by dm_page_map()
 * @page: the page
 * @at: any address in the mapping, or NULL
 */
void dm_page_unmap(struct page *page, const void *at)
{
	if (at && !is_device_private_page(page))
		kunmap_local(at);
}

/* Copy from the process's memory to the buffer. */
void dm_piece_read(struct dm_work *work, void *const at[2], size_t len)
{
	memcpy(work->buffer, at[0], len);
	work->buffer += len;
}

/* Copy from the buffer to the process's memory. */
void dm_piece_write(struct dm_work *work, void *const at[2], size_t len)
{
	memcpy(at[0], work->buffer, len);
	work->buffer += len;
}

/* Compute y = a * x + y; unsigned, because signed overflow is undefined. */
void dm_piece_saxpy(struct dm_work *work, void *const at[2], size_t len)
{
	const u32 *x = at[0];
	u32 *y = at[1];

	for (size_t i = 0; i < len / sizeof(*x); i++)
		y[i] += (u32)work->a * x[i];
}

/* Add up the elements, as signed integers. */
void dm_piece_sum(struct dm_work *work, void *const at[2], size_t len)
{
	const s32 *x = at[0];

	for (size_t i = 0; i < len / sizeof(*x); i++)
		work->sum += x[i];
}

/*
 * Look up the current page of each operand, and the number of bytes up to the
 * first end of a page or operand. Returns an operand that is not mapped with
 * the rights it needs, or NULL if there is none.
 */
static struct dm_operand *dm_translate(struct dm_work *work,
				       struct dm_table *table,
				       struct dm_target targets[2], size_t *len)
{
	*len = PAGE_SIZE;
	for (int i = 0; i < ARRAY_SIZE(work->operand); i++) {
		struct dm_operand *op = &work->operand[i];

		targets[i] = (struct dm_target){};
		if (!op->rights)
			continue;
		if (!dm_table_lookup(table, op->now, op->rights, &targets[i]))
			return op;
		*len = min3(*len, op->end - op->now,
			    PAGE_SIZE - offset_in_page(op->now));
	}
	return NULL;
}

static bool dm_target_is_used(const struct dm_target *target)
{
	return target->page || target->peer;
}

/* Where the CPU, which simulates the device, accesses a target; or NULL. */
static void *dm_target_map(const struct dm_target *target)
{
	return target->peer ? dm_peer_at(target->peer) : dm_page_map(target->page);
}

static void dm_target_unmap(const struct dm_target *target, const void *at)
{
	if (!target->peer)
		dm_page_unmap(target->page, at);
}

/*
 * Work on one piece of the operands and advance them. Mark written folios dirty
 * here: the device's writes set no dirty bit in the CPU's page table. Returns 0,
 * or -EIO for a page that the CPU, which simulates the device, cannot access.
 */
static int dm_step(struct dm_work *work, const struct dm_target targets[2], size_t len)
{
	void *at[2] = {};
	int ret = 0;

	for (int i = 0; i < ARRAY_SIZE(at); i++) {
		if (!dm_target_is_used(&targets[i]))
			continue;
		at[i] = dm_target_map(&targets[i]);
		if (at[i])
			at[i] += offset_in_page(work->operand[i].now);
		else
			ret = -EIO;
	}
	if (!ret)
		work->piece(work, at, len);

	for (int i = ARRAY_SIZE(at) - 1; i >= 0; i--) {
		struct page *page = targets[i].page;

		if (!dm_target_is_used(&targets[i]))
			continue;
		dm_target_unmap(&targets[i], at[i]);
		if (ret)
			continue;
		/* Pages of a peer are dirty when they migrate, as all of device memory. */
		if (page)
			dm_mark_accessed(work->memory, page);
		if (page && (work->operand[i].rights & DM_MAY_WRITE))
			folio_mark_dirty(page_folio(page));
		work->operand[i].now += len;
	}
	return ret;
}

static bool dm_is_done(const struct dm_work *work)
{
	return work->error || work->operand[0].now >= work->operand[0].end;
}

/**
 * dm_run() - work on at most DM_STEPS pieces
 * @work: the job
 * @table: the device's page table; the caller holds the update lock
 *
 * Return: an operand that is not mapped with the rights it needs, or NULL. Also
 * NULL after an error, which is stored in &dm_work.error.
 */
struct dm_operand *dm_run(struct dm_work *work, struct dm_table *table)
{
	for (int i = 0; i < DM_STEPS && !dm_is_done(work); i++) {
		struct dm_operand *missing;
		struct dm_target targets[2];
		size_t len;

		missing = dm_translate(work, table, targets, &len);
		if (missing)
			return missing;
		work->error = dm_step(work, targets, len);
	}
	return NULL;
}

/*
 * Work until an operand is not mapped, releasing the update lock from time to
 * time for invalidations.
 */
static struct dm_operand *dm_run_all(struct dm_mirror *dm, struct dm_work *work)
{
	struct dm_operand *missing = NULL;

	while (!missing && !dm_is_done(work) && !fatal_signal_pending(current)) {
		scoped_guard(hmm_mirror, &dm->mirror)
			missing = dm_run(work, &dm->table);
		cond_resched();
	}
	return missing;
}

/*
 * Compute the span to fault in for an operand: the rest of the operand. After
 * faults without progress, halve the span each time, so that fewer pages can be
 * reclaimed before they are used. The first fault of an operand does not count.
 */
static struct hmm_span dm_window(const struct dm_work *work,
				 const struct dm_operand *missing,
				 unsigned int lost)
{
	const struct hmm_span span = {
		.start = PAGE_ALIGN_DOWN(missing->now),
		.end = PAGE_ALIGN(missing->end),
	};

	if (lost < ARRAY_SIZE(work->operand))
		return span;
	return hmm_span_first(span, DM_STEPS >> min(lost, ilog2(DM_STEPS)));
}

/**
 * dm_execute() - run a job on the device, handling its faults
 * @dm: the mirror of the process whose memory the job works on
 * @work: the job; on return, the operands' positions show how far it got
 *
 * Return: 0; an error of hmm_section_next(); -EIO for a page that the CPU, which
 * simulates the device, cannot access; -EBUSY if the operands were invalidated
 * DM_LOST_ROUNDS times without progress; -EINTR if the process is being killed.
 */
int dm_execute(struct dm_mirror *dm, struct dm_work *work)
{
	unsigned long before = ULONG_MAX;
	unsigned int lost = 0;

	work->memory = &dm->unit->memory;
	dm_map_in_advance(dm);
	for (;;) {
		struct dm_operand *missing = dm_run_all(dm, work);
		int ret;

		if (dm_is_done(work))
			return work->error;
		if (fatal_signal_pending(current))
			return -EINTR;
		lost = work->operand[0].now == before ? lost + 1 : 0;
		before = work->operand[0].now;
		if (lost > DM_LOST_ROUNDS)
			return -EBUSY;
		ret = dm_populate(dm, work, missing,
				  dm_window(work, missing, lost));
		if (ret)
			return ret;
		work->faults++;
	}
}
