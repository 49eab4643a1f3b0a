// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_year2019: a driver as one would have been written for Linux 5.5.
 *
 * The device has a table of translations, in a format of its own, with room for
 * some; the device reads and writes memory of the process that opened it by way
 * of that table. hmm_range_fault() writes entries as the table has them. An
 * invalidation drops them.
 */
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "generations.h"

#define HMM_API HMM_API_2019
#include <linux/hmm_compat.h>

#define SLOTS 256
/* How often a race with the CPU may be lost. */
#define TRIES 100

static const u64 entry_flags[HMM_PFN_FLAG_MAX] = {
	[HMM_PFN_VALID] = HMM_GEN_ENTRY_VALID,
	[HMM_PFN_WRITE] = HMM_GEN_ENTRY_WRITE,
	[HMM_PFN_DEVICE_PRIVATE] = HMM_GEN_ENTRY_PRIVATE,
};

static const u64 entry_values[HMM_PFN_VALUE_MAX] = {
	[HMM_PFN_ERROR] = HMM_GEN_ENTRY_ERROR,
	[HMM_PFN_NONE] = HMM_GEN_ENTRY_NONE,
	[HMM_PFN_SPECIAL] = HMM_GEN_ENTRY_SPECIAL,
};

/**
 * struct context - a process as the device sees it
 * @mirror: tells of changes
 * @mm: the process's memory
 * @lock: the driver's update lock; guards @slots
 * @slots: the device's table: a page's entry is in the slot that its number
 *	chooses, if the slot is its
 */
struct context {
	struct hmm_mirror mirror;
	struct mm_struct *mm;
	struct mutex lock;	/* guards slots */
	struct {
		unsigned long addr;
		u64 entry;
	} slots[SLOTS];
};

static struct platform_device *engine;
static struct hmm_gen_stats stats;

static u64 *slot_of(struct context *c, unsigned long addr, bool take)
{
	unsigned long i = (addr >> PAGE_SHIFT) % SLOTS;

	if (take)
		c->slots[i].addr = addr;
	return c->slots[i].addr == addr ? &c->slots[i].entry : NULL;
}

static int context_sync(struct hmm_mirror *mirror, const struct mmu_notifier_range *update)
{
	struct context *c = container_of(mirror, struct context, mirror);
	int i;

	if (mmu_notifier_range_blockable(update))
		mutex_lock(&c->lock);
	else if (!mutex_trylock(&c->lock))
		return -EAGAIN;
	for (i = 0; i < SLOTS; i++)
		if (c->slots[i].addr >= update->start && c->slots[i].addr < update->end)
			c->slots[i].entry = 0;
	stats.syncs++;
	mutex_unlock(&c->lock);
	return 0;
}

static void context_release(struct hmm_mirror *mirror)
{
	struct context *c = container_of(mirror, struct context, mirror);

	mutex_lock(&c->lock);
	memset(c->slots, 0, sizeof(c->slots));
	stats.releases++;
	mutex_unlock(&c->lock);
}

static const struct hmm_mirror_ops context_ops = {
	.release = context_release,
	.sync_cpu_device_pagetables = context_sync,
};

/* Have a range tracked, of which flags are asked. */
static int begin(struct context *c, struct hmm_range *range, const struct hmm_gen_cmd *cmd,
		 u64 *pfns, u64 asked)
{
	*range = (struct hmm_range){
		.start = cmd->addr,
		.end = cmd->addr + cmd->npages * PAGE_SIZE,
		.pfns = pfns,
		.flags = entry_flags,
		.values = entry_values,
		.pfn_shift = HMM_GEN_ENTRY_SHIFT,
		.default_flags = asked,
	};
	return hmm_range_register(range, &c->mirror);
}

/**
 * fault_and_lock() - have the pages of a range, and keep them as they are
 * @c: the context, whose lock is held on success
 * @range: the range, registered
 * @daddrs: where addresses for the engine go, or NULL
 */
