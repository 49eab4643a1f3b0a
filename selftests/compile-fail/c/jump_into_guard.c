// SPDX-License-Identifier: GPL-2.0
/* Jump into the scope of a guard, past its initialisation. */
#include "fixture/mirror_driver.h"

unsigned long dm_pages(struct dm *dm, bool known)
{
#ifdef MISUSE
	if (known)
		goto out;
		//~^ - cannot jump from this goto statement to its label
#endif
	guard(hmm_mirror)(&dm->mirror);
	dm->pages = 0;
#ifdef MISUSE
out:
#endif
	return dm->pages;
}
