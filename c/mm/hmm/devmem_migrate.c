// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: migration by address.
 *
 * A range is migrated in batches, each within one VMA and one PMD. A page for which
 * no dst can be allocated, or whose copy fails, stays where it was.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/hmm_migrate.h>
#include <linux/huge_mm.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>

#include "devmem_transfer.h"
#include "lifetime.h"
#include "migration_wait.h"

/*
 * Copy and commit what was collected. Return how many pages have migrated. The folios are
 * locked; the mmap lock is held unless the transfer is by pfn. May sleep.
 */
long hmm_devmem_transfer_collected(struct hmm_devmem_transfer *t)
{
	unsigned long moved;

	if (!t->args.cpages)
		return 0;

	hmm_devmem_copy_all(t);
	hmm_devmem_batch_wait(t);
	migrate_vma_pages(&t->args);
	moved = hmm_devmem_count_pages(t);
	hmm_devmem_stats_moved(t, moved, false);
	return moved;
}

/*
 * Copy the NUMA policy of the VMA, before hmm_devmem_transfer_detach(): cpusets change the
 * policy itself, under the mmap lock. Return 0 or -ENOMEM.
 */
int hmm_devmem_transfer_copy_policy(struct hmm_devmem_transfer *t)
{
#ifdef CONFIG_NUMA
	struct mempolicy *policy = mpol_dup(vma_policy(t->args.vma));

	if (IS_ERR(policy))
		return PTR_ERR(policy);
	t->policy = policy;
#endif
	return 0;
}

/*
 * Prepare to release the mmap lock, which is held, during a transfer to system memory
 * that was collected by address. The VMA can change or go away then, so record what is
 * needed of it.
 */
void hmm_devmem_transfer_detach(struct hmm_devmem_transfer *t)
{
	struct vm_area_struct *vma = t->args.vma;

	hmm_migration_detach(&t->args);
	t->index = linear_page_index(vma, t->args.start);
	t->no_huge = vma_thp_disabled(vma, vma->vm_flags, false);
	t->args.vma = NULL;
}

/*
 * All stages but the first of a transfer to system memory that was collected by address
 * and detached. No mmap lock is held. Return how many pages have migrated.
 */
long hmm_devmem_transfer_detached(struct hmm_devmem_transfer *t)
{
	struct migrate_vma *args = &t->args;
	long moved;

	hmm_devmem_copy_all(t);
	hmm_devmem_batch_wait(t);
	migrate_device_pages(args->src, args->dst, args->npages);
	moved = hmm_devmem_count_pages(t);
	hmm_devmem_stats_moved(t, moved, false);
	migrate_device_finalize(args->src, args->dst, args->npages);
	return moved;
}

/*
 * All stages of a transfer by address but finalize; the range is in @t. Return how
 * many pages have migrated, or an error with nothing changed.
 */
long hmm_devmem_transfer_begin(struct hmm_devmem_transfer *t)
{
	return migrate_vma_setup(&t->args) ?: hmm_devmem_transfer_collected(t);
}

/*
 * Begin the time slices of the pages that have arrived. The copy of a batch can take
 * longer than one: another device would get the pages before this one has mapped any.
 */
static void hmm_devmem_start_slices(const struct hmm_devmem_transfer *t)
{
	unsigned long i;

	for (i = 0; i < t->args.npages; i++) {
		struct page *page = migrate_pfn_to_page(t->args.dst[i]);

		if (page)
			hmm_devmem_start_slice(page_folio(page));
	}
}

/* Finalize a transfer, and release what it holds but the mmap lock. May sleep. */
void hmm_devmem_transfer_end(struct hmm_devmem_transfer *t)
{
	if (t->args.cpages) {
		/* Of a migration in steps that ends before it was committed. */
		hmm_devmem_batch_wait(t);
		if (t->to)
			hmm_devmem_start_slices(t);
		migrate_vma_finalize(&t->args);
	}
	/* Last: what a batch could not copy returns its charge to @t. */
	hmm_devmem_transfer_uncharge(t);
	hmm_devmem_turn_end(&t->turn);
}

