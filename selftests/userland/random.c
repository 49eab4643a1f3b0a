// SPDX-License-Identifier: GPL-2.0
/*
 * random SEED COUNT [change]: run cases made from random bytes and compare each
 * with the oracle; with DURATION= for so many seconds, however many cases that are.
 * The first case that fails is shrunk and printed. Equal seeds
 * give equal cases. With WATCH_READS, count how often the core reads an entry
 * (reads.c), or, with "change", change entries between two readings.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "case.h"
#include "reads.h"

#define MAX_CHOICES 1024

static struct test_case t;
static unsigned long state;

static unsigned long next_random(void)
{
	return model_random(&state);
}

static const char *run(const u8 *choices, size_t nr)
{
	case_make(&t, choices, nr);
	return case_check(&t);
}

/* Whether it still fails by the same check. */
static bool fails(const u8 *choices, size_t nr, int line)
{
	return run(choices, nr) && case_line == line;
}

/* Remove bytes, or set them to 0, as long as the case still fails. */
static size_t shrink(u8 *choices, size_t nr, int line)
{
	static u8 tried[MAX_CHOICES];
	size_t part, at;
	int rounds;

	for (rounds = 0; rounds < 3; rounds++)
		for (part = nr; part; part /= 2)
			for (at = 0; at < nr; ) {
				size_t cut = min(part, nr - at);

				memcpy(tried, choices, at);
				memcpy(tried + at, choices + at + cut, nr - at - cut);
				if (fails(tried, nr - cut, line)) {
					nr -= cut;
					memcpy(choices, tried, nr);
					continue;
				}
				memcpy(tried, choices, nr);
				memset(tried + at, 0, cut);
				if (memcmp(tried, choices, nr) && fails(tried, nr, line))
					memcpy(choices, tried, nr);
				at += cut;
			}
	return nr;
}

static unsigned long seed;

/* Of CPU time: the process may have to wait for a CPU. 0: none. */
static void limit_seconds(unsigned int seconds)
{
	setitimer(ITIMER_PROF, &(struct itimerval){ .it_value.tv_sec = seconds }, NULL);
}

/* A case takes a fraction of a millisecond. */
static void hangs(int signal)
{
	printf("# seed %lu: the core does not return\n", seed);
	case_print(&t);
	fflush(stdout);
	_exit(1);
}

/*
 * The first attempt reports two pages and drops the lock at the third; then the
 * first page becomes unavailable. No result of the first attempt may be left.
 */
static void poison_first(struct mm_struct *mm)
{
	*model_ptep(mm, MODEL_BASE) = __pte(model_leaf_val(LEAF_POISON, 0));
	mm->on_retry = NULL;
}

static void init_stale(struct mm_struct *mm)
{
	unsigned long i;

	model_clear();
	model_reset_pages();
	model_init(mm, 1);
	mm->nr_vma = 1;
	mm->vma[0] = (struct vm_area_struct){ .vm_mm = mm, .vm_start = MODEL_BASE,
					     .vm_end = MODEL_BASE + PMD_SIZE,
					     .vm_flags = VM_READ | VM_WRITE };
	mm->pmd[0] = model_table_pmd();
	for (i = 0; i < 2; i++)
		*model_ptep(mm, MODEL_BASE + i * PAGE_SIZE) =
			__pte((MODEL_RAM_PFN + i) << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_USER);
	mm->answer[2] = ANSWER_RETRY;
	mm->on_retry = poison_first;
}

