/* SPDX-License-Identifier: GPL-2.0 */
/*
 * LRU lists: many folios off them, or onto them, under one lock.
 */
#ifndef _MM_HMM_LRU_H
#define _MM_HMM_LRU_H

#include <linux/mmzone.h>

struct folio;

/**
 * struct hmm_lru - changes to LRU lists that are made together
 * @lruvec: whose lock is held, with interrupts off; or NULL
 * @lru: which of its lists has changed
 * @zone: whose pages
 * @nr: by how many pages it has changed and has not been told
 * @folios: how many folios there were under this lock
 *
 * All zeros to begin with.
 */
struct hmm_lru {
	struct lruvec *lruvec;
	enum lru_list lru;
	enum zone_type zone;
	long nr;
	unsigned int folios;
};

bool hmm_lru_take(struct hmm_lru *l, struct folio *folio);
void hmm_lru_give(struct hmm_lru *l, struct folio *folio);
void hmm_lru_end(struct hmm_lru *l);

#endif /* _MM_HMM_LRU_H */
