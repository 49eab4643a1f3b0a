/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device memory that processes can have their pages in.
 */
#ifndef _LINUX_HMM_DEVMEM_H
#define _LINUX_HMM_DEVMEM_H

#include <linux/hmm_mirror.h>
#include <linux/list.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

struct device;
struct hmm_devmem;

/**
 * DOC: Overview
 *
 * A &struct hmm_devmem is the memory of one device, private or coherent, in
 * *chunks* that the driver adds. The driver says how data gets there and back
 * (&hmm_devmem_ops.copy, &hmm_devmem_ops.clear); everything else is done here:
 * pages of any order handed out and taken back, pages of a process moved in
 * and home, home also when the CPU touches a page that it cannot reach, and
 * the device emptied when its memory is to go away.
 *
 * Nothing here fails half way. A page for which there is no room, whose copy
 * fails or that somebody is using just then stays where it is.
 */

/**
 * DOC: Locking
 *
 * No function here may be called under a mirror's update lock. From the
 * outside in: &hmm_devmem.grow_lock, &hmm_devmem.chunks_lock, the mmap lock, folio
 * locks, &hmm_devmem.lock. The driver's callbacks other than @grow run with
 * folios locked, @copy and @clear also under the mmap lock, and must not fault
 * on user memory.
 */

/**
 * struct hmm_devmem_ops - what only the driver of the device can do
 * @copy: copy ``PAGE_SIZE << order`` bytes from @src to @dst, one of which is
 *	of this device memory and the other of system memory. Complete, and
 *	visible to the CPU and the device, when it returns. The pages are
 *	locked and mapped nowhere. Returns 0 or a negative errno, upon which
 *	the data stays where it was. May sleep.
 * @clear: zero ``PAGE_SIZE << order`` bytes of device memory; as @copy.
 * @grow: less is free than is about to be asked for: the driver may add a
 *	chunk with hmm_devmem_add(). An error means that there is no more, and
 *	is not told to anybody. One caller at a time, no lock of a process
 *	held; may sleep. Optional.
 * @release: a chunk is gone; the driver gets back what it gave as data to
 *	hmm_devmem_add(). May sleep. Optional.
 */
struct hmm_devmem_ops {
	int (*copy)(struct hmm_devmem *devmem, struct page *dst,
		    struct page *src, unsigned int order)
		__contract(required, object, errno, block(dst, order),
			   block(src, order));
	int (*clear)(struct hmm_devmem *devmem, struct page *page,
		     unsigned int order)
		__contract(required, object, errno, block(page, order));
	int (*grow)(struct hmm_devmem *devmem)
		__contract(optional, object, errno);
	void (*release)(struct hmm_devmem *devmem,
			void *data __contract(identity))
		__contract(optional, object);
} __contract(ops("MemoryOperations"));

/**
 * struct hmm_devmem - the memory of a device
 * @type: MEMORY_DEVICE_PRIVATE, which the CPU cannot reach and which is given
 *	addresses of its own; or MEMORY_DEVICE_COHERENT, at addresses that the
 *	driver knows. Set by the driver.
 * @owner: whose memory it is: what its pages have as &dev_pagemap.owner, and
 *	what the driver gives to hmm_mirror_init(). Devices that reach each
 *	other's memory have the same. Set by the driver; NULL for this structure.
 * @fault_pages: how many pages around the one that a CPU touches come back
 *	with it, a power of two; 0 for as many as a huge page has, which is
 *	the most. Set by the driver.
 * @name: for /proc/iomem. Set by the driver.
 * @dev: the device, whose NUMA node the memory is added to. NULL, or a device
 *	that has no node: coherent memory is added to the node that the firmware
 *	reports for its addresses, other memory to that of the CPU that adds it.
 *	Set by the driver; only used while memory is added.
 * @ops: set by the driver
 * @grow_lock: held while the driver is asked for more
 * @chunks_lock: held while chunks are added, removed or emptied
 * @lock: protects the fields that follow, and all of every chunk; taken with
 *	interrupts off
 * @chunks: of &struct hmm_devmem_chunk
 * @closed: nothing is handed out
 */
struct hmm_devmem {
	enum memory_type type __contract(given, name("kind"));
	void *owner;
	unsigned long fault_pages __contract(given);
	const char *name __contract(given);
	struct device *dev;
	const struct hmm_devmem_ops *ops __contract(given);

	/* private: */
	struct mutex grow_lock;	/* outside of chunks_lock */
	struct mutex chunks_lock;	/* protects the list of chunks from changing */
	spinlock_t lock;	/* protects the rest, and every chunk */
	struct list_head chunks;
	bool closed;
} __contract(object("DeviceMemory"), pinned, send, sync);

/**
 * struct hmm_devmem_chunk - a piece of device memory
 * @pagemap: its pages
 * @devmem: the device memory that it is a piece of
 * @data: the driver's
 * @list: in &hmm_devmem.chunks
 * @used: a bit for each page
 * @pages: how many there are
 * @free: how many have no bit in @used
 * @next: where the search for free pages begins
 * @removed: it is not on the list any more
 *
 * Free pages have no list: neighbours that are free are one free block, with
 * nothing to be merged.
 */
