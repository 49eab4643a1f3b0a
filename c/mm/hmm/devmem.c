// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory that processes can have their pages in: struct pages for it,
 * handing them out, moving data in, and bringing it back when the CPU touches
 * it or the device wants its memory empty.
 *
 * Everything that moves is a transfer: the migration engine says which pages
 * can, and for each of them a place is allocated and filled. If the place or
 * the filling fails the engine maps the page where it was.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/hmm_devmem.h>
#include <linux/ioport.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/slab.h>

/* At most this many pages move at once: what one PMD maps. */
#define TRANSFER_PAGES	HPAGE_PMD_NR

/**
 * struct transfer - pages on their way
 * @devmem: the device memory at one end
 * @args: the migration by address, or, with no VMA, only the arrays of one by
 *	pfn
 * @alloc: a locked page at the other end, for the word at an index
 * @fills: holes get a cleared page
 * @error: why the page that the CPU waits for did not get a place
 */
struct transfer {
	struct hmm_devmem *devmem;
	struct migrate_vma args;
	struct folio *(*alloc)(struct transfer *t, unsigned long i,
			       unsigned int order);
	bool fills;
	int error;
};

static unsigned long total_pages(const struct hmm_devmem *devmem)
{
	return devmem->size >> PAGE_SHIFT;
}

/**
 * hmm_devmem_alloc() - take pages of device memory
 * @devmem: the device memory
 * @order: of the folio, at most that of a huge page
 *
 * The folio is aligned to its size, locked, has one reference and holds
 * whatever its last user left. It goes back when its last reference does.
 *
 * Context: Process context.
 *
 * Return: the folio; NULL if there is no such block, or @devmem is closed.
 */
struct folio *hmm_devmem_alloc(struct hmm_devmem *devmem, unsigned int order)
{
	unsigned long total = total_pages(devmem), nr = 1UL << order, at = total;
	struct folio *folio;

	scoped_guard(spinlock_irqsave, &devmem->lock) {
		if (order > HPAGE_PMD_ORDER || devmem->closed ||
		    devmem->free < nr)
			return NULL;
		at = bitmap_find_next_zero_area(devmem->used, total,
						devmem->next, nr, nr - 1);
		if (at >= total)
			at = bitmap_find_next_zero_area(devmem->used, total, 0,
							nr, nr - 1);
		if (at >= total)
			return NULL;
		bitmap_set(devmem->used, at, nr);
		devmem->free -= nr;
		devmem->next = at + nr;
	}

	folio = (struct folio *)pfn_to_page(PHYS_PFN(devmem->range.start) + at);
	zone_device_folio_init(folio, &devmem->pagemap, order);
	return folio;
}
EXPORT_SYMBOL_GPL(hmm_devmem_alloc);

static void devmem_free(struct folio *folio)
{
	struct hmm_devmem *devmem = hmm_devmem_of(&folio->page);
	unsigned long nr = folio_nr_pages(folio);
	unsigned long at = folio_pfn(folio) - PHYS_PFN(devmem->range.start);

	guard(spinlock_irqsave)(&devmem->lock);
	bitmap_clear(devmem->used, at, nr);
	devmem->free += nr;
}

/* Allocates and fills a place for one word. @from is NULL for a hole. */
static int give_place(struct transfer *t, unsigned long i, struct page *from,
		      unsigned int order)
{
	const struct hmm_devmem_ops *ops = t->devmem->ops;
	struct folio *folio = t->alloc(t, i, order);
	int err;

	if (!folio)
		return -ENOMEM;
	if (from)
		err = ops->copy(t->devmem, &folio->page, from, order);
	else
		err = ops->clear(t->devmem, &folio->page, order);
	if (err) {
		folio_unlock(folio);
		folio_put(folio);
		return err;
	}

	t->args.dst[i] = migrate_pfn(folio_pfn(folio)) |
			 (t->args.src[i] & MIGRATE_PFN_WRITE);
	if (order)
		t->args.dst[i] |= MIGRATE_PFN_COMPOUND;
	return 0;
}

/* How large a page the word at @i stands for. */
static unsigned int word_order(const struct transfer *t, unsigned long i)
{
	struct page *page = migrate_pfn_to_page(t->args.src[i]);

	if (!(t->args.src[i] & MIGRATE_PFN_COMPOUND))
		return 0;
	return page ? folio_order(page_folio(page)) : HPAGE_PMD_ORDER;
}

