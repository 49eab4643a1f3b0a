// SPDX-License-Identifier: GPL-2.0
/*
 * The events of mirrors: that each is recorded, with what happened.
 */
#include <kunit/test.h>
#include <linux/hmm_mirror.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <trace/events/hmm.h>

#include "fixture_memory.h"

#define PAGES	4UL

/**
 * struct tracer - a mirror of the test's process, and the events that it has caused
 * @mirror: the mirror
 * @range: its range
 * @section: its section
 * @populated: number of populate events
 * @span: addresses of the last one
 * @ret: its result
 * @ns: its time
 * @retried: number of retry events
 * @why: the reason of the last one
 * @invalidated: number of invalidate events
 * @gone: the span of the last one
 * @event: its cause
 */
struct tracer {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct hmm_section section;
	unsigned int populated;
	struct hmm_span span;
	int ret;
	u64 ns;
	unsigned int retried;
	int why;
	unsigned int invalidated;
	struct hmm_span gone;
	int event;
};

static void record_populate(void *data, const struct hmm_section *section, int ret,
			    u64 ns)
{
	struct tracer *tracer = data;

	if (section != &tracer->section)
		return;
	tracer->populated++;
	tracer->span = section->batch;
	tracer->ret = ret;
	tracer->ns = ns;
}

static void record_retry(void *data, const void *mirror, const struct hmm_span *span,
			 unsigned int retries, int ret)
{
	struct tracer *tracer = data;

	if (mirror != &tracer->mirror)
		return;
	tracer->retried++;
	tracer->why = ret;
}

static void record_invalidate(void *data, const void *mirror, const struct hmm_span *span,
			      int event, bool may_block, bool gone, u64 ns)
{
	struct tracer *tracer = data;

	if (mirror != &tracer->mirror)
		return;
	tracer->invalidated++;
	tracer->gone = *span;
	tracer->event = event;
}

static bool hmm_test_invalidate(struct hmm_mirror *mirror, const struct hmm_invalidation *inv)
{
	return true;
}

static const struct hmm_mirror_ops hmm_test_mirror_ops = {
	.invalidate = hmm_test_invalidate,
};

static struct tracer *make_tracer(struct kunit *test, unsigned long addr)
{
	struct tracer *tracer = kunit_kzalloc(test, sizeof(*tracer), GFP_KERNEL);
	struct hmm_span span = { addr, addr + PAGES * PAGE_SIZE };

	KUNIT_ASSERT_NOT_NULL(test, tracer);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&tracer->mirror, current->mm,
						 &hmm_test_mirror_ops, NULL));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&tracer->mirror, &tracer->range,
						      span));
	KUNIT_EXPECT_EQ(test, 0, register_trace_hmm_populate(record_populate, tracer));
	KUNIT_EXPECT_EQ(test, 0, register_trace_hmm_retry(record_retry, tracer));
	KUNIT_EXPECT_EQ(test, 0, register_trace_hmm_invalidate(record_invalidate,
							       tracer));
	return tracer;
}

static void end_tracer(struct tracer *tracer)
{
	unregister_trace_hmm_invalidate(record_invalidate, tracer);
	unregister_trace_hmm_retry(record_retry, tracer);
	unregister_trace_hmm_populate(record_populate, tracer);
	tracepoint_synchronize_unregister();
	hmm_mirror_exit(&tracer->mirror);
}

static int hmm_test_populate(struct tracer *tracer, enum hmm_access access)
{
	unsigned long pfns[PAGES];

	tracer->section = (struct hmm_section){
		.mirror = &tracer->mirror, .span = tracer->range.span,
		.access = access, .pfns = pfns, .nr_pfns = PAGES,
	};
	while (hmm_section_next(&tracer->section))
		;
	return hmm_section_error(&tracer->section);
}

/*
 * A section for write on a zero page: the fault that replaces it invalidates the
 * range, so that the section has to go a second round.
 */
static void trace_populate(struct kunit *test)
{
	unsigned long addr = memory_map(test, PAGES, PROT_READ | PROT_WRITE);
	struct tracer *tracer;

	KUNIT_EXPECT_EQ(test, 0, memory_read(test, addr));
	tracer = make_tracer(test, addr);
	KUNIT_EXPECT_EQ(test, 0, hmm_test_populate(tracer, HMM_ACCESS_WRITE));
	KUNIT_EXPECT_EQ(test, 1, tracer->populated);
	KUNIT_EXPECT_EQ(test, 0, tracer->ret);
	KUNIT_EXPECT_GT(test, tracer->ns, 0);
	KUNIT_EXPECT_EQ(test, tracer->span.start, addr);
	KUNIT_EXPECT_EQ(test, tracer->span.end, addr + PAGES * PAGE_SIZE);
	KUNIT_EXPECT_GE(test, tracer->retried, 1);
	KUNIT_EXPECT_EQ(test, tracer->why, -EBUSY);
	KUNIT_EXPECT_EQ(test, tracer->invalidated, tracer->retried);
	KUNIT_EXPECT_EQ(test, tracer->event, MMU_NOTIFY_CLEAR);
	KUNIT_EXPECT_EQ(test, tracer->gone.start, addr);
	end_tracer(tracer);
}

/* An error is in the event, and so is what unmapped the memory. */
static void trace_unmapped(struct kunit *test)
{
	unsigned long addr = memory_map(test, PAGES, PROT_READ | PROT_WRITE);
	struct tracer *tracer = make_tracer(test, addr);

	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 1, tracer->invalidated);
	KUNIT_EXPECT_EQ(test, tracer->event, MMU_NOTIFY_UNMAP);
	KUNIT_EXPECT_EQ(test, tracer->gone.start, addr + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, tracer->gone.end, addr + 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -EFAULT, hmm_test_populate(tracer, HMM_ACCESS_READ));
	KUNIT_EXPECT_EQ(test, 1, tracer->populated);
	KUNIT_EXPECT_EQ(test, -EFAULT, tracer->ret);
	KUNIT_EXPECT_EQ(test, 0, tracer->retried);
	end_tracer(tracer);
}

static struct kunit_case trace_cases[] = {
	KUNIT_CASE(trace_populate),
	KUNIT_CASE(trace_unmapped),
	{}
};

static struct kunit_suite trace_suite = {
	.name = "hmm_trace",
	.test_cases = trace_cases,
};

kunit_test_suite(trace_suite);

MODULE_DESCRIPTION("KUnit tests of the events of HMM mirrors");
MODULE_LICENSE("GPL");
