/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

#ifndef __KERNEL__
#define __acquires(x)
#define __acquires_shared(x)
#define __releases(x)
#define __releases_shared(x)
#define __cond_acquires(ret, x)
#define __must_hold(x)
#define __must_hold_shared(x)
#define __guarded_by(x)
#define __must_check __attribute__((__warn_unused_result__))
#define __nonnull_args(...) __attribute__((__nonnull__(__VA_ARGS__)))
#define DEFINE_FREE(...)
#define DEFINE_GUARD(...)
#define DEFINE_GUARD_COND(...)
#endif

/* Locks: nothing here names a guard, and yet there are two. */
struct till {
	int lock;
	/** @coins: how many coins it holds */
	unsigned int coins __guarded_by(&lock);
	unsigned int spare __guarded_by(&other_lock);
	const char *owner __guarded_by(&lock);
} __contract(object("Till"), pinned, send, sync);

struct till_ops {
	void (*opened)(struct till *till) __must_hold(&till->lock) __contract(optional);
	void (*closed)(struct till *till) __contract(required);
} __contract(ops("Operations"));

void till_init(struct till *till, const struct till_ops *ops) __contract(constructor);
void till_exit(struct till *till) __contract(destructor, leaked, waits, reaped);
void till_lock(struct till *till) __acquires(&till->lock) __contract(may_sleep);
_Bool till_try(struct till *till) __cond_acquires(true, &till->lock) __contract(atomic);
void till_unlock(struct till *till) __releases(&till->lock) __contract(atomic);
void till_look(struct till *till) __acquires_shared(&till->lock) __contract(may_sleep);
void till_unlook(struct till *till) __releases_shared(&till->lock) __contract(atomic);
void till_put(struct till *till, unsigned int coins) __must_hold(&till->lock) __contract(method);
unsigned int __must_check till_sum(struct till *till) __must_hold_shared(&till->lock)
	__contract(method);

/* Pointers that are never NULL. */
void till_owner(struct till *till, const void *owner __contract(identity))
	__nonnull_args(2) __contract(method);

/* Cleanup classes: what the functions are is in them. */
struct ticket;
struct __contract(object("Ticket"), send) ticket;
struct ticket *ticket_new(void) __contract(constructor, nullable);
void ticket_free(struct ticket *ticket);
DEFINE_FREE(ticket_free, struct ticket *, if (_T) ticket_free(_T))

struct gate {
	int lock;
} __contract(object("Gate"), pinned, send, sync);
void gate_init(struct gate *gate) __contract(constructor, leaked);
void gate_enter(struct gate *gate);
int gate_enter_killable(struct gate *gate);
void gate_leave(struct gate *gate);
DEFINE_GUARD(gate, struct gate *, gate_enter(_T), gate_leave(_T))
DEFINE_GUARD_COND(gate, _kill, gate_enter_killable(_T), _RET == 0)
