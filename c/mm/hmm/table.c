// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of single pages: where most of a walk's time goes.
 *
 * Entries of the same kind (leaf.h) are taken in blocks. If the last of a block
 * maps the page that lies as far from the first's, those in between are tested
 * for the same, and then what there is to say follows from the first one alone.
 * Only such pages can belong to a large folio; only then is a struct page read,
 * which may cost a cache miss.
 *
 * If not, all that matters of a block is whether it is of one kind, and each
 * entry is read a second time for what it maps. That cannot be another page by
 * then without the sequence of the caller's range having moved; the entry can
 * have become writable, or dirty, and none of that is in the word.
 */
#include <linux/log2.h>

#include "compat-kernel.h"
#include "leaf.h"
#include "report.h"
#include "walk.h"

/* As many entries as a folio of 64 KiB has. */
#define HMM_SCAN 16

/* How many pages the smallest large folios have, in anonymous memory and files. */
#define HMM_FOLIO_ANON 4
#define HMM_FOLIO_FILE 2

/**
 * struct hmm_batch - entries of one table, waiting to be reported
 * @w: the walk
 * @ptep: the first one
 * @addr: its address
 * @nr: how many
 * @kind: what the first one is, and how far the others are alike
 * @words: the first one's word, or entry; there is none with extents
 */
struct hmm_batch {
	struct hmm_walk *w;
	pte_t *ptep;
	unsigned long addr;
	unsigned long nr;
	struct hmm_kind kind;
	unsigned long *words;
};

static __always_inline unsigned long batch_addr(const struct hmm_batch *b,
						unsigned long done)
{
	return b->addr + (done << PAGE_SHIFT);
}

/* How many pages lie between @done and the next border of blocks of @size. */
static __always_inline unsigned long batch_edge(const struct hmm_batch *b,
						unsigned long done,
						const unsigned long size)
{
	return -(batch_addr(b, done) >> PAGE_SHIFT) & (size - 1);
}

/* Do @nr entries map one page after another, with the rights of a kind? */
static __always_inline bool scan_run(struct hmm_kind kind, const pte_t *ptep,
				     const unsigned long nr)
{
	pte_t first = hmm_read_pte(ptep);
	unsigned long strays = 0, i;

	if (hmm_kind_differs(kind, first))
		return false;
	for (i = 1; i < nr; i++)
		strays |= hmm_pte_strays(first, hmm_read_pte(ptep + i), i);
	return !((strays & kind.mask) | hmm_pfn_bits(strays));
}

/*
 * Are @nr entries of a kind? Bits that are set somewhere, and bits that are set
 * everywhere, are an instruction less for each entry than its difference.
 */
static __always_inline bool scan_kind(struct hmm_kind kind, const pte_t *ptep,
				      const unsigned long nr)
{
	unsigned long some = 0, every = ~0UL, i;

	for (i = 0; i < nr; i++) {
		some |= pte_val(hmm_read_pte(ptep + i));
		every &= pte_val(hmm_read_pte(ptep + i));
	}
	return !(((some ^ kind.bits) | (every ^ kind.bits)) & kind.mask);
}

/* The simplest case: a folio that begins here and was seen to be mapped whole. */
static __always_inline unsigned int batch_whole(const struct hmm_batch *b,
						unsigned long done,
						unsigned long pfn,
						unsigned long seen)
{
	unsigned int order = compound_order(pfn_to_page(pfn));

	if ((1UL << order) > seen ||
	    !IS_ALIGNED(batch_addr(b, done) >> PAGE_SHIFT, 1UL << order))
		return 0;
	return order;
}

/**
 * batch_folio() - report the part of a large folio that lies ahead
 * @b: the batch
 * @done: how many of its entries are reported already
 * @seen: how many of those that follow map one page after another
 *
 * An order is claimed for entries that were seen to be contiguous, alike and
 * aligned, as far as one folio goes: for a folio that is mapped whole its own
 * order, for the ends of one that is not, smaller ones.
 *
 * No reference is held, so the folio can change while one looks. Then the
 * caller's sequence has changed too, and what is said here is thrown away; it
 * is enough that a stale order does no harm.
 *
 * Return: how many entries were reported, at least 1, or -%ENOSPC.
 */
