// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory: its allocator, the migration of a process's pages, and the
 * migration core under drivers that make mistakes.
 *
 * The device's memory is a buffer that no page table of the process maps. A test
 * can read it directly.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/highmem.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/nodemask.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sizes.h>
#include <linux/swap.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "../../internal.h"
#include "../devmem.h"
#include "../devmem_transfer.h"
#include "fixture_device.h"

static void hmm_test_unlock_and_put(struct folio *folio)
{
	folio_unlock(folio);
	folio_put(folio);
}

static void devmem_refuses(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct hmm_devmem *devmem = &device->devmem;
	struct hmm_devmem bad = {
		.type = MEMORY_DEVICE_PRIVATE,
		.ops = &buffer_device_ops,
	};

	bad.fault_pages = 3;
	KUNIT_EXPECT_EQ(test, hmm_devmem_init(&bad), -EINVAL);
	bad.fault_pages = 2 * HPAGE_PMD_NR;
	KUNIT_EXPECT_EQ(test, hmm_devmem_init(&bad), -EINVAL);
	bad.fault_pages = 0;
	bad.type = MEMORY_DEVICE_GENERIC;
	KUNIT_EXPECT_EQ(test, hmm_devmem_init(&bad), -EINVAL);
	bad.type = MEMORY_DEVICE_PRIVATE;
	bad.ops = NULL;
	bad.type = MEMORY_DEVICE_PRIVATE;
	KUNIT_EXPECT_EQ(test, hmm_devmem_init(&bad), -EINVAL);

	KUNIT_EXPECT_EQ(test, hmm_devmem_add(devmem, 0, 0, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, hmm_devmem_add(devmem, 0, PAGE_SIZE, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, hmm_devmem_add(devmem, SZ_4G, DEVICE_SIZE, NULL),
			-EINVAL);
	KUNIT_EXPECT_NULL(test, hmm_devmem_alloc(devmem, HPAGE_PMD_ORDER + 1));
}

/* Coherent memory is refused at addresses that have other memory. */
static void devmem_coherent_refuses(struct kunit *test)
{
	/* Not on the stack: it has a work item. */
	struct hmm_devmem *devmem =
		kunit_kzalloc(test, sizeof(*devmem), GFP_KERNEL);
	phys_addr_t ram;

	KUNIT_ASSERT_NOT_NULL(test, devmem);
	ram = ALIGN_DOWN(virt_to_phys(devmem), HPAGE_PMD_SIZE);
	devmem->type = MEMORY_DEVICE_COHERENT;
	devmem->ops = &buffer_device_ops;
	KUNIT_ASSERT_EQ(test, hmm_devmem_init(devmem), 0);
	KUNIT_EXPECT_EQ(test, hmm_devmem_add(devmem, 0, DEVICE_SIZE, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, hmm_devmem_add(devmem, SZ_4G + PAGE_SIZE,
					     DEVICE_SIZE, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, hmm_devmem_add(devmem, ram, DEVICE_SIZE, NULL),
			-EBUSY);
	hmm_devmem_exit(devmem);
}

/**
 * struct adder - a thread that adds coherent memory
 * @devmem: the memory
 * @range: its addresses
 * @ready: how many threads are about to; both do at the same time
 * @err: the result
 * @done: it has
 */
struct adder {
	struct hmm_devmem devmem;
	struct range range;
	atomic_t *ready;
	int err;
	struct completion done;
};

static int hmm_test_adder_thread(void *data)
{
	struct adder *adder = data;

	atomic_inc(adder->ready);
	while (atomic_read(adder->ready) < 2)
		cpu_relax();
	adder->err = hmm_devmem_add(&adder->devmem, adder->range.start,
				    range_len(&adder->range), NULL);
	/* Ends last: the caller frees @adder. */
	kthread_complete_and_exit(&adder->done, 0);
}

static struct adder *hmm_test_make_adder(struct kunit *test, phys_addr_t start,
					 unsigned long size, atomic_t *ready)
{
	struct adder *adder = kunit_kzalloc(test, sizeof(*adder), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, adder);
	adder->devmem.type = MEMORY_DEVICE_COHERENT;
	adder->devmem.ops = &buffer_device_ops;
	adder->range = (struct range){ start, start + size - 1 };
	adder->ready = ready;
	init_completion(&adder->done);
	KUNIT_ASSERT_EQ(test, hmm_devmem_init(&adder->devmem), 0);
	return adder;
}

/* Of two memories, one within the range of the other, one is refused, the other usable. */
static void devmem_added_at_once(struct kunit *test)
{
	int cpus[2] = { cpumask_first(cpu_online_mask), cpumask_last(cpu_online_mask) };
	struct adder *adder[2];
	struct task_struct *thread;
	atomic_t ready;
	int i, round;

	if (!memory_is_set_aside() || cpus[0] == cpus[1])
		kunit_skip(test, "no memory is reserved for coherent devices, or one CPU");
	for (round = 0; round < 40; round++) {
		atomic_set(&ready, 0);
		adder[0] = hmm_test_make_adder(test, SET_ASIDE_AT, 3 * HPAGE_PMD_SIZE, &ready);
		adder[1] = hmm_test_make_adder(test, SET_ASIDE_AT + HPAGE_PMD_SIZE,
					       HPAGE_PMD_SIZE, &ready);
		for (i = 0; i < 2; i++) {
			thread = kthread_run_on_cpu(hmm_test_adder_thread, adder[i], cpus[i],
						    "hmm_adder/%u");
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
		}
		for (i = 0; i < 2; i++)
			wait_for_completion(&adder[i]->done);
		KUNIT_EXPECT_EQ(test, -EBUSY, adder[0]->err + adder[1]->err);
		for (i = 0; i < 2; i++)
			if (!adder[i]->err)
				KUNIT_EXPECT_TRUE(test,
						  hmm_devmem_range_has_pagemap(&adder[i]->range));
		for (i = 0; i < 2; i++) {
			hmm_devmem_exit(&adder[i]->devmem);
			kunit_kfree(test, adder[i]);
		}
	}
}

/* Pages that were allocated one by one can be allocated as one folio once freed. */
static void devmem_coalesces(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct folio **folios, *huge[2];
	unsigned long i;

	folios = kunit_kcalloc(test, DEVICE_PAGES, sizeof(*folios), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, folios);
	for (i = 0; i < DEVICE_PAGES; i++) {
		folios[i] = hmm_devmem_alloc(&device->devmem, 0);
		if (!folios[i])
			break;
	}
	KUNIT_EXPECT_EQ(test, i, DEVICE_PAGES);
	KUNIT_EXPECT_NULL(test, hmm_devmem_alloc(&device->devmem, 0));
	while (i--)
		hmm_test_unlock_and_put(folios[i]);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);

	for (i = 0; i < ARRAY_SIZE(huge); i++) {
		huge[i] = hmm_devmem_alloc(&device->devmem, HPAGE_PMD_ORDER);
		KUNIT_ASSERT_NOT_NULL(test, huge[i]);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(folio_pfn(huge[i]),
						   HPAGE_PMD_NR));
		KUNIT_EXPECT_EQ(test, folio_ref_count(huge[i]), 1);
		KUNIT_EXPECT_TRUE(test, folio_test_locked(huge[i]));
	}
	KUNIT_EXPECT_NULL(test, hmm_devmem_alloc(&device->devmem, 0));
	hmm_test_unlock_and_put(huge[0]);
	hmm_test_unlock_and_put(huge[1]);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/**
 * struct searcher - a thread that allocates two pages in a row, of which there are none
 * @devmem: the memory
 * @thread: the thread
 * @folio: the result
 * @done: it has returned
 */
struct searcher {
	struct hmm_devmem *devmem;
	struct task_struct *thread;
	struct folio *folio;
	bool done;
};

static int hmm_test_searcher_thread(void *data)
{
	struct searcher *searcher = data;

	searcher->folio = hmm_devmem_alloc(searcher->devmem, 1);
	WRITE_ONCE(searcher->done, true);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/*
 * Memory is searched without its lock, which is held with interrupts off: a chunk can have
 * millions of pages. So a search that finds nothing ends even while the lock is held.
 */
static void devmem_searches_unlocked(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct searcher searcher = { .devmem = &device->devmem };
	struct folio **folios;
	unsigned long i;
	bool done;

	if (num_online_cpus() < 2)
		kunit_skip(test, "the thread needs a CPU of its own");
	folios = kunit_kcalloc(test, DEVICE_PAGES, sizeof(*folios), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, folios);
	for (i = 0; i < DEVICE_PAGES; i++) {
		folios[i] = hmm_devmem_alloc(&device->devmem, 0);
		KUNIT_ASSERT_NOT_NULL(test, folios[i]);
	}
	for (i = 0; i < DEVICE_PAGES; i += 2)
		hmm_test_unlock_and_put(folios[i]);

	/* Bound elsewhere: this CPU is busy, with interrupts off. */
	migrate_disable();
	searcher.thread = kthread_create_on_cpu(hmm_test_searcher_thread, &searcher,
						cpumask_any_but(cpu_online_mask,
								smp_processor_id()),
						"hmm_searcher");
	if (!IS_ERR(searcher.thread)) {
		spin_lock_irq(&device->devmem.lock);
		wake_up_process(searcher.thread);
		for (i = 0; i < 1000 && !READ_ONCE(searcher.done); i++)
			mdelay(1);
		spin_unlock_irq(&device->devmem.lock);
	}
	done = READ_ONCE(searcher.done);
	migrate_enable();

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, searcher.thread);
	KUNIT_EXPECT_EQ(test, kthread_stop(searcher.thread), 0);
	KUNIT_EXPECT_TRUE(test, done);
	KUNIT_EXPECT_NULL(test, searcher.folio);
	for (i = 1; i < DEVICE_PAGES; i += 2)
		hmm_test_unlock_and_put(folios[i]);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

#ifdef kunit_warning_suppress
/*
 * It may sleep, also where it fails. With CONFIG_DEBUG_ATOMIC_SLEEP, a task that is about to
 * sleep is reported when it calls something that may.
 */
static void devmem_alloc_may_sleep(struct kunit *test)
{
	struct buffer_device *device = test->priv;

	if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		kunit_skip(test, "this kernel does not check");
	kunit_warning_suppress(test) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		hmm_devmem_alloc(&device->devmem, HPAGE_PMD_ORDER + 1);
		__set_current_state(TASK_RUNNING);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
}
#else
static void devmem_alloc_may_sleep(struct kunit *test)
{
	kunit_skip(test, "KUnit of this kernel does not count warnings");
}
#endif

/* A freed page has no flags and no driver data of its last user. */
static void devmem_scrubs(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned int order;

	for (order = 0; order <= HPAGE_PMD_ORDER; order += HPAGE_PMD_ORDER) {
		struct folio *folio = hmm_devmem_alloc(&device->devmem, order);

		KUNIT_ASSERT_NOT_NULL(test, folio);
		folio_set_active(folio);
		folio_set_unevictable(folio);
		folio_set_workingset(folio);
		__folio_set_swapbacked(folio);
		folio->page.zone_device_data = device;
		hmm_test_unlock_and_put(folio);
		KUNIT_EXPECT_FALSE(test, folio_test_active(folio));
		KUNIT_EXPECT_FALSE(test, folio_test_unevictable(folio));
		KUNIT_EXPECT_FALSE(test, folio_test_workingset(folio));
		KUNIT_EXPECT_FALSE(test, folio_test_swapbacked(folio));
		KUNIT_EXPECT_NULL(test, folio->page.zone_device_data);
		KUNIT_EXPECT_TRUE(test, folio_is_device_private(folio));
	}
}

/* Invalid ranges, and ranges that are not mapped as a whole. */
static void devmem_refuses_ranges(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, -PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr + 1, PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, 4 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 4 * PAGE_SIZE), 4);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, 2 * PAGE_SIZE), 2);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 2);
	KUNIT_ASSERT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, PAGE_SIZE), -EINVAL);
	/* The number of pages that migrated is returned, not the error. */
	KUNIT_ASSERT_EQ(test, vm_munmap(addr + 3 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test,
			migrate_to_ram(device, addr + PAGE_SIZE, 3 * PAGE_SIZE),
			1);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr + PAGE_SIZE, 3 * PAGE_SIZE), 2);
}

