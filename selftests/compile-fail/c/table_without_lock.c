// SPDX-License-Identifier: GPL-2.0
/* Change the device's page table without the update lock. */
#include "fixture/mirror_driver.h"

void dm_prefetch(struct dm *dm, struct hmm_span span)
{
#ifndef MISUSE
	hmm_mirror_lock(&dm->mirror);
#endif
	dm_map(dm, span);
	//~^ - calling function 'dm_map' requires holding mutex 'dm->mirror.lock' exclusively
#ifndef MISUSE
	hmm_mirror_unlock(&dm->mirror);
#endif
}
