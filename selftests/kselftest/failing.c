// SPDX-License-Identifier: GPL-2.0
/*
 * What fails in the middle of a migration: functions of the core, by the kernel's
 * fail_function, and allocations, in the KUnit suites hmm_failing_*. No page may be lost,
 * and nothing be left in the device. Needs the kernel's fault injection (make debug).
 *
 * Each test of functions runs with private and with coherent memory.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "hmm_dmirror.h"
#include "fixture_dmirror.h"

#define RW		(PROT_READ | PROT_WRITE)
#define DEBUG		"/sys/kernel/debug/"
#define FUNCTIONS	DEBUG "fail_function/"

/* A huge page, and small pages behind it. */
#define HUGE_PAGES	512UL
#define SMALL_PAGES	24UL
#define ALL_PAGES	(HUGE_PAGES + SMALL_PAGES)
#define UNIT_PAGES	(4 * HUGE_PAGES)

/* Calls of a function, of which one fails, until there are no more of them, or so many. */
#define MOST		1500

static int number_write(const char *path, unsigned long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%#lx", value);
	return setting_write(path, text);
}

static long number_read(const char *path)
{
	char text[32];

	return setting_read(path, text, sizeof(text)) ? -1 : strtol(text, NULL, 0);
}

/*
 * struct point - a function that can be made to fail
 * @name: its name
 * @error: what it returns then; 0 for NULL
 * @commands: which of COMMANDS, a bit for each, call it
 */
struct point {
	const char *name;
	int error;
	unsigned int commands;
};

enum command { TO_DEVICE, TO_RAM, TOUCH, TO_OTHER_DEVICE, RELEASE, COMMANDS };

#define ON(command)	(1U << (command))
#define ON_ALL		(ON(COMMANDS) - 1)

static const struct point points[] = {
	{ "hmm_migration_setup", -ENOMEM, ON_ALL & ~ON(RELEASE) },
	{ "hmm_devmem_alloc_from", 0, ON(TO_DEVICE) | ON(TO_OTHER_DEVICE) },
	{ "hmm_devmem_check_copy", -ENOMEM, ON_ALL },
	{ "folio_migrate_mapping", -EAGAIN, ON_ALL },
	{ "hmm_devmem_memremap", -ENOMEM, ON(TO_DEVICE) },
};

FIXTURE(functions) {
	int device;
	int other;	/* a unit with memory of the same kind */
	char *at;
	char *buffer;	/* for what commands copy to user space */
};

FIXTURE_VARIANT(functions) {
	int unit;
};

FIXTURE_VARIANT_ADD(functions, private) {
	.unit = 0,
};

FIXTURE_VARIANT_ADD(functions, coherent) {
	.unit = 2,
};

typedef FIXTURE_DATA(functions) test_data;

static void write_numbers(test_data *self)
{
	for (size_t i = 0; i < ALL_PAGES; i++)
		*(size_t *)(self->at + i * PAGE) = i;
}

FIXTURE_SETUP(functions)
{
	if (access(FUNCTIONS "inject", W_OK))
		SKIP(return, "this kernel has no fail_function");
	self->device = device_open(variant->unit);
	self->other = device_open(variant->unit + 1);
	if (self->device < 0 || self->other < 0)
		SKIP(return, "no such units");
	self->at = map_aligned(2 * HUGE, HUGE, RW, MAP_PRIVATE, -1);
	self->buffer = map_aligned(2 * HUGE, PAGE, RW, MAP_PRIVATE, -1);
	ASSERT_NE(NULL, self->at);
	ASSERT_NE(NULL, self->buffer);
	memset(self->buffer, 1, 2 * HUGE);
	madvise(self->at, HUGE, MADV_HUGEPAGE);
	madvise(self->at + HUGE, HUGE, MADV_NOHUGEPAGE);
	write_numbers(self);
	/* Small units, as it takes long to add much memory. */
	ASSERT_EQ(0, limit_memory(self->device, UNIT_PAGES));
	ASSERT_EQ(0, limit_memory(self->other, UNIT_PAGES));
	ASSERT_EQ(0, setting_write(FUNCTIONS "verbose", "0"));
}

FIXTURE_TEARDOWN(functions)
{
	if (self->device < 0)
		return;
	setting_write(FUNCTIONS "probability", "0");
	setting_write(FUNCTIONS "inject", "\n");
	EXPECT_EQ(0, limit_memory(self->device, NO_LIMIT));
	EXPECT_EQ(0, limit_memory(self->other, NO_LIMIT));
	close(self->device);
	close(self->other);
}