static const char *stale_results(void)
{
	static struct mm_struct mm;
	struct mmu_interval_notifier notifier = { .mm = &mm };
	unsigned long pfns[3] = { 0, HMM_PFN_DMA_MAPPED, 0 };
	const struct hmm_format format = { .valid = 1, .none = 2, .error = 4, .pfn_shift = 3 };
	struct hmm_range range = {
		.notifier = &notifier,
		.start = MODEL_BASE,
		.end = MODEL_BASE + sizeof(pfns) / sizeof(pfns[0]) * PAGE_SIZE,
		.hmm_pfns = pfns,
		.default_flags = HMM_PFN_REQ_FAULT,
	};

	init_stale(&mm);
	if (hmm_range_fault_unlocked_timeout(&range, 1000) != -EFAULT)
		return "the page that became unavailable is no error";
	if (pfns[0] || pfns[1] != HMM_PFN_DMA_MAPPED || pfns[2])
		return "a result of an earlier attempt is left";

	/* The same in a driver's format, whose entries have no request, or each one. */
	init_stale(&mm);
	range.default_flags = format.valid;
	pfns[2] = 123 << 3;
	if (hmm_range_fault_format_unlocked_timeout(&range, &format, 1000) != -EFAULT ||
	    pfns[0] != format.none || pfns[1] != format.none || pfns[2] != 123 << 3)
		return "an entry of an earlier attempt is left";
	init_stale(&mm);
	range.default_flags = 0;
	range.pfn_flags_mask = format.valid;
	for (unsigned long i = 0; i < 3; i++)
		pfns[i] = i << 3 | format.valid;
	if (hmm_range_fault_format_unlocked_timeout(&range, &format, 1000) != -EFAULT)
		return "the requested page that became unavailable is no error";
	for (unsigned long i = 0; i < 3; i++)
		if (pfns[i] != (i << 3 | format.valid))
			return "an entry of an earlier attempt is left in place of a request";
	return model_rule;
}

/* How many pages the scenarios below walk: one, or two. */
static unsigned long nr_walked;

/* Walk present pages whose table vanishes @vanishing times, under one of both locks. */
static int walk_vanishing(struct mm_struct *mm, unsigned long *pfns, bool vma_lock,
			  unsigned int vanishing, unsigned int kill_at)
{
	struct mmu_interval_notifier notifier = { .mm = mm };
	struct hmm_range range = {
		.notifier = &notifier,
		.start = MODEL_BASE,
		.end = MODEL_BASE + nr_walked * PAGE_SIZE,
		.hmm_pfns = pfns,
		.default_flags = HMM_PFN_REQ_FAULT,
	};
	unsigned long i;
	int ret;

	model_clear();
	model_reset_pages();
	model_init_tables(mm, 1);
	for (i = 0; i < 2; i++)
		*model_ptep(mm, MODEL_BASE + i * PAGE_SIZE) =
			__pte((MODEL_RAM_PFN + i) << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_USER);
	mm->vanishing = vanishing;
	mm->kill_at = kill_at;
	if (vma_lock)
		return hmm_range_fault_vma(&range);
	model_lock_mmap();
	ret = hmm_range_fault(&range);
	model_unlock_mmap();
	return ret;
}

/*
 * The PMD changes between the look at it and that at its table: walk on; but not for
 * ever, nor after a fatal signal.
 */
static const char *vanishing_tables(bool vma_lock)
{
	static struct mm_struct mm;
	unsigned long pfns[2] = {};

	if (walk_vanishing(&mm, pfns, vma_lock, 5, 0) || mm.vanishing ||
	    pfns[0] != (MODEL_RAM_PFN | HMM_PFN_VALID) ||
	    pfns[1] != (nr_walked > 1 ? pfns[0] + 1 : 0))
		return "pages are not reported after their table vanished";
	if (walk_vanishing(&mm, pfns, vma_lock, 1U << 30, 0) != -EBUSY)
		return "a table that always vanishes is not busy";
	if (walk_vanishing(&mm, pfns, vma_lock, 1U << 30, 3) != -EINTR ||
	    mm.vanishing != (1U << 30) - 3)
		return "a killed task walks again";
	model_check_released();
	return model_rule;
}

/* Waits that take longer than a walk may stay at one address, and longer than a timeout. */
#define LONG_WAIT	(5 * HMM_RANGE_DEFAULT_TIMEOUT)
#define SHORT_TIMEOUT	(HMM_RANGE_DEFAULT_TIMEOUT / 4)

enum waiting_call { WAITING_MMAP, WAITING_VMA, WAITING_UNLOCKED };

