// SPDX-License-Identifier: GPL-2.0
/*
 * Run the same migrations with both migration engines; any difference is a failure.
 *
 * The address space of a plan is created twice. Parts of it migrate to device
 * memory and to system memory, with our engine in one space and the reference in
 * the other: the same pages, with dst folios of the same order, some of them
 * missing. The result of setup must be equal, and all mpfns after setup and after
 * commit except for the pfn, which must be the one in pagemap. Afterwards the two
 * spaces must be equal, and at the end each page must have its content.
 *
 * Intended differences (docs/migration.md) are not compared. Each migration is below
 * one page table, and large device folios that migrate by pfn get a dst folio of
 * their order or none. Our engine does not collect page cache and other memory that
 * cannot be on a device; the reference unmaps and copies it, and then does not
 * migrate it. Where a zero page under userfaultfd write-protection becomes a page,
 * ours keeps the protection. Where the reference cannot split a folio, it skips the
 * rest of the page table; so all per-CPU folio batches are drained before, whose
 * references prevent splits.
 *
 * SEED= is the first seed (default 1), COUNT= how many (default 100); or DURATION= for
 * how many seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "differential.h"

/* Unused addresses, across the border of two 1 GiB page tables. */
#define BASE_OURS	((char *)(0x100000000000UL + GIGA - HUGE))
#define BASE_REFERENCE	((char *)(0x200000000000UL + GIGA - HUGE))

#define MIGRATIONS	16

/* The bits of an mpfn, as in linux/migrate.h, which is no uapi header. */
#define MPFN_VALID		(1ULL << 0)
#define MPFN_MIGRATE		(1ULL << 1)
#define MPFN_FLAGS		0x1bULL
#define MPFN_SHIFT		6

enum verdict {
	ALIKE,
	DIFFERENT,
	NOT_COMPARED,	/* the two spaces were not created equal */
};

/**
 * struct side - one migration engine and its address space
 * @space: the address space
 * @core: the engine's core
 * @ask: the last migration and its results
 * @mpfns: the src array after setup and after commit
 * @map: entries of pagemap
 */
struct side {
	struct space space;
	enum hmm_probe_core core;
	struct hmm_probe_engine ask;
	uint64_t mpfns[2][HMM_PROBE_ENGINE_MPFNS];
	uint64_t map[WINDOW_PAGES];
};

static struct side sides[2];
static int probe, memory;
static bool written[WINDOW_PAGES];
static char difference[256];

/* Numbers of mpfns migrated, of mpfns collected, and of errors. */
static unsigned long moved, collected, errors;

/* Number of mpfns of the last migration that only the reference collected. */
static unsigned long refusals;

static enum verdict differ(const char *what, size_t at, uint64_t our,
			   uint64_t their)
{
	snprintf(difference, sizeof(difference), "%s, %zu: ours %#llx, reference %#llx",
		 what, at, (unsigned long long)our, (unsigned long long)their);
	return DIFFERENT;
}

static enum verdict compare_spaces(const char *when)
{
	const uint64_t mask = MAP_PRESENT | MAP_SWAPPED | MAP_UFFD_WP |
			      MAP_GUARD | MAP_SOFT_DIRTY;
	size_t i;

	for (i = 0; i < 2; i++)
		if (page_map_read(sides[i].space.base, WINDOW_PAGES, sides[i].map))
			return differ("pagemap", 0, 0, 0);
	for (i = 0; i < WINDOW_PAGES; i++) {
		uint64_t differs = (sides[0].map[i] ^ sides[1].map[i]) & mask;

		if (differs == MAP_UFFD_WP && (sides[0].map[i] & MAP_UFFD_WP))
			continue;
		if (differs)
			return differ(when, i, sides[0].map[i], sides[1].map[i]);
	}
	return ALIKE;
}

static ssize_t read_value(size_t which, size_t i, uint64_t *value)
{
	return pread(memory, value, 8, (off_t)(uintptr_t)(sides[which].space.base + i * PAGE));
}

/*
 * Write a number to each present page, the same in both spaces. The probe's memory is one
 * page, which has the last number that is written to any of its addresses.
 */
static void write_all(uint64_t seed)
{
	size_t i, which;

	memset(written, 0, sizeof(written));
	for (i = 0; i < WINDOW_PAGES; i++) {
		uint64_t value = seed * WINDOW_PAGES + i;

		if (!((sides[0].map[i] & sides[1].map[i]) & MAP_PRESENT))
			continue;
		written[i] = true;
		for (which = 0; which < 2; which++)
			if (pwrite(memory, &value, 8, (off_t)(uintptr_t)
				   (sides[which].space.base + i * PAGE)) != 8)
				written[i] = false;
	}
	for (i = 0; i < WINDOW_PAGES; i++) {
		for (which = 0; which < 2; which++) {
			uint64_t value = 0;

			if (read_value(which, i, &value) != 8 || value != seed * WINDOW_PAGES + i)
				written[i] = false;
		}
	}
}

static enum verdict read_all(uint64_t seed)
{
	size_t i, which;

