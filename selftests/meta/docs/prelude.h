/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the code blocks in the kernel-doc of our headers take for granted: a
 * driver with a mirror, a page table and memory of its own.
 */
#include <linux/hmm_typed.h>

#define DM_PTE_VALID	BIT(63)
#define DM_PTE_WRITE	BIT(62)
#define DM_PTE_ERROR	BIT(61)

#define DM_MAY_READ	BIT(0)
#define DM_MAY_WRITE	BIT(1)

struct dm_table {
	unsigned long *entries;
};

struct dm {
	struct hmm_mirror mirror;
	struct hmm_mirror_dma dma;
	struct hmm_devmem memory;
	struct mmu_interval_notifier notifier;
	struct dm_table table;
};

static inline unsigned long *dm_table_entries(struct dm_table *table, unsigned long start)
{
	return table->entries + (start >> PAGE_SHIFT);
}

static inline int __must_check dm_table_map(struct dm_table *table, struct hmm_span span,
					    unsigned long pfn, unsigned int access)
{
	return 0;
}

static inline int __must_check dm_table_map_dma(struct dm_table *table, struct hmm_span span,
						dma_addr_t address)
{
	return 0;
}

static inline int __must_check dm_map_pages(struct dm *dm, const struct hmm_section *pages)
{
	hmm_section_runs(run, pages) {
		int ret = dm_table_map(&dm->table, run.span, run.pfn, DM_MAY_READ);

		if (ret)
			return ret;
	}
	return 0;
}
