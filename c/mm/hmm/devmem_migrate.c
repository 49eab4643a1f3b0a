// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: pages on their way there and home.
 *
 * Everything that moves is a transfer: the migration engine says which pages
 * can, and for each of them a place is allocated and filled. If the place or
 * the filling fails the engine maps the page where it was.
 */
#include <linux/export.h>
#include <linux/hmm_migrate.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "devmem_transfer.h"

/*
 * All stages of a transfer by address but the last; the range is in @t. Returns
 * how many pages have moved, or an error, upon which nothing has begun.
 */
long hmm_devmem_transfer_begin(struct hmm_devmem_transfer *t)
{
	int err = migrate_vma_setup(&t->args);

	if (err)
		return err;
	if (!t->args.cpages)
		return 0;

	hmm_devmem_copy_all(t);
	migrate_vma_pages(&t->args);
	return hmm_devmem_count_moved(t);
}

void hmm_devmem_transfer_end(struct hmm_devmem_transfer *t)
{
	if (t->args.cpages)
		migrate_vma_finalize(&t->args);
}

static long hmm_devmem_transfer_range(struct hmm_devmem_transfer *t)
{
	long moved = hmm_devmem_transfer_begin(t);

	if (moved >= 0)
		hmm_devmem_transfer_end(t);
	return moved;
}

/* Pages of the system on their way to a device, absent ones brought first. */
struct hmm_devmem_transfer hmm_devmem_transfer_to(struct hmm_devmem *devmem)
{
	return (struct hmm_devmem_transfer){
		.to = devmem,
		.args = {
			.pgmap_owner = devmem->owner,
			.flags = MIGRATE_VMA_SELECT_SYSTEM | HMM_MIGRATE_FAULT |
				 HMM_DEVMEM_ANY_ORDER,
		},
	};
}

/* Has the driver add memory if what is free is less than one batch. */
void hmm_devmem_grow_if_low(struct hmm_devmem *devmem)
{
	if (!devmem->ops->grow)
		return;
	if (hmm_devmem_available(devmem) >= HMM_DEVMEM_BATCH << PAGE_SHIFT)
		return;

	guard(mutex)(&devmem->grow_lock);
	if (hmm_devmem_available(devmem) < HMM_DEVMEM_BATCH << PAGE_SHIFT)
		devmem->ops->grow(devmem);
}

/* A batch is what lies in one VMA and under one PMD, from @start on. */
int hmm_devmem_choose_batch(struct hmm_devmem_transfer *t, struct mm_struct *mm,
			    unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = vma_lookup(mm, start);

	if (!vma || !(vma->vm_flags & VM_READ))
		return -EINVAL;
	t->args.vma = vma;
	t->args.start = start;
	t->args.end = min(pmd_addr_end(start, end), vma->vm_end);
	return 0;
}

/*
 * The mmap lock is taken for one batch at a time: it keeps the process
 * waiting, and no chunk can be added under it. Returns how many pages have
 * moved, or why none has.
 */
static long hmm_devmem_transfer_span(struct hmm_devmem_transfer *t,
				     struct mm_struct *mm, struct hmm_span span)
{
	long moved = 0, one = 0;

	for (; span.start < span.end; span.start = t->args.end) {
		if (t->to)
			hmm_devmem_grow_if_low(t->to);
		/* The lock looks at signals only if it has to be waited for. */
		one = -EINTR;
		if (fatal_signal_pending(current) ||
		    mmap_read_lock_killable(mm))
			break;
		one = hmm_devmem_choose_batch(t, mm, span.start, span.end) ?:
			      hmm_devmem_transfer_range(t);
		mmap_read_unlock(mm);
		if (one < 0)
			break;
		moved += one;
		cond_resched();
	}
	return moved ?: min(one, 0);
}

static long hmm_devmem_transfer_process(struct hmm_devmem_transfer *t,
					struct mm_struct *mm,
					struct hmm_span span)
{
	long ret = -ENOMEM;

	if (span.start >= span.end || !PAGE_ALIGNED(span.start | span.end))
		return -EINVAL;
	t->args.flags |= HMM_DEVMEM_ANY_ORDER;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	if (!hmm_devmem_alloc_mpfns(t, HMM_DEVMEM_BATCH)) {
		ret = hmm_devmem_transfer_span(t, mm, span);
		hmm_devmem_free_mpfns(t);
	}
	mmput(mm);
	return ret;
}

/**
 * hmm_devmem_migrate() - move pages of a process to device memory
 * @devmem: the device memory
 * @mm: the process
 * @span: what to move
 *
 * Addresses in @span that nothing is mapped at get cleared device memory, in huge
 * pages where a page fault would have got one. Pages that are swapped out are
 * faulted in first. Pages that are busy, in another device's
 * memory, or for which there is no room, stay where they are; that is no error.
 * Large folios stay whole where a block is free.
 *
 * Secondary MMUs are told as in migrate_vma_setup(), with &hmm_devmem.owner.
 *
 * Context: Process context; may sleep. Takes the mmap lock.
 *
 * Return: the number of pages moved; -EINVAL where @span is misaligned, empty
 * or not all mapped, or the process may not read it, or its pages are of a
 * kind that cannot move; -ESRCH if the process is gone; -EINTR if the caller was
 * killed; -ENOMEM. As with read(), an error that comes after some pages have
 * moved is not reported, but their number; the next call reports it.
 */
long hmm_devmem_migrate(struct hmm_devmem *devmem, struct mm_struct *mm,
			struct hmm_span span)
{
	struct hmm_devmem_transfer t = hmm_devmem_transfer_to(devmem);

	return hmm_devmem_transfer_process(&t, mm, span);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migrate);

static unsigned long hmm_devmem_select_flag(const struct hmm_devmem *devmem)
{
	if (devmem->type == MEMORY_DEVICE_COHERENT)
		return MIGRATE_VMA_SELECT_DEVICE_COHERENT;
	return MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
}

/**
 * hmm_devmem_migrate_to_ram() - move pages of a process to system memory
 * @devmem: the device memory; that of others with the same
 *	&hmm_devmem.owner is taken for it
 * @mm: the process
 * @span: what to move
 *
 * Pages that are busy, or for which there is no room, stay where they are;
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

	return hmm_devmem_transfer_process(&t, mm, span);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migrate_to_ram);
