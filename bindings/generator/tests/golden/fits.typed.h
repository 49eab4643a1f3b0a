/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _FITS_TYPED_H
#define _FITS_TYPED_H

#include <linux/cleanup.h>
#include <fits.h>

/* struct yard *x __free(yard_exit): ended when @x goes out of scope. */
DEFINE_FREE(yard_exit, struct yard *, if (!IS_ERR_OR_NULL(_T)) yard_exit(_T))

/* guard(yard)(x), scoped_guard(yard, x) { } */
DEFINE_GUARD(yard, struct yard *, yard_enter(_T), yard_leave(_T))

/* yard_unlock_with() takes more than the object, so there is no guard() for it. */

/*
 * yard_look(object) { }: the statement is repeated until the data has not changed
 * while it ran; it must not be left early.
 */
#define yard_look(_object)                                             \
	for (unsigned int _seq = yard_look(_object), _more = 1; _more; \
	     _more = yard_looked(_object, _seq),                       \
			  _seq = _more ? yard_look(_object) : _seq)

#endif /* _FITS_TYPED_H */
