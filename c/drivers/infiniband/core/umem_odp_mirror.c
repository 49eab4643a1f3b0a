// SPDX-License-Identifier: GPL-2.0
/*
 * On-demand paging regions on HMM mirrors, in place of umem_odp.c.
 *
 * A driver finds in &struct ib_umem_odp what it always did. It guards its device's
 * page table with &ib_umem_odp.umem_mutex and takes that in its invalidate
 * operation itself, so that this mutex cannot be the update lock. It nests in the
 * update lock of the mirror:
 *
 *	invalidation: update lock, then the driver takes umem_mutex, unmaps
 *	fault: update lock (inside the section), umem_mutex; fill pfn_list; drop the
 *	       update lock; return to the driver with umem_mutex held
 *
 * &ib_umem_odp.map is only written under umem_mutex, with pfns of a section. A
 * driver may therefore use what it finds there under umem_mutex at any time, not
 * only after a fault of its own.
 *
 * Of a driver that copies by the CPU, with virtual DMA, and calls
 * ib_umem_odp_map_peers_and_lock(), a page in the private memory of another device may stay
 * there. It has no entry in &ib_umem_odp.map but one in an array beside it, which is under
 * umem_mutex as well and which the same invalidations clear.
 *
 * The &struct mmu_interval_notifier in the region is not subscribed. It is where
 * drivers look for the operations and for the addresses.
 */
#include <linux/hmm_mirror.h>
#include <linux/hmm_mirror_typed.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <rdma/ib_umem_odp.h>

/**
 * struct odp_peer - a page of a region in the private memory of another device
 * @at: where the CPU accesses it; NULL if the page is not in such memory
 * @write: whether the process may write to it
 */
struct odp_peer {
	void *at;
	bool write;
};

/**
 * struct odp_region - an on-demand paging region
 * @odp: what drivers know of it
 * @mirror: of the process. An implicit region has no more than that, so that the
 *	mm_struct stays while children can be made
 * @range: the addresses of the region
 * @accept_lock: serialises odp_accept_peers(). No invalidation takes it
 * @accepted: odp_accept_peers() was called while there were peers; @accept_lock
 * @peers: an entry for each page; or NULL. Set once, its entries under umem_mutex
 * @peers_map: with @peers, the map of sections for pages in peers' memory
 */
struct odp_region {
	struct ib_umem_odp odp;
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct mutex accept_lock; /* serialises odp_accept_peers() */
	bool accepted;
	struct odp_peer *peers;
	struct hmm_mirror_dma peers_map;
};

/**
 * struct odp_fault - what is to be filled in
 * @span: whole entries
 * @access: the access that is needed
 * @peers: pages in the private memory of other devices may stay there
 */
struct odp_fault {
	struct hmm_span span;
	enum hmm_access access;
	bool peers;
};

/* Pages for which there is room on the stack; as many as most faults are for. */
#define ODP_PAGES_ON_STACK 32

/* Entries for pages in peers' memory take 32 bytes for each page of a region. */
#define ODP_PEER_PAGES_MAX (SZ_4G >> PAGE_SHIFT)

/* How an entry is mapped for DMA, which pfns of a section do not have. */
#define ODP_DMA_FLAGS (HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS)

static struct odp_region *odp_region_of(struct ib_umem_odp *odp)
{
	return container_of(odp, struct odp_region, odp);
}

/*
 * The entries for pages in peers' memory, or NULL. umem_mutex is held: if another thread
 * makes room at the same time, none of them has been filled in.
 */
static struct odp_peer *odp_peers(const struct odp_region *region)
{
	return READ_ONCE(region->peers);
}

/* Hand on to the driver, as an interval notifier would. */
static bool odp_invalidate(struct odp_region *region, const struct hmm_invalidation *inv)
{
	struct mmu_interval_notifier *notifier = &region->odp.notifier;
	const struct mmu_notifier_range event = {
		.mm = region->mirror.mm,
		.start = inv->span.start,
		.end = inv->span.end,
		.flags = inv->may_block ? MMU_NOTIFIER_RANGE_BLOCKABLE : 0,
		.event = inv->event,
	};

	return notifier->ops->invalidate(notifier, &event, notifier->invalidate_seq);
}

