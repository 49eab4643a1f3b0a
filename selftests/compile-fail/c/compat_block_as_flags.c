// SPDX-License-Identifier: GPL-2.0
/* A driver for Linux 5.3 passes "block" where Linux 5.4 has flags. */
#include <linux/module.h>
#define HMM_API HMM_API_2019
#include <linux/hmm_compat.h>

static __maybe_unused long dm_fault(struct hmm_range *range, bool block)
{
#ifdef MISUSE
	long ret = hmm_range_fault(range, block); //~ - the argument is flags, not the bool block of Linux 5.3

	return ret ?: hmm_range_fault(range, true); //~ - the argument is flags, not the bool block of Linux 5.3
#else
	unsigned int flags = block ? 0 : HMM_FAULT_SNAPSHOT;

	return hmm_range_fault(range, 0) + hmm_range_fault(range, flags) +
	       hmm_range_fault(range, HMM_FAULT_ALLOW_RETRY | HMM_FAULT_SNAPSHOT);
#endif
}

static __maybe_unused long dm_map(struct hmm_range *range, struct device *device,
				  dma_addr_t *daddrs, bool block)
{
#ifdef MISUSE
	return hmm_range_dma_map(range, device, daddrs, block); //~ - the argument is flags, not the bool block of Linux 5.3
#else
	return hmm_range_dma_map(range, device, daddrs, block ? 0 : HMM_FAULT_ALLOW_RETRY);
#endif
}
