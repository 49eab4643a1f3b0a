// SPDX-License-Identifier: GPL-2.0
/*
 * integrity [private|coherent|all]...: no write is lost and no page gets another
 * one's content while memory moves between the CPU and the units of a sample driver.
 *
 * Each page has a lock and a tag in user space, which determines its content. CPUs
 * and units check and write pages under these locks. At the same time the pages are
 * moved to and from the units, swapped, forked, moved by mremap(), collapsed, split,
 * merged, protected, zapped, evicted, and the driver is reloaded. One wrong value
 * fails, and is printed with the page's last operations.
 *
 * SEED= is the seed (default 1), DURATION= the seconds for each case (default 10),
 * in rounds of at most 30 s with new memory. Each round prints its seed, which
 * repeats the operations of each thread, but not the order between threads.
 *
 * A kind of operation that never had its effect fails, because it tested nothing: a
 * case that has run for DURATION continues, for at most a minute, until each had it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "integrity.h"
#include "fixture_dmirror.h"

#define ROUND_MS	30000
#define LONGER_MS	60000
#define PROGRESS_MS	10000
/* A thread that does not end in this time hangs. */
#define HANG_MS		100000

/* How many threads of each role; of UNIT, as many for each unit. */
static const unsigned int role_threads[NR_ROLES] = {
	[CPU] = 2, [UNIT] = 1, [MOVER] = 2, [CHANGER] = 2, [RECLAIMER] = 1,
	[FORKER] = 1, [EVICTOR] = 1,
};

#define MAX_THREADS	16

struct count {
	atomic_ulong tried;
	atomic_ulong done;
	atomic_int error;
};

#define MAX_KINDS	64

/* Of all rounds of a case, one for each kind. */
static struct count counts[MAX_KINDS];

/* Why the system cannot do a kind of operation, or NULL. */
static const char *missing[MAX_KINDS];

/**
 * struct thread - a thread of a round
 * @worker: what it is to the operations
 * @role: its role
 * @thread: the thread
 * @running: whether it exists
 */
struct thread {
	struct worker worker;
	enum role role;
	pthread_t thread;
	bool running;
};

static struct thread threads[MAX_THREADS];
static unsigned int nr_threads;

int devices_open(void)
{
	int ret = 0;

	for (int i = 0; i < torture.nr_units; i++) {
		/* The node of a driver that was just loaded may take a moment. */
		for (int tries = 0; tries < 200; tries++, usleep(10000)) {
			torture.devices[i] = device_open(torture.first_unit + i);
			if (torture.devices[i] >= 0)
				break;
		}
		if (torture.devices[i] < 0)
			ret = -ENODEV;
		else if (!ret)
			ret = unit_limit(torture.devices[i], PLENTY);
	}
	return ret;
}

void devices_close(void)
{
	for (int i = 0; i < torture.nr_units; i++)
		close(torture.devices[i]);
}

static void worker_do(struct thread *thread, unsigned int i)
{
	struct worker *worker = &thread->worker;
	int ret;

	atomic_store(&worker->kind, i);
	if (thread->role != UNIT)
		worker->unit = random_below(worker, torture.nr_units);
	ret = kinds[i].op(worker);
	atomic_fetch_add(&counts[i].tried, 1);
	if (!ret)
		atomic_fetch_add(&counts[i].done, 1);
	else if (ret < 0)
		atomic_store(&counts[i].error, ret);
}

static void *worker_run(void *arg)
{
	struct thread *thread = arg;
	unsigned int own[MAX_KINDS], nr = 0;

	/* As often as its weight, so that each is as likely as that. */
	for (unsigned int i = 0; i < nr_kinds; i++)
		for (unsigned int n = 0; n < kinds[i].weight; n++)
			if (kinds[i].role == thread->role && !missing[i])
				own[nr++] = i;
	while (nr && !atomic_load(&torture.stop))
		worker_do(thread, own[random_below(&thread->worker, nr)]);
	return NULL;
}

static uint64_t stream_of(uint64_t seed, uint64_t number)
{
	uint64_t stream = seed * 0x100000001b3 + number;

	return next(&stream);
}

