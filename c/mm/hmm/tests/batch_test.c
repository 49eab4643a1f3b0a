// SPDX-License-Identifier: GPL-2.0
/*
 * Copies in batches that the device completes later; for private and for coherent
 * memory. The suites hmm_transfer_*_batches and hmm_fault_batches have what does not
 * depend on when.
 */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/workqueue.h>

#include "../devmem.h"
#include "fixture_device.h"

#define PAGES	256UL
#define SIZE	(PAGES << PAGE_SHIFT)

/**
 * struct delayed_release - work that runs while batches are held, and releases them
 * @work: runs after a delay
 * @device: the device whose batches are held
 * @run: called before the batches are released, or NULL
 */
struct delayed_release {
	struct delayed_work work;
	struct buffer_device *device;
	void (*run)(struct buffer_device *device);
};

static void hmm_test_release_work(struct work_struct *work)
{
	struct delayed_release *release = container_of(work, struct delayed_release, work.work);

	if (release->run)
		release->run(release->device);
	release_batches(release->device);
}

/* Hold the batches of a device for so many jiffies. */
static void hmm_test_hold_batches(struct delayed_release *release, struct buffer_device *device,
				  unsigned long delay)
{
	release->device = device;
	device->held = true;
	INIT_DELAYED_WORK_ONSTACK(&release->work, hmm_test_release_work);
	schedule_delayed_work(&release->work, delay);
}

static void hmm_test_hold_end(struct delayed_release *release)
{
	flush_delayed_work(&release->work);
	destroy_delayed_work_on_stack(&release->work);
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
	struct delayed_release release = {};

	hmm_test_hold_batches(&release, device, 20);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	hmm_test_hold_end(&release);
	KUNIT_EXPECT_GE(test, device->most_batches, 2);
	KUNIT_EXPECT_EQ(test, device->copies, PAGES);

	device->most_batches = 0;
	hmm_test_hold_batches(&release, device, 20);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, SIZE), PAGES);
	hmm_test_hold_end(&release);
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

/*
 * A task that waits for a batch can be killed. Its pages stay, and source and
 * destination are kept until the batch is complete.
 */
static void batch_killed(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test), start = jiffies;
	struct delayed_release release = {};

	hmm_test_hold_batches(&release, device, 3 * HZ);
	device->on_batch = kill_requester;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 4 * PAGE_SIZE), 0);
	set_killed(false);
	KUNIT_EXPECT_LT(test, jiffies - start, 2 * HZ);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 4);
	/* The device may still read them. */
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 4 * PAGE_SIZE), 0);

	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	mod_delayed_work(system_dfl_wq, &release.work, 0);
	hmm_test_hold_end(&release);
	KUNIT_EXPECT_TRUE(test, becomes_available(device));
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
	struct delayed_release release = {};
	int err;

	if (is_coherent(device))
		kunit_skip(test, "the CPU does not fault on coherent memory");
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	start = jiffies;
	hmm_test_hold_batches(&release, device, 3 * HZ);
	device->on_batch = kill_requester;
	err = get_user(number, (unsigned long __user *)addr);
	set_killed(false);
	KUNIT_EXPECT_EQ(test, err, -EFAULT);
	KUNIT_EXPECT_LT(test, jiffies - start, 2 * HZ);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	mod_delayed_work(system_dfl_wq, &release.work, 0);
	hmm_test_hold_end(&release);
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
	struct delayed_release release = { .run = evict_and_reclaim };

	left_by_eviction = 0;
	hmm_test_hold_batches(&release, device, 20);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	hmm_test_hold_end(&release);
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