/* Whether a folio of other device memory migrates. The page table lock is held. */
static bool hmm_devmem_source_selects(const struct hmm_migrate_source *source,
				      struct folio *folio)
{
	const struct hmm_devmem_transfer *t =
		container_of(source, struct hmm_devmem_transfer, source);

	return hmm_devmem_owns_page(&folio->page) &&
	       hmm_devmem_of(&folio->page) != t->to &&
	       !hmm_devmem_slice_left(folio) &&
	       hmm_devmem_can_copy_folio(t->to, folio);
}

/*
 * Collect the batch that was chosen. The mmap lock is held. Return as
 * hmm_migration_setup().
 */
int hmm_devmem_transfer_setup(struct hmm_devmem_transfer *t,
			      struct hmm_migrating *migrating)
{
	if (!t->direct || !t->to->ops->can_copy_from)
		return hmm_migration_setup(&t->args, NULL, migrating);
	t->source.selects = hmm_devmem_source_selects;
	return hmm_migration_setup(&t->args, &t->source, migrating);
}

/* A transfer to device memory. Absent pages are faulted in first. */
struct hmm_devmem_transfer hmm_devmem_transfer_to(struct hmm_devmem *devmem)
{
	return (struct hmm_devmem_transfer){
		.to = devmem,
		.started = jiffies,
		.args = {
			.pgmap_owner = devmem->owner,
			.flags = MIGRATE_VMA_SELECT_SYSTEM | HMM_MIGRATE_FAULT |
				 HMM_DEVMEM_ANY_ORDER,
		},
	};
}

/* Have the driver add memory if less than one batch is free. Takes grow_lock; may sleep. */
void hmm_devmem_grow_if_low(struct hmm_devmem *devmem)
{
	if (!devmem->ops->grow)
		return;
	if (hmm_devmem_available(devmem) >= HMM_DEVMEM_BATCH << PAGE_SHIFT)
		return;
	/* The callback may migrate pages itself. */
	if (hmm_mutex_is_mine(&devmem->grow_lock))
		return;

	/* The callback may take long. The caller looks at signals. */
	if (mutex_lock_killable(&devmem->grow_lock))
		return;
	if (hmm_devmem_available(devmem) < HMM_DEVMEM_BATCH << PAGE_SHIFT)
		devmem->ops->grow(devmem);
	mutex_unlock(&devmem->grow_lock);
}

/*
 * Choose a batch: the part of a range within one VMA and one PMD, from @start on. The
 * mmap lock is held.
 */
int hmm_devmem_choose_batch(struct hmm_devmem_transfer *t, struct mm_struct *mm,
			    unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = vma_lookup(mm, start);

	if (!vma || !(vma->vm_flags & VM_READ))
		return -EINVAL;
	t->args.vma = vma;
	t->args.start = start;
	t->args.end = min(pmd_addr_end(start, end), vma->vm_end);
	t->batch_end = t->args.end;
	return 0;
}

/*
 * Transfer a span. The mmap lock is taken for one batch at a time: the process may
 * wait for it, and no chunk can be added under it. Return how many pages have
 * migrated; if none, the error.
 */
static long hmm_devmem_transfer_span(struct hmm_devmem_transfer *t,
				     struct mm_struct *mm, struct hmm_span span)
{
	long moved = 0, one = 0;

	for (; span.start < span.end; span.start = t->args.end) {
		if (t->to)
			hmm_devmem_grow_if_low(t->to);
		one = hmm_devmem_collect_charged(t, mm, span, true);
		if (one < 0)
			break;
		one = hmm_devmem_transfer_collected(t);
		hmm_devmem_transfer_end(t);
		mmap_read_unlock(mm);
		moved += one;
	}
	return moved ?: min(one, 0);
}

