// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle: the result of hmm_range_fault() as <linux/hmm.h> documents it,
 * decided page by page, and the comparison with the core's result.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"

#define STICKY (HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS)
#define BATCH_ORDER 4	/* 64 KiB */
#define ORDER (0x1fUL << HMM_PFN_ORDER_SHIFT)

/* What an address maps. */
struct page_state {
	unsigned long access;	/* HMM_PFN_VALID, HMM_PFN_WRITE */
	unsigned long pfn;
	unsigned int order;	/* of a huge page; 0 else */
	bool error;		/* no page can be faulted in */
	bool maybe_error;	/* a snapshot may report an error, or nothing */
	bool special;
	bool own;
	bool peer;
	bool migrating;
};

/* Whether a device reaches the pages that an entry maps, or one of them, in a peer's memory. */
static bool is_peer(const struct test_case *t, unsigned long pfn, unsigned long addr,
		    bool huge)
{
	unsigned long end = addr + PAGE_SIZE;

	if (huge) {
		addr &= PMD_MASK;
		end = min(addr + PMD_SIZE, t->end);
		addr = max(addr, t->start);
	}
	for (; addr < end; addr += PAGE_SIZE)
		if (t->refused[(addr - t->start) >> PAGE_SHIFT])
			return false;
	return t->peers && model_reaches_peers(pfn_to_page(pfn)->pgmap);
}

static struct page_state state_of_leaf(const struct test_case *t, softleaf_t entry,
				       unsigned long addr, bool huge)
{
	struct page_state s = {};

	if (softleaf_is_device_private(entry)) {
		s.pfn = softleaf_to_pfn(entry);
		s.own = t->owner && pfn_to_page(s.pfn)->pgmap->owner == model_owner;
		s.peer = !s.own && is_peer(t, s.pfn, addr, huge);
		if (s.own || s.peer)
			s.access = HMM_PFN_VALID | (softleaf_is_device_private_write(entry) ?
						    HMM_PFN_WRITE : 0);
		else
			s.maybe_error = huge;
	} else if (softleaf_is_migration(entry)) {
		s.migrating = true;
	} else if (softleaf_is_hwpoison(entry) || softleaf_is_poison_marker(entry)) {
		s.error = true;
	} else if (softleaf_is_guard_marker(entry)) {
		s.error = true;
		s.maybe_error = true;
	}
	return s;
}

static struct page_state state_of(const struct test_case *t, struct mm_struct *mm,
				  const struct vm_area_struct *vma,
				  unsigned long addr)
{
	unsigned long i = model_pte_index(addr);
	pmd_t pmd = mm->pmd[model_pmd_index(addr)];
	pte_t pte = *model_ptep(mm, addr);
	struct page_state s = {};

	if (!vma || (vma->vm_flags & (VM_IO | VM_PFNMAP)) || !(vma->vm_flags & VM_READ)) {
		s.error = true;
		s.special = vma && (vma->vm_flags & (VM_IO | VM_PFNMAP));
		return s;
	}
	if (pmd_none(pmd))
		return s;
	if (!pmd_present(pmd)) {
		s = state_of_leaf(t, softleaf_from_pmd(pmd), addr, true);
		s.order = PMD_ORDER;
		s.pfn += i;
		return s;
	}
	if (pmd_trans_huge(pmd) && pmd_special(pmd) && !is_huge_zero_pmd(pmd)) {
		s.error = true;
		s.special = true;
		return s;
	}
	if (pmd_trans_huge(pmd)) {
		if (!pmd_protnone(pmd))
			s.access = HMM_PFN_VALID | (pmd_write(pmd) ? HMM_PFN_WRITE : 0);
		s.pfn = pmd_pfn(pmd) + i;
		s.order = PMD_ORDER;
		return s;
	}
	if (pmd_bad(pmd)) {
		s.error = true;
		return s;
	}
	if (pte_none(pte))
		return s;
	if (!pte_present(pte))
		return state_of_leaf(t, softleaf_from_pte(pte), addr, false);
	if (!pte_protnone(pte))
		s.access = HMM_PFN_VALID | (pte_write(pte) ? HMM_PFN_WRITE : 0);
	s.pfn = pte_pfn(pte);
	s.special = pte_special(pte) && s.pfn != MODEL_ZERO_PFN;
	return s;
}

