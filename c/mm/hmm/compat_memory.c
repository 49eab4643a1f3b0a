// SPDX-License-Identifier: GPL-2.0
/*
 * The device memory of 2017 with what its drivers have in common: a driver of
 * this says how to copy and clear a page, and no more.
 */
#include <linux/bitmap.h>
#include <linux/device/faux.h>
#include <linux/hmm_compat_2017.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "compat.h"

/* How many pages are on their way at once: their words are on the stack. */
#define MEMORY_BATCH 64UL

/**
 * struct memory_transfer - pages on their way
 * @memory: the memory that they come from or go to
 * @error: why the last of them could not be filled
 */
struct memory_transfer {
	struct hmm2017_memory *memory;
	int error;
};

static bool memory_has(const struct hmm2017_memory *memory, const struct page *page)
{
	const struct hmm2017_devmem *devmem = memory->devmem;
	unsigned long pfn = page_to_pfn(page);

	return pfn >= devmem->pfn_first && pfn < devmem->pfn_last;
}

/* A page that was free, locked; NULL if there is none. */
static struct page *memory_take(struct hmm2017_memory *memory)
{
	unsigned long index;
	struct page *page;

	scoped_guard(spinlock_irqsave, &memory->lock) {
		index = find_first_zero_bit(memory->used, memory->pages);
		if (index == memory->pages)
			return NULL;
		__set_bit(index, memory->used);
	}
	page = pfn_to_page(memory->devmem->pfn_first + index);
	/* It has no reference, so that today's get_page() is not for it. */
	get_page2018(page);
	lock_page(page);
	return page;
}

static void memory_free(struct hmm2017_devmem *devmem, struct page *page)
{
	struct hmm2017_memory *memory = dev_get_drvdata(devmem->device);

	guard(spinlock_irqsave)(&memory->lock);
	__clear_bit(page_to_pfn(page) - devmem->pfn_first, memory->used);
}

/* The word of a page that was filled; 0, and the page is given back, if it was not. */
static unsigned long memory_fill(struct memory_transfer *t, struct page *to,
				 struct page *from)
{
	struct hmm2017_memory *memory = t->memory;

	if (!to)
		t->error = -ENOMEM;
	else if (from)
		t->error = memory->ops->copy(memory, to, from, 0);
	else
		t->error = memory->ops->clear(memory, to, 0);
	if (!t->error)
		return migrate_pfn(page_to_pfn(to)) | MIGRATE_PFN_LOCKED;
	if (to) {
		unlock_page(to);
		put_page(to);
	}
	return 0;
}

static void memory_move_in(struct vm_area_struct *vma, const unsigned long *src,
			   unsigned long *dst, unsigned long start,
			   unsigned long end, void *private)
{
	struct memory_transfer *t = private;

	for (; start < end; start += PAGE_SIZE, src++, dst++) {
		struct page *from = migrate_pfn_to_page(*src);

		*dst = 0;
		/* What another device has is not for this one to read. */
		if ((*src & MIGRATE_PFN_MIGRATE) && !(from && is_device_private_page(from)))
			*dst = memory_fill(t, memory_take(t->memory), from);
	}
}

/* The word of a page of system memory for what @word tells of; @vma may be NULL. */
static unsigned long memory_home(struct memory_transfer *t, unsigned long word,
				 struct vm_area_struct *vma, unsigned long addr)
{
	struct page *from = migrate_pfn_to_page(word), *to;

	if (!(word & MIGRATE_PFN_MIGRATE) || !from || !memory_has(t->memory, from))
		return 0;
	to = vma ? alloc_page_vma(GFP_HIGHUSER_MOVABLE, vma, addr) :
		   alloc_page(GFP_HIGHUSER_MOVABLE);
	if (to)
		lock_page(to);
	return memory_fill(t, to, from);
}

static void memory_move_out(struct vm_area_struct *vma, const unsigned long *src,
			    unsigned long *dst, unsigned long start,
			    unsigned long end, void *private)
{
	for (; start < end; start += PAGE_SIZE, src++, dst++)
		*dst = memory_home(private, *src, vma, start);
}

