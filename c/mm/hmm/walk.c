// SPDX-License-Identifier: GPL-2.0
/*
 * The walker: what is mapped, in one word a page.
 *
 * The kernel's page walker descends; here is what happens at a leaf. A walk
 * never faults. Where something is missing that was asked for, it notes the
 * place in struct hmm_walk and unwinds, so that the fault runs with no page
 * table lock held (fault.c), and is then resumed at that place.
 *
 * Two things are decided as rarely as possible, since they would otherwise be
 * most of the work: whether a page falls short of what is asked (once for
 * pages with the same access, hmm_first_lacking()), and what an entry is (once
 * for entries of the same kind, leaf.h).
 */
#include <linux/swap.h> /* 7.2: leafops.h needs it */
#include <linux/hugetlb.h>
#include <linux/leafops.h>
#include <linux/log2.h>
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>

#include "compat-kernel.h"
#include "leaf.h"
#include "walk.h"

/* A page is being migrated: to be waited for once the table is unmapped. */
#define HMM_LEAF_MIGRATING (HMM_WALK_AGAIN + 1)

/* How many words are written together where no table entry is looked at. */
#define HMM_PUT_BLOCK 16

/**
 * hmm_put() - write the words of pages that have something in common
 * @words: where to
 * @nr: how many
 * @word: the first one's word
 * @step: 1 when the pages follow each other physically, 0 when all words are
 *	alike; a constant
 *
 * Seldom does a word carry a sticky bit, and where none of a block does the old
 * words need not be merged in. That leaves a load, an add and a store a page
 * (benchmark: snapshot-2m).
 */
static __always_inline void hmm_put(unsigned long *words, unsigned long nr,
				    unsigned long word, const unsigned long step)
{
	for (; nr >= HMM_PUT_BLOCK; nr -= HMM_PUT_BLOCK) {
		unsigned long old = 0, i;

		for (i = 0; i < HMM_PUT_BLOCK; i++)
			old |= words[i];
		if (unlikely(old & HMM_PFN_STICKY))
			break;
		for (i = 0; i < HMM_PUT_BLOCK; i++)
			words[i] = word + i * step;
		word += HMM_PUT_BLOCK * step;
		words += HMM_PUT_BLOCK;
	}
	for (; nr; nr--, words++, word += step)
		hmm_pfn_put(words, word);
}

/* Write the words of pages that follow each other. */
static noinline void hmm_put_run(unsigned long *words, unsigned long nr,
				 unsigned long word)
{
	hmm_put(words, nr, word, 1);
}

/* Write one word for all of some pages. */
static noinline void hmm_put_same(unsigned long *words, unsigned long nr,
				  unsigned long word)
{
	hmm_put(words, nr, word, 0);
}

static int hmm_missing(struct hmm_walk *w, unsigned long addr,
		       unsigned long end)
{
	w->resume = addr;
	w->missing_end = end;
	return HMM_WALK_MISSING;
}

/**
 * hmm_first_lacking() - find a page that needs more than it has
 * @w: the walk
 * @words: incoming words of pages that all have the same access
 * @nr: how many
 * @access: what they have; 0 when they are absent
 *
 * The words are read only if they can make a difference: not when even the sum
 * of all possible requests is met, and not when what is asked of every page
 * already is not.
 *
 * Return: the index of the first page whose request is not met, or @nr.
 */
static unsigned long hmm_first_lacking(const struct hmm_walk *w,
				       const unsigned long *words,
				       unsigned long nr, unsigned long access)
{
	unsigned long i;

	if (!hmm_pfn_lacks(w->asked | w->askable, access))
		return nr;
	if (hmm_pfn_lacks(w->asked, access))
		return 0;
	for (i = 0; i < nr; i++)
		if (hmm_pfn_lacks(hmm_walk_request(w, words[i]), access))
			break;
	return i;
}

/**
 * hmm_block() - report a stretch that one table entry, or none, stands for
 * @w: the walk
 * @addr: first address
 * @end: address after the last
 * @word: the first page's word; 0 where nothing is mapped
 *
 * Return: %HMM_WALK_DONE, or %HMM_WALK_MISSING where a page lacks something.
 */
