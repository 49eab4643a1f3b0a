/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HMM as it was: the interfaces of 2017 and of 2019, and the memremap.h of
 * their time, over today's core.
 */
#ifndef LINUX_HMM_COMPAT_H
#define LINUX_HMM_COMPAT_H

/*
 * Everything that uses today's meaning of a name that is given an old one at
 * the end of this file.
 */
#include <linux/contract.h>
#include <linux/dma-mapping.h>
#include <linux/hmm.h>
#include <linux/hmm_devmem.h>
#ifdef CONFIG_HMM_MIRROR
#include <linux/hmm_mirror.h>
#endif
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/wait.h>
#include <linux/wait_bit.h>

/**
 * DOC: Asking for a generation
 *
 * A driver that was written for an earlier HMM says which one, and includes
 * this header in place of <linux/hmm.h>, after all others::
 *
 *	#define HMM_API HMM_API_2019
 *	#include <linux/hmm_compat.h>
 *
 * From there on the names mean what they meant then. Generations are joined
 * with ``|``. What no other generation, and not today's, uses for something
 * else has one name. What does has a name with the year in it, which is always
 * there (&struct hmm2019_range), and its old name only where one asked.
 *
 * docs/generations.md goes through all of it name by name.
 */
#define HMM_API_2019		2
#define HMM_API_MEMREMAP	4

#ifndef HMM_API
#define HMM_API 0
#endif

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

/* What 2019 adds. */
#include <linux/hmm_compat_2019.h>

/*
 * The old names, for who asked.
 */

#if HMM_API & HMM_API_2019
#define hmm_mirror		hmm2019_mirror
#define hmm_mirror_ops		hmm2019_mirror_ops
#define hmm_range		hmm2019_range
#define hmm_range_fault		hmm2019_range_fault
#define HMM_PFN_ERROR		HMM2019_PFN_ERROR
#endif

#if HMM_API & HMM_API_2019
#define HMM_PFN_VALID		HMM2019_PFN_VALID
#define HMM_PFN_WRITE		HMM2019_PFN_WRITE
#endif

#if HMM_API & HMM_API_MEMREMAP
#define dev_pagemap		dev_pagemap2018
#define devm_memremap_pages	devm_memremap_pages2018
#define devm_memunmap_pages	devm_memunmap_pages2018
#define get_dev_pagemap		get_dev_pagemap2018
#define put_dev_pagemap		put_dev_pagemap2018
#endif

/* A free page of device memory had one reference then, and has none today. */
#if HMM_API & HMM_API_MEMREMAP
#define get_page		get_page2018
#endif

#endif /* LINUX_HMM_COMPAT_H */
