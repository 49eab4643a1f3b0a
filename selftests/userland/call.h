/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Call the core for a case: the only place that knows which functions of the core
 * have which of the three outputs.
 */
#ifndef USERLAND_CALL_H
#define USERLAND_CALL_H

#include <linux/hmm.h>

#include "../../c/mm/hmm/walk.h"
#include "case.h"

struct call_output {
	unsigned long *pfns;		/* pfns, or entries of a format */
	struct hmm_extent *extents;
	unsigned long nr_extents;
	unsigned long *peers;		/* pages of peers; NULL: they do not count */
	struct hmm_fault_waits waits;	/* of hmm_range_fault_vma(), for the next call */
};

static inline int call_mmap(struct hmm_range *range, const struct test_case *t,
			    struct hmm_extents *extents)
{
	switch (t->output) {
	case CASE_FORMAT:
		return hmm_range_fault_format(range, &t->format);
	case CASE_EXTENTS:
		return hmm_range_fault_extents(range, extents);
	default:
		return hmm_range_fault(range);
	}
}

static inline int call_unlocked(struct hmm_range *range, const struct test_case *t,
				struct hmm_extents *extents)
{
	switch (t->output) {
	case CASE_FORMAT:
		return hmm_range_fault_format_unlocked_timeout(range, &t->format, 1);
	case CASE_EXTENTS:
		return hmm_range_fault_extents_unlocked_timeout(range, extents, 1);
	default:
		return hmm_range_fault_unlocked_timeout(range, 1);
	}
}

static inline int call_case(const struct test_case *t,
			    struct mmu_interval_notifier *notifier,
			    struct call_output *out)
{
	struct hmm_extents extents = { .at = out->extents, .room = t->room };
	struct hmm_range range = {
		.notifier = notifier,
		.notifier_seq = READ_ONCE(notifier->seq),
		.start = t->start,
		.end = t->end,
		.hmm_pfns = t->output == CASE_EXTENTS ? NULL : out->pfns,
		.default_flags = t->default_flags,
		.pfn_flags_mask = t->mask,
		.dev_private_owner = t->owner ? model_owner : NULL,
	};
	int ret;

	if (t->lock == CASE_VMA) {
		out->waits.peer_pfns = out->peers;
		ret = hmm_range_fault_vma_retry(&range, &out->waits);
	} else if (t->lock == CASE_UNLOCKED) {
		ret = call_unlocked(&range, t, &extents);
	} else {
		model_lock_mmap();
		ret = call_mmap(&range, t, &extents);
		model_unlock_mmap();
	}
	out->nr_extents = extents.nr;
	return ret;
}

#endif /* USERLAND_CALL_H */
