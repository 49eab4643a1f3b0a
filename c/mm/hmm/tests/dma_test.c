// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit: hmm_dma_map_*() and the device addresses of mirrors, on devices of every
 * kind.
 *
 * dma.c and mirror_dma.c are compiled a second time here, on a fake DMA layer that
 * a test configures and that counts its calls. So the paths through an IOMMU and
 * between peer devices run on machines with neither.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/hmm.h>
#include <linux/kthread.h>
#include <linux/pci-p2pdma.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

/* The functions under test, which <linux/hmm-dma.h> declares under these names. */
#define hmm_dma_map_alloc	faked_dma_map_alloc
#define hmm_dma_map_free	faked_dma_map_free
#define hmm_dma_map_pfn		faked_dma_map_pfn
#define hmm_dma_unmap_pfn	faked_dma_unmap_pfn
#define hmm_mirror_dma_init	faked_mirror_dma_init
#define hmm_mirror_dma_exit	faked_mirror_dma_exit
#define hmm_mirror_dma_exit_deferred	faked_mirror_dma_exit_deferred
#define hmm_mirror_dma_init_by_cpu	faked_mirror_dma_init_by_cpu
#define hmm_mirror_dma_end_deferred	faked_mirror_dma_end_deferred
#define hmm_mirror_dma_unmap_span	faked_mirror_dma_forget
#define hmm_mirror_dma_fits	faked_mirror_dma_fits
#define hmm_mirror_dma_map	faked_mirror_dma_map
#define hmm_mirror_dma_yield	faked_mirror_dma_yield
#define hmm_section_dma_run	faked_section_dma_run
#define hmm_section_dma_map	faked_section_dma_map
#define hmm_mirror_invalidate_span	faked_mirror_forget
#define hmm_mirror_state_invalidate_span	faked_mirror_state_forget
#define hmm_mirror_state_defer_dma	faked_mirror_state_defer_dma

#include <linux/hmm-dma.h>
#include <linux/hmm_mirror.h>

#include "fixture_memory.h"

#define ENTRIES 4
#define FAKE_IOVA ((dma_addr_t)0x7000000)
#define FAKE_OFFSET ((dma_addr_t)0x100000000ULL)

/**
 * struct fake_dma - the DMA layer of a test
 * @iova: there is an IOVA space
 * @unmap: mappings must be unmapped
 * @sync: the device needs synchronisation
 * @limited: the device cannot reach all memory
 * @fails: the next link, sync or map fails
 * @peer: how the device reaches the page
 * @links: number of calls of dma_iova_link()
 * @unlinks: number of calls of dma_iova_unlink()
 * @maps: number of calls of dma_map_phys()
 * @unmaps: number of calls of dma_unmap_phys()
 * @attrs: attributes of the last call that has them
 * @addr: the last device address or offset that was mapped or unmapped
 * @lock: a lock, or NULL
 * @unlocked: how often dma_map_phys() or dma_unmap_phys() was called without it
 * @forgotten: how often a device was invalidated before an address was unmapped
 * @on_unmap: called by dma_unmap_phys(), or NULL
 * @on_map: called by dma_map_phys(), or NULL
 * @on_use_iova: called by dma_use_iova(), or NULL
 */
static struct fake_dma {
	bool iova, unmap, sync, limited;
	enum { FAILS_NOT, FAILS_LINK, FAILS_SYNC, FAILS_MAP } fails;
	enum pci_p2pdma_map_type peer;
	int links, unlinks, maps, unmaps;
	unsigned long attrs;
	dma_addr_t addr;
	struct mutex *lock; /* see above */
	int unlocked;
	int forgotten;
	void (*on_unmap)(void);
	void (*on_map)(void);
	void (*on_use_iova)(void);
} fake;

static bool fake_skip_sync(struct device *dev)
{
	return !fake.sync;
}

static bool fake_addressing_limited(struct device *dev)
{
	return fake.limited;
}

static bool fake_need_unmap(struct device *dev)
{
	return fake.unmap;
}

static bool fake_use_iova(struct dma_iova_state *state)
{
	if (fake.on_use_iova)
		fake.on_use_iova();
	return state->__size != 0;
}

static bool fake_iova_try_alloc(struct device *dev, struct dma_iova_state *state,
				phys_addr_t phys, size_t size)
{
	if (!fake.iova)
		return false;
	state->addr = FAKE_IOVA;
	state->__size = size;
	return true;
}

static void fake_iova_free(struct device *dev, struct dma_iova_state *state)
{
	state->__size = 0;
}

static int fake_iova_link(struct device *dev, struct dma_iova_state *state,
			  phys_addr_t phys, size_t offset, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	if (fake.fails == FAILS_LINK)
		return -ENOMEM;
	fake.links++;
	fake.attrs = attrs;
	fake.addr = offset;
	return 0;
}

static int fake_iova_sync(struct device *dev, struct dma_iova_state *state,
			  size_t offset, size_t size)
{
	return fake.fails == FAILS_SYNC ? -EIO : 0;
}

static void fake_iova_unlink(struct device *dev, struct dma_iova_state *state,
			     size_t offset, size_t size,
			     enum dma_data_direction dir, unsigned long attrs)
{
	fake.unlinks++;
	fake.attrs = attrs;
	fake.addr = offset;
}

