// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrors: the guarantees to a driver, and races that sections handle for it.
 */
#include <kunit/device.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/hmm_devmem.h>
#include <linux/hmm_mirror_typed.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>

#include "fixture_memory.h"
#include "../mirror.h"
#include "../pfn.h"

#define RW (PROT_READ | PROT_WRITE)

/**
 * struct test_mirror - a mirror that counts the calls of its callbacks
 * @mirror: the mirror
 * @range: its one range
 * @invalidations: how often invalidate was called
 * @releases: how often release was called
 * @last: the last invalidation
 * @dma: its device addresses, or NULL
 * @sleep_reported: whether the kernel would have reported that it sleeps
 * @addressed: whether the first page still had an address in invalidate
 * @refuses: how often invalidate is going to return false
 * @named: counted by notes_a_range()
 * @on_invalidate: called by invalidate, or NULL
 * @on_release: called by release, or NULL
 */
struct test_mirror {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	int invalidations;
	int releases;
	struct hmm_invalidation last;
	struct hmm_mirror_dma *dma;
	bool sleep_reported;
	bool addressed;
	int refuses;
	int named;
	void (*on_invalidate)(struct test_mirror *device);
	void (*on_release)(struct test_mirror *device);
};

static bool device_invalidate(struct hmm_mirror *mirror,
			      const struct hmm_invalidation *inv)
{
	struct test_mirror *device = container_of(mirror, struct test_mirror, mirror);

	if (inv->range == &device->range)
		hmm_mirror_assert_held(mirror);
	device->invalidations++;
	device->last = *inv;
#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
	device->sleep_reported = current->non_block_count;
#endif
	if (device->dma)
		device->addressed = device->dma->map.pfn_list[0] & HMM_PFN_DMA_MAPPED;
	if (device->on_invalidate)
		device->on_invalidate(device);
	if (!device->refuses)
		return true;
	device->refuses--;
	return false;
}

static void device_release(struct hmm_mirror *mirror)
{
	struct test_mirror *device = container_of(mirror, struct test_mirror, mirror);

	device->releases++;
	if (device->on_release)
		device->on_release(device);
}

static const struct hmm_mirror_ops device_ops = {
	.invalidate = device_invalidate,
	.release = device_release,
};

/* A device that covers @npages from @addr; @test owns the storage. */
static struct test_mirror *device_make(struct kunit *test, unsigned long addr,
				       unsigned long npages)
{
	struct test_mirror *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct hmm_span span = { addr, addr + npages * PAGE_SIZE };

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&device->mirror, current->mm,
						 &device_ops, device));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&device->mirror,
						      &device->range, span));
	return device;
}

static void mirror_bad_init(struct kunit *test)
{
	static const struct hmm_mirror_ops none = {};
	struct test_mirror *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);

	memory_map(test, 1, RW);
	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_mirror_init(&device->mirror, current->mm,
						       &none, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_mirror_init(&device->mirror, current->mm,
						       NULL, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_mirror_init(&device->mirror, NULL,
						       &device_ops, NULL));
}

static void mirror_released_once(struct kunit *test)
{
	struct test_mirror *device = device_make(test, memory_map(test, 4, RW), 4);

	KUNIT_EXPECT_EQ(test, 0, device->releases);
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
	/* The range that was left went first. */
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_PTR_EQ(test, device->range.mirror, NULL);
}

/* The process ends before its mirror does. */
static void mirror_outlives_process(struct kunit *test)
{
	struct test_mirror *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct hmm_section *section = kunit_kzalloc(test, sizeof(*section), GFP_KERNEL);
	struct mm_struct *mm = mm_alloc();
	unsigned long hmm_pfn;

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_NOT_NULL(test, section);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&device->mirror, mm, &device_ops, NULL));
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, &device->range,
						      HMM_SPAN_ALL));
	mmput(mm);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_EQ(test, device->last.event, MMU_NOTIFY_RELEASE);

	hmm_mirror_range_remove(&device->range);
	KUNIT_EXPECT_EQ(test, -ESRCH,
			hmm_mirror_range_add(&device->mirror, &device->range, HMM_SPAN_ALL));
	*section = (struct hmm_section){
		.mirror = &device->mirror, .span = { PAGE_SIZE, 2 * PAGE_SIZE },
		.access = HMM_ACCESS_READ, .pfns = &hmm_pfn, .nr_pfns = 1,
	};
	KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, -ESRCH, hmm_section_error(section));
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
}

static void mirror_ranges(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	struct hmm_mirror *mirror = &device->mirror;
	struct hmm_mirror_range *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	static const struct hmm_span bad[] = {
		{ PAGE_SIZE, PAGE_SIZE }, { 2 * PAGE_SIZE, PAGE_SIZE },
		{ 1, PAGE_SIZE }, { 0, PAGE_SIZE + 1 },
	};
	int i;

	KUNIT_ASSERT_NOT_NULL(test, other);
	hmm_mirror_range_remove(other);		/* never added: nothing to do */
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, -EINVAL, hmm_mirror_range_add(mirror, other, bad[i]));
	KUNIT_EXPECT_EQ(test, -EEXIST,
			hmm_mirror_range_add(mirror, other, device->range.span));
	KUNIT_EXPECT_PTR_EQ(test, other->mirror, NULL);
	KUNIT_EXPECT_EQ(test, 0,
			hmm_mirror_range_add(mirror, other,
					     (struct hmm_span){ addr + 4 * PAGE_SIZE,
								addr + MEMORY_SIZE }));
	hmm_mirror_range_remove(&device->range);
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	/* Only the remaining range is invalidated, and only with its own addresses. */
	memory_map_at(test, addr, MEMORY_PAGES, RW);
	KUNIT_EXPECT_EQ(test, 2, device->invalidations);
	KUNIT_EXPECT_PTR_EQ(test, device->last.range, other);
	KUNIT_EXPECT_EQ(test, device->last.span.start, addr + 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, device->last.span.end, addr + MEMORY_SIZE);
	KUNIT_EXPECT_EQ(test, device->last.event, MMU_NOTIFY_UNMAP);
	hmm_mirror_exit(mirror);
	KUNIT_EXPECT_EQ(test, 3, device->invalidations);
}

#define MANY	100

/* Ranges that were removed leave no memory behind, in whichever order that was. */
static void mirror_many_ranges(struct kunit *test)
{
	struct hmm_mirror_range *ranges = kunit_kcalloc(test, MANY, sizeof(*ranges), GFP_KERNEL);
	unsigned long addr = memory_map(test, MANY + 1, RW);
	struct test_mirror *device = device_make(test, addr, 1);

	KUNIT_ASSERT_NOT_NULL(test, ranges);
	hmm_mirror_range_remove(&device->range);
	for (int i = 0; i < MANY; i++) {
		struct hmm_span span = { addr + i * PAGE_SIZE, addr + (i + 1) * PAGE_SIZE };

		KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, &ranges[i], span));
	}
	KUNIT_EXPECT_FALSE(test, mtree_empty(&device->mirror.state->ranges));
	/* 37 and 100 have no common divisor. */
	for (int i = 0; i < MANY; i++)
		hmm_mirror_range_remove(&ranges[i * 37 % MANY]);
	KUNIT_EXPECT_TRUE(test, mtree_empty(&device->mirror.state->ranges));
	KUNIT_EXPECT_EQ(test, MANY + 1, device->invalidations);
	hmm_mirror_exit(&device->mirror);
}

static void mirror_section(struct kunit *test)
{
	unsigned long npages = 2 * HMM_SECTION_BATCH + 3, seen = 0, addr, i;
	unsigned long *pfns = kunit_kcalloc(test, npages, sizeof(*pfns), GFP_KERNEL);
	struct test_mirror *device;
	struct hmm_span span;
	int ret = 1;

	KUNIT_ASSERT_NOT_NULL(test, pfns);
	addr = memory_map(test, npages, RW);
	span = (struct hmm_span){ addr, addr + npages * PAGE_SIZE };
	device = device_make(test, addr, npages);
	hmm_mirror_populate(pages, ret, &device->mirror, span, HMM_ACCESS_WRITE) {
		KUNIT_EXPECT_TRUE(test, mutex_is_locked(&device->mirror.lock));
		KUNIT_EXPECT_EQ(test, pages.batch.start, addr + seen * PAGE_SIZE);
		for (i = 0; i < hmm_span_pages(pages.batch) && seen < npages; i++)
			pfns[seen++] = pages.pfns[i];
	}
	KUNIT_EXPECT_EQ(test, 0, ret);
	KUNIT_EXPECT_EQ(test, npages, seen);
	/* Only now: get_user_pages() takes the mmap lock. */
	for (i = 0; i < npages; i++) {
		KUNIT_EXPECT_EQ(test, pfns[i] & HMM_PFN_WRITABLE, HMM_PFN_WRITABLE);
		KUNIT_EXPECT_EQ(test, pfns[i] & ~HMM_PFN_FLAGS,
				memory_pfn(test, addr + i * PAGE_SIZE));
	}
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&device->mirror.lock));
	hmm_mirror_exit(&device->mirror);
}

