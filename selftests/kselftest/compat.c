// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the sample drivers for earlier API years: each is loaded, used on this
 * process, and unloaded. What needs no device is tested by KUnit.
 *
 * SECONDS: how long each of the two tests with two threads runs (default: 3).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uapi.h"
#include "hmm_user.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

#define NPAGES	32
#define GROUP	"compat"
#define RW	(PROT_READ | PROT_WRITE)

static int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, 0) ? -errno : 0;
}

static int device_open(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/%s", name);
	return open(path, O_RDWR | O_CLOEXEC);
}

static time_t race_seconds(void)
{
	const char *given = getenv("SECONDS");

	return given && *given ? atoi(given) : 3;
}

static char *anonymous(size_t npages)
{
	/* Small pages, wherever it comes to lie. */
	char *at = mmap(NULL, npages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(at, npages * PAGE, MADV_NOHUGEPAGE);
	return at;
}

/* Map a new page of zeros in place of what is mapped. */
static char *replace(char *at)
{
	return mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* Run a command. Returns the number of pages that it succeeded for, or -errno. */
static long command(int fd, unsigned long nr, const void *addr, unsigned long npages, void *ptr)
{
	struct compat_cmd cmd = {
		.addr = (uintptr_t)addr, .npages = npages, .ptr = (uintptr_t)ptr };

	return ioctl(fd, nr, &cmd) ? -errno : (long)cmd.result;
}

static struct compat_stats stats_of(int fd)
{
	struct compat_stats stats = {};

	ioctl(fd, COMPAT_STATS, &stats);
	return stats;
}

static unsigned char touch(const char *at)
{
	return __atomic_load_n((const unsigned char *)at, __ATOMIC_RELAXED);
}

static sigjmp_buf bus;

static void on_bus(int signal)
{
	siglongjmp(bus, 1);
}

/* Whether reading a page raises SIGBUS. */
static bool touch_fails(const char *at)
{
	struct sigaction action = { .sa_handler = on_bus }, before;
	bool failed;

	sigaction(SIGBUS, &action, &before);
	failed = sigsetjmp(bus, 1);
	if (!failed)
		touch(at);
	sigaction(SIGBUS, &before, NULL);
	return failed;
}

/*
 * Drivers with device-private memory.
 */

FIXTURE(memory) {
	int fd;
	char *at;
};

FIXTURE_VARIANT(memory) {
	const char *driver;
	unsigned int together;	/* pages that one CPU fault migrates */
};

FIXTURE_VARIANT_ADD(memory, year2017)
{
	.driver = "hmm_year2017",
	.together = 1,
};

FIXTURE_VARIANT_ADD(memory, memremap)
{
	.driver = "hmm_memremap",
	.together = 8,
};

FIXTURE_SETUP(memory)
{
	ASSERT_EQ(0, module_load(variant->driver, ""));
	self->fd = device_open(variant->driver);
	ASSERT_LE(0, self->fd);
	/* Aligned, so that a fault's neighbours are known. */
	self->at = map_aligned(NPAGES * PAGE, 64 * PAGE, RW, MAP_PRIVATE, -1);
	ASSERT_NE(NULL, self->at);
	madvise(self->at, NPAGES * PAGE, MADV_NOHUGEPAGE);
}

FIXTURE_TEARDOWN(memory)
{
	ioctl(self->fd, COMPAT_FATE, COMPAT_WORKS);
	munmap(self->at, NPAGES * PAGE);
	close(self->fd);
	EXPECT_EQ(0, module_unload(variant->driver));
}

/* Whether a page is in device memory, which pagemap shows as swapped. */
static bool is_away(const char *at)
{
	return page_map(at) & MAP_SWAPPED;
}

TEST_F(memory, there_and_back)
{
	for (int i = 0; i < NPAGES; i++)
		memset(self->at + i * PAGE, 'a' + i, PAGE);
	ASSERT_EQ(NPAGES, command(self->fd, COMPAT_MIGRATE, self->at, NPAGES, NULL));
	for (int i = 0; i < NPAGES; i++)
		EXPECT_TRUE(is_away(self->at + i * PAGE));
	EXPECT_EQ(0, stats_of(self->fd).frees);
	/* Pages in device memory are not migrated again. */
	EXPECT_EQ(0, command(self->fd, COMPAT_MIGRATE, self->at, NPAGES, NULL));

	EXPECT_EQ('a', touch(self->at));
	for (int i = 0; i < NPAGES; i++)
		EXPECT_EQ(i >= (int)variant->together, is_away(self->at + i * PAGE));
	for (int i = 0; i < NPAGES; i++) {
		EXPECT_EQ('a' + i, touch(self->at + i * PAGE + PAGE - 1));
		self->at[i * PAGE] = 'A';
	}
	EXPECT_EQ(NPAGES / variant->together, stats_of(self->fd).faults);
	EXPECT_EQ(NPAGES, stats_of(self->fd).frees);
}

TEST_F(memory, nothing_there)
{
	ASSERT_EQ(NPAGES, command(self->fd, COMPAT_MIGRATE, self->at, NPAGES, NULL));
	EXPECT_TRUE(is_away(self->at));
	for (int i = 0; i < NPAGES; i++)
		EXPECT_EQ(0, touch(self->at + i * PAGE));
}

TEST_F(memory, unmapped_there)
{
	memset(self->at, 1, NPAGES * PAGE);
	ASSERT_EQ(NPAGES, command(self->fd, COMPAT_MIGRATE, self->at, NPAGES, NULL));
	munmap(self->at, 3 * PAGE);
	EXPECT_EQ(3, stats_of(self->fd).frees);
	EXPECT_EQ(0, stats_of(self->fd).faults);
}

/* A page of two processes is freed when the second unmaps it. */
TEST_F(memory, last_reference)
{
	int status;
	pid_t pid;

	memset(self->at, 1, PAGE);
	ASSERT_EQ(1, command(self->fd, COMPAT_MIGRATE, self->at, 1, NULL));
	pid = fork();
	if (!pid) {
		munmap(self->at, PAGE);
		_exit(stats_of(self->fd).frees);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	munmap(self->at, PAGE);
	EXPECT_EQ(1, stats_of(self->fd).frees);
}

TEST_F(memory, data_lost)
{
	memset(self->at, 1, NPAGES * PAGE);
	ASSERT_EQ(NPAGES, command(self->fd, COMPAT_MIGRATE, self->at, NPAGES, NULL));
	ioctl(self->fd, COMPAT_FATE, COMPAT_LOSES_DATA);
	EXPECT_TRUE(touch_fails(self->at));
	EXPECT_EQ(1, stats_of(self->fd).faults);
	/* The entry is poisoned: the driver is not called again. */
	EXPECT_TRUE(touch_fails(self->at));
	EXPECT_EQ(1, stats_of(self->fd).faults);
	EXPECT_EQ(1, stats_of(self->fd).frees);
	/* The other pages are not lost. */
	ioctl(self->fd, COMPAT_FATE, COMPAT_WORKS);
	for (int i = 1; i < NPAGES; i++)
		EXPECT_EQ(1, touch(self->at + i * PAGE));
	/* The address is usable again once something else is mapped there. */
	ASSERT_EQ(self->at, replace(self->at));
	EXPECT_EQ(0, touch(self->at));
}

/* Data that is lost while no CPU fault is served is lost for later accesses. */
TEST_F(memory, data_lost_evicting)
{
	if (strcmp(variant->driver, "hmm_year2017"))
		SKIP(return, "only migrate_vma() of 2017 has MIGRATE_PFN_ERROR");
	memset(self->at, 1, 2 * PAGE);
	ASSERT_EQ(2, command(self->fd, COMPAT_MIGRATE, self->at, 2, NULL));
	ioctl(self->fd, COMPAT_FATE, COMPAT_LOSES_DATA);
	EXPECT_EQ(0, command(self->fd, COMPAT_EVICT, self->at, 1, NULL));
	EXPECT_EQ(1, stats_of(self->fd).frees);
	EXPECT_TRUE(touch_fails(self->at));
	EXPECT_EQ(0, stats_of(self->fd).faults);
	ioctl(self->fd, COMPAT_FATE, COMPAT_WORKS);
	EXPECT_EQ(1, command(self->fd, COMPAT_EVICT, self->at, 2, NULL));
	EXPECT_FALSE(is_away(self->at + PAGE));
	EXPECT_EQ(1, touch(self->at + PAGE));
	EXPECT_EQ(0, stats_of(self->fd).faults);
}

/* More pages than migrate_vma() has room for on its stack. */
TEST_F(memory, evicted)
{
	for (int i = 0; i < NPAGES; i++)
		memset(self->at + i * PAGE, 'a' + i, PAGE);
	ASSERT_EQ(NPAGES, command(self->fd, COMPAT_MIGRATE, self->at, NPAGES, NULL));
	EXPECT_EQ(NPAGES, command(self->fd, COMPAT_EVICT, self->at, NPAGES, NULL));
	EXPECT_EQ(NPAGES, stats_of(self->fd).frees);
	for (int i = 0; i < NPAGES; i++) {
		EXPECT_FALSE(is_away(self->at + i * PAGE));
		EXPECT_EQ('a' + i, touch(self->at + i * PAGE + PAGE - 1));
	}
	EXPECT_EQ(0, stats_of(self->fd).faults);
}

TEST_F(memory, out_of_memory)
{
	memset(self->at, 1, PAGE);
	ASSERT_EQ(1, command(self->fd, COMPAT_MIGRATE, self->at, 1, NULL));
	ioctl(self->fd, COMPAT_FATE, COMPAT_NO_MEMORY);
	/* The first attempt fails without losing data, and the access is repeated. */
	EXPECT_EQ(1, touch(self->at));
	EXPECT_EQ(2, stats_of(self->fd).faults);
}

/* Whether a page belongs to a large folio. */
static bool is_large(const char *at)
{
	int fd = open("/proc/kpageflags", O_RDONLY);
	__u64 flags = 0;

	pread(fd, &flags, sizeof(flags), (page_map(at) & MAP_PFN) * sizeof(flags));
	close(fd);
	return flags & (1ULL << KPF_COMPOUND_HEAD | 1ULL << KPF_COMPOUND_TAIL);
}

/* A whole folio of 64 KiB, and part of a huge page: the driver is passed single pages. */
TEST_F(memory, large_folios)
{
	static const unsigned long sizes[] = { 64, 2048 };
	const size_t migrated = 16;

	for (int i = 0; i < 2; i++) {
		size_t size = sizes[i] * 1024;
		char *at = map_aligned(size, size, RW, MAP_PRIVATE, -1);

		ASSERT_NE(NULL, at);
		ASSERT_EQ(0, large_folios_allow(sizes[i], true));
		ASSERT_EQ(0, madvise(at, size, MADV_HUGEPAGE));
		for (size_t n = 0; n < size / PAGE; n++)
			memset(at + n * PAGE, n, PAGE);
		ASSERT_TRUE(is_large(at));
		EXPECT_EQ(migrated, command(self->fd, COMPAT_MIGRATE, at, migrated, NULL));
		for (size_t n = 0; n < size / PAGE; n++)
			EXPECT_EQ(n < migrated, is_away(at + n * PAGE));
		for (size_t n = 0; n < size / PAGE; n++)
			EXPECT_EQ((unsigned char)n, touch(at + n * PAGE + PAGE - 1));
		munmap(at, size);
		EXPECT_EQ(0, large_folios_allow(sizes[i], i > 0));
	}
}

/* A long-term pin migrates the page to system memory, where it stays until the end of the pin. */
TEST_F(memory, pinned)
{
	int pinned;

	memset(self->at, 'p', NPAGES * PAGE);
	ASSERT_EQ(NPAGES, command(self->fd, COMPAT_MIGRATE, self->at, NPAGES, NULL));
	pinned = pin_longterm(self->at, 1);
	ASSERT_LE(0, pinned);
	EXPECT_FALSE(is_away(self->at));
	EXPECT_TRUE(is_away(self->at + variant->together * PAGE));
	EXPECT_EQ('p', touch(self->at));
	EXPECT_EQ(1, stats_of(self->fd).faults);
	EXPECT_EQ(0, command(self->fd, COMPAT_MIGRATE, self->at, 1, NULL));
	EXPECT_FALSE(is_away(self->at));
	close(pinned);
	EXPECT_EQ(1, command(self->fd, COMPAT_MIGRATE, self->at, 1, NULL));
}

/* A page keeps its charge in device memory, so that no limit keeps it there. */
TEST_F(memory, charged)
{
	const size_t npages = 8 * COMPAT_PAGES;
	/* What each CPU may have charged ahead: 64 pages. */
	long before, slack = 64 * PAGE * sysconf(_SC_NPROCESSORS_ONLN);
	char *at = anonymous(npages), limit[32];

	if (cgroup_make(GROUP, "max") || cgroup_enter(GROUP))
		SKIP(return, "no memory cgroups");
	memset(at, 'c', npages * PAGE);
	before = cgroup_number(GROUP, "memory.current");
	EXPECT_LE((long)(npages * PAGE), before);
	for (size_t i = 0; i < npages; i += COMPAT_PAGES)
		EXPECT_EQ(COMPAT_PAGES, command(self->fd, COMPAT_MIGRATE, at + i * PAGE,
						COMPAT_PAGES, NULL));
	EXPECT_LE((long)(npages * PAGE), cgroup_number(GROUP, "memory.current"));
	EXPECT_GE(before + slack, cgroup_number(GROUP, "memory.current"));
	snprintf(limit, sizeof(limit), "%ld", before + slack);
	EXPECT_EQ(0, cgroup_set(GROUP, "memory.max", limit));
	for (size_t i = 0; i < npages; i++)
		EXPECT_EQ('c', touch(at + i * PAGE));
	EXPECT_LE((long)(npages * PAGE), cgroup_number(GROUP, "memory.current"));
	munmap(at, npages * PAGE);
	EXPECT_GE(before - (long)(npages * PAGE) + slack, cgroup_number(GROUP, "memory.current"));
	cgroup_leave(GROUP);
}

TEST_F(memory, malformed)
{
	EXPECT_EQ(-EINVAL, command(self->fd, COMPAT_MIGRATE, self->at + 1, 1, NULL));
	EXPECT_EQ(-EINVAL, command(self->fd, COMPAT_MIGRATE, self->at, 0, NULL));
	/* Past the end of the VMA. */
	munmap(self->at + (NPAGES - 2) * PAGE, 2 * PAGE);
	EXPECT_EQ(-EINVAL, command(self->fd, COMPAT_MIGRATE, self->at, NPAGES, NULL));
}

/*
 * Device memory that the CPU can access.
 */

TEST(public_memory)
{
	char *at = anonymous(NPAGES);
	int fd;

	ASSERT_EQ(0, module_load("hmm_memremap", "public=0x150000000"));
	fd = device_open("hmm_memremap");
	ASSERT_LE(0, fd);
	memset(at, 'p', 2 * PAGE);
	ASSERT_EQ(4, command(fd, COMPAT_MIGRATE, at, 4, NULL));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0x150000 + i, page_map(at + i * PAGE) & MAP_PFN);
	/* The CPU reads and writes it without migrating it. */
	EXPECT_EQ('p', touch(at + PAGE));
	EXPECT_EQ(0, touch(at + 2 * PAGE));
	at[PAGE] = 'q';
	EXPECT_EQ('q', touch(at + PAGE));
	EXPECT_EQ(0x150001, page_map(at + PAGE) & MAP_PFN);
	EXPECT_EQ(0, stats_of(fd).faults);
	EXPECT_EQ(0, stats_of(fd).frees);
	munmap(at, NPAGES * PAGE);
	EXPECT_EQ(4, stats_of(fd).frees);
	close(fd);
	EXPECT_EQ(0, module_unload("hmm_memremap"));
}

/* What is pinned for long leaves public memory, which can always be evicted. */
TEST(public_memory_pinned)
{
	char *at = anonymous(2);
	int fd, pinned;

	ASSERT_EQ(0, module_load("hmm_memremap", "public=0x150000000"));
	fd = device_open("hmm_memremap");
	ASSERT_LE(0, fd);
	memset(at, 'p', 2 * PAGE);
	ASSERT_EQ(2, command(fd, COMPAT_MIGRATE, at, 2, NULL));
	pinned = pin_longterm(at, 1);
	ASSERT_LE(0, pinned);
	EXPECT_LT(1024, (page_map(at) & MAP_PFN) - 0x150000);
	EXPECT_EQ(0x150001, page_map(at + PAGE) & MAP_PFN);
	EXPECT_EQ(1, stats_of(fd).frees);
	EXPECT_EQ('p', touch(at));
	close(pinned);
	munmap(at, 2 * PAGE);
	close(fd);
	EXPECT_EQ(0, module_unload("hmm_memremap"));
}

/* Addresses of system memory are refused, and the driver can be loaded again. */
TEST(public_memory_taken)
{
	/* At 2 GiB is the guest's own memory, on each architecture. */
	ASSERT_EQ(-ENXIO, module_load("hmm_memremap", "public=0x80000000"));
	EXPECT_GT(0, device_open("hmm_memremap"));
	ASSERT_EQ(0, module_load("hmm_memremap", "public=0x150000000"));
	EXPECT_EQ(0, module_unload("hmm_memremap"));
}

/*
 * A driver with a mirror.
 */

FIXTURE(mirror) {
	int fd;
	char *at;
	char *buffer;
};

FIXTURE_SETUP(mirror)
{
	ASSERT_EQ(0, module_load("hmm_year2019", ""));
	self->fd = device_open("hmm_year2019");
	ASSERT_LE(0, self->fd);
	self->at = anonymous(NPAGES);
	self->buffer = anonymous(NPAGES);
}

FIXTURE_TEARDOWN(mirror)
{
	munmap(self->at, NPAGES * PAGE);
	munmap(self->buffer, NPAGES * PAGE);
	close(self->fd);
	EXPECT_EQ(0, module_unload("hmm_year2019"));
}

TEST_F(mirror, reads_and_writes)
{
	memset(self->at, 'r', NPAGES * PAGE);
	ASSERT_EQ(NPAGES, command(self->fd, COMPAT_READ, self->at, NPAGES, self->buffer));
	EXPECT_EQ(0, memcmp(self->at, self->buffer, NPAGES * PAGE));
	memset(self->buffer, 'w', NPAGES * PAGE);
	ASSERT_EQ(NPAGES, command(self->fd, COMPAT_WRITE, self->at, NPAGES, self->buffer));
	EXPECT_EQ(0, memcmp(self->at, self->buffer, NPAGES * PAGE));
}

/* Changes of the CPU's page table are removed from the device's. */
TEST_F(mirror, follows_changes)
{
	unsigned long syncs;

	memset(self->at, 'x', PAGE);
	ASSERT_EQ(1, command(self->fd, COMPAT_READ, self->at, 1, self->buffer));
	syncs = stats_of(self->fd).syncs;
	ASSERT_EQ(self->at, replace(self->at));
	EXPECT_LT(syncs, stats_of(self->fd).syncs);
	ASSERT_EQ(1, command(self->fd, COMPAT_READ, self->at, 1, self->buffer));
	EXPECT_EQ(0, self->buffer[0]);

	ASSERT_EQ(1, command(self->fd, COMPAT_WRITE, self->at, 1, self->buffer));
	mprotect(self->at, PAGE, PROT_READ);
	EXPECT_EQ(-EPERM, command(self->fd, COMPAT_WRITE, self->at, 1, self->buffer));
	EXPECT_EQ(1, command(self->fd, COMPAT_READ, self->at, 1, self->buffer));
	munmap(self->at, PAGE);
	EXPECT_EQ(-EFAULT, command(self->fd, COMPAT_READ, self->at, 1, self->buffer));
}

TEST_F(mirror, copy_on_write)
{
	struct handshake hand;
	int status;
	pid_t pid;

	memset(self->at, 'p', PAGE);
	ASSERT_EQ(1, command(self->fd, COMPAT_WRITE, self->at, 1, self->at + PAGE));
	memset(self->at, 'p', PAGE);
	ASSERT_EQ(0, handshake_open(&hand));
	pid = fork();
	if (!pid) {
		/* Wait until the device has written to the parent's page. */
		if (!handshake_wait_for_parent(&hand))
			_exit(1);
		_exit(touch(self->at) != 'p');
	}
	memset(self->buffer, 'd', PAGE);
	EXPECT_EQ(1, command(self->fd, COMPAT_WRITE, self->at, 1, self->buffer));
	EXPECT_TRUE(handshake_signal_child(&hand));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ('d', touch(self->at));
}

TEST_F(mirror, snapshot)
{
	__u64 entries[4];

	self->at[0] = 1;
	touch(self->at + PAGE);
	munmap(self->at + 3 * PAGE, PAGE);
	ASSERT_EQ(4, command(self->fd, COMPAT_SNAPSHOT, self->at, 4, entries));
	EXPECT_EQ(entries[0], (page_map(self->at) & MAP_PFN) << COMPAT_ENTRY_SHIFT |
			      COMPAT_ENTRY_VALID | COMPAT_ENTRY_WRITE);
	EXPECT_EQ(COMPAT_ENTRY_VALID, entries[1] & 0xfff);
	EXPECT_EQ(COMPAT_ENTRY_NONE, entries[2]);
	EXPECT_EQ(COMPAT_ENTRY_NONE, entries[3]);
	/* The snapshot faulted in nothing. */
	EXPECT_EQ(0, page_map(self->at + 2 * PAGE) & (MAP_PRESENT | MAP_SWAPPED));
}

/* Special entries, which the probe creates. */
TEST_F(mirror, snapshot_special)
{
	struct hmm_probe_info info;
	int probe = probe_open(&info);
	char *at = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, probe, HMM_PROBE_MAP_MIXED * PAGE);
	__u64 entries[3];

	ASSERT_NE(MAP_FAILED, at);
	read_pages(at, 2 * PAGE);
	ASSERT_EQ(3, command(self->fd, COMPAT_SNAPSHOT, at, 3, entries));
	/* The one has a struct page, from vm_insert_page(); the other has none. */
	EXPECT_EQ(COMPAT_ENTRY_SPECIAL, entries[0]);
	EXPECT_EQ(COMPAT_ENTRY_SPECIAL, entries[1]);
	EXPECT_EQ(COMPAT_ENTRY_NONE, entries[2]);
	EXPECT_EQ(-EFAULT, command(self->fd, COMPAT_READ, at, 1, self->buffer));
	EXPECT_EQ(-EFAULT, command(self->fd, COMPAT_READ, at + PAGE, 1, self->buffer));
	munmap(at, 3 * PAGE);
	close(probe);
}

/* Kinds of memory that are younger than this API year: nothing of them is reported. */
TEST_F(mirror, secret_memory)
{
	int fd = syscall(SYS_memfd_secret, 0);
	__u64 entry;
	char *at;

	if (fd < 0)
		SKIP(return, "no memfd_secret()");
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	at = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, at);
	memset(at, 's', PAGE);
	ASSERT_EQ(1, command(self->fd, COMPAT_SNAPSHOT, at, 1, &entry));
	EXPECT_EQ(COMPAT_ENTRY_ERROR, entry);
	EXPECT_EQ(-EFAULT, command(self->fd, COMPAT_READ, at, 1, self->buffer));
	EXPECT_EQ(-EFAULT, command(self->fd, COMPAT_WRITE, at, 1, self->buffer));
	EXPECT_EQ('s', touch(at));
	munmap(at, PAGE);
	close(fd);
}

