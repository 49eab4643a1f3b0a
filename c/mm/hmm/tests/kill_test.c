// SPDX-License-Identifier: GPL-2.0
/*
 * Waits and retries that a fatal signal, or the time, ends.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hmm_mirror_typed.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "../mirror.h"
#include "fixture_memory.h"

/* How long locks are held; what waits longer than half of it was not killed. */
#define HOLD_TIME	(4 * HZ)

/* What a task waits for when it is killed. */
enum killed_waits_for {
	UPDATE_LOCK,
	MMAP_LOCK,
	DMA_LOCK,
	INVALIDATION,
};

/**
 * struct killed - a task that is killed while it waits for a lock, or an invalidation
 * @mirror: the mirror under test
 * @range: its range
 * @lock: its update lock
 * @dma: its device addresses
 * @waits_for: what is held
 * @mm: the process whose mmap lock is held, or that is invalidated
 * @task: the task
 * @holder: holds the lock
 * @killer: sends the signal
 * @held: the lock is held
 * @release: it is to be released
 * @span: the addresses of its range
 * @nests: the next callback opens a section
 * @nested: the error of that section
 */
struct killed {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct rw_semaphore lock;
	struct hmm_mirror_dma dma;
	enum killed_waits_for waits_for;
	struct mm_struct *mm;
	struct task_struct *task;
	struct work_struct holder;
	struct delayed_work killer;
	struct completion held;
	struct completion release;
	struct hmm_span span;
	bool nests;
	int nested;
};

/* Open a section on all of the range. Returns its error, or 1 if it was inside. */
static int killed_section(struct killed *k, enum hmm_access access)
{
	int ret = 0, inside = 0;

	hmm_mirror_populate(pages, ret, &k->mirror, k->span, access)
		inside = 1;
	return ret ?: inside;
}

static bool killed_invalidate(struct hmm_mirror *mirror,
			      const struct hmm_invalidation *inv)
{
	struct killed *k = container_of(mirror, struct killed, mirror);

	if (k->nests) {
		k->nests = false;
		k->nested = killed_section(k, HMM_ACCESS_SNAPSHOT);
	}
	return true;
}

static const struct hmm_mirror_ops killed_ops = {
	.invalidate = killed_invalidate,
};

static void hmm_test_hold_lock(struct work_struct *work)
{
	struct killed *k = container_of(work, struct killed, holder);
	struct mmu_notifier_range event;

	switch (k->waits_for) {
	case UPDATE_LOCK:
		down_write(&k->lock);
		break;
	case MMAP_LOCK:
		mmap_write_lock(k->mm);
		break;
	case DMA_LOCK:
		mutex_lock(&k->dma.lock);
		break;
	case INVALIDATION:
		mmu_notifier_range_init(&event, MMU_NOTIFY_CLEAR, 0, k->mm, 0, PAGE_SIZE);
		mmu_notifier_invalidate_range_start(&event);
		break;
	}
	complete(&k->held);
	wait_for_completion_timeout(&k->release, HOLD_TIME);
	switch (k->waits_for) {
	case UPDATE_LOCK:
		up_write(&k->lock);
		break;
	case MMAP_LOCK:
		mmap_write_unlock(k->mm);
		break;
	case DMA_LOCK:
		mutex_unlock(&k->dma.lock);
		break;
	case INVALIDATION:
		mmu_notifier_invalidate_range_end(&event);
		break;
	}
}

/* A kthread ignores signals, so it is not sent one. */
static void hmm_test_make_killed(struct task_struct *task)
{
	spin_lock_irq(&task->sighand->siglock);
	sigaddset(&task->pending.signal, SIGKILL);
	set_tsk_thread_flag(task, TIF_SIGPENDING);
	spin_unlock_irq(&task->sighand->siglock);
}

/* End the effect of hmm_test_make_killed() on this task. */
static void hmm_test_unkill(void)
{
	spin_lock_irq(&current->sighand->siglock);
	sigdelset(&current->pending.signal, SIGKILL);
	recalc_sigpending();
	spin_unlock_irq(&current->sighand->siglock);
}

