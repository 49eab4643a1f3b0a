// SPDX-License-Identifier: GPL-2.0
/*
 * Migrate pages to device memory and to system memory with either migration
 * engine, and measure the time spent in the engine.
 *
 * The device memory has no contents and nothing is copied. Allocating and
 * freeing pages, which is the driver's work, is not counted.
 */
#include <linux/hmm_devmem.h>
#include <linux/hmm_migrate.h>
#include <linux/ktime.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "probe.h"

#define MOVE_MEMORY	(256UL << 20)
#define MOVE_BATCH	PTRS_PER_PTE

const struct probe_migrate_core probe_migrate_cores[PROBE_MIGRATE_CORES] = {
	[HMM_PROBE_CORE] = {
		.setup = migrate_vma_setup,
		.pages = migrate_vma_pages,
		.finalize = migrate_vma_finalize,
		.range = migrate_device_range,
		.device_pages = migrate_device_pages,
		.device_finalize = migrate_device_finalize,
	},
#if IS_ENABLED(CONFIG_HMM_REFERENCE)
	[HMM_PROBE_REFERENCE] = {
		.setup = ref_migrate_vma_setup,
		.pages = ref_migrate_vma_pages,
		.finalize = ref_migrate_vma_finalize,
		.range = ref_migrate_device_range,
		.device_pages = ref_migrate_device_pages,
		.device_finalize = ref_migrate_device_finalize,
	},
#endif
};

/**
 * struct move - a timed migration
 * @args: arguments of the engine; its arrays are @src and @dst
 * @core: stages of the engine
 * @out: to device memory; otherwise to system memory
 * @engine_ns: time in the engine
 * @driver_ns: time in the code that stands for a driver
 * @pages: number of pages migrated
 * @src: src mpfns of one PMD range
 * @dst: dst mpfns of one PMD range
 */
struct move {
	struct migrate_vma args;
	const struct probe_migrate_core *core;
	bool out;
	u64 engine_ns;
	u64 driver_ns;
	u64 pages;
	unsigned long src[MOVE_BATCH];
	unsigned long dst[MOVE_BATCH];
};

static int no_copy(struct hmm_devmem *devmem, struct page *dst,
		   struct page *src, unsigned int order)
{
	return 0;
}

static int no_clear(struct hmm_devmem *devmem, struct page *page,
		    unsigned int order)
{
	return 0;
}

static const struct hmm_devmem_ops memory_ops = {
	.copy = no_copy,
	.clear = no_clear,
};

/* The device memory; its migrate_to_ram is replaced to use either engine. */
static struct hmm_devmem memory = {
	.type = MEMORY_DEVICE_PRIVATE,
	.name = "hmm_probe",
	.ops = &memory_ops,
};

static struct dev_pagemap *pagemap;
static const struct dev_pagemap_ops *pagemap_ops;
static struct dev_pagemap_ops pagemap_ops_timed;

/* Serialises requests that measure CPU faults, and their state. */
static DEFINE_MUTEX(fault_lock);
static struct move *fault_move;
static unsigned long fault_pages;

static unsigned int mpfn_order(unsigned long mpfn)
{
	struct page *page = migrate_pfn_to_page(mpfn);

	if (!(mpfn & MIGRATE_PFN_COMPOUND))
		return 0;
	return page ? folio_order(page_folio(page)) : HPAGE_PMD_ORDER;
}

static struct folio *alloc_dst(const struct move *move, unsigned long i)
{
	unsigned int order = mpfn_order(move->src[i]);
	struct folio *folio;

	if (move->out)
		return hmm_devmem_alloc(&memory, order);
	folio = vma_alloc_folio(GFP_HIGHUSER_MOVABLE, order, move->args.vma,
				move->args.start + (i << PAGE_SHIFT));
	if (folio)
		folio_lock(folio);
	return folio;
}

