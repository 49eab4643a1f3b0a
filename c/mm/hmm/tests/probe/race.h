/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Internal declarations of hmm_probe.ko: walks that race with other threads, and
 * the check of their results.
 */
#ifndef HMM_PROBE_RACE_H
#define HMM_PROBE_RACE_H

#include <linux/types.h>

#include "hmm_probe.h"

struct mm_struct;

/**
 * struct race_check - the result of one walk, to be checked
 * @mm: the address space that was walked
 * @owner: the owner of device-private pages that may be reported
 * @start: first address of @hmm_pfns
 * @hmm_pfns: one hmm pfn per page
 * @npages: number of pages
 * @result: the request with the expected content; receives the first failure
 */
struct race_check {
	struct mm_struct *mm;
	void *owner;
	unsigned long start;
	const unsigned long *hmm_pfns;
	unsigned long npages;
	struct hmm_probe_race *result;
};

void race_check_plausible(const struct race_check *check);
void race_check_mapped(const struct race_check *check);
void race_check_request(const struct race_check *check, bool write);

#endif /* HMM_PROBE_RACE_H */
