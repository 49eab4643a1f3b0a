// SPDX-License-Identifier: GPL-2.0
/* Test a page's flags for an access of sections. */
#include "fixture/mirror_driver.h"

bool dm_may_write(const struct hmm_run *run)
{
#ifdef MISUSE
	return hmm_pfn_flags_has(hmm_run_flags(run), HMM_ACCESS_WRITE);
	//~^ - to different enumeration type 'enum hmm_pfn_flags'
#else
	return hmm_pfn_flags_has(hmm_run_flags(run), HMM_PFN_WRITE);
#endif
}
