// SPDX-License-Identifier: GPL-2.0
/*
 * Charges of device memory, private and coherent, to the dmem cgroup controller. A test
 * is in the root cgroup, the limit of which no file sets.
 */
#include <kunit/test.h>
#include <linux/cgroup_dmem.h>
#include <linux/delay.h>
#include <linux/hmm_typed.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/page_counter.h>
#include <linux/pagemap.h>

#include "../devmem.h"
#include "fixture_device.h"
#include "fixture_dmem.h"

#define PAGES	64UL
#define SIZE	(PAGES << PAGE_SHIFT)

static struct hmm_devmem_chunk *hmm_test_chunk(struct buffer_device *device)
{
	return list_first_entry(&device->devmem.chunks, struct hmm_devmem_chunk, list);
}

/* What the test's device is charged to; it is there until the memory ends. */
static struct dmem_cgroup_pool_state *pool;

static struct dmem_cgroup_pool_state *hmm_test_pool_of(const struct folio *folio)
{
	struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of(&folio->page);

	return chunk->pools[hmm_devmem_folio_index(chunk, folio)];
}

static void hmm_test_free(struct folio *folio)
{
	folio_unlock(folio);
	folio_put(folio);
}

/*
 * Have a device of the fixture accounted: its memory is removed, and added again. Return
 * the pool of the test's cgroup.
 */
static struct dmem_cgroup_pool_state *hmm_test_account(struct kunit *test,
						       struct buffer_device *device,
						       const char *name)
{
	phys_addr_t start = hmm_test_chunk(device)->pagemap.range.start;
	struct dmem_cgroup_pool_state *found;
	struct folio *folio;

	device->devmem.name = name;
	KUNIT_ASSERT_EQ(test, hmm_devmem_remove(&device->devmem, HZ), 0);
	KUNIT_ASSERT_EQ(test, hmm_devmem_account(&device->devmem, DEVICE_SIZE), 0);
	if (is_coherent(device))
		KUNIT_ASSERT_EQ(test, hmm_devmem_add(&device->devmem, start, DEVICE_SIZE,
						     NULL), 0);
	else
		device->memory = add_buffer(test, device);
	folio = hmm_devmem_alloc(&device->devmem, 0);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	found = hmm_test_pool_of(folio);
	hmm_test_free(folio);
	KUNIT_ASSERT_NOT_NULL(test, found);
	return found;
}

static unsigned long hmm_test_charged(struct dmem_cgroup_pool_state *charged)
{
	/* No limit has room for so much more: all that is charged is too much. */
	return dmem_cgroup_pool_excess(charged, PAGE_COUNTER_MAX) >> PAGE_SHIFT;
}

static void hmm_test_set_max(unsigned long pages)
{
	dmem_cgroup_pool_set_max(pool, (u64)pages << PAGE_SHIFT);
}

static unsigned long map_numbers(struct kunit *test, unsigned long pages)
{
	unsigned long size = pages << PAGE_SHIFT, addr;

	addr = ALIGN(map_anonymous(test, size + HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);
	write_numbers(test, addr, pages);
	return addr;
}

/* Migrate memory with huge pages; skip the test if it has none. */
static unsigned long map_huge_on_device(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE), HPAGE_PMD_SIZE);

	if (is_coherent(device))
		kunit_skip(test, "coherent memory has single pages");
	allow_huge(test, addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, HPAGE_PMD_NR);
	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	if (!folio_test_large(page_folio(device_page(device, 0))))
		kunit_skip(test, "no huge page could be allocated");
	return addr;
}

static void migrate_back(struct kunit *test, unsigned long addr, unsigned long pages)
{
	struct buffer_device *device = test->priv;

	KUNIT_EXPECT_GE(test, migrate_to_ram(device, addr, pages << PAGE_SHIFT), 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, pages), pages);
}

static void wait_for_slices(void)
{
	msleep(2 * HMM_DEVMEM_SLICE_MS);
}