static dma_addr_t fake_map_phys(struct device *dev, phys_addr_t phys, size_t size,
				enum dma_data_direction dir, unsigned long attrs)
{
	if (fake.fails == FAILS_MAP)
		return DMA_MAPPING_ERROR;
	fake.maps++;
	fake.unlocked += fake.lock && !mutex_is_locked(fake.lock);
	fake.attrs = attrs;
	fake.addr = phys + FAKE_OFFSET;
	if (fake.on_map)
		fake.on_map();
	return fake.addr;
}

static void fake_unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir, unsigned long attrs)
{
	fake.unmaps++;
	fake.unlocked += fake.lock && !mutex_is_locked(fake.lock);
	fake.attrs = attrs;
	fake.addr = addr;
	if (fake.on_unmap)
		fake.on_unmap();
}

static int fake_mapping_error(struct device *dev, dma_addr_t addr)
{
	return addr == DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

static enum pci_p2pdma_map_type
fake_p2pdma_state(struct pci_p2pdma_map_state *state, struct device *dev,
		  struct page *page)
{
	return fake.peer;
}

static dma_addr_t fake_bus_addr_map(struct p2pdma_provider *provider,
				    phys_addr_t phys)
{
	return phys + 2 * FAKE_OFFSET;
}

#define dev_dma_skip_sync	fake_skip_sync
#define dma_addressing_limited	fake_addressing_limited
#define dma_need_unmap		fake_need_unmap
#define dma_use_iova		fake_use_iova
#define dma_iova_try_alloc	fake_iova_try_alloc
#define dma_iova_free		fake_iova_free
#define dma_iova_link		fake_iova_link
#define dma_iova_sync		fake_iova_sync
#define dma_iova_unlink		fake_iova_unlink
#define dma_map_phys		fake_map_phys
#define dma_unmap_phys		fake_unmap_phys
#define dma_mapping_error	fake_mapping_error
#define pci_p2pdma_state	fake_p2pdma_state
#define pci_p2pdma_bus_addr_map	fake_bus_addr_map

#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(name)

#include "../dma.c"
#include "../mirror_dma.c"

void faked_mirror_forget(struct hmm_mirror *mirror, struct hmm_span span)
{
	fake.forgotten += !fake.unmaps;
}

void faked_mirror_state_forget(struct hmm_mirror_state *state, struct hmm_span span)
{
	fake.forgotten += !fake.unmaps;
}

void faked_mirror_state_defer_dma(struct hmm_mirror_state *state, struct hmm_mirror_dma *dma)
{
	hmm_mirror_dma_end_deferred(dma);
}

#define STATE (HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS)

/* A map whose entry 1 is a page that was faulted in. */
struct dma_test {
	struct hmm_dma_map map;
	struct pci_p2pdma_map_state peer;
	struct page *page;
	phys_addr_t phys;
};

static struct dma_test *dma_test_begin(struct kunit *test, struct fake_dma how)
{
	struct dma_test *t = test->priv;

	fake = how;
	/* Ordinary memory is not peer-to-peer memory, and 0 is not its type. */
	if (fake.peer == PCI_P2PDMA_MAP_UNKNOWN)
		fake.peer = PCI_P2PDMA_MAP_NONE;
	KUNIT_ASSERT_EQ(test, 0, hmm_dma_map_alloc(NULL, &t->map, ENTRIES, PAGE_SIZE));
	t->map.pfn_list[1] = page_to_pfn(t->page) | HMM_PFN_VALID;
	return t;
}

static dma_addr_t dma_test_map(struct dma_test *t)
{
	return hmm_dma_map_pfn(NULL, &t->map, 1, &t->peer);
}

static bool dma_test_unmap(struct dma_test *t)
{
	return hmm_dma_unmap_pfn(NULL, &t->map, 1);
}

static unsigned long dma_test_state(const struct dma_test *t)
{
	return t->map.pfn_list[1] & STATE;
}

static void dma_refuses_devices_that_cannot_share(struct kunit *test)
{
	struct dma_test *t = test->priv;

	fake = (struct fake_dma){ .limited = true };
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, hmm_dma_map_alloc(NULL, &t->map, ENTRIES, PAGE_SIZE));
	if (IS_ENABLED(CONFIG_DMA_NEED_SYNC)) {
		fake = (struct fake_dma){ .sync = true };
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
				hmm_dma_map_alloc(NULL, &t->map, ENTRIES, PAGE_SIZE));
	}
	KUNIT_EXPECT_NULL(test, t->map.pfn_list);
}