/* A shadow stack is read-only memory for a device. */
TEST_F(mirror, shadow_stack)
{
	struct hmm_probe_mark mark = { .what = HMM_PROBE_MARK_SHADOW_STACK };
	struct hmm_probe_info info;
	int probe = probe_open(&info);
	char *map = anonymous(3), *at = map + PAGE;
	__u64 entry;

	/* Only the middle page: the neighbours separate its VMA from others. */
	mprotect(map, PAGE, PROT_NONE);
	mprotect(at + PAGE, PAGE, PROT_NONE);
	memset(at, 's', PAGE);
	mark.addr = (uintptr_t)at;
	if (ioctl(probe, HMM_PROBE_MARK, &mark)) {
		ASSERT_EQ(EOPNOTSUPP, errno);
		SKIP(return, "no shadow stacks in this kernel");
	}
	ASSERT_EQ(1, command(self->fd, COMPAT_SNAPSHOT, at, 1, &entry));
	EXPECT_EQ(COMPAT_ENTRY_VALID, entry & 0xfff);
	EXPECT_EQ(1, command(self->fd, COMPAT_READ, at, 1, self->buffer));
	EXPECT_EQ('s', self->buffer[0]);
	EXPECT_EQ(-EPERM, command(self->fd, COMPAT_WRITE, at, 1, self->buffer));
	munmap(map, 3 * PAGE);
	close(probe);
}

