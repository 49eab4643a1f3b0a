// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of each kind of memory: what may be mirrored and what may migrate.
 *
 * A row creates memory of one kind and lists the expected snapshot, the results of
 * read and write requests, and whether its pages can be migrated. Each row runs
 * with hmm_range_fault() under both lockings, with the reference, with a section
 * of a mirror, with migrate_vma_setup() and, if one is loaded, with a driver.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "fixture_dmirror.h"

#define N	4UL
#define RW	(PROT_READ | PROT_WRITE)

#define VALID	HMM_PFN_VALID
#define WRITABLE (HMM_PFN_VALID | HMM_PFN_WRITE)
#define ERROR	HMM_PFN_ERROR

/* The access of a section: enum hmm_access, by number. */
enum { SNAPSHOT, READ, WRITE };

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

/**
 * struct memory - memory of one kind
 * @at: its address; NULL if this system has none, with the reason in @none
 * @npages: number of pages to test
 * @fd: a file to close at the end, or 0
 * @none: why there is no such memory
 */
struct memory {
	char *at;
	size_t npages;
	int fd;
	const char *none;
};

static struct memory unavailable(const char *reason)
{
	return (struct memory){ .none = reason };
}

static struct memory memory_at(void *at)
{
	if (at == MAP_FAILED)
		return unavailable(strerror(errno));
	return (struct memory){ .at = at, .npages = N };
}

