// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of addresses: compared with an array that has those of each page, and what
 * happens at borders, at the limit, without memory, and to stale addresses.
 */
#include <kunit/test.h>
#include <linux/hmm_attributes.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <trace/events/kmem.h>

#include "fixture_memory.h"

/* The first address. There is no memory at any of them: attributes need none. */
#define BASE	(16UL << PAGE_SHIFT)
#define PAGES	48

static const struct hmm_attribute none = { .location = HMM_LOCATION_NONE };

/* Pages @first to @end - 1 from BASE. */
static struct hmm_span pages(unsigned long first, unsigned long end)
{
	return (struct hmm_span){
		.start = BASE + (first << PAGE_SHIFT),
		.end = BASE + (end << PAGE_SHIFT),
	};
}

static void attributes_free(void *attributes)
{
	hmm_attributes_exit(attributes);
}

static struct hmm_attributes *attributes_make(struct kunit *test)
{
	struct hmm_attributes *attributes =
		kunit_kzalloc(test, sizeof(*attributes), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, attributes);
	hmm_attributes_init(attributes);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, attributes_free, attributes));
	return attributes;
}

static bool same(const struct hmm_attribute *a, const struct hmm_attribute *b)
{
	return a->location == b->location && a->read_mostly == b->read_mostly &&
	       a->accessed_by == b->accessed_by;
}

static bool is_empty(struct hmm_span span)
{
	return span.start >= span.end;
}

/* Each kind of advice alone, and what it leaves of the others. */
static void attributes_advice(struct kunit *test)
{
	struct hmm_attributes *attributes = attributes_make(test);
	struct hmm_attribute got = hmm_attributes_get(attributes, pages(0, 4));
	static const struct {
		enum hmm_advice advice;
		int location;
		struct hmm_attribute then;
	} steps[] = {
		{ HMM_ADVICE_SET_READ_MOSTLY, HMM_LOCATION_NONE,
		  { .location = HMM_LOCATION_NONE, .read_mostly = true } },
		{ HMM_ADVICE_SET_PREFERRED_LOCATION, 3,
		  { .location = 3, .read_mostly = true } },
		{ HMM_ADVICE_SET_ACCESSED_BY, HMM_LOCATION_NONE,
		  { .location = 3, .read_mostly = true, .accessed_by = true } },
		{ HMM_ADVICE_UNSET_READ_MOSTLY, HMM_LOCATION_NONE,
		  { .location = 3, .accessed_by = true } },
		{ HMM_ADVICE_SET_PREFERRED_LOCATION, HMM_LOCATION_SYSTEM,
		  { .location = HMM_LOCATION_SYSTEM, .accessed_by = true } },
		{ HMM_ADVICE_SET_PREFERRED_LOCATION, 0,
		  { .location = 0, .accessed_by = true } },
		{ HMM_ADVICE_UNSET_PREFERRED_LOCATION, HMM_LOCATION_NONE,
		  { .location = HMM_LOCATION_NONE, .accessed_by = true } },
		{ HMM_ADVICE_UNSET_ACCESSED_BY, HMM_LOCATION_NONE,
		  { .location = HMM_LOCATION_NONE } },
	};

	KUNIT_EXPECT_TRUE(test, same(&none, &got));
	KUNIT_EXPECT_EQ(test, pages(0, 4).end, got.span.end);
	for (int i = 0; i < ARRAY_SIZE(steps); i++) {
		KUNIT_EXPECT_EQ(test, 0, hmm_attributes_advise(attributes, pages(0, 4),
							       steps[i].advice,
							       steps[i].location));
		got = hmm_attributes_get(attributes, pages(0, 4));
		KUNIT_EXPECT_TRUE_MSG(test, same(&steps[i].then, &got), "step %d", i);
		KUNIT_EXPECT_EQ(test, i + 1 < ARRAY_SIZE(steps), attributes->nr);
	}
}

