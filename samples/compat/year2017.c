// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_year2017: a driver for API year 2017.
 *
 * The device has memory that the CPU cannot access. hmm_devmem_add() creates
 * struct pages for it, migrate_vma() migrates pages of a process there, and a CPU
 * fault migrates a page back to system memory.
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

/* Allocate a page of device memory, locked. */
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

/**
 * struct transfer - pages that are being migrated
 * @moved: number of pages that have moved
 * @no_memory: a page had no destination for want of memory
 */
struct transfer {
	unsigned long moved;
	bool no_memory;
};

static void move_in(struct vm_area_struct *vma, const unsigned long *src, unsigned long *dst,
		    unsigned long start, unsigned long end, void *private)
{
	unsigned long addr;

	for (addr = start; addr < end; addr += PAGE_SIZE, src++, dst++) {
		struct page *from = migrate_pfn_to_page(*src), *to;

		*dst = 0;
		/* Device memory stays where it is. Only a locked page holds still. */
		if (!(*src & MIGRATE_PFN_MIGRATE) || (*src & MIGRATE_PFN_DEVICE) ||
		    (from && !(*src & MIGRATE_PFN_LOCKED)))
			continue;
		to = alloc_device_page();
		if (!to)
			continue;
		board_copy_in(&board, hmm_devmem_page_get_drvdata(to), from);
		*dst = migrate_pfn(page_to_pfn(to)) | MIGRATE_PFN_LOCKED | MIGRATE_PFN_DEVICE;
	}
}

/* The dst of one page of this driver's memory. */
static unsigned long move_page_out(struct transfer *transfer, struct page *from,
				   struct vm_area_struct *vma, unsigned long addr)
{
	struct page *to;

	if (board.fate == COMPAT_LOSES_DATA)
		return MIGRATE_PFN_ERROR;
	to = board_alloc_system_page(&board, vma, addr);
	if (!to) {
		transfer->no_memory = true;
		return 0;
	}
	board_copy_out(&board, board_index(from), to);
	return migrate_pfn(page_to_pfn(to)) | MIGRATE_PFN_LOCKED;
}

static void move_out(struct vm_area_struct *vma, const unsigned long *src, unsigned long *dst,
		     unsigned long start, unsigned long end, void *private)
{
	unsigned long addr;

	for (addr = start; addr < end; addr += PAGE_SIZE, src++, dst++) {
		struct page *from = migrate_pfn_to_page(*src);

		*dst = 0;
		if ((*src & MIGRATE_PFN_MIGRATE) && (*src & MIGRATE_PFN_DEVICE) &&
		    board_index(from) < BOARD_PAGES)
			*dst = move_page_out(private, from, vma, addr);
	}
}

/* A driver with a page table would update it here. */
static void count_moved(struct vm_area_struct *vma, const unsigned long *src,
			const unsigned long *dst, unsigned long start, unsigned long end,
			void *private)
{
	struct transfer *transfer = private;
	unsigned long addr;

	for (addr = start; addr < end; addr += PAGE_SIZE, src++, dst++)
		if ((*src & MIGRATE_PFN_MIGRATE) && migrate_pfn_to_page(*dst))
			transfer->moved++;
}

static const struct migrate_vma_ops move_in_ops = {
	.alloc_and_copy = move_in,
	.finalize_and_map = count_moved,
};

static const struct migrate_vma_ops move_out_ops = {
	.alloc_and_copy = move_out,
	.finalize_and_map = count_moved,
};

static int device_migrate(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			  bool evict, unsigned long *moved)
{
	unsigned long src[COMPAT_PAGES], dst[COMPAT_PAGES];
	struct transfer transfer = {};
	int ret = -ENXIO;

	if (devmem)
		ret = migrate_vma(evict ? &move_out_ops : &move_in_ops, vma, start, end,
				  src, dst, &transfer);
	*moved = transfer.moved;
	return ret;
}

static int device_fault(struct hmm_devmem *devmem, struct vm_area_struct *vma,
			unsigned long addr, const struct page *page, unsigned int flags,
			pmd_t *pmdp)
{
	struct transfer transfer = {};
	unsigned long src, dst;

	board.stats.faults++;
	if (migrate_vma(&move_out_ops, vma, addr, addr + PAGE_SIZE, &src, &dst, &transfer))
		return VM_FAULT_SIGBUS;
	if (dst & MIGRATE_PFN_ERROR)
		return VM_FAULT_SIGBUS;
	/* A page that was busy is accessed again, and its data is not lost. */
	return transfer.no_memory ? VM_FAULT_OOM : 0;
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

MODULE_DESCRIPTION("Sample driver for HMM's API year 2017");
MODULE_LICENSE("GPL");