	for (i = 0; i < WINDOW_PAGES; i++) {
		uint64_t value[2] = { 0, 0 }, want = seed * WINDOW_PAGES + i;
		ssize_t got[2];

		for (which = 0; which < 2; which++)
			got[which] = read_value(which, i, &value[which]);
		if (got[0] != got[1] || value[0] != value[1] ||
		    (written[i] && value[0] != want))
			return differ("content of page", i, value[0], value[1]);
	}
	return ALIKE;
}

static void migration_choose(struct hmm_probe_engine *ask, uint64_t *stream)
{
	unsigned int first = random_below(stream, WINDOW_PAGES);
	unsigned int count = 1 + random_below(stream, 1 << random_below(stream, 10));
	unsigned int kind = random_below(stream, 10);

	if (!random_below(stream, 3)) {
		first &= -512;
		count = 512;
	}
	if (count > 512 - first % 512)
		count = 512 - first % 512;
	*ask = (struct hmm_probe_engine){
		.start = first * PAGE,
		.end = (first + count) * PAGE,
		.stream = next(stream),
		.how = random_below(stream, 4) ? HMM_PROBE_ENGINE_COMPOUND : 0,
	};
	if (kind < 3)
		ask->how |= HMM_PROBE_ENGINE_TO_RAM;
	else if (kind < 4)
		ask->how |= HMM_PROBE_ENGINE_TO_RAM | HMM_PROBE_ENGINE_BY_PFN;
	if (ask->how & HMM_PROBE_ENGINE_BY_PFN)
		ask->start = random_below(stream, 4);
}

static void migrate(struct side *side, const struct hmm_probe_engine *ask)
{
	memset(side->mpfns, 0, sizeof(side->mpfns));
	side->ask = *ask;
	side->ask.core = side->core;
	side->ask.mpfns = (uintptr_t)side->mpfns;
	if (!(ask->how & HMM_PROBE_ENGINE_BY_PFN)) {
		side->ask.start += (uintptr_t)side->space.base;
		side->ask.end += (uintptr_t)side->space.base;
	}
	if (ioctl(probe, HMM_PROBE_ENGINE, &side->ask)) {
		fprintf(stderr, "the probe failed: %s\n", strerror(errno));
		exit(1);
	}
}

/* Whether the page of an mpfn was mapped at its address before. */
static bool pfn_matches(const struct side *side, const struct hmm_probe_engine *ask,
			size_t i)
{
	uint64_t mpfn = side->mpfns[0][i];
	uint64_t map = side->map[ask->start / PAGE + i];

	if (!(mpfn & MPFN_VALID) || (ask->how & HMM_PROBE_ENGINE_BY_PFN))
		return true;
	mpfn >>= MPFN_SHIFT;
	if (map & MAP_PRESENT)
		return mpfn == (map & MAP_PFN);
	return (map & MAP_SWAPPED) && mpfn == map_entry_pfn(map);
}

/* Whether only the reference collected a page, and then did not migrate it. */
static bool refused(size_t i)
{
	const uint64_t *ours = sides[0].mpfns[0], *theirs = sides[1].mpfns[0];

	return !ours[i] && (theirs[i] & MPFN_VALID) &&
	       (theirs[i] & MPFN_MIGRATE) && !(sides[1].mpfns[1][i] & MPFN_MIGRATE);
}

static enum verdict compare_mpfns(const struct hmm_probe_engine *ask)
{
	static const char * const stages[] = { "mpfn after setup", "mpfn after commit" };
	size_t i, stage;

	for (i = 0; i < sides[0].ask.npages; i++) {
		if (refused(i)) {
			refusals++;
			continue;
		}
		for (stage = 0; stage < 2; stage++) {
			uint64_t our = sides[0].mpfns[stage][i];
			uint64_t their = sides[1].mpfns[stage][i];

			if ((our ^ their) & MPFN_FLAGS)
				return differ(stages[stage], i, our, their);
		}
		if (!pfn_matches(&sides[0], ask, i))
			return differ("pfn of ours", i, sides[0].mpfns[0][i],
				      sides[0].map[ask->start / PAGE + i]);
		collected += !!(sides[0].mpfns[0][i] & 2);
		moved += !!(sides[0].mpfns[1][i] & 2);
	}
	return ALIKE;
}

static enum verdict migration(const struct hmm_probe_engine *ask)
{
	const struct hmm_probe_engine *our = &sides[0].ask, *their = &sides[1].ask;
	enum verdict verdict;

	setting_write("/proc/sys/vm/drop_caches", "1");
	migrate(&sides[0], ask);
	migrate(&sides[1], ask);
	if (our->error != their->error)
		return differ("error", 0, our->error, their->error);
	errors += !!our->error;
	if (our->error)
		return ALIKE;
	if (our->npages != their->npages)
		return differ("mpfns", 0, our->npages, their->npages);
	refusals = 0;
	verdict = compare_mpfns(ask);
	if (verdict == ALIKE && our->cpages + refusals != their->cpages)
		return differ("mpfns that can move", 0, our->cpages, their->cpages);
	return verdict == ALIKE ? compare_spaces("mapping afterwards") : verdict;
}

