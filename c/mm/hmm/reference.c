// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own mm/hmm.c, unmodified, with names prefixed ref_. The headers are
 * included after the macros, so that they declare these names.
 */
#define hmm_range_fault				ref_hmm_range_fault
#define hmm_range_fault_unlocked_timeout	ref_hmm_range_fault_unlocked_timeout
#define hmm_dma_map_alloc			ref_hmm_dma_map_alloc
#define hmm_dma_map_free			ref_hmm_dma_map_free
#define hmm_dma_map_pfn				ref_hmm_dma_map_pfn
#define hmm_dma_unmap_pfn			ref_hmm_dma_unmap_pfn

#include "../hmm.c"