/* The device has no page table here. */
static void memory_moved(struct vm_area_struct *vma, const unsigned long *src,
			 const unsigned long *dst, unsigned long start,
			 unsigned long end, void *private)
{
}

/* That the page is still there upon 0 is no mistake: it was busy, and is touched again. */
static int memory_fault(struct hmm2017_devmem *devmem, struct vm_area_struct *vma,
			unsigned long addr, const struct page *page,
			unsigned int flags, pmd_t *pmdp)
{
	static const struct migrate_vma_ops ops = {
		.alloc_and_copy = memory_move_out,
		.finalize_and_map = memory_moved,
	};
	struct memory_transfer t = { .memory = dev_get_drvdata(devmem->device) };
	unsigned long src = 0, dst = 0;
	int ret;

	ret = migrate_vma(&ops, vma, addr, addr + PAGE_SIZE, &src, &dst, &t) ?: t.error;
	if (ret == -ENOMEM)
		return VM_FAULT_OOM;
	return ret ? VM_FAULT_SIGBUS : 0;
}

static const struct hmm2017_devmem_ops memory_devmem_ops = {
	.free = memory_free,
	.fault = memory_fault,
};

/**
 * hmm2017_memory_init() - plug in device memory
 * @memory: storage for it, with what the driver sets; must stay where it is
 *
 * Context: Process context; may sleep.
 * Return: 0; -%EINVAL if something is missing; -%ENODEV if there is such a
 * device already; -%ENOMEM; or what hmm2017_devmem_add() says. On an error
 * nothing is left behind.
 */
int hmm2017_memory_init(struct hmm2017_memory *memory)
{
	struct device *dev;
	int ret;

	if (!memory->size || !memory->name || !memory->ops || !memory->ops->copy ||
	    !memory->ops->clear)
		return -EINVAL;
	spin_lock_init(&memory->lock);
	memory->device = faux_device_create(memory->name, NULL, NULL);
	if (!memory->device)
		return -ENODEV;
	dev = &memory->device->dev;
	dev_set_drvdata(dev, memory);
	memory->devmem = hmm2017_devmem_add(&memory_devmem_ops, dev, memory->size);
	ret = PTR_ERR_OR_ZERO(memory->devmem);
	if (ret)
		goto undo_device;
	memory->pages = memory->devmem->pfn_last - memory->devmem->pfn_first;
	memory->used = bitmap_zalloc(memory->pages, GFP_KERNEL);
	if (memory->used)
		return 0;
	ret = -ENOMEM;
	hmm2017_devmem_remove(memory->devmem);
undo_device:
	faux_device_destroy(memory->device);
	return ret;
}
EXPORT_SYMBOL_GPL(hmm2017_memory_init);

/* Bring a batch of pages home, whosever they are. */
static void memory_evict(struct hmm2017_memory *memory, unsigned long pfn,
			 unsigned long pages)
{
	unsigned long src[MEMORY_BATCH], dst[MEMORY_BATCH], i;
	struct memory_transfer t = { .memory = memory };

	if (migrate_device_range(src, pfn, pages))
		return;
	for (i = 0; i < pages; i++)
		dst[i] = memory_home(&t, src[i], NULL, 0) & ~MIGRATE_PFN_LOCKED;
	migrate_device_pages(src, dst, pages);
	migrate_device_finalize(src, dst, pages);
}

/**
 * hmm2017_memory_exit() - bring everything home and unplug
 * @memory: the memory; nobody moves pages there any more
 *
 * Waits for pages that somebody holds on to, or that cannot be copied, for as
 * long as it takes.
 *
 * Context: Process context; sleeps. No mmap lock is held.
 */
