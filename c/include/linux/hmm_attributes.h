/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attributes: what a program has advised about the addresses of a mirror.
 */
#ifndef _LINUX_HMM_ATTRIBUTES_H
#define _LINUX_HMM_ATTRIBUTES_H

#include <linux/contract.h>
#include <linux/hmm_span.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

/**
 * DOC: Attributes
 *
 * CUDA and HIP programs advise which processor is going to use which memory
 * (cudaMemAdvise(), hipMemAdvise()). A &struct hmm_attributes holds this advice by
 * address, for one mirror. The driver looks it up when its device faults
 * (hmm_attributes_get()), and decides.
 *
 * Advice is about addresses and not about pages or VMAs: nothing need be mapped
 * there, and it stays when the memory is unmapped and other memory is mapped in its
 * place. It ends when it is withdrawn, or with the &struct hmm_attributes. Advice is
 * never necessary for a correct result, so a driver may ignore any of it.
 *
 * *Preferred location*: the memory that the pages are to be in. The driver numbers
 * its devices.
 *
 * *Read mostly*: the pages are mostly read. A process has each page once, so unlike
 * CUDA there are no copies for each reader. What is left: a read moves no page to the
 * memory of the device that reads, from which others would have to fetch it.
 *
 * *Accessed by*: the device of this mirror is going to access the pages, which are
 * mapped for it in advance, wherever they are. Such addresses are *stale* from when
 * the advice is given, and again from each invalidation on
 * (hmm_attributes_invalidate()), until the driver takes them
 * (hmm_attributes_take_stale()) to map them, in sections with %HMM_ACCESS_PRESENT.
 */

/**
 * enum hmm_advice - advice about a span of addresses
 * @HMM_ADVICE_SET_READ_MOSTLY: the pages are mostly read
 * @HMM_ADVICE_UNSET_READ_MOSTLY: withdraw that
 * @HMM_ADVICE_SET_PREFERRED_LOCATION: the pages are to be in the memory that is named
 * @HMM_ADVICE_UNSET_PREFERRED_LOCATION: withdraw that
 * @HMM_ADVICE_SET_ACCESSED_BY: the device is going to access the pages
 * @HMM_ADVICE_UNSET_ACCESSED_BY: withdraw that
 */
enum hmm_advice {
	HMM_ADVICE_SET_READ_MOSTLY,
	HMM_ADVICE_UNSET_READ_MOSTLY,
	HMM_ADVICE_SET_PREFERRED_LOCATION,
	HMM_ADVICE_UNSET_PREFERRED_LOCATION,
	HMM_ADVICE_SET_ACCESSED_BY,
	HMM_ADVICE_UNSET_ACCESSED_BY,
} __contract(choice("Advice"));

/* Locations that are no device's. The driver numbers its devices from 0. */
#define HMM_LOCATION_SYSTEM	(-1)	/* system memory */
#define HMM_LOCATION_NONE	(-2)	/* no location is preferred */

/* How many ranges with different attributes there can be. */
#define HMM_ATTRIBUTES_MAX	65536

/**
 * struct hmm_attribute - the attributes of a span of addresses
 * @span: the addresses, which all have the same
 * @location: the preferred location: the number of a device, %HMM_LOCATION_SYSTEM or
 *	%HMM_LOCATION_NONE
 * @read_mostly: the pages are mostly read
 * @accessed_by: the device is going to access the pages
 */
struct hmm_attribute {
	struct hmm_span span;
	int location;
	bool read_mostly;
	bool accessed_by;
} __contract(record("Attribute"));

/**
 * struct hmm_attributes - the attributes of all addresses of a mirror
 */
struct hmm_attributes {
	/* private: */
	struct mutex lock;		/* taken to change attributes; outside of tree_lock */
	spinlock_t tree_lock;		/* changes of what follows; lookups */
	struct rb_root_cached tree;	/* of ranges that have attributes */
	struct list_head stale;		/* the ranges of these with stale addresses */
	unsigned long nr;		/* how many ranges there are */
} __contract(object("Attributes"), pinned, send, sync);

void hmm_attributes_init(struct hmm_attributes *attributes) __contract(constructor);
void hmm_attributes_exit(struct hmm_attributes *attributes) __contract(destructor);
int hmm_attributes_advise(struct hmm_attributes *attributes, struct hmm_span span,
			  enum hmm_advice advice, int location)
	__contract(method, errno, may_sleep);
struct hmm_attribute hmm_attributes_get(struct hmm_attributes *attributes,
					struct hmm_span span)
	__contract(method);
void hmm_attributes_invalidate(struct hmm_attributes *attributes, struct hmm_span span)
	__contract(method, atomic);
struct hmm_span hmm_attributes_take_stale(struct hmm_attributes *attributes)
	__contract(method);

/**
 * hmm_attributes_any() - whether there is any advice
 * @attributes: the attributes
 *
 * For drivers that have to compute what they call hmm_attributes_invalidate() for.
 *
 * Return: false if no advice has been given, or all was withdrawn. Advice that is given
 * meanwhile makes stale itself what the device is going to access.
 */
static inline bool hmm_attributes_any(const struct hmm_attributes *attributes)
	__contract(method)
{
	return READ_ONCE(attributes->nr);
}

#endif /* _LINUX_HMM_ATTRIBUTES_H */
