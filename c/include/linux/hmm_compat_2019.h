/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HMM's interface of 2019. Drivers include <linux/hmm_compat.h>, which gives the
 * names without a year to those that select this API year.
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
 * enum hmm_pfn_flag_e - indices of &hmm2019_range.flags
 * @HMM2019_PFN_VALID: there is a page, and it can be read at least
 * @HMM2019_PFN_WRITE: the page can be written
 * @HMM_PFN_DEVICE_PRIVATE: the page is device-private memory
 * @HMM_PFN_FLAG_MAX: number of flags
 */
enum hmm_pfn_flag_e {
	HMM2019_PFN_VALID,
	HMM2019_PFN_WRITE,
	HMM_PFN_DEVICE_PRIVATE,
	HMM_PFN_FLAG_MAX,
};

/**
 * enum hmm_pfn_value_e - indices of &hmm2019_range.values
 * @HMM2019_PFN_ERROR: the memory is poisoned, or no page can be mapped
 * @HMM_PFN_NONE: nothing is mapped
 * @HMM_PFN_SPECIAL: what is mapped must not be mirrored: the result of
 *	vmf_insert_pfn() or vm_insert_page()
 * @HMM_PFN_VALUE_MAX: number of values
 */
enum hmm_pfn_value_e {
	HMM2019_PFN_ERROR,
	HMM_PFN_NONE,
	HMM_PFN_SPECIAL,
	HMM_PFN_VALUE_MAX,
};

struct hmm2019_mirror;

/* Invalidations under way whose addresses are recorded. */
#define HMM_PROCESS_ACTIVE 8

/**
 * struct hmm - the state of a process, shared by its mirrors
 * @mmu_notifier: its mm is the process's address space
 * @ranges_lock: protects all but @mirrors and the private list members
 * @notifiers: number of invalidations under way
 * @ranges: every &struct hmm2019_range of the process
 * @mirrors_sem: protects @mirrors
 * @mirrors: every &struct hmm2019_mirror of the process
 * @wq: woken when an invalidation ends
 */
struct hmm {
	struct mmu_notifier mmu_notifier;
	spinlock_t ranges_lock; /* protects ranges and invalidations */
	long notifiers;
	struct list_head ranges;
	struct rw_semaphore mirrors_sem;
	struct list_head mirrors;
	wait_queue_head_t wq;
	/* private: */
	/* The addresses of nr_active invalidations; the others are not recorded. */
	struct {
		unsigned long start, end;
	} active[HMM_PROCESS_ACTIVE];
	int nr_active;
	struct list_head node;	/* in the list of all processes */
	bool pinned;		/* the address space holds a reference */
	bool ended;		/* the address space has ended */
	bool reaping;		/* the OOM reaper empties it */
};

/**
 * struct hmm2019_mirror_ops - a driver's callbacks for a process
 */
struct hmm2019_mirror_ops {
	/**
	 * @release: The address space ends. Stop every access of the device to
	 * pages that were obtained through this mirror; later ones must fault.
	 * May sleep; must not unregister the mirror. Optional: without it
	 * @sync_cpu_device_pagetables is called for all addresses.
	 */
	void (*release)(struct hmm2019_mirror *mirror);
	/**
	 * @sync_cpu_device_pagetables: Remove the addresses in @update from the
	 * device's page table, flush its TLB, and return 0 once the device does
	 * not access them any more; or -%EAGAIN if that would block and
	 * mmu_notifier_range_blockable() of @update is false.
	 */
	int (*sync_cpu_device_pagetables)(struct hmm2019_mirror *mirror,
					  const struct mmu_notifier_range *update);
};

/**
 * struct hmm2019_mirror - one driver's mirror of a process
 * @hmm: the state of the process
 * @ops: set by the driver before hmm_mirror_register()
 * @list: in the list of &struct hmm
 */
struct hmm2019_mirror {
	struct hmm *hmm;
	const struct hmm2019_mirror_ops *ops;
	struct list_head list;
	/* private: */
	/* Calls ops for invalidations that must not block. */
	struct mmu_interval_notifier notifier;
};

