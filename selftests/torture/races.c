// SPDX-License-Identifier: GPL-2.0
/*
 * races [KIND...]: walks that race with threads that change page tables.
 *
 * Two threads walk parts of an arena with all combinations of output (hmm pfns, a
 * driver's PTE format, extents), locking (mmap lock, VMA lock, unlocked with
 * timeout, sections of a mirror), request, and core. Two other threads change the
 * arena in one way, the kind. The probe checks each walk under its update lock:
 * each reported page is mapped at its address, or the sequence has moved. After all
 * threads have stopped, both cores must report the same, no walk may lose a race,
 * and every page must have its content.
 *
 * SEED= is the seed (default 1), DURATION= the seconds for all kinds together
 * (default 2.5 for each), CORE=core or CORE=reference walks with one core only.
 * Each failure is printed with its seed: the same seed gives the same changes and
 * walks, but not the same order between threads.
 *
 * A kind without changes or compared pages fails, because it tested nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "races.h"

#define WALKERS		2
#define MUTATORS	2
#define MS_PER_KIND	2500
#define MS_PER_ROUND	600

static const char * const locking_names[] = {
	"mmap lock", "VMA lock", "unlocked", "section",
};

static const char * const request_names[] = { "snapshot", "read", "write" };

static const char * const failure_names[] = {
	[HMM_PROBE_RACE_NO_PAGE] = "a pfn without a struct page",
	[HMM_PROBE_RACE_OTHER_PAGE] = "a page that is not mapped there",
	[HMM_PROBE_RACE_READ_ONLY] = "writable, but the entry is not",
	[HMM_PROBE_RACE_FREE] = "a page without a reference",
	[HMM_PROBE_RACE_OWNER_WRONG] = "private memory of another device",
	[HMM_PROBE_RACE_CONTENT] = "a page with the content of another",
	[HMM_PROBE_RACE_ORDER] = "an order that does not fit its neighbours",
	[HMM_PROBE_RACE_ABSENT] = "success, but a page is absent",
	[HMM_PROBE_RACE_EXTENT] = "extents that overlap or leave a gap",
};

/* Counters of all threads and rounds of one kind. */
struct counts {
	atomic_ulong ops;
	atomic_ulong changed;
	atomic_ulong failed_ops;
	atomic_long op_error;
	atomic_ulong walks;
	atomic_ulong compared;
	atomic_ulong lost;
	atomic_ulong errors;
};

/**
 * struct round - one arena and the threads that use it
 * @kind: the kind of changes
 * @arena: the memory
 * @seed: seed of the changes and walks
 * @info: facts about the kernel and the probe
 * @counts: counters of the kind
 * @stop: whether threads must end
 * @failed: whether a walk failed
 */
struct round {
	const struct kind *kind;
	struct arena *arena;
	uint64_t seed;
	struct hmm_probe_info info;
	struct counts *counts;
	atomic_bool stop;
	atomic_bool failed;
};

struct thread {
	struct round *round;
	pthread_t thread;
	uint64_t stream;
};

static unsigned int only_core = 2;

/* Bits of &enum memory that this system does not have. */
static unsigned int missing_memories;

static pthread_mutex_t print_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t stream_of(uint64_t seed, uint64_t number)
{
	uint64_t stream = seed * 0x100000001b3 + number;

	return next(&stream);
}

static void walk_describe(const struct hmm_probe_race *walk, char *text, size_t size)
{
	const char *output = walk->how & HMM_PROBE_FORMAT ? "format" :
			     walk->how & HMM_PROBE_EXTENTS ? "extents" : "pfns";

	snprintf(text, size, "%s, %s, %s, %s%s%s",
		 walk->core == HMM_PROBE_CORE ? "core" : "reference",
		 locking_names[walk->locking], output,
		 request_names[walk->request],
		 walk->how & HMM_PROBE_RACE_FILTER ? ", ignores exclusive" : "",
		 walk->how & HMM_PROBE_RACE_OWNER ? ", with own private pages" : "");
}