/* All of a span in one batch, or nothing. */
static void mirror_section_whole(struct kunit *test)
{
	unsigned long npages = 2 * HMM_SECTION_BATCH, addr = memory_map(test, npages + 1, RW);
	unsigned long *pfns = kunit_kcalloc(test, npages + 1, sizeof(*pfns), GFP_KERNEL);
	struct hmm_section *section = kunit_kzalloc(test, sizeof(*section), GFP_KERNEL);
	struct test_mirror *device = device_make(test, addr, npages);
	struct hmm_section whole = {
		.mirror = &device->mirror, .span = device->range.span,
		.access = HMM_ACCESS_WRITE, .whole = true,
	};

	KUNIT_ASSERT_NOT_NULL(test, pfns);
	KUNIT_ASSERT_NOT_NULL(test, section);
	*section = whole;
	KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_section_error(section));
	whole.pfns = pfns;
	whole.nr_pfns = npages - 1;
	*section = whole;
	KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_section_error(section));
	whole.nr_pfns = npages + 1;
	*section = whole;
	KUNIT_EXPECT_TRUE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, npages, hmm_span_pages(section->batch));
	KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, 0, hmm_section_error(section));
	/* The last page is in no range. */
	whole.span.end += PAGE_SIZE;
	*section = whole;
	KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, -ENOENT, hmm_section_error(section));
	hmm_mirror_exit(&device->mirror);
}

/* What a section is to do must be complete, and possible. */
static void mirror_section_invalid(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW), pfns[4];
	struct hmm_section *section = kunit_kzalloc(test, sizeof(*section), GFP_KERNEL);
	struct test_mirror *device = device_make(test, addr, 4);
	struct test_mirror *unowned = kunit_kzalloc(test, sizeof(*unowned), GFP_KERNEL);
	const struct hmm_section valid = {
		.mirror = &device->mirror, .span = device->range.span,
		.access = HMM_ACCESS_READ, .pfns = pfns, .nr_pfns = ARRAY_SIZE(pfns),
	};
	struct hmm_section bad[5] = { valid, valid, valid, valid, valid };

	KUNIT_ASSERT_NOT_NULL(test, section);
	KUNIT_ASSERT_NOT_NULL(test, unowned);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&unowned->mirror, current->mm,
						 &device_ops, NULL));
	bad[0].pfns = NULL;
	bad[1].nr_pfns = 0;
	bad[2].span.end = bad[2].span.start;
	/* A page is exclusive to an owner, and each is a batch. */
	bad[3].access = HMM_ACCESS_EXCLUSIVE;
	bad[3].mirror = &unowned->mirror;
	bad[4].access = HMM_ACCESS_EXCLUSIVE;
	bad[4].whole = true;
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		*section = bad[i];
		KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, hmm_section_error(section), "section %d", i);
	}
	*section = valid;
	KUNIT_EXPECT_TRUE(test, hmm_section_next(section));
	hmm_section_leave(section);
	hmm_mirror_exit(&unowned->mirror);
	hmm_mirror_exit(&device->mirror);
}

/* A batch ends with its range, and the next one is in the next range, if there is one. */
static void mirror_section_over_two_ranges(struct kunit *test)
{
	unsigned long addr = memory_map(test, 8, RW), pfns[8];
	struct hmm_section *section = kunit_kzalloc(test, sizeof(*section), GFP_KERNEL);
	struct hmm_mirror_range *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct hmm_span first = { addr, addr + 4 * PAGE_SIZE };
	struct hmm_span second = { first.end, addr + 8 * PAGE_SIZE };
	struct test_mirror *device = device_make(test, addr, 4);
	const struct hmm_section both = {
		.mirror = &device->mirror, .span = { first.start, second.end },
		.access = HMM_ACCESS_READ, .pfns = pfns, .nr_pfns = ARRAY_SIZE(pfns),
	};

	KUNIT_ASSERT_NOT_NULL(test, section);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, other, second));
	*section = both;
	KUNIT_EXPECT_TRUE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, section->batch.end, first.end);
	KUNIT_EXPECT_TRUE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, section->batch.start, second.start);
	KUNIT_EXPECT_EQ(test, section->batch.end, second.end);
	KUNIT_EXPECT_EQ(test, pfns[3] & HMM_PFN_READABLE, HMM_PFN_READABLE);
	KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, 0, hmm_section_error(section));
	hmm_mirror_range_remove(other);
	*section = both;
	KUNIT_EXPECT_TRUE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, section->batch.end, first.end);
	KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, -ENOENT, hmm_section_error(section));
	hmm_mirror_exit(&device->mirror);
}

/* Without device memory in the kernel, there is nothing to migrate with. */
static void mirror_section_has_no_migration(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct hmm_devmem *devmem = kunit_kzalloc(test, sizeof(*devmem), GFP_KERNEL);
	struct hmm_section *section = kunit_kzalloc(test, sizeof(*section), GFP_KERNEL);
	struct test_mirror *device;

	KUNIT_ASSERT_NOT_NULL(test, devmem);
	KUNIT_ASSERT_NOT_NULL(test, section);
	if (IS_ENABLED(CONFIG_HMM_DEVMEM))
		kunit_skip(test, "the kernel has device memory");
	device = device_make(test, addr, 4);
	*section = (struct hmm_section){
		.mirror = &device->mirror, .span = device->range.span,
		.access = HMM_ACCESS_WRITE, .migrate_to = devmem,
	};
	KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, -ENOMEM, hmm_section_error(section));
	KUNIT_EXPECT_NULL(test, section->mm_ref);
	hmm_mirror_exit(&device->mirror);
}

/*
 * To map in advance takes as long as there are pages, however long the addresses are that it
 * is for: most have no page table.
 */
static void mirror_present_in_a_desert(struct kunit *test)
{
	const unsigned long low = SZ_64G, high = low + 16UL * SZ_64G;
	unsigned long found = 0, batches = 0;
	struct test_mirror *device;
	int ret;

	/* Gives the test an address space. */
	memory_map(test, 1, RW);
	memory_map_at(test, low, 2, RW);
	memory_map_at(test, high, 3, RW);
	memory_write(test, low, 1);
	memory_write(test, high + PAGE_SIZE, 1);
	device = device_make(test, low, ((high - low) >> PAGE_SHIFT) + 3);
	hmm_mirror_populate(pages, ret, &device->mirror, device->range.span, HMM_ACCESS_PRESENT) {
		hmm_section_runs(run, &pages) {
			if (!hmm_pfn_flags_has(hmm_run_flags(&run), HMM_PFN_VALID))
				continue;
			KUNIT_EXPECT_EQ(test, run.span.start, found ? high + PAGE_SIZE : low);
			found += hmm_span_pages(run.span);
		}
		if (++batches > 1000)
			break;
	}
	KUNIT_EXPECT_EQ(test, 2, found);
	/* Some for each PTE table, of which there are two. */
	KUNIT_EXPECT_LT(test, batches, 100);
	KUNIT_EXPECT_EQ(test, 0, ret);
	hmm_mirror_exit(&device->mirror);
	vm_munmap(low, 2 * PAGE_SIZE);
	vm_munmap(high, 3 * PAGE_SIZE);
}

/* How many pages have addresses (without an IOMMU, physical ones), or an error. */
static long mirror_addresses(struct kunit *test, struct test_mirror *device,
			     struct hmm_span span, enum hmm_access access)
{
	long npages = 0;
	int ret;

	hmm_mirror_populate_dma(pages, ret, &device->mirror, span, access, device->dma) {
		hmm_section_dma_pages_addresses(run, &pages) {
			struct hmm_section *section = &pages.state;
			struct hmm_span found = run.dma_run.span;
			unsigned long at = (found.start - section->batch.start) >> PAGE_SHIFT;

			KUNIT_EXPECT_EQ(test, run.dma_run.address,
					(dma_addr_t)hmm_pfn_to_phys(section->pfns[at]));
			npages += hmm_span_pages(found);
		}
	}
	return ret ?: npages;
}

