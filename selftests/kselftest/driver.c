// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of drivers with the ioctls of hmm_dmirror, beyond the kernel's
 * hmm-tests: invalid arguments, computations, exclusive access, and device memory
 * used by several mirrors and processes. The C and Rust drivers must pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "hmm_dmirror.h"
#include "hmm_user.h"

#define NPAGES	8
#ifdef __aarch64__
#define TASK_END (1UL << 48)
#else
#define TASK_END 0x7ffffffff000UL
#endif
#define KERNEL	0xffff888000000000UL

FIXTURE(driver) {
	int fd;
	char *at;	/* NPAGES of memory that the device accesses, untouched */
	char *buffer;	/* NPAGES for the data of READ and WRITE */
};

static char *anonymous(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Read a byte with the CPU; the compiler must not remove the access. */
static char touch(const char *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

FIXTURE_SETUP(driver)
{
	self->fd = open("/dev/hmm_dmirror0", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->at = anonymous(NPAGES * PAGE);
	self->buffer = anonymous(NPAGES * PAGE);
	ASSERT_NE(MAP_FAILED, self->at);
	ASSERT_NE(MAP_FAILED, self->buffer);
}

FIXTURE_TEARDOWN(driver)
{
	munmap(self->at, NPAGES * PAGE);
	munmap(self->buffer, NPAGES * PAGE);
	close(self->fd);
}

/* Run a command; return 0 or a negative error number. */
static int command(int fd, unsigned long nr, struct hmm_dmirror_cmd cmd)
{
	return ioctl(fd, nr, &cmd) ? -errno : 0;
}

static int simple(FIXTURE_DATA(driver) * self, unsigned long nr, unsigned long npages)
{
	return command(self->fd, nr, (struct hmm_dmirror_cmd) {
		.addr = (uintptr_t)self->at, .ptr = (uintptr_t)self->buffer, .npages = npages });
}

/* Return a page's rights in the device's page table, as HMM_DMIRROR_PROT_*. */
static unsigned char peek(int fd, const void *addr)
{
	unsigned char prot = 0x7f;

	command(fd, HMM_DMIRROR_PEEK, (struct hmm_dmirror_cmd) {
		.addr = (uintptr_t)addr, .ptr = (uintptr_t)&prot, .npages = 1 });
	return prot;
}

static int saxpy(int fd, int a, const int *x, int *y, __u64 n)
{
	struct hmm_dmirror_compute compute = {
		.op = HMM_DMIRROR_SAXPY, .a = a, .n = n, .x = (uintptr_t)x, .y = (uintptr_t)y };

	return ioctl(fd, HMM_DMIRROR_COMPUTE, &compute) ? -errno : 0;
}

static int sum(int fd, const int *x, __u64 n, __s64 *result)
{
	struct hmm_dmirror_compute compute = { .op = HMM_DMIRROR_SUM, .n = n, .x = (uintptr_t)x };
	int ret = ioctl(fd, HMM_DMIRROR_COMPUTE, &compute) ? -errno : 0;

	*result = compute.sum;
	return ret;
}

/*
 * Invalid arguments.
 */

static const unsigned long span_commands[] = {
	HMM_DMIRROR_READ, HMM_DMIRROR_WRITE, HMM_DMIRROR_MIGRATE_TO_DEV,
	HMM_DMIRROR_MIGRATE_TO_SYS, HMM_DMIRROR_SNAPSHOT, HMM_DMIRROR_EXCLUSIVE,
	HMM_DMIRROR_CHECK_EXCLUSIVE, HMM_DMIRROR_READ_UNLOCKED, HMM_DMIRROR_PEEK,
};

#define for_each_command(nr)							\
	for (const unsigned long *nr = span_commands;				\
	     nr < span_commands + sizeof(span_commands) / sizeof(*span_commands); nr++)

TEST_F(driver, malformed_spans)
{
	uintptr_t at = (uintptr_t)self->at, buffer = (uintptr_t)self->buffer;
	const struct {
		__u64 addr, npages;
		int error;
	} bad[] = {
		{ at + 1, 1, -EINVAL },			/* unaligned */
		{ at + 512, 1, -EINVAL },
		{ at, 0, -EINVAL },			/* empty */
		{ at, 1ULL << 52, -EINVAL },		/* too long for 64 bits */
		{ at, 1ULL << 63, -EINVAL },
		{ at, (1ULL << 52) + 1, -EINVAL },	/* one page, when it wraps */
		{ -PAGE, 1, -EINVAL },			/* wraps to 0 */
		{ -PAGE, 2, -EINVAL },
		{ KERNEL, 1, -EFAULT },
		{ TASK_END, 1, -EFAULT },
		{ TASK_END - PAGE, 1 << 20, -EFAULT },	/* past the end */
		{ 1ULL << 48, 1, -EFAULT },		/* not canonical */
	};

	for_each_command(nr) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			struct hmm_dmirror_cmd cmd = {
				.addr = bad[i].addr, .ptr = buffer, .npages = bad[i].npages,
				.cpages = 77, .faults = 77,
			};

			EXPECT_EQ(-1, ioctl(self->fd, *nr, &cmd));
			EXPECT_EQ(bad[i].error, -errno) {
				TH_LOG("command %lx, case %zu", *nr, i);
			}
			/* A command that fails does not change its argument. */
			EXPECT_EQ(77, cmd.cpages);
			EXPECT_EQ(77, cmd.faults);
		}
	}
	for (int i = 0; i < NPAGES; i++)
		EXPECT_EQ(HMM_DMIRROR_PROT_NONE, peek(self->fd, self->at + i * PAGE));
}

TEST_F(driver, malformed_pointers)
{
	const __u64 bad[] = { 0, KERNEL, TASK_END, 1ULL << 48 };

	for_each_command(nr) {
		EXPECT_EQ(-1, ioctl(self->fd, *nr, NULL));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, ioctl(self->fd, *nr, KERNEL));
		EXPECT_EQ(EFAULT, errno);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const struct hmm_dmirror_cmd cmd = {
			.addr = (uintptr_t)self->at, .ptr = bad[i], .npages = 1 };

		EXPECT_EQ(-EFAULT, command(self->fd, HMM_DMIRROR_READ, cmd));
		EXPECT_EQ(-EFAULT, command(self->fd, HMM_DMIRROR_WRITE, cmd));
		EXPECT_EQ(-EFAULT, command(self->fd, HMM_DMIRROR_SNAPSHOT, cmd));
		EXPECT_EQ(-EFAULT, command(self->fd, HMM_DMIRROR_PEEK, cmd));
	}
}

