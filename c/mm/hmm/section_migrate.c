// SPDX-License-Identifier: GPL-2.0
/*
 * Sections that migrate: move a batch of pages to device memory, and hold it
 * until the section is done with it.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "devmem_transfer.h"
#include "pfn.h"

/**
 * struct hmm_section_migration - pages of a mirror on their way to a device
 * @transfer: how they get there
 * @mm: whose they are; its mmap lock is held while @held
 * @held: they have moved, and are locked
 * @pfns: room for the words that tell where they are
 */
struct hmm_section_migration {
	struct hmm_devmem_transfer transfer;
	struct mm_struct *mm;
	bool held;
	unsigned long pfns[];
};

/**
 * hmm_section_migration_alloc() - prepare to move pages of a mirror
 * @to: the device memory
 * @write: whether the device is going to write to them
 *
 * Return: for hmm_section_migration_begin(); NULL if there is no memory.
 */
struct hmm_section_migration *hmm_section_migration_alloc(struct hmm_devmem *to,
							  bool write)
{
	struct hmm_section_migration *move =
		kvzalloc(struct_size(move, pfns, HMM_DEVMEM_BATCH), GFP_KERNEL);

	if (!move)
		return NULL;
	move->transfer = hmm_devmem_transfer_to(to);
	if (hmm_devmem_alloc_mpfns(&move->transfer, HMM_DEVMEM_BATCH)) {
		kvfree(move);
		return NULL;
	}
	if (write)
		move->transfer.args.flags |= HMM_MIGRATE_FAULT_WRITE;
	return move;
}

void hmm_section_migration_free(struct hmm_section_migration *move)
{
	if (!move)
		return;
	hmm_devmem_free_mpfns(&move->transfer);
	kvfree(move);
}

/* Room for the words of HMM_DEVMEM_BATCH pages. */
unsigned long *hmm_section_migration_pfns(struct hmm_section_migration *move)
{
	return move->pfns;
}

/* May the device write to the page that the word at @i has moved to? */
static bool hmm_section_migration_writable(const struct hmm_devmem_transfer *t,
					   unsigned long i)
{
	if (t->args.src[i] & MIGRATE_PFN_VALID)
		return t->args.src[i] & MIGRATE_PFN_WRITE;
	return t->args.vma->vm_flags & VM_WRITE;
}

/* The HMM_PFN_* words of the pages that the word at @i has moved to. */
static unsigned long
hmm_section_migration_report(const struct hmm_devmem_transfer *t,
			     unsigned long i, unsigned long *pfns)
{
	struct page *page = migrate_pfn_to_page(t->args.dst[i]);
	unsigned long word =
		page_to_pfn(page) |
		hmm_pfn_access(hmm_section_migration_writable(t, i));
	unsigned int order = folio_order(page_folio(page));
	unsigned long j;

	/* mremap() may have torn address and folio apart. */
	if (IS_ALIGNED(t->args.start + (i << PAGE_SHIFT), PAGE_SIZE << order))
		word |= hmm_pfn_order(order);
	for (j = 0; j < 1UL << order; j++)
		pfns[i + j] = word + j;
	return j;
}

/*
 * Has all of the batch moved, in a way that its words follow from the transfer?
 * Then they are written. Userfaultfd's bits are in the page table only.
 */
static bool
hmm_section_migration_report_all(const struct hmm_devmem_transfer *t,
				 unsigned long *pfns)
{
	unsigned long i;

	if (userfaultfd_armed(t->args.vma))
		return false;
	for (i = 0; i < t->args.npages; )
		i += hmm_section_migration_report(t, i, pfns);
	for (i = 0; i < t->args.npages; i++)
		if ((t->args.flags & HMM_MIGRATE_FAULT_WRITE) &&
		    !(pfns[i] & HMM_PFN_WRITE))
			return false;
	return true;
}

/*
 * Setup can end before the end that was chosen, even at the start: the batch has
 * the pages up to args.end as it is now.
 */
static bool hmm_section_migration_try(struct hmm_devmem_transfer *t,
				      unsigned long *pfns)
{
	long moved = hmm_devmem_transfer_begin(t);

	if (moved > 0 && moved == (t->args.end - t->args.start) >> PAGE_SHIFT &&
	    hmm_section_migration_report_all(t, pfns))
		return true;
	if (moved >= 0)
		hmm_devmem_transfer_end(t);
	return false;
}

/**
 * hmm_section_migration_begin() - move pages of a mirror to a device, and keep hold of them
 * @move: from hmm_section_migration_alloc()
 * @mm: whose pages
 * @span: which, no more than HMM_DEVMEM_BATCH of them. On a return of 1 those of
 *	them that @pfns reports; otherwise those that lie in one VMA and under one
 *	PMD
 * @pfns: room for a HMM_PFN_* word for each
 *
 * When all of the pages have moved they are locked until hmm_section_migration_end(), and
 * the CPU that touches one waits until then, so that nothing but zapping can
 * take them from the device. If some page stays where it is none is held, and
 * those that moved are mapped.
 *
 * Context: Process context; may sleep. No mmap lock is held, but on a return of
 * 1 it is, for reading.
 *
 * Return: 1 if they are held, and @pfns tells where they are; 0 if not; -EINTR.
 */
int hmm_section_migration_begin(struct hmm_section_migration *move,
				struct mm_struct *mm, struct hmm_span *span,
				unsigned long *pfns)
{
	struct hmm_devmem_transfer *t = &move->transfer;

	hmm_devmem_grow_if_low(t->to);
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	move->mm = mm;
	if (!hmm_devmem_choose_batch(t, mm, span->start, span->end)) {
		span->end = t->args.end;
		move->held = hmm_section_migration_try(t, pfns);
		if (move->held)
			span->end = t->args.end;
	}
	if (!move->held)
		mmap_read_unlock(mm);
	return move->held;
}

/**
 * hmm_section_migration_end() - let go of pages that have moved
 * @move: from hmm_section_migration_alloc(); nothing happens if it holds nothing
 */
void hmm_section_migration_end(struct hmm_section_migration *move)
{
	if (!move || !move->held)
		return;
	hmm_devmem_transfer_end(&move->transfer);
	mmap_read_unlock(move->mm);
	move->held = false;
}