static noinline long batch_folio(const struct hmm_batch *b, unsigned long done,
				 unsigned long seen)
{
	pte_t *ptep = b->ptep + done, first = hmm_read_pte(ptep);
	unsigned long word = hmm_kind_word(b->kind, first);
	unsigned long pfn = hmm_plain_pfn(first);
	unsigned long addr = batch_addr(b, done);
	struct page *head = compound_head(pfn_to_page(pfn));
	unsigned int largest = min(compound_order(head), PMD_SHIFT - PAGE_SHIFT);
	unsigned long nr, run, i, order;
	int stop = 0;

	/* As far as the folio goes, if it is still one. */
	nr = (1UL << compound_order(head)) - (pfn - page_to_pfn(head));
	nr = clamp(nr, 1, b->nr - done);
	run = min(seen, nr);
	while (run < nr &&
	       hmm_pte_follows(b->kind, first, hmm_read_pte(ptep + run), run))
		run++;
	for (i = 0; i < run && !stop; i += 1UL << order) {
		order = __ffs(((addr >> PAGE_SHIFT) + i) | (pfn + i) |
			      (1UL << largest));
		order = min_t(unsigned long, order, ilog2(run - i));
		stop = hmm_report(b->w, addr + (i << PAGE_SHIFT), 1UL << order,
				  (word + i) | hmm_pfn_order(order));
	}
	return stop ?: run;
}

/**
 * has_tail() - whether some of neighbouring pages can be part of a large folio
 * @pfn: the first page, aligned to @folio
 * @nr: how many
 * @folio: how many pages the smallest large folio can have
 *
 * The second page of @folio aligned ones is a tail if they are part of a large
 * folio at all.
 */
static __always_inline bool has_tail(unsigned long pfn, const unsigned long nr,
				     const unsigned long folio)
{
	const struct page *page = pfn_to_page(pfn + 1);
	unsigned long i;

	for (i = 0; i < nr; i += folio)
		if (PageTail(page + i))
			return true;
	return false;
}

/* Pages that follow each other, some of them in large folios. */
static noinline long batch_folios(const struct hmm_batch *b, unsigned long done,
				  unsigned long nr, unsigned long folio)
{
	pte_t first = hmm_read_pte(b->ptep + done);
	unsigned long word = hmm_kind_word(b->kind, first), i;
	unsigned long pfn = hmm_plain_pfn(first), order;
	long said;

	for (i = 0; i < nr; i += said) {
		order = batch_whole(b, done + i, pfn + i, nr - i);
		said = order ? 1UL << order : min(folio, nr - i);
		if (order || !has_tail(pfn + i, 1, 1))
			said = hmm_report(b->w, batch_addr(b, done + i), said,
					  (word + i) | hmm_pfn_order(order)) ?: said;
		else
			said = batch_folio(b, done + i, nr - i);
		if (said < 0)
			return said;
	}
	return i;
}

/*
 * Pages that follow each other. Words are written here: a call for each block
 * would cost two instructions a page (benchmark: snapshot-64k-folios).
 */
static __always_inline long batch_run(const struct hmm_batch *b,
				      unsigned long done,
				      const unsigned long nr,
				      const unsigned long folio,
				      const enum hmm_output out)
{
	pte_t first = hmm_read_pte(b->ptep + done);
	unsigned long word = hmm_kind_word(b->kind, first);
	unsigned long addr = batch_addr(b, done);
	unsigned long pfn = hmm_plain_pfn(first);

	if (folio && !(pfn & (folio - 1)) && has_tail(pfn, nr, folio)) {
		unsigned int order = batch_whole(b, done, pfn, nr);

		if (1UL << order != nr)
			return batch_folios(b, done, nr, folio);
		word |= hmm_pfn_order(order);
	}
	if (out != HMM_WORDS)
		return hmm_report(b->w, addr, nr, word) ?: nr;
	hmm_put(b->words + done, nr, word, 1, HMM_PFN_STICKY);
	return nr;
}

