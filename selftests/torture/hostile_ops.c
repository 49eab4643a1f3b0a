// SPDX-License-Identifier: GPL-2.0
/*
 * hostile: the calls. Most are valid; in a share of them one field or several have a
 * value that makes no sense, or memory that other threads unmap meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"
#include "fixture_dmirror.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define KERNEL		0xffff888000000000UL
#define FILE_PAGES	512UL

static int devices[MAX_UNITS];
static int file = -1, uffd = -1;

/*
 * Memory that may be gone.
 */

static _Thread_local sigjmp_buf guard;
static _Thread_local volatile sig_atomic_t guarded;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	if (!guarded) {
		hostile_fail("signal %d at %p", signal, info->si_addr);
		_exit(1);
	}
	guarded = 0;
	siglongjmp(guard, 1);
}

void guard_install(void)
{
	const struct sigaction fault = {
		.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGSEGV, &fault, NULL);
}

bool guarded_copy(void *to, const void *from, size_t size)
{
	if (sigsetjmp(guard, 0))
		return false;
	guarded = 1;
	for (size_t i = 0; i < size / sizeof(uint64_t); i++)
		((volatile uint64_t *)to)[i] = ((const volatile uint64_t *)from)[i];
	guarded = 0;
	return true;
}

/* Add to values in memory, as a program on the CPU does. */
static bool guarded_add(char *at, size_t size)
{
	if (sigsetjmp(guard, 0))
		return false;
	guarded = 1;
	for (size_t i = 0; i < size; i += PAGE)
		__atomic_fetch_add((unsigned long *)(at + i), 1, __ATOMIC_RELAXED);
	guarded = 0;
	return true;
}

void scan(const void *at, size_t size)
{
	const uint64_t *values = at;
	uint64_t mask = machine.mask, secret = machine.secret >> SECRET_SHIFT;

	for (size_t i = 0; i < size / sizeof(*values); i++) {
		if ((values[i] ^ mask) >> SECRET_SHIFT == secret) {
			hostile_fail("value %zu of %zu is the secret of another process", i,
				     size / sizeof(*values));
			return;
		}
	}
	atomic_fetch_add(&shared->scanned, size / sizeof(*values));
}

/*
 * What calls are about.
 */

struct span {
	uint64_t addr;
	uint64_t npages;
};

static bool one_in(struct worker *worker, unsigned int n)
{
	return !random_below(worker, n);
}

static uint64_t arena_page(struct worker *worker)
{
	return machine.arena + random_below(worker, machine.arena_pages) * PAGE;
}

/* Whether an argument at an address is in the arena, or a part of it. */
static bool in_arena(uint64_t addr)
{
	return addr + PAGE > machine.arena && addr < machine.arena + machine.arena_pages * PAGE;
}

/*
 * Short lengths are as likely as their logarithm, and most frequent; some spans end behind
 * the arena.
 */
static struct span span_choose(struct worker *worker)
{
	unsigned int most = one_in(worker, 8) ? 10 : 3;
	struct span span = { .npages = 1 + random_below(worker, 1 << random_below(worker, most)) };

	if (one_in(worker, 512))
		span.npages += machine.arena_pages;
	span.addr = arena_page(worker);
	/* In most cases, a place that others use as well. */
	if (random_below(worker, 4))
		span.addr = machine.arena + PAGE * (random_below(worker, 8) +
			    random_below(worker, 8) * (machine.arena_pages / 8));
	return span;
}

/* The same, within the arena: what the mm is called for must not hit the program itself. */
static struct span span_inside(struct worker *worker)
{
	struct span span = span_choose(worker);
	uint64_t most = (machine.arena + machine.arena_pages * PAGE - span.addr) / PAGE;

	if (span.npages > most)
		span.npages = most;
	return span;
}

static void *span_at(struct span span)
{
	return (void *)(uintptr_t)span.addr;
}

static size_t span_size(struct span span)
{
	return span.npages * PAGE;
}

