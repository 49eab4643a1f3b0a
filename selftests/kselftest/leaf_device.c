// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves that only a device makes: its private memory, the caller's own and
 * others', coherent memory, and pages it has to itself. The device is any
 * driver with the ioctls of the kernel's test_hmm that can migrate.
 */
#include <sys/wait.h>

#include "leaf.h"

#include "fixture_dmirror.h"

#define N 16

/* Pages that now are in the memory of device @unit; NULL when it has none. */
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

/* From here on, device-private pages of this one's owner are the walk's own. */
static void owner_of(struct _test_data_leaf *self, const void *addr)
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
	owner_of(self, at);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_DEVICE_PFNS(N, HMM_PFN_VALID | HMM_PFN_WRITE);
	/* It is where it should be: nobody brings it home. */
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_DEVICE_PFNS(N, HMM_PFN_VALID | HMM_PFN_WRITE);
}

/* In a driver's own entries it has a flag, and can be asked to come home. */
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
	owner_of(self, at);
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
	owner_of(self, at);
	ASSERT_EQ(0, mprotect(at, N * PAGE, PROT_READ));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_DEVICE_PFNS(N, HMM_PFN_VALID);
}

/*
 * Pages of the device's own that a child shares: to write there needs a copy, as
 * anywhere. The reference reports them as they are, and a device that must write
 * faults again and again.
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
	owner_of(self, at);
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

TEST_F(leaf, private_own_not_to_be_written)
{
	int device;
	char *at = device_pages(_metadata, &device, 0, N);

	if (!at)
		SKIP(return, "no device");
	if (variant->core != HMM_PROBE_CORE)
		SKIP(return, "the reference reports success");
	owner_of(self, at);
	ASSERT_EQ(0, mprotect(at, N * PAGE, PROT_READ));
	EXPECT_EQ(-EPERM, leaf_walk(self, at, N, REQ_RW));
	EXPECT_TRUE(page_map(at) & MAP_SWAPPED);
	/* Writable again, but not by its entries yet. */
	ASSERT_EQ(0, mprotect(at, N * PAGE, RW));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	for (size_t i = 0; i < N; i++) {
		EXPECT_EQ(HMM_PFN_VALID | HMM_PFN_WRITE, hmm_pfn_flags(self->hmm_pfns[i]));
	}
	EXPECT_EQ(0x5a, at[PAGE]);
}

/* A page that is absent does not bring those beside it home. */
TEST_F(leaf, private_own_beside_absent)
{
	int device;
	char *at = device_pages(_metadata, &device, 0, N);

	if (!at)
		SKIP(return, "no device");
	if (variant->core != HMM_PROBE_CORE)
		SKIP(return, "the reference faults them all");
	owner_of(self, at + PAGE);
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
	/* Asked for, it comes home. */
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0x5a, at[PAGE]);
}

TEST_F(leaf, private_of_another)
{
	int device, other;
	char *at = device_pages(_metadata, &device, 0, N);
	char *mine = at ? device_pages(_metadata, &other, 1, 1) : NULL;

	if (!mine)
		SKIP(return, "no two devices");
	owner_of(self, mine);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, 0);
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0x5a, at[0]);
}

/* Some here, some there, some nowhere. */
TEST_F(leaf, private_mixed)
{
	int device;
	char *at = device_pages(_metadata, &device, 0, N);

	if (!at)
		SKIP(return, "no device");
	read_pages(at + 4 * PAGE, 4 * PAGE);
	ASSERT_EQ(0, madvise(at + 12 * PAGE, 2 * PAGE, MADV_DONTNEED));
	owner_of(self, at);
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
	owner_of(self, at);
	ASSERT_EQ(0, leaf_snapshot(self, at, 512));
	if (!hmm_pfn_order(self->hmm_pfns[0]))
		SKIP(return, "the device has it in small pages");
	EXPECT_DEVICE_PFNS(512, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_ORDER(0, 512, HUGE_ORDER);
	/* In the midst of it, too. */
	ASSERT_EQ(0, leaf_snapshot(self, at + 7 * PAGE, 9));
	/* The reference gives the first page's pfn wherever the range begins. */
	if (variant->core == HMM_PROBE_CORE) {
		EXPECT_EQ(map_entry_pfn(page_map(at + 7 * PAGE)),
			  hmm_pfn_to_pfn(self->hmm_pfns[0]));
	}
	EXPECT_ORDER(0, 9, HUGE_ORDER);
	/* Others are told of nothing there, and that as an error. */
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
	/* Asked for, it is the CPU's again. */
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0x5a, at[PAGE]);
}

TEST_HARNESS_MAIN
