/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Collecting by address, inside: between ranges and huge pages (collect.c) and
 * the tables of small ones (collect_pte.c).
 */
#ifndef _MM_HMM_COLLECT_H
#define _MM_HMM_COLLECT_H

#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>

#include "bulk.h"
#include "migrate.h"

/**
 * struct collector - where a walk over a range stands
 * @args: the request. Its npages is the position: words are written strictly
 *	in address order, so a table that changes in the middle of being read
 *	is taken up again where it was left.
 * @notification: tells secondary MMUs of the whole range
 * @notified: they have been told. From then on nothing is faulted in.
 * @faulted: up to here absent pages were looked for and faulted in
 * @flush_start: lowest address unmapped since the last TLB flush
 * @flush_end: end of the highest page unmapped since then; 0 if none was
 * @unmapped: mappings taken away since the last TLB flush
 * @large: locked and referenced; to be split before the walk can go on
 * @whole: last folio that would not be split. Never dereferenced.
 */
struct collector {
	struct migrate_vma *args;
	struct mmu_notifier_range notification;
	bool notified;
	unsigned long faulted;
	unsigned long flush_start;
	unsigned long flush_end;
	struct mapped_count unmapped;
	struct folio *large;
	struct folio *whole;
};

static inline unsigned long position(const struct collector *c)
{
	return c->args->start + (c->args->npages << PAGE_SHIFT);
}

static inline void put_word(struct collector *c, unsigned long word)
{
	struct migrate_vma *args = c->args;

	if (word & MIGRATE_PFN_MIGRATE)
		args->cpages++;
	args->dst[args->npages] = 0;
	args->src[args->npages++] = word;
}

static inline void put_words(struct collector *c, unsigned long end,
			     unsigned long word)
{
	while (position(c) < end)
		put_word(c, word);
}

/* One word for the large folio or hole at hand, none for the rest of it. */
static inline void put_large_word(struct collector *c, unsigned long nr,
				  unsigned long word)
{
	struct migrate_vma *args = c->args;

	put_word(c, word | MIGRATE_PFN_COMPOUND);
	nr--;
	memset(args->src + args->npages, 0, nr * sizeof(*args->src));
	memset(args->dst + args->npages, 0, nr * sizeof(*args->dst));
	args->npages += nr;
}

bool collect_selects(const struct migrate_vma *args, struct folio *folio);
bool collect_lock(const struct collector *c, struct folio *folio);
int collect_split(struct collector *c, struct mm_walk *walk);

int collect_table(pmd_t *pmdp, unsigned long end, struct mm_walk *walk);
bool collect_fault_in(struct collector *c, pmd_t *pmdp, unsigned long end);

#endif /* _MM_HMM_COLLECT_H */
