// SPDX-License-Identifier: GPL-2.0
/* Define a mirror's callbacks without invalidate. */
#include "fixture/mirror_driver.h"

#ifdef MISUSE
DEFINE_HMM_MIRROR_OPS(dm_ops, struct dm, mirror);
//~^ - too few arguments provided to function-like macro
#else
DEFINE_HMM_MIRROR_OPS(dm_ops, struct dm, mirror, dm_invalidate);
#endif

int dm_start(struct dm *dm, struct mm_struct *mm)
{
	return hmm_mirror_init(&dm->mirror, mm, &dm_ops, NULL);
	//~^ - use of undeclared identifier 'dm_ops'
}
