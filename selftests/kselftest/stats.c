// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics in debugfs: what the files show of a driver's mirrors and device memory,
 * who may read them, and readers of objects that end. And that hmmtop, if there is one in
 * the guest, shows the same.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "hmm_dmirror.h"
#include "fixture_dmirror.h"

#define MIRRORS	"/sys/kernel/debug/hmm/mirrors"
#define DEVMEM	"/sys/kernel/debug/hmm/devmem"
#define HMMTOP	"/programs/hmmtop"
#define PAGES	64UL
#define SIZE	(PAGES * PAGE)
#define TEXT	65536
/* How often the objects that are read begin and end. */
#define ENDS	60

/* Read a whole file, in pieces of @piece bytes; its length, or a negative error number. */
static ssize_t file_read(const char *path, char text[TEXT], size_t piece)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 1, all = 0;

	if (fd < 0)
		return -errno;
	while (got > 0 && all + piece < TEXT) {
		got = read(fd, text + all, piece);
		all += got > 0 ? got : 0;
	}
	close(fd);
	text[all] = 0;
	return got < 0 ? -errno : all;
}

/* The last line that has @what, of a file; cuts @text behind it. NULL if there is none. */
static char *line_with(const char *path, const char *what, char text[TEXT])
{
	char *at = NULL, *end;

	if (file_read(path, text, 4096) < 0)
		return NULL;
	for (char *next = strstr(text, what); next; next = strstr(next + 1, what))
		at = next;
	if (!at)
		return NULL;
	end = strchr(at, '\n');
	if (end)
		*end = 0;
	while (at > text && at[-1] != '\n')
		at--;
	return at;
}

static long long field(const char *line, const char *name)
{
	char key[40];
	const char *at;

	snprintf(key, sizeof(key), " %s=", name);
	at = line ? strstr(line, key) : NULL;
	return at ? atoll(at + strlen(key)) : -1;
}

/*
 * The line of this process's mirror of the device that was opened last: the end of one
 * that was closed before may be deferred.
 */
static char *my_line(char text[TEXT])
{
	char key[32];

	snprintf(key, sizeof(key), " pid=%d ", getpid());
	return line_with(MIRRORS, key, text);
}

/* The line of the memory that a mirror's owner has, by the mirror's line. */
static char *memory_line(const char *line, char text[TEXT])
{
	char key[32];

	snprintf(key, sizeof(key), "devmem=%lld ", field(line, "owner"));
	return line_with(DEVMEM, key, text);
}

FIXTURE(stats) {
	char *at;
	char text[TEXT];
	char other[TEXT];
	int device;
};

FIXTURE_SETUP(stats)
{
	if (access(MIRRORS, R_OK))
		SKIP(return, "no statistics in this kernel");
	self->device = device_open(0);
	if (self->device < 0)
		SKIP(return, "no driver");
	self->at = map_aligned(SIZE, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	ASSERT_NE(NULL, self->at);
	madvise(self->at, SIZE, MADV_NOHUGEPAGE);
	memset(self->at, 1, SIZE);
}

FIXTURE_TEARDOWN(stats)
{
	close(self->device);
	munmap(self->at, SIZE);
}

/* Both files as the driver's work changes them, there and back. */
TEST_F(stats, migration)
{
	long long before, faults;
	char *line, *memory;

	line = my_line(self->text);
	ASSERT_NE(NULL, line);
	EXPECT_NE(NULL, strstr(line, driver_loaded() ?: "test_hmm"));
	EXPECT_EQ(0, field(line, "resident"));
	faults = field(line, "faults");
	memory = memory_line(line, self->other);
	ASSERT_NE(NULL, memory);
	before = field(memory, "to_device");

	ASSERT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES));
	line = my_line(self->text);
	EXPECT_EQ(SIZE, field(line, "resident"));
	EXPECT_LE(1, field(line, "ranges"));
	EXPECT_LE(SIZE, field(line, "mirrored"));
	/* Not more than a process can have, although the driver mirrors all addresses. */
	EXPECT_GE(1LL << 56, field(line, "mirrored"));
	memory = memory_line(line, self->other);
	EXPECT_EQ(before + SIZE, field(memory, "to_device"));
	EXPECT_LE(SIZE, field(memory, "used"));

	before = field(memory, "from_device");
	for (size_t i = 0; i < PAGES; i++)
		ASSERT_EQ(1, self->at[i * PAGE]);
	line = my_line(self->text);
	EXPECT_EQ(0, field(line, "resident"));
	memory = memory_line(line, self->other);
	EXPECT_EQ(before + SIZE, field(memory, "from_device"));
	EXPECT_LE(1, field(memory, "cpu_faults"));

	ASSERT_LE(0, device_call(self->device, HMM_DMIRROR_READ, self->at, PAGES));
	EXPECT_LT(faults, field(my_line(self->text), "faults"));
}