static struct memory anon_untouched(int probe)
{
	struct memory m = memory_at(mmap(NULL, N * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	if (m.at)
		madvise(m.at, N * PAGE, MADV_NOHUGEPAGE);
	return m;
}

static struct memory written(struct memory m)
{
	if (m.at)
		write_pages(m.at, m.npages * PAGE);
	return m;
}

static struct memory anon(int probe)
{
	return written(anon_untouched(probe));
}

static struct memory zero_page(int probe)
{
	struct memory m = anon_untouched(probe);

	if (m.at)
		read_pages(m.at, N * PAGE);
	return m;
}

static struct memory anon_protected(int prot)
{
	struct memory m = anon(-1);

	return m.at && mprotect(m.at, N * PAGE, prot) ? unavailable(strerror(errno)) : m;
}

static struct memory anon_readonly(int probe)
{
	return anon_protected(PROT_READ);
}

static struct memory anon_none(int probe)
{
	return anon_protected(PROT_NONE);
}

/* On CPUs with protection keys, PROT_EXEC alone cannot be read. */
static struct memory anon_execute_only(int probe)
{
	return anon_protected(PROT_EXEC);
}

static struct memory anon_locked(int probe)
{
	struct memory m = anon(probe);

	return m.at && mlock(m.at, N * PAGE) ? unavailable(strerror(errno)) : m;
}

/* Sealed memory cannot be unmapped before the process exits. */
static struct memory anon_sealed(int probe)
{
	struct memory m = anon(probe);

	return m.at && syscall(SYS_mseal, m.at, N * PAGE, 0) ? unavailable(strerror(errno)) : m;
}

static struct memory anon_protection_key(int probe)
{
	struct memory m = anon(probe);
	int key = syscall(SYS_pkey_alloc, 0, 1 /* PKEY_DISABLE_ACCESS */);

	if (key < 0)
		return unavailable("no protection keys");
	if (syscall(SYS_pkey_mprotect, m.at, N * PAGE, RW, key))
		return unavailable(strerror(errno));
	return m;
}

/* Pinned until the file is closed. */
static struct memory pinned(int probe)
{
	struct memory m = anon(probe);
	int fd = m.at ? pin_longterm(m.at, N) : -1;

	if (fd < 0)
		return unavailable("gup_test cannot pin pages");
	m.fd = fd;
	return m;
}

static struct memory droppable(int probe)
{
	void *at = mmap(NULL, N * PAGE, RW, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);

	return written(memory_at(at));
}

static struct memory mark(struct memory m, int probe, unsigned int what)
{
	struct hmm_probe_mark arg = { .addr = (uintptr_t)m.at, .what = what };

	return m.at && ioctl(probe, HMM_PROBE_MARK, &arg) ? unavailable(strerror(errno)) : m;
}

/*
 * Set the VMA flag on anonymous memory, so that no CPU with shadow stacks is
 * needed. Its PTEs are writable, so only the VMA flag forbids device writes.
 */
static struct memory shadow_stack(int probe)
{
	return mark(anon(probe), probe, HMM_PROBE_MARK_SHADOW_STACK);
}

static struct memory shadow_stack_untouched(int probe)
{
	return mark(anon_untouched(probe), probe, HMM_PROBE_MARK_SHADOW_STACK);
}

/* Fault the huge page in first, then mark the VMA. */
static struct memory shadow_stack_huge(int probe)
{
	char *at = map_aligned(HUGE, HUGE, RW, MAP_PRIVATE, -1);
	struct memory m = { .at = at, .npages = HUGE / PAGE };

	if (!at || madvise(at, HUGE, MADV_HUGEPAGE))
		return unavailable("no huge pages");
	return mark(written(m), probe, HMM_PROBE_MARK_SHADOW_STACK);
}

/* A poisoned huge page that memory failure could not split: a PMD maps it. */
static struct memory poisoned_huge(int probe)
{
	char *at = map_aligned(HUGE, HUGE, RW, MAP_PRIVATE, -1);
	struct memory m = { .at = at, .npages = HUGE / PAGE };

	if (!at || madvise(at, HUGE, MADV_HUGEPAGE))
		return unavailable("no huge pages");
	return mark(written(m), probe, HMM_PROBE_MARK_POISON);
}

static struct memory poisoned(int probe)
{
	struct memory m = anon(probe);
	size_t i;
	int ret;

	for (i = 0; i < N; i++) {
		ret = page_poison(m.at + i * PAGE);
		if (ret)
			return unavailable(strerror(-ret));
	}
	return m;
}

static struct memory file_mapped(int flags, bool touched)
{
	int fd = memory_file(N * PAGE);
	char byte = 1;
	size_t i;

	if (fd < 0)
		return unavailable(strerror(-fd));
	for (i = 0; i < N; i++)
		if (pwrite(fd, &byte, 1, i * PAGE) != 1)
			return unavailable(strerror(errno));

	struct memory m = memory_at(mmap(NULL, N * PAGE, RW, flags, fd, 0));

	m.fd = fd;
	if (!m.at)
		return m;
	read_pages(m.at, N * PAGE);
	return touched ? written(m) : m;
}

static struct memory file_shared(int probe)
{
	return file_mapped(MAP_SHARED, true);
}

static struct memory file_private(int probe)
{
	return file_mapped(MAP_PRIVATE, false);
}

static struct memory file_private_written(int probe)
{
	return file_mapped(MAP_PRIVATE, true);
}

/*
 * A file whose pages are persistent memory, all of it a hole. One of @size 2 MiB is
 * mapped by a PMD, as far as the file system has contiguous blocks; dax.c sees to that.
 */
static struct memory dax_mapped(size_t size, int flags)
{
	int fd = dax_file(size);
	struct memory m;

	if (fd < 0)
		return unavailable(fd == -ENODEV ? "no persistent memory" : strerror(-fd));
	m.at = map_aligned(size, HUGE, RW, flags, fd);
	m.npages = size / PAGE;
	m.fd = fd;
	return m.at ? m : unavailable(strerror(errno));
}

static struct memory dax(int probe)
{
	return written(dax_mapped(N * PAGE, MAP_SHARED));
}

static struct memory dax_huge(int probe)
{
	return written(dax_mapped(HUGE, MAP_SHARED));
}

/* Where a write fault waits until the file system's metadata is on the disk. */
static struct memory dax_sync(int probe)
{
	return written(dax_mapped(N * PAGE, MAP_SHARED_VALIDATE | MAP_SYNC));
}

static struct memory dax_untouched(int probe)
{
	return dax_mapped(N * PAGE, MAP_SHARED);
}

/* A hole that was read: the zero page, which a write replaces by a block. */
static struct memory dax_hole(int probe)
{
	struct memory m = dax_mapped(N * PAGE, MAP_SHARED);

	if (m.at)
		read_pages(m.at, N * PAGE);
	return m;
}

static struct memory dax_hole_huge(int probe)
{
	struct memory m = dax_mapped(HUGE, MAP_SHARED);

	if (m.at)
		read_pages(m.at, HUGE);
	return m;
}

/* The file has blocks: they were written through another mapping. */
static struct memory dax_private_mapped(size_t size, bool touched)
{
	struct memory m = written(dax_mapped(size, MAP_SHARED));

	if (!m.at)
		return m;
	munmap(m.at, size);
	m.at = map_aligned(size, HUGE, RW, MAP_PRIVATE, m.fd);
	if (!m.at)
		return unavailable(strerror(errno));
	read_pages(m.at, size);
	return touched ? written(m) : m;
}

static struct memory dax_private(int probe)
{
	return dax_private_mapped(N * PAGE, false);
}

static struct memory dax_private_huge(int probe)
{
	return dax_private_mapped(HUGE, false);
}

static struct memory dax_private_written(int probe)
{
	return dax_private_mapped(N * PAGE, true);
}

/* A fault in a guard region is a SIGSEGV. Its pages were present before. */
static struct memory guarded(int probe)
{
	struct memory m = anon(probe);

	return m.at && madvise(m.at, N * PAGE, MADV_GUARD_INSTALL) ?
	       unavailable(strerror(errno)) : m;
}

/* Far from where the kernel maps what is mapped during the test. */
static struct memory no_vma(int probe)
{
	struct memory m = memory_at(mmap((void *)(1UL << 32), N * PAGE, RW,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));

	written(m);
	if (m.at)
		munmap(m.at, N * PAGE);
	return m;
}

/* The address of the first mapping of a name, or 0. */
static unsigned long mapping_named(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start = 0;
	char line[256];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, name) && sscanf(line, "%lx-", &start) == 1)
			break;
	if (maps)
		fclose(maps);
	return start;
}