/* A CPU fault migrates the page and its neighbours, and no others. */
static void devmem_fault_around(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 64 * PAGE_SIZE), i;

	write_numbers(test, addr, 64);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, 64 * PAGE_SIZE), 64);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 64);

	device->copies = 0;
	i = (ALIGN(addr, 16 * PAGE_SIZE) - addr) / PAGE_SIZE + 5;
	KUNIT_EXPECT_EQ(test, read_number(test, addr + i * PAGE_SIZE), i);
	KUNIT_EXPECT_EQ(test, device->copies, 16);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 48);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, read_number(test, addr + i * PAGE_SIZE), i);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* A page for a hole is cleared. */
static void devmem_clears(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 8 * PAGE_SIZE), i;

	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, 8 * PAGE_SIZE), 8);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, read_number(test, addr + i * PAGE_SIZE), 0);
}

static void devmem_evicts(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 64 * PAGE_SIZE), i;

	write_numbers(test, addr, 64);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, 64 * PAGE_SIZE), 64);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 0);
	KUNIT_EXPECT_EQ(test, available(device), 0);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 64 * PAGE_SIZE), 0);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, read_number(test, addr + i * PAGE_SIZE), i);
	hmm_devmem_resume(&device->devmem);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 64 * PAGE_SIZE), 64);
}

/* A page whose copy fails stays, in either direction. */
static void devmem_copy_fails(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE), number;

	write_numbers(test, addr, 4);
	device->broken = true;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 4 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, read_number(test, addr + PAGE_SIZE), 1);

	device->broken = false;
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, 4 * PAGE_SIZE), 4);
	device->broken = true;
	KUNIT_EXPECT_EQ(test, get_user(number, (unsigned long __user *)addr),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 4);
	device->broken = false;
	KUNIT_EXPECT_EQ(test, read_number(test, addr + 3 * PAGE_SIZE), 3);
}

/* If the device memory is full, the remaining pages stay. */
static void devmem_full(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long size = DEVICE_SIZE + 16 * PAGE_SIZE;
	unsigned long addr = map_anonymous(test, size), i;

	write_numbers(test, addr, size >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, size),
			DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, available(device), 0);
	for (i = 0; i < size >> PAGE_SHIFT; i++)
		if (read_number(test, addr + i * PAGE_SIZE) != i)
			break;
	KUNIT_EXPECT_EQ(test, i, size >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* Chunks are added, and removed with all pages migrated to system memory. */
static void devmem_grows(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long pages = DEVICE_PAGES + 16, i;
	unsigned long addr = map_anonymous(test, pages * PAGE_SIZE);
	struct folio *held;

	add_buffer(test, device);
	write_numbers(test, addr, pages);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, pages * PAGE_SIZE),
			pages);
	KUNIT_EXPECT_EQ(test, available(device), 2 * DEVICE_PAGES - pages);

	/* A page with a reference keeps its chunk, and the chunks after it. */
	held = hmm_devmem_alloc(&device->devmem, 0);
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&device->devmem, 1), -EBUSY);
	KUNIT_EXPECT_EQ(test, device->released, 1);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
	KUNIT_ASSERT_NOT_NULL(test, held);
	hmm_test_unlock_and_put(held);
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&device->devmem, 0), 0);
	KUNIT_EXPECT_EQ(test, device->released, 2);
	KUNIT_EXPECT_EQ(test, available(device), 0);
	for (i = 0; i < pages; i++)
		if (read_number(test, addr + i * PAGE_SIZE) != i)
			break;
	KUNIT_EXPECT_EQ(test, i, pages);
}

