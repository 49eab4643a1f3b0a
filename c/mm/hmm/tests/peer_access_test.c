// SPDX-License-Identifier: GPL-2.0
/*
 * Peer access: a device reaches pages in the private memory of another one by addresses
 * that this one's driver gives, and the pages stay there.
 */
#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/dma-map-ops.h>
#include <linux/hmm_typed.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>
#include <trace/events/hmm.h>

#include "../../internal.h"
#include "../mirror.h"
#include "../mirror_dma.h"
#include "fixture_device.h"

#define PAGES	128UL
#define SIZE	(PAGES << PAGE_SHIFT)

/**
 * struct peer_entry - what a device maps at an address
 * @address: the device address; 0: nothing
 * @peer: it is one of another device's memory
 * @write: the device may write
 */
struct peer_entry {
	dma_addr_t address;
	bool peer;
	bool write;
};

/**
 * struct peer_access - two devices: one has the pages, the other reaches them there
 * @mirror: of the second device
 * @range: all of the process
 * @dma: the second device's addresses
 * @span: of @dma
 * @entries: the second device's page table, of @span; the update lock guards it
 * @owner: has the pages
 * @child: the memory of a forked process, or NULL
 * @early: addresses that were given back while the second device mapped them
 * @inside: called in the body of a section, or NULL
 * @work: changes something in another thread
 * @stop: @work is to end
 * @done: completed when @work is done
 * @ended: the same, to be polled
 * @test: the test
 */
struct peer_access {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct hmm_mirror_dma dma;
	struct hmm_span span;
	struct peer_entry entries[HPAGE_PMD_NR];
	struct buffer_device *owner;
	struct mm_struct *child;
	unsigned long early;
	void (*inside)(struct peer_access *access);
	struct work_struct work;
	bool stop;
	struct completion done;
	bool ended;
	struct kunit *test;
};

/* The test that runs, for callbacks. */
static struct peer_access *current_access;

static struct peer_entry *entry_at(struct peer_access *access, unsigned long addr)
{
	return &access->entries[(addr - access->span.start) >> PAGE_SHIFT];
}

static bool access_invalidate(struct peer_access *access, const struct hmm_invalidation *inv)
{
	struct hmm_span span = hmm_span_clip(inv->span, access->span);
	unsigned long addr;

	for (addr = span.start; addr < span.end; addr += PAGE_SIZE)
		*entry_at(access, addr) = (struct peer_entry){};
	return true;
}

DEFINE_HMM_MIRROR_OPS(access_ops, struct peer_access, mirror, access_invalidate);

static void access_taken(struct buffer_device *device, dma_addr_t address)
{
	struct peer_access *access = current_access;
	unsigned long i;

	for (i = 0; i < ARRAY_SIZE(access->entries); i++)
		access->early += access->entries[i].address == address;
}

/* Map what a section's batch shows; the device has no other entries there. */
static void access_map(struct peer_access *access, struct hmm_section_dma_pages *pages)
{
	hmm_section_dma_pages_addresses(run, pages) {
		unsigned long addr = run.dma_run.span.start;

		for (; addr < run.dma_run.span.end; addr += PAGE_SIZE)
			*entry_at(access, addr) = (struct peer_entry){
				.address = run.dma_run.address + addr - run.dma_run.span.start,
				.peer = run.dma_run.peer,
				.write = run.dma_run.flags & HMM_PFN_WRITE,
			};
	}
}

/* Have the second device fault on a part of its span. */
static int access_populate(struct peer_access *access, struct hmm_span span,
			   enum hmm_access how)
{
	int ret;

	hmm_mirror_populate_dma(pages, ret, &access->mirror, span, how, &access->dma) {
		access_map(access, &pages);
		if (access->inside)
			access->inside(access);
	}
	return ret;
}

/* How many entries are of the memory of the first device. */
static unsigned long access_peers(const struct peer_access *access)
{
	unsigned long i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(access->entries); i++)
		nr += access->entries[i].peer;
	return nr;
}

static void access_init_dma(struct kunit *test, struct peer_access *access,
			    struct hmm_mirror_dma *dma, const char *name)
{
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	dev_set_dma_coherent(dev);
	KUNIT_ASSERT_EQ(test, 0, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_init(dma, &access->mirror, dev,
						     access->span));
}

/*
 * Have numbers in PAGES pages of the first device, or a huge page there, and a mirror of
 * the second one, which accepts peers.
 */
