/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _LOCK_TYPED_H
#define _LOCK_TYPED_H

#include <linux/cleanup.h>
#include <lock.h>

DEFINE_GUARD_COND(gate, _try, gate_try_enter(_T))

unsigned int gate_count(struct gate *gate) __must_hold(&gate->lock);

#endif /* _LOCK_TYPED_H */