static int hmm_block(struct hmm_walk *w, unsigned long addr, unsigned long end,
		     unsigned long word)
{
	unsigned long nr = (end - addr) >> PAGE_SHIFT;
	unsigned long *words = hmm_walk_words(w, addr);
	unsigned long access = word & HMM_PFN_WRITABLE;

	if (hmm_first_lacking(w, words, nr, access) < nr)
		return hmm_missing(w, addr, end);
	if (access)
		hmm_put_run(words, nr, word);
	else
		hmm_put_same(words, nr, word);
	return HMM_WALK_DONE;
}

/* Report a stretch where no page can be had; asking for one is an error. */
static int hmm_block_error(struct hmm_walk *w, unsigned long addr,
			   unsigned long end)
{
	unsigned long nr = (end - addr) >> PAGE_SHIFT;
	unsigned long *words = hmm_walk_words(w, addr);

	if (hmm_first_lacking(w, words, nr, 0) < nr)
		return -EFAULT;
	hmm_put_same(words, nr, HMM_PFN_ERROR);
	return HMM_WALK_DONE;
}

/* The word for @addr of a leaf of @size bytes that maps @pfn at its start. */
static unsigned long hmm_leaf_word(unsigned long addr, unsigned long pfn,
				   unsigned long size, bool writable)
{
	return (pfn + ((addr & (size - 1)) >> PAGE_SHIFT)) |
	       hmm_pfn_access(writable) |
	       hmm_pfn_order(ilog2(size) - PAGE_SHIFT);
}

static bool hmm_owns(const struct hmm_walk *w, softleaf_t entry)
{
	return softleaf_is_device_private(entry) &&
	       page_pgmap(softleaf_to_page(entry))->owner ==
		       w->range->dev_private_owner;
}

/* An entry with which the CPU cannot reach memory. */
static int hmm_leaf_softleaf(struct hmm_walk *w, softleaf_t entry,
			     unsigned long *word)
{
	if (hmm_owns(w, entry)) {
		hmm_pfn_put(word, softleaf_to_pfn(entry) |
			    hmm_pfn_access(softleaf_is_device_private_write(entry)));
		return HMM_WALK_DONE;
	}
	if (!hmm_pfn_lacks(hmm_walk_request(w, *word), 0)) {
		hmm_pfn_put(word, 0);
		return HMM_WALK_DONE;
	}
	if (softleaf_is_migration(entry))
		return HMM_LEAF_MIGRATING;
	if (softleaf_is_swap(entry) || softleaf_is_device_private(entry) ||
	    softleaf_is_device_exclusive(entry))
		return HMM_WALK_MISSING;
	return -EFAULT;
}

/* An entry with which the CPU can, or will be able to, reach memory. */
static int hmm_leaf_present(struct hmm_walk *w, struct vm_area_struct *vma,
			    unsigned long addr, pte_t pte)
{
	unsigned long *word = hmm_walk_words(w, addr);
	unsigned long access = 0;

	if (!pte_protnone(pte))
		access = hmm_pfn_access(pte_write(pte));
	if (hmm_first_lacking(w, word, 1, access) < 1)
		return HMM_WALK_MISSING;
	/* A zero page is as good as any other to read from. */
	if (!is_zero_pfn(pte_pfn(pte)) && !vm_normal_page(vma, addr, pte))
		return hmm_block_error(w, addr, addr + PAGE_SIZE);
	hmm_pfn_put(word, access ? pte_pfn(pte) | access : 0);
	return HMM_WALK_DONE;
}

/* Any one entry, of whichever kind. */
static int hmm_leaf_pte(struct hmm_walk *w, struct vm_area_struct *vma,
			unsigned long addr, pte_t pte)
{
	unsigned long *word = hmm_walk_words(w, addr);

	if (pte_present(pte))
		return hmm_leaf_present(w, vma, addr, pte);
	if (!pte_none(pte) && !pte_is_uffd_wp_marker(pte))
		return hmm_leaf_softleaf(w, softleaf_from_pte(pte), word);
	if (hmm_first_lacking(w, word, 1, 0) < 1)
		return HMM_WALK_MISSING;
	hmm_pfn_put(word, 0);
	return HMM_WALK_DONE;
}

/**
 * struct hmm_batch - entries of one table, waiting to be reported
 * @ptep: the first one
 * @words: its word
 * @index: its virtual page number; only the alignment matters
 * @nr: how many
 * @kind: what the first one is, and how far the others are alike
 */
struct hmm_batch {
	pte_t *ptep;
	unsigned long *words;
	unsigned long index;
	unsigned long nr;
	struct hmm_kind kind;
};

