/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors: keep a device's page table in step with a process's.
 */
#ifndef LINUX_HMM_MIRROR_H
#define LINUX_HMM_MIRROR_H

#include <linux/cleanup.h>
#include <linux/contract.h>
#include <linux/hmm-dma.h>
#include <linux/hmm.h>
#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/**
 * DOC: Overview
 *
 * A &struct hmm_mirror stands for one process as one device sees it. It owns
 * the reference to the process's &struct mm_struct, the *update lock* that
 * guards the device's page table, and the subscriptions that tell it when the
 * CPU's page tables change. The driver says how its device forgets a span of
 * addresses (&hmm_mirror_ops.invalidate); the mirror decides when.
 *
 * Page frame numbers that the walker reports go stale as soon as the CPU's
 * page table changes. They may be used only under the update lock, after a
 * check that nothing has changed since the walk. A &struct hmm_section is that
 * rule as code: it begins, faults, locks, checks and, when it lost a race,
 * starts again. Inside it the pfns are good; outside it they do not exist.
 *
 * A driver's fault handler reads::
 *
 *	hmm_section(pages, &dm->mirror, span, HMM_ACCESS_WRITE) {
 *		struct hmm_run run;
 *
 *		hmm_for_each_run(run, &pages)
 *			dm_table_map(&dm->table, &run);
 *	}
 *	return hmm_section_error(&pages);
 */

/**
 * DOC: Locking
 *
 * From the outside in: hmm_mirror.cover (a rw_semaphore: sections read,
 * adding and removing ranges write), the mmap lock or a VMA's lock (while
 * faulting; and inside sections that move pages, together with the locks of
 * their folios), then the update lock. Invalidation takes the update lock
 * alone, from within mmu_notifier callbacks: whatever a driver does under the
 * update lock must therefore not allocate memory in a way that waits for
 * reclaim (%GFP_NOWAIT and %GFP_ATOMIC are fine), must not take the mmap lock,
 * and must not fault on user memory.
 */

/**
 * struct hmm_span - a half-open interval of user addresses
 * @start: first address, in bytes, page aligned
 * @end: address after the last, in bytes, page aligned
 */
struct hmm_span {
	unsigned long start;
	unsigned long end;
} __contract(record("Span"));

/* Every user address; what a driver covers that mirrors a whole process. */
#define HMM_SPAN_ALL ((struct hmm_span){ 0, ULONG_MAX & PAGE_MASK })

/**
 * hmm_span_pages() - the length of a span
 * @span: a span
 *
 * Return: how many pages of %PAGE_SIZE it has.
 */
static inline unsigned long hmm_span_pages(struct hmm_span span)
	__contract(method, name("pages"))
{
	return (span.end - span.start) >> PAGE_SHIFT;
}

/**
 * hmm_span_is_user() - whether a program may name all of a span
 * @span: a span, not reversed
 *
 * It says nothing of what is mapped there.
 *
 * Return: whether all of it are user addresses.
 */
static inline bool hmm_span_is_user(struct hmm_span span)
	__contract(method, name("is_user"))
{
	return access_ok((void __user *)span.start, span.end - span.start);
}

/**
 * enum hmm_access - what a section must make possible
 * @HMM_ACCESS_SNAPSHOT: nothing; report what is mapped and fault nothing in
 * @HMM_ACCESS_READ: every page can be read, or the section fails
 * @HMM_ACCESS_WRITE: every page can be written, or the section fails
 * @HMM_ACCESS_EXCLUSIVE: every page can be written, and the device has it to
 *	itself, for atomic operations say, until the CPU touches it: then it is
 *	invalidated like any other. Private anonymous memory only; a page at a
 *	time; the mirror must have an owner
 */
enum hmm_access {
	HMM_ACCESS_SNAPSHOT,
	HMM_ACCESS_READ,
	HMM_ACCESS_WRITE,
	HMM_ACCESS_EXCLUSIVE,
} __contract(choice("Access"), hidden(HMM_ACCESS_EXCLUSIVE));

struct hmm_mirror;
struct hmm_mirror_range;

/**
 * struct hmm_invalidation - what the device must forget, and why
 * @span: the addresses, clipped to the range
 * @range: the range of the mirror that they belong to
 * @event: what the CPU side is doing
 * @may_block: whether the callback may sleep
 */
struct hmm_invalidation {
	struct hmm_span span;
	struct hmm_mirror_range *range __contract(hidden);
	enum mmu_notifier_event event;
	bool may_block;
} __contract(record("Invalidation"));

/**
 * struct hmm_mirror_ops - what a driver knows and the mirror does not
 */
