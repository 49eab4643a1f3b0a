/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _TAGGED_TYPED_H
#define _TAGGED_TYPED_H

#include <linux/cleanup.h>
#include <tagged.h>

/* A word that is not taken for any other. */
struct entry_bits_word {
	unsigned long raw;
};

static inline struct entry_bits_word entry_bits_of(unsigned long bits)
{
	return (struct entry_bits_word){ bits };
}

static inline bool entry_bits_has(struct entry_bits_word word,
				  enum entry_bits bits)
{
	return (word.raw & bits) == bits;
}

static inline unsigned long entry_bits_number(struct entry_bits_word word)
{
	return entry_number(word.raw);
}

/* A word that is not taken for any other. */
struct ticket_word {
	unsigned int raw;
};

#endif /* _TAGGED_TYPED_H */
