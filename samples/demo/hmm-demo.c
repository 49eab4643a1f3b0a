// SPDX-License-Identifier: GPL-2.0
/*
 * hmm-demo: show a process and a device that share one address space.
 *
 *	hmm-demo [--color=auto|always|never] [/dev/hmm_dmirror0]
 *
 * Part 1 passes pointers from malloc() to the device, which computes on that
 * memory in place. Part 2 changes mappings that the device uses, and prints
 * after each change the device's page table, what the CPU reads, and what the
 * device reads. Part 3 migrates memory to the device, and prints for each page
 * whether it is in system or device memory. In part 4, three processes request more
 * device memory than there is; a map shows which of their pages have it. Everything
 * printed is also checked: the exit status is 1 if a check failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hmm_dmirror.h"

#define PAGES 5			/* in part 2 */
#define ELEMENTS (256 * 1024)	/* of a vector in part 1 */
#define MOVED 32		/* pages to migrate in part 3 */

/* Part 4: a device's memory in pages, and processes that need half of it each. */
#define LIMIT 1024
#define NO_LIMIT 0x40000000
#define PROCESSES 3
#define NEED (LIMIT / 2)
#define ROUNDS 4
#define CELLS 16		/* of a process in the map */
#define STEP_MS 100		/* from one line of the map to the next, at least */
#define LINES 30
#define LONGEST_S 20		/* that a process may wait for device memory */

static int device;
static long page_size;
static bool colored;
static int wrong;

/*
 * Output.
 */

enum color { PLAIN, GOOD, LESS, NONE, BAD, TITLE };

static const char *color(enum color c)
{
	static const char *const codes[] = {
		[PLAIN] = "\033[0m", [GOOD] = "\033[32m", [LESS] = "\033[33m",
		[NONE] = "\033[2m", [BAD] = "\033[1;31m", [TITLE] = "\033[1m",
	};

	return colored ? codes[c] : "";
}

static void title(const char *text)
{
	printf("\n%s%s%s\n", color(TITLE), text, color(PLAIN));
}

/* Print what happened and whether the result is right; count wrong results. */
static void report(bool right, const char *format, ...)
{
	char line[128];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	printf("  %-72s %s%s%s\n", line, color(right ? GOOD : BAD),
	       right ? "ok" : "WRONG", color(PLAIN));
	wrong += !right;
}

static void die(const char *what)
{
	fprintf(stderr, "hmm-demo: %s: %s\n", what, strerror(errno));
	exit(1);
}

/*
 * The device.
 */

/* Run one command on @npages pages; return 0 or an errno. */
static int device_commands(unsigned long command, void *addr, void *buffer,
			   int npages)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)addr,
		.ptr = (uintptr_t)buffer,
		.npages = npages,
	};

	return ioctl(device, command, &cmd) ? errno : 0;
}

static int device_command(unsigned long command, void *addr, void *buffer)
{
	return device_commands(command, addr, buffer, 1);
}

static int device_compute(struct hmm_dmirror_compute *compute)
{
	return ioctl(device, HMM_DMIRROR_COMPUTE, compute) ? errno : 0;
}

/* Have the device write a number to the start of a page. */
static int device_write(void *page, int number)
{
	int *buffer = calloc(1, page_size);
	int error;

	buffer[0] = number;
	error = device_command(HMM_DMIRROR_WRITE, page, buffer);
	free(buffer);
	return error;
}

/* Access rights to a page. */
enum rights { NO_ACCESS, READ_ONLY, READ_WRITE, EXCLUSIVE };

/* The CPU's or the device's rights to a page, and the number it reads there. */
struct view {
	enum rights rights;
	int number;		/* NO_NUMBER: not read, or not readable */
};

#define NO_NUMBER (-1)

/* Read a page's entry in the device's page table; faults nothing in. */
static struct view device_table(void *page)
{
	struct view view = { NO_ACCESS, NO_NUMBER };
	unsigned char prot;

	if (device_command(HMM_DMIRROR_PEEK, page, &prot))
		die("device peek");
	if (prot & HMM_DMIRROR_PROT_EXCLUSIVE)
		view.rights = EXCLUSIVE;
	else if (prot & HMM_DMIRROR_PROT_WRITE)
		view.rights = READ_WRITE;
	else if (prot & HMM_DMIRROR_PROT_READ)
		view.rights = READ_ONLY;
	return view;
}

