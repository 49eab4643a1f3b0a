// SPDX-License-Identifier: GPL-2.0
/*
 * Plans, and the address spaces that are made by them.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "differential.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

#define MAP_2M (21 << MAP_HUGE_SHIFT)

uint64_t next(uint64_t *stream)
{
	uint64_t z = *stream += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t random_below(uint64_t *stream, uint64_t limit)
{
	return next(stream) % limit;
}

static const char * const op_names[NR_OPS] = {
	[MAP_SMALL] = "map small pages", [MAP_LARGE] = "map, any size",
	[MAP_FILE_SHARED] = "map file, shared",
	[MAP_FILE_PRIVATE] = "map file, private",
	[MAP_FILE_DAX] = "map file on DAX",
	[MAP_HUGETLB_2M] = "map hugetlb 2M", [MAP_DEVICE_PFN] = "map raw pfns",
	[MAP_DEVICE_MIXED] = "map special entries",
	[TOUCH_READ] = "read", [TOUCH_WRITE] = "write", [PROTECT] = "protect",
	[UNMAP] = "unmap", [DROP] = "MADV_DONTNEED", [SWAP_OUT] = "swap out",
	[GUARD] = "guard", [MOVE] = "move", [FORK] = "fork a child that exits",
	[COLLAPSE] = "collapse", [POISON] = "poison",
	[UFFD_PROTECT] = "write-protect by uffd",
};

/* How often each op is chosen, out of all of these together. */
static const unsigned char op_weights[NR_OPS] = {
	[MAP_SMALL] = 8, [MAP_LARGE] = 12, [MAP_FILE_SHARED] = 5,
	[MAP_FILE_PRIVATE] = 5, [MAP_FILE_DAX] = 3, [MAP_HUGETLB_2M] = 3,
	[MAP_DEVICE_PFN] = 1, [MAP_DEVICE_MIXED] = 2, [TOUCH_READ] = 10, [TOUCH_WRITE] = 20,
	[PROTECT] = 8, [UNMAP] = 3, [DROP] = 4, [SWAP_OUT] = 4, [GUARD] = 2,
	[MOVE] = 3, [FORK] = 2, [COLLAPSE] = 2, [POISON] = 1,
	[UFFD_PROTECT] = 2,
};

static enum op op_choose(uint64_t *stream, unsigned int nr_ops)
{
	unsigned int total = 0, op, at;

	for (op = 0; op < nr_ops; op++)
		total += op_weights[op];
	at = random_below(stream, total);
	for (op = 0; at >= op_weights[op]; op++)
		at -= op_weights[op];
	return op;
}

/* Spans of all lengths are as likely: a page, a table, the window. */
static void span_choose(uint64_t *stream, unsigned int *first,
			unsigned int *count)
{
	unsigned int limit = 1 << random_below(stream, 11);

	*count = 1 + random_below(stream, limit);
	*first = random_below(stream, WINDOW_PAGES - *count);
	if (!random_below(stream, 4))
		*first &= -16;
}

static void step_make(struct step *step, uint64_t *stream, enum op op)
{
	step->op = op;
	step->arg = next(stream) & 0xffff;
	span_choose(stream, &step->first, &step->count);
	if (op <= LAST_MAP && step->count < 64)
		step->count = 64 + random_below(stream, 448);
	if (op == MAP_HUGETLB_2M ||
	    ((op == MAP_LARGE || op == MAP_FILE_DAX) && random_below(stream, 2))) {
		step->first = 512 * random_below(stream, 3);
		step->count = 512;
	}
	if (op == COLLAPSE)
		step->first &= -512;
	if (op == POISON)
		step->count = 1;
	if (step->first + step->count > WINDOW_PAGES)
		step->first = WINDOW_PAGES - step->count;
}

static const uint64_t requests[] = { 0, REQ_FAULT, REQ_WRITE, REQ_RW };

static void query_make(struct query *query, uint64_t *stream, bool faults)
{
	span_choose(stream, &query->first, &query->count);
	query->stream = next(stream);
	query->requests = random_below(stream, 3);
	/* Without REQ_FAULT on either side, no page can be requested. */
	query->default_flags = requests[2 * random_below(stream, 2)];
	query->mask = requests[2 * random_below(stream, 2)];
	if (!faults)
		return;
	query->default_flags = requests[random_below(stream, 4)];
	query->mask = random_below(stream, 2) ? 0 : requests[random_below(stream, 4)] |
					     (next(stream) & ~REQ_RW);
}

