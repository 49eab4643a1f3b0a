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
#include <linux/xarray.h>

/* Device memory that the CPU accesses coherently. */
#define MEMORY_DEVICE_PUBLIC MEMORY_DEVICE_COHERENT

typedef int (*dev_page_fault_t)(struct vm_area_struct *vma, unsigned long addr,
				const struct page *page, unsigned int flags,
				pmd_t *pmdp);
typedef void (*dev_page_free_t)(struct page *page, void *data);

/**
 * struct dev_pagemap2018 - device memory with struct pages
 * @page_fault: The CPU accessed a device-private page, which is locked. Migrate
 *	it to system memory with migrate_vma(), together with its neighbours if
 *	that helps, and return 0; %VM_FAULT_OOM if there is no memory to migrate
 *	it to, upon which the access is repeated; or %VM_FAULT_SIGBUS if its
 *	content is lost, upon which the CPU's entry is poisoned and the process
 *	gets SIGBUS for this access and later ones.
 * @page_free: The last reference to a page is dropped. Called with @data; must
 *	not sleep. Optional for %MEMORY_DEVICE_FS_DAX and without a type.
 * @altmap: room for the struct pages within the memory itself
 * @altmap_valid: whether @altmap is used
 * @res: the physical addresses
 * @ref: the driver's live reference count; the mapping and get_dev_pagemap()
 *	hold references
 * @kill: kills @ref
 * @dev: set by devm_memremap_pages()
 * @data: passed to @page_free
 * @type: %MEMORY_DEVICE_PRIVATE, %MEMORY_DEVICE_PUBLIC, %MEMORY_DEVICE_FS_DAX; or
 *	0 for memory without callbacks
 *
 * The driver sets all of these that it needs, but @dev.
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
	struct xarray idle;	/* calls page_free for MEMORY_DEVICE_FS_DAX */
};

/**
 * page_wait_idle2018() - wait until a page has no reference
 * @page: a page of %MEMORY_DEVICE_FS_DAX
 * @timeout: for how long, in jiffies
 *
 * Replaces waiting for &page->_refcount to become 1.
 *
 * Return: 0 after the timeout; otherwise the time that is left, at least 1.
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
 * page_dev_pagemap2018() - the device memory that a page belongs to
 * @page: a page that was registered by devm_memremap_pages2018()
 *
 * Replaces page->pgmap.
 *
 * Return: the device memory.
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