void hmm2017_memory_exit(struct hmm2017_memory *memory)
{
	unsigned long first = memory->devmem->pfn_first, i;

	while (hmm2017_memory_used(memory)) {
		for (i = 0; i < memory->pages; i += MEMORY_BATCH)
			memory_evict(memory, first + i, min(MEMORY_BATCH, memory->pages - i));
		if (hmm2017_memory_used(memory))
			schedule_timeout_uninterruptible(1);
	}
	hmm2017_devmem_remove(memory->devmem);
	faux_device_destroy(memory->device);
	bitmap_free(memory->used);
}
EXPORT_SYMBOL_GPL(hmm2017_memory_exit);

/**
 * hmm2017_memory_used() - how many pages are in use
 * @memory: the memory
 *
 * Context: Any.
 * Return: how many, at this moment.
 */
unsigned long hmm2017_memory_used(struct hmm2017_memory *memory)
{
	guard(spinlock_irqsave)(&memory->lock);
	return bitmap_weight(memory->used, memory->pages);
}
EXPORT_SYMBOL_GPL(hmm2017_memory_used);

/**
 * hmm2017_memory_place() - where a page is in the memory
 * @memory: the memory
 * @page: a page of any kind
 *
 * Context: Any.
 * Return: whether it is there, and where.
 */
struct hmm2017_place hmm2017_memory_place(struct hmm2017_memory *memory,
					  const struct page *page)
{
	if (!memory_has(memory, page))
		return (struct hmm2017_place){};
	return (struct hmm2017_place){
		.here = true,
		.offset = (page_to_pfn(page) - memory->devmem->pfn_first) << PAGE_SHIFT,
	};
}
EXPORT_SYMBOL_GPL(hmm2017_memory_place);

/* How many pages of a VMA have moved, or an error. The mmap lock is held. */
static long memory_migrate_locked(struct hmm2017_memory *memory,
				  struct vm_area_struct *vma,
				  unsigned long start, unsigned long end)
{
	static const struct migrate_vma_ops ops = {
		.alloc_and_copy = memory_move_in,
		.finalize_and_map = memory_moved,
	};
	struct memory_transfer t = { .memory = memory };
	unsigned long src[MEMORY_BATCH], dst[MEMORY_BATCH], i, next;
	long moved = 0;
	int ret;

	for (; start < end; start = next) {
		next = min(end, start + MEMORY_BATCH * PAGE_SIZE);
		ret = migrate_vma(&ops, vma, start, next, src, dst, &t);
		if (ret)
			return ret;
		for (i = 0; i < PHYS_PFN(next - start); i++)
			moved += !!(src[i] & MIGRATE_PFN_MIGRATE);
	}
	return moved;
}

/**
 * hmm2017_memory_migrate() - move pages of a process to the memory
 * @memory: the memory
 * @mm: the process
 * @start: first address, page aligned
 * @end: address after the last, page aligned; in the same VMA
 *
 * Addresses that nothing is mapped at get cleared pages. Pages that are busy, in
 * a device's memory, or for which there is no room, stay where they are; that is
 * no error. What the process touches comes home.
 *
 * Context: Process context; may sleep. Takes the mmap lock.
 * Return: how many pages have moved; -%EINVAL where the addresses are
 * misaligned, reversed or not in one VMA, or its pages cannot move; -%ESRCH if
 * the process is gone; -%EINTR; -%ENOMEM. What was moved before the error has moved.
 */
long hmm2017_memory_migrate(struct hmm2017_memory *memory, struct mm_struct *mm,
			    unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	long ret = -EINTR;

	if (start >= end || !PAGE_ALIGNED(start | end))
		return -EINVAL;
	if (!mmget_not_zero(mm))
		return -ESRCH;
	if (!mmap_read_lock_killable(mm)) {
		vma = vma_lookup(mm, start);
		ret = vma && end <= vma->vm_end ?
		      memory_migrate_locked(memory, vma, start, end) : -EINVAL;
		mmap_read_unlock(mm);
	}
	mmput(mm);
	return ret;
}
EXPORT_SYMBOL_GPL(hmm2017_memory_migrate);
