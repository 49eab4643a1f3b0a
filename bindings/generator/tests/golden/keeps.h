/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/contract.h>

struct space;
struct __contract(object("Space"), send, sync) space;
void space_get(struct space *space) __contract(get);
void space_put(struct space *space) __contract(put);

struct window {
	struct space *space;
	void *owner;
} __contract(object("Window"), pinned, send, sync);

int window_init(struct window *window, struct space *space __contract(keeps),
		void *owner __contract(identity))
	__contract(constructor, errno);
void window_exit(struct window *window) __contract(destructor);
_Bool window_shows(struct window *window, struct space *other __contract(borrows, nullable))
	__contract(method);

struct pane {
	struct window *window;
} __contract(object("Pane"), pinned);

void pane_init(struct pane *pane, struct window *window __contract(keeps))
	__contract(constructor(pane));
