// SPDX-License-Identifier: GPL-2.0
/*
 * Migration to device memory and back: large folios, absent pages, failing copies,
 * CPU faults, TLB flushes. Most tests run for private and for coherent memory.
 */
#include <kunit/test.h>
#include <linux/hmm_migrate.h>
#include <linux/hmm_mirror.h>
#include <linux/hmm_typed.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>
#include <asm/tlbflush.h>

#include "../../internal.h"
#include "fixture_device.h"

#define LEAST_ORDER	2

/* The page at an address of the process. Only valid while it stays mapped. */
static struct page *page_at(struct kunit *test, unsigned long addr)
{
	struct page *page = NULL;

	KUNIT_ASSERT_EQ(test, get_user_pages_fast(addr, 1, 0, &page), 1);
	put_page(page);
	return page;
}

static unsigned int order_at(struct kunit *test, unsigned long addr)
{
	return folio_order(page_folio(page_at(test, addr)));
}

/* Map memory in aligned folios of one order, with a number in each page. */
static unsigned long map_large(struct kunit *test, unsigned int order,
			       unsigned long pages)
{
	unsigned long before = huge_anon_orders_always;
	unsigned long size = pages << PAGE_SHIFT, addr;

	addr = ALIGN(map_anonymous(test, size + HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	WRITE_ONCE(huge_anon_orders_always, BIT(order));
	write_numbers(test, addr, pages);
	WRITE_ONCE(huge_anon_orders_always, before);
	if (order_at(test, addr) != order)
		kunit_skip(test, "cannot allocate a folio of order %u", order);
	return addr;
}

/* Migrate back to system memory: private memory by CPU faults, coherent by a call. */
static void migrate_back(struct kunit *test, unsigned long addr,
			 unsigned long pages)
{
	struct buffer_device *device = test->priv;

	if (is_coherent(device))
		KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, pages << PAGE_SHIFT),
				pages);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, pages), pages);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* As map_large(), for one folio, which is migrated to the device. */
static unsigned long map_on_device(struct kunit *test, unsigned int order)
{
	unsigned long pages = 1UL << order;
	unsigned long addr = map_large(test, order, pages);

	KUNIT_EXPECT_EQ(test, migrate_to(test->priv, addr, pages << PAGE_SHIFT),
			pages);
	return addr;
}

/*
 * A folio of any order is copied as a whole in each direction, and is not split,
 * except that coherent memory has single pages only.
 */
static void transfer_large(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned int order;

	for (order = LEAST_ORDER; order <= HPAGE_PMD_ORDER; order++) {
		unsigned int there = is_coherent(device) ? 0 : order;
		unsigned long pages = 1UL << order;
		unsigned long blocks = pages >> there;
		unsigned long addr;

		memset(device->blocks, 0, sizeof(device->blocks));
		addr = map_on_device(test, order);
		KUNIT_EXPECT_EQ(test, device->blocks[there], blocks);
		KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - pages);
		migrate_back(test, addr, pages);
		KUNIT_EXPECT_EQ(test, device->blocks[there], 2 * blocks);
		KUNIT_EXPECT_EQ(test, order_at(test, addr), there);
		vm_munmap(addr, pages << PAGE_SHIFT);
	}
}

/*
 * Coherent memory has no large folios, as the kernel cannot split them.
 */
static void transfer_no_large_coherent(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned int order;

	if (!is_coherent(device))
		kunit_skip(test, "for coherent memory only");
	for (order = 1; order <= HPAGE_PMD_ORDER; order++)
		KUNIT_EXPECT_NULL(test, hmm_devmem_alloc(&device->devmem, order));
	map_on_device(test, HPAGE_PMD_ORDER);
	KUNIT_EXPECT_EQ(test, folio_order(page_folio(device_page(device, 5))), 0);
}

/* A migration that ends before commit leaves all pages where they were. */
static void transfer_in_steps(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE);
	struct hmm_span span = span_of(addr, 4 * PAGE_SIZE);

	write_numbers(test, addr, 4);
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem, current->mm,
								 span);
		KUNIT_EXPECT_EQ(test, 0, hmm_devmem_migration_collected_error(&collected));
	}
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 4), 4);
	KUNIT_EXPECT_EQ(test, device->copies, 0);
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem, current->mm,
								 span);
		CLASS(hmm_devmem_migration_copied, copied)(&collected);
		CLASS(hmm_devmem_migration_copied, again)(&collected);

		KUNIT_EXPECT_EQ(test, -ESTALE, hmm_devmem_migration_collected_error(&collected));
		KUNIT_EXPECT_EQ(test, -ESTALE, hmm_devmem_migration_copied_error(&again));
		KUNIT_EXPECT_EQ(test, 0, hmm_devmem_migration_copied_error(&copied));
		flush_work(&device->engine);
		KUNIT_EXPECT_EQ(test, device->copies, 4);
	}
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 4), 4);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem, current->mm,
								 span);
		CLASS(hmm_devmem_migration_copied, copied)(&collected);
		CLASS(hmm_devmem_migration_committed, committed)(&copied);
		struct hmm_span moved;

		KUNIT_EXPECT_EQ(test, 0, hmm_devmem_migration_committed_error(&committed));
		moved = hmm_devmem_migration_committed_span(&committed);
		KUNIT_EXPECT_EQ(test, moved.end, span.end);
		KUNIT_EXPECT_EQ(test, 4, hmm_devmem_migration_committed_moved(&committed));
	}
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 4);
	migrate_back(test, addr, 4);
}