/* Write what there is to say of one plain entry. */
static __always_inline int say_one(struct hmm_walk *w, unsigned long addr,
				   unsigned long word, const enum hmm_output out)
{
	switch (out) {
	case HMM_WORDS:
		hmm_pfn_put(hmm_walk_words(w, addr), word);
		return HMM_WALK_DONE;
	case HMM_ENTRIES:
		*hmm_walk_words(w, addr) = hmm_format_entry(w->range->format, word);
		return HMM_WALK_DONE;
	default:
		return hmm_report(w, addr, 1, word);
	}
}

/* Entries one by one, for as long as they are alike; how many, or -ENOSPC. */
static __always_inline long batch_singles(const struct hmm_batch *b,
					  unsigned long done, unsigned long nr,
					  const enum hmm_output out)
{
	unsigned long i;

	for (i = 0; i < nr; i++) {
		pte_t pte = hmm_read_pte(b->ptep + done + i);
		int stop;

		if (hmm_kind_differs(b->kind, pte))
			break;
		stop = say_one(b->w, batch_addr(b, done + i),
			       hmm_kind_word(b->kind, pte), out);
		if (stop)
			return stop;
	}
	return i;
}

/*
 * Entries of a kind, none of them in a large folio. Two loops, of which the
 * first makes sure that no word has bits to keep: three instructions a page
 * less than looking at each (benchmark: snapshot-4k-shuffled).
 */
static __always_inline long batch_scattered(const struct hmm_batch *b,
					    unsigned long done,
					    const unsigned long nr,
					    const enum hmm_output out)
{
	const struct hmm_format *format = b->w->range->format;
	unsigned long *words = b->words + done;
	unsigned long flags, old = 0, i;
	pte_t *ptep = b->ptep + done;

	switch (out) {
	case HMM_WORDS:
		for (i = 0; i < nr; i++)
			old |= words[i];
		if (unlikely(old & HMM_PFN_STICKY))
			break;
		for (i = 0; i < nr; i++)
			words[i] = hmm_kind_word(b->kind, hmm_read_pte(ptep + i));
		return nr;
	case HMM_ENTRIES:
		flags = hmm_format_flags(format, b->kind.access);
		for (i = 0; i < nr; i++)
			words[i] = flags | hmm_plain_pfn(hmm_read_pte(ptep + i)) <<
					   format->pfn_shift;
		return nr;
	default:
		break;
	}
	return batch_singles(b, done, nr, out);
}

/* How many of @nr entries there are before one that can be in a large folio. */
static __always_inline unsigned long
batch_before_tail(const pte_t *ptep, const unsigned long nr,
		  const unsigned long folio)
{
	unsigned long i;

	for (i = 0; i < nr; i += folio) {
		pte_t first = hmm_read_pte(ptep + i);
		pte_t last = hmm_read_pte(ptep + i + folio - 1);
		unsigned long strays = hmm_pte_strays(first, last, folio - 1);

		if (likely(hmm_pfn_bits(strays)))
			continue;
		if (!(hmm_plain_pfn(first) & (folio - 1)) &&
		    has_tail(hmm_plain_pfn(first), 1, 1))
			break;
	}
	return i;
}

/**
 * batch_block() - report the next entries together, if they are simple enough
 * @b: the batch
 * @done: how many are reported already; the next one is at a border of folios
 * @nr: how many more; a constant
 * @folio: how many pages the smallest large folio can have; a constant; 0 when
 *	it does not matter
 * @out: what is written
 *
 * Return: how many were reported; 0 if they are not all alike; or -%ENOSPC.
 */
