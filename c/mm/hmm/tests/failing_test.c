// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations that fail: each operation is repeated, and of the allocations that it makes
 * the first one fails, then the second one, and so on until it makes no more. Nothing may
 * be lost, and all device memory be free afterwards.
 *
 * At boot the kernel's fault injection spares allocations that may sleep, as most of these
 * may. The selftest `failing` changes that, has the suites run again, and looks at how many
 * allocations have failed. No case is skipped for that: KUnit would skip it again.
 */
#include <kunit/test.h>
#include <linux/find.h>
#include <linux/hmm_mirror_typed.h>
#include <linux/hmm_typed.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/page_counter.h>
#include <linux/sched.h>

#include "../devmem.h"
#include "fixture_device.h"
#include "fixture_dmem.h"

#define PAGES	12UL
#define SIZE	(PAGES << PAGE_SHIFT)
#define HOLES	4UL

/* More allocations than any of the operations makes. */
#define MOST	1000

/**
 * struct failing_mirror - a mirror of the test's process
 * @mirror: the mirror
 * @range: all addresses
 * @section: the section
 */
struct failing_mirror {
	struct hmm_mirror mirror;
	struct hmm_mirror_range range;
	struct hmm_section section;
};

/**
 * struct failing - an operation of which one allocation fails
 * @run: the operation; returns a number of pages, or an error
 * @check: checks what it has left, and brings the memory into the state from before
 * @addr: memory of the test's process
 * @other: another device, or NULL
 * @mirror: a mirror of the test's process, or NULL
 * @result: of @run
 */
struct failing {
	long (*run)(struct kunit *test, struct failing *f);
	void (*check)(struct kunit *test, struct failing *f);
	unsigned long addr;
	struct buffer_device *other;
	struct failing_mirror *mirror;
	long result;
};

/* Return whether an allocation has failed. */
static bool hmm_test_fail(struct kunit *test, struct failing *f, unsigned int nth)
{
	bool failed;

	current->fail_nth = nth;
	f->result = f->run(test, f);
	failed = !current->fail_nth;
	current->fail_nth = 0;
	f->check(test, f);
	return failed;
}

static void hmm_test_fail_each(struct kunit *test, struct failing *f)
{
	unsigned int nth = 1;

	while (nth < MOST && hmm_test_fail(test, f, nth))
		nth++;
	KUNIT_EXPECT_LT(test, nth, MOST);
	kunit_info(test, "%u allocations failed\n", nth - 1);
}

/* Nothing but memory can be missing. */
static void hmm_test_expect_moved(struct kunit *test, const struct failing *f,
				  unsigned long pages)
{
	if (f->result != -ENOMEM)
		KUNIT_EXPECT_TRUE(test, f->result >= 0 && f->result <= (long)pages);
}

/* No page is lost; all are in system memory afterwards. */
static void hmm_test_expect_all(struct kunit *test, unsigned long addr, unsigned long pages)
{
	struct buffer_device *device = test->priv;

	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, pages), pages);
	KUNIT_EXPECT_GE(test, migrate_to_ram(device, addr, pages << PAGE_SHIFT), 0);
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES);
}

/* Numbers in PAGES pages, and room for HOLES that are empty. */
static unsigned long map_numbers(struct kunit *test)
{
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);

	write_numbers(test, addr, PAGES);
	return addr;
}

static void map_on_device(struct kunit *test, struct failing *f)
{
	KUNIT_ASSERT_EQ(test, migrate_to(test->priv, f->addr, SIZE), PAGES);
}

static long run_to_device(struct kunit *test, struct failing *f)
{
	return migrate_to(test->priv, f->addr, SIZE + (HOLES << PAGE_SHIFT));
}

static void check_to_device(struct kunit *test, struct failing *f)
{
	hmm_test_expect_moved(test, f, PAGES + HOLES);
	KUNIT_EXPECT_EQ(test, 0, do_madvise(current->mm, f->addr + SIZE, HOLES << PAGE_SHIFT,
					    MADV_DONTNEED));
	hmm_test_expect_all(test, f->addr, PAGES);
}

/* Pages and holes. */
static void failing_to_device(struct kunit *test)
{
	struct failing f = {
		.run = run_to_device, .check = check_to_device, .addr = map_numbers(test),
	};

	hmm_test_fail_each(test, &f);
}

