// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of API year 2019: mirrors, the validity of ranges, faults with results in
 * the driver's format, DMA addresses.
 */
#include <kunit/device.h>
#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>

#include "fixture_memory.h"
#define HMM_API HMM_API_2019
#include "../compat/compat.h"

#define RW (PROT_READ | PROT_WRITE)

/* A format that has nothing in common with today's hmm pfns. */
#define ENTRY_SHIFT	9
#define ENTRY_VALID	BIT(2)
#define ENTRY_WRITE	BIT(5)
#define ENTRY_PRIVATE	BIT(7)
#define ENTRY_ERROR	0x1000
#define ENTRY_NONE	0x2000
#define ENTRY_SPECIAL	0x3000

static const u64 entry_flags[HMM_PFN_FLAG_MAX] = {
	[HMM_PFN_VALID]		 = ENTRY_VALID,
	[HMM_PFN_WRITE]		 = ENTRY_WRITE,
	[HMM_PFN_DEVICE_PRIVATE] = ENTRY_PRIVATE,
};

static const u64 entry_values[HMM_PFN_VALUE_MAX] = {
	[HMM_PFN_ERROR]		 = ENTRY_ERROR,
	[HMM_PFN_NONE]		 = ENTRY_NONE,
	[HMM_PFN_SPECIAL]	 = ENTRY_SPECIAL,
};

/**
 * struct old_device - a mirror that counts its callbacks, and a range of it
 * @mirror: the mirror
 * @range: the range
 * @pfns: its entries
 * @daddrs: its DMA addresses
 * @syncs: number of synchronizations
 * @releases: number of releases
 * @last: span of the last invalidation, whether it was allowed to block,
 *	and whether the range was valid during any that overlapped it
 * @stubborn: refuse invalidations that must not block
 */
struct old_device {
	struct hmm_mirror mirror;
	struct hmm_range range;
	u64 pfns[MEMORY_PAGES];
	dma_addr_t daddrs[MEMORY_PAGES];
	int syncs;
	int releases;
	struct {
		unsigned long start, end;
		bool may_block;
		bool range_valid;
	} last;
	bool stubborn;
};

static int device_sync(struct hmm_mirror *mirror,
		       const struct mmu_notifier_range *update)
{
	struct old_device *device = container_of(mirror, struct old_device, mirror);

	device->last.start = update->start;
	device->last.end = update->end;
	device->last.may_block = mmu_notifier_range_blockable(update);
	/* The driver is called after the range became invalid, and it stays invalid. */
	if (update->start < device->range.end && device->range.start < update->end)
		device->last.range_valid |= hmm_range_valid(&device->range) ||
					    hmm_range_wait_until_valid(&device->range, 0);
	if (device->stubborn && !device->last.may_block)
		return -EAGAIN;
	device->syncs++;
	return 0;
}

static void device_release(struct hmm_mirror *mirror)
{
	container_of(mirror, struct old_device, mirror)->releases++;
}

static const struct hmm_mirror_ops device_ops = {
	.release = device_release,
	.sync_cpu_device_pagetables = device_sync,
};

static const struct hmm_mirror_ops no_release_ops = {
	.sync_cpu_device_pagetables = device_sync,
};

static int device_begin(struct old_device *device, struct mm_struct *mm,
			const struct hmm_mirror_ops *ops)
{
	int ret;

	device->mirror.ops = ops;
	mmap_write_lock(mm);
	ret = hmm_mirror_register(&device->mirror, mm);
	mmap_write_unlock(mm);
	return ret;
}

static void device_forget(void *data)
{
	struct old_device *device = data;

	hmm_range_unregister(&device->range);
	hmm_mirror_unregister(&device->mirror);
}

/* A device that mirrors the test's memory until the end of the test. */
static struct old_device *device_make(struct kunit *test)
{
	struct old_device *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_EQ(test, 0, device_begin(device, current->mm, &device_ops));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, device_forget, device));
	return device;
}

/* The fields that a driver sets for @npages from @addr, without requests. */
static void device_describe(struct old_device *device, unsigned long addr,
			    unsigned long npages)
{
	device->range = (struct hmm_range){
		.start = addr,
		.end = addr + npages * PAGE_SIZE,
		.pfns = device->pfns,
		.flags = entry_flags,
		.values = entry_values,
		.pfn_shift = ENTRY_SHIFT,
	};
}

/* The same, registered. */
static struct hmm_range *device_range(struct kunit *test, struct old_device *device,
				      unsigned long addr, unsigned long npages)
{
	device_describe(device, addr, npages);
	KUNIT_ASSERT_EQ(test, 0, hmm_range_register(&device->range, &device->mirror));
	return &device->range;
}

static long device_fault(struct hmm_range *range, unsigned int flags)
{
	long ret;

	mmap_read_lock(current->mm);
	ret = hmm_range_fault(range, flags);
	if (ret != -EAGAIN)
		mmap_read_unlock(current->mm);
	return ret;
}

/* Start an invalidation. */
static void invalidation_start(struct mmu_notifier_range *update,
			       unsigned long start, unsigned long end)
{
	mmu_notifier_range_init(update, MMU_NOTIFY_CLEAR, 0, current->mm, start, end);
	mmu_notifier_invalidate_range_start(update);
}

static void invalidate(unsigned long start, unsigned long end)
{
	struct mmu_notifier_range update;

	invalidation_start(&update, start, end);
	mmu_notifier_invalidate_range_end(&update);
}

static void mirror_incomplete(struct kunit *test)
{
	struct old_device *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	static const struct hmm_mirror_ops none = {};

	memory_map(test, 1, RW);
	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_EXPECT_EQ(test, -EINVAL, device_begin(device, current->mm, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, device_begin(device, current->mm, &none));
	device->mirror.ops = &device_ops;
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_mirror_register(&device->mirror, NULL));
	/* Never registered: nothing to do. */
	hmm_mirror_unregister(&device->mirror);
	hmm_range_unregister(&device->range);
}

