// SPDX-License-Identifier: GPL-2.0
/*
 * Copies of a unit's memory in batches, which take their time; and pages of it that
 * are bad. Each test runs with private and with coherent memory.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "hmm_dmirror.h"
#include "fixture_dmirror.h"

#define RW		(PROT_READ | PROT_WRITE)
/* The memory of the unit, and small pages that fill it. */
#define PAGES		512UL

FIXTURE(copy_batches) {
	int device;
	int pipe[2];
	char *at;
};

FIXTURE_VARIANT(copy_batches) {
	int unit;
	int place;	/* of its memory, in a snapshot */
};

FIXTURE_VARIANT_ADD(copy_batches, private) {
	.unit = 0,
	.place = HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL,
};

FIXTURE_VARIANT_ADD(copy_batches, coherent) {
	.unit = 2,
	.place = HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL,
};

/* Run a command; return a negative error number or cpages. */
static int command(int device, unsigned long request, unsigned long addr,
		   unsigned long number)
{
	struct hmm_dmirror_cmd cmd = { .addr = addr, .ptr = number, .npages = 1 };

	return ioctl(device, request, &cmd) ? -errno : (int)cmd.cpages;
}

static int migrate(int device, char *at)
{
	return device_call(device, HMM_DMIRROR_MIGRATE_TO_DEV, at, PAGES);
}

static int migrate_back(int device, char *at)
{
	return device_call(device, HMM_DMIRROR_MIGRATE_TO_SYS, at, PAGES);
}

FIXTURE_SETUP(copy_batches)
{
	self->device = device_open(variant->unit);
	if (self->device < 0)
		SKIP(return, "no such unit");
	ASSERT_EQ(0, pipe(self->pipe));
	ASSERT_LE(0, device_call(self->device, HMM_DMIRROR_RELEASE, NULL, 1));
	ASSERT_EQ(0, limit_memory(self->device, PAGES));
	self->at = map_aligned(PAGES * PAGE, HUGE, RW, MAP_PRIVATE, -1);
	ASSERT_NE(NULL, self->at);
	madvise(self->at, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < PAGES; i++)
		*(size_t *)(self->at + i * PAGE) = i;
}

FIXTURE_TEARDOWN(copy_batches)
{
	if (self->device < 0)
		return;
	command(self->device, HMM_DMIRROR_COPY_DELAY, 0, 0);
	munmap(self->at, PAGES * PAGE);
	EXPECT_LE(0, device_call(self->device, HMM_DMIRROR_RELEASE, NULL, 1));
	EXPECT_EQ(0, limit_memory(self->device, NO_LIMIT));
}

/* How many pages have their number. The kernel reads them, so that none is a SIGBUS. */
static size_t right_pages(int *pipe, char *at)
{
	size_t right = 0, number;

	for (size_t i = 0; i < PAGES; i++)
		right += write(pipe[1], at + i * PAGE, sizeof(number)) > 0 &&
			 read(pipe[0], &number, sizeof(number)) > 0 &&
			 number == i;
	return right;
}

/* The copy engine of the C driver has several batches; the other copies at once. */
static int least_in_flight(void)
{
	return access("/sys/module/hmm_dmirror", F_OK) ? 1 : 2;
}

TEST_F(copy_batches, in_batches)
{
	ASSERT_LE(0, command(self->device, HMM_DMIRROR_COPY_DELAY, 0, 20));
	EXPECT_EQ(PAGES, migrate(self->device, self->at));
	EXPECT_LE(least_in_flight(),
		  command(self->device, HMM_DMIRROR_COPY_DELAY, 0, 20));
	EXPECT_EQ(PAGES, migrate_back(self->device, self->at));
	EXPECT_LE(least_in_flight(),
		  command(self->device, HMM_DMIRROR_COPY_DELAY, 0, 0));
	EXPECT_EQ(PAGES, right_pages(self->pipe, self->at));
}

/* A process whose pages are copied can be killed; nothing is left in the device. */
TEST_F(copy_batches, killed)
{
	double began;
	pid_t child;

	ASSERT_LE(0, command(self->device, HMM_DMIRROR_COPY_DELAY, 0, 500));
	child = fork();
	if (!child) {
		int device = device_open(variant->unit);

		migrate(device, self->at);
		_exit(0);
	}
	ASSERT_LT(0, child);
	usleep(300000);
	began = monotonic_seconds();
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_GT(2.0, monotonic_seconds() - began);
	ASSERT_LE(0, command(self->device, HMM_DMIRROR_COPY_DELAY, 0, 0));
	EXPECT_EQ(PAGES, right_pages(self->pipe, self->at));
}

/* The same while the pages are copied from the memory of another unit. */
TEST_F(copy_batches, killed_from_unit_to_unit)
{
	int other = device_open(variant->unit + 1);
	double began;
	pid_t child;

	if (other < 0)
		SKIP(return, "no other unit of this kind");
	ASSERT_EQ(PAGES, migrate(self->device, self->at));
	ASSERT_LE(0, command(other, HMM_DMIRROR_COPY_DELAY, 0, 500));
	child = fork();
	if (!child) {
		int device = device_open(variant->unit + 1);

		migrate(device, self->at);
		_exit(0);
	}
	ASSERT_LT(0, child);
	usleep(500000);
	began = monotonic_seconds();
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	EXPECT_GT(2.0, monotonic_seconds() - began);
	ASSERT_LE(0, command(other, HMM_DMIRROR_COPY_DELAY, 0, 0));
	EXPECT_EQ(PAGES, right_pages(self->pipe, self->at));
	EXPECT_LE(0, device_call(other, HMM_DMIRROR_RELEASE, NULL, 1));
	close(other);
}

TEST_F(copy_batches, bad_pages)
{
	ASSERT_EQ(PAGES, migrate(self->device, self->at));
	/* It can be read still. */
	EXPECT_EQ(1, command(self->device, HMM_DMIRROR_RETIRE, 7 * PAGE, 0));
	EXPECT_EQ(PAGES, right_pages(self->pipe, self->at));
	migrate_back(self->device, self->at);
	/* One of them finds no room. */
	EXPECT_EQ(-ENOENT, migrate(self->device, self->at));
	EXPECT_EQ(PAGES - 1, device_holds(self->device, self->at, PAGES,
					  variant->place));

	/* It cannot: one page of the process is lost. */
	EXPECT_EQ(2, command(self->device, HMM_DMIRROR_RETIRE, 9 * PAGE, 1));
	EXPECT_EQ(PAGES - 1, right_pages(self->pipe, self->at));
	EXPECT_EQ(-ENOENT, command(self->device, HMM_DMIRROR_RETIRE,
				   PAGES * PAGE, 0));
}

TEST_HARNESS_MAIN
