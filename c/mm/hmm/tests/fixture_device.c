// SPDX-License-Identifier: GPL-2.0
/*
 * A device whose memory is a buffer, and memory of a process, for the tests of
 * device memory.
 */
#include <linux/highmem.h>
#include <linux/hmm_typed.h>
#include <linux/mman.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/vmalloc.h>

#include "fixture_device.h"

static struct buffer_device *to_device(struct hmm_devmem *devmem)
{
	return container_of(devmem, struct buffer_device, devmem);
}

static void *map_page(struct page *page)
{
	if (is_device_private_page(page))
		return hmm_devmem_data(page) + hmm_devmem_offset(page);
	return page_address(page);
}

static bool buffer_fail_once(struct buffer_device *device)
{
	bool fail = device->fail_once;

	device->fail_once = false;
	return fail;
}

static int buffer_copy(struct hmm_devmem *devmem, struct page *dst,
		       struct page *src, unsigned int order)
{
	struct buffer_device *device = to_device(devmem);
	unsigned long i;

	if (device->meanwhile)
		device->meanwhile(device);
	if (device->broken)
		return device->error ?: -EIO;
	if (buffer_fail_once(device))
		return -ENOMEM;
	if (device->bad && device->bad >= src && device->bad < src + (1UL << order))
		return -EIO;
	if (device->small && order)
		return -ENOMEM;
	for (i = 0; i < 1UL << order; i++)
		copy_page(map_page(dst + i), map_page(src + i));
	device->copies += 1UL << order;
	device->blocks[order]++;
	return 0;
}

static int buffer_clear(struct hmm_devmem *devmem, struct page *page,
			unsigned int order)
{
	unsigned long i;

	if (buffer_fail_once(to_device(devmem)))
		return -ENOMEM;
	for (i = 0; i < 1UL << order; i++)
		clear_page(map_page(page + i));
	return 0;
}

static struct hmm_devmem_batch *first_batch(struct buffer_device *device)
{
	guard(spinlock_irqsave)(&device->lock);
	if (device->held)
		return NULL;
	return list_first_entry_or_null(&device->batches, struct hmm_devmem_batch,
					list);
}

static int copy_batch(struct buffer_device *device, struct hmm_devmem_batch *batch)
{
	unsigned int i;

	if (device->batch_errors) {
		device->batch_errors--;
		return -EIO;
	}
	for (i = 0; i < batch->nr; i++) {
		struct hmm_devmem_block *block = &batch->blocks[i];

		block->error = block->src ?
				       buffer_copy(batch->devmem, block->dst,
						   block->src, block->order) :
				       buffer_clear(batch->devmem, block->dst,
						    block->order);
	}
	return 0;
}

static void run_engine(struct work_struct *work)
{
	struct buffer_device *device =
		container_of(work, struct buffer_device, engine);
	struct hmm_devmem_batch *batch;

	hmm_devmem_completing_begin();
	while ((batch = first_batch(device))) {
		int err = copy_batch(device, batch);

		scoped_guard(spinlock_irqsave, &device->lock) {
			list_del(&batch->list);
			device->nr_batches--;
		}
		hmm_devmem_batch_complete(batch, err);
	}
	hmm_devmem_completing_end();
}

static void buffer_copy_batch(struct hmm_devmem *devmem,
			      struct hmm_devmem_batch *batch)
{
	struct buffer_device *device = to_device(devmem);

	scoped_guard(spinlock_irqsave, &device->lock) {
		list_add_tail(&batch->list, &device->batches);
		device->nr_batches++;
		device->most_batches = max(device->most_batches,
					   device->nr_batches);
	}
	if (device->on_batch)
		device->on_batch(device);
	queue_work(system_dfl_wq, &device->engine);
}

/* Have the batches copied that were held. */
void release_batches(struct buffer_device *device)
{
	scoped_guard(spinlock_irqsave, &device->lock)
		device->held = false;
	queue_work(system_dfl_wq, &device->engine);
	flush_work(&device->engine);
}

/* For &buffer_device.on_batch: the requesting task is killed while it waits. */
void kill_requester(struct buffer_device *device)
{
	device->on_batch = NULL;
	set_killed(true);
}

static void buffer_release(struct hmm_devmem *devmem, void *data)
{
	to_device(devmem)->released++;
	vfree(data);
}

const struct hmm_devmem_ops buffer_device_ops = {
	.copy		= buffer_copy,
	.clear		= buffer_clear,
	.release	= buffer_release,
};

static const struct hmm_devmem_ops batch_device_ops = {
	.copy		= buffer_copy,
	.clear		= buffer_clear,
	.copy_batch	= buffer_copy_batch,
	.release	= buffer_release,
};

static bool buffer_can_copy_from(struct hmm_devmem *devmem,
				 const struct hmm_devmem_peer *peer)
{
	struct buffer_device *stranger = to_device(devmem)->stranger;

	return peer->same_driver &&
	       !(stranger && peer->devmem == &stranger->devmem);
}

static const struct hmm_devmem_ops peer_device_ops = {
	.copy		= buffer_copy,
	.clear		= buffer_clear,
	.can_copy_from	= buffer_can_copy_from,
	.release	= buffer_release,
};