/* The gate area of x86-64: a VMA that no address space has, behind all user addresses. */
static struct memory gate_area(int probe)
{
	unsigned long start = mapping_named("[vsyscall]");

	if (!start)
		return unavailable("no vsyscall page");
	return (struct memory){ .at = (char *)start, .npages = 1 };
}

static struct memory shared(int probe)
{
	return written(memory_at(mmap(NULL, N * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0)));
}

static struct memory hugetlb(int probe)
{
	struct memory m;

	if (huge_pages_reserve(HUGE / 1024, 2))
		return unavailable("no pages of hugetlb");
	m = memory_at(mmap(NULL, HUGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0));
	m.npages = HUGE / PAGE;
	return written(m);
}

static struct memory secret_untouched(int probe)
{
	int fd = syscall(SYS_memfd_secret, 0);
	struct memory m;

	if (fd < 0)
		return unavailable("no memfd_secret()");
	if (ftruncate(fd, N * PAGE))
		return unavailable(strerror(errno));
	m = memory_at(mmap(NULL, N * PAGE, RW, MAP_SHARED, fd, 0));
	m.fd = fd;
	return m;
}

static struct memory secret(int probe)
{
	return written(secret_untouched(probe));
}

/* Map the file's pages in a different order. */
static struct memory secret_remapped(int probe)
{
	struct memory m = secret(probe);

	if (m.at && syscall(SYS_remap_file_pages, m.at, PAGE, 0, 2, 0))
		return unavailable(strerror(errno));
	return written(m);
}

/* Whether all addresses map the same page. */
static bool is_one_page(const struct memory *m)
{
	uint64_t pfn = page_map(m->at) & MAP_PFN;
	size_t i;

	for (i = 1; i < m->npages; i++)
		if ((page_map(m->at + i * PAGE) & MAP_PFN) != pfn)
			return false;
	return true;
}

/* Wait for ksmd to merge the pages; it merges those it has scanned twice. */
static struct memory merged(int probe)
{
	struct memory m = anon(probe);
	int i;

	if (setting_write("/sys/kernel/mm/ksm/run", "0") < 0)
		return unavailable("no KSM");
	setting_write("/sys/kernel/mm/ksm/sleep_millisecs", "1");
	setting_write("/sys/kernel/mm/ksm/pages_to_scan", "1000");
	memset(m.at, 0x6b, N * PAGE);
	if (madvise(m.at, N * PAGE, MADV_MERGEABLE))
		return unavailable(strerror(errno));
	setting_write("/sys/kernel/mm/ksm/run", "1");
	for (i = 0; i < 1000 && !is_one_page(&m); i++)
		usleep(10000);
	setting_write("/sys/kernel/mm/ksm/run", "0");
	return i == 1000 ? unavailable("ksmd has merged nothing") : m;
}

/*
 * Read pages that are swapped out and shared with a child: they stay in the swap
 * cache, because the child's PTEs still refer to their swap slots.
 */
static struct memory swap_shared(int probe)
{
	struct memory m = anon(probe);
	size_t i;
	pid_t pid;

