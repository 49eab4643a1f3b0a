/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example of what is refused: memory without a type, which is given back to the object that it is from.
 */
#include <linux/contract.h>
#include <linux/dmapool.h>

struct __contract(object("DmaPool"), send, sync) dma_pool;

/**
 * dma_pool_alloc() - take a block
 * @pool: the pool
 * @mem_flags: how to allocate
 * @handle: the address for the device
 *
 * Return: the block, or none without memory.
 */
void *dma_pool_alloc(struct dma_pool *pool, gfp_t mem_flags, dma_addr_t *handle __contract(out))
	__contract(method, nullable);

/**
 * dma_pool_free() - give a block back
 * @pool: its pool
 * @vaddr: the block
 * @addr: its address for the device
 */
void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t addr) __contract(method);
