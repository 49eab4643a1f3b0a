// SPDX-License-Identifier: GPL-2.0
/*
 * Mutators: the ways in which page table entries change while a core walks them.
 * Each makes one change and restores the tags, so that a page begins with its tag
 * or with 0 at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture_dmirror.h"
#include "races.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* Maximum number of pages of one change. */
#define CHANGE 32

static bool three_in_four(uint64_t *stream)
{
	return random_below(stream, 4);
}

/* Choose a span to change; on hugetlb, whole huge pages. */
static struct span change_choose(const struct arena *arena, uint64_t *stream)
{
	struct span span = span_choose(arena, stream, CHANGE);

	if (arena->memory == HUGETLB)
		span = (struct span){ span.first & -(HUGE / PAGE), HUGE / PAGE };
	return span;
}

static long op_zap(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);

	if (madvise(span_at(arena, span), span.count * PAGE, MADV_DONTNEED))
		return -errno;
	if (three_in_four(stream))
		span_write(arena, span);
	return span.count;
}

static long op_protect(struct arena *arena, uint64_t *stream)
{
	static const int rights[] = { PROT_READ, PROT_READ, PROT_NONE };
	struct span span = change_choose(arena, stream);
	char *at = span_at(arena, span);

	if (mprotect(at, span.count * PAGE, rights[random_below(stream, 3)]))
		return -errno;
	if (random_below(stream, 2))
		span_read(arena, span);
	if (mprotect(at, span.count * PAGE, PROT_READ | PROT_WRITE))
		return -errno;
	if (three_in_four(stream))
		span_write(arena, span);
	return span.count;
}

static const char *swap_prepare(struct arena *arena)
{
	return swap_ready() ? "no swap space" : NULL;
}

static long op_swap(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	long swapped;

	if (madvise(span_at(arena, span), span.count * PAGE, MADV_PAGEOUT))
		return -errno;
	swapped = span_mapped(arena, span, MAP_SWAPPED);
	if (three_in_four(stream))
		span_read(arena, span);
	if (three_in_four(stream))
		span_write(arena, span);
	return swapped;
}

static long op_lazyfree(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	char *at = span_at(arena, span);
	long freed;

	if (madvise(at, span.count * PAGE, MADV_FREE))
		return -errno;
	/* A page that is reclaimed before the next write is freed. */
	if (random_below(stream, 2))
		madvise(at, span.count * PAGE, MADV_PAGEOUT);
	freed = span.count - span_mapped(arena, span, MAP_PRESENT);
	if (three_in_four(stream))
		span_write(arena, span);
	return freed;
}

static long op_migration_entries(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	struct hmm_probe_span hold = {
		.start = (uintptr_t)span_at(arena, span),
		.end = (uintptr_t)span_at(arena, span) + span.count * PAGE,
	};

	if (ioctl(arena->probe, HMM_PROBE_MIGRATE, &hold))
		return -errno;
	if (!random_below(stream, 4))
		span_write(arena, span);
	return hold.pages;
}

/* Migrate pages to the probe's device memory or to system memory. */
static long engine_move(struct arena *arena, uint64_t *stream, struct span span,
			unsigned int how, unsigned int core)
{
	static _Thread_local uint64_t mpfns[2 * HMM_PROBE_ENGINE_MPFNS];
	struct hmm_probe_engine move = {
		.start = (uintptr_t)span_at(arena, span),
		.end = (uintptr_t)span_at(arena, span) + span.count * PAGE,
		.mpfns = (uintptr_t)mpfns,
		.stream = next(stream),
		.core = core,
		.how = how,
	};

	if (ioctl(arena->probe, HMM_PROBE_ENGINE, &move))
		return -errno;
	return move.error ?: (long)move.cpages;
}

static long op_device(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	unsigned int core = three_in_four(stream) ? arena->core : !arena->core;
	unsigned int whole = 0;
	long moved;

	if (arena->memory == HUGE_PAGES && random_below(stream, 2)) {
		span = (struct span){ span.first & -(HUGE / PAGE), HUGE / PAGE };
		whole = HMM_PROBE_ENGINE_COMPOUND;
	}
	moved = engine_move(arena, stream, span, whole, core);
	if (!random_below(stream, 3))
		span_read(arena, span);
	if (random_below(stream, 2))
		engine_move(arena, stream, span, HMM_PROBE_ENGINE_TO_RAM | whole, core);
	if (three_in_four(stream))
		span_write(arena, span);
	return moved;
}