static void hmm_test_kill_task(struct work_struct *work)
{
	struct killed *k = container_of(work, struct killed, killer.work);

	hmm_test_make_killed(k->task);
	wake_up_process(k->task);
}

static struct killed *killed_make(struct kunit *test)
{
	struct killed *k = kunit_kzalloc(test, sizeof(*k), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, k);
	k->task = current;
	init_rwsem(&k->lock);
	INIT_WORK(&k->holder, hmm_test_hold_lock);
	INIT_DELAYED_WORK(&k->killer, hmm_test_kill_task);
	init_completion(&k->held);
	init_completion(&k->release);
	return k;
}

/* Have the lock held by another task, and this one killed soon. */
static void killed_begin(struct killed *k)
{
	queue_work(system_dfl_wq, &k->holder);
	wait_for_completion(&k->held);
	queue_delayed_work(system_dfl_wq, &k->killer, HZ / 10);
}

static void killed_end(struct killed *k)
{
	complete(&k->release);
	flush_work(&k->holder);
	flush_delayed_work(&k->killer);
	hmm_test_unkill();
}

/* Mirror four new pages, under an update lock that is a rw_semaphore. */
static struct killed *killed_make_mirror(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, PROT_READ | PROT_WRITE);
	struct killed *k = killed_make(test);

	k->mm = current->mm;
	k->span = (struct hmm_span){ addr, addr + 4 * PAGE_SIZE };
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init_lock(&k->mirror, current->mm, &killed_ops, k,
						      HMM_UPDATE_RWSEM(&k->lock)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&k->mirror, &k->range, k->span));
	return k;
}

/* A section waits for what is held; a fatal signal ends that. The mirror ends, too. */
static void killed_in_a_section(struct kunit *test, struct killed *k,
				enum killed_waits_for waits_for, enum hmm_access access)
{
	unsigned long start;

	k->waits_for = waits_for;
	killed_begin(k);
	start = jiffies;
	KUNIT_EXPECT_EQ(test, -EINTR, killed_section(k, access));
	KUNIT_EXPECT_LT(test, jiffies - start, HOLD_TIME / 2);
	killed_end(k);
	hmm_mirror_exit(&k->mirror);
}

/* A section waits for an update lock that is a rw_semaphore, */
static void killed_waiting_for_rwsem(struct kunit *test)
{
	killed_in_a_section(test, killed_make_mirror(test), UPDATE_LOCK,
			    HMM_ACCESS_SNAPSHOT);
}

/* for the mmap lock, where there is no VMA that it could lock instead, */
static void killed_waiting_to_walk(struct kunit *test)
{
	struct killed *k = killed_make_mirror(test);

	KUNIT_ASSERT_EQ(test, 0, vm_munmap(k->span.start, 4 * PAGE_SIZE));
	killed_in_a_section(test, k, MMAP_LOCK, HMM_ACCESS_READ);
}

/* and, after it has walked under the lock of the VMA, to make a page exclusive. */
static void killed_waiting_to_make_exclusive(struct kunit *test)
{
	struct killed *k;

	if (!IS_ENABLED(CONFIG_DEVICE_PRIVATE))
		kunit_skip(test, "pages cannot be made exclusive");
	if (!IS_ENABLED(CONFIG_PER_VMA_LOCK))
		kunit_skip(test, "the walk waits for the mmap lock");
	k = killed_make_mirror(test);
	memory_write(test, k->span.start, 1);
	killed_in_a_section(test, k, MMAP_LOCK, HMM_ACCESS_EXCLUSIVE);
}

