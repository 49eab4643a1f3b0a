/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device memory that can hold pages of processes.
 */
#ifndef _LINUX_HMM_DEVMEM_H
#define _LINUX_HMM_DEVMEM_H

#include <linux/hmm_mirror.h>
#include <linux/list.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct device;
struct dmem_cgroup_pool_state;
struct dmem_cgroup_region;
struct hmm_devmem;
struct hmm_devmem_state;

/**
 * DOC: Overview
 *
 * A &struct hmm_devmem is the memory of one device, private or coherent, in
 * *chunks* that the driver adds. The driver copies and clears pages
 * (&hmm_devmem_ops.copy, &hmm_devmem_ops.clear). Everything else is done here:
 * folios of any order are allocated and freed; pages of a process are migrated to
 * device memory and to system memory, the latter also in a CPU fault on private
 * memory; and all pages are evicted before the memory is removed.
 *
 * Migration of a page either succeeds or leaves the page where it was. The latter
 * happens if no memory is free, if the copy fails, or if the page is in use.
 */

/**
 * DOC: Turns
 *
 * Devices whose drivers request the same pages take turns. A page that is in the
 * memory of another device migrates to the device that requests it, but not before
 * %HMM_DEVMEM_SLICE_MS after its migration ended: by one copy if the driver has
 * &hmm_devmem_ops.can_copy_from, otherwise by way of system memory. Each device has
 * that time to map the page and to use it. The device that requests it waits; the
 * wait is killable, and its number of rounds is limited. In hmm_devmem_collect() the
 * first request for pages of a batch neither waits nor gets them, but is recorded for
 * the next.
 *
 * This is for pages of any &struct hmm_devmem of any owner. Pages in the memory of
 * other drivers stay there. A CPU that accesses a page never waits for the
 * device's time to end.
 */

/**
 * DOC: From device to device
 *
 * A driver whose device can read the memory of another one, of the same driver or not,
 * implements &hmm_devmem_ops.can_copy_from. @copy and @copy_batch then get sources in
 * that memory. hmm_devmem_of() is the memory of a source, and hmm_devmem_data() with
 * hmm_devmem_offset() its position there, in the terms of the other driver;
 * hmm_devmem_peer_position() is the same for memory of the same driver. Only coherent
 * memory has a CPU address or may be mapped for DMA by its &struct page.
 *
 * All mirrors, also those of the other device, are invalidated before the copy, even if
 * both memories have the same owner, and the other driver's callbacks are not called. So
 * when an invalidation callback has returned, everything that the device has written must
 * be visible to those that can copy from its memory. The source is locked, and cannot be
 * freed or evicted, until the migration ends or, if the waiting task was killed, until the
 * batch is complete. If the copy fails the page stays where it was.
 */

/**
 * DOC: Access by other devices
 *
 * A driver whose memory other devices can access where it is implements
 * &hmm_devmem_ops.peer_dma_map. For a device that accepts such pages
 * (hmm_mirror_dma_accept_peers()), those in private memory then stay, and the device gets
 * the address that the callback sets: of a window in a BAR, for example, or on a link
 * between the two devices. Whether a device can reach the memory is for the callback to
 * decide, as by pci_p2pdma_distance(). That an address is set counts as an access of
 * the page; what the other device accesses by it afterwards is not known here.
 *
 * A device may be software, whose accesses the CPU makes (hmm_peer_access_is_by_cpu()). It
 * cannot use an address on a bus. If the CPU can access the memory all the same, as that of a
 * simulated device, hmm_peer_access_set_pointer() sets where; a driver that sets an address
 * refuses such a device.
 *
 * The address is taken back in the invalidation that precedes each migration of the
 * page, so eviction, removal and the retirement of bad pages need not care. Coherent memory
 * needs no callback: it is mapped for the other device like system memory.
 */

/**
 * DOC: Oversubscription
 *
 * When the memory is full and cannot grow, folios that the device does not use
 * migrate to system memory to make room. The driver reports use by
 * hmm_devmem_mark_accessed(). A clock approximates the least recent use: its hand
 * goes round the memory; a folio that was accessed since the hand was there last
 * stays for another round, and one that has just arrived stays for
 * %HMM_DEVMEM_SLICE_MS. The accessed bit does not protect a partly unmapped folio, so
 * that the unmapped part becomes free.
 *
 * A request for which too little is free moves the hand itself, before its pages are
 * locked. For a second from then on a work item keeps some pages free, so that the
 * next device faults need not. A request never takes pages that arrived after it
 * began; if no other can migrate, its own pages stay in system memory.
 */

