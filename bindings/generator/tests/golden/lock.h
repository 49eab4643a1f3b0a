/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

#ifndef __KERNEL__
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)
#define DEFINE_GUARD(...)
#endif

struct gate {
	int lock;
} __contract(object("Gate"), pinned, send, sync, data(GateGuard = exclusive));

void gate_init(struct gate *gate) __contract(constructor, leaked);

/* What C states already: a guard class, and which lock is taken. */
void gate_enter(struct gate *gate) __acquires(&gate->lock);
void gate_leave(struct gate *gate) __releases(&gate->lock);
DEFINE_GUARD(gate, struct gate *, gate_enter(_T), gate_leave(_T))

_Bool gate_try_enter(struct gate *gate) __contract(trylock("GateGuard"), atomic);

/**
 * gate_count() - how often it was entered
 * @gate: a gate that the caller has entered
 */
unsigned int gate_count(struct gate *gate) __must_hold(&gate->lock) __contract(method);
