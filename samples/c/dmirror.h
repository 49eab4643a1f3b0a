/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hmm_dmirror, a sample driver: types and functions shared by its files.
 */
#ifndef HMM_DMIRROR_DRIVER_H
#define HMM_DMIRROR_DRIVER_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/hmm_attributes.h>
#include <linux/hmm_devmem.h>
#include <linux/hmm_typed.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "../uapi/hmm_dmirror.h"

/* table.c: the device's page table */

/**
 * struct dm_table - the device's page table for one process
 * @entries: runs of mapped pages, by virtual page number; see table.c
 * @attributes: of the same addresses; for pages that are unmapped beside others
 *
 * Guarded by the update lock of the mirror that it belongs to.
 */
struct dm_table {
	struct xarray entries;
	struct hmm_attributes *attributes;
};

/* The device's rights to a page. */
#define DM_MAY_READ	BIT(0)
#define DM_MAY_WRITE	BIT(1)
/* The device has exclusive access to the page: atomic operations are safe. */
#define DM_EXCLUSIVE	BIT(2)
/* The page is in the memory of another unit, which the device accesses by its address. */
#define DM_PEER		BIT(3)

void dm_table_init(struct dm_table *table, struct hmm_attributes *attributes);
void dm_table_destroy(struct dm_table *table);
int dm_table_map(struct dm_table *table, struct hmm_span span,
		 unsigned long pfn, unsigned int rights);
int dm_table_map_peer(struct dm_table *table, struct hmm_span span,
		      dma_addr_t address, unsigned int rights);
void dm_table_unmap(struct dm_table *table, struct hmm_span span);
unsigned int dm_table_rights(struct dm_table *table, unsigned long addr);
bool dm_table_has(struct dm_table *table, struct hmm_span span,
		  unsigned int rights);

/**
 * struct dm_target - what an address is translated to
 * @page: a page; NULL if the address is not mapped, or a page of a peer
 * @peer: by which the device accesses a page in the memory of another unit; or 0
 */
struct dm_target {
	struct page *page;
	dma_addr_t peer;
};

bool dm_table_lookup(struct dm_table *table, unsigned long addr,
		     unsigned int rights, struct dm_target *target);

/* device.c: units and open files */

/**
 * struct dm_copier - the copy engine of a unit
 * @wq: runs @work
 * @work: the engine: copies the batches in @queue
 * @lock: of what follows
 * @queue: batches, first the one that is copied
 * @nr: how many there are
 * @most: how many there have been at once
 * @delay: how long to wait before each, in milliseconds, for a test
 */
struct dm_copier {
	struct workqueue_struct *wq;
	struct work_struct work;
	spinlock_t lock; /* guards @queue */
	struct list_head queue;
	unsigned int nr;
	unsigned int most;
	unsigned int delay;
};

/**
 * struct dm_unit - one device
 * @cdev: its character device
 * @dev: its node in the device model
 * @nr: its number, which names it as a location of memory
 * @memory: its memory; the &hmm_devmem.owner is the unit's address
 * @copier: its copy engine
 * @coherent_base: see dm_memory_init()
 * @first: the data of its first chunk
 * @lost: offset there of a page whose contents are lost, or ULONG_MAX
 * @limit: how much memory the unit may have, in bytes
 * @fail_for: the task whose next copy or clear of a large folio finds no memory;
 *	NULL for none
 * @refuse_peers: other units get no address of its memory, for a test
 * @peers: how many addresses of its memory other units have
 */
struct dm_unit {
	struct cdev cdev;
	struct device dev;
	unsigned int nr;
	struct hmm_devmem memory;
	struct dm_copier copier;
	unsigned long coherent_base;
	void *first;
	unsigned long lost;
	unsigned long limit;
	struct task_struct *fail_for;
	bool refuse_peers;
	atomic_long_t peers;
};

/* Bit of dm_mirror.flags: fail the next allocation of a destination page. */
#define DM_FAIL_ALLOC	0

/**
 * struct dm_mirror - an open file: one unit's mirror of one process
 * @mirror: the mirror; its update lock guards @table
 * @everything: the mirrored range: the whole address space
 * @table: the device's page table for the process
 * @attributes: what the process has advised about its memory
 * @window: addresses of pages for which the unit accesses the memory of other units; NULL
 *	until dm_accept_peers()
 * @unit: the device
 * @flags: DM_FAIL_ALLOC
 */
struct dm_mirror {
	struct hmm_mirror mirror;
	struct hmm_mirror_range everything;
	struct dm_table table;
	struct hmm_attributes attributes;
	struct hmm_mirror_dma *window;
	struct dm_unit *unit;
	unsigned long flags;
};

unsigned int dm_nr_units(void);
bool dm_is_unit(const struct device *dev);

/* fault.c: device faults and invalidations */

int dm_mirror_start(struct dm_mirror *dm);
void dm_mirror_stop(struct dm_mirror *dm);
struct dm_work;
struct dm_operand;
int dm_populate(struct dm_mirror *dm, struct dm_work *work,
		struct dm_operand *missing, struct hmm_span span);
