// SPDX-License-Identifier: GPL-2.0
/*
 * Run the same queries with both cores; any difference is a failure.
 *
 * A snapshot changes nothing, so both cores walk the same memory, and all hmm pfns
 * must be equal. A fault changes memory, so each core walks its own copy of the
 * address space. Everything but the pfns must be equal, and our pfns must be those
 * in pagemap. After each fault the two address spaces must still be equal.
 *
 * Our order may be larger than the reference's: then all pages of that order must
 * be in the range, contiguous, and have the same flags. Pfn and order of hmm pfns
 * that are not valid are not compared.
 *
 * If requests differ between pages, the reference faults in neighbours without a
 * request, up to the end of the page table, and may fail for them. Then it walks
 * page by page, followed by a snapshot. Pages without a request may be reported as
 * before or as after the faults, because a fault can bring in neighbours.
 *
 * An unlocked walk of the reference that restarts reads its own output as requests.
 * So it runs only if all pages have the same request; otherwise only our core walks
 * unlocked.
 *
 * Our output in a driver's PTE format and as extents must match our hmm pfns.
 *
 * SEED= is the first seed (default 1), COUNT= how many (default 300); or DURATION= for
 * how many seconds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "differential.h"

/* Unused addresses, across the border of two 1 GiB page tables. */
#define BASE_OURS	((char *)(0x100000000000UL + GIGA - HUGE))
#define BASE_REFERENCE	((char *)(0x200000000000UL + GIGA - HUGE))

static int probe;
static uint64_t input[WINDOW_PAGES];
static uint64_t ours[WINDOW_PAGES];
static uint64_t theirs[WINDOW_PAGES];
static uint64_t before[WINDOW_PAGES];
static uint64_t map[WINDOW_PAGES];

/* How a case ended. */
enum verdict {
	ALIKE,
	DIFFERENT,
	ENDED,		/* alike until an error, after which states may differ */
	NOT_COMPARED,	/* the two address spaces were not set up alike */
};

/* Number of fault queries without and with an error. */
static unsigned long fault_queries[2];

static unsigned long comparisons;

/* Description of the first difference. */
static char difference[1024];

static enum verdict differ(const char *what, size_t page, uint64_t our,
			   uint64_t their)
{
	snprintf(difference, sizeof(difference),
		 "%s, page %zu: ours %#llx, reference %#llx", what, page,
		 (unsigned long long)our, (unsigned long long)their);
	return DIFFERENT;
}

/* Walk with one core; return its error. */
static int walk(const struct query *query, const char *base, int core,
		uint64_t *hmm_pfns)
{
	struct hmm_probe_walk walk = {
		.addr = (uintptr_t)base + query->first * PAGE,
		.npages = query->count,
		.hmm_pfns = (uintptr_t)hmm_pfns,
		.default_flags = query->default_flags,
		.pfn_flags_mask = query->mask,
		.core = core,
		.how = query->unlocked ? HMM_PROBE_UNLOCKED : 0,
		.timeout_ms = 1000,
	};

	memcpy(hmm_pfns, input, query->count * sizeof(*hmm_pfns));
	if (ioctl(probe, HMM_PROBE_WALK, &walk)) {
		fprintf(stderr, "the probe failed: %s\n", strerror(errno));
		exit(1);
	}
	return walk.error;
}

/* Return the query without its requests. */
static struct query snapshot_of(const struct query *query)
{
	return (struct query){ .first = query->first, .count = query->count };
}

/*
 * Walk page by page with the reference, so that it faults in only pages with a
 * request. @before and @after are snapshots.
 */