struct hmm_devmem_chunk {
	/* private: */
	struct dev_pagemap pagemap;
	struct hmm_devmem *devmem;
	void *data;
	struct list_head list;
	unsigned long *used;
	unsigned long pages;
	unsigned long free;
	unsigned long next;
	bool removed;
};

int hmm_devmem_init(struct hmm_devmem *devmem) __contract(constructor, errno);
void hmm_devmem_exit(struct hmm_devmem *devmem)
	__contract(destructor, may_sleep);

int hmm_devmem_add(struct hmm_devmem *devmem, phys_addr_t start,
		   unsigned long size, void *data __contract(identity))
	__contract(method, errno, may_sleep);
int hmm_devmem_remove(struct hmm_devmem *devmem, unsigned long timeout)
	__contract(method, errno, may_sleep);
unsigned long hmm_devmem_available(struct hmm_devmem *devmem)
	__contract(method);
struct folio *hmm_devmem_alloc(struct hmm_devmem *devmem, unsigned int order);

long hmm_devmem_migrate(struct hmm_devmem *devmem,
			struct mm_struct *mm __contract(borrows),
			struct hmm_span span)
	__contract(method, errno, plain, may_sleep);
long hmm_devmem_migrate_to_ram(struct hmm_devmem *devmem,
			       struct mm_struct *mm __contract(borrows),
			       struct hmm_span span)
	__contract(method, errno, plain, may_sleep);

/**
 * struct hmm_devmem_migration - pages that a driver moves step by step
 *
 * hmm_devmem_migrate() is all of the steps at once. A driver takes them one by one
 * to do something in between: to map the pages for its device before the CPU can
 * touch them, say. Collect, copy, commit, in that order; and whatever was done, end.
 */
struct __contract(object("Migration")) hmm_devmem_migration;

struct hmm_devmem_migration *
hmm_devmem_collect(struct hmm_devmem *devmem __contract(outlives),
		   struct mm_struct *mm __contract(borrows), struct hmm_span span)
	__contract(constructor, name("collect"), errno, may_sleep,
		   stage("Collected"));
void hmm_devmem_migration_copy(struct hmm_devmem_migration *migration)
	__contract(method, may_sleep, stage("Collected", "Copied"));
void hmm_devmem_migration_commit(struct hmm_devmem_migration *migration)
	__contract(method, may_sleep, stage("Copied", "Committed"));
unsigned long
hmm_devmem_migration_moved(const struct hmm_devmem_migration *migration)
	__contract(method, stage("Committed"));
struct hmm_span
hmm_devmem_migration_span(const struct hmm_devmem_migration *migration)
	__contract(method);
void hmm_devmem_migration_end(struct hmm_devmem_migration *migration)
	__contract(destructor, may_sleep);

unsigned long hmm_devmem_evict(struct hmm_devmem *devmem)
	__contract(method, may_sleep);
void hmm_devmem_resume(struct hmm_devmem *devmem) __contract(method);

static inline struct hmm_devmem_chunk *
hmm_devmem_chunk_of(const struct page *page)
{
	return container_of(page_pgmap(page), struct hmm_devmem_chunk, pagemap);
}

/**
 * hmm_devmem_of() - the device memory that a page is of
 * @page: a page of private or coherent memory of some struct hmm_devmem
 */
static inline struct hmm_devmem *hmm_devmem_of(const struct page *page)
{
	return hmm_devmem_chunk_of(page)->devmem;
}

/**
 * hmm_devmem_data() - what the driver knows of the chunk that a page is in
 * @page: a page of private or coherent memory of some struct hmm_devmem
 *
 * Return: the pointer that was given to hmm_devmem_add().
 */
static inline void *hmm_devmem_data(const struct page *page)
{
	return hmm_devmem_chunk_of(page)->data;
}

/**
 * hmm_devmem_offset() - a page's place in its chunk
 * @page: a page of private or coherent memory of some struct hmm_devmem
 *
 * Return: the offset from the chunk's beginning, in bytes.
 */
static inline unsigned long hmm_devmem_offset(const struct page *page)
{
	unsigned long first = PHYS_PFN(hmm_devmem_chunk_of(page)->pagemap.range.start);

	return (page_to_pfn(page) - first) << PAGE_SHIFT;
}

/**
 * struct hmm_place - where a page is in some device memory
 * @here: whether it is there at all
 * @chunk: what was given to hmm_devmem_add() as data, which is a number then
 * @offset: from the chunk's beginning, in bytes
 */
struct hmm_place {
	bool here;
	unsigned long chunk;
	unsigned long offset;
} __contract(record("Place"));

struct hmm_place hmm_devmem_place(struct hmm_devmem *devmem,
				  struct page *page __contract(borrows))
	__contract(method);

#endif /* _LINUX_HMM_DEVMEM_H */