/* More entries than kvzalloc() has memory for. */
static void dma_map_without_memory(struct kunit *test)
{
	struct dma_test *t = test->priv;

	fake = (struct fake_dma){};
	KUNIT_EXPECT_EQ(test, -ENOMEM, hmm_dma_map_alloc(NULL, &t->map, INT_MAX, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, t->map.pfn_list);
}

/*
 * The array of pfns is as large as the kernel's, but for a pointer: kvzalloc() limits
 * how many entries a map can have.
 */
static void dma_pfns_are_apart(struct kunit *test)
{
	/* With the pointer, whole huge pages: vmalloc() may round up to them. */
	const size_t nr = (4 * SZ_2M / sizeof(unsigned long)) - 1;
	struct dma_test *t = test->priv;
	struct vm_struct *area;

	fake = (struct fake_dma){};
	KUNIT_ASSERT_EQ(test, 0, hmm_dma_map_alloc(NULL, &t->map, nr, PAGE_SIZE));
	area = find_vm_area((void *)PAGE_ALIGN_DOWN((unsigned long)t->map.pfn_list));
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_EXPECT_EQ(test, get_vm_area_size(area), 4 * SZ_2M);
}

static void dma_address_is_computed(struct kunit *test)
{
	struct dma_test *t = dma_test_begin(test, (struct fake_dma){});

	KUNIT_EXPECT_NULL(test, t->map.dma_list);
	KUNIT_EXPECT_FALSE(test, dma_test_unmap(t));
	KUNIT_EXPECT_EQ(test, t->phys + FAKE_OFFSET, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, HMM_PFN_DMA_MAPPED, dma_test_state(t));
	KUNIT_EXPECT_EQ(test, t->phys + FAKE_OFFSET, dma_test_map(t));
	KUNIT_EXPECT_TRUE(test, fake.attrs & DMA_ATTR_REQUIRE_COHERENT);
	KUNIT_EXPECT_TRUE(test, dma_test_unmap(t));
	KUNIT_EXPECT_EQ(test, 0, dma_test_state(t));
	KUNIT_EXPECT_EQ(test, 0, fake.unmaps);
	KUNIT_EXPECT_FALSE(test, dma_test_unmap(t));
}

static void dma_address_is_remembered(struct kunit *test)
{
	struct dma_test *t = dma_test_begin(test, (struct fake_dma){ .unmap = true });

	KUNIT_EXPECT_EQ(test, t->phys + FAKE_OFFSET, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, t->phys + FAKE_OFFSET, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, 1, fake.maps);
	fake.addr = 0;
	KUNIT_EXPECT_TRUE(test, dma_test_unmap(t));
	KUNIT_EXPECT_EQ(test, 1, fake.unmaps);
	KUNIT_EXPECT_EQ(test, t->phys + FAKE_OFFSET, fake.addr);
}

static void dma_map_failure_leaves_nothing(struct kunit *test)
{
	struct dma_test *t = dma_test_begin(test, (struct fake_dma){
		.unmap = true, .fails = FAILS_MAP, .peer = PCI_P2PDMA_MAP_THRU_HOST_BRIDGE });

	KUNIT_EXPECT_EQ(test, DMA_MAPPING_ERROR, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, 0, dma_test_state(t));
	KUNIT_EXPECT_EQ(test, 0, t->map.dma_list[1]);
	KUNIT_EXPECT_FALSE(test, dma_test_unmap(t));
}

static void dma_iova_has_an_offset_per_entry(struct kunit *test)
{
	struct dma_test *t = dma_test_begin(test, (struct fake_dma){
		.iova = true, .unmap = true });

	KUNIT_EXPECT_NULL(test, t->map.dma_list);
	KUNIT_EXPECT_EQ(test, FAKE_IOVA + PAGE_SIZE, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, fake.addr);
	KUNIT_EXPECT_EQ(test, FAKE_IOVA + PAGE_SIZE, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, 1, fake.links);
	KUNIT_EXPECT_TRUE(test, dma_test_unmap(t));
	KUNIT_EXPECT_EQ(test, 1, fake.unlinks);
	KUNIT_EXPECT_EQ(test, 0, dma_test_state(t));
}

static void dma_iova_failure_leaves_nothing(struct kunit *test)
{
	struct dma_test *t = dma_test_begin(test, (struct fake_dma){
		.iova = true, .fails = FAILS_LINK });

	KUNIT_EXPECT_EQ(test, DMA_MAPPING_ERROR, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, 0, fake.unlinks);
	fake.fails = FAILS_SYNC;
	KUNIT_EXPECT_EQ(test, DMA_MAPPING_ERROR, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, 1, fake.unlinks);
	KUNIT_EXPECT_EQ(test, 0, dma_test_state(t));
}

static void dma_peer_behind_the_host_bridge(struct kunit *test)
{
	struct dma_test *t = dma_test_begin(test, (struct fake_dma){
		.unmap = true, .peer = PCI_P2PDMA_MAP_THRU_HOST_BRIDGE });

	KUNIT_EXPECT_EQ(test, t->phys + FAKE_OFFSET, dma_test_map(t));
	KUNIT_EXPECT_TRUE(test, fake.attrs & DMA_ATTR_MMIO);
	KUNIT_EXPECT_EQ(test, HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA, dma_test_state(t));
	fake.attrs = 0;
	KUNIT_EXPECT_TRUE(test, dma_test_unmap(t));
	KUNIT_EXPECT_TRUE(test, fake.attrs & DMA_ATTR_MMIO);
	KUNIT_EXPECT_EQ(test, 0, dma_test_state(t));
}

static void dma_peer_on_the_same_bus(struct kunit *test)
{
	struct dma_test *t = dma_test_begin(test, (struct fake_dma){
		.iova = true, .unmap = true, .peer = PCI_P2PDMA_MAP_BUS_ADDR });

	KUNIT_EXPECT_EQ(test, t->phys + 2 * FAKE_OFFSET, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA_BUS, dma_test_state(t));
	KUNIT_EXPECT_EQ(test, t->phys + 2 * FAKE_OFFSET, dma_test_map(t));
	KUNIT_EXPECT_TRUE(test, dma_test_unmap(t));
	KUNIT_EXPECT_EQ(test, 0, fake.links + fake.unlinks + fake.maps + fake.unmaps);
}

static void dma_peer_out_of_reach(struct kunit *test)
{
	struct dma_test *t = dma_test_begin(test, (struct fake_dma){
		.peer = PCI_P2PDMA_MAP_NOT_SUPPORTED });

	KUNIT_EXPECT_EQ(test, DMA_MAPPING_ERROR, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, 0, dma_test_state(t));
}

/*
 * A walk that had loaded an hmm pfn before the page was mapped stores it without
 * the flags. The page is neither mapped twice nor left mapped.
 */
static void dma_flags_lost_by_a_walk(struct kunit *test)
{
	struct dma_test *t = dma_test_begin(test, (struct fake_dma){
		.iova = true, .unmap = true });

	KUNIT_EXPECT_EQ(test, FAKE_IOVA + PAGE_SIZE, dma_test_map(t));
	t->map.pfn_list[1] &= ~STATE;
	KUNIT_EXPECT_EQ(test, FAKE_IOVA + PAGE_SIZE, dma_test_map(t));
	KUNIT_EXPECT_EQ(test, 1, fake.links);
	KUNIT_EXPECT_EQ(test, HMM_PFN_DMA_MAPPED, dma_test_state(t));
	t->map.pfn_list[1] &= ~STATE;
	KUNIT_EXPECT_TRUE(test, dma_test_unmap(t));
	KUNIT_EXPECT_EQ(test, 1, fake.unlinks);
	KUNIT_EXPECT_FALSE(test, dma_test_unmap(t));
}

/* A map as umem_odp has for devices without DMA: nothing is ever mapped. */
static void dma_map_of_the_driver(struct kunit *test)
{
	unsigned long pfn = HMM_PFN_VALID;
	struct hmm_dma_map map = { .pfn_list = &pfn };

	fake = (struct fake_dma){};
	KUNIT_EXPECT_FALSE(test, hmm_dma_unmap_pfn(NULL, &map, 0));
}

/* The pages of a section: two consecutive writable pages, a hole, and a read-only page. */
struct mirror_dma_test {
	struct hmm_mirror mirror;
	struct hmm_mirror_dma dma;
	struct hmm_section section;
	unsigned long pfns[ENTRIES];
	struct page *pages;
	phys_addr_t phys;
};

#define MIRROR_AT(page)		(0x100000UL + (page) * PAGE_SIZE)
#define MIRROR_SPAN(a, b)	((struct hmm_span){ MIRROR_AT(a), MIRROR_AT(b) })

static void mirror_dma_test_free(void *pages)
{
	__free_pages(pages, 2);
}

static struct mirror_dma_test *mirror_dma_test_begin(struct kunit *test,
						     struct fake_dma how)
{
	struct mirror_dma_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->pages = alloc_pages(GFP_KERNEL, 2);
	KUNIT_ASSERT_NOT_NULL(test, t->pages);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, mirror_dma_test_free,
							   t->pages));
	t->phys = page_to_phys(t->pages);
	pfn = page_to_pfn(t->pages);
	t->pfns[0] = pfn | HMM_PFN_WRITABLE;
	t->pfns[1] = (pfn + 1) | HMM_PFN_WRITABLE;
	t->pfns[3] = (pfn + 2) | HMM_PFN_VALID;

	fake = how;
	fake.peer = PCI_P2PDMA_MAP_NONE;
	spin_lock_init(&t->mirror.dma_lock);
	t->mirror.dmas = RB_ROOT_CACHED;
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(&t->dma, &t->mirror, NULL,
						     MIRROR_SPAN(0, ENTRIES)));
	t->section = (struct hmm_section){
		.mirror = &t->mirror,
		.span = MIRROR_SPAN(0, ENTRIES),
		.batch = MIRROR_SPAN(0, ENTRIES),
		.pfns = t->pfns,
		.nr_pfns = ENTRIES,
		.dma = &t->dma,
		.locked = true,
	};
	return t;
}