/* How many of @nr entries, of which @first is the first, map one after another. */
static __always_inline unsigned long
hmm_run_length(struct hmm_kind kind, pte_t first, pte_t *ptep, unsigned long nr)
{
	unsigned long run = 0, strays = 0, i;

	for (; nr - run >= 4; run += 4) {
		for (i = 0; i < 4; i++)
			strays |= hmm_kind_strays(kind, first,
						  hmm_read_pte(ptep + run + i), run + i);
		if (strays)
			break;
	}
	while (run < nr &&
	       !hmm_kind_strays(kind, first, hmm_read_pte(ptep + run), run))
		run++;
	return run;
}

/**
 * hmm_batch_folio() - report the part of a large folio that lies ahead
 * @b: the batch
 * @done: how many of its entries are reported already
 *
 * An order is claimed for entries that were seen to be contiguous, alike and
 * aligned, as far as one folio goes: for a folio that is mapped whole its own
 * order, for the ends of one that is not, smaller ones.
 *
 * No reference is held, so the folio can change while one looks. Then the
 * caller's sequence has changed too, and what is said here is thrown away; it
 * is enough that a stale order does no harm.
 *
 * Return: how many entries were reported, at least 1.
 */
static noinline unsigned long hmm_batch_folio(const struct hmm_batch *b,
					      unsigned long done)
{
	pte_t *ptep = b->ptep + done, first = hmm_read_pte(ptep);
	unsigned long word = hmm_kind_word(b->kind, first);
	unsigned long pfn = word & ~HMM_PFN_FLAGS, index = b->index + done;
	struct page *head = compound_head(pfn_to_page(pfn));
	unsigned int largest = min(compound_order(head), PMD_SHIFT - PAGE_SHIFT);
	unsigned long nr, i, run, order;

	/* As far as the folio goes, if it is still one. */
	nr = (1UL << compound_order(head)) - (pfn - page_to_pfn(head));
	nr = clamp(nr, 1, b->nr - done);
	run = hmm_run_length(b->kind, first, ptep, nr);
	for (i = 0; i < run; i += 1UL << order) {
		order = __ffs((index + i) | (pfn + i) | (1UL << largest));
		order = min_t(unsigned long, order, ilog2(run - i));
		hmm_put_run(b->words + done + i, 1UL << order,
			    (word + i) | hmm_pfn_order(order));
	}
	return run;
}

/**
 * hmm_batch_whole() - report a large folio that is mapped whole, in one pass
 * @b: the batch
 * @done: how many of its entries are reported already
 * @word: the next one's word
 * @block: as for hmm_batch_blocks()
 *
 * Goes on to the folio's end, or to the first entry with which something is
 * out of the ordinary; what was written until then is written again by
 * hmm_batch_folio() (benchmark: snapshot-64k-folios).
 *
 * Return: how many entries were reported; 0 if the folio is not so simple.
 */
static __always_inline unsigned long
hmm_batch_whole(const struct hmm_batch *b, unsigned long done,
		unsigned long word, const unsigned long block)
{
	unsigned int order = compound_order(pfn_to_page(word & ~HMM_PFN_FLAGS));
	unsigned long nr = 1UL << order, *words = b->words + done, at, i;
	pte_t *ptep = b->ptep + done, first = hmm_read_pte(ptep);
	const struct hmm_kind kind = b->kind;

	if (!order || nr > b->nr - done || ((b->index + done) & (nr - 1)))
		return 0;
	word += hmm_pfn_order(order);
	for (at = 0; at < nr; at += block) {
		unsigned long strays = 0, old = 0;

		for (i = 0; i < block; i++) {
			strays |= hmm_kind_strays(kind, first,
						  hmm_read_pte(ptep + at + i), at + i);
			old |= words[at + i];
		}
		if (strays || (old & HMM_PFN_STICKY))
			return 0;
		for (i = 0; i < block; i++)
			words[at + i] = word + at + i;
	}
	return nr;
}

/* Report what there is of a large folio, in one way or the other. */
static noinline unsigned long hmm_batch_large(const struct hmm_batch *b,
					      unsigned long done, unsigned long word,
					      const unsigned long block)
{
	unsigned long nr = block == 4 ? hmm_batch_whole(b, done, word, 4) :
					hmm_batch_whole(b, done, word, 2);

	return nr ?: hmm_batch_folio(b, done);
}

