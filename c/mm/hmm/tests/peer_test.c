// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that migrate from one device's memory to another's by one copy, of the device that
 * requests them. What is the same with a stop in system memory is in residency_test.c.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hmm_typed.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "../devmem.h"
#include "fixture_device.h"

#define PAGES	128UL
#define SIZE	(PAGES << PAGE_SHIFT)

/**
 * struct peers - two devices that can copy from each other's memory
 * @from: has the pages at first
 * @to: requests them
 * @batches: both copy in batches
 * @test: the test
 * @left: how many pages were in use after an eviction in the middle of a copy
 * @removed: the result of removing the memory of @from then
 * @bad: the page that is reported as bad meanwhile
 * @reported: the result of that
 * @work: evicts and removes the memory, or reports the page
 * @done: completed when @work is done
 * @release: has the batches copied that @to holds
 */
struct peers {
	struct buffer_device *from;
	struct buffer_device *to;
	bool batches;
	struct kunit *test;
	unsigned long left;
	int removed;
	struct page *bad;
	int reported;
	struct work_struct work;
	struct completion done;
	struct delayed_work release;
};

/* The peers of the test that runs, for callbacks. */
static struct peers *current_peers;

static int peers_init(struct kunit *test)
{
	struct peers *peers = kunit_kzalloc(test, sizeof(*peers), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, peers);
	peers->test = test;
	test->priv = peers;
	current_peers = peers;
	return 0;
}

static int batch_peers_init(struct kunit *test)
{
	int err = peers_init(test);

	((struct peers *)test->priv)->batches = true;
	return err;
}

static void peers_exit(struct kunit *test)
{
	struct peers *peers = test->priv;

	if (!peers)
		return;
	if (peers->to)
		hmm_devmem_exit(&peers->to->devmem);
	if (peers->from)
		hmm_devmem_exit(&peers->from->devmem);
}

static struct peers *make_peers(struct kunit *test, enum memory_type from,
				enum memory_type to)
{
	struct peers *peers = test->priv;

	peers->from = make_peer_device(test, from, peers->batches);
	peers->to = make_peer_device(test, to, peers->batches);
	return peers;
}

static struct peers *make_private_peers(struct kunit *test)
{
	return make_peers(test, MEMORY_DEVICE_PRIVATE, MEMORY_DEVICE_PRIVATE);
}

/* Map pages with their numbers, and migrate them to the first device. */
static unsigned long map_on_first(struct kunit *test, struct peers *peers)
{
	unsigned long addr = map_anonymous(test, SIZE + HPAGE_PMD_SIZE);

	addr = ALIGN(addr, HPAGE_PMD_SIZE);
	write_numbers(test, addr, PAGES);
	KUNIT_ASSERT_EQ(test, migrate_to(peers->from, addr, SIZE), PAGES);
	peers->from->copies = 0;
	return addr;
}

/* All pages have migrated, and the first device has copied none of them. */
static void expect_direct(struct kunit *test, const struct peers *peers,
			  unsigned long pages)
{
	KUNIT_EXPECT_EQ(test, peers->from->copies, 0);
	KUNIT_EXPECT_EQ(test, peers->to->copies, pages);
	KUNIT_EXPECT_EQ(test, available(peers->from), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, available(peers->to), DEVICE_PAGES - pages);
}

/* No page has migrated. */
static void expect_stayed(struct kunit *test, const struct peers *peers)
{
	KUNIT_EXPECT_EQ(test, available(peers->from), DEVICE_PAGES - PAGES);
	KUNIT_EXPECT_EQ(test, available(peers->to), DEVICE_PAGES);
}

static void migrate_back_all(struct kunit *test, const struct peers *peers,
			     unsigned long addr)
{
	migrate_to_ram(peers->from, addr, SIZE);
	migrate_to_ram(peers->to, addr, SIZE);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
	KUNIT_EXPECT_EQ(test, available(peers->from), DEVICE_PAGES);
	KUNIT_EXPECT_EQ(test, available(peers->to), DEVICE_PAGES);
}

