// SPDX-License-Identifier: GPL-2.0
/*
 * Peer access: a unit accesses pages in another unit's memory where they are
 * (HMM_DMIRROR_PEERS).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "hmm_dmirror.h"
#include "fixture_dmirror.h"

#define RW		(PROT_READ | PROT_WRITE)
#define PAGES		64UL
#define LOCAL		HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL
/* A page of the other unit that may be written, in a byte of PEEK. */
#define PEER		(HMM_DMIRROR_PROT_PEER | HMM_DMIRROR_PROT_WRITE)
#define PEER_READ	(HMM_DMIRROR_PROT_PEER | HMM_DMIRROR_PROT_READ)
/* In seconds. */
#define RACE_TIME	4
#define RACE_MOST	40

FIXTURE(peers) {
	int owner;	/* the unit that has the pages */
	int fd;		/* the unit that accesses them */
	char *at;	/* PAGES small pages, behind them room */
	char *buffer;	/* as many, for data */
};

/* Fill @npages pages with numbers that all differ. */
static void fill(void *at, size_t npages, uint32_t seed)
{
	uint32_t *numbers = at;

	for (size_t i = 0; i < npages * PAGE / sizeof(*numbers); i++)
		numbers[i] = seed + i;
}

/* Count how many numbers of @npages pages are those. */
static size_t filled(const void *at, size_t npages, uint32_t seed)
{
	const uint32_t *numbers = at;
	size_t right = 0;

	for (size_t i = 0; i < npages * PAGE / sizeof(*numbers); i++)
		right += numbers[i] == seed + i;
	return right;
}

#define NUMBERS(npages)	((npages) * PAGE / sizeof(uint32_t))

/* Run a command with a buffer; return 0 or a negative error number. */
static int command(int fd, unsigned long nr, const void *at, size_t npages, uintptr_t ptr)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)at,
		.ptr = ptr,
		.npages = npages,
	};

	return ioctl(fd, nr, &cmd) ? -errno : 0;
}

static int job(int fd, unsigned long nr, const void *at, size_t npages, void *buffer)
{
	return command(fd, nr, at, npages, (uintptr_t)buffer);
}

static int refuse(int fd, bool refuse)
{
	return command(fd, HMM_DMIRROR_REFUSE_PEERS, NULL, 1, refuse);
}

/* The same; return how many addresses of the unit's memory others have. */
static ssize_t refuse_and_count(int fd, bool refuse)
{
	struct hmm_dmirror_cmd cmd = {
		.ptr = refuse,
		.npages = 1,
	};

	return ioctl(fd, HMM_DMIRROR_REFUSE_PEERS, &cmd) ? -errno : (ssize_t)cmd.cpages;
}

/* Whether a unit's pages have no addresses any more. The end of a mirror may be deferred. */
static bool given_back(int fd)
{
	for (int i = 0; i < 2000 && refuse_and_count(fd, false); i++)
		usleep(10000);
	return !refuse_and_count(fd, false);
}

/* Count the pages that a unit has mapped in this way. */
static size_t mapped(int fd, const void *at, size_t npages, unsigned char prot)
{
	unsigned char prots[512];
	size_t nr = 0;

	if (job(fd, HMM_DMIRROR_PEEK, at, npages, prots))
		return SIZE_MAX;
	for (size_t i = 0; i < npages; i++)
		nr += prots[i] == prot;
	return nr;
}

FIXTURE_SETUP(peers)
{
	self->owner = device_open(0);
	self->fd = device_open(1);
	if (self->owner < 0 || self->fd < 0)
		SKIP(return, "no such units");
	self->at = map_aligned(2 * HUGE, HUGE, RW, MAP_PRIVATE, -1);
	self->buffer = malloc(HUGE);
	ASSERT_NE(NULL, self->at);
	ASSERT_NE(NULL, self->buffer);
	madvise(self->at, 2 * HUGE, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, job(self->fd, HMM_DMIRROR_PEERS, self->at, HUGE / PAGE, NULL));
	fill(self->at, PAGES, 1);
	ASSERT_EQ(PAGES, device_call(self->owner, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES));
}

