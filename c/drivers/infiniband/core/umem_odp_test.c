// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: the interface of on-demand paging regions, on devices that exist only here.
 *
 * What soft-RoCE does not use is tested here: implicit regions, entries that stand for
 * huge pages, DMA addresses. The tests run with umem_odp.c and with umem_odp_mirror.c.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/hmm.h>
#include <linux/hmm_devmem.h>
#include <linux/huge_mm.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mman.h>
#include <linux/pci-p2pdma.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <rdma/ib_umem_odp.h>

#define PAGES 8UL
#define FAULTS 1024
#define ACCESS (IB_ACCESS_ON_DEMAND | IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE)

/**
 * struct fake_gpu - a device with private memory, which the CPU can access for other devices
 * @devmem: its memory
 * @given: how many pointers others have
 * @requested: how many were requested
 * @early: a pointer was taken back before the driver of the other device had forgotten it
 * @refuses: it gives none
 * @confused: it gives an address instead
 * @odp: the region for which it gives them
 */
struct fake_gpu {
	struct hmm_devmem devmem;
	long given;
	unsigned long requested;
	unsigned long early;
	bool refuses;
	bool confused;
	struct ib_umem_odp *odp;
};

/**
 * struct fake_hca - a device, and what its driver has seen
 * @ib: the device
 * @calls: how often the driver was to forget
 * @page: memory of the process
 * @gpu: another device, in tests of its memory
 */
struct fake_hca {
	struct ib_device ib;
	int calls;
	unsigned long page;
	struct fake_gpu gpu;
};

/* As drivers do it. */
static bool fake_invalidate(struct mmu_interval_notifier *notifier,
			    const struct mmu_notifier_range *range, unsigned long seq)
{
	struct ib_umem_odp *odp = container_of(notifier, struct ib_umem_odp, notifier);
	struct fake_hca *hca = container_of(odp->umem.ibdev, struct fake_hca, ib);

	if (!mmu_notifier_range_blockable(range))
		return false;
	mutex_lock(&odp->umem_mutex);
	mmu_interval_set_seq(notifier, seq);
	hca->calls++;
	ib_umem_odp_unmap_dma_pages(odp, range->start, range->end);
	mutex_unlock(&odp->umem_mutex);
	return true;
}

static const struct mmu_interval_notifier_ops fake_ops = { .invalidate = fake_invalidate };

static int fake_hca_init(struct kunit *test)
{
	struct fake_hca *hca = kunit_kzalloc(test, sizeof(*hca), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, hca);
	KUNIT_ASSERT_EQ(test, 0, kunit_attach_mm());
	hca->page = kunit_vm_mmap(test, NULL, 0, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, 0);
	KUNIT_ASSERT_FALSE(test, !hca->page || IS_ERR_VALUE(hca->page));
	test->priv = hca;
	return 0;
}

/* From here on the device has DMA addresses. */
static void fake_hca_use_dma(struct kunit *test, struct fake_hca *hca)
{
	struct device *dev = kunit_device_register(test, "odp");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	hca->ib.dma_device = dev;
}

static struct ib_umem_odp *region(struct kunit *test, struct fake_hca *hca, int access)
{
	struct ib_umem_odp *odp = ib_umem_odp_get(&hca->ib, hca->page, PAGES * PAGE_SIZE,
						  access, &fake_ops);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, odp);
	return odp;
}

/* Fault, and drop the lock again. */
static int fault(struct ib_umem_odp *odp, u64 addr, u64 size, u64 access)
{
	int ret = ib_umem_odp_map_dma_and_lock(odp, addr, size, access, true);

	if (ret >= 0)
		mutex_unlock(&odp->umem_mutex);
	return ret;
}

static unsigned long present_pfn(struct kunit *test, unsigned long addr)
{
	struct page *page;
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, 1, get_user_pages_fast(addr, 1, 0, &page));
	pfn = page_to_pfn(page);
	put_page(page);
	return pfn;
}

static void remap(struct kunit *test, unsigned long addr, unsigned long prot)
{
	KUNIT_ASSERT_EQ(test, addr, vm_mmap(NULL, addr, PAGE_SIZE, prot,
					    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0));
}

static unsigned long entry_pfn(const struct ib_umem_odp *odp, size_t idx)
{
	return page_to_pfn(hmm_pfn_to_page(odp->map.pfn_list[idx]));
}

