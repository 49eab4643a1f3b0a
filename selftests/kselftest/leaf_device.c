// SPDX-License-Identifier: GPL-2.0
/*
 * Page-table leaves made by a device driver: device-private memory of the
 * walk's owner and of other devices, device-coherent memory, and
 * device-exclusive PTEs. Needs a driver with the ioctls of test_hmm.
 */
#include <sys/wait.h>

#include "leaf.h"

#include "fixture_dmirror.h"

#define N 16

/* Map pages and migrate them to device @unit; return NULL without the device. */
static char *device_pages(struct __test_metadata *_metadata, int *device,
			  int unit, size_t npages)
{
	char *at = leaf_anon(npages, RW);

	ASSERT_NE(NULL, at);
	*device = device_open(unit);
	if (*device < 0)
		return NULL;
	madvise(at, npages * PAGE, npages < 512 ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	memset(at, 0x5a, npages * PAGE);
	ASSERT_EQ(npages, device_call(*device, HMM_DMIRROR_MIGRATE_TO_DEV, at,
				      npages));
	return at;
}

/* Set dev_private_owner of the next walks to the owner of a device page. */
static void set_owner(struct _test_data_leaf *self, const void *addr)
{
	self->walk.how |= HMM_PROBE_OWNER_OF_PFN;
	self->walk.pfn = map_entry_pfn(page_map(addr));
}

#define EXPECT_DEVICE_PFNS(npages, flags) do {				\
	for (size_t _i = 0; _i < (npages); _i++) {			\
		uint64_t _map = page_map(at + _i * PAGE);		\
									\
		ASSERT_TRUE(_map & MAP_SWAPPED);			\
		ASSERT_EQ(flags, hmm_pfn_flags(self->hmm_pfns[_i]));		\
		ASSERT_EQ(map_entry_pfn(_map), hmm_pfn_to_pfn(self->hmm_pfns[_i])); \
	}								\
} while (0)

TEST_F(leaf, private_own)
{
	int device;
	char *at = device_pages(_metadata, &device, 0, N);

	if (!at)
		SKIP(return, "no device");
	set_owner(self, at);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_DEVICE_PFNS(N, HMM_PFN_VALID | HMM_PFN_WRITE);
	/* A request does not migrate the owner's pages to system memory. */
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_DEVICE_PFNS(N, HMM_PFN_VALID | HMM_PFN_WRITE);
}

/*
 * In a driver's PTE format, device-private pages have a flag. A request with
 * that flag migrates them to system memory.
 */
static void private_formatted(struct __test_metadata *_metadata,
			      struct _test_data_leaf *self, size_t npages)
{
	const struct hmm_probe_format *format = &leaf_format;
	uint64_t flags = format->valid | format->write;
	int device;
	char *at = device_pages(_metadata, &device, 0, npages);

	if (!at)
		SKIP(return, "no device");
	if (self->walk.core != HMM_PROBE_CORE)
		SKIP(return, "entries are ours alone");
	set_owner(self, at);
	ASSERT_EQ(0, leaf_walk_format(self, at, npages, flags));
	for (size_t i = 0; i < npages; i++) {
		ASSERT_EQ(map_entry_pfn(page_map(at + i * PAGE)) << 13 |
			  flags | format->device_private, self->hmm_pfns[i]);
	}
	ASSERT_EQ(0, leaf_walk_format(self, at, npages,
				      flags | format->device_private));
	for (size_t i = 0; i < npages; i++) {
		ASSERT_EQ((page_map(at + i * PAGE) & MAP_PFN) << 13 | flags,
			  self->hmm_pfns[i]);
	}
	EXPECT_EQ(0x5a, at[PAGE]);
}

TEST_F(leaf, private_own_formatted)
{
	private_formatted(_metadata, self, N);
}

TEST_F(leaf, private_own_formatted_huge)
{
	private_formatted(_metadata, self, 512);
}

TEST_F(leaf, private_own_readonly)
{
	int device;
	char *at = device_pages(_metadata, &device, 0, N);

	if (!at)
		SKIP(return, "no device");
	set_owner(self, at);
	ASSERT_EQ(0, mprotect(at, N * PAGE, PROT_READ));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_DEVICE_PFNS(N, HMM_PFN_VALID);
}

/*
 * Request write access to the owner's device-private pages that a child shares:
 * this needs a copy-on-write fault. The reference reports them read-only without
 * an error, so that a device that must write faults forever.
 */
static void private_shared(struct __test_metadata *_metadata,
			   struct _test_data_leaf *self,
			   const struct _fixture_variant_leaf *variant, size_t npages)
{
	int device, held[2];
	char *at = device_pages(_metadata, &device, 0, npages), byte;
	pid_t child;

	if (!at)
		SKIP(return, "no device");
	if (variant->core != HMM_PROBE_CORE)
		SKIP(return, "the reference does not fault them");
	set_owner(self, at);
	ASSERT_EQ(0, pipe(held));
	child = fork();
	if (!child) {
		close(held[1]);
		_exit(read(held[0], &byte, 1) ? 1 : at[PAGE] != 0x5a);
	}
	close(held[0]);
	ASSERT_EQ(0, leaf_snapshot(self, at, npages));
	EXPECT_DEVICE_PFNS(npages, HMM_PFN_VALID);
	ASSERT_EQ(0, leaf_walk(self, at, npages, REQ_RW));
	EXPECT_PFNS(0, npages, HMM_PFN_VALID | HMM_PFN_WRITE);
	at[PAGE] = 1;
	close(held[1]);
	ASSERT_EQ(child, waitpid(child, &device, 0));
	EXPECT_EQ(0, device);
}

