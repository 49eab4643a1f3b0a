// SPDX-License-Identifier: GPL-2.0
/*
 * Walks and their faults, on a few pages of anonymous memory.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>

#include "fixture_memory.h"
#include "../pfn.h"
#include "../walk.h"

#define RW (PROT_READ | PROT_WRITE)

/**
 * struct walk - one range, and its hmm pfns
 * @range: the argument of hmm_range_fault()
 * @notifier: @range's subscription
 * @pfns: @range's hmm pfns
 * @format: the driver's format, if there is one
 * @extents: the buffer for extents, or NULL
 */
struct walk {
	struct hmm_range range;
	const struct hmm_format *format;
	struct hmm_extents *extents;
	struct mmu_interval_notifier notifier;
	unsigned long pfns[MEMORY_PAGES];
};

static struct walk *walk_begin(struct kunit *test, unsigned long addr,
			       unsigned long npages)
{
	struct walk *walk = kunit_kzalloc(test, sizeof(*walk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, walk);
	walk->range.notifier = &walk->notifier;
	walk->range.start = addr;
	walk->range.end = addr + npages * PAGE_SIZE;
	walk->range.hmm_pfns = walk->pfns;
	KUNIT_ASSERT_EQ(test, 0, mmu_interval_notifier_insert(&walk->notifier, current->mm,
							      addr, npages * PAGE_SIZE,
							      &memory_notifier_ops));
	return walk;
}

static void walk_end(struct walk *walk)
{
	mmu_interval_notifier_remove(&walk->notifier);
}

static int walk_as_is(struct walk *walk)
{
	int ret;

	mmap_read_lock(current->mm);
	if (walk->format)
		ret = hmm_range_fault_format(&walk->range, walk->format);
	else if (walk->extents)
		ret = hmm_range_fault_extents(&walk->range, walk->extents);
	else
		ret = hmm_range_fault(&walk->range);
	mmap_read_unlock(current->mm);
	return ret;
}

static int walk_again(struct walk *walk, unsigned long default_flags)
{
	int ret, tries = 0;

	walk->range.default_flags = default_flags;
	do {
		memset(walk->pfns, 0, sizeof(walk->pfns));
		walk->range.notifier_seq = mmu_interval_read_begin(&walk->notifier);
		ret = walk_as_is(walk);
	} while (ret == -EBUSY && ++tries < 100);
	return ret;
}

/*
 * Expect exactly these flags, and the pfn that get_user_pages() finds. The order is
 * not compared: pages may be physically contiguous by chance (see walk_pte_test.c).
 */
static void expect_pfn(struct kunit *test, struct walk *walk, unsigned long i,
		       unsigned long flags)
{
	unsigned long pfn = walk->pfns[i] & ~hmm_pfn_order(0x1f);

	KUNIT_ASSERT_EQ_MSG(test, pfn & HMM_PFN_FLAGS, flags, "page %lu", i);
	if (flags & HMM_PFN_VALID)
		KUNIT_ASSERT_EQ_MSG(test, pfn & ~HMM_PFN_FLAGS,
				    memory_pfn(test, walk->range.start + i * PAGE_SIZE),
				    "page %lu", i);
	else
		KUNIT_ASSERT_EQ_MSG(test, pfn & ~HMM_PFN_FLAGS, 0, "page %lu", i);
}

static void expect_pfns(struct kunit *test, struct walk *walk,
			unsigned long first, unsigned long count,
			unsigned long flags)
{
	while (count--)
		expect_pfn(test, walk, first++, flags);
}

static void walk_absent(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);

	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, 0));
	expect_pfns(test, walk, 0, MEMORY_PAGES, 0);
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, HMM_PFN_REQ_FAULT));
	expect_pfns(test, walk, 0, MEMORY_PAGES, HMM_PFN_READABLE);
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, HMM_PFN_REQUEST));
	expect_pfns(test, walk, 0, MEMORY_PAGES, HMM_PFN_WRITABLE);
	walk_end(walk);
}

