// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <mm/gup_test.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hmm_user.h"

int page_map_read(const void *addr, size_t npages, uint64_t *map)
{
	off_t at = (uintptr_t)addr / PAGE * sizeof(*map);
	size_t size = npages * sizeof(*map);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = pread(fd, map, size, at);
	close(fd);
	return got == (ssize_t)size ? 0 : -EIO;
}

uint64_t page_map(const void *addr)
{
	uint64_t map;

	return page_map_read(addr, 1, &map) ? 0 : map & ~MAP_SOFT_DIRTY;
}

bool has_soft_dirty(void)
{
	volatile char *at = map_aligned(PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	uint64_t map = 0;

	if (!at)
		return false;
	*at = 1;
	page_map_read((void *)at, 1, &map);
	munmap((void *)at, PAGE);
	return map & MAP_SOFT_DIRTY;
}

int probe_open(struct hmm_probe_info *info)
{
	int fd = open(HMM_PROBE_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, HMM_PROBE_INFO, info)) {
		fprintf(stderr, "%s: %s; load hmm_probe.ko, as root\n",
			HMM_PROBE_DEVICE, strerror(errno));
		exit(1);
	}
	return fd;
}

bool hmm_pfn_order_valid(const uint64_t *hmm_pfns, size_t npages, uint64_t addr,
			 size_t i)
{
	unsigned int order = hmm_pfn_order(hmm_pfns[i]);
	size_t nr = 1UL << order;
	uint64_t index = addr / PAGE + i;
	size_t j, first;

	if (!order)
		return true;
	if (index % nr > i)
		return false;
	first = i - index % nr;
	if (first + nr > npages || hmm_pfn_to_pfn(hmm_pfns[first]) % nr)
		return false;
	for (j = 0; j < nr; j++) {
		uint64_t hmm_pfn = hmm_pfns[first + j] & ~HMM_PFN_INOUT_FLAGS;

		if (hmm_pfn != (hmm_pfns[first] & ~HMM_PFN_INOUT_FLAGS) + j)
			return false;
	}
	return hmm_pfns[first] & HMM_PFN_VALID;
}

int setting_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	ssize_t put;

	if (fd < 0)
		return -errno;
	put = write(fd, value, strlen(value));
	if (put < 0)
		put = -errno;
	close(fd);
	return put < 0 ? put : 0;
}

/* Read at most @size - 1 bytes of a file, with all of their lines. */
static int file_read(const char *path, char *value, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, value, size - 1);
	close(fd);
	if (got < 0)
		return -EIO;
	value[got] = 0;
	return 0;
}

int setting_read(const char *path, char *value, size_t size)
{
	int ret = file_read(path, value, size);

	if (!ret)
		value[strcspn(value, "\n")] = 0;
	return ret;
}

uint64_t env_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

double monotonic_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int module_load(const char *name, const char *options)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/modules/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, options, 0) ? -errno : 0;
	close(fd);
	return ret;
}

#define CGROUPS	"/tmp/hmm-cgroups"

int cgroup_set(const char *group, const char *file, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUPS "/%s/%s", group, file);
	return setting_write(path, value);
}

long cgroup_number(const char *group, const char *file)
{
	char path[128], value[64];

	snprintf(path, sizeof(path), CGROUPS "/%s/%s", group, file);
	return setting_read(path, value, sizeof(value)) ? -1 : atol(value);
}

int cgroup_read(const char *group, const char *file, char *text, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUPS "/%s/%s", group, file);
	return file_read(path, text, size);
}

int cgroup_make(const char *group, const char *limit)
{
	char path[128];

	mkdir(CGROUPS, 0755);
	if (access(CGROUPS "/cgroup.procs", F_OK) &&
	    mount("none", CGROUPS, "cgroup2", 0, NULL))
		return -errno;
	cgroup_set(".", "cgroup.subtree_control", "+memory");
	snprintf(path, sizeof(path), CGROUPS "/%s", group);
	mkdir(path, 0755);
	return cgroup_set(group, "memory.max", limit);
}

int cgroup_enter(const char *group)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	return cgroup_set(group, "cgroup.procs", pid);
}

void cgroup_leave(const char *group)
{
	char path[128];

	cgroup_enter(".");
	snprintf(path, sizeof(path), CGROUPS "/%s", group);
	for (int i = 0; i < 100 && rmdir(path); i++)
		usleep(10000);
}

bool wait_blocked(pid_t tid)
{
	char path[64], text[256], *state;
	int tries, blocked = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	for (tries = 0; tries < 1000 && blocked < 5; tries++) {
		usleep(10000);
		if (setting_read(path, text, sizeof(text)))
			return false;
		state = strrchr(text, ')');
		if (!state || state[2] == 'Z')
			return false;
		blocked = state[2] == 'D' ? blocked + 1 : 0;
	}
	return blocked == 5;
}

