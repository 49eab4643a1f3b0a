// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrors: what a driver is promised, and the race that it need not know of.
 */
#include <kunit/device.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/hmm_mirror.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>

#include "memory.h"
#include "../pfn.h"

#define RW (PROT_READ | PROT_WRITE)

/**
 * struct watcher - a mirror that counts what it is told
 * @mirror: the mirror
 * @range: its one range
 * @invalidations: how often a span was to be forgotten
 * @releases: how often release was called
 * @told: the last invalidation
 * @dma: its device addresses, or NULL
 * @addressed: whether the first page had one still when it was to be forgotten
 */
struct watcher {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	int invalidations;
	int releases;
	struct hmm_invalidation told;
	struct hmm_mirror_dma *dma;
	bool addressed;
};

static bool device_invalidate(struct hmm_mirror *mirror,
			      const struct hmm_invalidation *inv)
{
	struct watcher *device = container_of(mirror, struct watcher, mirror);

	lockdep_assert_held(&mirror->lock);
	device->invalidations++;
	device->told = *inv;
	if (device->dma)
		device->addressed = device->dma->map.pfn_list[0] & HMM_PFN_DMA_MAPPED;
	return true;
}

static void device_release(struct hmm_mirror *mirror)
{
	struct watcher *device = container_of(mirror, struct watcher, mirror);

	device->releases++;
}

static const struct hmm_mirror_ops device_ops = {
	.invalidate = device_invalidate,
	.release = device_release,
};

/* A device that covers @npages from @addr; @test owns the storage. */
static struct watcher *device_make(struct kunit *test, unsigned long addr,
				   unsigned long npages)
{
	struct watcher *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
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
	struct watcher *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);

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
	struct watcher *device = device_make(test, memory_map(test, 4, RW), 4);

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
	struct watcher *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct hmm_section *section = kunit_kzalloc(test, sizeof(*section), GFP_KERNEL);
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_NOT_NULL(test, section);
	KUNIT_ASSERT_NOT_NULL(test, mm);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&device->mirror, mm, &device_ops, NULL));
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_add(&device->mirror, &device->range,
						      HMM_SPAN_ALL));
	mmput(mm);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_EQ(test, device->told.event, MMU_NOTIFY_RELEASE);

	hmm_mirror_range_remove(&device->range);
	KUNIT_EXPECT_EQ(test, -ESRCH,
			hmm_mirror_range_add(&device->mirror, &device->range, HMM_SPAN_ALL));
	*section = (struct hmm_section)HMM_SECTION(&device->mirror,
						   ((struct hmm_span){ PAGE_SIZE, 2 * PAGE_SIZE }),
						   HMM_ACCESS_READ);
	KUNIT_EXPECT_FALSE(test, hmm_section_next(section));
	KUNIT_EXPECT_EQ(test, -ESRCH, hmm_section_error(section));
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_EQ(test, 1, device->releases);
}

static void mirror_ranges(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct watcher *device = device_make(test, addr, 4);
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
	/* What is left of the mirror is told, and of its own part only. */
	memory_map_at(test, addr, MEMORY_PAGES, RW);
	KUNIT_EXPECT_EQ(test, 2, device->invalidations);
	KUNIT_EXPECT_PTR_EQ(test, device->told.range, other);
	KUNIT_EXPECT_EQ(test, device->told.span.start, addr + 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, device->told.span.end, addr + MEMORY_SIZE);
	KUNIT_EXPECT_EQ(test, device->told.event, MMU_NOTIFY_UNMAP);
	hmm_mirror_exit(mirror);
	KUNIT_EXPECT_EQ(test, 3, device->invalidations);
}