FIXTURE_TEARDOWN(peers)
{
	if (self->owner < 0 || self->fd < 0)
		return;
	refuse(self->owner, false);
	munmap(self->at, 2 * HUGE);
	free(self->buffer);
	close(self->fd);
	close(self->owner);
}

/* Have the unit read all pages, and map them where they are. */
#define READ_ALL() do {									\
	memset(self->buffer, 0, PAGES * PAGE);						\
	ASSERT_EQ(0, job(self->fd, HMM_DMIRROR_READ, self->at, PAGES, self->buffer));	\
	EXPECT_EQ(NUMBERS(PAGES), filled(self->buffer, PAGES, 1));			\
} while (0)

#define READ_AS_PEER() do {								\
	READ_ALL();									\
	ASSERT_EQ(PAGES, mapped(self->fd, self->at, PAGES, PEER));			\
	ASSERT_EQ(PAGES, device_holds(self->owner, self->at, PAGES, LOCAL));		\
} while (0)

/* Pages stay with their owner, whose unit sees what the other one writes; and so does the CPU. */
TEST_F(peers, read_and_write)
{
	READ_AS_PEER();
	fill(self->buffer, PAGES, 1000);
	ASSERT_EQ(0, job(self->fd, HMM_DMIRROR_WRITE, self->at, PAGES, self->buffer));
	EXPECT_EQ(PAGES, device_holds(self->owner, self->at, PAGES, LOCAL));
	memset(self->buffer, 0, PAGES * PAGE);
	ASSERT_EQ(0, job(self->owner, HMM_DMIRROR_READ, self->at, PAGES, self->buffer));
	EXPECT_EQ(NUMBERS(PAGES), filled(self->buffer, PAGES, 1000));
	EXPECT_EQ(PAGES, mapped(self->fd, self->at, PAGES, PEER));
	/* For the CPU they migrate to system memory, and the address is gone before. */
	EXPECT_EQ(NUMBERS(PAGES), filled(self->at, PAGES, 1000));
	EXPECT_EQ(0, mapped(self->fd, self->at, PAGES, PEER));
	EXPECT_EQ(0, device_holds(self->owner, self->at, PAGES, LOCAL));
}

/* Operands in the owner's memory, in system memory and in the unit's own. */
TEST_F(peers, compute)
{
	struct hmm_dmirror_compute compute = {
		.op = HMM_DMIRROR_SAXPY,
		.a = 3,
		.x = (uintptr_t)self->at,
		.y = (uintptr_t)(self->at + PAGES * PAGE),
		.n = NUMBERS(PAGES),
	};
	uint32_t *y = (uint32_t *)(self->at + PAGES * PAGE);
	size_t right = 0;

	fill(y, PAGES, 7);
	ASSERT_EQ(PAGES / 2, device_call(self->fd, HMM_DMIRROR_MIGRATE_TO_DEV, y, PAGES / 2));
	ASSERT_EQ(0, ioctl(self->fd, HMM_DMIRROR_COMPUTE, &compute));
	EXPECT_EQ(PAGES, mapped(self->fd, self->at, PAGES, PEER));
	EXPECT_EQ(PAGES, device_holds(self->owner, self->at, PAGES, LOCAL));
	for (size_t i = 0; i < NUMBERS(PAGES); i++)
		right += y[i] == 3 * (1 + i) + 7 + i;
	EXPECT_EQ(NUMBERS(PAGES), right);
}