static bool falls_short(struct case_request request, const struct page_state *s)
{
	return (request.bits & ~s->access) || (request.to_ram && s->own);
}

#define ERR_EFAULT 1
#define ERR_EPERM 2
#define ERR_ENOMEM 4

static unsigned int err_bit(int ret)
{
	return ret == -EFAULT ? ERR_EFAULT : ret == -EPERM ? ERR_EPERM :
	       ret == -ENOMEM ? ERR_ENOMEM : 0;
}

/* Fault in one page as its request needs. Return the set of errors this can end with. */
static unsigned int fault_page(const struct test_case *t, struct mm_struct *mm,
			       unsigned long addr, struct case_request request)
{
	struct vm_area_struct *vma = vma_lookup(mm, addr);
	bool write = request.bits & HMM_PFN_REQ_WRITE;
	struct page_state s = state_of(t, mm, vma, addr);
	unsigned int errors = 0;
	vm_fault_t fault;
	int tries;

	for (tries = 0; falls_short(request, &s); tries++) {
		/* With two reasons to fail, either error is right. */
		if (vma && write && !(vma->vm_flags & VM_WRITE))
			errors |= ERR_EPERM;
		if (s.error || (s.special && tries))
			errors |= ERR_EFAULT;
		if (s.special && write && vma && !(vma->vm_flags & VM_WRITE))
			errors |= ERR_EFAULT;
		if (errors)
			return errors;
		if (tries == 4) {
			model_broken("the oracle's own fault has no effect");
			return 0;
		}
		if (s.migrating) {
			model_end_migration(mm, addr);
			s = state_of(t, mm, vma, addr);
			continue;
		}
		model_lock_mmap();
		fault = handle_mm_fault(vma, addr, FAULT_FLAG_REMOTE |
					(write ? FAULT_FLAG_WRITE : 0), NULL);
		model_unlock_mmap();
		if (fault)
			return err_bit(vm_fault_to_errno(fault, 0));
		s = state_of(t, mm, vma, addr);
	}
	return s.special && request.bits ? ERR_EFAULT : 0;
}

/* The result of one call. */
struct result {
	int ret;
	struct mm_struct mm;
	unsigned long out[CASE_MAX_PAGES];	/* pfns or entries */
	unsigned long peers[CASE_MAX_PAGES];	/* pfns in the memory of peers */
	bool written[CASE_MAX_PAGES];
	bool cleared;
	bool faults;		/* after a fault the walk began again, maybe inside a folio */
};

static char message[256];
int case_line;
void (*case_begin)(const struct test_case *t, struct mm_struct *mm);
void (*case_end)(const struct test_case *t, int ret);

#define wrong(i, ...) ({						\
	case_line = __LINE__;						\
	int at_ = snprintf(message, sizeof(message), "page %ld: ", (long)(i)); \
	snprintf(message + at_, sizeof(message) - at_, __VA_ARGS__);	\
	message;							\
})

/* Check that the 2^@order pages around page @i are what the order claims. */
static const char *check_order(const struct test_case *t, struct mm_struct *mm,
			       const unsigned long *pfns, long i, unsigned int order)
{
	long nr = 1L << order, from, at;
	unsigned long addr = t->start + i * PAGE_SIZE, pfn = pfns[i] & ~HMM_PFN_FLAGS;

	if (order > PMD_ORDER)
		return wrong(i, "an order of %u", order);
	if (((addr >> PAGE_SHIFT) ^ pfn) & (nr - 1))
		return wrong(i, "order %u, but pfn and address are not aligned alike", order);
	from = i - (pfn & (nr - 1));
	if (from < 0 || from + nr > (long)case_pages(t))
		return wrong(i, "order %u extends beyond the range", order);
	for (at = from; at < from + nr; at++) {
		unsigned long other = pfns[at] & ~(STICKY | ORDER);

		if (other != (pfns[i] & ~(STICKY | ORDER)) + (at - i))
			return wrong(at, "%lx is not what the order of page %ld claims: %lx",
				     pfns[at], i, pfns[i]);
	}
	return NULL;
}

