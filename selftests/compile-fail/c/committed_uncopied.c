// SPDX-License-Identifier: GPL-2.0
/* Commit pages that were not copied. */
#include "fixture/devmem_driver.h"

int dm_take(struct dm_unit *unit, struct mm_struct *mm, struct hmm_span span)
{
	CLASS(hmm_devmem_migration_collected, collected)(&unit->memory, mm, span);
#ifdef MISUSE
	CLASS(hmm_devmem_migration_committed, committed)(&collected);
	//~^ - incompatible pointer types
#else
	CLASS(hmm_devmem_migration_copied, copied)(&collected);
	CLASS(hmm_devmem_migration_committed, committed)(&copied);
#endif

	return hmm_devmem_migration_committed_error(&committed);
}
