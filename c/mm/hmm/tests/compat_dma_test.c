// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of API year 2019's DMA addresses, on a fake DMA layer: hmm_2019_dma.c is
 * compiled a second time for it.
 */
#include <linux/dma-mapping.h>
#include <linux/mman.h>

#include "fixture_memory.h"

/* The functions under test, and the fakes that they call. */
#define __hmm_range_dma_map	faked_dma_map
#define hmm_range_dma_unmap	faked_dma_unmap
#define __hmm2019_range_fault	faked_fault
#define hmm_range_valid		faked_valid

#define HMM_API HMM_API_2019
#include <linux/hmm_compat.h>

#undef dma_map_page
#define dma_map_page fake_map
#undef dma_unmap_page
#define dma_unmap_page fake_unmap
#define dma_mapping_error fake_error

#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(symbol)

#define NPAGES		4
#define FAKE_ERROR	((dma_addr_t)-1)
#define FAKE_OFFSET	((dma_addr_t)0x100000000ULL)
#define DEV_VALID	1
#define DEV_WRITE	2
#define DEV_PRIVATE	4
#define DEV_SHIFT	8

/**
 * struct fake - the fake DMA layer
 * @fails_at: index of the page that cannot be mapped; -1 for none
 * @stale_at: index of the page before which the range becomes invalid; -1 for none
 * @checks: number of checks of validity
 * @maps: number of pages that were mapped
 * @mapped: number of pages that are mapped
 * @both_ways: number of those that are mapped in both directions
 */
static struct fake {
	int fails_at;
	int stale_at;
	int checks;
	int maps;
	int mapped;
	int both_ways;
} fake;

static dma_addr_t fake_map(struct device *dev, struct page *page, size_t offset, size_t size,
			   enum dma_data_direction direction)
{
	if (fake.maps == fake.fails_at)
		return FAKE_ERROR;
	fake.maps++;
	fake.mapped++;
	fake.both_ways += direction == DMA_BIDIRECTIONAL;
	return FAKE_OFFSET + page_to_phys(page);
}

static void fake_unmap(struct device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction direction)
{
	if (addr < FAKE_OFFSET)
		return;
	fake.mapped--;
	fake.both_ways -= direction == DMA_BIDIRECTIONAL;
}

static int fake_error(struct device *dev, dma_addr_t addr)
{
	return addr == FAKE_ERROR ? -ENOMEM : 0;
}

long faked_fault(struct hmm2019_range *range, unsigned int flags)
{
	return flags ? -EAGAIN : NPAGES;
}

bool faked_valid(struct hmm2019_range *range)
{
	return fake.checks++ != fake.stale_at;
}

#include "../compat/hmm_2019_dma.c"

static const u64 flags[HMM_PFN_FLAG_MAX] = {
	[HMM_PFN_VALID] = DEV_VALID,
	[HMM_PFN_WRITE] = DEV_WRITE,
	[HMM_PFN_DEVICE_PRIVATE] = DEV_PRIVATE,
};

/* Special values do not look like a page. */
static const u64 values[HMM_PFN_VALUE_MAX] = {
	[HMM_PFN_ERROR] = 0x10, [HMM_PFN_NONE] = 0x20, [HMM_PFN_SPECIAL] = 0x40,
};

/**
 * struct dma_range - a range that was faulted in
 * @range: the range
 * @pfns: a writable page, a readable one, a device-private one, a writable one
 * @daddrs: the DMA addresses
 * @page: the page in all entries
 */
struct dma_range {
	struct hmm_range range;
	u64 pfns[NPAGES];
	dma_addr_t daddrs[NPAGES];
	struct page *page;
};

static void dma_free_page(void *page)
{
	__free_page(page);
}

static struct dma_range *dma_range(struct kunit *test)
{
	struct dma_range *dma = kunit_kzalloc(test, sizeof(*dma), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dma);
	dma->page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dma->page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, dma_free_page, dma->page));
	dma->range = (struct hmm_range){
		.end = NPAGES * PAGE_SIZE, .pfns = dma->pfns,
		.flags = flags, .values = values, .pfn_shift = DEV_SHIFT,
	};
	dma->pfns[0] = hmm_device_entry_from_page(&dma->range, dma->page) | DEV_WRITE;
	dma->pfns[1] = hmm_device_entry_from_page(&dma->range, dma->page);
	dma->pfns[2] = hmm_device_entry_from_page(&dma->range, dma->page) | DEV_PRIVATE;
	dma->pfns[3] = dma->pfns[0];
	memset(dma->daddrs, 0x5a, sizeof(dma->daddrs));
	fake = (struct fake){ .fails_at = -1, .stale_at = -1 };
	return dma;
}