static void attributes_invalid(struct kunit *test)
{
	struct hmm_attributes *attributes = attributes_make(test);
	const struct hmm_span good = pages(0, 1), bad[] = {
		{ BASE, BASE }, { BASE + PAGE_SIZE, BASE }, { BASE + 1, BASE + PAGE_SIZE },
		{ BASE, BASE + 1 }, { BASE, ULONG_MAX }, { 0, 0 }, { ULONG_MAX & PAGE_MASK, 0 },
	};
	static const struct {
		int advice;
		int location;
	} wrong[] = {
		{ -1, HMM_LOCATION_NONE },
		{ HMM_ADVICE_UNSET_ACCESSED_BY + 1, HMM_LOCATION_NONE },
		{ HMM_ADVICE_SET_PREFERRED_LOCATION, HMM_LOCATION_NONE },
		{ HMM_ADVICE_SET_PREFERRED_LOCATION, INT_MIN },
		{ HMM_ADVICE_UNSET_PREFERRED_LOCATION, 0 },
		{ HMM_ADVICE_SET_READ_MOSTLY, HMM_LOCATION_SYSTEM },
		{ HMM_ADVICE_UNSET_READ_MOSTLY, 0 },
		{ HMM_ADVICE_SET_ACCESSED_BY, 1 },
		{ HMM_ADVICE_UNSET_ACCESSED_BY, HMM_LOCATION_SYSTEM },
	};
	struct hmm_attribute got;

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    hmm_attributes_advise(attributes, bad[i],
							  HMM_ADVICE_SET_READ_MOSTLY,
							  HMM_LOCATION_NONE), "span %d", i);
		got = hmm_attributes_get(attributes, bad[i]);
		KUNIT_EXPECT_TRUE(test, same(&none, &got));
		hmm_attributes_invalidate(attributes, bad[i]);
	}
	for (int i = 0; i < ARRAY_SIZE(wrong); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    hmm_attributes_advise(attributes, good, wrong[i].advice,
							  wrong[i].location), "advice %d", i);
	KUNIT_EXPECT_EQ(test, 0, attributes->nr);
}

/* The first and the last addresses that there are have no neighbours. */
static void attributes_all_addresses(struct kunit *test)
{
	struct hmm_attributes *attributes = attributes_make(test);
	const struct hmm_span last = { HMM_SPAN_ALL.end - PAGE_SIZE, HMM_SPAN_ALL.end };
	struct hmm_attribute got;

	KUNIT_EXPECT_EQ(test, 0, hmm_attributes_advise(attributes, HMM_SPAN_ALL,
						       HMM_ADVICE_SET_READ_MOSTLY,
						       HMM_LOCATION_NONE));
	got = hmm_attributes_get(attributes, HMM_SPAN_ALL);
	KUNIT_EXPECT_TRUE(test, got.read_mostly);
	KUNIT_EXPECT_EQ(test, HMM_SPAN_ALL.end, got.span.end);
	KUNIT_EXPECT_EQ(test, 0, hmm_attributes_advise(attributes, last,
						       HMM_ADVICE_UNSET_READ_MOSTLY,
						       HMM_LOCATION_NONE));
	got = hmm_attributes_get(attributes, last);
	KUNIT_EXPECT_TRUE(test, same(&none, &got));
	got = hmm_attributes_get(attributes, HMM_SPAN_ALL);
	KUNIT_EXPECT_EQ(test, last.start, got.span.end);
	KUNIT_EXPECT_EQ(test, 1, attributes->nr);
}

/* How many ranges there should be: neighbours that are the same are one. */
static unsigned long model_ranges(const struct hmm_attribute *model)
{
	const struct hmm_attribute *last = &none;
	unsigned long nr = 0;

	for (int i = 0; i < PAGES; i++) {
		nr += !same(&model[i], &none) && !same(&model[i], last);
		last = &model[i];
	}
	return nr;
}

