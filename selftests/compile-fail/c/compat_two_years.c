// SPDX-License-Identifier: GPL-2.0
/* A driver selects two API years that give a name different meanings. */
#include <linux/module.h>
#define HMM_API (HMM_API_2017 | HMM_API_2019)
#include <linux/hmm_compat.h>

#ifdef MISUSE
static __maybe_unused const u64 dm_valid = HMM_PFN_VALID; //~ - use_HMM2017_PFN_VALID_or_HMM2019_PFN_VALID
static __maybe_unused const u64 dm_write = HMM_PFN_WRITE; //~ - use_HMM2017_PFN_WRITE_or_HMM2019_PFN_WRITE
#else
static __maybe_unused const u64 dm_valid = HMM2017_PFN_VALID;
static __maybe_unused const u64 dm_flags[HMM_PFN_FLAG_MAX] = { [HMM2019_PFN_VALID] = 1 };
#endif