/* Run a command; return a negative error number or the number of pages handled. */
static int run(int device, unsigned long request, test_data *self, size_t first, size_t npages)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)self->at + first * PAGE,
		.ptr = (uintptr_t)self->buffer,
		.npages = npages,
	};

	return ioctl(device, request, &cmd) ? -errno : (int)cmd.cpages;
}

/* The same for the huge page and for the small ones. */
static bool run_both(int device, unsigned long request, test_data *self)
{
	int huge = run(device, request, self, 0, HUGE_PAGES);
	int small = run(device, request, self, HUGE_PAGES, SMALL_PAGES);

	return huge == (int)HUGE_PAGES && small == (int)SMALL_PAGES;
}

static size_t right_pages(test_data *self)
{
	size_t i;

	for (i = 0; i < ALL_PAGES; i++)
		if (*(volatile size_t *)(self->at + i * PAGE) != i)
			break;
	return i;
}

static void execute(test_data *self, enum command command)
{
	switch (command) {
	case TO_DEVICE:
		run_both(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self);
		break;
	case TO_RAM:
		run_both(self->device, HMM_DMIRROR_MIGRATE_TO_SYS, self);
		break;
	case TOUCH:
		right_pages(self);
		break;
	case TO_OTHER_DEVICE:
		/* The first request is only recorded. */
		run_both(self->other, HMM_DMIRROR_MIGRATE_TO_DEV, self);
		usleep(100000);
		run_both(self->other, HMM_DMIRROR_MIGRATE_TO_DEV, self);
		break;
	default:
		run(self->device, HMM_DMIRROR_RELEASE, self, 0, 1);
	}
}

/* All pages are in system memory, or else all are in the unit's. */
static bool prepare(test_data *self, const struct point *point, enum command command)
{
	/* A chunk is added only if there is none. */
	if (!strcmp(point->name, "hmm_devmem_memremap"))
		return run(self->device, HMM_DMIRROR_RELEASE, self, 0, 1) >= 0;
	/* The second of two requests is the one that takes them from the other unit. */
	if (command != TO_DEVICE)
		return run_both(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self);
	return true;
}

/* The huge page may have been split: make another one. */
static void reset(test_data *self)
{
	run_both(self->device, HMM_DMIRROR_MIGRATE_TO_SYS, self);
	run_both(self->other, HMM_DMIRROR_MIGRATE_TO_SYS, self);
	madvise(self->at, HUGE, MADV_DONTNEED);
	write_numbers(self);
}

/* Have call number @nth of the point fail, once, while the command runs. Return if it has. */
static bool fail(test_data *self, enum command command, unsigned long nth)
{
	number_write(FUNCTIONS "space", nth);
	number_write(FUNCTIONS "times", 1);
	number_write(FUNCTIONS "probability", 100);
	execute(self, command);
	number_write(FUNCTIONS "probability", 0);
	return number_read(FUNCTIONS "times") == 0;
}

/* Each of the first calls, and then fewer and fewer of them. */
static unsigned long next_call(unsigned long nth)
{
	return nth < 4 ? nth + 1 : nth + nth / 2;
}

static void fail_each(struct __test_metadata *_metadata, test_data *self,
		      const struct point *point, enum command command)
{
	unsigned long nth, failed = 0;

	for (nth = 1; nth < MOST; nth = next_call(nth)) {
		ASSERT_TRUE(prepare(self, point, command));
		if (!fail(self, command, nth))
			break;
		failed++;
		ASSERT_EQ(ALL_PAGES, right_pages(self))
			TH_LOG("%s, call %lu, command %d", point->name, nth, command);
		reset(self);
	}
	reset(self);
	printf("# figures: faults=%lu\n", failed);
	EXPECT_LT(0, failed) TH_LOG("%s is not called by command %d", point->name, command);
	EXPECT_EQ(ALL_PAGES, right_pages(self));
}

static int point_begin(const struct point *point)
{
	char path[128];

	if (setting_write(FUNCTIONS "inject", point->name))
		return -1;
	snprintf(path, sizeof(path), FUNCTIONS "%s/retval", point->name);
	return point->error ? number_write(path, (long)point->error) : 0;
}