/* How long a lock is held; who waits longer than half of it was not killed. */
#define HOLD_TIME	(4 * HZ)

/**
 * struct lock_holder - a task that holds a lock
 * @work: the task
 * @lock: the lock
 * @held: it is held
 * @release: it is to be released
 */
struct lock_holder {
	struct work_struct work;
	struct mutex *lock; /* see above */
	struct completion held;
	struct completion release;
};

static void hmm_test_hold(struct work_struct *work)
{
	struct lock_holder *holder = container_of(work, struct lock_holder, work);

	mutex_lock(holder->lock);
	complete(&holder->held);
	wait_for_completion_timeout(&holder->release, HOLD_TIME);
	mutex_unlock(holder->lock);
}

/* While another task holds @lock, a killed task calls @wait, which ends soon. */
static void expect_killable(struct kunit *test, const char *what, struct mutex *lock,
			    void (*wait)(struct kunit *test, struct hmm_devmem *devmem))
{
	struct lock_holder *holder = kunit_kzalloc(test, sizeof(*holder), GFP_KERNEL);
	struct buffer_device *device = test->priv;
	unsigned long start;

	KUNIT_ASSERT_NOT_NULL(test, holder);
	holder->lock = lock;
	init_completion(&holder->held);
	init_completion(&holder->release);
	INIT_WORK(&holder->work, hmm_test_hold);
	queue_work(system_dfl_wq, &holder->work);
	wait_for_completion(&holder->held);
	start = jiffies;
	set_killed(true);
	wait(test, &device->devmem);
	set_killed(false);
	KUNIT_EXPECT_LT_MSG(test, jiffies - start, HOLD_TIME / 2, "%s", what);
	complete(&holder->release);
	flush_work(&holder->work);
}

static void killed_adds(struct kunit *test, struct hmm_devmem *devmem)
{
	KUNIT_EXPECT_EQ(test, -EINTR, hmm_devmem_add(devmem, 0, DEVICE_SIZE, NULL));
}

static void killed_makes_room(struct kunit *test, struct hmm_devmem *devmem)
{
	hmm_devmem_reclaim(devmem, 1, jiffies);
}

#ifdef CONFIG_CGROUP_DMEM
static void killed_makes_room_below_a_limit(struct kunit *test, struct hmm_devmem *devmem)
{
	KUNIT_EXPECT_FALSE(test, hmm_devmem_reclaim_pool(devmem, NULL, 1, jiffies));
}
#endif

static int adds_nothing(struct hmm_devmem *devmem)
{
	return 0;
}

static void killed_grows(struct kunit *test, struct hmm_devmem *devmem)
{
	hmm_devmem_grow_if_low(devmem);
}

/* Waits for the locks of device memory end on a fatal signal. */
static void devmem_killed_at_locks(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct hmm_devmem *devmem = &device->devmem;
	struct hmm_devmem_ops growing = *devmem->ops;
	const struct hmm_devmem_ops *ops = devmem->ops;
	unsigned long addr = map_anonymous(test, DEVICE_SIZE);

	expect_killable(test, "add", &devmem->chunks_lock, killed_adds);
	expect_killable(test, "make room", &devmem->chunks_lock, killed_makes_room);
#ifdef CONFIG_CGROUP_DMEM
	expect_killable(test, "below a limit", &devmem->chunks_lock,
			killed_makes_room_below_a_limit);
#endif
	/* The device grows when less than a batch is free. */
	KUNIT_EXPECT_EQ(test, DEVICE_PAGES, migrate_to(device, addr, DEVICE_SIZE));
	growing.grow = adds_nothing;
	devmem->ops = &growing;
	expect_killable(test, "grow", &devmem->grow_lock, killed_grows);
	devmem->ops = ops;
}

/* A copy fails with -ENOMEM: a small page stays, a huge one migrates as small ones. */
static void devmem_fails_once(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);

	device->fail_once = true;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 4 * PAGE_SIZE), 3);
	device->fail_once = true;
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, 4 * PAGE_SIZE), 2);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, HPAGE_PMD_SIZE), 0);

	addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	allow_huge(test, addr, HPAGE_PMD_SIZE);
	device->fail_once = true;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, read_number(test, addr + PAGE_SIZE), 0);
}

/* A huge hole gets a huge folio, which migrates back as a whole. */
static void devmem_huge(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);

	allow_huge(test, addr, HPAGE_PMD_SIZE);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE),
			HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 0);
	KUNIT_EXPECT_EQ(test, device->copies, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, put_user(7UL, (unsigned long __user *)addr), 0);
	hmm_devmem_resume(&device->devmem);

	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE),
			HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, read_number(test, addr + HPAGE_PMD_SIZE / 2), 0);
	KUNIT_EXPECT_EQ(test, read_number(test, addr), 7);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/*
 * The process has freed a page lazily, and the device writes to it: reclaim must
 * not discard it. Also as part of a huge folio.
 */
static void devmem_keeps_writes(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long pages;

	for (pages = 1; pages <= HPAGE_PMD_NR; pages *= HPAGE_PMD_NR) {
		unsigned long addr, size = pages << PAGE_SHIFT, i;
		struct page *page;

		addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
		allow_huge(test, addr, size);
		write_numbers(test, addr, pages);
		KUNIT_ASSERT_EQ(test, 0, do_madvise(current->mm, addr, size, MADV_FREE));
		lru_add_drain_all();
		KUNIT_ASSERT_EQ(test, 1, get_user_pages_fast(addr, 1, 0, &page));
		KUNIT_EXPECT_FALSE(test, folio_test_swapbacked(page_folio(page)));
		put_page(page);

		KUNIT_ASSERT_EQ(test, migrate_to(device, addr, size), pages);
		page = device_page(device, 0);
		for (i = 0; i < pages; i++)
			*(unsigned long *)(device->memory + hmm_devmem_offset(page + i)) = i + 7;
		KUNIT_EXPECT_EQ(test, read_number(test, addr), 7);
		KUNIT_EXPECT_EQ(test, 0, do_madvise(current->mm, addr, size, MADV_PAGEOUT));
		for (i = 0; i < pages; i++)
			if (read_number(test, addr + i * PAGE_SIZE) != i + 7)
				break;
		KUNIT_EXPECT_EQ(test, i, pages);
		vm_munmap(addr, size);
	}
}

/*
 * Huge device pages are allocated where a page fault would allocate huge pages, and
 * migrate to system memory as a whole unless the process has disabled THP. Pages
 * outside the requested range are not populated.
 */
