/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walkers race with threads that change the same memory: an arena, the ways to
 * change it, and random numbers that follow from a seed.
 */
#ifndef RACES_H
#define RACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hmm_user.h"

/* What memory an arena consists of. */
enum memory {
	SMALL,		/* anonymous, single pages in a row */
	SHUFFLED,	/* anonymous, single pages in random order */
	LARGE,		/* anonymous, folios of 64 KiB */
	HUGE_PAGES,	/* anonymous, transparent huge pages */
	SHARED,		/* a file in memory, shared */
	DAX,		/* a file on persistent memory, shared */
	HUGETLB,	/* private huge pages of hugetlb */
	NR_MEMORIES,
};

#define ANY_SMALL	(1 << SMALL | 1 << SHUFFLED | 1 << LARGE)
#define ANY_ANON	(ANY_SMALL | 1 << HUGE_PAGES)
#define ANY_FILE	(1 << SHARED | 1 << DAX)

extern const char * const memory_names[NR_MEMORIES];

/**
 * struct arena - memory that walkers and mutators share
 * @at: its first byte
 * @npages: how many pages
 * @memory: what it consists of
 * @tag: the content of the first page, one more for each that follows
 * @tags: a file with the tag of every page, to be read into the pages
 * @sink: a file to write pages into
 * @file: the file that is mapped, or -1
 * @spare: address space of the same size, for pages that are moved away
 * @probe: the open probe
 * @device: an open unit of a driver with the ioctls of test_hmm, or -1
 * @uffd: a userfaultfd, or -1
 * @core: whose migration engine moves pages of this arena
 */
struct arena {
	char *at;
	size_t npages;
	enum memory memory;
	uint64_t tag;
	int tags;
	int sink;
	int file;
	char *spare;
	int probe;
	int device;
	int uffd;
	unsigned int core;
};

/* Makes an arena of @memory, every page tagged; NULL and a reason if it cannot. */
struct arena *arena_make(enum memory memory, uint64_t *stream,
			 const char **reason);
void arena_free(struct arena *arena);

/* Pages of an arena. */
struct span {
	size_t first;
	size_t count;
};

/* At most @limit pages; all lengths up to it are as likely as their logarithm. */
struct span span_choose(const struct arena *arena, uint64_t *stream,
			size_t limit);

static inline char *span_at(const struct arena *arena, struct span span)
{
	return arena->at + span.first * PAGE;
}

/*
 * Writes the tags of pages, or reads the pages, as the CPU would, and bears that
 * some cannot be accessed. Returns how many could.
 */
size_t span_write(const struct arena *arena, struct span span);
size_t span_read(const struct arena *arena, struct span span);

/* How many pages have a bit of pagemap set. */
size_t span_mapped(const struct arena *arena, struct span span, uint64_t bit);

/**
 * struct kind - one way in which other threads change page table entries
 * @name: for the user
 * @memories: bits of &enum memory that it is for
 * @driver: whether it needs a driver with the ioctls of test_hmm
 * @private: moves the first page to the device whose memory is the mirror's own,
 *	or NULL if the kind has none
 * @prepare: makes the arena ready, or NULL; NULL, or why it cannot be done
 * @op: one change; how many pages it changed, or a negative error number
 */
struct kind {
	const char *name;
	unsigned int memories;
	bool driver;
	void (*private)(struct arena *arena);
	const char *(*prepare)(struct arena *arena);
	long (*op)(struct arena *arena, uint64_t *stream);
};

extern const struct kind kinds[];
extern const size_t nr_kinds;

uint64_t next(uint64_t *stream);

static inline uint64_t random_below(uint64_t *stream, uint64_t limit)
{
	return next(stream) % limit;
}

#endif /* RACES_H */
