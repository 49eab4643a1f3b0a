// SPDX-License-Identifier: GPL-2.0
/*
 * The events of migration and device memory: that each is recorded, with what happened.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <trace/events/hmm.h>

#include "fixture_device.h"

#define PAGES	16UL
#define SIZE	(PAGES << PAGE_SHIFT)

/**
 * struct stage - the events of one kind
 * @nr: how many
 * @pages: how many pages, in all of them
 * @to_device: those of them that migrate to a device
 * @start: address of the last one
 * @ns: how long they took together
 */
struct stage {
	unsigned int nr;
	unsigned long pages;
	unsigned long to_device;
	unsigned long start;
	u64 ns;
};

static void record_stage(void *data, unsigned long start, unsigned long npages,
			 unsigned long pages, bool to_device, u64 ns)
{
	struct stage *stage = data;

	stage->nr++;
	stage->pages += pages;
	stage->to_device += to_device ? pages : 0;
	stage->start = start;
	stage->ns += ns;
}

static void record_cpu_fault(void *data, unsigned long addr, unsigned long pages,
			     unsigned int ret, u64 ns)
{
	struct stage *stage = data;

	stage->nr += !ret;
	stage->pages += pages;
	stage->start = addr;
	stage->ns += ns;
}

static void record_evict(void *data, const void *devmem, unsigned long pages,
			 unsigned long left, u64 ns)
{
	struct stage *stage = data;

	stage->nr++;
	stage->pages += pages;
	stage->start = (unsigned long)devmem;
	stage->ns += ns;
}

/* Events of a migration by address, there and back, and of the CPU fault on its way. */
static void trace_migration(struct kunit *test)
{
	struct stage collect = {}, commit = {}, finalize = {}, fault = {};
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, SIZE);

	write_numbers(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, 0, register_trace_hmm_collect(record_stage, &collect));
	KUNIT_EXPECT_EQ(test, 0, register_trace_hmm_commit(record_stage, &commit));
	KUNIT_EXPECT_EQ(test, 0, register_trace_hmm_finalize(record_stage, &finalize));
	KUNIT_EXPECT_EQ(test, 0, register_trace_hmm_cpu_fault(record_cpu_fault, &fault));

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, collect.pages, PAGES);
	KUNIT_EXPECT_EQ(test, commit.pages, PAGES);
	KUNIT_EXPECT_EQ(test, finalize.pages, PAGES);
	KUNIT_EXPECT_EQ(test, collect.to_device, PAGES);
	KUNIT_EXPECT_EQ(test, commit.to_device, PAGES);
	KUNIT_EXPECT_EQ(test, collect.start, addr);
	KUNIT_EXPECT_GT(test, collect.ns, 0);
	KUNIT_EXPECT_GT(test, commit.ns, 0);
	KUNIT_EXPECT_GT(test, finalize.ns, 0);

	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, fault.pages, is_coherent(device) ? 0 : PAGES);
	KUNIT_EXPECT_EQ(test, finalize.pages, PAGES + fault.pages);
	KUNIT_EXPECT_EQ(test, commit.to_device, PAGES);
	KUNIT_EXPECT_EQ(test, finalize.to_device, PAGES);

	unregister_trace_hmm_cpu_fault(record_cpu_fault, &fault);
	unregister_trace_hmm_finalize(record_stage, &finalize);
	unregister_trace_hmm_commit(record_stage, &commit);
	unregister_trace_hmm_collect(record_stage, &collect);
	tracepoint_synchronize_unregister();
}

/* Events of an eviction, which migrates by pfn. */
static void trace_evict(struct kunit *test)
{
	struct stage commit = {}, evict = {};
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, SIZE);

	write_numbers(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, 0, register_trace_hmm_commit(record_stage, &commit));
	KUNIT_EXPECT_EQ(test, 0, register_trace_hmm_evict(record_evict, &evict));
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 0);
	KUNIT_EXPECT_EQ(test, evict.pages, PAGES);
	KUNIT_EXPECT_EQ(test, evict.start, (unsigned long)&device->devmem);
	KUNIT_EXPECT_EQ(test, commit.pages, PAGES);
	KUNIT_EXPECT_EQ(test, commit.start, 0);
	KUNIT_EXPECT_EQ(test, commit.to_device, 0);
	unregister_trace_hmm_evict(record_evict, &evict);
	unregister_trace_hmm_commit(record_stage, &commit);
	tracepoint_synchronize_unregister();
	hmm_devmem_resume(&device->devmem);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

static struct kunit_case trace_cases[] = {
	KUNIT_CASE(trace_migration),
	KUNIT_CASE(trace_evict),
	{}
};

static struct kunit_suite private_suite = {
	.name = "hmm_trace_private",
	.init = buffer_device_init,
	.exit = buffer_device_exit,
	.test_cases = trace_cases,
};

static struct kunit_suite coherent_suite = {
	.name = "hmm_trace_coherent",
	.init = coherent_device_init,
	.exit = buffer_device_exit,
	.test_cases = trace_cases,
};

kunit_test_suites(&private_suite, &coherent_suite);

MODULE_DESCRIPTION("KUnit tests of the events of migration and device memory");
MODULE_LICENSE("GPL");