static __always_inline long batch_block(const struct hmm_batch *b,
					unsigned long done,
					const unsigned long nr,
					const unsigned long folio,
					const enum hmm_output out)
{
	pte_t *ptep = b->ptep + done;
	unsigned long before = nr;

	if (!hmm_pfn_bits(hmm_pte_strays(hmm_read_pte(ptep),
					 hmm_read_pte(ptep + nr - 1), nr - 1)) &&
	    scan_run(b->kind, ptep, nr))
		return batch_run(b, done, nr, folio, out);
	if (!scan_kind(b->kind, ptep, nr))
		return 0;
	if (folio)
		before = batch_before_tail(ptep, nr, folio);
	if (before == nr)
		return batch_scattered(b, done, nr, out);
	return before ? batch_singles(b, done, before, out) :
			batch_folio(b, done, 1);
}

/*
 * Blocks, one after the other for as long as each is reported whole: that
 * leaves one at a border again, which then need not be looked for (benchmark:
 * all of 4 KiB pages). How many entries were reported, or -ENOSPC.
 */
static __always_inline long batch_blocks(const struct hmm_batch *b,
					 const unsigned long start,
					 const unsigned long size,
					 const unsigned long folio,
					 const enum hmm_output out)
{
	unsigned long done = start;
	long said = size;

	for (; said == size && b->nr - done >= size; done += said) {
		said = batch_block(b, done, size, folio, out);
		if (said < 0)
			return said;
	}
	return done - start;
}

/**
 * batch_say() - report entries for as long as they are alike
 * @b: the batch; the first entry is plain
 * @folio: as for batch_block()
 * @out: what is written
 *
 * Return: how many entries were reported, at least 1, or -%ENOSPC.
 */
static __always_inline long batch_say(const struct hmm_batch *b,
				      const unsigned long folio,
				      const enum hmm_output out)
{
	unsigned long done = 0, nr;
	long said;

	while (done < b->nr) {
		said = 0;
		nr = b->nr - done;
		if (folio && batch_edge(b, done, folio)) {
			nr = min(nr, batch_edge(b, done, folio));
		} else if (nr >= HMM_SCAN) {
			nr = HMM_SCAN;
			said = batch_blocks(b, done, HMM_SCAN, folio, out);
		} else if (folio && nr >= folio) {
			nr = folio;
			said = batch_blocks(b, done, folio, folio, out);
		}
		if (!said) {
			said = batch_singles(b, done, nr, out);
			if (said >= 0 && said < nr)
				return done + said;
		}
		if (said < 0)
			return said;
		done += said;
	}
	return done;
}

/* One function for each, so that its loops have all registers. */
static noinline long batch_words_anon(const struct hmm_batch *b)
{
	return batch_say(b, HMM_FOLIO_ANON, HMM_WORDS);
}

static noinline long batch_words_file(const struct hmm_batch *b)
{
	return batch_say(b, HMM_FOLIO_FILE, HMM_WORDS);
}

static noinline long batch_entries(const struct hmm_batch *b)
{
	return batch_say(b, 0, HMM_ENTRIES);
}

static noinline long batch_extents_anon(const struct hmm_batch *b)
{
	return batch_say(b, HMM_FOLIO_ANON, HMM_EXTENTS);
}

static noinline long batch_extents_file(const struct hmm_batch *b)
{
	return batch_say(b, HMM_FOLIO_FILE, HMM_EXTENTS);
}

/* Empty entries; how many, or -ENOSPC. */
static long batch_empty(const struct hmm_batch *b)
{
	unsigned long nr = 1;

	while (nr < b->nr && !hmm_kind_differs(b->kind, hmm_read_pte(b->ptep + nr)))
		nr++;
	return hmm_report(b->w, b->addr, nr, 0) ?: nr;
}

/* How many entries of a batch the walk can go past without a fault. */
static unsigned long batch_until_lacking(const struct hmm_batch *b)
{
	unsigned long nr = 1;

	if (hmm_pfn_lacks(b->w->asked, b->kind.access))
		return 0;
	while (nr < b->nr && !hmm_kind_differs(b->kind, hmm_read_pte(b->ptep + nr)))
		nr++;
	return hmm_first_lacking(b->w, b->addr, nr, b->kind.access);
}

/**
 * batch() - report plain entries from the start of a stretch
 * @b: the entries; the first is plain, the others may be anything
 * @anon: whether they are of anonymous memory
 * @out: what is written
 *
 * Return: how many entries were reported; 0 when the first lacks something; or
 * -%ENOSPC.
 */
