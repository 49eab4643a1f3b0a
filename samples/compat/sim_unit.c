// SPDX-License-Identifier: GPL-2.0
/*
 * The simulated compute unit: its page table, its accesses, and the file.
 */
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/hmm_mirror.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "unit.h"

/* How often a page may be invalidated before it is accessed. */
#define TRIES 100

static unsigned long slot_of(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) % UNIT_SLOTS;
}

void unit_set(struct unit_process *p, unsigned long addr, u64 entry)
{
	unsigned long i = slot_of(addr);

	p->slots[i].addr = addr;
	p->slots[i].entry = entry;
}

void unit_drop(struct unit_process *p, unsigned long start, unsigned long end)
{
	int i;

	for (i = 0; i < UNIT_SLOTS; i++)
		if (p->slots[i].addr >= start && p->slots[i].addr < end)
			p->slots[i].entry = 0;
}

/* Translate an address; NULL if it is not mapped, or not writable. Under the lock. */
static struct page *translate(const struct unit_process *p, unsigned long addr, bool write)
{
	const u64 needs = COMPAT_ENTRY_VALID | (write ? COMPAT_ENTRY_WRITE : 0);
	unsigned long i = slot_of(addr);

	if (p->slots[i].addr != addr || (p->slots[i].entry & needs) != needs)
		return NULL;
	return pfn_to_page(p->slots[i].entry >> COMPAT_ENTRY_SHIFT);
}

/* The CPU simulates the unit and cannot access all that hardware could. */
bool unit_reaches(const struct page *page)
{
	return hmm_page_is_reachable(page);
}

/*
 * Copy a page to or from @buffer through the page table. Returns 1; 0 if the page
 * is not mapped; or -EIO.
 */
static int copy_mapped(struct unit_process *p, unsigned long addr, char *buffer, bool write)
{
	struct page *page;
	int ret = 1;

	mutex_lock(&p->lock);
	page = translate(p, addr, write);
	if (!page) {
		ret = 0;
	} else if (!unit_reaches(page)) {
		ret = -EIO;
	} else if (write) {
		memcpy_to_page(page, 0, buffer, PAGE_SIZE);
		set_page_dirty(page);
	} else {
		memcpy_from_page(buffer, page, 0, PAGE_SIZE);
	}
	mutex_unlock(&p->lock);
	return ret;
}

static int copy_one(struct compute_unit *unit, struct unit_process *p, unsigned long addr,
		    char *buffer, bool write)
{
	int tries = TRIES, ret = 0, copied = 0;

	while (!ret) {
		copied = copy_mapped(p, addr, buffer, write);
		if (copied)
			break;
		ret = --tries && !fatal_signal_pending(current) ?
		      unit->miss(p, addr, write) : -EBUSY;
	}
	return ret ?: min(copied, 0);
}

static int copy(struct compute_unit *unit, struct unit_process *p, struct compat_cmd *cmd,
		bool write)
{
	char *buffer = kmalloc(PAGE_SIZE, GFP_KERNEL);
	char __user *ptr = u64_to_user_ptr(cmd->ptr);
	unsigned long addr = cmd->addr;
	int ret = buffer ? 0 : -ENOMEM;

	for (; !ret && cmd->result < cmd->npages; addr += PAGE_SIZE, ptr += PAGE_SIZE) {
		if (write && copy_from_user(buffer, ptr, PAGE_SIZE))
			ret = -EFAULT;
		if (!ret)
			ret = copy_one(unit, p, addr, buffer, write);
		if (!ret && !write && copy_to_user(ptr, buffer, PAGE_SIZE))
			ret = -EFAULT;
		cmd->result += !ret;
	}
	kfree(buffer);
	return ret;
}

static int snapshot(struct compute_unit *unit, struct unit_process *p, struct compat_cmd *cmd)
{
	u64 entries[COMPAT_PAGES];
	long ret = unit->snapshot(p, cmd, entries);

	cmd->result = max(ret, 0L);
	if (ret > 0 && copy_to_user(u64_to_user_ptr(cmd->ptr), entries, ret * sizeof(*entries)))
		ret = -EFAULT;
	return min(ret, 0L);
}

/* Number of pages that are in the unit's page table. */
static unsigned long count_mapped(struct unit_process *p, const struct compat_cmd *cmd)
{
	unsigned long i, nr = 0;

	mutex_lock(&p->lock);
	for (i = 0; i < cmd->npages; i++)
		nr += !!translate(p, cmd->addr + i * PAGE_SIZE, false);
	mutex_unlock(&p->lock);
	return nr;
}

/* An open file. */
struct opened {
	struct compute_unit *unit;
	struct unit_process *process;
};

static long unit_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	struct opened *o = file->private_data;
	struct compat_cmd cmd;
	int ret = nr == COMPAT_PEEK ? 0 : -ENOTTY;

	if (nr == COMPAT_STATS)
		return copy_to_user((void __user *)arg, &o->unit->stats,
				    sizeof(o->unit->stats)) ? -EFAULT : 0;
	if (copy_from_user(&cmd, (void __user *)arg, sizeof(cmd)))
		return -EFAULT;
	if (o->process->mm != current->mm || !cmd.npages || cmd.npages > COMPAT_PAGES)
		return -EINVAL;
	cmd.result = 0;
	if (nr == COMPAT_READ || nr == COMPAT_WRITE)
		ret = copy(o->unit, o->process, &cmd, nr == COMPAT_WRITE);
	else if (nr == COMPAT_PREFETCH)
		ret = o->unit->prefetch(o->process, &cmd);
	else if (nr == COMPAT_PEEK)
		cmd.result = count_mapped(o->process, &cmd);
	else if (nr == COMPAT_SNAPSHOT)
		ret = snapshot(o->unit, o->process, &cmd);
	else if (nr == COMPAT_DMA_FILL)
		ret = o->unit->fill(o->process, &cmd);
	return ret ?: copy_to_user((void __user *)arg, &cmd, sizeof(cmd)) ? -EFAULT : 0;
}

static int unit_open(struct inode *inode, struct file *file)
{
	struct opened *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o)
		return -ENOMEM;
	o->unit = container_of(file->private_data, struct compute_unit, misc);
	o->process = o->unit->open(current->mm);
	if (IS_ERR(o->process)) {
		int ret = PTR_ERR(o->process);

		kfree(o);
		return ret;
	}
	file->private_data = o;
	return 0;
}

static int unit_close(struct inode *inode, struct file *file)
{
	struct opened *o = file->private_data;

	o->unit->close(o->process);
	kfree(o);
	return 0;
}

static const struct file_operations unit_fops = {
	.owner = THIS_MODULE,
	.open = unit_open,
	.release = unit_close,
	.unlocked_ioctl = unit_ioctl,
};

int unit_init(struct compute_unit *unit)
{
	int ret;

	unit->pdev = platform_device_register_simple(unit->name, -1, NULL, 0);
	if (IS_ERR(unit->pdev))
		return PTR_ERR(unit->pdev);
	unit->misc.minor = MISC_DYNAMIC_MINOR;
	unit->misc.name = unit->name;
	unit->misc.fops = &unit_fops;
	ret = dma_coerce_mask_and_coherent(&unit->pdev->dev, DMA_BIT_MASK(64)) ?:
	      misc_register(&unit->misc);
	if (ret)
		platform_device_unregister(unit->pdev);
	return ret;
}

void unit_exit(struct compute_unit *unit)
{
	misc_deregister(&unit->misc);
	platform_device_unregister(unit->pdev);
}