struct hmm_mirror_ops {
	/**
	 * @invalidate: Make the device reach nothing in @inv->span. Called
	 * under the update lock. When it returns true the device has let go:
	 * entries removed, its TLB flushed, writes in flight done. It may
	 * return false only when @inv->may_block is false and it would have
	 * to sleep; it is then called again later. Required.
	 *
	 * Called for what the device's own driver migrates too, as a process
	 * may have several mirrors with one owner, and the one that migrates
	 * knows only of itself. Not called when that driver takes a page from
	 * the CPU (%HMM_ACCESS_EXCLUSIVE).
	 */
	bool (*invalidate)(struct hmm_mirror *mirror,
			   const struct hmm_invalidation *inv)
		__contract(required, requires(UpdateGuard));
	/**
	 * @release: The process's address space is going away, or the mirror
	 * is. Called once in the life of a mirror, with no lock held, after
	 * the ranges were invalidated; may sleep. It must not call
	 * hmm_mirror_exit() on the mirror. Optional.
	 */
	void (*release)(struct hmm_mirror *mirror)
		__contract(optional, may_sleep);
} __contract(ops("Operations"));

/**
 * struct hmm_mirror - one process as one device sees it
 * @mm: the address space; held by reference count, not kept alive
 * @ops: the driver's callbacks
 * @owner: the &dev_pagemap.owner of the device's own private pages, or NULL
 * @lock: the update lock; see hmm_mirror_lock()
 * @cover: held for reading by sections, for writing to add or remove ranges
 * @ranges: the &struct hmm_mirror_range of this mirror, by address
 * @notifier: tells of the end of @mm
 * @movers: the sections that are moving pages, see &hmm_section.to
 * @dmas: the &struct hmm_mirror_dma of this mirror; guarded by @lock
 * @released: set when &hmm_mirror_ops.release was or is being called
 * @recent: the range that a section was in last, or NULL; guarded by @cover
 */
struct hmm_mirror {
	struct mm_struct *mm;
	const struct hmm_mirror_ops *ops;
	void *owner;
	struct mutex lock; /* the update lock */
	/* private: */
	struct rw_semaphore cover;
	struct maple_tree ranges;
	struct mmu_notifier notifier;
	struct list_head movers; /* guarded by the update lock */
	struct list_head dmas; /* guarded by the update lock */
	unsigned long released;
	struct hmm_mirror_range *recent;
} __contract(object("Mirror"), pinned, send, sync,
	     data(UpdateGuard = exclusive));

/**
 * struct hmm_mirror_range - addresses of which a mirror is told
 * @mirror: the mirror, or NULL when the range is not added
 * @span: the addresses
 * @notifier: the subscription
 * @changes: how often it was invalidated, but by sections that moved pages of
 *	their own
 */
struct hmm_mirror_range {
	struct hmm_mirror *mirror;
	struct hmm_span span;
	/* private: */
	struct mmu_interval_notifier notifier;
	unsigned long changes; /* guarded by the update lock */
} __contract(object("MirrorRange"), pinned, send, sync);

int hmm_mirror_init(struct hmm_mirror *mirror, struct mm_struct *mm,
		    const struct hmm_mirror_ops *ops,
		    void *owner __contract(identity))
	__contract(constructor, errno, may_sleep);
void hmm_mirror_exit(struct hmm_mirror *mirror)
	__contract(destructor, may_sleep);

int hmm_mirror_range_add(struct hmm_mirror *mirror __contract(keeps),
			 struct hmm_mirror_range *range, struct hmm_span span)
	__contract(constructor(range), errno, may_sleep);
void hmm_mirror_range_remove(struct hmm_mirror_range *range)
	__contract(destructor, may_sleep);

/**
 * hmm_mirror_lock() - take the update lock
 * @mirror: an initialised mirror
 *
 * While it is held no invalidation runs and no section is entered, so what the
 * device's page table holds stays true. May sleep.
 */
static inline void hmm_mirror_lock(struct hmm_mirror *mirror)
	__acquires(&mirror->lock) __contract(lock("UpdateGuard"), may_sleep)
{
	mutex_lock(&mirror->lock);
}

/**
 * hmm_mirror_unlock() - drop the update lock
 * @mirror: a mirror whose update lock the caller holds
 */
static inline void hmm_mirror_unlock(struct hmm_mirror *mirror)
	__releases(&mirror->lock)
{
	mutex_unlock(&mirror->lock);
}

/**
 * struct hmm_mover - a section that is moving pages of its mirror
 * @list: among &hmm_mirror.movers
 * @task: who does it
 */
struct hmm_mover {
	struct list_head list;
	struct task_struct *task;
};

DEFINE_GUARD(hmm_mirror, struct hmm_mirror *, hmm_mirror_lock(_T), hmm_mirror_unlock(_T))