static int walk_by_page(const struct query *query, const char *base,
			uint64_t *before, uint64_t *after)
{
	const struct query snapshot = snapshot_of(query);
	struct hmm_probe_walk walk_page = {
		.npages = 1,
		.default_flags = query->default_flags,
		.pfn_flags_mask = query->mask,
		.core = HMM_PROBE_REFERENCE,
	};
	size_t i;

	walk(&snapshot, base, HMM_PROBE_REFERENCE, before);
	for (i = 0; i < query->count; i++) {
		uint64_t hmm_pfn = input[i];

		walk_page.addr = (uintptr_t)base + (query->first + i) * PAGE;
		walk_page.hmm_pfns = (uintptr_t)&hmm_pfn;
		if (ioctl(probe, HMM_PROBE_WALK, &walk_page))
			exit(1);
		if (walk_page.error)
			return walk_page.error;
	}
	return walk(&snapshot, base, HMM_PROBE_REFERENCE, after);
}

static void hmm_pfns_fill(const struct query *query)
{
	uint64_t stream = query->stream, same = next(&stream);
	size_t i;

	for (i = 0; i < query->count; i++) {
		if (query->requests == 0)
			input[i] = 0;
		else if (query->requests == 1)
			input[i] = same;
		else
			input[i] = next(&stream);
	}
}

static uint64_t request_of(const struct query *query, uint64_t hmm_pfn)
{
	return ((hmm_pfn & query->mask) | query->default_flags) & REQ_RW;
}

/* Whether all pages have the same request. */
static bool uniform(const struct query *query)
{
	size_t i;

	for (i = 1; i < query->count; i++)
		if (request_of(query, input[i]) != request_of(query, input[0]))
			return false;
	return true;
}

/* Check our order against neighbours, in a range that may end inside a leaf. */
static bool order_seen(const struct query *query, size_t i)
{
	size_t block = 1UL << hmm_pfn_order(ours[i]);
	size_t index = (HUGE / PAGE + query->first + i) & (block - 1);
	size_t j = index > i ? 0 : i - index;

	for (; j < query->count && j < i - index + block; j++)
		if ((ours[j] & ~HMM_PFN_INOUT_FLAGS) - (ours[i] & ~HMM_PFN_INOUT_FLAGS) != j - i)
			return false;
	return true;
}

static enum verdict compare_order(const struct query *query, size_t i)
{
	unsigned int our = hmm_pfn_order(ours[i]), their = hmm_pfn_order(theirs[i]);
	uint64_t addr = (uintptr_t)BASE_OURS + query->first * PAGE;

	if (our < their)
		return differ("order too small", query->first + i, our, their);
	if (!order_seen(query, i))
		return differ("order not seen in the hmm_pfns", query->first + i,
			      ours[i], theirs[i]);
	if (our > their && !hmm_pfn_order_valid(ours, query->count, addr, i))
		return differ("wrong order", query->first + i, ours[i],
			      theirs[i]);
	return ALIKE;
}

/*
 * Whether our core reports an error that the reference does not: snapshots of
 * poisoned pages and guard regions.
 */
static bool error_of_ours(const struct query *query, size_t i)
{
	uint64_t mask = HMM_PFN_VALID | HMM_PFN_WRITE | HMM_PFN_ERROR;
	uint64_t map = page_map(BASE_OURS + (query->first + i) * PAGE);

	return (ours[i] & mask) == HMM_PFN_ERROR && !(theirs[i] & mask) &&
	       !((ours[i] ^ theirs[i]) & HMM_PFN_INOUT_FLAGS) &&
	       !(request_of(query, input[i]) & REQ_FAULT) &&
	       (map & (MAP_GUARD | MAP_SWAPPED));
}

/* hmm pfns of one address space or, if @same_pfn is false, of two that are alike. */
static enum verdict compare_hmm_pfns(const struct query *query, bool same_pfn)
{
	uint64_t mask = HMM_PFN_VALID | HMM_PFN_WRITE | HMM_PFN_ERROR | HMM_PFN_INOUT_FLAGS;
	enum verdict verdict;
	size_t i;

	for (i = 0; i < query->count; i++) {
		if (((ours[i] ^ theirs[i]) & mask) && !error_of_ours(query, i))
			return differ("flags", query->first + i, ours[i],
				      theirs[i]);
		if (!(ours[i] & HMM_PFN_VALID))
			continue;
		if (same_pfn && hmm_pfn_to_pfn(ours[i]) != hmm_pfn_to_pfn(theirs[i]))
			return differ("pfn", query->first + i, ours[i],
				      theirs[i]);
		verdict = compare_order(query, i);
		if (verdict != ALIKE)
			return verdict;
	}
	return ALIKE;
}

