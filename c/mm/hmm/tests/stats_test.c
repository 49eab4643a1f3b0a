// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics of mirrors: what is counted, and readers of mirrors that end.
 */
#include <kunit/test.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/hmm_mirror.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "../mirror.h"
#include "fixture_memory.h"
#include "fixture_stats.h"

#define PAGES	4UL
#define ENDS	500

/**
 * struct counted - a mirror of the test's process
 * @mirror: the mirror
 * @range: its range
 * @line: what was read of it last
 */
struct counted {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	char line[STATS_LINE];
};

static bool hmm_test_invalidate(struct hmm_mirror *mirror, const struct hmm_invalidation *inv)
{
	return true;
}

static const struct hmm_mirror_ops hmm_test_ops = {
	.invalidate = hmm_test_invalidate,
};

static struct counted *make_counted(struct kunit *test, unsigned long addr)
{
	struct counted *counted = kunit_kzalloc(test, sizeof(*counted), GFP_KERNEL);
	struct hmm_span span = { addr, addr + PAGES * PAGE_SIZE };

	KUNIT_ASSERT_NOT_NULL(test, counted);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&counted->mirror, current->mm,
						 &hmm_test_ops, NULL));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&counted->mirror, &counted->range,
						      span));
	return counted;
}

/* Read the mirror's line; empty if there is none. */
static void read_counted(struct counted *counted, u32 id)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "mirror=%u ", id);
	stats_find(&hmm_mirror_stats_sops, prefix, counted->line);
}

static int populate(struct counted *counted, enum hmm_access access)
{
	unsigned long pfns[PAGES];
	struct hmm_section section = {
		.mirror = &counted->mirror, .span = counted->range.span,
		.access = access, .pfns = pfns, .nr_pfns = PAGES,
	};

	while (hmm_section_next(&section))
		;
	return hmm_section_error(&section);
}

/* Each event is counted once, and in the field that it is for. */
static void stats_counts(struct kunit *test)
{
	unsigned long addr = memory_map(test, PAGES, PROT_READ | PROT_WRITE);
	struct counted *counted;
	const char *line;
	u64 retries;
	u32 id;

	KUNIT_EXPECT_EQ(test, 0, memory_read(test, addr));
	counted = make_counted(test, addr);
	line = counted->line;
	id = counted->mirror.state->stats.id;

	read_counted(counted, id);
	KUNIT_EXPECT_EQ(test, 1, stats_value(test, line, "ranges"));
	KUNIT_EXPECT_EQ(test, PAGES * PAGE_SIZE, stats_value(test, line, "mirrored"));
	KUNIT_EXPECT_EQ(test, 0, stats_value(test, line, "resident"));
	KUNIT_EXPECT_EQ(test, 0, stats_value(test, line, "owner"));
	KUNIT_EXPECT_EQ(test, 0, stats_value(test, line, "faults"));
	KUNIT_EXPECT_EQ(test, 0, stats_value(test, line, "invalidations"));
	KUNIT_EXPECT_EQ(test, 0, stats_value(test, line, "peers"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " driver=kernel "));

	/* The write replaces a zero page, which invalidates the range: one more round. */
	KUNIT_EXPECT_EQ(test, 0, populate(counted, HMM_ACCESS_WRITE));
	KUNIT_EXPECT_EQ(test, 0, populate(counted, HMM_ACCESS_SNAPSHOT));
	read_counted(counted, id);
	KUNIT_EXPECT_EQ(test, 1, stats_value(test, line, "faults"));
	KUNIT_EXPECT_EQ(test, PAGES * PAGE_SIZE, stats_value(test, line, "populated"));
	retries = stats_value(test, line, "retries_invalidated");
	KUNIT_EXPECT_GE(test, retries, 1);
	KUNIT_EXPECT_EQ(test, retries, stats_value(test, line, "invalidations"));
	KUNIT_EXPECT_EQ(test, 0, stats_value(test, line, "retries_dropped"));
	KUNIT_EXPECT_EQ(test, 0, stats_value(test, line, "errors"));

	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EFAULT, populate(counted, HMM_ACCESS_READ));
	read_counted(counted, id);
	KUNIT_EXPECT_EQ(test, 1, stats_value(test, line, "faults"));
	KUNIT_EXPECT_EQ(test, 1, stats_value(test, line, "errors"));
	KUNIT_EXPECT_EQ(test, retries + 1, stats_value(test, line, "invalidations"));

	hmm_mirror_range_remove(&counted->range);
	read_counted(counted, id);
	KUNIT_EXPECT_EQ(test, 0, stats_value(test, line, "ranges"));
	KUNIT_EXPECT_EQ(test, 0, stats_value(test, line, "mirrored"));
	hmm_mirror_exit(&counted->mirror);
	read_counted(counted, id);
	KUNIT_EXPECT_STREQ(test, line, "");
}

