/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _ESCAPES_TYPED_H
#define _ESCAPES_TYPED_H

#include <linux/cleanup.h>
#include <escapes.h>

/* guard(slot_held_slot)(x), scoped_guard(slot_held_slot, x) { } */
DEFINE_GUARD(slot_held_slot, struct slot *, slot_hold(_T), slot_release(_T))

/* struct shelf *x __free(shelf_free): ended when @x goes out of scope. */
DEFINE_FREE(shelf_free, struct shelf *, if (!IS_ERR_OR_NULL(_T)) shelf_free(_T))

/* guard(shelf)(x), scoped_guard(shelf, x) { } */
DEFINE_GUARD(shelf, struct shelf *, shelf_lock(_T), shelf_unlock(_T))

/* struct label *x __free(label_free): ended when @x goes out of scope. */
DEFINE_FREE(label_free, struct label *, if (!IS_ERR_OR_NULL(_T)) label_free(_T))

/* struct clasp *x __free(clasp_put): its reference is given back when @x goes out of scope. */
DEFINE_FREE(clasp_put, struct clasp *, if (!IS_ERR_OR_NULL(_T)) clasp_put(_T))

/* CLASS(clasp_ref, x)(y): another reference to the object of @y. */
DEFINE_CLASS(clasp_ref, struct clasp *, clasp_put(_T), ({
		     clasp_get(from);
		     from;
	     }),
	     struct clasp *from)

/* struct seal *x __free(seal_free): ended when @x goes out of scope. */
DEFINE_FREE(seal_free, struct seal *, if (!IS_ERR_OR_NULL(_T)) seal_free(_T))

/* A struct look that is left when it goes out of scope. */
#define scoped_look struct look __cleanup(look_leave)

/*
 * shelf_look(name, error, shelf, body) { }: the statement runs for each batch
 * of the section; @name can be named in it and nowhere else. @error, an int, is
 * set to the result; it is not set when the statement is left early.
 */
#define shelf_look(_name, _error, _shelf, _body) \
	for (scoped_look _name = { \
			.shelf = (_shelf), \
			.body = (_body), \
	     }; \
	     look_next(&_name) || \
	     ((_error) = look_error(&_name), false);)

/*
 * look_all_lent(item, section) { }: the statement runs for each struct lent
 * that @section, which one is inside of, shows; @item can be named in it and
 * nowhere else.
 */
#define look_all_lent(_item, _section) \
	for (struct lent _item = {}; look_lent(_section, &_item);)

/*
 * look_all_rows(item, section) { }: the statement runs for each struct row that
 * @section, which one is inside of, shows; @item can be named in it and nowhere
 * else.
 */
#define look_all_rows(_item, _section) \
	for (struct row _item = {}; look_row(_section, &_item);)

__must_check struct shelf *shelf_new(void);

__must_check struct label *label_new(struct shelf *shelf);

__must_check struct clasp *clasp_new(const char *name);

__must_check struct seal *seal_make(const char *name);

#endif /* _ESCAPES_TYPED_H */
