// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of API year 2019's hmm_range_fault() without memory for its copy of the
 * requests, on a fake walk, and of migrate_vma() of 2017 where memory has to be
 * waited for: hmm_2019.c and hmm_2017.c are compiled a second time for them.
 */
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>

#include "fixture_memory.h"
#include "../walk.h"

/* The functions under test, and the fakes that they call. */
#define hmm_mirror_register		nomem_mirror_register
#define hmm_mirror_unregister		nomem_mirror_unregister
#define hmm_range_register		nomem_range_register
#define hmm_range_unregister		nomem_range_unregister
#define hmm_range_wait_until_valid	nomem_range_wait_until_valid
#define hmm_range_valid			nomem_range_valid
#define __hmm2019_range_fault		nomem_range_fault
#define hmm_range_fault_step		nomem_step

#undef kvmemdup
#define kvmemdup			nomem_memdup

#undef EXPORT_SYMBOL
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL(symbol)
#define EXPORT_SYMBOL_GPL(symbol)

#define NPAGES	2
#define VALID	1
#define NONE	0x20

static void *nomem_memdup(const void *src, size_t len, gfp_t gfp)
{
	return NULL;
}

/* How often the fake walk was called. */
static int nomem_steps;

static void nomem_invalidate(unsigned long addr)
{
	struct mmu_notifier_range update;

	mmu_notifier_range_init(&update, MMU_NOTIFY_CLEAR, 0, current->mm, addr,
				addr + PAGE_SIZE);
	mmu_notifier_invalidate_range_start(&update);
	mmu_notifier_invalidate_range_end(&update);
}

/* Reports all pages; the first time only one, which is then invalidated. */
static int nomem_step(struct hmm_range *step, const struct hmm_format *format,
		      bool may_unlock)
{
	unsigned long first = step->start;
	bool once = !nomem_steps++;

	do {
		*step->hmm_pfns++ = VALID;
		step->start += PAGE_SIZE;
	} while (!once && step->start < step->end);
	if (!once)
		return 0;
	nomem_invalidate(first);
	return -EBUSY;
}

#include "../compat/hmm_2019.c"

static int nomem_sync(struct hmm2019_mirror *mirror, const struct mmu_notifier_range *update)
{
	return 0;
}

static const struct hmm2019_mirror_ops nomem_ops = {
	.sync_cpu_device_pagetables = nomem_sync,
};

static const u64 nomem_flags[HMM_PFN_FLAG_MAX] = { VALID, 2, 4 };
static const u64 nomem_values[HMM_PFN_VALUE_MAX] = { 0x10, NONE, 0x40 };

/**
 * struct nomem_device - a mirror and a range of it
 * @mirror: the mirror
 * @range: the range
 * @pfns: its entries
 */
struct nomem_device {
	struct hmm2019_mirror mirror;
	struct hmm2019_range range;
	u64 pfns[NPAGES];
};

static void nomem_exit(void *data)
{
	struct nomem_device *device = data;

	hmm_range_unregister(&device->range);
	hmm_mirror_unregister(&device->mirror);
}

static struct nomem_device *nomem_device(struct kunit *test)
{
	struct nomem_device *device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	unsigned long addr = memory_map(test, NPAGES, PROT_READ | PROT_WRITE);

	KUNIT_ASSERT_NOT_NULL(test, device);
	device->mirror.ops = &nomem_ops;
	mmap_write_lock(current->mm);
	KUNIT_EXPECT_EQ(test, 0, hmm_mirror_register(&device->mirror, current->mm));
	mmap_write_unlock(current->mm);
	device->range = (struct hmm2019_range){
		.start = addr, .end = addr + NPAGES * PAGE_SIZE, .pfns = device->pfns,
		.flags = nomem_flags, .values = nomem_values, .pfn_shift = 12,
	};
	KUNIT_EXPECT_EQ(test, 0, hmm_range_register(&device->range, &device->mirror));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, nomem_exit, device));
	nomem_steps = 0;
	return device;
}

static long nomem_fault(struct nomem_device *device)
{
	long ret;

	mmap_read_lock(current->mm);
	ret = nomem_range_fault(&device->range, 0);
	mmap_read_unlock(current->mm);
	return ret;
}

