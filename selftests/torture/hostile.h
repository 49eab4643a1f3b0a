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
 */
struct worker {
	unsigned int id;
	uint64_t stream;
	char *buffer;
	struct slot *slot;
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

static inline uint64_t random_below(struct worker *worker, uint64_t limit)
{
	return next(&worker->stream) % limit;
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

/* The thread that serves the userfaultfd of the process. */
void *uffd_run(void *unused);

#endif /* HOSTILE_H */