/* A place for the word at @i: in one piece if there is one, else in many. */
static void give_places(struct transfer *t, unsigned long i)
{
	struct page *from = migrate_pfn_to_page(t->args.src[i]);
	struct page *wanted = t->args.fault_page;
	unsigned int order = word_order(t, i);
	unsigned long nr = 1UL << order, j;
	int err = give_place(t, i, from, order);

	for (j = 0; err == -ENOMEM && order && j < nr; j++) {
		int one = give_place(t, i + j, from ? from + j : NULL, 0);

		if (one && wanted && from + j == wanted)
			t->error = one;
	}
	if (err && !order && wanted && from == wanted)
		t->error = err;
}

/* The copy stage. The engine takes the words without a place as refused. */
static void fill_places(struct transfer *t)
{
	unsigned long i;

	for (i = 0; i < t->args.npages; i++) {
		if (!(t->args.src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		if (t->fills || (t->args.src[i] & MIGRATE_PFN_VALID))
			give_places(t, i);
	}
}

/* After commit, what still has the mark has moved. */
static unsigned long count_moved(const struct transfer *t)
{
	unsigned long i, moved = 0;

	for (i = 0; i < t->args.npages; i++)
		if (t->args.src[i] & MIGRATE_PFN_MIGRATE)
			moved += 1UL << word_order(t, i);
	return moved;
}

/* All stages of a transfer by address; the range is in @t. */
static long transfer_by_address(struct transfer *t)
{
	long moved;
	int err = migrate_vma_setup(&t->args);

	if (err)
		return err;
	if (!t->args.cpages)
		return 0;

	fill_places(t);
	migrate_vma_pages(&t->args);
	moved = count_moved(t);
	migrate_vma_finalize(&t->args);
	return moved;
}

static int alloc_words(struct transfer *t, unsigned long npages)
{
	t->args.src = kvcalloc(2 * npages, sizeof(*t->args.src), GFP_KERNEL);
	t->args.dst = t->args.src + npages;
	return t->args.src ? 0 : -ENOMEM;
}

static void free_words(struct transfer *t)
{
	kvfree(t->args.src);
}

static struct folio *place_on_device(struct transfer *t, unsigned long i,
				     unsigned int order)
{
	return hmm_devmem_alloc(t->devmem, order);
}

/* A huge page is worth a try only; small ones are what it falls back to. */
static struct folio *place_at_home(struct transfer *t, unsigned long i,
				   unsigned int order)
{
	unsigned long addr = t->args.start + (i << PAGE_SHIFT);
	gfp_t gfp = GFP_HIGHUSER_MOVABLE;
	struct folio *folio;

	if (order)
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
	if (t->args.vma)
		folio = vma_alloc_folio(gfp, order, t->args.vma, addr);
	else
		folio = folio_alloc(gfp, order);
	if (folio)
		folio_lock(folio);
	return folio;
}

/**
 * hmm_devmem_migrate() - move pages of a process to device memory
 * @devmem: the device memory
 * @vma: what they are in
 * @start: first address, page aligned
 * @end: end address, page aligned
 *
 * Addresses that nothing is mapped at get cleared device memory. Pages that
 * are busy, or for which there is no room, stay where they are; that is no
 * error. Huge pages stay whole where a block is free.
 *
 * Secondary MMUs are told as in migrate_vma_setup(), with @devmem as owner.
 *
 * Context: Process context; may sleep. The mmap lock is held for reading.
 *
 * Return: the number of pages moved; -EINVAL if the range is not one that
 * migrate_vma_setup() takes, -ENOMEM.
 */
long hmm_devmem_migrate(struct hmm_devmem *devmem, struct vm_area_struct *vma,
			unsigned long start, unsigned long end)
{
	struct transfer t = {
		.devmem = devmem,
		.alloc = place_on_device,
		.fills = true,
		.args = {
			.vma = vma,
			.pgmap_owner = devmem,
			.flags = MIGRATE_VMA_SELECT_SYSTEM |
				 MIGRATE_VMA_SELECT_COMPOUND,
		},
	};
	long moved = 0, one = 0;

	if (start >= end)
		return -EINVAL;
	if (alloc_words(&t, TRANSFER_PAGES))
		return -ENOMEM;

	for (; one >= 0 && start < end; start = t.args.end) {
		t.args.start = start;
		t.args.end = pmd_addr_end(start, end);
		one = transfer_by_address(&t);
		moved += max(one, 0);
		cond_resched();
	}
	free_words(&t);
	return one < 0 ? one : moved;
}
EXPORT_SYMBOL_GPL(hmm_devmem_migrate);

/*
 * The range that comes back with a fault: aligned, within the VMA, and, if the
 * page is part of a huge one that is mapped as such, all of that.
 */
static void fault_range(struct vm_fault *vmf, struct migrate_vma *args,
			unsigned long pages)
{
	unsigned long size;

	if (!vmf->pte) {
		pages = max(pages, folio_nr_pages(page_folio(vmf->page)));
		args->flags |= MIGRATE_VMA_SELECT_COMPOUND;
	}
	size = pages << PAGE_SHIFT;
	args->start = max(ALIGN_DOWN(vmf->address, size), vmf->vma->vm_start);
	args->end = min(ALIGN_DOWN(vmf->address, size) + size, vmf->vma->vm_end);
}

/*
 * The CPU touched private memory. That the page is still there when this
 * returns 0 is no mistake: it was busy, and the CPU will try again.
 */
static vm_fault_t devmem_fault(struct vm_fault *vmf)
{
	struct hmm_devmem *devmem = hmm_devmem_of(vmf->page);
	struct transfer t = {
		.devmem = devmem,
		.alloc = place_at_home,
		.args = {
			.vma = vmf->vma,
			.pgmap_owner = devmem,
			.fault_page = vmf->page,
			.flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE,
		},
	};
	long moved;

	fault_range(vmf, &t.args, devmem->fault_pages);
	if (alloc_words(&t, (t.args.end - t.args.start) >> PAGE_SHIFT))
		return VM_FAULT_OOM;
	moved = transfer_by_address(&t);
	free_words(&t);

	if (t.error == -ENOMEM)
		return VM_FAULT_OOM;
	return moved < 0 || t.error ? VM_FAULT_SIGBUS : 0;
}

static const struct dev_pagemap_ops devmem_pagemap_ops = {
	.folio_free	= devmem_free,
	.migrate_to_ram	= devmem_fault,
};

/* Brings home what is in use of @nr pages from @at on. */
static void evict_block(struct transfer *t, unsigned long at, unsigned long nr)
{
	unsigned long pfn = PHYS_PFN(t->devmem->range.start) + at;

	t->args.npages = nr;
	memset(t->args.dst, 0, nr * sizeof(*t->args.dst));
	if (migrate_device_range(t->args.src, pfn, nr))
		return;
	fill_places(t);
	migrate_device_pages(t->args.src, t->args.dst, nr);
	migrate_device_finalize(t->args.src, t->args.dst, nr);
}

static void close_devmem(struct hmm_devmem *devmem, bool closed)
{
	guard(spinlock_irqsave)(&devmem->lock);
	devmem->closed = closed;
}

/**
 * hmm_devmem_evict() - bring everything home
 * @devmem: the device memory
 *
 * For suspend, or a device that is about to go away, with processes running.
 * From here to hmm_devmem_resume() no page is handed out. One pass over the
 * memory: pages that are pinned, or busy at that moment, are still there
 * afterwards.
 *
 * Context: Process context; may sleep. No mmap lock is held.
 *
 * Return: the number of pages that are still in use.
 */
unsigned long hmm_devmem_evict(struct hmm_devmem *devmem)
{
	struct transfer t = { .devmem = devmem, .alloc = place_at_home };
	unsigned long total = total_pages(devmem), at = 0;

	close_devmem(devmem, true);
	if (alloc_words(&t, TRANSFER_PAGES))
		return total - READ_ONCE(devmem->free);

	while ((at = find_next_bit(devmem->used, total, at)) < total) {
		at = ALIGN_DOWN(at, TRANSFER_PAGES);
		evict_block(&t, at, TRANSFER_PAGES);
		at += TRANSFER_PAGES;
		cond_resched();
	}
	free_words(&t);
	return total - READ_ONCE(devmem->free);
}
EXPORT_SYMBOL_GPL(hmm_devmem_evict);

/**
 * hmm_devmem_resume() - hand out pages again
 * @devmem: the device memory, after hmm_devmem_evict()
 */
void hmm_devmem_resume(struct hmm_devmem *devmem)
{
	close_devmem(devmem, false);
}
EXPORT_SYMBOL_GPL(hmm_devmem_resume);

static bool devmem_is_sound(const struct hmm_devmem *devmem)
{
	if (!devmem->ops || !devmem->ops->copy || !devmem->ops->clear)
		return false;
	if (!devmem->size || !IS_ALIGNED(devmem->size, HPAGE_PMD_SIZE))
		return false;
	if (devmem->fault_pages && (!is_power_of_2(devmem->fault_pages) ||
				    devmem->fault_pages > TRANSFER_PAGES))
		return false;
	if (devmem->type == MEMORY_DEVICE_COHERENT)
		return IS_ALIGNED(devmem->range.start, HPAGE_PMD_SIZE);
	return devmem->type == MEMORY_DEVICE_PRIVATE;
}

/* Addresses: the driver's for coherent memory, unused ones for private. */
static int reserve_addresses(struct hmm_devmem *devmem)
{
	const char *name = devmem->name ?: "hmm_devmem";
	struct resource *res;

	if (devmem->type == MEMORY_DEVICE_PRIVATE) {
		res = request_free_mem_region(&iomem_resource, devmem->size,
					      name);
		if (IS_ERR(res))
			return PTR_ERR(res);
		devmem->range.start = res->start;
		devmem->reserved = resource_size(res);
	}
	devmem->range.end = devmem->range.start + devmem->size - 1;
	return 0;
}

static void release_addresses(struct hmm_devmem *devmem)
{
	if (devmem->type == MEMORY_DEVICE_PRIVATE)
		release_mem_region(devmem->range.start, devmem->reserved);
}

static int map_pages(struct hmm_devmem *devmem)
{
	struct dev_pagemap *pgmap = &devmem->pagemap;
	void *ptr;

	memset(pgmap, 0, sizeof(*pgmap));
	pgmap->type = devmem->type;
	pgmap->range = devmem->range;
	pgmap->nr_range = 1;
	pgmap->ops = &devmem_pagemap_ops;
	pgmap->owner = devmem;
	ptr = memremap_pages(pgmap, numa_node_id());
	return PTR_ERR_OR_ZERO(ptr);
}

/**
 * hmm_devmem_init() - make device memory known to the mm
 * @devmem: with the driver's fields filled in, the others zero
 *
 * Context: Process context; may sleep.
 *
 * Return: 0; -EINVAL if a field is missing or misaligned, -ENOMEM, or what
 * memremap_pages() says. Nothing is then left behind.
 */
int hmm_devmem_init(struct hmm_devmem *devmem)
{
	int err;

	if (!devmem_is_sound(devmem))
		return -EINVAL;
	if (!devmem->fault_pages)
		devmem->fault_pages = TRANSFER_PAGES;
	spin_lock_init(&devmem->lock);
	devmem->free = total_pages(devmem);
	devmem->next = 0;
	devmem->closed = false;

	devmem->used = bitmap_zalloc(total_pages(devmem), GFP_KERNEL);
	if (!devmem->used)
		return -ENOMEM;
	err = reserve_addresses(devmem);
	if (err)
		goto free;
	err = map_pages(devmem);
	if (!err)
		return 0;

	release_addresses(devmem);
free:
	bitmap_free(devmem->used);
	return err;
}
EXPORT_SYMBOL_GPL(hmm_devmem_init);

/**
 * hmm_devmem_exit() - take device memory away from the mm
 * @devmem: the device memory
 *
 * Brings everything home first, and waits for what is pinned.
 *
 * Context: Process context; may sleep. No mmap lock is held.
 */
void hmm_devmem_exit(struct hmm_devmem *devmem)
{
	while (hmm_devmem_evict(devmem))
		schedule_timeout_uninterruptible(HZ / 100 + 1);
	memunmap_pages(&devmem->pagemap);
	release_addresses(devmem);
	bitmap_free(devmem->used);
}
EXPORT_SYMBOL_GPL(hmm_devmem_exit);
