// SPDX-License-Identifier: GPL-2.0
/*
 * Migration of memory to a device and to system memory while it is in use, as far
 * as the kernel's hmm-tests do not cover it. The device is any driver with the
 * ioctls of the kernel's test_hmm whose memory has folios of any order.
 *
 * Each test runs with private and with coherent memory.
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "kselftest_harness.h"
#include "fixture_dmirror.h"

#define N		64UL
#define HUGE_PAGES	(HUGE / PAGE)
#define RW		(PROT_READ | PROT_WRITE)
#define KPF_MLOCKED	(1ULL << 33)

FIXTURE(migrate) {
	int device;
	int place;
	char *at;	/* HUGE bytes, aligned, small pages, not populated */
};

FIXTURE_VARIANT(migrate) {
	int unit;
	int place;
};

FIXTURE_VARIANT_ADD(migrate, private) {
	.unit = 0,
	.place = HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL,
};

FIXTURE_VARIANT_ADD(migrate, coherent) {
	.unit = 2,
	.place = HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL,
};

FIXTURE_SETUP(migrate)
{
	self->device = device_open(variant->unit);
	if (self->device < 0)
		SKIP(return, "the driver has no such unit");
	self->place = variant->place;
	/* The buffers of commands are unmapped when they are freed: tests count pages. */
	mallopt(M_MMAP_THRESHOLD, 16 * PAGE);
	self->at = map_aligned(HUGE, HUGE, RW, MAP_PRIVATE, -1);
	ASSERT_NE(NULL, self->at);
	madvise(self->at, HUGE, MADV_NOHUGEPAGE);
}

FIXTURE_TEARDOWN(migrate)
{
	munmap(self->at, HUGE);
	close(self->device);
}

typedef FIXTURE_DATA(migrate) test_data;

static int to_device(test_data *self, size_t npages)
{
	return device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, npages);
}

static int to_ram(test_data *self, size_t npages)
{
	return device_call(self->device, HMM_DMIRROR_MIGRATE_TO_SYS, self->at, npages);
}

static size_t held(test_data *self, size_t npages)
{
	return device_holds(self->device, self->at, npages, self->place);
}

static int release(test_data *self)
{
	return device_call(self->device, HMM_DMIRROR_RELEASE, self->at, 1);
}

/* Fill pages with contents computed from their number and a seed. */
static void fill(char *at, size_t npages, int seed)
{
	for (size_t i = 0; i < npages; i++)
		for (size_t j = 0; j < PAGE / sizeof(int); j += 64)
			((int *)(at + i * PAGE))[j] = seed + i * 1000 + j;
}

static size_t right(const char *at, size_t npages, int seed)
{
	for (size_t i = 0; i < npages; i++)
		for (size_t j = 0; j < PAGE / sizeof(int); j += 64)
			if (((const int *)(at + i * PAGE))[j] != (int)(seed + i * 1000 + j))
				return i;
	return npages;
}

static long folio_stat(unsigned int kb, const char *name)
{
	char path[128], value[32];

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/transparent_hugepage/hugepages-%ukB/stats/%s", kb, name);
	return setting_read(path, value, sizeof(value)) ? -1 : atol(value);
}

/*
 * Folios of each order migrate to the device and to system memory without a split:
 * as many of that size exist as before. Coherent memory has single pages only.
 */
TEST_F(migrate, orders)
{
	char *before = self->at;

	if (variant->place == HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL)
		SKIP(return, "only private memory has large folios");
	for (unsigned int kb = 16; kb <= 1024; kb *= 2) {
		size_t npages = kb * 1024 / PAGE;
		long split, folios;

		/* The mapping has the size of the folio, so that no larger one fits. */
		self->at = map_aligned(npages * PAGE, HUGE, RW, MAP_PRIVATE, -1);
		ASSERT_NE(NULL, self->at);
		ASSERT_EQ(0, large_folios_allow(kb, true));
		ASSERT_EQ(0, madvise(self->at, npages * PAGE, MADV_HUGEPAGE));
		folios = folio_stat(kb, "nr_anon");
		fill(self->at, npages, kb);
		ASSERT_EQ(0, large_folios_allow(kb, false));
		if (folio_stat(kb, "nr_anon") == folios) {
			munmap(self->at, npages * PAGE);
			self->at = before;
			SKIP(return, "cannot allocate folios of %u KiB", kb);
		}

		folios = folio_stat(kb, "nr_anon");
		split = folio_stat(kb, "split");
		ASSERT_EQ(npages, to_device(self, npages));
		EXPECT_EQ(npages, held(self, npages));
		EXPECT_EQ(folios, folio_stat(kb, "nr_anon"));
		EXPECT_EQ(npages, to_ram(self, npages));
		EXPECT_EQ(0, held(self, npages));
		EXPECT_EQ(folios, folio_stat(kb, "nr_anon"));
		EXPECT_EQ(split, folio_stat(kb, "split"));
		EXPECT_EQ(npages, right(self->at, npages, kb));
		munmap(self->at, npages * PAGE);
		self->at = before;
	}
}

