// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages are in a device's memory when there are several devices that request
 * them, and when there is not enough of it; for private and for coherent memory.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/hmm_typed.h>
#include <linux/kthread.h>
#include <linux/mm.h>

#include "../devmem.h"
#include "fixture_device.h"

#define PAGES	64UL
#define SIZE	(PAGES << PAGE_SHIFT)

static void migrate_back_all(struct kunit *test, unsigned long addr)
{
	struct buffer_device *device = test->priv;

	if (is_coherent(device))
		KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/*
 * A device gets the pages that another one has, from either kind of memory, when the
 * other has had them for its time slice.
 */
static void turns_waits(struct kunit *test)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	unsigned long addr = map_anonymous(test, SIZE), start;

	write_numbers(test, addr, PAGES);
	start = jiffies;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(other, addr, SIZE), PAGES);
	KUNIT_EXPECT_GE(test, jiffies - start,
			msecs_to_jiffies(HMM_DEVMEM_SLICE_MS));
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, available(other), DEVICE_PAGES - PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, available(other), DEVICE_PAGES);
	migrate_back_all(test, addr);
	hmm_devmem_exit(&other->devmem);
}

/* The same with pages in system memory and in two other memories. */
static void turns_mixed(struct kunit *test)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	struct buffer_device *third = make_buffer_device(test);
	unsigned long addr = map_anonymous(test, SIZE), i;

	write_numbers(test, addr, PAGES);
	for (i = 0; i < PAGES; i += 4) {
		unsigned long at = addr + (i << PAGE_SHIFT);

		KUNIT_EXPECT_EQ(test, migrate_to(other, at, PAGE_SIZE), 1);
		at += PAGE_SIZE;
		KUNIT_EXPECT_EQ(test, migrate_to(third, at, PAGE_SIZE), 1);
	}
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, available(other), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, available(third), DEVICE_PAGES);
	migrate_back_all(test, addr);
	hmm_devmem_exit(&third->devmem);
	hmm_devmem_exit(&other->devmem);
}

/* hmm_devmem_collect() only records the first request; a later one gets the pages. */
static void turns_first_request(struct kunit *test)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	unsigned long addr = map_anonymous(test, SIZE);

	write_numbers(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	msleep(2 * HMM_DEVMEM_SLICE_MS);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, other, addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, other, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
	/* A page that has just arrived has not been requested. */
	msleep(2 * HMM_DEVMEM_SLICE_MS);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, device, addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, device, addr, SIZE), PAGES);
	migrate_back_all(test, addr);
	hmm_devmem_exit(&other->devmem);
}

/* The time slice begins when the migration ends, however long the copy takes. */
static void turns_slow_copy(struct kunit *test)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	unsigned long addr = map_anonymous(test, SIZE), start;

	write_numbers(test, addr, PAGES);
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem,
								 current->mm,
								 span_of(addr, SIZE));
		CLASS(hmm_devmem_migration_copied, copied)(&collected);
		CLASS(hmm_devmem_migration_committed, committed)(&copied);

		KUNIT_EXPECT_EQ(test, PAGES,
				hmm_devmem_migration_committed_moved(&committed));
		msleep(2 * HMM_DEVMEM_SLICE_MS);
		start = jiffies;
	}
	KUNIT_EXPECT_EQ(test, migrate_to(other, addr, SIZE), PAGES);
	KUNIT_EXPECT_GE(test, jiffies - start,
			msecs_to_jiffies(HMM_DEVMEM_SLICE_MS));
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	migrate_back_all(test, addr);
	hmm_devmem_exit(&other->devmem);
}

/**
 * struct request - a thread that requests pages of the test's process for a device
 * @test: the test
 * @device: the device
 * @mm: the process
 * @addr: address of the first page
 * @size: size of the pages, in bytes
 * @moved: how many have migrated
 */
struct request {
	struct kunit *test;
	struct buffer_device *device;
	struct mm_struct *mm;
	unsigned long addr;
	unsigned long size;
	unsigned long moved;
};