/**
 * DOC: Accounting
 *
 * After hmm_devmem_account() each page in use is charged to the dmem cgroup controller: a
 * page that migrates, to the cgroup of the task that owns the process's mm, whichever
 * thread requests it; one of hmm_devmem_alloc(), to that of current. The charge ends when
 * the page is freed, and stays where it is when the process moves to another cgroup or
 * forks.
 *
 * At a limit, pages that are charged below it migrate to system memory first, by the
 * clock of a full memory. What cannot be charged then stays where it is, like a page for
 * which no device memory is free; large folios migrate in part, by single pages. In a
 * full memory, pages that dmem.min protects do not make room, and those that dmem.low
 * protects only if the others are not enough.
 */

/**
 * DOC: Copies in batches
 *
 * A driver whose device has a copy engine implements &hmm_devmem_ops.copy_batch. It
 * gets many blocks at once, queues them, and returns; when the engine is done, in any
 * context, it calls hmm_devmem_batch_complete(). A request has several batches in
 * flight: the pages of the next are allocated while the engine copies. All of them
 * have completed before any page is committed. A block with an error, or of a batch
 * with one, does not migrate and remains mapped, except that a large folio on its way
 * to system memory is copied page by page, by @copy.
 *
 * The task that waits holds folio locks, and the mmap lock, or
 * &hmm_devmem.chunks_lock, and towards a device a turn at the pages (see Locking). So
 * code that a batch needs to complete must not wait for any of these, nor request pages
 * for a device, nor wait for memory reclaim: the rule of &struct dma_fence. A driver marks
 * it with hmm_devmem_completing_begin() and hmm_devmem_completing_end(), and lockdep
 * reports what breaks the rule. A driver with fences completes a batch in a callback
 * of its last fence.
 *
 * Batches complete in bounded time: a driver has timeouts for its engine, and completes
 * a batch with an error when the engine is reset. If one does not complete, a task
 * that migrates, that makes room for its request, or that handles a CPU fault can
 * be killed: its pages remain where they were, and the batch keeps references to
 * source and destination until it completes. hmm_devmem_evict(), hmm_devmem_remove() and
 * hmm_devmem_exit() wait for it, and so does room made in the background.
 */

/**
 * DOC: Locking
 *
 * No function here may be called under a mirror's update lock. Lock order, from the
 * outside in: &hmm_devmem.grow_lock, &hmm_devmem.chunks_lock, the turn at a PMD range,
 * the mmap lock, folio locks, &hmm_devmem.lock. Room is made under
 * &hmm_devmem.chunks_lock alone, and no mmap lock. The mmap lock is taken for reading
 * only.
 *
 * A request for pages has a turn at their PMD range of the process until they have
 * migrated to the device, together with others. One that fetches pages from another
 * device's memory has it alone, from before it looks for them until they are collected.
 * Without the mmap lock, but with the turn, it waits for the copies to system memory and
 * for pages that are migrating already.
 *
 * @copy, @clear and @copy_batch are called with the folios locked, and with the mmap lock
 * held for reading, except during eviction, and while pages are fetched to system memory.
 * They must not fault on user memory.
 */

/**
 * struct hmm_devmem_block - pages that are copied together
 * @dst: the first page of the destination
 * @src: the first page of the source; %NULL: the destination is cleared
 * @order: the block has ``PAGE_SIZE << order`` bytes
 * @error: set by the driver if this block was not copied, to a negative errno
 */
struct hmm_devmem_block {
	struct page *dst;
	struct page *src;
	unsigned int order;
	int error;
};

/**
 * struct hmm_devmem_batch - blocks that are copied at once
 * @devmem: the device memory
 * @list: for the driver's queue, until it completes the batch
 * @blocks: the blocks, in one direction; at least one
 * @nr: number of blocks
 */
struct hmm_devmem_batch {
	struct hmm_devmem *devmem;
	struct list_head list;
	struct hmm_devmem_block *blocks;
	unsigned int nr;
};

/**
 * struct hmm_devmem_peer - the memory of another device
 * @devmem: the memory, of any driver and owner. It does not go away during the call
 * @same_driver: it has the same &hmm_devmem.ops
 */
