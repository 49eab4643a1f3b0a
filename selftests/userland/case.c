// SPDX-License-Identifier: GPL-2.0
/* Make and print cases. */
#include <stdio.h>
#include <string.h>

#include "case.h"

struct maker {
	const u8 *choice;
	size_t nr;
	unsigned long ram;	/* the next page of each memory */
	unsigned long device;
};

/* Choose a number below @n. */
static unsigned int pick(struct maker *m, unsigned int n)
{
	unsigned int choice = 0, bytes = n > 256 ? 2 : 1;

	while (bytes--) {
		choice <<= 8;
		if (m->nr) {
			choice |= *m->choice++;
			m->nr--;
		}
	}
	return choice % n;
}

static unsigned long alloc_ram(struct maker *m, unsigned int order, unsigned long nr)
{
	unsigned long pfn = ALIGN(m->ram, 1UL << order);

	/* Start again, with single pages where folios were. */
	if (pfn + nr > MODEL_FAULT_PFN) {
		model_reset_pages();
		pfn = MODEL_RAM_PFN;
	}
	m->ram = pfn + nr;
	return pfn;
}

/* Chunks of device memory: two of the caller's, one of another device, coherent. */
static struct dev_pagemap *const chunk_pgmap[] = {
	&model_own, &model_own_too, &model_other, &model_coherent,
};

#define CHUNK (MODEL_NR_DEVICE / ARRAY_SIZE(chunk_pgmap))

static unsigned long alloc_device(struct maker *m, unsigned int chunk,
				  unsigned int order)
{
	unsigned long pfn = ALIGN(m->device, 1UL << order);

	m->device = pfn + (1UL << order);
	return MODEL_DEVICE_PFN + chunk * CHUNK + pfn % CHUNK;
}

/* The kinds of PTEs. */
enum kind {
	KIND_PAGES,		/* pages one after the other */
	KIND_SCATTERED,
	KIND_FOLIO,
	KIND_FOLIOS,
	KIND_NONE,
	KIND_ERRATUM,		/* empty, with accessed and dirty bits */
	KIND_ZERO,
	KIND_PROTNONE,
	KIND_SPECIAL,
	KIND_SWAP,
	KIND_MIGRATION,
	KIND_OWN,
	KIND_OTHER,
	KIND_EXCLUSIVE,
	KIND_POISON,
	KIND_MARKER,
	KIND_COHERENT,
	NR_KIND,
};

struct run {
	enum kind kind;
	unsigned long pfn;
	unsigned long flags;
	unsigned int vary;	/* how flags differ between PTEs */
	unsigned long step;
	bool write;
};

static unsigned long vary_bits(unsigned int vary, unsigned int i)
{
	static const unsigned long bits[] = {
		0, _PAGE_ACCESSED, _PAGE_SOFT_DIRTY, _PAGE_UFFD, _PAGE_NX,
		_PAGE_DIRTY, _PAGE_RW, _PAGE_SAVED_DIRTY,
	};

	if (!(vary & 7) || !(i * 2654435761U >> 28 & (1 + (vary >> 3 & 3))))
		return 0;
	return bits[vary & 7];
}

static unsigned long run_val(const struct run *r, unsigned int i)
{
	unsigned long pfn = r->pfn + i * r->step;
	unsigned long page = pfn << PAGE_SHIFT | _PAGE_USER | r->flags |
			     (r->write ? _PAGE_RW : 0) | vary_bits(r->vary, i);

	switch (r->kind) {
	case KIND_NONE:
		return 0;
	case KIND_ERRATUM:
		return _PAGE_KNL_ERRATUM_MASK & (r->vary << 5);
	case KIND_PROTNONE:
		return (page & ~PTE_PFN_MASK) | _PAGE_PROTNONE |
		       (~(pfn << PAGE_SHIFT) & PTE_PFN_MASK);
	case KIND_SPECIAL:
	case KIND_ZERO:
		return page | _PAGE_PRESENT | _PAGE_SPECIAL;
	case KIND_SWAP:
		return model_leaf_val(LEAF_SWAP, pfn);
	case KIND_MIGRATION:
		return model_leaf_val(r->write ? LEAF_MIGRATION_WRITE :
						 LEAF_MIGRATION_READ, pfn);
	case KIND_OWN:
	case KIND_OTHER:
		return model_leaf_val(r->write ? LEAF_DEVICE_WRITE :
						 LEAF_DEVICE_READ, pfn);
	case KIND_EXCLUSIVE:
		return model_leaf_val(LEAF_EXCLUSIVE, pfn);
	case KIND_POISON:
		return model_leaf_val(LEAF_POISON, pfn);
	case KIND_MARKER:
		return model_leaf_val(LEAF_MARKER, 1UL << r->vary % 3);
	default:
		return page | _PAGE_PRESENT;
	}
}

