/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers shared by the user programs of the HMM selftests: the format of hmm
 * pfns, the probe, /proc/self/pagemap, mm settings and userfaultfd.
 */
#ifndef HMM_USER_H
#define HMM_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hmm_probe.h"

/* The bits of an hmm pfn, as in linux/hmm.h, which is no uapi header. */
#define HMM_PFN_VALID		(1ULL << 63)
#define HMM_PFN_WRITE		(1ULL << 62)
#define HMM_PFN_ERROR		(1ULL << 61)
#define HMM_PFN_DMA_MAPPED		(1ULL << 60)
#define HMM_PFN_P2PDMA		(1ULL << 59)
#define HMM_PFN_P2PDMA_BUS		(1ULL << 58)
#define HMM_PFN_INOUT_FLAGS		(HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS)
#define HMM_PFN_ORDER_SHIFT	53
#define HMM_PFN_MASK		((1ULL << HMM_PFN_ORDER_SHIFT) - 1)

#define REQ_FAULT		HMM_PFN_VALID
#define REQ_WRITE		HMM_PFN_WRITE
#define REQ_RW			(REQ_FAULT | REQ_WRITE)

#define PAGE			4096UL
#define HUGE			(2UL << 20)
#define HUGE_ORDER		9
#define GIGA			(1UL << 30)
#define GIGA_ORDER		18

static inline unsigned int hmm_pfn_order(uint64_t hmm_pfn)
{
	return (hmm_pfn >> HMM_PFN_ORDER_SHIFT) & 0x1f;
}

static inline uint64_t hmm_pfn_to_pfn(uint64_t hmm_pfn)
{
	return hmm_pfn & HMM_PFN_MASK;
}

static inline uint64_t hmm_pfn_flags(uint64_t hmm_pfn)
{
	return hmm_pfn & (HMM_PFN_VALID | HMM_PFN_WRITE | HMM_PFN_ERROR);
}

/* An entry of /proc/self/pagemap. */
#define MAP_SOFT_DIRTY		(1ULL << 55)
#define MAP_UFFD_WP		(1ULL << 57)
#define MAP_GUARD		(1ULL << 58)
#define MAP_SWAPPED		(1ULL << 62)
#define MAP_PRESENT		(1ULL << 63)
#define MAP_PFN			((1ULL << 55) - 1)
#define MAP_SWAP_TYPE_BITS	5

/**
 * page_map_read() - read the entries of some pages from /proc/self/pagemap
 * @addr: first address
 * @npages: number of pages
 * @map: array of @npages entries
 *
 * Return: 0 or a negative error number.
 */
int page_map_read(const void *addr, size_t npages, uint64_t *map);

/* Read the entry of one page, without the soft-dirty bit; 0 on an error. */
uint64_t page_map(const void *addr);

/* Whether the kernel tracks which pages were written, which arm64's does not. */
bool has_soft_dirty(void);

/* The pfn in a non-present entry: device-private, device-exclusive, migration. */
static inline uint64_t map_entry_pfn(uint64_t map)
{
	return (map & MAP_PFN) >> MAP_SWAP_TYPE_BITS;
}

/**
 * probe_open() - open the probe, or print an error and exit
 * @info: receives the facts about the kernel
 *
 * Return: the file descriptor.
 */
int probe_open(struct hmm_probe_info *info);

/**
 * hmm_pfn_order_valid() - check the order of an hmm pfn against its neighbours
 * @hmm_pfns: the hmm pfns of a range
 * @npages: their number
 * @addr: address of the first page
 * @i: index of the hmm pfn to check
 *
 * Return: true if the order is 0, or if all pages of the naturally aligned
 * group of that order are in the range, valid, physically contiguous, and have
 * the same flags and order.
 */
bool hmm_pfn_order_valid(const uint64_t *hmm_pfns, size_t npages, uint64_t addr,
			 size_t i);

/* Write to a file in /sys or /proc; return 0 or a negative error number. */
int setting_write(const char *path, const char *value);

/* Read at most @size - 1 bytes of such a file, without the newline. */
int setting_read(const char *path, char *value, size_t size);

/* The number in an environment variable, or @otherwise. */
uint64_t env_number(const char *name, uint64_t otherwise);