static __always_inline long batch(struct hmm_batch *b, bool anon,
				  const enum hmm_output out)
{
	/* Seldom: with full access nothing is lacking, whatever is asked. */
	if (hmm_pfn_lacks(b->w->asked | b->w->askable, b->kind.access)) {
		b->nr = batch_until_lacking(b);
		if (!b->nr)
			return 0;
	}
	if (!b->kind.access)
		return batch_empty(b);
	if (hmm_pfn_bits(b->kind.mask))
		return batch_singles(b, 0, b->nr, out);
	if (out == HMM_WORDS)
		return anon ? batch_words_anon(b) : batch_words_file(b);
	if (out == HMM_ENTRIES)
		return batch_entries(b);
	return anon ? batch_extents_anon(b) : batch_extents_file(b);
}

/* Whether what begins with an entry of @kind is worth a batch: not if @nr is 1. */
static __always_inline bool worth_batch(struct hmm_kind kind, const pte_t *ptep,
					unsigned long nr,
					const unsigned long folio)
{
	return nr >= folio && !hmm_kind_differs(kind, hmm_read_pte(ptep + 1)) &&
	       !hmm_kind_differs(kind, hmm_read_pte(ptep + folio - 1));
}

/**
 * table() - report the entries of one table, or of part of one
 * @w: the walk; from &hmm_walk.resume on
 * @end: up to where
 * @ptep: the first entry; the table is mapped, under RCU
 * @out: what is written; a constant, and each has a function of its own
 *
 * Return: as hmm_table().
 */
static __always_inline int table(struct hmm_walk *w, unsigned long end,
				 pte_t *ptep,
				 const enum hmm_output out)
{
	const unsigned long askable = w->asked | w->askable;
	const bool anon = vma_is_anonymous(w->vma);
	const unsigned long folio = anon ? HMM_FOLIO_ANON : HMM_FOLIO_FILE;
	unsigned long addr = w->resume;
	int stop = HMM_WALK_DONE;
	long said;

	for (; addr < end; addr += said << PAGE_SHIFT, ptep += said) {
		pte_t pte = hmm_read_pte(ptep);
		struct hmm_kind kind = hmm_kind_of(w->vma, pte);
		unsigned long nr = (end - addr) >> PAGE_SHIFT;

		said = 1;
		if (!kind.mask) {
			stop = hmm_leaf_pte(w, addr, pte);
		} else if (worth_batch(kind, ptep, nr, folio)) {
			struct hmm_batch b = {
				.w = w,
				.ptep = ptep,
				.addr = addr,
				.nr = nr,
				.kind = kind,
				.words = out == HMM_EXTENTS ? NULL :
					 hmm_walk_words(w, addr),
			};

			said = batch(&b, anon, out);
			if (said <= 0)
				stop = said ?: HMM_WALK_MISSING;
		} else if (!hmm_pfn_lacks(askable, kind.access)) {
			/* Few alike among others: each for itself. */
			stop = say_one(w, addr, hmm_kind_word(kind, pte), out);
		} else {
			stop = hmm_leaf_pte(w, addr, pte);
		}
		if (stop) {
			hmm_missing(w, addr, end);
			break;
		}
	}
	return stop;
}

/**
 * hmm_table() - report the entries of one table, or of part of one
 * @w: the walk; from &hmm_walk.resume on
 * @end: up to where
 * @ptep: the first entry; the table is mapped, under RCU
 *
 * Return: an &enum hmm_walk_stop, with &hmm_walk.resume where it stopped;
 * %HMM_LEAF_MIGRATING; or an error of hmm_range_fault().
 */
int hmm_table(struct hmm_walk *w, unsigned long end, pte_t *ptep)
{
	switch (w->output) {
	case HMM_WORDS:
		return table(w, end, ptep, HMM_WORDS);
	case HMM_ENTRIES:
		return table(w, end, ptep, HMM_ENTRIES);
	default:
		return table(w, end, ptep, HMM_EXTENTS);
	}
}
