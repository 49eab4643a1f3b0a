// SPDX-License-Identifier: GPL-2.0
/*
 * HMM as it was in 2017: migration in one call, and device memory at addresses
 * that nobody has.
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/hugetlb_inline.h>
#include <linux/slab.h>

#include "compat.h"

#ifdef CONFIG_DEVICE_MIGRATION
/* What a driver of that time may say in @dst besides what is said today. */
#define DST_EXTRA (MIGRATE_PFN_LOCKED | MIGRATE_PFN_DEVICE | MIGRATE_PFN_ERROR)

/* A page whose content is lost is where it was; who touches it shall know. */
static void hmm2017_migrate_poison(struct migrate_vma *args, const unsigned long *lost)
{
	unsigned long i;

	for (i = 0; i < args->npages; i++) {
		struct page *page = migrate_pfn_to_page(args->src[i]);

		if (test_bit(i, lost) && page && is_device_private_page(page))
			hmm_compat_poison(args->vma, args->start + (i << PAGE_SHIFT), page);
	}
}

/* Take out of @dst what today's engine does not know; notes what is lost. */
static bool hmm2017_migrate_strip(struct migrate_vma *args, unsigned long *lost)
{
	unsigned long i;
	bool any = false;

	for (i = 0; i < args->npages; i++) {
		if (args->dst[i] & MIGRATE_PFN_ERROR) {
			__set_bit(i, lost);
			args->dst[i] = 0;
			any = true;
		}
		args->dst[i] &= ~DST_EXTRA;
	}
	return any;
}

/**
 * migrate_vma() - migrate pages of a VMA
 * @ops: the driver's part
 * @vma: the VMA
 * @start: first address, rounded down to a page
 * @end: address after the last, rounded down to a page
 * @src: room for one word a page
 * @dst: the same
 * @private: for @ops
 *
 * Pages of system memory and of devices that were registered by the interfaces
 * of that time are unmapped and offered to the driver, who says where they are
 * to go. What the driver leaves out, and what cannot move, stays where it is.
 *
 * Context: holds the mmap lock. May sleep.
 * Return: 0, also if nothing could be moved; -%EINVAL if the range is empty,
 * reversed or not within @vma, or if pages of such a VMA cannot move; -%ENOMEM.
 */
int migrate_vma(const struct migrate_vma_ops *ops, struct vm_area_struct *vma,
		unsigned long start, unsigned long end,
		unsigned long *src, unsigned long *dst, void *private)
{
	struct migrate_vma args = {
		.vma = vma,
		.src = src,
		.dst = dst,
		.start = start & PAGE_MASK,
		.end = end & PAGE_MASK,
		.pgmap_owner = &hmm_compat_owner,
		.flags = MIGRATE_VMA_SELECT_SYSTEM |
			 MIGRATE_VMA_SELECT_DEVICE_PRIVATE |
			 MIGRATE_VMA_SELECT_DEVICE_COHERENT,
		.fault_page = hmm_compat_fault_page(),
	};
	unsigned long *lost;
	bool poison;
	int ret;

	if (!ops || !ops->alloc_and_copy || !ops->finalize_and_map)
		return -EINVAL;
	if (args.start >= args.end)
		return -EINVAL;
	lost = bitmap_zalloc((args.end - args.start) >> PAGE_SHIFT, GFP_KERNEL);
	if (!lost)
		return -ENOMEM;
	ret = migrate_vma_setup(&args);
	if (ret || !args.cpages)
		goto out;
	ops->alloc_and_copy(vma, src, dst, args.start, args.end, private);
	poison = hmm2017_migrate_strip(&args, lost);
	migrate_vma_pages(&args);
	ops->finalize_and_map(vma, src, dst, args.start, args.end, private);
	migrate_vma_finalize(&args);
	if (poison)
		hmm2017_migrate_poison(&args, lost);
out:
	bitmap_free(lost);
	return ret;
}
EXPORT_SYMBOL(migrate_vma);
#endif /* CONFIG_DEVICE_MIGRATION */

#ifdef CONFIG_DEVICE_PRIVATE
static struct hmm2017_devmem *hmm2017_devmem_of(const struct page *page)
{
	return container_of(page_dev_pagemap2018(page), struct hmm2017_devmem,
			    pagemap);
}

static int hmm2017_devmem_fault(struct vm_area_struct *vma, unsigned long addr,
			const struct page *page, unsigned int flags, pmd_t *pmdp)
{
	struct hmm2017_devmem *devmem = hmm2017_devmem_of(page);

	return devmem->ops->fault(devmem, vma, addr, page, flags, pmdp);
}