/* Outside the span, or without the command, or refused: pages migrate to system memory. */
TEST_F(peers, to_system_memory)
{
	int other = device_open(1);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, refuse(self->owner, true));
	READ_ALL();
	EXPECT_EQ(0, mapped(self->fd, self->at, PAGES, PEER));
	EXPECT_EQ(0, device_holds(self->owner, self->at, PAGES, LOCAL));

	ASSERT_EQ(0, refuse(self->owner, false));
	ASSERT_EQ(PAGES, device_call(self->owner, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES));
	READ_AS_PEER();
	memset(self->buffer, 0, PAGES * PAGE);
	ASSERT_EQ(0, job(other, HMM_DMIRROR_READ, self->at, PAGES, self->buffer));
	EXPECT_EQ(NUMBERS(PAGES), filled(self->buffer, PAGES, 1));
	EXPECT_EQ(0, device_holds(self->owner, self->at, PAGES, LOCAL));
	close(other);

	fill(self->at + HUGE, PAGES, 5);
	ASSERT_EQ(PAGES, device_call(self->owner, HMM_DMIRROR_MIGRATE_TO_DEV,
				     self->at + HUGE, PAGES));
	ASSERT_EQ(0, job(self->fd, HMM_DMIRROR_READ, self->at + HUGE, PAGES, self->buffer));
	EXPECT_EQ(NUMBERS(PAGES), filled(self->buffer, PAGES, 5));
	EXPECT_EQ(0, device_holds(self->owner, self->at + HUGE, PAGES, LOCAL));
}

/* A refusal is for later addresses: a unit keeps those it has until they are taken back. */
TEST_F(peers, refused_while_mapped)
{
	char *second = self->at + PAGES / 2 * PAGE;

	EXPECT_EQ(0, refuse_and_count(self->owner, false));
	READ_AS_PEER();
	EXPECT_EQ(PAGES, refuse_and_count(self->owner, true));
	READ_AS_PEER();
	fill(self->buffer, PAGES, 1);
	ASSERT_EQ(0, job(self->fd, HMM_DMIRROR_WRITE, self->at, PAGES, self->buffer));
	EXPECT_EQ(PAGES, device_holds(self->owner, self->at, PAGES, LOCAL));

	/* Those of the first half are taken back, and not given again when its pages return. */
	fill(self->at, PAGES / 2, 1);
	EXPECT_EQ(PAGES / 2, refuse_and_count(self->owner, true));
	ASSERT_EQ(PAGES / 2, device_call(self->owner, HMM_DMIRROR_MIGRATE_TO_DEV, self->at,
					 PAGES / 2));
	EXPECT_EQ(PAGES, device_holds(self->owner, self->at, PAGES, LOCAL));
	READ_ALL();
	EXPECT_EQ(PAGES / 2, mapped(self->fd, second, PAGES / 2, PEER));
	EXPECT_EQ(0, mapped(self->fd, self->at, PAGES / 2, PEER));
	EXPECT_EQ(PAGES / 2, device_holds(self->owner, second, PAGES / 2, LOCAL));
	EXPECT_EQ(0, device_holds(self->owner, self->at, PAGES / 2, LOCAL));

	EXPECT_EQ(PAGES / 2, refuse_and_count(self->owner, false));
	ASSERT_EQ(PAGES, device_call(self->owner, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES));
	READ_AS_PEER();
	EXPECT_EQ(PAGES, refuse_and_count(self->owner, false));
}

/* One span for each file; wrong arguments change nothing. */
TEST_F(peers, arguments)
{
	int other = device_open(1);

	ASSERT_LE(0, other);
	EXPECT_EQ(-EBUSY, job(self->fd, HMM_DMIRROR_PEERS, self->at, 1, NULL));
	EXPECT_EQ(-EINVAL, job(other, HMM_DMIRROR_PEERS, self->at, 0, NULL));
	EXPECT_EQ(-EINVAL, job(other, HMM_DMIRROR_PEERS, self->at + 1, 1, NULL));
	/* More than there can be room for. */
	EXPECT_EQ(-ENOMEM, job(other, HMM_DMIRROR_PEERS, (void *)PAGE, 1UL << 34, NULL));
	EXPECT_EQ(-EINVAL, command(self->owner, HMM_DMIRROR_REFUSE_PEERS, NULL, 1, 2));
	EXPECT_EQ(0, job(other, HMM_DMIRROR_PEERS, self->at, 1, NULL));
	close(other);
	READ_AS_PEER();
}

