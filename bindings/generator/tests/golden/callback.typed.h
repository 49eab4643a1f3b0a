/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _CALLBACK_TYPED_H
#define _CALLBACK_TYPED_H

#include <linux/cleanup.h>
#include <callback.h>

/* struct alarm *x __free(alarm_cancel): ended when @x goes out of scope. */
DEFINE_FREE(alarm_cancel, struct alarm *,
	    if (!IS_ERR_OR_NULL(_T)) alarm_cancel(_T))

#endif /* _CALLBACK_TYPED_H */
