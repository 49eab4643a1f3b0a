// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: the copy stage of a transfer. For each page that can migrate, a dst
 * folio is allocated and the driver copies to it, or clears it for a hole.
 */
#include <linux/error-injection.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "devmem_transfer.h"

/*
 * Whether policy allows a dst folio of this order. For a hole it is a new allocation,
 * as in a page fault. An existing large folio may stay large, as in any migration,
 * but in system memory not if the process has disabled huge pages there. By pfn no
 * address is known, except at the time when a transfer by address was detached.
 */
static bool hmm_devmem_order_allowed(const struct hmm_devmem_transfer *t,
				     unsigned long i, unsigned int order)
{
	struct vm_area_struct *vma = t->args.vma;

	if (!order || !vma)
		return !order || !t->no_huge;
	if (!t->to)
		return !vma_thp_disabled(vma, vma->vm_flags, false);
	return t->args.src[i] & MIGRATE_PFN_VALID ||
	       thp_vma_allowable_order(vma, vma->vm_flags, TVA_PAGEFAULT,
				       order);
}

/*
 * How to allocate @order. Large folios are tried without effort. No process is killed
 * when there is no memory, as a page may stay on the device, except if a CPU needs it or the
 * device's memory goes away.
 */
static gfp_t hmm_devmem_ram_gfp(const struct hmm_devmem_transfer *t,
				unsigned int order)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE;

	if (order)
		return gfp | __GFP_NORETRY | __GFP_NOWARN;
	if (t->args.fault_page || t->required)
		return gfp;
	return gfp | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
}

/* Allocate a dst folio of system memory. */
static struct folio *hmm_devmem_alloc_ram(struct hmm_devmem_transfer *t,
					  unsigned long i, unsigned int order)
{
	unsigned long addr = t->args.start + (i << PAGE_SHIFT);
	gfp_t gfp = hmm_devmem_ram_gfp(t, order);
	struct folio *folio;

	if (t->args.vma)
		folio = vma_alloc_folio(gfp, order, t->args.vma, addr);
	else if (t->policy)
		folio = folio_alloc_mpol(gfp, order, t->policy, (t->index + i) >> order,
					 numa_node_id());
	else
		folio = folio_alloc(gfp, order);
	if (folio)
		folio_lock(folio);
	return folio;
}

/* Allocate a locked dst folio for the mpfn at @i. */
static struct folio *hmm_devmem_alloc_dst(struct hmm_devmem_transfer *t,
					  unsigned long i, unsigned int order)
{
	if (!hmm_devmem_order_allowed(t, i, order))
		return NULL;
	if (t->to)
		return hmm_devmem_alloc_charged(t, order);
	return hmm_devmem_alloc_ram(t, i, order);
}

/* Have the driver copy, or clear, a dst folio. Folio locks are held; may sleep. */
static int hmm_devmem_fill_dst(struct hmm_devmem_transfer *t,
			       struct page *dst, struct page *from,
			       unsigned int order)
{
	struct hmm_devmem *devmem = t->to ?: hmm_devmem_of(from);

	if (from)
		return devmem->ops->copy(devmem, dst, from, order);
	return devmem->ops->clear(devmem, dst, order);
}

/* Give the mpfn at @i its dst, a locked folio that was filled. */
void hmm_devmem_copied(struct hmm_devmem_transfer *t, unsigned long i,
		       struct folio *folio)
{
	t->args.dst[i] = migrate_pfn(folio_pfn(folio));
	if (folio_test_large(folio))
		t->args.dst[i] |= MIGRATE_PFN_COMPOUND;
}

/**
 * hmm_devmem_check_copy() - check the source of a copy that was made
 * @t: the transfer
 * @from: the first page of the source; %NULL for a hole
 * @order: of the copy
 *
 * The driver that has copied from another device's memory does not know which pages of it
 * are bad. One that was reported since it was selected stays, for its own driver to copy.
 *
 * Return: 0; -%EIO if a page of the source was reported as bad.
 */
noinline int hmm_devmem_check_copy(const struct hmm_devmem_transfer *t,
				   const struct page *from, unsigned int order)
{
	if (!t->direct || !from || !is_zone_device_page(from))
		return 0;
	return hmm_devmem_has_bad(from, 1UL << order) ? -EIO : 0;
}
ALLOW_ERROR_INJECTION(hmm_devmem_check_copy, ERRNO);

/* Free a dst that was not filled. Its charge is for the pages that are tried instead. */
static void hmm_devmem_free_dst(struct hmm_devmem_transfer *t, struct folio *folio)
{
	hmm_devmem_transfer_take_charge(t, folio);
	folio_unlock(folio);
	folio_put(folio);
}

/*
 * Allocate a dst folio for one mpfn and fill it, or add it to a batch. @from is NULL
 * for a hole.
 */
static int hmm_devmem_copy_folio(struct hmm_devmem_transfer *t, unsigned long i,
				 struct page *from, unsigned int order,
				 bool batched)
{
	struct folio *folio = hmm_devmem_alloc_dst(t, i, order);
	int err;

	if (!folio)
		return -ENOMEM;
	if (batched && hmm_devmem_batch_add(t, i, folio, from))
		return 0;
	err = hmm_devmem_fill_dst(t, &folio->page, from, order);
	if (!err)
		err = hmm_devmem_check_copy(t, from, order);
	if (err)
		hmm_devmem_free_dst(t, folio);
	else
		hmm_devmem_copied(t, i, folio);
	return err;
}