/* Call for the pages as @mm has them. */
static int call_waiting(struct mm_struct *mm, struct mmu_interval_notifier *notifier,
			unsigned long *pfns, enum waiting_call call)
{
	struct hmm_range range = {
		.notifier = notifier,
		.start = MODEL_BASE,
		.end = MODEL_BASE + nr_walked * PAGE_SIZE,
		.hmm_pfns = pfns,
		.default_flags = HMM_PFN_REQ_FAULT,
	};
	int ret;

	range.notifier_seq = notifier->seq;
	if (call == WAITING_UNLOCKED)
		return hmm_range_fault_unlocked_timeout(&range, SHORT_TIMEOUT);
	if (call == WAITING_VMA)
		return hmm_range_fault_vma(&range);
	model_lock_mmap();
	ret = hmm_range_fault(&range);
	model_unlock_mmap();
	return ret;
}

/* Two pages that another device has in its memory, or that migrate. */
static void init_waiting(struct mm_struct *mm, bool migrating)
{
	unsigned long i;

	model_clear();
	model_reset_pages();
	model_init_tables(mm, 1);
	for (i = 0; i < 2; i++)
		*model_ptep(mm, MODEL_BASE + i * PAGE_SIZE) =
			__pte(migrating ? model_leaf_val(LEAF_MIGRATION_WRITE, MODEL_RAM_PFN + i) :
					  model_leaf_val(LEAF_DEVICE_WRITE, MODEL_DEVICE_PFN + i));
	mm->wait = LONG_WAIT;
}

static void move_seq(struct mm_struct *mm)
{
	struct mmu_interval_notifier *notifier = mm->on_wait_data;

	notifier->seq++;
	mm->on_wait = NULL;
}

/* The first wait for each page takes as long as it takes; those after it do not. */
static const char *long_waits(enum waiting_call call)
{
	static struct mm_struct mm;
	struct mmu_interval_notifier notifier = { .mm = &mm, .seq = 3 };
	unsigned long pfns[2] = {};

	for (int vanishing = 0; vanishing < 2; vanishing++) {
		init_waiting(&mm, false);
		mm.vanishing = vanishing;
		mm.locked = 1;
		if (call_waiting(&mm, &notifier, pfns, call) || mm.locked || !model_faults)
			return "a wait for a locked page uses up the time";
	}
	init_waiting(&mm, false);
	mm.locked = 1U << 30;
	if (call_waiting(&mm, &notifier, pfns, call) !=
	    (call == WAITING_VMA ? -EAGAIN : -EBUSY))
		return "a page that is locked again and again is not busy";
	init_waiting(&mm, false);
	mm.locked = 1U << 30;
	mm.kill_at = 1;
	if (call_waiting(&mm, &notifier, pfns, call) != -EINTR || model_faults)
		return "a task that is killed while it waits faults";
	model_check_released();
	return model_rule;
}

/* A race that is lost during a wait is lost once: the time starts anew after it. */
static const char *races_lost_in_waits(bool migrating)
{
	static struct mm_struct mm;
	struct mmu_interval_notifier notifier = { .mm = &mm, .seq = 3 };
	unsigned long pfns[2] = {};

	for (enum waiting_call call = WAITING_MMAP; call <= WAITING_UNLOCKED; call++) {
		const int want[] = { -EBUSY, -EAGAIN, 0 };

		init_waiting(&mm, migrating);
		mm.locked = !migrating;
		mm.on_wait = move_seq;
		mm.on_wait_data = &notifier;
		if (call_waiting(&mm, &notifier, pfns, call) != want[call] || mm.on_wait)
			return "a race that was lost in a wait uses up the timeout";
	}
	model_check_released();
	return model_rule;
}

/*
 * A task that has begun a migration could wait for itself: it takes no lock, faults under
 * none but its own, and waits for no page that migrates.
 */