static void account_refuses(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	struct hmm_devmem *devmem = kunit_kzalloc(test, sizeof(*devmem), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, devmem);
	KUNIT_EXPECT_EQ(test, hmm_devmem_account(&device->devmem, DEVICE_SIZE), -EBUSY);
	devmem->type = MEMORY_DEVICE_PRIVATE;
	devmem->ops = &buffer_device_ops;
	devmem->name = "two parts";
	KUNIT_ASSERT_EQ(test, hmm_devmem_init(devmem), 0);
	KUNIT_EXPECT_EQ(test, hmm_devmem_account(devmem, DEVICE_SIZE), -EINVAL);
	devmem->name = "devmem_kunit_refused";
	KUNIT_EXPECT_EQ(test, hmm_devmem_account(devmem, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, hmm_devmem_account(devmem, DEVICE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, hmm_devmem_account(devmem, DEVICE_SIZE), -EBUSY);
	hmm_devmem_exit(devmem);
}

/* What a driver allocates is charged to its own cgroup, until it is freed. */
static void charge_alloc(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned int order = is_coherent(device) ? 0 : HPAGE_PMD_ORDER;
	struct folio *one = hmm_devmem_alloc(&device->devmem, 0);
	struct folio *other = hmm_devmem_alloc(&device->devmem, order);

	KUNIT_ASSERT_NOT_NULL(test, one);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 1 + (1UL << order));
	hmm_test_set_max(hmm_test_charged(pool));
	KUNIT_EXPECT_NULL(test, hmm_devmem_alloc(&device->devmem, 0));
	hmm_test_free(one);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 1UL << order);
	hmm_test_free(other);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);

	/* Nothing remains charged of what could not be allocated. */
	dmem_cgroup_pool_set_max(pool, PAGE_COUNTER_MAX);
	KUNIT_EXPECT_NULL(test, hmm_devmem_alloc(&device->devmem, HPAGE_PMD_ORDER + 1));
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 0);
	KUNIT_EXPECT_NULL(test, hmm_devmem_alloc(&device->devmem, 0));
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
	hmm_devmem_resume(&device->devmem);
}

/* Pages that migrate are charged until they have migrated back, or were unmapped. */
static void charge_migration(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES);

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	migrate_back(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES - 1);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&device->devmem), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
	hmm_devmem_resume(&device->devmem);
}

/* Holes get device memory, which is charged likewise. */
static void charge_holes(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_anonymous(test, SIZE);

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
}

/* Each piece of a folio that is split keeps its part of the charge. */
static void charge_split(struct kunit *test)
{
	unsigned long addr = map_huge_on_device(test), half = HPAGE_PMD_NR / 2;
	struct buffer_device *device = test->priv;

	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, migrate_to_ram(device, addr, HPAGE_PMD_SIZE / 2), half);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), half);
	migrate_back(test, addr, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
}

/* A folio of which a part was unmapped is charged as a whole, as it is not free. */
static void charge_partly_unmapped(struct kunit *test)
{
	unsigned long addr = map_huge_on_device(test), half = HPAGE_PMD_SIZE / 2;

	KUNIT_EXPECT_EQ(test, vm_munmap(addr + half, half), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool),
			DEVICE_PAGES - available(test->priv));
	migrate_back(test, addr, HPAGE_PMD_NR / 2);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
}

/* What was charged for a page that does not migrate is uncharged. */
static void charge_fails(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES);

	device->broken = true;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
	device->broken = false;
	device->fail_once = true;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES - 1);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES - 1);
	migrate_back(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
}

/* Pages that migrate one by one, as their folio could not be copied, are all charged. */
static void charge_copied_singly(struct kunit *test)
{
	unsigned long addr = map_huge_on_device(test);
	struct buffer_device *device = test->priv;

	migrate_back(test, addr, HPAGE_PMD_NR);
	device->small = true;
	hmm_test_set_max(HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), HPAGE_PMD_NR);
	device->small = false;
	migrate_back(test, addr, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
}

/* A migration in steps is charged when it begins, and uncharged if it is not completed. */
static void charge_steps(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES);

	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem,
								 current->mm,
								 span_of(addr, SIZE));

		KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	}
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem,
								 current->mm,
								 span_of(addr, SIZE));
		CLASS(hmm_devmem_migration_copied, copied)(&collected);

		KUNIT_EXPECT_EQ(test, 0, hmm_devmem_migration_copied_error(&copied));
		KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	}
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	migrate_back(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
}

/*
 * A migration in steps that ends after a batch which the device could not copy: nothing
 * stays charged.
 */
static void charge_steps_of_broken_batch(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES);

	device->broken = true;
	{
		CLASS(hmm_devmem_migration_collected, collected)(&device->devmem,
								 current->mm,
								 span_of(addr, SIZE));
		CLASS(hmm_devmem_migration_copied, copied)(&collected);

		KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	}
	device->broken = false;
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/*
 * A task that is killed makes no room below a limit any more, and others need not wait, as
 * they do after a pass that found nothing.
 */
static void limit_killed(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES);

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	wait_for_slices();
	set_killed(true);
	KUNIT_EXPECT_FALSE(test, hmm_devmem_reclaim_pool(&device->devmem, pool, PAGES,
							 jiffies));
	hmm_devmem_reclaim(&device->devmem, ULONG_MAX, jiffies);
	KUNIT_EXPECT_FALSE(test, time_before(jiffies,
					     device->devmem.reclaim_paused_until));
	set_killed(false);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	KUNIT_EXPECT_TRUE(test, hmm_devmem_reclaim_pool(&device->devmem, pool, PAGES,
							jiffies));
	migrate_back(test, addr, PAGES);
}

