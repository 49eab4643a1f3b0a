/* SPDX-License-Identifier: GPL-2.0 */
/* Callbacks that are given a part of their object, or its address as a void pointer. */
#include <linux/contract.h>

struct task {
	int queued;
};

/**
 * struct later - a task that waits for its time
 */
struct later {
	int delay;
	struct task task;
} __contract(object("Later"), pinned, send, sync);

/**
 * later_init() - make one that does not wait yet
 * @later: room for it
 * @func: does the task
 */
void later_init(struct later *later,
		void (*func)(struct task *task) __contract(callback("Task", run, member(task))))
	__contract(constructor);
void later_cancel(struct later *later) __contract(destructor, waits, reaped, may_sleep);

struct inner {
	struct task task;
};

struct deep_ops;

/**
 * struct deep - has its task further down
 */
struct deep {
	const struct deep_ops *ops;
	struct inner inner;
} __contract(object("Deep"), pinned, send, sync);

struct deep_ops {
	int (*poll)(int budget, const struct task *task)
		__contract(required, plain, member(inner.task));
	void (*stop)(struct deep *deep) __contract(optional);
} __contract(ops("DeepOperations"));

void deep_init(struct deep *deep, const struct deep_ops *ops) __contract(constructor);
void deep_exit(struct deep *deep) __contract(destructor, waits, reaped);

/**
 * struct line - an interrupt
 */
struct line {
	int number;
} __contract(object("Line"), pinned, send, sync);

int line_request(struct line *line, unsigned int number,
		 int (*handler)(int number, void *data) __contract(callback("Handler", handle, plain)),
		 void *data __contract(closure)) __contract(constructor(line), errno);
void line_free(struct line *line) __contract(destructor, waits, reaped);

/**
 * struct listener - a callback for events
 * @call: called for an event
 * @priority: those with more are called first
 */
struct listener {
	int (*call)(struct listener *listener, unsigned long event)
		__contract(given, callback("Listen", heard, plain));
	struct listener *next;
	int priority __contract(given);
} __contract(object("Listener"), pinned, send, sync);

int listener_register(struct listener *listener)
	__contract(constructor, errno, unsafe("it is dropped before its module is unloaded"));
void listener_unregister(struct listener *listener) __contract(destructor, waits, reaped(unsafe));

/* Left out: nothing is called back. */
struct quiet {
	int x;
} __contract(object("Quiet"), pinned);

void quiet_init(struct quiet *quiet, void *data __contract(closure)) __contract(constructor);
