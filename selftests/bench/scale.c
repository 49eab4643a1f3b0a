// SPDX-License-Identifier: GPL-2.0
/*
 * How costs grow with memory, ranges, mirrors and threads.
 *
 * usage: scale CURVE...
 *
 * Prints one line per point of a curve: the curve, x, the cost of our core, that of
 * the reference ("-" for none), and the unit. Curves: dense and sparse (a walk, by
 * bytes of address space), ranges (of a mirror), mirrors (of a process), flush (one
 * invalidation, by the number of devices that take 10 us to flush; in place of the
 * reference, mirrors without invalidate_finish), threads
 * (device faults while another thread holds the mmap lock for writing half of the
 * time: for 2 ms, and for 50 us, as long as an mmap() takes).
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "hmm_user.h"

#define RW (PROT_READ | PROT_WRITE)
#define LARGEST (64 * GIGA)
#define WINDOW ((size_t)HMM_PROBE_MAX_PAGES * PAGE)
#define CALLS 3

static int probe;
static bool have_reference;
static uint64_t *hmm_pfns;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1e9 + at.tv_nsec;
}

static void row(const char *curve, double x, double ours, double reference,
		const char *unit)
{
	printf("%s %.0f %.2f ", curve, x, ours);
	if (reference >= 0)
		printf("%.2f %s\n", reference, unit);
	else
		printf("- %s\n", unit);
	fflush(stdout);
}

/* The time of a snapshot of @size bytes, in as many calls as needed. */
static double walk_ns(char *at, size_t size, int core)
{
	double ns = 0;
	size_t done;

	for (done = 0; done < size; done += WINDOW) {
		size_t left = size - done;
		struct hmm_probe_walk walk = {
			.addr = (uintptr_t)at + done,
			.npages = (left < WINDOW ? left : WINDOW) / PAGE,
			.hmm_pfns = (uintptr_t)hmm_pfns,
			.core = core,
		};

		if (ioctl(probe, HMM_PROBE_WALK, &walk) || walk.error)
			die("walk");
		ns += walk.ns;
	}
	return ns;
}

static double walk_least(char *at, size_t size, int core)
{
	double best = walk_ns(at, size, core), ns;
	int i;

	for (i = 1; i < CALLS && size <= WINDOW; i++) {
		ns = walk_ns(at, size, core);
		if (ns < best)
			best = ns;
	}
	return best;
}

static void walks(const char *curve, char *at)
{
	size_t size;

	for (size = PAGE; size <= LARGEST; size *= size < GIGA ? 8 : 4)
		row(curve, size, walk_least(at, size, HMM_PROBE_CORE),
		    have_reference ? walk_least(at, size, HMM_PROBE_REFERENCE) : -1,
		    "instructions");
	munmap(at, LARGEST);
}

/* All pages are present: one file, mapped again and again. */
static void dense(void)
{
	char *at = map_aligned(LARGEST, GIGA, PROT_NONE,
			       MAP_PRIVATE | MAP_NORESERVE, -1);
	size_t part = 64UL << 20, done;
	int fd = memory_file(part);

	if (!at || fd < 0)
		die("dense");
	for (done = 0; done < LARGEST; done += part)
		if (mmap(at + done, part, RW, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
			 fd, 0) == MAP_FAILED)
			die("dense");
	walks("walk-dense", at);
	close(fd);
}

/* One present page in each page table. */
static void sparse(void)
{
	char *at = map_aligned(LARGEST, GIGA, RW, MAP_PRIVATE | MAP_NORESERVE, -1);
	size_t done;

	if (!at || madvise(at, LARGEST, MADV_NOHUGEPAGE))
		die("sparse");
	for (done = 0; done < LARGEST; done += HUGE)
		at[done] = 1;
	walks("walk-sparse", at);
}

/* The time to invalidate one page of a process. */
static double invalidation(char *at)
{
	double best = -1, ns;
	int i;

	for (i = 0; i < 8; i++) {
		*at = 1;
		ns = now_ns();
		if (madvise(at, PAGE, MADV_DONTNEED))
			die("madvise");
		ns = now_ns() - ns;
		if (best < 0 || ns < best)
			best = ns;
	}
	return best;
}

static void crowd(const char *curve, uint32_t ranges, uint32_t mirrors)
{
	struct hmm_probe_info info;
	const size_t stride = 2 * PAGE, size = ranges * stride;
	char *at = map_aligned(size, HUGE, RW, MAP_PRIVATE | MAP_NORESERVE, -1);
	struct hmm_probe_crowd arg[2];
	double invalidations[2] = { -1, -1 };
	char name[64];
	int core, fd;

	for (core = 0; core < 1 + have_reference; core++) {
		arg[core] = (struct hmm_probe_crowd){
			.start = (uintptr_t)at,
			.stride = stride,
			.ranges = ranges,
			.mirrors = mirrors,
			.core = core,
		};
		fd = probe_open(&info);
		if (ioctl(fd, HMM_PROBE_CROWD, &arg[core]))
			die("crowd");
		invalidations[core] = invalidation(at + ranges / 2 * stride);
		close(fd);
	}
	snprintf(name, sizeof(name), "%s-insert", curve);
	row(name, ranges * mirrors, arg[0].insert_ns,
	    have_reference ? arg[1].insert_ns : -1, "instructions");
	snprintf(name, sizeof(name), "%s-lookup", curve);
	row(name, ranges * mirrors, arg[0].lookup_ns, -1, "instructions");
	snprintf(name, sizeof(name), "%s-invalidate", curve);
	row(name, ranges * mirrors, invalidations[0], invalidations[1], "instructions");
	munmap(at, size);
}