/**
 * DOC: Device addresses
 *
 * To a device behind the DMA API memory has addresses of the device's own. A
 * &struct hmm_mirror_dma has room for those of a span. A section that has one as
 * its &hmm_section.dma gives every page it shows an address before it is
 * entered::
 *
 *	struct hmm_section pages __cleanup(hmm_section_leave) =
 *		HMM_SECTION(&dm->mirror, span, HMM_ACCESS_WRITE);
 *	struct hmm_dma_run run;
 *
 *	pages.dma = &dm->dma;
 *	while (hmm_section_next(&pages))
 *		hmm_for_each_dma_run(run, &pages)
 *			dm_table_map(&dm->table, run.span, run.address);
 *
 * A page that has an address already keeps it. It loses it when its mapping
 * changes, after &hmm_mirror_ops.invalidate has had the device let go of it: a
 * driver takes no address away itself.
 */

/**
 * struct hmm_mirror_dma - device addresses for the pages of a span of a mirror
 * @mirror: the mirror
 * @dev: the device
 * @span: the addresses whose pages there is room for
 * @map: an entry for each page; guarded by the update lock
 * @list: in &hmm_mirror.dmas
 */
struct hmm_mirror_dma {
	struct hmm_mirror *mirror;
	struct device *dev;
	struct hmm_span span;
	/* private: */
	struct hmm_dma_map map;
	struct list_head list;
} __contract(object("DmaMap"), pinned, send, sync);

int hmm_mirror_dma_init(struct hmm_mirror_dma *dma,
			struct hmm_mirror *mirror __contract(keeps),
			struct device *dev __contract(keeps),
			struct hmm_span span)
	__contract(constructor(dma), errno, may_sleep);
void hmm_mirror_dma_exit(struct hmm_mirror_dma *dma)
	__contract(destructor, may_sleep);

/* Pages a section handles at a time when the caller brings no array. */
#define HMM_SECTION_BATCH 64

/**
 * DOC: Pages that move on the way
 *
 * A device that faults may want the pages in its own memory. A section with
 * &hmm_section.to is that in one walk of the process's page table: what is
 * absent is faulted in, what is found is moved, and where it has come to is what
 * the section reports::
 *
 *	struct hmm_section pages __cleanup(hmm_section_leave) =
 *		HMM_SECTION(&dm->mirror, span, HMM_ACCESS_WRITE);
 *
 *	pages.to = &dm->memory;
 *	while (hmm_section_next(&pages))
 *		...
 *
 * Inside, the pages that have moved are locked, so that a CPU that touches one
 * has to wait until the device has mapped it. The mmap lock is held, too. Where
 * some page of a batch cannot move (it is pinned, say, or there already) none is
 * held, and a second walk reports all of the batch as any section does: that
 * pages are in device memory is never certain, and the run says where they are.
 * A batch is what one page table maps, so that large folios stay whole, unless
 * the caller brings a smaller array.
 */

struct hmm_devmem;
struct devmem_move;

/**
 * struct hmm_section - pages of a mirror, good for as long as one is inside
 * @mirror: the mirror
 * @span: what is asked for; page aligned, not empty, in one range of @mirror
 * @access: what must be possible
 * @pfns: one %HMM_PFN_* word a page of @now; an array of the caller's, or NULL
 *	to use @batch
 * @nr_pfns: how many pages @pfns has room for
 * @timeout: how long to go on losing races, in jiffies; 0 for
 *	%HMM_RANGE_DEFAULT_TIMEOUT milliseconds
 * @to: device memory that the pages are to be in, or NULL: see "Pages that move
 *	on the way". For %HMM_ACCESS_READ and %HMM_ACCESS_WRITE
 * @dma: gives the pages device addresses, or NULL: see "Device addresses"; of
 *	the same mirror, with room for @span
 * @now: the pages that @pfns tells of; empty when not inside
 * @error: why hmm_section_next() stopped; 0 when it came to the end
 * @inside: whether the update lock is held
 * @held: whether a user reference to the address space is held
 * @taken: the locked folio of a page taken from the CPU, or NULL
 * @mover: the caller, while its pages move
 * @move: the pages that have moved, if @to is not NULL
 * @batch: room for pfns
 *
 * The caller fills in the first eight (HMM_SECTION() does) and goes from batch
 * to batch with hmm_section_next().
 */
struct hmm_section {
	struct hmm_mirror *mirror __contract(given);
	struct hmm_span span __contract(given);
	enum hmm_access access __contract(given);
	unsigned long *pfns;
	unsigned int nr_pfns;
	unsigned long timeout __contract(given, optional);
	struct hmm_devmem *to;
	struct hmm_mirror_dma *dma __contract(given("DmaPages"));

