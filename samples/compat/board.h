/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulated board with memory that the CPU cannot access and a DMA engine that
 * copies, and the file in /dev through which programs use the driver.
 */
#ifndef _HMM_COMPAT_BOARD_H
#define _HMM_COMPAT_BOARD_H

#include <linux/bitmap.h>
#include <linux/miscdevice.h>
#include <linux/mm_types.h>
#include <linux/spinlock.h>

#include "uapi.h"

#define BOARD_PAGES 1024UL

/**
 * struct board - the board
 * @name: name of the file
 * @migrate: migrate pages of a VMA to device memory, or if @evict to system
 *	memory, and count those that have moved; called with the mmap lock held
 * @memory: the board's memory
 * @lock: protects @used
 * @used: a bit for each page
 * @fate: what happens to pages that are migrated to system memory
 * @stats: statistics
 * @misc: the file
 */
struct board {
	const char *name;
	int (*migrate)(struct vm_area_struct *vma, unsigned long start,
		       unsigned long end, bool evict, unsigned long *moved);
	char *memory;
	spinlock_t lock;	/* protects used */
	DECLARE_BITMAP(used, BOARD_PAGES);
	enum compat_fate fate;
	struct compat_stats stats;
	struct miscdevice misc;
};

/* Create the memory and the file; @migrate may be called from here on. */
int board_init(struct board *board);
void board_exit(struct board *board);
/* Allocate a page; returns its index, or -1. */
long board_alloc(struct board *board);
void board_free(struct board *board, unsigned long index);
/* Allocate a page of system memory, locked, for data of the board; or NULL. */
struct page *board_alloc_system_page(struct board *board, struct vm_area_struct *vma,
				     unsigned long addr);
/* The DMA engine; @page is system memory, or NULL for zeros. */
void board_copy_in(struct board *board, unsigned long index, struct page *page);
void board_copy_out(struct board *board, unsigned long index, struct page *page);

#endif /* _HMM_COMPAT_BOARD_H */