/* A poisoned entry: its page was in device memory, and its content is lost. */
TEST_F(mirror, snapshot_poisoned)
{
	__u64 entries[2];
	int fd;

	ASSERT_EQ(0, module_load("hmm_year2017", ""));
	fd = device_open("hmm_year2017");
	ASSERT_LE(0, fd);
	memset(self->at, 'm', 2 * PAGE);
	ASSERT_EQ(1, command(fd, COMPAT_MIGRATE, self->at, 1, NULL));
	ioctl(fd, COMPAT_FATE, COMPAT_LOSES_DATA);
	EXPECT_TRUE(touch_fails(self->at));
	ioctl(fd, COMPAT_FATE, COMPAT_WORKS);
	ASSERT_EQ(2, command(self->fd, COMPAT_SNAPSHOT, self->at, 2, entries));
	EXPECT_EQ(COMPAT_ENTRY_ERROR, entries[0]);
	EXPECT_TRUE(entries[1] & COMPAT_ENTRY_VALID);
	EXPECT_EQ(-EFAULT, command(self->fd, COMPAT_READ, self->at, 1, self->buffer));
	close(fd);
	EXPECT_EQ(0, module_unload("hmm_year2017"));
}

/* Pages in the memory of another driver of API year 2017. */
TEST_F(mirror, snapshot_private)
{
	const __u64 there = COMPAT_ENTRY_VALID | COMPAT_ENTRY_WRITE | COMPAT_ENTRY_PRIVATE;
	__u64 entries[3];
	int fd;

	ASSERT_EQ(0, module_load("hmm_year2017", ""));
	fd = device_open("hmm_year2017");
	ASSERT_LE(0, fd);
	memset(self->at, 'm', 3 * PAGE);
	ASSERT_EQ(2, command(fd, COMPAT_MIGRATE, self->at, 2, NULL));
	ASSERT_EQ(3, command(self->fd, COMPAT_SNAPSHOT, self->at, 3, entries));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(there, entries[i] & 0xfff);
		EXPECT_EQ(map_entry_pfn(page_map(self->at + i * PAGE)),
			  entries[i] >> COMPAT_ENTRY_SHIFT);
	}
	EXPECT_EQ(COMPAT_ENTRY_VALID | COMPAT_ENTRY_WRITE, entries[2] & 0xfff);
	/* A request for device-private memory migrates it. */
	EXPECT_EQ(0, stats_of(fd).faults);
	EXPECT_EQ(1, command(self->fd, COMPAT_READ, self->at, 1, self->buffer));
	EXPECT_EQ('m', self->buffer[0]);
	EXPECT_EQ(1, stats_of(fd).faults);
	EXPECT_TRUE(is_away(self->at + PAGE));
	munmap(self->at, 3 * PAGE);
	close(fd);
	EXPECT_EQ(0, module_unload("hmm_year2017"));
}

