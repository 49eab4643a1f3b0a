// SPDX-License-Identifier: GPL-2.0
/* A range is locked, which has no lock. */
#include "fixture/mirror_driver.h"

unsigned long dm_pages(struct dm *dm)
{
#ifdef MISUSE
	guard(hmm_mirror)(&dm->range);
	//~^ - incompatible pointer types passing 'struct hmm_mirror_range *' to parameter of type
#else
	guard(hmm_mirror)(&dm->mirror);
#endif
	return dm->pages;
}
