// SPDX-License-Identifier: GPL-2.0
/*
 * Advice to a unit about memory (HMM_DMIRROR_ADVISE): what it is about, how long it is
 * valid, and what the unit does. The C and Rust drivers must pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "hmm_dmirror.h"
#include "fixture_dmirror.h"

#define RW		(PROT_READ | PROT_WRITE)
#define PAGES		64UL
#define MOST		65536UL
#define NONE		HMM_DMIRROR_LOCATION_NONE
#define SYSTEM		HMM_DMIRROR_LOCATION_SYSTEM

FIXTURE(attributes) {
	int fd;		/* the unit */
	int other;	/* another one */
	int local;	/* HMM_DMIRROR_PROT_* of a page in the unit's memory */
	char *at;	/* PAGES small pages */
	char *buffer;	/* as many, for data */
};

FIXTURE_VARIANT(attributes) {
	int unit;	/* and the one after it */
};

FIXTURE_VARIANT_ADD(attributes, private) {
	.unit = 0,
};

FIXTURE_VARIANT_ADD(attributes, coherent) {
	.unit = 2,
};

/* Small pages, so that each can be in other memory, all of them absent. */
static void *map_pages(void *at)
{
	char *map = mmap(at, PAGES * PAGE, RW,
			 MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);

	madvise(map, PAGES * PAGE, MADV_NOHUGEPAGE);
	return map;
}

FIXTURE_SETUP(attributes)
{
	self->fd = device_open(variant->unit);
	self->other = device_open(variant->unit + 1);
	if (self->fd < 0 || self->other < 0)
		SKIP(return, "no such units");
	self->local = variant->unit ? HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL :
				      HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL;
	self->at = map_pages(NULL);
	self->buffer = map_pages(NULL);
	ASSERT_NE(MAP_FAILED, (void *)self->at);
	ASSERT_NE(MAP_FAILED, (void *)self->buffer);
}

FIXTURE_TEARDOWN(attributes)
{
	munmap(self->at, PAGES * PAGE);
	munmap(self->buffer, PAGES * PAGE);
	close(self->fd);
	close(self->other);
}

/* Return 0 or a negative error number. */
static int advise(int fd, const void *at, uint64_t npages, uint32_t advice, int32_t location)
{
	struct hmm_dmirror_advice cmd = {
		.addr = (uintptr_t)at,
		.npages = npages,
		.advice = advice,
		.location = location,
	};

	return ioctl(fd, HMM_DMIRROR_ADVISE, &cmd) ? -errno : 0;
}

/* Look up attributes; return how many pages have them, or a negative error number. */
static long attributes(int fd, const void *at, uint64_t npages, int *location, int *flags)
{
	struct hmm_dmirror_attributes cmd = { .addr = (uintptr_t)at, .npages = npages };

	if (ioctl(fd, HMM_DMIRROR_ATTRIBUTES, &cmd))
		return -errno;
	*location = cmd.location;
	*flags = cmd.flags;
	return cmd.npages;
}

/* Whether @npages, and no more of those up to @limit, have these attributes. */
static bool has(int fd, const void *at, uint64_t limit, long npages, int location, int flags)
{
	int got_location = 0, got_flags = 0;

	return attributes(fd, at, limit, &got_location, &got_flags) == npages &&
	       got_location == location && got_flags == flags;
}

/* Run READ or WRITE; return the number of faults, or a negative error number. */
static long job(int fd, unsigned long nr, const void *at, size_t npages, void *buffer)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)at,
		.ptr = (uintptr_t)buffer,
		.npages = npages,
	};

	return ioctl(fd, nr, &cmd) ? -errno : (long)cmd.faults;
}

/* Count the pages that the unit has mapped with these rights. */
static int mapped(int fd, const void *at, size_t npages, unsigned char rights)
{
	unsigned char prot[PAGES];
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)at, .ptr = (uintptr_t)prot, .npages = npages };
	int count = 0;

	if (ioctl(fd, HMM_DMIRROR_PEEK, &cmd))
		return -errno;
	for (size_t i = 0; i < npages; i++)
		count += prot[i] == rights;
	return count;
}

