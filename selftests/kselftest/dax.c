// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of files on DAX, whose pages are the storage itself (persistent memory): what a
 * device writes is in the file, and what the file system takes away, the device loses.
 *
 * The device is the driver that is loaded, or without one the probe's mirror. vma_kinds
 * has the rows of the table: what each kind of mapping reports, and that it does not
 * migrate.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "hmm_dmirror.h"
#include "fixture_dmirror.h"

#define RW	(PROT_READ | PROT_WRITE)
#define TAG	0x7a61000000000000ULL

/* The access of a section: enum hmm_access, by number. */
enum { SNAPSHOT, READ, WRITE, EXCLUSIVE };

/**
 * struct device - what accesses the memory
 * @probe: the open probe
 * @driver: the open driver, or -1: the mirror of @probe is the device
 */
struct device {
	int probe;
	int driver;
};

static int call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

/* Have the probe's device mirror a span, by a range with this number. */
static int range_add(struct device *device, unsigned int id, const char *at, size_t npages)
{
	struct hmm_probe_span span = {
		.start = (uintptr_t)at,
		.end = (uintptr_t)at + npages * PAGE,
		.id = id,
	};

	return call(device->probe, HMM_PROBE_RANGE_ADD, &span);
}

/* Have the probe's device fault pages in; return the error of the section. */
static int populate(struct device *device, const char *at, size_t npages, unsigned int access)
{
	uint64_t *hmm_pfns = calloc(npages, sizeof(*hmm_pfns));
	struct hmm_probe_section section = {
		.start = (uintptr_t)at,
		.end = (uintptr_t)at + npages * PAGE,
		.hmm_pfns = (uintptr_t)hmm_pfns,
		.access = access,
		.how = HMM_PROBE_POPULATE,
	};
	int ret = call(device->probe, HMM_PROBE_SECTION, &section) ?: section.error;

	free(hmm_pfns);
	return ret;
}

/* One access of the probe's device by its page table, without a fault. */
static int probe_access(struct device *device, const char *at, uint64_t *value, bool write)
{
	struct hmm_probe_access access = {
		.addr = (uintptr_t)at,
		.value = *value,
		.write = write,
	};
	int ret = call(device->probe, HMM_PROBE_ACCESS, &access);

	*value = access.value;
	return ret;
}

static int driver_access(struct device *device, unsigned long request, const char *at,
			 uint64_t *value)
{
	uint64_t page[PAGE / sizeof(uint64_t)] = { *value };
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)at,
		.ptr = (uintptr_t)page,
		.npages = 1,
	};
	int ret = call(device->driver, request, &cmd);

	*value = page[0];
	return ret;
}

/* Have the device read or write the first 8 bytes of a page, with a fault if need be. */
static int device_read(struct device *device, const char *at, uint64_t *value)
{
	int ret;

	*value = 0;
	if (device->driver >= 0)
		return driver_access(device, HMM_DMIRROR_READ, at, value);
	do
		ret = populate(device, at, 1, READ) ?: probe_access(device, at, value, false);
	while (ret == -ENOENT);		/* invalidated in between */
	return ret;
}

static int device_write(struct device *device, char *at, uint64_t value)
{
	int ret;

	if (device->driver >= 0)
		return driver_access(device, HMM_DMIRROR_WRITE, at, &value);
	do
		ret = populate(device, at, 1, WRITE) ?: probe_access(device, at, &value, true);
	while (ret == -ENOENT);
	return ret;
}

/* What the device may do with a page without a fault, as HMM_DMIRROR_PROT_*. */
static unsigned char device_rights(struct device *device, const char *at)
{
	unsigned char rights = HMM_DMIRROR_PROT_ERROR;
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)at,
		.ptr = (uintptr_t)&rights,
		.npages = 1,
	};
	uint64_t value;

	if (device->driver >= 0) {
		call(device->driver, HMM_DMIRROR_PEEK, &cmd);
		return rights;
	}
	if (probe_access(device, at, &value, false))
		return HMM_DMIRROR_PROT_NONE;
	return probe_access(device, at, &value, true) ? HMM_DMIRROR_PROT_READ :
							HMM_DMIRROR_PROT_WRITE;
}

