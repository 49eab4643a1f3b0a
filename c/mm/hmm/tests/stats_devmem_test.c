// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics of device memory, and how much of a process's memory is in it.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/hmm_mirror.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>

#include "../devmem.h"
#include "../mirror.h"
#include "fixture_device.h"
#include "fixture_stats.h"

#define PAGES	16UL
#define SIZE	(PAGES << PAGE_SHIFT)
#define ENDS	300

static u64 number(const struct buffer_device *device)
{
	return device->devmem.state->stats.id;
}

/* Read the line of device memory number @id; empty if there is none. */
static void read_number_line(u64 id, char line[STATS_LINE])
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "devmem=%llu ", id);
	stats_find(&hmm_devmem_stats_sops, prefix, line);
}

static void read_line(const struct buffer_device *device, char line[STATS_LINE])
{
	read_number_line(number(device), line);
}

static u64 field(struct kunit *test, const struct buffer_device *device, const char *name)
{
	char line[STATS_LINE];

	read_line(device, line);
	return stats_value(test, line, name);
}

/* There and back, by a CPU fault or by request. */
static void stats_migration(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, SIZE);
	char line[STATS_LINE];

	write_numbers(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	read_line(device, line);
	KUNIT_EXPECT_EQ(test, stats_value(test, line, "owner"), number(device));
	KUNIT_EXPECT_EQ(test, stats_value(test, line, "size"), DEVICE_SIZE);
	KUNIT_EXPECT_EQ(test, stats_value(test, line, "used"), SIZE);
	KUNIT_EXPECT_EQ(test, stats_value(test, line, "to_device"), SIZE);
	KUNIT_EXPECT_EQ(test, stats_value(test, line, "from_device"), 0);
	KUNIT_EXPECT_EQ(test, stats_value(test, line, "cpu_faults"), 0);
	KUNIT_EXPECT_EQ(test, stats_value(test, line, "orders"), PAGES);
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, is_coherent(device) ? " type=coherent " :
								       " type=private "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " driver=kernel name=devmem_kunit\n"));

	if (!is_coherent(device)) {
		KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
		KUNIT_EXPECT_GE(test, field(test, device, "cpu_faults"), 1);
	} else {
		KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, SIZE), PAGES);
		KUNIT_EXPECT_EQ(test, field(test, device, "cpu_faults"), 0);
	}
	KUNIT_EXPECT_EQ(test, field(test, device, "from_device"), SIZE);
	KUNIT_EXPECT_EQ(test, field(test, device, "used"), 0);
	KUNIT_EXPECT_EQ(test, field(test, device, "evictions"), 0);

	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, field(test, device, "to_device"), 2 * SIZE);
}

/* An eviction is a migration from the device, and counted as both. */
static void stats_eviction(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, SIZE);

	write_numbers(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 0);
	KUNIT_EXPECT_EQ(test, field(test, device, "evictions"), 1);
	KUNIT_EXPECT_EQ(test, field(test, device, "evicted"), SIZE);
	KUNIT_EXPECT_EQ(test, field(test, device, "from_device"), SIZE);
	hmm_devmem_resume(&device->devmem);
}

/* Pages that do not migrate are not counted. */
static void stats_failed_copy(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, SIZE);

	write_numbers(test, addr, PAGES);
	device->broken = true;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), 0);
	device->broken = false;
	KUNIT_EXPECT_EQ(test, field(test, device, "to_device"), 0);
	KUNIT_EXPECT_EQ(test, field(test, device, "used"), 0);
}

/* A huge page is one folio of its order, and counted by its pages. */
static void stats_huge(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 2 * HPAGE_PMD_SIZE);
	char line[STATS_LINE], *at;
	int commas = 0;

	if (is_coherent(device))
		kunit_skip(test, "coherent memory has single pages");
	addr = ALIGN(addr, HPAGE_PMD_SIZE);
	allow_huge(test, addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	read_line(device, line);
	KUNIT_EXPECT_EQ(test, stats_value(test, line, "to_device"), HPAGE_PMD_SIZE);
	at = strstr(line, " orders=");
	KUNIT_ASSERT_NOT_NULL(test, at);
	for (at++; *at && *at != ' '; at++)
		commas += *at == ',';
	KUNIT_EXPECT_EQ(test, commas, HPAGE_PMD_ORDER);
	KUNIT_EXPECT_EQ(test, at[-1], '1');
}

static bool hmm_test_invalidate(struct hmm_mirror *mirror, const struct hmm_invalidation *inv)
{
	return true;
}

static const struct hmm_mirror_ops hmm_test_ops = {
	.invalidate = hmm_test_invalidate,
};

