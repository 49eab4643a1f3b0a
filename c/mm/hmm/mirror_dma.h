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
void hmm_mirror_dma_yield(struct hmm_mirror_dma *dma, size_t idx) __must_hold(&dma->lock);

/**
 * struct hmm_mirror_peer - an entry of a &struct hmm_mirror_dma, for memory of a peer
 * @page: the page, in another device's private memory; NULL if there is none
 * @address: by which the device accesses it, as the driver of that memory gave it
 * @pointer: the same in a map with &hmm_mirror_dma.by_cpu, whose entries have no @address
 *
 * It is guarded by &hmm_mirror_dma.lock. While there is a page the entry of the same
 * address in &hmm_mirror_dma.map is not mapped: the DMA API does not know @address.
 */
struct hmm_mirror_peer {
	struct page *page;
	union {
		dma_addr_t address;
		void *pointer;
	};
};

bool hmm_mirror_peer_map(struct hmm_mirror_dma *dma, size_t idx, unsigned long hmm_pfn,
			 unsigned long *given);
void hmm_mirror_peer_unmap(struct hmm_mirror_dma *dma, size_t idx);
void hmm_mirror_peers_count_memory(int nr);

/* Whether an entry has the address of a page of a peer. hmm_mirror_dma.lock is held. */
static inline bool hmm_mirror_peer_mapped(const struct hmm_mirror_dma *dma, size_t idx)
{
	return dma->peers && dma->peers[idx].page;
}

int hmm_section_peers_begin(struct hmm_section *section);
void hmm_section_peers_end(struct hmm_section *section);
void hmm_section_peers_reset(struct hmm_section *section);
void hmm_section_peers_again(struct hmm_section *section);
void hmm_section_peers_refuse(struct hmm_section *section);
void hmm_section_peers_count(const struct hmm_section *section, struct hmm_span part,
			     unsigned long given, unsigned long refused);

#endif /* _MM_HMM_MIRROR_DMA_H */