static int device_exclusive(struct device *device, const char *at)
{
	if (device->driver < 0)
		return populate(device, at, 1, EXCLUSIVE);
	return device_call(device->driver, HMM_DMIRROR_EXCLUSIVE, at, 1);
}

static sigjmp_buf bus_error;

static void bus_error_caught(int signal)
{
	siglongjmp(bus_error, 1);
}

/* Whether a CPU that reads gets a SIGBUS. */
static bool cpu_read_fails(const char *at)
{
	const struct sigaction action = { .sa_handler = bus_error_caught };
	struct sigaction before;
	bool failed = true;

	sigaction(SIGBUS, &action, &before);
	if (!sigsetjmp(bus_error, 1)) {
		(void)__atomic_load_n(at, __ATOMIC_RELAXED);
		failed = false;
	}
	sigaction(SIGBUS, &before, NULL);
	return failed;
}

/* Whether a PMD maps a page. */
static bool is_pmd_mapped(const char *at)
{
	struct page_region region = { 0 };
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = (uintptr_t)at,
		.end = (uintptr_t)at + PAGE,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.category_mask = PAGE_IS_HUGE,
		.return_mask = PAGE_IS_HUGE,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY);
	int regions = ioctl(fd, PAGEMAP_SCAN, &arg);

	close(fd);
	return regions == 1 && (region.categories & PAGE_IS_HUGE);
}

/* The first address of the persistent memory; 0 if it is unknown. */
static uint64_t storage_start(void)
{
	char text[32];

	return setting_read("/sys/block/pmem0/device/resource", text, sizeof(text)) ? 0 :
	       strtoull(text, NULL, 0);
}

/* Read the first 8 bytes of a page frame from the disk, past all caches of the kernel. */
static uint64_t storage_read(uint64_t pfn)
{
	static char sector[PAGE] __attribute__((aligned(4096)));
	int fd = open("/dev/pmem0", O_RDONLY | O_DIRECT);
	ssize_t got = pread(fd, sector, PAGE, pfn * PAGE - storage_start());

	close(fd);
	return got == PAGE ? *(uint64_t *)sector : 0;
}

static uint64_t file_read(int fd, size_t page)
{
	uint64_t value = 0;

	return pread(fd, &value, sizeof(value), page * PAGE) == sizeof(value) ? value : 0;
}

FIXTURE(dax) {
	struct device device;
	int file;
	char *at;
	size_t npages;
};

FIXTURE_VARIANT(dax) {
	size_t size;
};

FIXTURE_VARIANT_ADD(dax, small) { .size = 4 * PAGE };
FIXTURE_VARIANT_ADD(dax, huge) { .size = HUGE };

FIXTURE_SETUP(dax)
{
	struct hmm_probe_info info;

	self->file = dax_file(variant->size);
	if (self->file == -ENODEV)
		SKIP(return, "no persistent memory (/dev/pmem0)");
	ASSERT_LE(0, self->file);
	self->device.probe = probe_open(&info);
	self->device.driver = device_open(0);
	self->npages = variant->size / PAGE;
	self->at = map_aligned(variant->size, HUGE, RW, MAP_SHARED, self->file);
	ASSERT_NE(NULL, self->at);
	for (size_t i = 0; i < self->npages; i++)
		*(uint64_t *)(self->at + i * PAGE) = TAG + i;
	if (self->device.driver < 0) {
		if (!(info.has & HMM_PROBE_HAS_MIRROR))
			SKIP(return, "neither a driver nor mirrors");
		ASSERT_EQ(0, ioctl(self->device.probe, HMM_PROBE_MIRROR_INIT));
		ASSERT_EQ(0, range_add(&self->device, 0, self->at, self->npages));
	}
}

FIXTURE_TEARDOWN(dax)
{
	if (self->file < 0)
		return;
	if (self->device.driver >= 0)
		close(self->device.driver);
	close(self->device.probe);
	close(self->file);
}

static uint64_t cpu_read(const char *at)
{
	return __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED);
}

/* Walk with @flags as the request for all pages, in the given way. */
static int walk(FIXTURE_DATA(dax) * self, uint32_t how, uint64_t flags, uint64_t *hmm_pfns)
{
	struct hmm_probe_walk arg = {
		.addr = (uintptr_t)self->at,
		.npages = self->npages,
		.hmm_pfns = (uintptr_t)hmm_pfns,
		.default_flags = flags,
		.how = how,
	};

	return call(self->device.probe, HMM_PROBE_WALK, &arg) ?: arg.error;
}