TEST_F(driver, unknown_commands)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)self->at, .ptr = (uintptr_t)self->buffer, .npages = 1 };

	EXPECT_EQ(-1, ioctl(self->fd, _IOWR('H', 0x3f, struct hmm_dmirror_cmd), &cmd));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->fd, _IOR('H', 0x00, struct hmm_dmirror_cmd), &cmd));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->fd, _IOWR('H', 0x00, int), &cmd));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->fd, 0, &cmd));
	EXPECT_EQ(ENOTTY, errno);
}

/*
 * Spans larger than memory must fail at once. They start at a low address: those that
 * the kernel chooses can be so near to the end of user addresses, on arm64 always, that
 * what is behind them fits into memory.
 */
TEST_F(driver, too_much)
{
	void *at = mmap((void *)GIGA, NPAGES * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	const struct hmm_dmirror_cmd cmd = {
		.addr = GIGA, .ptr = GIGA, .npages = (TASK_END - GIGA) / PAGE };

	ASSERT_EQ((void *)GIGA, at);
	EXPECT_EQ(-ENOMEM, command(self->fd, HMM_DMIRROR_READ, cmd));
	EXPECT_EQ(-ENOMEM, command(self->fd, HMM_DMIRROR_WRITE, cmd));
	/* This command needs no memory and must be fast for any span. */
	EXPECT_EQ(0, command(self->fd, HMM_DMIRROR_CHECK_EXCLUSIVE, cmd));
	munmap(at, NPAGES * PAGE);
}

/* A look-up of very many pages ends with a fatal signal. */
TEST_F(driver, peek_killed)
{
	const size_t npages = 1UL << 27;
	char *prot = mmap(NULL, npages, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int status, tries;
	pid_t child;

	ASSERT_NE(MAP_FAILED, prot);
	child = fork();
	if (!child) {
		int fd = open("/dev/hmm_dmirror0", O_RDWR);

		for (;;)
			command(fd, HMM_DMIRROR_PEEK, (struct hmm_dmirror_cmd) {
				.addr = 1UL << 32, .ptr = (uintptr_t)prot, .npages = npages });
	}
	ASSERT_LT(0, child);
	usleep(1000000);
	kill(child, SIGKILL);
	for (tries = 0; tries < 300; tries++) {
		if (waitpid(child, &status, WNOHANG) == child)
			break;
		usleep(10000);
	}
	EXPECT_LT(tries, 300);
	munmap(prot, npages);
}

TEST_F(driver, malformed_compute)
{
	struct hmm_dmirror_compute compute = { .op = 3, .n = 1, .x = (uintptr_t)self->at };
	int *x = (int *)self->at, *y = (int *)self->buffer;
	__s64 result;

	EXPECT_EQ(-1, ioctl(self->fd, HMM_DMIRROR_COMPUTE, &compute));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->fd, HMM_DMIRROR_COMPUTE, NULL));
	EXPECT_EQ(EFAULT, errno);

	EXPECT_EQ(-EINVAL, sum(self->fd, x, 0, &result));
	EXPECT_EQ(-EINVAL, sum(self->fd, (int *)(self->at + 2), 1, &result));
	EXPECT_EQ(-EINVAL, sum(self->fd, x, 1ULL << 62, &result));
	EXPECT_EQ(-EFAULT, sum(self->fd, (int *)KERNEL, 1, &result));
	EXPECT_EQ(-EFAULT, sum(self->fd, (int *)TASK_END - 1, 2, &result));
	EXPECT_EQ(-EINVAL, saxpy(self->fd, 1, x, (int *)(self->buffer + 1), 1));
	EXPECT_EQ(-EFAULT, saxpy(self->fd, 1, x, (int *)KERNEL, 1));
	EXPECT_EQ(-EFAULT, saxpy(self->fd, 1, x, NULL, 1));

	ASSERT_EQ(0, mprotect(y, PAGE, PROT_READ));
	EXPECT_EQ(-EPERM, saxpy(self->fd, 1, x, y, 1));
	ASSERT_EQ(0, munmap(x, PAGE));
	EXPECT_EQ(-EFAULT, saxpy(self->fd, 1, x, y + PAGE, 1));
}