static long fault_and_lock(struct context *c, struct hmm_range *range, dma_addr_t *daddrs)
{
	struct device *dev = &engine->dev;
	int tries = TRIES;
	long ret;

	do {
		hmm_range_wait_until_valid(range, HMM_RANGE_DEFAULT_TIMEOUT);
		mmap_read_lock(c->mm);
		if (daddrs)
			ret = hmm_range_dma_map(range, dev, daddrs, HMM_FAULT_ALLOW_RETRY);
		else
			ret = hmm_range_fault(range, HMM_FAULT_ALLOW_RETRY);
		if (ret == -EAGAIN)
			continue;
		mmap_read_unlock(c->mm);
		if (ret < 0)
			continue;
		mutex_lock(&c->lock);
		if (hmm_range_valid(range))
			return ret;
		mutex_unlock(&c->lock);
		if (daddrs)
			hmm_range_dma_unmap(range, dev, daddrs, false);
		ret = -EBUSY;
	} while ((ret == -EBUSY || ret == -EAGAIN) && --tries && !fatal_signal_pending(current));
	return ret;
}

/* The device misses in its table. */
static int populate(struct context *c, unsigned long addr, bool write)
{
	const struct hmm_gen_cmd one = { .addr = addr, .npages = 1 };
	struct hmm_range range;
	u64 entry;
	long ret;

	/* Private memory is another device's, and has to come home first. */
	ret = begin(c, &range, &one, &entry, HMM_GEN_ENTRY_VALID | HMM_GEN_ENTRY_PRIVATE |
					     (write ? HMM_GEN_ENTRY_WRITE : 0));
	if (ret)
		return ret;
	ret = fault_and_lock(c, &range, NULL);
	if (ret > 0) {
		*slot_of(c, addr, true) = entry;
		mutex_unlock(&c->lock);
	}
	hmm_range_unregister(&range);
	return min(ret, 0L);
}

/* The device copies a page to or from @buffer, if its table says where it is. */
static bool copy_by_table(struct context *c, unsigned long addr, char *buffer, bool write)
{
	const u64 needs = HMM_GEN_ENTRY_VALID | (write ? HMM_GEN_ENTRY_WRITE : 0), *entry;
	struct page *page = NULL;

	mutex_lock(&c->lock);
	entry = slot_of(c, addr, false);
	if (entry && (*entry & needs) == needs)
		page = pfn_to_page(*entry >> HMM_GEN_ENTRY_SHIFT);
	if (page && write) {
		memcpy_to_page(page, 0, buffer, PAGE_SIZE);
		set_page_dirty(page);
	} else if (page) {
		memcpy_from_page(buffer, page, 0, PAGE_SIZE);
	}
	mutex_unlock(&c->lock);
	return page;
}

static int copy_one(struct context *c, unsigned long addr, char *buffer, bool write)
{
	int tries = TRIES, ret = 0;

	while (!ret && !copy_by_table(c, addr, buffer, write))
		ret = --tries && !fatal_signal_pending(current) ? populate(c, addr, write) : -EBUSY;
	return ret;
}

static int copy(struct context *c, struct hmm_gen_cmd *cmd, bool write)
{
	char *buffer = kmalloc(PAGE_SIZE, GFP_KERNEL);
	char __user *ptr = u64_to_user_ptr(cmd->ptr);
	int ret = buffer ? 0 : -ENOMEM;

	for (; !ret && cmd->result < cmd->npages; ptr += PAGE_SIZE) {
		if (write && copy_from_user(buffer, ptr, PAGE_SIZE))
			ret = -EFAULT;
		if (!ret)
			ret = copy_one(c, cmd->addr + cmd->result * PAGE_SIZE, buffer, write);
		if (!ret && !write && copy_to_user(ptr, buffer, PAGE_SIZE))
			ret = -EFAULT;
		cmd->result += !ret;
	}
	kfree(buffer);
	return ret;
}

/* What is there, and nothing is faulted in for it. */
static int snapshot(struct context *c, struct hmm_gen_cmd *cmd)
{
	u64 pfns[HMM_GEN_PAGES];
	struct hmm_range range;
	int tries = TRIES;
	long ret;

	ret = begin(c, &range, cmd, pfns, 0);
	if (ret)
		return ret;
	do {
		hmm_range_wait_until_valid(&range, HMM_RANGE_DEFAULT_TIMEOUT);
		mmap_read_lock(c->mm);
		ret = hmm_range_fault(&range, HMM_FAULT_SNAPSHOT);
		mmap_read_unlock(c->mm);
		if (ret >= 0 && !hmm_range_valid(&range))
			ret = -EBUSY;
	} while (ret == -EBUSY && --tries && !fatal_signal_pending(current));
	hmm_range_unregister(&range);
	cmd->result = max(ret, 0L);
	if (ret > 0 && copy_to_user(u64_to_user_ptr(cmd->ptr), pfns, ret * sizeof(*pfns)))
		ret = -EFAULT;
	return min(ret, 0L);
}