/* There and back; the pages stay for a time slice, and count as the process's. */
static void there_and_back(struct kunit *test, enum memory_type from,
			   enum memory_type to)
{
	struct peers *peers = make_peers(test, from, to);
	unsigned long start = jiffies, addr = map_on_first(test, peers), rss;

	rss = get_mm_counter(current->mm, MM_ANONPAGES);
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES);
	KUNIT_EXPECT_GE(test, jiffies - start,
			msecs_to_jiffies(HMM_DEVMEM_SLICE_MS));
	expect_direct(test, peers, PAGES);
	KUNIT_EXPECT_EQ(test, get_mm_counter(current->mm, MM_ANONPAGES), rss);

	swap(peers->from, peers->to);
	peers->from->copies = 0;
	peers->to->copies = 0;
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES);
	expect_direct(test, peers, PAGES);
	migrate_back_all(test, peers, addr);
}

static void peer_private_private(struct kunit *test)
{
	there_and_back(test, MEMORY_DEVICE_PRIVATE, MEMORY_DEVICE_PRIVATE);
}

static void peer_private_coherent(struct kunit *test)
{
	there_and_back(test, MEMORY_DEVICE_PRIVATE, MEMORY_DEVICE_COHERENT);
}

static void peer_coherent_private(struct kunit *test)
{
	there_and_back(test, MEMORY_DEVICE_COHERENT, MEMORY_DEVICE_PRIVATE);
}

static void peer_coherent_coherent(struct kunit *test)
{
	there_and_back(test, MEMORY_DEVICE_COHERENT, MEMORY_DEVICE_COHERENT);
}

/* Have a huge page in the first device's memory. */
static unsigned long map_huge_on_first(struct kunit *test, struct peers *peers)
{
	unsigned long addr = ALIGN(map_anonymous(test, 2 * HPAGE_PMD_SIZE),
				   HPAGE_PMD_SIZE);

	allow_huge(test, addr, HPAGE_PMD_SIZE);
	KUNIT_ASSERT_EQ(test, migrate_to(peers->from, addr, HPAGE_PMD_SIZE),
			HPAGE_PMD_NR);
	if (!folio_test_large(page_folio(device_page(peers->from, 0))))
		kunit_skip(test, "no huge page could be allocated");
	memset(peers->from->memory, 7, HPAGE_PMD_SIZE);
	return addr;
}

static void expect_sevens(struct kunit *test, unsigned long addr)
{
	unsigned long i;

	for (i = 0; i < HPAGE_PMD_NR; i++)
		if (read_number(test, addr + (i << PAGE_SHIFT)) !=
		    0x0707070707070707UL)
			break;
	KUNIT_EXPECT_EQ(test, i, HPAGE_PMD_NR);
}

/* A huge page stays one if the other memory has huge pages. */
static void peer_huge(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_huge_on_first(test, peers);

	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, HPAGE_PMD_SIZE),
			HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, peers->to->blocks[HPAGE_PMD_ORDER], 1);
	KUNIT_EXPECT_TRUE(test, folio_test_large(page_folio(device_page(peers->to, 0))));
	expect_direct(test, peers, HPAGE_PMD_NR);
	expect_sevens(test, addr);
}

/* It becomes small pages if the other memory has none. */
static void peer_huge_to_small(struct kunit *test)
{
	struct peers *peers = make_peers(test, MEMORY_DEVICE_PRIVATE,
					 MEMORY_DEVICE_COHERENT);
	unsigned long addr = map_huge_on_first(test, peers);

	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, HPAGE_PMD_SIZE),
			HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, peers->to->blocks[0], HPAGE_PMD_NR);
	expect_direct(test, peers, HPAGE_PMD_NR);
	expect_sevens(test, addr);
}

/* A page that is in use stays; it migrates when it is not any more. */
static void peer_page_in_use(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers);
	struct page *page = device_page(peers->from, 3);

	get_page(page);
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES - 1);
	KUNIT_EXPECT_EQ(test, available(peers->from), DEVICE_PAGES - 1);
	put_page(page);
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), 1);
	expect_direct(test, peers, PAGES);
	migrate_back_all(test, peers, addr);
}