/*
 * A device waits until the monitor of a userfaultfd has brought a page that is missing, or
 * has let one be written that is protected.
 */
TEST_F(driver, watched_by_uffd)
{
	const size_t half = NPAGES / 2 * PAGE;
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	pthread_t monitor;

	if (uffd < 0)
		SKIP(return, "userfaultfd: %s", strerror(-uffd));
	ASSERT_EQ(0, uffd_register(uffd, self->at, NPAGES * PAGE,
				   UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP));
	ASSERT_EQ(0, pthread_create(&monitor, NULL, uffd_serve, &uffd));

	/* Missing: half of the pages are read, and the others written. */
	ASSERT_EQ(0, simple(self, HMM_DMIRROR_READ, NPAGES / 2));
	for (size_t i = 0; i < half; i++)
		ASSERT_EQ(0x77, self->buffer[i]);
	memset(self->buffer, 0x55, half);
	self->at += half;
	EXPECT_EQ(0, simple(self, HMM_DMIRROR_WRITE, NPAGES / 2));
	self->at -= half;
	for (size_t i = 0; i < NPAGES * PAGE; i++)
		ASSERT_EQ(i < half ? 0x77 : 0x55, self->at[i]);

	/* Protected: the monitor has to do nothing for what is read. */
	ASSERT_EQ(0, uffd_protect(uffd, self->at, NPAGES * PAGE));
	for (int i = 0; i < NPAGES; i++)
		EXPECT_EQ(HMM_DMIRROR_PROT_NONE, peek(self->fd, self->at + i * PAGE));
	ASSERT_EQ(0, simple(self, HMM_DMIRROR_READ, NPAGES));
	EXPECT_EQ(0, memcmp(self->at, self->buffer, NPAGES * PAGE));
	EXPECT_EQ(HMM_DMIRROR_PROT_READ, peek(self->fd, self->at));
	EXPECT_TRUE(page_map(self->at) & MAP_UFFD_WP);
	memset(self->buffer, 0x66, NPAGES * PAGE);
	ASSERT_EQ(0, simple(self, HMM_DMIRROR_WRITE, NPAGES));
	EXPECT_EQ(0, memcmp(self->at, self->buffer, NPAGES * PAGE));
	EXPECT_EQ(HMM_DMIRROR_PROT_WRITE, peek(self->fd, self->at));
	EXPECT_FALSE(page_map(self->at) & MAP_UFFD_WP);

	pthread_cancel(monitor);
	pthread_join(monitor, NULL);
	close(uffd);
}

/* A child inherits the file, but the file mirrors its parent. */
TEST_F(driver, inherited_file)
{
	int status;
	pid_t pid;

	memset(self->at, 1, NPAGES * PAGE);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		__s64 result;

		for_each_command(nr)
			if (simple(self, *nr, 1) != -EINVAL)
				_exit(nr - span_commands + 1);
		if (sum(self->fd, (int *)self->at, 1, &result) != -EINVAL)
			_exit(100);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, simple(self, HMM_DMIRROR_READ, NPAGES));
	EXPECT_EQ(0, memcmp(self->at, self->buffer, NPAGES * PAGE));
}