DEFINE_HMM_MIRROR_OPS(odp_mirror_ops, struct odp_region, mirror, odp_invalidate);

static struct odp_region *odp_region_begin(struct ib_device *device, struct mm_struct *mm,
					   bool writable)
{
	struct odp_region *region = kzalloc(sizeof(*region), GFP_KERNEL);
	int ret;

	if (!region)
		return ERR_PTR(-ENOMEM);
	ret = hmm_mirror_init(&region->mirror, mm, &odp_mirror_ops, NULL);
	if (ret) {
		kfree(region);
		return ERR_PTR(ret);
	}
	region->odp.umem.ibdev = device;
	region->odp.umem.owning_mm = mm;
	region->odp.umem.writable = writable;
	region->odp.umem.is_odp = 1;
	region->odp.page_shift = PAGE_SHIFT;
	mutex_init(&region->odp.umem_mutex);
	mutex_init(&region->accept_lock);
	return region;
}

static int odp_map_alloc(struct ib_umem_odp *odp, unsigned long nr_pages)
{
	if (!ib_uses_virt_dma(odp->umem.ibdev))
		return hmm_dma_map_alloc(odp->umem.ibdev->dma_device, &odp->map,
					 nr_pages, BIT(odp->page_shift));
	odp->map.pfn_list = kvcalloc(nr_pages, sizeof(*odp->map.pfn_list),
				     GFP_KERNEL | __GFP_NOWARN);
	return odp->map.pfn_list ? 0 : -ENOMEM;
}

static void odp_map_free(struct ib_umem_odp *odp)
{
	if (ib_uses_virt_dma(odp->umem.ibdev))
		kvfree(odp->map.pfn_list);
	else if (odp->map.pfn_list)
		hmm_dma_map_free(odp->umem.ibdev->dma_device, &odp->map);
}

/* Whole entries of 1 << @page_shift bytes that @addr to @addr + @size are in. */
static int odp_span(unsigned long addr, size_t size, unsigned int page_shift,
		    struct hmm_span *span)
{
	unsigned long end;

	if (check_add_overflow(addr, size, &end) ||
	    check_add_overflow(end, BIT(page_shift) - 1, &end))
		return -EOVERFLOW;
	span->start = ALIGN_DOWN(addr, BIT(page_shift));
	span->end = ALIGN_DOWN(end, BIT(page_shift));
	return span->start < span->end ? 0 : -EINVAL;
}

/* Give a region its addresses, and let invalidations begin. */
static int odp_region_add_range(struct odp_region *region, unsigned long addr, size_t size,
				const struct mmu_interval_notifier_ops *ops)
{
	struct ib_umem_odp *odp = &region->odp;
	struct hmm_span span;
	int ret;

	ret = odp_span(addr, size, odp->page_shift, &span);
	if (ret)
		return ret;
	odp->umem.address = addr;
	odp->umem.length = size;
	odp->notifier.ops = ops;
	odp->notifier.mm = region->mirror.mm;
	odp->notifier.interval_tree.start = span.start;
	odp->notifier.interval_tree.last = span.end - 1;
	ret = odp_map_alloc(odp, hmm_span_pages(span));
	return ret ?: hmm_mirror_range_add(&region->mirror, &region->range, span);
}

static struct ib_umem_odp *odp_region_get(struct odp_region *region, unsigned long addr,
					  size_t size,
					  const struct mmu_interval_notifier_ops *ops)
{
	int ret = odp_region_add_range(region, addr, size, ops);

	if (!ret)
		return &region->odp;
	ib_umem_odp_release(&region->odp);
	return ERR_PTR(ret);
}