/* The engine fills pages with 0xdd. To it addresses are physical ones. */
static int dma_fill(struct context *c, struct hmm_gen_cmd *cmd)
{
	dma_addr_t daddrs[HMM_GEN_PAGES];
	u64 pfns[HMM_GEN_PAGES];
	struct hmm_range range;
	unsigned long i;
	long ret;

	ret = begin(c, &range, cmd, pfns,
		    HMM_GEN_ENTRY_VALID | HMM_GEN_ENTRY_PRIVATE | HMM_GEN_ENTRY_WRITE);
	if (ret)
		return ret;
	ret = fault_and_lock(c, &range, daddrs);
	if (ret > 0) {
		for (i = 0; i < cmd->npages; i++)
			memset(phys_to_virt(daddrs[i]), 0xdd, PAGE_SIZE);
		cmd->result = hmm_range_dma_unmap(&range, &engine->dev, daddrs, true);
		mutex_unlock(&c->lock);
	}
	hmm_range_unregister(&range);
	return min(ret, 0L);
}

static long context_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	struct context *c = file->private_data;
	struct hmm_gen_cmd cmd;
	int ret = -ENOTTY;

	if (nr == HMM_GEN_STATS)
		return copy_to_user((void __user *)arg, &stats, sizeof(stats)) ? -EFAULT : 0;
	if (copy_from_user(&cmd, (void __user *)arg, sizeof(cmd)))
		return -EFAULT;
	if (c->mm != current->mm || !cmd.npages || cmd.npages > HMM_GEN_PAGES)
		return -EINVAL;
	cmd.result = 0;
	if (nr == HMM_GEN_READ || nr == HMM_GEN_WRITE)
		ret = copy(c, &cmd, nr == HMM_GEN_WRITE);
	else if (nr == HMM_GEN_SNAPSHOT)
		ret = snapshot(c, &cmd);
	else if (nr == HMM_GEN_DMA_FILL)
		ret = dma_fill(c, &cmd);
	return ret ?: copy_to_user((void __user *)arg, &cmd, sizeof(cmd)) ? -EFAULT : 0;
}

static int context_open(struct inode *inode, struct file *file)
{
	struct context *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int ret;

	if (!c)
		return -ENOMEM;
	mutex_init(&c->lock);
	c->mm = current->mm;
	c->mirror.ops = &context_ops;
	mmap_write_lock(c->mm);
	ret = hmm_mirror_register(&c->mirror, c->mm);
	mmap_write_unlock(c->mm);
	if (ret)
		kfree(c);
	else
		file->private_data = c;
	return ret;
}

static int context_close(struct inode *inode, struct file *file)
{
	struct context *c = file->private_data;

	hmm_mirror_unregister(&c->mirror);
	kfree(c);
	return 0;
}

static const struct file_operations context_fops = {
	.owner = THIS_MODULE,
	.open = context_open,
	.release = context_close,
	.unlocked_ioctl = context_ioctl,
};

static struct miscdevice year2019_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "hmm_year2019",
	.fops = &context_fops,
};

static int __init year2019_init(void)
{
	int ret;

	engine = platform_device_register_simple("hmm_year2019", -1, NULL, 0);
	if (IS_ERR(engine))
		return PTR_ERR(engine);
	ret = dma_coerce_mask_and_coherent(&engine->dev, DMA_BIT_MASK(64)) ?:
	      misc_register(&year2019_device);
	if (ret)
		platform_device_unregister(engine);
	return ret;
}
module_init(year2019_init);

static void __exit year2019_exit(void)
{
	misc_deregister(&year2019_device);
	platform_device_unregister(engine);
}
module_exit(year2019_exit);

MODULE_DESCRIPTION("Sample driver for HMM's interface of 2019");
MODULE_LICENSE("GPL");
