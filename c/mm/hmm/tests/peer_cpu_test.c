// SPDX-License-Identifier: GPL-2.0
/*
 * Peer access of a device that is software: the CPU makes its accesses to pages in the private
 * memory of another device, by pointers that this one's driver gives.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/hmm_typed.h>
#include <linux/mm.h>
#include <linux/mman.h>

#include "../mirror.h"
#include "../mirror_dma.h"
#include "fixture_device.h"

#define PAGES	128UL
#define SIZE	(PAGES << PAGE_SHIFT)

/**
 * struct soft_entry - what the device that is software has of a page
 * @at: where the CPU accesses it in the memory of the other device; NULL: it is not there
 * @write: it may be written there
 * @hmm_pfn: as the section reported it
 */
struct soft_entry {
	unsigned long *at;
	bool write;
	unsigned long hmm_pfn;
};

/**
 * struct soft_access - a device with memory, and one that is software
 * @mirror: of the second device
 * @range: all of the process
 * @dma: where the first device's pages are
 * @entries: of the second device; the update lock guards them
 * @owner: has the pages
 * @addr: the first page
 * @early: pointers that were given back while the second device had them
 * @runs: runs of addresses that sections have shown
 */
struct soft_access {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct hmm_mirror_dma dma;
	struct soft_entry entries[PAGES];
	struct buffer_device *owner;
	unsigned long addr;
	unsigned long early;
	unsigned long runs;
};

/* The test that runs, for callbacks. */
static struct soft_access *current_access;

static bool soft_invalidate(struct soft_access *access, const struct hmm_invalidation *inv)
{
	struct hmm_span span = hmm_span_clip(inv->span, span_of(access->addr, SIZE));
	unsigned long addr;

	for (addr = span.start; addr < span.end; addr += PAGE_SIZE)
		access->entries[(addr - access->addr) >> PAGE_SHIFT] = (struct soft_entry){};
	return true;
}

DEFINE_HMM_MIRROR_OPS(soft_ops, struct soft_access, mirror, soft_invalidate);

static void soft_taken(struct buffer_device *device, dma_addr_t address)
{
	for (unsigned long i = 0; i < PAGES; i++)
		current_access->early += (unsigned long)current_access->entries[i].at == address;
}

static int soft_populate(struct soft_access *access, enum hmm_access how)
{
	int ret;

	hmm_mirror_populate_dma(pages, ret, &access->mirror, span_of(access->addr, SIZE), how,
				&access->dma) {
		unsigned long addr = pages.state.batch.start;

		for (; addr < pages.state.batch.end; addr += PAGE_SIZE) {
			struct soft_entry *entry =
				&access->entries[(addr - access->addr) >> PAGE_SHIFT];

			entry->at = hmm_section_peer_pointer(&pages.state, addr, &entry->write);
			entry->hmm_pfn = pages.state.pfns[(addr - pages.state.batch.start) >>
							  PAGE_SHIFT];
		}
		hmm_section_dma_pages_addresses(run, &pages)
			access->runs++;
	}
	return ret;
}

/* Have numbers in the memory of the first device, and a map of the second. */
static struct soft_access *soft_begin(struct kunit *test)
{
	struct soft_access *access = kunit_kzalloc(test, sizeof(*access), GFP_KERNEL);
	struct device *dev = kunit_device_register(test, "hmm_peer_cpu");

	KUNIT_ASSERT_NOT_NULL(test, access);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	access->owner = make_reachable_device(test, NULL);
	access->owner->on_take = soft_taken;
	test->priv = access;
	current_access = access;
	access->addr = map_anonymous(test, SIZE);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&access->mirror, current->mm, &soft_ops, NULL));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&access->mirror, &access->range,
						      HMM_SPAN_ALL));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init_by_cpu(&access->dma, &access->mirror, dev,
							    span_of(access->addr, SIZE)));
	write_numbers(test, access->addr, PAGES);
	KUNIT_ASSERT_EQ(test, migrate_to(access->owner, access->addr, SIZE), PAGES);
	return access;
}

static void soft_exit(struct kunit *test)
{
	struct soft_access *access = test->priv;

	if (!access)
		return;
	if (access->dma.mirror)
		hmm_mirror_dma_exit(&access->dma);
	if (access->mirror.mm)
		hmm_mirror_exit(&access->mirror);
	hmm_devmem_exit(&access->owner->devmem);
	KUNIT_EXPECT_EQ(test, access->owner->given, 0);
	KUNIT_EXPECT_EQ(test, access->early, 0);
	KUNIT_EXPECT_EQ(test, access->runs, 0);
}

/* How many pages the second device has in the first one's memory, with the right numbers. */
static unsigned long soft_peers(const struct soft_access *access)
{
	unsigned long right = 0;

	for (unsigned long i = 0; i < PAGES; i++) {
		const struct soft_entry *entry = &access->entries[i];

		right += entry->at && *entry->at == i && entry->write && !entry->hmm_pfn;
	}
	return right;
}

