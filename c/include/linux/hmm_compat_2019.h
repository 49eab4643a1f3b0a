/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HMM as it was in 2019. For drivers by way of <linux/hmm_compat.h>, which gives
 * the names without a year to those that ask.
 */
#ifndef _LINUX_HMM_COMPAT_2019_H
#define _LINUX_HMM_COMPAT_2019_H

#ifdef CONFIG_HMM_MIRROR

#include <linux/bits.h>
#include <linux/dma-mapping.h>
#include <linux/hmm.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

/**
 * enum hmm_pfn_flag_e - places in &hmm2019_range.flags
 * @HMM2019_PFN_VALID: there is a page, and it can be read at least
 * @HMM2019_PFN_WRITE: it can be written
 * @HMM_PFN_DEVICE_PRIVATE: it is private memory of a device
 * @HMM_PFN_FLAG_MAX: how many there are
 */
enum hmm_pfn_flag_e {
	HMM2019_PFN_VALID,
	HMM2019_PFN_WRITE,
	HMM_PFN_DEVICE_PRIVATE,
	HMM_PFN_FLAG_MAX,
};

/**
 * enum hmm_pfn_value_e - places in &hmm2019_range.values
 * @HMM2019_PFN_ERROR: no page can be had
 * @HMM_PFN_NONE: none is there now
 * @HMM_PFN_SPECIAL: what is there has no &struct page
 * @HMM_PFN_VALUE_MAX: how many there are
 */
enum hmm_pfn_value_e {
	HMM2019_PFN_ERROR,
	HMM_PFN_NONE,
	HMM_PFN_SPECIAL,
	HMM_PFN_VALUE_MAX,
};

struct hmm2019_mirror;

/**
 * struct hmm - what a process has of HMM; one for all its mirrors
 * @mmu_notifier: tells when invalidations begin and end, and of the end of the
 *	address space, &mmu_notifier.mm
 * @ranges_lock: guards @notifiers and @ranges
 * @notifiers: how many invalidations are under way
 * @ranges: every &struct hmm2019_range, and its ``valid``
 * @mirrors_sem: guards @mirrors
 * @mirrors: every &struct hmm2019_mirror
 * @wq: whoever waits for @notifiers to become 0
 * @node: in the list of all
 * @pinned: the address space holds it, until its end
 * @ended: the address space is gone
 */
struct hmm {
	struct mmu_notifier mmu_notifier;
	spinlock_t ranges_lock; /* guards notifiers and ranges */
	long notifiers;
	struct list_head ranges;
	struct rw_semaphore mirrors_sem;
	struct list_head mirrors;
	wait_queue_head_t wq;
	/* private: */
	struct list_head node;
	bool pinned;
	bool ended;
};

/**
 * struct hmm2019_mirror_ops - what a driver does when the CPU's side changes
 */
struct hmm2019_mirror_ops {
	/**
	 * @release: The address space is going away. Halt all use of its pages,
	 * for good. May sleep; must not unregister the mirror. Optional; a
	 * mirror without it is told to forget everything by the other callback.
	 */
	void (*release)(struct hmm2019_mirror *mirror);
	/**
	 * @sync_cpu_device_pagetables: Make the device reach nothing in
	 * @update, and return 0 when that is done; or -%EAGAIN, where one may
	 * not block (mmu_notifier_range_blockable()) and would have to.
	 */
	int (*sync_cpu_device_pagetables)(struct hmm2019_mirror *mirror,
					  const struct mmu_notifier_range *update);
};

/**
 * struct hmm2019_mirror - a process as one driver sees it
 * @hmm: what all mirrors of the process share
 * @ops: set by the driver before hmm_mirror_register()
 * @list: in @hmm
 * @notifier: tells when to synchronise
 */
struct hmm2019_mirror {
	struct hmm *hmm;
	const struct hmm2019_mirror_ops *ops;
	struct list_head list;
	/* private: */
	struct mmu_interval_notifier notifier;
};