/* The order of the folio, or hole, of the mpfn at @i. */
unsigned int hmm_devmem_mpfn_order(const struct hmm_devmem_transfer *t,
				   unsigned long i)
{
	struct page *page = migrate_pfn_to_page(t->args.src[i]);

	if (!(t->args.src[i] & MIGRATE_PFN_COMPOUND))
		return 0;
	return page ? folio_order(page_folio(page)) : HPAGE_PMD_ORDER;
}

/* Record why the single page at @i has no dst, if it is the one that matters. */
static void hmm_devmem_record_error(struct hmm_devmem_transfer *t,
				    unsigned long i, int err)
{
	if (err && t->has_error_index && i == t->error_index)
		t->error = err;
}

/*
 * A fatal signal ends a migration by address, for which the process waits, also after it
 * was detached; but not an eviction, which is by pfn.
 */
static bool hmm_devmem_copy_killed(const struct hmm_devmem_transfer *t)
{
	return (t->args.vma || t->from) && fatal_signal_pending(current);
}

/*
 * Try single pages for the mpfn at @i, which got no dst of its order.
 *
 * Towards system memory for any error: a folio must not stay because one of its pages
 * cannot be copied. Towards the device, a folio is split only if there is no large device
 * memory.
 */
static void hmm_devmem_copy_pages(struct hmm_devmem_transfer *t, unsigned long i,
				  unsigned int order, int err, bool batched)
{
	struct page *from = migrate_pfn_to_page(t->args.src[i]);
	unsigned long nr = 1UL << order, j;

	if (!order)
		hmm_devmem_record_error(t, i, err);
	if (!order || (t->to && err != -ENOMEM))
		return;
	for (j = 0; j < nr; j++) {
		if (hmm_devmem_copy_killed(t))
			break;
		err = hmm_devmem_copy_folio(t, i + j, from ? from + j : NULL, 0,
					    batched);
		hmm_devmem_record_error(t, i + j, err);
	}
}

/* Handle a block of a batch that was not copied; @folio is its locked dst. May sleep. */
void hmm_devmem_not_copied(struct hmm_devmem_transfer *t, unsigned long i,
			   struct folio *folio, int err)
{
	unsigned int order = folio_order(folio);

	hmm_devmem_free_dst(t, folio);
	hmm_devmem_copy_pages(t, i, order, err, false);
}

/* Allocate and fill a dst folio for the mpfn at @i, or single pages if that fails. */
static void hmm_devmem_copy_mpfn(struct hmm_devmem_transfer *t, unsigned long i)
{
	struct page *from = migrate_pfn_to_page(t->args.src[i]);
	unsigned int order = hmm_devmem_mpfn_order(t, i);
	int err = hmm_devmem_copy_folio(t, i, from, order, true);

	if (err)
		hmm_devmem_copy_pages(t, i, order, err, true);
}

/* Whether a transfer may move a page of any device memory to system memory. */
static bool hmm_devmem_may_leave(const struct hmm_devmem_transfer *t,
				 struct page *page)
{
	if (!hmm_devmem_owns_page(page))
		return false;
	return !t->from || (hmm_devmem_of(page) == t->from &&
			    !hmm_devmem_slice_left(page_folio(page)));
}

/*
 * Whether an mpfn needs a dst. Towards system memory holes do not, nor do pages of
 * other drivers that share our pgmap owner.
 */
static bool hmm_devmem_needs_dst(const struct hmm_devmem_transfer *t,
				 unsigned long mpfn)
{
	if (!(mpfn & MIGRATE_PFN_MIGRATE))
		return false;
	if (t->to)
		return true;
	return (mpfn & MIGRATE_PFN_VALID) &&
	       hmm_devmem_may_leave(t, migrate_pfn_to_page(mpfn));
}

/*
 * The copy stage; it ends with hmm_devmem_batch_wait(). A page that gets no dst does
 * not migrate.
 */
void hmm_devmem_copy_all(struct hmm_devmem_transfer *t)
{
	unsigned long i;

	for (i = 0; i < t->args.npages; i++) {
		if (!hmm_devmem_needs_dst(t, t->args.src[i]))
			continue;
		if (hmm_devmem_copy_killed(t))
			break;
		hmm_devmem_copy_mpfn(t, i);
	}
	hmm_devmem_batch_submit(t);
}

/* How many pages were collected; after commit, how many have migrated. */
unsigned long hmm_devmem_count_pages(const struct hmm_devmem_transfer *t)
{
	unsigned long i, moved = 0;

	for (i = 0; i < t->args.npages; i++)
		if (t->args.src[i] & MIGRATE_PFN_MIGRATE)
			moved += 1UL << hmm_devmem_mpfn_order(t, i);
	return moved;
}

/* Allocate the arrays of a transfer. May sleep. */
int hmm_devmem_alloc_mpfns(struct hmm_devmem_transfer *t, unsigned long npages)
{
	t->args.src =
		kvmalloc_array(2 * npages, sizeof(*t->args.src), GFP_KERNEL);
	t->args.dst = t->args.src + npages;
	return t->args.src ? 0 : -ENOMEM;
}

/* Free the arrays of a transfer. */
void hmm_devmem_free_mpfns(struct hmm_devmem_transfer *t)
{
	kvfree(t->args.src);
}
