// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings that HMM cannot hand out: raw page frames and special entries.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "probe.h"

/* One page of ordinary memory, mapped in all the extraordinary ways. */
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
	default:
		return -EINVAL;
	}
}

int probe_map_init(void)
{
	probe_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return probe_page ? 0 : -ENOMEM;
}

void probe_map_exit(void)
{
	__free_page(probe_page);
}
