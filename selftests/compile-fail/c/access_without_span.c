// SPDX-License-Identifier: GPL-2.0
/* Open a section without its access. */
#include "fixture/mirror_driver.h"

int dm_fault(struct dm *dm, struct hmm_span span)
{
	int ret;

#ifdef MISUSE
	hmm_mirror_populate(pages, ret, &dm->mirror, span)
	//~^ - too few arguments provided to function-like macro
#else
	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_READ)
#endif
		dm->pages += hmm_span_pages(pages.batch);
	return ret;
}
