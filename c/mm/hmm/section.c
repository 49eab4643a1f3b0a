// SPDX-License-Identifier: GPL-2.0
/*
 * Sections: begin, fault, lock and check, repeated until no invalidation came in
 * between. The steps are those of "Protocol" in mirror.h.
 */
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "devmem.h"
#include "migration_wait.h"
#include "mirror.h"
#include "mirror_dma.h"
#include "pfn.h"
#include "trace.h"
#include "update_lock.h"
#include "walk.h"

/* After so many lost rounds the batch is halved in each further round. */
#define HMM_SECTION_ROUNDS 4

/* The request flags of hmm_range_fault() for an access. */
static unsigned long hmm_access_request(enum hmm_access access)
{
	switch (access) {
	case HMM_ACCESS_READ:
		return HMM_PFN_REQ_FAULT;
	case HMM_ACCESS_WRITE:
	case HMM_ACCESS_EXCLUSIVE:
		return HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE;
	default:
		return 0;
	}
}

/*
 * Clear the hmm pfns that the section will use: a walk keeps the
 * %HMM_PFN_INOUT_FLAGS that it finds, and the caller's array is not initialised.
 */
static void hmm_section_clear_pfns(struct hmm_section *section)
{
	unsigned long nr = min_t(unsigned long, hmm_span_pages(section->span),
				 section->nr_pfns);

	/* For one pfn a call is not worth it (benchmark: populate-one-page). */
	section->pfns[0] = 0;
	if (nr > 1)
		memset(section->pfns, 0, nr * sizeof(*section->pfns));
}

/* Whether what the caller has set in a section is complete and consistent. */
static bool hmm_section_valid(const struct hmm_section *section)
{
	if (!hmm_span_valid(section->span))
		return false;
	if (section->access == HMM_ACCESS_EXCLUSIVE && !section->mirror->owner)
		return false;
	if (section->migrate_to && section->access != HMM_ACCESS_READ &&
	    section->access != HMM_ACCESS_WRITE)
		return false;
	if (!section->migrate_to && (!section->pfns || !section->nr_pfns))
		return false;
	return !section->whole ||
	       (!section->migrate_to && section->access != HMM_ACCESS_EXCLUSIVE &&
		section->nr_pfns >= hmm_span_pages(section->span));
}

/* As hmm_section_start(), for the addresses of a section. */
static noinline int hmm_section_start_dma(struct hmm_section *section)
{
	if (!hmm_mirror_dma_fits(section))
		return -EINVAL;
	return hmm_section_peers_begin(section);
}

/*
 * Whether the caller would deadlock against itself. Either it holds the mirror's
 * update lock: in another section, in an invalidate callback, or by
 * hmm_mirror_lock(); a rw_semaphore, whose holder is not known, is detected in
 * callbacks only. Or it is to migrate pages in a callback of the device memory,
 * which runs under folio locks, or has begun another migration.
 */
static bool hmm_section_is_nested(const struct hmm_section *section)
{
	return hmm_update_lock_is_mine(section->mirror->update) ||
	       READ_ONCE(section->mirror->state->caller) == current ||
	       (section->migrate_to && (hmm_devmem_is_evicting(section->migrate_to) ||
					hmm_devmem_is_stepping()));
}

/* The same for a range that has an update lock of its own. */
static noinline bool hmm_section_is_nested_in(const struct hmm_interval *interval)
{
	return hmm_update_lock_is_mine(interval->lock) ||
	       READ_ONCE(interval->own_caller) == current;
}

/* First call for a section: validate it, and take the references it holds to its end. */
static int hmm_section_start(struct hmm_section *section)
{
	struct mm_struct *mm = section->mirror->mm;

	if (!hmm_section_valid(section))
		return -EINVAL;
	if (hmm_section_is_nested(section))
		return -EDEADLK;
	hmm_waits_for_update_locks();
	if (!mmget_not_zero(mm))
		return -ESRCH;
	section->mm_ref = mm;
	section->batch.start = section->span.start;
	section->batch.end = section->span.start;
	if (section->migrate_to) {
		section->migration =
			hmm_section_migration_alloc(section->migrate_to,
						    section->access == HMM_ACCESS_WRITE);
		if (!section->migration)
			return -ENOMEM;
		section->pfns = hmm_section_migration_pfns(section->migration);
		section->nr_pfns = HMM_DEVMEM_BATCH;
	} else {
		hmm_section_clear_pfns(section);
	}
	if (section->access == HMM_ACCESS_EXCLUSIVE)
		section->nr_pfns = 1;
	if (!section->timeout)
		section->timeout = msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT);
	else if (section->timeout > MAX_JIFFY_OFFSET)
		/* A longer timeout would overflow the jiffies comparison. */
		section->timeout = MAX_JIFFY_OFFSET;
	return section->dma ? hmm_section_start_dma(section) : 0;
}

