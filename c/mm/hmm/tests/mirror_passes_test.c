// SPDX-License-Identifier: GPL-2.0
/*
 * Invalidations in two passes: several devices of a process flush at the same time.
 */
#include <kunit/device.h>
#include <linux/dma-mapping.h>
#include <linux/hmm_mirror_typed.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>

#include "fixture_memory.h"
#include "../mirror.h"

#define RW (PROT_READ | PROT_WRITE)
#define PASSES_DEVICES 16

/**
 * struct passes_device - a device whose flush ends in invalidate_finish
 * @mirror: the mirror
 * @range: its one range
 * @dma: its device addresses, or NULL
 * @on_start: called in invalidate, or NULL
 * @flushing: how many invalidations have had their first pass only
 * @finished: how many have had both
 * @after_release: how many callbacks followed release
 * @with_address: at a second pass, the first page had its device address still
 * @may_block: of the last second pass
 * @span: of the last second pass
 * @with_range: how many second passes were given the range
 * @released: release was called
 */
struct passes_device {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct hmm_mirror_dma *dma;
	void (*on_start)(struct passes_device *device);
	int flushing;
	int finished;
	int after_release;
	bool with_address;
	bool may_block;
	struct hmm_span span;
	int with_range;
	bool released;
};

/* What flushes at the same time, now and at most. */
static int passes_now, passes_most;
static struct passes_device *passes_other;
static struct completion passes_begun, passes_go_on;

static bool passes_start(struct passes_device *device,
			 const struct hmm_invalidation *inv)
{
	hmm_mirror_assert_held(&device->mirror);
	device->after_release += device->released;
	device->flushing++;
	passes_most = max(passes_most, ++passes_now);
	if (device->on_start)
		device->on_start(device);
	return true;
}

static void passes_finish(struct passes_device *device,
			  const struct hmm_invalidation *inv)
{
	hmm_mirror_assert_held(&device->mirror);
	device->after_release += device->released;
	device->flushing--;
	passes_now--;
	device->finished++;
	device->may_block = inv->may_block;
	device->span = inv->span;
	device->with_range += !!inv->range;
	if (device->dma)
		device->with_address = device->dma->map.pfn_list[0] &
				       HMM_PFN_DMA_MAPPED;
}

static void passes_release(struct passes_device *device)
{
	device->released = true;
}

DEFINE_HMM_MIRROR_OPS_ALL(passes_ops, struct passes_device, mirror, passes_start,
			  passes_finish, passes_release);

static struct passes_device *passes_device(struct kunit *test, struct hmm_span span)
{
	struct passes_device *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&device->mirror, current->mm,
						 &passes_ops, NULL));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&device->mirror,
						      &device->range, span));
	passes_now = 0;
	passes_most = 0;
	init_completion(&passes_begun);
	init_completion(&passes_go_on);
	return device;
}

static struct hmm_span passes_span(unsigned long addr, unsigned long first,
				   unsigned long end)
{
	return (struct hmm_span){ addr + first * PAGE_SIZE, addr + end * PAGE_SIZE };
}

/* As the kernel does when it changes the page table entry of a page. */
static void passes_invalidate(struct mm_struct *mm, unsigned long addr)
{
	struct mmu_notifier_range range;

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, mm, addr, addr + PAGE_SIZE);
	mmu_notifier_invalidate_range_start(&range);
	mmu_notifier_invalidate_range_end(&range);
}