struct worker {
	char *at;
	size_t npages;
	bool stop;
	unsigned long rounds;
};

/* Increment a counter on every page until the test ends. */
static void *count_up(void *arg)
{
	struct worker *w = arg;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		for (size_t i = 0; i < w->npages; i++)
			++*(volatile unsigned long *)(w->at + i * PAGE);
		__atomic_add_fetch(&w->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void wait_for_rounds(struct worker *w, unsigned long more)
{
	unsigned long rounds = __atomic_load_n(&w->rounds, __ATOMIC_RELAXED) + more;

	while (__atomic_load_n(&w->rounds, __ATOMIC_RELAXED) < rounds)
		usleep(100);
}

/* No increment is lost, in whichever direction pages migrate meanwhile. */
TEST_F(migrate, while_written_to)
{
	struct worker w = { .at = self->at, .npages = N };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, count_up, &w));
	wait_for_rounds(&w, 1);
	for (int i = 0; i < 60; i++) {
		to_device(self, N);
		if (i % 3)
			to_ram(self, N);
	}
	w.stop = true;
	pthread_join(thread, NULL);
	for (size_t i = 0; i < N; i++)
		ASSERT_EQ(w.rounds, *(unsigned long *)(self->at + i * PAGE));
}

/* The same while all of the unit's memory is evicted again and again. */
TEST_F(migrate, evicted_while_written_to)
{
	struct worker w = { .at = self->at, .npages = N };
	pthread_t thread;
	int released = 0;

	ASSERT_EQ(0, pthread_create(&thread, NULL, count_up, &w));
	wait_for_rounds(&w, 1);
	for (int i = 0; i < 20; i++) {
		to_device(self, N);
		released += !release(self);
	}
	w.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(20, released);
	for (size_t i = 0; i < N; i++)
		ASSERT_EQ(w.rounds, *(unsigned long *)(self->at + i * PAGE));
}

/* Enter a new memory cgroup without swap. Return 0 or a negative error number. */
static int enter_memcg(const char *group, const char *limit)
{
	return cgroup_make(group, limit) ?: cgroup_set(group, "memory.swap.max", "0") ?:
	       cgroup_enter(group);
}

/* Lines of a cgroup's memory.stat: what is on LRU lists, and what is mapped. */
static const char *const on_lists[] = { "inactive_anon", "active_anon", "unevictable", NULL };
static const char *const mapped[] = { "anon", NULL };

/* The sum of some lines, in pages. */
static long stat_pages(const char *group, const char *const *names)
{
	char text[8192], *line;
	long bytes = 0;

	if (cgroup_read(group, "memory.stat", text, sizeof(text)))
		return -1;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		for (size_t i = 0; names[i]; i++) {
			size_t length = strlen(names[i]);

			if (!strncmp(line, names[i], length) && line[length] == ' ')
				bytes += atol(line + length);
		}
	return bytes / (long)PAGE;
}

/* Pages of the process itself, such as its stack. */
#define OTHER_PAGES	64L

/* Wait until there are @pages: the kernel sums up what each CPU has counted every 2 s. */
static long stat_after(const char *group, const char *const *names, long pages)
{
	long now = -1;

	for (int i = 0; i < 100; i++) {
		/* Also empties the folio batches of all CPUs. */
		setting_write("/proc/sys/vm/drop_caches", "1");
		now = stat_pages(group, names);
		if (pages <= now && now <= pages + OTHER_PAGES)
			break;
		usleep(100000);
	}
	return now;
}

#define EXPECT_STAT(group, names, pages) do {						\
	long now = stat_after(group, names, pages);					\
	EXPECT_LE((long)(pages), now) TH_LOG("%s of %s", (names)[0], group);		\
	EXPECT_GE((long)(pages) + OTHER_PAGES, now) TH_LOG("%s of %s", (names)[0], group);	\
} while (0)

