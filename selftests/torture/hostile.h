/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hostile: programs without privileges that call a sample driver and the mm with
 * arguments of every kind, beside a process that has a secret.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hmm_dmirror.h"
#include "hmm_user.h"

#define RW		(PROT_READ | PROT_WRITE)
#define MAX_UNITS	4
#define NR_THREADS	4
#define MAX_KINDS	64
#define MAX_ERRNO	160
#define FAILURE_SIZE	256
#define MAX_DRAWS	32
#define MAX_CALLS	4
#define MAX_INPUTS	4096U
#define STEP_BITS	(1U << 18)

/*
 * Everything that a driver may be made to write to is far below the program's own memory,
 * with nothing behind it: a wild length cannot reach the program.
 */
#define ARENA		0x1000000000UL
#define ARENA_PAGES	2048UL
#define BUFFERS		0x2000000000UL
#define BUFFER_GAP	0x400000000UL
#define BUFFER_PAGES	1024UL
#define MAX_SPAN	512UL

/* The CPU's user addresses end here. */
#ifdef __aarch64__
#define TASK_END	(1UL << 48)
#else
#define TASK_END	0x7ffffffff000UL
#endif

/* A value of the secret: its number, and which of the values it is. */
#define SECRET_SHIFT	24

/**
 * struct slot - what a thread is doing, for the watchdog
 * @calls: how many calls it has begun
 * @kind: index in kinds[]
 * @addr: address and length of the call
 * @npages: the latter
 */
struct slot {
	atomic_ulong calls;
	atomic_uint kind;
	atomic_ulong addr;
	atomic_ulong npages;
};

/* The results of a kind of call. */
struct count {
	atomic_ulong tried;
	atomic_ulong done;
	atomic_ulong errors[MAX_ERRNO];
};

/**
 * struct call - a call, as it can be repeated
 * @kind: index in kinds[]
 * @nr: how many random numbers it used, at most MAX_DRAWS
 * @draws: these; what it draws beyond them is new each time
 */
struct call {
	unsigned int kind;
	unsigned int nr;
	uint64_t draws[MAX_DRAWS];
};

/**
 * struct input - calls of a thread of which the last one ran code that none had run before
 * @ready: whether the rest is written
 * @nr: how many calls
 * @calls: in their order
 */
struct input {
	atomic_bool ready;
	unsigned int nr;
	struct call calls[MAX_CALLS];
};

/**
 * struct guide - guidance by the coverage that KCOV reports
 * @present: whether the kernel has KCOV
 * @repeats: whether inputs are repeated
 * @covered: how many steps from one place of the code to the next were seen
 * @nr_inputs: how many of @inputs are used
 * @steps: a bit for each step, by its hash
 * @inputs: see struct input
 */
struct guide {
	bool present;
	bool repeats;
	atomic_ulong covered;
	atomic_uint nr_inputs;
	atomic_ulong steps[STEP_BITS / 64];
	struct input inputs[MAX_INPUTS];
};

/**
 * struct shared - memory of all processes of the test
 * @stop: whether they are to end
 * @longer: whether the last round is longer than it was to be
 * @failed: whether a check failed
 * @failure: the first check that failed
 * @seed: the seed of the present round
 * @calls: calls of the driver
 * @refused: of which have failed
 * @others: other system calls
 * @forks: children
 * @scanned: values that were compared with the secret
 * @victim_checks: how often the victim found its memory as it must be
 * @evictions: how often the memory of a unit was removed
 * @slots: one for each thread
 * @counts: one for each kind
 * @guide: what the kernel's code has run, and the calls that made it
 */
struct shared {
	atomic_bool stop;
	atomic_bool longer;
	atomic_bool failed;
	char failure[FAILURE_SIZE];
	atomic_ulong seed;
	atomic_ulong calls;
	atomic_ulong refused;
	atomic_ulong others;
	atomic_ulong forks;
	atomic_ulong scanned;
	atomic_ulong victim_checks;
	atomic_ulong evictions;
	struct slot slots[NR_THREADS];
	struct count counts[MAX_KINDS];
	struct guide guide;
};