static void odp_region_has_what_was_registered(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = ib_umem_odp_get(&hca->ib, hca->page + 100, PAGE_SIZE, ACCESS,
						  &fake_ops);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, odp);
	KUNIT_EXPECT_EQ(test, hca->page, ib_umem_start(odp));
	KUNIT_EXPECT_EQ(test, hca->page + 2 * PAGE_SIZE, ib_umem_end(odp));
	KUNIT_EXPECT_EQ(test, 2, ib_umem_odp_num_pages(odp));
	KUNIT_EXPECT_EQ(test, hca->page + 100, odp->umem.address);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, odp->umem.length);
	KUNIT_EXPECT_PTR_EQ(test, current->mm, odp->umem.owning_mm);
	KUNIT_EXPECT_TRUE(test, odp->umem.writable && odp->umem.is_odp);
	KUNIT_EXPECT_FALSE(test, odp->is_implicit_odp);
	ib_umem_odp_release(odp);

	odp = region(test, hca, IB_ACCESS_ON_DEMAND);
	KUNIT_EXPECT_FALSE(test, odp->umem.writable);
	/* As ib_dereg_mr() does. */
	ib_umem_release(&odp->umem);
}

static void odp_region_is_refused(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	static const struct {
		unsigned long size;
		int error;
	} cases[] = {
		{ 0, -EINVAL },
		{ ULONG_MAX, -EOVERFLOW },
	};

	for (int i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, cases[i].error,
				PTR_ERR_OR_ZERO(ib_umem_odp_get(&hca->ib, hca->page,
								cases[i].size, ACCESS,
								&fake_ops)));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW,
			PTR_ERR_OR_ZERO(ib_umem_odp_get(&hca->ib, ULONG_MAX - 10, 5, ACCESS,
							&fake_ops)));
	/* An array of that size is more than can be allocated at once. */
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			PTR_ERR_OR_ZERO(ib_umem_odp_get(&hca->ib, 0, 1UL << 46, ACCESS,
							&fake_ops)));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR_OR_ZERO(ib_umem_odp_alloc_implicit(&hca->ib,
								   ACCESS | IB_ACCESS_HUGETLB)));
}

static void odp_fault_fills_entries(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = region(test, hca, ACCESS);
	const unsigned long writable = HMM_PFN_VALID | HMM_PFN_WRITE;
	int ret;

	/* Two pages for two bytes. */
	ret = ib_umem_odp_map_dma_and_lock(odp, hca->page + 2 * PAGE_SIZE - 1, 2, HMM_PFN_WRITE,
					   true);
	KUNIT_EXPECT_EQ(test, 2, ret);
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&odp->umem_mutex));
	for (size_t i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, i == 1 || i == 2 ? writable : 0,
				odp->map.pfn_list[i] & (writable | HMM_PFN_ERROR));
	if (ret > 0)
		mutex_unlock(&odp->umem_mutex);
	for (size_t i = 1; i <= 2; i++)
		KUNIT_EXPECT_EQ(test, present_pfn(test, hca->page + i * PAGE_SIZE),
				entry_pfn(odp, i));
	KUNIT_EXPECT_EQ(test, PAGES, fault(odp, hca->page, PAGES * PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, fault(odp, hca->page, 0, 0));
	ib_umem_odp_release(odp);
}

static void odp_fault_fails_as_the_process(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = region(test, hca, ACCESS);
	u64 end = ib_umem_end(odp);

	KUNIT_EXPECT_EQ(test, -EFAULT, fault(odp, hca->page - 1, 2, 0));
	KUNIT_EXPECT_EQ(test, -EFAULT, fault(odp, end - 1, 2, 0));
	remap(test, hca->page + PAGE_SIZE, PROT_READ);
	KUNIT_EXPECT_EQ(test, 1, fault(odp, hca->page + PAGE_SIZE, 1, 0));
	KUNIT_EXPECT_EQ(test, -EPERM, fault(odp, hca->page + PAGE_SIZE, 1, HMM_PFN_WRITE));
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(hca->page + PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EFAULT, fault(odp, hca->page, 2 * PAGE_SIZE, 0));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&odp->umem_mutex));
	ib_umem_odp_release(odp);
}