	struct hmm_span now;
	int error;
	/* private: */
	bool inside;
	bool held;
	struct folio *taken;
	struct hmm_mover mover;
	struct devmem_move *move;
	unsigned long batch[HMM_SECTION_BATCH];
} __contract(section("Pages", of(hmm_mirror), holds(UpdateGuard),
		     method(populate)),
	     section("Exclusive", of(hmm_mirror), holds(UpdateGuard),
		     method(exclusive), set(access = HMM_ACCESS_EXCLUSIVE)),
	     section("DmaPages", of(hmm_mirror), holds(UpdateGuard),
		     method(populate_dma)));

#define HMM_SECTION(_mirror, _span, _access) \
	{ .mirror = (_mirror), .span = (_span), .access = (_access) }

/*
 * As HMM_SECTION(), but leaves the room for pfns as it is: to clear it would
 * take as long as a tenth of a section of one page (benchmark:
 * populate-one-page).
 */
static inline void hmm_section_prepare(struct hmm_section *section,
				       struct hmm_mirror *mirror,
				       struct hmm_span span,
				       enum hmm_access access)
{
	memset(section, 0, offsetof(struct hmm_section, batch));
	section->mirror = mirror;
	section->span = span;
	section->access = access;
}

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
 * hmm_section() - do something with the pages of a span of a mirror
 * @name: a name for the section, declared here
 * @_mirror: pointer to the mirror
 * @_span: a &struct hmm_span
 * @_access: an &enum hmm_access
 *
 * The statement that follows runs once for each batch of pages, under the
 * update lock. It may be left early by break, return or goto: the lock and the
 * references go when @name goes out of scope, or sooner by
 * hmm_section_leave().
 */
#define hmm_section(name, _mirror, _span, _access)			\
	struct hmm_section name __cleanup(hmm_section_leave) __uninitialized; \
	hmm_section_prepare(&name, _mirror, _span, _access);		\
	while (hmm_section_next(&name))

/**
 * struct hmm_run - neighbouring pages that can be mapped as one
 * @span: their addresses
 * @pfn: the first one's page frame number
 * @flags: what their words have in common: %HMM_PFN_VALID, %HMM_PFN_WRITE,
 *	%HMM_PFN_ERROR
 * @order: the order with which the CPU maps them
 */
struct hmm_run {
	struct hmm_span span;
	unsigned long pfn __contract(confined("Pfn"));
	unsigned long flags __contract(tagged(hmm_pfn_flags));
	unsigned int order;
} __contract(record("Run"), confined);

bool hmm_section_run(const struct hmm_section *section, struct hmm_run *run)
	__contract(iterator("Runs", start(span.start = now.start,
					  span.end = now.start)));

/**
 * hmm_for_each_run() - go through a section's pages run by run
 * @run: a &struct hmm_run variable
 * @section: a section one is inside of
 *
 * Pages that are not mapped come in runs too, with no flags and a @pfn of 0.
 */
#define hmm_for_each_run(run, section)					\
	for ((run) = (struct hmm_run){ .span = { (section)->now.start,	\
						 (section)->now.start } }; \
	     hmm_section_run(section, &(run));)

/**
 * struct hmm_dma_run - neighbouring pages whose device addresses are neighbours
 * @span: their addresses
 * @address: the first one's device address
 * @flags: what their words have in common: %HMM_PFN_VALID, %HMM_PFN_WRITE
 */
struct hmm_dma_run {
	struct hmm_span span;
	dma_addr_t address;
	unsigned long flags __contract(tagged(hmm_pfn_flags));
} __contract(record("DmaRun"), confined);

bool hmm_section_dma_run(const struct hmm_section *section,
			 struct hmm_dma_run *run)
	__contract(iterator("Addresses", of("DmaPages"),
			    start(span.start = now.start, span.end = now.start)));

/**
 * hmm_for_each_dma_run() - go through a section's device addresses run by run
 * @run: a &struct hmm_dma_run variable
 * @section: a section one is inside of, with its &hmm_section.dma
 *
 * Pages without an address, for they are not mapped or are private memory of a
 * device, are in no run.
 */
#define hmm_for_each_dma_run(run, section)				\
	for ((run) = (struct hmm_dma_run){ .span = { (section)->now.start, \
						     (section)->now.start } }; \
	     hmm_section_dma_run(section, &(run));)

struct page *hmm_frame(unsigned long pfn);
bool hmm_page_is_reachable(const struct page *page)
	__contract(method, name("is_reachable"));

/**
 * hmm_page_is_of() - whether a page is in the memory of some device
 * @page: a page that a section shows
 * @owner: the &dev_pagemap.owner of the device's memory
 */
static inline bool hmm_page_is_of(const struct page *page,
				  const void *owner __contract(identity))
	__contract(method, name("is_of"))
{
	return is_zone_device_page(page) && page_pgmap(page)->owner == owner;
}

#endif /* LINUX_HMM_MIRROR_H */