/* The device writes to the zero page: the new page invalidates what the section has. */
TEST_F(stats, retry)
{
	char *zero = map_aligned(PAGE, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	long long before = field(my_line(self->text), "retries_invalidated");

	ASSERT_NE(NULL, zero);
	ASSERT_EQ(0, zero[0]);
	ASSERT_LE(0, device_call(self->device, HMM_DMIRROR_WRITE, zero, 1));
	EXPECT_LT(before, field(my_line(self->text), "retries_invalidated"));
	munmap(zero, PAGE);
}

/* munmap() is an invalidation; the end of the mirror is the end of its line. */
TEST_F(stats, invalidation_and_end)
{
	long long before;

	ASSERT_LE(0, device_call(self->device, HMM_DMIRROR_READ, self->at, PAGES));
	before = field(my_line(self->text), "invalidations");
	ASSERT_EQ(0, munmap(self->at, PAGE));
	EXPECT_LT(before, field(my_line(self->text), "invalidations"));
	close(self->device);
	self->device = -1;
	/* The driver in Rust ends it in a work item. */
	for (int i = 0; i < 100 && my_line(self->text); i++)
		usleep(20000);
	EXPECT_EQ(NULL, my_line(self->text));
}

/* Without root, neither file. */
TEST_F(stats, root_only)
{
	struct stat of;
	int status;

	ASSERT_EQ(0, stat(MIRRORS, &of));
	EXPECT_EQ(0400, of.st_mode & 07777);
	ASSERT_EQ(0, stat(DEVMEM, &of));
	EXPECT_EQ(0400, of.st_mode & 07777);
	if (!fork()) {
		/* debugfs itself is root's too: look at the files alone. */
		int folder = open("/sys/kernel/debug/hmm", O_PATH);

		if (setgid(65534) || setuid(65534))
			_exit(1);
		_exit(openat(folder, "mirrors", O_RDONLY) >= 0 || errno != EACCES ||
		      openat(folder, "devmem", O_RDONLY) >= 0 || errno != EACCES ||
		      file_read(MIRRORS, self->text, 4096) != -EACCES);
	}
	ASSERT_LT(0, wait(&status));
	EXPECT_EQ(0, status);
}

/* What a process calls itself does not make up fields or lines, nor reach a terminal. */
TEST_F(stats, hostile_name)
{
	char *line;

	close(self->device);
	ASSERT_EQ(0, prctl(PR_SET_NAME, "x pid=1\n\033[2Jv"));
	self->device = device_open(0);
	ASSERT_LE(0, self->device);
	line = my_line(self->text);
	ASSERT_NE(NULL, line);
	EXPECT_NE(NULL, strstr(line, " comm=x\\040pid\\0751\\012\\033[2Jv"));
}

/* Replace the numbers that reading the file may change, as this process is mirrored. */
static void text_mask(char *text)
{
	static const char key[] = " invalidations=";

	while ((text = strstr(text, key))) {
		text += strlen(key);
		size_t digits = strspn(text, "0123456789");

		*text = 'n';
		memmove(text + 1, text + digits, strlen(text + digits) + 1);
	}
}

/* A reader whose buffer ends anywhere gets each object once. */
TEST_F(stats, pieces)
{
	int another = device_open(1);

	ASSERT_LT(0, file_read(MIRRORS, self->text, TEXT / 2));
	text_mask(self->text);
	for (size_t piece = 1; piece < 200; piece += 13) {
		ASSERT_LT(0, file_read(MIRRORS, self->other, piece));
		text_mask(self->other);
		EXPECT_STREQ(self->text, self->other);
	}
	close(another);
}

static volatile bool stop;

/* Read both files again and again, and keep them open at a position in the middle. */
static void *reader(void *arg)
{
	char *text = malloc(TEXT);
	int held[2] = { open(MIRRORS, O_RDONLY), open(DEVMEM, O_RDONLY) };
	long reads = 0;

	while (!stop && text) {
		if (file_read(MIRRORS, text, 17) < 0 || strncmp(text, "version=1\n", 10))
			reads = -1000000;
		if (file_read(DEVMEM, text, 4096) < 0 || strncmp(text, "version=1\n", 10))
			reads = -1000000;
		for (int i = 0; i < 2; i++)
			if (read(held[i], text, 11) <= 0)
				lseek(held[i], 0, SEEK_SET);
		reads++;
	}
	close(held[0]);
	close(held[1]);
	free(text);
	return (void *)reads;
}

/* Mirrors, with memory on the device, end while another thread reads them. */
TEST_F(stats, mirrors_end_while_read)
{
	pthread_t thread;
	void *reads;

	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader, NULL));
	for (int i = 0; i < ENDS; i++) {
		int device = device_open(0);

		ASSERT_LE(0, device);
		device_call(device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES);
		if (!fork()) {
			/* A process that exits with its mirror. */
			device_open(0);
			_exit(0);
		}
		close(device);
		ASSERT_LT(0, wait(NULL));
	}
	stop = true;
	ASSERT_EQ(0, pthread_join(thread, &reads));
	EXPECT_LT(0, (long)reads);
}