extern struct shared *shared;

/**
 * struct system - what this machine has, and what was prepared for the test
 * @nr_units: units of the driver
 * @has_memory: whether the units have memory
 * @has_huge: whether pages of hugetlb were reserved
 * @careless: the kernel is User Mode Linux. Its copy_to_user() may write to the zero page
 *	when other threads unmap pages; and when page tables are freed, programs can go on
 *	to use pages that they mapped. Both are avoided
 * @arena: the memory that the calls are about
 * @arena_pages: its size
 * @mask: a random number
 * @secret: number of the secret, XOR @mask: only the victim has the secret itself
 */
struct system {
	unsigned int nr_units;
	bool has_memory;
	bool has_huge;
	bool careless;
	unsigned long arena;
	unsigned long arena_pages;
	uint64_t mask;
	uint64_t secret;
};

extern struct system machine;

/**
 * struct worker - a thread of the hostile process
 * @id: its number
 * @stream: its random numbers
 * @buffer: BUFFER_PAGES pages
 * @slot: its slot; NULL in a child
 * @call: the present call
 * @drawn: how many random numbers it has used
 * @past: its last calls, a ring
 * @nr_past: how many there were
 * @plan: calls of an input to be done next, and how many of them are
 * @planned: see above
 * @trace: what KCOV reports: a number, and as many addresses; NULL without KCOV
 */
struct worker {
	unsigned int id;
	uint64_t stream;
	char *buffer;
	struct slot *slot;
	struct call call;
	unsigned int drawn;
	struct call past[MAX_CALLS];
	unsigned int nr_past;
	struct input plan;
	unsigned int planned;
	uint64_t *trace;
};

/**
 * struct kind - a kind of call
 * @name: for the user
 * @weight: how often, compared with others
 * @op: do it once: 0 or a negative error number
 * @errors: the errors that are documented, up to a 0; NULL for calls of the kernel's
 * @missing: why it cannot succeed, or NULL if it can; optional
 */
struct kind {
	const char *name;
	unsigned int weight;
	int (*op)(struct worker *worker);
	const short *errors;
	const char *(*missing)(void);
};

extern const struct kind kinds[];
extern const unsigned int nr_kinds;

uint64_t next(uint64_t *stream);

/* A random number: what the present call had when it is repeated, and else a new one. */
static inline uint64_t draw(struct worker *worker)
{
	unsigned int i = worker->drawn++;

	if (i < worker->call.nr)
		return worker->call.draws[i];
	if (i >= MAX_DRAWS)
		return next(&worker->stream);
	worker->call.nr = i + 1;
	return worker->call.draws[i] = next(&worker->stream);
}

static inline uint64_t random_below(struct worker *worker, uint64_t limit)
{
	return draw(worker) % limit;
}

/* Report that a check failed, and end the test. */
void hostile_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prepare a hostile process: its arena and files. Returns 0 or a negative error number. */
int arena_make(void);

/* Read or write memory that another thread may unmap; returns whether it could be. */
bool guarded_copy(void *to, const void *from, size_t size);

/* Install the handler that guarded_copy() needs. */
void guard_install(void);

/* Compare what was read with the secret. */
void scan(const void *at, size_t size);

/* Whether there is KCOV; called with privileges. With GUIDE=0 no input is repeated. */
void guide_prepare(void);

/* Have KCOV ready for the threads of the process that calls this, while it has privileges. */
void guide_open(void);

/* Have KCOV trace the calling thread. */
void guide_start(struct worker *worker);

/* Choose the next call: a part of an input, changed a little, or @kind with new arguments. */
void guide_choose(struct worker *worker, unsigned int kind);

/* The call is to begin, and has ended. */
void guide_begin(struct worker *worker);
void guide_end(struct worker *worker);

/* The thread that serves the userfaultfd of the process. */
void *uffd_run(void *unused);

#endif /* HOSTILE_H */