static void failure_print(struct round *round, const struct hmm_probe_race *walk)
{
	char text[128];

	walk_describe(walk, text, sizeof(text));
	pthread_mutex_lock(&print_lock);
	if (!atomic_exchange(&round->failed, true)) {
		printf("# %s: %s\n", text, failure_names[walk->failure]);
		printf("#   page %llu of %llu: hmm pfn %#llx, entry %#llx, content %#llx\n",
		       (unsigned long long)(walk->fail_addr - walk->addr) / PAGE,
		       (unsigned long long)walk->npages,
		       (unsigned long long)walk->fail_hmm_pfn,
		       (unsigned long long)walk->fail_entry,
		       (unsigned long long)walk->fail_content);
		printf("#   again: SEED=%llu races %s\n",
		       (unsigned long long)round->seed, round->kind->name);
		fflush(stdout);
	}
	pthread_mutex_unlock(&print_lock);
	atomic_store(&round->stop, true);
}

/* Choose a combination of core, locking, request and output that exists. */
static void walk_choose(const struct round *round, struct hmm_probe_race *walk,
			uint64_t *stream)
{
	static const unsigned int outputs[] = {
		0, 0, HMM_PROBE_FORMAT, HMM_PROBE_EXTENTS,
	};
	bool reference = round->info.has & HMM_PROBE_HAS_REFERENCE;

	walk->core = random_below(stream, 4) ? HMM_PROBE_CORE : HMM_PROBE_REFERENCE;
	if (only_core < 2)
		walk->core = only_core;
	if (!reference)
		walk->core = HMM_PROBE_CORE;
	walk->locking = random_below(stream, 4);
	walk->how = outputs[random_below(stream, 4)];
	walk->request = random_below(stream, 2) ? HMM_PROBE_RACE_SNAPSHOT : random_below(stream, 3);
	if (random_below(stream, 2))
		walk->how |= HMM_PROBE_RACE_FILTER;
	if (random_below(stream, 2))
		walk->how |= HMM_PROBE_RACE_OWNER;
	if (walk->core == HMM_PROBE_REFERENCE) {
		walk->how &= ~(HMM_PROBE_FORMAT | HMM_PROBE_EXTENTS);
		if (walk->locking != HMM_PROBE_RACE_UNLOCKED ||
		    !(round->info.has & HMM_PROBE_HAS_UNLOCKED))
			walk->locking = HMM_PROBE_RACE_MMAP;
	}
	if (walk->locking == HMM_PROBE_RACE_SECTION ||
	    walk->locking == HMM_PROBE_RACE_VMA)
		walk->how &= ~(HMM_PROBE_FORMAT | HMM_PROBE_EXTENTS);
	/* A section has its own filter and owner. */
	if (walk->locking == HMM_PROBE_RACE_SECTION)
		walk->how &= ~(HMM_PROBE_RACE_FILTER | HMM_PROBE_RACE_OWNER);
}

/* Choose long walks, which meet changes, and short ones, which win races. */
static struct span walk_span(const struct arena *arena, uint64_t *stream)
{
	struct span span = span_choose(arena, stream, arena->npages);

	if (!random_below(stream, 3)) {
		span.first = random_below(stream, arena->npages / 2);
		span.count = arena->npages - span.first;
	}
	return span;
}

static void *walker(void *argument)
{
	struct thread *thread = argument;
	struct round *round = thread->round;
	struct arena *arena = round->arena;

	while (!atomic_load(&round->stop)) {
		struct span span = walk_span(arena, &thread->stream);
		struct hmm_probe_race walk = {
			.addr = (uintptr_t)span_at(arena, span),
			.npages = span.count,
			.base = (uintptr_t)arena->at,
			.tag = arena->tag,
			.count = 1 + random_below(&thread->stream, 32),
		};

		walk_choose(round, &walk, &thread->stream);
		if (ioctl(arena->probe, HMM_PROBE_RACE, &walk)) {
			printf("# HMM_PROBE_RACE: %s\n", strerror(errno));
			atomic_store(&round->failed, true);
			break;
		}
		atomic_fetch_add(&round->counts->walks, walk.walks);
		atomic_fetch_add(&round->counts->compared, walk.compared);
		atomic_fetch_add(&round->counts->lost, walk.lost);
		atomic_fetch_add(&round->counts->errors, walk.errors);
		if (walk.failure)
			failure_print(round, &walk);
	}
	return NULL;
}

static void *mutator(void *argument)
{
	struct thread *thread = argument;
	struct round *round = thread->round;
	struct counts *counts = round->counts;

	while (!atomic_load(&round->stop)) {
		long changed = round->kind->op(round->arena, &thread->stream);

		atomic_fetch_add(&counts->ops, 1);
		if (changed >= 0) {
			atomic_fetch_add(&counts->changed, changed);
		} else {
			atomic_fetch_add(&counts->failed_ops, 1);
			atomic_store(&counts->op_error, changed);
		}
	}
	return NULL;
}