static struct peer_access *access_make(struct kunit *test, void *owner, void *mirror_owner,
				       bool huge)
{
	struct peer_access *access = kunit_kzalloc(test, sizeof(*access), GFP_KERNEL);
	unsigned long addr, pages = huge ? HPAGE_PMD_NR : PAGES;

	KUNIT_ASSERT_NOT_NULL(test, access);
	test->priv = access;
	current_access = access;
	access->test = test;
	access->owner = make_reachable_device(test, owner);
	access->owner->on_take = access_taken;
	init_completion(&access->done);
	addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	access->span = span_of(addr, HPAGE_PMD_SIZE);
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_init(&access->mirror, current->mm, &access_ops,
						 mirror_owner));
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_range_add(&access->mirror, &access->range,
						      HMM_SPAN_ALL));
	access_init_dma(test, access, &access->dma, "hmm_peer");
	KUNIT_ASSERT_EQ(test, 0, hmm_mirror_dma_accept_peers(&access->dma));
	if (huge)
		allow_huge(test, addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, pages);
	KUNIT_ASSERT_EQ(test, migrate_to(access->owner, addr, pages << PAGE_SHIFT), pages);
	if (huge && !folio_test_large(page_folio(device_page(access->owner, 0))))
		kunit_skip(test, "no huge page could be allocated");
	access->owner->copies = 0;
	return access;
}

static struct peer_access *access_begin(struct kunit *test)
{
	return access_make(test, NULL, NULL, false);
}

/* The same, and the second device has mapped all pages where they are. */
static struct peer_access *access_mapped(struct kunit *test)
{
	struct peer_access *access = access_begin(test);

	KUNIT_ASSERT_EQ(test, 0, access_populate(access, span_of(access->span.start, SIZE),
						 HMM_ACCESS_WRITE));
	KUNIT_ASSERT_EQ(test, access_peers(access), PAGES);
	KUNIT_ASSERT_EQ(test, access->owner->given, PAGES);
	return access;
}

/* End what the test has left. */
static void access_exit(struct kunit *test)
{
	struct peer_access *access = test->priv;

	if (!access)
		return;
	set_killed(false);
	if (access->child)
		mmput(access->child);
	if (access->dma.mirror)
		hmm_mirror_dma_exit(&access->dma);
	if (access->mirror.mm)
		hmm_mirror_exit(&access->mirror);
	if (access->owner)
		hmm_devmem_exit(&access->owner->devmem);
	KUNIT_EXPECT_EQ(test, access->owner->given, 0);
	KUNIT_EXPECT_EQ(test, access->early, 0);
}

/* All pages are where they were, and the first device has copied none. */
static void access_expect_stayed(struct kunit *test, const struct peer_access *access,
				 unsigned long pages)
{
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES - pages);
	KUNIT_EXPECT_EQ(test, access->owner->copies, 0);
}

/* The second device maps nothing of the first, which has all its addresses back. */
static void access_expect_taken(struct kunit *test, const struct peer_access *access)
{
	KUNIT_EXPECT_EQ(test, access_peers(access), 0);
	KUNIT_EXPECT_EQ(test, access->owner->given, 0);
	KUNIT_EXPECT_EQ(test, access->early, 0);
}

/* The second device has the numbers of all pages, by the addresses of the first's memory. */
static void access_expect_numbers(struct kunit *test, const struct peer_access *access,
				  unsigned long pages)
{
	unsigned long i;

	for (i = 0; i < pages; i++) {
		const struct peer_entry *entry = &access->entries[i];

		if (!entry->peer || !entry->write ||
		    *(unsigned long *)(unsigned long)entry->address != i)
			break;
	}
	KUNIT_EXPECT_EQ(test, i, pages);
}

/* Pages stay; what the device writes by their addresses is what the CPU reads then. */
static void peer_access_stays(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);
	const struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of(device_page(access->owner, 0));
	unsigned long addr = access->span.start, i;

	access_expect_stayed(test, access, PAGES);
	access_expect_numbers(test, access, PAGES);
	/* It counts as an access. */
	KUNIT_EXPECT_EQ(test, bitmap_weight(chunk->accessed, chunk->pages), PAGES);
	/* A page that has an address keeps it. */
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span_of(addr, SIZE),
						 HMM_ACCESS_READ));
	KUNIT_EXPECT_EQ(test, access->owner->calls, PAGES);
	for (i = 0; i < PAGES; i++)
		*(unsigned long *)(unsigned long)access->entries[i].address += 1000;
	for (i = 0; i < PAGES; i++)
		if (read_number(test, addr + (i << PAGE_SHIFT)) != i + 1000)
			break;
	KUNIT_EXPECT_EQ(test, i, PAGES);
	access_expect_taken(test, access);
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES);
}