/* Pages whose copy fails stay where they are, and do not migrate to system memory. */
static void peer_copy_fails(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers);

	peers->to->broken = true;
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), 0);
	expect_stayed(test, peers);
	peers->to->broken = false;
	peers->to->bad = device_page(peers->from, 5);
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES - 1);
	KUNIT_EXPECT_EQ(test, available(peers->from), DEVICE_PAGES - 1);
	KUNIT_EXPECT_EQ(test, peers->from->copies, 0);
	peers->to->bad = NULL;
	migrate_back_all(test, peers, addr);
}

/**
 * struct renewal - a page whose time slice begins again and again
 * @timer: begins it
 * @arrived: when it began
 */
struct renewal {
	struct timer_list timer;
	u32 *arrived;
};

static void renew_slice(struct timer_list *timer)
{
	struct renewal *renewal = container_of(timer, struct renewal, timer);

	WRITE_ONCE(*renewal->arrived, jiffies);
	mod_timer(timer, jiffies + 1);
}

/* Waiting is bounded; a page in its time slice stays then, and the others migrate. */
static void peer_slice_renewed(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers);
	struct hmm_devmem_chunk *chunk =
		list_first_entry(&peers->from->devmem.chunks, struct hmm_devmem_chunk,
				 list);
	struct renewal renewal = {
		.arrived = &chunk->arrived[find_first_bit(chunk->used,
							  chunk->pages) + 3],
	};

	timer_setup_on_stack(&renewal.timer, renew_slice, 0);
	mod_timer(&renewal.timer, jiffies);
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES - 1);
	timer_shutdown_sync(&renewal.timer);
	timer_destroy_on_stack(&renewal.timer);
	KUNIT_EXPECT_EQ(test, available(peers->from), DEVICE_PAGES - 1);
	migrate_back_all(test, peers, addr);
}

/* A device does not copy its own pages, even if it could. */
static void peer_own_pages(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers);

	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE / 2), PAGES / 2);
	msleep(2 * HMM_DEVMEM_SLICE_MS);
	KUNIT_EXPECT_EQ(test, migrate_to(peers->from, addr, SIZE), PAGES / 2);
	KUNIT_EXPECT_EQ(test, peers->from->copies, PAGES / 2);
	expect_stayed(test, peers);
	migrate_back_all(test, peers, addr);
}

/* Pages stay where they are if there is no room for them. */
static void peer_no_room(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers);

	msleep(2 * HMM_DEVMEM_SLICE_MS);
	KUNIT_EXPECT_EQ(test, hmm_devmem_evict(&peers->to->devmem), 0);
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), 0);
	KUNIT_EXPECT_EQ(test, available(peers->from), DEVICE_PAGES - PAGES);
	KUNIT_EXPECT_EQ(test, peers->from->copies, 0);
	hmm_devmem_resume(&peers->to->devmem);
	migrate_back_all(test, peers, addr);
}

static void evict_first(struct work_struct *work)
{
	struct peers *peers = container_of(work, struct peers, work);

	peers->left = hmm_devmem_evict(&peers->from->devmem);
	peers->removed = hmm_devmem_remove(&peers->from->devmem, 0);
	complete(&peers->done);
}

/* In the first copy. */
static void evict_first_and_wait(struct buffer_device *device)
{
	device->meanwhile = NULL;
	queue_work(system_dfl_wq, &current_peers->work);
	wait_for_completion(&current_peers->done);
}

/*
 * The first device's memory is evicted and removed while pages are copied from it: the
 * pages stay until the copy is complete, and have then gone to the other device.
 */
static void peer_evicted_meanwhile(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers);

	INIT_WORK(&peers->work, evict_first);
	init_completion(&peers->done);
	peers->to->meanwhile = evict_first_and_wait;
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES);
	flush_work(&peers->work);
	KUNIT_EXPECT_EQ(test, peers->left, PAGES);
	KUNIT_EXPECT_EQ(test, peers->removed, -EBUSY);
	KUNIT_EXPECT_EQ(test, peers->from->copies, 0);
	KUNIT_EXPECT_EQ(test, peers->to->copies, PAGES);
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&peers->from->devmem, 0), 0);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