/* How many it has in system memory, of which the DMA API knows nothing. */
static unsigned long soft_in_ram(const struct soft_access *access)
{
	unsigned long right = 0;

	for (unsigned long i = 0; i < PAGES; i++)
		right += !access->entries[i].at &&
			 (access->entries[i].hmm_pfn & (HMM_PFN_VALID | HMM_PFN_DMA_MAPPED)) ==
			 HMM_PFN_VALID;
	return right;
}

/* Pages stay, and have pointers and no addresses; the CPU's access takes them away. */
static void peer_cpu_stays(struct kunit *test)
{
	struct soft_access *access = soft_begin(test);

	KUNIT_EXPECT_TRUE(test, hmm_mirror_peers_exist());
	KUNIT_EXPECT_EQ(test, 0, soft_populate(access, HMM_ACCESS_WRITE));
	KUNIT_EXPECT_EQ(test, soft_peers(access), PAGES);
	KUNIT_EXPECT_EQ(test, access->owner->given, PAGES);
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES - PAGES);
	*access->entries[7].at += 1000;
	KUNIT_EXPECT_EQ(test, read_number(test, access->addr + 7 * PAGE_SIZE), 1007);
	KUNIT_EXPECT_NULL(test, access->entries[7].at);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&access->owner->devmem), 0);
	KUNIT_EXPECT_EQ(test, soft_peers(access), 0);
	KUNIT_EXPECT_EQ(test, access->owner->given, 0);
}

/* Pages in system memory are reported as always, and not mapped for DMA. */
static void peer_cpu_system_memory(struct kunit *test)
{
	struct soft_access *access = soft_begin(test);

	KUNIT_EXPECT_EQ(test, right_numbers(test, access->addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, 0, soft_populate(access, HMM_ACCESS_WRITE));
	KUNIT_EXPECT_EQ(test, soft_in_ram(access), PAGES);
	KUNIT_EXPECT_EQ(test, access->owner->calls, 0);
	KUNIT_EXPECT_NULL(test, access->dma.map.pfn_list);
}

/* A driver that gives an address, which the CPU cannot use, gets it back, and the page. */
static void peer_cpu_needs_pointers(struct kunit *test)
{
	struct soft_access *access = soft_begin(test);

	access->owner->gives_addresses = true;
	KUNIT_EXPECT_EQ(test, 0, soft_populate(access, HMM_ACCESS_WRITE));
	KUNIT_EXPECT_EQ(test, soft_in_ram(access), PAGES);
	/* Not all: a fault migrates the pages around it, too. */
	KUNIT_EXPECT_GE(test, access->owner->calls, HMM_SECTION_BATCH);
	KUNIT_EXPECT_EQ(test, access->owner->given, 0);
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES);
}

static void peer_cpu_map_ends(struct kunit *test)
{
	struct soft_access *access = soft_begin(test);

	KUNIT_EXPECT_EQ(test, 0, soft_populate(access, HMM_ACCESS_READ));
	KUNIT_EXPECT_EQ(test, soft_peers(access), PAGES);
	hmm_mirror_dma_exit(&access->dma);
	access->dma.mirror = NULL;
	KUNIT_EXPECT_EQ(test, soft_peers(access), 0);
	KUNIT_EXPECT_EQ(test, access->owner->given, 0);
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES - PAGES);
}

static void peer_cpu_map_is_refused(struct kunit *test)
{
	struct soft_access *access = soft_begin(test);
	struct hmm_mirror_dma *dma = kunit_kzalloc(test, sizeof(*dma), GFP_KERNEL);
	struct device *dev = access->dma.dev;

	KUNIT_ASSERT_NOT_NULL(test, dma);
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_mirror_dma_init_by_cpu(dma, &access->mirror, dev,
								  span_of(access->addr, 0)));
	/* More than the kernel allocates at once. */
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			hmm_mirror_dma_init_by_cpu(dma, &access->mirror, dev,
						   span_of(access->addr, 1UL << 40)));
	hmm_mirror_lock(&access->mirror);
	KUNIT_EXPECT_EQ(test, -EDEADLK,
			hmm_mirror_dma_init_by_cpu(dma, &access->mirror, dev,
						   span_of(access->addr, SIZE)));
	hmm_mirror_unlock(&access->mirror);
	/* None of them is known to invalidations. */
	KUNIT_EXPECT_EQ(test, 0, soft_populate(access, HMM_ACCESS_READ));
	KUNIT_EXPECT_EQ(test, right_numbers(test, access->addr, PAGES), PAGES);
}

static struct kunit_case peer_cpu_cases[] = {
	KUNIT_CASE(peer_cpu_stays),
	KUNIT_CASE(peer_cpu_system_memory),
	KUNIT_CASE(peer_cpu_needs_pointers),
	KUNIT_CASE(peer_cpu_map_ends),
	KUNIT_CASE(peer_cpu_map_is_refused),
	{}
};

static struct kunit_suite peer_cpu_suite = {
	.name = "hmm_peer_cpu",
	.exit = soft_exit,
	.test_cases = peer_cpu_cases,
};

kunit_test_suite(peer_cpu_suite);

MODULE_DESCRIPTION("KUnit tests of peer access by the CPU");
MODULE_LICENSE("GPL");