/* A device that has an owner, and memory of its own, reaches others' as well. */
static void peer_access_with_an_owner(struct kunit *test)
{
	struct peer_access *access = access_make(test, NULL, test, false);

	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span_of(access->span.start, SIZE),
						 HMM_ACCESS_WRITE));
	access_expect_numbers(test, access, PAGES);
	access_expect_stayed(test, access, PAGES);
}

/* A snapshot gives a page of a peer its address; the hmm pfn is that of an absent page. */
static void peer_access_snapshot(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	unsigned long reported = 0;
	int ret;

	hmm_mirror_populate_dma(pages, ret, &access->mirror, access->span,
				HMM_ACCESS_SNAPSHOT, &access->dma) {
		access_map(access, &pages);
		hmm_section_dma_pages_runs(run, &pages)
			reported += run.run.flags || run.run.pfn;
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, reported, 0);
	access_expect_numbers(test, access, PAGES);
	KUNIT_EXPECT_EQ(test, access_peers(access), PAGES);
	access_expect_stayed(test, access, PAGES);
}

/* Sections whose map does not accept peers, or that have none, move pages to system memory. */
static void peer_access_not_accepted(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	struct hmm_mirror_dma *dma = kunit_kzalloc(test, sizeof(*dma), GFP_KERNEL);
	struct hmm_span first = span_of(access->span.start, SIZE / 2);
	struct hmm_span second = span_of(first.end, SIZE / 2);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, dma);
	access_init_dma(test, access, dma, "hmm_peer_second");
	hmm_mirror_populate_dma(pages, ret, &access->mirror, first, HMM_ACCESS_READ, dma) {
		KUNIT_EXPECT_NULL(test, pages.state.peer_pfns);
		access_map(access, &pages);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_NE(test, access->entries[0].address, 0);
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES - PAGES / 2);
	hmm_mirror_populate(pages, ret, &access->mirror, second, HMM_ACCESS_READ)
		;
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, access->owner->calls, 0);
	access_expect_taken(test, access);
	hmm_mirror_dma_exit(dma);
}

/* The device's own memory is reported by pfn, as ever. */
static void peer_access_own_memory(struct kunit *test)
{
	struct peer_access *access = access_make(test, test, test, false);
	unsigned long own = 0;
	int ret;

	hmm_mirror_populate_dma(pages, ret, &access->mirror,
				span_of(access->span.start, SIZE), HMM_ACCESS_WRITE,
				&access->dma) {
		access_map(access, &pages);
		hmm_section_dma_pages_runs(run, &pages)
			if (hmm_page_is_of(pfn_to_page(run.run.pfn), test))
				own += hmm_span_pages(run.run.span);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, own, PAGES);
	KUNIT_EXPECT_EQ(test, access->owner->calls, 0);
	KUNIT_EXPECT_EQ(test, access->entries[0].address, 0);
	access_expect_stayed(test, access, PAGES);
}

/* A device that is refused gets pages of system memory, with addresses of the DMA API. */
static void peer_access_refused(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	unsigned long addr = access->span.start, i;

	access->owner->refuses = true;
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span_of(addr, SIZE),
						 HMM_ACCESS_WRITE));
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, access->owner->calls, PAGES);
	for (i = 0; i < PAGES; i++)
		if (!access->entries[i].address || access->entries[i].peer)
			break;
	KUNIT_EXPECT_EQ(test, i, PAGES);
	access_expect_taken(test, access);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/* A snapshot of such pages shows them without an address, and moves nothing. */
static void peer_access_snapshot_refused(struct kunit *test)
{
	struct peer_access *access = access_begin(test);

	access->owner->refuses = true;
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, access->span,
						 HMM_ACCESS_SNAPSHOT));
	KUNIT_EXPECT_EQ(test, access->entries[0].address, 0);
	access_expect_taken(test, access);
	access_expect_stayed(test, access, PAGES);
}