/* Only the first range of a process takes its mmap lock. */
static void ranges_take_no_mmap_lock(struct kunit *test)
{
	struct killed *k = killed_make_mirror(test);
	unsigned long start;

	hmm_mirror_range_remove(&k->range);
	k->waits_for = MMAP_LOCK;
	killed_begin(k);
	start = jiffies;
	/* If it waited, it would be killed. */
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_add(&k->mirror, &k->range, k->span));
	KUNIT_EXPECT_LT(test, jiffies - start, HOLD_TIME / 2);
	killed_end(k);
	hmm_mirror_exit(&k->mirror);
}

/*
 * A section in a callback would wait for the invalidation that the callback is of, and for
 * the lock that is held around it. It is refused, also if that is a rw_semaphore, whose
 * holder is not known.
 */
static void section_in_a_callback_under_a_rwsem(struct kunit *test)
{
	struct killed *k = killed_make_mirror(test);

	k->nests = true;
	queue_delayed_work(system_dfl_wq, &k->killer, HZ);
	memory_map_at(test, k->span.start, 1, PROT_READ | PROT_WRITE);
	cancel_delayed_work_sync(&k->killer);
	hmm_test_unkill();
	KUNIT_EXPECT_FALSE(test, k->nests);
	KUNIT_EXPECT_EQ(test, -EDEADLK, k->nested);
	hmm_mirror_exit(&k->mirror);
}

/* A fatal signal in the body of a section ends it, though no batch has to wait. */
static void killed_between_batches(struct kunit *test)
{
	struct killed *k = killed_make_mirror(test);
	unsigned long pfn;
	struct hmm_section section = {
		.mirror = &k->mirror, .span = k->span, .access = HMM_ACCESS_SNAPSHOT,
		.pfns = &pfn, .nr_pfns = 1,
	};
	int batches = 0;

	while (hmm_section_next(&section)) {
		batches++;
		hmm_test_make_killed(current);
	}
	hmm_test_unkill();
	KUNIT_EXPECT_EQ(test, 1, batches);
	KUNIT_EXPECT_EQ(test, -EINTR, hmm_section_error(&section));
	hmm_mirror_exit(&k->mirror);
}

/* The first mirror of a process waits for the mmap lock. */
static void killed_waiting_for_mmap_lock(struct kunit *test)
{
	struct killed *k = killed_make(test);
	unsigned long start;
	int ret;

	k->waits_for = MMAP_LOCK;
	k->mm = mm_alloc();
	KUNIT_ASSERT_NOT_NULL(test, k->mm);
	killed_begin(k);
	start = jiffies;
	ret = hmm_mirror_init(&k->mirror, k->mm, &killed_ops, NULL);
	KUNIT_EXPECT_EQ(test, -EINTR, ret);
	KUNIT_EXPECT_LT(test, jiffies - start, HOLD_TIME / 2);
	killed_end(k);
	if (!ret)
		hmm_mirror_exit(&k->mirror);
	mmput(k->mm);
}

/* Another one waits until the process is notified of no invalidation. */
static void killed_waiting_to_be_listed(struct kunit *test)
{
	struct hmm_mirror *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct killed *k = killed_make(test);
	unsigned long start;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, other);
	k->waits_for = INVALIDATION;
	k->mm = mm_alloc();
	KUNIT_ASSERT_NOT_NULL(test, k->mm);
	/* Without any, invalidations are not counted. */
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&k->mirror, k->mm, &killed_ops, NULL));
	killed_begin(k);
	start = jiffies;
	ret = hmm_mirror_init(other, k->mm, &killed_ops, NULL);
	KUNIT_EXPECT_EQ(test, -EINTR, ret);
	KUNIT_EXPECT_LT(test, jiffies - start, HOLD_TIME / 2);
	/* The work item that ends it waits, too: nobody else may take it for leaked. */
	KUNIT_EXPECT_TRUE(test, READ_ONCE(other->state->module_object.ending));
	killed_end(k);
	if (!ret)
		hmm_mirror_exit(other);
	/* The storage is the caller's again, also when the process ends. */
	memset(other, 0xff, sizeof(*other));
	hmm_mirror_exit(&k->mirror);
	mmput(k->mm);
	hmm_mirror_synchronize();
}