/* The process that opened the file exits while a child still has the file. */
TEST_F(driver, orphaned_file)
{
	int ready[2], status;
	char done;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Open the file, map pages, fork, and exit before the child. */
		int fd = open("/dev/hmm_dmirror0", O_RDWR);

		if (fd < 0)
			_exit(1);
		self->fd = fd;
		if (simple(self, HMM_DMIRROR_WRITE, NPAGES))
			_exit(2);
		pid = getpid();
		if (fork())
			_exit(0);
		while (getppid() == pid)
			usleep(1000);
		done = simple(self, HMM_DMIRROR_READ, NPAGES) == -EINVAL;
		close(fd);
		_exit(write(ready[1], &done, 1) != 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(1, read(ready[0], &done, 1));
	EXPECT_EQ(1, done);
}

/*
 * Who may use a file: processes with the address space that it was opened in. A mirror
 * shows that address space, and the rights of the process make no difference.
 */

/* What a program finds that was executed with the file of the one before. */
#define EXECUTED_FILE	"DRIVER_TEST_FILE"

static __attribute__((constructor)) void executed(void)
{
	const char *file = getenv(EXECUTED_FILE);
	static char page[PAGE] __attribute__((aligned(4096)));

	if (file)
		_exit(command(atoi(file), HMM_DMIRROR_READ, (struct hmm_dmirror_cmd) {
			.addr = (uintptr_t)page, .ptr = (uintptr_t)page, .npages = 1 }) != -EINVAL);
}

TEST_F(driver, file_after_exec)
{
	char number[16];
	int status;
	pid_t pid;

	memset(self->at, 1, NPAGES * PAGE);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Its own file, which mirrors the address space that is going away. */
		int fd = open("/dev/hmm_dmirror0", O_RDWR);

		self->fd = fd;
		if (fd < 0 || simple(self, HMM_DMIRROR_READ, NPAGES))
			_exit(100);
		snprintf(number, sizeof(number), "%d", fd);
		setenv(EXECUTED_FILE, number, 1);
		execl("/proc/self/exe", "driver", NULL);
		_exit(101);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* A process that may trace another one, as this one its child, can take its files. */
TEST_F(driver, file_of_a_traced_process)
{
	int pidfd, taken, status;
	struct handshake handshake;
	pid_t pid;

	ASSERT_EQ(0, handshake_open(&handshake));
	memset(self->at, 1, NPAGES * PAGE);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = open("/dev/hmm_dmirror0", O_RDWR);

		if (fd < 0 || dup2(fd, self->fd) < 0)
			_exit(1);
		memset(self->at, 2, NPAGES * PAGE);
		handshake_signal_parent(&handshake);
		handshake_wait_for_parent(&handshake);
		/* The child itself can use it all the time. */
		_exit(simple(self, HMM_DMIRROR_READ, NPAGES) ||
		      memcmp(self->at, self->buffer, NPAGES * PAGE));
	}
	ASSERT_TRUE(handshake_wait_for_child(&handshake));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	taken = syscall(SYS_pidfd_getfd, pidfd, self->fd, 0);
	ASSERT_LE(0, taken);
	for_each_command(nr)
		EXPECT_EQ(-EINVAL, command(taken, *nr, (struct hmm_dmirror_cmd) {
			.addr = (uintptr_t)self->at, .ptr = (uintptr_t)self->buffer,
			.npages = 1 }));
	handshake_signal_child(&handshake);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(taken);
	close(pidfd);
}

/* A process without privileges keeps the use of its file, but not of what concerns others. */
TEST_F(driver, file_after_setuid)
{
	static const unsigned long for_admin[] = {
		HMM_DMIRROR_RELEASE, HMM_DMIRROR_LIMIT, HMM_DMIRROR_COPY_DELAY, HMM_DMIRROR_RETIRE,
	};
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		self->fd = open("/dev/hmm_dmirror0", O_RDWR);
		memset(self->at, 3, NPAGES * PAGE);
		if (self->fd < 0 || setresgid(65534, 65534, 65534) ||
		    setresuid(65534, 65534, 65534))
			_exit(1);
		if (simple(self, HMM_DMIRROR_READ, NPAGES) ||
		    memcmp(self->at, self->buffer, NPAGES * PAGE))
			_exit(2);
		for (int i = 0; i < 4; i++)
			if (simple(self, for_admin[i], 512) != -EPERM)
				_exit(3 + i);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

static int read_in_child(void *arg)
{
	return simple(arg, HMM_DMIRROR_READ, NPAGES);
}

/* A process that shares the address space shares what the device sees. */
TEST_F(driver, file_in_shared_address_space)
{
	char *stack = anonymous(16 * PAGE);
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, stack);
	memset(self->at, 4, NPAGES * PAGE);
	pid = clone(read_in_child, stack + 16 * PAGE, CLONE_VM | CLONE_FILES | SIGCHLD, self);
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, memcmp(self->at, self->buffer, NPAGES * PAGE));
	munmap(stack, 16 * PAGE);
}

/* A process that maps a file gets new pages. */
TEST_F(driver, mapped_by_another_process)
{
	char *mine = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, mine);
	memset(mine, 5, PAGE);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		char *other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);

		if (other == MAP_FAILED)
			_exit(1);
		for (size_t i = 0; i < PAGE; i++)
			if (other[i])
				_exit(2);
		memset(other, 6, PAGE);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	for (size_t i = 0; i < PAGE; i++)
		ASSERT_EQ(5, mine[i]);
	munmap(mine, PAGE);
}