/* A page that was reported as bad is copied by its own device, by way of system memory. */
static void peer_bad_page(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers);
	struct hmm_devmem_chunk *chunk =
		list_first_entry(&peers->from->devmem.chunks, struct hmm_devmem_chunk,
				 list);

	set_bit(find_first_bit(chunk->used, chunk->pages) + 3, chunk->bad);
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES);
	KUNIT_EXPECT_EQ(test, peers->from->copies, 1);
	KUNIT_EXPECT_EQ(test, hmm_devmem_retired(&peers->from->devmem), PAGE_SIZE);
	migrate_to_ram(peers->to, addr, SIZE);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

static bool is_marked(struct page *page)
{
	struct hmm_devmem_chunk *chunk = hmm_devmem_chunk_of(page);

	return test_bit(hmm_devmem_offset(page) >> PAGE_SHIFT, chunk->bad);
}

static void mark_bad(struct buffer_device *device)
{
	struct page *page = current_peers->bad;

	device->meanwhile = NULL;
	set_bit(hmm_devmem_offset(page) >> PAGE_SHIFT, hmm_devmem_chunk_of(page)->bad);
}

/* A page that was reported after it was selected stays, although the copy succeeds. */
static void peer_bad_meanwhile(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers);

	peers->bad = device_page(peers->from, 3);
	peers->to->meanwhile = mark_bad;
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES - 1);
	KUNIT_EXPECT_EQ(test, available(peers->from), DEVICE_PAGES - 1);
	KUNIT_EXPECT_EQ(test, peers->from->copies, 0);
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), 1);
	KUNIT_EXPECT_EQ(test, peers->from->copies, 1);
	migrate_to_ram(peers->to, addr, SIZE);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

static void report_bad(struct work_struct *work)
{
	struct peers *peers = container_of(work, struct peers, work);

	peers->reported = hmm_devmem_retire(&peers->from->devmem, peers->from->memory,
					    hmm_devmem_offset(peers->bad));
}

/* The copy goes on when the page is marked; the report waits for its end. */
static void report_bad_and_go_on(struct buffer_device *device)
{
	struct peers *peers = current_peers;
	unsigned long start = jiffies;

	device->meanwhile = NULL;
	queue_work(system_dfl_wq, &peers->work);
	while (!is_marked(peers->bad) && time_before(jiffies, start + 5 * HZ))
		msleep(20);
	msleep(20);
}

/*
 * A page is reported while it is locked by the migration of another device: its own
 * driver copies it when that has ended. It is not taken for one that cannot be copied.
 */
static void peer_reported_meanwhile(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers);

	peers->bad = device_page(peers->from, 3);
	INIT_WORK(&peers->work, report_bad);
	peers->to->meanwhile = report_bad_and_go_on;
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES - 1);
	flush_work(&peers->work);
	KUNIT_EXPECT_EQ(test, peers->reported, 0);
	KUNIT_EXPECT_EQ(test, hmm_devmem_retired(&peers->from->devmem), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, peers->from->copies, 1);
	migrate_to_ram(peers->to, addr, SIZE);
	KUNIT_EXPECT_EQ(test, right_numbers(test, addr, PAGES), PAGES);
}

static void release_to(struct work_struct *work)
{
	release_batches(container_of(work, struct peers, release.work)->to);
}

/*
 * The task that waits for copies from device to device is killed. The pages stay in the
 * first device's memory, and both memories are in use until the second has completed
 * the batches: an eviction of the first does not migrate them, and a CPU that accesses
 * one waits.
 */
