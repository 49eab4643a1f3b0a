// SPDX-License-Identifier: GPL-2.0
/*
 * Pages in a unit's memory are charged to the dmem controller, to the cgroup of their
 * process, and its limit holds. Each test runs with private and with coherent memory.
 */
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "hmm_dmirror.h"
#include "fixture_dmirror.h"

#define RW		(PROT_READ | PROT_WRITE)
#define GROUP		"dmem_limit"
#define OTHER		"dmem_other"
#define PAGES		64UL
/* The memory of a unit when it is full. */
#define ALL_PAGES	512UL
/* Longer than the time slice of a page, in microseconds. */
#define SLICES		300000

FIXTURE(dmem_limit) {
	int device;
	char *at;	/* ALL_PAGES small pages with their numbers */
	char *more;	/* the same */
};

FIXTURE_VARIANT(dmem_limit) {
	int unit;
	int prot;	/* of its memory, in a snapshot */
	const char *region;
};

FIXTURE_VARIANT_ADD(dmem_limit, private) {
	.unit = 0,
	.prot = HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL,
	.region = "hmm/hmm_dmirror0",
};

FIXTURE_VARIANT_ADD(dmem_limit, coherent) {
	.unit = 2,
	.prot = HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL,
	.region = "hmm/hmm_dmirror2",
};

/* The line of a region in a file of the controller, in pages; -1 if it has none. */
static long charged(const char *group, const char *file, const char *region)
{
	char text[1024], *line;
	size_t length = strlen(region);

	if (cgroup_read(group, file, text, sizeof(text)))
		return -1;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, region, length) && line[length] == ' ')
			return atol(line + length) / (long)PAGE;
	return -1;
}

static long current_of(const char *group, const char *region)
{
	return charged(group, "dmem.current", region);
}

/* Wait for pages that are freed late, such as those of a process that has exited. */
static long current_after(const char *group, const char *region, long expected)
{
	for (int i = 0; i < 200 && current_of(group, region) != expected; i++)
		usleep(10000);
	return current_of(group, region);
}

static int set_pages(const char *group, const char *file, const char *region,
		     unsigned long pages)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %lu", region, pages * PAGE);
	return cgroup_set(group, file, text);
}

/* In a way that any number of pages may stay where they are. */
static void migrate(int device, const char *at, size_t npages)
{
	device_call(device, HMM_DMIRROR_MIGRATE_TO_DEV, at, npages);
}

static char *map_numbers(size_t npages)
{
	char *at = map_aligned(npages * PAGE, HUGE, RW, MAP_PRIVATE, -1);

	if (!at || madvise(at, npages * PAGE, MADV_NOHUGEPAGE))
		return NULL;
	for (size_t i = 0; i < npages; i++)
		*(size_t *)(at + i * PAGE) = i;
	return at;
}

static size_t wrong_numbers(const char *at, size_t npages)
{
	size_t wrong = 0;

	for (size_t i = 0; i < npages; i++)
		wrong += *(size_t *)(at + i * PAGE) != i;
	return wrong;
}

static int group_make(const char *group)
{
	return cgroup_make(group, "max") ?:
	       cgroup_set(".", "cgroup.subtree_control", "+dmem");
}

/* The process of a test is the harness's child, so that the harness is not limited. */
FIXTURE_SETUP(dmem_limit)
{
	int ret = group_make(GROUP) ?: group_make(OTHER);

	if (ret)
		SKIP(return, "no dmem controller: %d", ret);
	self->device = device_open(variant->unit);
	if (self->device < 0)
		SKIP(return, "no such unit");
	ASSERT_LT(0, charged(".", "dmem.capacity", variant->region));
	ASSERT_LE(0, device_call(self->device, HMM_DMIRROR_RELEASE, NULL, 1));
	ASSERT_EQ(0, cgroup_enter(GROUP));
	self->at = map_numbers(ALL_PAGES);
	self->more = map_numbers(ALL_PAGES);
	ASSERT_NE(NULL, self->at);
	ASSERT_NE(NULL, self->more);
	ASSERT_EQ(0, current_of(GROUP, variant->region));
}

FIXTURE_TEARDOWN(dmem_limit)
{
	cgroup_leave(GROUP);
	cgroup_leave(OTHER);
}