/* A page that is refused migrates, with those that its fault brings along, and no other. */
static void peer_access_one_refused(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	unsigned long addr = access->span.start, around = access->owner->devmem.fault_pages;

	access->owner->refused = device_page(access->owner, 70);
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span_of(addr, SIZE),
						 HMM_ACCESS_WRITE));
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES - PAGES + around);
	KUNIT_EXPECT_EQ(test, access_peers(access), PAGES - around);
	KUNIT_EXPECT_EQ(test, access->owner->given, PAGES - around);
	KUNIT_EXPECT_TRUE(test, access->entries[70].address && !access->entries[70].peer);
	KUNIT_EXPECT_TRUE(test, access->entries[69].address && !access->entries[69].peer);
	KUNIT_EXPECT_TRUE(test, access->entries[PAGES - 1].peer);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/*
 * The memory of two processes after a fork() is read only. The address is taken back, and
 * given again for reading only; for a write the page migrates to system memory, and is copied.
 */
static void peer_access_forked(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);
	struct hmm_span span = span_of(access->span.start, SIZE);

	access->child = mm_alloc();
	KUNIT_ASSERT_NOT_NULL(test, access->child);
	access->child->task_size = current->mm->task_size;
	KUNIT_EXPECT_EQ(test, 0, dup_mmap(access->child, current->mm));
	access_expect_taken(test, access);
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span, HMM_ACCESS_READ));
	KUNIT_EXPECT_EQ(test, access_peers(access), PAGES);
	KUNIT_EXPECT_FALSE(test, access->entries[0].write);
	access_expect_stayed(test, access, PAGES);
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span, HMM_ACCESS_WRITE));
	KUNIT_EXPECT_TRUE(test, access->entries[0].write);
	access_expect_taken(test, access);
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, span.start, PAGES), PAGES);
}

/* What takes a page away from the process, or moves it, takes the address away before. */
static void peer_access_evicted(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);
	struct hmm_span span = span_of(access->span.start, SIZE);

	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&access->owner->devmem), 0);
	access_expect_taken(test, access);
	/* The device has the pages again, where they are now. */
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span, HMM_ACCESS_WRITE));
	KUNIT_EXPECT_NE(test, access->entries[0].address, 0);
	access_expect_taken(test, access);
	hmm_devmem_resume(&access->owner->devmem);
	KUNIT_EXPECT_EQ(test, right_numbers(test, span.start, PAGES), PAGES);
}

static void peer_access_removed(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);

	KUNIT_EXPECT_EQ(test, 0, hmm_devmem_remove(&access->owner->devmem, HZ));
	access_expect_taken(test, access);
	KUNIT_EXPECT_EQ(test, access->owner->released, 1);
	KUNIT_EXPECT_EQ(test, right_numbers(test, access->span.start, PAGES), PAGES);
}

static void peer_access_owner_migrates(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);
	unsigned long addr = access->span.start;

	KUNIT_EXPECT_EQ(test, migrate_to_ram(access->owner, addr, SIZE / 2), PAGES / 2);
	KUNIT_EXPECT_EQ(test, access_peers(access), PAGES / 2);
	KUNIT_EXPECT_EQ(test, access->owner->given, PAGES / 2);
	access->owner->copies = 0;
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	access_expect_taken(test, access);
}

static void peer_access_unmapped(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);
	unsigned long addr = access->span.start;

	KUNIT_EXPECT_EQ(test, 0, do_madvise(current->mm, addr, SIZE / 2, MADV_DONTNEED));
	KUNIT_EXPECT_EQ(test, access_peers(access), PAGES / 2);
	KUNIT_EXPECT_EQ(test, access->owner->given, PAGES / 2);
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, SIZE));
	access_expect_taken(test, access);
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES);
}

static void peer_access_retired(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);
	struct page *page = device_page(access->owner, 5);

	KUNIT_EXPECT_EQ(test, hmm_devmem_retire(&access->owner->devmem, hmm_devmem_data(page),
						hmm_devmem_offset(page)), 0);
	KUNIT_EXPECT_EQ(test, access_peers(access), PAGES - 1);
	KUNIT_EXPECT_EQ(test, access->owner->given, PAGES - 1);
	KUNIT_EXPECT_FALSE(test, access->entries[5].peer);
	KUNIT_EXPECT_EQ(test, right_numbers(test, access->span.start, PAGES), PAGES);
}

