/* SPDX-License-Identifier: GPL-2.0 */
/* Names that are keywords of Rust, or that the typed side has itself; values with two names; results that must be used. */
#include <linux/contract.h>

#define __must_check __attribute__((__warn_unused_result__))

typedef _Bool bool;

enum rate {
	RATE_NONE = 0,
	RATE_1000BASET = 1,
	RATE_ALL = 3,
} __contract(flags("Rates"));

enum state {
	STATE_OFF,
	STATE_ON,
	STATE_FIRST = STATE_OFF,
	STATE_LAST = STATE_ON,
} __contract(choice("State"));

struct trait;

struct trait_ops {
	int (*type)(struct trait *trait, int in, bool match) __contract(required, errno);
	void (*name)(struct trait *trait) __contract(optional);
	void (*member)(struct trait *trait, int self) __contract(optional);
} __contract(ops("TraitOperations"));

/**
 * struct trait - something whose name is a keyword
 */
struct trait {
	int type __contract(given);
	int match __contract(constant);
	unsigned int slot __contract(given);
	unsigned int ops __contract(given);
} __contract(object("Trait"), pinned, send, sync);

int __must_check trait_init(struct trait *trait, const struct trait_ops *ops)
	__contract(constructor, errno);
int __must_check trait_exit(struct trait *trait)
	__contract(destructor, plain, waits, reaped, leaked);
int __must_check trait_await(struct trait *trait) __contract(trylock("Awaited"), errno);
int __must_check trait_final(struct trait *trait) __contract(unlock("Awaited"));
int trait_become(struct trait *trait, enum state fn, enum rate dyn) __contract(method, errno);

struct box;
struct __contract(object("Parcel"), send, sync) box;
struct box *__must_check box_get(struct box *box) __contract(get, nonnull);
int __must_check box_put(struct box *box) __contract(put);
