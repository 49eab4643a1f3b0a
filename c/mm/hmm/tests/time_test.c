// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: time per page, in our core and in the kernel's own, on the same memory in
 * one boot.
 *
 * For `make bench`, which runs it under User Mode Linux: there the code runs
 * natively on the host's CPU, but without PTE batches. `make check` does not run
 * this suite. It fails if the two cores report different results; the times are
 * only printed.
 */
#include <kunit/test.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mman.h>

#include "fixture_memory.h"

int ref_hmm_range_fault(struct hmm_range *range);

/* The number of pages of a call, and of calls, of which the fastest counts. */
#define TIME_PAGES 4096UL
#define TIME_RUNS 50

/**
 * struct timing - the memory of a measurement
 * @name: name of the result
 * @no_vma: there is no VMA
 * @present: each page is present
 * @default_flags: the request of each page
 */
struct timing {
	const char *name;
	bool no_vma;
	bool present;
	unsigned long default_flags;
};

static const struct timing timings[] = {
	{ .name = "uml-snapshot-hole", .no_vma = true },
	{ .name = "uml-snapshot-absent" },
	{ .name = "uml-snapshot-4k", .present = true },
	{ .name = "uml-write-4k", .present = true,
	  .default_flags = HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE },
};

static void timing_name(const struct timing *timing, char *name)
{
	strscpy(name, timing->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(timing, timings, timing_name);

/* Map the memory of a measurement; return its address. */
static unsigned long time_memory(struct kunit *test, const struct timing *timing)
{
	unsigned long addr = memory_map(test, TIME_PAGES, PROT_READ | PROT_WRITE);
	unsigned long i;

	for (i = 0; timing->present && i < TIME_PAGES; i++)
		memory_write(test, addr + i * PAGE_SIZE, i);
	if (timing->no_vma)
		KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr, TIME_PAGES * PAGE_SIZE));
	return addr;
}

/* The time of the fastest of some calls, in ns. The hmm pfns are those of the last. */
static u64 time_walk(struct kunit *test, struct hmm_range *range,
		     int (*fault)(struct hmm_range *range))
{
	u64 best = U64_MAX;
	int run;

	for (run = 0; run < TIME_RUNS; run++) {
		u64 start;
		int err;

		memset(range->hmm_pfns, 0, TIME_PAGES * sizeof(*range->hmm_pfns));
		range->notifier_seq = mmu_interval_read_begin(range->notifier);
		mmap_read_lock(current->mm);
		start = ktime_get_ns();
		err = fault(range);
		best = min(best, ktime_get_ns() - start);
		mmap_read_unlock(current->mm);
		KUNIT_ASSERT_EQ(test, 0, err);
	}
	return best;
}

/* Time per page, in hundredths of a nanosecond. */
static u64 per_page(u64 ns)
{
	return div_u64(ns * 100, TIME_PAGES);
}

static void walks_take_their_time(struct kunit *test)
{
	const struct timing *timing = test->param_value;
	const size_t size = TIME_PAGES * sizeof(long);
	struct mmu_interval_notifier notifier = { };
	struct hmm_range range = {
		.notifier = &notifier,
		.default_flags = timing->default_flags,
		.start = time_memory(test, timing),
	};
	unsigned long *pfns = kunit_kmalloc(test, 2 * size, GFP_KERNEL);
	u64 ours, reference;

	KUNIT_ASSERT_NOT_NULL(test, pfns);
	range.end = range.start + TIME_PAGES * PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, 0,
			mmu_interval_notifier_insert(&notifier, current->mm,
						     range.start,
						     range.end - range.start,
						     &memory_notifier_ops));
	range.hmm_pfns = pfns;
	ours = per_page(time_walk(test, &range, hmm_range_fault));
	range.hmm_pfns = pfns + TIME_PAGES;
	reference = per_page(time_walk(test, &range, ref_hmm_range_fault));
	mmu_interval_notifier_remove(&notifier);

	KUNIT_EXPECT_MEMEQ(test, pfns, pfns + TIME_PAGES, size);
	kunit_info(test, "%s %llu.%02llu %llu.%02llu ns/page\n", timing->name,
		   ours / 100, ours % 100, reference / 100, reference % 100);
}

static struct kunit_case time_cases[] = {
	KUNIT_CASE_PARAM(walks_take_their_time, timing_gen_params),
	{ }
};

static struct kunit_suite time_suite = {
	.name = "time_hmm",
	.test_cases = time_cases,
};

kunit_test_suite(time_suite);
MODULE_DESCRIPTION("Time per page of HMM's two cores");
MODULE_LICENSE("GPL");
