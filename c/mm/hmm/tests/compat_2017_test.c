// SPDX-License-Identifier: GPL-2.0
/*
 * HMM as it was in 2017: its words, the state that a process has of it, device
 * memory that comes and goes. Pages that move are the sample driver's.
 */
#include <kunit/device.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>

#include "fixture_memory.h"
#define HMM_API HMM_API_2017
#include "../compat/compat.h"

#define RW (PROT_READ | PROT_WRITE)

static void words(struct kunit *test)
{
	unsigned long addr = memory_map(test, 1, RW), pfn;
	hmm_pfn_t word;

	memory_write(test, addr, 1);
	pfn = memory_pfn(test, addr);
	word = hmm_pfn_t_from_pfn(pfn);
	KUNIT_EXPECT_EQ(test, word, pfn << 2 | 1);
	KUNIT_EXPECT_EQ(test, word, pfn << HMM_PFN_SHIFT | HMM_PFN_VALID);
	KUNIT_EXPECT_EQ(test, word, hmm_pfn_t_from_page(pfn_to_page(pfn)));
	KUNIT_EXPECT_EQ(test, pfn, hmm_pfn_t_to_pfn(word));
	KUNIT_EXPECT_PTR_EQ(test, pfn_to_page(pfn), hmm_pfn_t_to_page(word));
	/* Another bit of the word changes neither. */
	word |= HMM_PFN_WRITE;
	KUNIT_EXPECT_EQ(test, word & 3, (hmm_pfn_t)3);
	KUNIT_EXPECT_EQ(test, pfn, hmm_pfn_t_to_pfn(word));
	KUNIT_EXPECT_PTR_EQ(test, pfn_to_page(pfn), hmm_pfn_t_to_page(word));
}

static void words_not_valid(struct kunit *test)
{
	static const hmm_pfn_t bad[] = { 0, HMM_PFN_WRITE, 1UL << HMM_PFN_SHIFT, ~1UL };
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, -1UL, hmm_pfn_t_to_pfn(bad[i]));
		KUNIT_EXPECT_NULL(test, hmm_pfn_t_to_page(bad[i]));
	}
}

/* The state of @mm, made if there is none; given back by hmm_process_put(). */
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
	struct mm_struct *mm = mm_alloc();
	struct hmm *process;

	KUNIT_ASSERT_NOT_NULL(test, mm);
	hmm_mm_init(mm);
	KUNIT_EXPECT_FALSE(test, hmm_process_exists(mm));
	process = state(test, mm);
	KUNIT_EXPECT_TRUE(test, hmm_process_exists(mm));
	KUNIT_EXPECT_PTR_EQ(test, process->mmu_notifier.mm, mm);
	/* It is the same for whoever asks, and stays when nobody has it. */
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
	/* There is nothing yet. */
	hmm_mm_destroy(mm);
	process = state(test, mm);
	hmm_mm_destroy(mm);
	KUNIT_EXPECT_FALSE(test, hmm_process_exists(mm));
	hmm_mm_destroy(mm);
	/* Whoever has it has it still. */
	KUNIT_EXPECT_PTR_EQ(test, process->mmu_notifier.mm, mm);
	hmm_process_put(process);
	KUNIT_EXPECT_NE(test, 0, atomic_read(&mm->mm_users));
	mmput(mm);
}

/* What is said where there are no struct pages for device memory. */
static void without_device_memory(struct kunit *test)
{
	static const struct hmm_devmem_ops ops = {};
	struct hmm_devmem *devmem;

	if (IS_ENABLED(CONFIG_DEVICE_PRIVATE))
		kunit_skip(test, "there is device memory here");
	devmem = hmm_devmem_add(&ops, NULL, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -ENXIO, PTR_ERR_OR_ZERO(devmem));
	hmm_devmem_remove(devmem);
	KUNIT_EXPECT_EQ(test, -EINVAL, migrate_vma(NULL, NULL, 0, 0, NULL, NULL, NULL));
}

/**
 * struct plugged - device memory that counts its free pages
 * @devmem: the memory
 * @frees: how many pages were given back
 * @freed: the last one
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
		kunit_skip(test, "no device memory here");
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

	KUNIT_EXPECT_PTR_EQ(test, dev, devmem->device);
	KUNIT_EXPECT_EQ(test, first, PHYS_PFN(devmem->resource->start));
	KUNIT_EXPECT_EQ(test, last - 1, PHYS_PFN(devmem->resource->end));
	KUNIT_EXPECT_TRUE(test, is_device_private_page(page));
	KUNIT_EXPECT_TRUE(test, is_device_private_page(pfn_to_page(last - 1)));

	/* Taken, noted, shared, given back. */
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
	KUNIT_EXPECT_NULL(test, get_dev_pagemap(first));
	/* There is room again. */
	devmem = hmm_devmem_add(&plugged_ops, dev, 1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, devmem);
	KUNIT_EXPECT_EQ(test, first, devmem->pfn_first);
	hmm_devmem_remove(devmem);
}

/* Nobody removes it: the device's end does. */
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
	/* More than there are addresses. */
	KUNIT_EXPECT_TRUE(test, IS_ERR(hmm_devmem_add(&plugged_ops, dev, 1UL << 60)));
	hmm_devmem_remove(ERR_PTR(-ENOMEM));
}

static void migrate_refused(struct kunit *test)
{
	static const struct migrate_vma_ops none = {};
	unsigned long addr = memory_map(test, 1, RW), src, dst;
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			migrate_vma(&none, vma, addr, addr + PAGE_SIZE, &src, &dst, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			migrate_vma(NULL, vma, addr, addr + PAGE_SIZE, &src, &dst, NULL));
	mmap_read_unlock(current->mm);
}

static struct kunit_case compat_2017_cases[] = {
	KUNIT_CASE(words),
	KUNIT_CASE(words_not_valid),
	KUNIT_CASE(state_on_demand),
	KUNIT_CASE(state_destroyed),
	KUNIT_CASE(without_device_memory),
	KUNIT_CASE(devmem_plugged),
	KUNIT_CASE(devmem_goes_with_device),
	KUNIT_CASE(devmem_refused),
	KUNIT_CASE(migrate_refused),
	{}
};

static struct kunit_suite compat_2017_suite = {
	.name = "hmm_compat_2017",
	.test_cases = compat_2017_cases,
};

kunit_test_suite(compat_2017_suite);