static long run_to_device_in_steps(struct kunit *test, struct failing *f)
{
	struct hmm_devmem_migration *m;
	long moved;

	m = hmm_devmem_collect(&((struct buffer_device *)test->priv)->devmem, current->mm,
			       span_of(f->addr, SIZE));
	if (IS_ERR(m))
		return PTR_ERR(m);
	hmm_devmem_migration_copy(m);
	hmm_devmem_migration_commit(m);
	moved = hmm_devmem_migration_moved(m);
	hmm_devmem_migration_end(m);
	return moved;
}

static void failing_steps(struct kunit *test)
{
	struct failing f = {
		.run = run_to_device_in_steps, .check = check_to_device,
		.addr = map_numbers(test),
	};

	hmm_test_fail_each(test, &f);
}

static long run_to_ram(struct kunit *test, struct failing *f)
{
	return migrate_to_ram(test->priv, f->addr, SIZE);
}

static void check_to_ram(struct kunit *test, struct failing *f)
{
	hmm_test_expect_moved(test, f, PAGES);
	hmm_test_expect_all(test, f->addr, PAGES);
	map_on_device(test, f);
}

static void failing_to_ram(struct kunit *test)
{
	struct failing f = {
		.run = run_to_ram, .check = check_to_ram, .addr = map_numbers(test),
	};

	map_on_device(test, &f);
	hmm_test_fail_each(test, &f);
}

static long run_eviction(struct kunit *test, struct failing *f)
{
	struct buffer_device *device = test->priv;
	long left = hmm_devmem_evict(&device->devmem);

	hmm_devmem_resume(&device->devmem);
	return left;
}

static void failing_eviction(struct kunit *test)
{
	struct failing f = {
		.run = run_eviction, .check = check_to_ram, .addr = map_numbers(test),
	};

	map_on_device(test, &f);
	hmm_test_fail_each(test, &f);
}

static long run_faults(struct kunit *test, struct failing *f)
{
	unsigned long i, number;
	long failed = 0;

	for (i = 0; i < PAGES; i++)
		if (get_user(number, (unsigned long __user *)(f->addr + i * PAGE_SIZE)))
			failed++;
	return failed;
}

static void check_faults(struct kunit *test, struct failing *f)
{
	KUNIT_EXPECT_LE(test, f->result, 1);
	check_to_ram(test, f);
}

/* Of the CPU. An access fails, for user space is repeated, and others do not notice. */
static void failing_faults(struct kunit *test)
{
	struct failing f = {
		.run = run_faults, .check = check_faults, .addr = map_numbers(test),
	};

	if (is_coherent(test->priv))
		kunit_skip(test, "the CPU does not fault on coherent memory");
	map_on_device(test, &f);
	hmm_test_fail_each(test, &f);
}

static long run_huge(struct kunit *test, struct failing *f)
{
	long out = migrate_to(test->priv, f->addr, HPAGE_PMD_SIZE);

	return out < 0 ? out : migrate_to_ram(test->priv, f->addr, HPAGE_PMD_SIZE);
}

static void check_huge(struct kunit *test, struct failing *f)
{
	hmm_test_expect_moved(test, f, HPAGE_PMD_NR);
	hmm_test_expect_all(test, f->addr, HPAGE_PMD_NR);
	/* It may have been split. */
	KUNIT_EXPECT_EQ(test, 0, do_madvise(current->mm, f->addr, HPAGE_PMD_SIZE,
					    MADV_DONTNEED));
	write_numbers(test, f->addr, HPAGE_PMD_NR);
}

/* A huge page, there and back. */
static void failing_huge(struct kunit *test)
{
	struct failing f = {
		.run = run_huge, .check = check_huge,
		.addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE),
	};

	allow_huge(test, f.addr, HPAGE_PMD_SIZE);
	write_numbers(test, f.addr, HPAGE_PMD_NR);
	hmm_test_fail_each(test, &f);
}

static unsigned long map_huge_hole(struct kunit *test)
{
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);

	allow_huge(test, addr, HPAGE_PMD_SIZE);
	return addr;
}

static long run_huge_hole(struct kunit *test, struct failing *f)
{
	return migrate_to(test->priv, f->addr, HPAGE_PMD_SIZE);
}

static void check_huge_hole(struct kunit *test, struct failing *f)
{
	hmm_test_expect_moved(test, f, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, vm_munmap(f->addr, HPAGE_PMD_SIZE), 0);
	KUNIT_EXPECT_EQ(test, available(test->priv), DEVICE_PAGES);
	/* Without page tables and anon_vma. */
	f->addr = map_huge_hole(test);
}

