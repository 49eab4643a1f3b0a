/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors: keep a device's page table in step with a process's.
 */
#ifndef _LINUX_HMM_MIRROR_H
#define _LINUX_HMM_MIRROR_H

#include <linux/cleanup.h>
#include <linux/contract.h>
#include <linux/hmm-dma.h>
#include <linux/hmm.h>
#include <linux/hmm_span.h>
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/interval_tree.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/string.h>

/**
 * DOC: Overview
 *
 * A &struct hmm_mirror stands for one process as one device sees it. It owns
 * the reference to the process's &struct mm_struct, the *update lock* that
 * guards the device's page table, and the subscriptions that report when the
 * CPU's page tables change. The driver implements how its device forgets a span of
 * addresses (&hmm_mirror_ops.invalidate); the mirror decides when.
 *
 * Page frame numbers that the walker reports go stale as soon as the CPU's
 * page table changes. They may be used only under the update lock, after a
 * check that nothing has changed since the walk. A &struct hmm_section implements
 * this rule: it begins, faults, locks, checks and, if an invalidation came in
 * between, starts again. The pfns are valid inside the section and cannot be named
 * outside. The steps are in mm/hmm/mirror.h, "Protocol".
 *
 * A fault handler of a driver::
 *
 *	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_WRITE) {
 *		hmm_section_runs(run, &pages) {
 *			ret = dm_table_map(&dm->table, run.span, run.pfn,
 *					   DM_MAY_READ | DM_MAY_WRITE);
 *			if (ret)
 *				return ret;
 *		}
 *	}
 *	return ret;
 *
 * The loops are in linux/hmm_mirror_typed.h, which is generated from the
 * contracts of this header.
 */

/**
 * DOC: Locking
 *
 * From the outside in: the mmap lock or a VMA's lock (while faulting; and
 * inside sections that migrate pages, together with the locks of their folios),
 * then the update lock. Invalidation takes the update lock alone, from within
 * mmu_notifier callbacks: the code that a driver runs under the update lock must
 * therefore not allocate memory in a way that waits for reclaim (%GFP_NOWAIT
 * and %GFP_ATOMIC are fine), must not take the mmap lock, and must not fault on
 * user memory.
 *
 * The update lock is the mirror's own mutex, &hmm_mirror.lock, unless the driver
 * provides another: one for the mirror (hmm_mirror_init_lock()) or one for each
 * range (hmm_mirror_range_add_lock()). Faults and invalidations of ranges with
 * different locks do not wait for each other. If they share a &struct hmm_mirror_dma
 * they wait for its lock, which nests inside, while a batch is mapped or up to 1024
 * addresses are unmapped; a map for each range couples nothing.
 *
 * A &struct rw_semaphore is taken for writing by invalidations and for reading
 * by sections, so that sections of one range run concurrently; the driver then
 * protects its page table against concurrent sections itself.
 *
 * A driver that holds two update locks at once, or takes locks of its own in a
 * different order for different mirrors, gives them lockdep classes with
 * lockdep_set_class(&mirror->lock, ...) after hmm_mirror_init().
 */

/**
 * DOC: Devices that flush at the same time
 *
 * A process may use several devices, and each may need microseconds to flush its
 * TLB. With &hmm_mirror_ops.invalidate alone an invalidation waits for one flush
 * after the other. A driver that can start a flush and wait for it later has
 * &hmm_mirror_ops.invalidate_finish, too: &hmm_mirror_ops.invalidate removes the
 * entries from the device's page table, starts the flush and notes its number;
 * &hmm_mirror_ops.invalidate_finish waits until the flush with the number that was
 * noted last has ended.
 *
 * All mirrors of the process start their flushes, and then each waits for its own.
 * Several invalidations of a mirror may have started before one is finished, so it
 * does not suffice to wait for the first of several flushes.
 *
 * An invalidation that may not sleep, the end of a range, the end of the process,
 * and one that begins between the two calls for another, have both calls at once.
 */

/**
 * struct hmm_update_lock - the update lock as the driver chose it
 * @mutex: a mutex, or NULL
 * @rwsem: a rw_semaphore, or NULL
 *
 * Exactly one of them is not NULL. It stays initialised for as long as the
 * mirror or range that it was given to.
 */
struct hmm_update_lock {
	struct mutex *mutex;
	struct rw_semaphore *rwsem;
};

