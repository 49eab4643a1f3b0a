/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _COMPAT_2019_TYPED_H
#define _COMPAT_2019_TYPED_H

#include <linux/cleanup.h>
#include <linux/hmm_compat_2019.h>

/* A word that is not taken for any other. */
struct hmm_pfn_flags_word {
	unsigned long raw;
};

static inline struct hmm_pfn_flags_word hmm_pfn_flags_of(unsigned long bits)
{
	return (struct hmm_pfn_flags_word){ bits };
}

static inline bool hmm_pfn_flags_has(struct hmm_pfn_flags_word word,
				     enum hmm_pfn_flags bits)
{
	return (word.raw & bits) == bits;
}

/* struct hmm2019_mirror *x __free(hmm_mirror_unregister): ended when @x goes out of scope. */
DEFINE_FREE(hmm_mirror_unregister, struct hmm2019_mirror *,
	    if (!IS_ERR_OR_NULL(_T)) hmm_mirror_unregister(_T))

/* struct hmm2019_range *x __free(hmm_range_unregister): ended when @x goes out of scope. */
DEFINE_FREE(hmm_range_unregister, struct hmm2019_range *,
	    if (!IS_ERR_OR_NULL(_T)) hmm_range_unregister(_T))

/*
 * DEFINE_HMM2019_MIRROR_OPS(name, type, member, callbacks...): a struct hmm2019_mirror_ops whose callbacks
 * take the @type that has the struct hmm2019_mirror as its @member.
 */
#define DEFINE_HMM2019_MIRROR_OPS(_name, _type, _member,               \
				  _sync_cpu_device_pagetables)         \
	static int _name##_sync_cpu_device_pagetables(                 \
		struct hmm2019_mirror *mirror,                         \
		const struct mmu_notifier_range *update)               \
	{                                                              \
		return _sync_cpu_device_pagetables(                    \
			container_of(mirror, _type, _member), update); \
	}                                                              \
	static const struct hmm2019_mirror_ops _name = {               \
		.sync_cpu_device_pagetables =                          \
			_name##_sync_cpu_device_pagetables,            \
	}

/* The same, with the optional callbacks too. */
#define DEFINE_HMM2019_MIRROR_OPS_ALL(_name, _type, _member, _release, \
				      _sync_cpu_device_pagetables)     \
	static void _name##_release(struct hmm2019_mirror *mirror)     \
	{                                                              \
		_release(container_of(mirror, _type, _member));        \
	}                                                              \
	static int _name##_sync_cpu_device_pagetables(                 \
		struct hmm2019_mirror *mirror,                         \
		const struct mmu_notifier_range *update)               \
	{                                                              \
		return _sync_cpu_device_pagetables(                    \
			container_of(mirror, _type, _member), update); \
	}                                                              \
	static const struct hmm2019_mirror_ops _name = {               \
		.release = _name##_release,                            \
		.sync_cpu_device_pagetables =                          \
			_name##_sync_cpu_device_pagetables,            \
	}

__must_check int hmm2019_mirror_begin(struct hmm2019_mirror *mirror,
				      struct mm_struct *mm,
				      const struct hmm2019_mirror_ops *ops);

__must_check int hmm2019_range_begin(struct hmm2019_range *range,
				     struct hmm2019_mirror *mirror,
				     unsigned long start, unsigned long end);

__must_check long hmm2019_range_snapshot(struct hmm2019_range *range,
					 u64 *entries, unsigned long npages);

#endif /* _COMPAT_2019_TYPED_H */
