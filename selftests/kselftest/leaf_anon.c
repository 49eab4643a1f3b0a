// SPDX-License-Identifier: GPL-2.0
/*
 * Page-table leaves of 4 KiB: anonymous memory, holes, non-present and special
 * PTEs.
 */
#include "leaf.h"

#define N 16

/* Map anonymous memory without large folios. */
static char *small_pages(size_t npages, int prot)
{
	char *at = leaf_anon(npages, prot);

	if (at)
		madvise(at, npages * PAGE, MADV_NOHUGEPAGE);
	return at;
}

TEST_F(leaf, hole)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	munmap(at, N * PAGE);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, HMM_PFN_ERROR);
	EXPECT_EQ(-EFAULT, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_EQ(-EFAULT, leaf_walk(self, at, N, REQ_RW));
}

/* No page tables at any level below the PGD. */
TEST_F(leaf, hole_large)
{
	char *at = map_aligned(GIGA + HUGE, GIGA, RW,
			       MAP_PRIVATE | MAP_NORESERVE, -1);
	size_t npages = GIGA / PAGE + 512;

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, leaf_snapshot(self, at, npages));
	EXPECT_PFNS(0, npages, 0);
	munmap(at, GIGA + HUGE);
	ASSERT_EQ(0, leaf_snapshot(self, at, npages));
	EXPECT_PFNS(0, npages, HMM_PFN_ERROR);
}

TEST_F(leaf, absent)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, 0);
	EXPECT_EQ(0, page_map(at));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_PFNS(0, N, HMM_PFN_VALID);
	EXPECT_ORDER(0, N, 0);
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
}

TEST_F(leaf, absent_write)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0, at[0]);
}

TEST_F(leaf, anon_writable)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	write_pages(at, N * PAGE);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
}

TEST_F(leaf, anon_readonly)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	write_pages(at, N * PAGE);
	ASSERT_EQ(0, mprotect(at, N * PAGE, PROT_READ));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_PFNS(0, N, HMM_PFN_VALID);
	EXPECT_EQ(-EPERM, leaf_walk(self, at, N, REQ_RW));
	/* Restoring PROT_WRITE does not make the PTEs writable; a fault does. */
	ASSERT_EQ(0, mprotect(at, N * PAGE, RW));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
}

TEST_F(leaf, readonly_absent)
{
	char *at = small_pages(N, PROT_READ);

	ASSERT_NE(NULL, at);
	EXPECT_EQ(-EPERM, leaf_walk(self, at, N, REQ_RW));
	EXPECT_EQ(0, page_map(at));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_PFNS(0, N, HMM_PFN_VALID);
}

TEST_F(leaf, zero_page)
{
	char *at = small_pages(N, RW);
	uint64_t zero;

	ASSERT_NE(NULL, at);
	read_pages(at, N * PAGE);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, HMM_PFN_VALID);
	zero = hmm_pfn_to_pfn(self->hmm_pfns[0]);
	EXPECT_EQ(zero, hmm_pfn_to_pfn(self->hmm_pfns[N - 1]));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_NE(zero, hmm_pfn_to_pfn(self->hmm_pfns[0]));
	EXPECT_NE(hmm_pfn_to_pfn(self->hmm_pfns[0]), hmm_pfn_to_pfn(self->hmm_pfns[1]));
}

/* Fault pages in out of order, so that virtual and physical order differ. */
TEST_F(leaf, shuffled)
{
	char *at = small_pages(N, RW);
	size_t i;

	ASSERT_NE(NULL, at);
	for (i = 0; i < N; i++)
		at[(i * 7 + 3) % N * PAGE] = 1;
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_VALID_ORDERS(N);
}

TEST_F(leaf, mixed_neighbours)
{
	char *at = small_pages(N, RW);
	size_t i;

	ASSERT_NE(NULL, at);
	for (i = 0; i < N; i += 4) {
		at[i * PAGE] = 1;
		read_pages(at + (i + 1) * PAGE, PAGE);
	}
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	for (i = 0; i < N; i += 4) {
		EXPECT_PFNS(i, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
		EXPECT_PFNS(i + 1, 1, HMM_PFN_VALID);
		EXPECT_PFNS(i + 2, 2, 0);
	}
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
}

TEST_F(leaf, after_fork)
{
	char *at = small_pages(N, RW);
	int hold[2];
	pid_t child;
	uint64_t shared_pfn;
	char byte;

	ASSERT_NE(NULL, at);
	write_pages(at, N * PAGE);
	ASSERT_EQ(0, pipe(hold));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(hold[1]);
		_exit(read(hold[0], &byte, 1));
	}
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_PFNS(0, N, HMM_PFN_VALID);
	shared_pfn = hmm_pfn_to_pfn(self->hmm_pfns[0]);
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_NE(shared_pfn, hmm_pfn_to_pfn(self->hmm_pfns[0]));
	EXPECT_EQ(1, at[0]);
	close(hold[1]);
	waitpid(child, NULL, 0);
}

