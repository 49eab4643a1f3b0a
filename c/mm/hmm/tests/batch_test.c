// SPDX-License-Identifier: GPL-2.0
/*
 * Copies in batches that the device completes later; for private and for coherent
 * memory. The suites hmm_transfer_*_batches and hmm_fault_batches have what does not
 * depend on when.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "../devmem.h"
#include "fixture_device.h"

#define PAGES	256UL
#define SIZE	(PAGES << PAGE_SHIFT)

/**
 * struct later - something that another thread does while batches are held
 * @work: does it
 * @device: the device; its batches are released at the end
 * @run: what is done first, or NULL
 */
struct later {
	struct delayed_work work;
	struct buffer_device *device;
	void (*run)(struct buffer_device *device);
};

static void do_later(struct work_struct *work)
{
	struct later *later = container_of(work, struct later, work.work);

	if (later->run)
		later->run(later->device);
	release_batches(later->device);
}

/* Hold the batches of a device for so many jiffies. */
static void hold(struct later *later, struct buffer_device *device,
		 unsigned long delay)
{
	later->device = device;
	device->held = true;
	INIT_DELAYED_WORK_ONSTACK(&later->work, do_later);
	schedule_delayed_work(&later->work, delay);
}

static void hold_no_more(struct later *later)
{
	flush_delayed_work(&later->work);
	destroy_delayed_work_on_stack(&later->work);
}

static unsigned long map_numbers(struct kunit *test)
{
	unsigned long addr = map_anonymous(test, SIZE + HPAGE_PMD_SIZE);

	addr = ALIGN(addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, PAGES);
	return addr;
}

static void migrate_back(struct kunit *test, unsigned long addr)
{
	struct buffer_device *device = test->priv;

	migrate_to_ram(device, addr, SIZE);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* No page is committed before its batch is complete; the device has several at once. */
static void batch_in_flight(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test);
	struct later later = {};

	hold(&later, device, 20);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	hold_no_more(&later);
	KUNIT_EXPECT_GE(test, device->most_batches, 2);
	KUNIT_EXPECT_EQ(test, device->copies, PAGES);

	device->most_batches = 0;
	hold(&later, device, 20);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, SIZE), PAGES);
	hold_no_more(&later);
	KUNIT_EXPECT_GE(test, device->most_batches, 2);
	KUNIT_EXPECT_EQ(test, device->copies, 2 * PAGES);
	migrate_back(test, addr);
}

/* The pages of a batch that fails stay, and only those, in both directions. */
static void batch_fails(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test);
	long moved;

	device->batch_errors = 1;
	moved = migrate_to(device, addr, SIZE);
	KUNIT_EXPECT_GT(test, moved, 0);
	KUNIT_EXPECT_LT(test, moved, PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - moved);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES - moved);

	device->batch_errors = 1;
	moved = migrate_to_ram(device, addr, SIZE);
	KUNIT_EXPECT_GT(test, moved, 0);
	KUNIT_EXPECT_LT(test, moved, PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES + moved);
	migrate_back(test, addr);
}

/* The same for one block of a batch. */
static void batch_block_fails(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test);

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	device->bad = device_page(device, 70);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, SIZE), PAGES - 1);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
	device->bad = NULL;
	migrate_back(test, addr);
}

static void kill_requester(struct buffer_device *device)
{
	device->on_batch = NULL;
	set_killed(true);
}

/*
 * A task that waits for a batch can be killed. Its pages stay, and source and
 * destination are kept until the batch is complete.
 */
static void batch_killed(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test), start = jiffies;
	struct later later = {};

	hold(&later, device, 3 * HZ);
	device->on_batch = kill_requester;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 4 * PAGE_SIZE), 0);
	set_killed(false);
	KUNIT_EXPECT_LT(test, jiffies - start, 2 * HZ);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 4);
	/* The device may still read them. */
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 4 * PAGE_SIZE), 0);

	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	mod_delayed_work(system_dfl_wq, &later.work, 0);
	hold_no_more(&later);
	for (start = jiffies; available(device) != DEVICE_PAGES; msleep(1))
		if (time_after(jiffies, start + 5 * HZ))
			break;
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
	addr += PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE - PAGE_SIZE), PAGES - 1);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, SIZE - PAGE_SIZE),
			PAGES - 1);
	KUNIT_EXPECT_EQ(test, read_number(test, addr), 1);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* The same in a CPU fault, which fails. */
static void batch_killed_in_fault(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test), start, number;
	struct later later = {};
	int err;

	if (is_coherent(device))
		kunit_skip(test, "the CPU does not fault on coherent memory");
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	start = jiffies;
	hold(&later, device, 3 * HZ);
	device->on_batch = kill_requester;
	err = get_user(number, (unsigned long __user *)addr);
	set_killed(false);
	KUNIT_EXPECT_EQ(test, err, -EFAULT);
	KUNIT_EXPECT_LT(test, jiffies - start, 2 * HZ);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	mod_delayed_work(system_dfl_wq, &later.work, 0);
	hold_no_more(&later);
	migrate_back(test, addr);
}

static unsigned long left_by_eviction;

static void evict_and_reclaim(struct buffer_device *device)
{
	left_by_eviction = hmm_devmem_evict(&device->devmem);
	hmm_devmem_resume(&device->devmem);
	hmm_devmem_reclaim(&device->devmem, DEVICE_PAGES, jiffies + HZ);
}

/* Eviction and making room do not touch the pages that are being copied. */
static void batch_beside_eviction(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test);
	struct later later = { .run = evict_and_reclaim };

	left_by_eviction = 0;
	hold(&later, device, 20);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	hold_no_more(&later);
	KUNIT_EXPECT_EQ(test, left_by_eviction, PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	migrate_back(test, addr);
}

static struct kunit_case batch_cases[] = {
	KUNIT_CASE(batch_in_flight),
	KUNIT_CASE(batch_fails),
	KUNIT_CASE(batch_block_fails),
	KUNIT_CASE(batch_killed),
	KUNIT_CASE(batch_killed_in_fault),
	KUNIT_CASE(batch_beside_eviction),
	{}
};

static struct kunit_suite private_suite = {
	.name = "hmm_batch_private",
	.init = batch_device_init,
	.exit = buffer_device_exit,
	.test_cases = batch_cases,
};

static struct kunit_suite coherent_suite = {
	.name = "hmm_batch_coherent",
	.init = coherent_batch_device_init,
	.exit = buffer_device_exit,
	.test_cases = batch_cases,
};

kunit_test_suites(&private_suite, &coherent_suite);

MODULE_DESCRIPTION("KUnit tests of copies in batches");
MODULE_LICENSE("GPL");