static bool hmm_test_invalidate(struct hmm_mirror *mirror, const struct hmm_invalidation *inv)
{
	return true;
}

static const struct hmm_mirror_ops hmm_test_ops = {
	.invalidate = hmm_test_invalidate,
};

/* Between the steps no mirror begins: it would wait for the mmap lock. */
static void transfer_in_steps_begins_no_mirror(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct hmm_mirror *mirror = kunit_kzalloc(test, sizeof(*mirror), GFP_KERNEL);
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, mirror);
	write_numbers(test, addr, 4);
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem, current->mm,
								 span_of(addr, 4 * PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, 0, hmm_devmem_migration_collected_error(&collected));
		ret = hmm_mirror_init(mirror, current->mm, &hmm_test_ops, NULL);
	}
	KUNIT_EXPECT_EQ(test, -EDEADLK, ret);
	if (!ret)
		hmm_mirror_exit(mirror);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(mirror, current->mm, &hmm_test_ops, NULL));
	hmm_mirror_exit(mirror);
}

/* A page that cannot be copied stays. An error of collect is passed on by each step. */
static void transfer_in_steps_fails(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE);
	struct hmm_span span = span_of(addr, 4 * PAGE_SIZE);

	write_numbers(test, addr, 4);
	device->fail_once = true;
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem, current->mm,
								 span);
		CLASS(hmm_devmem_migration_copied, copied)(&collected);
		CLASS(hmm_devmem_migration_committed, committed)(&copied);

		KUNIT_EXPECT_EQ(test, 0, hmm_devmem_migration_committed_error(&committed));
		KUNIT_EXPECT_EQ(test, 3, hmm_devmem_migration_committed_moved(&committed));
	}
	if (is_coherent(device))
		KUNIT_EXPECT_EQ(test,
				migrate_to_ram(device, addr, 4 * PAGE_SIZE), 3);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 4), 4);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
	span.end = span.start;
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem, current->mm,
								 span);
		CLASS(hmm_devmem_migration_copied, copied)(&collected);
		CLASS(hmm_devmem_migration_committed, committed)(&copied);

		KUNIT_EXPECT_EQ(test, -EINVAL, hmm_devmem_migration_committed_error(&committed));
	}
}

/* Many large folios in one batch, with holes and small pages in between. */
static void transfer_large_many(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_large(test, 4, HPAGE_PMD_NR), i;

	KUNIT_ASSERT_EQ(test, vm_munmap(addr + 32 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 32 * PAGE_SIZE), 32);
	if (!is_coherent(device))
		KUNIT_EXPECT_EQ(test, device->blocks[4], 2);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr + 33 * PAGE_SIZE,
					 HPAGE_PMD_SIZE - 33 * PAGE_SIZE),
			HPAGE_PMD_NR - 33);
	if (!is_coherent(device)) {
		KUNIT_EXPECT_EQ(test, device->blocks[4], HPAGE_PMD_NR / 16 - 1);
		KUNIT_EXPECT_EQ(test, device->blocks[0], 15);
	}
	if (is_coherent(device))
		migrate_to_ram(device, addr, 32 * PAGE_SIZE);
	for (i = 0; i < HPAGE_PMD_NR; i++)
		if (i != 32 && read_number(test, addr + i * PAGE_SIZE) != i)
			break;
	KUNIT_EXPECT_EQ(test, i, HPAGE_PMD_NR);
}

/* Of a folio that the range covers in part, only that part migrates. */
static void transfer_large_in_part(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_large(test, 4, 32);

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr + 8 * PAGE_SIZE,
					 16 * PAGE_SIZE), 16);
	KUNIT_EXPECT_EQ(test, device->blocks[0], 16);
	if (is_coherent(device))
		migrate_to_ram(device, addr, 32 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 32), 32);
}

/* The same for a folio of device memory, which is split. */
static void transfer_part_to_ram(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned int order;

	for (order = 4; order <= HPAGE_PMD_ORDER; order += 5) {
		unsigned long pages = 1UL << order;
		unsigned long addr = map_on_device(test, order);

		KUNIT_EXPECT_EQ(test,
				migrate_to_ram(device, addr + PAGE_SIZE,
					       2 * PAGE_SIZE),
				2);
		KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - pages + 2);
		migrate_to_ram(device, addr, pages << PAGE_SHIFT);
		KUNIT_EXPECT_EQ(test, right_numbers(test, addr, pages), pages);
		KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
		vm_munmap(addr, pages << PAGE_SHIFT);
	}
}

/* Some pages of a device folio are unmapped; the others can still migrate. */
static void transfer_large_zapped(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned int order;

	for (order = 4; order <= HPAGE_PMD_ORDER; order += 5) {
		unsigned long pages = 1UL << order;
		unsigned long addr = map_on_device(test, order);

		KUNIT_ASSERT_EQ(test, vm_munmap(addr + 8 * PAGE_SIZE,
						(pages - 8) << PAGE_SHIFT), 0);
		migrate_to_ram(device, addr, 8 * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 8), 8);
		KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
		vm_munmap(addr, 8 * PAGE_SIZE);
	}
}

