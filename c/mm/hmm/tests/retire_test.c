// SPDX-License-Identifier: GPL-2.0
/*
 * Bad pages of device memory, private and coherent.
 */
#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "../../internal.h"
#include "fixture_device.h"

#define PAGES	64UL
#define SIZE	(PAGES << PAGE_SHIFT)

static unsigned long hmm_test_retired_pages(struct buffer_device *device)
{
	return hmm_devmem_retired(&device->devmem) >> PAGE_SHIFT;
}

static int hmm_test_retire_page(struct buffer_device *device, struct page *page)
{
	return hmm_devmem_retire(&device->devmem, hmm_devmem_data(page),
				 hmm_devmem_offset(page));
}

static unsigned long map_on_device(struct kunit *test)
{
	unsigned long addr = map_anonymous(test, SIZE);

	write_numbers(test, addr, PAGES);
	KUNIT_ASSERT_EQ(test, migrate_to(test->priv, addr, SIZE), PAGES);
	return addr;
}

static void migrate_back(struct kunit *test, unsigned long addr)
{
	KUNIT_EXPECT_GE(test, migrate_to_ram(test->priv, addr, SIZE), 0);
}

/* A free page is not allocated, neither alone nor in a large folio. */
static void retire_free_page(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);
	struct page *page = device_page(device, 0);
	unsigned long all = DEVICE_SIZE + HPAGE_PMD_SIZE;

	migrate_back(test, addr);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, page), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, page), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
	KUNIT_EXPECT_EQ(test, hmm_devmem_retire(&device->devmem, test, 0), -ENOENT);

	addr = ALIGN(map_anonymous(test, all), HPAGE_PMD_SIZE);
	allow_huge(test, addr, DEVICE_SIZE);
	write_numbers(test, addr, DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, DEVICE_SIZE),
			DEVICE_PAGES - 1);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 0);
	KUNIT_EXPECT_EQ(test, available(device), 0);
	migrate_to_ram(device, addr, DEVICE_SIZE);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, DEVICE_PAGES), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&device->devmem, HZ), 0);
}

/* A page that can be copied migrates, and its process notices nothing. */
static void retire_page_in_use(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);

	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, device_page(device, 5)), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	migrate_back(test, addr);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
}

/* A page that cannot be copied for want of memory is not lost: the call can be repeated. */
static void retire_without_memory(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);
	struct page *page = device_page(device, 5);

	device->broken = true;
	device->error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, page), -ENOMEM);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	device->broken = false;
	device->error = 0;
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, page), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	migrate_back(test, addr);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
}

/* How many accesses to the pages fail; all others must find their number. */
static unsigned long lost_pages(struct kunit *test, unsigned long addr,
				unsigned long pages)
{
	unsigned long i, lost = 0, number;

	for (i = 0; i < pages; i++) {
		unsigned long at = addr + (i << PAGE_SHIFT);

		if (get_user(number, (unsigned long __user *)at))
			lost++;
		else
			KUNIT_EXPECT_EQ(test, number, i);
	}
	return lost;
}

/* A page that cannot be copied is poisoned; its process keeps the others. */
static void retire_lost_page(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);

	device->bad = device_page(device, 5);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, (struct page *)device->bad), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	KUNIT_EXPECT_EQ(test, lost_pages(test, addr, PAGES), 1);
	migrate_back(test, addr);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES - 1);
	device->bad = NULL;
	/* The memory can be removed while the process has the mapping. */
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&device->devmem, HZ), 0);
	KUNIT_EXPECT_EQ(test, lost_pages(test, addr, PAGES), 1);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, SIZE), 0);
}

/* Map a huge page, and migrate it to the device as a folio. */
static unsigned long map_folio_on_device(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 2 * HPAGE_PMD_SIZE);

	if (is_coherent(device))
		kunit_skip(test, "coherent memory has single pages");
	addr = ALIGN(addr, HPAGE_PMD_SIZE);
	allow_huge(test, addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, HPAGE_PMD_NR);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	if (!folio_test_large(page_folio(device_page(device, 0))))
		kunit_skip(test, "no huge page could be allocated");
	return addr;
}

/* The same for a page of a large folio, the rest of which migrates. */
static void retire_lost_page_of_folio(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_folio_on_device(test);

	device->bad = device_page(device, 70);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, (struct page *)device->bad), 0);
	device->bad = NULL;
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
	KUNIT_EXPECT_EQ(test, lost_pages(test, addr, HPAGE_PMD_NR), 1);
}

