/* SPDX-License-Identifier: GPL-2.0 */
/* What is taken and released, on any thread: no lock, but written as one. */
#include <linux/contract.h>

typedef _Bool bool_t;

/**
 * struct clock - drives a part of the chip
 */
struct clock {
	unsigned long rate;
} __contract(object("Clock"), pinned, send, sync);

void clock_init(struct clock *clock) __contract(constructor);
void clock_exit(struct clock *clock) __contract(destructor, leaked);
/**
 * clock_prepare() - power the clock
 * @clock: the clock
 *
 * Return: 0, or an error when it cannot be powered.
 */
int clock_prepare(struct clock *clock) __contract(trylock("Prepared"), errno, unbound);
void clock_unprepare(struct clock *clock) __contract(unlock("Prepared"));
unsigned long clock_rate(struct clock *clock) __contract(method, requires(Prepared));
void clock_hold(struct clock *clock) __contract(lock("Running"), unbound, requires(Prepared));
void clock_stop(struct clock *clock) __contract(unlock("Running"));

/* Left out: the other function that takes this belongs to a thread. */
bool_t clock_try_prepare(struct clock *clock) __contract(trylock("Trial"));
int clock_try_again(struct clock *clock) __contract(trylock("Trial"), errno, unbound);
void clock_try_end(struct clock *clock) __contract(unlock("Trial"));

/* Left out: its guard gives access to data. */
struct vault {
	int x;
} __contract(object("Vault"), pinned, send, sync, data(VaultGuard = exclusive));
void vault_init(struct vault *vault) __contract(constructor);
void vault_open(struct vault *vault) __contract(lock("VaultGuard"), unbound);
void vault_close(struct vault *vault) __contract(unlock("VaultGuard"));
