// SPDX-License-Identifier: GPL-2.0
/* Change the callbacks while mirrors use them. */
#include "fixture/mirror_driver.h"

DEFINE_HMM_MIRROR_OPS(dm_ops, struct dm, mirror, dm_invalidate);

int dm_start(struct dm *dm, struct mm_struct *mm)
{
#ifdef MISUSE
	dm_ops.release = NULL;
	//~^ - cannot assign to variable 'dm_ops' with const-qualified type
#endif
	return hmm_mirror_init(&dm->mirror, mm, &dm_ops, NULL);
}
