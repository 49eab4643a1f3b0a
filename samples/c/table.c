// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: the device's page table.
 */
#include "dmirror.h"

#include <linux/mm.h>

/**
 * DOC: The device's page table
 *
 * A real device has page tables of its own format, in memory that it walks by
 * itself. This one is simulated, and so is its page table: an XArray, indexed
 * by virtual page number. Whatever the format, a driver needs four things of
 * it, and the mirror puts a condition on two:
 *
 * *map* (dm_table_map()) and *look up* (dm_table_lookup()).
 *
 * Map runs inside a section, under the update lock. An invalidation may be
 * waiting for that lock on behalf of memory reclaim, so map must not allocate
 * in a way that waits for reclaim in turn. It may fail.
 *
 * *unmap* (dm_table_unmap()).
 *
 * Unmap is what an invalidation comes to. It cannot fail, and therefore must
 * not need memory at all. That decides what happens where a large entry is
 * unmapped in part: to split it would need memory, so it goes as a whole. The
 * device then knows less than it could, faults, and gets back what is still
 * there. Forgetting too much is always right; forgetting too little never is.
 *
 * *destroy*, when the file is closed.
 *
 * The table holds no references to the pages it maps. It need not: the process
 * cannot lose a page without an invalidation having run to its end.
 */

/*
 * An entry is what the device may do with the page and how far its frame is
 * from its address, both in pages. That distance is the same for each page of
 * a contiguous run, so a run of any length is one value, and the XArray stores
 * it in as few slots as it goes into.
 */
#define DM_ENTRY_RIGHTS_BITS	3
#define DM_ENTRY_BITS		(BITS_PER_LONG - 1)

static void *dm_entry(unsigned long vpn, unsigned long pfn, unsigned int rights)
{
	unsigned long value = (pfn - vpn) << DM_ENTRY_RIGHTS_BITS | rights;

	return xa_mk_value(value & GENMASK(DM_ENTRY_BITS - 1, 0));
}

static unsigned int dm_entry_rights(const void *entry)
{
	return xa_to_value(entry) & GENMASK(DM_ENTRY_RIGHTS_BITS - 1, 0);
}

static unsigned long dm_entry_pfn(const void *entry, unsigned long vpn)
{
	s64 value = sign_extend64(xa_to_value(entry), DM_ENTRY_BITS - 1);

	return vpn + (value >> DM_ENTRY_RIGHTS_BITS);
}

/**
 * dm_table_init() - make an empty table
 * @table: the table
 */
void dm_table_init(struct dm_table *table)
{
	xa_init(&table->entries);
}

/**
 * dm_table_destroy() - free what a table consists of
 * @table: a table that nothing uses any more
 */
void dm_table_destroy(struct dm_table *table)
{
	xa_destroy(&table->entries);
}

/**
 * dm_table_map() - let the device reach some pages
 * @table: the table; the caller holds the update lock
 * @span: the pages' addresses
 * @pfn: the frame of the first; the others follow it
 * @rights: what the device may do with them, DM_MAY_* and DM_EXCLUSIVE
 *
 * What was mapped there before is gone, also when this fails.
 *
 * Return: 0, or -ENOMEM.
 */
int dm_table_map(struct dm_table *table, struct hmm_span span,
		 unsigned long pfn, unsigned int rights)
{
	unsigned long first = span.start >> PAGE_SHIFT;
	unsigned long last = (span.end >> PAGE_SHIFT) - 1;

	dm_table_unmap(table, span);
	return xa_err(xa_store_range(&table->entries, first, last,
				     dm_entry(first, pfn, rights), GFP_ATOMIC));
}

/**
 * dm_table_unmap() - make the device forget some pages
 * @table: the table; the caller holds the update lock
 * @span: their addresses
 *
 * Pages besides @span may be forgotten too. Never fails or sleeps.
 */
void dm_table_unmap(struct dm_table *table, struct hmm_span span)
{
	unsigned long last = (span.end >> PAGE_SHIFT) - 1;
	unsigned long vpn;
	void *entry;

	xa_for_each_range(&table->entries, vpn, entry,
			  span.start >> PAGE_SHIFT, last)
		xa_erase(&table->entries, vpn);

	/* Here a real device's TLB would be flushed, and waited for. */
}

/**
 * dm_table_rights() - what the device may do with a page
 * @table: the table; the caller holds the update lock
 * @addr: an address in the page
 *
 * Return: DM_MAY_* and DM_EXCLUSIVE, or 0 when the page is not mapped.
 */
unsigned int dm_table_rights(struct dm_table *table, unsigned long addr)
{
	void *entry = xa_load(&table->entries, addr >> PAGE_SHIFT);

	return entry ? dm_entry_rights(entry) : 0;
}

/**
 * dm_table_has() - whether the device has some right to any of some pages
 * @table: the table; the caller holds the update lock
 * @span: the pages' addresses
 * @rights: the rights asked about, DM_MAY_* and DM_EXCLUSIVE
 *
 * Return: whether a page is mapped with one of @rights.
 */
bool dm_table_has(struct dm_table *table, struct hmm_span span,
		  unsigned int rights)
{
	unsigned long last = (span.end >> PAGE_SHIFT) - 1;
	unsigned long vpn;
	void *entry;

	xa_for_each_range(&table->entries, vpn, entry,
			  span.start >> PAGE_SHIFT, last)
		if (dm_entry_rights(entry) & rights)
			return true;
	return false;
}

/**
 * dm_table_lookup() - translate an address, as the device's MMU does
 * @table: the table; the caller holds the update lock
 * @addr: the address
 * @rights: what the device is about to do, DM_MAY_*
 *
 * Return: the page, good until the update lock is dropped, or NULL when the
 * device has to fault.
 */
struct page *dm_table_lookup(struct dm_table *table, unsigned long addr,
			     unsigned int rights)
{
	unsigned long vpn = addr >> PAGE_SHIFT;
	void *entry = xa_load(&table->entries, vpn);

	if (!entry || (dm_entry_rights(entry) & rights) != rights)
		return NULL;
	return pfn_to_page(dm_entry_pfn(entry, vpn));
}
