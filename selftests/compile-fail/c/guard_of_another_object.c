// SPDX-License-Identifier: GPL-2.0
/* Lock a range: the update lock belongs to the mirror. */
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