TEST_F(leaf, prot_none)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	write_pages(at, N * PAGE);
	ASSERT_EQ(0, mprotect(at, N * PAGE, PROT_NONE));
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, HMM_PFN_ERROR);
	EXPECT_EQ(-EFAULT, leaf_walk(self, at, N, REQ_FAULT));
	ASSERT_EQ(0, mprotect(at, N * PAGE, RW));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
}

/* Walk several VMAs and a hole between them in one range. */
TEST_F(leaf, many_vmas)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	write_pages(at, N * PAGE);
	ASSERT_EQ(0, munmap(at + 4 * PAGE, 4 * PAGE));
	ASSERT_EQ(0, mprotect(at + 8 * PAGE, 4 * PAGE, PROT_READ));
	ASSERT_EQ(0, madvise(at + 12 * PAGE, 2 * PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, 4, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_PFNS(4, 4, HMM_PFN_ERROR);
	EXPECT_PFNS(8, 4, HMM_PFN_VALID);
	EXPECT_PFNS(12, 2, 0);
	EXPECT_PFNS(14, 2, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(-EFAULT, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_EQ(0, leaf_walk(self, at, 4, REQ_RW));
	EXPECT_EQ(-EPERM, leaf_walk(self, at + 8 * PAGE, 8, REQ_RW));
	EXPECT_EQ(0, leaf_walk(self, at + 8 * PAGE, 8, REQ_FAULT));
	EXPECT_PFNS(0, 4, HMM_PFN_VALID);
	EXPECT_PFNS(6, 2, HMM_PFN_VALID | HMM_PFN_WRITE);
}

TEST_F(leaf, swapped_out)
{
	char *at = small_pages(N, RW);
	int ret;

	ASSERT_NE(NULL, at);
	ret = swap_ready();
	if (ret)
		SKIP(return, "no swap space: %s", strerror(-ret));
	memset(at, 0x5a, N * PAGE);
	ASSERT_EQ(0, madvise(at, N * PAGE, MADV_PAGEOUT));
	if (!(page_map(at) & MAP_SWAPPED))
		SKIP(return, "the page was not swapped out");
	ASSERT_EQ(0, leaf_snapshot(self, at, 1));
	EXPECT_PFNS(0, 1, 0);
	EXPECT_TRUE(page_map(at) & MAP_SWAPPED);
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_FAULT));
	for (ret = 0; ret < N; ret++) {
		EXPECT_TRUE(self->hmm_pfns[ret] & HMM_PFN_VALID);
	}
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0x5a, at[PAGE]);
}

/* Snapshot of a PTE that cannot be faulted in; the reference reports nothing. */
static uint64_t unfaultable(const struct _fixture_variant_leaf *variant)
{
	return variant->core == HMM_PROBE_REFERENCE ? 0 : HMM_PFN_ERROR;
}

