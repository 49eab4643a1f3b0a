/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which memory a device may use. Which of it may move to a device is decided in
 * migrate_policy.h.
 *
 * The selftest vma_kinds has a test of most kinds of memory; the
 * functions of both files are what it expects. They follow the refusals of GUP (mm/gup.c,
 * check_vma_flags() and gup_fast_folio_allowed()), as far as these are not about
 * holding a page for long: a device that is mirrored holds no pages.
 *
 * Why it is enough to check the VMA. GUP-fast has no VMA and must look at folios; a
 * walk always has one, and holds the mmap lock or the VMA's own lock from the
 * check to the last page table entry of the VMA that it reads or faults in:
 *
 * - &vm_area_struct.vm_ops, which identifies secretmem, is set by mmap() and does not
 *   change; mremap(), fork() and a split of the VMA copy it. Secretmem can be mapped by
 *   mmap() of its own file only, also by way of remap_file_pages() and of
 *   /proc/PID/map_files. It refuses private mappings, so that none of its data is
 *   in anonymous memory; GUP refuses it, so that vmsplice() and the like cannot
 *   pass its pages on to a driver that maps pages elsewhere.
 * - &vm_area_struct.vm_flags change under the write locks of both the mm and the
 *   VMA. %VM_MAYBE_GUARD alone may be set without them, and is not used here.
 *
 * Changes of the VMA after the lock is released move the sequence of the range's
 * notifier, as for everything else that a walk reports: mprotect(), munmap() and
 * mremap() notify.
 *
 * A folio's own state is not covered by that, see hmm_folio_may_migrate().
 */
#ifndef _MM_HMM_VMA_POLICY_H
#define _MM_HMM_VMA_POLICY_H

#include <linux/mm.h>
#include <linux/secretmem.h>

#include "pfn.h"

/* Whether there may be no struct pages behind a VMA. */
static inline bool hmm_vma_is_special(const struct vm_area_struct *vma)
{
	return vma->vm_flags & (VM_IO | VM_PFNMAP);
}

/*
 * Whether the VMA's pages are not in the kernel's direct map. Only the process may
 * access them: neither the kernel nor drivers nor devices.
 */
static inline bool hmm_vma_is_secret(const struct vm_area_struct *vma)
{
	return vma_is_secretmem((struct vm_area_struct *)vma);
}

/*
 * Whether a device may write. Shadow stacks have VM_WRITE and entries for which
 * pte_write() is true, and yet no store may write to them, only calls and returns
 * of the process's own CPU.
 */
static inline bool hmm_vma_may_write(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_WRITE | VM_SHADOW_STACK)) == VM_WRITE;
}

/**
 * hmm_vma_access() - the most access to a VMA that a device can have
 * @vma: the VMA
 *
 * Invariant: no page is reported or faulted in with more access than this,
 * even if its page table entry has more.
 *
 * Memory that cannot be read cannot be written either, on any architecture that
 * has HMM. Protection keys do not count: they restrict a thread, by a register of
 * its CPU, and a device runs no thread.
 *
 * Context: the mmap lock or the VMA's lock is held; see above.
 * Return: %HMM_PFN_WRITABLE, %HMM_PFN_READABLE; or 0: nothing can be reported but
 * an error.
 */
static inline unsigned long hmm_vma_access(const struct vm_area_struct *vma)
{
	if (hmm_vma_is_special(vma) || !(vma->vm_flags & VM_READ) ||
	    hmm_vma_is_secret(vma))
		return 0;
	return hmm_pfn_access(hmm_vma_may_write(vma));
}

#endif /* _MM_HMM_VMA_POLICY_H */