static void mirrors_of_one_process(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct old_device *one = device_make(test), *two = device_make(test);

	KUNIT_EXPECT_PTR_EQ(test, one->mirror.hmm, two->mirror.hmm);
	KUNIT_EXPECT_PTR_EQ(test, one->mirror.hmm->mmu_notifier.mm, current->mm);
	memory_map_at(test, addr, 2, RW);
	KUNIT_EXPECT_EQ(test, one->syncs, 1);
	KUNIT_EXPECT_EQ(test, two->syncs, 1);
	KUNIT_EXPECT_EQ(test, two->last.start, addr);
	KUNIT_EXPECT_EQ(test, two->last.end, addr + 2 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, two->last.may_block);

	hmm_mirror_unregister(&one->mirror);
	memory_map_at(test, addr, 2, RW);
	KUNIT_EXPECT_EQ(test, one->syncs, 1);
	KUNIT_EXPECT_EQ(test, two->syncs, 2);
}

/* The lists of mirrors and ranges of a process. */
static void state_of_a_process(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct old_device *one = device_make(test), *two = device_make(test);
	struct hmm_range *range = device_range(test, two, addr, 1);
	struct hmm *hmm = one->mirror.hmm;

	KUNIT_EXPECT_PTR_EQ(test, range->hmm, hmm);
	down_read(&hmm->mirrors_sem);
	KUNIT_EXPECT_EQ(test, 2UL, list_count_nodes(&hmm->mirrors));
	KUNIT_EXPECT_TRUE(test, list_is_first(&one->mirror.list, &hmm->mirrors));
	up_read(&hmm->mirrors_sem);
	spin_lock(&hmm->ranges_lock);
	KUNIT_EXPECT_TRUE(test, list_is_first(&range->list, &hmm->ranges));
	spin_unlock(&hmm->ranges_lock);
	hmm_range_unregister(range);
	KUNIT_EXPECT_NULL(test, range->hmm);
	KUNIT_EXPECT_TRUE(test, list_empty(&hmm->ranges));
}

static void mirror_would_block(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct old_device *device = device_make(test);
	struct mmu_notifier_range update;
	int ret;

	device->stubborn = true;
	mmu_notifier_range_init(&update, MMU_NOTIFY_CLEAR, 0, current->mm, addr,
				addr + PAGE_SIZE);
	ret = mmu_notifier_invalidate_range_start_nonblock(&update);
	KUNIT_EXPECT_EQ(test, -EAGAIN, ret);
	/* A refused invalidation has no end. */
	if (!ret)
		mmu_notifier_invalidate_range_end(&update);
	KUNIT_EXPECT_EQ(test, 0, device->syncs);
	KUNIT_EXPECT_FALSE(test, device->last.may_block);
	KUNIT_EXPECT_EQ(test, 0L, device->mirror.hmm->notifiers);

	device->stubborn = false;
	KUNIT_EXPECT_EQ(test, 0, mmu_notifier_invalidate_range_start_nonblock(&update));
	KUNIT_EXPECT_EQ(test, 1L, device->mirror.hmm->notifiers);
	mmu_notifier_invalidate_range_end(&update);
	KUNIT_EXPECT_EQ(test, 1, device->syncs);
	KUNIT_EXPECT_EQ(test, 0L, device->mirror.hmm->notifiers);
}

/* Once the OOM reaper has invalidated pages, contents are not reliable: ranges stay invalid. */
static void range_of_a_reaped_process(struct kunit *test)
{
	unsigned long addr = memory_map(test, 2, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 1);
	struct mmu_notifier_range update;

	KUNIT_EXPECT_TRUE(test, hmm_range_valid(range));
	mmu_notifier_range_init(&update, MMU_NOTIFY_CLEAR, 0, current->mm,
				addr + PAGE_SIZE, addr + 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 0, mmu_notifier_invalidate_range_start_nonblock(&update));
	KUNIT_EXPECT_FALSE(test, device->last.range_valid);
	mmu_notifier_invalidate_range_end(&update);
	KUNIT_EXPECT_FALSE(test, hmm_range_wait_until_valid(range, 20000));
	KUNIT_EXPECT_EQ(test, -EBUSY, device_fault(range, 0));
}

static void mirror_release(struct kunit *test)
{
	struct old_device *one = kunit_kzalloc(test, 3 * sizeof(*one), GFP_KERNEL);
	struct old_device *two = one + 1, *three = one + 2;
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, one);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	KUNIT_EXPECT_EQ(test, 0, device_begin(one, mm, &device_ops));
	KUNIT_EXPECT_EQ(test, 0, device_begin(two, mm, &device_ops));
	KUNIT_EXPECT_EQ(test, 0, device_begin(three, mm, &no_release_ops));
	hmm_mirror_unregister(&two->mirror);
	device_describe(one, PAGE_SIZE, 1);

	mmput(mm);
	KUNIT_EXPECT_EQ(test, 1, one->releases);
	KUNIT_EXPECT_EQ(test, 0, one->syncs);
	KUNIT_EXPECT_EQ(test, 0, two->releases);
	KUNIT_EXPECT_EQ(test, 1, three->syncs);
	KUNIT_EXPECT_EQ(test, three->last.end, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, -EFAULT, hmm_range_register(&one->range, &one->mirror));
	KUNIT_EXPECT_FALSE(test, hmm_range_wait_until_valid(&one->range, 0));
	hmm_mirror_unregister(&one->mirror);
	hmm_mirror_unregister(&three->mirror);
	KUNIT_EXPECT_EQ(test, 1, one->releases);
}