/* Fill pages, each with another number. */
static void fill(char *at, size_t npages, int number)
{
	for (size_t i = 0; i < npages; i++)
		memset(at + i * PAGE, number + i, PAGE);
}

static bool is_filled(const char *at, size_t npages, int number)
{
	for (size_t i = 0; i < npages * PAGE; i++)
		if (at[i] != (char)(number + i / PAGE))
			return false;
	return true;
}

/* Have the units' mappings of all pages removed, which are in system memory. */
static void unmap_from_unit(char *at)
{
	mprotect(at, PAGES * PAGE, PROT_READ);
	mprotect(at, PAGES * PAGE, RW);
}

TEST_F(attributes, malformed)
{
	const struct {
		uint64_t addr, npages;
		uint32_t advice;
		int32_t location;
		int error;
	} bad[] = {
		{ 1, 1, HMM_DMIRROR_SET_READ_MOSTLY, NONE, -EINVAL },
		{ 0, 0, HMM_DMIRROR_SET_READ_MOSTLY, NONE, -EINVAL },
		{ 0, 1ULL << 52, HMM_DMIRROR_SET_READ_MOSTLY, NONE, -EINVAL },
		{ 0, 1ULL << 51, HMM_DMIRROR_SET_READ_MOSTLY, NONE, -EFAULT },
		{ 0, 1, 0, NONE, -EINVAL },
		{ 0, 1, HMM_DMIRROR_UNSET_ACCESSED_BY + 1, NONE, -EINVAL },
		{ 0, 1, UINT32_MAX, NONE, -EINVAL },
		{ 0, 1, HMM_DMIRROR_SET_READ_MOSTLY, 0, -EINVAL },
		{ 0, 1, HMM_DMIRROR_UNSET_READ_MOSTLY, SYSTEM, -EINVAL },
		{ 0, 1, HMM_DMIRROR_SET_PREFERRED_LOCATION, NONE, -EINVAL },
		{ 0, 1, HMM_DMIRROR_SET_PREFERRED_LOCATION, 1000, -EINVAL },
		{ 0, 1, HMM_DMIRROR_SET_PREFERRED_LOCATION, INT32_MIN, -EINVAL },
		{ 0, 1, HMM_DMIRROR_SET_PREFERRED_LOCATION, INT32_MAX, -EINVAL },
		{ 0, 1, HMM_DMIRROR_UNSET_PREFERRED_LOCATION, 0, -EINVAL },
		{ 0, 1, HMM_DMIRROR_SET_ACCESSED_BY, 0, -EINVAL },
		{ 0, 1, HMM_DMIRROR_UNSET_ACCESSED_BY, SYSTEM, -EINVAL },
	};
	int location, flags;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(bad[i].error, advise(self->fd, self->at + bad[i].addr, bad[i].npages,
					       bad[i].advice, bad[i].location)) {
			TH_LOG("case %zu", i);
		}
	}
	EXPECT_EQ(-EFAULT, advise(self->fd, (void *)(1UL << 63), 1,
				  HMM_DMIRROR_SET_READ_MOSTLY, NONE));
	EXPECT_EQ(-1, ioctl(self->fd, HMM_DMIRROR_ADVISE, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->fd, HMM_DMIRROR_ATTRIBUTES, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-EINVAL, attributes(self->fd, self->at + 1, 1, &location, &flags));
	EXPECT_EQ(-EINVAL, attributes(self->fd, self->at, 0, &location, &flags));
	EXPECT_TRUE(has(self->fd, self->at, PAGES, PAGES, NONE, 0));
}

