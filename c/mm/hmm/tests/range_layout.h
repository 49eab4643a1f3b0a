/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layout of struct hmm_range. Included after our <linux/hmm.h>
 * (walk_pte_test.c) and after the kernel's own (range_layout.c): if both have
 * this layout, both have the same.
 */
#define RANGE_AT(member, type, at)						\
	static_assert(offsetof(struct hmm_range, member) == (at) * sizeof(long)); \
	static_assert(__same_type(((struct hmm_range *)0)->member, type))

RANGE_AT(notifier, struct mmu_interval_notifier *, 0);
RANGE_AT(notifier_seq, unsigned long, 1);
RANGE_AT(start, unsigned long, 2);
RANGE_AT(end, unsigned long, 3);
RANGE_AT(hmm_pfns, unsigned long *, 4);
RANGE_AT(default_flags, unsigned long, 5);
RANGE_AT(pfn_flags_mask, unsigned long, 6);
RANGE_AT(dev_private_owner, void *, 7);
static_assert(sizeof(struct hmm_range) == 8 * sizeof(long));
