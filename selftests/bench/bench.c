// SPDX-License-Identifier: GPL-2.0
/*
 * Cost per page of both cores on the same memory.
 *
 * usage: bench [-i] [-o] [CASE...]
 *
 * Prints one line per case: its name, the cost of our core, that of the reference
 * ("-" for none), and the unit. A case that this machine does not support is a line
 * with "#". The time is the shortest of several calls, by the guest's clock. In a
 * guest whose clock counts instructions (QEMU's -icount shift=0) a nanosecond is an
 * instruction, the same in every run; with -i, the unit is instructions. -o leaves
 * the reference out.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hmm_user.h"

#define SIZE (64UL << 20)
#define NPAGES (SIZE / PAGE)
#define CALLS 7
#define MOVES 2
#define TABLE_PAGES (HUGE / PAGE)
#define FAULTS 256

#define RW (PROT_READ | PROT_WRITE)

/* Results of a measurement that failed, and of one without such memory. */
#define FAILED (-1)
#define CANNOT (-2)

static int probe;
static uint64_t *hmm_pfns;
static uint64_t *input;
static bool have_reference;

/**
 * struct bench_case - one line of the table
 * @name: name of the case
 * @measure: the measurement; returns the cost per page, FAILED or CANNOT
 * @make: makes the memory; returns NULL if the machine cannot
 * @default_flags: as in struct hmm_range
 * @pfn_flags_mask: as in struct hmm_range
 * @size: size of the walk; 0 for all of the memory
 * @how: HMM_PROBE_FORMAT and the like; for migrations, HMM_PROBE_MOVE_WHOLE
 * @what: HMM_PROBE_MOVE_TO_DEVICE and so on
 * @fault_pages: pages that a CPU fault migrates, in our core and in the reference
 * @alone: the reference has no such case
 */
struct bench_case {
	const char *name;
	double (*measure)(const struct bench_case *bench, int core);
	char *(*make)(void);
	uint64_t default_flags;
	uint64_t pfn_flags_mask;
	size_t size;
	uint32_t how;
	uint32_t what;
	uint32_t fault_pages[2];
	bool alone;
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

/* Fault in pages in an order in which neighbouring pages are not contiguous. */
static void touch_shuffled(char *at)
{
	size_t i;

	for (i = 0; i < NPAGES; i++)
		at[i * 4099 % NPAGES * PAGE] = 1;
}

/*
 * The same for folios of a size, a power of two, in bit-reversed order. A folio's
 * address and pfn then agree in the bit above its size for half of the folios,
 * wherever the memory begins: if they agree, the walker has to see whether the next
 * folio makes a larger order, which costs more. With the order above they agree for
 * all folios or for none.
 */
static void touch_folios_shuffled(char *at, size_t size)
{
	size_t i, bit, reversed, nr = SIZE / size;

	for (i = 0; i < nr; i++) {
		reversed = 0;
		for (bit = 1; bit < nr; bit <<= 1)
			reversed = reversed << 1 | !!(i & bit);
		at[reversed * size] = 1;
	}
}

static char *make_shuffled(void)
{
	char *at = anon(MADV_NOHUGEPAGE);

	if (at)
		touch_shuffled(at);
	return at;
}

/* Contiguous small pages, made by splitting huge ones. */
static char *make_contiguous(void)
{
	char *at = anon(MADV_HUGEPAGE), text[80];

	if (!at)
		return NULL;
	write_pages(at, SIZE);
	snprintf(text, sizeof(text), "%d,0x%lx,0x%lx", getpid(), (long)at,
		 (long)at + SIZE);
	return setting_write("/sys/kernel/debug/split_huge_pages", text) ?
	       NULL : at;
}

static char *make_readonly(void)
{
	char *at = make_shuffled();

	if (at)
		mprotect(at, SIZE, PROT_READ);
	return at;
}

/* PTEs of four classes in turn: writable, absent, zero page, read-only. */
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
	touch_folios_shuffled(at, 64 << 10);
	large_folios_allow(64, false);
	large_folios_allow(2048, true);
	return at;
}

static char *make_2m(void)
{
	char *at = anon(MADV_HUGEPAGE);

	if (at)
		touch_folios_shuffled(at, HUGE);
	return at;
}

