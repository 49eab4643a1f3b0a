// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_year2019: a driver for API year 2019.
 *
 * The compute unit has a page table in a format of its own, through which it
 * reads and writes memory of the process that opened it. hmm_range_fault() writes
 * entries in that format. An invalidation clears them.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "unit.h"

#define HMM_API HMM_API_2019
#include <linux/hmm_compat.h>

/* How often a range may be invalidated before it is used. */
#define TRIES 100

static const u64 entry_flags[HMM_PFN_FLAG_MAX] = {
	[HMM_PFN_VALID] = COMPAT_ENTRY_VALID,
	[HMM_PFN_WRITE] = COMPAT_ENTRY_WRITE,
	[HMM_PFN_DEVICE_PRIVATE] = COMPAT_ENTRY_PRIVATE,
};

static const u64 entry_values[HMM_PFN_VALUE_MAX] = {
	[HMM_PFN_ERROR] = COMPAT_ENTRY_ERROR,
	[HMM_PFN_NONE] = COMPAT_ENTRY_NONE,
	[HMM_PFN_SPECIAL] = COMPAT_ENTRY_SPECIAL,
};

/* A process with its mirror. */
struct context {
	struct unit_process process;
	struct hmm_mirror mirror;
};

static struct compute_unit unit;

static int context_sync(struct hmm_mirror *mirror, const struct mmu_notifier_range *update)
{
	struct context *c = container_of(mirror, struct context, mirror);

	if (mmu_notifier_range_blockable(update))
		mutex_lock(&c->process.lock);
	else if (!mutex_trylock(&c->process.lock))
		return -EAGAIN;
	unit_drop(&c->process, update->start, update->end);
	unit.stats.syncs++;
	mutex_unlock(&c->process.lock);
	return 0;
}

static void context_release(struct hmm_mirror *mirror)
{
	struct context *c = container_of(mirror, struct context, mirror);

	mutex_lock(&c->process.lock);
	unit_drop(&c->process, 0, ULONG_MAX);
	unit.stats.releases++;
	mutex_unlock(&c->process.lock);
}

static const struct hmm_mirror_ops context_ops = {
	.release = context_release,
	.sync_cpu_device_pagetables = context_sync,
};

/* Register a range whose pages are all requested with flags. */
static int begin(struct context *c, struct hmm_range *range, const struct compat_cmd *cmd,
		 u64 *pfns, u64 request)
{
	*range = (struct hmm_range){
		.start = cmd->addr,
		.end = cmd->addr + cmd->npages * PAGE_SIZE,
		.pfns = pfns,
		.flags = entry_flags,
		.values = entry_values,
		.pfn_shift = COMPAT_ENTRY_SHIFT,
		.default_flags = request,
	};
	return hmm_range_register(range, &c->mirror);
}

/**
 * walk_and_lock() - fault in a range and take the update lock while it is valid
 * @c: the context, whose lock is held on success
 * @range: the range, registered
 * @flags: HMM_FAULT_ALLOW_RETRY or HMM_FAULT_SNAPSHOT
 * @daddrs: where DMA addresses go, or NULL
 *
 * Return: the number of pages, with the lock held; or a negative errno without it.
 */
static long walk_and_lock(struct context *c, struct hmm_range *range, unsigned int flags,
			  dma_addr_t *daddrs)
{
	struct device *dev = &unit.pdev->dev;
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

static struct context *context_of(struct unit_process *process)
{
	return container_of(process, struct context, process);
}

static int context_miss(struct unit_process *process, unsigned long addr, bool write)
{
	struct context *c = context_of(process);
	const struct compat_cmd one = { .addr = addr, .npages = 1 };
	struct hmm_range range;
	u64 entry;
	long ret;

	/* The memory of another device is migrated to system memory first. */
	ret = begin(c, &range, &one, &entry, COMPAT_ENTRY_VALID | COMPAT_ENTRY_PRIVATE |
					     (write ? COMPAT_ENTRY_WRITE : 0));
	if (ret)
		return ret;
	ret = walk_and_lock(c, &range, HMM_FAULT_ALLOW_RETRY, NULL);
	if (ret > 0) {
		unit_set(process, addr, entry);
		mutex_unlock(&c->process.lock);
	}
	hmm_range_unregister(&range);
	return min(ret, 0L);
}

/*
 * Put pages that are present into the page table. Those that are unmapped later
 * are removed by context_sync(), which waits for the lock.
 */
static int context_prefetch(struct unit_process *process, struct compat_cmd *cmd)
{
	struct context *c = context_of(process);
	u64 entries[COMPAT_PAGES];
	struct hmm_range range;
	unsigned long i;
	long ret;

	ret = begin(c, &range, cmd, entries, 0);
	if (ret)
		return ret;
	ret = walk_and_lock(c, &range, HMM_FAULT_SNAPSHOT, NULL);
	for (i = 0; ret >= 0 && i < cmd->npages; i++) {
		if (!(entries[i] & COMPAT_ENTRY_VALID))
			continue;
		unit_set(process, cmd->addr + i * PAGE_SIZE, entries[i]);
		cmd->result++;
	}
	if (ret >= 0)
		mutex_unlock(&process->lock);
	hmm_range_unregister(&range);
	return min(ret, 0L);
}

/* Report the pages as they are. */
static long context_snapshot(struct unit_process *process, const struct compat_cmd *cmd,
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

/* Write to a page through its DMA address, which is a physical address here. */
static bool fill(dma_addr_t daddr)
{
	if (!unit_reaches(phys_to_page(daddr)))
		return false;
	memset(phys_to_virt(daddr), 0xdd, PAGE_SIZE);
	return true;
}

/* Fill pages with 0xdd. */
static int context_fill(struct unit_process *process, struct compat_cmd *cmd)
{
	struct context *c = context_of(process);
	dma_addr_t daddrs[COMPAT_PAGES];
	u64 pfns[COMPAT_PAGES];
	struct hmm_range range;
	unsigned long i;
	long ret;

	ret = begin(c, &range, cmd, pfns,
		    COMPAT_ENTRY_VALID | COMPAT_ENTRY_PRIVATE | COMPAT_ENTRY_WRITE);
	if (ret)
		return ret;
	ret = walk_and_lock(c, &range, HMM_FAULT_ALLOW_RETRY, daddrs);
	if (ret > 0) {
		for (i = 0; i < cmd->npages; i++)
			if (!fill(daddrs[i]))
				ret = -EIO;
		cmd->result = hmm_range_dma_unmap(&range, &unit.pdev->dev, daddrs, true);
		mutex_unlock(&c->process.lock);
	}
	hmm_range_unregister(&range);
	return min(ret, 0L);
}

static struct unit_process *context_open(struct mm_struct *mm)
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

static void context_close(struct unit_process *process)
{
	struct context *c = context_of(process);

	hmm_mirror_unregister(&c->mirror);
	kfree(c);
}

static struct compute_unit unit = {
	.name = "hmm_year2019",
	.open = context_open,
	.close = context_close,
	.miss = context_miss,
	.prefetch = context_prefetch,
	.snapshot = context_snapshot,
	.fill = context_fill,
};

static int __init year2019_init(void)
{
	return unit_init(&unit);
}
module_init(year2019_init);

static void __exit year2019_exit(void)
{
	unit_exit(&unit);
}
module_exit(year2019_exit);

MODULE_DESCRIPTION("Sample driver for HMM's API year 2019");
MODULE_LICENSE("GPL");
