// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of hmm_walk_ptes() on PTE tables that belong to no address space, so that
 * PTEs of all classes can be neighbours and change at any time. Their pfns have no
 * struct page: a walker that looks one up from a stale PTE crashes.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/ioport.h>
#include <linux/kthread.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/prandom.h>

#include <kunit/test.h>

#include "../compat-kernel.h"
#include "../pte_class.h"
#include "../walk.h"

#define TABLE_PAGES PTRS_PER_PTE
/* An unused address, aligned to a PMD. */
#define TABLE_ADDR (64UL * PMD_SIZE)
/* Unused page frames; their struct pages must not be looked up. */
#define TABLE_PFN 0x4000UL

/**
 * struct table - a PTE table, and a walk over it
 * @walk: the walk
 * @range: its range
 * @vma: its VMA, empty
 * @pte: the PTEs
 * @pfns: the reported hmm pfns
 * @extents: the reported extents
 * @extent: their buffer
 * @lost: for threads: number of errors
 */
struct table {
	struct hmm_walk walk;
	struct hmm_range range;
	struct vm_area_struct vma;
	pte_t *pte;
	unsigned long pfns[TABLE_PAGES];
	struct hmm_extents extents;
	struct hmm_extent extent[TABLE_PAGES];
	unsigned long lost;
};

static struct table *table_make(struct kunit *test)
{
	struct table *table = kunit_kzalloc(test, sizeof(*table), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, table);
	table->pte = kunit_kzalloc(test, TABLE_PAGES * sizeof(pte_t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table->pte);
	table->range.hmm_pfns = table->pfns;
	table->extents.at = table->extent;
	table->extents.room = TABLE_PAGES;
	return table;
}

static int table_walk_to(struct table *table, unsigned long first, unsigned long nr,
			 const struct hmm_format *format, struct hmm_extents *extents)
{
	struct hmm_walk *w = &table->walk;
	int ret;

	table->range.start = TABLE_ADDR + first * PAGE_SIZE;
	table->range.end = table->range.start + nr * PAGE_SIZE;
	ret = hmm_walk_init(w, &table->range, format, extents);
	if (ret)
		return ret;
	w->vma = &table->vma;
	w->vma_access = HMM_PFN_WRITABLE;
	memset(&w->pgmap, 0, sizeof(w->pgmap));
	rcu_read_lock();
	ret = hmm_walk_ptes(w, table->range.end, table->pte + first);
	rcu_read_unlock();
	return ret;
}

static int table_walk(struct table *table, unsigned long first, unsigned long nr)
{
	return table_walk_to(table, first, nr, NULL, NULL);
}

static pte_t hmm_test_present_pte(unsigned long pfn, bool writable)
{
	pte_t pte = pfn_pte(pfn, PAGE_READONLY);

	return writable ? pte_mkdirty(pte_mkwrite_novma(pfn_pte(pfn, PAGE_SHARED))) : pte;
}

static pte_t hmm_test_swap_pte(unsigned long offset)
{
	return swp_entry_to_pte(swp_entry(0, offset));
}

/* A device-private PTE of device memory that has been removed. */
static pte_t device_gone(unsigned long pfn, bool writable)
{
	return swp_entry_to_pte(writable ? make_writable_device_private_entry(pfn) :
					   make_readable_device_private_entry(pfn));
}

static void hmm_test_fill_table(struct table *table, unsigned long first, unsigned long nr,
				unsigned long pfn, unsigned long step, bool writable)
{
	for (; nr; nr--, first++, pfn += step)
		table->pte[first] = hmm_test_present_pte(pfn, writable);
}

/* The hmm pfn expected for a PTE, without the order. */
static unsigned long expected(pte_t pte)
{
	if (pte_present(pte))
		return pte_pfn(pte) | hmm_pfn_access(pte_write(pte));
	return 0;
}

/* Whether all pages of a reported order are aligned, contiguous and equal. */
static bool order_is_true(const struct table *table, unsigned long first,
			  unsigned long nr, unsigned long i)
{
	unsigned int order = (table->pfns[i] >> HMM_PFN_ORDER_SHIFT) & 0x1f;
	unsigned long block = round_down(first + i, 1UL << order), j;

	if (!order)
		return true;
	if (block < first || block + (1UL << order) > first + nr ||
	    !IS_ALIGNED(table->pfns[block - first] & ~HMM_PFN_FLAGS, 1UL << order))
		return false;
	for (j = 0; j < 1UL << order; j++)
		if (table->pfns[block - first + j] != table->pfns[block - first] + j)
			return false;
	return true;
}

static void expect_pfns(struct kunit *test, struct table *table,
			unsigned long first, unsigned long nr)
{
	const unsigned long order = HMM_PFN_FLAGS & ~(HMM_PFN_WRITABLE | HMM_PFN_ERROR |
						      HMM_PFN_INOUT_FLAGS);
	unsigned long i;

	for (i = 0; i < nr; i++) {
		KUNIT_ASSERT_EQ_MSG(test, table->pfns[i] & ~order,
				    expected(table->pte[first + i]), "page %lu", first + i);
		KUNIT_ASSERT_TRUE_MSG(test, order_is_true(table, first, nr, i),
				      "page %lu: %lx", first + i, table->pfns[i]);
	}
}

/* Extents must expand to the hmm pfns, and must be as few as possible. */
static void expect_extents(struct kunit *test, struct table *table,
			   unsigned long first, unsigned long nr)
{
	unsigned long i, j, page = 0;

	for (i = 0; i < table->extents.nr; i++) {
		struct hmm_extent *extent = &table->extent[i];
		unsigned long step = hmm_pfn_step(extent->hmm_pfn);

		KUNIT_ASSERT_EQ(test, extent->start, TABLE_ADDR + (first + page) * PAGE_SIZE);
		for (j = 0; j < extent->npages; j++, page++)
			KUNIT_ASSERT_EQ(test, extent->hmm_pfn + j * step, table->pfns[page]);
		if (page < nr)
			KUNIT_ASSERT_NE(test, extent->hmm_pfn + j * step, table->pfns[page]);
	}
	KUNIT_ASSERT_EQ(test, page, nr);
}

static const struct hmm_format table_format = {
	.valid = BIT(0), .write = BIT(1), .error = BIT(2), .none = BIT(3), .pfn_shift = 8,
};

static void expect_formatted(struct kunit *test, struct table *table,
			     unsigned long first, unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, table->pfns[i],
				hmm_format_entry(&table_format, expected(table->pte[first + i])));
}

