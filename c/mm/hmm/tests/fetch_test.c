// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that a device gets from the memory of another one, which has to copy them to
 * system memory first: what can happen meanwhile. For private and for coherent memory.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/hmm_typed.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../../internal.h"
#include "../../vma_internal.h"
#include "../../vma.h"
#include "../devmem_transfer.h"
#include "fixture_device.h"

#define PAGES	256UL
#define SIZE	(PAGES << PAGE_SHIFT)

/* More memories than are fetched from for one batch. */
#define MANY	18

/* How long a copy is held where nothing may happen meanwhile. */
#define A_WHILE	(3 * HMM_DEVMEM_SLICE_MS)

/* A time slice within which a test can act, also on a slow machine. */
#define LONG_SLICE_MS	1000

/**
 * struct taker - a thread that migrates pages of the test's process to a device
 * @device: the device
 * @mm: the process; %NULL for that of the test
 * @addr: address of the first page
 * @size: of the pages, in bytes
 * @run: what the thread does instead, or NULL
 * @thread: the thread
 * @moved: how many have migrated, or an error
 * @done: @moved is valid
 */
struct taker {
	struct buffer_device *device;
	struct mm_struct *mm;
	unsigned long addr;
	unsigned long size;
	void (*run)(struct taker *taker);
	struct task_struct *thread;
	long moved;
	bool done;
};

static int hmm_test_taker_thread(void *data)
{
	struct taker *taker = data;

	if (taker->run)
		taker->run(taker);
	else
		taker->moved = hmm_devmem_migrate(&taker->device->devmem, taker->mm,
						  span_of(taker->addr, taker->size));
	WRITE_ONCE(taker->done, true);
	/* It may have been killed. */
	set_killed(false);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static void taker_start(struct kunit *test, struct taker *taker)
{
	if (!taker->mm)
		taker->mm = current->mm;
	taker->thread = kthread_run(hmm_test_taker_thread, taker, "hmm_taker");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, taker->thread);
}

static void taker_stop(struct kunit *test, struct taker *taker)
{
	KUNIT_EXPECT_EQ(test, kthread_stop(taker->thread), 0);
}

/* Whether the thread is done within some seconds. */
static bool taker_is_done(const struct taker *taker, unsigned long seconds)
{
	unsigned long end = jiffies + seconds * HZ;

	while (!READ_ONCE(taker->done) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	return READ_ONCE(taker->done);
}

static void taker_wait_until_asleep(const struct taker *taker)
{
	unsigned long end = jiffies + 10 * HZ;

	while (!(READ_ONCE(taker->thread->__state) & TASK_UNINTERRUPTIBLE) &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
}

/* A kthread ignores signals, so it is not sent one. */
static void taker_kill(struct taker *taker)
{
	spin_lock_irq(&taker->thread->sighand->siglock);
	sigaddset(&taker->thread->pending.signal, SIGKILL);
	set_tsk_thread_flag(taker->thread, TIF_SIGPENDING);
	spin_unlock_irq(&taker->thread->sighand->siglock);
	wake_up_process(taker->thread);
}

static unsigned int batches_of(struct buffer_device *device)
{
	guard(spinlock_irqsave)(&device->lock);
	return device->nr_batches;
}

static void wait_for_batches(struct kunit *test, struct buffer_device *device)
{
	unsigned long end = jiffies + 5 * HZ;

	while (!batches_of(device) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_GT(test, batches_of(device), 0);
}

/* Whether the mmap lock can be had for writing within a second. */
static bool mmap_lock_is_free(struct mm_struct *mm)
{
	unsigned long end = jiffies + HZ;

	do {
		if (down_write_trylock(&mm->mmap_lock)) {
			up_write(&mm->mmap_lock);
			return true;
		}
		schedule_timeout_uninterruptible(1);
	} while (time_before(jiffies, end));
	return false;
}

/* Map a PMD range of our own, of which the first @pages have their numbers. */
static unsigned long map_numbers(struct kunit *test, unsigned long pages)
{
	unsigned long addr = map_anonymous(test, 2 * HPAGE_PMD_SIZE);

	addr = ALIGN(addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, pages);
	return addr;
}

/* A fetch of the pages at @taker->addr, whose copies are held. */
static void fetch_start(struct kunit *test, struct taker *taker)
{
	struct buffer_device *device = test->priv;

	KUNIT_EXPECT_EQ(test, taker->size >> PAGE_SHIFT,
			migrate_to(device, taker->addr, taker->size));
	device->held = true;
	taker->device = make_buffer_device(test);
	taker_start(test, taker);
	wait_for_batches(test, device);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(taker->done));
}

static void fetch_end(struct kunit *test, struct taker *taker)
{
	struct buffer_device *device = test->priv;

	KUNIT_EXPECT_GT(test, batches_of(device), 0);
	release_batches(device);
	KUNIT_EXPECT_TRUE(test, taker_is_done(taker, 20));
	taker_stop(test, taker);
}

/* All memory of both devices is free, once nothing is mapped. */
static void fetch_check_free(struct kunit *test, struct taker *taker, unsigned long addr,
			     unsigned long size)
{
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, size), 0);
	KUNIT_EXPECT_TRUE(test, becomes_available(test->priv));
	KUNIT_EXPECT_TRUE(test, becomes_available(taker->device));
	hmm_devmem_exit(&taker->device->devmem);
}