/* The address space does not end while a range of it is registered. */
static void range_keeps_process(struct kunit *test)
{
	struct old_device *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct mm_struct *mm = mm_alloc();
	int i;

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	KUNIT_EXPECT_EQ(test, 0, device_begin(device, mm, &device_ops));
	device_describe(device, PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, 0, hmm_range_register(&device->range, &device->mirror));
	mmput(mm);
	KUNIT_EXPECT_EQ(test, 0, device->releases);
	KUNIT_EXPECT_TRUE(test, hmm_range_valid(&device->range));
	hmm_range_unregister(&device->range);
	/* The last reference is dropped by a work item. */
	for (i = 0; i < 500 && !READ_ONCE(device->releases); i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
	hmm_mirror_unregister(&device->mirror);
}

static void range_malformed(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = &device->range;
	static const struct {
		long start, end;
	} bad[] = { { 0, 0 }, { PAGE_SIZE, 0 }, { 1, PAGE_SIZE }, { 0, PAGE_SIZE + 1 } };
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		device_describe(device, addr, 1);
		range->start = addr + bad[i].start;
		range->end = addr + bad[i].end;
		KUNIT_EXPECT_EQ(test, -EINVAL, hmm_range_register(range, &device->mirror));
		KUNIT_EXPECT_EQ(test, -EINVAL, device_fault(range, 0));
		KUNIT_EXPECT_EQ(test, -EINVAL,
				hmm_range_dma_unmap(range, NULL, device->daddrs, false));
	}
	/* Not registered, and without a notifier. */
	device_describe(device, addr, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL, device_fault(range, 0));
	device_range(test, device, addr, 1);
	range->pfns = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, device_fault(range, 0));
}

static void range_validity(struct kunit *test)
{
	unsigned long addr = memory_map(test, 8, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr + 2 * PAGE_SIZE, 2);

	KUNIT_EXPECT_TRUE(test, hmm_range_valid(range));
	invalidate(addr, addr + 2 * PAGE_SIZE);
	invalidate(addr + 4 * PAGE_SIZE, addr + 8 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, hmm_range_valid(range));
	invalidate(addr, addr + 3 * PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, hmm_range_valid(range));
	KUNIT_EXPECT_FALSE(test, device->last.range_valid);
	KUNIT_EXPECT_EQ(test, -EBUSY, device_fault(range, 0));

	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, HMM_RANGE_DEFAULT_TIMEOUT));
	KUNIT_EXPECT_TRUE(test, hmm_range_valid(range));
	KUNIT_EXPECT_EQ(test, 2, device_fault(range, 0));
	hmm_range_unregister(range);
	KUNIT_EXPECT_FALSE(test, hmm_range_valid(range));
}

/**
 * struct plain - validity as Linux 5.4 had it: a bool
 * @notifier: sets it
 * @start: first address
 * @end: address after the last
 * @valid: the bool
 */
struct plain {
	struct mmu_notifier notifier;
	unsigned long start;
	unsigned long end;
	bool valid;
};

static int plain_start(struct mmu_notifier *notifier, const struct mmu_notifier_range *update)
{
	struct plain *plain = container_of(notifier, struct plain, notifier);

	if (plain->start < update->end && update->start < plain->end)
		plain->valid = false;
	return 0;
}

static void plain_end(struct mmu_notifier *notifier, const struct mmu_notifier_range *update)
{
	container_of(notifier, struct plain, notifier)->valid = true;
}

static const struct mmu_notifier_ops plain_ops = {
	.invalidate_range_start = plain_start,
	.invalidate_range_end = plain_end,
};

static bool plain_valid(void *plain)
{
	return ((struct plain *)plain)->valid;
}

static bool range_is_valid(void *range)
{
	return hmm_range_valid(range);
}

/*
 * The defect for which this API year was replaced: a page is reported, then an
 * invalidation both starts and ends, and then the driver checks the range.
 */
static bool valid_after(struct kunit *test, struct hmm_range *range,
			bool (*valid)(void *), void *data)
{
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, HMM_RANGE_DEFAULT_TIMEOUT));
	KUNIT_EXPECT_EQ(test, 2, device_fault(range, 0));
	KUNIT_EXPECT_TRUE(test, valid(data));
	invalidate(range->start, range->start + PAGE_SIZE);
	return valid(data);
}

static void range_start_and_end_between(struct kunit *test)
{
	unsigned long addr = memory_map(test, 2, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 2);
	struct plain plain = {
		.notifier.ops = &plain_ops,
		.start = range->start, .end = range->end, .valid = true,
	};

	KUNIT_EXPECT_FALSE(test, valid_after(test, range, range_is_valid, range));
	KUNIT_EXPECT_EQ(test, 1, device->syncs);
	/* A plain bool does not detect this order of events. */
	KUNIT_ASSERT_EQ(test, 0, mmu_notifier_register(&plain.notifier, current->mm));
	KUNIT_EXPECT_TRUE(test, valid_after(test, range, plain_valid, &plain));
	mmu_notifier_unregister(&plain.notifier, current->mm);
}

/* The same with a real change of the page table, which replaces the page. */
static void range_page_replaced_between(struct kunit *test)
{
	unsigned long addr = memory_map(test, 1, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 1);

	memory_write(test, addr, 1);
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, HMM_RANGE_DEFAULT_TIMEOUT));
	KUNIT_EXPECT_EQ(test, 1, device_fault(range, 0));
	KUNIT_EXPECT_EQ(test, hmm_device_entry_to_pfn(range, device->pfns[0]),
			memory_pfn(test, addr));
	memory_map_at(test, addr, 1, RW);
	KUNIT_EXPECT_FALSE(test, hmm_range_valid(range));
}

static void range_wait_times_out(struct kunit *test)
{
	unsigned long addr = memory_map(test, 2, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 2);
	struct mmu_notifier_range update;
	unsigned long start = jiffies;

	invalidation_start(&update, addr, addr + PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, hmm_range_wait_until_valid(range, 30));
	KUNIT_EXPECT_TRUE(test, time_in_range(jiffies, start + msecs_to_jiffies(30),
					      start + msecs_to_jiffies(10000)));
	KUNIT_EXPECT_FALSE(test, hmm_range_valid(range));
	mmu_notifier_invalidate_range_end(&update);
	/* The end alone does not make it valid. */
	KUNIT_EXPECT_FALSE(test, hmm_range_valid(range));
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, 0));
	KUNIT_EXPECT_TRUE(test, hmm_range_valid(range));
}

/**
 * struct ending - an invalidation that ends by itself
 * @work: ends it
 * @update: the invalidation
 * @hmm: the state of the process
 * @awaited: whether somebody waited for its end
 */
struct ending {
	struct delayed_work work;
	struct mmu_notifier_range update;
	struct hmm *hmm;
	bool awaited;
};

static void ending_now(struct work_struct *work)
{
	struct ending *ending = container_of(work, struct ending, work.work);

	/* A racy check, made after a waiter had time to start waiting. */
	ending->awaited = waitqueue_active(&ending->hmm->wq);
	mmu_notifier_invalidate_range_end(&ending->update);
}

