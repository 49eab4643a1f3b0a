// SPDX-License-Identifier: GPL-2.0
/*
 * What is asked: default flags, masks, requests page by page, sticky bits,
 * and who may be made to wait.
 */
#include <poll.h>

#include "leaf.h"

#include <signal.h>
#include <time.h>

#define N 16

static char *small_pages(size_t npages, int prot)
{
	char *at = leaf_anon(npages, prot);

	if (at)
		madvise(at, npages * PAGE, MADV_NOHUGEPAGE);
	return at;
}

/* The pages at @at: absent, zero page, writable, absent. */
static void four_kinds(char *at)
{
	madvise(at, 4 * PAGE, MADV_DONTNEED);
	read_pages(at + PAGE, PAGE);
	at[2 * PAGE] = 1;
}

static bool wants(uint64_t hmm_pfn, uint64_t flags, uint64_t mask, uint64_t what)
{
	uint64_t asked = (hmm_pfn & mask) | flags;

	return (asked & REQ_FAULT) && (asked & what) == what;
}

/* Every default, every mask, every request: what was asked for is there. */
TEST_F(leaf, defaults_and_masks)
{
	static const uint64_t asks[] = { 0, REQ_FAULT, REQ_WRITE, REQ_RW };
	uint64_t hmm_pfn, flags, mask, asked;
	char *at = small_pages(4, RW);
	size_t combination, i;

	ASSERT_NE(NULL, at);
	for (combination = 0; combination < 64; combination++) {
		hmm_pfn = asks[combination % 4];
		flags = asks[combination / 4 % 4];
		mask = asks[combination / 16];
		four_kinds(at);
		for (i = 0; i < 4; i++)
			self->hmm_pfns[i] = hmm_pfn;
		ASSERT_EQ(0, leaf_walk_pfns(self, at, 4, flags, mask));
		asked = (hmm_pfn & mask) | flags;
		if (!(asked & REQ_FAULT)) {
			EXPECT_PFNS(0, 1, 0);
			EXPECT_PFNS(1, 1, HMM_PFN_VALID);
			EXPECT_PFNS(2, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
			EXPECT_PFNS(3, 1, 0);
		} else if (asked & REQ_WRITE) {
			EXPECT_PFNS(0, 4, HMM_PFN_VALID | HMM_PFN_WRITE);
		} else {
			EXPECT_PFNS(0, 2, HMM_PFN_VALID);
			EXPECT_PFNS(2, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
			EXPECT_PFNS(3, 1, HMM_PFN_VALID);
		}
	}
}

/* Requests page by page; who did not ask may have, or may not. */
TEST_F(leaf, page_by_page)
{
	static const uint64_t asks[] = { 0, REQ_FAULT, REQ_WRITE, REQ_RW };
	char *at = small_pages(N, RW);
	uint64_t input[N];
	size_t i, round;

	ASSERT_NE(NULL, at);
	for (round = 0; round < 32; round++) {
		madvise(at, N * PAGE, MADV_DONTNEED);
		for (i = 0; i < N; i++) {
			input[i] = asks[(round * 5 + i * (round % 7 + 1)) / 2 % 4];
			self->hmm_pfns[i] = input[i];
		}
		ASSERT_EQ(0, leaf_walk_pfns(self, at, N, 0, ~0ULL));
		for (i = 0; i < N; i++) {
			if (wants(input[i], 0, ~0ULL, REQ_RW)) {
				EXPECT_PFNS(i, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
			} else if (wants(input[i], 0, ~0ULL, REQ_FAULT)) {
				EXPECT_TRUE(self->hmm_pfns[i] & HMM_PFN_VALID);
			} else {
				EXPECT_EQ(0, self->hmm_pfns[i] & HMM_PFN_ERROR);
			}
		}
	}
}

/* One page asked for among many: no other may be the reason to fail. */
TEST_F(leaf, one_page_asked)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, mprotect(at, PAGE, PROT_NONE));
	memset(self->hmm_pfns, 0, N * sizeof(*self->hmm_pfns));
	self->hmm_pfns[3] = REQ_RW;
	ASSERT_EQ(0, leaf_walk_pfns(self, at, N, 0, ~0ULL));
	EXPECT_PFNS(0, 1, HMM_PFN_ERROR);
	EXPECT_PFNS(3, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
	self->hmm_pfns[0] = REQ_FAULT;
	EXPECT_EQ(-EFAULT, leaf_walk_pfns(self, at, N, 0, ~0ULL));
}

TEST_F(leaf, sticky)
{
	static const uint64_t bits[] = {
		HMM_PFN_DMA_MAPPED, HMM_PFN_P2PDMA, HMM_PFN_P2PDMA_BUS, HMM_PFN_INOUT_FLAGS, 0,
	};
	char *at = small_pages(N, RW);
	uint64_t junk = HMM_PFN_ERROR | (5ULL << HMM_PFN_ORDER_SHIFT) | 0x1234567;
	size_t i, pass;

	ASSERT_NE(NULL, at);
	four_kinds(at);
	mprotect(at + 4 * PAGE, PAGE, PROT_NONE);
	munmap(at + 5 * PAGE, PAGE);
	/* Kept in every kind of hmm_pfn; all else that came in is gone. */
	for (pass = 0; pass < 5; pass++) {
		for (i = 0; i < 7; i++)
			self->hmm_pfns[i] = bits[(i + pass) % 5] | junk;
		ASSERT_EQ(0, leaf_walk_pfns(self, at, 7, 0, 0));
		for (i = 0; i < 7; i++) {
			EXPECT_EQ(bits[(i + pass) % 5],
				  self->hmm_pfns[i] & HMM_PFN_INOUT_FLAGS);
			self->hmm_pfns[i] &= ~HMM_PFN_INOUT_FLAGS;
		}
		EXPECT_PFNS(0, 1, 0);
		EXPECT_EQ(0, self->hmm_pfns[0]);
		EXPECT_PFNS(1, 1, HMM_PFN_VALID);
		EXPECT_PFNS(2, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
		EXPECT_PFNS(3, 1, 0);
		EXPECT_PFNS(4, 2, HMM_PFN_ERROR);
		EXPECT_EQ(HMM_PFN_ERROR, self->hmm_pfns[5]);
	}
	for (i = 0; i < 4; i++)
		self->hmm_pfns[i] = HMM_PFN_INOUT_FLAGS;
	ASSERT_EQ(0, leaf_walk_pfns(self, at, 4, REQ_RW, 0));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(HMM_PFN_INOUT_FLAGS, self->hmm_pfns[i] & HMM_PFN_INOUT_FLAGS);
		self->hmm_pfns[i] &= ~HMM_PFN_INOUT_FLAGS;
	}
	EXPECT_PFNS(0, 4, HMM_PFN_VALID | HMM_PFN_WRITE);
}

/* Sticky bits in a leaf that fills many hmm_pfns at once. */
TEST_F(leaf, sticky_huge)
{
	char *at = leaf_anon(512, RW);
	size_t i;

	ASSERT_NE(NULL, at);
	madvise(at, HUGE, MADV_HUGEPAGE);
	write_pages(at, HUGE);
	for (i = 0; i < 512; i++)
		self->hmm_pfns[i] = i % 3 ? 0 : HMM_PFN_DMA_MAPPED;
	ASSERT_EQ(0, leaf_walk_pfns(self, at, 512, 0, 0));
	for (i = 0; i < 512; i++) {
		EXPECT_EQ(i % 3 ? 0 : HMM_PFN_DMA_MAPPED,
			  self->hmm_pfns[i] & HMM_PFN_INOUT_FLAGS);
		self->hmm_pfns[i] &= ~HMM_PFN_INOUT_FLAGS;
	}
	EXPECT_PFNS(0, 512, HMM_PFN_VALID | HMM_PFN_WRITE);
}

TEST_F(leaf, uffd_missing)
{
	char *at = small_pages(N, RW);
	pthread_t thread;
	int uffd;

	ASSERT_NE(NULL, at);
	uffd = uffd_open(0);
	if (uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-uffd));
	ASSERT_EQ(0, uffd_register(uffd, at, N * PAGE,
				   UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, 0);
	if (!variant->how) {
		/* The lock is the caller's: nobody can be waited for. */
		EXPECT_EQ(-EFAULT, leaf_walk(self, at, N, REQ_FAULT));
		return;
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, uffd_serve, &uffd));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_RW));
	EXPECT_PFNS(0, N, HMM_PFN_VALID | HMM_PFN_WRITE);
	EXPECT_EQ(0x77, at[PAGE]);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

