/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

#ifndef __KERNEL__
#define __acquires_shared(x)
#define __releases_shared(x)
#define __cond_acquires_shared(ret, x)
#define DEFINE_LOCK_GUARD_1(...)
#endif
#define __returns_nonnull __attribute__((__returns_nonnull__))

/* A guard class of the newer kind, whose expressions go by the guard. */
struct lamp {
	int lock;
} __contract(object("Lamp"), pinned, send, sync);

void lamp_init(struct lamp *lamp) __contract(constructor, leaked);
void lamp_on(struct lamp *lamp);
void lamp_off(struct lamp *lamp);
DEFINE_LOCK_GUARD_1(lamp, struct lamp, lamp_on(_T->lock), lamp_off(_T->lock))

/* Shared; the lock may be refused. */
struct shelf {
	int lock;
} __contract(object("Shelf"), pinned, send, sync);

void shelf_init(struct shelf *shelf) __contract(constructor, leaked);
_Bool shelf_try_read(struct shelf *shelf) __cond_acquires_shared(true, &shelf->lock)
	__contract(atomic);
void shelf_read(struct shelf *shelf) __acquires_shared(&shelf->lock) __contract(may_sleep);
void shelf_unread(struct shelf *shelf) __releases_shared(&shelf->lock) __contract(atomic);

/* A result that is never NULL. */
struct book;
struct __contract(object("Book"), send, sync) book;
void book_get(struct book *book) __contract(get);
void book_put(struct book *book) __contract(put);
__returns_nonnull struct book *shelf_first(struct shelf *shelf) __contract(owned);
__attribute__((returns_nonnull)) struct book *shelf_last(struct shelf *shelf)
	__contract(borrowed(shelf), constant);
void shelf_lend(struct shelf *shelf, const void *to __contract(identity))
	__attribute__((nonnull)) __contract(method);
