// SPDX-License-Identifier: GPL-2.0
/*
 * limits: processes that need more memory than their cgroup has, while a device faults
 * pages in, computes on them and has them migrate.
 *
 *	oom	no swap space: the kernel kills one after the other
 *	swap	with swap space: pages are swapped out
 *	storm	another thread invalidates what the device accesses, all the time
 *
 * The pages of those that are left keep their contents. A command of the device is done,
 * or fails with ENOMEM. Afterwards no page of a unit and no mirror is left. KTAP.
 *
 * SEED= is the seed (default 1), DURATION= the seconds of each case (default 5).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hmm_dmirror.h"
#include "endings.h"
#include "fixture_dmirror.h"

#define RW		(PROT_READ | PROT_WRITE)
#define GROUP		"limits"
#define LIMIT		"40M"
#define NR_WORKERS	3
#define CHUNK		(1UL << 20)
#define CHUNK_PAGES	(CHUNK / PAGE)
#define NR_INTS		(CHUNK / sizeof(int))
/* Of each worker: together more than the limit, with their buffers. */
#define NR_CHUNKS	24
/* A command of the device that takes longer makes no progress. */
#define STUCK		30.0
#define END_SECONDS	60

enum ending { GOOD = 0, BAD_DATA = 3, BAD_ERROR, STUCK_COMMAND, NO_DEVICE };

/* What the workers count, in memory that they share. */
struct counts {
	atomic_long calls, checked, no_memory;
};

static struct counts *counts;

/*
 * A worker: y[i] of chunk c is times[c] * i + seed; the device adds x[i], which is i.
 */
struct worker {
	unsigned int seed;
	int device;
	int *x, *y;
	int times[NR_CHUNKS];
};

static int *chunk_of(const struct worker *w, int c)
{
	return w->y + c * NR_INTS;
}

static void chunk_fill(struct worker *w, int c)
{
	int *y = chunk_of(w, c);

	for (size_t i = 0; i < NR_INTS; i++)
		y[i] = i + w->seed;
	w->times[c] = 1;
}

static void chunk_check(const struct worker *w, int c)
{
	const int *y = chunk_of(w, c);

	for (size_t i = 0; i < NR_INTS; i++) {
		if (y[i] == w->times[c] * (int)i + (int)w->seed)
			continue;
		printf("# chunk %d: number %zu is %d, not %d\n", c, i, y[i],
		       w->times[c] * (int)i + (int)w->seed);
		_exit(BAD_DATA);
	}
	atomic_fetch_add(&counts->checked, 1);
}

/* An error of a command; returns whether memory ran out. */
static bool no_memory(const char *name, int ret)
{
	if (ret >= 0)
		return false;
	if (ret != -ENOMEM) {
		printf("# %s: %s\n", name, strerror(-ret));
		_exit(BAD_ERROR);
	}
	atomic_fetch_add(&counts->no_memory, 1);
	return true;
}

static void chunk_compute(struct worker *w, int c)
{
	struct hmm_dmirror_compute compute = {
		.op = HMM_DMIRROR_SAXPY, .a = 1, .n = NR_INTS,
		.x = (uintptr_t)w->x, .y = (uintptr_t)chunk_of(w, c),
	};
	int ret = ioctl(w->device, HMM_DMIRROR_COMPUTE, &compute) ? -errno : 0;

	/* It may have been done in part. */
	if (no_memory("compute", ret))
		chunk_fill(w, c);
	else
		w->times[c]++;
}

static void chunk_move(struct worker *w, int c, unsigned long request)
{
	int ret = device_call(w->device, request, chunk_of(w, c), CHUNK_PAGES);

	/* Pages that are in use are not migrated, which may be all. */
	if (ret != -ENOENT && ret != -EBUSY)
		no_memory("migrate", ret);
}

static void worker_step(struct worker *w, uint64_t *stream)
{
	double began = monotonic_seconds();
	int c;

	*stream = *stream * 6364136223846793005ULL + 1442695040888963407ULL;
	c = (*stream >> 33) % NR_CHUNKS;
	if (!w->times[c])
		chunk_fill(w, c);
	switch ((*stream >> 50) % 6) {
	case 0:
	case 1:
		chunk_compute(w, c);
		break;
	case 2:
		chunk_move(w, c, HMM_DMIRROR_MIGRATE_TO_DEV);
		break;
	case 3:
		chunk_move(w, c, HMM_DMIRROR_MIGRATE_TO_SYS);
		break;
	case 4:
		chunk_check(w, c);
		break;
	case 5:
		madvise(chunk_of(w, c), CHUNK, MADV_DONTNEED);
		chunk_fill(w, c);
		break;
	}
	if (monotonic_seconds() - began > STUCK)
		_exit(STUCK_COMMAND);
	atomic_fetch_add(&counts->calls, 1);
}

static void worker_run(unsigned int seed)
{
	struct worker w = { .seed = seed, .device = device_open(seed % 2) };
	uint64_t stream = seed * 0x9e3779b97f4a7c15ULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (w.device < 0 || cgroup_enter(GROUP))
		_exit(NO_DEVICE);
	w.x = map_aligned(CHUNK, PAGE, RW, MAP_PRIVATE, -1);
	w.y = map_aligned(NR_CHUNKS * CHUNK, CHUNK, RW, MAP_PRIVATE, -1);
	if (!w.x || !w.y)
		_exit(NO_DEVICE);
	for (size_t i = 0; i < NR_INTS; i++)
		w.x[i] = i;
	for (;;)
		worker_step(&w, &stream);
}

