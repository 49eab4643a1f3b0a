/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Includes, and macros for names that differ between kernel versions.
 */
#ifndef _MM_HMM_COMPAT_KERNEL_H
#define _MM_HMM_COMPAT_KERNEL_H

#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
/* leafops.h needs it. */
#include <linux/swap.h>
#endif
#include <linux/leafops.h>
#include <linux/userfaultfd_k.h>

/* Whether a PMD can hold what is not present. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define HMM_PMD_SOFTLEAVES IS_ENABLED(CONFIG_ARCH_HAS_PMD_SOFTLEAVES)
#else
#define HMM_PMD_SOFTLEAVES IS_ENABLED(CONFIG_ARCH_ENABLE_THP_MIGRATION)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
/*
 * The names of 7.3, which gave the userfaultfd bit a second use. Nothing else in
 * the core depends on the version.
 */
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