/* The request ends with all of its pages, which are as the process has written them. */
static void taker_gets_all(struct kunit *test, struct taker *taker)
{
	KUNIT_EXPECT_TRUE(test, taker_is_done(taker, 20));
	taker_stop(test, taker);
	KUNIT_EXPECT_EQ(test, taker->moved, PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, taker->addr, PAGES), PAGES);
	fetch_check_free(test, taker, taker->addr, SIZE);
}

/*
 * While a device waits for the copies of another one that has its pages, the process can
 * change mappings, and fault; it can also unmap pages that are being copied.
 */
static void batch_of_another_device(struct kunit *test)
{
	struct taker taker = { .addr = map_numbers(test, PAGES), .size = SIZE };
	unsigned long addr = taker.addr;

	fetch_start(test, &taker);
	if (mmap_lock_is_free(current->mm)) {
		KUNIT_EXPECT_EQ(test, vm_munmap(addr + SIZE - PAGE_SIZE, PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
		write_numbers(test, map_anonymous(test, PAGE_SIZE), 1);
	} else {
		KUNIT_FAIL(test, "the mmap lock is held while another device copies");
	}
	fetch_end(test, &taker);
	/* Its first page is unmapped by now, if it has seen that. */
	KUNIT_EXPECT_EQ(test, taker.moved, -EINVAL);
	addr += PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, available(test->priv), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(taker.device, addr, SIZE - 2 * PAGE_SIZE), PAGES - 2);
	KUNIT_EXPECT_EQ(test, read_number(test, addr), 1);
	KUNIT_EXPECT_EQ(test, read_number(test, addr + SIZE - 3 * PAGE_SIZE), PAGES - 2);
	fetch_check_free(test, &taker, addr, SIZE - 2 * PAGE_SIZE);
}

/* A task that waits for another device's copies can be killed; the pages stay there. */
static void batch_of_another_device_killed(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct taker taker = { .addr = map_numbers(test, PAGES), .size = SIZE };

	fetch_start(test, &taker);
	taker_kill(&taker);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 2));
	KUNIT_EXPECT_EQ(test, taker.moved, -EINTR);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	KUNIT_EXPECT_EQ(test, available(taker.device), DEVICE_PAGES);
	fetch_end(test, &taker);
	KUNIT_EXPECT_EQ(test, right_numbers(test, taker.addr, PAGES), PAGES);
	fetch_check_free(test, &taker, taker.addr, SIZE);
}

/* The number in a page of another process. */
static unsigned long number_of(struct mm_struct *mm, unsigned long addr)
{
	unsigned long number = ULONG_MAX;

	if (access_remote_vm(mm, addr, &number, sizeof(number), 0) != sizeof(number))
		return ULONG_MAX;
	return number;
}

static unsigned long right_numbers_of(struct mm_struct *mm, unsigned long addr)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		if (number_of(mm, addr + i * PAGE_SIZE) != i)
			break;
	return i;
}

/* What fork() does to the memory of the process. */
static struct mm_struct *fork_memory(struct kunit *test)
{
	struct mm_struct *child = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, child);
	child->task_size = current->mm->task_size;
	KUNIT_EXPECT_EQ(test, 0, dup_mmap(child, current->mm));
	return child;
}

