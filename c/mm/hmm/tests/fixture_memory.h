/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User memory for a test, and what is known of it without asking HMM.
 */
#ifndef _MM_HMM_TESTS_FIXTURE_MEMORY_H
#define _MM_HMM_TESTS_FIXTURE_MEMORY_H

#include <kunit/test.h>
#include <linux/hmm.h>
#include <linux/mmu_notifier.h>

#define MEMORY_PAGES 16UL
#define MEMORY_SIZE (MEMORY_PAGES * PAGE_SIZE)

/* Anonymous memory of the test's; the test fails when there is none. */
unsigned long memory_map(struct kunit *test, unsigned long npages,
			 unsigned long prot);

/* The same at an address that is known, in place of what is there. */
void memory_map_at(struct kunit *test, unsigned long addr,
		   unsigned long npages, unsigned long prot);

/* Writes a word into the page at @addr as a program would. */
void memory_write(struct kunit *test, unsigned long addr, unsigned long value);

/* Reads one, as a program would. */
unsigned long memory_read(struct kunit *test, unsigned long addr);

/* For a notifier of which only the sequence is of interest. */
extern const struct mmu_interval_notifier_ops memory_notifier_ops;

/* The page frame of a present page, by get_user_pages(). */
unsigned long memory_pfn(struct kunit *test, unsigned long addr);

#endif /* _MM_HMM_TESTS_FIXTURE_MEMORY_H */