/* What changes the process's mapping takes the addresses away. */
TEST_F(peers, mapping_changes)
{
	char *moved = self->at + HUGE;

	READ_AS_PEER();
	ASSERT_EQ(0, mprotect(self->at, PAGES * PAGE, PROT_READ));
	EXPECT_EQ(0, mapped(self->fd, self->at, PAGES, PEER));
	READ_ALL();
	EXPECT_EQ(PAGES, mapped(self->fd, self->at, PAGES,
				HMM_DMIRROR_PROT_PEER | HMM_DMIRROR_PROT_READ));
	EXPECT_EQ(-EPERM, job(self->fd, HMM_DMIRROR_WRITE, self->at, PAGES, self->buffer));
	ASSERT_EQ(0, mprotect(self->at, PAGES * PAGE, RW));
	READ_ALL();

	/* Move them out of the span, and back. */
	ASSERT_EQ(moved, mremap(self->at, PAGES * PAGE, PAGES * PAGE,
				MREMAP_MAYMOVE | MREMAP_FIXED, moved));
	EXPECT_EQ(PAGES, mapped(self->fd, self->at, PAGES, 0));
	EXPECT_EQ(PAGES, device_holds(self->owner, moved, PAGES, LOCAL));
	EXPECT_EQ(-EFAULT, job(self->fd, HMM_DMIRROR_READ, self->at, PAGES, self->buffer));
	ASSERT_EQ(self->at, mremap(moved, PAGES * PAGE, PAGES * PAGE,
				   MREMAP_MAYMOVE | MREMAP_FIXED, self->at));
	READ_ALL();
	EXPECT_EQ(PAGES, device_holds(self->owner, self->at, PAGES, LOCAL));

	ASSERT_EQ(0, madvise(self->at, PAGES / 2 * PAGE, MADV_DONTNEED));
	EXPECT_EQ(PAGES / 2, mapped(self->fd, self->at, PAGES / 2, 0));
	ASSERT_EQ(0, munmap(self->at, PAGES * PAGE));
	EXPECT_EQ(PAGES, mapped(self->fd, self->at, PAGES, 0));
	EXPECT_EQ(-EFAULT, job(self->fd, HMM_DMIRROR_READ, self->at, PAGES, self->buffer));
}