/* An address that is none, or another one than @addr, far from the program's own memory. */
static uint64_t wild_address(struct worker *worker, uint64_t addr)
{
	switch (random_below(worker, 14)) {
	case 0: return 0;
	case 1: return -1ULL;
	case 2: return addr + 1;
	case 3: return addr + PAGE / 2;
	case 4: return addr + 4;
	case 5: return TASK_END;
	case 6: return TASK_END - PAGE;
	case 7: return -PAGE;
	case 8: return 1ULL << 63;
	case 9: return KERNEL;
	case 10: return 1ULL << 47;
	case 11: return addr | 1ULL << (37 + random_below(worker, 27));
	case 12: return addr ^ 1ULL << random_below(worker, 28);
	default: return machine.arena + machine.arena_pages * PAGE - PAGE;
	}
}

/* A number of pages that is none, or more than there are. */
static uint64_t wild_number(struct worker *worker, uint64_t npages)
{
	switch (random_below(worker, 14)) {
	case 0: return 0;
	case 1: return -1ULL;
	case 2: return 1ULL << 52;
	case 3: return 1ULL << 63;
	case 4: return (1ULL << 52) + 1;
	/* These take long, as they are valid for commands whose results are bytes. */
	case 5:
		return one_in(worker, 16) ? 1ULL << 20 : 1ULL << 35;
	case 6:
		return one_in(worker, 512) ? 1ULL << 22 : 1ULL << 60;
	case 7: return 1ULL << 31;
	case 8: return 1ULL << 36;
	case 9: return TASK_END / PAGE;
	case 10: return (TASK_END - machine.arena) / PAGE;
	case 11: return (TASK_END - machine.arena) / PAGE + 1;
	case 12: return npages | 1ULL << (31 + random_below(worker, 33));
	default: return draw(worker) | 1ULL << 40;
	}
}

/* Where a command is to put its results. */
static uint64_t buffer_choose(struct worker *worker)
{
	unsigned int choice = random_below(worker, 24);
	uint64_t addr;

	if (machine.careless && choice >= 3 && choice <= 5)
		choice = 6;
	switch (choice) {
	case 0:
		addr = wild_address(worker, (uintptr_t)worker->buffer);
		return machine.careless && in_arena(addr) ? 0 : addr;
	case 1: return (uintptr_t)worker->buffer + 1 + random_below(worker, PAGE);
	case 2: return (uintptr_t)worker->buffer + (BUFFER_PAGES - 1) * PAGE;
	case 3:
	case 4: return arena_page(worker);
	case 5: return arena_page(worker) + random_below(worker, PAGE);
	default: return (uintptr_t)worker->buffer;
	}
}

/*
 * The driver's commands.
 */

/* An address for the argument of an ioctl: nearly always the argument itself. */
static void *argument_choose(struct worker *worker, void *argument, size_t size)
{
	uint64_t at;

	switch (random_below(worker, machine.careless ? 128 : 32)) {
	case 0:
		at = wild_address(worker, machine.arena);
		return machine.careless && in_arena(at) ? NULL : (void *)(uintptr_t)at;
	case 1:
	case 2:
		/* In the arena, in many cases across the end of a page. */
		at = arena_page(worker) + PAGE - 8 * random_below(worker, 8);
		if (machine.careless || !guarded_copy((void *)(uintptr_t)at, argument, size))
			return argument;
		return (void *)(uintptr_t)at;
	default:
		return argument;
	}
}

static int device_ioctl(struct worker *worker, unsigned long nr, void *argument, size_t size)
{
	int device = devices[random_below(worker, machine.nr_units)];
	void *at = argument_choose(worker, argument, size);
	int ret = ioctl(device, nr, at) ? -errno : 0;

	atomic_fetch_add(&shared->calls, 1);
	if (ret)
		atomic_fetch_add(&shared->refused, 1);
	return ret;
}

static void slot_args(struct worker *worker, uint64_t addr, uint64_t npages)
{
	if (!worker->slot)
		return;
	atomic_store(&worker->slot->addr, addr);
	atomic_store(&worker->slot->npages, npages);
}