static void odp_snapshot_faults_nothing_in(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp;
	unsigned long addr, size = 100 * PAGE_SIZE;

	addr = kunit_vm_mmap(test, NULL, 0, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	KUNIT_ASSERT_EQ(test, 0, put_user(1, (int __user *)(addr + 70 * PAGE_SIZE)));
	odp = ib_umem_odp_get(&hca->ib, addr, size, ACCESS, &fake_ops);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, odp);
	KUNIT_EXPECT_EQ(test, 100, ib_umem_odp_map_dma_and_lock(odp, addr, size, 0, false));
	for (size_t i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, i == 70, !!(odp->map.pfn_list[i] & HMM_PFN_VALID));
	mutex_unlock(&odp->umem_mutex);
	ib_umem_odp_release(odp);
}

static void odp_invalidation_takes_entries_away(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = region(test, hca, ACCESS);

	KUNIT_EXPECT_EQ(test, PAGES, fault(odp, hca->page, PAGES * PAGE_SIZE, HMM_PFN_WRITE));
	hca->calls = 0;
	remap(test, hca->page + 3 * PAGE_SIZE, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_GE(test, hca->calls, 1);
	for (size_t i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, i != 3, !!(odp->map.pfn_list[i] & HMM_PFN_VALID));
	/* Beside the region. */
	ib_umem_odp_release(odp);
	hca->calls = 0;
	remap(test, hca->page, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, 0, hca->calls);
}

static void odp_pages_have_dma_addresses(struct kunit *test)
{
	struct pci_p2pdma_map_state peer = {};
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp;
	struct page *page;
	int ret;

	fake_hca_use_dma(test, hca);
	odp = region(test, hca, ACCESS);
	ret = ib_umem_odp_map_dma_and_lock(odp, hca->page, 2 * PAGE_SIZE, HMM_PFN_WRITE, true);
	KUNIT_ASSERT_EQ(test, 2, ret);
	for (size_t i = 0; i < 2; i++) {
		KUNIT_EXPECT_NE(test, DMA_MAPPING_ERROR,
				hmm_dma_map_pfn(hca->ib.dma_device, &odp->map, i, &peer));
		odp->npages++;
	}
	mutex_unlock(&odp->umem_mutex);
	page = hmm_pfn_to_page(odp->map.pfn_list[1]);
	get_page(page);
	folio_clear_dirty(page_folio(page));

	/* A further fault leaves a page's address as it is. */
	KUNIT_EXPECT_EQ(test, 2, fault(odp, hca->page, 2 * PAGE_SIZE, HMM_PFN_WRITE));
	KUNIT_EXPECT_TRUE(test, odp->map.pfn_list[1] & HMM_PFN_DMA_MAPPED);

	remap(test, hca->page + PAGE_SIZE, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, 1, odp->npages);
	KUNIT_EXPECT_TRUE(test, PageDirty(page));
	KUNIT_EXPECT_FALSE(test, odp->map.pfn_list[1] & (HMM_PFN_DMA_MAPPED | HMM_PFN_VALID));
	put_page(page);
	ib_umem_odp_release(odp);
}

static void odp_written_page_of_virtual_dma_is_dirty(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = region(test, hca, ACCESS);
	struct page *page;

	KUNIT_ASSERT_EQ(test, 1, fault(odp, hca->page, 1, HMM_PFN_WRITE));
	page = hmm_pfn_to_page(odp->map.pfn_list[0]);
	get_page(page);
	folio_clear_dirty(page_folio(page));
	mutex_lock(&odp->umem_mutex);
	ib_umem_odp_unmap_dma_pages(odp, 0, U64_MAX);
	mutex_unlock(&odp->umem_mutex);
	KUNIT_EXPECT_TRUE(test, PageDirty(page));
	put_page(page);
	ib_umem_odp_release(odp);
}

/* Makes a child in a task that has no memory, as faults of a device are handled. */
struct child_work {
	struct work_struct work;
	struct ib_umem_odp *root, *child;
	unsigned long addr;
	int ret;
};

static void child_work(struct work_struct *work)
{
	struct child_work *child = container_of(work, struct child_work, work);

	child->child = ib_umem_odp_alloc_child(child->root, child->addr, PAGES * PAGE_SIZE,
					       &fake_ops);
	child->ret = PTR_ERR_OR_ZERO(child->child);
	if (!child->ret)
		child->ret = fault(child->child, child->addr, PAGE_SIZE, HMM_PFN_WRITE);
}

static void odp_implicit_region_has_children(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct child_work child = {
		.root = ib_umem_odp_alloc_implicit(&hca->ib, ACCESS),
		.addr = hca->page,
	};

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child.root);
	KUNIT_EXPECT_TRUE(test, child.root->is_implicit_odp && child.root->umem.is_odp);
	INIT_WORK_ONSTACK(&child.work, child_work);
	schedule_work(&child.work);
	flush_work(&child.work);
	destroy_work_on_stack(&child.work);
	KUNIT_ASSERT_EQ(test, 1, child.ret);
	KUNIT_EXPECT_EQ(test, present_pfn(test, hca->page), entry_pfn(child.child, 0));
	KUNIT_EXPECT_TRUE(test, child.child->umem.writable);
	remap(test, hca->page, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_FALSE(test, child.child->map.pfn_list[0] & HMM_PFN_VALID);
	ib_umem_odp_release(child.child);
	ib_umem_odp_release(child.root);
}

/* Two huge pages of the process, or 0 if none can be allocated. */
static unsigned long huge_pages(struct kunit *test)
{
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, 3 * HPAGE_PMD_SIZE,
					   PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, 0);
	struct page *page;
	bool huge = true;

	KUNIT_ASSERT_FALSE(test, !addr || IS_ERR_VALUE(addr));
	addr = ALIGN(addr, HPAGE_PMD_SIZE);
	for (int i = 0; i < 2; i++) {
		if (get_user_pages_fast(addr + i * HPAGE_PMD_SIZE, 1, FOLL_WRITE, &page) != 1)
			return 0;
		huge = huge && folio_order(page_folio(page)) == HPAGE_PMD_ORDER;
		put_page(page);
	}
	return huge ? addr : 0;
}

