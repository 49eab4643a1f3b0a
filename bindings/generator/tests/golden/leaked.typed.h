/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _LEAKED_TYPED_H
#define _LEAKED_TYPED_H

#include <linux/cleanup.h>
#include <leaked.h>

/* struct hatch *x __free(hatch_exit): ended when @x goes out of scope. */
DEFINE_FREE(hatch_exit, struct hatch *, if (!IS_ERR_OR_NULL(_T)) hatch_exit(_T))

/* guard(hatch)(x), scoped_guard(hatch, x) { } */
DEFINE_GUARD(hatch, struct hatch *, hatch_open(_T), hatch_close(_T))

/* struct lift *x __free(lift_exit): ended when @x goes out of scope. */
DEFINE_FREE(lift_exit, struct lift *, if (!IS_ERR_OR_NULL(_T)) lift_exit(_T))

/* guard(lift)(x), scoped_guard(lift, x) { } */
DEFINE_GUARD(lift, struct lift *, lift_stop(_T), lift_go(_T))

/* struct gate *x __free(gate_exit): ended when @x goes out of scope. */
DEFINE_FREE(gate_exit, struct gate *, if (!IS_ERR_OR_NULL(_T)) gate_exit(_T))

/* struct ramp *x __free(ramp_exit): ended when @x goes out of scope. */
DEFINE_FREE(ramp_exit, struct ramp *, if (!IS_ERR_OR_NULL(_T)) ramp_exit(_T))

/* struct berth *x __free(berth_put): its reference is given back when @x goes out of scope. */
DEFINE_FREE(berth_put, struct berth *, if (!IS_ERR_OR_NULL(_T)) berth_put(_T))

/* CLASS(berth_ref, x)(y): another reference to the object of @y. */
DEFINE_CLASS(berth_ref, struct berth *, berth_put(_T), ({
		     berth_get(from);
		     from;
	     }),
	     struct berth *from)

/* struct tide *x __free(tide_put): ended when @x goes out of scope. */
DEFINE_FREE(tide_put, struct tide *, if (!IS_ERR_OR_NULL(_T)) tide_put(_T))

/* guard(door)(x), scoped_guard(door, x) { } */
DEFINE_GUARD(door, struct door *, door_open(_T), door_close(_T))

/* guard(flap)(x), scoped_guard(flap, x) { } */
DEFINE_GUARD(flap, struct flap *, flap_open(_T), flap_close(_T))

__must_check struct tide *tide_find(int sea);

__must_check struct berth *tide_berth(struct tide *tide);

__must_check struct berth *tide_other(struct tide *tide);

#endif /* _LEAKED_TYPED_H */
