// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: blocks are given to the driver in batches, which it completes when
 * its copy engine is done.
 */
#include <linux/completion.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "devmem_transfer.h"

/* A batch is submitted when it has so many blocks; more are added to the next. */
#define HMM_DEVMEM_BATCH_BLOCKS	64

/**
 * struct hmm_devmem_inflight - a batch and what waits for it
 * @batch: what the driver knows
 * @next: the batch of the same transfer that was begun before this one
 * @submitted: the driver has it
 * @lock: of @completed, @abandoned and @error
 * @completed: the driver has completed it
 * @abandoned: nobody waits: completing it drops the references and frees it
 * @error: of all blocks
 * @done: completed when @completed is set and it was not abandoned
 * @release: drops the references
 * @at: index of the mpfn of each block
 * @blocks: the blocks; each owns its dst, locked, and after @abandoned a reference to
 *	its src
 */
struct hmm_devmem_inflight {
	struct hmm_devmem_batch batch;
	struct hmm_devmem_inflight *next;
	bool submitted;
	spinlock_t lock; /* see above */
	bool completed;
	bool abandoned;
	int error;
	struct completion done;
	struct work_struct release;
	unsigned long at[HMM_DEVMEM_BATCH_BLOCKS];
	struct hmm_devmem_block blocks[HMM_DEVMEM_BATCH_BLOCKS];
};

/*
 * Held by code that a batch needs to complete, and taken by a task that waits for
 * one: a dependency of the former on a lock of the latter is a cycle.
 */
#ifdef CONFIG_DEBUG_LOCK_ALLOC
static struct lock_class_key hmm_devmem_completing_key;
static struct lockdep_map hmm_devmem_completing_map =
	STATIC_LOCKDEP_MAP_INIT("hmm_devmem_completing",
				&hmm_devmem_completing_key);

/**
 * hmm_devmem_completing_wait() - report to lockdep that a batch may be waited for
 *
 * It reports a caller that is in a section of hmm_devmem_completing_begin(), also if
 * there is nothing to wait for this time.
 */
void hmm_devmem_completing_wait(void)
{
	lock_map_acquire(&hmm_devmem_completing_map);
	lock_map_release(&hmm_devmem_completing_map);
}

/* Teach lockdep: reclaim may wait for a batch, so completing one must not reclaim. */
static int __init hmm_devmem_batch_setup(void)
{
	fs_reclaim_acquire(GFP_KERNEL);
	hmm_devmem_completing_wait();
	fs_reclaim_release(GFP_KERNEL);
	return 0;
}
core_initcall(hmm_devmem_batch_setup);

/**
 * hmm_devmem_completing_begin() - mark code that a batch needs to complete
 *
 * For lockdep: until hmm_devmem_completing_end() the task must not wait for a lock
 * that is held while a batch is waited for, nor allocate memory that has to be
 * reclaimed. Sections may nest.
 *
 * Context: any.
 */
void hmm_devmem_completing_begin(void)
{
	lock_map_acquire_read(&hmm_devmem_completing_map);
}
EXPORT_SYMBOL_GPL(hmm_devmem_completing_begin);

/**
 * hmm_devmem_completing_end() - end what hmm_devmem_completing_begin() began
 *
 * Context: any.
 */
void hmm_devmem_completing_end(void)
{
	lock_map_release(&hmm_devmem_completing_map);
}
EXPORT_SYMBOL_GPL(hmm_devmem_completing_end);
#endif

/* Wait for hmm_devmem_batch_complete() to release the lock: the batch is freed next. */
static void hmm_devmem_inflight_sync(struct hmm_devmem_inflight *copy)
{
	spin_lock_irq(&copy->lock);
	spin_unlock_irq(&copy->lock);
}

/* Drop what the batch of a killed task has kept until the driver completed it. */
static void hmm_devmem_inflight_release(struct work_struct *work)
{
	struct hmm_devmem_inflight *copy =
		container_of(work, struct hmm_devmem_inflight, release);
	unsigned int k;

	hmm_devmem_inflight_sync(copy);
	for (k = 0; k < copy->batch.nr; k++) {
		struct hmm_devmem_block *block = &copy->blocks[k];

		folio_unlock(page_folio(block->dst));
		folio_put(page_folio(block->dst));
		if (block->src)
			folio_put(page_folio(block->src));
	}
	kfree(copy);
}

/* Begin a batch of @devmem, after the one that was filled is on its way. */
static struct hmm_devmem_inflight *
hmm_devmem_inflight_begin(struct hmm_devmem_transfer *t, struct hmm_devmem *devmem)
{
	struct hmm_devmem_inflight *copy;

	hmm_devmem_batch_submit(t);
	copy = kzalloc_obj(*copy);
	if (!copy)
		return NULL;
	copy->batch.devmem = devmem;
	copy->batch.blocks = copy->blocks;
	INIT_LIST_HEAD(&copy->batch.list);
	INIT_WORK(&copy->release, hmm_devmem_inflight_release);
	init_completion(&copy->done);
	spin_lock_init(&copy->lock);
	copy->next = t->copies;
	t->copies = copy;
	return copy;
}

