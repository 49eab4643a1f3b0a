// SPDX-License-Identifier: GPL-2.0
/*
 * Encoding of hmm pfns: flags, order and pfn, how they are written to the array,
 * runs, and conversion to and from a driver's PTE format.
 */
#include <kunit/test.h>
#include <linux/hmm.h>
#include <linux/hmm_mirror_typed.h>

#include "../pfn.h"
#include "../walk_output.h"

static const unsigned long encoding_inout_flags[] = {
	0, HMM_PFN_DMA_MAPPED, HMM_PFN_P2PDMA, HMM_PFN_P2PDMA_BUS,
	HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA, HMM_PFN_INOUT_FLAGS,
};

/* Flags and order do not overlap, and together are HMM_PFN_FLAGS. */
static void encoding_bits(struct kunit *test)
{
	static const unsigned long flags[] = {
		HMM_PFN_VALID, HMM_PFN_WRITE, HMM_PFN_ERROR,
		HMM_PFN_DMA_MAPPED, HMM_PFN_P2PDMA, HMM_PFN_P2PDMA_BUS,
	};
	unsigned long all = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		KUNIT_EXPECT_EQ(test, hweight_long(flags[i]), 1);
		KUNIT_EXPECT_EQ(test, all & flags[i], 0);
		all |= flags[i];
	}
	KUNIT_EXPECT_EQ(test, all & hmm_pfn_order(0x1f), 0);
	KUNIT_EXPECT_EQ(test, all | hmm_pfn_order(0x1f), HMM_PFN_FLAGS);
	KUNIT_EXPECT_EQ(test, HMM_PFN_REQ_FAULT, HMM_PFN_VALID);
	KUNIT_EXPECT_EQ(test, HMM_PFN_REQ_WRITE, HMM_PFN_WRITE);
}

static void encoding_order(struct kunit *test)
{
	unsigned int order;

	for (order = 0; order < 32; order++) {
		unsigned long hmm_pfn = HMM_PFN_WRITABLE | hmm_pfn_order(order) |
				     HMM_PFN_INOUT_FLAGS | 0x12345;

		KUNIT_EXPECT_EQ(test, hmm_pfn_to_map_order(hmm_pfn), order);
		KUNIT_EXPECT_EQ(test, hmm_pfn & ~HMM_PFN_FLAGS, 0x12345);
	}
}

static void encoding_pfn(struct kunit *test)
{
	unsigned long flags = HMM_PFN_WRITABLE | HMM_PFN_INOUT_FLAGS | hmm_pfn_order(9);
	int bit;

	for (bit = 0; bit < HMM_PFN_ORDER_SHIFT; bit++) {
		unsigned long pfn = 1UL << bit;

		KUNIT_EXPECT_EQ(test, (flags | pfn) & ~HMM_PFN_FLAGS, pfn);
		if (bit < BITS_PER_LONG - PAGE_SHIFT)
			KUNIT_EXPECT_EQ(test, hmm_pfn_to_phys(flags | pfn),
					(phys_addr_t)pfn << PAGE_SHIFT);
	}
}

/* Every request with every access, as in the table of the documentation. */
static void encoding_needs_fault(struct kunit *test)
{
	const unsigned long fault = HMM_PFN_REQ_FAULT, write = HMM_PFN_REQ_WRITE;
	const unsigned long readable = HMM_PFN_VALID;
	const unsigned long writable = HMM_PFN_VALID | HMM_PFN_WRITE;

	KUNIT_EXPECT_FALSE(test, hmm_needs_fault(0, 0));
	KUNIT_EXPECT_FALSE(test, hmm_needs_fault(0, readable));
	KUNIT_EXPECT_FALSE(test, hmm_needs_fault(write, 0));
	KUNIT_EXPECT_FALSE(test, hmm_needs_fault(write, readable));
	KUNIT_EXPECT_TRUE(test, hmm_needs_fault(fault, 0));
	KUNIT_EXPECT_FALSE(test, hmm_needs_fault(fault, readable));
	KUNIT_EXPECT_FALSE(test, hmm_needs_fault(fault, writable));
	KUNIT_EXPECT_TRUE(test, hmm_needs_fault(fault | write, 0));
	KUNIT_EXPECT_TRUE(test, hmm_needs_fault(fault | write, readable));
	KUNIT_EXPECT_FALSE(test, hmm_needs_fault(fault | write, writable));
	KUNIT_EXPECT_EQ(test, hmm_pfn_access(false), readable);
	KUNIT_EXPECT_EQ(test, hmm_pfn_access(true), writable);
}