static void odp_entries_of_huge_pages(struct kunit *test)
{
	unsigned long addr = huge_pages(test);
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp;

	if (!addr)
		kunit_skip(test, "no huge pages: see /sys/kernel/mm/transparent_hugepage/enabled");
	odp = ib_umem_odp_get(&hca->ib, addr, 2 * HPAGE_PMD_SIZE, ACCESS | IB_ACCESS_HUGETLB,
			      &fake_ops);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, odp);
	KUNIT_EXPECT_EQ(test, 2, ib_umem_odp_num_pages(odp));
	KUNIT_EXPECT_EQ(test, 1, fault(odp, addr + HPAGE_PMD_SIZE, 1, HMM_PFN_WRITE));
	KUNIT_EXPECT_EQ(test, 2, fault(odp, addr, 2 * HPAGE_PMD_SIZE, HMM_PFN_WRITE));
	for (int i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, present_pfn(test, addr + i * HPAGE_PMD_SIZE),
				entry_pfn(odp, i));
	/* A page that is smaller than an entry. */
	remap(test, addr + HPAGE_PMD_SIZE + 3 * PAGE_SIZE, PROT_READ | PROT_WRITE);
	KUNIT_EXPECT_EQ(test, -EINVAL, fault(odp, addr + HPAGE_PMD_SIZE, 1, HMM_PFN_WRITE));
	KUNIT_EXPECT_EQ(test, 1, fault(odp, addr, 1, HMM_PFN_WRITE));
	ib_umem_odp_release(odp);
}

/* Print what a fault of pages that are present costs: no more than the walk and the locks. */
static void odp_fault_cost(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = region(test, hca, ACCESS);
	static const unsigned int pages[] = { 1, PAGES };

	for (int i = 0; i < ARRAY_SIZE(pages); i++) {
		u64 size = pages[i] * PAGE_SIZE, start;

		KUNIT_EXPECT_EQ(test, pages[i], fault(odp, hca->page, size, HMM_PFN_WRITE));
		start = ktime_get_ns();
		for (int round = 0; round < FAULTS; round++)
			fault(odp, hca->page, size, HMM_PFN_WRITE);
		kunit_info(test, "pages %u ns %llu\n", pages[i],
			   div_u64(ktime_get_ns() - start, FAULTS));
	}
	ib_umem_odp_release(odp);
}

