// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_year2019: a driver as one would have been written for Linux 5.5.
 *
 * The engine has a table of translations, in a format of its own, with room for
 * some; by way of that table it reads and writes memory of the process that
 * opened it. hmm_range_fault() writes entries as the table has them. An
 * invalidation drops them.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "engine.h"

#define HMM_API HMM_API_2019
#include <linux/hmm_compat.h>

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

/* A process: what the engine has of it, and what tells of changes. */
struct context {
	struct engine_process process;
	struct hmm_mirror mirror;
};

static struct engine engine;

static int context_sync(struct hmm_mirror *mirror, const struct mmu_notifier_range *update)
{
	struct context *c = container_of(mirror, struct context, mirror);

	if (mmu_notifier_range_blockable(update))
		mutex_lock(&c->process.lock);
	else if (!mutex_trylock(&c->process.lock))
		return -EAGAIN;
	engine_drop(&c->process, update->start, update->end);
	engine.stats.syncs++;
	mutex_unlock(&c->process.lock);
	return 0;
}

static void context_release(struct hmm_mirror *mirror)
{
	struct context *c = container_of(mirror, struct context, mirror);

	mutex_lock(&c->process.lock);
	engine_drop(&c->process, 0, ULONG_MAX);
	engine.stats.releases++;
	mutex_unlock(&c->process.lock);
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
 * walk_and_lock() - learn the pages of a range, and keep them as they are
 * @c: the context, whose lock is held on success
 * @range: the range, registered
 * @flags: HMM_FAULT_ALLOW_RETRY or HMM_FAULT_SNAPSHOT
 * @daddrs: where addresses for the engine go, or NULL
 */
static long walk_and_lock(struct context *c, struct hmm_range *range, unsigned int flags,
			  dma_addr_t *daddrs)
{
	struct device *dev = &engine.pdev->dev;
	int tries = TRIES;
	long ret;

	do {
		hmm_range_wait_until_valid(range, HMM_RANGE_DEFAULT_TIMEOUT);
		mmap_read_lock(c->process.mm);
		if (daddrs)
			ret = hmm_range_dma_map(range, dev, daddrs, flags);
		else
			ret = hmm_range_fault(range, flags);
		if (ret == -EAGAIN)
			continue;
		mmap_read_unlock(c->process.mm);
		if (ret < 0)
			continue;
		mutex_lock(&c->process.lock);
		if (hmm_range_valid(range))
			return ret;
		mutex_unlock(&c->process.lock);
		if (daddrs)
			hmm_range_dma_unmap(range, dev, daddrs, false);
		ret = -EBUSY;
	} while ((ret == -EBUSY || ret == -EAGAIN) && --tries && !fatal_signal_pending(current));
	return ret;
}

static struct context *context_of(struct engine_process *process)
{
	return container_of(process, struct context, process);
}

static int context_miss(struct engine_process *process, unsigned long addr, bool write)
{
	struct context *c = context_of(process);
	const struct hmm_gen_cmd one = { .addr = addr, .npages = 1 };
	struct hmm_range range;
	u64 entry;
	long ret;

	/* Private memory is another device's, and has to come home first. */
	ret = begin(c, &range, &one, &entry, HMM_GEN_ENTRY_VALID | HMM_GEN_ENTRY_PRIVATE |
					     (write ? HMM_GEN_ENTRY_WRITE : 0));
	if (ret)
		return ret;
	ret = walk_and_lock(c, &range, HMM_FAULT_ALLOW_RETRY, NULL);
	if (ret > 0) {
		engine_set(process, addr, entry);
		mutex_unlock(&c->process.lock);
	}
	hmm_range_unregister(&range);
	return min(ret, 0L);
}

/* What is there, and nothing is faulted in for it. */
static long context_snapshot(struct engine_process *process, const struct hmm_gen_cmd *cmd,
			     u64 *entries)
{
	struct context *c = context_of(process);
	struct hmm_range range;
	long ret;

	ret = begin(c, &range, cmd, entries, 0);
	if (ret)
		return ret;
	ret = walk_and_lock(c, &range, HMM_FAULT_SNAPSHOT, NULL);
	if (ret >= 0)
		mutex_unlock(&process->lock);
	hmm_range_unregister(&range);
	return ret;
}

/* The engine writes to a page by its address, which is a physical one. */
static bool fill(dma_addr_t daddr)
{
	if (!engine_reaches(phys_to_page(daddr)))
		return false;
	memset(phys_to_virt(daddr), 0xdd, PAGE_SIZE);
	return true;
}

/* The engine fills pages with 0xdd. */
static int context_fill(struct engine_process *process, struct hmm_gen_cmd *cmd)
{
	struct context *c = context_of(process);
	dma_addr_t daddrs[HMM_GEN_PAGES];
	u64 pfns[HMM_GEN_PAGES];
	struct hmm_range range;
	unsigned long i;
	long ret;

	ret = begin(c, &range, cmd, pfns,
		    HMM_GEN_ENTRY_VALID | HMM_GEN_ENTRY_PRIVATE | HMM_GEN_ENTRY_WRITE);
	if (ret)
		return ret;
	ret = walk_and_lock(c, &range, HMM_FAULT_ALLOW_RETRY, daddrs);
	if (ret > 0) {
		for (i = 0; i < cmd->npages; i++)
			if (!fill(daddrs[i]))
				ret = -EIO;
		cmd->result = hmm_range_dma_unmap(&range, &engine.pdev->dev, daddrs, true);
		mutex_unlock(&c->process.lock);
	}
	hmm_range_unregister(&range);
	return min(ret, 0L);
}

static struct engine_process *context_open(struct mm_struct *mm)
{
	struct context *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int ret;

	if (!c)
		return ERR_PTR(-ENOMEM);
	mutex_init(&c->process.lock);
	c->process.mm = mm;
	c->mirror.ops = &context_ops;
	mmap_write_lock(mm);
	ret = hmm_mirror_register(&c->mirror, mm);
	mmap_write_unlock(mm);
	if (!ret)
		return &c->process;
	kfree(c);
	return ERR_PTR(ret);
}

static void context_close(struct engine_process *process)
{
	struct context *c = context_of(process);

	hmm_mirror_unregister(&c->mirror);
	kfree(c);
}

static struct engine engine = {
	.name = "hmm_year2019",
	.open = context_open,
	.close = context_close,
	.miss = context_miss,
	.snapshot = context_snapshot,
	.fill = context_fill,
};

static int __init year2019_init(void)
{
	return engine_init(&engine);
}
module_init(year2019_init);

static void __exit year2019_exit(void)
{
	engine_exit(&engine);
}
module_exit(year2019_exit);

MODULE_DESCRIPTION("Sample driver for HMM's interface of 2019");
MODULE_LICENSE("GPL");