/* Writing an hmm pfn preserves the input/output flags and nothing else. */
static void encoding_put(struct kunit *test)
{
	unsigned long new = HMM_PFN_WRITABLE | hmm_pfn_order(3) | 0x1000;
	unsigned long hmm_pfns[3];
	int i;

	for (i = 0; i < ARRAY_SIZE(encoding_inout_flags); i++) {
		hmm_pfns[0] = HMM_PFN_ERROR;
		hmm_pfns[1] = HMM_PFN_ERROR | hmm_pfn_order(5) | 0x77 | encoding_inout_flags[i];
		hmm_pfns[2] = HMM_PFN_ERROR;
		hmm_write_pfn(&hmm_pfns[1], new);
		KUNIT_EXPECT_EQ(test, hmm_pfns[1], new | encoding_inout_flags[i]);
		hmm_write_pfn(&hmm_pfns[1], 0);
		KUNIT_EXPECT_EQ(test, hmm_pfns[1], encoding_inout_flags[i]);
		KUNIT_EXPECT_EQ(test, hmm_pfns[0], HMM_PFN_ERROR);
		KUNIT_EXPECT_EQ(test, hmm_pfns[2], HMM_PFN_ERROR);
	}
}

/* Runs of an array of given hmm pfns. */
static void encoding_runs(struct kunit *test)
{
	unsigned long hmm_pfns[] = {
		HMM_PFN_WRITABLE | 100, HMM_PFN_WRITABLE | 101,
		HMM_PFN_WRITABLE | 103 | HMM_PFN_DMA_MAPPED,
		HMM_PFN_WRITABLE | 104,
		HMM_PFN_VALID | 105,
		0, HMM_PFN_DMA_MAPPED, 0,
		HMM_PFN_ERROR, HMM_PFN_ERROR,
		HMM_PFN_VALID | hmm_pfn_order(1) | 200,
		HMM_PFN_VALID | hmm_pfn_order(1) | 201,
		HMM_PFN_VALID | 202,
	};
	static const struct {
		unsigned int pages;
		unsigned long pfn, flags;
		unsigned int order;
	} expected[] = {
		{ 2, 100, HMM_PFN_WRITABLE }, { 2, 103, HMM_PFN_WRITABLE },
		{ 1, 105, HMM_PFN_VALID }, { 3, 0, 0 }, { 2, 0, HMM_PFN_ERROR },
		{ 2, 200, HMM_PFN_VALID, 1 }, { 1, 202, HMM_PFN_VALID },
	};
	struct hmm_section *section = kunit_kzalloc(test, sizeof(*section), GFP_KERNEL);
	unsigned long at = 0x100000;
	int i = 0;

	KUNIT_ASSERT_NOT_NULL(test, section);
	section->pfns = hmm_pfns;
	section->batch = (struct hmm_span){
		at, at + ARRAY_SIZE(hmm_pfns) * PAGE_SIZE
	};
	hmm_section_runs(run, section) {
		KUNIT_ASSERT_LT(test, i, ARRAY_SIZE(expected));
		KUNIT_EXPECT_EQ(test, run.span.start, at);
		KUNIT_EXPECT_EQ(test, hmm_span_pages(run.span), expected[i].pages);
		KUNIT_EXPECT_EQ(test, run.pfn, expected[i].pfn);
		KUNIT_EXPECT_EQ(test, run.flags, expected[i].flags);
		KUNIT_EXPECT_EQ(test, run.order, expected[i].order);
		at = run.span.end;
		i++;
	}
	KUNIT_EXPECT_EQ(test, i, ARRAY_SIZE(expected));
}

