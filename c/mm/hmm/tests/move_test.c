// SPDX-License-Identifier: GPL-2.0
/*
 * Sections that migrate their pages to device memory.
 */
#include <kunit/test.h>
#include <linux/hmm_mirror_typed.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>
#include <asm/tlbflush.h>

#include "../../internal.h"
#include "fixture_device.h"

/**
 * struct test_mirror - a mirror of the test's process, and counts of its sections
 * @mirror: the mirror
 * @range: all addresses
 * @section: the section
 * @invalidations: number of invalidations
 * @there: pages that were in the device's memory
 * @held: pages that were locked
 * @read_only: pages that the device could not write
 * @batches: number of batches
 */
struct test_mirror {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct hmm_section section;
	unsigned long invalidations;
	unsigned long there;
	unsigned long held;
	unsigned long read_only;
	unsigned long batches;
};

static bool hmm_test_invalidate(struct hmm_mirror *mirror, const struct hmm_invalidation *inv)
{
	container_of(mirror, struct test_mirror, mirror)->invalidations++;
	return true;
}

static const struct hmm_mirror_ops mover_ops = {
	.invalidate = hmm_test_invalidate,
};

static struct test_mirror *make_test_mirror(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct test_mirror *tm = kunit_kzalloc(test, sizeof(*tm), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tm);
	KUNIT_ASSERT_EQ(test, hmm_mirror_init(&tm->mirror, current->mm,
					      &mover_ops, device->devmem.owner), 0);
	KUNIT_ASSERT_EQ(test, hmm_mirror_range_add(&tm->mirror, &tm->range,
						   HMM_SPAN_ALL), 0);
	return tm;
}

static void hmm_test_count_pages(struct kunit *test, struct test_mirror *tm,
				 const struct hmm_run *run)
{
	struct buffer_device *device = test->priv;
	unsigned long i;

	for (i = 0; i < hmm_span_pages(run->span); i++) {
		struct page *page = pfn_to_page(run->pfn + i);

		if (!(run->flags & HMM_PFN_VALID))
			continue;
		tm->there += is_zone_device_page(page) &&
				hmm_devmem_of(page) == &device->devmem;
		tm->held += folio_test_locked(page_folio(page));
		tm->read_only += !(run->flags & HMM_PFN_WRITE);
	}
}

/* Run a section that migrates its pages; return its result. */
static int hmm_test_section(struct kunit *test, struct test_mirror *tm, unsigned long addr,
			    unsigned long pages, enum hmm_access access)
{
	struct buffer_device *device = test->priv;
	struct hmm_section *section = &tm->section;

	tm->there = 0;
	tm->held = 0;
	tm->read_only = 0;
	tm->batches = 0;
	*section = (struct hmm_section){
		.mirror = &tm->mirror, .span = span_of(addr, pages << PAGE_SHIFT),
		.access = access, .migrate_to = &device->devmem,
	};
	while (hmm_section_next(section)) {
		tm->batches++;
		hmm_section_runs(run, section)
			hmm_test_count_pages(test, tm, &run);
	}
	return hmm_section_error(section);
}

static unsigned long map_here(struct kunit *test, unsigned long pages)
{
	return ALIGN(map_anonymous(test, (pages << PAGE_SHIFT) + HPAGE_PMD_SIZE),
		     HPAGE_PMD_SIZE);
}

/* Pages and holes are in device memory inside the section. */
static void move_in_one_walk(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_here(test, 96);
	struct test_mirror *tm = make_test_mirror(test);

	write_numbers(test, addr, 64);
	tm->invalidations = 0;
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 96, HMM_ACCESS_READ), 0);
	KUNIT_EXPECT_EQ(test, tm->batches, 1);
	KUNIT_EXPECT_EQ(test, tm->there, 96);
	KUNIT_EXPECT_EQ(test, tm->held, 96);
	KUNIT_EXPECT_EQ(test, tm->read_only, 0);
	/* One for the pages that were unmapped, and one for the holes that were filled. */
	KUNIT_EXPECT_EQ(test, tm->invalidations, 2);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 96);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, 96 * PAGE_SIZE), 96);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 64), 64);
	hmm_mirror_exit(&tm->mirror);
}

