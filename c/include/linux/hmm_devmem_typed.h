/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _DEVMEM_TYPED_H
#define _DEVMEM_TYPED_H

#include <linux/bug.h>
#include <linux/cleanup.h>
#include <linux/hmm_devmem.h>

/* struct hmm_devmem *x __free(hmm_devmem_exit): ended when @x goes out of scope. */
DEFINE_FREE(hmm_devmem_exit, struct hmm_devmem *,
	    if (!IS_ERR_OR_NULL(_T)) hmm_devmem_exit(_T))

/* struct hmm_devmem_migration *x __free(hmm_devmem_migration_end): ended when @x goes out of scope. */
DEFINE_FREE(hmm_devmem_migration_end, struct hmm_devmem_migration *,
	    if (!IS_ERR_OR_NULL(_T)) hmm_devmem_migration_end(_T))

/*
 * A struct hmm_devmem_migration in the stage Collected, or an error.
 * CLASS(hmm_devmem_migration_collected, x)(...): ended when @x goes out of
 * scope, unless a step took it to the next stage.
 */
struct hmm_devmem_migration_collected {
	struct hmm_devmem_migration *raw;
};

/* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */
static inline int __must_check hmm_devmem_migration_collected_error(
	const struct hmm_devmem_migration_collected *collected)
{
	return collected->raw ? PTR_ERR_OR_ZERO(collected->raw) : -ENOMEM;
}

/*
 * A struct hmm_devmem_migration in the stage Copied, or an error.
 * CLASS(hmm_devmem_migration_copied, x)(...): ended when @x goes out of scope,
 * unless a step took it to the next stage.
 */
struct hmm_devmem_migration_copied {
	struct hmm_devmem_migration *raw;
};

/* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */
static inline int __must_check hmm_devmem_migration_copied_error(
	const struct hmm_devmem_migration_copied *copied)
{
	return copied->raw ? PTR_ERR_OR_ZERO(copied->raw) : -ENOMEM;
}

/*
 * A struct hmm_devmem_migration in the stage Committed, or an error.
 * CLASS(hmm_devmem_migration_committed, x)(...): ended when @x goes out of
 * scope, unless a step took it to the next stage.
 */
struct hmm_devmem_migration_committed {
	struct hmm_devmem_migration *raw;
};

/* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */
static inline int __must_check hmm_devmem_migration_committed_error(
	const struct hmm_devmem_migration_committed *committed)
{
	return committed->raw ? PTR_ERR_OR_ZERO(committed->raw) : -ENOMEM;
}

static inline struct hmm_devmem_migration_collected
hmm_devmem_migration_collected_by_collect(struct hmm_devmem *devmem,
					  struct mm_struct *mm,
					  struct hmm_span span)
{
	return (struct hmm_devmem_migration_collected){ hmm_devmem_collect(
		devmem, mm, span) };
}

DEFINE_CLASS(hmm_devmem_migration_collected,
	     struct hmm_devmem_migration_collected,
	     if (!IS_ERR_OR_NULL(_T.raw)) hmm_devmem_migration_end(_T.raw),
	     hmm_devmem_migration_collected_by_collect(devmem, mm, span),
	     struct hmm_devmem *devmem, struct mm_struct *mm,
	     struct hmm_span span)

static inline struct hmm_span hmm_devmem_migration_collected_span(
	const struct hmm_devmem_migration_collected *collected)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(collected->raw)))
		return (struct hmm_span){};
	return hmm_devmem_migration_span(collected->raw);
}

static inline struct hmm_devmem_migration_copied
hmm_devmem_migration_copied_by_copy(
	struct hmm_devmem_migration_collected *before)
{
	struct hmm_devmem_migration *raw = before->raw;

	before->raw = ERR_PTR(-ESTALE);
	if (!IS_ERR_OR_NULL(raw))
		hmm_devmem_migration_copy(raw);
	return (struct hmm_devmem_migration_copied){ raw };
}

DEFINE_CLASS(hmm_devmem_migration_copied, struct hmm_devmem_migration_copied,
	     if (!IS_ERR_OR_NULL(_T.raw)) hmm_devmem_migration_end(_T.raw),
	     hmm_devmem_migration_copied_by_copy(before),
	     struct hmm_devmem_migration_collected *before)

static inline struct hmm_span hmm_devmem_migration_copied_span(
	const struct hmm_devmem_migration_copied *copied)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(copied->raw)))
		return (struct hmm_span){};
	return hmm_devmem_migration_span(copied->raw);
}

static inline struct hmm_devmem_migration_committed
hmm_devmem_migration_committed_by_commit(
	struct hmm_devmem_migration_copied *before)
{
	struct hmm_devmem_migration *raw = before->raw;

	before->raw = ERR_PTR(-ESTALE);
	if (!IS_ERR_OR_NULL(raw))
		hmm_devmem_migration_commit(raw);
	return (struct hmm_devmem_migration_committed){ raw };
}

DEFINE_CLASS(hmm_devmem_migration_committed,
	     struct hmm_devmem_migration_committed,
	     if (!IS_ERR_OR_NULL(_T.raw)) hmm_devmem_migration_end(_T.raw),
	     hmm_devmem_migration_committed_by_commit(before),
	     struct hmm_devmem_migration_copied *before)