static void devmem_huge_policy(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);

	KUNIT_ASSERT_EQ(test, 0, do_madvise(current->mm, addr, HPAGE_PMD_SIZE,
					    MADV_NOHUGEPAGE));
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr + PAGE_SIZE, PAGE_SIZE), 1);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
	KUNIT_ASSERT_EQ(test, 0, do_madvise(current->mm, addr, HPAGE_PMD_SIZE,
					    MADV_DONTNEED));

	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, folio_order(page_folio(device_page(device, 0))), 0);
	KUNIT_EXPECT_EQ(test, read_number(test, addr), 0);
	/* At most &hmm_devmem.fault_pages migrate with the page that was touched. */
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - HPAGE_PMD_NR + 16);
	KUNIT_ASSERT_EQ(test, 0, do_madvise(current->mm, addr, HPAGE_PMD_SIZE,
					    MADV_DONTNEED));

	allow_huge(test, addr, HPAGE_PMD_SIZE);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, folio_order(page_folio(device_page(device, 0))),
			HPAGE_PMD_ORDER);
	KUNIT_ASSERT_EQ(test, 0, do_madvise(current->mm, addr, HPAGE_PMD_SIZE,
					    MADV_NOHUGEPAGE));
	device->copies = 0;
	memset(device->blocks, 0, sizeof(device->blocks));
	KUNIT_EXPECT_EQ(test, read_number(test, addr), 0);
	KUNIT_EXPECT_EQ(test, device->blocks[HPAGE_PMD_ORDER], 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* Device memory without chunks. Not on the stack: it has a work item. */
static struct hmm_devmem *make_memory(struct kunit *test, struct device *dev)
{
	/* buffer_release() counts in the device. */
	struct buffer_device *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	struct hmm_devmem *devmem;

	KUNIT_ASSERT_NOT_NULL(test, device);
	devmem = &device->devmem;
	devmem->type = MEMORY_DEVICE_PRIVATE;
	devmem->ops = &buffer_device_ops;
	devmem->dev = dev;
	KUNIT_ASSERT_EQ(test, hmm_devmem_init(devmem), 0);
	return devmem;
}

/* The name in /proc/iomem of a memory's first chunk, and the node of its pages. */
static const char *iomem_name(struct hmm_devmem *devmem, int *nid)
{
	struct hmm_devmem_chunk *chunk =
		list_first_entry(&devmem->chunks, struct hmm_devmem_chunk, list);
	resource_size_t start = chunk->pagemap.range.start;

	*nid = page_to_nid(pfn_to_page(PHYS_PFN(start)));
	for (struct resource *res = iomem_resource.child; res; res = res->sibling)
		if (res->start == start)
			return res->name;
	return "none";
}

/*
 * A memory holds a reference to its device until it ends. The device names it and has
 * its node: each one in turn, as the default is that of the CPU.
 */
static void devmem_has_device(struct kunit *test)
{
	struct device *dev = root_device_register("hmm_kunit_device");
	unsigned int refs;
	struct hmm_devmem *devmem;
	int node, nid;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	refs = kref_read(&dev->kobj.kref);
	for_each_node_state(node, N_MEMORY) {
		set_dev_node(dev, node);
		devmem = make_memory(test, dev);
		KUNIT_EXPECT_EQ(test, kref_read(&dev->kobj.kref), refs + 1);
		KUNIT_EXPECT_EQ(test, hmm_devmem_set_device(devmem, dev), -EBUSY);
		KUNIT_EXPECT_EQ(test, hmm_devmem_add_private(devmem, DEVICE_SIZE, NULL), 0);
		KUNIT_EXPECT_STREQ(test, iomem_name(devmem, &nid), "hmm_kunit_device");
		KUNIT_EXPECT_EQ(test, nid, node);
		hmm_devmem_exit(devmem);
		KUNIT_EXPECT_EQ(test, kref_read(&dev->kobj.kref), refs);
	}

	/* Given later, but not too late; a name of its own is the one that is used. */
	devmem = make_memory(test, NULL);
	devmem->name = "hmm_kunit_memory";
	KUNIT_EXPECT_EQ(test, hmm_devmem_set_device(devmem, dev), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&dev->kobj.kref), refs + 1);
	KUNIT_EXPECT_EQ(test, hmm_devmem_add_private(devmem, DEVICE_SIZE, NULL), 0);
	KUNIT_EXPECT_STREQ(test, iomem_name(devmem, &nid), "hmm_kunit_memory");
	KUNIT_EXPECT_EQ(test, nid, dev_to_node(dev));
	hmm_devmem_exit(devmem);

	devmem = make_memory(test, NULL);
	KUNIT_EXPECT_EQ(test, hmm_devmem_add_private(devmem, DEVICE_SIZE, NULL), 0);
	KUNIT_EXPECT_STREQ(test, iomem_name(devmem, &nid), "hmm_devmem");
	KUNIT_EXPECT_EQ(test, hmm_devmem_set_device(devmem, dev), -EBUSY);
	hmm_devmem_exit(devmem);
	KUNIT_EXPECT_EQ(test, kref_read(&dev->kobj.kref), refs);
	root_device_unregister(dev);
}

static struct kunit_case devmem_cases[] = {
	KUNIT_CASE(devmem_huge_policy),
	KUNIT_CASE(devmem_keeps_writes),
	KUNIT_CASE(devmem_refuses),
	KUNIT_CASE(devmem_coherent_refuses),
	KUNIT_CASE(devmem_added_at_once),
	KUNIT_CASE(devmem_refuses_ranges),
	KUNIT_CASE(devmem_coalesces),
	KUNIT_CASE(devmem_searches_unlocked),
	KUNIT_CASE(devmem_alloc_may_sleep),
	KUNIT_CASE(devmem_scrubs),
	KUNIT_CASE(devmem_fault_around),
	KUNIT_CASE(devmem_clears),
	KUNIT_CASE(devmem_evicts),
	KUNIT_CASE(devmem_copy_fails),
	KUNIT_CASE(devmem_full),
	KUNIT_CASE(devmem_huge),
	KUNIT_CASE(devmem_grows),
	KUNIT_CASE(devmem_killed_at_locks),
	KUNIT_CASE(devmem_fails_once),
	KUNIT_CASE(devmem_has_device),
	{}
};

static struct kunit_suite devmem_suite = {
	.name = "hmm_devmem",
	.init = buffer_device_init,
	.exit = buffer_device_exit,
	.test_cases = devmem_cases,
};

#define NPAGES	HPAGE_PMD_NR

/* A request for @pages pages from @addr on, with arrays. Takes the mmap lock. */
static struct migrate_vma *hmm_test_migrate_request(struct kunit *test, unsigned long addr,
						    unsigned long pages)
{
	struct migrate_vma *args = kunit_kzalloc(test, sizeof(*args), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, args);
	args->src = kunit_kcalloc(test, 2 * NPAGES, sizeof(long), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, args->src);
	args->dst = args->src + NPAGES;
	args->start = addr;
	args->end = addr + pages * PAGE_SIZE;
	args->flags = MIGRATE_VMA_SELECT_SYSTEM | MIGRATE_VMA_SELECT_COMPOUND;
	args->pgmap_owner = &((struct buffer_device *)test->priv)->devmem;
	mmap_read_lock(current->mm);
	args->vma = vma_lookup(current->mm, addr);
	return args;
}

static void hmm_test_migrate_end(struct migrate_vma *args)
{
	migrate_vma_finalize(args);
	mmap_read_unlock(current->mm);
}

/* By pfn only device memory migrates. */
static void migrate_ram_by_pfn(struct kunit *test)
{
	unsigned long addr = map_anonymous(test, PAGE_SIZE), src, dst = 0;
	struct page *page;

	write_numbers(test, addr, 1);
	lru_add_drain_all();
	KUNIT_ASSERT_EQ(test, get_user_pages_fast(addr, 1, 0, &page), 1);
	src = page_to_pfn(page);
	put_page(page);
	KUNIT_EXPECT_EQ(test, migrate_device_pfns(&src, 1), 0);
	KUNIT_EXPECT_EQ(test, src, 0);
	migrate_device_finalize(&src, &dst, 1);
}

