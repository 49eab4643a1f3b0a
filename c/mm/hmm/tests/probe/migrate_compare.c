// SPDX-License-Identifier: GPL-2.0
/*
 * Migrate memory of the calling process to device memory or to system memory
 * with either migration engine, and report its src array after each stage.
 *
 * Each engine has its own device memory, so that migrations by pfn find only
 * pages that the same engine migrated.
 */
#include <linux/highmem.h>
#include <linux/hmm_devmem.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "probe.h"

#if IS_ENABLED(CONFIG_HMM_DEVMEM) && IS_ENABLED(CONFIG_HMM_REFERENCE)

#define ENGINE_MEMORY	SZ_16M
#define ENGINE_PAGES	HPAGE_PMD_NR

/**
 * struct engine - device memory of a migration engine: ours or the reference's
 * @memory: device memory of the engine
 * @data: contents of the device memory; NULL before the first migration
 */
struct engine {
	struct hmm_devmem memory;
	void *data;
};

static DEFINE_MUTEX(engines_lock);
static struct engine engines[PROBE_MIGRATE_CORES];

static void *page_map(struct page *page)
{
	if (is_device_private_page(page))
		return hmm_devmem_data(page) + hmm_devmem_offset(page);
	return kmap_local_page(page);
}

static void page_unmap(struct page *page, void *at)
{
	if (!is_device_private_page(page))
		kunmap_local(at);
}

/* Copy from @src, or clear the page if @src is NULL. */
static int engine_copy(struct hmm_devmem *memory, struct page *dst,
		       struct page *src, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i++) {
		void *to = page_map(dst + i), *from;

		if (src) {
			from = page_map(src + i);
			copy_page(to, from);
			page_unmap(src + i, from);
		} else {
			clear_page(to);
		}
		page_unmap(dst + i, to);
	}
	return 0;
}

static int engine_clear(struct hmm_devmem *memory, struct page *page,
			unsigned int order)
{
	return engine_copy(memory, page, NULL, order);
}

static void engine_release(struct hmm_devmem *memory, void *data)
{
	vfree(data);
}

static const struct hmm_devmem_ops engine_ops = {
	.copy = engine_copy,
	.clear = engine_clear,
	.release = engine_release,
};

/* Add the engine's device memory on the first call. */
static int engine_start(struct engine *engine)
{
	int ret;

	if (engine->data)
		return 0;
	engine->memory.type = MEMORY_DEVICE_PRIVATE;
	engine->memory.fault_pages = 1;
	engine->memory.name = "hmm_probe";
	engine->memory.ops = &engine_ops;
	ret = hmm_devmem_init(&engine->memory);
	if (ret)
		return ret;
	engine->data = vzalloc(ENGINE_MEMORY);
	ret = -ENOMEM;
	if (engine->data)
		ret = hmm_devmem_add(&engine->memory, 0, ENGINE_MEMORY, engine->data);
	if (ret) {
		hmm_devmem_exit(&engine->memory);
		vfree(engine->data);
		engine->data = NULL;
	}
	return ret;
}

void probe_engine_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(engines); i++)
		if (engines[i].data)
			hmm_devmem_exit(&engines[i].memory);
}

/**
 * struct migration - a migration in progress
 * @engine: device memory of the engine
 * @core: stages of the engine
 * @ask: the request and its results
 * @args: arguments of the engine; by pfn, only the arrays are used
 * @npages: number of mpfns
 */
struct migration {
	struct engine *engine;
	const struct probe_migrate_core *core;
	struct hmm_probe_engine ask;
	struct migrate_vma args;
	unsigned long npages;
};

/* Return a pseudorandom number per mpfn, the same for both engines. */
static u32 dst_choice(const struct migration *j, unsigned long i)
{
	u64 z = j->ask.stream + i * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	return (z ^ (z >> 27)) >> 24;
}

static struct folio *alloc_dst(struct migration *j, unsigned int order)
{
	struct folio *folio;

	if (j->ask.how & HMM_PROBE_ENGINE_TO_RAM) {
		folio = folio_alloc(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN, order);
		if (folio)
			folio_lock(folio);
		return folio;
	}
	return hmm_devmem_alloc(&j->engine->memory, order);
}

static void set_dst(struct migration *j, unsigned long i, struct page *from,
		    unsigned int order)
{
	struct folio *folio = alloc_dst(j, order);

	if (!folio)
		return;
	engine_copy(NULL, &folio->page, from, order);
	j->args.dst[i] = migrate_pfn(folio_pfn(folio));
	if (order)
		j->args.dst[i] |= MIGRATE_PFN_COMPOUND;
}

/*
 * Set the dst folio of mpfn @i. One mpfn in eight gets none. By address, every
 * other large folio gets small dst folios: always one for the first page, because
 * both engines skip the large folio without it, and for huge holes one for every
 * page, because the reference would dereference NULL. By pfn, a large folio gets a
 * large dst folio or none. Page cache folios, which only the reference collects,
 * get none, so that both engines use the same amount of device memory.
 */
static void set_dst_folio(struct migration *j, unsigned long i)
{
	struct page *from = migrate_pfn_to_page(j->args.src[i]);
	bool by_pfn = j->ask.how & HMM_PROBE_ENGINE_BY_PFN;
	unsigned long nr = 1, k;

	if (!(j->args.src[i] & MIGRATE_PFN_MIGRATE) || !(dst_choice(j, i) % 8))
		return;
	if (from ? !folio_test_anon(page_folio(from)) :
		   j->ask.how & HMM_PROBE_ENGINE_TO_RAM)
		return;
	if (j->args.src[i] & MIGRATE_PFN_COMPOUND)
		nr = from ? folio_nr_pages(page_folio(from)) : HPAGE_PMD_NR;
	if (nr == 1 || by_pfn || dst_choice(j, i) % 16 < 8) {
		set_dst(j, i, from, ilog2(nr));
		return;
	}
	for (k = 0; k < nr && i + k < j->npages; k++)
		if (!k || !from || dst_choice(j, i + k) % 8)
			set_dst(j, i + k, from ? from + k : NULL, 0);
}

