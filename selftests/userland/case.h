/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A case: an address space, and one call of the walker. A case is made from a
 * string of bytes, each of which decides one choice: random bytes, or a fuzzer's.
 * After the end of the string every choice is 0, the simplest. A shorter string
 * with smaller bytes is a simpler case, so strings can be shrunk.
 */
#ifndef USERLAND_CASE_H
#define USERLAND_CASE_H

#include <linux/hmm.h>

#include "model.h"

#define CASE_MAX_PMD 3
#define CASE_MAX_PAGES (CASE_MAX_PMD * PTRS_PER_PTE)

enum case_output { CASE_PFNS, CASE_FORMAT, CASE_EXTENTS };
enum case_lock { CASE_MMAP, CASE_VMA, CASE_UNLOCKED };

struct test_case {
	struct mm_struct mm;
	unsigned long start;
	unsigned long end;
	unsigned long in[CASE_MAX_PAGES];
	bool refused[CASE_MAX_PAGES];	/* with peers: the page is not reached where it is */
	unsigned long default_flags;
	unsigned long mask;
	bool owner;
	bool peers;		/* pages of other devices that can be reached satisfy requests */
	enum case_output output;
	enum case_lock lock;
	unsigned long room;
	struct hmm_format format;
	long cleared;		/* page whose DMA_MAPPED an invalidation clears; -1: none */
};

/* The request of a page, decoded from pfns or from a driver's format. */
struct case_request {
	unsigned long bits;	/* HMM_PFN_REQ_* */
	bool to_ram;		/* migrate the caller's device memory to system memory */
};

static inline unsigned long case_pages(const struct test_case *t)
{
	return (t->end - t->start) >> PAGE_SHIFT;
}

void case_make(struct test_case *t, const u8 *choices, size_t nr);
void case_print(const struct test_case *t);
struct case_request case_request(const struct test_case *t, unsigned long i);

/* Run the case. Return what is wrong with the result, or NULL. */
const char *case_check(const struct test_case *t);

/* Called around the call of the core, if set. */
extern void (*case_begin)(const struct test_case *t, struct mm_struct *mm);
extern void (*case_end)(const struct test_case *t, int ret);

/* The line of the check that failed: shrinking keeps to one check. */
extern int case_line;

#endif /* USERLAND_CASE_H */
