/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _UNSAFE_TYPED_H
#define _UNSAFE_TYPED_H

#include <linux/cleanup.h>
#include <unsafe.h>

/* An integer with a type of its own. */
struct valve_state_val {
	unsigned int raw;
};

static inline struct valve_state_val valve_state_of(unsigned int bits)
{
	return (struct valve_state_val){ bits };
}

static inline bool valve_state_has(struct valve_state_val val,
				   enum valve_state bits)
{
	return (val.raw & bits) == bits;
}

__must_check int boiler_poke(struct boiler *boiler, unsigned long address);

__must_check int boiler_measure(struct boiler *boiler, struct reading *reading);

__must_check int boiler_count(struct boiler *boiler, unsigned int *value);

__must_check int boiler_both(struct boiler *boiler, bool *lit,
			     unsigned long *litres);

__must_check int plaque_letter(struct plaque *plaque, unsigned char *letter);

#endif /* _UNSAFE_TYPED_H */
