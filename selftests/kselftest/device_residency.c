// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages are in the memory of a device when more is requested than can be: two
 * units of a driver that request the same pages, and processes that together request
 * more than the memory of one unit.
 *
 * Each test runs with private and with coherent memory.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "hmm_dmirror.h"
#include "fixture_dmirror.h"

#define RW		(PROT_READ | PROT_WRITE)
#define PAGES		128UL
/* In seconds. */
#define TURNS_TIME	6
#define TURNS_LONGEST	(TURNS_TIME / 2.0)

/* The memory of a unit, in pages; processes that need half of it, and how often. */
#define LIMIT		(8UL * 512)
#define PROCESSES	3
#define NEED		(LIMIT / 2)
#define ROUNDS		5
/* In seconds, for all rounds of a process. */
#define DEADLINE	60

FIXTURE(device_residency) {
	char *at;	/* PAGES small pages */
};

FIXTURE_VARIANT(device_residency) {
	int unit;	/* and the one after it */
};

FIXTURE_VARIANT_ADD(device_residency, private) {
	.unit = 0,
};

FIXTURE_VARIANT_ADD(device_residency, coherent) {
	.unit = 2,
};

FIXTURE_SETUP(device_residency)
{
	int device = device_open(variant->unit + 1);

	if (device < 0)
		SKIP(return, "no such unit");
	close(device);
	self->at = map_aligned(PAGES * PAGE, HUGE, RW, MAP_PRIVATE, -1);
	ASSERT_NE(NULL, self->at);
	madvise(self->at, PAGES * PAGE, MADV_NOHUGEPAGE);
	memset(self->at, 0, PAGES * PAGE);
}

FIXTURE_TEARDOWN(device_residency)
{
	munmap(self->at, PAGES * PAGE);
}

/**
 * struct requester - a thread that requests the pages for its unit
 * @unit: the unit
 * @at: the pages
 * @stop: end the thread
 * @turns: how often the unit got all pages after it had not got them
 * @lost: how often it lost them again before it had read them
 * @error: an error other than -ENOENT, which is that the unit did not get them, and
 *	-EBUSY, which is that it lost them again before it had read them
 * @longest: how long it waited for them, at most, in seconds
 */
struct requester {
	int unit;
	char *at;
	bool *stop;
	unsigned long turns;
	unsigned long lost;
	int error;
	double longest;
};

static void *request_pages(void *data)
{
	struct requester *requester = data;
	int device = device_open(requester->unit);
	double last = monotonic_seconds();
	bool waited = true;

	while (!__atomic_load_n(requester->stop, __ATOMIC_RELAXED)) {
		int ret = device_call(device, HMM_DMIRROR_MIGRATE_TO_DEV,
				      requester->at, PAGES);
		double wait = monotonic_seconds() - last;

		if (wait > requester->longest)
			requester->longest = wait;
		requester->lost += ret == -EBUSY;
		if (ret < 0 && ret != -ENOENT && ret != -EBUSY)
			requester->error = ret;
		if (ret >= 0) {
			__atomic_fetch_add(&requester->turns, waited, __ATOMIC_RELAXED);
			last = monotonic_seconds();
		}
		waited = ret < 0;
	}
	close(device);
	return NULL;
}

/* Add to one counter in each page, which the device must not lose. */
static unsigned long count_on_pages(char *at, bool *stop)
{
	unsigned long added = 0;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		__atomic_fetch_add((long *)(at + added % PAGES * PAGE), 1,
				   __ATOMIC_RELAXED);
		if (++added % PAGES == 0)
			usleep(250000);
	}
	return added;
}

struct counter {
	char *at;
	bool *stop;
	unsigned long added;
};

static void *count(void *data)
{
	struct counter *counter = data;

	counter->added = count_on_pages(counter->at, counter->stop);
	return NULL;
}

/* Each unit has got all pages a few times by itself. */
static bool both_had_turns(const struct requester *requesters)
{
	return __atomic_load_n(&requesters[0].turns, __ATOMIC_RELAXED) >= 3 &&
	       __atomic_load_n(&requesters[1].turns, __ATOMIC_RELAXED) >= 3;
}

/*
 * Both units get the pages, again and again, in bounded time; no write is lost. At
 * first nobody else accesses them: a CPU would migrate them to system memory, from
 * where either unit gets them without a turn.
 */
TEST_F_TIMEOUT(device_residency, turns, 60)
{
	bool stop = false;
	struct counter counter = { .at = self->at, .stop = &stop };
	struct requester requesters[2];
	pthread_t threads[2], counting;
	unsigned long sum = 0;

	for (int i = 0; i < 2; i++) {
		requesters[i] = (struct requester){
			.unit = variant->unit + i, .at = self->at, .stop = &stop,
		};
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, request_pages,
					    &requesters[i]));
	}
	sleep(TURNS_TIME / 2);
	EXPECT_TRUE(both_had_turns(requesters));
	ASSERT_EQ(0, pthread_create(&counting, NULL, count, &counter));
	sleep(TURNS_TIME / 2);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(counting, NULL);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		TH_LOG("unit %d: %lu turns, %lu lost, longest wait %.3f s",
		       requesters[i].unit, requesters[i].turns, requesters[i].lost,
		       requesters[i].longest);
		EXPECT_EQ(0, requesters[i].error);
		EXPECT_LE(3, requesters[i].turns);
		EXPECT_GT(TURNS_LONGEST, requesters[i].longest);
	}
	for (size_t i = 0; i < PAGES; i++)
		sum += *(long *)(self->at + i * PAGE);
	EXPECT_EQ(counter.added, sum);
}

