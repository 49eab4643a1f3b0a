/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HMM's interface of 2017. Drivers include <linux/hmm_compat.h>, which gives
 * the names without a year to those that select this API year.
 */
#ifndef _LINUX_HMM_COMPAT_2017_H
#define _LINUX_HMM_COMPAT_2017_H

#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/hmm_compat_memremap.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>

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

#endif /* _LINUX_HMM_COMPAT_2017_H */