static void range_wait_wakes(struct kunit *test)
{
	unsigned long addr = memory_map(test, 2, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 2);
	struct ending ending = { .hmm = device->mirror.hmm };
	unsigned long start;

	INIT_DELAYED_WORK_ONSTACK(&ending.work, ending_now);
	invalidation_start(&ending.update, addr, addr + PAGE_SIZE);
	start = jiffies;
	schedule_delayed_work(&ending.work, msecs_to_jiffies(50));
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, 20000));
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, start + msecs_to_jiffies(10000)));
	flush_delayed_work(&ending.work);
	destroy_delayed_work_on_stack(&ending.work);
	KUNIT_EXPECT_TRUE(test, ending.awaited);
}

/* A range is registered during an invalidation that overlaps it. */
static void range_begins_during(struct kunit *test)
{
	unsigned long addr = memory_map(test, 2, RW);
	struct old_device *device = device_make(test);
	struct mmu_notifier_range update;
	struct hmm_range *range;

	invalidation_start(&update, addr, addr + PAGE_SIZE);
	range = device_range(test, device, addr, 2);
	KUNIT_EXPECT_FALSE(test, hmm_range_valid(range));
	mmu_notifier_invalidate_range_end(&update);
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, 0));
}

/* Invalidations of other addresses neither make a range invalid nor are waited for. */
static void range_ignores_others(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW), start;
	struct old_device *device = device_make(test);
	struct mmu_notifier_range update;
	struct hmm_range *range;

	memory_write(test, addr, 1);
	invalidation_start(&update, addr + 2 * PAGE_SIZE, addr + 3 * PAGE_SIZE);
	range = device_range(test, device, addr, 2);
	KUNIT_EXPECT_TRUE(test, hmm_range_valid(range));
	start = jiffies;
	KUNIT_EXPECT_EQ(test, 2, device_fault(range, HMM_FAULT_SNAPSHOT));
	range->default_flags = ENTRY_VALID;
	KUNIT_EXPECT_EQ(test, 2, device_fault(range, 0));
	invalidate(addr, addr + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, 20000));
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, start + msecs_to_jiffies(500)));
	mmu_notifier_invalidate_range_end(&update);
}

/* More invalidations at a time than are recorded count as invalidations of everything. */
static void range_among_many(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW), elsewhere = addr + 2 * PAGE_SIZE;
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 2);
	struct mmu_notifier_range *update;
	int i;

	update = kunit_kcalloc(test, HMM_PROCESS_ACTIVE + 1, sizeof(*update), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, update);
	for (i = 0; i < HMM_PROCESS_ACTIVE; i++)
		invalidation_start(update + i, elsewhere, elsewhere + PAGE_SIZE);
	invalidate(addr, addr + PAGE_SIZE);
	/* That one had no record, and is over. */
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, 0));
	invalidation_start(update + i, addr, addr + PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, hmm_range_wait_until_valid(range, 0));
	mmu_notifier_invalidate_range_end(update);
	/* A record is free again, but not the one of that invalidation. */
	KUNIT_EXPECT_FALSE(test, hmm_range_wait_until_valid(range, 0));
	mmu_notifier_invalidate_range_end(update + i);
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, 0));
	while (--i)
		mmu_notifier_invalidate_range_end(update + i);
	KUNIT_EXPECT_EQ(test, 0L, device->mirror.hmm->notifiers);
	invalidate(addr, addr + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, 0));
}

static void entries_there_and_back(struct kunit *test)
{
	unsigned long addr = memory_map(test, 1, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 1);
	unsigned long pfn;
	u64 entry;
	int i;

	memory_write(test, addr, 1);
	pfn = memory_pfn(test, addr);
	entry = hmm_device_entry_from_pfn(range, pfn);
	KUNIT_EXPECT_EQ(test, entry, ((u64)pfn << ENTRY_SHIFT) | ENTRY_VALID);
	KUNIT_EXPECT_EQ(test, entry, hmm_device_entry_from_page(range, pfn_to_page(pfn)));
	KUNIT_EXPECT_EQ(test, pfn, hmm_device_entry_to_pfn(range, entry));
	KUNIT_EXPECT_PTR_EQ(test, pfn_to_page(pfn), hmm_device_entry_to_page(range, entry));
	for (i = 0; i < HMM_PFN_VALUE_MAX; i++) {
		KUNIT_EXPECT_EQ(test, -1UL, hmm_device_entry_to_pfn(range, entry_values[i]));
		KUNIT_EXPECT_NULL(test, hmm_device_entry_to_page(range, entry_values[i]));
	}
	entry &= ~(u64)ENTRY_VALID;
	KUNIT_EXPECT_EQ(test, -1UL, hmm_device_entry_to_pfn(range, entry));
	KUNIT_EXPECT_NULL(test, hmm_device_entry_to_page(range, entry));
}

/* The values of the indices, for drivers that do not use their names. */
static void formats(struct kunit *test)
{
	const enum hmm_pfn_flag_e flags[] = {
		HMM_PFN_VALID, HMM_PFN_WRITE, HMM_PFN_DEVICE_PRIVATE, HMM_PFN_FLAG_MAX,
	};
	const enum hmm_pfn_value_e values[] = {
		HMM_PFN_ERROR, HMM_PFN_NONE, HMM_PFN_SPECIAL, HMM_PFN_VALUE_MAX,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		KUNIT_EXPECT_EQ(test, i, (int)flags[i]);
		KUNIT_EXPECT_EQ(test, i, (int)values[i]);
	}
	KUNIT_EXPECT_EQ(test, 1, (int)HMM_FAULT_ALLOW_RETRY);
	KUNIT_EXPECT_EQ(test, 2, (int)HMM_FAULT_SNAPSHOT);
	KUNIT_EXPECT_EQ(test, 1000, HMM_RANGE_DEFAULT_TIMEOUT);
}