static void mirror_dma(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct hmm_span span = { addr, addr + 4 * PAGE_SIZE };
	struct hmm_span half = { addr, addr + 2 * PAGE_SIZE };
	struct device *dev = kunit_device_register(test, "hmm_mirror_dma");
	struct hmm_mirror_dma *dma = kunit_kzalloc(test, sizeof(*dma), GFP_KERNEL);
	struct test_mirror *device = device_make(test, addr, 4);
	struct test_mirror *other = device_make(test, addr, 4);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_NOT_NULL(test, dma);
	/* A device that is not coherent, the default on arm64, cannot share memory. */
	dev_set_dma_coherent(dev);
	if (IS_ENABLED(CONFIG_HAS_DMA))
		KUNIT_ASSERT_EQ(test, 0, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(dma, &device->mirror, dev, half));
	device->dma = dma;
	other->dma = dma;
	/* A map of another mirror, and one without room for the span. */
	KUNIT_EXPECT_EQ(test, -EINVAL, mirror_addresses(test, other, half, HMM_ACCESS_READ));
	KUNIT_EXPECT_EQ(test, -EINVAL, mirror_addresses(test, device, span, HMM_ACCESS_READ));
	KUNIT_EXPECT_EQ(test, 0, mirror_addresses(test, device, half, HMM_ACCESS_SNAPSHOT));
	if (IS_ENABLED(CONFIG_HAS_DMA)) {
		KUNIT_EXPECT_EQ(test, 2, mirror_addresses(test, device, half, HMM_ACCESS_WRITE));
		KUNIT_EXPECT_EQ(test, 2, mirror_addresses(test, device, half, HMM_ACCESS_SNAPSHOT));
		/* The device is invalidated before the addresses are unmapped. */
		memory_map_at(test, addr, 4, RW);
		KUNIT_EXPECT_TRUE(test, device->addressed);
		KUNIT_EXPECT_EQ(test, 0, mirror_addresses(test, device, half, HMM_ACCESS_SNAPSHOT));
		/* They are unmapped even if invalidate returns false. */
		KUNIT_EXPECT_EQ(test, 2, mirror_addresses(test, device, half, HMM_ACCESS_WRITE));
		device->refuses = INT_MAX;
		with_warnings(test)
			memory_map_at(test, addr, 4, RW);
		device->refuses = 0;
	} else {
		KUNIT_EXPECT_EQ(test, -EIO, mirror_addresses(test, device, half, HMM_ACCESS_WRITE));
	}
	KUNIT_EXPECT_EQ(test, 0, dma->map.pfn_list[0] & HMM_PFN_DMA_MAPPED);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&device->mirror.lock));
	if (IS_ENABLED(CONFIG_HAS_DMA))
		KUNIT_EXPECT_EQ(test, 2, mirror_addresses(test, device, half, HMM_ACCESS_WRITE));
	/* Again the device is invalidated first, and only for the map's span. */
	device->addressed = false;
	device->invalidations = 0;
	hmm_mirror_dma_exit(dma);
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_EQ(test, half.end, device->last.span.end);
	KUNIT_EXPECT_EQ(test, IS_ENABLED(CONFIG_HAS_DMA), device->addressed);
	other->dma = NULL;
	device->dma = NULL;
	hmm_mirror_exit(&other->mirror);
	hmm_mirror_exit(&device->mirror);
}

/* No lock is held after a section, however it was left. */
static int section_left_by_return(struct test_mirror *device, struct hmm_span span)
{
	int ret;

	hmm_mirror_populate(pages, ret, &device->mirror, span, HMM_ACCESS_READ)
		return 42;
	return ret;
}

static void mirror_section_left(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct test_mirror *device = device_make(test, addr, MEMORY_PAGES);
	struct hmm_span span = { addr, addr + MEMORY_SIZE };
	int users = atomic_read(&current->mm->mm_users);

	KUNIT_EXPECT_EQ(test, 42, section_left_by_return(device, span));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&device->mirror.lock));
	KUNIT_EXPECT_EQ(test, users, atomic_read(&current->mm->mm_users));
	span.end += PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, 42, section_left_by_return(device, span));
	span.start = span.end - PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, -ENOENT, section_left_by_return(device, span));
	KUNIT_EXPECT_EQ(test, users, atomic_read(&current->mm->mm_users));
	hmm_mirror_exit(&device->mirror);
}

/* Call the notifier as mmu_notifier.c does, with an event that the test chooses. */
static bool hmm_test_notify(struct test_mirror *device, enum mmu_notifier_event event,
			    unsigned int flags, void *owner)
{
	struct mmu_interval_notifier *notifier = &device->range.interval->notifier;
	struct mmu_interval_notifier_finish *finish = NULL;
	struct mmu_notifier_range range;
	bool ret;

	mmu_notifier_range_init_owner(&range, event, flags, current->mm,
				      device->range.span.start,
				      device->range.span.end, owner);
	/* An old sequence, which no invalidation to come will have. */
	ret = notifier->ops->invalidate_start(notifier, &range,
					      notifier->invalidate_seq - 2,
					      &finish);
	WARN_ON(finish);	/* this driver has no second pass */
	return ret;
}

static void mirror_must_not_block(struct kunit *test)
{
	struct test_mirror *device = device_make(test, memory_map(test, 4, RW), 4);
	unsigned long seq = device->range.interval->notifier.invalidate_seq;

	hmm_mirror_lock(&device->mirror);
	KUNIT_EXPECT_FALSE(test, hmm_test_notify(device, MMU_NOTIFY_CLEAR, 0, NULL));
	hmm_mirror_unlock(&device->mirror);
	KUNIT_EXPECT_EQ(test, 0, device->invalidations);
	KUNIT_EXPECT_EQ(test, seq, device->range.interval->notifier.invalidate_seq);
	KUNIT_EXPECT_TRUE(test, hmm_test_notify(device, MMU_NOTIFY_CLEAR, 0, NULL));
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_FALSE(test, device->last.may_block);
	KUNIT_EXPECT_EQ(test, IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP),
			device->sleep_reported);
	KUNIT_EXPECT_TRUE(test, hmm_test_notify(device, MMU_NOTIFY_CLEAR,
						MMU_NOTIFIER_RANGE_BLOCKABLE, NULL));
	KUNIT_EXPECT_TRUE(test, device->last.may_block);
	KUNIT_EXPECT_FALSE(test, device->sleep_reported);
	hmm_mirror_exit(&device->mirror);
}

/* A mirror is also notified of migrations by its own owner. */
static void mirror_own_migration(struct kunit *test)
{
	struct test_mirror *device = device_make(test, memory_map(test, 4, RW), 4);
	unsigned long seq = device->range.interval->notifier.invalidate_seq;

	KUNIT_EXPECT_TRUE(test, hmm_test_notify(device, MMU_NOTIFY_MIGRATE,
						MMU_NOTIFIER_RANGE_BLOCKABLE, device));
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_EQ(test, device->last.event, MMU_NOTIFY_MIGRATE);
	KUNIT_EXPECT_NE(test, seq, device->range.interval->notifier.invalidate_seq);
	hmm_mirror_exit(&device->mirror);
}

/* Wait until the thread has walked and is blocked on the update lock. */
static bool race_waits(struct task_struct *task)
{
	int tries, asleep = 0;

	for (tries = 0; tries < 100 && asleep < 3; tries++) {
		msleep(20);
		asleep = READ_ONCE(task->__state) & TASK_UNINTERRUPTIBLE ?
			 asleep + 1 : 0;
	}
	return asleep == 3;
}

static bool notify_exclusive(struct test_mirror *device, void *owner)
{
	return hmm_test_notify(device, MMU_NOTIFY_EXCLUSIVE, MMU_NOTIFIER_RANGE_BLOCKABLE,
			       owner);
}

/*
 * A section that makes a page exclusive must not be invalidated by its own event.
 * For every other mirror of the page, also one with the same owner, the event is an
 * ordinary invalidation.
 */
static void mirror_own_exclusive(struct kunit *test)
{
	struct test_mirror *device = device_make(test, memory_map(test, 4, RW), 4);
	struct hmm_interval *interval = device->range.interval;
	unsigned long seq = interval->notifier.invalidate_seq;
	struct hmm_mover mover;

	KUNIT_ASSERT_EQ(test, 0, hmm_interval_add_mover(interval, &mover));
	KUNIT_EXPECT_TRUE(test, notify_exclusive(device, device));
	KUNIT_EXPECT_EQ(test, 0, device->invalidations);
	KUNIT_EXPECT_EQ(test, seq, interval->notifier.invalidate_seq);
	KUNIT_EXPECT_TRUE(test, notify_exclusive(device, test));
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_NE(test, seq, interval->notifier.invalidate_seq);
	/* A mover of another task. */
	mover.task = NULL;
	KUNIT_EXPECT_TRUE(test, notify_exclusive(device, device));
	KUNIT_EXPECT_EQ(test, 2, device->invalidations);
	hmm_interval_del_mover(interval, &mover);
	KUNIT_EXPECT_TRUE(test, notify_exclusive(device, device));
	KUNIT_EXPECT_EQ(test, 3, device->invalidations);
	hmm_mirror_exit(&device->mirror);
}

/* An invalidation makes all movers repeat their walk, except its own task's. */
static void mirror_movers(struct kunit *test)
{
	struct test_mirror *device = device_make(test, memory_map(test, 4, RW), 4);
	struct hmm_interval *interval = device->range.interval;
	struct hmm_mover own, other;

	KUNIT_ASSERT_EQ(test, 0, hmm_interval_add_mover(interval, &own));
	KUNIT_ASSERT_EQ(test, 0, hmm_interval_add_mover(interval, &other));
	other.task = NULL;
	KUNIT_EXPECT_TRUE(test, hmm_test_notify(device, MMU_NOTIFY_MIGRATE,
						MMU_NOTIFIER_RANGE_BLOCKABLE, device));
	KUNIT_EXPECT_FALSE(test, own.changed);
	KUNIT_EXPECT_TRUE(test, other.changed);
	hmm_interval_del_mover(interval, &own);
	hmm_interval_del_mover(interval, &other);
	hmm_mirror_exit(&device->mirror);
}

/* Adding a range twice fails, at any address, and the first one stays added. */
static void mirror_range_twice(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	struct test_mirror *other = device_make(test, addr, 4);
	struct hmm_span span = device->range.span;
	struct hmm_span elsewhere = { span.end, span.end + PAGE_SIZE };

	KUNIT_EXPECT_EQ(test, -EEXIST,
			hmm_mirror_range_add(&device->mirror, &device->range, span));
	KUNIT_EXPECT_EQ(test, -EEXIST,
			hmm_mirror_range_add(&device->mirror, &device->range, elsewhere));
	KUNIT_EXPECT_EQ(test, -EEXIST,
			hmm_mirror_range_add(&other->mirror, &device->range, span));
	KUNIT_EXPECT_PTR_EQ(test, device->range.mirror, &device->mirror);
	KUNIT_EXPECT_EQ(test, device->range.span.end, span.end);
	memory_map_at(test, addr, 4, RW);
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	hmm_mirror_exit(&other->mirror);
	hmm_mirror_exit(&device->mirror);
	/* A range that was removed can be added again. */
	KUNIT_EXPECT_PTR_EQ(test, device->range.mirror, NULL);
}

