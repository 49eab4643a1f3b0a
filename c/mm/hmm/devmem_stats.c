// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics of device memory: the file "devmem" in debugfs.
 *
 * A reader holds hmm_devmem_stats_lock while it prints. A memory is removed from the list
 * under it, before the driver may free it.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/string_helpers.h>

#include "devmem_transfer.h"
#include "stats.h"

#define HMM_STATS_VERSION	1

static LIST_HEAD(hmm_devmem_stats_all);
static DEFINE_MUTEX(hmm_devmem_stats_lock);
static u64 hmm_devmem_stats_last;

/**
 * hmm_devmem_stats_add() - let readers find a memory
 * @devmem: the device memory, initialised
 *
 * Context: process context; may sleep.
 */
void hmm_devmem_stats_add(struct hmm_devmem *devmem)
{
	struct hmm_devmem_stats *stats = &devmem->state->stats;

	guard(mutex)(&hmm_devmem_stats_lock);
	stats->id = ++hmm_devmem_stats_last;
	list_add_tail(&stats->list, &hmm_devmem_stats_all);
}

/**
 * hmm_devmem_stats_del() - no reader uses a memory when this returns
 * @devmem: the device memory, which is ending
 *
 * Context: process context; may sleep, while a reader prints.
 */
void hmm_devmem_stats_del(struct hmm_devmem *devmem)
{
	guard(mutex)(&hmm_devmem_stats_lock);
	list_del(&devmem->state->stats.list);
}

/* Count a folio of @nr pages that was allocated. &hmm_devmem.lock is held. */
void hmm_devmem_stats_alloc(struct hmm_devmem *devmem, unsigned long nr)
{
	devmem->state->stats.orders[ilog2(nr)]++;
}

/* Count a CPU fault. */
void hmm_devmem_stats_cpu_fault(struct hmm_devmem *devmem)
{
	atomic64_inc(&devmem->state->stats.cpu_faults);
}

/* Count pages that have left a memory, in one batch; @devmem may be %NULL. */
static void hmm_devmem_stats_left(struct hmm_devmem *devmem, unsigned long pages,
				  bool evicted)
{
	struct hmm_devmem_stats *stats;

	if (!devmem || !pages)
		return;
	stats = &devmem->state->stats;
	atomic64_add(pages, &stats->from_device);
	if (!evicted)
		return;
	atomic64_add(pages, &stats->evicted);
	atomic64_inc(&stats->evictions);
}

/*
 * Count the sources that were device memory. They are locked, and not freed before
 * finalize, so that their memory cannot go away. Pages of one pagemap follow each other.
 */
static void hmm_devmem_stats_sources(const struct hmm_devmem_transfer *t, bool evicted)
{
	struct hmm_devmem *devmem = NULL;
	struct dev_pagemap *last = NULL;
	unsigned long i, nr, pages = 0;

	for (i = 0; i < t->args.npages; i += nr) {
		unsigned long mpfn = t->args.src[i];
		struct page *page = migrate_pfn_to_page(mpfn);

		nr = hmm_mpfn_nr_pages(mpfn);
		if (!(mpfn & MIGRATE_PFN_MIGRATE) || !page || !is_zone_device_page(page))
			continue;
		if (page_pgmap(page) != last) {
			hmm_devmem_stats_left(devmem, pages, evicted);
			pages = 0;
			last = page_pgmap(page);
			devmem = hmm_devmem_owns_page(page) ? hmm_devmem_of(page) : NULL;
		}
		pages += nr;
	}
	hmm_devmem_stats_left(devmem, pages, evicted);
}

/**
 * hmm_devmem_stats_moved() - count the pages that a transfer has migrated
 * @t: the transfer, after commit and before finalize
 * @moved: how many these are
 * @evicted: it is an eviction
 *
 * Context: process context.
 */
void hmm_devmem_stats_moved(const struct hmm_devmem_transfer *t,
			    unsigned long moved, bool evicted)
{
	if (!moved)
		return;
	if (t->to)
		atomic64_add(moved, &t->to->state->stats.to_device);
	/* Towards a device, only these can have a device's memory as source. */
	if (!t->to || t->direct)
		hmm_devmem_stats_sources(t, evicted);
}

/* The first memory of an owner. hmm_devmem_stats_lock is held. */
static u64 hmm_devmem_stats_owner_locked(const void *owner)
{
	const struct hmm_devmem_stats *stats;

	list_for_each_entry(stats, &hmm_devmem_stats_all, list)
		if (hmm_devmem_stats_of(stats)->owner == owner)
			return stats->id;
	return 0;
}

/**
 * hmm_devmem_stats_owner() - number an owner
 * @owner: the &hmm_devmem.owner; only compared
 *
 * Context: process context; may sleep.
 * Return: the number of the first memory that has this owner; 0 if none has.
 */
