// SPDX-License-Identifier: GPL-2.0
/*
 * Waits for locks that a fatal signal ends.
 */
#include <kunit/test.h>
#include <linux/hmm_typed.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "fixture_memory.h"

/* How long locks are held; what waits longer than half of it was not killed. */
#define HOLD_TIME	(4 * HZ)

/**
 * struct killed - a task that is killed while it waits for a lock
 * @mirror: the mirror under test
 * @range: its range
 * @lock: its update lock
 * @mm: the process whose mmap lock is held, or NULL to hold @lock
 * @task: the task
 * @holder: holds the lock
 * @killer: sends the signal
 * @held: the lock is held
 * @release: it is to be released
 */
struct killed {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct rw_semaphore lock;
	struct mm_struct *mm;
	struct task_struct *task;
	struct work_struct holder;
	struct delayed_work killer;
	struct completion held;
	struct completion release;
};

static bool killed_invalidate(struct hmm_mirror *mirror,
			      const struct hmm_invalidation *inv)
{
	return true;
}

static const struct hmm_mirror_ops killed_ops = {
	.invalidate = killed_invalidate,
};

static void hold(struct work_struct *work)
{
	struct killed *k = container_of(work, struct killed, holder);

	if (k->mm)
		mmap_write_lock(k->mm);
	else
		down_write(&k->lock);
	complete(&k->held);
	wait_for_completion_timeout(&k->release, HOLD_TIME);
	if (k->mm)
		mmap_write_unlock(k->mm);
	else
		up_write(&k->lock);
}

/* A kthread ignores signals, so it is not sent one. */
static void kill_task(struct work_struct *work)
{
	struct killed *k = container_of(work, struct killed, killer.work);

	spin_lock_irq(&k->task->sighand->siglock);
	sigaddset(&k->task->pending.signal, SIGKILL);
	set_tsk_thread_flag(k->task, TIF_SIGPENDING);
	spin_unlock_irq(&k->task->sighand->siglock);
	wake_up_process(k->task);
}

static struct killed *killed_make(struct kunit *test)
{
	struct killed *k = kunit_kzalloc(test, sizeof(*k), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, k);
	k->task = current;
	init_rwsem(&k->lock);
	INIT_WORK(&k->holder, hold);
	INIT_DELAYED_WORK(&k->killer, kill_task);
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
	spin_lock_irq(&current->sighand->siglock);
	sigdelset(&current->pending.signal, SIGKILL);
	recalc_sigpending();
	spin_unlock_irq(&current->sighand->siglock);
}

/* A section waits for an update lock that is a rw_semaphore. */
static void killed_waiting_for_rwsem(struct kunit *test)
{
	unsigned long addr = memory_map(test, 4, PROT_READ | PROT_WRITE), start;
	struct hmm_span span = { addr, addr + 4 * PAGE_SIZE };
	struct killed *k = killed_make(test);
	int ret = 0, inside = 0;

	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init_lock(&k->mirror, current->mm, &killed_ops,
						      NULL, HMM_UPDATE_RWSEM(&k->lock)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&k->mirror, &k->range, span));
	killed_begin(k);
	start = jiffies;
	hmm_mirror_populate(pages, ret, &k->mirror, span, HMM_ACCESS_SNAPSHOT)
		inside++;
	KUNIT_EXPECT_EQ(test, -EINTR, ret);
	KUNIT_EXPECT_EQ(test, 0, inside);
	KUNIT_EXPECT_LT(test, jiffies - start, HOLD_TIME / 2);
	killed_end(k);
	hmm_mirror_exit(&k->mirror);
}

/* The first mirror of a process waits for the mmap lock. */
static void killed_waiting_for_mmap_lock(struct kunit *test)
{
	struct killed *k = killed_make(test);
	unsigned long start;
	int ret;

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

static struct kunit_case killed_cases[] = {
	KUNIT_CASE(killed_waiting_for_rwsem),
	KUNIT_CASE(killed_waiting_for_mmap_lock),
	{}
};

static struct kunit_suite killed_suite = {
	.name = "hmm_killed",
	.test_cases = killed_cases,
};

kunit_test_suite(killed_suite);

MODULE_DESCRIPTION("KUnit tests of HMM's waits that a fatal signal ends");
MODULE_LICENSE("GPL");
