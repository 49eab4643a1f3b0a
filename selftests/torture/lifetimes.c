// SPDX-License-Identifier: GPL-2.0
/*
 * lifetimes: processes, their mirrors, the files that have the mirrors, device memory
 * and the driver end at random moments and in any order.
 *
 * Processes are killed while their mirrors fault, migrate, compute and fork, while they
 * execute another program, and in the middle of a storm of children. Some of their files
 * are kept by this process, and outlive them; others close the file first, with pages in
 * the memory of a unit. Meanwhile the driver is to be removed: that must be refused while
 * a file is open, and otherwise migrate what its units have. The kernel ages its LRU lists,
 * so that now and then a worker has the last reference to an address space.
 *
 * SEED= is the seed (default 1), DURATION= the seconds (default 10), COUNT= how many
 * processes are killed at least (default 0): it continues until both are reached. The
 * seed repeats what each process does, but not when it is killed.
 *
 * A process that was killed and does not end within a minute fails, and so do pages and
 * mirrors that are left afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hmm_dmirror.h"
#include "endings.h"
#include "fixture_dmirror.h"

#define RW		(PROT_READ | PROT_WRITE)
#define NPAGES		768UL
#define NR_LIVES	4
#define NR_KEPT		8
#define MAX_UNITS	4
#define END_MS		60000
#define LONGER_MS	60000
#define WARM_UP_MS	1000
#define PROGRESS_MS	10000
/* After so many ms the driver is removed, when its files are closed. */
#define UNLOAD_MS	1500
#define SLACK		64
/* Of free pages, which the kernel's caches have as well. */
#define SLACK_FREE	8192

enum way { AT_WORK, FILE_KEPT, FILE_CLOSED, STORM, EXECUTED, NR_WAYS };

static const char *const way_names[NR_WAYS] = {
	"killed-at-work", "file-outlives-process", "process-outlives-file", "fork-storm", "exec",
};

/**
 * struct state - what all processes share
 * @failed: whether a check failed
 * @calls: calls of the driver
 * @forks: children of those that are killed
 * @checked: pages whose contents were checked after their file was closed
 * @done: how often processes were killed, or ended, in each way
 * @files: for each life, a file of it that can be kept, plus 1
 * @resident: for each life, whether it has closed its files, with pages on a unit
 */
struct state {
	atomic_bool failed;
	atomic_ulong calls;
	atomic_ulong forks;
	atomic_ulong checked;
	atomic_ulong done[NR_WAYS];
	atomic_int files[NR_LIVES];
	atomic_bool resident[NR_LIVES];
};

static struct state *state;

/**
 * struct life - a process that is going to be killed
 * @pid: the process, and its group; 0 for none
 * @way: what it does
 * @until: when it is killed, in ms
 * @killed: when it was killed, or 0
 */
struct life {
	pid_t pid;
	enum way way;
	uint64_t until;
	uint64_t killed;
};

static struct life lives[NR_LIVES];
static int kept[NR_KEPT];
static unsigned int nr_units;
static const char *driver;
static unsigned long kills, refusals, unloads, unloads_resident, orphans, aged;

static uint64_t next(uint64_t *stream)
{
	uint64_t z = *stream += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static uint64_t milliseconds(void)
{
	return monotonic_seconds() * 1000;
}

static void fail(const char *what, long number)
{
	if (!atomic_exchange(&state->failed, true))
		dprintf(1, "# %s (%ld)\n", what, number);
}

/*
 * What a process does until it is killed.
 */

/**
 * struct work - a thread of such a process
 * @stream: its random numbers
 * @at: NPAGES pages
 * @buffer: as many
 * @devices: a file for each unit
 */
struct work {
	uint64_t stream;
	char *at;
	char *buffer;
	int devices[MAX_UNITS];
};

static void work_call(struct work *work, unsigned long nr)
{
	size_t first = next(&work->stream) % NPAGES;
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)work->at + first * PAGE, .ptr = (uintptr_t)work->buffer,
		.npages = 1 + next(&work->stream) % (NPAGES - first),
	};

	atomic_fetch_add(&state->calls, 1);
	ioctl(work->devices[next(&work->stream) % nr_units], nr, &cmd);
}