static unsigned int pick_length(struct maker *m)
{
	switch (pick(m, 4)) {
	case 0:
		return 1 + pick(m, 4);
	case 1:
		return 1 + pick(m, 20);
	case 2:
		return 1 + pick(m, 80);
	default:
		return 1 + pick(m, 512);
	}
}

/* Choose a run of PTEs that begins at index @i of a table. Return its length. */
static unsigned int pick_run(struct maker *m, struct run *r, unsigned int i,
			     bool anon)
{
	unsigned int nr, order = 0, part;

	*r = (struct run){ .kind = pick(m, NR_KIND), .step = 1 };
	r->write = !pick(m, 2);
	if (!pick(m, 2))
		r->flags = _PAGE_ACCESSED;
	if (r->write && !pick(m, 2))
		r->flags |= _PAGE_DIRTY;
	if (!pick(m, 4))
		r->vary = pick(m, 32);
	nr = pick_length(m);
	switch (r->kind) {
	case KIND_FOLIO:
	case KIND_FOLIOS:
		order = anon ? 2 + pick(m, 8) : 1 + pick(m, 9);
		part = pick(m, 4);
		if (r->kind == KIND_FOLIO)
			nr = min(nr, 1U << order);
		r->pfn = alloc_ram(m, order, ALIGN(nr, 1UL << order));
		for (unsigned int at = 0; at < nr; at += 1U << order)
			model_folio(r->pfn + at, order);
		if (!part)
			nr = ALIGN(nr, 1UL << order);
		else if (part == 1 && nr > 1)
			r->pfn += 1 + pick(m, 512) % min(nr - 1, (1U << order) - 1);
		/* A part ends with its last folio. */
		nr = min(nr, ALIGN(nr, 1UL << order) - (r->pfn & ((1UL << order) - 1)));
		break;
	case KIND_SCATTERED:
		r->step = pick(m, 2) ? 3 : -1UL;
		r->pfn = alloc_ram(m, pick(m, 5), 3 * nr) + (r->step == 3 ? 0 : nr);
		break;
	case KIND_ZERO:
		r->pfn = MODEL_ZERO_PFN;
		r->step = 0;
		r->write = false;
		r->flags &= ~_PAGE_DIRTY;
		r->vary &= ~7;
		break;
	case KIND_SPECIAL:
		r->pfn = 0xfee00 + pick(m, 2) * 0x40000000UL;
		break;
	case KIND_SWAP:
		r->pfn = pick(m, 65536);
		r->step = pick(m, 2);
		break;
	case KIND_OWN:
		r->pfn = alloc_device(m, 0, pick(m, 10));
		/* Sometimes across the border of two chunks. */
		if (!pick(m, 4))
			r->pfn = MODEL_DEVICE_PFN + CHUNK - min(nr, 2U);
		break;
	case KIND_OTHER:
		r->pfn = alloc_device(m, 2, 0);
		nr = min(nr, 64U);
		r->pfn = MODEL_DEVICE_PFN + 2 * CHUNK + r->pfn % (CHUNK - 64);
		break;
	case KIND_COHERENT:
		r->pfn = MODEL_DEVICE_PFN + 3 * CHUNK + pick(m, 64);
		break;
	default:
		r->pfn = alloc_ram(m, pick(m, 5), nr) + pick(m, 2);
		break;
	}
	return min(nr, PTRS_PER_PTE - i);
}

