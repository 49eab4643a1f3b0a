// SPDX-License-Identifier: GPL-2.0
/*
 * race SECONDS [SEED]: threads that walk while others change entries.
 *
 * Each address has its own pfns, one set for writable states and another for
 * read-only ones. So a pfn identifies its address and its access, and a
 * result that mixes two values, or takes a swap entry for a page, belongs to no
 * state. The sequence never changes: each result must have been true at some
 * time during the walk by itself.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "duration.h"

#define NR_PMD 3
#define NR_PAGES (NR_PMD * PTRS_PER_PTE)
#define HUGE_PMD 2		/* the one that is not always a table */

/* Memory: a page for each address and state. */
#define RAM(state) (MODEL_RAM_PFN + (state) * 2048UL)
enum ram { RAM_WRITE, RAM_WRITE_TOO, RAM_READ, RAM_READ_TOO, RAM_HUGE };
#define OWN_WRITE MODEL_DEVICE_PFN
#define OWN_READ (MODEL_DEVICE_PFN + 2048)
#define OTHER (MODEL_DEVICE_PFN + 4096)

static struct mm_struct mm;
static struct mmu_interval_notifier notifier = { .mm = &mm };
static bool stop;
static unsigned long walks, changes, nr_valid;

static void failed(const char *what, unsigned long i, unsigned long value)
{
	printf("# page %lu: %s: %lx\n", i, what, value);
	fflush(stdout);
	_exit(1);
}

/* The states of a PTE. */
#define NR_STATE 16
static unsigned long state_val(unsigned int state, unsigned long i)
{
	unsigned long ram = RAM(state & 3) + i;
	unsigned long bits = _PAGE_USER | _PAGE_ACCESSED | (state & 2 ? 0 : _PAGE_RW);

	switch (state) {
	case RAM_WRITE:
	case RAM_WRITE_TOO:
	case RAM_READ:
	case RAM_READ_TOO:
		return ram << PAGE_SHIFT | bits | _PAGE_PRESENT;
	case 4:
	case 5:
		return (RAM(RAM_WRITE) + i) << PAGE_SHIFT | _PAGE_USER | _PAGE_PRESENT |
		       _PAGE_RW | _PAGE_DIRTY;
	case 6:
		return ((~(RAM(RAM_READ) + i) << PAGE_SHIFT) & PTE_PFN_MASK) | _PAGE_USER |
		       _PAGE_PROTNONE;
	case 7:
		return model_leaf_val(LEAF_SWAP, 4 * i);
	case 8:
		return model_leaf_val(LEAF_MIGRATION_WRITE, RAM(RAM_WRITE) + i);
	case 9:
		return model_leaf_val(LEAF_MIGRATION_READ, RAM(RAM_READ) + i);
	case 10:
		return model_leaf_val(LEAF_DEVICE_WRITE, OWN_WRITE + i);
	case 11:
		return model_leaf_val(LEAF_DEVICE_READ, OWN_READ + i);
	case 12:
		return model_leaf_val(LEAF_DEVICE_READ, OTHER + i);
	case 13:
		return model_leaf_val(LEAF_EXCLUSIVE, RAM(RAM_READ) + i);
	case 14:
		return MODEL_ZERO_PFN << PAGE_SHIFT | _PAGE_USER | _PAGE_PRESENT |
		       _PAGE_SPECIAL;
	default:
		return 0;
	}
}

static unsigned long huge_val(unsigned int state)
{
	unsigned long i = HUGE_PMD * PTRS_PER_PTE;

	switch (state) {
	case 0:
		return 0;
	case 1:
		return (RAM(RAM_HUGE) + i) << PAGE_SHIFT | _PAGE_USER | _PAGE_PSE |
		       _PAGE_PRESENT | _PAGE_RW;
	case 2:
		return model_leaf_val(LEAF_MIGRATION_WRITE, RAM(RAM_HUGE) + i);
	case 3:
		return model_leaf_val(LEAF_DEVICE_WRITE, OWN_WRITE + i);
	case 4:
		return model_leaf_val(LEAF_DEVICE_READ, OTHER + i);
	default:
		return pmd_val(model_table_pmd());
	}
}

/* Make 16 pages a folio, or single pages. */
static void toggle_folio(unsigned long pfn, bool large)
{
	struct page *head = pfn_to_page(pfn);
	unsigned long i;

	if (large) {
		model_folio(pfn, 4);
		return;
	}
	for (i = 1; i < 16; i++)
		WRITE_ONCE(head[i].compound_head, 0);
	WRITE_ONCE(head->order, 0);
}