static void alloc_dsts(struct move *move)
{
	unsigned long i;

	for (i = 0; i < move->args.npages; i++) {
		struct folio *folio;

		if (!(move->src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		if (!move->out && !(move->src[i] & MIGRATE_PFN_VALID))
			continue;
		folio = alloc_dst(move, i);
		if (!folio)
			continue;
		move->dst[i] = migrate_pfn(folio_pfn(folio)) |
			       (move->src[i] & MIGRATE_PFN_COMPOUND);
	}
}

/*
 * Count the migrated pages after commit, and take a reference on the src pages, so
 * that finalize does not free them while its time is measured.
 */
static void hold_sources(struct move *move)
{
	unsigned long i;

	for (i = 0; i < move->args.npages; i++) {
		struct page *page = migrate_pfn_to_page(move->src[i]);

		if (!(move->src[i] & MIGRATE_PFN_MIGRATE))
			continue;
		move->pages += 1UL << mpfn_order(move->src[i]);
		if (page)
			get_page(page);
	}
}

static void free_sources(struct move *move)
{
	unsigned long i;

	for (i = 0; i < move->args.npages; i++) {
		struct page *page = migrate_pfn_to_page(move->src[i]);

		if (page && (move->src[i] & MIGRATE_PFN_MIGRATE))
			put_page(page);
	}
}

/*
 * Migrate the part of a span that is in one VMA and under one PMD. Of the seven
 * readings of the clock, the engine runs between an even one and the next.
 */
static int move_batch(struct move *move)
{
	const struct probe_migrate_core *core = move->core;
	u64 at[7] = { ktime_get_ns() };
	int ret = core->setup(&move->args);

	at[1] = ktime_get_ns();
	if (ret || !move->args.cpages) {
		move->engine_ns += at[1] - at[0];
		return ret;
	}
	alloc_dsts(move);
	at[2] = ktime_get_ns();
	core->pages(&move->args);
	at[3] = ktime_get_ns();
	hold_sources(move);
	at[4] = ktime_get_ns();
	core->finalize(&move->args);
	at[5] = ktime_get_ns();
	free_sources(move);
	at[6] = ktime_get_ns();

	move->engine_ns += at[1] - at[0] + at[3] - at[2] + at[5] - at[4];
	move->driver_ns += at[2] - at[1] + at[4] - at[3] + at[6] - at[5];
	return 0;
}

static int move_span(struct move *move, unsigned long start, unsigned long end)
{
	int ret = 0;

	mmap_read_lock(current->mm);
	for (; !ret && start < end; start = move->args.end) {
		struct vm_area_struct *vma = vma_lookup(current->mm, start);

		if (!vma) {
			ret = -EFAULT;
			break;
		}
		move->args.vma = vma;
		move->args.start = start;
		move->args.end = min(pmd_addr_end(start, end), vma->vm_end);
		ret = move_batch(move);
	}
	mmap_read_unlock(current->mm);
	return ret;
}

static unsigned long select_flags(const struct hmm_probe_move *arg, bool out)
{
	unsigned long flags = MIGRATE_VMA_SELECT_DEVICE_PRIVATE;

	if (out)
		flags = MIGRATE_VMA_SELECT_SYSTEM | HMM_MIGRATE_FAULT;
	if (arg->how & HMM_PROBE_MOVE_WHOLE)
		flags |= MIGRATE_VMA_SELECT_COMPOUND | HMM_MIGRATE_ANY_ORDER;
	return flags;
}

static struct move *move_alloc(const struct hmm_probe_move *arg, bool out)
{
	struct move *move = kzalloc(sizeof(*move), GFP_KERNEL);

	if (!move)
		return NULL;
	move->core = &probe_migrate_cores[arg->core];
	move->out = out;
	move->args.src = move->src;
	move->args.dst = move->dst;
	move->args.pgmap_owner = memory.owner;
	move->args.flags = select_flags(arg, out);
	return move;
}

static vm_fault_t fault_migrate(struct move *move, struct vm_fault *vmf,
				unsigned long size)
{
	struct migrate_vma *args = &move->args;

	size = max(size, folio_size(page_folio(vmf->page)));
	args->vma = vmf->vma;
	args->fault_page = vmf->page;
	args->start = max(ALIGN_DOWN(vmf->address, size), vmf->vma->vm_start);
	args->end = min(ALIGN_DOWN(vmf->address, size) + size,
			vmf->vma->vm_end);
	return move_batch(move) ? VM_FAULT_SIGBUS : 0;
}

/* Handle a CPU fault on device memory, whether a request measures it or not. */
static vm_fault_t move_fault(struct vm_fault *vmf)
{
	const struct hmm_probe_move usual = { .how = HMM_PROBE_MOVE_WHOLE };
	struct move *move;
	vm_fault_t ret;

	if (fault_move)
		return fault_migrate(fault_move, vmf, fault_pages << PAGE_SHIFT);
	move = move_alloc(&usual, false);
	if (!move)
		return VM_FAULT_OOM;
	ret = fault_migrate(move, vmf, PAGE_SIZE);
	kfree(move);
	return ret;
}

/*
 * Touch each page with the CPU. The time includes exceptions and the fault
 * handler, but not the code that stands for a driver.
 */
static int move_touch(struct move *move, const struct hmm_probe_move *arg)
{
	unsigned long addr;
	int ret = 0;
	char byte;
	u64 begun;

	guard(mutex)(&fault_lock);
	fault_pages = arg->fault_pages;
	fault_move = move;
	begun = ktime_get_ns();
	for (addr = arg->start; !ret && addr < arg->end; addr += PAGE_SIZE)
		ret = get_user(byte, (char __user *)addr);
	move->engine_ns = ktime_get_ns() - begun - move->driver_ns;
	fault_move = NULL;
	return ret;
}

/* Counts TLB flushes; that slows them down, so times are not measured with it. */
struct flush_counter {
	struct mmu_notifier notifier;
	atomic64_t flushes;
};

static void count_flush(struct mmu_notifier *notifier, struct mm_struct *mm,
			unsigned long start, unsigned long end)
{
	atomic64_inc(&container_of(notifier, struct flush_counter,
				   notifier)->flushes);
}

static const struct mmu_notifier_ops count_flush_ops = {
	.arch_invalidate_secondary_tlbs = count_flush,
};

static int move_do(struct move *move, const struct hmm_probe_move *arg)
{
	if (arg->what == HMM_PROBE_MOVE_TOUCH)
		return move_touch(move, arg);
	return move_span(move, arg->start, arg->end);
}

static int move_counted(struct move *move, struct hmm_probe_move *arg)
{
	struct flush_counter counter = { .notifier.ops = &count_flush_ops };
	int ret;

	if (!(arg->how & HMM_PROBE_MOVE_FLUSHES))
		return move_do(move, arg);
	ret = mmu_notifier_register(&counter.notifier, current->mm);
	if (ret)
		return ret;
	ret = move_do(move, arg);
	mmu_notifier_unregister(&counter.notifier, current->mm);
	arg->flushes = atomic64_read(&counter.flushes);
	return ret;
}

static int memory_begin(void)
{
	struct folio *folio;
	int ret;

	ret = hmm_devmem_init(&memory);
	if (ret)
		return ret;
	ret = hmm_devmem_add(&memory, 0, MOVE_MEMORY, NULL);
	if (ret) {
		hmm_devmem_exit(&memory);
		return ret;
	}
	folio = hmm_devmem_alloc(&memory, 0);
	pagemap = page_pgmap(&folio->page);
	pagemap_ops = pagemap->ops;
	pagemap_ops_timed = *pagemap_ops;
	pagemap_ops_timed.migrate_to_ram = move_fault;
	pagemap->ops = &pagemap_ops_timed;
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

void probe_move_exit(void)
{
	if (!pagemap)
		return;
	pagemap->ops = pagemap_ops;
	hmm_devmem_exit(&memory);
}

static int move_check(const struct hmm_probe_move *arg)
{
	if (arg->core >= ARRAY_SIZE(probe_migrate_cores))
		return -EOPNOTSUPP;
	if (arg->what > HMM_PROBE_MOVE_TOUCH ||
	    arg->how & ~(HMM_PROBE_MOVE_WHOLE | HMM_PROBE_MOVE_FLUSHES))
		return -EINVAL;
	if (!PAGE_ALIGNED(arg->start | arg->end) || arg->start >= arg->end)
		return -EINVAL;
	if (!is_power_of_2(arg->fault_pages) || arg->fault_pages > MOVE_BATCH)
		return -EINVAL;
	guard(mutex)(&fault_lock);
	return pagemap ? 0 : memory_begin();
}

long probe_move(struct hmm_probe_move __user *user)
{
	struct hmm_probe_move arg;
	struct move *move;
	int ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	ret = move_check(&arg);
	if (ret)
		return ret;
	move = move_alloc(&arg, arg.what == HMM_PROBE_MOVE_TO_DEVICE);
	if (!move)
		return -ENOMEM;
	ret = move_counted(move, &arg);
	arg.pages = move->pages;
	arg.ns = move->engine_ns;
	kfree(move);
	if (ret)
		return ret;
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}