int huge_pages_reserve(unsigned long kb, unsigned long count)
{
	char path[128], text[32];
	unsigned long free_now;

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/hugepages/hugepages-%lukB/free_hugepages", kb);
	if (setting_read(path, text, sizeof(text)))
		return -ENODEV;
	free_now = strtoul(text, NULL, 10);
	if (free_now >= count)
		return 0;
	*strrchr(path, '/') = 0;
	strcat(path, "/nr_hugepages");
	if (setting_read(path, text, sizeof(text)))
		return -ENODEV;
	snprintf(text, sizeof(text), "%lu",
		 strtoul(text, NULL, 10) + count - free_now);
	setting_write(path, text);
	*strrchr(path, '/') = 0;
	strcat(path, "/free_hugepages");
	if (setting_read(path, text, sizeof(text)))
		return -ENODEV;
	return strtoul(text, NULL, 10) >= count ? 0 : -ENOMEM;
}

int large_folios_allow(unsigned long kb, bool allow)
{
	char path[128];

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/transparent_hugepage/hugepages-%lukB/enabled",
		 kb);
	return setting_write(path, allow ? "madvise" : "never");
}

/* Write a swap header of version 1 for @pages pages, as mkswap does. */
static int swap_format(const char *path, uint32_t pages)
{
	char header[PAGE] = { 0 };
	uint32_t numbers[3] = { 1, pages - 1, 0 };
	int fd = open(path, O_WRONLY);
	ssize_t put;

	if (fd < 0)
		return -errno;
	memcpy(header + 1024, numbers, sizeof(numbers));
	memcpy(header + PAGE - 10, "SWAPSPACE2", 10);
	put = write(fd, header, sizeof(header));
	close(fd);
	return put == sizeof(header) ? 0 : -EIO;
}

static bool swap_is_on(void)
{
	char text[1024] = "";
	int fd = open("/proc/swaps", O_RDONLY);
	size_t got;

	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	return got < sizeof(text) && strstr(text, "\n/");
}

int swap_ready(void)
{
	const char *path = "/dev/zram0";
	char number[32];
	unsigned int major, minor;

	if (swap_is_on())
		return 0;
	if (setting_read("/sys/block/zram0/dev", number, sizeof(number)) ||
	    sscanf(number, "%u:%u", &major, &minor) != 2)
		return -ENODEV;
	if (access(path, F_OK) &&
	    mknod(path, S_IFBLK | 0600, makedev(major, minor)))
		return -errno;
	if (setting_write("/sys/block/zram0/disksize", "256M") ||
	    swap_format(path, (256 << 20) / PAGE))
		return -EIO;
	return swapon(path, 0) ? -errno : 0;
}

void *map_aligned(size_t size, size_t align, int prot, int flags, int fd)
{
	char *room, *at;

	room = mmap(NULL, size + align, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		return NULL;
	at = (char *)(((uintptr_t)room + align - 1) & ~(align - 1));
	munmap(room, size + align);
	if (fd < 0)
		flags |= MAP_ANONYMOUS;
	at = mmap(at, size, prot, flags | MAP_FIXED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

int memory_file(size_t size)
{
	int fd = memfd_create("hmm", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size)) {
		close(fd);
		return -EIO;
	}
	return fd;
}

#define DAX_DISK	"/dev/pmem0"
#define EXT4_MAGIC	0xef53

/* Where the superblock of ext4 has its incompatible features, and that of extents. */
#define EXT4_INCOMPAT	(1024 + 0x60)
#define EXT4_EXTENTS	0x40

/* Whether the beginning of a disk is empty, so that no data is lost by formatting it. */
static bool disk_is_blank(const char *path)
{
	const size_t size = 1 << 20;
	char *start = calloc(2, size);
	int fd = open(path, O_RDONLY);
	bool blank = start && fd >= 0 && read(fd, start, size) == (ssize_t)size &&
		     !memcmp(start, start + size, size);

	if (fd >= 0)
		close(fd);
	free(start);
	return blank;
}

static int mke2fs_run(const char *path)
{
	int status, null;
	pid_t child = fork();

	if (!child) {
		null = open("/dev/null", O_RDWR);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execlp("mke2fs", "mke2fs", "-F", "-b", "4096", path, NULL);
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -errno;
	return status ? -EIO : 0;
}

/* Make an ext2, and enable extents: with these ext4 maps files in large pieces. */
static int ext4_format(const char *path)
{
	uint32_t features = 0;
	int ret = mke2fs_run(path);
	int fd;

	if (ret)
		return ret;
	fd = open(path, O_RDWR);
	if (fd < 0)
		return -errno;
	ret = -EIO;
	if (pread(fd, &features, sizeof(features), EXT4_INCOMPAT) == sizeof(features)) {
		features |= EXT4_EXTENTS;
		if (pwrite(fd, &features, sizeof(features), EXT4_INCOMPAT) == sizeof(features))
			ret = fsync(fd) ? -errno : 0;
	}
	close(fd);
	return ret;
}

int dax_mount(void)
{
	struct statfs about;
	int ret;

	if (access(DAX_DISK, F_OK))
		return -ENODEV;
	mkdir(DAX_MOUNT, 0755);
	if (!statfs(DAX_MOUNT, &about) && about.f_type == EXT4_MAGIC)
		return 0;
	if (disk_is_blank(DAX_DISK)) {
		ret = ext4_format(DAX_DISK);
		if (ret)
			return ret;
	}
	return mount(DAX_DISK, DAX_MOUNT, "ext4", 0, "dax=always") ? -errno : 0;
}

bool is_dax(int fd)
{
	struct statx about;

	return !statx(fd, "", AT_EMPTY_PATH, 0, &about) &&
	       (about.stx_attributes & STATX_ATTR_DAX);
}

int dax_file(size_t size)
{
	int ret = dax_mount();
	int fd;

	if (ret)
		return ret;
	fd = open(DAX_MOUNT, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size))
		ret = -errno;
	else if (!is_dax(fd))
		ret = -EOPNOTSUPP;
	if (ret)
		close(fd);
	return ret ?: fd;
}

static void ignore_signal(int signal)
{
}

int page_poison(void *addr)
{
	const struct sigaction ignore = { .sa_handler = ignore_signal };
	struct sigaction before;
	int ret;

	sigaction(SIGBUS, &ignore, &before);
	ret = madvise(addr, PAGE, MADV_HWPOISON) ? -errno : 0;
	sigaction(SIGBUS, &before, NULL);
	return ret;
}

int uffd_open(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

/*
 * Wait until a page fault waits for the userfaultfd. poll() of one that blocks
 * returns at once, with POLLERR.
 */
void uffd_wait(int uffd)
{
	struct pollfd ready = { .fd = uffd, .events = POLLIN };

	fcntl(uffd, F_SETFL, O_NONBLOCK);
	while (poll(&ready, 1, -1) != 1 || !(ready.revents & POLLIN))
		;
	fcntl(uffd, F_SETFL, 0);
}

int uffd_register(int uffd, void *addr, size_t size, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)addr, size },
		.mode = mode,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

int uffd_protect(int uffd, void *addr, size_t size)
{
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)addr, size },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return ioctl(uffd, UFFDIO_WRITEPROTECT, &wp) ? -errno : 0;
}

