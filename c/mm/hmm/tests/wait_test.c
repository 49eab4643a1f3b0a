// SPDX-License-Identifier: GPL-2.0
/*
 * Waits of a section, and of hmm_range_fault(), for a page that is migrating or locked in
 * another device's memory: a fatal signal ends them, and they are not time that was lost to
 * invalidations.
 */
#include <kunit/test.h>
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hmm_mirror.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/syscalls.h>
#include <linux/workqueue.h>

#include "fixture_device.h"
#include "fixture_memory.h"

/* How long a page is held; what waits longer than half of it was not killed. */
#define HOLD_TIME	(4 * HZ)
/* A section's timeout. A wait for a page takes longer than it, and than a walk may stall. */
#define TIMEOUT		(HZ / 10)
#define WAIT_TIME	(msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT) + HZ / 2)

/* How the page is held, as if a device copied it or the body of a section were running. */
enum hold {
	HOLD_DEVICE,		/* locked in device-private memory */
	HOLD_DEVICE_HUGE,
	HOLD_MIGRATING,		/* migrating */
	HOLD_MIGRATING_HUGE,
	HOLD_MIGRATING_HUGETLB,
};

/**
 * struct waiter - a task that waits for a page
 * @test: the test
 * @hold: how the page is held
 * @device: has the page in its memory, if it is not migrating
 * @mirror: the mirror under test
 * @range: its range
 * @mirrored: whether these and @notifier are in use
 * @notifier: a subscription, of which the sequence is used
 * @mm: the process
 * @task: the task
 * @span: the addresses of the page
 * @pfns: the hmm pfns
 * @folio: the folio that is held; NULL: none
 * @kill: kills the task, after a moment
 * @wait: invalidates the page, and releases it, after WAIT_TIME
 * @hugetlb_vma: the VMA of a page of hugetlb; it stays until the end of the process
 * @hugetlb_locked: whether the lock of the hugetlb VMA could be taken for writing
 * @supplied: the page of victim_fault(), or NULL
 * @victim: the page that begins to migrate in victim_fault(), or in hold_late()
 * @late: runs hold_late()
 * @locked: the mmap lock is held by it
 */
struct waiter {
	struct kunit *test;
	enum hold hold;
	struct buffer_device *device;
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	bool mirrored;
	struct mmu_interval_notifier notifier;
	struct mm_struct *mm;
	struct task_struct *task;
	struct hmm_span span;
	unsigned long pfns[2];
	struct folio *folio;
	struct delayed_work kill;
	struct delayed_work wait;
	struct vm_area_struct *hugetlb_vma;
	bool hugetlb_locked;
	struct page *supplied;
	struct page *victim;
	struct work_struct late;
	struct completion locked;
};

static bool waiter_invalidate(struct hmm_mirror *mirror,
			      const struct hmm_invalidation *inv)
{
	return true;
}

static const struct hmm_mirror_ops waiter_ops = {
	.invalidate = waiter_invalidate,
};

static bool is_huge(enum hold hold)
{
	return hold == HOLD_DEVICE_HUGE || hold == HOLD_MIGRATING_HUGE ||
	       hold == HOLD_MIGRATING_HUGETLB;
}

static bool is_migrating(enum hold hold)
{
	return hold >= HOLD_MIGRATING;
}

/* Lock a folio, and have it migrate if that is how it is held. */
static void hold_folio(struct waiter *w, struct folio *folio)
{
	folio_get(folio);
	folio_lock(folio);
	if (is_migrating(w->hold))
		try_to_migrate(folio, 0);
	w->folio = folio;
}

static void release_folio(struct waiter *w)
{
	struct folio *folio = xchg(&w->folio, NULL);

	if (!folio)
		return;
	if (is_migrating(w->hold))
		remove_migration_ptes(folio, folio, 0);
	folio_unlock(folio);
	folio_put(folio);
}

/* What a device's driver, or another task, does to the page meanwhile. */
static void waiter_release(struct work_struct *work)
{
	struct waiter *w = container_of(work, struct waiter, wait.work);
	struct mmu_notifier_range range;

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, w->mm, w->span.start,
				w->span.end);
	mmu_notifier_invalidate_range_start(&range);
	mmu_notifier_invalidate_range_end(&range);
	release_folio(w);
}

