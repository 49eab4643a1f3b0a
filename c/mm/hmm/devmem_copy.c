// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: the copy stage of a transfer. For each page that can move a
 * folio is allocated at the other end and filled by the driver.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "devmem_transfer.h"

/*
 * Does policy allow a folio of this order for a word? Where nothing was mapped
 * it is a new allocation, as in a page fault. A large folio that there is may
 * stay as large as it is, as in any migration, unless the process has opted
 * out of huge pages at its address. By pfn no address is known.
 */
static bool hmm_devmem_order_allowed(const struct hmm_devmem_transfer *t,
				     unsigned long i, unsigned int order)
{
	struct vm_area_struct *vma = t->args.vma;

	if (!order || !vma)
		return true;
	if (!t->to)
		return !vma_thp_disabled(vma, vma->vm_flags, false);
	return t->args.src[i] & MIGRATE_PFN_VALID ||
	       thp_vma_allowable_order(vma, vma->vm_flags, TVA_PAGEFAULT,
				       order);
}

/* A huge page is worth a try only; small ones are what it falls back to. */
static struct folio *hmm_devmem_alloc_ram(struct hmm_devmem_transfer *t,
					  unsigned long i, unsigned int order)
{
	unsigned long addr = t->args.start + (i << PAGE_SHIFT);
	gfp_t gfp = GFP_HIGHUSER_MOVABLE;
	struct folio *folio;

	if (order)
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
	if (t->args.vma)
		folio = vma_alloc_folio(gfp, order, t->args.vma, addr);
	else
		folio = folio_alloc(gfp, order);
	if (folio)
		folio_lock(folio);
	return folio;
}

/* A locked page at the other end, for the word at an index. */
static struct folio *hmm_devmem_alloc_dst(struct hmm_devmem_transfer *t,
					  unsigned long i, unsigned int order)
{
	if (!hmm_devmem_order_allowed(t, i, order))
		return NULL;
	if (t->to)
		return hmm_devmem_alloc(t->to, order);
	return hmm_devmem_alloc_ram(t, i, order);
}

static int hmm_devmem_fill_dst(struct hmm_devmem_transfer *t,
			       struct page *place, struct page *from,
			       unsigned int order)
{
	struct hmm_devmem *devmem = t->to ?: hmm_devmem_of(from);

	if (from)
		return devmem->ops->copy(devmem, place, from, order);
	return devmem->ops->clear(devmem, place, order);
}

/* Allocates and fills a place for one word. @from is NULL for a hole. */
static int hmm_devmem_copy_folio(struct hmm_devmem_transfer *t, unsigned long i,
				 struct page *from, unsigned int order)
{
	struct folio *folio = hmm_devmem_alloc_dst(t, i, order);
	int err;

	if (!folio)
		return -ENOMEM;
	err = hmm_devmem_fill_dst(t, &folio->page, from, order);
	if (err) {
		folio_unlock(folio);
		folio_put(folio);
		return err;
	}

	t->args.dst[i] = migrate_pfn(folio_pfn(folio));
	if (order)
		t->args.dst[i] |= MIGRATE_PFN_COMPOUND;
	return 0;
}

/* How large a page the word at @i stands for. */
unsigned int hmm_devmem_mpfn_order(const struct hmm_devmem_transfer *t,
				   unsigned long i)
{
	struct page *page = migrate_pfn_to_page(t->args.src[i]);

	if (!(t->args.src[i] & MIGRATE_PFN_COMPOUND))
		return 0;
	return page ? folio_order(page_folio(page)) : HPAGE_PMD_ORDER;
}

/* Record why the single page at @i got no place, if the CPU waits for it. */
static void hmm_devmem_record_error(struct hmm_devmem_transfer *t,
				    unsigned long i, int err)
{
	if (err && t->args.fault_page && i == t->wanted)
		t->error = err;
}

/*
 * A place for the word at @i: in one piece if there is one, else in many.
 *
 * On the way home single pages are tried whatever the reason was: a folio must
 * not stay because one of its pages cannot be copied. On the way to the device
 * a folio of system memory is split only for want of large device memory. A
 * fatal signal ends what the process waits for, but not the emptying of device
 * memory, which has no process.
 */
static void hmm_devmem_copy_mpfn(struct hmm_devmem_transfer *t, unsigned long i)
{
	struct page *from = migrate_pfn_to_page(t->args.src[i]);
	unsigned int order = hmm_devmem_mpfn_order(t, i);
	unsigned long nr = 1UL << order, j;
	int err = hmm_devmem_copy_folio(t, i, from, order);

	if (!order)
		hmm_devmem_record_error(t, i, err);
	if (!err || !order || (t->to && err != -ENOMEM))
		return;
	for (j = 0; j < nr; j++) {
		if (t->args.vma && fatal_signal_pending(current))
			break;
		err = hmm_devmem_copy_folio(t, i + j, from ? from + j : NULL, 0);
		hmm_devmem_record_error(t, i + j, err);
	}
}

/*
 * Is there something to be given a place? On the way home a hole is not; nor
 * is a page of somebody who shares the owner and brings his own home.
 */
static bool hmm_devmem_needs_dst(const struct hmm_devmem_transfer *t,
				 unsigned long word)
{
	if (!(word & MIGRATE_PFN_MIGRATE))
		return false;
	if (t->to)
		return true;
	return (word & MIGRATE_PFN_VALID) &&
	       hmm_devmem_owns_page(migrate_pfn_to_page(word));
}

/* The copy stage. The engine takes the words without a place as refused. */
void hmm_devmem_copy_all(struct hmm_devmem_transfer *t)
{
	unsigned long i;

	for (i = 0; i < t->args.npages; i++)
		if (hmm_devmem_needs_dst(t, t->args.src[i]))
			hmm_devmem_copy_mpfn(t, i);
}

/* After commit, what still has the mark has moved. */
unsigned long hmm_devmem_count_moved(const struct hmm_devmem_transfer *t)
{
	unsigned long i, moved = 0;

	for (i = 0; i < t->args.npages; i++)
		if (t->args.src[i] & MIGRATE_PFN_MIGRATE)
			moved += 1UL << hmm_devmem_mpfn_order(t, i);
	return moved;
}

int hmm_devmem_alloc_mpfns(struct hmm_devmem_transfer *t, unsigned long npages)
{
	t->args.src =
		kvmalloc_array(2 * npages, sizeof(*t->args.src), GFP_KERNEL);
	t->args.dst = t->args.src + npages;
	return t->args.src ? 0 : -ENOMEM;
}

void hmm_devmem_free_mpfns(struct hmm_devmem_transfer *t)
{
	kvfree(t->args.src);
}
