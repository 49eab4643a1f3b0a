// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: a migration that a driver takes step by step.
 */
#include <linux/export.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "devmem_transfer.h"

/**
 * struct hmm_devmem_migration - pages that a driver moves step by step
 * @transfer: how they move
 * @mm: whose they are; kept alive, and its mmap lock is held for reading
 * @stage: what was done last
 * @moved: how many have moved
 */
struct hmm_devmem_migration {
	struct hmm_devmem_transfer transfer;
	struct mm_struct *mm;
	enum {
		HMM_DEVMEM_COLLECTED,
		HMM_DEVMEM_COPIED,
		HMM_DEVMEM_COMMITTED,
	} stage;
	unsigned long moved;
};

/* With its words and a user of the address space, and no lock. */
static struct hmm_devmem_migration *
hmm_devmem_migration_alloc(struct hmm_devmem *to, struct mm_struct *mm)
{
	struct hmm_devmem_migration *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->transfer = hmm_devmem_transfer_to(to);
	if (hmm_devmem_alloc_mpfns(&m->transfer, HMM_DEVMEM_BATCH)) {
		kfree(m);
		return ERR_PTR(-ENOMEM);
	}
	if (!mmget_not_zero(mm)) {
		hmm_devmem_free_mpfns(&m->transfer);
		kfree(m);
		return ERR_PTR(-ESRCH);
	}
	m->mm = mm;
	return m;
}

static void hmm_devmem_migration_free(struct hmm_devmem_migration *m)
{
	hmm_devmem_free_mpfns(&m->transfer);
	mmput(m->mm);
	kfree(m);
}

/**
 * hmm_devmem_collect() - take pages that are to move to device memory
 * @devmem: the device memory
 * @mm: the process
 * @span: which of its pages; those of them are taken that lie in one VMA and
 *	under one PMD, as hmm_devmem_migration_span() tells
 *
 * A CPU that touches one of them waits until the migration ends. Pages that
 * cannot move just then are not taken; that is no error.
 *
 * Context: Process context; may sleep. Takes the mmap lock, and on success holds
 * it for reading until hmm_devmem_migration_end(), by the same thread.
 *
 * Return: the migration, or an ERR_PTR(): -EINVAL where @span is misaligned or
 * empty, or its first page is not mapped or of a kind that cannot move; -ESRCH
 * if the process is gone; -EINTR; -ENOMEM.
 */
struct hmm_devmem_migration *hmm_devmem_collect(struct hmm_devmem *devmem,
						struct mm_struct *mm,
						struct hmm_span span)
{
	struct hmm_devmem_migration *m;
	int err;

	if (span.start >= span.end || !PAGE_ALIGNED(span.start | span.end))
		return ERR_PTR(-EINVAL);
	m = hmm_devmem_migration_alloc(devmem, mm);
	if (IS_ERR(m))
		return m;

	hmm_devmem_grow_if_low(devmem);
	err = mmap_read_lock_killable(mm);
	if (!err) {
		err = hmm_devmem_choose_batch(&m->transfer, mm, span.start, span.end) ?:
			      migrate_vma_setup(&m->transfer.args);
		if (!err)
			return m;
		mmap_read_unlock(mm);
	}
	hmm_devmem_migration_free(m);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(hmm_devmem_collect);

/* A driver that skips a step, or takes one twice, gets a splat and no harm. */
static bool hmm_devmem_migration_step(struct hmm_devmem_migration *m, int from)
{
	if (WARN_ON_ONCE(m->stage != from))
		return false;
	m->stage = from + 1;
	return m->transfer.args.cpages;
}

/**
 * hmm_devmem_migration_copy() - have the pages copied
 * @migration: pages that were collected
 *
 * To places that are found for them, by &hmm_devmem_ops.copy. A page for which
 * there is no place, or whose copy fails, will stay.
 *
 * Context: Process context; may sleep.
 */
void hmm_devmem_migration_copy(struct hmm_devmem_migration *migration)
{
	if (hmm_devmem_migration_step(migration, HMM_DEVMEM_COLLECTED))
		hmm_devmem_copy_all(&migration->transfer);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_copy);

/**
 * hmm_devmem_migration_commit() - let the copies take over
 * @migration: pages that were copied
 *
 * They cannot be touched yet, and the driver may map them for its device: they
 * are locked until the migration ends.
 *
 * Context: Process context; may sleep.
 */
void hmm_devmem_migration_commit(struct hmm_devmem_migration *migration)
{
	struct hmm_devmem_transfer *t = &migration->transfer;

	if (!hmm_devmem_migration_step(migration, HMM_DEVMEM_COPIED))
		return;
	migrate_vma_pages(&t->args);
	migration->moved = hmm_devmem_count_moved(t);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_commit);

/**
 * hmm_devmem_migration_moved() - how many pages have moved
 * @migration: pages that were committed
 */
unsigned long
hmm_devmem_migration_moved(const struct hmm_devmem_migration *migration)
{
	return migration->moved;
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_moved);

/**
 * hmm_devmem_migration_span() - what a migration is about
 * @migration: a migration in any stage
 *
 * Return: the addresses that were dealt with, of those that were asked for the
 * first. What follows is for another migration.
 */
struct hmm_span
hmm_devmem_migration_span(const struct hmm_devmem_migration *migration)
{
	const struct migrate_vma *args = &migration->transfer.args;

	return (struct hmm_span){ .start = args->start, .end = args->end };
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_span);

/**
 * hmm_devmem_migration_end() - end a migration, however far it has come
 * @migration: the migration, or NULL
 *
 * What has not been committed is where it was, as if nothing had happened.
 *
 * Context: Process context; may sleep. The thread that collected.
 */
void hmm_devmem_migration_end(struct hmm_devmem_migration *migration)
{
	if (!migration)
		return;
	hmm_devmem_transfer_end(&migration->transfer);
	mmap_read_unlock(migration->mm);
	hmm_devmem_migration_free(migration);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_end);