int dm_populate_exclusive(struct dm_mirror *dm, struct hmm_span span);
int dm_snapshot(struct dm_mirror *dm, struct hmm_span span, u8 *prot);
int dm_map_local(struct dm_mirror *dm, struct hmm_span span);
int dm_map_run(struct dm_mirror *dm, const struct hmm_run *run);
int dm_accept_peers(struct dm_mirror *dm, struct hmm_span span);

/* attributes.c: advice of user programs */

int dm_advise(struct dm_mirror *dm, struct hmm_span span, u32 advice, s32 location);
struct hmm_devmem *dm_migrate_to(struct dm_mirror *dm,
				 const struct hmm_attribute *attribute,
				 enum hmm_access access);
void dm_map_in_advance(struct dm_mirror *dm);

#ifdef CONFIG_HMM_DEVMEM
/* memory.c: the memory of a unit */

int dm_memory_init(struct dm_unit *unit, unsigned long coherent_base);
void dm_memory_exit(struct dm_unit *unit);
int dm_memory_retire(struct dm_unit *unit, unsigned long offset, bool lost);
unsigned int dm_copier_set_delay(struct dm_unit *unit, unsigned int delay);
void *dm_peer_at(dma_addr_t address);

static inline void dm_mark_accessed(struct hmm_devmem *memory, struct page *page)
{
	hmm_devmem_mark_accessed(memory, page);
}

/* migrate.c: the commands that migrate */

int dm_cmd_migrate_to_dev(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd);
int dm_cmd_migrate_to_sys(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd);
int dm_cmd_release(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd);
int dm_cmd_limit(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd);
int dm_cmd_copy_delay(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd);
int dm_cmd_retire(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd);
#else
/* This kernel has no device memory, as under User Mode Linux: the units have none. */
static inline int dm_memory_init(struct dm_unit *unit, unsigned long coherent_base)
{
	return coherent_base ? -EOPNOTSUPP : 0;
}

static inline void dm_memory_exit(struct dm_unit *unit)
{
}

/* Not called: no page has an address for other units. */
static inline void *dm_peer_at(dma_addr_t address)
{
	return NULL;
}

static inline void dm_mark_accessed(struct hmm_devmem *memory, struct page *page)
{
}

static inline int dm_no_memory(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd)
{
	return -EOPNOTSUPP;
}

#define dm_cmd_migrate_to_dev	dm_no_memory
#define dm_cmd_migrate_to_sys	dm_no_memory
#define dm_cmd_release		dm_no_memory
#define dm_cmd_limit		dm_no_memory
#define dm_cmd_copy_delay	dm_no_memory
#define dm_cmd_retire		dm_no_memory
#endif

/* compute_unit.c: the compute unit */

void *dm_page_map(struct page *page);
void dm_page_unmap(struct page *page, const void *at);

/**
 * struct dm_operand - a vector in the process's memory
 * @now: address of the next element to work on
 * @end: address after the last element
 * @rights: rights the compute unit needs, DM_MAY_*; 0 for an unused operand
 */
struct dm_operand {
	unsigned long now;
	unsigned long end;
	unsigned int rights;
};

/**
 * struct dm_work - a job of the compute unit
 * @memory: the memory of the unit, for hmm_devmem_mark_accessed(); set by
 *	dm_execute()
 * @piece: work on a piece of at most one page of each operand
 * @operand: the operands, all of the same length
 * @buffer: for READ and WRITE: the kernel buffer; advanced with the operand
 * @a: for SAXPY: the factor
 * @sum: for SUM: the result so far
 * @timeout: how long to wait for a page, in jiffies, or 0; see
 *	&struct hmm_section
 * @faults: number of device faults
 * @error: error that stopped the compute unit, or 0
 */
struct dm_work {
	struct hmm_devmem *memory;
	void (*piece)(struct dm_work *work, void *const at[2], size_t len);
	struct dm_operand operand[2];
	void *buffer;
	s32 a;
	s64 sum;
	unsigned long timeout;
	u64 faults;
	int error;
};

void dm_piece_read(struct dm_work *work, void *const at[2], size_t len);
void dm_piece_write(struct dm_work *work, void *const at[2], size_t len);
void dm_piece_saxpy(struct dm_work *work, void *const at[2], size_t len);
void dm_piece_sum(struct dm_work *work, void *const at[2], size_t len);

struct dm_operand *dm_run(struct dm_work *work, struct dm_table *table);
int dm_execute(struct dm_mirror *dm, struct dm_work *work);

/* ioctl.c: the commands of user programs */

struct hmm_span dm_cmd_span(const struct hmm_dmirror_cmd *cmd);
int dm_cmd_read(struct dm_mirror *dm, struct hmm_dmirror_cmd *cmd);
long dm_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* HMM_DMIRROR_DRIVER_H */