/* No large folio can be allocated: small ones are, also in a CPU fault. */
static void transfer_large_to_small(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned int order;

	for (order = 4; order <= HPAGE_PMD_ORDER; order += 5) {
		unsigned long pages = 1UL << order;
		unsigned long addr = map_on_device(test, order);

		device->small = true;
		KUNIT_EXPECT_EQ(test, read_number(test, addr + 5 * PAGE_SIZE), 5);
		migrate_back(test, addr, pages);
		KUNIT_EXPECT_EQ(test, order_at(test, addr), 0);
		device->small = false;
		vm_munmap(addr, pages << PAGE_SHIFT);

		device->small = true;
		addr = map_on_device(test, order);
		migrate_back(test, addr, pages);
		device->small = false;
		vm_munmap(addr, pages << PAGE_SHIFT);
	}
}

/* If the device memory is full, the remaining pages stay. */
static void transfer_full(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long pages = DEVICE_PAGES + 16;
	unsigned long addr = map_anonymous(test, pages << PAGE_SHIFT);

	write_numbers(test, addr, pages);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, pages << PAGE_SHIFT),
			DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, available(device), 0);
	if (is_coherent(device))
		KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, pages << PAGE_SHIFT),
				DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, pages), pages);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* A page whose copy fails stays, in either direction. */
static void transfer_copy_fails(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned int order;

	for (order = 0; order <= HPAGE_PMD_ORDER; order += HPAGE_PMD_ORDER) {
		unsigned long pages = 1UL << order, size = pages << PAGE_SHIFT;
		unsigned long addr = map_large(test, order, pages);

		device->broken = true;
		KUNIT_EXPECT_EQ(test, migrate_to(device, addr, size), 0);
		KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
		KUNIT_EXPECT_EQ(test, right_numbers(test, addr, pages), pages);

		device->broken = false;
		KUNIT_ASSERT_EQ(test, migrate_to(device, addr, size), pages);
		device->broken = true;
		KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, size), 0);
		KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), pages);
		device->broken = false;
		hmm_devmem_resume(&device->devmem);
		migrate_back(test, addr, pages);
		vm_munmap(addr, size);
	}
}

/*
 * One page stays in system memory, between others with PTEs that are alike: each is mapped
 * as its memory is.
 */
static void transfer_one_stays(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 8 * PAGE_SIZE), i;

	write_numbers(test, addr, 8);
	device->bad = page_at(test, addr + 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 8 * PAGE_SIZE), 7);
	device->bad = NULL;
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, i == 3 || is_coherent(device),
				pte_present(pte_at(test, addr + i * PAGE_SIZE)));
	if (is_coherent(device))
		KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, 8 * PAGE_SIZE), 7);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 8), 8);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/**
 * struct event_counter - counts notifications of secondary MMUs
 * @notifier: subscribed to the test's process
 * @migrations: number of migrations that began
 * @others: number of other invalidations
 */
struct event_counter {
	struct mmu_notifier notifier;
	unsigned long migrations;
	unsigned long others;
};

static int hmm_test_count_event(struct mmu_notifier *notifier,
				const struct mmu_notifier_range *range)
{
	struct event_counter *counter =
		container_of(notifier, struct event_counter, notifier);

	if (range->event == MMU_NOTIFY_MIGRATE)
		counter->migrations++;
	else
		counter->others++;
	return 0;
}

static const struct mmu_notifier_ops listener_ops = {
	.invalidate_range_start = hmm_test_count_event,
};

/* Make pages device-exclusive, so that they are absent until the CPU faults. */
static void make_absent(struct kunit *test, unsigned long addr,
			unsigned long pages)
{
	struct folio *folio;
	unsigned long i;

	for (i = 0; i < pages; i++) {
		struct page *page;

		mmap_read_lock(current->mm);
		page = make_device_exclusive(current->mm, addr + i * PAGE_SIZE,
					     test, &folio);
		mmap_read_unlock(current->mm);
		KUNIT_ASSERT_FALSE(test, IS_ERR(page));
		folio_unlock(folio);
		folio_put(folio);
	}
}

/*
 * Absent pages are faulted in and migrate in one collection: secondary MMUs are
 * notified of each page that is faulted in, and then of one migration.
 */
static void transfer_absent(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct event_counter counter = { .notifier.ops = &listener_ops };
	unsigned long addr;

	addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	write_numbers(test, addr, 64);
	make_absent(test, addr, 16);
	make_absent(test, addr + 32 * PAGE_SIZE, 16);

	KUNIT_ASSERT_EQ(test, mmu_notifier_register(&counter.notifier,
						    current->mm), 0);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 64 * PAGE_SIZE), 64);
	mmu_notifier_unregister(&counter.notifier, current->mm);

	KUNIT_EXPECT_EQ(test, counter.migrations, 1);
	KUNIT_EXPECT_EQ(test, counter.others, 32);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 64);
	migrate_back(test, addr, 64);
}