static void mirror_spans(struct kunit *test)
{
	const unsigned long last = ULONG_MAX & PAGE_MASK;
	static const struct hmm_span bad[] = {
		{}, { 0, ULONG_MAX }, { ULONG_MAX & PAGE_MASK, 0 },
		{ ULONG_MAX & PAGE_MASK, ULONG_MAX & PAGE_MASK },
		{ 2 * PAGE_SIZE, PAGE_SIZE }, { 1, PAGE_SIZE }, { 0, 1 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_FALSE(test, hmm_span_valid(bad[i]));
	KUNIT_EXPECT_TRUE(test, hmm_span_valid(HMM_SPAN_ALL));
	KUNIT_EXPECT_EQ(test, hmm_span_pages(HMM_SPAN_ALL), last >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, hmm_span_pages((struct hmm_span){ last, 0 }), 0);
	KUNIT_EXPECT_FALSE(test, hmm_span_is_user((struct hmm_span){ PAGE_SIZE, 0 }));
	KUNIT_EXPECT_EQ(test, last, hmm_span_first(HMM_SPAN_ALL, ULONG_MAX).end);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, hmm_span_first(HMM_SPAN_ALL, 1).end);
	KUNIT_EXPECT_EQ(test, last, hmm_span_first((struct hmm_span){
						   last - PAGE_SIZE, last }, 2).end);
}

/* An invalidation that may block is retried if refused, and ends in any case. */
static void mirror_refused(struct kunit *test)
{
	struct test_mirror *device = device_make(test, memory_map(test, 4, RW), 4);

	device->refuses = 1;
	with_warnings(test)
		KUNIT_EXPECT_TRUE(test, hmm_test_notify(device, MMU_NOTIFY_UNMAP,
							MMU_NOTIFIER_RANGE_BLOCKABLE, NULL));
	KUNIT_EXPECT_EQ(test, 2, device->invalidations);
	/* For ever. */
	device->refuses = INT_MAX;
	with_warnings(test)
		KUNIT_EXPECT_TRUE(test, hmm_test_notify(device, MMU_NOTIFY_UNMAP,
							MMU_NOTIFIER_RANGE_BLOCKABLE, NULL));
	KUNIT_EXPECT_LT(test, device->invalidations, 20);
	device->invalidations = 0;
	KUNIT_EXPECT_FALSE(test, hmm_test_notify(device, MMU_NOTIFY_UNMAP, 0, NULL));
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	with_warnings(test)
		hmm_mirror_range_remove(&device->range);
	KUNIT_EXPECT_GT(test, device->invalidations, 2);
	KUNIT_EXPECT_EQ(test, device->last.event, MMU_NOTIFY_RELEASE);
	device->refuses = 0;
	hmm_mirror_exit(&device->mirror);
}

/**
 * struct helper_thread - a thread that changes or reads the test's memory
 * @work: the function that the thread runs
 * @mm: the address space
 * @device: the mirror that @work uses
 * @span: the addresses that @work uses
 * @task: the thread
 * @ret: the result of @work
 * @done: completed when @work has returned
 */
struct helper_thread {
	void (*work)(struct helper_thread *helper);
	struct task_struct *task;
	struct mm_struct *mm;
	struct test_mirror *device;
	struct hmm_span span;
	int ret;
	struct completion done;
};

static int helper_run(void *argument)
{
	struct helper_thread *helper = argument;

	kthread_use_mm(helper->mm);
	helper->work(helper);
	kthread_unuse_mm(helper->mm);
	complete(&helper->done);
	return 0;
}

/*
 * Create a helper's thread, which waits for helper_start(). This allocates memory,
 * which is not allowed under an update lock: reclaim invalidates.
 */
static void helper_create(struct helper_thread *helper)
{
	struct task_struct *task;

	helper->mm = current->mm;
	init_completion(&helper->done);
	task = kthread_create(helper_run, helper, "hmm_helper");
	if (IS_ERR(task))
		complete(&helper->done);
	else
		helper->task = task;
}

/* Return: the helper's thread, NULL if there is none. */
static struct task_struct *helper_start(struct helper_thread *helper)
{
	if (helper->task)
		wake_up_process(helper->task);
	return helper->task;
}

static void helper_removes(struct helper_thread *helper)
{
	hmm_mirror_range_remove(&helper->device->range);
}

static void helper_unmaps(struct helper_thread *helper)
{
	helper->ret = vm_munmap(helper->span.start,
				helper->span.end - helper->span.start);
}

static void helper_looks(struct helper_thread *helper)
{
	hmm_mirror_populate(pages, helper->ret, &helper->device->mirror,
			    helper->span, HMM_ACCESS_SNAPSHOT)
		;
}

/* Whether it is over, or will be in a moment. */
static bool helper_done(struct helper_thread *helper, unsigned int ms)
{
	if (!wait_for_completion_timeout(&helper->done, msecs_to_jiffies(ms)))
		return false;
	complete(&helper->done);
	return true;
}

/*
 * A range is removed while another thread holds the update lock and uses the
 * device's mappings. Until the device has forgotten them, an munmap() must wait.
 */
static void mirror_forgets_first(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	struct helper_thread remover = { .work = helper_removes, .device = device };
	struct helper_thread unmapper = { .work = helper_unmaps,
				   .span = { addr, addr + PAGE_SIZE } };
	struct task_struct *task;
	bool waits, early;

	helper_create(&remover);
	helper_create(&unmapper);
	hmm_mirror_lock(&device->mirror);
	task = helper_start(&remover);
	waits = task && race_waits(task);
	helper_start(&unmapper);
	early = helper_done(&unmapper, 200);
	hmm_mirror_unlock(&device->mirror);
	wait_for_completion(&remover.done);
	wait_for_completion(&unmapper.done);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_FALSE(test, early);
	KUNIT_EXPECT_EQ(test, 0, unmapper.ret);
	KUNIT_EXPECT_GE(test, device->invalidations, 1);
	hmm_mirror_exit(&device->mirror);
}

/*
 * A section has found its range, which is the one that was used last, and waits
 * for the lock behind the removal.
 */
static void mirror_removed_under_section(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	struct helper_thread looker = { .work = helper_looks, .device = device,
				 .span = device->range.span };
	struct helper_thread remover = { .work = helper_removes, .device = device };
	bool remover_waits, looker_waits;
	struct task_struct *task;

	helper_looks(&looker);
	KUNIT_EXPECT_EQ(test, 0, looker.ret);
	helper_create(&remover);
	helper_create(&looker);
	hmm_mirror_lock(&device->mirror);
	task = helper_start(&remover);
	remover_waits = task && race_waits(task);
	task = helper_start(&looker);
	looker_waits = task && race_waits(task);
	hmm_mirror_unlock(&device->mirror);
	wait_for_completion(&remover.done);
	wait_for_completion(&looker.done);
	KUNIT_EXPECT_TRUE(test, remover_waits);
	KUNIT_EXPECT_TRUE(test, looker_waits);
	KUNIT_EXPECT_EQ(test, -ENOENT, looker.ret);
	hmm_mirror_exit(&device->mirror);
}

/* The range of the next batch, or the mirror, ends between two batches. */
static void mirror_ended_between_batches(struct kunit *test)
{
	unsigned long npages = 2 * HMM_SECTION_BATCH, addr = memory_map(test, npages, RW);
	struct test_mirror *device = device_make(test, addr, npages);
	struct hmm_section *section = kunit_kzalloc(test, sizeof(*section), GFP_KERNEL);
	unsigned long *pfns = kunit_kcalloc(test, HMM_SECTION_BATCH, sizeof(*pfns), GFP_KERNEL);
	struct hmm_interval *interval = device->range.interval;

	KUNIT_ASSERT_NOT_NULL(test, section);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	*section = (struct hmm_section){
		.mirror = &device->mirror, .span = device->range.span,
		.access = HMM_ACCESS_SNAPSHOT, .pfns = pfns, .nr_pfns = HMM_SECTION_BATCH,
	};
	KUNIT_ASSERT_TRUE(test, hmm_section_next(section));
	/* As another thread would find it, between two calls of next. */
	hmm_interval_leave(interval);
	section->locked = false;
	hmm_mirror_exit(&device->mirror);
	memset(&device->mirror, 0xff, sizeof(device->mirror));
	KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, -ENOENT, hmm_section_error(section));
}

/* A mirror is not notified of anything after the end of the process. */
static void mirror_silent_after_release(struct kunit *test)
{
	struct test_mirror *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&device->mirror, mm, &device_ops, NULL));
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, &device->range,
						      HMM_SPAN_ALL));
	mmput(mm);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	/* As unmap_vmas() does next, and truncation of a file later. */
	KUNIT_EXPECT_TRUE(test, hmm_test_notify(device, MMU_NOTIFY_UNMAP,
						MMU_NOTIFIER_RANGE_BLOCKABLE, NULL));
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
}

