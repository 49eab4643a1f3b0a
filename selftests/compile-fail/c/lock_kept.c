// SPDX-License-Identifier: GPL-2.0
/* Return with the update lock held on one path. */
#include "fixture/mirror_driver.h"

int dm_unmap(struct dm *dm)
{
	hmm_mirror_lock(&dm->mirror);
	if (!dm->pages) {
#ifndef MISUSE
		hmm_mirror_unlock(&dm->mirror);
#endif
		return -ENOENT;
	}
	dm->pages = 0;
	hmm_mirror_unlock(&dm->mirror);
	return 0;
} //~ - mutex 'dm->mirror.lock' is not held on every path through here
