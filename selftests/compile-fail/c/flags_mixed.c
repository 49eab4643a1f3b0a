// SPDX-License-Identifier: GPL-2.0
/* Test a pfn for flags that only an hmm pfn has. */
#include "fixture/mirror_driver.h"

bool dm_may_write(const struct hmm_run *run)
{
#ifdef MISUSE
	return hmm_pfn_flags_has(run->pfn, HMM_PFN_WRITE);
	//~^ - to parameter of incompatible type 'struct hmm_pfn_flags_val'
#else
	return hmm_pfn_flags_has(hmm_run_flags(run), HMM_PFN_WRITE);
#endif
}