/* A retired page is not charged, whether it was copied or is lost. */
static void charge_retired(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES);
	struct page *page;

	KUNIT_ASSERT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	page = device_page(device, 5);
	KUNIT_EXPECT_EQ(test, hmm_devmem_retire(&device->devmem, hmm_devmem_data(page),
						hmm_devmem_offset(page)), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES - 1);
	/* The page that was retired is in use for the bitmap that device_page() reads. */
	page = device_page(device, 7);
	device->bad = page;
	KUNIT_EXPECT_EQ(test, hmm_devmem_retire(&device->devmem, hmm_devmem_data(page),
						hmm_devmem_offset(page)), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES - 2);
	device->bad = NULL;
	KUNIT_EXPECT_EQ(test, vm_munmap(addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
}

/* From one device's memory to another's, the charge goes to the other's region. */
static void charge_other_device(struct kunit *test)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	struct dmem_cgroup_pool_state *others =
		hmm_test_account(test, other, "devmem_kunit_other");
	unsigned long addr = map_numbers(test, PAGES);

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(other, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(others), PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(others), 0);
	hmm_devmem_exit(&other->devmem);
}

/*
 * Pages of another device stay there while the limit allows none of them. If pages that
 * are charged below it make room, they do not.
 */
static void limit_keeps_others(struct kunit *test)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	unsigned long addr = map_numbers(test, PAGES), second = map_numbers(test, PAGES);

	KUNIT_EXPECT_EQ(test, migrate_to(other, addr, SIZE), PAGES);
	wait_for_slices();
	hmm_test_set_max(0);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, available(other), DEVICE_PAGES - PAGES);
	KUNIT_EXPECT_EQ(test, other->copies, PAGES);
	hmm_test_set_max(PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, second, SIZE), PAGES);
	wait_for_slices();
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, available(other), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, second, PAGES), PAGES);
	migrate_back(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
	hmm_devmem_exit(&other->devmem);
}

/* Of pages that hit the limit, those migrate that it allows. */
static void limit_stops(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES);

	hmm_test_set_max(0);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
	hmm_test_set_max(PAGES / 2 + 3);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES / 2 + 3);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES / 2 + 3);
	migrate_back(test, addr, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
}

/* A folio that is larger than what the limit allows migrates in part, by single pages. */
static void limit_splits(struct kunit *test)
{
	unsigned long addr = map_huge_on_device(test), pages = HPAGE_PMD_NR / 2;
	struct buffer_device *device = test->priv;

	migrate_back(test, addr, HPAGE_PMD_NR);
	hmm_test_set_max(pages);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, HPAGE_PMD_SIZE), pages);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), pages);
	migrate_back(test, addr, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
}

/* Pages that are charged below the limit make room, and only as many as are needed. */
static void limit_makes_room(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES), second = map_numbers(test, PAGES);

	hmm_test_set_max(PAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	wait_for_slices();
	KUNIT_EXPECT_EQ(test, migrate_to(device, second, SIZE / 4), PAGES / 4);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	/* The rest of the first ones is there still, and may not make room again yet. */
	KUNIT_EXPECT_EQ(test, available(device), DEVICE_PAGES - PAGES);
	wait_for_slices();
	KUNIT_EXPECT_EQ(test, migrate_to(device, second, SIZE), PAGES - PAGES / 4);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	migrate_back(test, second, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
}

/* A limit that was lowered below what is charged is met by the next request. */
static void limit_lowered(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES), second = map_numbers(test, PAGES);

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	hmm_test_set_max(PAGES / 4);
	wait_for_slices();
	KUNIT_EXPECT_EQ(test, migrate_to(device, second, PAGE_SIZE), 1);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES / 4);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	migrate_back(test, second, PAGES);
}

/* Have all pauses end at a time. */
static void hmm_test_pause_until(struct hmm_devmem *devmem, unsigned long until)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(devmem->limit_pauses); i++)
		devmem->limit_pauses[i].until = until;
}

/*
 * After a pass that made no room below a limit there is none for a while, also if other
 * limits begin to pause meanwhile.
 */