#define HMM_UPDATE_MUTEX(_mutex) ((struct hmm_update_lock){ .mutex = (_mutex) })
#define HMM_UPDATE_RWSEM(_rwsem) ((struct hmm_update_lock){ .rwsem = (_rwsem) })

/**
 * enum hmm_access - the access to its pages that a section makes possible
 * @HMM_ACCESS_SNAPSHOT: none; report the mapped pages and fault nothing in
 * @HMM_ACCESS_READ: every page can be read, or the section fails
 * @HMM_ACCESS_WRITE: every page can be written, or the section fails
 * @HMM_ACCESS_EXCLUSIVE: every page can be written, and only the device can access
 *	it, for atomic operations for example, until the CPU does: then it is
 *	invalidated like any other. Private anonymous memory only; one page at a
 *	time; the mirror must have an owner
 * @HMM_ACCESS_PRESENT: none, as %HMM_ACCESS_SNAPSHOT, but wait for pages that are
 *	migrating, and report them where they are then: for mapping in advance. Those
 *	of hugetlb are not waited for
 */
enum hmm_access {
	HMM_ACCESS_SNAPSHOT,
	HMM_ACCESS_READ,
	HMM_ACCESS_WRITE,
	HMM_ACCESS_EXCLUSIVE,
	HMM_ACCESS_PRESENT,
} __contract(choice("Access"), hidden(HMM_ACCESS_EXCLUSIVE));

struct hmm_mirror;
struct hmm_mirror_range;

/**
 * struct hmm_invalidation - addresses that the device must forget, and the reason
 * @span: the addresses, clipped to the range
 * @range: the range of the mirror that they belong to; NULL after
 *	hmm_mirror_range_remove_deferred()
 * @event: the change of the CPU's page tables
 * @may_block: whether the callback may sleep
 */
struct hmm_invalidation {
	struct hmm_span span;
	struct hmm_mirror_range *range __contract(hidden);
	enum mmu_notifier_event event;
	bool may_block;
} __contract(record("Invalidation"));

/**
 * struct hmm_mirror_ops - a driver's callbacks for its mirrors
 */
struct hmm_mirror_ops {
	/**
	 * @invalidate: Remove @inv->span from the device's page table. Called
	 * under the update lock. When it returns true the device cannot access
	 * the span: entries removed, its TLB flushed, writes in flight done;
	 * or, with @invalidate_finish, the flush has started. It
	 * may return false only when @inv->may_block is false and it would have
	 * to sleep; it is then called again later. If it returns false although
	 * @inv->may_block, it is called again at once, a few times, with a
	 * warning; then its DMA addresses are unmapped all the same. Required.
	 *
	 * Also called for migrations by the device's own driver: a process may
	 * have several mirrors with one owner, and only one of them migrates.
	 * Not called when a section of this mirror makes a page exclusive
	 * (%HMM_ACCESS_EXCLUSIVE).
	 */
	bool (*invalidate)(struct hmm_mirror *mirror,
			   const struct hmm_invalidation *inv __contract(nonnull))
		__contract(required, requires(UpdateGuard));
	/**
	 * @invalidate_finish: Wait until the device reaches nothing in
	 * @inv->span. With this callback, @invalidate need only remove the
	 * entries and start what takes the device long, such as the flush of
	 * its TLB. Called once after each @invalidate that returned true, under
	 * the update lock; not if the process ended, or a callback ended the
	 * range, in between: both calls were made for that then. Where it may
	 * sleep, the core drops that lock between the two, and calls
	 * @invalidate of the process's other mirrors first, so that the
	 * flushes of several devices overlap. Other
	 * invalidations of the mirror may come in between, but no section
	 * enters pages of @inv->span. Device addresses are unmapped after it.
	 * Optional.
	 */
	void (*invalidate_finish)(struct hmm_mirror *mirror,
				  const struct hmm_invalidation *inv __contract(nonnull))
		__contract(optional, requires(UpdateGuard));
	/**
	 * @release: The process's address space is going away, or the mirror
	 * is. Called once in the life of a mirror, with no lock held, after
	 * the ranges were invalidated; no callback runs after it. May sleep. It
	 * must not end the mirror or a range of it; hmm_mirror_exit_deferred()
	 * does that safely. Optional.
	 */
	void (*release)(struct hmm_mirror *mirror)
		__contract(optional, may_sleep);
} __contract(ops("Operations"));

