/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _MIRROR_TYPED_H
#define _MIRROR_TYPED_H

#include <linux/cleanup.h>
#include <linux/hmm_mirror.h>

/* An integer with a type of its own. */
struct hmm_pfn_flags_val {
	unsigned long raw;
};

static inline struct hmm_pfn_flags_val hmm_pfn_flags_of(unsigned long bits)
{
	return (struct hmm_pfn_flags_val){ bits };
}

static inline bool hmm_pfn_flags_has(struct hmm_pfn_flags_val val,
				     enum hmm_pfn_flags bits)
{
	return (val.raw & bits) == bits;
}

static inline struct hmm_pfn_flags_val
hmm_run_flags(const struct hmm_run *hmm_run)
{
	return (struct hmm_pfn_flags_val){ hmm_run->flags };
}

static inline struct hmm_pfn_flags_val
hmm_dma_run_flags(const struct hmm_dma_run *hmm_dma_run)
{
	return (struct hmm_pfn_flags_val){ hmm_dma_run->flags };
}

/* struct hmm_mirror *x __free(hmm_mirror_exit): ended when @x goes out of scope. */
DEFINE_FREE(hmm_mirror_exit, struct hmm_mirror *,
	    if (!IS_ERR_OR_NULL(_T)) hmm_mirror_exit(_T))

/* struct hmm_mirror_range *x __free(hmm_mirror_range_remove_deferred): ended when @x goes out of scope. */
DEFINE_FREE(hmm_mirror_range_remove_deferred, struct hmm_mirror_range *,
	    if (!IS_ERR_OR_NULL(_T)) hmm_mirror_range_remove_deferred(_T))

/* struct hmm_mirror_dma *x __free(hmm_mirror_dma_exit): ended when @x goes out of scope. */
DEFINE_FREE(hmm_mirror_dma_exit, struct hmm_mirror_dma *,
	    if (!IS_ERR_OR_NULL(_T)) hmm_mirror_dma_exit(_T))

/*
 * DEFINE_HMM_MIRROR_OPS(name, type, member, callbacks...): a struct hmm_mirror_ops whose callbacks
 * take the @type that has the struct hmm_mirror as its @member.
 */
#define DEFINE_HMM_MIRROR_OPS(_name, _type, _member, _invalidate)              \
	static bool _name##_invalidate(struct hmm_mirror *mirror,              \
				       const struct hmm_invalidation *inv)     \
	{                                                                      \
		return _invalidate(container_of(mirror, _type, _member), inv); \
	}                                                                      \
	static const struct hmm_mirror_ops _name = {                           \
		.invalidate = _name##_invalidate,                              \
	}

/* The same, with the optional callbacks. */
#define DEFINE_HMM_MIRROR_OPS_ALL(_name, _type, _member, _invalidate,          \
				  _invalidate_finish, _release)                \
	static bool _name##_invalidate(struct hmm_mirror *mirror,              \
				       const struct hmm_invalidation *inv)     \
	{                                                                      \
		return _invalidate(container_of(mirror, _type, _member), inv); \
	}                                                                      \
	static void _name##_invalidate_finish(                                 \
		struct hmm_mirror *mirror, const struct hmm_invalidation *inv) \
	{                                                                      \
		_invalidate_finish(container_of(mirror, _type, _member), inv); \
	}                                                                      \
	static void _name##_release(struct hmm_mirror *mirror)                 \
	{                                                                      \
		_release(container_of(mirror, _type, _member));                \
	}                                                                      \
	static const struct hmm_mirror_ops _name = {                           \
		.invalidate = _name##_invalidate,                              \
		.invalidate_finish = _name##_invalidate_finish,                \
		.release = _name##_release,                                    \
	}

/* A struct hmm_section that is left when it goes out of scope. */
#define scoped_hmm_section struct hmm_section __cleanup(hmm_section_leave)

/*
 * hmm_mirror_populate(name, error, mirror, span, access) { }: the statement
 * runs for each batch of the section; @name can be named in it and nowhere
 * else. @error, an int, is set to the result; it is not set when the statement
 * is left early. .timeout = ... may follow.
 */
