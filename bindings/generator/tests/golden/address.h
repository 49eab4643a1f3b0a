/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses, behind which can be memory of others: also in records, in slices of them, and of devices. */
#include <linux/contract.h>

typedef unsigned long long phys_addr_t;
typedef unsigned long long dma_addr_t;

/**
 * struct window - what a device sees of memory
 * @from: where it begins for the device
 * @to: where it begins in memory
 */
struct window {
	dma_addr_t from;
	phys_addr_t to;
} __contract(record("Window"));

/* Rust cannot make one, so its address is C's. */
struct mapping {
	dma_addr_t at;
	int state __contract(hidden);
} __contract(record("Mapping"));

/* Left out: a method of a record is given the record. */
void window_open(const struct window *window) __contract(method);
void mapping_sync(const struct mapping *mapping) __contract(method);

struct engine;

struct engine_ops {
	void (*idle)(struct engine *engine) __contract(required);
	/* Left out: safe code would choose the address. */
	dma_addr_t (*place)(struct engine *engine) __contract(optional);
} __contract(ops("EngineOperations"));

/**
 * struct engine - copies memory
 */
struct engine {
	int channel;
} __contract(object("Engine"), pinned, send, sync);

void engine_init(struct engine *engine, const struct engine_ops *ops) __contract(constructor);
void engine_exit(struct engine *engine) __contract(destructor, waits, reaped);

/* Left out. */
void engine_read(struct engine *engine, dma_addr_t from) __contract(method);
void engine_map(struct engine *engine, struct window window) __contract(method);
void engine_map_all(struct engine *engine, const struct window *windows __contract(slice(nr)),
		    unsigned long nr) __contract(method);
void engine_show(struct engine *engine, const struct window *window __contract(borrows))
	__contract(method);

/* A promise, and what comes from C. */
void engine_write(struct engine *engine, dma_addr_t to)
	__contract(method, unsafe("the device may write to `to`"));
void engine_unmap(struct engine *engine, struct mapping mapping) __contract(method);
int engine_position(struct engine *engine, dma_addr_t *at __contract(out)) __contract(method, errno);