static void hmm2017_devmem_free(struct page *page, void *data)
{
	struct hmm2017_devmem *devmem = data;

	devmem->ops->free(devmem, page);
}

static void hmm2017_devmem_ref_release(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct hmm2017_devmem, ref)->completion);
}

static void hmm2017_devmem_ref_exit(void *data)
{
	struct hmm2017_devmem *devmem = data;

	wait_for_completion(&devmem->completion);
	percpu_ref_exit(&devmem->ref);
}

static void hmm2017_devmem_kfree(void *data)
{
	kfree(data);
}

/* Each step is undone, in reverse, with the group that it belongs to. */
static int hmm2017_devmem_plug(struct hmm2017_devmem *devmem, unsigned long size)
{
	struct dev_pagemap2018 *pagemap = &devmem->pagemap;
	struct device *device = devmem->device;
	int ret;

	ret = devm_add_action_or_reset(device, hmm2017_devmem_kfree, devmem);
	if (ret)
		return ret;
	devmem->resource = devm_request_free_mem_region(device, &iomem_resource, size);
	if (IS_ERR(devmem->resource))
		return PTR_ERR(devmem->resource);
	devmem->pfn_first = PHYS_PFN(devmem->resource->start);
	devmem->pfn_last = devmem->pfn_first +
			   PHYS_PFN(resource_size(devmem->resource));

	ret = percpu_ref_init(&devmem->ref, hmm2017_devmem_ref_release, 0, GFP_KERNEL);
	if (ret)
		return ret;
	ret = devm_add_action(device, hmm2017_devmem_ref_exit, devmem);
	if (ret) {
		percpu_ref_exit(&devmem->ref);
		return ret;
	}
	pagemap->page_fault = hmm2017_devmem_fault;
	pagemap->page_free = hmm2017_devmem_free;
	pagemap->res = *devmem->resource;
	pagemap->ref = &devmem->ref;
	pagemap->kill = percpu_ref_kill;
	pagemap->data = devmem;
	pagemap->type = MEMORY_DEVICE_PRIVATE;
	return PTR_ERR_OR_ZERO(devm_memremap_pages2018(device, pagemap));
}

/**
 * hmm2017_devmem_add() - plug in memory of a device that the CPU cannot reach
 * @ops: the driver's callbacks
 * @device: the device, at whose end the memory is unplugged
 * @size: in bytes; rounded up to what memory is plugged in by
 *
 * Finds addresses that nobody uses and makes struct pages for them. All pages
 * are free: the driver takes one by get_page() and locks it.
 *
 * Context: Process context; may sleep.
 * Return: the device memory; or an error pointer, -%EINVAL when something is
 * missing, -%ENOMEM, -%ERANGE when there are not that many addresses, or what
 * memremap_pages() says. Nothing is then left behind.
 */
struct hmm2017_devmem *hmm2017_devmem_add(const struct hmm2017_devmem_ops *ops,
					  struct device *device, unsigned long size)
{
	struct hmm2017_devmem *devmem;
	void *group;
	int ret;

	if (!ops || !ops->free || !ops->fault || !device || !size)
		return ERR_PTR(-EINVAL);
	group = devres_open_group(device, NULL, GFP_KERNEL);
	if (!group)
		return ERR_PTR(-ENOMEM);
	devmem = kzalloc_obj(*devmem);
	if (!devmem) {
		devres_release_group(device, group);
		return ERR_PTR(-ENOMEM);
	}
	init_completion(&devmem->completion);
	devmem->device = device;
	devmem->ops = ops;
	devmem->group = group;
	ret = hmm2017_devmem_plug(devmem, size);
	if (ret) {
		devres_release_group(device, group);
		return ERR_PTR(ret);
	}
	devres_close_group(device, group);
	return devmem;
}
EXPORT_SYMBOL_GPL(hmm2017_devmem_add);

/**
 * hmm2017_devmem_remove() - unplug it
 * @devmem: the device memory, which is freed; nothing happens for NULL and for
 *	error pointers
 *
 * The driver has brought the pages home. Waits for the last one to be free.
 *
 * Context: Process context; sleeps.
 */
void hmm2017_devmem_remove(struct hmm2017_devmem *devmem)
{
	if (IS_ERR_OR_NULL(devmem))
		return;
	devres_release_group(devmem->device, devmem->group);
}
EXPORT_SYMBOL_GPL(hmm2017_devmem_remove);
#endif /* CONFIG_DEVICE_PRIVATE */