static char *make_file(void)
{
	int fd = memory_file(SIZE);
	char *at = map_aligned(SIZE, HUGE, RW, MAP_SHARED, fd);

	if (at)
		touch_shuffled(at);
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

/* The time of the fastest of a few walks, per page. */
static double walk(const struct bench_case *bench, int core)
{
	size_t npages = (bench->size ?: SIZE) / PAGE, i;
	char *at = bench->make();
	double best = -1, ns;

	if (!at)
		return CANNOT;
	for (i = 0; i < NPAGES; i++)
		input[i] = i % 3 ? bench->pfn_flags_mask & REQ_RW : 0;
	for (i = 0; i < CALLS; i++) {
		struct hmm_probe_walk walk = {
			.addr = (uintptr_t)at,
			.npages = npages,
			.hmm_pfns = (uintptr_t)hmm_pfns,
			.default_flags = bench->default_flags,
			.pfn_flags_mask = bench->pfn_flags_mask,
			.core = core,
			.how = bench->how,
			/* The format of nouveau in 2019. */
			.format = {
				.valid = 1,
				.write = 2,
				.device_private = 4,
				.error = 1ULL << 61,
				.special = 1ULL << 62,
				.pfn_shift = 12,
			},
		};

		memcpy(hmm_pfns, input, npages * sizeof(*hmm_pfns));
		if (ioctl(probe, HMM_PROBE_WALK, &walk) || walk.error) {
			best = FAILED;
			break;
		}
		ns = (double)walk.ns / npages;
		if (best < 0 || ns < best)
			best = ns;
	}
	munmap(at, SIZE);
	return best;
}

/* Migrate all of the memory; return false unless every page migrated. */
static bool move(const struct bench_case *bench, struct hmm_probe_move *arg,
		 uint32_t what)
{
	arg->what = what;
	arg->how |= bench->how & HMM_PROBE_MOVE_WHOLE;
	arg->fault_pages = bench->fault_pages[arg->core] ?: 1;
	return !ioctl(probe, HMM_PROBE_MOVE, arg) && arg->pages == NPAGES;
}

/*
 * Make memory, migrate it to the device and, if that is measured, to system memory.
 * The memory is new each time, since a migration may split its folios. Return 0,
 * FAILED or CANNOT.
 */
static int move_once(const struct bench_case *bench,
		     struct hmm_probe_move *arg)
{
	char *at = bench->make();
	uint32_t how = arg->how;
	bool good;

	if (!at)
		return CANNOT;
	arg->start = (uintptr_t)at;
	arg->end = arg->start + SIZE;
	arg->how = bench->what == HMM_PROBE_MOVE_TO_DEVICE ? how : 0;
	good = move(bench, arg, HMM_PROBE_MOVE_TO_DEVICE);
	if (good && bench->what != HMM_PROBE_MOVE_TO_DEVICE) {
		arg->how = how;
		good = move(bench, arg, bench->what);
	}
	munmap(at, SIZE);
	return good ? 0 : FAILED;
}

static double moved(const struct bench_case *bench, int core)
{
	double best = -1, ns;
	int i, ret;

	for (i = 0; i < MOVES; i++) {
		struct hmm_probe_move arg = { .core = core };

		ret = move_once(bench, &arg);
		if (ret)
			return ret;
		ns = (double)arg.ns / NPAGES;
		if (best < 0 || ns < best)
			best = ns;
	}
	return best;
}

/* TLB flushes per page table of migrated pages. */
static double flushes(const struct bench_case *bench, int core)
{
	struct hmm_probe_move arg = {
		.core = core,
		.how = HMM_PROBE_MOVE_FLUSHES,
	};
	int ret = move_once(bench, &arg);

	if (ret)
		return ret;
	return (double)arg.flushes * TABLE_PAGES / NPAGES;
}

/* Device faults, each on another page. */
static double populate(const struct bench_case *bench, int core)
{
	char *at = bench->make();
	struct hmm_probe_populate arg = {
		.start = (uintptr_t)at,
		.end = (uintptr_t)at + SIZE,
		.skip = 17,
		.core = core,
		.count = FAULTS,
	};
	struct hmm_probe_info info;
	double best = -1, ns;
	int i, fd;

	if (!at)
		return CANNOT;
	fd = probe_open(&info);
	for (i = 0; i < CALLS; i++) {
		if (ioctl(fd, HMM_PROBE_POPULATE_PAGES, &arg)) {
			best = FAILED;
			break;
		}
		ns = (double)arg.ns / FAULTS;
		if (best < 0 || ns < best)
			best = ns;
	}
	close(fd);
	munmap(at, SIZE);
	return best;
}

#define WALK(_name, _make, ...) \
	{ .name = (_name), .measure = walk, .make = (_make), __VA_ARGS__ }
#define MOVE(_name, _make, _what, ...) \
	{ .name = (_name), .measure = moved, .make = (_make), \
	  .what = HMM_PROBE_MOVE_##_what, __VA_ARGS__ }
#define FLUSHES(_name, _what) \
	{ .name = (_name), .measure = flushes, .make = make_4k, \
	  .what = HMM_PROBE_MOVE_##_what }
#define WRITE .default_flags = REQ_RW
#define READ .default_flags = REQ_FAULT
#define WHOLE .how = HMM_PROBE_MOVE_WHOLE

static const struct bench_case cases[] = {
	WALK("snapshot-4k", make_contiguous),
	WALK("snapshot-4k-shuffled", make_shuffled),
	WALK("snapshot-4k-readonly", make_readonly),
	WALK("snapshot-4k-file", make_file),
	WALK("snapshot-mixed", make_mixed),
	WALK("snapshot-64k", make_folios),
	WALK("snapshot-2m", make_2m),
	WALK("snapshot-absent", make_absent),
	WALK("snapshot-hole", make_hole),
	WALK("read-4k", make_shuffled, READ),
	WALK("read-4k-readonly", make_readonly, READ),
	WALK("write-4k", make_shuffled, WRITE),
	WALK("masked-4k", make_shuffled, .pfn_flags_mask = REQ_RW),
	WALK("masked-4k-readonly", make_readonly, .pfn_flags_mask = REQ_FAULT),
	WALK("write-64k", make_folios, WRITE),
	WALK("write-2m", make_2m, WRITE),
	WALK("snapshot-one-page", make_4k, .size = PAGE),
	WALK("extents-4k", make_contiguous, .how = HMM_PROBE_EXTENTS, .alone = true),
	WALK("extents-64k", make_folios, .how = HMM_PROBE_EXTENTS, .alone = true),
	WALK("extents-2m", make_2m, .how = HMM_PROBE_EXTENTS, .alone = true),
	WALK("entries-4k", make_shuffled, .how = HMM_PROBE_FORMAT, .alone = true),
	{ .name = "populate-one-page", .measure = populate, .make = make_4k },
	MOVE("out-4k", make_4k, TO_DEVICE),
	MOVE("to-ram-4k", make_4k, TO_RAM),
	MOVE("out-64k", make_folios, TO_DEVICE, WHOLE),
	MOVE("to-ram-64k", make_folios, TO_RAM, WHOLE),
	MOVE("out-2m", make_2m, TO_DEVICE, WHOLE),
	MOVE("to-ram-2m", make_2m, TO_RAM, WHOLE),
	MOVE("out-absent", make_absent, TO_DEVICE),
	MOVE("touch-512", make_4k, TOUCH, .fault_pages = { TABLE_PAGES, 1 }),
	MOVE("touch-512-both", make_4k, TOUCH,
	     .fault_pages = { TABLE_PAGES, TABLE_PAGES }),
	FLUSHES("flushes-out", TO_DEVICE),
	FLUSHES("flushes-to-ram", TO_RAM),
};

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

/* The unit of a case, without spaces. */
static const char *unit_of(const struct bench_case *bench, bool counted)
{
	if (bench->measure == flushes)
		return "flushes/512-pages";
	return counted ? "instructions/page" : "ns/page";
}

static int run(const struct bench_case *bench, bool counted)
{
	double ours = bench->measure(bench, HMM_PROBE_CORE), reference = -1;

	if (ours == CANNOT) {
		printf("# %s: not supported on this machine\n", bench->name);
		return 0;
	}
	if (have_reference && !bench->alone)
		reference = bench->measure(bench, HMM_PROBE_REFERENCE);
	if (ours < 0 || (have_reference && !bench->alone && reference < 0)) {
		fprintf(stderr, "%s: %s failed\n", bench->name,
			ours < 0 ? "ours" : "the reference");
		return 1;
	}
	if (!ours && bench->measure != flushes) {
		fprintf(stderr, "%s: clock too coarse; boot with -icount and tsc=reliable\n",
			bench->name);
		return 1;
	}
	printf("%s %.2f ", bench->name, ours);
	if (reference >= 0)
		printf("%.2f %s\n", reference, unit_of(bench, counted));
	else
		printf("- %s\n", unit_of(bench, counted));
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct hmm_probe_info info;
	char **names = argv + 1;
	bool counted = false, alone = false;
	int failed = 0, option;
	size_t i;

	while ((option = getopt(argc, argv, "io")) != -1) {
		counted |= option == 'i';
		alone |= option == 'o';
		if (option == '?')
			return 2;
	}
	names += optind - 1;
	probe = probe_open(&info);
	have_reference = !alone && (info.has & HMM_PROBE_HAS_REFERENCE);
	hmm_pfns = calloc(NPAGES, sizeof(*hmm_pfns));
	input = calloc(NPAGES, sizeof(*input));
	if (!hmm_pfns || !input)
		return 1;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (wanted(cases[i].name, names))
			failed |= run(&cases[i], counted);
	return failed;
}