#define LRU_GEN		"/sys/kernel/mm/lru_gen/enabled"
#define TAINT_WARN	(1L << 9)

/* Whether the kernel has printed a warning since boot. */
static bool warned(void)
{
	char value[32];

	return !setting_read("/proc/sys/kernel/tainted", value, sizeof(value)) &&
	       atol(value) & TAINT_WARN;
}

/* Switch MGLRU off and on, which moves all folios between the two kinds of lists. */
static void *switch_lru(void *arg)
{
	struct worker *w = arg;

	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		setting_write(LRU_GEN, "n");
		setting_write(LRU_GEN, "y");
	}
	return NULL;
}

/* Folios are isolated from the right LRU list while MGLRU is switched off and on. */
TEST_F_TIMEOUT(migrate, lru_switched, 120)
{
	struct worker w = { };
	bool before = warned();
	time_t end = time(NULL) + 15;
	char value[32];
	pthread_t thread;

	if (setting_read(LRU_GEN, value, sizeof(value)))
		SKIP(return, "no MGLRU");
	if (enter_memcg("lru_switched", "max"))
		SKIP(return, "the system has no memory cgroups");
	fill(self->at, HUGE_PAGES, 13);
	ASSERT_EQ(0, pthread_create(&thread, NULL, switch_lru, &w));
	/* Fewer rounds on a busy machine. */
	for (int i = 0; i < 100 && (i < 5 || time(NULL) < end); i++) {
		to_device(self, HUGE_PAGES);
		to_ram(self, HUGE_PAGES);
	}
	w.stop = true;
	pthread_join(thread, NULL);
	setting_write(LRU_GEN, value);
	EXPECT_EQ(HUGE_PAGES, right(self->at, HUGE_PAGES, 13));
	EXPECT_STAT("lru_switched", on_lists, (long)HUGE_PAGES);
	munmap(self->at, HUGE);
	EXPECT_STAT("lru_switched", on_lists, 0L);
	if (!before)
		EXPECT_FALSE(warned());
	cgroup_leave("lru_switched");
}

/*
 * A process of its own cgroup whose pages migrate to the device and back, and which then
 * waits for its parent. Returns to the parent.
 */
static pid_t start_migrator(test_data *self, int unit, const char *group,
			    struct handshake *handshake)
{
	pid_t pid;

	if (cgroup_make(group, "max") || handshake_open(handshake))
		return -1;
	pid = fork();
	if (pid)
		return pid;
	self->device = device_open(unit);
	if (self->device < 0 || cgroup_enter(group))
		_exit(1);
	fill(self->at, HUGE_PAGES, 17);
	for (int i = 0; i < 20; i++) {
		to_device(self, HUGE_PAGES);
		to_ram(self, HUGE_PAGES);
	}
	handshake_signal_parent(handshake);
	handshake_wait_for_parent(handshake);
	_exit(right(self->at, HUGE_PAGES, 17) == HUGE_PAGES ? 0 : 2);
}

/* The same for pages of two cgroups, in processes that migrate at the same time. */
TEST_F_TIMEOUT(migrate, lru_switched_for_two, 240)
{
	static const char *const groups[] = { "lru_switched_a", "lru_switched_b" };
	struct handshake handshakes[2];
	struct worker w = { };
	char value[32];
	pthread_t thread;
	pid_t pids[2];
	int status;

	if (setting_read(LRU_GEN, value, sizeof(value)))
		SKIP(return, "no MGLRU");
	for (int i = 0; i < 2; i++) {
		pids[i] = start_migrator(self, variant->unit, groups[i], &handshakes[i]);
		if (pids[i] < 0)
			SKIP(return, "the system has no memory cgroups");
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, switch_lru, &w));
	for (int i = 0; i < 2; i++)
		EXPECT_TRUE(handshake_wait_for_child(&handshakes[i]));
	w.stop = true;
	pthread_join(thread, NULL);
	setting_write(LRU_GEN, value);
	for (int i = 0; i < 2; i++)
		EXPECT_STAT(groups[i], on_lists, (long)HUGE_PAGES);
	for (int i = 0; i < 2; i++) {
		EXPECT_TRUE(handshake_signal_child(&handshakes[i]));
		EXPECT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
		EXPECT_STAT(groups[i], on_lists, 0L);
		cgroup_leave(groups[i]);
	}
}