static enum verdict compare_pagemap(const struct query *query)
{
	size_t i;

	if (page_map_read(BASE_OURS + query->first * PAGE, query->count, map))
		return differ("pagemap", query->first, 0, 0);
	for (i = 0; i < query->count; i++) {
		if (!(ours[i] & HMM_PFN_VALID))
			continue;
		if (!(map[i] & MAP_PRESENT) ||
		    hmm_pfn_to_pfn(ours[i]) != (map[i] & MAP_PFN))
			return differ("differs from pagemap",
				      query->first + i, ours[i], map[i]);
	}
	return ALIKE;
}

static const struct hmm_probe_format format = {
	.valid = 1 << 3, .write = 1 << 1, .device_private = 1 << 7,
	.error = 0xe00, .none = 0x700, .special = 0x500, .pfn_shift = 13,
};

static bool entry_right(uint64_t entry, uint64_t hmm_pfn)
{
	if (hmm_pfn & HMM_PFN_VALID)
		return entry == (hmm_pfn_to_pfn(hmm_pfn) << format.pfn_shift | format.valid |
				 (hmm_pfn & HMM_PFN_WRITE ? format.write : 0));
	if (hmm_pfn & HMM_PFN_ERROR)
		return entry == format.error || entry == format.special;
	return entry == format.none;
}

/*
 * Whether an extent's hmm pfn is the one reported. A walk that resumes inside a
 * folio sees less of the folio, so its order may be smaller.
 */
static bool extent_right(uint64_t extent, uint64_t hmm_pfn, bool resumed)
{
	const uint64_t order = 0x1fULL << HMM_PFN_ORDER_SHIFT;

	hmm_pfn &= ~HMM_PFN_INOUT_FLAGS;
	if (resumed && (hmm_pfn & order) > (extent & order))
		return (hmm_pfn & ~order) == (extent & ~order);
	return hmm_pfn == extent;
}

/* Compare the same snapshot in a driver's PTE format with the hmm pfns. */
static enum verdict compare_entries(const struct query *query)
{
	struct hmm_probe_walk walk = {
		.addr = (uintptr_t)BASE_OURS + query->first * PAGE,
		.npages = query->count,
		.hmm_pfns = (uintptr_t)theirs,
		.how = HMM_PROBE_FORMAT,
		.format = format,
	};
	size_t i;

	if (ioctl(probe, HMM_PROBE_WALK, &walk) || walk.error)
		return differ("error of a snapshot in entries", query->first, 0,
			      walk.error);
	for (i = 0; i < query->count; i++)
		if (!entry_right(theirs[i], ours[i]))
			return differ("entry", query->first + i, ours[i], theirs[i]);
	return ALIKE;
}

/* And as extents, with room for @room of them at a time; 0 for all. */
static enum verdict compare_extents(const struct query *query, size_t room)
{
	size_t i, done;

	for (done = 0; done < query->count; done += i) {
		struct hmm_probe_walk walk = {
			.addr = (uintptr_t)BASE_OURS + (query->first + done) * PAGE,
			.npages = query->count - done,
			.hmm_pfns = (uintptr_t)theirs,
			.how = HMM_PROBE_EXTENTS,
			.extents = room,
		};

		if (ioctl(probe, HMM_PROBE_WALK, &walk) ||
		    (walk.error && (!room || walk.error != -ENOSPC)))
			return differ("error of a snapshot in extents",
				      query->first, 0, walk.error);
		for (i = 0; i < walk.npages && theirs[i] != ~0ULL; i++)
			if (!extent_right(theirs[i], ours[done + i], done))
				return differ("extent", query->first + done + i,
					      ours[done + i], theirs[i]);
		if (!i || (i < walk.npages) != (walk.error == -ENOSPC))
			return differ("extents that end too soon",
				      query->first + done + i, 0, walk.error);
	}
	return ALIKE;
}