/* The process forks meanwhile: both have the pages, and each its own after a write. */
static void fetch_forked(struct kunit *test)
{
	struct taker taker = { .addr = map_numbers(test, PAGES), .size = SIZE };
	unsigned long addr = taker.addr, changed = 1000;
	struct mm_struct *child;

	fetch_start(test, &taker);
	child = fork_memory(test);
	fetch_end(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, PAGES);
	KUNIT_EXPECT_EQ(test, put_user(changed, (unsigned long __user *)addr), 0);
	KUNIT_EXPECT_EQ(test, number_of(child, addr), 0);
	KUNIT_EXPECT_EQ(test, access_remote_vm(child, addr + PAGE_SIZE, &changed,
					       sizeof(changed), FOLL_WRITE),
			sizeof(changed));
	KUNIT_EXPECT_EQ(test, read_number(test, addr + PAGE_SIZE), 1);
	KUNIT_EXPECT_EQ(test, read_number(test, addr), 1000);
	KUNIT_EXPECT_EQ(test, put_user(0UL, (unsigned long __user *)addr), 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	mmput(child);
	fetch_check_free(test, &taker, addr, SIZE);
}

/* A process that has the pages, too, exits meanwhile. */
static void fetch_exited(struct kunit *test)
{
	struct taker taker = { .addr = map_numbers(test, PAGES), .size = SIZE };
	struct mm_struct *child = fork_memory(test);

	KUNIT_EXPECT_EQ(test, right_numbers_of(child, taker.addr), PAGES);
	fetch_start(test, &taker);
	mmput(child);
	fetch_end(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, taker.addr, PAGES), PAGES);
	fetch_check_free(test, &taker, taker.addr, SIZE);
}

/* The process that the pages are requested for unmaps all; another one has them still. */
static void fetch_unmapped(struct kunit *test)
{
	struct taker taker = { .addr = map_numbers(test, PAGES), .size = SIZE };
	struct mm_struct *child = fork_memory(test);

	fetch_start(test, &taker);
	KUNIT_EXPECT_EQ(test, vm_munmap(taker.addr, SIZE), 0);
	fetch_end(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, -EINVAL);
	KUNIT_EXPECT_EQ(test, right_numbers_of(child, taker.addr), PAGES);
	mmput(child);
	fetch_check_free(test, &taker, taker.addr, SIZE);
}

static void run_writer(struct taker *taker)
{
	kthread_use_mm(taker->mm);
	taker->moved = put_user(1000UL, (unsigned long __user *)taker->addr);
	kthread_unuse_mm(taker->mm);
}

/* A process writes to a page that it shares meanwhile: it waits, and gets its own. */
static void fetch_written(struct kunit *test)
{
	struct taker taker = { .addr = map_numbers(test, PAGES), .size = SIZE };
	struct mm_struct *child = fork_memory(test);
	struct taker writer = { .mm = child, .addr = taker.addr, .run = run_writer };

	fetch_start(test, &taker);
	taker_start(test, &writer);
	msleep(A_WHILE);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(writer.done));
	fetch_end(test, &taker);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&writer, 5));
	taker_stop(test, &writer);
	KUNIT_EXPECT_EQ(test, writer.moved, 0);
	KUNIT_EXPECT_GE(test, taker.moved, PAGES - 1);
	KUNIT_EXPECT_EQ(test, number_of(child, taker.addr), 1000);
	KUNIT_EXPECT_EQ(test, number_of(child, taker.addr + PAGE_SIZE), 1);
	KUNIT_EXPECT_EQ(test, right_numbers(test, taker.addr, PAGES), PAGES);
	mmput(child);
	fetch_check_free(test, &taker, taker.addr, SIZE);
}