#if IS_ENABLED(CONFIG_INFINIBAND_ODP_MIRROR) && IS_ENABLED(CONFIG_HMM_DEVMEM)

static void *gpu_at(struct page *page)
{
	if (!is_device_private_page(page))
		return page_address(page);
	return hmm_devmem_data(page) + hmm_devmem_offset(page);
}

static int gpu_copy(struct hmm_devmem *devmem, struct page *dst, struct page *src,
		    unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		copy_page(gpu_at(dst + i), gpu_at(src + i));
	return 0;
}

static int gpu_clear(struct hmm_devmem *devmem, struct page *page, unsigned int order)
{
	for (unsigned long i = 0; i < 1UL << order; i++)
		clear_page(gpu_at(page + i));
	return 0;
}

static void gpu_peer_map(struct hmm_devmem *devmem, struct hmm_peer_access *access)
{
	struct fake_gpu *gpu = container_of(devmem, struct fake_gpu, devmem);

	gpu->requested++;
	if (gpu->refuses)
		return;
	gpu->given++;
	if (gpu->confused || !hmm_peer_access_is_by_cpu(access))
		hmm_peer_access_set_address(access, (unsigned long)gpu_at(access->page));
	else
		hmm_peer_access_set_pointer(access, gpu_at(access->page));
}

static void gpu_peer_unmap(struct hmm_devmem *devmem, struct hmm_peer_access *access)
{
	struct fake_gpu *gpu = container_of(devmem, struct fake_gpu, devmem);

	gpu->given--;
	if (!gpu->odp)
		return;
	/* What the driver would use if it ran now. The lock is free, and this may not wait. */
	if (!mutex_trylock(&gpu->odp->umem_mutex)) {
		gpu->early++;
		return;
	}
	for (size_t i = 0; i < PAGES; i++)
		gpu->early += ib_umem_odp_peer(gpu->odp, i, false) == access->pointer;
	mutex_unlock(&gpu->odp->umem_mutex);
}

static void gpu_release(struct hmm_devmem *devmem, void *data)
{
	vfree(data);
}

static const struct hmm_devmem_ops gpu_ops = {
	.copy = gpu_copy,
	.clear = gpu_clear,
	.peer_dma_map = gpu_peer_map,
	.peer_dma_unmap = gpu_peer_unmap,
	.release = gpu_release,
};

static void gpu_exit(void *gpu)
{
	hmm_devmem_exit(&((struct fake_gpu *)gpu)->devmem);
}

/* Have the pages of the process, with numbers, in the memory of another device. */
static void gpu_migrate(struct kunit *test, struct fake_hca *hca)
{
	const struct hmm_span span = { hca->page, hca->page + PAGES * PAGE_SIZE };

	for (size_t i = 0; i < PAGES; i++)
		KUNIT_ASSERT_EQ(test, 0, put_user(i + 100, (unsigned long __user *)
							   (hca->page + i * PAGE_SIZE)));
	KUNIT_ASSERT_EQ(test, PAGES, hmm_devmem_migrate(&hca->gpu.devmem, current->mm, span));
}

static struct fake_gpu *gpu_make(struct kunit *test, struct fake_hca *hca)
{
	struct fake_gpu *gpu = &hca->gpu;
	void *ram;

	*gpu = (struct fake_gpu){
		.devmem = { .type = MEMORY_DEVICE_PRIVATE, .name = "odp_gpu", .ops = &gpu_ops },
	};
	KUNIT_ASSERT_EQ(test, 0, hmm_devmem_init(&gpu->devmem));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, gpu_exit, gpu));
	ram = vmalloc(SZ_2M);
	KUNIT_ASSERT_NOT_NULL(test, ram);
	KUNIT_ASSERT_EQ(test, 0, hmm_devmem_add_private(&gpu->devmem, SZ_2M, ram));
	gpu_migrate(test, hca);
	return gpu;
}

static unsigned long gpu_pages(struct fake_gpu *gpu)
{
	return (hmm_devmem_size(&gpu->devmem) - hmm_devmem_available(&gpu->devmem)) >>
	       PAGE_SHIFT;
}

/* Fault where pages may stay in the other device's memory, and drop the lock again. */
static int fault_peers(struct ib_umem_odp *odp, u64 addr, u64 size, u64 access)
{
	int ret = ib_umem_odp_map_peers_and_lock(odp, addr, size, access, true);

	if (ret >= 0)
		mutex_unlock(&odp->umem_mutex);
	return ret;
}