/* The process in mmap() of a length that fills much of memory can be killed. */
TEST_F_TIMEOUT(driver, mmap_killed, 120)
{
	const size_t size = 2UL << 30;
	struct handshake handshake;
	double begun, whole;
	int status;
	pid_t pid;

	/* How long it takes for a sixteenth. */
	begun = monotonic_seconds();
	ASSERT_NE(MAP_FAILED, mmap(NULL, size / 16, PROT_READ, MAP_SHARED, self->fd, 0));
	whole = 16 * (monotonic_seconds() - begun);
	ASSERT_EQ(0, handshake_open(&handshake));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		handshake_signal_parent(&handshake);
		mmap(NULL, size, PROT_READ, MAP_SHARED, self->fd, 0);
		_exit(0);
	}
	ASSERT_TRUE(handshake_wait_for_child(&handshake));
	usleep(whole / 16 * 1000000);
	begun = monotonic_seconds();
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_LT((monotonic_seconds() - begun) / whole, 0.5);
}

/*
 * Computations.
 */

TEST_F(driver, saxpy)
{
	/* Vectors with different offsets in their pages. */
	int *x = (int *)self->at + 5, *y = (int *)self->buffer + 1000;
	const int n = (NPAGES - 1) * PAGE / sizeof(int) - 1000;

	for (int i = -1; i <= n; i++) {
		x[i] = i;
		y[i] = 7 * i;
	}
	ASSERT_EQ(0, saxpy(self->fd, -3, x, y, n));
	for (int i = 0; i < n; i++)
		ASSERT_EQ(4 * i, y[i]);
	EXPECT_EQ(-7, y[-1]);
	EXPECT_EQ(7 * n, y[n]);
}

static double sum_seconds(int fd, const int *x, __u64 n)
{
	double begun = monotonic_seconds();
	__s64 result;

	return sum(fd, x, n, &result) ? 0 : monotonic_seconds() - begun;
}

/*
 * Compute for at least one second without a fault: all pages are mapped from the first
 * time. Report how long that takes, and compute again and again.
 */
static void compute_for_long(const int *x, size_t npages, int report)
{
	int fd = open("/dev/hmm_dmirror0", O_RDWR);
	size_t nr = npages / 16;
	double seconds;

	do {
		nr *= 2;
		sum_seconds(fd, x, nr * PAGE / sizeof(int));
		seconds = sum_seconds(fd, x, nr * PAGE / sizeof(int));
	} while (seconds && seconds < 1 && nr < npages);
	if (write(report, &seconds, sizeof(seconds)) != sizeof(seconds))
		_exit(1);
	for (;;)
		sum_seconds(fd, x, nr * PAGE / sizeof(int));
}

/* A computation on pages that are all mapped ends with a fatal signal. */
TEST_F_TIMEOUT(driver, compute_killed, 300)
{
	const size_t npages = 1UL << 19;
	int *x = mmap(NULL, npages * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		      -1, 0);
	int report[2], status;
	double seconds = 0, begun;
	pid_t child;

	ASSERT_NE(MAP_FAILED, x);
	ASSERT_EQ(0, pipe(report));
	child = fork();
	if (!child)
		compute_for_long(x, npages, report[1]);
	ASSERT_LT(0, child);
	ASSERT_EQ(sizeof(seconds), read(report[0], &seconds, sizeof(seconds)));
	EXPECT_LT(0, seconds);
	usleep(seconds / 8 * 1000000);
	begun = monotonic_seconds();
	kill(child, SIGKILL);
	EXPECT_EQ(child, waitpid(child, &status, 0));
	/* It would have gone on for seven eighths. */
	EXPECT_LT((monotonic_seconds() - begun) / seconds, 0.5);
	munmap(x, npages * PAGE);
}

/* x and y are the same memory, which is not yet faulted in. */
TEST_F(driver, saxpy_in_place)
{
	int *x = (int *)self->at;

	ASSERT_EQ(0, saxpy(self->fd, 1, x, x, NPAGES * PAGE / sizeof(int)));
	for (size_t i = 0; i < NPAGES * PAGE / sizeof(int); i++)
		x[i] = i;
	ASSERT_EQ(0, saxpy(self->fd, 1, x, x, NPAGES * PAGE / sizeof(int)));
	for (size_t i = 0; i < NPAGES * PAGE / sizeof(int); i++)
		ASSERT_EQ(2 * i, x[i]);
}

TEST_F(driver, sum)
{
	int *x = (int *)self->at;
	__s64 result;

	/* Reading untouched memory maps the zero page and allocates nothing. */
	ASSERT_EQ(0, sum(self->fd, x, NPAGES * PAGE / sizeof(int), &result));
	EXPECT_EQ(0, result);
	EXPECT_EQ(HMM_DMIRROR_PROT_READ, peek(self->fd, x));

	for (int i = 0; i < 4; i++)
		x[i] = 0x7fffffff;
	ASSERT_EQ(0, sum(self->fd, x, 3, &result));
	EXPECT_EQ(3LL * 0x7fffffff, result);
	x[1] = -5;
	ASSERT_EQ(0, sum(self->fd, x + 1, 1, &result));
	EXPECT_EQ(-5, result);
}

