// SPDX-License-Identifier: GPL-2.0
/*
 * The memremap.h of Linux 5.0, over today's. What has changed since then, and is
 * emulated here:
 *
 * - Device memory had no owner. All memory registered here has one owner, so that
 *   drivers find each other's pages.
 * - A driver's page_fault() migrates the page by its address and does not pass
 *   on that the fault handler has it locked. The task's faults are recorded.
 * - A free page had one reference; get_page() allocated it.
 * - The last reference to a page called page_free() for every type. Today
 *   MEMORY_DEVICE_FS_DAX only wakes up waiters.
 */
#include <linux/device.h>
#include <linux/hashtable.h>
#include <linux/rmap.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/wait_bit.h>
#include <linux/xarray.h>

#include "../internal.h"
#include "compat-kernel.h"
#include "compat.h"
#include "devmem.h"

int hmm_compat_owner;

/**
 * struct hmm_compat_fault - a CPU fault for which a page_fault() runs
 * @node: in the hash table
 * @task: the task that faulted
 * @page: the page, which the fault handler has locked
 */
struct hmm_compat_fault {
	struct hlist_node node;
	struct task_struct *task;
	struct page *page;
};

static DEFINE_HASHTABLE(hmm_faults, 6);
static DEFINE_SPINLOCK(hmm_faults_lock);

/**
 * hmm_compat_fault_page() - the page for whose CPU fault the current task runs
 *	a page_fault()
 *
 * Return: the page; NULL outside of page_fault callbacks.
 */
struct page *hmm_compat_fault_page(void)
{
	struct hmm_compat_fault *fault;
	struct page *page = NULL;

	spin_lock(&hmm_faults_lock);
	/* The latest is first: a callback can fault as well. */
	hash_for_each_possible(hmm_faults, fault, node, (unsigned long)current) {
		if (fault->task != current)
			continue;
		page = fault->page;
		break;
	}
	spin_unlock(&hmm_faults_lock);
	return page;
}

/* Whether a PTE is the device-private entry of a page. */
static bool hmm_compat_pte_maps_private(pte_t pte, const struct page *page)
{
	softleaf_t entry;

	if (pte_none(pte) || pte_present(pte))
		return false;
	entry = softleaf_from_pte(pte);
	return softleaf_is_device_private(entry) && softleaf_to_page(entry) == page;
}

/**
 * hmm_compat_poison() - replace a device-private entry by a poison marker
 * @vma: the VMA
 * @addr: the address, page aligned
 * @page: the device-private page; nothing happens if it is not mapped there
 *
 * Context: holds the mmap lock. May sleep.
 */
void hmm_compat_poison(struct vm_area_struct *vma, unsigned long addr,
		       struct page *page)
{
	struct mm_struct *mm = vma->vm_mm;
	struct mmu_notifier_range range;
	pmd_t *pmd = mm_find_pmd(mm, addr);
	bool poisoned = false;
	spinlock_t *ptl;	/* of @ptep */
	pte_t *ptep;

	if (!pmd)
		return;
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, mm, addr,
				addr + PAGE_SIZE);
	mmu_notifier_invalidate_range_start(&range);
	ptep = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (ptep) {
		poisoned = hmm_compat_pte_maps_private(ptep_get(ptep), page);
		if (poisoned) {
			set_pte_at(mm, addr, ptep, make_pte_marker(PTE_MARKER_POISONED));
			folio_remove_rmap_pte(page_folio(page), page, vma);
			dec_mm_counter(mm, mm_counter(page_folio(page)));
		}
		pte_unmap_unlock(ptep, ptl);
	}
	mmu_notifier_invalidate_range_end(&range);
	if (poisoned)
		put_page(page);
}

/* Have the driver handle a CPU fault. The mmap lock is held and the page locked. */
static vm_fault_t hmm_pagemap2018_fault(struct vm_fault *vmf)
{
	struct dev_pagemap2018 *pgmap = page_dev_pagemap2018(vmf->page);
	struct hmm_compat_fault fault = {
		.task = current,
		.page = vmf->page,
	};
	vm_fault_t ret;

	spin_lock(&hmm_faults_lock);
	hash_add(hmm_faults, &fault.node, (unsigned long)current);
	spin_unlock(&hmm_faults_lock);
	ret = (__force vm_fault_t)pgmap->page_fault(vmf->vma, vmf->address, vmf->page,
						    vmf->flags, vmf->pmd);
	spin_lock(&hmm_faults_lock);
	hash_del(&fault.node);
	spin_unlock(&hmm_faults_lock);

	if (ret & VM_FAULT_SIGBUS)
		hmm_compat_poison(vmf->vma, vmf->address & PAGE_MASK, vmf->page);
	return ret;
}