struct hmm_devmem_peer {
	struct hmm_devmem *devmem __contract(hidden);
	bool same_driver;
} __contract(record("Peer"));

/**
 * struct hmm_peer_access - the access of another device to a page
 * @page: the page, whose memory is private
 * @dev: the device
 * @by_cpu: the CPU makes the accesses of @dev
 * @address: by which @dev accesses @page; %DMA_MAPPING_ERROR: there is none. For the driver
 *	of the memory to set, by hmm_peer_access_set_address()
 * @pointer: the same with @by_cpu; %NULL: there is none. For the driver of the memory to
 *	set, by hmm_peer_access_set_pointer()
 *
 * Exists for a call of the driver of the memory. The page is mapped in its process then,
 * and is neither locked nor referenced.
 */
struct hmm_peer_access {
	struct page *page;
	struct device *dev;
	bool by_cpu;
	dma_addr_t address;
	void *pointer;
} __contract(object("PeerAccess"), send, sync);

/**
 * struct hmm_devmem_ops - operations of the driver
 * @copy: copy ``PAGE_SIZE << order`` bytes from @src to @dst, one of which is
 *	of this device memory. The other is of system memory, or @src is of the
 *	memory of another device, if @can_copy_from allows it. The copy is
 *	complete, and visible to the CPU and the device, on return. The pages
 *	are locked and mapped nowhere. Returns 0 or a negative errno; on an
 *	error the page does not migrate. May sleep.
 * @clear: zero ``PAGE_SIZE << order`` bytes of device memory; otherwise as @copy.
 * @copy_batch: copy or clear all blocks of @batch, and call
 *	hmm_devmem_batch_complete() once, before or after the return. In place of
 *	@copy and @clear, which remain for single blocks: the pages of a large
 *	block that failed, and what is copied if no batch can be allocated. The
 *	pages are as for @copy until the batch is complete, but if the waiting task
 *	was killed the source may be mapped again. May sleep. Optional.
 * @can_copy_from: whether @copy and @copy_batch can copy from the memory of another
 *	device. Called for each page; a page table lock is held: must not sleep, nor
 *	take a lock under which memory is allocated. Without it they cannot. Optional.
 * @peer_dma_map: set the address of @access, by which its device accesses its page; without
 *	one the page migrates to system memory. Called once for each map that a page is in:
 *	the same page and device can have several addresses at a time, of two processes for
 *	example. Each is good for reading and writing. The update lock of a mirror of the
 *	device is held. Must not sleep, nor take a lock under which memory is allocated.
 *	Without it the memory is for its own device only. Optional.
 * @peer_dma_unmap: the device does not access the page at the address of @access any more.
 *	As @peer_dma_map; called once for each address that it set. Optional.
 * @grow: called when less than one batch is free; the driver may add a chunk
 *	with hmm_devmem_add(). The return value is ignored. Calls are
 *	serialised, and no mmap lock is held; may sleep. If it migrates pages,
 *	it is not called again for these. Optional.
 * @release: a chunk was removed; the driver gets the data back that it gave to
 *	hmm_devmem_add(). It may add others; hmm_devmem_remove() returns -%EDEADLK.
 *	No lock is held; may sleep. Optional.
 *
 * @copy, @clear and @copy_batch run under the locks of the folios, and must not migrate pages,
 * which can wait for these very folios. Under the mmap lock, as in a page
 * fault, lockdep reports that. While they are called by hmm_devmem_evict(), by
 * hmm_devmem_remove() or to make room, hmm_devmem_add(), hmm_devmem_remove() and the
 * functions that migrate to or from the same memory return -%EDEADLK, and the others
 * do not wait.
 */
struct hmm_devmem_ops {
	int (*copy)(struct hmm_devmem *devmem, struct page *dst __contract(nonnull),
		    struct page *src __contract(nonnull), unsigned int order)
		__contract(required, object, errno, block(dst, order),
			   block(src, order, reads));
	int (*clear)(struct hmm_devmem *devmem, struct page *page __contract(nonnull),
		     unsigned int order)
		__contract(required, object, errno, block(page, order));
	void (*copy_batch)(struct hmm_devmem *devmem,
			   struct hmm_devmem_batch *batch __contract(owned, nonnull))
		__contract(optional, object);
	bool (*can_copy_from)(struct hmm_devmem *devmem,
			      const struct hmm_devmem_peer *peer __contract(nonnull))
		__contract(optional, object, atomic);
	void (*peer_dma_map)(struct hmm_devmem *devmem,
			     struct hmm_peer_access *access __contract(borrows, nonnull))
		__contract(optional, object, atomic);
	void (*peer_dma_unmap)(struct hmm_devmem *devmem,
			       struct hmm_peer_access *access __contract(borrows, nonnull))
		__contract(optional, object, atomic);
	int (*grow)(struct hmm_devmem *devmem)
		__contract(optional, object, errno);
	void (*release)(struct hmm_devmem *devmem,
			void *data __contract(identity))
		__contract(optional, object);
} __contract(ops("MemoryOperations"));