static void mirror_section(struct kunit *test)
{
	unsigned long npages = 2 * HMM_SECTION_BATCH + 3, seen = 0, addr, i;
	unsigned long *words = kunit_kcalloc(test, npages, sizeof(*words), GFP_KERNEL);
	struct watcher *device;
	struct hmm_span span;

	KUNIT_ASSERT_NOT_NULL(test, words);
	addr = memory_map(test, npages, RW);
	span = (struct hmm_span){ addr, addr + npages * PAGE_SIZE };
	device = device_make(test, addr, npages);
	hmm_section(pages, &device->mirror, span, HMM_ACCESS_WRITE) {
		KUNIT_EXPECT_TRUE(test, mutex_is_locked(&device->mirror.lock));
		KUNIT_EXPECT_EQ(test, pages.now.start, addr + seen * PAGE_SIZE);
		for (i = 0; i < hmm_span_pages(pages.now) && seen < npages; i++)
			words[seen++] = pages.pfns[i];
	}
	KUNIT_EXPECT_EQ(test, 0, hmm_section_error(&pages));
	KUNIT_EXPECT_EQ(test, npages, seen);
	/* Only now: get_user_pages() takes the mmap lock. */
	for (i = 0; i < npages; i++) {
		KUNIT_EXPECT_EQ(test, words[i] & HMM_PFN_WRITABLE, HMM_PFN_WRITABLE);
		KUNIT_EXPECT_EQ(test, words[i] & ~HMM_PFN_FLAGS,
				memory_pfn(test, addr + i * PAGE_SIZE));
	}
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&device->mirror.lock));
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&device->mirror.cover));
	hmm_mirror_exit(&device->mirror);
}

/* How many pages have addresses, which without an IOMMU are their own, or an error. */
static long mirror_addresses(struct kunit *test, struct watcher *device,
			     struct hmm_span span, enum hmm_access access)
{
	struct hmm_section pages __cleanup(hmm_section_leave) =
		HMM_SECTION(&device->mirror, span, access);
	struct hmm_dma_run run;
	long npages = 0;

	pages.dma = device->dma;
	while (hmm_section_next(&pages)) {
		hmm_for_each_dma_run(run, &pages) {
			unsigned long at = (run.span.start - pages.now.start) >> PAGE_SHIFT;

			KUNIT_EXPECT_EQ(test, run.address,
					(dma_addr_t)hmm_pfn_to_phys(pages.pfns[at]));
			npages += hmm_span_pages(run.span);
		}
	}
	return hmm_section_error(&pages) ?: npages;
}

static void mirror_dma(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, RW);
	struct hmm_span span = { addr, addr + 4 * PAGE_SIZE };
	struct hmm_span half = { addr, addr + 2 * PAGE_SIZE };
	struct device *dev = kunit_device_register(test, "hmm_mirror_dma");
	struct hmm_mirror_dma *dma = kunit_kzalloc(test, sizeof(*dma), GFP_KERNEL);
	struct watcher *device = device_make(test, addr, 4);
	struct watcher *other = device_make(test, addr, 4);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_NOT_NULL(test, dma);
	if (IS_ENABLED(CONFIG_HAS_DMA))
		KUNIT_ASSERT_EQ(test, 0, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(dma, &device->mirror, dev, half));
	device->dma = dma;
	other->dma = dma;
	/* It is another's, and it has no room. */
	KUNIT_EXPECT_EQ(test, -EINVAL, mirror_addresses(test, other, half, HMM_ACCESS_READ));
	KUNIT_EXPECT_EQ(test, -EINVAL, mirror_addresses(test, device, span, HMM_ACCESS_READ));
	KUNIT_EXPECT_EQ(test, 0, mirror_addresses(test, device, half, HMM_ACCESS_SNAPSHOT));
	if (IS_ENABLED(CONFIG_HAS_DMA)) {
		KUNIT_EXPECT_EQ(test, 2, mirror_addresses(test, device, half, HMM_ACCESS_WRITE));
		KUNIT_EXPECT_EQ(test, 2, mirror_addresses(test, device, half, HMM_ACCESS_SNAPSHOT));
		/* The device lets go of the pages before their addresses go. */
		memory_map_at(test, addr, 4, RW);
		KUNIT_EXPECT_TRUE(test, device->addressed);
		KUNIT_EXPECT_EQ(test, 0, mirror_addresses(test, device, half, HMM_ACCESS_SNAPSHOT));
	} else {
		KUNIT_EXPECT_EQ(test, -EIO, mirror_addresses(test, device, half, HMM_ACCESS_WRITE));
	}
	KUNIT_EXPECT_EQ(test, 0, dma->map.pfn_list[0] & HMM_PFN_DMA_MAPPED);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&device->mirror.lock));
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&device->mirror.cover));
	hmm_mirror_dma_exit(dma);
	other->dma = NULL;
	device->dma = NULL;
	hmm_mirror_exit(&other->mirror);
	hmm_mirror_exit(&device->mirror);
}