static int hmm_test_request_thread(void *data)
{
	struct request *request = data;

	kthread_use_mm(request->mm);
	request->moved = migrate_in_steps(request->test, request->device, request->addr,
					  request->size);
	kthread_unuse_mm(request->mm);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void wait_until_asleep(struct task_struct *thread)
{
	unsigned long end = jiffies + 10 * HZ;

	while (!(READ_ONCE(thread->__state) & TASK_UNINTERRUPTIBLE) &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
}

/*
 * Pages that a request waits for, as they migrate, may arrive in another device's
 * memory: they stay there for their time slice.
 */
static void arrives_meanwhile(struct kunit *test, unsigned long addr, unsigned long size)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	struct request request = {
		.test = test, .device = other, .mm = current->mm, .addr = addr,
		.size = size,
	};
	unsigned long pages = size >> PAGE_SHIFT;
	struct task_struct *thread;

	write_numbers(test, addr, pages);
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem,
								 current->mm,
								 span_of(addr, size));
		CLASS(hmm_devmem_migration_copied, copied)(&collected);
		CLASS(hmm_devmem_migration_committed, committed)(&copied);

		KUNIT_EXPECT_EQ(test, pages,
				hmm_devmem_migration_committed_moved(&committed));
		thread = kthread_run(hmm_test_request_thread, &request, "hmm_request");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
		wait_until_asleep(thread);
	}
	KUNIT_EXPECT_EQ(test, kthread_stop(thread), 0);
	KUNIT_EXPECT_EQ(test, request.moved, 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - pages);
	if (is_coherent(device))
		KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, size), pages);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, pages), pages);
	hmm_devmem_exit(&other->devmem);
}

static void turns_arrives_meanwhile(struct kunit *test)
{
	arrives_meanwhile(test, map_anonymous(test, SIZE), SIZE);
}

static void turns_huge_arrives_meanwhile(struct kunit *test)
{
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE),
				   HPAGE_PMD_SIZE);

	allow_huge(test, addr, HPAGE_PMD_SIZE);
	arrives_meanwhile(test, addr, HPAGE_PMD_SIZE);
}

/**
 * struct collections - counts how often pages are collected to migrate
 * @notifier: subscribed to the test's process
 * @nr: how often
 */
struct collections {
	struct mmu_interval_notifier notifier;
	unsigned long nr;
};

static bool count_collection(struct mmu_interval_notifier *notifier,
			     const struct mmu_notifier_range *event,
			     unsigned long seq)
{
	struct collections *collections =
		container_of(notifier, struct collections, notifier);

	mmu_interval_set_seq(notifier, seq);
	collections->nr += event->event == MMU_NOTIFY_MIGRATE;
	return true;
}

static const struct mmu_interval_notifier_ops count_ops = {
	.invalidate = count_collection,
};

/*
 * A page that is in use stays, and the others still migrate: they are collected once
 * in the other memory, and once in system memory.
 */
static void turns_page_in_use(struct kunit *test)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	struct collections *collections =
		kunit_kzalloc(test, sizeof(*collections), GFP_KERNEL);
	unsigned long addr = map_anonymous(test, SIZE);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, collections);
	write_numbers(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	page = device_page(device, 3);
	get_page(page);
	KUNIT_ASSERT_EQ(test, 0, mmu_interval_notifier_insert(&collections->notifier,
							      current->mm, addr, SIZE,
							      &count_ops));
	KUNIT_EXPECT_EQ(test, migrate_to(other, addr, SIZE), PAGES - 1);
	KUNIT_EXPECT_LE(test, collections->nr, 4);
	mmu_interval_notifier_remove(&collections->notifier);
	put_page(page);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES - 1);
	migrate_back_all(test, addr);
	hmm_devmem_exit(&other->devmem);
}

