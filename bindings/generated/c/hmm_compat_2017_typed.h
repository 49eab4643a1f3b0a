/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _COMPAT_2017_TYPED_H
#define _COMPAT_2017_TYPED_H

#include <linux/cleanup.h>
#include <linux/hmm_compat_2017.h>

/* struct hmm2017_memory *x __free(hmm2017_memory_exit): ended when @x goes out of scope. */
DEFINE_FREE(hmm2017_memory_exit, struct hmm2017_memory *,
	    if (!IS_ERR_OR_NULL(_T)) hmm2017_memory_exit(_T))

/*
 * DEFINE_HMM2017_MEMORY_OPS(name, type, member, callbacks...): a struct hmm2017_memory_ops whose callbacks
 * take the @type that has the struct hmm2017_memory as its @member.
 */
#define DEFINE_HMM2017_MEMORY_OPS(_name, _type, _member, _copy, _clear)      \
	static int _name##_copy(struct hmm2017_memory *memory,               \
				struct page *dst, struct page *src,          \
				unsigned int order)                          \
	{                                                                    \
		return _copy(container_of(memory, _type, _member), dst, src, \
			     order);                                         \
	}                                                                    \
	static int _name##_clear(struct hmm2017_memory *memory,              \
				 struct page *page, unsigned int order)      \
	{                                                                    \
		return _clear(container_of(memory, _type, _member), page,    \
			      order);                                        \
	}                                                                    \
	static const struct hmm2017_memory_ops _name = {                     \
		.copy = _name##_copy,                                        \
		.clear = _name##_clear,                                      \
	}

__must_check int hmm2017_memory_init(struct hmm2017_memory *memory);

__must_check long hmm2017_memory_migrate(struct hmm2017_memory *memory,
					 struct mm_struct *mm,
					 unsigned long start,
					 unsigned long end);

#endif /* _COMPAT_2017_TYPED_H */