/* Without a copy of the requests the walk cannot start again, and does not wait. */
static void nomem_requests(struct kunit *test)
{
	struct nomem_device *device = nomem_device(test);
	unsigned long start = jiffies;

	device->range.pfn_flags_mask = VALID;
	KUNIT_EXPECT_EQ(test, -EBUSY, nomem_fault(device));
	KUNIT_EXPECT_EQ(test, 1, nomem_steps);
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, start +
					    msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT / 2)));
	KUNIT_EXPECT_EQ(test, device->pfns[0], (u64)NONE);
	KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)NONE);
}

/* Entries that are no requests need no copy. */
static void nomem_without_requests(struct kunit *test)
{
	struct nomem_device *device = nomem_device(test);

	device->range.default_flags = VALID;
	KUNIT_EXPECT_EQ(test, NPAGES, nomem_fault(device));
	KUNIT_EXPECT_EQ(test, 2, nomem_steps);
	KUNIT_EXPECT_EQ(test, device->pfns[1], (u64)VALID);
}

#if defined(CONFIG_HMM_COMPAT_2017) && defined(CONFIG_DEVICE_MIGRATION)
/* Memory that is not waited for cannot be had. */
static void *nomem_array(size_t nr, size_t size, gfp_t gfp)
{
	return gfp & __GFP_NOFAIL ? kvcalloc(nr, size, gfp) : NULL;
}

/* With arguments: struct migrate_vma keeps its name. */
#define migrate_vma(...)		nomem_migrate_vma(__VA_ARGS__)
#define hmm2017_devmem_add		nomem_devmem_add
#define hmm2017_devmem_remove		nomem_devmem_remove

#undef kvmalloc_array
#define kvmalloc_array			nomem_array

/* <linux/hmm_compat_2017.h> has declared them by their own names. */
static int migrate_vma(const struct migrate_vma_ops *ops, struct vm_area_struct *vma,
		       unsigned long start, unsigned long end,
		       unsigned long *src, unsigned long *dst, void *private);
#ifdef CONFIG_DEVICE_PRIVATE
static __maybe_unused struct hmm2017_devmem *
hmm2017_devmem_add(const struct hmm2017_devmem_ops *ops, struct device *device,
		   unsigned long size);
static __maybe_unused void hmm2017_devmem_remove(struct hmm2017_devmem *devmem);
#endif

#include "../compat/hmm_2017.c"

#define NMIGRATED	(2 * HMM2017_STACK_PAGES)

/* How many pages alloc_and_copy() could have migrated. It migrates none. */
static int nomem_collected;

static void nomem_copy(struct vm_area_struct *vma, const unsigned long *src, unsigned long *dst,
		       unsigned long start, unsigned long end, void *private)
{
	int i;

	for (i = 0; i < NMIGRATED; i++)
		nomem_collected += !!(src[i] & MIGRATE_PFN_MIGRATE);
}

static void nomem_finalize(struct vm_area_struct *vma, const unsigned long *src,
			   const unsigned long *dst, unsigned long start, unsigned long end,
			   void *private)
{
}

static const struct migrate_vma_ops nomem_migrate_ops = {
	.alloc_and_copy = nomem_copy,
	.finalize_and_map = nomem_finalize,
};

/* Linux 4.14 allocated nothing here, so that a driver's fault() expects no -ENOMEM. */
static void nomem_migration(struct kunit *test)
{
	unsigned long addr = memory_map(test, NMIGRATED, PROT_READ | PROT_WRITE);
	unsigned long mpfns[2][NMIGRATED];

	nomem_collected = 0;
	mmap_read_lock(current->mm);
	KUNIT_EXPECT_EQ(test, 0, migrate_vma(&nomem_migrate_ops, vma_lookup(current->mm, addr),
					     addr, addr + NMIGRATED * PAGE_SIZE,
					     mpfns[0], mpfns[1], NULL));
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, NMIGRATED, nomem_collected);
}
#else
static void nomem_migration(struct kunit *test)
{
	kunit_skip(test, "this kernel has no device memory");
}
#endif

static struct kunit_case compat_nomem_cases[] = {
	KUNIT_CASE(nomem_requests),
	KUNIT_CASE(nomem_without_requests),
	KUNIT_CASE(nomem_migration),
	{}
};

static struct kunit_suite compat_nomem_suite = {
	.name = "hmm_compat_nomem",
	.test_cases = compat_nomem_cases,
};

kunit_test_suite(compat_nomem_suite);
