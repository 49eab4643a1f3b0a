// SPDX-License-Identifier: GPL-2.0
/*
 * Many mirrors of one process with many ranges each, or as many interval
 * notifiers of a driver without mirrors, to measure how both scale.
 */
#include <linux/hmm_mirror_typed.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "probe.h"

#define CROWD_MEMBERS	1000000U
/* Number of timed insertions (the last ones), and of timed lookups. */
#define CROWD_TIMED	16U

/**
 * struct crowd_device - a mirror of a device whose flush takes time
 * @mirror: the mirror
 * @flush_us: how long a flush takes
 * @flushed: when the last flush that was started is over, in ns of the kernel
 */
struct crowd_device {
	struct hmm_mirror mirror;
	u32 flush_us;
	u64 flushed;
};

/**
 * struct probe_crowd - the mirrors, or the interval notifiers
 * @arg: the request and its results
 * @devices: array of mirrors; NULL for interval notifiers
 * @ranges: array of the ranges of all mirrors, ordered by mirror
 * @plain: array of interval notifiers; NULL for mirrors
 * @nr_devices: number of initialised @devices
 * @nr: number of added @ranges or @plain
 */
struct probe_crowd {
	struct hmm_probe_crowd arg;
	struct crowd_device *devices;
	struct hmm_mirror_range *ranges;
	struct mmu_interval_notifier *plain;
	u32 nr_devices;
	u32 nr;
};

static bool crowd_invalidate(struct hmm_mirror *mirror,
			     const struct hmm_invalidation *inv)
{
	return true;
}

static const struct hmm_mirror_ops crowd_ops = {
	.invalidate = crowd_invalidate,
};

static bool crowd_start_flush(struct crowd_device *device,
			      const struct hmm_invalidation *inv)
{
	device->flushed = ktime_get_ns() + device->flush_us * NSEC_PER_USEC;
	return true;
}

static void crowd_wait_for_flush(struct crowd_device *device,
				 const struct hmm_invalidation *inv)
{
	while (ktime_get_ns() < device->flushed)
		cpu_relax();
}

static void crowd_release(struct crowd_device *device)
{
}

static bool crowd_flush(struct crowd_device *device, const struct hmm_invalidation *inv)
{
	crowd_start_flush(device, inv);
	crowd_wait_for_flush(device, inv);
	return true;
}

DEFINE_HMM_MIRROR_OPS(crowd_ops_flush, struct crowd_device, mirror, crowd_flush);
DEFINE_HMM_MIRROR_OPS_ALL(crowd_ops_two_passes, struct crowd_device, mirror,
			  crowd_start_flush, crowd_wait_for_flush, crowd_release);

static const struct hmm_mirror_ops *crowd_mirror_ops(const struct hmm_probe_crowd *arg)
{
	if (!arg->flush_us)
		return &crowd_ops;
	return arg->one_pass ? &crowd_ops_flush : &crowd_ops_two_passes;
}

static bool plain_invalidate(struct mmu_interval_notifier *notifier,
			     const struct mmu_notifier_range *range,
			     unsigned long seq)
{
	mmu_interval_set_seq(notifier, seq);
	return true;
}

static const struct mmu_interval_notifier_ops plain_ops = {
	.invalidate = plain_invalidate,
};

static struct hmm_span member_span(const struct probe_crowd *crowd, u32 i)
{
	unsigned long start = crowd->arg.start +
			      (i % crowd->arg.ranges) * crowd->arg.stride;

	return (struct hmm_span){ start, start + PAGE_SIZE };
}

static int member_add(struct probe_crowd *crowd, u32 i)
{
	struct hmm_span span = member_span(crowd, i);

	if (crowd->plain)
		return mmu_interval_notifier_insert(&crowd->plain[i],
						    current->mm, span.start,
						    PAGE_SIZE, &plain_ops);
	return hmm_mirror_range_add(&crowd->devices[i / crowd->arg.ranges].mirror,
				    &crowd->ranges[i], span);
}

static int crowd_add_all(struct probe_crowd *crowd, u32 members)
{
	u64 begun = ktime_get_ns();
	int ret = 0;

	for (; !ret && crowd->nr < members; crowd->nr += !ret) {
		if (members - crowd->nr == CROWD_TIMED)
			begun = ktime_get_ns();
		ret = member_add(crowd, crowd->nr);
	}
	crowd->arg.insert_ns = (ktime_get_ns() - begun) /
			       min(members, CROWD_TIMED);
	return ret;
}