/* Fork a child that checks the contents, writes, and forks in turn, @left times. */
static int check_forked(test_data *self, int seed, int left)
{
	int status;
	pid_t pid = left ? fork() : 0;

	if (pid < 0)
		return 100;
	if (!pid) {
		if (!left)
			return right(self->at, N, seed) == N ? 0 : 1;
		if (right(self->at, N, seed) != N)
			_exit(2);
		fill(self->at, N, seed + left);
		_exit(check_forked(self, seed + left, left - 1));
	}
	/* Parent and child run at the same time. */
	if (right(self->at, N, seed) != N)
		return 3;
	if (waitpid(pid, &status, 0) != pid)
		return 101;
	if (right(self->at, N, seed) != N)
		return 4;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}

TEST_F(migrate, fork_tree)
{
	for (int round = 0; round < 3; round++) {
		fill(self->at, N, round);
		ASSERT_EQ(N, to_device(self, N));
		EXPECT_EQ(0, check_forked(self, round, 4));
		EXPECT_EQ(N, right(self->at, N, round));
	}
}

/* A huge page that parent and child share migrates; both read its contents. */
TEST_F(migrate, fork_shared_huge)
{
	struct handshake hand;
	int status;
	pid_t pid;

	ASSERT_EQ(0, handshake_open(&hand));
	ASSERT_EQ(0, madvise(self->at, HUGE, MADV_HUGEPAGE));
	fill(self->at, HUGE_PAGES, 7);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (!handshake_wait_for_parent(&hand) ||
		    right(self->at, HUGE_PAGES, 7) != HUGE_PAGES)
			_exit(1);
		fill(self->at, HUGE_PAGES, 8);
		_exit(!handshake_signal_parent(&hand));
	}
	EXPECT_EQ(HUGE_PAGES, to_device(self, HUGE_PAGES));
	EXPECT_EQ(HUGE_PAGES, held(self, HUGE_PAGES));
	ASSERT_TRUE(handshake_signal_child(&hand));
	ASSERT_TRUE(handshake_wait_for_child(&hand));
	EXPECT_EQ(HUGE_PAGES, right(self->at, HUGE_PAGES, 7));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(HUGE_PAGES, right(self->at, HUGE_PAGES, 7));
}

static size_t swapped(const char *at, size_t npages)
{
	size_t count = 0;

	for (size_t i = 0; i < npages; i++)
		count += !!(page_map(at + i * PAGE) & MAP_SWAPPED);
	return count;
}

/* Pages that are swapped out are migrated with one command. */
TEST_F(migrate, swapped_out)
{
	if (swap_ready())
		SKIP(return, "the system has no swap space");
	fill(self->at, N, 1);
	ASSERT_EQ(0, madvise(self->at, N * PAGE, MADV_PAGEOUT));
	if (!swapped(self->at, N))
		SKIP(return, "nothing was swapped out");
	EXPECT_EQ(N, to_device(self, N));
	EXPECT_EQ(N, held(self, N));
	EXPECT_EQ(N, right(self->at, N, 1));
}

/* Pages in the swap cache, too: the swap slot is released, or the page stays. */
TEST_F(migrate, swap_cache)
{
	if (swap_ready())
		SKIP(return, "the system has no swap space");
	fill(self->at, N, 2);
	ASSERT_EQ(0, madvise(self->at, N * PAGE, MADV_PAGEOUT));
	EXPECT_EQ(N, right(self->at, N, 2));
	to_device(self, N);
	EXPECT_EQ(N, right(self->at, N, 2));
	fill(self->at, N, 3);
	EXPECT_EQ(N, to_device(self, N));
	EXPECT_EQ(N, right(self->at, N, 3));
}

/* Pinned pages stay where they are; other pages migrate. */
TEST_F(migrate, pinned)
{
	int fd;

	fill(self->at, N, 4);
	fd = pin_longterm(self->at + 8 * PAGE, 8);
	if (fd < 0)
		SKIP(return, "gup_test cannot pin pages");
	to_device(self, N);
	EXPECT_EQ(N - 8, held(self, N));
	EXPECT_EQ(0, device_holds(self->device, self->at + 8 * PAGE, 8, self->place));
	EXPECT_EQ(N, right(self->at, N, 4));
	close(fd);
	EXPECT_EQ(N, to_device(self, N));
	EXPECT_EQ(N, right(self->at, N, 4));
}