#define UNTOUCHED	77

static struct hmm_dmirror_cmd command_make(struct worker *worker)
{
	struct span span = span_choose(worker);
	struct hmm_dmirror_cmd cmd = {
		.addr = span.addr, .npages = span.npages, .ptr = buffer_choose(worker),
		.cpages = UNTOUCHED, .faults = UNTOUCHED,
	};

	if (one_in(worker, 16))
		cmd.addr = wild_address(worker, cmd.addr);
	if (one_in(worker, 16))
		cmd.npages = wild_number(worker, cmd.npages);
	slot_args(worker, cmd.addr, cmd.npages);
	return cmd;
}

/* Run a command; what it returns must be the program's own, and an error changes nothing. */
static int command_run(struct worker *worker, unsigned long nr, struct hmm_dmirror_cmd cmd,
		       size_t results)
{
	const struct hmm_dmirror_cmd before = cmd;
	int ret = device_ioctl(worker, nr, &cmd, sizeof(cmd));

	if (ret && memcmp(&cmd, &before, sizeof(cmd)))
		hostile_fail("a command that failed (%s) has changed its argument", strerror(-ret));
	if (cmd.addr != before.addr || cmd.ptr != before.ptr || cmd.npages != before.npages)
		hostile_fail("a command has changed what is only read");
	if (!ret && cmd.ptr == (uintptr_t)worker->buffer && results)
		scan(worker->buffer, results < BUFFER_PAGES * PAGE ? results : BUFFER_PAGES * PAGE);
	return ret;
}

/* The results of the command are the data of its pages. */
static int command_data(struct worker *worker, unsigned long nr)
{
	struct hmm_dmirror_cmd cmd = command_make(worker);

	return command_run(worker, nr, cmd, cmd.npages * PAGE);
}

/* The results are one byte for each page, or nothing. */
static int command_bytes(struct worker *worker, unsigned long nr)
{
	struct hmm_dmirror_cmd cmd = command_make(worker);

	return command_run(worker, nr, cmd, (cmd.npages + 7) & ~7ULL);
}

static int op_read(struct worker *worker)
{
	return command_data(worker, HMM_DMIRROR_READ);
}

static int op_read_unlocked(struct worker *worker)
{
	return command_data(worker, HMM_DMIRROR_READ_UNLOCKED);
}

static int op_write(struct worker *worker)
{
	return command_data(worker, HMM_DMIRROR_WRITE);
}

static int op_to_dev(struct worker *worker)
{
	return command_data(worker, HMM_DMIRROR_MIGRATE_TO_DEV);
}

static int op_to_sys(struct worker *worker)
{
	return command_bytes(worker, HMM_DMIRROR_MIGRATE_TO_SYS);
}

static int op_snapshot(struct worker *worker)
{
	return command_bytes(worker, HMM_DMIRROR_SNAPSHOT);
}

static int op_exclusive(struct worker *worker)
{
	return command_data(worker, HMM_DMIRROR_EXCLUSIVE);
}

static int op_check_exclusive(struct worker *worker)
{
	return command_bytes(worker, HMM_DMIRROR_CHECK_EXCLUSIVE);
}

static int op_peek(struct worker *worker)
{
	return command_bytes(worker, HMM_DMIRROR_PEEK);
}

/* For one span of each file. */
static int op_peers(struct worker *worker)
{
	struct hmm_dmirror_cmd cmd = command_make(worker);
	int ret = command_run(worker, HMM_DMIRROR_PEERS, cmd, 0);

	return ret == -EBUSY ? 0 : ret;
}

static int op_flags(struct worker *worker)
{
	struct hmm_dmirror_cmd cmd = command_make(worker);

	if (!one_in(worker, 4))
		cmd.npages = 1;
	return command_run(worker, HMM_DMIRROR_FLAGS, cmd, 0);
}