static const char *steps(bool migrating)
{
	static struct mm_struct mm;
	struct mmu_interval_notifier notifier = { .mm = &mm, .seq = 3 };
	unsigned long pfns[2] = {};

	for (enum waiting_call call = WAITING_MMAP; call <= WAITING_UNLOCKED; call++) {
		init_waiting(&mm, migrating);
		model_step(true);
		if (call_waiting(&mm, &notifier, pfns, call) !=
		    (call == WAITING_MMAP && !migrating ? 0 : -EDEADLK))
			return "a task that migrates pages waits for itself";
		model_step(false);
	}
	/* A huge page that migrates. */
	init_waiting(&mm, true);
	mm.pmd[0] = __pmd(model_leaf_val(LEAF_MIGRATION_WRITE, MODEL_RAM_PFN));
	model_step(true);
	if (call_waiting(&mm, &notifier, pfns, WAITING_MMAP) != -EDEADLK)
		return "a task that migrates pages waits for a huge page of its own";
	model_step(false);
	model_check_released();
	return model_rule;
}

/* After the OOM reaper nothing is faulted in, unless the caller has the lock and looked. */
static const char *unstable(void)
{
	static struct mm_struct mm;
	struct mmu_interval_notifier notifier = { .mm = &mm, .seq = 3 };
	unsigned long pfns[2] = {};

	for (enum waiting_call call = WAITING_VMA; call <= WAITING_UNLOCKED; call++) {
		init_waiting(&mm, false);
		mm.unstable = true;
		if (call_waiting(&mm, &notifier, pfns, call) != -EFAULT || model_faults)
			return "a page that the OOM reaper took is faulted in";
	}
	model_check_released();
	return model_rule;
}

/* No memory for the copy of the requests. */
static const char *no_memory(void)
{
	static struct mm_struct mm;
	struct mmu_interval_notifier notifier = { .mm = &mm, .seq = 3 };
	unsigned long pfns[2] = { HMM_PFN_REQ_FAULT, HMM_PFN_REQ_FAULT };
	struct hmm_range range = {
		.notifier = &notifier,
		.start = MODEL_BASE,
		.end = MODEL_BASE + 2 * PAGE_SIZE,
		.hmm_pfns = pfns,
		.pfn_flags_mask = HMM_PFN_REQ_FAULT,
	};

	init_waiting(&mm, false);
	model_no_memory = true;
	if (hmm_range_fault_unlocked_timeout(&range, 1) != -ENOMEM || model_faults ||
	    pfns[0] != HMM_PFN_REQ_FAULT || pfns[1] != HMM_PFN_REQ_FAULT)
		return "a walk without memory for the requests";
	model_no_memory = false;
	model_check_released();
	return model_rule;
}

static unsigned long hmm_pfn_without_order(unsigned long hmm_pfn)
{
	return hmm_pfn & ~(0x1fUL << HMM_PFN_ORDER_SHIFT);
}

enum piece { PIECE_NO_VMA, PIECE_HOLE, PIECE_PAGES, NR_PIECE };

/*
 * Results are written many at a time. Walk any number of pages of a kind, into an array
 * of that size, so that AddressSanitizer reports what is written behind it.
 */
static const char *any_size(void)
{
	static struct mm_struct mm;
	struct mmu_interval_notifier notifier = { .mm = &mm, .seq = 3 };
	struct hmm_range range = { .notifier = &notifier, .notifier_seq = 3, .start = MODEL_BASE };
	const char *bad = NULL;
	unsigned long nr, i;

	for (enum piece piece = 0; piece < NR_PIECE; piece++) {
		init_waiting(&mm, false);
		if (piece == PIECE_NO_VMA)
			mm.nr_vma = 0;
		for (i = 0; i < PTRS_PER_PTE; i++)
			*model_ptep(&mm, MODEL_BASE + i * PAGE_SIZE) =
				__pte(piece == PIECE_HOLE ? 0 : (MODEL_RAM_PFN + i) << PAGE_SHIFT |
				      _PAGE_PRESENT | _PAGE_USER);
		for (nr = 1; !bad && nr <= 300; nr++) {
			const unsigned long want[NR_PIECE] = {
				HMM_PFN_ERROR, 0, HMM_PFN_VALID | (MODEL_RAM_PFN + nr - 1),
			};

			range.end = range.start + nr * PAGE_SIZE;
			range.hmm_pfns = calloc(nr, sizeof(range.hmm_pfns[0]));
			model_lock_mmap();
			if (hmm_range_fault(&range))
				bad = "a snapshot fails";
			model_unlock_mmap();
			/* But for the order, which is that of the pages which follow each other. */
			if (hmm_pfn_without_order(range.hmm_pfns[nr - 1]) != want[piece])
				bad = "the last page of a range is not what is mapped";
			free(range.hmm_pfns);
		}
	}
	model_check_released();
	return bad ?: model_rule;
}

