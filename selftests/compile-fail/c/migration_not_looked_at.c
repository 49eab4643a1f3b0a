// SPDX-License-Identifier: GPL-2.0
/* Ignore whether the pages of a process were migrated. */
#include "fixture/devmem_driver.h"

long dm_fill(struct dm_unit *unit, struct mm_struct *mm, struct hmm_span span)
{
#ifdef MISUSE
	hmm_devmem_migrate(&unit->memory, mm, span);
	//~^ - ignoring return value
	return 0;
#else
	return hmm_devmem_migrate(&unit->memory, mm, span);
#endif
}