static void set_all_dsts(struct migration *j)
{
	unsigned long i;

	for (i = 0; i < j->npages; i++)
		set_dst_folio(j, i);
}

static int by_address(struct migration *j)
{
	struct mm_struct *mm = current->mm;
	unsigned long *stages = j->args.src + 2 * ENGINE_PAGES;

	mmap_read_lock(mm);
	j->args.vma = vma_lookup(mm, j->ask.start);
	if (j->args.vma)
		j->ask.end = min(j->ask.end, (u64)j->args.vma->vm_end);
	j->args.start = j->ask.start;
	j->args.end = j->ask.end;
	j->args.pgmap_owner = j->engine->memory.owner;
	j->args.flags = j->ask.how & HMM_PROBE_ENGINE_TO_RAM ?
			MIGRATE_VMA_SELECT_DEVICE_PRIVATE :
			MIGRATE_VMA_SELECT_SYSTEM;
	if (j->ask.how & HMM_PROBE_ENGINE_COMPOUND)
		j->args.flags |= MIGRATE_VMA_SELECT_COMPOUND;

	j->ask.error = j->core->setup(&j->args);
	if (!j->ask.error) {
		j->npages = j->args.npages;
		j->ask.cpages = j->args.cpages;
		memcpy(stages, j->args.src, j->npages * sizeof(*stages));
	}
	if (!j->ask.error && j->args.cpages) {
		set_all_dsts(j);
		j->core->pages(&j->args);
		memcpy(stages + ENGINE_PAGES, j->args.src,
		       j->npages * sizeof(*stages));
		j->core->finalize(&j->args);
	}
	mmap_read_unlock(mm);
	return 0;
}

/* Migrate the pages in 2 MiB of device memory to system memory. */
static int by_pfn(struct migration *j)
{
	unsigned long *stages = j->args.src + 2 * ENGINE_PAGES;
	struct hmm_devmem_chunk *chunk =
		list_first_entry(&j->engine->memory.chunks,
				 struct hmm_devmem_chunk, list);
	unsigned long pfn = PHYS_PFN(chunk->pagemap.range.start) +
			    j->ask.start * ENGINE_PAGES;

	if (j->ask.start >= ENGINE_MEMORY / HPAGE_PMD_SIZE)
		return -EINVAL;
	j->npages = ENGINE_PAGES;
	j->ask.error = j->core->range(j->args.src, pfn, j->npages);
	memcpy(stages, j->args.src, j->npages * sizeof(*stages));
	set_all_dsts(j);
	j->core->device_pages(j->args.src, j->args.dst, j->npages);
	memcpy(stages + ENGINE_PAGES, j->args.src, j->npages * sizeof(*stages));
	j->core->device_finalize(j->args.src, j->args.dst, j->npages);
	return 0;
}

static int run_migration(struct migration *j)
{
	u64 __user *mpfns = u64_to_user_ptr(j->ask.mpfns);
	unsigned long size = ENGINE_PAGES * sizeof(u64);
	int ret;

	ret = engine_start(j->engine);
	if (ret)
		return ret;
	ret = j->ask.how & HMM_PROBE_ENGINE_BY_PFN ? by_pfn(j) : by_address(j);
	if (ret)
		return ret;
	j->ask.npages = j->npages;
	return copy_to_user(mpfns, j->args.src + 2 * ENGINE_PAGES, 2 * size) ?
	       -EFAULT : 0;
}

long probe_engine(struct hmm_probe_engine __user *user)
{
	struct migration j = {};
	long ret;

	if (copy_from_user(&j.ask, user, sizeof(j.ask)))
		return -EFAULT;
	if (j.ask.core >= ARRAY_SIZE(engines))
		return -EINVAL;
	if (!(j.ask.how & HMM_PROBE_ENGINE_BY_PFN) &&
	    (!PAGE_ALIGNED(j.ask.start | j.ask.end) ||
	     j.ask.start >= j.ask.end ||
	     j.ask.end - j.ask.start > HPAGE_PMD_SIZE))
		return -EINVAL;

	j.engine = &engines[j.ask.core];
	j.core = &probe_migrate_cores[j.ask.core];
	/* The src and dst arrays, and copies of src after two stages. */
	j.args.src = kvcalloc(4 * ENGINE_PAGES, sizeof(*j.args.src), GFP_KERNEL);
	if (!j.args.src)
		return -ENOMEM;
	j.args.dst = j.args.src + ENGINE_PAGES;
	scoped_guard(mutex, &engines_lock)
		ret = run_migration(&j);
	kvfree(j.args.src);
	if (ret)
		return ret;
	return copy_to_user(user, &j.ask, sizeof(j.ask)) ? -EFAULT : 0;
}

u32 probe_engine_has(void)
{
	return HMM_PROBE_HAS_ENGINES;
}

#else

long probe_engine(struct hmm_probe_engine __user *user)
{
	return -EOPNOTSUPP;
}

u32 probe_engine_has(void)
{
	return 0;
}

void probe_engine_exit(void)
{
}

#endif
