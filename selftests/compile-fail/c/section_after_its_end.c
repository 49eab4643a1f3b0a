// SPDX-License-Identifier: GPL-2.0
/* Use a section's pages after the section. */
#include "fixture/mirror_driver.h"

int dm_fault(struct dm *dm, struct hmm_span span)
{
	int ret;

	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_READ) {
		dm->pages += hmm_span_pages(pages.batch);
	}
#ifdef MISUSE
	dm->pages += pages.pfns[0]; //~ - use of undeclared identifier 'pages'
#endif
	return ret;
}
