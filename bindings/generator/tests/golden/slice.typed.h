/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SLICE_TYPED_H
#define _SLICE_TYPED_H

#include <linux/cleanup.h>
#include <slice.h>

__must_check int pipe_read(struct pipe *pipe, unsigned int *values,
			   unsigned int nr);

#endif /* _SLICE_TYPED_H */
