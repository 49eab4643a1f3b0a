/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SLICE_TYPED_H
#define _SLICE_TYPED_H

#include <linux/cleanup.h>
#include <slice.h>

/* An integer with a type of its own. */
struct event_val {
	unsigned int raw;
};

static inline struct event_val event_of(unsigned int bits)
{
	return (struct event_val){ bits };
}

static inline bool event_has(struct event_val val, enum event bits)
{
	return (val.raw & bits) == bits;
}

/* An integer with a type of its own. */
struct ticket_val {
	unsigned long raw;
};

__must_check int pipe_read(struct pipe *pipe, unsigned int *values,
			   unsigned int nr);

__must_check int pipe_ranges(struct pipe *pipe, struct range *ranges,
			     unsigned int nr);

__must_check int pipe_parts(struct pipe *pipe, void *parts, unsigned int nr);

#endif /* _SLICE_TYPED_H */
