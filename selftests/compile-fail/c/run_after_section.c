// SPDX-License-Identifier: GPL-2.0
/* Use a run, and so a pfn, after its section. */
#include "fixture/mirror_driver.h"

int dm_fault(struct dm *dm, struct hmm_span span, unsigned long *pfn)
{
	int ret;

	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_READ)
		hmm_section_runs(run, &pages)
			dm->pages += hmm_span_pages(run.span);
#ifdef MISUSE
	*pfn = run.pfn; //~ - use of undeclared identifier 'run'
#endif
	return ret;
}