/*
 * Exclusive access.
 */

TEST_F(driver, exclusive_until_touched)
{
	const unsigned char exclusive = HMM_DMIRROR_PROT_WRITE | HMM_DMIRROR_PROT_EXCLUSIVE;

	memset(self->at, 1, NPAGES * PAGE);
	/* Twice: the second time the device already has exclusive access. */
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, simple(self, HMM_DMIRROR_EXCLUSIVE, NPAGES));
		EXPECT_EQ(-EPERM, simple(self, HMM_DMIRROR_CHECK_EXCLUSIVE, NPAGES));
		EXPECT_EQ(exclusive, peek(self->fd, self->at));
	}
	/* A write by the device does not end the exclusive access. */
	memset(self->buffer, 2, NPAGES * PAGE);
	ASSERT_EQ(0, simple(self, HMM_DMIRROR_WRITE, NPAGES));
	EXPECT_EQ(exclusive, peek(self->fd, self->at + 3 * PAGE));

	EXPECT_EQ(2, touch(self->at + 3 * PAGE));
	EXPECT_EQ(HMM_DMIRROR_PROT_NONE, peek(self->fd, self->at + 3 * PAGE));
	EXPECT_EQ(exclusive, peek(self->fd, self->at + 4 * PAGE));
	for (int i = 0; i < NPAGES; i++)
		EXPECT_EQ(2, touch(self->at + i * PAGE));
	EXPECT_EQ(0, simple(self, HMM_DMIRROR_CHECK_EXCLUSIVE, NPAGES));
}

/* Untouched memory, memory that needs copy-on-write, part of a huge page. */
TEST_F(driver, exclusive_kinds)
{
	char *huge = (char *)(((uintptr_t)anonymous(2 * HUGE) + HUGE - 1) & ~(HUGE - 1));
	int status;
	pid_t pid;

	EXPECT_EQ(0, simple(self, HMM_DMIRROR_EXCLUSIVE, NPAGES));
	EXPECT_EQ(0, self->at[0]);

	memset(self->at, 3, NPAGES * PAGE);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(pause());
	EXPECT_EQ(0, simple(self, HMM_DMIRROR_EXCLUSIVE, NPAGES));
	EXPECT_EQ(3, self->at[PAGE]);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);

	ASSERT_EQ(0, madvise(huge, HUGE, MADV_HUGEPAGE));
	memset(huge, 4, HUGE);
	/*
	 * khugepaged faults in exclusive entries to collapse the range again,
	 * which ends the access.
	 */
	ASSERT_EQ(0, madvise(huge, HUGE, MADV_NOHUGEPAGE));
	self->at = huge + 5 * PAGE;
	EXPECT_EQ(0, simple(self, HMM_DMIRROR_EXCLUSIVE, NPAGES));
	EXPECT_EQ(HMM_DMIRROR_PROT_NONE, peek(self->fd, huge));
	EXPECT_EQ(-EPERM, simple(self, HMM_DMIRROR_CHECK_EXCLUSIVE, NPAGES));
	for (size_t i = 0; i < HUGE; i += PAGE)
		ASSERT_EQ(4, huge[i]);
	EXPECT_EQ(0, simple(self, HMM_DMIRROR_CHECK_EXCLUSIVE, NPAGES));
}

TEST_F(driver, exclusive_errors)
{
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, mprotect(self->at, PAGE, PROT_READ));
	EXPECT_EQ(-EPERM, simple(self, HMM_DMIRROR_EXCLUSIVE, NPAGES));
	ASSERT_EQ(0, munmap(self->at, PAGE));
	EXPECT_EQ(-EFAULT, simple(self, HMM_DMIRROR_EXCLUSIVE, NPAGES));
	self->at = shared;
	EXPECT_EQ(-EOPNOTSUPP, simple(self, HMM_DMIRROR_EXCLUSIVE, 1));
	EXPECT_EQ(HMM_DMIRROR_PROT_NONE, peek(self->fd, shared));
	self->at = self->buffer;
}

#define ROUNDS 300

struct dropper {
	char *at;
	pthread_barrier_t round;
};

static void *drop_pages(void *arg)
{
	struct dropper *d = arg;

	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&d->round);
		for (int page = NPAGES - 1; page >= 0; page--)
			madvise(d->at + page * PAGE, PAGE, MADV_DONTNEED);
		pthread_barrier_wait(&d->round);
	}
	return NULL;
}