/* Files of 2 MiB are mapped by a PMD, and reported with its order; small ones are not. */
TEST_F(dax, mapping_and_order)
{
	bool huge = variant->size == HUGE;
	uint64_t hmm_pfns[HUGE / PAGE];

	EXPECT_EQ(huge, is_pmd_mapped(self->at));
	ASSERT_EQ(0, walk(self, 0, REQ_RW, hmm_pfns));
	for (size_t i = 0; i < self->npages; i++) {
		ASSERT_EQ(page_map(self->at + i * PAGE) & MAP_PFN, hmm_pfn_to_pfn(hmm_pfns[i]));
		if (huge)
			ASSERT_EQ(HUGE_ORDER, hmm_pfn_order(hmm_pfns[i]));
		ASSERT_TRUE(hmm_pfn_order_valid(hmm_pfns, self->npages, (uintptr_t)self->at, i));
	}
	EXPECT_EQ(huge, is_pmd_mapped(self->at));
}

/* The pages are the storage: each side sees at once what another has written. */
TEST_F(dax, same_bytes)
{
	size_t last = self->npages - 1;
	char *at = self->at + last * PAGE;
	uint64_t pfn = page_map(at) & MAP_PFN, value;

	ASSERT_NE(0, storage_start());
	ASSERT_EQ(0, device_read(&self->device, at, &value));
	EXPECT_EQ(TAG + last, value);

	ASSERT_EQ(0, device_write(&self->device, at, 0x1234));
	EXPECT_EQ(0x1234, cpu_read(at));
	EXPECT_EQ(0x1234, file_read(self->file, last));
	ASSERT_EQ(0, msync(self->at, variant->size, MS_SYNC));
	EXPECT_EQ(0x1234, file_read(self->file, last));
	EXPECT_EQ(0x1234, storage_read(pfn));

	value = 0x5678;
	ASSERT_EQ(8, pwrite(self->file, &value, sizeof(value), last * PAGE));
	ASSERT_EQ(0, device_read(&self->device, at, &value));
	EXPECT_EQ(0x5678, value);
	*(volatile uint64_t *)at = 0x9abc;
	ASSERT_EQ(0, device_read(&self->device, at, &value));
	EXPECT_EQ(0x9abc, value);
	/* Nothing was copied to another place. */
	EXPECT_EQ(pfn, page_map(at) & MAP_PFN);
}

static uint64_t changed_at(int fd)
{
	struct stat about;

	fstat(fd, &about);
	return about.st_mtim.tv_sec * 1000000000ULL + about.st_mtim.tv_nsec;
}

/*
 * Cleaning a page takes the right to write from the device. Its next write is a write
 * fault, by which the file system knows that the page is dirty again.
 */
TEST_F(dax, cleaned)
{
	uint64_t before, pfn = page_map(self->at) & MAP_PFN;

	ASSERT_EQ(0, device_write(&self->device, self->at, 1));
	ASSERT_EQ(HMM_DMIRROR_PROT_WRITE, device_rights(&self->device, self->at));
	ASSERT_EQ(0, msync(self->at, variant->size, MS_SYNC));
	EXPECT_NE(HMM_DMIRROR_PROT_WRITE, device_rights(&self->device, self->at));
	EXPECT_EQ(1, storage_read(pfn));

	before = changed_at(self->file);
	usleep(1100000);	/* ext4's small inodes have seconds only */
	ASSERT_EQ(0, device_write(&self->device, self->at, 2));
	EXPECT_LT(before, changed_at(self->file));
	EXPECT_EQ(HMM_DMIRROR_PROT_WRITE, device_rights(&self->device, self->at));
	ASSERT_EQ(0, msync(self->at, variant->size, MS_SYNC));
	EXPECT_NE(HMM_DMIRROR_PROT_WRITE, device_rights(&self->device, self->at));
	EXPECT_EQ(2, storage_read(pfn));
}

