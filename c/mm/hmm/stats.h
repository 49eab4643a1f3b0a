/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Statistics of mirrors and device memory, in debugfs. Nothing is counted without
 * CONFIG_DEBUG_FS. Documentation/mm/hmm/stats.rst describes the files.
 *
 *   stats.c		mirrors
 *   stats_resident.c	how much of a process's memory is a device's
 *   devmem_stats.c	device memory
 */
#ifndef _MM_HMM_STATS_H
#define _MM_HMM_STATS_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mmzone.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/types.h>

struct dentry;
struct hmm_devmem;
struct hmm_devmem_transfer;
struct hmm_mirror_state;
struct mm_struct;
struct pid;
struct seq_operations;

/**
 * enum hmm_mirror_count - what is counted for a mirror
 * @HMM_COUNT_FAULTS: batches of pages that a section has made accessible
 * @HMM_COUNT_PAGES: the pages of these batches
 * @HMM_COUNT_ERRORS: batches that have failed
 * @HMM_COUNT_INVALIDATED: rounds that a section lost to an invalidation
 * @HMM_COUNT_DROPPED: rounds that it began again as a fault has dropped its lock
 * @HMM_COUNT_INVALIDATIONS: invalidations that the driver was called for
 * @HMM_COUNT_PEERS: pages in the memory of other devices that got an address
 * @NR_HMM_MIRROR_COUNTS: how many there are
 */
enum hmm_mirror_count {
	HMM_COUNT_FAULTS,
	HMM_COUNT_PAGES,
	HMM_COUNT_ERRORS,
	HMM_COUNT_INVALIDATED,
	HMM_COUNT_DROPPED,
	HMM_COUNT_INVALIDATIONS,
	HMM_COUNT_PEERS,
	NR_HMM_MIRROR_COUNTS
};

/**
 * struct hmm_mirror_stats - the statistics of a mirror
 * @id: its number, counted up; 0 while it is not listed
 * @pid: the process, or %NULL if it is not known. A reference is held
 * @comm: its name when the mirror began
 * @driver: the module that the callbacks are in
 * @counts: of &enum hmm_mirror_count. Atomic, as sections of a mirror may run at the same
 *	time and its ranges may have different update locks; not per CPU, as a driver may
 *	have a mirror for each region of memory
 */
struct hmm_mirror_stats {
#ifdef CONFIG_DEBUG_FS
	u32 id;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
	char driver[MODULE_NAME_LEN];
	atomic_long_t counts[NR_HMM_MIRROR_COUNTS];
#endif
};

/**
 * struct hmm_devmem_stats - the statistics of a device memory
 * @id: its number, counted up
 * @list: in the list of all
 * @orders: how many folios of each order were allocated; under &hmm_devmem.lock
 * @to_device: pages that have migrated to it
 * @from_device: pages that have migrated from it, to system or other device memory
 * @evicted: those of @from_device that were evicted, or made room
 * @evictions: batches in which pages were evicted
 * @cpu_faults: faults of CPUs on its pages
 */
struct hmm_devmem_stats {
#ifdef CONFIG_DEBUG_FS
	u64 id;
	struct list_head list;
	u64 orders[NR_PAGE_ORDERS];
	atomic64_t to_device;
	atomic64_t from_device;
	atomic64_t evicted;
	atomic64_t evictions;
	atomic64_t cpu_faults;
#endif
};

#ifdef CONFIG_DEBUG_FS
extern struct dentry *hmm_stats_dir;
extern const struct seq_operations hmm_mirror_stats_sops;
extern const struct seq_operations hmm_devmem_stats_sops;

void hmm_mirror_stats_init(struct hmm_mirror_state *state);
int hmm_mirror_stats_add(struct hmm_mirror_state *state);
void hmm_mirror_stats_del(struct hmm_mirror_state *state);
void hmm_mirror_stats_free(struct hmm_mirror_state *state);
void hmm_driver_name(char *name, void *callback);
unsigned long hmm_resident_pages(struct mm_struct *mm, void *owner);

/* Count @nr. Any context. */
#define hmm_mirror_count(state, what, nr) \
	atomic_long_add(nr, &(state)->stats.counts[what])
#else
static inline void hmm_mirror_stats_init(struct hmm_mirror_state *state)
{
}

static inline int hmm_mirror_stats_add(struct hmm_mirror_state *state)
{
	return 0;
}

static inline void hmm_mirror_stats_del(struct hmm_mirror_state *state)
{
}

static inline void hmm_mirror_stats_free(struct hmm_mirror_state *state)
{
}

#define hmm_mirror_count(state, what, nr) do { } while (0)
#endif

#if defined(CONFIG_DEBUG_FS) && defined(CONFIG_HMM_DEVMEM)
void hmm_devmem_stats_add(struct hmm_devmem *devmem);
void hmm_devmem_stats_del(struct hmm_devmem *devmem);
void hmm_devmem_stats_alloc(struct hmm_devmem *devmem, unsigned long nr);
void hmm_devmem_stats_cpu_fault(struct hmm_devmem *devmem);
void hmm_devmem_stats_moved(const struct hmm_devmem_transfer *t,
			    unsigned long moved, bool evicted);
u64 hmm_devmem_stats_owner(const void *owner);
#else
static inline void hmm_devmem_stats_add(struct hmm_devmem *devmem)
{
}

static inline void hmm_devmem_stats_del(struct hmm_devmem *devmem)
{
}

static inline void hmm_devmem_stats_alloc(struct hmm_devmem *devmem, unsigned long nr)
{
}

static inline void hmm_devmem_stats_cpu_fault(struct hmm_devmem *devmem)
{
}

static inline void hmm_devmem_stats_moved(const struct hmm_devmem_transfer *t,
					  unsigned long moved, bool evicted)
{
}

static inline u64 hmm_devmem_stats_owner(const void *owner)
{
	return 0;
}
#endif

#endif /* _MM_HMM_STATS_H */
