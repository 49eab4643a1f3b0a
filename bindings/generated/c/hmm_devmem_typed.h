/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _DEVMEM_TYPED_H
#define _DEVMEM_TYPED_H

#include <linux/cleanup.h>
#include <linux/hmm_devmem.h>

/* A word that is not taken for any other. */
struct hmm_devmem_flags_word {
	unsigned int raw;
};

static inline struct hmm_devmem_flags_word
hmm_devmem_flags_of(unsigned int bits)
{
	return (struct hmm_devmem_flags_word){ bits };
}

static inline bool hmm_devmem_flags_has(struct hmm_devmem_flags_word word,
					enum hmm_devmem_flags bits)
{
	return (word.raw & bits) == bits;
}

/* struct hmm_devmem *x __free(hmm_devmem_exit): ended when @x goes out of scope. */
DEFINE_FREE(hmm_devmem_exit, struct hmm_devmem *,
	    if (!IS_ERR_OR_NULL(_T)) hmm_devmem_exit(_T))

/* struct hmm_devmem_migration *x __free(hmm_devmem_migration_end): ended when @x goes out of scope. */
DEFINE_FREE(hmm_devmem_migration_end, struct hmm_devmem_migration *,
	    if (!IS_ERR_OR_NULL(_T)) hmm_devmem_migration_end(_T))

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

/* The same, with the optional callbacks too. */
#define DEFINE_HMM_DEVMEM_OPS_ALL(_name, _type, _member, _copy, _clear, _grow, \
				  _release)                                    \
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
		.grow = _name##_grow,                                          \
		.release = _name##_release,                                    \
	}

__must_check int hmm_devmem_init(struct hmm_devmem *devmem);

__must_check int hmm_devmem_add(struct hmm_devmem *devmem, phys_addr_t start,
				unsigned long size, void *data);

__must_check int hmm_devmem_remove(struct hmm_devmem *devmem,
				   unsigned long timeout);

__must_check long hmm_devmem_migrate(struct hmm_devmem *devmem,
				     struct mm_struct *mm, struct hmm_span span,
				     unsigned int flags);

__must_check long hmm_devmem_migrate_home(struct hmm_devmem *devmem,
					  struct mm_struct *mm,
					  struct hmm_span span,
					  unsigned int flags);

__must_check struct hmm_devmem_migration *
hmm_devmem_collect(struct hmm_devmem *devmem, struct mm_struct *mm,
		   struct hmm_span span);

#endif /* _DEVMEM_TYPED_H */