static struct vm_area_struct *vma_around(struct mm_struct *mm, unsigned long addr)
{
	return vma_lookup(mm, addr) ?: &mm->vma[0];
}

/* The distance to an address that is aligned for a folio of some order. */
static unsigned int align_gap(struct maker *m, unsigned int i)
{
	unsigned int order = pick(m, 10);

	return ALIGN(i, 1U << order) - i;
}

static void make_table(struct maker *m, struct mm_struct *mm, unsigned int pmd)
{
	unsigned int i = 0, nr, at;
	struct run r;

	while (i < PTRS_PER_PTE && m->nr) {
		struct vm_area_struct *vma = vma_around(mm, MODEL_BASE + pmd * PMD_SIZE +
							    i * PAGE_SIZE);

		if (!pick(m, 3))
			i += align_gap(m, i);
		if (i >= PTRS_PER_PTE)
			break;
		nr = pick_run(m, &r, i, vma_is_anonymous(vma));
		for (at = 0; at < nr; at++)
			mm->pte[pmd][i + at] = __pte(run_val(&r, at));
		i += nr;
	}
	/* Replace a few single PTEs. */
	for (nr = pick(m, 8); nr--;) {
		at = pick(m, PTRS_PER_PTE);
		pick_run(m, &r, at, true);
		mm->pte[pmd][at] = __pte(run_val(&r, 0));
	}
}

static void make_pmd(struct maker *m, struct mm_struct *mm, unsigned int i)
{
	const struct vm_area_struct *vma = vma_around(mm, MODEL_BASE + i * PMD_SIZE);
	bool write = !pick(m, 2);
	unsigned int kind = pick(m, 18);
	unsigned long pfn, flags = _PAGE_USER | _PAGE_PSE | (write ? _PAGE_RW : 0);
	unsigned long val;

	/* A huge page lies in one VMA. */
	if (kind != 15 && (vma->vm_start > MODEL_BASE + i * PMD_SIZE ||
			   vma->vm_end < MODEL_BASE + (i + 1) * PMD_SIZE))
		kind = 0;
	switch (kind) {
	case 8:
	case 9:
	case 10:
	case 11:
		pfn = alloc_ram(m, PMD_ORDER, 512);
		model_folio(pfn, PMD_ORDER);
		val = pfn << PAGE_SHIFT | flags | _PAGE_PRESENT;
		if (kind == 10)
			val = (~(pfn << PAGE_SHIFT) & PTE_PFN_MASK) | flags | _PAGE_PROTNONE;
		if (kind == 11)
			val = model_leaf_val(write ? LEAF_MIGRATION_WRITE :
						     LEAF_MIGRATION_READ, pfn);
		break;
	case 12:
	case 13:
		pfn = alloc_device(m, kind == 13 ? 2 : pick(m, 2), PMD_ORDER);
		model_folio(pfn, PMD_ORDER);
		val = model_leaf_val(write ? LEAF_DEVICE_WRITE : LEAF_DEVICE_READ, pfn);
		break;
	case 14:
		val = _PAGE_PRESENT | _PAGE_USER;	/* bad: a table is writable */
		break;
	case 15:
		val = 0;
		break;
	case 16:
		val = MODEL_HUGE_ZERO_PFN << PAGE_SHIFT | _PAGE_USER | _PAGE_PSE |
		      _PAGE_PRESENT | _PAGE_SPECIAL;
		break;
	case 17:
		val = 0xfee0000000UL | flags | _PAGE_PRESENT | _PAGE_SPECIAL;
		break;
	default:
		val = pmd_val(model_table_pmd());
		break;
	}
	mm->pmd[i] = __pmd(val);
	if (pmd_val(mm->pmd[i]) == pmd_val(model_table_pmd()))
		make_table(m, mm, i);
}