/* Advice about some pages ends at their borders, and neighbours that are the same are one. */
TEST_F(attributes, borders)
{
	char *at = self->at;

	ASSERT_EQ(0, advise(self->fd, at + 4 * PAGE, 8, HMM_DMIRROR_SET_READ_MOSTLY, NONE));
	ASSERT_EQ(0, advise(self->fd, at + 8 * PAGE, 8, HMM_DMIRROR_SET_PREFERRED_LOCATION,
			    variant->unit));
	EXPECT_TRUE(has(self->fd, at, PAGES, 4, NONE, 0));
	EXPECT_TRUE(has(self->fd, at + 4 * PAGE, 60, 4, NONE, HMM_DMIRROR_READ_MOSTLY));
	EXPECT_TRUE(has(self->fd, at + 8 * PAGE, 56, 4, variant->unit, HMM_DMIRROR_READ_MOSTLY));
	EXPECT_TRUE(has(self->fd, at + 12 * PAGE, 52, 4, variant->unit, 0));
	EXPECT_TRUE(has(self->fd, at + 9 * PAGE, 2, 2, variant->unit, HMM_DMIRROR_READ_MOSTLY));

	ASSERT_EQ(0, advise(self->fd, at, PAGES, HMM_DMIRROR_UNSET_PREFERRED_LOCATION, NONE));
	EXPECT_TRUE(has(self->fd, at + 4 * PAGE, 60, 8, NONE, HMM_DMIRROR_READ_MOSTLY));
	EXPECT_TRUE(has(self->fd, at + 12 * PAGE, 52, 52, NONE, 0));
	/* It is this unit's advice only, and ends with the file. */
	EXPECT_TRUE(has(self->other, at, PAGES, PAGES, NONE, 0));
	close(self->fd);
	self->fd = device_open(variant->unit);
	EXPECT_TRUE(has(self->fd, at, PAGES, PAGES, NONE, 0));
}

/* A fault of the unit moves the pages that are to be in its memory, and no others. */
TEST_F(attributes, preferred_location)
{
	char *at = self->at;

	fill(at, PAGES, 1);
	ASSERT_LE(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES, self->buffer));
	EXPECT_EQ(PAGES, device_holds(self->fd, at, PAGES, 0));
	ASSERT_EQ(0, advise(self->fd, at, PAGES, HMM_DMIRROR_SET_PREFERRED_LOCATION, SYSTEM));
	ASSERT_EQ(0, advise(self->fd, at + 8 * PAGE, 8, HMM_DMIRROR_SET_PREFERRED_LOCATION,
			    variant->unit));
	ASSERT_EQ(0, advise(self->fd, at + 16 * PAGE, 8, HMM_DMIRROR_SET_PREFERRED_LOCATION,
			    variant->unit + 1));
	/* Advice moves nothing, and what is mapped does not fault. */
	EXPECT_EQ(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES, self->buffer));
	EXPECT_EQ(PAGES, device_holds(self->fd, at, PAGES, 0));
	unmap_from_unit(at);
	ASSERT_LT(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES, self->buffer));
	EXPECT_TRUE(is_filled(self->buffer, PAGES, 1));
	EXPECT_EQ(8, device_holds(self->fd, at, PAGES, self->local));
	EXPECT_EQ(8, device_holds(self->fd, at + 8 * PAGE, 8, self->local));

	/* A write, too; then the CPU has what was written. */
	EXPECT_TRUE(is_filled(at, PAGES, 1));
	ASSERT_EQ(0, advise(self->fd, at + 32 * PAGE, 8, HMM_DMIRROR_SET_PREFERRED_LOCATION,
			    variant->unit));
	unmap_from_unit(at);
	fill(self->buffer, PAGES, 50);
	ASSERT_LT(0, job(self->fd, HMM_DMIRROR_WRITE, at, PAGES, self->buffer));
	EXPECT_EQ(8, device_holds(self->fd, at + 8 * PAGE, 8, self->local));
	EXPECT_EQ(8, device_holds(self->fd, at + 32 * PAGE, 8, self->local));
	EXPECT_EQ(16, device_holds(self->fd, at, PAGES, self->local));
	EXPECT_TRUE(is_filled(at, PAGES, 50));
}