/* A page whose contents are lost is poisoned: no device has it then. */
static void peer_access_lost(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);
	struct page *page = device_page(access->owner, 5);
	unsigned long addr = access->span.start + 5 * PAGE_SIZE;

	access->owner->bad = page;
	KUNIT_EXPECT_EQ(test, hmm_devmem_retire(&access->owner->devmem, hmm_devmem_data(page),
						hmm_devmem_offset(page)), 0);
	KUNIT_EXPECT_EQ(test, access->owner->given, PAGES - 1);
	KUNIT_EXPECT_EQ(test, access->entries[5].address, 0);
	KUNIT_EXPECT_EQ(test, -EFAULT, access_populate(access, span_of(addr, PAGE_SIZE),
						       HMM_ACCESS_READ));
	access->owner->bad = NULL;
}

static void peer_access_range_ends(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);

	hmm_mirror_range_remove(&access->range);
	access_expect_taken(test, access);
	access_expect_stayed(test, access, PAGES);
}

static void peer_access_map_ends(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);

	hmm_mirror_dma_exit(&access->dma);
	access->dma.mirror = NULL;
	access_expect_taken(test, access);
	access_expect_stayed(test, access, PAGES);
}

/* The address of a page of a peer is never given to the DMA API, nor the other way round. */
static void peer_access_is_not_for_dma(struct kunit *test)
{
	struct peer_access *access = access_mapped(test);
	const struct hmm_dma_map *map = &access->dma.map;
	unsigned long i, mapped = 0;

	for (i = 0; i < PAGES; i++)
		mapped += !!(map->pfn_list[i] & HMM_PFN_DMA_MAPPED);
	KUNIT_EXPECT_EQ(test, mapped, 0);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&access->owner->devmem), 0);
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span_of(access->span.start, SIZE),
						 HMM_ACCESS_WRITE));
	for (i = 0; i < PAGES; i++) {
		mapped += !!(map->pfn_list[i] & HMM_PFN_DMA_MAPPED);
		KUNIT_EXPECT_NULL(test, access->dma.peers[i].page);
	}
	KUNIT_EXPECT_EQ(test, mapped, PAGES);
	access_expect_taken(test, access);
}

/* Pages that one PMD maps; a fault of one of them would migrate all. */
static void peer_access_huge(struct kunit *test)
{
	struct peer_access *access = access_make(test, NULL, NULL, true);
	struct hmm_span middle = span_of(access->span.start + 3 * PAGE_SIZE, 5 * PAGE_SIZE);
	unsigned long runs = 0;
	int ret;

	hmm_mirror_populate_dma(pages, ret, &access->mirror, access->span, HMM_ACCESS_WRITE,
				&access->dma) {
		access_map(access, &pages);
		hmm_section_dma_pages_addresses(run, &pages)
			runs++;
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	access_expect_numbers(test, access, HPAGE_PMD_NR);
	access_expect_stayed(test, access, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, runs, HPAGE_PMD_NR / HMM_SECTION_BATCH);
	hmm_mirror_invalidate_span(&access->mirror, access->span);
	access_expect_taken(test, access);
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, middle, HMM_ACCESS_READ));
	KUNIT_ASSERT_EQ(test, access_peers(access), 5);
	KUNIT_EXPECT_EQ(test, *(unsigned long *)(unsigned long)access->entries[3].address, 3);
	access_expect_stayed(test, access, HPAGE_PMD_NR);
}

static void peer_access_huge_refused(struct kunit *test)
{
	struct peer_access *access = access_make(test, NULL, NULL, true);

	access->owner->refused = device_page(access->owner, 100);
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, access->span, HMM_ACCESS_WRITE));
	KUNIT_EXPECT_TRUE(test, access->entries[100].address && !access->entries[100].peer);
	access_expect_taken(test, access);
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, access->span.start, HPAGE_PMD_NR),
			HPAGE_PMD_NR);
}