/* The VMA, with its page tables, is at another address meanwhile, as after mremap(). */
static void fetch_moved(struct kunit *test)
{
	struct taker taker = { .addr = map_numbers(test, PAGES), .size = SIZE };
	unsigned long addr = taker.addr, to = addr - SIZE;
	struct vm_area_struct *vma;

	/* The VMA alone, with room below it. */
	KUNIT_ASSERT_EQ(test, vm_munmap(addr - HPAGE_PMD_SIZE, HPAGE_PMD_SIZE), 0);
	KUNIT_ASSERT_EQ(test, vm_munmap(addr + SIZE, HPAGE_PMD_SIZE), 0);
	fetch_start(test, &taker);
	mmap_write_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	KUNIT_EXPECT_NOT_NULL(test, vma);
	if (vma)
		KUNIT_EXPECT_EQ(test, relocate_vma_down(vma, SIZE), 0);
	mmap_write_unlock(current->mm);
	fetch_end(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, -EINVAL);
	KUNIT_EXPECT_EQ(test, right_numbers(test, to, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(taker.device, to, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, to, PAGES), PAGES);
	fetch_check_free(test, &taker, to, SIZE);
}

/* A part of a huge page is unmapped meanwhile. */
static void fetch_huge_unmapped(struct kunit *test)
{
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	struct taker taker = { .addr = addr, .size = HPAGE_PMD_SIZE };
	unsigned long half = HPAGE_PMD_SIZE / 2;

	allow_huge(test, addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, HPAGE_PMD_NR);
	fetch_start(test, &taker);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr + half, half), 0);
	fetch_end(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, HPAGE_PMD_NR / 2);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, HPAGE_PMD_NR / 2), HPAGE_PMD_NR / 2);
	fetch_check_free(test, &taker, addr, half);
}

/* All of a huge page is discarded meanwhile, and the address has a new page then. */
static void fetch_huge_discarded(struct kunit *test)
{
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	struct taker taker = { .addr = addr, .size = HPAGE_PMD_SIZE };

	allow_huge(test, addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, HPAGE_PMD_NR);
	fetch_start(test, &taker);
	KUNIT_EXPECT_EQ(test, 0, do_madvise(current->mm, addr, HPAGE_PMD_SIZE, MADV_DONTNEED));
	fetch_end(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, read_number(test, addr + PAGE_SIZE), 0);
	fetch_check_free(test, &taker, addr, HPAGE_PMD_SIZE);
}

/* Pages on the way are small if the process does not want huge pages there any more. */
static void fetch_no_huge(struct kunit *test)
{
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	struct buffer_device *device = test->priv, *other;

	if (is_coherent(device))
		kunit_skip(test, "coherent memory has single pages");
	allow_huge(test, addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, HPAGE_PMD_NR);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	if (!device->blocks[HPAGE_PMD_ORDER])
		kunit_skip(test, "no huge page could be allocated");
	KUNIT_ASSERT_EQ(test, 0, do_madvise(current->mm, addr, HPAGE_PMD_SIZE,
					    MADV_NOHUGEPAGE));
	other = make_buffer_device(test);
	KUNIT_EXPECT_EQ(test, migrate_to(other, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, device->blocks[HPAGE_PMD_ORDER], 1);
	KUNIT_EXPECT_EQ(test, device->blocks[0], HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, HPAGE_PMD_NR), HPAGE_PMD_NR);
	hmm_devmem_exit(&other->devmem);
}

static void run_eviction(struct taker *taker)
{
	taker->moved = hmm_devmem_evict(&taker->device->devmem);
}

/* Evict the memory of the test's device, whose copies are held. */
static void eviction_start(struct kunit *test, struct taker *evictor)
{
	struct buffer_device *device = test->priv;

	device->held = true;
	*evictor = (struct taker){ .device = device, .run = run_eviction };
	taker_start(test, evictor);
	wait_for_batches(test, device);
}

static void eviction_end(struct kunit *test, struct taker *evictor)
{
	struct buffer_device *device = test->priv;

	release_batches(device);
	KUNIT_EXPECT_TRUE(test, taker_is_done(evictor, 20));
	taker_stop(test, evictor);
	KUNIT_EXPECT_EQ(test, evictor->moved, 0);
	hmm_devmem_resume(&device->devmem);
}

static void end_long_slices(void *unused)
{
	WRITE_ONCE(hmm_devmem_slice, msecs_to_jiffies(HMM_DEVMEM_SLICE_MS));
}

/* Until the end of the test. */
static void begin_long_slices(struct kunit *test)
{
	WRITE_ONCE(hmm_devmem_slice, msecs_to_jiffies(LONG_SLICE_MS));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_long_slices, NULL));
}

/*
 * Pages are being evicted when a device requests them: it waits, and the process can
 * change mappings. The eviction begins before the request, or while it waits for the
 * other device's time slice.
 */