TEST_F(mirror, dma_fill)
{
	ASSERT_EQ(NPAGES, command(self->fd, COMPAT_DMA_FILL, self->at, NPAGES, NULL));
	for (int i = 0; i < NPAGES; i++)
		EXPECT_EQ(0xdd, touch(self->at + i * PAGE + i));
	mprotect(self->at, PAGE, PROT_READ);
	EXPECT_EQ(-EPERM, command(self->fd, COMPAT_DMA_FILL, self->at, 1, NULL));
}

/* Each open file has a mirror of its own. */
TEST_F(mirror, several)
{
	int other = device_open("hmm_year2019");
	unsigned long syncs;

	ASSERT_LE(0, other);
	EXPECT_EQ(1, command(self->fd, COMPAT_WRITE, self->at, 1, self->buffer));
	EXPECT_EQ(1, command(other, COMPAT_WRITE, self->at, 1, self->buffer));
	syncs = stats_of(self->fd).syncs;
	munmap(self->at, PAGE);
	EXPECT_EQ(syncs + 2, stats_of(self->fd).syncs);
	EXPECT_EQ(-EFAULT, command(self->fd, COMPAT_READ, self->at, 1, self->buffer));
	EXPECT_EQ(-EFAULT, command(other, COMPAT_READ, self->at, 1, self->buffer));
	close(other);
	syncs = stats_of(self->fd).syncs;
	munmap(self->at + PAGE, PAGE);
	EXPECT_EQ(syncs + 1, stats_of(self->fd).syncs);
}