/* The value of an entry in a VMA that is not writable. */
static unsigned long without_write(unsigned long val)
{
	softleaf_t entry = softleaf_from_pte(__pte(val));

	if (model_leaf(entry) == LEAF_DEVICE_WRITE)
		return model_leaf_val(LEAF_DEVICE_READ, softleaf_to_pfn(entry));
	if (model_leaf(entry) == LEAF_MIGRATION_WRITE)
		return model_leaf_val(LEAF_MIGRATION_READ, softleaf_to_pfn(entry));
	return pte_present(__pte(val)) ? val & ~(_PAGE_RW | _PAGE_DIRTY) : val;
}

static void forbid_writes(struct mm_struct *mm)
{
	unsigned long i, addr;

	for (i = 0; i < mm->nr_pmd * PTRS_PER_PTE; i++) {
		const struct vm_area_struct *vma;
		pmd_t *pmdp = &mm->pmd[i / PTRS_PER_PTE];

		addr = MODEL_BASE + i * PAGE_SIZE;
		vma = vma_lookup(mm, addr);
		if (!vma || (vma->vm_flags & VM_WRITE))
			continue;
		model_ptep(mm, addr)->pte = without_write(pte_val(*model_ptep(mm, addr)));
		if (pmd_val(*pmdp) != pmd_val(model_table_pmd()))
			pmdp->pmd = without_write(pmd_val(*pmdp));
	}
}

static void make_vmas(struct maker *m, struct mm_struct *mm)
{
	static const struct vm_operations_struct file_ops;
	unsigned long at = 0, total = mm->nr_pmd * PTRS_PER_PTE, nr;
	unsigned int kind;

	while (at < total && mm->nr_vma < MODEL_MAX_VMA) {
		struct vm_area_struct *vma = &mm->vma[mm->nr_vma];

		kind = pick(m, 16);
		nr = mm->nr_vma + 1 < MODEL_MAX_VMA && pick(m, 2) ? 1 + pick(m, total) :
								    total - at;
		nr = min(nr, total - at);
		vma->vm_start = MODEL_BASE + at * PAGE_SIZE;
		vma->vm_end = vma->vm_start + nr * PAGE_SIZE;
		vma->vm_mm = mm;
		vma->vm_flags = VM_READ | VM_WRITE;
		vma->vm_ops = kind & 1 ? &file_ops : NULL;
		if (kind >= 12)
			vma->vm_flags = kind == 12 ? VM_READ : kind == 13 ? VM_WRITE :
					kind == 14 ? VM_READ | VM_WRITE | VM_PFNMAP :
					VM_READ | VM_WRITE | VM_IO;
		/* Sometimes leave a gap before the next VMA. */
		at += nr;
		mm->nr_vma++;
		if (!pick(m, 3))
			at += pick(m, 64);
	}
}

static const unsigned long requests[] = {
	0, HMM_PFN_REQ_FAULT, HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE, HMM_PFN_REQ_WRITE,
};

/* A request in the flags of the output. */
static unsigned long encode_request(const struct test_case *t, unsigned long bits,
				    bool to_ram)
{
	if (t->output != CASE_FORMAT)
		return bits;
	return (bits & HMM_PFN_REQ_FAULT ? t->format.valid : 0) |
	       (bits & HMM_PFN_REQ_WRITE ? t->format.write : 0) |
	       (to_ram ? t->format.device_private : 0);
}

struct case_request case_request(const struct test_case *t, unsigned long i)
{
	unsigned long flags = t->default_flags;
	struct case_request request = {};

	if (t->output != CASE_EXTENTS)
		flags |= t->in[i] & t->mask;
	if (t->output != CASE_FORMAT) {
		request.bits = flags & (HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE);
	} else {
		request.bits = (flags & t->format.valid ? HMM_PFN_REQ_FAULT : 0) |
			       (flags & t->format.write ? HMM_PFN_REQ_WRITE : 0);
		request.to_ram = (flags & t->format.device_private) &&
			       (flags & t->format.valid);
	}
	if (!(request.bits & HMM_PFN_REQ_FAULT))
		request.bits = 0;
	return request;
}