/* A special value that has the valid bit is not a page. */
static void entries_of_awkward_values(struct kunit *test)
{
	static const u64 values[HMM_PFN_VALUE_MAX] = {
		[HMM_PFN_ERROR] = ENTRY_ERROR | ENTRY_VALID,
		[HMM_PFN_NONE] = 0,
		[HMM_PFN_SPECIAL] = ENTRY_SPECIAL | ENTRY_VALID,
	};
	struct hmm_range range = { .flags = entry_flags, .values = values,
				   .pfn_shift = ENTRY_SHIFT };
	int i;

	for (i = 0; i < HMM_PFN_VALUE_MAX; i++)
		KUNIT_EXPECT_NULL(test, hmm_device_entry_to_page(&range, values[i]));
}

static void fault_snapshot(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 4);

	memory_write(test, addr + PAGE_SIZE, 1);
	memory_read(test, addr + 2 * PAGE_SIZE);
	/* Requests of all pages and of one page, which both do not count. */
	range->default_flags = ENTRY_VALID | ENTRY_WRITE;
	range->pfn_flags_mask = ENTRY_VALID | ENTRY_WRITE;
	device->pfns[3] = ENTRY_VALID | ENTRY_WRITE;
	KUNIT_EXPECT_EQ(test, 4, device_fault(range, HMM_FAULT_SNAPSHOT));
	KUNIT_EXPECT_EQ(test, device->pfns[0], (u64)ENTRY_NONE);
	KUNIT_EXPECT_EQ(test, device->pfns[1],
			((u64)memory_pfn(test, addr + PAGE_SIZE) << ENTRY_SHIFT) |
			ENTRY_VALID | ENTRY_WRITE);
	/* The zero page can be read. */
	KUNIT_EXPECT_EQ(test, device->pfns[2] & (ENTRY_VALID | ENTRY_WRITE), (u64)ENTRY_VALID);
	KUNIT_EXPECT_EQ(test, device->pfns[3], (u64)ENTRY_NONE);
}

static void fault_by_default(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW), i;
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, MEMORY_PAGES);

	range->default_flags = ENTRY_VALID;
	KUNIT_EXPECT_EQ(test, MEMORY_PAGES, device_fault(range, 0));
	for (i = 0; i < MEMORY_PAGES; i++)
		KUNIT_EXPECT_EQ(test, device->pfns[i] & (ENTRY_VALID | ENTRY_WRITE),
				(u64)ENTRY_VALID);
	/* Each fault breaks COW of the zero page, and so invalidates the range. */
	range->default_flags = ENTRY_VALID | ENTRY_WRITE;
	KUNIT_EXPECT_EQ(test, MEMORY_PAGES, device_fault(range, 0));
	KUNIT_EXPECT_LT(test, 0, device->syncs);
	KUNIT_EXPECT_TRUE(test, hmm_range_valid(range));
	for (i = 0; i < MEMORY_PAGES; i++)
		KUNIT_EXPECT_EQ(test, device->pfns[i],
				((u64)memory_pfn(test, addr + i * PAGE_SIZE) << ENTRY_SHIFT) |
				ENTRY_VALID | ENTRY_WRITE);
}

/* Requests of single pages count as far as the mask includes them. */
static void fault_by_mask(struct kunit *test)
{
	unsigned long addr = memory_map(test, 3, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 3);

	device->pfns[1] = ENTRY_VALID | ENTRY_WRITE;
	KUNIT_EXPECT_EQ(test, 3, device_fault(range, 0));
	KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)ENTRY_NONE);

	device->pfns[0] = 0;
	device->pfns[1] = ENTRY_VALID | ENTRY_WRITE;
	device->pfns[2] = ENTRY_VALID | ENTRY_WRITE;
	range->pfn_flags_mask = ENTRY_VALID;
	KUNIT_EXPECT_EQ(test, 3, device_fault(range, 0));
	KUNIT_EXPECT_EQ(test, device->pfns[0], (u64)ENTRY_NONE);
	KUNIT_EXPECT_EQ(test, device->pfns[1] & (ENTRY_VALID | ENTRY_WRITE), (u64)ENTRY_VALID);
	KUNIT_EXPECT_EQ(test, device->pfns[2] & (ENTRY_VALID | ENTRY_WRITE), (u64)ENTRY_VALID);
}

static void fault_errors(struct kunit *test)
{
	unsigned long addr = memory_map(test, 3, PROT_READ);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 3);

	memory_read(test, addr);
	range->default_flags = ENTRY_VALID | ENTRY_WRITE;
	KUNIT_EXPECT_EQ(test, -EPERM, device_fault(range, 0));
	/* Entries up to the page that failed are reported, the others are NONE. */
	vm_munmap(addr + PAGE_SIZE, PAGE_SIZE);
	hmm_range_wait_until_valid(range, HMM_RANGE_DEFAULT_TIMEOUT);
	memset(device->pfns, 0xff, sizeof(device->pfns));
	range->default_flags = 0;
	range->pfn_flags_mask = ENTRY_VALID;
	KUNIT_EXPECT_EQ(test, -EFAULT, device_fault(range, 0));
	KUNIT_EXPECT_EQ(test, device->pfns[0] & (ENTRY_VALID | ENTRY_WRITE), (u64)ENTRY_VALID);
	KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)ENTRY_NONE);
	KUNIT_EXPECT_EQ(test, device->pfns[2], (u64)ENTRY_NONE);
}

/* Addresses without a PTE are reported as none. */
static void snapshot_of_a_hole(struct kunit *test)
{
	unsigned long addr = memory_map(test, 3, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range;

	memory_write(test, addr + 2 * PAGE_SIZE, 1);
	vm_munmap(addr, 2 * PAGE_SIZE);
	range = device_range(test, device, addr, 3);
	KUNIT_EXPECT_EQ(test, 3, device_fault(range, HMM_FAULT_SNAPSHOT));
	KUNIT_EXPECT_EQ(test, device->pfns[0], (u64)ENTRY_NONE);
	KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)ENTRY_NONE);
	KUNIT_EXPECT_TRUE(test, device->pfns[2] & ENTRY_VALID);
}