/*
 * Drop pages while the device makes them exclusive. If the device kept a stale
 * entry of a dropped page, the CPU would not read what the device writes.
 */
TEST_F(driver, exclusive_against_dontneed)
{
	struct dropper d = { .at = self->at };
	pthread_t thread;

	pthread_barrier_init(&d.round, NULL, 2);
	ASSERT_EQ(0, pthread_create(&thread, NULL, drop_pages, &d));
	for (int i = 0; i < ROUNDS; i++) {
		int ret;

		pthread_barrier_wait(&d.round);
		ret = simple(self, HMM_DMIRROR_EXCLUSIVE, NPAGES);
		pthread_barrier_wait(&d.round);
		/* Losing every race is the only error allowed. */
		if (ret)
			ASSERT_EQ(-EBUSY, ret);

		memset(self->buffer, i, NPAGES * PAGE);
		ASSERT_EQ(0, simple(self, HMM_DMIRROR_WRITE, NPAGES));
		for (int page = 0; page < NPAGES; page++)
			ASSERT_EQ((char)i, touch(self->at + page * PAGE));
	}
	pthread_join(thread, NULL);
}

/*
 * Device memory. Units 0 and 1 have private memory, units 2 and 3 coherent.
 */

FIXTURE(memory) {
	int fd;
	char *at;	/* HUGE bytes, aligned to HUGE */
	char *buffer;	/* HUGE bytes */
};

FIXTURE_VARIANT(memory) {
	const char *path;
	int place;
};

FIXTURE_VARIANT_ADD(memory, private) {
	.path = "/dev/hmm_dmirror0",
	.place = HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL,
};

FIXTURE_VARIANT_ADD(memory, coherent) {
	.path = "/dev/hmm_dmirror2",
	.place = HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL,
};

#define HUGE_PAGES (HUGE / PAGE)

static void fill(char *at, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size / sizeof(int); i++)
		((int *)at)[i] = i * 7 + seed;
}

static bool filled(const char *at, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size / sizeof(int); i++)
		if (((const int *)at)[i] != (int)(i * 7 + seed))
			return false;
	return true;
}

FIXTURE_SETUP(memory)
{
	char *both = anonymous(3 * HUGE);

	self->fd = open(variant->path, O_RDWR);
	if (self->fd < 0)
		SKIP(return, "no such unit");
	self->at = (char *)(((uintptr_t)both + HUGE - 1) & ~(HUGE - 1));
	self->buffer = self->at + HUGE;
}

FIXTURE_TEARDOWN(memory)
{
	close(self->fd);
}

static int memory_command(FIXTURE_DATA(memory) * self, unsigned long nr, size_t page,
			  size_t npages)
{
	return command(self->fd, nr, (struct hmm_dmirror_cmd) {
		.addr = (uintptr_t)self->at + page * PAGE,
		.ptr = (uintptr_t)self->buffer, .npages = npages });
}

/* Count the pages that are in one kind of memory; -1 on an error. */
static int resident(FIXTURE_DATA(memory) * self, int place, size_t page, size_t npages)
{
	unsigned char *prot = (unsigned char *)self->buffer;
	int count = 0;

	if (memory_command(self, HMM_DMIRROR_SNAPSHOT, page, npages))
		return -1;
	for (size_t i = 0; i < npages; i++)
		count += prot[i] != HMM_DMIRROR_PROT_ERROR && (prot[i] & 0x70) == place;
	return count;
}

/* Two mirrors of one process: a migration by one invalidates the other. */
TEST_F(memory, two_mirrors)
{
	int other = open(variant->path, O_RDWR);
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)self->at, .ptr = (uintptr_t)self->buffer, .npages = 8 };

	ASSERT_LE(0, other);
	fill(self->at, 8 * PAGE, 1);
	ASSERT_EQ(0, command(other, HMM_DMIRROR_READ, cmd));
	EXPECT_NE(HMM_DMIRROR_PROT_NONE, peek(other, self->at));

	ASSERT_EQ(0, memory_command(self, HMM_DMIRROR_MIGRATE_TO_DEV, 0, 8));
	EXPECT_EQ(8, resident(self, variant->place, 0, 8));
	for (int i = 0; i < 8; i++)
		EXPECT_EQ(HMM_DMIRROR_PROT_NONE, peek(other, self->at + i * PAGE));

	fill(self->buffer, 8 * PAGE, 2);
	ASSERT_EQ(0, command(other, HMM_DMIRROR_WRITE, cmd));
	EXPECT_EQ(8, resident(self, variant->place, 0, 8));
	EXPECT_TRUE(filled(self->at, 8 * PAGE, 2));
	close(other);
}