static void peer_killed(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers), start;

	if (!peers->batches)
		kunit_skip(test, "nothing is waited for");
	msleep(2 * HMM_DEVMEM_SLICE_MS);
	start = jiffies;
	peers->to->held = true;
	peers->to->on_batch = kill_requester;
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), 0);
	set_killed(false);
	KUNIT_EXPECT_LT(test, jiffies - start, 2 * HZ);
	KUNIT_EXPECT_EQ(test, available(peers->from), DEVICE_PAGES - PAGES);
	KUNIT_EXPECT_LT(test, available(peers->to), DEVICE_PAGES);

	KUNIT_EXPECT_GT(test, hmm_devmem_evict(&peers->from->devmem), 0);
	KUNIT_EXPECT_EQ(test, hmm_devmem_remove(&peers->from->devmem, 0), -EBUSY);
	hmm_devmem_resume(&peers->from->devmem);

	INIT_DELAYED_WORK(&peers->release, release_to);
	schedule_delayed_work(&peers->release, HZ / 10);
	KUNIT_EXPECT_EQ(test, read_number(test, addr), 0);
	KUNIT_EXPECT_GE(test, peers->to->copies, 1);
	flush_delayed_work(&peers->release);
	KUNIT_EXPECT_TRUE(test, becomes_available(peers->to));
	migrate_back_all(test, peers, addr);
}

/* Pages of one batch in system memory, in a peer's memory and in that of a stranger. */
static void peer_mixed(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	struct buffer_device *third =
		make_peer_device(test, MEMORY_DEVICE_PRIVATE, peers->batches);
	unsigned long addr = map_anonymous(test, SIZE), i;

	peers->to->stranger = third;
	write_numbers(test, addr, PAGES);
	for (i = 0; i < PAGES; i += 4) {
		unsigned long at = addr + (i << PAGE_SHIFT);

		KUNIT_EXPECT_EQ(test, migrate_to(peers->from, at, PAGE_SIZE), 1);
		at += PAGE_SIZE;
		KUNIT_EXPECT_EQ(test, migrate_to(third, at, PAGE_SIZE), 1);
	}
	peers->from->copies = 0;
	third->copies = 0;
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES);
	expect_direct(test, peers, PAGES);
	KUNIT_EXPECT_EQ(test, third->copies, PAGES / 4);
	KUNIT_EXPECT_EQ(test, available(third), DEVICE_PAGES);
	migrate_back_all(test, peers, addr);
	hmm_devmem_exit(&third->devmem);
}

/* hmm_devmem_collect() only records the first request; a later one gets the pages. */
static void peer_first_request(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr = map_on_first(test, peers);

	msleep(2 * HMM_DEVMEM_SLICE_MS);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, peers->to, addr, SIZE), 0);
	expect_stayed(test, peers);
	KUNIT_EXPECT_EQ(test, migrate_in_steps(test, peers->to, addr, SIZE), PAGES);
	expect_direct(test, peers, PAGES);
	migrate_back_all(test, peers, addr);
}

/**
 * struct migrations - the notifications of migrations
 * @notifier: subscribed to the test's process
 * @nr: how many there were
 * @owner: the owner of the last
 */
struct migrations {
	struct mmu_interval_notifier notifier;
	unsigned long nr;
	void *owner;
};

static struct migrations migrations;
/* The same before the first copy. */
static unsigned long nr_before_copy;
static void *owner_before_copy;

static bool record_migration(struct mmu_interval_notifier *notifier,
			     const struct mmu_notifier_range *event,
			     unsigned long seq)
{
	mmu_interval_set_seq(notifier, seq);
	if (event->event == MMU_NOTIFY_MIGRATE) {
		migrations.nr++;
		migrations.owner = event->owner;
	}
	return true;
}

static const struct mmu_interval_notifier_ops record_ops = {
	.invalidate = record_migration,
};

static void note_copy(struct buffer_device *device)
{
	device->meanwhile = NULL;
	nr_before_copy = migrations.nr;
	owner_before_copy = migrations.owner;
}

/*
 * The device that has the pages is notified before they are copied, even if it ignores
 * notifications with its owner, which the requesting device has, too.
 */