/* What is resident is counted in the page tables, for the device's owner alone. */
static void stats_resident(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, SIZE);
	char line[STATS_LINE], prefix[32];
	struct hmm_mirror mirror;

	write_numbers(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE / 2), PAGES / 2);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&mirror, current->mm, &hmm_test_ops,
						 device->devmem.owner));
	snprintf(prefix, sizeof(prefix), "mirror=%u ", mirror.state->stats.id);
	stats_find(&hmm_mirror_stats_sops, prefix, line);
	KUNIT_EXPECT_EQ(test, stats_value(test, line, "resident"), SIZE / 2);
	KUNIT_EXPECT_EQ(test, stats_value(test, line, "owner"), number(device));
	KUNIT_EXPECT_EQ(test, hmm_resident_pages(current->mm, &mirror), 0);
	KUNIT_EXPECT_EQ(test, hmm_resident_pages(current->mm, NULL), 0);
	hmm_mirror_exit(&mirror);

	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, PAGE_SIZE), 1);
	KUNIT_EXPECT_EQ(test, hmm_resident_pages(current->mm, device->devmem.owner),
			PAGES / 2 - 1);
}

/* A huge page of a device counts with all of its pages. */
static void stats_resident_huge(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 2 * HPAGE_PMD_SIZE);

	if (is_coherent(device))
		kunit_skip(test, "coherent memory has single pages");
	addr = ALIGN(addr, HPAGE_PMD_SIZE);
	allow_huge(test, addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, hmm_resident_pages(current->mm, device->devmem.owner),
			HPAGE_PMD_NR);
}

/* VMAs are counted one by one, each with its own pages. */
static void stats_resident_vmas(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 2 * SIZE);

	write_numbers(test, addr, 2 * PAGES);
	KUNIT_ASSERT_EQ(test, 0, do_madvise(current->mm, addr + SIZE, SIZE, MADV_DONTFORK));
	KUNIT_EXPECT_EQ(test, current->mm->map_count, 2);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr + SIZE, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, hmm_resident_pages(current->mm, device->devmem.owner), 2 * PAGES);
}

/* Whether end_memories() runs: a thread that is stopped before that never does. */
static bool ends_begun;

/* Device memories begin and end in one thread, while another reads all of them. */
static int end_memories(void *data)
{
	const struct hmm_devmem_ops *ops = data;
	struct hmm_devmem *devmem;
	int i, err = 0;

	WRITE_ONCE(ends_begun, true);
	for (i = 0; i < ENDS && !err; i++) {
		devmem = kzalloc(sizeof(*devmem), GFP_KERNEL);
		if (!devmem)
			return -ENOMEM;
		devmem->type = MEMORY_DEVICE_PRIVATE;
		devmem->name = "stats_ends";
		devmem->ops = ops;
		err = hmm_devmem_init(devmem);
		if (!err)
			hmm_devmem_exit(devmem);
		memset(devmem, 0xff, sizeof(*devmem));
		kfree(devmem);
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return err ?: i;
}

static void stats_race_with_ends(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	char line[STATS_LINE];
	unsigned int i, missed = 0;
	struct task_struct *task;

	ends_begun = false;
	task = kthread_run(end_memories, (void *)device->devmem.ops, "hmm_stats_ends");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < 3 * ENDS || !READ_ONCE(ends_begun); i++) {
		read_line(device, line);
		missed += !line[0];
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, ENDS, kthread_stop(task));
	KUNIT_EXPECT_EQ(test, 0, missed);
}

/* A memory that has ended is in no reading. */
static void stats_ended(struct kunit *test)
{
	struct buffer_device *device = make_buffer_device(test);
	u64 id = number(device);
	char line[STATS_LINE];

	read_number_line(id, line);
	KUNIT_EXPECT_NE(test, line[0], 0);
	hmm_devmem_exit(&device->devmem);
	read_number_line(id, line);
	KUNIT_EXPECT_EQ(test, line[0], 0);
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(stats_migration),
	KUNIT_CASE(stats_eviction),
	KUNIT_CASE(stats_failed_copy),
	KUNIT_CASE(stats_huge),
	KUNIT_CASE(stats_resident),
	KUNIT_CASE(stats_resident_huge),
	KUNIT_CASE(stats_resident_vmas),
	KUNIT_CASE(stats_race_with_ends),
	KUNIT_CASE(stats_ended),
	{}
};

static struct kunit_suite private_suite = {
	.name = "hmm_stats_private",
	.init = buffer_device_init,
	.exit = buffer_device_exit,
	.test_cases = stats_cases,
};

static struct kunit_suite coherent_suite = {
	.name = "hmm_stats_coherent",
	.init = coherent_device_init,
	.exit = buffer_device_exit,
	.test_cases = stats_cases,
};

kunit_test_suites(&private_suite, &coherent_suite);

MODULE_DESCRIPTION("KUnit tests of the statistics of device memory");
MODULE_LICENSE("GPL");
