// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_dmirror, a sample driver: the device's page table.
 */
#include "dmirror.h"

#include <linux/mm.h>

/**
 * DOC: The device's page table
 *
 * A real device walks page tables in its own format. This one is simulated: its
 * page table is an XArray, indexed by virtual page number. A driver needs four
 * operations for any format, and the mirror has requirements for two of them:
 *
 * *map* (dm_table_map()) and *look up* (dm_table_lookup()).
 *
 * Map runs inside a section, under the update lock. Memory reclaim may be in an
 * invalidation that waits for that lock, so map must not allocate in a way that
 * waits for reclaim. It may fail.
 *
 * *unmap* (dm_table_unmap()).
 *
 * Invalidations call unmap. It cannot fail, so it must not allocate. When part
 * of a large entry is unmapped, the whole entry is erased, because splitting it
 * would need memory. The device then faults on the rest and the pages that are
 * still present are mapped again. Unmapping more than was requested is always
 * correct; unmapping less never is. What a program expects to be mapped in advance
 * is to be mapped again then (hmm_attributes_invalidate()).
 *
 * *destroy*, when the file is closed.
 *
 * The table holds no references to the pages it maps: a page is not freed
 * before an invalidation of its mapping has completed.
 */

/*
 * An entry holds the device's rights and the difference of pfn and virtual page
 * number. The difference is the same for all pages of a run, so a run of any
 * length is one value, which the XArray stores in as few slots as possible.
 *
 * With DM_PEER the number is not a pfn but that of a page of device addresses.
 */
#define DM_ENTRY_RIGHTS_BITS	4
#define DM_ENTRY_BITS		(BITS_PER_LONG - 1)

/* An entry for a run whose first page is @pfn at @vpn. */
static void *dm_entry(unsigned long vpn, unsigned long pfn, unsigned int rights)
{
	unsigned long value = (pfn - vpn) << DM_ENTRY_RIGHTS_BITS | rights;

	return xa_mk_value(value & GENMASK(DM_ENTRY_BITS - 1, 0));
}

/* The rights of an entry. */
static unsigned int dm_entry_rights(const void *entry)
{
	return xa_to_value(entry) & GENMASK(DM_ENTRY_RIGHTS_BITS - 1, 0);
}

/* The pfn that an entry has for the page at @vpn. */
static unsigned long dm_entry_pfn(const void *entry, unsigned long vpn)
{
	s64 value = sign_extend64(xa_to_value(entry), DM_ENTRY_BITS - 1);

	return vpn + (value >> DM_ENTRY_RIGHTS_BITS);
}

/**
 * dm_table_init() - initialise an empty table
 * @table: the table
 * @attributes: the attributes of the same addresses
 */
void dm_table_init(struct dm_table *table, struct hmm_attributes *attributes)
{
	xa_init(&table->entries);
	table->attributes = attributes;
}

/**
 * dm_table_destroy() - free a table's entries
 * @table: a table that is no longer used
 */
void dm_table_destroy(struct dm_table *table)
{
	xa_destroy(&table->entries);
}

/**
 * dm_table_map() - map a run of pages
 * @table: the table; the caller holds the update lock
 * @span: the pages' virtual addresses
 * @pfn: the pfn of the first page; the pfns are consecutive
 * @rights: the device's rights, DM_MAY_* and DM_EXCLUSIVE
 *
 * Existing entries of @span are erased, even if this fails.
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
 * dm_table_map_peer() - map a run of pages in the memory of another unit
 * @table: the table; the caller holds the update lock
 * @span: the pages' virtual addresses
 * @address: by which the device accesses the first page; the others follow it
 * @rights: the device's rights, DM_MAY_*
 *
 * Return: as dm_table_map().
 */
int dm_table_map_peer(struct dm_table *table, struct hmm_span span,
		      dma_addr_t address, unsigned int rights)
{
	return dm_table_map(table, span, address >> PAGE_SHIFT, rights | DM_PEER);
}

/*
 * Erase the entry of a page. What it maps outside @span is to be mapped again, if that is
 * to be done in advance.
 */
static void dm_table_erase(struct dm_table *table, struct hmm_span span,
			   unsigned long vpn)
{
	if (hmm_attributes_any(table->attributes)) {
		unsigned long nr = 1UL << xa_get_order(&table->entries, vpn);
		unsigned long first = ALIGN_DOWN(vpn, nr);
		struct hmm_span before = { first << PAGE_SHIFT, span.start };
		struct hmm_span after = { span.end, (first + nr) << PAGE_SHIFT };

		hmm_attributes_invalidate(table->attributes, before);
		hmm_attributes_invalidate(table->attributes, after);
	}
	xa_erase(&table->entries, vpn);
}

/**
 * dm_table_unmap() - unmap a span
 * @table: the table; the caller holds the update lock
 * @span: the virtual addresses
 *
 * May unmap pages outside @span too: entries are erased as a whole. Never fails
 * or sleeps.
 */
void dm_table_unmap(struct dm_table *table, struct hmm_span span)
{
	unsigned long last = (span.end >> PAGE_SHIFT) - 1;
	unsigned long vpn;
	void *entry;

	xa_for_each_range(&table->entries, vpn, entry,
			  span.start >> PAGE_SHIFT, last)
		dm_table_erase(table, span, vpn);

	/* For a real device, flush its TLB and wait for the flush here. */
}

/**
 * dm_table_rights() - return the device's rights to a page
 * @table: the table; the caller holds the update lock
 * @addr: an address in the page
 *
 * Return: DM_MAY_*, DM_EXCLUSIVE and DM_PEER, or 0 if the page is not mapped.
 */
unsigned int dm_table_rights(struct dm_table *table, unsigned long addr)
{
	void *entry = xa_load(&table->entries, addr >> PAGE_SHIFT);

	return entry ? dm_entry_rights(entry) : 0;
}

/**
 * dm_table_has() - check whether a page of a span is mapped with given rights
 * @table: the table; the caller holds the update lock
 * @span: the pages' virtual addresses
 * @rights: DM_MAY_* and DM_EXCLUSIVE
 *
 * Return: true if a page is mapped with at least one of @rights.
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
 * @rights: the rights that the access needs, DM_MAY_*
 * @target: set to the page, or the address of a peer's page; valid until the update lock is
 *	released
 *
 * Return: true; false if the device must fault.
 */
bool dm_table_lookup(struct dm_table *table, unsigned long addr,
		     unsigned int rights, struct dm_target *target)
{
	unsigned long vpn = addr >> PAGE_SHIFT, nr;
	void *entry = xa_load(&table->entries, vpn);

	if (!entry || (dm_entry_rights(entry) & rights) != rights)
		return false;
	nr = dm_entry_pfn(entry, vpn);
	*target = dm_entry_rights(entry) & DM_PEER ?
		  (struct dm_target){ .peer = (dma_addr_t)nr << PAGE_SHIFT } :
		  (struct dm_target){ .page = pfn_to_page(nr) };
	return true;
}
