// SPDX-License-Identifier: GPL-2.0
/*
 * Migration, collect stage: select, lock and split a folio.
 */
#include <linux/memremap.h>
#include <linux/pagewalk.h>

#include "collect.h"
#include "migrate_policy.h"

/* Whether the flags of a request select a folio of device memory, by kind and owner. */
static bool hmm_collect_selects_device(const struct migrate_vma *args,
				       const struct folio *folio)
{
	unsigned long kind;

	if (folio_is_device_private(folio))
		kind = MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
	else if (folio_is_device_coherent(folio))
		kind = MIGRATE_VMA_SELECT_DEVICE_COHERENT;
	else
		return false;

	return (args->flags & kind) && folio->pgmap->owner == args->pgmap_owner;
}

/* Whether the request selects folios of this memory and this owner. */
bool hmm_collect_selects(const struct hmm_collect *c, struct folio *folio)
{
	if (!folio->mapping)
		return false;
	if (!folio_is_zone_device(folio))
		return (c->args->flags & MIGRATE_VMA_SELECT_SYSTEM) &&
		       folio_test_anon(folio);
	return hmm_collect_selects_device(c->args, folio) ||
	       (c->source && c->source->selects(c->source, folio));
}

/*
 * Lock a mapped folio, unless it must not migrate. No reference is taken: the
 * migration takes over the reference of the mapping. The page table lock is held.
 */
bool hmm_collect_trylock(const struct hmm_collect *c, struct folio *folio)
{
	if (!hmm_is_fault_folio(c->args, folio) && !folio_trylock(folio))
		return false;
	if (folio_is_zone_device(folio) || hmm_folio_may_migrate(folio))
		return true;
	hmm_migration_unlock(c->args, folio);
	return false;
}

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