static int crowd_lookup(struct hmm_mirror *mirror, struct hmm_span span)
{
	int ret;

	hmm_mirror_populate(pages, ret, mirror, span, HMM_ACCESS_SNAPSHOT)
		;
	return ret;
}

/* Time snapshots of one page in ranges spread over all of them. */
static int crowd_lookups(struct probe_crowd *crowd)
{
	u64 begun = ktime_get_ns();
	int ret = 0;
	u32 i;

	for (i = 0; !ret && crowd->devices && i < CROWD_TIMED; i++)
		ret = crowd_lookup(&crowd->devices[0].mirror,
				   member_span(crowd, i * 40503));
	crowd->arg.lookup_ns = (ktime_get_ns() - begun) / CROWD_TIMED;
	return ret;
}

static int crowd_init(struct probe_crowd *crowd)
{
	u32 members = crowd->arg.ranges * crowd->arg.mirrors;
	int ret = 0;

	if (crowd->arg.core == HMM_PROBE_REFERENCE) {
		crowd->plain = kvcalloc(members, sizeof(*crowd->plain),
					GFP_KERNEL);
		return crowd->plain ? crowd_add_all(crowd, members) : -ENOMEM;
	}
	crowd->devices = kvcalloc(crowd->arg.mirrors, sizeof(*crowd->devices),
				  GFP_KERNEL);
	crowd->ranges = kvcalloc(members, sizeof(*crowd->ranges), GFP_KERNEL);
	if (!crowd->devices || !crowd->ranges)
		return -ENOMEM;
	for (; !ret && crowd->nr_devices < crowd->arg.mirrors;
	     crowd->nr_devices += !ret) {
		crowd->devices[crowd->nr_devices].flush_us = crowd->arg.flush_us;
		ret = hmm_mirror_init(&crowd->devices[crowd->nr_devices].mirror,
				      current->mm, crowd_mirror_ops(&crowd->arg), NULL);
	}
	return ret ?: crowd_add_all(crowd, members) ?: crowd_lookups(crowd);
}

static void crowd_exit(struct probe_crowd *crowd)
{
	u32 i;

	for (i = 0; i < crowd->nr_devices; i++)
		hmm_mirror_exit(&crowd->devices[i].mirror);
	for (i = 0; crowd->plain && i < crowd->nr; i++)
		mmu_interval_notifier_remove(&crowd->plain[i]);
	kvfree(crowd->plain);
	kvfree(crowd->ranges);
	kvfree(crowd->devices);
	kfree(crowd);
}

void probe_crowd_close(struct probe_file *file)
{
	if (file->crowd)
		crowd_exit(file->crowd);
	file->crowd = NULL;
}

static int crowd_check(const struct hmm_probe_crowd *arg)
{
	u32 members;
	u64 size;

	if (arg->core > HMM_PROBE_REFERENCE)
		return -EOPNOTSUPP;
	if (!arg->ranges || !arg->mirrors || arg->stride < PAGE_SIZE ||
	    !PAGE_ALIGNED(arg->start | arg->stride) ||
	    check_mul_overflow(arg->ranges, arg->mirrors, &members) ||
	    members > CROWD_MEMBERS ||
	    check_mul_overflow(arg->ranges, arg->stride, &size) ||
	    check_add_overflow(arg->start, size, &size) || size > TASK_SIZE)
		return -EINVAL;
	return 0;
}

long probe_crowd(struct probe_file *file, struct hmm_probe_crowd __user *user)
{
	struct probe_crowd *crowd;
	int ret;

	guard(mutex)(&file->lock);
	probe_crowd_close(file);
	crowd = kzalloc(sizeof(*crowd), GFP_KERNEL);
	if (!crowd)
		return -ENOMEM;
	if (copy_from_user(&crowd->arg, user, sizeof(crowd->arg)))
		ret = -EFAULT;
	else
		ret = crowd_check(&crowd->arg) ?: crowd_init(crowd);
	if (!ret && copy_to_user(user, &crowd->arg, sizeof(crowd->arg)))
		ret = -EFAULT;
	if (ret)
		crowd_exit(crowd);
	else
		file->crowd = crowd;
	return ret;
}
