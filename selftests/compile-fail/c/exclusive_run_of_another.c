// SPDX-License-Identifier: GPL-2.0
/* Use a run of an ordinary section as a run of an exclusive section. */
#include "fixture/mirror_driver.h"

static void dm_map_alone(struct dm *dm, const struct hmm_section_exclusive_run *alone)
{
	dm->pages += hmm_span_pages(alone->run.span);
}

int dm_fault(struct dm *dm, struct hmm_span span)
{
	int ret;

#ifdef MISUSE
	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_WRITE)
		hmm_section_runs(run, &pages)
			dm_map_alone(dm, &run); //~ - incompatible pointer types
#else
	hmm_mirror_exclusive(pages, ret, &dm->mirror, span)
		hmm_section_exclusive_runs(run, &pages)
			dm_map_alone(dm, &run);
#endif
	return ret;
}
