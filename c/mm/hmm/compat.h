/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the earlier generations of the interface share.
 */
#ifndef MM_HMM_COMPAT_H
#define MM_HMM_COMPAT_H

#include <linux/hmm_compat.h>

/* compat_memremap.c */
extern int hmm_compat_owner;
struct page *hmm_compat_fault_page(void);
void hmm_compat_poison(struct vm_area_struct *vma, unsigned long addr,
		       struct page *page);

#endif /* MM_HMM_COMPAT_H */
