/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The commands of the sample drivers for earlier API years.
 */
#ifndef _HMM_COMPAT_UAPI_H
#define _HMM_COMPAT_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct compat_cmd - a command for some pages
 * @addr: address of the first page
 * @npages: number of pages, at most %COMPAT_PAGES
 * @ptr: the program's buffer
 * @result: number of pages that the command succeeded for
 */
struct compat_cmd {
	__u64 addr;
	__u64 npages;
	__u64 ptr;
	__u64 result;
};

#define COMPAT_PAGES 64

/**
 * struct compat_stats - what has happened since the driver was loaded
 * @faults: CPU faults on pages in device memory
 * @frees: pages of device memory that were freed
 * @syncs: calls to synchronize the device's page table
 * @releases: address spaces whose end the driver was notified of
 */
struct compat_stats {
	__u64 faults;
	__u64 frees;
	__u64 syncs;
	__u64 releases;
};

/* What happens to pages that are migrated to system memory from now on. */
enum compat_fate {
	COMPAT_WORKS,
	COMPAT_LOSES_DATA,
	COMPAT_NO_MEMORY,	/* once */
};

/* Drivers with device memory: migrate pages there, or to system memory. */
#define COMPAT_MIGRATE		_IOWR('g', 0, struct compat_cmd)
#define COMPAT_EVICT		_IOWR('g', 7, struct compat_cmd)
#define COMPAT_FATE		_IO('g', 1)
/* Drivers with a mirror: copy through the device's page table; report entries. */
#define COMPAT_READ		_IOWR('g', 2, struct compat_cmd)
#define COMPAT_WRITE		_IOWR('g', 3, struct compat_cmd)
#define COMPAT_SNAPSHOT	_IOWR('g', 4, struct compat_cmd)
#define COMPAT_DMA_FILL	_IOWR('g', 5, struct compat_cmd)
/* Put pages that are present into the device's page table; count those in it. */
#define COMPAT_PREFETCH	_IOWR('g', 8, struct compat_cmd)
#define COMPAT_PEEK		_IOWR('g', 9, struct compat_cmd)
#define COMPAT_STATS		_IOR('g', 6, struct compat_stats)

/* The entries of COMPAT_SNAPSHOT, one __u64 for each page. */
#define COMPAT_ENTRY_VALID	0x1ULL
#define COMPAT_ENTRY_WRITE	0x2ULL
#define COMPAT_ENTRY_PRIVATE	0x4ULL
#define COMPAT_ENTRY_ERROR	0x10ULL
#define COMPAT_ENTRY_NONE	0x20ULL
#define COMPAT_ENTRY_SPECIAL	0x40ULL
#define COMPAT_ENTRY_SHIFT	12

#endif /* _HMM_COMPAT_UAPI_H */