#define EXPECT_GONE(address) do {						\
	char *_at = (address);							\
	uint64_t _value;							\
										\
	EXPECT_EQ(HMM_DMIRROR_PROT_NONE, device_rights(&self->device, _at));	\
	EXPECT_EQ(-EFAULT, device_read(&self->device, _at, &_value));		\
	EXPECT_EQ(-EFAULT, device_write(&self->device, _at, 3));		\
	EXPECT_EQ(HMM_DMIRROR_PROT_NONE, device_rights(&self->device, _at));	\
	EXPECT_TRUE(cpu_read_fails(_at));					\
} while (0)

/*
 * Truncation does not wait for a device, which holds no page, as it would for a pin. The
 * device's access fails where the CPU's is a SIGBUS.
 */
TEST_F(dax, truncated)
{
	size_t half = self->npages / 2;
	uint64_t hmm_pfns[HUGE / PAGE], value;

	for (size_t i = 0; i < self->npages; i++)
		ASSERT_EQ(0, device_write(&self->device, self->at + i * PAGE, TAG + i));
	ASSERT_EQ(0, ftruncate(self->file, half * PAGE));
	EXPECT_GONE(self->at + half * PAGE);
	EXPECT_GONE(self->at + (self->npages - 1) * PAGE);
	ASSERT_EQ(0, device_read(&self->device, self->at + (half - 1) * PAGE, &value));
	EXPECT_EQ(TAG + half - 1, value);

	ASSERT_EQ(0, ftruncate(self->file, 0));
	EXPECT_GONE(self->at);
	EXPECT_EQ(-EFAULT, walk(self, 0, REQ_FAULT, hmm_pfns));
	EXPECT_EQ(-EFAULT, walk(self, HMM_PROBE_UNLOCKED, REQ_RW, hmm_pfns));
	EXPECT_EQ(0, walk(self, 0, 0, hmm_pfns));
	EXPECT_EQ(0, hmm_pfns[0]);

	/* What it had is gone for good. */
	ASSERT_EQ(0, ftruncate(self->file, variant->size));
	ASSERT_EQ(0, device_read(&self->device, self->at, &value));
	EXPECT_EQ(0, value);
	ASSERT_EQ(0, device_write(&self->device, self->at, 4));
	EXPECT_EQ(4, file_read(self->file, 0));
}