static void model_advise(struct hmm_attribute *at, enum hmm_advice advice, int location)
{
	switch (advice) {
	case HMM_ADVICE_SET_READ_MOSTLY:
	case HMM_ADVICE_UNSET_READ_MOSTLY:
		at->read_mostly = advice == HMM_ADVICE_SET_READ_MOSTLY;
		break;
	case HMM_ADVICE_SET_PREFERRED_LOCATION:
	case HMM_ADVICE_UNSET_PREFERRED_LOCATION:
		at->location = location;
		break;
	case HMM_ADVICE_SET_ACCESSED_BY:
	case HMM_ADVICE_UNSET_ACCESSED_BY:
		at->accessed_by = advice == HMM_ADVICE_SET_ACCESSED_BY;
		break;
	}
}

/* Compare all pages with the model; lookups end where attributes change, and not before. */
static void model_compare(struct kunit *test, struct hmm_attributes *attributes,
			  const struct hmm_attribute *model)
{
	unsigned long i = 0, nr = 0;

	KUNIT_ASSERT_EQ(test, model_ranges(model), attributes->nr);
	while (i < PAGES) {
		struct hmm_attribute got = hmm_attributes_get(attributes, pages(i, PAGES));

		KUNIT_ASSERT_EQ(test, pages(i, PAGES).start, got.span.start);
		for (; i < PAGES && pages(i, PAGES).start < got.span.end; i++)
			KUNIT_ASSERT_TRUE(test, same(&model[i], &got));
		if (i < PAGES)
			KUNIT_ASSERT_FALSE(test, same(&model[i], &got));
		nr++;
	}
	KUNIT_ASSERT_GE(test, nr, attributes->nr);
}

/*
 * Advice at random, compared with an array. What is accessed and was invalidated or newly
 * advised is stale, nothing is stale that is not accessed, and it is taken once.
 */
static void attributes_model(struct kunit *test)
{
	struct hmm_attributes *attributes = attributes_make(test);
	struct hmm_attribute *model = kunit_kcalloc(test, PAGES, sizeof(*model), GFP_KERNEL);
	bool stale[PAGES] = {}, taken[PAGES];
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, model);
	for (int i = 0; i < PAGES; i++)
		model[i] = none;
	prandom_seed_state(&rnd, 20261130);
	for (int round = 0; round < 4000; round++) {
		unsigned long first = prandom_u32_state(&rnd) % PAGES;
		unsigned long end = first + 1 + prandom_u32_state(&rnd) % (PAGES - first);
		enum hmm_advice advice = prandom_u32_state(&rnd) %
					 (HMM_ADVICE_UNSET_ACCESSED_BY + 1);
		int location = advice == HMM_ADVICE_SET_PREFERRED_LOCATION ?
			       (int)(prandom_u32_state(&rnd) % 4) - 1 : HMM_LOCATION_NONE;

		KUNIT_ASSERT_EQ(test, 0, hmm_attributes_advise(attributes, pages(first, end),
							       advice, location));
		for (unsigned long i = first; i < end; i++) {
			bool accessed_by = model[i].accessed_by;

			model_advise(&model[i], advice, location);
			if (accessed_by != model[i].accessed_by)
				stale[i] = model[i].accessed_by;
		}
		model_compare(test, attributes, model);

		first = prandom_u32_state(&rnd) % PAGES;
		hmm_attributes_invalidate(attributes, pages(first, first + 1));
		stale[first] = model[first].accessed_by;
		if (prandom_u32_state(&rnd) % 4)
			continue;
		memset(taken, 0, sizeof(taken));
		for (;;) {
			struct hmm_span span = hmm_attributes_take_stale(attributes);

			if (is_empty(span))
				break;
			for (first = 0; first < PAGES; first++) {
				if (!hmm_span_has(span, pages(first, PAGES).start))
					continue;
				KUNIT_ASSERT_TRUE(test, model[first].accessed_by);
				KUNIT_ASSERT_FALSE(test, taken[first]);
				taken[first] = true;
			}
		}
		for (int i = 0; i < PAGES; i++) {
			KUNIT_ASSERT_TRUE(test, taken[i] || !stale[i]);
			stale[i] = false;
		}
	}
}