static void migrate_refuses(struct kunit *test)
{
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE);
	struct migrate_vma *args = hmm_test_migrate_request(test, addr, 4), bad;
	struct page page = {};

	bad = *args;
	bad.start++;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&bad), -EINVAL);
	bad = *args;
	bad.end--;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&bad), -EINVAL);
	bad = *args;
	swap(bad.start, bad.end);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&bad), -EINVAL);
	bad = *args;
	bad.end = bad.start;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&bad), -EINVAL);
	bad = *args;
	bad.end = args->vma->vm_end + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&bad), -EINVAL);
	bad = *args;
	bad.src = NULL;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&bad), -EINVAL);
	bad = *args;
	bad.dst = NULL;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&bad), -EINVAL);
	bad = *args;
	bad.vma = NULL;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&bad), -EINVAL);
	bad = *args;
	bad.fault_page = &page;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(&bad), -EINVAL);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, migrate_device_pfns(NULL, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, migrate_device_range(NULL, 0, 1), -EINVAL);
	args->src[0] = ULONG_MAX;
	KUNIT_EXPECT_EQ(test, migrate_device_pfns(args->src, 1), -EINVAL);
}

static unsigned long mpfn_of(struct folio *folio)
{
	return migrate_pfn(folio_pfn(folio));
}

/* Invalid dst folios: the src pages stay. */
static void migrate_invalid_dst(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE), i;
	struct migrate_vma *args;
	struct folio *folio;

	write_numbers(test, addr, 4);
	args = hmm_test_migrate_request(test, addr, 4);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	KUNIT_EXPECT_EQ(test, args->cpages, 4);

	/* Not locked; too large; valid; passed twice. */
	folio = hmm_devmem_alloc(&device->devmem, 0);
	folio_unlock(folio);
	args->dst[0] = mpfn_of(folio);
	args->dst[1] = mpfn_of(hmm_devmem_alloc(&device->devmem, 2));
	folio = hmm_devmem_alloc(&device->devmem, 0);
	device->devmem.ops->copy(&device->devmem, &folio->page,
				 migrate_pfn_to_page(args->src[2]), 0);
	args->dst[2] = mpfn_of(folio);
	args->dst[3] = mpfn_of(folio);
	migrate_vma_pages(args);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, !!(args->src[i] & MIGRATE_PFN_MIGRATE),
				i == 2);
	hmm_test_migrate_end(args);

	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, read_number(test, addr + i * PAGE_SIZE), i);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* A dst page that is passed for several holes is inserted into the first one. */
static void migrate_page_twice(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE), i;
	struct folio *folio = hmm_devmem_alloc(&device->devmem, 0);
	struct migrate_vma *args;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	device->devmem.ops->clear(&device->devmem, &folio->page, 0);
	args = hmm_test_migrate_request(test, addr, 4);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	KUNIT_EXPECT_EQ(test, args->cpages, 4);
	for (i = 1; i < 4; i++)
		args->dst[i] = mpfn_of(folio);
	migrate_vma_pages(args);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, !!(args->src[i] & MIGRATE_PFN_MIGRATE),
				i == 1);
	KUNIT_EXPECT_EQ(test, folio_mapcount(folio), 1);
	hmm_test_migrate_end(args);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, put_user(i, (unsigned long __user *)
					       (addr + i * PAGE_SIZE)), 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 4), 4);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* How many mpfns migrate. */
static unsigned long hmm_test_count_moved(const struct migrate_vma *args)
{
	unsigned long i, moved = 0;

	for (i = 0; i < args->npages; i++)
		moved += !!(args->src[i] & MIGRATE_PFN_MIGRATE);
	return moved;
}

/* How a dst folio is given twice, and what is the matter with one of its two mpfns. */
enum given_twice {
	FIRST_NOT_MIGRATED,	/* commit refuses the first src */
	FIRST_NOT_COLLECTED,	/* the first has no src */
	SECOND_NOT_COLLECTED,
	FIRST_HOLE_FILLED,	/* the process has filled the first of two holes */
	HOLE_AND_NOT_COLLECTED,	/* the first is a hole, the second has no src */
	CANCELLED,		/* commit is not called */
	GIVEN_TWICE_CASES
};

/*
 * A dst folio is given for two mpfns. It is mapped once if the first mpfn uses it, else
 * not at all; the reference that the driver gave is dropped once.
 */
static void hmm_test_given_twice(struct kunit *test, enum given_twice how)
{
	bool used = how == SECOND_NOT_COLLECTED || how == HOLE_AND_NOT_COLLECTED;
	bool holes = how == FIRST_HOLE_FILLED, hole = how == HOLE_AND_NOT_COLLECTED;
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 2 * PAGE_SIZE), i;
	struct folio *folio = hmm_devmem_alloc(&device->devmem, 0);
	struct page *busy = NULL;
	struct migrate_vma *args;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	folio_get(folio);
	if (hole)
		KUNIT_EXPECT_EQ(test, put_user(1UL, (unsigned long __user *)(addr + PAGE_SIZE)), 0);
	else if (!holes)
		write_numbers(test, addr, 2);
	lru_add_drain_all();
	if (how == FIRST_NOT_COLLECTED || used)
		KUNIT_ASSERT_EQ(test, get_user_pages_fast(addr + used * PAGE_SIZE, 1, 0,
							  &busy), 1);
	args = hmm_test_migrate_request(test, addr, 2);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	KUNIT_EXPECT_EQ(test, args->cpages, busy ? 1 : 2);
	if (how == FIRST_NOT_MIGRATED) {
		busy = migrate_pfn_to_page(args->src[0]);
		get_page(busy);
	}
	if (hole)
		device->devmem.ops->clear(&device->devmem, &folio->page, 0);
	else if (used)
		device->devmem.ops->copy(&device->devmem, &folio->page,
					 migrate_pfn_to_page(args->src[0]), 0);
	/* As another thread would: the mmap lock is held. */
	if (holes)
		KUNIT_EXPECT_EQ(test, get_user_pages(addr, 1, FOLL_WRITE, &busy), 1);
	args->dst[0] = mpfn_of(folio);
	args->dst[1] = args->dst[0];
	if (how != CANCELLED)
		migrate_vma_pages(args);
	if (how != CANCELLED)
		KUNIT_EXPECT_EQ(test, used, hmm_test_count_moved(args));
	hmm_test_migrate_end(args);
	if (busy)
		put_page(busy);

	KUNIT_EXPECT_EQ_MSG(test, used, folio_mapcount(folio), "case %d", how);
	KUNIT_EXPECT_EQ_MSG(test, 1 + used, folio_ref_count(folio), "case %d", how);
	KUNIT_EXPECT_FALSE(test, folio_test_private_2(folio));
	folio_put(folio);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, read_number(test, addr + i * PAGE_SIZE),
				holes ? 0 : i);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

static void migrate_given_twice(struct kunit *test)
{
	int how;

	for (how = 0; how < GIVEN_TWICE_CASES; how++)
		hmm_test_given_twice(test, how);
}

