// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages are in a device's memory when there are several devices that request
 * them, for private and for coherent memory.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/hmm_typed.h>
#include <linux/mm.h>

#include "fixture_device.h"

#define PAGES	64UL
#define SIZE	(PAGES << PAGE_SHIFT)

static unsigned long migrate_in_steps(struct kunit *test,
				      struct buffer_device *device,
				      unsigned long addr)
{
	CLASS(hmm_devmem_migration_collected, collected)(&device->devmem,
							 current->mm,
							 span_of(addr, SIZE));
	CLASS(hmm_devmem_migration_copied, copied)(&collected);
	CLASS(hmm_devmem_migration_committed, committed)(&copied);

	KUNIT_EXPECT_EQ(test, 0, hmm_devmem_migration_committed_error(&committed));
	return hmm_devmem_migration_committed_moved(&committed);
}

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

/*
 * hmm_devmem_collect() does not wait: it only records the first request, and later
 * ones until the time slice is over.
 */
static void turns_first_request(struct kunit *test)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	unsigned long addr = map_anonymous(test, SIZE);

	write_numbers(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	msleep(2 * HMM_DEVMEM_SLICE_MS);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, other, addr), 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, other, addr), PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
	/* A page that has just arrived has not been requested. */
	msleep(2 * HMM_DEVMEM_SLICE_MS);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, device, addr), 0);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, device, addr), PAGES);
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

static struct kunit_case residency_cases[] = {
	KUNIT_CASE(turns_waits),
	KUNIT_CASE(turns_mixed),
	KUNIT_CASE(turns_first_request),
	KUNIT_CASE(turns_no_room),
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