	if (swap_ready())
		return unavailable("no swap");
	madvise(m.at, N * PAGE, MADV_PAGEOUT);
	for (i = 0; i < N; i++)
		if (!(page_map(m.at + i * PAGE) & MAP_SWAPPED))
			return unavailable("the pages were not swapped out");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	read_pages(m.at, N * PAGE);
	return pid < 0 ? unavailable(strerror(errno)) : m;
}

/* Kernel memory that is mapped in every process. */
static struct memory vdso(int probe)
{
	struct memory m = memory_at((void *)getauxval(AT_SYSINFO_EHDR));

	m.npages = 1;
	if (!m.at)
		return unavailable("no vDSO");
	read_pages(m.at, PAGE);
	return m;
}

/* A VM_PFNMAP area for the clocks of hypervisors; nothing is mapped in it. */
static struct memory vvar_vclock(int probe)
{
	unsigned long start = mapping_named("[vvar_vclock]");

	if (!start)
		return unavailable("no vvar_vclock");
	return (struct memory){ .at = (char *)start, .npages = 1 };
}

/* An asynchronous I/O ring: pages of a file that the kernel writes to. */
static struct memory aio_ring(int probe)
{
	unsigned long context = 0;

	if (syscall(SYS_io_setup, 1, &context))
		return unavailable("no asynchronous I/O");
	read_pages((char *)context, PAGE);
	return (struct memory){ .at = (char *)context, .npages = 1 };
}

static struct memory probe_mapped(int probe, int what, size_t npages)
{
	struct memory m = memory_at(mmap(NULL, npages * PAGE, RW, MAP_SHARED, probe, what * PAGE));

	m.npages = npages;
	return m;
}

static struct memory pfnmap(int probe)
{
	return probe_mapped(probe, HMM_PROBE_MAP_PFNMAP, 2);
}

static struct memory mixed(int probe)
{
	struct memory m = probe_mapped(probe, HMM_PROBE_MAP_MIXED, 1);

	if (m.at)
		read_pages(m.at, PAGE);
	return m;
}

static struct memory mixed_special(int probe)
{
	struct memory m = probe_mapped(probe, HMM_PROBE_MAP_MIXED, 2);

	if (!m.at)
		return m;
	read_pages(m.at, 2 * PAGE);
	m.at += PAGE;
	m.npages = 1;
	return m;
}

static struct memory hidden(int probe)
{
	struct memory m = probe_mapped(probe, HMM_PROBE_MAP_HIDDEN, 1);

	return m.at ? written(m) : unavailable("pages cannot be unmapped from the direct map");
}

static struct memory driver_poisoned(int probe)
{
	return mark(mixed(probe), probe, HMM_PROBE_MARK_POISON);
}

/**
 * struct row - a row of the table
 * @make: create the memory, with its pages present if possible
 * @snapshot: flags of each hmm pfn in a snapshot; 0 for absent pages
 * @read: result of a request for read access
 * @write: result of a request for write access
 * @ref_snapshot: @snapshot of the reference, if @differs
 * @ref_read: @read of the reference, if @differs
 * @ref_write: @write of the reference, if @differs
 * @migrate: result of migrate_vma_setup()
 * @moves: whether the pages can be migrated
 * @unreachable: result of accesses by a driver whose device the CPU simulates, if
 *	it is not @read and @write
 * @differs: whether the reference is known to differ
 * @poison: whether to clear PG_hwpoison at the end
 * @not_user: these are not user addresses, so that drivers refuse every command
 */
struct row {
	struct memory (*make)(int probe);
	uint64_t snapshot;
	int read;
	int write;
	uint64_t ref_snapshot;
	int ref_read;
	int ref_write;
	int migrate;
	bool moves;
	int unreachable;
	bool differs;
	bool poison;
	bool not_user;
};

/*
 * &row.ref_write of shadow stacks: without CPU support their PTEs never become
 * writable, and the reference faults forever.
 */
#define NOT_TRIED 1

FIXTURE(kind) {
	struct hmm_probe_info info;
	struct memory memory;
	uint64_t *hmm_pfns;
	int probe;
};

FIXTURE_VARIANT(kind) {
	struct row row;
};

#define KIND(name, ...)							\
	FIXTURE_VARIANT_ADD(kind, name) { .row = { .make = name, __VA_ARGS__ } }

/* Ordinary memory. */
KIND(anon, .snapshot = WRITABLE, .moves = true);
KIND(anon_untouched, .moves = true);
KIND(zero_page, .snapshot = VALID, .moves = true);
KIND(anon_readonly, .snapshot = VALID, .write = -EPERM, .moves = true);
KIND(anon_locked, .snapshot = WRITABLE, .moves = true);
KIND(anon_sealed, .snapshot = WRITABLE, .moves = true);
KIND(anon_protection_key, .snapshot = WRITABLE, .moves = true);
KIND(file_private_written, .snapshot = WRITABLE, .moves = true);