/*
 * Report to the driver that a page is free. The caller has dropped the last reference.
 */
static void hmm_pagemap2018_free(struct folio *folio)
{
	struct dev_pagemap2018 *pgmap = page_dev_pagemap2018(&folio->page);

	pgmap->page_free(&folio->page, pgmap->data);
}

static const struct dev_pagemap_ops hmm_pagemap2018_ops = {
	.folio_free	= hmm_pagemap2018_free,
	.migrate_to_ram	= hmm_pagemap2018_fault,
};

/**
 * struct hmm_pagemap2018_idle - calls page_free() for pages of MEMORY_DEVICE_FS_DAX
 * @entry: in @head; its private member is the &struct dev_pagemap2018
 * @head: the queue that is woken for some of the pages
 *
 * The kernel wakes up waiters for such a page where it calls folio_free for other
 * types. It has 256 queues, so at most as many of these serve all pages.
 */
struct hmm_pagemap2018_idle {
	struct wait_queue_entry entry;
	struct wait_queue_head *head;
};

/* Wait queue callback: call page_free() for a page of this memory that is not in use. */
static int hmm_pagemap2018_page_idle(struct wait_queue_entry *entry, unsigned int mode,
				     int sync, void *arg)
{
	struct dev_pagemap2018 *pgmap = entry->private;
	const struct wait_bit_key *key = arg;
	struct page *page = (void *)key->flags;

	if (key->bit_nr == -1 && page >= phys_to_page(pgmap->res.start) &&
	    page <= phys_to_page(pgmap->res.end) && !page_ref_count(page))
		pgmap->page_free(page, pgmap->data);
	return 0;
}

/* Remove all entries of hmm_pagemap2018_watch() from their wait queues. */
static void hmm_pagemap2018_unwatch(struct dev_pagemap2018 *pgmap)
{
	struct hmm_pagemap2018_idle *idle;
	unsigned long index;

	xa_for_each(&pgmap->idle, index, idle) {
		remove_wait_queue(idle->head, &idle->entry);
		kfree(idle);
	}
	xa_destroy(&pgmap->idle);
}

/* Add an entry to the wait queue of a page, one for each queue. May sleep. */
static int hmm_pagemap2018_watch_page(struct dev_pagemap2018 *pgmap, struct page *page)
{
	struct wait_queue_head *head = __var_waitqueue(page);
	/* An index of an xarray must fit one bit less than a pointer. */
	unsigned long index = (unsigned long)head / sizeof(*head);
	struct hmm_pagemap2018_idle *idle;
	int ret;

	if (xa_load(&pgmap->idle, index))
		return 0;
	idle = kzalloc_obj(*idle);
	if (!idle)
		return -ENOMEM;
	ret = xa_insert(&pgmap->idle, index, idle, GFP_KERNEL);
	if (ret) {
		kfree(idle);
		return ret;
	}
	idle->head = head;
	init_waitqueue_func_entry(&idle->entry, hmm_pagemap2018_page_idle);
	idle->entry.private = pgmap;
	add_wait_queue(head, &idle->entry);
	return 0;
}

/* Have page_free() called for pages of MEMORY_DEVICE_FS_DAX. */
static int hmm_pagemap2018_watch(struct dev_pagemap2018 *pgmap)
{
	unsigned long pfn;
	int ret = 0;

	if (pgmap->type != MEMORY_DEVICE_FS_DAX || !pgmap->page_free)
		return 0;
	for (pfn = PHYS_PFN(pgmap->res.start); !ret && pfn <= PHYS_PFN(pgmap->res.end); pfn++) {
		ret = hmm_pagemap2018_watch_page(pgmap, pfn_to_page(pfn));
		cond_resched();
	}
	if (ret)
		hmm_pagemap2018_unwatch(pgmap);
	return ret;
}