/**
 * ib_umem_odp_get() - make memory of current available to a device on demand
 * @device: the device
 * @addr: the first address
 * @size: bytes, at least 1
 * @access: IB_ACCESS_* flags, with %IB_ACCESS_ON_DEMAND. With %IB_ACCESS_HUGETLB an
 *	entry stands for a huge page
 * @ops: called when the process's mappings change, as of an interval notifier: under
 *	no lock that the driver knows of, and until ib_umem_odp_release() returns
 *
 * Context: process context. May sleep.
 * Return: the region, of which nothing is mapped; or an ERR_PTR(): -%EINVAL, also for
 * an empty one; -%EOVERFLOW if it goes beyond the last address; -%ENOMEM; -%EINTR.
 */
struct ib_umem_odp *ib_umem_odp_get(struct ib_device *device, unsigned long addr, size_t size,
				    int access, const struct mmu_interval_notifier_ops *ops)
{
	struct odp_region *region;

	if (WARN_ON_ONCE(!(access & IB_ACCESS_ON_DEMAND)))
		return ERR_PTR(-EINVAL);
	region = odp_region_begin(device, current->mm, ib_access_writable(access));
	if (IS_ERR(region))
		return ERR_CAST(region);
#ifdef CONFIG_HUGETLB_PAGE
	if (access & IB_ACCESS_HUGETLB)
		region->odp.page_shift = HPAGE_SHIFT;
#endif
	return odp_region_get(region, addr, size, ops);
}
EXPORT_SYMBOL(ib_umem_odp_get);

/**
 * ib_umem_odp_alloc_implicit() - make an anchor for regions that are made by faults
 * @device: the device
 * @access: IB_ACCESS_* flags, for all its children
 *
 * Context: process context. May sleep.
 * Return: a region without addresses, or an ERR_PTR(): -%EINVAL for
 * %IB_ACCESS_HUGETLB; -%ENOMEM; -%EINTR.
 */
struct ib_umem_odp *ib_umem_odp_alloc_implicit(struct ib_device *device, int access)
{
	struct odp_region *region;

	if (access & IB_ACCESS_HUGETLB)
		return ERR_PTR(-EINVAL);
	region = odp_region_begin(device, current->mm, ib_access_writable(access));
	if (IS_ERR(region))
		return ERR_CAST(region);
	region->odp.is_implicit_odp = true;
	return &region->odp;
}
EXPORT_SYMBOL(ib_umem_odp_alloc_implicit);

/**
 * ib_umem_odp_alloc_child() - make a region below an implicit one
 * @root: of ib_umem_odp_alloc_implicit(); not released during the call
 * @addr: the first address
 * @size: bytes, at least 1
 * @ops: as for ib_umem_odp_get()
 *
 * Context: process context, of any process. May sleep.
 * Return: as ib_umem_odp_get(); -%EFAULT if the process is gone.
 */
struct ib_umem_odp *ib_umem_odp_alloc_child(struct ib_umem_odp *root, unsigned long addr,
					    size_t size,
					    const struct mmu_interval_notifier_ops *ops)
{
	struct mm_struct *mm = root->umem.owning_mm;
	struct odp_region *region;
	struct ib_umem_odp *odp;

	if (WARN_ON(!root->is_implicit_odp))
		return ERR_PTR(-EINVAL);
	if (!mmget_not_zero(mm))
		return ERR_PTR(-EFAULT);
	region = odp_region_begin(root->umem.ibdev, mm, root->umem.writable);
	odp = IS_ERR(region) ? ERR_CAST(region) : odp_region_get(region, addr, size, ops);
	mmput_async(mm);
	return odp;
}
EXPORT_SYMBOL(ib_umem_odp_alloc_child);

/**
 * ib_umem_odp_release() - end a region
 * @odp: a region that the device does not access any more, and no fault is for
 *
 * Context: process context; not with &ib_umem_odp.umem_mutex held, nor in an invalidate
 * operation. May sleep.
 */
void ib_umem_odp_release(struct ib_umem_odp *odp)
{
	struct odp_region *region = odp_region_of(odp);

	if (odp->map.pfn_list) {
		guard(mutex)(&odp->umem_mutex);
		ib_umem_odp_unmap_dma_pages(odp, ib_umem_start(odp), ib_umem_end(odp));
	}
	if (region->peers)
		hmm_mirror_dma_exit(&region->peers_map);
	hmm_mirror_exit(&region->mirror);
	odp_map_free(odp);
	kvfree(region->peers);
	kfree(region);
}
EXPORT_SYMBOL(ib_umem_odp_release);

