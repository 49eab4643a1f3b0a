// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the memremap.h of Linux 5.0.
 *
 * Tests of memory that the CPU can access are skipped without fixture_set_aside.h's.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/ioport.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#define HMM_API HMM_API_MEMREMAP
#include <linux/hmm_compat.h>

#include "fixture_set_aside.h"

#define SIZE		SZ_128M
/* The guest's own, on each architecture. */
#define SYSTEM_RAM_AT	SZ_2G

/**
 * struct memory_device - a device with memory
 * @pagemap: the memory
 * @ref: the driver's reference count for @pagemap
 * @gone: whether @ref has dropped to zero
 * @kills: number of calls of kill()
 * @frees: number of calls of page_free()
 * @freed: the page of the last one
 */
struct memory_device {
	struct dev_pagemap pagemap;
	struct percpu_ref ref;
	bool gone;
	int kills;
	int frees;
	struct page *freed;
};

static int memory_fault(struct vm_area_struct *vma, unsigned long addr,
			const struct page *page, unsigned int flags, pmd_t *pmdp)
{
	return VM_FAULT_SIGBUS;
}

static void memory_free(struct page *page, void *data)
{
	struct memory_device *device = data;

	device->frees++;
	device->freed = page;
}

static void memory_ref_gone(struct percpu_ref *ref)
{
	container_of(ref, struct memory_device, ref)->gone = true;
}

static void memory_kill(struct percpu_ref *ref)
{
	container_of(ref, struct memory_device, ref)->kills++;
	percpu_ref_kill(ref);
}

static void memory_killed(struct percpu_ref *ref)
{
	container_of(ref, struct memory_device, ref)->kills++;
}

/* The number of references, which the driver's count has while it is atomic. */
static long memory_refs(const struct memory_device *device)
{
	return atomic_long_read(&device->ref.data->count);
}

static void memory_ref_exit(void *ref)
{
	percpu_ref_exit(ref);
}

/* A device with everything set but the addresses. */
static struct memory_device *memory_device(struct kunit *test, enum memory_type type)
{
	const dev_page_fault_t fault = memory_fault;
	const dev_page_free_t free = memory_free;
	struct memory_device *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_ASSERT_EQ(test, 0, percpu_ref_init(&device->ref, memory_ref_gone,
						 PERCPU_REF_INIT_ATOMIC, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, memory_ref_exit, &device->ref));
	device->pagemap.page_fault = fault;
	device->pagemap.page_free = free;
	device->pagemap.ref = &device->ref;
	device->pagemap.kill = memory_kill;
	device->pagemap.data = device;
	device->pagemap.type = type;
	return device;
}

static struct device *host(struct kunit *test)
{
	struct device *dev = kunit_device_register(test, "hmm_memremap");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	return dev;
}

/* Set addresses for device-private memory. */
static void private_addresses(struct kunit *test, struct device *dev,
			      struct memory_device *device)
{
#ifdef CONFIG_DEVICE_PRIVATE
	struct resource *res = devm_request_free_mem_region(dev, &iomem_resource, SIZE);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, res);
	device->pagemap.res = *res;
#else
	kunit_skip(test, "this kernel has no device memory");
#endif
}

/* Set addresses of the memory that is reserved. */
static void set_aside_addresses(struct kunit *test, struct memory_device *device)
{
	if (!IS_ENABLED(CONFIG_ZONE_DEVICE))
		kunit_skip(test, "this kernel has no device memory");
	if (!memory_is_set_aside())
		kunit_skip(test, "no memory is reserved for coherent devices");
	device->pagemap.res = (struct resource)DEFINE_RES_MEM(SET_ASIDE_AT, SIZE);
}