static void ranges(void)
{
	uint32_t nr;

	for (nr = 1; nr <= 100000; nr *= 10)
		crowd("ranges", nr, 1);
}

static void mirrors(void)
{
	uint32_t nr;

	for (nr = 1; nr <= 1000; nr *= 10)
		crowd("mirrors", 1, nr);
}

static double flushes(char *at, uint32_t devices, bool one_pass)
{
	struct hmm_probe_info info;
	struct hmm_probe_crowd arg = {
		.start = (uintptr_t)at,
		.stride = PAGE,
		.ranges = 1,
		.mirrors = devices,
		.core = HMM_PROBE_CORE,
		.flush_us = 10,
		.one_pass = one_pass,
	};
	int fd = probe_open(&info);
	double ns;

	if (ioctl(fd, HMM_PROBE_CROWD, &arg))
		die("crowd");
	ns = invalidation(at);
	close(fd);
	return ns;
}

static void flush(void)
{
	char *at = map_aligned(PAGE, HUGE, RW, MAP_PRIVATE, -1);
	uint32_t nr;

	for (nr = 1; nr <= 16; nr *= 4)
		row("flush", nr, flushes(at, nr, false), flushes(at, nr, true), "ns");
	munmap(at, PAGE);
}

/**
 * struct faulter - a thread that makes device faults
 * @thread: the thread
 * @fd: the probe, shared by all threads
 * @arg: the addresses of the faults
 * @faults: number of faults so far
 */
struct faulter {
	pthread_t thread;
	int fd;
	struct hmm_probe_populate arg;
	uint64_t faults;
};

static volatile bool over;
static uint32_t hold_us;

static void *fault(void *data)
{
	struct faulter *f = data;

	while (!over) {
		if (ioctl(f->fd, HMM_PROBE_POPULATE_PAGES, &f->arg))
			die("populate");
		f->faults += f->arg.count;
	}
	return NULL;
}

static void *occupy(void *data)
{
	struct hmm_probe_occupy arg = { .us = hold_us, .count = 10 };

	while (!over)
		if (ioctl(probe, HMM_PROBE_OCCUPY, &arg))
			die("occupy");
	return NULL;
}

/* Faults per second of @nr threads. */
static double faults_of(unsigned int nr, int core)
{
	const size_t size = 8 * HUGE;
	char *at = map_aligned(size, HUGE, RW, MAP_PRIVATE, -1);
	struct faulter faulters[8] = {};
	struct hmm_probe_info info;
	pthread_t occupier;
	double begun, faults = 0;
	unsigned int i;
	int fd = probe_open(&info);

	write_pages(at, size);
	over = false;
	begun = now_ns();
	pthread_create(&occupier, NULL, occupy, NULL);
	for (i = 0; i < nr; i++) {
		faulters[i].fd = fd;
		faulters[i].arg = (struct hmm_probe_populate){
			.start = (uintptr_t)at,
			.end = (uintptr_t)at + size,
			.skip = 1 + i,
			.core = core,
			.count = 64,
		};
		pthread_create(&faulters[i].thread, NULL, fault, &faulters[i]);
	}
	sleep(2);
	over = true;
	for (i = 0; i < nr; i++) {
		pthread_join(faulters[i].thread, NULL);
		faults += faulters[i].faults;
	}
	faults /= (now_ns() - begun) / 1e9;
	pthread_join(occupier, NULL);
	close(fd);
	munmap(at, size);
	return faults;
}

static void threads_beside(const char *curve, uint32_t us)
{
	unsigned int nr;

	hold_us = us;
	for (nr = 1; nr <= 8; nr *= 2)
		row(curve, nr, faults_of(nr, HMM_PROBE_CORE),
		    have_reference ? faults_of(nr, HMM_PROBE_REFERENCE) : -1,
		    "faults/s");
}

static void threads(void)
{
	threads_beside("threads-2ms", 2000);
	threads_beside("threads-50us", 50);
}

static const struct {
	const char *name;
	void (*draw)(void);
} curves[] = {
	{ "dense", dense },
	{ "sparse", sparse },
	{ "ranges", ranges },
	{ "mirrors", mirrors },
	{ "flush", flush },
	{ "threads", threads },
};

int main(int argc, char **argv)
{
	struct hmm_probe_info info;
	size_t i;

	probe = probe_open(&info);
	have_reference = info.has & HMM_PROBE_HAS_REFERENCE;
	hmm_pfns = calloc(HMM_PROBE_MAX_PAGES, sizeof(*hmm_pfns));
	if (!hmm_pfns)
		return 1;
	while (*++argv) {
		for (i = 0; i < sizeof(curves) / sizeof(*curves); i++)
			if (!strcmp(curves[i].name, *argv))
				curves[i].draw();
	}
	return 0;
}