/* The driver's module, and all of its objects, goes while the files are open. */
TEST_F(stats, module_ends_while_read)
{
	const char *driver = driver_loaded();
	pthread_t thread;
	void *reads;
	int ret = 0;

	if (!driver)
		SKIP(return, "not with the kernel's own driver");
	close(self->device);
	self->device = -1;
	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader, NULL));
	for (int i = 0; i < 5 && (!ret || ret == -EAGAIN); i++) {
		ret = driver_reload(driver);
		usleep(100000);
	}
	stop = true;
	ASSERT_EQ(0, pthread_join(thread, &reads));
	EXPECT_LT(0, (long)reads);
	EXPECT_EQ(0, ret);
	self->device = device_open(0);
	EXPECT_LE(0, self->device);
}

/* Run hmmtop with an option, and get what it prints; its exit status. */
static int hmmtop(const char *option, char text[TEXT])
{
	char command[64];
	FILE *pipe;

	snprintf(command, sizeof(command), HMMTOP " %s 2>&1", option);
	pipe = popen(command, "r");
	if (!pipe)
		return -1;
	text[fread(text, 1, TEXT - 1, pipe)] = 0;
	return pclose(pipe);
}

/* What hmmtop prints as JSON has each number of the files. */
TEST_F(stats, hmmtop_json)
{
	static const char *const mirror_fields[] = {
		"pid", "owner", "ranges", "mirrored", "resident", "faults", "populated",
		"errors", "retries_invalidated", "retries_dropped",
	};	/* "invalidations" rises with this process's stack. */
	static const char *const memory_fields[] = {
		"size", "used", "retired", "to_device", "from_device", "cpu_faults",
		"evictions", "evicted",
	};
	char key[64], *line, *object, *memory;

	if (access(HMMTOP, X_OK))
		SKIP(return, "no hmmtop in this guest");
	ASSERT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES));
	ASSERT_EQ(0, hmmtop("--json", self->other));
	line = my_line(self->text);
	ASSERT_NE(NULL, line);
	snprintf(key, sizeof(key), "\"mirror\": %d,", atoi(line + strlen("mirror=")));
	object = strstr(self->other, key);
	ASSERT_NE(NULL, object) TH_LOG("%s", self->other);
	for (size_t i = 0; i < ARRAY_SIZE(mirror_fields); i++) {
		snprintf(key, sizeof(key), "\"%s\": %lld,", mirror_fields[i],
			 field(line, mirror_fields[i]));
		EXPECT_NE(NULL, strstr(object, key)) TH_LOG("no %s in %s", key, object);
	}
	EXPECT_EQ(SIZE, field(line, "resident"));

	snprintf(key, sizeof(key), "\"devmem\": %lld,", field(line, "owner"));
	object = strstr(self->other, key);
	ASSERT_NE(NULL, object);
	memory = memory_line(line, self->text);
	ASSERT_NE(NULL, memory);
	for (size_t i = 0; i < ARRAY_SIZE(memory_fields); i++) {
		snprintf(key, sizeof(key), "\"%s\": %lld,", memory_fields[i],
			 field(memory, memory_fields[i]));
		EXPECT_NE(NULL, strstr(object, key)) TH_LOG("no %s in %s", key, object);
	}
}

/* Its text has the process and the device; its errors are messages. */
TEST_F(stats, hmmtop_once)
{
	if (access(HMMTOP, X_OK))
		SKIP(return, "no hmmtop in this guest");
	ASSERT_EQ(PAGES, device_call(self->device, HMM_DMIRROR_MIGRATE_TO_DEV, self->at, PAGES));
	ASSERT_EQ(0, hmmtop("--once", self->other));
	EXPECT_NE(NULL, strstr(self->other, "COMMAND")) TH_LOG("%s", self->other);
	EXPECT_NE(NULL, strstr(self->other, " 256K "));
	EXPECT_NE(0, hmmtop("--once --from /nowhere", self->other));
	EXPECT_NE(NULL, strstr(self->other, "--from")) TH_LOG("%s", self->other);
	EXPECT_NE(0, hmmtop("", self->other));
	EXPECT_NE(NULL, strstr(self->other, "--once")) TH_LOG("%s", self->other);
}

TEST_HARNESS_MAIN
