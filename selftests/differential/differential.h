/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random address spaces, and random queries of their pages.
 *
 * A case is made from a seed: a plan, which is a list of steps that make an address
 * space, and a list of queries, which both cores run. Steps and queries have random
 * streams of their own, so that leaving some out, to shrink a difference, does not
 * change the others.
 */
#ifndef HMM_DIFFERENTIAL_H
#define HMM_DIFFERENTIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "hmm_user.h"

#define WINDOW_PAGES 1536UL	/* three huge pages */
#define MAX_STEPS 24
#define MAX_QUERIES 24

/* Steps that map come first; the others change what is mapped. */
enum op {
	MAP_SMALL,
	MAP_LARGE,
	MAP_FILE_SHARED,
	MAP_FILE_PRIVATE,
	MAP_FILE_DAX,
	MAP_HUGETLB_2M,
	MAP_DEVICE_PFN,
	MAP_DEVICE_MIXED,
	LAST_MAP = MAP_DEVICE_MIXED,
	TOUCH_READ,
	TOUCH_WRITE,
	PROTECT,
	UNMAP,
	DROP,
	SWAP_OUT,
	GUARD,
	MOVE,
	FORK,
	COLLAPSE,
	POISON,
	UFFD_PROTECT,
	NR_OPS,
};

/**
 * struct step - one change of an address space
 * @op: which
 * @first: first page of the window
 * @count: how many
 * @arg: protection, stride or target, by @op
 */
struct step {
	enum op op;
	unsigned int first;
	unsigned int count;
	unsigned int arg;
};

/**
 * struct query - one question
 * @first: first page of the window
 * @count: how many
 * @default_flags: as in struct hmm_range
 * @mask: as in struct hmm_range
 * @requests: the requests per page: 0 none, 1 the same request everywhere, 2 random
 * @stream: random stream of the requests
 * @unlocked: whether the walk takes the lock itself
 */
struct query {
	unsigned int first;
	unsigned int count;
	uint64_t default_flags;
	uint64_t mask;
	unsigned int requests;
	uint64_t stream;
	bool unlocked;
};

/**
 * struct plan - a case
 * @seed: where it comes from
 * @sizes: index of the folio sizes that the system may use
 * @steps: how to make the address space
 * @queries: calls of the core on it
 * @nr_steps: number of @steps
 * @nr_queries: number of @queries
 * @keep_steps: a bit for each step that is run
 * @keep_queries: a bit for each query that is run
 */
struct plan {
	uint64_t seed;
	unsigned int sizes;
	struct step steps[MAX_STEPS];
	struct query queries[MAX_QUERIES];
	unsigned int nr_steps;
	unsigned int nr_queries;
	uint64_t keep_steps;
	uint64_t keep_queries;
};

/**
 * struct space - one making of a plan
 * @base: where the window is
 * @uffd: what write-protects in it, or -1
 * @dax: whether a file on DAX is or was mapped in it
 */
struct space {
	char *base;
	int uffd;
	bool dax;
};

/**
 * struct limit - how many cases a program runs
 * @count: that many, if @end is 0
 * @end: until then, by monotonic_seconds()
 */
struct limit {
	uint64_t count;
	double end;
};

/* Of DURATION= and COUNT=; neither is given: @count. */
struct limit limit_of(uint64_t count);
bool limit_reached(const struct limit *limit, uint64_t done);

/* A random stream; its state is one integer. */
uint64_t next(uint64_t *stream);
uint64_t random_below(uint64_t *stream, uint64_t limit);

void plan_make(struct plan *plan, uint64_t seed, bool unlocked);
void plan_print(FILE *to, const struct plan *plan);
void query_print(FILE *to, const struct query *query);

/*
 * Makes the plan's address space twice, step by step side by side, in two
 * windows that are empty: whose @base is set and @uffd is -1.
 */
void spaces_make(struct space spaces[2], const struct plan *plan, int probe);
void space_free(struct space *space);

void folio_sizes_allow(unsigned int sizes);

/* Clears each of the @nr lowest bits of @plan's @bits without which @differs still holds. */
void bits_shrink(struct plan *plan, uint64_t *bits, unsigned int nr,
		 bool (*differs)(struct plan *plan));

#endif /* HMM_DIFFERENTIAL_H */
