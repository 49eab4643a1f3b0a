/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What drivers may ask of a migration by address besides what
 * <linux/migrate.h> has.
 */
#ifndef _LINUX_HMM_MIGRATE_H
#define _LINUX_HMM_MIGRATE_H

#include <linux/bits.h>
#include <linux/migrate.h>

/**
 * DOC: Options of a migration
 *
 * More bits for &migrate_vma.flags. The kernel's own engine ignores them.
 *
 * %HMM_MIGRATE_ANY_ORDER: together with %MIGRATE_VMA_SELECT_COMPOUND. A large
 * folio of any order that the range holds as a whole is not split: it has one
 * word with %MIGRATE_PFN_COMPOUND, its other words are 0, and folio_order()
 * says how large the new one has to be. Without it that goes for huge pages
 * alone.
 *
 * %HMM_MIGRATE_FAULT: together with %MIGRATE_VMA_SELECT_SYSTEM. Pages that are
 * absent, but not holes, are faulted in while they are being collected: those
 * swapped out, those that a device has for itself, those that another migration
 * is about to let go of. No folio is locked when that happens. If an absent
 * page turns up when some are, collection ends before it: &migrate_vma.end and
 * &migrate_vma.npages have then come down, and the caller goes on from there.
 *
 * %HMM_MIGRATE_FAULT_WRITE: together with %HMM_MIGRATE_FAULT. Pages that are
 * mapped but not writable, in a VMA that is, are made writable likewise: a page
 * that several processes share is copied before it moves, and not after.
 */
#define HMM_MIGRATE_FAULT_WRITE	BIT(29)
#define HMM_MIGRATE_ANY_ORDER	BIT(30)
#define HMM_MIGRATE_FAULT	BIT(31)

#endif /* _LINUX_HMM_MIGRATE_H */