/* Exactly what was invalidated, clipped to what is accessed, is stale. */
static void attributes_stale(struct kunit *test)
{
	struct hmm_attributes *attributes = attributes_make(test);
	struct hmm_span span;

	hmm_attributes_invalidate(attributes, pages(0, 8));
	KUNIT_EXPECT_TRUE(test, is_empty(hmm_attributes_take_stale(attributes)));
	KUNIT_ASSERT_EQ(test, 0, hmm_attributes_advise(attributes, pages(0, 8),
						       HMM_ADVICE_SET_READ_MOSTLY,
						       HMM_LOCATION_NONE));
	hmm_attributes_invalidate(attributes, pages(0, 8));
	KUNIT_EXPECT_TRUE(test, is_empty(hmm_attributes_take_stale(attributes)));

	KUNIT_ASSERT_EQ(test, 0, hmm_attributes_advise(attributes, pages(2, 6),
						       HMM_ADVICE_SET_ACCESSED_BY,
						       HMM_LOCATION_NONE));
	span = hmm_attributes_take_stale(attributes);
	KUNIT_EXPECT_EQ(test, pages(2, 6).start, span.start);
	KUNIT_EXPECT_EQ(test, pages(2, 6).end, span.end);
	KUNIT_EXPECT_TRUE(test, is_empty(hmm_attributes_take_stale(attributes)));

	/* Advice that was given already makes nothing stale. */
	KUNIT_ASSERT_EQ(test, 0, hmm_attributes_advise(attributes, pages(2, 6),
						       HMM_ADVICE_SET_ACCESSED_BY,
						       HMM_LOCATION_NONE));
	KUNIT_EXPECT_TRUE(test, is_empty(hmm_attributes_take_stale(attributes)));

	/* No addresses are none, wherever they are. */
	hmm_attributes_invalidate(attributes, pages(5, 40));
	hmm_attributes_invalidate(attributes, pages(3, 3));
	span = hmm_attributes_take_stale(attributes);
	KUNIT_EXPECT_EQ(test, pages(5, 6).start, span.start);
	KUNIT_EXPECT_EQ(test, pages(5, 6).end, span.end);

	/* Advice that is withdrawn before it was followed is not followed. */
	hmm_attributes_invalidate(attributes, pages(2, 6));
	KUNIT_ASSERT_EQ(test, 0, hmm_attributes_advise(attributes, pages(3, 6),
						       HMM_ADVICE_UNSET_ACCESSED_BY,
						       HMM_LOCATION_NONE));
	span = hmm_attributes_take_stale(attributes);
	KUNIT_EXPECT_EQ(test, pages(2, 3).start, span.start);
	KUNIT_EXPECT_EQ(test, pages(2, 3).end, span.end);
	KUNIT_EXPECT_TRUE(test, is_empty(hmm_attributes_take_stale(attributes)));
}

/*
 * Ranges are limited. What makes no more of them is possible at the limit too. The selftest
 * `attributes` makes as many as there can be; here all but the last few are only counted.
 */