/* Commands that concern other processes as well are refused, with any arguments. */
static int op_admin(struct worker *worker)
{
	static const unsigned long nrs[] = {
		HMM_DMIRROR_RELEASE, HMM_DMIRROR_LIMIT, HMM_DMIRROR_COPY_DELAY, HMM_DMIRROR_RETIRE,
		HMM_DMIRROR_REFUSE_PEERS,
	};
	unsigned long nr = nrs[random_below(worker, sizeof(nrs) / sizeof(nrs[0]))];
	struct hmm_dmirror_cmd cmd = command_make(worker);
	int ret;

	if (one_in(worker, 2))
		cmd.ptr = random_below(worker, 2);
	ret = command_run(worker, nr, cmd, 0);
	return ret == -EPERM ? 0 : ret ?: -EPROTO;
}

static int op_unknown(struct worker *worker)
{
	struct hmm_dmirror_cmd cmd = command_make(worker);
	unsigned long nr = draw(worker) & 0xffffffff;

	switch (random_below(worker, 4)) {
	case 0:
		nr = _IOWR('H', 0x0a + random_below(worker, 0x36), struct hmm_dmirror_cmd);
		break;
	case 1:
		nr = HMM_DMIRROR_READ ^ 1UL << (16 + random_below(worker, 16));
		break;
	case 2:
		nr = _IOWR('H', 0x49 + random_below(worker, 0xb7), struct hmm_dmirror_cmd);
		break;
	default:
		/* None of ours, and none that the kernel has for all files ('T', 'f', 0x12). */
		nr = (nr & 0xffff00ff) | (0x80 + random_below(worker, 0x80)) << 8;
	}
	return device_ioctl(worker, nr, &cmd, sizeof(cmd)) == -ENOTTY ? 0 : -EPROTO;
}

static int compute(struct worker *worker, unsigned int op)
{
	struct span x = span_choose(worker), y = span_choose(worker);
	struct hmm_dmirror_compute compute = {
		.op = op, .n = 1 + random_below(worker, x.npages * PAGE / 4),
		.x = x.addr + 4 * random_below(worker, PAGE / 4), .sum = UNTOUCHED,
	};

	if (op != HMM_DMIRROR_SUM) {
		compute.a = draw(worker);
		compute.y = y.addr + 4 * random_below(worker, PAGE / 4);
	}
	if (one_in(worker, 16))
		compute.op = draw(worker) >> random_below(worker, 32);
	if (one_in(worker, 24))
		compute.x = wild_address(worker, compute.x);
	if (one_in(worker, 24))
		compute.y = wild_address(worker, compute.y);
	if (one_in(worker, 24))
		compute.n = wild_number(worker, compute.n);
	slot_args(worker, compute.x, compute.n / 1024);
	return device_ioctl(worker, HMM_DMIRROR_COMPUTE, &compute, sizeof(compute));
}

static int op_saxpy(struct worker *worker)
{
	return compute(worker, HMM_DMIRROR_SAXPY);
}

static int op_sum(struct worker *worker)
{
	return compute(worker, HMM_DMIRROR_SUM);
}

static int op_advise(struct worker *worker)
{
	struct span span = span_choose(worker);
	struct hmm_dmirror_advice advice = {
		.addr = span.addr, .npages = span.npages, .advice = 1 + random_below(worker, 6),
		.location = HMM_DMIRROR_LOCATION_NONE,
	};

	if (advice.advice == HMM_DMIRROR_SET_PREFERRED_LOCATION)
		advice.location = (int)random_below(worker, machine.nr_units + 1) - 1;
	if (one_in(worker, 16))
		advice.advice = draw(worker) >> random_below(worker, 32);
	if (one_in(worker, 16))
		advice.location = draw(worker) >> random_below(worker, 32);
	if (one_in(worker, 16))
		advice.addr = wild_address(worker, advice.addr);
	if (one_in(worker, 16))
		advice.npages = wild_number(worker, advice.npages);
	slot_args(worker, advice.addr, advice.npages);
	return device_ioctl(worker, HMM_DMIRROR_ADVISE, &advice, sizeof(advice));
}