static void waiter_kill(struct work_struct *work)
{
	struct waiter *w = container_of(work, struct waiter, kill.work);
	struct sighand_struct *sighand = w->task->sighand;

	if (w->hugetlb_vma) {
		w->hugetlb_locked = hugetlb_vma_trylock_write(w->hugetlb_vma);
		if (w->hugetlb_locked)
			hugetlb_vma_unlock_write(w->hugetlb_vma);
	}
	/* A kthread ignores signals, so it is not sent one. */
	spin_lock_irq(&sighand->siglock);
	sigaddset(&w->task->pending.signal, SIGKILL);
	set_tsk_thread_flag(w->task, TIF_SIGPENDING);
	spin_unlock_irq(&sighand->siglock);
	wake_up_process(w->task);
}

static struct folio *folio_at(struct waiter *w, unsigned long addr)
{
	struct page *page = NULL;

	KUNIT_ASSERT_EQ(w->test, 1, get_user_pages_fast(addr, 1, FOLL_WRITE, &page));
	put_page(page);
	return page_folio(page);
}

#ifdef CONFIG_HUGETLB_PAGE
static unsigned long map_hugetlb(struct kunit *test)
{
	unsigned long overcommit = default_hstate.nr_overcommit_huge_pages, addr;

	/* Attaches an address space to this task. */
	map_anonymous(test, PAGE_SIZE);
	default_hstate.nr_overcommit_huge_pages = 4;
	addr = ksys_mmap_pgoff(0, huge_page_size(&default_hstate), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	default_hstate.nr_overcommit_huge_pages = overcommit;
	if (IS_ERR_VALUE(addr))
		kunit_skip(test, "no page of hugetlb could be allocated");
	return addr;
}
#else
static unsigned long map_hugetlb(struct kunit *test)
{
	kunit_skip(test, "this kernel has no hugetlb");
	return 0;
}
#endif

/* Have a page where it is to be held. */
static struct folio *make_page(struct waiter *w)
{
	struct kunit *test = w->test;
	unsigned long size = is_huge(w->hold) ? HPAGE_PMD_SIZE : PAGE_SIZE, addr;
	struct folio *folio;

	if (w->hold == HOLD_MIGRATING_HUGETLB) {
		addr = map_hugetlb(test);
		mmap_read_lock(current->mm);
		w->hugetlb_vma = vma_lookup(current->mm, addr);
		mmap_read_unlock(current->mm);
	} else {
		addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
		if (is_huge(w->hold))
			allow_huge(test, addr, size);
	}
	w->span = span_of(addr, size);
	memory_write(test, addr, 0x7a);
	folio = folio_at(w, addr);
	if (is_huge(w->hold) && !folio_test_large(folio))
		kunit_skip(test, "no huge page could be allocated");
	if (is_migrating(w->hold))
		return folio;
	KUNIT_ASSERT_EQ(test, migrate_to(w->device, addr, size), size >> PAGE_SHIFT);
	return page_folio(device_page(w->device, 0));
}

static int waiter_init(struct kunit *test)
{
	struct waiter *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	test->priv = w;
	w->test = test;
	w->task = current;
	w->device = make_buffer_device(test);
	INIT_DELAYED_WORK(&w->kill, waiter_kill);
	INIT_DELAYED_WORK(&w->wait, waiter_release);
	return 0;
}

static void waiter_stop(struct waiter *w)
{
	cancel_delayed_work_sync(&w->kill);
	cancel_delayed_work_sync(&w->wait);
	release_folio(w);
	set_killed(false);
	if (!w->mirrored)
		return;
	w->mirrored = false;
	hmm_mirror_exit(&w->mirror);
	mmu_interval_notifier_remove(&w->notifier);
}

static void waiter_exit(struct kunit *test)
{
	struct waiter *w = test->priv;

	if (!w)
		return;
	waiter_stop(w);
	if (w->supplied)
		put_page(w->supplied);
	hmm_devmem_exit(&w->device->devmem);
}

static void waiter_mirror(struct waiter *w)
{
	w->mm = current->mm;
	KUNIT_ASSERT_EQ(w->test, 0, hmm_mirror_init(&w->mirror, w->mm, &waiter_ops, w));
	KUNIT_ASSERT_EQ(w->test, 0, hmm_mirror_range_add(&w->mirror, &w->range, w->span));
	KUNIT_ASSERT_EQ(w->test, 0,
			mmu_interval_notifier_insert(&w->notifier, w->mm, w->span.start,
						     w->span.end - w->span.start,
						     &memory_notifier_ops));
	w->mirrored = true;
}

/* Hold a page of the kind that is the parameter of the test, and mirror it. */
static struct waiter *make_waiter(struct kunit *test)
{
	struct waiter *w = test->priv;
	struct folio *folio;

	w->hold = *(const enum hold *)test->param_value;
	folio = make_page(w);
	waiter_mirror(w);
	hold_folio(w, folio);
	return w;
}

/* Request the page by a section. Returns its error, or 1 if it was inside. */
static int request_access(struct waiter *w, enum hmm_access access)
{
	struct hmm_section section = {
		.mirror = &w->mirror,
		.span = { w->span.start, w->span.start + PAGE_SIZE },
		.access = access,
		.pfns = w->pfns,
		.nr_pfns = 1,
		.timeout = TIMEOUT,
	};
	int inside = 0;

	while (hmm_section_next(&section))
		inside++;
	return section.error ?: inside;
}

static int request_by_section(struct waiter *w)
{
	return request_access(w, HMM_ACCESS_READ);
}

static int request_present(struct waiter *w)
{
	return request_access(w, HMM_ACCESS_PRESENT);
}

/* Request pages under the caller's mmap lock. */
static int fault_locked(struct waiter *w, unsigned long nr, unsigned long flags)
{
	struct hmm_range range = {
		.notifier = &w->notifier,
		.start = w->span.start,
		.end = w->span.start + nr * PAGE_SIZE,
		.hmm_pfns = w->pfns,
		.default_flags = flags,
	};
	int ret;

	memset(w->pfns, 0, sizeof(w->pfns));
	range.notifier_seq = mmu_interval_read_begin(&w->notifier);
	mmap_read_lock(w->mm);
	ret = hmm_range_fault(&range);
	mmap_read_unlock(w->mm);
	return ret;
}

static int request_locked(struct waiter *w)
{
	return fault_locked(w, 1, HMM_PFN_REQ_FAULT);
}

static int request_two(struct waiter *w)
{
	return fault_locked(w, 2, HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE);
}

static void expect_killed(struct waiter *w, int (*request)(struct waiter *w))
{
	unsigned long start = jiffies;

	w->hugetlb_locked = false;
	queue_delayed_work(system_dfl_wq, &w->kill, HZ / 10);
	/* In case that no signal ends the wait. */
	queue_delayed_work(system_dfl_wq, &w->wait, HOLD_TIME);
	KUNIT_EXPECT_EQ(w->test, -EINTR, request(w));
	KUNIT_EXPECT_GE(w->test, jiffies - start, HZ / 10);
	KUNIT_EXPECT_LT(w->test, jiffies - start, HOLD_TIME / 2);
	flush_delayed_work(&w->kill);
	cancel_delayed_work_sync(&w->wait);
	set_killed(false);
	KUNIT_EXPECT_NOT_NULL(w->test, w->folio);
	if (w->hold == HOLD_MIGRATING_HUGETLB)
		KUNIT_EXPECT_TRUE(w->test, w->hugetlb_locked);
}

/*
 * A fatal signal ends the wait, and the page stays where it is. Who takes the lock of a
 * hugetlb VMA for writing meanwhile does not wait.
 */
static void waiter_is_killed(struct kunit *test)
{
	struct waiter *w = make_waiter(test);

	expect_killed(w, request_by_section);
	expect_killed(w, request_locked);
	if (!is_migrating(w->hold))
		KUNIT_EXPECT_EQ(test, available(w->device),
				DEVICE_PAGES - (w->span.end - w->span.start) / PAGE_SIZE);
	waiter_stop(w);
}

/*
 * A wait that takes longer than the section's timeout, and in which a race is lost, does
 * not end the section.
 */
static void wait_is_no_lost_time(struct kunit *test)
{
	struct waiter *w = make_waiter(test);
	unsigned long start = jiffies;

	queue_delayed_work(system_dfl_wq, &w->wait, WAIT_TIME);
	KUNIT_EXPECT_EQ(test, 1, request_by_section(w));
	KUNIT_EXPECT_GE(test, jiffies - start, WAIT_TIME);
	KUNIT_EXPECT_EQ(test, 0x7a, memory_read(test, w->span.start));
	waiter_stop(w);
}

static void waiter_release_only(struct work_struct *work)
{
	release_folio(container_of(work, struct waiter, wait.work));
}

static bool is_reported(const struct waiter *w)
{
	return w->pfns[0] & HMM_PFN_VALID;
}

/*
 * A section for what is present waits for a page that migrates, and not for one that is in
 * another device's memory, which stays there. A snapshot waits for neither.
 */
static void wait_for_what_is_present(struct kunit *test)
{
	struct waiter *w = make_waiter(test);
	unsigned long start = jiffies;

	/* In case that it waits. */
	queue_delayed_work(system_dfl_wq, &w->wait, HOLD_TIME);
	KUNIT_EXPECT_EQ(test, 1, request_access(w, HMM_ACCESS_SNAPSHOT));
	KUNIT_EXPECT_FALSE(test, is_reported(w));
	/* The kernel's walk of hugetlb cannot wait. */
	if (!is_migrating(w->hold) || w->hold == HOLD_MIGRATING_HUGETLB) {
		KUNIT_EXPECT_EQ(test, 1, request_present(w));
		KUNIT_EXPECT_FALSE(test, is_reported(w));
		KUNIT_EXPECT_LT(test, jiffies - start, WAIT_TIME);
		if (!is_migrating(w->hold))
			KUNIT_EXPECT_LT(test, available(w->device), DEVICE_PAGES);
	} else {
		cancel_delayed_work_sync(&w->wait);
		expect_killed(w, request_present);
		start = jiffies;
		queue_delayed_work(system_dfl_wq, &w->wait, WAIT_TIME);
		KUNIT_EXPECT_EQ(test, 1, request_present(w));
		KUNIT_EXPECT_GE(test, jiffies - start, WAIT_TIME);
		KUNIT_EXPECT_TRUE(test, is_reported(w));
	}
	waiter_stop(w);
}

/* Nor does it end hmm_range_fault(), whose walks may stall for less time. */
static void wait_is_no_stall(struct kunit *test)
{
	struct waiter *w = make_waiter(test);
	unsigned long start = jiffies;
	int ret, tries;

	INIT_DELAYED_WORK(&w->wait, waiter_release_only);
	queue_delayed_work(system_dfl_wq, &w->wait, WAIT_TIME);
	ret = request_locked(w);
	KUNIT_EXPECT_GE(test, jiffies - start, WAIT_TIME);
	/* A fault that brings the page from the device moves the sequence; so may others. */
	for (tries = 0; tries < 10 && ret == -EBUSY && !is_migrating(w->hold); tries++)
		ret = request_locked(w);
	KUNIT_EXPECT_EQ(test, 0, ret);
	KUNIT_EXPECT_TRUE(test, w->pfns[0] & HMM_PFN_VALID);
	waiter_stop(w);
}

/*
 * Private file memory of two pages. The first is absent; the handler that brings it has the
 * second, which is anonymous, begin to migrate.
 */
static vm_fault_t victim_fault(struct vm_fault *vmf)
{
	struct waiter *w = vmf->vma->vm_private_data;

	if (!vmf->pgoff)
		hold_folio(w, page_folio(w->victim));
	get_page(w->supplied);
	vmf->page = w->supplied;
	return 0;
}

static const struct vm_operations_struct victim_vm_ops = {
	.fault = victim_fault,
};

static int victim_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &victim_vm_ops;
	return 0;
}

