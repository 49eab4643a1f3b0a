// SPDX-License-Identifier: GPL-2.0
/*
 * Names that exist in every configuration, as functions or as stubs. Compiled by
 * `make matrix` in each of them, and never linked.
 */
#define HMM_API (HMM_API_2017 | HMM_API_MEMREMAP)
#include <linux/hmm_compat.h>

int hmm_compat_pfns(struct page *page);
int hmm_compat_memory(struct device *dev, struct dev_pagemap *pagemap);
int hmm_compat_move(struct vm_area_struct *vma, struct hmm_devmem *devmem);

int hmm_compat_pfns(struct page *page)
{
	hmm_pfn_t hmm_pfn = hmm_pfn_t_from_page(page) | HMM_PFN_WRITE;

	return hmm_pfn_t_to_page(hmm_pfn) != page ||
	       hmm_pfn_t_to_pfn(hmm_pfn) != hmm_pfn >> HMM_PFN_SHIFT;
}

int hmm_compat_memory(struct device *dev, struct dev_pagemap *pagemap)
{
	void *addr = devm_memremap_pages(dev, pagemap);

	put_dev_pagemap(get_dev_pagemap(PHYS_PFN(pagemap->res.start), NULL));
	vmem_altmap_free(&pagemap->core.altmap, vmem_altmap_offset(&pagemap->core.altmap));
	devm_memunmap_pages(dev, pagemap);
	return PTR_ERR_OR_ZERO(addr);
}

int hmm_compat_move(struct vm_area_struct *vma, struct hmm_devmem *devmem)
{
	unsigned long src, dst;

	hmm_mm_init(vma->vm_mm);
	hmm_devmem_remove(hmm_devmem_add(devmem->ops, devmem->device, PAGE_SIZE));
	hmm_mm_destroy(vma->vm_mm);
	return migrate_vma(NULL, vma, vma->vm_start, vma->vm_end, &src, &dst, NULL);
}