/* Each page is charged for as long as it is in the unit's memory. */
TEST_F(dmem_limit, current)
{
	EXPECT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at,
				     PAGES));
	EXPECT_EQ(PAGES, current_of(GROUP, variant->region));
	EXPECT_EQ(0, munmap(self->at, PAGE));
	EXPECT_EQ(PAGES - 1, current_of(GROUP, variant->region));
	EXPECT_EQ(PAGES - 1, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_SYS,
					 self->at + PAGE, PAGES - 1));
	EXPECT_EQ(0, current_of(GROUP, variant->region));
}

/* A huge page, and the part of one that is split. */
TEST_F(dmem_limit, huge)
{
	char *at = map_aligned(HUGE, HUGE, RW, MAP_PRIVATE, -1);

	ASSERT_NE(NULL, at);
	madvise(at, HUGE, MADV_HUGEPAGE);
	memset(at, 1, HUGE);
	ASSERT_EQ(512, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, at, 512));
	EXPECT_EQ(512, current_of(GROUP, variant->region));
	EXPECT_EQ(128, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_SYS, at, 128));
	EXPECT_EQ(384, current_of(GROUP, variant->region));
	EXPECT_EQ(0, munmap(at, HUGE));
	EXPECT_EQ(0, current_of(GROUP, variant->region));
}

/* As many pages as the limit allows migrate; the rest works from system memory. */
TEST_F(dmem_limit, limit)
{
	ASSERT_EQ(0, set_pages(GROUP, "dmem.max", variant->region, 24));
	EXPECT_EQ(-ENOENT, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at,
				       PAGES));
	EXPECT_EQ(24, device_holds(self->device, self->at, PAGES, variant->prot));
	EXPECT_EQ(24, current_of(GROUP, variant->region));
	EXPECT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_READ, self->at, PAGES));
	EXPECT_EQ(0, wrong_numbers(self->at, PAGES));
}

/* The limit of the cgroup above holds as well. */
TEST_F(dmem_limit, limit_above)
{
	ASSERT_EQ(0, cgroup_enter("."));
	ASSERT_EQ(0, cgroup_set(GROUP, "cgroup.subtree_control", "+memory +dmem"));
	ASSERT_EQ(0, cgroup_make(GROUP "/below", "max"));
	ASSERT_EQ(0, set_pages(GROUP, "dmem.max", variant->region, 24));
	ASSERT_EQ(0, cgroup_enter(GROUP "/below"));
	migrate(self->device, self->at, PAGES);
	EXPECT_EQ(24, current_of(GROUP "/below", variant->region));
	EXPECT_EQ(24, current_of(GROUP, variant->region));
	EXPECT_EQ(0, wrong_numbers(self->at, PAGES));
	cgroup_leave(GROUP "/below");
}

/* At the limit, the cgroup's own pages make room, and nobody else's. */
TEST_F(dmem_limit, makes_room)
{
	char *mine = self->at + PAGES * PAGE;

	ASSERT_EQ(0, cgroup_enter(OTHER));
	ASSERT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at,
				     PAGES));
	ASSERT_EQ(0, cgroup_enter(GROUP));
	ASSERT_EQ(0, set_pages(GROUP, "dmem.max", variant->region, PAGES));
	ASSERT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, mine, PAGES));
	usleep(SLICES);
	EXPECT_EQ(16, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->more, 16));
	EXPECT_EQ(PAGES - 16, device_holds(self->device, mine, PAGES, variant->prot));
	EXPECT_EQ(PAGES, current_of(GROUP, variant->region));
	EXPECT_EQ(PAGES, current_of(OTHER, variant->region));
	EXPECT_EQ(0, wrong_numbers(self->at, ALL_PAGES));
	EXPECT_EQ(0, wrong_numbers(self->more, 16));
}

/*
 * A limit that is lowered: the writer of the file waits for the time slices of the pages,
 * and for room. Before 7.3 a limit below what is charged is silently not taken.
 */
TEST_F(dmem_limit, lowered)
{
	struct utsname name;
	char *end;
	long major, minor;

	ASSERT_EQ(0, uname(&name));
	major = strtol(name.release, &end, 10);
	minor = strtol(end + 1, NULL, 10);
	ASSERT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at,
				     PAGES));
	EXPECT_EQ(0, set_pages(GROUP, "dmem.max", variant->region, 16));
	EXPECT_EQ(major * 100 + minor < 703 ? PAGES : 16,
		  current_of(GROUP, variant->region));
	EXPECT_EQ(0, wrong_numbers(self->at, PAGES));
}

