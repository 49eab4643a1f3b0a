// SPDX-License-Identifier: GPL-2.0
/*
 * The compiler calls a function here before every load of the core
 * (-fsanitize-coverage=trace-loads). Loads of page table entries are counted, so
 * a second reading is found however it is written, and also if the compiler made
 * it. Loads of struct pages are not allowed at all.
 *
 * In a walk with requests, a visit that stops for a fault reads PTEs once more,
 * to find how many pages need one. Nothing may be reported from that reading;
 * "change" shows that the results do not depend on it.
 */
#include <stdio.h>
#include <string.h>

#include "case.h"
#include "reads.h"

#define MAX_CHANGED 64

static struct mm_struct *watched;
static bool change_later;
static unsigned int change_at;	/* before which reading */
static unsigned int visit[2];
static unsigned int total[CASE_MAX_PAGES];
static bool requests;
static struct seen {
	unsigned int visit;
	unsigned int times;
} seen[CASE_MAX_PAGES], seen_pmd[CASE_MAX_PMD];
static unsigned long *changed[MAX_CHANGED], original[MAX_CHANGED];
static unsigned int nr_changed;

/* What another CPU can have stored meanwhile. */
static unsigned long other_value(unsigned long i)
{
	switch (i % 5) {
	case 0:
		return 0;
	case 1:
		return model_leaf_val(LEAF_SWAP, 4 * i);
	case 2:
		return model_leaf_val(LEAF_MIGRATION_WRITE, MODEL_RAM_PFN + 4 * i);
	case 3:
		return model_leaf_val(LEAF_DEVICE_READ, MODEL_DEVICE_PFN + i);
	default:
		return (MODEL_FAULT_PFN + i) << PAGE_SHIFT | _PAGE_USER | _PAGE_PRESENT;
	}
}

/* Restore the changed entries at the end of a visit. */
static void change_back(void)
{
	while (nr_changed) {
		nr_changed--;
		*changed[nr_changed] = original[nr_changed];
	}
}

static void change(unsigned long *entry, unsigned long i)
{
	if (nr_changed == MAX_CHANGED)
		return;
	changed[nr_changed] = entry;
	original[nr_changed++] = *entry;
	*entry = other_value(i);
}

static void read_of(unsigned long *entry, unsigned long i, struct seen *seen,
		    enum model_visit kind)
{
	if (seen[i].visit != visit[kind]) {
		seen[i] = (struct seen){ .visit = visit[kind], .times = 1 };
		return;
	}
	seen[i].times++;
	/* The second reading may well lead to a fault, which then must not fail. */
	if (change_later && seen[i].times == change_at &&
	    !(kind == VISIT_TABLE && watched->answer[i]))
		change(entry, i);
	else if (change_later)
		return;
	else if (seen[i].times > 1 + (kind == VISIT_TABLE && requests))
		model_broken(kind == VISIT_PMD ? "a PMD entry was read twice in a visit" :
						 "a PTE was read twice in a visit");
}

static void load(unsigned long addr)
{
	unsigned long at;

	if (!watched)
		return;
	if (addr - (unsigned long)model_ram < sizeof(model_ram) ||
	    addr - (unsigned long)model_device < sizeof(model_device))
		model_broken("a struct page was accessed");
	at = addr - (unsigned long)watched->pte;
	if (at < CASE_MAX_PAGES * sizeof(pte_t)) {
		at /= sizeof(pte_t);
		total[at]++;
		read_of(&watched->pte[0][at].pte, at, seen, VISIT_TABLE);
	}
	at = addr - (unsigned long)watched->pmd;
	if (at < CASE_MAX_PMD * sizeof(pmd_t)) {
		at /= sizeof(pmd_t);
		read_of(&watched->pmd[at].pmd, at, seen_pmd, VISIT_PMD);
	}
}

void __sanitizer_cov_load1(u8 *addr) { load((unsigned long)addr); }
void __sanitizer_cov_load2(u16 *addr) { load((unsigned long)addr); }
void __sanitizer_cov_load4(u32 *addr) { load((unsigned long)addr); }
void __sanitizer_cov_load8(u64 *addr) { load((unsigned long)addr); }
void __sanitizer_cov_load16(__int128 *addr) { load((unsigned long)addr); }
/* The compiler traces loads only beside something else. */
void __sanitizer_cov_8bit_counters_init(u8 *from, u8 *to) { }

static void visits(enum model_visit kind)
{
	change_back();
	visit[kind]++;
}

static void begin(const struct test_case *t, struct mm_struct *mm)
{
	requests = t->default_flags || t->mask;
	change_at = 2 + visit[VISIT_PMD] % 3;
	memset(total, 0, sizeof(total));
	nr_changed = 0;
	visit[VISIT_TABLE]++;
	visit[VISIT_PMD]++;
	watched = mm;
}

/* Check that a snapshot has read each PTE at most once, and none outside its range. */
static void end(const struct test_case *t, int ret)
{
	unsigned long i, first = model_page_index(t->start);

	change_back();
	watched = NULL;
	for (i = 0; i < CASE_MAX_PAGES; i++) {
		if (total[i] && (i < first || i >= first + case_pages(t)))
			model_broken("an entry outside the range was read");
		if (change_later || ret || requests ||
		    !total[i] || total[i] == 1)
			continue;
		model_broken("a PTE was read more than once in a snapshot");
	}
}

void reads_watch(bool change)
{
	change_later = change;
	model_visit = visits;
	case_begin = begin;
	case_end = end;
}
