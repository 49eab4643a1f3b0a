// SPDX-License-Identifier: GPL-2.0
/*
 * In place of hardware: a table, a copy engine, and a file.
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

#include "engine.h"

/* How often the CPU may take a page away before the engine has used it. */
#define TRIES 100

static unsigned long slot_of(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) % ENGINE_SLOTS;
}

void engine_set(struct engine_process *p, unsigned long addr, u64 entry)
{
	unsigned long i = slot_of(addr);

	p->slots[i].addr = addr;
	p->slots[i].entry = entry;
}

void engine_drop(struct engine_process *p, unsigned long start, unsigned long end)
{
	int i;

	for (i = 0; i < ENGINE_SLOTS; i++)
		if (p->slots[i].addr >= start && p->slots[i].addr < end)
			p->slots[i].entry = 0;
}

/* The page of an address, if the table says where it is; under the lock. */
static struct page *translate(const struct engine_process *p, unsigned long addr, bool write)
{
	const u64 needs = HMM_GEN_ENTRY_VALID | (write ? HMM_GEN_ENTRY_WRITE : 0);
	unsigned long i = slot_of(addr);

	if (p->slots[i].addr != addr || (p->slots[i].entry & needs) != needs)
		return NULL;
	return pfn_to_page(p->slots[i].entry >> HMM_GEN_ENTRY_SHIFT);
}

/* The CPU plays the engine, and does not reach all that hardware would. */
bool engine_reaches(const struct page *page)
{
	return hmm_page_is_reachable(page);
}

/*
 * Copies a page to or from @buffer by way of the table. Returns 1; 0 if the page is
 * not mapped; or -EIO.
 */
static int copy_by_table(struct engine_process *p, unsigned long addr, char *buffer, bool write)
{
	struct page *page;
	int ret = 1;

	mutex_lock(&p->lock);
	page = translate(p, addr, write);
	if (!page) {
		ret = 0;
	} else if (!engine_reaches(page)) {
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

static int copy_one(struct engine *engine, struct engine_process *p, unsigned long addr,
		    char *buffer, bool write)
{
	int tries = TRIES, ret = 0, copied = 0;

	while (!ret) {
		copied = copy_by_table(p, addr, buffer, write);
		if (copied)
			break;
		ret = --tries && !fatal_signal_pending(current) ?
		      engine->miss(p, addr, write) : -EBUSY;
	}
	return ret ?: min(copied, 0);
}

static int copy(struct engine *engine, struct engine_process *p, struct hmm_gen_cmd *cmd,
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
			ret = copy_one(engine, p, addr, buffer, write);
		if (!ret && !write && copy_to_user(ptr, buffer, PAGE_SIZE))
			ret = -EFAULT;
		cmd->result += !ret;
	}
	kfree(buffer);
	return ret;
}

static int snapshot(struct engine *engine, struct engine_process *p, struct hmm_gen_cmd *cmd)
{
	u64 entries[HMM_GEN_PAGES];
	long ret = engine->snapshot(p, cmd, entries);

	cmd->result = max(ret, 0L);
	if (ret > 0 && copy_to_user(u64_to_user_ptr(cmd->ptr), entries, ret * sizeof(*entries)))
		ret = -EFAULT;
	return min(ret, 0L);
}

/* The file: what its opening found in private_data, kept with the process. */
struct opened {
	struct engine *engine;
	struct engine_process *process;
};

static long engine_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	struct opened *o = file->private_data;
	struct hmm_gen_cmd cmd;
	int ret = -ENOTTY;

	if (nr == HMM_GEN_STATS)
		return copy_to_user((void __user *)arg, &o->engine->stats,
				    sizeof(o->engine->stats)) ? -EFAULT : 0;
	if (copy_from_user(&cmd, (void __user *)arg, sizeof(cmd)))
		return -EFAULT;
	if (o->process->mm != current->mm || !cmd.npages || cmd.npages > HMM_GEN_PAGES)
		return -EINVAL;
	cmd.result = 0;
	if (nr == HMM_GEN_READ || nr == HMM_GEN_WRITE)
		ret = copy(o->engine, o->process, &cmd, nr == HMM_GEN_WRITE);
	else if (nr == HMM_GEN_SNAPSHOT)
		ret = snapshot(o->engine, o->process, &cmd);
	else if (nr == HMM_GEN_DMA_FILL)
		ret = o->engine->fill(o->process, &cmd);
	return ret ?: copy_to_user((void __user *)arg, &cmd, sizeof(cmd)) ? -EFAULT : 0;
}

static int engine_open(struct inode *inode, struct file *file)
{
	struct opened *o = kzalloc(sizeof(*o), GFP_KERNEL);

	if (!o)
		return -ENOMEM;
	o->engine = container_of(file->private_data, struct engine, misc);
	o->process = o->engine->open(current->mm);
	if (IS_ERR(o->process)) {
		int ret = PTR_ERR(o->process);

		kfree(o);
		return ret;
	}
	file->private_data = o;
	return 0;
}

static int engine_close(struct inode *inode, struct file *file)
{
	struct opened *o = file->private_data;

	o->engine->close(o->process);
	kfree(o);
	return 0;
}

static const struct file_operations engine_fops = {
	.owner = THIS_MODULE,
	.open = engine_open,
	.release = engine_close,
	.unlocked_ioctl = engine_ioctl,
};

int engine_init(struct engine *engine)
{
	int ret;

	engine->pdev = platform_device_register_simple(engine->name, -1, NULL, 0);
	if (IS_ERR(engine->pdev))
		return PTR_ERR(engine->pdev);
	engine->misc.minor = MISC_DYNAMIC_MINOR;
	engine->misc.name = engine->name;
	engine->misc.fops = &engine_fops;
	ret = dma_coerce_mask_and_coherent(&engine->pdev->dev, DMA_BIT_MASK(64)) ?:
	      misc_register(&engine->misc);
	if (ret)
		platform_device_unregister(engine->pdev);
	return ret;
}

void engine_exit(struct engine *engine)
{
	misc_deregister(&engine->misc);
	platform_device_unregister(engine->pdev);
}
