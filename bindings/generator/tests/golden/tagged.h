/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

/**
 * enum entry_bits - the flags of an entry
 * @ENTRY_VALID: it can be used
 */
enum entry_bits {
	ENTRY_VALID = 1UL << 63,
	ENTRY_DIRTY = 1UL << 62,
	ENTRY_MASK = ~((1UL << 50) - 1),
} __contract(tagged("Entry"));

/**
 * entry_number() - the number in an entry
 * @entry: an entry
 */
static inline unsigned long entry_number(unsigned long entry __contract(tagged(entry_bits)))
	__contract(method, name("number"))
{
	return entry & ~ENTRY_MASK;
}

typedef unsigned int ticket_t __contract(tagged("Ticket"));
