// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: migration by address, step by step.
 */
#include <linux/export.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "devmem_transfer.h"
#include "lifetime.h"
#include "migration_wait.h"

/**
 * struct hmm_devmem_migration - a migration that a driver takes step by step
 * @transfer: the transfer
 * @mm: the process, of which a reference and the mmap lock are held
 * @list: in hmm_devmem_stepping
 * @rcu: frees it, as others may be reading the list
 * @task: the task that takes the steps, of which a reference is held
 * @stage: the last step taken
 * @moved: how many pages have migrated
 *
 * hmm_devmem_migrate() takes all steps at once. A driver that has to do something
 * in between calls collect, copy and commit, in that order, and after any of them
 * end. To map the pages for its device before a CPU can access them, it uses a
 * section with &hmm_section.migrate_to.
 */
struct hmm_devmem_migration {
	struct hmm_devmem_transfer transfer;
	struct mm_struct *mm;
	struct list_head list;
	struct rcu_head rcu;
	struct task_struct *task;
	enum {
		HMM_DEVMEM_COLLECTED,
		HMM_DEVMEM_COPIED,
		HMM_DEVMEM_COMMITTED,
	} stage;
	unsigned long moved;
};

/* Migrations of which the first step was taken, and the last was not. Read under RCU. */
LIST_HEAD(hmm_devmem_stepping);
static DEFINE_SPINLOCK(hmm_devmem_stepping_lock);	/* of changes of the list */

/*
 * The task has collected pages. Its reference keeps the pointer from being that of another
 * task, if a driver does not end the migration.
 */
static void hmm_devmem_stepping_begin(struct hmm_devmem_migration *m)
{
	m->task = get_task_struct(current);
	guard(spinlock)(&hmm_devmem_stepping_lock);
	list_add_rcu(&m->list, &hmm_devmem_stepping);
}

static void hmm_devmem_stepping_end(struct hmm_devmem_migration *m)
{
	scoped_guard(spinlock, &hmm_devmem_stepping_lock)
		list_del_rcu(&m->list);
	put_task_struct(m->task);
}

/* The rest of hmm_devmem_is_stepping(). */
bool hmm_devmem_current_steps(void)
{
	struct hmm_devmem_migration *m;

	guard(rcu)();
	list_for_each_entry_rcu(m, &hmm_devmem_stepping, list)
		if (m->task == current)
			return true;
	return false;
}

/* Allocate a migration, and take a reference to the process. */
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

/* Free a migration, and drop its reference to the process. */
static void hmm_devmem_migration_free(struct hmm_devmem_migration *m)
{
	hmm_devmem_free_mpfns(&m->transfer);
	/* As in hmm_section_leave(): release must not run under the caller's locks. */
	mmput_async(m->mm);
	kfree_rcu(m, rcu);
}

/**
 * hmm_devmem_collect() - begin to migrate pages to device memory
 * @devmem: the device memory
 * @mm: the process
 * @span: the range. Only the first part, within one VMA and one PMD, is collected:
 *	see hmm_devmem_migration_span()
 *
 * A CPU that accesses a collected page waits until the migration ends. Pages that
 * are busy are not collected; nor are pages in another device's memory, unless some
 * of the batch were requested before: then wait for the turn of @devmem. A page that
 * is not collected is no error.
 *
 * Context: Process context; may sleep. On success the mmap lock is held for reading
 * until hmm_devmem_migration_end(), by the same task. Until then it must not access user
 * memory. Functions that migrate, and sections that need the mmap lock, return -%EDEADLK.
 *
 * Return: the migration, or an ERR_PTR(): -%EINVAL if @span is misaligned or empty,
 * or if its first page is in no VMA, or in one whose pages cannot migrate; -%ESRCH
 * if the process has exited; -%EDEADLK in a callback that hmm_devmem_evict(),
 * hmm_devmem_remove() or making room waits for, and if the caller has begun a migration
 * that has not ended; -%EINTR if the caller was killed; -%ENOMEM.
 */