static void walk_written(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	unsigned long i;

	for (i = 0; i < MEMORY_PAGES; i += 2)
		memory_write(test, addr + i * PAGE_SIZE, i);
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, 0));
	for (i = 0; i < MEMORY_PAGES; i++)
		expect_pfn(test, walk, i, i % 2 ? 0 : HMM_PFN_WRITABLE);
	walk_end(walk);
}

static void walk_hole(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);

	memory_write(test, addr, 1);
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr + 4 * PAGE_SIZE, 4 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, 0));
	expect_pfns(test, walk, 0, 1, HMM_PFN_WRITABLE);
	expect_pfns(test, walk, 1, 3, 0);
	expect_pfns(test, walk, 4, 4, HMM_PFN_ERROR);
	expect_pfns(test, walk, 8, 8, 0);
	KUNIT_EXPECT_EQ(test, -EFAULT, walk_again(walk, HMM_PFN_REQ_FAULT));
	walk_end(walk);
}

static void walk_protections(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);

	memory_map_at(test, addr, 4, PROT_READ);
	memory_map_at(test, addr + 4 * PAGE_SIZE, 4, PROT_NONE);
	memory_read(test, addr);
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, 0));
	expect_pfns(test, walk, 0, 1, HMM_PFN_READABLE);
	expect_pfns(test, walk, 1, 3, 0);
	expect_pfns(test, walk, 4, 4, HMM_PFN_ERROR);
	KUNIT_EXPECT_EQ(test, -EFAULT, walk_again(walk, HMM_PFN_REQ_FAULT));
	walk->range.end = addr + 4 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, -EPERM, walk_again(walk, HMM_PFN_REQUEST));
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, HMM_PFN_REQ_FAULT));
	expect_pfns(test, walk, 0, 4, HMM_PFN_READABLE);
	walk_end(walk);
}

/* Each page has its own request; a page without a request is not faulted in. */
static void walk_page_by_page(struct kunit *test)
{
	static const unsigned long requests[] = {
		0, HMM_PFN_REQ_FAULT, HMM_PFN_REQUEST, HMM_PFN_REQ_WRITE,
	};
	static const unsigned long flags[] = {
		0, HMM_PFN_READABLE, HMM_PFN_WRITABLE, 0,
	};
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	unsigned long i;
	int ret;

	walk->range.pfn_flags_mask = ~0UL;
	do {
		for (i = 0; i < MEMORY_PAGES; i++)
			walk->pfns[i] = requests[i % 4] | 0xabc;
		walk->range.notifier_seq = mmu_interval_read_begin(&walk->notifier);
		ret = walk_as_is(walk);
	} while (ret == -EBUSY);
	KUNIT_EXPECT_EQ(test, 0, ret);
	for (i = 0; i < MEMORY_PAGES; i++)
		expect_pfn(test, walk, i, flags[i % 4]);
	walk_end(walk);
}

static void walk_masked_out(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	unsigned long i;

	for (i = 0; i < MEMORY_PAGES; i++)
		walk->pfns[i] = HMM_PFN_REQUEST | HMM_PFN_DMA_MAPPED;
	walk->range.pfn_flags_mask = HMM_PFN_REQ_WRITE;
	walk->range.notifier_seq = mmu_interval_read_begin(&walk->notifier);
	KUNIT_EXPECT_EQ(test, 0, walk_as_is(walk));
	expect_pfns(test, walk, 0, MEMORY_PAGES, HMM_PFN_DMA_MAPPED);
	walk_end(walk);
}