/* The first run at or after a page, as "pages from @from to @to". */
static void mirror_dma_expect(struct kunit *test, struct mirror_dma_test *t,
			      unsigned long after, struct hmm_dma_run want)
{
	struct hmm_dma_run run = { .span = MIRROR_SPAN(after, after) };

	KUNIT_ASSERT_TRUE(test, hmm_section_dma_run(&t->section, &run));
	KUNIT_EXPECT_EQ(test, run.span.start, want.span.start);
	KUNIT_EXPECT_EQ(test, run.span.end, want.span.end);
	KUNIT_EXPECT_EQ(test, run.address, want.address);
	KUNIT_EXPECT_EQ(test, run.flags, want.flags);
}

static void mirror_dma_refuses(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test, (struct fake_dma){});
	static const struct hmm_span bad[] = {
		{ PAGE_SIZE, PAGE_SIZE }, { 2 * PAGE_SIZE, PAGE_SIZE }, { 1, PAGE_SIZE },
	};
	struct hmm_section other = t->section;
	struct hmm_mirror_dma dma;

	for (int i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, -EINVAL,
				hmm_mirror_dma_init(&dma, &t->mirror, NULL, bad[i]));
	fake.limited = true;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			hmm_mirror_dma_init(&dma, &t->mirror, NULL, MIRROR_SPAN(0, 1)));
	fake.limited = false;
	KUNIT_EXPECT_TRUE(test, hmm_mirror_dma_fits(&t->section));
	other.span.end += PAGE_SIZE;
	KUNIT_EXPECT_FALSE(test, hmm_mirror_dma_fits(&other));
	other.span = MIRROR_SPAN(-1, 1);
	KUNIT_EXPECT_FALSE(test, hmm_mirror_dma_fits(&other));
	other = t->section;
	other.mirror = NULL;
	KUNIT_EXPECT_FALSE(test, hmm_mirror_dma_fits(&other));
	hmm_mirror_dma_exit(&t->dma);
}