static void attributes_limit(struct kunit *test)
{
	enum { LAST = 8, OTHERS = HMM_ATTRIBUTES_MAX - LAST };
	struct hmm_attributes *attributes = attributes_make(test);
	const struct hmm_span all = pages(0, 2 * LAST + 2);
	struct hmm_attribute got;

	attributes->nr = OTHERS;
	for (unsigned long i = 0; i < LAST; i++)
		KUNIT_ASSERT_EQ(test, 0,
				hmm_attributes_advise(attributes, pages(2 * i, 2 * i + 1),
						      HMM_ADVICE_SET_PREFERRED_LOCATION, 0));
	KUNIT_EXPECT_EQ(test, HMM_ATTRIBUTES_MAX, attributes->nr);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			hmm_attributes_advise(attributes, pages(2 * LAST + 1, 2 * LAST + 2),
					      HMM_ADVICE_SET_PREFERRED_LOCATION, 0));
	/* Each hole between two ranges would be one more. */
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			hmm_attributes_advise(attributes, all, HMM_ADVICE_SET_READ_MOSTLY,
					      HMM_LOCATION_NONE));
	got = hmm_attributes_get(attributes, pages(0, 1));
	KUNIT_EXPECT_FALSE(test, got.read_mostly);
	KUNIT_EXPECT_EQ(test, HMM_ATTRIBUTES_MAX, attributes->nr);

	/* A range becomes a page longer. */
	KUNIT_EXPECT_EQ(test, 0, hmm_attributes_advise(attributes,
						       pages(2 * LAST - 1, 2 * LAST),
						       HMM_ADVICE_SET_PREFERRED_LOCATION, 0));
	KUNIT_EXPECT_EQ(test, HMM_ATTRIBUTES_MAX, attributes->nr);
	/* Two become one. */
	KUNIT_EXPECT_EQ(test, 0, hmm_attributes_advise(attributes, pages(1, 2),
						       HMM_ADVICE_SET_PREFERRED_LOCATION, 0));
	KUNIT_EXPECT_EQ(test, HMM_ATTRIBUTES_MAX - 1, attributes->nr);
	/* All become one. */
	KUNIT_EXPECT_EQ(test, 0, hmm_attributes_advise(attributes, all,
						       HMM_ADVICE_SET_PREFERRED_LOCATION, 0));
	KUNIT_EXPECT_EQ(test, OTHERS + 1, attributes->nr);
	got = hmm_attributes_get(attributes, all);
	KUNIT_EXPECT_EQ(test, all.end, got.span.end);
	KUNIT_EXPECT_EQ(test, 0, hmm_attributes_advise(attributes, all,
						       HMM_ADVICE_UNSET_PREFERRED_LOCATION,
						       HMM_LOCATION_NONE));
	KUNIT_EXPECT_EQ(test, OTHERS, attributes->nr);
}

/**
 * struct advisor - a thread that gives and withdraws advice
 * @attributes: the attributes, for which another thread looks
 * @result: an error, or 0
 */
struct advisor {
	struct hmm_attributes *attributes;
	int result;
};

static int advise_always(void *data)
{
	struct advisor *advisor = data;

	for (unsigned int i = 0; !kthread_should_stop(); i++) {
		struct hmm_span span = pages(1 + i % 7, PAGES - i % 5);
		int ret = hmm_attributes_advise(advisor->attributes, span,
						i % 2 ? HMM_ADVICE_SET_PREFERRED_LOCATION :
							HMM_ADVICE_UNSET_PREFERRED_LOCATION,
						i % 2 ? 1 : HMM_LOCATION_NONE);

		if (!ret)
			ret = hmm_attributes_advise(advisor->attributes, pages(i % 9, PAGES / 2),
						    i % 3 ? HMM_ADVICE_SET_ACCESSED_BY :
							    HMM_ADVICE_UNSET_ACCESSED_BY,
						    HMM_LOCATION_NONE);
		if (ret)
			advisor->result = ret;
		cond_resched();
	}
	return 0;
}