static void dma_every_page(struct kunit *test)
{
	struct dma_range *dma = dma_range(test);
	dma_addr_t addr = FAKE_OFFSET + page_to_phys(dma->page);

	KUNIT_EXPECT_EQ(test, -EAGAIN,
			hmm_range_dma_map(&dma->range, NULL, dma->daddrs,
					  HMM_FAULT_ALLOW_RETRY));
	KUNIT_EXPECT_EQ(test, 3L, hmm_range_dma_map(&dma->range, NULL, dma->daddrs, 0));
	KUNIT_EXPECT_EQ(test, 2, fake.both_ways);
	KUNIT_EXPECT_EQ(test, addr, dma->daddrs[0]);
	KUNIT_EXPECT_EQ(test, addr, dma->daddrs[1]);
	KUNIT_EXPECT_EQ(test, (dma_addr_t)0, dma->daddrs[2]);
	KUNIT_EXPECT_EQ(test, addr, dma->daddrs[3]);
	KUNIT_EXPECT_EQ(test, 3L, faked_dma_unmap(&dma->range, NULL, dma->daddrs, false));
	KUNIT_EXPECT_EQ(test, 0, fake.mapped);
	KUNIT_EXPECT_EQ(test, 0, fake.both_ways);
	KUNIT_EXPECT_EQ(test, values[HMM_PFN_NONE], dma->pfns[0]);
}

static void dma_dirty(struct kunit *test)
{
	struct dma_range *dma = dma_range(test);

	/* Only the readable page: the device cannot have written to it. */
	dma->pfns[0] = values[HMM_PFN_NONE];
	dma->pfns[3] = values[HMM_PFN_ERROR];
	KUNIT_EXPECT_EQ(test, 1L, hmm_range_dma_map(&dma->range, NULL, dma->daddrs, 0));
	KUNIT_EXPECT_EQ(test, 1L, faked_dma_unmap(&dma->range, NULL, dma->daddrs, true));
	KUNIT_EXPECT_FALSE(test, PageDirty(dma->page));
	/* Special values are not changed. */
	KUNIT_EXPECT_EQ(test, values[HMM_PFN_ERROR], dma->pfns[3]);

	dma->pfns[0] = hmm_device_entry_from_page(&dma->range, dma->page) | DEV_WRITE;
	KUNIT_EXPECT_EQ(test, 1L, hmm_range_dma_map(&dma->range, NULL, dma->daddrs, 0));
	KUNIT_EXPECT_EQ(test, 1L, faked_dma_unmap(&dma->range, NULL, dma->daddrs, true));
	KUNIT_EXPECT_TRUE(test, PageDirty(dma->page));
	ClearPageDirty(dma->page);
}

static void dma_no_address(struct kunit *test)
{
	struct dma_range *dma = dma_range(test);

	fake.fails_at = 2;
	KUNIT_EXPECT_EQ(test, -EFAULT, hmm_range_dma_map(&dma->range, NULL, dma->daddrs, 0));
	KUNIT_EXPECT_EQ(test, 2, fake.maps);
	KUNIT_EXPECT_EQ(test, 0, fake.mapped);
	KUNIT_EXPECT_EQ(test, (dma_addr_t)0, dma->daddrs[0]);
	KUNIT_EXPECT_EQ(test, (dma_addr_t)0, dma->daddrs[1]);
	KUNIT_EXPECT_EQ(test, (dma_addr_t)0, dma->daddrs[3]);
	KUNIT_EXPECT_EQ(test, values[HMM_PFN_NONE], dma->pfns[3]);
	KUNIT_EXPECT_FALSE(test, PageDirty(dma->page));
}

static void dma_invalidated(struct kunit *test)
{
	struct dma_range *dma = dma_range(test);
	int i;

	fake.stale_at = 1;
	KUNIT_EXPECT_EQ(test, -EBUSY, hmm_range_dma_map(&dma->range, NULL, dma->daddrs, 0));
	KUNIT_EXPECT_EQ(test, 1, fake.maps);
	KUNIT_EXPECT_EQ(test, 0, fake.mapped);
	for (i = 0; i < NPAGES; i++) {
		KUNIT_EXPECT_EQ(test, (dma_addr_t)0, dma->daddrs[i]);
		KUNIT_EXPECT_EQ(test, values[HMM_PFN_NONE], dma->pfns[i]);
	}
}

static struct kunit_case compat_dma_cases[] = {
	KUNIT_CASE(dma_every_page),
	KUNIT_CASE(dma_dirty),
	KUNIT_CASE(dma_no_address),
	KUNIT_CASE(dma_invalidated),
	{}
};

static struct kunit_suite compat_dma_suite = {
	.name = "hmm_compat_dma",
	.test_cases = compat_dma_cases,
};

kunit_test_suite(compat_dma_suite);
