// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of mirrors: the probe has an hmm_mirror of this process with a device
 * page table, and the tests change the process's mappings.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "hmm_user.h"

#define N 256
#define SIZE (N * PAGE)
#define RW (PROT_READ | PROT_WRITE)

/* enum hmm_access and enum mmu_notifier_event, by number. */
enum { SNAPSHOT, READ, WRITE, EXCLUSIVE };
enum { UNMAP, CLEAR, PROTECTION_VMA, PROTECTION_PAGE, SOFT_DIRTY, RELEASE };

static int call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

static int range_add(int fd, unsigned int id, const void *start, size_t size)
{
	struct hmm_probe_span span = {
		.start = (uintptr_t)start,
		.end = (uintptr_t)start + size,
		.id = id,
	};

	return call(fd, HMM_PROBE_RANGE_ADD, &span);
}

static int range_remove(int fd, unsigned int id)
{
	struct hmm_probe_span span = { .id = id };

	return call(fd, HMM_PROBE_RANGE_REMOVE, &span);
}

static struct hmm_probe_section section_of(const void *start, size_t size,
					   unsigned int access, uint64_t *hmm_pfns)
{
	return (struct hmm_probe_section){
		.start = (uintptr_t)start,
		.end = (uintptr_t)start + size,
		.hmm_pfns = (uintptr_t)hmm_pfns,
		.access = access,
		.how = HMM_PROBE_POPULATE | HMM_PROBE_RUNS,
	};
}

/* Run a section; return the error of the ioctl or of the section. */
static int section_run(int fd, struct hmm_probe_section *section)
{
	return call(fd, HMM_PROBE_SECTION, section) ?: section->error;
}

static int populate(int fd, const void *start, size_t size, unsigned int access,
		    uint64_t *hmm_pfns)
{
	struct hmm_probe_section section =
		section_of(start, size, access, hmm_pfns);

	return section_run(fd, &section);
}

static int device_read(int fd, const void *addr, uint64_t *value)
{
	struct hmm_probe_access access = { .addr = (uintptr_t)addr };
	int ret = call(fd, HMM_PROBE_ACCESS, &access);

	*value = access.value;
	return ret;
}

static int device_write(int fd, void *addr, uint64_t value)
{
	struct hmm_probe_access access = {
		.addr = (uintptr_t)addr,
		.value = value,
		.write = 1,
	};

	return call(fd, HMM_PROBE_ACCESS, &access);
}

/* Return what the mirror's callbacks have recorded. */
static struct hmm_probe_mirror seen(int fd)
{
	struct hmm_probe_mirror mirror = { 0 };

	call(fd, HMM_PROBE_MIRROR, &mirror);
	return mirror;
}

static unsigned int last_event(int fd)
{
	struct hmm_probe_mirror mirror = seen(fd);
	uint64_t nr = mirror.invalidations;

	if (nr > HMM_PROBE_EVENTS)
		nr = HMM_PROBE_EVENTS;
	return nr ? mirror.events[nr - 1].event : ~0U;
}

/* Whether one invalidation covered this span, for this event. */
static bool was_invalidated(int fd, const void *start, size_t size, unsigned int event)
{
	struct hmm_probe_mirror mirror = seen(fd);
	uint64_t at = (uintptr_t)start, end = at + size;
	size_t i;

	for (i = 0; i < HMM_PROBE_EVENTS && i < mirror.invalidations; i++) {
		struct hmm_probe_event *recorded = &mirror.events[i];

		if (recorded->event == event && recorded->start <= at &&
		    recorded->end >= end)
			return true;
	}
	return false;
}

static void fill(char *at, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += PAGE)
		*(uint64_t *)(at + i) = (uintptr_t)at + i;
}

FIXTURE(mirror) {
	int fd;
	struct hmm_probe_info info;
	char *at;
	uint64_t *hmm_pfns;
};

FIXTURE_SETUP(mirror)
{
	self->fd = probe_open(&self->info);
	if (!(self->info.has & HMM_PROBE_HAS_MIRROR))
		SKIP(return, "no mirrors in this kernel");
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_INIT));
	self->at = map_aligned(SIZE, HUGE, RW, MAP_PRIVATE, -1);
	ASSERT_NE(NULL, self->at);
	madvise(self->at, SIZE, MADV_NOHUGEPAGE);
	self->hmm_pfns = calloc(N, sizeof(uint64_t));
	ASSERT_NE(NULL, self->hmm_pfns);
	fill(self->at, SIZE);
	ASSERT_EQ(0, range_add(self->fd, 0, self->at, SIZE));
}

FIXTURE_TEARDOWN(mirror)
{
	close(self->fd);
}

TEST_F(mirror, populate)
{
	struct hmm_probe_section section =
		section_of(self->at, SIZE, READ, self->hmm_pfns);
	uint64_t value;
	size_t i;

	ASSERT_EQ(0, section_run(self->fd, &section));
	EXPECT_EQ(N, section.pages);
	EXPECT_EQ(N / 64, section.batches);
	for (i = 0; i < N; i++) {
		char *page = self->at + i * PAGE;

		ASSERT_EQ(HMM_PFN_VALID | HMM_PFN_WRITE, hmm_pfn_flags(self->hmm_pfns[i]));
		ASSERT_EQ(page_map(page) & MAP_PFN, hmm_pfn_to_pfn(self->hmm_pfns[i]));
		ASSERT_EQ(0, device_read(self->fd, page, &value));
		ASSERT_EQ((uintptr_t)page, value);
	}
	EXPECT_EQ(N, seen(self->fd).entries);
}

TEST_F(mirror, snapshot_faults_nothing)
{
	uint64_t value;
	size_t i;

	ASSERT_EQ(0, madvise(self->at, SIZE, MADV_DONTNEED));
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, SNAPSHOT, self->hmm_pfns));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, self->hmm_pfns[i]);
		ASSERT_EQ(0, page_map(self->at + i * PAGE));
	}
	EXPECT_EQ(-ENOENT, device_read(self->fd, self->at, &value));
}