static const struct file_operations victim_fops = {
	.mmap = victim_mmap,
};

/* Have a PTE need a fault for write. */
static void write_protect(struct kunit *test, unsigned long addr)
{
	spinlock_t *ptl;	/* of the PTE */
	pte_t *ptep = get_locked_pte(current->mm, addr, &ptl);

	KUNIT_ASSERT_NOT_NULL(test, ptep);
	ptep_set_wrprotect(current->mm, addr, ptep);
	pte_unmap_unlock(ptep, ptl);
}

/* A page begins to migrate when it was walked, and before it is faulted in. */
static void killed_before_a_fault(struct kunit *test)
{
	struct waiter *w = test->priv;
	struct file *file = anon_inode_getfile("hmm_victim", &victim_fops, w, O_RDWR);
	unsigned long addr;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	w->hold = HOLD_MIGRATING;
	w->supplied = alloc_page(GFP_HIGHUSER | __GFP_ZERO);
	addr = kunit_vm_mmap(test, file, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE, 0);
	fput(file);
	KUNIT_ASSERT_NOT_NULL(test, w->supplied);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	w->span = span_of(addr, 2 * PAGE_SIZE);
	memory_write(test, addr + PAGE_SIZE, 0x7a);
	w->victim = folio_page(folio_at(w, addr + PAGE_SIZE), 0);
	write_protect(test, addr + PAGE_SIZE);
	waiter_mirror(w);
	expect_killed(w, request_two);
	waiter_stop(w);
	KUNIT_EXPECT_EQ(test, 0x7a, memory_read(test, addr + PAGE_SIZE));
}

