// SPDX-License-Identifier: GPL-2.0
/* Change the device's page table under the lock of another mirror. */
#include "fixture/mirror_driver.h"

void dm_prefetch(struct dm *dm, struct dm *other, struct hmm_span span)
{
#ifdef MISUSE
	hmm_mirror_lock(&other->mirror);
	dm_map(dm, span);
	//~^ - calling function 'dm_map' requires holding mutex 'dm->mirror.lock' exclusively
	hmm_mirror_unlock(&other->mirror);
#else
	hmm_mirror_lock(&dm->mirror);
	dm_map(dm, span);
	hmm_mirror_unlock(&dm->mirror);
#endif
}