static void requested_while_evicted(struct kunit *test, bool before)
{
	struct buffer_device *device = test->priv;
	struct taker evictor, taker = {
		.device = make_buffer_device(test), .addr = map_numbers(test, PAGES),
		.size = SIZE,
	};

	begin_long_slices(test);
	KUNIT_EXPECT_EQ(test, migrate_to(device, taker.addr, SIZE), PAGES);
	if (before)
		eviction_start(test, &evictor);
	taker_start(test, &taker);
	taker_wait_until_asleep(&taker);
	if (!before)
		eviction_start(test, &evictor);
	msleep(LONG_SLICE_MS + A_WHILE);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(taker.done));
	if (mmap_lock_is_free(current->mm))
		write_numbers(test, map_anonymous(test, PAGE_SIZE), 1);
	else
		KUNIT_FAIL(test, "the mmap lock is held while a page is waited for");
	KUNIT_EXPECT_FALSE(test, READ_ONCE(taker.done));
	eviction_end(test, &evictor);
	taker_gets_all(test, &taker);
}

static void evicted_before(struct kunit *test)
{
	requested_while_evicted(test, true);
}

static void evicted_meanwhile(struct kunit *test)
{
	requested_while_evicted(test, false);
}

/* The same for a huge page, of which the process has unmapped a part when it arrives. */
static void evicted_huge(struct kunit *test)
{
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	unsigned long half = HPAGE_PMD_SIZE / 2, pages = HPAGE_PMD_NR / 2;
	struct taker evictor, taker = {
		.device = make_buffer_device(test), .addr = addr, .size = half,
	};

	allow_huge(test, addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, migrate_to(test->priv, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	eviction_start(test, &evictor);
	taker_start(test, &taker);
	msleep(A_WHILE);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(taker.done));
	KUNIT_EXPECT_TRUE(test, mmap_lock_is_free(current->mm));
	KUNIT_EXPECT_EQ(test, vm_munmap(addr + half, half), 0);
	eviction_end(test, &evictor);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 20));
	taker_stop(test, &taker);
	/* A page that somebody looks at just then stays, and migrates with the next call. */
	if (taker.moved >= 0 && taker.moved < pages)
		taker.moved += migrate_to(taker.device, addr, half);
	KUNIT_EXPECT_EQ(test, taker.moved, pages);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, pages), pages);
	fetch_check_free(test, &taker, addr, half);
}

/* A task that waits for pages that are being evicted can be killed. */
static void evicted_and_killed(struct kunit *test)
{
	struct taker evictor, taker = {
		.device = make_buffer_device(test), .addr = map_numbers(test, PAGES),
		.size = SIZE,
	};

	KUNIT_EXPECT_EQ(test, migrate_to(test->priv, taker.addr, SIZE), PAGES);
	eviction_start(test, &evictor);
	taker_start(test, &taker);
	taker_wait_until_asleep(&taker);
	taker_kill(&taker);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 2));
	eviction_end(test, &evictor);
	taker_stop(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, -EINTR);
	KUNIT_EXPECT_EQ(test, right_numbers(test, taker.addr, PAGES), PAGES);
	fetch_check_free(test, &taker, taker.addr, SIZE);
}

/* A driver's migrate_vma_setup(), which finds pages that are migrating. */
static void run_setup(struct taker *taker)
{
	struct migrate_vma args = {
		.start = taker->addr,
		.end = taker->addr + taker->size,
		.flags = MIGRATE_VMA_SELECT_SYSTEM | HMM_MIGRATE_FAULT,
	};
	unsigned long pages = taker->size >> PAGE_SHIFT;

	args.src = kvcalloc(2 * pages, sizeof(*args.src), GFP_KERNEL);
	args.dst = args.src + pages;
	mmap_read_lock(taker->mm);
	args.vma = vma_lookup(taker->mm, taker->addr);
	taker->moved = args.vma && args.src ? migrate_vma_setup(&args) : -EFAULT;
	if (!taker->moved && args.cpages) {
		taker->moved = args.cpages;
		migrate_vma_finalize(&args);
	}
	mmap_read_unlock(taker->mm);
	kvfree(args.src);
}

/* It can be killed while it waits for them. */
static void setup_killed(struct kunit *test)
{
	struct taker evictor, taker = {
		.addr = map_numbers(test, PAGES), .size = SIZE,
		.run = run_setup,
	};

	KUNIT_EXPECT_EQ(test, migrate_to(test->priv, taker.addr, SIZE), PAGES);
	eviction_start(test, &evictor);
	taker_start(test, &taker);
	taker_wait_until_asleep(&taker);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(taker.done));
	taker_kill(&taker);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 2));
	eviction_end(test, &evictor);
	taker_stop(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, taker.addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, vm_munmap(taker.addr, SIZE), 0);
}