/* Adding addresses waits for their deferred removal, which waits for the update lock. */
static void killed_waiting_for_a_removal(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, PROT_READ | PROT_WRITE), start;
	struct hmm_span span = { addr, addr + 4 * PAGE_SIZE };
	struct killed *k = killed_make(test);

	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init_lock(&k->mirror, current->mm, &killed_ops,
						      NULL, HMM_UPDATE_RWSEM(&k->lock)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&k->mirror, &k->range, span));
	killed_begin(k);
	hmm_mirror_range_remove_deferred(&k->range);
	start = jiffies;
	KUNIT_EXPECT_EQ(test, -EINTR, hmm_mirror_range_add(&k->mirror, &k->range, span));
	KUNIT_EXPECT_LT(test, jiffies - start, HOLD_TIME / 2);
	killed_end(k);
	/* Nothing is left of the attempt. */
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_range_add(&k->mirror, &k->range, span));
	hmm_mirror_exit(&k->mirror);
}

/* A section waits for the lock of its device addresses. */
static void killed_waiting_for_addresses(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, PROT_READ | PROT_WRITE), start;
	struct device *dev = kunit_device_register(test, "hmm_killed");
	struct hmm_span span = { addr, addr + 4 * PAGE_SIZE };
	struct killed *k = killed_make(test);
	int ret = 0, inside = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	dev_set_dma_coherent(dev);
	if (IS_ENABLED(CONFIG_HAS_DMA))
		KUNIT_ASSERT_EQ(test, 0, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	k->waits_for = DMA_LOCK;
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init_lock(&k->mirror, current->mm, &killed_ops,
						      NULL, HMM_UPDATE_RWSEM(&k->lock)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&k->mirror, &k->range, span));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(&k->dma, &k->mirror, dev, span));
	killed_begin(k);
	start = jiffies;
	hmm_mirror_populate_dma(pages, ret, &k->mirror, span, HMM_ACCESS_SNAPSHOT, &k->dma)
		inside++;
	KUNIT_EXPECT_EQ(test, -EINTR, ret);
	KUNIT_EXPECT_EQ(test, 0, inside);
	KUNIT_EXPECT_LT(test, jiffies - start, HOLD_TIME / 2);
	killed_end(k);
	hmm_mirror_dma_exit(&k->dma);
	hmm_mirror_exit(&k->mirror);
}

#define FUTILE_PAGES	8
/* A handler that is called longer than this, or more often after the kill, fails. */
#define FUTILE_TIME	(4 * HZ)
#define FUTILE_CALLS	100

/**
 * struct futile - memory whose fault handler returns 0 and maps no page
 * @notifier: a subscription, of which the sequence is used
 * @pfns: the hmm pfns
 * @range: the argument of the walk
 * @begun: when the walk began, in jiffies
 * @calls: how often the handler was called
 * @kill_at: the call in which this task is killed; 0: none
 * @has_map_pages: whether the handler can be called under the VMA's lock
 * @fails: the handler fails
 */
struct futile {
	struct mmu_interval_notifier notifier;
	unsigned long pfns[FUTILE_PAGES];
	struct hmm_range range;
	unsigned long begun;
	unsigned int calls;
	unsigned int kill_at;
	bool has_map_pages;
	bool fails;
};

static vm_fault_t futile_fault(struct vm_fault *vmf)
{
	struct futile *f = vmf->vma->vm_private_data;

	f->calls++;
	if (f->kill_at && f->calls == f->kill_at)
		hmm_test_make_killed(current);
	if (f->fails || time_after(jiffies, f->begun + FUTILE_TIME) ||
	    (f->kill_at && f->calls > f->kill_at + FUTILE_CALLS))
		return VM_FAULT_SIGBUS;
	return VM_FAULT_NOPAGE;
}

static vm_fault_t futile_map_pages(struct vm_fault *vmf, pgoff_t first, pgoff_t last)
{
	return 0;
}

