/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device memory: a transfer is a migration (migrate.h) to device memory or to system
 * memory, with the copy stage of devmem_copy.c.
 */
#ifndef _MM_HMM_DEVMEM_TRANSFER_H
#define _MM_HMM_DEVMEM_TRANSFER_H

#include <linux/hmm_migrate.h>
#include <linux/list.h>
#include <linux/migrate.h>

#include "devmem.h"
#include "migrate.h"

/* Folios stay large if both ends can have them. */
#define HMM_DEVMEM_ANY_ORDER \
	(MIGRATE_VMA_SELECT_COMPOUND | HMM_MIGRATE_ANY_ORDER)

struct hmm_devmem_inflight;
struct mempolicy;

/**
 * struct hmm_devmem_turn - a request for pages of one batch that goes on, or waits to
 * @list: in its bucket, in the order of arrival
 * @bucket: that of all batches with this hash; %NULL: no turn
 * @mm: the process
 * @start: of the PMD range that the batch is in
 * @shared: it does not exclude others that are shared; changes under the bucket's lock
 */
struct hmm_devmem_turn {
	struct list_head list;
	struct hmm_devmem_fetch_bucket *bucket;
	const struct mm_struct *mm;
	unsigned long start;
	bool shared;
};

/**
 * struct hmm_devmem_transfer - pages that migrate to one memory
 * @to: the device memory that they migrate to; %NULL for system memory
 * @from: the device memory that they migrate from, when their time slice is over;
 *	%NULL for any memory, and at any time. Only compared
 * @source: the other device memory that pages are collected from, if @direct is set
 * @direct: also collect pages of other device memory that @to can copy them from,
 *	when their time slice is over
 * @turn: at the batch, until its pages have migrated
 * @args: the request of a migration by address; without a VMA, only the arrays of
 *	one by pfn
 * @policy: after hmm_devmem_transfer_detach(), a copy of the NUMA policy of the VMA, which
 *	is unknown then; %NULL for that of the task
 * @index: after it, the index of the first page, by which that policy interleaves
 * @no_huge: after it, whether the process has disabled huge pages there
 * @required: the device memory is to be emptied, even if tasks are killed for memory
 * @started: when the request began, in jiffies
 * @unfetched: how many pages of other device memory were not fetched, because none can be
 *	charged
 * @batch_end: end of the batch that was chosen; setup may have lowered args.end
 * @has_error_index: @error_index is set
 * @error_index: the index of the page that a CPU has faulted on, or that is retired
 * @error: why that page has no dst; 0 if it has, or if it was not collected
 * @copies: batches of the copy stage that have not been waited for
 * @unkillable: wait for them even if the task was killed
 * @pool: what pages of @to are charged to
 * @charged: how many pages are charged to it and not allocated yet
 */
struct hmm_devmem_transfer {
	struct hmm_devmem *to;
	struct hmm_devmem *from;
	struct hmm_migrate_source source;
	bool direct;
	struct hmm_devmem_turn turn;
	struct migrate_vma args;
	struct mempolicy *policy;
	pgoff_t index;
	bool no_huge;
	bool required;
	unsigned long started;
	unsigned long unfetched;
	unsigned long batch_end;
	bool has_error_index;
	unsigned long error_index;
	int error;
	struct hmm_devmem_inflight *copies;
	bool unkillable;
#ifdef CONFIG_CGROUP_DMEM
	struct dmem_cgroup_pool_state *pool;
	unsigned int charged;
#endif
};

/* devmem_copy.c */
int hmm_devmem_alloc_mpfns(struct hmm_devmem_transfer *t, unsigned long npages);
void hmm_devmem_free_mpfns(struct hmm_devmem_transfer *t);
unsigned int hmm_devmem_mpfn_order(const struct hmm_devmem_transfer *t,
				   unsigned long i);
void hmm_devmem_copy_all(struct hmm_devmem_transfer *t);
int hmm_devmem_check_copy(const struct hmm_devmem_transfer *t,
			  const struct page *from, unsigned int order);