/* An in-out flag is kept in any hmm pfn, also in those that are written in batches. */
static void walk_sticky(struct kunit *test)
{
	static const unsigned long sticky[] = {
		HMM_PFN_DMA_MAPPED, HMM_PFN_P2PDMA, HMM_PFN_P2PDMA_BUS,
	};
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	unsigned long at, i, kept;

	for (at = 0; at < 2 * MEMORY_PAGES; at++) {
		/* Absent at first, then present. */
		if (at == MEMORY_PAGES)
			KUNIT_EXPECT_EQ(test, 0, walk_again(walk, HMM_PFN_REQUEST));
		walk->range.default_flags = 0;
		for (i = 0; i < MEMORY_PAGES; i++)
			walk->pfns[i] = HMM_PFN_ERROR | 0x77;
		kept = sticky[at % ARRAY_SIZE(sticky)];
		walk->pfns[at % MEMORY_PAGES] |= kept;
		walk->range.notifier_seq = mmu_interval_read_begin(&walk->notifier);
		KUNIT_EXPECT_EQ(test, 0, walk_as_is(walk));
		KUNIT_EXPECT_EQ(test, walk->pfns[at % MEMORY_PAGES] & HMM_PFN_INOUT_FLAGS, kept);
		walk->pfns[at % MEMORY_PAGES] &= ~kept;
		expect_pfns(test, walk, 0, MEMORY_PAGES,
			    at < MEMORY_PAGES ? 0 : HMM_PFN_WRITABLE);
	}
	walk_end(walk);
}

static void walk_invalidated(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);

	memory_write(test, addr, 1);
	walk->range.notifier_seq = mmu_interval_read_begin(&walk->notifier);
	memory_map_at(test, addr, MEMORY_PAGES, RW);
	KUNIT_EXPECT_EQ(test, -EBUSY, walk_as_is(walk));
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, 0));
	expect_pfns(test, walk, 0, MEMORY_PAGES, 0);
	walk_end(walk);
}

static void walk_bad_range(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);

	walk->range.notifier_seq = mmu_interval_read_begin(&walk->notifier);
	walk->range.end = addr;
	KUNIT_EXPECT_EQ(test, -EINVAL, walk_as_is(walk));
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_range_fault_vma(&walk->range));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			hmm_range_fault_unlocked_timeout(&walk->range, 1));
	mmap_read_lock(current->mm);
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_range_fault_step(&walk->range, NULL, false));
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, addr, walk->range.start);
	walk->range.end = addr - PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, -EINVAL, walk_as_is(walk));
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_range_fault_vma(&walk->range));
	walk_end(walk);
}

/* A walk under per-VMA locks and one under the mmap lock report the same hmm pfns. */
static void walk_other_locks(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	struct hmm_range *range = &walk->range;

	memory_map_at(test, addr + 4 * PAGE_SIZE, 4, PROT_READ);
	memory_write(test, addr, 1);
	range->default_flags = HMM_PFN_REQ_FAULT;
	range->notifier_seq = mmu_interval_read_begin(range->notifier);
	KUNIT_EXPECT_EQ(test, 0, hmm_range_fault_vma(range));
	expect_pfns(test, walk, 0, 1, HMM_PFN_WRITABLE);
	expect_pfns(test, walk, 1, MEMORY_PAGES - 1, HMM_PFN_READABLE);

	memset(walk->pfns, 0, sizeof(walk->pfns));
	KUNIT_EXPECT_EQ(test, 0, hmm_range_fault_unlocked_timeout(range, HZ));
	expect_pfns(test, walk, 0, 1, HMM_PFN_WRITABLE);
	expect_pfns(test, walk, 1, MEMORY_PAGES - 1, HMM_PFN_READABLE);

	range->default_flags = HMM_PFN_REQUEST;
	range->notifier_seq = mmu_interval_read_begin(range->notifier);
	KUNIT_EXPECT_EQ(test, -EPERM,
			hmm_range_fault_unlocked_timeout(range, HZ));
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr + 8 * PAGE_SIZE, PAGE_SIZE));
	range->default_flags = 0;
	range->notifier_seq = mmu_interval_read_begin(range->notifier);
	KUNIT_EXPECT_EQ(test, 0, hmm_range_fault_vma(range));
	expect_pfns(test, walk, 8, 1, HMM_PFN_ERROR);
	expect_pfns(test, walk, 9, MEMORY_PAGES - 9, HMM_PFN_READABLE);
	walk_end(walk);
}

