/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences inside mm between kernel versions. Nothing else in the core depends
 * on the version.
 */
#ifndef _MM_HMM_COMPAT_KERNEL_H
#define _MM_HMM_COMPAT_KERNEL_H

#include <linux/swap.h> /* 7.2: leafops.h needs it */
#include <linux/leafops.h>
#include <linux/userfaultfd_k.h>
#include <linux/version.h>

/* Whether a PMD can hold what is not present, and what that is called. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define HMM_PMD_SOFTLEAVES IS_ENABLED(CONFIG_ARCH_HAS_PMD_SOFTLEAVES)
#else
#define HMM_PMD_SOFTLEAVES IS_ENABLED(CONFIG_ARCH_ENABLE_THP_MIGRATION)
#endif

/* 7.3 gave the userfaultfd bit a second use, and a name that covers both. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
#define pte_uffd(pte)		pte_uffd_wp(pte)
#define pte_mkuffd(pte)		pte_mkuffd_wp(pte)
#define pte_swp_uffd(pte)	pte_swp_uffd_wp(pte)
#define pte_swp_mkuffd(pte)	pte_swp_mkuffd_wp(pte)
#define pmd_uffd(pmd)		pmd_uffd_wp(pmd)
#define pmd_mkuffd(pmd)		pmd_mkuffd_wp(pmd)
#define pmd_swp_uffd(pmd)	pmd_swp_uffd_wp(pmd)
#define pmd_swp_mkuffd(pmd)	pmd_swp_mkuffd_wp(pmd)
#define softleaf_to_pmd(entry)	swp_entry_to_pmd(entry)
#define linear_anon_page_index(vma, addr) linear_page_index(vma, addr)
#define userfaultfd_rwp(vma)	false
#define userfaultfd_protected(vma) userfaultfd_wp(vma)
#define vma_is_cow_mapping(vma)	is_cow_mapping((vma)->vm_flags)

/* Before, this did not take a const VMA. */
#define vma_is_anonymous(vma)	vma_is_anonymous((struct vm_area_struct *)(vma))
#endif

#endif /* _MM_HMM_COMPAT_KERNEL_H */