static void ends_itself(struct test_mirror *device)
{
	hmm_mirror_exit(&device->mirror);
}

/* A mirror that is ended by its own callback warns, and does not hang. */
static void mirror_ended_by_callback(struct kunit *test)
{
	struct test_mirror *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	device->on_release = ends_itself;
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&device->mirror, mm, &device_ops, NULL));
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, &device->range,
						      HMM_SPAN_ALL));
	with_warnings(test)
		mmput(mm);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
	/* Nothing of it is looked at from here on. */
	memset(&device->mirror, 0xff, sizeof(device->mirror));
	memset(&device->range, 0xff, sizeof(device->range));
	hmm_mirror_synchronize();
	KUNIT_EXPECT_EQ(test, 1, device->releases);
}

static void removes_its_range(struct test_mirror *device)
{
	hmm_mirror_range_remove(&device->range);
}

/* The last invalidation was the end of the range at @span. */
static void expect_whole_range_released(struct kunit *test,
					const struct test_mirror *device,
					struct hmm_span span)
{
	KUNIT_EXPECT_EQ(test, device->last.event, MMU_NOTIFY_RELEASE);
	KUNIT_EXPECT_EQ(test, device->last.span.start, span.start);
	KUNIT_EXPECT_EQ(test, device->last.span.end, span.end);
}

/*
 * A range that is removed by its own callback: the device forgets all of it, not
 * only the invalidated span, and gets no more callbacks for it.
 */
static void mirror_range_removed_by_callback(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	const struct hmm_span span = device->range.span;

	device->on_invalidate = removes_its_range;
	with_warnings(test)
		memory_map_at(test, addr, 1, RW);
	KUNIT_EXPECT_EQ(test, 2, device->invalidations);
	expect_whole_range_released(test, device, span);
	KUNIT_EXPECT_PTR_EQ(test, device->range.mirror, NULL);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&device->mirror.lock));
	memset(&device->range, 0xff, sizeof(device->range));
	memory_map_at(test, addr, 4, RW);
	KUNIT_EXPECT_EQ(test, 2, device->invalidations);
	hmm_mirror_synchronize();
	/* The mirror goes on. */
	device->on_invalidate = NULL;
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_init(&device->mirror, &device->range, span));
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_EQ(test, 3, device->invalidations);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
}

static void removes_its_range_later(struct test_mirror *device)
{
	/* The work item invalidates it once more. */
	device->on_invalidate = NULL;
	hmm_mirror_range_remove_deferred(&device->range);
}

/* The right way to do so: a work item has the device forget all of the range. */
static void mirror_range_removed_later(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	const struct hmm_span span = device->range.span;

	device->on_invalidate = removes_its_range_later;
	memory_map_at(test, addr, 1, RW);
	KUNIT_EXPECT_PTR_EQ(test, device->range.mirror, NULL);
	memset(&device->range, 0xff, sizeof(device->range));
	hmm_mirror_synchronize();
	KUNIT_EXPECT_EQ(test, 2, device->invalidations);
	expect_whole_range_released(test, device, span);
	memory_map_at(test, addr, 4, RW);
	KUNIT_EXPECT_EQ(test, 2, device->invalidations);
	/* The mirror goes on. */
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_init(&device->mirror, &device->range, span));
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_EQ(test, 3, device->invalidations);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
}

/*
 * The addresses of a range whose removal was deferred can be added at once: adding waits
 * for the work item. Without that it is -EEXIST, as for those of another range.
 */
static void mirror_range_added_after_deferred_removal(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	const struct hmm_span span = device->range.span;
	struct hmm_mirror_range other = {};

	for (int i = 0; i < 200; i++) {
		hmm_mirror_range_remove_deferred(&device->range);
		memset(&device->range, 0, sizeof(device->range));
		/* Let the work item run at different times. */
		if (i % 3 == 1)
			cond_resched();
		else if (i % 3 == 2)
			udelay(i);
		KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&device->mirror,
							      &device->range, span));
	}
	KUNIT_EXPECT_EQ(test, -EEXIST, hmm_mirror_range_add(&device->mirror, &other, span));
	KUNIT_EXPECT_EQ(test, 200, device->invalidations);
	hmm_mirror_exit(&device->mirror);
}

static bool released_in_work;

static void notes_who_releases(struct test_mirror *device)
{
	released_in_work = current->flags & PF_WQ_WORKER;
}

/* The last user of the process is gone: a work item ends it. */
static void expect_release_in_work(struct kunit *test, struct test_mirror *device)
{
	for (int i = 0; i < 250 && !READ_ONCE(device->releases); i++)
		msleep(20);
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
	KUNIT_EXPECT_TRUE(test, released_in_work);
}

/* A mirror of a process that has no memory and one user, the caller. */
static struct test_mirror *device_of_process(struct kunit *test, struct rw_semaphore *lock)
{
	struct test_mirror *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	released_in_work = false;
	device->on_release = notes_who_releases;
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init_lock(&device->mirror, mm, &device_ops, NULL,
						      HMM_UPDATE_RWSEM(lock)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, &device->range,
						      (struct hmm_span){ 0, SZ_1M }));
	return device;
}

/* The last user of a process is a section: its caller's locks are not held in release. */
static void mirror_section_outlives_process(struct kunit *test)
{
	struct hmm_section *section = kunit_kzalloc(test, sizeof(*section), GFP_KERNEL);
	struct test_mirror *device;
	struct rw_semaphore lock;
	unsigned long hmm_pfn;

	KUNIT_ASSERT_NOT_NULL(test, section);
	memory_map(test, 1, RW);
	init_rwsem(&lock);
	device = device_of_process(test, &lock);
	*section = (struct hmm_section){
		.mirror = &device->mirror, .span = { PAGE_SIZE, 2 * PAGE_SIZE },
		.access = HMM_ACCESS_SNAPSHOT, .pfns = &hmm_pfn, .nr_pfns = 1,
	};
	KUNIT_EXPECT_TRUE(test, hmm_section_next(section));
	mmput(device->mirror.mm);
	KUNIT_EXPECT_EQ(test, 0, device->releases);
	hmm_section_leave(section);
	expect_release_in_work(test, device);
}

static void helper_adds(struct helper_thread *helper)
{
	helper->ret = hmm_mirror_range_add(&helper->device->mirror, &helper->device->range,
					   helper->span);
}

/* The same when a range is added: the caller may hold the mmap lock. */
static void mirror_addition_outlives_process(struct kunit *test)
{
	struct helper_thread adder = { .work = helper_adds };
	struct test_mirror *device;
	struct task_struct *task;
	struct rw_semaphore lock;
	bool waits;

	memory_map(test, 1, RW);
	init_rwsem(&lock);
	device = device_of_process(test, &lock);
	adder.device = device;
	adder.span = device->range.span;
	helper_create(&adder);
	down_write(&lock);
	hmm_mirror_range_remove_deferred(&device->range);
	task = helper_start(&adder);
	waits = task && race_waits(task);
	mmput(device->mirror.mm);
	KUNIT_EXPECT_EQ(test, 0, device->releases);
	up_write(&lock);
	wait_for_completion(&adder.done);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_EQ(test, 0, adder.ret);
	expect_release_in_work(test, device);
}

/* Wait until the work item has taken an interval from the list of those to be ended. */
static bool work_takes(struct test_mirror *device, const struct hmm_interval *interval)
{
	for (int i = 0; i < 100; i++) {
		if (READ_ONCE(device->mirror.state->removed) != interval)
			return true;
		msleep(20);
	}
	return false;
}

/**
 * struct removals - a mirror with three more ranges, each with an update lock of its own
 * @device: the mirror
 * @range: the ranges
 * @first: the lock of the first one
 * @third: of the third one
 * @last: of the last one
 */
struct removals {
	struct test_mirror *device;
	struct hmm_mirror_range range[3];
	struct mutex first; /* of a range */
	struct mutex third; /* of a range */
	struct mutex last; /* of a range */
};

static void removals_add(struct kunit *test, struct removals *r, int i, unsigned long addr,
			 struct mutex *lock)
{
	struct hmm_span span = { addr, addr + PAGE_SIZE };

	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add_lock(&r->device->mirror, &r->range[i],
							   span, HMM_UPDATE_MUTEX(lock)));
}

/*
 * A deferred removal does not wait for those that are deferred after it has begun: the
 * work item ends all that it finds before it looks for others.
 */