/* The order of the folio at @addr if it is mapped whole by equal PTEs, or 0. */
static unsigned int whole_order(const struct test_case *t, struct mm_struct *mm,
				unsigned long addr)
{
	unsigned long same = ~(_PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_SOFT_DIRTY);
	unsigned long val = pte_val(*model_ptep(mm, addr));
	unsigned long pfn = (val & PTE_PFN_MASK) >> PAGE_SHIFT;
	unsigned long first, at;
	unsigned int order;

	if (!(val & _PAGE_RW))
		same |= _PAGE_DIRTY;
	order = compound_head(pfn_to_page(pfn))->order;
	first = addr - ((pfn & ((1UL << order) - 1)) << PAGE_SHIFT);
	if (!order || order > PMD_ORDER || !IS_ALIGNED(first >> PAGE_SHIFT, 1UL << order) ||
	    first < t->start || first + (PAGE_SIZE << order) > t->end ||
	    vma_lookup(mm, first) != vma_lookup(mm, first + (PAGE_SIZE << order) - 1))
		return 0;
	for (at = 0; at < 1UL << order; at++) {
		unsigned long other = pte_val(*model_ptep(mm, first + at * PAGE_SIZE));

		if ((other ^ (val + ((first + at * PAGE_SIZE) - addr))) & same)
			return 0;
	}
	return order;
}

/* Check what is recorded of a page in a peer's memory. */
static const char *check_peer(const struct test_case *t, struct result *r, long i,
			      const struct page_state *s)
{
	unsigned long want = t->refused[i] ? HMM_PEER_REFUSED : 0;

	if (s->peer)
		want = s->access | s->pfn | (unsigned long)s->order << HMM_PFN_ORDER_SHIFT;
	if (!t->peers || r->peers[i] == want)
		return NULL;
	return wrong(i, "%lx is recorded of a peer, %lx is right", r->peers[i], want);
}

static const char *check_pfn(const struct test_case *t, struct result *r, long i,
			     const struct page_state *s)
{
	unsigned long addr = t->start + i * PAGE_SIZE, got = r->out[i], want = 0;
	unsigned long sticky = t->output == CASE_PFNS ? t->in[i] & STICKY : 0;
	unsigned int order = hmm_pfn_to_map_order(got);
	const char *bad = NULL;

	if (r->cleared && i == t->cleared)
		sticky &= ~HMM_PFN_DMA_MAPPED;
	if ((got & STICKY) != sticky)
		return wrong(i, "%lx instead of the caller's own bits %lx", got, sticky);
	bad = check_peer(t, r, i, s);
	if (bad)
		return bad;
	if (s->error || s->special)
		want = HMM_PFN_ERROR;
	else if (s->access && !s->peer)
		want = s->access | s->pfn;
	got &= ~(STICKY | ORDER);
	if (s->maybe_error && (got == 0 || got == HMM_PFN_ERROR))
		want = got;
	if (got != want)
		return wrong(i, "%lx is reported, %lx is mapped", got, want);
	if (!(got & HMM_PFN_VALID))
		return order ? wrong(i, "an order without a page") : NULL;
	if (s->order)
		return order == s->order ? NULL : wrong(i, "order %u of a huge page", order);
	if (order)
		bad = check_order(t, &r->mm, r->out, i, order);
	/*
	 * Of smaller folios among others an order need not be seen, nor where a
	 * fault has made the walk begin again inside a folio.
	 */
	if (!bad && IS_ENABLED(CONFIG_ARCH_HAS_HMM_PTE_CLASS) && !s->own &&
	    !r->faults && whole_order(t, &r->mm, addr) >= BATCH_ORDER &&
	    order < whole_order(t, &r->mm, addr))
		bad = wrong(i, "order %u for a folio that is mapped whole", order);
	return bad;
}

static const char *check_entry(const struct test_case *t, struct result *r, long i,
			       const struct page_state *s)
{
	const struct hmm_format *f = &t->format;
	unsigned long want = f->none, got = r->out[i];

	if (s->special && f->special)
		want = f->special;
	else if (s->error || s->special)
		want = f->error;
	else if (s->access)
		want = f->valid | (s->access & HMM_PFN_WRITE ? f->write : 0) |
		       (s->own ? f->device_private : 0) | s->pfn << f->pfn_shift;
	if (s->maybe_error && (got == f->none || got == f->error))
		want = got;
	return got == want ? NULL : wrong(i, "entry %lx is written, %lx is right", got, want);
}

