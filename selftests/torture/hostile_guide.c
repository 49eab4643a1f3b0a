// SPDX-License-Identifier: GPL-2.0
/*
 * hostile: which calls come next, in a kernel with KCOV. Each call reports which code of
 * mm/hmm and the drivers it ran. Of one that took a step, from one place of the code to the
 * next, that none had taken before, the random numbers are kept that made its arguments,
 * with those of the calls of its thread before it: an input. About half of all calls are of
 * inputs, with one number or another changed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hostile.h"

/* As in linux/kcov.h. */
#define KCOV_FILE	"/sys/kernel/debug/kcov"
#define KCOV_INIT_TRACE	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_TRACE_PC	0

/* Addresses that one call reports at most; a longer one is traced to there. */
#define TRACE_LENGTH	(1UL << 16)

static uint64_t *traces[NR_THREADS];
static int files[NR_THREADS];

void guide_prepare(void)
{
	int file = open(KCOV_FILE, O_RDWR);

	shared->guide.present = file >= 0;
	shared->guide.repeats = shared->guide.present && env_number("GUIDE", 1);
	if (file >= 0)
		close(file);
}

void guide_open(void)
{
	for (unsigned int i = 0; shared->guide.present && i < NR_THREADS; i++) {
		files[i] = open(KCOV_FILE, O_RDWR | O_CLOEXEC);
		if (files[i] < 0 || ioctl(files[i], KCOV_INIT_TRACE, TRACE_LENGTH))
			hostile_fail("KCOV cannot be opened");
		traces[i] = mmap(NULL, TRACE_LENGTH * sizeof(uint64_t), PROT_READ | PROT_WRITE,
				 MAP_SHARED, files[i], 0);
		if (traces[i] == MAP_FAILED)
			hostile_fail("KCOV has no memory");
	}
}

void guide_start(struct worker *worker)
{
	if (!traces[worker->id] || traces[worker->id] == MAP_FAILED)
		return;
	if (ioctl(files[worker->id], KCOV_ENABLE, KCOV_TRACE_PC))
		hostile_fail("KCOV cannot be enabled");
	else
		worker->trace = traces[worker->id];
}

/* Plan the calls of an input, of which the last one is always changed. */
static void plan_make(struct worker *worker)
{
	unsigned int nr = atomic_load(&shared->guide.nr_inputs);
	struct input *input = &shared->guide.inputs[next(&worker->stream) % nr];

	if (!atomic_load(&input->ready))
		return;
	worker->plan.nr = input->nr;
	memcpy(worker->plan.calls, input->calls, sizeof(input->calls));
	worker->planned = 0;
	for (unsigned int i = 0; i < input->nr; i++) {
		struct call *call = &worker->plan.calls[i];
		unsigned int changes = next(&worker->stream) % 4;

		if (i + 1 < input->nr)
			changes = changes ? 0 : 1;
		else if (!changes)
			call->nr = next(&worker->stream) % (call->nr + 1);
		while (changes-- && call->nr)
			call->draws[next(&worker->stream) % call->nr] = next(&worker->stream);
	}
}

void guide_choose(struct worker *worker, unsigned int kind)
{
	if (shared->guide.repeats && worker->planned >= worker->plan.nr &&
	    next(&worker->stream) % 4 == 0 && atomic_load(&shared->guide.nr_inputs))
		plan_make(worker);
	if (worker->planned < worker->plan.nr) {
		worker->call = worker->plan.calls[worker->planned++];
	} else {
		worker->call.kind = kind;
		worker->call.nr = 0;
	}
	worker->drawn = 0;
}

void guide_begin(struct worker *worker)
{
	if (worker->trace)
		__atomic_store_n(&worker->trace[0], 0, __ATOMIC_RELAXED);
}

/* Whether a step was never seen before; it is now. */
static bool step_new(uint64_t from, uint64_t to)
{
	uint64_t hash = (from * 0x9e3779b97f4a7c15ULL ^ to) * 0xbf58476d1ce4e5b9ULL >> 46;
	atomic_ulong *bits = &shared->guide.steps[hash / 64];
	uint64_t bit = 1ULL << hash % 64;

	return !(atomic_load_explicit(bits, memory_order_relaxed) & bit) &&
	       !(atomic_fetch_or(bits, bit) & bit);
}

/* Keep the last calls of a thread. */
static void input_add(const struct worker *worker)
{
	unsigned int nr = worker->nr_past < MAX_CALLS ? worker->nr_past : MAX_CALLS;
	unsigned int i = atomic_load(&shared->guide.nr_inputs);
	struct input *input;

	do {
		if (i >= MAX_INPUTS)
			return;
	} while (!atomic_compare_exchange_weak(&shared->guide.nr_inputs, &i, i + 1));
	input = &shared->guide.inputs[i];
	input->nr = nr;
	for (unsigned int n = 0; n < nr; n++)
		input->calls[n] = worker->past[(worker->nr_past - nr + n) % MAX_CALLS];
	atomic_store(&input->ready, true);
}

void guide_end(struct worker *worker)
{
	uint64_t nr, from = 0;
	unsigned long new = 0;

	if (!worker->trace)
		return;
	nr = __atomic_load_n(&worker->trace[0], __ATOMIC_RELAXED);
	for (uint64_t i = 1; i <= nr && i < TRACE_LENGTH; i++) {
		new += step_new(from, worker->trace[i]);
		from = worker->trace[i];
	}
	worker->past[worker->nr_past++ % MAX_CALLS] = worker->call;
	if (!new)
		return;
	atomic_fetch_add(&shared->guide.covered, new);
	input_add(worker);
}