/* A large folio that cannot be split stays as it is, until the page is reported again. */
static void retire_page_of_busy_folio(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_folio_on_device(test);
	struct page *page = device_page(device, 70);

	get_page(page);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, page), -EBUSY);
	KUNIT_EXPECT_FALSE(test, PageHWPoison(page));
	KUNIT_EXPECT_TRUE(test, folio_test_large(page_folio(page)));
	put_page(page);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, page), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, HPAGE_PMD_NR), HPAGE_PMD_NR);
}

static bool is_poison_marker(struct kunit *test, unsigned long addr)
{
	pte_t pte = pte_at(test, addr);

	return !pte_none(pte) && !pte_present(pte) &&
	       softleaf_is_poison_marker(softleaf_from_pte(pte));
}

/*
 * A page that its driver has poisoned, and not reported, is neither copied nor named by
 * what replaces its PTE: the memory can be removed. @nr: of the page, in its mapping
 */
static void evict_poisoned(struct kunit *test, unsigned long addr, unsigned long pages,
			   unsigned long nr)
{
	struct buffer_device *device = test->priv;
	unsigned long copies = device->copies;
	struct page *page = device_page(device, nr);

	if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
		kunit_skip(test, "this kernel has no memory failure handling");
	SetPageHWPoison(page);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 0);
	ClearPageHWPoison(page);
	KUNIT_EXPECT_EQ(test, device->copies - copies, pages - 1);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	KUNIT_EXPECT_TRUE(test, is_poison_marker(test, addr + nr * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&device->devmem, HZ), 0);
	KUNIT_EXPECT_EQ(test, lost_pages(test, addr, pages), 1);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, pages << PAGE_SHIFT), 0);
}

static void poisoned_page_evicted(struct kunit *test)
{
	evict_poisoned(test, map_on_device(test), PAGES, 5);
}

/* The first page, and another one. */
static void poisoned_page_of_folio_evicted(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long nr;

	for (nr = 0; nr <= 70; nr += 70) {
		if (nr)
			device->memory = add_buffer(test, device);
		evict_poisoned(test, map_folio_on_device(test), HPAGE_PMD_NR, nr);
		hmm_devmem_resume(&device->devmem);
	}
}

/* One that has another reference as well is unmapped, and stays until that is dropped. */
static void poisoned_page_in_use_evicted(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);
	struct page *page = device_page(device, 5);

	if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
		kunit_skip(test, "this kernel has no memory failure handling");
	SetPageHWPoison(page);
	get_page(page);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 1);
	KUNIT_EXPECT_TRUE(test, is_poison_marker(test, addr + 5 * PAGE_SIZE));
	ClearPageHWPoison(page);
	put_page(page);
	hmm_devmem_resume(&device->devmem);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, lost_pages(test, addr, PAGES), 1);
}

/*
 * A page that was reported, and is mapped still, as its folio was locked. To pin it would
 * copy contents that may be lost: only its driver's copy knows. Nor is a poisoned one copied.
 */
static void pin_bad_page(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);
	struct page *bad = device_page(device, 5), *poisoned = device_page(device, 6), *pinned;

	if (!is_coherent(device))
		kunit_skip(test, "a CPU fault migrates private memory, by its driver's copy");
	folio_lock(page_folio(bad));
	set_killed(true);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, bad), -EINTR);
	set_killed(false);
	folio_unlock(page_folio(bad));
	KUNIT_EXPECT_LT(test, pin_user_pages_fast(addr + 5 * PAGE_SIZE, 1, FOLL_LONGTERM,
						  &pinned), 0);
	SetPageHWPoison(poisoned);
	if (PageHWPoison(poisoned))
		KUNIT_EXPECT_LT(test, pin_user_pages_fast(addr + 6 * PAGE_SIZE, 1,
							  FOLL_LONGTERM, &pinned), 0);
	ClearPageHWPoison(poisoned);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);

	KUNIT_EXPECT_EQ(test, pin_user_pages_fast(addr, 1, FOLL_LONGTERM, &pinned), 1);
	KUNIT_EXPECT_FALSE(test, is_zone_device_page(pinned));
	unpin_user_page(pinned);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, bad), 0);
	migrate_back(test, addr);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
}

