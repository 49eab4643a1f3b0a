// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of API year 2017: hmm_pfn_t, the state of a process, device memory, and the
 * flags of migrate_vma(). The sample driver's tests migrate real data.
 */
#include <kunit/device.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>

#include "fixture_memory.h"
#define HMM_API HMM_API_2017
#include "../compat/compat.h"

#define RW (PROT_READ | PROT_WRITE)

static void pfn_conversions(struct kunit *test)
{
	unsigned long addr = memory_map(test, 1, RW), pfn;
	hmm_pfn_t pfn_t;

	memory_write(test, addr, 1);
	pfn = memory_pfn(test, addr);
	pfn_t = hmm_pfn_t_from_pfn(pfn);
	KUNIT_EXPECT_EQ(test, pfn_t, pfn << 2 | 1);
	KUNIT_EXPECT_EQ(test, pfn_t, pfn << HMM_PFN_SHIFT | HMM_PFN_VALID);
	KUNIT_EXPECT_EQ(test, pfn_t, hmm_pfn_t_from_page(pfn_to_page(pfn)));
	KUNIT_EXPECT_EQ(test, pfn, hmm_pfn_t_to_pfn(pfn_t));
	KUNIT_EXPECT_PTR_EQ(test, pfn_to_page(pfn), hmm_pfn_t_to_page(pfn_t));
	/* Another flag changes neither. */
	pfn_t |= HMM_PFN_WRITE;
	KUNIT_EXPECT_EQ(test, pfn_t & 3, (hmm_pfn_t)3);
	KUNIT_EXPECT_EQ(test, pfn, hmm_pfn_t_to_pfn(pfn_t));
	KUNIT_EXPECT_PTR_EQ(test, pfn_to_page(pfn), hmm_pfn_t_to_page(pfn_t));
}

static void pfns_not_valid(struct kunit *test)
{
	static const hmm_pfn_t bad[] = { 0, HMM_PFN_WRITE, 1UL << HMM_PFN_SHIFT, ~1UL };
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, -1UL, hmm_pfn_t_to_pfn(bad[i]));
		KUNIT_EXPECT_NULL(test, hmm_pfn_t_to_page(bad[i]));
	}
}

/* The state of @mm, allocated if there is none; for hmm_process_put(). */
static struct hmm *state(struct kunit *test, struct mm_struct *mm)
{
	struct hmm *process;

	mmap_write_lock(mm);
	process = hmm_process_get_locked(mm);
	mmap_write_unlock(mm);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, process);
	return process;
}

static void state_on_demand(struct kunit *test)
{
	struct kunit_suppressed_warning *warning;
	struct mm_struct *mm = mm_alloc();
	struct hmm *process;

	KUNIT_ASSERT_NOT_NULL(test, mm);
	hmm_mm_init(mm);
	KUNIT_EXPECT_FALSE(test, hmm_process_exists(mm));
	process = state(test, mm);
	KUNIT_EXPECT_TRUE(test, hmm_process_exists(mm));
	/* The address space is no longer new. */
	warning = kunit_start_suppress_warning(test);
	KUNIT_ASSERT_NOT_NULL(test, warning);
	hmm_mm_init(mm);
	KUNIT_EXPECT_EQ(test, 1, kunit_suppressed_warning_count(warning));
	kunit_end_suppress_warning(test, warning);
	KUNIT_EXPECT_PTR_EQ(test, process->mmu_notifier.mm, mm);
	/* The state exists, and stays without references. */
	KUNIT_EXPECT_PTR_EQ(test, process, state(test, mm));
	hmm_process_put(process);
	hmm_process_put(process);
	KUNIT_EXPECT_TRUE(test, hmm_process_exists(mm));
	mmgrab(mm);
	mmput(mm);
	KUNIT_EXPECT_FALSE(test, hmm_process_exists(mm));
	mmdrop(mm);
}

static void state_destroyed(struct kunit *test)
{
	struct mm_struct *mm = mm_alloc();
	struct hmm *process;

	KUNIT_ASSERT_NOT_NULL(test, mm);
	/* No state exists yet. */
	hmm_mm_destroy(mm);
	process = state(test, mm);
	hmm_mm_destroy(mm);
	KUNIT_EXPECT_FALSE(test, hmm_process_exists(mm));
	hmm_mm_destroy(mm);
	/* The reference keeps it alive. */
	KUNIT_EXPECT_PTR_EQ(test, process->mmu_notifier.mm, mm);
	hmm_process_put(process);
	KUNIT_EXPECT_NE(test, 0, atomic_read(&mm->mm_users));
	mmput(mm);
}