TEST_F(mirror, faults_in)
{
	ASSERT_EQ(0, madvise(self->at, SIZE, MADV_DONTNEED));
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, READ, self->hmm_pfns));
	EXPECT_EQ(HMM_PFN_VALID, hmm_pfn_flags(self->hmm_pfns[0]));
	EXPECT_EQ(-EACCES, device_write(self->fd, self->at, 1));
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	EXPECT_EQ(HMM_PFN_VALID | HMM_PFN_WRITE, hmm_pfn_flags(self->hmm_pfns[N - 1]));
	ASSERT_EQ(0, device_write(self->fd, self->at, 0x1234));
	EXPECT_EQ(0x1234, *(uint64_t *)self->at);
}

TEST_F(mirror, errors_of_the_walk)
{
	ASSERT_EQ(0, mprotect(self->at, PAGE, PROT_READ));
	EXPECT_EQ(-EPERM, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(0, mprotect(self->at, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, populate(self->fd, self->at, SIZE, READ, self->hmm_pfns));
	ASSERT_EQ(0, munmap(self->at, PAGE));
	EXPECT_EQ(-EFAULT, populate(self->fd, self->at, SIZE, READ, self->hmm_pfns));
	EXPECT_EQ(0, populate(self->fd, self->at, SIZE, SNAPSHOT, self->hmm_pfns));
	EXPECT_EQ(HMM_PFN_ERROR, self->hmm_pfns[0]);
	/* The update lock was released on each error. */
	EXPECT_EQ(0, populate(self->fd, self->at + PAGE, SIZE - PAGE, WRITE,
			      self->hmm_pfns));
}

/*
 * After a change of a span: an invalidation covered it, its entries are gone, and
 * the entries before and after it are still there.
 */
#define EXPECT_INVALIDATED(first, count, event) do {			\
	uint64_t _value;						\
	char *_from = self->at + (first) * PAGE;			\
									\
	EXPECT_TRUE(was_invalidated(self->fd, _from, (count) * PAGE, event));	\
	EXPECT_EQ(-ENOENT, device_read(self->fd, _from, &_value));	\
	EXPECT_EQ(-ENOENT, device_read(self->fd,			\
				       _from + ((count) - 1) * PAGE,	\
				       &_value));			\
	EXPECT_EQ(0, device_read(self->fd, _from - PAGE, &_value));	\
	EXPECT_EQ(0, device_read(self->fd, _from + (count) * PAGE,	\
				 &_value));				\
} while (0)

TEST_F(mirror, munmap)
{
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(0, munmap(self->at + 16 * PAGE, 16 * PAGE));
	EXPECT_INVALIDATED(16, 16, UNMAP);
}

TEST_F(mirror, mprotect)
{
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(0, mprotect(self->at + 16 * PAGE, 16 * PAGE, PROT_READ));
	EXPECT_INVALIDATED(16, 16, PROTECTION_VMA);
	EXPECT_EQ(-EPERM, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
}

TEST_F(mirror, madvise)
{
	uint64_t value;

	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(0, madvise(self->at + 16 * PAGE, 16 * PAGE, MADV_DONTNEED));
	EXPECT_INVALIDATED(16, 16, CLEAR);
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, READ, self->hmm_pfns));
	ASSERT_EQ(0, device_read(self->fd, self->at + 16 * PAGE, &value));
	EXPECT_EQ(0, value);
}

TEST_F(mirror, mremap)
{
	char *to = map_aligned(SIZE, HUGE, PROT_NONE, MAP_PRIVATE, -1);

	ASSERT_NE(NULL, to);
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(to, mremap(self->at + 16 * PAGE, 16 * PAGE, 16 * PAGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_INVALIDATED(16, 16, UNMAP);
	EXPECT_EQ((uintptr_t)self->at + 16 * PAGE, *(uint64_t *)to);
}

/* After fork, a write by the device must not change the child's memory. */
TEST_F(mirror, fork)
{
	int hold[2], status;
	uint64_t value;
	pid_t child;
	char byte;

	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(0, pipe(hold));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(hold[1]);
		read(hold[0], &byte, 1);
		_exit(*(uint64_t *)self->at == (uintptr_t)self->at ? 0 : 1);
	}
	EXPECT_TRUE(was_invalidated(self->fd, self->at, SIZE, PROTECTION_PAGE));
	EXPECT_EQ(-ENOENT, device_read(self->fd, self->at, &value));
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(0, device_write(self->fd, self->at, 5));
	EXPECT_EQ(5, *(uint64_t *)self->at);
	close(hold[1]);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_F(mirror, write_protected_by_uffd)
{
	uint64_t value;
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);

	if (uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-uffd));
	ASSERT_EQ(0, uffd_register(uffd, self->at, SIZE,
				   UFFDIO_REGISTER_MODE_WP));
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(0, uffd_protect(uffd, self->at + 16 * PAGE, 16 * PAGE));
	EXPECT_EQ(-ENOENT, device_read(self->fd, self->at + 16 * PAGE, &value));
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, READ, self->hmm_pfns));
	EXPECT_EQ(HMM_PFN_VALID, hmm_pfn_flags(self->hmm_pfns[16]));
	EXPECT_EQ(HMM_PFN_VALID | HMM_PFN_WRITE, hmm_pfn_flags(self->hmm_pfns[32]));
}

TEST_F(mirror, missing_served_by_uffd)
{
	int uffd = uffd_open(0);
	pthread_t thread;
	uint64_t value;

	if (uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-uffd));
	ASSERT_EQ(0, uffd_register(uffd, self->at, SIZE,
				   UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, madvise(self->at, 4 * PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, pthread_create(&thread, NULL, uffd_serve, &uffd));
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, READ, self->hmm_pfns));
	ASSERT_EQ(0, device_read(self->fd, self->at + PAGE, &value));
	EXPECT_EQ(0x7777777777777777, value);
	ASSERT_EQ(0, device_read(self->fd, self->at + 4 * PAGE, &value));
	EXPECT_EQ((uintptr_t)self->at + 4 * PAGE, value);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

/* Arguments, state and result of a thread that uses the mirror. */
struct helper {
	int fd;
	char *at;
	uint64_t *hmm_pfns;
	int ret;
	atomic_int tid;
	atomic_bool done;
};

static void *hold_lock(void *argument)
{
	struct helper *helper = argument;
	struct hmm_probe_span span = { .ms = 10000 };

	helper->ret = call(helper->fd, HMM_PROBE_HOLD, &span);
	return NULL;
}

