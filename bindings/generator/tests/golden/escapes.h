/* SPDX-License-Identifier: GPL-2.0 */
/* What would leave a section, or outlive what it belongs to, and is left out; and what is like it and is not. */
#include <linux/contract.h>

typedef _Bool bool;

struct slot;
struct __contract(object("Slot"), sync) slot;
struct shelf { int lock; } __contract(object("Shelf"), send, sync);
struct shelf *shelf_new(void) __contract(constructor, nullable);
void shelf_free(struct shelf *shelf) __contract(destructor, leaked);
void shelf_lock(const struct shelf *shelf) __contract(lock("ShelfGuard"));
void shelf_unlock(const struct shelf *shelf) __contract(unlock("ShelfGuard"));
struct slot *shelf_slot(const struct shelf *shelf, unsigned int nr)
	__contract(method, borrowed(shelf), constant, nonnull);

/* Left out: the shelf may end while a guard of one of its slots was leaked. */
void slot_lock(struct slot *slot) __contract(lock("SlotGuard"));
void slot_unlock(struct slot *slot) __contract(unlock("SlotGuard"));
/* A closure has this one. */
void slot_hold(struct slot *slot) __contract(lock("HeldSlot"), scoped);
void slot_release(struct slot *slot) __contract(unlock("HeldSlot"));

/* Left out: the constructor of a label may replace the title. */
const char *shelf_title(const struct shelf *shelf) __contract(method, borrowed(shelf), nonnull);
struct label { int x; } __contract(object("Label"));
struct label *label_new(struct shelf *shelf __contract(outlives)) __contract(constructor, nullable);
void label_free(struct label *label) __contract(destructor);

struct bytes {
	unsigned int len;
	const unsigned char *first __contract(slice(len));
} __contract(record("Bytes"));
struct lent {
	unsigned int len;
	const unsigned char *first __contract(slice(len));
} __contract(record("Lent"), confined);
struct row {
	unsigned int width;
	unsigned long place __contract(confined("Place"));
} __contract(record("Row"), confined);
/* Left out: its member. */
struct rows {
	unsigned int nr;
	struct row first;
} __contract(record("Rows"));

struct look {
	struct shelf *shelf __contract(given);
	unsigned int body __contract(given);
	unsigned int now;
} __contract(section("Look", of(shelf), holds(ShelfGuard), method(look)));

bool look_next(struct look *look) __contract(enter);
void look_leave(struct look *look) __contract(leave);
int look_error(const struct look *look) __contract(outcome, errno);
/* Left out: an item could be kept after the section. */
bool look_bytes(const struct look *look, struct bytes *bytes) __contract(iterator("AllBytes"));
bool look_lent(const struct look *look, struct lent *lent) __contract(iterator("AllLent"));
bool look_row(const struct look *look, struct row *row) __contract(iterator("AllRows"));
/* Left out: they would give out a row outside of its section, or one of no section. */
struct row shelf_row(const struct shelf *shelf) __contract(method);
struct row row_next(const struct row *row) __contract(method);
unsigned int shelf_put(const struct shelf *shelf, struct row row, int x, int X) __contract(method);

/* Cannot be copied, for reasons of their own. */
struct old { unsigned int nr; unsigned int values[0]; } __contract(record("Old"));
struct either { union { unsigned int a; void *b; } u; } __contract(record("Either"));
struct old shelf_old(const struct shelf *shelf) __contract(method);
struct either shelf_either(const struct shelf *shelf) __contract(method);

/* The string is in a module's text. Left out: nothing ends a badge that was leaked when its module goes. */
struct badge { const char *name; } __contract(object("Badge"));
struct badge *badge_new(const char *name __contract(keeps)) __contract(constructor, nullable);
void badge_free(struct badge *badge) __contract(destructor);
/* C ends these. */
struct clasp { const char *name; } __contract(object("Clasp"), sync);
struct clasp *clasp_new(const char *name __contract(keeps)) __contract(constructor, nullable);
void clasp_get(struct clasp *clasp) __contract(get);
void clasp_put(struct clasp *clasp) __contract(put, reaped);
/* Left out: seal_new(), whose caller promises nothing. */
struct seal { const char *name; } __contract(object("Seal"));
struct seal *seal_new(const char *name __contract(keeps)) __contract(constructor, nullable);
struct seal *seal_make(const char *name __contract(keeps))
	__contract(constructor, name("make"), nullable, unsafe("the module's seals end before it does"));
void seal_free(struct seal *seal) __contract(destructor, reaped(unsafe));
void seal_rename(struct seal *seal, const char *name __contract(keeps)) __contract(method);