/* The stubs of a kernel without device memory. */
static void without_device_memory(struct kunit *test)
{
	static const struct hmm_devmem_ops ops = {};
	struct hmm_devmem *devmem;

	if (IS_ENABLED(CONFIG_DEVICE_PRIVATE))
		kunit_skip(test, "this kernel has device memory");
	devmem = hmm_devmem_add(&ops, NULL, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -ENXIO, PTR_ERR_OR_ZERO(devmem));
	hmm_devmem_remove(devmem);
	KUNIT_EXPECT_EQ(test, -EINVAL, migrate_vma(NULL, NULL, 0, 0, NULL, NULL, NULL));
}

/**
 * struct plugged - device memory that counts calls of free()
 * @devmem: the memory
 * @frees: number of calls
 * @freed: the page of the last one
 */
static struct plugged {
	struct hmm_devmem *devmem;
	int frees;
	struct page *freed;
} plugged;

static void plugged_free(struct hmm_devmem *devmem, struct page *page)
{
	plugged.frees++;
	plugged.freed = page;
}

static int plugged_fault(struct hmm_devmem *devmem, struct vm_area_struct *vma,
			 unsigned long addr, const struct page *page,
			 unsigned int flags, pmd_t *pmdp)
{
	return VM_FAULT_SIGBUS;
}

static const struct hmm_devmem_ops plugged_ops = {
	.free = plugged_free,
	.fault = plugged_fault,
};

static struct device *plug(struct kunit *test, const char *name)
{
	struct device *dev;

	if (!IS_ENABLED(CONFIG_DEVICE_PRIVATE))
		kunit_skip(test, "this kernel has no device memory");
	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	plugged = (struct plugged){ .devmem = hmm_devmem_add(&plugged_ops, dev, 1) };
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, plugged.devmem);
	return dev;
}

static void devmem_plugged(struct kunit *test)
{
	struct device *dev = plug(test, "hmm_2017");
	struct hmm_devmem *devmem = plugged.devmem;
	unsigned long first = devmem->pfn_first, last = devmem->pfn_last;
	struct page *page = pfn_to_page(first);
	struct dev_pagemap *pgmap;

	KUNIT_EXPECT_PTR_EQ(test, dev, devmem->device);
	KUNIT_EXPECT_EQ(test, first, PHYS_PFN(devmem->resource->start));
	KUNIT_EXPECT_EQ(test, last - 1, PHYS_PFN(devmem->resource->end));
	KUNIT_EXPECT_TRUE(test, is_device_private_page(page));
	KUNIT_EXPECT_TRUE(test, is_device_private_page(pfn_to_page(last - 1)));

	/* Allocated, given driver data, shared, freed. */
	get_page(page);
	lock_page(page);
	unlock_page(page);
	hmm_devmem_page_set_drvdata(page, 4711);
	KUNIT_EXPECT_EQ(test, 4711UL, hmm_devmem_page_get_drvdata(page));
	get_page(page);
	put_page(page);
	KUNIT_EXPECT_EQ(test, 0, plugged.frees);
	put_page(page);
	KUNIT_EXPECT_EQ(test, 1, plugged.frees);
	KUNIT_EXPECT_PTR_EQ(test, page, plugged.freed);
	get_page(page);
	put_page(page);
	KUNIT_EXPECT_EQ(test, 2, plugged.frees);

	hmm_devmem_remove(devmem);
	pgmap = get_dev_pagemap(first);
	KUNIT_EXPECT_NULL(test, pgmap);
	put_dev_pagemap(pgmap);
	/* The physical addresses are free again. */
	devmem = hmm_devmem_add(&plugged_ops, dev, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, devmem);
	KUNIT_EXPECT_EQ(test, first, devmem->pfn_first);
	hmm_devmem_remove(devmem);
}

/* The end of the device removes it. */
static void devmem_goes_with_device(struct kunit *test)
{
	struct device *dev = plug(test, "hmm_2017_end");
	unsigned long first = plugged.devmem->pfn_first;
	struct dev_pagemap *pgmap = get_dev_pagemap(first);

	KUNIT_EXPECT_NOT_NULL(test, pgmap);
	put_dev_pagemap(pgmap);
	kunit_device_unregister(test, dev);
	KUNIT_EXPECT_NULL(test, get_dev_pagemap(first));
}

