/* SPDX-License-Identifier: GPL-2.0 */
/*
 * LRU lists: many folios off them, or onto them, under one lock.
 */
#ifndef MM_HMM_LRU_H
#define MM_HMM_LRU_H

#include <linux/mmzone.h>

struct folio;

/**
 * struct lru_batch - changes to LRU lists that are made together
 * @lruvec: whose lock is held, with interrupts off; or NULL
 * @lru: which of its lists has changed
 * @zone: whose pages
 * @nr: by how many pages it has changed and has not been told
 * @folios: how many folios there were under this lock
 *
 * All zeros to begin with.
 */
struct lru_batch {
	struct lruvec *lruvec;
	enum lru_list lru;
	enum zone_type zone;
	long nr;
	unsigned int folios;
};

bool lru_batch_isolate(struct lru_batch *l, struct folio *folio);
void lru_batch_putback(struct lru_batch *l, struct folio *folio);
void lru_batch_flush(struct lru_batch *l);

#endif /* MM_HMM_LRU_H */