static void without_zone_device(struct kunit *test)
{
	struct vmem_altmap altmap = { .reserve = 2, .free = 3, .alloc = 5 };
	struct memory_device *device = memory_device(test, MEMORY_DEVICE_PRIVATE);

	if (IS_ENABLED(CONFIG_ZONE_DEVICE))
		kunit_skip(test, "this kernel has struct pages for device memory");
	KUNIT_EXPECT_EQ(test, -ENXIO,
			PTR_ERR_OR_ZERO(devm_memremap_pages(host(test), &device->pagemap)));
	KUNIT_EXPECT_EQ(test, 0, device->kills);
	KUNIT_EXPECT_NULL(test, get_dev_pagemap(0, NULL));
	KUNIT_EXPECT_NULL(test, get_dev_pagemap(0, &device->pagemap));
	put_dev_pagemap(NULL);
	put_dev_pagemap(&device->pagemap);
	KUNIT_EXPECT_EQ(test, 0UL, vmem_altmap_offset(&altmap));
	vmem_altmap_free(&altmap, 1);
	KUNIT_EXPECT_EQ(test, 5UL, altmap.alloc);
	memory_kill(&device->ref);
}

static void altmap_helpers(struct kunit *test)
{
	struct vmem_altmap altmap = {
		.base_pfn = 0x100, .reserve = 2, .free = 3, .align = 1, .alloc = 5,
	};

	if (!IS_ENABLED(CONFIG_ZONE_DEVICE))
		kunit_skip(test, "this kernel has no struct pages for device memory");
	KUNIT_EXPECT_EQ(test, 5UL, vmem_altmap_offset(&altmap));
	KUNIT_EXPECT_EQ(test, 0UL, vmem_altmap_offset(NULL));
	vmem_altmap_free(&altmap, 4);
	KUNIT_EXPECT_EQ(test, 1UL, altmap.alloc);
}

static void incomplete(struct kunit *test)
{
	struct device *dev = host(test);
	struct memory_device *device;
	int i;

	if (!IS_ENABLED(CONFIG_ZONE_DEVICE))
		kunit_skip(test, "this kernel has no struct pages for device memory");
	for (i = 0; i < 6; i++) {
		device = memory_device(test, MEMORY_DEVICE_PRIVATE);
		if (i == 0)
			device->pagemap.ref = NULL;
		else if (i == 1)
			device->pagemap.kill = NULL;
		else if (i == 2)
			device->pagemap.page_fault = NULL;
		else if (i == 3)
			device->pagemap.page_free = NULL;
		else if (i == 4)
			device->pagemap.type = MEMORY_DEVICE_PCI_P2PDMA;
		else
			device->pagemap.type = MEMORY_DEVICE_PUBLIC,
			device->pagemap.page_free = NULL;
		KUNIT_EXPECT_EQ(test, -EINVAL,
				PTR_ERR_OR_ZERO(devm_memremap_pages(dev, &device->pagemap)));
		/* A reference count that can be killed is killed. */
		KUNIT_EXPECT_EQ(test, device->kills, i > 1);
		if (i <= 1)
			memory_kill(&device->ref);
	}
}

static void private_pages(struct kunit *test)
{
	struct memory_device *device = memory_device(test, MEMORY_DEVICE_PRIVATE);
	struct device *dev = host(test);
	struct page *page;

	private_addresses(test, dev, device);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, devm_memremap_pages(dev, &device->pagemap));
	KUNIT_EXPECT_PTR_EQ(test, dev, device->pagemap.dev);
	page = pfn_to_page(PHYS_PFN(device->pagemap.res.start) + 7);
	KUNIT_EXPECT_TRUE(test, is_device_private_page(page));
	KUNIT_EXPECT_PTR_EQ(test, &device->pagemap, page_dev_pagemap2018(page));

	KUNIT_EXPECT_EQ(test, 0, page_ref_count(page));
	get_page(page);
	KUNIT_EXPECT_EQ(test, 1, page_ref_count(page));
	get_page(page);
	put_page(page);
	KUNIT_EXPECT_EQ(test, 0, device->frees);
	put_page(page);
	KUNIT_EXPECT_EQ(test, 1, device->frees);
	KUNIT_EXPECT_PTR_EQ(test, page, device->freed);

	devm_memunmap_pages(dev, &device->pagemap);
	KUNIT_EXPECT_EQ(test, 1, device->kills);
	KUNIT_EXPECT_TRUE(test, device->gone);
}