/**
 * struct hmm_devmem - the memory of a device
 * @type: %MEMORY_DEVICE_PRIVATE, which the CPU cannot access, at unused physical
 *	addresses; or %MEMORY_DEVICE_COHERENT, at addresses that the driver gives.
 *	Set by the driver.
 * @owner: the &dev_pagemap.owner of its pages, which is also given to
 *	hmm_mirror_init(). Devices that can access each other's memory have the
 *	same owner. Set by the driver; %NULL for this structure.
 * @fault_pages: how many pages migrate to system memory in a CPU fault: the
 *	aligned group of so many around the faulting page. A power of two, at
 *	most the number of pages of a huge page, which 0 stands for. Set by the
 *	driver.
 * @name: the name in /proc/iomem. Set by the driver; %NULL for that of @dev.
 * @dev: the device, of which a reference is held until the memory has ended. Its name
 *	is in messages, and memory is added to its NUMA node, or the nearest one that
 *	is online. %NULL, or a device that
 *	has no node: coherent memory is added to the node that the firmware reports
 *	for its addresses, other memory to that of the CPU that adds it. Set by the
 *	driver, or later by hmm_devmem_set_device().
 * @ops: set by the driver
 */
struct hmm_devmem {
	enum memory_type type __contract(given, name("kind"));
	void *owner;
	unsigned long fault_pages __contract(given);
	const char *name __contract(given);
	struct device *dev;
	const struct hmm_devmem_ops *ops __contract(given);

	/* private: */
	struct mutex grow_lock;		/* serialises @grow; outside of chunks_lock */
	struct mutex chunks_lock;	/* chunks change, are evicted, or room is made */
	spinlock_t lock;		/* of what follows and each chunk; irqs off */
	struct list_head chunks;	/* of struct hmm_devmem_chunk */
	bool alloc_stopped;		/* no page is allocated */
	unsigned long hand;		/* of the clock, in pages; under chunks_lock */
	unsigned long reclaim_paused_until; /* no room is made before, in jiffies */
	unsigned long last_short;	/* when room was made for a request, in jiffies */
	unsigned long reclaim_before;	/* for reclaim_work: hmm_devmem_reclaim() */
	struct work_struct reclaim_work;
#ifdef CONFIG_CGROUP_DMEM
	struct dmem_cgroup_region *region; /* hmm_devmem_account(); %NULL: not accounted */
	struct hmm_devmem_limit_pause {
		const void *limit;	/* a pool below which no room could be made */
		unsigned long until;	/* none is made below it before, in jiffies */
	} limit_pauses[8];		/* changed under chunks_lock */
#endif
	struct hmm_devmem_state *state;
} __contract(object("DeviceMemory"), pinned, send, sync);

/**
 * struct hmm_devmem_chunk - a chunk of device memory
 * @pagemap: its pages
 * @devmem: the device memory that it is a part of
 * @data: the driver's data
 * @list: entry in &hmm_devmem.chunks
 * @used: a bit for each page, set if it is allocated
 * @accessed: a bit for the first page of each folio, set if the device has accessed
 *	the folio since the clock's hand was there last
 * @requested: a bit for the first page of each folio, set if another device's memory
 *	has requested it
 * @bad: a bit for each page that was reported as bad
 * @retired: a bit for each of those that is not in use any more; also set in @used
 * @nr_retired: how many these are
 * @arrived: when the folio that begins at a page was allocated, or later when its
 *	migration ended, in jiffies
 * @pools: what each page is charged to; %NULL if the memory is not accounted
 * @pages: number of pages
 * @free: number of free pages
 * @next: page index at which the next search for free pages begins
 * @removed: removed from the list
 *
 * Allocation is a search in the bitmap, so that adjacent free pages need no merging.
 */