/* Migrate the first page, whose owner becomes that of the mirror. */
static void device_first(struct arena *arena)
{
	uint64_t stream = 0;
	int tries;

	/* Some streams choose no dst folio for the page; try others. */
	for (tries = 0; tries < 64; tries++) {
		if (span_mapped(arena, (struct span){ 0, 1 }, MAP_SWAPPED))
			return;
		engine_move(arena, &stream, (struct span){ 0, 1 }, 0, arena->core);
	}
}

static const char *device_prepare(struct arena *arena)
{
	struct hmm_probe_info info;

	if (ioctl(arena->probe, HMM_PROBE_INFO, &info) ||
	    !(info.has & HMM_PROBE_HAS_ENGINES))
		return "no migration engines (CONFIG_HMM_DEVMEM, CONFIG_HMM_REFERENCE)";
	return NULL;
}

static long op_exclusive(struct arena *arena, uint64_t *stream)
{
	struct span span = span_choose(arena, stream, CHANGE);
	struct hmm_probe_span arg = {
		.start = (uintptr_t)span_at(arena, span),
		.end = (uintptr_t)span_at(arena, span) + span.count * PAGE,
		.id = random_below(stream, 2),
	};

	if (ioctl(arena->probe, HMM_PROBE_RACE_EXCLUSIVE, &arg))
		return -errno;
	if (three_in_four(stream))
		span_write(arena, span);
	return arg.pages;
}

static long op_fork(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	uint64_t child_stream = next(stream);
	pid_t child = fork();
	long copied = 0;
	int i;

	if (child < 0)
		return -errno;
	if (!child) {
		for (i = 0; i < 4; i++)
			span_write(arena, change_choose(arena, &child_stream));
		_exit(0);
	}
	for (i = 0; i < 4; i++) {
		copied += span_write(arena, span);
		span = change_choose(arena, stream);
	}
	waitpid(child, NULL, 0);
	return copied;
}

/* Split a huge page in one of several ways, and collapse it again. */
static long op_split(struct arena *arena, uint64_t *stream)
{
	struct span part = span_choose(arena, stream, CHANGE);
	struct span whole = { part.first & -(HUGE / PAGE), HUGE / PAGE };
	char command[96];

	switch (random_below(stream, 3)) {
	case 0:
		snprintf(command, sizeof(command), "%d,%p,%p,%d", getpid(),
			 span_at(arena, whole), span_at(arena, whole) + HUGE,
			 (int)random_below(stream, 3));
		setting_write("/sys/kernel/debug/split_huge_pages", command);
		break;
	case 1:
		madvise(span_at(arena, part), part.count * PAGE, MADV_DONTNEED);
		break;
	default:
		mprotect(span_at(arena, part), part.count * PAGE, PROT_READ);
		mprotect(span_at(arena, part), part.count * PAGE,
			 PROT_READ | PROT_WRITE);
		break;
	}
	span_write(arena, whole);
	if (madvise(span_at(arena, whole), HUGE, MADV_COLLAPSE))
		return -errno;
	return whole.count;
}

/* Move a span to another address and back. */
static long op_move(struct arena *arena, uint64_t *stream)
{
	const int flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
	struct span span = change_choose(arena, stream);
	size_t size = span.count * PAGE;
	char *at = span_at(arena, span), *away = arena->spare + (at - arena->at);

	if (mremap(at, size, size, flags, away) == MAP_FAILED)
		return -errno;
	if (random_below(stream, 2))
		span_write(arena, span);
	if (mremap(away, size, size, flags, at) == MAP_FAILED)
		return -errno;
	/* MAP_FIXED, in one step: other threads may be given the free addresses. */
	if (mmap(away, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
		 MAP_NORESERVE, -1, 0) == MAP_FAILED)
		return -errno;
	if (three_in_four(stream))
		span_write(arena, span);
	return span.count;
}

