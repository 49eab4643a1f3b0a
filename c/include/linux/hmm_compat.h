/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HMM as it was: the interfaces of 2017 and of 2019, and the memremap.h of
 * their time, over today's core.
 */
#ifndef _LINUX_HMM_COMPAT_H
#define _LINUX_HMM_COMPAT_H

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
 * %HMM_PFN_VALID and %HMM_PFN_WRITE are bits in 2017 and indices in 2019; who
 * asks for both has to say which, and is told so by the compiler.
 *
 * docs/generations.md goes through all of it name by name.
 */
#define HMM_API_2017		1
#define HMM_API_2019		2
#define HMM_API_MEMREMAP	4

#ifndef HMM_API
#define HMM_API 0
#endif

/*
 * 2017: words.
 */

/**
 * typedef hmm_pfn_t - a page frame number and what the CPU may do with it
 *
 * %HMM2017_PFN_VALID says that there is a page, %HMM2017_PFN_WRITE that it can
 * be written; the number stands above %HMM_PFN_SHIFT.
 */
typedef ulong hmm_pfn_t;

#define HMM2017_PFN_VALID	BIT(0)
#define HMM2017_PFN_WRITE	BIT(1)
#define HMM_PFN_SHIFT		2

/**
 * hmm_pfn_t_to_pfn() - the page frame number in a word
 * @pfn: the word
 *
 * Return: the number; -1UL for a word without %HMM2017_PFN_VALID.
 */
static inline unsigned long hmm_pfn_t_to_pfn(hmm_pfn_t pfn)
{
	return pfn & HMM2017_PFN_VALID ? pfn >> HMM_PFN_SHIFT : -1UL;
}

/**
 * hmm_pfn_t_to_page() - the page that a word tells of
 * @pfn: the word
 *
 * Return: the page; NULL for a word without %HMM2017_PFN_VALID. No reference
 * is taken.
 */
static inline struct page *hmm_pfn_t_to_page(hmm_pfn_t pfn)
{
	return pfn & HMM2017_PFN_VALID ? pfn_to_page(hmm_pfn_t_to_pfn(pfn)) : NULL;
}

/**
 * hmm_pfn_t_from_pfn() - the word for a page frame number
 * @pfn: the number
 *
 * Return: the word, valid and not writable.
 */
static inline hmm_pfn_t hmm_pfn_t_from_pfn(unsigned long pfn)
{
	return pfn << HMM_PFN_SHIFT | HMM2017_PFN_VALID;
}

/**
 * hmm_pfn_t_from_page() - the word for a page
 * @page: the page
 *
 * Return: the word, valid and not writable.
 */
static inline hmm_pfn_t hmm_pfn_t_from_page(struct page *page)
{
	return hmm_pfn_t_from_pfn(page_to_pfn(page));
}

/*
 * 2017: what a process has of HMM.
 */

#ifdef CONFIG_HMM_COMPAT_2017
/**
 * hmm_mm_init() - a new address space
 * @mm: the address space
 *
 * It has no HMM state; that is made when the first mirror needs it. Not for
 * drivers.
 */
static inline void hmm_mm_init(struct mm_struct *mm)
{
	WARN_ON_ONCE(mm_has_notifiers(mm));
}

void hmm_mm_destroy(struct mm_struct *mm);
#else
static inline void hmm_mm_init(struct mm_struct *mm) {}
static inline void hmm_mm_destroy(struct mm_struct *mm) {}
#endif /* CONFIG_HMM_COMPAT_2017 */

/*
 * 2017: migration in one call.
 */

/* In words of @dst: what a driver of that time says besides. */
#define MIGRATE_PFN_LOCKED	BIT(2)
#define MIGRATE_PFN_DEVICE	BIT(4)
#define MIGRATE_PFN_ERROR	BIT(5)

/**
 * struct migrate_vma_ops - the driver's part of migrate_vma()
 * @alloc_and_copy: For each word of @src with %MIGRATE_PFN_MIGRATE that the
 *	driver wants to move: allocate a page, lock it, copy to it (or clear it
 *	when the word is without %MIGRATE_PFN_VALID: nothing was there), and
 *	put migrate_pfn() of it, with %MIGRATE_PFN_LOCKED, into @dst. A word
 *	that is left 0 does not move. %MIGRATE_PFN_ERROR in @dst says that the
 *	content of the page, which is device memory, is lost: the process gets
 *	SIGBUS where it touches it.
 * @finalize_and_map: What moved still has %MIGRATE_PFN_MIGRATE in @src. The
 *	driver may set up its own page table; afterwards pages are unlocked.
 *
 * Both are called with the mmap lock held, once, for the whole range, and may
 * sleep.
 */
struct migrate_vma_ops {
	void (*alloc_and_copy)(struct vm_area_struct *vma,
			       const unsigned long *src, unsigned long *dst,
			       unsigned long start, unsigned long end,
			       void *private);
	void (*finalize_and_map)(struct vm_area_struct *vma,
				 const unsigned long *src,
				 const unsigned long *dst,
				 unsigned long start, unsigned long end,
				 void *private);
};