/* The fields are in the order in which they are documented. */
static void stats_order(struct kunit *test)
{
	static const char *const names[] = {
		"mirror=", " pid=", " owner=", " ranges=", " mirrored=", " resident=", " faults=",
		" populated=", " errors=", " retries_invalidated=", " retries_dropped=",
		" invalidations=", " peers=", " driver=", " comm=",
	};
	unsigned long addr = memory_map(test, PAGES, PROT_READ | PROT_WRITE);
	struct counted *counted = make_counted(test, addr);
	const char *at = counted->line;

	read_counted(counted, counted->mirror.state->stats.id);
	for (int i = 0; at && i < ARRAY_SIZE(names); i++) {
		at = strstr(at, names[i]);
		KUNIT_EXPECT_NOT_NULL_MSG(test, at, "%s is missing, or too early: %s", names[i],
					  counted->line);
	}
	hmm_mirror_exit(&counted->mirror);
}

/* The files are in debugfs, as far as that is there. */
static void stats_file(struct kunit *test)
{
	struct dentry *file;

	if (IS_ERR_OR_NULL(hmm_stats_dir))
		kunit_skip(test, "there is no debugfs");
	file = debugfs_lookup("mirrors", hmm_stats_dir);
	KUNIT_EXPECT_NOT_NULL(test, file);
	dput(file);
}

/* The process's number is free for others when its mirror has ended. */
static void stats_pid(struct kunit *test)
{
	unsigned long addr = memory_map(test, PAGES, PROT_READ | PROT_WRITE);
	struct counted *counted = make_counted(test, addr);
	struct hmm_mirror_stats *stats = &counted->mirror.state->stats;
	struct pid *pid = task_tgid(current);
	unsigned int refs = refcount_read(&pid->count);

	/* The test's thread is none of a process. */
	KUNIT_ASSERT_NULL(test, stats->pid);
	stats->pid = get_pid(pid);
	hmm_mirror_exit(&counted->mirror);
	KUNIT_EXPECT_EQ(test, refs, refcount_read(&pid->count));
}

/* What the file shows of a kernel has no address in it. */
static void stats_no_addresses(struct kunit *test)
{
	unsigned long addr = memory_map(test, PAGES, PROT_READ | PROT_WRITE);
	struct counted *counted = make_counted(test, addr);
	char hex[24];

	read_counted(counted, counted->mirror.state->stats.id);
	KUNIT_EXPECT_NE(test, counted->line[0], 0);
	KUNIT_EXPECT_NULL(test, strstr(counted->line, "0x"));
	snprintf(hex, sizeof(hex), "%lx", (unsigned long)counted->mirror.state);
	KUNIT_EXPECT_NULL(test, strstr(counted->line, hex));
	hmm_mirror_exit(&counted->mirror);
}

/* The name of a process cannot make up a field, or a line. */
static void stats_hostile_name(struct kunit *test)
{
	unsigned long addr = memory_map(test, PAGES, PROT_READ | PROT_WRITE);
	struct counted *counted = make_counted(test, addr);
	struct hmm_mirror_stats *stats = &counted->mirror.state->stats;

	strscpy(stats->comm, "a b\nmirror=7\\");
	read_counted(counted, stats->id);
	KUNIT_EXPECT_NOT_NULL(test, strstr(counted->line,
					   " comm=a\\040b\\012mirror\\0757\\134\n"));
	hmm_mirror_exit(&counted->mirror);
}

