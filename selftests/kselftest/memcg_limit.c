// SPDX-License-Identifier: GPL-2.0
/*
 * A device that works on more memory than the process's memory cgroup allows:
 * pages that it faulted in are swapped out while it faults in the rest. To make
 * progress it must use each section batch before it faults in the next.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "hmm_dmirror.h"
#include "hmm_user.h"

#define GROUP	"memcg_limit"
/* The cgroup's memory limit, and the size of each vector. */
#define LIMIT	"24M"
#define SIZE	(16UL << 20)
#define NR	(SIZE / sizeof(int))
/* In seconds; each test takes one or two. */
#define DEADLINE 60

FIXTURE(memcg_limit) {
	int fd;
	int *x;
	int *y;
};

/* The harness forks for each test, so all of its memory is charged to the group. */
FIXTURE_SETUP(memcg_limit)
{
	int ret = swap_ready() ?: cgroup_make(GROUP, LIMIT) ?: cgroup_enter(GROUP);

	if (ret)
		SKIP(return, "no swap space or no memory cgroups: %d", ret);
	self->fd = open("/dev/hmm_dmirror0", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->x = map_aligned(SIZE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	self->y = map_aligned(SIZE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	ASSERT_NE(NULL, self->x);
	ASSERT_NE(NULL, self->y);
	madvise(self->x, SIZE, MADV_NOHUGEPAGE);
	madvise(self->y, SIZE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < NR; i++) {
		self->x[i] = i % 1000;
		self->y[i] = i % 10;
	}
	/* Kill a test that makes no progress, which fails it. */
	alarm(DEADLINE);
}

FIXTURE_TEARDOWN(memcg_limit)
{
	cgroup_leave(GROUP);
}

TEST_F_TIMEOUT(memcg_limit, sum, 2 * DEADLINE)
{
	struct hmm_dmirror_compute compute = {
		.op = HMM_DMIRROR_SUM, .n = NR, .x = (uintptr_t)self->x,
	};
	__s64 sum = 0;

	for (size_t i = 0; i < NR; i++)
		sum += i % 1000;
	ASSERT_EQ(0, ioctl(self->fd, HMM_DMIRROR_COMPUTE, &compute));
	EXPECT_EQ(sum, compute.sum);
}

TEST_F_TIMEOUT(memcg_limit, saxpy, 2 * DEADLINE)
{
	struct hmm_dmirror_compute compute = {
		.op = HMM_DMIRROR_SAXPY, .a = 3, .n = NR,
		.x = (uintptr_t)self->x, .y = (uintptr_t)self->y,
	};
	size_t wrong = 0;

	ASSERT_EQ(0, ioctl(self->fd, HMM_DMIRROR_COMPUTE, &compute));
	for (size_t i = 0; i < NR; i++)
		wrong += self->y[i] != (int)(3 * (i % 1000) + i % 10);
	EXPECT_EQ(0, wrong);
}

/* The driver's buffer is charged to the group, too, and takes most of the limit. */
TEST_F_TIMEOUT(memcg_limit, read, 2 * DEADLINE)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)self->x, .ptr = (uintptr_t)self->y,
		.npages = SIZE / PAGE,
	};
	int ret = ioctl(self->fd, HMM_DMIRROR_READ, &cmd) ? -errno : 0;

	if (ret == -ENOMEM)
		SKIP(return, "no memory for the driver's buffer");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(0, memcmp(self->x, self->y, SIZE));
}

/* A fatal signal must end the computation at any point. */
TEST_F(memcg_limit, killed)
{
	struct hmm_dmirror_compute compute = {
		.op = HMM_DMIRROR_SUM, .n = NR, .x = (uintptr_t)self->x,
	};
	int status, tries;
	pid_t child = fork();

	if (!child) {
		int fd = open("/dev/hmm_dmirror0", O_RDWR);

		for (;;)
			ioctl(fd, HMM_DMIRROR_COMPUTE, &compute);
	}
	ASSERT_LT(0, child);
	usleep(300000);
	kill(child, SIGKILL);
	for (tries = 0; tries < 500; tries++) {
		if (waitpid(child, &status, WNOHANG) == child)
			break;
		usleep(10000);
	}
	EXPECT_LT(tries, 500);
}

/* A limit of a quarter of the vector. */
#define SMALL_GROUP	"memcg_small"
#define SMALL_LIMIT	"8M"
#define LARGE_PAGES	((32UL << 20) / PAGE)

FIXTURE(memcg_small) {
	int fd;
	int *x;
};

FIXTURE_SETUP(memcg_small)
{
	int ret = swap_ready() ?: cgroup_make(SMALL_GROUP, SMALL_LIMIT) ?:
		  cgroup_enter(SMALL_GROUP);

	if (ret)
		SKIP(return, "no swap space or no memory cgroups: %d", ret);
	self->fd = open("/dev/hmm_dmirror0", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->x = map_aligned(LARGE_PAGES * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	ASSERT_NE(NULL, self->x);
	madvise(self->x, LARGE_PAGES * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < LARGE_PAGES * PAGE / sizeof(int); i++)
		self->x[i] = i % 1000;
	alarm(DEADLINE);
}

FIXTURE_TEARDOWN(memcg_small)
{
	cgroup_leave(SMALL_GROUP);
}

static long faults_of_thread(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/*
 * The driver faults in all of the rest when the device stops, and at most a quarter of
 * the vector is present then. A device that goes on only afterwards stops at least four
 * times, whichever pages are reclaimed: at 32, 24, 16 and 8 MiB that are left. So it has
 * at least (80 - 4 * 8) MiB faulted in, where one that goes on in each section has 32 MiB.
 */
TEST_F_TIMEOUT(memcg_small, pages_are_faulted_in_once, 2 * DEADLINE)
{
	const size_t nr = LARGE_PAGES * PAGE / sizeof(int);
	struct hmm_dmirror_compute compute = {
		.op = HMM_DMIRROR_SUM, .n = nr, .x = (uintptr_t)self->x,
	};
	long faults = faults_of_thread();
	__s64 sum = 0;

	for (size_t i = 0; i < nr; i++)
		sum += i % 1000;
	ASSERT_EQ(0, ioctl(self->fd, HMM_DMIRROR_COMPUTE, &compute));
	EXPECT_EQ(sum, compute.sum);
	faults = faults_of_thread() - faults;
	/* Otherwise the vector was not larger than the limit. */
	EXPECT_LT(LARGE_PAGES / 2, faults);
	EXPECT_GT(LARGE_PAGES * 5 / 4, faults);
}

TEST_HARNESS_MAIN
