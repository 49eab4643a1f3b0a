// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: eviction of a chunk to system memory, by pfn.
 */
#include <linux/sched.h>
#include <linux/string.h>

#include "devmem_transfer.h"

/* Brings home what is in use of the part of a chunk that begins at @at. */
static void hmm_devmem_evict_pfns(struct hmm_devmem_transfer *t,
				  struct hmm_devmem_chunk *chunk,
				  unsigned long at)
{
	unsigned long nr = hmm_devmem_used_pfns(chunk, at, t->args.src);

	t->args.npages = nr;
	memset(t->args.dst, 0, nr * sizeof(*t->args.dst));
	if (!nr || migrate_device_pfns(t->args.src, nr))
		return;
	hmm_devmem_copy_all(t);
	migrate_device_pages(t->args.src, t->args.dst, nr);
	migrate_device_finalize(t->args.src, t->args.dst, nr);
}

/**
 * hmm_devmem_evict_chunk() - move what lives in a chunk to system memory
 * @chunk: a chunk of which nothing is handed out meanwhile
 *
 * One pass. What is pinned, or busy, stays.
 */
void hmm_devmem_evict_chunk(struct hmm_devmem_chunk *chunk)
{
	struct hmm_devmem_transfer t = {};
	unsigned long at;

	if (hmm_devmem_alloc_mpfns(&t, HMM_DEVMEM_BATCH))
		return;
	for (at = 0; at < chunk->pages; at += HMM_DEVMEM_BATCH) {
		hmm_devmem_evict_pfns(&t, chunk, at);
		cond_resched();
	}
	hmm_devmem_free_mpfns(&t);
}