/* CLOCK_MONOTONIC. */
double monotonic_seconds(void);

/* Load /modules/@name.ko; return 0 or a negative error number. */
int module_load(const char *name, const char *options);

/*
 * Make a memory cgroup, below one that is mounted if need be, and set its limit;
 * return 0 or a negative error number, also if the system has no memory cgroups.
 */
int cgroup_make(const char *group, const char *limit);

/* Move this process into a cgroup of cgroup_make(), or out of it and remove it. */
int cgroup_enter(const char *group);
void cgroup_leave(const char *group);

/* Write to or read from a file of such a cgroup; -1 if it cannot be read. */
int cgroup_set(const char *group, const char *file, const char *value);
long cgroup_number(const char *group, const char *file);

/* Read at most @size - 1 bytes of such a file, with all lines. */
int cgroup_read(const char *group, const char *file, char *text, size_t size);

/*
 * Wait until a thread is in an uninterruptible or killable sleep. Return false
 * if it exits, or does not sleep within ten seconds.
 */
bool wait_blocked(pid_t tid);

/* Reserve hugetlb pages; return 0 if at least @count of @kb KiB are free. */
int huge_pages_reserve(unsigned long kb, unsigned long count);

/* Allow or forbid anonymous folios of @kb KiB for madvise(MADV_HUGEPAGE). */
int large_folios_allow(unsigned long kb, bool allow);

/* Add swap space on zram if there is none; return 0 or a negative error number. */
int swap_ready(void);

/**
 * map_aligned() - map memory at an aligned address
 * @size: length in bytes
 * @align: alignment, a power of two
 * @prot: as for mmap()
 * @flags: as for mmap(), without MAP_ANONYMOUS
 * @fd: the file to map, or -1 for anonymous memory
 *
 * Return: the address, or NULL.
 */
void *map_aligned(size_t size, size_t align, int prot, int flags, int fd);

/* Create a memfd of @size bytes; return it or a negative error number. */
int memory_file(size_t size);

/* Where dax_mount() mounts. */
#define DAX_MOUNT	"/tmp/hmm-dax"

/*
 * Mount an ext4 on persistent memory (/dev/pmem0), with DAX; make it first if the disk is
 * empty. Return 0 or a negative error number; -ENODEV without persistent memory.
 */
int dax_mount(void);

/* Whether a file's pages are the storage itself. */
bool is_dax(int fd);

/*
 * Create a file of @size bytes on DAX, all of it a hole, which has no name; return it or
 * a negative error number, as dax_mount().
 */
int dax_file(size_t size);

/* Poison a page, ignoring SIGBUS; return 0 or a negative error number. */
int page_poison(void *addr);

/* Open a userfaultfd with @features; return it or a negative error number. */
int uffd_open(uint64_t features);
void uffd_wait(int uffd);

/* Register memory with a userfaultfd in @mode (UFFDIO_REGISTER_MODE_*). */
int uffd_register(int uffd, void *addr, size_t size, uint64_t mode);

/* Write-protect registered memory. */
int uffd_protect(int uffd, void *addr, size_t size);

/*
 * The function of a thread that serves the missing pages of a userfaultfd,
 * given by a pointer to its descriptor, with pages full of 0x77, and lets those
 * that are write-protected be written. Ends when it is cancelled.
 */
void *uffd_serve(void *uffd);

/**
 * struct handshake - a parent and a child that wait for each other
 * @to_child: a pipe that the parent writes to
 * @to_parent: a pipe that the child writes to
 */
struct handshake {
	int to_child[2];
	int to_parent[2];
};

/* Call before fork(). Returns 0 or a negative error number. */
int handshake_open(struct handshake *handshake);

/* Let the other side continue, or wait for that. Return whether it worked. */
bool handshake_signal_child(struct handshake *handshake);
bool handshake_wait_for_parent(struct handshake *handshake);
bool handshake_signal_parent(struct handshake *handshake);
bool handshake_wait_for_child(struct handshake *handshake);

void read_pages(const void *addr, size_t size);
void write_pages(void *addr, size_t size);

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

int pin_longterm(const char *at, size_t npages);

#endif /* HMM_USER_H */