static const struct hmm_devmem_ops batch_peer_device_ops = {
	.copy		= buffer_copy,
	.clear		= buffer_clear,
	.copy_batch	= buffer_copy_batch,
	.can_copy_from	= buffer_can_copy_from,
	.release	= buffer_release,
};

/* The bus between the devices of the tests has the addresses of the kernel. */
static void buffer_peer_map(struct hmm_devmem *devmem, struct hmm_peer_access *access)
{
	struct buffer_device *device = to_device(devmem);

	device->calls++;
	if (device->on_give)
		device->on_give(device);
	if (device->refuses || device->refused == access->page)
		return;
	device->given++;
	if (hmm_peer_access_is_by_cpu(access) && !device->gives_addresses)
		hmm_peer_access_set_pointer(access, map_page(access->page));
	else
		hmm_peer_access_set_address(access, (unsigned long)map_page(access->page));
}

static void buffer_peer_unmap(struct hmm_devmem *devmem, struct hmm_peer_access *access)
{
	struct buffer_device *device = to_device(devmem);
	dma_addr_t address = hmm_peer_access_address(access);

	if (access->pointer)
		address = (unsigned long)access->pointer;
	device->given--;
	/* The page is in use still. */
	if (address != (unsigned long)map_page(access->page) || !page_count(access->page))
		device->given = LONG_MIN;
	if (device->on_take)
		device->on_take(device, address);
}

static const struct hmm_devmem_ops reachable_device_ops = {
	.copy		= buffer_copy,
	.clear		= buffer_clear,
	.peer_dma_map	= buffer_peer_map,
	.peer_dma_unmap	= buffer_peer_unmap,
	.release	= buffer_release,
};

u8 *add_buffer(struct kunit *test, struct buffer_device *device)
{
	u8 *memory = vmalloc(DEVICE_SIZE);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	memset(memory, JUNK, DEVICE_SIZE);
	err = hmm_devmem_add(&device->devmem, 0, DEVICE_SIZE, memory);
	if (err) {
		vfree(memory);
		KUNIT_FAIL_AND_ABORT(test, "hmm_devmem_add: %d", err);
	}
	return memory;
}

/* The page @nr pages after the first one in use. */
struct page *device_page(struct buffer_device *device, unsigned long nr)
{
	struct hmm_devmem_chunk *chunk =
		list_first_entry(&device->devmem.chunks, struct hmm_devmem_chunk, list);

	return pfn_to_page(PHYS_PFN(chunk->pagemap.range.start) +
			   find_first_bit(chunk->used, chunk->pages) + nr);
}

bool is_coherent(const struct buffer_device *device)
{
	return device->devmem.type == MEMORY_DEVICE_COHERENT;
}

/* The free device memory, in pages. */
unsigned long available(struct buffer_device *device)
{
	return hmm_devmem_available(&device->devmem) >> PAGE_SHIFT;
}

/*
 * Wait until all memory of the device is free: batches that were abandoned are released in
 * a work item.
 */
