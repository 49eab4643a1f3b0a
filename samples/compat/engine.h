/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In place of hardware: an engine that copies pages of processes, which it finds
 * by way of a table of its own. And a file in /dev by which programs come to it.
 */
#ifndef HMM_GENERATIONS_ENGINE_H
#define HMM_GENERATIONS_ENGINE_H

#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>

#include "uapi.h"

#define ENGINE_SLOTS 256

struct mm_struct;

/**
 * struct engine_process - a process as the engine sees it
 * @mm: the process's memory
 * @lock: the driver's update lock; guards @slots
 * @slots: the engine's table: a page's entry is in the slot that its number
 *	chooses, if the slot is its
 */
struct engine_process {
	struct mm_struct *mm;
	struct mutex lock;	/* guards slots */
	struct {
		unsigned long addr;
		u64 entry;
	} slots[ENGINE_SLOTS];
};

/**
 * struct engine - the engine, and what its driver does for it
 * @name: of the file
 * @open: begins to mirror the caller's memory; an error pointer if it cannot
 * @close: ends that
 * @miss: a page is not in the table, or not writable there: have it there
 * @snapshot: writes the entries of @cmd's pages as they are; says how many
 * @fill: has the engine fill @cmd's pages with 0xdd; 0 or an error
 * @pdev: what addresses for the engine are mapped for
 * @stats: what has happened
 * @misc: the file
 */
struct engine {
	const char *name;
	struct engine_process *(*open)(struct mm_struct *mm);
	void (*close)(struct engine_process *process);
	int (*miss)(struct engine_process *process, unsigned long addr, bool write);
	long (*snapshot)(struct engine_process *process, const struct hmm_gen_cmd *cmd,
			 u64 *entries);
	int (*fill)(struct engine_process *process, struct hmm_gen_cmd *cmd);
	struct platform_device *pdev;
	struct hmm_gen_stats stats;
	struct miscdevice misc;
};

int engine_init(struct engine *engine);
void engine_exit(struct engine *engine);
/* Have an entry in the table, or none any more between two addresses; under the lock. */
void engine_set(struct engine_process *process, unsigned long addr, u64 entry);
void engine_drop(struct engine_process *process, unsigned long start, unsigned long end);
bool engine_reaches(const struct page *page);

#endif /* HMM_GENERATIONS_ENGINE_H */