/*
 * look up: take a reference to the interval of @addr. After the first batch the
 * previous interval is used to find the next one: the mirror may be gone.
 */
static int hmm_section_find(struct hmm_section *section, unsigned long addr)
{
	struct hmm_interval *before = section->interval;

	/* The first batch has an array of zeros (benchmark: populate-one-page). */
	if (before) {
		if (section->peer_pfns)
			hmm_section_peers_reset(section);
		if (hmm_span_has(before->span, addr) && !READ_ONCE(before->dead))
			return 0;
	}
	section->interval = hmm_interval_find(before ? before->state :
						       section->mirror->state, addr);
	if (before)
		hmm_interval_put(before);
	return section->interval ? 0 : -ENOENT;
}

/*
 * Migrate the pages of a walk, and keep them locked while the section is inside.
 * The sequence cannot detect races here, as migration changes it; but its read side
 * waits for invalidations that are running. Those that begin later set
 * &hmm_mover.changed.
 *
 * Returns 1 with the update lock held; 0 if a walk has to report the pages, up to
 * the end of @walk, which is set; or an error.
 */
static int hmm_section_migrate(struct hmm_section *section,
			       struct hmm_range *walk)
{
	struct hmm_span span = { walk->start, walk->end };
	struct hmm_interval *interval = section->interval;
	struct hmm_mover mover;
	int migrated, ret;

	/* begin */
	ret = hmm_interval_add_mover(interval, &mover);
	if (ret)
		return ret;
	migrated = mmu_interval_read_begin_killable(walk->notifier,
						    &walk->notifier_seq);
	/* fault */
	if (!migrated)
		migrated = hmm_section_migration_begin(section->migration,
						       section->mm_ref, &span,
						       section->pfns);
	walk->end = span.end;
	/* lock, check */
	ret = hmm_interval_enter(interval);
	hmm_interval_del_mover(interval, &mover);
	if (!ret && migrated > 0 && !mover.changed)
		return 1;
	if (!ret)
		hmm_interval_leave(interval);
	hmm_section_migration_end(section->migration);
	return ret ?: min(migrated, 0);
}

/**
 * struct hmm_section_round - how long a section has been losing races
 * @deadline: when to end with -%EBUSY, in jiffies
 * @nr: how many rounds were lost
 * @progress: a fault that dropped its lock is progress if it is at this address or
 *	behind it. %HMM_FAULT_NOT_DROPPED never is: it is ULONG_MAX, and 1 is
 *	added before the comparison
 * @waits: what walks have waited for
 */
struct hmm_section_round {
	unsigned long deadline;
	unsigned int nr;
	unsigned long progress;
	struct hmm_fault_waits waits;
};

/*
 * Whether the round has made progress, which restarts the timeout.
 *
 * A fault whose handler dropped the lock, to wait for user space for example, is
 * progress if its address is above that of all such faults before. So user space that
 * unmaps each page as soon as it has served it cannot keep a section running: that
 * ends within one timeout per page, plus the handlers' waits. The same holds for waits
 * for pages that migrate or are locked in device memory (hmm_waited()).
 */
static bool hmm_section_has_progressed(struct hmm_section_round *round, int err)
{
	bool progress = round->waits.progress;

	round->waits.progress = false;
	if (err == -EAGAIN && round->waits.dropped + 1 > round->progress) {
		round->progress = round->waits.dropped + 1;
		return true;
	}
	return progress;
}

/*
 * Return 0 to retry after @err, or the error that ends the section. A batch that
 * lost %HMM_SECTION_ROUNDS rounds is halved: a memory cgroup may be too small for
 * it, or the range may be invalidated too often, for all of its pages to be mapped
 * at one time.
 */
static int hmm_section_again(struct hmm_section *section, struct hmm_range *walk,
			     struct hmm_section_round *round, int err)
{
	struct hmm_span span = { walk->start, walk->end };

