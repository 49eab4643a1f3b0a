/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Internal declarations of hmm_probe.ko: the open file and the ioctls' functions.
 */
#ifndef HMM_PROBE_INTERNAL_H
#define HMM_PROBE_INTERNAL_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/mutex.h>

#include "hmm_probe.h"

struct migrate_vma;

struct hmm_range;
struct migrate_vma;
struct probe_crowd;
struct probe_mirror;
struct probe_populate;
struct probe_race;

/* The kernel's own core, compiled beside ours (CONFIG_HMM_REFERENCE). */
int ref_hmm_range_fault(struct hmm_range *range);
int ref_hmm_range_fault_unlocked_timeout(struct hmm_range *range,
					 unsigned long timeout);
int ref_migrate_vma_setup(struct migrate_vma *args);
void ref_migrate_vma_pages(struct migrate_vma *args);
void ref_migrate_vma_finalize(struct migrate_vma *args);
int ref_migrate_device_range(unsigned long *src, unsigned long start,
			     unsigned long npages);
void ref_migrate_device_pages(unsigned long *src, unsigned long *dst,
			      unsigned long npages);
void ref_migrate_device_finalize(unsigned long *src, unsigned long *dst,
				 unsigned long npages);

/**
 * struct probe_file - an open file of the device
 * @walks: number of walks finished
 * @last_error: result of the last walk
 * @holding: whether HMM_PROBE_HOLD holds the mirror's update lock
 * @unhold: whether HMM_PROBE_HOLD must release it
 * @lock: guards the members below
 * @mirror: the mirror and its counters, or NULL before the first
 * @populate: state of HMM_PROBE_POPULATE_PAGES, or NULL
 * @crowd: state of HMM_PROBE_CROWD, or NULL
 * @race: state of HMM_PROBE_RACE, or NULL
 */
struct probe_file {
	atomic64_t walks;
	int last_error;
	bool holding;
	bool unhold;
	struct mutex lock;	/* guards the members below */
	struct probe_mirror *mirror;
	struct probe_populate *populate;
	struct probe_crowd *crowd;
	struct probe_race *race;
};

/* All of these return 0 or a negative error number; @user is the ioctl's argument. */
long probe_walk(struct probe_file *file, struct hmm_probe_walk __user *user);
u32 probe_walk_has(void);

/* hmm_range_fault() of a core; NULL if there is none. */
typedef int (*probe_fault_fn)(struct hmm_range *range);
probe_fault_fn probe_fault_of(enum hmm_probe_core core);

/* hmm_range_fault_unlocked_timeout() of a core; NULL if there is none. */
typedef int (*probe_fault_unlocked_fn)(struct hmm_range *range,
				       unsigned long timeout);
probe_fault_unlocked_fn probe_fault_unlocked_of(enum hmm_probe_core core);

long probe_migrate(struct hmm_probe_span __user *user);
u32 probe_migrate_has(void);

long probe_engine(struct hmm_probe_engine __user *user);
u32 probe_engine_has(void);
void probe_engine_exit(void);

int probe_map(struct file *filp, struct vm_area_struct *vma);
int probe_map_init(void);
void probe_map_exit(void);
long probe_mark(const struct hmm_probe_mark __user *user);

#ifdef HMM_PROBE_WITH_MIRROR
long probe_mirror_ioctl(struct probe_file *file, unsigned int cmd,
			void __user *user);
void probe_mirror_close(struct probe_file *file);

long probe_populate(struct probe_file *file,
		    struct hmm_probe_populate __user *user);
long probe_occupy(const struct hmm_probe_occupy __user *user);
void probe_populate_close(struct probe_file *file);

long probe_crowd(struct probe_file *file, struct hmm_probe_crowd __user *user);
void probe_crowd_close(struct probe_file *file);
#else
static inline long probe_mirror_ioctl(struct probe_file *file, unsigned int cmd,
				      void __user *user)
{
	return -ENOTTY;
}

static inline void probe_mirror_close(struct probe_file *file)
{
}

static inline long probe_populate(struct probe_file *file,
				  struct hmm_probe_populate __user *user)
{
	return -ENOTTY;
}

static inline long probe_occupy(const struct hmm_probe_occupy __user *user)
{
	return -ENOTTY;
}

static inline void probe_populate_close(struct probe_file *file)
{
}

static inline long probe_crowd(struct probe_file *file,
			       struct hmm_probe_crowd __user *user)
{
	return -ENOTTY;
}

static inline void probe_crowd_close(struct probe_file *file)
{
}
#endif

#ifdef HMM_PROBE_WITH_RACES
long probe_race_ioctl(struct probe_file *file, unsigned int cmd,
		      void __user *user);
void probe_race_close(struct probe_file *file);
#else
static inline long probe_race_ioctl(struct probe_file *file, unsigned int cmd,
				    void __user *user)
{
	return -ENOTTY;
}

static inline void probe_race_close(struct probe_file *file)
{
}
#endif

#ifdef HMM_PROBE_WITH_DEVMEM
/**
 * struct probe_migrate_core - the stages of a migration, of one core
 * @setup: migrate_vma_setup(), and the next two like it
 * @pages: by address
 * @finalize: by address
 * @range: migrate_device_range(), and the next two like it
 * @device_pages: by pfn
 * @device_finalize: by pfn
 */
struct probe_migrate_core {
	int (*setup)(struct migrate_vma *args);
	void (*pages)(struct migrate_vma *args);
	void (*finalize)(struct migrate_vma *args);
	int (*range)(unsigned long *src, unsigned long start,
		     unsigned long npages);
	void (*device_pages)(unsigned long *src, unsigned long *dst,
			     unsigned long npages);
	void (*device_finalize)(unsigned long *src, unsigned long *dst,
				unsigned long npages);
};

/* By HMM_PROBE_CORE and, if it is built, HMM_PROBE_REFERENCE. */
#define PROBE_MIGRATE_CORES	(1 + IS_ENABLED(CONFIG_HMM_REFERENCE))
extern const struct probe_migrate_core probe_migrate_cores[PROBE_MIGRATE_CORES];

long probe_move(struct hmm_probe_move __user *user);
void probe_move_exit(void);
#else
static inline long probe_move(struct hmm_probe_move __user *user)
{
	return -ENOTTY;
}

static inline void probe_move_exit(void)
{
}
#endif

#endif /* HMM_PROBE_INTERNAL_H */
