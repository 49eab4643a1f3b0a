/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device memory that processes can have their pages in.
 */
#ifndef _LINUX_HMM_DEVMEM_H
#define _LINUX_HMM_DEVMEM_H

#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

struct hmm_devmem;

/**
 * struct hmm_devmem_ops - what only the driver of the device can do
 * @copy: copy ``PAGE_SIZE << order`` bytes from @src to @dst, one of which is
 *	of this device memory and the other of system memory. Complete, and
 *	visible to the CPU and the device, when it returns.
 * @clear: zero ``PAGE_SIZE << order`` bytes of device memory
 *
 * Both may sleep, are called with the pages locked and mapped nowhere, and
 * return 0 or a negative errno, upon which the data stays where it was. The
 * page's place in the device's memory is hmm_devmem_offset().
 */
struct hmm_devmem_ops {
	int (*copy)(struct hmm_devmem *devmem, struct page *dst,
		    struct page *src, unsigned int order);
	int (*clear)(struct hmm_devmem *devmem, struct page *page,
		     unsigned int order);
};

/**
 * struct hmm_devmem - one piece of device memory
 * @type: MEMORY_DEVICE_PRIVATE, which the CPU cannot reach and which is given
 *	addresses of its own; or MEMORY_DEVICE_COHERENT, at @range. Set by the
 *	driver.
 * @range: where it is; for private memory found by hmm_devmem_init()
 * @size: in bytes, a multiple of the size of a huge page. Set by the driver.
 * @fault_pages: how many pages around the one that a CPU touches come back
 *	with it, a power of two; 0 for as many as a huge page has, which is
 *	the most. Set by the driver.
 * @name: for /proc/iomem. Set by the driver.
 * @ops: set by the driver
 * @pagemap: its ``owner`` is this structure, which is what a driver gives as
 *	pgmap_owner or dev_private_owner
 * @reserved: how many bytes of addresses were taken for private memory
 * @lock: protects the fields that follow; taken with interrupts off
 * @used: a bit for each page
 * @free: number of pages with no bit in @used
 * @next: where the search for free pages begins
 * @closed: nothing is handed out
 *
 * Free pages have no list: neighbours that are free are one free block, with
 * nothing to be merged.
 */
struct hmm_devmem {
	enum memory_type type;
	struct range range;
	unsigned long size;
	unsigned long fault_pages;
	const char *name;
	const struct hmm_devmem_ops *ops;

	/* private: */
	struct dev_pagemap pagemap;
	unsigned long reserved;
	spinlock_t lock;	/* protects the rest */
	unsigned long *used;
	unsigned long free;
	unsigned long next;
	bool closed;
};

int hmm_devmem_init(struct hmm_devmem *devmem);
void hmm_devmem_exit(struct hmm_devmem *devmem);

struct folio *hmm_devmem_alloc(struct hmm_devmem *devmem, unsigned int order);
long hmm_devmem_migrate(struct hmm_devmem *devmem, struct vm_area_struct *vma,
			unsigned long start, unsigned long end);
unsigned long hmm_devmem_evict(struct hmm_devmem *devmem);
void hmm_devmem_resume(struct hmm_devmem *devmem);

/**
 * hmm_devmem_of() - the device memory that a page is of
 * @page: a page of private or coherent memory of some struct hmm_devmem
 */
static inline struct hmm_devmem *hmm_devmem_of(const struct page *page)
{
	return container_of(page_pgmap(page), struct hmm_devmem, pagemap);
}

/**
 * hmm_devmem_offset() - a page's place in the device's memory
 * @devmem: the device memory
 * @page: a page of it
 *
 * Return: the offset in bytes.
 */
static inline unsigned long hmm_devmem_offset(const struct hmm_devmem *devmem,
					      const struct page *page)
{
	return (page_to_pfn(page) - PHYS_PFN(devmem->range.start)) << PAGE_SHIFT;
}

#endif /* _LINUX_HMM_DEVMEM_H */