/* Pages that are in device memory already are reported by a walk, without a reference. */
static void move_again(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_here(test, 32);
	struct test_mirror *tm = make_test_mirror(test);

	write_numbers(test, addr, 32);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 8 * PAGE_SIZE), 8);
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 32, HMM_ACCESS_READ), 0);
	KUNIT_EXPECT_EQ(test, tm->there, 32);
	KUNIT_EXPECT_EQ(test, tm->held, 0);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, 32 * PAGE_SIZE), 32);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 32), 32);
	hmm_mirror_exit(&tm->mirror);
}

/* A page with another reference stays, and is reported in system memory. */
static void move_all_but_one(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_here(test, 32);
	struct test_mirror *tm = make_test_mirror(test);
	struct page *page;

	write_numbers(test, addr, 32);
	KUNIT_ASSERT_EQ(test, get_user_pages_fast(addr + 3 * PAGE_SIZE, 1,
						  FOLL_WRITE, &page), 1);
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 32, HMM_ACCESS_WRITE), 0);
	KUNIT_EXPECT_EQ(test, tm->there, 31);
	KUNIT_EXPECT_EQ(test, tm->held, 0);
	put_page(page);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, 32 * PAGE_SIZE), 31);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 32), 32);
	hmm_mirror_exit(&tm->mirror);
}

/* Without free device memory, pages are reported in system memory. */
static void move_nowhere(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_here(test, 32);
	struct test_mirror *tm = make_test_mirror(test);

	write_numbers(test, addr, 16);
	hmm_devmem_evict(&device->devmem);
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 32, HMM_ACCESS_WRITE), 0);
	KUNIT_EXPECT_EQ(test, tm->there, 0);
	KUNIT_EXPECT_EQ(test, tm->held, 0);
	KUNIT_EXPECT_EQ(test, tm->read_only, 0);
	hmm_devmem_resume(&device->devmem);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 16), 16);
	hmm_mirror_exit(&tm->mirror);
}

/* Huge pages stay huge. A section has a batch for each PMD. */
static void move_huge(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned int order = is_coherent(device) ? 0 : HPAGE_PMD_ORDER;
	unsigned long addr = map_here(test, DEVICE_PAGES);
	struct test_mirror *tm = make_test_mirror(test);

	allow_huge(test, addr, DEVICE_SIZE);
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, DEVICE_PAGES,
					       HMM_ACCESS_WRITE), 0);
	KUNIT_EXPECT_EQ(test, tm->batches, DEVICE_PAGES / HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, tm->there, DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, tm->held, DEVICE_PAGES);
	memset(device->blocks, 0, sizeof(device->blocks));
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, DEVICE_SIZE),
			DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, device->blocks[order], DEVICE_PAGES >> order);
	hmm_mirror_exit(&tm->mirror);
}

/* Make a PTE read-only, as after fork() and exit of the child. mmap lock held. */
static bool protect_locked(struct vm_area_struct *vma, unsigned long addr)
{
	spinlock_t *ptl;	/* of the entry */
	pte_t *ptep = get_locked_pte(vma->vm_mm, addr, &ptl);

	if (!ptep)
		return false;
	ptep_set_wrprotect(vma->vm_mm, addr, ptep);
	pte_unmap_unlock(ptep, ptl);
	flush_tlb_page(vma, addr);
	return true;
}

static void protect(struct kunit *test, unsigned long addr)
{
	struct vm_area_struct *vma;
	bool done;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	done = vma && protect_locked(vma, addr);
	mmap_read_unlock(current->mm);
	KUNIT_ASSERT_TRUE(test, done);
}

/* For a write section, pages are made writable before they migrate. */
static void move_to_write(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_here(test, 16);
	struct test_mirror *tm = make_test_mirror(test);

	write_numbers(test, addr, 16);
	protect(test, addr + 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 16, HMM_ACCESS_WRITE), 0);
	KUNIT_EXPECT_EQ(test, tm->there, 16);
	KUNIT_EXPECT_EQ(test, tm->held, 16);
	KUNIT_EXPECT_EQ(test, tm->read_only, 0);
	migrate_to_ram(device, addr, 16 * PAGE_SIZE);

	protect(test, addr + 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 16, HMM_ACCESS_READ), 0);
	KUNIT_EXPECT_EQ(test, tm->held, 16);
	KUNIT_EXPECT_EQ(test, tm->read_only, 1);
	migrate_to_ram(device, addr, 16 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 16), 16);
	hmm_mirror_exit(&tm->mirror);
}