/* The pagemap of a page; NULL for system memory. */
static const struct dev_pagemap *model_pgmap(unsigned long pfn)
{
	return pfn_to_page(pfn)->pgmap;
}

/* Convert extents to pfns. */
static const char *expand_extents(const struct test_case *t, struct result *r,
				  const struct call_output *out)
{
	unsigned long at = t->start, i, n;

	for (i = 0; i < out->nr_extents; i++) {
		const struct hmm_extent *extent = &out->extents[i];

		if (extent->start != at || !extent->npages ||
		    extent->npages > (t->end - at) >> PAGE_SHIFT)
			return wrong((at - t->start) >> PAGE_SHIFT,
				     "extent %lu is of %lx, %lu pages", i,
				     extent->start, extent->npages);
		for (n = 0; n < extent->npages; n++, at += PAGE_SIZE) {
			unsigned long page = (at - t->start) >> PAGE_SHIFT;
			unsigned long pfn = extent->hmm_pfn & ~HMM_PFN_FLAGS;

			if ((extent->hmm_pfn & HMM_PFN_VALID) && n &&
			    model_pgmap(pfn + n) != model_pgmap(pfn))
				return wrong(page, "an extent goes into another pagemap");

			r->out[page] = extent->hmm_pfn + (extent->hmm_pfn & HMM_PFN_VALID ? n : 0);
			r->written[page] = true;
		}
	}
	if (r->ret == -ENOSPC && out->nr_extents < t->room)
		return wrong(-1, "-ENOSPC, but there is room");
	return NULL;
}

static void clear_bit_on_retry(struct mm_struct *mm)
{
	struct result *r = container_of(mm, struct result, mm);
	unsigned long *pfn = mm->on_retry_data;

	*pfn &= ~HMM_PFN_DMA_MAPPED;
	r->cleared = true;
}

static const char *run_core(const struct test_case *t, struct result *r)
{
	size_t size = case_pages(t) * sizeof(unsigned long);
	struct mmu_interval_notifier notifier = { .mm = &r->mm, .seq = 3 };
	/* Of the exact size, so that AddressSanitizer reports accesses past the end. */
	struct call_output out = {
		.pfns = malloc(size),
		.extents = malloc(t->room * sizeof(struct hmm_extent) ?: 1),
		.peers = t->peers ? malloc(size) : NULL,
		.waits.dropped = HMM_FAULT_NOT_DROPPED,
	};
	const char *bad = NULL;
	unsigned long i;
	int tries = 0;

	model_copy(&r->mm, &t->mm);
	memcpy(out.pfns, t->in, size);
	if (t->output == CASE_PFNS && t->cleared >= 0 &&
	    t->cleared < (long)case_pages(t)) {
		r->mm.on_retry_data = &out.pfns[t->cleared];
		r->mm.on_retry = clear_bit_on_retry;
	}
	if (case_begin)
		case_begin(t, &r->mm);
	do {
		/* A caller that begins again sets its requests again. */
		for (i = 0; tries && t->output != CASE_EXTENTS && i < case_pages(t); i++)
			out.pfns[i] = (out.pfns[i] & STICKY) | (t->in[i] & ~STICKY);
		for (i = 0; tries && t->output == CASE_FORMAT && i < case_pages(t); i++)
			out.pfns[i] = t->in[i];
		for (i = 0; t->peers && i < case_pages(t); i++)
			out.peers[i] = t->refused[i] ? HMM_PEER_REFUSED : 0;
		r->ret = call_case(t, &notifier, &out);
	} while (t->lock == CASE_VMA && r->ret == -EAGAIN && ++tries < 20);
	if (case_end)
		case_end(t, r->ret);
	r->faults = model_faults;
	memset(r->written, 0, sizeof(r->written));
	if (t->output == CASE_EXTENTS)
		bad = expand_extents(t, r, &out);
	else
		memcpy(r->out, out.pfns, size);
	if (t->peers)
		memcpy(r->peers, out.peers, size);
	free(out.peers);
	free(out.pfns);
	free(out.extents);
	return bad;
}

/* Check the result for page @i. */
static const char *check_page(const struct test_case *t, struct result *r,
			      struct mm_struct *mm, long i)
{
	unsigned long addr = t->start + i * PAGE_SIZE;
	struct page_state s = state_of(t, mm, vma_lookup(mm, addr), addr);