/* After fork() each process has its own pages once one is written. */
TEST_F(peers, fork)
{
	int status, go[2];
	char byte;
	pid_t pid;

	READ_AS_PEER();
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &byte, 1) == 1 &&
		      filled(self->at, PAGES, 1) == NUMBERS(PAGES) ? 0 : 1);
	}
	EXPECT_EQ(0, mapped(self->fd, self->at, PAGES, PEER));
	READ_ALL();
	fill(self->buffer, PAGES, 2000);
	ASSERT_EQ(0, job(self->fd, HMM_DMIRROR_WRITE, self->at, PAGES, self->buffer));
	ASSERT_EQ(1, write(go[1], "g", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(NUMBERS(PAGES), filled(self->at, PAGES, 2000));
	close(go[0]);
	close(go[1]);
}

/* The owner's memory can go away at any time: a page that is bad, or all of it. */
TEST_F(peers, memory_goes_away)
{
	READ_AS_PEER();
	EXPECT_EQ(0, command(self->owner, HMM_DMIRROR_RETIRE, NULL, 1, 0));
	READ_ALL();
	ASSERT_LE(0, device_call(self->owner, HMM_DMIRROR_RELEASE, NULL, 1));
	EXPECT_EQ(0, mapped(self->fd, self->at, PAGES, PEER));
	READ_ALL();
	EXPECT_EQ(0, device_holds(self->owner, self->at, PAGES, LOCAL));
	EXPECT_EQ(NUMBERS(PAGES), filled(self->at, PAGES, 1));
}

/* A page whose contents are lost, the first of new memory: the unit does not have it. */
TEST_F(peers, lost)
{
	ASSERT_EQ(0, limit_memory(self->owner, HUGE / PAGE));
	ASSERT_EQ(PAGES, device_call(self->owner, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES));
	READ_AS_PEER();
	EXPECT_EQ(0, command(self->owner, HMM_DMIRROR_RETIRE, NULL, 1, 1));
	EXPECT_EQ(0, mapped(self->fd, self->at, 1, PEER));
	EXPECT_EQ(-EFAULT, job(self->fd, HMM_DMIRROR_READ, self->at, 1, self->buffer));
	ASSERT_EQ(0, job(self->fd, HMM_DMIRROR_READ, self->at + PAGE, PAGES - 1, self->buffer));
	EXPECT_EQ(NUMBERS(PAGES - 1), filled(self->buffer, PAGES - 1, 1 + NUMBERS(1)));
	EXPECT_EQ(PAGES - 1, mapped(self->fd, self->at + PAGE, PAGES - 1, PEER));
	EXPECT_EQ(PAGES - 1, device_holds(self->owner, self->at, PAGES, LOCAL));
	ASSERT_EQ(0, munmap(self->at, PAGES * PAGE));
	EXPECT_EQ(0, limit_memory(self->owner, NO_LIMIT));
}

/* A huge page stays one. */
TEST_F(peers, huge)
{
	char *at = self->at + HUGE;
	int fd = device_open(1);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, job(fd, HMM_DMIRROR_PEERS, at, HUGE / PAGE, NULL));
	madvise(at, HUGE, MADV_HUGEPAGE);
	fill(at, HUGE / PAGE, 9);
	ASSERT_EQ(HUGE / PAGE, device_call(self->owner, HMM_DMIRROR_MIGRATE_TO_DEV, at,
					   HUGE / PAGE));
	ASSERT_EQ(0, job(fd, HMM_DMIRROR_READ, at, HUGE / PAGE, self->buffer));
	EXPECT_EQ(NUMBERS(HUGE / PAGE), filled(self->buffer, HUGE / PAGE, 9));
	EXPECT_EQ(HUGE / PAGE, mapped(fd, at, HUGE / PAGE, PEER));
	EXPECT_EQ(HUGE / PAGE, device_holds(self->owner, at, HUGE / PAGE, LOCAL));
	fill(self->buffer, HUGE / PAGE, 11);
	ASSERT_EQ(0, job(fd, HMM_DMIRROR_WRITE, at, HUGE / PAGE, self->buffer));
	EXPECT_EQ(NUMBERS(HUGE / PAGE), filled(at, HUGE / PAGE, 11));
	close(fd);
}

