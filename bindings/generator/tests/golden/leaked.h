/* SPDX-License-Identifier: GPL-2.0 */
/* What becomes of an object of which a guard was leaked; and a result that is a pointer, an error or NULL. */
#include <linux/contract.h>

/* It does no harm. */
struct hatch { int lock; } __contract(object("Hatch"), pinned, send, sync);
void hatch_init(struct hatch *hatch) __contract(constructor);
void hatch_exit(struct hatch *hatch) __contract(destructor, leaked);
void hatch_open(struct hatch *hatch) __contract(lock("HatchGuard"));
void hatch_close(struct hatch *hatch) __contract(unlock("HatchGuard"));

/* It must not happen. */
struct lift { int lock; } __contract(object("Lift"), pinned, send, sync);
void lift_init(struct lift *lift) __contract(constructor, unsafe("no `LiftGuard` is leaked"));
void lift_exit(struct lift *lift) __contract(destructor, leaked(unsafe));
void lift_stop(struct lift *lift) __contract(lock("LiftGuard"));
void lift_go(struct lift *lift) __contract(unlock("LiftGuard"));

/* No destructor: nothing is done that the lock would have to be free for. */
struct latch { int lock; } __contract(object("Latch"), pinned, send, sync);
void latch_init(struct latch *latch) __contract(constructor);
void latch_set(struct latch *latch) __contract(lock("LatchGuard"));
void latch_free(struct latch *latch) __contract(unlock("LatchGuard"));

/* Left out: nothing states what the end of the object does; nobody promises that it does not happen. */
struct gate { int lock; } __contract(object("Gate"), pinned, send, sync);
void gate_init(struct gate *gate) __contract(constructor);
void gate_exit(struct gate *gate) __contract(destructor);
void gate_enter(struct gate *gate) __contract(lock("GateGuard"));
void gate_leave(struct gate *gate) __contract(unlock("GateGuard"));

struct ramp { int lock; } __contract(object("Ramp"), pinned, send, sync);
void ramp_init(struct ramp *ramp) __contract(constructor);
void ramp_exit(struct ramp *ramp) __contract(destructor, leaked(unsafe));
_Bool ramp_raise(struct ramp *ramp) __contract(trylock("RampGuard"));
void ramp_lower(struct ramp *ramp) __contract(unlock("RampGuard"));

struct berth;
struct __contract(object("Berth"), send, sync) berth;
void berth_get(struct berth *berth) __contract(get);
void berth_put(struct berth *berth) __contract(put);
void berth_moor(struct berth *berth) __contract(lock("BerthGuard"));
void berth_cast_off(struct berth *berth) __contract(unlock("BerthGuard"));

/* NULL is not an error. */
struct tide { int height; } __contract(object("Tide"), send, sync);
struct tide *tide_find(int sea) __contract(constructor, errno, nullable);
void tide_put(struct tide *tide) __contract(destructor);
struct berth *tide_berth(struct tide *tide) __contract(method, owned, errno, nullable);
struct berth *tide_other(struct tide *tide) __contract(method, owned, errno, nonnull);
/* Left out: whether it may be NULL is not stated. */
struct berth *tide_last(struct tide *tide) __contract(method, owned, errno);

/* Nothing ends it, so its constructor states that C does not access its memory when a guard was leaked. */
struct door {
	int open;
} __contract(object("Door"), pinned);

void door_init(struct door *door) __contract(constructor, leaked);
void door_open(struct door *door) __contract(lock("DoorGuard"));
void door_close(struct door *door) __contract(unlock("DoorGuard"));

/* As above; the caller of the constructor promises that none is leaked. */
struct flap {
	int open;
} __contract(object("Flap"), pinned);

void flap_init(struct flap *flap)
	__contract(constructor, leaked(unsafe), unsafe("no `FlapGuard` is leaked"));
void flap_open(struct flap *flap) __contract(lock("FlapGuard"));
void flap_close(struct flap *flap) __contract(unlock("FlapGuard"));