static void mirror_removals_end_in_turn(struct kunit *test)
{
	struct removals *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned long addr = memory_map(test, 4, RW);
	struct helper_thread adder = { .work = helper_adds };
	struct hmm_interval *first, *third;
	bool added;

	KUNIT_ASSERT_NOT_NULL(test, r);
	mutex_init(&r->first);
	mutex_init(&r->third);
	mutex_init(&r->last);
	r->device = device_make(test, addr, 1);
	removals_add(test, r, 0, addr + PAGE_SIZE, &r->first);
	removals_add(test, r, 1, addr + 2 * PAGE_SIZE, &r->third);
	removals_add(test, r, 2, addr + 3 * PAGE_SIZE, &r->last);
	adder.device = r->device;
	adder.span = r->device->range.span;
	helper_create(&adder);
	first = r->range[0].interval;
	third = r->range[1].interval;

	mutex_lock(&r->first);
	hmm_mirror_range_remove_deferred(&r->range[0]);
	KUNIT_EXPECT_TRUE(test, work_takes(r->device, first));
	hmm_mirror_range_remove_deferred(&r->device->range);
	mutex_lock(&r->third);
	hmm_mirror_range_remove_deferred(&r->range[1]);
	mutex_unlock(&r->first);
	/* The work item has found the second and the third, and waits for the third's lock. */
	KUNIT_EXPECT_TRUE(test, work_takes(r->device, third));
	mutex_lock(&r->last);
	hmm_mirror_range_remove_deferred(&r->range[2]);
	mutex_unlock(&r->third);
	helper_start(&adder);
	added = helper_done(&adder, 2000);
	mutex_unlock(&r->last);
	wait_for_completion(&adder.done);
	KUNIT_EXPECT_TRUE(test, added);
	KUNIT_EXPECT_EQ(test, 0, adder.ret);
	hmm_mirror_exit(&r->device->mirror);
}

static void drops_its_range(struct test_mirror *device)
{
	device->on_invalidate = NULL;
	hmm_mirror_range_remove_deferred(&device->range);
	/* Its storage may be freed under the update lock. */
	memset(&device->range, 0xff, sizeof(device->range));
}

/*
 * The end of a range, or of the mirror, is reported to a callback that drops the range.
 * It ends once, and its storage is not used after the callback.
 */
static void mirror_range_dropped_while_it_ends(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);

	for (int whole = 0; whole < 2; whole++) {
		struct test_mirror *device = device_make(test, addr, 4);

		device->on_invalidate = drops_its_range;
		if (!whole)
			hmm_mirror_range_remove(&device->range);
		KUNIT_EXPECT_EQ(test, whole ? 0 : 1, device->invalidations);
		hmm_mirror_exit(&device->mirror);
		KUNIT_EXPECT_EQ(test, 1, device->invalidations);
		KUNIT_EXPECT_EQ(test, 1, device->releases);
		KUNIT_EXPECT_PTR_EQ(test, NULL, memchr_inv(&device->range, 0xff,
							   sizeof(device->range)));
		/* Does not hang. */
		hmm_mirror_synchronize();
		KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	}
}

static void helper_forgets(struct helper_thread *helper)
{
	hmm_mirror_invalidate_span(&helper->device->mirror, helper->span);
}

/*
 * While @first waits for the update lock of the mirror, which we hold, @second waits, too.
 * It has returned when this does.
 */
static void helpers_wait(struct kunit *test, struct helper_thread *first,
			 struct helper_thread *second)
{
	struct test_mirror *device = first->device;
	struct task_struct *task;
	bool waits, early;

	helper_create(first);
	helper_create(second);
	hmm_mirror_lock(&device->mirror);
	task = helper_start(first);
	waits = task && race_waits(task);
	helper_start(second);
	early = helper_done(second, 200);
	KUNIT_EXPECT_EQ(test, 0, device->releases);
	hmm_mirror_unlock(&device->mirror);
	wait_for_completion(&second->done);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_FALSE(test, early);
}

/*
 * While another thread removes a range and the device has not forgotten it yet, the
 * device's addresses are not taken away: hmm_mirror_dma_exit() finds the range.
 */
static void mirror_range_is_listed_until_forgotten(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	struct helper_thread remover = { .work = helper_removes, .device = device };
	struct helper_thread forgetter = { .work = helper_forgets, .device = device,
				    .span = device->range.span };

	helpers_wait(test, &remover, &forgetter);
	wait_for_completion(&remover.done);
	hmm_mirror_exit(&device->mirror);
}

static void notes_a_range(struct test_mirror *device)
{
	device->named += !!device->last.range;
}

/*
 * A range is removed under the update lock, for which another thread waits to take the
 * device's addresses away. Its storage may be freed at once.
 */
static void mirror_range_removed_before_it_is_forgotten(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	struct helper_thread forgetter = { .work = helper_forgets, .device = device,
				    .span = device->range.span };
	struct task_struct *task;
	bool waits;

	device->on_invalidate = notes_a_range;
	helper_create(&forgetter);
	hmm_mirror_lock(&device->mirror);
	task = helper_start(&forgetter);
	waits = task && race_waits(task);
	hmm_mirror_range_remove_deferred(&device->range);
	hmm_mirror_unlock(&device->mirror);
	wait_for_completion(&forgetter.done);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_GE(test, device->invalidations, 1);
	KUNIT_EXPECT_EQ(test, 0, device->named);
	hmm_mirror_exit(&device->mirror);
}

/* So does the end of the mirror, which calls release when no callback follows. */
static void helper_exits(struct helper_thread *helper)
{
	hmm_mirror_exit(&helper->device->mirror);
}

/*
 * The end of a range and that of its mirror at the same time. The one that comes
 * second waits for the first: when it returns, the driver may free what it ended.
 */
static void mirror_ended_by_two(struct kunit *test,
				void (*first_work)(struct helper_thread *),
				void (*second_work)(struct helper_thread *))
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	struct helper_thread first = { .work = first_work, .device = device };
	struct helper_thread second = { .work = second_work, .device = device };

	helpers_wait(test, &first, &second);
	KUNIT_EXPECT_PTR_EQ(test, NULL, READ_ONCE(device->range.mirror));
	wait_for_completion(&first.done);
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
}

static void mirror_end_waits_for_removal(struct kunit *test)
{
	mirror_ended_by_two(test, helper_removes, helper_exits);
}

static void mirror_removal_waits_for_end(struct kunit *test)
{
	mirror_ended_by_two(test, helper_exits, helper_removes);
}

static void helper_removes_deferred(struct helper_thread *helper)
{
	hmm_mirror_range_remove_deferred(&helper->device->range);
	hmm_mirror_synchronize();
}

/*
 * A removal is deferred while another thread, which ends the mirror, ends the range. When
 * hmm_mirror_synchronize() returns, the driver may free the range, and what its callback
 * uses.
 */
static void mirror_synchronize_waits_for_end(struct kunit *test)
{
	mirror_ended_by_two(test, helper_exits, helper_removes_deferred);
}

/* The same, while another thread removes the range. */
static void mirror_synchronize_waits_for_removal(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	struct helper_thread remover = { .work = helper_removes, .device = device };
	struct helper_thread deferrer = { .work = helper_removes_deferred, .device = device };

	helpers_wait(test, &remover, &deferrer);
	wait_for_completion(&remover.done);
	hmm_mirror_exit(&device->mirror);
}

/* hmm_mirror_exit() waits for the deferred removal of ranges. */
static void mirror_ended_with_removed_range(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);

	hmm_mirror_lock(&device->mirror);
	hmm_mirror_range_remove_deferred(&device->range);
	KUNIT_EXPECT_EQ(test, 0, device->invalidations);
	hmm_mirror_unlock(&device->mirror);
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
}

/* A section inside another of its mirror, or under its update lock, waits for itself. */
static void mirror_section_inside_section(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 4);
	struct hmm_section *inner = kunit_kzalloc(test, sizeof(*inner), GFP_KERNEL);
	unsigned long *pfn = kunit_kzalloc(test, sizeof(*pfn), GFP_KERNEL);
	const struct hmm_section request = {
		.mirror = &device->mirror,
		.span = { addr, addr + PAGE_SIZE },
		.access = HMM_ACCESS_READ,
		.pfns = pfn,
		.nr_pfns = 1,
	};

	KUNIT_ASSERT_NOT_NULL(test, inner);
	KUNIT_ASSERT_NOT_NULL(test, pfn);
	*inner = request;
	hmm_mirror_lock(&device->mirror);
	KUNIT_EXPECT_FALSE(test, hmm_section_next(inner));
	hmm_mirror_unlock(&device->mirror);
	KUNIT_EXPECT_EQ(test, -EDEADLK, hmm_section_error(inner));
	*inner = request;
	KUNIT_EXPECT_TRUE(test, hmm_section_next(inner));
	hmm_section_leave(inner);
	hmm_mirror_exit(&device->mirror);
}

/* The same with the whole mirror, which has another range. */
static void mirror_ended_by_invalidate(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 2);
	struct hmm_mirror_range *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	const struct hmm_span rest = { addr + 2 * PAGE_SIZE, addr + 4 * PAGE_SIZE };

	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, other, rest));
	device->on_invalidate = ends_itself;
	with_warnings(test)
		memory_map_at(test, addr, 1, RW);
	/* One page, and then each range. */
	KUNIT_EXPECT_EQ(test, 3, device->invalidations);
	KUNIT_EXPECT_EQ(test, device->last.event, MMU_NOTIFY_RELEASE);
	KUNIT_EXPECT_EQ(test, 0, device->releases);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&device->mirror.lock));
	memory_map_at(test, addr, 4, RW);
	KUNIT_EXPECT_EQ(test, 3, device->invalidations);
	hmm_mirror_synchronize();
	KUNIT_EXPECT_EQ(test, 3, device->invalidations);
}

/*
 * The same at the end of the process, which notifies the range first, and the mirror, whose
 * storage may be freed, afterwards.
 */