static void work_compute(struct work *work)
{
	struct hmm_dmirror_compute compute = {
		.op = HMM_DMIRROR_SAXPY, .a = 3, .n = (NPAGES / 2) * PAGE / 4,
		.x = (uintptr_t)work->at, .y = (uintptr_t)work->at + NPAGES / 2 * PAGE,
	};

	atomic_fetch_add(&state->calls, 1);
	ioctl(work->devices[next(&work->stream) % nr_units], HMM_DMIRROR_COMPUTE, &compute);
}

static void work_advise(struct work *work)
{
	struct hmm_dmirror_advice advice = {
		.addr = (uintptr_t)work->at, .npages = NPAGES,
		.advice = HMM_DMIRROR_SET_PREFERRED_LOCATION,
		.location = next(&work->stream) % nr_units,
	};

	atomic_fetch_add(&state->calls, 1);
	ioctl(work->devices[next(&work->stream) % nr_units], HMM_DMIRROR_ADVISE, &advice);
}

/* A child that uses what its parent has on the units, and ends by itself or is killed. */
static void work_fork(struct work *work)
{
	pid_t child = fork();

	if (!child) {
		for (size_t i = 0; i < NPAGES; i += 16)
			work->at[i * PAGE]++;
		_exit(0);
	}
	if (child < 0)
		return;
	atomic_fetch_add(&state->forks, 1);
	if (next(&work->stream) % 2)
		kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void work_map_device(struct work *work)
{
	size_t size = 16 * PAGE;
	void *at = mmap(NULL, size, RW, MAP_SHARED, work->devices[0], 0);

	if (at != MAP_FAILED && next(&work->stream) % 2)
		munmap(at, size);
}

static void work_reopen(struct work *work)
{
	unsigned int unit = next(&work->stream) % nr_units;
	int device = device_open(unit);

	if (device >= 0) {
		dup3(device, work->devices[unit], O_CLOEXEC);
		close(device);
	}
}

static const unsigned long work_calls[] = {
	HMM_DMIRROR_READ, HMM_DMIRROR_READ, HMM_DMIRROR_WRITE, HMM_DMIRROR_WRITE,
	HMM_DMIRROR_MIGRATE_TO_DEV, HMM_DMIRROR_MIGRATE_TO_DEV, HMM_DMIRROR_MIGRATE_TO_DEV,
	HMM_DMIRROR_MIGRATE_TO_SYS, HMM_DMIRROR_EXCLUSIVE, HMM_DMIRROR_SNAPSHOT,
};

static void work_zap(struct work *work)
{
	madvise(work->at, NPAGES / 4 * PAGE, MADV_DONTNEED);
}

static void (*const work_others[])(struct work *work) = {
	work_compute, work_advise, work_fork, work_map_device, work_reopen, work_zap,
};

static void work_step(struct work *work)
{
	unsigned int choice = next(&work->stream) % 16;

	if (choice < 10)
		work_call(work, work_calls[choice]);
	else
		work_others[choice - 10](work);
}

static void *work_run(void *arg)
{
	struct work *work = arg;

	for (;;)
		work_step(work);
	return NULL;
}

/* The driver may be away for a moment. */
static void work_open(struct work *work)
{
	for (unsigned int i = 0; i < nr_units; i++)
		while ((work->devices[i] = device_open(i)) < 0)
			usleep(1000);
}

static void work_prepare(struct work *work, uint64_t stream)
{
	work->stream = stream;
	work->at = mmap(NULL, NPAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	work->buffer = mmap(NULL, NPAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (work->at == MAP_FAILED || work->buffer == MAP_FAILED)
		_exit(1);
	if (next(&work->stream) % 2)
		madvise(work->at, NPAGES * PAGE, MADV_HUGEPAGE);
}

/* Two threads, one of which is this one, work until the end. */
static void work_begin(struct work *work)
{
	static struct work other;
	pthread_t thread;

	other = *work;
	other.stream = next(&work->stream);
	if (pthread_create(&thread, NULL, work_run, &other))
		_exit(1);
}

static void live_working(struct work *work, unsigned int number)
{
	work_open(work);
	atomic_store(&state->files[number], work->devices[0] + 1);
	work_begin(work);
	work_run(work);
}

/* Close the file, and use the pages that are on a unit, or the driver moves back. */
static void live_closed(struct work *work, unsigned int number)
{
	for (;;) {
		unsigned char value = next(&work->stream);
		struct hmm_dmirror_cmd cmd = {
			.addr = (uintptr_t)work->at, .ptr = (uintptr_t)work->buffer,
			.npages = NPAGES,
		};

		work_open(work);
		memset(work->at, value, NPAGES * PAGE);
		ioctl(work->devices[next(&work->stream) % nr_units], HMM_DMIRROR_MIGRATE_TO_DEV,
		      &cmd);
		atomic_fetch_add(&state->calls, 1);
		for (unsigned int i = 0; i < nr_units; i++)
			close(work->devices[i]);
		atomic_store(&state->resident[number], true);
		usleep(next(&work->stream) % 50000);
		for (size_t i = 0; i < NPAGES * PAGE; i += 1024)
			if ((unsigned char)work->at[i] != value)
				fail("a page lost its contents", i);
		atomic_fetch_add(&state->checked, NPAGES);
		atomic_store(&state->resident[number], false);
	}
}

/* Children of children, all in one process group, with files and pages of their parents. */
static void live_storm(struct work *work, unsigned int number)
{
	work_open(work);
	work_call(work, HMM_DMIRROR_MIGRATE_TO_DEV);
	/* Up to 32 processes, all of which work but the first. */
	for (int depth = 0; depth < 5; depth++) {
		pid_t child = fork();

		if (child < 0)
			break;
		atomic_fetch_add(&state->forks, 1);
		work->stream += child;
		if (!child && next(&work->stream) % 2)
			work_open(work);
		work_step(work);
		work->at[next(&work->stream) % NPAGES * PAGE] = 1;
	}
	while (getpid() != getpgrp())
		work_step(work);
	for (;;)
		pause();
}

/* Another program takes the address space away under the threads that use the device. */
static void live_exec(struct work *work, unsigned int number)
{
	char *const args[] = { "lifetimes", "-", NULL };

	work_open(work);
	for (unsigned int i = 0; i < nr_units; i++)
		if (next(&work->stream) % 2)
			fcntl(work->devices[i], F_SETFD, 0);
	work_begin(work);
	for (uint64_t steps = next(&work->stream) % 8; steps; steps--)
		work_step(work);
	execv("/proc/self/exe", args);
	_exit(1);
}

/* The program that was executed: files of the old address space are of no use. */
static int executed(void)
{
	char page[PAGE] __attribute__((aligned(4096)));
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)page, .ptr = (uintptr_t)page, .npages = 1,
	};

	for (int fd = 3; fd < 32; fd++)
		if (!ioctl(fd, HMM_DMIRROR_READ, &cmd))
			return 2;
	return 0;
}

static void live(unsigned int number, enum way way, uint64_t stream)
{
	struct work work;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	for (int i = 0; i < NR_KEPT; i++)
		close(kept[i]);
	work_prepare(&work, stream);
	switch (way) {
	case FILE_CLOSED:
		live_closed(&work, number);
		break;
	case STORM:
		live_storm(&work, number);
		break;
	case EXECUTED:
		live_exec(&work, number);
		break;
	default:
		live_working(&work, number);
	}
	_exit(0);
}

/*
 * The process that kills.
 */

static void life_begin(unsigned int number, enum way way, uint64_t *stream)
{
	struct life *life = &lives[number];
	uint64_t seed = next(stream);
	pid_t pid;

	atomic_store(&state->files[number], 0);
	atomic_store(&state->resident[number], false);
	pid = fork();
	if (!pid)
		live(number, way, seed);
	if (pid < 0) {
		fail("fork", errno);
		return;
	}
	setpgid(pid, pid);
	*life = (struct life){
		.pid = pid, .way = way,
		/* From at once to long after the beginning, early more often. */
		.until = milliseconds() + next(stream) % (1 << next(stream) % 11),
	};
}

/* Take a file over from a process that is about to be killed. */
static void file_keep(struct life *life, int file, uint64_t *stream)
{
	int pidfd = syscall(SYS_pidfd_open, life->pid, 0), fd;

	if (pidfd < 0)
		return;
	fd = syscall(SYS_pidfd_getfd, pidfd, file, 0);
	close(pidfd);
	if (fd >= 0) {
		int *place = &kept[next(stream) % NR_KEPT];

		close(*place);
		*place = fd;
	}
}

/* The process that the file mirrors is dead, or another one than this. */
static void file_use(uint64_t *stream)
{
	char page[PAGE] __attribute__((aligned(4096)));
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)page, .ptr = (uintptr_t)page, .npages = 1,
	};
	int file = kept[next(stream) % NR_KEPT];

	if (file < 0)
		return;
	orphans++;
	if (!ioctl(file, HMM_DMIRROR_READ, &cmd) || errno != EINVAL)
		fail("a file of another process can be used", errno);
}