/* A hole reads as zeros, for the device too, and its next write allocates a block. */
TEST_F(dax, punched)
{
	size_t hole = self->npages / 2;
	char *at = self->at + hole * PAGE;
	uint64_t value;

	for (size_t i = 0; i < self->npages; i++)
		ASSERT_EQ(0, device_write(&self->device, self->at + i * PAGE, TAG + i));
	ASSERT_EQ(0, fallocate(self->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       hole * PAGE, PAGE));
	EXPECT_EQ(HMM_DMIRROR_PROT_NONE, device_rights(&self->device, at));
	ASSERT_EQ(0, device_read(&self->device, at, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(HMM_DMIRROR_PROT_READ, device_rights(&self->device, at));
	ASSERT_EQ(0, device_write(&self->device, at, 5));
	EXPECT_EQ(5, file_read(self->file, hole));
	for (size_t i = 0; i < self->npages; i++) {
		if (i == hole)
			continue;
		ASSERT_EQ(0, device_read(&self->device, self->at + i * PAGE, &value));
		ASSERT_EQ(TAG + i, value);
	}
}

/* A write to a private mapping copies the page to anonymous memory, not to the storage. */
TEST_F(dax, copied_on_write)
{
	size_t last = self->npages - 1;
	char *at = map_aligned(variant->size, HUGE, RW, MAP_PRIVATE, self->file);
	uint64_t pfn = page_map(self->at) & MAP_PFN, value;

	ASSERT_NE(NULL, at);
	if (self->device.driver < 0)
		ASSERT_EQ(0, range_add(&self->device, 1, at, self->npages));
	ASSERT_EQ(0, device_read(&self->device, at, &value));
	EXPECT_EQ(TAG, value);
	EXPECT_EQ(pfn, page_map(at) & MAP_PFN);
	EXPECT_EQ(variant->size == HUGE, is_pmd_mapped(at));
	EXPECT_EQ(HMM_DMIRROR_PROT_READ, device_rights(&self->device, at));

	ASSERT_EQ(0, device_write(&self->device, at, 6));
	EXPECT_NE(pfn, page_map(at) & MAP_PFN);
	EXPECT_EQ(6, cpu_read(at));
	EXPECT_EQ(TAG, cpu_read(self->at));
	EXPECT_EQ(TAG, file_read(self->file, 0));
	EXPECT_EQ(TAG, storage_read(pfn));
	ASSERT_EQ(0, device_read(&self->device, at + last * PAGE, &value));
	EXPECT_EQ(TAG + last, value);

	/* Truncation takes the copies as well. */
	ASSERT_EQ(0, ftruncate(self->file, 0));
	EXPECT_GONE(at);
	EXPECT_GONE(at + last * PAGE);
}

/* GUP refuses to pin the pages for long. A device needs no pin. */
TEST_F(dax, not_pinned)
{
	uint64_t value;

	if (access("/sys/kernel/debug/gup_test", F_OK))
		SKIP(return, "no gup_test");
	EXPECT_EQ(-1, pin_longterm(self->at, 1));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(0, device_read(&self->device, self->at, &value));
}

/* Only anonymous pages can be exclusive to a device. */
TEST_F(dax, not_exclusive)
{
	EXPECT_EQ(-EOPNOTSUPP, device_exclusive(&self->device, self->at));
	EXPECT_EQ(0, device_write(&self->device, self->at, 7));
	EXPECT_EQ(7, file_read(self->file, 0));
}

/* A migration is refused, whether it is given the pages by address or by pfn. */
TEST_F(dax, not_migrated)
{
	struct hmm_probe_span span = {
		.start = (uintptr_t)self->at,
		.end = (uintptr_t)self->at + variant->size,
		.pages = 1,
	};
	uint64_t pfn = page_map(self->at) & MAP_PFN;
	struct hmm_probe_info info;

	ASSERT_EQ(0, ioctl(self->device.probe, HMM_PROBE_INFO, &info));
	if (!(info.has & HMM_PROBE_HAS_MIGRATION))
		SKIP(return, "no migration in this kernel");
	EXPECT_EQ(-EINVAL, call(self->device.probe, HMM_PROBE_MIGRATE, &span));
	span.id = HMM_PROBE_MIGRATE_BY_PFN;
	EXPECT_EQ(0, call(self->device.probe, HMM_PROBE_MIGRATE, &span));
	EXPECT_EQ(0, span.pages);
	EXPECT_EQ(pfn, page_map(self->at) & MAP_PFN);
	EXPECT_EQ(TAG, cpu_read(self->at));
}

/* A process that has a page of the file mapped by the device, and is killed. */
TEST_F(dax, killed)
{
	struct device device = { .driver = -1 };
	struct hmm_probe_info info;
	uint64_t value;
	int status;
	pid_t child;

	child = fork();
	if (!child) {
		device.probe = probe_open(&info);
		device.driver = device_open(0);
		if (device.driver < 0 && (ioctl(device.probe, HMM_PROBE_MIRROR_INIT) ||
					  range_add(&device, 0, self->at, self->npages)))
			_exit(1);
		for (;;)
			device_write(&device, self->at, 8);
	}
	ASSERT_LT(0, child);
	for (int i = 0; i < 1000 && cpu_read(self->at) != 8; i++)
		usleep(10000);
	EXPECT_EQ(8, cpu_read(self->at));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	/* Its blocks can be freed, and the file written. */
	ASSERT_EQ(0, device_write(&self->device, self->at, 9));
	EXPECT_EQ(9, file_read(self->file, 0));
	ASSERT_EQ(0, ftruncate(self->file, 0));
	EXPECT_EQ(-EFAULT, device_read(&self->device, self->at, &value));
}

#define POISON	0xdeadULL

/**
 * struct writer - a thread that has the device write to a file's pages
 * @device: the device
 * @at: where they are mapped
 * @npages: how many
 * @stop: when to end
 * @written: successful writes
 * @failed: those that failed because there was no page
 * @other: another error
 */
struct writer {
	struct device *device;
	char *at;
	size_t npages;
	atomic_bool stop;
	unsigned long written;
	unsigned long failed;
	int other;
};

static void *write_always(void *argument)
{
	struct writer *writer = argument;
	int ret;

	for (size_t i = 0; !atomic_load(&writer->stop); i++) {
		ret = device_write(writer->device, writer->at + i % writer->npages * PAGE, POISON);
		if (!ret)
			writer->written++;
		else if (ret == -EFAULT)
			writer->failed++;
		else if (ret != -EACCES)	/* made read-only again before the access */
			writer->other = ret;
	}
	return NULL;
}

/* Fill the disk, so that the next file gets the blocks that are freed next. */
static int disk_fill(void)
{
	int file = dax_file(0);
	off_t end = 0;

	/* What ext4 keeps free for its own metadata. */
	setting_write("/sys/fs/ext4/pmem0/reserved_clusters", "0");
	for (off_t size = 32 << 20; file >= 0 && size >= (off_t)PAGE; size /= 2)
		while (!fallocate(file, 0, end, size))
			end += size;
	return file;
}

/* Whether a page is one of those in @map. */
static bool is_among(const char *at, const uint64_t *map, size_t npages)
{
	uint64_t pfn = page_map(at) & MAP_PFN;

	for (size_t i = 0; i < npages; i++)
		if ((map[i] & MAP_PFN) == pfn)
			return true;
	return false;
}

/*
 * Blocks that are freed while a device writes to them are given to another file, in which
 * nothing of the device's may appear.
 */
TEST_F(dax, freed_while_written)
{
	struct writer writer = {
		.device = &self->device, .at = self->at, .npages = self->npages,
	};
	double end = monotonic_seconds() + 3;
	unsigned long reused = 0;
	uint64_t freed[HUGE / PAGE], *other;
	int file, ballast = disk_fill();
	pthread_t thread;

	ASSERT_LE(0, ballast);
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_always, &writer));
	while (monotonic_seconds() < end) {
		/* The whole file's blocks are in place, in case the device was slow. */
		ASSERT_EQ(0, ftruncate(self->file, variant->size));
		ASSERT_EQ(0, madvise(self->at, variant->size, MADV_POPULATE_WRITE));
		ASSERT_EQ(0, page_map_read(self->at, self->npages, freed));
		usleep(2000);
		ASSERT_EQ(0, ftruncate(self->file, 0));
		file = dax_file(variant->size);
		ASSERT_LE(0, file);
		other = map_aligned(variant->size, HUGE, RW, MAP_SHARED, file);
		ASSERT_NE(NULL, other);
		for (size_t i = 0; i < variant->size / 8; i += PAGE / 8)
			other[i] = TAG;
		reused += is_among((char *)other, freed, self->npages);
		usleep(2000);
		for (size_t i = 0; i < variant->size / 8; i += PAGE / 8)
			ASSERT_EQ(TAG, cpu_read((char *)(other + i)));
		munmap(other, variant->size);
		close(file);
	}
	atomic_store(&writer.stop, true);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, writer.other);
	EXPECT_LT(0, writer.written);
	EXPECT_LT(0, writer.failed);
	EXPECT_LT(0, reused);
	close(ballast);
}