	if (err != -EBUSY && err != -EAGAIN)
		return err;
	if (fatal_signal_pending(current))
		return -EINTR;
	if (hmm_section_has_progressed(round, err))
		round->deadline = jiffies + section->timeout;
	else if (time_after(jiffies, round->deadline))
		return -EBUSY;
	if (section->peer_pfns)
		hmm_section_peers_again(section);
	if (++round->nr > HMM_SECTION_ROUNDS && !section->whole)
		walk->end = hmm_span_first(span, max(hmm_span_pages(span) / 2, 1)).end;
	hmm_mirror_count(section->interval->state,
			 err == -EBUSY ? HMM_COUNT_INVALIDATED : HMM_COUNT_DROPPED, 1);
	trace_hmm_retry(section->mirror, &(struct hmm_span){ walk->start, walk->end },
			round->nr, err);
	cond_resched();
	return 0;
}

/*
 * One round: begin, fault, lock, check. Returns 0 with the update lock held and
 * the pfns of @walk valid.
 */
static int hmm_section_try(struct hmm_section *section, struct hmm_range *walk,
			   struct hmm_section_round *round)
{
	struct hmm_interval *interval = section->interval;
	int ret;

	/* begin */
	ret = mmu_interval_read_begin_killable(walk->notifier,
					       &walk->notifier_seq);
	/* fault */
	if (ret)
		return ret;
	if (section->access == HMM_ACCESS_EXCLUSIVE)
		ret = hmm_section_exclusive_begin(section, walk, &round->waits);
	else
		ret = hmm_range_fault_vma_retry(walk, &round->waits);
	/* lock */
	if (!ret)
		ret = hmm_interval_enter(interval);
	/* check */
	if (!ret && mmu_interval_read_retry(walk->notifier, walk->notifier_seq)) {
		hmm_interval_leave(interval);
		ret = -EBUSY;
	}
	if (ret)
		hmm_section_exclusive_end(section);
	return ret;
}

/**
 * hmm_section_enter() - retry rounds until no invalidation came in between
 * @section: the section
 * @walk: the walk, with all members set but the sequence. Its end may be lowered
 *
 * Return: 0 with the update lock held and the pfns of @walk valid, or an error
 * of hmm_section_next().
 */
static int hmm_section_enter(struct hmm_section *section, struct hmm_range *walk)
{
	struct hmm_section_round round __uninitialized;
	int ret;

	round = (struct hmm_section_round){
		.deadline = jiffies + section->timeout,
		.waits.dropped = HMM_FAULT_NOT_DROPPED,
		.waits.for_migrations = section->access == HMM_ACCESS_PRESENT,
		.waits.peer_pfns = section->peer_pfns,
	};
	do {
		ret = hmm_section_try(section, walk, &round);
		if (!ret)
			return 0;
		ret = hmm_section_again(section, walk, &round, ret);
	} while (!ret);
	return ret;
}

/*
 * Choose the next batch: as much of @next, which is all that is left of the section, as is
 * in one interval and as there is room for. Takes the reference to the interval.
 */
static int hmm_section_choose(struct hmm_section *section, struct hmm_span *next)
{
	struct hmm_interval *interval;
	int ret = hmm_section_find(section, next->start);

	if (ret)
		return ret;
	interval = section->interval;
	if (unlikely(hmm_interval_has_own_lock(interval)) &&
	    hmm_section_is_nested_in(interval))
		return -EDEADLK;
	*next = hmm_span_clip(*next, interval->span);
	if (section->whole && next->end < section->span.end)
		return -ENOENT;
	if (unlikely(section->access == HMM_ACCESS_PRESENT))
		return hmm_section_skip_absent(section, next);
	*next = hmm_span_first(*next, section->nr_pfns);
	return 0;
}

/*
 * Release the update lock, the exclusive folio and the migrated folios of the
 * current batch. Inlined, as every section does this (benchmark: populate-one-page).
 */
static __always_inline void hmm_section_unlock(struct hmm_section *section)
{
	if (!section->locked)
		return;
	hmm_interval_leave(section->interval);
	section->locked = false;
	if (section->exclusive_folio)
		hmm_section_exclusive_end(section);
	if (section->migration)
		hmm_section_migration_end(section->migration);
}

/*
 * Map the batch for the device. Returns 0; an error; or 1, without the update lock, to
 * walk again, since the driver of a peer's memory has refused pages: the next walk faults
 * them in. Each such walk is for other pages, as one that was refused is not recorded again.
 */
static noinline int hmm_section_map_dma(struct hmm_section *section)
{
	int ret = hmm_mirror_dma_map(section);

	if (ret != -EOPNOTSUPP)
		return ret;
	hmm_section_peers_refuse(section);
	hmm_section_unlock(section);
	if (fatal_signal_pending(current))
		return -EINTR;
	hmm_section_peers_again(section);
	return 1;
}