static void pagemap_by_pfn(struct kunit *test)
{
	struct memory_device *device = memory_device(test, MEMORY_DEVICE_PRIVATE);
	struct dev_pagemap *found;
	struct device *dev = host(test);
	unsigned long pfn;
	long refs;

	private_addresses(test, dev, device);
	pfn = PHYS_PFN(device->pagemap.res.start);
	KUNIT_EXPECT_NULL(test, get_dev_pagemap(pfn, NULL));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, devm_memremap_pages(dev, &device->pagemap));

	refs = memory_refs(device);
	found = get_dev_pagemap(pfn, NULL);
	KUNIT_EXPECT_PTR_EQ(test, found, &device->pagemap);
	KUNIT_EXPECT_EQ(test, refs + 1, memory_refs(device));
	/* The second lookup reuses the reference of the first. */
	KUNIT_EXPECT_PTR_EQ(test, found, get_dev_pagemap(pfn + 1, found));
	/* A lookup that fails drops it. */
	KUNIT_EXPECT_NULL(test, get_dev_pagemap(0, found));
	KUNIT_EXPECT_EQ(test, refs, memory_refs(device));
	found = get_dev_pagemap(PHYS_PFN(device->pagemap.res.end), NULL);
	KUNIT_EXPECT_PTR_EQ(test, found, &device->pagemap);
	memory_kill(&device->ref);
	KUNIT_EXPECT_FALSE(test, device->gone);
	KUNIT_EXPECT_NULL(test, get_dev_pagemap(pfn, NULL));
	put_dev_pagemap(found);
	put_dev_pagemap(NULL);
	/* The reference count pins the mapping, which ends after it. */
	KUNIT_EXPECT_FALSE(test, device->gone);
	device->pagemap.kill = memory_killed;
	devm_memunmap_pages(dev, &device->pagemap);
	KUNIT_EXPECT_EQ(test, 2, device->kills);
	KUNIT_EXPECT_TRUE(test, device->gone);
}

/* Registered, and removed with the device. */
static void public_pages(struct kunit *test)
{
	struct memory_device *device = memory_device(test, MEMORY_DEVICE_PUBLIC);
	struct device *dev;
	struct page *page;
	char *addr;

	set_aside_addresses(test, device);
	dev = host(test);
	/* The CPU faults on none of these pages. */
	device->pagemap.page_fault = NULL;
	addr = devm_memremap_pages(dev, &device->pagemap);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, addr);
	memset(addr, 0x5a, PAGE_SIZE);
	page = virt_to_page(addr);
	KUNIT_EXPECT_EQ(test, page_to_pfn(page), PHYS_PFN(SET_ASIDE_AT));
	KUNIT_EXPECT_TRUE(test, is_device_coherent_page(page));
	get_page(page);
	put_page(page);
	KUNIT_EXPECT_EQ(test, 1, device->frees);
	kunit_device_unregister(test, dev);
	KUNIT_EXPECT_TRUE(test, device->gone);
	KUNIT_EXPECT_NULL(test, get_dev_pagemap(PHYS_PFN(SET_ASIDE_AT), NULL));
}

