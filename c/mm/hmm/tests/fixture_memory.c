// SPDX-License-Identifier: GPL-2.0
/*
 * User memory for a test, and its state determined without HMM.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "fixture_memory.h"

unsigned long memory_map(struct kunit *test, unsigned long npages,
			 unsigned long prot)
{
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, npages * PAGE_SIZE,
					   prot, MAP_PRIVATE | MAP_ANONYMOUS, 0);

	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	return addr;
}

void memory_map_at(struct kunit *test, unsigned long addr,
		   unsigned long npages, unsigned long prot)
{
	KUNIT_ASSERT_EQ(test, addr,
			vm_mmap(NULL, addr, npages * PAGE_SIZE, prot,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0));
}

void memory_write(struct kunit *test, unsigned long addr, unsigned long value)
{
	KUNIT_ASSERT_EQ(test, 0, put_user(value, (unsigned long __user *)addr));
}

unsigned long memory_read(struct kunit *test, unsigned long addr)
{
	unsigned long value;

	KUNIT_ASSERT_EQ(test, 0, get_user(value, (unsigned long __user *)addr));
	return value;
}

unsigned long memory_pfn(struct kunit *test, unsigned long addr)
{
	struct page *page;
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, 1, get_user_pages_fast(addr, 1, 0, &page));
	pfn = page_to_pfn(page);
	put_page(page);
	return pfn;
}

static bool memory_invalidate(struct mmu_interval_notifier *notifier,
			      const struct mmu_notifier_range *range,
			      unsigned long seq)
{
	mmu_interval_set_seq(notifier, seq);
	return true;
}

const struct mmu_interval_notifier_ops memory_notifier_ops = {
	.invalidate = memory_invalidate,
};

void set_killed(bool killed)
{
	spin_lock_irq(&current->sighand->siglock);
	if (killed) {
		sigaddset(&current->pending.signal, SIGKILL);
		set_thread_flag(TIF_SIGPENDING);
	} else {
		sigdelset(&current->pending.signal, SIGKILL);
		recalc_sigpending();
	}
	spin_unlock_irq(&current->sighand->siglock);
}