static void *zap(void *argument)
{
	struct helper *helper = argument;

	helper->tid = gettid();
	helper->ret = madvise(helper->at, SIZE, MADV_DONTNEED);
	helper->done = true;
	return NULL;
}

static void *take_snapshot(void *argument)
{
	struct helper *helper = argument;

	helper->tid = gettid();
	helper->ret = populate(helper->fd, helper->at, 64 * PAGE, SNAPSHOT,
			       helper->hmm_pfns);
	helper->done = true;
	return NULL;
}

/* Wait until HMM_PROBE_HOLD holds the update lock. */
static bool wait_holding(int fd)
{
	struct hmm_probe_info info = { 0 };
	int tries;

	for (tries = 0; tries < 1000 && !info.holding; tries++) {
		usleep(10000);
		call(fd, HMM_PROBE_INFO, &info);
	}
	return info.holding;
}

static bool wait_asleep(struct helper *helper)
{
	int tries;

	for (tries = 0; tries < 1000 && !helper->tid; tries++)
		usleep(10000);
	return helper->tid && wait_blocked(helper->tid);
}

TEST_F(mirror, invalidation_waits_for_the_lock)
{
	struct helper hold = { .fd = self->fd }, zapped = { .at = self->at };
	pthread_t holder, zapper;
	uint64_t value;

	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(0, pthread_create(&holder, NULL, hold_lock, &hold));
	ASSERT_TRUE(wait_holding(self->fd));
	ASSERT_EQ(0, pthread_create(&zapper, NULL, zap, &zapped));
	EXPECT_TRUE(wait_asleep(&zapped));
	EXPECT_FALSE(atomic_load(&zapped.done));
	/* The page is still mapped: the device's entry is not stale. */
	EXPECT_TRUE(page_map(self->at) & MAP_PRESENT);
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_UNHOLD));
	pthread_join(zapper, NULL);
	pthread_join(holder, NULL);
	EXPECT_EQ(0, page_map(self->at));
	EXPECT_EQ(-ENOENT, device_read(self->fd, self->at, &value));
}

/**
 * struct slow_memory - memory whose faults user space resolves after a delay
 * @at: its address
 * @uffd: the userfaultfd
 * @ms: delay per page; negative: faults are not resolved
 * @served: number of faults resolved
 * @thread: thread that resolves faults
 */
struct slow_memory {
	char *at;
	int uffd;
	int ms;
	atomic_int served;
	pthread_t thread;
};