/* Fill a few PTEs of one class; return the index after them. */
static unsigned long hmm_test_fill_randomly(struct table *table, struct rnd_state *rnd,
					    unsigned long first)
{
	u32 r = prandom_u32_state(rnd), kind = r % 8;
	unsigned long nr = min(1 + (r >> 3) % (r & BIT(30) ? 80 : 7), TABLE_PAGES - first);
	unsigned long pfn = TABLE_PFN + (r >> 8) % 4096, i;

	/* Mostly with the alignment of their addresses. */
	if (r & BIT(29))
		pfn = round_down(pfn, 64) + first % 64;
	for (i = 0; i < nr; i++) {
		pte_t pte = __pte(0);

		if (kind < 4)
			pte = hmm_test_present_pte(pfn + i, kind != 1);
		else if (kind == 4)
			pte = hmm_test_present_pte(TABLE_PFN + prandom_u32_state(rnd) % 4096, true);
		else if (kind == 5)
			pte = hmm_test_swap_pte(pfn + i);
		else if (kind == 6 && IS_ENABLED(CONFIG_DEVICE_PRIVATE))
			pte = device_gone(pfn + i, true);
		table->pte[first + i] = pte;
	}
	return first + nr;
}

/* Walk random parts of random tables. */
static void walk_pte_random(struct kunit *test)
{
	struct table *table = table_make(test);
	struct rnd_state rnd;
	unsigned long seed, i, first, nr;

	for (seed = 1; seed <= 300; seed++) {
		prandom_seed_state(&rnd, seed);
		for (i = 0; i < TABLE_PAGES;)
			i = hmm_test_fill_randomly(table, &rnd, i);
		first = seed % 3 ? prandom_u32_state(&rnd) % TABLE_PAGES : 0;
		nr = seed % 3 ? 1 + prandom_u32_state(&rnd) % (TABLE_PAGES - first) : TABLE_PAGES;

		for (i = 0; i < TABLE_PAGES; i++)
			table->pfns[i] = seed % 2 ? 0 : prandom_u32_state(&rnd);
		KUNIT_ASSERT_EQ(test, 0, table_walk(table, first, nr));
		expect_pfns(test, table, first, nr);
		KUNIT_ASSERT_EQ(test, 0, table_walk_to(table, first, nr, NULL, &table->extents));
		expect_extents(test, table, first, nr);
		KUNIT_ASSERT_EQ(test, 0, table_walk_to(table, first, nr, &table_format, NULL));
		expect_formatted(test, table, first, nr);
	}
}

