/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device whose memory is a buffer, for the tests of device memory. No page table
 * of the process maps the buffer; a test can read it directly.
 */
#ifndef HMM_TESTS_FIXTURE_DEVICE_H
#define HMM_TESTS_FIXTURE_DEVICE_H

#include <kunit/test.h>
#include <linux/hmm_devmem.h>
#include <linux/huge_mm.h>
#include <linux/mm_types.h>
#include <linux/uaccess.h>

#include "fixture_memory.h"
#include "fixture_set_aside.h"

#define DEVICE_SIZE	(2 * HPAGE_PMD_SIZE)
#define DEVICE_PAGES	(DEVICE_SIZE >> PAGE_SHIFT)
#define JUNK		0xa5

/**
 * struct buffer_device - device memory with a buffer behind each chunk
 * @devmem: the device memory under test
 * @memory: the first buffer; NULL for coherent memory
 * @released: number of chunks that were removed
 * @copies: number of pages that were copied
 * @blocks: number of copies of each order
 * @broken: every copy fails
 * @error: the error of a broken copy; 0 for -EIO
 * @fail_once: the next copy or clear fails with -ENOMEM
 * @bad: a page that cannot be copied, alone or with others; or NULL
 * @small: copies of large folios fail with -ENOMEM
 * @meanwhile: called before each copy, or NULL
 * @engine: copies the batches of a device that has them
 * @lock: of @batches, @nr_batches and @most_batches
 * @batches: batches, first the one that is copied
 * @nr_batches: how many there are
 * @most_batches: how many there have been at once
 * @batch_errors: so many batches fail as a whole
 * @held: batches are not copied before release_batches()
 * @on_batch: called in the thread that gives a batch to the device, or NULL
 * @stranger: of a peer device: a peer that it cannot copy from, or NULL
 * @refuses: of a reachable device: it gives no address
 * @refused: of a reachable device: a page of which it gives none, or NULL
 * @given: of a reachable device: how many addresses others have
 * @gives_addresses: of a reachable device: also to a device that needs a pointer
 * @calls: of a reachable device: how often one was requested
 * @on_give: called when it is, or NULL
 * @on_take: called when an address is given back, or NULL
 */
struct buffer_device {
	struct hmm_devmem devmem;
	u8 *memory;
	unsigned long released;
	unsigned long copies;
	unsigned long blocks[HPAGE_PMD_ORDER + 1];
	bool broken;
	int error;
	bool fail_once;
	const struct page *bad;
	bool small;
	void (*meanwhile)(struct buffer_device *device);
	struct work_struct engine;
	spinlock_t lock; /* guards @batches */
	struct list_head batches;
	unsigned int nr_batches;
	unsigned int most_batches;
	unsigned int batch_errors;
	bool held;
	void (*on_batch)(struct buffer_device *device);
	struct buffer_device *stranger;
	bool refuses;
	const struct page *refused;
	long given;
	bool gives_addresses;
	unsigned long calls;
	void (*on_give)(struct buffer_device *device);
	void (*on_take)(struct buffer_device *device, dma_addr_t address);
};

extern const struct hmm_devmem_ops buffer_device_ops;

u8 *add_buffer(struct kunit *test, struct buffer_device *device);
struct page *device_page(struct buffer_device *device, unsigned long nr);
bool is_coherent(const struct buffer_device *device);
unsigned long available(struct buffer_device *device);
bool becomes_available(struct buffer_device *device);
struct buffer_device *make_buffer_device(struct kunit *test);
struct buffer_device *make_peer_device(struct kunit *test, enum memory_type type,
				       bool batches);
struct buffer_device *make_reachable_device(struct kunit *test, void *owner);
int buffer_device_init(struct kunit *test);
void buffer_device_exit(struct kunit *test);
int coherent_device_init(struct kunit *test);
int batch_device_init(struct kunit *test);
int coherent_batch_device_init(struct kunit *test);
void release_batches(struct buffer_device *device);
void kill_requester(struct buffer_device *device);

unsigned long map_anonymous(struct kunit *test, unsigned long size);
unsigned long map_mlocked(struct kunit *test, unsigned long size);
void allow_huge(struct kunit *test, unsigned long addr, unsigned long size);
void write_numbers(struct kunit *test, unsigned long addr, unsigned long pages);
unsigned long read_number(struct kunit *test, unsigned long addr);
unsigned long right_numbers(struct kunit *test, unsigned long addr,
			    unsigned long pages);
pte_t pte_at(struct kunit *test, unsigned long addr);
unsigned long migrate_in_steps(struct kunit *test, struct buffer_device *device,
			       unsigned long addr, unsigned long size);

static inline struct hmm_span span_of(unsigned long addr, unsigned long size)
{
	return (struct hmm_span){ .start = addr, .end = addr + size };
}

static inline long migrate_to(struct buffer_device *device, unsigned long addr,
			      unsigned long size)
{
	return hmm_devmem_migrate(&device->devmem, current->mm,
				  span_of(addr, size));
}

static inline long migrate_to_ram(struct buffer_device *device,
				  unsigned long addr, unsigned long size)
{
	return hmm_devmem_migrate_to_ram(&device->devmem, current->mm,
					 span_of(addr, size));
}

#endif /* HMM_TESTS_FIXTURE_DEVICE_H */