static void walk_unlocked_in_time(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	struct hmm_range *range = &walk->range;

	/* Map zero pages first: replacing them by writable pages invalidates them. */
	range->default_flags = HMM_PFN_REQ_FAULT;
	KUNIT_EXPECT_EQ(test, 0, hmm_range_fault_unlocked_timeout(range, 0));
	range->default_flags = HMM_PFN_REQUEST;
	KUNIT_EXPECT_EQ(test, 0, hmm_range_fault_unlocked_timeout(range, 10 * HZ));
	expect_pfns(test, walk, 0, MEMORY_PAGES, HMM_PFN_WRITABLE);
	KUNIT_EXPECT_FALSE(test, mmu_interval_read_retry(range->notifier,
							 range->notifier_seq));
	walk_end(walk);
}

/* A time so long that the deadline would be in the past is as long as can be. */
static void walk_unlocked_for_long(struct kunit *test)
{
	static const unsigned long timeouts[] = {
		MAX_JIFFY_OFFSET, MAX_JIFFY_OFFSET + 1, (unsigned long)LONG_MAX + 1, ULONG_MAX
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(timeouts); i++) {
		unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
		struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);

		/* Replacing the zero page invalidates the range: a lost race. */
		walk->range.default_flags = HMM_PFN_REQ_FAULT;
		KUNIT_EXPECT_EQ(test, 0, hmm_range_fault_unlocked_timeout(&walk->range, HZ));
		walk->range.default_flags = HMM_PFN_REQUEST;
		KUNIT_EXPECT_EQ(test, 0, hmm_range_fault_unlocked_timeout(&walk->range,
									  timeouts[i]));
		expect_pfns(test, walk, 0, MEMORY_PAGES, HMM_PFN_WRITABLE);
		walk_end(walk);
	}
}

/* No warning if there is no memory for the requests of a range that user space chose. */
static void walk_too_many_requests(struct kunit *test)
{
	struct walk *walk = walk_begin(test, memory_map(test, 1, RW), 1);

	walk->range.start = 0;
	walk->range.end = SZ_1T;
	walk->range.pfn_flags_mask = HMM_PFN_REQUEST;
	KUNIT_EXPECT_EQ(test, -ENOMEM, hmm_range_fault_unlocked_timeout(&walk->range, HZ));
	walk_end(walk);
}

static const struct hmm_format walk_format = {
	.valid = BIT(3), .write = BIT(1), .device_private = BIT(7),
	.error = 0xe0, .none = 0x70, .special = 0x50, .pfn_shift = 12,
};

static unsigned long walk_entry(struct kunit *test, struct walk *walk,
				unsigned long i, unsigned long flags)
{
	return memory_pfn(test, walk->range.start + i * PAGE_SIZE) << 12 | flags;
}

/* Pages that were written, never touched, read, unmapped and PROT_NONE, in a driver's format. */
static void walk_formatted(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW), i;
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);

	walk->format = &walk_format;
	for (i = 0; i < 6; i++)
		memory_write(test, addr + i * PAGE_SIZE, i);
	memory_read(test, addr + 8 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr + 10 * PAGE_SIZE, PAGE_SIZE));
	memory_map_at(test, addr + 11 * PAGE_SIZE, 1, PROT_NONE);
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, 0));
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, walk->pfns[i],
				walk_entry(test, walk, i, BIT(3) | BIT(1)));
	for (i = 6; i < MEMORY_PAGES; i++)
		if (i != 8 && i != 10 && i != 11)
			KUNIT_EXPECT_EQ(test, walk->pfns[i], 0x70);
	KUNIT_EXPECT_EQ(test, walk->pfns[8], walk_entry(test, walk, 8, BIT(3)));
	KUNIT_EXPECT_EQ(test, walk->pfns[10], 0xe0);
	KUNIT_EXPECT_EQ(test, walk->pfns[11], 0xe0);
	walk_end(walk);
}

