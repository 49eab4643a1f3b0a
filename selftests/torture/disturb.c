// SPDX-License-Identifier: GPL-2.0
/*
 * disturb PROGRAM [ARGUMENT...]: run a program while CPUs and memory are taken offline and come
 * back, memory is compacted, caches are dropped, and khugepaged, ksmd and DAMON's reclaim work as
 * fast as they can. Settings are restored in the end. The exit status is the program's; it is 1 if
 * something that this kernel has was never done, and the program took some time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hmm_user.h"

#define CPUS	"/sys/devices/system/cpu"
#define MEMORY	"/sys/devices/system/memory"
#define THP	"/sys/kernel/mm/transparent_hugepage/khugepaged"
#define KSM	"/sys/kernel/mm/ksm"
#define DAMON	"/sys/module/damon_reclaim/parameters"

/* After so many seconds, something that was never done is an error. */
#define ENOUGH	20

/* How long the kernel may try to take a block of memory offline. */
#define OFFLINE_SECONDS	5

static volatile bool stop;

/* Write a text to a file of sysfs or procfs; 0 or a negative error. */
static int put(const char *text, const char *format, ...)
{
	char path[256];
	va_list arguments;
	int fd, ret;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* Read the first line of a file, without its end; an empty one if it cannot be read. */
static char *get(char line[64], const char *path)
{
	FILE *file = fopen(path, "re");

	line[0] = 0;
	if (file && fgets(line, 64, file))
		line[strcspn(line, "\n")] = 0;
	if (file)
		fclose(file);
	return line;
}

static void pause_ms(long milliseconds)
{
	usleep(milliseconds * 1000);
}

/* Count the folders of @path that are @name and a number; store the numbers. */
static int numbered(const char *path, const char *name, int numbers[], int size)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	int count = 0, end;

	while (folder && (entry = readdir(folder)) && count < size) {
		if (strncmp(entry->d_name, name, strlen(name)))
			continue;
		end = 0;
		if (sscanf(entry->d_name + strlen(name), "%d%n", &numbers[count], &end) == 1 &&
		    !entry->d_name[strlen(name) + end])
			count++;
	}
	if (folder)
		closedir(folder);
	return count;
}

/*
 * What happens again and again: step() does it once, and returns 0 or a negative error, which
 * is none if it works another time.
 */
struct repeated {
	const char *name;
	const char *file;	/* without it the kernel does not have this */
	int (*step)(unsigned int *seed);
	long done, failed;
	pthread_t thread;
	bool running;
};

static int cpu_step(unsigned int *seed)
{
	int cpus[64], count = numbered(CPUS, "cpu", cpus, 64), cpu, ret;

	if (count < 2)
		return -ENODEV;
	cpu = cpus[rand_r(seed) % count];
	/* The first one has no such file. */
	ret = put("0", CPUS "/cpu%d/online", cpu);
	pause_ms(20 + rand_r(seed) % 100);
	if (!ret)
		ret = put("1", CPUS "/cpu%d/online", cpu);
	pause_ms(20 + rand_r(seed) % 100);
	return ret;
}

static void no_action(int signal)
{
}

static __thread timer_t timer;
static __thread bool timer_exists;

/*
 * Send this thread a signal, and a second one if that comes too early, when so many seconds have
 * passed; 0: do not. A write to sysfs that waits ends with EINTR then.
 */
static int limit_seconds(time_t seconds)
{
	const struct sigaction action = { .sa_handler = no_action };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGUSR1,
		._sigev_un._tid = gettid(),
	};
	struct itimerspec time = {
		.it_value.tv_sec = seconds,
		.it_interval.tv_sec = 1,
	};

	if (!timer_exists) {
		if (sigaction(SIGUSR1, &action, NULL) ||
		    timer_create(CLOCK_MONOTONIC, &event, &timer))
			return -errno;
		timer_exists = true;
	}
	return timer_settime(timer, 0, &time, NULL) ? -errno : 0;
}

/*
 * A block that has memory which cannot be moved stays online. The kernel tries for ever to move
 * pages that are in use, such as those that something pins (memory-hotplug.rst in Linux's
 * Documentation/admin-guide/mm: limit the time); such a block stays online, too.
 */
static int memory_step(unsigned int *seed)
{
	int blocks[1024], count = numbered(MEMORY, "memory", blocks, 1024), block, ret;

	if (!count)
		return -ENODEV;
	block = blocks[rand_r(seed) % count];
	ret = limit_seconds(OFFLINE_SECONDS);
	if (ret)
		return ret;
	ret = put("offline", MEMORY "/memory%d/state", block);
	limit_seconds(0);
	pause_ms(rand_r(seed) % 50);
	if (!ret)
		ret = put("online", MEMORY "/memory%d/state", block);
	pause_ms(rand_r(seed) % 50);
	return ret;
}

static int compact_step(unsigned int *seed)
{
	pause_ms(rand_r(seed) % 200);
	return put("1", "/proc/sys/vm/compact_memory");
}

