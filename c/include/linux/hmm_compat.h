/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HMM's interfaces of earlier API years, 2017 and 2019, and the memremap.h of that
 * time, over today's core.
 */
#ifndef _LINUX_HMM_COMPAT_H
#define _LINUX_HMM_COMPAT_H

/*
 * Every header that uses today's meaning of a name to which the end of this file
 * gives an earlier one.
 */
#include <linux/contract.h>
#include <linux/dma-mapping.h>
#include <linux/hmm.h>
#include <linux/hmm_devmem.h>
#ifdef CONFIG_HMM_MIRROR
#include <linux/hmm_mirror.h>
#endif
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/wait.h>
#include <linux/wait_bit.h>

/**
 * DOC: Selecting an API year
 *
 * A driver for an earlier interface selects its API year, and includes this header
 * in place of <linux/hmm.h>, after all others::
 *
 *	#define HMM_API HMM_API_2019
 *	#include <linux/hmm_compat.h>
 *
 * From there on the names have the meaning of that year. Several are joined with
 * ``|``. A name that has another meaning in another year, or today, also exists
 * with its year (&struct hmm2019_range), independent of the selection.
 *
 * %HMM_PFN_VALID and %HMM_PFN_WRITE are bits in 2017 and indices in 2019; a driver
 * that selects both must use the names with the year, or it does not compile.
 */
#define HMM_API_2017		1
#define HMM_API_2019		2
#define HMM_API_MEMREMAP	4

#ifndef HMM_API
#define HMM_API 0
#endif

#include <linux/hmm_compat_2017.h>
#include <linux/hmm_compat_2019.h>
#include <linux/hmm_compat_memremap.h>

/*
 * The names without a year, for drivers that select it
 */

#if HMM_API & HMM_API_2017
#define hmm_devmem		hmm2017_devmem
#define hmm_devmem_ops		hmm2017_devmem_ops
#define hmm_devmem_add		hmm2017_devmem_add
#define hmm_devmem_remove	hmm2017_devmem_remove
#endif

#if HMM_API & HMM_API_2019
#define hmm_mirror		hmm2019_mirror
#define hmm_mirror_ops		hmm2019_mirror_ops
#define hmm_range		hmm2019_range
#define hmm_range_fault		hmm2019_range_fault
#define HMM_PFN_ERROR		HMM2019_PFN_ERROR
#endif

#if (HMM_API & HMM_API_2017) && (HMM_API & HMM_API_2019)
#define HMM_PFN_VALID		use_HMM2017_PFN_VALID_or_HMM2019_PFN_VALID
#define HMM_PFN_WRITE		use_HMM2017_PFN_WRITE_or_HMM2019_PFN_WRITE
#elif HMM_API & HMM_API_2017
#define HMM_PFN_VALID		HMM2017_PFN_VALID
#define HMM_PFN_WRITE		HMM2017_PFN_WRITE
#elif HMM_API & HMM_API_2019
#define HMM_PFN_VALID		HMM2019_PFN_VALID
#define HMM_PFN_WRITE		HMM2019_PFN_WRITE
#endif

#if HMM_API & HMM_API_MEMREMAP
#define dev_pagemap		dev_pagemap2018
#define devm_memremap_pages	devm_memremap_pages2018
#define devm_memunmap_pages	devm_memunmap_pages2018
#define get_dev_pagemap		get_dev_pagemap2018
#define put_dev_pagemap		put_dev_pagemap2018
#endif

/* A free page of device memory had one reference, and has none today. */
#if HMM_API & (HMM_API_2017 | HMM_API_MEMREMAP)
#define get_page		get_page2018
#endif

#endif /* _LINUX_HMM_COMPAT_H */