/* A large dst folio that is given for its tail pages too is freed once. */
static void migrate_large_given_twice(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = ALIGN(map_anonymous(test, 3 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	struct migrate_vma *args;
	struct folio *folio;

	allow_huge(test, addr, HPAGE_PMD_SIZE);
	folio = hmm_devmem_alloc(&device->devmem, HPAGE_PMD_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	folio_get(folio);
	device->devmem.ops->clear(&device->devmem, &folio->page, HPAGE_PMD_ORDER);
	args = hmm_test_migrate_request(test, addr, NPAGES);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	KUNIT_ASSERT_TRUE(test, args->src[0] & MIGRATE_PFN_COMPOUND);
	args->dst[0] = mpfn_of(folio) | MIGRATE_PFN_COMPOUND;
	args->dst[1] = args->dst[0];
	args->dst[NPAGES - 1] = args->dst[0] + (1UL << MIGRATE_PFN_SHIFT);
	migrate_vma_pages(args);
	KUNIT_EXPECT_TRUE(test, args->src[0] & MIGRATE_PFN_MIGRATE);
	hmm_test_migrate_end(args);
	KUNIT_EXPECT_EQ(test, 2, folio_ref_count(folio));
	KUNIT_EXPECT_EQ(test, 1, folio_entire_mapcount(folio));
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, read_number(test, addr), 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/*
 * The process fills holes while the driver has folios for them. Such a folio is
 * unchanged, not charged to any memcg, and can be passed again.
 */
static void migrate_hole_filled_meanwhile(struct kunit *test)
{
	static const unsigned int orders[] = { 0, HPAGE_PMD_ORDER };
	struct buffer_device *device = test->priv;
	const unsigned long seven = 7;
	struct migrate_vma *args;
	struct folio *folio;
	struct page *page;
	unsigned long addr;
	int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		unsigned long pages = 1UL << orders[i];
		unsigned long dst;
		bool charged;

		addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
		folio = hmm_devmem_alloc(&device->devmem, orders[i]);
		KUNIT_ASSERT_NOT_NULL(test, folio);
		device->devmem.ops->clear(&device->devmem, &folio->page, orders[i]);
		folio_get(folio);
		dst = mpfn_of(folio) | (orders[i] ? MIGRATE_PFN_COMPOUND : 0);

		args = hmm_test_migrate_request(test, addr, pages);
		KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
		KUNIT_EXPECT_EQ(test, args->cpages, 1);
		args->dst[0] = dst;
		/* As another thread would: the mmap lock is held. */
		if (get_user_pages(addr, 1, FOLL_WRITE, &page) == 1) {
			memcpy_to_page(page, 0, (const char *)&seven, sizeof(seven));
			put_page(page);
		}
		migrate_vma_pages(args);
		KUNIT_EXPECT_FALSE(test, args->src[0] & MIGRATE_PFN_MIGRATE);
		KUNIT_EXPECT_NULL(test, folio->mapping);
		scoped_guard(rcu)
			charged = folio_memcg_charged(folio);
		hmm_test_migrate_end(args);
		/* The device waits at its end for a folio that is not freed. */
		if (charged)
			folio_put(folio);
		KUNIT_ASSERT_FALSE(test, charged);
		KUNIT_EXPECT_EQ(test, read_number(test, addr), 7);
		vm_munmap(addr, HPAGE_PMD_SIZE);

		addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
		folio_lock(folio);
		args = hmm_test_migrate_request(test, addr, pages);
		KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
		args->dst[0] = dst;
		migrate_vma_pages(args);
		KUNIT_EXPECT_TRUE(test, args->src[0] & MIGRATE_PFN_MIGRATE);
		scoped_guard(rcu)
			charged = folio_memcg(folio);
		KUNIT_EXPECT_EQ(test, charged, !mem_cgroup_disabled());
		hmm_test_migrate_end(args);
		KUNIT_EXPECT_EQ(test, read_number(test, addr), 0);
		KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
		vm_munmap(addr, HPAGE_PMD_SIZE);
	}
}

/* mpfns have documented flags only; the core keeps its own state elsewhere. */
static void migrate_public_mpfns(struct kunit *test)
{
	const unsigned long flags = MIGRATE_PFN_VALID | MIGRATE_PFN_MIGRATE |
				    MIGRATE_PFN_WRITE | MIGRATE_PFN_COMPOUND;
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE), i;
	struct migrate_vma *args;

	write_numbers(test, addr, 4);
	args = hmm_test_migrate_request(test, addr, 4);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	KUNIT_EXPECT_EQ(test, args->cpages, 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0, args->src[i] & ~flags &
				(BIT(MIGRATE_PFN_SHIFT) - 1));
	hmm_test_migrate_end(args);
}

#ifdef kunit_warning_suppress
/* Each stage that needs the mmap lock warns of a driver that has released it too early. */
static void migrate_without_lock(struct kunit *test)
{
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE);
	struct migrate_vma *args;

	write_numbers(test, addr, 4);
	args = hmm_test_migrate_request(test, addr, 4);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	KUNIT_EXPECT_EQ(test, args->cpages, 4);
	mmap_read_unlock(current->mm);
	kunit_warning_suppress(test) {
		migrate_vma_pages(args);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
		migrate_vma_finalize(args);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 2);
	}
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 4), 4);
}
#else
static void migrate_without_lock(struct kunit *test)
{
	kunit_skip(test, "KUnit of this kernel does not count warnings");
}
#endif

/*
 * The PTEs of a large folio are clean and old, unlike those of the single pages before and
 * behind it, which are alike. Each gets its own again when the migration is cancelled.
 */
static void migrate_cancelled_mixed(struct kunit *test)
{
	unsigned long always = huge_anon_orders_always, inherit = huge_anon_orders_inherit;
	struct migrate_vma *args;
	struct page *page = NULL;
	unsigned long addr, i;

	addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE) +
	       15 * PAGE_SIZE;
	WRITE_ONCE(huge_anon_orders_inherit, 0);
	WRITE_ONCE(huge_anon_orders_always, 0);
	write_numbers(test, addr, 1);
	write_numbers(test, addr + 17 * PAGE_SIZE, 1);
	WRITE_ONCE(huge_anon_orders_always, BIT(4));
	write_numbers(test, addr + PAGE_SIZE, 16);
	WRITE_ONCE(huge_anon_orders_always, always);
	WRITE_ONCE(huge_anon_orders_inherit, inherit);
	KUNIT_ASSERT_EQ(test, get_user_pages_fast(addr + PAGE_SIZE, 1, 0, &page), 1);
	i = folio_order(page_folio(page));
	put_page(page);
	if (i != 4)
		kunit_skip(test, "cannot allocate a folio of order 4");
	KUNIT_ASSERT_EQ(test, 0, do_madvise(current->mm, addr + PAGE_SIZE, 16 * PAGE_SIZE,
					    MADV_FREE));
	/* As the folios of the single pages, although none of its PTEs is. */
	folio_set_dirty(page_folio(page));

	args = hmm_test_migrate_request(test, addr, 18);
	args->flags |= HMM_MIGRATE_ANY_ORDER;
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	KUNIT_EXPECT_EQ(test, args->cpages, 3);
	KUNIT_EXPECT_TRUE(test, args->src[1] & MIGRATE_PFN_COMPOUND);
	hmm_test_migrate_end(args);
	for (i = 0; i < 18; i++) {
		pte_t pte = pte_at(test, addr + i * PAGE_SIZE);
		bool small = i == 0 || i == 17;

		KUNIT_EXPECT_TRUE(test, pte_present(pte) && pte_write(pte));
		KUNIT_EXPECT_EQ(test, !!pte_dirty(pte), small);
		KUNIT_EXPECT_EQ(test, !!pte_young(pte), small);
	}
	KUNIT_EXPECT_EQ(test, read_number(test, addr + 17 * PAGE_SIZE), 0);
}

/**
 * struct request_change - what a driver does to its request after setup
 * @start: added to &migrate_vma.start, in pages
 * @end: added to &migrate_vma.end, in pages
 * @vma: whether &migrate_vma.vma is set to NULL
 * @filled: how many of two holes are filled if this is done before commit
 */
struct request_change {
	long start;
	long end;
	bool vma;
	int filled;
};

static void hmm_test_change_request(struct migrate_vma *args,
				    const struct request_change *change)
{
	args->start += change->start * PAGE_SIZE;
	args->end += change->end * PAGE_SIZE;
	if (change->vma)
		args->vma = NULL;
}