static const struct hmm_format encoding_format = {
	.valid = BIT(3), .write = BIT(1), .device_private = BIT(7),
	.error = 0xe0, .none = 0x70, .special = 0x50, .pfn_shift = 13,
};

/* Conversion to a driver's PTE format: each flag, and the three fixed values. */
static void encoding_format_entry(struct kunit *test)
{
	static const struct {
		unsigned long hmm_pfn, entry;
	} expected[] = {
		{ 0, 0x70 }, { HMM_PFN_ERROR, 0xe0 },
		{ HMM_PFN_ERROR | HMM_MARK_SPECIAL, 0x50 },
		{ HMM_PFN_VALID | 5, 5 << 13 | BIT(3) },
		{ HMM_PFN_WRITABLE | 5, 5 << 13 | BIT(3) | BIT(1) },
		{ HMM_PFN_WRITABLE, BIT(3) | BIT(1) },
		{ HMM_PFN_VALID | HMM_MARK_PRIVATE | 1, 1 << 13 | BIT(3) | BIT(7) },
		{ HMM_PFN_VALID | 9UL << HMM_PFN_ORDER_SHIFT | 6, 6 << 13 | BIT(3) },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(expected); i++)
		KUNIT_EXPECT_EQ(test, expected[i].entry,
				hmm_format_entry(&encoding_format, expected[i].hmm_pfn));
}

/* Without a value for special PTEs, the format's error value is used, not none. */
static void encoding_format_special(struct kunit *test)
{
	struct hmm_format format = { .valid = BIT(3), .error = 0xe0 };
	unsigned long special = HMM_PFN_ERROR | HMM_MARK_SPECIAL;

	KUNIT_EXPECT_EQ(test, hmm_format_entry(&format, special), 0xe0);
	KUNIT_EXPECT_EQ(test, hmm_format_entry(&format, 0), 0);
	format.special = 0x50;
	KUNIT_EXPECT_EQ(test, hmm_format_entry(&format, special), 0x50);
}

static void encoding_format_request(struct kunit *test)
{
	static const struct {
		unsigned long entry, request;
	} expected[] = {
		{ 0, 0 }, { 0x70 & ~0x8, 0 }, { BIT(3), HMM_PFN_REQ_FAULT },
		{ BIT(1), HMM_PFN_REQ_WRITE }, { BIT(3) | BIT(1), HMM_PFN_REQUEST },
		{ BIT(7) | BIT(3), HMM_REQ_SYSTEM | HMM_PFN_REQ_FAULT },
		{ ~0UL, HMM_PFN_REQUEST | HMM_REQ_SYSTEM },
	};
	struct hmm_format none = { .valid = BIT(3) };
	int i;

	for (i = 0; i < ARRAY_SIZE(expected); i++)
		KUNIT_EXPECT_EQ(test, expected[i].request,
				hmm_format_request(&encoding_format, expected[i].entry));
	/* Requests whose flag the format does not have are ignored. */
	KUNIT_EXPECT_EQ(test, HMM_PFN_REQ_FAULT, hmm_format_request(&none, ~0UL));
}

static struct kunit_case encoding_cases[] = {
	KUNIT_CASE(encoding_bits),
	KUNIT_CASE(encoding_order),
	KUNIT_CASE(encoding_pfn),
	KUNIT_CASE(encoding_needs_fault),
	KUNIT_CASE(encoding_put),
	KUNIT_CASE(encoding_runs),
	KUNIT_CASE(encoding_format_entry),
	KUNIT_CASE(encoding_format_special),
	KUNIT_CASE(encoding_format_request),
	{}
};

static struct kunit_suite encoding_suite = {
	.name = "hmm_encoding",
	.test_cases = encoding_cases,
};

kunit_test_suite(encoding_suite);