static const char *ending_name(int status)
{
	if (WIFSIGNALED(status))
		return strsignal(WTERMSIG(status));
	switch (WEXITSTATUS(status)) {
	case BAD_DATA:
		return "its pages have other contents";
	case BAD_ERROR:
		return "a command failed";
	case STUCK_COMMAND:
		return "a command did not end";
	}
	return "it could not begin";
}

/* Run workers for some seconds; returns how many the kernel killed, or -1 for any other end. */
static long workers_run(double seconds, unsigned int *seed)
{
	double until = monotonic_seconds() + seconds;
	pid_t workers[NR_WORKERS] = { 0 };
	long killed = 0;
	int status;

	while (monotonic_seconds() < until && killed >= 0) {
		for (int i = 0; i < NR_WORKERS; i++) {
			if (!workers[i]) {
				fflush(stdout);
				workers[i] = fork();
				++*seed;
				if (!workers[i])
					worker_run(*seed);
			}
			if (waitpid(workers[i], &status, WNOHANG) != workers[i])
				continue;
			workers[i] = 0;
			if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
				killed++;
				continue;
			}
			printf("# a process ended: %s\n", ending_name(status));
			killed = -1;
		}
		usleep(10000);
	}
	for (int i = 0; i < NR_WORKERS; i++) {
		if (!workers[i])
			continue;
		kill(workers[i], SIGKILL);
		waitpid(workers[i], &status, 0);
	}
	return killed;
}

/* How many processes of the group the kernel has killed for memory. */
static long oom_kills(void)
{
	char text[512], *at;

	if (cgroup_read(GROUP, "memory.events", text, sizeof(text)) < 0)
		return 0;
	at = strstr(text, "oom_kill ");
	return at ? atol(at + strlen("oom_kill ")) : 0;
}

/*
 * The storm.
 */

static volatile bool calm;

static void *storm_run(void *at)
{
	while (!calm) {
		mprotect(at, CHUNK, PROT_READ);
		mprotect(at, CHUNK, RW);
	}
	return NULL;
}

/* Compute while a thread changes the protection: each call ends, and most are done. */
static bool storm(double seconds, long *done, double *longest)
{
	struct worker w = { .device = device_open(0) };
	double until = monotonic_seconds() + seconds, began, took;
	pthread_t thread;

	w.x = map_aligned(CHUNK, PAGE, RW, MAP_PRIVATE, -1);
	w.y = map_aligned(CHUNK, CHUNK, RW, MAP_PRIVATE, -1);
	if (w.device < 0 || !w.x || !w.y)
		return false;
	calm = false;
	if (pthread_create(&thread, NULL, storm_run, w.y))
		return false;
	while (monotonic_seconds() < until) {
		struct hmm_dmirror_compute compute = {
			.op = HMM_DMIRROR_SUM, .n = NR_INTS, .x = (uintptr_t)w.y,
		};

		began = monotonic_seconds();
		*done += !ioctl(w.device, HMM_DMIRROR_COMPUTE, &compute);
		took = monotonic_seconds() - began;
		*longest = took > *longest ? took : *longest;
	}
	calm = true;
	pthread_join(thread, NULL);
	close(w.device);
	munmap(w.x, CHUNK);
	munmap(w.y, CHUNK);
	return *done > 0 && *longest < STUCK;
}

int main(void)
{
	double seconds = env_number("DURATION", 5), longest = 0;
	unsigned int seed = env_number("SEED", 1);
	long kills = 0, swapped = 0, done = 0, used, mirrors;
	const char *no_group = NULL, *no_swap = NULL, *no_stats;
	bool good = true;
	int device;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
	device = device_open(0);
	counts = mmap(NULL, sizeof(*counts), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (device < 0 || counts == MAP_FAILED || !driver_loaded()) {
		printf("1..0 # SKIP no sample driver\n");
		return 4;
	}
	close(device);
	printf("# SEED=%u\n1..6\n", seed);
	large_folios_allow(HUGE / 1024, true);
	if (cgroup_make(GROUP, LIMIT))
		no_group = "no memory cgroups";
	if (!no_group && !cgroup_set(GROUP, "memory.swap.max", "0"))
		kills = workers_run(seconds, &seed);
	good &= result(kills >= 0, "contents and errors where memory runs out", no_group);
	good &= result(kills > 0 && oom_kills() > 0, "the kernel kills those who have too much",
		       no_group);
	if (swap_ready() || cgroup_set(GROUP, "memory.swap.max", "max"))
		no_swap = no_group ?: "no swap space";
	if (!no_swap)
		swapped = workers_run(seconds, &seed);
	good &= result(swapped >= 0, "contents and errors where pages are swapped out", no_swap);
	good &= result(storm(seconds, &done, &longest),
		       "a device makes progress while its pages are invalidated", NULL);
	used = stats_wait(STATS_DEVMEM, " used=", false, END_SECONDS);
	mirrors = stats_wait(STATS_MIRRORS, "mirror=", true, END_SECONDS);
	no_stats = used < 0 ? "no statistics" : NULL;
	good &= result(!used, "no page of a unit is left in use", no_stats);
	good &= result(!mirrors, "no mirror is left", no_stats);
	cgroup_leave(GROUP);
	printf("# figures: kills=%ld swap-kills=%ld calls=%ld checked=%ld no-memory=%ld", kills,
	       swapped, counts->calls, counts->checked, counts->no_memory);
	printf(" storm-calls=%ld longest-ms=%ld\n", done, (long)(longest * 1000));
	return !good;
}