/* Lookups while two threads change other attributes of the same addresses. */
static void attributes_threads(struct kunit *test)
{
	struct advisor advisor = { .attributes = attributes_make(test) };
	unsigned long until = jiffies + HZ / 4, wrong = 0;
	struct task_struct *thread[2];

	KUNIT_ASSERT_EQ(test, 0, hmm_attributes_advise(advisor.attributes, pages(0, PAGES),
						       HMM_ADVICE_SET_READ_MOSTLY,
						       HMM_LOCATION_NONE));
	for (int i = 0; i < 2; i++) {
		thread[i] = kthread_run(advise_always, &advisor, "hmm_advise");
		KUNIT_ASSERT_FALSE(test, IS_ERR(thread[i]));
	}
	for (unsigned int i = 0; time_before(jiffies, until); i++) {
		struct hmm_span span = pages(i % PAGES, PAGES);
		struct hmm_attribute got = hmm_attributes_get(advisor.attributes, span);

		wrong += !got.read_mostly || got.span.start != span.start ||
			 is_empty(got.span) || got.span.end > span.end ||
			 (got.location != 1 && got.location != HMM_LOCATION_NONE);
		hmm_attributes_invalidate(advisor.attributes, span);
		hmm_attributes_take_stale(advisor.attributes);
		cond_resched();
	}
	for (int i = 0; i < 2; i++)
		kthread_stop(thread[i]);
	KUNIT_EXPECT_EQ(test, 0, wrong);
	KUNIT_EXPECT_EQ(test, 0, advisor.result);
}

/* A task that was killed gives no advice, and changes nothing, also if none is needed. */
static void attributes_killed(struct kunit *test)
{
	struct hmm_attributes *attributes = attributes_make(test);
	struct hmm_attribute got;

	set_killed(true);
	KUNIT_EXPECT_EQ(test, -EINTR, hmm_attributes_advise(attributes, pages(2, 9),
							    HMM_ADVICE_SET_ACCESSED_BY,
							    HMM_LOCATION_NONE));
	KUNIT_EXPECT_EQ(test, -EINTR, hmm_attributes_advise(attributes, pages(2, 9),
							    HMM_ADVICE_UNSET_ACCESSED_BY,
							    HMM_LOCATION_NONE));
	set_killed(false);
	got = hmm_attributes_get(attributes, pages(0, PAGES));
	KUNIT_EXPECT_TRUE(test, same(&got, &none));
	KUNIT_EXPECT_EQ(test, pages(0, PAGES).end, got.span.end);
}

#ifdef CONFIG_TRACEPOINTS
/**
 * struct allocations - what a thread allocates and frees that is killed when it allocates
 * @task: the thread
 * @nr: how often it has allocated
 * @kept: how much of that it has not freed
 */
struct allocations {
	struct task_struct *task;
	int nr;
	int kept;
};

static void count_kmalloc(void *data, unsigned long call_site, const void *ptr,
			  size_t bytes_req, size_t bytes_alloc, gfp_t gfp_flags, int node)
{
	struct allocations *allocations = data;

	if (current != allocations->task || !in_task() || !ptr)
		return;
	allocations->nr++;
	allocations->kept++;
	set_killed(true);
}

static void count_kfree(void *data, unsigned long call_site, const void *ptr)
{
	struct allocations *allocations = data;

	allocations->kept -= current == allocations->task && in_task() && ptr;
}

/* A task is killed while it allocates: it gives no advice, and frees what it has allocated. */
static void attributes_killed_allocating(struct kunit *test)
{
	struct hmm_attributes *attributes = attributes_make(test);
	struct allocations allocations = {};
	int ret;

	KUNIT_ASSERT_EQ(test, 0, register_trace_kmalloc(count_kmalloc, &allocations));
	KUNIT_EXPECT_EQ(test, 0, register_trace_kfree(count_kfree, &allocations));
	/* To register a probe allocates, too. */
	allocations.task = current;
	ret = hmm_attributes_advise(attributes, pages(2, 9), HMM_ADVICE_SET_ACCESSED_BY,
				    HMM_LOCATION_NONE);
	allocations.task = NULL;
	set_killed(false);
	unregister_trace_kfree(count_kfree, &allocations);
	unregister_trace_kmalloc(count_kmalloc, &allocations);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, -EINTR, ret);
	KUNIT_EXPECT_GT(test, allocations.nr, 0);
	KUNIT_EXPECT_EQ(test, allocations.kept, 0);
}
#endif

/**
 * struct killed_advisor - a thread that is killed, and gives advice while another does
 * @attributes: their attributes, whose lock the test holds
 * @result: what it got
 */
