// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/dmapool.h>

__rust_helper struct dma_pool *
rust_helper_dma_pool_create(const char *name, struct device *dev,
			    unsigned long size, unsigned long align,
			    unsigned long boundary)
{
	return dma_pool_create(name, dev, size, align, boundary);
}