/**
 * struct zap_thread - a thread that zaps a page of the process
 * @mm: the process
 * @addr: address of the page
 * @done: completed when the page was zapped
 */
static struct zap_thread {
	struct mm_struct *mm;
	unsigned long addr;
	struct completion done;
} zap_thread;

static int hmm_test_zap_page(void *data)
{
	struct vm_area_struct *vma;

	kthread_use_mm(zap_thread.mm);
	mmap_read_lock(zap_thread.mm);
	vma = vma_lookup(zap_thread.mm, zap_thread.addr);
	if (vma)
		zap_vma_range(vma, zap_thread.addr, PAGE_SIZE);
	mmap_read_unlock(zap_thread.mm);
	kthread_unuse_mm(zap_thread.mm);
	complete(&zap_thread.done);
	return 0;
}

static void hmm_test_zap_meanwhile(struct buffer_device *device)
{
	struct task_struct *thread;

	device->meanwhile = NULL;
	thread = kthread_run(hmm_test_zap_page, NULL, "zap");
	if (!IS_ERR(thread))
		wait_for_completion(&zap_thread.done);
}

/* A page that is discarded during migration must not be reported to the device. */
static void move_while_dropped(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_here(test, 16);
	struct test_mirror *tm = make_test_mirror(test);

	write_numbers(test, addr, 16);
	zap_thread.mm = current->mm;
	zap_thread.addr = addr + 5 * PAGE_SIZE;
	init_completion(&zap_thread.done);
	device->meanwhile = hmm_test_zap_meanwhile;
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 16, HMM_ACCESS_READ), 0);
	KUNIT_EXPECT_TRUE(test, completion_done(&zap_thread.done) ||
			  !device->meanwhile);
	KUNIT_EXPECT_EQ(test, tm->there, 15);
	KUNIT_EXPECT_EQ(test, tm->held, 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 15);
	migrate_to_ram(device, addr, 16 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, read_number(test, addr + 5 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 5), 5);
	hmm_mirror_exit(&tm->mirror);
}

/**
 * struct zap_subscription - changes pages when the pages around them are to be migrated
 * @notifier: subscribed to the test's process
 * @addr: a page that is zapped, so that its folio has to be split; the one
 *	before it becomes read-only, so that it needs a fault
 * @zapped: whether the page was zapped
 */
struct zap_subscription {
	struct mmu_interval_notifier notifier;
	unsigned long addr;
	bool zapped;
};

/* Runs in the task that migrates, so that no section has to retry. */
static bool hmm_test_zap_while_notified(struct mmu_interval_notifier *notifier,
					const struct mmu_notifier_range *event,
					unsigned long seq)
{
	struct zap_subscription *subscription =
		container_of(notifier, struct zap_subscription, notifier);
	struct vm_area_struct *vma;

	mmu_interval_set_seq(notifier, seq);
	if (event->event != MMU_NOTIFY_MIGRATE || subscription->zapped)
		return true;
	subscription->zapped = true;
	mmap_assert_locked(current->mm);
	vma = vma_lookup(current->mm, subscription->addr);
	/* Notifications nest here; lockdep reports that as recursion. */
	lockdep_off();
	if (vma) {
		zap_vma_range(vma, subscription->addr, PAGE_SIZE);
		protect_locked(vma, subscription->addr - PAGE_SIZE);
	}
	lockdep_on();
	return true;
}

static const struct mmu_interval_notifier_ops zap_subscription_ops = {
	.invalidate = hmm_test_zap_while_notified,
};

/*
 * Collection of the second batch ends before its first page: a huge page has to
 * be split, and afterwards one of its pages needs a fault. The section must show
 * the pages of that batch, not the array's old content from the first one.
 */
