/* SPDX-License-Identifier: GPL-2.0 */
/* A lock that returns what its unlock is given. */
#include <linux/contract.h>

typedef _Bool bool_t;

/**
 * struct turnstile - counts who is inside, on one side or the other
 */
struct turnstile {
	int side;
} __contract(object("Turnstile"), pinned, send, sync);

void turnstile_init(struct turnstile *turnstile) __contract(constructor, leaked);
/**
 * turnstile_enter() - go inside
 * @turnstile: the turnstile
 *
 * Return: the side by which one must leave.
 */
int turnstile_enter(struct turnstile *turnstile) __contract(lock("InsideGuard"));
void turnstile_leave(struct turnstile *turnstile, int side __contract(cookie))
	__contract(unlock("InsideGuard"));

/* Left out: a try has no room for a cookie, and this one is given to no unlock. */
bool_t turnstile_try(struct turnstile *turnstile) __contract(trylock("InsideGuard"));
int turnstile_peek(struct turnstile *turnstile) __contract(lock("PeekGuard"));
void turnstile_turn_away(struct turnstile *turnstile) __contract(unlock("PeekGuard"));
void turnstile_turn(struct turnstile *turnstile, int side __contract(cookie)) __contract(method);
