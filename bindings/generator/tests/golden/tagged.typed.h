/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _TAGGED_TYPED_H
#define _TAGGED_TYPED_H

#include <linux/cleanup.h>
#include <tagged.h>

/* An integer with a type of its own. */
struct entry_bits_val {
	unsigned long raw;
};

static inline struct entry_bits_val entry_bits_of(unsigned long bits)
{
	return (struct entry_bits_val){ bits };
}

static inline bool entry_bits_has(struct entry_bits_val val,
				  enum entry_bits bits)
{
	return (val.raw & bits) == bits;
}

static inline unsigned long entry_bits_number(struct entry_bits_val val)
{
	return entry_number(val.raw);
}

/* An integer with a type of its own. */
struct ticket_val {
	unsigned int raw;
};

#endif /* _TAGGED_TYPED_H */