TEST_F(leaf, private_own_shared)
{
	private_shared(_metadata, self, variant, N);
}

TEST_F(leaf, private_own_shared_huge)
{
	private_shared(_metadata, self, variant, 512);
}

TEST_F(leaf, private_own_write_denied)
{
	int device;
	char *at = device_pages(_metadata, &device, 0, N);

	if (!at)
		SKIP(return, "no device");
	if (variant->core != HMM_PROBE_CORE)
		SKIP(return, "the reference reports success");
	set_owner(self, at);
	ASSERT_EQ(0, mprotect(at, N * PAGE, PROT_READ));
	EXPECT_EQ(-EPERM, leaf_walk(self, at, N, REQ_RW));
	EXPECT_TRUE(page_map(at) & MAP_SWAPPED);
	/* The VMA is writable again; the PTEs are not. */
	ASSERT_EQ(0, mprotect(at, N * PAGE, RW));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	for (size_t i = 0; i < N; i++) {
		EXPECT_EQ(HMM_PFN_VALID | HMM_PFN_WRITE, hmm_pfn_flags(self->hmm_pfns[i]));
	}
	EXPECT_EQ(0x5a, at[PAGE]);
}

/* A fault on an absent page must not migrate its neighbours. */
TEST_F(leaf, private_own_beside_absent)
{
	int device;
	char *at = device_pages(_metadata, &device, 0, N);

	if (!at)
		SKIP(return, "no device");
	if (variant->core != HMM_PROBE_CORE)
		SKIP(return, "the reference faults them all");
	set_owner(self, at + PAGE);
	ASSERT_EQ(0, madvise(at, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(at + 5 * PAGE, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	for (size_t i = 0; i < N; i++) {
		EXPECT_EQ(HMM_PFN_VALID | HMM_PFN_WRITE, hmm_pfn_flags(self->hmm_pfns[i]));
		EXPECT_EQ(i % 5 != 0 || i > 5, !!(page_map(at + i * PAGE) & MAP_SWAPPED));
	}
}

TEST_F(leaf, private_without_owner)
{
	int device;
	char *at = device_pages(_metadata, &device, 0, N);

	if (!at)
		SKIP(return, "no device");
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, 0);
	EXPECT_TRUE(page_map(at) & MAP_SWAPPED);
	/* A request migrates it to system memory. */
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0x5a, at[PAGE]);
}

TEST_F(leaf, private_of_other_device)
{
	int device, other;
	char *at = device_pages(_metadata, &device, 0, N);
	char *mine = at ? device_pages(_metadata, &other, 1, 1) : NULL;

	if (!mine)
		SKIP(return, "no two devices");
	set_owner(self, mine);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, 0);
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0x5a, at[0]);
}

/* Device-private, present and absent pages in one range. */
TEST_F(leaf, private_mixed)
{
	int device;
	char *at = device_pages(_metadata, &device, 0, N);

	if (!at)
		SKIP(return, "no device");
	read_pages(at + 4 * PAGE, 4 * PAGE);
	ASSERT_EQ(0, madvise(at + 12 * PAGE, 2 * PAGE, MADV_DONTNEED));
	set_owner(self, at);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_DEVICE_PFNS(4, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_PFNS(4, 4, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(HMM_PFN_VALID | HMM_PFN_WRITE, hmm_pfn_flags(self->hmm_pfns[8]));
	EXPECT_PFNS(12, 2, 0);
	EXPECT_VALID_ORDERS(N);
}

TEST_F(leaf, private_huge)
{
	int device;
	char *at = device_pages(_metadata, &device, 0, 512);

	if (!at)
		SKIP(return, "no device");
	set_owner(self, at);
	ASSERT_EQ(0, leaf_snapshot(self, at, 512));
	if (!hmm_pfn_order(self->hmm_pfns[0]))
		SKIP(return, "the device split the huge page");
	EXPECT_DEVICE_PFNS(512, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, 512, HUGE_ORDER);
	/* A range that begins inside the PMD. */
	ASSERT_EQ(0, leaf_snapshot(self, at + 7 * PAGE, 9));
	/* The reference reports the PMD's first pfn. */
	if (variant->core == HMM_PROBE_CORE) {
		EXPECT_EQ(map_entry_pfn(page_map(at + 7 * PAGE)),
			  hmm_pfn_to_pfn(self->hmm_pfns[0]));
	}
	EXPECT_ORDER(0, 9, HUGE_ORDER);
	/* Walks without that owner get an error for the PMD. */
	self->walk.how &= ~HMM_PROBE_OWNER_OF_PFN;
	ASSERT_EQ(0, leaf_snapshot(self, at, 512));
	EXPECT_PFNS(0, 512, HMM_PFN_ERROR);
	ASSERT_EQ(0, leaf_walk(self, at, 512, REQ_RW));
	EXPECT_PFNS(0, 512, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0x5a, at[PAGE]);
}

TEST_F(leaf, coherent)
{
	int device;
	char *at = device_pages(_metadata, &device, 2, N);

	if (!at)
		SKIP(return, "no coherent device");
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
}

TEST_F(leaf, exclusive)
{
	char *at = leaf_anon(N, RW);
	int device = device_open(0);

	ASSERT_NE(NULL, at);
	if (device < 0)
		SKIP(return, "no device");
	madvise(at, N * PAGE, MADV_NOHUGEPAGE);
	memset(at, 0x5a, N * PAGE);
	ASSERT_LE(0, device_call(device, HMM_DMIRROR_EXCLUSIVE, at, N));
	EXPECT_TRUE(page_map(at) & MAP_SWAPPED);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, 0);
	/* A request ends the exclusive access. */
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0x5a, at[PAGE]);
}

TEST_HARNESS_MAIN