/* A read of pages that are mostly read leaves them where all can read; a write does not. */
TEST_F(attributes, read_mostly)
{
	char *at = self->at;

	fill(at, PAGES, 1);
	ASSERT_EQ(0, advise(self->fd, at, PAGES, HMM_DMIRROR_SET_PREFERRED_LOCATION,
			    variant->unit));
	ASSERT_EQ(0, advise(self->fd, at, PAGES / 2, HMM_DMIRROR_SET_READ_MOSTLY, NONE));
	ASSERT_LT(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES, self->buffer));
	EXPECT_TRUE(is_filled(self->buffer, PAGES, 1));
	EXPECT_EQ(PAGES / 2, device_holds(self->fd, at, PAGES / 2, 0));
	EXPECT_EQ(PAGES / 2, device_holds(self->fd, at + PAGES / 2 * PAGE, PAGES / 2,
					  self->local));

	/* In turns with another unit, which reads too: nobody takes the pages. */
	for (int i = 0; i < 3; i++) {
		ASSERT_LE(0, job(self->other, HMM_DMIRROR_READ, at, PAGES / 2, self->buffer));
		ASSERT_EQ(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES / 2, self->buffer));
	}
	EXPECT_EQ(PAGES / 2, device_holds(self->fd, at, PAGES / 2, 0));

	unmap_from_unit(at);
	fill(self->buffer, PAGES / 2, 9);
	ASSERT_LT(0, job(self->fd, HMM_DMIRROR_WRITE, at, PAGES / 2, self->buffer));
	EXPECT_EQ(PAGES / 2, device_holds(self->fd, at, PAGES / 2, self->local));
	EXPECT_TRUE(is_filled(at, PAGES / 2, 9));
}

/* Present pages are mapped when the advice is given, and absent ones stay absent. */
TEST_F(attributes, accessed_by)
{
	char *at = self->at;

	fill(at, PAGES / 2, 1);
	EXPECT_EQ(PAGES, mapped(self->fd, at, PAGES, HMM_DMIRROR_PROT_NONE));
	ASSERT_EQ(0, advise(self->fd, at, PAGES, HMM_DMIRROR_SET_ACCESSED_BY, NONE));
	EXPECT_EQ(PAGES / 2, mapped(self->fd, at, PAGES / 2, HMM_DMIRROR_PROT_WRITE));
	EXPECT_EQ(PAGES / 2, mapped(self->fd, at + PAGES / 2 * PAGE, PAGES / 2,
				    HMM_DMIRROR_PROT_NONE));
	EXPECT_EQ(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES / 2, self->buffer));
	EXPECT_TRUE(is_filled(self->buffer, PAGES / 2, 1));
	fill(self->buffer, PAGES / 2, 30);
	EXPECT_EQ(0, job(self->fd, HMM_DMIRROR_WRITE, at, PAGES / 2, self->buffer));
	EXPECT_TRUE(is_filled(at, PAGES / 2, 30));

	/* The CPU may only read, and so may the unit. */
	mprotect(at, PAGES / 2 * PAGE, PROT_READ);
	EXPECT_EQ(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES / 2, self->buffer));
	EXPECT_EQ(PAGES / 2, mapped(self->fd, at, PAGES / 2, HMM_DMIRROR_PROT_READ));
	EXPECT_EQ(-EPERM, job(self->fd, HMM_DMIRROR_WRITE, at, PAGES / 2, self->buffer));
	mprotect(at, PAGES / 2 * PAGE, RW);

	/* Without the advice the unit faults again. */
	ASSERT_EQ(0, advise(self->fd, at, PAGES, HMM_DMIRROR_UNSET_ACCESSED_BY, NONE));
	EXPECT_LT(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES / 2, self->buffer));
}