/* Collection ends before a page table with absent pages that is not the first. */
static void transfer_absent_stops(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct migrate_vma args = {
		.pgmap_owner = device->devmem.owner,
		.flags = MIGRATE_VMA_SELECT_SYSTEM | HMM_MIGRATE_FAULT,
	};
	unsigned long addr, end;

	addr = ALIGN(map_anonymous(test, 3 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	args.start = addr + HPAGE_PMD_SIZE - 4 * PAGE_SIZE;
	end = addr + HPAGE_PMD_SIZE + 4 * PAGE_SIZE;
	write_numbers(test, args.start, 8);
	make_absent(test, addr + HPAGE_PMD_SIZE, 2);

	args.src = kunit_kcalloc(test, 16, sizeof(*args.src), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, args.src);
	args.dst = args.src + 8;
	mmap_read_lock(current->mm);
	args.vma = vma_lookup(current->mm, addr);
	args.end = end;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&args), 0);
	KUNIT_EXPECT_EQ(test, args.npages, 4);
	KUNIT_EXPECT_EQ(test, args.cpages, 4);
	KUNIT_EXPECT_EQ(test, args.end, addr + HPAGE_PMD_SIZE);
	migrate_vma_finalize(&args);

	args.start = args.end;
	args.end = end;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&args), 0);
	KUNIT_EXPECT_EQ(test, args.cpages, 4);
	KUNIT_EXPECT_EQ(test, args.end, end);
	migrate_vma_finalize(&args);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, right_numbers(test, end - 8 * PAGE_SIZE, 8), 8);
}

/**
 * struct late_exclusive - makes a page device-exclusive when a migration begins
 * @notifier: subscribed to the test's process
 * @addr: address of the page; 0 once it is absent
 */
struct late_exclusive {
	struct mmu_notifier notifier;
	unsigned long addr;
};

static int hmm_test_make_exclusive_meanwhile(struct mmu_notifier *notifier,
					     const struct mmu_notifier_range *range)
{
	struct late_exclusive *exclusive = container_of(notifier, struct late_exclusive, notifier);
	pmd_t *pmdp = exclusive->addr ? mm_find_pmd(range->mm, exclusive->addr) : NULL;
	spinlock_t *ptl;	/* of the entry */
	pte_t *ptep, pte;

	ptep = pmdp ? pte_offset_map_lock(range->mm, pmdp, exclusive->addr, &ptl) : NULL;
	if (!ptep)
		return 0;
	/* As in make_device_exclusive(). */
	pte = ptep_get_and_clear(range->mm, exclusive->addr, ptep);
	set_pte_at(range->mm, exclusive->addr, ptep,
		   softleaf_to_pte(make_device_exclusive_entry(pte_pfn(pte))));
	pte_unmap_unlock(ptep, ptl);
	flush_tlb_mm(range->mm);
	exclusive->addr = 0;
	return 0;
}

static const struct mmu_notifier_ops taker_ops = {
	.invalidate_range_start = hmm_test_make_exclusive_meanwhile,
};

/*
 * A page becomes absent after the notification, and the first folio has to be split,
 * so that the page table is walked again: the request still makes progress.
 */
static void transfer_absent_meanwhile(struct kunit *test)
{
	struct late_exclusive exclusive = { .notifier.ops = &taker_ops };
	unsigned long addr = map_large(test, 4, 32);
	struct migrate_vma args = {
		.flags = MIGRATE_VMA_SELECT_SYSTEM | HMM_MIGRATE_FAULT,
		.start = addr,
		.end = addr + 32 * PAGE_SIZE,
	};

	exclusive.addr = addr + 20 * PAGE_SIZE;
	args.src = kunit_kcalloc(test, 64, sizeof(*args.src), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, args.src);
	args.dst = args.src + 32;
	KUNIT_ASSERT_EQ(test, mmu_notifier_register(&exclusive.notifier,
						    current->mm), 0);
	mmap_read_lock(current->mm);
	args.vma = vma_lookup(current->mm, addr);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&args), 0);
	KUNIT_EXPECT_EQ(test, exclusive.addr, 0);
	KUNIT_EXPECT_GT(test, args.npages, 0);
	KUNIT_EXPECT_GT(test, args.end, args.start);
	if (args.cpages)
		migrate_vma_finalize(&args);
	mmap_read_unlock(current->mm);
	mmu_notifier_unregister(&exclusive.notifier, current->mm);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 32), 32);
}

/* Coherent memory is refused where a pagemap is, at either end or in the middle. */
static void transfer_pagemap_within(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct hmm_devmem *devmem = &device->devmem;
	const phys_addr_t at = SET_ASIDE_AT + 4 * DEVICE_SIZE;

	if (!is_coherent(device))
		kunit_skip(test, "for coherent memory only");
	KUNIT_ASSERT_EQ(test, hmm_devmem_add(devmem, at, DEVICE_SIZE, NULL), 0);
	KUNIT_EXPECT_EQ(test, -EBUSY, hmm_devmem_add(devmem, at - DEVICE_SIZE,
						     3 * DEVICE_SIZE, NULL));
	KUNIT_EXPECT_EQ(test, -EBUSY, hmm_devmem_add(devmem, at, DEVICE_SIZE, NULL));
}

#ifdef CONFIG_USERFAULTFD_RWP
static void set_vma_rwp(unsigned long addr, bool rwp)
{
	struct vm_area_struct *vma;

	mmap_write_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	if (rwp)
		vm_flags_set(vma, VM_UFFD_RWP);
	else
		vm_flags_clear(vma, VM_UFFD_RWP);
	mmap_write_unlock(current->mm);
}