/* A process that ends, or a file that is closed, with pages mapped in a peer's memory. */
TEST_F(peers, ends)
{
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		int owner = device_open(0), fd = device_open(1);
		void *buffer = malloc(PAGES * PAGE);

		if (owner < 0 || fd < 0 || !buffer ||
		    job(fd, HMM_DMIRROR_PEERS, self->at, PAGES, NULL) ||
		    device_call(owner, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES) < 0 ||
		    job(fd, HMM_DMIRROR_READ, self->at, PAGES, buffer))
			_exit(1);
		_exit(mapped(fd, self->at, PAGES, PEER) +
		      mapped(fd, self->at, PAGES, PEER_READ) == PAGES ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(given_back(self->owner));
	READ_ALL();
	close(self->fd);
	EXPECT_TRUE(given_back(self->owner));
	self->fd = device_open(1);
	EXPECT_EQ(NUMBERS(PAGES), filled(self->at, PAGES, 1));
}

/* Open a unit whose driver was just loaded. */
static int open_soon(int unit)
{
	int fd = -1;

	for (int i = 0; i < 100 && fd < 0; i++, usleep(10000))
		fd = device_open(unit);
	return fd;
}

/* Have pages in the memory of a peer, and access them there until killed. */
static int be_killed(void)
{
	int owner = open_soon(0), fd = open_soon(1);
	char *at = map_aligned(HUGE, HUGE, RW, MAP_PRIVATE, -1);
	void *buffer = malloc(PAGES * PAGE);

	if (owner < 0 || fd < 0 || !at || !buffer ||
	    job(fd, HMM_DMIRROR_PEERS, at, PAGES, NULL))
		return 1;
	for (;;) {
		int ret = device_call(owner, HMM_DMIRROR_MIGRATE_TO_DEV, at, PAGES);

		if (ret < 0 && ret != -ENOENT && ret != -EBUSY)
			return 2;
		if (job(fd, HMM_DMIRROR_READ, at, PAGES, buffer) ||
		    job(fd, HMM_DMIRROR_WRITE, at, PAGES, buffer))
			return 3;
	}
}

/*
 * The driver is in use as long as a unit has addresses. It is unloaded as soon as the files
 * are closed, also of processes that are killed while they use some; it then warns about an
 * address that was not taken back.
 */
TEST_F(peers, unloaded)
{
	const char *driver = driver_loaded();
	int status;

	if (!driver)
		SKIP(return, "unknown driver");
	READ_AS_PEER();
	EXPECT_EQ(-EAGAIN, driver_reload(driver));
	READ_AS_PEER();
	EXPECT_EQ(PAGES, refuse_and_count(self->owner, false));
	close(self->owner);
	EXPECT_EQ(-EAGAIN, driver_reload(driver));
	READ_ALL();
	EXPECT_EQ(PAGES, mapped(self->fd, self->at, PAGES, PEER));
	close(self->fd);
	EXPECT_EQ(0, driver_reload(driver));
	EXPECT_EQ(NUMBERS(PAGES), filled(self->at, PAGES, 1));

	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			_exit(be_killed());
		usleep(100000 + 50000 * i);
		EXPECT_EQ(-EAGAIN, driver_reload(driver));
		EXPECT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(0, driver_reload_when_idle(driver, 30));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
	}
	self->owner = open_soon(0);
	self->fd = open_soon(1);
	ASSERT_LE(0, self->owner);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, refuse_and_count(self->owner, false));
}

/**
 * struct racer - a thread of the race
 * @owner: the unit that has the pages
 * @fd: the unit that accesses them
 * @at: the pages
 * @run: what it does again and again; returns whether it has counted
 * @stop: end the thread
 * @counted: how often it has added one to each page's counter
 * @peer: how often a page was in the memory of the owner then
 * @error: an error that should not occur
 */
struct racer {
	int owner;
	int fd;
	char *at;
	void (*run)(struct racer *racer);
	bool *stop;
	uint32_t counted;
	unsigned long peer;
	int error;
};

/* In each page a counter of the CPU, and one of the unit. */
#define CPU_COUNTER(at, page)	((uint32_t *)((at) + (page) * PAGE))
#define UNIT_COUNTER(at, page)	((uint32_t *)((at) + (page) * PAGE + PAGE / 2))

static void count_by_cpu(struct racer *racer)
{
	for (size_t i = 0; i < PAGES; i++)
		__atomic_fetch_add(CPU_COUNTER(racer->at, i), 1, __ATOMIC_RELAXED);
	racer->counted++;
	usleep(2000);
}

/* y = 1 * x + y for one element, in each page. One that was lost too often is repeated. */
static void count_by_unit(struct racer *racer)
{
	static const uint32_t one = 1;

	for (size_t i = 0; i < PAGES; i++) {
		struct hmm_dmirror_compute compute = {
			.op = HMM_DMIRROR_SAXPY,
			.a = 1,
			.x = (uintptr_t)&one,
			.y = (uintptr_t)UNIT_COUNTER(racer->at, i),
			.n = 1,
		};
		int ret;

		do
			ret = ioctl(racer->fd, HMM_DMIRROR_COMPUTE, &compute) ? -errno : 0;
		while (ret == -EBUSY);
		if (ret)
			racer->error = ret;
	}
	racer->counted++;
	racer->peer += mapped(racer->fd, racer->at, PAGES, PEER);
}

