// SPDX-License-Identifier: GPL-2.0
/* Release the update lock twice. */
#include "fixture/mirror_driver.h"

void dm_unmap(struct dm *dm)
{
	hmm_mirror_lock(&dm->mirror);
	dm->pages = 0;
	hmm_mirror_unlock(&dm->mirror);
#ifdef MISUSE
	hmm_mirror_unlock(&dm->mirror);
	//~^ - releasing mutex 'dm->mirror.lock' that was not held
#endif
}