/* Read the PTE at @addr; if @protect, protect it from all accesses. */
static pte_t look_at_pte(struct kunit *test, unsigned long addr, bool protect)
{
	struct mm_struct *mm = current->mm;
	spinlock_t *ptl;	/* of the PTE table */
	pte_t *ptep, pte;

	mmap_read_lock(mm);
	ptep = get_locked_pte(mm, addr, &ptl);
	KUNIT_ASSERT_NOT_NULL(test, ptep);
	pte = ptep_get(ptep);
	if (protect) {
		pte = pte_mkuffd(pte_modify(pte, PAGE_NONE));
		set_pte_at(mm, addr, ptep, pte);
	}
	pte_unmap_unlock(ptep, ptl);
	mmap_read_unlock(mm);
	return pte;
}

/*
 * A page of device memory is inserted in place of a zero page that userfaultfd
 * protects from all accesses: an access must fault as before.
 */
static void transfer_keeps_rwp(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE), i;
	pte_t pte;

	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, read_number(test, addr + i * PAGE_SIZE), 0);
	set_vma_rwp(addr, true);
	pte = look_at_pte(test, addr + PAGE_SIZE, true);
	KUNIT_ASSERT_TRUE(test, is_zero_pfn(pte_pfn(pte)));
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 4 * PAGE_SIZE), 4);
	for (i = 0; i < 4; i++) {
		pte = look_at_pte(test, addr + i * PAGE_SIZE, false);
		if (is_coherent(device)) {
			KUNIT_EXPECT_EQ(test, !!pte_uffd(pte), i == 1);
			KUNIT_EXPECT_EQ(test, !!pte_protnone(pte), i == 1);
		} else {
			KUNIT_EXPECT_EQ(test, !!pte_swp_uffd(pte), i == 1);
		}
	}
	set_vma_rwp(addr, false);
}
#else
static void transfer_keeps_rwp(struct kunit *test)
{
	kunit_skip(test, "this kernel's userfaultfd has no RWP");
}
#endif

#define MLOCKED	16UL

static unsigned long map_mlocked_on_device(struct kunit *test)
{
	unsigned long addr = map_mlocked(test, MLOCKED << PAGE_SHIFT);

	write_numbers(test, addr, MLOCKED);
	KUNIT_ASSERT_EQ(test, migrate_to(test->priv, addr, MLOCKED << PAGE_SHIFT),
			MLOCKED);
	KUNIT_ASSERT_TRUE(test, folio_test_mlocked(page_folio(device_page(test->priv, 0))));
	return addr;
}

/* What munlock() does to a VMA whose pages are on a device. */
static void munlock_vma(unsigned long addr)
{
	struct vm_area_struct *vma;

	mmap_write_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	vm_flags_clear(vma, VM_LOCKED);
	current->mm->locked_vm -= vma_pages(vma);
	mmap_write_unlock(current->mm);
}

/* A page that was munlocked on the device is not counted as mlocked for ever. */
static void transfer_munlocked(struct kunit *test)
{
	unsigned long addr = map_mlocked_on_device(test), before;
	struct zone *zone = page_zone(device_page(test->priv, 0));

	lru_add_drain_all();
	before = zone_page_state_snapshot(zone, NR_MLOCK);
	munlock_vma(addr);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, MLOCKED << PAGE_SHIFT), 0);
	lru_add_drain_all();
	KUNIT_EXPECT_EQ(test, available(test->priv), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, zone_page_state_snapshot(zone, NR_MLOCK),
			before - MLOCKED);
}

/*
 * Memory can be removed though another CPU's mlock batch has references to its pages,
 * which no process maps any more.
 */
static void transfer_munlocked_elsewhere(struct kunit *test)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);
	unsigned int other = cpumask_next(cpu, cpu_online_mask);
	struct buffer_device *device = test->priv;
	unsigned long addr;

	if (other >= nr_cpu_ids)
		kunit_skip(test, "there is one CPU");
	addr = map_mlocked_on_device(test);
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(cpu)), 0);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, MLOCKED << PAGE_SHIFT), 0);
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(other)), 0);
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&device->devmem, 2), 0);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	lru_add_drain_all();
}

/* The error of a fault at an address. GUP has one for each VM_FAULT code. */
static int fault_error(unsigned long addr)
{
	struct page *page;
	long ret = get_user_pages_fast(addr, 1, 0, &page);

	if (ret != 1)
		return ret;
	put_page(page);
	return 0;
}

/**
 * struct delayed_repair - ends the cause of a fault, so that no test waits for ever
 * @work: delayed work that does it
 * @device: the device whose copies succeed then, or NULL
 * @page: the page whose reference is dropped then, or NULL
 */
struct delayed_repair {
	struct delayed_work work;
	struct buffer_device *device;
	struct page *page;
};

static void hmm_test_repair_work(struct work_struct *work)
{
	struct delayed_repair *repair = container_of(to_delayed_work(work),
						     struct delayed_repair, work);

	if (repair->device) {
		repair->device->broken = false;
		repair->device->bad = NULL;
	}
	if (repair->page)
		put_page(repair->page);
	repair->page = NULL;
}

