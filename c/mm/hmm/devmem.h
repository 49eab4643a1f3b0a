/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device memory, inside. Each of these calls what comes after it:
 *
 *   devmem.c	the chunks that there are
 *   transfer.c	pages on their way there and home; on the migration engine
 *   blocks.c	who has which page of a chunk
 */
#ifndef _MM_HMM_DEVMEM_H
#define _MM_HMM_DEVMEM_H

#include <linux/hmm_devmem.h>

/* At most this many pages move at once: what one PMD maps. */
#define TRANSFER_PAGES	HPAGE_PMD_NR

void devmem_free(struct folio *folio);
unsigned long devmem_used_pfns(struct hmm_devmem_chunk *chunk,
			       unsigned long at, unsigned long *pfns);
bool devmem_is_ours(const struct page *page);

vm_fault_t devmem_fault(struct vm_fault *vmf);
void devmem_bring_home(struct hmm_devmem_chunk *chunk);

#endif /* _MM_HMM_DEVMEM_H */