/* Remove the struct pages. Sleeps until no page is in use. */
static void hmm_pagemap2018_unmap(struct dev_pagemap2018 *pgmap)
{
	memunmap_pages(&pgmap->core);
	hmm_pagemap2018_unwatch(pgmap);
	/* Struct pages that were allocated from the memory itself are free again. */
	pgmap->altmap.alloc = pgmap->core.altmap.alloc;
}

/* devres action: end the driver's reference, and remove the memory. Sleeps. */
static void hmm_pagemap2018_release(void *data)
{
	struct dev_pagemap2018 *pgmap = data;

	pgmap->kill(pgmap->ref);
	/* It waits for the pages in use, for which the reference stands. */
	hmm_pagemap2018_unmap(pgmap);
	percpu_ref_put(pgmap->ref);
}

/* Whether a driver has set what its type of memory needs. */
static bool hmm_pagemap2018_is_complete(const struct dev_pagemap2018 *pgmap)
{
	switch ((int)pgmap->type) {
	case MEMORY_DEVICE_PRIVATE:
		return IS_ENABLED(CONFIG_DEVICE_PRIVATE) && pgmap->page_fault &&
		       pgmap->page_free;
	case MEMORY_DEVICE_PUBLIC:
		return pgmap->page_free;
	case 0:
	case MEMORY_DEVICE_FS_DAX:
		return true;
	default:
		return false;
	}
}

/*
 * As Linux 5.0 refused addresses: of system memory, or of a mapping, which may be
 * that of @pgmap itself.
 */