/* The charge stays where it is when the process moves to another cgroup. */
TEST_F(dmem_limit, moves)
{
	migrate(self->device, self->at, PAGES);
	ASSERT_EQ(0, cgroup_enter(OTHER));
	EXPECT_EQ(PAGES, current_of(GROUP, variant->region));
	migrate(self->device, self->more, 16);
	EXPECT_EQ(PAGES, current_of(GROUP, variant->region));
	EXPECT_EQ(16, current_of(OTHER, variant->region));
	EXPECT_EQ(0, munmap(self->at, PAGES * PAGE));
	EXPECT_EQ(0, current_of(GROUP, variant->region));
}

struct request {
	int device;
	char *at;
};

static int request_from_other(void *data)
{
	struct request *request = data;

	if (cgroup_enter(OTHER))
		return 1;
	migrate(request->device, request->at, PAGES);
	return 0;
}

/* The owner of the memory is charged, whichever task requests the migration. */
TEST_F(dmem_limit, owner)
{
	struct request request = { .device = self->device, .at = self->at };
	static char stack[1 << 16] __attribute__((aligned(16)));
	pid_t child = clone(request_from_other, stack + sizeof(stack),
			    CLONE_VM | CLONE_VFORK | SIGCHLD, &request);
	int status = -1;

	ASSERT_LT(0, child);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_EQ(PAGES, device_holds(self->device, self->at, PAGES, variant->prot));
	EXPECT_EQ(PAGES, current_of(GROUP, variant->region));
	EXPECT_EQ(0, current_of(OTHER, variant->region));
}

/* Pages that are shared after fork() stay charged until the last process unmaps them. */
TEST_F(dmem_limit, forked)
{
	int pipe_fd[2], status = -1;
	pid_t child;
	char byte;

	migrate(self->device, self->at, PAGES);
	ASSERT_EQ(0, pipe(pipe_fd));
	child = fork();
	if (!child) {
		close(pipe_fd[1]);
		_exit(cgroup_enter(OTHER) || read(pipe_fd[0], &byte, 1));
	}
	ASSERT_LT(0, child);
	EXPECT_EQ(0, munmap(self->at, PAGES * PAGE));
	EXPECT_EQ(PAGES, current_of(GROUP, variant->region));
	close(pipe_fd[1]);
	waitpid(child, &status, 0);
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, current_after(GROUP, variant->region, 0));
	EXPECT_EQ(0, current_of(OTHER, variant->region));
}

/* Pages of a cgroup that was removed stay charged above it until they are freed. */
TEST_F(dmem_limit, removed_group)
{
	long before = current_of(".", variant->region);

	migrate(self->device, self->at, PAGES);
	cgroup_leave(GROUP);
	EXPECT_EQ(-1, current_of(GROUP, variant->region));
	EXPECT_EQ(before + PAGES, current_of(".", variant->region));
	EXPECT_EQ(PAGES, device_holds(self->device, self->at, PAGES, variant->prot));
	EXPECT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_SYS, self->at,
				     PAGES));
	EXPECT_EQ(before, current_of(".", variant->region));
	EXPECT_EQ(0, wrong_numbers(self->at, PAGES));
}

/* The driver goes away with pages that are charged to a cgroup that was removed. */
TEST_F(dmem_limit, removed_driver)
{
	const char *driver = driver_loaded();
	int ret;

	ASSERT_NE(NULL, driver);
	migrate(self->device, self->at, PAGES);
	cgroup_leave(GROUP);
	close(self->device);
	/* The last reference to the file may be dropped late. */
	for (int i = 0; (ret = driver_reload(driver)) == -EAGAIN && i < 100; i++)
		usleep(10000);
	ASSERT_EQ(0, ret);
	EXPECT_EQ(0, wrong_numbers(self->at, PAGES));
	EXPECT_EQ(0, current_of(".", variant->region));
	self->device = device_open(variant->unit);
	migrate(self->device, self->at, PAGES);
	EXPECT_EQ(PAGES, current_of(".", variant->region));
}