/* What moves to another unit's memory and back is mapped again. */
TEST_F(attributes, accessed_by_after_migration)
{
	char *at = self->at;

	fill(at, PAGES, 1);
	ASSERT_EQ(0, advise(self->fd, at, PAGES, HMM_DMIRROR_SET_ACCESSED_BY, NONE));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(PAGES, device_call(self->other, HMM_DMIRROR_MIGRATE_TO_DEV, at, PAGES));
		EXPECT_EQ(PAGES, mapped(self->fd, at, PAGES, HMM_DMIRROR_PROT_NONE));
		ASSERT_EQ(PAGES, device_call(self->other, HMM_DMIRROR_MIGRATE_TO_SYS, at, PAGES));
		EXPECT_EQ(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES, self->buffer));
		EXPECT_TRUE(is_filled(self->buffer, PAGES, 1));
	}
	/* To its own memory, and back by the CPU. */
	ASSERT_EQ(PAGES, device_call(self->fd, HMM_DMIRROR_MIGRATE_TO_DEV, at, PAGES));
	EXPECT_EQ(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES, self->buffer));
	EXPECT_EQ(PAGES, device_holds(self->fd, at, PAGES, self->local));
	EXPECT_TRUE(is_filled(at, PAGES, 1));
	EXPECT_EQ(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES, self->buffer));
	EXPECT_TRUE(is_filled(self->buffer, PAGES, 1));
}

/*
 * One page is changed, of many that the unit has mapped as one. The first time that splits
 * the CPU's entry of the huge page, which invalidates all of it; the second time only the
 * page is invalidated.
 */
TEST_F(attributes, accessed_by_in_part)
{
	char *at = map_aligned(HUGE, HUGE, RW, MAP_PRIVATE, -1);
	char *data = malloc(HUGE);

	ASSERT_NE(NULL, at);
	ASSERT_NE(NULL, data);
	madvise(at, HUGE, MADV_HUGEPAGE);
	fill(at, HUGE / PAGE, 1);
	ASSERT_EQ(0, advise(self->fd, at, HUGE / PAGE, HMM_DMIRROR_SET_ACCESSED_BY, NONE));
	EXPECT_EQ(0, job(self->fd, HMM_DMIRROR_READ, at, HUGE / PAGE, data));
	for (int i = 5; i < 120; i += 95) {
		madvise(at + i * PAGE, PAGE, MADV_DONTNEED);
		memset(at + i * PAGE, 1 + i, PAGE);
		EXPECT_EQ(0, job(self->fd, HMM_DMIRROR_READ, at, HUGE / PAGE, data));
		EXPECT_TRUE(is_filled(data, HUGE / PAGE, 1));
	}
	free(data);
	munmap(at, HUGE);
}

struct migration {
	int fd;
	char *at;
	pid_t tid;
};