#define hmm_mirror_populate(_name, _error, _mirror, _span, _access, ...)     \
	for (unsigned long _name##_room[HMM_SECTION_BATCH] __uninitialized,  \
	     *_name##_once = _name##_room;                                   \
	     _name##_once; _name##_once = NULL)                              \
		for (scoped_hmm_section _name = { .mirror = (_mirror),       \
						  .span = (_span),           \
						  .access = (_access),       \
						  .pfns = _name##_room,      \
						  .nr_pfns =                 \
							  HMM_SECTION_BATCH, \
						  __VA_ARGS__ };             \
		     hmm_section_next(&_name) ||                             \
		     ((_error) = hmm_section_error(&_name), false);)

/*
 * hmm_section_runs(item, section) { }: the statement runs for each struct
 * hmm_run that @section, which one is inside of, shows; @item can be named in
 * it and nowhere else.
 */
#define hmm_section_runs(_item, _section)                                    \
	for (struct hmm_run _item = { .span.start = (_section)->batch.start, \
				      .span.end = (_section)->batch.start }; \
	     hmm_section_run(_section, &_item);)

/* A struct hmm_section that is taken for no other: one of hmm_mirror_exclusive(). */
struct hmm_section_exclusive {
	struct hmm_section state;
};

static inline void
hmm_section_exclusive_leave(struct hmm_section_exclusive *section)
{
	hmm_section_leave(&section->state);
}

/* A struct hmm_section_exclusive that is left when it goes out of scope. */
#define scoped_hmm_section_exclusive \
	struct hmm_section_exclusive __cleanup(hmm_section_exclusive_leave)

/*
 * hmm_mirror_exclusive(name, error, mirror, span) { }: the statement runs for
 * each batch of the section; @name can be named in it and nowhere else. @error,
 * an int, is set to the result; it is not set when the statement is left early.
 * .timeout = ... may follow.
 */
#define hmm_mirror_exclusive(_name, _error, _mirror, _span, ...)                \
	for (unsigned long _name##_room[HMM_SECTION_BATCH] __uninitialized,     \
	     *_name##_once = _name##_room;                                      \
	     _name##_once; _name##_once = NULL)                                 \
		for (scoped_hmm_section_exclusive                               \
			     _name = { .state = { .mirror = (_mirror),          \
						  .span = (_span),              \
						  .access =                     \
							  HMM_ACCESS_EXCLUSIVE, \
						  .pfns = _name##_room,         \
						  .nr_pfns =                    \
							  HMM_SECTION_BATCH,    \
						  __VA_ARGS__ } };              \
		     hmm_section_next(&_name.state) ||                          \
		     ((_error) = hmm_section_error(&_name.state), false);)

struct hmm_section_exclusive_run {
	struct hmm_run run;
};

/*
 * hmm_section_exclusive_runs(item, section) { }: the statement runs for each
 * struct hmm_section_exclusive_run that @section, which one is inside of,
 * shows; @item can be named in it and nowhere else.
 */
#define hmm_section_exclusive_runs(_item, _section)                     \
	for (struct hmm_section_exclusive_run                           \
		     _item = { .run.span.start =                        \
				       (_section)->state.batch.start,   \
			       .run.span.end =                          \
				       (_section)->state.batch.start }; \
	     hmm_section_run(&(_section)->state, &_item.run);)

/* A struct hmm_section that is taken for no other: one of hmm_mirror_populate_dma(). */
struct hmm_section_dma_pages {
	struct hmm_section state;
};

static inline void
hmm_section_dma_pages_leave(struct hmm_section_dma_pages *section)
{
	hmm_section_leave(&section->state);
}

/* A struct hmm_section_dma_pages that is left when it goes out of scope. */
#define scoped_hmm_section_dma_pages \
	struct hmm_section_dma_pages __cleanup(hmm_section_dma_pages_leave)

/*
 * hmm_mirror_populate_dma(name, error, mirror, span, access, dma) { }: the
 * statement runs for each batch of the section; @name can be named in it and
 * nowhere else. @error, an int, is set to the result; it is not set when the
 * statement is left early. .timeout = ... may follow.
 */
#define hmm_mirror_populate_dma(_name, _error, _mirror, _span, _access, _dma, \
				...)                                          \
	for (unsigned long _name##_room[HMM_SECTION_BATCH] __uninitialized,   \
	     *_name##_once = _name##_room;                                    \
	     _name##_once; _name##_once = NULL)                               \
		for (scoped_hmm_section_dma_pages                             \
			     _name = { .state = { .mirror = (_mirror),        \
						  .span = (_span),            \
						  .access = (_access),        \
						  .dma = (_dma),              \
						  .pfns = _name##_room,       \
						  .nr_pfns =                  \
							  HMM_SECTION_BATCH,  \
						  __VA_ARGS__ } };            \
		     hmm_section_next(&_name.state) ||                        \
		     ((_error) = hmm_section_error(&_name.state), false);)

struct hmm_section_dma_pages_run {
	struct hmm_run run;
};

/*
 * hmm_section_dma_pages_runs(item, section) { }: the statement runs for each
 * struct hmm_section_dma_pages_run that @section, which one is inside of,
 * shows; @item can be named in it and nowhere else.
 */
#define hmm_section_dma_pages_runs(_item, _section)                     \
	for (struct hmm_section_dma_pages_run                           \
		     _item = { .run.span.start =                        \
				       (_section)->state.batch.start,   \
			       .run.span.end =                          \
				       (_section)->state.batch.start }; \
	     hmm_section_run(&(_section)->state, &_item.run);)

struct hmm_section_dma_pages_dma_run {
	struct hmm_dma_run dma_run;
};

/*
 * hmm_section_dma_pages_addresses(item, section) { }: the statement runs for
 * each struct hmm_section_dma_pages_dma_run that @section, which one is inside
 * of, shows; @item can be named in it and nowhere else.
 */
#define hmm_section_dma_pages_addresses(_item, _section)                \
	for (struct hmm_section_dma_pages_dma_run                       \
		     _item = { .dma_run.span.start =                    \
				       (_section)->state.batch.start,   \
			       .dma_run.span.end =                      \
				       (_section)->state.batch.start }; \
	     hmm_section_dma_run(&(_section)->state, &_item.dma_run);)

/* A struct hmm_section that is taken for no other: one of hmm_mirror_populate_in(). */
struct hmm_section_migrated_pages {
	struct hmm_section state;
};

static inline void
hmm_section_migrated_pages_leave(struct hmm_section_migrated_pages *section)
{
	hmm_section_leave(&section->state);
}

/* A struct hmm_section_migrated_pages that is left when it goes out of scope. */
#define scoped_hmm_section_migrated_pages            \
	struct hmm_section_migrated_pages __cleanup( \
		hmm_section_migrated_pages_leave)

/*
 * hmm_mirror_populate_in(name, error, mirror, span, access, migrate_to) { }:
 * the statement runs for each batch of the section; @name can be named in it
 * and nowhere else. @error, an int, is set to the result; it is not set when
 * the statement is left early. .timeout = ... may follow.
 */
#define hmm_mirror_populate_in(_name, _error, _mirror, _span, _access,         \
			       _migrate_to, ...)                               \
	for (unsigned long _name##_room[HMM_SECTION_BATCH] __uninitialized,    \
	     *_name##_once = _name##_room;                                     \
	     _name##_once; _name##_once = NULL)                                \
		for (scoped_hmm_section_migrated_pages                         \
			     _name = { .state = { .mirror = (_mirror),         \
						  .span = (_span),             \
						  .access = (_access),         \
						  .migrate_to = (_migrate_to), \
						  .pfns = _name##_room,        \
						  .nr_pfns =                   \
							  HMM_SECTION_BATCH,   \
						  __VA_ARGS__ } };             \
		     hmm_section_next(&_name.state) ||                         \
		     ((_error) = hmm_section_error(&_name.state), false);)

struct hmm_section_migrated_pages_run {
	struct hmm_run run;
};

/*
 * hmm_section_migrated_pages_runs(item, section) { }: the statement runs for
 * each struct hmm_section_migrated_pages_run that @section, which one is inside
 * of, shows; @item can be named in it and nowhere else.
 */
#define hmm_section_migrated_pages_runs(_item, _section)                \
	for (struct hmm_section_migrated_pages_run                      \
		     _item = { .run.span.start =                        \
				       (_section)->state.batch.start,   \
			       .run.span.end =                          \
				       (_section)->state.batch.start }; \
	     hmm_section_run(&(_section)->state, &_item.run);)

__must_check int hmm_mirror_init(struct hmm_mirror *mirror,
				 struct mm_struct *mm,
				 const struct hmm_mirror_ops *ops, void *owner);

__must_check int hmm_mirror_range_init(struct hmm_mirror *mirror,
				       struct hmm_mirror_range *range,
				       struct hmm_span span);

__must_check int hmm_mirror_lock_once(struct hmm_mirror *mirror);

__must_check int hmm_mirror_dma_init(struct hmm_mirror_dma *dma,
				     struct hmm_mirror *mirror,
				     struct device *dev, struct hmm_span span);

__must_check int hmm_mirror_dma_accept_peers(struct hmm_mirror_dma *dma);

#endif /* _MIRROR_TYPED_H */