struct hmm_mirror_state;
struct hmm_interval;

/**
 * struct hmm_mirror - one process as one device sees it
 * @mm: the address space; pinned as by mmgrab(), not kept alive
 * @ops: the driver's callbacks
 * @owner: the &dev_pagemap.owner of the device's own private pages, or NULL
 * @lock: the update lock, unless the driver brought one; see hmm_mirror_lock()
 */
struct hmm_mirror {
	struct mm_struct *mm;
	const struct hmm_mirror_ops *ops;
	void *owner;
	struct mutex lock; /* the update lock */
	/* private: */
	/* The update lock of ranges that were added without one of their own. */
	struct hmm_update_lock update;
	/* Used by sections and subscriptions, which may outlive the mirror. */
	struct hmm_mirror_state *state;
	spinlock_t dma_lock; /* guards @dmas; nests in every update lock */
	struct rb_root_cached dmas; /* the &struct hmm_mirror_dma, by address */
} __contract(object("Mirror"), pinned, send, sync,
	     data(UpdateGuard = exclusive));

/**
 * struct hmm_mirror_range - addresses whose invalidations are reported to a mirror
 * @mirror: the mirror, or NULL when the range is not added
 * @span: the addresses
 *
 * All zeros before it is added for the first time.
 */
struct hmm_mirror_range {
	struct hmm_mirror *mirror;
	struct hmm_span span;
	/* private: */
	struct hmm_interval *interval; /* the subscription */
} __contract(object("MirrorRange"), pinned, send, sync);

int hmm_mirror_init(struct hmm_mirror *mirror,
		    struct mm_struct *mm __contract(borrows),
		    const struct hmm_mirror_ops *ops,
		    void *owner __contract(identity))
	__contract(constructor, errno, may_sleep);
int hmm_mirror_init_lock(struct hmm_mirror *mirror, struct mm_struct *mm,
			 const struct hmm_mirror_ops *ops, void *owner,
			 struct hmm_update_lock lock);
void hmm_mirror_exit(struct hmm_mirror *mirror)
	__contract(destructor, deferred(hmm_mirror_exit_deferred), reaped, may_sleep);
void hmm_mirror_exit_deferred(struct hmm_mirror *mirror,
			      void (*done)(struct hmm_mirror *mirror));
void hmm_mirror_synchronize(void);

int hmm_mirror_range_add(struct hmm_mirror *mirror,
			 struct hmm_mirror_range *range, struct hmm_span span);
int hmm_mirror_range_add_lock(struct hmm_mirror *mirror,
			      struct hmm_mirror_range *range,
			      struct hmm_span span, struct hmm_update_lock lock);
int hmm_mirror_range_init(struct hmm_mirror *mirror __contract(keeps),
			  struct hmm_mirror_range *range, struct hmm_span span)
	__contract(constructor(range), errno, may_sleep);
void hmm_mirror_range_remove(struct hmm_mirror_range *range);
void hmm_mirror_range_remove_deferred(struct hmm_mirror_range *range)
	__contract(destructor, may_sleep);

/**
 * hmm_mirror_lock() - take the update lock
 * @mirror: an initialised mirror
 *
 * While it is held no callback of an invalidation runs and no section is entered, so
 * the entries of the device's page table stay valid, except in ranges that have a lock
 * of their own. An invalidation may be between its two callbacks: its entries are
 * removed, and the flush is not awaited yet. May sleep. A task that holds it already,
 * that is inside a section of this mirror or in its invalidate callback deadlocks;
 * lockdep reports that. hmm_mirror_lock_once() fails instead.
 */
static inline __no_context_analysis void
hmm_mirror_lock(struct hmm_mirror *mirror)
	__acquires(&mirror->lock)
{
	if (mirror->update.rwsem)
		down_write(mirror->update.rwsem);
	else
		mutex_lock(mirror->update.mutex);
}

/**
 * hmm_mirror_unlock() - drop the update lock
 * @mirror: a mirror whose update lock the caller holds
 */
static inline __no_context_analysis void
hmm_mirror_unlock(struct hmm_mirror *mirror)
	__releases(&mirror->lock) __contract(unlock("UpdateGuard"))
{
	if (mirror->update.rwsem)
		up_write(mirror->update.rwsem);
	else
		mutex_unlock(mirror->update.mutex);
}