/* A second device in the same section, which accepts no peers, or is refused. */
static void peer_access_two_devices(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	struct hmm_mirror_dma *second = kunit_kzalloc(test, sizeof(*second), GFP_KERNEL);
	struct hmm_span span = span_of(access->span.start, HMM_SECTION_BATCH * PAGE_SIZE);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, second);
	access_init_dma(test, access, second, "hmm_peer_second");
	hmm_mirror_populate_dma(pages, ret, &access->mirror, span, HMM_ACCESS_WRITE,
				&access->dma) {
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, hmm_section_dma_map(&pages.state, second));
		KUNIT_EXPECT_EQ(test, -EDEADLK, hmm_mirror_dma_accept_peers(second));
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_accept_peers(second));
	hmm_mirror_populate_dma(pages, ret, &access->mirror, span, HMM_ACCESS_WRITE,
				&access->dma) {
		access->owner->refuses = true;
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, hmm_section_dma_map(&pages.state, second));
		/* The first has its addresses still. */
		access_map(access, &pages);
		KUNIT_EXPECT_EQ(test, access_peers(access), HMM_SECTION_BATCH);
		KUNIT_EXPECT_TRUE(test, access->entries[0].write);
		access->owner->refuses = false;
		KUNIT_EXPECT_EQ(test, 0, hmm_section_dma_map(&pages.state, second));
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, access->owner->given, 2 * HMM_SECTION_BATCH);
	access_expect_stayed(test, access, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&access->owner->devmem), 0);
	access_expect_taken(test, access);
	hmm_mirror_dma_exit(second);
}

/*
 * A second device, which accepts no peers, is given a batch in which there are none. In the
 * next one they migrate at once, without a walk that finds them where they are.
 */
static void peer_access_second_accepts_none(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	struct hmm_mirror_dma *second = kunit_kzalloc(test, sizeof(*second), GFP_KERNEL);
	const unsigned long size = HMM_SECTION_BATCH * PAGE_SIZE;
	struct hmm_span span = span_of(access->span.start, 2 * size);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, second);
	access_init_dma(test, access, second, "hmm_peer_second");
	KUNIT_ASSERT_EQ(test, migrate_to_ram(access->owner, span.start, size), HMM_SECTION_BATCH);
	hmm_mirror_populate_dma(pages, ret, &access->mirror, span, HMM_ACCESS_WRITE,
				&access->dma) {
		if (pages.state.batch.start == span.start)
			KUNIT_EXPECT_NOT_NULL(test, pages.state.peer_pfns);
		KUNIT_EXPECT_EQ(test, 0, hmm_section_dma_map(&pages.state, second));
		KUNIT_EXPECT_NULL(test, pages.state.peer_pfns);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, access->owner->calls, 0);
	KUNIT_EXPECT_EQ(test, available(access->owner), DEVICE_PAGES - PAGES +
			2 * HMM_SECTION_BATCH);
	hmm_mirror_dma_exit(second);
}

/* What a section has for pages of peers ends with it. */
static void peer_access_section_left(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	struct hmm_section *section = kunit_kzalloc(test, sizeof(*section), GFP_KERNEL);
	unsigned long pfns[4];

	KUNIT_ASSERT_NOT_NULL(test, section);
	*section = (struct hmm_section){
		.mirror = &access->mirror, .span = span_of(access->span.start, 4 * PAGE_SIZE),
		.access = HMM_ACCESS_READ, .pfns = pfns, .nr_pfns = ARRAY_SIZE(pfns),
		.dma = &access->dma,
	};
	KUNIT_EXPECT_TRUE(test, hmm_section_next(section));
	KUNIT_EXPECT_NOT_NULL(test, section->peer_pfns);
	hmm_section_leave(section);
	KUNIT_EXPECT_NULL(test, section->peer_pfns);
}

/* Without memory for the addresses nothing has changed. */
static void peer_access_no_memory(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	struct hmm_mirror_dma *dma = kunit_kzalloc(test, sizeof(*dma), GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, dma);
	access_init_dma(test, access, dma, "hmm_peer_second");
	/* More than the kernel allocates at once. */
	dma->span.end = dma->span.start + (1UL << 40);
	KUNIT_EXPECT_EQ(test, -ENOMEM, hmm_mirror_dma_accept_peers(dma));
	dma->span = access->span;
	KUNIT_EXPECT_NULL(test, dma->peers);
	hmm_mirror_populate_dma(pages, ret, &access->mirror,
				span_of(access->span.start, SIZE), HMM_ACCESS_READ, dma)
		access_map(access, &pages);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, access->owner->calls, 0);
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_accept_peers(dma));
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_dma_accept_peers(dma));
	hmm_mirror_dma_exit(dma);
}

/**
 * struct peer_events - the events of an access
 * @access: the access
 * @events: how many there were
 * @pages: how many pages they had in all
 * @refused: how many pages were refused in all
 * @span: of the last
 */