/*
 * Snapshot the whole arena with the owner of the device-private page @pfn, or
 * without an owner if that page's memory was removed.
 */
static bool final_walk(const struct arena *arena, unsigned int core, uint64_t pfn,
		       uint64_t *hmm_pfns)
{
	struct hmm_probe_walk walk = {
		.addr = (uintptr_t)arena->at,
		.npages = arena->npages,
		.hmm_pfns = (uintptr_t)hmm_pfns,
		.core = core,
		.pfn = pfn,
		.how = pfn ? HMM_PROBE_OWNER_OF_PFN : 0,
	};
	int ret = ioctl(arena->probe, HMM_PROBE_WALK, &walk);

	if (ret && errno == EINVAL) {
		walk.how = 0;
		ret = ioctl(arena->probe, HMM_PROBE_WALK, &walk);
	}
	if (!ret && !walk.error)
		return true;
	printf("# the final walk of core %u: %s\n", core,
	       strerror(ret ? errno : -walk.error));
	return false;
}

/*
 * Whether a difference is intended: the kernel's core reports a guard marker as an
 * absent page. A marker stays if one thread moved the page
 * table entries away between another one's MADV_GUARD_INSTALL and _REMOVE.
 */
static bool final_differs_on_purpose(const struct arena *arena, size_t page,
				     uint64_t ours, uint64_t theirs)
{
	return hmm_pfn_flags(ours) == HMM_PFN_ERROR && !hmm_pfn_flags(theirs) &&
	       page_map(arena->at + page * PAGE) & MAP_GUARD;
}

/*
 * Walk with our core before and after the kernel's, until both of ours are the same:
 * compaction and khugepaged may still move pages. @hmm_pfns: ours, theirs, ours again.
 */
static bool final_walks(const struct arena *arena, uint64_t pfn, uint64_t *hmm_pfns[3])
{
	static const unsigned int cores[] = { 0, 1, 0 };
	int tries, i;

	for (tries = 0; tries < 20; tries++) {
		for (i = 0; i < 3; i++) {
			memset(hmm_pfns[i], 0, arena->npages * sizeof(uint64_t));
			if (!final_walk(arena, cores[i], pfn, hmm_pfns[i]))
				return false;
		}
		if (!memcmp(hmm_pfns[0], hmm_pfns[2], arena->npages * sizeof(uint64_t)))
			return true;
		usleep(100000);
	}
	printf("# memory still changes two seconds after all threads have stopped\n");
	return false;
}

/* Compare the snapshots of both cores after all threads have stopped. */
static bool final_compare(const struct arena *arena, uint64_t pfn)
{
	uint64_t *hmm_pfns[3];
	bool same;
	size_t i;

	for (i = 0; i < 3; i++)
		hmm_pfns[i] = calloc(arena->npages, sizeof(uint64_t));
	same = final_walks(arena, pfn, hmm_pfns);
	for (i = 0; same && i < arena->npages; i++) {
		uint64_t a = hmm_pfns[0][i], b = hmm_pfns[1][i];

		if (hmm_pfn_flags(a) == hmm_pfn_flags(b) &&
		    (!(a & HMM_PFN_VALID) || hmm_pfn_to_pfn(a) == hmm_pfn_to_pfn(b)))
			continue;
		if (final_differs_on_purpose(arena, i, a, b)) {
			printf("# a guard marker was left at page %zu\n", i);
			continue;
		}
		printf("# the cores differ at page %zu: %#llx, %#llx; pagemap %#llx\n",
		       i, (unsigned long long)a, (unsigned long long)b,
		       (unsigned long long)page_map(arena->at + i * PAGE));
		same = false;
	}
	for (i = 0; i < 3; i++)
		free(hmm_pfns[i]);
	return same;
}

