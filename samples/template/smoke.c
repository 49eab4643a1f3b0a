// SPDX-License-Identifier: GPL-2.0
/*
 * smoke: whether /dev/foo reads this process's memory, and stops when it is unmapped. KTAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int number, failed;

static void result(int good, const char *what)
{
	printf("%s %d %s\n", good ? "ok" : "not ok", ++number, what);
	failed |= !good;
}

static int device_reads(int fd, const char *at, const char *text)
{
	char got[64] = "";

	return pread(fd, got, strlen(text), (off_t)at) == (ssize_t)strlen(text) &&
	       !strcmp(got, text);
}

int main(void)
{
	size_t size = sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/dev/foo", O_RDONLY);
	char got[8] = "not read", zeros[8] = "", byte;
	int status;
	pid_t child;

	printf("KTAP version 1\n1..7\n");
	result(fd >= 0 && memory != MAP_FAILED, "open /dev/foo");
	if (failed)
		return 1;
	result(pread(fd, got, sizeof(got), (off_t)memory + size) == sizeof(got) &&
	       !memcmp(got, zeros, sizeof(got)),
	       "memory that was never touched reads as zeros");
	memcpy(memory, "what the process wrote", 23);
	result(device_reads(fd, memory, "what the process wrote"),
	       "the device reads what the process wrote");
	/* Another page comes to the same address: a stale entry would show the old one. */
	mmap(memory, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memcpy(memory, "what came after", 16);
	result(device_reads(fd, memory, "what came after"),
	       "a page that is mapped in its place is read");
	child = fork();
	if (!child)
		_exit(pread(fd, &byte, 1, (off_t)memory) == -1 && errno == EPERM ? 0 : 1);
	result(waitpid(child, &status, 0) == child && !status,
	       "a child does not read its parent's memory");
	/* A process that uses the driver keeps its module. */
	result(syscall(SYS_delete_module, "foo", O_NONBLOCK) == -1 && errno == EWOULDBLOCK,
	       "the driver is not unloaded while its file is open");
	munmap(memory, size);
	result(pread(fd, &byte, 1, (off_t)memory) == -1 && errno == EFAULT,
	       "a page that was unmapped is not read");
	return failed;
}
