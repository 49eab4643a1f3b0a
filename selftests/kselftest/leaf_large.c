// SPDX-License-Identifier: GPL-2.0
/*
 * Large page-table leaves (PMD, PUD, hugetlb), large folios mapped by PTEs, and
 * file mappings.
 */
#include "leaf.h"

static char *huge_page(struct __test_metadata *_metadata)
{
	char *at = leaf_anon(1024, RW);

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, madvise(at, 2 * HUGE, MADV_HUGEPAGE));
	write_pages(at, 2 * HUGE);
	return at;
}

TEST_F(leaf, thp)
{
	char *at = huge_page(_metadata);

	ASSERT_EQ(0, leaf_snapshot(self, at, 1024));
	EXPECT_PFNS(0, 1024, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, 1024, HUGE_ORDER);
	EXPECT_VALID_ORDERS(1024);
	ASSERT_EQ(0, leaf_walk(self, at, 1024, REQ_RW));
	EXPECT_ORDER(0, 1024, HUGE_ORDER);
}

/* The order is the leaf's even if the range begins or ends inside it. */
TEST_F(leaf, thp_partial)
{
	char *at = huge_page(_metadata);

	ASSERT_EQ(0, leaf_snapshot(self, at + 5 * PAGE, 700));
	EXPECT_PFNS(0, 700, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, 700, HUGE_ORDER);
	ASSERT_EQ(0, leaf_walk(self, at + 511 * PAGE, 2, REQ_RW));
	EXPECT_PFNS(0, 2, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, 2, HUGE_ORDER);
}

TEST_F(leaf, thp_readonly)
{
	char *at = huge_page(_metadata);

	ASSERT_EQ(0, mprotect(at, HUGE, PROT_READ));
	ASSERT_EQ(0, leaf_snapshot(self, at, 1024));
	EXPECT_PFNS(0, 512, HMM_PFN_VALID);
	EXPECT_PFNS(512, 512, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, 1024, HUGE_ORDER);
	EXPECT_EQ(-EPERM, leaf_walk(self, at, 1024, REQ_RW));
	ASSERT_EQ(0, mprotect(at, HUGE, PROT_NONE));
	ASSERT_EQ(0, leaf_snapshot(self, at, 1024));
	EXPECT_PFNS(0, 512, HMM_PFN_ERROR);
}