/* Both units can be emptied, so that no reference to a page of theirs was lost. */
static void check_emptied(struct __test_metadata *_metadata, test_data *self)
{
	EXPECT_LE(0, run(self->device, HMM_DMIRROR_RELEASE, self, 0, 1));
	EXPECT_LE(0, run(self->other, HMM_DMIRROR_RELEASE, self, 0, 1));
	EXPECT_TRUE(run_both(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self));
	EXPECT_EQ(ALL_PAGES, right_pages(self));
}

static void fail_point(struct __test_metadata *_metadata, test_data *self, bool coherent,
		       const struct point *point)
{
	ASSERT_EQ(0, point_begin(point));
	for (int command = 0; command < COMMANDS; command++) {
		if (!(point->commands & ON(command)))
			continue;
		/* The CPU does not fault on coherent memory. */
		if (command == TOUCH && coherent)
			continue;
		fail_each(_metadata, self, point, command);
	}
	ASSERT_EQ(0, setting_write(FUNCTIONS "inject", "\n"));
	check_emptied(_metadata, self);
}

TEST_F_TIMEOUT(functions, collect, 600)
{
	fail_point(_metadata, self, variant->unit == 2, &points[0]);
}

TEST_F_TIMEOUT(functions, alloc, 600)
{
	fail_point(_metadata, self, variant->unit == 2, &points[1]);
}

TEST_F_TIMEOUT(functions, copy, 600)
{
	fail_point(_metadata, self, variant->unit == 2, &points[2]);
}

TEST_F_TIMEOUT(functions, commit, 600)
{
	fail_point(_metadata, self, variant->unit == 2, &points[3]);
}

TEST_F_TIMEOUT(functions, add, 600)
{
	fail_point(_metadata, self, variant->unit == 2, &points[4]);
}

/* Allocations that may sleep fail, too, and those of single pages. */
static int allocations_may_fail(bool may)
{
	const char *spare = may ? "N" : "Y";

	return setting_write(DEBUG "failslab/ignore-gfp-wait", spare) ?:
	       setting_write(DEBUG "fail_page_alloc/ignore-gfp-wait", spare) ?:
	       setting_write(DEBUG "fail_page_alloc/ignore-gfp-highmem", spare) ?:
	       setting_write(DEBUG "fail_page_alloc/min-order", may ? "0" : "1") ?:
	       setting_write(DEBUG "failslab/verbose", may ? "0" : "2") ?:
	       setting_write(DEBUG "fail_page_alloc/verbose", may ? "0" : "2");
}

/* Print the results of a KUnit suite, and return in how many of its cases allocations failed. */
static int suite_results(const char *suite, int *failed)
{
	char path[128], line[512];
	unsigned int count;
	int cases = 0;
	FILE *file;

	snprintf(path, sizeof(path), DEBUG "kunit/%s/results", suite);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		printf("# %s", line);
		*failed += !strncmp(line, "    not ok", 10);
		cases += sscanf(line, " # failing_%*[a-z_]: %u allocations failed", &count) == 1 &&
			 count;
	}
	if (file)
		fclose(file);
	return cases;
}

FIXTURE(allocations) {
};

FIXTURE_VARIANT(allocations) {
	const char *suite;
	int least;	/* cases that are not skipped: allocations fail in each */
};

FIXTURE_VARIANT_ADD(allocations, private) {
	.suite = "hmm_failing_private",
	.least = 12,
};

FIXTURE_VARIANT_ADD(allocations, batches) {
	.suite = "hmm_failing_batches",
	.least = 12,
};

FIXTURE_VARIANT_ADD(allocations, coherent) {
	.suite = "hmm_failing_coherent",
	.least = 10,
};

FIXTURE_VARIANT_ADD(allocations, attributes) {
	.suite = "hmm_failing_attributes",
	.least = 1,
};

FIXTURE_SETUP(allocations)
{
}

FIXTURE_TEARDOWN(allocations)
{
	allocations_may_fail(false);
}

TEST_F_TIMEOUT(allocations, suite, 1200)
{
	char path[128];
	int failed = 0;

	snprintf(path, sizeof(path), DEBUG "kunit/%s/run", variant->suite);
	if (access(path, W_OK) || access(DEBUG "failslab", F_OK))
		SKIP(return, "this kernel has no failslab, or was booted without its KUnit suites");
	ASSERT_EQ(0, allocations_may_fail(true));
	setting_write(path, "1");
	EXPECT_LE(variant->least, suite_results(variant->suite, &failed));
	EXPECT_EQ(0, failed);
}

TEST_HARNESS_MAIN