static long op_map(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	char *at = span_at(arena, span);

	if (mmap(at, span.count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return -errno;
	if (arena->memory == SMALL || arena->memory == SHUFFLED)
		madvise(at, span.count * PAGE, MADV_NOHUGEPAGE);
	if (three_in_four(stream))
		span_write(arena, span);
	return span.count;
}

static long op_punch(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);

	if (fallocate(arena->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      span.first * PAGE, span.count * PAGE))
		return -errno;
	if (three_in_four(stream))
		span_write(arena, span);
	return span.count;
}

/* Write back: the pages of a file on DAX become read-only. */
static long op_clean(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);

	span_write(arena, span);
	if (msync(span_at(arena, span), span.count * PAGE, MS_SYNC))
		return -errno;
	if (three_in_four(stream))
		span_write(arena, span);
	return span.count;
}

static long op_guard(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	char *at = span_at(arena, span);

	if (madvise(at, span.count * PAGE, MADV_GUARD_INSTALL))
		return -errno;
	if (madvise(at, span.count * PAGE, MADV_GUARD_REMOVE))
		return -errno;
	if (three_in_four(stream))
		span_write(arena, span);
	return span.count;
}

/* Change hugetlb pages, whose changes have code of their own in the kernel. */
static long op_hugetlb(struct arena *arena, uint64_t *stream)
{
	static long (* const ops[])(struct arena *arena, uint64_t *stream) = {
		op_zap, op_protect, op_fork,
	};

	return ops[random_below(stream, 3)](arena, stream);
}

/* With asynchronous write-protection the kernel resolves faults: no monitor. */
static const char *uffd_prepare(struct arena *arena)
{
	arena->uffd = uffd_open(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED |
				UFFD_FEATURE_WP_HUGETLBFS_SHMEM);
	if (arena->uffd < 0)
		return "userfaultfd has no asynchronous write-protection";
	if (uffd_register(arena->uffd, arena->at, arena->npages * PAGE,
			  UFFDIO_REGISTER_MODE_WP))
		return "memory cannot be registered with userfaultfd";
	return NULL;
}

static long op_uffd(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	struct uffdio_writeprotect allow = {
		.range = { (uintptr_t)span_at(arena, span), span.count * PAGE },
	};

	if (uffd_protect(arena->uffd, span_at(arena, span), span.count * PAGE))
		return -EAGAIN;
	if (three_in_four(stream))
		span_write(arena, span);
	else
		ioctl(arena->uffd, UFFDIO_WRITEPROTECT, &allow);
	return span.count;
}

static long op_soft_dirty(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	int ret = setting_write("/proc/self/clear_refs", "4");

	if (ret)
		return ret;
	return span_write(arena, span);
}

static const char *poison_prepare(struct arena *arena)
{
	return access("/sys/kernel/debug/hwpoison/unpoison-pfn", W_OK) ?
	       "pages cannot be unpoisoned (CONFIG_HWPOISON_INJECT)" : NULL;
}

/*
 * Poison a page, unmap it, and unpoison it when nothing maps it any more. A page that the kernel
 * did not take out of use, because another had isolated it just then, is marked only: unpoisoning
 * it would drop a reference that nobody has. It stays marked, and is not used again once freed.
 */
static long op_poison(struct arena *arena, uint64_t *stream)
{
	struct span span = { random_below(stream, arena->npages), 1 };
	char *at = span_at(arena, span), number[32];
	uint64_t map = page_map(at);
	int ret;

	if (!(map & MAP_PRESENT))
		return span_write(arena, span) ? 0 : -EFAULT;
	ret = madvise(at, PAGE, MADV_HWPOISON) ? -errno : 0;
	if (random_below(stream, 2))
		span_read(arena, span);
	madvise(at, PAGE, MADV_DONTNEED);
	span_write(arena, span);
	if (ret)
		return ret;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)(map & MAP_PFN));
	setting_write("/sys/kernel/debug/hwpoison/unpoison-pfn", number);
	return 1;
}

static void driver_first(struct arena *arena)
{
	device_call(arena->device, HMM_DMIRROR_MIGRATE_TO_DEV, arena->at, 1);
}

static const char *driver_prepare(struct arena *arena)
{
	arena->device = device_open(0);
	return arena->device < 0 ? "no driver with memory is loaded" : NULL;
}

/* test_hmm has no lock for the list of chunks that it removes. */
static const char *unload_prepare(struct arena *arena)
{
	if (!access("/sys/module/test_hmm", F_OK))
		return "the kernel's driver cannot be unloaded by two threads";
	return driver_prepare(arena);
}

