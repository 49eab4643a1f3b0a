/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _SECTION_TYPED_H
#define _SECTION_TYPED_H

#include <linux/cleanup.h>
#include <section.h>

/* struct book *x __free(book_exit): ended when @x goes out of scope. */
DEFINE_FREE(book_exit, struct book *, if (!IS_ERR_OR_NULL(_T)) book_exit(_T))

/* guard(book)(x), scoped_guard(book, x) { } */
DEFINE_GUARD(book, struct book *, book_lock(_T), book_unlock(_T))

/* A struct reading that is left when it goes out of scope. */
#define scoped_reading struct reading __cleanup(reading_leave)

/*
 * book_read(name, error, book, first) { }: the statement runs for each batch of
 * the section; @name can be named in it and nowhere else. @error, an int, is
 * set to the result; it is not set when the statement is left early. .candle =
 * ... may follow.
 */
#define book_read(_name, _error, _book, _first, ...)                     \
	for (unsigned long _name##_room[READING_MARKS] __uninitialized,  \
	     *_name##_once = _name##_room;                               \
	     _name##_once; _name##_once = NULL)                          \
		for (scoped_reading _name = { .book = (_book),           \
					      .first = (_first),         \
					      .marks = _name##_room,     \
					      .nr_marks = READING_MARKS, \
					      __VA_ARGS__ };             \
		     reading_next(&_name) ||                             \
		     ((_error) = reading_error(&_name), false);)

/*
 * reading_lines(item, section) { }: the statement runs for each struct line
 * that @section, which one is inside of, shows; @item can be named in it and
 * nowhere else.
 */
#define reading_lines(_item, _section)                          \
	for (struct line _item = { .number = (_section)->now }; \
	     reading_line(_section, &_item);)

#endif /* _SECTION_TYPED_H */