static void thread_start(enum role role, int unit, uint64_t seed)
{
	struct thread *thread = &threads[nr_threads++];

	*thread = (struct thread){
		.worker = {
			/* 1 is who wrote the pages at first. */
			.id = nr_threads + 1,
			.stream = stream_of(seed, nr_threads),
			.unit = unit,
			.buffer = malloc(MAX_SPAN * PAGE),
		},
		.role = role,
	};
	thread->running = thread->worker.buffer &&
			  !pthread_create(&thread->thread, NULL, worker_run, thread);
	if (!thread->running)
		torture_fail(&thread->worker, (struct span){ 0, 1 }, "a thread cannot be started");
}

static void threads_start(uint64_t seed)
{
	nr_threads = 0;
	for (int role = 0; role < NR_ROLES; role++)
		for (unsigned int i = 0; i < role_threads[role]; i++)
			for (int unit = 0; unit < (role == UNIT ? torture.nr_units : 1); unit++)
				thread_start(role, unit, seed);
}

/* Return whether all threads have ended. */
static bool threads_stop(void)
{
	struct timespec until;

	atomic_store(&torture.stop, true);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HANG_MS / 1000;
	for (unsigned int i = 0; i < nr_threads; i++) {
		struct thread *thread = &threads[i];

		if (thread->running && pthread_timedjoin_np(thread->thread, NULL, &until)) {
			dprintf(1, "# thread %u hangs in %s\n", thread->worker.id,
				kinds[atomic_load(&thread->worker.kind)].name);
			return false;
		}
		free(thread->worker.buffer);
	}
	return true;
}

static bool all_done(void)
{
	for (unsigned int i = 0; i < nr_kinds; i++)
		if (!counts[i].done && !missing[i])
			return false;
	return true;
}

static void progress(void)
{
	unsigned long done = 0, tried = 0;

	for (unsigned int i = 0; i < nr_kinds; i++) {
		done += counts[i].done;
		tried += counts[i].tried;
	}
	dprintf(1, "# %llu s of this round: %lu of %lu operations\n",
		(unsigned long long)(milliseconds() - torture.started) / 1000, done, tried);
}

static void round_wait(unsigned int ms, bool last)
{
	uint64_t shown = torture.started;

	while (!atomic_load(&torture.stop)) {
		uint64_t now = milliseconds();

		if (now - shown >= PROGRESS_MS) {
			shown = now;
			progress();
		}
		if (now - torture.started >= ms + (last ? LONGER_MS : 0) ||
		    (now - torture.started >= ms && (!last || all_done())))
			break;
		usleep(100000);
	}
}

/* All pages, read by the units and by the CPU, while nothing else happens. */
static void round_check(void)
{
	const struct span all = { 0, NR_PAGES };
	struct worker worker = { .id = 1, .buffer = malloc(NR_PAGES * PAGE) };

	for (int i = 0; worker.buffer && i < torture.nr_units; i++) {
		int ret = unit_command(torture.devices[i], HMM_DMIRROR_READ, torture.at,
				       NR_PAGES, worker.buffer);

		if (ret)
			torture_fail(&worker, all, "unit %d cannot read at the end: %s", i,
				     strerror(-ret));
		else
			span_check(&worker, all, worker.buffer, "a unit, at the end");
	}
	span_check_cpu(&worker, all, torture.at);
	free(worker.buffer);
}

static const char *units_find(int first, int nr)
{
	torture.first_unit = first;
	torture.nr_units = nr;
	for (int i = 0; i < nr; i++) {
		int device = device_open(first + i);

		if (device < 0)
			return "the driver has no such units";
		close(device);
	}
	return access("/sys/module/test_hmm", F_OK) ? NULL :
	       "the kernel's test_hmm has other commands";
}

/* Return why there was no round, or NULL. */
static const char *round_run(uint64_t seed, unsigned int ms, bool last)
{
	const char *reason = memory_make();
	bool ended = true;

	if (reason)
		return reason;
	atomic_store(&torture.stop, false);
	torture.started = milliseconds();
	dprintf(1, "# SEED=%llu\n", (unsigned long long)seed);
	if (devices_open())
		torture_fail(&threads[0].worker, (struct span){ 0, 1 }, "no units");
	else
		threads_start(seed);
	round_wait(ms, last);
	ended = threads_stop();
	if (!ended) {
		printf("not ok all threads end\n");
		exit(1);
	}
	if (!atomic_load(&torture.failed))
		round_check();
	if (atomic_load(&torture.failed))
		dprintf(1, "# again: SEED=%llu\n", (unsigned long long)seed);
	devices_close();
	memory_free();
	return NULL;
}