/* A CPU fault on a page whose copy fails returns the error; the page stays. */
static void fault_copy_fails(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 4, HPAGE_PMD_ORDER };
	unsigned long start;
	int j;
	struct buffer_device *device = test->priv;
	struct delayed_repair repair = { .device = device };
	int i;

	INIT_DELAYED_WORK_ONSTACK(&repair.work, hmm_test_repair_work);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		unsigned long pages = 1UL << orders[i];
		unsigned long addr = map_on_device(test, orders[i]);
		unsigned long at = addr + (pages / 3) * PAGE_SIZE, number;

		schedule_delayed_work(&repair.work, 5 * HZ);
		device->broken = true;
		KUNIT_EXPECT_EQ(test, fault_error(at), -EFAULT);
		KUNIT_EXPECT_EQ(test, get_user(number, (unsigned long __user *)at),
				-EFAULT);
		device->error = -ENOMEM;
		start = jiffies;
		for (j = 0; j < 4; j++)
			KUNIT_EXPECT_EQ(test, fault_error(at), -ENOMEM);
		/* User space would retry at once. */
		KUNIT_EXPECT_GE(test, jiffies - start, 3);
		cancel_delayed_work_sync(&repair.work);
		device->error = 0;
		device->broken = false;
		migrate_back(test, addr, pages);
		vm_munmap(addr, pages << PAGE_SHIFT);
	}
	destroy_delayed_work_on_stack(&repair.work);
}

/*
 * One page of a folio cannot be copied. A fault on it fails; a fault on any other
 * page of the folio succeeds.
 */
static void fault_one_bad_page(struct kunit *test)
{
	static const unsigned int orders[] = { 4, HPAGE_PMD_ORDER };
	struct buffer_device *device = test->priv;
	struct delayed_repair repair = { .device = device };
	unsigned long bad;
	int i;

	INIT_DELAYED_WORK_ONSTACK(&repair.work, hmm_test_repair_work);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		for (bad = 0; bad < 10; bad += 9) {
			unsigned long pages = 1UL << orders[i], j;
			unsigned long addr = map_on_device(test, orders[i]);

			device->bad = device_page(device, bad);
			schedule_delayed_work(&repair.work, 5 * HZ);
			KUNIT_EXPECT_EQ(test, fault_error(addr + 5 * PAGE_SIZE), 0);
			KUNIT_EXPECT_EQ(test, fault_error(addr + bad * PAGE_SIZE),
					-EFAULT);
			for (j = 0; j < pages; j++)
				if (j != bad && read_number(test, addr + j * PAGE_SIZE) != j)
					break;
			KUNIT_EXPECT_EQ(test, j, pages);
			KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
			cancel_delayed_work_sync(&repair.work);
			device->bad = NULL;
			migrate_back(test, addr, pages);
			vm_munmap(addr, pages << PAGE_SHIFT);
		}
	}
	destroy_delayed_work_on_stack(&repair.work);
}

/* The same in an eviction: only that page stays. */
static void evict_one_bad_page(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test, HPAGE_PMD_ORDER);

	device->bad = device_page(device, 0);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 1);
	device->bad = NULL;
	hmm_devmem_resume(&device->devmem);
	migrate_back(test, addr, HPAGE_PMD_NR);
}

/* A poisoned page of device memory is not copied. */
static void fault_poisoned(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test, 0);
	struct page *page = device_page(device, 0);

	if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
		kunit_skip(test, "this kernel has no memory failure handling");
	SetPageHWPoison(page);
	KUNIT_EXPECT_EQ(test, fault_error(addr), -EFAULT);
	KUNIT_EXPECT_EQ(test, device->copies, 1);
	ClearPageHWPoison(page);
	migrate_back(test, addr, 1);
}

/* A fault in a VMA whose pages cannot migrate any more. */
static void fault_in_special_vma(struct kunit *test)
{
	unsigned long addr = map_on_device(test, 0);
	struct vm_area_struct *vma;

	mmap_write_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	vm_flags_set(vma, VM_MIXEDMAP);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, fault_error(addr), -EFAULT);
	mmap_write_lock(current->mm);
	vm_flags_clear(vma, VM_MIXEDMAP);
	mmap_write_unlock(current->mm);
	migrate_back(test, addr, 1);
}

/* The page has another reference. The fault sleeps between retries. */
static void fault_waits(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 4, HPAGE_PMD_ORDER };
	struct buffer_device *device = test->priv;
	struct event_counter counter = { .notifier.ops = &listener_ops };
	struct delayed_repair repair = {};
	int i;

	INIT_DELAYED_WORK_ONSTACK(&repair.work, hmm_test_repair_work);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		unsigned long pages = 1UL << orders[i];
		unsigned long addr = map_on_device(test, orders[i]);

		repair.page = device_page(device, 0);
		get_page(repair.page);
		counter.migrations = 0;
		KUNIT_ASSERT_EQ(test, mmu_notifier_register(&counter.notifier,
							    current->mm), 0);
		schedule_delayed_work(&repair.work, 20);
		KUNIT_EXPECT_EQ(test, read_number(test, addr), 0);
		flush_delayed_work(&repair.work);
		mmu_notifier_unregister(&counter.notifier, current->mm);
		KUNIT_EXPECT_GT(test, counter.migrations, 1);
		KUNIT_EXPECT_LE(test, counter.migrations, 25);
		migrate_back(test, addr, pages);
		vm_munmap(addr, pages << PAGE_SHIFT);
	}
	destroy_delayed_work_on_stack(&repair.work);
}

/**
 * struct reader - a thread that reads a page of the test's process
 * @mm: the process
 * @addr: the page
 * @thread: the thread
 * @number: what it has read, if @done
 * @done: the read has returned
 */
struct reader {
	struct mm_struct *mm;
	unsigned long addr;
	struct task_struct *thread;
	unsigned long number;
	bool done;
};