static void *serve_slowly(void *argument)
{
	struct slow_memory *slow = argument;
	struct uffd_msg msg;

	while (read(slow->uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		struct uffdio_zeropage zero = {
			.range = { msg.arg.pagefault.address & ~(PAGE - 1), PAGE },
		};

		usleep(slow->ms * 1000);
		ioctl(slow->uffd, UFFDIO_ZEROPAGE, &zero);
		slow->served++;
	}
	return NULL;
}

static int slow_map(struct slow_memory *slow, size_t npages, int ms)
{
	slow->ms = ms;
	slow->uffd = uffd_open(0);
	if (slow->uffd < 0)
		return slow->uffd;
	slow->at = map_aligned(npages * PAGE, HUGE, RW, MAP_PRIVATE, -1);
	if (!slow->at)
		return -ENOMEM;
	madvise(slow->at, npages * PAGE, MADV_NOHUGEPAGE);
	if (uffd_register(slow->uffd, slow->at, npages * PAGE,
			  UFFDIO_REGISTER_MODE_MISSING))
		return -EIO;
	return ms < 0 ? 0 : -pthread_create(&slow->thread, NULL, serve_slowly, slow);
}

static void slow_unmap(struct slow_memory *slow, size_t npages)
{
	if (slow->ms >= 0) {
		pthread_cancel(slow->thread);
		pthread_join(slow->thread, NULL);
	}
	munmap(slow->at, npages * PAGE);
	close(slow->uffd);
}

/*
 * Each page takes most of the section's timeout, all pages together several
 * times as long. Each page is progress, which restarts the timeout.
 */
TEST_F(mirror, timeout_restarts_on_progress)
{
	struct slow_memory slow = { 0 };
	struct hmm_probe_section section;
	const size_t npages = 8;
	int ret;

	ret = slow_map(&slow, npages, 150);
	if (ret)
		SKIP(return, "userfaultfd: %s", strerror(-ret));
	ASSERT_EQ(0, range_add(self->fd, 1, slow.at, npages * PAGE));
	section = section_of(slow.at, npages * PAGE, WRITE, self->hmm_pfns);
	section.timeout_ms = 250;
	EXPECT_EQ(0, section_run(self->fd, &section));
	EXPECT_EQ((int)npages, atomic_load(&slow.served));
	EXPECT_EQ(npages, section.pages);
	slow_unmap(&slow, npages);
}

/* Wake the threads that wait for a page without providing the page. */
static void *wake_only(void *argument)
{
	struct slow_memory *slow = argument;
	struct uffd_msg msg;

	while (read(slow->uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		struct uffdio_range page = { msg.arg.pagefault.address & ~(PAGE - 1), PAGE };

		usleep(slow->ms * 1000);
		ioctl(slow->uffd, UFFDIO_WAKE, &page);
		slow->served++;
	}
	return NULL;
}

/*
 * User space wakes the section repeatedly without providing the page. A repeated
 * wait for the same page is no progress, so the section times out.
 */
TEST_F_TIMEOUT(mirror, waits_without_progress_time_out, 20)
{
	struct slow_memory slow = { 0 };
	struct hmm_probe_section section;
	int ret;

	ret = slow_map(&slow, 1, -1);
	if (ret)
		SKIP(return, "userfaultfd: %s", strerror(-ret));
	slow.ms = 40;
	ASSERT_EQ(0, pthread_create(&slow.thread, NULL, wake_only, &slow));
	ASSERT_EQ(0, range_add(self->fd, 1, slow.at, PAGE));
	section = section_of(slow.at, PAGE, WRITE, self->hmm_pfns);
	section.timeout_ms = 250;
	EXPECT_EQ(-EBUSY, section_run(self->fd, &section));
	/* Two timeouts, with some room for a slow machine. */
	EXPECT_LT(atomic_load(&slow.served), 25);
	slow_unmap(&slow, 1);
}

static void *populate_slow(void *argument)
{
	struct helper *helper = argument;

	helper->tid = gettid();
	helper->ret = populate(helper->fd, helper->at, PAGE, WRITE, helper->hmm_pfns);
	helper->done = true;
	return NULL;
}

static void *add_range(void *argument)
{
	struct helper *helper = argument;

	helper->tid = gettid();
	helper->ret = range_add(helper->fd, 2, helper->at, PAGE);
	helper->done = true;
	return NULL;
}

static void *remove_slow_range(void *argument)
{
	struct helper *helper = argument;

	helper->tid = gettid();
	helper->ret = range_remove(helper->fd, 1);
	helper->done = true;
	return NULL;
}

static void *end_mirror(void *argument)
{
	struct helper *helper = argument;

	helper->tid = gettid();
	helper->ret = call(helper->fd, HMM_PROBE_MIRROR_EXIT, NULL);
	helper->done = true;
	return NULL;
}

static bool wait_done(struct helper *helper)
{
	int tries;

	for (tries = 0; tries < 300 && !helper->done; tries++)
		usleep(10000);
	return helper->done;
}

/*
 * A section waits for user space to resolve a fault. Meanwhile a range can be
 * added, the section's own range removed, present memory used, and at last, while
 * another section waits in the new range, the mirror ended.
 */
TEST_F(mirror, ranges_change_while_a_section_waits)
{
	struct helper waits = { .fd = self->fd, .hmm_pfns = self->hmm_pfns };
	struct helper adds = { .fd = self->fd };
	struct helper looks = { .fd = self->fd, .hmm_pfns = self->hmm_pfns + N / 2 };
	struct helper removes = { .fd = self->fd };
	struct helper waits_too = { .fd = self->fd, .hmm_pfns = self->hmm_pfns + 1 };
	struct helper exits = { .fd = self->fd };
	struct uffdio_zeropage zero = { .range.len = 2 * PAGE };
	struct slow_memory slow = { 0 };
	pthread_t waiter, adder, looker, remover, waiter_too, ender;
	int ret;

	ret = slow_map(&slow, 2, -1);
	if (ret)
		SKIP(return, "userfaultfd: %s", strerror(-ret));
	ASSERT_EQ(0, range_add(self->fd, 1, slow.at, PAGE));
	waits.at = slow.at;
	adds.at = slow.at + PAGE;
	waits_too.at = slow.at + PAGE;
	looks.at = self->at;
	ASSERT_EQ(0, pthread_create(&waiter, NULL, populate_slow, &waits));
	EXPECT_TRUE(wait_asleep(&waits));
	ASSERT_EQ(0, pthread_create(&adder, NULL, add_range, &adds));
	EXPECT_TRUE(wait_done(&adds));
	ASSERT_EQ(0, pthread_create(&looker, NULL, take_snapshot, &looks));
	EXPECT_TRUE(wait_done(&looks));
	ASSERT_EQ(0, pthread_create(&remover, NULL, remove_slow_range, &removes));
	EXPECT_TRUE(wait_done(&removes));
	EXPECT_FALSE(atomic_load(&waits.done));
	ASSERT_EQ(0, pthread_create(&waiter_too, NULL, populate_slow, &waits_too));
	EXPECT_TRUE(wait_asleep(&waits_too));
	ASSERT_EQ(0, pthread_create(&ender, NULL, end_mirror, &exits));
	EXPECT_TRUE(wait_done(&exits));
	EXPECT_FALSE(atomic_load(&waits_too.done));

	zero.range.start = (uintptr_t)slow.at;
	EXPECT_EQ(0, ioctl(slow.uffd, UFFDIO_ZEROPAGE, &zero));
	pthread_join(waiter, NULL);
	pthread_join(adder, NULL);
	pthread_join(looker, NULL);
	pthread_join(remover, NULL);
	pthread_join(waiter_too, NULL);
	pthread_join(ender, NULL);
	EXPECT_EQ(0, adds.ret);
	EXPECT_EQ(0, looks.ret);
	EXPECT_EQ(0, removes.ret);
	EXPECT_EQ(0, exits.ret);
	/* The pages are present now, but their ranges have ended. */
	EXPECT_EQ(-ENOENT, waits.ret);
	EXPECT_EQ(-ENOENT, waits_too.ret);
	slow_unmap(&slow, 2);
}

static int populate_forever(void *argument)
{
	struct helper *helper = argument;

	for (;;)
		populate(helper->fd, helper->at, PAGE, WRITE, helper->hmm_pfns);
	return 0;
}

/*
 * Kill a process that shares this memory while it waits in a section. Return
 * whether it ended in less than three seconds.
 */
static bool section_is_killable(int fd, char *at, uint64_t *hmm_pfns)
{
	struct helper helper = { .fd = fd, .at = at, .hmm_pfns = hmm_pfns };
	static char stack[64 << 10] __attribute__((aligned(16)));
	int status, tries;
	/* A process, not a thread: killing it must not kill the test. */
	pid_t child = clone(populate_forever, stack + sizeof(stack),
			    CLONE_VM | SIGCHLD, &helper);

	if (child < 0 || !wait_blocked(child))
		return false;
	kill(child, SIGKILL);
	for (tries = 0; tries < 300; tries++) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFSIGNALED(status);
		usleep(10000);
	}
	return false;
}

TEST_F(mirror, killed_waiting_for_the_lock)
{
	struct helper hold = { .fd = self->fd };
	pthread_t holder;

	ASSERT_EQ(0, pthread_create(&holder, NULL, hold_lock, &hold));
	ASSERT_TRUE(wait_holding(self->fd));
	EXPECT_TRUE(section_is_killable(self->fd, self->at, self->hmm_pfns));
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_UNHOLD));
	pthread_join(holder, NULL);
}

/*
 * An invalidation waits for the update lock of another mirror. A section of this
 * mirror waits for the invalidation to end, and can be killed.
 */
