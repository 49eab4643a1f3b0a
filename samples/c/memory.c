// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: the memory of a unit.
 */
#include "dmirror.h"

#include <linux/highmem.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

/**
 * DOC: Device memory
 *
 * A unit has memory of its own, in chunks that are added as they are needed.
 * The kernel has a &struct page for each page of it, and a process's page can
 * live there. There are two kinds:
 *
 * *Private* memory cannot be reached by the CPU. Its physical addresses are
 * made up; they only serve to have page frame numbers. When the CPU touches
 * a page that lives there it faults, and the page is brought home. What is
 * behind the numbers is the device's business; here, where there is no device,
 * each chunk has a block of ordinary memory, and that is its data.
 *
 * *Coherent* memory can be reached by both, at real addresses that the firmware
 * reports or, here, the module's parameters give.
 *
 * &struct hmm_devmem keeps account of the pages and moves them. What is left to
 * a driver is in this file: how to copy and clear, and where more memory comes
 * from. Pages are moved there and home in ioctl.c, and the CPU's faults need
 * nothing at all.
 */

#define DM_PRIVATE_CHUNK	SZ_128M
#define DM_COHERENT_CHUNK	SZ_256M

/* How many pages come along when the CPU faults on one of them. */
#define DM_FAULT_AROUND		16

/**
 * dm_page_map() - get at what is in a page, wherever it is
 * @page: a page of the system or of a unit
 *
 * A device would access the page by DMA and not care whether the CPU can reach
 * it. This one is simulated by the CPU.
 *
 * Return: its address, until dm_page_unmap(); in the reverse order for several.
 * NULL for a page that the CPU cannot reach.
 */
void *dm_page_map(struct page *page)
{
	if (is_device_private_page(page))
		return hmm_devmem_data(page) + hmm_devmem_offset(page);
	return hmm_page_is_reachable(page) ? kmap_local_page(page) : NULL;
}

/**
 * dm_page_unmap() - be done with what dm_page_map() gave
 * @page: the page
 * @at: an address in it, or NULL
 */
void dm_page_unmap(struct page *page, const void *at)
{
	if (at && !is_device_private_page(page))
		kunmap_local(at);
}

/*
 * Whether the caller is in a migration whose first copy is to fail, for a test.
 * Others that use the unit at the same time do not notice.
 */
static bool dm_fail_once(struct dm_unit *unit)
{
	if (likely(READ_ONCE(unit->fail_for) != current))
		return false;
	WRITE_ONCE(unit->fail_for, NULL);
	return true;
}

static int dm_copy_page(struct page *dst, struct page *src)
{
	void *to = dm_page_map(dst), *from = dm_page_map(src);
	int ret = to && from ? 0 : -EIO;

	if (!ret)
		copy_page(to, from);
	dm_page_unmap(src, from);
	dm_page_unmap(dst, to);
	return ret;
}

/* A device would have its copy engine do this, for all of the block at once. */
static int dm_copy(struct dm_unit *unit, struct page *dst, struct page *src,
		   unsigned int order)
{
	int ret = dm_fail_once(unit) ? -ENOMEM : 0;

	for (unsigned long i = 0; !ret && i < 1UL << order; i++)
		ret = dm_copy_page(dst + i, src + i);
	return ret;
}

static int dm_clear(struct dm_unit *unit, struct page *page,
		    unsigned int order)
{
	if (dm_fail_once(unit))
		return -ENOMEM;
	for (unsigned long i = 0; i < 1UL << order; i++) {
		void *at = dm_page_map(page + i);

		if (!at)
			return -EIO;
		clear_page(at);
		dm_page_unmap(page + i, at);
	}
	return 0;
}

/* One chunk more; of coherent memory there is only one. */
static int dm_grow(struct dm_unit *unit)
{
	void *ram;
	int ret;

	if (unit->coherent_base)
		return hmm_devmem_add(&unit->memory, unit->coherent_base,
				      DM_COHERENT_CHUNK, NULL);

	ram = vmalloc_huge(DM_PRIVATE_CHUNK, GFP_KERNEL | __GFP_NOWARN);
	if (!ram)
		return -ENOMEM;
	ret = hmm_devmem_add(&unit->memory, 0, DM_PRIVATE_CHUNK, ram);
	if (ret)
		vfree(ram);
	return ret;
}

static void dm_release_chunk(struct dm_unit *unit, void *ram)
{
	vfree(ram);
}

DEFINE_HMM_DEVMEM_OPS_ALL(dm_memory_ops, struct dm_unit, memory,
			  dm_copy, dm_clear, dm_grow, dm_release_chunk);

/**
 * dm_memory_init() - a unit without memory as yet
 * @unit: the unit, whose address says whose memory it is
 * @coherent_base: physical address of the one chunk of coherent memory, or 0
 *	for private memory
 *
 * Return: 0, or the errors of hmm_devmem_init().
 */
int dm_memory_init(struct dm_unit *unit, unsigned long coherent_base)
{
	unit->coherent_base = coherent_base;
	unit->memory.type = coherent_base ? MEMORY_DEVICE_COHERENT :
					    MEMORY_DEVICE_PRIVATE;
	unit->memory.owner = unit;
	unit->memory.fault_pages = DM_FAULT_AROUND;
	unit->memory.name = "hmm_dmirror";
	unit->memory.ops = &dm_memory_ops;
	return hmm_devmem_init(&unit->memory);
}