static long op_driver_migrate(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	char *at = span_at(arena, span);
	long moved;

	/* Fail one allocation in four, so that pages are not migrated. */
	if (!three_in_four(stream)) {
		struct hmm_dmirror_cmd fail = { .npages = HMM_DMIRROR_FLAG_FAIL_ALLOC };

		ioctl(arena->device, HMM_DMIRROR_FLAGS, &fail);
	}
	moved = device_call(arena->device, HMM_DMIRROR_MIGRATE_TO_DEV, at, span.count);
	if (!random_below(stream, 3))
		span_read(arena, span);
	if (random_below(stream, 2))
		device_call(arena->device, HMM_DMIRROR_MIGRATE_TO_SYS, at, span.count);
	if (three_in_four(stream))
		span_write(arena, span);
	return moved;
}

static long op_driver_exclusive(struct arena *arena, uint64_t *stream)
{
	struct span span = span_choose(arena, stream, 8);
	long taken = device_call(arena->device, HMM_DMIRROR_EXCLUSIVE,
				 span_at(arena, span), span.count);

	if (three_in_four(stream))
		span_write(arena, span);
	return taken;
}

/* Remove the device's memory, which migrates its pages to system memory. */
static long op_driver_unload(struct arena *arena, uint64_t *stream)
{
	struct span span = change_choose(arena, stream);
	struct hmm_dmirror_cmd release = {
		.addr = (uintptr_t)span_at(arena, span),
		.npages = span.count,
	};
	long moved = device_call(arena->device, HMM_DMIRROR_MIGRATE_TO_DEV,
				 span_at(arena, span), span.count);

	if (moved < 0)
		return moved;
	if (ioctl(arena->device, HMM_DMIRROR_RELEASE, &release))
		return -errno;
	span_write(arena, span);
	return moved;
}

/* All mutators above that work on any memory, in random order. */
static long op_mixture(struct arena *arena, uint64_t *stream)
{
	const struct kind *kind;

	do
		kind = &kinds[random_below(stream, nr_kinds)];
	while (kind->prepare || kind->op == op_mixture ||
	       !(kind->memories & 1 << arena->memory));
	return kind->op(arena, stream);
}

const struct kind kinds[] = {
	{ "exclusive", ANY_SMALL, false,
	  NULL, NULL, op_exclusive },
	{ "migration-entries", ANY_ANON, false,
	  NULL, NULL, op_migration_entries },
	{ "device", ANY_ANON, false,
	  device_first, device_prepare, op_device },
	{ "zap", ANY_ANON | ANY_FILE, false,
	  NULL, NULL, op_zap },
	{ "protect", ANY_ANON | ANY_FILE, false,
	  NULL, NULL, op_protect },
	{ "swap", ANY_ANON, false,
	  NULL, swap_prepare, op_swap },
	{ "lazyfree", ANY_ANON, false,
	  NULL, swap_prepare, op_lazyfree },
	{ "fork", ANY_ANON, false,
	  NULL, NULL, op_fork },
	{ "split-and-collapse", 1 << HUGE_PAGES, false,
	  NULL, NULL, op_split },
	{ "move", ANY_ANON, false,
	  NULL, NULL, op_move },
	{ "map", ANY_ANON, false,
	  NULL, NULL, op_map },
	{ "punch", ANY_FILE, false,
	  NULL, NULL, op_punch },
	{ "guard", ANY_ANON | ANY_FILE, false,
	  NULL, NULL, op_guard },
	{ "hugetlb", 1 << HUGETLB, false,
	  NULL, NULL, op_hugetlb },
	{ "uffd-wp", ANY_ANON | 1 << SHARED, false,
	  NULL, uffd_prepare, op_uffd },
	{ "soft-dirty", ANY_ANON, false,
	  NULL, NULL, op_soft_dirty },
	{ "clean", 1 << DAX, false,
	  NULL, NULL, op_clean },
	{ "poison", ANY_SMALL, false,
	  NULL, poison_prepare, op_poison },
	{ "mixture", ANY_ANON | ANY_FILE, false,
	  NULL, NULL, op_mixture },
	{ "driver-migrate", ANY_ANON, true,
	  driver_first, driver_prepare, op_driver_migrate },
	{ "driver-exclusive", ANY_SMALL, true,
	  driver_first, driver_prepare, op_driver_exclusive },
	{ "driver-unload", ANY_ANON, true,
	  driver_first, unload_prepare, op_driver_unload },
};

const size_t nr_kinds = sizeof(kinds) / sizeof(kinds[0]);
