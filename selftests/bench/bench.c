// SPDX-License-Identifier: GPL-2.0
/*
 * What a page costs: hmm_range_fault() of both cores over the same memory.
 *
 * usage: bench [-i] [CASE...]
 *
 * One line a case: its name, ours, the reference, the unit. The time is the
 * shortest of several calls, by the guest's clock. In a guest whose clock
 * counts instructions (QEMU's -icount shift=0) a nanosecond is an instruction,
 * the same in every run; -i says that it is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "hmm_user.h"

#define SIZE (64UL << 20)
#define NPAGES (SIZE / PAGE)
#define CALLS 7

#define RW (PROT_READ | PROT_WRITE)

static int probe;
static uint64_t *words;
static uint64_t *input;
static bool have_reference;

/**
 * struct bench_case - one line of the table
 * @name: what it is called
 * @make: makes the memory; NULL when the machine cannot
 * @default_flags: as in struct hmm_range
 * @pfn_flags_mask: as in struct hmm_range
 * @size: how much of the memory is walked
 */
struct bench_case {
	const char *name;
	char *(*make)(void);
	uint64_t default_flags;
	uint64_t pfn_flags_mask;
	size_t size;
};

static char *anon(int advice)
{
	char *at = map_aligned(SIZE, HUGE, RW, MAP_PRIVATE, -1);

	if (at)
		madvise(at, SIZE, advice);
	return at;
}

static char *make_4k(void)
{
	char *at = anon(MADV_NOHUGEPAGE);

	if (at)
		write_pages(at, SIZE);
	return at;
}

/* No two neighbours in memory were neighbours when they were allocated. */
static char *make_shuffled(void)
{
	char *at = anon(MADV_NOHUGEPAGE);
	size_t i;

	for (i = 0; at && i < NPAGES; i++)
		at[i * 4099 % NPAGES * PAGE] = 1;
	return at;
}

static char *make_readonly(void)
{
	char *at = make_4k();

	if (at)
		mprotect(at, SIZE, PROT_READ);
	return at;
}

/* Entries of four kinds in turn: writable, absent, zero page, read-only. */
static char *make_mixed(void)
{
	char *at = anon(MADV_NOHUGEPAGE);
	size_t i;

	for (i = 0; at && i < NPAGES; i += 4) {
		at[i * PAGE] = 1;
		read_pages(at + (i + 2) * PAGE, PAGE);
		at[(i + 3) * PAGE] = 1;
	}
	return at;
}

static char *make_folios(void)
{
	char *at = anon(MADV_HUGEPAGE);

	if (!at || large_folios_allow(64, true) || large_folios_allow(2048, false))
		return NULL;
	write_pages(at, SIZE);
	large_folios_allow(64, false);
	large_folios_allow(2048, true);
	return at;
}

static char *make_2m(void)
{
	char *at = anon(MADV_HUGEPAGE);

	if (at)
		write_pages(at, SIZE);
	return at;
}

static char *make_file(void)
{
	int fd = memory_file(SIZE);
	char *at = map_aligned(SIZE, HUGE, RW, MAP_SHARED, fd);

	if (at)
		write_pages(at, SIZE);
	return at;
}

static char *make_absent(void)
{
	return anon(MADV_NOHUGEPAGE);
}

static char *make_hole(void)
{
	char *at = anon(MADV_NOHUGEPAGE);

	munmap(at, SIZE);
	return at;
}

static const struct bench_case cases[] = {
	{ "snapshot-4k", make_4k, 0, 0, SIZE },
	{ "snapshot-4k-shuffled", make_shuffled, 0, 0, SIZE },
	{ "snapshot-4k-readonly", make_readonly, 0, 0, SIZE },
	{ "snapshot-4k-file", make_file, 0, 0, SIZE },
	{ "snapshot-mixed", make_mixed, 0, 0, SIZE },
	{ "snapshot-64k-folios", make_folios, 0, 0, SIZE },
	{ "snapshot-2m", make_2m, 0, 0, SIZE },
	{ "snapshot-absent", make_absent, 0, 0, SIZE },
	{ "snapshot-hole", make_hole, 0, 0, SIZE },
	{ "read-4k", make_4k, REQ_FAULT, 0, SIZE },
	{ "read-4k-readonly", make_readonly, REQ_FAULT, 0, SIZE },
	{ "write-4k", make_4k, REQ_RW, 0, SIZE },
	{ "masked-4k", make_4k, 0, REQ_RW, SIZE },
	{ "masked-4k-readonly", make_readonly, 0, REQ_FAULT, SIZE },
	{ "write-64k-folios", make_folios, REQ_RW, 0, SIZE },
	{ "write-2m", make_2m, REQ_RW, 0, SIZE },
	{ "snapshot-one-page", make_4k, 0, 0, PAGE },
};

/* The shortest of a few calls, in ns a page; negative where it failed. */
static double measure(const struct bench_case *bench, const char *at, int core)
{
	size_t npages = bench->size / PAGE;
	double best = -1;
	int i;

	for (i = 0; i < CALLS; i++) {
		struct hmm_probe_walk walk = {
			.addr = (uintptr_t)at,
			.npages = npages,
			.words = (uintptr_t)words,
			.default_flags = bench->default_flags,
			.pfn_flags_mask = bench->pfn_flags_mask,
			.core = core,
		};
		double ns;

		memcpy(words, input, npages * sizeof(*words));
		if (ioctl(probe, HMM_PROBE_WALK, &walk) || walk.error)
			return -1;
		ns = (double)walk.ns / npages;
		if (best < 0 || ns < best)
			best = ns;
	}
	return best;
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static int run(const struct bench_case *bench, const char *unit)
{
	double ours, reference = -1;
	char *at = bench->make();
	size_t i;

	if (!at) {
		printf("# %s: cannot be had on this machine\n", bench->name);
		return 0;
	}
	for (i = 0; i < NPAGES; i++)
		input[i] = i % 3 ? bench->pfn_flags_mask & REQ_RW : 0;
	ours = measure(bench, at, HMM_PROBE_CORE);
	if (have_reference)
		reference = measure(bench, at, HMM_PROBE_REFERENCE);
	munmap(at, SIZE);
	if (ours < 0 || (have_reference && reference < 0)) {
		fprintf(stderr, "%s: a walk failed\n", bench->name);
		return 1;
	}
	if (!ours) {
		fprintf(stderr, "%s: the guest's clock is too coarse; boot with -icount and tsc=reliable\n",
			bench->name);
		return 1;
	}
	printf("%s %.2f ", bench->name, ours);
	if (have_reference)
		printf("%.2f %s\n", reference, unit);
	else
		printf("- %s\n", unit);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const char *unit = "ns/page";
	struct hmm_probe_info info;
	char **names = argv + 1;
	int failed = 0;
	size_t i;

	if (*names && !strcmp(*names, "-i")) {
		unit = "instructions/page";
		names++;
	}
	probe = probe_open(&info);
	have_reference = info.has & HMM_PROBE_HAS_REFERENCE;
	words = calloc(NPAGES, sizeof(*words));
	input = calloc(NPAGES, sizeof(*input));
	if (!words || !input)
		return 1;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (wanted(cases[i].name, names))
			failed |= run(&cases[i], unit);
	return failed;
}