/**
 * hmm_mirror_assert_held() - assert that the update lock is held
 * @mirror: an initialised mirror
 */
static inline void hmm_mirror_assert_held(const struct hmm_mirror *mirror)
{
	if (mirror->update.rwsem)
		lockdep_assert_held(mirror->update.rwsem);
	else
		lockdep_assert_held(mirror->update.mutex);
}

int hmm_mirror_lock_once(struct hmm_mirror *mirror)
	__contract(trylock("UpdateGuard"), errno, scoped, name("with_lock"), may_sleep);

DEFINE_GUARD(hmm_mirror, struct hmm_mirror *, hmm_mirror_lock(_T), hmm_mirror_unlock(_T))

/**
 * DOC: Device addresses
 *
 * A device behind the DMA API accesses memory by device addresses. A
 * &struct hmm_mirror_dma has room for those of a span. A section with one as its
 * &hmm_section.dma maps every page that it reports for the device before its body
 * runs::
 *
 *	hmm_mirror_populate_dma(pages, ret, &dm->mirror, span, HMM_ACCESS_WRITE,
 *				&dm->dma) {
 *		hmm_section_dma_pages_addresses(run, &pages) {
 *			ret = dm_table_map_dma(&dm->table, run.dma_run.span,
 *					       run.dma_run.address);
 *			if (ret)
 *				return ret;
 *		}
 *	}
 *	return ret;
 *
 * A page that has an address already keeps it. It is unmapped when the CPU's mapping
 * changes, after &hmm_mirror_ops.invalidate has returned: a driver unmaps no address
 * itself.
 *
 * A driver with several devices calls hmm_section_dma_map() for each inside the
 * section.
 */

/**
 * DOC: Memory of other devices
 *
 * A page in the private memory of another device, of another owner, has no CPU address,
 * and no address of the DMA API. A section that needs it migrates it to system memory.
 * Where the two devices can reach each other, on a bus or a link of their own, the page
 * can stay: after hmm_mirror_dma_accept_peers() sections with that &hmm_section.dma call
 * &hmm_devmem_ops.peer_dma_map of the memory's driver for the address, and show it with
 * &hmm_dma_run.peer set. The page's hmm pfn is 0 in such a section, as if it were absent:
 * only its address can be used.
 *
 * If that driver refuses, if the memory is not of a &struct hmm_devmem with that callback,
 * or if the process's mapping does not allow the access that is needed, the page migrates
 * to system memory, as without hmm_mirror_dma_accept_peers().
 *
 * The address is valid as long as any other of the section: until
 * &hmm_mirror_ops.invalidate for it has returned. Migration of the page is such an
 * invalidation, also if the owner of the memory evicts or retires it. So nothing is pinned
 * for the device, and the owner can remove its memory at any time.
 *
 * A device whose accesses the CPU makes needs no address but a pointer, which the driver of
 * the memory has only if the CPU can access it: as that of a simulated device. It has a map
 * of hmm_mirror_dma_init_by_cpu(), and gets pointers by hmm_section_peer_pointer().
 */

/**
 * struct hmm_mirror_dma - device addresses for the pages of a span of a mirror
 * @mirror: the mirror
 * @dev: the device
 * @span: the addresses whose pages there is room for
 */
struct hmm_mirror_dma {
	struct hmm_mirror *mirror;
	struct device *dev;
	struct hmm_span span;
	/* private: */
	bool by_cpu; /* the CPU makes @dev's accesses: no @map, pointers in @peers */
	struct mutex lock; /* guards the entries of @map; nests in every update lock */
	struct hmm_dma_map map; /* an entry for each page */
	struct hmm_mirror_peer *peers; /* the same, for peers' memory; or NULL. @lock */
	struct interval_tree_node node; /* in &hmm_mirror.dmas */
	unsigned int users; /* invalidations that use @map; &hmm_mirror.dma_lock */
	bool ending; /* no invalidation may use @map; &hmm_mirror.dma_lock */
	struct hmm_mirror_dma *next_ended; /* whose end is deferred, too */
	void (*done)(struct hmm_mirror_dma *dma); /* called when it has ended; or NULL */
} __contract(object("DmaMap"), pinned, send, sync);