/* A long-term pin migrates the pinned device pages to system memory, and no others. */
TEST_F(migrate, pinned_there)
{
	int fd;

	fill(self->at, N, 5);
	ASSERT_EQ(N, to_device(self, N));
	fd = pin_longterm(self->at, N);
	if (fd < 0)
		SKIP(return, "gup_test cannot pin pages");
	EXPECT_EQ(0, held(self, N));
	EXPECT_EQ(N, right(self->at, N, 5));
	close(fd);

	ASSERT_EQ(0, madvise(self->at, HUGE, MADV_HUGEPAGE));
	ASSERT_EQ(0, madvise(self->at, HUGE, MADV_DONTNEED));
	fill(self->at, HUGE_PAGES, 6);
	ASSERT_EQ(HUGE_PAGES, to_device(self, HUGE_PAGES));
	fd = pin_longterm(self->at + 5 * PAGE, 1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(variant->place == HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL ? HUGE_PAGES - 1 : 0,
		  held(self, HUGE_PAGES));
	EXPECT_EQ(HUGE_PAGES, right(self->at, HUGE_PAGES, 6));
	close(fd);
}

/* The number of mlocked pages, by /proc/kpageflags. */
static size_t mlocked(const char *at, size_t npages)
{
	int fd = open("/proc/kpageflags", O_RDONLY);
	uint64_t flags = 0;
	size_t count = 0;

	for (size_t i = 0; i < npages; i++)
		if (pread(fd, &flags, sizeof(flags),
			  (page_map(at + i * PAGE) & MAP_PFN) * sizeof(flags)) == sizeof(flags))
			count += !!(flags & KPF_MLOCKED);
	close(fd);
	return count;
}

/* Pages that two processes have mlocked stay mlocked when one of them unlocks them. */
TEST_F(migrate, locked_twice)
{
	struct handshake hand;
	int status;
	pid_t pid;

	ASSERT_EQ(0, handshake_open(&hand));
	fill(self->at, N, 11);
	ASSERT_EQ(0, mlock(self->at, N * PAGE));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Without a write, so that they stay shared. */
		if (syscall(SYS_mlock2, self->at, N * PAGE, MLOCK_ONFAULT) ||
		    right(self->at, N, 11) != N || !handshake_signal_parent(&hand) ||
		    !handshake_wait_for_parent(&hand))
			_exit(1);
		_exit(munlock(self->at, N * PAGE) || !handshake_signal_parent(&hand) ||
		      !handshake_wait_for_parent(&hand));
	}
	ASSERT_TRUE(handshake_wait_for_child(&hand));
	EXPECT_EQ(N, mlocked(self->at, N));
	to_device(self, N);
	to_ram(self, N);
	EXPECT_EQ(0, held(self, N));
	EXPECT_EQ(N, mlocked(self->at, N));
	ASSERT_TRUE(handshake_signal_child(&hand));
	ASSERT_TRUE(handshake_wait_for_child(&hand));
	EXPECT_EQ(N, mlocked(self->at, N));
	ASSERT_TRUE(handshake_signal_child(&hand));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(N, right(self->at, N, 11));
}

/* Soft-dirty bits are kept. */
TEST_F(migrate, soft_dirty)
{
	uint64_t map[4];

	if (!has_soft_dirty())
		SKIP(return, "no soft-dirty bits on this architecture");
	fill(self->at, 4, 1);
	ASSERT_EQ(0, setting_write("/proc/self/clear_refs", "4"));
	self->at[2 * PAGE] = 1;
	ASSERT_EQ(4, to_device(self, 4));
	ASSERT_EQ(0, page_map_read(self->at, 4, map));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i == 2, !!(map[i] & MAP_SOFT_DIRTY));
	to_ram(self, 4);
	ASSERT_EQ(0, page_map_read(self->at, 4, map));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i == 2, !!(map[i] & MAP_SOFT_DIRTY));
}

/* The number of pages, from page @from of N on, that a userfaultfd protects; -1 on error. */
static int protected_from(const char *at, size_t from)
{
	uint64_t map[N];
	int count = 0;

	if (page_map_read(at, N, map))
		return -1;
	for (size_t i = 0; i < N; i++)
		count += map[i] & MAP_UFFD_WP && i >= from;
	return count;
}