static enum verdict compare_outputs(const struct query *query)
{
	enum verdict verdict = compare_entries(query);

	if (verdict == ALIKE)
		verdict = compare_extents(query, 0);
	return verdict == ALIKE ? compare_extents(query, 1 + query->stream % 50) :
				  verdict;
}

static enum verdict ask_snapshot(const struct query *query)
{
	enum verdict verdict;
	int our, their;

	hmm_pfns_fill(query);
	our = walk(query, BASE_OURS, HMM_PROBE_CORE, ours);
	their = walk(query, BASE_OURS, HMM_PROBE_REFERENCE, theirs);
	if (our != their)
		return differ("error of a snapshot", query->first, our, their);
	verdict = compare_hmm_pfns(query, true);
	if (verdict == ALIKE)
		verdict = compare_pagemap(query);
	return verdict == ALIKE ? compare_outputs(query) : verdict;
}

/* Accept the old state of pages without a request. */
static void accept_neighbours(const struct query *query)
{
	const uint64_t flags = HMM_PFN_VALID | HMM_PFN_WRITE | HMM_PFN_ERROR;
	size_t i;

	for (i = 0; i < query->count; i++)
		if (!(request_of(query, input[i]) & REQ_FAULT) &&
		    !((ours[i] ^ before[i]) & flags))
			theirs[i] = before[i];
}

static bool spaces_alike(void);

static enum verdict ask_fault(const struct query *given)
{
	struct query asking = *given, *query = &asking;
	enum verdict verdict;
	int our, their;
	bool same;

	hmm_pfns_fill(query);
	same = uniform(query);
	our = walk(query, BASE_OURS, HMM_PROBE_CORE, ours);
	if (same) {
		their = walk(query, BASE_REFERENCE, HMM_PROBE_REFERENCE, theirs);
	} else {
		their = walk_by_page(query, BASE_REFERENCE, before, theirs);
		if (!their && !our)
			accept_neighbours(query);
	}
	if (our != their)
		return differ("error", query->first, our, their);
	/* The number of pages faulted in before an error is not specified. */
	fault_queries[our ? 1 : 0]++;
	if (our)
		return same && spaces_alike() ? ALIKE : ENDED;
	verdict = compare_hmm_pfns(query, false);
	return verdict == ALIKE ? compare_pagemap(query) : verdict;
}

static const struct query everything = { .count = WINDOW_PAGES };

/* Compare both address spaces by snapshots of the reference. */
static bool spaces_alike(void)
{
	uint64_t mask = HMM_PFN_VALID | HMM_PFN_WRITE | HMM_PFN_ERROR;
	uint64_t soft = MAP_PRESENT | MAP_SWAPPED | MAP_UFFD_WP | MAP_GUARD;
	size_t i;

	memset(input, 0, sizeof(input));
	if (walk(&everything, BASE_OURS, HMM_PROBE_REFERENCE, ours) ||
	    walk(&everything, BASE_REFERENCE, HMM_PROBE_REFERENCE, theirs))
		return false;
	for (i = 0; i < WINDOW_PAGES; i++) {
		if ((ours[i] ^ theirs[i]) & mask)
			return false;
		if ((ours[i] & HMM_PFN_VALID) &&
		    hmm_pfn_order(ours[i]) != hmm_pfn_order(theirs[i]))
			return false;
	}
	if (page_map_read(BASE_OURS, WINDOW_PAGES, ours) ||
	    page_map_read(BASE_REFERENCE, WINDOW_PAGES, theirs))
		return false;
	for (i = 0; i < WINDOW_PAGES; i++)
		if ((ours[i] ^ theirs[i]) & soft)
			return false;
	return true;
}

static enum verdict ask_all(const struct plan *plan)
{
	enum verdict verdict = ALIKE;
	unsigned int i;