/* All devices have started their flush before one waits for its own. */
static void passes_overlap(struct kunit *test)
{
	struct passes_device *device[PASSES_DEVICES];
	unsigned long addr = memory_map(test, 4, RW);

	for (int i = 0; i < PASSES_DEVICES; i++)
		device[i] = passes_device(test, passes_span(addr, 0, 4));
	memory_map_at(test, addr, 2, RW);
	KUNIT_EXPECT_EQ(test, PASSES_DEVICES, passes_most);
	KUNIT_EXPECT_EQ(test, 0, passes_now);
	for (int i = 0; i < PASSES_DEVICES; i++) {
		KUNIT_EXPECT_EQ(test, 1, device[i]->finished);
		KUNIT_EXPECT_TRUE(test, device[i]->may_block);
		KUNIT_EXPECT_EQ(test, 1, device[i]->with_range);
		KUNIT_EXPECT_EQ(test, addr + 2 * PAGE_SIZE, device[i]->span.end);
		/* The end of a range is one device's. */
		passes_most = 0;
		hmm_mirror_exit(&device[i]->mirror);
		KUNIT_EXPECT_EQ(test, 1, passes_most);
		KUNIT_EXPECT_EQ(test, 2, device[i]->finished);
		KUNIT_EXPECT_EQ(test, 0, device[i]->after_release);
	}
}

/* What may not sleep has one pass, and so has the end of the process. */
static void passes_of_what_cannot_wait(struct kunit *test)
{
	unsigned long addr = memory_map(test, 1, RW);
	struct passes_device *device = passes_device(test, passes_span(addr, 0, 1));
	struct mmu_interval_notifier *notifier = &device->range.interval->notifier;
	struct mmu_interval_notifier_finish *finish = NULL;
	struct mmu_notifier_range event;

	mmu_notifier_range_init(&event, MMU_NOTIFY_UNMAP, 0, current->mm, addr,
				addr + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, notifier->ops->invalidate_start(notifier, &event,
								notifier->invalidate_seq - 2,
								&finish));
	KUNIT_EXPECT_NULL(test, finish);
	KUNIT_EXPECT_EQ(test, 1, device->finished);
	KUNIT_EXPECT_FALSE(test, device->may_block);
	hmm_mirror_exit(&device->mirror);
}

/* The release callback follows the second pass of every range. */
static void passes_at_the_end_of_the_process(struct kunit *test)
{
	struct passes_device *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&device->mirror, mm, &passes_ops, NULL));
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, &device->range,
						      HMM_SPAN_ALL));
	mmput(mm);
	KUNIT_EXPECT_TRUE(test, device->released);
	KUNIT_EXPECT_EQ(test, 1, device->finished);
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_EQ(test, 0, device->after_release);
}

static void passes_hold(struct passes_device *device)
{
	device->on_start = NULL;
	complete(&passes_begun);
	wait_for_completion(&passes_go_on);
}

/**
 * struct passes_thread - a thread that invalidates a page
 * @mm: the address space
 * @addr: the page
 * @done: completed at the end
 */
struct passes_thread {
	struct mm_struct *mm;
	unsigned long addr;
	struct completion done;
};

static int passes_thread_run(void *argument)
{
	struct passes_thread *thread = argument;

	passes_invalidate(thread->mm, thread->addr);
	complete(&thread->done);
	return 0;
}

/*
 * Between its two passes a range has another invalidation, which is complete when it
 * returns. The devices are called in the order of their ranges.
 */
static void passes_do_not_mix(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct passes_device *first = passes_device(test, passes_span(addr, 0, 4));
	struct passes_device *second = passes_device(test, passes_span(addr, 1, 2));
	struct passes_thread thread = { .mm = current->mm, .addr = addr + PAGE_SIZE };
	struct task_struct *task;

	second->on_start = passes_hold;
	init_completion(&thread.done);
	task = kthread_run(passes_thread_run, &thread, "hmm_passes");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	wait_for_completion(&passes_begun);
	KUNIT_EXPECT_EQ(test, 1, first->flushing);
	KUNIT_EXPECT_EQ(test, 0, first->finished);
	passes_invalidate(current->mm, addr + 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 1, first->finished);
	KUNIT_EXPECT_EQ(test, addr + 2 * PAGE_SIZE, first->span.start);
	complete(&passes_go_on);
	wait_for_completion(&thread.done);
	KUNIT_EXPECT_EQ(test, 2, first->finished);
	KUNIT_EXPECT_EQ(test, addr + PAGE_SIZE, first->span.start);
	KUNIT_EXPECT_EQ(test, 1, second->finished);
	KUNIT_EXPECT_EQ(test, 0, passes_now);
	hmm_mirror_exit(&second->mirror);
	hmm_mirror_exit(&first->mirror);
}

