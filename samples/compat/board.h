/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In place of hardware: a board with memory that the CPU cannot reach, and a
 * copy engine. And a file in /dev by which programs come to the driver.
 */
#ifndef HMM_GENERATIONS_BOARD_H
#define HMM_GENERATIONS_BOARD_H

#include <linux/bitmap.h>
#include <linux/miscdevice.h>
#include <linux/mm_types.h>
#include <linux/spinlock.h>

#include "uapi.h"

#define BOARD_PAGES 1024UL

/**
 * struct board - the board
 * @name: of the file
 * @migrate: moves pages of a process to the board, which is the driver's
 *	business; says how many have moved. The mmap lock is held.
 * @memory: the board's memory
 * @lock: guards @used
 * @used: a bit for each page
 * @fate: what becomes of faults
 * @stats: what has happened
 * @misc: the file
 */
struct board {
	const char *name;
	int (*migrate)(struct vm_area_struct *vma, unsigned long start,
		       unsigned long end, unsigned long *moved);
	char *memory;
	spinlock_t lock;	/* guards used */
	DECLARE_BITMAP(used, BOARD_PAGES);
	enum hmm_gen_fate fate;
	struct hmm_gen_stats stats;
	struct miscdevice misc;
};

/* Power, and the file; what @migrate needs may come a little later. */
int board_init(struct board *board);
void board_exit(struct board *board);
/* The number of a page that nobody uses, or -1. */
long board_alloc(struct board *board);
void board_free(struct board *board, unsigned long index);
/* The copy engine; @page is system memory, or NULL for zeros. */
void board_copy_in(struct board *board, unsigned long index, struct page *page);
void board_copy_out(struct board *board, unsigned long index, struct page *page);

#endif /* HMM_GENERATIONS_BOARD_H */