static const struct vm_operations_struct futile_ops = {
	.fault = futile_fault,
};

static const struct vm_operations_struct futile_vma_ops = {
	.fault = futile_fault,
	.map_pages = futile_map_pages,
};

static int futile_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct futile *f = file->private_data;

	vma->vm_private_data = f;
	vma->vm_ops = f->has_map_pages ? &futile_vma_ops : &futile_ops;
	return 0;
}

static const struct file_operations futile_fops = {
	.mmap = futile_mmap,
};

static struct futile *futile_make(struct kunit *test, bool has_map_pages)
{
	struct futile *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	const size_t size = FUTILE_PAGES * PAGE_SIZE;
	struct file *file;
	unsigned long addr;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->has_map_pages = has_map_pages;
	file = anon_inode_getfile("hmm_futile", &futile_fops, f, O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	addr = kunit_vm_mmap(test, file, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	fput(file);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_EQ(test, 0, mmu_interval_notifier_insert(&f->notifier, current->mm, addr,
							      size, &memory_notifier_ops));
	f->range = (struct hmm_range){
		.notifier = &f->notifier, .start = addr, .end = addr + size,
		.hmm_pfns = f->pfns, .default_flags = HMM_PFN_REQ_FAULT,
	};
	return f;
}

/* Walk under the lock of the VMA, or the mmap lock. */
static int futile_walk(struct futile *f)
{
	int ret;

	f->range.notifier_seq = mmu_interval_read_begin(&f->notifier);
	f->begun = jiffies;
	if (f->has_map_pages)
		return hmm_range_fault_vma(&f->range);
	mmap_read_lock(current->mm);
	ret = hmm_range_fault(&f->range);
	mmap_read_unlock(current->mm);
	return ret;
}

/* Faults that bring no page end in time. */
static void faults_without_progress_end(struct kunit *test)
{
	for (int vma_lock = 0; vma_lock < 2; vma_lock++) {
		struct futile *f = futile_make(test, vma_lock);
		unsigned long spent;

		KUNIT_EXPECT_EQ(test, -EBUSY, futile_walk(f));
		spent = jiffies - f->begun;
		KUNIT_EXPECT_GE(test, spent, msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT));
		KUNIT_EXPECT_LT(test, spent, FUTILE_TIME);
		KUNIT_EXPECT_GT(test, f->calls, 2 * FUTILE_PAGES);
		mmu_interval_notifier_remove(&f->notifier);
	}
}

/* A fatal signal ends them between two faults. */
static void killed_while_faulting(struct kunit *test)
{
	for (int vma_lock = 0; vma_lock < 2; vma_lock++) {
		struct futile *f = futile_make(test, vma_lock);

		/* The second page in the second round. */
		f->kill_at = FUTILE_PAGES + 2;
		KUNIT_EXPECT_EQ(test, -EINTR, futile_walk(f));
		KUNIT_EXPECT_EQ(test, f->kill_at, f->calls);
		hmm_test_unkill();
		mmu_interval_notifier_remove(&f->notifier);
	}
}

/**
 * struct dropping - memory whose fault handler drops the lock that it is called under
 * @mirror: a mirror of it
 * @range: its range
 * @notifier: a subscription, of which the sequence is used
 * @span: its address: one page
 * @page: the page that comes at last
 * @calls: how often the handler was called
 * @kill_at: the call in which this task is killed; 0: none
 * @drops: in so many calls it invalidates the page, drops the lock, and brings no page
 * @ms: how long each of these takes
 */
struct dropping {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct mmu_interval_notifier notifier;
	struct hmm_span span;
	struct page *page;
	unsigned int calls;
	unsigned int kill_at;
	unsigned int drops;
	unsigned int ms;
};

static bool dropping_invalidate(struct hmm_mirror *mirror,
				const struct hmm_invalidation *inv)
{
	return true;
}

static const struct hmm_mirror_ops dropping_mirror_ops = {
	.invalidate = dropping_invalidate,
};

static vm_fault_t dropping_fault(struct vm_fault *vmf)
{
	struct dropping *d = vmf->vma->vm_private_data;
	struct mmu_notifier_range event;

	if (++d->calls == d->kill_at)
		hmm_test_make_killed(current);
	if (d->calls > d->drops) {
		get_page(d->page);
		vmf->page = d->page;
		return 0;
	}
	/* As a handler does that breaks COW. */
	mmu_notifier_range_init(&event, MMU_NOTIFY_CLEAR, 0, vmf->vma->vm_mm, d->span.start,
				d->span.end);
	mmu_notifier_invalidate_range_start(&event);
	mmu_notifier_invalidate_range_end(&event);
	release_fault_lock(vmf);
	if (d->ms)
		msleep(d->ms);
	return VM_FAULT_RETRY;
}

static const struct vm_operations_struct dropping_ops = {
	.fault = dropping_fault,
	/* So that it is called under the lock of the VMA. */
	.map_pages = futile_map_pages,
};

static int dropping_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &dropping_ops;
	return 0;
}

