// SPDX-License-Identifier: GPL-2.0
/* Read the number of migrated pages before the commit. */
#include "fixture/devmem_driver.h"

unsigned long dm_take(struct dm_unit *unit, struct mm_struct *mm, struct hmm_span span)
{
	CLASS(hmm_devmem_migration_collected, collected)(&unit->memory, mm, span);
	CLASS(hmm_devmem_migration_copied, copied)(&collected);
#ifdef MISUSE
	return hmm_devmem_migration_committed_moved(&copied); //~ - incompatible pointer types
#else
	CLASS(hmm_devmem_migration_committed, committed)(&copied);

	return hmm_devmem_migration_committed_moved(&committed);
#endif
}
