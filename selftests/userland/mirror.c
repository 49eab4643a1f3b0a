// SPDX-License-Identifier: GPL-2.0
/*
 * mirror SECONDS [SEED]: mirrors of a process that changes and ends, in threads.
 *
 * Two devices mirror 64 pages of a process, with several ranges each. Threads
 * fault pages in by sections, take pages exclusively, access the device's table,
 * invalidate, add and remove ranges, end the process and the mirrors. Checked
 * at every step:
 *
 * - in a section, a pfn is that of the CPU's page table;
 * - once an invalidation has been reported, until it ends, no device has a page
 *   of it; nor has a removed range, an ended mirror or an ended process;
 * - under the update lock the device's table is a part of the CPU's;
 * - a page that is exclusive to one device is in no other device's table;
 * - no callback runs after release, and none after hmm_mirror_exit().
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/hmm_mirror.h>

#include "../../c/mm/hmm/walk.h"
#include "duration.h"

#define BASE 0x7f0000000000UL
#define NR_PAGES 64
#define NR_RANGES 4
#define RANGE_PAGES (NR_PAGES / NR_RANGES)
#define NR_DEVICES 2
#define ROUND_USEC 30000
#define CPU_SHARE 0.5	/* the threads sleep for a part of the time */

/* Freed as soon as the mirror has ended. */
struct driver_mirror {
	struct hmm_mirror mirror;
	struct rw_semaphore update;
	struct device_table *device;
};

/* Freed as soon as it was removed, with its update lock, if it has its own. */
struct driver_range {
	struct hmm_mirror_range range;
	struct mutex update;	/* the range's update lock, unless the mirror's is used */
};

struct device_table {
	struct driver_mirror *driver;
	struct driver_range *range[NR_RANGES];
	unsigned long pfn[NR_PAGES];
	/* In the TLB of a device whose flush ends in the second pass. */
	unsigned long tlb[NR_PAGES];
	/* Written by callbacks, read in sections: the update lock orders them. */
	unsigned long guarded[NR_RANGES];
	bool released;
	bool ended;
};

/* A process, for one round. */
static struct {
	struct mm_struct *mm;
	unsigned long pfn[NR_PAGES];	/* the CPU's page table */
	struct device_table *exclusive[NR_PAGES];
	struct mutex folio[NR_PAGES];	/* the folio locks */
	struct device_table *device[NR_DEVICES];
	/* Shared: a section begins. Exclusive: the mirror ends. */
	pthread_rwlock_t open[NR_DEVICES];
	bool closed[NR_DEVICES];
	bool stop;
} p;

static unsigned char live[MODEL_NR_RAM];
static unsigned long next_pfn, sections, invalidations, removals, exclusives, seed;
static __thread unsigned long state;
struct page model_ram[MODEL_NR_RAM], model_device[MODEL_NR_DEVICE];
static int owner;

void model_broken(const char *rule)
{
	printf("# %s\n", rule);
	fflush(stdout);
	_exit(1);
}

static void must(bool kept, const char *rule)
{
	if (!kept)
		model_broken(rule);
}

struct page *model_no_page(unsigned long pfn)
{
	model_broken("a struct page was looked up for a pfn outside the memmap");
	return NULL;
}

struct dev_pagemap *page_pgmap(const struct page *page)
{
	return page->pgmap;
}

static unsigned int rnd(unsigned int n)
{
	unsigned long z = state += 0x9e3779b97f4a7c15UL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	return (z ^ (z >> 27)) % n;
}

static void maybe_yield(void)
{
	if (!rnd(8))
		sched_yield();
	else if (!rnd(200))
		usleep(50);
}

