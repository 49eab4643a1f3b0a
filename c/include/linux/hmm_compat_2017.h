/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device memory of 2017 with what every driver of it had to write: which
 * pages are free, and how they get there and home. For drivers that are new and
 * depend on that interface, in Rust say; others have <linux/hmm_compat.h>.
 */
#ifndef _LINUX_HMM_COMPAT_2017_H
#define _LINUX_HMM_COMPAT_2017_H

#include <linux/contract.h>
#include <linux/mm_types.h>
#include <linux/spinlock.h>

struct faux_device;
struct hmm2017_devmem;
struct hmm2017_memory;

/**
 * struct hmm2017_memory_ops - what only the driver of the device can do
 * @copy: copy ``PAGE_SIZE << order`` bytes from @src to @dst, one of which is of
 *	this memory and the other of system memory. The pages are locked, and
 *	mapped nowhere. Returns 0 or a negative errno, upon which the data stays
 *	where it was; if it is what a CPU has touched, it is lost, and whoever
 *	touches it gets SIGBUS. With -%ENOMEM the CPU tries again. May sleep.
 * @clear: zero ``PAGE_SIZE << order`` bytes of this memory; as @copy.
 */
struct hmm2017_memory_ops {
	int (*copy)(struct hmm2017_memory *memory, struct page *dst,
		    struct page *src, unsigned int order)
		__contract(required, object, errno, block(dst, order),
			   block(src, order));
	int (*clear)(struct hmm2017_memory *memory, struct page *page,
		     unsigned int order)
		__contract(required, object, errno, block(page, order));
} __contract(ops("PageOperations"));

/**
 * struct hmm2017_memory - device memory that the CPU cannot reach
 * @size: in bytes; rounded up to what memory is plugged in by. Set by the driver.
 * @name: of the device that it is plugged into, which no other has. Set by the
 *	driver.
 * @ops: set by the driver
 * @device: a device of its own
 * @devmem: what was plugged in
 * @lock: protects @used
 * @used: a bit for each page
 * @pages: how many there are
 */
struct hmm2017_memory {
	unsigned long size __contract(given);
	const char *name __contract(given);
	const struct hmm2017_memory_ops *ops __contract(given);
	/* private: */
	struct faux_device *device;
	struct hmm2017_devmem *devmem;
	spinlock_t lock; /* protects used */
	unsigned long *used;
	unsigned long pages;
} __contract(object("DeviceMemory"), pinned, send, sync);

/**
 * struct hmm2017_place - where a page is in some device memory
 * @here: whether it is there at all
 * @offset: from the beginning, in bytes
 */
struct hmm2017_place {
	bool here;
	unsigned long offset;
} __contract(record("Place"));

int hmm2017_memory_init(struct hmm2017_memory *memory)
	__contract(constructor, errno, may_sleep);
void hmm2017_memory_exit(struct hmm2017_memory *memory)
	__contract(destructor, may_sleep);
long hmm2017_memory_migrate(struct hmm2017_memory *memory,
			    struct mm_struct *mm __contract(borrows),
			    unsigned long start, unsigned long end)
	__contract(method, errno, plain, may_sleep);
unsigned long hmm2017_memory_used(struct hmm2017_memory *memory)
	__contract(method);
struct hmm2017_place hmm2017_memory_place(struct hmm2017_memory *memory,
					  const struct page *page __contract(borrows))
	__contract(method);

#endif /* _LINUX_HMM_COMPAT_2017_H */
