// SPDX-License-Identifier: GPL-2.0
/*
 * Timed device faults: look up one page, by a section of a mirror, or by
 * hmm_range_fault() as a driver without mirrors calls it.
 */
#include <linux/delay.h>
#include <linux/hmm_mirror_typed.h>
#include <linux/ktime.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "probe.h"

#define POPULATE_HOLD_US 100000U
#define POPULATE_HOLDS 100000U

/**
 * struct probe_populate - a driver with a mirror and one without, for comparison
 * @mirror: mirror of the first
 * @range: the mirror's range
 * @notifier: interval notifier of the second, for the same addresses
 * @lock: update lock of the second
 * @pfn: stands for both page tables: the pfn mapped last
 */
struct probe_populate {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct mmu_interval_notifier notifier;
	struct mutex lock;	/* orders invalidation and sequence check */
	unsigned long pfn;
};

static bool mirror_invalidate(struct hmm_mirror *mirror,
			      const struct hmm_invalidation *inv)
{
	container_of(mirror, struct probe_populate, mirror)->pfn = 0;
	return true;
}

static const struct hmm_mirror_ops mirror_ops = {
	.invalidate = mirror_invalidate,
};

static bool plain_invalidate(struct mmu_interval_notifier *notifier,
			     const struct mmu_notifier_range *range,
			     unsigned long seq)
{
	struct probe_populate *pp =
		container_of(notifier, struct probe_populate, notifier);

	guard(mutex)(&pp->lock);
	mmu_interval_set_seq(notifier, seq);
	pp->pfn = 0;
	return true;
}

static const struct mmu_interval_notifier_ops plain_ops = {
	.invalidate = plain_invalidate,
};

static int by_mirror(struct probe_populate *pp, unsigned long addr, u64 *retries)
{
	const struct hmm_span span = { addr, addr + PAGE_SIZE };

	int ret;

	hmm_mirror_populate(pages, ret, &pp->mirror, span, HMM_ACCESS_WRITE)
		hmm_section_runs(run, &pages)
			pp->pfn = run.pfn;
	return ret;
}

/* Fault as a driver without mirrors; return 0 with the update lock held. */
static int fault_and_lock(struct probe_populate *pp, struct hmm_range *range)
{
	struct mm_struct *mm = pp->notifier.mm;
	int ret;

	range->notifier_seq = mmu_interval_read_begin(range->notifier);
	mmap_read_lock(mm);
	ret = probe_fault_of(HMM_PROBE_REFERENCE)(range);
	mmap_read_unlock(mm);
	if (ret)
		return ret;
	mutex_lock(&pp->lock);
	if (!mmu_interval_read_retry(range->notifier, range->notifier_seq))
		return 0;
	mutex_unlock(&pp->lock);
	return -EBUSY;
}

static int by_range_fault(struct probe_populate *pp, unsigned long addr, u64 *retries)
{
	unsigned long hmm_pfn;
	struct hmm_range range = {
		.notifier = &pp->notifier,
		.start = addr,
		.end = addr + PAGE_SIZE,
		.hmm_pfns = &hmm_pfn,
		.default_flags = HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE,
	};
	int ret;

	if (!mmget_not_zero(pp->notifier.mm))
		return -ESRCH;
	while ((ret = fault_and_lock(pp, &range)) == -EBUSY)
		++*retries;
	if (!ret) {
		pp->pfn = hmm_pfn & ~HMM_PFN_FLAGS;
		mutex_unlock(&pp->lock);
	}
	mmput(pp->notifier.mm);
	return ret;
}

static int populate(struct probe_populate *pp, struct hmm_probe_populate *arg)
{
	int (*one)(struct probe_populate *pp, unsigned long addr, u64 *retries) =
		arg->core == HMM_PROBE_REFERENCE ? by_range_fault : by_mirror;
	unsigned long addr = arg->start;
	u64 begun = ktime_get_ns();
	int ret = 0;
	u32 i;

	arg->retries = 0;
	for (i = 0; !ret && i < arg->count; i++) {
		ret = one(pp, addr, &arg->retries);
		addr += arg->skip << PAGE_SHIFT;
		if (addr >= arg->end)
			addr = arg->start;
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
	}
	arg->ns = ktime_get_ns() - begun;
	return ret;
}

static int populate_begin(struct probe_populate *pp,
			  const struct hmm_probe_populate *arg)
{
	const struct hmm_span span = { arg->start, arg->end };
	int ret = hmm_mirror_init(&pp->mirror, current->mm, &mirror_ops, NULL);

	if (ret)
		return ret;
	mutex_init(&pp->lock);
	ret = hmm_mirror_range_add(&pp->mirror, &pp->range, span) ?:
	      mmu_interval_notifier_insert(&pp->notifier, current->mm,
					   span.start, span.end - span.start,
					   &plain_ops);
	if (ret)
		hmm_mirror_exit(&pp->mirror);
	return ret;
}

void probe_populate_close(struct probe_file *file)
{
	struct probe_populate *pp = file->populate;

	if (!pp)
		return;
	mmu_interval_notifier_remove(&pp->notifier);
	hmm_mirror_exit(&pp->mirror);
	kfree(pp);
}

/* Initialise on the first call; later calls use the same addresses. */
static struct probe_populate *populate_of(struct probe_file *file,
					  const struct hmm_probe_populate *arg)
{
	struct probe_populate *pp;
	int ret;

	guard(mutex)(&file->lock);
	if (file->populate)
		return file->populate;
	pp = kzalloc(sizeof(*pp), GFP_KERNEL);
	if (!pp)
		return ERR_PTR(-ENOMEM);
	ret = populate_begin(pp, arg);
	if (ret) {
		kfree(pp);
		return ERR_PTR(ret);
	}
	file->populate = pp;
	return pp;
}

long probe_populate(struct probe_file *file,
		    struct hmm_probe_populate __user *user)
{
	struct hmm_probe_populate arg;
	struct probe_populate *pp;
	int ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!PAGE_ALIGNED(arg.start | arg.end) || arg.start >= arg.end ||
	    !arg.skip || arg.skip > HMM_PROBE_MAX_PAGES)
		return -EINVAL;
	if (arg.core > HMM_PROBE_REFERENCE || !probe_fault_of(arg.core))
		return -EOPNOTSUPP;
	pp = populate_of(file, &arg);
	if (IS_ERR(pp))
		return PTR_ERR(pp);
	ret = populate(pp, &arg);
	if (ret)
		return ret;
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

/**
 * probe_occupy() - hold the mmap lock for writing half of the time
 * @user: how long, and how often
 *
 * This contends for the lock as a thread that maps and unmaps memory does, but
 * without changing mappings, so that a benchmark measures only the contention.
 *
 * Return: 0, or a negative errno.
 */
long probe_occupy(const struct hmm_probe_occupy __user *user)
{
	struct hmm_probe_occupy arg;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!arg.us || arg.us > POPULATE_HOLD_US || arg.count > POPULATE_HOLDS)
		return -EINVAL;
	while (arg.count-- && !fatal_signal_pending(current)) {
		mmap_write_lock(current->mm);
		usleep_range(arg.us, arg.us + 1);
		mmap_write_unlock(current->mm);
		usleep_range(arg.us, arg.us + 1);
	}
	return 0;
}
