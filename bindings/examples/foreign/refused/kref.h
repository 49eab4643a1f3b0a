/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: a count whose end calls back. The release is of the object around it, which has no type here: it is left out.
 */
#include <linux/contract.h>
#include <linux/kref.h>

/**
 * struct kref - a count of references
 */
struct __contract(object("Kref"), pinned, send, sync) kref;

/**
 * kref_init() - make one with one reference
 * @kref: room for it
 */
static inline void kref_init(struct kref *kref) __contract(constructor);
static inline void kref_get(struct kref *kref) __contract(get);
static inline int kref_put(struct kref *kref,
			   void (*release)(struct kref *kref)
			   __contract(callback("KrefOperations", release)))
	__contract(put);
