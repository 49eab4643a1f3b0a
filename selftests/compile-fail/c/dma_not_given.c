// SPDX-License-Identifier: GPL-2.0
/* Open a section for device addresses without the storage for them. */
#include "fixture/mirror_driver.h"

int dm_fault(struct dm *dm, struct hmm_mirror_dma *dma, struct hmm_span span)
{
	int ret;

#ifdef MISUSE
	hmm_mirror_populate_dma(pages, ret, &dm->mirror, span, HMM_ACCESS_WRITE) //~ - too few arguments provided to function-like macro invocation
#else
	hmm_mirror_populate_dma(pages, ret, &dm->mirror, span, HMM_ACCESS_WRITE, dma)
#endif
		hmm_section_dma_pages_addresses(at, &pages)
			dm->pages += hmm_span_pages(at.dma_run.span);
	return ret;
}