static void move_ends_where_setup_did(struct kunit *test)
{
	unsigned long addr = map_here(test, DEVICE_PAGES), first = 0;
	struct test_mirror *tm = make_test_mirror(test);
	struct zap_subscription *subscription =
		kunit_kzalloc(test, sizeof(*subscription), GFP_KERNEL);
	struct hmm_section *section = &tm->section;
	unsigned long second = addr + HPAGE_PMD_SIZE, batches = 0;
	struct buffer_device *device = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, subscription);
	KUNIT_ASSERT_EQ(test, 0, do_madvise(current->mm, addr, DEVICE_SIZE,
					    MADV_HUGEPAGE));
	write_numbers(test, addr, DEVICE_PAGES);
	subscription->addr = second + 3 * PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, 0, mmu_interval_notifier_insert(&subscription->notifier,
							      current->mm, second,
							      HPAGE_PMD_SIZE,
							      &zap_subscription_ops));
	*section = (struct hmm_section){
		.mirror = &tm->mirror, .span = span_of(addr, DEVICE_SIZE),
		.access = HMM_ACCESS_WRITE, .migrate_to = &device->devmem,
	};
	while (hmm_section_next(section)) {
		hmm_section_runs(run, section) {
			if (!batches && !first)
				first = run.pfn;
			if (batches && run.flags & HMM_PFN_VALID)
				KUNIT_EXPECT_FALSE(test, run.pfn - first < HPAGE_PMD_NR);
		}
		batches++;
	}
	KUNIT_EXPECT_EQ(test, 0, hmm_section_error(section));
	KUNIT_EXPECT_GE(test, batches, 2);
	KUNIT_EXPECT_TRUE(test, subscription->zapped);
	mmu_interval_notifier_remove(&subscription->notifier);
	migrate_to_ram(device, addr, DEVICE_SIZE);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, HPAGE_PMD_NR), HPAGE_PMD_NR);
	hmm_mirror_exit(&tm->mirror);
}

/* The first pfn of a chunk that is adjacent to another one, or 0. */
static unsigned long border_between_chunks(struct buffer_device *device)
{
	struct hmm_devmem_chunk *low, *high;

	list_for_each_entry(low, &device->devmem.chunks, list)
		list_for_each_entry(high, &device->devmem.chunks, list)
			if (low->pagemap.range.end + 1 == high->pagemap.range.start)
				return PHYS_PFN(high->pagemap.range.start);
	return 0;
}

/* A run ends where the pagemap ends, also if the next pfn is device memory. */
static void move_runs_of_two_chunks(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_here(test, 4), border, nr_runs = 0;
	struct test_mirror *tm = make_test_mirror(test);
	struct hmm_section *section = &tm->section;
	unsigned long pfns[4];
	int i;

	if (device->devmem.type != MEMORY_DEVICE_PRIVATE) {
		hmm_mirror_exit(&tm->mirror);
		kunit_skip(test, "coherent memory is one chunk");
	}
	add_buffer(test, device);
	border = border_between_chunks(device);
	KUNIT_EXPECT_NE(test, border, 0);
	section->pfns = pfns;
	section->batch = span_of(addr, 4 * PAGE_SIZE);
	for (i = 0; border && i < 4; i++)
		section->pfns[i] = (border - 2 + i) | HMM_PFN_VALID | HMM_PFN_WRITE |
				   (unsigned long)HPAGE_PMD_ORDER << HMM_PFN_ORDER_SHIFT;
	hmm_section_runs(run, section) {
		if (!border)
			break;
		KUNIT_EXPECT_EQ(test, 2, hmm_span_pages(run.span));
		KUNIT_EXPECT_EQ(test, run.pfn, border - 2 + 2 * nr_runs);
		KUNIT_EXPECT_EQ(test, 1, run.order);
		KUNIT_EXPECT_EQ(test, HPAGE_PMD_ORDER, run.map_order);
		nr_runs++;
	}
	KUNIT_EXPECT_EQ(test, 2, nr_runs);
	section->batch = (struct hmm_span){};
	hmm_mirror_exit(&tm->mirror);
}

/* Several VMAs, one of them read-only, and one whose pages cannot migrate. */
static void move_refuses(struct kunit *test)
{
	unsigned long addr = map_here(test, 16);
	struct test_mirror *tm = make_test_mirror(test);

	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 4, HMM_ACCESS_SNAPSHOT),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 4, HMM_ACCESS_EXCLUSIVE),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 0, HMM_ACCESS_READ),
			-EINVAL);
	KUNIT_ASSERT_EQ(test, vm_munmap(addr + 4 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_section(test, tm, addr, 8, HMM_ACCESS_READ),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, tm->there, 4);
	hmm_mirror_exit(&tm->mirror);
}