int hmm_mirror_dma_init(struct hmm_mirror_dma *dma,
			struct hmm_mirror *mirror __contract(keeps),
			struct device *dev __contract(keeps),
			struct hmm_span span)
	__contract(constructor(dma), errno, may_sleep);
int hmm_mirror_dma_init_by_cpu(struct hmm_mirror_dma *dma, struct hmm_mirror *mirror,
			       struct device *dev, struct hmm_span span);
bool hmm_mirror_peers_exist(void);
int hmm_mirror_dma_accept_peers(struct hmm_mirror_dma *dma)
	__contract(method, errno, may_sleep);
void hmm_mirror_dma_exit(struct hmm_mirror_dma *dma)
	__contract(destructor, deferred(hmm_mirror_dma_exit_deferred), may_sleep);
void hmm_mirror_dma_exit_deferred(struct hmm_mirror_dma *dma,
				  void (*done)(struct hmm_mirror_dma *dma));

/* Pages for which the loops over sections provide hmm pfns, and so the pages of a batch. */
#define HMM_SECTION_BATCH 64

/**
 * DOC: Pages that migrate on the way
 *
 * A device that faults may need the pages in its own memory. A section with
 * &hmm_section.migrate_to does that in one walk of the process's page table:
 * absent pages are faulted in, pages that can migrate are migrated, and the
 * section reports them where they are afterwards::
 *
 *	hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_WRITE,
 *			    .migrate_to = &dm->memory) {
 *		ret = dm_map_pages(dm, &pages);
 *		if (ret)
 *			return ret;
 *	}
 *	return ret;
 *
 * Inside, the migrated folios are locked, so that a CPU that touches one waits
 * until the device has mapped it. The mmap lock is held, too. If one page of a
 * batch cannot migrate, because it is pinned or on the device already, none is
 * locked, and a second walk reports the whole batch as any section does. So a
 * driver must not assume that pages are in device memory, but read it from the run.
 * A batch is what one PMD maps, so that large folios stay whole.
 */

struct hmm_devmem;
struct hmm_section_migration;

/**
 * struct hmm_section - the state of a section; its pfns are valid under the update lock
 * @mirror: the mirror
 * @span: the addresses; page aligned, not empty, in ranges of @mirror
 * @access: the access that is needed
 * @pfns: one hmm pfn for each page of @batch. The array is the caller's, and
 *	need not be initialised; with @migrate_to it is not used
 * @nr_pfns: how many pages @pfns has room for
 * @timeout: how long to retry when races are lost, in jiffies; 0 for
 *	%HMM_RANGE_DEFAULT_TIMEOUT milliseconds. It starts anew when a page fault
 *	waited, for user space for example, but at most once for each page of
 *	@batch, in the order of their addresses
 * @migrate_to: device memory that the pages are to be in, or NULL: see "Pages
 *	that migrate on the way". For %HMM_ACCESS_READ and %HMM_ACCESS_WRITE
 * @dma: the map for device addresses, or NULL: see "Device addresses"; of the same
 *	mirror, with room for @span
 * @whole: report all of @span in one batch, or fail. @pfns must have room for it,
 *	and @span be in one range; not with @migrate_to, nor for
 *	%HMM_ACCESS_EXCLUSIVE
 * @batch: the addresses of the pages in @pfns; empty when the section has ended
 * @error: why hmm_section_next() stopped; 0 when it came to the end
 *
 * The caller sets the first nine members, the others are zero, and goes from
 * batch to batch with hmm_section_next(). The loops of linux/hmm_mirror_typed.h
 * do both: hmm_mirror_populate(), hmm_mirror_populate_dma() and
 * hmm_mirror_exclusive(). They provide @pfns, too.
 */
struct hmm_section {
	struct hmm_mirror *mirror __contract(given);
	struct hmm_span span __contract(given);
	enum hmm_access access __contract(given);
	unsigned long *pfns __contract(room(nr_pfns, HMM_SECTION_BATCH));
	unsigned int nr_pfns;
	unsigned long timeout __contract(given, optional, jiffies);
	struct hmm_devmem *migrate_to __contract(given("MigratedPages"));
	struct hmm_mirror_dma *dma __contract(given("DmaPages"));
	bool whole;

