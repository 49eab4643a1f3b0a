// SPDX-License-Identifier: GPL-2.0
/*
 * Call hmm_range_fault() of either core on the calling process.
 */
#include <linux/hmm.h>
#include <linux/ktime.h>
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "probe.h"

/* Lost races in a row after which a walk returns -EBUSY. */
#define WALK_RETRIES 1000

#if IS_ENABLED(CONFIG_HMM_REFERENCE)
#define reference_fault ref_hmm_range_fault
#if KERNEL_VERSION(7, 3, 0) <= LINUX_VERSION_CODE
#define reference_fault_unlocked ref_hmm_range_fault_unlocked_timeout
#endif
#endif

/* Both cores take the structure of the kernel's header. */
static_assert(sizeof(struct hmm_range) == 8 * sizeof(long));
static_assert(offsetof(struct hmm_range, dev_private_owner) == 7 * sizeof(long));

static const probe_fault_fn fault_of[] = {
	[HMM_PROBE_CORE] = hmm_range_fault,
#ifdef reference_fault
	[HMM_PROBE_REFERENCE] = reference_fault,
#else
	[HMM_PROBE_REFERENCE] = NULL,
#endif
};

/* Kernels before 7.3 have no unlocked walk of their own. */
static const probe_fault_unlocked_fn fault_unlocked_of[] = {
#ifdef HMM_RANGE_DEFAULT_TIMEOUT
	[HMM_PROBE_CORE] = hmm_range_fault_unlocked_timeout,
#endif
#ifdef reference_fault_unlocked
	[HMM_PROBE_REFERENCE] = reference_fault_unlocked,
#else
	[HMM_PROBE_REFERENCE] = NULL,
#endif
};

/**
 * struct walk - one HMM_PROBE_WALK request
 * @arg: the request and its results
 * @range: argument of the core
 * @notifier: interval notifier of @range
 * @lock: as a driver's update lock, orders invalidations and the sequence check
 * @input: the caller's hmm pfns, the input of each repetition
 * @output: output of our core, for a format or extents
 */
struct walk {
	struct hmm_probe_walk arg;
	struct hmm_range range;
	struct mmu_interval_notifier notifier;
	spinlock_t lock;	/* invalidation against check */
	unsigned long *input;
	struct walk_output {
#ifdef HMM_PROBE_WITH_MIRROR
		struct hmm_format format;
		struct hmm_extents extents;
#endif
	} output;
};

#ifdef HMM_PROBE_WITH_MIRROR
static int walk_output_begin(struct walk *walk)
{
	const struct hmm_probe_format *format = &walk->arg.format;
	struct hmm_extents *extents = &walk->output.extents;

	if (walk->arg.how & HMM_PROBE_FORMAT) {
		walk->output.format = (struct hmm_format){
			.valid = format->valid,
			.write = format->write,
			.device_private = format->device_private,
			.error = format->error,
			.none = format->none,
			.special = format->special,
			.pfn_shift = format->pfn_shift,
		};
	}
	if (walk->arg.how & HMM_PROBE_EXTENTS) {
		extents->room = walk->arg.extents ?: walk->arg.npages;
		if (extents->room > HMM_PROBE_MAX_PAGES)
			return -EINVAL;
		extents->at = kvmalloc_array(extents->room, sizeof(*extents->at),
					     GFP_KERNEL);
		if (!extents->at)
			return -ENOMEM;
	}
	return 0;
}

/* Expand extents to hmm pfns; gaps and overlaps leave elements of ~0. */
static void walk_output_expand(struct walk *walk)
{
	struct hmm_extents *extents = &walk->output.extents;
	unsigned long *hmm_pfns = walk->range.hmm_pfns;
	unsigned long addr = walk->range.start, i, j;

	if (!extents->at)
		return;
	memset(hmm_pfns, 0xff, walk->arg.npages * sizeof(*hmm_pfns));
	walk->arg.extents = extents->nr;
	for (i = 0; i < extents->nr; i++) {
		struct hmm_extent *extent = &extents->at[i];

		if (extent->start != addr || !extent->npages ||
		    extent->npages > (walk->range.end - addr) >> PAGE_SHIFT)
			break;
		for (j = 0; j < extent->npages; j++)
			*hmm_pfns++ = extent->hmm_pfn +
				   (extent->hmm_pfn & HMM_PFN_VALID ? j : 0);
		addr += extent->npages << PAGE_SHIFT;
	}
}

static void walk_output_end(struct walk *walk)
{
	kvfree(walk->output.extents.at);
}

static int walk_call_locked(struct walk *walk)
{
	if (walk->arg.how & HMM_PROBE_FORMAT)
		return hmm_range_fault_format(&walk->range, &walk->output.format);
	if (walk->arg.how & HMM_PROBE_EXTENTS)
		return hmm_range_fault_extents(&walk->range, &walk->output.extents);
	return fault_of[walk->arg.core](&walk->range);
}