/**
 * struct spoiler - who answers a page fault, and what goes first
 * @uffd: where faults come from
 * @spoil: a page to unmap before the first answer
 */
struct spoiler {
	int uffd;
	char *spoil;
};

static void *spoil_and_serve(void *argument)
{
	struct spoiler *spoiler = argument;
	struct pollfd ready = { .fd = spoiler->uffd, .events = POLLIN };

	poll(&ready, 1, -1);
	munmap(spoiler->spoil, PAGE);
	return uffd_serve(&spoiler->uffd);
}

/*
 * An unlocked walk that begins again has written hmm_pfns; they are no requests.
 * The page that is gone by then was never asked for.
 */
TEST_F(leaf, requests_when_begun_again)
{
	char *at = small_pages(N, RW);
	struct spoiler spoiler = { .spoil = at };
	pthread_t thread;

	if (!variant->how || variant->core != HMM_PROBE_CORE)
		SKIP(return, "only for an unlocked walk of ours: the reference takes hmm_pfns for requests");
	ASSERT_NE(NULL, at);
	spoiler.uffd = uffd_open(0);
	if (spoiler.uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-spoiler.uffd));
	write_pages(at, PAGE);
	ASSERT_EQ(0, uffd_register(spoiler.uffd, at + PAGE, (N - 1) * PAGE,
				   UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, pthread_create(&thread, NULL, spoil_and_serve, &spoiler));
	self->hmm_pfns[0] = 0;
	for (size_t i = 1; i < N; i++)
		self->hmm_pfns[i] = REQ_FAULT;
	ASSERT_EQ(0, leaf_walk_pfns(self, at, N, 0, REQ_RW));
	EXPECT_PFNS(0, 1, HMM_PFN_ERROR);
	EXPECT_PFNS(1, N - 1, HMM_PFN_VALID | HMM_PFN_WRITE);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

static void *drop_and_serve(void *argument)
{
	struct spoiler *spoiler = argument;
	struct pollfd ready = { .fd = spoiler->uffd, .events = POLLIN };

	poll(&ready, 1, -1);
	madvise(spoiler->spoil, PAGE, MADV_DONTNEED);
	return uffd_serve(&spoiler->uffd);
}

/*
 * An invalidation while an unlocked walk waits for a page takes the DMA mapping
 * of another away. The walk must not bring the flag back when it begins again.
 */
TEST_F(leaf, unmapped_when_begun_again)
{
	char *at = small_pages(N, RW);
	struct spoiler spoiler = { .spoil = at };
	pthread_t thread;

	if (!variant->how)
		SKIP(return, "only for an unlocked walk");
	ASSERT_NE(NULL, at);
	spoiler.uffd = uffd_open(0);
	if (spoiler.uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-spoiler.uffd));
	write_pages(at, 2 * PAGE);
	ASSERT_EQ(0, uffd_register(spoiler.uffd, at + 2 * PAGE, (N - 2) * PAGE,
				   UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, pthread_create(&thread, NULL, drop_and_serve, &spoiler));
	for (size_t i = 0; i < N; i++)
		self->hmm_pfns[i] = REQ_FAULT;
	self->hmm_pfns[0] |= HMM_PFN_DMA_MAPPED;
	self->hmm_pfns[1] |= HMM_PFN_DMA_MAPPED;
	self->walk.how |= HMM_PROBE_DMA_UNMAP;
	ASSERT_EQ(0, leaf_walk_pfns(self, at, N, 0, REQ_RW));
	self->walk.how &= ~HMM_PROBE_DMA_UNMAP;
	EXPECT_EQ(0, self->hmm_pfns[0] & HMM_PFN_DMA_MAPPED);
	EXPECT_EQ(HMM_PFN_DMA_MAPPED, self->hmm_pfns[1] & HMM_PFN_DMA_MAPPED);
	self->hmm_pfns[1] &= ~HMM_PFN_DMA_MAPPED;
	EXPECT_PFNS(1, N - 1, HMM_PFN_VALID | HMM_PFN_WRITE);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

TEST_F(leaf, uffd_write_protected)
{
	char *at = small_pages(N, RW);
	int uffd;

	ASSERT_NE(NULL, at);
	uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	if (uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-uffd));
	write_pages(at, N * PAGE);
	ASSERT_EQ(0, uffd_register(uffd, at, N * PAGE,
				   UFFDIO_REGISTER_MODE_WP));
	ASSERT_EQ(0, uffd_protect(uffd, at, 4 * PAGE));
	ASSERT_EQ(0, leaf_walk(self, at, N, REQ_FAULT));
	EXPECT_PFNS(0, 4, HMM_PFN_VALID);
	EXPECT_PFNS(4, N - 4, HMM_PFN_VALID | HMM_PFN_WRITE);
}

/* A marker stands where there was never a page. */
TEST_F(leaf, uffd_marker)
{
	int file = memory_file(N * PAGE);
	char *at = map_aligned(N * PAGE, HUGE, RW, MAP_SHARED, file);
	int uffd;

	ASSERT_NE(NULL, at);
	uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP |
			 UFFD_FEATURE_WP_HUGETLBFS_SHMEM);
	if (uffd < 0)
		SKIP(return, "userfaultfd cannot protect shared memory");
	ASSERT_EQ(0, uffd_register(uffd, at, N * PAGE,
				   UFFDIO_REGISTER_MODE_WP));
	ASSERT_EQ(0, uffd_protect(uffd, at, 4 * PAGE));
	EXPECT_TRUE(page_map(at) & MAP_UFFD_WP);
	ASSERT_EQ(0, leaf_snapshot(self, at, N));
	EXPECT_PFNS(0, N, 0);
	ASSERT_EQ(0, leaf_walk(self, at, 4, REQ_FAULT));
	EXPECT_PFNS(0, 4, HMM_PFN_VALID);
}