/* When the memory is full, pages that dmem.min protects stay: others make room. */
TEST_F(dmem_limit, protected)
{
	size_t half = ALL_PAGES / 2;
	char *mine = self->at + half * PAGE;

	ASSERT_EQ(0, limit_memory(self->device, ALL_PAGES));
	ASSERT_EQ(0, cgroup_enter(OTHER));
	ASSERT_EQ(half, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, half));
	ASSERT_EQ(0, set_pages(OTHER, "dmem.min", variant->region, half));
	ASSERT_EQ(0, cgroup_enter(GROUP));
	ASSERT_EQ(half, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, mine, half));
	usleep(SLICES);
	EXPECT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->more,
				     PAGES));
	EXPECT_EQ(half, current_of(OTHER, variant->region));
	EXPECT_GE(half, current_of(GROUP, variant->region));
	EXPECT_EQ(PAGES, device_holds(self->device, self->more, PAGES, variant->prot));

	/* Without it, those that were there first leave first. */
	ASSERT_EQ(0, set_pages(OTHER, "dmem.min", variant->region, 0));
	usleep(SLICES);
	migrate(self->device, self->more + PAGES * PAGE, half);
	EXPECT_GT(half, current_of(OTHER, variant->region));
	EXPECT_EQ(0, limit_memory(self->device, NO_LIMIT));
}

/* Of pages little above what dmem.min protects, only that little makes room. */
TEST_F(dmem_limit, protected_partly)
{
	size_t half = ALL_PAGES / 2;
	char *mine = self->at + half * PAGE;

	ASSERT_EQ(0, limit_memory(self->device, ALL_PAGES));
	ASSERT_EQ(0, cgroup_enter(OTHER));
	ASSERT_EQ(half, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, half));
	ASSERT_EQ(0, set_pages(OTHER, "dmem.min", variant->region, half - 1));
	ASSERT_EQ(0, cgroup_enter(GROUP));
	ASSERT_EQ(half, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, mine, half));
	usleep(SLICES);
	EXPECT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->more,
				     PAGES));
	EXPECT_LE(half - 1, current_of(OTHER, variant->region));
	EXPECT_EQ(PAGES, device_holds(self->device, self->more, PAGES, variant->prot));
	EXPECT_EQ(0, wrong_numbers(self->at, ALL_PAGES));
	EXPECT_EQ(0, limit_memory(self->device, NO_LIMIT));
}

#define GROUPS		70	/* more than a pass remembers */
#define PROTECTED	66
#define EACH		4UL	/* pages */

static const char *below(int i)
{
	static char name[32];

	snprintf(name, sizeof(name), GROUP "/%d", i);
	return name;
}

/*
 * Pages of many cgroups below one limit, most of them protected: those that are not are
 * found, and make room.
 */
TEST_F(dmem_limit, many_groups)
{
	int i;

	ASSERT_EQ(0, cgroup_enter("."));
	ASSERT_EQ(0, cgroup_set(GROUP, "cgroup.subtree_control", "+memory +dmem"));
	for (i = 0; i < GROUPS; i++) {
		ASSERT_EQ(0, cgroup_make(below(i), "max"));
		ASSERT_EQ(0, cgroup_enter(below(i)));
		ASSERT_EQ(EACH, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV,
					    self->at + i * EACH * PAGE, EACH));
		if (i < PROTECTED)
			ASSERT_EQ(0, set_pages(below(i), "dmem.min", variant->region, EACH));
	}
	ASSERT_EQ(0, set_pages(GROUP, "dmem.max", variant->region, GROUPS * EACH));
	usleep(SLICES);
	migrate(self->device, self->more, 2 * EACH);
	EXPECT_EQ(2 * EACH, device_holds(self->device, self->more, 2 * EACH, variant->prot));
	EXPECT_EQ(GROUPS * EACH, current_of(GROUP, variant->region));
	for (i = 0; i < PROTECTED; i++)
		EXPECT_EQ(EACH, current_of(below(i), variant->region));
	EXPECT_EQ(0, wrong_numbers(self->at, GROUPS * EACH));
	for (i = 0; i < GROUPS; i++)
		cgroup_leave(below(i));
}

TEST_HARNESS_MAIN