/* Take a snapshot of a whole table under the mmap lock. */
static int snapshot_table(struct mm_struct *mm, unsigned long *pfns)
{
	struct mmu_interval_notifier notifier = { .mm = mm, .seq = 3 };
	struct hmm_range range = {
		.notifier = &notifier,
		.notifier_seq = 3,
		.start = MODEL_BASE,
		.end = MODEL_BASE + PMD_SIZE,
		.hmm_pfns = pfns,
	};
	int ret;

	memset(pfns, 0, PTRS_PER_PTE * sizeof(pfns[0]));
	model_lock_mmap();
	ret = hmm_range_fault(&range);
	model_unlock_mmap();
	return ret;
}

/*
 * Tables of folios of a size that do not follow each other; and one of pages whose pfns
 * are the numbers of their addresses, which so are aligned alike for any order.
 */
static const char *orders_of_folios(void)
{
	static struct mm_struct mm;
	static unsigned long pfns[PTRS_PER_PTE];
	unsigned int order, most = 0;
	unsigned long i, pfn;

	for (order = 0; order <= PMD_ORDER; order++) {
		/* Without PTE classes of the architecture each PTE is looked at alone. */
		if (IS_ENABLED(CONFIG_ARCH_HAS_HMM_PTE_CLASS))
			most = order;
		init_waiting(&mm, false);
		for (i = 0; i < PTRS_PER_PTE; i++) {
			/* From the last folio to the first; one alone has its pages' addresses. */
			pfn = order == PMD_ORDER ? (MODEL_BASE >> PAGE_SHIFT) + i :
			      MODEL_RAM_PFN + (i ^ (PTRS_PER_PTE - (1UL << order)));
			*model_ptep(&mm, MODEL_BASE + i * PAGE_SIZE) =
				__pte(pfn << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_USER);
		}
		if (snapshot_table(&mm, pfns))
			return "a snapshot of folios fails";
		for (i = 0; i < PTRS_PER_PTE; i++)
			if (hmm_pfn_to_map_order(pfns[i]) != (order < 2 ? 0 : min(order, most)))
				return "a folio has another order";
	}
	return model_rule;
}

/*
 * Pages that follow each other in two subsections, which are two parts of one extent; and
 * a page of system memory before one of a device, which are two extents.
 */
static const char *borders_of_extents(void)
{
	static struct mm_struct mm;
	struct mmu_interval_notifier notifier = { .mm = &mm, .seq = 3 };
	struct hmm_extent at[2];
	struct hmm_extents extents = { .at = at };
	struct hmm_range range = {
		.notifier = &notifier,
		.notifier_seq = 3,
		.start = MODEL_BASE,
		.end = MODEL_BASE + PMD_SIZE,
		.dev_private_owner = model_owner,
	};
	const char *bad = NULL;
	unsigned long i;

	init_waiting(&mm, false);
	for (i = 0; i < PTRS_PER_PTE; i++)
		*model_ptep(&mm, MODEL_BASE + i * PAGE_SIZE) =
			__pte((MODEL_RAM_PFN + 8 + i) << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_USER);
	model_lock_mmap();
	if (hmm_range_fault_extents(&range, &extents) != -ENOSPC || extents.nr)
		bad = "extents without room";
	extents = (struct hmm_extents){ .at = at, .room = 1 };
	if (hmm_range_fault_extents(&range, &extents) || extents.nr != 1 ||
	    at[0].npages != PTRS_PER_PTE)
		bad = "pages in two subsections are not one extent";

	model_device_chunk(MODEL_DEVICE_PFN, 16, &model_own);
	*model_ptep(&mm, MODEL_BASE) = __pte((MODEL_DEVICE_PFN - 1) << PAGE_SHIFT |
					     _PAGE_PRESENT | _PAGE_USER | _PAGE_RW);
	*model_ptep(&mm, MODEL_BASE + PAGE_SIZE) =
		__pte(model_leaf_val(LEAF_DEVICE_WRITE, MODEL_DEVICE_PFN));
	range.end = MODEL_BASE + 2 * PAGE_SIZE;
	extents = (struct hmm_extents){ .at = at, .room = 2 };
	if (hmm_range_fault_extents(&range, &extents) || extents.nr != 2 ||
	    at[1].hmm_pfn != (HMM_PFN_VALID | HMM_PFN_WRITE | MODEL_DEVICE_PFN))
		bad = "an extent goes from system memory on into a device's";
	model_unlock_mmap();
	model_device_chunk(MODEL_DEVICE_PFN, 16, NULL);
	return bad ?: model_rule;
}