/* Cannot be read, so a device gets an error. The pages can be migrated. */
KIND(anon_none, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT, .moves = true);
KIND(anon_execute_only, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT, .moves = true);

/* Can be accessed in place, but not migrated. */
KIND(file_private, .snapshot = VALID);
KIND(file_shared, .snapshot = WRITABLE);
KIND(shared, .snapshot = WRITABLE);
KIND(merged, .snapshot = VALID);
KIND(swap_shared, .snapshot = VALID);
KIND(pinned, .snapshot = WRITABLE);
KIND(hugetlb, .snapshot = WRITABLE, .migrate = -EINVAL);
KIND(droppable, .snapshot = WRITABLE, .migrate = -EINVAL);
KIND(aio_ring, .snapshot = VALID, .migrate = -EINVAL);
KIND(mixed, .snapshot = WRITABLE, .migrate = -EINVAL);
KIND(dax, .snapshot = WRITABLE, .migrate = -EINVAL);
KIND(dax_huge, .snapshot = WRITABLE, .migrate = -EINVAL);
KIND(dax_sync, .snapshot = WRITABLE, .migrate = -EINVAL);
KIND(dax_untouched, .migrate = -EINVAL);
KIND(dax_hole, .snapshot = VALID, .migrate = -EINVAL);
KIND(dax_hole_huge, .snapshot = VALID, .migrate = -EINVAL);
KIND(dax_private, .snapshot = VALID, .migrate = -EINVAL);
KIND(dax_private_huge, .snapshot = VALID, .migrate = -EINVAL);
KIND(dax_private_written, .snapshot = WRITABLE, .migrate = -EINVAL);
KIND(vdso, .snapshot = VALID, .write = -EPERM, .migrate = -EINVAL);
KIND(poisoned_huge, .snapshot = WRITABLE, .poison = true, .unreachable = -EIO);

/* Only the process itself may write. */
KIND(shadow_stack, .snapshot = VALID, .write = -EPERM, .migrate = -EINVAL,
     .differs = true, .ref_snapshot = WRITABLE);
KIND(shadow_stack_untouched, .write = -EPERM, .migrate = -EINVAL, .differs = true,
     .ref_write = NOT_TRIED);
KIND(shadow_stack_huge, .snapshot = VALID, .write = -EPERM, .migrate = -EINVAL,
     .differs = true, .ref_snapshot = WRITABLE);

/* Cannot be accessed by a device. */
KIND(secret, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT, .migrate = -EINVAL,
     .differs = true, .ref_snapshot = WRITABLE);
KIND(secret_untouched, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT,
     .migrate = -EINVAL, .differs = true);
KIND(secret_remapped, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT,
     .migrate = -EINVAL, .differs = true, .ref_snapshot = WRITABLE);
KIND(pfnmap, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT, .migrate = -EINVAL);
KIND(vvar_vclock, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT, .migrate = -EINVAL);
KIND(mixed_special, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT, .migrate = -EINVAL);
KIND(poisoned, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT,
     .differs = true, .ref_snapshot = 0, .ref_read = -EFAULT, .ref_write = -EFAULT);

KIND(guarded, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT,
     .differs = true, .ref_snapshot = 0, .ref_read = -EFAULT, .ref_write = -EFAULT);
KIND(no_vma, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT, .migrate = -EINVAL);
KIND(gate_area, .snapshot = ERROR, .read = -EFAULT, .write = -EFAULT, .migrate = -EINVAL,
     .not_user = true);

/* A driver's pages that a device can access but the CPU must not. */
KIND(hidden, .snapshot = WRITABLE, .migrate = -EINVAL, .unreachable = -EIO);
KIND(driver_poisoned, .snapshot = WRITABLE, .migrate = -EINVAL, .poison = true,
     .unreachable = -EIO);

FIXTURE_SETUP(kind)
{
	self->probe = probe_open(&self->info);
	self->hmm_pfns = calloc(HUGE / PAGE, sizeof(uint64_t));
	ASSERT_NE(NULL, self->hmm_pfns);
	self->memory = variant->row.make(self->probe);
	if (!self->memory.at)
		SKIP(return, "%s", self->memory.none);
}