static int walk_call_unlocked(struct walk *walk, unsigned long timeout)
{
	if (walk->arg.how & HMM_PROBE_FORMAT)
		return hmm_range_fault_format_unlocked_timeout(&walk->range,
							       &walk->output.format,
							       timeout);
	if (walk->arg.how & HMM_PROBE_EXTENTS)
		return hmm_range_fault_extents_unlocked_timeout(&walk->range,
								&walk->output.extents,
								timeout);
	return fault_unlocked_of[walk->arg.core](&walk->range, timeout);
}
#else
static int walk_output_begin(struct walk *walk)
{
	return walk->arg.how & (HMM_PROBE_FORMAT | HMM_PROBE_EXTENTS) ?
	       -EOPNOTSUPP : 0;
}

static void walk_output_expand(struct walk *walk)
{
}

static void walk_output_end(struct walk *walk)
{
}

static int walk_call_locked(struct walk *walk)
{
	return fault_of[walk->arg.core](&walk->range);
}

static int walk_call_unlocked(struct walk *walk, unsigned long timeout)
{
	return fault_unlocked_of[walk->arg.core](&walk->range, timeout);
}
#endif

probe_fault_fn probe_fault_of(enum hmm_probe_core core)
{
	return fault_of[core];
}

probe_fault_unlocked_fn probe_fault_unlocked_of(enum hmm_probe_core core)
{
	return fault_unlocked_of[core];
}

u32 probe_walk_has(void)
{
	u32 has = 0;

	/* If both are the same function, there is no reference to compare with. */
	if (fault_of[HMM_PROBE_REFERENCE] &&
	    fault_of[HMM_PROBE_REFERENCE] != fault_of[HMM_PROBE_CORE])
		has |= HMM_PROBE_HAS_REFERENCE;
	if (fault_unlocked_of[HMM_PROBE_REFERENCE])
		has |= HMM_PROBE_HAS_UNLOCKED;
	if (IS_ENABLED(CONFIG_ARCH_HAS_HMM_PTE_CLASS))
		has |= HMM_PROBE_HAS_PTE_BATCHES;
	return has;
}

static bool walk_invalidate(struct mmu_interval_notifier *notifier,
			    const struct mmu_notifier_range *range,
			    unsigned long seq)
{
	struct walk *walk = container_of(notifier, struct walk, notifier);
	unsigned long *hmm_pfns = walk->range.hmm_pfns, addr;

	spin_lock(&walk->lock);
	mmu_interval_set_seq(notifier, seq);
	/* Clear the flag that hmm_dma_unmap_pfn() clears. */
	if (walk->arg.how & HMM_PROBE_DMA_UNMAP)
		for (addr = max(range->start, walk->range.start);
		     addr < min(range->end, walk->range.end); addr += PAGE_SIZE)
			clear_bit(BITS_PER_LONG - 4,
				  hmm_pfns + ((addr - walk->range.start) >> PAGE_SHIFT));
	spin_unlock(&walk->lock);
	return true;
}

static const struct mmu_interval_notifier_ops walk_ops = {
	.invalidate = walk_invalidate,
};

static int walk_locked(struct walk *walk)
{
	struct mm_struct *mm = walk->notifier.mm;
	u64 begun;
	int ret;

	walk->range.notifier_seq = mmu_interval_read_begin(&walk->notifier);
	mmap_read_lock(mm);
	begun = ktime_get_ns();
	ret = walk_call_locked(walk);
	walk->arg.ns += ktime_get_ns() - begun;
	mmap_read_unlock(mm);
	return ret;
}

static int walk_unlocked(struct walk *walk)
{
	unsigned long timeout = msecs_to_jiffies(walk->arg.timeout_ms);
	u64 begun = ktime_get_ns();
	int ret = walk_call_unlocked(walk, timeout);

	walk->arg.ns += ktime_get_ns() - begun;
	return ret;
}

static bool walk_raced(struct walk *walk)
{
	bool raced;

	spin_lock(&walk->lock);
	raced = mmu_interval_read_retry(&walk->notifier,
					walk->range.notifier_seq);
	spin_unlock(&walk->lock);
	return raced;
}