/* Bring a page that is missing, or let a page be written that is protected. */
static void uffd_resolve(int uffd, const struct uffd_msg *msg, const char *page)
{
	uint64_t addr = msg->arg.pagefault.address & ~(PAGE - 1);
	struct uffdio_writeprotect allow = { .range = { addr, PAGE } };
	struct uffdio_copy copy = { .dst = addr, .src = (uintptr_t)page, .len = PAGE };

	if (msg->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP)
		ioctl(uffd, UFFDIO_WRITEPROTECT, &allow);
	else
		ioctl(uffd, UFFDIO_COPY, &copy);
}

void *uffd_serve(void *uffd)
{
	static char page[PAGE] __attribute__((aligned(4096)));
	int fd = *(int *)uffd;
	struct uffd_msg msg;

	memset(page, 0x77, sizeof(page));
	while (read(fd, &msg, sizeof(msg)) == sizeof(msg))
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			uffd_resolve(fd, &msg, page);
	return NULL;
}

int handshake_open(struct handshake *handshake)
{
	return pipe(handshake->to_child) || pipe(handshake->to_parent) ? -errno : 0;
}

static bool byte_write(int fd)
{
	return write(fd, "", 1) == 1;
}

static bool byte_read(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1;
}

bool handshake_signal_child(struct handshake *handshake)
{
	return byte_write(handshake->to_child[1]);
}

bool handshake_wait_for_parent(struct handshake *handshake)
{
	return byte_read(handshake->to_child[0]);
}

bool handshake_signal_parent(struct handshake *handshake)
{
	return byte_write(handshake->to_parent[1]);
}

bool handshake_wait_for_child(struct handshake *handshake)
{
	return byte_read(handshake->to_parent[0]);
}

void read_pages(const void *addr, size_t size)
{
	const volatile char *at = addr;
	size_t i;

	for (i = 0; i < size; i += PAGE)
		(void)at[i];
}

void write_pages(void *addr, size_t size)
{
	volatile char *at = addr;
	size_t i;

	for (i = 0; i < size; i += PAGE)
		at[i] = 1;
}

/*
 * Pin pages for long (FOLL_LONGTERM), until the file that is returned is closed;
 * -1 on failure.
 */
int pin_longterm(const char *at, size_t npages)
{
	struct pin_longterm_test args = {
		.addr = (uintptr_t)at,
		.size = npages * PAGE,
		.flags = PIN_LONGTERM_TEST_FLAG_USE_WRITE,
	};
	int fd = open("/sys/kernel/debug/gup_test", O_RDWR);

	if (fd >= 0 && ioctl(fd, PIN_LONGTERM_TEST_START, &args)) {
		close(fd);
		return -1;
	}
	return fd;
}