/* Pages stay, and nobody waits, if the other memory has no room for them. */
static void turns_no_room(struct kunit *test)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	unsigned long addr = map_anonymous(test, SIZE);

	write_numbers(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	msleep(2 * HMM_DEVMEM_SLICE_MS);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&other->devmem), 0);
	KUNIT_EXPECT_EQ(test, migrate_to(other, addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	migrate_back_all(test, addr);
	hmm_devmem_exit(&other->devmem);
}

static unsigned long map_aligned_numbers(struct kunit *test, unsigned long pages)
{
	unsigned long size = pages << PAGE_SHIFT;
	unsigned long addr = map_anonymous(test, size + HPAGE_PMD_SIZE);

	addr = ALIGN(addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, pages);
	return addr;
}

/* How many of the pages of a mapping of ours are in device memory. */
static unsigned long hmm_test_resident_pages(struct buffer_device *device, unsigned long addr,
					     unsigned long pages)
{
	struct hmm_devmem_chunk *chunk =
		list_first_entry(&device->devmem.chunks, struct hmm_devmem_chunk, list);
	unsigned long first = PHYS_PFN(chunk->pagemap.range.start), i, nr = 0;

	/* The index of an anonymous page is its first address. */
	for_each_set_bit(i, chunk->used, chunk->pages) {
		struct folio *folio = page_folio(pfn_to_page(first + i));
		unsigned long index = folio->index + first + i - folio_pfn(folio);

		nr += index - (addr >> PAGE_SHIFT) < pages;
	}
	return nr;
}

static void mark_accessed(struct buffer_device *device, unsigned long i,
			  unsigned long end)
{
	for (; i < end; i++)
		hmm_devmem_mark_accessed(&device->devmem, device_page(device, i));
}

/* Until no page is in its time slice, and room is made again after a pass without. */
static void wait_for_slices(void)
{
	msleep(2 * HMM_DEVMEM_SLICE_MS);
}

/* Make room for requests only, so that the same pages are evicted in each run. */
static void without_background(struct kunit *test)
{
	struct buffer_device *device = test->priv;

	disable_work_sync(&device->devmem.reclaim_work);
}

/* Migrate a mapping of so many pages, for which room has to be made. */
static void hmm_test_migrate_more(struct kunit *test, unsigned long addr, unsigned long pages)
{
	wait_for_slices();
	KUNIT_EXPECT_EQ(test, migrate_to(test->priv, addr, pages << PAGE_SHIFT),
			pages);
}

/*
 * The pages that were not accessed leave in the order in which the hand meets them;
 * those that were stay for one round.
 */
static void clock_order(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long half = DEVICE_PAGES / 2, quarter = half / 2;
	unsigned long addr = map_aligned_numbers(test, DEVICE_PAGES);
	unsigned long second = map_aligned_numbers(test, half);
	unsigned long third = map_aligned_numbers(test, half);
	unsigned long after = addr + ((half + quarter) << PAGE_SHIFT);

	without_background(test);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, DEVICE_SIZE), DEVICE_PAGES);
	mark_accessed(device, 0, quarter);
	hmm_test_migrate_more(test, second, half);
	KUNIT_EXPECT_EQ(test, hmm_test_resident_pages(device, addr, quarter), quarter);
	KUNIT_EXPECT_EQ(test, hmm_test_resident_pages(device, after, quarter), quarter);
	KUNIT_EXPECT_EQ(test, hmm_test_resident_pages(device, addr, DEVICE_PAGES), half);

	hmm_test_migrate_more(test, third, half);
	KUNIT_EXPECT_EQ(test, hmm_test_resident_pages(device, addr, DEVICE_PAGES), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_resident_pages(device, second, half), half);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, DEVICE_PAGES), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, second, half), half);
	KUNIT_EXPECT_EQ(test, right_numbers(test, third, half), half);
}

/* If all pages are accessed, the hand takes some in its second round. */
static void clock_all_accessed(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_aligned_numbers(test, DEVICE_PAGES);
	unsigned long second = map_aligned_numbers(test, PAGES);

	without_background(test);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, DEVICE_SIZE), DEVICE_PAGES);
	mark_accessed(device, 0, DEVICE_PAGES);
	hmm_test_migrate_more(test, second, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_resident_pages(device, addr, DEVICE_PAGES),
			DEVICE_PAGES - PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, DEVICE_PAGES), DEVICE_PAGES);
}

/* Pages stay for their time slice, and those of the request itself for longer. */
static void clock_recent(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_aligned_numbers(test, DEVICE_PAGES);
	struct hmm_devmem_chunk *chunk =
		list_first_entry(&device->devmem.chunks, struct hmm_devmem_chunk, list);
	unsigned long start, i;

	without_background(test);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, DEVICE_SIZE), DEVICE_PAGES);
	start = jiffies;
	for (i = 0; i < DEVICE_PAGES; i++)
		chunk->arrived[i] = start - 1;
	hmm_devmem_reclaim(&device->devmem, PAGES, start);
	if (jiffies - start < msecs_to_jiffies(HMM_DEVMEM_SLICE_MS))
		KUNIT_EXPECT_EQ(test, available(device), 0);
	else
		kunit_skip(test, "the time slice ended too early");
	for (i = 0; i < DEVICE_PAGES; i++)
		chunk->arrived[i] = start - HZ;
	device->devmem.reclaim_paused_until = jiffies;
	hmm_devmem_reclaim(&device->devmem, PAGES, start - 2 * HZ);
	KUNIT_EXPECT_EQ(test, available(device), 0);
	device->devmem.reclaim_paused_until = jiffies;
	hmm_devmem_reclaim(&device->devmem, PAGES, start);
	KUNIT_EXPECT_EQ(test, available(device), PAGES);
}