/* Pages that arrive in a device's memory stay there. */
static void setup_arrives(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct taker taker = {
		.addr = map_numbers(test, PAGES), .size = SIZE,
		.run = run_setup,
	};

	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem, current->mm,
								 span_of(taker.addr, SIZE));
		CLASS(hmm_devmem_migration_copied, copied)(&collected);
		CLASS(hmm_devmem_migration_committed, committed)(&copied);

		KUNIT_EXPECT_EQ(test, PAGES, hmm_devmem_migration_committed_moved(&committed));
		taker_start(test, &taker);
		taker_wait_until_asleep(&taker);
	}
	KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 20));
	taker_stop(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, taker.addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, vm_munmap(taker.addr, SIZE), 0);
}

/*
 * Pages are fetched while another task holds the mmap lock for reading, as a migration by
 * address does while it copies.
 */
static void fetch_beside_readers(struct kunit *test)
{
	struct taker taker = {
		.device = make_buffer_device(test), .addr = map_numbers(test, PAGES),
		.size = SIZE,
	};

	KUNIT_EXPECT_EQ(test, migrate_to(test->priv, taker.addr, SIZE), PAGES);
	mmap_read_lock(current->mm);
	taker_start(test, &taker);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 5));
	mmap_read_unlock(current->mm);
	taker_gets_all(test, &taker);
}

/* A request that fetches from one memory after the other ends, with what it has. */
static void fetch_is_bounded(struct kunit *test)
{
	struct buffer_device *device = test->priv, *others[MANY];
	unsigned long addr = map_numbers(test, MANY), i;
	long moved;

	for (i = 0; i < MANY; i++) {
		others[i] = make_buffer_device(test);
		KUNIT_EXPECT_EQ(test, 1, migrate_to(others[i], addr + i * PAGE_SIZE, PAGE_SIZE));
	}
	msleep(2 * HMM_DEVMEM_SLICE_MS);
	moved = migrate_to(device, addr, MANY * PAGE_SIZE);
	KUNIT_EXPECT_GE(test, moved, MANY / 2);
	KUNIT_EXPECT_LT(test, moved, MANY);
	/* The rest. */
	KUNIT_EXPECT_EQ(test, MANY - moved, migrate_to(device, addr, MANY * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, MANY), MANY);
	for (i = 0; i < MANY; i++) {
		KUNIT_EXPECT_EQ(test, available(others[i]), DEVICE_PAGES);
		hmm_devmem_exit(&others[i]->devmem);
	}
}

/* A request that fetches pages waits until those that others have collected are there. */
static void turn_waits_for_migration(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct taker taker = { .addr = map_numbers(test, PAGES), .size = SIZE };
	struct hmm_devmem_turn turn;

	taker.device = make_buffer_device(test);
	begin_long_slices(test);
	KUNIT_EXPECT_EQ(test, migrate_to(device, taker.addr, SIZE), PAGES);
	taker_start(test, &taker);
	/* It waits for the time slice of the first device. */
	taker_wait_until_asleep(&taker);
	KUNIT_ASSERT_EQ(test, 0, hmm_devmem_turn_begin(&turn, current->mm, taker.addr, true));
	msleep(LONG_SLICE_MS + A_WHILE);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(taker.done));
	KUNIT_EXPECT_TRUE(test, mmap_lock_is_free(current->mm));
	hmm_devmem_turn_end(&turn);
	taker_gets_all(test, &taker);
}

/* Once it has collected them, others can migrate pages of the same PMD range. */
static void turn_is_shared(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES + 1);
	struct taker taker = { .addr = addr + SIZE, .size = PAGE_SIZE };

	taker.device = make_buffer_device(test);
	KUNIT_EXPECT_EQ(test, migrate_to(taker.device, addr, SIZE), PAGES);
	msleep(2 * HMM_DEVMEM_SLICE_MS);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, device, addr, SIZE), 0);
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem, current->mm,
								 span_of(addr, SIZE));

		taker_start(test, &taker);
		KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 5));

		CLASS(hmm_devmem_migration_copied, copied)(&collected);
		CLASS(hmm_devmem_migration_committed, committed)(&copied);

		KUNIT_EXPECT_EQ(test, PAGES, hmm_devmem_migration_committed_moved(&committed));
	}
	KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 20));
	taker_stop(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, 1);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES + 1), PAGES + 1);
	fetch_check_free(test, &taker, addr, SIZE + PAGE_SIZE);
}