/* A hole that gets a huge page, or small ones. */
static void failing_huge_hole(struct kunit *test)
{
	struct failing f = {
		.run = run_huge_hole, .check = check_huge_hole, .addr = map_huge_hole(test),
	};

	hmm_test_fail_each(test, &f);
}

static long run_longterm(struct kunit *test, struct failing *f)
{
	struct page *page;
	long pinned = pin_user_pages_fast(f->addr, 1, FOLL_WRITE | FOLL_LONGTERM, &page);

	if (pinned == 1)
		unpin_user_page(page);
	return pinned;
}

static void check_longterm(struct kunit *test, struct failing *f)
{
	if (f->result != -EBUSY && f->result != -EAGAIN)
		hmm_test_expect_moved(test, f, 1);
	hmm_test_expect_all(test, f->addr, PAGES);
	map_on_device(test, f);
}

/* A page is pinned for long: it migrates to system memory, or cannot be pinned. */
static void failing_longterm(struct kunit *test)
{
	struct failing f = {
		.run = run_longterm, .check = check_longterm, .addr = map_numbers(test),
	};

	if (!is_coherent(test->priv))
		kunit_skip(test, "to pin private memory is to fault");
	map_on_device(test, &f);
	hmm_test_fail_each(test, &f);
}

static bool failing_invalidate(struct hmm_mirror *mirror, const struct hmm_invalidation *inv)
{
	return true;
}

static const struct hmm_mirror_ops failing_mirror_ops = {
	.invalidate = failing_invalidate,
};

static long run_section(struct kunit *test, struct failing *f)
{
	struct buffer_device *device = test->priv;
	struct hmm_section *section = &f->mirror->section;

	*section = (struct hmm_section){
		.mirror = &f->mirror->mirror, .span = span_of(f->addr, SIZE),
		.access = HMM_ACCESS_WRITE, .migrate_to = &device->devmem,
	};
	while (hmm_section_next(section))
		;
	return hmm_section_error(section);
}

static void check_section(struct kunit *test, struct failing *f)
{
	if (f->result)
		KUNIT_EXPECT_TRUE(test, f->result == -ENOMEM || f->result == -EFAULT);
	hmm_test_expect_all(test, f->addr, PAGES);
}

/* A section whose pages migrate on the way. */
static void failing_section(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct failing f = {
		.run = run_section, .check = check_section, .addr = map_numbers(test),
		.mirror = kunit_kzalloc(test, sizeof(*f.mirror), GFP_KERNEL),
	};

	KUNIT_ASSERT_NOT_NULL(test, f.mirror);
	KUNIT_ASSERT_EQ(test, hmm_mirror_init(&f.mirror->mirror, current->mm,
					      &failing_mirror_ops, device->devmem.owner), 0);
	KUNIT_ASSERT_EQ(test, hmm_mirror_range_add(&f.mirror->mirror, &f.mirror->range,
						   HMM_SPAN_ALL), 0);
	hmm_test_fail_each(test, &f);
	hmm_mirror_exit(&f.mirror->mirror);
}

static long run_mirror(struct kunit *test, struct failing *f)
{
	struct hmm_mirror *mirror = &f->mirror->mirror;
	int err = hmm_mirror_init(mirror, current->mm, &failing_mirror_ops, NULL);

	if (!err)
		hmm_mirror_exit(mirror);
	/* One that has begun in part ends in a work item, and does not use its storage. */
	memset(mirror, 0xff, sizeof(*mirror));
	hmm_mirror_synchronize();
	return err;
}

static void check_mirror(struct kunit *test, struct failing *f)
{
	KUNIT_EXPECT_TRUE(test, !f->result || f->result == -ENOMEM);
}

/* A mirror begins, and ends. */
static void failing_mirror_begin(struct kunit *test)
{
	struct failing f = {
		.run = run_mirror, .check = check_mirror, .addr = map_numbers(test),
		.mirror = kunit_kzalloc(test, sizeof(*f.mirror), GFP_KERNEL),
	};

	KUNIT_ASSERT_NOT_NULL(test, f.mirror);
	hmm_test_fail_each(test, &f);
}

/* Give the memory a NUMA policy of its own, as mbind() does. */
static void set_policy(struct kunit *test, unsigned long addr)
{
#ifdef CONFIG_NUMA
	struct mempolicy node = {
		.refcnt = ATOMIC_INIT(1),
		.mode = MPOL_BIND,
		.nodes = nodemask_of_node(first_memory_node),
		.home_node = NUMA_NO_NODE,
	};
	struct mempolicy *policy = __mpol_dup(&node);
	struct vm_area_struct *vma;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, policy);
	mmap_write_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	vma_start_write(vma);
	mpol_put(vma->vm_policy);
	vma->vm_policy = policy;
	mmap_write_unlock(current->mm);