/**
 * hmm_batch_blocks() - report entries block by block
 * @b: the batch
 * @done: how many are reported already; the next one is aligned to a block
 * @block: how many pages the smallest large folio can have here, 2 or 4
 *
 * One test tells that the entries of a block are all of the batch's kind, and
 * that none of the words has bits to keep, and one whether it can be part of a
 * large folio. Only then is a struct page read, which may cost a cache miss:
 * that of the second page, which is a tail if there is a large folio at all.
 *
 * Return: @done plus what was reported; stops before a block that is not so
 * simple or is cut by the end, and after a folio whose end is not a block's.
 */
static __always_inline unsigned long
hmm_batch_blocks(const struct hmm_batch *b, unsigned long done,
		 const unsigned long block)
{
	const struct hmm_kind kind = b->kind;
	unsigned long *words = b->words, last = b->nr - block;
	pte_t *ptep = b->ptep;

	if (b->nr < block)
		return done;
	while (done <= last) {
		unsigned long word[4], differs = 0, old = 0, i;

		for (i = 0; i < block; i++) {
			pte_t pte = hmm_read_pte(ptep + done + i);

			differs |= hmm_kind_differs(kind, pte);
			old |= words[done + i];
			word[i] = hmm_kind_word(kind, pte);
		}
		if (differs || (old & HMM_PFN_STICKY))
			break;
		if (word[block - 1] - word[0] == block - 1 &&
		    !(word[0] & (block - 1)) &&
		    PageTail(pfn_to_page(word[1] & ~HMM_PFN_FLAGS))) {
			done += hmm_batch_large(b, done, word[0], block);
			if ((b->index + done) & (block - 1))
				break;
			continue;
		}
		for (i = 0; i < block; i++)
			words[done + i] = word[i];
		done += block;
	}
	return done;
}

/**
 * hmm_batch_say() - report entries for as long as they are alike
 * @b: the batch; the first entry is plain
 * @block: as for hmm_batch_blocks()
 *
 * Return: how many entries were reported, at least 1.
 */
static __always_inline unsigned long
hmm_batch_say(const struct hmm_batch *b, const unsigned long block)
{
	unsigned long done = 0, edge;

	while (done < b->nr) {
		if (!((b->index + done) & (block - 1)))
			done = hmm_batch_blocks(b, done, block);
		edge = min(round_up(b->index + done + 1, block) - b->index, b->nr);
		for (; done < edge; done++) {
			pte_t pte = hmm_read_pte(b->ptep + done);

			if (hmm_kind_differs(b->kind, pte))
				return done;
			hmm_pfn_put(b->words + done, hmm_kind_word(b->kind, pte));
		}
	}
	return done;
}

/*
 * Anonymous large folios have at least four pages, those of files two. Two
 * functions, and not inlined: the loop within needs every register there is.
 */
static noinline unsigned long hmm_batch_say_anon(const struct hmm_batch *b)
{
	return hmm_batch_say(b, 4);
}

static noinline unsigned long hmm_batch_say_file(const struct hmm_batch *b)
{
	return hmm_batch_say(b, 2);
}

/**
 * hmm_batch() - report plain entries from the start of a stretch
 * @w: the walk
 * @vma: the VMA they belong to
 * @b: the entries; the first is plain, the others may be anything
 *
 * Return: how many entries were reported; 0 when the first lacks something.
 */
static unsigned long hmm_batch(const struct hmm_walk *w,
			       const struct vm_area_struct *vma,
			       struct hmm_batch *b)
{
	unsigned long nr = 1;

	/* Seldom: with full access nothing is lacking, whatever is asked. */
	if (hmm_pfn_lacks(w->asked | w->askable, b->kind.access)) {
		if (hmm_pfn_lacks(w->asked, b->kind.access))
			return 0;
		while (nr < b->nr &&
		       !hmm_kind_differs(b->kind, hmm_read_pte(b->ptep + nr)))
			nr++;
		b->nr = hmm_first_lacking(w, b->words, nr, b->kind.access);
	}
	return vma_is_anonymous(vma) ? hmm_batch_say_anon(b) :
				       hmm_batch_say_file(b);
}