/* Struct pages within the memory itself. */
static void public_pages_altmap(struct kunit *test)
{
	struct memory_device *device = memory_device(test, MEMORY_DEVICE_PUBLIC);
	/* On x86 exactly one huge page, so that no padding is needed for alignment. */
	const unsigned long needed = PHYS_PFN(SIZE / PAGE_SIZE * sizeof(struct page));
	const struct vmem_altmap altmap = {
		.base_pfn = PHYS_PFN(SET_ASIDE_AT),
		.reserve = needed,
		.free = 4 * needed,
		.align = needed,
	};
	struct device *dev;

	set_aside_addresses(test, device);
	dev = host(test);
	memcpy(&device->pagemap.altmap, &altmap, sizeof(altmap));
	device->pagemap.altmap_valid = true;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, devm_memremap_pages(dev, &device->pagemap));
	KUNIT_EXPECT_EQ(test, device->pagemap.altmap.alloc, needed);
	KUNIT_EXPECT_EQ(test, page_to_phys(pfn_to_page(PHYS_PFN(SET_ASIDE_AT) + altmap.free)),
			SET_ASIDE_AT + PFN_PHYS(altmap.free));
	/* The first struct page follows the reserved pages and the padding. */
	KUNIT_EXPECT_EQ(test, vmalloc_to_pfn(pfn_to_page(PHYS_PFN(SET_ASIDE_AT))),
			altmap.base_pfn + altmap.reserve + altmap.align);
	/* The struct page of the first usable page is in the device memory. */
	KUNIT_EXPECT_EQ(test, SET_ASIDE_AT,
			round_down(PFN_PHYS(vmalloc_to_pfn(pfn_to_page(PHYS_PFN(SET_ASIDE_AT) +
								       altmap.free))), SIZE));
	devm_memunmap_pages(dev, &device->pagemap);
	KUNIT_EXPECT_EQ(test, device->pagemap.altmap.alloc, 0UL);
}

/**
 * struct unpin - a page whose reference is dropped a little later
 * @work: drops it
 * @page: the page
 */
struct unpin {
	struct delayed_work work;
	struct page *page;
};

static void unpin_now(struct work_struct *work)
{
	put_page(container_of(work, struct unpin, work.work)->page);
}

/* A waiter for a page is woken when it is free, long before the timeout. */
static void fs_dax_wakes(struct kunit *test)
{
	struct memory_device *device = memory_device(test, MEMORY_DEVICE_FS_DAX);
	struct unpin unpin;
	struct device *dev;
	char *addr;

	set_aside_addresses(test, device);
	dev = host(test);
	addr = devm_memremap_pages(dev, &device->pagemap);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, addr);
	unpin.page = virt_to_page(addr);
	INIT_DELAYED_WORK_ONSTACK(&unpin.work, unpin_now);
	get_page(unpin.page);
	KUNIT_EXPECT_EQ(test, 0L, page_wait_idle2018(unpin.page, msecs_to_jiffies(20)));
	schedule_delayed_work(&unpin.work, msecs_to_jiffies(50));
	KUNIT_EXPECT_GT(test, page_wait_idle2018(unpin.page, msecs_to_jiffies(20000)),
			(long)msecs_to_jiffies(10000));
	flush_delayed_work(&unpin.work);
	destroy_delayed_work_on_stack(&unpin.work);
	devm_memunmap_pages(dev, &device->pagemap);
	KUNIT_EXPECT_TRUE(test, device->gone);
}

/* The last reference of a page calls page_free(), on each use of the page. */
static void fs_dax_page_free(struct kunit *test)
{
	struct memory_device *device = memory_device(test, MEMORY_DEVICE_FS_DAX);
	struct device *dev;
	struct page *page;
	char *addr;
	int i;

	set_aside_addresses(test, device);
	dev = host(test);
	addr = devm_memremap_pages(dev, &device->pagemap);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, addr);
	page = virt_to_page(addr + SIZE - PAGE_SIZE);
	for (i = 1; i <= 2; i++) {
		get_page(page);
		get_page(page);
		put_page(page);
		KUNIT_EXPECT_EQ(test, i - 1, device->frees);
		put_page(page);
		KUNIT_EXPECT_EQ(test, i, device->frees);
		KUNIT_EXPECT_PTR_EQ(test, page, device->freed);
	}
	/* A wake-up while the page is in use does not free it. */
	get_page(page);
	wake_up_var(page);
	KUNIT_EXPECT_EQ(test, 2, device->frees);
	put_page(page);
	KUNIT_EXPECT_EQ(test, 3, device->frees);
	devm_memunmap_pages(dev, &device->pagemap);
	wake_up_var(page);
	KUNIT_EXPECT_EQ(test, 3, device->frees);
}