struct killed_advisor {
	struct hmm_attributes *attributes;
	int result;
};

static int advise_killed(void *data)
{
	struct killed_advisor *advisor = data;

	set_killed(true);
	advisor->result = hmm_attributes_advise(advisor->attributes, pages(2, 9),
						HMM_ADVICE_SET_READ_MOSTLY,
						HMM_LOCATION_NONE);
	set_killed(false);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Nor does it wait for another thread's advice. */
static void attributes_killed_waiting(struct kunit *test)
{
	struct killed_advisor advisor = { .attributes = attributes_make(test), .result = 1 };
	unsigned long until = jiffies + 5 * HZ;
	struct task_struct *thread;

	mutex_lock(&advisor.attributes->lock);
	thread = kthread_run(advise_killed, &advisor, "hmm_advise");
	while (!IS_ERR(thread) && READ_ONCE(advisor.result) > 0 && time_before(jiffies, until))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&advisor.attributes->lock));
	mutex_unlock(&advisor.attributes->lock);
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	kthread_stop(thread);
	KUNIT_EXPECT_EQ(test, -EINTR, advisor.result);
}

#ifdef CONFIG_FAULT_INJECTION
/*
 * Advice of which the nth allocation fails: nothing may have changed. At boot the kernel's
 * fault injection spares allocations that may sleep; see failing_test.c.
 */
static void failing_advice(struct kunit *test)
{
	struct hmm_attributes *attributes = attributes_make(test);
	struct hmm_attribute model[PAGES];
	unsigned int count = 0;
	int ret = -ENOMEM;

	for (int i = 0; i < PAGES; i++)
		model[i] = none;
	for (int i = 4; i < PAGES; i += 4) {
		KUNIT_ASSERT_EQ(test, 0,
				hmm_attributes_advise(attributes, pages(i, i + 2),
						      HMM_ADVICE_SET_PREFERRED_LOCATION, i));
		model[i].location = i;
		model[i + 1].location = i;
	}
	/* It splits the first range and the last one, and fills the holes between. */
	for (unsigned int nth = 1; ret && nth < 2 * PAGES; nth++) {
		current->fail_nth = nth;
		ret = hmm_attributes_advise(attributes, pages(5, PAGES - 3),
					    HMM_ADVICE_SET_READ_MOSTLY, HMM_LOCATION_NONE);
		/* Whether it was this one. */
		count += !current->fail_nth;
		current->fail_nth = 0;
		if (ret) {
			KUNIT_EXPECT_EQ(test, -ENOMEM, ret);
			model_compare(test, attributes, model);
		}
	}
	KUNIT_EXPECT_EQ(test, 0, ret);
	for (int i = 5; i < PAGES - 3; i++)
		model[i].read_mostly = true;
	model_compare(test, attributes, model);
	kunit_info(test, "%u allocations failed\n", count);
}

static struct kunit_case failing_cases[] = {
	KUNIT_CASE(failing_advice),
	{}
};

static struct kunit_suite failing_suite = {
	.name = "hmm_failing_attributes",
	.test_cases = failing_cases,
};

kunit_test_suite(failing_suite);
#endif

static struct kunit_case attributes_cases[] = {
	KUNIT_CASE(attributes_advice),
	KUNIT_CASE(attributes_invalid),
	KUNIT_CASE(attributes_all_addresses),
	KUNIT_CASE(attributes_model),
	KUNIT_CASE(attributes_stale),
	KUNIT_CASE(attributes_limit),
	KUNIT_CASE(attributes_threads),
	KUNIT_CASE(attributes_killed),
#ifdef CONFIG_TRACEPOINTS
	KUNIT_CASE(attributes_killed_allocating),
#endif
	KUNIT_CASE(attributes_killed_waiting),
	{}
};

static struct kunit_suite attributes_suite = {
	.name = "hmm_attributes",
	.test_cases = attributes_cases,
};

kunit_test_suite(attributes_suite);