static void mirror_ended_by_the_last_invalidate(struct kunit *test)
{
	struct test_mirror *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	device->on_invalidate = ends_itself;
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&device->mirror, mm, &device_ops, NULL));
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, &device->range,
						      HMM_SPAN_ALL));
	with_warnings(test)
		mmput(mm);
	KUNIT_EXPECT_EQ(test, 2, device->invalidations);
	KUNIT_EXPECT_EQ(test, 0, device->releases);
	hmm_mirror_synchronize();
	KUNIT_EXPECT_EQ(test, 0, device->releases);
}

static bool mirror_state_listed(const struct hmm_mirror_state *state)
{
	return READ_ONCE(state->module_object.list.next) != LIST_POISON1;
}

/*
 * A callback ends the mirror while another thread removes a range, and waits for a section
 * that has found it. The module of the driver, whose update lock they use, stays until then.
 */
static void mirror_listed_until_its_ranges_end(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = device_make(test, addr, 2);
	struct hmm_mirror_range *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	const struct hmm_span rest = { addr + 2 * PAGE_SIZE, addr + 4 * PAGE_SIZE };
	struct helper_thread remover = { .work = helper_removes, .device = device };
	struct hmm_interval *interval = device->range.interval;
	struct hmm_mirror_state *state = device->mirror.state;
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, other, rest));
	refcount_inc(&state->ref);
	/* What hmm_interval_enter() does first. */
	atomic_inc(&interval->active);
	helper_create(&remover);
	task = helper_start(&remover);
	KUNIT_EXPECT_TRUE(test, task && race_waits(task));
	device->on_invalidate = ends_itself;
	with_warnings(test)
		memory_map_at(test, rest.start, 1, RW);
	msleep(100);
	KUNIT_EXPECT_TRUE(test, mirror_state_listed(state));
	hmm_interval_active_put(interval);
	wait_for_completion(&remover.done);
	hmm_mirror_synchronize();
	KUNIT_EXPECT_FALSE(test, mirror_state_listed(state));
	hmm_mirror_state_put(state);
}

static struct completion deferred_done;

static void deferred_end(struct hmm_mirror *mirror)
{
	memset(mirror, 0xff, sizeof(*mirror));
	complete(&deferred_done);
}

static void ends_itself_later(struct test_mirror *device)
{
	hmm_mirror_exit_deferred(&device->mirror, deferred_end);
}

/* The right way to do so. */
static void mirror_ended_later(struct kunit *test)
{
	struct test_mirror *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	init_completion(&deferred_done);
	device->on_release = ends_itself_later;
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&device->mirror, mm, &device_ops, NULL));
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, &device->range,
						      HMM_SPAN_ALL));
	mmput(mm);
	hmm_mirror_synchronize();
	KUNIT_EXPECT_TRUE(test, completion_done(&deferred_done));
	KUNIT_EXPECT_EQ(test, 1, device->releases);
}

/**
 * struct locks - a mirror with two ranges that have update locks of their own
 * @device: the mirror, and no range of its own
 * @range: the ranges
 * @mutex: of the first one
 * @rwsem: of the second one
 */
struct locks {
	struct test_mirror *device;
	struct hmm_mirror_range range[2];
	struct mutex mutex; /* of a range */
	struct rw_semaphore rwsem;
};

static struct locks *locks_make(struct kunit *test, unsigned long addr)
{
	struct locks *locks = kunit_kzalloc(test, sizeof(*locks), GFP_KERNEL);
	struct hmm_span low = { addr, addr + 2 * PAGE_SIZE };
	struct hmm_span high = { addr + 2 * PAGE_SIZE, addr + 4 * PAGE_SIZE };

	KUNIT_ASSERT_NOT_NULL(test, locks);
	mutex_init(&locks->mutex);
	init_rwsem(&locks->rwsem);
	locks->device = device_make(test, addr + 4 * PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			hmm_mirror_range_add_lock(&locks->device->mirror, &locks->range[0],
						  low, (struct hmm_update_lock){}));
	/* As a driver does that looks at the VMAs first. */
	mmap_write_lock(current->mm);
	KUNIT_EXPECT_EQ(test, 0,
			hmm_mirror_range_add_lock(&locks->device->mirror, &locks->range[0],
						  low, HMM_UPDATE_MUTEX(&locks->mutex)));
	mmap_write_unlock(current->mm);
	KUNIT_ASSERT_EQ(test, 0,
			hmm_mirror_range_add_lock(&locks->device->mirror, &locks->range[1],
						  high, HMM_UPDATE_RWSEM(&locks->rwsem)));
	return locks;
}

/* Ranges with different locks do not wait for each other. */
static void mirror_range_locks(struct kunit *test)
{
	unsigned long addr = memory_map(test, 5, RW);
	struct locks *locks = locks_make(test, addr);
	struct helper_thread low = { .work = helper_looks, .device = locks->device,
			      .span = locks->range[0].span };
	struct helper_thread high = { .work = helper_looks, .device = locks->device,
			       .span = locks->range[1].span };
	struct helper_thread unmap = { .work = helper_unmaps, .span = locks->range[1].span };
	bool low_early, high_early, unmap_early;

	helper_create(&low);
	helper_create(&high);
	helper_create(&unmap);
	mutex_lock(&locks->mutex);
	helper_start(&low);
	low_early = helper_done(&low, 100);
	helper_start(&high);
	high_early = helper_done(&high, 2000);
	helper_start(&unmap);
	unmap_early = helper_done(&unmap, 2000);
	mutex_unlock(&locks->mutex);
	wait_for_completion(&low.done);
	wait_for_completion(&high.done);
	wait_for_completion(&unmap.done);
	KUNIT_EXPECT_FALSE(test, low_early);
	KUNIT_EXPECT_TRUE(test, high_early);
	KUNIT_EXPECT_TRUE(test, unmap_early);
	KUNIT_EXPECT_EQ(test, 0, low.ret);
	KUNIT_EXPECT_EQ(test, 0, high.ret);
	hmm_mirror_exit(&locks->device->mirror);
}

static struct locks *within_locks;
static int within_error;

static int section_error_at(struct hmm_mirror *mirror, struct hmm_span span)
{
	unsigned long pfns[2];
	struct hmm_section section = {
		.mirror = mirror, .span = span, .access = HMM_ACCESS_SNAPSHOT,
		.pfns = pfns, .nr_pfns = ARRAY_SIZE(pfns),
	};

	if (hmm_section_next(&section))
		hmm_section_leave(&section);
	return hmm_section_error(&section);
}

static void opens_a_section(struct test_mirror *device)
{
	device->on_invalidate = NULL;
	within_error = section_error_at(&device->mirror, within_locks->range[1].span);
}

/* A section under its range's own lock, or in a callback under it, waits for itself. */
static void mirror_section_inside_own_lock(struct kunit *test)
{
	unsigned long addr = memory_map(test, 5, RW);
	struct locks *locks = locks_make(test, addr);
	struct hmm_mirror *mirror = &locks->device->mirror;

	mutex_lock(&locks->mutex);
	/* lockdep reports both attempts, rightly, and would stop checking. */
	lockdep_off();
	KUNIT_EXPECT_EQ(test, -EDEADLK, section_error_at(mirror, locks->range[0].span));
	lockdep_on();
	mutex_unlock(&locks->mutex);
	KUNIT_EXPECT_EQ(test, 0, section_error_at(mirror, locks->range[0].span));
	within_locks = locks;
	within_error = 0;
	locks->device->on_invalidate = opens_a_section;
	lockdep_off();
	memory_map_at(test, locks->range[1].span.start, 1, RW);
	lockdep_on();
	KUNIT_EXPECT_EQ(test, -EDEADLK, within_error);
	KUNIT_EXPECT_EQ(test, 0, section_error_at(mirror, locks->range[1].span));
	hmm_mirror_exit(mirror);
}

static void removes_the_first_range(struct test_mirror *device)
{
	device->on_invalidate = NULL;
	hmm_mirror_range_remove(&within_locks->range[0]);
}

/*
 * A callback removes another range, with another lock. Its end would wait for the
 * invalidation that the callback is in.
 */
static void mirror_range_removed_by_another_callback(struct kunit *test)
{
	unsigned long addr = memory_map(test, 5, RW);
	struct locks *locks = locks_make(test, addr);

	within_locks = locks;
	locks->device->on_invalidate = removes_the_first_range;
	with_warnings(test)
		memory_map_at(test, locks->range[1].span.start, 1, RW);
	KUNIT_EXPECT_PTR_EQ(test, NULL, locks->range[0].mirror);
	KUNIT_EXPECT_EQ(test, 2, locks->device->invalidations);
	hmm_mirror_synchronize();
	memory_map_at(test, addr, 1, RW);
	KUNIT_EXPECT_EQ(test, 2, locks->device->invalidations);
	hmm_mirror_exit(&locks->device->mirror);
	KUNIT_EXPECT_EQ(test, 1, locks->device->releases);
}

/* A callback removes its own range, under the range's own lock. */
static void mirror_range_removed_under_its_own_lock(struct kunit *test)
{
	unsigned long addr = memory_map(test, 5, RW);
	struct locks *locks = locks_make(test, addr);

	within_locks = locks;
	locks->device->on_invalidate = removes_the_first_range;
	with_warnings(test)
		memory_map_at(test, locks->range[0].span.start, 1, RW);
	KUNIT_EXPECT_PTR_EQ(test, NULL, locks->range[0].mirror);
	KUNIT_EXPECT_EQ(test, 2, locks->device->invalidations);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&locks->mutex));
	hmm_mirror_exit(&locks->device->mirror);
}