void plan_make(struct plan *plan, uint64_t seed, bool unlocked)
{
	uint64_t stream = seed * 2 + 1;
	unsigned int i, nr_maps;

	*plan = (struct plan){ .seed = seed };
	plan->sizes = random_below(&stream, 5);
	nr_maps = 2 + random_below(&stream, 5);
	plan->nr_steps = nr_maps + 4 + random_below(&stream, MAX_STEPS - 4 - nr_maps);
	for (i = 0; i < plan->nr_steps; i++) {
		enum op op = op_choose(&stream, i < nr_maps ? LAST_MAP + 1 : NR_OPS);

		/* After it, a write would wait for somebody to allow it. */
		if (op == UFFD_PROTECT)
			plan->nr_steps = i + 1;
		step_make(&plan->steps[i], &stream, op);
		if (op == UFFD_PROTECT)
			unlocked = false;
	}

	stream = seed * 2;
	plan->nr_queries = MAX_QUERIES;
	for (i = 0; i < plan->nr_queries; i++) {
		query_make(&plan->queries[i], &stream, i >= MAX_QUERIES / 2);
		plan->queries[i].unlocked = unlocked && random_below(&stream, 3) == 0;
	}
	plan->keep_steps = (1ULL << plan->nr_steps) - 1;
	plan->keep_queries = (1ULL << plan->nr_queries) - 1;
}

void query_print(FILE *to, const struct query *query)
{
	static const char * const requests_text[] = { "none", "one request", "random" };

	fprintf(to, "pages %u+%u default %#llx mask %#llx requests: %s%s",
		query->first, query->count,
		(unsigned long long)query->default_flags,
		(unsigned long long)query->mask, requests_text[query->requests],
		query->unlocked ? ", unlocked" : "");
}

void plan_print(FILE *to, const struct plan *plan)
{
	unsigned int i;

	fprintf(to, "#   folio sizes: policy %u\n", plan->sizes);
	for (i = 0; i < plan->nr_steps; i++) {
		const struct step *step = &plan->steps[i];

		if (plan->keep_steps >> i & 1)
			fprintf(to, "#   %s: pages %u+%u, %#x\n",
				op_names[step->op], step->first, step->count,
				step->arg);
	}
	for (i = 0; i < plan->nr_queries; i++) {
		if (!(plan->keep_queries >> i & 1))
			continue;
		fprintf(to, "#   ask: ");
		query_print(to, &plan->queries[i]);
		fprintf(to, "\n");
	}
}

static int prot_of(unsigned int arg)
{
	static const int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ,
		PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ, PROT_NONE,
	};

	return prots[arg % 6];
}