/* A unit that requests the pages once does not get pages that the other one has. */
TEST_F(device_residency, first_request)
{
	int first = device_open(variant->unit), second = device_open(variant->unit + 1);

	ASSERT_EQ(PAGES, device_call(first, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES));
	usleep(300000);
	EXPECT_EQ(-ENOENT, device_call(second, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES));
	EXPECT_EQ(PAGES, device_call(second, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES));
	close(first);
	close(second);
}

/* The most batches that the copy engine of a unit has had at once since the last call. */
static int batches(int device)
{
	struct hmm_dmirror_cmd cmd = { .npages = 1 };

	return ioctl(device, HMM_DMIRROR_COPY_DELAY, &cmd) ? -errno : (int)cmd.cpages;
}

/*
 * Pages migrate from one unit's memory to that of another, by the copy engine of the
 * latter alone: they are not in system memory in between, where the first one's engine
 * would copy them.
 */
static void migrate_directly(struct __test_metadata *_metadata, char *at, int from,
			     int to)
{
	int first = device_open(from), second = device_open(to);

	if (first < 0 || second < 0)
		SKIP(return, "no such unit");
	for (size_t i = 0; i < PAGES; i++)
		*(size_t *)(at + i * PAGE) = i;
	ASSERT_EQ(PAGES, device_call(first, HMM_DMIRROR_MIGRATE_TO_DEV, at, PAGES));
	usleep(300000);
	EXPECT_EQ(-ENOENT, device_call(second, HMM_DMIRROR_MIGRATE_TO_DEV, at, PAGES));
	EXPECT_LE(0, batches(first));
	EXPECT_LE(0, batches(second));
	EXPECT_EQ(PAGES, device_call(second, HMM_DMIRROR_MIGRATE_TO_DEV, at, PAGES));
	EXPECT_EQ(0, batches(first));
	EXPECT_LE(1, batches(second));
	for (size_t i = 0; i < PAGES; i++)
		EXPECT_EQ(i, *(size_t *)(at + i * PAGE));
	close(first);
	close(second);
}

TEST_F(device_residency, device_to_device)
{
	migrate_directly(_metadata, self->at, variant->unit, variant->unit + 1);
}

/* From private to coherent memory, and the other way. */
TEST_F(device_residency, device_to_device_of_another_type)
{
	migrate_directly(_metadata, self->at, variant->unit, 2 - variant->unit);
}

/* Have all pages of a process in device memory at one time; return an error. */
static int get_resident(int device, const char *at)
{
	int ret;

	do {
		ret = device_call(device, HMM_DMIRROR_MIGRATE_TO_DEV, at, NEED);
		if (ret == -ENOENT)
			usleep(1000);
	} while (ret == -ENOENT);
	return ret == NEED ? 0 : 1;
}

/*
 * A process: in each round all of its memory is in the device's at one time, and the
 * device and the CPU see what both have written. Return 0, or the line of a fault.
 */
static int work(int unit, int seed)
{
	int device = device_open(unit), *at;
	size_t nr = NEED * PAGE / sizeof(*at);
	struct hmm_dmirror_compute sum = { .op = HMM_DMIRROR_SUM, .n = nr };
	struct hmm_dmirror_compute twice = { .op = HMM_DMIRROR_SAXPY, .a = 1, .n = nr };

	alarm(DEADLINE);
	at = (int *)map_aligned(NEED * PAGE, HUGE, RW, MAP_PRIVATE, -1);
	if (device < 0 || !at || madvise(at, NEED * PAGE, MADV_NOHUGEPAGE))
		return __LINE__;
	sum.x = (uintptr_t)at;
	twice.x = (uintptr_t)at;
	twice.y = (uintptr_t)at;
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < nr; i += 512)
			at[i] = seed + round + i / 512;
		if (get_resident(device, (char *)at))
			return __LINE__;
		if (ioctl(device, HMM_DMIRROR_COMPUTE, &twice) ||
		    ioctl(device, HMM_DMIRROR_COMPUTE, &sum))
			return __LINE__;
		for (size_t i = 0; i < nr; i += 512)
			sum.sum -= 2 * (seed + round + i / 512);
		if (sum.sum)
			return __LINE__;
		for (size_t i = 0; i < nr; i += 512 * 16)
			if (at[i] != (int)(2 * (seed + round + i / 512)))
				return __LINE__;
	}
	return 0;
}

/*
 * Three processes that need half of a unit's memory each: those that work make room
 * for each other, all finish in bounded time, and every sum is right.
 */
TEST_F_TIMEOUT(device_residency, oversubscribed, 3 * DEADLINE)
{
	int device = device_open(variant->unit);
	pid_t children[PROCESSES];
	double began = monotonic_seconds();

	ASSERT_EQ(0, limit_memory(device, LIMIT));
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (!children[i])
			_exit(!!work(variant->unit, 1000 * i));
		EXPECT_LT(0, children[i]);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;

		waitpid(children[i], &status, 0);
		EXPECT_EQ(0, status);
	}
	TH_LOG("%d rounds of %d processes in %.1f s", ROUNDS, PROCESSES,
	       monotonic_seconds() - began);
	EXPECT_EQ(0, limit_memory(device, NO_LIMIT));
	close(device);
}

TEST_HARNESS_MAIN
