// SPDX-License-Identifier: GPL-2.0
/*
 * A device that works on more memory than the process may have at a time: what
 * it faults in is swapped out again while it faults in the rest. It must use
 * what it has as long as it has it, or it never ends.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "hmm_dmirror.h"
#include "hmm_user.h"

#define CGROUPS	"/tmp/hmm-cgroups"
#define GROUP	CGROUPS "/resident"
/* What may be resident, and what is worked on. */
#define LIMIT	"24M"
#define SIZE	(16UL << 20)
#define NR	(SIZE / sizeof(int))
/* It takes a second or two. */
#define PATIENCE 60

FIXTURE(resident) {
	int fd;
	int *x;
	int *y;
};

static int group_make(void)
{
	mkdir(CGROUPS, 0755);
	if (access(CGROUPS "/cgroup.procs", F_OK) &&
	    mount("none", CGROUPS, "cgroup2", 0, NULL))
		return -errno;
	setting_write(CGROUPS "/cgroup.subtree_control", "+memory");
	mkdir(GROUP, 0755);
	return setting_write(GROUP "/memory.max", LIMIT);
}

static int group_enter(const char *group)
{
	char path[64], pid[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return setting_write(path, pid);
}

/* Each test is in a process of its own: the group gets all of its memory. */
FIXTURE_SETUP(resident)
{
	int ret = swap_ready() ?: group_make() ?: group_enter(GROUP);

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
	/* If it never ends, it is killed, and that is a failure. */
	alarm(PATIENCE);
}

FIXTURE_TEARDOWN(resident)
{
	group_enter(CGROUPS);
}

TEST_F_TIMEOUT(resident, sum, 2 * PATIENCE)
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

TEST_F_TIMEOUT(resident, saxpy, 2 * PATIENCE)
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

/* The driver's buffer is charged, too, and takes most of what there is. */
TEST_F_TIMEOUT(resident, read, 2 * PATIENCE)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)self->x, .ptr = (uintptr_t)self->y,
		.npages = SIZE / PAGE,
	};
	int ret = ioctl(self->fd, HMM_DMIRROR_READ, &cmd) ? -errno : 0;

	if (ret == -ENOMEM)
		SKIP(return, "there is no memory for the buffer");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(0, memcmp(self->x, self->y, SIZE));
}

/* Whatever it is doing, a fatal signal ends it. */
TEST_F(resident, killed)
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

TEST_HARNESS_MAIN