	for (i = 0; i < plan->nr_queries && verdict == ALIKE; i++) {
		const struct query *query = &plan->queries[i];

		if (!(plan->keep_queries >> i & 1))
			continue;
		comparisons++;
		if (i < plan->nr_queries / 2) {
			verdict = ask_snapshot(query);
			continue;
		}
		verdict = ask_fault(query);
		if (verdict == ALIKE && !spaces_alike())
			verdict = differ("what is mapped after a fault",
					 query->first, 0, 0);
	}
	return verdict;
}

static enum verdict case_run(const struct plan *plan)
{
	struct space spaces[2] = { { BASE_OURS, -1 }, { BASE_REFERENCE, -1 } };
	enum verdict verdict;

	folio_sizes_allow(plan->sizes);
	spaces_make(spaces, plan, probe);
	verdict = spaces_alike() ? ask_all(plan) : NOT_COMPARED;
	space_free(&spaces[0]);
	space_free(&spaces[1]);
	return verdict;
}

static bool differs(struct plan *plan)
{
	return case_run(plan) == DIFFERENT;
}

/*
 * Print the smallest plan with the difference. Return whether it is reproducible:
 * otherwise it was caused by concurrent activity such as khugepaged or compaction,
 * which the races test (selftests/torture) covers.
 */
static bool report(struct plan *plan)
{
	bool again;

	printf("# %s\n", difference);
	bits_shrink(plan, &plan->keep_queries, plan->nr_queries, differs);
	bits_shrink(plan, &plan->keep_steps, plan->nr_steps, differs);
	again = case_run(plan) == DIFFERENT;
	if (!again)
		printf("# not reproducible; the smallest plan:\n");
	else
		printf("# %s; the smallest plan:\n", difference);
	plan_print(stdout, plan);
	printf("# again: SEED=%llu COUNT=1 differential\n",
	       (unsigned long long)plan->seed);
	return again;
}

static void prepare(struct hmm_probe_info *info)
{
	probe = probe_open(info);
	if (!(info->has & HMM_PROBE_HAS_REFERENCE)) {
		printf("1..0 # SKIP no reference core (CONFIG_HMM_REFERENCE)\n");
		exit(4);
	}
	if (swap_ready())
		printf("# no swap space: nothing is swapped out\n");
	if (huge_pages_reserve(2048, 6))
		printf("# too few huge pages: hugetlb mappings are holes\n");
	if (dax_mount())
		printf("# no persistent memory: mappings of files on DAX are holes\n");
	setting_write("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
		      "advise");
}

int main(void)
{
	uint64_t seed = env_number("SEED", 1), failed = 0, skipped = 0, i;
	struct limit limit = limit_of(300);
	struct hmm_probe_info info;
	struct plan plan;

	printf("TAP version 13\n");
	prepare(&info);
	for (i = 0; !limit_reached(&limit, i); i++) {
		enum verdict verdict;
		bool once = false;

		plan_make(&plan, seed + i, info.has & HMM_PROBE_HAS_UNLOCKED);
		verdict = case_run(&plan);
		if (verdict == DIFFERENT && !report(&plan)) {
			once = true;
			verdict = NOT_COMPARED;
		}
		failed += verdict == DIFFERENT;
		skipped += verdict == NOT_COMPARED;
		printf("%sok %llu seed %llu%s\n",
		       verdict == DIFFERENT ? "not " : "",
		       (unsigned long long)i + 1, (unsigned long long)(seed + i),
		       once ? " # SKIP differed once, and not again" :
		       verdict == NOT_COMPARED ?
			       " # SKIP the two address spaces were set up differently" : "");
		fflush(stdout);
	}
	printf("# %lu faults, %lu of them errors\n", fault_queries[0] + fault_queries[1],
	       fault_queries[1]);
	printf("# figures: comparisons=%lu\n", comparisons);
	/* Fail if too many cases were skipped. */
	printf("%sok %llu enough was compared\n1..%llu\n", skipped * 3 > i ? "not " : "",
	       (unsigned long long)i + 1, (unsigned long long)i + 1);
	folio_sizes_allow(0);
	return failed || skipped * 3 > i;
}