static void mirror_dma_shows_runs(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test,
							  (struct fake_dma){ .unmap = true });
	struct hmm_dma_run last = { .span = MIRROR_SPAN(ENTRIES, ENTRIES) };

	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	KUNIT_EXPECT_EQ(test, 3, fake.maps);
	mirror_dma_expect(test, t, 0, (struct hmm_dma_run){
		MIRROR_SPAN(0, 2), t->phys + FAKE_OFFSET, HMM_PFN_WRITABLE });
	mirror_dma_expect(test, t, 2, (struct hmm_dma_run){
		MIRROR_SPAN(3, 4), t->phys + 2 * PAGE_SIZE + FAKE_OFFSET, HMM_PFN_VALID });
	KUNIT_EXPECT_FALSE(test, hmm_section_dma_run(&t->section, &last));
	/* A page that has an address keeps it. */
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	KUNIT_EXPECT_EQ(test, 3, fake.maps);
	hmm_mirror_dma_exit(&t->dma);
	KUNIT_EXPECT_EQ(test, 1, fake.forgotten);
	KUNIT_EXPECT_EQ(test, 3, fake.unmaps);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&t->mirror.dmas.rb_root));
}

/* Other sections change the entries of the map under this lock. */
static void mirror_dma_runs_are_locked(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test, (struct fake_dma){});

	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	fake.lock = &t->dma.lock;
	fake.maps = 0;
	/* Addresses of a device without an IOMMU are computed each time. */
	mirror_dma_expect(test, t, 0, (struct hmm_dma_run){
		MIRROR_SPAN(0, 2), t->phys + FAKE_OFFSET, HMM_PFN_WRITABLE });
	KUNIT_EXPECT_GE(test, fake.maps, 2);
	KUNIT_EXPECT_EQ(test, 0, fake.unlocked);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(fake.lock));
	hmm_mirror_dma_exit(&t->dma);
}

static void mirror_dma_forgets(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test,
							  (struct fake_dma){ .unmap = true });

	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	/* A non-blocking invalidation fails at the lock, and is called again. */
	mutex_lock(&t->dma.lock);
	KUNIT_EXPECT_FALSE(test, hmm_mirror_dma_unmap_span(&t->mirror, MIRROR_SPAN(-4, 1),
							   false));
	mutex_unlock(&t->dma.lock);
	KUNIT_EXPECT_EQ(test, 0, fake.unmaps);
	fake.lock = &t->dma.lock;
	KUNIT_EXPECT_TRUE(test, hmm_mirror_dma_unmap_span(&t->mirror, MIRROR_SPAN(-4, 1),
							  true));
	KUNIT_EXPECT_EQ(test, 1, fake.unmaps);
	KUNIT_EXPECT_EQ(test, 0, fake.unlocked);
	/* With the lock free it succeeds, and does not sleep. */
	non_block_start();
	KUNIT_EXPECT_TRUE(test, hmm_mirror_dma_unmap_span(&t->mirror, MIRROR_SPAN(-4, 1),
							  false));
	non_block_end();
	mirror_dma_expect(test, t, 0, (struct hmm_dma_run){
		MIRROR_SPAN(1, 2), t->phys + PAGE_SIZE + FAKE_OFFSET, HMM_PFN_WRITABLE });
	/* Another page is mapped now, with another device address. */
	t->pfns[0] = page_to_pfn(t->pages + 3) | HMM_PFN_VALID;
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	KUNIT_EXPECT_EQ(test, 4, fake.maps);
	mirror_dma_expect(test, t, 0, (struct hmm_dma_run){
		MIRROR_SPAN(0, 1), t->phys + 3 * PAGE_SIZE + FAKE_OFFSET, HMM_PFN_VALID });
	hmm_mirror_dma_exit(&t->dma);
	KUNIT_EXPECT_EQ(test, 4, fake.unmaps);
}

/*
 * An invalidation does not wait for other addresses' maps, and finds the two that
 * overlap its own.
 */
static void mirror_dma_maps_are_apart(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test,
							  (struct fake_dma){ .unmap = true });
	struct hmm_mirror_dma *far = kunit_kzalloc(test, sizeof(*far), GFP_KERNEL);
	struct hmm_mirror_dma *same = kunit_kzalloc(test, sizeof(*same), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, far);
	KUNIT_ASSERT_NOT_NULL(test, same);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(far, &t->mirror, NULL,
						     MIRROR_SPAN(ENTRIES, 2 * ENTRIES)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(same, &t->mirror, NULL,
						     MIRROR_SPAN(0, ENTRIES)));
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	t->section.dma = same;
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	mutex_lock(&far->lock);
	KUNIT_EXPECT_TRUE(test, hmm_mirror_dma_unmap_span(&t->mirror, MIRROR_SPAN(0, ENTRIES),
							  false));
	KUNIT_EXPECT_EQ(test, 6, fake.unmaps);
	KUNIT_EXPECT_FALSE(test, hmm_mirror_dma_unmap_span(&t->mirror, MIRROR_SPAN(0, 2 * ENTRIES),
							   false));
	mutex_unlock(&far->lock);
	/* None is left in use by the one that was given up. */
	hmm_mirror_dma_exit(same);
	hmm_mirror_dma_exit(far);
	hmm_mirror_dma_exit(&t->dma);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&t->mirror.dmas.rb_root));
}