static void peer_same_owner(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	unsigned long addr;

	hmm_devmem_exit(&peers->to->devmem);
	peers->to->devmem.owner = peers->from->devmem.owner;
	KUNIT_ASSERT_EQ(test, 0, hmm_devmem_init(&peers->to->devmem));
	peers->to->memory = add_buffer(test, peers->to);
	addr = map_on_first(test, peers);

	memset(&migrations, 0, sizeof(migrations));
	KUNIT_ASSERT_EQ(test, 0, mmu_interval_notifier_insert(&migrations.notifier,
							      current->mm, addr, SIZE,
							      &record_ops));
	peers->to->meanwhile = note_copy;
	KUNIT_EXPECT_EQ(test, migrate_to(peers->to, addr, SIZE), PAGES);
	mmu_interval_notifier_remove(&migrations.notifier);
	expect_direct(test, peers, PAGES);
	/* The first without, the last with the pages of the other device. */
	KUNIT_EXPECT_GE(test, nr_before_copy, 2);
	KUNIT_EXPECT_NULL(test, owner_before_copy);
	migrate_back_all(test, peers, addr);
}

/* Where a page is, for a driver that has several devices. */
static void peer_position(struct kunit *test)
{
	struct peers *peers = make_private_peers(test);
	struct buffer_device *other = make_buffer_device(test);
	unsigned long addr = map_on_first(test, peers);
	struct page *page = device_page(peers->from, 3);
	struct hmm_devmem_position position = hmm_devmem_peer_position(&peers->to->devmem, page);

	KUNIT_EXPECT_TRUE(test, position.found);
	KUNIT_EXPECT_EQ(test, position.chunk, (unsigned long)peers->from->memory);
	KUNIT_EXPECT_EQ(test, position.offset, hmm_devmem_offset(page));
	KUNIT_EXPECT_FALSE(test, hmm_devmem_page_position(&peers->to->devmem, page).found);
	KUNIT_EXPECT_FALSE(test, hmm_devmem_peer_position(&peers->from->devmem, page).found);
	/* Of another driver; and a page of none. */
	KUNIT_EXPECT_FALSE(test, hmm_devmem_peer_position(&other->devmem, page).found);
	KUNIT_EXPECT_FALSE(test, hmm_devmem_peer_position(&peers->to->devmem,
							  ZERO_PAGE(0)).found);
	hmm_devmem_exit(&other->devmem);
	migrate_back_all(test, peers, addr);
}

static struct kunit_case peer_cases[] = {
	KUNIT_CASE(peer_private_private),
	KUNIT_CASE(peer_private_coherent),
	KUNIT_CASE(peer_coherent_private),
	KUNIT_CASE(peer_coherent_coherent),
	KUNIT_CASE(peer_huge),
	KUNIT_CASE(peer_huge_to_small),
	KUNIT_CASE(peer_page_in_use),
	KUNIT_CASE(peer_copy_fails),
	KUNIT_CASE(peer_slice_renewed),
	KUNIT_CASE(peer_own_pages),
	KUNIT_CASE(peer_no_room),
	KUNIT_CASE(peer_evicted_meanwhile),
	KUNIT_CASE(peer_bad_page),
	KUNIT_CASE(peer_bad_meanwhile),
	KUNIT_CASE(peer_reported_meanwhile),
	KUNIT_CASE(peer_killed),
	KUNIT_CASE(peer_mixed),
	KUNIT_CASE(peer_first_request),
	KUNIT_CASE(peer_same_owner),
	KUNIT_CASE(peer_position),
	{}
};

static struct kunit_suite single_suite = {
	.name = "hmm_peer",
	.init = peers_init,
	.exit = peers_exit,
	.test_cases = peer_cases,
};

static struct kunit_suite batch_suite = {
	.name = "hmm_peer_batches",
	.init = batch_peers_init,
	.exit = peers_exit,
	.test_cases = peer_cases,
};

kunit_test_suites(&single_suite, &batch_suite);

MODULE_DESCRIPTION("KUnit tests of migration from device to device");
MODULE_LICENSE("GPL");