static void devmem_refused(struct kunit *test)
{
	static const struct hmm_devmem_ops none = {};
	struct device *dev = plug(test, "hmm_2017_bad");

	hmm_devmem_remove(plugged.devmem);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(hmm_devmem_add(NULL, dev, 1)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(hmm_devmem_add(&none, dev, 1)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(hmm_devmem_add(&plugged_ops, NULL, 1)));
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR(hmm_devmem_add(&plugged_ops, dev, 0)));
	/* More than there are physical addresses. */
	KUNIT_EXPECT_TRUE(test, IS_ERR(hmm_devmem_add(&plugged_ops, dev, 1UL << 60)));
	hmm_devmem_remove(ERR_PTR(-ENOMEM));
}

static void migrate_nothing(struct vm_area_struct *vma, const unsigned long *src,
			    unsigned long *dst, unsigned long start, unsigned long end,
			    void *private)
{
}

static void migrate_done(struct vm_area_struct *vma, const unsigned long *src,
			 const unsigned long *dst, unsigned long start, unsigned long end,
			 void *private)
{
}

static void migrate_refused(struct kunit *test)
{
	static const struct migrate_vma_ops any = {
		.alloc_and_copy = migrate_nothing,
		.finalize_and_map = migrate_done,
	};
	static const struct migrate_vma_ops none = {};
	unsigned long addr = memory_map(test, 1, RW), src, dst;
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			migrate_vma(&none, vma, addr, addr + PAGE_SIZE, &src, &dst, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			migrate_vma(NULL, vma, addr, addr + PAGE_SIZE, &src, &dst, NULL));
	/* The range ends outside the VMA, and its arrays would not fit into memory. */
	KUNIT_EXPECT_EQ(test, -EINVAL,
			migrate_vma(&any, vma, addr, TASK_SIZE, &src, &dst, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			migrate_vma(&any, vma, addr, addr, &src, &dst, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			migrate_vma(&any, vma, addr, addr + PAGE_SIZE, NULL, &dst, NULL));
	mmap_read_unlock(current->mm);
}

/* A VMA for whose mpfns the kernel allocates no array. */
static void migrate_too_much(struct kunit *test)
{
	static const struct migrate_vma_ops any = {
		.alloc_and_copy = migrate_nothing,
		.finalize_and_map = migrate_done,
	};
	unsigned long addr, src, dst, size = 1UL << 40;
	struct kunit_suppressed_warning *warning;

	if (!IS_ENABLED(CONFIG_DEVICE_MIGRATION))
		kunit_skip(test, "this kernel has no device memory");
	addr = memory_map(test, size >> PAGE_SHIFT, PROT_READ);
	warning = kunit_start_suppress_warning(test);
	KUNIT_ASSERT_NOT_NULL(test, warning);
	mmap_read_lock(current->mm);
	KUNIT_EXPECT_EQ(test, -EINVAL, migrate_vma(&any, vma_lookup(current->mm, addr), addr,
						   addr + size, &src, &dst, NULL));
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, 0, kunit_suppressed_warning_count(warning));
	kunit_end_suppress_warning(test, warning);
	vm_munmap(addr, size);
}

#ifdef CONFIG_DEVICE_PRIVATE
/**
 * struct seen - what the callbacks of migrate_vma() were passed
 * @calls: number of calls
 * @src: flags of src in alloc_and_copy()
 * @moved: flags of src in finalize_and_map()
 * @dst: dst as alloc_and_copy() left it
 * @dst_changed: finalize_and_map() was passed something else
 * @lost: the first page's content is lost
 * @next: the next free page of device memory
 */
static struct seen {
	int calls;
	unsigned long src[3];
	unsigned long moved[3];
	unsigned long dst[3];
	bool dst_changed;
	bool lost;
	unsigned long next;
} seen;

#define MPFN_FLAGS (BIT(6) - 1)

/* A device page as dst. Its content is not read in this test. */
static unsigned long seen_device_page(void)
{
	struct page *page = pfn_to_page(seen.next++);

	get_page(page);
	lock_page(page);
	return (page_to_pfn(page) << 6) | BIT(0) | MIGRATE_PFN_LOCKED | MIGRATE_PFN_DEVICE;
}

static void seen_copy(struct vm_area_struct *vma, const unsigned long *src,
		      unsigned long *dst, unsigned long start, unsigned long end,
		      void *private)
{
	int i, n = (end - start) >> PAGE_SHIFT;

	seen.calls++;
	for (i = 0; i < n; i++) {
		seen.src[i] = src[i] & MPFN_FLAGS;
		dst[i] = 0;
		if (!i && seen.lost)
			dst[i] = MIGRATE_PFN_ERROR;
		else if ((src[i] & MIGRATE_PFN_MIGRATE) && !(src[i] & MIGRATE_PFN_DEVICE))
			dst[i] = seen_device_page();
		seen.dst[i] = dst[i];
	}
}

static void seen_finalize(struct vm_area_struct *vma, const unsigned long *src,
			  const unsigned long *dst, unsigned long start,
			  unsigned long end, void *private)
{
	int i, n = (end - start) >> PAGE_SHIFT;

	seen.calls++;
	for (i = 0; i < n; i++) {
		seen.moved[i] = src[i] & MPFN_FLAGS;
		seen.dst_changed |= dst[i] != seen.dst[i];
	}
}

static const struct migrate_vma_ops seen_ops = {
	.alloc_and_copy = seen_copy,
	.finalize_and_map = seen_finalize,
};

static int seen_migrate(unsigned long addr, unsigned long npages, unsigned long *dst)
{
	unsigned long src[3];
	int ret;

	seen.calls = 0;
	mmap_read_lock(current->mm);
	ret = migrate_vma(&seen_ops, vma_lookup(current->mm, addr), addr,
			  addr + npages * PAGE_SIZE, src, dst, NULL);
	mmap_read_unlock(current->mm);
	return ret;
}

/* Each flag of src and dst, for a device page, a page of system memory, and a hole. */
static void migrate_flags(struct kunit *test)
{
	const unsigned long page = MIGRATE_PFN_VALID | MIGRATE_PFN_MIGRATE |
				   MIGRATE_PFN_WRITE | MIGRATE_PFN_LOCKED;
	unsigned long dst[3], addr;
	int i;

	plug(test, "hmm_2017_flags");
	addr = memory_map(test, 3, RW);
	seen = (struct seen){ .next = plugged.devmem->pfn_first };
	memory_write(test, addr, 1);
	memory_write(test, addr + PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, 0, seen_migrate(addr, 1, dst));
	KUNIT_EXPECT_EQ(test, 2, seen.calls);
	KUNIT_EXPECT_EQ(test, page, seen.src[0]);
	KUNIT_EXPECT_EQ(test, page, seen.moved[0]);

	KUNIT_EXPECT_EQ(test, 0, seen_migrate(addr, 3, dst));
	KUNIT_EXPECT_EQ(test, page | MIGRATE_PFN_DEVICE, seen.src[0]);
	KUNIT_EXPECT_EQ(test, page, seen.src[1]);
	KUNIT_EXPECT_EQ(test, MIGRATE_PFN_MIGRATE, seen.src[2]);
	/* Entries without a destination have not moved. */
	KUNIT_EXPECT_EQ(test, (page | MIGRATE_PFN_DEVICE) & ~MIGRATE_PFN_MIGRATE,
			seen.moved[0]);
	KUNIT_EXPECT_EQ(test, page, seen.moved[1]);
	KUNIT_EXPECT_EQ(test, MIGRATE_PFN_MIGRATE, seen.moved[2]);
	KUNIT_EXPECT_FALSE(test, seen.dst_changed);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, seen.dst[i], dst[i]);

	/* A page whose content is lost is dropped, and the driver sees its own dst. */
	seen.lost = true;
	KUNIT_EXPECT_EQ(test, 0, plugged.frees);
	KUNIT_EXPECT_EQ(test, 0, seen_migrate(addr, 2, dst));
	KUNIT_EXPECT_EQ(test, MIGRATE_PFN_ERROR, dst[0]);
	KUNIT_EXPECT_FALSE(test, seen.dst_changed);
	KUNIT_EXPECT_EQ(test, 1, plugged.frees);

	vm_munmap(addr, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 3, plugged.frees);
	hmm_devmem_remove(plugged.devmem);
}
#else
static void migrate_flags(struct kunit *test)
{
	kunit_skip(test, "this kernel has no device memory");
}
#endif

static struct kunit_case compat_2017_cases[] = {
	KUNIT_CASE(pfn_conversions),
	KUNIT_CASE(pfns_not_valid),
	KUNIT_CASE(state_on_demand),
	KUNIT_CASE(state_destroyed),
	KUNIT_CASE(without_device_memory),
	KUNIT_CASE(devmem_plugged),
	KUNIT_CASE(devmem_goes_with_device),
	KUNIT_CASE(devmem_refused),
	KUNIT_CASE(migrate_refused),
	KUNIT_CASE(migrate_too_much),
	KUNIT_CASE(migrate_flags),
	{}
};

static struct kunit_suite compat_2017_suite = {
	.name = "hmm_compat_2017",
	.test_cases = compat_2017_cases,
};

kunit_test_suite(compat_2017_suite);