/* The result of each kind; returns whether all had their effect. */
static bool counts_print(void)
{
	unsigned long operations = 0;
	bool good = true;

	printf("    1..%u\n", nr_kinds);
	for (unsigned int i = 0; i < nr_kinds; i++) {
		const struct count *count = &counts[i];

		printf("    # %s: %lu of %lu%s%s\n", kinds[i].name, count->done, count->tried,
		       count->error ? ", the last error: " : "",
		       count->error ? strerror(-count->error) : "");
		printf("    %sok %u %s%s%s\n", count->done || missing[i] ? "" : "not ", i + 1,
		       kinds[i].name, missing[i] ? " # SKIP " : "", missing[i] ?: "");
		good &= count->done || missing[i];
		operations += count->done;
	}
	printf("    # figures: operations=%lu\n", operations);
	return good;
}

struct torture_case {
	const char *name;
	int first_unit;
	int nr_units;
};

static const struct torture_case cases[] = {
	{ "private", 0, 2 },
	{ "coherent", 2, 2 },
	{ "all", 0, 4 },
};

#define NR_CASES (sizeof(cases) / sizeof(cases[0]))

static bool case_run(unsigned int number, const struct torture_case *which, uint64_t seed,
		     unsigned int ms)
{
	const char *reason = units_find(which->first_unit, which->nr_units);
	unsigned int rounds = (ms + ROUND_MS - 1) / ROUND_MS;
	bool good = true;

	memset(counts, 0, sizeof(counts));
	atomic_store(&torture.failed, false);
	for (unsigned int i = 0; !reason && i < rounds && !atomic_load(&torture.failed); i++)
		reason = round_run(seed + i, ms / rounds, i == rounds - 1);
	if (!reason) {
		good = !atomic_load(&torture.failed);
		/* After a failure, what was not done yet is no other failure. */
		if (good)
			good = counts_print();
	}
	printf("%sok %u %s%s%s\n", good ? "" : "not ", number, which->name,
	       reason ? " # SKIP " : "", reason ?: "");
	fflush(stdout);
	return good;
}

static bool case_selected(const struct torture_case *which, int nr, char **names)
{
	for (int i = 0; i < nr; i++)
		if (!strcmp(names[i], which->name))
			return true;
	return !nr;
}

/* A page that a CPU cannot read is a failure, too; there is no way back from it. */
static void on_signal(int signal, siginfo_t *info, void *context)
{
	const char *at = info->si_addr;

	dprintf(1, "# signal %d at %p", signal, at);
	if (at >= torture.at && at < torture.at + NR_PAGES * PAGE)
		dprintf(1, ", page %zu", (at - torture.at) / PAGE);
	dprintf(1, "\nnot ok memory can be accessed\n");
	_exit(1);
}

static void prepare(void)
{
	const struct sigaction fault = {
		.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO,
	};
	pthread_rwlockattr_t attr;

	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&torture.devices_lock, &attr);
	settings_make();
	atexit(settings_restore);
	for (unsigned int i = 0; i < nr_kinds; i++)
		missing[i] = kinds[i].missing ? kinds[i].missing() : NULL;
}

int main(int argc, char **argv)
{
	unsigned int count = 0, done = 0, failed = 0, ms = env_number("DURATION", 10) * 1000;
	uint64_t seed = env_number("SEED", 1);

	for (size_t i = 0; i < NR_CASES; i++)
		count += case_selected(&cases[i], argc - 1, argv + 1);
	if (!count) {
		fprintf(stderr, "usage: integrity [private|coherent|all]...\n");
		return 2;
	}
	printf("KTAP version 1\n1..%u\n", count);
	prepare();
	for (size_t i = 0; i < NR_CASES; i++)
		if (case_selected(&cases[i], argc - 1, argv + 1))
			failed += !case_run(++done, &cases[i], seed, ms);
	return failed != 0;
}