/* Requests in the driver's flags: default flags, and flags of each page. */
static void walk_formatted_requests(struct kunit *test)
{
	static const unsigned long requests[] = { 0, BIT(3), BIT(3) | BIT(1), BIT(1) };
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW), i;
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	int ret;

	walk->format = &walk_format;
	/* The flags of struct hmm_range have no meaning in a driver's format. */
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, HMM_PFN_REQUEST));
	KUNIT_EXPECT_EQ(test, walk->pfns[0], 0x70);
	walk->range.default_flags = 0;
	walk->range.pfn_flags_mask = ~0UL;
	do {
		for (i = 0; i < MEMORY_PAGES; i++)
			walk->pfns[i] = requests[i % 4] | 0xabc000;
		walk->range.notifier_seq = mmu_interval_read_begin(&walk->notifier);
		ret = walk_as_is(walk);
	} while (ret == -EBUSY);
	KUNIT_EXPECT_EQ(test, 0, ret);
	for (i = 0; i < MEMORY_PAGES; i++) {
		unsigned long request = requests[i % 4];

		KUNIT_EXPECT_EQ(test, walk->pfns[i], request & BIT(3) ?
				walk_entry(test, walk, i, request) : 0x70);
	}
	walk->range.pfn_flags_mask = 0;
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, BIT(3) | BIT(1)));
	for (i = 0; i < MEMORY_PAGES; i++)
		KUNIT_EXPECT_EQ(test, walk->pfns[i],
				walk_entry(test, walk, i, BIT(3) | BIT(1)));
	walk_end(walk);
}

static void expect_extent(struct kunit *test, const struct hmm_extent *extent,
			  unsigned long start, unsigned long npages,
			  unsigned long hmm_pfn)
{
	KUNIT_EXPECT_EQ(test, extent->start, start);
	KUNIT_EXPECT_EQ(test, extent->npages, npages);
	KUNIT_EXPECT_EQ(test, extent->hmm_pfn, hmm_pfn);
}

/* Pages with equal access are one extent; extents are in order and without gaps. */
static void walk_extents(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW), i, nr = 0;
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	struct hmm_extent at[MEMORY_PAGES];
	struct hmm_extents extents = { .at = at, .room = MEMORY_PAGES };

	for (i = 4; i < 8; i++)
		memory_write(test, addr + i * PAGE_SIZE, i);
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr + 12 * PAGE_SIZE, 4 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, 0));
	walk->extents = &extents;
	walk->range.hmm_pfns = NULL;
	KUNIT_EXPECT_EQ(test, 0, walk_as_is(walk));
	expect_extent(test, &at[0], addr, 4, 0);
	for (i = 4; i < 8; i += at[nr].npages) {
		nr++;
		KUNIT_ASSERT_LT(test, nr, extents.nr);
		expect_extent(test, &at[nr], addr + i * PAGE_SIZE,
			      min(at[nr].npages, 8 - i), walk->pfns[i]);
		KUNIT_ASSERT_GT(test, at[nr].npages, 0);
		/* An extent has its maximum length: the next page does not continue it. */
		KUNIT_EXPECT_NE(test, walk->pfns[i] + at[nr].npages,
				walk->pfns[i + at[nr].npages]);
	}
	KUNIT_ASSERT_EQ(test, extents.nr, nr + 3);
	expect_extent(test, &at[nr + 1], addr + 8 * PAGE_SIZE, 4, 0);
	expect_extent(test, &at[nr + 2], addr + 12 * PAGE_SIZE, 4, HMM_PFN_ERROR);
	walk_end(walk);
}