static void make_input(struct maker *m, struct test_case *t)
{
	unsigned int every = 1 + pick(m, 40), request = pick(m, 4);
	unsigned int sticky = pick(m, 8), sticky_every = 1 + pick(m, 40);
	unsigned int content = pick(m, 4);
	unsigned long i, junk = content & 1 ? 0x123456 : 0;
	bool to_ram = !pick(m, 4);

	for (i = 0; i < case_pages(t); i++) {
		/* Most callers pass zeros, over which results are written many at a time. */
		t->in[i] = content & 2 ? 0 : junk + i;
		t->refused[i] = t->peers && (sticky & 4) && i % sticky_every == 0;
		if (t->output == CASE_FORMAT)
			t->in[i] <<= t->format.pfn_shift;
		if (i % every == 0)
			t->in[i] |= encode_request(t, requests[request], to_ram);
		if (i % sticky_every == sticky_every / 2 && t->output == CASE_PFNS)
			t->in[i] |= (sticky & 1 ? HMM_PFN_DMA_MAPPED : 0) |
				    (sticky & 2 ? HMM_PFN_P2PDMA : 0) |
				    (sticky & 4 ? HMM_PFN_P2PDMA_BUS : 0);
	}
}

static void make_call(struct maker *m, struct test_case *t)
{
	static const unsigned long masks[] = { 0, 1, 2, 3, 4 };
	unsigned long total = t->mm.nr_pmd * PTRS_PER_PTE, first, nr;
	bool part = pick(m, 2);
	unsigned int mask, owner;

	first = part ? pick(m, total) : 0;
	nr = part ? 1 + pick(m, total) : total;
	/* One page is walked in ways of its own. */
	if (part && !pick(m, 4))
		nr = 1;
	t->start = MODEL_BASE + first * PAGE_SIZE;
	t->end = t->start + min(nr, total - first) * PAGE_SIZE;
	t->output = pick(m, 3);
	t->lock = pick(m, 3);
	if (t->output != CASE_PFNS && t->lock == CASE_VMA)
		t->lock = CASE_UNLOCKED;
	owner = pick(m, 8);
	t->owner = owner % 4;
	t->peers = owner >= 4 && t->output == CASE_PFNS && t->lock == CASE_VMA;
	t->room = pick(m, 4) ? CASE_MAX_PAGES : pick(m, 16);
	t->format = (struct hmm_format){
		.valid = 1, .write = 2, .device_private = 4, .error = 8,
		.none = 0, .special = 16, .pfn_shift = 12,
	};
	if (!pick(m, 3))
		t->format = (struct hmm_format){
			.valid = 1UL << 62, .write = 1UL << 61, .pfn_shift = 3,
			.error = 1UL << 60, .none = 1UL << 59, .special = 1UL << 58,
		};
	t->default_flags = encode_request(t, requests[pick(m, 4)], !pick(m, 4));
	mask = masks[pick(m, 5)];
	t->mask = encode_request(t, (mask & 1 ? HMM_PFN_REQ_FAULT : 0) |
				    (mask & 2 ? HMM_PFN_REQ_WRITE : 0), mask & 2);
	if (mask == 4)
		t->mask = ~0UL;
	if (t->output == CASE_EXTENTS)
		t->mask = 0;
	make_input(m, t);
	t->cleared = -1;
}

/* Let an invalidation clear a driver's flag while the fault of a later page waits. */
static void make_clearing(struct maker *m, struct test_case *t)
{
	unsigned long first = model_page_index(t->start), later;

	if (t->output != CASE_PFNS || pick(m, 2) == 0)
		return;
	t->cleared = pick(m, case_pages(t));
	t->in[t->cleared] |= HMM_PFN_DMA_MAPPED;
	later = first + t->cleared + 1 + pick(m, 64);
	if (later < t->mm.nr_pmd * PTRS_PER_PTE)
		t->mm.answer[later] = ANSWER_RETRY;
}

