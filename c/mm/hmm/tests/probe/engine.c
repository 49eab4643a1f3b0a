// SPDX-License-Identifier: GPL-2.0
/*
 * A migration of the calling process's memory to device memory or home, by
 * either engine, with what its stages say.
 *
 * Each engine has device memory of its own, so that one finds what it left
 * there, and nothing of the other's.
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
 * struct engine - one of the two
 * @memory: its device memory
 * @data: what is in it; NULL while there is none
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

/* From @src, or zeros where that is NULL. */
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

/* Gives an engine its memory, the first time. */
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
	if (!engine->data)
		return -ENOMEM;
	ret = hmm_devmem_add(&engine->memory, 0, ENGINE_MEMORY, engine->data);
	if (ret) {
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
 * struct journey - a migration in progress
 * @engine: by which engine
 * @core: its stages
 * @ask: what was asked for
 * @args: the request; by pfn only its arrays are used
 * @npages: how many mpfns there are
 */
struct journey {
	struct engine *engine;
	const struct probe_migrate_core *core;
	struct hmm_probe_engine ask;
	struct migrate_vma args;
	unsigned long npages;
};

/* A number for each mpfn that both engines get alike. */
static u32 fate(const struct journey *j, unsigned long i)
{
	u64 z = j->ask.stream + i * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	return (z ^ (z >> 27)) >> 24;
}

static struct folio *new_place(struct journey *j, unsigned int order)
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

static void give_place(struct journey *j, unsigned long i, struct page *from,
		       unsigned int order)
{
	struct folio *folio = new_place(j, order);

	if (!folio)
		return;
	engine_copy(NULL, &folio->page, from, order);
	j->args.dst[i] = migrate_pfn(folio_pfn(folio));
	if (order)
		j->args.dst[i] |= MIGRATE_PFN_COMPOUND;
}

/*
 * By address every eighth mpfn gets no place, and of the large ones every other
 * gets small places, where the first is never missing: without it the rest is
 * not looked at. For a huge hole none is: the reference would follow a NULL
 * pointer. By pfn a large page gets a large place or none. The page cache, which the
 * reference alone collects, gets none: from then on the memories of the two devices
 * would be used differently.
 */
static void give_places(struct journey *j, unsigned long i)
{
	struct page *from = migrate_pfn_to_page(j->args.src[i]);
	bool by_pfn = j->ask.how & HMM_PROBE_ENGINE_BY_PFN;
	unsigned long nr = 1, k;

	if (!(j->args.src[i] & MIGRATE_PFN_MIGRATE) || !(fate(j, i) % 8))
		return;
	if (from ? !folio_test_anon(page_folio(from)) :
		   j->ask.how & HMM_PROBE_ENGINE_TO_RAM)
		return;
	if (j->args.src[i] & MIGRATE_PFN_COMPOUND)
		nr = from ? folio_nr_pages(page_folio(from)) : HPAGE_PMD_NR;
	if (nr == 1 || by_pfn || fate(j, i) % 16 < 8) {
		give_place(j, i, from, ilog2(nr));
		return;
	}
	for (k = 0; k < nr && i + k < j->npages; k++)
		if (!k || !from || fate(j, i + k) % 8)
			give_place(j, i + k, from ? from + k : NULL, 0);
}

static void fill_places(struct journey *j)
{
	unsigned long i;

	for (i = 0; i < j->npages; i++)
		give_places(j, i);
}

static int by_address(struct journey *j)
{
	struct mm_struct *mm = current->mm;
	unsigned long *told = j->args.src + 2 * ENGINE_PAGES;

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
		memcpy(told, j->args.src, j->npages * sizeof(*told));
	}
	if (!j->ask.error && j->args.cpages) {
		fill_places(j);
		j->core->pages(&j->args);
		memcpy(told + ENGINE_PAGES, j->args.src,
		       j->npages * sizeof(*told));
		j->core->finalize(&j->args);
	}
	mmap_read_unlock(mm);
	return 0;
}

/* What is in one table's worth of the device's memory. */
static int by_pfn(struct journey *j)
{
	unsigned long *told = j->args.src + 2 * ENGINE_PAGES;
	struct hmm_devmem_chunk *chunk =
		list_first_entry(&j->engine->memory.chunks,
				 struct hmm_devmem_chunk, list);
	unsigned long pfn = PHYS_PFN(chunk->pagemap.range.start) +
			    j->ask.start * ENGINE_PAGES;

	if (j->ask.start >= ENGINE_MEMORY / HPAGE_PMD_SIZE)
		return -EINVAL;
	j->npages = ENGINE_PAGES;
	j->ask.error = j->core->range(j->args.src, pfn, j->npages);
	memcpy(told, j->args.src, j->npages * sizeof(*told));
	fill_places(j);
	j->core->device_pages(j->args.src, j->args.dst, j->npages);
	memcpy(told + ENGINE_PAGES, j->args.src, j->npages * sizeof(*told));
	j->core->device_finalize(j->args.src, j->args.dst, j->npages);
	return 0;
}

static int travel(struct journey *j)
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
	struct journey j = {};
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
	/* The two arrays of the engine, and copies of the first at two stages. */
	j.args.src = kvcalloc(4 * ENGINE_PAGES, sizeof(*j.args.src), GFP_KERNEL);
	if (!j.args.src)
		return -ENOMEM;
	j.args.dst = j.args.src + ENGINE_PAGES;
	scoped_guard(mutex, &engines_lock)
		ret = travel(&j);
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
