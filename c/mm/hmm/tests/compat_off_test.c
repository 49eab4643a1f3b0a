// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the stubs that drivers for earlier API years get with the options off.
 * They are on in this kernel: the headers are included as if they were not.
 */
#undef CONFIG_HMM_COMPAT_2017
#undef CONFIG_HMM_COMPAT_PAGEMAP

#include <kunit/test.h>
#include <linux/sched/mm.h>

#define HMM_API (HMM_API_2017 | HMM_API_MEMREMAP)
#include "../compat/compat.h"

/* The stubs change no state. */
static void off_state(struct kunit *test)
{
	struct kunit_suppressed_warning *warning;
	struct mm_struct *mm = mm_alloc();
	struct hmm *process;

	KUNIT_ASSERT_NOT_NULL(test, mm);
	mmap_write_lock(mm);
	process = hmm_process_get_locked(mm);
	mmap_write_unlock(mm);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, process);
	/* With the option on, this would warn. */
	warning = kunit_start_suppress_warning(test);
	KUNIT_ASSERT_NOT_NULL(test, warning);
	hmm_mm_init(mm);
	KUNIT_EXPECT_EQ(test, 0, kunit_suppressed_warning_count(warning));
	kunit_end_suppress_warning(test, warning);
	hmm_mm_destroy(mm);
	KUNIT_EXPECT_TRUE(test, hmm_process_exists(mm));
	if (!IS_ERR(process))
		hmm_process_put(process);
	mmput(mm);
}

static void off_migration(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -EINVAL, migrate_vma(NULL, NULL, 0, 0, NULL, NULL, NULL));
}

static void off_devmem(struct kunit *test)
{
	static const struct hmm_devmem_ops ops = {};
	struct hmm_devmem *devmem = hmm_devmem_add(&ops, NULL, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, -ENXIO, PTR_ERR_OR_ZERO(devmem));
	hmm_devmem_remove(devmem);
}

static void off_memremap(struct kunit *test)
{
	struct dev_pagemap pagemap = { .type = MEMORY_DEVICE_PRIVATE };

	KUNIT_EXPECT_EQ(test, -ENXIO, PTR_ERR_OR_ZERO(devm_memremap_pages(NULL, &pagemap)));
	devm_memunmap_pages(NULL, &pagemap);
	KUNIT_EXPECT_NULL(test, pagemap.dev);
	KUNIT_EXPECT_NULL(test, get_dev_pagemap(0, NULL));
	KUNIT_EXPECT_NULL(test, get_dev_pagemap(0, &pagemap));
	put_dev_pagemap(&pagemap);
	put_dev_pagemap(NULL);
}

/* A page of system memory, which has a reference, gets another. */
static void off_get_page(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	get_page(page);
	KUNIT_EXPECT_EQ(test, 2, page_ref_count(page));
	put_page(page);
	put_page(page);
}

static struct kunit_case compat_off_cases[] = {
	KUNIT_CASE(off_state),
	KUNIT_CASE(off_migration),
	KUNIT_CASE(off_devmem),
	KUNIT_CASE(off_memremap),
	KUNIT_CASE(off_get_page),
	{}
};

static struct kunit_suite compat_off_suite = {
	.name = "hmm_compat_off",
	.test_cases = compat_off_cases,
};

kunit_test_suite(compat_off_suite);