#if defined(CONFIG_HMM_COMPAT_2017) && defined(CONFIG_DEVICE_MIGRATION)
int migrate_vma(const struct migrate_vma_ops *ops, struct vm_area_struct *vma,
		unsigned long start, unsigned long end,
		unsigned long *src, unsigned long *dst, void *private);
#else
static inline int migrate_vma(const struct migrate_vma_ops *ops,
			      struct vm_area_struct *vma, unsigned long start,
			      unsigned long end, unsigned long *src,
			      unsigned long *dst, void *private)
{
	return -EINVAL;
}
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

/*
 * 2017: device memory at an address that nobody has.
 */

struct hmm2017_devmem;

/**
 * struct hmm2017_devmem_ops - what the driver of a device with memory does
 * @free: the last reference to a page went; must not sleep
 * @fault: the CPU touched a page; as &dev_pagemap2018.page_fault
 */
struct hmm2017_devmem_ops {
	void (*free)(struct hmm2017_devmem *devmem, struct page *page);
	int (*fault)(struct hmm2017_devmem *devmem, struct vm_area_struct *vma,
		     unsigned long addr, const struct page *page,
		     unsigned int flags, pmd_t *pmdp);
};

/**
 * struct hmm2017_devmem - device memory that was plugged in
 * @completion: @ref is dead and gone
 * @pfn_first: its first page frame number
 * @pfn_last: the one after its last
 * @resource: the addresses it was given
 * @device: whose it is
 * @pagemap: as it is known to the mm
 * @ops: the driver's callbacks
 * @ref: for @pagemap
 * @group: what is undone together, by hmm2017_devmem_remove() or with @device
 */
struct hmm2017_devmem {
	struct completion completion;
	unsigned long pfn_first;
	unsigned long pfn_last;
	struct resource *resource;
	struct device *device;
	struct dev_pagemap2018 pagemap;
	const struct hmm2017_devmem_ops *ops;
	struct percpu_ref ref;
	/* private: */
	void *group;
};

#if defined(CONFIG_HMM_COMPAT_2017) && defined(CONFIG_DEVICE_PRIVATE)
struct hmm2017_devmem *hmm2017_devmem_add(const struct hmm2017_devmem_ops *ops,
					  struct device *device,
					  unsigned long size);
void hmm2017_devmem_remove(struct hmm2017_devmem *devmem);
#else
static inline struct hmm2017_devmem *
hmm2017_devmem_add(const struct hmm2017_devmem_ops *ops, struct device *device,
		   unsigned long size)
{
	return ERR_PTR(-ENXIO);
}

static inline void hmm2017_devmem_remove(struct hmm2017_devmem *devmem) {}
#endif

/**
 * hmm_devmem_page_set_drvdata() - note a number of the driver's with a page
 * @page: a page of device memory that is in use
 * @data: the number
 */
static inline void hmm_devmem_page_set_drvdata(struct page *page,
					       unsigned long data)
{
	page->zone_device_data = (void *)data;
}

/**
 * hmm_devmem_page_get_drvdata() - the number noted with a page
 * @page: a page of device memory
 *
 * Return: what was given to hmm_devmem_page_set_drvdata().
 */
static inline unsigned long hmm_devmem_page_get_drvdata(const struct page *page)
{
	return (unsigned long)page->zone_device_data;
}

/* What 2019 adds. */
#include <linux/hmm_compat_2019.h>

/*
 * The old names, for who asked.
 */

#if HMM_API & HMM_API_2017
#define hmm_devmem		hmm2017_devmem
#define hmm_devmem_ops		hmm2017_devmem_ops
#define hmm_devmem_add		hmm2017_devmem_add
#define hmm_devmem_remove	hmm2017_devmem_remove
#endif

#if HMM_API & HMM_API_2019
#define hmm_mirror		hmm2019_mirror
#define hmm_mirror_ops		hmm2019_mirror_ops
#define hmm_range		hmm2019_range
#define hmm_range_fault		hmm2019_range_fault
#define HMM_PFN_ERROR		HMM2019_PFN_ERROR
#endif

#if (HMM_API & HMM_API_2017) && (HMM_API & HMM_API_2019)
#define HMM_PFN_VALID		say_HMM2017_PFN_VALID_or_HMM2019_PFN_VALID
#define HMM_PFN_WRITE		say_HMM2017_PFN_WRITE_or_HMM2019_PFN_WRITE
#elif HMM_API & HMM_API_2017
#define HMM_PFN_VALID		HMM2017_PFN_VALID
#define HMM_PFN_WRITE		HMM2017_PFN_WRITE
#elif HMM_API & HMM_API_2019
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
#if HMM_API & (HMM_API_2017 | HMM_API_MEMREMAP)
#define get_page		get_page2018
#endif

#endif /* _LINUX_HMM_COMPAT_H */
