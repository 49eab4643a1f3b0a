// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: the commands of user programs.
 */
#include "dmirror.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/**
 * DOC: Commands
 *
 * A command has two kinds of addresses. The device accesses the *operands*,
 * through its page table. The CPU accesses the *buffer* (hmm_dmirror_cmd.ptr),
 * with copy_from_user() and copy_to_user().
 *
 * These copies may fault, a fault may cause an invalidation, and an invalidation
 * takes the update lock. Therefore nothing is copied to or from the buffer under
 * that lock or inside a section; data goes through a kernel buffer.
 *
 * Arguments are checked before a command has any effect: -EINVAL for invalid
 * arguments, -EFAULT for addresses outside the user address space, -ENOTTY for
 * an unknown command, -EPERM for a command that takes CAP_SYS_ADMIN.
 */

/* Pages to look up before the update lock is released: invalidations wait for it. */
#define DM_PEEK_PAGES 512

/* Allocate a kernel buffer; no warning, because programs choose @size. */
static void *dm_bounce_alloc(size_t size)
{
	return kvmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

/* Check the address range of @nr elements of @size bytes and fill in @operand. */
static int dm_check_operand(struct dm_operand *operand, u64 addr, u64 nr,
			    size_t size)
{
	unsigned long bytes, end;

	if (!nr || !IS_ALIGNED(addr, size))
		return -EINVAL;
	if (check_mul_overflow(nr, size, &bytes) ||
	    check_add_overflow(addr, bytes, &end))
		return -EINVAL;
	if (!access_ok(u64_to_user_ptr(addr), bytes))
		return -EFAULT;

	operand->now = addr;
	operand->end = end;
	return 0;
}

/**
 * dm_cmd_span() - the addresses of a command
 * @cmd: a command that dm_check_operand() has checked
 *
 * Return: its span.
 */
struct hmm_span dm_cmd_span(const struct hmm_dmirror_cmd *cmd)
{
	return (struct hmm_span){
		.start = cmd->addr,
		.end = cmd->addr + (cmd->npages << PAGE_SHIFT),
	};
}

static int dm_cmd_copy_out(struct hmm_dmirror_cmd *cmd, const void *data,
			   size_t size)
{
	if (copy_to_user(u64_to_user_ptr(cmd->ptr), data, size))
		return -EFAULT;
	cmd->cpages = cmd->npages;
	return 0;
}

static int dm_cmd_read_within(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd,
			      unsigned long timeout)
{
	struct hmm_span span = dm_cmd_span(cmd);
	size_t size = span.end - span.start;
	struct dm_work work = {
		.piece = dm_piece_read,
		.operand = { { span.start, span.end, DM_MAY_READ } },
		.timeout = timeout,
	};
	int ret;

	void *data __free(kvfree) = dm_bounce_alloc(size);
	if (!data)
		return -ENOMEM;
	work.buffer = data;
	ret = dm_execute(dm, &work);
	if (ret)
		return ret;
	cmd->faults = work.faults;
	return dm_cmd_copy_out(cmd, data, size);
}

/**
 * dm_cmd_read() - have the device read the span of a command, and copy it to the buffer
 * @dm: the mirror
 * @cmd: the command
 *
 * Return: 0; an error of dm_execute(); -EFAULT for the buffer; -ENOMEM.
 */
int dm_cmd_read(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	return dm_cmd_read_within(dm, cmd, 0);
}

static int dm_cmd_read_unlocked(struct dm_mirror *dm,
				struct hmm_dmirror_cmd *cmd)
{
	return dm_cmd_read_within(dm, cmd, MAX_JIFFY_OFFSET);
}

static int dm_cmd_write(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	struct hmm_span span = dm_cmd_span(cmd);
	size_t size = span.end - span.start;
	struct dm_work work = {
		.piece = dm_piece_write,
		.operand = { { span.start, span.end, DM_MAY_WRITE } },
	};
	int ret;

	void *data __free(kvfree) = dm_bounce_alloc(size);
	if (!data)
		return -ENOMEM;
	work.buffer = data;
	if (copy_from_user(data, u64_to_user_ptr(cmd->ptr), size))
		return -EFAULT;
	ret = dm_execute(dm, &work);
	if (ret)
		return ret;
	cmd->faults = work.faults;
	cmd->cpages = cmd->npages;
	return 0;
}

static int dm_cmd_snapshot(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	u8 *prot __free(kvfree) = dm_bounce_alloc(cmd->npages);
	int ret;

	if (!prot)
		return -ENOMEM;
	ret = dm_snapshot(dm, dm_cmd_span(cmd), prot);
	if (ret)
		return ret;
	return dm_cmd_copy_out(cmd, prot, cmd->npages);
}

/* The PEEK byte of a page with these rights. */
static u8 dm_rights_prot(unsigned int rights)
{
	u8 prot = HMM_DMIRROR_PROT_NONE;

	if (rights & DM_MAY_WRITE)
		prot = HMM_DMIRROR_PROT_WRITE;
	else if (rights & DM_MAY_READ)
		prot = HMM_DMIRROR_PROT_READ;
	if (rights & DM_EXCLUSIVE)
		prot |= HMM_DMIRROR_PROT_EXCLUSIVE;
	if (rights & DM_PEER)
		prot |= HMM_DMIRROR_PROT_PEER;
	return prot;
}

/* Write the PEEK bytes of a span, under the update lock. Returns their end. */
static u8 *dm_peek(struct dm_mirror *dm, struct hmm_span span, u8 *prot)
{
	for (; span.start < span.end; span.start += PAGE_SIZE)
		*prot++ = dm_rights_prot(dm_table_rights(&dm->table, span.start));
	return prot;
}

static int dm_cmd_peek(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	u8 *prot __free(kvfree) = dm_bounce_alloc(cmd->npages);
	struct hmm_span span = dm_cmd_span(cmd);
	u8 *at = prot;

	if (!prot)
		return -ENOMEM;
	while (span.start < span.end) {
		struct hmm_span step = hmm_span_first(span, DM_PEEK_PAGES);

		scoped_guard(hmm_mirror, &dm->mirror)
			at = dm_peek(dm, step, at);
		span.start = step.end;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return dm_cmd_copy_out(cmd, prot, cmd->npages);
}

static int dm_cmd_exclusive(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	int ret = dm_populate_exclusive(dm, dm_cmd_span(cmd));

	if (ret)
		return ret;
	return dm_cmd_read(dm, cmd);
}

static int dm_cmd_check_exclusive(struct dm_mirror *dm,
				  struct hmm_dmirror_cmd *cmd)
{
	guard(hmm_mirror)(&dm->mirror);
	if (dm_table_has(&dm->table, dm_cmd_span(cmd), DM_EXCLUSIVE))
		return -EPERM;
	return 0;
}

static int dm_cmd_flags(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	if (cmd->npages & ~HMM_DMIRROR_FLAG_FAIL_ALLOC)
		return -EINVAL;
	assign_bit(DM_FAIL_ALLOC, &dm->flags,
		   cmd->npages & HMM_DMIRROR_FLAG_FAIL_ALLOC);
	return 0;
}

static int dm_cmd_peers(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	return dm_accept_peers(dm, dm_cmd_span(cmd));
}

static int dm_cmd_refuse_peers(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	if (cmd->ptr > 1)
		return -EINVAL;
	WRITE_ONCE(dm->unit->refuse_peers, cmd->ptr);
	cmd->cpages = atomic_long_read(&dm->unit->peers);
	return 0;
}

/* Commands that concern all processes with pages on the unit are for administrators. */
static const struct dm_cmd {
	unsigned int cmd;
	int (*run)(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd);
	bool for_admin;
} dm_cmds[] = {
	{ HMM_DMIRROR_READ, dm_cmd_read },
	{ HMM_DMIRROR_WRITE, dm_cmd_write },
	{ HMM_DMIRROR_MIGRATE_TO_DEV, dm_cmd_migrate_to_dev },
	{ HMM_DMIRROR_MIGRATE_TO_SYS, dm_cmd_migrate_to_sys },
	{ HMM_DMIRROR_SNAPSHOT, dm_cmd_snapshot },
	{ HMM_DMIRROR_EXCLUSIVE, dm_cmd_exclusive },
	{ HMM_DMIRROR_CHECK_EXCLUSIVE, dm_cmd_check_exclusive },
	{ HMM_DMIRROR_RELEASE, dm_cmd_release, true },
	{ HMM_DMIRROR_FLAGS, dm_cmd_flags },
	{ HMM_DMIRROR_READ_UNLOCKED, dm_cmd_read_unlocked },
	{ HMM_DMIRROR_PEEK, dm_cmd_peek },
	{ HMM_DMIRROR_LIMIT, dm_cmd_limit, true },
	{ HMM_DMIRROR_COPY_DELAY, dm_cmd_copy_delay, true },
	{ HMM_DMIRROR_RETIRE, dm_cmd_retire, true },
	{ HMM_DMIRROR_PEERS, dm_cmd_peers },
	{ HMM_DMIRROR_REFUSE_PEERS, dm_cmd_refuse_peers, true },
};

static const struct dm_cmd *dm_find_cmd(unsigned int cmd)
{
	for (int i = 0; i < ARRAY_SIZE(dm_cmds); i++)
		if (dm_cmds[i].cmd == cmd)
			return &dm_cmds[i];
	return NULL;
}

static int dm_ioctl_cmd(struct dm_mirror *dm, unsigned int nr,
			struct hmm_dmirror_cmd __user *user)
{
	const struct dm_cmd *known = dm_find_cmd(nr);
	struct hmm_dmirror_cmd cmd;
	struct dm_operand operand;
	int ret;

	if (!known)
		return -ENOTTY;
	if (known->for_admin && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&cmd, user, sizeof(cmd)))
		return -EFAULT;
	ret = dm_check_operand(&operand, cmd.addr, cmd.npages, PAGE_SIZE);
	if (ret)
		return ret;

	cmd.cpages = 0;
	cmd.faults = 0;
	ret = known->run(dm, &cmd);
	if (ret)
		return ret;
	return copy_to_user(user, &cmd, sizeof(cmd)) ? -EFAULT : 0;
}

/* Convert the program's request into a job of the compute unit. */
static int dm_compute_work(const struct hmm_dmirror_compute *compute,
			   struct dm_work *work)
{
	struct dm_operand *x = &work->operand[0], *y = &work->operand[1];
	int ret;

	ret = dm_check_operand(x, compute->x, compute->n, sizeof(s32));
	if (ret)
		return ret;
	x->rights = DM_MAY_READ;

	switch (compute->op) {
	case HMM_DMIRROR_SAXPY:
		work->piece = dm_piece_saxpy;
		work->a = compute->a;
		y->rights = DM_MAY_READ | DM_MAY_WRITE;
		return dm_check_operand(y, compute->y, compute->n, sizeof(s32));
	case HMM_DMIRROR_SUM:
		work->piece = dm_piece_sum;
		return compute->a || compute->y ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static int dm_ioctl_compute(struct dm_mirror *dm,
			    struct hmm_dmirror_compute __user *user)
{
	struct hmm_dmirror_compute compute;
	struct dm_work work = {};
	int ret;

	if (copy_from_user(&compute, user, sizeof(compute)))
		return -EFAULT;
	ret = dm_compute_work(&compute, &work);
	if (ret)
		return ret;
	ret = dm_execute(dm, &work);
	if (ret)
		return ret;

	compute.sum = work.sum;
	compute.faults = work.faults;
	return copy_to_user(user, &compute, sizeof(compute)) ? -EFAULT : 0;
}

/* Check the addresses of a command about attributes. */
static int dm_check_span(struct hmm_span *span, u64 addr, u64 npages)
{
	struct dm_operand operand;
	int ret = dm_check_operand(&operand, addr, npages, PAGE_SIZE);

	if (!ret)
		*span = (struct hmm_span){ operand.now, operand.end };
	return ret;
}

static int dm_ioctl_advise(struct dm_mirror *dm,
			   struct hmm_dmirror_advice __user *user)
{
	struct hmm_dmirror_advice advice;
	struct hmm_span span;
	int ret;

	if (copy_from_user(&advice, user, sizeof(advice)))
		return -EFAULT;
	ret = dm_check_span(&span, advice.addr, advice.npages);
	return ret ?: dm_advise(dm, span, advice.advice, advice.location);
}

static int dm_ioctl_attributes(struct dm_mirror *dm,
			       struct hmm_dmirror_attributes __user *user)
{
	struct hmm_dmirror_attributes attributes;
	struct hmm_attribute found;
	struct hmm_span span;
	int ret;

	if (copy_from_user(&attributes, user, sizeof(attributes)))
		return -EFAULT;
	ret = dm_check_span(&span, attributes.addr, attributes.npages);
	if (ret)
		return ret;
	found = hmm_attributes_get(&dm->attributes, span);
	attributes.npages = hmm_span_pages(found.span);
	attributes.location = found.location;
	attributes.flags = (found.read_mostly ? HMM_DMIRROR_READ_MOSTLY : 0) |
			   (found.accessed_by ? HMM_DMIRROR_ACCESSED_BY : 0);
	return copy_to_user(user, &attributes, sizeof(attributes)) ? -EFAULT : 0;
}

/**
 * dm_ioctl() - carry out a command
 * @file: an open file of a unit
 * @cmd: HMM_DMIRROR_*
 * @arg: address of the command's structure
 *
 * The file mirrors the process that opened it. Fail with -EINVAL in any other
 * process, such as a child that inherited the file: its addresses would access
 * its parent's memory.
 *
 * Return: 0, one of the errors above, or an error of the command.
 */
long dm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct dm_mirror *dm = file->private_data;
	void __user *user = (void __user *)arg;

	if (current->mm != dm->mirror.mm)
		return -EINVAL;
	switch (cmd) {
	case HMM_DMIRROR_COMPUTE:
		return dm_ioctl_compute(dm, user);
	case HMM_DMIRROR_ADVISE:
		return dm_ioctl_advise(dm, user);
	case HMM_DMIRROR_ATTRIBUTES:
		return dm_ioctl_attributes(dm, user);
	default:
		return dm_ioctl_cmd(dm, cmd, user);
	}
}