#endif
}

static long run_to_other_device(struct kunit *test, struct failing *f)
{
	return migrate_to(f->other, f->addr, SIZE);
}

static void check_to_other_device(struct kunit *test, struct failing *f)
{
	hmm_test_expect_moved(test, f, PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, f->addr, PAGES), PAGES);
	KUNIT_EXPECT_GE(test, migrate_to_ram(f->other, f->addr, SIZE), 0);
	hmm_test_expect_all(test, f->addr, PAGES);
	KUNIT_EXPECT_EQ(test, available(f->other), DEVICE_PAGES);
	map_on_device(test, f);
}

/*
 * To the memory of another device, which cannot copy from this one: the pages come to
 * system memory with the mmap lock released, where the policy of the VMA is for them.
 */
static void failing_fetch(struct kunit *test)
{
	struct failing f = {
		.run = run_to_other_device, .check = check_to_other_device,
		.addr = map_numbers(test), .other = make_buffer_device(test),
	};

	set_policy(test, f.addr);
	map_on_device(test, &f);
	hmm_test_fail_each(test, &f);
	KUNIT_EXPECT_EQ(test, vm_munmap(f.addr, SIZE), 0);
	hmm_devmem_exit(&f.other->devmem);
}

static long run_retire(struct kunit *test, struct failing *f)
{
	struct buffer_device *device = test->priv;
	struct page *page = pfn_to_page(f->result);

	return hmm_devmem_retire(&device->devmem, hmm_devmem_data(page),
				 hmm_devmem_offset(page));
}

/* Find the page that is retired next: the first one that the process has. */
static void choose_retired(struct kunit *test, struct failing *f)
{
	struct buffer_device *device = test->priv;
	struct hmm_devmem_chunk *chunk =
		list_first_entry(&device->devmem.chunks, struct hmm_devmem_chunk, list);
	unsigned long i;

	map_on_device(test, f);
	i = find_next_andnot_bit(chunk->used, chunk->retired, chunk->pages, 0);
	KUNIT_ASSERT_LT(test, i, chunk->pages);
	f->result = hmm_devmem_first_pfn(chunk) + i;
}

static void check_retire(struct kunit *test, struct failing *f)
{
	struct buffer_device *device = test->priv;
	unsigned long retired;

	KUNIT_EXPECT_TRUE(test, !f->result || f->result == -ENOMEM || f->result == -EBUSY);
	KUNIT_EXPECT_EQ(test, right_numbers(test, f->addr, PAGES), PAGES);
	KUNIT_EXPECT_GE(test, migrate_to_ram(device, f->addr, SIZE), 0);
	retired = hmm_devmem_retired(&device->devmem) >> PAGE_SHIFT;
	KUNIT_EXPECT_EQ(test, available(device) + retired, DEVICE_PAGES);
	choose_retired(test, f);
}

/* A page that can be copied is not lost because memory is short once. */
static void failing_retire(struct kunit *test)
{
	struct failing f = {
		.run = run_retire, .check = check_retire, .addr = map_numbers(test),
	};

	choose_retired(test, &f);
	hmm_test_fail_each(test, &f);
}

static long run_add(struct kunit *test, struct failing *f)
{
	struct hmm_devmem *devmem = &f->other->devmem;
	struct folio *folio;
	long err = hmm_devmem_init(devmem);

	if (err)
		return err;
	err = hmm_devmem_account(devmem, DEVICE_SIZE);
	if (!err)
		err = hmm_devmem_add(devmem, 0, DEVICE_SIZE, NULL);
	folio = err ? NULL : hmm_devmem_alloc(devmem, 0);
	if (folio) {
		folio_unlock(folio);
		folio_put(folio);
	}
	hmm_devmem_exit(devmem);
	return err;
}

static void check_add(struct kunit *test, struct failing *f)
{
	if (f->result)
		KUNIT_EXPECT_EQ(test, f->result, -ENOMEM);
	memset(f->other, 0, sizeof(*f->other));
	f->other->devmem.type = MEMORY_DEVICE_PRIVATE;
	f->other->devmem.name = "devmem_kunit_failing";
	f->other->devmem.ops = &buffer_device_ops;
}

/* Device memory begins, is accounted, gets a chunk, of which a page is used, and ends. */
static void failing_add(struct kunit *test)
{
	struct failing f = { .run = run_add, .check = check_add };

	if (is_coherent(test->priv))
		kunit_skip(test, "the same as for private memory");
	f.other = kunit_kzalloc(test, sizeof(*f.other), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f.other);
	check_add(test, &f);
	hmm_test_fail_each(test, &f);
}

