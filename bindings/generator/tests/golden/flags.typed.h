/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _FLAGS_TYPED_H
#define _FLAGS_TYPED_H

#include <linux/cleanup.h>
#include <flags.h>

/* An integer with a type of its own. */
struct file_mode_val {
	unsigned int raw;
};

static inline struct file_mode_val file_mode_of(unsigned int bits)
{
	return (struct file_mode_val){ bits };
}

static inline bool file_mode_has(struct file_mode_val val, enum file_mode bits)
{
	return (val.raw & bits) == bits;
}

/* struct file *x __free(file_close): ended when @x goes out of scope. */
DEFINE_FREE(file_close, struct file *, if (!IS_ERR_OR_NULL(_T)) file_close(_T))

__must_check int file_open(struct file *file, enum file_mode mode);

#endif /* _FLAGS_TYPED_H */