/* Have the device read the page, which maps it in the device's page table. */
static struct view device_view(void *page)
{
	int *buffer = calloc(1, page_size);
	int error = device_command(HMM_DMIRROR_READ, page, buffer);
	struct view view = device_table(page);

	if (!error)
		view.number = buffer[0];
	free(buffer);
	return view;
}

/*
 * The CPU: it reads the page and catches the signal if that fails.
 */

static sigjmp_buf after_fault;

static void on_fault(int signal)
{
	siglongjmp(after_fault, signal);
}

static enum rights cpu_rights(uintptr_t addr)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	enum rights rights = NO_ACCESS;
	unsigned long start, end;
	char line[512], r, w;

	if (!maps)
		die("/proc/self/maps");
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %c%c", &start, &end, &r, &w) != 4)
			continue;
		if (start <= addr && addr < end && r == 'r')
			rights = w == 'w' ? READ_WRITE : READ_ONLY;
	}
	fclose(maps);
	return rights;
}

static struct view cpu_view(void *page)
{
	struct view view = { cpu_rights((uintptr_t)page), NO_NUMBER };

	if (!sigsetjmp(after_fault, 1))
		view.number = __atomic_load_n((int *)page, __ATOMIC_RELAXED);
	return view;
}

/*
 * Rows of the output of part 2: one cell per page.
 */

static char *pages;

static void *page(int i)
{
	return pages + i * page_size;
}

static void row_start(const char *who)
{
	printf("    %-22s", who);
}

static void row_cell(struct view seen, struct view expected)
{
	static const char *const names[] = { "--", "r-", "rw", "exc" };
	static const enum color colors[] = { NONE, LESS, GOOD, GOOD };
	bool same = seen.rights == expected.rights &&
		    seen.number == expected.number;
	char number[16] = "";

	if (seen.number != NO_NUMBER)
		snprintf(number, sizeof(number), "%d", seen.number);
	printf("%s%-3s %-5s%c%s ", color(same ? colors[seen.rights] : BAD),
	       names[seen.rights], number, same ? ' ' : '!', color(PLAIN));
	wrong += !same;
}

/* The views that the CPU and the device must have of each page. */
static struct view cpu_expected[PAGES], device_expected[PAGES];

static void row(const char *who, struct view (*look)(void *page),
		const struct view *expected)
{
	row_start(who);
	for (int i = 0; i < PAGES; i++)
		row_cell(look(page(i)), expected[i]);
	putchar('\n');
}

/* Print the device's page table; bit i of @lost: page i must not be mapped. */
static void table_row(const char *who, unsigned int lost)
{
	struct view expected[PAGES];

	for (int i = 0; i < PAGES; i++) {
		expected[i] = device_expected[i];
		expected[i].number = NO_NUMBER;
		if (lost & 1U << i)
			expected[i].rights = NO_ACCESS;
	}
	row(who, device_table, expected);
}

static void expect(int i, enum rights cpu, enum rights dev, int number)
{
	cpu_expected[i] = (struct view){ cpu, number };
	device_expected[i] = (struct view){ dev, number };
}

/*
 * Print the device's page table as the change left it, then the views of the
 * CPU and the device. The device's reads fault pages in, so they come last.
 */
static void show(const char *change, unsigned int lost)
{
	printf("  %s%s%s\n", color(TITLE), change, color(PLAIN));
	table_row("device's table, now", lost);
	row("CPU finds", cpu_view, cpu_expected);
	row("device finds", device_view, device_expected);
}

/*
 * Part 1: compute in place.
 */

static void compute_saxpy(int *x, int *y)
{
	struct hmm_dmirror_compute saxpy = {
		.op = HMM_DMIRROR_SAXPY, .a = 3, .n = ELEMENTS,
		.x = (uintptr_t)x, .y = (uintptr_t)y,
	};
	int error = device_compute(&saxpy), right = 0;

	if (error) {
		report(false, "device: y = 3 * x + y failed: %s", strerror(error));
		return;
	}
	for (int i = 0; i < ELEMENTS; i++)
		right += y[i] == 5 * i;
	report(true, "device: y = 3 * x + y             (%llu device faults, %ld pages)",
	       (unsigned long long)saxpy.faults, 2 * ELEMENTS * sizeof(int) / page_size);
	report(right == ELEMENTS, "CPU:    y[i] == 5 * i             for %d of %d elements",
	       right, ELEMENTS);
}