/* Behind an IOMMU, consecutive pages of the span have consecutive addresses. */
static void mirror_dma_iova_is_one_run(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test, (struct fake_dma){
		.iova = true, .unmap = true });

	swap(t->pfns[0], t->pfns[1]);
	t->pfns[2] = page_to_pfn(t->pages + 3) | HMM_PFN_WRITABLE;
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	mirror_dma_expect(test, t, 0, (struct hmm_dma_run){
		MIRROR_SPAN(0, 3), FAKE_IOVA, HMM_PFN_WRITABLE });
	mirror_dma_expect(test, t, 3, (struct hmm_dma_run){
		MIRROR_SPAN(3, 4), FAKE_IOVA + 3 * PAGE_SIZE, HMM_PFN_VALID });
	hmm_mirror_dma_exit(&t->dma);
	KUNIT_EXPECT_EQ(test, 4, fake.unlinks);
}

static void mirror_dma_failure_is_reported(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test, (struct fake_dma){
		.unmap = true, .fails = FAILS_MAP });
	struct hmm_dma_run run = { .span = MIRROR_SPAN(0, 0) };

	KUNIT_EXPECT_EQ(test, -EIO, hmm_mirror_dma_map(&t->section));
	KUNIT_EXPECT_FALSE(test, hmm_section_dma_run(&t->section, &run));
	hmm_mirror_dma_exit(&t->dma);
	KUNIT_EXPECT_EQ(test, 0, fake.unmaps);
}

/* A driver with two devices maps each batch for both, in one section. */
static void mirror_dma_of_two_devices(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test,
							  (struct fake_dma){ .unmap = true });
	struct hmm_mirror_dma *second = kunit_kzalloc(test, sizeof(*second), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(second, &t->mirror, NULL,
						     MIRROR_SPAN(-1, ENTRIES)));
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	for (int round = 0; round < 2; round++) {
		KUNIT_EXPECT_EQ(test, 0, hmm_section_dma_map(&t->section, &t->dma));
		KUNIT_EXPECT_EQ(test, 0, hmm_section_dma_map(&t->section, second));
		KUNIT_EXPECT_PTR_EQ(test, second, t->section.dma);
		KUNIT_EXPECT_EQ(test, 6, fake.maps);
		mirror_dma_expect(test, t, 2, (struct hmm_dma_run){
			MIRROR_SPAN(3, 4), t->phys + 2 * PAGE_SIZE + FAKE_OFFSET, HMM_PFN_VALID });
	}
	/* An invalidation takes the address on each device away. */
	KUNIT_EXPECT_TRUE(test, hmm_mirror_dma_unmap_span(&t->mirror, MIRROR_SPAN(0, 1), true));
	KUNIT_EXPECT_EQ(test, 2, fake.unmaps);
	hmm_mirror_dma_exit(second);
	hmm_mirror_dma_exit(&t->dma);
	KUNIT_EXPECT_EQ(test, 6, fake.unmaps);
}

static void mirror_dma_refuses_another_device(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test,
							  (struct fake_dma){ .unmap = true });
	struct hmm_mirror_dma *second = kunit_kzalloc(test, sizeof(*second), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(second, &t->mirror, NULL,
						     MIRROR_SPAN(0, ENTRIES - 1)));
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_section_dma_map(&t->section, second));
	second->span = MIRROR_SPAN(0, ENTRIES);
	second->mirror = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_section_dma_map(&t->section, second));
	second->mirror = &t->mirror;
	second->span = MIRROR_SPAN(0, ENTRIES - 1);
	t->section.locked = false;
	KUNIT_EXPECT_EQ(test, -EINVAL, hmm_section_dma_map(&t->section, &t->dma));
	t->section.locked = true;
	KUNIT_EXPECT_EQ(test, 0, fake.maps);
	fake.fails = FAILS_MAP;
	t->section.dma = NULL;
	KUNIT_EXPECT_EQ(test, -EIO, hmm_section_dma_map(&t->section, &t->dma));
	KUNIT_EXPECT_NULL(test, t->section.dma);
	hmm_mirror_dma_exit(second);
	hmm_mirror_dma_exit(&t->dma);
	KUNIT_EXPECT_EQ(test, 0, fake.unmaps);
}

/**
 * struct dma_thread - a thread that takes a map's lock, or ends the map
 * @dma: the map
 * @task: the thread
 * @woken: it has been woken
 * @calls: calls of dma_thread_waits() and dma_thread_waits_at_times()
 * @calls_before: how many there had been when it had the lock
 * @users: users of the map when an address was last unmapped
 * @ending: the map was ending then
 * @done: completed when it has done so
 */
static struct dma_thread {
	struct hmm_mirror_dma *dma;
	struct task_struct *task;
	bool woken;
	int calls;
	int calls_before;
	int users;
	bool ending;
	struct completion done;
} dma_thread;

static void dma_thread_make(struct kunit *test, struct hmm_mirror_dma *dma,
			    int (*run)(void *argument))
{
	dma_thread = (struct dma_thread){ .dma = dma };
	init_completion(&dma_thread.done);
	dma_thread.task = kthread_create(run, NULL, "hmm_dma");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_thread.task);
}

static int dma_thread_locks(void *argument)
{
	mutex_lock(&dma_thread.dma->lock);
	dma_thread.calls_before = dma_thread.calls;
	mutex_unlock(&dma_thread.dma->lock);
	complete(&dma_thread.done);
	return 0;
}

