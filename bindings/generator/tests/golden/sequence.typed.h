/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SEQUENCE_TYPED_H
#define _SEQUENCE_TYPED_H

#include <linux/cleanup.h>
#include <sequence.h>

/* guard(table)(x), scoped_guard(table, x) { } */
DEFINE_GUARD(table, struct table *, table_lock(_T), table_unlock(_T))

/*
 * clock_consistently(object) { }: the statement is repeated until the data has not changed
 * while it ran; it must not be left early.
 */
#define clock_consistently(_object)                                      \
	for (unsigned int _seq = clock_begin(_object), _more = 1; _more; \
	     _more = clock_retry(_object, _seq),                         \
			  _seq = _more ? clock_begin(_object) : _seq)

#endif /* _SEQUENCE_TYPED_H */
