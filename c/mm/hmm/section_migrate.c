// SPDX-License-Identifier: GPL-2.0
/*
 * Sections that migrate: a batch of pages is migrated to device memory, and its
 * folios stay locked until the section has processed it.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/userfaultfd_k.h>

#include "devmem_transfer.h"
#include "pfn.h"

/**
 * struct hmm_section_migration - the migration state of a section
 * @transfer: the transfer of the current batch
 * @mm: the process; its mmap lock is held while @held
 * @held: the current batch has migrated, and its folios are locked
 * @pfns: room for the hmm pfns of a batch
 */
struct hmm_section_migration {
	struct hmm_devmem_transfer transfer;
	struct mm_struct *mm;
	bool held;
	unsigned long pfns[];
};

/**
 * hmm_section_migration_alloc() - allocate the state of a section that migrates
 * @to: the device memory
 * @write: whether the device is going to write to the pages
 *
 * Context: Process context; may sleep.
 * Return: the state, to be freed by hmm_section_migration_free(); %NULL if there is
 * no memory.
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

/* Free the state of hmm_section_migration_alloc(). No batch is held. */
void hmm_section_migration_free(struct hmm_section_migration *move)
{
	if (!move)
		return;
	hmm_devmem_free_mpfns(&move->transfer);
	kvfree(move);
}

/* Room for HMM_DEVMEM_BATCH hmm pfns. */
unsigned long *hmm_section_migration_pfns(struct hmm_section_migration *move)
{
	return move->pfns;
}

/* Whether the device may write to the page that has migrated at @i. */
static bool hmm_section_migration_writable(const struct hmm_devmem_transfer *t,
					   unsigned long i)
{
	if (t->args.src[i] & MIGRATE_PFN_VALID)
		return t->args.src[i] & MIGRATE_PFN_WRITE;
	return t->args.vma->vm_flags & VM_WRITE;
}

/* Write the hmm pfns of the folio that has migrated at @i; return their number. */
static unsigned long
hmm_section_migration_report(const struct hmm_devmem_transfer *t,
			     unsigned long i, unsigned long *pfns)
{
	struct page *page = migrate_pfn_to_page(t->args.dst[i]);
	unsigned long pfn =
		page_to_pfn(page) |
		hmm_pfn_access(hmm_section_migration_writable(t, i));
	unsigned int order = folio_order(page_folio(page));
	unsigned long j;

	/* After mremap() the address may not be aligned to the folio. */
	if (IS_ALIGNED(t->args.start + (i << PAGE_SHIFT), PAGE_SIZE << order))
		pfn |= hmm_pfn_order(order);
	for (j = 0; j < 1UL << order; j++)
		pfns[i + j] = pfn + j;
	return j;
}

/*
 * Write the hmm pfns of a batch of which all pages have migrated. Return false if
 * they do not follow from the transfer alone: if uffd bits in the page table decide,
 * or if a page is not writable that should be.
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
 * Migrate a collected batch. Return true if all of its pages have migrated and are
 * held. Setup may have ended the batch early, but not at its start: args.end is the end.
 */
static bool hmm_section_migration_try(struct hmm_devmem_transfer *t,
				      unsigned long *pfns)
{
	long moved = hmm_devmem_transfer_collected(t);

	if (moved > 0 && moved == (t->args.end - t->args.start) >> PAGE_SHIFT &&
	    hmm_section_migration_report_all(t, pfns))
		return true;
	hmm_devmem_transfer_end(t);
	return false;
}

/**
 * hmm_section_migration_begin() - migrate a batch of pages, and hold them
 * @move: from hmm_section_migration_alloc()
 * @mm: the process
 * @span: the range, at most %HMM_DEVMEM_BATCH pages. Shortened to the part within
 *	one VMA and one PMD; on a return of 1, to the part that @pfns reports
 * @pfns: room for an hmm pfn for each page
 *
 * If all pages have migrated they stay locked until hmm_section_migration_end(). A
 * CPU that accesses one waits until then, so that only zapping can remove a page
 * meanwhile. If some page has not migrated, no page is held and all are mapped again.
 *
 * Context: Process context; may sleep. No mmap lock is held; on a return of 1 it is
 * held for reading.
 *
 * Return: 1 if the pages are held, and @pfns reports them; 0 if not; -%EINTR.
 */
int hmm_section_migration_begin(struct hmm_section_migration *move,
				struct mm_struct *mm, struct hmm_span *span,
				unsigned long *pfns)
{
	struct hmm_devmem_transfer *t = &move->transfer;
	int err;

	hmm_devmem_grow_if_low(t->to);
	t->batch_end = span->end;
	err = hmm_devmem_collect_charged(t, mm, *span, true);
	span->end = t->batch_end;
	if (err)
		return err == -EINTR ? err : 0;

	move->mm = mm;
	move->held = hmm_section_migration_try(t, pfns);
	if (move->held)
		span->end = t->args.end;
	else
		mmap_read_unlock(mm);
	return move->held;
}

/**
 * hmm_section_migration_end() - finalize the migration of a batch that is held
 * @move: from hmm_section_migration_alloc(); nothing happens if no batch is held
 */
void hmm_section_migration_end(struct hmm_section_migration *move)
{
	if (!move || !move->held)
		return;
	hmm_devmem_transfer_end(&move->transfer);
	mmap_read_unlock(move->mm);
	move->held = false;
}