/* A page that is pinned stays in use, and is retired when it is released. */
static void retire_busy_page(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);
	struct page *page = device_page(device, 5);

	get_page(page);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, page), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 0);
	KUNIT_EXPECT_EQ(test, lost_pages(test, addr, PAGES), 1);
	put_page(page);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	migrate_back(test, addr);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
}

/**
 * struct retirer - a thread that reports a page as bad
 * @device: its device
 * @page: the page
 * @thread: the thread
 * @err: what was returned
 * @done: @err is valid
 */
struct retirer {
	struct buffer_device *device;
	struct page *page;
	struct task_struct *thread;
	int err;
	bool done;
};

static int hmm_test_retirer_thread(void *data)
{
	struct retirer *retirer = data;

	retirer->err = hmm_test_retire_page(retirer->device, retirer->page);
	WRITE_ONCE(retirer->done, true);
	/* It may have been killed. */
	set_killed(false);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void retirer_run(struct kunit *test, struct retirer *retirer)
{
	retirer->thread = kthread_run(hmm_test_retirer_thread, retirer, "hmm_retirer");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, retirer->thread);
}

/* Run it, and wait until it waits. */
static void retirer_start(struct kunit *test, struct retirer *retirer)
{
	unsigned long end = jiffies + 10 * HZ;

	retirer_run(test, retirer);
	while (!(READ_ONCE(retirer->thread->__state) & TASK_UNINTERRUPTIBLE) &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(retirer->done));
}

static bool retirer_is_done(const struct retirer *retirer)
{
	unsigned long end = jiffies + 2 * HZ;

	while (!READ_ONCE(retirer->done) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	return READ_ONCE(retirer->done);
}

/* A kthread ignores signals, so it is not sent one. */
static void retirer_kill(struct retirer *retirer)
{
	spin_lock_irq(&retirer->thread->sighand->siglock);
	sigaddset(&retirer->thread->pending.signal, SIGKILL);
	set_tsk_thread_flag(retirer->thread, TIF_SIGPENDING);
	spin_unlock_irq(&retirer->thread->sighand->siglock);
	wake_up_process(retirer->thread);
}

/*
 * A page whose folio is locked, as by the copy of another device, which may take long: a
 * fatal signal ends the wait, and the page, which may well be copied, is not poisoned.
 */
static void retire_locked_page(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);
	struct page *page = device_page(device, 5);
	struct folio *folio = page_folio(page);

	folio_lock(folio);
	set_killed(true);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, page), -EINTR);
	set_killed(false);
	KUNIT_EXPECT_FALSE(test, PageHWPoison(page));
	folio_unlock(folio);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, page), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	migrate_back(test, addr);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/* Nobody who adds or removes memory, or makes room in it, waits for that copy, too. */