struct peer_events {
	const struct peer_access *access;
	unsigned int events;
	unsigned long pages;
	unsigned long refused;
	struct hmm_span span;
};

static void record_peer_map(void *data, const void *mirror, const struct hmm_span *span,
			    unsigned long pages, unsigned long refused)
{
	struct peer_events *seen = data;

	if (mirror != &seen->access->mirror)
		return;
	seen->events++;
	seen->pages += pages;
	seen->refused += refused;
	seen->span = *span;
}

/* What has been counted and, in a kernel with events, what they were. */
static void access_expect_counted(struct kunit *test, const struct peer_events *seen,
				  unsigned int events, unsigned long pages)
{
#ifdef CONFIG_DEBUG_FS
	const struct hmm_mirror_stats *stats = &seen->access->mirror.state->stats;

	KUNIT_EXPECT_EQ(test, pages, atomic_long_read(&stats->counts[HMM_COUNT_PEERS]));
#endif
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		return;
	KUNIT_EXPECT_EQ(test, events, seen->events);
	KUNIT_EXPECT_EQ(test, pages, seen->pages);
}

/* Pages that get an address are counted, and each batch of them is an event. */
static void peer_access_counted(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	struct hmm_span span = span_of(access->span.start, SIZE);
	struct hmm_span last = span_of(span.end - HMM_SECTION_BATCH * PAGE_SIZE,
				       HMM_SECTION_BATCH * PAGE_SIZE);
	struct peer_events seen = { .access = access };

	register_trace_hmm_peer_map(record_peer_map, &seen);
	access_expect_counted(test, &seen, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span, HMM_ACCESS_WRITE));
	access_expect_counted(test, &seen, PAGES / HMM_SECTION_BATCH, PAGES);
	KUNIT_EXPECT_EQ(test, seen.refused, 0);
	if (IS_ENABLED(CONFIG_TRACEPOINTS)) {
		KUNIT_EXPECT_EQ(test, seen.span.start, last.start);
		KUNIT_EXPECT_EQ(test, seen.span.end, last.end);
	}
	/* They keep their addresses. */
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span, HMM_ACCESS_READ));
	access_expect_counted(test, &seen, PAGES / HMM_SECTION_BATCH, PAGES);

	hmm_mirror_invalidate_span(&access->mirror, last);
	access->owner->refused = device_page(access->owner, PAGES - 1);
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, last, HMM_ACCESS_WRITE));
	unregister_trace_hmm_peer_map(record_peer_map, &seen);
	tracepoint_synchronize_unregister();
	access_expect_counted(test, &seen, PAGES / HMM_SECTION_BATCH + 1,
			      PAGES + HMM_SECTION_BATCH - 1);
	KUNIT_EXPECT_EQ(test, seen.refused, IS_ENABLED(CONFIG_TRACEPOINTS));
}

static void access_kill(struct buffer_device *device)
{
	set_killed(true);
}

/* A task that is killed while it is refused does not walk again. */
static void peer_access_killed(struct kunit *test)
{
	struct peer_access *access = access_begin(test);

	access->owner->refuses = true;
	access->owner->on_give = access_kill;
	KUNIT_EXPECT_EQ(test, -EINTR, access_populate(access,
						      span_of(access->span.start, SIZE),
						      HMM_ACCESS_WRITE));
	set_killed(false);
	access_expect_taken(test, access);
	access_expect_stayed(test, access, PAGES);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&access->mirror.lock));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&access->dma.lock));
}

static void access_evict_work(struct work_struct *work)
{
	struct peer_access *access = container_of(work, struct peer_access, work);

	hmm_devmem_evict(&access->owner->devmem);
	WRITE_ONCE(access->ended, true);
	complete(&access->done);
}

/* Another thread evicts the pages: they stay while the section's body runs. */
static void access_evict_meanwhile(struct peer_access *access)
{
	unsigned long i;

	access->inside = NULL;
	queue_work(system_dfl_wq, &access->work);
	msleep(100);
	KUNIT_EXPECT_FALSE(access->test, READ_ONCE(access->ended));
	KUNIT_EXPECT_EQ(access->test, access->owner->given, HMM_SECTION_BATCH);
	for (i = 0; i < HMM_SECTION_BATCH; i++)
		if (*(unsigned long *)(unsigned long)access->entries[i].address != i)
			break;
	KUNIT_EXPECT_EQ(access->test, i, HMM_SECTION_BATCH);
}

