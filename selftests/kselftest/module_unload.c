// SPDX-License-Identifier: GPL-2.0
/*
 * A module that goes away and leaves a mirror and device memory behind: the
 * process that is mirrored goes on, and has its page back.
 */
#include "kselftest_harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "hmm_user.h"

#define MODULE	"/modules/hmm_left.ko"
#define NODE	"/tmp/hmm_left"

/* The initramfs has no udev. */
static int node_open(void)
{
	char line[64], name[32];
	FILE *misc = fopen("/proc/misc", "r");
	int minor, fd = -1;

	while (misc && fgets(line, sizeof(line), misc))
		if (sscanf(line, "%d %31s", &minor, name) == 2 &&
		    !strcmp(name, "hmm_left")) {
			unlink(NODE);
			if (!mknod(NODE, S_IFCHR | 0600, makedev(10, minor)))
				fd = open(NODE, O_RDWR);
		}
	if (misc)
		fclose(misc);
	return fd;
}

/* The memory of the module. */
#define MEMORY	(2UL << 20)

/* How many objects the kernel's log reports as left, from the position of @log on. */
static int left_behind(int log)
{
	char record[1024];
	ssize_t size;
	int left = 0;

	/* A read is of one record. */
	while ((size = read(log, record, sizeof(record) - 1)) > 0) {
		record[size] = '\0';
		left += !!strstr(record, "hmm_left is unloaded with");
	}
	return left;
}

/* Load the module, use it, unload it, and use what it mirrored and migrated. */
static void unload_in_use(struct __test_metadata *_metadata, int command)
{
	size_t size = getpagesize(), all = MEMORY + size;
	char *page, *other;
	int fd;

	if (access(MODULE, F_OK))
		SKIP(return, "no module hmm_left");
	ASSERT_EQ(0, module_load("hmm_left", ""));
	fd = node_open();
	ASSERT_LE(0, fd);
	page = mmap(NULL, all, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	other = page + size;
	memset(page, 0x5a, all);
	ASSERT_EQ(size, ioctl(fd, _IO('L', command), page));
	close(fd);

	ASSERT_EQ(0, syscall(SYS_delete_module, "hmm_left", O_NONBLOCK));
	/* Both would have called into the module. */
	for (size_t i = 0; i < all; i += size)
		ASSERT_EQ(0x5a, page[i]);
	EXPECT_EQ(0, munmap(other, all - size));
	EXPECT_EQ(0, munmap(page, size));
	/* There is nothing that the name or the addresses belong to. */
	ASSERT_EQ(0, module_load("hmm_left", ""));
	EXPECT_EQ(0, syscall(SYS_delete_module, "hmm_left", O_NONBLOCK));
}

TEST(module_unloaded_with_mirror_and_memory)
{
	unload_in_use(_metadata, 0);
}

/* What is ended first is used by what is ended after it. */
TEST(memory_with_reference_to_older_mirror)
{
	unload_in_use(_metadata, 1);
}

TEST(memory_with_reference_to_younger_mirror)
{
	unload_in_use(_metadata, 2);
}

/* The memory is ending, and has the last reference to the mirror. */
TEST(mirror_ends_while_memory_ends)
{
	unload_in_use(_metadata, 3);
}

/* The work item of the memory is queued, or runs, when the module goes. */
TEST(memory_is_left_while_room_is_made)
{
	unload_in_use(_metadata, 4);
}

TEST(memory_ends_while_room_is_made)
{
	unload_in_use(_metadata, 5);
}

/* The mirror's data has the range that refers to the mirror. */
TEST(mirror_with_reference_to_itself)
{
	unload_in_use(_metadata, 6);
}

TEST(range_in_a_static)
{
	unload_in_use(_metadata, 7);
}

/*
 * The end of a map is deferred, and it has the last reference to the mirror. Only the
 * mirror of the open file is left.
 */
TEST(mirror_ends_with_deferred_map)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	ASSERT_LE(0, log);
	ASSERT_LE(0, lseek(log, 0, SEEK_END));
	unload_in_use(_metadata, 8);
	EXPECT_EQ(1, left_behind(log));
	close(log);
}

/* A mirror that is left drops its map when the module's end releases it. */
TEST(map_is_dropped_by_mirror_that_is_left)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	ASSERT_LE(0, log);
	ASSERT_LE(0, lseek(log, 0, SEEK_END));
	unload_in_use(_metadata, 9);
	EXPECT_EQ(2, left_behind(log));
	close(log);
}

TEST_HARNESS_MAIN