static bool quiet_true(const struct arena *arena, unsigned int core)
{
	struct hmm_probe_race walk = {
		.addr = (uintptr_t)arena->at,
		.npages = arena->npages,
		.base = (uintptr_t)arena->at,
		.tag = arena->tag,
		.core = core,
		.how = HMM_PROBE_RACE_OWNER,
		.count = 1,
	};
	int tries;

	/* Reclaim and khugepaged may still be at work. */
	for (tries = 0; tries < 10; tries++) {
		walk.lost = 0;
		walk.walks = 0;
		if (ioctl(arena->probe, HMM_PROBE_RACE, &walk)) {
			printf("# the final check: %s\n", strerror(errno));
			return false;
		}
		if (walk.failure)
			printf("# threads have stopped, but core %u: %s at page %llu: %#llx, entry %#llx, content %#llx\n",
			       core, failure_names[walk.failure],
			       (unsigned long long)(walk.fail_addr - walk.addr) / PAGE,
			       (unsigned long long)walk.fail_hmm_pfn,
			       (unsigned long long)walk.fail_entry,
			       (unsigned long long)walk.fail_content);
		if (walk.failure || !walk.lost)
			break;
		usleep(10000);
	}
	if (tries == 10)
		printf("# threads have stopped, but core %u still loses races\n", core);
	return tries < 10 && !walk.failure;
}

/* Check each page's content; the CPU's accesses migrate it to system memory. */
static bool quiet_content(const struct arena *arena)
{
	size_t i;

	for (i = 0; i < arena->npages; i++) {
		struct span span = { i, 1 };
		uint64_t content;

		if (!span_read(arena, span) ||
		    pread(arena->sink, &content, sizeof(content), 0) != sizeof(content))
			continue;
		if (content && content != arena->tag + i) {
			printf("# quiet, but page %zu begins with %#llx, not %#llx\n", i,
			       (unsigned long long)content,
			       (unsigned long long)arena->tag + i);
			return false;
		}
	}
	return true;
}

static bool quiet_check(struct round *round, uint64_t pfn)
{
	bool both = round->info.has & HMM_PROBE_HAS_REFERENCE;

	return quiet_true(round->arena, HMM_PROBE_CORE) &&
	       (!both || quiet_true(round->arena, HMM_PROBE_REFERENCE)) &&
	       (!both || final_compare(round->arena, pfn)) &&
	       quiet_content(round->arena);
}

static void threads_run(struct round *round, unsigned int ms)
{
	struct thread threads[WALKERS + MUTATORS];
	unsigned int i;

	for (i = 0; i < WALKERS + MUTATORS; i++) {
		threads[i].round = round;
		threads[i].stream = stream_of(round->seed, i);
		if (pthread_create(&threads[i].thread, NULL,
				   i < WALKERS ? walker : mutator, &threads[i])) {
			perror("# pthread_create");
			exit(1);
		}
	}
	for (; ms >= 10 && !atomic_load(&round->stop); ms -= 10)
		usleep(10000);
	atomic_store(&round->stop, true);
	for (i = 0; i < WALKERS + MUTATORS; i++)
		pthread_join(threads[i].thread, NULL);
}

/* The pfn of a device page whose owner becomes the mirror's, or 0. */
static uint64_t private_page(struct arena *arena, const struct kind *kind)
{
	uint64_t map;

	kind->private(arena);
	map = page_map(arena->at);
	return map & MAP_SWAPPED ? map_entry_pfn(map) : 0;
}

static bool mirror_begin(struct arena *arena, uint64_t pfn)
{
	struct hmm_probe_span span = {
		.start = (uintptr_t)arena->at,
		.end = (uintptr_t)arena->at + arena->npages * PAGE,
		.pages = pfn,
	};

	return !ioctl(arena->probe, HMM_PROBE_RACE_BEGIN, &span);
}

/* Why there was no round, or NULL. */
static const char *round_run(struct round *round, enum memory memory,
			     unsigned int ms)
{
	uint64_t stream = stream_of(round->seed, 100), pfn = 0;
	const char *reason = NULL;

	round->arena = arena_make(memory, &stream, &reason);
	if (!round->arena)
		return reason;
	round->arena->probe = probe_open(&round->info);
	if (round->kind->prepare)
		reason = round->kind->prepare(round->arena);
	if (!reason && round->kind->private)
		pfn = private_page(round->arena, round->kind);
	if (!reason && !mirror_begin(round->arena, pfn))
		reason = "no mirror";
	if (!reason) {
		printf("# %s on %s: SEED=%llu\n", round->kind->name,
		       memory_names[memory], (unsigned long long)round->seed);
		fflush(stdout);
		threads_run(round, ms);
		if (!atomic_load(&round->failed) && !quiet_check(round, pfn)) {
			printf("#   again: SEED=%llu races %s\n",
			       (unsigned long long)round->seed, round->kind->name);
			atomic_store(&round->failed, true);
		}
	}
	close(round->arena->probe);
	arena_free(round->arena);
	return reason;
}