TEST_F(mirror, killed_waiting_for_an_invalidation)
{
	int other = probe_open(&self->info);
	struct helper hold = { .fd = other }, zapped = { .at = self->at };
	pthread_t holder, zapper;

	ASSERT_EQ(0, ioctl(other, HMM_PROBE_MIRROR_INIT));
	ASSERT_EQ(0, range_add(other, 0, self->at, SIZE));
	ASSERT_EQ(0, pthread_create(&holder, NULL, hold_lock, &hold));
	ASSERT_TRUE(wait_holding(other));
	ASSERT_EQ(0, pthread_create(&zapper, NULL, zap, &zapped));
	EXPECT_TRUE(wait_asleep(&zapped));
	EXPECT_TRUE(section_is_killable(self->fd, self->at, self->hmm_pfns));
	ASSERT_EQ(0, ioctl(other, HMM_PROBE_UNHOLD));
	pthread_join(zapper, NULL);
	pthread_join(holder, NULL);
	close(other);
}

static void *migrate_slowly(void *argument)
{
	struct helper *helper = argument;
	struct hmm_probe_span span = {
		.start = (uintptr_t)helper->at,
		.end = (uintptr_t)helper->at + HUGE, .ms = 8000,
	};

	helper->ret = call(helper->fd, HMM_PROBE_MIGRATE, &span);
	return NULL;
}

/* A section waits for a page that migrates, small or huge, and can be killed. */
TEST_F_TIMEOUT(mirror, killed_waiting_for_a_migration, 60)
{
	struct helper slow = { .fd = self->fd };
	pthread_t thread;
	char *at;

	if (!(self->info.has & HMM_PROBE_HAS_MIGRATION))
		SKIP(return, "this kernel cannot migrate pages to devices");
	for (int huge = 0; huge < 2; huge++) {
		at = map_aligned(HUGE, HUGE, RW, MAP_PRIVATE, -1);
		ASSERT_NE(NULL, at);
		ASSERT_EQ(0, madvise(at, HUGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE));
		memset(at, 1, HUGE);
		ASSERT_EQ(0, range_add(self->fd, 1, at, HUGE));
		slow.at = at;
		ASSERT_EQ(0, pthread_create(&thread, NULL, migrate_slowly, &slow));
		for (int tries = 0; tries < 500 && (page_map(at) & MAP_PRESENT); tries++)
			usleep(10000);
		EXPECT_FALSE(page_map(at) & MAP_PRESENT);
		EXPECT_TRUE(section_is_killable(self->fd, at, self->hmm_pfns));
		EXPECT_FALSE(page_map(at) & MAP_PRESENT);
		pthread_join(thread, NULL);
		EXPECT_EQ(0, slow.ret);
		ASSERT_EQ(0, range_remove(self->fd, 1));
		munmap(at, HUGE);
	}
}

/*
 * While the update lock is held, an invalidation waits for it, then a section
 * that has finished its walk. The invalidation gets the lock first, so the
 * section's pfns are stale and it must restart.
 */
TEST_F(mirror, raced_section_restarts)
{
	struct helper hold = { .fd = self->fd }, zapped = { .at = self->at };
	struct helper section = {
		.fd = self->fd, .at = self->at, .hmm_pfns = self->hmm_pfns,
	};
	pthread_t holder, zapper, walker;
	size_t i;

	ASSERT_EQ(0, pthread_create(&holder, NULL, hold_lock, &hold));
	ASSERT_TRUE(wait_holding(self->fd));
	ASSERT_EQ(0, pthread_create(&zapper, NULL, zap, &zapped));
	EXPECT_TRUE(wait_asleep(&zapped));
	ASSERT_EQ(0, pthread_create(&walker, NULL, take_snapshot, &section));
	EXPECT_TRUE(wait_asleep(&section));
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_UNHOLD));
	pthread_join(walker, NULL);
	pthread_join(zapper, NULL);
	pthread_join(holder, NULL);
	ASSERT_EQ(0, section.ret);
	for (i = 0; i < 64; i++) {
		ASSERT_EQ(0, self->hmm_pfns[i]);
	}
	EXPECT_EQ(0, seen(self->fd).entries);
}

TEST_F(mirror, bad_spans)
{
	char *at = self->at;

	ASSERT_EQ(0, range_remove(self->fd, 0));
	EXPECT_EQ(-EINVAL, range_add(self->fd, 1, at, 0));
	EXPECT_EQ(-EINVAL, range_add(self->fd, 1, at, -PAGE));
	EXPECT_EQ(-EINVAL, range_add(self->fd, 1, at + 8, PAGE));
	EXPECT_EQ(-EINVAL, range_add(self->fd, 1, at, PAGE + 8));
	EXPECT_EQ(-EINVAL, range_add(self->fd, HMM_PROBE_RANGES, at, PAGE));
	/* A range that was not added cannot be removed. */
	EXPECT_EQ(-ENOENT, range_remove(self->fd, 1));
	ASSERT_EQ(0, range_add(self->fd, 0, at, SIZE));
	EXPECT_EQ(-EINVAL, populate(self->fd, at, 0, READ, self->hmm_pfns));
	EXPECT_EQ(-EINVAL, populate(self->fd, at, -PAGE, READ, self->hmm_pfns));
	EXPECT_EQ(-EINVAL, populate(self->fd, at + 1, PAGE, READ, self->hmm_pfns));
	EXPECT_EQ(-ENOENT, populate(self->fd, at + SIZE, PAGE, READ,
				    self->hmm_pfns));
	EXPECT_EQ(-ENOENT, populate(self->fd, at - PAGE, 2 * PAGE, READ,
				    self->hmm_pfns));
	/* Pages before the end of the last range were handled. */
	EXPECT_EQ(-ENOENT, populate(self->fd, at + SIZE - PAGE, 2 * PAGE, READ,
				    self->hmm_pfns));
	EXPECT_EQ(0, populate(self->fd, at, SIZE, READ, self->hmm_pfns));
}