FIXTURE_TEARDOWN(kind)
{
	struct hmm_probe_mark arg = {
		.addr = (uintptr_t)self->memory.at,
		.what = HMM_PROBE_MARK_NO_POISON,
	};

	if (self->memory.at && variant->row.poison)
		ioctl(self->probe, HMM_PROBE_MARK, &arg);
	if (self->memory.fd > 0)
		close(self->memory.fd);
	close(self->probe);
}

typedef FIXTURE_DATA(kind) kind_data;

/* Walk with @flags as the request for every page; return the error. */
static int walk(kind_data *self, enum hmm_probe_core core, uint32_t how, uint64_t flags)
{
	struct hmm_probe_walk arg = {
		.addr = (uintptr_t)self->memory.at,
		.npages = self->memory.npages,
		.hmm_pfns = (uintptr_t)self->hmm_pfns,
		.default_flags = flags,
		.core = core,
		.how = how,
	};

	memset(self->hmm_pfns, 0, self->memory.npages * sizeof(uint64_t));
	return ioctl(self->probe, HMM_PROBE_WALK, &arg) ? -errno : arg.error;
}

/* Run a section of a mirror, which walks under the per-VMA lock. */
static int section(kind_data *self, unsigned int access)
{
	struct hmm_probe_span span = {
		.start = (uintptr_t)self->memory.at,
		.end = (uintptr_t)self->memory.at + self->memory.npages * PAGE,
	};
	struct hmm_probe_section arg = {
		.start = span.start,
		.end = span.end,
		.hmm_pfns = (uintptr_t)self->hmm_pfns,
		.access = access,
	};
	int ret = -EBADF;

	memset(self->hmm_pfns, 0, self->memory.npages * sizeof(uint64_t));
	if (!ioctl(self->probe, HMM_PROBE_MIRROR_INIT) &&
	    !ioctl(self->probe, HMM_PROBE_RANGE_ADD, &span))
		ret = ioctl(self->probe, HMM_PROBE_SECTION, &arg) ? -errno : arg.error;
	ioctl(self->probe, HMM_PROBE_MIRROR_EXIT);
	return ret;
}

/* Count the leading pages reported with exactly these flags and the right pfn. */
static size_t reported(kind_data *self, uint64_t flags)
{
	size_t i, nr = 0;

	for (i = 0; i < self->memory.npages; i++) {
		uint64_t hmm_pfn = self->hmm_pfns[i];

		if (hmm_pfn_flags(hmm_pfn) != flags)
			break;
		if (flags & HMM_PFN_VALID &&
		    hmm_pfn_to_pfn(hmm_pfn) != (page_map(self->memory.at + i * PAGE) & MAP_PFN))
			break;
		nr++;
	}
	return nr;
}

static const uint32_t hows[] = { 0, HMM_PROBE_UNLOCKED };

TEST_F(kind, snapshot)
{
	const struct row *row = &variant->row;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hows); i++) {
		ASSERT_EQ(0, walk(self, HMM_PROBE_CORE, hows[i], 0));
		EXPECT_EQ(self->memory.npages, reported(self, row->snapshot));
	}
	ASSERT_EQ(0, section(self, SNAPSHOT));
	EXPECT_EQ(self->memory.npages, reported(self, row->snapshot));
}

/* Whether every page has the requested access. */
static bool satisfied(kind_data *self, unsigned int access)
{
	uint64_t flags = self->hmm_pfns[0] & WRITABLE;

	return (access == WRITE ? flags == WRITABLE : flags & VALID) &&
	       reported(self, flags) == self->memory.npages;
}

static void requests(struct __test_metadata *_metadata, kind_data *self, uint64_t flags,
		     unsigned int access, int want)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hows); i++) {
		EXPECT_EQ(want, walk(self, HMM_PROBE_CORE, hows[i], flags));
		if (!want)
			EXPECT_TRUE(satisfied(self, access));
	}
	EXPECT_EQ(want, section(self, access));
	if (!want)
		EXPECT_TRUE(satisfied(self, access));
}

TEST_F(kind, read)
{
	requests(_metadata, self, REQ_FAULT, READ, variant->row.read);
}

/* A request that fails must fault nothing in. */
TEST_F(kind, write)
{
	const struct row *row = &variant->row;
	uint64_t before = page_map(self->memory.at);

	requests(_metadata, self, REQ_RW, WRITE, row->write);
	if (row->write)
		EXPECT_EQ(before, page_map(self->memory.at));
}