static void *migrate_to_sys(void *data)
{
	struct migration *migration = data;

	__atomic_store_n(&migration->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	device_call(migration->fd, HMM_DMIRROR_MIGRATE_TO_SYS, migration->at, PAGES);
	return NULL;
}

/* A job waits for pages that are migrating, and then has them mapped. */
TEST_F(attributes, accessed_by_while_migrating)
{
	struct hmm_dmirror_cmd slow = { .npages = 1, .ptr = 500 }, fast = { .npages = 1 };
	long faults = 1;
	int tries;

	ASSERT_EQ(0, advise(self->fd, self->at, PAGES, HMM_DMIRROR_SET_ACCESSED_BY, NONE));
	/* The thread that migrates may be blocked before it has unmapped any page. */
	for (tries = 0; tries < 5 && faults; tries++) {
		struct migration migration = { .fd = self->other, .at = self->at };
		pthread_t thread;

		fill(self->at, PAGES, 1 + tries);
		ASSERT_EQ(PAGES, device_call(self->other, HMM_DMIRROR_MIGRATE_TO_DEV, self->at,
					     PAGES));
		ASSERT_EQ(0, ioctl(self->other, HMM_DMIRROR_COPY_DELAY, &slow));
		ASSERT_EQ(0, pthread_create(&thread, NULL, migrate_to_sys, &migration));
		while (!__atomic_load_n(&migration.tid, __ATOMIC_ACQUIRE))
			usleep(1000);
		EXPECT_TRUE(wait_blocked(migration.tid));
		faults = job(self->fd, HMM_DMIRROR_READ, self->at, PAGES, self->buffer);
		EXPECT_TRUE(is_filled(self->buffer, PAGES, 1 + tries));
		pthread_join(thread, NULL);
		ioctl(self->other, HMM_DMIRROR_COPY_DELAY, &fast);
	}
	EXPECT_EQ(0, faults);
}

/* Advice is about addresses: it is valid for what is mapped there next. */
TEST_F(attributes, survive_munmap)
{
	char *at = self->at;

	/* Before anything is there. */
	munmap(at, PAGES * PAGE);
	ASSERT_EQ(0, advise(self->fd, at, PAGES / 2, HMM_DMIRROR_SET_PREFERRED_LOCATION,
			    variant->unit));
	ASSERT_EQ(0, advise(self->fd, at + PAGES / 2 * PAGE, PAGES / 2,
			    HMM_DMIRROR_SET_ACCESSED_BY, NONE));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ((void *)at, map_pages(at));
		fill(at, PAGES, 1 + i);
		/*
		 * The unmapping is an invalidation, and so these pages are mapped in
		 * advance the second time. Of the first nobody was notified.
		 */
		EXPECT_EQ(!i, 0 < job(self->fd, HMM_DMIRROR_READ, at + PAGES / 2 * PAGE,
				      PAGES / 2, self->buffer + PAGES / 2 * PAGE));
		EXPECT_LT(0, job(self->fd, HMM_DMIRROR_READ, at, PAGES / 2, self->buffer));
		EXPECT_TRUE(is_filled(self->buffer, PAGES, 1 + i));
		EXPECT_EQ(PAGES / 2, device_holds(self->fd, at, PAGES, self->local));
		munmap(at, PAGES * PAGE);
		EXPECT_TRUE(has(self->fd, at, PAGES, PAGES / 2, variant->unit, 0));
	}
	EXPECT_EQ(-EFAULT, job(self->fd, HMM_DMIRROR_READ, at, 1, self->buffer));
}

/* A program that was executed has the file, and not the memory of before. */
#define EXECUTED_FD "ATTRIBUTES_EXECUTED_FD"

__attribute__((constructor)) static void executed(void)
{
	const char *fd = getenv(EXECUTED_FD);
	int location, flags;

	if (!fd)
		return;
	if (advise(atoi(fd), (void *)(16 * PAGE), 1, HMM_DMIRROR_SET_READ_MOSTLY, NONE) != -EINVAL)
		_exit(1);
	if (attributes(atoi(fd), (void *)(16 * PAGE), 1, &location, &flags) != -EINVAL)
		_exit(2);
	_exit(0);
}

static int wait_status(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(attributes, fork_and_exec)
{
	char number[16];
	pid_t child;

	fill(self->at, PAGES, 1);
	ASSERT_EQ(0, advise(self->fd, self->at, PAGES, HMM_DMIRROR_SET_ACCESSED_BY, NONE));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		int own = device_open(variant->unit);

		if (advise(self->fd, self->at, PAGES, HMM_DMIRROR_UNSET_ACCESSED_BY, NONE) !=
		    -EINVAL)
			_exit(1);
		if (own < 0 || !has(own, self->at, PAGES, PAGES, NONE, 0))
			_exit(2);
		/* Copies the pages: those of the parent are invalidated, and stay its own. */
		fill(self->at, PAGES, 99);
		_exit(0);
	}
	EXPECT_EQ(0, wait_status(child));
	EXPECT_TRUE(has(self->fd, self->at, PAGES, PAGES, NONE, HMM_DMIRROR_ACCESSED_BY));
	EXPECT_EQ(0, job(self->fd, HMM_DMIRROR_READ, self->at, PAGES, self->buffer));
	EXPECT_TRUE(is_filled(self->buffer, PAGES, 1));

	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		int fd = device_open(variant->unit);

		if (advise(fd, self->at, PAGES, HMM_DMIRROR_SET_ACCESSED_BY, NONE))
			_exit(4);
		snprintf(number, sizeof(number), "%d", fd);
		setenv(EXECUTED_FD, number, 1);
		fcntl(fd, F_SETFD, 0);
		execl("/proc/self/exe", "attributes", NULL);
		_exit(5);
	}
	EXPECT_EQ(0, wait_status(child));
}