/* The first time, have the thread wait for the lock. Later, give it time to get it. */
static void dma_thread_waits(void)
{
	dma_thread.calls++;
	if (!dma_thread.woken)
		wake_up_process(dma_thread.task);
	dma_thread.woken = true;
	msleep(100);
}

/* The same, of which one call in so many waits. */
static void dma_thread_waits_at_times(void)
{
	if (dma_thread.calls % HMM_MIRROR_DMA_YIELD)
		dma_thread.calls++;
	else
		dma_thread_waits();
}

/* Whether the thread had the lock when @nr calls were not made yet, but one was. */
static void dma_thread_expect_lock(struct kunit *test, int nr)
{
	KUNIT_EXPECT_EQ(test, nr, dma_thread.calls);
	/* It was woken if there was a call. */
	if (!dma_thread.woken)
		wake_up_process(dma_thread.task);
	wait_for_completion(&dma_thread.done);
	KUNIT_EXPECT_GT(test, dma_thread.calls_before, 0);
	KUNIT_EXPECT_LT(test, dma_thread.calls_before, nr);
}

/* Parts of a large map, in each of which the lock is held. */
#define PARTS		4
#define LARGE_PAGES	(PARTS * HMM_MIRROR_DMA_YIELD)

/* Make a large map, and have the section be inside with all of its pages. */
static struct hmm_mirror_dma *mirror_dma_make_large(struct kunit *test,
						    struct mirror_dma_test *t)
{
	struct hmm_span all = MIRROR_SPAN(ENTRIES, ENTRIES + LARGE_PAGES);
	struct hmm_mirror_dma *large = kunit_kzalloc(test, sizeof(*large), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(large, &t->mirror, NULL, all));
	t->section.span = all;
	t->section.batch = all;
	t->section.pfns = kunit_kcalloc(test, LARGE_PAGES, sizeof(*t->section.pfns),
					GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->section.pfns);
	t->section.nr_pfns = LARGE_PAGES;
	t->section.dma = large;
	return large;
}

/* Have a page at each so many. */
static void mirror_dma_fill_large(struct mirror_dma_test *t, size_t step)
{
	for (size_t i = 0; i < LARGE_PAGES; i += step)
		t->section.pfns[i] = page_to_pfn(t->pages) | HMM_PFN_VALID;
}

/*
 * However many entries there are, others get the lock meanwhile: the mutex is handed to
 * one that waits at the second unlock at the latest.
 */
static void mirror_dma_lock_is_dropped(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test,
							  (struct fake_dma){ .unmap = true });
	struct hmm_mirror_dma *large = mirror_dma_make_large(test, t);

	mirror_dma_fill_large(t, HMM_MIRROR_DMA_YIELD);
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	KUNIT_EXPECT_EQ(test, PARTS, fake.maps);
	dma_thread_make(test, large, dma_thread_locks);
	fake.on_unmap = dma_thread_waits;
	KUNIT_EXPECT_TRUE(test, hmm_mirror_dma_unmap_span(&t->mirror, large->span, true));
	fake.on_unmap = NULL;
	dma_thread_expect_lock(test, PARTS);
	hmm_mirror_dma_exit(large);
	hmm_mirror_dma_exit(&t->dma);
}

/* The same while a section maps its pages, */
static void mirror_dma_lock_is_dropped_by_sections(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test, (struct fake_dma){});
	struct hmm_mirror_dma *large = mirror_dma_make_large(test, t);

	mirror_dma_fill_large(t, HMM_MIRROR_DMA_YIELD);
	dma_thread_make(test, large, dma_thread_locks);
	fake.on_map = dma_thread_waits;
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	fake.on_map = NULL;
	dma_thread_expect_lock(test, PARTS);
	hmm_mirror_dma_exit(large);
	hmm_mirror_dma_exit(&t->dma);
}

/* and while it looks for a run of them, whose addresses it gets nevertheless. */
static void mirror_dma_lock_is_dropped_by_runs(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test, (struct fake_dma){
		.iova = true, .unmap = true });
	struct hmm_mirror_dma *large = mirror_dma_make_large(test, t);
	struct hmm_dma_run run = { .span.end = large->span.start };

	mirror_dma_fill_large(t, 1);
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	dma_thread_make(test, large, dma_thread_locks);
	fake.on_use_iova = dma_thread_waits_at_times;
	KUNIT_EXPECT_TRUE(test, hmm_section_dma_run(&t->section, &run));
	fake.on_use_iova = NULL;
	dma_thread_expect_lock(test, LARGE_PAGES);
	KUNIT_EXPECT_EQ(test, run.span.start, large->span.start);
	KUNIT_EXPECT_EQ(test, run.span.end, large->span.end);
	KUNIT_EXPECT_FALSE(test, hmm_section_dma_run(&t->section, &run));
	hmm_mirror_dma_exit(large);
	hmm_mirror_dma_exit(&t->dma);
}

static void dma_kill(void)
{
	set_killed(true);
}

/* A fatal signal ends the mapping of a section's pages, with no wait for the lock. */
static void mirror_dma_map_is_killed(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test,
							  (struct fake_dma){ .unmap = true });
	struct hmm_mirror_dma *large = mirror_dma_make_large(test, t);
	int ret;

	mirror_dma_fill_large(t, HMM_MIRROR_DMA_YIELD);
	fake.on_map = dma_kill;
	ret = hmm_mirror_dma_map(&t->section);
	fake.on_map = NULL;
	set_killed(false);
	KUNIT_EXPECT_EQ(test, -EINTR, ret);
	KUNIT_EXPECT_EQ(test, 1, fake.maps);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&large->lock));
	hmm_mirror_dma_exit(large);
	hmm_mirror_dma_exit(&t->dma);
	KUNIT_EXPECT_EQ(test, 1, fake.unmaps);
}