static unsigned long *peer_at(struct ib_umem_odp *odp, size_t idx, bool write)
{
	unsigned long *at;

	mutex_lock(&odp->umem_mutex);
	at = ib_umem_odp_peer(odp, idx, write);
	mutex_unlock(&odp->umem_mutex);
	return at;
}

/* How many entries have the right number in the other device's memory, and no pfn. */
static unsigned long right_peers(struct ib_umem_odp *odp)
{
	unsigned long right = 0;

	for (size_t i = 0; i < PAGES; i++) {
		const unsigned long *at = peer_at(odp, i, false);

		right += at && *at == i + 100 && !(odp->map.pfn_list[i] & HMM_PFN_VALID);
	}
	return right;
}

/* How many entries have a page in system memory, and no pointer. */
static unsigned long right_pfns(struct ib_umem_odp *odp)
{
	unsigned long right = 0;

	for (size_t i = 0; i < PAGES; i++)
		right += !peer_at(odp, i, false) && (odp->map.pfn_list[i] & HMM_PFN_VALID);
	return right;
}

/* All pages of a region are in the other device's memory, and have entries. */
static struct ib_umem_odp *region_of_peers(struct kunit *test, struct fake_hca *hca)
{
	struct fake_gpu *gpu = gpu_make(test, hca);
	struct ib_umem_odp *odp = region(test, hca, ACCESS);

	gpu->odp = odp;
	KUNIT_ASSERT_EQ(test, PAGES, fault_peers(odp, hca->page, PAGES * PAGE_SIZE,
						 HMM_PFN_WRITE));
	KUNIT_ASSERT_EQ(test, PAGES, right_peers(odp));
	KUNIT_ASSERT_EQ(test, PAGES, gpu->given);
	return odp;
}

static void region_of_peers_end(struct kunit *test, struct fake_hca *hca,
				struct ib_umem_odp *odp)
{
	hca->gpu.odp = NULL;
	ib_umem_odp_release(odp);
	KUNIT_EXPECT_EQ(test, 0, hca->gpu.given);
	KUNIT_EXPECT_EQ(test, 0, hca->gpu.early);
}