#ifdef CONFIG_CGROUP_DMEM
/* Account the memory of a device; return what the test's cgroup is charged to. */
static struct dmem_cgroup_pool_state *hmm_test_account(struct kunit *test,
						       struct buffer_device *device)
{
	struct dmem_cgroup_pool_state *pool;
	struct hmm_devmem_chunk *chunk;
	struct folio *folio;

	device->devmem.name = "devmem_kunit_failing";
	KUNIT_ASSERT_EQ(test, hmm_devmem_remove(&device->devmem, HZ), 0);
	KUNIT_ASSERT_EQ(test, hmm_devmem_account(&device->devmem, DEVICE_SIZE), 0);
	device->memory = add_buffer(test, device);
	folio = hmm_devmem_alloc(&device->devmem, 0);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	chunk = hmm_devmem_chunk_of(&folio->page);
	pool = chunk->pools[hmm_devmem_folio_index(chunk, folio)];
	folio_unlock(folio);
	folio_put(folio);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	return pool;
}

static long run_limit(struct kunit *test, struct failing *f)
{
	return migrate_to(test->priv, f->addr + HPAGE_PMD_SIZE / 2, SIZE);
}

static void check_limit(struct kunit *test, struct failing *f)
{
	unsigned long second = f->addr + HPAGE_PMD_SIZE / 2;

	hmm_test_expect_moved(test, f, PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, second, PAGES), PAGES);
	KUNIT_EXPECT_GE(test, migrate_to_ram(test->priv, second, SIZE), 0);
	hmm_test_expect_all(test, f->addr, PAGES);
	/* Nor is anything charged: there is room for all pages. */
	map_on_device(test, f);
	schedule_timeout_uninterruptible(2 * msecs_to_jiffies(HMM_DEVMEM_SLICE_MS));
}

/* At a limit, pages have to make room: which of them may is noted in a table. */
static void failing_limit(struct kunit *test)
{
	struct failing f = { .run = run_limit, .check = check_limit };
	struct dmem_cgroup_pool_state *pool;

	if (is_coherent(test->priv))
		kunit_skip(test, "the same as for private memory");
	f.addr = map_numbers(test);
	write_numbers(test, f.addr + HPAGE_PMD_SIZE / 2, PAGES);
	pool = hmm_test_account(test, test->priv);
	dmem_cgroup_pool_set_max(pool, (u64)SIZE);
	map_on_device(test, &f);
	schedule_timeout_uninterruptible(2 * msecs_to_jiffies(HMM_DEVMEM_SLICE_MS));
	hmm_test_fail_each(test, &f);
}
#endif

static struct kunit_case failing_cases[] = {
	KUNIT_CASE_SLOW(failing_to_device),
	KUNIT_CASE_SLOW(failing_steps),
	KUNIT_CASE_SLOW(failing_to_ram),
	KUNIT_CASE_SLOW(failing_eviction),
	KUNIT_CASE_SLOW(failing_faults),
	KUNIT_CASE_SLOW(failing_huge),
	KUNIT_CASE_SLOW(failing_huge_hole),
	KUNIT_CASE_SLOW(failing_longterm),
	KUNIT_CASE_SLOW(failing_section),
	KUNIT_CASE_SLOW(failing_mirror_begin),
	KUNIT_CASE_SLOW(failing_fetch),
	KUNIT_CASE_SLOW(failing_retire),
	KUNIT_CASE_SLOW(failing_add),
#ifdef CONFIG_CGROUP_DMEM
	KUNIT_CASE_SLOW(failing_limit),
#endif
	{}
};

static struct kunit_suite private_suite = {
	.name = "hmm_failing_private",
	.init = buffer_device_init,
	.exit = buffer_device_exit,
	.test_cases = failing_cases,
};

static struct kunit_suite batch_suite = {
	.name = "hmm_failing_batches",
	.init = batch_device_init,
	.exit = buffer_device_exit,
	.test_cases = failing_cases,
};

static struct kunit_suite coherent_suite = {
	.name = "hmm_failing_coherent",
	.init = coherent_device_init,
	.exit = buffer_device_exit,
	.test_cases = failing_cases,
};

kunit_test_suites(&private_suite, &batch_suite, &coherent_suite);

MODULE_DESCRIPTION("KUnit tests of allocations that fail");
MODULE_LICENSE("GPL");
