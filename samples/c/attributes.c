// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: advice of user programs about their memory.
 */
#include "dmirror.h"

#include <linux/mm.h>

/**
 * DOC: Advice
 *
 * A program may advise where its memory is to be and who uses it, as with
 * cudaMemAdvise() and hipMemAdvise(). &struct hmm_attributes holds the advice by
 * address; this file decides what the unit does with it.
 *
 * *Preferred location.* Without advice the unit moves no page when it faults: it
 * accesses pages where they are, and what is in the private memory of another unit
 * comes to system memory. If the unit's own memory is preferred, pages migrate there
 * in the section that handles the fault. If another location is preferred, the unit
 * does not move them to its memory either.
 *
 * *Read mostly.* A read moves no page to the unit's memory, where other units and the
 * CPU could not read it; a write does, if that memory is preferred.
 *
 * *Accessed by.* The unit's mappings are established before a job begins
 * (dm_map_in_advance()) and not by faults. A page that loses its mapping while the job
 * runs is faulted.
 */

/*
 * Spans to map before a job. Another thread of the process can have mappings removed
 * as fast as they are established.
 */
#define DM_MOST_IN_ADVANCE	4096

/* The advice that a program's number stands for; an invalid one if there is none. */
static enum hmm_advice dm_advice(u32 advice)
{
	switch (advice) {
	case HMM_DMIRROR_SET_READ_MOSTLY:
		return HMM_ADVICE_SET_READ_MOSTLY;
	case HMM_DMIRROR_UNSET_READ_MOSTLY:
		return HMM_ADVICE_UNSET_READ_MOSTLY;
	case HMM_DMIRROR_SET_PREFERRED_LOCATION:
		return HMM_ADVICE_SET_PREFERRED_LOCATION;
	case HMM_DMIRROR_UNSET_PREFERRED_LOCATION:
		return HMM_ADVICE_UNSET_PREFERRED_LOCATION;
	case HMM_DMIRROR_SET_ACCESSED_BY:
		return HMM_ADVICE_SET_ACCESSED_BY;
	case HMM_DMIRROR_UNSET_ACCESSED_BY:
		return HMM_ADVICE_UNSET_ACCESSED_BY;
	default:
		return -1;
	}
}

/**
 * dm_advise() - take a program's advice
 * @dm: the mirror of the program's process
 * @span: the addresses that it is about
 * @advice: HMM_DMIRROR_SET_READ_MOSTLY and so on
 * @location: HMM_DMIRROR_LOCATION_* or the number of a unit
 *
 * Return: 0; -EINVAL if there is no such advice, location or unit; other errors of
 * hmm_attributes_advise().
 */
int dm_advise(struct dm_mirror *dm, struct hmm_span span, u32 advice, s32 location)
{
	int ret;

	BUILD_BUG_ON(HMM_DMIRROR_LOCATION_SYSTEM != HMM_LOCATION_SYSTEM);
	BUILD_BUG_ON(HMM_DMIRROR_LOCATION_NONE != HMM_LOCATION_NONE);
	if (location >= 0 && location >= dm_nr_units())
		return -EINVAL;
	ret = hmm_attributes_advise(&dm->attributes, span, dm_advice(advice), location);
	if (!ret)
		dm_map_in_advance(dm);
	return ret;
}

/**
 * dm_migrate_to() - decide whether a fault of the device moves pages to its memory
 * @dm: the mirror
 * @attribute: the attributes of the pages
 * @access: the access that the device needs
 *
 * Return: the unit's memory, or NULL to leave the pages where they are.
 */
struct hmm_devmem *dm_migrate_to(struct dm_mirror *dm,
				 const struct hmm_attribute *attribute,
				 enum hmm_access access)
{
	if (attribute->location != dm->unit->nr)
		return NULL;
	if (attribute->read_mostly && access == HMM_ACCESS_READ)
		return NULL;
	return &dm->unit->memory;
}

/* Map what is present of a span, wherever it is, and fault nothing in. */
static int dm_map_present(struct dm_mirror *dm, struct hmm_span span)
{
	int ret;

	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_PRESENT) {
		hmm_section_runs(run, &pages) {
			ret = dm_map_run(dm, &run);
			if (ret)
				return ret;
		}
	}
	return ret;
}

/**
 * dm_map_in_advance() - map what the device is going to access, as the process advised
 * @dm: the mirror
 *
 * After an error the device faults on the rest, or on all of it.
 */
void dm_map_in_advance(struct dm_mirror *dm)
{
	for (int i = 0; i < DM_MOST_IN_ADVANCE; i++) {
		struct hmm_span span = hmm_attributes_take_stale(&dm->attributes);

		if (!hmm_span_valid(span) || dm_map_present(dm, span))
			return;
	}
}