/* Two pages and two holes. No migration entry is left, and no other page is changed. */
static void hmm_test_changed_request(struct kunit *test, const struct request_change *change,
				     bool committed)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 16 * PAGE_SIZE) + 4 * PAGE_SIZE, i;
	struct folio *folio[4];
	struct migrate_vma *args;

	write_numbers(test, addr, 2);
	args = hmm_test_migrate_request(test, addr, 4);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	KUNIT_ASSERT_EQ(test, args->cpages, 4);
	for (i = 0; i < 4; i++) {
		folio[i] = hmm_devmem_alloc(&device->devmem, 0);
		KUNIT_ASSERT_NOT_NULL(test, folio[i]);
		if (i < 2)
			device->devmem.ops->copy(&device->devmem, &folio[i]->page,
						 migrate_pfn_to_page(args->src[i]), 0);
		else
			device->devmem.ops->clear(&device->devmem, &folio[i]->page, 0);
		args->dst[i] = migrate_pfn(folio_pfn(folio[i]));
	}
	if (committed)
		migrate_vma_pages(args);
	hmm_test_change_request(args, change);
	if (!committed)
		migrate_vma_pages(args);
	KUNIT_EXPECT_EQ(test, 2 + (committed ? 2 : change->filled),
			hmm_test_count_moved(args));
	hmm_test_migrate_end(args);
	/* An access to a page that is not would wait for ever. */
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_TRUE(test, folio_mapped(folio[i]));
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 2), 2);
	for (i = 2; i < 5; i++)
		KUNIT_EXPECT_EQ(test, read_number(test, addr + i * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/*
 * A driver changes its request after setup. The pages migrate; holes are filled only
 * where the request is a valid one of the same length.
 */
static void migrate_request_changed(struct kunit *test)
{
	static const struct request_change changes[] = {
		{ .start = 1 },
		{ .start = -1 },
		{ .end = -1 },
		{ .end = -5 },
		{ .end = 1 },
		{ .start = 4 },
		{ .start = -1000000, .end = -1000000 },
		{ .start = 1000000, .end = 1000000 },
		{ .vma = true },
		{ .start = 1, .end = 1, .filled = 2 },
		{ .filled = 2 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		hmm_test_changed_request(test, &changes[i], false);
		hmm_test_changed_request(test, &changes[i], true);
	}
}

/* The same for a huge hole, which is not filled at an address that is not aligned. */
static void migrate_huge_request_changed(struct kunit *test)
{
	static const struct request_change change = { .start = 1, .end = 1 };
	struct buffer_device *device = test->priv;
	unsigned long addr = ALIGN(map_anonymous(test, 3 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	struct migrate_vma *args;
	struct folio *folio;

	/* All of the VMA, which would be split. */
	allow_huge(test, addr, 2 * HPAGE_PMD_SIZE);
	args = hmm_test_migrate_request(test, addr, NPAGES);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	KUNIT_ASSERT_TRUE(test, args->src[0] & MIGRATE_PFN_COMPOUND);
	folio = hmm_devmem_alloc(&device->devmem, HPAGE_PMD_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	args->dst[0] = migrate_pfn(folio_pfn(folio)) | MIGRATE_PFN_COMPOUND;
	hmm_test_change_request(args, &change);
	migrate_vma_pages(args);
	KUNIT_EXPECT_EQ(test, 0, hmm_test_count_moved(args));
	hmm_test_migrate_end(args);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* A dst folio of another owner's device is invalid, for a page and for a hole. */
static void migrate_foreign_dst(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct buffer_device *other = make_buffer_device(test);
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE), i;
	struct migrate_vma *args;

	write_numbers(test, addr, 2);
	args = hmm_test_migrate_request(test, addr, 4);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	KUNIT_EXPECT_EQ(test, args->cpages, 4);
	for (i = 0; i < 4; i++) {
		struct hmm_devmem *whose = i % 2 ? &device->devmem :
						   &other->devmem;
		struct folio *folio = hmm_devmem_alloc(whose, 0);

		whose->ops->clear(whose, &folio->page, 0);
		args->dst[i] = mpfn_of(folio);
	}
	migrate_vma_pages(args);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, !!(args->src[i] & MIGRATE_PFN_MIGRATE),
				i % 2);
	hmm_test_migrate_end(args);
	KUNIT_EXPECT_EQ(test, available(other), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 2);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, read_number(test, addr + i * PAGE_SIZE), 0);
	hmm_devmem_exit(&other->devmem);
}

/* A driver calls finalize without commit. */
static void migrate_cancelled(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, 4 * PAGE_SIZE), i;
	struct migrate_vma *args;

	write_numbers(test, addr, 4);
	args = hmm_test_migrate_request(test, addr, 4);
	KUNIT_EXPECT_EQ(test, migrate_vma_setup(args), 0);
	for (i = 0; i < 4; i++)
		args->dst[i] = mpfn_of(hmm_devmem_alloc(&device->devmem, 0));
	hmm_test_migrate_end(args);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, read_number(test, addr + i * PAGE_SIZE), i);
}

/* The pfn that device memory allocates first. */
static unsigned long first_pfn(struct buffer_device *device)
{
	return PHYS_PFN(list_first_entry(&device->devmem.chunks,
					 struct hmm_devmem_chunk,
					 list)->pagemap.range.start);
}

static struct folio *alloc_system_folio(void)
{
	struct folio *folio = folio_alloc(GFP_HIGHUSER_MOVABLE, 0);

	if (folio)
		folio_lock(folio);
	return folio;
}

/*
 * A huge device folio, by pfn, with small dst pages for some of its pages only: it
 * is split, pages with a dst move, the others stay.
 */
static void migrate_splits_by_pfn(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	unsigned long *src, *dst, i, pfn;

	allow_huge(test, addr, HPAGE_PMD_SIZE);
	src = kunit_kcalloc(test, 2 * NPAGES, sizeof(*src), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, src);
	dst = src + NPAGES;
	pfn = first_pfn(device);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE),
			HPAGE_PMD_NR);
	for (i = 0; i < HPAGE_PMD_NR; i++)
		device->memory[i * PAGE_SIZE] = i & 0x7f;

	KUNIT_ASSERT_EQ(test, migrate_device_range(src, pfn, NPAGES), 0);
	KUNIT_ASSERT_TRUE(test, src[0] & MIGRATE_PFN_COMPOUND);
	for (i = 0; i < HPAGE_PMD_NR; i += 2) {
		struct folio *folio = alloc_system_folio();

		if (!folio)
			break;
		device->devmem.ops->copy(&device->devmem, &folio->page,
					 pfn_to_page(pfn + i), 0);
		dst[i] = mpfn_of(folio);
	}
	migrate_device_pages(src, dst, NPAGES);
	for (i = 0; i < HPAGE_PMD_NR; i++)
		if (!!(src[i] & MIGRATE_PFN_MIGRATE) == i % 2)
			break;
	KUNIT_EXPECT_EQ(test, i, HPAGE_PMD_NR);
	migrate_device_finalize(src, dst, NPAGES);
	KUNIT_EXPECT_EQ(test, available(device),
			DEVICE_PAGES - HPAGE_PMD_NR / 2);

	for (i = 0; i < HPAGE_PMD_NR; i++)
		if (read_number(test, addr + i * PAGE_SIZE) != (i & 0x7f))
			break;
	KUNIT_EXPECT_EQ(test, i, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/**
 * struct late_put - drops the reference to a folio at an invalidation
 * @notifier: subscribed to the test's process
 * @folio: the folio, or NULL
 */
struct late_put {
	struct mmu_notifier notifier;
	struct folio *folio;
};

static int hmm_test_put_folio_meanwhile(struct mmu_notifier *notifier,
					const struct mmu_notifier_range *range)
{
	struct late_put *late_put = container_of(notifier, struct late_put, notifier);
	struct folio *folio = xchg(&late_put->folio, NULL);

	if (folio)
		folio_put(folio);
	return 0;
}

static const struct mmu_notifier_ops late_put_ops = {
	.invalidate_range_start = hmm_test_put_folio_meanwhile,
};

/*
 * Another migration has unlocked a folio, and drops its reference while this one
 * unmaps the folio before it: nothing refers to the page any more, so it must not move.
 */
static void migrate_skips_unmapped_folio(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, PAGE_SIZE);
	struct late_put late_put = { .notifier.ops = &late_put_ops };
	unsigned long src[2], dst[2] = {};

	write_numbers(test, addr, 1);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, PAGE_SIZE), 1);
	src[0] = first_pfn(device);
	late_put.folio = hmm_devmem_alloc(&device->devmem, 0);
	KUNIT_ASSERT_NOT_NULL(test, late_put.folio);
	folio_unlock(late_put.folio);
	src[1] = folio_pfn(late_put.folio);

	KUNIT_ASSERT_EQ(test, mmu_notifier_register(&late_put.notifier,
						    current->mm), 0);
	KUNIT_EXPECT_EQ(test, migrate_device_pfns(src, 2), 0);
	mmu_notifier_unregister(&late_put.notifier, current->mm);
	KUNIT_EXPECT_NULL(test, late_put.folio);
	KUNIT_EXPECT_TRUE(test, src[0] & MIGRATE_PFN_MIGRATE);
	KUNIT_EXPECT_EQ(test, src[1], 0);

	migrate_device_finalize(src, dst, 2);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - 1);
	KUNIT_EXPECT_EQ(test, read_number(test, addr), 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/**
 * struct exiting_mapping - pages that their process unmaps while they are copied
 * @addr: the address of the pages
 * @size: their size in bytes; 0 once they are unmapped
 * @anon_vma: their anon_vma, to which only the migration has references then
 * @refcount: the count of @anon_vma, after the unmap and before the last copy
 */
static struct exiting_mapping {
	unsigned long addr;
	unsigned long size;
	struct anon_vma *anon_vma;
	int refcount;
} exiting_mapping;

static void hmm_test_unmap_meanwhile(struct buffer_device *device)
{
	if (exiting_mapping.size)
		vm_munmap(exiting_mapping.addr, exiting_mapping.size);
	exiting_mapping.size = 0;
	exiting_mapping.refcount = atomic_read(&exiting_mapping.anon_vma->refcount);
}

/* Evict a folio that its process unmaps meanwhile. */
static void evict_exiting_process(struct kunit *test, unsigned int order)
{
	unsigned long before = huge_anon_orders_always, pages = 1UL << order;
	struct buffer_device *device = test->priv;
	struct vm_area_struct *vma;
	unsigned long addr;

	addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	if (order == HPAGE_PMD_ORDER)
		allow_huge(test, addr, HPAGE_PMD_SIZE);
	WRITE_ONCE(huge_anon_orders_always, BIT(order));
	write_numbers(test, addr, pages);
	WRITE_ONCE(huge_anon_orders_always, before);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, pages << PAGE_SHIFT),
			pages);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	mmap_read_unlock(current->mm);
	KUNIT_ASSERT_NOT_NULL(test, vma);
	exiting_mapping = (struct exiting_mapping){
		/* The whole VMA: it may have been merged with another one. */
		.addr = vma->vm_start,
		.size = vma->vm_end - vma->vm_start,
		.anon_vma = folio_anon_vma(page_folio(device_page(device, 0))),
		.refcount = -1,
	};
	KUNIT_ASSERT_NOT_NULL(test, exiting_mapping.anon_vma);
	device->meanwhile = hmm_test_unmap_meanwhile;
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 0);
	device->meanwhile = NULL;
	KUNIT_EXPECT_GT(test, exiting_mapping.refcount, 0);
	hmm_devmem_resume(&device->devmem);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/*
 * In a migration by pfn, the mappings may be removed at any time. The anon_vma must
 * stay as long as migration entries may exist: for a small folio, a large one, and
 * the parts of a large one that is split during the migration.
 */