/* The batch to which a block of @devmem is added; NULL if there is no memory. */
static struct hmm_devmem_inflight *
hmm_devmem_inflight_for(struct hmm_devmem_transfer *t, struct hmm_devmem *devmem)
{
	struct hmm_devmem_inflight *copy = t->copies;

	if (copy && !copy->submitted && copy->batch.devmem == devmem &&
	    copy->batch.nr < HMM_DEVMEM_BATCH_BLOCKS)
		return copy;
	return hmm_devmem_inflight_begin(t, devmem);
}

/**
 * hmm_devmem_batch_add() - add a block to a batch of a transfer
 * @t: the transfer
 * @i: index of the mpfn
 * @folio: its dst, locked, which then belongs to the batch
 * @from: the first page of the source; %NULL for a hole
 *
 * Return: false if the driver has no batches, or if there is no memory for one.
 */
bool hmm_devmem_batch_add(struct hmm_devmem_transfer *t, unsigned long i,
			  struct folio *folio, struct page *from)
{
	struct hmm_devmem *devmem = t->to ?: hmm_devmem_of(from);
	struct hmm_devmem_inflight *copy;
	unsigned int k;

	if (!devmem->ops->copy_batch)
		return false;
	copy = hmm_devmem_inflight_for(t, devmem);
	if (!copy)
		return false;
	k = copy->batch.nr++;
	copy->at[k] = i;
	copy->blocks[k] = (struct hmm_devmem_block){
		.dst = &folio->page,
		.src = from,
		.order = folio_order(folio),
	};
	return true;
}

/**
 * hmm_devmem_batch_submit() - give the batch that was filled last to the driver
 * @t: the transfer
 */
void hmm_devmem_batch_submit(struct hmm_devmem_transfer *t)
{
	struct hmm_devmem_inflight *copy = t->copies;

	if (!copy || copy->submitted)
		return;
	copy->submitted = true;
	copy->batch.devmem->ops->copy_batch(copy->batch.devmem, &copy->batch);
}

/**
 * hmm_devmem_batch_complete() - report that a batch was copied
 * @batch: the batch, of which nothing may be accessed afterwards
 * @error: 0, or a negative errno that holds for all blocks
 *
 * Once for each batch. Of the blocks those without &hmm_devmem_block.error were
 * copied; their contents are visible to the CPU and the device.
 *
 * Context: any but NMI.
 */
void hmm_devmem_batch_complete(struct hmm_devmem_batch *batch, int error)
{
	struct hmm_devmem_inflight *copy =
		container_of(batch, struct hmm_devmem_inflight, batch);

	guard(spinlock_irqsave)(&copy->lock);
	if (WARN_ONCE(copy->completed, "%s: %ps: a batch is completed twice\n",
		      hmm_devmem_label(batch->devmem),
		      batch->devmem->ops->copy_batch))
		return;
	copy->completed = true;
	copy->error = error;
	if (copy->abandoned)
		queue_work(system_dfl_wq, &copy->release);
	else
		complete(&copy->done);
}
EXPORT_SYMBOL_GPL(hmm_devmem_batch_complete);

/*
 * The waiting task was killed. The driver may still read the sources and write to the
 * dst folios, so the batch keeps both. Return false if it was completed meanwhile.
 */
static bool hmm_devmem_inflight_abandon(struct hmm_devmem_inflight *copy)
{
	unsigned int k;

	guard(spinlock_irqsave)(&copy->lock);
	if (copy->completed)
		return false;
	for (k = 0; k < copy->batch.nr; k++)
		if (copy->blocks[k].src)
			folio_get(page_folio(copy->blocks[k].src));
	copy->abandoned = true;
	return true;
}

/* Wait until a batch has completed. Return false if it was abandoned. */
static bool hmm_devmem_inflight_wait(const struct hmm_devmem_transfer *t,
				     struct hmm_devmem_inflight *copy)
{
	hmm_devmem_completing_wait();
	if (t->unkillable)
		wait_for_completion(&copy->done);
	else if (wait_for_completion_killable(&copy->done) &&
		 hmm_devmem_inflight_abandon(copy))
		return false;
	hmm_devmem_inflight_sync(copy);
	return true;
}

/* Give the mpfns of a batch that has completed their dst folios. */
static void hmm_devmem_inflight_collect(struct hmm_devmem_transfer *t,
					struct hmm_devmem_inflight *copy)
{
	unsigned int k;

	for (k = 0; k < copy->batch.nr; k++) {
		const struct hmm_devmem_block *block = &copy->blocks[k];
		struct folio *folio = page_folio(block->dst);
		int err = copy->error ?: block->error ?:
			  hmm_devmem_check_copy(t, block->src, block->order);

		if (err)
			hmm_devmem_not_copied(t, copy->at[k], folio, err);
		else
			hmm_devmem_copied(t, copy->at[k], folio);
	}
	kfree(copy);
}

/**
 * hmm_devmem_batch_wait() - wait for all batches of a transfer
 * @t: the transfer
 *
 * Those that complete later, because the task was killed, have no effect on their
 * pages: these stay.
 *
 * Context: process context; folio locks and the lock of the range are held.
 */
void hmm_devmem_batch_wait(struct hmm_devmem_transfer *t)
{
	struct hmm_devmem_inflight *copy;

	while ((copy = t->copies)) {
		t->copies = copy->next;
		if (hmm_devmem_inflight_wait(t, copy))
			hmm_devmem_inflight_collect(t, copy);
	}
}
