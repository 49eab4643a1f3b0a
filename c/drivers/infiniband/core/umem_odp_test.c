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
#include <linux/huge_mm.h>
#include <linux/mman.h>
#include <linux/pci-p2pdma.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <rdma/ib_umem_odp.h>

#define PAGES 8UL
#define ACCESS (IB_ACCESS_ON_DEMAND | IB_ACCESS_LOCAL_WRITE | IB_ACCESS_REMOTE_WRITE)

/**
 * struct fake_hca - a device, and what its driver has seen
 * @ib: the device
 * @calls: how often the driver was to forget
 * @page: memory of the process
 */
struct fake_hca {
	struct ib_device ib;
	int calls;
	unsigned long page;
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