static void compute_sum(int *y)
{
	struct hmm_dmirror_compute sum = {
		.op = HMM_DMIRROR_SUM, .n = ELEMENTS, .x = (uintptr_t)y,
	};
	int error = device_compute(&sum);
	long long expected = 0;

	for (int i = 0; i < ELEMENTS; i++)
		expected += y[i];
	if (error)
		report(false, "device: sum(y) failed: %s", strerror(error));
	else
		report(sum.sum == expected, "device: sum(y) = %-15lld  CPU: %lld",
		       (long long)sum.sum, expected);
}

static void part_compute(void)
{
	int *x = malloc(ELEMENTS * sizeof(*x));
	int *y = malloc(ELEMENTS * sizeof(*y));

	if (!x || !y)
		die("malloc");
	title("1. The device computes on memory from malloc(), in place");
	for (int i = 0; i < ELEMENTS; i++) {
		x[i] = i;
		y[i] = 2 * i;
	}
	report(true, "CPU:    x[i] = i, y[i] = 2 * i    at %p and %p", x, y);
	compute_saxpy(x, y);

	for (int i = 0; i < ELEMENTS; i++)
		y[i] = -y[i];
	report(true, "CPU:    y[i] = -y[i]              right away: nothing to copy back");
	compute_sum(y);
	free(x);
	free(y);
}

/*
 * Part 2: mappings change while the device uses them.
 */

static void follow_write(void)
{
	for (int i = 0; i < PAGES; i++) {
		if (device_write(page(i), 100 + i))
			die("device write");
		expect(i, READ_WRITE, READ_WRITE, 100 + i);
	}
	show("the device writes 100 to page 0, 101 to page 1, ...", 0);
}

static void follow_mprotect(void)
{
	if (mprotect(page(1), page_size, PROT_READ))
		die("mprotect");
	expect(1, READ_ONLY, READ_ONLY, 101);
	show("mprotect(page 1, PROT_READ)", 1 << 1);
	report(device_write(page(1), 7) == EPERM,
	       "  the device's write to page 1 fails, as the CPU's would");
}

static void follow_munmap(void)
{
	if (munmap(page(2), page_size))
		die("munmap");
	expect(2, NO_ACCESS, NO_ACCESS, NO_NUMBER);
	show("munmap(page 2)", 1 << 2);
}

static void follow_madvise(void)
{
	if (madvise(page(3), page_size, MADV_DONTNEED))
		die("madvise");
	expect(3, READ_WRITE, READ_ONLY, 0);
	show("madvise(page 3, MADV_DONTNEED): the page is freed", 1 << 3);
}

static void follow_exclusive(void)
{
	struct view exclusive = { EXCLUSIVE, NO_NUMBER };
	struct view unmapped = { NO_ACCESS, NO_NUMBER };
	int *buffer = calloc(1, page_size);

	printf("  %sthe device has exclusive access to page 0 until the CPU reads it%s\n",
	       color(TITLE), color(PLAIN));
	if (device_command(HMM_DMIRROR_EXCLUSIVE, page(0), buffer))
		die("device exclusive");
	free(buffer);
	row_start("device's table, now");
	row_cell(device_table(page(0)), exclusive);
	putchar('\n');
	row_start("CPU finds");
	row_cell(cpu_view(page(0)), cpu_expected[0]);
	putchar('\n');
	row_start("device's table, now");
	row_cell(device_table(page(0)), unmapped);
	putchar('\n');
}

/* Wait for a byte from the parent, read page 4, and send the view of it back. */
static void child_process(int in, int out)
{
	struct view view;
	char start;

	if (read(in, &start, 1) != 1)
		_exit(1);
	view = cpu_view(page(4));
	_exit(write(out, &view, sizeof(view)) != sizeof(view));
}