/*
 * Check a request for a process, and transfer the span. Return as hmm_devmem_migrate().
 */
static long hmm_devmem_transfer_process(struct hmm_devmem *devmem,
					struct hmm_devmem_transfer *t,
					struct mm_struct *mm,
					struct hmm_span span)
{
	long ret = -ENOMEM;

	if (span.start >= span.end || !PAGE_ALIGNED(span.start | span.end))
		return -EINVAL;
	if (hmm_devmem_is_evicting(devmem) || hmm_devmem_is_stepping())
		return -EDEADLK;
	hmm_waits_for_update_locks();
	t->args.flags |= HMM_DEVMEM_ANY_ORDER;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	if (!hmm_devmem_alloc_mpfns(t, HMM_DEVMEM_BATCH)) {
		ret = hmm_devmem_transfer_span(t, mm, span);
		hmm_devmem_free_mpfns(t);
	}
	/* As in hmm_section_leave(): release must not run under the caller's locks. */
	mmput_async(mm);
	return ret;
}

/**
 * hmm_devmem_migrate() - migrate pages of a process to device memory
 * @devmem: the device memory
 * @mm: the process
 * @span: the range
 *
 * Holes in @span get cleared device memory, huge pages if a page fault would have
 * allocated one. Pages that are swapped out are faulted in first. Pages in another
 * device's memory migrate when it is the turn of @devmem, for which the caller waits.
 * Pages that are busy, or for which no device memory is free, stay where they are;
 * that is no error. Large folios stay large if as many free pages in a row can be
 * found.
 *
 * Secondary MMUs are notified as by migrate_vma_setup(), with &hmm_devmem.owner.
 *
 * Context: Process context; may sleep. Takes the mmap lock.
 *
 * Return: the number of pages that have migrated; -%EINVAL if @span is misaligned
 * or empty, if a part of it is in no VMA, or in one that is not readable or whose
 * pages cannot migrate; -%ESRCH if the process has exited; -%EDEADLK in a callback
 * that hmm_devmem_evict(), hmm_devmem_remove() or making room waits for, and between
 * hmm_devmem_collect() and hmm_devmem_migration_end(); -%EINTR if the caller was
 * killed; -%ENOMEM. As with read(), an error after some pages have
 * migrated is not returned, but their number; the next call returns the error.
 */
long hmm_devmem_migrate(struct hmm_devmem *devmem, struct mm_struct *mm,
			struct hmm_span span)
{
	struct hmm_devmem_transfer t = hmm_devmem_transfer_to(devmem);

	return hmm_devmem_transfer_process(devmem, &t, mm, span);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migrate);

/* The flag of a request that selects pages of this type of device memory. */
unsigned long hmm_devmem_select_flag(const struct hmm_devmem *devmem)
{
	if (devmem->type == MEMORY_DEVICE_COHERENT)
		return MIGRATE_VMA_SELECT_DEVICE_COHERENT;
	return MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
}

/**
 * hmm_devmem_migrate_to_ram() - migrate pages of a process to system memory
 * @devmem: the device memory, and all other that has the same &hmm_devmem.owner
 * @mm: the process
 * @span: the range
 *
 * Pages that are busy, or for which no memory can be allocated, stay where they are;
 * that is no error.
 *
 * Context: Process context; may sleep. Takes the mmap lock.
 *
 * Return: as hmm_devmem_migrate().
 */
long hmm_devmem_migrate_to_ram(struct hmm_devmem *devmem, struct mm_struct *mm,
			       struct hmm_span span)
{
	struct hmm_devmem_transfer t = {
		.args = {
			.pgmap_owner = devmem->owner,
			.flags = hmm_devmem_select_flag(devmem),
		},
	};

	return hmm_devmem_transfer_process(devmem, &t, mm, span);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migrate_to_ram);