/* A mirror ends between two steps of a reader that has it. */
static void stats_ends_while_read(struct kunit *test)
{
	unsigned long addr = memory_map(test, PAGES, PROT_READ | PROT_WRITE);
	struct counted *counted = make_counted(test, addr);
	struct counted *after = make_counted(test, addr);
	struct hmm_mirror_state *state = counted->mirror.state;
	int refs = refcount_read(&state->ref), pins = atomic_read(&state->mm->mm_count);
	struct seq_file m = {};
	loff_t pos = state->stats.id;
	void *v;

	v = hmm_mirror_stats_sops.start(&m, &pos);
	KUNIT_ASSERT_PTR_EQ(test, v, (void *)state);
	/* Its own, beside those of the mirror. */
	KUNIT_ASSERT_EQ(test, refs + 1, refcount_read(&state->ref));
	KUNIT_ASSERT_EQ(test, pins + 1, atomic_read(&state->mm->mm_count));
	hmm_mirror_exit(&counted->mirror);
	memset(&counted->mirror, 0xff, sizeof(counted->mirror));
	stats_print(&hmm_mirror_stats_sops, v, counted->line);
	KUNIT_EXPECT_EQ(test, 0, stats_value(test, counted->line, "ranges"));
	v = hmm_mirror_stats_sops.next(&m, v, &pos);
	KUNIT_EXPECT_PTR_EQ(test, v, (void *)after->mirror.state);
	hmm_mirror_stats_sops.stop(&m, v);
	hmm_mirror_exit(&after->mirror);
}

/* Whether end_mirrors() runs: a thread that is stopped before that never does. */
static bool ends_begun;

/* Mirrors of a process begin and end in one thread, while another reads all of them. */
static int end_mirrors(void *data)
{
	struct mm_struct *mm = data;
	struct hmm_mirror mirror;
	int i, err = 0;

	WRITE_ONCE(ends_begun, true);
	for (i = 0; i < ENDS && !err; i++) {
		err = hmm_mirror_init(&mirror, mm, &hmm_test_ops, &mirror);
		if (err)
			break;
		if (i & 1)
			hmm_mirror_exit(&mirror);
		else
			hmm_mirror_exit_deferred(&mirror, NULL);
		hmm_mirror_synchronize();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return err ?: i;
}

static void stats_race_with_ends(struct kunit *test)
{
	unsigned long addr = memory_map(test, PAGES, PROT_READ | PROT_WRITE);
	struct counted *counted = make_counted(test, addr);
	u32 id = counted->mirror.state->stats.id;
	unsigned int i, missed = 0;
	struct task_struct *task;

	ends_begun = false;
	task = kthread_run(end_mirrors, current->mm, "hmm_stats_ends");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < 2 * ENDS || !READ_ONCE(ends_begun); i++) {
		read_counted(counted, id);
		missed += !counted->line[0];
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, ENDS, kthread_stop(task));
	/* One that does not end is in each reading. */
	KUNIT_EXPECT_EQ(test, 0, missed);
	hmm_mirror_exit(&counted->mirror);
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(stats_counts),
	KUNIT_CASE(stats_order),
	KUNIT_CASE(stats_file),
	KUNIT_CASE(stats_pid),
	KUNIT_CASE(stats_no_addresses),
	KUNIT_CASE(stats_hostile_name),
	KUNIT_CASE(stats_ends_while_read),
	KUNIT_CASE(stats_race_with_ends),
	{}
};

static struct kunit_suite stats_suite = {
	.name = "hmm_stats",
	.test_cases = stats_cases,
};

kunit_test_suite(stats_suite);

MODULE_DESCRIPTION("KUnit tests of the statistics of HMM mirrors");
MODULE_LICENSE("GPL");
