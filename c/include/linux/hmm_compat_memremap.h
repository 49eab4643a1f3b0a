/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memremap.h of Linux 5.0. Drivers include <linux/hmm_compat.h>, which
 * gives the names without a year to those that select this API year.
 */
#ifndef _LINUX_HMM_COMPAT_MEMREMAP_H
#define _LINUX_HMM_COMPAT_MEMREMAP_H

#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/percpu-refcount.h>
#include <linux/wait_bit.h>

/*
 * memremap.h of that time.
 */

/* What is called coherent today. */
#define MEMORY_DEVICE_PUBLIC MEMORY_DEVICE_COHERENT

typedef int (*dev_page_fault_t)(struct vm_area_struct *vma, unsigned long addr,
				const struct page *page, unsigned int flags,
				pmd_t *pmdp);
typedef void (*dev_page_free_t)(struct page *page, void *data);

/**
 * struct dev_pagemap2018 - memory of a device, with struct pages
 * @page_fault: the CPU touched a page of private memory, which is locked. The
 *	driver brings it home with migrate_vma(), neighbours too if it likes,
 *	and returns 0. It returns %VM_FAULT_OOM when there is no memory to
 *	bring it to, and the process tries again or dies; %VM_FAULT_SIGBUS when
 *	the content is lost: the entry in the CPU's page table is then
 *	poisoned, and the process gets a signal now and whenever it comes back.
 * @page_free: the last reference to a page went. Called with @data; must not
 *	sleep. For private and public memory.
 * @altmap: place for the struct pages within the memory itself
 * @altmap_valid: whether there is such a place
 * @res: the physical addresses
 * @ref: a live reference count of the driver's, which get_dev_pagemap() takes
 * @kill: makes @ref dead
 * @dev: set by devm_memremap_pages()
 * @data: for @page_free
 * @type: %MEMORY_DEVICE_PRIVATE, %MEMORY_DEVICE_PUBLIC or
 *	%MEMORY_DEVICE_FS_DAX
 * @core: the same for today's memremap.c
 *
 * The driver fills in what it needs of all but @dev.
 */
struct dev_pagemap2018 {
	dev_page_fault_t page_fault;
	dev_page_free_t page_free;
	struct vmem_altmap altmap;
	bool altmap_valid;
	struct resource res;
	struct percpu_ref *ref;
	void (*kill)(struct percpu_ref *ref);
	struct device *dev;
	void *data;
	enum memory_type type;
	/* private: */
	struct dev_pagemap core;
};

/**
 * page_wait_idle2018() - wait until nobody holds a page
 * @page: a page of %MEMORY_DEVICE_FS_DAX
 * @timeout: how long, in jiffies
 *
 * For who waited for &page->_refcount to become 1, and was woken when it did.
 *
 * Return: 0 when the time is over; else what is left of it, at least 1.
 */
static inline long page_wait_idle2018(struct page *page, long timeout)
{
	return wait_var_event_timeout(page, !page_ref_count(page), timeout);
}

#ifdef CONFIG_HMM_COMPAT_PAGEMAP
void *devm_memremap_pages2018(struct device *dev,
			      struct dev_pagemap2018 *pgmap);
void devm_memunmap_pages2018(struct device *dev,
			     struct dev_pagemap2018 *pgmap);
struct dev_pagemap2018 *get_dev_pagemap2018(unsigned long pfn,
					    struct dev_pagemap2018 *pgmap);
void put_dev_pagemap2018(struct dev_pagemap2018 *pgmap);
void get_page2018(struct page *page);

/**
 * page_dev_pagemap2018() - the device memory that a page is of
 * @page: a page of private or public memory of some &struct dev_pagemap2018
 *
 * What page->pgmap was.
 */
static inline struct dev_pagemap2018 *page_dev_pagemap2018(const struct page *page)
{
	return container_of(page_pgmap(page), struct dev_pagemap2018, core);
}
#else
static inline void *devm_memremap_pages2018(struct device *dev,
					    struct dev_pagemap2018 *pgmap)
{
	return ERR_PTR(-ENXIO);
}

static inline void devm_memunmap_pages2018(struct device *dev,
					   struct dev_pagemap2018 *pgmap)
{
}

static inline struct dev_pagemap2018 *
get_dev_pagemap2018(unsigned long pfn, struct dev_pagemap2018 *pgmap)
{
	return NULL;
}

static inline void put_dev_pagemap2018(struct dev_pagemap2018 *pgmap) {}

static inline void get_page2018(struct page *page)
{
	get_page(page);
}

static inline struct dev_pagemap2018 *page_dev_pagemap2018(const struct page *page)
{
	return NULL;
}
#endif /* CONFIG_HMM_COMPAT_PAGEMAP */

#endif /* _LINUX_HMM_COMPAT_MEMREMAP_H */