static void make_answers(struct maker *m, struct mm_struct *mm)
{
	unsigned int nr = pick(m, 3) ? 0 : pick(m, 6);

	while (nr--)
		mm->answer[pick(m, mm->nr_pmd * PTRS_PER_PTE)] = 1 + pick(m, 3);
}

void case_make(struct test_case *t, const u8 *choices, size_t nr)
{
	struct maker m = { .choice = choices, .nr = nr, .ram = MODEL_RAM_PFN };
	unsigned int i;

	model_reset_pages();
	for (i = model_device[0].pgmap ? ARRAY_SIZE(chunk_pgmap) : 0;
	     i < ARRAY_SIZE(chunk_pgmap); i++)
		model_device_chunk(MODEL_DEVICE_PFN + i * CHUNK, CHUNK, chunk_pgmap[i]);
	model_init(&t->mm, 1 + pick(&m, CASE_MAX_PMD));
	t->mm.upper_levels = pick(&m, 2);
	make_vmas(&m, &t->mm);
	make_call(&m, t);
	make_answers(&m, &t->mm);
	make_clearing(&m, t);
	for (i = 0; i < t->mm.nr_pmd; i++)
		make_pmd(&m, &t->mm, i);
	forbid_writes(&t->mm);
}

/* Print a table as runs of entries that follow each other. */
static void print_table(const struct mm_struct *mm, unsigned int pmd)
{
	unsigned long val, next;
	unsigned int i, from = 0;

	for (i = 1; i <= PTRS_PER_PTE; i++) {
		val = pte_val(mm->pte[pmd][i - 1]);
		next = i < PTRS_PER_PTE ? pte_val(mm->pte[pmd][i]) : ~val;
		if (next == val || next == val + PAGE_SIZE || next + 512 == val)
			continue;
		if (val)
			printf("#   %3u..%3u %016lx..%016lx\n", from, i - 1,
			       pte_val(mm->pte[pmd][from]), val);
		from = i;
	}
}

void case_print(const struct test_case *t)
{
	static const char *const outputs[] = { "pfns", "a driver's format", "extents" };
	static const char *const locks[] = { "mmap lock", "VMA locks", "unlocked" };
	const struct mm_struct *mm = &t->mm;
	unsigned long i, last = -1UL, changes;

	for (i = 0; i < mm->nr_vma; i++)
		printf("# VMA %lx-%lx flags %lx %s\n", mm->vma[i].vm_start,
		       mm->vma[i].vm_end, mm->vma[i].vm_flags,
		       mm->vma[i].vm_ops ? "file" : "anon");
	for (i = 0; i < mm->nr_pmd; i++) {
		printf("# PMD %lu %016lx\n", i, pmd_val(mm->pmd[i]));
		if (pmd_val(mm->pmd[i]) == pmd_val(model_table_pmd()))
			print_table(mm, i);
	}
	printf("# range %lx-%lx default %lx mask %lx output %s, %s%s%s, room %lu\n",
	       t->start, t->end, t->default_flags, t->mask, outputs[t->output],
	       locks[t->lock], t->owner ? "" : ", no owner",
	       t->peers ? ", peers" : "", t->room);
	for (i = 0; i < case_pages(t); i++)
		if (t->refused[i])
			printf("#   page %lu of the range: its peer refuses access\n", i);
	for (i = 0, changes = 0; i < case_pages(t) && changes < 8; i++) {
		if (t->in[i] >> 53 != last && ++changes)
			printf("#   from page %lu (%lx) on: %lx\n", i,
			       t->start + i * PAGE_SIZE, t->in[i]);
		last = t->in[i] >> 53;
	}
	for (i = 0; i < mm->nr_pmd * PTRS_PER_PTE; i++)
		if (mm->answer[i])
			printf("#   page %lu: answer %u\n", i, mm->answer[i]);
	if (t->cleared >= 0)
		printf("#   a retry clears DMA_MAPPED of page %ld of the range\n", t->cleared);
}