static void follow_fork(void)
{
	struct view child = {}, inherited = cpu_expected[4];
	int to[2], from[2];
	pid_t pid;

	fflush(stdout);
	if (pipe(to) || pipe(from))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		child_process(to[0], from[1]);

	for (int i = 0; i < PAGES; i++)
		if (device_expected[i].rights == READ_WRITE)
			device_expected[i].rights = READ_ONLY;
	show("fork(): the child shares the pages until one of the two writes", ~0U);

	if (device_write(page(4), 999))
		die("device write after fork");
	expect(4, READ_WRITE, READ_WRITE, 999);
	show("the device writes 999 to page 4: copy on write", 0);
	if (write(to[1], "", 1) != 1 ||
	    read(from[0], &child, sizeof(child)) != sizeof(child))
		die("child");
	waitpid(pid, NULL, 0);
	report(child.number == inherited.number,
	       "  the child still reads %d from page 4", child.number);
}

static void part_follow(void)
{
	pages = mmap(NULL, PAGES * page_size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		die("mmap");

	title("2. Mappings change while the device uses them");
	row_start("");
	for (int i = 0; i < PAGES; i++)
		printf("page %-6d", i);
	putchar('\n');

	follow_write();
	follow_mprotect();
	follow_munmap();
	follow_madvise();
	follow_exclusive();
	follow_fork();
}

/*
 * Part 3: memory migrates.
 */

/*
 * Print which memory each page is in: D for device, s for system memory. Pages
 * @from to @to must be in system memory, the others in device memory.
 */
static void show_memory(const char *event, char *memory, int from, int to)
{
	unsigned char prot[MOVED];
	int wrong_before = wrong;

	if (device_commands(HMM_DMIRROR_SNAPSHOT, memory, prot, MOVED))
		die("device snapshot");
	printf("  %-38s", event);
	for (int i = 0; i < MOVED; i++) {
		bool in_device = prot[i] & HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL;
		bool in_system_expected = i >= from && i < to;

		printf("%s%c", color(in_device ? GOOD : LESS), in_device ? 'D' : 's');
		wrong += in_device == in_system_expected;
	}
	printf("%s  %s%s%s\n", color(PLAIN), color(wrong > wrong_before ? BAD : GOOD),
	       wrong > wrong_before ? "WRONG" : "ok", color(PLAIN));
}

static void migrate_to_device(char *memory)
{
	char *copy = malloc(MOVED * page_size);

	errno = device_commands(HMM_DMIRROR_MIGRATE_TO_DEV, memory, copy, MOVED);
	if (errno)
		die("migrating pages to the device");
	free(copy);
}

/* Read both vectors with the CPU, which migrates them to system memory. */
static void check_vectors(int *x, int *y, int n, int factor)
{
	int right = 0;

	for (int i = 0; i < n; i++)
		right += x[i] == i && y[i] == factor * i;
	report(right == n, "CPU:    y[i] == %d * i             for %d of %d elements",
	       factor, right, n);
}

static void part_migrate(void)
{
	char *allocation = malloc((MOVED + 16) * page_size);
	const uintptr_t align = 16 * page_size;
	/* A CPU fault migrates the 16 aligned pages around it: align the vectors. */
	char *memory = (char *)(((uintptr_t)allocation + align - 1) & ~(align - 1));
	int n = MOVED / 2 * page_size / sizeof(int);
	int *x = (int *)memory, *y = x + n;
	struct hmm_dmirror_compute saxpy = {
		.op = HMM_DMIRROR_SAXPY, .a = 2, .n = n,
		.x = (uintptr_t)x, .y = (uintptr_t)y,
	};

	title("3. Memory migrates to the device and back (s: system, D: device)");
	for (int i = 0; i < n; i++) {
		x[i] = i;
		y[i] = i;
	}
	show_memory("the CPU fills x and y, 16 pages each", memory, 0, MOVED);
	migrate_to_device(memory);
	show_memory("x and y migrate to the device", memory, 0, 0);
	errno = device_compute(&saxpy);
	if (errno)
		die("device saxpy");
	show_memory("the device: y = 2 * x + y", memory, 0, 0);
	report(y[n / 2] == 3 * (n / 2), "CPU:    y[%d] = %d", n / 2, y[n / 2]);
	show_memory("that migrated y to system memory", memory, 16, MOVED);
	migrate_to_device(memory);
	show_memory("x and y migrate to the device", memory, 0, 0);
	check_vectors(x, y, n, 3);
	show_memory("that migrated both to system memory", memory, 0, MOVED);
	free(allocation);
}

/*
 * Part 4: more is requested than the device's memory has room for.
 */

/**
 * struct user - a process that uses the device, in memory shared with it
 * @map: where the pages are, a character for NEED / CELLS pages
 * @rounds: rounds that were completed, with the right sum
 * @longest: how long it waited for device memory, at most, in seconds
 * @done: whether it has ended
 */
struct user {
	char map[CELLS];
	int rounds;
	double longest;
	int done;
};

static struct user *users;
static int *numbers;		/* of a process: NEED pages */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* D: all pages are in device memory, s: all in system memory, +: some in each. */
static void user_map(struct user *user)
{
	const unsigned char place = HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL |
				    HMM_DMIRROR_PROT_DEV_COHERENT_LOCAL;
	unsigned char prot[NEED];

	if (device_commands(HMM_DMIRROR_SNAPSHOT, numbers, prot, NEED))
		return;
	for (int cell = 0; cell < CELLS; cell++) {
		int in_device = 0, nr = NEED / CELLS;

		for (int i = 0; i < nr; i++)
			in_device += !!(prot[cell * nr + i] & place);
		user->map[cell] = in_device == nr ? 'D' : in_device ? '+' : 's';
	}
}

static void *user_map_always(void *user)
{
	for (;;) {
		user_map(user);
		usleep(STEP_MS * 1000 / 4);
	}
	return NULL;
}

/* Have all pages in device memory at one time. Returns an errno. */
static int user_request(struct user *user, char *copy)
{
	double began = seconds(), waited;
	int error;

	do {
		error = device_commands(HMM_DMIRROR_MIGRATE_TO_DEV, numbers, copy, NEED);
		waited = seconds() - began;
		if (error == ENOENT)
			usleep(1000);
	} while (error == ENOENT && waited < 2 * LONGEST_S);
	if (waited > user->longest)
		user->longest = waited;
	return error;
}

/* One round: the CPU writes, the device doubles and adds up. Returns an errno. */
static int user_round(struct user *user, char *copy, int round)
{
	size_t nr = NEED * page_size / sizeof(*numbers);
	struct hmm_dmirror_compute twice = {
		.op = HMM_DMIRROR_SAXPY, .a = 1, .n = nr,
		.x = (uintptr_t)numbers, .y = (uintptr_t)numbers,
	};
	struct hmm_dmirror_compute sum = {
		.op = HMM_DMIRROR_SUM, .n = nr, .x = (uintptr_t)numbers,
	};
	long long expected = 0;
	int error;

	for (size_t i = 0; i < nr; i++) {
		numbers[i] = i % 1000 + round;
		expected += 2 * numbers[i];
	}
	error = user_request(user, copy);
	if (!error)
		error = device_compute(&twice);
	if (!error)
		error = device_compute(&sum);
	return error ? error : sum.sum == expected ? 0 : EILSEQ;
}

/* A process. Between rounds it does other work, and its pages make room. */
static void user_process(struct user *user, const char *path)
{
	char *copy = malloc(NEED * page_size);
	pthread_t mapper;

	alarm(2 * ROUNDS * LONGEST_S);
	device = open(path, O_RDWR | O_CLOEXEC);
	numbers = mmap(NULL, NEED * page_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (device < 0 || !copy || numbers == MAP_FAILED ||
	    pthread_create(&mapper, NULL, user_map_always, user))
		_exit(1);
	for (int round = 0; round < ROUNDS; round++) {
		if (user_round(user, copy, round))
			break;
		user->rounds++;
		usleep(2 * STEP_MS * 1000);
	}
	_exit(user->rounds != ROUNDS);
}

static void map_line(double time)
{
	printf("  %5.2f s ", time);
	for (int i = 0; i < PROCESSES; i++) {
		putchar(' ');
		for (int cell = 0; cell < CELLS; cell++) {
			char place = users[i].map[cell];

			printf("%s%c", color(place == 'D' ? GOOD : place == '.' ? NONE : LESS),
			       place);
		}
		printf("%s ", color(PLAIN));
	}
	putchar('\n');
}

/* Whether the map has changed since the last call. */
static bool map_changed(void)
{
	static char shown[PROCESSES][CELLS];
	bool changed = false;

	for (int i = 0; i < PROCESSES; i++) {
		if (users[i].done)
			memset(users[i].map, '.', CELLS);
		changed |= memcmp(shown[i], users[i].map, CELLS) != 0;
		memcpy(shown[i], users[i].map, CELLS);
	}
	return changed;
}

/* Print a line whenever the map has changed. Returns when all processes have ended. */
static void show_map(const pid_t *pids)
{
	double began = seconds();
	int running = PROCESSES, lines = 0;

	printf("          ");
	for (int i = 0; i < PROCESSES; i++)
		printf(" process %-*d", CELLS - 7, i + 1);
	putchar('\n');

	while (running) {
		for (int i = 0; i < PROCESSES; i++) {
			if (users[i].done || waitpid(pids[i], NULL, WNOHANG) != pids[i])
				continue;
			users[i].done = 1;
			running--;
		}
		if (map_changed() && lines++ < LINES)
			map_line(seconds() - began);
		usleep(STEP_MS * 1000);
	}
}

/* Limit the device's memory, which is for what is added after the present is removed. */
static void limit_memory(int npages)
{
	errno = device_command(HMM_DMIRROR_RELEASE, NULL, NULL);
	if (!errno)
		errno = device_commands(HMM_DMIRROR_LIMIT, NULL, NULL, npages);
	if (errno)
		die("limiting the device's memory");
}

static void part_oversubscribe(const char *path)
{
	pid_t pids[PROCESSES];

	title("4. Three processes need half of the device's memory each");
	printf("  (a character is %d pages; D: device, s: system, +: both, .: the process ended)\n",
	       NEED / CELLS);
	users = mmap(NULL, PROCESSES * sizeof(*users), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (users == MAP_FAILED)
		die("mmap");
	limit_memory(LIMIT);
	fflush(stdout);
	for (int i = 0; i < PROCESSES; i++) {
		memset(users[i].map, 's', CELLS);
		pids[i] = fork();
		if (pids[i] < 0)
			die("fork");
		if (!pids[i])
			user_process(&users[i], path);
	}
	show_map(pids);
	for (int i = 0; i < PROCESSES; i++)
		report(users[i].rounds == ROUNDS && users[i].longest < LONGEST_S,
		       "process %d: %d of %d sums are right; longest wait for memory: %.2f s",
		       i + 1, users[i].rounds, ROUNDS, users[i].longest);
	limit_memory(NO_LIMIT);
	munmap(users, PROCESSES * sizeof(*users));
}

static void show_usage(void)
{
	fputs("usage: hmm-demo [--color=auto|always|never] [/dev/hmm_dmirror0]\n",
	      stderr);
	exit(2);
}

static bool want_color(const char *when)
{
	if (!strcmp(when, "auto"))
		return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	if (strcmp(when, "always") && strcmp(when, "never"))
		show_usage();
	return !strcmp(when, "always");
}

static void prepare(const char *path)
{
	const struct sigaction fault = { .sa_handler = on_fault };

	page_size = sysconf(_SC_PAGESIZE);
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGBUS, &fault, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open(path, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die(path);
}

int main(int argc, char *argv[])
{
	const char *path = "/dev/hmm_dmirror0", *when = "auto";

	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--color=", 8))
			when = argv[i] + 8;
		else if (argv[i][0] == '/')
			path = argv[i];
		else
			show_usage();
	}
	colored = want_color(when);
	prepare(path);

	printf("One process, one device (%s), the same pointers.\n", path);
	part_compute();
	part_follow();
	part_migrate();
	part_oversubscribe(path);

	if (wrong)
		printf("\n%s%d checks failed.%s\n",
		       color(BAD), wrong, color(PLAIN));
	else
		printf("\n%sAll checks passed.%s\n",
		       color(GOOD), color(PLAIN));
	return wrong != 0;
}