static inline unsigned long hmm_devmem_migration_committed_moved(
	const struct hmm_devmem_migration_committed *committed)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(committed->raw)))
		return 0;
	return hmm_devmem_migration_moved(committed->raw);
}

static inline struct hmm_span hmm_devmem_migration_committed_span(
	const struct hmm_devmem_migration_committed *committed)
{
	if (WARN_ON_ONCE(IS_ERR_OR_NULL(committed->raw)))
		return (struct hmm_span){};
	return hmm_devmem_migration_span(committed->raw);
}

/*
 * DEFINE_HMM_DEVMEM_OPS(name, type, member, callbacks...): a struct hmm_devmem_ops whose callbacks
 * take the @type that has the struct hmm_devmem as its @member.
 */
#define DEFINE_HMM_DEVMEM_OPS(_name, _type, _member, _copy, _clear)            \
	static int _name##_copy(struct hmm_devmem *devmem, struct page *dst,   \
				struct page *src, unsigned int order)          \
	{                                                                      \
		return _copy(container_of(devmem, _type, _member), dst, src,   \
			     order);                                           \
	}                                                                      \
	static int _name##_clear(struct hmm_devmem *devmem, struct page *page, \
				 unsigned int order)                           \
	{                                                                      \
		return _clear(container_of(devmem, _type, _member), page,      \
			      order);                                          \
	}                                                                      \
	static const struct hmm_devmem_ops _name = {                           \
		.copy = _name##_copy,                                          \
		.clear = _name##_clear,                                        \
	}

/* The same, with the optional callbacks. */
#define DEFINE_HMM_DEVMEM_OPS_ALL(_name, _type, _member, _copy, _clear,        \
				  _copy_batch, _can_copy_from, _peer_dma_map,  \
				  _peer_dma_unmap, _grow, _release)            \
	static int _name##_copy(struct hmm_devmem *devmem, struct page *dst,   \
				struct page *src, unsigned int order)          \
	{                                                                      \
		return _copy(container_of(devmem, _type, _member), dst, src,   \
			     order);                                           \
	}                                                                      \
	static int _name##_clear(struct hmm_devmem *devmem, struct page *page, \
				 unsigned int order)                           \
	{                                                                      \
		return _clear(container_of(devmem, _type, _member), page,      \
			      order);                                          \
	}                                                                      \
	static void _name##_copy_batch(struct hmm_devmem *devmem,              \
				       struct hmm_devmem_batch *batch)         \
	{                                                                      \
		_copy_batch(container_of(devmem, _type, _member), batch);      \
	}                                                                      \
	static bool _name##_can_copy_from(struct hmm_devmem *devmem,           \
					  const struct hmm_devmem_peer *peer)  \
	{                                                                      \
		return _can_copy_from(container_of(devmem, _type, _member),    \
				      peer);                                   \
	}                                                                      \
	static void _name##_peer_dma_map(struct hmm_devmem *devmem,            \
					 struct hmm_peer_access *access)       \
	{                                                                      \
		_peer_dma_map(container_of(devmem, _type, _member), access);   \
	}                                                                      \
	static void _name##_peer_dma_unmap(struct hmm_devmem *devmem,          \
					   struct hmm_peer_access *access)     \
	{                                                                      \
		_peer_dma_unmap(container_of(devmem, _type, _member), access); \
	}                                                                      \
	static int _name##_grow(struct hmm_devmem *devmem)                     \
	{                                                                      \
		return _grow(container_of(devmem, _type, _member));            \
	}                                                                      \
	static void _name##_release(struct hmm_devmem *devmem, void *data)     \
	{                                                                      \
		_release(container_of(devmem, _type, _member), data);          \
	}                                                                      \
	static const struct hmm_devmem_ops _name = {                           \
		.copy = _name##_copy,                                          \
		.clear = _name##_clear,                                        \
		.copy_batch = _name##_copy_batch,                              \
		.can_copy_from = _name##_can_copy_from,                        \
		.peer_dma_map = _name##_peer_dma_map,                          \
		.peer_dma_unmap = _name##_peer_dma_unmap,                      \
		.grow = _name##_grow,                                          \
		.release = _name##_release,                                    \
	}

__must_check int hmm_devmem_init(struct hmm_devmem *devmem);

__must_check int hmm_devmem_set_device(struct hmm_devmem *devmem,
				       struct device *dev);

__must_check int hmm_devmem_account(struct hmm_devmem *devmem,
				    unsigned long capacity);

__must_check int hmm_devmem_add(struct hmm_devmem *devmem, phys_addr_t start,
				unsigned long size, void *data);

__must_check int hmm_devmem_add_private(struct hmm_devmem *devmem,
					unsigned long size, void *data);

__must_check int hmm_devmem_remove(struct hmm_devmem *devmem,
				   unsigned long timeout);

__must_check int hmm_devmem_retire(struct hmm_devmem *devmem, void *data,
				   unsigned long offset);

__must_check long hmm_devmem_migrate(struct hmm_devmem *devmem,
				     struct mm_struct *mm,
				     struct hmm_span span);

__must_check long hmm_devmem_migrate_to_ram(struct hmm_devmem *devmem,
					    struct mm_struct *mm,
					    struct hmm_span span);

__must_check struct hmm_devmem_migration *
hmm_devmem_collect(struct hmm_devmem *devmem, struct mm_struct *mm,
		   struct hmm_span span);

#endif /* _DEVMEM_TYPED_H */
