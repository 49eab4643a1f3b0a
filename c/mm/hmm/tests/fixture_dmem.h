/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MM_HMM_TESTS_FIXTURE_DMEM_H
#define _MM_HMM_TESTS_FIXTURE_DMEM_H

#include <linux/types.h>

struct dmem_cgroup_pool_state;

/*
 * Limit a pool; %PAGE_COUNTER_MAX for no limit. For KUnit tests, which are in the root
 * cgroup: no file has its limit. Defined in kernel/cgroup/dmem.c.
 */
void dmem_cgroup_pool_set_max(struct dmem_cgroup_pool_state *pool, u64 max);

#endif
