// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/seqlock.h>

__rust_helper void rust_helper_seqcount_init(struct seqcount *count)
{
	seqcount_init(count);
}

__rust_helper unsigned int
rust_helper_read_seqcount_begin(const struct seqcount *count)
{
	return read_seqcount_begin(count);
}

__rust_helper int rust_helper_read_seqcount_retry(const struct seqcount *count,
						  unsigned int start)
{
	return read_seqcount_retry(count, start);
}

__rust_helper void rust_helper_write_seqcount_invalidate(struct seqcount *count)
{
	write_seqcount_invalidate(count);
}