TEST_F(leaf, hwpoison)
{
	char *at = small_pages(N, RW);
	int ret;

	ASSERT_NE(NULL, at);
	write_pages(at, N * PAGE);
	ret = page_poison(at + PAGE);
	if (ret)
		SKIP(return, "MADV_HWPOISON: %s", strerror(-ret));
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_PFNS(1, 1, unfaultable(variant));
	EXPECT_PFNS(2, N - 2, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(-EFAULT, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_EQ(0, leaf_walk(self, at + 2 * PAGE, N - 2, REQ_RW));
}

TEST_F(leaf, guard_marker)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	write_pages(at, N * PAGE);
	if (madvise(at + PAGE, PAGE, MADV_GUARD_INSTALL))
		SKIP(return, "MADV_GUARD_INSTALL: %s", strerror(errno));
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_PFNS(1, 1, unfaultable(variant));
	EXPECT_PFNS(2, N - 2, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(-EFAULT, leaf_walk(self, at, N, REQ_FAULT));
	ASSERT_EQ(0, madvise(at + PAGE, PAGE, MADV_GUARD_REMOVE));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
}

struct migration {
	int fd;
	struct hmm_probe_span span;
	int error;
};

static void *migrate(void *argument)
{
	struct migration *migration = argument;

	if (ioctl(migration->fd, HMM_PROBE_MIGRATE, &migration->span))
		migration->error = -errno;
	return NULL;
}

typedef FIXTURE_DATA(leaf) leaf_data;

/*
 * Walk while a migration holds its entries for that long. *@entry is the entry that
 * was there after the walk: a slow kernel may need longer to get there.
 */
static void walk_while_migrating(struct __test_metadata *_metadata, leaf_data *self,
				 char *at, unsigned int ms, uint64_t *entry)
{
	struct migration migration = {
		.fd = self->fd,
		.span = { .start = (uintptr_t)at, .end = (uintptr_t)at + N * PAGE, .ms = ms },
	};
	uint64_t pfn = page_map(at) & MAP_PFN;
	pthread_t thread;
	size_t tries;

	ASSERT_EQ(0, pthread_create(&thread, NULL, migrate, &migration));
	for (tries = 0; tries < 1000 && (page_map(at) & MAP_PRESENT); tries++)
		usleep(1000);
	/* A migration entry is reported as not present, without an error. */
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	*entry = page_map(at);
	if (*entry & MAP_SWAPPED) {
		EXPECT_EQ(pfn, map_entry_pfn(*entry));
		EXPECT_PFNS(0, N, 0);
	}
	/* A request waits for the migration to end. */
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(pfn, hmm_pfn_to_pfn(self->hmm_pfns[0]));
	pthread_join(thread, NULL);
	ASSERT_EQ(0, migration.error);
	EXPECT_EQ(N, migration.span.pages);
}

TEST_F(leaf, migrating)
{
	char *at = small_pages(N, RW);
	uint64_t entry = 0;
	unsigned int ms;

	if (!(self->info.has & HMM_PROBE_HAS_MIGRATION))
		SKIP(return, "no CONFIG_DEVICE_MIGRATION");
	ASSERT_NE(NULL, at);
	write_pages(at, N * PAGE);
	/* The first walk takes the mmap lock for writing; do it before. */
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	for (ms = 300; ms <= 4800 && !(entry & MAP_SWAPPED); ms *= 4)
		walk_while_migrating(_metadata, self, at, ms, &entry);
	EXPECT_TRUE(entry & MAP_SWAPPED);
}

TEST_F(leaf, pfnmap)
{
	char *at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, self->fd,
			HMM_PROBE_MAP_PFNMAP * PAGE);

	ASSERT_NE(MAP_FAILED, at);
	ASSERT_EQ(0, leaf_snapshot(self, at, 2));
	EXPECT_PFNS(0, 2, HMM_PFN_ERROR);
	EXPECT_EQ(-EFAULT, leaf_walk(self, at, 2, REQ_FAULT));
}

/* A VMA with one normal page, then special PTEs. */
TEST_F(leaf, special)
{
	char *at = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, self->fd,
			HMM_PROBE_MAP_MIXED * PAGE);

	ASSERT_NE(MAP_FAILED, at);
	read_pages(at, 2 * PAGE);
	ASSERT_EQ(0, leaf_snapshot(self, at, 3));
	EXPECT_TRUE(self->hmm_pfns[0] & HMM_PFN_VALID);
	EXPECT_EQ(page_map(at) & MAP_PFN, hmm_pfn_to_pfn(self->hmm_pfns[0]));
	EXPECT_PFNS(1, 1, HMM_PFN_ERROR);
	EXPECT_PFNS(2, 1, 0);
	EXPECT_EQ(0, leaf_walk(self, at, 1, REQ_FAULT));
	EXPECT_EQ(-EFAULT, leaf_walk(self, at, 2, REQ_FAULT));
	EXPECT_EQ(-EFAULT, leaf_walk(self, at + 2 * PAGE, 1, REQ_FAULT));
}

/* The same VMA with the output in a driver's PTE format. */
TEST_F(leaf, special_formatted)
{
	char *at = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, self->fd,
			HMM_PROBE_MAP_MIXED * PAGE);

	if (variant->core != HMM_PROBE_CORE)
		SKIP(return, "only our core writes formats");
	ASSERT_NE(MAP_FAILED, at);
	read_pages(at, 2 * PAGE);
	ASSERT_EQ(0, leaf_walk_format(self, at, 3, 0));
	EXPECT_EQ((page_map(at) & MAP_PFN) << leaf_format.pfn_shift |
		  leaf_format.valid | leaf_format.write,
		  self->hmm_pfns[0] | leaf_format.write);
	EXPECT_EQ(leaf_format.special, self->hmm_pfns[1]);
	EXPECT_EQ(leaf_format.none, self->hmm_pfns[2]);
	ASSERT_EQ(0, mprotect(at, 3 * PAGE, PROT_NONE));
	ASSERT_EQ(0, leaf_walk_format(self, at, 3, 0));
	EXPECT_EQ(leaf_format.error, self->hmm_pfns[1]);
	EXPECT_EQ(-EFAULT, leaf_walk_format(self, at, 3, leaf_format.valid));
}

TEST_F(leaf, pfnmap_formatted)
{
	char *at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, self->fd,
			HMM_PROBE_MAP_PFNMAP * PAGE);

	if (variant->core != HMM_PROBE_CORE)
		SKIP(return, "only our core writes formats");
	ASSERT_NE(MAP_FAILED, at);
	ASSERT_EQ(0, leaf_walk_format(self, at, 2, 0));
	EXPECT_EQ(leaf_format.special, self->hmm_pfns[0]);
	EXPECT_EQ(leaf_format.special, self->hmm_pfns[1]);
}

TEST_HARNESS_MAIN