static int op_attributes(struct worker *worker)
{
	struct span span = span_choose(worker);
	struct hmm_dmirror_attributes about = { .addr = span.addr, .npages = span.npages };
	uint64_t npages;
	int ret;

	if (one_in(worker, 16))
		about.addr = wild_address(worker, about.addr);
	if (one_in(worker, 16))
		about.npages = wild_number(worker, about.npages);
	npages = about.npages;
	ret = device_ioctl(worker, HMM_DMIRROR_ATTRIBUTES, &about, sizeof(about));
	if (!ret && (!about.npages || about.npages > npages))
		hostile_fail("%llu of %llu pages have attributes",
			     (unsigned long long)about.npages, (unsigned long long)npages);
	return ret;
}

/* The files of the device have nothing to read or write, and are always ready. */
static int op_file(struct worker *worker)
{
	int device = devices[random_below(worker, machine.nr_units)];
	struct pollfd ready = { .fd = device, .events = POLLIN | POLLOUT };
	char byte = 0;

	atomic_fetch_add(&shared->calls, 1);
	switch (random_below(worker, 5)) {
	case 0:
		return read(device, &byte, 1) < 0 ? 0 : -EPROTO;
	case 1:
		return write(device, &byte, 1) < 0 ? 0 : -EPROTO;
	case 2:
		return poll(&ready, 1, 0) < 0 ? -errno : 0;
	case 3:
		return ftruncate(device, 0) < 0 ? 0 : -EPROTO;
	default:
		return fsync(device) < 0 ? 0 : -EPROTO;
	}
}

/* Another mirror takes the place of one that others use at present. */
static int op_reopen(struct worker *worker)
{
	unsigned int unit = random_below(worker, machine.nr_units);
	int device = device_open(unit), ret;

	atomic_fetch_add(&shared->calls, 1);
	if (device < 0)
		return -errno;
	ret = dup3(device, devices[unit], O_CLOEXEC) < 0 ? -errno : 0;
	close(device);
	return ret;
}

static int op_map_device(struct worker *worker)
{
	struct span span = span_inside(worker);
	int device = devices[random_below(worker, machine.nr_units)];
	int flags = MAP_FIXED | (one_in(worker, 3) ? MAP_PRIVATE : MAP_SHARED);
	int prot = one_in(worker, 8) ? random_below(worker, 8) : RW;
	off_t offset = one_in(worker, 16) ? random_below(worker, 1UL << 50) * PAGE : 0;

	atomic_fetch_add(&shared->calls, 1);
	if (span.npages > 64)
		span.npages = 64;
	return mmap(span_at(span), span_size(span), prot, flags, device, offset) == MAP_FAILED ?
	       -errno : 0;
}

/*
 * The mm.
 */

static int op_map(struct worker *worker)
{
	struct span span = span_inside(worker);
	int flags = MAP_FIXED | MAP_ANONYMOUS |
		    (one_in(worker, 4) ? MAP_SHARED : MAP_PRIVATE) |
		    (one_in(worker, 4) ? MAP_POPULATE : 0) | (one_in(worker, 16) ? MAP_LOCKED : 0);

	return mmap(span_at(span), span_size(span), RW, flags, -1, 0) == MAP_FAILED ? -errno : 0;
}