/* However a section is left, it leaves nothing locked. */
static int section_left_by_return(struct watcher *device, struct hmm_span span)
{
	hmm_section(pages, &device->mirror, span, HMM_ACCESS_READ)
		return 42;
	return hmm_section_error(&pages);
}

static void mirror_section_left(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct watcher *device = device_make(test, addr, MEMORY_PAGES);
	struct hmm_span span = { addr, addr + MEMORY_SIZE };
	int users = atomic_read(&current->mm->mm_users);

	KUNIT_EXPECT_EQ(test, 42, section_left_by_return(device, span));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&device->mirror.lock));
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&device->mirror.cover));
	KUNIT_EXPECT_EQ(test, users, atomic_read(&current->mm->mm_users));
	span.end += PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, 42, section_left_by_return(device, span));
	span.start = span.end - PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, -ENOENT, section_left_by_return(device, span));
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&device->mirror.cover));
	KUNIT_EXPECT_EQ(test, users, atomic_read(&current->mm->mm_users));
	hmm_mirror_exit(&device->mirror);
}

/* What mmu_notifier.c would call, with a reason of the test's choosing. */
static bool notify(struct watcher *device, enum mmu_notifier_event event,
		   unsigned int flags, void *owner)
{
	struct mmu_interval_notifier *notifier = &device->range.notifier;
	struct mmu_notifier_range range;

	mmu_notifier_range_init_owner(&range, event, flags, current->mm,
				      device->range.span.start,
				      device->range.span.end, owner);
	/* An old sequence, which no invalidation to come will have. */
	return notifier->ops->invalidate(notifier, &range,
					 notifier->invalidate_seq - 2);
}

static void mirror_must_not_block(struct kunit *test)
{
	struct watcher *device = device_make(test, memory_map(test, 4, RW), 4);
	unsigned long seq = device->range.notifier.invalidate_seq;

	hmm_mirror_lock(&device->mirror);
	KUNIT_EXPECT_FALSE(test, notify(device, MMU_NOTIFY_CLEAR, 0, NULL));
	hmm_mirror_unlock(&device->mirror);
	KUNIT_EXPECT_EQ(test, 0, device->invalidations);
	KUNIT_EXPECT_EQ(test, seq, device->range.notifier.invalidate_seq);
	KUNIT_EXPECT_TRUE(test, notify(device, MMU_NOTIFY_CLEAR, 0, NULL));
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_FALSE(test, device->told.may_block);
	KUNIT_EXPECT_TRUE(test, notify(device, MMU_NOTIFY_CLEAR,
				       MMU_NOTIFIER_RANGE_BLOCKABLE, NULL));
	KUNIT_EXPECT_TRUE(test, device->told.may_block);
	hmm_mirror_exit(&device->mirror);
}

/* A mirror hears of its owner's migrations, as of anybody's. */
static void mirror_own_migration(struct kunit *test)
{
	struct watcher *device = device_make(test, memory_map(test, 4, RW), 4);
	unsigned long seq = device->range.notifier.invalidate_seq;

	KUNIT_EXPECT_TRUE(test, notify(device, MMU_NOTIFY_MIGRATE,
				       MMU_NOTIFIER_RANGE_BLOCKABLE, device));
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_EQ(test, device->told.event, MMU_NOTIFY_MIGRATE);
	KUNIT_EXPECT_NE(test, seq, device->range.notifier.invalidate_seq);
	hmm_mirror_exit(&device->mirror);
}

