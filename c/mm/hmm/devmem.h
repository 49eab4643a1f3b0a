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
#include <linux/ioport.h>
#include <linux/memremap.h>

/*
 * Whether a pagemap covers a part of these addresses, also if it lies between
 * both ends. Memory is added in subsections, so each pagemap covers one.
 */
#ifdef CONFIG_ZONE_DEVICE
static inline bool addresses_have_pagemap(const struct range *range)
{
	unsigned long pfn = ALIGN_DOWN(PHYS_PFN(range->start),
				       PAGES_PER_SUBSECTION);

	for (; pfn <= PHYS_PFN(range->end); pfn += PAGES_PER_SUBSECTION) {
		struct dev_pagemap *pgmap = get_dev_pagemap(pfn);

		put_dev_pagemap(pgmap);
		if (pgmap)
			return true;
	}
	return false;
}
#else
static inline bool addresses_have_pagemap(const struct range *range)
{
	return false;
}
#endif

/* Whether there is memory at these addresses, the system's or a device's. */
static inline bool addresses_are_taken(const struct range *range)
{
	return addresses_have_pagemap(range) ||
	       region_intersects(range->start, range_len(range), IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) != REGION_DISJOINT;
}

void devmem_free(struct folio *folio);
unsigned long devmem_used_pfns(struct hmm_devmem_chunk *chunk,
			       unsigned long at, unsigned long *pfns);
bool devmem_is_ours(const struct page *page);

vm_fault_t devmem_fault(struct vm_fault *vmf);
void devmem_bring_home(struct hmm_devmem_chunk *chunk);

struct devmem_move;

#ifdef CONFIG_HMM_DEVMEM
/* At most this many pages move at once: what one PMD maps. */
#define TRANSFER_PAGES	HPAGE_PMD_NR

struct devmem_move *devmem_move_alloc(struct hmm_devmem *to, bool write);
void devmem_move_free(struct devmem_move *move);
unsigned long *devmem_move_pfns(struct devmem_move *move);
int devmem_move_begin(struct devmem_move *move, struct mm_struct *mm,
		      struct hmm_span *span, unsigned long *pfns);
void devmem_move_end(struct devmem_move *move);
#else
#define TRANSFER_PAGES	1

static inline struct devmem_move *devmem_move_alloc(struct hmm_devmem *to,
						    bool write)
{
	return NULL;
}

static inline void devmem_move_free(struct devmem_move *move)
{
}

static inline unsigned long *devmem_move_pfns(struct devmem_move *move)
{
	return NULL;
}

static inline int devmem_move_begin(struct devmem_move *move,
				    struct mm_struct *mm,
				    struct hmm_span *span, unsigned long *pfns)
{
	return 0;
}

static inline void devmem_move_end(struct devmem_move *move)
{
}
#endif

#endif /* _MM_HMM_DEVMEM_H */