/* Sections share a rw_semaphore; an invalidation has it alone. */
static void mirror_sections_share(struct kunit *test)
{
	unsigned long addr = memory_map(test, 5, RW);
	struct locks *locks = locks_make(test, addr);
	struct helper_thread look = { .work = helper_looks, .device = locks->device,
			       .span = locks->range[1].span };
	struct helper_thread unmap = { .work = helper_unmaps, .span = locks->range[1].span };
	bool look_early = false, unmap_early = true;
	int ret = 1;

	helper_create(&look);
	helper_create(&unmap);
	hmm_mirror_populate(pages, ret, &locks->device->mirror,
			    locks->range[1].span, HMM_ACCESS_SNAPSHOT) {
		helper_start(&look);
		look_early = helper_done(&look, 2000);
		helper_start(&unmap);
		unmap_early = helper_done(&unmap, 100);
	}
	wait_for_completion(&look.done);
	wait_for_completion(&unmap.done);
	KUNIT_EXPECT_EQ(test, 0, ret);
	KUNIT_EXPECT_TRUE(test, look_early);
	KUNIT_EXPECT_FALSE(test, unmap_early);
	KUNIT_EXPECT_EQ(test, 0, look.ret);
	hmm_mirror_exit(&locks->device->mirror);
}

/* All ranges of a mirror with one lock of the driver's. */
static void mirror_own_lock(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct test_mirror *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct locks *locks = kunit_kzalloc(test, sizeof(*locks), GFP_KERNEL);
	struct hmm_span span = { addr, addr + 4 * PAGE_SIZE };
	struct hmm_update_lock none = {};
	int ret = 1;

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_NOT_NULL(test, locks);
	init_rwsem(&locks->rwsem);
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_mirror_init_lock(&device->mirror, current->mm,
							    &device_ops, NULL, none));
	KUNIT_ASSERT_EQ(test, 0,
			hmm_mirror_init_lock(&device->mirror, current->mm, &device_ops, NULL,
					     HMM_UPDATE_RWSEM(&locks->rwsem)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, &device->range, span));
	hmm_mirror_lock(&device->mirror);
	KUNIT_EXPECT_TRUE(test, rwsem_is_locked(&locks->rwsem));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&device->mirror.lock));
	hmm_mirror_unlock(&device->mirror);
	hmm_mirror_populate(pages, ret, &device->mirror, span, HMM_ACCESS_SNAPSHOT)
		KUNIT_EXPECT_TRUE(test, rwsem_is_locked(&locks->rwsem));
	KUNIT_EXPECT_EQ(test, 0, ret);
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&locks->rwsem));
	memory_map_at(test, addr, 4, RW);
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	hmm_mirror_exit(&device->mirror);
}

/**
 * struct race - a section in a thread of its own that waits for the update lock
 * @device: the mirror
 * @mm: the address space
 * @addr: the address of one page
 * @hmm_pfn: the hmm pfn that the section reported
 * @entries: how often the section's body ran
 * @ret: the section's result
 * @done: completed when the section has ended
 */
struct race {
	struct test_mirror *device;
	struct mm_struct *mm;
	unsigned long addr;
	unsigned long hmm_pfn;
	int entries;
	int ret;
	struct completion done;
};

static int race_section(void *argument)
{
	struct race *race = argument;
	struct hmm_span span = { race->addr, race->addr + PAGE_SIZE };

	kthread_use_mm(race->mm);
	hmm_mirror_populate(pages, race->ret, &race->device->mirror, span,
			    HMM_ACCESS_SNAPSHOT) {
		race->hmm_pfn = pages.pfns[0];
		race->entries++;
	}
	kthread_unuse_mm(race->mm);
	complete(&race->done);
	return 0;
}

/*
 * A section has walked and waits for the update lock. Meanwhile the page is
 * faulted in, which notifies nobody, and, if @collide is set, the sequence is
 * changed as an invalidation changes it. Only then may the section report the
 * page: it has to walk again.
 */
static unsigned long race_run(struct kunit *test, bool collide)
{
	unsigned long addr = memory_map(test, 1, RW);
	struct test_mirror *device = device_make(test, addr, 1);
	struct race race = { .device = device, .mm = current->mm, .addr = addr };
	struct task_struct *task;
	bool waits;

	init_completion(&race.done);
	task = kthread_create(race_section, &race, "hmm_race");
	if (IS_ERR(task)) {
		hmm_mirror_exit(&device->mirror);
		KUNIT_FAIL_AND_ABORT(test, "no thread");
	}

	/* No driver may fault under this lock, and lockdep would report it. */
	lockdep_off();
	hmm_mirror_lock(&device->mirror);
	wake_up_process(task);
	waits = race_waits(task);
	memory_write(test, addr, 1);
	if (collide)
		mmu_interval_set_seq(&device->range.interval->notifier,
				     device->range.interval->notifier.invalidate_seq - 2);
	hmm_mirror_unlock(&device->mirror);
	lockdep_on();
	wait_for_completion(&race.done);
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_EQ(test, 1, race.entries);
	return race.hmm_pfn;
}

static void mirror_race_lost(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, race_run(test, true) & HMM_PFN_WRITABLE,
			HMM_PFN_WRITABLE);
}

static void mirror_race_won(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, race_run(test, false), 0);
}

/* A page that memory failure has marked is not read; nothing else is wrong with it here. */
static void mirror_page_is_unreachable(struct kunit *test)
{
#ifdef CONFIG_MEMORY_FAILURE
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_TRUE(test, hmm_page_is_reachable(page));
	SetPageHWPoison(page);
	KUNIT_EXPECT_FALSE(test, hmm_page_is_reachable(page));
	ClearPageHWPoison(page);
	__free_page(page);
#else
	kunit_skip(test, "the kernel has no memory failure");
#endif
}

static struct kunit_case mirror_cases[] = {
	KUNIT_CASE(mirror_bad_init),
	KUNIT_CASE(mirror_released_once),
	KUNIT_CASE(mirror_outlives_process),
	KUNIT_CASE(mirror_ranges),
	KUNIT_CASE(mirror_many_ranges),
	KUNIT_CASE(mirror_page_is_unreachable),
	KUNIT_CASE(mirror_section),
	KUNIT_CASE(mirror_section_whole),
	KUNIT_CASE(mirror_section_invalid),
	KUNIT_CASE(mirror_section_over_two_ranges),
	KUNIT_CASE(mirror_section_has_no_migration),
	KUNIT_CASE(mirror_present_in_a_desert),
	KUNIT_CASE(mirror_dma),
	KUNIT_CASE(mirror_section_left),
	KUNIT_CASE(mirror_must_not_block),
	KUNIT_CASE(mirror_own_migration),
	KUNIT_CASE(mirror_own_exclusive),
	KUNIT_CASE(mirror_movers),
	KUNIT_CASE(mirror_range_twice),
	KUNIT_CASE(mirror_spans),
	KUNIT_CASE(mirror_refused),
	KUNIT_CASE(mirror_forgets_first),
	KUNIT_CASE(mirror_removed_under_section),
	KUNIT_CASE(mirror_ended_between_batches),
	KUNIT_CASE(mirror_silent_after_release),
	KUNIT_CASE(mirror_ended_by_callback),
	KUNIT_CASE(mirror_ended_by_invalidate),
	KUNIT_CASE(mirror_ended_by_the_last_invalidate),
	KUNIT_CASE(mirror_listed_until_its_ranges_end),
	KUNIT_CASE(mirror_range_removed_by_callback),
	KUNIT_CASE(mirror_range_removed_later),
	KUNIT_CASE(mirror_range_added_after_deferred_removal),
	KUNIT_CASE(mirror_section_outlives_process),
	KUNIT_CASE(mirror_addition_outlives_process),
	KUNIT_CASE(mirror_removals_end_in_turn),
	KUNIT_CASE(mirror_range_dropped_while_it_ends),
	KUNIT_CASE(mirror_range_is_listed_until_forgotten),
	KUNIT_CASE(mirror_range_removed_before_it_is_forgotten),
	KUNIT_CASE(mirror_end_waits_for_removal),
	KUNIT_CASE(mirror_removal_waits_for_end),
	KUNIT_CASE(mirror_synchronize_waits_for_end),
	KUNIT_CASE(mirror_synchronize_waits_for_removal),
	KUNIT_CASE(mirror_section_inside_own_lock),
	KUNIT_CASE(mirror_range_removed_by_another_callback),
	KUNIT_CASE(mirror_range_removed_under_its_own_lock),
	KUNIT_CASE(mirror_ended_with_removed_range),
	KUNIT_CASE(mirror_section_inside_section),
	KUNIT_CASE(mirror_ended_later),
	KUNIT_CASE(mirror_range_locks),
	KUNIT_CASE(mirror_sections_share),
	KUNIT_CASE(mirror_own_lock),
	KUNIT_CASE(mirror_race_lost),
	KUNIT_CASE(mirror_race_won),
	{}
};

static struct kunit_suite mirror_suite = {
	.name = "hmm_mirror",
	.test_cases = mirror_cases,
};

kunit_test_suite(mirror_suite);