static const struct file_operations dropping_fops = {
	.mmap = dropping_mmap,
};

static void dropping_put_page(void *page)
{
	put_page(page);
}

/* @flags is MAP_FIXED, for address 0, or 0. */
static struct dropping *dropping_make_at(struct kunit *test, int flags)
{
	struct dropping *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);
	struct file *file;
	unsigned long addr;

	/* Gives the test an address space. */
	memory_map(test, 1, PROT_READ);

	KUNIT_ASSERT_NOT_NULL(test, d);
	d->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, d->page);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, dropping_put_page, d->page));
	file = anon_inode_getfile("hmm_dropping", &dropping_fops, d, O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	addr = vm_mmap(file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED | flags, 0);
	fput(file);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	d->span = (struct hmm_span){ addr, addr + PAGE_SIZE };
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&d->mirror, current->mm, &dropping_mirror_ops,
						 NULL));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&d->mirror, &d->range, d->span));
	KUNIT_ASSERT_EQ(test, 0, mmu_interval_notifier_insert(&d->notifier, current->mm, addr,
							      PAGE_SIZE, &memory_notifier_ops));
	return d;
}

static struct dropping *dropping_make(struct kunit *test)
{
	return dropping_make_at(test, 0);
}

static void dropping_end(struct dropping *d)
{
	mmu_interval_notifier_remove(&d->notifier);
	hmm_mirror_exit(&d->mirror);
	vm_munmap(d->span.start, PAGE_SIZE);
}

/* Read the page in a section. Returns its error, or 1 if it was inside. */
static int dropping_section(struct dropping *d, unsigned long timeout)
{
	unsigned long pfn;
	struct hmm_section section = {
		.mirror = &d->mirror, .span = d->span, .access = HMM_ACCESS_READ,
		.pfns = &pfn, .nr_pfns = 1, .timeout = timeout,
	};
	int inside = 0;

	while (hmm_section_next(&section))
		inside++;
	return hmm_section_error(&section) ?: inside;
}

/*
 * A fault that waits for longer than the timeout of the section is progress, although it has
 * moved the sequence itself.
 */
static void wait_in_a_fault_is_no_lost_race(struct kunit *test)
{
	/* At any address, and at 0. */
	for (int fixed = 0; fixed < 2; fixed++) {
		struct dropping *d = dropping_make_at(test, fixed ? MAP_FIXED : 0);

		d->drops = 1;
		d->ms = 400;
		KUNIT_EXPECT_EQ(test, 1, dropping_section(d, HZ / 10));
		KUNIT_EXPECT_EQ(test, 2, d->calls);
		dropping_end(d);
	}
}