/* The driver is notified of the end of a process. */
TEST_F(mirror, end_of_process)
{
	unsigned long releases = stats_of(self->fd).releases;
	int status;
	pid_t pid = fork();

	if (!pid) {
		int fd = device_open("hmm_year2019");

		_exit(command(fd, COMPAT_READ, self->at, 1, self->buffer) != 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(releases + 1, stats_of(self->fd).releases);
}

/* A child inherits the file, but may not use it. */
TEST_F(mirror, somebody_elses)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(command(self->fd, COMPAT_READ, self->at, 1, self->buffer) != -EINVAL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/**
 * struct churn - a thread that moves a page away again and again
 * @uffd: moves it, without the mmap lock for writing
 * @at: the address that the device writes to
 * @away: the address that the page is moved to
 * @taken: number of moves
 * @stray: number of bytes that were written to a page after it had moved
 * @stop: end
 */
struct churn {
	int uffd;
	char *at, *away;
	unsigned long taken, stray;
	bool stop;
};

static void *churn_thread(void *argument)
{
	struct churn *churn = argument;

	while (!__atomic_load_n(&churn->stop, __ATOMIC_RELAXED)) {
		struct uffdio_move move = {
			.dst = (uintptr_t)churn->away,
			.src = (uintptr_t)churn->at,
			.len = PAGE,
		};

		churn->at[0] = 'c';
		/* Fails while the page has another reference. */
		if (ioctl(churn->uffd, UFFDIO_MOVE, &move))
			continue;
		memset(churn->away, 'a', PAGE);
		/* For varying times, to meet the device at different points. */
		for (int i = 0; i < PAGE * (1 + churn->taken % 8); i++)
			churn->stray += __atomic_load_n(&churn->away[i % PAGE],
							__ATOMIC_RELAXED) != 'a';
		madvise(churn->away, PAGE, MADV_DONTNEED);
		__atomic_fetch_add(&churn->taken, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* The device never writes to a page that has moved from its address. */
TEST_F_TIMEOUT(mirror, race_with_changes, 1200)
{
	struct churn churn = {
		.uffd = uffd_open(UFFD_FEATURE_MOVE),
		.at = self->at,
		.away = anonymous(1),
	};
	time_t end = time(NULL) + race_seconds();
	unsigned long rounds = 0;
	pthread_t thread;

	ASSERT_LE(0, churn.uffd);
	ASSERT_EQ(0, uffd_register(churn.uffd, churn.away, PAGE, UFFDIO_REGISTER_MODE_MISSING));
	memset(self->buffer, 'd', PAGE);
	ASSERT_EQ(0, pthread_create(&thread, NULL, churn_thread, &churn));
	while (time(NULL) < end) {
		EXPECT_EQ(1, command(self->fd, COMPAT_WRITE, self->at, 1, self->buffer));
		rounds++;
	}
	__atomic_store_n(&churn.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	TH_LOG("%lu rounds, %lu pages taken", rounds, churn.taken);
	EXPECT_LT(10, churn.taken);
	EXPECT_EQ(0, churn.stray);
	munmap(churn.away, PAGE);
	close(churn.uffd);
}

/**
 * struct prefetcher - a thread that puts a page into the device's page table
 * @fd: the device
 * @at: the page
 * @mapped: how often it was there
 * @stop: end
 */
struct prefetcher {
	int fd;
	char *at;
	unsigned long mapped;
	bool stop;
};

static void *prefetch_thread(void *argument)
{
	struct prefetcher *p = argument;

	while (!__atomic_load_n(&p->stop, __ATOMIC_RELAXED))
		if (command(p->fd, COMPAT_PREFETCH, p->at, 1, NULL) == 1)
			__atomic_fetch_add(&p->mapped, 1, __ATOMIC_RELAXED);
	return NULL;
}

/*
 * Once madvise() has returned the page is free, and the device must not have it in
 * its page table. The other thread puts it there only if it finds it present.
 */
TEST_F_TIMEOUT(mirror, race_with_madvise, 1200)
{
	struct prefetcher prefetcher = { .fd = self->fd, .at = self->at };
	unsigned long stale = 0, rounds = 0, before;
	time_t end = time(NULL) + race_seconds();
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, prefetch_thread, &prefetcher));
	while (time(NULL) < end) {
		before = __atomic_load_n(&prefetcher.mapped, __ATOMIC_RELAXED);
		__atomic_store_n(self->at, 'r', __ATOMIC_RELAXED);
		for (int i = 0; i < 200; i++)
			if (before != __atomic_load_n(&prefetcher.mapped, __ATOMIC_RELAXED))
				break;
		ASSERT_EQ(0, madvise(self->at, PAGE, MADV_DONTNEED));
		stale += command(self->fd, COMPAT_PEEK, self->at, 1, NULL);
		rounds++;
	}
	__atomic_store_n(&prefetcher.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	TH_LOG("%lu rounds, %lu times mapped, %lu stale", rounds, prefetcher.mapped, stale);
	EXPECT_EQ(0, stale);
	EXPECT_LT(0, prefetcher.mapped);
}

TEST_HARNESS_MAIN