static void migration_print(const struct hmm_probe_engine *ask)
{
	bool by_pfn = ask->how & HMM_PROBE_ENGINE_BY_PFN;

	printf("#   migration: pages %llu+%llu %s%s%s\n",
	       (unsigned long long)ask->start / (by_pfn ? 1 : PAGE),
	       (unsigned long long)(by_pfn ? 512 : (ask->end - ask->start) / PAGE),
	       ask->how & HMM_PROBE_ENGINE_TO_RAM ? "to RAM" : "to device",
	       by_pfn ? ", by pfn" : "",
	       ask->how & HMM_PROBE_ENGINE_COMPOUND ? ", huge pages not split" : "");
}

/* All migrations of a seed, or those of the bits in @keep. */
static enum verdict migrations(uint64_t seed, uint64_t keep, bool print)
{
	uint64_t stream = seed ^ 0x5eed;
	enum verdict verdict = ALIKE;
	unsigned int i;

	for (i = 0; i < MIGRATIONS && verdict == ALIKE; i++) {
		struct hmm_probe_engine ask;

		migration_choose(&ask, &stream);
		if (!(keep >> i & 1))
			continue;
		if (print)
			migration_print(&ask);
		else
			verdict = migration(&ask);
	}
	return verdict;
}

static enum verdict case_run(const struct plan *plan)
{
	struct space spaces[2] = { { BASE_OURS, -1 }, { BASE_REFERENCE, -1 } };
	enum verdict verdict = NOT_COMPARED;

	folio_sizes_allow(plan->sizes);
	spaces_make(spaces, plan, probe);
	sides[0].space = spaces[0];
	sides[1].space = spaces[1];
	if (compare_spaces("") == ALIKE) {
		memset(written, 0, sizeof(written));
		/* A write to protected memory would wait for the userfaultfd's monitor. */
		if (spaces[0].uffd < 0)
			write_all(plan->seed);
		verdict = compare_spaces("");
		verdict = verdict == ALIKE ?
			  migrations(plan->seed, plan->keep_queries, false) :
			  NOT_COMPARED;
		if (verdict == ALIKE && spaces[0].uffd < 0)
			verdict = read_all(plan->seed);
	}
	space_free(&spaces[0]);
	space_free(&spaces[1]);
	return verdict;
}

static bool differs(struct plan *plan)
{
	return case_run(plan) == DIFFERENT;
}

static void report(struct plan *plan)
{
	printf("# %s\n", difference);
	bits_shrink(plan, &plan->keep_queries, MIGRATIONS, differs);
	bits_shrink(plan, &plan->keep_steps, plan->nr_steps, differs);
	if (case_run(plan) == DIFFERENT)
		printf("# %s; the smallest plan:\n", difference);
	else
		printf("# %s; not reproducible; the smallest plan:\n", difference);
	migrations(plan->seed, plan->keep_queries, true);
	plan->keep_queries = 0;
	plan_print(stdout, plan);
	printf("# again: SEED=%llu COUNT=1 differential_migrate\n",
	       (unsigned long long)plan->seed);
}

static bool one(uint64_t seed, uint64_t n, uint64_t *skipped)
{
	enum verdict verdict;
	struct plan plan;

	plan_make(&plan, seed, false);
	plan.keep_queries = (1ULL << MIGRATIONS) - 1;
	verdict = case_run(&plan);
	if (verdict == DIFFERENT)
		report(&plan);
	*skipped += verdict == NOT_COMPARED;
	printf("%sok %llu seed %llu%s\n", verdict == DIFFERENT ? "not " : "",
	       (unsigned long long)n, (unsigned long long)seed,
	       verdict == NOT_COMPARED ?
	       " # SKIP the two address spaces were set up differently" : "");
	fflush(stdout);
	return verdict == DIFFERENT;
}

int main(void)
{
	uint64_t seed = env_number("SEED", 1), failed = 0, skipped = 0, i;
	struct limit limit = limit_of(100);
	struct hmm_probe_info info;

	printf("TAP version 13\n");
	probe = probe_open(&info);
	memory = open("/proc/self/mem", O_RDWR);
	if (!(info.has & HMM_PROBE_HAS_ENGINES) || memory < 0) {
		printf("1..0 # SKIP no reference engine (CONFIG_HMM_REFERENCE)\n");
		return 4;
	}
	sides[1].core = HMM_PROBE_REFERENCE;
	/* No line in the kernel's log each time. */
	setting_write("/proc/sys/vm/drop_caches", "4");
	swap_ready();
	huge_pages_reserve(2048, 6);
	for (i = 0; !limit_reached(&limit, i); i++)
		failed += one(seed + i, i + 1, &skipped);
	printf("# %lu mpfns moved of %lu, %lu errors\n", moved, collected, errors);
	printf("# figures: comparisons=%lu\n", collected);
	/* Fail if too many cases were skipped, or if nothing was migrated. */
	printf("%sok %llu enough was compared\n1..%llu\n", skipped * 3 > i || !moved ?
	       "not " : "", (unsigned long long)i + 1, (unsigned long long)i + 1);
	folio_sizes_allow(0);
	return failed || skipped * 3 > i || !moved;
}