/* Memory that the device may only read is not reported as writable. */
TEST_F(kind, read_only)
{
	const struct row *row = &variant->row;

	if (row->read || row->write != -EPERM)
		SKIP(return, "writable or unreadable memory");
	ASSERT_EQ(0, walk(self, HMM_PROBE_CORE, 0, REQ_FAULT));
	EXPECT_EQ(self->memory.npages, reported(self, VALID));
	ASSERT_EQ(0, section(self, READ));
	EXPECT_EQ(self->memory.npages, reported(self, VALID));
}

/* The reference has the same results, or those that are known to differ. */
TEST_F(kind, reference)
{
	const struct row *row = &variant->row;

	if (!(self->info.has & HMM_PROBE_HAS_REFERENCE))
		SKIP(return, "no reference core (CONFIG_HMM_REFERENCE)");
	ASSERT_EQ(0, walk(self, HMM_PROBE_REFERENCE, 0, 0));
	EXPECT_EQ(self->memory.npages,
		  reported(self, row->differs ? row->ref_snapshot : row->snapshot));
	EXPECT_EQ(row->differs ? row->ref_read : row->read,
		  walk(self, HMM_PROBE_REFERENCE, 0, REQ_FAULT));
	if (row->ref_write == NOT_TRIED)
		return;
	EXPECT_EQ(row->differs ? row->ref_write : row->write,
		  walk(self, HMM_PROBE_REFERENCE, 0, REQ_RW));
}

/* Setup rejects memory that cannot be migrated and leaves its PTEs unchanged. */
TEST_F(kind, migrate)
{
	struct hmm_probe_span span = {
		.start = (uintptr_t)self->memory.at,
		.end = (uintptr_t)self->memory.at + self->memory.npages * PAGE,
	};
	uint64_t before = page_map(self->memory.at);
	int ret;

	if (!(self->info.has & HMM_PROBE_HAS_MIGRATION))
		SKIP(return, "no migration in this kernel");
	ret = ioctl(self->probe, HMM_PROBE_MIGRATE, &span) ? -errno : 0;
	EXPECT_EQ(variant->row.migrate, ret);
	if (!ret)
		EXPECT_EQ(variant->row.moves ? self->memory.npages : 0, span.pages);
	EXPECT_EQ(before, page_map(self->memory.at));
}

/* Access through a driver whose device the CPU simulates. */
TEST_F(kind, driver_access)
{
	const struct row *row = &variant->row;
	int device = device_open(0), want;

	if (device < 0)
		SKIP(return, "no driver is loaded");
	want = row->unreachable ?: row->read ?: (int)self->memory.npages;
	EXPECT_EQ(want, device_call(device, HMM_DMIRROR_READ, self->memory.at,
				    self->memory.npages));
	want = row->unreachable ?: row->write ?: (int)self->memory.npages;
	EXPECT_EQ(want, device_call(device, HMM_DMIRROR_WRITE, self->memory.at,
				    self->memory.npages));
	close(device);
}

static size_t snapshot_bytes(int device, kind_data *self, unsigned char want)
{
	unsigned char *prot = calloc(self->memory.npages, 1);
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)self->memory.at,
		.ptr = (uintptr_t)prot,
		.npages = self->memory.npages,
	};
	size_t nr = 0;

	if (!ioctl(device, HMM_DMIRROR_SNAPSHOT, &cmd))
		while (nr < self->memory.npages &&
		       (prot[nr] == HMM_DMIRROR_PROT_ERROR ? prot[nr] : prot[nr] & 3) == want)
			nr++;
	free(prot);
	return nr;
}

TEST_F(kind, driver_snapshot)
{
	const struct row *row = &variant->row;
	int device = device_open(0);
	unsigned char want = HMM_DMIRROR_PROT_NONE;

	if (device < 0)
		SKIP(return, "no driver is loaded");
	if (row->not_user) {
		EXPECT_EQ(-EFAULT, device_call(device, HMM_DMIRROR_SNAPSHOT, self->memory.at,
					       self->memory.npages));
		close(device);
		return;
	}
	if (row->snapshot & HMM_PFN_ERROR)
		want = HMM_DMIRROR_PROT_ERROR;
	else if (row->snapshot)
		want = row->snapshot == WRITABLE ? HMM_DMIRROR_PROT_WRITE : HMM_DMIRROR_PROT_READ;
	EXPECT_EQ(self->memory.npages, snapshot_bytes(device, self, want));
	close(device);
}

