// SPDX-License-Identifier: GPL-2.0
/*
 * flags SECONDS [SEED]: walks that share one array of hmm pfns while drivers set and
 * clear their own flags in it.
 *
 * Two threads walk, and write hmm pfns; two set and clear HMM_PFN_DMA_MAPPED, each
 * in pages of its own, as a driver does under its update lock, and move the sequence;
 * one changes PTEs. The thread that owns a page's flag knows what it must be: a walk that
 * loads an hmm pfn, and later stores it with the flags it loaded, loses a change.
 *
 * HMM_PFN_P2PDMA is always set in the pages that have an owner: an hmm pfn without
 * any bit, or with a request only, is one that no walk has reported, for which a
 * walk does not promise this (walk_output.h). The second PMD's pages are like that.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "duration.h"

#define NR_PMD 2
#define NR_PAGES (NR_PMD * PTRS_PER_PTE)
#define NR_OWNED PTRS_PER_PTE	/* pages whose flag has an owner */
#define WINDOW 16
#define ALWAYS HMM_PFN_P2PDMA

/* Memory: a page for each address and state. */
#define RAM(state) (MODEL_RAM_PFN + (state) * 2048UL)
enum state { WRITABLE, READ_ONLY, SCATTERED, ABSENT, NR_STATE };

static struct mm_struct mm;
static struct mmu_interval_notifier notifier = { .mm = &mm, .seq = 3 };
static unsigned long pfns[NR_PAGES];
static bool stop;
static unsigned long walks, changes, toggles, differences;

static void failed(const char *what, unsigned long i, unsigned long value)
{
	printf("# page %lu: %s: %lx\n", i, what, value);
	fflush(stdout);
	_exit(1);
}

static unsigned long state_pfn(enum state state, unsigned long i)
{
	return RAM(state) + (state == SCATTERED ? i * 7 % NR_PAGES : i);
}

static unsigned long state_val(enum state state, unsigned long i)
{
	unsigned long bits = _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED;

	if (state == ABSENT)
		return 0;
	return state_pfn(state, i) << PAGE_SHIFT | bits |
	       (state == READ_ONLY ? 0 : _PAGE_RW);
}

static void *mutator(void *arg)
{
	unsigned long seed = (unsigned long)arg, n = 0;

	for (; !READ_ONCE(stop); n++) {
		unsigned long r = model_random(&seed), i = r % NR_PAGES, nr;
		enum state state = (r >> 16) % NR_STATE;

		/* Whole windows, which have loops of their own, and single pages. */
		nr = (r >> 24) % 4 ? WINDOW << ((r >> 26) % 3) : 1;
		if (nr > 1)
			i &= ~(WINDOW - 1UL);
		for (; nr && i < NR_PAGES; nr--, i++)
			WRITE_ONCE(mm.pte[i / PTRS_PER_PTE][i % PTRS_PER_PTE].pte,
				   state_val(state, i));
	}
	__atomic_add_fetch(&changes, n, __ATOMIC_RELAXED);
	return NULL;
}

/* Check that an hmm pfn belongs to its page, whichever walk wrote it. */
static void check_pfn(unsigned long i, unsigned long got)
{
	unsigned long pfn = got & ~HMM_PFN_FLAGS;

	/* A request that was put back has no pfn. */
	if (!pfn)
		return;
	if (pfn != MODEL_ZERO_PFN && pfn != MODEL_FAULT_PFN + i &&
	    pfn != state_pfn(WRITABLE, i) && pfn != state_pfn(READ_ONLY, i) &&
	    pfn != state_pfn(SCATTERED, i))
		failed("a page that is not its own", i, got);
}

struct owner {
	unsigned int first;	/* has every other page from this one on */
	unsigned long seed;
};