/* What a device has written is there when the file system is mounted again. */
TEST(persistent)
{
	const char *path = DAX_MOUNT "/persistent";
	struct device device = { .driver = device_open(0) };
	struct hmm_probe_info info;
	int ret = dax_mount(), file;
	char *at;

	if (ret == -ENODEV)
		SKIP(return, "no persistent memory (/dev/pmem0)");
	ASSERT_EQ(0, ret);
	device.probe = probe_open(&info);
	file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ASSERT_LE(0, file);
	ASSERT_TRUE(is_dax(file));
	ASSERT_EQ(0, ftruncate(file, PAGE));
	at = map_aligned(PAGE, PAGE, RW, MAP_SHARED, file);
	ASSERT_NE(NULL, at);
	if (device.driver < 0) {
		ASSERT_EQ(0, ioctl(device.probe, HMM_PROBE_MIRROR_INIT));
		ASSERT_EQ(0, range_add(&device, 0, at, 1));
	}
	ASSERT_EQ(0, device_write(&device, at, 0xcafe));
	ASSERT_EQ(0, msync(at, PAGE, MS_SYNC));
	munmap(at, PAGE);
	close(file);

	/* The mirror is still there, and keeps nothing of the file system busy. */
	ASSERT_EQ(0, umount(DAX_MOUNT));
	ASSERT_EQ(0, dax_mount());
	file = open(path, O_RDWR);
	ASSERT_LE(0, file);
	EXPECT_EQ(0xcafe, file_read(file, 0));
	close(file);
	EXPECT_EQ(0, unlink(path));
}

TEST_HARNESS_MAIN