u64 hmm_devmem_stats_owner(const void *owner)
{
	guard(mutex)(&hmm_devmem_stats_lock);
	return hmm_devmem_stats_owner_locked(owner);
}

/* The first memory whose number is at least @id. hmm_devmem_stats_lock is held. */
static void *hmm_devmem_stats_find(u64 id)
{
	struct hmm_devmem_stats *stats;

	list_for_each_entry(stats, &hmm_devmem_stats_all, list)
		if (stats->id >= id)
			return stats;
	return NULL;
}

static void *hmm_devmem_stats_start(struct seq_file *m, loff_t *pos)
	__acquires(&hmm_devmem_stats_lock)
{
	mutex_lock(&hmm_devmem_stats_lock);
	return *pos ? hmm_devmem_stats_find(*pos) : SEQ_START_TOKEN;
}

static void *hmm_devmem_stats_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct hmm_devmem_stats *stats = v;

	*pos = v == SEQ_START_TOKEN ? 1 : stats->id + 1;
	return hmm_devmem_stats_find(*pos);
}

static void hmm_devmem_stats_stop(struct seq_file *m, void *v)
	__releases(&hmm_devmem_stats_lock)
{
	mutex_unlock(&hmm_devmem_stats_lock);
}

/* The size of all chunks, what of it is in use, and what was retired. */
static void hmm_devmem_stats_size(struct seq_file *m, struct hmm_devmem *devmem)
{
	unsigned long pages = 0, used = 0, retired = 0;
	struct hmm_devmem_chunk *chunk;

	scoped_guard(spinlock_irqsave, &devmem->lock) {
		list_for_each_entry(chunk, &devmem->chunks, list) {
			pages += chunk->pages;
			used += chunk->pages - chunk->free - chunk->nr_retired;
			retired += chunk->nr_retired;
		}
	}
	seq_printf(m, " size=%lu used=%lu retired=%lu", pages << PAGE_SHIFT,
		   used << PAGE_SHIFT, retired << PAGE_SHIFT);
}

static u64 hmm_devmem_stats_bytes(const atomic64_t *pages)
{
	return (u64)atomic64_read(pages) << PAGE_SHIFT;
}

/* How many folios of each order were allocated, up to the largest that there was. */
static void hmm_devmem_stats_orders(struct seq_file *m, struct hmm_devmem *devmem)
{
	u64 orders[NR_PAGE_ORDERS];
	int last = NR_PAGE_ORDERS - 1, i;

	scoped_guard(spinlock_irqsave, &devmem->lock)
		memcpy(orders, devmem->state->stats.orders, sizeof(orders));
	while (last && !orders[last])
		last--;
	for (i = 0; i <= last; i++)
		seq_printf(m, "%s%llu", i ? "," : " orders=", orders[i]);
}

static int hmm_devmem_stats_show(struct seq_file *m, void *v)
{
	const char *label;
	struct hmm_devmem_stats *stats = v;
	struct hmm_devmem *devmem;
	char driver[MODULE_NAME_LEN];

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "version=%d\n", HMM_STATS_VERSION);
		return 0;
	}
	devmem = hmm_devmem_stats_of(stats);
	seq_printf(m, "devmem=%llu owner=%llu type=%s", stats->id,
		   hmm_devmem_stats_owner_locked(devmem->owner),
		   devmem->type == MEMORY_DEVICE_COHERENT ? "coherent" : "private");
	hmm_devmem_stats_size(m, devmem);
	seq_printf(m, " to_device=%llu from_device=%llu cpu_faults=%lld",
		   hmm_devmem_stats_bytes(&stats->to_device),
		   hmm_devmem_stats_bytes(&stats->from_device),
		   atomic64_read(&stats->cpu_faults));
	seq_printf(m, " evictions=%lld evicted=%llu",
		   atomic64_read(&stats->evictions),
		   hmm_devmem_stats_bytes(&stats->evicted));
	hmm_devmem_stats_orders(m, devmem);
	hmm_driver_name(driver, devmem->ops->copy);
	label = hmm_devmem_label(devmem);
	seq_printf(m, " driver=%s name=", driver);
	seq_escape_mem(m, label, strlen(label),
		       ESCAPE_OCTAL | ESCAPE_NP | ESCAPE_APPEND, " =\\");
	seq_putc(m, '\n');
	return 0;
}

const struct seq_operations hmm_devmem_stats_sops = {
	.start	= hmm_devmem_stats_start,
	.next	= hmm_devmem_stats_next,
	.stop	= hmm_devmem_stats_stop,
	.show	= hmm_devmem_stats_show,
};
DEFINE_SEQ_ATTRIBUTE(hmm_devmem_stats);

static int __init hmm_devmem_stats_setup(void)
{
	debugfs_create_file("devmem", 0400, hmm_stats_dir, NULL,
			    &hmm_devmem_stats_fops);
	return 0;
}
late_initcall(hmm_devmem_stats_setup);