static void migrate_holds_anon_vma(struct kunit *test)
{
	struct buffer_device *device = test->priv;

	evict_exiting_process(test, 0);
	evict_exiting_process(test, 4);
	evict_exiting_process(test, HPAGE_PMD_ORDER);
	device->small = true;
	evict_exiting_process(test, 4);
}

/*
 * A process unmaps a huge page while that migrates: its migration entry is removed,
 * which is no mapping and has no reference.
 */
static void migrate_huge_unmapped_meanwhile(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = ALIGN(map_anonymous(test, 3 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	unsigned long *src, *dst, pfn = first_pfn(device);
	struct folio *folio;
	int refs;

	if (!thp_migration_supported())
		kunit_skip(test, "no huge migration entries");
	allow_huge(test, addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, HPAGE_PMD_NR);
	src = kunit_kcalloc(test, 2 * NPAGES, sizeof(*src), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, src);
	dst = src + NPAGES;
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	KUNIT_ASSERT_EQ(test, migrate_device_range(src, pfn, NPAGES), 0);
	KUNIT_ASSERT_TRUE(test, src[0] & MIGRATE_PFN_COMPOUND);
	folio = page_folio(migrate_pfn_to_page(src[0]));
	KUNIT_EXPECT_EQ(test, 0, folio_mapcount(folio));
	/* One more, so that nothing is freed early. */
	folio_get(folio);
	refs = folio_ref_count(folio);

	KUNIT_EXPECT_EQ(test, vm_munmap(addr, HPAGE_PMD_SIZE), 0);
	KUNIT_EXPECT_EQ(test, 0, folio_mapcount(folio));
	KUNIT_EXPECT_EQ(test, refs, folio_ref_count(folio));
	folio_ref_add(folio, refs - folio_ref_count(folio));

	migrate_device_finalize(src, dst, NPAGES);
	KUNIT_EXPECT_EQ(test, 1, folio_ref_count(folio));
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

static struct kunit_case migrate_cases[] = {
	KUNIT_CASE(migrate_holds_anon_vma),
	KUNIT_CASE(migrate_huge_unmapped_meanwhile),
	KUNIT_CASE(migrate_refuses),
	KUNIT_CASE(migrate_ram_by_pfn),
	KUNIT_CASE(migrate_invalid_dst),
	KUNIT_CASE(migrate_page_twice),
	KUNIT_CASE(migrate_given_twice),
	KUNIT_CASE(migrate_large_given_twice),
	KUNIT_CASE(migrate_hole_filled_meanwhile),
	KUNIT_CASE(migrate_public_mpfns),
	KUNIT_CASE(migrate_without_lock),
	KUNIT_CASE(migrate_cancelled_mixed),
	KUNIT_CASE(migrate_request_changed),
	KUNIT_CASE(migrate_huge_request_changed),
	KUNIT_CASE(migrate_foreign_dst),
	KUNIT_CASE(migrate_cancelled),
	KUNIT_CASE(migrate_splits_by_pfn),
	KUNIT_CASE(migrate_skips_unmapped_folio),
	{}
};

static struct kunit_suite migrate_suite = {
	.name = "hmm_migrate",
	.init = buffer_device_init,
	.exit = buffer_device_exit,
	.test_cases = migrate_cases,
};

kunit_test_suites(&devmem_suite, &migrate_suite);

MODULE_DESCRIPTION("KUnit tests of HMM device memory");
MODULE_LICENSE("GPL");