static void limit_pauses(struct kunit *test)
{
	struct buffer_device *device = test->priv, *other = make_buffer_device(test);
	struct hmm_devmem *devmem = &device->devmem;
	struct dmem_cgroup_pool_state *others =
		hmm_test_account(test, other, "devmem_kunit_other");
	unsigned long addr = map_numbers(test, PAGES);

	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, SIZE), PAGES);
	/* Nothing is older than this. */
	KUNIT_EXPECT_FALSE(test, hmm_devmem_reclaim_pool(devmem, pool, 1, jiffies - 10 * HZ));
	hmm_test_pause_until(devmem, jiffies + 10 * HZ);
	/* A limit of which no page is here: it does not pause yet. */
	KUNIT_EXPECT_FALSE(test, hmm_devmem_reclaim_pool(devmem, others, 1, jiffies - 10 * HZ));
	wait_for_slices();
	KUNIT_EXPECT_FALSE(test, hmm_devmem_reclaim_pool(devmem, pool, 1, jiffies));
	hmm_test_pause_until(devmem, jiffies);
	KUNIT_EXPECT_TRUE(test, hmm_devmem_reclaim_pool(devmem, pool, 1, jiffies));
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), PAGES - 1);
	migrate_back(test, addr, PAGES);
	hmm_devmem_exit(&other->devmem);
}

/* The charge of a batch that was abandoned stays until the device has completed it. */
static void charge_killed(struct kunit *test)
{
	struct buffer_device *device = test->priv;
	unsigned long addr = map_numbers(test, PAGES), start;

	device->held = true;
	device->on_batch = kill_requester;
	KUNIT_EXPECT_EQ(test, migrate_to(device, addr, 4 * PAGE_SIZE), 0);
	set_killed(false);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 4);
	release_batches(device);
	for (start = jiffies; hmm_test_charged(pool); msleep(1))
		if (time_after(jiffies, start + 5 * HZ))
			break;
	KUNIT_EXPECT_EQ(test, hmm_test_charged(pool), 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/* When the memory ends, pages that are charged migrate to system memory. */
static void charge_ends(struct kunit *test)
{
	struct buffer_device *other = make_buffer_device(test);
	struct dmem_cgroup_pool_state *others =
		hmm_test_account(test, other, "devmem_kunit_other");
	unsigned long addr = map_numbers(test, PAGES);

	KUNIT_EXPECT_EQ(test, migrate_to(other, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&other->devmem, HZ), 0);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(others), 0);
	other->memory = add_buffer(test, other);
	KUNIT_EXPECT_EQ(test, migrate_to(other, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, hmm_test_charged(others), PAGES);
	hmm_devmem_exit(&other->devmem);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

static struct kunit_case cgroup_cases[] = {
	KUNIT_CASE(account_refuses),
	KUNIT_CASE(charge_alloc),
	KUNIT_CASE(charge_migration),
	KUNIT_CASE(charge_holes),
	KUNIT_CASE(charge_split),
	KUNIT_CASE(charge_partly_unmapped),
	KUNIT_CASE(charge_fails),
	KUNIT_CASE(charge_copied_singly),
	KUNIT_CASE(charge_steps),
	KUNIT_CASE(charge_retired),
	KUNIT_CASE(charge_other_device),
	KUNIT_CASE(charge_ends),
	KUNIT_CASE(limit_keeps_others),
	KUNIT_CASE(limit_stops),
	KUNIT_CASE(limit_splits),
	KUNIT_CASE(limit_makes_room),
	KUNIT_CASE(limit_lowered),
	KUNIT_CASE(limit_pauses),
	KUNIT_CASE(limit_killed),
	{}
};

static struct kunit_case batch_cases[] = {
	KUNIT_CASE(charge_migration),
	KUNIT_CASE(charge_split),
	KUNIT_CASE(charge_copied_singly),
	KUNIT_CASE(charge_killed),
	KUNIT_CASE(charge_steps_of_broken_batch),
	KUNIT_CASE(limit_stops),
	KUNIT_CASE(limit_makes_room),
	{}
};

static int hmm_test_account_init(struct kunit *test, int (*init)(struct kunit *test))
{
	int err = init(test);

	if (!err)
		pool = hmm_test_account(test, test->priv, "devmem_kunit_charged");
	return err;
}

static int private_init(struct kunit *test)
{
	return hmm_test_account_init(test, buffer_device_init);
}

static int coherent_init(struct kunit *test)
{
	return hmm_test_account_init(test, coherent_device_init);
}

static int batch_init(struct kunit *test)
{
	return hmm_test_account_init(test, batch_device_init);
}

static struct kunit_suite private_suite = {
	.name = "hmm_cgroup_private",
	.init = private_init,
	.exit = buffer_device_exit,
	.test_cases = cgroup_cases,
};

static struct kunit_suite coherent_suite = {
	.name = "hmm_cgroup_coherent",
	.init = coherent_init,
	.exit = buffer_device_exit,
	.test_cases = cgroup_cases,
};

static struct kunit_suite batch_suite = {
	.name = "hmm_cgroup_batches",
	.init = batch_init,
	.exit = buffer_device_exit,
	.test_cases = batch_cases,
};

kunit_test_suites(&private_suite, &coherent_suite, &batch_suite);

MODULE_DESCRIPTION("KUnit tests of the charges of device memory");
MODULE_LICENSE("GPL");
