/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SEQCOUNT_TYPED_H
#define _SEQCOUNT_TYPED_H

#include <linux/cleanup.h>
#include <linux/seqlock.h>

/*
 * seqcount_read(object) { }: the statement is repeated until the data has not changed
 * while it ran; it must not be left early.
 */
#define seqcount_read(_object)                                            \
	for (unsigned int _seq = read_seqcount_begin(_object), _more = 1; \
	     _more; _more = read_seqcount_retry(_object, _seq),           \
			  _seq = _more ? read_seqcount_begin(_object) : _seq)

#endif /* _SEQCOUNT_TYPED_H */