struct hmm_devmem_migration *hmm_devmem_collect(struct hmm_devmem *devmem,
						struct mm_struct *mm,
						struct hmm_span span)
{
	struct hmm_devmem_migration *m;
	int err;

	if (span.start >= span.end || !PAGE_ALIGNED(span.start | span.end))
		return ERR_PTR(-EINVAL);
	if (hmm_devmem_is_evicting(devmem) || hmm_devmem_is_stepping())
		return ERR_PTR(-EDEADLK);
	hmm_waits_for_update_locks();
	m = hmm_devmem_migration_alloc(devmem, mm);
	if (IS_ERR(m))
		return m;

	hmm_devmem_grow_if_low(devmem);
	err = hmm_devmem_collect_charged(&m->transfer, mm, span, false);
	if (!err) {
		hmm_devmem_stepping_begin(m);
		return m;
	}
	hmm_devmem_migration_free(m);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(hmm_devmem_collect);

/* Check the order of steps. A driver that violates it gets a warning. */
static bool hmm_devmem_migration_step(struct hmm_devmem_migration *m, int from)
{
	if (WARN_ON_ONCE(m->stage != from))
		return false;
	m->stage = from + 1;
	return m->transfer.args.cpages;
}

/**
 * hmm_devmem_migration_copy() - copy the collected pages to device memory
 * @migration: a migration, after hmm_devmem_collect()
 *
 * By &hmm_devmem_ops.copy and &hmm_devmem_ops.clear, or by batches, which are copied
 * while this returns: hmm_devmem_migration_commit() waits for them. A page for which
 * no device memory is free, or whose copy fails, will stay.
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
 * hmm_devmem_migration_commit() - commit the migration of the copied pages
 * @migration: a migration, after hmm_devmem_migration_copy()
 *
 * No CPU can access the pages before the migration ends, as they are locked; the
 * driver may map them for its device.
 *
 * Context: Process context; may sleep.
 */
void hmm_devmem_migration_commit(struct hmm_devmem_migration *migration)
{
	struct hmm_devmem_transfer *t = &migration->transfer;

	if (!hmm_devmem_migration_step(migration, HMM_DEVMEM_COPIED))
		return;
	hmm_devmem_batch_wait(t);
	migrate_vma_pages(&t->args);
	migration->moved = hmm_devmem_count_pages(t);
	hmm_devmem_stats_moved(t, migration->moved, false);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_commit);

/**
 * hmm_devmem_migration_moved() - how many pages have migrated
 * @migration: a migration, after hmm_devmem_migration_commit()
 *
 * Return: the number of pages.
 */
unsigned long
hmm_devmem_migration_moved(const struct hmm_devmem_migration *migration)
{
	return migration->moved;
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_moved);

/**
 * hmm_devmem_migration_span() - the range of a migration
 * @migration: a migration after any step
 *
 * Return: the first part of the requested range. The rest is for other migrations.
 */
struct hmm_span
hmm_devmem_migration_span(const struct hmm_devmem_migration *migration)
{
	const struct migrate_vma *args = &migration->transfer.args;

	return (struct hmm_span){ .start = args->start, .end = args->end };
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_span);

/**
 * hmm_devmem_migration_end() - end a migration after any step
 * @migration: the migration, or %NULL
 *
 * Pages that were not committed stay where they were.
 *
 * Context: Process context; may sleep. Called by the task that collected.
 */
void hmm_devmem_migration_end(struct hmm_devmem_migration *migration)
{
	if (!migration)
		return;
	hmm_devmem_transfer_end(&migration->transfer);
	mmap_read_unlock(migration->mm);
	hmm_devmem_stepping_end(migration);
	hmm_devmem_migration_free(migration);
}
EXPORT_SYMBOL_GPL(hmm_devmem_migration_end);
