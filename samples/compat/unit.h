/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulated compute unit that accesses pages of processes through a page table
 * of its own, and the file in /dev through which programs use it.
 */
#ifndef _HMM_COMPAT_UNIT_H
#define _HMM_COMPAT_UNIT_H

#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>

#include "uapi.h"

#define UNIT_SLOTS 256

struct mm_struct;

/**
 * struct unit_process - a process that uses the unit
 * @mm: the process's address space
 * @lock: the driver's update lock; protects @slots
 * @slots: the unit's page table, direct mapped: an address has one slot, in which
 *	it replaces another
 */
struct unit_process {
	struct mm_struct *mm;
	struct mutex lock;	/* protects slots */
	struct {
		unsigned long addr;
		u64 entry;
	} slots[UNIT_SLOTS];
};

/**
 * struct compute_unit - the unit, with the driver's functions
 * @name: name of the file
 * @open: start to mirror the caller's memory; returns an error pointer on failure
 * @close: stop
 * @miss: put a page into the page table, writable if @write
 * @prefetch: put pages that are present into the page table, and set the result
 * @snapshot: write the entries of the pages as they are; returns their number
 * @fill: fill the pages with 0xdd; returns 0 or an error
 * @pdev: the device for DMA addresses
 * @stats: statistics
 * @misc: the file
 */
struct compute_unit {
	const char *name;
	struct unit_process *(*open)(struct mm_struct *mm);
	void (*close)(struct unit_process *process);
	int (*miss)(struct unit_process *process, unsigned long addr, bool write);
	int (*prefetch)(struct unit_process *process, struct compat_cmd *cmd);
	long (*snapshot)(struct unit_process *process, const struct compat_cmd *cmd,
			 u64 *entries);
	int (*fill)(struct unit_process *process, struct compat_cmd *cmd);
	struct platform_device *pdev;
	struct compat_stats stats;
	struct miscdevice misc;
};

int unit_init(struct compute_unit *unit);
void unit_exit(struct compute_unit *unit);
/* Set an entry, or clear those of a range of addresses. Under the lock. */
void unit_set(struct unit_process *process, unsigned long addr, u64 entry);
void unit_drop(struct unit_process *process, unsigned long start, unsigned long end);
bool unit_reaches(const struct page *page);

#endif /* _HMM_COMPAT_UNIT_H */