static int dma_thread_exits(void *argument)
{
	hmm_mirror_dma_exit(dma_thread.dma);
	complete(&dma_thread.done);
	return 0;
}

static void dma_thread_looks(void)
{
	dma_thread.users = dma_thread.dma->users;
	dma_thread.ending = dma_thread.dma->ending;
}

/*
 * A map ends when it has no addresses and no users: invalidations find it as long as it
 * has addresses, and those that have found it are waited for.
 */
static void mirror_dma_ends_after_its_users(struct kunit *test)
{
	struct mirror_dma_test *t = mirror_dma_test_begin(test,
							  (struct fake_dma){ .unmap = true });
	const struct hmm_span all = MIRROR_SPAN(0, ENTRIES);
	struct hmm_mirror_dma *used;
	bool ending = false;

	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_map(&t->section));
	dma_thread_make(test, &t->dma, dma_thread_exits);
	fake.on_unmap = dma_thread_looks;
	KUNIT_EXPECT_TRUE(test, hmm_mirror_dma_unmap_span(&t->mirror, MIRROR_SPAN(0, 1), true));
	KUNIT_EXPECT_EQ(test, 1, fake.unmaps);
	KUNIT_EXPECT_EQ(test, 1, dma_thread.users);
	KUNIT_EXPECT_EQ(test, 0, t->dma.users);

	/* What an invalidation does before it takes the map's lock. */
	used = hmm_mirror_dma_next(&t->mirror, all, NULL);
	KUNIT_EXPECT_PTR_EQ(test, used, &t->dma);
	wake_up_process(dma_thread.task);
	for (int i = 0; i < 100 && !ending; i++) {
		msleep(20);
		scoped_guard(spinlock, &t->mirror.dma_lock)
			ending = t->dma.ending;
	}
	KUNIT_EXPECT_TRUE(test, ending);
	KUNIT_EXPECT_EQ(test, 3, fake.unmaps);
	KUNIT_EXPECT_FALSE(test, dma_thread.ending);
	KUNIT_EXPECT_FALSE(test, wait_for_completion_timeout(&dma_thread.done, HZ / 10));
	/* Others do not find it. */
	KUNIT_EXPECT_NULL(test, hmm_mirror_dma_next(&t->mirror, all, NULL));
	hmm_mirror_dma_put(used);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&dma_thread.done, 10 * HZ));
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&t->mirror.dmas.rb_root));
}

static int dma_test_init(struct kunit *test)
{
	struct dma_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	t->page = alloc_page(GFP_KERNEL);
	if (!t->page)
		return -ENOMEM;
	t->phys = page_to_phys(t->page);
	test->priv = t;
	return 0;
}

static void dma_test_exit(struct kunit *test)
{
	struct dma_test *t = test->priv;

	if (!t)
		return;
	hmm_dma_map_free(NULL, &t->map);
	KUNIT_EXPECT_NULL(test, t->map.pfn_list);
	KUNIT_EXPECT_EQ(test, 0, t->map.state.__size);
	__free_page(t->page);
}

static struct kunit_case dma_cases[] = {
	KUNIT_CASE(dma_refuses_devices_that_cannot_share),
	KUNIT_CASE(dma_map_without_memory),
	KUNIT_CASE(dma_pfns_are_apart),
	KUNIT_CASE(dma_address_is_computed),
	KUNIT_CASE(dma_address_is_remembered),
	KUNIT_CASE(dma_map_failure_leaves_nothing),
	KUNIT_CASE(dma_iova_has_an_offset_per_entry),
	KUNIT_CASE(dma_iova_failure_leaves_nothing),
	KUNIT_CASE(dma_peer_behind_the_host_bridge),
	KUNIT_CASE(dma_peer_on_the_same_bus),
	KUNIT_CASE(dma_peer_out_of_reach),
	KUNIT_CASE(dma_flags_lost_by_a_walk),
	KUNIT_CASE(dma_map_of_the_driver),
	KUNIT_CASE(mirror_dma_refuses),
	KUNIT_CASE(mirror_dma_shows_runs),
	KUNIT_CASE(mirror_dma_runs_are_locked),
	KUNIT_CASE(mirror_dma_forgets),
	KUNIT_CASE(mirror_dma_maps_are_apart),
	KUNIT_CASE(mirror_dma_lock_is_dropped),
	KUNIT_CASE(mirror_dma_lock_is_dropped_by_sections),
	KUNIT_CASE(mirror_dma_lock_is_dropped_by_runs),
	KUNIT_CASE(mirror_dma_map_is_killed),
	KUNIT_CASE(mirror_dma_ends_after_its_users),
	KUNIT_CASE(mirror_dma_iova_is_one_run),
	KUNIT_CASE(mirror_dma_failure_is_reported),
	KUNIT_CASE(mirror_dma_of_two_devices),
	KUNIT_CASE(mirror_dma_refuses_another_device),
	{}
};

static struct kunit_suite dma_suite = {
	.name = "hmm_dma",
	.init = dma_test_init,
	.exit = dma_test_exit,
	.test_cases = dma_cases,
};

kunit_test_suite(dma_suite);

MODULE_DESCRIPTION("KUnit tests of hmm_dma_map");
MODULE_LICENSE("GPL");