/* Make one page read-only: the folio stays, PTEs replace the PMD. */
TEST_F(leaf, thp_split_mapping)
{
	char *at = huge_page(_metadata);

	ASSERT_EQ(0, mprotect(at + 100 * PAGE, PAGE, PROT_READ));
	ASSERT_EQ(0, leaf_snapshot(self, at, 512));
	EXPECT_PFNS(0, 100, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_PFNS(100, 1, HMM_PFN_VALID);
	EXPECT_PFNS(101, 411, HMM_PFN_VALID | HMM_PFN_WRITE);
	for (size_t i = 0; i < 512; i++) {
		EXPECT_GT(HUGE_ORDER, hmm_pfn_order(self->hmm_pfns[i]));
	}
	EXPECT_VALID_ORDERS(512);
}

TEST_F(leaf, thp_split_hole)
{
	char *at = huge_page(_metadata);

	ASSERT_EQ(0, madvise(at + 8 * PAGE, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, leaf_snapshot(self, at, 512));
	EXPECT_PFNS(0, 8, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_PFNS(8, 1, 0);
	EXPECT_PFNS(9, 503, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_VALID_ORDERS(512);
	ASSERT_EQ(0, leaf_walk(self, at, 512, REQ_RW));
	EXPECT_PFNS(0, 512, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_VALID_ORDERS(512);
}

TEST_F(leaf, thp_zero)
{
	char *at = leaf_anon(512, RW);

	ASSERT_NE(NULL, at);
	setting_write("/sys/kernel/mm/transparent_hugepage/use_zero_page", "1");
	ASSERT_EQ(0, madvise(at, HUGE, MADV_HUGEPAGE));
	read_pages(at, PAGE);
	ASSERT_EQ(0, leaf_snapshot(self, at, 512));
	if (!hmm_pfn_order(self->hmm_pfns[0]))
		SKIP(return, "the huge zero page was not mapped");
	EXPECT_PFNS(0, 512, HMM_PFN_VALID);
	EXPECT_ORDER(0, 512, HUGE_ORDER);
	ASSERT_EQ(0, leaf_walk(self, at, 512, REQ_RW));
	EXPECT_PFNS(0, 512, HMM_PFN_VALID | HMM_PFN_WRITE);
}

TEST_F(leaf, thp_absent)
{
	char *at = leaf_anon(512, RW);

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, madvise(at, HUGE, MADV_HUGEPAGE));
	ASSERT_EQ(0, leaf_snapshot(self, at, 512));
	EXPECT_PFNS(0, 512, 0);
	ASSERT_EQ(0, leaf_walk(self, at, 512, REQ_RW));
	EXPECT_PFNS(0, 512, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, 512, HUGE_ORDER);
}

static void *migrate(void *argument)
{
	struct hmm_probe_span *span = argument;

	/* HMM_PROBE_MIGRATE ignores this id, which passes the probe's fd here. */
	ioctl(span->id, HMM_PROBE_MIGRATE, span);
	return NULL;
}

TEST_F(leaf, thp_migrating)
{
	char *at = huge_page(_metadata);
	struct hmm_probe_span span = {
		.start = (uintptr_t)at, .end = (uintptr_t)at + HUGE,
		.id = self->fd, .ms = 300,
	};
	pthread_t thread;
	uint64_t map;
	int tries;

	if (!(self->info.has & HMM_PROBE_HAS_MIGRATION))
		SKIP(return, "no CONFIG_DEVICE_MIGRATION");
	/* The first walk takes the mmap lock for writing; do it before. */
	ASSERT_EQ(0, leaf_snapshot(self, at, 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, migrate, &span));
	for (tries = 0; tries < 1000 && (page_map(at) & MAP_PRESENT); tries++)
		usleep(1000);
	ASSERT_EQ(0, leaf_snapshot(self, at, 1024));
	map = page_map(at);
	EXPECT_TRUE(map & MAP_SWAPPED);
	if (map & MAP_SWAPPED) {
		EXPECT_PFNS(0, 512, 0);
		EXPECT_PFNS(512, 512, HMM_PFN_VALID | HMM_PFN_WRITE);
	}
	ASSERT_EQ(0, leaf_walk(self, at, 1024, REQ_RW));
	EXPECT_PFNS(0, 1024, HMM_PFN_VALID | HMM_PFN_WRITE);
	pthread_join(thread, NULL);
}

/* Map folios of 64 KiB by PTEs; return NULL if the kernel has none. */
static char *folios(struct __test_metadata *_metadata, size_t size)
{
	char *at = map_aligned(size, HUGE, RW, MAP_PRIVATE, -1);

	ASSERT_NE(NULL, at);
	if (large_folios_allow(64, true) || large_folios_allow(2048, false))
		return NULL;
	ASSERT_EQ(0, madvise(at, size, MADV_HUGEPAGE));
	write_pages(at, size);
	large_folios_allow(64, false);
	large_folios_allow(2048, true);
	return at;
}

/*
 * Check orders of PTE-mapped folios: the reference reports 0, and so does our core on
 * architectures without PTE batches. On the others it reports at least the folio's
 * order, and more if folios are physically contiguous.
 */
#define EXPECT_FOLIO_ORDER(first, count, order) do {			\
	for (size_t _i = (first); _i < (first) + (count); _i++) {	\
		if (variant->core == HMM_PROBE_REFERENCE ||		\
		    !(self->info.has & HMM_PROBE_HAS_PTE_BATCHES)) {	\
			ASSERT_EQ(0, hmm_pfn_order(self->hmm_pfns[_i]));	\
		} else {						\
			ASSERT_LE(order, hmm_pfn_order(self->hmm_pfns[_i]));	\
		}							\
	}								\
} while (0)

TEST_F(leaf, large_folio)
{
	char *at = folios(_metadata, 64 * PAGE);

	if (!at)
		SKIP(return, "no folios of 64 KiB");
	ASSERT_EQ(0, leaf_snapshot(self, at, 64));
	EXPECT_PFNS(0, 64, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_VALID_ORDERS(64);
	EXPECT_FOLIO_ORDER(0, 64, 4);
	ASSERT_EQ(0, leaf_walk(self, at, 64, REQ_RW));
	EXPECT_PFNS(0, 64, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_FOLIO_ORDER(0, 64, 4);
}

/* Orders include only PTEs inside the range. */
TEST_F(leaf, large_folio_partial)
{
	char *at = folios(_metadata, 64 * PAGE);
	size_t i;

	if (!at)
		SKIP(return, "no folios of 64 KiB");
	ASSERT_EQ(0, leaf_snapshot(self, at + 5 * PAGE, 40));
	EXPECT_PFNS(0, 40, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_VALID_ORDERS(40);
	EXPECT_FOLIO_ORDER(11, 16, 4);
	for (i = 0; i < 11; i++) {
		EXPECT_GT(4, hmm_pfn_order(self->hmm_pfns[i]));
	}
}

TEST_F(leaf, large_folio_mixed_ptes)
{
	char *at = folios(_metadata, 64 * PAGE);

	if (!at)
		SKIP(return, "no folios of 64 KiB");
	ASSERT_EQ(0, mprotect(at + 7 * PAGE, PAGE, PROT_READ));
	ASSERT_EQ(0, madvise(at + 20 * PAGE, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, leaf_snapshot(self, at, 64));
	EXPECT_PFNS(0, 7, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_PFNS(7, 1, HMM_PFN_VALID);
	EXPECT_PFNS(8, 12, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_PFNS(20, 1, 0);
	EXPECT_PFNS(21, 43, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_VALID_ORDERS(64);
	EXPECT_FOLIO_ORDER(32, 32, 4);
}

/* After mremap() by one page, virtual and physical alignment differ: order 0. */
TEST_F(leaf, large_folio_moved)
{
	char *at = folios(_metadata, 64 * PAGE);
	char *to = leaf_anon(128, PROT_NONE);

	if (!at)
		SKIP(return, "no folios of 64 KiB");
	ASSERT_NE(NULL, to);
	ASSERT_EQ(to + PAGE, mremap(at, 64 * PAGE, 64 * PAGE,
				    MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE));
	ASSERT_EQ(0, leaf_snapshot(self, to + PAGE, 64));
	EXPECT_PFNS(0, 64, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_VALID_ORDERS(64);
	EXPECT_ORDER(0, 64, 0);
}

static char *hugetlb(struct __test_metadata *_metadata, unsigned long size,
		     int size_flag)
{
	char *at;

	if (huge_pages_reserve(size >> 10, 1))
		return NULL;
	at = map_aligned(size, size, RW, MAP_PRIVATE | MAP_HUGETLB | size_flag,
			 -1);
	ASSERT_NE(NULL, at);
	return at;
}

#define MAP_2M (21 << MAP_HUGE_SHIFT)
#define MAP_1G (30 << MAP_HUGE_SHIFT)

TEST_F(leaf, hugetlb_2m)
{
	char *at = hugetlb(_metadata, HUGE, MAP_2M);

	if (!at)
		SKIP(return, "no huge pages of 2 MiB");
	ASSERT_EQ(0, leaf_snapshot(self, at, 512));
	for (size_t i = 0; i < 512; i++) {
		EXPECT_EQ(0, hmm_pfn_flags(self->hmm_pfns[i]));
	}
	ASSERT_EQ(0, leaf_walk(self, at, 512, REQ_RW));
	EXPECT_PFNS(0, 512, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, 512, HUGE_ORDER);
	ASSERT_EQ(0, leaf_snapshot(self, at + 3 * PAGE, 100));
	EXPECT_PFNS(0, 100, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, 100, HUGE_ORDER);
	ASSERT_EQ(0, mprotect(at, HUGE, PROT_READ));
	ASSERT_EQ(0, leaf_snapshot(self, at, 512));
	EXPECT_PFNS(0, 512, HMM_PFN_VALID);
	EXPECT_EQ(-EPERM, leaf_walk(self, at, 512, REQ_RW));
}

/* A request for a few pages faults in the whole huge page. */
TEST_F(leaf, hugetlb_partial_fault)
{
	char *at = hugetlb(_metadata, HUGE, MAP_2M);

	if (!at)
		SKIP(return, "no huge pages of 2 MiB");
	ASSERT_EQ(0, leaf_walk(self, at + 9 * PAGE, 7, REQ_FAULT));
	for (size_t i = 0; i < 7; i++) {
		EXPECT_TRUE(self->hmm_pfns[i] & HMM_PFN_VALID);
	}
	EXPECT_ORDER(0, 7, HUGE_ORDER);
	EXPECT_EQ(page_map(at) & MAP_PFN, hmm_pfn_to_pfn(self->hmm_pfns[0]) - 9);
}

TEST_F_TIMEOUT(leaf, hugetlb_1g, 120)
{
	char *at;

	if (variant->how)
		SKIP(return, "1 GiB is tested once per core");
	at = hugetlb(_metadata, GIGA, MAP_1G);
	if (!at)
		SKIP(return, "no huge pages of 1 GiB");
	at[0] = 1;
	ASSERT_EQ(0, leaf_snapshot(self, at, GIGA / PAGE));
	EXPECT_PFNS(0, GIGA / PAGE, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, GIGA / PAGE, GIGA_ORDER);
	ASSERT_EQ(0, leaf_walk(self, at + 777 * PAGE, 3, REQ_RW));
	EXPECT_PFNS(0, 3, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, 3, GIGA_ORDER);
	munmap(at, GIGA);
	setting_write("/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages",
		      "0");
}

TEST_F(leaf, file_private)
{
	int file = memory_file(8 * PAGE);
	char *at = map_aligned(8 * PAGE, HUGE, RW, MAP_PRIVATE, file);
	uint64_t pfn;

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, leaf_snapshot(self, at, 8));
	EXPECT_PFNS(0, 8, 0);
	ASSERT_EQ(0, leaf_walk(self, at, 8, REQ_FAULT));
	EXPECT_PFNS(0, 8, HMM_PFN_VALID);
	pfn = hmm_pfn_to_pfn(self->hmm_pfns[0]);
	ASSERT_EQ(0, leaf_walk(self, at, 8, REQ_RW));
	EXPECT_PFNS(0, 8, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_NE(pfn, hmm_pfn_to_pfn(self->hmm_pfns[0]));
}

TEST_F(leaf, file_shared)
{
	int file = memory_file(8 * PAGE);
	char *at = map_aligned(8 * PAGE, HUGE, RW, MAP_SHARED, file);

	ASSERT_NE(NULL, at);
	ASSERT_EQ(4, pwrite(file, "here", 4, 0));
	ASSERT_EQ(0, leaf_walk(self, at, 8, REQ_RW));
	EXPECT_PFNS(0, 8, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0, memcmp(at, "here", 4));
	ASSERT_EQ(0, ftruncate(file, 4 * PAGE));
	ASSERT_EQ(0, leaf_snapshot(self, at, 8));
	EXPECT_PFNS(0, 4, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_PFNS(4, 4, 0);
	/* Pages past the end of the file cannot be faulted in. */
	EXPECT_EQ(-EFAULT, leaf_walk(self, at, 8, REQ_FAULT));
	EXPECT_EQ(0, leaf_walk(self, at, 4, REQ_FAULT));
}

TEST_F(leaf, file_tmpfs)
{
	int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	char *at;

	if (file < 0)
		SKIP(return, "/tmp does not support O_TMPFILE");
	ASSERT_EQ(0, ftruncate(file, 8 * PAGE));
	at = map_aligned(8 * PAGE, HUGE, PROT_READ, MAP_SHARED, file);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(-EPERM, leaf_walk(self, at, 8, REQ_RW));
	ASSERT_EQ(0, leaf_walk(self, at, 8, REQ_FAULT));
	EXPECT_PFNS(0, 8, HMM_PFN_VALID);
	EXPECT_VALID_ORDERS(8);
}

/* The program's text. */
TEST_F(leaf, file_text)
{
	char *at = (char *)((uintptr_t)leaf_walk_pfns & ~(PAGE - 1));

	ASSERT_EQ(0, leaf_walk(self, at, 1, REQ_FAULT));
	EXPECT_PFNS(0, 1, HMM_PFN_VALID);
	EXPECT_EQ(-EPERM, leaf_walk(self, at, 1, REQ_RW));
}

TEST_F(leaf, file_huge)
{
	char *at;
	int file;

	if (setting_write("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
			  "advise"))
		SKIP(return, "no shmem huge pages");
	file = memory_file(HUGE);
	at = map_aligned(HUGE, HUGE, RW, MAP_SHARED, file);
	ASSERT_NE(NULL, at);
	madvise(at, HUGE, MADV_HUGEPAGE);
	write_pages(at, HUGE);
	ASSERT_EQ(0, leaf_snapshot(self, at, 512));
	EXPECT_PFNS(0, 512, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_VALID_ORDERS(512);
	if (!hmm_pfn_order(self->hmm_pfns[0]))
		SKIP(return, "the shared memory has no huge page");
	EXPECT_ORDER(0, 512, HUGE_ORDER);
}

TEST_HARNESS_MAIN