struct hmm_devmem_chunk {
	struct dev_pagemap pagemap;
	struct hmm_devmem *devmem;
	void *data;
	struct list_head list;
	unsigned long *used;
	unsigned long *accessed;
	unsigned long *requested;
	unsigned long *bad;
	unsigned long *retired;
	unsigned long nr_retired;
	u32 *arrived;
#ifdef CONFIG_CGROUP_DMEM
	struct dmem_cgroup_pool_state **pools;
#endif
	unsigned long pages;
	unsigned long free;
	unsigned long next;
	bool removed;
};

/* How long a page stays in a device's memory before another device gets it. */
#define HMM_DEVMEM_SLICE_MS	50

int hmm_devmem_init(struct hmm_devmem *devmem) __contract(constructor, errno);
void hmm_devmem_exit(struct hmm_devmem *devmem)
	__contract(destructor, deferred(hmm_devmem_exit_deferred), reaped, may_sleep);
void hmm_devmem_exit_deferred(struct hmm_devmem *devmem,
			      void (*done)(struct hmm_devmem *devmem));

int hmm_devmem_set_device(struct hmm_devmem *devmem,
			  struct device *dev __contract(borrows))
	__contract(method, errno, may_sleep);

int hmm_devmem_account(struct hmm_devmem *devmem, unsigned long capacity)
	__contract(method, errno, may_sleep);

int hmm_devmem_add(struct hmm_devmem *devmem, phys_addr_t start,
		   unsigned long size, void *data __contract(identity))
	__contract(method, errno, may_sleep, name("add_at"),
		   unsafe("nothing else uses these bytes until `release`, unless `start` is 0"));

int hmm_devmem_add_private(struct hmm_devmem *devmem, unsigned long size,
			   void *data __contract(identity))
	__contract(method, errno, may_sleep, name("add"));

int hmm_devmem_remove(struct hmm_devmem *devmem,
		      unsigned long timeout __contract(jiffies))
	__contract(method, errno, may_sleep);
unsigned long hmm_devmem_available(struct hmm_devmem *devmem)
	__contract(method);
unsigned long hmm_devmem_size(struct hmm_devmem *devmem) __contract(method);
int hmm_devmem_retire(struct hmm_devmem *devmem,
		      void *data __contract(identity), unsigned long offset)
	__contract(method, errno, may_sleep);
unsigned long hmm_devmem_retired(struct hmm_devmem *devmem) __contract(method);
void hmm_devmem_mark_accessed(struct hmm_devmem *devmem,
			      struct page *page __contract(borrows))
	__contract(method);
struct folio *hmm_devmem_alloc(struct hmm_devmem *devmem, unsigned int order);

void hmm_devmem_batch_complete(struct hmm_devmem_batch *batch, int error);
#ifdef CONFIG_DEBUG_LOCK_ALLOC
void hmm_devmem_completing_begin(void);
void hmm_devmem_completing_end(void);
#else
static inline void hmm_devmem_completing_begin(void)
{
}

static inline void hmm_devmem_completing_end(void)
{
}
#endif

long hmm_devmem_migrate(struct hmm_devmem *devmem,
			struct mm_struct *mm __contract(borrows),
			struct hmm_span span)
	__contract(method, errno, plain, may_sleep);
long hmm_devmem_migrate_to_ram(struct hmm_devmem *devmem,
			       struct mm_struct *mm __contract(borrows),
			       struct hmm_span span)
	__contract(method, errno, plain, may_sleep);

/* Described with its members, which are private to devmem_steps.c. */
struct __contract(object("Migration")) hmm_devmem_migration;