/* The walk stops when the buffer is full, and can be resumed there. */
static void walk_extents_room(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW), i;
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	struct hmm_extent at[2];
	struct hmm_extents extents = { .at = at, .room = 2 };

	walk->extents = &extents;
	walk->range.hmm_pfns = NULL;
	for (i = 0; i < MEMORY_PAGES; i += 2)
		memory_write(test, addr + i * PAGE_SIZE, i);
	for (i = 0; i < MEMORY_PAGES; i += 2) {
		walk->range.start = addr + i * PAGE_SIZE;
		KUNIT_EXPECT_EQ(test, i + 2 < MEMORY_PAGES ? -ENOSPC : 0,
				walk_again(walk, 0));
		KUNIT_ASSERT_EQ(test, extents.nr, 2);
		expect_extent(test, &at[0], walk->range.start, 1, HMM_PFN_WRITABLE |
			      memory_pfn(test, walk->range.start));
		expect_extent(test, &at[1], walk->range.start + PAGE_SIZE, 1, 0);
	}
	extents.room = 0;
	KUNIT_EXPECT_EQ(test, -ENOSPC, walk_again(walk, 0));
	KUNIT_EXPECT_EQ(test, 0, extents.nr);
	walk_end(walk);
}

/* A walk for extents, without hmm pfns, faults pages in and counts them. */
static void walk_extents_faulted(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW), i, npages = 0;
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	struct hmm_extent at[MEMORY_PAGES];
	struct hmm_extents extents = { .at = at, .room = MEMORY_PAGES };

	walk->extents = &extents;
	walk->range.hmm_pfns = NULL;
	walk->range.default_flags = HMM_PFN_REQUEST;
	KUNIT_EXPECT_EQ(test, 0, hmm_range_fault_extents_unlocked_timeout(&walk->range,
									  &extents, HZ));
	for (i = 0; i < extents.nr; npages += at[i++].npages) {
		/* Pages that are neighbours by chance have an order. */
		at[i].hmm_pfn &= ~hmm_pfn_order(0x1f);
		expect_extent(test, &at[i], addr + npages * PAGE_SIZE, at[i].npages,
			      HMM_PFN_WRITABLE |
			      memory_pfn(test, addr + npages * PAGE_SIZE));
	}
	KUNIT_EXPECT_EQ(test, npages, MEMORY_PAGES);
	walk_end(walk);
}

static void walk_bad_output(struct kunit *test)
{
	unsigned long addr = memory_map(test, MEMORY_PAGES, RW);
	struct walk *walk = walk_begin(test, addr, MEMORY_PAGES);
	struct hmm_format format = { .write = 1 };
	struct hmm_extents extents = { };

	walk->format = &format;
	KUNIT_EXPECT_EQ(test, -EINVAL, walk_again(walk, 0));
	format.valid = 2;
	KUNIT_EXPECT_EQ(test, 0, walk_again(walk, 0));
	format.pfn_shift = BITS_PER_LONG;
	KUNIT_EXPECT_EQ(test, -EINVAL, walk_again(walk, 0));
	walk->extents = &extents;
	walk->format = NULL;
	KUNIT_EXPECT_EQ(test, -ENOSPC, walk_again(walk, 0));
	walk->range.pfn_flags_mask = HMM_PFN_REQ_FAULT;
	KUNIT_EXPECT_EQ(test, -EINVAL, walk_again(walk, 0));
	walk_end(walk);
}

static struct kunit_case walk_cases[] = {
	KUNIT_CASE(walk_absent),
	KUNIT_CASE(walk_written),
	KUNIT_CASE(walk_hole),
	KUNIT_CASE(walk_protections),
	KUNIT_CASE(walk_page_by_page),
	KUNIT_CASE(walk_masked_out),
	KUNIT_CASE(walk_sticky),
	KUNIT_CASE(walk_invalidated),
	KUNIT_CASE(walk_bad_range),
	KUNIT_CASE(walk_other_locks),
	KUNIT_CASE(walk_unlocked_in_time),
	KUNIT_CASE(walk_unlocked_for_long),
	KUNIT_CASE(walk_too_many_requests),
	KUNIT_CASE(walk_formatted),
	KUNIT_CASE(walk_formatted_requests),
	KUNIT_CASE(walk_extents),
	KUNIT_CASE(walk_extents_room),
	KUNIT_CASE(walk_extents_faulted),
	KUNIT_CASE(walk_bad_output),
	{}
};

static struct kunit_suite walk_suite = {
	.name = "hmm_walker",
	.test_cases = walk_cases,
};

kunit_test_suite(walk_suite);
