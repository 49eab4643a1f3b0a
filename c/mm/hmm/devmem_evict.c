// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: eviction of a chunk to system memory, by pfn.
 */
#include <linux/sched.h>
#include <linux/string.h>

#include "devmem_transfer.h"
#include "trace.h"

/**
 * hmm_devmem_evict_pfns() - migrate pages to system memory
 * @t: a transfer to system memory; its src has the pfns
 * @nr: how many
 *
 * Context: process context; may sleep. No mmap lock is held.
 * Return: how many have migrated.
 */
unsigned long hmm_devmem_evict_pfns(struct hmm_devmem_transfer *t,
				    unsigned long nr)
{
	u64 began = hmm_trace_begin(hmm_evict);
	const struct hmm_devmem *devmem = NULL;
	unsigned long moved;

	if (nr && began)
		devmem = hmm_devmem_of(pfn_to_page(t->args.src[0]));
	t->args.npages = nr;
	memset(t->args.dst, 0, nr * sizeof(*t->args.dst));
	if (!nr || migrate_device_pfns(t->args.src, nr))
		return 0;
	hmm_devmem_copy_all(t);
	hmm_devmem_batch_wait(t);
	migrate_device_pages(t->args.src, t->args.dst, nr);
	moved = hmm_devmem_count_pages(t);
	hmm_devmem_stats_moved(t, moved, true);
	migrate_device_finalize(t->args.src, t->args.dst, nr);
	trace_hmm_evict(devmem, moved, nr - moved, hmm_trace_ns(began));
	return moved;
}

/**
 * hmm_devmem_evict_chunk() - migrate the pages of a chunk to system memory
 * @chunk: a chunk from which no page is allocated meanwhile
 *
 * One pass over the chunk. Pages that are pinned or busy stay.
 *
 * Context: process context; may sleep. No mmap lock is held.
 */
void hmm_devmem_evict_chunk(struct hmm_devmem_chunk *chunk)
{
	struct hmm_devmem_transfer t = { .required = true, .unkillable = true };
	unsigned long at;

	if (hmm_devmem_alloc_mpfns(&t, HMM_DEVMEM_BATCH))
		return;
	for (at = 0; at < chunk->pages; at += HMM_DEVMEM_BATCH) {
		hmm_devmem_evict_pfns(&t, hmm_devmem_used_pfns(chunk, at,
							       t.args.src));
		cond_resched();
	}
	hmm_devmem_free_mpfns(&t);
}