static unsigned int order_of(const struct table *table, unsigned long i)
{
	return hmm_pfn_to_map_order(table->pfns[i]);
}

/* The reported order is the largest possible, also across windows of PTEs. */
static void walk_pte_orders(struct kunit *test)
{
	struct table *table = table_make(test);
	unsigned long i;

	if (!IS_ENABLED(CONFIG_ARCH_HAS_HMM_PTE_CLASS))
		kunit_skip(test, "this architecture has no PTE batches");
	hmm_test_fill_table(table, 0, TABLE_PAGES, TABLE_PFN, 1, true);
	KUNIT_ASSERT_EQ(test, 0, table_walk(table, 0, TABLE_PAGES));
	for (i = 0; i < TABLE_PAGES; i++)
		KUNIT_ASSERT_EQ(test, order_of(table, i), ilog2(TABLE_PAGES));

	/* One read-only PTE splits the groups around it. */
	table->pte[100] = hmm_test_present_pte(TABLE_PFN + 100, false);
	KUNIT_ASSERT_EQ(test, 0, table_walk(table, 0, TABLE_PAGES));
	expect_pfns(test, table, 0, TABLE_PAGES);
	KUNIT_EXPECT_EQ(test, order_of(table, 0), 6);
	KUNIT_EXPECT_EQ(test, order_of(table, 64), 5);
	KUNIT_EXPECT_EQ(test, order_of(table, 96), 2);
	KUNIT_EXPECT_EQ(test, order_of(table, 100), 0);
	KUNIT_EXPECT_EQ(test, order_of(table, 104), 3);
	KUNIT_EXPECT_EQ(test, order_of(table, 112), 4);
	KUNIT_EXPECT_EQ(test, order_of(table, 128), 7);
	KUNIT_EXPECT_EQ(test, order_of(table, 256), 8);

	/* Pfns whose alignment differs from that of their addresses. */
	hmm_test_fill_table(table, 0, TABLE_PAGES, TABLE_PFN + 1, 1, true);
	KUNIT_ASSERT_EQ(test, 0, table_walk(table, 0, TABLE_PAGES));
	for (i = 0; i < TABLE_PAGES; i++)
		KUNIT_ASSERT_EQ(test, order_of(table, i), 0);
	hmm_test_fill_table(table, 0, TABLE_PAGES, TABLE_PFN + 8, 1, true);
	KUNIT_ASSERT_EQ(test, 0, table_walk(table, 0, TABLE_PAGES));
	for (i = 0; i < TABLE_PAGES; i++)
		KUNIT_ASSERT_EQ(test, order_of(table, i), 3);
}

/* Fill a few PTEs, which are not contiguous, and of which each second one is read only. */
static void hmm_test_fill_mixed(struct table *table, unsigned long first, unsigned long nr)
{
	for (unsigned long i = first; i < first + nr; i++)
		table->pte[i] = hmm_test_present_pte(TABLE_PFN + 0x1000 + 3 * i, i % 2);
}

