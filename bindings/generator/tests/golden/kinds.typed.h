/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _KINDS_TYPED_H
#define _KINDS_TYPED_H

#include <linux/cleanup.h>
#include <kinds.h>

/* struct garden *x __free(garden_exit): ended when @x goes out of scope. */
DEFINE_FREE(garden_exit, struct garden *,
	    if (!IS_ERR_OR_NULL(_T)) garden_exit(_T))

/* guard(garden_gate)(x), scoped_guard(garden_gate, x) { } */
DEFINE_GUARD(garden_gate, struct garden *, garden_lock(_T), garden_unlock(_T))

/* A struct walk that is left when it goes out of scope. */
#define scoped_walk struct walk __cleanup(walk_leave)

/*
 * garden_walk(name, error, garden, visit) { }: the statement runs for each
 * batch of the section; @name can be named in it and nowhere else. @error, an
 * int, is set to the result; it is not set when the statement is left early.
 * .hours = ... may follow.
 */
#define garden_walk(_name, _error, _garden, _visit, ...) \
	for (scoped_walk _name = { .garden = (_garden),  \
				   .visit = (_visit),    \
				   __VA_ARGS__ };        \
	     walk_next(&_name) || ((_error) = walk_error(&_name), false);)

/*
 * walk_beds(item, section) { }: the statement runs for each struct bed that
 * @section, which one is inside of, shows; @item can be named in it and nowhere
 * else.
 */
#define walk_beds(_item, _section)                             \
	for (struct bed _item = { .number = (_section)->now }; \
	     walk_bed(_section, &_item);)

/* A struct walk that is taken for no other: one of garden_retreat(). */
struct walk_retreat {
	struct walk state;
};

static inline void walk_retreat_leave(struct walk_retreat *section)
{
	walk_leave(&section->state);
}

/* A struct walk_retreat that is left when it goes out of scope. */
#define scoped_walk_retreat struct walk_retreat __cleanup(walk_retreat_leave)

/*
 * garden_retreat(name, error, garden) { }: the statement runs for each batch of
 * the section; @name can be named in it and nowhere else. @error, an int, is
 * set to the result; it is not set when the statement is left early. .hours =
 * ... may follow.
 */
#define garden_retreat(_name, _error, _garden, ...)                         \
	for (scoped_walk_retreat _name = { .state = { .garden = (_garden),  \
						      .visit = VISIT_ALONE, \
						      __VA_ARGS__ } };      \
	     walk_next(&_name.state) ||                                     \
	     ((_error) = walk_error(&_name.state), false);)

struct walk_retreat_bed {
	struct bed bed;
};

/*
 * walk_retreat_beds(item, section) { }: the statement runs for each struct
 * walk_retreat_bed that @section, which one is inside of, shows; @item can be
 * named in it and nowhere else.
 */
#define walk_retreat_beds(_item, _section)                                      \
	for (struct walk_retreat_bed _item = { .bed.number =                    \
						       (_section)->state.now }; \
	     walk_bed(&(_section)->state, &_item.bed);)

/* A struct walk that is taken for no other: one of garden_harvest(). */
struct walk_harvest {
	struct walk state;
};

static inline void walk_harvest_leave(struct walk_harvest *section)
{
	walk_leave(&section->state);
}

/* A struct walk_harvest that is left when it goes out of scope. */
#define scoped_walk_harvest struct walk_harvest __cleanup(walk_harvest_leave)

/*
 * garden_harvest(name, error, garden, visit, basket) { }: the statement runs
 * for each batch of the section; @name can be named in it and nowhere else.
 * @error, an int, is set to the result; it is not set when the statement is
 * left early. .hours = ... may follow.
 */
#define garden_harvest(_name, _error, _garden, _visit, _basket, ...)       \
	for (scoped_walk_harvest _name = { .state = { .garden = (_garden), \
						      .visit = (_visit),   \
						      .basket = (_basket), \
						      __VA_ARGS__ } };     \
	     walk_next(&_name.state) ||                                    \
	     ((_error) = walk_error(&_name.state), false);)

struct walk_harvest_bed {
	struct bed bed;
};

/*
 * walk_harvest_beds(item, section) { }: the statement runs for each struct
 * walk_harvest_bed that @section, which one is inside of, shows; @item can be
 * named in it and nowhere else.
 */
#define walk_harvest_beds(_item, _section)                                      \
	for (struct walk_harvest_bed _item = { .bed.number =                    \
						       (_section)->state.now }; \
	     walk_bed(&(_section)->state, &_item.bed);)

struct walk_harvest_fruit {
	struct fruit fruit;
};

/*
 * walk_harvest_fruits(item, section) { }: the statement runs for each struct
 * walk_harvest_fruit that @section, which one is inside of, shows; @item can be
 * named in it and nowhere else.
 */
#define walk_harvest_fruits(_item, _section)       \
	for (struct walk_harvest_fruit _item = {}; \
	     walk_fruit(&(_section)->state, &_item.fruit);)

#endif /* _KINDS_TYPED_H */