/* All memories of a kind, one after the other. */
static enum memory memory_choose(const struct kind *kind, unsigned int number)
{
	unsigned int memories = kind->memories & ~missing_memories ?: kind->memories;

	for (number %= __builtin_popcount(memories); number; number--)
		memories &= memories - 1;
	return __builtin_ctz(memories);
}

static void counts_print(const struct counts *counts)
{
	printf("# %lu changes of %lu pages (%lu refused, the last with %s)\n",
	       counts->ops, counts->changed, counts->failed_ops,
	       strerror(-counts->op_error));
	printf("# %lu walks, %lu lost races, %lu errors; %lu pages compared\n",
	       counts->walks, counts->lost, counts->errors, counts->compared);
	printf("# figures: operations=%lu comparisons=%lu\n", counts->ops + counts->walks,
	       counts->compared);
}

/* All rounds of a kind, one kind of memory after the other. Return whether it passed. */
static bool kind_run(unsigned int number, const struct kind *kind, uint64_t seed,
		     unsigned int ms)
{
	unsigned int rounds = ms < MS_PER_ROUND ? 1 : ms / MS_PER_ROUND, i;
	struct counts counts = {};
	const char *reason = NULL;
	bool failed = false, idle;
	struct round round;

	/* As the real-time kernel. Other kinds have small pages there instead. */
	if (kind->memories == 1 << HUGE_PAGES &&
	    access("/sys/kernel/mm/transparent_hugepage", F_OK))
		reason = "this kernel has no transparent huge pages";
	for (i = 0; i < rounds && !failed && !reason; i++) {
		enum memory memory = memory_choose(kind, seed + i);

		/* The seed determines the memory, so that it alone repeats a round. */
		round = (struct round){ .kind = kind, .seed = seed + i,
					.counts = &counts };
		reason = round_run(&round, memory, ms / rounds);
		failed = atomic_load(&round.failed);
	}
	idle = !counts.changed || !counts.compared;
	if (!reason)
		counts_print(&counts);
	if (!failed && !reason && idle)
		printf("# nothing was changed, or no walk was ever compared\n");
	printf("%sok %u %s%s%s\n", failed || (!reason && idle) ? "not " : "", number,
	       kind->name, reason ? " # SKIP " : "", reason ?: "");
	fflush(stdout);
	return !failed && (reason || !idle);
}

static bool case_selected(const struct kind *kind, int nr, char **names)
{
	int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], kind->name) ||
		    (!strcmp(names[i], "driver") && kind->driver))
			return true;
	return !nr && !kind->driver;
}

static void ignore_signal(int signal)
{
}

/* Cores and settings that all rounds share. */
static void prepare(void)
{
	/* A thread gets SIGBUS for a page that it has poisoned, and continues. */
	const struct sigaction bear = { .sa_handler = ignore_signal, .sa_flags = SA_RESTART };
	const char *core = getenv("CORE");

	sigaction(SIGBUS, &bear, NULL);
	if (core && !strcmp(core, "core"))
		only_core = HMM_PROBE_CORE;
	if (core && !strcmp(core, "reference"))
		only_core = HMM_PROBE_REFERENCE;
	if (dax_mount()) {
		missing_memories = 1 << DAX;
		printf("# no persistent memory: no files on DAX\n");
	}
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		printf("# only one CPU: few races are possible\n");
}

/* Restore the settings of a freshly booted kernel: other tests follow. */
static void restore_folio_sizes(void)
{
	large_folios_allow(64, false);
	large_folios_allow(2048, true);
}

int main(int argc, char **argv)
{
	unsigned int count = 0, done = 0, failed = 0, ms;
	uint64_t seed = env_number("SEED", 1);
	size_t i;

	for (i = 0; i < nr_kinds; i++)
		count += case_selected(&kinds[i], argc - 1, argv + 1);
	if (!count) {
		fprintf(stderr, "races: no kind of this name; there are:");
		for (i = 0; i < nr_kinds; i++)
			fprintf(stderr, " %s", kinds[i].name);
		fprintf(stderr, "\n");
		return 2;
	}
	printf("TAP version 13\n1..%u\n", count);
	prepare();
	atexit(restore_folio_sizes);
	ms = env_number("DURATION", 0) ? env_number("DURATION", 0) * 1000 / count : MS_PER_KIND;
	for (i = 0; i < nr_kinds; i++)
		if (case_selected(&kinds[i], argc - 1, argv + 1))
			failed += !kind_run(++done, &kinds[i], seed, ms);
	return failed != 0;
}
