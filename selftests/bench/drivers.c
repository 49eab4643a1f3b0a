// SPDX-License-Identifier: GPL-2.0
/*
 * Cost per page of the ioctls of the sample driver that is loaded, with the core's
 * part.
 *
 * usage: drivers
 *
 * Prints one line per case: its name, and nanoseconds per page by the guest's clock,
 * the shortest of several calls. In a guest whose clock counts instructions, a
 * nanosecond is an instruction.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "hmm_dmirror.h"
#include "hmm_user.h"

#define NPAGES	512UL
#define SIZE	(NPAGES * PAGE)
#define TIMES	5

/* The steps, in the order of each pass. */
enum { FAULT, READ, WRITE, OUT, TO_RAM, STEPS };

static const struct {
	const char *name;
	unsigned long nr;
} steps[STEPS] = {
	[FAULT]	= { "driver-fault", HMM_DMIRROR_READ },	/* the device's table is empty */
	[READ]	= { "driver-read", HMM_DMIRROR_READ },
	[WRITE]	= { "driver-write", HMM_DMIRROR_WRITE },
	[OUT]	= { "driver-out", HMM_DMIRROR_MIGRATE_TO_DEV },
	[TO_RAM]	= { "driver-to-ram", HMM_DMIRROR_MIGRATE_TO_SYS },
};

static double now_ns(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1e9 + at.tv_nsec;
}

static double step(int fd, unsigned long nr, char *at, char *buffer)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)at,
		.ptr = (uintptr_t)buffer,
		.npages = NPAGES,
	};
	double ns = now_ns();

	if (ioctl(fd, nr, &cmd) || cmd.cpages != NPAGES) {
		perror("ioctl");
		exit(1);
	}
	return (now_ns() - ns) / NPAGES;
}

int main(void)
{
	char *at = map_aligned(SIZE, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	char *buffer = map_aligned(SIZE, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	double best[STEPS];
	int i, s, fd;

	if (!at || !buffer || madvise(at, SIZE, MADV_NOHUGEPAGE) ||
	    madvise(buffer, SIZE, MADV_NOHUGEPAGE))
		return 1;
	write_pages(buffer, SIZE);
	for (i = 0; i < TIMES; i++) {
		fd = open("/dev/hmm_dmirror0", O_RDWR);
		if (fd < 0)
			return 1;
		write_pages(at, SIZE);
		for (s = 0; s < STEPS; s++) {
			double ns = step(fd, steps[s].nr, at, buffer);

			if (!i || ns < best[s])
				best[s] = ns;
		}
		close(fd);
	}
	for (s = 0; s < STEPS; s++)
		printf("%s %.2f\n", steps[s].name, best[s]);
	return 0;
}
