// SPDX-License-Identifier: GPL-2.0
/* Ignore whether the migration was committed. */
#include "fixture/devmem_driver.h"

int dm_take(struct dm_unit *unit, struct mm_struct *mm, struct hmm_span span)
{
	CLASS(hmm_devmem_migration_collected, collected)(&unit->memory, mm, span);
	CLASS(hmm_devmem_migration_copied, copied)(&collected);
	CLASS(hmm_devmem_migration_committed, committed)(&copied);

#ifdef MISUSE
	hmm_devmem_migration_committed_error(&committed); //~ - ignoring return value
	return 0;
#else
	return hmm_devmem_migration_committed_error(&committed);
#endif
}
