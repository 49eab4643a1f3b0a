// SPDX-License-Identifier: GPL-2.0
/*
 * Memory in which each page begins with a tag derived from its address.
 *
 * Mutators access it by system calls only, which return an error for a page that
 * is protected or poisoned, where a direct access would raise a signal.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "races.h"

#define MAP_2M	(21 << MAP_HUGE_SHIFT)
#define VECTOR	64

const char * const memory_names[NR_MEMORIES] = {
	[SMALL] = "small pages", [SHUFFLED] = "shuffled pages",
	[LARGE] = "large folios", [HUGE_PAGES] = "huge pages",
	[SHARED] = "a shared file", [DAX] = "a file on DAX",
	[HUGETLB] = "hugetlb",
};

static const size_t memory_pages[NR_MEMORIES] = {
	[SMALL] = 1024, [SHUFFLED] = 1024, [LARGE] = 1024,
	[HUGE_PAGES] = 1024, [SHARED] = 1024, [DAX] = 1024,
	[HUGETLB] = 1024,
};

uint64_t next(uint64_t *stream)
{
	uint64_t z = *stream += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

struct span span_choose(const struct arena *arena, uint64_t *stream, size_t limit)
{
	struct span span;
	size_t most = 1;

	for (size_t n = limit; n > 1; n /= 2)
		most *= 1 + random_below(stream, 2);
	if (most > limit)
		most = limit;
	span.count = 1 + random_below(stream, most);
	if (!random_below(stream, 4))
		span.count = most;
	span.first = random_below(stream, arena->npages - span.count + 1);
	if (random_below(stream, 2))
		span.first &= -(size_t)16;
	return span;
}

size_t span_write(const struct arena *arena, struct span span)
{
	struct iovec pages[VECTOR];
	size_t i = 0, n, written = 0;
	ssize_t got;

	while (i < span.count) {
		for (n = 0; n < VECTOR && i + n < span.count; n++)
			pages[n] = (struct iovec){ span_at(arena, span) +
						   (i + n) * PAGE, sizeof(uint64_t) };
		got = preadv(arena->tags, pages, n,
			     (span.first + i) * sizeof(uint64_t));
		got = got > 0 ? got / sizeof(uint64_t) : 0;
		written += got;
		/* Skip the page that could not be written. */
		i += (size_t)got < n ? got + 1 : n;
	}
	return written;
}

size_t span_read(const struct arena *arena, struct span span)
{
	size_t i, read = 0;

	for (i = 0; i < span.count; i++)
		read += pwrite(arena->sink, span_at(arena, span) + i * PAGE,
			       sizeof(uint64_t), 0) == sizeof(uint64_t);
	return read;
}

size_t span_mapped(const struct arena *arena, struct span span, uint64_t bit)
{
	uint64_t map[VECTOR];
	size_t i, n, found = 0, k;

	for (i = 0; i < span.count; i += n) {
		n = span.count - i < VECTOR ? span.count - i : VECTOR;
		if (page_map_read(span_at(arena, span) + i * PAGE, n, map))
			break;
		for (k = 0; k < n; k++)
			found += !!(map[k] & bit);
	}
	return found;
}

static int tags_make(const struct arena *arena)
{
	int fd = memory_file(arena->npages * sizeof(uint64_t));
	uint64_t i, tag;

	for (i = 0; fd >= 0 && i < arena->npages; i++) {
		tag = arena->tag + i;
		if (pwrite(fd, &tag, sizeof(tag), i * sizeof(tag)) != sizeof(tag))
			return -1;
	}
	return fd;
}

static void fill(struct arena *arena, uint64_t *stream)
{
	size_t i;

	/* Fault in randomly, so that neighbours are not physically contiguous. */
	if (arena->memory == SHUFFLED)
		for (i = 0; i < 2 * arena->npages; i++)
			span_write(arena, (struct span){ random_below(stream, arena->npages), 1 });
	span_write(arena, (struct span){ 0, arena->npages });
}

static char *memory_map(struct arena *arena, size_t size)
{
	int flags = MAP_PRIVATE | MAP_NORESERVE, advice = MADV_NOHUGEPAGE;
	char *at;

	large_folios_allow(64, arena->memory == LARGE);
	large_folios_allow(2048, arena->memory == HUGE_PAGES);
	switch (arena->memory) {
	case HUGETLB:
		/* A child that writes needs a copy of all pages. */
		if (huge_pages_reserve(2048, 3 * size / HUGE))
			return NULL;
		flags = MAP_PRIVATE | MAP_HUGETLB | MAP_2M;
		break;
	case SHARED:
		arena->file = memory_file(size);
		if (arena->file < 0)
			return NULL;
		flags = MAP_SHARED;
		break;
	case DAX:
		arena->file = dax_file(size);
		if (arena->file < 0)
			return NULL;
		flags = MAP_SHARED;
		advice = MADV_HUGEPAGE;
		break;
	case LARGE:
	case HUGE_PAGES:
		advice = MADV_HUGEPAGE;
		break;
	default:
		break;
	}
	at = map_aligned(size, HUGE, PROT_READ | PROT_WRITE, flags, arena->file);
	if (at && arena->memory != HUGETLB)
		madvise(at, size, advice);
	return at;
}

struct arena *arena_make(enum memory memory, uint64_t *stream, const char **reason)
{
	struct arena *arena = calloc(1, sizeof(*arena));
	size_t size;

	if (!arena)
		return NULL;
	arena->memory = memory;
	arena->npages = memory_pages[memory];
	/* Neither a pfn nor a value that other memory is likely to contain. */
	arena->tag = (next(stream) | 1ULL << 63) & ~0xffffULL;
	arena->file = -1;
	arena->uffd = -1;
	arena->device = -1;
	arena->core = random_below(stream, 2);
	arena->tags = tags_make(arena);
	arena->sink = memory_file(PAGE);
	size = arena->npages * PAGE;
	arena->at = memory_map(arena, size);
	arena->spare = map_aligned(size, HUGE, PROT_NONE,
				   MAP_PRIVATE | MAP_NORESERVE, -1);
	if (!arena->at || !arena->spare || arena->tags < 0 || arena->sink < 0) {
		*reason = memory == HUGETLB ? "too few huge pages" :
			  memory == DAX ? "no persistent memory" : "no memory";
		arena_free(arena);
		return NULL;
	}
	fill(arena, stream);
	return arena;
}

void arena_free(struct arena *arena)
{
	size_t size = arena->npages * PAGE;

	if (arena->at)
		munmap(arena->at, size);
	if (arena->spare)
		munmap(arena->spare, size);
	close(arena->tags);
	close(arena->sink);
	if (arena->file >= 0)
		close(arena->file);
	if (arena->uffd >= 0)
		close(arena->uffd);
	if (arena->device >= 0)
		close(arena->device);
	free(arena);
}