void hmm_devmem_copied(struct hmm_devmem_transfer *t, unsigned long i,
		       struct folio *folio);
void hmm_devmem_not_copied(struct hmm_devmem_transfer *t, unsigned long i,
			   struct folio *folio, int err);
unsigned long hmm_devmem_count_pages(const struct hmm_devmem_transfer *t);

/* devmem_batch.c */
bool hmm_devmem_batch_add(struct hmm_devmem_transfer *t, unsigned long i,
			  struct folio *folio, struct page *from);
void hmm_devmem_batch_submit(struct hmm_devmem_transfer *t);
void hmm_devmem_batch_wait(struct hmm_devmem_transfer *t);
#ifdef CONFIG_DEBUG_LOCK_ALLOC
void hmm_devmem_completing_wait(void);
#else
static inline void hmm_devmem_completing_wait(void)
{
}
#endif

/* devmem_migrate.c */
struct hmm_devmem_transfer hmm_devmem_transfer_to(struct hmm_devmem *devmem);
void hmm_devmem_grow_if_low(struct hmm_devmem *devmem);
int hmm_devmem_choose_batch(struct hmm_devmem_transfer *t, struct mm_struct *mm,
			    unsigned long start, unsigned long end);
unsigned long hmm_devmem_select_flag(const struct hmm_devmem *devmem);
int hmm_devmem_transfer_setup(struct hmm_devmem_transfer *t,
			      struct hmm_migrating *migrating);
long hmm_devmem_transfer_begin(struct hmm_devmem_transfer *t);
long hmm_devmem_transfer_collected(struct hmm_devmem_transfer *t);
int hmm_devmem_transfer_copy_policy(struct hmm_devmem_transfer *t);
void hmm_devmem_transfer_detach(struct hmm_devmem_transfer *t);
long hmm_devmem_transfer_detached(struct hmm_devmem_transfer *t);
void hmm_devmem_transfer_end(struct hmm_devmem_transfer *t);

/* devmem_cgroup.c */
#ifdef CONFIG_CGROUP_DMEM
int hmm_devmem_collect_charged(struct hmm_devmem_transfer *t,
			       struct mm_struct *mm, struct hmm_span span,
			       bool always);
bool hmm_devmem_may_charge(const struct hmm_devmem_transfer *t, struct mm_struct *mm);
struct folio *hmm_devmem_alloc_charged(struct hmm_devmem_transfer *t,
				       unsigned int order);
void hmm_devmem_transfer_take_charge(struct hmm_devmem_transfer *t, struct folio *folio);
void hmm_devmem_transfer_uncharge(struct hmm_devmem_transfer *t);
#else
#define hmm_devmem_collect_charged hmm_devmem_collect_batch

static inline bool hmm_devmem_may_charge(const struct hmm_devmem_transfer *t,
					 struct mm_struct *mm)
{
	return true;
}

static inline struct folio *hmm_devmem_alloc_charged(struct hmm_devmem_transfer *t,
						     unsigned int order)
{
	return hmm_devmem_alloc(t->to, order);
}

static inline void hmm_devmem_transfer_take_charge(struct hmm_devmem_transfer *t,
						   struct folio *folio)
{
}

static inline void hmm_devmem_transfer_uncharge(struct hmm_devmem_transfer *t)
{
}
#endif

/* devmem_evict.c */
unsigned long hmm_devmem_evict_pfns(struct hmm_devmem_transfer *t,
				    unsigned long nr);

/* devmem_fetch.c */
int hmm_devmem_turn_begin(struct hmm_devmem_turn *turn, const struct mm_struct *mm,
			  unsigned long addr, bool shared);
void hmm_devmem_turn_end(struct hmm_devmem_turn *turn);
int hmm_devmem_collect_batch(struct hmm_devmem_transfer *t,
			     struct mm_struct *mm, struct hmm_span span,
			     bool always);

#endif /* _MM_HMM_DEVMEM_TRANSFER_H */