static int last_error(int fd, uint64_t *walks)
{
	struct hmm_probe_info info = { 0 };

	ioctl(fd, HMM_PROBE_INFO, &info);
	*walks = info.walks;
	return info.last_error;
}

/* A page that nobody will bring, and the end of the one who waits for it. */
TEST_F(leaf, fatal_signal)
{
	struct timespec begun, ended;
	char *at = small_pages(N, RW);
	uint64_t walks = 0;
	int uffd, status;
	pid_t child;

	if (!variant->how)
		SKIP(return, "only an unlocked walk waits");
	ASSERT_NE(NULL, at);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		uffd = uffd_open(0);
		if (uffd < 0 || uffd_register(uffd, at, N * PAGE,
					      UFFDIO_REGISTER_MODE_MISSING))
			_exit(77);
		leaf_walk(self, at, N, REQ_FAULT);
		_exit(1);
	}
	/* If it has ended, its status says why. */
	wait_blocked(child);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	clock_gettime(CLOCK_MONOTONIC, &ended);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP(return, "no userfaultfd");
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_LT(ended.tv_sec - begun.tv_sec, 5);
	EXPECT_EQ(-EINTR, last_error(self->fd, &walks));
	EXPECT_EQ(1, walks);
}

/* What the probe itself must refuse, or these tests would test nothing. */
TEST_F(leaf, bad_requests)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	EXPECT_EQ(-EINVAL - 1000000, leaf_walk(self, at + 1, 1, 0));
	EXPECT_EQ(-EINVAL - 1000000, leaf_walk_pfns(self, at, 0, 0, 0));
	EXPECT_EQ(-EINVAL - 1000000,
		  leaf_walk(self, (void *)(-8UL * PAGE), 1, 0));
	self->walk.hmm_pfns = 8;
	EXPECT_EQ(-EFAULT - 1000000, leaf_walk_pfns(self, at, 1, 0, 0));
}

TEST_HARNESS_MAIN
