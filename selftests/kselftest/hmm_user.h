/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user programs of the HMM selftests share: hmm_pfns, the probe, the
 * truth about page tables as /proc tells it, and settings of the mm.
 */
#ifndef HMM_USER_H
#define HMM_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hmm_probe.h"

/* The hmm_pfns of hmm_range_fault(), which the kernel keeps to itself. */
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
 * page_map_read() - what the page tables say, by /proc/self/pagemap
 * @addr: first address
 * @npages: how many pages
 * @map: room for an entry each
 *
 * Return: 0 or a negative error number.
 */
int page_map_read(const void *addr, size_t npages, uint64_t *map);

/* The same of one page, but for soft-dirty; 0 where there is none. */
uint64_t page_map(const void *addr);

/* The pfn of a device-private or migrating page, which pagemap calls swapped. */
static inline uint64_t map_entry_pfn(uint64_t map)
{
	return (map & MAP_PFN) >> MAP_SWAP_TYPE_BITS;
}

/**
 * probe_open() - the probe, or an end of the program with a sentence
 * @info: room for what it says of itself
 *
 * Return: the file descriptor.
 */
int probe_open(struct hmm_probe_info *info);

/**
 * hmm_pfn_order_valid() - whether an order that a hmm_pfn claims is what hmm_pfns show
 * @hmm_pfns: the hmm_pfns of a range
 * @npages: how many
 * @addr: the address of the first
 * @i: which one to judge
 *
 * True when the order is 0, or when every page of the aligned block lies in
 * the range, is valid, in a row, has the same flags and claims the same order.
 *
 * Return: whether it is true.
 */
bool hmm_pfn_order_valid(const uint64_t *hmm_pfns, size_t npages, uint64_t addr,
			 size_t i);

/* Writes a setting, a file in /sys or /proc; 0 or a negative error number. */
int setting_write(const char *path, const char *value);

/* Reads one; at most @size - 1 bytes, without the line's end. */
int setting_read(const char *path, char *value, size_t size);

/*
 * Till a thread sleeps in the kernel in a way that at most a deadly signal
 * ends; false if it exits, or has not slept within ten seconds.
 */
bool wait_blocked(pid_t tid);

/* Asks for @count huge pages of @kb KiB each; 0 when there are as many free. */
int huge_pages_reserve(unsigned long kb, unsigned long count);

/* Lets madvise(MADV_HUGEPAGE) give folios of @kb KiB, or of no such size. */
int large_folios_allow(unsigned long kb, bool allow);

/* Sees to it that there is swap space, on zram if need be. */
int swap_ready(void);

/**
 * map_aligned() - anonymous memory at an address of one's choosing
 * @size: bytes
 * @align: a power of two
 * @prot: as of mmap()
 * @flags: as of mmap(), MAP_PRIVATE or MAP_SHARED and so on
 * @fd: a file, or -1 for none, which makes it anonymous
 *
 * Return: the memory, or NULL.
 */
void *map_aligned(size_t size, size_t align, int prot, int flags, int fd);

/* A file in memory of @size bytes, or a negative error number. */
int memory_file(size_t size);

/* Poisons a page, and bears the signal for it; 0 or a negative error number. */
int page_poison(void *addr);

/* A userfaultfd with @features, or a negative error number. */
int uffd_open(uint64_t features);

/* Registers memory with it in @mode (UFFDIO_REGISTER_MODE_*). */
int uffd_register(int uffd, void *addr, size_t size, uint64_t mode);

/* Write-protects registered memory. */
int uffd_protect(int uffd, void *addr, size_t size);

/*
 * The function of a thread that serves the missing pages of a userfaultfd, given by a pointer to its descriptor, with
 * pages full of 0x77. Ends when it is cancelled.
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

/* Opens it, before the fork; 0 or a negative error number. */
int handshake_open(struct handshake *handshake);

/* Each lets the other continue, or waits for that; whether it worked. */
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

#endif /* HMM_USER_H */