	if (t->output == CASE_FORMAT)
		return check_entry(t, r, i, &s);
	return check_pfn(t, r, i, &s);
}

static bool as_it_came(const struct test_case *t, const struct result *r, long i)
{
	unsigned long in = t->in[i];

	if (t->output == CASE_EXTENTS)
		return !r->written[i];
	if (r->cleared && i == t->cleared)
		in &= ~HMM_PFN_DMA_MAPPED;
	return r->out[i] == in;
}

/*
 * Check a call that returned an error: nothing is written from page @first on,
 * which cannot be mapped.
 */
static const char *check_failed(const struct test_case *t, struct result *r,
				struct mm_struct *mm, long first)
{
	long nr = case_pages(t), i = nr;

	/* The end of what was written. */
	while (i && as_it_came(t, r, i - 1))
		i--;
	if (i > first)
		return wrong(i - 1, "written, but page %ld cannot be faulted in", first);
	if (t->output == CASE_PFNS || t->output == CASE_FORMAT)
		return NULL;
	while (i--) {
		const char *bad = check_page(t, r, mm, i);

		if (bad)
			return bad;
	}
	return NULL;
}

/* Compare entries, except for the dirty bit of writable ones. */
static bool same_entry(unsigned long a, unsigned long b)
{
	return !((a ^ b) & ~(a & b & _PAGE_RW ? _PAGE_DIRTY : 0));
}

/* Check that exactly the right pages were faulted in. */
static const char *check_space(const struct test_case *t, struct result *r,
			       const struct mm_struct *mm)
{
	unsigned long i, pmd, at;

	for (pmd = 0; pmd < mm->nr_pmd; pmd++) {
		if (!same_entry(pmd_val(mm->pmd[pmd]), pmd_val(r->mm.pmd[pmd])))
			return wrong(-1, "PMD %lu became %lx, not %lx", pmd,
				     pmd_val(r->mm.pmd[pmd]), pmd_val(mm->pmd[pmd]));
		for (i = 0; i < PTRS_PER_PTE; i++)
			if (!same_entry(pte_val(mm->pte[pmd][i]),
					pte_val(r->mm.pte[pmd][i]))) {
				at = pmd * PTRS_PER_PTE + i - model_page_index(t->start);
				return wrong(at, "the entry became %lx, not %lx",
					     pte_val(r->mm.pte[pmd][i]),
					     pte_val(mm->pte[pmd][i]));
			}
	}
	return NULL;
}

static const char *check_result(const struct test_case *t, struct result *r,
				struct mm_struct *mm, unsigned int errors, long first)
{
	long nr = case_pages(t), i;
	const char *bad;

	if (r->ret && !(err_bit(r->ret) & errors) &&
	    !(r->ret == -ENOSPC && t->output == CASE_EXTENTS))
		return wrong(first, "%d is returned, errors %x are right", r->ret, errors);
	if (!r->ret && errors)
		return wrong(first, "success, but errors %x", errors);
	if (r->ret)
		return check_failed(t, r, mm, first < 0 ? nr : first);
	for (i = 0; i < nr; i++) {
		if (t->output == CASE_EXTENTS && !r->written[i])
			return wrong(i, "no extent");
		bad = check_page(t, r, mm, i);
		if (bad)
			return bad;
	}
	return check_space(t, r, mm);
}

const char *case_check(const struct test_case *t)
{
	static struct result r;
	static struct mm_struct mm;
	unsigned int errors = 0, error;
	const char *bad;
	long i, first = -1;

	model_clear();
	case_line = 0;
	r.cleared = false;
	bad = run_core(t, &r);
	model_check_released();
	if (model_rule)
		return model_rule;
	if (bad)
		return bad;
	model_copy(&mm, &t->mm);
	/* All faults come before all results: one fault can change 512 pages. */
	for (i = 0; i < (long)case_pages(t); i++) {
		unsigned long addr = t->start + i * PAGE_SIZE;

		error = fault_page(t, &mm, addr, case_request(t, i));
		if (error && first < 0)
			first = i;
		errors |= error;
	}
	bad = check_result(t, &r, &mm, errors, first);
	return model_rule ?: bad;
}