/**
 * struct hmm2019_range - addresses whose pages a driver wants, in its format
 * @notifier: a subscription that covers the addresses, for a range without a
 *	mirror; else NULL
 * @notifier_seq: what mmu_interval_read_begin() returned for @notifier
 * @hmm: set by hmm_range_register()
 * @list: in @hmm
 * @start: first address, in bytes, page aligned
 * @end: address after the last, in bytes, page aligned
 * @pfns: one of the driver's entries a page
 * @flags: the bits that mean each of &enum hmm_pfn_flag_e to the device
 * @values: the entries that mean each of &enum hmm_pfn_value_e to the device
 * @default_flags: what is asked of every page, in bits of @flags
 * @pfn_flags_mask: which bits of a page's own entry ask for something
 * @pfn_shift: where the page frame number begins in an entry
 * @valid: nothing has changed since hmm_range_wait_until_valid()
 * @mirror: set by hmm_range_register()
 *
 * The driver fills in @start to @pfn_shift, or @notifier as well.
 */
struct hmm2019_range {
	struct mmu_interval_notifier *notifier;
	unsigned long notifier_seq;
	struct hmm *hmm;
	struct list_head list;
	unsigned long start;
	unsigned long end;
	u64 *pfns;
	const u64 *flags;
	const u64 *values;
	u64 default_flags;
	u64 pfn_flags_mask;
	u8 pfn_shift;
	bool valid;
	/* private: */
	struct hmm2019_mirror *mirror;
};

/**
 * hmm_device_entry_to_pfn() - the page frame number in an entry
 * @range: says what entries look like
 * @entry: an entry
 *
 * Return: the number; -1UL for an entry that stands for no page.
 */
static inline unsigned long
hmm_device_entry_to_pfn(const struct hmm2019_range *range, u64 entry)
{
	int i;

	for (i = 0; i < HMM_PFN_VALUE_MAX; i++)
		if (entry == range->values[i])
			return -1UL;
	if (!(entry & range->flags[HMM2019_PFN_VALID]))
		return -1UL;
	return entry >> range->pfn_shift;
}

/**
 * hmm_device_entry_to_page() - the page that an entry tells of
 * @range: says what entries look like
 * @entry: an entry
 *
 * Return: the page; NULL for an entry that stands for none. No reference is
 * taken.
 */
static inline struct page *
hmm_device_entry_to_page(const struct hmm2019_range *range, u64 entry)
{
	unsigned long pfn = hmm_device_entry_to_pfn(range, entry);

	return pfn == -1UL ? NULL : pfn_to_page(pfn);
}

/**
 * hmm_device_entry_from_pfn() - the entry for a page frame number
 * @range: says what entries look like
 * @pfn: the number
 *
 * Return: the entry, valid and not writable.
 */
static inline u64
hmm_device_entry_from_pfn(const struct hmm2019_range *range, unsigned long pfn)
{
	return (u64)pfn << range->pfn_shift | range->flags[HMM2019_PFN_VALID];
}

/**
 * hmm_device_entry_from_page() - the entry for a page
 * @range: says what entries look like
 * @page: the page
 *
 * Return: the entry, valid and not writable.
 */
static inline u64
hmm_device_entry_from_page(const struct hmm2019_range *range, struct page *page)
{
	return hmm_device_entry_from_pfn(range, page_to_pfn(page));
}

#ifdef CONFIG_HMM_COMPAT_2019
int hmm_mirror_register(struct hmm2019_mirror *mirror, struct mm_struct *mm);
void hmm_mirror_unregister(struct hmm2019_mirror *mirror);

int hmm_range_register(struct hmm2019_range *range,
		       struct hmm2019_mirror *mirror);
void hmm_range_unregister(struct hmm2019_range *range);
bool hmm_range_wait_until_valid(struct hmm2019_range *range,
				unsigned long timeout);
bool hmm_range_valid(struct hmm2019_range *range);

/* A fault handler may drop the mmap lock: -EAGAIN, with the lock gone. */
#define HMM_FAULT_ALLOW_RETRY	BIT(0)
/* Report what is there, whatever is asked for. */
#define HMM_FAULT_SNAPSHOT	BIT(1)

long hmm2019_range_fault(struct hmm2019_range *range, unsigned int flags);
long hmm_range_dma_map(struct hmm2019_range *range, struct device *device,
		       dma_addr_t *daddrs, unsigned int flags);
long hmm_range_dma_unmap(struct hmm2019_range *range, struct device *device,
			 dma_addr_t *daddrs, bool dirty);
#endif /* CONFIG_HMM_COMPAT_2019 */

#endif /* CONFIG_HMM_MIRROR */

#endif /* _LINUX_HMM_COMPAT_2019_H */