static int hmm_test_reader_thread(void *data)
{
	struct reader *reader = data;

	reader->number = ULONG_MAX;
	kthread_use_mm(reader->mm);
	if (get_user(reader->number, (unsigned long __user *)reader->addr))
		reader->number = ULONG_MAX;
	kthread_unuse_mm(reader->mm);
	WRITE_ONCE(reader->done, true);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Whether the thread sleeps, and goes on to: a fault that is repeated uses its CPU. */
static bool reader_sleeps(struct reader *reader)
{
	unsigned long end = jiffies + 10 * HZ, times;
	struct task_struct *thread = reader->thread;

	while (READ_ONCE(thread->__state) != TASK_UNINTERRUPTIBLE && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	times = READ_ONCE(thread->nvcsw) + READ_ONCE(thread->nivcsw);
	schedule_timeout_uninterruptible(HZ / 10);
	return READ_ONCE(thread->__state) == TASK_UNINTERRUPTIBLE && !READ_ONCE(reader->done) &&
	       READ_ONCE(thread->nvcsw) + READ_ONCE(thread->nivcsw) == times;
}

/*
 * Another thread has locked the folio, and may sleep, as for the update lock of a driver
 * whose device is to forget the page. The fault sleeps until the lock is released.
 */
static void fault_waits_for_lock(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 4, HPAGE_PMD_ORDER };
	struct buffer_device *device = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		unsigned long pages = 1UL << orders[i], end;
		unsigned long addr = map_on_device(test, orders[i]);
		struct reader reader = { .mm = current->mm, .addr = addr };
		struct folio *folio = page_folio(device_page(device, 0));

		KUNIT_EXPECT_EQ(test, folio_order(folio), orders[i]);
		folio_lock(folio);
		reader.thread = kthread_run(hmm_test_reader_thread, &reader, "hmm_reader");
		if (IS_ERR(reader.thread)) {
			folio_unlock(folio);
			KUNIT_FAIL_AND_ABORT(test, "no thread");
		}
		KUNIT_EXPECT_TRUE(test, reader_sleeps(&reader));
		folio_unlock(folio);
		end = jiffies + 10 * HZ;
		while (!READ_ONCE(reader.done) && time_before(jiffies, end))
			schedule_timeout_uninterruptible(1);
		KUNIT_EXPECT_EQ(test, kthread_stop(reader.thread), 0);
		KUNIT_EXPECT_EQ(test, reader.number, 0);
		migrate_back(test, addr, pages);
		vm_munmap(addr, pages << PAGE_SHIFT);
	}
}

/* A task that was killed does not wait for a page, not even in a system call. */
static void fault_killed(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test, 0), number;
	struct delayed_repair repair = { .page = device_page(device, 0) };
	int err;

	get_page(repair.page);
	INIT_DELAYED_WORK_ONSTACK(&repair.work, hmm_test_repair_work);
	schedule_delayed_work(&repair.work, 2 * HZ);
	set_killed(true);
	err = get_user(number, (unsigned long __user *)addr);
	set_killed(false);
	KUNIT_EXPECT_EQ(test, err, -EFAULT);
	flush_delayed_work(&repair.work);
	destroy_delayed_work_on_stack(&repair.work);
	migrate_back(test, addr, 1);
}

/*
 * A task that was killed begins no migration: drivers collect a range batch by batch
 * until an error.
 */
static void transfer_killed(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, PAGE_SIZE);
	struct hmm_devmem_migration *migration;

	write_numbers(test, addr, 1);
	set_killed(true);
	migration = hmm_devmem_collect(&device->devmem, current->mm,
				       span_of(addr, PAGE_SIZE));
	KUNIT_EXPECT_PTR_EQ(test, migration, ERR_PTR(-EINTR));
	if (!IS_ERR(migration))
		hmm_devmem_migration_end(migration);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, PAGE_SIZE), -EINTR);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, PAGE_SIZE), -EINTR);
	set_killed(false);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, PAGE_SIZE), 1);
	migrate_back(test, addr, 1);
}

/**
 * struct orphan - a process that ends while a migration has a reference to it
 * @mirror: a mirror of it
 * @mm: the process; %NULL when the test has dropped its reference
 * @migrates: the task that migrates
 * @released_within: release was called in that task
 * @released: release was called
 */
static struct orphan {
	struct hmm_mirror mirror;
	struct mm_struct *mm;
	struct task_struct *migrates;
	bool released_within;
	struct completion released;
} orphan;

static bool orphan_invalidate(struct hmm_mirror *mirror,
			      const struct hmm_invalidation *inv)
{
	return true;
}

static void orphan_release(struct hmm_mirror *mirror)
{
	orphan.released_within = current == orphan.migrates;
	complete(&orphan.released);
}

static const struct hmm_mirror_ops orphan_ops = {
	.invalidate = orphan_invalidate,
	.release = orphan_release,
};

static int orphan_grow(struct hmm_devmem *devmem)
{
	if (orphan.mm)
		mmput(orphan.mm);
	orphan.mm = NULL;
	return 0;
}

/*
 * The process ends meanwhile, and the migration has the last reference. The mirror's
 * release must not run in it, as the caller may hold a lock that release takes.
 */