/* All of the arena is usable again, or a part that has the size of a huge page. */
static int op_renew(struct worker *worker)
{
	struct span span = { machine.arena, machine.arena_pages };
	void *at;

	if (machine.arena_pages > HUGE / PAGE && !one_in(worker, 4))
		span = (struct span){ machine.arena + random_below(worker, 4) * HUGE, HUGE / PAGE };
	at = mmap(span_at(span), span_size(span), RW,
		  MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return -errno;
	if (one_in(worker, 2))
		madvise(at, span_size(span), MADV_HUGEPAGE);
	return 0;
}

static int op_map_file(struct worker *worker)
{
	struct span span = span_inside(worker);
	int flags = MAP_FIXED | (one_in(worker, 2) ? MAP_SHARED : MAP_PRIVATE);

	return mmap(span_at(span), span_size(span), RW, flags, file,
		    random_below(worker, FILE_PAGES) * PAGE) == MAP_FAILED ? -errno : 0;
}

static int op_map_huge(struct worker *worker)
{
	unsigned long nr = machine.arena_pages * PAGE / HUGE ?: 1;
	void *at = (void *)(machine.arena + random_below(worker, nr) * HUGE);
	int flags = MAP_FIXED | MAP_ANONYMOUS | MAP_HUGETLB |
		    (one_in(worker, 2) ? MAP_SHARED : MAP_PRIVATE);

	if (!machine.has_huge)
		return -EINVAL;
	return mmap(at, HUGE, RW, flags, -1, 0) == MAP_FAILED ? -errno : 0;
}

static const char *huge_missing(void)
{
	return machine.has_huge ? NULL : "no pages of hugetlb";
}

static int op_unmap(struct worker *worker)
{
	struct span span = span_inside(worker);

	return munmap(span_at(span), span_size(span)) ? -errno : 0;
}

static int op_protect(struct worker *worker)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW, RW, RW, PROT_EXEC, PROT_WRITE };
	struct span span = span_inside(worker);
	int prot = prots[random_below(worker, 7)];

	return mprotect(span_at(span), span_size(span), prot) ? -errno : 0;
}

static int op_advise_mm(struct worker *worker)
{
	static const int advices[] = {
		MADV_DONTNEED, MADV_DONTNEED, MADV_FREE, MADV_COLLAPSE, MADV_PAGEOUT, MADV_PAGEOUT,
		MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLD,
		MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_GUARD_INSTALL, MADV_GUARD_REMOVE,
		MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK, MADV_WILLNEED,
	};
	const unsigned int nr = sizeof(advices) / sizeof(advices[0]);
	struct span span = span_inside(worker);

	return madvise(span_at(span), span_size(span), advices[random_below(worker, nr)]) ?
	       -errno : 0;
}

static int op_move(struct worker *worker)
{
	struct span from = span_inside(worker), to = span_inside(worker);
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED | (one_in(worker, 4) ? MREMAP_DONTUNMAP : 0);

	if (to.npages < from.npages)
		from.npages = to.npages;
	return mremap(span_at(from), span_size(from), span_size(from), flags, span_at(to)) ==
	       MAP_FAILED ? -errno : 0;
}

static int op_lock(struct worker *worker)
{
	struct span span = span_inside(worker);

	if (one_in(worker, 2))
		return munlock(span_at(span), span_size(span)) ? -errno : 0;
	return mlock(span_at(span), span_size(span) & 0xffff) ? -errno : 0;
}

static int op_truncate(struct worker *worker)
{
	uint64_t npages = random_below(worker, FILE_PAGES);

	if (one_in(worker, 2))
		return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, npages * PAGE,
				 PAGE * (1 + random_below(worker, 32))) ? -errno : 0;
	return ftruncate(file, (one_in(worker, 2) ? npages : FILE_PAGES) * PAGE) ? -errno : 0;
}

static int op_touch(struct worker *worker)
{
	struct span span = span_choose(worker);

	return guarded_add(span_at(span), span_size(span)) ? 0 : -EFAULT;
}

/* Read the arena with the CPU. */
static int op_look(struct worker *worker)
{
	static _Thread_local uint64_t page[PAGE / sizeof(uint64_t)];
	struct span span = span_choose(worker);

	for (uint64_t i = 0; i < span.npages; i++) {
		if (!guarded_copy(page, (char *)span_at(span) + i * PAGE, PAGE))
			return -EFAULT;
		scan(page, PAGE);
	}
	return 0;
}

/* System calls that access the arena for the program. */
static int op_system(struct worker *worker)
{
	struct span span = span_choose(worker);
	size_t size = span.npages > 16 ? 16 * PAGE : span_size(span);

	if (machine.careless || one_in(worker, 2))
		return pwrite(file, span_at(span), size, 0) < 0 ? -errno : 0;
	return pread(file, span_at(span), size, 0) < 0 ? -errno : 0;
}