/* Memory without a type, as device-dax registered it until Linux 5.2. */
static void without_a_type(struct kunit *test)
{
	struct memory_device *device = memory_device(test, 0);
	struct device *dev;
	struct page *page;
	char *addr;

	set_aside_addresses(test, device);
	dev = host(test);
	device->pagemap.page_fault = NULL;
	device->pagemap.page_free = NULL;
	addr = devm_memremap_pages(dev, &device->pagemap);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, addr);
	page = virt_to_page(addr);
	KUNIT_EXPECT_PTR_EQ(test, &device->pagemap, page_dev_pagemap2018(page));
	memset(addr, 0x5a, PAGE_SIZE);
	get_page(page);
	put_page(page);
	devm_memunmap_pages(dev, &device->pagemap);
	KUNIT_EXPECT_TRUE(test, device->gone);
}

/* A page in use keeps the driver's reference count from ending. */
static void page_in_use_pins(struct kunit *test)
{
	struct memory_device *device = memory_device(test, MEMORY_DEVICE_PUBLIC);
	struct device *dev;
	struct page *page;
	char *addr;

	set_aside_addresses(test, device);
	dev = host(test);
	addr = devm_memremap_pages(dev, &device->pagemap);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, addr);
	page = virt_to_page(addr);
	get_page(page);
	memory_kill(&device->ref);
	KUNIT_EXPECT_FALSE(test, device->gone);
	put_page(page);
	device->pagemap.kill = memory_killed;
	devm_memunmap_pages(dev, &device->pagemap);
	KUNIT_EXPECT_TRUE(test, device->gone);
}

/* Addresses that do not belong to the device: the errors of Linux 5.0. */
static void addresses_taken(struct kunit *test)
{
	struct memory_device *device = memory_device(test, MEMORY_DEVICE_PUBLIC);
	struct memory_device *other = memory_device(test, MEMORY_DEVICE_PUBLIC);
	struct device *dev;

	set_aside_addresses(test, device);
	dev = host(test);
	other->pagemap.res = (struct resource)DEFINE_RES_MEM(SYSTEM_RAM_AT, SZ_2M);
	KUNIT_EXPECT_EQ(test, -ENXIO,
			PTR_ERR_OR_ZERO(devm_memremap_pages(dev, &other->pagemap)));
	KUNIT_EXPECT_EQ(test, 1, other->kills);

	other = memory_device(test, MEMORY_DEVICE_PUBLIC);
	other->pagemap.res = device->pagemap.res;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, devm_memremap_pages(dev, &device->pagemap));
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			PTR_ERR_OR_ZERO(devm_memremap_pages(dev, &other->pagemap)));
	KUNIT_EXPECT_EQ(test, 1, other->kills);
	/* Nor may the mapping be added again while it exists. */
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			PTR_ERR_OR_ZERO(devm_memremap_pages(dev, &device->pagemap)));
	KUNIT_EXPECT_EQ(test, 1, device->kills);
	device->pagemap.kill = memory_killed;
	devm_memunmap_pages(dev, &device->pagemap);
	KUNIT_EXPECT_TRUE(test, device->gone);
}

static struct kunit_case compat_memremap_cases[] = {
	KUNIT_CASE(without_zone_device),
	KUNIT_CASE(altmap_helpers),
	KUNIT_CASE(incomplete),
	KUNIT_CASE(private_pages),
	KUNIT_CASE(pagemap_by_pfn),
	KUNIT_CASE(public_pages),
	KUNIT_CASE(public_pages_altmap),
	KUNIT_CASE(fs_dax_wakes),
	KUNIT_CASE(fs_dax_page_free),
	KUNIT_CASE(without_a_type),
	KUNIT_CASE(page_in_use_pins),
	KUNIT_CASE(addresses_taken),
	{}
};

static struct kunit_suite compat_memremap_suite = {
	.name = "hmm_compat_memremap",
	.test_cases = compat_memremap_cases,
};

kunit_test_suite(compat_memremap_suite);