/* Above the last VMA even a snapshot is an error, as in Linux 5.4. */
static void snapshot_above_all(struct kunit *test)
{
	unsigned long addr = memory_map(test, 1, RW);
	struct old_device *device = device_make(test);
	struct vm_area_struct *vma;
	struct hmm_range *range;

	mmap_read_lock(current->mm);
	while ((vma = find_vma(current->mm, addr)))
		addr = vma->vm_end;
	mmap_read_unlock(current->mm);
	range = device_range(test, device, addr - PAGE_SIZE, 2);
	memset(device->pfns, 0xff, sizeof(device->pfns));
	KUNIT_EXPECT_EQ(test, -EFAULT, device_fault(range, HMM_FAULT_SNAPSHOT));
	KUNIT_EXPECT_NE(test, device->pfns[0], ~0ULL);
	KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)ENTRY_NONE);
}

/* A VMA that cannot be read: no entry is reported, not even of the pages before it. */
static void fault_unreadable(struct kunit *test)
{
	unsigned long addr = memory_map(test, 2, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range;
	int i;

	memory_write(test, addr, 1);
	memory_map_at(test, addr + PAGE_SIZE, 1, PROT_NONE);
	range = device_range(test, device, addr, 2);
	for (i = 0; i < 2; i++) {
		memset(device->pfns, 0xff, sizeof(device->pfns));
		range->default_flags = i ? ENTRY_VALID : 0;
		KUNIT_EXPECT_EQ(test, -EPERM, device_fault(range, 0));
		KUNIT_EXPECT_EQ(test, device->pfns[0], (u64)ENTRY_NONE);
		KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)ENTRY_NONE);
	}
}

/* A mapping whose only page comes from vm_insert_page(). */
static struct page *inserted_page;

static int inserted_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_MIXEDMAP);
	return vm_insert_page(vma, vma->vm_start, inserted_page);
}

static const struct file_operations inserted_fops = {
	.mmap = inserted_mmap,
};

static void fault_inserted_page(struct kunit *test)
{
	static const u64 aliased[HMM_PFN_VALUE_MAX] = {
		[HMM_PFN_ERROR]	  = ENTRY_ERROR,
		[HMM_PFN_NONE]	  = ENTRY_NONE,
		[HMM_PFN_SPECIAL] = ENTRY_ERROR,
	};
	struct old_device *device;
	struct hmm_range *range;
	struct file *file;
	unsigned long addr;

	memory_map(test, 1, RW);
	inserted_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, inserted_page);
	file = anon_inode_getfile("hmm_inserted", &inserted_fops, NULL, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	addr = vm_mmap(file, 0, 2 * PAGE_SIZE, RW, MAP_SHARED, 0);
	fput(file);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	device = device_make(test);
	range = device_range(test, device, addr, 2);
	KUNIT_EXPECT_EQ(test, 2, device_fault(range, HMM_FAULT_SNAPSHOT));
	KUNIT_EXPECT_EQ(test, device->pfns[0], (u64)ENTRY_SPECIAL);
	KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)ENTRY_NONE);
	/* A driver may use one value for errors and for what is special. */
	range->values = aliased;
	KUNIT_EXPECT_EQ(test, 2, device_fault(range, HMM_FAULT_SNAPSHOT));
	KUNIT_EXPECT_EQ(test, device->pfns[0], (u64)ENTRY_ERROR);
	KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)ENTRY_NONE);
	range->values = entry_values;
	range->default_flags = ENTRY_VALID;
	KUNIT_EXPECT_EQ(test, -EFAULT, device_fault(range, 0));
	KUNIT_EXPECT_EQ(test, device->pfns[0], (u64)ENTRY_SPECIAL);
	hmm_range_unregister(range);
	vm_munmap(addr, 2 * PAGE_SIZE);
	put_page(inserted_page);
}

/*
 * A fault handler that drops the mmap lock the first time, if it may; or that
 * invalidates an address every time, and has no page; or that invalidates an
 * address the first time; or that starts an invalidation the first time; or that
 * fails.
 */
static int reluctant_faults;
static vm_fault_t reluctant_error;
static unsigned long reluctant_restless;
static unsigned long reluctant_once;
static struct mmu_notifier_range *reluctant_open;

static vm_fault_t reluctant_fault(struct vm_fault *vmf)
{
	struct page *page;

	if (reluctant_error)
		return reluctant_error;
	if (reluctant_restless) {
		invalidate(reluctant_restless, reluctant_restless + PAGE_SIZE);
		return VM_FAULT_NOPAGE;
	}
	if (reluctant_open) {
		invalidation_start(reluctant_open, vmf->address, vmf->address + PAGE_SIZE);
		reluctant_open = NULL;
	}
	if (reluctant_once) {
		invalidate(reluctant_once, reluctant_once + PAGE_SIZE);
		reluctant_once = 0;
	}
	if (reluctant_faults++ == 0 && (vmf->flags & FAULT_FLAG_ALLOW_RETRY)) {
		release_fault_lock(vmf);
		return VM_FAULT_RETRY;
	}
	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!page)
		return VM_FAULT_OOM;
	lock_page(page);
	vmf->page = page;
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct reluctant_vm_ops = {
	.fault = reluctant_fault,
};

static int reluctant_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &reluctant_vm_ops;
	return 0;
}

static const struct file_operations reluctant_fops = {
	.mmap = reluctant_mmap,
};

/* Map the same file at @addr, replacing its mapping. */
static void reluctant_map_at(struct kunit *test, unsigned long addr)
{
	struct file *file = anon_inode_getfile("hmm_reluctant", &reluctant_fops, NULL, O_RDWR);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, addr, vm_mmap(file, addr, PAGE_SIZE, PROT_READ,
					    MAP_SHARED | MAP_FIXED, 0));
	fput(file);
}

