/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers for tests that migrate their memory to a device with the ioctls of
 * the kernel's test_hmm.
 */
#ifndef HMM_TESTS_FIXTURE_DMIRROR_H
#define HMM_TESTS_FIXTURE_DMIRROR_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Unless a test has included the sample drivers' header, which has all of this. */
#ifndef HMM_DMIRROR_H
#include <lib/test_hmm_uapi.h>
#endif

#include "hmm_user.h"

/* The bits of a HMM_DMIRROR_SNAPSHOT byte that name the kind of memory. */
#define PLACE_MASK	0x70

static inline int device_open(int unit)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/hmm_dmirror%d", unit);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Run a command; return a negative error number or the number of pages handled. */
static inline int device_call(int device, unsigned long request,
			      const void *addr, size_t npages)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)addr,
		.ptr = (uintptr_t)calloc(npages, PAGE),
		.npages = npages,
	};
	int ret = ioctl(device, request, &cmd) ? -errno : (int)cmd.cpages;

	free((void *)(uintptr_t)cmd.ptr);
	return ret;
}

#ifdef HMM_DMIRROR_LIMIT
#define NO_LIMIT	0x40000000UL

/* Empty a device's memory, and limit it; return 0 or a negative error number. */
static inline int limit_memory(int device, unsigned long pages)
{
	struct hmm_dmirror_cmd cmd = { .npages = pages };
	int ret = device_call(device, HMM_DMIRROR_RELEASE, NULL, 1);

	return ret < 0 ? ret : ioctl(device, HMM_DMIRROR_LIMIT, &cmd) ? -errno : 0;
}
#endif

/* Count the pages that are in one kind of memory; negative on an error. */
static inline int device_holds(int device, const void *addr, size_t npages,
			       int place)
{
	unsigned char *prot = calloc(npages, 1);
	struct hmm_dmirror_cmd cmd = {
		.addr = (uintptr_t)addr,
		.ptr = (uintptr_t)prot,
		.npages = npages,
	};
	int held = ioctl(device, HMM_DMIRROR_SNAPSHOT, &cmd) ? -errno : 0;

	for (size_t i = 0; held >= 0 && i < npages; i++)
		held += prot[i] != HMM_DMIRROR_PROT_ERROR &&
			(prot[i] & PLACE_MASK) == place;
	free(prot);
	return held;
}

/* The name of the loaded driver, if it takes the parameters of these tests. */
static inline const char *driver_loaded(void)
{
	static const char *const known[] = { "hmm_dmirror", "hmm_dmirror_rust" };
	char path[64];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", known[i]);
		if (!access(path, F_OK))
			return known[i];
	}
	return NULL;
}

/*
 * Reload the driver. Its parameters are in the environment. With -EAGAIN it is in
 * use, and still loaded.
 */
static inline int driver_reload(const char *driver)
{
	const char *options = getenv("DRIVER_OPTIONS") ?: "";
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/modules/%s.ko", driver);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_delete_module, driver, O_NONBLOCK) ? -errno : 0;
	if (!ret && syscall(SYS_finit_module, fd, options, 0))
		ret = errno == EAGAIN ? -EIO : -errno;
	close(fd);
	return ret;
}

/* The same as soon as nothing uses it; -EAGAIN if something does for that long. */
static inline int driver_reload_when_idle(const char *driver, double seconds)
{
	double deadline = monotonic_seconds() + seconds;
	int ret;

	do
		ret = driver_reload(driver);
	while (ret == -EAGAIN && monotonic_seconds() < deadline && !usleep(10000));
	return ret;
}

#endif /* HMM_TESTS_FIXTURE_DMIRROR_H */
