/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _FLAGS_TYPED_H
#define _FLAGS_TYPED_H

#include <linux/cleanup.h>
#include <flags.h>

/* A word that is not taken for any other. */
struct file_mode_word {
	unsigned int raw;
};

static inline struct file_mode_word file_mode_of(unsigned int bits)
{
	return (struct file_mode_word){ bits };
}

static inline bool file_mode_has(struct file_mode_word word,
				 enum file_mode bits)
{
	return (word.raw & bits) == bits;
}

/* struct file *x __free(file_close): ended when @x goes out of scope. */
DEFINE_FREE(file_close, struct file *, if (!IS_ERR_OR_NULL(_T)) file_close(_T))

__must_check int file_open(struct file *file, enum file_mode mode);

#endif /* _FLAGS_TYPED_H */
