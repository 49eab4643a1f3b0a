// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: pages that the device reports as bad are not used any more.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "../internal.h"
#include "devmem_transfer.h"
#include "migration_wait.h"

/* How many jiffies to wait for references to a page, beyond those of its mappings. */
#define HMM_RETIRE_WAITS	20

/*
 * Poison a page that is in use and cannot be copied. Return whether it was unmapped. A
 * folio that is locked is being migrated, perhaps by a copy that works: leave it alone.
 */
static bool hmm_retire_poison(struct page *page)
{
	struct folio *folio = page_folio(page);
	bool unmapped;

	/* It is being freed, or has just been allocated. */
	if (!folio_try_get(folio))
		return false;
	unmapped = folio_trylock(folio);
	if (unmapped) {
		/* A folio that is large still was not split. The next call tries it again. */
		if (page_folio(page) == folio && !folio_test_large(folio)) {
			SetPageHWPoison(page);
			folio_unmap_poisoned(folio);
		}
		/* If it was split meanwhile, the page is in another folio. */
		unmapped = page_folio(page) == folio && !folio_mapped(folio);
		folio_unlock(folio);
	}
	folio_put(folio);
	return unmapped;
}

/* Find a page that the driver names. chunks_lock is held. */
static struct hmm_devmem_chunk *hmm_retire_chunk(struct hmm_devmem *devmem,
						 const void *data,
						 unsigned long offset)
{
	struct hmm_devmem_chunk *chunk;

	list_for_each_entry(chunk, &devmem->chunks, list)
		if (chunk->data == data && offset >> PAGE_SHIFT < chunk->pages)
			return chunk;
	return NULL;
}

/*
 * Mark a page so that it is not allocated again. Write the pfns of its folio if it is
 * in use, and return how many there are; 0 if it is free.
 */
static unsigned long hmm_retire_mark(struct hmm_devmem_chunk *chunk,
				     unsigned long at, unsigned long *pfns)
{
	struct folio *folio;
	unsigned long i;

	guard(spinlock_irqsave)(&chunk->devmem->lock);
	if (!test_and_set_bit(at, chunk->bad) && !test_bit(at, chunk->used)) {
		hmm_devmem_set_retired(chunk, at);
		WRITE_ONCE(chunk->free, chunk->free - 1);
	}
	if (test_bit(at, chunk->retired))
		return 0;
	folio = page_folio(pfn_to_page(hmm_devmem_first_pfn(chunk) + at));
	for (i = 0; i < folio_nr_pages(folio); i++)
		pfns[i] = folio_pfn(folio) + i;
	return i;
}

/* Whether a bad page is not in use any more. Takes the lock of the memory. */
static bool hmm_retire_is_over(struct hmm_devmem_chunk *chunk, unsigned long at)
{
	guard(spinlock_irqsave)(&chunk->devmem->lock);
	return test_bit(at, chunk->retired);
}

/*
 * Migrate the folio of a page away; the page itself too, if it can be copied. chunks_lock
 * is held. A folio that is locked by another migration does not migrate here, even if it
 * can be copied. So with @busy, if the page is in use still, return -EAGAIN and its
 * folio, with a reference, or %NULL if it is being freed: to be called again when it is
 * not locked.
 */
static int hmm_retire_page(struct hmm_devmem_chunk *chunk, unsigned long at,
			   struct folio **busy)
{
	struct page *page = pfn_to_page(hmm_devmem_first_pfn(chunk) + at);
	struct hmm_devmem_transfer t = { .unkillable = true, .has_error_index = true };
	unsigned long nr;

	if (hmm_devmem_alloc_mpfns(&t, HMM_DEVMEM_BATCH))
		return -ENOMEM;
	nr = hmm_retire_mark(chunk, at, t.args.src);
	if (nr)
		t.error_index = page_to_pfn(page) - t.args.src[0];
	hmm_devmem_evict_pfns(&t, nr);
	hmm_devmem_free_mpfns(&t);
	if (hmm_retire_is_over(chunk, at))
		return 0;
	/* Not lost: it can be copied when there is memory. */
	if (t.error == -ENOMEM)
		return -ENOMEM;
	if (busy) {
		*busy = page_folio(page);
		if (!folio_try_get(*busy))
			*busy = NULL;
		return -EAGAIN;
	}
	if (hmm_retire_poison(page) || hmm_retire_is_over(chunk, at))
		return 0;
	return -EBUSY;
}

