// SPDX-License-Identifier: GPL-2.0
/*
 * API year 2017: migration in one call, and device memory at unused physical
 * addresses.
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"

#ifdef CONFIG_DEVICE_MIGRATION
/* Pages whose mpfns are on the stack; a CPU fault migrates one, or a few. */
#define HMM2017_STACK_PAGES 16

/*
 * The core's mpfns have MIGRATE_PFN_COMPOUND where those of this API year have
 * MIGRATE_PFN_DEVICE, and the driver's dst must not change. So the core has arrays
 * of its own, and the driver's are converted.
 */

/* What the driver is passed: the pages that are to be migrated are locked. */
static void hmm2017_migrate_show_src(const struct migrate_vma *args,
				     unsigned long *src)
{
	unsigned long i;

	for (i = 0; i < args->npages; i++) {
		struct page *page = migrate_pfn_to_page(args->src[i]);

		src[i] = args->src[i] & (~0UL << MIGRATE_PFN_SHIFT |
					 MIGRATE_PFN_VALID | MIGRATE_PFN_MIGRATE |
					 MIGRATE_PFN_WRITE);
		if (!page)
			continue;
		if (is_device_private_page(page))
			src[i] |= MIGRATE_PFN_DEVICE;
		if (args->src[i] & MIGRATE_PFN_MIGRATE)
			src[i] |= MIGRATE_PFN_LOCKED;
	}
}

/* What has not moved is still locked, and has lost MIGRATE_PFN_MIGRATE. */
static void hmm2017_migrate_show_moved(const struct migrate_vma *args,
				       unsigned long *src)
{
	unsigned long i;

	for (i = 0; i < args->npages; i++)
		if (!(args->src[i] & MIGRATE_PFN_MIGRATE))
			src[i] &= ~MIGRATE_PFN_MIGRATE;
}

/* Convert the driver's destinations to mpfns of today's migration. */
static void hmm2017_migrate_take_dst(struct migrate_vma *args,
				     const unsigned long *dst)
{
	unsigned long i;

	for (i = 0; i < args->npages; i++)
		args->dst[i] = dst[i] & MIGRATE_PFN_ERROR ? 0 :
			       dst[i] & ~(MIGRATE_PFN_LOCKED | MIGRATE_PFN_DEVICE);
}

/* Make the CPU get SIGBUS where the driver has lost the content of a page. */
static void hmm2017_migrate_poison(const struct migrate_vma *args,
				   const unsigned long *dst)
{
	unsigned long i;

	for (i = 0; i < args->npages; i++) {
		struct page *page = migrate_pfn_to_page(args->src[i]);

		if ((dst[i] & MIGRATE_PFN_ERROR) && page && is_device_private_page(page))
			hmm_compat_poison(args->vma, args->start + (i << PAGE_SHIFT), page);
	}
}

/*
 * All stages of a migration whose pages are collected. The mmap lock is held; may
 * sleep.
 */
static void hmm2017_migrate(struct migrate_vma *args, const struct migrate_vma_ops *ops,
			    unsigned long *src, unsigned long *dst, void *private)
{
	hmm2017_migrate_show_src(args, src);
	memset(dst, 0, args->npages * sizeof(*dst));
	if (!args->cpages)
		return;
	ops->alloc_and_copy(args->vma, src, dst, args->start, args->end, private);
	hmm2017_migrate_take_dst(args, dst);
	migrate_vma_pages(args);
	hmm2017_migrate_show_moved(args, src);
	ops->finalize_and_map(args->vma, src, dst, args->start, args->end, private);
	migrate_vma_finalize(args);
	hmm2017_migrate_poison(args, dst);
}

/**
 * migrate_vma() - migrate pages of a VMA
 * @ops: the driver's callbacks
 * @vma: the VMA
 * @start: first address, rounded down to a page
 * @end: address after the last, rounded down to a page
 * @src: room for one mpfn for each page
 * @dst: likewise
 * @private: passed to @ops
 *
 * Pages of system memory, and of device memory that was registered by the
 * interfaces of these years, are unmapped and passed to @ops, which copies them
 * to pages that it allocates. A page without a destination, or that cannot be
 * migrated, stays where it is. On return @dst is as the driver left it.
 *
 * Context: holds the mmap lock. May sleep.
 * Return: 0, also if nothing was migrated; -%EINVAL if the range is empty,
 * reversed, not within @vma or larger than 512 GiB, or if pages of such a VMA
 * cannot be migrated.
 */