static int walk_once(struct walk *walk)
{
	bool unlocked = walk->arg.how & HMM_PROBE_UNLOCKED;
	size_t size = walk->arg.npages * sizeof(*walk->input);
	unsigned int tries;
	int ret;

	for (tries = 0; tries < WALK_RETRIES; tries++) {
		if (tries)
			walk->arg.retries++;
		memcpy(walk->range.hmm_pfns, walk->input, size);
		ret = unlocked ? walk_unlocked(walk) : walk_locked(walk);
		if (unlocked && ret == -EBUSY)
			return ret;
		if (ret != -EBUSY && !walk_raced(walk))
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return -EBUSY;
}

static int walk_run(struct walk *walk)
{
	unsigned int repeat = max(walk->arg.repeat, 1U);
	int ret;

	ret = mmu_interval_notifier_insert(&walk->notifier, current->mm,
					   walk->range.start,
					   walk->range.end - walk->range.start,
					   &walk_ops);
	if (ret)
		return ret;
	while (repeat--)
		walk->arg.error = walk_once(walk);
	mmu_interval_notifier_remove(&walk->notifier);
	return 0;
}

/* Set dev_private_owner to the owner of the device-private page @pfn. */
static int walk_set_owner(struct walk *walk)
{
	struct page *page;

	if (!(walk->arg.how & HMM_PROBE_OWNER_OF_PFN))
		return 0;
	if (!pfn_valid(walk->arg.pfn))
		return -EINVAL;
	page = pfn_to_page(walk->arg.pfn);
	if (!is_device_private_page(page))
		return -EINVAL;
	walk->range.dev_private_owner = page_pgmap(page)->owner;
	return 0;
}

static int walk_check(const struct hmm_probe_walk *arg)
{
	u64 last;

	if (arg->core >= ARRAY_SIZE(fault_of) || !fault_of[arg->core])
		return -EOPNOTSUPP;
	if (arg->how & ~(HMM_PROBE_UNLOCKED | HMM_PROBE_OWNER_OF_PFN |
			 HMM_PROBE_FORMAT | HMM_PROBE_EXTENTS | HMM_PROBE_DMA_UNMAP))
		return -EINVAL;
	if (arg->core != HMM_PROBE_CORE &&
	    (arg->how & (HMM_PROBE_FORMAT | HMM_PROBE_EXTENTS)))
		return -EOPNOTSUPP;
	if ((arg->how & HMM_PROBE_FORMAT) && (arg->how & HMM_PROBE_EXTENTS))
		return -EINVAL;
	if ((arg->how & HMM_PROBE_UNLOCKED) && !fault_unlocked_of[arg->core])
		return -EOPNOTSUPP;
	if (!arg->npages || arg->npages > HMM_PROBE_MAX_PAGES)
		return -EINVAL;
	/* Addresses that are none of user space are for the walk to refuse. */
	if (!PAGE_ALIGNED(arg->addr) ||
	    check_add_overflow(arg->addr, arg->npages << PAGE_SHIFT, &last))
		return -EINVAL;
	return 0;
}

static int walk_hmm_pfns(struct walk *walk)
{
	void __user *hmm_pfns = u64_to_user_ptr(walk->arg.hmm_pfns);
	size_t size = walk->arg.npages * sizeof(*walk->input);
	int ret;

	if (copy_from_user(walk->input, hmm_pfns, size))
		return -EFAULT;
	ret = walk_run(walk);
	if (ret)
		return ret;
	walk_output_expand(walk);
	return copy_to_user(hmm_pfns, walk->range.hmm_pfns, size) ? -EFAULT : 0;
}

static long walk_prepared(struct walk *walk)
{
	unsigned long npages = walk->arg.npages;
	int ret = walk_set_owner(walk);

	if (ret)
		return ret;
	walk->input = kvmalloc_array(2 * npages, sizeof(long), GFP_KERNEL);
	if (!walk->input)
		return -ENOMEM;
	spin_lock_init(&walk->lock);
	walk->range.notifier = &walk->notifier;
	walk->range.start = walk->arg.addr;
	walk->range.end = walk->arg.addr + (npages << PAGE_SHIFT);
	walk->range.hmm_pfns = walk->input + npages;
	walk->range.default_flags = walk->arg.default_flags;
	walk->range.pfn_flags_mask = walk->arg.pfn_flags_mask;
	walk->arg.ns = 0;
	walk->arg.retries = 0;
	ret = walk_output_begin(walk) ?: walk_hmm_pfns(walk);
	walk_output_end(walk);
	kvfree(walk->input);
	return ret;
}

long probe_walk(struct probe_file *file, struct hmm_probe_walk __user *user)
{
	struct walk *walk = kzalloc(sizeof(*walk), GFP_KERNEL);
	long ret;

	if (!walk)
		return -ENOMEM;
	if (copy_from_user(&walk->arg, user, sizeof(walk->arg)))
		ret = -EFAULT;
	else
		ret = walk_check(&walk->arg);
	if (!ret)
		ret = walk_prepared(walk);
	if (!ret) {
		WRITE_ONCE(file->last_error, walk->arg.error);
		atomic64_inc(&file->walks);
		if (copy_to_user(user, &walk->arg, sizeof(walk->arg)))
			ret = -EFAULT;
	}
	kfree(walk);
	return ret;
}