static void map_file(int fd, char *at, size_t size, int flags, unsigned int arg)
{
	size_t offset;

	if (fd < 0)
		return;
	/* Some of it is in the page cache already, or on DAX has blocks. */
	for (offset = 0; offset < size; offset += PAGE * (2 + arg % 5))
		pwrite(fd, "x", 1, offset);
	mmap(at, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
	if (arg & 64)
		madvise(at, size, MADV_HUGEPAGE);
	close(fd);
}

/* Without persistent memory it is a hole. */
static void map_dax(struct space *space, const struct step *step, char *at, size_t size)
{
	int flags = step->arg & 128 ? MAP_PRIVATE : MAP_SHARED;

	munmap(at, size);
	space->dax = true;
	map_file(dax_file(size), at, size, flags, step->arg);
}

static void step_map(struct space *space, const struct step *step, char *at, size_t size,
		     int probe)
{
	int prot = PROT_READ | PROT_WRITE;
	int anon = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	switch (step->op) {
	case MAP_SMALL:
		mmap(at, size, prot, anon, -1, 0);
		madvise(at, size, MADV_NOHUGEPAGE);
		break;
	case MAP_LARGE:
		mmap(at, size, prot, anon, -1, 0);
		madvise(at, size, MADV_HUGEPAGE);
		break;
	case MAP_FILE_SHARED:
		map_file(memory_file(size), at, size, MAP_SHARED, step->arg);
		break;
	case MAP_FILE_PRIVATE:
		map_file(memory_file(size), at, size, MAP_PRIVATE, step->arg);
		break;
	case MAP_FILE_DAX:
		map_dax(space, step, at, size);
		break;
	case MAP_HUGETLB_2M:
		mmap(at, size, prot, anon | MAP_HUGETLB | MAP_2M, -1, 0);
		break;
	case MAP_DEVICE_PFN:
		mmap(at, size, prot, MAP_SHARED | MAP_FIXED, probe,
		     HMM_PROBE_MAP_PFNMAP * PAGE);
		break;
	default:
		mmap(at, size, prot, MAP_SHARED | MAP_FIXED, probe,
		     HMM_PROBE_MAP_MIXED * PAGE);
		break;
	}
}

/* By madvise(), which returns an error where an access would be a signal. */
static void step_touch(const struct step *step, char *at, int advice)
{
	unsigned int stride = step->arg % 4 ? 1 : 1 + step->arg / 4 % 7;
	unsigned int i;

	if (stride == 1 && !madvise(at, step->count * PAGE, advice))
		return;
	for (i = 0; i < step->count; i += stride)
		madvise(at + i * PAGE, PAGE, advice);
}

/* Some of it, to where a window's alignment no longer fits it. */
static void step_move(const struct step *step, char *at, char *base)
{
	unsigned int count = step->count > 64 ? 64 : step->count;
	char *to = base + step->arg % (WINDOW_PAGES - count) * PAGE;

	if (to + count * PAGE <= at || at + count * PAGE <= to)
		mremap(at, count * PAGE, count * PAGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

static void step_uffd(struct space *space, char *at, size_t size)
{
	if (space->uffd < 0)
		space->uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP |
					UFFD_FEATURE_WP_HUGETLBFS_SHMEM);
	if (space->uffd >= 0 &&
	    !uffd_register(space->uffd, at, size, UFFDIO_REGISTER_MODE_WP))
		uffd_protect(space->uffd, at, size);
}

static void step_change(struct space *space, const struct step *step, char *at,
			size_t size)
{
	switch (step->op) {
	case TOUCH_READ:
		step_touch(step, at, MADV_POPULATE_READ);
		break;
	case TOUCH_WRITE:
		step_touch(step, at, MADV_POPULATE_WRITE);
		break;
	case PROTECT:
		mprotect(at, size, prot_of(step->arg));
		break;
	case UNMAP:
		munmap(at, size);
		break;
	case DROP:
		madvise(at, size, MADV_DONTNEED);
		break;
	case SWAP_OUT:
		madvise(at, size, MADV_PAGEOUT);
		break;
	case GUARD:
		madvise(at, size, MADV_GUARD_INSTALL);
		break;
	case MOVE:
		step_move(step, at, space->base);
		break;
	case COLLAPSE:
		madvise(at, HUGE, MADV_COLLAPSE);
		break;
	case POISON:
		/* A poisoned page of persistent memory would be in other files later. */
		if (!space->dax)
			page_poison(at);
		break;
	case UFFD_PROTECT:
		step_uffd(space, at, size);
		break;
	default:
		break;
	}
}

static void space_fork(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
}

void spaces_make(struct space spaces[2], const struct plan *plan, int probe)
{
	unsigned int i, which;

	for (i = 0; i < plan->nr_steps; i++) {
		const struct step *step = &plan->steps[i];
		size_t size = step->count * PAGE;

		if (!(plan->keep_steps >> i & 1))
			continue;
		/* A child is of the whole process. */
		if (step->op == FORK)
			space_fork();
		for (which = 0; which < 2; which++) {
			struct space *space = &spaces[which];
			char *at = space->base + step->first * PAGE;

			if (step->op <= LAST_MAP)
				step_map(space, step, at, size, probe);
			else
				step_change(space, step, at, size);
		}
	}
}

void space_free(struct space *space)
{
	munmap(space->base, WINDOW_PAGES * PAGE);
	if (space->uffd >= 0)
		close(space->uffd);
}

struct limit limit_of(uint64_t count)
{
	uint64_t seconds = env_number("DURATION", 0);

	return (struct limit){ env_number("COUNT", count),
			       seconds ? monotonic_seconds() + seconds : 0 };
}

bool limit_reached(const struct limit *limit, uint64_t done)
{
	return limit->end ? monotonic_seconds() >= limit->end : done >= limit->count;
}

void folio_sizes_allow(unsigned int sizes)
{
	static const unsigned long kbs[] = { 16, 32, 64, 256, 2048 };
	/* A bit for each of them. */
	static const unsigned char policies[] = { 0x10, 0x04, 0x05, 0x0e, 0x1f };
	unsigned int i;

	for (i = 0; i < 5; i++)
		large_folios_allow(kbs[i], policies[sizes] >> i & 1);
}

void bits_shrink(struct plan *plan, uint64_t *bits, unsigned int nr,
		 bool (*differs)(struct plan *plan))
{
	while (nr--) {
		uint64_t before = *bits;

		*bits &= ~(1ULL << nr);
		if (*bits != before && !differs(plan))
			*bits = before;
	}
}