static int hmm_pagemap2018_check_addresses(const struct dev_pagemap2018 *pgmap)
{
	const struct range range = { .start = pgmap->res.start, .end = pgmap->res.end };

	if (region_intersects(range.start, range_len(&range), IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return -ENXIO;
	return hmm_devmem_range_busy(&range) ? -ENOMEM : 0;
}

/* Set up a pagemap of today from what the driver has set. */
static void hmm_pagemap2018_fill_core(struct dev_pagemap2018 *pgmap)
{
	struct dev_pagemap *core = &pgmap->core;
	const struct vmem_altmap altmap = {
		.base_pfn = pgmap->altmap.base_pfn,
		.end_pfn = PHYS_PFN(pgmap->res.end),
		.reserve = pgmap->altmap.reserve,
		.free = pgmap->altmap.free,
		.align = pgmap->altmap.align,
		.alloc = pgmap->altmap.alloc,
	};

	memset(core, 0, sizeof(*core));
	/* Without a type, as device-dax had none: memory like any other. */
	core->type = pgmap->type ?: MEMORY_DEVICE_GENERIC;
	core->range.start = pgmap->res.start;
	core->range.end = pgmap->res.end;
	core->nr_range = 1;
	core->ops = &hmm_pagemap2018_ops;
	core->owner = &hmm_compat_owner;
	if (pgmap->altmap_valid) {
		core->flags = PGMAP_ALTMAP_VALID;
		memcpy(&core->altmap, &altmap, sizeof(altmap));
	}
}

/* Create the struct pages. May sleep. Return the mapping or an error pointer. */
static void *hmm_pagemap2018_map(struct dev_pagemap2018 *pgmap)
{
	void *addr;
	int ret;

	if (!hmm_pagemap2018_is_complete(pgmap))
		return ERR_PTR(-EINVAL);
	ret = hmm_pagemap2018_check_addresses(pgmap);
	if (ret)
		return ERR_PTR(ret);
	hmm_pagemap2018_fill_core(pgmap);
	xa_init(&pgmap->idle);
	addr = memremap_pages(&pgmap->core, dev_to_node(pgmap->dev));
	if (IS_ERR(addr))
		return addr;
	pgmap->altmap.alloc = pgmap->core.altmap.alloc;
	ret = hmm_pagemap2018_watch(pgmap);
	if (!ret)
		return addr;
	hmm_pagemap2018_unmap(pgmap);
	return ERR_PTR(ret);
}

/**
 * devm_memremap_pages2018() - create struct pages for device memory
 * @dev: the device; the struct pages are removed with it
 * @pgmap: describes the memory; must not move
 *
 * The mapping holds a reference of &dev_pagemap2018.ref, for its pages, until all
 * of them are free. The end of the device, or devm_memunmap_pages2018(), kills the
 * reference count and waits for that. A failure kills it too.
 *
 * Context: Process context; may sleep.
 * Return: the kernel's address of the memory, which must not be accessed for
 * device-private memory; or an error pointer: -%EINVAL if a member is missing
 * that the type needs, -%ENXIO for addresses of system memory, -%ENOMEM also if
 * something else is mapped there, or an error of memremap_pages().
 */
void *devm_memremap_pages2018(struct device *dev, struct dev_pagemap2018 *pgmap)
{
	void *addr;
	int ret;

	if (!pgmap->ref || !pgmap->kill)
		return ERR_PTR(-EINVAL);
	pgmap->dev = dev;
	addr = hmm_pagemap2018_map(pgmap);
	if (IS_ERR(addr)) {
		pgmap->kill(pgmap->ref);
		return addr;
	}
	percpu_ref_get(pgmap->ref);
	ret = devm_add_action_or_reset(dev, hmm_pagemap2018_release, pgmap);
	return ret ? ERR_PTR(ret) : addr;
}
EXPORT_SYMBOL_GPL(devm_memremap_pages2018);

/**
 * devm_memunmap_pages2018() - remove the struct pages before the device's end
 * @dev: the device
 * @pgmap: as it was given to devm_memremap_pages2018()
 *
 * Context: Process context; sleeps until all pages are free.
 */
void devm_memunmap_pages2018(struct device *dev, struct dev_pagemap2018 *pgmap)
{
	devm_release_action(dev, hmm_pagemap2018_release, pgmap);
}
EXPORT_SYMBOL_GPL(devm_memunmap_pages2018);

/**
 * get_dev_pagemap2018() - look up the device memory that a pfn belongs to
 * @pfn: the pfn
 * @pgmap: the result of the last call, or %NULL
 *
 * If @pfn belongs to @pgmap, returns it with the reference that it came with;
 * otherwise drops that reference.
 *
 * Context: any.
 * Return: the device memory, with a reference of &dev_pagemap2018.ref for
 * put_dev_pagemap2018(); %NULL if there is none, it was not registered by
 * devm_memremap_pages2018(), or was killed.
 */
struct dev_pagemap2018 *get_dev_pagemap2018(unsigned long pfn,
					    struct dev_pagemap2018 *pgmap)
{
	phys_addr_t phys = PFN_PHYS(pfn);
	struct dev_pagemap *core;

	if (pgmap && phys >= pgmap->res.start && phys <= pgmap->res.end)
		return pgmap;
	put_dev_pagemap2018(pgmap);

	core = get_dev_pagemap(pfn);
	if (!core)
		return NULL;
	if (core->ops == &hmm_pagemap2018_ops) {
		pgmap = container_of(core, struct dev_pagemap2018, core);
		if (percpu_ref_tryget_live(pgmap->ref))
			return pgmap;
	}
	put_dev_pagemap(core);
	return NULL;
}
EXPORT_SYMBOL_GPL(get_dev_pagemap2018);

/**
 * put_dev_pagemap2018() - drop the reference of get_dev_pagemap2018()
 * @pgmap: the device memory, or %NULL
 */
void put_dev_pagemap2018(struct dev_pagemap2018 *pgmap)
{
	if (!pgmap)
		return;
	percpu_ref_put(pgmap->ref);
	/* Last: this keeps @pgmap from being freed. */
	put_dev_pagemap(&pgmap->core);
}
EXPORT_SYMBOL_GPL(put_dev_pagemap2018);

/**
 * get_page2018() - get_page(), or allocate a free page of device memory
 * @page: a page; if it is free, of the calling driver's memory
 */
void get_page2018(struct page *page)
{
	if (!is_zone_device_page(page) || page_ref_count(page)) {
		get_page(page);
	} else if (page_pgmap(page)->type == MEMORY_DEVICE_PRIVATE ||
		   page_pgmap(page)->type == MEMORY_DEVICE_COHERENT) {
		zone_device_page_init(page, page_pgmap(page), 0);
		unlock_page(page);
	} else {
		set_page_count(page, 1);
	}
}
EXPORT_SYMBOL_GPL(get_page2018);
