/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User memory for a test, and its state determined without HMM.
 */
#ifndef _MM_HMM_TESTS_FIXTURE_MEMORY_H
#define _MM_HMM_TESTS_FIXTURE_MEMORY_H

#include <kunit/test.h>
#include <linux/hmm.h>
#include <linux/mmu_notifier.h>

#define MEMORY_PAGES 16UL
#define MEMORY_SIZE (MEMORY_PAGES * PAGE_SIZE)

/* What warns: without the backtraces, where KUnit can leave them out. */
#ifdef kunit_warning_suppress
#define with_warnings(test) kunit_warning_suppress(test)
#else
#define with_warnings(test) for (bool once = (test); once; once = false)
#endif

/* Map anonymous memory; the test fails if that fails. */
unsigned long memory_map(struct kunit *test, unsigned long npages,
			 unsigned long prot);

/* The same at a fixed address, replacing existing mappings. */
void memory_map_at(struct kunit *test, unsigned long addr,
		   unsigned long npages, unsigned long prot);

/* Write an unsigned long to the page at @addr, as a user access. */
void memory_write(struct kunit *test, unsigned long addr, unsigned long value);

/* Read one, as a user access. */
unsigned long memory_read(struct kunit *test, unsigned long addr);

/* For a notifier that is used for its sequence only. */
extern const struct mmu_interval_notifier_ops memory_notifier_ops;

/* The page frame of a present page, by get_user_pages(). */
unsigned long memory_pfn(struct kunit *test, unsigned long addr);

/* Make a fatal signal pending for this task, or none. A kthread ignores those it is sent. */
void set_killed(bool killed);

#endif /* _MM_HMM_TESTS_FIXTURE_MEMORY_H */
