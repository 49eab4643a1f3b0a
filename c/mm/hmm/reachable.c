// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that the CPU cannot read or write.
 */
#include <linux/export.h>
#include <linux/hmm_mirror.h>
#include <linux/huge_mm.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/set_memory.h>

/*
 * Whether memory failure has taken a page out of use. It marks the zero pages as
 * well, but leaves them mapped everywhere.
 */
static bool hmm_page_is_poisoned(const struct page *page)
{
	return PageHWPoison(page) && !is_zero_page(page) &&
	       !is_huge_zero_folio(page_folio(page));
}

/**
 * hmm_page_is_reachable() - whether the CPU can access the bytes of a page
 * @page: a page that does not go away meanwhile
 *
 * A device may be given pages that the CPU cannot access by kmap_local_page():
 * device-private memory, poisoned memory, and pages that a driver has removed from
 * the kernel's direct map and mapped for a process. For a device that accesses
 * memory by DMA this makes no difference. A driver that simulates a device, or
 * copies with the CPU, must call this first.
 *
 * Memory that is poisoned later is not covered.
 *
 * Context: any.
 * Return: true if the bytes can be accessed.
 */
bool hmm_page_is_reachable(const struct page *page)
{
	if (is_device_private_page(page) || hmm_page_is_poisoned(page))
		return false;
	return PageHighMem(page) || kernel_page_present((struct page *)page);
}
EXPORT_SYMBOL_GPL(hmm_page_is_reachable);
