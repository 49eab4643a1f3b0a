// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: commands that migrate pages, or concern the memory of a
 * unit. They exist only in kernels that can have device memory.
 */
#include "dmirror.h"

#include <linux/mm.h>
#include <linux/sched.h>

/* Let the first large folio of the next migration fail, if a test requested it. */
static void dm_migrate_begin(struct dm_mirror *dm)
{
	if (test_and_clear_bit(DM_FAIL_ALLOC, &dm->flags))
		WRITE_ONCE(dm->unit->fail_for, current);
}

/* Withdraw the request if no large folio was copied. */
static void dm_migrate_end(struct dm_mirror *dm)
{
	if (READ_ONCE(dm->unit->fail_for) == current)
		WRITE_ONCE(dm->unit->fail_for, NULL);
}

/*
 * Migrate the first pages of a span, as many as one migration takes, and remove
 * them from the span. hmm_devmem_migrate() does this for a whole span; these are
 * its steps, for drivers that must do work of their own between them. On return,
 * the classes end the migration; pages that were not committed stay in place.
 */
static int dm_migrate_piece(struct dm_mirror *dm, struct hmm_span *span)
{
	CLASS(hmm_devmem_migration_collected, collected)(&dm->unit->memory,
							 dm->mirror.mm, *span);
	CLASS(hmm_devmem_migration_copied, copied)(&collected);
	CLASS(hmm_devmem_migration_committed, committed)(&copied);
	int ret = hmm_devmem_migration_committed_error(&committed);

	if (!ret)
		span->start = hmm_devmem_migration_committed_span(&committed).end;
	return ret;
}

/**
 * dm_cmd_migrate_to_dev() - migrate the span to the unit's memory, and read it
 * @dm: the mirror
 * @cmd: the command
 *
 * Return: 0; an error of the migration; -ENOENT if a page is elsewhere or absent; an
 * error of dm_cmd_read().
 */
int dm_cmd_migrate_to_dev(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	struct hmm_span span = dm_cmd_span(cmd), left = span;
	int ret = 0;

	dm_migrate_begin(dm);
	while (!ret && left.start < left.end)
		ret = dm_migrate_piece(dm, &left);
	dm_migrate_end(dm);
	if (!ret)
		ret = dm_map_local(dm, span);
	return ret ?: dm_cmd_read(dm, cmd);
}

/**
 * dm_cmd_migrate_to_sys() - migrate the span to system memory
 * @dm: the mirror
 * @cmd: the command
 *
 * Return: 0, or an error of hmm_devmem_migrate_to_ram().
 */
int dm_cmd_migrate_to_sys(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	long ret;

	dm_migrate_begin(dm);
	ret = hmm_devmem_migrate_to_ram(&dm->unit->memory, dm->mirror.mm,
					dm_cmd_span(cmd));
	dm_migrate_end(dm);
	if (ret < 0)
		return ret;
	cmd->cpages = ret;
	return 0;
}

/**
 * dm_cmd_release() - migrate all pages in the unit's memory away, and remove it
 * @dm: a mirror of the unit
 * @cmd: the command
 *
 * Return: 0; an error of hmm_devmem_remove() if pages stay referenced for a second.
 */
int dm_cmd_release(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	return hmm_devmem_remove(&dm->unit->memory, HZ);
}

/**
 * dm_cmd_limit() - limit the memory that is added to the unit from now on
 * @dm: a mirror of the unit
 * @cmd: the command
 *
 * Return: 0; -EINVAL for part of a huge page.
 */
int dm_cmd_limit(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	if (!IS_ALIGNED(cmd->npages, PMD_SIZE / PAGE_SIZE))
		return -EINVAL;
	WRITE_ONCE(dm->unit->limit, cmd->npages << PAGE_SHIFT);
	return 0;
}

/**
 * dm_cmd_copy_delay() - have the copy engine of the unit wait before each batch
 * @dm: a mirror of the unit
 * @cmd: the command
 *
 * Return: 0; -EINVAL for more than a second.
 */
int dm_cmd_copy_delay(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	if (cmd->ptr > MSEC_PER_SEC)
		return -EINVAL;
	cmd->cpages = dm_copier_set_delay(dm->unit, cmd->ptr);
	return 0;
}

/**
 * dm_cmd_retire() - report a page of the unit as bad
 * @dm: a mirror of the unit
 * @cmd: the command
 *
 * Return: 0; -EINVAL; an error of hmm_devmem_retire().
 */
int dm_cmd_retire(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	struct dm_unit *unit = dm->unit;
	int ret;

	if (cmd->ptr > 1)
		return -EINVAL;
	ret = dm_memory_retire(unit, cmd->addr, cmd->ptr);
	cmd->cpages = hmm_devmem_retired(&unit->memory) >> PAGE_SHIFT;
	return ret;
}