/* The entries of one table, from w->resume on; it is mapped, under RCU. */
static int hmm_table(struct hmm_walk *w, struct vm_area_struct *vma,
		     unsigned long end, pte_t *ptep)
{
	const unsigned long askable = w->asked | w->askable;
	unsigned long addr = w->resume, nr;
	int stop = HMM_WALK_DONE;

	for (; addr < end; addr += nr << PAGE_SHIFT, ptep += nr) {
		pte_t pte = hmm_read_pte(ptep);
		struct hmm_kind kind = hmm_kind_of(pte);

		nr = 1;
		if (!kind.mask) {
			stop = hmm_leaf_pte(w, vma, addr, pte);
		} else if (addr + PAGE_SIZE < end &&
			   !hmm_kind_differs(kind, hmm_read_pte(ptep + 1))) {
			struct hmm_batch b = {
				.ptep = ptep,
				.words = hmm_walk_words(w, addr),
				.index = addr >> PAGE_SHIFT,
				.nr = (end - addr) >> PAGE_SHIFT,
				.kind = kind,
			};

			nr = hmm_batch(w, vma, &b);
			stop = nr ? HMM_WALK_DONE : HMM_WALK_MISSING;
		} else if (!hmm_pfn_lacks(askable, kind.access)) {
			/* Alone among others: not worth a batch. */
			hmm_pfn_put(hmm_walk_words(w, addr),
				    hmm_kind_word(kind, pte));
		} else {
			stop = hmm_leaf_pte(w, vma, addr, pte);
		}
		if (stop) {
			hmm_missing(w, addr, end);
			break;
		}
	}
	return stop;
}

/* A PMD entry that is neither empty nor present. */
static int hmm_pmd_softleaf(struct hmm_walk *w, pmd_t *pmdp, pmd_t pmd,
			    unsigned long addr, unsigned long end)
{
	unsigned long nr = (end - addr) >> PAGE_SHIFT;
	softleaf_t entry;

	if (thp_migration_supported() && pmd_is_migration_entry(pmd)) {
		if (hmm_block(w, addr, end, 0) == HMM_WALK_DONE)
			return HMM_WALK_DONE;
		pmd_migration_entry_wait(w->range->notifier->mm, pmdp);
		return HMM_WALK_AGAIN;
	}
	if (HMM_PMD_SOFTLEAVES) {
		entry = softleaf_from_pmd(pmd);
		if (hmm_owns(w, entry))
			return hmm_block(w, addr, end,
					 hmm_leaf_word(addr, softleaf_to_pfn(entry), PMD_SIZE,
						       softleaf_is_device_private_write(entry)));
		if (softleaf_is_device_private(entry) &&
		    hmm_first_lacking(w, hmm_walk_words(w, addr), nr, 0) < nr)
			return hmm_missing(w, addr, end);
	}
	return hmm_block_error(w, addr, end);
}

static int hmm_walk_pmd(pmd_t *pmdp, unsigned long addr, unsigned long end,
			struct mm_walk *walk)
{
	struct hmm_walk *w = walk->private;
	pmd_t pmd = pmdp_get_lockless(pmdp);
	pte_t *ptep;
	int stop;

	if (pmd_none(pmd))
		return hmm_block(w, addr, end, 0);
	if (!pmd_present(pmd))
		return hmm_pmd_softleaf(w, pmdp, pmd, addr, end);
	/*
	 * No lock: the entry was read once, and a split or zap of it since
	 * shows in the caller's sequence.
	 */
	if (pmd_trans_huge(pmd))
		return hmm_block(w, addr, end, pmd_protnone(pmd) ? 0 :
				 hmm_leaf_word(addr, pmd_pfn(pmd), PMD_SIZE, pmd_write(pmd)));
	if (pmd_bad(pmd))
		return hmm_block_error(w, addr, end);

	ptep = pte_offset_map(pmdp, addr);
	if (!ptep) {
		walk->action = ACTION_AGAIN;
		return 0;
	}
	w->resume = addr;
	stop = hmm_table(w, walk->vma, end, ptep);
	pte_unmap(ptep);
	if (stop == HMM_LEAF_MIGRATING) {
		migration_entry_wait(walk->mm, pmdp, w->resume);
		stop = HMM_WALK_AGAIN;
	}
	return stop;
}

#ifdef CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD
static int hmm_walk_pud(pud_t *pudp, unsigned long addr, unsigned long end,
			struct mm_walk *walk)
{
	spinlock_t *ptl = pud_trans_huge_lock(pudp, walk->vma);
	unsigned long word = 0;
	pud_t pud;

	if (!ptl)
		return 0;
	pud = pudp_get(pudp);
	spin_unlock(ptl);