/* A PMD entry of a kind that is not known. */
static const char *unknown_pmd(void)
{
	static struct mm_struct mm;
	struct mmu_interval_notifier notifier = { .mm = &mm, .seq = 3 };
	static unsigned long pfns[PTRS_PER_PTE];

	for (enum waiting_call call = WAITING_MMAP; call <= WAITING_UNLOCKED; call++) {
		init_waiting(&mm, false);
		mm.pmd[0] = __pmd(model_leaf_val(LEAF_POISON, MODEL_RAM_PFN));
		if (snapshot_table(&mm, pfns) || pfns[0] != HMM_PFN_ERROR ||
		    pfns[PTRS_PER_PTE - 1] != HMM_PFN_ERROR)
			return "an unknown PMD is no error";
		if (call_waiting(&mm, &notifier, pfns, call) != -EFAULT || model_faults)
			return "an unknown PMD is faulted in";
	}
	return model_rule;
}

/* What random cases do not have. */
static const char *scenarios(void)
{
	const char *bad = stale_results();

	for (nr_walked = 1; !bad && nr_walked <= 2; nr_walked++)
		bad = vanishing_tables(false) ?: vanishing_tables(true) ?:
		      long_waits(WAITING_MMAP) ?: long_waits(WAITING_VMA) ?:
		      long_waits(WAITING_UNLOCKED) ?:
		      races_lost_in_waits(false) ?: races_lost_in_waits(true) ?:
		      steps(false) ?: steps(true) ?: unstable() ?: no_memory() ?: any_size() ?:
		      orders_of_folios() ?: unknown_pmd() ?: borders_of_extents();
	return bad;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : 1000, i;
	const char *duration = getenv("DURATION"), *bad;
	static u8 choices[MAX_CHOICES];
	time_t end = time(NULL);
	size_t nr, at;

	if (duration && !*duration)
		duration = NULL;
	if (duration)
		end += atoi(duration);
#ifdef WATCH_READS
	reads_watch(argc > 3 && !strcmp(argv[3], "change"));
#endif
	seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	signal(SIGPROF, hangs);
#ifndef WATCH_READS
	limit_seconds(10);
	bad = scenarios();
	if (bad) {
		printf("# %s\n", bad);
		return 1;
	}
#endif
	for (i = 0; duration ? time(NULL) < end : i < count; i++, seed++) {
		limit_seconds(10);
		state = seed;
		nr = 32 + next_random() % (MAX_CHOICES - 32);
		for (at = 0; at < nr; at++)
			choices[at] = next_random();
		bad = run(choices, nr);
		if (!bad)
			continue;
		printf("# seed %lu: %s\n", seed, bad);
		limit_seconds(0);
		nr = shrink(choices, nr, case_line);
		bad = run(choices, nr);
		printf("# with %zu choices: %s\n", nr, bad);
		case_print(&t);
		return 1;
	}
	printf("# %lu cases\n# figures: inputs=%lu\n", i, i);
	return !i;
}