static void migrate_by_owner(struct racer *racer)
{
	int ret = device_call(racer->owner, HMM_DMIRROR_MIGRATE_TO_DEV,
			      racer->at, PAGES);

	if (ret < 0 && ret != -ENOENT && ret != -EBUSY)
		racer->error = ret;
	racer->counted++;
	usleep(3000);
}

static void evict_by_owner(struct racer *racer)
{
	int ret = device_call(racer->owner, racer->counted % 4 ?
			      HMM_DMIRROR_MIGRATE_TO_SYS : HMM_DMIRROR_RELEASE,
			      racer->at, PAGES);

	if (ret < 0 && ret != -EBUSY)
		racer->error = ret;
	racer->counted++;
	usleep(7000);
}

static void refuse_by_owner(struct racer *racer)
{
	refuse(racer->owner, racer->counted % 2);
	racer->counted++;
	usleep(50000);
}

/* Another file of the unit, whose addresses end while others are given and taken back. */
static void open_and_close(struct racer *racer)
{
	static char buffer[PAGES * PAGE];
	int fd = device_open(1);
	int ret;

	if (fd < 0) {
		racer->error = fd;
		return;
	}
	ret = job(fd, HMM_DMIRROR_PEERS, racer->at, PAGES, NULL) ?:
	      job(fd, HMM_DMIRROR_READ, racer->at, PAGES, buffer);
	if (ret && ret != -EBUSY)
		racer->error = ret;
	racer->peer += mapped(fd, racer->at, PAGES, PEER);
	close(fd);
	racer->counted++;
}

static void *race(void *data)
{
	struct racer *racer = data;

	while (!__atomic_load_n(racer->stop, __ATOMIC_RELAXED))
		racer->run(racer);
	return NULL;
}

/*
 * The unit counts in the owner's memory while the CPU counts on the same pages, and the owner
 * gets them, evicts them, removes its memory and refuses addresses. No count is lost.
 */
TEST_F_TIMEOUT(peers, race, 60)
{
	static void (*const runs[])(struct racer *racer) = {
		count_by_unit, count_by_cpu, migrate_by_owner, evict_by_owner, refuse_by_owner,
		open_and_close,
	};
	const int nr = sizeof(runs) / sizeof(*runs);
	struct racer racers[sizeof(runs) / sizeof(*runs)];
	pthread_t threads[sizeof(runs) / sizeof(*runs)];
	size_t by_unit = 0, by_cpu = 0;
	bool stop = false;

	ASSERT_EQ(0, limit_memory(self->owner, HUGE / PAGE));
	memset(self->at, 0, PAGES * PAGE);
	for (int i = 0; i < nr; i++) {
		racers[i] = (struct racer){
			.owner = self->owner, .fd = self->fd, .at = self->at,
			.run = runs[i], .stop = &stop,
		};
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race, &racers[i]));
	}
	/* Longer if one of the two units has found no page in the owner's memory yet. */
	for (int i = 0; i < RACE_MOST && (i < RACE_TIME || !racers[0].peer || !racers[nr - 1].peer);
	     i++)
		sleep(1);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < nr; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, racers[i].error);
		EXPECT_LT(1, racers[i].counted);
	}
	TH_LOG("%u rounds of the unit, %lu pages in the memory of the owner; %u of the CPU",
	       racers[0].counted, racers[0].peer, racers[1].counted);
	EXPECT_LT(0, racers[0].peer);
	EXPECT_LT(0, racers[nr - 1].peer);
	for (size_t i = 0; i < PAGES; i++) {
		by_unit += *UNIT_COUNTER(self->at, i) == racers[0].counted;
		by_cpu += *CPU_COUNTER(self->at, i) == racers[1].counted;
	}
	EXPECT_EQ(PAGES, by_unit);
	EXPECT_EQ(PAGES, by_cpu);
	EXPECT_EQ(0, limit_memory(self->owner, NO_LIMIT));
}

TEST_HARNESS_MAIN