static int drop_step(unsigned int *seed)
{
	pause_ms(200 + rand_r(seed) % 400);
	return put("3", "/proc/sys/vm/drop_caches");
}

static struct repeated repeated[] = {
	{ "cpus", CPUS "/cpu1/online", cpu_step },
	{ "memory-blocks", MEMORY "/block_size_bytes", memory_step },
	{ "compactions", "/proc/sys/vm/compact_memory", compact_step },
	{ "drops", "/proc/sys/vm/drop_caches", drop_step },
};

static void *repeat(void *data)
{
	struct repeated *it = data;
	unsigned int seed = it - repeated + 1;

	while (!stop) {
		if (it->step(&seed))
			it->failed++;
		else
			it->done++;
	}
	return NULL;
}

/* A setting of what the kernel does by itself, and its value before. */
struct setting {
	const char *file, *value;
	char before[64];
};

static struct setting settings[] = {
	{ THP "/scan_sleep_millisecs", "10" },
	{ THP "/alloc_sleep_millisecs", "10" },
	{ KSM "/sleep_millisecs", "20" },
	{ KSM "/pages_to_scan", "1000" },
	{ KSM "/run", "1" },
	{ DAMON "/min_age", "100000" },
	{ DAMON "/quota_sz", "4194304" },
	{ DAMON "/quota_reset_interval_ms", "500" },
	{ DAMON "/wmarks_high", "1000" },
	{ DAMON "/wmarks_mid", "999" },
	{ DAMON "/wmarks_low", "0" },
	{ DAMON "/enabled", "Y" },
};

/* How far a thread of the kernel has come; @before is at the start. */
struct progress {
	const char *name, *file;
	long before;
};

static struct progress progress[] = {
	{ "khugepaged-scans", THP "/full_scans" },
	{ "ksm-scans", KSM "/full_scans" },
	{ "damon-regions", DAMON "/nr_reclaim_tried_regions" },
};

/* Without pages to merge ksmd does not scan. */
#define MERGED	(1UL << 20)

static void give_to_ksm(void)
{
	char *pages = map_aligned(MERGED, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

	if (!pages)
		return;
	memset(pages, 0x4b, MERGED);
	madvise(pages, MERGED, MADV_MERGEABLE);
}

/* Without memory that may have huge pages khugepaged does not scan. */
static void give_to_khugepaged(void)
{
	char *pages = map_aligned(HUGE, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

	if (!pages)
		return;
	for (unsigned long at = 0; at < HUGE; at += 8 * PAGE)
		pages[at] = 1;
	madvise(pages, HUGE, MADV_HUGEPAGE);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void start_all(void)
{
	char line[64];

	give_to_ksm();
	give_to_khugepaged();
	for (size_t i = 0; i < COUNT(settings); i++) {
		get(settings[i].before, settings[i].file);
		if (settings[i].before[0])
			put(settings[i].value, "%s", settings[i].file);
	}
	for (size_t i = 0; i < COUNT(progress); i++)
		progress[i].before = atol(get(line, progress[i].file));
	for (size_t i = 0; i < COUNT(repeated); i++)
		repeated[i].running = !access(repeated[i].file, F_OK) &&
			!pthread_create(&repeated[i].thread, NULL, repeat, &repeated[i]);
}

/* Report what was done; returns false if something was not, of what there is. */
static bool end_all(void)
{
	bool all = true;
	char line[64];
	long done;

	stop = true;
	printf("# figures:");
	for (size_t i = 0; i < COUNT(repeated); i++) {
		if (!repeated[i].running)
			continue;
		pthread_join(repeated[i].thread, NULL);
		printf(" %s=%ld", repeated[i].name, repeated[i].done);
		all &= repeated[i].done > 0;
	}
	for (size_t i = 0; i < COUNT(progress); i++) {
		if (access(progress[i].file, F_OK))
			continue;
		done = atol(get(line, progress[i].file)) - progress[i].before;
		printf(" %s=%ld", progress[i].name, done);
		all &= done > 0;
	}
	printf("\n");
	for (size_t i = COUNT(settings); i--;)
		if (settings[i].before[0])
			put(settings[i].before, "%s", settings[i].file);
	return all;
}

static pid_t program;

/* Who ends this ends the program, and settings are restored then, too. */
static void on_signal(int signal)
{
	kill(program, signal);
}

int main(int argc, char **argv)
{
	double began = monotonic_seconds();
	int status = 0;
	bool all;

	if (argc < 2) {
		fprintf(stderr, "disturb PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	program = fork();
	if (program < 0) {
		perror("disturb: fork");
		return 1;
	}
	if (!program) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[1], argv + 1);
		fprintf(stderr, "disturb: %s: %s\n", argv[1], strerror(errno));
		_exit(127);
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	start_all();
	while (waitpid(program, &status, 0) < 0 && errno == EINTR)
		;
	all = end_all();
	if (!all && monotonic_seconds() - began > ENOUGH) {
		printf("# disturb: what is 0 was never done\n");
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