static unsigned long alloc_page(void)
{
	unsigned long pfn;
	unsigned char old;

	do {
		pfn = __atomic_add_fetch(&next_pfn, 1, __ATOMIC_RELAXED) % MODEL_NR_RAM;
		old = 0;
	} while (!__atomic_compare_exchange_n(&live[pfn], &old, 1, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return MODEL_RAM_PFN + pfn;
}

static void free_page(unsigned long pfn)
{
	if (pfn)
		__atomic_store_n(&live[pfn - MODEL_RAM_PFN], 0, __ATOMIC_SEQ_CST);
}

static unsigned long page_index(unsigned long addr)
{
	return (addr - BASE) >> PAGE_SHIFT;
}

static unsigned long load(unsigned long *at)
{
	return __atomic_load_n(at, __ATOMIC_SEQ_CST);
}

static void store(unsigned long *at, unsigned long val)
{
	__atomic_store_n(at, val, __ATOMIC_SEQ_CST);
}

/* The driver. */
static struct device_table *device_of(struct hmm_mirror *mirror)
{
	return container_of(mirror, struct driver_mirror, mirror)->device;
}

static bool driver_invalidate(struct hmm_mirror *mirror,
			      const struct hmm_invalidation *inv)
{
	struct device_table *device = device_of(mirror);
	unsigned long addr;

	must(!READ_ONCE(device->released), "invalidate is called after release");
	must(!READ_ONCE(device->ended), "invalidate is called after hmm_mirror_exit()");
	if (!inv->may_block && rnd(2))
		return false;
	if (inv->range)
		must(hmm_span_has(inv->range->span, inv->span.start),
		     "an invalidation is of another range");
	device->guarded[page_index(inv->span.start) / RANGE_PAGES]++;
	for (addr = inv->span.start; addr < inv->span.end; addr += PAGE_SIZE)
		store(&device->pfn[page_index(addr)], 0);
	return true;
}

/* A device whose TLB has its pages until the second pass. */
static bool driver_start(struct hmm_mirror *mirror, const struct hmm_invalidation *inv)
{
	struct device_table *device = device_of(mirror);
	unsigned long addr, i, pfn;

	must(!READ_ONCE(device->released), "invalidate is called after release");
	must(!READ_ONCE(device->ended), "invalidate is called after hmm_mirror_exit()");
	if (!inv->may_block && rnd(2))
		return false;
	device->guarded[page_index(inv->span.start) / RANGE_PAGES]++;
	for (addr = inv->span.start; addr < inv->span.end; addr += PAGE_SIZE) {
		i = page_index(addr);
		pfn = load(&device->pfn[i]);
		if (pfn)
			store(&device->tlb[i], pfn);
		store(&device->pfn[i], 0);
	}
	return true;
}

static void driver_finish(struct hmm_mirror *mirror, const struct hmm_invalidation *inv)
{
	struct device_table *device = device_of(mirror);
	unsigned long addr, pfn;

	must(!READ_ONCE(device->released), "invalidate_finish is called after release");
	must(!READ_ONCE(device->ended), "invalidate_finish is called after hmm_mirror_exit()");
	if (inv->range)
		must(hmm_span_has(inv->range->span, inv->span.start),
		     "a second pass is of another range");
	device->guarded[page_index(inv->span.start) / RANGE_PAGES]++;
	for (addr = inv->span.start; addr < inv->span.end; addr += PAGE_SIZE) {
		pfn = load(&device->tlb[page_index(addr)]);
		must(!pfn || READ_ONCE(live[pfn - MODEL_RAM_PFN]),
		     "a page was freed that the TLB of a device has");
		store(&device->tlb[page_index(addr)], 0);
	}
}

static void driver_release(struct hmm_mirror *mirror)
{
	struct device_table *device = device_of(mirror);
	unsigned long i;

	must(!READ_ONCE(device->ended), "release is called after hmm_mirror_exit()");
	must(!READ_ONCE(device->released), "release is called twice");
	WRITE_ONCE(device->released, true);
	for (i = 0; i < NR_PAGES; i++)
		must(!load(&device->pfn[i]) && !load(&device->tlb[i]),
		     "the device has a page at release");
}

static const struct hmm_mirror_ops driver_ops = {
	.invalidate = driver_invalidate,
	.release = driver_release,
};

static const struct hmm_mirror_ops driver_ops_two_passes = {
	.invalidate = driver_start,
	.invalidate_finish = driver_finish,
	.release = driver_release,
};

/* The kernel: faults, and pages for a device alone. */
static void invalidate(unsigned long first, unsigned long nr,
		       enum mmu_notifier_event event, void *who, bool free);

int hmm_range_fault_vma_retry(struct hmm_range *range, struct hmm_fault_waits *waits)
{
	unsigned long addr, i, pfn, new;

	for (addr = range->start; addr < range->end; addr += PAGE_SIZE) {
		i = page_index(addr);
		maybe_yield();
		if (mmu_interval_check_retry(range->notifier, range->notifier_seq))
			return -EBUSY;
		if (!rnd(100)) {
			waits->dropped = addr;
			return -EAGAIN;
		}
		/* The device that has it alone loses it first. */
		if (range->default_flags && READ_ONCE(p.exclusive[i])) {
			mutex_lock(&p.folio[i]);
			invalidate(i, 1, MMU_NOTIFY_EXCLUSIVE, NULL, false);
			mutex_unlock(&p.folio[i]);
			return -EBUSY;
		}
		pfn = load(&p.pfn[i]);
		if (!pfn && range->default_flags) {
			new = alloc_page();
			if (__atomic_compare_exchange_n(&p.pfn[i], &pfn, new, false,
							__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
				pfn = new;
			else
				free_page(new);
		}
		range->hmm_pfns[i - page_index(range->start)] =
			pfn && !READ_ONCE(p.exclusive[i]) ?
				pfn | HMM_PFN_VALID | HMM_PFN_WRITE : 0;
	}
	return 0;
}

static __thread struct device_table *taker;
static __thread unsigned long taken;

bool fault_wait_killable(struct vm_area_struct *vma, unsigned long addr)
{
	return false;
}

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	return NULL;
}

struct page *make_device_exclusive(struct mm_struct *mm, unsigned long addr,
				   void *who, struct folio **foliop)
{
	unsigned long i = page_index(addr), pfn = load(&p.pfn[i]);
	const struct mmu_notifier_range event = {
		.mm = mm,
		.start = addr,
		.end = addr + PAGE_SIZE,
		.event = MMU_NOTIFY_EXCLUSIVE,
		.blockable = true,
		.owner = who,
	};

	if (!pfn)
		return ERR_PTR(-EBUSY);
	mutex_lock(&p.folio[i]);
	model_invalidate_start(&event);
	if (load(&p.pfn[i]) == pfn)
		WRITE_ONCE(p.exclusive[i], taker);
	else
		pfn = 0;
	model_invalidate_end(&event);
	if (!pfn) {
		mutex_unlock(&p.folio[i]);
		return ERR_PTR(-EBUSY);
	}
	taken = i;
	*foliop = (struct folio *)&p.folio[i];
	return pfn_to_page(pfn);
}

void folio_unlock(struct folio *folio)
{
	mutex_unlock((struct mutex *)folio);
}

void folio_put(struct folio *folio) { }

/* The mmap lock protects nothing in this model. */
int mmap_read_lock_killable(struct mm_struct *mm)
{
	return 0;
}

void mmap_read_unlock(struct mm_struct *mm) { }

/* There are no page tables in this model that could be absent. */
int hmm_section_skip_absent(struct hmm_section *section, struct hmm_span *next)
{
	*next = hmm_span_first(*next, section->nr_pfns);
	return 0;
}

/* All pages are system memory. Of the walker, in a core whose runs end there. */
bool hmm_pagemap_border(unsigned long pfn)
{
	return false;
}

/* No device addresses. */
bool hmm_mirror_dma_unmap_span(struct hmm_mirror *mirror, struct hmm_span span,
			       bool may_block)
{
	return true;
}

void hmm_mirror_dma_end_deferred(struct hmm_mirror_dma *dma)
{
}

bool hmm_mirror_dma_fits(const struct hmm_section *section)
{
	return true;
}

int hmm_mirror_dma_map(const struct hmm_section *section)
{
	return 0;
}

/* No section has device addresses, and so no peers. */
int hmm_section_peers_begin(struct hmm_section *section)
{
	return 0;
}

void hmm_section_peers_end(struct hmm_section *section) { }
void hmm_section_peers_reset(struct hmm_section *section) { }
void hmm_section_peers_again(struct hmm_section *section) { }
void hmm_section_peers_refuse(struct hmm_section *section) { }

/* Change the CPU's page table: the old pages are freed before the invalidation ends. */
static void invalidate(unsigned long first, unsigned long nr,
		       enum mmu_notifier_event event, void *who, bool free)
{
	const struct mmu_notifier_range range = {
		.mm = p.mm,
		.start = BASE + first * PAGE_SIZE,
		.end = BASE + (first + nr) * PAGE_SIZE,
		.event = event,
		.blockable = event != MMU_NOTIFY_CLEAR || rnd(2),
		.owner = who,
	};
	unsigned long i;
	int d;

	if (!model_invalidate_start(&range))
		return;
	for (i = first; i < first + nr; i++) {
		for (d = 0; d < NR_DEVICES; d++)
			must(!p.device[d] || (!load(&p.device[d]->pfn[i]) &&
					      !load(&p.device[d]->tlb[i])),
			     "a device has a page whose invalidation returned");
		WRITE_ONCE(p.exclusive[i], NULL);
		if (free)
			free_page(__atomic_exchange_n(&p.pfn[i], event == MMU_NOTIFY_MIGRATE ?
						      alloc_page() : 0, __ATOMIC_SEQ_CST));
	}
	maybe_yield();
	model_invalidate_end(&range);
	__atomic_add_fetch(&invalidations, 1, __ATOMIC_RELAXED);
}

static void exit_mmap(struct mm_struct *mm)
{
	invalidate(0, NR_PAGES, MMU_NOTIFY_UNMAP, NULL, true);
}

/* The loads are there for ThreadSanitizer. */
static inline void barrier_on(unsigned long val)
{
	__asm__ volatile("" : : "r" (val));
}

/* Map the pages of a section, which are the CPU's at this moment. */
static void map_batch(struct device_table *device, struct hmm_section *pages)
{
	struct hmm_run run = { .span = { pages->batch.start, pages->batch.start } };
	unsigned long i, n, pfn, guarded = 0;
	int d;

	while (hmm_section_run(pages, &run)) {
		if (!(run.flags & HMM_PFN_VALID))
			continue;
		for (n = 0; n < hmm_span_pages(run.span); n++) {
			i = page_index(run.span.start) + n;
			pfn = run.pfn + n;
			must(load(&p.pfn[i]) == pfn, "a section has a pfn that the CPU has not");
			must(READ_ONCE(live[pfn - MODEL_RAM_PFN]),
			     "a section has a page that was freed");
			guarded += device->guarded[i / RANGE_PAGES];
			store(&device->pfn[i], pfn);
			for (d = 0; pages->access == HMM_ACCESS_EXCLUSIVE && d < NR_DEVICES; d++)
				must(!p.device[d] || p.device[d] == device ||
				     !load(&p.device[d]->pfn[i]),
				     "a page that is exclusive to a device is in another one's table");
		}
	}
	barrier_on(guarded);
}

static struct hmm_span random_span(void)
{
	unsigned long first = rnd(NR_PAGES), nr = 1 + rnd(rnd(4) ? 4 : NR_PAGES);

	nr = min(nr, NR_PAGES - first);
	return (struct hmm_span){ BASE + first * PAGE_SIZE, BASE + (first + nr) * PAGE_SIZE };
}

static void do_section(int d)
{
	unsigned long pfns[HMM_SECTION_BATCH];
	struct device_table *device;
	struct hmm_section pages;
	bool inside;
	int error;

	pthread_rwlock_rdlock(&p.open[d]);
	device = p.device[d];
	if (p.closed[d]) {
		pthread_rwlock_unlock(&p.open[d]);
		return;
	}
	taker = device;
	pages = (struct hmm_section){
		.mirror = &device->driver->mirror,
		.span = random_span(),
		.access = rnd(3) ? HMM_ACCESS_WRITE : rnd(2) ? HMM_ACCESS_SNAPSHOT :
							       HMM_ACCESS_EXCLUSIVE,
		.pfns = pfns,
		.nr_pfns = HMM_SECTION_BATCH,
		.timeout = HZ / 10,
	};
	inside = hmm_section_next(&pages);
	if (inside)
		map_batch(device, &pages);
	/* The mirror may end before the section does, but not before it began. */
	pthread_rwlock_unlock(&p.open[d]);
	while (inside) {
		inside = hmm_section_next(&pages);
		if (inside)
			map_batch(device, &pages);
		if (inside && !rnd(10)) {
			hmm_section_leave(&pages);
			break;
		}
	}
	error = hmm_section_error(&pages);
	must(!error || error == -ENOENT || error == -ESRCH || error == -EBUSY,
	     "a section ended with an error that nothing had");
	__atomic_add_fetch(&sections, 1, __ATOMIC_RELAXED);
	if (pages.access == HMM_ACCESS_EXCLUSIVE && !error)
		__atomic_add_fetch(&exclusives, 1, __ATOMIC_RELAXED);
}

/* Ranges of the first device have their own update lock, every other one. */
static bool has_own_lock(int d, int r)
{
	return d == 0 && r % 2;
}

/* The device accesses memory, by its table. */
static void do_access(int d)
{
	unsigned long i = rnd(NR_PAGES), pfn;

	pthread_rwlock_rdlock(&p.open[d]);
	if (!p.closed[d] && !has_own_lock(d, i / RANGE_PAGES)) {
		hmm_mirror_lock(&p.device[d]->driver->mirror);
		pfn = load(&p.device[d]->pfn[i]);
		must(!pfn || pfn == load(&p.pfn[i]), "the device has a pfn that the CPU has not");
		hmm_mirror_unlock(&p.device[d]->driver->mirror);
	}
	pthread_rwlock_unlock(&p.open[d]);
}

static void *device_thread(void *arg)
{
	unsigned long n = (unsigned long)arg;

	state = seed * 16 + n;
	while (!READ_ONCE(p.stop)) {
		do_section(n % NR_DEVICES);
		do_access(n % NR_DEVICES);
	}
	return NULL;
}

static void *cpu_thread(void *arg)
{
	static const enum mmu_notifier_event events[] = {
		MMU_NOTIFY_UNMAP, MMU_NOTIFY_CLEAR, MMU_NOTIFY_MIGRATE,
	};
	unsigned long first, nr;

	state = seed * 16 + 8;
	while (!READ_ONCE(p.stop) && mmget_not_zero(p.mm)) {
		first = rnd(NR_PAGES);
		nr = 1 + rnd(NR_PAGES - first);
		invalidate(first, rnd(4) ? min(nr, 4) : nr, events[rnd(3)], NULL, true);
		mmput_async(p.mm);
		maybe_yield();
		if (!rnd(4))
			usleep(200);
	}
	return NULL;
}

static struct hmm_span span_of_range(int r)
{
	return (struct hmm_span){
		BASE + r * RANGE_PAGES * PAGE_SIZE,
		BASE + (r + 1) * RANGE_PAGES * PAGE_SIZE,
	};
}

static void add_range(int d, int r)
{
	struct device_table *device = p.device[d];
	struct hmm_mirror *mirror = &device->driver->mirror;
	const struct hmm_span span = span_of_range(r);
	int ret;

	device->range[r] = calloc(1, sizeof(*device->range[r]));
	mutex_init(&device->range[r]->update);
	if (has_own_lock(d, r))
		ret = hmm_mirror_range_add_lock(mirror, &device->range[r]->range, span,
						HMM_UPDATE_MUTEX(&device->range[r]->update));
	else
		ret = hmm_mirror_range_add(mirror, &device->range[r]->range, span);
	must(!ret || ret == -ESRCH, "a range cannot be added");
	if (ret) {
		free(device->range[r]);
		device->range[r] = NULL;
	}
}

static void remove_range(int d, int r)
{
	struct device_table *device = p.device[d];
	struct hmm_mirror *mirror = &device->driver->mirror;
	unsigned long i;

	if (rnd(2)) {
		hmm_mirror_range_remove(&device->range[r]->range);
		free(device->range[r]);
	} else if (has_own_lock(d, r)) {
		hmm_mirror_range_remove_deferred(&device->range[r]->range);
		maybe_yield();
		hmm_mirror_synchronize();
		free(device->range[r]);
	} else {
		/* Under the lock its storage may go at once. */
		hmm_mirror_lock(mirror);
		hmm_mirror_range_remove_deferred(&device->range[r]->range);
		free(device->range[r]);
		hmm_mirror_unlock(mirror);
		maybe_yield();
		/* Adding waits until the work item has ended the range. */
		if (rnd(2))
			add_range(d, r);
		else
			device->range[r] = NULL;
		if (device->range[r])
			return;
		hmm_mirror_synchronize();
	}
	device->range[r] = NULL;
	for (i = r * RANGE_PAGES; i < (r + 1) * RANGE_PAGES; i++)
		must(!load(&device->pfn[i]) && !load(&device->tlb[i]),
		     "the device has a page of a range that was removed");
	__atomic_add_fetch(&removals, 1, __ATOMIC_RELAXED);
}

static void toggle_range(int d, int r)
{
	if (p.device[d]->range[r])
		remove_range(d, r);
	else
		add_range(d, r);
}

static bool was_freed;

static void free_driver(struct hmm_mirror *mirror)
{
	free(container_of(mirror, struct driver_mirror, mirror));
	was_freed = true;
}

/* A section drops the last reference to its mirror, with the update lock held. */
static bool exit_in_section(struct hmm_mirror *mirror)
{
	unsigned long pfns[HMM_SECTION_BATCH];
	struct hmm_section pages = {
		.mirror = mirror, .span = random_span(),
		.access = HMM_ACCESS_SNAPSHOT, .timeout = 1,
		.pfns = pfns, .nr_pfns = HMM_SECTION_BATCH,
	};

	if (!hmm_section_next(&pages))
		return false;
	hmm_mirror_exit_deferred(mirror, free_driver);
	maybe_yield();
	hmm_section_leave(&pages);
	return true;
}

/* End the mirror at once, or from a work item. */
static void exit_mirror(struct hmm_mirror *mirror)
{
	unsigned int way = rnd(3);

	was_freed = false;
	if (way == 0) {
		hmm_mirror_exit(mirror);
		free_driver(mirror);
	} else if (way == 1 || !exit_in_section(mirror)) {
		hmm_mirror_exit_deferred(mirror, free_driver);
	}
	hmm_mirror_synchronize();
	must(was_freed, "the deferred end of a mirror was not waited for");
}

/* End a mirror, with the ranges that it has, and free it. */
static void end_mirror(int d)
{
	struct device_table *device = p.device[d];
	int r;

	pthread_rwlock_wrlock(&p.open[d]);
	p.closed[d] = true;
	pthread_rwlock_unlock(&p.open[d]);
	exit_mirror(&device->driver->mirror);
	WRITE_ONCE(device->ended, true);
	must(device->released, "the mirror ended without release");
	for (r = 0; r < NR_PAGES; r++)
		must(!load(&device->pfn[r]), "the device has a page of a mirror that ended");
	for (r = 0; r < NR_RANGES; r++)
		free(device->range[r]);
}

static void *range_thread(void *arg)
{
	int i, d, rounds;

	state = seed * 16 + 9;
	rounds = rnd(50);
	for (i = 0; i < rounds; i++) {
		toggle_range(rnd(NR_DEVICES), rnd(NR_RANGES));
		usleep(rnd(1000));
	}
	for (d = 0; d < NR_DEVICES; d++)
		end_mirror(d);
	return NULL;
}

static void begin_mirror(int d)
{
	struct device_table *device = calloc(1, sizeof(*device));
	int r, ret;

	device->driver = calloc(1, sizeof(*device->driver));
	device->driver->device = device;
	init_rwsem(&device->driver->update);
	pthread_rwlock_init(&p.open[d], NULL);
	p.closed[d] = false;
	ret = d ? hmm_mirror_init_lock(&device->driver->mirror, p.mm,
				       &driver_ops_two_passes, &owner,
				       HMM_UPDATE_RWSEM(&device->driver->update)) :
		  hmm_mirror_init(&device->driver->mirror, p.mm, &driver_ops, &owner);
	must(!ret, "a mirror cannot be begun");
	p.device[d] = device;
	for (r = 0; r < NR_RANGES; r++)
		toggle_range(d, r);
}

static void one_round(void)
{
	void *(*const functions[])(void *) = {
		device_thread, device_thread, device_thread, cpu_thread, range_thread,
	};
	pthread_t thread[ARRAY_SIZE(functions)];
	unsigned long i;

	memset(p.pfn, 0, sizeof(p.pfn));
	memset(p.exclusive, 0, sizeof(p.exclusive));
	p.stop = false;
	p.mm = model_mm_alloc();
	for (i = 0; i < NR_PAGES; i++)
		mutex_init(&p.folio[i]);
	for (i = 0; i < NR_DEVICES; i++)
		begin_mirror(i);
	for (i = 0; i < ARRAY_SIZE(functions); i++)
		pthread_create(&thread[i], NULL, functions[i], (void *)i);
	/* The process ends before, while or after the mirrors do. */
	usleep(rnd(ROUND_USEC));
	__atomic_add_fetch(&p.mm->count, 1, __ATOMIC_SEQ_CST);
	mmput_async(p.mm);
	pthread_join(thread[4], NULL);
	WRITE_ONCE(p.stop, true);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	model_settle();
	must(p.mm->count == 1, "a mirror holds the process that has ended");
	must(!__atomic_load_n(&model_allocated, __ATOMIC_RELAXED),
	     "memory of mirrors that ended is left");
	for (i = 0; i < NR_DEVICES; i++) {
		free(p.device[i]);
		p.device[i] = NULL;
	}
	model_mm_drop(p.mm);
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? atoi(argv[1]) : 5;
	struct duration start = duration_begin(seconds);
	unsigned long rounds = 0;

	seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	printf("# seed %lu\n", seed);
	fflush(stdout);
	model_exit_mmap = exit_mmap;
	for (; !duration_has_passed(&start, seconds, CPU_SHARE); rounds++, seed++) {
		state = seed;
		one_round();
	}
	printf("# %lu processes, %lu sections, %lu pages exclusive, ", rounds, sections,
	       exclusives);
	printf("%lu ranges removed, %lu changes\n", removals, invalidations);
	printf("# figures: operations=%lu\n", sections + removals + invalidations);
	must(rounds && sections > 100 && invalidations > 100 && exclusives, "too little was seen");
	return 0;
}