/**
 * struct hmm2019_range - addresses whose pages are reported to a driver
 * @notifier: an interval notifier that covers the addresses, for a range that is
 *	not registered with a mirror; otherwise NULL
 * @notifier_seq: the result of mmu_interval_read_begin() for @notifier
 * @hmm: set by hmm_range_register()
 * @list: in the list of &struct hmm
 * @start: first address, in bytes, page aligned
 * @end: address after the last, in bytes, page aligned
 * @pfns: one entry for each page, in the driver's format
 * @flags: the bits of an entry for each &enum hmm_pfn_flag_e
 * @values: the entry for each &enum hmm_pfn_value_e
 * @default_flags: what is requested of every page, in bits of @flags
 * @pfn_flags_mask: which bits of a page's own entry are a request
 * @pfn_shift: shift of the pfn in an entry
 * @valid: no invalidation has overlapped the range since it became valid
 *
 * The driver sets @start to @pfn_shift, or @notifier as well.
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
	/* Its sequence changes when the range becomes invalid. Never inserted. */
	struct mmu_interval_notifier sequence;
	/* The lowest address that was invalidated since a walk last took note. */
	unsigned long touched;
};

/**
 * hmm_device_entry_to_pfn() - the pfn in an entry
 * @range: gives the format of entries
 * @entry: an entry
 *
 * Return: the pfn; -1UL if the entry is not valid.
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
 * hmm_device_entry_to_page() - the page in an entry
 * @range: gives the format of entries
 * @entry: an entry
 *
 * Return: the page, without a reference; NULL if the entry is not valid.
 */
static inline struct page *
hmm_device_entry_to_page(const struct hmm2019_range *range, u64 entry)
{
	unsigned long pfn = hmm_device_entry_to_pfn(range, entry);

	return pfn == -1UL ? NULL : pfn_to_page(pfn);
}

/**
 * hmm_device_entry_from_pfn() - the entry for a pfn
 * @range: gives the format of entries
 * @pfn: the pfn
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
 * @range: gives the format of entries
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

/*
 * Let a fault handler drop the mmap lock, and return -EAGAIN then. It is an
 * unsigned long, so that __hmm2019_fault_flags() can distinguish it from true.
 */
#define HMM_FAULT_ALLOW_RETRY	BIT(0)
/* Report the pages as they are, without faulting any in. */
#define HMM_FAULT_SNAPSHOT	BIT(1)

/*
 * Until Linux 5.3 the last argument was "bool block". As flags, true would be
 * HMM_FAULT_ALLOW_RETRY: the mmap lock would be dropped under a caller that
 * relies on it. So neither a bool nor the int 1 compiles.
 */
#define __hmm2019_fault_flags(flags) ({					\
	static_assert(!__same_type((flags), bool) &&			\
		      !(__same_type((flags), int) &&			\
			__builtin_choose_expr(__is_constexpr(flags), (flags), 0) == 1), \
		      "the argument is flags, not the bool block of Linux 5.3"); \
	(unsigned int)(flags);						\
})

long __hmm2019_range_fault(struct hmm2019_range *range, unsigned int flags);
long __hmm_range_dma_map(struct hmm2019_range *range, struct device *device,
			 dma_addr_t *daddrs, unsigned int flags);
#define hmm2019_range_fault(range, flags) \
	__hmm2019_range_fault(range, __hmm2019_fault_flags(flags))
#define hmm_range_dma_map(range, device, daddrs, flags) \
	__hmm_range_dma_map(range, device, daddrs, __hmm2019_fault_flags(flags))
long hmm_range_dma_unmap(struct hmm2019_range *range, struct device *device,
			 dma_addr_t *daddrs, bool dirty);
#endif /* CONFIG_HMM_COMPAT_2019 */

#endif /* CONFIG_HMM_MIRROR */

#endif /* _LINUX_HMM_COMPAT_2019_H */
