// SPDX-License-Identifier: GPL-2.0
/*
 * Device addresses as in 2019, on a DMA layer that does what a test tells it
 * to: compat_dma.c is compiled a second time onto it.
 */
#include <linux/dma-mapping.h>
#include <linux/mman.h>

#include "fixture_memory.h"

/* The functions under test, and where they go to for their pages. */
#define hmm_range_dma_map	faked_dma_map
#define hmm_range_dma_unmap	faked_dma_unmap
#define hmm2019_range_fault	faked_fault
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
 * struct fake - the DMA layer of a test
 * @fails_at: which page has no address; -1 for none
 * @stale_at: before which page the range loses its validity; -1 for none
 * @asked: how often validity was asked for
 * @maps: how many pages have had an address
 * @mapped: how many of them have it still
 * @both_ways: how many were mapped to be written, and are still mapped
 */
static struct fake {
	int fails_at;
	int stale_at;
	int asked;
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
	return fake.asked++ != fake.stale_at;
}

#include "../compat/hmm_2019_dma.c"

static const u64 flags[HMM_PFN_FLAG_MAX] = {
	[HMM_PFN_VALID] = DEV_VALID,
	[HMM_PFN_WRITE] = DEV_WRITE,
	[HMM_PFN_DEVICE_PRIVATE] = DEV_PRIVATE,
};

/* The entries that stand for no page must not look like one. */
static const u64 values[HMM_PFN_VALUE_MAX] = {
	[HMM_PFN_ERROR] = 0x10, [HMM_PFN_NONE] = 0x20, [HMM_PFN_SPECIAL] = 0x40,
};

/**
 * struct dma_range - a range that was faulted in
 * @range: the range
 * @pfns: a page to write, one to read, one that is private, one to write
 * @daddrs: its addresses
 * @page: what all entries map
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

	KUNIT_EXPECT_EQ(test, -EAGAIN, faked_dma_map(&dma->range, NULL, dma->daddrs, 1));
	KUNIT_EXPECT_EQ(test, 3L, faked_dma_map(&dma->range, NULL, dma->daddrs, 0));
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

	/* Only the page to read: nothing was written, whatever the driver says. */
	dma->pfns[0] = values[HMM_PFN_NONE];
	dma->pfns[3] = values[HMM_PFN_ERROR];
	KUNIT_EXPECT_EQ(test, 1L, faked_dma_map(&dma->range, NULL, dma->daddrs, 0));
	KUNIT_EXPECT_EQ(test, 1L, faked_dma_unmap(&dma->range, NULL, dma->daddrs, true));
	KUNIT_EXPECT_FALSE(test, PageDirty(dma->page));
	/* Entries that stand for no page are left alone. */
	KUNIT_EXPECT_EQ(test, values[HMM_PFN_ERROR], dma->pfns[3]);

	dma->pfns[0] = hmm_device_entry_from_page(&dma->range, dma->page) | DEV_WRITE;
	KUNIT_EXPECT_EQ(test, 1L, faked_dma_map(&dma->range, NULL, dma->daddrs, 0));
	KUNIT_EXPECT_EQ(test, 1L, faked_dma_unmap(&dma->range, NULL, dma->daddrs, true));
	KUNIT_EXPECT_TRUE(test, PageDirty(dma->page));
	ClearPageDirty(dma->page);
}

static void dma_no_address(struct kunit *test)
{
	struct dma_range *dma = dma_range(test);

	fake.fails_at = 2;
	KUNIT_EXPECT_EQ(test, -EFAULT, faked_dma_map(&dma->range, NULL, dma->daddrs, 0));
	KUNIT_EXPECT_EQ(test, 2, fake.maps);
	KUNIT_EXPECT_EQ(test, 0, fake.mapped);
	KUNIT_EXPECT_EQ(test, (dma_addr_t)0, dma->daddrs[0]);
	KUNIT_EXPECT_EQ(test, (dma_addr_t)0, dma->daddrs[1]);
	KUNIT_EXPECT_EQ(test, (dma_addr_t)0, dma->daddrs[3]);
	KUNIT_EXPECT_FALSE(test, PageDirty(dma->page));
}

static void dma_invalidated(struct kunit *test)
{
	struct dma_range *dma = dma_range(test);

	fake.stale_at = 1;
	KUNIT_EXPECT_EQ(test, -EBUSY, faked_dma_map(&dma->range, NULL, dma->daddrs, 0));
	KUNIT_EXPECT_EQ(test, 1, fake.maps);
	KUNIT_EXPECT_EQ(test, 0, fake.mapped);
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