/* What a section takes for the owner must not make that section lose. */
static void mirror_own_exclusive(struct kunit *test)
{
	struct watcher *device = device_make(test, memory_map(test, 4, RW), 4);
	unsigned long seq = device->range.notifier.invalidate_seq;

	KUNIT_EXPECT_TRUE(test, notify(device, MMU_NOTIFY_EXCLUSIVE,
				       MMU_NOTIFIER_RANGE_BLOCKABLE, device));
	KUNIT_EXPECT_EQ(test, 0, device->invalidations);
	KUNIT_EXPECT_EQ(test, seq, device->range.notifier.invalidate_seq);
	KUNIT_EXPECT_TRUE(test, notify(device, MMU_NOTIFY_EXCLUSIVE,
				       MMU_NOTIFIER_RANGE_BLOCKABLE, test));
	KUNIT_EXPECT_EQ(test, 1, device->invalidations);
	KUNIT_EXPECT_NE(test, seq, device->range.notifier.invalidate_seq);
	hmm_mirror_exit(&device->mirror);
}

/**
 * struct race - a section in a thread of its own, held up at the update lock
 * @device: whose
 * @mm: the memory
 * @addr: of one page
 * @word: what the section was told
 * @entries: how often the body ran
 * @done: when it is over
 */
struct race {
	struct watcher *device;
	struct mm_struct *mm;
	unsigned long addr;
	unsigned long word;
	int entries;
	struct completion done;
};

static int race_section(void *argument)
{
	struct race *race = argument;
	struct hmm_span span = { race->addr, race->addr + PAGE_SIZE };

	kthread_use_mm(race->mm);
	hmm_section(pages, &race->device->mirror, span, HMM_ACCESS_SNAPSHOT) {
		race->word = pages.pfns[0];
		race->entries++;
	}
	kthread_unuse_mm(race->mm);
	complete(&race->done);
	return 0;
}

/* Till the thread sleeps at the lock, its walk behind it. */
static bool race_waits(struct task_struct *task)
{
	int tries, asleep = 0;

	for (tries = 0; tries < 100 && asleep < 3; tries++) {
		msleep(20);
		asleep = READ_ONCE(task->__state) == TASK_UNINTERRUPTIBLE ?
			 asleep + 1 : 0;
	}
	return asleep == 3;
}

/*
 * A section has walked and finds the lock taken. Meanwhile the page comes (of
 * which nobody is told) and, when @collide is set, the sequence moves, as an
 * invalidation would move it. Only then may the section see the page: it has
 * to walk again.
 */
static unsigned long race_run(struct kunit *test, bool collide)
{
	unsigned long addr = memory_map(test, 1, RW);
	struct watcher *device = device_make(test, addr, 1);
	struct race race = { .device = device, .mm = current->mm, .addr = addr };
	struct task_struct *task;
	bool waits;

	init_completion(&race.done);
	task = kthread_create(race_section, &race, "hmm_race");
	if (IS_ERR(task)) {
		hmm_mirror_exit(&device->mirror);
		KUNIT_FAIL_AND_ABORT(test, "no thread");
	}

	/* No driver may fault under this lock, and lockdep would say so. */
	lockdep_off();
	hmm_mirror_lock(&device->mirror);
	wake_up_process(task);
	waits = race_waits(task);
	memory_write(test, addr, 1);
	if (collide)
		mmu_interval_set_seq(&device->range.notifier,
				     device->range.notifier.invalidate_seq - 2);
	hmm_mirror_unlock(&device->mirror);
	lockdep_on();
	wait_for_completion(&race.done);
	hmm_mirror_exit(&device->mirror);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_EQ(test, 1, race.entries);
	return race.word;
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

static struct kunit_case mirror_cases[] = {
	KUNIT_CASE(mirror_bad_init),
	KUNIT_CASE(mirror_released_once),
	KUNIT_CASE(mirror_outlives_process),
	KUNIT_CASE(mirror_ranges),
	KUNIT_CASE(mirror_section),
	KUNIT_CASE(mirror_dma),
	KUNIT_CASE(mirror_section_left),
	KUNIT_CASE(mirror_must_not_block),
	KUNIT_CASE(mirror_own_migration),
	KUNIT_CASE(mirror_own_exclusive),
	KUNIT_CASE(mirror_race_lost),
	KUNIT_CASE(mirror_race_won),
	{}
};

static struct kunit_suite mirror_suite = {
	.name = "hmm_mirror",
	.test_cases = mirror_cases,
};

kunit_test_suite(mirror_suite);
