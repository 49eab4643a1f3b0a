// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_year2017: a driver as one would have been written for Linux 4.14.
 *
 * The device has memory that the CPU cannot reach. hmm_devmem_add() makes pages
 * for it, migrate_vma() moves pages of a process there, and when the CPU touches
 * one it comes home.
 */
#include <linux/module.h>
#include <linux/pagemap.h>

#include "board.h"

#define HMM_API HMM_API_2017
#include <linux/hmm_compat.h>

static struct hmm_devmem *devmem;
static struct board board;

static unsigned long board_index(const struct page *page)
{
	return page_to_pfn(page) - devmem->pfn_first;
}

/* A page of the device's memory, locked. */
static struct page *alloc_device_page(void)
{
	long index = board_alloc(&board);
	struct page *page;

	if (index < 0)
		return NULL;
	page = pfn_to_page(devmem->pfn_first + index);
	get_page(page);
	lock_page(page);
	hmm_devmem_page_set_drvdata(page, index);
	return page;
}

static void move_in(struct vm_area_struct *vma, const unsigned long *src, unsigned long *dst,
		    unsigned long start, unsigned long end, void *private)
{
	unsigned long addr;

	for (addr = start; addr < end; addr += PAGE_SIZE, src++, dst++) {
		struct page *from = migrate_pfn_to_page(*src), *to;

		*dst = 0;
		if (!(*src & MIGRATE_PFN_MIGRATE) || (from && is_device_private_page(from)))
			continue;
		to = alloc_device_page();
		if (!to)
			continue;
		board_copy_in(&board, hmm_devmem_page_get_drvdata(to), from);
		*dst = migrate_pfn(page_to_pfn(to)) | MIGRATE_PFN_LOCKED | MIGRATE_PFN_DEVICE;
	}
}

static void move_out(struct vm_area_struct *vma, const unsigned long *src, unsigned long *dst,
		     unsigned long start, unsigned long end, void *private)
{
	struct page *from = migrate_pfn_to_page(*src), *to;

	*dst = 0;
	if (!(*src & MIGRATE_PFN_MIGRATE))
		return;
	if (board.fate == HMM_GEN_LOSES_DATA) {
		*dst = MIGRATE_PFN_ERROR;
		return;
	}
	to = alloc_page_vma(GFP_HIGHUSER_MOVABLE, vma, start);
	if (!to)
		return;
	lock_page(to);
	board_copy_out(&board, board_index(from), to);
	*dst = migrate_pfn(page_to_pfn(to)) | MIGRATE_PFN_LOCKED;
}

/* How many pages have moved; a real device's page table would be set here. */
static void count_moved(struct vm_area_struct *vma, const unsigned long *src,
			const unsigned long *dst, unsigned long start, unsigned long end,
			void *private)
{
	unsigned long *moved = private, addr;

	for (addr = start; addr < end; addr += PAGE_SIZE, src++, dst++)
		if ((*src & MIGRATE_PFN_MIGRATE) && migrate_pfn_to_page(*dst))
			++*moved;
}

static int device_migrate(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			  unsigned long *moved)
{
	static const struct migrate_vma_ops ops = {
		.alloc_and_copy = move_in,
		.finalize_and_map = count_moved,
	};
	unsigned long src[HMM_GEN_PAGES], dst[HMM_GEN_PAGES];

	return devmem ? migrate_vma(&ops, vma, start, end, src, dst, moved) : -ENXIO;
}

static int device_fault(struct hmm_devmem *devmem, struct vm_area_struct *vma,
			unsigned long addr, const struct page *page, unsigned int flags,
			pmd_t *pmdp)
{
	static const struct migrate_vma_ops ops = {
		.alloc_and_copy = move_out,
		.finalize_and_map = count_moved,
	};
	unsigned long src, dst, moved = 0;

	board.stats.faults++;
	if (board.fate == HMM_GEN_NO_MEMORY) {
		board.fate = HMM_GEN_WORKS;
		return VM_FAULT_OOM;
	}
	if (migrate_vma(&ops, vma, addr, addr + PAGE_SIZE, &src, &dst, &moved))
		return VM_FAULT_SIGBUS;
	return moved ? 0 : VM_FAULT_SIGBUS;
}

static void device_free(struct hmm_devmem *devmem, struct page *page)
{
	board_free(&board, board_index(page));
}

static const struct hmm_devmem_ops device_ops = {
	.free = device_free,
	.fault = device_fault,
};

static struct board board = {
	.name = "hmm_year2017",
	.migrate = device_migrate,
};

static int __init year2017_init(void)
{
	struct hmm_devmem *memory;
	int ret = board_init(&board);

	if (ret)
		return ret;
	memory = hmm_devmem_add(&device_ops, board.misc.this_device, BOARD_PAGES * PAGE_SIZE);
	if (!IS_ERR(memory))
		devmem = memory;
	else
		board_exit(&board);
	return PTR_ERR_OR_ZERO(memory);
}
module_init(year2017_init);

static void __exit year2017_exit(void)
{
	hmm_devmem_remove(devmem);
	board_exit(&board);
}
module_exit(year2017_exit);

MODULE_DESCRIPTION("Sample driver for HMM's interface of 2017");
MODULE_LICENSE("GPL");