TEST_F(mirror, ranges)
{
	char *at = self->at;
	uint64_t value;

	EXPECT_EQ(-EEXIST, range_add(self->fd, 1, at, SIZE));
	EXPECT_EQ(-EEXIST, range_add(self->fd, 1, at + SIZE - PAGE, SIZE));
	EXPECT_EQ(-EEXIST, range_add(self->fd, 1, at - PAGE, SIZE + 2 * PAGE));
	ASSERT_EQ(0, range_remove(self->fd, 0));
	ASSERT_EQ(0, range_add(self->fd, 0, at, SIZE / 2));
	ASSERT_EQ(0, range_add(self->fd, 1, at + SIZE / 2, SIZE / 2));
	/* A section may span adjacent ranges. */
	ASSERT_EQ(0, populate(self->fd, at, SIZE, WRITE, self->hmm_pfns));
	/* Removing a range invalidates its entries and no others. */
	ASSERT_EQ(0, range_remove(self->fd, 0));
	EXPECT_TRUE(was_invalidated(self->fd, at, SIZE / 2, RELEASE));
	EXPECT_EQ(-ENOENT, device_read(self->fd, at, &value));
	EXPECT_EQ(0, device_read(self->fd, at + SIZE / 2, &value));
	EXPECT_EQ(-ENOENT, populate(self->fd, at, PAGE, READ, self->hmm_pfns));
	value = seen(self->fd).invalidations;
	ASSERT_EQ(0, madvise(at, SIZE / 2, MADV_DONTNEED));
	EXPECT_EQ(value, seen(self->fd).invalidations);
	ASSERT_EQ(0, madvise(at, SIZE, MADV_DONTNEED));
	EXPECT_EQ(value + 1, seen(self->fd).invalidations);
	EXPECT_TRUE(was_invalidated(self->fd, at + SIZE / 2, SIZE / 2, CLEAR));
}

/* Invalidations are clipped to the range. */
TEST_F(mirror, clipped)
{
	struct hmm_probe_mirror mirror;

	ASSERT_EQ(0, range_remove(self->fd, 0));
	ASSERT_EQ(0, range_add(self->fd, 2, self->at + PAGE, 2 * PAGE));
	ASSERT_EQ(0, madvise(self->at, SIZE, MADV_DONTNEED));
	mirror = seen(self->fd);
	ASSERT_EQ(2, mirror.invalidations);
	EXPECT_EQ((uintptr_t)self->at + PAGE, mirror.events[1].start);
	EXPECT_EQ((uintptr_t)self->at + 3 * PAGE, mirror.events[1].end);
	EXPECT_EQ(2, mirror.events[1].id);
}

TEST_F(mirror, whole_process)
{
	uint64_t value;

	ASSERT_EQ(0, range_remove(self->fd, 0));
	ASSERT_EQ(0, range_add(self->fd, 0, NULL, -PAGE));
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	EXPECT_EQ(-EEXIST, range_add(self->fd, 1, self->at, PAGE));
	ASSERT_EQ(0, munmap(self->at, SIZE));
	EXPECT_EQ(-ENOENT, device_read(self->fd, self->at, &value));
}

TEST_F(mirror, leave_early)
{
	static const unsigned int ways[] = { HMM_PROBE_BREAK, HMM_PROBE_LEAVE };
	struct hmm_probe_section section;
	size_t way;

	for (way = 0; way < 2; way++) {
		section = section_of(self->at, SIZE, READ, self->hmm_pfns);
		section.how |= ways[way];
		section.stop_after = 2;
		ASSERT_EQ(0, section_run(self->fd, &section));
		EXPECT_EQ(2, section.batches);
		EXPECT_EQ(128, section.pages);
		/* Neither the update lock nor the intervals are still held. */
		ASSERT_EQ(0, madvise(self->at, SIZE, MADV_DONTNEED));
		ASSERT_EQ(0, range_remove(self->fd, 0));
		ASSERT_EQ(0, range_add(self->fd, 0, self->at, SIZE));
	}
}

TEST_F(mirror, caller_provided_array)
{
	static const unsigned int lengths[] = { 1, 7, 64, 100, N, 4 * N };
	struct hmm_probe_section section;
	size_t i;

	for (i = 0; i < 6; i++) {
		section = section_of(self->at, SIZE, READ, self->hmm_pfns);
		section.array = lengths[i];
		memset(self->hmm_pfns, 0, N * sizeof(uint64_t));
		ASSERT_EQ(0, section_run(self->fd, &section));
		EXPECT_EQ((N + lengths[i] - 1) / lengths[i], section.batches);
		EXPECT_EQ(N, section.pages);
		EXPECT_EQ(page_map(self->at + SIZE - PAGE) & MAP_PFN,
			  hmm_pfn_to_pfn(self->hmm_pfns[N - 1]));
	}
}

TEST_F(mirror, runs_of_a_huge_page)
{
	char *at = map_aligned(HUGE, HUGE, RW, MAP_PRIVATE, -1);
	uint64_t *hmm_pfns = calloc(512, sizeof(*hmm_pfns));
	struct hmm_probe_section section;

	ASSERT_NE(NULL, at);
	madvise(at, HUGE, MADV_HUGEPAGE);
	write_pages(at, HUGE);
	ASSERT_EQ(0, range_add(self->fd, 1, at, HUGE));
	section = section_of(at, HUGE, WRITE, hmm_pfns);
	section.array = 512;
	ASSERT_EQ(0, section_run(self->fd, &section));
	ASSERT_EQ(HUGE_ORDER, hmm_pfn_order(hmm_pfns[0]));
	EXPECT_EQ(1, section.runs);
	ASSERT_EQ(0, mprotect(at + 8 * PAGE, PAGE, PROT_READ));
	section = section_of(at, HUGE, READ, hmm_pfns);
	section.array = 512;
	ASSERT_EQ(0, section_run(self->fd, &section));
	EXPECT_LE(3, section.runs);
	/* Absent pages are one run, too. */
	ASSERT_EQ(0, madvise(at, HUGE, MADV_DONTNEED));
	section = section_of(at, HUGE, SNAPSHOT, hmm_pfns);
	section.array = 512;
	ASSERT_EQ(0, section_run(self->fd, &section));
	EXPECT_EQ(1, section.runs);
}