/* Find the page and retire it, as hmm_retire_page(). Takes chunks_lock. */
static int hmm_retire_find(struct hmm_devmem *devmem, const void *data,
			   unsigned long offset, struct folio **busy)
{
	struct hmm_devmem_chunk *chunk;
	int err;

	if (mutex_lock_killable(&devmem->chunks_lock))
		return -EINTR;
	chunk = hmm_retire_chunk(devmem, data, offset);
	err = chunk ? hmm_retire_page(chunk, offset >> PAGE_SHIFT, busy) : -ENOENT;
	mutex_unlock(&devmem->chunks_lock);
	return err;
}

/*
 * Wait until a folio is not locked, and drop the reference to it, which keeps its chunk.
 * chunks_lock is not held: the lock of the folio can be held for a copy of another device.
 *
 * A migration drops its reference after it has unlocked the folio. Give it some time, as
 * a page with more references than expected does not migrate, and would be poisoned.
 */
static int hmm_retire_wait(struct folio *folio)
{
	int err, i;

	if (!folio)
		return 0;
	err = folio_wait_locked_killable(folio);
	for (i = 0; !err && i < HMM_RETIRE_WAITS; i++) {
		if (folio_ref_count(folio) <= folio_expected_ref_count(folio) + 1)
			break;
		schedule_timeout_killable(1);
		err = fatal_signal_pending(current) ? -EINTR : 0;
	}
	folio_put(folio);
	return err;
}

/**
 * hmm_devmem_retire() - report a bad page, which is not used any more
 * @devmem: the device memory
 * @data: the driver's data of the chunk, as given to hmm_devmem_add()
 * @offset: an offset in the page, in bytes from the start of the chunk
 *
 * A free page is not allocated again. A page that is in use migrates to system memory
 * with its folio, if it can be copied: &hmm_devmem_ops.copy must fail for contents that
 * are lost. A page that cannot be copied is poisoned: processes that map it get a
 * SIGBUS (BUS_MCEERR_AR) when they access it, and devices an error. It is not allocated
 * again when its last user has released it. The rest of its folio migrates.
 *
 * If the folio is being migrated, also to another device, the call waits for that
 * migration, and so for the copy of that device; a fatal signal ends the wait.
 *
 * Context: Process context; may sleep. Neither the mmap lock nor a folio lock is held,
 * and it is no callback of @devmem. Not called from what completes a batch of any
 * device; lockdep reports it between hmm_devmem_completing_begin() and
 * hmm_devmem_completing_end().
 *
 * Return: 0; -%ENOENT if there is no such page, or its chunk was removed meanwhile;
 * -%EBUSY if it is not allocated again, but is in use still, and was not unmapped, as its
 * folio is busy: the call can be repeated; -%EINTR if the caller was killed: the call is
 * to be repeated; -%EDEADLK in a callback that hmm_devmem_evict(), hmm_devmem_remove() or
 * making room waits for, and between hmm_devmem_collect() and hmm_devmem_migration_end();
 * -%ENOMEM if there is no memory to copy the page to: it is in use
 * still, and was not unmapped; the call can be repeated.
 */
int hmm_devmem_retire(struct hmm_devmem *devmem, void *data,
		      unsigned long offset)
{
	struct folio *busy = NULL;
	int err;

	if (hmm_devmem_is_evicting(devmem) || hmm_devmem_is_stepping())
		return -EDEADLK;
	hmm_waits_for_update_locks();
	hmm_devmem_completing_wait();
	err = hmm_retire_find(devmem, data, offset, &busy);
	if (err == -EAGAIN)
		err = hmm_retire_wait(busy) ?: hmm_retire_find(devmem, data, offset, NULL);
	if (err == -ENOENT || err == -EINTR)
		return err;
	pr_warn_ratelimited("hmm: %s: the page at %#lx is bad, %s\n",
			    hmm_devmem_label(devmem), offset & PAGE_MASK,
			    err ? "and is in use still" : "and not used any more");
	return err;
}
EXPORT_SYMBOL_GPL(hmm_devmem_retire);

/**
 * hmm_devmem_retired() - how much memory is not used any more
 * @devmem: the device memory
 *
 * Context: any.
 * Return: the pages that were reported as bad, in bytes, without those that are still
 * in use.
 */
unsigned long hmm_devmem_retired(struct hmm_devmem *devmem)
{
	struct hmm_devmem_chunk *chunk;
	unsigned long pages = 0;

	guard(spinlock_irqsave)(&devmem->lock);
	list_for_each_entry(chunk, &devmem->chunks, list)
		pages += chunk->nr_retired;
	return pages << PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(hmm_devmem_retired);