/* Fault in and lock the batch of pages that follows section->batch. */
static int hmm_section_advance(struct hmm_section *section)
{
	struct hmm_span next = { section->batch.end, section->span.end };
	struct hmm_range walk __uninitialized;
	int ret;

	/* A snapshot does not sleep, so check for a fatal signal here. */
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	ret = hmm_section_choose(section, &next);
	if (ret)
		return ret;

	walk = (struct hmm_range){
		.notifier = &section->interval->notifier,
		.start = next.start,
		.end = next.end,
		.hmm_pfns = section->pfns,
		.default_flags = hmm_access_request(section->access),
		.dev_private_owner = section->interval->state->owner,
	};
	if (section->migrate_to)
		ret = hmm_section_migrate(section, &walk);
	for (;; ret = 0) {
		if (!ret)
			ret = hmm_section_enter(section, &walk);
		if (ret < 0)
			return ret;
		section->batch = (struct hmm_span){ walk.start, walk.end };
		section->locked = true;
		if (!section->dma)
			return 0;
		ret = hmm_section_map_dma(section);
		if (ret <= 0)
			return ret;
	}
}

/* Count a batch that has ended with @err; one in no range is nobody's. */
static void hmm_section_account(const struct hmm_section *section, int err)
{
	const struct hmm_interval *interval = section->interval;

	if (section->access < HMM_ACCESS_READ || section->access > HMM_ACCESS_EXCLUSIVE)
		return;
	if (unlikely(err)) {
		if (interval)
			hmm_mirror_count(interval->state, HMM_COUNT_ERRORS, 1);
		return;
	}
	hmm_mirror_count(interval->state, HMM_COUNT_FAULTS, 1);
	hmm_mirror_count(interval->state, HMM_COUNT_PAGES,
			 (section->batch.end - section->batch.start) >> PAGE_SHIFT);
}

/**
 * hmm_section_next() - go to a section's next batch of pages
 * @section: the section, with its first members filled in
 *
 * On true the update lock is held and &hmm_section.pfns holds valid pfns for
 * the pages of &hmm_section.batch: they match the CPU's page table until the next
 * call or hmm_section_leave(). hmm_section_runs() iterates over them in runs.
 *
 * On false the section was left: its end was reached, or &hmm_section.error is
 * one of
 *
 * * -%EINVAL - the span is empty, reversed or not page aligned; the access is
 *   one that pages cannot migrate for; &hmm_section.dma is of another mirror or
 *   has no room for the span; &hmm_section.whole cannot be met; or
 *   there is no array of hmm pfns
 * * -%EDEADLK - the caller is in another section with the same update lock, or holds
 *   it itself, and it is a mutex; or is in an invalidate callback under it; or has
 *   begun a migration in steps, and the section needs the mmap lock: to fault a page in,
 *   or where nothing is mapped, or a mapping is being changed. A caller
 *   that holds the lock of another range or mirror may deadlock; lockdep reports that
 * * -%ESRCH - the process is gone
 * * -%ENOENT - part of the span is in no range of the mirror, or the range was
 *   removed meanwhile
 * * -%EBUSY - other invalidations won every race until the timeout
 * * -%EINTR - a fatal signal
 * * -%EFAULT, -%EPERM, -%ENOMEM - as hmm_range_fault(); -%ENOMEM also without memory for
 *   the section itself
 * * -%EIO - the DMA API had no address for a page
 * * -%EOPNOTSUPP - for %HMM_ACCESS_EXCLUSIVE: memory that is not anonymous
 *
 * For %HMM_ACCESS_PRESENT the batches may leave out addresses that have no page table.
 *
 * What the driver has mapped in earlier batches stays mapped. Use the pages of a
 * batch before the next call if the whole span may not fit in memory.
 *
 * Context: the caller holds no mmap lock, and no update lock but this section's. May
 * sleep.
 * Return: true with the update lock held; false when the section has ended.
 */
bool hmm_section_next(struct hmm_section *section)
{
	int ret = 0;

	hmm_section_unlock(section);
	if (!section->mm_ref)
		ret = hmm_section_start(section);
	if (!ret && section->batch.end < section->span.end) {
		u64 began = hmm_trace_begin(hmm_populate);

		ret = hmm_section_advance(section);
		hmm_section_account(section, ret);
		trace_hmm_populate(section, ret, hmm_trace_ns(began));
	}
	section->error = ret;
	if (ret || !section->locked)
		hmm_section_leave(section);
	return section->locked;
}
EXPORT_SYMBOL_GPL(hmm_section_next);

