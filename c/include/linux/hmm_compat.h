/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HMM as it was: the interfaces of 2017 and of 2019, and the memremap.h of
 * their time, over today's core.
 */
#ifndef _LINUX_HMM_COMPAT_H
#define _LINUX_HMM_COMPAT_H

/*
 * Everything that uses today's meaning of a name that is given an old one at
 * the end of this file.
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
 * DOC: Asking for a generation
 *
 * A driver that was written for an earlier HMM says which one, and includes
 * this header in place of <linux/hmm.h>, after all others::
 *
 *	#define HMM_API HMM_API_2019
 *	#include <linux/hmm_compat.h>
 *
 * From there on the names mean what they meant then. Generations are joined
 * with ``|``. What no other generation, and not today's, uses for something
 * else has one name. What does has a name with the year in it, which is always
 * there (&struct hmm2019_range), and its old name only where one asked.
 *
 * %HMM_PFN_VALID and %HMM_PFN_WRITE are bits in 2017 and indices in 2019; who
 * asks for both has to say which, and is told so by the compiler.
 *
 * docs/compat.md goes through all of it name by name.
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
 * The old names, for who asked.
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
#define HMM_PFN_VALID		say_HMM2017_PFN_VALID_or_HMM2019_PFN_VALID
#define HMM_PFN_WRITE		say_HMM2017_PFN_WRITE_or_HMM2019_PFN_WRITE
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

/* A free page of device memory had one reference then, and has none today. */
#if HMM_API & (HMM_API_2017 | HMM_API_MEMREMAP)
#define get_page		get_page2018
#endif

#endif /* _LINUX_HMM_COMPAT_H */