int migrate_vma(const struct migrate_vma_ops *ops, struct vm_area_struct *vma,
		unsigned long start, unsigned long end,
		unsigned long *src, unsigned long *dst, void *private)
{
	unsigned long on_stack[2 * HMM2017_STACK_PAGES], *mpfns = on_stack, nr;
	struct migrate_vma args = {
		.vma = vma,
		.start = start & PAGE_MASK,
		.end = end & PAGE_MASK,
		.pgmap_owner = &hmm_compat_owner,
		.flags = MIGRATE_VMA_SELECT_SYSTEM |
			 MIGRATE_VMA_SELECT_DEVICE_PRIVATE |
			 MIGRATE_VMA_SELECT_DEVICE_COHERENT,
		.fault_page = hmm_compat_fault_page(),
	};

	if (!ops || !ops->alloc_and_copy || !ops->finalize_and_map || !vma ||
	    !src || !dst)
		return -EINVAL;
	if (args.start >= args.end || args.start < vma->vm_start ||
	    args.end > vma->vm_end)
		return -EINVAL;
	nr = (args.end - args.start) >> PAGE_SHIFT;
	/*
	 * -ENOMEM was no result then: a driver's fault() would return SIGBUS. Only an
	 * array of more than 2 GiB is not allocated; migrate_vma_setup() refuses that.
	 */
	if (nr > HMM2017_STACK_PAGES)
		mpfns = kvmalloc_array(nr, 2 * sizeof(*mpfns),
				       GFP_KERNEL | __GFP_NOFAIL | __GFP_NOWARN);
	args.src = mpfns;
	args.dst = mpfns + nr;
	if (migrate_vma_setup(&args))
		nr = 0;
	else
		hmm2017_migrate(&args, ops, src, dst, private);
	if (mpfns != on_stack)
		kvfree(mpfns);
	return nr ? 0 : -EINVAL;
}
EXPORT_SYMBOL(migrate_vma);
#endif /* CONFIG_DEVICE_MIGRATION */

#ifdef CONFIG_DEVICE_PRIVATE
/* The device memory of a page, whose pagemap is of a struct hmm2017_devmem. */
static struct hmm2017_devmem *hmm2017_devmem_of(const struct page *page)
{
	return container_of(page_dev_pagemap2018(page), struct hmm2017_devmem,
			    pagemap);
}

/* &dev_pagemap2018.page_fault: a CPU accessed a device-private page. */
static int hmm2017_devmem_fault(struct vm_area_struct *vma, unsigned long addr,
				const struct page *page, unsigned int flags,
				pmd_t *pmdp)
{
	struct hmm2017_devmem *devmem = hmm2017_devmem_of(page);

	return devmem->ops->fault(devmem, vma, addr, page, flags, pmdp);
}

/* &dev_pagemap2018.page_free: the last reference to a page was dropped. */
static void hmm2017_devmem_free(struct page *page, void *data)
{
	struct hmm2017_devmem *devmem = data;

	devmem->ops->free(devmem, page);
}

/* No page is in use any more. Called in the context of the last put. */
static void hmm2017_devmem_ref_release(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct hmm2017_devmem, ref)->completion);
}

/* devres action: wait until no page is in use. Sleeps. */
static void hmm2017_devmem_ref_exit(void *data)
{
	struct hmm2017_devmem *devmem = data;

	wait_for_completion(&devmem->completion);
	percpu_ref_exit(&devmem->ref);
}

/* devres action: free the structure. */
static void hmm2017_devmem_kfree(void *data)
{
	kfree(data);
}

/* Each step registers how it is undone, so that devres undoes them in reverse. */
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
 * hmm2017_devmem_add() - add device memory that the CPU cannot access
 * @ops: the driver's callbacks
 * @device: the device; the memory is removed with it
 * @size: in bytes; rounded up to the unit of memory hotplug
 *
 * Finds unused physical addresses and creates struct pages for them. All pages
 * are free: the driver allocates one with get_page() and locks it.
 *
 * Context: Process context; may sleep.
 * Return: the device memory; or an error pointer: -%EINVAL if an argument or a
 * callback is missing, -%ENOMEM, -%ERANGE if there are not enough addresses, or
 * an error of memremap_pages(). Everything is undone then.
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
 * hmm2017_devmem_remove() - remove device memory
 * @devmem: the device memory, which is freed; nothing happens for %NULL and for
 *	error pointers
 *
 * The driver has migrated the pages to system memory. Waits until all are free.
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
