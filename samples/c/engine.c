// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: the engine that does the device's work.
 */
#include "dmirror.h"

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

/**
 * DOC: The engine
 *
 * This is the hardware. It knows the process's memory only by virtual address
 * and by what the device's page table says. When the table has nothing for an
 * address it stops, the driver handles the fault (dm_populate()), and the
 * engine goes on where it stopped.
 *
 * It runs under the update lock. In a real driver the engine is silicon and
 * takes no lock; there, unmap flushes the device's TLB and waits until no
 * access by an old translation is under way. The lock stands for that: while
 * the engine has hold of a page no invalidation comes to an end.
 *
 * All of the operand that is missing is faulted in, not a page: the driver knows
 * what the engine is going to touch. Others see the fault addresses only, and
 * widen them by guessing. But memory that was faulted in need not stay: if the
 * process may have less than the operand in memory at a time, its first pages
 * are gone when the last ones come. So the engine works on each batch of a
 * section while the driver is inside (dm_populate()), and gets on however little memory
 * there is.
 */

/* How many pages the engine works on before it drops the update lock. */
#define DM_STEPS 64

/* How often in a row other users of the pages may win. */
#define DM_LOST_ROUNDS 1000

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

/* y = a * x + y; unsigned, because that may wrap around. */
void dm_piece_saxpy(struct dm_work *work, void *const at[2], size_t len)
{
	const u32 *x = at[0];
	u32 *y = at[1];

	for (size_t i = 0; i < len / sizeof(*x); i++)
		y[i] += (u32)work->a * x[i];
}

void dm_piece_sum(struct dm_work *work, void *const at[2], size_t len)
{
	const s32 *x = at[0];

	for (size_t i = 0; i < len / sizeof(*x); i++)
		work->sum += x[i];
}

/*
 * Find the pages at which the operands stand, and how many bytes can be worked
 * on before one of them comes to a page's end. Returns the operand that is not
 * mapped as it has to be, or NULL when all of them are.
 */
static struct dm_operand *dm_translate(struct dm_work *work,
				       struct dm_table *table,
				       struct page *pages[2], size_t *len)
{
	*len = PAGE_SIZE;
	for (int i = 0; i < ARRAY_SIZE(work->operand); i++) {
		struct dm_operand *op = &work->operand[i];

		pages[i] = NULL;
		if (!op->rights)
			continue;
		pages[i] = dm_table_lookup(table, op->now, op->rights);
		if (!pages[i])
			return op;
		*len = min3(*len, op->end - op->now,
			    PAGE_SIZE - offset_in_page(op->now));
	}
	return NULL;
}

/*
 * Work on one piece of the operands and step over it. The process must know of
 * pages that the device wrote to: nothing else sets their dirty bit. Returns 0, or
 * -EIO for a page that the CPU, which plays the device here, cannot reach.
 */
static int dm_step(struct dm_work *work, struct page *pages[2], size_t len)
{
	void *at[2] = {};
	int ret = 0;

	for (int i = 0; i < ARRAY_SIZE(at); i++) {
		if (!pages[i])
			continue;
		at[i] = dm_page_map(pages[i]);
		if (at[i])
			at[i] += offset_in_page(work->operand[i].now);
		else
			ret = -EIO;
	}
	if (!ret)
		work->piece(work, at, len);

	for (int i = ARRAY_SIZE(at) - 1; i >= 0; i--) {
		if (!pages[i])
			continue;
		dm_page_unmap(pages[i], at[i]);
		if (ret)
			continue;
		if (work->operand[i].rights & DM_MAY_WRITE)
			folio_mark_dirty(page_folio(pages[i]));
		work->operand[i].now += len;
	}
	return ret;
}

static bool dm_is_done(const struct dm_work *work)
{
	return work->error || work->operand[0].now >= work->operand[0].end;
}

/**
 * dm_run() - work on some pages
 * @work: the job
 * @table: the device's page table, whose update lock is held
 *
 * Return: the operand that is not mapped as it has to be, or NULL. NULL also
 * after an error, which is then in &dm_work.error.
 */
struct dm_operand *dm_run(struct dm_work *work, struct dm_table *table)
{
	for (int i = 0; i < DM_STEPS && !dm_is_done(work); i++) {
		struct dm_operand *missing;
		struct page *pages[2];
		size_t len;

		missing = dm_translate(work, table, pages, &len);
		if (missing)
			return missing;
		work->error = dm_step(work, pages, len);
	}
	return NULL;
}

/* Work until an operand is missing. Invalidations get the lock in between. */
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
 * What to fault in for an operand: all that remains, unless the last rounds
 * brought nothing. Then less and less, so that it can stay until it is used.
 * Each operand may be missing once.
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
 * dm_execute() - have the device do something
 * @dm: the mirror of the process whose memory it works on
 * @work: what to do; its operands' positions tell how far it got
 *
 * Return: 0; the errors of hmm_section_next() for an operand that cannot be
 * reached; -EIO for one whose pages the CPU, which plays the device, cannot
 * reach; -EBUSY when others took the operands away again and again; -EINTR when
 * the process is being killed.
 */
int dm_execute(struct dm_mirror *dm, struct dm_work *work)
{
	unsigned long before = ULONG_MAX;
	unsigned int lost = 0;

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
