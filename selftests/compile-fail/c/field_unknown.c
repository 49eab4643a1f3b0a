// SPDX-License-Identifier: GPL-2.0
/* Pass an option to a section that does not exist. */
#include "fixture/mirror_driver.h"

int dm_fault(struct dm *dm, struct hmm_span span)
{
	int ret;

#ifdef MISUSE
	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_READ, .retries = 3)
	//~^ - field designator 'retries' does not refer to any field
#else
	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_READ, .timeout = 3)
#endif
		dm->pages += hmm_span_pages(pages.batch);
	return ret;
}