	struct hmm_span batch;
	int error;
	/* private: */
	bool locked; /* whether the update lock is held */
	/* The address space, with a user reference held; or NULL. */
	struct mm_struct *mm_ref;
	/* The interval of @batch, with a reference held; or NULL. */
	struct hmm_interval *interval;
	/* The locked folio of a page that is exclusive to the device, or NULL. */
	struct folio *exclusive_folio;
	/* The pages that were migrated, if @migrate_to is not NULL. */
	struct hmm_section_migration *migration;
	/* For each page of @batch that is in a peer's memory its hmm pfn; or NULL. */
	unsigned long *peer_pfns;
} __contract(section("Pages", of(hmm_mirror), holds(UpdateGuard),
		     method(populate)),
	     section("Exclusive", of(hmm_mirror), holds(UpdateGuard),
		     method(exclusive), set(access = HMM_ACCESS_EXCLUSIVE)),
	     section("DmaPages", of(hmm_mirror), holds(UpdateGuard),
		     method(populate_dma)),
	     section("MigratedPages", of(hmm_mirror), holds(UpdateGuard),
		     method(populate_in)));

bool __must_check hmm_section_next(struct hmm_section *section)
	__contract(enter, may_sleep);
void hmm_section_leave(struct hmm_section *section) __contract(leave);

/**
 * hmm_section_error() - how a section ended
 * @section: a section for which hmm_section_next() returned false
 *
 * Return: 0 when every page was handled, or one of the errors listed at
 * hmm_section_next().
 */
static inline int hmm_section_error(const struct hmm_section *section)
	__contract(outcome, errno)
{
	return section->error;
}

/**
 * struct hmm_run - consecutive pages that can be mapped as one
 * @span: their addresses
 * @pfn: the first one's page frame number
 * @flags: the flags of all of them: %HMM_PFN_VALID, %HMM_PFN_WRITE,
 *	%HMM_PFN_ERROR
 * @order: the largest order that fits: no larger than @map_order, 1 << @order
 *	pages are in @span, and its start and @pfn are aligned to it
 * @map_order: the order with which the CPU maps the pages, of which the run may
 *	be a part
 *
 * Its pages are all of one &struct dev_pagemap, or all of system memory.
 */
struct hmm_run {
	struct hmm_span span;
	unsigned long pfn __contract(confined("Pfn"));
	unsigned long flags __contract(tagged(hmm_pfn_flags));
	unsigned int order;
	unsigned int map_order;
} __contract(record("Run"), confined);

bool hmm_section_run(const struct hmm_section *section, struct hmm_run *run)
	__contract(iterator("Runs", start(span.start = batch.start,
					  span.end = batch.start)));

/**
 * struct hmm_dma_run - consecutive pages with consecutive device addresses
 * @span: their addresses
 * @address: the first one's device address
 * @flags: the flags of all of them: %HMM_PFN_VALID, %HMM_PFN_WRITE
 * @peer: they are in the memory of another device, whose driver has given the addresses;
 *	see "Memory of other devices"
 */
struct hmm_dma_run {
	struct hmm_span span;
	dma_addr_t address;
	unsigned long flags __contract(tagged(hmm_pfn_flags));
	bool peer;
} __contract(record("DmaRun"), confined);

bool hmm_section_dma_run(const struct hmm_section *section,
			 struct hmm_dma_run *run)
	__contract(iterator("Addresses", of("DmaPages"),
			    start(span.start = batch.start, span.end = batch.start)));

int hmm_section_dma_map(struct hmm_section *section, struct hmm_mirror_dma *dma);

void *hmm_section_peer_pointer(const struct hmm_section *section, unsigned long addr,
			       bool *write);

struct page *hmm_section_pfn_to_page(unsigned long pfn);
bool hmm_page_is_reachable(const struct page *page)
	__contract(method, name("is_reachable"));

/**
 * hmm_page_is_of() - whether a page is in the memory of some device
 * @page: a page that a section has reported
 * @owner: the &dev_pagemap.owner of the device's memory
 *
 * Return: true for device-private and device-coherent pages of @owner.
 */
static inline bool hmm_page_is_of(const struct page *page,
				  const void *owner __contract(identity))
	__contract(method, name("is_of"))
{
	return is_zone_device_page(page) && page_pgmap(page)->owner == owner;
}

#endif /* _LINUX_HMM_MIRROR_H */