static void *mutator(void *arg)
{
	unsigned long seed = (unsigned long)arg, n = 0;

	for (; !READ_ONCE(stop); n++) {
		unsigned long r = model_random(&seed), i = r % NR_PAGES;
		unsigned int state = (r >> 16) % NR_STATE;
		unsigned int nr = (r >> 24) & 1 ? 1 + (r >> 25) % 64 : 1 + (r >> 25) % 3;

		/* Prefer present pages and aligned runs: batches need them. */
		if ((r >> 40) % 4 == 0)
			state = (r >> 42) % 4;
		if ((r >> 44) % 4 == 0)
			i &= ~15UL;
		for (; nr && i < NR_PAGES; nr--, i++)
			WRITE_ONCE(mm.pte[i / PTRS_PER_PTE][i % PTRS_PER_PTE].pte,
				   state_val(state, i));
		if ((r >> 48) % 8 == 0)
			toggle_folio(RAM(r >> 51 & 3) + (r >> 53) % (NR_PAGES / 16) * 16,
				     r >> 50 & 1);
		if ((r >> 48) % 64 == 1)
			WRITE_ONCE(mm.pmd[HUGE_PMD].pmd, huge_val((r >> 54) % 8));
	}
	__atomic_add_fetch(&changes, n, __ATOMIC_RELAXED);
	return NULL;
}

/* Check that the address has this pfn with this access in some state. */
static void check_pfn(unsigned long i, unsigned long pfn, bool write, bool private)
{
	bool huge = i / PTRS_PER_PTE == HUGE_PMD;
	bool device = pfn - MODEL_DEVICE_PFN < MODEL_NR_DEVICE;

	if (device != private)
		failed("device memory is marked wrongly", i, pfn);
	if (write && (pfn == RAM(RAM_WRITE) + i || pfn == RAM(RAM_WRITE_TOO) + i ||
		      pfn == OWN_WRITE + i || (huge && pfn == RAM(RAM_HUGE) + i)))
		return;
	if (!write && (pfn == RAM(RAM_READ) + i || pfn == RAM(RAM_READ_TOO) + i ||
		       pfn == OWN_READ + i || pfn == MODEL_ZERO_PFN ||
		       pfn == MODEL_FAULT_PFN + i))
		return;
	/* A device page that was faulted in keeps its write access. */
	if (write && pfn == MODEL_FAULT_PFN + i)
		return;
	failed(write ? "a writable page that is not its own" :
		       "a read-only page that is not its own", i, pfn);
}

static void check_result(const struct test_case *t, const struct call_output *out,
			 unsigned long reached)
{
	unsigned long nr = case_pages(t), first = model_page_index(t->start), i, n, at = 0;
	unsigned long valid = 0;

	if (t->output == CASE_EXTENTS) {
		for (i = 0; i < out->nr_extents; i++)
			for (n = 0; n < out->extents[i].npages; n++, at++) {
				unsigned long pfn = out->extents[i].hmm_pfn;

				if (!(pfn & HMM_PFN_VALID))
					continue;
				pfn += n;
				check_pfn(first + at, pfn & ~HMM_PFN_FLAGS, pfn & HMM_PFN_WRITE,
					  (pfn & ~HMM_PFN_FLAGS) >= MODEL_DEVICE_PFN);
				valid++;
			}
		nr = 0;
	}
	for (i = 0; i < nr; i++) {
		unsigned long got = out->pfns[i], pfn = got & ~HMM_PFN_FLAGS;
		unsigned int order = hmm_pfn_to_map_order(got);

		if (t->output == CASE_FORMAT) {
			if (got & t->format.valid)
				check_pfn(first + i, got >> t->format.pfn_shift,
					  got & t->format.write, got & t->format.device_private);
			else if (got != t->format.none && got != t->format.error)
				failed("no entry of the format", first + i, got);
			valid += !!(got & t->format.valid);
			continue;
		}
		if ((got & HMM_PFN_P2PDMA) != (t->in[i] & HMM_PFN_P2PDMA))
			failed("the caller's own bit is lost", first + i, got);
		if (!(got & HMM_PFN_VALID)) {
			if (got & ~(HMM_PFN_P2PDMA | HMM_PFN_ERROR))
				failed("absent, but with bits", first + i, got);
			continue;
		}
		valid++;
		check_pfn(first + i, pfn, got & HMM_PFN_WRITE, pfn >= MODEL_DEVICE_PFN);
		if (order > PMD_ORDER ||
		    ((pfn ^ (MODEL_BASE / PAGE_SIZE + first + i)) & ((1UL << order) - 1)))
			failed("an order that address and pfn do not have", first + i, got);
	}
	__atomic_add_fetch(&nr_valid, valid, __ATOMIC_RELAXED);
}