/**
 * hmm_section_leave() - leave a section before its end
 * @section: the section; nothing happens when it was left already
 *
 * Drops the update lock and all references. The pfns are not valid any more.
 */
void hmm_section_leave(struct hmm_section *section)
{
	/* The loops of linux/hmm_mirror_typed.h leave it once more at their end. */
	if (!section->mm_ref)
		return;
	hmm_section_unlock(section);
	section->batch = (struct hmm_span){};
	if (section->migration) {
		if (section->pfns == hmm_section_migration_pfns(section->migration))
			section->pfns = NULL;
		hmm_section_migration_free(section->migration);
		section->migration = NULL;
	}
	if (section->peer_pfns)
		hmm_section_peers_end(section);
	if (section->interval) {
		hmm_interval_put(section->interval);
		section->interval = NULL;
	}
	/*
	 * If it is the last reference, exit_mmap() runs and calls release, which
	 * must not run under the caller's locks.
	 */
	mmput_async(section->mm_ref);
	section->mm_ref = NULL;
}
EXPORT_SYMBOL_GPL(hmm_section_leave);

/* The largest order with which the run can begin; see &hmm_run.order. */
static unsigned int hmm_run_order(const struct hmm_run *run)
{
	unsigned long at = (run->span.start >> PAGE_SHIFT) | run->pfn;
	unsigned int order = min_t(unsigned int, run->map_order,
				   ilog2(hmm_span_pages(run->span)));

	return at ? min_t(unsigned int, order, __ffs(at)) : order;
}

/* The length of the run that begins with @hmm_pfn, in pages; at most @nr. */
static unsigned long hmm_run_pages(const unsigned long *at, unsigned long nr,
				   unsigned long hmm_pfn)
{
	unsigned long step = hmm_pfn_step(hmm_pfn), i = 0;

	do
		hmm_pfn += step;
	while (++i < nr && (at[i] & ~HMM_PFN_INOUT_FLAGS) == hmm_pfn &&
	       (!step || !hmm_pagemap_border(hmm_pfn & ~HMM_PFN_FLAGS)));
	return i;
}

/* Make a run longer: @run is of one page, and @rest are the pages from there on. */
static noinline bool hmm_run_extend(struct hmm_run *run, const unsigned long *at,
				    struct hmm_span rest)
{
	unsigned long hmm_pfn = at[0] & ~HMM_PFN_INOUT_FLAGS;

	run->span = hmm_span_first(rest, hmm_run_pages(at, hmm_span_pages(rest), hmm_pfn));
	run->order = hmm_run_order(run);
	return true;
}

/**
 * hmm_section_run() - find the next run of pages; use hmm_section_runs()
 * @section: a section for which hmm_section_next() returned true
 * @run: the previous run; for the first, one whose end is the start of the batch
 *
 * Context: inside the section.
 * Return: true if there is another run.
 */
bool hmm_section_run(const struct hmm_section *section, struct hmm_run *run)
{
	const struct hmm_span rest = { run->span.end, section->batch.end };
	const unsigned long *at;
	unsigned long hmm_pfn;

	if (rest.start >= rest.end)
		return false;
	at = section->pfns + ((rest.start - section->batch.start) >> PAGE_SHIFT);
	hmm_pfn = at[0] & ~HMM_PFN_INOUT_FLAGS;
	*run = (struct hmm_run){
		.span = { rest.start, rest.start + PAGE_SIZE },
		.pfn = hmm_pfn & ~HMM_PFN_FLAGS,
		.flags = hmm_pfn & (HMM_PFN_WRITABLE | HMM_PFN_ERROR),
		.map_order = hmm_pfn_to_map_order(hmm_pfn),
	};
	/* For one page this function saves no registers (benchmark: populate-one-page). */
	return run->span.end == rest.end || hmm_run_extend(run, at, rest);
}
EXPORT_SYMBOL_GPL(hmm_section_run);

/**
 * hmm_section_pfn_to_page() - the page of a pfn that a section has reported
 * @pfn: the pfn, of a run with %HMM_PFN_VALID
 *
 * Return: the page, without a reference; valid inside the section.
 */
struct page *hmm_section_pfn_to_page(unsigned long pfn)
{
	return pfn_to_page(pfn);
}
EXPORT_SYMBOL_GPL(hmm_section_pfn_to_page);
