/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _STAGE_TYPED_H
#define _STAGE_TYPED_H

#include <linux/cleanup.h>
#include <stage.h>

/* struct parcel *x __free(parcel_return): ended when @x goes out of scope. */
DEFINE_FREE(parcel_return, struct parcel *,
	    if (!IS_ERR_OR_NULL(_T)) parcel_return(_T))

/* struct ticket *x __free(ticket_drop): ended when @x goes out of scope. */
DEFINE_FREE(ticket_drop, struct ticket *,
	    if (!IS_ERR_OR_NULL(_T)) ticket_drop(_T))

__must_check struct parcel *parcel_pack(struct depot *depot);

__must_check int parcel_send(struct parcel *parcel, unsigned int to);

__must_check struct ticket *ticket_draw(struct depot *depot);

#endif /* _STAGE_TYPED_H */