static void files_drop(void)
{
	for (int i = 0; i < NR_KEPT; i++) {
		close(kept[i]);
		kept[i] = -1;
	}
}

static void life_kill(unsigned int number, uint64_t *stream)
{
	struct life *life = &lives[number];
	int file = atomic_load(&state->files[number]) - 1;

	if (life->way == FILE_KEPT) {
		/* Nothing would be kept of one that has not opened it yet. */
		if (file < 0)
			return;
		file_keep(life, file, stream);
	}
	life->killed = milliseconds();
	kill(-life->pid, SIGKILL);
	kill(life->pid, SIGKILL);
	kills++;
}

/* Returns whether the process has ended. */
static bool life_ended(struct life *life)
{
	uint64_t now = milliseconds();
	int status;

	if (waitpid(life->pid, &status, WNOHANG) == life->pid) {
		/* One that has executed a program may end before it is killed. */
		if (WIFEXITED(status) && WEXITSTATUS(status))
			fail("a process ended with an error", WEXITSTATUS(status));
		else if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
			fail("a process ended with a signal", WTERMSIG(status));
		atomic_fetch_add(&state->done[life->way], 1);
		/* The rest of its group. */
		kill(-life->pid, SIGKILL);
		life->pid = 0;
		return true;
	}
	if (life->killed && now > life->killed + END_MS) {
		fail("a process that was killed does not end", life->pid);
		setting_write("/proc/sysrq-trigger", "w");
	}
	return false;
}