struct hmm_devmem_migration *
hmm_devmem_collect(struct hmm_devmem *devmem __contract(outlives),
		   struct mm_struct *mm __contract(borrows), struct hmm_span span)
	__contract(constructor, scoped, name("collect"), errno, nonnull, may_sleep,
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
 * hmm_devmem_of() - the device memory of a page
 * @page: a page of a &struct hmm_devmem
 *
 * Return: the device memory.
 */
static inline struct hmm_devmem *hmm_devmem_of(const struct page *page)
{
	return hmm_devmem_chunk_of(page)->devmem;
}

/**
 * hmm_devmem_data() - the driver's data of the chunk of a page
 * @page: a page of a &struct hmm_devmem
 *
 * Return: the pointer that was given to hmm_devmem_add().
 */
static inline void *hmm_devmem_data(const struct page *page)
{
	return hmm_devmem_chunk_of(page)->data;
}

/**
 * hmm_devmem_offset() - the position of a page in its chunk
 * @page: a page of a &struct hmm_devmem
 *
 * Return: the offset from the start of the chunk, in bytes.
 */
static inline unsigned long hmm_devmem_offset(const struct page *page)
{
	unsigned long first = PHYS_PFN(hmm_devmem_chunk_of(page)->pagemap.range.start);

	return (page_to_pfn(page) - first) << PAGE_SHIFT;
}

/**
 * struct hmm_devmem_position - the position of a page in a device's memory
 * @found: whether the page is of this memory; for hmm_devmem_peer_position(), whether it is
 *	of another device's of the same driver
 * @chunk: the number that was given to hmm_devmem_add() as data
 * @offset: offset from the start of the chunk, in bytes
 */
struct hmm_devmem_position {
	bool found;
	unsigned long chunk;
	unsigned long offset;
} __contract(record("Position"));

struct hmm_devmem_position hmm_devmem_page_position(struct hmm_devmem *devmem,
						    struct page *page __contract(borrows))
	__contract(method, name("position"));
struct hmm_devmem_position hmm_devmem_peer_position(struct hmm_devmem *devmem,
						    struct page *page __contract(borrows))
	__contract(method);

/**
 * hmm_peer_access_position() - the position of the page in its memory
 * @access: the access of another device
 *
 * Return: the chunk, and the offset in it.
 */
static inline struct hmm_devmem_position
hmm_peer_access_position(const struct hmm_peer_access *access)
	__contract(method, name("position"))
{
	return (struct hmm_devmem_position){
		.found = true,
		.chunk = (unsigned long)hmm_devmem_data(access->page),
		.offset = hmm_devmem_offset(access->page),
	};
}

/**
 * hmm_peer_access_device() - the device that accesses the page
 * @access: its access
 *
 * Return: the device.
 */
static inline struct device *hmm_peer_access_device(const struct hmm_peer_access *access)
	__contract(method, name("device"), borrowed(access), nonnull, constant)
{
	return access->dev;
}

/**
 * hmm_peer_access_address() - the address by which the device accesses the page
 * @access: its access
 *
 * Return: the address; %DMA_MAPPING_ERROR if there is none.
 */
static inline dma_addr_t hmm_peer_access_address(const struct hmm_peer_access *access)
	__contract(method, plain, name("address"))
{
	return READ_ONCE(access->address);
}

/**
 * hmm_peer_access_set_address() - set the address by which the device accesses the page
 * @access: its access
 * @address: the address
 *
 * Has an effect in &hmm_devmem_ops.peer_dma_map only, for a device without
 * hmm_peer_access_is_by_cpu().
 */
static inline void hmm_peer_access_set_address(struct hmm_peer_access *access,
					       dma_addr_t address)
	__contract(method, name("set_address"),
		   unsafe("the device reaches only this page by `address`, until `peer_dma_unmap`"))
{
	WRITE_ONCE(access->address, address);
}

/**
 * hmm_peer_access_is_by_cpu() - whether the CPU makes the accesses of the device
 * @access: its access
 *
 * Return: true if the device needs a pointer, and false if it needs an address.
 */
static inline bool hmm_peer_access_is_by_cpu(const struct hmm_peer_access *access)
	__contract(method, name("is_by_cpu"))
{
	return access->by_cpu;
}

/**
 * hmm_peer_access_set_pointer() - set where the CPU accesses the page for the device
 * @access: its access
 * @pointer: where ``PAGE_SIZE`` bytes can be read and written as ordinary memory, by any
 *	CPU, until &hmm_devmem_ops.peer_dma_unmap
 *
 * Has an effect in &hmm_devmem_ops.peer_dma_map only, for a device with
 * hmm_peer_access_is_by_cpu().
 */
static inline void hmm_peer_access_set_pointer(struct hmm_peer_access *access,
					       void *pointer __contract(identity))
	__contract(method, name("set_pointer"),
		   unsafe("the page is at `pointer`, for any CPU, until `peer_dma_unmap`"))
{
	WRITE_ONCE(access->pointer, pointer);
}

#endif /* _LINUX_HMM_DEVMEM_H */