/* Give advice about every second page of @npages, from an address where nothing is. */
static int advise_every_second(int fd, char *at, size_t npages)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < npages; i += 2)
		ret = advise(fd, at + i * PAGE, 1, HMM_DMIRROR_SET_READ_MOSTLY, NONE);
	return ret;
}

/* Memory for advice is limited, and charged to who gives it. */
TEST_F_TIMEOUT(attributes, limit, 120)
{
	char *at = (char *)(1UL << 32);
	long before, after;

	ASSERT_EQ(0, advise_every_second(self->fd, at, 2 * MOST));
	EXPECT_EQ(-ENOSPC, advise(self->fd, at + 2 * MOST * PAGE, 1,
				  HMM_DMIRROR_SET_READ_MOSTLY, NONE));
	EXPECT_EQ(-ENOSPC, advise(self->fd, at, 2 * MOST, HMM_DMIRROR_SET_PREFERRED_LOCATION,
				  SYSTEM));
	EXPECT_TRUE(has(self->fd, at, 2, 1, NONE, HMM_DMIRROR_READ_MOSTLY));
	EXPECT_EQ(0, advise(self->fd, at, 2 * MOST, HMM_DMIRROR_UNSET_READ_MOSTLY, NONE));
	EXPECT_TRUE(has(self->fd, at, 2 * MOST, 2 * MOST, NONE, 0));

	if (cgroup_make("attributes", "256M"))
		SKIP(return, "no memory cgroups");
	ASSERT_EQ(0, cgroup_enter("attributes"));
	before = cgroup_number("attributes", "memory.current");
	EXPECT_EQ(0, advise_every_second(self->fd, at, 2 * MOST));
	after = cgroup_number("attributes", "memory.current");
	EXPECT_LT(before + (long)(MOST * 64), after);
	cgroup_leave("attributes");
}

struct advisor {
	int fd;
	char *at;
	int32_t location;
	bool *stop;
	int error;
};

static void *advise_always(void *data)
{
	struct advisor *advisor = data;
	unsigned int seed = 1;

	while (!__atomic_load_n(advisor->stop, __ATOMIC_RELAXED)) {
		size_t first = rand_r(&seed) % PAGES;
		size_t npages = 1 + rand_r(&seed) % (PAGES - first);
		uint32_t advice = HMM_DMIRROR_SET_READ_MOSTLY + rand_r(&seed) % 6;
		int32_t location = advice == HMM_DMIRROR_SET_PREFERRED_LOCATION ?
				   advisor->location : NONE;
		int ret = advise(advisor->fd, advisor->at + first * PAGE, npages, advice,
				 location);

		if (ret)
			advisor->error = ret;
	}
	return NULL;
}

/* Advice at random while the unit and the CPU use the memory: no data is lost. */
TEST_F_TIMEOUT(attributes, while_faults_run, 60)
{
	bool stop = false;
	struct advisor advisor = {
		.fd = self->fd, .at = self->at, .location = variant->unit, .stop = &stop };
	double end = monotonic_seconds() + 3;
	unsigned long rounds = 0;
	pthread_t thread;

	fill(self->at, PAGES, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, advise_always, &advisor));
	while (monotonic_seconds() < end) {
		fill(self->buffer, PAGES, ++rounds);
		ASSERT_LE(0, job(self->fd, HMM_DMIRROR_WRITE, self->at, PAGES, self->buffer));
		if (rounds % 3 == 0)
			device_call(self->other, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES);
		if (rounds % 2) {
			ASSERT_TRUE(is_filled(self->at, PAGES, rounds));
		} else {
			memset(self->buffer, 0, PAGES * PAGE);
			ASSERT_LE(0, job(self->fd, HMM_DMIRROR_READ, self->at, PAGES,
					 self->buffer));
			ASSERT_TRUE(is_filled(self->buffer, PAGES, rounds));
		}
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, advisor.error);
	EXPECT_LT(2, rounds);
}

TEST_HARNESS_MAIN