static unsigned long reluctant_map(struct kunit *test)
{
	struct file *file = anon_inode_getfile("hmm_reluctant", &reluctant_fops, NULL, O_RDWR);
	unsigned long addr;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	addr = vm_mmap(file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	fput(file);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return addr;
}

static void fault_allow_retry(struct kunit *test)
{
	struct old_device *device;
	struct hmm_range *range;
	unsigned long addr;

	/* The first mapping gives the test an address space. */
	memory_map(test, 1, RW);
	addr = reluctant_map(test);
	device = device_make(test);
	range = device_range(test, device, addr, 1);
	range->default_flags = ENTRY_VALID;

	reluctant_faults = 0;
	KUNIT_EXPECT_EQ(test, -EAGAIN, device_fault(range, HMM_FAULT_ALLOW_RETRY));
	/* The lock went with it. */
	KUNIT_ASSERT_FALSE(test, rwsem_is_locked(&current->mm->mmap_lock));
	KUNIT_EXPECT_EQ(test, 1, device_fault(range, HMM_FAULT_ALLOW_RETRY));
	KUNIT_EXPECT_EQ(test, 2, reluctant_faults);

	/* Without the flag the handler may not drop it. */
	hmm_range_unregister(range);
	vm_munmap(addr, PAGE_SIZE);
	addr = reluctant_map(test);
	range = device_range(test, device, addr, 1);
	range->default_flags = ENTRY_VALID;
	reluctant_faults = 0;
	KUNIT_EXPECT_EQ(test, 1, device_fault(range, 0));
	KUNIT_EXPECT_EQ(test, 1, reluctant_faults);
	hmm_range_unregister(range);
	vm_munmap(addr, PAGE_SIZE);
}

/* A fault handler that never has a page does not keep the walk going for ever. */
static void fault_without_progress_ends(struct kunit *test)
{
	unsigned long elsewhere = memory_map(test, 1, RW);
	unsigned long addr = reluctant_map(test), start = jiffies;
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 1);

	range->default_flags = ENTRY_VALID;
	reluctant_restless = elsewhere;
	KUNIT_EXPECT_EQ(test, -EBUSY, device_fault(range, 0));
	reluctant_restless = 0;
	KUNIT_EXPECT_TRUE(test, hmm_range_valid(range));
	KUNIT_EXPECT_TRUE(test, time_in_range(jiffies,
					      start + msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT),
					      start + msecs_to_jiffies(20000)));
	hmm_range_unregister(range);
	vm_munmap(addr, PAGE_SIZE);
}

/* What a fault handler returned is the error, and no request is left behind. */
static void fault_handler_fails(struct kunit *test)
{
	static const struct {
		vm_fault_t returned;
		int error;
	} cases[] = { { VM_FAULT_OOM, -ENOMEM }, { VM_FAULT_SIGBUS, -EFAULT } };
	unsigned long addr = memory_map(test, 3, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range;
	int i;

	memory_write(test, addr, 1);
	reluctant_map_at(test, addr + PAGE_SIZE);
	range = device_range(test, device, addr, 3);
	range->pfn_flags_mask = ENTRY_VALID;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(device->pfns, 0xff, sizeof(device->pfns));
		reluctant_error = cases[i].returned;
		KUNIT_EXPECT_EQ(test, cases[i].error, device_fault(range, 0));
		reluctant_error = 0;
		KUNIT_EXPECT_EQ(test, hmm_device_entry_to_pfn(range, device->pfns[0]),
				memory_pfn(test, addr));
		KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)ENTRY_NONE);
		KUNIT_EXPECT_EQ(test, device->pfns[2], (u64)ENTRY_NONE);
	}
	hmm_range_unregister(range);
}

/* A range of two pages; what the first of them reports looks like a request. */
static struct hmm_range *requests_range(struct kunit *test, struct old_device *device,
					unsigned long addr)
{
	static const u64 values[HMM_PFN_VALUE_MAX] = {
		[HMM_PFN_ERROR]	  = ENTRY_ERROR,
		[HMM_PFN_NONE]	  = ENTRY_NONE | ENTRY_VALID,
		[HMM_PFN_SPECIAL] = ENTRY_SPECIAL,
	};
	struct hmm_range *range;

	device_describe(device, addr, 2);
	range = &device->range;
	range->values = values;
	range->pfn_flags_mask = ~0ULL;
	device->pfns[0] = 0;
	device->pfns[1] = ENTRY_VALID;
	KUNIT_ASSERT_EQ(test, 0, hmm_range_register(range, &device->mirror));
	return range;
}

/* When the walk starts again, reported entries are not taken for requests. */
static void fault_keeps_requests(struct kunit *test)
{
	unsigned long addr = memory_map(test, 2, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range;

	reluctant_map_at(test, addr + PAGE_SIZE);
	range = requests_range(test, device, addr);
	reluctant_once = addr;
	device->syncs = 0;
	KUNIT_EXPECT_EQ(test, 2, device_fault(range, 0));
	KUNIT_EXPECT_EQ(test, device->pfns[0], (u64)(ENTRY_NONE | ENTRY_VALID));
	KUNIT_EXPECT_TRUE(test, device->pfns[1] & ENTRY_VALID);
	KUNIT_EXPECT_EQ(test, 1, device->syncs);
	hmm_range_unregister(range);
}

/* An invalidation of the range that does not end is waited for no longer than a second. */
static void fault_wait_times_out(struct kunit *test)
{
	unsigned long addr = memory_map(test, 2, RW), start = jiffies;
	struct old_device *device = device_make(test);
	struct mmu_notifier_range update;
	struct hmm_range *range;

	reluctant_map_at(test, addr + PAGE_SIZE);
	range = requests_range(test, device, addr);
	reluctant_open = &update;
	KUNIT_EXPECT_EQ(test, -EBUSY, device_fault(range, 0));
	KUNIT_EXPECT_TRUE(test, time_in_range(jiffies,
					      start + msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT),
					      start + msecs_to_jiffies(20000)));
	/* The driver can repeat the call: the requests are still in the array. */
	KUNIT_EXPECT_EQ(test, device->pfns[0], 0ULL);
	KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)ENTRY_VALID);
	mmu_notifier_invalidate_range_end(&update);
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(range, 0));
	KUNIT_EXPECT_EQ(test, 2, device_fault(range, 0));
	hmm_range_unregister(range);
}