/* Pages that arrived weeks ago leave: their age does not fit in an s32. */
static void clock_long_resident(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_aligned_numbers(test, DEVICE_PAGES);
	struct hmm_devmem_chunk *chunk =
		list_first_entry(&device->devmem.chunks, struct hmm_devmem_chunk, list);
	unsigned long i;

	without_background(test);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, DEVICE_SIZE), DEVICE_PAGES);
	for (i = 0; i < DEVICE_PAGES; i++)
		chunk->arrived[i] = jiffies - BIT(31) - 60 * HZ;
	hmm_devmem_reclaim(&device->devmem, PAGES, jiffies);
	KUNIT_EXPECT_EQ(test, available(device), PAGES);
}

/*
 * A request that leaves little free has room made in the background, if another was
 * short of memory lately; what just fills the memory stays.
 */
static void clock_background(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long reserve = DEVICE_PAGES / 16, half = DEVICE_PAGES / 2;
	unsigned long addr = map_aligned_numbers(test, DEVICE_PAGES);
	unsigned long second = map_aligned_numbers(test, PAGES);
	unsigned long third = map_aligned_numbers(test, reserve / 2);
	unsigned long fourth = map_aligned_numbers(test, reserve / 4);
	int tries;

	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, half << PAGE_SHIFT), half);
	hmm_test_migrate_more(test, addr + (half << PAGE_SHIFT), half);
	flush_work(&device->devmem.reclaim_work);
	KUNIT_EXPECT_EQ(test, available(device), 0);

	hmm_test_migrate_more(test, second, PAGES);
	flush_work(&device->devmem.reclaim_work);
	KUNIT_EXPECT_EQ(test, migrate_to(device, third, reserve / 2 << PAGE_SHIFT),
			reserve / 2);
	flush_work(&device->devmem.reclaim_work);
	/*
	 * There is room for this one, which leaves less than the reserve. Once more if the
	 * work has run before its pages were allocated, and has found enough.
	 */
	for (tries = 0; tries < 20 && (!tries || available(device) < reserve); tries++) {
		KUNIT_EXPECT_EQ(test, right_numbers(test, fourth, reserve / 4), reserve / 4);
		device->devmem.last_short = jiffies + 60 * HZ; /* however slow the machine is */
		KUNIT_EXPECT_EQ(test, migrate_to(device, fourth, reserve / 4 << PAGE_SHIFT),
				reserve / 4);
		flush_work(&device->devmem.reclaim_work);
	}
	KUNIT_EXPECT_EQ(test, available(device), reserve);
	KUNIT_EXPECT_EQ(test, hmm_test_resident_pages(device, second, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, DEVICE_PAGES), DEVICE_PAGES);
}

/* The results of calls from a copy while room is made. */
static int added_in_copy, removed_in_copy;
static long migrated_in_copy;

static void change_in_copy(struct buffer_device *device)
{
	phys_addr_t start = is_coherent(device) ? SET_ASIDE_AT : 0;

	added_in_copy = hmm_devmem_add(&device->devmem, start, DEVICE_SIZE, NULL);
	removed_in_copy = hmm_devmem_remove(&device->devmem, 0);
	migrated_in_copy = migrate_to(device, PAGE_SIZE, PAGE_SIZE);
}

/* A callback that making room waits for cannot change the memory, nor migrate. */
static void clock_within_copy(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_aligned_numbers(test, DEVICE_PAGES);

	without_background(test);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, DEVICE_SIZE), DEVICE_PAGES);
	wait_for_slices();
	device->meanwhile = change_in_copy;
	hmm_devmem_reclaim(&device->devmem, PAGES, jiffies);
	device->meanwhile = NULL;
	KUNIT_EXPECT_EQ(test, available(device), PAGES);
	KUNIT_EXPECT_EQ(test, added_in_copy, -EDEADLK);
	KUNIT_EXPECT_EQ(test, removed_in_copy, -EDEADLK);
	KUNIT_EXPECT_EQ(test, migrated_in_copy, -EDEADLK);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, DEVICE_PAGES), DEVICE_PAGES);
}

/* Memory can end while room is to be made in the background: the work item ends first. */
static void clock_ends_with_memory(struct kunit *test)
{
	struct buffer_device *other = make_buffer_device(test);

	WRITE_ONCE(other->devmem.reclaim_before, jiffies);
	queue_work(system_dfl_wq, &other->devmem.reclaim_work);
	hmm_devmem_exit(&other->devmem);
	KUNIT_EXPECT_EQ(test, work_busy(&other->devmem.reclaim_work), 0);
	KUNIT_EXPECT_FALSE(test, queue_work(system_dfl_wq, &other->devmem.reclaim_work));
	cancel_work_sync(&other->devmem.reclaim_work);
}

