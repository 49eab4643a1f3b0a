// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory as the memremap.h of 2018 had it, over today's.
 *
 * What has changed since, and is made up for here:
 *
 * - Pages had no owner. All memory registered here has one owner, so that the
 *   drivers of that time find each other's pages, as they did.
 * - A driver whose page_fault is called migrates the page by its address. It
 *   does not say that this is the page whose fault is served and which is
 *   therefore locked: it is remembered for it.
 * - A free page had a reference, and was put to use by taking another.
 */
#include <linux/device.h>
#include <linux/hashtable.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "../internal.h"
#include "compat-kernel.h"
#include "compat.h"
#include "devmem.h"

int hmm_compat_owner;

/**
 * struct hmm_compat_fault - a fault that a driver is serving
 * @node: in the table
 * @task: who faulted
 * @page: which page; the fault handler has it locked
 */
struct hmm_compat_fault {
	struct hlist_node node;
	struct task_struct *task;
	struct page *page;
};

static DEFINE_HASHTABLE(hmm_faults, 6);
static DEFINE_SPINLOCK(hmm_faults_lock);

/**
 * hmm_compat_fault_page() - the page whose fault the current task is serving
 *
 * Return: the page; NULL outside of page_fault callbacks.
 */
struct page *hmm_compat_fault_page(void)
{
	struct hmm_compat_fault *fault;
	struct page *page = NULL;

	spin_lock(&hmm_faults_lock);
	/* The latest is first: a callback can fault itself. */
	hash_for_each_possible(hmm_faults, fault, node, (unsigned long)current) {
		if (fault->task != current)
			continue;
		page = fault->page;
		break;
	}
	spin_unlock(&hmm_faults_lock);
	return page;
}

static bool hmm_compat_pte_maps_private(pte_t pte, const struct page *page)
{
	softleaf_t entry;

	if (pte_none(pte) || pte_present(pte))
		return false;
	entry = softleaf_from_pte(pte);
	return softleaf_is_device_private(entry) && softleaf_to_page(entry) == page;
}

/**
 * hmm_compat_poison() - have whoever touches an address get SIGBUS
 * @vma: its VMA
 * @addr: the address, page aligned
 * @page: the page of private memory that is mapped there; if it is not, any
 *	more, nothing happens
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

static void hmm_pagemap2018_free(struct folio *folio)
{
	struct dev_pagemap2018 *pgmap = page_dev_pagemap2018(&folio->page);

	pgmap->page_free(&folio->page, pgmap->data);
}

static const struct dev_pagemap_ops hmm_pagemap2018_ops = {
	.folio_free	= hmm_pagemap2018_free,
	.migrate_to_ram	= hmm_pagemap2018_fault,
};

static void hmm_pagemap2018_release(void *data)
{
	struct dev_pagemap2018 *pgmap = data;

	pgmap->kill(pgmap->ref);
	memunmap_pages(&pgmap->core);
	/* What struct pages took up of the memory itself is given back. */
	pgmap->altmap.alloc = pgmap->core.altmap.alloc;
}

static bool hmm_pagemap2018_valid(const struct dev_pagemap2018 *pgmap)
{
	switch (pgmap->type) {
	case MEMORY_DEVICE_PRIVATE:
		return IS_ENABLED(CONFIG_DEVICE_PRIVATE) && pgmap->page_fault &&
		       pgmap->page_free;
	case MEMORY_DEVICE_PUBLIC:
		return pgmap->page_free;
	case MEMORY_DEVICE_FS_DAX:
		return true;
	default:
		return false;
	}
}

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
	core->type = pgmap->type;
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

/**
 * devm_memremap_pages2018() - give device memory struct pages
 * @dev: the device, at whose end they go
 * @pgmap: says what the memory is; must stay where it is
 *
 * The end of the device, or devm_memunmap_pages2018(), kills &dev_pagemap2018.ref
 * and waits for the last page to be free. So does a failure, except that there
 * is nothing to wait for.
 *
 * Context: Process context; may sleep.
 * Return: the kernel's address of the memory, which for private memory is not
 * to be touched; or an error pointer, -%EINVAL when something is missing that
 * the type needs, -%EBUSY when there is other memory at these addresses, or what
 * memremap_pages() says.
 */
void *devm_memremap_pages2018(struct device *dev, struct dev_pagemap2018 *pgmap)
{
	void *addr;
	int ret;

	if (!pgmap->ref || !pgmap->kill)
		return ERR_PTR(-EINVAL);
	if (!hmm_pagemap2018_valid(pgmap)) {
		pgmap->kill(pgmap->ref);
		return ERR_PTR(-EINVAL);
	}
	pgmap->dev = dev;
	hmm_pagemap2018_fill_core(pgmap);
	if (hmm_devmem_range_busy(&pgmap->core.range))
		addr = ERR_PTR(-EBUSY);
	else
		addr = memremap_pages(&pgmap->core, dev_to_node(dev));
	if (IS_ERR(addr)) {
		pgmap->kill(pgmap->ref);
		return addr;
	}
	pgmap->altmap.alloc = pgmap->core.altmap.alloc;
	ret = devm_add_action_or_reset(dev, hmm_pagemap2018_release, pgmap);
	return ret ? ERR_PTR(ret) : addr;
}
EXPORT_SYMBOL_GPL(devm_memremap_pages2018);

/**
 * devm_memunmap_pages2018() - take the struct pages away before the device goes
 * @dev: the device
 * @pgmap: as it was given to devm_memremap_pages2018()
 *
 * Context: Process context; sleeps until the last page is free.
 */
void devm_memunmap_pages2018(struct device *dev, struct dev_pagemap2018 *pgmap)
{
	devm_release_action(dev, hmm_pagemap2018_release, pgmap);
}
EXPORT_SYMBOL_GPL(devm_memunmap_pages2018);

/**
 * get_dev_pagemap2018() - the device memory that a pfn belongs to
 * @pfn: the page frame number
 * @pgmap: what the last call returned, or NULL
 *
 * If @pfn belongs to @pgmap that is returned, and its reference with it. If it
 * does not the reference is given back.
 *
 * Context: any.
 * Return: the device memory, with a reference of &dev_pagemap2018.ref, for
 * put_dev_pagemap2018(); NULL if there is none, or it was not registered by
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
 * put_dev_pagemap2018() - give back what get_dev_pagemap2018() returned
 * @pgmap: the device memory, or NULL
 */
void put_dev_pagemap2018(struct dev_pagemap2018 *pgmap)
{
	if (!pgmap)
		return;
	percpu_ref_put(pgmap->ref);
	/* Last: as long as it is held, @pgmap is there. */
	put_dev_pagemap(&pgmap->core);
}
EXPORT_SYMBOL_GPL(put_dev_pagemap2018);

/**
 * get_page2018() - take a reference to a page, even a free one of a device
 * @page: a page; if it is device memory that nobody uses, the driver's to give
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