bool becomes_available(struct buffer_device *device)
{
	unsigned long end = jiffies + 5 * HZ;

	while (available(device) != DEVICE_PAGES && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	return available(device) == DEVICE_PAGES;
}

static struct buffer_device *make_owned_device(struct kunit *test,
					       enum memory_type type,
					       const struct hmm_devmem_ops *ops,
					       void *owner)
{
	struct buffer_device *device;

	device = kunit_kzalloc(test, sizeof(*device), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, device);
	device->devmem.type = type;
	device->devmem.owner = owner;
	device->devmem.fault_pages = 16;
	device->devmem.name = "devmem_kunit";
	device->devmem.ops = ops;
	INIT_WORK(&device->engine, run_engine);
	INIT_LIST_HEAD(&device->batches);
	spin_lock_init(&device->lock);
	KUNIT_ASSERT_EQ(test, hmm_devmem_init(&device->devmem), 0);
	return device;
}

static struct buffer_device *make_device(struct kunit *test,
					 enum memory_type type,
					 const struct hmm_devmem_ops *ops)
{
	return make_owned_device(test, type, ops, NULL);
}

/*
 * A device whose private memory others can access. @owner is its owner; NULL for one that
 * nothing else has. The caller calls hmm_devmem_exit().
 */
struct buffer_device *make_reachable_device(struct kunit *test, void *owner)
{
	struct buffer_device *device =
		make_owned_device(test, MEMORY_DEVICE_PRIVATE, &reachable_device_ops, owner);

	device->memory = add_buffer(test, device);
	return device;
}

/* A device with private memory. The caller calls hmm_devmem_exit(). */
struct buffer_device *make_buffer_device(struct kunit *test)
{
	struct buffer_device *device =
		make_device(test, MEMORY_DEVICE_PRIVATE, &buffer_device_ops);

	device->memory = add_buffer(test, device);
	return device;
}

int buffer_device_init(struct kunit *test)
{
	test->priv = make_buffer_device(test);
	return 0;
}

/* A device that copies batches, in another thread. */
int batch_device_init(struct kunit *test)
{
	struct buffer_device *device =
		make_device(test, MEMORY_DEVICE_PRIVATE, &batch_device_ops);

	device->memory = add_buffer(test, device);
	test->priv = device;
	return 0;
}

static struct buffer_device *add_coherent_device(struct kunit *test,
						 const struct hmm_devmem_ops *ops)
{
	struct buffer_device *device;
	phys_addr_t at = SET_ASIDE_AT;

	if (!memory_is_set_aside())
		kunit_skip(test, "no memory is reserved for coherent devices");
	device = make_device(test, MEMORY_DEVICE_COHERENT, ops);
	/* Another device of the test may have the first part. */
	if (pfn_valid(PHYS_PFN(at)))
		at += SET_ASIDE_SIZE / 2;
	KUNIT_ASSERT_EQ(test, hmm_devmem_add(&device->devmem, at, DEVICE_SIZE, NULL),
			0);
	return device;
}

static int make_coherent_device(struct kunit *test,
				const struct hmm_devmem_ops *ops)
{
	test->priv = add_coherent_device(test, ops);
	return 0;
}

/* A device that can copy from others of its kind. The caller calls hmm_devmem_exit(). */
struct buffer_device *make_peer_device(struct kunit *test, enum memory_type type,
				       bool batches)
{
	const struct hmm_devmem_ops *ops =
		batches ? &batch_peer_device_ops : &peer_device_ops;
	struct buffer_device *device;

	if (type == MEMORY_DEVICE_COHERENT)
		return add_coherent_device(test, ops);
	device = make_device(test, type, ops);
	device->memory = add_buffer(test, device);
	return device;
}

int coherent_device_init(struct kunit *test)
{
	return make_coherent_device(test, &buffer_device_ops);
}

int coherent_batch_device_init(struct kunit *test)
{
	return make_coherent_device(test, &batch_device_ops);
}

void buffer_device_exit(struct kunit *test)
{
	struct buffer_device *device = test->priv;

	if (!device)
		return;
	device->broken = false;
	release_batches(device);
	hmm_devmem_exit(&device->devmem);
}

static unsigned long map_with_flags(struct kunit *test, unsigned long size,
				    unsigned long flags)
{
	unsigned long addr;

	if (!current->mm)
		KUNIT_ASSERT_EQ(test, kunit_attach_mm(), 0);
	addr = kunit_vm_mmap(test, NULL, 0, size, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE | flags, 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	return addr;
}

/* Map anonymous memory in the process of the test. */
unsigned long map_anonymous(struct kunit *test, unsigned long size)
{
	return map_with_flags(test, size, 0);
}

/* The same, mlocked. */
unsigned long map_mlocked(struct kunit *test, unsigned long size)
{
	return map_with_flags(test, size, MAP_LOCKED);
}

/* Allow huge pages in a range. */
void allow_huge(struct kunit *test, unsigned long addr, unsigned long size)
{
	KUNIT_ASSERT_EQ(test, 0, do_madvise(current->mm, addr, size, MADV_HUGEPAGE));
}

/* Write to each page its number. */
void write_numbers(struct kunit *test, unsigned long addr, unsigned long pages)
{
	unsigned long i;

	for (i = 0; i < pages; i++)
		KUNIT_ASSERT_EQ(test, put_user(i, (unsigned long __user *)
					       (addr + i * PAGE_SIZE)), 0);
}

unsigned long read_number(struct kunit *test, unsigned long addr)
{
	unsigned long number = ULONG_MAX;

	KUNIT_EXPECT_EQ(test, get_user(number, (unsigned long __user *)addr), 0);
	return number;
}

/* Return the number of pages, from the first on, that contain their number. */
unsigned long right_numbers(struct kunit *test, unsigned long addr,
			    unsigned long pages)
{
	unsigned long i;

	for (i = 0; i < pages; i++)
		if (read_number(test, addr + i * PAGE_SIZE) != i)
			break;
	return i;
}

/* The PTE at an address of the process, which has a page table. */
pte_t pte_at(struct kunit *test, unsigned long addr)
{
	pte_t *ptep, pte = __pte(0);
	spinlock_t *ptl;	/* of the page table */

	mmap_read_lock(current->mm);
	ptep = get_locked_pte(current->mm, addr, &ptl);
	if (ptep) {
		pte = ptep_get(ptep);
		pte_unmap_unlock(ptep, ptl);
	}
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_NOT_NULL(test, ptep);
	return pte;
}

/* By hmm_devmem_collect() and the steps that follow. Returns how many have migrated. */
unsigned long migrate_in_steps(struct kunit *test, struct buffer_device *device,
			       unsigned long addr, unsigned long size)
{
	CLASS(hmm_devmem_migration_collected, collected)(&device->devmem,
							 current->mm,
							 span_of(addr, size));
	CLASS(hmm_devmem_migration_copied, copied)(&collected);
	CLASS(hmm_devmem_migration_committed, committed)(&copied);

	KUNIT_EXPECT_EQ(test, 0, hmm_devmem_migration_committed_error(&committed));
	return hmm_devmem_migration_committed_moved(&committed);
}