/* The device has exclusive access until the CPU touches the page. */
TEST_F(mirror, exclusive)
{
	uint64_t value;

	ASSERT_EQ(0, populate(self->fd, self->at, 4 * PAGE, EXCLUSIVE,
			      self->hmm_pfns));
	EXPECT_EQ(HMM_PFN_VALID | HMM_PFN_WRITE, hmm_pfn_flags(self->hmm_pfns[0]));
	EXPECT_FALSE(page_map(self->at) & MAP_PRESENT);
	ASSERT_EQ(0, device_read(self->fd, self->at, &value));
	EXPECT_EQ((uintptr_t)self->at, value);
	ASSERT_EQ(0, device_write(self->fd, self->at, 77));
	EXPECT_EQ(77, *(volatile uint64_t *)self->at);
	EXPECT_EQ(-ENOENT, device_read(self->fd, self->at, &value));
	EXPECT_EQ(0, device_read(self->fd, self->at + PAGE, &value));
	/* Exclusive access needs write permission. */
	ASSERT_EQ(0, mprotect(self->at, PAGE, PROT_READ));
	EXPECT_GT(0, populate(self->fd, self->at, PAGE, EXCLUSIVE, self->hmm_pfns));
	EXPECT_EQ(0, populate(self->fd, self->at, PAGE, READ, self->hmm_pfns));
}

static void *zap_again_and_again(void *argument)
{
	struct helper *helper = argument;

	while (!helper->done)
		madvise(helper->at, PAGE, MADV_DONTNEED);
	return NULL;
}

/*
 * Another thread zaps the page between its fault and its isolation from the CPU.
 * With userfaultfd, GUP cannot fault it in again; but the section can.
 */
TEST_F_TIMEOUT(mirror, exclusive_beside_uffd, 60)
{
	struct helper zaps = { .at = self->at };
	int uffd = uffd_open(0), ret = 0;
	pthread_t server, zapper;

	if (uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-uffd));
	ASSERT_EQ(0, uffd_register(uffd, self->at, SIZE, UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, pthread_create(&server, NULL, uffd_serve, &uffd));
	ASSERT_EQ(0, pthread_create(&zapper, NULL, zap_again_and_again, &zaps));
	for (time_t end = time(NULL) + 8; time(NULL) < end; ) {
		ret = populate(self->fd, self->at, PAGE, EXCLUSIVE, self->hmm_pfns);
		if (ret && ret != -EBUSY)
			break;
	}
	zaps.done = true;
	pthread_join(zapper, NULL);
	if (ret != -EBUSY)
		EXPECT_EQ(0, ret);
	pthread_cancel(server);
	pthread_join(server, NULL);
	close(uffd);
}

TEST_F(mirror, two_of_one_process)
{
	struct hmm_probe_info info;
	int other = probe_open(&info);
	uint64_t value;

	ASSERT_EQ(0, ioctl(other, HMM_PROBE_MIRROR_INIT));
	ASSERT_EQ(0, range_add(other, 0, self->at, SIZE));
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(0, populate(other, self->at, SIZE, WRITE, self->hmm_pfns));
	ASSERT_EQ(0, device_write(other, self->at, 9));
	ASSERT_EQ(0, device_read(self->fd, self->at, &value));
	EXPECT_EQ(9, value);
	ASSERT_EQ(0, madvise(self->at, SIZE / 2, MADV_DONTNEED));
	EXPECT_EQ(-ENOENT, device_read(self->fd, self->at, &value));
	EXPECT_EQ(-ENOENT, device_read(other, self->at, &value));
	/* After one mirror ends, the other still receives invalidations. */
	ASSERT_EQ(0, ioctl(other, HMM_PROBE_MIRROR_EXIT));
	EXPECT_EQ(1, seen(other).releases);
	EXPECT_EQ(0, seen(self->fd).releases);
	ASSERT_EQ(0, madvise(self->at, SIZE, MADV_DONTNEED));
	EXPECT_EQ(0, seen(self->fd).entries);
	close(other);
}

TEST_F(mirror, released_once_by_exit_of_the_mirror)
{
	ASSERT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
	EXPECT_EQ(0, seen(self->fd).releases);
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_EXIT));
	EXPECT_EQ(1, seen(self->fd).releases);
	EXPECT_EQ(0, seen(self->fd).left);
	EXPECT_EQ(0, seen(self->fd).entries);
	/* The mirror can be initialised again. */
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_INIT));
	EXPECT_EQ(-ENOENT, populate(self->fd, self->at, PAGE, READ, self->hmm_pfns));
	ASSERT_EQ(0, range_add(self->fd, 0, self->at, SIZE));
	EXPECT_EQ(0, populate(self->fd, self->at, SIZE, WRITE, self->hmm_pfns));
}

/*
 * Initialise a mirror of a child. The parent reads its state through the file
 * that they share; it must end the fixture's mirror before it forks.
 */
static void child_mirror(int fd, const char *at, uint64_t *hmm_pfns)
{
	if (ioctl(fd, HMM_PROBE_MIRROR_INIT) || range_add(fd, 0, at, SIZE) ||
	    populate(fd, at, SIZE, WRITE, hmm_pfns))
		_exit(1);
}

/* Wait until the child has initialised its mirror, which resets the counters. */
static bool wait_live(int fd)
{
	int tries;

	for (tries = 0; tries < 500 && !seen(fd).live; tries++)
		usleep(10000);
	return seen(fd).live;
}

static int wait_releases(int fd)
{
	int tries;

	for (tries = 0; tries < 500 && !seen(fd).releases; tries++)
		usleep(10000);
	return seen(fd).releases;
}

TEST_F(mirror, process_exits_before_use)
{
	pid_t child;
	int status;

	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_EXIT));
	child = fork();
	if (!child)
		_exit(ioctl(self->fd, HMM_PROBE_MIRROR_INIT) ? 1 : 0);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_EQ(1, wait_releases(self->fd));
	EXPECT_EQ(-ESRCH, range_add(self->fd, 0, self->at, SIZE));
	EXPECT_EQ(-ENOENT, range_remove(self->fd, 0));
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_EXIT));
	EXPECT_EQ(1, seen(self->fd).releases);
}

TEST_F(mirror, process_exits_after_use)
{
	pid_t child;
	int status;

	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_EXIT));
	child = fork();
	if (!child) {
		child_mirror(self->fd, self->at, self->hmm_pfns);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_EQ(1, wait_releases(self->fd));
	EXPECT_EQ(0, seen(self->fd).left);
	EXPECT_EQ(0, seen(self->fd).entries);
	/* exit_mmap() unmaps after release: no invalidations are delivered then. */
	EXPECT_EQ(0, seen(self->fd).late);
	EXPECT_EQ(RELEASE, last_event(self->fd));
	EXPECT_EQ(-ESRCH, populate(self->fd, self->at, SIZE, READ, self->hmm_pfns));
	ASSERT_EQ(0, range_remove(self->fd, 0));
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_EXIT));
	EXPECT_EQ(1, seen(self->fd).releases);
}

