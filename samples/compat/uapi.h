/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a program can have the drivers of earlier years do.
 */
#ifndef HMM_GENERATIONS_H
#define HMM_GENERATIONS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct hmm_gen_cmd - a command about some pages
 * @addr: address of the first
 * @npages: how many, at most %HMM_GEN_PAGES
 * @ptr: memory of the program's for what is copied
 * @result: how many pages it was done to
 */
struct hmm_gen_cmd {
	__u64 addr;
	__u64 npages;
	__u64 ptr;
	__u64 result;
};

#define HMM_GEN_PAGES 64

/**
 * struct hmm_gen_stats - what has happened since the driver was loaded
 * @faults: faults of the CPU on pages in the device's memory
 * @frees: pages of the device's memory that were given back
 * @syncs: times that the device's table was to be synchronised
 * @releases: processes whose end the driver was told of
 */
struct hmm_gen_stats {
	__u64 faults;
	__u64 frees;
	__u64 syncs;
	__u64 releases;
};

/* What becomes of the next fault of the CPU on a page in the device's memory. */
enum hmm_gen_fate {
	HMM_GEN_WORKS,
	HMM_GEN_LOSES_DATA,
	HMM_GEN_NO_MEMORY,
};

/* Drivers with memory: have pages there; say how faults go on from now. */
#define HMM_GEN_MIGRATE		_IOWR('g', 0, struct hmm_gen_cmd)
#define HMM_GEN_FATE		_IO('g', 1)
/* Drivers that mirror: copy by way of the device's table, and look into pages. */
#define HMM_GEN_READ		_IOWR('g', 2, struct hmm_gen_cmd)
#define HMM_GEN_WRITE		_IOWR('g', 3, struct hmm_gen_cmd)
#define HMM_GEN_SNAPSHOT	_IOWR('g', 4, struct hmm_gen_cmd)
#define HMM_GEN_DMA_FILL	_IOWR('g', 5, struct hmm_gen_cmd)
#define HMM_GEN_STATS		_IOR('g', 6, struct hmm_gen_stats)

/* The entries that HMM_GEN_SNAPSHOT shows, one __u64 a page. */
#define HMM_GEN_ENTRY_VALID	0x1ULL
#define HMM_GEN_ENTRY_WRITE	0x2ULL
#define HMM_GEN_ENTRY_PRIVATE	0x4ULL
#define HMM_GEN_ENTRY_ERROR	0x10ULL
#define HMM_GEN_ENTRY_NONE	0x20ULL
#define HMM_GEN_ENTRY_SPECIAL	0x40ULL
#define HMM_GEN_ENTRY_SHIFT	12

#endif /* HMM_GENERATIONS_H */
