// SPDX-License-Identifier: GPL-2.0
/* Use the runs of an exclusive section as those of an ordinary section. */
#include "fixture/mirror_driver.h"

int dm_fault(struct dm *dm, struct hmm_span span)
{
	int ret;

	hmm_mirror_exclusive(pages, ret, &dm->mirror, span)
#ifdef MISUSE
		hmm_section_runs(run, &pages) //~ - no member named 'batch'
			dm->pages += hmm_span_pages(run.span);
#else
		hmm_section_exclusive_runs(run, &pages)
			dm->pages += hmm_span_pages(run.run.span);
#endif
	return ret;
}