/* Reap children of children, which this process inherits. */
static void orphans_reap(void)
{
	siginfo_t info = { 0 };

	while (!waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid) {
		for (int i = 0; i < NR_LIVES; i++)
			if (lives[i].pid == info.si_pid)
				return;
		waitpid(info.si_pid, NULL, 0);
		info.si_pid = 0;
	}
}

/* Have the kernel's LRU lists age, for which it takes references to address spaces. */
static void lists_age(void)
{
	char text[4096], command[64], *line;
	unsigned long memcg, last = 0;
	int fd = open("/sys/kernel/debug/lru_gen", O_RDWR);
	ssize_t got;

	if (fd < 0)
		return;
	got = read(fd, text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = 0;
	line = strstr(text, "memcg");
	if (line && sscanf(line, "memcg %lu", &memcg) == 1) {
		for (line = strchr(line, '\n'); line && line[1] && strncmp(line + 1, "memcg", 5);
		     line = strchr(line + 1, '\n'))
			sscanf(line + 1, " %lu", &last);
		snprintf(command, sizeof(command), "+ %lu 0 %lu 1 1\n", memcg, last);
		aged += write(fd, command, strlen(command)) > 0;
	}
	close(fd);
}

/* Try to remove the driver. Success and refusal are both right. */
static void driver_try(void)
{
	bool resident = false;
	int ret;

	for (int i = 0; i < NR_LIVES; i++)
		resident |= atomic_load(&state->resident[i]);
	ret = driver_reload(driver);
	if (ret == -EAGAIN) {
		refusals++;
	} else if (ret) {
		fail("the driver cannot be reloaded", ret);
	} else {
		unloads++;
		unloads_resident += resident;
	}
}

static bool all_done(unsigned long count)
{
	if (kills < count || !orphans || !refusals || !unloads_resident)
		return false;
	for (int i = 0; i < NR_WAYS; i++)
		if (!state->done[i])
			return false;
	return true;
}

/* Only those that close their files are begun while the driver is to be removed. */
static enum way way_choose(bool unloading, uint64_t *stream)
{
	static const enum way ways[] = {
		AT_WORK, AT_WORK, AT_WORK, FILE_KEPT, FILE_KEPT, FILE_CLOSED, STORM, EXECUTED,
	};

	return unloading ? FILE_CLOSED : ways[next(stream) % 8];
}

static void lives_step(bool unloading, bool ending, uint64_t *stream)
{
	for (unsigned int i = 0; i < NR_LIVES; i++) {
		struct life *life = &lives[i];

		if (life->pid && !life->killed && (milliseconds() >= life->until || ending))
			life_kill(i, stream);
		if ((!life->pid || life_ended(life)) && !ending)
			life_begin(i, way_choose(unloading, stream), stream);
	}
	orphans_reap();
}

static bool lives_left(void)
{
	for (int i = 0; i < NR_LIVES; i++)
		if (lives[i].pid)
			return true;
	return false;
}

static void lives_end(uint64_t *stream)
{
	uint64_t deadline = milliseconds() + END_MS;

	while (lives_left() && milliseconds() < deadline && !usleep(1000)) {
		/* A file that it never opened is not kept. */
		for (int i = 0; i < NR_LIVES; i++)
			lives[i].way = lives[i].way == FILE_KEPT ? AT_WORK : lives[i].way;
		lives_step(false, true, stream);
	}
	files_drop();
	orphans_reap();
}

static void run(uint64_t *stream, unsigned int ms, unsigned long count, unsigned int longer)
{
	uint64_t started = milliseconds(), phase = started, shown = started, now;
	bool unloading = false;

	while (!atomic_load(&state->failed)) {
		now = milliseconds();
		if (now - started >= ms && (all_done(count) || now - started >= ms + longer) &&
		    kills >= count)
			break;
		if (now - shown >= PROGRESS_MS) {
			shown = now;
			dprintf(1, "# %llu s: %lu processes killed\n",
				(unsigned long long)(now - started) / 1000, kills);
		}
		if (now - phase >= UNLOAD_MS) {
			phase = now;
			unloading = !unloading;
			if (unloading)
				files_drop();
		}
		lives_step(unloading, false, stream);
		if (next(stream) % 4 == 0)
			file_use(stream);
		if (next(stream) % 16 == 0)
			lists_age();
		if (unloading || next(stream) % 64 == 0)
			driver_try();
		usleep(200);
	}
	lives_end(stream);
}

/*
 * What is left.
 */

static const char *const counted[] = {
	"nr_anon_pages", "nr_active_anon", "nr_anon_transparent_hugepages", "nr_mapped",
	"nr_isolated_anon", "nr_isolated_file", "nr_mlock", "nr_unevictable", "nr_writeback",
	"nr_shmem", "nr_free_pages",
};

/* The aging of lists moves pages between these two: they are added up. */
static const char *counter_of(const char *name)
{
	return strcmp(name, "nr_inactive_anon") ? name : "nr_active_anon";
}

#define NR_COUNTED	(sizeof(counted) / sizeof(counted[0]))

struct counters {
	long values[NR_COUNTED];
};

static void counters_read(struct counters *counters)
{
	char name[64], dump[512];
	FILE *file;
	long value;

	setting_write("/proc/sys/vm/drop_caches", "3");
	setting_read("/proc/sys/vm/stat_refresh", dump, sizeof(dump));
	*counters = (struct counters){ 0 };
	file = fopen("/proc/vmstat", "r");
	while (file && fscanf(file, "%63s %ld", name, &value) == 2)
		for (size_t i = 0; i < NR_COUNTED; i++)
			if (!strcmp(counted[i], counter_of(name)))
				counters->values[i] += value;
	if (file)
		fclose(file);
}

/* The number of the first counter that is not back to what it was, or -1. */
static int counters_differ(const struct counters *before, const struct counters *after)
{
	for (size_t i = 0; i < NR_COUNTED; i++) {
		long more = after->values[i] - before->values[i];

		if (!strcmp(counted[i], "nr_free_pages")) {
			if (-more > SLACK_FREE)
				return i;
		} else if (more > SLACK) {
			return i;
		}
	}
	return -1;
}

static bool counters_return(const struct counters *before)
{
	uint64_t deadline = milliseconds() + 10000;
	struct counters after = { 0 };
	int which;

	do
		counters_read(&after);
	while ((which = counters_differ(before, &after)) >= 0 && milliseconds() < deadline &&
	       !usleep(100000));
	if (which >= 0)
		printf("# %s: %ld before, %ld after\n", counted[which], before->values[which],
		       after.values[which]);
	return which < 0;
}

static void prepare(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Children of those that are killed are reaped here. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	large_folios_allow(HUGE / 1024, true);
	for (int i = 0; i < NR_KEPT; i++)
		kept[i] = -1;
	driver = driver_loaded();
	for (; driver && nr_units < MAX_UNITS; nr_units++) {
		int device = device_open(nr_units);

		if (device < 0)
			break;
		close(device);
	}
}

int main(int argc, char **argv)
{
	unsigned int ms = env_number("DURATION", 10) * 1000;
	uint64_t seed = env_number("SEED", 1), stream = seed;
	unsigned long count = env_number("COUNT", 0);
	struct counters before = { 0 };
	const char *no_stats;
	bool good = true;
	long used, mirrors;

	if (argc > 1)
		return executed();
	prepare();
	printf("KTAP version 1\n");
	state = mmap(NULL, sizeof(*state), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (state == MAP_FAILED || !nr_units) {
		printf("1..0 # SKIP no sample driver\n");
		return 4;
	}
	printf("# SEED=%llu\n1..%u\n", (unsigned long long)seed, NR_WAYS + 8);
	/* Caches are filled the first time. */
	run(&stream, WARM_UP_MS, 0, 0);
	good = !driver_reload_when_idle(driver, END_MS / 1000);
	counters_read(&before);
	run(&stream, ms, count, LONGER_MS);

	for (int i = 0; i < NR_WAYS; i++)
		good &= result(state->done[i], way_names[i], NULL);
	good &= result(!atomic_load(&state->failed) && !lives_left(),
		       "all processes end, and pages keep their contents", NULL);
	good &= result(orphans, "files of other processes are refused", NULL);
	good &= result(refusals, "the driver stays while a file is open", NULL);
	good &= result(unloads_resident, "the driver ends while its pages are in use", NULL);
	used = stats_wait(STATS_DEVMEM, " used=", false, END_MS / 1000);
	mirrors = stats_wait(STATS_MIRRORS, "mirror=", true, END_MS / 1000);
	no_stats = used < 0 ? "no statistics" : NULL;
	good &= result(!used, "no page of a unit is left in use", no_stats);
	good &= result(!mirrors, "no mirror is left", no_stats);
	good &= result(!driver_reload_when_idle(driver, END_MS / 1000),
		       "the driver can be removed, and loaded again", NULL);
	good &= result(counters_return(&before), "the kernel's counters are back", NULL);
	printf("# figures: kills=%lu calls=%lu forks=%lu orphans=%lu checked=%lu refused=%lu unloads=%lu resident=%lu aged=%lu\n",
	       kills, state->calls, state->forks, orphans, state->checked, refusals, unloads,
	       unloads_resident, aged);
	return !good;
}
