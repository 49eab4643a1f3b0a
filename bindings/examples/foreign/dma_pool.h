/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: an object that keeps a device. Its blocks are void pointers, which no contract can type.
 */
#include <linux/contract.h>
#include <linux/dmapool.h>

struct __contract(object("Device"), foreign("crate::device::Device<crate::device::Bound>",
					    kept("crate::device::Device"))) device;

/**
 * struct dma_pool - blocks of one size that a device can reach
 */
struct __contract(object("DmaPool"), send, sync) dma_pool;

/**
 * dma_pool_create() - make a pool
 * @name: its name
 * @dev: the device
 * @size: the size of a block
 * @align: the alignment of a block, a power of two
 * @boundary: what no block crosses, a power of two, or 0
 *
 * Return: the pool, or none without memory or with values that cannot be.
 */
static inline struct dma_pool *dma_pool_create(const char *name __contract(borrows),
					       struct device *dev __contract(keeps),
					       size_t size, size_t align, size_t boundary)
	__contract(constructor, nullable, may_sleep,
		   unsafe("the pool is dropped before the device is unbound, whose addresses its blocks have"));

/**
 * dma_pool_destroy() - free a pool
 * @pool: the pool
 */
void dma_pool_destroy(struct dma_pool *pool) __contract(destructor, may_sleep);