/**
 * struct queued_writer - a thread that waits for the mmap lock, for writing
 * @mm: whose lock
 * @thread: the thread
 * @give_up: has it end its wait, as what it waits for may be waiting for it
 * @gave_up: it was to end its wait
 * @done: it has ended
 */
struct queued_writer {
	struct mm_struct *mm;
	struct task_struct *thread;
	struct delayed_work give_up;
	bool gave_up;
	struct completion done;
};

static int hmm_test_write_lock(void *data)
{
	struct queued_writer *writer = data;

	allow_signal(SIGKILL);
	if (!mmap_write_lock_killable(writer->mm))
		mmap_write_unlock(writer->mm);
	complete(&writer->done);
	return 0;
}

static void hmm_test_give_up(struct work_struct *work)
{
	struct queued_writer *writer =
		container_of(to_delayed_work(work), struct queued_writer, give_up);

	WRITE_ONCE(writer->gave_up, true);
	send_sig(SIGKILL, writer->thread, 1);
}

/* Have the writer wait, while the caller has the lock. */
static void queue_writer(struct kunit *test, struct queued_writer *writer)
{
	unsigned long end = jiffies + 10 * HZ;

	init_completion(&writer->done);
	writer->thread = kthread_create(hmm_test_write_lock, writer, "hmm_writer");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, writer->thread);
	get_task_struct(writer->thread);
	wake_up_process(writer->thread);
	while (!mmap_lock_is_contended(writer->mm) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	INIT_DELAYED_WORK(&writer->give_up, hmm_test_give_up);
	schedule_delayed_work(&writer->give_up, 5 * HZ);
}

/*
 * A thread between the steps of a migration has the mmap lock. A section of its own does not
 * take it again: behind a writer that waits, it would for ever.
 */
static void move_present_within(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_here(test, 65), pfns[16];
	struct test_mirror *tm = make_test_mirror(test);
	struct hmm_devmem_migration *migration;
	struct hmm_section section = {
		.mirror = &tm->mirror, .span = span_of(addr + PAGE_SIZE, 64 * PAGE_SIZE),
		.access = HMM_ACCESS_PRESENT, .pfns = pfns, .nr_pfns = ARRAY_SIZE(pfns),
	};
	struct queued_writer *writer = kunit_kzalloc(test, sizeof(*writer), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, writer);
	writer->mm = current->mm;
	write_numbers(test, addr, 1);
	migration = hmm_devmem_collect(&device->devmem, current->mm, span_of(addr, PAGE_SIZE));
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(migration));
	queue_writer(test, writer);
	while (hmm_section_next(&section))
		tm->batches++;
	KUNIT_EXPECT_EQ(test, 0, hmm_section_error(&section));
	KUNIT_EXPECT_EQ(test, 64 / ARRAY_SIZE(pfns), tm->batches);
	KUNIT_EXPECT_TRUE(test, mmap_lock_is_contended(current->mm));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(writer->gave_up));
	hmm_devmem_migration_end(migration);
	wait_for_completion(&writer->done);
	cancel_delayed_work_sync(&writer->give_up);
	put_task_struct(writer->thread);
	hmm_mirror_exit(&tm->mirror);
}

static struct kunit_case move_cases[] = {
	KUNIT_CASE(move_in_one_walk),
	KUNIT_CASE(move_again),
	KUNIT_CASE(move_all_but_one),
	KUNIT_CASE(move_nowhere),
	KUNIT_CASE(move_huge),
	KUNIT_CASE(move_to_write),
	KUNIT_CASE(move_while_dropped),
	KUNIT_CASE(move_ends_where_setup_did),
	KUNIT_CASE(move_runs_of_two_chunks),
	KUNIT_CASE(move_refuses),
	KUNIT_CASE(move_present_within),
	{}
};

static struct kunit_suite private_suite = {
	.name = "hmm_move_private",
	.init = buffer_device_init,
	.exit = buffer_device_exit,
	.test_cases = move_cases,
};

static struct kunit_suite coherent_suite = {
	.name = "hmm_move_coherent",
	.init = coherent_device_init,
	.exit = buffer_device_exit,
	.test_cases = move_cases,
};

kunit_test_suites(&private_suite, &coherent_suite);

MODULE_DESCRIPTION("KUnit tests of HMM sections that migrate their pages");
MODULE_LICENSE("GPL");
