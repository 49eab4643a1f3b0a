/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct turnstile { int side; } __contract(object("Turnstile"), pinned);
void turnstile_init(struct turnstile *turnstile) __contract(constructor);
void *turnstile_enter(struct turnstile *turnstile) __contract(lock("InsideGuard"));
void turnstile_leave(struct turnstile *turnstile, void *side __contract(cookie))
	__contract(unlock("InsideGuard"));