/*
 * Have a page begin to migrate when a section waits for the mmap lock, to make exclusive what
 * it has walked under the lock of the VMA.
 */
static void hold_late(struct work_struct *work)
{
	struct waiter *w = container_of(work, struct waiter, late);
	unsigned long end = jiffies + HOLD_TIME;

	mmap_write_lock(w->mm);
	complete(&w->locked);
	while (!mmap_lock_is_contended(w->mm) && !fatal_signal_pending(w->task) &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	hold_folio(w, page_folio(w->victim));
	mmap_write_unlock(w->mm);
}

static int request_exclusive(struct waiter *w)
{
	struct hmm_section section = {
		.mirror = &w->mirror,
		.span = w->span,
		.access = HMM_ACCESS_EXCLUSIVE,
		.pfns = w->pfns,
		.nr_pfns = 1,
		.timeout = TIMEOUT,
	};
	int inside = 0;

	init_completion(&w->locked);
	queue_work(system_dfl_wq, &w->late);
	wait_for_completion(&w->locked);
	while (hmm_section_next(&section))
		inside++;
	flush_work(&w->late);
	return section.error ?: inside;
}

/* A page begins to migrate when it was walked, and before it is made exclusive. */
static void killed_before_it_is_exclusive(struct kunit *test)
{
	struct waiter *w = test->priv;
	unsigned long addr;

	if (!IS_ENABLED(CONFIG_PER_VMA_LOCK))
		kunit_skip(test, "the walk waits for the mmap lock");
	addr = map_anonymous(test, PAGE_SIZE);
	INIT_WORK(&w->late, hold_late);
	w->hold = HOLD_MIGRATING;
	w->span = span_of(addr, PAGE_SIZE);
	memory_write(test, addr, 0x7a);
	w->victim = folio_page(folio_at(w, addr), 0);
	waiter_mirror(w);
	expect_killed(w, request_exclusive);
	waiter_stop(w);
	KUNIT_EXPECT_EQ(test, 0x7a, memory_read(test, addr));
}

static const enum hold holds[] = {
	HOLD_DEVICE, HOLD_DEVICE_HUGE, HOLD_MIGRATING, HOLD_MIGRATING_HUGE,
	HOLD_MIGRATING_HUGETLB,
};

static void hold_name(const enum hold *hold, char *name)
{
	static const char *const names[] = {
		[HOLD_DEVICE] = "device",
		[HOLD_DEVICE_HUGE] = "device-huge",
		[HOLD_MIGRATING] = "migrating",
		[HOLD_MIGRATING_HUGE] = "migrating-huge",
		[HOLD_MIGRATING_HUGETLB] = "migrating-hugetlb",
	};

	strscpy(name, names[*hold], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hold, holds, hold_name);

static struct kunit_case wait_cases[] = {
	KUNIT_CASE_PARAM(waiter_is_killed, hold_gen_params),
	KUNIT_CASE_PARAM_ATTR(wait_is_no_lost_time, hold_gen_params, {.speed = KUNIT_SPEED_SLOW}),
	KUNIT_CASE_PARAM_ATTR(wait_is_no_stall, hold_gen_params, {.speed = KUNIT_SPEED_SLOW}),
	KUNIT_CASE_PARAM_ATTR(wait_for_what_is_present, hold_gen_params,
			      {.speed = KUNIT_SPEED_SLOW}),
	KUNIT_CASE(killed_before_a_fault),
	KUNIT_CASE(killed_before_it_is_exclusive),
	{}
};

static struct kunit_suite wait_suite = {
	.name = "hmm_waits",
	.init = waiter_init,
	.exit = waiter_exit,
	.test_cases = wait_cases,
};

kunit_test_suite(wait_suite);

MODULE_DESCRIPTION("KUnit tests of HMM's waits for pages that migrate or are locked");
MODULE_LICENSE("GPL");