/* Orders beside pages that are reported in groups, which begin where an order can. */
static void walk_pte_orders_beside_groups(struct kunit *test)
{
	struct table *table = table_make(test);

	if (!IS_ENABLED(CONFIG_ARCH_HAS_HMM_PTE_CLASS))
		kunit_skip(test, "this architecture has no PTE batches");
	hmm_test_fill_mixed(table, 0, 32);
	hmm_test_fill_table(table, 4, 4, TABLE_PFN + 4, 1, true);
	KUNIT_ASSERT_EQ(test, 0, table_walk(table, 1, 31));
	expect_pfns(test, table, 1, 31);
	KUNIT_EXPECT_EQ(test, order_of(table, 2), 0);
	KUNIT_EXPECT_EQ(test, order_of(table, 3), 2);
	KUNIT_EXPECT_EQ(test, order_of(table, 6), 2);
	KUNIT_EXPECT_EQ(test, order_of(table, 7), 0);
}

/* Pages before a mixed window do not go on behind it, even if their pfns do. */
static void walk_pte_run_ends_before_a_mixed_window(struct kunit *test)
{
	struct table *table = table_make(test);

	hmm_test_fill_mixed(table, 0, TABLE_PAGES);
	hmm_test_fill_table(table, 0, 16, TABLE_PFN, 1, true);
	hmm_test_fill_table(table, 32, 16, TABLE_PFN + 16, 1, true);
	KUNIT_ASSERT_EQ(test, 0, table_walk(table, 0, TABLE_PAGES));
	expect_pfns(test, table, 0, TABLE_PAGES);
}

/* Only PTEs that need a fault are faulted in. */
static void walk_pte_fault_end(struct kunit *test)
{
	struct table *table = table_make(test);
	struct hmm_walk *w = &table->walk;

	hmm_test_fill_table(table, 0, TABLE_PAGES, TABLE_PFN, 3, true);
	table->pte[40] = __pte(0);
	table->pte[41] = hmm_test_swap_pte(7);
	table->pte[50] = hmm_test_present_pte(TABLE_PFN, false);
	table->range.default_flags = HMM_PFN_REQUEST;
	KUNIT_ASSERT_EQ(test, HMM_WALK_FAULT, table_walk(table, 0, TABLE_PAGES));
	KUNIT_EXPECT_EQ(test, w->resume, TABLE_ADDR + 40 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, w->fault_end, TABLE_ADDR + 42 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, HMM_WALK_FAULT, table_walk(table, 42, TABLE_PAGES - 42));
	KUNIT_EXPECT_EQ(test, w->resume, TABLE_ADDR + 50 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, w->fault_end, TABLE_ADDR + 51 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, table_walk(table, 51, TABLE_PAGES - 51));
	table->range.default_flags = HMM_PFN_REQ_FAULT;
	KUNIT_ASSERT_EQ(test, 0, table_walk(table, 42, TABLE_PAGES - 42));
}

/* Device memory that has been removed since its PTE was read has no owner. */
static void walk_pte_device_gone(struct kunit *test)
{
	struct table *table = table_make(test);
	unsigned long i;

	if (!IS_ENABLED(CONFIG_DEVICE_PRIVATE))
		kunit_skip(test, "no device-private memory");
	table->range.dev_private_owner = table;
	/* Pfns without memory and without struct pages. */
	for (i = 0; i < TABLE_PAGES; i++)
		table->pte[i] = device_gone((1UL << 33) + i * 511, i % 2);
	KUNIT_ASSERT_EQ(test, 0, table_walk(table, 0, TABLE_PAGES));
	for (i = 0; i < TABLE_PAGES; i++)
		KUNIT_ASSERT_EQ(test, table->pfns[i], 0);
	table->range.default_flags = HMM_PFN_REQ_FAULT;
	KUNIT_EXPECT_EQ(test, HMM_WALK_FAULT, table_walk(table, 0, TABLE_PAGES));
}

#ifdef CONFIG_DEVICE_PRIVATE
static void pagemap_folio_free(struct folio *folio)
{
}

