// SPDX-License-Identifier: GPL-2.0
/*
 * LRU lists: many folios off them, or onto them, under one lock.
 *
 * What costs most is not the lock but to tell a list its new length: that goes
 * to a node, a zone and a memcg. Folios that move together mostly share a list,
 * so it is told once for all of them (benchmark: out-4k, home-4k).
 */
#include <linux/memcontrol.h>
#include <linux/mm_inline.h>
#include <linux/swap.h>
#include <trace/events/pagemap.h>

#include "../internal.h"
#include "lru.h"

/* How many folios there are under one lock at most; as many as in reclaim. */
#define LRU_BATCH_SIZE SWAP_CLUSTER_MAX

static void lru_batch_update_size(struct lru_batch *l)
{
	if (l->nr)
		update_lru_size(l->lruvec, l->lru, l->zone, l->nr);
	l->nr = 0;
}

/**
 * lru_batch_flush() - drop the lock
 * @l: the changes; nothing happens if no lock is held
 */
void lru_batch_flush(struct lru_batch *l)
{
	if (!l->lruvec)
		return;
	lru_batch_update_size(l);
	lruvec_unlock_irq(l->lruvec);
	l->lruvec = NULL;
	l->folios = 0;
}

/* Holds the lock that guards the lists for this folio. */
static __always_inline void lru_batch_lock(struct lru_batch *l,
					   struct folio *folio)
{
	if (l->lruvec && (l->folios == LRU_BATCH_SIZE ||
			  !folio_matches_lruvec(folio, l->lruvec)))
		lru_batch_flush(l);
	if (!l->lruvec)
		l->lruvec = folio_lruvec_lock_irq(folio);
	l->folios++;
}

/* Notes that a folio's list changes by @nr pages, and says which list it is. */
static __always_inline enum lru_list
lru_batch_account(struct lru_batch *l, struct folio *folio, long nr)
{
	enum zone_type zone = folio_zonenum(folio);
	enum lru_list lru = folio_lru_list(folio);

	if (lru != l->lru || zone != l->zone)
		lru_batch_update_size(l);
	l->lru = lru;
	l->zone = zone;
	l->nr += nr;
	return lru;
}

/**
 * lru_batch_isolate() - folio_isolate_lru(), less the reference
 * @l: the changes that it is one of
 * @folio: the folio; the caller has a reference, which it keeps
 *
 * Return: whether it was on a list, and is not any more.
 *
 * Context: may return with interrupts off; lru_batch_flush() ends that.
 */
bool lru_batch_isolate(struct lru_batch *l, struct folio *folio)
{
	if (!folio_test_clear_lru(folio))
		return false;

	lru_batch_lock(l, folio);
	/*
	 * Ask the folio which kind of list it is on, not whether MGLRU is
	 * enabled: after it was switched, folios stay on lists of the other
	 * kind until their lruvec's turn comes.
	 */
	if (!lru_gen_del_folio(l->lruvec, folio, false) &&
	    lru_batch_account(l, folio, -folio_nr_pages(folio)) !=
		    LRU_UNEVICTABLE)
		list_del(&folio->lru);
	return true;
}

/* As folio_evictable(), which asks for a mapping (benchmark: home-4k). */
static bool lru_batch_evictable(struct folio *folio)
{
	if (folio_test_anon(folio))
		return !folio_test_mlocked(folio);
	return folio_evictable(folio);
}

/**
 * lru_batch_putback() - folio_add_lru(), without a detour
 * @l: the changes that it is one of
 * @folio: the folio, which is on no list
 *
 * A folio that is not just evictable goes the usual way, which knows what to do.
 * MGLRU puts it into the generation that its PG_active and PG_workingset call
 * for, which isolation and folio_migrate_flags() have kept.
 *
 * Context: as lru_batch_isolate().
 */
void lru_batch_putback(struct lru_batch *l, struct folio *folio)
{
	enum lru_list lru;

	if (folio_test_unevictable(folio) || !lru_batch_evictable(folio)) {
		lru_batch_flush(l);
		folio_add_lru(folio);
		return;
	}
	lru_batch_lock(l, folio);
	/* The lruvec knows which kind of list it has at present. */
	if (!lru_gen_add_folio(l->lruvec, folio, false)) {
		lru = lru_batch_account(l, folio, folio_nr_pages(folio));
		list_add(&folio->lru, &l->lruvec->lists[lru]);
	}
	trace_mm_lru_insertion(folio);
	folio_set_lru(folio);
}