/*
 * Make room for pages in peers' memory, of which there is none for @odp yet. Without room they
 * migrate to system memory.
 */
static struct odp_peer *odp_alloc_peers(struct ib_umem_odp *odp)
{
	struct odp_region *region = odp_region_of(odp);
	struct odp_peer *peers;

	peers = kvcalloc(ib_umem_odp_num_pages(odp), sizeof(*peers), GFP_KERNEL | __GFP_NOWARN);
	if (!peers)
		return NULL;
	if (!hmm_mirror_dma_init_by_cpu(&region->peers_map, &region->mirror,
					&odp->umem.ibdev->dev, region->range.span))
		return peers;
	kvfree(peers);
	return NULL;
}

/*
 * Whether pages in peers' memory can have entries. Room is made by the first fault after
 * there is such memory, for regions that are not too large. It is not tried again if there
 * was no memory for it.
 */
static bool odp_accept_peers(struct ib_umem_odp *odp)
{
	struct odp_region *region = odp_region_of(odp);

	/* Pairs with the release below. */
	if (smp_load_acquire(&region->accepted))
		return READ_ONCE(region->peers);
	/* A device with DMA needs addresses, and entries of huge pages whole ones. */
	if (!ib_uses_virt_dma(odp->umem.ibdev) || odp->page_shift != PAGE_SHIFT ||
	    ib_umem_odp_num_pages(odp) > ODP_PEER_PAGES_MAX ||
	    !hmm_mirror_peers_exist())
		return false;
	guard(mutex)(&region->accept_lock);
	if (!region->accepted) {
		/* Those who find the entries find them empty. */
		smp_store_release(&region->peers, odp_alloc_peers(odp));
		/* Pairs with the acquire above. */
		smp_store_release(&region->accepted, true);
	}
	return region->peers;
}

/* Fill in the page of an entry if it is in a peer's memory. */
static void odp_fill_peer(struct odp_region *region, size_t idx,
			  const struct hmm_section *section, unsigned long addr)
{
	struct odp_peer *peer = &region->peers[idx];

	peer->at = hmm_section_peer_pointer(section, addr, &peer->write);
}

/* Fill in the entries whose first page is in the section's batch. */
static int odp_fill(struct ib_umem_odp *odp, const struct hmm_section *section)
{
	unsigned long step = BIT(odp->page_shift);
	unsigned long addr = ALIGN(section->batch.start, step);

	lockdep_assert_held(&odp->umem_mutex);
	for (; addr < section->batch.end; addr += step) {
		size_t idx = (addr - ib_umem_start(odp)) >> odp->page_shift;
		unsigned long *entry = &odp->map.pfn_list[idx];
		unsigned long pfn = section->pfns[(addr - section->batch.start) >> PAGE_SHIFT];

		if ((pfn & HMM_PFN_VALID) &&
		    hmm_pfn_to_map_order(pfn) + PAGE_SHIFT < odp->page_shift)
			return -EINVAL;
		*entry = (*entry & ODP_DMA_FLAGS) | pfn;
		if (section->dma)
			odp_fill_peer(odp_region_of(odp), idx, section, addr);
	}
	return 0;
}

/*
 * Fill in the entries of a fault. Returns 0 with umem_mutex held, or an error. The loop is
 * left with the last batch: what leaves the section then drops the update lock only.
 */
static int odp_populate_and_lock(struct ib_umem_odp *odp, const struct odp_fault *fault,
				 unsigned long *pfns, unsigned int nr_pfns)
{
	struct odp_region *region = odp_region_of(odp);
	/* A driver that has pages faulted in relies on all of them. */
	bool whole = fault->access != HMM_ACCESS_SNAPSHOT;
	int ret;

	hmm_mirror_populate(pages, ret, &region->mirror, fault->span, fault->access,
			    .whole = whole, .pfns = pfns, .nr_pfns = nr_pfns,
			    .dma = fault->peers ? &region->peers_map : NULL) {
		mutex_lock(&odp->umem_mutex);
		ret = odp_fill(odp, &pages);
		if (!ret && pages.batch.end == fault->span.end)
			return 0;
		mutex_unlock(&odp->umem_mutex);
		if (ret)
			return ret;
	}
	/* The process is gone. */
	return ret == -ESRCH || ret == -ENOENT ? -EINVAL : ret;
}

