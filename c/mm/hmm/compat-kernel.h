/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs inside mm from one kernel version to the next. Nothing else in
 * the core asks for a version.
 */
#ifndef MM_HMM_COMPAT_KERNEL_H
#define MM_HMM_COMPAT_KERNEL_H

#include <linux/version.h>

/* Whether a PMD can hold what is not present, and what that is called. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define HMM_PMD_SOFTLEAVES IS_ENABLED(CONFIG_ARCH_HAS_PMD_SOFTLEAVES)
#else
#define HMM_PMD_SOFTLEAVES IS_ENABLED(CONFIG_ARCH_ENABLE_THP_MIGRATION)
#endif

#endif /* MM_HMM_COMPAT_KERNEL_H */
