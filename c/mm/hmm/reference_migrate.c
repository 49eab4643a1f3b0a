// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own mm/migrate_device.c, unmodified, with names prefixed ref_. The
 * headers, mm/internal.h among them, are included after the macros, so that they
 * declare these names.
 */
#define migrate_vma_setup		ref_migrate_vma_setup
#define migrate_vma_pages		ref_migrate_vma_pages
#define migrate_vma_finalize		ref_migrate_vma_finalize
#define migrate_device_range		ref_migrate_device_range
#define migrate_device_pfns		ref_migrate_device_pfns
#define migrate_device_pages		ref_migrate_device_pages
#define migrate_device_finalize		ref_migrate_device_finalize
#define migrate_device_coherent_folio	ref_migrate_device_coherent_folio

#include "../migrate_device.c"
