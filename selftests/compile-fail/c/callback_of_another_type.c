// SPDX-License-Identifier: GPL-2.0
/* Use a callback for another structure than the one that contains the mirror. */
#include "fixture/mirror_driver.h"

struct other {
	unsigned long pages;
};

static inline bool other_invalidate(struct other *other,
				    const struct hmm_invalidation *inv)
{
	other->pages = 0;
	return true;
}

#ifdef MISUSE
DEFINE_HMM_MIRROR_OPS(dm_ops, struct dm, mirror, other_invalidate);
//~^ - incompatible pointer types passing 'struct dm *' to parameter of type 'struct other *'
#else
DEFINE_HMM_MIRROR_OPS(dm_ops, struct dm, mirror, dm_invalidate);
#endif

int dm_start(struct dm *dm, struct mm_struct *mm)
{
	return hmm_mirror_init(&dm->mirror, mm, &dm_ops, NULL);
}