/* RELEASE migrates all pages of the unit to system memory, several times. */
TEST_F(memory, release)
{
	ASSERT_EQ(0, madvise(self->at, HUGE, MADV_HUGEPAGE));
	for (int round = 0; round < 3; round++) {
		fill(self->at, HUGE, round);
		ASSERT_EQ(0, memory_command(self, HMM_DMIRROR_MIGRATE_TO_DEV, 0, HUGE_PAGES));
		EXPECT_EQ(HUGE_PAGES, resident(self, variant->place, 0, HUGE_PAGES));
		ASSERT_EQ(0, memory_command(self, HMM_DMIRROR_RELEASE, 0, 1));
		EXPECT_EQ(0, resident(self, variant->place, 0, HUGE_PAGES));
		EXPECT_TRUE(filled(self->at, HUGE, round));
	}
}

/*
 * Reuse the device memory of a huge page for small pages, and free some of them,
 * including the first. RELEASE must find every page that is in use.
 */
TEST_F(memory, release_of_reused_pages)
{
	ASSERT_EQ(0, madvise(self->at, HUGE, MADV_HUGEPAGE));
	fill(self->at, HUGE, 0);
	ASSERT_EQ(0, memory_command(self, HMM_DMIRROR_MIGRATE_TO_DEV, 0, HUGE_PAGES));
	ASSERT_EQ(0, madvise(self->at, HUGE, MADV_DONTNEED));

	ASSERT_EQ(0, madvise(self->at, HUGE, MADV_NOHUGEPAGE));
	fill(self->at, HUGE, 1);
	ASSERT_EQ(0, memory_command(self, HMM_DMIRROR_MIGRATE_TO_DEV, 0, HUGE_PAGES));
	for (size_t page = 0; page < HUGE_PAGES; page += 3)
		ASSERT_EQ(0, madvise(self->at + page * PAGE, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, memory_command(self, HMM_DMIRROR_RELEASE, 0, 1));
	EXPECT_EQ(0, resident(self, variant->place, 0, HUGE_PAGES));
	for (size_t i = 0; i < HUGE / sizeof(int); i++)
		ASSERT_EQ(i / (PAGE / sizeof(int)) % 3 ? (int)i * 7 + 1 : 0,
			  ((int *)self->at)[i]);
}

/* RELEASE by one process migrates the pages of another. */
TEST_F(memory, release_of_a_child)
{
	struct handshake hand;
	int status;
	pid_t pid;

	ASSERT_EQ(0, handshake_open(&hand));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(self->fd);
		self->fd = open(variant->path, O_RDWR);
		fill(self->at, HUGE, 5);
		if (memory_command(self, HMM_DMIRROR_MIGRATE_TO_DEV, 0, HUGE_PAGES) ||
		    resident(self, variant->place, 0, HUGE_PAGES) != HUGE_PAGES)
			_exit(1);
		/* Pages stay in device memory when the file is closed. */
		close(self->fd);
		if (!handshake_signal_parent(&hand) || !handshake_wait_for_parent(&hand))
			_exit(2);
		_exit(filled(self->at, HUGE, 5) ? 0 : 3);
	}
	ASSERT_TRUE(handshake_wait_for_child(&hand));
	EXPECT_EQ(0, memory_command(self, HMM_DMIRROR_RELEASE, 0, 1));
	ASSERT_TRUE(handshake_signal_child(&hand));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Fork with pages in device memory; parent and child write to them. */
TEST_F(memory, fork)
{
	int status;
	pid_t pid;

	fill(self->at, HUGE, 6);
	ASSERT_EQ(0, memory_command(self, HMM_DMIRROR_MIGRATE_TO_DEV, 0, HUGE_PAGES));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		bool same = filled(self->at, HUGE, 6);

		fill(self->at, HUGE, 7);
		_exit(same && filled(self->at, HUGE, 7) ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(filled(self->at, HUGE, 6));
	fill(self->buffer, 8 * PAGE, 8);
	EXPECT_EQ(0, memory_command(self, HMM_DMIRROR_WRITE, 0, 8));
	EXPECT_TRUE(filled(self->at, 8 * PAGE, 8));
}

TEST_F(memory, not_migratable)
{
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *at = self->at;

	/* Migrating no page to system memory is no error. */
	fill(at, PAGE, 0);
	EXPECT_EQ(0, memory_command(self, HMM_DMIRROR_MIGRATE_TO_SYS, 0, 1));
	EXPECT_EQ(-EINVAL, memory_command(self, HMM_DMIRROR_FLAGS, 0, 2));

	self->at = shared;
	EXPECT_EQ(-ENOENT, memory_command(self, HMM_DMIRROR_MIGRATE_TO_DEV, 0, 1));
	self->at = at;
	ASSERT_EQ(0, munmap(at, PAGE));
	EXPECT_EQ(-EINVAL, memory_command(self, HMM_DMIRROR_MIGRATE_TO_DEV, 0, 1));
	EXPECT_EQ(-EINVAL, memory_command(self, HMM_DMIRROR_MIGRATE_TO_SYS, 0, 1));
}

TEST_HARNESS_MAIN
