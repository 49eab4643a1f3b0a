/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device addresses of a mirror: the interface for mirror.c and section.c.
 */
#ifndef _MM_HMM_MIRROR_DMA_H
#define _MM_HMM_MIRROR_DMA_H

#include <linux/hmm_mirror.h>

bool hmm_mirror_dma_unmap_span(struct hmm_mirror *mirror, struct hmm_span span,
			       bool may_block);
bool hmm_mirror_dma_fits(const struct hmm_section *section);
int hmm_mirror_dma_map(const struct hmm_section *section);

#endif /* _MM_HMM_MIRROR_DMA_H */