static void *walker(void *arg)
{
	unsigned long seed = (unsigned long)arg, n = 0, i, sticky;
	struct call_output out = {
		.pfns = malloc(NR_PAGES * sizeof(unsigned long)),
		.extents = malloc(NR_PAGES * sizeof(struct hmm_extent)),
	};
	struct test_case *t = aligned_alloc(_Alignof(struct test_case), sizeof(*t));

	memset(t, 0, sizeof(*t));
	for (; !READ_ONCE(stop); n++) {
		unsigned long r = model_random(&seed);
		unsigned long first = r & 1 ? r >> 8 & 1023 : 0;
		int ret;

		t->start = MODEL_BASE + first * PAGE_SIZE;
		t->end = MODEL_BASE + (r & 2 ? NR_PAGES : first + 1 + (r >> 20) % 512) * PAGE_SIZE;
		t->output = (r >> 30) % 3;
		t->lock = (r >> 32) % 3;
		if (t->output != CASE_PFNS && t->lock == CASE_VMA)
			t->lock = CASE_UNLOCKED;
		t->owner = true;
		t->room = NR_PAGES;
		t->format = (struct hmm_format){ .valid = 1, .write = 2, .pfn_shift = 12,
						 .device_private = 4, .error = 8 };
		t->default_flags = 0;
		if ((r >> 40) % 4 == 0)
			t->default_flags = t->output == CASE_FORMAT ? 1 : HMM_PFN_REQ_FAULT;
		sticky = (r >> 44) % 4 ? 0 : 1 + (r >> 46) % 64;
		for (i = 0; i < case_pages(t); i++)
			t->in[i] = sticky && i % sticky == 0 ? HMM_PFN_P2PDMA : 0;
		memcpy(out.pfns, t->in, case_pages(t) * sizeof(unsigned long));
		ret = call_case(t, &notifier, &out);
		if (ret && ret != -EBUSY && ret != -EAGAIN)
			failed("an error", first, -ret);
		model_check_released();
		if (READ_ONCE(model_rule))
			failed(model_rule, first, 0);
		if (!ret)
			check_result(t, &out, case_pages(t));
	}
	__atomic_add_fetch(&walks, n, __ATOMIC_RELAXED);
	free(out.pfns);
	free(out.extents);
	free(t);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct vm_operations_struct file_ops;
	unsigned int seconds = argc > 1 ? atoi(argv[1]) : 5;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1, i;
	struct duration start = duration_begin(seconds);
	pthread_t thread[4];

	printf("# seed %lu\n", seed);
	model_reset_pages();
	model_device_chunk(MODEL_DEVICE_PFN, 4096, &model_own);
	model_device_chunk(OTHER, 4096, &model_other);
	model_init(&mm, NR_PMD);
	mm.nr_vma = 2;
	for (i = 0; i < 2; i++)
		mm.vma[i] = (struct vm_area_struct){
			.vm_start = MODEL_BASE + i * PMD_SIZE,
			.vm_end = MODEL_BASE + (i ? NR_PMD : 1) * PMD_SIZE,
			.vm_flags = VM_READ | VM_WRITE,
			.vm_mm = &mm,
			.vm_ops = i ? &file_ops : NULL,
		};
	for (i = 0; i < NR_PMD; i++)
		mm.pmd[i] = model_table_pmd();
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, i < 2 ? mutator : walker,
			       (void *)(seed * 4 + i));
	while (!duration_has_passed(&start, seconds, 1))
		usleep(1000);
	WRITE_ONCE(stop, true);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	printf("# %lu walks, %lu valid pages, %lu changes\n", walks, nr_valid, changes);
	printf("# figures: operations=%lu\n", walks + changes);
	if (nr_valid < 10000 || changes < 10000)
		failed("too little was seen", walks, changes);
	return 0;
}