/* But only once for each page: user space must not keep a section running. */
static void waits_in_faults_of_a_page_end(struct kunit *test)
{
	struct dropping *d = dropping_make(test);

	d->drops = FUTILE_CALLS;
	d->ms = 20;
	KUNIT_EXPECT_EQ(test, -EBUSY, dropping_section(d, HZ / 5));
	KUNIT_EXPECT_GT(test, d->calls, 1);
	KUNIT_EXPECT_LT(test, d->calls, FUTILE_CALLS / 2);
	dropping_end(d);
}

/*
 * A fatal signal ends a section that loses race after race, in none of which it waits. Whether
 * the handler has waited is judged by the time that it took, so there are several attempts.
 */
static void killed_while_losing_races(struct kunit *test)
{
	struct dropping *d;
	int i;

	if (!IS_ENABLED(CONFIG_PER_VMA_LOCK))
		kunit_skip(test, "no fault is tried under the lock of a VMA");
	d = dropping_make(test);
	d->kill_at = 1;
	d->drops = FUTILE_CALLS;
	for (i = 0; i < 16; i++) {
		d->calls = 0;
		KUNIT_EXPECT_EQ(test, -EINTR, dropping_section(d, FUTILE_TIME));
		KUNIT_EXPECT_EQ(test, 1, d->calls);
		hmm_test_unkill();
	}
	dropping_end(d);
}

/* The same for hmm_range_fault_unlocked_timeout(), which retries for ever. */
static void killed_between_walks(struct kunit *test)
{
	struct dropping *d = dropping_make(test);
	unsigned long pfn = 0;
	struct hmm_range range = {
		.notifier = &d->notifier, .start = d->span.start, .end = d->span.end,
		.hmm_pfns = &pfn, .default_flags = HMM_PFN_REQ_FAULT,
	};

	d->kill_at = 2;
	d->drops = FUTILE_CALLS;
	KUNIT_EXPECT_EQ(test, -EINTR, hmm_range_fault_unlocked_timeout(&range, 0));
	KUNIT_EXPECT_EQ(test, 2, d->calls);
	hmm_test_unkill();
	dropping_end(d);
}

/* A fault that fails ends the walk, and is not repeated. */
static void failing_fault_ends(struct kunit *test)
{
	for (int vma_lock = 0; vma_lock < 2; vma_lock++) {
		struct futile *f = futile_make(test, vma_lock);

		f->fails = true;
		KUNIT_EXPECT_EQ(test, -EFAULT, futile_walk(f));
		KUNIT_EXPECT_EQ(test, 1, f->calls);
		mmu_interval_notifier_remove(&f->notifier);
	}
}

static struct kunit_case killed_cases[] = {
	KUNIT_CASE(killed_waiting_for_rwsem),
	KUNIT_CASE(killed_waiting_to_walk),
	KUNIT_CASE(killed_waiting_to_make_exclusive),
	KUNIT_CASE(ranges_take_no_mmap_lock),
	KUNIT_CASE(section_in_a_callback_under_a_rwsem),
	KUNIT_CASE(killed_between_batches),
	KUNIT_CASE(killed_between_walks),
	KUNIT_CASE(killed_while_losing_races),
	KUNIT_CASE_SLOW(wait_in_a_fault_is_no_lost_race),
	KUNIT_CASE_SLOW(waits_in_faults_of_a_page_end),
	KUNIT_CASE(killed_waiting_for_mmap_lock),
	KUNIT_CASE(killed_waiting_to_be_listed),
	KUNIT_CASE(killed_waiting_for_a_removal),
	KUNIT_CASE(killed_waiting_for_addresses),
	KUNIT_CASE(killed_while_faulting),
	KUNIT_CASE(failing_fault_ends),
	KUNIT_CASE_SLOW(faults_without_progress_end),
	{}
};

static struct kunit_suite killed_suite = {
	.name = "hmm_killed",
	.test_cases = killed_cases,
};

kunit_test_suite(killed_suite);

MODULE_DESCRIPTION("KUnit tests of HMM's waits and retries that a signal or the time ends");
MODULE_LICENSE("GPL");