static void peer_access_evicted_meanwhile(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	unsigned long addr = access->span.start;

	INIT_WORK(&access->work, access_evict_work);
	access->inside = access_evict_meanwhile;
	KUNIT_EXPECT_EQ(test, 0, access_populate(access, span_of(addr, HMM_SECTION_BATCH *
								       PAGE_SIZE),
						 HMM_ACCESS_WRITE));
	wait_for_completion(&access->done);
	access_expect_taken(test, access);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/* Move the pages between the first device and system memory. */
static void access_move_work(struct work_struct *work)
{
	struct peer_access *access = container_of(work, struct peer_access, work);
	struct hmm_span span = span_of(access->span.start, SIZE);
	struct mm_struct *mm = access->mirror.mm;

	while (!READ_ONCE(access->stop)) {
		if (hmm_devmem_migrate(&access->owner->devmem, mm, span) < 0)
			break;
		usleep_range(500, 1500);
		hmm_devmem_evict(&access->owner->devmem);
		hmm_devmem_resume(&access->owner->devmem);
	}
	complete(&access->done);
}

/* In a section each page has its number, wherever it is. */
static void access_check(struct peer_access *access)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++) {
		const struct peer_entry *entry = &access->entries[i];

		if (entry->address && entry->peer &&
		    *(unsigned long *)(unsigned long)entry->address != i)
			break;
	}
	KUNIT_EXPECT_EQ(access->test, i, PAGES);
}

static void peer_access_race(struct kunit *test)
{
	struct peer_access *access = access_begin(test);
	unsigned long end = jiffies + 2 * HZ, addr = access->span.start, peers = 0, rounds = 0;

	INIT_WORK(&access->work, access_move_work);
	access->inside = access_check;
	queue_work(system_dfl_wq, &access->work);
	while (time_before(jiffies, end)) {
		int ret = access_populate(access, span_of(addr, SIZE), HMM_ACCESS_WRITE);

		if (ret && ret != -EBUSY)
			KUNIT_EXPECT_EQ(test, ret, 0);
		hmm_mirror_lock(&access->mirror);
		peers += access_peers(access);
		hmm_mirror_unlock(&access->mirror);
		rounds++;
		cond_resched();
	}
	WRITE_ONCE(access->stop, true);
	wait_for_completion(&access->done);
	kunit_info(test, "%lu sections, %lu pages of the peer\n", rounds, peers);
	KUNIT_EXPECT_GT(test, peers, 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	access_expect_taken(test, access);
}

static struct kunit_case peer_access_cases[] = {
	KUNIT_CASE(peer_access_stays),
	KUNIT_CASE(peer_access_with_an_owner),
	KUNIT_CASE(peer_access_snapshot),
	KUNIT_CASE(peer_access_not_accepted),
	KUNIT_CASE(peer_access_own_memory),
	KUNIT_CASE(peer_access_refused),
	KUNIT_CASE(peer_access_snapshot_refused),
	KUNIT_CASE(peer_access_one_refused),
	KUNIT_CASE(peer_access_forked),
	KUNIT_CASE(peer_access_evicted),
	KUNIT_CASE(peer_access_removed),
	KUNIT_CASE(peer_access_owner_migrates),
	KUNIT_CASE(peer_access_unmapped),
	KUNIT_CASE(peer_access_retired),
	KUNIT_CASE(peer_access_lost),
	KUNIT_CASE(peer_access_range_ends),
	KUNIT_CASE(peer_access_map_ends),
	KUNIT_CASE(peer_access_is_not_for_dma),
	KUNIT_CASE(peer_access_huge),
	KUNIT_CASE(peer_access_huge_refused),
	KUNIT_CASE(peer_access_two_devices),
	KUNIT_CASE(peer_access_second_accepts_none),
	KUNIT_CASE(peer_access_section_left),
	KUNIT_CASE(peer_access_no_memory),
	KUNIT_CASE(peer_access_counted),
	KUNIT_CASE(peer_access_killed),
	KUNIT_CASE(peer_access_evicted_meanwhile),
	KUNIT_CASE_SLOW(peer_access_race),
	{}
};

static struct kunit_suite peer_access_suite = {
	.name = "hmm_peer_access",
	.exit = access_exit,
	.test_cases = peer_access_cases,
};

kunit_test_suite(peer_access_suite);

MODULE_DESCRIPTION("KUnit tests of peer access");
MODULE_LICENSE("GPL");
