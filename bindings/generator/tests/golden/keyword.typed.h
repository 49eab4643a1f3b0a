/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _KEYWORD_TYPED_H
#define _KEYWORD_TYPED_H

#include <linux/cleanup.h>
#include <keyword.h>

/* An integer with a type of its own. */
struct rate_val {
	unsigned int raw;
};

static inline struct rate_val rate_of(unsigned int bits)
{
	return (struct rate_val){ bits };
}

static inline bool rate_has(struct rate_val val, enum rate bits)
{
	return (val.raw & bits) == bits;
}

/* struct trait *x __free(trait_exit): ended when @x goes out of scope. */
DEFINE_FREE(trait_exit, struct trait *,
	    if (!IS_ERR_OR_NULL(_T))(void) !trait_exit(_T))

/* struct box *x __free(box_put): its reference is given back when @x goes out of scope. */
DEFINE_FREE(box_put, struct box *, if (!IS_ERR_OR_NULL(_T))(void) !box_put(_T))

/* CLASS(box_ref, x)(y): another reference to the object of @y. */
DEFINE_CLASS(box_ref, struct box *, (void)!box_put(_T), ({
		     (void)!box_get(from);
		     from;
	     }),
	     struct box *from)

/*
 * DEFINE_TRAIT_OPS(name, type, member, callbacks...): a struct trait_ops whose callbacks
 * take the @type that has the struct trait as its @member.
 */
#define DEFINE_TRAIT_OPS(_name, _type, _member, _type_fn)                \
	static int _name##_type(struct trait *trait, int in, bool match) \
	{                                                                \
		return _type_fn(container_of(trait, _type, _member), in, \
				match);                                  \
	}                                                                \
	static const struct trait_ops _name = {                          \
		.type = _name##_type,                                    \
	}

/* The same, with the optional callbacks. */
#define DEFINE_TRAIT_OPS_ALL(_name, _type, _member, _type_fn, _name_fn,  \
			     _member_fn)                                 \
	static int _name##_type(struct trait *trait, int in, bool match) \
	{                                                                \
		return _type_fn(container_of(trait, _type, _member), in, \
				match);                                  \
	}                                                                \
	static void _name##_name(struct trait *trait)                    \
	{                                                                \
		_name_fn(container_of(trait, _type, _member));           \
	}                                                                \
	static void _name##_member(struct trait *trait, int self)        \
	{                                                                \
		_member_fn(container_of(trait, _type, _member), self);   \
	}                                                                \
	static const struct trait_ops _name = {                          \
		.type = _name##_type,                                    \
		.name = _name##_name,                                    \
		.member = _name##_member,                                \
	}

__must_check int trait_become(struct trait *trait, enum state fn,
			      enum rate dyn);

#endif /* _KEYWORD_TYPED_H */