/*
 * Userfaultfd. A thread serves it until the process ends, so that nothing waits for ever.
 */

void *uffd_run(void *unused)
{
	static char page[PAGE] __attribute__((aligned(4096)));
	struct pollfd ready = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	while (uffd >= 0) {
		struct uffdio_copy copy = { .src = (uintptr_t)page, .len = PAGE };
		struct uffdio_writeprotect allow = { .range = { .len = PAGE } };

		if (poll(&ready, 1, 100) != 1 || read(uffd, &msg, sizeof(msg)) != sizeof(msg) ||
		    msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		copy.dst = msg.arg.pagefault.address & ~(PAGE - 1);
		allow.range.start = copy.dst;
		if (msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP)
			ioctl(uffd, UFFDIO_WRITEPROTECT, &allow);
		else if (ioctl(uffd, UFFDIO_COPY, &copy))
			ioctl(uffd, UFFDIO_WAKE, &allow.range);
	}
	return NULL;
}

static int op_uffd(struct worker *worker)
{
	struct span span = span_inside(worker);
	struct uffdio_range range = { span.addr, span_size(span) };
	struct uffdio_copy copy = {
		.dst = span.addr, .src = (uintptr_t)worker->buffer, .len = PAGE,
	};
	uint64_t mode = UFFDIO_REGISTER_MODE_MISSING;

	switch (random_below(worker, 5)) {
	case 0:
		if (machine.has_memory && one_in(worker, 2))
			mode |= UFFDIO_REGISTER_MODE_WP;
		return uffd_register(uffd, span_at(span), span_size(span), mode);
	case 1:
		return uffd_protect(uffd, span_at(span), span_size(span));
	case 2:
		return ioctl(uffd, UFFDIO_COPY, &copy) ? -errno : 0;
	default:
		return ioctl(uffd, UFFDIO_UNREGISTER, &range) ? -errno : 0;
	}
}

static const char *uffd_missing(void)
{
	int fd = uffd_open(0);

	if (fd < 0)
		return "no userfaultfd without privileges";
	close(fd);
	return NULL;
}

/*
 * Children.
 */

/* The files of the parent are of no use to a child; its own mirrors are. */
static int child_run(struct worker *worker)
{
	struct span span = span_choose(worker);
	struct hmm_dmirror_cmd cmd = {
		.addr = span.addr, .npages = 1, .ptr = (uintptr_t)worker->buffer,
	};

	worker->slot = NULL;
	for (unsigned int i = 0; i < machine.nr_units; i++) {
		if (!ioctl(devices[i], HMM_DMIRROR_READ, &cmd) || errno != EINVAL)
			return 1;
		if (!ioctl(devices[i], HMM_DMIRROR_WRITE, &cmd) || errno != EINVAL)
			return 1;
	}
	for (unsigned int i = 0; i < machine.nr_units; i++) {
		int device = device_open(i);

		if (device < 0)
			return errno == ENOMEM ? 0 : 2;
		dup3(device, devices[i], O_CLOEXEC);
		close(device);
	}
	for (int i = 0; i < 8; i++)
		kinds[random_below(worker, 8)].op(worker);
	return 0;
}

static int op_fork(struct worker *worker)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(child_run(worker));
	if (child < 0)
		return -errno;
	atomic_fetch_add(&shared->forks, 1);
	if (one_in(worker, 4)) {
		usleep(random_below(worker, 3000));
		kill(child, SIGKILL);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		hostile_fail("a child could use the device of its parent");
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		hostile_fail("a child could not open the device");
	else if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		hostile_fail("a child ended with signal %d", WTERMSIG(status));
	return 0;
}

int arena_make(void)
{
	/* With a page before and behind it, which stay. */
	char *at = mmap((void *)(machine.arena - PAGE), (machine.arena_pages + 2) * PAGE, RW,
			MAP_FIXED_NOREPLACE | MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);

	if (at != (void *)(machine.arena - PAGE))
		return -ENOMEM;
	at[0] = 1;
	at[(machine.arena_pages + 1) * PAGE] = 1;
	file = memory_file(FILE_PAGES * PAGE);
	if (file < 0)
		return file;
	for (unsigned int i = 0; i < machine.nr_units; i++) {
		devices[i] = device_open(i);
		if (devices[i] < 0)
			return -errno;
	}
	uffd = uffd_open(0);
	if (uffd >= 0)
		fcntl(uffd, F_SETFL, O_NONBLOCK);
	return 0;
}

static const char *memory_missing(void)
{
	return machine.has_memory ? NULL : "the units have no memory";
}

/* The errors that are documented for each command. */
static const short access_errors[] = {
	EINVAL, EFAULT, ENOMEM, EPERM, EBUSY, EIO, 0
};

static const short to_dev_errors[] = {
	EINVAL, EFAULT, ENOMEM, EPERM, EBUSY, EIO, ENOENT, EOPNOTSUPP, 0
};

static const short to_sys_errors[] = { EINVAL, EFAULT, ENOMEM, EBUSY, EOPNOTSUPP, 0 };
static const short exclusive_errors[] = {
	EINVAL, EFAULT, ENOMEM, EPERM, EBUSY, EIO, EOPNOTSUPP, 0
};

static const short snapshot_errors[] = { EINVAL, EFAULT, ENOMEM, EBUSY, 0 };
static const short check_errors[] = { EINVAL, EFAULT, EPERM, 0 };
static const short peers_errors[] = { EINVAL, EFAULT, ENOMEM, EOPNOTSUPP, 0 };
static const short peek_errors[] = { EINVAL, EFAULT, ENOMEM, 0 };
static const short flags_errors[] = { EINVAL, EFAULT, 0 };
static const short advise_errors[] = { EINVAL, EFAULT, ENOMEM, ENOSPC, 0 };
static const short no_errors[] = { 0 };
static const short open_errors[] = { ENOMEM, 0 };

/* The first eight are what children do. */
const struct kind kinds[] = {
	{ "read", 60, op_read, access_errors },
	{ "write", 60, op_write, access_errors },
	{ "migrate-to-dev", 32, op_to_dev, to_dev_errors, memory_missing },
	{ "snapshot", 24, op_snapshot, snapshot_errors },
	{ "saxpy", 24, op_saxpy, access_errors },
	{ "advise", 24, op_advise, advise_errors },
	{ "touch", 8, op_touch },
	{ "look", 3, op_look },
	{ "migrate-to-sys", 12, op_to_sys, to_sys_errors, memory_missing },
	{ "read-unlocked", 24, op_read_unlocked, access_errors },
	{ "exclusive", 16, op_exclusive, exclusive_errors, memory_missing },
	{ "check-exclusive", 24, op_check_exclusive, check_errors },
	{ "peek", 24, op_peek, peek_errors },
	{ "peers", 8, op_peers, peers_errors, memory_missing },
	{ "flags", 16, op_flags, flags_errors },
	{ "admin", 16, op_admin, no_errors },
	{ "unknown", 16, op_unknown, no_errors },
	{ "sum", 32, op_sum, access_errors },
	{ "attributes", 32, op_attributes, flags_errors },
	{ "file", 8, op_file, no_errors },
	{ "reopen", 4, op_reopen, open_errors },
	{ "map-device", 4, op_map_device },
	{ "map", 8, op_map },
	{ "renew", 6, op_renew },
	{ "map-file", 3, op_map_file },
	{ "map-huge", 3, op_map_huge, NULL, huge_missing },
	{ "unmap", 3, op_unmap },
	{ "protect", 6, op_protect },
	{ "madvise", 12, op_advise_mm },
	{ "mremap", 5, op_move },
	{ "mlock", 3, op_lock },
	{ "truncate", 3, op_truncate },
	{ "system", 6, op_system },
	{ "userfaultfd", 4, op_uffd, NULL, uffd_missing },
	{ "fork", 1, op_fork },
};

const unsigned int nr_kinds = sizeof(kinds) / sizeof(kinds[0]);
