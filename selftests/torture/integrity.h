/* SPDX-License-Identifier: GPL-2.0 */
/*
 * integrity: memory whose content is known at any time, the threads that use it,
 * and the operations on it.
 */
#ifndef INTEGRITY_H
#define INTEGRITY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hmm_dmirror.h"
#include "hmm_user.h"

#define VALUES		(PAGE / sizeof(uint64_t))
#define NR_PAGES	2560UL
#define MAX_SPAN	512
#define MAX_UNITS	4
#define LAST_OPS	10
/* The memory of a unit, in pages, if there is room for all: adding more takes long. */
#define PLENTY		4096UL

/*
 * The content of a page follows from its tag: value i is the tag plus i, so that a
 * value shows which page it is from, which write, and where in the page it belongs.
 * Tag 0 is a page of zeros.
 */
#define TAG_PAGE_SHIFT		9
#define TAG_VERSION_SHIFT	21
#define TAG_WRITER_SHIFT	49
#define TAG_WRITTEN		(1ULL << 63)

/**
 * struct page - what a page must contain
 * @lock: held while the content is compared or changed
 * @tag: the content
 * @version: how many tags the page had
 * @nr_ops: how many operations there were
 * @ops: the last operations, packed by page_log()
 */
struct page {
	pthread_mutex_t lock;
	uint64_t tag;
	uint64_t version;
	atomic_uint nr_ops;
	atomic_ulong ops[LAST_OPS];
};

/* A part of the memory, one VMA at first. */
struct part {
	const char *name;
	size_t first;
	size_t count;
	unsigned int kb;	/* size of large folios, or 0 */
};

enum { PART_SMALL, PART_LARGE, PART_HUGE, PART_MERGED, NR_PARTS };

extern const struct part parts[NR_PARTS];

/* Pages of the memory. */
struct span {
	size_t first;
	size_t count;
};

/**
 * struct torture - one round
 * @at: NR_PAGES pages
 * @spare: address space of the same size, to which pages are moved by mremap()
 * @pages: what each page must contain
 * @first_unit: the first of the units that are used
 * @nr_units: how many
 * @devices: an open file for each unit
 * @devices_lock: held for reading while a file is used, for writing while the driver
 *	is reloaded
 * @started: when the round began, in ms
 * @stop: whether threads must end
 * @failed: whether a check failed
 */
struct torture {
	char *at;
	char *spare;
	struct page pages[NR_PAGES];
	int first_unit;
	int nr_units;
	int devices[MAX_UNITS];
	pthread_rwlock_t devices_lock;
	uint64_t started;
	atomic_bool stop;
	atomic_bool failed;
};

extern struct torture torture;

/**
 * struct worker - a thread
 * @id: identifies the thread in tags and reports; not 0
 * @stream: its random numbers
 * @kind: index in kinds[] of what it is doing
 * @unit: index of the unit that it uses at present
 * @buffer: MAX_SPAN pages
 */
struct worker {
	unsigned int id;
	uint64_t stream;
	atomic_uint kind;
	int unit;
	uint64_t *buffer;
};

/* Threads of a role do all kinds of operations of this role, in random order. */
enum role { CPU, UNIT, MOVER, CHANGER, RECLAIMER, FORKER, EVICTOR, NR_ROLES };

/**
 * struct kind - a kind of operation
 * @name: for the user
 * @role: which threads do it
 * @weight: how often, compared with the others of the role
 * @op: do it once: 0 if it had its effect, 1 if it had none, or a negative error
 *	number; failed checks are reported by page_check() and torture_fail()
 * @missing: why the system cannot do it, or NULL if it can; optional
 */
struct kind {
	const char *name;
	enum role role;
	unsigned int weight;
	int (*op)(struct worker *worker);
	const char *(*missing)(void);
};

extern const struct kind kinds[];
extern const unsigned int nr_kinds;

uint64_t milliseconds(void);
uint64_t next(uint64_t *stream);

static inline uint64_t random_below(struct worker *worker, uint64_t limit)
{
	return next(&worker->stream) % limit;
}

/* Choose at most @limit pages; all lengths up to it are as likely as their logarithm. */
struct span span_choose(struct worker *worker, size_t limit);

/* The same within a part, so that the span is in one VMA, or in parts of one. */
struct span span_choose_in(struct worker *worker, const struct part *part, size_t limit);

static inline char *span_at(struct span span)
{
	return torture.at + span.first * PAGE;
}

static inline size_t span_size(struct span span)
{
	return span.count * PAGE;
}

/* Lock all pages of a span, in ascending order. */
void span_lock(struct span span);
void span_unlock(struct span span);

/* Record an operation for reports. The caller need not hold the pages' locks. */
void span_log(const struct worker *worker, struct span span);

/* A tag that the page never had. */
uint64_t tag_next(const struct worker *worker, size_t page);

/* The content of a page with this tag. */
void tag_fill(uint64_t tag, uint64_t *values);

/*
 * Compare what was read of pages, at @values, with what they must contain. Report the
 * first difference, with the page's last operations. @reader: who has read it.
 */
bool span_check(const struct worker *worker, struct span span, const uint64_t *values,
		const char *reader);

/* Read the pages with the CPU at @at and check them. */
bool span_check_cpu(const struct worker *worker, struct span span, const char *at);

/* Write new tags to the pages with the CPU. */
void span_write_cpu(const struct worker *worker, struct span span);

/* Report that a check other than of content failed, and end the round. */
void torture_fail(const struct worker *worker, struct span span, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Map the memory, with all pages written; NULL, or why it is not possible. */
const char *memory_make(void);
void memory_free(void);

/* Settings of the system that the operations need; they are restored at the end. */
void settings_make(void);
void settings_restore(void);

/*
 * Open the files of all units, whose memory is not limited yet, and limit it to a bit
 * more than all pages; 0 or a negative error number.
 */
int devices_open(void);
void devices_close(void);

/* Run a command on the unit; 0 or a negative error number. */
int unit_command(int device, unsigned long nr, const char *at, size_t npages, void *buffer);

/* Limit the memory that is added to the unit from now on. */
int unit_limit(int device, size_t npages);

#endif /* INTEGRITY_H */
