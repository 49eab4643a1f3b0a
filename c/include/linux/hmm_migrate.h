/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options of a migration by address besides those of <linux/migrate.h>.
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
 * folio of any order, not only a huge page, that is mapped as a whole within the
 * range is not split: its head has an mpfn with %MIGRATE_PFN_COMPOUND, those of its
 * tail pages are 0, and dst must have the same folio_order().
 *
 * %HMM_MIGRATE_FAULT: together with %MIGRATE_VMA_SELECT_SYSTEM. Absent pages other
 * than holes are faulted in before they are collected: swapped out pages,
 * device-exclusive ones, and those under another migration. No folio is locked in
 * the fault. If an absent page is found while folios are locked, collection ends
 * before it: setup lowers &migrate_vma.end and &migrate_vma.npages, and the caller
 * continues with another request.
 *
 * %HMM_MIGRATE_FAULT_WRITE: together with %HMM_MIGRATE_FAULT. Pages that are not
 * mapped writable, in a VMA that is writable, are faulted in for write: a page that
 * processes share is copied before it migrates, not by the device's next fault.
 */
#define HMM_MIGRATE_FAULT_WRITE	BIT(29)
#define HMM_MIGRATE_ANY_ORDER	BIT(30)
#define HMM_MIGRATE_FAULT	BIT(31)

#endif /* _LINUX_HMM_MIGRATE_H */