/*
 * As ib_umem_odp_map_dma_and_lock(), with the access of @how, and with entries for pages in
 * peers' memory if it wants them and there is room.
 */
static int odp_map_and_lock(struct ib_umem_odp *odp, u64 user_virt, u64 bcnt,
			    const struct odp_fault *how)
{
	unsigned long few[ODP_PAGES_ON_STACK], *many __free(kvfree) = NULL;
	struct odp_fault fault = *how;
	unsigned int nr_pfns = ODP_PAGES_ON_STACK;
	unsigned long nr_pages;
	int ret;

	if (user_virt < ib_umem_start(odp) || user_virt > ib_umem_end(odp) ||
	    bcnt > ib_umem_end(odp) - user_virt)
		return -EFAULT;
	fault.span.start = ALIGN_DOWN(user_virt, BIT(odp->page_shift));
	fault.span.end = ALIGN(user_virt + bcnt, BIT(odp->page_shift));
	nr_pages = hmm_span_pages(fault.span);
	if (fault.access != HMM_ACCESS_SNAPSHOT && nr_pages > ODP_PAGES_ON_STACK) {
		many = kvmalloc_array(nr_pages, sizeof(*many), GFP_KERNEL | __GFP_NOWARN);
		if (!many)
			return -ENOMEM;
		nr_pfns = nr_pages;
	}
	fault.peers = how->peers && odp_accept_peers(odp);
	ret = odp_populate_and_lock(odp, &fault, many ?: few, nr_pfns);
	if (ret == -ENOMEM && fault.peers) {
		/* The section has a list of its own for such pages. */
		fault.peers = false;
		ret = odp_populate_and_lock(odp, &fault, many ?: few, nr_pfns);
	}
	return ret ?: nr_pages >> (odp->page_shift - PAGE_SHIFT);
}

/* The access that a driver requests. */
static enum hmm_access odp_access(u64 access_mask, bool fault)
{
	if (!fault)
		return HMM_ACCESS_SNAPSHOT;
	return access_mask & HMM_PFN_WRITE ? HMM_ACCESS_WRITE : HMM_ACCESS_READ;
}

/**
 * ib_umem_odp_map_dma_and_lock() - fault pages of a region in, and lock it
 * @odp: the region
 * @user_virt: the first address
 * @bcnt: bytes; entries that they are a part of are filled in as a whole
 * @access_mask: %HMM_PFN_WRITE if the device is to write
 * @fault: whether to fault in. If not, what is present is filled in, which changes that
 *	come meanwhile may leave holes in again
 *
 * On success the caller drops &ib_umem_odp.umem_mutex when the device's page table is
 * up to date. Until then &ib_umem_odp.map is what the process has mapped.
 *
 * Context: process context; not with &ib_umem_odp.umem_mutex held. May sleep.
 * Return: the number of entries, with &ib_umem_odp.umem_mutex held; -%EFAULT for
 * addresses outside of the region, or at which nothing is mapped; -%EPERM; -%EINVAL if
 * there are none, the process is gone, or its pages are smaller than an entry; -%EBUSY
 * if it changes them all the time; -%ENOMEM; -%EINTR.
 */
int ib_umem_odp_map_dma_and_lock(struct ib_umem_odp *odp, u64 user_virt, u64 bcnt,
				 u64 access_mask, bool fault)
{
	const struct odp_fault how = { .access = odp_access(access_mask, fault) };

	return odp_map_and_lock(odp, user_virt, bcnt, &how);
}
EXPORT_SYMBOL(ib_umem_odp_map_dma_and_lock);

