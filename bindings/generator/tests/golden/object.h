/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/**
 * struct ring - a ring of slots
 * @slots: how many there are
 *
 * Producers and consumers may be on different CPUs.
 */
struct ring {
	unsigned int slots;
	void *mem;
} __contract(object("Ring"), pinned, send, sync);

/**
 * ring_init() - make a ring
 * @ring: room for it
 * @slots: how many slots, a power of two
 *
 * Return: 0, -EINVAL when @slots is no power of two, or -ENOMEM.
 */
int ring_init(struct ring *ring, unsigned int slots)
	__contract(constructor, errno(-EINVAL, -ENOMEM), may_sleep);

/**
 * ring_exit() - end a ring
 * @ring: an initialised ring
 */
void ring_exit(struct ring *ring) __contract(destructor);

/**
 * ring_slots() - the size of a ring
 * @ring: an initialised ring
 *
 * Return: how many slots it has.
 */
unsigned int ring_slots(const struct ring *ring) __contract(method, atomic);