/* Write protection by userfaultfd is kept, for small pages and for a huge one. */
TEST_F(migrate, uffd_protected)
{
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);

	if (uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-uffd));
	ASSERT_EQ(0, uffd_register(uffd, self->at, HUGE, UFFDIO_REGISTER_MODE_WP));
	fill(self->at, N, 9);
	ASSERT_EQ(0, uffd_protect(uffd, self->at + 8 * PAGE, 16 * PAGE));
	ASSERT_EQ(N, to_device(self, N));
	EXPECT_EQ(N, held(self, N));
	EXPECT_EQ(16, protected_from(self->at, 0));
	EXPECT_EQ(16, protected_from(self->at, 8));
	to_ram(self, N);
	EXPECT_EQ(0, held(self, N));
	EXPECT_EQ(16, protected_from(self->at, 0));
	EXPECT_EQ(16, protected_from(self->at, 8));
	EXPECT_EQ(N, right(self->at, N, 9));

	ASSERT_EQ(0, madvise(self->at, HUGE, MADV_HUGEPAGE));
	ASSERT_EQ(0, madvise(self->at, HUGE, MADV_DONTNEED));
	fill(self->at, HUGE_PAGES, 10);
	ASSERT_EQ(0, uffd_protect(uffd, self->at, HUGE));
	ASSERT_EQ(HUGE_PAGES, to_device(self, HUGE_PAGES));
	EXPECT_EQ(N, protected_from(self->at, 0));
	to_ram(self, HUGE_PAGES);
	EXPECT_EQ(N, protected_from(self->at, 0));
	EXPECT_EQ(HUGE_PAGES, right(self->at, HUGE_PAGES, 10));
	close(uffd);
}

/*
 * UFFDIO_MOVE of single pages of a large folio splits the folio. It fails for pages
 * in private memory, and works for coherent memory.
 */
TEST_F(migrate, uffd_moved)
{
	struct uffdio_move move = { .len = PAGE };
	int uffd = uffd_open(UFFD_FEATURE_MOVE);
	char *dst;

	if (uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-uffd));
	dst = mmap(NULL, 16 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, dst);
	ASSERT_EQ(0, uffd_register(uffd, dst, 16 * PAGE, UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, madvise(self->at, HUGE, MADV_HUGEPAGE));
	fill(self->at, HUGE_PAGES, 12);
	ASSERT_EQ(HUGE_PAGES, to_device(self, HUGE_PAGES));
	move.dst = (uintptr_t)dst;
	move.src = (uintptr_t)self->at + 5 * PAGE;
	if (ioctl(uffd, UFFDIO_MOVE, &move)) {
		if (variant->place == HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL)
			EXPECT_EQ(EBUSY, errno);
		EXPECT_EQ(HUGE_PAGES, right(self->at, HUGE_PAGES, 12));
	} else {
		EXPECT_EQ(1, right(dst, 1, 12 + 5 * 1000));
		EXPECT_EQ(5, right(self->at, 5, 12));
		EXPECT_EQ(HUGE_PAGES - 6,
			  right(self->at + 6 * PAGE, HUGE_PAGES - 6, 12 + 6 * 1000));
	}
	close(uffd);
	munmap(dst, 16 * PAGE);
}

/* Pages in device memory stay charged to the same cgroup. */
TEST_F(migrate, charged)
{
	/* Each CPU may have charged 64 pages in advance. */
	long before, slack = 64 * PAGE * sysconf(_SC_NPROCESSORS_ONLN);

	if (enter_memcg("charged", "max"))
		SKIP(return, "the system has no memory cgroups");
	fill(self->at, HUGE_PAGES, 1);
	before = cgroup_number("charged", "memory.current");
	EXPECT_LE((long)HUGE, before);
	EXPECT_EQ(HUGE_PAGES, to_device(self, HUGE_PAGES));
	EXPECT_GE(before + slack, cgroup_number("charged", "memory.current"));
	EXPECT_LE((long)HUGE, cgroup_number("charged", "memory.current"));
	to_ram(self, HUGE_PAGES);
	EXPECT_GE(before + slack, cgroup_number("charged", "memory.current"));
	EXPECT_LE((long)HUGE, cgroup_number("charged", "memory.current"));
	munmap(self->at, HUGE);
	EXPECT_GE(before - (long)HUGE + slack, cgroup_number("charged", "memory.current"));
	cgroup_leave("charged");
}

