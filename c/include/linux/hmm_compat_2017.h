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
 * hmm_pfn_t
 */

/**
 * typedef hmm_pfn_t - a pfn with flags
 *
 * %HMM2017_PFN_VALID: there is a page; %HMM2017_PFN_WRITE: it can be written. The
 * pfn is shifted by %HMM_PFN_SHIFT.
 */
typedef ulong hmm_pfn_t;

#define HMM2017_PFN_VALID	BIT(0)
#define HMM2017_PFN_WRITE	BIT(1)
#define HMM_PFN_SHIFT		2

/**
 * hmm_pfn_t_to_pfn() - the pfn in an hmm_pfn_t
 * @pfn: the hmm_pfn_t
 *
 * Return: the pfn; -1UL without %HMM2017_PFN_VALID.
 */
static inline unsigned long hmm_pfn_t_to_pfn(hmm_pfn_t pfn)
{
	return pfn & HMM2017_PFN_VALID ? pfn >> HMM_PFN_SHIFT : -1UL;
}

/**
 * hmm_pfn_t_to_page() - the page in an hmm_pfn_t
 * @pfn: the hmm_pfn_t
 *
 * Return: the page, without a reference; %NULL without %HMM2017_PFN_VALID.
 */
static inline struct page *hmm_pfn_t_to_page(hmm_pfn_t pfn)
{
	return pfn & HMM2017_PFN_VALID ? pfn_to_page(hmm_pfn_t_to_pfn(pfn)) : NULL;
}

/**
 * hmm_pfn_t_from_pfn() - the hmm_pfn_t for a pfn
 * @pfn: the pfn
 *
 * Return: the hmm_pfn_t, valid and not writable.
 */
static inline hmm_pfn_t hmm_pfn_t_from_pfn(unsigned long pfn)
{
	return pfn << HMM_PFN_SHIFT | HMM2017_PFN_VALID;
}

/**
 * hmm_pfn_t_from_page() - the hmm_pfn_t for a page
 * @page: the page
 *
 * Return: the hmm_pfn_t, valid and not writable.
 */
static inline hmm_pfn_t hmm_pfn_t_from_page(struct page *page)
{
	return hmm_pfn_t_from_pfn(page_to_pfn(page));
}

/*
 * HMM state of an address space
 */

#ifdef CONFIG_HMM_COMPAT_2017
/**
 * hmm_mm_init() - initialize the HMM state of a new address space
 * @mm: the address space
 *
 * Only warns if @mm is not new: the state is allocated with the first mirror. Not
 * for drivers.
 */
static inline void hmm_mm_init(struct mm_struct *mm)
{
	WARN_ON(mm_has_notifiers(mm));
}

void hmm_mm_destroy(struct mm_struct *mm);
#else
static inline void hmm_mm_init(struct mm_struct *mm) {}
static inline void hmm_mm_destroy(struct mm_struct *mm) {}
#endif /* CONFIG_HMM_COMPAT_2017 */

/*
 * Migration in one call
 */

/* In src: the page is locked, is device-private memory. In dst: likewise; lost. */
#define MIGRATE_PFN_LOCKED	BIT(2)
#define MIGRATE_PFN_DEVICE	BIT(4)
#define MIGRATE_PFN_ERROR	BIT(5)

/**
 * struct migrate_vma_ops - the driver's part of migrate_vma()
 * @alloc_and_copy: For each mpfn of @src with %MIGRATE_PFN_MIGRATE that is to be
 *	migrated: allocate a page, lock it, copy to it, and set @dst to its
 *	migrate_pfn() with %MIGRATE_PFN_LOCKED. Without %MIGRATE_PFN_VALID nothing
 *	is mapped, and the page is cleared instead. With %MIGRATE_PFN_DEVICE the
 *	page is device-private memory, which the CPU cannot access. A page whose
 *	@dst stays 0 is not migrated. %MIGRATE_PFN_ERROR in @dst: the content of
 *	the device-private page is lost, and the process gets SIGBUS when it
 *	accesses it.
 * @finalize_and_map: Mpfns of @src that still have %MIGRATE_PFN_MIGRATE have been
 *	migrated. Update the device's page table; the pages are unlocked
 *	afterwards.
 *
 * Both are called once for the whole range, with the mmap lock held, and may
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
 * Device memory at unused physical addresses
 */

struct hmm2017_devmem;

/**
 * struct hmm2017_devmem_ops - the driver's callbacks for device memory
 * @free: the last reference to a page is dropped; must not sleep
 * @fault: as &dev_pagemap2018.page_fault
 */
struct hmm2017_devmem_ops {
	void (*free)(struct hmm2017_devmem *devmem, struct page *page);
	int (*fault)(struct hmm2017_devmem *devmem, struct vm_area_struct *vma,
		     unsigned long addr, const struct page *page,
		     unsigned int flags, pmd_t *pmdp);
};

/**
 * struct hmm2017_devmem - device memory
 * @completion: completed when @ref is zero
 * @pfn_first: the first pfn
 * @pfn_last: the pfn after the last
 * @resource: the physical addresses
 * @device: the device
 * @pagemap: the struct pages
 * @ops: the driver's callbacks
 * @ref: reference count of @pagemap
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
	void *group;	/* of devres, which hmm2017_devmem_remove() releases */
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
 * hmm_devmem_page_set_drvdata() - store driver data in a page
 * @page: a page of device memory
 * @data: the data
 */
static inline void hmm_devmem_page_set_drvdata(struct page *page,
					       unsigned long data)
{
	page->zone_device_data = (void *)data;
}

/**
 * hmm_devmem_page_get_drvdata() - the driver data of a page
 * @page: a page of device memory
 *
 * Return: what hmm_devmem_page_set_drvdata() stored.
 */
static inline unsigned long hmm_devmem_page_get_drvdata(const struct page *page)
{
	return (unsigned long)page->zone_device_data;
}

#endif /* _LINUX_HMM_COMPAT_2017_H */