static void transfer_process_ends(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	const struct hmm_devmem_ops *before = device->devmem.ops;
	struct hmm_devmem_ops ops = *before;
	struct mm_struct *mm;
	int steps;

	ops.grow = orphan_grow;
	device->devmem.ops = &ops;
	/* Not enough for a batch: the callback is called. */
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&device->devmem, HZ), 0);
	for (steps = 0; steps < 2; steps++) {
		memset(&orphan, 0, sizeof(orphan));
		init_completion(&orphan.released);
		orphan.migrates = current;
		orphan.mm = mm_alloc();
		KUNIT_ASSERT_NOT_NULL(test, orphan.mm);
		mm = orphan.mm;
		mmgrab(mm);
		KUNIT_EXPECT_EQ(test, hmm_mirror_init(&orphan.mirror, mm, &orphan_ops, NULL), 0);
		if (steps)
			KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL),
					    hmm_devmem_collect(&device->devmem, mm,
							       span_of(PAGE_SIZE, PAGE_SIZE)));
		else
			KUNIT_EXPECT_EQ(test, -EINVAL,
					hmm_devmem_migrate(&device->devmem, mm,
							   span_of(PAGE_SIZE, PAGE_SIZE)));
		KUNIT_EXPECT_NULL(test, orphan.mm);
		KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&orphan.released, 10 * HZ), 0);
		KUNIT_EXPECT_FALSE(test, orphan.released_within);
		hmm_mirror_exit(&orphan.mirror);
		mmdrop(mm);
	}
	device->devmem.ops = before;
}

#ifdef CONFIG_X86
/* How often the process's TLB entries were flushed. */
static u64 flushes(void)
{
	return atomic64_read(&current->mm->context.tlb_gen);
}

/*
 * Pages of one page table migrate with one TLB flush in each direction; with none
 * back from private memory, which the CPU does not map.
 */
static void transfer_flushes(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr;
	u64 before;

	addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	write_numbers(test, addr, HPAGE_PMD_NR);

	before = flushes();
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE),
			HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, flushes() - before, 1);

	before = flushes();
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, HPAGE_PMD_SIZE),
			HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, flushes() - before, is_coherent(device) ? 1 : 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, HPAGE_PMD_NR),
			HPAGE_PMD_NR);
}
#else
static void transfer_flushes(struct kunit *test)
{
	kunit_skip(test, "this kernel does not count TLB flushes");
}
#endif

static struct kunit_case transfer_cases[] = {
	KUNIT_CASE(transfer_in_steps),
	KUNIT_CASE(transfer_in_steps_begins_no_mirror),
	KUNIT_CASE(transfer_in_steps_fails),
	KUNIT_CASE(transfer_large),
	KUNIT_CASE(transfer_no_large_coherent),
	KUNIT_CASE(transfer_large_many),
	KUNIT_CASE(transfer_large_in_part),
	KUNIT_CASE(transfer_part_to_ram),
	KUNIT_CASE(transfer_large_zapped),
	KUNIT_CASE(transfer_large_to_small),
	KUNIT_CASE(transfer_full),
	KUNIT_CASE(transfer_copy_fails),
	KUNIT_CASE(transfer_one_stays),
	KUNIT_CASE(transfer_absent),
	KUNIT_CASE(transfer_absent_stops),
	KUNIT_CASE(transfer_absent_meanwhile),
	KUNIT_CASE(transfer_pagemap_within),
	KUNIT_CASE(transfer_keeps_rwp),
	KUNIT_CASE(transfer_munlocked),
	KUNIT_CASE(transfer_munlocked_elsewhere),
	KUNIT_CASE(transfer_killed),
	KUNIT_CASE(transfer_process_ends),
	KUNIT_CASE(transfer_flushes),
	{}
};

static struct kunit_suite private_suite = {
	.name = "hmm_transfer_private",
	.init = buffer_device_init,
	.exit = buffer_device_exit,
	.test_cases = transfer_cases,
};

static struct kunit_suite coherent_suite = {
	.name = "hmm_transfer_coherent",
	.init = coherent_device_init,
	.exit = buffer_device_exit,
	.test_cases = transfer_cases,
};

/* The same for a device that copies batches, in another thread. */
static struct kunit_suite private_batch_suite = {
	.name = "hmm_transfer_private_batches",
	.init = batch_device_init,
	.exit = buffer_device_exit,
	.test_cases = transfer_cases,
};

static struct kunit_suite coherent_batch_suite = {
	.name = "hmm_transfer_coherent_batches",
	.init = coherent_batch_device_init,
	.exit = buffer_device_exit,
	.test_cases = transfer_cases,
};

/* CPU faults on pages that cannot migrate, or not at once. */
static struct kunit_case fault_cases[] = {
	KUNIT_CASE(fault_copy_fails),
	KUNIT_CASE(fault_one_bad_page),
	KUNIT_CASE(evict_one_bad_page),
	KUNIT_CASE(fault_poisoned),
	KUNIT_CASE(fault_in_special_vma),
	KUNIT_CASE(fault_waits),
	KUNIT_CASE(fault_waits_for_lock),
	KUNIT_CASE(fault_killed),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "hmm_fault",
	.init = buffer_device_init,
	.exit = buffer_device_exit,
	.test_cases = fault_cases,
};

static struct kunit_suite fault_batch_suite = {
	.name = "hmm_fault_batches",
	.init = batch_device_init,
	.exit = buffer_device_exit,
	.test_cases = fault_cases,
};

kunit_test_suites(&private_suite, &coherent_suite, &private_batch_suite,
		  &coherent_batch_suite, &fault_suite, &fault_batch_suite);

MODULE_DESCRIPTION("KUnit tests of HMM's migration to device memory");
MODULE_LICENSE("GPL");