/**
 * ib_umem_odp_map_peers_and_lock() - the same, and let pages stay in other devices' memory
 * @odp: the region
 * @user_virt: the first address
 * @bcnt: bytes; entries that they are a part of are filled in as a whole
 * @access_mask: %HMM_PFN_WRITE if the device is to write
 * @fault: whether to fault in
 *
 * For a driver that copies by the CPU. A page in the private memory of another device stays
 * there if that one's driver lets the CPU access it. Its entry in &ib_umem_odp.map is not
 * valid then, but ib_umem_odp_peer() has it. Of other devices, in regions of more than 4 GiB,
 * and if there is no memory for the entries, this is ib_umem_odp_map_dma_and_lock().
 *
 * Context: as ib_umem_odp_map_dma_and_lock().
 * Return: as ib_umem_odp_map_dma_and_lock().
 */
int ib_umem_odp_map_peers_and_lock(struct ib_umem_odp *odp, u64 user_virt, u64 bcnt,
				   u64 access_mask, bool fault)
{
	const struct odp_fault how = {
		.access = odp_access(access_mask, fault),
		.peers = true,
	};

	return odp_map_and_lock(odp, user_virt, bcnt, &how);
}
EXPORT_SYMBOL(ib_umem_odp_map_peers_and_lock);

/**
 * ib_umem_odp_peer() - where the CPU accesses a page in another device's memory
 * @odp: the region
 * @idx: of the entry; one that the region does not have has no page
 * @write: whether the device is to write
 *
 * It is ordinary memory for reads and writes; atomic operations that other devices are to
 * take part in are for system memory. The pointer is valid until &ib_umem_odp.umem_mutex is
 * dropped. A page that was written is dirty when it migrates.
 *
 * Context: &ib_umem_odp.umem_mutex is held.
 * Return: where the page begins; %NULL if ib_umem_odp_map_peers_and_lock() has not filled
 * the entry in, if the page is not in such memory any more, or may not be written.
 */
void *ib_umem_odp_peer(const struct ib_umem_odp *odp, size_t idx, bool write)
{
	const struct odp_region *region = container_of_const(odp, struct odp_region, odp);
	const struct odp_peer *peers;

	lockdep_assert_held(&odp->umem_mutex);
	peers = odp_peers(region);
	if (!peers || idx >= hmm_span_pages(region->range.span) || (write && !peers[idx].write))
		return NULL;
	return peers[idx].at;
}
EXPORT_SYMBOL(ib_umem_odp_peer);

/**
 * ib_umem_odp_unmap_dma_pages() - take pages from a region
 * @odp: the region
 * @virt: the first address
 * @bound: the address after the last; both are clipped to the region
 *
 * The device has forgotten them. Those that it may have written are marked dirty: of
 * a device that uses the CPU, with virtual DMA, neither the folio nor the PTE shows.
 *
 * Context: &ib_umem_odp.umem_mutex is held.
 */
void ib_umem_odp_unmap_dma_pages(struct ib_umem_odp *odp, u64 virt, u64 bound)
{
	const struct hmm_span span = hmm_span_clip((struct hmm_span){ virt, bound },
						   (struct hmm_span){ ib_umem_start(odp),
								      ib_umem_end(odp) });
	struct odp_peer *peers = odp_peers(odp_region_of(odp));
	struct ib_device *dev = odp->umem.ibdev;
	unsigned long addr;

	lockdep_assert_held(&odp->umem_mutex);
	for (addr = span.start; addr < span.end; addr += BIT(odp->page_shift)) {
		size_t idx = (addr - ib_umem_start(odp)) >> odp->page_shift;
		unsigned long *entry = &odp->map.pfn_list[idx], pfn = *entry;
		bool used = pfn & HMM_PFN_VALID;

		if (!ib_uses_virt_dma(dev)) {
			used = hmm_dma_unmap_pfn(dev->dma_device, &odp->map, idx);
			odp->npages -= used;
		}
		if (used && (pfn & HMM_PFN_WRITE))
			set_page_dirty(compound_head(hmm_pfn_to_page(pfn)));
		*entry &= ~HMM_PFN_FLAGS;
		if (peers)
			peers[idx] = (struct odp_peer){};
	}
}
EXPORT_SYMBOL(ib_umem_odp_unmap_dma_pages);
