/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

typedef _Bool bool;

struct engine;

/**
 * struct engine_ops - what an engine's driver knows
 */
struct engine_ops {
	/**
	 * @start: Start it. Required.
	 */
	int (*start)(struct engine *engine, unsigned int speed)
		__contract(required, requires(EngineGuard), errno, may_sleep);
	/**
	 * @stop: Stop it. Optional.
	 */
	void (*stop)(struct engine *engine) __contract(optional);
	void (*internal)(void *cookie);
} __contract(ops("Operations"));

/**
 * struct engine - something that turns
 */
struct engine {
	const struct engine_ops *ops;
} __contract(object("Engine"), pinned, send, sync, data(EngineGuard = exclusive));

int engine_init(struct engine *engine, const struct engine_ops *ops)
	__contract(constructor, errno);
void engine_exit(struct engine *engine) __contract(destructor, leaked, waits, reaped);
void engine_lock(struct engine *engine) __contract(lock("EngineGuard"));
void engine_unlock(struct engine *engine) __contract(unlock("EngineGuard"));
bool engine_turns(struct engine *engine) __contract(method);