static void passes_remove_other(struct passes_device *device)
{
	device->on_start = NULL;
	hmm_mirror_range_remove_deferred(&passes_other->range);
	/* Its driver may free it at once. */
	memset(&passes_other->range, 0xff, sizeof(passes_other->range));
}

/* The range of a device goes between the two passes, and its second pass has none. */
static void passes_without_the_range(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct passes_device *first = passes_device(test, passes_span(addr, 0, 4));
	struct passes_device *second = passes_device(test, passes_span(addr, 1, 2));

	passes_other = first;
	second->on_start = passes_remove_other;
	passes_invalidate(current->mm, addr + PAGE_SIZE);
	hmm_mirror_synchronize();
	/* The other is the whole range, which the work item had it forget. */
	KUNIT_EXPECT_EQ(test, 2, first->finished);
	KUNIT_EXPECT_EQ(test, 0, first->with_range);
	KUNIT_EXPECT_EQ(test, 0, passes_now);
	hmm_mirror_exit(&second->mirror);
	hmm_mirror_exit(&first->mirror);
	KUNIT_EXPECT_EQ(test, 2, first->finished);
}

static void passes_remove(struct passes_device *device)
{
	device->on_start = NULL;
	hmm_mirror_range_remove(&device->range);
}

/*
 * A range that is removed in its first pass is invalidated as a whole, in both passes. There is
 * no second one of what was invalidated before.
 */
static void passes_end_in_a_callback(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct passes_device *device = passes_device(test, passes_span(addr, 0, 4));

	device->on_start = passes_remove;
	with_warnings(test)
		memory_map_at(test, addr, 1, RW);
	KUNIT_EXPECT_EQ(test, 1, device->finished);
	KUNIT_EXPECT_EQ(test, addr + 4 * PAGE_SIZE, device->span.end);
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_EQ(test, 1, device->finished);
}

/* A device reads by its addresses until its flush has ended. */
static void passes_unmap_addresses_last(struct kunit *test)
{
	unsigned long addr = memory_map(test, 1, RW);
	struct hmm_span span = passes_span(addr, 0, 1);
	struct device *dev = kunit_device_register(test, "hmm_passes");
	struct hmm_mirror_dma *dma = kunit_kzalloc(test, sizeof(*dma), GFP_KERNEL);
	struct passes_device *device = passes_device(test, span);
	int ret = 1;

	if (!IS_ENABLED(CONFIG_HAS_DMA)) {
		hmm_mirror_exit(&device->mirror);
		kunit_skip(test, "no DMA");
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_NOT_NULL(test, dma);
	dev_set_dma_coherent(dev);
	KUNIT_ASSERT_EQ(test, 0, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(dma, &device->mirror, dev, span));
	device->dma = dma;
	hmm_mirror_populate_dma(pages, ret, &device->mirror, span, HMM_ACCESS_WRITE, dma)
		;
	KUNIT_EXPECT_EQ(test, 0, ret);
	memory_map_at(test, addr, 1, RW);
	KUNIT_EXPECT_TRUE(test, device->with_address);
	KUNIT_EXPECT_EQ(test, 0, dma->map.pfn_list[0] & HMM_PFN_DMA_MAPPED);
	hmm_mirror_dma_exit(dma);
	device->dma = NULL;
	hmm_mirror_exit(&device->mirror);
}

static struct kunit_case passes_cases[] = {
	KUNIT_CASE(passes_overlap),
	KUNIT_CASE(passes_of_what_cannot_wait),
	KUNIT_CASE(passes_at_the_end_of_the_process),
	KUNIT_CASE(passes_do_not_mix),
	KUNIT_CASE(passes_without_the_range),
	KUNIT_CASE(passes_end_in_a_callback),
	KUNIT_CASE(passes_unmap_addresses_last),
	{}
};

static struct kunit_suite passes_suite = {
	.name = "hmm_mirror_passes",
	.test_cases = passes_cases,
};

kunit_test_suite(passes_suite);