/* A range that is bound to a notifier, beside one that is bound to a mirror. */
static void range_of_a_notifier(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *bound = device_range(test, device, addr, 4);
	struct hmm_range range = *bound;
	struct mmu_interval_notifier notifier;
	u64 pfns[4] = {};

	KUNIT_ASSERT_EQ(test, 0, mmu_interval_notifier_insert(&notifier, current->mm, addr,
							      4 * PAGE_SIZE, &memory_notifier_ops));
	range.notifier = &notifier;
	range.hmm = NULL;
	range.pfns = pfns;
	range.default_flags = ENTRY_VALID | ENTRY_WRITE;
	range.notifier_seq = mmu_interval_read_begin(&notifier);
	KUNIT_EXPECT_TRUE(test, hmm_range_valid(&range));
	KUNIT_EXPECT_EQ(test, 4, device_fault(&range, 0));
	KUNIT_EXPECT_EQ(test, 4, device_fault(bound, 0));
	KUNIT_EXPECT_EQ(test, pfns[3], device->pfns[3]);
	KUNIT_EXPECT_EQ(test, hmm_device_entry_to_pfn(&range, pfns[3]),
			memory_pfn(test, addr + 3 * PAGE_SIZE));

	invalidate(addr, addr + PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, hmm_range_valid(&range));
	KUNIT_EXPECT_FALSE(test, hmm_range_valid(bound));
	KUNIT_EXPECT_EQ(test, -EBUSY, device_fault(&range, 0));
	KUNIT_EXPECT_TRUE(test, hmm_range_wait_until_valid(&range, 0));
	KUNIT_EXPECT_EQ(test, 4, device_fault(&range, 0));
	mmu_interval_notifier_remove(&notifier);
}

static struct device *dma_device(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "hmm_2019");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	if (!IS_ENABLED(CONFIG_HAS_DMA))
		kunit_skip(test, "this kernel has no DMA");
	KUNIT_ASSERT_EQ(test, 0, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	return dev;
}

static long device_dma_map(struct hmm_range *range, struct device *dev, dma_addr_t *daddrs)
{
	long ret;

	mmap_read_lock(current->mm);
	ret = hmm_range_dma_map(range, dev, daddrs, 0);
	mmap_read_unlock(current->mm);
	return ret;
}

static void dma_map_and_unmap(struct kunit *test)
{
	unsigned long addr = memory_map(test, 3, RW);
	struct old_device *device = device_make(test);
	struct hmm_range *range = device_range(test, device, addr, 3);
	struct device *dev = dma_device(test);
	struct page *written, *read;

	/* A writable page, a read-only page, and a hole. */
	device->pfns[0] = ENTRY_VALID | ENTRY_WRITE;
	device->pfns[1] = ENTRY_VALID;
	range->pfn_flags_mask = ENTRY_VALID | ENTRY_WRITE;
	memset(device->daddrs, 0xff, sizeof(device->daddrs));
	KUNIT_ASSERT_EQ(test, 2L, device_dma_map(range, dev, device->daddrs));
	written = hmm_device_entry_to_page(range, device->pfns[0]);
	read = hmm_device_entry_to_page(range, device->pfns[1]);
	KUNIT_EXPECT_EQ(test, device->daddrs[0], page_to_phys(written));
	KUNIT_EXPECT_EQ(test, device->daddrs[1], page_to_phys(read));
	KUNIT_EXPECT_EQ(test, device->daddrs[2], (dma_addr_t)0);

	ClearPageDirty(written);
	KUNIT_EXPECT_EQ(test, 2L, hmm_range_dma_unmap(range, dev, device->daddrs, true));
	KUNIT_EXPECT_TRUE(test, PageDirty(written));
	KUNIT_EXPECT_FALSE(test, PageDirty(read));
	KUNIT_EXPECT_EQ(test, device->daddrs[0], (dma_addr_t)0);
	KUNIT_EXPECT_EQ(test, device->pfns[0], (u64)ENTRY_NONE);

	/* Pages that the device has not written stay clean. */
	range->pfn_flags_mask = 0;
	KUNIT_EXPECT_EQ(test, 2L, device_dma_map(range, dev, device->daddrs));
	ClearPageDirty(written);
	KUNIT_EXPECT_EQ(test, 2L, hmm_range_dma_unmap(range, dev, device->daddrs, false));
	KUNIT_EXPECT_FALSE(test, PageDirty(written));
	KUNIT_EXPECT_EQ(test, 0L, hmm_range_dma_unmap(range, dev, device->daddrs, false));
	invalidate(addr, addr + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -EBUSY, device_dma_map(range, dev, device->daddrs));
}

static struct kunit_case compat_2019_cases[] = {
	KUNIT_CASE(mirror_incomplete),
	KUNIT_CASE(mirrors_of_one_process),
	KUNIT_CASE(state_of_a_process),
	KUNIT_CASE(mirror_would_block),
	KUNIT_CASE(range_of_a_reaped_process),
	KUNIT_CASE(mirror_release),
	KUNIT_CASE(range_keeps_process),
	KUNIT_CASE(range_malformed),
	KUNIT_CASE(range_validity),
	KUNIT_CASE(range_start_and_end_between),
	KUNIT_CASE(range_page_replaced_between),
	KUNIT_CASE(range_wait_times_out),
	KUNIT_CASE(range_wait_wakes),
	KUNIT_CASE(range_begins_during),
	KUNIT_CASE(range_ignores_others),
	KUNIT_CASE(range_among_many),
	KUNIT_CASE(entries_there_and_back),
	KUNIT_CASE(entries_of_awkward_values),
	KUNIT_CASE(formats),
	KUNIT_CASE(fault_snapshot),
	KUNIT_CASE(fault_by_default),
	KUNIT_CASE(fault_by_mask),
	KUNIT_CASE(fault_errors),
	KUNIT_CASE(snapshot_of_a_hole),
	KUNIT_CASE(snapshot_above_all),
	KUNIT_CASE(fault_unreadable),
	KUNIT_CASE(fault_inserted_page),
	KUNIT_CASE(fault_allow_retry),
	KUNIT_CASE(fault_without_progress_ends),
	KUNIT_CASE(fault_handler_fails),
	KUNIT_CASE(fault_keeps_requests),
	KUNIT_CASE(fault_wait_times_out),
	KUNIT_CASE(range_of_a_notifier),
	KUNIT_CASE(dma_map_and_unmap),
	{}
};

static struct kunit_suite compat_2019_suite = {
	.name = "hmm_compat_2019",
	.test_cases = compat_2019_cases,
};

kunit_test_suite(compat_2019_suite);