struct user {
	int fd;
	char *at;
};

static void *use(void *argument)
{
	struct user *user = argument;
	uint64_t *hmm_pfns = calloc(N, sizeof(*hmm_pfns));

	for (;;) {
		populate(user->fd, user->at, SIZE, WRITE, hmm_pfns);
		madvise(user->at, SIZE, MADV_DONTNEED);
	}
	return NULL;
}

TEST_F(mirror, process_killed_during_use)
{
	struct user user = { self->fd, self->at };
	pthread_t thread;
	int round, status;
	pid_t child;

	for (round = 0; round < 10; round++) {
		ioctl(self->fd, HMM_PROBE_MIRROR_EXIT);
		child = fork();
		if (!child) {
			child_mirror(self->fd, self->at, self->hmm_pfns);
			pthread_create(&thread, NULL, use, &user);
			use(&user);
		}
		ASSERT_TRUE(wait_live(self->fd));
		usleep(7000 * round);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
		ASSERT_EQ(1, wait_releases(self->fd));
		EXPECT_EQ(0, seen(self->fd).left);
		EXPECT_EQ(0, seen(self->fd).late);
	}
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_EXIT));
	EXPECT_EQ(1, seen(self->fd).releases);
}

/* exec ends the address space but not the process. */
TEST_F(mirror, exec)
{
	pid_t child;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFD, 0));
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_EXIT));
	child = fork();
	if (!child) {
		child_mirror(self->fd, self->at, self->hmm_pfns);
		execl("/bin/sleep", "sleep", "20", NULL);
		_exit(1);
	}
	ASSERT_TRUE(wait_live(self->fd));
	EXPECT_EQ(1, wait_releases(self->fd));
	EXPECT_EQ(0, seen(self->fd).left);
	EXPECT_EQ(0, waitpid(child, NULL, WNOHANG));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_EXIT));
	EXPECT_EQ(1, seen(self->fd).releases);
}

/*
 * Stress: each page contains its own address or 0. A read through a stale entry
 * returns another page's address.
 */
struct stress {
	int fd;
	char *at;
	atomic_bool stop;
	atomic_ulong reads, wrong, failed;
};

/* Each mapper has its own half: the other's mprotect() would make it fault. */
struct mapper {
	struct stress *stress;
	char *at;
};

static void *stress_map(void *argument)
{
	struct mapper *mapper = argument;
	unsigned int seed = (uintptr_t)&seed;

	while (!mapper->stress->stop) {
		size_t first = rand_r(&seed) % (N / 2 - 16);
		size_t count = 1 + rand_r(&seed) % 16;
		char *at = mapper->at + first * PAGE;

		switch (rand_r(&seed) % 4) {
		case 0:
			mmap(at, count * PAGE, RW,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			break;
		case 1:
			madvise(at, count * PAGE, MADV_DONTNEED);
			break;
		case 2:
			mprotect(at, count * PAGE, PROT_READ);
			mprotect(at, count * PAGE, RW);
			break;
		}
		/* Pages only ever contain their own address. */
		if (!mprotect(at, count * PAGE, RW))
			fill(at, count * PAGE);
	}
	return NULL;
}

static void *stress_device(void *argument)
{
	struct stress *stress = argument;
	uint64_t *hmm_pfns = calloc(N, sizeof(*hmm_pfns));
	unsigned int seed = (uintptr_t)&seed;

	while (!stress->stop) {
		size_t first = rand_r(&seed) % (N - 64), i;
		char *at = stress->at + first * PAGE;
		int ret = populate(stress->fd, at, 64 * PAGE,
				   rand_r(&seed) % 3, hmm_pfns);
		uint64_t value;

		/* Holes, read-only pages and lost races are the only errors allowed. */
		if (ret && ret != -EFAULT && ret != -EPERM && ret != -EBUSY)
			stress->failed++;
		for (i = 0; i < 64; i += 5) {
			if (device_read(stress->fd, at + i * PAGE, &value))
				continue;
			stress->reads++;
			if (value && value != (uintptr_t)at + i * PAGE)
				stress->wrong++;
		}
	}
	free(hmm_pfns);
	return NULL;
}

TEST_F_TIMEOUT(mirror, stress, 60)
{
	struct stress stress = { .fd = self->fd, .at = self->at };
	struct mapper mappers[2] = { { &stress }, { &stress } };
	pthread_t threads[4];
	size_t i;

	for (i = 0; i < 4; i++) {
		mappers[i / 2].at = self->at + i / 2 * (SIZE / 2);
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    i % 2 ? stress_map : stress_device,
					    i % 2 ? (void *)&mappers[i / 2] :
						    &stress));
	}
	sleep(4);
	stress.stop = true;
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	TH_LOG("%lu device reads", atomic_load(&stress.reads));
	EXPECT_LT(0, atomic_load(&stress.reads));
	EXPECT_EQ(0, atomic_load(&stress.wrong));
	EXPECT_EQ(0, atomic_load(&stress.failed));
	ASSERT_EQ(0, ioctl(self->fd, HMM_PROBE_MIRROR_EXIT));
	EXPECT_EQ(1, seen(self->fd).releases);
	EXPECT_EQ(0, seen(self->fd).left);
}

/* Between changes, each entry must map the page that the CPU maps. */
TEST_F(mirror, entries_are_current)
{
	unsigned int seed = 1;
	size_t round, i;
	uint64_t value;

	for (round = 0; round < 100; round++) {
		size_t first = rand_r(&seed) % (N - 16);
		char *at = self->at + first * PAGE;

		if (round % 3 == 0)
			madvise(at, 16 * PAGE, MADV_DONTNEED);
		else if (round % 3 == 1)
			fill(at, 16 * PAGE);
		else if (populate(self->fd, at, 16 * PAGE, WRITE, self->hmm_pfns))
			TH_LOG("round %zu did not populate", round);
		for (i = 0; i < 16; i++) {
			if (device_read(self->fd, at + i * PAGE, &value))
				continue;
			ASSERT_EQ(*(uint64_t *)(at + i * PAGE), value);
		}
	}
}

TEST_HARNESS_MAIN