/* Migrate to the device and back; memory that cannot be migrated is unchanged. */
TEST_F(kind, driver_migrate)
{
	const struct row *row = &variant->row;
	int device = device_open(0);
	int want = row->moves ? (int)self->memory.npages : -ENOENT, back;

	if (device < 0)
		SKIP(return, "no driver is loaded");
	/* The drivers reject migratable memory that the process cannot read. */
	if (row->migrate || (row->read && row->moves))
		want = -EINVAL;
	if (row->not_user)
		want = -EFAULT;
	EXPECT_EQ(want, device_call(device, HMM_DMIRROR_MIGRATE_TO_DEV, self->memory.at,
				    self->memory.npages));
	/* Migrating to system memory finds no device pages, which is no error. */
	back = device_call(device, HMM_DMIRROR_MIGRATE_TO_SYS, self->memory.at,
			   self->memory.npages);
	if (row->not_user) {
		EXPECT_EQ(-EFAULT, back);
	} else if (want == -EINVAL) {
		EXPECT_TRUE(back == -EINVAL || back == 0);
	} else {
		EXPECT_EQ(want == -ENOENT ? 0 : want, back);
	}
	close(device);
}

/*
 * MADV_HWPOISON can set PG_hwpoison on the zero page, which all processes keep
 * using. It must stay readable for devices.
 */
TEST(zero_page_poisoned)
{
	char *at = anon_untouched(-1).at;
	struct hmm_probe_mark arg = { .addr = (uintptr_t)at, .what = HMM_PROBE_MARK_POISON };
	int probe = open(HMM_PROBE_DEVICE, O_RDWR), device = device_open(0);

	if (device < 0)
		SKIP(return, "no driver is loaded");
	read_pages(at, N * PAGE);
	ASSERT_EQ(0, ioctl(probe, HMM_PROBE_MARK, &arg));
	EXPECT_EQ(N, device_call(device, HMM_DMIRROR_READ, at, N));
	arg.what = HMM_PROBE_MARK_NO_POISON;
	EXPECT_EQ(0, ioctl(probe, HMM_PROBE_MARK, &arg));
	close(device);
	close(probe);
}

/*
 * ksmd merges pages while they migrate to a device and back. A KSM page must
 * never be in device-private memory, where ksmd could not compare its content.
 * ksmd can be faster than the first migration, each time; the contents of the
 * last page are nowhere else, so that it migrates always.
 */
TEST(merged_while_migrating)
{
	const size_t npages = 64;
	int device = device_open(0), moved = 0, merged = 0;
	time_t end = time(NULL) + 4, latest = end + 30;
	char sharing[32] = "";
	char *at = mmap(NULL, npages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (device < 0)
		SKIP(return, "no driver is loaded");
	if (setting_write("/sys/kernel/mm/ksm/sleep_millisecs", "0") < 0)
		SKIP(return, "no KSM");
	ASSERT_NE(MAP_FAILED, at);
	setting_write("/sys/kernel/mm/ksm/pages_to_scan", "1000");
	setting_write("/sys/kernel/mm/ksm/run", "1");
	madvise(at, npages * PAGE, MADV_NOHUGEPAGE);
	madvise(at, npages * PAGE, MADV_MERGEABLE);
	while (time(NULL) < end || (!merged && time(NULL) < latest)) {
		for (size_t i = 0; i < npages; i++)
			memset(at + i * PAGE, i < npages - 1 ? i % 4 : 99, PAGE);
		for (int round = 0; round < 8; round++) {
			/* Reports an error if a single page stays, as merged ones do. */
			device_call(device, HMM_DMIRROR_MIGRATE_TO_DEV, at, npages);
			moved += device_holds(device, at, npages,
					      HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL) > 0;
			usleep(round * 300);
			device_call(device, HMM_DMIRROR_MIGRATE_TO_SYS, at, npages);
		}
		setting_read("/sys/kernel/mm/ksm/pages_sharing", sharing, sizeof(sharing));
		merged += atoi(sharing) > 0;
		for (size_t i = 0; i < npages; i++)
			ASSERT_EQ(i < npages - 1 ? i % 4 : 99, at[i * PAGE + i]);
	}
	EXPECT_LT(0, moved);
	EXPECT_LT(0, merged);
	setting_write("/sys/kernel/mm/ksm/run", "2");
	setting_write("/sys/kernel/mm/ksm/run", "0");
	close(device);
}

TEST_HARNESS_MAIN