/*
 * Pages of two cgroups alternate in the memory that migrates, and return to the LRU lists
 * of their own cgroup. First all of them; then those of one cgroup, with pages between them
 * that do not migrate: at each of these the lock of the lists is dropped.
 */
TEST_F_TIMEOUT(migrate, two_groups, 120)
{
	static const char *const groups[] = { "two_groups_a", "two_groups_b" };
	const long pages = HUGE_PAGES / 2;

	for (int group = 0; group < 2; group++) {
		if (enter_memcg(groups[group], "max"))
			SKIP(return, "the system has no memory cgroups");
		for (size_t i = group; i < HUGE_PAGES; i += 2)
			fill(self->at + i * PAGE, 1, i);
	}
	for (int group = 0; group < 2; group++)
		EXPECT_STAT(groups[group], on_lists, pages);

	EXPECT_EQ(HUGE_PAGES, to_device(self, HUGE_PAGES));
	for (int group = 0; group < 2; group++) {
		EXPECT_STAT(groups[group], on_lists, 0);
		EXPECT_STAT(groups[group], mapped, pages);
	}
	EXPECT_LE(0, to_ram(self, HUGE_PAGES));
	EXPECT_EQ(0, held(self, HUGE_PAGES));
	for (int group = 0; group < 2; group++) {
		EXPECT_STAT(groups[group], on_lists, pages);
		EXPECT_STAT(groups[group], mapped, pages);
	}

	for (size_t i = 0; i < HUGE_PAGES; i += 2)
		EXPECT_EQ(1, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV,
					 self->at + i * PAGE, 1));
	EXPECT_LE(0, to_ram(self, HUGE_PAGES));
	EXPECT_EQ(0, held(self, HUGE_PAGES));
	for (size_t i = 0; i < HUGE_PAGES; i++)
		EXPECT_EQ(1, right(self->at + i * PAGE, 1, i));
	for (int group = 0; group < 2; group++)
		EXPECT_STAT(groups[group], on_lists, pages);

	munmap(self->at, HUGE);
	for (int group = 0; group < 2; group++) {
		EXPECT_STAT(groups[group], on_lists, 0);
		EXPECT_STAT(groups[group], mapped, 0);
		cgroup_leave(groups[group]);
	}
}

/*
 * New pages in device memory are limited by the cgroup's limit, and the OOM killer
 * is not invoked. The cgroup is full then, so that the process in it must not
 * allocate memory afterwards.
 */
TEST_F(migrate, limited)
{
	volatile int *moved = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)moved);
	*moved = -EAGAIN;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		self->device = device_open(variant->unit);
		if (self->device < 0 || enter_memcg("limited", "1M"))
			_exit(1);
		*moved = to_device(self, HUGE_PAGES);
		for (;;)
			pause();
	}
	for (int i = 0; i < 3000 && *moved == -EAGAIN && !waitpid(pid, &status, WNOHANG); i++)
		usleep(10000);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		SKIP(return, "the system has no memory cgroups");
	/* Some pages are in device memory, but not all. */
	EXPECT_EQ(-ENOENT, *moved);
	EXPECT_LE(1L << 19, cgroup_number("limited", "memory.current"));
	EXPECT_GE(1L << 20, cgroup_number("limited", "memory.current"));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	cgroup_leave("limited");
	munmap((void *)moved, PAGE);
}

static int idle(uint64_t pfn, bool set)
{
	uint64_t bits = 1ULL << (pfn % 64);
	int fd = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR);
	int ret = -1;

	if (fd < 0)
		return -1;
	if (set && pwrite(fd, &bits, 8, pfn / 64 * 8) == 8)
		ret = 0;
	else if (!set && pread(fd, &bits, 8, pfn / 64 * 8) == 8)
		ret = bits >> (pfn % 64) & 1;
	close(fd);
	return ret;
}

/*
 * Flush the TLB entries of the pages. Setting pages idle does not flush them, and an
 * access with a TLB entry does not set the accessed bit.
 */
static void forget_entries(char *at, size_t size)
{
	mprotect(at, size, PROT_READ);
	mprotect(at, size, RW);
}

