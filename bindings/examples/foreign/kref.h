/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Example: a count of references to data of the user's. Dropping the last one calls back, which frees the storage.
 */
#include <linux/contract.h>
#include <linux/kref.h>

/**
 * struct kref - data with a count of references
 */
struct __contract(object("Kref"), pinned, send, sync, data) kref;

/**
 * kref_init() - make one with one reference
 * @kref: room for it
 */
static inline void kref_init(struct kref *kref) __contract(constructor);
static inline void kref_get(struct kref *kref) __contract(get);
static inline int kref_put(struct kref *kref, void (*release)(struct kref *kref)) __contract(put);

/**
 * kref_read() - count the references
 * @kref: the data
 *
 * Return: how many there were; others can take and drop references meanwhile.
 */
static inline unsigned int kref_read(const struct kref *kref) __contract(method, name("references"));