/* A folio at an address that is large and partly mapped is known as such. */
static void expect_to_be_split(struct kunit *test, unsigned long addr)
{
	struct page *page;

	KUNIT_ASSERT_EQ(test, get_user_pages_fast(addr, 1, 0, &page), 1);
	if (folio_test_large(page_folio(page)))
		KUNIT_EXPECT_TRUE(test, folio_test_partially_mapped(page_folio(page)));
	else
		kunit_info(test, "no huge page could be allocated in system memory");
	put_page(page);
}

/* A large folio of which a part was unmapped leaves before smaller ones in use. */
static void clock_partly_unmapped(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long small = map_aligned_numbers(test, HPAGE_PMD_NR);
	unsigned long second = map_aligned_numbers(test, PAGES);
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE),
				   HPAGE_PMD_SIZE);

	if (is_coherent(device))
		kunit_skip(test, "coherent memory has single pages");
	without_background(test);
	KUNIT_ASSERT_EQ(test, migrate_to(device, small, HPAGE_PMD_SIZE),
			HPAGE_PMD_NR);
	allow_huge(test, addr, HPAGE_PMD_SIZE);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE),
			HPAGE_PMD_NR);
	if (!folio_test_large(page_folio(device_page(device, HPAGE_PMD_NR))))
		kunit_skip(test, "no huge page could be allocated");
	KUNIT_ASSERT_EQ(test, vm_munmap(addr, HPAGE_PMD_SIZE / 2), 0);
	KUNIT_EXPECT_EQ(test, available(device), 0);
	mark_accessed(device, 0, DEVICE_PAGES);
	hmm_test_migrate_more(test, second, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_resident_pages(device, small, HPAGE_PMD_NR), HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, available(device), HPAGE_PMD_NR - PAGES);
	KUNIT_EXPECT_EQ(test, read_number(test, addr + HPAGE_PMD_SIZE / 2), 0);
	expect_to_be_split(test, addr + HPAGE_PMD_SIZE / 2);
}

/* A huge page that was accessed stays, whole as it is, and the other one leaves. */
static void clock_huge(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long second = map_aligned_numbers(test, PAGES);
	unsigned long addr = ALIGN(map_anonymous(test, 3 * HPAGE_PMD_SIZE),
				   HPAGE_PMD_SIZE);

	if (is_coherent(device))
		kunit_skip(test, "coherent memory has single pages");
	without_background(test);
	allow_huge(test, addr, DEVICE_SIZE);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, DEVICE_SIZE), DEVICE_PAGES);
	if (!folio_test_large(page_folio(device_page(device, 0))) ||
	    !folio_test_large(page_folio(device_page(device, HPAGE_PMD_NR))))
		kunit_skip(test, "no huge page could be allocated");
	mark_accessed(device, 0, HPAGE_PMD_NR);
	hmm_test_migrate_more(test, second, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_resident_pages(device, addr, HPAGE_PMD_NR), HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, hmm_test_resident_pages(device, addr + HPAGE_PMD_SIZE, HPAGE_PMD_NR),
			0);
}

static struct kunit_case residency_cases[] = {
	KUNIT_CASE(turns_waits),
	KUNIT_CASE(turns_mixed),
	KUNIT_CASE(turns_first_request),
	KUNIT_CASE(turns_slow_copy),
	KUNIT_CASE(turns_arrives_meanwhile),
	KUNIT_CASE(turns_huge_arrives_meanwhile),
	KUNIT_CASE(turns_page_in_use),
	KUNIT_CASE(turns_no_room),
	KUNIT_CASE(clock_order),
	KUNIT_CASE(clock_all_accessed),
	KUNIT_CASE(clock_recent),
	KUNIT_CASE(clock_long_resident),
	KUNIT_CASE(clock_background),
	KUNIT_CASE(clock_within_copy),
	KUNIT_CASE(clock_ends_with_memory),
	KUNIT_CASE(clock_partly_unmapped),
	KUNIT_CASE(clock_huge),
	{}
};

static struct kunit_suite private_suite = {
	.name = "hmm_residency_private",
	.init = buffer_device_init,
	.exit = buffer_device_exit,
	.test_cases = residency_cases,
};

static struct kunit_suite coherent_suite = {
	.name = "hmm_residency_coherent",
	.init = coherent_device_init,
	.exit = buffer_device_exit,
	.test_cases = residency_cases,
};

kunit_test_suites(&private_suite, &coherent_suite);

MODULE_DESCRIPTION("KUnit tests of the residency of pages in device memory");
MODULE_LICENSE("GPL");