	/* Leaves are reported whole, never split. */
	if (pud_present(pud)) {
		if (!pud_leaf(pud))
			return 0;
		word = hmm_leaf_word(addr, pud_pfn(pud), PUD_SIZE, pud_write(pud));
	}
	walk->action = ACTION_CONTINUE;
	return hmm_block(walk->private, addr, end, word);
}
#else
#define hmm_walk_pud NULL
#endif

#ifdef CONFIG_HUGETLB_PAGE
static int hmm_walk_hugetlb(pte_t *ptep, unsigned long hmask,
			    unsigned long addr, unsigned long end,
			    struct mm_walk *walk)
{
	struct hstate *h = hstate_vma(walk->vma);
	spinlock_t *ptl = huge_pte_lock(h, walk->mm, ptep);
	pte_t pte = huge_ptep_get(walk->mm, addr, ptep);
	unsigned long word = 0;

	spin_unlock(ptl);
	if (pte_present(pte) && !pte_protnone(pte))
		word = hmm_leaf_word(addr, pte_pfn(pte), huge_page_size(h), pte_write(pte));
	return hmm_block(walk->private, addr, end, word);
}
#else
#define hmm_walk_hugetlb NULL
#endif

static int hmm_walk_hole(unsigned long addr, unsigned long end, int depth,
			 struct mm_walk *walk)
{
	if (!walk->vma)
		return hmm_block_error(walk->private, addr, end);
	return hmm_block(walk->private, addr, end, 0);
}

/*
 * Memory without struct pages behind it cannot be mirrored. What cannot be
 * read cannot be written either, on any architecture that has HMM.
 */
static bool hmm_vma_unfit(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_IO | VM_PFNMAP)) ||
	       !(vma->vm_flags & VM_READ);
}

static int hmm_walk_test(unsigned long addr, unsigned long end,
			 struct mm_walk *walk)
{
	if (!hmm_vma_unfit(walk->vma))
		return 0;
	return hmm_block_error(walk->private, addr, end) ?: 1;
}

static const struct mm_walk_ops hmm_walk_mmap_ops = {
	.pud_entry	= hmm_walk_pud,
	.pmd_entry	= hmm_walk_pmd,
	.pte_hole	= hmm_walk_hole,
	.hugetlb_entry	= hmm_walk_hugetlb,
	.test_walk	= hmm_walk_test,
	.walk_lock	= PGWALK_RDLOCK,
};

static const struct mm_walk_ops hmm_walk_vma_ops = {
	.pud_entry	= hmm_walk_pud,
	.pmd_entry	= hmm_walk_pmd,
	.pte_hole	= hmm_walk_hole,
	.hugetlb_entry	= hmm_walk_hugetlb,
	.walk_lock	= PGWALK_VMA_RDLOCK_VERIFY,
};

/**
 * hmm_walk_init() - prepare a walk
 * @w: the walk
 * @range: what to walk
 *
 * Which requests are possible at all is settled here, once for the range.
 */
void hmm_walk_init(struct hmm_walk *w, struct hmm_range *range)
{
	*w = (struct hmm_walk){
		.range = range,
		.asked = range->default_flags & HMM_PFN_REQUEST,
		.askable = range->pfn_flags_mask & HMM_PFN_REQUEST,
		.resume = range->start,
	};
}

/**
 * hmm_walk_mmap() - walk on, to the end of the range
 * @w: the walk
 *
 * Context: the mmap lock is held.
 * Return: an &enum hmm_walk_stop; -%EFAULT where something was asked for that
 * cannot be had; -%EINVAL for an empty or reversed range.
 */
int hmm_walk_mmap(struct hmm_walk *w)
{
	return walk_page_range(w->range->notifier->mm, w->resume, w->range->end,
			       &hmm_walk_mmap_ops, w);
}

/**
 * hmm_walk_vma() - walk on, to the end of a VMA or of the range
 * @w: the walk; &hmm_walk.resume lies in @vma, and is moved on
 * @vma: a VMA
 *
 * Context: @vma is locked for reading.
 * Return: as hmm_walk_mmap().
 */
int hmm_walk_vma(struct hmm_walk *w, struct vm_area_struct *vma)
{
	unsigned long end = min(w->range->end, vma->vm_end);
	int stop;

	if (hmm_vma_unfit(vma))
		stop = hmm_block_error(w, w->resume, end);
	else
		stop = walk_page_range_vma(vma, w->resume, end,
					   &hmm_walk_vma_ops, w);
	if (stop == HMM_WALK_DONE)
		w->resume = end;
	return stop;
}