/* Pages stay, also when they are read again; what the device writes is what the CPU reads. */
static void odp_pages_of_peers_stay(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = region_of_peers(test, hca);
	unsigned long value;

	KUNIT_EXPECT_EQ(test, PAGES, gpu_pages(&hca->gpu));
	KUNIT_EXPECT_EQ(test, PAGES, fault_peers(odp, hca->page, PAGES * PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, PAGES, right_peers(odp));
	KUNIT_EXPECT_EQ(test, PAGES, hca->gpu.requested);
	*peer_at(odp, 3, true) = 77;
	hca->calls = 0;
	KUNIT_EXPECT_EQ(test, 0, get_user(value, (unsigned long __user *)
						 (hca->page + 3 * PAGE_SIZE)));
	KUNIT_EXPECT_EQ(test, 77, value);
	KUNIT_EXPECT_GE(test, hca->calls, 1);
	KUNIT_EXPECT_NULL(test, peer_at(odp, 3, false));
	KUNIT_EXPECT_EQ(test, hca->gpu.given, gpu_pages(&hca->gpu));
	region_of_peers_end(test, hca, odp);
}

/* The end of a region takes the pointers back, and the pages stay. */
static void odp_region_of_peers_ends(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = region_of_peers(test, hca);

	region_of_peers_end(test, hca, odp);
	KUNIT_EXPECT_EQ(test, PAGES, gpu_pages(&hca->gpu));
}

/* For a fault that needs pages in system memory they migrate, and lose their pointers. */
static void odp_pages_of_peers_migrate(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = region_of_peers(test, hca);

	KUNIT_EXPECT_EQ(test, PAGES, fault(odp, hca->page, PAGES * PAGE_SIZE, HMM_PFN_WRITE));
	KUNIT_EXPECT_EQ(test, PAGES, right_pfns(odp));
	KUNIT_EXPECT_EQ(test, 0, gpu_pages(&hca->gpu));
	KUNIT_EXPECT_EQ(test, 0, hca->gpu.given);
	/* And back. */
	gpu_migrate(test, hca);
	KUNIT_EXPECT_EQ(test, 0, right_pfns(odp));
	KUNIT_EXPECT_EQ(test, PAGES, fault_peers(odp, hca->page, PAGES * PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, PAGES, right_peers(odp));
	region_of_peers_end(test, hca, odp);
}

static void odp_memory_of_peers_ends(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = region_of_peers(test, hca);

	KUNIT_EXPECT_EQ(test, 0, hmm_devmem_remove(&hca->gpu.devmem, HZ));
	KUNIT_EXPECT_EQ(test, 0, hca->gpu.given);
	for (size_t i = 0; i < PAGES; i++)
		KUNIT_EXPECT_NULL(test, peer_at(odp, i, false));
	KUNIT_EXPECT_EQ(test, PAGES, fault_peers(odp, hca->page, PAGES * PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, PAGES, right_pfns(odp));
	region_of_peers_end(test, hca, odp);
}

/* Of a page that may not be written, the pointer is for reading. */
static void odp_pages_of_peers_are_read_only(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct fake_gpu *gpu = gpu_make(test, hca);
	struct ib_umem_odp *odp = region(test, hca, ACCESS);
	const struct hmm_span first = { hca->page, hca->page + PAGE_SIZE };

	/* A hole, for which there is an empty page. */
	remap(test, hca->page, PROT_READ);
	KUNIT_ASSERT_EQ(test, 1, hmm_devmem_migrate(&gpu->devmem, current->mm, first));
	KUNIT_EXPECT_EQ(test, PAGES, fault_peers(odp, hca->page, PAGES * PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, PAGES - 1, right_peers(odp));
	KUNIT_EXPECT_NOT_NULL(test, peer_at(odp, 0, false));
	KUNIT_EXPECT_NULL(test, peer_at(odp, 0, true));
	KUNIT_EXPECT_NOT_NULL(test, peer_at(odp, 1, true));
	KUNIT_EXPECT_EQ(test, -EPERM, fault_peers(odp, hca->page, 1, HMM_PFN_WRITE));
	KUNIT_EXPECT_EQ(test, PAGES, gpu_pages(gpu));
	region_of_peers_end(test, hca, odp);
}

/* A driver that refuses, or gives an address on a bus, which the CPU could not use. */
static void odp_peer_refuses(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct fake_gpu *gpu = gpu_make(test, hca);
	struct ib_umem_odp *odp = region(test, hca, ACCESS);

	gpu->refuses = true;
	KUNIT_EXPECT_EQ(test, PAGES, fault_peers(odp, hca->page, PAGES * PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, PAGES, right_pfns(odp));
	KUNIT_EXPECT_EQ(test, 0, gpu_pages(gpu));
	gpu->refuses = false;
	gpu->confused = true;
	gpu_migrate(test, hca);
	gpu->requested = 0;
	KUNIT_EXPECT_EQ(test, PAGES, fault_peers(odp, hca->page, PAGES * PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, PAGES, gpu->requested);
	KUNIT_EXPECT_EQ(test, PAGES, right_pfns(odp));
	KUNIT_EXPECT_EQ(test, 0, gpu_pages(gpu));
	KUNIT_EXPECT_EQ(test, 0, gpu->given);
	region_of_peers_end(test, hca, odp);
}

/* What is present is mapped in advance where it is, and nothing migrates for that. */
static void odp_snapshot_of_peers(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct fake_gpu *gpu = gpu_make(test, hca);
	struct ib_umem_odp *odp = region(test, hca, ACCESS);
	u64 size = PAGES * PAGE_SIZE;

	KUNIT_EXPECT_EQ(test, PAGES, ib_umem_odp_map_dma_and_lock(odp, hca->page, size, 0, false));
	mutex_unlock(&odp->umem_mutex);
	KUNIT_EXPECT_EQ(test, 0, right_peers(odp) + right_pfns(odp));
	KUNIT_EXPECT_EQ(test, PAGES,
			ib_umem_odp_map_peers_and_lock(odp, hca->page, size, 0, false));
	mutex_unlock(&odp->umem_mutex);
	KUNIT_EXPECT_EQ(test, PAGES, right_peers(odp));
	/* Another one, without peers, leaves them as they are. */
	KUNIT_EXPECT_EQ(test, PAGES, ib_umem_odp_map_dma_and_lock(odp, hca->page, size, 0, false));
	mutex_unlock(&odp->umem_mutex);
	KUNIT_EXPECT_EQ(test, PAGES, right_peers(odp));
	KUNIT_EXPECT_EQ(test, PAGES, gpu_pages(gpu));
	region_of_peers_end(test, hca, odp);
}

/* A device with DMA gets no pointers: pages migrate. */
static void odp_peers_are_not_for_dma(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct fake_gpu *gpu = gpu_make(test, hca);
	struct ib_umem_odp *odp;

	fake_hca_use_dma(test, hca);
	odp = region(test, hca, ACCESS);
	KUNIT_EXPECT_EQ(test, PAGES, fault_peers(odp, hca->page, PAGES * PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, PAGES, right_pfns(odp));
	KUNIT_EXPECT_EQ(test, 0, gpu->requested);
	region_of_peers_end(test, hca, odp);
}

/* Room is made when there is such memory, and for regions that are not too large for it. */
static void odp_room_for_peers(struct kunit *test)
{
	struct fake_hca *hca = test->priv;
	struct ib_umem_odp *odp = region(test, hca, ACCESS), *large;

	KUNIT_EXPECT_EQ(test, PAGES, fault_peers(odp, hca->page, PAGES * PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, PAGES, right_pfns(odp));
	gpu_make(test, hca);
	/* 1 GiB for the pfns can be allocated at once, and 2 GiB for the pointers cannot. */
	large = ib_umem_odp_get(&hca->ib, ALIGN_DOWN(hca->page, 1UL << 39), 1UL << 39, ACCESS,
				&fake_ops);
	if (!IS_ERR(large)) {
		KUNIT_EXPECT_EQ(test, 1, fault_peers(large, hca->page, 1, 0));
		KUNIT_EXPECT_EQ(test, 0, hca->gpu.requested);
		KUNIT_EXPECT_EQ(test, 1, fault_peers(large, hca->page + PAGE_SIZE, 1, 0));
		ib_umem_odp_release(large);
		gpu_migrate(test, hca);
	}
	KUNIT_EXPECT_EQ(test, PAGES, fault_peers(odp, hca->page, PAGES * PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, PAGES, right_peers(odp));
	region_of_peers_end(test, hca, odp);
}

#endif /* CONFIG_INFINIBAND_ODP_MIRROR and CONFIG_HMM_DEVMEM */

static struct kunit_case odp_cases[] = {
	KUNIT_CASE(odp_region_has_what_was_registered),
	KUNIT_CASE(odp_region_is_refused),
	KUNIT_CASE(odp_fault_fills_entries),
	KUNIT_CASE(odp_fault_fails_as_the_process),
	KUNIT_CASE(odp_snapshot_faults_nothing_in),
	KUNIT_CASE(odp_invalidation_takes_entries_away),
	KUNIT_CASE(odp_pages_have_dma_addresses),
	KUNIT_CASE(odp_written_page_of_virtual_dma_is_dirty),
	KUNIT_CASE(odp_implicit_region_has_children),
	KUNIT_CASE(odp_entries_of_huge_pages),
	KUNIT_CASE(odp_fault_cost),
#if IS_ENABLED(CONFIG_INFINIBAND_ODP_MIRROR) && IS_ENABLED(CONFIG_HMM_DEVMEM)
	KUNIT_CASE(odp_pages_of_peers_stay),
	KUNIT_CASE(odp_region_of_peers_ends),
	KUNIT_CASE(odp_pages_of_peers_migrate),
	KUNIT_CASE(odp_memory_of_peers_ends),
	KUNIT_CASE(odp_pages_of_peers_are_read_only),
	KUNIT_CASE(odp_peer_refuses),
	KUNIT_CASE(odp_snapshot_of_peers),
	KUNIT_CASE(odp_peers_are_not_for_dma),
	KUNIT_CASE_SLOW(odp_room_for_peers),
#endif
	{}
};

static struct kunit_suite odp_suite = {
	.name = "umem_odp",
	.init = fake_hca_init,
	.test_cases = odp_cases,
};

kunit_test_suite(odp_suite);

MODULE_DESCRIPTION("KUnit tests of on-demand paging regions");
MODULE_LICENSE("GPL");