static void *owner(void *arg)
{
	const struct owner *o = arg;
	bool mapped[NR_OWNED] = {};
	unsigned long seed = o->seed, n = 0, last[NR_OWNED] = {}, seen = 0;

	for (; !READ_ONCE(stop); n++) {
		unsigned long i = model_random(&seed) % (NR_OWNED / 2) * 2 + o->first;
		unsigned long got = READ_ONCE(pfns[i]);

		if (!(got & HMM_PFN_DMA_MAPPED) != !mapped[i])
			failed(mapped[i] ? "a flag that was set is lost" :
			       "a flag that was cleared is back", i, got);
		if (!(got & ALWAYS))
			failed("a flag that is never cleared is lost", i, got);
		check_pfn(i, got);
		seen += last[i] != (got & ~HMM_PFN_INOUT_FLAGS);
		last[i] = got & ~HMM_PFN_INOUT_FLAGS;
		mapped[i] = !mapped[i];
		__atomic_fetch_xor(&pfns[i], HMM_PFN_DMA_MAPPED, __ATOMIC_RELAXED);
		/* Attempts that collide are taken back. */
		if (n % 64 == 0)
			__atomic_add_fetch(&notifier.seq, 2, __ATOMIC_RELAXED);
	}
	__atomic_add_fetch(&toggles, n, __ATOMIC_RELAXED);
	__atomic_add_fetch(&differences, seen, __ATOMIC_RELAXED);
	return NULL;
}

/* Requests of the driver's in the pages that have no owner. */
static void request(unsigned long *seed)
{
	unsigned long r = model_random(seed), i = r % (NR_PAGES - NR_OWNED), nr;

	for (nr = (r >> 32) % 64; nr && i < NR_PAGES - NR_OWNED; nr--, i++)
		WRITE_ONCE(pfns[NR_OWNED + i], r >> 40 & 1 ? HMM_PFN_REQ_FAULT : 0);
}

static void *walker(void *arg)
{
	unsigned long seed = (unsigned long)arg, n = 0;
	struct call_output out = { .pfns = pfns };
	struct test_case *t = aligned_alloc(_Alignof(struct test_case), sizeof(*t));

	memset(t, 0, sizeof(*t));
	t->start = MODEL_BASE;
	t->end = MODEL_BASE + NR_PAGES * PAGE_SIZE;
	t->output = CASE_PFNS;
	for (; !READ_ONCE(stop); n++) {
		unsigned long r = model_random(&seed);
		int ret;

		t->lock = r % 3;
		t->mask = r >> 8 & 1 ? HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE : 0;
		out.waits = (struct hmm_fault_waits){ .dropped = HMM_FAULT_NOT_DROPPED };
		request(&seed);
		ret = call_case(t, &notifier, &out);
		if (ret && ret != -EBUSY && ret != -EAGAIN)
			failed("an error", 0, -ret);
		model_check_released();
		if (READ_ONCE(model_rule))
			failed(model_rule, 0, 0);
	}
	__atomic_add_fetch(&walks, n, __ATOMIC_RELAXED);
	free(t);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? atoi(argv[1]) : 5;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1, i;
	struct owner owners[2] = { { 0, seed * 8 + 3 }, { 1, seed * 8 + 4 } };
	struct duration start = duration_begin(seconds);
	pthread_t thread[5];

	printf("# seed %lu\n", seed);
	model_reset_pages();
	model_init_tables(&mm, NR_PMD);
	for (i = 0; i < NR_OWNED; i++)
		pfns[i] = ALWAYS;
	for (i = 0; i < 2; i++) {
		pthread_create(&thread[i], NULL, walker, (void *)(seed * 8 + i));
		pthread_create(&thread[2 + i], NULL, owner, &owners[i]);
	}
	pthread_create(&thread[4], NULL, mutator, (void *)(seed * 8 + 2));
	while (!duration_has_passed(&start, seconds, 1))
		usleep(1000);
	WRITE_ONCE(stop, true);
	for (i = 0; i < 5; i++)
		pthread_join(thread[i], NULL);
	printf("# %lu walks, %lu flags set or cleared, %lu hmm pfns between them, %lu changes\n",
	       walks, toggles, differences, changes);
	printf("# figures: operations=%lu\n", walks + toggles + changes);
	if (walks < 100 || toggles < 10000 || differences < 1000 || changes < 1000)
		failed("too little was seen", walks, changes);
	return 0;
}
