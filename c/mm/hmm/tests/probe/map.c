// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that user space cannot create otherwise: VM_PFNMAP areas, special PTEs,
 * pages outside the direct map, shadow stacks, poisoned pages that stay mapped.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/set_memory.h>
#include <linux/uaccess.h>

#include "probe.h"

/* The page that VM_PFNMAP and VM_MIXEDMAP areas map. */
static struct page *probe_page;

static vm_fault_t mixed_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	int ret;

	if (vmf->address >= vma->vm_start + PAGE_SIZE)
		return vmf_insert_mixed(vma, vmf->address,
					page_to_pfn(probe_page));
	ret = vm_insert_page(vma, vmf->address, probe_page);
	if (ret && ret != -EBUSY)
		return VM_FAULT_SIGBUS;
	return VM_FAULT_NOPAGE;
}

static const struct vm_operations_struct mixed_ops = {
	.fault = mixed_fault,
};

static int map_pfns(struct vm_area_struct *vma)
{
	unsigned long addr;
	int ret = 0;

	for (addr = vma->vm_start; !ret && addr < vma->vm_end; addr += PAGE_SIZE)
		ret = remap_pfn_range(vma, addr, page_to_pfn(probe_page),
				      PAGE_SIZE, vma->vm_page_prot);
	return ret;
}

#ifdef CONFIG_X86_64

/* A page that processes map and that is not in the direct map. */
static struct page *probe_hidden;

static vm_fault_t hidden_fault(struct vm_fault *vmf)
{
	get_page(probe_hidden);
	vmf->page = probe_hidden;
	return 0;
}

static const struct vm_operations_struct hidden_ops = {
	.fault = hidden_fault,
};

static int map_hidden(struct vm_area_struct *vma)
{
	if (!probe_hidden)
		return -ENOMEM;
	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND);
	vma->vm_ops = &hidden_ops;
	return 0;
}

static void hidden_init(void)
{
	probe_hidden = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!probe_hidden || !set_mce_nospec(page_to_pfn(probe_hidden)))
		return;
	__free_page(probe_hidden);
	probe_hidden = NULL;
}

static void hidden_exit(void)
{
	if (!probe_hidden)
		return;
	clear_mce_nospec(page_to_pfn(probe_hidden));
	__free_page(probe_hidden);
}

#else

static int map_hidden(struct vm_area_struct *vma)
{
	return -EOPNOTSUPP;
}

static void hidden_init(void)
{
}

static void hidden_exit(void)
{
}

#endif

/* Set VM_SHADOW_STACK on a VMA; the CPU need not have shadow stacks. */
static int mark_shadow_stack(unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int ret = -EFAULT;

	if (!VM_SHADOW_STACK)
		return -EOPNOTSUPP;
	mmap_write_lock(mm);
	vma = vma_lookup(mm, addr);
	if (vma && vma_is_anonymous(vma) && (vma->vm_flags & VM_WRITE)) {
		/* The mm accounts shadow stacks as stack, also when unmapping. */
		if (!(vma->vm_flags & VM_SHADOW_STACK)) {
			mm->data_vm -= vma_pages(vma);
			mm->stack_vm += vma_pages(vma);
		}
		vm_flags_set(vma, VM_SHADOW_STACK);
		ret = 0;
	}
	mmap_write_unlock(mm);
	return ret;
}

/* Set PG_hwpoison on a page that stays mapped; memory failure would unmap it. */
static int mark_poison(unsigned long addr, bool poison)
{
#ifdef CONFIG_MEMORY_FAILURE
	struct folio *folio;
	struct page *page;
	int ret = get_user_pages_fast(addr, 1, 0, &page);

	if (ret != 1)
		return ret < 0 ? ret : -EFAULT;
	folio = page_folio(page);
	if (poison)
		SetPageHWPoison(page);
	else
		ClearPageHWPoison(page);
	if (folio_test_large(folio) && poison)
		folio_set_has_hwpoisoned(folio);
	else if (folio_test_large(folio))
		folio_clear_has_hwpoisoned(folio);
	put_page(page);
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}

long probe_mark(const struct hmm_probe_mark __user *user)
{
	struct hmm_probe_mark mark;

	if (copy_from_user(&mark, user, sizeof(mark)))
		return -EFAULT;
	switch (mark.what) {
	case HMM_PROBE_MARK_SHADOW_STACK:
		return mark_shadow_stack(mark.addr);
	case HMM_PROBE_MARK_POISON:
	case HMM_PROBE_MARK_NO_POISON:
		return mark_poison(mark.addr, mark.what == HMM_PROBE_MARK_POISON);
	default:
		return -EINVAL;
	}
}

int probe_map(struct file *filp, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	switch (vma->vm_pgoff) {
	case HMM_PROBE_MAP_PFNMAP:
		return map_pfns(vma);
	case HMM_PROBE_MAP_MIXED:
		vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND);
		vma->vm_ops = &mixed_ops;
		return 0;
	case HMM_PROBE_MAP_HIDDEN:
		return map_hidden(vma);
	default:
		return -EINVAL;
	}
}

int probe_map_init(void)
{
	probe_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!probe_page)
		return -ENOMEM;
	hidden_init();
	return 0;
}

void probe_map_exit(void)
{
	hidden_exit();
	__free_page(probe_page);
}
