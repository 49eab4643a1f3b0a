// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_memremap: a driver for the memremap.h of Linux 5.0.
 *
 * It registers its memory itself: device-private memory, or with public=ADDRESS
 * memory at that physical address that the CPU can access. A CPU fault on a page
 * of the former migrates it to system memory, together with its neighbours in
 * the same aligned group of eight.
 */
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/pagemap.h>

#include "board.h"

#define HMM_API (HMM_API_2017 | HMM_API_MEMREMAP)
#include <linux/hmm_compat.h>

#define NEIGHBOURS 8

static unsigned long public;
module_param(public, ulong, 0444);
MODULE_PARM_DESC(public, "Physical address of 4 MiB of unused memory that the CPU can access");

/**
 * struct card - the device
 * @board: its memory
 * @pagemap: the struct pages for it
 * @ref: reference count of @pagemap
 * @idle: completed when @ref is zero
 */
static struct card {
	struct board board;
	struct dev_pagemap pagemap;
	struct percpu_ref ref;
	struct completion idle;
} card;

static unsigned long card_index(const struct page *page)
{
	return page_to_pfn(page) - PHYS_PFN(card.pagemap.res.start);
}

static struct page *card_alloc_page(void)
{
	long index = board_alloc(&card.board);
	struct page *page;

	if (index < 0)
		return NULL;
	page = pfn_to_page(PHYS_PFN(card.pagemap.res.start) + index);
	get_page(page);
	lock_page(page);
	return page;
}

/**
 * struct transfer - pages that are being migrated
 * @evict: to system memory; otherwise to device memory
 * @moved: number of pages that have moved
 * @no_memory: a page had no destination for want of memory
 */
struct transfer {
	bool evict;
	unsigned long moved;
	bool no_memory;
};

/* Pages of other devices, which have their own drivers, stay where they are. */
static bool may_move(const struct page *page, bool evict)
{
	if (!page || !is_zone_device_page(page))
		return !evict;
	return evict && card_index(page) < BOARD_PAGES;
}

static struct page *card_copy(struct vm_area_struct *vma, unsigned long addr,
			      struct page *from, bool evict)
{
	struct page *to = evict ? board_alloc_system_page(&card.board, vma, addr) :
				  card_alloc_page();

	if (!to)
		return NULL;
	if (evict) {
		board_copy_out(&card.board, card_index(from), to);
	} else if (public) {
		/* The CPU writes to public memory as to any other. */
		if (from)
			copy_highpage(to, from);
		else
			clear_highpage(to);
	} else {
		board_copy_in(&card.board, card_index(to), from);
	}
	return to;
}

static void card_alloc_and_copy(struct vm_area_struct *vma, const unsigned long *src,
				unsigned long *dst, unsigned long start, unsigned long end,
				void *private)
{
	struct transfer *transfer = private;
	unsigned long addr;

	for (addr = start; addr < end; addr += PAGE_SIZE, src++, dst++) {
		struct page *from = migrate_pfn_to_page(*src), *to;

		*dst = 0;
		if (!(*src & MIGRATE_PFN_MIGRATE) || !may_move(from, transfer->evict))
			continue;
		to = card_copy(vma, addr, from, transfer->evict);
		if (to)
			*dst = migrate_pfn(page_to_pfn(to)) | MIGRATE_PFN_LOCKED;
		else
			transfer->no_memory = true;
	}
}

static void card_finalize(struct vm_area_struct *vma, const unsigned long *src,
			  const unsigned long *dst, unsigned long start, unsigned long end,
			  void *private)
{
	struct transfer *transfer = private;
	unsigned long addr;

	for (addr = start; addr < end; addr += PAGE_SIZE, src++, dst++)
		if ((*src & MIGRATE_PFN_MIGRATE) && migrate_pfn_to_page(*dst))
			transfer->moved++;
}

static const struct migrate_vma_ops card_migrate_ops = {
	.alloc_and_copy = card_alloc_and_copy,
	.finalize_and_map = card_finalize,
};

static int card_page_fault(struct vm_area_struct *vma, unsigned long addr,
			   const struct page *page, unsigned int flags, pmd_t *pmdp)
{
	unsigned long src[NEIGHBOURS], dst[NEIGHBOURS];
	unsigned long start = round_down(addr, NEIGHBOURS * PAGE_SIZE);
	unsigned long end = min(start + NEIGHBOURS * PAGE_SIZE, vma->vm_end);
	struct transfer transfer = { .evict = true };

	card.board.stats.faults++;
	if (card.board.fate == COMPAT_LOSES_DATA)
		return VM_FAULT_SIGBUS;
	start = max(start, vma->vm_start);
	if (migrate_vma(&card_migrate_ops, vma, start, end, src, dst, &transfer))
		return VM_FAULT_SIGBUS;
	/* A page that was busy is accessed again, and its data is not lost. */
	return transfer.no_memory && !transfer.moved ? VM_FAULT_OOM : 0;
}

static void card_page_free(struct page *page, void *data)
{
	struct card *card = data;

	board_free(&card->board, card_index(page));
}

static int card_migrate(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			bool evict, unsigned long *moved)
{
	unsigned long src[COMPAT_PAGES], dst[COMPAT_PAGES];
	struct transfer transfer = { .evict = evict };
	int ret = -ENXIO;

	if (card.pagemap.dev)
		ret = migrate_vma(&card_migrate_ops, vma, start, end, src, dst, &transfer);
	*moved = transfer.moved;
	return ret;
}

static void card_idle(struct percpu_ref *ref)
{
	complete(&card.idle);
}

static int card_register_memory(struct device *dev)
{
	struct dev_pagemap *pagemap = &card.pagemap;
	struct resource *res;

	if (public) {
		pagemap->type = MEMORY_DEVICE_PUBLIC;
		pagemap->res = (struct resource)DEFINE_RES_MEM(public, BOARD_PAGES * PAGE_SIZE);
	} else {
		res = devm_request_free_mem_region(dev, &iomem_resource, BOARD_PAGES * PAGE_SIZE);
		if (IS_ERR(res))
			return PTR_ERR(res);
		pagemap->type = MEMORY_DEVICE_PRIVATE;
		pagemap->res = *res;
	}
	pagemap->page_fault = card_page_fault;
	pagemap->page_free = card_page_free;
	pagemap->ref = &card.ref;
	pagemap->kill = percpu_ref_kill;
	pagemap->data = &card;
	return PTR_ERR_OR_ZERO(devm_memremap_pages(dev, pagemap));
}

/* The end of the device removes its memory, once all pages are free. */
static void card_end(void)
{
	board_exit(&card.board);
	/* A failure to register the memory has killed it, unless it came earlier. */
	if (!percpu_ref_is_dying(&card.ref))
		percpu_ref_kill(&card.ref);
	wait_for_completion(&card.idle);
	percpu_ref_exit(&card.ref);
}

static int __init card_init(void)
{
	int ret;

	card.board.name = "hmm_memremap";
	card.board.migrate = card_migrate;
	init_completion(&card.idle);
	ret = percpu_ref_init(&card.ref, card_idle, 0, GFP_KERNEL);
	if (ret)
		return ret;
	ret = board_init(&card.board);
	if (ret) {
		percpu_ref_exit(&card.ref);
		return ret;
	}
	ret = card_register_memory(card.board.misc.this_device);
	if (ret)
		card_end();
	return ret;
}
module_init(card_init);

static void __exit card_exit(void)
{
	card_end();
}
module_exit(card_exit);

MODULE_DESCRIPTION("Sample driver for the memremap.h of Linux 5.0");
MODULE_LICENSE("GPL");
