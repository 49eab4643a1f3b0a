// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of hmm_range_fault(): default flags, masks, per-page requests, input
 * flags that survive (HMM_PFN_INOUT_FLAGS), and faults that wait for user space.
 */

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

/* Make the pages at @at absent, zero page, writable, absent. */
static void four_kinds(char *at)
{
	madvise(at, 4 * PAGE, MADV_DONTNEED);
	read_pages(at + PAGE, PAGE);
	at[2 * PAGE] = 1;
}

/* Whether an input hmm pfn, the default flags and the mask request @access. */
static bool requests(uint64_t hmm_pfn, uint64_t flags, uint64_t mask, uint64_t access)
{
	uint64_t request = (hmm_pfn & mask) | flags;

	return (request & REQ_FAULT) && (request & access) == access;
}

/* Every combination of default flags, mask and per-page request. */
TEST_F(leaf, defaults_and_masks)
{
	static const uint64_t inputs[] = { 0, REQ_FAULT, REQ_WRITE, REQ_RW };
	uint64_t hmm_pfn, flags, mask, request;
	char *at = small_pages(4, RW);
	size_t combination, i;

	ASSERT_NE(NULL, at);
	for (combination = 0; combination < 64; combination++) {
		hmm_pfn = inputs[combination % 4];
		flags = inputs[combination / 4 % 4];
		mask = inputs[combination / 16];
		four_kinds(at);
		for (i = 0; i < 4; i++)
			self->hmm_pfns[i] = hmm_pfn;
		ASSERT_EQ(0, leaf_walk_pfns(self, at, 4, flags, mask));
		request = (hmm_pfn & mask) | flags;
		if (!(request & REQ_FAULT)) {
			EXPECT_PFNS(0, 1, 0);
			EXPECT_PFNS(1, 1, HMM_PFN_VALID);
			EXPECT_PFNS(2, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
			EXPECT_PFNS(3, 1, 0);
		} else if (request & REQ_WRITE) {
			EXPECT_PFNS(0, 4, HMM_PFN_VALID | HMM_PFN_WRITE);
		} else {
			EXPECT_PFNS(0, 2, HMM_PFN_VALID);
			EXPECT_PFNS(2, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
			EXPECT_PFNS(3, 1, HMM_PFN_VALID);
		}
	}
}

/* Different requests per page; pages without one may be faulted in or not. */
TEST_F(leaf, page_by_page)
{
	static const uint64_t inputs[] = { 0, REQ_FAULT, REQ_WRITE, REQ_RW };
	char *at = small_pages(N, RW);
	uint64_t input[N];
	size_t i, round;

	ASSERT_NE(NULL, at);
	for (round = 0; round < 32; round++) {
		madvise(at, N * PAGE, MADV_DONTNEED);
		for (i = 0; i < N; i++) {
			input[i] = inputs[(round * 5 + i * (round % 7 + 1)) / 2 % 4];
			self->hmm_pfns[i] = input[i];
		}
		ASSERT_EQ(0, leaf_walk_pfns(self, at, N, 0, ~0ULL));
		for (i = 0; i < N; i++) {
			if (requests(input[i], 0, ~0ULL, REQ_RW)) {
				EXPECT_PFNS(i, 1, HMM_PFN_VALID | HMM_PFN_WRITE);
			} else if (requests(input[i], 0, ~0ULL, REQ_FAULT)) {
				EXPECT_TRUE(self->hmm_pfns[i] & HMM_PFN_VALID);
			} else {
				EXPECT_EQ(0, self->hmm_pfns[i] & HMM_PFN_ERROR);
			}
		}
	}
}

/* Request one page of many: a page that cannot be read must not fail the walk. */
TEST_F(leaf, one_page_requested)
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

TEST_F(leaf, inout_flags)
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
	/* Only the input/output flags survive, for each kind of leaf. */
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

/* Input/output flags where one leaf fills many hmm pfns. */
TEST_F(leaf, inout_flags_huge)
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
		/* The walk cannot drop the caller's mmap lock to wait for user space. */
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
 * struct server - a thread that resolves faults, after a change of the mapping
 * @uffd: the userfaultfd
 * @page: the page to unmap or drop before the first fault is resolved
 */
struct server {
	int uffd;
	char *page;
};

static void *unmap_and_serve(void *argument)
{
	struct server *server = argument;

	uffd_wait(server->uffd);
	munmap(server->page, PAGE);
	return uffd_serve(&server->uffd);
}

/*
 * When an unlocked walk restarts, the array has output of the first try, which
 * must not be read as requests: no request covers the page unmapped meanwhile.
 */
TEST_F(leaf, requests_after_restart)
{
	char *at = small_pages(N, RW);
	struct server server = { .page = at };
	pthread_t thread;

	if (!variant->how || variant->core != HMM_PROBE_CORE)
		SKIP(return, "needs our unlocked walk: the reference reads output as requests");
	ASSERT_NE(NULL, at);
	server.uffd = uffd_open(0);
	if (server.uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-server.uffd));
	write_pages(at, PAGE);
	ASSERT_EQ(0, uffd_register(server.uffd, at + PAGE, (N - 1) * PAGE,
				   UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unmap_and_serve, &server));
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
	struct server *server = argument;

	uffd_wait(server->uffd);
	madvise(server->page, PAGE, MADV_DONTNEED);
	return uffd_serve(&server->uffd);
}

/*
 * While an unlocked walk waits for a page, an invalidation clears DMA_MAPPED of
 * another page. The restarted walk must not set the flag again.
 */
TEST_F(leaf, dma_unmapped_before_restart)
{
	char *at = small_pages(N, RW);
	struct server server = { .page = at };
	pthread_t thread;

	if (!variant->how)
		SKIP(return, "needs an unlocked walk");
	ASSERT_NE(NULL, at);
	server.uffd = uffd_open(0);
	if (server.uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-server.uffd));
	write_pages(at, 2 * PAGE);
	ASSERT_EQ(0, uffd_register(server.uffd, at + 2 * PAGE, (N - 2) * PAGE,
				   UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, pthread_create(&thread, NULL, drop_and_serve, &server));
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

/* A marker PTE for a page that was never present. */
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

/* Kill a process whose walk waits for a page that user space never provides. */
TEST_F(leaf, fatal_signal)
{
	struct timespec start, end;
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
	/* If the child exited, its status has the reason. */
	wait_blocked(child);
	clock_gettime(CLOCK_MONOTONIC, &start);
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP(return, "no userfaultfd");
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_LT(end.tv_sec - start.tv_sec, 5);
	EXPECT_EQ(-EINTR, last_error(self->fd, &walks));
	EXPECT_EQ(1, walks);
}

/* The probe's ioctl must reject invalid arguments before the core runs. */
TEST_F(leaf, bad_requests)
{
	char *at = small_pages(N, RW);

	ASSERT_NE(NULL, at);
	EXPECT_EQ(-EINVAL - 1000000, leaf_walk(self, at + 1, 1, 0));
	EXPECT_EQ(-EINVAL - 1000000, leaf_walk_pfns(self, at, 0, 0, 0));
	EXPECT_EQ(-EINVAL - 1000000, leaf_walk(self, (void *)(-1UL * PAGE), 1, 0));
	self->walk.hmm_pfns = 8;
	EXPECT_EQ(-EFAULT - 1000000, leaf_walk_pfns(self, at, 1, 0, 0));
}

TEST_HARNESS_MAIN