/* An idle page is idle after migration, an accessed page is not. */
TEST_F(migrate, idle_pages)
{
	uint64_t map[2];

	fill(self->at, 2, 1);
	/* Only folios on an LRU list can be idle: drain the per-CPU batches. */
	setting_write("/proc/sys/vm/drop_caches", "1");
	ASSERT_EQ(0, page_map_read(self->at, 2, map));
	if (idle(map[0] & MAP_PFN, true) || idle(map[1] & MAP_PFN, true))
		SKIP(return, "the kernel has no idle page tracking");
	forget_entries(self->at, 2 * PAGE);
	self->at[PAGE] = 1;
	ASSERT_EQ(1, idle(map[0] & MAP_PFN, false));
	ASSERT_EQ(0, idle(map[1] & MAP_PFN, false));
	ASSERT_EQ(0, idle(map[1] & MAP_PFN, true));

	forget_entries(self->at, 2 * PAGE);
	self->at[PAGE] = 2;
	ASSERT_LE(0, to_device(self, 2));
	ASSERT_LE(0, to_ram(self, 2));
	setting_write("/proc/sys/vm/drop_caches", "1");
	ASSERT_EQ(0, page_map_read(self->at, 2, map));
	EXPECT_EQ(1, idle(map[0] & MAP_PFN, false));
	/*
	 * A device-private PTE has no accessed bit, so an access before the migration
	 * is lost, in the kernel's own core, too.
	 */
	if (variant->place == HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL)
		EXPECT_EQ(0, idle(map[1] & MAP_PFN, false));
}

/* Addresses that cannot be migrated at all. */
TEST_F(migrate, refused)
{
	char *special = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, self->device, 0);
	char *shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *at = self->at, *hugetlb;

	ASSERT_NE(MAP_FAILED, special);
	self->at = special;
	EXPECT_EQ(-EINVAL, to_device(self, 4));
	EXPECT_EQ(-EINVAL, to_ram(self, 4));
	munmap(special, 4 * PAGE);

	*shared = 1;
	self->at = shared;
	EXPECT_EQ(-ENOENT, to_device(self, 1));
	EXPECT_EQ(0, held(self, 1));
	munmap(shared, PAGE);

	if (!huge_pages_reserve(HUGE / 1024, 1)) {
		hugetlb = mmap(NULL, HUGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
		ASSERT_NE(MAP_FAILED, hugetlb);
		self->at = hugetlb;
		EXPECT_EQ(-EINVAL, to_device(self, HUGE_PAGES));
		munmap(hugetlb, HUGE);
		huge_pages_reserve(HUGE / 1024, 0);
	}

	ASSERT_EQ(0, mprotect(at, PAGE, PROT_NONE));
	self->at = at;
	EXPECT_EQ(-EINVAL, to_device(self, 2));
}

/* Removing the driver migrates its pages to system memory. */
TEST_F(migrate, unloaded)
{
	fill(self->at, HUGE_PAGES / 2, 9);
	ASSERT_EQ(N, to_device(self, N));
	close(self->device);
	self->device = -1;
	if (!driver_loaded())
		SKIP(return, "unknown driver");
	ASSERT_EQ(0, driver_reload(driver_loaded()));
	EXPECT_EQ(HUGE_PAGES / 2, right(self->at, HUGE_PAGES / 2, 9));
	EXPECT_EQ(0, swapped(self->at, N));
	for (int i = 0; i < 100 && self->device < 0; i++, usleep(10000))
		self->device = device_open(variant->unit);
	ASSERT_LE(0, self->device);
	EXPECT_EQ(N, to_device(self, N));
}

/* The driver is in use for as long as any process has its file open. */
TEST_F(migrate, not_unloaded_while_open)
{
	const char *driver = driver_loaded();
	int go[2], status;
	pid_t child;
	char byte;

	if (!driver)
		SKIP(return, "unknown driver");
	ASSERT_EQ(0, pipe(go));
	child = fork();
	if (!child) {
		close(go[1]);
		status = read(go[0], &byte, 1);
		/* It is an error in another process, and runs the driver's code. */
		device_holds(self->device, self->at, N, 0);
		_exit(status);
	}
	ASSERT_LT(0, child);
	close(self->device);
	self->device = -1;
	EXPECT_EQ(-EAGAIN, driver_reload(driver));
	close(go[1]);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	close(go[0]);
	EXPECT_EQ(0, driver_reload_when_idle(driver, 1));
	for (int i = 0; i < 100 && self->device < 0; i++, usleep(10000))
		self->device = device_open(variant->unit);
	ASSERT_LE(0, self->device);
}

TEST_HARNESS_MAIN
