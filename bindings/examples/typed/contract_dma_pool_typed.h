/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _DMA_POOL_TYPED_H
#define _DMA_POOL_TYPED_H

#include <linux/cleanup.h>
#include <linux/dmapool.h>

/* struct dma_pool *x __free(dma_pool_destroy): ended when @x goes out of scope. */
DEFINE_FREE(dma_pool_destroy, struct dma_pool *,
	    if (!IS_ERR_OR_NULL(_T)) dma_pool_destroy(_T))

#endif /* _DMA_POOL_TYPED_H */
