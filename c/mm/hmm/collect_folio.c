// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, collect stage: split a folio.
 */
#include <linux/memremap.h>
#include <linux/pagewalk.h>

#include "collect.h"
#include "migrate_policy.h"

/*
 * Split the folio @c->to_split and release it, and have the PMD walked again to
 * find the pieces. May sleep; no page table lock is held.
 */
int hmm_collect_split(struct hmm_collect *c, struct mm_walk *walk)
{
	bool faulting = hmm_is_fault_folio(c->args, c->to_split);
	struct folio *folio = c->to_split;

	if (!hmm_migration_split_mapped(c->args, folio))
		c->unsplittable = folio;
	if (faulting)
		folio = page_folio(c->args->fault_page);
	hmm_migration_release(c->args, folio);

	c->to_split = NULL;
	walk->action = ACTION_AGAIN;
	return 0;
}