static void retire_waits_without_lock(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test), end = jiffies + 2 * HZ;
	struct retirer retirer = { .device = device, .page = device_page(device, 5) };
	struct folio *folio = page_folio(retirer.page);
	bool locked = false;

	folio_lock(folio);
	retirer_start(test, &retirer);
	while (!locked && time_before(jiffies, end)) {
		schedule_timeout_uninterruptible(1);
		locked = mutex_trylock(&device->devmem.chunks_lock);
	}
	KUNIT_EXPECT_TRUE(test, locked);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(retirer.done));
	if (locked)
		mutex_unlock(&device->devmem.chunks_lock);
	folio_unlock(folio);
	KUNIT_EXPECT_TRUE(test, retirer_is_done(&retirer));
	KUNIT_EXPECT_EQ(test, kthread_stop(retirer.thread), 0);
	KUNIT_EXPECT_EQ(test, retirer.err, 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	migrate_back(test, addr);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/*
 * When the wait ends, another migration can have locked the folio already: the page is
 * neither waited for again nor poisoned, and the call can be repeated.
 */
static void retire_locked_again(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);
	struct retirer retirer = { .device = device, .page = device_page(device, 5) };
	struct folio *folio = page_folio(retirer.page);

	folio_lock(folio);
	retirer_start(test, &retirer);
	/* The wait ends, but the page cannot be looked at before it is locked again. */
	mutex_lock(&device->devmem.chunks_lock);
	folio_unlock(folio);
	folio_lock(folio);
	mutex_unlock(&device->devmem.chunks_lock);
	KUNIT_EXPECT_TRUE(test, retirer_is_done(&retirer));
	KUNIT_EXPECT_FALSE(test, PageHWPoison(retirer.page));
	folio_unlock(folio);
	KUNIT_EXPECT_EQ(test, kthread_stop(retirer.thread), 0);
	KUNIT_EXPECT_EQ(test, retirer.err, -EBUSY);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retire_page(device, retirer.page), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
	migrate_back(test, addr);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/* Memory is removed, while the page that was reported is waited for. */
static void retire_removed(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);
	struct retirer retirer = { .device = device, .page = device_page(device, 5) };
	struct folio *folio = page_folio(retirer.page);

	folio_lock(folio);
	retirer_start(test, &retirer);
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&device->devmem, HZ / 10), -EBUSY);
	folio_unlock(folio);
	KUNIT_EXPECT_TRUE(test, retirer_is_done(&retirer));
	KUNIT_EXPECT_EQ(test, kthread_stop(retirer.thread), 0);
	KUNIT_EXPECT_EQ(test, retirer.err, 0);
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&device->devmem, HZ), 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/* A task that waits for the lock of the memory can be killed. */
static void retire_killed(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);
	struct retirer retirer = { .device = device, .page = device_page(device, 5) };

	mutex_lock(&device->devmem.chunks_lock);
	retirer_start(test, &retirer);
	retirer_kill(&retirer);
	KUNIT_EXPECT_TRUE(test, retirer_is_done(&retirer));
	mutex_unlock(&device->devmem.chunks_lock);
	KUNIT_EXPECT_EQ(test, kthread_stop(retirer.thread), 0);
	KUNIT_EXPECT_EQ(test, retirer.err, -EINTR);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 0);
	migrate_back(test, addr);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/*
 * A page that no process maps any more, as one that a pipe has: nothing keeps its anon_vma,
 * which is not looked at. Here the test does, and has its lock.
 */
static void retire_unmapped_page(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_on_device(test);
	struct retirer retirer = { .device = device, .page = device_page(device, 5) };
	struct folio *folio = page_folio(retirer.page);
	struct anon_vma *anon_vma;

	folio_lock(folio);
	anon_vma = folio_get_anon_vma(folio);
	folio_unlock(folio);
	KUNIT_ASSERT_NOT_NULL(test, anon_vma);
	folio_get(folio);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, SIZE), 0);
	anon_vma_lock_write(anon_vma);
	retirer_run(test, &retirer);
	KUNIT_EXPECT_TRUE(test, retirer_is_done(&retirer));
	anon_vma_unlock_write(anon_vma);
	put_anon_vma(anon_vma);
	KUNIT_EXPECT_EQ(test, kthread_stop(retirer.thread), 0);
	KUNIT_EXPECT_EQ(test, retirer.err, 0);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 0);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, hmm_test_retired_pages(device), 1);
}

static struct kunit_case retire_cases[] = {
	KUNIT_CASE(retire_free_page),
	KUNIT_CASE(retire_page_in_use),
	KUNIT_CASE(retire_without_memory),
	KUNIT_CASE(retire_lost_page),
	KUNIT_CASE(retire_lost_page_of_folio),
	KUNIT_CASE(retire_page_of_busy_folio),
	KUNIT_CASE(poisoned_page_evicted),
	KUNIT_CASE(poisoned_page_of_folio_evicted),
	KUNIT_CASE(poisoned_page_in_use_evicted),
	KUNIT_CASE(pin_bad_page),
	KUNIT_CASE(retire_unmapped_page),
	KUNIT_CASE(retire_busy_page),
	KUNIT_CASE(retire_locked_page),
	KUNIT_CASE(retire_waits_without_lock),
	KUNIT_CASE(retire_locked_again),
	KUNIT_CASE(retire_removed),
	KUNIT_CASE(retire_killed),
	{}
};

static struct kunit_suite private_suite = {
	.name = "hmm_retire_private",
	.init = buffer_device_init,
	.exit = buffer_device_exit,
	.test_cases = retire_cases,
};

static struct kunit_suite coherent_suite = {
	.name = "hmm_retire_coherent",
	.init = coherent_device_init,
	.exit = buffer_device_exit,
	.test_cases = retire_cases,
};

kunit_test_suites(&private_suite, &coherent_suite);

MODULE_DESCRIPTION("KUnit tests of bad pages of device memory");
MODULE_LICENSE("GPL");
