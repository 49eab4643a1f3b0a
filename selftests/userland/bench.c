// SPDX-License-Identifier: GPL-2.0
/*
 * bench: measure the nanoseconds per page of a snapshot on this CPU. The core is
 * compiled with the kernel's flags (see run). The fastest round is reported, since
 * the slower ones were disturbed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "call.h"

#define NR_PMD MODEL_MAX_PMD
#define NR_PAGES (NR_PMD * PTRS_PER_PTE)
#define ROUNDS 200

static struct mm_struct mm;
static struct test_case t;

#define PAGE_BITS (_PAGE_PRESENT | _PAGE_USER | _PAGE_RW | _PAGE_ACCESSED | _PAGE_DIRTY)

static void map(unsigned long i, unsigned long page, unsigned long bits)
{
	mm.pte[i / PTRS_PER_PTE][i % PTRS_PER_PTE].pte =
		(MODEL_RAM_PFN + page) << PAGE_SHIFT | bits;
}

/* A permutation without contiguous neighbours. */
static unsigned long shuffled(unsigned long i)
{
	return i * 6841 % NR_PAGES;
}

static void contiguous(unsigned long i) { map(i, i, PAGE_BITS); }
static void scattered(unsigned long i) { map(i, shuffled(i), PAGE_BITS); }

static void readonly(unsigned long i)
{
	map(i, shuffled(i), PAGE_BITS & ~(_PAGE_RW | _PAGE_DIRTY));
}

static void folios(unsigned long i)
{
	map(i, shuffled(i / 16) / 16 * 16 + i % 16, PAGE_BITS);
}

static void folios_in_a_row(unsigned long i) { map(i, i, PAGE_BITS); }

/* In turn: a read-only page, a writable one, two absent ones. */
static void mixed(unsigned long i)
{
	if (i % 4 < 2)
		map(i, shuffled(i), i % 4 ? PAGE_BITS : PAGE_BITS & ~(_PAGE_RW | _PAGE_DIRTY));
}

static void absent(unsigned long i) { }

static void huge(unsigned long i)
{
	mm.pmd[i / PTRS_PER_PTE] = __pmd((MODEL_RAM_PFN + (i & ~511UL)) << PAGE_SHIFT |
					 PAGE_BITS | _PAGE_PSE);
}

static const struct {
	const char *name;
	void (*page)(unsigned long i);
	unsigned int folio;
} tables[] = {
	{ "4 KiB pages, contiguous", contiguous },
	{ "4 KiB pages, scattered", scattered },
	{ "4 KiB pages, scattered, read-only", readonly },
	{ "64 KiB folios, contiguous", folios_in_a_row, 4 },
	{ "64 KiB folios, scattered", folios, 4 },
	{ "4 KiB pages of changing classes", mixed },
	{ "2 MiB pages", huge, 9 },
	{ "absent pages", absent },
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static double measure(enum case_output output, struct call_output *out)
{
	struct mmu_interval_notifier notifier = { .mm = &mm, .seq = 3 };
	double best = 1e30, start;
	int round;

	t.start = MODEL_BASE;
	t.end = MODEL_BASE + NR_PMD * PMD_SIZE;
	t.output = output;
	t.room = NR_PAGES;
	t.format = (struct hmm_format){ .valid = 1, .write = 2, .pfn_shift = 12 };
	for (round = 0; round < ROUNDS; round++) {
		if (output == CASE_PFNS)
			memset(out->pfns, 0, NR_PAGES * sizeof(*out->pfns));
		start = now();
		if (call_case(&t, &notifier, out))
			exit(1);
		start = now() - start;
		best = min(best, start);
	}
	return best / NR_PAGES;
}

int main(void)
{
	struct call_output out = {
		.pfns = malloc(NR_PAGES * sizeof(unsigned long)),
		.extents = malloc(NR_PAGES * sizeof(struct hmm_extent)),
	};
	unsigned int i;
	unsigned long page;

	printf("| ns per page | pfns | a driver's format | extents |\n|---|---|---|---|\n");
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		model_reset_pages();
		model_init_tables(&mm, NR_PMD);
		for (page = 0; page < NR_PAGES; page++)
			tables[i].page(page);
		for (page = 0; tables[i].folio && page < NR_PAGES; page += 1UL << tables[i].folio)
			model_folio(MODEL_RAM_PFN + page, tables[i].folio);
		printf("| %s", tables[i].name);
		printf(" | %.2f", measure(CASE_PFNS, &out));
		printf(" | %.2f", measure(CASE_FORMAT, &out));
		printf(" | %.2f |\n", measure(CASE_EXTENTS, &out));
	}
	return 0;
}