static vm_fault_t pagemap_to_ram(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct dev_pagemap_ops pagemap_ops = {
	.folio_free = pagemap_folio_free,
	.migrate_to_ram = pagemap_to_ram,
};

/* Add device memory; none of its pages is used. */
static struct dev_pagemap *pagemap_make(struct kunit *test)
{
	struct dev_pagemap *pagemap = kunit_kzalloc(test, sizeof(*pagemap), GFP_KERNEL);
	struct resource *resource;

	KUNIT_ASSERT_NOT_NULL(test, pagemap);
	resource = request_free_mem_region(&iomem_resource, SZ_4M, "hmm-test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(resource));
	pagemap->type = MEMORY_DEVICE_PRIVATE;
	pagemap->range.start = resource->start;
	pagemap->range.end = resource->end;
	pagemap->nr_range = 1;
	pagemap->ops = &pagemap_ops;
	pagemap->owner = pagemap;
	KUNIT_ASSERT_FALSE(test, IS_ERR(memremap_pages(pagemap, numa_mem_id())));
	return pagemap;
}

/* Owners of device memory; an extent must not cross the end of a pagemap. */
static void walk_pte_pagemap(struct kunit *test)
{
	struct dev_pagemap *pagemap = pagemap_make(test);
	unsigned long first = PHYS_PFN(pagemap->range.start), i;
	struct table *table = table_make(test);

	for (i = 0; i < TABLE_PAGES; i++)
		table->pte[i] = device_gone(first + i, true);
	table->range.dev_private_owner = pagemap;
	KUNIT_EXPECT_EQ(test, 0, table_walk(table, 0, TABLE_PAGES));
	for (i = 0; i < TABLE_PAGES; i++)
		KUNIT_ASSERT_EQ(test, table->pfns[i], (first + i) | HMM_PFN_WRITABLE);
	table->range.dev_private_owner = test;
	KUNIT_EXPECT_EQ(test, 0, table_walk(table, 0, TABLE_PAGES));
	KUNIT_EXPECT_EQ(test, table->pfns[0], 0);

	/* Present PTEs, as of device-coherent memory: before and inside the pagemap. */
	hmm_test_fill_table(table, 0, TABLE_PAGES, first - 33, 1, true);
	KUNIT_EXPECT_EQ(test, 0, table_walk_to(table, 0, TABLE_PAGES, NULL, &table->extents));
	KUNIT_EXPECT_EQ(test, table->extents.nr, 2);
	KUNIT_EXPECT_EQ(test, table->extent[0].npages, 33);
	KUNIT_EXPECT_EQ(test, table->extent[1].hmm_pfn, first | HMM_PFN_WRITABLE);
	hmm_test_fill_table(table, 0, TABLE_PAGES, first + PAGES_PER_SUBSECTION - 33, 1, true);
	KUNIT_EXPECT_EQ(test, 0, table_walk_to(table, 0, TABLE_PAGES, NULL, &table->extents));
	KUNIT_EXPECT_EQ(test, table->extents.nr, 1);

	memunmap_pages(pagemap);
	release_mem_region(pagemap->range.start, range_len(&pagemap->range));
}
#else
static void walk_pte_pagemap(struct kunit *test)
{
	kunit_skip(test, "no device memory");
}
#endif

/* The pfns that PTE @i of the changing table can have. */
static unsigned long changing_pfn(unsigned long i, unsigned int what)
{
	return what == 1 ? TABLE_PFN + i : TABLE_PFN + 0x1000 + i * 5 % TABLE_PAGES;
}

static int hmm_test_change_ptes(void *argument)
{
	struct table *table = argument;
	struct rnd_state rnd;
	unsigned long i;

	prandom_seed_state(&rnd, 1);
	while (!kthread_should_stop()) {
		u32 r = prandom_u32_state(&rnd), what = r % 4;
		pte_t pte = __pte(0);

		i = (r >> 2) % TABLE_PAGES;
		if (what == 0)
			pte = hmm_test_swap_pte(r >> 8);
		else if (what < 3)
			pte = hmm_test_present_pte(changing_pfn(i, what), true);
		WRITE_ONCE(table->pte[i], pte);
		/* Restore it, so that most neighbours form PTE batches. */
		WRITE_ONCE(table->pte[i],
			   hmm_test_present_pte(changing_pfn(i, 1 + (i / 16) % 2), true));
		if (!(r & 0xfff))
			cond_resched();
	}
	return 0;
}

/*
 * While another CPU changes PTEs, each reported hmm pfn must be one that its PTE
 * had at some time.
 */
static void walk_pte_changing(struct kunit *test)
{
	struct table *table = table_make(test);
	unsigned long deadline = jiffies + 2 * HZ, i, walks = 0;
	struct task_struct *thread;

	for (i = 0; i < TABLE_PAGES; i++)
		table->pte[i] = hmm_test_present_pte(changing_pfn(i, 1 + (i / 16) % 2), true);
	thread = kthread_run(hmm_test_change_ptes, table, "hmm-test-change");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	do {
		memset(table->pfns, 0, sizeof(table->pfns));
		if (table_walk(table, 0, TABLE_PAGES))
			table->lost++;
		for (i = 0; i < TABLE_PAGES; i++) {
			unsigned long pfn = table->pfns[i] & ~HMM_PFN_FLAGS;

			if (!table->pfns[i] ||
			    ((table->pfns[i] & HMM_PFN_WRITABLE) == HMM_PFN_WRITABLE &&
			     (pfn == changing_pfn(i, 1) || pfn == changing_pfn(i, 2))))
				continue;
			if (!table->lost++)
				kunit_err(test, "page %lu: %lx", i, table->pfns[i]);
		}
		walks++;
		cond_resched();
	} while (time_before(jiffies, deadline));
	kthread_stop(thread);
	KUNIT_EXPECT_EQ(test, table->lost, 0);
	kunit_info(test, "%lu walks", walks);
}

/* Set DMA_MAPPED in reported hmm pfns, as a driver does, and check that it stays. */
static int hmm_test_set_dma_flags(void *argument)
{
	struct table *table = argument;
	unsigned long i = 0, old;

	while (!kthread_should_stop()) {
		unsigned long *at = &table->pfns[i++ % TABLE_PAGES];

		old = READ_ONCE(*at);
		if (old & HMM_PFN_VALID) {
			if (!try_cmpxchg(at, &old, old | HMM_PFN_DMA_MAPPED))
				table->lost++;
			if (!(READ_ONCE(*at) & HMM_PFN_DMA_MAPPED))
				table->lost++;
			if (i % 3)
				cmpxchg(at, old | HMM_PFN_DMA_MAPPED, old);
		}
		if (!(i & 0xfff))
			cond_resched();
	}
	return 0;
}

/* A walk must not lose flags that a driver sets in the array meanwhile. */
static void walk_pte_shared(struct kunit *test)
{
	struct table *table = table_make(test);
	unsigned long deadline = jiffies + HZ;
	struct task_struct *thread;

	hmm_test_fill_table(table, 0, 256, TABLE_PFN, 1, true);
	hmm_test_fill_table(table, 256, 256, TABLE_PFN + 0x1000, 3, false);
	KUNIT_ASSERT_EQ(test, 0, table_walk(table, 0, TABLE_PAGES));
	thread = kthread_run(hmm_test_set_dma_flags, table, "hmm-test-mark");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	do {
		if (table_walk(table, 0, TABLE_PAGES))
			table->lost++;
		cond_resched();
	} while (time_before(jiffies, deadline));
	kthread_stop(thread);
	KUNIT_EXPECT_EQ(test, table->lost, 0);
}

static struct kunit_case walk_pte_cases[] = {
	KUNIT_CASE(walk_pte_random),
	KUNIT_CASE(walk_pte_orders),
	KUNIT_CASE(walk_pte_orders_beside_groups),
	KUNIT_CASE(walk_pte_run_ends_before_a_mixed_window),
	KUNIT_CASE(walk_pte_fault_end),
	KUNIT_CASE(walk_pte_device_gone),
	KUNIT_CASE(walk_pte_pagemap),
	KUNIT_CASE_SLOW(walk_pte_changing),
	KUNIT_CASE_SLOW(walk_pte_shared),
	{}
};

static struct kunit_suite walk_pte_suite = {
	.name = "hmm_walk_pte",
	.test_cases = walk_pte_cases,
};

kunit_test_suite(walk_pte_suite);
