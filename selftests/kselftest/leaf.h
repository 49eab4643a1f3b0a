/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fixture of the tests of hmm_range_fault() on each kind of page-table leaf.
 * Each test walks memory that it mapped, and compares the reported hmm pfns
 * with /proc/self/pagemap and with the flags and orders of that mapping.
 */
#ifndef HMM_LEAF_H
#define HMM_LEAF_H

#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "hmm_user.h"

/* The longest walk: 1 GiB and a few pages. */
#define LEAF_PAGES ((1UL << GIGA_ORDER) + 1024)

FIXTURE(leaf) {
	int fd;
	struct hmm_probe_info info;
	struct hmm_probe_walk walk;
	uint64_t *hmm_pfns;
	uint64_t *map;
};

FIXTURE_VARIANT(leaf) {
	uint32_t core;
	uint32_t how;
};

FIXTURE_VARIANT_ADD(leaf, core)
{
	.core = HMM_PROBE_CORE,
};

FIXTURE_VARIANT_ADD(leaf, core_unlocked)
{
	.core = HMM_PROBE_CORE,
	.how = HMM_PROBE_UNLOCKED,
};

/* The reference must pass too; otherwise the test's expectation is wrong. */
FIXTURE_VARIANT_ADD(leaf, reference)
{
	.core = HMM_PROBE_REFERENCE,
};

FIXTURE_VARIANT_ADD(leaf, reference_unlocked)
{
	.core = HMM_PROBE_REFERENCE,
	.how = HMM_PROBE_UNLOCKED,
};

FIXTURE_SETUP(leaf)
{
	self->fd = probe_open(&self->info);
	if (variant->core == HMM_PROBE_REFERENCE) {
		if (!(self->info.has & HMM_PROBE_HAS_REFERENCE))
			SKIP(return, "no reference core (CONFIG_HMM_REFERENCE)");
		if (variant->how && !(self->info.has & HMM_PROBE_HAS_UNLOCKED))
			SKIP(return, "this kernel's own core has no unlocked walk");
	}
	self->hmm_pfns = mmap(NULL, LEAF_PAGES * sizeof(uint64_t),
			      PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(self->hmm_pfns, MAP_FAILED);
	self->map = mmap(NULL, LEAF_PAGES * sizeof(uint64_t),
			 PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(self->map, MAP_FAILED);
	self->walk.core = variant->core;
	self->walk.how = variant->how;
	self->walk.hmm_pfns = (uintptr_t)self->hmm_pfns;
}

FIXTURE_TEARDOWN(leaf)
{
	close(self->fd);
}

/* Walk with the current contents of hmm_pfns as input. */
static inline int leaf_walk_pfns(struct _test_data_leaf *self,
				 const void *addr, size_t npages,
				 uint64_t default_flags, uint64_t mask)
{
	self->walk.addr = (uintptr_t)addr;
	self->walk.npages = npages;
	self->walk.default_flags = default_flags;
	self->walk.pfn_flags_mask = mask;
	if (ioctl(self->fd, HMM_PROBE_WALK, &self->walk))
		return -errno - 1000000;	/* the ioctl's error, not the core's */
	return self->walk.error;
}

/* Walk with all hmm pfns 0: request what @default_flags requests. */
static inline int leaf_walk(struct _test_data_leaf *self, const void *addr,
			    size_t npages, uint64_t default_flags)
{
	memset(self->hmm_pfns, 0, npages * sizeof(*self->hmm_pfns));
	return leaf_walk_pfns(self, addr, npages, default_flags, 0);
}

#define leaf_snapshot(self, addr, npages) leaf_walk(self, addr, npages, 0)

/*
 * Check @count hmm pfns from @first on: their flags are @flags, no input flag
 * (HMM_PFN_INOUT_FLAGS) is set, and a valid one has the pfn in pagemap.
 */
#define EXPECT_PFNS(first, count, flags)				\
	leaf_expect_pfns(_metadata, self, first, count, flags, __LINE__)

static inline void leaf_expect_pfns(struct __test_metadata *_metadata,
				    struct _test_data_leaf *self,
				    size_t first, size_t count,
				    uint64_t flags, int line)
{
	char *addr = (char *)(uintptr_t)self->walk.addr;
	size_t i;

	ASSERT_EQ(0, page_map_read(addr + first * PAGE, count, self->map));
	for (i = 0; i < count; i++) {
		uint64_t hmm_pfn = self->hmm_pfns[first + i];
		uint64_t pfn = self->map[i] & MAP_PFN;

		ASSERT_EQ(flags, hmm_pfn_flags(hmm_pfn)) {
			TH_LOG("line %d: flags of page %zu", line, first + i);
		}
		ASSERT_EQ(0, hmm_pfn & HMM_PFN_INOUT_FLAGS);
		if (!(flags & HMM_PFN_VALID))
			continue;
		ASSERT_TRUE(self->map[i] & MAP_PRESENT) {
			TH_LOG("line %d: page %zu is not present", line, first + i);
		}
		ASSERT_NE(0, pfn);
		ASSERT_EQ(pfn, hmm_pfn_to_pfn(hmm_pfn)) {
			TH_LOG("line %d: pfn of page %zu", line, first + i);
		}
	}
}

#define EXPECT_ORDER(first, count, order)				\
	leaf_expect_order(_metadata, self, first, count, order, __LINE__)

static inline void leaf_expect_order(struct __test_metadata *_metadata,
				     struct _test_data_leaf *self,
				     size_t first, size_t count,
				     unsigned int order, int line)
{
	size_t i;

	for (i = first; i < first + count; i++) {
		ASSERT_EQ(order, hmm_pfn_order(self->hmm_pfns[i])) {
			TH_LOG("line %d: order of page %zu", line, i);
		}
	}
}

/* Check all reported orders against the neighbouring hmm pfns. */
#define EXPECT_VALID_ORDERS(npages)					\
	leaf_expect_valid_orders(_metadata, self, npages, __LINE__)

static inline void leaf_expect_valid_orders(struct __test_metadata *_metadata,
					    struct _test_data_leaf *self,
					    size_t npages, int line)
{
	size_t i;

	for (i = 0; i < npages; i++) {
		ASSERT_TRUE(hmm_pfn_order_valid(self->hmm_pfns, npages,
						self->walk.addr, i)) {
			TH_LOG("line %d: page %zu has the wrong order %u", line, i,
			       hmm_pfn_order(self->hmm_pfns[i]));
		}
	}
}

/* A device PTE format in which every bit differs from that of an hmm pfn. */
static const struct hmm_probe_format leaf_format = {
	.valid = 1 << 3, .write = 1 << 1, .device_private = 1 << 7,
	.error = 0xe00, .none = 0x700, .special = 0x500, .pfn_shift = 13,
};

/* Walk with the output in leaf_format. */
static inline int leaf_walk_format(struct _test_data_leaf *self,
				   const void *addr, size_t npages,
				   uint64_t default_flags)
{
	int error;

	self->walk.how |= HMM_PROBE_FORMAT;
	self->walk.format = leaf_format;
	error = leaf_walk(self, addr, npages, default_flags);
	self->walk.how &= ~HMM_PROBE_FORMAT;
	return error;
}

static inline char *leaf_anon(size_t npages, int prot)
{
	return map_aligned(npages * PAGE, HUGE, prot, MAP_PRIVATE, -1);
}

#define RW (PROT_READ | PROT_WRITE)

#endif /* HMM_LEAF_H */
