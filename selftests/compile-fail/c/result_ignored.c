// SPDX-License-Identifier: GPL-2.0
/* Use a mirror without checking that hmm_mirror_init() succeeded. */
#include "fixture/mirror_driver.h"

int dm_start(struct dm *dm, struct mm_struct *mm,
	     const struct hmm_mirror_ops *ops)
{
#ifdef MISUSE
	hmm_mirror_init(&dm->mirror, mm, ops, NULL);
	//~^ - ignoring return value
#else
	int ret = hmm_mirror_init(&dm->mirror, mm, ops, NULL);

	if (ret)
		return ret;
#endif
	return hmm_mirror_range_add(&dm->mirror, &dm->range, HMM_SPAN_ALL);
}