/*
 * A request waits while another one fetches pages of its batch: with pages that another
 * device has, or with pages of system memory. One for the next PMD range does not wait.
 */
static void turn_waits(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = ALIGN(map_anonymous(test, 4 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	unsigned long next = addr + HPAGE_PMD_SIZE, rest = addr + SIZE;
	struct taker taker = { .addr = addr, .size = SIZE };
	struct taker second = { .addr = rest, .size = PAGE_SIZE };
	struct taker third = { .addr = next, .size = SIZE };
	struct hmm_devmem_turn turn;

	write_numbers(test, addr, 2 * HPAGE_PMD_NR);
	taker.device = make_buffer_device(test);
	second.device = taker.device;
	third.device = taker.device;
	begin_long_slices(test);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	taker_start(test, &taker);
	/* It waits for the time slice of the first device. */
	taker_wait_until_asleep(&taker);
	KUNIT_ASSERT_EQ(test, 0, hmm_devmem_turn_begin(&turn, current->mm, addr, false));
	taker_start(test, &second);
	taker_start(test, &third);
	msleep(LONG_SLICE_MS + A_WHILE);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&third, 5));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(taker.done));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(second.done));
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	taker_kill(&second);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&second, 2));
	hmm_devmem_turn_end(&turn);
	taker_stop(test, &second);
	taker_stop(test, &third);
	KUNIT_EXPECT_EQ(test, second.moved, -EINTR);
	KUNIT_EXPECT_EQ(test, third.moved, PAGES);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 20));
	taker_stop(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, 2 * HPAGE_PMD_NR), 2 * HPAGE_PMD_NR);
	fetch_check_free(test, &taker, addr, 2 * HPAGE_PMD_SIZE);
}

/* Take the turns at 1024 batches, of which each has the hash of many others. */
static void run_other_turns(struct taker *taker)
{
	struct hmm_devmem_turn turn;
	unsigned long i;

	for (i = 1; i <= 1024 && !taker->moved; i++) {
		taker->moved = hmm_devmem_turn_begin(&turn, taker->mm,
						     taker->addr + i * HPAGE_PMD_SIZE, false);
		if (!taker->moved)
			hmm_devmem_turn_end(&turn);
	}
}

/* Nobody waits for the turn at another batch, nor for one with the same hash. */
static void turn_of_another_batch(struct kunit *test)
{
	struct taker taker = {
		.addr = map_numbers(test, 1), .run = run_other_turns,
	};
	struct hmm_devmem_turn turn;

	KUNIT_ASSERT_EQ(test, 0, hmm_devmem_turn_begin(&turn, current->mm, taker.addr, false));
	taker_start(test, &taker);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 5));
	hmm_devmem_turn_end(&turn);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&taker, 5));
	taker_stop(test, &taker);
	KUNIT_EXPECT_EQ(test, taker.moved, 0);
}

static void run_turn(struct taker *taker)
{
	struct hmm_devmem_turn turn;

	taker->moved = hmm_devmem_turn_begin(&turn, taker->mm, taker->addr, false);
	if (taker->moved)
		return;
	WRITE_ONCE(taker->done, true);
	schedule_timeout_uninterruptible(HZ / 10);
	hmm_devmem_turn_end(&turn);
}

/* Turns are in the order of arrival; a task that is killed loses its own only. */
static void turn_order(struct kunit *test)
{
	struct taker takers[3] = {};
	struct hmm_devmem_turn turn;
	unsigned long addr = map_numbers(test, 1), i;

	KUNIT_ASSERT_EQ(test, 0, hmm_devmem_turn_begin(&turn, current->mm, addr, false));
	for (i = 0; i < ARRAY_SIZE(takers); i++) {
		takers[i] = (struct taker){ .addr = addr, .run = run_turn };
		taker_start(test, &takers[i]);
		taker_wait_until_asleep(&takers[i]);
	}
	taker_kill(&takers[1]);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&takers[1], 2));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(takers[0].done));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(takers[2].done));
	hmm_devmem_turn_end(&turn);
	KUNIT_EXPECT_TRUE(test, taker_is_done(&takers[0], 5));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(takers[2].done));
	KUNIT_EXPECT_TRUE(test, taker_is_done(&takers[2], 5));
	for (i = 0; i < ARRAY_SIZE(takers); i++)
		taker_stop(test, &takers[i]);
	KUNIT_EXPECT_EQ(test, takers[0].moved, 0);
	KUNIT_EXPECT_EQ(test, takers[1].moved, -EINTR);
	KUNIT_EXPECT_EQ(test, takers[2].moved, 0);
}

/* How long two devices request the same pages, and how long each may wait for them. */
#define CONTEND_TIME	(3 * HZ)
#define CONTEND_LONGEST	(2 * HZ)

/* Request the pages again and again; @moved: how often, @size: the longest wait. */
static void run_contender(struct taker *taker)
{
	unsigned long size = taker->size, start = jiffies, last = start;

	taker->size = 0;
	do {
		long moved = hmm_devmem_migrate(&taker->device->devmem, taker->mm,
						span_of(taker->addr, size));

		taker->size = max(taker->size, jiffies - last);
		if (moved == size >> PAGE_SHIFT)
			taker->moved++;
		if (moved > 0)
			last = jiffies;
		schedule_timeout_uninterruptible(1);
	} while (time_before(jiffies, start + CONTEND_TIME));
}

/* Two devices that each want the same pages get all of them, again and again. */
static void fetch_contended(struct kunit *test)
{
	struct taker takers[2] = {};
	unsigned long addr = map_numbers(test, PAGES), i;

	for (i = 0; i < ARRAY_SIZE(takers); i++) {
		takers[i] = (struct taker){
			.device = i ? make_buffer_device(test) : test->priv,
			.addr = addr, .size = SIZE,
			.run = run_contender,
		};
		taker_start(test, &takers[i]);
	}
	for (i = 0; i < ARRAY_SIZE(takers); i++) {
		KUNIT_EXPECT_TRUE(test, taker_is_done(&takers[i], 20));
		taker_stop(test, &takers[i]);
		kunit_info(test, "device %lu: %ld times, longest wait %u ms", i,
			   takers[i].moved, jiffies_to_msecs(takers[i].size));
		KUNIT_EXPECT_GE(test, takers[i].moved, 3);
		KUNIT_EXPECT_LT(test, takers[i].size, CONTEND_LONGEST);
	}
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	fetch_check_free(test, &takers[1], addr, SIZE);
}

static struct kunit_case fetch_cases[] = {
	KUNIT_CASE(batch_of_another_device),
	KUNIT_CASE(batch_of_another_device_killed),
	KUNIT_CASE(fetch_forked),
	KUNIT_CASE(fetch_exited),
	KUNIT_CASE(fetch_unmapped),
	KUNIT_CASE(fetch_written),
	KUNIT_CASE(fetch_moved),
	KUNIT_CASE(fetch_huge_unmapped),
	KUNIT_CASE(fetch_huge_discarded),
	KUNIT_CASE(fetch_no_huge),
	KUNIT_CASE(evicted_before),
	KUNIT_CASE(evicted_meanwhile),
	KUNIT_CASE(evicted_huge),
	KUNIT_CASE(evicted_and_killed),
	KUNIT_CASE(setup_killed),
	KUNIT_CASE(setup_arrives),
	KUNIT_CASE(fetch_beside_readers),
	KUNIT_CASE(fetch_is_bounded),
	KUNIT_CASE(turn_waits),
	KUNIT_CASE(turn_waits_for_migration),
	KUNIT_CASE(turn_is_shared),
	KUNIT_CASE(turn_of_another_batch),
	KUNIT_CASE(turn_order),
	KUNIT_CASE_SLOW(fetch_contended),
	{}
};

static struct kunit_suite private_suite = {
	.name = "hmm_fetch_private",
	.init = batch_device_init,
	.exit = buffer_device_exit,
	.test_cases = fetch_cases,
};

static struct kunit_suite coherent_suite = {
	.name = "hmm_fetch_coherent",
	.init = coherent_batch_device_init,
	.exit = buffer_device_exit,
	.test_cases = fetch_cases,
};

kunit_test_suites(&private_suite, &coherent_suite);

MODULE_DESCRIPTION("KUnit tests of pages that are fetched from another device's memory");
MODULE_LICENSE("GPL");
